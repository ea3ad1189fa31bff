"""The 评测表 of the 自评估报告: a tick cell before each option, live scores, pages that cut no question."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from openpyxl.formatting.rule import FormulaRule
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.assessment.layout import (
    FIRST_OPTION_ROW,
    WORK,
    Refs,
    Span,
    option_rows,
    page_ends,
    work_row,
)
from workbooks.assessment.text import blank_formula
from workbooks.building import style
from workbooks.building.draft import Draft
from workbooks.flavour import question_score, total_score
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.mechanisms.assessment_score import Assessment

TICK, BOX = "√", "□"
_FONT = style.READING
_WIDTHS = (8.4, 8.4, 8.4, 4.4, 14, 7, 4, 33, 5.4, 7, 15)
_HEADINGS = {
    "A": "一级指标",
    "B": "二级指标",
    "C": "采集项",
    "D": "序号",
    "E": "题目",
    "G": "选项",
    "I": "选项类型",
    "J": "得分",
    "K": "佐证材料索引\n（注明在改造总结报告中的章节号以及具体页码数）",
}
_NOTES = (
    "填表说明（本栏不打印）",
    "1. 点选项前的方格，选“√”；单选题只勾一项，多选题的“无”不与其他项同勾。",
    "2. 题目中［ ］内的数据填在“数据填报”表，这里自动带入。",
    "3. 得分、总分自动计算；题目未勾选或勾选有误时，得分格变色并说明原因。",
)


def add_questions(draft: Draft, sheet: Worksheet, assessment: Assessment, figures: Refs) -> None:
    """Lays out the sheet; figures: the cells of the figures the questions ask for, by ``key.place``."""
    letters = "ABCDEFGHIJK"
    style.widths(sheet, zip(letters, _WIDTHS, strict=True))
    style.merge(sheet, "A1:K1", "（二）数字化基础、管理及成效评测表", font=style.SUBTITLE, box=False)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 26, 6
    for column in letters:
        style.put(sheet, f"{column}3", _HEADINGS.get(column), font=style.HEADING, align=style.CENTRE)
    sheet["I3"].font = style.SMALL_HEADING
    sheet["K3"].font = style.SMALL_HEADING
    sheet.merge_cells("E3:F3")
    sheet.merge_cells("G3:H3")
    sheet.row_dimensions[3].height = style.text_height(_HEADINGS["K"], _WIDTHS[-1], style.SMALL_HEADING)
    spans = option_rows(assessment)
    last = spans[-1][2]
    for question, first, end in spans:
        _question(draft, sheet, question, first, end, figures)
    total = last + 1
    _total(draft, sheet, assessment, total)
    draft.port(sheet, f"G{FIRST_OPTION_ROW}:G{last}", "i_ticks", "in", fact="answers")
    draft.dropdown(sheet, f"G{FIRST_OPTION_ROW}:G{last}", [TICK, BOX], "勾选请选 √，不勾选请选 □ 或留空")
    _findings(sheet, last, total)
    sheet.freeze_panes = f"A{FIRST_OPTION_ROW}"
    style.legend(sheet, "M1", "N1", "O1")
    style.notes(sheet, "M", 3, _NOTES[:1])
    style.notes(sheet, "M", 4, _NOTES[1:])
    chain = _chains(draft)
    room = style.page_room(sheet, letters, landscape=False)
    head, foot = (sum(sheet.row_dimensions[row].height for row in rows) for rows in ((1, 2, 3), (total,)))
    ends = page_ends(spans, chain, lambda span: _height(sheet, span), room - head - foot)
    _indicators(draft, sheet, spans, chain, ends)
    style.page(sheet, f"A1:K{total}", landscape=False, header_rows="3:3", breaks=ends)
    style.protect(sheet)


def _height(sheet: Worksheet, span: Span) -> float:
    return sum(float(sheet.row_dimensions[row].height) for row in range(span[1], span[2] + 1))


def _total(draft: Draft, sheet: Worksheet, assessment: Assessment, row: int) -> None:
    style.merge(sheet, f"A{row}:I{row}", "总分", font=style.STRONG, align=style.CENTRE)
    formula = total_score(
        draft, f"{WORK}!H{work_row(assessment, 'score')}", f"{WORK}!$A${FIRST_OPTION_ROW}:$A${row - 1}"
    )
    style.computed_cell(sheet, f"J{row}", formula, font=style.STRONG, format="0.0##")
    style.put(sheet, f"K{row}")
    sheet.row_dimensions[row].height = 40
    draft.port(sheet, f"J{row}", "o_total", "out")


def _findings(sheet: Worksheet, last: int, total: int) -> None:
    """A score cell that holds words instead of points: orange when nothing is ticked, red when ticks are wrong."""
    first = FIRST_OPTION_ROW
    # A form nobody has begun stays plain.
    open_words = f'OR(J{first}="{assessment_cells.UNANSWERED}",J{first}="{assessment_cells.INCOMPLETE}")'
    begun = f'COUNTIF($G${first}:$G${last},"{TICK}")>0'
    area = f"J{first}:J{total}"
    missing = FormulaRule(formula=[f"AND({open_words},{begun})"], fill=style.ORANGE)
    wrong = FormulaRule(formula=[f"AND(ISTEXT(J{first}),NOT({open_words}))"], fill=style.RED)
    sheet.conditional_formatting.add(area, missing)
    sheet.conditional_formatting.add(area, wrong)
    ticked = FormulaRule(formula=[f'$G{first}="{TICK}"'], fill=style.TICKED)
    sheet.conditional_formatting.add(f"G{first}:H{last}", ticked)


def _question(draft: Draft, sheet: Worksheet, question: Question, first: int, end: int, figures: Refs) -> None:
    style.merge(sheet, f"D{first}:D{end}", question.number, align=style.CENTRE)
    for row, code in enumerate(question.printed, first):
        label = question.options[question.index(code) or 0].label + ("*" if _starred(draft, code) else "")
        style.input_cell(sheet, f"G{row}").value = BOX
        style.put(sheet, f"H{row}", label, font=_FONT)
        sheet.row_dimensions[row].height = style.text_height(label, _WIDTHS[7], _FONT)
    _wording(draft, sheet, question, first, end, figures)
    style.merge(sheet, f"I{first}:I{end}", "多选" if question.multi else "单选", font=_FONT, align=style.CENTRE)
    units = f"{WORK}!C{3 + question.number}"
    formula = question_score(draft, (question, first, end), units, _scale(draft))
    style.merge(sheet, f"J{first}:J{end}", formula, fill=style.COMPUTED, align=style.CENTRE, format="0.0##")
    draft.port(sheet, f"J{first}", f"o_{question.key}", "out")
    style.merge(sheet, f"K{first}:K{end}", fill=style.INPUT, unlocked=True, font=style.SMALL, format=style.TEXT)
    draft.port(sheet, f"K{first}", f"i_evidence_{question.key}", "in", fact="evidence")


def _wording(draft: Draft, sheet: Worksheet, question: Question, first: int, end: int, figures: Refs) -> None:
    """The question and, below it in the same box, the printed sentence with its blanks filled in."""
    wide = _WIDTHS[4] + _WIDTHS[5]
    blanks = draft.form.data["blanks"].get(question.key)
    if not blanks:
        note = draft.form.data["q4_note"] if question.key == "q4" else ""
        style.merge(sheet, f"E{first}:F{end}", question.text + note, font=_FONT)
        style.grow(sheet, first, end, style.text_height(question.text + note, wide, _FONT))
        return
    # Figures of six digits stand in the blanks of a filled form.
    longest = "".join("00000000" if part.startswith("{") else part for part in _pieces(blanks))
    needed = style.text_height(question.text, wide, _FONT), style.text_height(longest, wide, _FONT)
    rows = end - first + 1
    upper = min(max(round(rows * needed[0] / sum(needed)), 1), rows - 1)
    split = first + upper - 1
    style.merge(sheet, f"E{first}:F{split}", question.text, font=_FONT)
    style.merge(sheet, f"E{split + 1}:F{end}", blank_formula(blanks, figures), font=_FONT, fill=style.COMPUTED)
    style.open_edge(sheet, f"E{first}:F{split}", "bottom")
    style.open_edge(sheet, f"E{split + 1}:F{end}", "top")
    draft.port(sheet, f"E{split + 1}", f"o_blank_{question.key}", "out")
    style.grow(sheet, first, split, needed[0])
    style.grow(sheet, split + 1, end, needed[1])


def _pieces(blanks: str) -> list[str]:
    return blanks.replace("{", "\0{").replace("}", "}\0").split("\0")


def _starred(draft: Draft, code: str) -> bool:
    """Whether an option stands for a mandatory scene and carries the * of the form."""
    assessment = draft.versions[draft.form.policies[0]].mechanism("assessment")
    return any(scene.key == code and scene.mandatory for scene in assessment.scenes)


def _scale(draft: Draft) -> str:
    """The parameter cell with the score units per point."""
    return str(draft.book.defined_names["p_scale"].attr_text).replace("'", "")


def _data(draft: Draft) -> dict[str, Any]:
    version = draft.versions[draft.form.policies[0]]
    return next(row for row in version.data["mechanism"] if row["kind"] == "assessment")


def _chains(draft: Draft) -> Callable[[Question], tuple[str, str, str]]:
    """The dimension, indicator and item above a question."""
    data = _data(draft)
    items = {row["key"]: row for row in data["items"]}
    middles = {row["key"]: row for row in data["indicators"]}

    def chain(question: Question) -> tuple[str, str, str]:
        under = items[question.item]["under"]
        return middles[under]["under"], under, question.item

    return chain


def _indicators(
    draft: Draft,
    sheet: Worksheet,
    spans: list[Span],
    chain: Callable[[Question], tuple[str, str, str]],
    ends: list[int],
) -> None:
    """The three columns of indicators with their weights, merged as on the form but never across pages."""
    data = _data(draft)
    tables = ({row["key"]: row for row in data[name]} for name in ("dimensions", "indicators", "items"))
    for depth, (column, rows) in enumerate(zip("ABC", tables, strict=True)):

        def group_of(span: Span, depth: int = depth) -> tuple[int, tuple[str, ...]]:
            return sum(end < span[1] for end in ends), chain(span[0])[: depth + 1]

        seen = set()
        for (_, keys), group in groupby(spans, key=group_of):
            members = list(group)
            row = rows[keys[-1]]
            label = row["label"] if len(row["label"]) < 5 else row["label"].replace("数字化", "\n数字化\n").strip()
            text = f"{label}\n{row.get('printed', row['weight'])}" + ("\n（续）" if keys in seen else "")
            seen.add(keys)
            first, last = members[0][1], members[-1][2]
            style.merge(sheet, f"{column}{first}:{column}{last}", text, font=_FONT, align=style.CENTRE)
