"""Writes the facts of one enterprise into the input cells of a form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbooks.changes import Writes, at, cell_text
from workbooks.files.rawbook import RawBook, Value
from workbooks.ports import Manifest, Place, Port, area_of, places
from xlcalc.errors import InputError
from xlcalc.facts import Fact, fact
from xlcalc.values.text import squeeze


def application_changes(book: RawBook, ports: Manifest, facts: Mapping[str, Any]) -> Writes:
    """Changes to input cells for parsed facts; those the form does not ask for are left aside."""
    for port in ports.ports:
        if port.direction != "in" or port.fact is None or port.fact not in facts:
            continue
        known, value = fact(port.fact), facts[port.fact]
        if known.type == "table":
            yield from _column(book, ports, port, known, value)
        elif known.type == "options":
            yield from _ticked(book, ports, port, known, value)
        elif known.type in ("ticks", "texts"):
            yield from _items(book, port, known, value)
        else:
            yield at(places(book, port.name)[0], _shown(port, known, value))


def _shown(port: Port, known: Fact, value: Any) -> Value:
    """The value as the cell holds it: a yes-or-no and an option in the words of the form."""
    if known.type == "bool":
        return port.items[0 if value else 1]
    if known.type == "option":
        spellings = {squeeze(word) for word in known.options[value]}
        return next((word for word in port.items if squeeze(word) in spellings), known.show(value))
    return cell_text(known, value, port.unit)


def _items(book: RawBook, port: Port, known: Fact, values: Mapping[str, Any]) -> Writes:
    """是 or 否 for each material, or the text of each row."""
    cells = dict(zip(port.items, places(book, port.name), strict=True))
    for key, value in values.items():
        if key not in cells:
            listed = "、".join(cells)
            message = f"“{known.label}”没有“{key[:40]}”这一项"
            raise InputError("E-ITEM", message, where=known.id, remedy=f"可用：{listed}")
        yield at(cells[key], value if known.type == "texts" else "是" if value else "否")


def _ticked(book: RawBook, ports: Manifest, port: Port, known: Fact, codes: Sequence[str]) -> Writes:
    for code in codes:
        if code not in port.items:
            message = f"本表没有“{known.show((code,))}”这一项"
            raise InputError("E-OPTION", message, where=known.id, remedy="请改用本表列出的选项")
    for code, place in zip(port.items, places(book, port.name), strict=True):
        if code in codes:
            yield at(place, "√")
    none = f"n_{known.id}"
    if not codes and none in ports.by_name:
        yield at(places(book, none)[0], "√")


def _column(book: RawBook, ports: Manifest, port: Port, table: Fact, rows: Sequence[Mapping[str, Any]]) -> Writes:
    """One column of a table, or one field of a row that the form prints as a block of its own."""
    if port.name.startswith("r_"):
        row, _, name = port.name.removeprefix(f"r_{table.id}_").partition("_")
        most = max(int(other.name.removeprefix(f"r_{table.id}_").partition("_")[0]) for other in _of(ports, table))
        _refuse_more(table, rows, most)
        if int(row) <= len(rows) and name in rows[int(row) - 1]:
            yield at(places(book, port.name)[0], _shown(port, table.columns[name], rows[int(row) - 1][name]))
        return
    name = port.name.removeprefix(f"c_{table.id}_")
    area = area_of(book, port.name)
    _refuse_more(table, rows, area.last_row - area.first_row + 1)
    for line, cells in enumerate(rows, area.first_row):
        if name not in cells:
            continue
        if area.last_col > area.first_col:
            yield at(Place(area.sheet, line, area.first_col + port.items.index(cells[name])), "√")
        else:
            yield at(Place(area.sheet, line, area.first_col), _shown(port, table.columns[name], cells[name]))


def _of(ports: Manifest, table: Fact) -> Iterable[Port]:
    return (port for port in ports.ports if port.name.startswith(f"r_{table.id}_"))


def _refuse_more(table: Fact, rows: Sequence[Mapping[str, Any]], most: int) -> None:
    if len(rows) > most:
        raise InputError(
            "E-ROWS", f"“{table.label}”有 {len(rows)} 行，本表只有 {most} 行", where=table.id,
            remedy="请在模板中插入行后填写，或分表提供",
        )  # fmt: skip
