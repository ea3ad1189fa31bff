"""How every workbook we hand out looks: A4, the fonts of official annexes, repeated headings, page numbers, seal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter
from openpyxl.styles import Font

from workbooks.building import style
from workbooks.documents.plain_text import clipped, readable
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money

TITLE_FONT, HEAD_FONT, BODY_FONT, NUMBER_FONT = "方正小标宋简体", "黑体", "仿宋", "宋体"
MONEY = "#,##0.00"
NO_DAY = "    年   月   日"

# More rows than these above the headings would leave a small screen no room to scroll.
_MOST_FROZEN = 4
_BODY_SIZE, _HIGHEST_ROW = 10.5, 400.0
_A4 = (595.3, 841.9)
_SIDE, _TOP, _BOTTOM = 0.55, 0.7, 0.75
_LITTLE, _FEW_PAGES = 0.3, 3
# What an 18-digit code, a full Chinese date and a bold 999,999,999.99 take in the fonts of official documents. They
# stay on one line whatever the font: in a wider one, as where 仿宋 is missing, they are set smaller.
_LEAST = {"code": 20.5, "date": 15.5, "money": 18.0}
# The other columns keep at least this much of the width they ask for; then the page is scaled instead.
_GIVES_UP = 0.8
_FILLS = {"bad": "#F8CBAD", "doubt": "#FFE699", "good": "#E2EFDA", "head": "#DCE6F1"}


@dataclass(frozen=True)
class Column:
    """width: its share of the page. look: ``text``, ``centre``, ``money``, ``count``, ``code`` or ``date``."""

    title: str
    width: float
    look: str = "text"


class Book:
    """A new workbook; every text is written as text, so that none is ever read as a formula or a link."""

    def __init__(self, title: str) -> None:
        self._stream = io.BytesIO()
        self.book = xlsxwriter.Workbook(
            self._stream,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
        # One time for all, so that the same results give the same bytes.
        self.book.set_properties({"author": "xlcalc", "title": readable(title), "created": datetime(2025, 1, 1)})
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def look(self, **properties: Any) -> Any:
        """A format, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format(properties)
        return self._formats[key]

    def sheet(self, name: str, columns: Sequence[Column], *, landscape: bool = False) -> Sheet:
        """A printable sheet whose columns share the width of an A4 page."""
        return Sheet(self, name, columns, landscape)

    def data(self) -> bytes:
        """The finished workbook."""
        self.book.close()
        return self._stream.getvalue()


class Sheet:
    """One sheet, written from top to bottom."""

    def __init__(self, book: Book, name: str, columns: Sequence[Column], landscape: bool) -> None:
        self.book, self.columns, self.row = book, columns, 0
        self.name = name
        self._printed, self._room = 0.0, (_A4[0] if landscape else _A4[1]) - 72 * (_TOP + _BOTTOM)
        self.sheet = book.book.add_worksheet(name)
        paper = (_A4[1] if landscape else _A4[0]) - 144 * _SIDE
        room = (paper - 3.75 * len(columns)) / 5.25
        self.widths = _widths(columns, room)
        self._room *= max(1.0, sum(self.widths) / room)
        for place, width in enumerate(self.widths):
            self.sheet.set_column(place, place, width)
        self.sheet.hide_gridlines(2)
        self.sheet.set_paper(9)
        self.sheet.set_margins(left=_SIDE, right=_SIDE, top=_TOP, bottom=_BOTTOM)
        self.sheet.fit_to_pages(1, 0)
        self.sheet.center_horizontally()
        self.sheet.set_footer(f'&C&"{NUMBER_FONT}"第 &P 页 共 &N 页')
        if landscape:
            self.sheet.set_landscape()

    def title(self, text: str, subtitle: str = "") -> None:
        """The title over the whole width; subtitle: the enterprise, the programme."""
        self._line(text, Font(name=TITLE_FONT, size=20), align="center", least=38)
        if subtitle:
            self._line(subtitle, Font(name=HEAD_FONT, size=12), align="center", least=22)

    def sides(self, left: str, right: str = "") -> None:
        """A line with something at either end, such as 填报单位 and 填表日期."""
        look = self.book.look(font_name=BODY_FONT, font_size=11, valign="vcenter")
        half = max(1, (len(self.columns) + 1) // 2)
        self._span(0, half - 1, left, look)
        if right:
            ending = self.book.look(font_name=BODY_FONT, font_size=11, valign="vcenter", align="right")
            self._span(half, len(self.columns) - 1, right, ending)
        self._height(max(24.0, style.text_height(left, sum(self.widths[:half]), Font(name=BODY_FONT, size=11))))

    def paragraph(self, text: str, *, size: float = 11, bold: bool = False, boxed: bool = False) -> None:
        """A paragraph over the whole width."""
        font = Font(name=HEAD_FONT if bold else BODY_FONT, size=size)
        self._line(text, font, align="left", least=20, boxed=boxed)

    def note(self, text: str) -> None:
        """Small and grey, for what is said beside the matter."""
        self._line(text, Font(name=BODY_FONT, size=9, color="595959"), align="left", least=15)

    def head(self, *, repeat: bool = True) -> None:
        """The headings of the columns, repeated on every page."""
        look = self.book.look(
            font_name=HEAD_FONT, font_size=_BODY_SIZE, border=1, text_wrap=True, align="center", valign="vcenter"
        )
        for place, column in enumerate(self.columns):
            self.sheet.write_string(self.row, place, column.title, look)
        font = Font(name=HEAD_FONT, size=_BODY_SIZE)
        needed = max(
            style.text_height(column.title, width, font)
            for column, width in zip(self.columns, self.widths, strict=True)
        )
        if repeat:
            self.sheet.repeat_rows(self.row)
            if self.row <= _MOST_FROZEN:
                self.sheet.freeze_panes(self.row + 1, 0)
        self._height(max(26.0, needed))

    def line(self, values: Sequence[Any], *, fills: dict[int, str] | None = None, bold: bool = False) -> None:
        """One row of the table: text, whole numbers, Money, a date or None. fills: column -> bad, doubt, good."""
        font = Font(name=BODY_FONT, size=_BODY_SIZE)
        needed = 22.0
        for place, (column, value) in enumerate(zip(self.columns, values, strict=True)):
            look = self._cell_look(column.look, (fills or {}).get(place), bold)
            value = _fitting(value, self.widths[place], font) if isinstance(value, str) else value
            shown = self.cell(self.row, place, value, look)
            if column.look not in _LEAST:
                needed = max(needed, style.text_height(shown, self.widths[place], font))
        self._height(needed)

    def cell(self, row: int, place: int, value: Any, look: Any) -> str:
        """Writes one value; returns the text it shows, "" for numbers."""
        if value is None or value == "":
            self.sheet.write_blank(row, place, None, look)
        elif isinstance(value, Money):
            self.sheet.write_number(row, place, value.fen / 100, look)
        elif isinstance(value, int):
            self.sheet.write_number(row, place, value, look)
        else:
            text = chinese_date(value) if isinstance(value, date) else readable(str(value))
            self.sheet.write_string(row, place, text, look)
            return text
        return ""

    def total(self, label: str, values: dict[int, Any]) -> int:
        """A row of totals under the table: the label in the first columns, values by column; returns its row."""
        first = min(values)
        look = self._cell_look("centre", None, True)
        self._span(0, first - 1, label, look)
        font, needed = Font(name=HEAD_FONT, size=_BODY_SIZE), 26.0
        for place in range(first, len(self.columns)):
            look = self._cell_look(self.columns[place].look, None, True)
            shown = self.cell(self.row, place, values.get(place), look)
            needed = max(needed, style.text_height(shown, self.widths[place], font))
        self._height(needed)
        return self.row - 1

    def fields(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Labels and what they say, two pairs a row."""
        label = self.book.look(
            font_name=HEAD_FONT, font_size=_BODY_SIZE, border=1, text_wrap=True, align="center", valign="vcenter"
        )
        said = self._cell_look("text", None, False)
        last, middle = len(self.columns) - 1, self._middle()
        for place in range(0, len(pairs), 2):
            (name, value), right = pairs[place], pairs[place + 1 : place + 2]
            self._span(0, 0, name, label)
            self._span(1, middle if right else last, value, said)
            needed = style.text_height(value, sum(self.widths[1 : middle + 1 if right else last + 1]))
            if right:
                self._span(middle + 1, middle + 1, right[0][0], label)
                self._span(middle + 2, last, right[0][1], said)
                needed = max(needed, style.text_height(right[0][1], sum(self.widths[middle + 2 :])))
            self._height(max(24.0, needed, style.text_height(name, self.widths[0])))

    def _middle(self) -> int:
        """The last column of the left half, so that a label and a value fit on either side."""
        return max(1, min(len(self.columns) - 3, (len(self.columns) - 1) // 2))

    def opinion(self, label: str, height: float = 56) -> None:
        """A box over the whole width for someone's opinion, signature, seal and day."""
        said = self.book.look(font_name=HEAD_FONT, font_size=_BODY_SIZE, top=1, left=1, right=1, valign="vcenter")
        self._span(0, len(self.columns) - 1, f"{label}：", said)
        self._height(24.0)
        room = self.book.look(
            font_name=BODY_FONT, font_size=_BODY_SIZE, bottom=1, left=1, right=1, align="right", valign="bottom"
        )
        self._span(0, len(self.columns) - 1, f"签字：　　　　　　　（盖章）　　　{NO_DAY}　", room)
        self._height(height)

    def signatures(self, names: Iterable[str]) -> None:
        """Places for names, side by side, under the table."""
        self.gap(8)
        self.paragraph("".join(f"{name}：" + "　" * 8 for name in names).rstrip("　"))

    def seal(self, who: str, day: date | None = None) -> None:
        """Where the issuing office puts its name, seal and day; one row, so that no page parts them."""
        self.gap(10)
        look = self.book.look(font_name=BODY_FONT, font_size=12, valign="vcenter", align="right", text_wrap=True)
        self._span(0, len(self.columns) - 1, f"{who}（盖章）　　\n{chinese_date(day) if day else NO_DAY}　　", look)
        self._height(56.0)

    def slip(self, lines: Sequence[str]) -> None:
        """A slip to be filled in and torn off, under a broken line; one row, so that no page parts it."""
        look = self.book.look(
            font_name=BODY_FONT,
            font_size=11,
            valign="vcenter",
            align="left",
            text_wrap=True,
            top=3,
            top_color="#808080",
        )
        self._span(0, len(self.columns) - 1, "\n".join(lines), look)
        self._height(24.0 * len(lines) + 6)

    def gap(self, height: float = 8) -> None:
        """An empty row."""
        self._height(height)

    def footnotes(self, lines: Iterable[str]) -> None:
        """Notes under everything, such as the packs behind the numbers."""
        self.gap(6)
        for line in lines:
            self.note(line)

    def filter(self) -> None:
        """Buttons for filtering on the headings in the first row, down to what was written last."""
        self.sheet.autofilter(0, 0, max(self.row - 1, 1), len(self.columns) - 1)

    def finish(self) -> None:
        """Sets the printed area to what was written; what goes a little beyond its last page is shrunk to fit."""
        self.sheet.print_area(0, 0, max(self.row - 1, 0), len(self.columns) - 1)
        pages = int(self._printed / self._room)
        if 1 <= pages <= _FEW_PAGES and self._printed <= (pages + _LITTLE) * self._room:
            self.sheet.fit_to_pages(1, pages)

    def unprinted(self, lines: Iterable[str]) -> None:
        """Remarks for whoever issues the document, below the printed area: to be called last."""
        for line in lines:
            self.gap(6)
            self._line(f"（不打印）{line}", Font(name=BODY_FONT, size=9, color="C00000"), align="left", least=15)

    def _line(self, text: str, font: Font, *, align: str, least: float, boxed: bool = False) -> None:
        colour = {"font_color": f"#{font.color.rgb[-6:]}"} if font.color else {}
        look = self.book.look(
            font_name=font.name, font_size=font.size, align=align, valign="vcenter", text_wrap=True,
            border=1 if boxed else 0, **colour,
        )  # fmt: skip
        shown = _fitting(text, sum(self.widths), font)
        self._span(0, len(self.columns) - 1, shown, look)
        self._height(max(least, style.text_height(shown, sum(self.widths), font)))

    def _span(self, first: int, last: int, text: str, look: Any) -> None:
        if last > first:
            self.sheet.merge_range(self.row, first, self.row, last, "", look)
        self.sheet.write_string(self.row, first, readable(text), look)

    def _cell_look(self, kind: str, fill: str | None, bold: bool) -> Any:
        base: dict[str, Any] = {
            "font_name": BODY_FONT, "font_size": _BODY_SIZE, "border": 1, "valign": "vcenter", "text_wrap": True,
        }  # fmt: skip
        if kind == "money":
            # Shrinking leaves no room for an indent; a blank of the number format takes its place.
            base |= {"num_format": f"{MONEY}_ ", "align": "right"}
        elif kind == "count":
            base |= {"num_format": "0", "align": "center"}
        else:
            # Quoted, so that a text beginning with = + - @ stays text wherever it is copied.
            base |= {"quote_prefix": True, "align": "left" if kind == "text" else "center"}
        if kind in _LEAST:
            base |= {"text_wrap": False, "shrink": True}
        if fill:
            base["bg_color"] = _FILLS[fill]
        if bold:
            base["bold"] = True
        return self.book.look(**base)

    def _height(self, height: float) -> None:
        self._printed += min(height, _HIGHEST_ROW)
        self.sheet.set_row(self.row, min(height, _HIGHEST_ROW))
        self.row += 1


def _widths(columns: Sequence[Column], room: float) -> list[float]:
    """The room shared out as asked, but no narrower than what must stay on one line."""
    whole = sum(column.width for column in columns)
    least = {place: _LEAST[column.look] for place, column in enumerate(columns) if column.look in _LEAST}
    given = {place: max(width, columns[place].width / whole * room) for place, width in least.items()}
    others = sum(column.width for place, column in enumerate(columns) if place not in least)
    if given and others and sum(given.values()) + _GIVES_UP * others > room:
        given = least
    share = max((room - sum(given.values())) / others, _GIVES_UP) if others else 0.0
    return [given.get(place, column.width * share) for place, column in enumerate(columns)]


def _fitting(text: str, width: float, font: Font) -> str:
    """The readable text, or as much of it as the highest row a spreadsheet knows can show."""
    text = readable(text)
    while style.text_height(text, width, font) > _HIGHEST_ROW:
        text = clipped(text, len(text) * 9 // 10)
    return text
