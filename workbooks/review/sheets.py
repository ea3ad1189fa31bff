"""逐题评审, 逐场景评审 and 选项对照: what a reviewer fills in, with points, differences and reasons beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from openpyxl.formatting.rule import FormulaRule
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.assessment.layout import option_rows
from workbooks.building import style
from workbooks.building.draft import PARAMETER_SHEET, Draft
from workbooks.form import UDF
from workbooks.review.answers import lettered, prompt, signs
from workbooks.review.layout import (
    AGREED,
    ANSWERS,
    COUNTED,
    DIFFERENCES,
    EVIDENCE,
    FIRST_OPTION,
    FIRST_ROW,
    FIRST_WORK,
    LEVELS,
    MASKS,
    NOT_ANSWERED,
    NOT_READABLE,
    OPINIONS,
    OPTIONS,
    POINTS,
    QUESTIONS,
    READ_LEVELS,
    REASONS,
    REVIEW,
    REVIEWS,
    SCENE_DIFFERENCES,
    SCENE_EVIDENCE,
    SCENE_REASONS,
    SCENES,
    SECOND,
    SELF,
    STATES,
    UNITS,
    WORK,
    Opinion,
    points_words,
    span,
)
from workbooks.review.work import question_call
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.levels import LABELS

_SCORE = "0.0##"
_GAIN = "+0.0##;-0.0##;0.0"
_LEVEL_GAIN = '+0"级";-0"级";0"级"'
_HEAD = FIRST_ROW - 2
_QUESTION_WIDTHS = (5.0, 28.0, 6.5, 9.5, 7.5, 9.5, 7.5, 9.5, 7.5, 9.0, 9.0, 20.0, 20.0, 22.0)
_SCENE_WIDTHS = (19.0, 13.0, 9.0, 9.0, 9.0, 9.0, 9.0, 23.0, 23.0, 26.0)
_DIFFERENCE_HEADS = ("评审与自评", "复核与评审\n（未评审的与自评）")
_NOTES = (
    "填表说明（本栏不打印）",
    "1. 字母按“选项对照”表填写，多选连写，如 BC；可把自评一栏复制到评审栏再逐项改。",
    "2. 空白表示尚未评审，不当作与自评相同；全部评完才有评审结果。",
    "3. 与自评不同的变橙色，须写理由；缺理由的理由格变红。",
)
_SCENE_NOTES = (
    "填表说明（本栏不打印）",
    "1. 等级从下拉列表选；自评未填的场景按无等级计，评审、复核空白表示尚未评审。",
    "2. 与自评不同的变橙色，须写理由；等级标准见“场景等级标准”表。",
)


def add_questions(draft: Draft, assessment: Assessment) -> None:
    """The sheet of questions, one row each."""
    sheet = draft.sheet(QUESTIONS)
    letters = "ABCDEFGHIJKLMN"
    style.widths(sheet, zip(letters, _QUESTION_WIDTHS, strict=True))
    heads = [("A", "A", "题号"), ("B", "B", "题目"), ("C", "C", "满分")]
    heads += [(answer, points, item.label) for answer, points, item in zip(ANSWERS, POINTS, OPINIONS, strict=True)]
    below = dict.fromkeys(ANSWERS, "答案") | dict.fromkeys(POINTS, "得分")
    last = _head(sheet, "逐题评审", heads, below, DIFFERENCES, REASONS, EVIDENCE, len(assessment.questions))
    scale = _cell(draft, "p_scale", 0)
    for place, question in enumerate(assessment.questions):
        row = FIRST_ROW + place
        kind = "多选" if question.multi else "单选"
        style.put(sheet, f"A{row}", question.number, align=style.CENTRE, font=style.READING)
        style.put(sheet, f"B{row}", f"{question.text}（{kind}）", font=style.READING)
        most = f"={_cell(draft, 'p_most', place)}/{scale}"
        style.computed_cell(sheet, f"C{row}", most, font=style.READING, format=_SCORE)
        for opinion in OPINIONS:
            style.input_cell(sheet, f"{ANSWERS[opinion.place]}{row}", format=style.TEXT)
            formula = _points(draft, assessment, question, place, opinion, scale)
            style.computed_cell(sheet, f"{POINTS[opinion.place]}{row}", formula, font=style.READING, format=_SCORE)
        _choices(sheet, question, row)
        for column, formula in zip(DIFFERENCES, _differences(FIRST_WORK + place, scale), strict=True):
            style.computed_cell(sheet, f"{column}{row}", formula, font=style.READING, format=_GAIN)
        _texts(sheet, row, (*REASONS, EVIDENCE))
        wide = style.text_height(f"{question.text}（{kind}）", _QUESTION_WIDTHS[1], style.READING)
        sheet.row_dimensions[row].height = max(34.0, wide)
    draft.port(sheet, f"C{FIRST_ROW}:C{last}", "o_most", "out")
    for opinion in OPINIONS:
        answers, points = ANSWERS[opinion.place], POINTS[opinion.place]
        label = f"{opinion.label}答案"
        draft.port(sheet, _rows(answers, last), f"i_{opinion.answers}", "in", fact=opinion.answers, label=label)
        draft.port(sheet, _rows(points, last), f"o_{opinion.key}_points", "out")
        _wrong(sheet, _rows(points, last))
    _ports(draft, sheet, last, "question", DIFFERENCES, REASONS)
    draft.port(sheet, _rows(EVIDENCE, last), "i_evidence", "in", fact="evidence", label="佐证材料索引")
    _marks(sheet, last, DIFFERENCES, REASONS, ANSWERS)
    _finish(sheet, "A1", f"N{last}", "P", _NOTES)


def add_scenes(draft: Draft, assessment: Assessment) -> None:
    """The sheet of scenes, one row each."""
    sheet = draft.sheet(SCENES)
    style.widths(sheet, zip("ABCDEFGHIJ", _SCENE_WIDTHS, strict=True))
    heads = [("A", "A", "一级指标"), ("B", "B", "业务场景"), ("C", "E", "等级")]
    below = dict(zip(LEVELS, (item.label for item in OPINIONS), strict=True))
    count = len(assessment.scenes)
    last = _head(sheet, "逐场景评审", heads, below, SCENE_DIFFERENCES, SCENE_REASONS, SCENE_EVIDENCE, count)
    for place, scene in enumerate(assessment.scenes):
        row = FIRST_ROW + place
        style.put(sheet, f"A{row}", scene.group, font=style.READING, align=style.CENTRE)
        label = scene.label + ("*" if scene.mandatory else "")
        style.put(sheet, f"B{row}", label, font=style.READING, align=style.CENTRE)
        for column in LEVELS:
            style.input_cell(sheet, f"{column}{row}")
        for column, formula in zip(SCENE_DIFFERENCES, _scene_differences(FIRST_WORK + place), strict=True):
            style.computed_cell(sheet, f"{column}{row}", formula, font=style.READING, format=_LEVEL_GAIN)
        _texts(sheet, row, (*SCENE_REASONS, SCENE_EVIDENCE))
        sheet.row_dimensions[row].height = 30
    span_of_levels = f"{LEVELS[0]}{FIRST_ROW}:{LEVELS[-1]}{last}"
    draft.dropdown(sheet, span_of_levels, list(LABELS), "未达到一级的选“无等级”；评审、复核空白表示尚未评审")
    for opinion in OPINIONS:
        column = LEVELS[opinion.place]
        label = f"{opinion.label}等级"
        draft.port(sheet, _rows(column, last), f"i_{opinion.scenes}", "in", fact=opinion.scenes, label=label)
    _ports(draft, sheet, last, "scene", SCENE_DIFFERENCES, SCENE_REASONS)
    draft.port(
        sheet, _rows(SCENE_EVIDENCE, last), "i_scene_evidence", "in", fact="scene_evidence", label="佐证材料索引"
    )
    _marks(sheet, last, SCENE_DIFFERENCES, SCENE_REASONS, LEVELS)
    _finish(sheet, "A1", f"J{last}", "L", _SCENE_NOTES)


def _rows(column: str, last: int) -> str:
    return f"{column}{FIRST_ROW}:{column}{last}"


def _cell(draft: Draft, port: str, place: int) -> str:
    cell = draft.cells(port)[place]
    return f"{PARAMETER_SHEET}!${cell.column_letter}${cell.row}"


def _head(
    sheet: Worksheet, title: str, heads: Sequence[tuple[str, str, str]], below: dict[str, str],
    differences: str, reasons: str, evidence: str, count: int,
) -> int:  # fmt: skip
    """Title and two rows of headings; returns the last row of the table."""
    heads = [
        *heads,
        (differences[0], differences[-1], "差异"),
        (reasons[0], reasons[-1], "理由（与所核对的一栏不同时必填）"),
        (evidence, evidence, "佐证材料索引\n（章节号和页码）"),
    ]
    below = below | dict(zip(differences, _DIFFERENCE_HEADS, strict=True))
    below |= {column: f"{item.label}理由" for column, item in zip(reasons, REVIEWS, strict=True)}
    style.merge(sheet, f"A1:{evidence}1", title, font=style.SUBTITLE, align=style.CENTRE, box=False)
    sheet.row_dimensions[1].height = 28
    style.merge(sheet, f"A2:{evidence}2", box=False, font=style.NOTE, align=style.START)
    sheet.row_dimensions[2].height, sheet.row_dimensions[3].height = 20, 4
    for first, last, text in heads:
        two_rows = first == last
        area = f"{first}{_HEAD}:{last}{_HEAD + 1}" if two_rows else f"{first}{_HEAD}:{last}{_HEAD}"
        style.merge(sheet, area, text, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    for column, text in below.items():
        style.put(sheet, f"{column}{_HEAD + 1}", text, font=style.SMALL_HEADING, fill=style.HEADER, align=style.CENTRE)
    sheet.row_dimensions[_HEAD].height, sheet.row_dimensions[_HEAD + 1].height = 22, 40
    return FIRST_ROW + count - 1


def _texts(sheet: Worksheet, row: int, columns: Sequence[str]) -> None:
    for column in columns:
        style.input_cell(sheet, f"{column}{row}", align=style.LEFT, font=style.READING, format=style.TEXT)


def _choices(sheet: Worksheet, question: Question, row: int) -> None:
    """A list for a 单选; for a 多选 no more than a hint, because a list cannot hold combinations."""
    if question.multi:
        rule = DataValidation("textLength", operator="lessThanOrEqual", formula1=str(2 * len(question.printed)))
        rule.error = f"最多选 {len(question.printed)} 项，只填字母"
    else:
        rule = DataValidation("list", formula1='"' + ",".join(signs(question)) + '"', allow_blank=True)
        rule.error = f"请从下拉列表中选择：{'、'.join(signs(question))}"
    rule.errorTitle, rule.promptTitle, rule.prompt = "填写有误", f"第{question.number}题", prompt(question)
    rule.showErrorMessage = rule.showInputMessage = True
    sheet.add_data_validation(rule)
    for column in ANSWERS:
        rule.add(f"{column}{row}")


def _points(draft: Draft, assessment: Assessment, question: Question, place: int, opinion: Opinion, scale: str) -> str:
    """The points of an answer, or what is wrong with it; a review that is not there shows nothing."""
    units = f"{WORK}!${UNITS[opinion.place]}${FIRST_WORK + place}"
    formula = assessment_cells.score_text(units, scale)
    if draft.flavour == UDF:
        _, first, last = option_rows(assessment)[place]
        ticks = span(STATES[opinion.place], first, last - first + 1)
        formula = formula.replace(f"{units}/{scale}", question_call(draft, place, ticks))
    for old, new in points_words(opinion).items():
        formula = formula.replace(f'"{old}"', f'"{new}"')
    return formula


def _differences(row: int, scale: str) -> Iterator[str]:
    masks, units = ([f"{WORK}!${letter}${row}" for letter in letters] for letters in (MASKS, UNITS))

    def against(opinion: Opinion, other: Opinion) -> str:
        one, two = masks[opinion.place], masks[other.place]
        gain = f"({units[opinion.place]}-{units[other.place]})/{scale}"
        return f'IF({two}="","{NOT_ANSWERED}",IF({one}={two},"{AGREED}",{gain}))'

    return _both([f'{mask}=""' for mask in masks], against)


def _scene_differences(row: int) -> Iterator[str]:
    read = [f"{WORK}!${letter}${row}" for letter in READ_LEVELS]
    counted = [f"{WORK}!${letter}${row}" for letter in COUNTED]

    def against(opinion: Opinion, other: Opinion) -> str:
        one, two = counted[opinion.place], counted[other.place]
        return f'IF({two}<0,"{NOT_READABLE}",IF({one}={two},"{AGREED}",{one}-{two}))'

    return _both([f'IF({cell}="",TRUE,{cell}<0)' for cell in read], against)


def _both(open_: Sequence[str], against: Callable[[Opinion, Opinion], str]) -> Iterator[str]:
    """评审 against 自评; 复核 against 评审 where there is one, else 自评. open_: tests for what is not there."""
    yield f'=IF({open_[REVIEW.place]},"",{against(REVIEW, SELF)})'
    upheld = f"IF({open_[REVIEW.place]},{against(SECOND, SELF)},{against(SECOND, REVIEW)})"
    yield f'=IF({open_[SECOND.place]},"",{upheld})'


def _ports(draft: Draft, sheet: Worksheet, last: int, of: str, differences: str, reasons: str) -> None:
    for column, reason, opinion in zip(differences, reasons, REVIEWS, strict=True):
        draft.port(sheet, _rows(column, last), f"o_{opinion.key}_{of}_differences", "out")
        name = f"i_{of}_{opinion.reasons}"
        draft.port(sheet, _rows(reason, last), name, "in", fact=opinion.reasons, label=f"{opinion.label}理由")


def differs(ref: str) -> str:
    """A test for a difference cell that shows one."""
    return f'AND({ref}<>"",{ref}<>"{AGREED}")'


def blank(ref: str) -> str:
    """A test for a text that says nothing."""
    return f'SUBSTITUTE(SUBSTITUTE({ref}," ",""),"　","")=""'


def _marks(sheet: Worksheet, last: int, differences: str, reasons: str, filled: str) -> None:
    """Orange where an opinion differs, red where its reason is wanting."""
    for difference, reason, opinion in zip(differences, reasons, REVIEWS, strict=True):
        test = differs(f"${difference}{FIRST_ROW}")
        orange = FormulaRule(formula=[test], fill=style.ORANGE)
        sheet.conditional_formatting.add(_rows(filled[opinion.place], last), orange)
        sheet.conditional_formatting.add(_rows(difference, last), FormulaRule(formula=[test], fill=style.ORANGE))
        wanting = f"AND({test},{blank(f'${reason}{FIRST_ROW}')})"
        sheet.conditional_formatting.add(_rows(reason, last), FormulaRule(formula=[wanting], fill=style.RED))


def _wrong(sheet: Worksheet, area: str) -> None:
    first = area.partition(":")[0]
    words = f'AND(ISTEXT({first}),{first}<>"",{first}<>"{assessment_cells.UNANSWERED}")'
    sheet.conditional_formatting.add(area, FormulaRule(formula=[words], fill=style.RED))


def _finish(sheet: Worksheet, first: str, last: str, beside: str, notes: Sequence[str]) -> None:
    sheet.freeze_panes = f"C{FIRST_ROW}"
    style.legend(sheet, f"{beside}1", f"{chr(ord(beside) + 1)}1", f"{chr(ord(beside) + 2)}1")
    style.notes(sheet, beside, 2, notes[:1])
    style.notes(sheet, beside, _HEAD, notes[1:])
    style.page(sheet, f"{first}:{last}", landscape=True, header_rows=f"{_HEAD}:{_HEAD + 1}")
    sheet.page_setup.fitToHeight = 1
    style.protect(sheet)


def add_options(draft: Draft, assessment: Assessment) -> None:
    """What is written for each option, and what it gives."""
    sheet = draft.sheet(OPTIONS)
    widths = (6.0, 34.0, 8.0, 42.0, 8.0)
    style.widths(sheet, zip("ABCDE", widths, strict=True))
    style.merge(sheet, "A1:E1", "选项对照", font=style.SUBTITLE, align=style.CENTRE, box=False)
    sheet.row_dimensions[1].height = 28
    for column, label in zip("ABCDE", ("题号", "题目", "填写", "选项", "分值"), strict=True):
        style.put(sheet, f"{column}3", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    scale = _cell(draft, "p_scale", 0)
    points = [cell for cell in draft.cells("p_options") if cell.column_letter == "C"]
    breaks = []
    for question, first, last in option_rows(assessment):
        for row, (code, sign) in enumerate(zip(question.printed, signs(question), strict=True), first):
            option = question.options[question.index(code) or 0]
            style.put(sheet, f"C{row}", sign if lettered(question) else option.label, align=style.CENTRE)
            style.put(sheet, f"D{row}", option.label, font=style.READING)
            style.put(sheet, f"A{row}"), style.put(sheet, f"B{row}")
            unit = points[row - FIRST_OPTION]
            formula = f"={PARAMETER_SHEET}!${unit.column_letter}${unit.row}/{scale}"
            style.computed_cell(sheet, f"E{row}", formula, font=style.READING, format=_SCORE)
            sheet.row_dimensions[row].height = max(18.0, style.text_height(option.label, widths[3], style.READING))
        kind = "多选" if question.multi else "单选"
        text = f"{question.text}（{kind}）"
        style.merge(sheet, f"A{first}:A{last}", question.number, align=style.CENTRE, font=style.READING)
        style.merge(sheet, f"B{first}:B{last}", text, font=style.READING)
        style.grow(sheet, first, last, style.text_height(text, widths[1], style.READING))
        breaks.append((first, last))
    end = breaks[-1][1]
    draft.port(sheet, f"E{FIRST_OPTION}:E{end}", "o_option_points", "out")
    sheet.freeze_panes = f"A{FIRST_OPTION}"
    style.page(sheet, f"A1:E{end}", landscape=False, header_rows="3:3", breaks=_page_ends(sheet, breaks))
    style.protect(sheet)


def _page_ends(sheet: Worksheet, blocks: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The rows after which a page ends, so that no question is cut."""
    room = style.page_room(sheet, "ABCDE", landscape=False) - 60
    used = 0.0
    for first, last in blocks:
        height = sum(float(sheet.row_dimensions[row].height) for row in range(first, last + 1))
        if used and used + height > room:
            yield first - 1
            used = 0.0
        used += height
