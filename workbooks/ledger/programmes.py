"""What the ledger knows of each programme: its states as the pack lists them, and which facts its entries answer."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from workbooks.ledger.errors import LedgerError
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy

Gives = Literal["sum", "any", "items", "reached", "reached_on"]


@dataclass(frozen=True)
class Answer:
    """A fact the ledger answers, from the entries or the steps of programme ``of``."""

    fact: str
    of: str
    gives: Gives
    state: str = ""


@dataclass(frozen=True)
class Programme:
    """ends: states in which a grant no longer counts. pays: states not reached without one. timed: state -> 补正 …

    paid: the state in which the money has been paid out; issued: that in which a voucher was, "" where there is none.
    papers: the ``table`` of inputs that names ``invoice`` and ``contract``, and the columns for them.
    review: the steps ``pass`` and ``fail`` of a review by others, empty where the pack does not tell them apart.
    """

    policy: str
    ends: frozenset[str]
    pays: frozenset[str]
    timed: Mapping[str, str]
    papers: Mapping[str, str]
    paid: str
    issued: str
    review: Mapping[str, str]
    answers: tuple[Answer, ...]

    @property
    def asks_for_its_own(self) -> bool:
        """Whether one of its facts says what was had of it before, so that its rules can count it."""
        return any(answer.of == self.policy and answer.gives in ("sum", "any", "items") for answer in self.answers)


@dataclass(frozen=True)
class Transition:
    """A step a pack allows; ``by``: who takes it."""

    key: str
    label: str
    clause: str
    source: str
    target: str
    by: str
    reason_required: bool


@dataclass(frozen=True)
class States:
    """The states of a programme and the steps between them, as one version of its pack lists them."""

    labels: Mapping[str, str]
    transitions: Mapping[str, Transition]

    @property
    def first(self) -> str:
        """The state of an application of which nothing is known yet."""
        return next(iter(self.labels))

    def legal(self, state: str) -> list[Transition]:
        """The steps that lead out of a state."""
        return [item for item in self.transitions.values() if item.source == state]

    def label(self, state: str) -> str:
        """A state in Chinese."""
        return self.labels.get(state, state)


@cache
def programmes() -> Mapping[str, Programme]:
    """Every programme the ledger keeps, by policy."""
    data = tomllib.loads((Path(__file__).parent / "programmes.toml").read_text(encoding="utf-8"))
    return {policy: _programme(policy, row) for policy, row in data.items()}


def _programme(policy: str, row: Mapping[str, Any]) -> Programme:
    answers = tuple(Answer(fact, **found) for fact, found in row.get("facts", {}).items())
    return Programme(
        policy, frozenset(row["ends"]), frozenset(row["pays"]), row["timed"], row.get("papers", {}), row["paid"],
        row.get("issued", ""), row.get("review", {}), answers,
    )  # fmt: skip


def programme(policy: str) -> Programme:
    """A programme by its policy; raises LedgerError ``E-LEDGER-PROGRAMME`` for one the ledger does not keep."""
    found = programmes().get(policy)
    if found is None:
        kept = "、".join(programmes())
        raise LedgerError("E-LEDGER-PROGRAMME", f"台账不登记“{policy[:60]}”", remedy=f"可登记的政策：{kept}")
    return found


def states_of(version: Version) -> States:
    """The states and steps of a version of a pack, with the clause of each step."""
    roles = {row["key"]: row["label"] for row in version.data["role"]}
    transitions = {
        row["key"]: Transition(
            row["key"], row["label"], version.clauses[row["clause"]].article, row["source"], row["target"],
            roles.get(row.get("by") or "", ""), bool(row["reason_required"]),
        )
        for row in version.data["transition"]
    }  # fmt: skip
    return States({row["key"]: row["label"] for row in version.data["state"]}, transitions)


def pays_money(policy: str, version: Version, choices: Mapping[str, str]) -> bool:
    """Whether a policy has something to enter at all; an assessment alone has not."""
    return any(item.pays for item in version.mechanisms(choices)) and policy in programmes()


def label_of(policy: str) -> str:
    """The name of a programme."""
    return load_policy(policy).label
