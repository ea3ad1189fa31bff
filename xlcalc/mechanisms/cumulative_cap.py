"""What remains under a cap per enterprise, given what it has had before (每家企业累计封顶)."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import TypedDict

from xlcalc.mechanisms.base import Context, fen, known_fact
from xlcalc.values.money import Money


class CapData(TypedDict):
    """``amount`` such as ``10万元``; ``counts``: the facts whose amounts use it up; empty ``counts`` and
    no effect when ``applies`` is false."""

    amount: str
    clause: str
    applies: bool
    counts: list[str]


@dataclass(frozen=True, slots=True)
class CumulativeCap:
    """amount in fen."""

    amount: int
    clause: str
    applies: bool
    counts: tuple[str, ...]

    def received(self, context: Context) -> int:
        """What counts against the cap so far, in fen; an unanswered amount is listed as missing and taken as none."""
        total = 0
        for fact_id in self.counts:
            before: Money | None = context.need(fact_id)
            total += before.fen if before else 0
        return total

    def remaining(self, received: int) -> int | None:
        """What may still be paid, in fen; None where the cap does not apply."""
        return max(self.amount - received, 0) if self.applies else None

    def sentence(self, wanted: int, received: int, context: Context) -> str:
        """How the cap bore on an amount of ``wanted`` fen."""
        room = self.remaining(received)
        if room is None:
            return ""
        article = context.article(self.clause)
        had = f"此前已享受 {Money(received)}，" if received else ""
        if wanted <= room:
            return f"{had}未超过每家企业上限 {Money(self.amount)}（{article}）"
        return f"{had}每家企业上限 {Money(self.amount)}，本次最多 {Money(room)}（{article}）"


def compile_cap(data: CapData, where: str) -> CumulativeCap:
    """The cap as a pack states it."""
    for name in data["counts"]:
        known_fact(name, "money", f"{where}.counts")
    return CumulativeCap(fen(data["amount"], f"{where}.amount"), data["clause"], data["applies"], tuple(data["counts"]))
