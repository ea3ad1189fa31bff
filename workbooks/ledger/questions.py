"""What the ledger can be asked about one enterprise: what it has had, what remains, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, RowMapping, select

from workbooks.ledger import schema
from workbooks.ledger.applications import Application, applications_of
from workbooks.ledger.caps import caps_of, held_by_programme
from workbooks.ledger.database import LedgerError
from workbooks.ledger.programmes import programmes, states_of
from xlcalc.packs.policy import Policy, Version
from xlcalc.packs.registry import load_policy
from xlcalc.values.uscc import clean_uscc, problem_of_uscc


@dataclass(frozen=True)
class Held:
    """What an enterprise holds in one batch of one programme, by item in fen, and the state it is in there."""

    policy: str
    batch: str
    amounts: Mapping[str, int]
    state: str
    since: date | None

    @property
    def fen(self) -> int:
        """All of it."""
        return sum(self.amounts.values())


@dataclass(frozen=True)
class Room:
    """What a cap leaves: amount, used and left in fen, and the clause that sets it."""

    policy: str
    amount: int
    used: int
    article: str

    @property
    def left(self) -> int:
        """What may still be granted."""
        return max(self.amount - self.used, 0)


@dataclass(frozen=True)
class Event:
    """A line of an enterprise's history: what was entered, by whom, when, from which file and under which pack."""

    act: int
    kind: str
    day: date
    operator: str
    document: str
    reason: str
    policy: str
    batch: str
    what: str
    fen: int | None
    source: str
    sha256: str
    version: str
    pack_hash: str
    choices: str


def code_asked(connection: Connection, text: str) -> str:
    """The code of an enterprise as the ledger has it, for one that is asked about.

    Raises LedgerError ``E-LEDGER-CODE`` for a code the ledger does not know and that is none: the answer would be
    that nothing was had.
    """
    uscc, table = clean_uscc(text), schema.application
    known = connection.scalar(select(table.c.id).where(table.c.uscc == uscc).limit(1)) is not None
    if not known and (problem := problem_of_uscc(uscc)):
        raise LedgerError("E-LEDGER-CODE", f"统一社会信用代码有误：{problem}", remedy="请按营业执照核对代码")
    return uscc


def names_of(connection: Connection, uscc: str) -> list[str]:
    """Every name a code was used with, oldest first."""
    table = schema.name
    return list(connection.scalars(select(table.c.name).where(table.c.uscc == uscc).order_by(table.c.id)))


def had(connection: Connection, uscc: str) -> list[Held]:
    """What an enterprise has had, by programme and batch; what was taken back is not in it."""
    found = []
    for item in applications_of(connection, [uscc]).get(uscc, []):
        states = states_of(_version(connection, item))
        state = item.state(states.first)
        amounts = {code: held.fen for code, held in item.holdings.items() if held.fen}
        found.append(Held(item.policy, item.batch, amounts, states.label(state), item.reached(state)))
    return found


def _version(connection: Connection, item: Application) -> Version:
    from workbooks.ledger.applications import ground_at

    numbers = [taken.ground for taken in item.steps] + [held.ground for held in item.holdings.values()]
    policy = load_policy(item.policy)
    return policy.version(ground_at(connection, max(numbers)).version) if numbers else policy.newest


def remaining(
    connection: Connection, uscc: str, *, on: date | None = None, choices: Mapping[str, str] | None = None
) -> list[Room]:
    """What every cap leaves an enterprise, under the versions in force on a day and the choices given.

    Caps that a choice puts out of force are not listed. Raises PolicyError for an unknown option.
    """
    held = held_by_programme(applications_of(connection, [uscc]).get(uscc, []))
    found = []
    for policy in programmes():
        version = _in_force(load_policy(policy), on)
        full = version.full_choices(version.own_choices(choices or {}))
        found += [Room(policy, cap.amount, cap.used(held), cap.article) for cap in caps_of(policy, version, full)]
    return found


def _in_force(policy: Policy, on: date | None) -> Version:
    return policy.newest if on is None else policy.on(on)[0]


def history(connection: Connection, uscc: str) -> list[Event]:
    """Everything that was ever entered for an enterprise, in the order in which it was entered."""
    act, ground, application, source = schema.act, schema.ground, schema.application, schema.source
    common = (
        act.c.id, act.c.kind, act.c.day, act.c.operator, act.c.document, act.c.reason, application.c.policy,
        application.c.batch, ground.c.version, ground.c.pack_hash, ground.c.choices, act.c.source, source.c.name,
    )  # fmt: skip
    events: list[tuple[int, int, Event]] = []
    for order, table in enumerate((schema.step, schema.entry)):
        rows = connection.execute(
            select(table, *(column.label(f"x_{column.table.name}_{column.name}") for column in common))
            .join(application, application.c.id == table.c.application_id)
            .join(act, act.c.id == table.c.act_id)
            .join(ground, ground.c.id == table.c.ground_id)
            .join(source, source.c.sha256 == act.c.source, isouter=True)
            .where(application.c.uscc == uscc)
        )
        for row in rows.mappings():
            step = order == 0
            events.append((
                row["act_id"], order * 10**12 + row["id"],
                Event(
                    row["act_id"], row["x_act_kind"], row["x_act_day"], row["x_act_operator"], row["x_act_document"],
                    row["x_act_reason"], row["x_application_policy"], row["x_application_batch"],
                    _step_text(row["x_application_policy"], row) if step else _entry_text(row),
                    None if step else row["fen"], row["x_source_name"] or "", row["x_act_source"] or "",
                    row["x_ground_version"], row["x_ground_pack_hash"], row["x_ground_choices"],
                ),
            ))  # fmt: skip
    return [event for _, _, event in sorted(events, key=lambda found: found[:2])]


def _step_text(policy: str, row: RowMapping) -> str:
    states = states_of(load_policy(policy).version(str(row["x_ground_version"])))
    step = states.transitions.get(str(row["transition"]))
    label = step.label if step else str(row["transition"])
    way = f"{states.label(str(row['from_state']))} → {states.label(str(row['to_state']))}"
    return f"{label}：{way}" if row["corrects"] is None else f"撤回“{label}”（更正第{row['corrects']}步）：{way}"


_ENTRY_LABELS = {schema.GRANT: "登记", schema.CORRECTION: "更正", schema.RELEASE: "收回或取消"}


def _entry_text(row: RowMapping) -> str:
    what = _ENTRY_LABELS[str(row["kind"])]
    return what if row["corrects"] is None else f"{what}（第{row['corrects']}号）"
