"""Writes the facts of many enterprises into the rows of a 推荐表 or a 汇总表."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbooks.changes import Writes, at, cell_text
from workbooks.files.rawbook import RawBook
from workbooks.merging.column_mapping import option_of
from workbooks.ports import Manifest, places
from xlcalc.facts import fact


def table_changes(book: RawBook, ports: Manifest, rows: Sequence[Mapping[str, Any]]) -> Writes:
    """Changes to input cells for parsed facts, one mapping a row; what stands above and below comes from the first."""
    for port in ports.ports:
        if port.direction != "in" or not port.fact:
            continue
        option = option_of(port)
        for place, facts in zip(places(book, port.name), rows if port.name in ports.table else rows[:1], strict=False):
            if port.fact in facts:
                value = facts[port.fact]
                shown = ("是" if option in value else "否") if option else cell_text(fact(port.fact), value, port.unit)
                yield at(place, shown)
