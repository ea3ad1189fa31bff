"""What the sheets of the 自评估报告 share: their names, where options and results stand, how questions fill pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.mechanisms.assessment_score import Assessment

SUMMARY, QUESTIONS, SCENES, FIGURES, CRITERIA, WORK = (
    "整体情况",
    "评测表",
    "等级判定表",
    "数据填报",
    "场景等级标准",
    "计算",
)
FIRST_OPTION_ROW = 4
FIRST_SCENE_ROW = 4

Refs = dict[str, str]
Span = tuple[Question, int, int]
"""A question with the first and last row of its options."""


def option_rows(assessment: Assessment) -> list[Span]:
    """Each question with the first and last row of its options on the form, in printed order."""
    rows, row = [], FIRST_OPTION_ROW
    for question in assessment.questions:
        rows.append((question, row, row + len(question.options) - 1))
        row += len(question.options)
    return rows


def result_names(assessment: Assessment) -> Mapping[str, Any]:
    """The results of the assessment by name, in the order of their cells."""
    return assessment_cells.result_values(assessment, [""] * len(assessment.questions), [0] * len(assessment.scenes))


def work_row(assessment: Assessment, name: str) -> int:
    """The row of a result on the hidden sheet."""
    return 4 + list(result_names(assessment)).index(name)


def result_refs(assessment: Assessment) -> Refs:
    """The cell of each result."""
    return {name: f"{WORK}!$H${4 + place}" for place, name in enumerate(result_names(assessment))}


def page_ends(
    spans: Sequence[Span], chain: Callable[[Question], Sequence[str]], height: Callable[[Span], float], room: float
) -> list[int]:
    """The rows after which a page ends, so that no question is cut and indicators stay whole where they fit.

    chain: the indicators above a question, widest first. room: the height of rows on each page.
    """
    ends: list[int] = []
    used = 0.0

    def place(block: Sequence[Span], depth: int) -> None:
        nonlocal used
        wanted = sum(map(height, block))
        if used and used + wanted > room and (wanted <= room or len(block) == 1):
            ends.append(block[0][1] - 1)
            used = 0.0
        if used + wanted <= room or len(block) == 1:
            used += wanted
            return
        for part in _parts(block, chain, depth):
            place(part, depth + 1)

    # A dimension is too long to be kept whole.
    for part in _parts(spans, chain, 1):
        place(part, 2)
    return ends


def _parts(block: Sequence[Span], chain: Callable[[Question], Sequence[str]], depth: int) -> Iterable[list[Span]]:
    """A block by the indicator at a depth; below the last indicator, question by question."""
    return [list(part) for _, part in groupby(block, key=lambda span: (*chain(span[0]), span[0].key)[depth])]
