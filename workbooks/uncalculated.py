"""Results that nobody has calculated: a filled workbook still stores what the blank template shows in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from workbooks.ports import Place
from workbooks.ranges import ranges_of
from workbooks.record import ReadBook
from workbooks.template import empty_results
from xlcalc.results.outcome import Finding

_LONGEST = 120


class Uncalculated:
    """Those of one workbook. Whoever fills a form with a program that does not calculate has changed nothing."""

    def __init__(self, read: ReadBook) -> None:
        self._read = read
        self._places: list[Place] = []

    def takes(self, place: Place, name: str, number: int, stored: str) -> bool:
        """Whether a result is stored as in the blank template; number: of the cell in its port, -1 for a row's."""
        texts = self._empty[name]
        # A cell that was added has what the last one of the blank has.
        is_empty = stored == texts[min(number, len(texts) - 1)]
        if is_empty:
            self._places.append(place)
        return is_empty

    def findings(self) -> list[Finding]:
        """One finding for all of them."""
        if not self._places:
            return []
        cells = [str(place) for place in self._places]
        listed = ranges_of(cells, _LONGEST)
        message = f"有 {len(cells)} 处保存的仍是空白模板的结果，填写后没有计算过：{listed}。已重新核算，以新结果为准"
        return [Finding("E-NOT-CALCULATED", "info", message, None, cells[0])]

    @cached_property
    def _empty(self) -> Mapping[str, Sequence[str]]:
        read = self._read
        choices = tuple(sorted(read.choices.items()))
        return empty_results(read.form.id, read.manifest.flavour, tuple(read.versions.items()), choices)
