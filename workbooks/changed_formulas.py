"""Formulas of results that are not the template's: what they show would change when somebody calculates again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache

from workbooks.ports import Place
from workbooks.ranges import ranges_of
from workbooks.record import ReadBook
from workbooks.template import at_cell, formulas
from xlcalc.packs.policy import Version
from xlcalc.results.outcome import Finding

_LONGEST = 120

# What programs write each in their own way, and what moves with rows and sheets.
_PIECE = re.compile(
    r"(?P<text>\"(?:[^\"]|\"\")*\")"
    r"|(?P<aside>\s+|_xl(?:fn|ws|udf)\.|(?:'(?:[^']|'')+'|[^\s'!\"#$%&()*+,\-/:;<=>?@\[\]^{|}~]+)!|(?<=TRUE)\(\)|(?<=FALSE)\(\))"
    r"|(?P<cell>\$?[A-Za-z]{1,3}\$?[0-9]{1,7}(?![\w.(]))",
    re.IGNORECASE,
)


class ChangedFormulas:
    """Those of one workbook; the results themselves are computed anew whatever a formula says."""

    def __init__(self, read: ReadBook) -> None:
        self._read = read
        self._found: list[tuple[Place, str]] = []

    def look(self, place: Place, port: tuple[str, int], formula: str) -> None:
        """Notes a formula that does something else than the template's; one that continues another says nothing."""
        name, number = port
        if formula and shape(formula) != at_cell(self._shapes[name], number):
            self._found.append((place, formula))

    @cached_property
    def _shapes(self) -> Mapping[str, Sequence[str]]:
        return _shapes(self._read.form.id, self._read.manifest.flavour, tuple(self._read.versions.items()))

    def findings(self) -> list[Finding]:
        """One finding for all of them."""
        if not self._found:
            return []
        cells = [str(place) for place, _ in self._found]
        first = self._found[0][1]
        message = (
            f"有 {len(cells)} 个结果单元格的公式与模板不同：{ranges_of(cells, _LONGEST)}（第一处为“={first[:60]}”）。"
            "已按规则重新核算并写入结果，但以后再计算会按这些公式变动。请从上一行复制公式，或把数据填入新的模板"
        )
        return [Finding("E-FORMULA-CHANGED", "warn", message, None, cells[0])]


@lru_cache(maxsize=64)
def _shapes(form_id: str, flavour: str, versions: tuple[tuple[str, Version], ...]) -> dict[str, list[str]]:
    return {name: [shape(text) for text in texts] for name, texts in formulas(form_id, flavour, versions).items()}


@lru_cache(maxsize=8192)
def shape(formula: str) -> str:
    """A formula without the places of its cells, which move with their rows; a range of one cell is that cell."""
    bare = _PIECE.sub(lambda found: found["text"] or ("R" if found["cell"] else ""), formula)
    return bare.replace("R:R", "R").upper()
