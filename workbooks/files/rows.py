"""Rows of sheet XML, each text read once: most rows of most files are those of the template.

What a row says depends on nothing but its text, and on the shared strings it points to. Only the plain way to write
rows is read here; ``None`` sends a sheet to the slower reader, which reads it or says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

from workbooks.files.cellxml import CELL, Position, RawCell, Strings, content, formula, parse_ref, patched_cell
from workbooks.files.rawxml import ATTRIBUTES, Value, attributes

_ROW = re.compile(rf"<row({ATTRIBUTES})\s*(/?)>\s*")
_END = re.compile(r"</row\s*>\s*")
_MOST_CHARACTERS = 1_500_000

Read = TypeVar("Read")


class Row(NamedTuple):
    """One row: its cells; which of them show a shared string, and which; its formula cells and array ranges."""

    number: int
    cells: Mapping[Position, RawCell]
    shared: tuple[tuple[Position, int], ...] = ()
    formulas: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()


class _Cell(NamedTuple):
    position: Position
    cell: RawCell
    shared: int | None
    arrays: tuple[str, ...]


class Remembered(Generic[Read]):
    """Readings by their text; the oldest are forgotten, so that many different files do not fill the memory."""

    def __init__(self, most: int = _MOST_CHARACTERS) -> None:
        self._most, self._size = most, 0
        self._young: dict[str, Read] = {}
        self._old: dict[str, Read] = {}

    def get(self, text: str) -> Read | None:
        """The reading of a text; what is asked for stays."""
        found = self._young.get(text)
        if found is None and (found := self._old.get(text)) is not None:
            self.put(text, found)
        return found

    def put(self, text: str, read: Read) -> None:
        """Remembers a reading."""
        self._young[text] = read
        self._size += len(text)
        if self._size > self._most:
            self._old, self._young, self._size = self._young, {}, 0


_rows: Remembered[Row] = Remembered()
_cells: Remembered[_Cell] = Remembered()


def split_rows(text: str, start: int) -> tuple[list[str], int] | None:
    """The texts of the rows from ``start`` on, and where they end; None where they are not simply one after another."""
    end = text.find("</sheetData", start)
    blank, *rows = text[start:end].split("<row") if end >= 0 else ("<",)
    return None if blank.strip() else ([f"<row{row}" for row in rows], end)


def read_rows(texts: list[str]) -> list[Row] | None:
    """The rows in their order; None where one of them is not in the plain form."""
    rows = []
    above = 0
    for text in texts:
        row = _rows.get(text)
        if row is None:
            try:
                row = _read(text)
            except ValueError:
                return None
            _rows.put(text, row)
        if row.number <= above:
            return None
        above = row.number
        rows.append(row)
    return rows


def with_strings(row: Row, strings: Strings) -> Mapping[Position, RawCell]:
    """The cells of a row, shared strings as text."""
    if not row.shared:
        return row.cells
    cells = dict(row.cells)
    for position, index in row.shared:
        ref, kind, _, said = cells[position]
        cells[position] = RawCell(ref, kind, strings[index], said)
    return cells


def patched_row(text: str, changes: Mapping[str, Value], sheet: str) -> str:
    """The row with new values in some of its cells; KeyError for a cell it does not hold."""
    pieces = text.split("<c ")
    places = {}
    for place, piece in enumerate(pieces):
        if place:
            end = _END.search(piece) if place == len(pieces) - 1 else None
            cell = piece[: end.start()] if end else piece
            places[_cell(cell).cell.ref] = place, len(cell)
    for ref, value in changes.items():
        place, length = places[ref]
        match = CELL.match("<c " + pieces[place])
        if match is None:
            raise KeyError(ref)
        pieces[place] = patched_cell(match, value, f"{sheet}!{ref}")[3:] + pieces[place][match.end() - 3 :]
    return "<c ".join(pieces)


def _read(text: str) -> Row:
    head, *pieces = text.split("<c ")
    opening = _ROW.match(head)
    if opening is None:
        raise ValueError(head)
    number, _ = parse_ref("A" + attributes(opening[1])["r"] if " r=" in opening[1] else "")
    rest = head[opening.end() :]
    if not pieces:
        if rest if opening[2] else not _END.fullmatch(rest):
            raise ValueError(rest)
        return Row(number, {})
    end = _END.search(pieces[-1])
    if rest or opening[2] or end is None or end.end() != len(pieces[-1]):
        raise ValueError(rest)
    pieces[-1] = pieces[-1][: end.start()]
    read = [_cell(piece) for piece in pieces]
    cells = {one.position: one.cell for one in read}
    if len(cells) != len(read) or any(row != number for row, _ in cells):
        raise ValueError("单元格出现了两次，或写在别的行里")
    return Row(
        number,
        cells,
        tuple((one.position, one.shared) for one in read if one.shared is not None),
        tuple(one.cell.ref for one in read if one.cell.formula is not None),
        tuple(area for one in read for area in one.arrays),
    )


class _Noted:
    """Stands in for shared strings, and notes which one was asked for."""

    index: int | None = None

    def __getitem__(self, index: int) -> str:
        self.index = index
        return ""


def _cell(piece: str) -> _Cell:
    """One cell without its ``<c ``, and the space behind it."""
    found = _cells.get(piece)
    if found is not None:
        return found
    match = CELL.match("<c " + piece)
    if match is None or piece[match.end() - 3 :].strip():
        raise ValueError(piece)
    given = attributes(match["attrs"])
    position = parse_ref(given.get("r", ""))
    noted, arrays = _Noted(), list[str]()
    kind, text = content(match, given.get("t", "n"), noted)
    found = _Cell(position, RawCell(given["r"], kind, text, formula(match, arrays)), noted.index, tuple(arrays))
    _cells.put(piece, found)
    return found
