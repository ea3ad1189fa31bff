"""What a 自评估报告 says in several places, held against each other; the index of its evidence. No score changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Literal

from typing_extensions import TypedDict

from xlcalc.errors import InputError, PackError
from xlcalc.facts import fact
from xlcalc.mechanisms.assessment_score import POINTS
from xlcalc.mechanisms.base import Context, known_fact, share
from xlcalc.results.outcome import Finding, Severity, Step
from xlcalc.results.trace import decimal_text
from xlcalc.values.evidence_index import index_problem, last_page
from xlcalc.values.levels import LABELS, parse_level
from xlcalc.values.text import normalise

KIND = "assessment_checks"

_MOST_NAMED = 5


class SystemsData(TypedDict):
    """Each system ticked in the application is a scene that reaches a level."""

    clause: str
    feature: str
    severity: Severity


class LinksData(TypedDict):
    """Each link ticked in a question is a scene that reaches a level."""

    clause: str
    feature: str
    severity: Severity
    question: str


class CoverageData(TypedDict):
    """A question's bracket of coverage; ``beside``: the scenes that are no links.

    options: the codes for none, one, several, most and all links. at_least: how many are several. threshold: the
    share above which they are most. from_level: the scene level from which a link counts as managed digitally.
    """

    clause: str
    feature: str
    severity: Severity
    question: str
    options: list[str]
    beside: list[str]
    at_least: int
    threshold: str
    from_level: int


class IndexData(TypedDict):
    """Each index of evidence names a chapter or section and a page; ``facts``: key -> index.

    pages_fact: how many pages the report has, beyond which no index may point.
    """

    clause: str
    feature: str
    severity: Severity
    facts: list[str]
    pages_fact: str
    pages_feature: str


class ReviewedData(TypedDict):
    """Points a reviewer has put down, where they differ from the computed ones; ``reasons``: why."""

    clause: str
    feature: str
    severity: Severity
    scores: str
    reasons: str


class Data(TypedDict):
    """What a pack says; ``systems``: the fact whose options are the scenes, by their codes."""

    kind: Literal["assessment_checks"]
    key: str
    label: str
    answers: str
    scenes_fact: str
    systems: str
    deployed: SystemsData
    collected: LinksData
    covered: CoverageData
    indexed: IndexData
    reviewed: ReviewedData


@dataclass(frozen=True, slots=True)
class AssessmentChecks:
    """Only what is given on both sides is compared, and only pointed out: scoring goes by the answers."""

    pays: ClassVar[str | None] = None
    key: str
    label: str
    answers: str
    scenes_fact: str
    systems: str
    deployed: SystemsData
    collected: LinksData
    covered: CoverageData
    indexed: IndexData
    reviewed: ReviewedData
    most: Fraction

    def facts(self) -> list[str]:
        """The answers, the scene levels, the systems, the indices and what reviewers have put down."""
        found = [self.answers, self.scenes_fact, self.systems, *self.indexed["facts"], self.indexed["pages_fact"]]
        return [*found, self.reviewed["scores"], self.reviewed["reasons"]]

    def evaluate(self, context: Context) -> Step:
        """A finding for each pair of statements that contradict each other."""
        known = context.known
        levels = _levels(known.get(self.scenes_fact))
        reached = None if levels is None else {key for key, level in levels.items() if level}
        findings, unchecked = [], []
        systems, answers = known.get(self.systems), known.get(self.answers, {})
        for rule, codes, about in (
            (self.deployed, systems, self.systems),
            (self.collected, _codes(answers.get(self.collected["question"])), self.collected["question"]),
        ):
            label = fact(self.systems).label if rule is self.deployed else f"第{about.removeprefix('q')}题所选业务环节"
            if reached is None or codes is None:
                unchecked.append(f"{label}与场景等级是否一致")
                continue
            without = [code for code in codes if code in self._names and code not in reached]
            if without:
                said = f"{label}中，“{'”“'.join(map(self._name, without))}”在场景等级判定表中没有等级"
                findings.append(_finding(rule, said, context, about))
        findings += self._coverage(answers, levels, context)
        findings += self._indices(known, context)
        findings += self._reviews(known, context)
        rules = (self.deployed, self.collected, self.covered, self.indexed, self.reviewed)
        clauses = [rule["clause"] for rule in rules]
        return Step(
            self.key, KIND, self.label, inputs={self.systems: systems}, clauses=tuple(dict.fromkeys(clauses)),
            findings=tuple(findings), unchecked=tuple(unchecked),
        )  # fmt: skip

    def _coverage(
        self, answers: Mapping[str, Any], levels: Mapping[str, int] | None, context: Context
    ) -> list[Finding]:
        """The bracket the scenes point to is the highest they satisfy."""
        given = _codes(answers.get(self.covered["question"]))
        if levels is None or not given:
            return []
        least = self.covered["from_level"]
        links = [code for code in self._names if code not in self.covered["beside"]]
        count = sum(levels.get(code, 0) >= least for code in links)
        none, one, several, most, every = self.covered["options"]
        implied = none if not count else one
        if count >= self.covered["at_least"]:
            implied = several
        if count > self.most * len(links):
            implied = most
        if count == len(links):
            implied = every
        if given[0] == implied:
            return []
        number = self.covered["question"].removeprefix("q")
        said = f"{len(links)} 个业务环节中有 {count} 个的场景达到{LABELS[least]}，对应第{number}题的 {implied}"
        said += f"，所选为 {given[0]}；按所选计分"
        return [_finding(self.covered, said, context, self.covered["question"])]

    def _indices(self, known: Mapping[str, Any], context: Context) -> list[Finding]:
        """Indices without a chapter or without a page; what stands there a person has to look up."""
        findings = []
        pages: int | None = known.get(self.indexed["pages_fact"])
        for name in self.indexed["facts"]:
            said = {f"{self._place(key)}“{text}”": str(text) for key, text in known.get(name, {}).items()}
            vague = [place for place, text in said.items() if index_problem(text)]
            if vague:
                message = f"{fact(name).label}须注明章节号和具体页码：{_named(vague)}"
                findings.append(_finding(self.indexed, message, context, name))
            beyond = [place for place, text in said.items() if pages is not None and last_page(text) > pages]
            if beyond:
                message = f"{fact(name).label}所指页码超出总结报告的 {pages} 页：{_named(beyond)}"
                rule = {**self.indexed, "feature": self.indexed["pages_feature"]}
                findings.append(_finding(rule, message, context, name))
        return findings

    def _reviews(self, known: Mapping[str, Any], context: Context) -> list[Finding]:
        """Where a reviewer's points differ from the computed ones, with the reason or for want of one."""
        computed: Mapping[str, Fraction] = known.get(POINTS, {})
        reasons = known.get(self.reviewed["reasons"], {})
        findings = []
        for key, typed in known.get(self.reviewed["scores"], {}).items():
            points = _points(typed, f"{self.reviewed['scores']}.{key}")
            if key not in computed or points == computed[key]:
                continue
            own, gap = computed[key], abs(points - computed[key])
            message = f"{self._place(key)}评审得分 {decimal_text(points)}，计算为 {decimal_text(own)}，"
            message += f"相差 {decimal_text(gap)}"
            reason = str(reasons.get(key, "")).strip()
            rule: Mapping[str, Any] = {**self.reviewed, "severity": "info"} if reason else self.reviewed
            message += f"，理由：{reason}" if reason else "，未写理由；按计算计分"
            findings.append(_finding(rule, message, context, key))
        return findings

    def _place(self, key: str) -> str:
        return self._name(key) if key in self._names else f"第{key.removeprefix('q')}题"

    @property
    def _names(self) -> Mapping[str, Sequence[str]]:
        return fact(self.systems).options

    def _name(self, code: str) -> str:
        return self._names[code][0]


def _codes(answer: Any) -> list[str] | None:
    """The option codes of an answer; None where it is not answered by ticks."""
    if isinstance(answer, Mapping):
        answer = answer.get("choice")
    if isinstance(answer, str):
        return [answer]
    return list(answer) if answer else None


def _named(places: Sequence[str]) -> str:
    more = f"等 {len(places)} 处" if len(places) > _MOST_NAMED else ""
    return "、".join(places[:_MOST_NAMED]) + more


def _points(typed: object, where: str) -> Fraction:
    try:
        return Fraction(normalise(str(typed)))
    except (ValueError, ZeroDivisionError):
        raise InputError("E-NUMBER", f"“{str(typed)[:20]}”不是得分", where=where, remedy="请填写数字") from None


def _levels(raw: Mapping[str, object] | None) -> dict[str, int] | None:
    return None if raw is None else {key: int(parse_level(value)) for key, value in raw.items() if value is not None}


def _finding(rule: Mapping[str, Any], said: str, context: Context, about: str) -> Finding:
    return Finding(rule["feature"], rule["severity"], said, context.article(rule["clause"]), fact=about)


def compile_data(data: Data) -> AssessmentChecks:
    """Checks the facts and that the brackets are five and concern scenes that exist."""
    where = data["key"]
    systems = fact(known_fact(data["systems"], "options", where))
    covered = data["covered"]
    unknown = [code for code in covered["beside"] if code not in systems.options]
    if unknown or len(covered["options"]) != 5:
        raise PackError(
            "E-PACK-SCENES", f"须有 5 个选项，且场景都在“{systems.label}”中；不认识 {unknown}",
            where=f"{where}.covered", remedy="请核对 options 和 beside",
        )  # fmt: skip
    for name in data["indexed"]["facts"]:
        known_fact(name, "texts", f"{where}.indexed")
    known_fact(data["indexed"]["pages_fact"], "integer", f"{where}.indexed")
    for name in (data["reviewed"]["scores"], data["reviewed"]["reasons"]):
        known_fact(name, "texts", f"{where}.reviewed")
    return AssessmentChecks(
        key=where, label=data["label"], answers=known_fact(data["answers"], "answers", where),
        scenes_fact=known_fact(data["scenes_fact"], "scenes", where), systems=systems.id, deployed=data["deployed"],
        collected=data["collected"], covered=covered, indexed=data["indexed"], reviewed=data["reviewed"],
        most=share(covered["threshold"], f"{where}.covered"),
    )  # fmt: skip
