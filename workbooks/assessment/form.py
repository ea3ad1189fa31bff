"""Builds the 自评估报告: the printed form with a tick cell per option, live score, level and amount."""

from __future__ import annotations

from itertools import groupby

from openpyxl.formatting.rule import FormulaRule
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.assessment.figures import add_criteria, add_figures
from workbooks.assessment.layout import (
    FIGURES,
    FIRST_OPTION_ROW,
    FIRST_SCENE_ROW,
    QUESTIONS,
    SCENES,
    SUMMARY,
    WORK,
    Refs,
    option_rows,
    result_names,
    result_refs,
)
from workbooks.assessment.questions import add_questions
from workbooks.assessment.text import count_lines, names_formula, summary_text
from workbooks.building import style
from workbooks.building.draft import Draft, add_basis, add_choices
from workbooks.building.findings_sheet import add_findings, mark_findings
from workbooks.flavour import question_units, result_cells
from workbooks.form import UDF
from workbooks.recommendation.payment_sheet import add_payment
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.mechanisms.cells import bare, level_code
from xlcalc.values.levels import LABELS, SPELLINGS
from xlcalc.values.text import TICKED, UNTICKED


def build(draft: Draft) -> None:
    """Lays out every sheet of the form; formulas refer to parameters on the hidden sheet only."""
    version = draft.versions[draft.form.policies[0]]
    assessment: Assessment = version.mechanism("assessment", version.own_choices(draft.choices))
    summary, questions, scenes, figures = (draft.sheet(name) for name in (SUMMARY, QUESTIONS, SCENES, FIGURES))
    work = draft.sheet(WORK, hidden=True)
    figure_refs = add_figures(draft, figures)
    refs = _work(draft, work, assessment)
    add_questions(draft, questions, assessment, figure_refs)
    _scenes(draft, scenes, assessment)
    _summary(draft, summary, assessment)
    add_payment(draft, level=refs["level"], level_text=refs["level_text"])
    add_findings(draft)
    for place, title in enumerate((SUMMARY, QUESTIONS, SCENES, FIGURES, draft.form.data["payment_title"]), 1):
        mark_findings(draft, draft.book[title], place)
    add_criteria(draft, assessment)
    add_basis(draft)
    add_choices(draft)


def _work(draft: Draft, sheet: Worksheet, assessment: Assessment) -> Refs:
    """The hidden sheet of intermediate values: tick states, units per question, scene levels, counts."""
    blocks = assessment_cells.parameters(assessment)
    # Option points are laid out in printed order, beside the states of the tick cells.
    printed = [q.options[q.index(code) or 0] for q in assessment.questions for code in q.printed]
    points = draft.parameters("points", [[option.units] for option in printed])
    scale = draft.parameters("scale", blocks["scale"])[0][0]
    mandatory = draft.parameters("scenes", blocks["scenes"])
    levels = draft.parameters("levels", blocks["levels"])
    ticked = draft.parameters("ticked", [[sign] for sign in TICKED])
    unticked = draft.parameters("unticked", [[sign] for sign in UNTICKED])
    spellings = draft.parameters("spellings", [[word, level] for word, level in SPELLINGS.items()])

    refs: Refs = {"scale": scale, "mandatory": _span(mandatory, 0)}
    for row in levels:
        level = levels.index(row) + 1
        refs |= dict(
            zip((f"{level}_level", f"{level}_units", f"{level}_scenes", f"{level}_mandatory"), row, strict=True)
        )
    spans = option_rows(assessment)
    last = spans[-1][2]
    for place in range(FIRST_OPTION_ROW, last + 1):
        tick = bare(f"{QUESTIONS}!G{place}")
        known, empty = (f"SUMPRODUCT(({_span(block, 0)}={tick})*1)>0" for block in (ticked, unticked))
        sheet[f"A{place}"] = f'=IF({tick}="",0,IF({known},1,IF({empty},0,-1)))'
    draft.port(sheet, f"A{FIRST_OPTION_ROW}:A{last}", "k_states", "out")
    for place, (question, first, end) in enumerate(spans):
        units = f"{points[first - FIRST_OPTION_ROW][0]}:{points[end - FIRST_OPTION_ROW][0].split('!')[1]}"
        exclusive = next(
            (n for n, code in enumerate(question.printed) if question.options[question.index(code) or 0].exclusive), 0
        )
        sheet[f"C{4 + place}"] = question_units(draft, spans[place], f"$A${first + exclusive}", units, scale)
    count = len(spans)
    draft.port(sheet, f"C4:C{3 + count}", "k_units", "out")
    refs["units"] = f"{WORK}!$C$4:$C${3 + count}"
    for place in range(len(assessment.scenes)):
        cell = f"{SCENES}!D{FIRST_SCENE_ROW + place}"
        code = level_code(cell, _span(spellings, 0), _span(spellings, 1)).removeprefix("=")
        sheet[f"E{4 + place}"] = f'=IF({bare(cell)}="",0,{code})'
    draft.port(sheet, f"E4:E{3 + len(assessment.scenes)}", "k_codes", "out")
    refs["codes"] = f"{WORK}!$E$4:$E${3 + len(assessment.scenes)}"
    if draft.flavour == UDF:
        refs["states"] = f"{WORK}!$A${FIRST_OPTION_ROW}:$A${last}"
        refs["levels"] = _countable(draft, sheet, len(assessment.scenes))
    names = list(result_names(assessment))
    for place, name in enumerate(names):
        refs[name] = f"{WORK}!$H${4 + place}"
    for place, (name, formula) in enumerate(_ordered(result_cells(draft, assessment, refs), names)):
        sheet[f"G{4 + place}"], sheet[f"H{4 + place}"] = name, formula
        draft.port(sheet, f"H{4 + place}", f"k_{name}", "out")
    codes = [f"$E${4 + place}" for place in range(len(assessment.scenes))]
    sheet["K4"] = names_formula(assessment, codes, "$H$" + refs["level"].rpartition("$")[2])
    draft.port(sheet, "K4", "k_names", "out")
    return refs


def _countable(draft: Draft, sheet: Worksheet, count: int) -> str:
    """The scene levels once more, unreadable ones as none, for functions that refuse what they cannot read."""
    for row in range(4, 4 + count):
        sheet[f"F{row}"] = f"=MAX($E{row},0)"
    draft.port(sheet, f"F4:F{3 + count}", "k_levels", "out")
    return f"{WORK}!$F$4:$F${3 + count}"


def _ordered(cells: Refs, names: list[str]) -> list[tuple[str, str]]:
    return [(name, cells[name]) for name in names]


def _span(block: list[list[str]], column: int) -> str:
    first, last = block[0][column], block[-1][column]
    return f"{first}:{last.split('!')[1]}"


def _scenes(draft: Draft, sheet: Worksheet, assessment: Assessment) -> None:
    widths = (17, 17, 15, 15, 34)
    style.widths(sheet, zip("ABCDE", widths, strict=True))
    style.merge(sheet, "A1:E1", "（三）数字化经营应用场景等级判定表", font=style.SUBTITLE, box=False)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 26, 6
    headings = (
        "一级指标",
        "二级指标\n（业务场景）",
        "等级判定",
        "改造后等级",
        "改造后等级佐证材料索引（注明在改造总结报告中的章节号以及具体页码数）",
    )
    for column, label in zip("ABCDE", headings, strict=True):
        style.put(sheet, f"{column}3", label, font=style.HEADING, align=style.CENTRE)
    row = FIRST_SCENE_ROW
    for group, members in groupby(assessment.scenes, key=lambda scene: scene.group):
        first = row
        for scene in members:
            style.put(sheet, f"B{row}", scene.label + ("*" if scene.mandatory else ""), align=style.CENTRE)
            for column in "CD":
                style.input_cell(sheet, f"{column}{row}")
            style.input_cell(sheet, f"E{row}", align=style.LEFT, font=style.READING, format=style.TEXT)
            sheet.row_dimensions[row].height = 33
            row += 1
        style.merge(sheet, f"A{first}:A{row - 1}", group, align=style.CENTRE)
    last = row - 1
    levels = list(LABELS)
    draft.dropdown(sheet, f"C{FIRST_SCENE_ROW}:D{last}", levels, "未达到一级的选“无等级”")
    draft.port(sheet, f"C{FIRST_SCENE_ROW}:C{last}", "i_reviewed", "in", fact="reviewed_scenes")
    draft.port(sheet, f"D{FIRST_SCENE_ROW}:D{last}", "i_scenes", "in", fact="scenes")
    draft.port(sheet, f"E{FIRST_SCENE_ROW}:E{last}", "i_scene_evidence", "in", fact="scene_evidence")
    counts = count_lines(result_refs(assessment))
    for label, name in (("约束性场景个数", "mandatory"), ("指导性场景个数", "guiding")):
        style.merge(sheet, f"A{row}:B{row}", label, align=style.CENTRE)
        style.merge(sheet, f"C{row}:E{row}", counts[name], fill=style.COMPUTED, align=style.CENTRE)
        draft.port(sheet, f"C{row}", f"o_count_{name}", "out")
        sheet.row_dimensions[row].height = 36
        row += 1
    # A reviewer's level that differs from the enterprise's own.
    differs = f'AND($C{FIRST_SCENE_ROW}<>"",$C{FIRST_SCENE_ROW}<>$D{FIRST_SCENE_ROW})'
    area = f"C{FIRST_SCENE_ROW}:D{last}"
    sheet.conditional_formatting.add(area, FormulaRule(formula=[differs], fill=style.ORANGE))
    sheet.row_dimensions[3].height = style.text_height(headings[-1], widths[-1], style.HEADING)
    sheet.freeze_panes = f"A{FIRST_SCENE_ROW}"
    style.legend(sheet, "G1", "H1", "I1")
    lines = (
        "填表说明（本栏不打印）",
        "1. “改造后等级”由企业填写，据以计算；带 * 的为约束性场景。",
        "2. “等级判定”供评审填写；与“改造后等级”不同的变橙色。",
        "3. 未填写的按无等级计。等级标准见“场景等级标准”表。",
    )
    style.notes(sheet, "G", 3, lines)
    style.page(sheet, f"A1:E{row - 1}", landscape=False, header_rows="3:3")
    style.protect(sheet)


def _summary(draft: Draft, sheet: Worksheet, assessment: Assessment) -> None:
    style.widths(sheet, zip("ABCD", (25, 26, 26, 15), strict=True))
    style.put(sheet, "A1", draft.form.data["annex"], font=style.ANNEX, box=False)
    style.merge(sheet, "A2:D2", draft.form.title, font=style.TITLE, align=style.CENTRE, box=False)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 24, 56
    for row, (fact, label) in enumerate(
        (("enterprise_name", "企业名称："), ("uscc", "统一社会信用代码："), ("form_date", "填报日期：")), 3
    ):
        style.put(sheet, f"A{row}", label, font=style.HEADING, align=style.RIGHT, box=False)
        style.merge(
            sheet,
            f"B{row}:C{row}",
            fill=style.INPUT,
            unlocked=True,
            format=style.LONG_DATE if fact == "form_date" else style.TEXT,
        )
        draft.port(sheet, f"B{row}", f"i_{fact}", "in", fact=fact, label=label)
        sheet.row_dimensions[row].height = 26
    draft.rule(sheet, "B5", "date", 32874, 73050, "请填写日期，如 2025-05-31")
    sheet.row_dimensions[6].height = 18
    style.put(sheet, "A7", "（一）数字化水平整体情况", font=style.SUBTITLE, box=False, align=style.START)
    style.put(sheet, "A8", "数字化基础、管理及成效得分", font=style.HEADING, align=style.CENTRE)
    style.merge(sheet, "B8:C8", "数字化经营应用场景", font=style.HEADING, align=style.CENTRE)
    style.put(sheet, "D8", "等级", font=style.HEADING, align=style.CENTRE)
    sheet.row_dimensions[7].height, sheet.row_dimensions[8].height = 28, 36
    texts = summary_text(result_refs(assessment) | {"names": f"{WORK}!$K$4"})
    style.merge(sheet, "A9:A10", texts["score"], fill=style.COMPUTED, align=style.CENTRE, font=style.STRONG)
    style.merge(sheet, "B9:C9", texts["scenes"], fill=style.COMPUTED, align=style.BOTTOM_LEFT)
    style.merge(sheet, "B10:C10", texts["mandatory"], fill=style.COMPUTED, align=style.TOP_LEFT)
    style.open_edge(sheet, "B9:C9", "bottom")
    style.open_edge(sheet, "B10:C10", "top")
    style.merge(sheet, "D9:D10", texts["level"], fill=style.COMPUTED, align=style.CENTRE, font=style.STRONG)
    for ref, name in (("A9", "score"), ("B9", "scenes"), ("B10", "mandatory"), ("D9", "level")):
        draft.port(sheet, ref, f"o_summary_{name}", "out")
    every = "16 个应用场景等级达到一级，分别是：" + "、".join(scene.label for scene in assessment.scenes)
    sheet.row_dimensions[9].height = max(76.0, style.text_height(every, 52))
    sheet.row_dimensions[10].height = 28
    apart = "核算提示（不属于官方表格，不打印）"
    style.put(sheet, "A12", apart, font=style.SMALL_HEADING, box=False, align=style.START)
    style.merge(sheet, "A13:D13", texts["gap"], fill=style.COMPUTED)
    draft.port(sheet, "A13", "o_summary_gap", "out")
    sheet.row_dimensions[13].height = 30
    style.merge(sheet, "A14:D14", f"说明：{assessment.rule_notice}。", font=style.NOTE, box=False)
    sheet.row_dimensions[14].height = 24
    style.legend(sheet, "F2", "F3", "F4")
    style.page(sheet, "A1:D10", landscape=False)
    style.protect(sheet)
