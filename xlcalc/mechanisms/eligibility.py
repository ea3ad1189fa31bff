"""Conditions of application as structured data: decided, undecided for want of a fact, or failed by clause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.facts import fact
from xlcalc.mechanisms.base import Context
from xlcalc.mechanisms.conditions import Seen, Test, collect, compile_test, decide, facts_of_test
from xlcalc.results.outcome import Attested, Finding, Severity, Step, weakest

KIND = "eligibility"

_MOST_HELD = 512
# Values of these facts may be equal and yet be shown differently, or are too large to be compared quickly.
_NOT_SIMPLE = ("number", "table", "answers", "scenes", "texts", "passage")
_VERDICTS = {"warn": "提醒", "info": "说明", "human": "须人工判断"}


class Condition(TypedDict):
    """``feature`` is the code of its finding; ``says`` the sentence a clerk reads when it fails."""

    key: str
    clause: str
    feature: str
    severity: Severity
    says: str
    test: Test


class Data(TypedDict):
    """What a pack says of the conditions.

    required: false where the facts stand in one document of several, so that what is not given is named
    as not checked and holds nothing up; what is given still decides. counted: how many are met is said.
    """

    kind: Literal["eligibility"]
    key: str
    label: str
    required: NotRequired[bool]
    counted: NotRequired[bool]
    conditions: list[Condition]


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A condition whose values are already of the type of their fact.

    names: the facts it looks at, in order; attested: those of them that rest on a person's word.
    """

    key: str
    clause: str
    feature: str
    severity: Severity
    says: str
    test: Mapping[str, Any]
    names: tuple[str, ...]
    attested: tuple[str, ...]
    _simple: bool = field(init=False)
    _held: dict[tuple[Any, ...], tuple[bool | None, Seen]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_simple", not any(fact(name).type in _NOT_SIMPLE for name in self.names))
        object.__setattr__(self, "_held", {})

    def decided(self, known: Mapping[str, Any]) -> tuple[bool | None, Seen]:
        """The verdict and what was looked at, kept for the next enterprise of which the same is said."""
        key = tuple(map(known.get, self.names)) if self._simple else ()
        found = self._held.get(key) if self._simple else None
        if found is None:
            seen = Seen()
            found = decide(self.test, known, seen), seen
            if self._simple:
                if len(self._held) >= _MOST_HELD:
                    self._held.clear()
                self._held[key] = found
        return found


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Every condition is decided on its own; one failed ``block`` makes the applicant not eligible."""

    pays: ClassVar[str | None] = None
    key: str
    label: str
    required: bool
    counted: bool
    conditions: tuple[CompiledCondition, ...]
    _names: tuple[str, ...] = field(init=False)
    _simple: bool = field(init=False)
    _held: dict[tuple[Any, ...], tuple[Context, Step]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = tuple(dict.fromkeys(name for condition in self.conditions for name in condition.names))
        object.__setattr__(self, "_names", names)
        object.__setattr__(self, "_simple", not any(fact(name).type in _NOT_SIMPLE for name in names))
        object.__setattr__(self, "_held", {})

    def facts(self) -> list[str]:
        """The ids of all facts the conditions look at, in order."""
        return list(self._names)

    def evaluate(self, context: Context) -> Step:
        """Findings for failed conditions; facts that could still decide one are listed as missing."""
        if not self._simple:
            return self._evaluate(context)
        # A table has many enterprises of which the same is said.
        key = tuple(map(context.known.get, self._names))
        own, step = self._held.get(key, (None, None))
        if own is None or step is None or own.clauses is not context.clauses:
            own = Context({}, context.clauses)
            step = self._evaluate(Context(context.facts, own.clauses, own.missing, own.attested, context.derived))
            if len(self._held) >= _MOST_HELD:
                self._held.clear()
            self._held[key] = own, step
        for name in own.missing:
            context.note_missing(name)
        context.attested.extend(own.attested)
        return step

    def _evaluate(self, context: Context) -> Step:
        findings: list[Finding] = []
        sentences, clauses = [], []
        unchecked: list[str] = []
        known = context.known
        met = 0
        basis = weakest()
        for condition in self.conditions:
            verdict, seen = condition.decided(known)
            article = context.article(condition.clause)
            if verdict is None:
                # What would only give a warning does not hold up a decision.
                decisive = condition.severity in ("block", "human")
                if decisive and not self.required:
                    unchecked += self._open(condition, seen)
                elif decisive:
                    for fact_id in seen.missing:
                        context.note_missing(fact_id)
                    findings += self._waiting(condition, seen, article)
                    if seen.notes:
                        sentences.append(f"尚不能判断：{condition.says}（{'；'.join(seen.notes)}）（{article}）")
                continue
            clauses.append(condition.clause)
            if verdict:
                met += 1
                self._note_attested(condition, context)
                continue
            basis = weakest(basis, context.basis(condition.clause))
            # What was measured says more of a table than how many rows it has.
            looked = [name for name in seen.facts if name in known and not (seen.notes and fact(name).type == "table")]
            shown = [f"{fact(name).label}：{fact(name).show(known[name])}" for name in looked]
            given = "；".join(dict.fromkeys([*shown, *seen.notes]))
            message = f"{condition.says}（{given}）" if given else condition.says
            about = seen.facts[0] if seen.facts else None
            findings.append(Finding(condition.feature, condition.severity, message, article, fact=about))
            sentences.append(f"{_VERDICTS.get(condition.severity, '不符合')}：{condition.says}（{article}）")
        if met == len(self.conditions):
            sentences.append(f"{len(self.conditions)} 项{self.label}均符合")
        elif self.counted:
            sentences.append(f"{self.label}：{len(self.conditions)} 项中已确认 {met} 项")
        return Step(
            self.key, KIND, self.label,
            inputs={name: known.get(name) for name in self._names},
            details={"met": met, "conditions": len(self.conditions)},
            sentences=tuple(sentences), clauses=tuple(dict.fromkeys(clauses)), findings=tuple(findings), basis=basis,
            unchecked=tuple(dict.fromkeys(unchecked)),
        )  # fmt: skip

    def _open(self, condition: CompiledCondition, seen: Seen) -> list[str]:
        """What was not given; of a date that counts back from another, with the days between which it would count."""
        dated: list[str] = []
        collect(condition.test, dated, only="looks_back")
        return [
            f"{fact(name).label}（{'；'.join(seen.notes)}）" if name in dated and seen.notes else fact(name).label
            for name in seen.missing
        ]

    def _waiting(self, condition: CompiledCondition, seen: Seen, article: str) -> list[Finding]:
        """What only a person can confirm, and nobody has yet."""
        return [
            Finding(condition.feature, "human", f"须由人确认：{fact(name).label}", article, fact=name)
            for name in condition.attested
            if name in seen.missing
        ]

    def _note_attested(self, condition: CompiledCondition, context: Context) -> None:
        for name in condition.attested:
            if context.facts.get(name):
                context.attested.append(Attested(name, fact(name).label, context.article(condition.clause)))


def condition_facts(condition: CompiledCondition) -> list[str]:
    """The facts one condition looks at, in order, each once."""
    return list(condition.names)


def compile_data(data: Data) -> Eligibility:
    """Checks that each test is one test over known facts of a fitting type."""
    where = data["key"]
    conditions = tuple(_compiled(row, where) for row in data["conditions"])
    return Eligibility(where, data["label"], data.get("required", True), data.get("counted", False), conditions)


def _compiled(row: Condition, where: str) -> CompiledCondition:
    test = compile_test(row["test"], f"{where}.{row['key']}")
    attested: list[str] = []
    collect(test, attested, only="attested")
    return CompiledCondition(
        row["key"], row["clause"], row["feature"], row["severity"], row["says"], test,
        tuple(facts_of_test(test)), tuple(attested),
    )  # fmt: skip
