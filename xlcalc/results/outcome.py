"""What an evaluation yields: an outcome made of steps, findings and the choices that mattered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from xlcalc.values.money import Money

Status = Literal["determined", "not_determined", "not_eligible", "not_in_force"]
Severity = Literal["block", "warn", "info", "human"]
Basis = Literal["quoted", "secondary", "assumed"]

_STRENGTH: Mapping[Basis, int] = {"quoted": 0, "secondary": 1, "assumed": 2}


def weakest(*bases: Basis) -> Basis:
    """The weakest of several bases: a result is no surer than the least sure value in it."""
    return max(bases, key=_STRENGTH.__getitem__, default="quoted")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person must know; ``block`` stops payment, ``human`` waits for a person's decision.

    clause: the article as the document numbers it, or None. where: ``sheet!cell`` once known.
    fact: the input it is about, by which a workbook finds the cell.
    """

    code: str
    severity: Severity
    message: str
    clause: str | None = None
    where: str | None = None
    fact: str | None = None
    differs: tuple[str, str] | None = None

    def as_dict(self) -> dict[str, str | None]:
        """The finding as in ``xlcalc.outcome/1``; what differs is there only where something does."""
        differing = dict(zip(("stored", "computed"), self.differs or (), strict=False))
        return {
            "code": self.code,
            "severity": self.severity,
            "clause": self.clause,
            "message": self.message,
            "where": self.where,
            **differing,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """What one mechanism did: its inputs, its output, the sentence that derives it, the clauses behind it.

    ``results`` are public results by key; ``details`` are intermediate values that templates also show;
    ``unchecked``: labels of what was not given and so was neither found right nor wrong.
    """

    mechanism: str
    kind: str
    label: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    basis: Basis = "quoted"
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """An interpretation under which a result was computed, and what its other options would give."""

    id: str
    question: str
    chosen: str
    label: str
    default: bool
    alternatives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attested:
    """A condition that rests on a person's word."""

    fact: str
    label: str
    clause: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one policy for one enterprise.

    ``payable`` is fen: the money of ``results`` when determined, 0 when not eligible or not in force,
    None when not determined or where the policy pays nothing.
    """

    policy: str
    policy_label: str
    version: str
    pack_hash: str
    library: str
    status: Status
    results: Mapping[str, Any]
    payable: Money | None
    missing: tuple[str, ...]
    attested: tuple[Attested, ...]
    findings: tuple[Finding, ...]
    choices: tuple[Choice, ...]
    basis: Basis
    steps: tuple[Step, ...]
    application_date: date | None = None

    def detail(self, key: str) -> Any:
        """A public result or an intermediate value by key; None where there is none."""
        if key in self.results:
            return self.results[key]
        return next((step.details[key] for step in self.steps if key in step.details), None)
