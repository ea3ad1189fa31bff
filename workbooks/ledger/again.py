"""What was granted by a programme in other batches, where no fact of the programme asks for it (再次享受)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from workbooks.ledger import schema
from workbooks.ledger.database import among
from workbooks.ledger.programmes import label_of, programme
from xlcalc.results.outcome import Finding
from xlcalc.values.money import Money


@dataclass(frozen=True)
class Elsewhere:
    """What an enterprise holds in another batch of a programme: fen, and the day of the decision that granted it."""

    batch: str
    fen: int
    day: date


def elsewhere(
    connection: Connection, policy: str, usccs: Iterable[str], batch: str, *, before: int | None = None
) -> dict[str, tuple[Elsewhere, ...]]:
    """What enterprises hold in other batches, by code; those without anything are left out.

    Empty for a programme whose own facts say what was had of it: there its rules judge. before: as it was before the
    act of that number.
    """
    if programme(policy).asks_for_its_own:
        return {}
    application, entry, act = schema.application, schema.entry, schema.act
    since, fen = func.min(act.c.day), func.sum(entry.c.fen)
    asked = (
        select(application.c.uscc, application.c.batch, since, fen)
        .join(entry, entry.c.application_id == application.c.id)
        .join(act, act.c.id == entry.c.act_id)
        .where(among(application.c.uscc, usccs), application.c.policy == policy, application.c.batch != batch)
        .group_by(application.c.uscc, application.c.batch)
        .having(fen > 0)
        .order_by(since, application.c.batch)
    )
    if before is not None:
        asked = asked.where(entry.c.act_id < before)
    found: dict[str, tuple[Elsewhere, ...]] = {}
    for uscc, named, day, total in connection.execute(asked).all():
        found[uscc] = (*found.get(uscc, ()), Elsewhere(named, int(total), day))
    return found


def told(policy: str, held: Sequence[Elsewhere]) -> str:
    """Where an enterprise holds money of a programme already, and what a person has to do; for who is about to grant.

    No document says by itself that a second grant is a double one, so nothing is taken off.
    """
    stands = "、".join(f"批次“{item.batch}”有 {Money(item.fen)}（{item.day} 登记）" for item in held)
    return (
        f"台账中此企业此前已享受“{label_of(policy)}”：{stands}。该政策没有可自动扣减的规定，本次金额未扣减。"
        "请核实是否重复享受：重复的不要登记，已登记的请用 xlcalc ledger correct 更正"
    )


def findings(policy: str, held: Sequence[Elsewhere]) -> list[Finding]:
    """The same as the finding ``E-LEDGER-AGAIN`` of a record."""
    return [Finding("E-LEDGER-AGAIN", "warn", told(policy, held))] if held else []
