"""Directions an applicant may choose among (申报方向): which go together, and what each one pays."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.base import Context, fen, known_fact
from xlcalc.results.outcome import Finding, Outcome, Step, weakest
from xlcalc.values.money import Money

KIND = "selection"
_STANDING = {"not_determined": "待补充事实", "not_eligible": "不符合", "not_in_force": "不在有效期内"}


class Direction(TypedDict):
    """``code``: the option it is; ``feature``: the finding when it has been awarded before."""

    code: str
    amount: str
    clause: str
    feature: str


class Most(TypedDict):
    """How many directions one applicant may choose."""

    at_most: int
    clause: str
    feature: str


class Exclusion(TypedDict):
    """``codes``: directions of which only one may be chosen."""

    key: str
    codes: list[str]
    clause: str
    feature: str


class Data(TypedDict):
    """What a pack says of directions.

    by: the fact that holds the chosen ones. received: the fact that holds those awarded before; ``once``: they are
    not paid again. stack: several directions are paid together, else only the highest.
    """

    kind: Literal["selection"]
    key: str
    label: str
    by: str
    received: str
    once: bool
    stack: bool
    most: Most
    exclusions: list[Exclusion]
    directions: list[Direction]


@dataclass(frozen=True, slots=True)
class CompiledDirection:
    """amount in fen."""

    code: str
    label: str
    amount: int
    clause: str
    feature: str


@dataclass(frozen=True, slots=True)
class Selection:
    """award = the sum of the chosen directions' amounts, for choices the document allows."""

    pays: ClassVar[str | None] = "award"
    key: str
    label: str
    by: Fact
    received: Fact
    once: bool
    stack: bool
    most: Most
    exclusions: tuple[Exclusion, ...]
    directions: tuple[CompiledDirection, ...]

    def facts(self) -> list[str]:
        """The chosen directions and, where an award is given once, those awarded before."""
        return [self.by.id, self.received.id] if self.once else [self.by.id]

    def problems(self, chosen: Collection[str]) -> Iterator[tuple[str, str, str]]:
        """(feature, clause, sentence) for each way in which a choice of directions is not allowed; none where it is."""
        if not chosen:
            yield self.most["feature"], self.most["clause"], f"未选择{self.by.label}，至少须选一项"
        for row in self.exclusions:
            if len(both := [code for code in row["codes"] if code in chosen]) > 1:
                names = "与".join(self.by.options[code][0] for code in both)
                yield row["feature"], row["clause"], f"{names}不得同时申报"
        most = self.most["at_most"]
        if len(chosen) > most:
            yield self.most["feature"], self.most["clause"], f"最多选 {most} 项，现选了 {len(chosen)} 项"

    def amounts(self, chosen: Collection[str], received: Collection[str] = ()) -> dict[str, Money]:
        """What each chosen direction pays, by code; 0 for one awarded before or, without stacking, below another."""
        due = {
            row.code: 0 if self.once and row.code in received else row.amount
            for row in self.directions
            if row.code in chosen
        }
        if not self.stack and due:
            highest = max(due, key=due.__getitem__)
            due = {code: amount if code == highest else 0 for code, amount in due.items()}
        return {code: Money(amount) for code, amount in due.items()}

    def evaluate(self, context: Context) -> Step:
        """The awards of one application; a choice that is not allowed is a finding and has no award."""
        chosen: tuple[str, ...] | None = context.need(self.by.id)
        received: tuple[str, ...] | None = context.need(self.received.id) if self.once else ()
        inputs = {name: context.known.get(name) for name in self.facts()}
        if chosen is None:
            return Step(self.key, KIND, self.label, inputs)
        refused = [
            Finding(feature, "block", message, context.article(clause), fact=self.by.id)
            for feature, clause, message in self.problems(chosen)
        ]
        if refused or received is None:
            return Step(self.key, KIND, self.label, inputs, findings=tuple(refused))
        return self._awarded(context, inputs, chosen, received)

    def narrowed(self, facts: Mapping[str, Any], code: str) -> dict[str, Any]:
        """The facts of the application for one of the chosen directions, in every table that repeats the choice."""
        return {
            name: (code,) if name != self.received.id and self._repeats(name, value, facts[self.by.id]) else value
            for name, value in facts.items()
        }

    def _repeats(self, name: str, value: Any, chosen: Any) -> bool:
        return value == chosen and set(fact(name).options) == set(self.by.options)

    def each_alone(self, outcomes: Mapping[str, Outcome], context: Context) -> Finding:
        """What each chosen direction would give if it alone were applied for; the document does not say more.

        outcomes: the result of that application by direction.
        """
        said = []
        for code, outcome in outcomes.items():
            given = str(outcome.payable) if outcome.status == "determined" else _STANDING[outcome.status]
            said.append(f"{self.by.options[code][0]}：{given}")
        message = (
            f"所报方向不能一并通过；各方向单独申报的结果：{'，'.join(said)}。"
            "只撤去不符合的方向是否可行，请报主管部门确定"
        )
        return Finding(self.most["feature"], "info", message, context.article(self.most["clause"]), fact=self.by.id)

    def _awarded(
        self, context: Context, inputs: Mapping[str, Any], chosen: tuple[str, ...], received: tuple[str, ...]
    ) -> Step:
        amounts = self.amounts(chosen, received)
        findings, sentences = [], []
        rows = [row for row in self.directions if row.code in amounts]
        for row in rows:
            article = context.article(row.clause)
            if self.once and row.code in received:
                message = f"{row.label}此前已获奖补，每家企业只奖一次，本次不再奖补"
                findings.append(Finding(row.feature, "warn", message, article, fact=self.received.id))
                sentences.append(f"{row.label}：{Money(0)}，此前已获奖补（{article}）")
            elif amounts[row.code].fen < row.amount:
                sentences.append(f"{row.label}：{Money(row.amount)}，不与其他方向叠加，不计（{article}）")
            else:
                sentences.append(f"{row.label}：{Money(row.amount)}（{article}）")
        return Step(
            self.key, KIND, self.label, inputs,
            results={"award": Money(sum(amount.fen for amount in amounts.values()))}, details={"awards": amounts},
            sentences=tuple(sentences), clauses=tuple(row.clause for row in rows), findings=tuple(findings),
            basis=weakest(*(context.basis(row.clause) for row in rows)),
        )  # fmt: skip


def compile_data(data: Data) -> Selection:
    """Checks that every direction is an option of its fact, has one amount, and that exclusions name directions."""
    where = data["key"]
    by, received = (fact(known_fact(data[name], "options", f"{where}.{name}")) for name in ("by", "received"))
    codes = [row["code"] for row in data["directions"]]
    excluded = [code for row in data["exclusions"] for code in row["codes"]]
    if sorted(codes) != sorted(by.options) or not set(excluded) <= set(codes) or set(received.options) != set(codes):
        raise PackError(
            "E-PACK-DIRECTION", "每个方向须是所选事实的一个选项，且各有一个金额",
            where=f"{where}.directions", remedy=f"可用的代码：{'、'.join(by.options)}",
        )  # fmt: skip
    directions = tuple(
        CompiledDirection(
            row["code"], by.options[row["code"]][0], fen(row["amount"], f"{where}.directions.{row['code']}"),
            row["clause"], row["feature"],
        )
        for row in data["directions"]
    )  # fmt: skip
    return Selection(
        where, data["label"], by, received, data["once"], data["stack"], data["most"], tuple(data["exclusions"]),
        directions,
    )  # fmt: skip
