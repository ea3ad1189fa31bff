"""Cells that make one value together: the answers, the scenes and the facts of one enterprise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from udfs.coercion import Grid, UdfError, fact_value, read, screen, shown
from xlcalc.errors import InputError
from xlcalc.facts import Fact, catalogue
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.text import normalise, parse_tick, squeeze

_SEPARATORS = re.compile(r"[、,;/|\s]+")
_WITH_UNIT = re.compile(r"(.+)\((元|万元)\)")
_BETWEEN_CHOICES = re.compile(r"[;,\n]")

Cells = tuple[object, ...]
Pairs = tuple[tuple[object, object], ...]
"""Names and values of one enterprise, as cells."""

Choices = tuple[tuple[str, str], ...]
"""Interpretation ids and the codes of the options in force."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """The facts of one enterprise, what could not be read of them, and the names that no fact has.

    error: the first error value among the cells of facts.
    """

    facts: Mapping[str, object]
    problems: tuple[InputError, ...] = ()
    unused: tuple[str, ...] = ()
    error: UdfError | None = None

    def sound(self) -> Record:
        """The record itself; raises the first of its problems."""
        if self.problems:
            raise self.problems[0]
        return self


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


def read_choices(grid: Grid) -> Choices | UdfError | InputError | None:
    """The options chosen: ``AMB-31=literal；AMB-01=combined`` in one cell, or ids and codes in two columns.

    None where there are none; the UdfError or InputError where they are unusable.
    """
    try:
        cells = [[read("text", cell) for cell in row] for row in grid]
        for cell in (cell for row in cells for cell in row):
            if isinstance(cell, UdfError | InputError):
                return cell
        if len(grid[0]) == 2:
            pairs = [(row[0] or "", row[1] or "") for row in cells if row != [None, None]]
        elif len(grid) == len(grid[0]) == 1:
            parts = [part for part in _BETWEEN_CHOICES.split(normalise(str(cells[0][0] or ""))) if part.strip()]
            pairs = [_id_and_code(part) for part in parts]
        else:
            message = f"口径须为一个单元格或两列（编号、选项），现为 {len(grid)} 行 {len(grid[0])} 列"
            raise InputError("E-RANGE", message, remedy="请重新选择区域")
        return _once(tuple((squeeze(str(key)).upper(), squeeze(str(code))) for key, code in pairs)) or None
    except InputError as error:
        return error


def _id_and_code(part: str) -> tuple[str, str]:
    key, equals, code = part.partition("=")
    if not equals:
        raise InputError("E-CHOICE", f"口径“{part.strip()[:40]}”缺少等号", remedy="请写成 编号=选项，如 AMB-31=literal")
    return key, code


def _once(pairs: Choices) -> Choices:
    found: dict[str, str] = {}
    for key, code in pairs:
        if found.setdefault(key, code) != code:
            raise InputError("E-CHOICE", f"口径 {key[:20]} 写了两次，选项不同", remedy="请只保留一处")
    return tuple(found.items())


def read_cells(cells: Cells) -> Cells | UdfError | None:
    """The cells screened; None where all are empty, the first error value where there is one."""
    screened = tuple(screen(cell) for cell in cells)
    error = next((cell for cell in screened if isinstance(cell, UdfError)), None)
    return error or (screened if any(cell is not None for cell in screened) else None)


def read_answers(form: Assessment, cells: Cells) -> Mapping[str, object] | UdfError | None:
    """Answers by question key, one cell a question or one tick cell an option; None while one is missing."""
    screened = read_cells(cells)
    if screened is None or isinstance(screened, UdfError):
        return screened
    if len(cells) == sum(len(question.printed) for question in form.questions):
        ticks = iter(screened)
        answers = [read_ticks(question, [next(ticks) for _ in question.printed]) for question in form.questions]
    else:
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


def read_ticks(question: Question, cells: Sequence[object]) -> list[str] | None:
    """The option codes that are ticked, cells in printed order: √, 是, 1 or the like; □, 否, 0 or nothing."""
    _as_many(cells, len(question.printed), "个勾选格")
    ticked = []
    for code, cell in zip(question.printed, cells, strict=True):
        state = False if cell is None else None if isinstance(cell, bool) else parse_tick(shown(cell))
        if state is None:
            raise InputError(
                "E-TICK", f"第{question.number}题勾选格里的“{str(cell)[:20]}”不是勾选符号", where=question.key,
                remedy="勾选请选 √，不勾选请留空",
            )  # fmt: skip
        if state:
            ticked.append(code)
    return ticked or None


def read_question(question: Question, cells: Cells) -> list[str] | None:
    """The option codes of one question: its answer in one cell, or its tick cells."""
    return read_answer(question, cells[0]) if len(cells) == 1 else read_ticks(question, cells)


def question_named(form: Assessment, name: str) -> Question:
    """The question called ``3``, ``第3题`` or ``q3``; raises InputError ``E-ANSWER`` for another."""
    wanted = squeeze(name).casefold()
    for question in form.questions:
        if wanted in (str(question.number), f"第{question.number}题", question.key):
            return question
    raise InputError(
        "E-ANSWER", f"没有题号“{name[:20]}”", where="question", remedy=f"题号为 1 至 {len(form.questions)}"
    )


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
        name, unit = name_and_unit(heading)
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


def name_and_unit(heading: object) -> tuple[str, str | None]:
    """What a heading names, and the unit of amounts it ends with: ``核定投入（万元）``."""
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
