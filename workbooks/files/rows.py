"""Rows of sheet XML, each text read once: most rows of most files are those of the template.

What a row says depends on nothing but its text, and on the shared strings it points to. Only the plain way to write
rows is read here; ``None`` sends a sheet to the slower reader, which reads it or says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from workbooks.files.cellxml import (
    CELL,
    Frame,
    Position,
    RawCell,
    Strings,
    content,
    formula,
    frame_of,
    parse_ref,
    patched_cell,
)
from workbooks.files.rawxml import ATTRIBUTES, Value, attributes
from workbooks.files.remembered import Remembered

_ROW = re.compile(rf"<row({ATTRIBUTES})\s*(/?)>\s*")
# Most cells of most programs; whatever else there is in one, the grammar of cells reads it.
_PLAIN = re.compile(
    r'r="([A-Z]{1,3}[1-9][0-9]{0,6})"(?: s="[0-9]+")?(?: t="(n|s|str|inlineStr)")?'
    r'(?:/>|>(?:<f>([^<&\r]*)</f>)?(?:<v>([^<&\r]*)</v>|<is><t(?: xml:space="preserve")?>([^<&\r]*)</t></is>)?</c>)\s*'
)
_END_OF_ALL = re.compile(r"</sheetData\s*>")
_END = re.compile(r"</row\s*>\s*")


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


_MOST_DIGITS = 10

_rows: Remembered[str, Row] = Remembered(1_000_000)
_cells: Remembered[str, _Cell] = Remembered(800_000)
_frames: Remembered[str, tuple[Frame, int]] = Remembered(800_000)


def split_rows(text: str, start: int) -> tuple[list[str], int] | None:
    """The texts of the rows from ``start`` on, and where they end; None where they are not simply one after another."""
    end = text.find("</sheetData", start)
    whole = end >= 0 and _END_OF_ALL.match(text, end)
    blank, *rows = text[start:end].split("<row") if whole else ("<",)
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


def patched_row(text: str, row: Row, changes: Mapping[str, Value], sheet: str) -> str:
    """The row's text with new values in some of its cells; KeyError for a cell it does not hold."""
    pieces = text.split("<c ")
    places = {cell.ref: place for place, cell in enumerate(row.cells.values(), 1)}
    for ref, value in changes.items():
        place = places[ref]
        frame, length = _frame(pieces[place])
        pieces[place] = patched_cell(frame, value, f"{sheet}!{ref}")[3:] + pieces[place][length:]
    return "<c ".join(pieces)


def _end(piece: str) -> int:
    """Where the last cell of a row ends."""
    found = _END.search(piece)
    if found is None or found.end() != len(piece):
        raise ValueError(piece)
    return found.start()


def _frame(piece: str) -> tuple[Frame, int]:
    """What stays of a cell, and how long it is without its ``<c ``."""
    found = _frames.get(piece)
    if found is None:
        match = CELL.match("<c " + piece)
        assert match is not None, "read by the same pattern"
        found = frame_of(match), match.end() - 3
        _frames.put(piece, found)
    return found


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
    if rest or opening[2]:
        raise ValueError(rest)
    pieces[-1] = pieces[-1][: _end(pieces[-1])]
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
    if found is None:
        match = _PLAIN.fullmatch(piece)
        found = (_plain_cell(*match.groups()) if match else None) or _any_cell(piece)
        _cells.put(piece, found)
    return found


def _plain_cell(ref: str, kind: str | None, formula: str | None, value: str | None, inline: str | None) -> _Cell | None:
    """The cell of these parts; None where there is more to it."""
    position = parse_ref(ref)
    if inline is not None or kind in ("str", "inlineStr"):
        text = inline if kind == "inlineStr" else value
        if text is None or (inline is not None) != (kind == "inlineStr") or "_x" in text:
            return None
        return _Cell(position, RawCell(ref, "text", text, formula), None, ())
    if not value:
        return _Cell(position, RawCell(ref, "empty", "", formula), None, ())
    if kind == "s" and value.isascii() and value.isdigit() and len(value) < _MOST_DIGITS:
        return _Cell(position, RawCell(ref, "text", "", formula), int(value), ())
    if kind != "s" and value.isascii() and value.replace(".", "", 1).isdigit():
        return _Cell(position, RawCell(ref, "number", value, formula), None, ())
    return None


def _any_cell(piece: str) -> _Cell:
    match = CELL.match("<c " + piece)
    if match is None or piece[match.end() - 3 :].strip():
        raise ValueError(piece)
    given = attributes(match["attrs"])
    position = parse_ref(given.get("r", ""))
    noted, arrays = _Noted(), list[str]()
    kind, text = content(match, given.get("t", "n"), noted)
    return _Cell(position, RawCell(given["r"], kind, text, formula(match, arrays)), noted.index, tuple(arrays))
