"""Numbers that conditions compare: a fact's own value, the ticks of a list, the rows of a table.

What a table leaves open makes a measure an interval: a row whose deciding cell is empty may count or may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.facts import Fact, catalogue, fact
from xlcalc.mechanisms.base import known_fact
from xlcalc.mechanisms.text_tests import check_text, describe_text, fits
from xlcalc.values.dates import chinese_date, parse_date
from xlcalc.values.money import Money, percent
from xlcalc.values.text import squeeze

_NUMERIC = ("integer", "number", "share", "money", "level")
_ANYTHING = 10**17


class Days(TypedDict):
    """A date column and the days between which its rows count, both inclusive; an end may be a fact."""

    column: str
    first: NotRequired[date | str]
    last: NotRequired[date | str]
    first_fact: NotRequired[str]
    last_fact: NotRequired[str]


class LastYear(TypedDict):
    """A column of years and the date whose preceding calendar year is meant (上一年度)."""

    column: str
    of: str


class Measure(TypedDict):
    """Of a fact: its number, or how many options are ticked (``among``: of these). Of a table: its rows.

    distinct: each value of this column counts once. where: column -> the values that count; where_any: one of these
    columns is enough. unlike: column -> the fact it must differ from. form: column -> the form of text it must have.
    days: a window for a date column. last_year: only rows of the calendar year before. total: the sum of this column
    instead of a count.
    """

    fact: NotRequired[str]
    among: NotRequired[list[str]]
    table: NotRequired[str]
    distinct: NotRequired[str]
    where: NotRequired[dict[str, list[str | bool]]]
    where_any: NotRequired[dict[str, list[str | bool]]]
    unlike: NotRequired[dict[str, str]]
    form: NotRequired[dict[str, str]]
    days: NotRequired[Days]
    last_year: NotRequired[LastYear]
    total: NotRequired[str]


@dataclass(frozen=True, slots=True)
class Interval:
    """The least and the greatest the measure can be, once what is missing is known."""

    least: Fraction
    most: Fraction

    @property
    def exact(self) -> bool:
        """Whether nothing is missing any more."""
        return self.least == self.most

    @property
    def bounded(self) -> bool:
        """Whether there is a greatest it can be: an amount that is missing can be anything."""
        return self.most - self.least < _ANYTHING


def measure_facts(measure: Mapping[str, Any]) -> list[str]:
    """The facts a measure looks at, the table or fact first."""
    found = [measure["fact"] if "fact" in measure else measure["table"], *measure.get("unlike", {}).values()]
    days = measure.get("days", {})
    found += [days[end] for end in ("first_fact", "last_fact") if end in days]
    return found + ([measure["last_year"]["of"]] if "last_year" in measure else [])


def measured(measure: Mapping[str, Any], facts: Mapping[str, Any]) -> Interval | None:
    """The measure under the facts; None where its fact or table is missing."""
    value = facts.get(measure["fact"] if "fact" in measure else measure["table"])
    if value is None:
        return None
    if "table" in measure:
        return _of_rows(measure, value, facts)
    if isinstance(value, tuple) and not isinstance(value, Money):
        wanted = measure.get("among")
        value = sum(map(bool, value)) if wanted is None else sum(code in wanted for code in value)
    exact = exact_number(value)
    return Interval(exact, exact)


def exact_number(value: Any) -> Fraction:
    """A number, an amount (in fen) or a share, exactly."""
    return Fraction(value.fen) if isinstance(value, Money) else Fraction(value)


def _of_rows(measure: Mapping[str, Any], rows: Any, facts: Mapping[str, Any]) -> Interval:
    # A row in which nothing is filled is no entry.
    verdicts = [(row, _counts(measure, row, facts)) for row in rows if row]
    if "total" in measure:
        return _summed(fact(measure["table"]).columns[measure["total"]], verdicts)
    certain = [row for row, verdict in verdicts if verdict]
    open_rows = sum(verdict is None for _, verdict in verdicts)
    name = measure.get("distinct")
    if name is not None:
        open_rows += sum(name not in row for row in certain)
        count = len({_alike(row[name]) for row in certain if name in row})
    else:
        count = len(certain)
    return Interval(Fraction(count), Fraction(count + open_rows))


def _alike(value: Any) -> Any:
    return squeeze(value).upper() if isinstance(value, str) else value


def _summed(column: Fact, verdicts: list[tuple[Any, bool | None]]) -> Interval:
    """A row that may not count, or whose amount is missing, leaves the sum open; counts and money are never below 0."""
    least = most = Fraction(0)
    for row, verdict in verdicts:
        if verdict is False:
            continue
        if column.id not in row:
            most += _ANYTHING
            least -= 0 if column.type in ("money", "integer") else _ANYTHING
            continue
        amount = exact_number(row[column.id])
        least += amount if verdict else min(amount, Fraction(0))
        most += amount if verdict else max(amount, Fraction(0))
    return Interval(least, most)


def _counts(measure: Mapping[str, Any], row: Mapping[str, Any], facts: Mapping[str, Any]) -> bool | None:
    """Whether a row counts; None while an empty cell or a missing fact could still decide."""
    verdicts: list[bool | None] = []
    for name, values in measure.get("where", {}).items():
        verdicts.append(None if name not in row else row[name] in values)
    if "where_any" in measure:
        verdicts.append(_any_of(measure["where_any"], row))
    for name, other in measure.get("unlike", {}).items():
        given = facts.get(other)
        verdicts.append(None if name not in row or given is None else _alike(row[name]) != _alike(given))
    for name, form in measure.get("form", {}).items():
        verdicts.append(None if name not in row else fits(row[name], {"form": form}))
    if "days" in measure:
        verdicts.append(_within(measure["days"], row, facts))
    if "last_year" in measure:
        verdicts.append(in_last_year(row.get(measure["last_year"]["column"]), facts.get(measure["last_year"]["of"])))
    return False if False in verdicts else None if None in verdicts else True


def _any_of(wanted: Mapping[str, Any], row: Mapping[str, Any]) -> bool | None:
    verdicts = [None if name not in row else row[name] in values for name, values in wanted.items()]
    return True if True in verdicts else None if None in verdicts else False


def in_last_year(year: int | None, day: date | None) -> bool | None:
    """Whether a year is the one before a day's; None while either is missing."""
    return None if year is None or day is None else year == day.year - 1


def _within(days: Mapping[str, Any], row: Mapping[str, Any], facts: Mapping[str, Any]) -> bool | None:
    day = row.get(days["column"])
    if day is None:
        return None
    open_end = False
    for end, fact_id in (("first", "first_fact"), ("last", "last_fact")):
        bound = facts.get(days[fact_id]) if fact_id in days else days.get(end)
        if bound is None:
            open_end |= fact_id in days
        elif (day < bound) if end == "first" else (day > bound):
            return False
    return None if open_end else True


def describe_measure(measure: Mapping[str, Any]) -> str:
    """What is measured, in Chinese."""
    if "fact" in measure:
        known = fact(measure["fact"])
        if "among" in measure:
            listed = "、".join(known.show((code,)) for code in measure["among"])
            return f"{known.label}（{listed}）的项数"
        return f"{known.label}的项数" if known.type == "options" else known.label
    table = fact(measure["table"])
    noted = _conditions(measure, table)
    if "total" in measure:
        return f"{table.label}{noted}的{table.columns[measure['total']].label}合计"
    if "distinct" in measure:
        return f"{table.label}{noted}的不同{table.columns[measure['distinct']].label}个数"
    return f"{table.label}{noted}的行数"


def _conditions(measure: Mapping[str, Any], table: Fact) -> str:
    said = [_values(table.columns[name], values) for name, values in measure.get("where", {}).items()]
    either = [_values(table.columns[name], values) for name, values in measure.get("where_any", {}).items()]
    said += ["，或".join(either)] if either else []
    said += [
        f"{table.columns[name].label}不同于{fact(other).label}" for name, other in measure.get("unlike", {}).items()
    ]
    said += [describe_text({"form": form}, table.columns[name].label) for name, form in measure.get("form", {}).items()]
    if "days" in measure:
        said.append(f"{table.columns[measure['days']['column']].label}{describe_window(measure['days'])}")
    if "last_year" in measure:
        last = measure["last_year"]
        said.append(f"{table.columns[last['column']].label}为{fact(last['of']).label}的上一年度")
    return f"（{'；'.join(said)}）" if said else ""


def describe_window(body: Mapping[str, Any]) -> str:
    """A window of days in Chinese; an end may be a fact."""
    first, last = (
        fact(body[f"{end}_fact"]).label if f"{end}_fact" in body else chinese_date(body[end]) if end in body else ""
        for end in ("first", "last")
    )
    if first and last:
        return f"在 {first} 至 {last} 之间（含当日）"
    return f"不早于 {first}" if first else f"不晚于 {last}"


def _values(column: Fact, values: list[Any]) -> str:
    return f"{column.label}为{'或'.join(column.show(value) for value in values)}"


def compile_measure(measure: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Checks a measure against the catalogue; window ends become days."""
    if ("fact" in measure) == ("table" in measure):
        raise PackError("E-PACK-MEASURE", "须写明 fact 或 table 之一", where=where, remedy="请只保留一个")
    if "fact" in measure:
        _check_fact(measure, where)
        return dict(measure)
    known_fact(measure["table"], "table", where)
    table = fact(measure["table"])
    if "distinct" in measure and "total" in measure:
        raise PackError("E-PACK-MEASURE", "distinct 计数，total 求和，只能取其一", where=where, remedy="请只保留一个")
    for name, types in _columns(measure):
        column = table.columns.get(name)
        if column is None:
            raise PackError(
                "E-PACK-MEASURE", f"表“{table.id}”没有“{name}”这一列", where=where,
                remedy=f"可用的列：{'、'.join(table.columns)}",
            )  # fmt: skip
        if types and column.type not in types:
            raise PackError(
                "E-PACK-MEASURE", f"列“{name}”的类型是 {column.type}，不能这样用", where=where,
                remedy=f"须为 {'、'.join(types)}",
            )  # fmt: skip
    for name, values in [*measure.get("where", {}).items(), *measure.get("where_any", {}).items()]:
        _check_values(table.columns[name], values, where)
    for name, form in measure.get("form", {}).items():
        check_text({"fact": name, "form": form}, table.columns[name], where)
    for other in measure.get("unlike", {}).values():
        _known(other, where)
    if "last_year" in measure:
        known_fact(measure["last_year"]["of"], "date", where)
    if "days" not in measure:
        return dict(measure)
    days = measure["days"]
    for end in ("first_fact", "last_fact"):
        if end in days:
            known_fact(days[end], "date", where)
    return {**measure, "days": {**days, **{end: parse_date(days[end]) for end in ("first", "last") if end in days}}}


def _columns(measure: Mapping[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    """The columns a measure names, and the types each may have (any, where there are none)."""
    named: list[tuple[str, tuple[str, ...]]] = [
        (name, ("option", "bool")) for key in ("where", "where_any") for name in measure.get(key, {})
    ]
    named += [(name, ()) for key in ("unlike", "form") for name in measure.get(key, {})]
    named += [(measure["distinct"], ())] if "distinct" in measure else []
    named += [(measure["total"], _NUMERIC)] if "total" in measure else []
    named += [(measure["days"]["column"], ("date",))] if "days" in measure else []
    return named + ([(measure["last_year"]["column"], ("integer",))] if "last_year" in measure else [])


def _check_fact(measure: Mapping[str, Any], where: str) -> None:
    known = _known(measure["fact"], where)
    if known.type not in (*_NUMERIC, "options", "table"):
        raise PackError(
            "E-PACK-MEASURE",
            f"事实“{known.id}”的类型是 {known.type}，没有数量",
            where=where,
            remedy="请换用数值、多选或表",
        )
    unknown = [code for code in measure.get("among", ()) if code not in known.options]
    if unknown:
        raise PackError("E-PACK-FACT", f"事实“{known.id}”没有选项 {unknown}", where=where, remedy="请核对选项代码")


def _check_values(column: Fact, values: list[Any], where: str) -> None:
    unknown = [value for value in values if value not in (column.options or (True, False))]
    if unknown:
        raise PackError("E-PACK-FACT", f"列“{column.id}”没有取值 {unknown}", where=where, remedy="请核对选项代码")


def _known(name: str, where: str) -> Fact:
    if name not in catalogue():
        known_fact(name, "", where)
    return fact(name)


def show_number(value: Fraction, measure: Mapping[str, Any] | None = None) -> str:
    """A measured number as Chinese text shows it: an amount in 元, a fraction that does not end as a fraction.

    >>> show_number(Fraction(8)), show_number(Fraction(5, 2)), show_number(Fraction(1, 3))
    ('8', '2.5', '1/3')
    """
    kind = unit_of(measure).type if measure else ""
    if kind == "money":
        return str(Money(value.numerator))
    if kind == "share":
        return percent(value)
    if value.denominator == 1:
        return str(value.numerator)
    decimal = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{decimal:f}" if Fraction(decimal) == value else f"{value.numerator}/{value.denominator}"


def unit_of(measure: Mapping[str, Any]) -> Fact:
    """The fact or column whose kind the measured number has."""
    if "total" in measure:
        return fact(measure["table"]).columns[measure["total"]]
    return fact(measure["fact"] if "fact" in measure else measure["table"])
