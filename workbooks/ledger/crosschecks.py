"""What the ledger finds across enterprises: double funding, papers used twice, one code with two names, near names.

All of it was found when it was entered (``derived.py``); a long list is given a page at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, select

from workbooks.ledger import schema
from workbooks.ledger.alike import users_of
from workbooks.ledger.database import among

PAGE = 500
"""How many rows of a list are given at a time."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Listing(Generic[Found]):
    """A page of a list; total: how many rows all of it has."""

    rows: Sequence[Found]
    total: int


@dataclass(frozen=True)
class Double:
    """An enterprise that holds money from more than one programme or batch; held: (policy, batch, fen)."""

    uscc: str
    names: tuple[str, ...]
    held: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class PaperUse:
    """A number used by more than one application; uses: (code, policy, batch)."""

    kind: str
    number: str
    uses: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Renamed:
    """A code that was used with more than one name, oldest first."""

    uscc: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Alike:
    """Names of different codes that may be meant as one: (code, name), oldest first; a suggestion for a person."""

    users: tuple[tuple[str, str], ...]


def _several(column: ColumnElement[int]) -> ColumnElement[bool]:
    """Written as the index has it, so that it is counted from the index alone."""
    return column > literal_column("1")


def _start(page: int) -> int:
    return (page - 1) * PAGE


def doubles(connection: Connection, uscc: str | None = None, *, page: int = 1) -> Listing[Double]:
    """Every enterprise that holds money more than once, across programmes, cities and batches, by code.

    Whether that is allowed is for a person to say: no document forbids it outright.
    """
    table, application, entry = schema.enterprise, schema.application, schema.entry
    several = _several(table.c.funded) if uscc is None else _several(table.c.funded) & (table.c.uscc == uscc)
    asked = select(table.c.uscc).where(several).order_by(table.c.uscc).limit(PAGE).offset(_start(page))
    held: dict[str, list[tuple[str, str, int]]] = {code: [] for code in connection.scalars(asked)}
    total = select(func.sum(entry.c.fen)).where(entry.c.application_id == application.c.id).scalar_subquery()
    rows = connection.execute(
        select(application.c.uscc, application.c.policy, application.c.batch, total)
        .where(among(application.c.uscc, held))
        .order_by(application.c.uscc, application.c.policy, application.c.batch)
    )
    for code, policy, batch, fen in rows.all():
        if fen:
            held[code].append((policy, batch, int(fen)))
    names = names_by_code(connection, held)
    found = [Double(code, tuple(names.get(code, ())), tuple(rows)) for code, rows in held.items()]
    return Listing(found, _count(connection, select(func.count()).select_from(table).where(several)))


def _count(connection: Connection, asked: Select[Any]) -> int:
    return int(connection.scalar(asked) or 0)


def names_by_code(connection: Connection, usccs: Iterable[str]) -> dict[str, list[str]]:
    """Every name some codes were used with, oldest first."""
    table = schema.name
    found: dict[str, list[str]] = {}
    asked = select(table.c.uscc, table.c.name).where(among(table.c.uscc, usccs)).order_by(table.c.id)
    for code, name in connection.execute(asked).all():
        found.setdefault(code, []).append(name)
    return found


def papers_used_twice(connection: Connection, uscc: str | None = None, *, page: int = 1) -> Listing[PaperUse]:
    """Invoice and contract numbers that more than one application rests on, anywhere."""
    paper, application, again = schema.paper, schema.application, schema.paper_again
    numbers = select(again.c.kind, again.c.number).order_by(again.c.kind, again.c.number)
    if uscc is not None:
        own = select(paper.c.kind, paper.c.number).join(application, application.c.id == paper.c.application_id)
        mine = own.where(application.c.uscc == uscc).distinct().subquery()
        numbers = numbers.join(mine, (mine.c.kind == again.c.kind) & (mine.c.number == again.c.number))
    total = _count(connection, select(func.count()).select_from(numbers.order_by(None).subquery()))
    asked = [(kind, number) for kind, number in connection.execute(numbers.limit(PAGE).offset(_start(page)))]
    uses: dict[tuple[str, str], list[tuple[str, str, str]]] = {key: [] for key in asked}
    for kind in {kind for kind, _ in asked}:
        rows = connection.execute(
            select(paper.c.number, application.c.uscc, application.c.policy, application.c.batch)
            .join(application, application.c.id == paper.c.application_id)
            .where(paper.c.kind == kind, among(paper.c.number, [number for of, number in asked if of == kind]))
            .order_by(application.c.id)
        )
        for number, code, policy, batch in rows.all():
            uses[kind, number].append((code, policy, batch))
    found = [PaperUse(kind, number, tuple(dict.fromkeys(users))) for (kind, number), users in uses.items()]
    return Listing(found, total)


def codes_with_two_names(connection: Connection, *, page: int = 1) -> Listing[Renamed]:
    """Codes that were used with more than one name, by code."""
    table = schema.enterprise
    several = _several(table.c.names)
    asked = select(table.c.uscc).where(several).order_by(table.c.uscc).limit(PAGE).offset(_start(page))
    codes = connection.scalars(asked).all()
    names = names_by_code(connection, codes)
    total = _count(connection, select(func.count()).select_from(table).where(several))
    return Listing([Renamed(code, tuple(names[code])) for code in codes], total)


def near_names_of(connection: Connection, *, page: int = 1) -> Listing[Alike]:
    """Names of different codes that may be meant as one, those entered first in front."""
    table = schema.alike
    asked = select(table).order_by(table.c.first_id, table.c.second_id).limit(PAGE).offset(_start(page))
    pairs = [(first, second) for first, second in connection.execute(asked)]
    users = users_of(connection, {core for pair in pairs for core in pair})
    found = [
        Alike(tuple(users[first] if first == second else (*users[first], *users[second]))) for first, second in pairs
    ]
    return Listing(found, _count(connection, select(func.count()).select_from(table)))
