"""What the cells of an opinion say, and how the opinions on one enterprise differ, item by item."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from workbooks.review.answers import codes_of, readable, states
from workbooks.review.layout import AGREED, NOT_ANSWERED, NOT_READABLE, REVIEW, SECOND, SELF, Opinion
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_answers import Question, read_answer
from xlcalc.mechanisms.assessment_score import Assessment

Difference = Fraction | int | str
"""By how much an opinion differs; 一致, or why it cannot be said; "" where there is no opinion."""


@dataclass(frozen=True, slots=True)
class Said:
    """The cells of one opinion: answers as cleaned text, levels as codes ("" blank, -1 unreadable), printed order."""

    texts: tuple[str, ...]
    levels: tuple[int | str, ...]

    def states(self, assessment: Assessment) -> list[list[int]]:
        """The tick states of each question, in printed order."""
        return [states(question, text) for question, text in zip(assessment.questions, self.texts, strict=True)]

    def readable(self, assessment: Assessment) -> list[int | str]:
        """Whether each answer can be read: 1, 0, or "" where there is none."""
        return [readable(question, text) for question, text in zip(assessment.questions, self.texts, strict=True)]

    def units(self, assessment: Assessment) -> list[int | str]:
        """The score units of each question: "" unanswered, negative where the answer is wrong in itself."""
        return [
            assessment_cells.question_units_value(question, _in_pack_order(question, ticks))
            for question, ticks in zip(assessment.questions, self.states(assessment), strict=True)
        ]

    def masks(self, assessment: Assessment) -> list[int | str]:
        """The options ticked as one number each, "" where no valid answer stands."""
        both = zip(self.units(assessment), self.states(assessment), strict=True)
        return ["" if unit == "" or int(unit) < 0 else sum(s << n for n, s in enumerate(t)) for unit, t in both]

    def codes(self) -> list[int]:
        """The scene levels as they are counted: a blank one is none."""
        return [0 if level == "" else int(level) for level in self.levels]

    def answers(self, assessment: Assessment) -> dict[str, Any]:
        """The valid answers as facts have them."""
        found: dict[str, Any] = {}
        rows = zip(assessment.questions, self.masks(assessment), self.states(assessment), strict=True)
        for question, mask, ticks in rows:
            codes = codes_of(question, ticks)
            if mask != "" and read_answer(question, codes) is not None:
                found[question.key] = codes if question.multi else codes[0]
        return found

    def scenes(self, assessment: Assessment) -> dict[str, int]:
        """The readable levels as facts have them."""
        both = zip(assessment.scenes, self.levels, strict=True)
        return {scene.key: level for scene, level in both if isinstance(level, int) and level >= 0}

    def done(self, assessment: Assessment) -> int:
        """How many questions and scenes have a valid entry."""
        return sum(mask != "" for mask in self.masks(assessment)) + len(self.scenes(assessment))

    def complete(self, assessment: Assessment) -> bool:
        """Whether nothing is left to fill in."""
        return self.done(assessment) == len(assessment.questions) + len(assessment.scenes)


def _in_pack_order(question: Question, ticks: Sequence[int]) -> list[int]:
    by_code = dict(zip(question.printed, ticks, strict=True))
    return [by_code[option.code] for option in question.options]


def question_differences(assessment: Assessment, said: Sequence[Said]) -> dict[str, list[tuple[Opinion, Difference]]]:
    """By the key of 评审 and 复核: for each question which opinion it is held against, and the points between them."""
    masks = [item.masks(assessment) for item in said]
    units = [item.units(assessment) for item in said]

    def against(place: int, one: Opinion, other: Opinion) -> Difference:
        own, held = masks[one.place][place], masks[other.place][place]
        if held == "":
            return NOT_ANSWERED
        if own == held:
            return AGREED
        return Fraction(int(units[one.place][place]) - int(units[other.place][place]), assessment.scale)

    return _both(len(assessment.questions), lambda at, place: masks[at][place] == "", against)


def scene_differences(assessment: Assessment, said: Sequence[Said]) -> dict[str, list[tuple[Opinion, Difference]]]:
    """The same for each scene, in levels; a scene the enterprise left blank is held against as none."""
    codes = [item.codes() for item in said]

    def against(place: int, one: Opinion, other: Opinion) -> Difference:
        own, held = codes[one.place][place], codes[other.place][place]
        return NOT_READABLE if held < 0 else AGREED if own == held else own - held

    def open_(at: int, place: int) -> bool:
        level = said[at].levels[place]
        return level == "" or int(level) < 0

    return _both(len(assessment.scenes), open_, against)


def _both(
    count: int, open_: Callable[[int, int], bool], against: Callable[[int, Opinion, Opinion], Difference]
) -> dict[str, list[tuple[Opinion, Difference]]]:
    found: Mapping[str, list[tuple[Opinion, Difference]]] = {REVIEW.key: [], SECOND.key: []}
    for place in range(count):
        found[REVIEW.key].append((SELF, "" if open_(REVIEW.place, place) else against(place, REVIEW, SELF)))
        other = SELF if open_(REVIEW.place, place) else REVIEW
        found[SECOND.key].append((other, "" if open_(SECOND.place, place) else against(place, SECOND, other)))
    return dict(found)


def is_difference(value: Difference) -> bool:
    """Whether an opinion departs from what it is held against, and so needs a reason."""
    return value not in ("", AGREED)


def result_values(assessment: Assessment, opinion: Opinion, said: Said) -> dict[str, Any]:
    """The results of an opinion, as the hidden sheet shows them.

    A review has a level only when every scene is reviewed; in 自评 a scene left blank counts as none, as on the form.
    """
    values = assessment_cells.result_values(assessment, said.units(assessment), said.codes())
    if opinion is not SELF and len(said.scenes(assessment)) < len(assessment.scenes):
        empty = ("level", "scenes_at_level", "mandatory_at_level", "gap_points", "gap_scenes", "gap_mandatory")
        values |= dict.fromkeys(empty, "")
        values["level_text"] = assessment_cells.BAD_SCENE if -1 in said.codes() else assessment_cells.INCOMPLETE
    return values
