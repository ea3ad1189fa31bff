"""What the sheets of a run report are drawn with: fonts and colours, pages ready to print, cells that stay text."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter

from workbooks.batch.report_lines import below
from workbooks.batch.tasks import REPORT_NAME, FileResult
from workbooks.files.writing import temporary_beside

LAST_ROW = 1_000_000
_MOST_LINKS = 60_000
_LONGEST, _LONGEST_LINK = 32_000, 2_000
# Rows go to the disk one by one, so that a report of any length takes little memory.
_OPTIONS = {"constant_memory": True}
_OPTIONS |= dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)


class ReportBook:
    """The workbook of one report, finished where its ``with`` ends; every sheet is written row by row.

    outdir: the folder its links start from. named: what a file with a path is called.
    """

    def __init__(self, outdir: Path, stream: BinaryIO, named: Callable[[str], str]) -> None:
        self.outdir, self.named = outdir, named
        # Here, so that the next run finds what a killed one has left of them.
        self._rows = temporary_beside(outdir / REPORT_NAME)
        self._rows.mkdir()
        self.book = xlsxwriter.Workbook(stream, {**_OPTIONS, "tmpdir": str(self._rows)})
        # One time for all, so that the same results give the same bytes.
        self.book.set_properties({"author": "xlcalc", "title": "运行报告", "created": datetime(2025, 1, 1)})
        self.looks = {name: self.book.add_format(look) for name, look in _LOOKS.items()}

    def __enter__(self) -> ReportBook:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.book.close()
        finally:
            for sheet in self.book.worksheets():
                sheet.row_data_fh.close()
            shutil.rmtree(self._rows, ignore_errors=True)

    def below(self, result: FileResult) -> str | None:
        """Where the result of a file lies in the folder of the report; None where there is none."""
        return below(self.outdir, result.output) if result.output else None

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


class Page:
    """One sheet of the report; ``book``: the workbook it is in."""

    def __init__(self, report: ReportBook, sheet: Any, width: int) -> None:
        self.sheet, self.book, self._report, self._width = sheet, report.book, report, width
        self.looks: Mapping[str, Any] = report.looks
        self._links = 0
        self._write_string, self._write_number = sheet.write_string, sheet.write_number

    def put(self, row: int, column: int, value: Any, look: str = "text") -> None:
        """Writes one cell unless it is empty; text always as a string, never as a formula or a link."""
        if isinstance(value, str):
            if value:
                self._write_string(row, column, value[:_LONGEST], self.looks[look])
        elif value is not None:
            self._write_number(row, column, value, self.looks[look])

    def line(self, row: int, values: Sequence[Any], looks: Sequence[str] = (), first: int = 0) -> None:
        """Writes cells side by side; those without a look of their own are text."""
        for column, (value, look) in enumerate(zip_longest(values, looks, fillvalue="text"), first):
            self.put(row, column, value, look)

    def link(self, row: int, column: int, result: FileResult, text: str | None, where: str | None = None) -> None:
        """A link to the result workbook or a cell of it, where there is one and the limits for links allow it."""
        target = self._report.below(result)
        name, mark, ref = (where or "").rpartition("!")
        quoted = name.replace("'", "''")
        at = f"#'{quoted}'!{ref}" if where else ""
        if target is None or "#" in target or (where and not mark) or not self._has_room(target + at):
            self.put(row, column, text)
            return
        self._links += 1
        self.sheet.write_url(row, column, f"external:{target}{at}", self.looks["link"], string=text)

    def _has_room(self, link: str) -> bool:
        return self._links < _MOST_LINKS and len(link) <= _LONGEST_LINK


class ListPage:
    """A sheet that grows by the rows of one file after another."""

    def __init__(self, report: ReportBook, name: str, columns: Sequence[tuple[str, float]]) -> None:
        self.named = report.named
        self.page, self._columns, self._row = report.page(name, columns), len(columns), 0

    def next_row(self) -> int | None:
        """The row to write next; None where the sheet ends, which then says where the others stand."""
        if self._row < LAST_ROW:
            self._row += 1
            if self._row == LAST_ROW:
                self.page.put(self._row, 0, _FULL, "warn")
        return self._row if self._row < LAST_ROW else None

    def end(self) -> None:
        """Filters over the rows; a list of nothing says so."""
        if self._row == 0:
            self.page.put(1, 0, "无")
        area = (max(self._row, 1), self._columns - 1)
        self.page.sheet.autofilter(0, 0, *area)
        # Empty cells, of which there are many, are not written; their borders come from one rule.
        boxed = {"type": "formula", "criteria": '=$A2<>""', "format": self.page.looks["box"]}
        self.page.sheet.conditional_format(1, 0, *area, boxed)


_FULL = "行数已满，其余见 results.jsonl、results.csv 和各结果文件的“检查结果”表"
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
    "box": {"border": 1},
    "link": {**_BASE, "font_color": "#0563C1", "underline": 1},
}
