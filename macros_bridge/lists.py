"""The lists the buttons open beside a workbook: what was found, and what the choices change; each line with a link."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from macros_bridge.workbook_access import cell_of
from workbooks.building import style
from xlcalc.results.explain import SEVERITY_LABELS
from xlcalc.results.outcome import Finding

_FILLS = {"block": "#F8CBAD", "warn": "#FFE699"}


@dataclass(frozen=True)
class Column:
    """A column of a list: its heading and its width."""

    title: str
    width: float
    centred: bool = False


@dataclass(frozen=True)
class Link:
    """A cell of the user's workbook, to be reached by a click. text: what is shown instead of the place."""

    where: str
    book: Path | None
    text: str = ""

    @property
    def url(self) -> str | None:
        """An address Excel follows into the open workbook; None where an address could not say it."""
        place = cell_of(self.where)
        if place is None or self.book is None or "#" in str(self.book):
            return None
        return f"external:{self.book}#'{place[0].replace(chr(39), chr(39) * 2)}'!{place[1]}"


@dataclass(frozen=True)
class Line:
    """One line of a list; severity colours its first cell."""

    cells: tuple[str | Link, ...]
    severity: str = ""


FINDING_COLUMNS = (
    Column("程度", 11, True),
    Column("企业", 26),
    Column("单元格（点击前往）", 22, True),
    Column("问题和处理办法", 72),
    Column("依据", 22),
    Column("编号", 19, True),
)


def finding_lines(rows: Sequence[tuple[str, Finding]], book: Path | None, reachable: Sequence[str]) -> list[Line]:
    """Findings, each with the enterprise it is about; only cells of reachable sheets get a link."""
    lines = []
    for enterprise, finding in rows:
        place = cell_of(finding.where)
        where = finding.where or ""
        linked = Link(where, book) if place and place[0] in reachable else where
        lines.append(
            Line(
                (
                    SEVERITY_LABELS[finding.severity], enterprise, linked,
                    finding.message, finding.clause or "", finding.code,
                ),
                finding.severity,
            )
        )  # fmt: skip
    return lines


def list_workbook(
    title: str, notes: Sequence[str], sheets: Sequence[tuple[str, Sequence[Column], Sequence[Line]]]
) -> bytes:
    """A workbook of lists under one title; the same lines give the same bytes."""
    buffer = io.BytesIO()
    with _workbook(buffer, title) as book:
        looks = _looks(book)
        for name, columns, lines in sheets:
            _sheet(book, looks, name, title, notes, columns, lines)
    return buffer.getvalue()


@contextmanager
def _workbook(buffer: io.BytesIO, title: str) -> Iterator[Any]:
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"author": "xlcalc", "title": title, "created": datetime(2025, 1, 1)})
    yield book
    book.close()


def _looks(book: Any) -> dict[str, Any]:
    # Quoted, so that a text beginning with = + - @ stays text wherever it is copied.
    base = {"font_name": "仿宋", "font_size": 10, "valign": "vcenter", "border": 1, "text_wrap": True}
    text = {**base, "quote_prefix": True}
    return {
        "title": book.add_format({"font_name": "黑体", "font_size": 14, "valign": "vcenter"}),
        "note": book.add_format({"font_name": "仿宋", "font_size": 10, "font_color": "#595959", "valign": "vcenter"}),
        "head": book.add_format({**base, "font_name": "黑体", "bg_color": "#DCE6F1", "align": "center"}),
        "text": book.add_format(text),
        "centred": book.add_format({**text, "align": "center"}),
        "link": book.add_format({**base, "font_color": "#0563C1", "underline": 1, "align": "center"}),
        **{name: book.add_format({**text, "align": "center", "bg_color": fill}) for name, fill in _FILLS.items()},
    }


def _sheet(
    book: Any,
    looks: dict[str, Any],
    name: str,
    title: str,
    notes: Sequence[str],
    columns: Sequence[Column],
    lines: Sequence[Line],
) -> None:
    sheet = book.add_worksheet(name)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, title, looks["title"])
    sheet.set_row(0, 28)
    for row, note in enumerate(notes, 1):
        sheet.write_string(row, 0, note, looks["note"])
        sheet.set_row(row, 18)
    head = len(notes) + 1
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(head, place, column.title, looks["head"])
    sheet.set_row(head, 24)
    sheet.freeze_panes(head + 1, 0)
    if lines:
        sheet.autofilter(head, 0, head + len(lines), len(columns) - 1)
    for row, line in enumerate(lines, head + 1):
        _line(sheet, looks, row, columns, line)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(head)
    sheet.set_footer("&C第 &P 页 共 &N 页")


def _line(sheet: Any, looks: dict[str, Any], row: int, columns: Sequence[Column], line: Line) -> None:
    height = 18.0
    for place, (column, value) in enumerate(zip(columns, line.cells, strict=True)):
        text = (value.text or value.where) if isinstance(value, Link) else value
        look = line.severity if place == 0 and line.severity in _FILLS else "centred" if column.centred else "text"
        if isinstance(value, Link) and value.url:
            sheet.write_url(row, place, value.url, looks["link"], text)
        else:
            sheet.write_string(row, place, text[:32000], looks[look])
        height = max(height, style.text_height(text, column.width, style.READING))
    sheet.set_row(row, min(height, 400.0))
