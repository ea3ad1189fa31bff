"""Applications as the history has them: which state one is in, and what it has been granted and still holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, Connection, select

from workbooks.ledger import schema
from workbooks.ledger.acts import Ground
from workbooks.ledger.database import among, without_collecting


@dataclass(frozen=True)
class Taken:
    """A step that was taken and not withdrawn."""

    id: int
    number: int
    transition: str
    source: str
    target: str
    day: date
    ground: int


@dataclass(slots=True)
class Holding:
    """What an application holds for one item: fen, and the entry a correction would name, None once released."""

    fen: int = 0
    tail: int | None = None
    ground: int = 0


@dataclass(slots=True)
class Application:
    """One enterprise in one batch of one programme. steps: those in force; numbered: how many ever entered."""

    id: int
    uscc: str
    policy: str
    batch: str
    steps: list[Taken] = field(default_factory=list)
    numbered: int = 0
    holdings: dict[str, Holding] = field(default_factory=dict)

    @property
    def fen(self) -> int:
        """What the application holds in all."""
        return sum(item.fen for item in self.holdings.values())

    def state(self, first: str) -> str:
        """The state it is in; ``first``: the state of one without steps."""
        return self.steps[-1].target if self.steps else first

    def reached(self, state: str) -> date | None:
        """The last day on which it came into a state, None where it never did."""
        return next((taken.day for taken in reversed(self.steps) if taken.target == state), None)


def applications_of(
    connection: Connection, usccs: Iterable[str], *, before: int | None = None
) -> dict[str, list[Application]]:
    """All applications of some enterprises, by code; before: as they were before the act of that number."""
    found: dict[str, list[Application]] = {}
    for item in load(connection, among(schema.application.c.uscc, usccs), before=before):
        found.setdefault(item.uscc, []).append(item)
    return found


def one_application(connection: Connection, uscc: str, policy: str, batch: str) -> Application | None:
    """One application, None where there is none."""
    table = schema.application
    rows = load(connection, (table.c.uscc == uscc) & (table.c.policy == policy) & (table.c.batch == batch))
    return rows[0] if rows else None


def load(connection: Connection, which: ColumnElement[bool], *, before: int | None = None) -> list[Application]:
    """Applications with their steps and holdings, in the order in which they were opened."""
    with without_collecting():
        return _loaded(connection, which, before)


def _loaded(connection: Connection, which: ColumnElement[bool], before: int | None) -> list[Application]:
    table = schema.application
    rows = connection.execute(
        select(table.c.id, table.c.uscc, table.c.policy, table.c.batch).where(which, *_earlier(table.c.act_id, before))
    )
    # Sorted here: a database that has not counted its rows yet would take them in this order, a whole batch of them.
    found = {number: Application(number, uscc, policy, batch) for number, uscc, policy, batch in sorted(rows.all())}
    if found:
        _add_steps(connection, found, which, before)
        _add_entries(connection, found, which, before)
    return list(found.values())


def _earlier(column: ColumnElement[int], before: int | None) -> Sequence[ColumnElement[bool]]:
    return () if before is None else (column < before,)


def _add_steps(
    connection: Connection, found: dict[int, Application], which: ColumnElement[bool], before: int | None
) -> None:
    step, act = schema.step, schema.act
    rows = connection.execute(
        select(
            step.c.id, step.c.application_id, step.c.number, step.c.transition, step.c.from_state, step.c.to_state,
            step.c.corrects, step.c.ground_id, act.c.day,
        )
        .join(act, act.c.id == step.c.act_id)
        .join(schema.application, schema.application.c.id == step.c.application_id)
        .where(which, *_earlier(step.c.act_id, before))
        .order_by(step.c.application_id, step.c.number)
    )  # fmt: skip
    for row in rows:
        item = found[row.application_id]
        item.numbered = row.number
        if row.corrects is not None:
            item.steps = [taken for taken in item.steps if taken.id != row.corrects]
        else:
            item.steps.append(
                Taken(row.id, row.number, row.transition, row.from_state, row.to_state, row.day, row.ground_id)
            )


def _add_entries(
    connection: Connection, found: dict[int, Application], which: ColumnElement[bool], before: int | None
) -> None:
    entry = schema.entry
    rows = connection.execute(
        select(
            entry.c.id, entry.c.application_id, entry.c.item, entry.c.kind, entry.c.fen, entry.c.ground_id
        )
        .join(schema.application, schema.application.c.id == entry.c.application_id)
        .where(which, *_earlier(entry.c.act_id, before))
        .order_by(entry.c.id)
    )  # fmt: skip
    # Unpacked all at once: a workbook of a thousand enterprises has ten thousand of them.
    for number, application, code, kind, fen, ground in rows.all():
        holdings = found[application].holdings
        tail = None if kind == schema.RELEASE else number
        held = holdings.get(code)
        if held is None:
            holdings[code] = Holding(fen, tail, ground)
        else:
            held.fen, held.tail, held.ground = held.fen + fen, tail, ground


def ground_at(connection: Connection, number: int) -> Ground:
    """A ground by its number."""
    table = schema.ground
    row = connection.execute(
        select(table.c.policy, table.c.version, table.c.pack_hash, table.c.choices).where(table.c.id == number)
    ).one()
    return Ground(row.policy, row.version, row.pack_hash, row.choices)
