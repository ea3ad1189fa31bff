"""Facts of many enterprises into the rows of a 推荐表."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbooks.changes import Writes, at, cell_text
from workbooks.files.rawbook import RawBook
from workbooks.ports import Manifest, places
from xlcalc.facts import fact


def table_changes(book: RawBook, ports: Manifest, rows: Sequence[Mapping[str, Any]]) -> Writes:
    """Every fact of the table, one enterprise a row; what stands above the table is that of the first."""
    for port in ports.ports:
        if port.direction != "in" or not port.fact:
            continue
        wanted = rows if port.name in ports.table else rows[:1]
        for place, facts in zip(places(book, port.name), wanted, strict=False):
            if port.fact in facts:
                yield at(place, cell_text(fact(port.fact), facts[port.fact], port.unit))
