"""Results that nobody has calculated: a filled workbook still stores what the blank template shows in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from workbooks.ranges import ranges_of
from workbooks.record import ReadBook, Record
from workbooks.template import at_cell, empty_results
from xlcalc.results.outcome import Finding

_LONGEST = 120


Port = tuple[str, int]
"""A port's name and the number of the cell in it, -1 for a row's."""


class Uncalculated:
    """Those of one workbook. Whoever fills a form with a program that does not calculate has changed nothing.

    Where other results of the same enterprise were calculated, one stored as in the blank was put there.
    """

    def __init__(self, read: ReadBook) -> None:
        self._read = read
        self._right: dict[str, list[tuple[Port, str]]] = {}
        self._doubtful: list[tuple[Record, Finding]] = []

    def agrees(self, record: Record, port: Port, stored: str) -> None:
        """Notes a result that is stored as it is computed."""
        self._right.setdefault(record.where, []).append((port, stored))

    def takes(self, record: Record, port: Port, stored: str, differs: Finding) -> bool:
        """Whether a result is stored as in the blank template; ``differs`` is told if the others were calculated."""
        is_empty = self._is_empty(port, stored)
        if is_empty:
            self._doubtful.append((record, differs))
        return is_empty

    def findings(self) -> list[Finding]:
        """One finding for all of them; those that stand beside calculated results go to their records one by one."""
        cells = []
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
        message = f"有 {len(cells)} 处保存的仍是空白模板的结果，填写后没有计算过：{listed}。已重新核算，以新结果为准"
        return [Finding("E-NOT-CALCULATED", "info", message, None, cells[0])]

    def _is_empty(self, port: Port, stored: str) -> bool:
        name, number = port
        return stored == at_cell(self._empty[name], number)

    @cached_property
    def _empty(self) -> Mapping[str, Sequence[str]]:
        read = self._read
        choices = tuple(sorted(read.choices.items()))
        return empty_results(read.form.id, read.manifest.flavour, tuple(read.versions.items()), choices)
