"""What is told of a result in the cells left for us: its verdict, its reasons, its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from workbooks.files.rawbook import Value
from xlcalc.results.explain import STATUS_LABELS, explain, fact_label
from xlcalc.results.outcome import Finding, Outcome
from xlcalc.values.money import Money

# Programs differ in the last digits of a binary number; money and scores need far fewer than fourteen.
_FOURTEEN_DIGITS = Context(prec=14)

CHOICES_AGREE = "公式所用参数与口径一致"
"""What 口径确认表 shows after a recalculation."""


def verdict(outcome: Outcome, findings: Sequence[Finding]) -> str:
    """One line for a table row: the status, what is payable, what is missing, what failed."""
    parts = [STATUS_LABELS[outcome.status]]
    if outcome.payable is not None and outcome.status == "determined":
        parts.append(f"可拨付 {outcome.payable}")
    blocks = [finding for finding in (*findings, *outcome.findings) if finding.severity == "block"]
    parts += [
        f"[{finding.code}] {finding.message}" + (f"（{finding.clause}）" if finding.clause else "")
        for finding in blocks
    ]
    if outcome.missing:
        parts.append("尚缺：" + "、".join(fact_label(name) for name in outcome.missing))
    parts += [f"[{finding.code}] {finding.message}" for finding in outcome.findings if finding.severity == "warn"]
    return "；".join(parts)[:2000]


def explanation(outcomes: Sequence[Outcome], findings: Sequence[Finding], lines: int) -> list[str]:
    """The 依据 sheet's lines: derivations, then findings with their cells; what does not fit is counted."""
    text = [line for outcome in outcomes for line in (*explain(outcome).splitlines(), "")]
    text += [f"[{finding.code}] {finding.where or ''} {finding.message}" for finding in findings]
    if len(text) > lines:
        rest = len(text) - lines + 1
        text = [*text[: lines - 1], f"…… 另有 {rest} 行，见运行报告"]
    return text + [""] * (lines - len(text))


def cell_value(value: Any) -> int | str | bool | Decimal | None:
    """A value as the patch route writes it: money in 元, scores as exact decimals (15 digits at most)."""
    if value is None or isinstance(value, str | int | Decimal):
        return value
    if isinstance(value, Money):
        return value.yuan
    if isinstance(value, Fraction):
        number = Decimal(value.numerator) / Decimal(value.denominator)
        return Decimal(format(number, ".15g"))
    raise TypeError(f"no cell value for {type(value).__name__}")


def choices_text(choices: Mapping[str, str]) -> str:
    """What the cell of ``k_choices`` shows: ``AMB-31=literal；AMB-01=combined``."""
    return "；".join(f"{key}={code}" for key, code in choices.items())


def same_result(stored: Any, fresh: int | str | bool | Decimal | None) -> bool:
    """Whether a stored value is the one computed, as far as programs agree on the digits of a number."""
    if isinstance(fresh, str) or fresh is None:
        return str(stored) == (fresh or "")
    try:
        number = Decimal(repr(stored) if isinstance(stored, float) else str(stored))
    except InvalidOperation:
        return False
    return _FOURTEEN_DIGITS.create_decimal(number) == _FOURTEEN_DIGITS.create_decimal(fresh)


def as_compared(value: Value) -> str:
    """A value as text, the same for all that ``same_result`` takes for the same."""
    text = f"{value:d}" if isinstance(value, bool) else "" if value is None else str(value)
    try:
        return str(_FOURTEEN_DIGITS.create_decimal(text).normalize())
    except InvalidOperation:
        return text
