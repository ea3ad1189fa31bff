"""Figures a document asks for without saying how high they must be (指标): computed exactly and shown, never judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.mechanisms.base import Context, fen
from xlcalc.mechanisms.measures import Measure, compile_measure, measure_facts, measured, unit_of
from xlcalc.results.outcome import Step, weakest
from xlcalc.results.trace import decimal_text
from xlcalc.values.money import Money

KIND = "indicators"


class Against(TypedDict):
    """The indicator another is compared with, and what it is called in the sentence (上年, 改造前)."""

    key: str
    label: str


class Indicator(TypedDict):
    """plus − minus, over another measure where there is one; ``unit``: «%» for a share, else as it is shown.

    per: the amount of money for which is counted, such as 10万元. features: the clauses it carries; it has no finding.
    """

    key: str
    label: str
    clause: str
    features: list[str]
    unit: str
    plus: Measure
    minus: NotRequired[Measure]
    over: NotRequired[Measure]
    per: NotRequired[str]
    against: NotRequired[Against]


class Data(TypedDict):
    """What a pack says of indicators."""

    kind: Literal["indicators"]
    key: str
    label: str
    indicators: list[Indicator]


@dataclass(frozen=True, slots=True)
class CompiledIndicator:
    """scale: by what the quotient of the measures is multiplied, as money is measured in fen."""

    key: str
    label: str
    clause: str
    unit: str
    plus: Mapping[str, Any]
    minus: Mapping[str, Any] | None
    over: Mapping[str, Any] | None
    scale: Fraction
    against: Against | None

    def measures(self) -> list[Mapping[str, Any]]:
        """All measures of the indicator."""
        return [measure for measure in (self.plus, self.minus, self.over) if measure is not None]

    def value(self, facts: Mapping[str, Any]) -> Fraction | None:
        """The figure, exactly; None while a fact or a cell is missing, and where it would be divided by 0."""
        parts = []
        for measure in self.measures():
            interval = measured(measure, facts)
            if interval is None or interval.least != interval.most:
                return None
            parts.append(interval.least)
        whole = parts.pop() if self.over is not None else Fraction(1)
        if not whole:
            return None
        return (parts[0] - sum(parts[1:])) / whole * self.scale

    def show(self, value: Fraction) -> str:
        """The figure with its unit."""
        return f"{decimal_text(value * 100)}%" if self.unit == "%" else f"{decimal_text(value)} {self.unit}"


@dataclass(frozen=True, slots=True)
class Indicators:
    """Each figure that can be computed is shown, and how it differs from the one it is compared with."""

    pays: ClassVar[str | None] = None
    key: str
    label: str
    indicators: tuple[CompiledIndicator, ...]

    def facts(self) -> list[str]:
        """The facts all figures look at."""
        found = [name for row in self.indicators for measure in row.measures() for name in measure_facts(measure)]
        return list(dict.fromkeys(found))

    def evaluate(self, context: Context) -> Step:
        """A sentence for each figure; those that cannot be computed are named and hold nothing up."""
        known = context.known
        values = {row.key: value for row in self.indicators if (value := row.value(known)) is not None}
        shown = [row for row in self.indicators if row.key in values]
        return Step(
            self.key, KIND, self.label,
            inputs={name: known.get(name) for name in self.facts()}, details={"indicators": values},
            sentences=tuple(
                f"{row.label}：{row.show(values[row.key])}{_change(row, values)}（{context.article(row.clause)}）"
                for row in shown
            ),
            clauses=tuple(dict.fromkeys(row.clause for row in shown)),
            basis=weakest(*(context.basis(row.clause) for row in shown)),
            unchecked=tuple(row.label for row in self.indicators if row.key not in values),
        )  # fmt: skip


def _change(row: CompiledIndicator, values: Mapping[str, Fraction]) -> str:
    if row.against is None or row.against["key"] not in values:
        return ""
    change = values[row.key] - values[row.against["key"]]
    by = f"{decimal_text(abs(change) * 100)} 个百分点" if row.unit == "%" else row.show(abs(change))
    return f"，比{row.against['label']}{'持平' if not change else '提高 ' + by if change > 0 else '下降 ' + by}"


def compile_data(data: Data) -> Indicators:
    """Checks that every figure is made of measures that exist, and is compared with one of the same list."""
    where = data["key"]
    keys = [row["key"] for row in data["indicators"]]
    for row in data["indicators"]:
        if "against" in row and row["against"]["key"] not in keys:
            raise PackError(
                "E-PACK-INDICATOR", f"没有指标“{row['against']['key']}”", where=f"{where}.{row['key']}.against",
                remedy=f"可用：{'、'.join(keys)}",
            )  # fmt: skip
    rows = tuple(_compiled(row, f"{where}.{row['key']}") for row in data["indicators"])
    return Indicators(where, data["label"], rows)


def _compiled(row: Indicator, where: str) -> CompiledIndicator:
    plus = compile_measure(row["plus"], f"{where}.plus")
    minus = compile_measure(row["minus"], f"{where}.minus") if "minus" in row else None
    over = compile_measure(row["over"], f"{where}.over") if "over" in row else None
    if minus is not None and _is_money(minus) != _is_money(plus):
        raise PackError("E-PACK-INDICATOR", "金额只能与金额相减", where=where, remedy="请换用单位相同的数量")
    return CompiledIndicator(
        row["key"], row["label"], row["clause"], row["unit"], plus, minus, over, _scale(plus, over, row, where),
        row.get("against"),
    )  # fmt: skip


def _scale(plus: Mapping[str, Any], over: Mapping[str, Any] | None, row: Indicator, where: str) -> Fraction:
    """Money above the line alone is shown in 元; below it alone, as so many for each ``per``."""
    above, below = _is_money(plus), over is not None and _is_money(over)
    if (below and not above) != ("per" in row):
        raise PackError(
            "E-PACK-INDICATOR", "分母为金额而分子不是金额的指标须写明 per，其余不写", where=where,
            remedy="请补上或删去 per，如“10万元”",
        )  # fmt: skip
    if above == below:
        return Fraction(1)
    return Fraction(1, Money.parse("1元").fen) if above else Fraction(fen(row["per"], f"{where}.per"))


def _is_money(measure: Mapping[str, Any]) -> bool:
    return unit_of(measure).type == "money"
