"""What every formula cell of a form shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from workbooks.files.rawbook import RawBook, RawCell
from workbooks.ports import Manifest, Place, Port, area_of, cell_at, places
from workbooks.record import Shown


def application_outputs(book: RawBook, ports: Manifest) -> Shown:
    """Lengths of passages, copies of inputs, shares of one in another, texts with inputs in them, row numbers."""
    shown: Shown = {}
    for port in ports.ports:
        kind, _, name = port.name.removeprefix("o_").partition("_")
        if port.direction != "out":
            continue
        if kind == "length":
            shown[port.name] = _length(_typed(book, port.name), [_typed(book, of).text for of in port.items])
        elif kind == "copy":
            shown[port.name] = _printed(_typed(book, f"i_{name}"))
        elif kind == "ratio":
            shown[port.name] = _ratio(*(_typed(book, of) for of in port.items))
        elif kind == "text":
            names = re.findall(r"\{(\w+)\}", port.label)
            typed = {of: str(_printed(_typed(book, f"i_{of}"))) for of in names}
            shown[port.name] = filled(port.label, typed, port.items[0])
        elif kind == "number":
            shown[port.name] = _row_numbers(book, port, name)
    return shown


def filled(line: str, typed: Mapping[str, str], blank: str) -> str:
    """What the formula of a line shows. typed: the text of each input it names."""
    return re.sub(r"\{(\w+)\}", lambda found: typed[found[1]] or blank, line)


def _typed(book: RawBook, name: str) -> RawCell:
    return cell_at(book, places(book, name)[0])


def _length(shown: RawCell, texts: Sequence[str]) -> int | str:
    """As LEN counts: in UTF-16 units, as in Excel, or in characters where the file was saved by a program that does."""
    characters = sum(map(len, texts))
    units = sum(len(text.encode("utf-16-le")) // 2 for text in texts)
    return (characters if shown.text == str(characters) else units) or ""


def _printed(cell: RawCell) -> Decimal | str:
    """What a formula that shows the cell shows."""
    return Decimal(cell.text) if cell.kind == "number" else cell.text


def _ratio(part: RawCell, whole: RawCell) -> Fraction | str:
    if part.kind != "number" or whole.kind != "number" or Decimal(whole.text) <= 0:
        return ""
    return Fraction(Decimal(part.text)) / Fraction(Decimal(whole.text))


def _row_numbers(book: RawBook, port: Port, table: str) -> list[Any]:
    """The number of each filled row; a row that somebody put in has no formula, and is left as it is."""
    heads, numbers = area_of(book, f"h_{table}"), area_of(book, port.name)
    sheet = numbers.sheet
    shown: list[Any] = []
    for row in range(numbers.first_row, numbers.last_row + 1):
        own = cell_at(book, Place(sheet, row, numbers.first_col))
        columns = range(heads.first_col + 1, heads.last_col + 1)
        if own.formula is None:
            shown.append(None)
        elif any(_is_filled(cell_at(book, Place(sheet, row, column))) for column in columns):
            shown.append(row - heads.last_row)
        else:
            shown.append("")
    return shown


def _is_filled(cell: RawCell) -> bool:
    """As COUNTA sees it."""
    return cell.formula is not None or cell.kind != "empty"
