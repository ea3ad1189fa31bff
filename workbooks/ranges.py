"""Many cells told in few words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workbooks.files.cellxml import column_letters, parse_ref

_LONGEST = 400


def ranges_of(cells: Iterable[str], longest: int = _LONGEST) -> str:
    """Cells as ``sheet!ref`` joined to ranges down their columns, other places as they are.

    longest: characters; of what finds no room there, only the number is said.

    >>> ranges_of(["表!A6", "表!B6", "表!A7", "表!A9", "另表!C1", "表.xlsx"])
    '表.xlsx；表!A6:A7、A9、B6；另表!C1'
    """
    columns: dict[str, dict[int, list[int]]] = {}
    parts: list[tuple[str, str, int]] = []
    for cell in dict.fromkeys(cells):
        sheet, _, ref = cell.rpartition("!")
        try:
            row, column = parse_ref(ref)
        except ValueError:
            parts.append((cell, "", 1))
            continue
        columns.setdefault(sheet, {}).setdefault(column, []).append(row)
    for sheet, held in columns.items():
        for column in sorted(held):
            letters = column_letters(column)
            for first, last in _runs(sorted(held[column])):
                ref = f"{letters}{first}" if first == last else f"{letters}{first}:{letters}{last}"
                parts.append((ref, sheet, last - first + 1))
    return _joined(parts, longest)


def _joined(parts: Iterable[tuple[str, str, int]], longest: int) -> str:
    text, at, left = "", "", 0
    for ref, sheet, count in parts:
        mark = "、" if text and sheet == at and sheet else ("；" if text else "") + (f"{sheet}!" if sheet else "")
        if left or (text and len(text) + len(mark) + len(ref) > longest):
            left += count
            continue
        text, at = text + mark + ref, sheet
    return f"{text} 等，另 {left} 处" if left else text


def _runs(rows: list[int]) -> Iterator[tuple[int, int]]:
    first = last = rows[0]
    for row in rows[1:]:
        if row != last + 1:
            yield first, last
            first = row
        last = row
    yield first, last
