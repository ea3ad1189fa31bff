"""How a form looks: the fonts, colours and borders clerks know from the official annexes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.worksheet.page import PageMargins
from openpyxl.worksheet.worksheet import Worksheet

TITLE = Font(name="方正小标宋简体", size=18, bold=True)
SUBTITLE = Font(name="黑体", size=14)
HEADING = Font(name="黑体", size=11)
BODY = Font(name="仿宋", size=11)
SMALL = Font(name="仿宋", size=9)
NOTE = Font(name="仿宋", size=9, color="7F7F7F")
STRONG = Font(name="仿宋", size=12, bold=True)

INPUT = PatternFill("solid", fgColor="FFF9DB")
COMPUTED = PatternFill("solid", fgColor="EDEDED")
HEADER = PatternFill("solid", fgColor="DCE6F1")
RED = PatternFill("solid", bgColor="F8CBAD", fgColor="F8CBAD")
ORANGE = PatternFill("solid", bgColor="FFE699", fgColor="FFE699")

_THIN = Side(style="thin", color="404040")
BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center")
TOP_LEFT = Alignment(horizontal="left", vertical="top", wrap_text=True)

MONEY = "#,##0.00"
DATE = "yyyy-mm-dd"
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


def page(sheet: Worksheet, area: str, *, landscape: bool, header_rows: str | None = None) -> None:
    """A4, one page wide, page number in the footer, header rows repeated."""
    sheet.print_area = area
    sheet.page_setup.paperSize = 9
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins = PageMargins(left=0.6, right=0.6, top=0.75, bottom=0.75, header=0.3, footer=0.3)
    sheet.print_options.horizontalCentered = True
    sheet.oddFooter.center.text = "第 &P 页 共 &N 页"
    if header_rows:
        sheet.print_title_rows = header_rows


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
