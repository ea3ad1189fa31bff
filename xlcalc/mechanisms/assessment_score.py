"""The score of a questionnaire and the 数字化水平等级 that follows from it and from the scenes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from xlcalc.errors import InputError
from xlcalc.mechanisms.assessment_answers import Answer, Question, read_answer
from xlcalc.mechanisms.base import Context
from xlcalc.results.outcome import Finding, Step, weakest
from xlcalc.results.trace import decimal_text
from xlcalc.values.levels import LABELS, MaturityLevel, parse_level

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "assessment"
POINTS = "question_points"
"""The points by question, for mechanisms that compare them with what people have put down."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One business scene."""

    key: str
    label: str
    group: str
    mandatory: bool
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LevelRule:
    """``units``: the least score, in score units."""

    level: int
    units: int
    score: int
    scenes: int
    mandatory: int


@dataclass(frozen=True, slots=True)
class Assessment:
    """score = sum of option points; level = the highest whose score, scenes and mandatory scenes are all met.

    ``scale`` score units make one point: 1000, or a multiple where a share is no whole thousandth.
    """

    pays: ClassVar[str | None] = None
    key: str
    label: str
    answers: str
    scenes_fact: str
    clauses: tuple[str, ...]
    level_clause: str
    rule_notice: str
    rule_notice_code: str
    scale: int
    dimensions: tuple[str, ...]
    questions: tuple[Question, ...]
    scenes: tuple[Scene, ...]
    levels: tuple[LevelRule, ...]

    def read_answers(self, raw: Mapping[str, object]) -> dict[str, Answer]:
        """The answers by question key; raises InputError at the first that is contradictory or unknown."""
        known = {question.key: question for question in self.questions}
        for key in raw:
            if key not in known:
                raise InputError(
                    "E-ANSWER",
                    f"没有题号“{str(key)[:20]}”",
                    where=f"answers.{str(key)[:20]}",
                    remedy=f"题号为 q1 至 q{len(known)}",
                )
        read = {key: read_answer(question, raw.get(key)) for key, question in known.items()}
        return {key: answer for key, answer in read.items() if answer is not None}

    def read_scenes(self, raw: Mapping[str, object]) -> dict[str, int]:
        """Scene levels by scene key; raises InputError for an unknown scene or level."""
        known = {scene.key for scene in self.scenes}
        levels = {}
        for key, value in raw.items():
            where = f"{self.scenes_fact}.{str(key)[:30]}"
            if key not in known:
                raise InputError(
                    "E-SCENE", f"没有场景“{str(key)[:30]}”", where=where, remedy="请用 xlcalc facts 查看场景代码"
                )
            if value is not None:
                try:
                    levels[key] = int(parse_level(value))
                except InputError as error:
                    raise error.at(where) from None
        return levels

    def points(self, ticked: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
        """Score units by question for the positions ticked."""
        options = {question.key: question.options for question in self.questions}
        return {key: sum(options[key][at].units for at in places) for key, places in ticked.items()}

    def level_of(self, units: int, levels: Mapping[str, int]) -> int:
        """The awarded level 0–4 for score units and scene levels."""
        for rule in reversed(self.levels):
            scenes, mandatory = self.count(rule.level, levels)
            if units >= rule.units and scenes >= rule.scenes and mandatory >= rule.mandatory:
                return rule.level
        return 0

    def count(self, level: int, levels: Mapping[str, int]) -> tuple[int, int]:
        """How many scenes stand at this level or above, and how many of them are mandatory."""
        reached = [scene for scene in self.scenes if levels.get(scene.key, 0) >= level]
        return len(reached), sum(scene.mandatory for scene in reached)

    def evaluate(self, context: Context) -> Step:
        """Score, level, scene counts and what the next level still takes; an unanswered question gives neither."""
        raw_answers = context.facts.get(self.answers, {})
        raw_scenes = context.need(self.scenes_fact)
        answers = self.read_answers(raw_answers)
        ticked = {key: answer.ticked for key, answer in answers.items() if answer.ticked}
        points = self.points(ticked)
        unanswered = [question.key for question in self.questions if question.key not in ticked]
        for key in unanswered:
            context.note_missing(key)
        units = sum(points.values())
        context.derived[POINTS] = {key: Fraction(value, self.scale) for key, value in points.items()}
        findings = [finding for answer in answers.values() for finding in answer.findings]
        findings += self._figure_warnings(answers)
        findings += self._notices(ticked)
        results: dict[str, Any] = {}
        details: dict[str, Any] = {"points": context.derived[POINTS]}
        sentences = [self._score_sentence(points, unanswered)]
        clauses = list(self.clauses)
        basis = weakest(*(context.basis(clause) for clause in self.clauses))
        if not unanswered:
            results["score"] = Fraction(units, self.scale)
        if raw_scenes is not None:
            levels = self.read_scenes(raw_scenes)
            details["scene_levels"] = levels
            details["counts"] = {rule.level: self.count(rule.level, levels) for rule in self.levels}
            findings += self._unnamed_scenes(levels)
            if not unanswered:
                level = self.level_of(units, levels)
                results |= self._level_results(level, units, levels)
                sentences += self._level_sentences(level, results, levels, context)
                clauses.append(self.level_clause)
                basis = weakest(basis, context.basis(self.level_clause))
                findings.append(
                    Finding(self.rule_notice_code, "info", self.rule_notice, context.article(self.level_clause))
                )
        return Step(
            self.key, KIND, self.label,
            inputs={self.answers: dict(raw_answers), self.scenes_fact: raw_scenes},
            results=results, details=details, sentences=tuple(sentences),
            clauses=tuple(dict.fromkeys(clauses)), findings=tuple(findings), basis=basis,
        )  # fmt: skip

    def evaluate_many(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Score units and levels (int64) for many enterprises.

        columns: each question key with a bit mask of ticked positions (bit 0 = first option; 0 =
        unanswered), and the scenes fact with an array of shape (rows, scenes) of levels 0–4 in pack order.
        An unanswered row gives -1 for both; contradictory ticks raise InputError ``E-COLUMN``.
        """
        from xlcalc.mechanisms.assessment_columns import evaluate_columns

        return evaluate_columns(self, columns)

    def _score_sentence(self, points: Mapping[str, int], unanswered: list[str]) -> str:
        parts = []
        for name in self.dimensions:
            units = sum(points.get(question.key, 0) for question in self.questions if question.dimension == name)
            parts.append(f"{name} {decimal_text(Fraction(units, self.scale))} 分")
        total = decimal_text(Fraction(sum(points.values()), self.scale))
        if unanswered:
            numbers = "、".join(str(question.number) for question in self.questions if question.key in unanswered)
            return f"第 {numbers} 题未答，不计总分；已答部分至少 {total} 分（{' + '.join(parts)}）"
        return f"{' + '.join(parts)} = {total} 分"

    def _level_results(self, level: int, units: int, levels: Mapping[str, int]) -> dict[str, Any]:
        scenes, mandatory = self.count(max(level, 1), levels)
        return {
            "maturity_level": MaturityLevel(level),
            "scenes_at_level": scenes,
            "mandatory_at_level": mandatory,
            "gap_to_next": self.gap(level, units, levels),
        }

    def gap(self, level: int, units: int, levels: Mapping[str, int]) -> dict[str, Any] | None:
        """What the next level still takes, None at the highest."""
        rule = next((rule for rule in self.levels if rule.level == level + 1), None)
        if rule is None:
            return None
        scenes, mandatory = self.count(rule.level, levels)
        short = {
            "points": Fraction(max(rule.units - units, 0), self.scale),
            "scenes": max(rule.scenes - scenes, 0),
            "mandatory": max(rule.mandatory - mandatory, 0),
        }
        binding = [name for name, value in short.items() if value]
        return {"level": MaturityLevel(rule.level), **short, "binding": binding}

    def _level_sentences(
        self, level: int, results: Mapping[str, Any], levels: Mapping[str, int], context: Context
    ) -> list[str]:
        at = max(level, 1)
        names = "、".join(scene.label for scene in self.scenes if levels.get(scene.key, 0) >= at) or "无"
        article = context.article(self.level_clause)
        sentences = [
            f"达到{LABELS[at]}及以上的场景 {results['scenes_at_level']} 个（{names}），"
            f"其中约束性场景 {results['mandatory_at_level']} 个"
        ]
        rule = next((rule for rule in self.levels if rule.level == level), None)
        if rule:
            sentences.append(
                f"判定为{LABELS[level]}：得分不低于 {rule.score}，场景不少于 {rule.scenes} 个，"
                f"约束性场景不少于 {rule.mandatory} 个，均已达到（{article}）"
            )
        else:
            sentences.append(f"判定为{LABELS[0]}：未达到{LABELS[1]}的要求（{article}）")
        gap = results["gap_to_next"]
        if gap:
            wants = [
                text
                for value, text in (
                    (gap["points"], f"{decimal_text(gap['points'])} 分"),
                    (gap["scenes"], f"{gap['scenes']} 个场景"),
                    (gap["mandatory"], f"{gap['mandatory']} 个约束性场景"),
                )
                if value
            ]
            sentences.append(f"距{LABELS[gap['level']]}还差 {'、'.join(wants)}")
        return sentences

    def _unnamed_scenes(self, levels: Mapping[str, int]) -> list[Finding]:
        unnamed = [scene.label for scene in self.scenes if scene.key not in levels]
        if not unnamed:
            return []
        message = f"未填写等级的场景按无等级计：{'、'.join(unnamed)}"
        return [Finding("E-SCENE-UNNAMED", "info", message, fact=self.scenes_fact)]

    def _notices(self, ticked: Mapping[str, tuple[int, ...]]) -> list[Finding]:
        return [
            Finding(option.notice_code, "warn", option.notice, fact=question.key)
            for question in self.questions
            for at, option in enumerate(question.options)
            if option.notice and ticked.get(question.key) == (at,)
        ]

    def _figure_warnings(self, answers: Mapping[str, Answer]) -> list[Finding]:
        findings = []
        for question in self.questions:
            figures, answer = question.figures, answers.get(question.key)
            if figures is None or answer is None or not answer.figures or not figures.warn_above_question:
                continue
            other = answers.get(figures.warn_above_question)
            limit = (other.figures or {}).get(figures.warn_above_figure or "") if other else None
            value = answer.figures.get(figures.part)
            if value is not None and limit is not None and value > limit:
                message = f"第{question.number}题填写的数量 {value} 大于前题对应的数量 {limit}，请核对"
                findings.append(Finding("E-FIGURE-ORDER", "warn", message, fact=question.key))
        return findings
