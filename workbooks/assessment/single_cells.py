"""Facts of an assessment that stand in one cell each, beside its answers, scenes and texts, which fill many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workbooks.changes import Writes, at, cell_text
from workbooks.files.cellread import CellReader
from workbooks.files.rawbook import RawBook
from workbooks.ports import Manifest, Place, places
from xlcalc.facts import Fact, fact

_SPREAD = ("answers", "scenes", "texts")


def _cells(book: RawBook, ports: Manifest) -> Iterator[tuple[Fact, Place, str | None]]:
    """Each of these facts with its cell and the unit of the form."""
    for port in ports.ports:
        if port.direction == "in" and port.fact and fact(port.fact).type not in _SPREAD:
            yield fact(port.fact), places(book, port.name)[0], port.unit


def read_single_cells(reader: CellReader, ports: Manifest) -> tuple[dict[str, Any], dict[str, str]]:
    """The facts that are filled in, and the cell of each, filled or not."""
    facts: dict[str, Any] = {}
    facts_at: dict[str, str] = {}
    for known, place, unit in _cells(reader.book, ports):
        facts_at[known.id] = str(place)
        value = reader.fact(place, known, unit)
        if value is not None and value != "":
            facts[known.id] = value
    return facts, facts_at


def single_cell_changes(book: RawBook, ports: Manifest, facts: Mapping[str, Any]) -> Writes:
    """The changes that fill them in; facts the workbook does not ask for are left aside."""
    for known, place, unit in _cells(book, ports):
        if known.id in facts:
            yield at(place, cell_text(known, facts[known.id], unit))
