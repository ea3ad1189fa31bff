"""The versioned JSON form of an outcome, ``xlcalc.outcome/1``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from typing import Any

from xlcalc.results.outcome import Outcome, Step
from xlcalc.values.money import Money

_PLAIN = frozenset({str, bool, int, type(None)})


def plain(value: Any) -> Any:
    """A value as JSON can hold it: exact decimals as text, money with fen and 元, levels as 0–4."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Money):
        return value.as_dict()
    if isinstance(value, IntEnum):
        return int(value)
    if isinstance(value, Fraction):
        return decimal_text(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def decimal_text(value: Fraction) -> str:
    """A score as decimal text: exact with up to three places, else rounded to six.

    >>> decimal_text(Fraction(193, 4)), decimal_text(Fraction(40)), decimal_text(Fraction(15, 7))
    ('48.25', '40', '2.142857')
    """
    places = 3 if (value * 1000).denominator == 1 else 6
    text = f"{Decimal(round(value * 10**places)).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def outcome_dict(outcome: Outcome) -> dict[str, Any]:
    """The outcome as the ``xlcalc.outcome/1`` document."""
    return {
        "format": "xlcalc.outcome/1",
        "policy": outcome.policy,
        "version": outcome.version,
        "pack_hash": outcome.pack_hash,
        "library": outcome.library,
        "application_date": plain(outcome.application_date),
        "status": outcome.status,
        "results": plain(outcome.results),
        "payable": plain(outcome.payable),
        "missing": list(outcome.missing),
        "attested": [{"fact": a.fact, "label": a.label, "clause": a.clause} for a in outcome.attested],
        "findings": [finding.as_dict() for finding in outcome.findings],
        "choices": [
            {"id": choice.id, "chosen": choice.chosen, "alternatives": plain(choice.alternatives)}
            for choice in outcome.choices
        ],
        "basis": outcome.basis,
        "steps": [_step_dict(step) for step in outcome.steps],
    }


def _step_dict(step: Step) -> dict[str, Any]:
    return {
        "mechanism": step.mechanism,
        "kind": step.kind,
        "label": step.label,
        "inputs": plain(step.inputs),
        "results": plain(step.results),
        "sentences": list(step.sentences),
        "clauses": list(step.clauses),
        "basis": step.basis,
        "unchecked": list(step.unchecked),
    }
