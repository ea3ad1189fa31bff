"""检查结果: the list of findings with links to their cells, and the mark at the cell itself.

The list is filled by a recalculation; the links and the marks are formulas that follow it.
"""

from __future__ import annotations

from openpyxl.formatting.rule import FormulaRule
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.building import style
from workbooks.building.draft import Draft
from workbooks.listed import FINDINGS_SHEET, LINES
from xlcalc.results.explain import SEVERITY_LABELS

_PRINTED = 30
_HEAD = 4
_FIRST, _LAST = _HEAD + 1, _HEAD + LINES
_COLUMNS = (
    ("序号", 6.0),
    ("程度", 11.0),
    ("单元格", 24.0),
    ("问题、原因和处理办法", 74.0),
    ("依据条款", 22.0),
    ("编号", 16.0),
)
_PORTS = {
    "fill_finding_severity": "B", "fill_finding_message": "D", "fill_finding_clause": "E", "fill_finding_code": "F",
    "fill_finding_where": "G", "fill_finding_link": "H", "fill_finding_mark": "I",
}  # fmt: skip
"""Where each port stands. Hidden: where a finding is, the target of the link to it, and the mark, which says the
sheet by its place in the template, so that a renamed sheet is marked too."""


def add_findings(draft: Draft) -> None:
    """The sheet with room for the findings of the next recalculation."""
    sheet = draft.sheet(FINDINGS_SHEET)
    style.widths(sheet, zip("ABCDEF", (width for _, width in _COLUMNS), strict=True))
    style.merge(sheet, "A1:F1", f"{draft.form.title} · 检查结果", font=style.SUBTITLE, align=style.CENTRE, box=False)
    style.merge(sheet, "A2:F2", align=style.LEFT, fill=style.COMPUTED, font=style.READING)
    draft.port(sheet, "A2", "fill_summary", "fill")
    note = (
        f"由 xlcalc 核算时填写；点“单元格”一列可跳到该处，有问题的单元格变色。修改后请重新核算。打印前 {_PRINTED} 条。"
    )
    style.merge(sheet, "A3:F3", note, font=style.NOTE, box=False)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height, sheet.row_dimensions[3].height = 30, 48, 20
    for letter, (label, _) in zip("ABCDEF", _COLUMNS, strict=True):
        style.put(sheet, f"{letter}{_HEAD}", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    for row in range(_FIRST, _LAST + 1):
        number = f'=IF($D{row}="","",ROW()-ROW($A${_HEAD}))'
        link = f'=IF($H{row}="","",HYPERLINK($H{row},$G{row}))'
        shown = {"A": number, "C": link} | dict.fromkeys(_PORTS.values())
        for letter, value in shown.items():
            align = style.LEFT if letter == "D" else style.CENTRE
            font = style.LINK if letter == "C" else style.READING
            style.put(sheet, f"{letter}{row}", value, font=font, box=False, align=align)
    for name, letter in _PORTS.items():
        draft.port(sheet, f"{letter}{_FIRST}:{letter}{_LAST}", name, "fill")
    draft.port(sheet, f"A{_FIRST}:A{_LAST}", "o_finding_number", "out")
    draft.port(sheet, f"C{_FIRST}:C{_LAST}", "o_finding_link", "out")
    for letter in "GHI":
        sheet.column_dimensions[letter].hidden = True
    for word, fill in ((SEVERITY_LABELS["block"], style.RED), (SEVERITY_LABELS["warn"], style.ORANGE)):
        rule = FormulaRule(formula=[f'$B{_FIRST}="{word}"'], fill=fill)
        sheet.conditional_formatting.add(f"B{_FIRST}:B{_LAST}", rule)
    sheet.freeze_panes = f"A{_FIRST}"
    style.page(sheet, f"A1:F{_HEAD + _PRINTED}", landscape=True, header_rows=f"{_HEAD}:{_HEAD}")
    style.protect(sheet)


def mark_findings(draft: Draft, sheet: Worksheet, place: int) -> None:
    """Colours the input cells of a sheet that the list names: red for what blocks, orange for the rest.

    place: the sheet's place in the template.
    """
    draft.port(sheet, "A1", sheet_name(place), "identity")
    areas = [
        port_area(draft, port.name) for port in draft.ports
        if port.direction == "in" and port_sheet(draft, port.name) == sheet.title
    ]  # fmt: skip
    if not areas:
        return
    marks = f"{FINDINGS_SHEET}!$I${_FIRST}:$I${_LAST}"
    severities = f"{FINDINGS_SHEET}!$B${_FIRST}:$B${_LAST}"
    here = f'"{place}!"&ADDRESS(ROW(),COLUMN(),4)'
    blocking = f'COUNTIFS({marks},{here},{severities},"{SEVERITY_LABELS["block"]}")>0'
    span = " ".join(areas)
    sheet.conditional_formatting.add(span, FormulaRule(formula=[blocking], fill=style.RED, stopIfTrue=True))
    sheet.conditional_formatting.add(span, FormulaRule(formula=[f"COUNTIF({marks},{here})>0"], fill=style.ORANGE))


def sheet_name(place: int) -> str:
    """The defined name by which a sheet of the template is found again, whatever it is called now."""
    return f"s_{place}"


def port_sheet(draft: Draft, name: str) -> str:
    """The title of the sheet on which a port stands."""
    return str(draft.book.defined_names[name].attr_text).partition("!")[0].strip("'")


def port_area(draft: Draft, name: str) -> str:
    """``C5`` or ``C5:C9``."""
    return str(draft.book.defined_names[name].attr_text).partition("!")[2].replace("$", "")
