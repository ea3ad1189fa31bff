"""What the sheets of a run report are drawn with: fonts and colours, pages ready to print, cells that stay text."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from workbooks.batch.tasks import FileResult

LAST_ROW = 1_000_000
_LAST_LINK = 60_000
_LONGEST = 32_000
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


class ReportBook:
    """The workbook of one report; outdir: the folder its links start from."""

    def __init__(self, outdir: Path) -> None:
        self.outdir = outdir
        self._below: dict[str, str] = {}
        self._stream = io.BytesIO()
        self.book = xlsxwriter.Workbook(self._stream, _OPTIONS)
        # One time for all, so that the same results give the same bytes.
        self.book.set_properties({"author": "xlcalc", "title": "运行报告", "created": datetime(2025, 1, 1)})
        self.looks = {name: self.book.add_format(look) for name, look in _LOOKS.items()}

    def below(self, output: str) -> str:
        """Where a result lies in the folder of the report."""
        if output not in self._below:
            self._below[output] = str(Path(output).relative_to(self.outdir))
        return self._below[output]

    def page(self, name: str, columns: Sequence[tuple[str, float]] = (), *, wide: bool = True) -> Page:
        """A sheet, printed on A4; columns: headings with their widths, repeated on every printed page."""
        page = Page(self, self.book.add_worksheet(name), len(columns))
        for place, (title, width) in enumerate(columns):
            page.sheet.set_column(place, place, width)
            page.put(0, place, title, "head")
        if columns:
            page.sheet.freeze_panes(1, 0)
            page.sheet.set_row(0, 30)
            page.sheet.repeat_rows(0)
        page.sheet.hide_gridlines(2)
        page.sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        page.sheet.set_paper(9)
        if wide:
            page.sheet.set_landscape()
        page.sheet.fit_to_pages(1, 0)
        page.sheet.set_footer("&C第 &P 页 共 &N 页")
        return page

    def closed(self) -> bytes:
        """The finished workbook."""
        self.book.close()
        return self._stream.getvalue()


class Page:
    """One sheet of the report."""

    def __init__(self, report: ReportBook, sheet: Any, width: int) -> None:
        self.sheet, self._report, self._width = sheet, report, width
        self.looks: Mapping[str, Any] = report.looks

    def put(self, row: int, column: int, value: Any, look: str = "text") -> None:
        """Writes one cell; text always as a string, never as a formula or a link."""
        if value is None:
            self.sheet.write_blank(row, column, None, self.looks[look])
        elif isinstance(value, int | float):
            self.sheet.write_number(row, column, value, self.looks[look])
        else:
            self.sheet.write_string(row, column, str(value)[:_LONGEST], self.looks[look])

    def line(self, row: int, values: Sequence[Any], looks: Sequence[str] = (), first: int = 0) -> None:
        """Writes cells side by side; those without a look of their own are text."""
        for offset, value in enumerate(values):
            self.put(row, first + offset, value, looks[offset] if offset < len(looks) else "text")

    def link(self, row: int, column: int, result: FileResult, where: str | None) -> None:
        """A link to a cell of the result workbook, where there is one and the spreadsheet's link limits allow it."""
        target = self._report.below(result.output) if result.output else None
        if target is None or not where or "!" not in where or row >= _LAST_LINK or "#" in target:
            self.put(row, column, where)
            return
        name, _, ref = where.rpartition("!")
        quoted = name.replace("'", "''")
        self.sheet.write_url(row, column, f"external:{target}#'{quoted}'!{ref}", self.looks["link"], string=where)

    def is_full(self, row: int) -> bool:
        """Whether the sheet ends before this row; then it says where the others stand."""
        if row == LAST_ROW:
            self.put(row, 0, "行数已满，其余见 results.jsonl 和 results.csv", "warn")
        return row >= LAST_ROW

    def end(self, row: int) -> None:
        """Filters over the rows down to this one; a list of nothing says so."""
        if row == 0:
            self.put(1, 0, "无")
        self.sheet.autofilter(0, 0, max(row, 1), self._width - 1)


_BASE = {"font_name": "仿宋", "font_size": 10, "valign": "vcenter", "border": 1, "text_wrap": True}
_CARD = {"font_name": "仿宋", "font_size": 11, "valign": "vcenter", "align": "center", "left": 2, "right": 2}
_LOOKS: dict[str, dict[str, Any]] = {
    "title": {"font_name": "方正小标宋简体", "font_size": 20, "valign": "vcenter"},
    "section": {"font_name": "黑体", "font_size": 12, "valign": "vcenter"},
    "note": {"font_name": "仿宋", "font_size": 10, "font_color": "#595959"},
    "card_head": {**_CARD, "font_name": "黑体", "top": 2, "bg_color": "#DCE6F1"},
    "card_money": {**_CARD, "font_size": 22, "bold": True, "num_format": "#,##0.00"},
    "card_count": {**_CARD, "font_size": 22, "bold": True, "num_format": "0"},
    "card_alert": {**_CARD, "font_size": 22, "bold": True, "bg_color": "#F8CBAD"},
    "card_foot": {**_CARD, "bottom": 2, "font_color": "#595959"},
    "head": {**_BASE, "font_name": "黑体", "bg_color": "#DCE6F1", "align": "center"},
    # Quoted, so that a text beginning with = + - @ stays text wherever it is copied.
    "text": {**_BASE, "quote_prefix": True},
    "name": {**_BASE, "text_wrap": False, "shrink": True, "quote_prefix": True},
    "number": {**_BASE, "num_format": "0.0##", "align": "center"},
    "count": {**_BASE, "num_format": "0", "align": "center"},
    "money": {**_BASE, "num_format": "#,##0.00", "text_wrap": False, "indent": 1, "align": "right"},
    "block": {**_BASE, "bg_color": "#F8CBAD", "quote_prefix": True},
    "warn": {**_BASE, "bg_color": "#FFE699", "quote_prefix": True},
    "link": {**_BASE, "font_color": "#0563C1", "underline": 1},
}
