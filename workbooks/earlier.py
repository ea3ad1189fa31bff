"""What an enterprise has had before: what a register beside the workbook says, in the place of what the form says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbooks.changes import cell_text
from workbooks.files.rawbook import Value
from workbooks.ports import Place, area_of, cell_at
from workbooks.record import ReadBook
from xlcalc.facts import fact
from xlcalc.results.outcome import Finding

Facts = Mapping[str, Any]
Before = Callable[[str, Sequence[Facts]], Sequence[tuple[Facts, Sequence[Finding]]]]
"""Of a policy and the facts of each record: those facts with what was had before, and what a person should know."""


def restate(read: ReadBook, before: Before) -> None:
    """Puts what was had before into every record, with its findings; ``Record.restated`` names what changed."""
    for policy in read.form.policies:
        said = before(policy, [record.facts for record in read.records])
        for record, (facts, findings) in zip(read.records, said, strict=True):
            record.restated |= {name for name, value in facts.items() if record.facts.get(name) != value}
            record.facts.update(facts)
            record.findings += [replace(item, where=record.place_of(item.fact) or record.where) for item in findings]


def restated_cells(read: ReadBook) -> dict[tuple[str, str], Value]:
    """What the cells of a table must hold so that its formulas agree with the results; a clerk's formula stays."""
    found: dict[tuple[str, str], Value] = {}
    for record in read.records:
        for name in sorted(record.restated):
            port = read.manifest.by_name.get(f"t_{name}")
            if port is None or port.direction != "in" or record.row is None:
                continue
            area = area_of(read.book, port.name)
            place = Place(area.sheet, record.row, area.first_col)
            cell = cell_at(read.book, place)
            if cell.ref and cell.formula is None:
                found[place.sheet, place.ref] = cell_text(fact(name), record.facts[name], port.unit)
    return found
