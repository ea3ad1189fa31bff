"""Builds a 汇总表: the official columns in official order, and set apart, not printed, what is wrong with each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.building import style
from workbooks.building.draft import Draft, add_basis, add_choices
from workbooks.building.findings_sheet import add_findings, mark_findings
from workbooks.form import Form
from workbooks.recommendation.payment_sheet import input_for
from workbooks.summary.columns import FINDINGS, OPTIONAL, WORDS, SummaryColumn, columns_of, limits_of
from xlcalc.facts import fact
from xlcalc.mechanisms.cells import bare
from xlcalc.mechanisms.selection import Selection
from xlcalc.packs.policy import Version

HEAD_ROW, HEADER_ROW = 3, 4
FIRST_ROW = HEADER_ROW + 1
_FINDINGS_WIDTH, _COUNTER_WIDTH, _DIVIDER_WIDTH, _DEFAULT_WIDTH = 70.0, 12.0, 1.6, 14.0
_ONE_LINE = style.text_height("字", 10.0)
_ROW_FONT = Font(name="仿宋", size=18)
"""Of the empty divider column: what makes a row of one line as high as on the printed form."""


def build(draft: Draft) -> None:
    """Lays out the table for a number of enterprises, the basis and the choices."""
    rows = draft.rows_of("", draft.form.data["rows"])
    version = draft.versions[draft.form.policies[0]]
    sheet = draft.sheet(draft.form.data["sheet"])
    columns = columns_of(draft.form, version)
    last = HEADER_ROW + rows
    printed = get_column_letter(len(columns) + 1)
    letters = {column.port: get_column_letter(place) for place, column in enumerate(columns, 2)}
    _widths(draft, sheet, columns, letters)
    _head(draft, sheet, version, printed)
    _table(draft, sheet, columns, letters, last)
    end = _foot(draft, sheet, last, len(columns) + 1)
    findings = _working(draft, sheet, version, letters, last)
    _marks(draft, sheet, version, columns, letters, last, findings)
    sheet.freeze_panes = f"C{FIRST_ROW}"
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{findings}{last}"
    style.page(sheet, f"A1:{printed}{end}", landscape=True, header_rows=f"{HEADER_ROW}:{HEADER_ROW}")
    style.protect(sheet)
    add_findings(draft)
    mark_findings(draft, sheet, 1)
    add_basis(draft)
    add_choices(draft)


def _head(draft: Draft, sheet: Worksheet, version: Version, last: str) -> None:
    """Annex, title and the line for the seal; the county is typed into the title, which completes it."""
    data = draft.form.data
    style.put(sheet, "A1", data["annex"][version.id], font=style.ANNEX, box=False, align=style.START)
    heading = data.get("heading")
    if heading:
        style.merge(
            sheet, f"A2:{last}2", heading["blank"], font=style.TITLE, align=style.CENTRE, box=False, unlocked=True,
            format=f'@"{heading["rest"]}"',
        )  # fmt: skip
        draft.port(sheet, "A2", f"i_{heading['fact']}", "in", fact=heading["fact"])
        said = f"只填县（市、区）名称；“{heading['rest']}”会自动接在后面"
        draft.rule(sheet, "A2", "textLength", 1, 15, said, said)
        blank = FormulaRule(formula=[f'$A$2="{heading["blank"]}"'], fill=style.INPUT)
        sheet.conditional_formatting.add(f"A2:{last}2", blank)
    else:
        style.merge(sheet, f"A2:{last}2", _printed_title(draft.form, version), font=style.TITLE, align=style.CENTRE,
                    box=False)  # fmt: skip
    for row, height in ((1, 24), (2, 44), (HEAD_ROW, 28)):
        sheet.row_dimensions[row].height = height
    _labelled(draft, sheet, HEAD_ROW, data["head"], sheet[f"{last}1"].column)


def _printed_title(form: Form, version: Version) -> str:
    return str(next(row["title"] for row in version.data["form"] if row["key"] == form.data["pack_form"]))


def _labelled(draft: Draft, sheet: Worksheet, row: int, items: list[Mapping[str, str]], columns: int) -> None:
    """Labels side by side over the table's width, each in as many columns as it needs, with its input cell."""
    share = columns // len(items)
    for place, item in enumerate(items):
        first = 1 + place * share
        last = columns if place == len(items) - 1 else first + share - 1
        room, middle = 0.0, first - 1
        while middle < first or (middle < last - 1 and style.text_height(item["label"], room) > _ONE_LINE):
            middle += 1
            room += sheet.column_dimensions[get_column_letter(middle)].width
        label, start, end = (get_column_letter(number) for number in (middle, middle + 1, last))
        style.merge(sheet, f"{get_column_letter(first)}{row}:{label}{row}", item["label"], box=False)
        known = fact(item["fact"])
        looks: dict[str, Any] = {"format": style.LONG_DATE if known.type == "date" else style.TEXT}
        style.merge(sheet, f"{start}{row}:{end}{row}", fill=style.INPUT, unlocked=True, box=False, **looks)
        draft.port(sheet, f"{start}{row}", f"i_{known.id}", "in", fact=known.id, label=item["label"])
        if known.type == "date":
            draft.rule(sheet, f"{start}{row}", "date", 32874, 73050, "请填写日期，如 2025-05-31")


def _widths(draft: Draft, sheet: Worksheet, columns: list[SummaryColumn], letters: Mapping[str, str]) -> None:
    widths: Mapping[str, float] = draft.form.data.get("widths", {})
    sheet.column_dimensions["A"].width = 6
    for column in columns:
        sheet.column_dimensions[letters[column.port]].width = float(widths.get(column.fact.id, _DEFAULT_WIDTH))


def _table(draft: Draft, sheet: Worksheet, columns: list[SummaryColumn], letters: Mapping[str, str], last: int) -> None:
    style.put(sheet, f"A{HEADER_ROW}", "序号", font=style.HEADING, align=style.CENTRE)
    height = 36.0
    for column in columns:
        letter = letters[column.port]
        width = sheet.column_dimensions[letter].width
        style.put(sheet, f"{letter}{HEADER_ROW}", column.label, font=style.HEADING, align=style.CENTRE)
        height = max(height, style.text_height(column.label, width - 2, style.HEADING))
        span = f"{letter}{FIRST_ROW}:{letter}{last}"
        _inputs(draft, sheet, span, column)
        draft.port(sheet, span, column.port, "in", fact=column.fact.id, unit=column.fact.unit, label=column.label)
        draft.table.append(column.port)
    sheet.row_dimensions[HEADER_ROW].height = height
    name = letters[f"t_{draft.form.data['name']}"]
    for row in range(FIRST_ROW, last + 1):
        number = f'=IF({bare(f"${name}{row}")}="","",ROW()-ROW($A${HEADER_ROW}))'
        style.computed_cell(sheet, f"A{row}", number)
    draft.port(sheet, f"A{FIRST_ROW}:A{last}", "t_sequence", "out")
    draft.table.append("t_sequence")
    draft.port(sheet, f"A{HEADER_ROW}", "t_header", "identity")


def _inputs(draft: Draft, sheet: Worksheet, span: str, column: SummaryColumn) -> None:
    known = column.fact
    if column.option is not None:
        for (cell,) in sheet[span]:
            style.input_cell(sheet, cell.coordinate)
        draft.dropdown(sheet, span, ["是", "否"])
        return
    codes = draft.form.data.get("options", {}).get(known.id, list(known.options))
    input_for(draft, sheet, span, known, [known.options[code][0] for code in codes])
    for (cell,) in sheet[span]:
        cell.font = style.READING if known.type == "passage" or known.id in OPTIONAL else style.BODY
        if known.type == "passage":
            cell.number_format, cell.alignment = style.TEXT, style.LEFT


def _foot(draft: Draft, sheet: Worksheet, last: int, columns: int) -> int:
    """The line below the table, where the form has one; returns the last row that prints."""
    items = draft.form.data.get("foot")
    if not items:
        return last
    sheet.row_dimensions[last + 1].height = 28
    _labelled(draft, sheet, last + 1, items, columns)
    return last + 1


def _working(draft: Draft, sheet: Worksheet, version: Version, letters: Mapping[str, str], last: int) -> str:
    """Beyond a divider: how long the limited texts are, and the findings a recalculation writes; their letter."""
    at = len(letters) + 2
    divider = get_column_letter(at)
    sheet.column_dimensions[divider].width = _DIVIDER_WIDTH
    for row in range(1, last + 1):
        style.put(sheet, f"{divider}{row}", font=_ROW_FONT, fill=style.DIVIDER, box=False)
    for port, (label, most) in limits_of(draft.form, version).items():
        at += 1
        letter, name = get_column_letter(at), port.removeprefix("t_")
        limit = draft.parameters(f"limit_{name}", [[most]])[0][0]
        sheet.column_dimensions[letter].width = _COUNTER_WIDTH
        _working_heading(sheet, letter, f"{label.partition('（')[0]}\n现有字符（限{most}字）")
        for row in range(FIRST_ROW, last + 1):
            text = f"${letters[port]}{row}"
            style.computed_cell(sheet, f"{letter}{row}", f'=IF({text}="","",LEN({text}))', font=style.READING)
        span = f"{letter}{FIRST_ROW}:{letter}{last}"
        # 字数 never exceeds the number of characters, so a short text is certain and a long one only likely.
        over = f"AND(ISNUMBER({letter}{FIRST_ROW}),N({letter}{FIRST_ROW})>{limit})"
        sheet.conditional_formatting.add(span, FormulaRule(formula=[over], fill=style.ORANGE))
        draft.port(sheet, span, f"t_length_{name}", "out")
        draft.table.append(f"t_length_{name}")
    letter = str(get_column_letter(at + 1))
    sheet.column_dimensions[letter].width = _FINDINGS_WIDTH
    _working_heading(sheet, letter, "检查意见（核算时填写）")
    for row in range(FIRST_ROW, last + 1):
        style.put(sheet, f"{letter}{row}", font=style.READING, fill=style.COMPUTED)
    span = f"{letter}{FIRST_ROW}:{letter}{last}"
    draft.port(sheet, span, FINDINGS, "fill")
    draft.table.append(FINDINGS)
    first = get_column_letter(len(letters) + 3)
    note = "竖线以右为检查列：不打印，不属于官方表格；只核对本表各列，不表示企业符合申报条件"
    style.put(sheet, f"{first}2", note, font=style.HEADING, box=False, align=style.START)
    numbers = [sheet[f"{first}1"].column + step for step in range(3)]
    style.legend(sheet, *(f"{get_column_letter(number)}{HEAD_ROW}" for number in numbers))
    return letter


def _working_heading(sheet: Worksheet, letter: str, text: str) -> None:
    style.put(sheet, f"{letter}{HEADER_ROW}", text, font=style.SMALL_HEADING, fill=style.HEADER, align=style.CENTRE)


def _marks(
    draft: Draft,
    sheet: Worksheet,
    version: Version,
    columns: list[SummaryColumn],
    letters: Mapping[str, str],
    last: int,
    letter: str,
) -> None:
    """Red and orange while typing (doubled names, directions that exclude each other), and where findings point."""
    findings = f"${letter}{FIRST_ROW}"
    name = letters[f"t_{draft.form.data['name']}"]
    names = f"${name}${FIRST_ROW}:${name}${last}"
    rules = [(name, f'AND(${name}{FIRST_ROW}<>"",SUMPRODUCT(({names}=${name}{FIRST_ROW})*1)>1)', style.RED)]
    rules += [(place, formula, style.RED) for place, formula in _exclusive(draft, version, columns, letters)]
    labels: dict[str, str] = {}
    for column in columns:
        label = labels.setdefault(column.fact.id, column.label)
        rules.append((letters[column.port], f'ISNUMBER(FIND("【{label}】",{findings}))', style.ORANGE))
    for severity, fill in (("block", style.RED), ("warn", style.ORANGE)):
        word = WORDS[severity]
        rules.append((letter, f'LEFT({findings},{len(word)})="{word}"', fill))
    for place, formula, fill in rules:
        area = f"{place}{FIRST_ROW}:{place}{last}"
        sheet.conditional_formatting.add(area, FormulaRule(formula=[formula], fill=fill))


def _exclusive(
    draft: Draft, version: Version, columns: list[SummaryColumn], letters: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Columns of options of which only one, or only so many, may say 是."""
    sources: Mapping[str, str] = draft.form.data["taken_from"]
    found = []
    for rule in (item for item in version.mechanisms(version.full_choices({})) if isinstance(item, Selection)):
        own = {column.option: column for column in columns if sources.get(column.fact.id) == rule.by.id}
        cells = {code: f"${letters[column.port]}{FIRST_ROW}" for code, column in own.items() if code}
        most = draft.parameters("most_chosen", [[rule.most["at_most"]]])[0][0]
        counted = "+".join(f'({cell}="是")' for cell in cells.values())
        found += [(letters[column.port], f"{counted}>{most}") for column in own.values()]
        for row in rule.exclusions:
            both = "+".join(f'({cells[code]}="是")' for code in row["codes"])
            found += [(letters[own[code].port], f"{both}>1") for code in row["codes"]]
    return found
