"""Cells that make one value together: the answers, the scenes and the facts of one enterprise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from udfs.coercion import Grid, UdfError, fact_value, read, screen
from xlcalc.errors import InputError
from xlcalc.facts import Fact, catalogue
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.text import normalise, squeeze

_SEPARATORS = re.compile(r"[、,;/|\s]+")
_WITH_UNIT = re.compile(r"(.+)\((元|万元)\)")

Cells = tuple[object, ...]
Pairs = tuple[tuple[object, object], ...]
"""Names and values of one enterprise, as cells."""


@dataclass(frozen=True, slots=True)
class Record:
    """The facts of one enterprise, what could not be read of them, and the names that no fact has.

    error: the first error value among the cells of facts.
    """

    facts: Mapping[str, object]
    problems: tuple[InputError, ...] = ()
    unused: tuple[str, ...] = ()
    error: UdfError | None = None


def questionnaires(grid: Grid) -> list[list[Cells]]:
    """A column is one enterprise; of several columns each row is one."""
    if len(grid[0]) == 1:
        return [[tuple(row[0] for row in grid)]]
    return [[tuple(row)] for row in grid]


def fact_pairs(names: Grid, data: Grid) -> list[list[Pairs]]:
    """Names and values side by side; or a row of headings and rows of data, giving a column; or both standing.

    Raises InputError ``E-RANGE`` where the ranges do not fit each other.
    """
    if data == [[None]]:
        if len(names[0]) != 2:
            message = f"事实区域须为两列（名称、内容），现为 {len(names[0])} 列"
            raise InputError("E-RANGE", message, remedy="请选择两列，或另给数据区域")
        return [[tuple((name, value) for name, value in names)]]
    if len(names) > 1 and len(names[0]) == 1:
        across = fact_pairs(_transposed(names), _transposed(data))
        return [[column[0] for column in across]]
    if len(names) != 1 or len(names[0]) != len(data[0]):
        message = f"标题为 {len(names)} 行 {len(names[0])} 列，数据为 {len(data[0])} 列，不能对应"
        raise InputError("E-RANGE", message, remedy="请选择一行标题，数据与标题同宽")
    return [[tuple(zip(names[0], row, strict=True))] for row in data]


def _transposed(grid: Grid) -> Grid:
    return [list(column) for column in zip(*grid, strict=True)]


def read_answers(form: Assessment, cells: Cells) -> Mapping[str, object] | UdfError | None:
    """Answers by question key; None while one is missing."""
    screened = [screen(cell) for cell in cells]
    if not any(cell is not None for cell in screened):
        return None
    for cell in screened:
        if isinstance(cell, UdfError):
            return cell
    _as_many(screened, len(form.questions), "题")
    answers = [read_answer(question, cell) for question, cell in zip(form.questions, screened, strict=True)]
    named = {
        question.key: answer for question, answer in zip(form.questions, answers, strict=True) if answer is not None
    }
    form.read_answers(named)  # what contradicts itself is an error even while others are missing
    return named if len(named) == len(form.questions) else None


def read_scenes(form: Assessment, cells: Cells) -> Mapping[str, object] | UdfError | None:
    """Levels by scene key, those without a level left out; None for a single empty cell."""
    levels = [read("level", cell) for cell in cells]
    if levels == [None]:
        return None
    for level in levels:
        if isinstance(level, UdfError):
            return level
        if isinstance(level, InputError):
            raise level
    _as_many(levels, len(form.scenes), "个场景")
    return {scene.key: level for scene, level in zip(form.scenes, levels, strict=True) if level is not None}


def _as_many(cells: Sequence[object], wanted: int, what: str) -> None:
    if len(cells) != wanted:
        raise InputError("E-RANGE", f"须有 {wanted} {what}，现有 {len(cells)} 个单元格", remedy="请重新选择区域")


def read_answer(question: Question, cell: object) -> list[str] | None:
    """The option codes a cell names: by code or label, several separated, or letters written together."""
    if cell is None:
        return None
    if not isinstance(cell, str):
        raise InputError("E-ANSWER", f"第{question.number}题的答案不是文字", remedy="请填写选项的字母或名称")
    spellings = [(word, option.code) for option in question.options for word in (option.label, option.code)]
    words = {squeeze(word).casefold(): code for word, code in spellings}
    if (whole := squeeze(cell).casefold()) in words:
        return [words[whole]]
    parts = [part for part in _SEPARATORS.split(normalise(cell).casefold()) if part]
    if all(len(option.code) == 1 for option in question.options):
        parts = list("".join(parts))
    if not parts or any(part not in words for part in parts):
        allowed = "、".join(option.code for option in question.options)
        raise InputError(
            "E-ANSWER", f"第{question.number}题没有选项“{cell[:20]}”", where=question.key, remedy=f"可选：{allowed}"
        )
    return [words[part] for part in parts]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a named cell belongs: a fact, or with ``part`` one question or scene of it. read: cell and unit."""

    fact: str
    part: str | None
    label: str
    read: Callable[[object, str | None], object]


def targets(form: Assessment | None) -> dict[str, Target]:
    """Every name a heading may have: ids, labels and aliases; with a questionnaire also 第1题 (q1) and the scenes."""
    found = {}
    for known in catalogue().values():
        target = Target(known.id, None, known.label, partial(fact_value, known))
        found.update(dict.fromkeys(map(squeeze, (known.id, known.label, *known.aliases)), target))
    if form is None:
        return found
    for question in form.questions:
        target = Target(form.answers, question.key, f"第{question.number}题", partial(_named_answer, question))
        found.update(dict.fromkeys((question.key, target.label), target))
    for scene in form.scenes:
        level = Fact(id=scene.key, label=scene.label, type="level")
        target = Target(form.scenes_fact, scene.key, scene.label, partial(fact_value, level))
        found.update(dict.fromkeys((scene.key, squeeze(scene.label)), target))
    return found


def _named_answer(question: Question, cell: object, _: str | None) -> list[str] | None:
    cell = screen(cell)
    if isinstance(cell, UdfError):
        raise InputError("E-CELL-ERROR", f"第{question.number}题：单元格是错误值 {cell}", remedy="请改为实际内容")
    return read_answer(question, cell)


def read_record(known: Mapping[str, Target], pairs: Pairs) -> Record | None:
    """The facts that names and values say; None where none of the known names has a value: a row still empty.

    known: see ``targets``; a heading may end with a unit in brackets. What cannot be read is a problem of the
    record and leaves the fact missing.
    """
    found: list[tuple[Target, object, str | None]] = []
    unused = []
    for heading, value in pairs:
        name, unit = _name_and_unit(heading)
        target, cell = known.get(name), screen(value)
        if target is not None:
            found.append((target, cell, unit))
        elif name and cell is not None:
            unused.append(str(heading).strip()[:30])
    if all(cell is None for _, cell, _ in found) and (found or not unused):
        return None
    facts: dict[str, Any] = {}
    problems = []
    for target, cell, unit in found:
        try:
            _put(facts, target, target.read(cell, unit))
        except InputError as error:
            problems.append(error)
    error_cell = next((cell for _, cell, _ in found if isinstance(cell, UdfError)), None)
    return Record(facts, tuple(problems), tuple(unused), error_cell)


def _name_and_unit(heading: object) -> tuple[str, str | None]:
    name = squeeze(heading) if isinstance(heading, str) else str(heading if heading is not None else "")
    match = _WITH_UNIT.fullmatch(name)
    return (match[1], match[2]) if match else (name, None)


def _put(facts: dict[str, Any], target: Target, value: object) -> None:
    """Scenes that are named but left empty count as answered: they have no level."""
    into = facts if target.part is None else facts.setdefault(target.fact, {})
    key = target.part or target.fact
    if value is None:
        return
    if into.setdefault(key, value) != value:
        raise InputError("E-FACT-TWICE", f"{target.label}填写了两次，且内容不同", where=key, remedy="请只保留一处")
