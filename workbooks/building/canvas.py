"""The sheet a form is laid out on: printed columns addressed in twelfths of their width, and where pages end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from openpyxl.styles import Border, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.building import style
from workbooks.building.draft import Draft

GRID = (7.6,) * 12
WHOLE = 12
LINE = 28.0
_EDGE = Side(style="thin", color="404040")

Block = Mapping[str, Any]


@dataclass
class Canvas:
    """Where the next block goes. grid: widths of the printed columns; ``left``: the twelfth at which blocks begin.

    by_column: columns take the place of twelfths, where a block has to fit the columns of a table below it.
    beside: widths of the columns beside the printed ones, one further to the right each. pieces: rows that belong
    on one page.
    """

    draft: Draft
    sheet: Worksheet
    grid: Sequence[float] = GRID
    row: int = 1
    left: int = 0
    by_column: bool = False
    beside: list[float] = field(default_factory=list)
    pieces: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        style.widths(self.sheet, ((get_column_letter(n), width) for n, width in enumerate(self.grid, 1)))

    @property
    def last(self) -> str:
        """The last printed column."""
        return str(get_column_letter(len(self.grid)))

    def _edge(self, twelfth: int) -> int:
        """How many columns stand left of a twelfth, to the nearest column."""
        if self.by_column:
            return min(twelfth, len(self.grid))
        widths = [0.0, *accumulate(self.grid)]
        wanted = widths[-1] * twelfth / WHOLE
        return min(range(len(widths)), key=lambda place: abs(widths[place] - wanted))

    def letters(self, start: int, end: int = WHOLE) -> tuple[str, str]:
        """The first and last column of a span of twelfths."""
        first = self._edge(start) + 1
        return get_column_letter(first), get_column_letter(max(first, self._edge(end)))

    def narrow(self, start: int) -> int:
        """Where a span of one twelfth ends, or of one column where the columns are wider."""
        return next(place for place in range(start + 1, WHOLE + 1) if self._edge(place) > self._edge(start))

    def width(self, start: int, end: int = WHOLE) -> float:
        """The width of a span in characters."""
        first = self._edge(start)
        return float(sum(self.grid[first : max(first + 1, self._edge(end))]))

    def area(self, start: int, end: int = WHOLE, rows: int = 1) -> str:
        """``C5:L7``: a span of the current row and those below it."""
        first, last = self.letters(start, end)
        return f"{first}{self.row}:{last}{self.row + rows - 1}"

    def merge(self, start: int, end: int, value: Any = None, *, rows: int = 1, **looks: Any) -> str:
        """Writes over a span of the current row; returns its first cell."""
        area = self.area(start, end, rows)
        style.merge(self.sheet, area, value, **looks)
        return area.partition(":")[0]

    def input(self, start: int, end: int, *, rows: int = 1, **looks: Any) -> str:
        """An input over a span of the current row; returns its first cell."""
        area = self.area(start, end, rows)
        style.merge(self.sheet, area, box=looks.get("box", True))
        for line in self.sheet[area]:
            for cell in line:
                style.input_cell(self.sheet, cell.coordinate, **looks)
        return area.partition(":")[0]

    def next(self, height: float, *, rows: int = 1) -> None:
        """Gives the current row, or rows together, their height and goes on below them."""
        for row in range(self.row, self.row + rows):
            self.sheet.row_dimensions[row].height = round(height / rows, 1)
        self.row += rows

    def keep(self, first: int) -> None:
        """Holds the rows from ``first`` to here on one page, as far as one page holds them."""
        self.pieces.append((first, self.row - 1))

    def outline(self, first: int, start: int, end: int = WHOLE) -> None:
        """Draws the edge around a span of the rows from ``first`` to the current one."""
        left, right = self.letters(start, end)
        lines = self.sheet[f"{left}{first}:{right}{self.row - 1}"]
        for line in lines:
            for place, cell in enumerate(line):
                kept = cell.border
                cell.border = Border(
                    left=_EDGE if place == 0 else kept.left, right=_EDGE if place == len(line) - 1 else kept.right,
                    top=_EDGE if line is lines[0] else kept.top, bottom=_EDGE if line is lines[-1] else kept.bottom,
                )  # fmt: skip

    def finish(self, spec: Block, *, header_rows: str | None = None, one_page: bool = False) -> None:
        """The legend, notes, pages and protection of a sheet whose blocks are laid out.

        A sheet that is no part of the official form (``working``) has no print area.
        """
        gap = len(self.grid) + 1
        for place, width in enumerate([2.0, *self.beside], gap):
            self.sheet.column_dimensions[get_column_letter(place)].width = width
        free = get_column_letter(gap + len(self.beside) + 1)
        self.sheet.column_dimensions[free].width = 16
        style.legend(self.sheet, *(f"{free}{row}" for row in (1, 2, 3)))
        style.notes(self.sheet, free, 5, spec.get("notes", ()))
        landscape = spec.get("landscape", False)
        area = None if spec.get("working") else f"A1:{self.last}{self.row - 1}"
        breaks = () if one_page else tuple(self._breaks(landscape))
        for row in breaks:
            self._close(row)
        style.page(self.sheet, area, landscape=landscape, header_rows=header_rows, breaks=breaks)
        self.sheet.page_setup.fitToHeight = int(one_page)
        style.protect(self.sheet)

    def _close(self, row: int) -> None:
        """Draws the edge of a table where a page ends within what reads as one cell."""
        for place in range(1, len(self.grid) + 1):
            above, below = self.sheet.cell(row, place), self.sheet.cell(row + 1, place)
            if above.border.left.style and below.border.left.style:
                for cell, edge in ((above, "bottom"), (below, "top")):
                    border = copy(cell.border)
                    setattr(border, edge, _EDGE)
                    cell.border = border

    def _breaks(self, landscape: bool) -> Iterator[int]:
        """The rows after which a page ends, so that no piece is cut that a page can hold.

        A heading is a piece with the row below it, so it never stands last on a page. Where the program decides how
        high the rows are, it also decides where pages end.
        """
        if any(self.sheet.row_dimensions[row].height is None for row in range(1, self.row)):
            return
        columns = [get_column_letter(place) for place in range(1, len(self.grid) + 1)]
        room = style.page_room(self.sheet, "".join(columns) if len(columns) < 27 else "A", landscape=landscape)
        top = 1
        for first, last in self._whole(room):
            if first > top and self._height(top, last) > room:
                yield first - 1
                top = first
            while self._height(top, last) > room:
                held = next(row for row in range(top, last + 1) if self._height(top, row) > room)
                top = max(held, top + 1)

    def _whole(self, room: float) -> Iterator[tuple[int, int]]:
        """The rows in pieces that stay together: overlapping ones as one, those too high for a page row by row."""
        row = 1
        while row < self.row:
            last = row
            for first, end in sorted(self.pieces):
                if first <= last < end and self._height(row, end) <= room:
                    last = end
            yield row, last
            row = last + 1

    def _height(self, first: int, last: int) -> float:
        return sum(self.sheet.row_dimensions[row].height or style.DEFAULT_HEIGHT for row in range(first, last + 1))
