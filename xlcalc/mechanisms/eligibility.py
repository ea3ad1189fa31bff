"""Conditions of application as structured data: decided, undecided for want of a fact, or failed by clause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.facts import catalogue, fact
from xlcalc.mechanisms.base import Context, known_fact
from xlcalc.results.outcome import Attested, Finding, Severity, Step, weakest
from xlcalc.values.dates import chinese_date, parse_date
from xlcalc.values.levels import LABELS

KIND = "eligibility"


class Bound(TypedDict):
    """A fact and the value it is compared with: level, count, or amount with its unit."""

    fact: str
    value: int | str


class Membership(TypedDict):
    """A fact and the option codes among which it must be."""

    fact: str
    values: list[str]


class Window(TypedDict):
    """A date and its window, both ends inclusive; an end may be a fact that is a parameter."""

    fact: str
    first: NotRequired[date | str]
    last: NotRequired[date | str]
    first_fact: NotRequired[str]
    last_fact: NotRequired[str]


class Test(TypedDict):
    """Exactly one key: the kind of the test."""

    is_true: NotRequired[str]
    is_false: NotRequired[str]
    attested: NotRequired[str]
    at_least: NotRequired[Bound]
    at_most: NotRequired[Bound]
    one_of: NotRequired[Membership]
    between_dates: NotRequired[Window]
    count_at_least: NotRequired[Bound]
    all_of: NotRequired[list[Test]]
    any_of: NotRequired[list[Test]]
    none_of: NotRequired[list[Test]]


class Condition(TypedDict):
    """``feature`` is the code of its finding; ``says`` the sentence a clerk reads when it fails."""

    key: str
    clause: str
    feature: str
    severity: Severity
    says: str
    test: Test


class Data(TypedDict):
    """What a pack says of the conditions."""

    kind: Literal["eligibility"]
    key: str
    label: str
    conditions: list[Condition]


@dataclass(slots=True)
class _Seen:
    """What the tests of one condition asked for and did not find, and the facts they looked at."""

    missing: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A condition whose values are already of the type of their fact."""

    key: str
    clause: str
    feature: str
    severity: Severity
    says: str
    test: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Every condition is decided on its own; one failed ``block`` makes the applicant not eligible."""

    pays: ClassVar[str | None] = None
    key: str
    label: str
    conditions: tuple[CompiledCondition, ...]

    def facts(self) -> list[str]:
        """The ids of all facts the conditions look at, in order."""
        return list(dict.fromkeys(name for condition in self.conditions for name in condition_facts(condition)))

    def evaluate(self, context: Context) -> Step:
        """Findings for failed conditions; facts that could still decide one are listed as missing."""
        findings: list[Finding] = []
        sentences, clauses = [], []
        basis = weakest()
        for condition in self.conditions:
            seen = _Seen()
            verdict = _decide(condition.test, context.facts, seen)
            article = context.article(condition.clause)
            if verdict is None:
                # What would only give a warning does not hold up a decision.
                if condition.severity in ("block", "human"):
                    for fact_id in seen.missing:
                        context.note_missing(fact_id)
                    findings += self._waiting(condition, seen, article)
                continue
            clauses.append(condition.clause)
            if verdict:
                self._note_attested(condition, context)
                continue
            basis = weakest(basis, context.basis(condition.clause))
            given = "；".join(
                f"{fact(name).label}：{fact(name).show(context.facts[name])}"
                for name in seen.facts
                if name in context.facts
            )
            message = f"{condition.says}（{given}）" if given else condition.says
            about = seen.facts[0] if seen.facts else None
            findings.append(Finding(condition.feature, condition.severity, message, article, fact=about))
            sentences.append(f"不符合：{condition.says}（{article}）")
        failed = [finding for finding in findings if finding.severity != "human"]
        if not failed and len(clauses) == len(self.conditions):
            sentences.append(f"{len(self.conditions)} 项申报条件均符合")
        return Step(
            self.key, KIND, self.label,
            inputs={name: context.facts.get(name) for name in self.facts()},
            details={"met": len(clauses) - len(failed), "conditions": len(self.conditions)},
            sentences=tuple(sentences), clauses=tuple(dict.fromkeys(clauses)), findings=tuple(findings), basis=basis,
        )  # fmt: skip

    def _waiting(self, condition: CompiledCondition, seen: _Seen, article: str) -> list[Finding]:
        """What only a person can confirm, and nobody has yet."""
        asked: list[str] = []
        _collect(condition.test, asked, only="attested")
        return [
            Finding(condition.feature, "human", f"须由人确认：{fact(name).label}", article, fact=name)
            for name in asked
            if name in seen.missing
        ]

    def _note_attested(self, condition: CompiledCondition, context: Context) -> None:
        found: list[str] = []
        _collect(condition.test, found, only="attested")
        for name in found:
            if context.facts.get(name):
                context.attested.append(Attested(name, fact(name).label, context.article(condition.clause)))


def condition_facts(condition: CompiledCondition) -> list[str]:
    """The facts one condition looks at, in order, each once."""
    found: list[str] = []
    _collect(condition.test, found)
    return list(dict.fromkeys(found))


def _collect(test: Mapping[str, Any], found: list[str], only: str | None = None) -> None:
    ((kind, body),) = test.items()
    if kind in ("all_of", "any_of", "none_of"):
        for part in body:
            _collect(part, found, only)
    elif only in (None, kind):
        if isinstance(body, str):
            found.append(body)
        else:
            found.append(body["fact"])
            found.extend(body[end] for end in ("first_fact", "last_fact") if end in body)


def _decide(test: Mapping[str, Any], facts: Mapping[str, Any], seen: _Seen) -> bool | None:
    """True, False, or None while a missing fact could still decide (Kleene's logic)."""
    ((kind, body),) = test.items()
    if kind in ("all_of", "any_of", "none_of"):
        return _decide_group(kind, body, facts, seen)
    fact_id = body if isinstance(body, str) else body["fact"]
    value = _get(fact_id, facts, seen)
    if kind == "between_dates":
        return _inside(value, body, facts, seen)
    if value is None:
        return None
    if kind in ("is_true", "attested"):
        return value is True
    if kind == "is_false":
        return value is False
    if kind == "one_of":
        return value in body["values"]
    if kind == "count_at_least":
        return len(value) >= int(body["value"])
    return bool(value >= body["value"]) if kind == "at_least" else bool(value <= body["value"])


def _decide_group(kind: str, parts: list[Any], facts: Mapping[str, Any], seen: _Seen) -> bool | None:
    """Facts of branches that no longer matter are not asked for."""
    undecided, passed, failed = _Seen(), _Seen(), _Seen()
    verdicts: list[bool | None] = []
    for part in parts:
        own = _Seen()
        verdict = _decide(part, facts, own)
        verdicts.append(verdict)
        target = undecided if verdict is None else passed if verdict else failed
        target.missing += own.missing
        target.facts += own.facts
    if kind == "all_of":
        answer = False if False in verdicts else None if None in verdicts else True
        relevant = failed if answer is False else undecided if answer is None else passed
    else:
        answer = True if True in verdicts else None if None in verdicts else False
        relevant = passed if answer else undecided if answer is None else failed
    seen.missing += relevant.missing
    seen.facts += relevant.facts
    return (not answer if answer is not None else None) if kind == "none_of" else answer


def _get(fact_id: str, facts: Mapping[str, Any], seen: _Seen) -> Any:
    value = facts.get(fact_id)
    (seen.missing if value is None else seen.facts).append(fact_id)
    return value


def _inside(value: date | None, body: Mapping[str, Any], facts: Mapping[str, Any], seen: _Seen) -> bool | None:
    first = _get(body["first_fact"], facts, seen) if "first_fact" in body else body.get("first")
    last = _get(body["last_fact"], facts, seen) if "last_fact" in body else body.get("last")
    if value is None:
        return None
    if (first is not None and value < first) or (last is not None and value > last):
        return False
    undecided = ("first_fact" in body and first is None) or ("last_fact" in body and last is None)
    return None if undecided else True


def describe(test: Mapping[str, Any]) -> str:
    """What a test demands, in Chinese: for the list of inputs and the hint beside an input cell."""
    ((kind, body),) = test.items()
    if kind in ("all_of", "any_of", "none_of"):
        word = {"all_of": "且", "any_of": "或", "none_of": "或"}[kind]
        joined = f" {word} ".join(describe(part) for part in body)
        return f"不属于（{joined}）" if kind == "none_of" else f"（{joined}）"
    label = fact(body if isinstance(body, str) else body["fact"]).label
    if kind in ("is_true", "attested"):
        return f"{label}：是"
    if kind == "is_false":
        return f"{label}：否"
    if kind == "one_of":
        return f"{label}属于：{'、'.join(fact(body['fact']).show(code) for code in body['values'])}"
    if kind == "between_dates":
        return f"{label}{_describe_window(body)}"
    sign = {"at_least": "不低于", "at_most": "不超过", "count_at_least": "数量不少于"}[kind]
    value = LABELS[body["value"]] if fact(body["fact"]).type == "level" else body["value"]
    return f"{label}{sign}{value}"


def _describe_window(body: Mapping[str, Any]) -> str:
    first = (
        fact(body["first_fact"]).label
        if "first_fact" in body
        else chinese_date(body["first"])
        if "first" in body
        else ""
    )
    last = (
        fact(body["last_fact"]).label if "last_fact" in body else chinese_date(body["last"]) if "last" in body else ""
    )
    return (
        f"在 {first} 至 {last} 之间（含当日）" if first and last else f"不早于 {first}" if first else f"不晚于 {last}"
    )


_TYPES = {
    "is_true": "bool", "is_false": "bool", "attested": "bool", "one_of": "option", "between_dates": "date",
}  # fmt: skip


def _compile_test(test: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    if len(test) != 1:
        raise PackError(
            "E-PACK-TEST",
            f"一个条件只能有一种判断，现有 {sorted(test)}",
            where=where,
            remedy="请用 all_of 或 any_of 组合",
        )
    ((kind, body),) = test.items()
    if kind in ("all_of", "any_of", "none_of"):
        return {kind: [_compile_test(part, f"{where}.{kind}") for part in body]}
    name = body if isinstance(body, str) else body["fact"]
    if kind in _TYPES:
        known_fact(name, _TYPES[kind], where)
    elif name not in catalogue():
        known_fact(name, "", where)
    if kind == "one_of":
        unknown = [code for code in body["values"] if code not in fact(name).options]
        if unknown:
            raise PackError(
                "E-PACK-FACT", f"事实“{name}”没有选项 {unknown}", where=where, remedy="请核对 facts.toml 中的选项代码"
            )
    for end in ("first_fact", "last_fact") if kind == "between_dates" else ():
        if end in body:
            known_fact(body[end], "date", where)
    if isinstance(body, str) or kind == "one_of":
        return {kind: body}
    if kind == "between_dates":
        ends = {end: parse_date(body[end]) for end in ("first", "last") if end in body}
        return {kind: {**body, **ends}}
    value = body["value"] if kind == "count_at_least" else fact(name).parse(body["value"])
    return {kind: {"fact": body["fact"], "value": value}}


def compile_data(data: Data) -> Eligibility:
    """Checks that each test is one test over known facts of a fitting type."""
    where = data["key"]
    return Eligibility(
        where,
        data["label"],
        tuple(
            CompiledCondition(
                row["key"], row["clause"], row["feature"], row["severity"], row["says"],
                _compile_test(row["test"], f"{where}.{row['key']}"),
            )
            for row in data["conditions"]
        ),
    )  # fmt: skip
