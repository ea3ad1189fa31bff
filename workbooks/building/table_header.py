"""Where the heading of a table stands in a sheet of someone's own making, and what each column is called.

Above it may stand titles, a line of labels such as 填表日期： and blank rows; it may itself be several rows high, with
cells merged across a group of columns or down to its last row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from workbooks.files.cellxml import Position, RawCell
from workbooks.files.rawbook import Area
from workbooks.files.rawxml import check_limit
from xlcalc.values.text import normalise, squeeze

SEARCHED_ROWS, MOST_COLUMNS, _DEEPEST = 40, 300, 3
_MOST_MERGED = 200_000
_UNIT_LINE = re.compile(r"单位:(?:人民币)?(万元|元)")

RECOGNISED, SIMILAR, UNKNOWN = 2, 1, 0


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its number and the texts of its heading, from the top down."""

    number: int
    parts: tuple[str, ...]

    @property
    def heading(self) -> str:
        """``联系信息／电话``."""
        return "／".join(self.parts)


@dataclass(frozen=True)
class Header:
    """The rows of the heading, the columns that have one, and the unit a line above declares for all amounts."""

    first: int
    last: int
    columns: tuple[Column, ...]
    unit: str | None


class Grid:
    """The cells of a sheet by row, with what its merged areas show; ``merges`` is None where there are none to see."""

    def __init__(
        self, name: str, cells: Mapping[Position, RawCell], merges: Sequence[Area] | None, origin: int = 1
    ) -> None:
        self.name = name
        self.rows: dict[int, dict[int, RawCell]] = {}
        for (row, column), cell in cells.items():
            if row >= origin and (cell.formula is not None or normalise(cell.text)):
                self.rows.setdefault(row, {})[column] = cell
        self.has_merges = merges is not None
        self.covered: dict[Position, Position] = {}
        """Cell of a merged area -> the cell that holds its content."""
        total = 0
        for area in merges or ():
            total += (area.last_row - area.first_row + 1) * (area.last_col - area.first_col + 1)
            check_limit(total, _MOST_MERGED, "合并的单元格", name)
            for row in range(area.first_row, area.last_row + 1):
                for column in range(area.first_col, area.last_col + 1):
                    self.covered[row, column] = (area.first_row, area.first_col)

    def text(self, row: int, column: int) -> str:
        """What is seen at a cell, in a merged area the text of its first."""
        row, column = self.covered.get((row, column), (row, column))
        cell = self.rows.get(row, {}).get(column)
        return normalise(cell.text) if cell else ""


def find_header(grid: Grid, grade: Callable[[Column], int]) -> Header | None:
    """The rows in which most columns are recognised; None where fewer than two are, or nearly are.

    grade: whether a heading is RECOGNISED, SIMILAR to a known one, or UNKNOWN.
    """
    best: tuple[tuple[int, int, int, int], Header] | None = None
    for first in sorted(grid.rows)[:SEARCHED_ROWS]:
        for last in range(first, first + _DEEPEST):
            if last > first and not all(_is_heading_row(grid, row) for row in range(first, last + 1)):
                break
            columns = _columns(grid, first, last)
            grades = [grade(column) for column in columns]
            known, near = grades.count(RECOGNISED), grades.count(SIMILAR)
            # Of two that know as many columns the higher one: what stands above a heading may belong to it.
            score = (known, near, -first, first - last)
            if known + near >= 2 and (best is None or score > best[0]):
                best = score, Header(first, last, tuple(columns), None)
    if best is None:
        return None
    found = best[1]
    return Header(found.first, found.last, found.columns, _declared_unit(grid, found.first))


def _is_heading_row(grid: Grid, row: int) -> bool:
    """Whether a row can be part of a heading of several rows: not a title, not a line of labels to fill in."""
    texts = {grid.text(row, column) for column in _span(grid, row, row)} - {""}
    return len(texts) >= 2 and not any(":" in text or len(text) > 40 for text in texts)


def _span(grid: Grid, first: int, last: int) -> list[int]:
    """The columns in which something stands in these rows, or is seen there through a merged area."""
    found = {column for row in range(first, last + 1) for column in grid.rows.get(row, ())}
    found |= {column for (row, column), _ in grid.covered.items() if first <= row <= last}
    check_limit(len(found), MOST_COLUMNS, "表头的列", grid.name)
    return sorted(found)


def _columns(grid: Grid, first: int, last: int) -> list[Column]:
    span = _span(grid, first, last)
    carried: dict[int, str] = {}
    columns = []
    for number in span:
        parts: list[str] = []
        bottom = grid.text(last, number)
        for row in range(first, last + 1):
            text = grid.text(row, number)
            if not text and not grid.has_merges and row < last and bottom:
                # Text files keep of a group's heading only its first cell.
                text = carried.get(row, "")
            carried[row] = text
            if text and (not parts or parts[-1] != text):
                parts.append(text)
        if parts:
            columns.append(Column(number, tuple(parts)))
    return columns


def _declared_unit(grid: Grid, before: int) -> str | None:
    """``万元`` from a line such as 单位：万元 above the heading; None where none or several are declared."""
    texts = [squeeze(cell.text) for row, cells in grid.rows.items() if row < before for cell in cells.values()]
    units = {match[1] for text in texts for match in _UNIT_LINE.finditer(text)}
    return units.pop() if len(units) == 1 else None
