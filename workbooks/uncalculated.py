"""Results that nobody has calculated: a workbook still stores what the blank or prefilled template showed there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property

from workbooks.changes import Changes
from workbooks.files.rawbook import make_ref
from workbooks.outputs import as_compared
from workbooks.ports import cell_at, cells_of, places
from workbooks.ranges import ranges_of
from workbooks.record import ReadBook, Record
from workbooks.template import at_cell, empty_results
from xlcalc.results.outcome import Finding

_LONGEST = 120


Port = tuple[str, int]
"""A port's name and the number of the cell in it, -1 for a row's."""


SEAL = "xlcalc_prefilled"
"""The name of the cell with the digest of all results as they were prefilled; older workbooks have none."""


def seal(read: ReadBook, changes: Changes) -> Changes:
    """The change that notes, in a workbook just prefilled, which results stand in it after ``changes``."""
    area = read.book.resolve(SEAL)
    if area is None:
        return {}
    return {(area.sheet, make_ref(area.first_row, area.first_col)): _digest(read, changes)}


class Uncalculated:
    """Those of one workbook. Whoever fills a form with a program that does not calculate has changed nothing.

    While all results are those that were prefilled, no program has calculated since, and no one altered any. Else a
    result stored as in the blank was put there where others of the same enterprise were calculated.
    """

    def __init__(self, read: ReadBook) -> None:
        self._read = read
        self._right: dict[str, list[tuple[Port, str]]] = {}
        self._doubtful: list[tuple[Record, Finding]] = []
        self._stale: list[str] = []

    def agrees(self, record: Record, port: Port, stored: str) -> None:
        """Notes a result that is stored as it is computed."""
        self._right.setdefault(record.where, []).append((port, stored))

    def takes(self, record: Record, port: Port, stored: str, differs: Finding) -> bool:
        """Whether nobody calculated a result; if one that is as in the blank was altered, ``differs`` is told."""
        if self._as_prefilled:
            self._stale.append(str(differs.where))
            return True
        is_empty = self._is_empty(port, stored)
        if is_empty:
            self._doubtful.append((record, differs))
        return is_empty

    def findings(self) -> list[Finding]:
        """One finding for all of them; those that stand beside calculated results go to their records one by one."""
        cells = self._stale.copy()
        calculated: dict[str, bool] = {}
        for record, differs in self._doubtful:
            at = record.where
            if at not in calculated:
                calculated[at] = any(not self._is_empty(port, stored) for port, stored in self._right.get(at, ()))
            if calculated[at]:
                record.findings.append(differs)
            else:
                cells.append(str(differs.where))
        if not cells:
            return []
        listed = ranges_of(cells, _LONGEST)
        message = f"有 {len(cells)} 处保存的仍是空白或预填模板的结果，填写后没有计算过：{listed}。已重新核算"
        return [Finding("E-NOT-CALCULATED", "info", message, None, cells[0])]

    def _is_empty(self, port: Port, stored: str) -> bool:
        name, number = port
        return stored == at_cell(self._empty[name], number)

    @cached_property
    def _as_prefilled(self) -> bool:
        area = self._read.book.resolve(SEAL)
        held = cell_at(self._read.book, next(cells_of(area))).text if area else ""
        return bool(held) and held == _digest(self._read, {})

    @cached_property
    def _empty(self) -> Mapping[str, Sequence[str]]:
        read = self._read
        choices = tuple(sorted(read.choices.items()))
        return empty_results(read.form.id, read.manifest.flavour, tuple(read.versions.items()), choices)


def _digest(read: ReadBook, changes: Changes) -> str:
    """Of every result a workbook stores, numbers as far as programs agree on their digits."""
    found = hashlib.sha256()
    for port in read.manifest.ports:
        for place in places(read.book, port.name) if port.direction == "out" else ():
            new = changes.get((place.sheet, place.ref), cell_at(read.book, place).text)
            found.update(f"{as_compared(new)}\n".encode())
    return found.hexdigest()
