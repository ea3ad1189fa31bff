"""Builds the 评审工作簿: 自评, 评审 and 复核 side by side, with live scores, levels, differences and charts."""

from __future__ import annotations

from collections.abc import Iterator

from openpyxl.formatting.rule import FormulaRule
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.assessment.figures import add_criteria
from workbooks.assessment.layout import result_names
from workbooks.assessment.text import summary_text
from workbooks.building import style
from workbooks.building.draft import Draft, add_basis, add_choices
from workbooks.building.findings_sheet import add_findings, mark_findings
from workbooks.recommendation.payment_sheet import input_for
from workbooks.review.charts import add_charts
from workbooks.review.layout import (
    AGREED,
    DIFFERENCES,
    FIRST_ROW,
    FIRST_WORK,
    OPINIONS,
    OVERVIEW,
    QUESTIONS,
    READ_LEVELS,
    REASONS,
    REVIEW,
    REVIEWS,
    SCENE_DIFFERENCES,
    SCENE_REASONS,
    SCENES,
    SECOND,
    SELF,
    STEPS,
    UNFINISHED,
    UNITS,
    Opinion,
    parts,
    result_refs,
    span,
    step_lines,
)
from workbooks.review.sheets import add_options, add_questions, add_scenes, blank
from workbooks.review.work import add_work, answered, units_of
from xlcalc.facts import fact
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.levels import LABELS

_HEAD = 8
_COLUMNS = "BCD"
_GAIN = "+0.0##;-0.0##;0.0"


def build(draft: Draft) -> None:
    """Lays out every sheet; formulas refer to parameters on the hidden sheet only."""
    version = draft.versions[draft.form.policies[0]]
    assessment: Assessment = version.mechanism("assessment", version.own_choices(draft.choices))
    overview = draft.sheet(OVERVIEW)
    add_work(draft, assessment)
    _overview(draft, overview, assessment)
    add_questions(draft, assessment)
    add_scenes(draft, assessment)
    add_charts(draft, assessment)
    _steps(draft, assessment)
    add_findings(draft)
    for place, name in enumerate((OVERVIEW, QUESTIONS, SCENES), 1):
        mark_findings(draft, draft.book[name], place)
    add_options(draft, assessment)
    add_criteria(draft, assessment)
    add_basis(draft)
    add_choices(draft)


def _overview(draft: Draft, sheet: Worksheet, assessment: Assessment) -> None:
    style.widths(sheet, zip("ABCDEF", (23.0, 19.0, 19.0, 19.0, 14.0, 14.0), strict=True))
    style.merge(sheet, "A1:F1", draft.form.title, font=style.TITLE, align=style.CENTRE, box=False)
    sheet.row_dimensions[1].height = 44
    _header(draft, sheet)
    heads = ("项目", *(item.label for item in OPINIONS), "评审比自评", "复核比评审")
    for column, label in zip("ABCDEF", heads, strict=True):
        style.put(sheet, f"{column}{_HEAD}", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    sheet.row_dimensions[_HEAD].height = 24
    row = _HEAD + 1
    for label, name, formulas, height in _rows(draft, assessment):
        font = style.STRONG if name in ("o_score", "o_level") else style.BODY
        style.put(sheet, f"A{row}", label, font=style.HEADING, align=style.CENTRE)
        for column, formula in zip("BCDEF", formulas, strict=True):
            style.put(sheet, f"{column}{row}", fill=style.COMPUTED)
            if formula:
                number = _GAIN if column in "EF" else "0.0##" if name.startswith(("o_score", "o_part")) else "0"
                style.computed_cell(sheet, f"{column}{row}", formula, font=font, format=number)
        sheet.row_dimensions[row].height = height
        filled = [column for column, formula in zip("BCDEF", formulas, strict=True) if formula]
        draft.port(sheet, f"{filled[0]}{row}:{filled[-1]}{row}", name, "out")
        row += 1
    count = len(assessment.questions) + len(assessment.scenes)
    for column in _COLUMNS:
        sheet[f"{column}{_HEAD + 1}"].number_format = f'0"/{count}"'
    wanting = FormulaRule(formula=[f"AND(ISNUMBER(C{row - 1}),C{row - 1}>0)"], fill=style.RED)
    sheet.conditional_formatting.add(f"C{row - 1}:D{row - 1}", wanting)
    notes = (
        "空白的评审、复核表示尚未评审，不当作与自评相同；全部评完才有该栏的得分、等级和差距。",
        "自评未填等级的场景按无等级计，与自评估报告一致。差异按答案和等级比较，得分相同而选项不同的也算。",
        f"{assessment.rule_notice}。",
    )
    for line in notes:
        style.merge(sheet, f"A{row}:F{row}", line, font=style.NOTE, box=False)
        sheet.row_dimensions[row].height = style.text_height(line, 106, style.NOTE)
        row += 1
    style.legend(sheet, "H3", "H4", "H5")
    sheet.column_dimensions["H"].width = 16
    style.page(sheet, f"A1:F{row - 1}", landscape=False)
    style.protect(sheet)


_HEADER = (
    ("enterprise_name", "企业名称", "application_date", "申报日期"),
    ("uscc", "统一社会信用代码", "summary_report_pages", "总结报告页数"),
    ("reviewer", "评审人", "review_date", "评审日期"),
    ("second_reviewer", "复核人", "second_review_date", "复核日期"),
)


def _header(draft: Draft, sheet: Worksheet) -> None:
    for row, (left, left_label, right, right_label) in enumerate(_HEADER, 3):
        style.put(sheet, f"A{row}", left_label, font=style.HEADING, align=style.CENTRE)
        style.merge(sheet, f"B{row}:D{row}", fill=style.INPUT, unlocked=True, align=style.CENTRE, format=style.TEXT)
        style.put(sheet, f"E{row}", right_label, font=style.HEADING, align=style.CENTRE)
        draft.port(sheet, f"B{row}", f"i_{left}", "in", fact=left, label=left_label)
        input_for(draft, sheet, f"F{row}", fact(right), [])
        draft.port(sheet, f"F{row}", f"i_{right}", "in", fact=right, label=right_label)
        sheet.row_dimensions[row].height = 28
    sheet.row_dimensions[_HEAD - 1].height = 10


Row = tuple[str, str, tuple[str, ...], float]
"""Label, port, the formulas of B to F ("" for none), height."""


def _rows(draft: Draft, assessment: Assessment) -> Iterator[Row]:
    refs = {item: result_refs(result_names(assessment), item) for item in OPINIONS}
    done = [_done(assessment, item) for item in OPINIONS]
    scale = str(draft.book.defined_names["p_scale"].attr_text).replace("'", "")
    yield "已填（已评）项数", "o_done", (*(f"={text}" for text in done), "", ""), 24
    scores = tuple(_score(refs[item]["score"], done[item.place], item) for item in OPINIONS)
    totals = [refs[item]["total_units"] for item in OPINIONS]
    yield "总分", "o_score", (*scores, *_gains(totals, scale)), 30
    tops = [part for part in parts(draft.versions[draft.form.policies[0]], assessment) if part.top]
    for place, part in enumerate(tops):
        sums, cells = [], []
        for item in OPINIONS:
            units = units_of(part.questions, item)
            sums.append(f'IF({answered(units)},SUM({",".join(units)}),"")')
            cells.append(f'=IF({answered(units)},SUM({",".join(units)})/{scale},"")')
        yield part.label, f"o_part_{place}", (*cells, *_gains(sums, scale)), 24
    for rule in assessment.levels:
        counts = tuple(_counts(assessment, refs[item], rule.level, item) for item in OPINIONS)
        yield f"{LABELS[rule.level]}及以上的场景", f"o_scenes_{rule.level}", (*counts, "", ""), 24
    yield "等级", "o_level", (*(_level(refs[item], done[item.place], item) for item in OPINIONS), "", ""), 30
    gaps = tuple(summary_text(refs[item] | {"names": '""'})["gap"] for item in OPINIONS)
    yield "离下一等级", "o_gap", (*gaps, "", ""), 66
    for label, name, wanting in (("与所核对一栏不同", "o_differing", False), ("其中缺理由", "o_wanting", True)):
        counted = (f"={_differing(assessment, item, wanting)}" for item in REVIEWS)
        yield label, name, ("", *counted, "", ""), 24


def _done(assessment: Assessment, opinion: Opinion) -> str:
    units = span(UNITS[opinion.place], FIRST_WORK, len(assessment.questions))
    levels = span(READ_LEVELS[opinion.place], FIRST_WORK, len(assessment.scenes))
    return f'(COUNTIF({units},">=0")+COUNTIF({levels},">=0"))'


def _score(score: str, done: str, opinion: Opinion) -> str:
    if opinion is SELF:
        return f"={score}"
    return f'=IF(ISNUMBER({score}),{score},IF({done}=0,"","{UNFINISHED}"))'


def _gains(units: list[str], scale: str) -> Iterator[str]:
    for one, two in ((REVIEW, SELF), (SECOND, REVIEW)):
        new, old = units[one.place], units[two.place]
        yield f'=IF(COUNT({new},{old})=2,({new}-{old})/{scale},"")'


def _counts(assessment: Assessment, refs: dict[str, str], level: int, opinion: Opinion) -> str:
    text = f'{refs[f"scenes_{level}"]}&" 个，约束性 "&{refs[f"mandatory_{level}"]}&" 个"'
    if opinion is SELF:
        return f"={text}"
    read = span(READ_LEVELS[opinion.place], FIRST_WORK, len(assessment.scenes))
    return f'=IF(COUNTIF({read},">=0")<ROWS({read}),"",{text})'


def _level(refs: dict[str, str], done: str, opinion: Opinion) -> str:
    text = refs["level_text"]
    if opinion is SELF:
        return f"={text}"
    return f'=IF({done}=0,"",IF({text}="{assessment_cells.INCOMPLETE}","{UNFINISHED}",{text}))'


def _differing(assessment: Assessment, opinion: Opinion, wanting: bool) -> str:
    """How many questions and scenes differ, or of these have no reason."""
    at = opinion.place - 1
    counted = []
    for sheet, differences, reasons, count in (
        (QUESTIONS, DIFFERENCES, REASONS, len(assessment.questions)),
        (SCENES, SCENE_DIFFERENCES, SCENE_REASONS, len(assessment.scenes)),
    ):
        cells = span(differences[at], FIRST_ROW, count, sheet)
        without = f"*({blank(span(reasons[at], FIRST_ROW, count, sheet))})" if wanting else ""
        counted.append(f'SUMPRODUCT(({cells}<>"")*({cells}<>"{AGREED}"){without})')
    return "+".join(counted)


def _steps(draft: Draft, assessment: Assessment) -> None:
    """The fewest steps to the next level, filled in by a recalculation; a line says when they are out of date."""
    sheet = draft.sheet(STEPS)
    style.widths(sheet, zip("ABC", (44.0, 44.0, 44.0), strict=True))
    style.merge(sheet, "A1:C1", "到下一等级的最少步骤", font=style.SUBTITLE, align=style.CENTRE, box=False)
    note = (
        "由 xlcalc 核算时填写。一步：单选题改进到下一个分值更高的选项，多选题增选一项，或一个场景提高一级。"
        "只按步数最少列出（步数相同取得分更多、题号靠前的），不表示应当这样改造。"
    )
    style.merge(sheet, "A2:C2", note, font=style.NOTE, box=False)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 28, 34
    for column, opinion in zip("ABC", OPINIONS, strict=True):
        refs = result_refs(result_names(assessment), opinion) | {"names": '""'}
        style.put(sheet, f"{column}3", opinion.label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
        texts = summary_text(refs)
        live = f'=IF({refs["level"]}="","",{texts["score"].removeprefix("=")}&"；"&{texts["gap"].removeprefix("=")})'
        style.put(sheet, f"{column}4", live, font=style.READING, fill=style.COMPUTED)
        style.put(sheet, f"{column}5", font=style.READING, fill=style.COMPUTED)
        stale = f'=IF({column}4={column}5,"","填写内容已改动，以下步骤须重新核算")'
        style.put(sheet, f"{column}6", stale, font=style.READING, fill=style.COMPUTED)
        for row in range(7, 7 + step_lines(assessment)):
            style.put(sheet, f"{column}{row}", font=style.READING, box=False, align=style.TOP_LEFT)
    sheet.row_dimensions[4].height, sheet.row_dimensions[6].height = 34, 20
    sheet.row_dimensions[5].hidden = True
    stale_rule = FormulaRule(formula=['A6<>""'], fill=style.ORANGE)
    sheet.conditional_formatting.add("A6:C6", stale_rule)
    draft.port(sheet, "A4:C4", "o_steps_live", "out")
    draft.port(sheet, "A5:C5", "fill_steps_basis", "fill")
    draft.port(sheet, "A6:C6", "o_steps_state", "out")
    draft.port(sheet, f"A7:C{6 + step_lines(assessment)}", "fill_steps", "fill")
    style.page(sheet, None, landscape=True)
    style.protect(sheet)
