"""The materials an application must contain (材料清单)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import InputError
from xlcalc.mechanisms.base import Context, known_fact
from xlcalc.mechanisms.conditions import Seen, Test, compile_test, decide, facts_of_test
from xlcalc.results.outcome import Finding, Severity, Step, weakest

KIND = "checklist"


class Item(TypedDict):
    """One material. copies: how many the document asks for. when: it is asked for only where this test holds."""

    key: str
    label: str
    clause: str
    feature: str
    severity: Severity
    copies: NotRequired[int]
    sealed: NotRequired[bool]
    when: NotRequired[Test]


class Data(TypedDict):
    """What a pack says of materials; ``fact``: the ticks, item key -> is it there, in full and as asked for."""

    kind: Literal["checklist"]
    key: str
    label: str
    fact: str
    items: list[Item]


@dataclass(frozen=True, slots=True)
class CompiledItem:
    """``demand``: the label with copies and seal."""

    key: str
    demand: str
    clause: str
    feature: str
    severity: Severity
    when: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Checklist:
    """Once materials are being checked, each one is there, is lacking, or has yet to be looked at."""

    pays: ClassVar[str | None] = None
    key: str
    label: str
    fact: str
    items: tuple[CompiledItem, ...]

    def facts(self) -> list[str]:
        """The ticks, and the facts on which conditional materials depend."""
        depends = [name for item in self.items if item.when is not None for name in facts_of_test(item.when)]
        return list(dict.fromkeys([self.fact, *depends]))

    def evaluate(self, context: Context) -> Step:
        """Findings for what is lacking; ticks that are begun but not finished leave the outcome open."""
        ticks = context.known.get(self.fact)
        if ticks is None:
            return Step(self.key, KIND, self.label, unchecked=tuple(item.demand for item in self.items))
        self._refuse_unknown(ticks)
        findings, clauses, present, asked = [], [], 0, 0
        basis = weakest()
        for item in self.items:
            seen = Seen()
            demanded = item.when is None or decide(item.when, context.known, seen)
            if demanded is False:
                continue
            there = ticks.get(item.key)
            asked += 1
            present += there is True
            clauses.append(item.clause)
            if there is True:
                continue
            lacking = there is False and demanded is True
            if not lacking and item.severity in ("block", "human"):
                for name in [self.fact] if there is None else seen.missing:
                    context.note_missing(name)
            severity: Severity = item.severity if lacking else "human"
            word = "缺少材料" if lacking else "尚未核对材料" if there is None else "尚不能判断是否应交"
            article = context.article(item.clause)
            findings.append(
                Finding(item.feature, severity, f"{word}：{item.demand}", article, fact=f"{self.fact}.{item.key}")
            )
            basis = weakest(basis, context.basis(item.clause))
        return Step(
            self.key, KIND, self.label,
            inputs={self.fact: dict(ticks)}, details={"materials": {"present": present, "asked": asked}},
            sentences=(f"{self.label} {asked} 项，已核对齐全 {present} 项",),
            clauses=tuple(dict.fromkeys(clauses)), findings=tuple(findings), basis=basis,
        )  # fmt: skip

    def _refuse_unknown(self, ticks: Mapping[str, bool]) -> None:
        known = [item.key for item in self.items]
        for key in ticks:
            if key not in known:
                raise InputError(
                    "E-MATERIAL", f"材料清单中没有“{key[:40]}”", where=self.fact, remedy=f"可用：{'、'.join(known)}"
                )


def compile_data(data: Data) -> Checklist:
    """Checks the ticks' fact and the conditions of conditional items."""
    where = data["key"]
    items = [
        CompiledItem(
            row["key"], _demand(row), row["clause"], row["feature"], row["severity"],
            compile_test(row["when"], f"{where}.{row['key']}") if "when" in row else None,
        )
        for row in data["items"]
    ]  # fmt: skip
    return Checklist(where, data["label"], known_fact(data["fact"], "ticks", where), tuple(items))


def _demand(row: Item) -> str:
    notes = [f"{row['copies']}份"] if "copies" in row else []
    notes += ["加盖公章"] if row.get("sealed") else []
    return f"{row['label']}（{'，'.join(notes)}）" if notes else row["label"]
