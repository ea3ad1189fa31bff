"""Measures held against a number, against each other or as a ratio: met, failed, or open while a cell is empty."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from typing_extensions import TypedDict

from xlcalc.errors import InputError, PackError
from xlcalc.mechanisms.base import share
from xlcalc.mechanisms.measures import (
    Interval,
    Measure,
    compile_measure,
    describe_measure,
    exact_number,
    measured,
    show_number,
    unit_of,
)
from xlcalc.values.money import percent


class MeasuredBound(TypedDict):
    """A measure (how many rows, how many ticks, which sum) and the number it is compared with."""

    of: Measure
    value: int | str


class RatioBound(TypedDict):
    """part ÷ whole, compared exactly and unrounded: 89.9…% is not 90%. A whole of 0 decides nothing."""

    part: Measure
    whole: Measure
    value: str


_BOUNDS = ("measured_at_least", "measured_at_most")
_BETWEEN = {"measured_same": "=", "measured_not_above": "≤"}
COMPARISONS = (*_BOUNDS, "ratio_at_least", *_BETWEEN)
"""The tests this module decides; the rest stand in conditions.py."""


def compared(kind: str, body: Any) -> list[Mapping[str, Any]]:
    """The measures a comparison looks at."""
    if kind in _BOUNDS:
        return [body["of"]]
    return [body["part"], body["whole"]] if kind == "ratio_at_least" else list(body)


def compare(kind: str, body: Any, facts: Mapping[str, Any]) -> bool | None:
    """The verdict; None while a missing fact or an empty cell could still turn it."""
    found = [measured(measure, facts) for measure in compared(kind, body)]
    known = [interval for interval in found if interval is not None]
    if len(known) < len(found):
        return None
    if kind in _BOUNDS:
        bound = Interval(body["value"], body["value"])
        return _not_above(bound, known[0]) if kind == "measured_at_least" else _not_above(known[0], bound)
    one, other = known
    if kind == "ratio_at_least":
        return _reaches(one, other, body["value"])
    return _not_above(one, other) if kind == "measured_not_above" else _same(one, other)


def _not_above(one: Interval, other: Interval) -> bool | None:
    return True if one.most <= other.least else False if one.least > other.most else None


def _same(one: Interval, other: Interval) -> bool | None:
    if one.least > other.most or other.least > one.most:
        return False
    return True if one.exact and other.exact else None


def _reaches(part: Interval, whole: Interval, bound: Fraction) -> bool | None:
    if whole.least > 0 and part.least >= bound * whole.most:
        return True
    return False if whole.least > 0 and part.most < bound * whole.least else None


def open_measures(kind: str, body: Any, facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Of an undecided comparison, the measures that keep it open; of 0 ÷ 0, the whole."""
    measures = compared(kind, body)
    found = [measure for measure in measures if (interval := measured(measure, facts)) is None or not interval.exact]
    return found or measures[-1:]


def ratio_of(body: Mapping[str, Any], facts: Mapping[str, Any]) -> Fraction | None:
    """part ÷ whole where both are known; None else, and for a whole of 0."""
    part, whole = measured(body["part"], facts), measured(body["whole"], facts)
    if part is None or whole is None or not (part.exact and whole.exact and whole.least):
        return None
    return part.least / whole.least


def told(kind: str, body: Any, facts: Mapping[str, Any]) -> list[str]:
    """What was measured, in Chinese, for the sentence of a comparison that is open or failed."""
    return [
        f"{describe_measure(measure)}：{_show(interval, measure)}"
        for measure in compared(kind, body)
        if (interval := measured(measure, facts)) is not None
    ]


def _show(interval: Interval, measure: Mapping[str, Any]) -> str:
    least = show_number(interval.least, measure)
    if interval.exact:
        return least
    if interval.bounded:
        return f"{least} 至 {show_number(interval.most, measure)}"
    return f"至少 {least}" if interval.least >= 0 else "尚不能确定"


def describe_comparison(kind: str, body: Any) -> str:
    """What a comparison demands, in Chinese."""
    said = [describe_measure(measure) for measure in compared(kind, body)]
    if kind == "ratio_at_least":
        return f"{said[0]} ÷ {said[1]} 不低于 {percent(body['value'])}"
    if kind in _BETWEEN:
        return f"{said[0]} {_BETWEEN[kind]} {said[1]}"
    sign = "不少于" if kind == "measured_at_least" else "不超过"
    return f"{said[0]}{sign}{show_number(body['value'], body['of'])}"


def compile_comparison(kind: str, body: Any, where: str) -> Any:
    """Checks the measures; the number becomes exact and in the measure's own terms."""
    if kind in _BOUNDS:
        of = compile_measure(body["of"], f"{where}.of")
        return {"of": of, "value": _number(of, body["value"], where)}
    if kind == "ratio_at_least":
        parts = {name: compile_measure(body[name], f"{where}.{name}") for name in ("part", "whole")}
        _check_alike(list(parts.values()), where)
        return {**parts, "value": share(body["value"], where)}
    if len(body) != 2:
        raise PackError("E-PACK-TEST", f"{kind} 比较两个数量", where=where, remedy="请写两个数量")
    measures = [compile_measure(measure, f"{where}.{place}") for place, measure in enumerate(body)]
    _check_alike(measures, where)
    return measures


def _check_alike(measures: list[Mapping[str, Any]], where: str) -> None:
    """Money is compared with money: fen would otherwise be held against a count."""
    money = [unit_of(measure).type == "money" for measure in measures]
    if any(money) and not all(money):
        raise PackError("E-PACK-MEASURE", "金额只能与金额比较", where=where, remedy="请换用单位相同的数量")


def _number(of: Mapping[str, Any], value: int | str, where: str) -> Fraction:
    """The number in the measure's own terms: an amount with its unit becomes fen."""
    known = unit_of(of)
    try:
        counted = known.type in ("table", "options")
        return Fraction(int(value)) if counted else exact_number(known.parse(value))
    except (InputError, ValueError) as error:
        raise PackError(
            "E-PACK-TEST", f"“{value}”不能与所测的数量比较", where=where, remedy="请写成整数或带单位的金额"
        ) from error
