"""What the sheets of the 评审工作簿 share: the three opinions, and where each stands on every sheet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbooks.assessment.layout import WORK as WORK
from workbooks.assessment.layout import Refs, option_rows
from workbooks.files.cellxml import column_letters
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.packs.policy import Version

OVERVIEW, QUESTIONS, SCENES, CHARTS, STEPS, OPTIONS = (
    "评审总览",
    "逐题评审",
    "逐场景评审",
    "雷达图和热力图",
    "升级步骤",
    "选项对照",
)
FIRST_ROW = 6
"""The first question and the first scene on their sheets."""
FIRST_OPTION, FIRST_WORK = 4, 4
RATE_PLACES = 6
UNFINISHED, UNREADABLE = "未评完", "填写有误"
AGREED, NOT_ANSWERED, NOT_READABLE = "一致", "自评未答", "自评有误"


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whose answers stand in a column. key: of its ports; the rest: the facts it holds, None where it has none."""

    key: str
    label: str
    answers: str
    scenes: str
    reasons: str | None = None
    person: str | None = None
    day: str | None = None

    @property
    def place(self) -> int:
        """0 自评, 1 评审, 2 复核."""
        return OPINIONS.index(self)


OPINIONS = (
    Opinion("self", "自评", "answers", "scenes"),
    Opinion("review", "评审", "reviewed_answers", "reviewed_scenes", "review_reasons", "reviewer", "review_date"),
    Opinion(
        "second",
        "复核",
        "second_reviewed_answers",
        "second_reviewed_scenes",
        "second_review_reasons",
        "second_reviewer",
        "second_review_date",
    ),
)
SELF, REVIEW, SECOND = OPINIONS
REVIEWS = (REVIEW, SECOND)

# 逐题评审: each opinion has an answer and its points; then the differences, the reasons, the evidence.
ANSWERS, POINTS = "DFH", "EGI"
DIFFERENCES, REASONS, EVIDENCE = "JK", "LM", "N"
# 逐场景评审.
LEVELS, SCENE_DIFFERENCES, SCENE_REASONS, SCENE_EVIDENCE = "CDE", "FG", "HI", "J"


def work_columns(first: int) -> tuple[str, str, str]:
    """The letters of three neighbouring columns on the hidden sheet, one an opinion."""
    one, two, three = (column_letters(first + place) for place in range(3))
    return one, two, three


# Hidden sheet: tick states by option; by question the text cleaned, whether it can be read, units, a mask of the ticks;
# by scene the level read ("" where blank), the level counted (none where blank), the same for functions.
STATES, CLEAN, READABLE, UNITS, MASKS = (work_columns(first) for first in (1, 5, 8, 11, 14))
READ_LEVELS, COUNTED, CALLED_LEVELS = (work_columns(first) for first in (18, 21, 24))
RESULT_NAMES, RESULTS = "AB", work_columns(29)
PARTS, PART_RATES = "AG", work_columns(34)


def span(column: str, first: int, count: int, sheet: str = WORK) -> str:
    """``计算!$K$4:$K$18``."""
    return f"{sheet}!${column}${first}:${column}${first + count - 1}"


def question_states(assessment: Assessment, opinion: Opinion) -> Iterator[tuple[Question, int, int, str]]:
    """Each question with the first and last row of its options and the range of its tick states."""
    for question, first, last in option_rows(assessment):
        yield question, first, last, span(STATES[opinion.place], first, last - first + 1)


def result_refs(names: Mapping[str, Any], opinion: Opinion) -> Refs:
    """The cell of each result of an opinion."""
    letter = RESULTS[opinion.place]
    return {name: f"{WORK}!${letter}${FIRST_WORK + row}" for row, name in enumerate(names)}


@dataclass(frozen=True, slots=True)
class Part:
    """A dimension or an indicator, and the places of the questions below it."""

    label: str
    top: bool
    questions: tuple[int, ...]

    def most(self, assessment: Assessment) -> int:
        """The most score units it can give."""
        return sum(assessment.questions[place].most for place in self.questions)


def parts(version: Version, assessment: Assessment) -> list[Part]:
    """The dimensions, then the indicators, in printed order."""
    data = next(row for row in version.data["mechanism"] if row["kind"] == "assessment")
    above = {row["key"]: row.get("under", "") for name in ("indicators", "items") for row in data[name]}

    def below(key: str, depth: int) -> tuple[int, ...]:
        found = []
        for place, question in enumerate(assessment.questions):
            up = question.item
            for _ in range(depth):
                up = above[up]
            if up == key:
                found.append(place)
        return tuple(found)

    tops = [Part(row["label"], True, below(row["key"], 2)) for row in data["dimensions"]]
    return tops + [Part(row["label"], False, below(row["key"], 1)) for row in data["indicators"]]


def step_lines(assessment: Assessment) -> int:
    """How many lines the steps to the next level take at most: two heads, then one a question or scene."""
    return 2 + len(assessment.questions) + len(assessment.scenes)


def points_words(opinion: Opinion) -> dict[str, str]:
    """What stands here in place of the words the 自评估报告 shows where it has no points."""
    blank = assessment_cells.UNANSWERED if opinion is SELF else ""
    return {assessment_cells.UNANSWERED: blank, assessment_cells.PROBLEMS[-1]: UNREADABLE}
