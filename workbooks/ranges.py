"""Many cells told in few words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workbooks.files.cellxml import column_letters, parse_ref

_LONGEST = 400


def ranges_of(cells: Iterable[str]) -> str:
    """Cells as ``sheet!ref`` joined to ranges down their columns; past some four hundred characters only counted.

    >>> ranges_of(["表!A6", "表!B6", "表!A7", "表!A9", "另表!C1"])
    '表!A6:A7、A9、B6；另表!C1'
    """
    columns: dict[str, dict[int, list[int]]] = {}
    for cell in dict.fromkeys(cells):
        sheet, _, ref = cell.rpartition("!")
        row, column = parse_ref(ref)
        columns.setdefault(sheet, {}).setdefault(column, []).append(row)
    text = ""
    left = 0
    for sheet, held in columns.items():
        mark = f"{'；' if text else ''}{sheet}!"
        for column in sorted(held):
            for first, last in _runs(sorted(held[column])):
                letters = column_letters(column)
                part = f"{letters}{first}" if first == last else f"{letters}{first}:{letters}{last}"
                if left or len(text) + len(mark) + len(part) > _LONGEST:
                    left += last - first + 1
                    continue
                text += mark + part
                mark = "、"
    return f"{text} 等，另 {left} 处" if left else text


def _runs(rows: list[int]) -> Iterator[tuple[int, int]]:
    first = last = rows[0]
    for row in rows[1:]:
        if row != last + 1:
            yield first, last
            first = row
        last = row
    yield first, last
