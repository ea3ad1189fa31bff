"""What the ledger finds across enterprises: double funding, papers used twice, one code with two names, near names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from workbooks.ledger import schema
from workbooks.ledger.applications import chunks
from workbooks.merging.near_names import core_of_name, near_names


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


def doubles(connection: Connection, uscc: str | None = None) -> list[Double]:
    """Every enterprise that holds money more than once, across programmes, cities and batches, by code.

    Whether that is allowed is for a person to say: no document forbids it outright.
    """
    application, entry = schema.application, schema.entry
    by_application = (
        select(application.c.uscc, application.c.policy, application.c.batch, func.sum(entry.c.fen).label("fen"))
        .join(entry, entry.c.application_id == application.c.id)
        .group_by(application.c.uscc, application.c.policy, application.c.batch)
        .having(func.sum(entry.c.fen) > 0)
    )
    if uscc is not None:
        by_application = by_application.where(application.c.uscc == uscc)
    each = by_application.subquery()
    counted = select(each, func.count().over(partition_by=each.c.uscc).label("times")).subquery()
    order = (counted.c.uscc, counted.c.policy, counted.c.batch)
    held: dict[str, list[tuple[str, str, int]]] = {}
    for row in connection.execute(select(counted).where(counted.c.times > 1).order_by(*order)):
        held.setdefault(row.uscc, []).append((row.policy, row.batch, int(row.fen)))
    names = names_by_code(connection, held)
    return [Double(code, tuple(names.get(code, ())), tuple(rows)) for code, rows in held.items()]


def names_by_code(connection: Connection, usccs: Iterable[str]) -> dict[str, list[str]]:
    """Every name some codes were used with, oldest first."""
    table = schema.name
    found: dict[str, list[str]] = {}
    for some in chunks(usccs):
        for row in connection.execute(select(table).where(table.c.uscc.in_(some)).order_by(table.c.id)):
            found.setdefault(row.uscc, []).append(row.name)
    return found


def papers_used_twice(connection: Connection, uscc: str | None = None) -> list[PaperUse]:
    """Invoice and contract numbers that more than one application rests on, anywhere."""
    paper, application = schema.paper, schema.application
    twice = select(paper.c.kind, paper.c.number).group_by(paper.c.kind, paper.c.number).having(func.count() > 1)
    if uscc is not None:
        own = select(paper.c.kind, paper.c.number).join(application, application.c.id == paper.c.application_id)
        mine = own.where(application.c.uscc == uscc).subquery()
        same = (mine.c.kind == paper.c.kind) & (mine.c.number == paper.c.number)
        twice = twice.join(mine, same)
    wanted = twice.subquery()
    rows = connection.execute(
        select(paper.c.kind, paper.c.number, application.c.uscc, application.c.policy, application.c.batch)
        .join(application, application.c.id == paper.c.application_id)
        .join(wanted, (wanted.c.kind == paper.c.kind) & (wanted.c.number == paper.c.number))
        .order_by(paper.c.kind, paper.c.number, application.c.id)
    )
    uses: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for row in rows:
        uses.setdefault((row.kind, row.number), []).append((row.uscc, row.policy, row.batch))
    return [PaperUse(kind, number, tuple(dict.fromkeys(found))) for (kind, number), found in uses.items()]


def codes_with_two_names(connection: Connection) -> dict[str, list[str]]:
    """Codes that were used with more than one name, with the names, oldest first."""
    table = schema.name
    several = select(table.c.uscc).group_by(table.c.uscc).having(func.count() > 1)
    return names_by_code(connection, connection.scalars(several.order_by(table.c.uscc)).all())


def near_names_of(connection: Connection) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Pairs of (code, name) with different codes and names that may be meant as one; a suggestion for a person."""
    table = schema.name
    rows = connection.execute(select(table.c.uscc, table.c.name).order_by(table.c.id)).all()
    names = list(dict.fromkeys(row.name for row in rows))
    codes: dict[str, list[str]] = {}
    for row in rows:
        codes.setdefault(row.name, []).append(row.uscc)
    same = [
        ((first, name), (second, name))
        for name, found in codes.items()
        for place, first in enumerate(found)
        for second in found[place + 1 :]
    ]
    near = [
        ((first, one), (second, other))
        for one, other in _near(names)
        for first in codes[one]
        for second in codes[other]
        if first != second
    ]
    return same + near


def _near(names: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of near names, found among those only that share all but one character or the end of the name."""
    cores: dict[str, list[str]] = {}
    for name in names:
        cores.setdefault(core_of_name(name), []).append(name)
    blocks: dict[str, set[str]] = {}
    for core, found in cores.items():
        for without in {core, *(core[:place] + core[place + 1 :] for place in range(len(core)))}:
            blocks.setdefault(without, set()).update(found)
        for start in range(1, len(core)):
            if core[start:] in cores:
                blocks.setdefault(f"…{core[start:]}", set()).update((*found, *cores[core[start:]]))
    order = {name: place for place, name in enumerate(names)}
    pairs = set()
    for block in blocks.values():
        if len(block) > 1:
            kept = sorted(block, key=order.__getitem__)
            pairs |= {(order[kept[one]], order[kept[other]]) for one, other in near_names(kept)}
    return [(names[one], names[other]) for one, other in sorted(pairs)]
