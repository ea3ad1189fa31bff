"""How a form looks: the fonts, colours and borders clerks know from the official annexes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from copy import copy
from math import ceil
from typing import Any

from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.pagebreak import Break
from openpyxl.worksheet.worksheet import Worksheet

TITLE = Font(name="方正小标宋简体", size=20)
SUBTITLE = Font(name="黑体", size=14)
ANNEX = Font(name="黑体", size=14)
HEADING = Font(name="黑体", size=11)
BODY = Font(name="仿宋", size=11)
READING = Font(name="仿宋", size=10)
LINK = Font(name="仿宋", size=10, color="0563C1", underline="single")
SMALL = Font(name="仿宋", size=9)
SMALL_HEADING = Font(name="黑体", size=9)
NOTE = Font(name="仿宋", size=10, color="595959")
STRONG = Font(name="仿宋", size=12, bold=True)
AMOUNT = Font(name="仿宋", size=14, bold=True)

INPUT = PatternFill("solid", fgColor="FFF9DB")
COMPUTED = PatternFill("solid", fgColor="EDEDED")
HEADER = PatternFill("solid", fgColor="DCE6F1")
"""Headings of what is not printed on an official form; official headings stay white."""
TICKED = PatternFill("solid", bgColor="E2EFDA", fgColor="E2EFDA")
DIVIDER = PatternFill("solid", fgColor="7F7F7F")
RED = PatternFill("solid", bgColor="F8CBAD", fgColor="F8CBAD")
ORANGE = PatternFill("solid", bgColor="FFE699", fgColor="FFE699")

_THIN = Side(style="thin", color="404040")
BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center", indent=1)
INSET = Alignment(horizontal="left", vertical="center", wrap_text=True, indent=1)
START = Alignment(horizontal="left", vertical="center")
BOTTOM_LEFT = Alignment(horizontal="left", vertical="bottom", wrap_text=True)
TOP_LEFT = Alignment(horizontal="left", vertical="top", wrap_text=True)

MONEY = "#,##0.00"
DATE = "yyyy-mm-dd"
LONG_DATE = 'yyyy"年"m"月"d"日"'
TEXT = "@"


def put(
    sheet: Worksheet,
    ref: str,
    value: Any = None,
    *,
    font: Font = BODY,
    align: Alignment = LEFT,
    fill: PatternFill | None = None,
    box: bool = True,
    unlocked: bool = False,
    format: str | None = None,
) -> Any:
    """Writes one cell with its looks; returns the cell."""
    cell = sheet[ref]
    if value is not None:
        cell.value = value
    cell.font, cell.alignment = font, align
    if fill is not None:
        cell.fill = fill
    if box:
        cell.border = BOX
    if unlocked:
        cell.protection = Protection(locked=False)
    if format:
        cell.number_format = format
    return cell


def merge(sheet: Worksheet, area: str, value: Any = None, **looks: Any) -> Any:
    """Merges an area of a form's fixed part and writes its first cell; every cell gets the border."""
    cells = [cell for row in sheet[area] for cell in row]
    for cell in cells:
        if looks.get("box", True):
            cell.border = BOX
        if looks.get("unlocked"):
            cell.protection = Protection(locked=False)
    if len(cells) > 1:
        sheet.merge_cells(area)
    return put(sheet, cells[0].coordinate, value, **looks)


def input_cell(sheet: Worksheet, ref: str, **looks: Any) -> Any:
    """A light-yellow unlocked cell."""
    return put(sheet, ref, fill=INPUT, unlocked=True, **{"align": CENTRE, **looks})


def computed_cell(sheet: Worksheet, ref: str, formula: str, **looks: Any) -> Any:
    """A grey locked cell with a formula."""
    return put(sheet, ref, formula, fill=COMPUTED, **{"align": CENTRE, **looks})


def widths(sheet: Worksheet, values: Iterable[tuple[str, float]]) -> None:
    """Column widths by letter."""
    for letter, width in values:
        sheet.column_dimensions[letter].width = width


def text_height(text: str, width: float, font: Font = BODY) -> float:
    """The height in points a text needs when wrapped in columns of a width, estimated generously."""
    size = float(font.size or 11)
    capacity = max(width - 1, 1) * 11 / size
    lines = sum(max(1, ceil(_text_width(line) / capacity)) for line in text.split("\n"))
    return lines * size * 1.46 + 4


def _text_width(line: str) -> float:
    """In column width units at 11 points; what is not plainly narrow counts as a Chinese character."""
    return sum(1.1 if unicodedata.east_asian_width(char) in ("Na", "H", "N") else 2.12 for char in line)


def grow(sheet: Worksheet, first: int, last: int, needed: float) -> None:
    """Raises the rows of a block evenly until together they are as high as needed."""
    rows = [sheet.row_dimensions[row] for row in range(first, last + 1)]
    short = needed - sum(row.height or DEFAULT_HEIGHT for row in rows)
    if short > 0:
        for row in rows:
            row.height = round((row.height or DEFAULT_HEIGHT) + short / len(rows), 1)


DEFAULT_HEIGHT = 15.0
_A4 = (595.3, 841.9)
_MARGINS = {"left": 0.5, "right": 0.5, "top": 0.6, "bottom": 0.7, "header": 0.3, "footer": 0.35}


def _paper(landscape: bool) -> tuple[float, float]:
    """Width and height in points that the margins of an A4 page leave."""
    width, height = _A4[::-1] if landscape else _A4
    across, down = (_MARGINS[a] + _MARGINS[b] for a, b in (("left", "right"), ("top", "bottom")))
    return width - 72 * across, height - 72 * down


def page_room(sheet: Worksheet, letters: Iterable[str], *, landscape: bool) -> float:
    """The height of rows that one page takes when columns are scaled to its width."""
    wide = sum(5.25 * sheet.column_dimensions[letter].width + 3.75 for letter in letters)
    across, down = _paper(landscape)
    return float(0.96 * down * max(1.0, wide / across))


def page(
    sheet: Worksheet,
    area: str | None,
    *,
    landscape: bool,
    header_rows: str | None = None,
    breaks: Iterable[int] = (),
) -> None:
    """A4, one page wide, page number in the footer, header rows repeated.

    area: None prints what is filled. breaks: rows after which a page ends.
    """
    if area:
        sheet.print_area = area
    sheet.page_setup.paperSize = 9
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for row in breaks:
        sheet.row_breaks.append(Break(id=row))
    sheet.page_margins = PageMargins(**_MARGINS)
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.center.text = "第 &P 页 共 &N 页"
    if header_rows:
        sheet.print_title_rows = header_rows


def open_edge(sheet: Worksheet, area: str, edge: str) -> None:
    """Removes the line on one edge (``top`` or ``bottom``) of cells that read as one with their neighbours."""
    for row in sheet[area]:
        for cell in row:
            border = copy(cell.border)
            setattr(border, edge, Side())
            cell.border = border


def protect(sheet: Worksheet) -> None:
    """Locks formulas without a password; rows may be inserted, sorted and formatted, comments stay possible."""
    lock = sheet.protection
    lock.sheet = True
    lock.formatCells = lock.formatColumns = lock.formatRows = False
    lock.insertRows = lock.deleteRows = lock.sort = lock.autoFilter = False
    lock.objects = lock.scenarios = False


def legend(sheet: Worksheet, first: str, second: str, third: str) -> None:
    """The meaning of the colours, in three cells outside the printed area."""
    put(sheet, first, "填写", font=SMALL, fill=INPUT, align=CENTRE)
    put(sheet, second, "自动计算", font=SMALL, fill=COMPUTED, align=CENTRE)
    put(sheet, third, "有误或须核对", font=SMALL, fill=RED, align=CENTRE)


def notes(sheet: Worksheet, letter: str, first: int, lines: Iterable[str]) -> None:
    """How to fill in the form, beside it and outside the printed area, one line a row."""
    for row, line in enumerate(lines, first):
        put(sheet, f"{letter}{row}", line, font=NOTE, box=False, align=START)
