"""Builds the 自评估报告: the printed form with a tick cell per option, live score, level and amount."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from openpyxl.worksheet.worksheet import Worksheet

from workbooks import style
from workbooks.assessment_text import blank_formula, count_lines, names_formula, summary_text
from workbooks.draft import Draft, add_basis, add_choices
from workbooks.payment_sheet import add_payment
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.mechanisms.cells import level_code
from xlcalc.values.levels import LABELS, SPELLINGS
from xlcalc.values.text import TICKED, UNTICKED

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


def build(draft: Draft) -> None:
    """Lays out every sheet of the form; formulas refer to parameters on the hidden sheet only."""
    policy = draft.form.policies[0]
    assessment: Assessment = draft.versions[policy].mechanism("assessment", _own(draft, policy))
    summary, questions, scenes, figures = (draft.sheet(name) for name in (SUMMARY, QUESTIONS, SCENES, FIGURES))
    work = draft.sheet(WORK, hidden=True)
    figure_refs = _figures(draft, figures)
    refs = _work(draft, work, assessment)
    _questions(draft, questions, assessment, figure_refs)
    _scenes(draft, scenes, assessment)
    _summary(draft, summary, assessment)
    add_payment(draft, level=refs["level"], level_text=refs["level_text"])
    _criteria(draft, assessment)
    add_basis(draft)
    add_choices(draft)


def _own(draft: Draft, policy: str) -> dict[str, str]:
    known = draft.versions[policy].interpretations
    return {key: code for key, code in draft.choices.items() if key in known}


def option_rows(assessment: Assessment) -> list[tuple[Question, int, int]]:
    """Each question with the first and last row of its options on the form, in printed order."""
    rows, row = [], FIRST_OPTION_ROW
    for question in assessment.questions:
        rows.append((question, row, row + len(question.options) - 1))
        row += len(question.options)
    return rows


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
    for row in range(FIRST_OPTION_ROW, last + 1):
        tick = f"{QUESTIONS}!G{row}"
        known, empty = (f"ISNUMBER(MATCH(TRIM({tick}),{_span(block, 0)},0))" for block in (ticked, unticked))
        sheet[f"A{row}"] = f'=IF(TRIM({tick})="",0,IF({known},1,IF({empty},0,-1)))'
    draft.port(sheet, f"A{FIRST_OPTION_ROW}:A{last}", "k_states", "out")
    for place, (question, first, end) in enumerate(spans):
        states = f"$A${first}:$A${end}"
        units = f"{points[first - FIRST_OPTION_ROW][0]}:{points[end - FIRST_OPTION_ROW][0].split('!')[1]}"
        exclusive = next(
            (n for n, code in enumerate(question.printed) if question.options[question.index(code) or 0].exclusive), 0
        )
        sheet[f"C{4 + place}"] = assessment_cells.question_units(question, states, f"$A${first + exclusive}", units)
    count = len(spans)
    draft.port(sheet, f"C4:C{3 + count}", "k_units", "out")
    refs["units"] = f"{WORK}!$C$4:$C${3 + count}"
    for place in range(len(assessment.scenes)):
        cell = f"{SCENES}!D{FIRST_SCENE_ROW + place}"
        code = level_code(cell, _span(spellings, 0), _span(spellings, 1)).removeprefix("=")
        sheet[f"E{4 + place}"] = f'=IF(TRIM({cell})="",0,{code})'
    draft.port(sheet, f"E4:E{3 + len(assessment.scenes)}", "k_codes", "out")
    refs["codes"] = f"{WORK}!$E$4:$E${3 + len(assessment.scenes)}"
    names = list(_result_names(assessment))
    for place, name in enumerate(names):
        refs[name] = f"{WORK}!$H${4 + place}"
    for place, (name, formula) in enumerate(_ordered(assessment_cells.result_formulas(assessment, refs), names)):
        sheet[f"G{4 + place}"], sheet[f"H{4 + place}"] = name, formula
        draft.port(sheet, f"H{4 + place}", f"k_{name}", "out")
    codes = [f"$E${4 + place}" for place in range(len(assessment.scenes))]
    sheet["K4"] = names_formula(assessment, codes, "$H$" + refs["level"].rpartition("$")[2])
    draft.port(sheet, "K4", "k_names", "out")
    return refs


def _result_names(assessment: Assessment) -> Any:
    return assessment_cells.result_values(assessment, [""] * len(assessment.questions), [0] * len(assessment.scenes))


def _ordered(cells: Refs, names: list[str]) -> list[tuple[str, str]]:
    return [(name, cells[name]) for name in names]


def _span(block: list[list[str]], column: int) -> str:
    first, last = block[0][column], block[-1][column]
    return f"{first}:{last.split('!')[1]}"


def _questions(draft: Draft, sheet: Worksheet, assessment: Assessment, figures: Refs) -> None:
    style.widths(sheet, zip("ABCDEFGHIJK", (9, 9, 9, 5, 30, 5, 6, 48, 7, 10, 22), strict=True))
    style.merge(sheet, "A1:K1", "（二）数字化基础、管理及成效评测表", font=style.SUBTITLE, box=False)
    style.merge(
        sheet,
        "A2:K2",
        "在“勾选”列选 √；单选题只勾一项，多选题的“无”不与其他项同勾。数据填在“数据填报”表。",
        font=style.NOTE,
        box=False,
    )
    headings = (
        "一级指标",
        "二级指标",
        "采集项",
        "序号",
        "题目",
        "",
        "勾选",
        "选项",
        "选项类型",
        "得分",
        "佐证材料索引\n（章节号、页码）",
    )
    for column, label in zip("ABCDEFGHIJK", headings, strict=True):
        style.put(sheet, f"{column}3", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    sheet.merge_cells("E3:F3")
    spans = option_rows(assessment)
    last = spans[-1][2]
    for question, first, end in spans:
        _question(draft, sheet, question, first, end, figures)
    _indicator_columns(draft, sheet, spans)
    total = last + 1
    style.merge(sheet, f"A{total}:I{total}", "总分", font=style.STRONG, align=style.CENTRE)
    style.computed_cell(
        sheet, f"J{total}", f"={WORK}!H{_work_row(assessment, 'score')}", font=style.STRONG, format="0.0##"
    )
    style.put(sheet, f"K{total}")
    draft.port(sheet, f"J{total}", "o_total", "out")
    draft.port(sheet, f"G{FIRST_OPTION_ROW}:G{last}", "i_ticks", "in", fact="answers")
    draft.dropdown(sheet, f"G{FIRST_OPTION_ROW}:G{last}", ["√"], "勾选请选 √，不勾选请留空")
    sheet.row_dimensions[3].height = 32
    sheet.freeze_panes = f"A{FIRST_OPTION_ROW}"
    style.legend(sheet, "M1", "M2", "M3")
    style.page(sheet, f"A1:K{total}", landscape=True, header_rows="3:3")
    style.protect(sheet)


def _work_row(assessment: Assessment, name: str) -> int:
    return 4 + list(_result_names(assessment)).index(name)


def _question(draft: Draft, sheet: Worksheet, question: Question, first: int, end: int, figures: Refs) -> None:
    blanks = draft.form.data["blanks"].get(question.key)
    note = draft.form.data["q4_note"] if question.key == "q4" else ""
    style.merge(sheet, f"D{first}:D{end}", question.number, align=style.CENTRE)
    if blanks:
        split = first + max((end - first) // 2, 0)
        style.merge(sheet, f"E{first}:F{split}", question.text)
        style.merge(
            sheet, f"E{split + 1}:F{end}", blank_formula(blanks, figures), font=style.SMALL, fill=style.COMPUTED
        )
        draft.port(sheet, f"E{split + 1}", f"o_blank_{question.key}", "out")
    else:
        style.merge(sheet, f"E{first}:F{end}", question.text + note)
    for row, code in enumerate(question.printed, first):
        label = question.options[question.index(code) or 0].label
        star = "*" if draft_star(draft, code) else ""
        style.input_cell(sheet, f"G{row}")
        style.put(sheet, f"H{row}", label + star)
        sheet.row_dimensions[row].height = 17 * (1 + len(label) // 26)
    style.merge(sheet, f"I{first}:I{end}", "多选" if question.multi else "单选", align=style.CENTRE)
    units = f"{WORK}!C{3 + question.number}"
    formula = assessment_cells.score_text(units, f"{draft_scale(draft)}")
    style.merge(sheet, f"J{first}:J{end}", formula, fill=style.COMPUTED, align=style.CENTRE, format="0.0##")
    draft.port(sheet, f"J{first}", f"o_{question.key}", "out")
    style.merge(sheet, f"K{first}:K{end}", fill=style.INPUT, unlocked=True, font=style.SMALL)
    draft.port(sheet, f"K{first}", f"i_evidence_{question.key}", "in", fact="evidence")


def draft_star(draft: Draft, code: str) -> bool:
    """Whether an option stands for a mandatory scene and carries the * of the form."""
    assessment = draft.versions[draft.form.policies[0]].mechanism("assessment")
    return any(scene.key == code and scene.mandatory for scene in assessment.scenes)


def draft_scale(draft: Draft) -> str:
    """The parameter cell with the score units per point."""
    name = draft.book.defined_names["p_scale"].attr_text
    return str(name).replace("'", "")


def _indicator_columns(draft: Draft, sheet: Worksheet, spans: list[tuple[Question, int, int]]) -> None:
    """The three columns of indicators with their weights, merged as on the form."""
    data = next(row for row in draft.versions[draft.form.policies[0]].data["mechanism"] if row["kind"] == "assessment")
    items = {row["key"]: row for row in data["items"]}
    middles = {row["key"]: row for row in data["indicators"]}
    tops = {row["key"]: row for row in data["dimensions"]}

    def chain(question: Question) -> tuple[str, str, str]:
        item = items[question.item]
        middle = middles[item["under"]]
        return middle["under"], item["under"], question.item

    for depth, (column, rows) in enumerate(zip("ABC", (tops, middles, items), strict=True)):
        for key, group in groupby(spans, key=lambda span: chain(span[0])[: depth + 1]):
            members = list(group)
            row = rows[key[-1]]
            text = f"{row['label']}\n{row['weight']}"
            style.merge(sheet, f"{column}{members[0][1]}:{column}{members[-1][2]}", text, align=style.CENTRE)


def _scenes(draft: Draft, sheet: Worksheet, assessment: Assessment) -> None:
    style.widths(sheet, zip("ABCDE", (22, 20, 16, 16, 46), strict=True))
    style.merge(sheet, "A1:E1", "（三）数字化经营应用场景等级判定表", font=style.SUBTITLE, box=False)
    note = "“改造后等级”由企业填写并据以计算；“等级判定”供评审填写。带 * 的为约束性场景。未填写的按无等级计。"
    style.merge(sheet, "A2:E2", note, font=style.NOTE, box=False)
    headings = (
        "一级指标",
        "二级指标\n（业务场景）",
        "等级判定",
        "改造后等级",
        "改造后等级佐证材料索引\n（注明在改造总结报告中的章节号以及具体页码数）",
    )
    for column, label in zip("ABCDE", headings, strict=True):
        style.put(sheet, f"{column}3", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    row = FIRST_SCENE_ROW
    for group, members in groupby(assessment.scenes, key=lambda scene: scene.group):
        first = row
        for scene in members:
            style.put(sheet, f"B{row}", scene.label + ("*" if scene.mandatory else ""), align=style.CENTRE)
            for column in "CD":
                style.input_cell(sheet, f"{column}{row}")
            style.input_cell(sheet, f"E{row}", align=style.LEFT, font=style.SMALL)
            sheet.row_dimensions[row].height = 24
            row += 1
        style.merge(sheet, f"A{first}:A{row - 1}", group, align=style.CENTRE)
    last = row - 1
    levels = list(LABELS)
    draft.dropdown(sheet, f"C{FIRST_SCENE_ROW}:D{last}", levels, "未达到一级的选“无等级”")
    draft.port(sheet, f"C{FIRST_SCENE_ROW}:C{last}", "i_reviewed", "in", fact="reviewed_scenes")
    draft.port(sheet, f"D{FIRST_SCENE_ROW}:D{last}", "i_scenes", "in", fact="scenes")
    draft.port(sheet, f"E{FIRST_SCENE_ROW}:E{last}", "i_scene_evidence", "in", fact="scene_evidence")
    counts = count_lines({name: f"{WORK}!$H${_work_row(assessment, name)}" for name in _result_names(assessment)})
    for label, name in (("约束性场景个数", "mandatory"), ("指导性场景个数", "guiding")):
        style.merge(sheet, f"A{row}:B{row}", label, font=style.HEADING, align=style.CENTRE)
        style.merge(sheet, f"C{row}:E{row}", counts[name], fill=style.COMPUTED, align=style.CENTRE)
        draft.port(sheet, f"C{row}", f"o_count_{name}", "out")
        sheet.row_dimensions[row].height = 22
        row += 1
    sheet.row_dimensions[3].height = 46
    sheet.freeze_panes = f"A{FIRST_SCENE_ROW}"
    style.page(sheet, f"A1:E{row - 1}", landscape=False, header_rows="3:3")
    style.protect(sheet)


def _summary(draft: Draft, sheet: Worksheet, assessment: Assessment) -> None:
    style.widths(sheet, zip("ABCD", (30, 34, 34, 20), strict=True))
    style.put(sheet, "A1", draft.form.data["annex"], font=style.HEADING, box=False)
    style.merge(sheet, "A2:D2", draft.form.title, font=style.TITLE, align=style.CENTRE, box=False)
    sheet.row_dimensions[2].height = 40
    for row, (fact, label) in enumerate(
        (("enterprise_name", "企业名称："), ("uscc", "统一社会信用代码："), ("form_date", "填报日期：")), 3
    ):
        style.put(sheet, f"A{row}", label, font=style.HEADING, align=style.RIGHT, box=False)
        style.merge(
            sheet,
            f"B{row}:C{row}",
            fill=style.INPUT,
            unlocked=True,
            format=style.DATE if fact == "form_date" else style.TEXT,
        )
        draft.port(sheet, f"B{row}", f"i_{fact}", "in", fact=fact, label=label)
        sheet.row_dimensions[row].height = 22
    style.put(sheet, "A7", "（一）数字化水平整体情况", font=style.SUBTITLE, box=False)
    style.put(sheet, "A8", "数字化基础、管理及成效得分", font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    style.merge(sheet, "B8:C8", "数字化经营应用场景", font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    style.put(sheet, "D8", "等级", font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    at = {name: f"{WORK}!$H${_work_row(assessment, name)}" for name in _result_names(assessment)}
    texts = summary_text(at | {"names": f"{WORK}!$K$4"})
    style.merge(sheet, "A9:A10", texts["score"], fill=style.COMPUTED, align=style.CENTRE, font=style.STRONG)
    style.merge(sheet, "B9:C9", texts["scenes"], fill=style.COMPUTED)
    style.merge(sheet, "B10:C10", texts["mandatory"], fill=style.COMPUTED)
    style.merge(sheet, "D9:D10", texts["level"], fill=style.COMPUTED, align=style.CENTRE, font=style.STRONG)
    for ref, name in (("A9", "score"), ("B9", "scenes"), ("B10", "mandatory"), ("D9", "level")):
        draft.port(sheet, ref, f"o_summary_{name}", "out")
    sheet.row_dimensions[9].height, sheet.row_dimensions[10].height = 62, 30
    style.merge(sheet, "A12:D12", texts["gap"], fill=style.COMPUTED)
    draft.port(sheet, "A12", "o_summary_gap", "out")
    sheet.row_dimensions[12].height = 30
    notice = f"说明：{assessment.rule_notice}。"
    style.merge(sheet, "A13:D13", notice, font=style.NOTE, box=False)
    style.legend(sheet, "F2", "F3", "F4")
    style.page(sheet, "A1:D13", landscape=True)
    style.protect(sheet)


def _figures(draft: Draft, sheet: Worksheet) -> Refs:
    """The figures the questions ask for; returns the reference of each by ``key.place``."""
    style.widths(sheet, zip("ABCDE", (34, 12, 18, 18, 18), strict=True))
    style.merge(sheet, "A1:E1", "评测表所需数据", font=style.SUBTITLE, box=False)
    style.merge(
        sheet,
        "A2:E2",
        "按表中单位填写数字；没有的留空，不要填 0。成立不满三年的按实际年数填写。",
        font=style.NOTE,
        box=False,
    )
    refs: Refs = {}
    row = 3
    headings = {"count": ("数量", "", ""), "years": ("第一年", "第二年", "第三年"), "change": ("前年", "上年", "")}
    for kind, rows in groupby(draft.form.data["figure"], key=lambda item: item["kind"]):
        for column, label in zip("ABCDE", ("数据", "单位", *headings[kind]), strict=True):
            if label:
                style.put(sheet, f"{column}{row}", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
        row += 1
        for item in rows:
            width = sum(1 for label in headings[kind] if label)
            style.put(sheet, f"A{row}", item["label"])
            style.put(sheet, f"B{row}", item["unit"], align=style.CENTRE)
            cells = [f"{'CDE'[place]}{row}" for place in range(width)]
            for place, ref in enumerate(cells):
                style.input_cell(sheet, ref)
                refs[f"{item['key']}.{place}"] = f"{FIGURES}!{ref}"
            span = cells[0] if width == 1 else f"{cells[0]}:{cells[-1]}"
            low = "0" if kind != "change" else "-10000000000"
            draft.rule(
                sheet,
                span,
                "whole" if kind == "count" else "decimal",
                low,
                "10000000000",
                f"请填写数字，单位：{item['unit']}",
            )
            draft.port(
                sheet, span, f"i_figure_{item['key']}", "in", fact="answers", unit=item["unit"], label=item["label"]
            )
            row += 1
        row += 1
    style.page(sheet, f"A1:E{row}", landscape=False)
    style.protect(sheet)
    return refs


def _criteria(draft: Draft, assessment: Assessment) -> None:
    sheet = draft.sheet(CRITERIA)
    style.widths(sheet, zip("ABCDE", (14, 34, 42, 42, 42), strict=True))
    style.merge(sheet, "A1:E1", "各场景等级标准（取自公开实现，未经官方附件核对）", font=style.SUBTITLE, box=False)
    for column, label in zip("ABCDE", ("业务场景", *LABELS[1:]), strict=True):
        style.put(sheet, f"{column}2", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    for row, scene in enumerate(assessment.scenes, 3):
        style.put(sheet, f"A{row}", scene.label + ("*" if scene.mandatory else ""), align=style.CENTRE)
        for column, text in zip("BCDE", scene.criteria, strict=True):
            style.put(sheet, f"{column}{row}", text, font=style.SMALL, align=style.TOP_LEFT)
        sheet.row_dimensions[row].height = 13 * (1 + max(len(text) for text in scene.criteria) // 21)
    sheet.freeze_panes = "B3"
    style.page(sheet, f"A1:E{2 + len(assessment.scenes)}", landscape=True, header_rows="2:2")
    style.protect(sheet)
