"""What a cap of a pack leaves, counted over everything the ledger has entered for an enterprise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbooks.ledger.programmes import programme
from xlcalc.mechanisms.cumulative_cap import CumulativeCap
from xlcalc.packs.policy import Version
from xlcalc.values.money import Money

if TYPE_CHECKING:
    from workbooks.ledger.acts import Ground
    from workbooks.ledger.applications import Application
    from workbooks.ledger.errors import LedgerError


@dataclass(frozen=True)
class Cap:
    """A cap per enterprise as a pack states it; amount in fen.

    counts: the programmes whose entries use it up; facts: the inputs that say what was had of each, in the same order.
    """

    policy: str
    amount: int
    article: str
    counts: tuple[str, ...]
    facts: tuple[str, ...]

    def used(self, held: Mapping[str, int]) -> int:
        """What of it is used, given what an enterprise holds by programme, in fen."""
        return sum(held.get(policy, 0) for policy in self.counts)


def caps_of(policy: str, version: Version, choices: Mapping[str, str]) -> list[Cap]:
    """The caps in force for a programme under complete choices."""
    sources = {answer.fact: answer.of for answer in programme(policy).answers}
    found = [getattr(mechanism, "cap", None) for mechanism in version.mechanisms(choices)]
    return [
        Cap(
            policy, cap.amount, version.clauses[cap.clause].article,
            tuple(sources[fact] for fact in cap.counts), cap.counts,
        )
        for cap in found
        if isinstance(cap, CumulativeCap) and cap.applies
    ]  # fmt: skip


def held_by_programme(applications: Iterable[Application]) -> dict[str, int]:
    """What an enterprise holds by programme, in fen."""
    held: dict[str, int] = {}
    for item in applications:
        held[item.policy] = held.get(item.policy, 0) + item.fen
    return held


def caps_now(ground: Ground) -> list[Cap]:
    """The caps of a ground; a pack that was put right since is taken as it is now."""
    return caps_of(ground.policy, ground.version_now(), ground.readings_now())


def exceeded(held: Mapping[str, int], caps: Iterable[Cap]) -> list[str]:
    """A sentence for each cap that what an enterprise holds by programme is above."""
    return [
        f"累计 {Money(used)}，超过每家企业上限 {Money(cap.amount)}（{cap.article}）"
        for cap in caps
        if (used := cap.used(held)) > cap.amount
    ]


def within_caps(held: Mapping[str, int], caps: Sequence[Cap], refusal: Callable[[str], LedgerError]) -> None:
    """Raises what ``refusal`` makes of the sentence unless what an enterprise holds by programme keeps every cap."""
    for what in exceeded(held, caps):
        raise refusal(what)
