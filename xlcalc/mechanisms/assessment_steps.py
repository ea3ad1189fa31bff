"""What blocks the next level, and the fewest single steps that would reach it.

One step moves a 单选 to the next option with more points, ticks one more option of a 多选, or raises one scene by one
level. Steps for the score and steps for the scenes do not touch each other, so the fewest are found apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from xlcalc.errors import InputError
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.mechanisms.assessment_score import Assessment, LevelRule, Scene
from xlcalc.results.trace import decimal_text
from xlcalc.values.levels import LABELS


@dataclass(frozen=True, slots=True)
class AnswerStep:
    """One better answer: ``option`` is the position now ticked, ``gain`` in score units."""

    question: Question
    option: int
    gain: int


@dataclass(frozen=True, slots=True)
class SceneStep:
    """One scene raised by one level, to ``level``."""

    scene: Scene
    level: int


@dataclass(frozen=True, slots=True)
class NextLevel:
    """The way from a level to the next. gap: see ``Assessment.gap``; steps: the fewest that close it.

    unreachable: what stays short even when everything is answered at its best, in words; then there are no steps.
    """

    level: int
    target: int
    score: Fraction
    gap: Mapping[str, Any]
    answer_steps: tuple[AnswerStep, ...]
    scene_steps: tuple[SceneStep, ...]
    unreachable: str = ""

    @property
    def count(self) -> int:
        """How many single steps it takes."""
        return len(self.answer_steps) + len(self.scene_steps)


def next_level(assessment: Assessment, answers: Mapping[str, object], scenes: Mapping[str, object]) -> NextLevel | None:
    """The fewest single steps to the next level; None at the highest.

    answers, scenes: as in the facts; a scene that is not named has no level. Nothing is rounded. Among sets of equally
    few steps the one with the larger gain is taken, then the one whose steps stand earlier on the form.
    Raises InputError as ``Assessment.read_answers`` and ``read_scenes`` do, and ``E-INCOMPLETE`` where a question is
    unanswered: without a score there is no level to start from.
    """
    read = assessment.read_answers(answers)
    ticked = {key: answer.ticked for key, answer in read.items() if answer.ticked}
    unanswered = "、".join(str(question.number) for question in assessment.questions if question.key not in ticked)
    if unanswered:
        raise InputError(
            "E-INCOMPLETE", f"第 {unanswered} 题未答，没有得分和等级，无法计算差距", where=assessment.answers,
            remedy="请先答完各题",
        )  # fmt: skip
    levels = assessment.read_scenes(scenes)
    units = sum(assessment.points(ticked).values())
    level = assessment.level_of(units, levels)
    gap = assessment.gap(level, units, levels)
    if gap is None:
        return None
    rule = next(rule for rule in assessment.levels if rule.level == level + 1)
    score = Fraction(units, assessment.scale)
    ladders = [_ladder(question, ticked[question.key]) for question in assessment.questions]
    taken = _fewest_rungs([[step.gain for step in ladder] for ladder in ladders], rule.units - units)
    raised = _fewest_raises(assessment, levels, rule)
    if taken is None or raised is None:
        told = _unreachable(assessment, rule, taken is None)
        return NextLevel(level, rule.level, score, gap, (), (), told)
    answer_steps = [step for ladder, count in zip(ladders, taken, strict=True) for step in ladder[:count]]
    scene_steps = [
        SceneStep(scene, reached)
        for scene in assessment.scenes
        if scene.key in raised
        for reached in range(levels.get(scene.key, 0) + 1, rule.level + 1)
    ]
    return NextLevel(level, rule.level, score, gap, tuple(answer_steps), tuple(scene_steps))


def _unreachable(assessment: Assessment, rule: LevelRule, by_score: bool) -> str:
    if not by_score:
        mandatory = sum(scene.mandatory for scene in assessment.scenes)
        return f"全部 {len(assessment.scenes)} 个场景（约束性 {mandatory} 个）都达到，仍少于所要求的个数"
    most = Fraction(sum(question.most for question in assessment.questions), assessment.scale)
    return f"各题都取最高分也只有 {decimal_text(most)} 分，少于 {rule.score} 分"


def _ladder(question: Question, ticked: tuple[int, ...]) -> list[AnswerStep]:
    """The steps a question still has, in the order in which they are best taken."""
    options = question.options
    if question.multi:
        lost = sum(options[at].units for at in ticked if options[at].exclusive)
        free = [at for at, option in enumerate(options) if at not in ticked and option.units and not option.exclusive]
        free.sort(key=lambda at: (-options[at].units, question.printed.index(options[at].code)))
        # The first tick beside 无 takes its place.
        return [AnswerStep(question, at, options[at].units - (0 if n else lost)) for n, at in enumerate(free)]
    steps: list[AnswerStep] = []
    reached = options[ticked[0]].units
    for code in sorted(question.printed, key=lambda code: options[question.index(code) or 0].units):
        at = question.index(code) or 0
        if options[at].units > reached:
            steps.append(AnswerStep(question, at, options[at].units - reached))
            reached = options[at].units
    return steps


def _fewest_rungs(ladders: Sequence[Sequence[int]], wanted: int) -> tuple[int, ...] | None:
    """How many rungs of each ladder, fewest in all, gain at least ``wanted``; None where all of them do not.

    A rung is taken only after those below it. Of equally few the larger gain, then the earlier ladders.
    """
    best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for ladder in ladders:
        gains = [sum(ladder[:count]) for count in range(len(ladder) + 1)]
        grown: dict[int, tuple[int, tuple[int, ...]]] = {}
        for total, (gained, counts) in best.items():
            for count, gain in enumerate(gains):
                candidate = (gained + gain, (*counts, count))
                grown[total + count] = max(grown.get(total + count, candidate), candidate)
        best = grown
    return next((best[total][1] for total in sorted(best) if best[total][0] >= wanted), None)


def _fewest_raises(assessment: Assessment, levels: Mapping[str, int], rule: LevelRule) -> set[str] | None:
    """The scenes to raise to a level so that enough stand there, by the fewest steps; None where there are too few.

    Of equally few steps the scenes that stand earlier on the form.
    """
    have, have_mandatory = assessment.count(rule.level, levels)
    wanted, wanted_mandatory = max(rule.scenes - have, 0), max(rule.mandatory - have_mandatory, 0)
    below = [
        (rule.level - levels.get(scene.key, 0), place, scene)
        for place, scene in enumerate(assessment.scenes)
        if levels.get(scene.key, 0) < rule.level
    ]
    mandatory = sorted(item for item in below if item[2].mandatory)
    guiding = sorted(item for item in below if not item[2].mandatory)
    candidates = []
    for count in range(wanted_mandatory, len(mandatory) + 1):
        rest = max(wanted - count, 0)
        if rest <= len(guiding):
            chosen = [*mandatory[:count], *guiding[:rest]]
            candidates.append((sum(cost for cost, _, _ in chosen), sorted(place for _, place, _ in chosen)))
    if not candidates:
        return None
    return {assessment.scenes[place].key for place in min(candidates)[1]}


# --- in words


def next_level_lines(assessment: Assessment, found: NextLevel | None) -> list[str]:
    """The gap and the steps in Chinese, one line each, the steps of one question or scene together."""
    if found is None:
        return [f"已达到最高等级（{LABELS[assessment.levels[-1].level]}）"]
    here = f"现为{LABELS[found.level]}，得分 {decimal_text(found.score)}"
    lines = [f"{here}；距{LABELS[found.target]}还差 {_short(found)}"]
    if found.unreachable:
        return [*lines, f"{found.unreachable}，按现行口径达不到{LABELS[found.target]}"]
    gained = Fraction(sum(step.gain for step in found.answer_steps), assessment.scale)
    parts = [f"得分 {len(found.answer_steps)} 步（+{decimal_text(gained)} 分）"] if found.answer_steps else []
    parts += [f"场景 {len(found.scene_steps)} 步"] if found.scene_steps else []
    lines.append(f"最少 {found.count} 步：{'，'.join(parts)}")
    for question in dict.fromkeys(step.question.key for step in found.answer_steps):
        lines.append(_answer_line(assessment, [step for step in found.answer_steps if step.question.key == question]))
    for key in dict.fromkeys(step.scene.key for step in found.scene_steps):
        lines.append(_scene_line([step for step in found.scene_steps if step.scene.key == key]))
    return lines


def _short(found: NextLevel) -> str:
    gap = found.gap
    wants = ((decimal_text(gap["points"]), "分"), (gap["scenes"], "个场景"), (gap["mandatory"], "个约束性场景"))
    return "、".join(f"{want} {unit}" for want, unit in wants if want not in ("0", 0))


def _answer_line(assessment: Assessment, steps: Sequence[AnswerStep]) -> str:
    question = steps[0].question
    named = [f"“{question.options[step.option].label}”" for step in steps]
    gain = decimal_text(Fraction(sum(step.gain for step in steps), assessment.scale))
    verb = f"增选{''.join(named)}" if question.multi else f"改进到{named[-1]}"
    return f"第{question.number}题 {verb}：{len(steps)} 步，+{gain} 分"


def _scene_line(steps: Sequence[SceneStep]) -> str:
    scene, last = steps[0].scene, steps[-1].level
    star = "*" if scene.mandatory else ""
    return f"{scene.label}{star} 由{LABELS[steps[0].level - 1]}升至{LABELS[last]}：{len(steps)} 步"
