"""Ratios a document demands or asks to be shown (比率要求): exact, compared unrounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.mechanisms.base import Context
from xlcalc.mechanisms.comparisons import ratio_of
from xlcalc.mechanisms.conditions import Seen, compile_test, decide, facts_of_test
from xlcalc.mechanisms.measures import Measure, describe_measure, measured, show_number
from xlcalc.results.outcome import Finding, Severity, Step, weakest
from xlcalc.results.trace import decimal_text

KIND = "ratio_threshold"


class Quotient(TypedDict):
    """part ÷ whole."""

    part: Measure
    whole: Measure


class Ratio(TypedDict):
    """``any``: readings of the ratio of which one has to reach the threshold; without a threshold it is only shown."""

    key: str
    label: str
    clause: str
    feature: str
    severity: Severity
    any: list[Quotient]
    threshold: NotRequired[str]


class Data(TypedDict):
    """What a pack says of ratios."""

    kind: Literal["ratio_threshold"]
    key: str
    label: str
    ratios: list[Ratio]


@dataclass(frozen=True, slots=True)
class CompiledRatio:
    """``test`` decides it: one branch a quotient, compared with the threshold, or with 0 where it is only shown."""

    key: str
    label: str
    clause: str
    feature: str
    severity: Severity
    threshold: str | None
    test: Mapping[str, Any]

    def quotients(self, facts: Mapping[str, Any]) -> list[tuple[str, Fraction]]:
        """(what was divided, ratio) for each reading that is known."""
        found = []
        for branch in self.test["any_of"]:
            body = branch["ratio_at_least"]
            ratio = ratio_of(body, facts)
            if ratio is not None:
                found.append((" ÷ ".join(_counted(body[name], facts) for name in ("part", "whole")), ratio))
        return found


@dataclass(frozen=True, slots=True)
class RatioThreshold:
    """Each ratio is computed from its counts or amounts; one below its threshold is a finding."""

    pays: ClassVar[str | None] = None
    key: str
    label: str
    ratios: tuple[CompiledRatio, ...]

    def facts(self) -> list[str]:
        """The facts all ratios look at."""
        return list(dict.fromkeys(name for ratio in self.ratios for name in facts_of_test(ratio.test)))

    def evaluate(self, context: Context) -> Step:
        """Findings for ratios below their threshold; a blocking ratio that cannot be computed is missing."""
        findings, sentences, clauses, unchecked = [], [], [], []
        shown: dict[str, Fraction] = {}
        basis = weakest()
        for ratio in self.ratios:
            seen = Seen()
            verdict = decide(ratio.test, context.known, seen)
            known = ratio.quotients(context.known)
            article = context.article(ratio.clause)
            said = "；".join(f"{what} = {_percent(value)}" for what, value in known)
            if known:
                shown[ratio.key] = max(value for _, value in known)
                sentences.append(f"{ratio.label}：{said}（{article}）")
                clauses.append(ratio.clause)
            if verdict is None and ratio.threshold and ratio.severity == "block":
                for name in seen.missing:
                    context.note_missing(name)
            elif verdict is None:
                unchecked.append(ratio.label)
            elif verdict is False:
                basis = weakest(basis, context.basis(ratio.clause))
                shown_as = said or "；".join(seen.notes)
                message = f"{ratio.label}未达到 {ratio.threshold}（{shown_as}）"
                about = facts_of_test(ratio.test)[0]
                findings.append(Finding(ratio.feature, ratio.severity, message, article, fact=about))
        return Step(
            self.key, KIND, self.label,
            inputs={name: context.known.get(name) for name in self.facts()}, details={"ratios": shown},
            sentences=tuple(sentences), clauses=tuple(dict.fromkeys(clauses)), findings=tuple(findings), basis=basis,
            unchecked=tuple(unchecked),
        )  # fmt: skip


def _counted(measure: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    """A measure and what it is, as «从业人数 10»."""
    found = measured(measure, facts)
    return f"{describe_measure(measure)} {show_number(found.least, measure)}" if found else describe_measure(measure)


def _percent(value: Fraction) -> str:
    return f"{decimal_text(value * 100)}%"


def compile_data(data: Data) -> RatioThreshold:
    """Checks that every ratio divides measures that exist."""
    where = data["key"]
    rows = []
    for row in data["ratios"]:
        if not row["any"]:
            raise PackError("E-PACK-MEASURE", "没有写明怎样算", where=f"{where}.{row['key']}", remedy="请补上 any")
        value = row.get("threshold", "0%")
        branches = [{"ratio_at_least": {**quotient, "value": value}} for quotient in row["any"]]
        test = compile_test({"any_of": branches}, f"{where}.{row['key']}")
        rows.append(
            CompiledRatio(
                row["key"], row["label"], row["clause"], row["feature"], row["severity"], row.get("threshold"), test
            )
        )
    return RatioThreshold(where, data["label"], tuple(rows))
