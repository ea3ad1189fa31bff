"""Formulas of results that are not the template's: what they show would change when somebody calculates again.

A formula says the same as the template's when it differs in nothing but the cells it points to, and points to the
same cells: those of the same ports, wherever rows, blocks and sheets have moved since.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from workbooks.files.rawbook import Area, RawBook
from workbooks.pointing import Corner, Parsed, parsed
from workbooks.ports import Place, area_of
from workbooks.ranges import ranges_of
from workbooks.record import ReadBook
from workbooks.template import Laid, laid_out
from xlcalc.packs.policy import Version
from xlcalc.results.outcome import Finding

_LONGEST = 120
_MOST_KEPT = 4000


class ChangedFormulas:
    """Those of one workbook; the results themselves are computed anew whatever a formula says."""

    def __init__(self, read: ReadBook) -> None:
        self._read = read
        self._found: list[tuple[Place, str]] = []

    def look(self, place: Place, port: tuple[str, int], formula: str) -> None:
        """Notes a formula that does something else than the template's; one that continues another says nothing."""
        if formula and not self._layout.agrees(self._read.book, place, port, formula):
            self._found.append((place, formula))

    @cached_property
    def _layout(self) -> _Layout:
        read = self._read
        named = tuple(read.book.defined_names.items()), read.book.sheets
        return _layout(read.form.id, read.manifest.flavour, tuple(read.versions.items()), named)

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


class _Wanted(NamedTuple):
    """A cell that a formula has to point to; with ``moves``, ``row`` counts from that of the formula."""

    sheet: str
    row: int
    column: int
    moves: bool

    def is_at(self, sheet: str, corner: Corner, place: Place) -> bool:
        row = place.row + self.row if self.moves else self.row
        return (sheet, corner.row, corner.column) == (self.sheet, row, self.column)


_Choices = frozenset[_Wanted] | None
"""Where a corner may be; None where a workbook does not tell."""


class _Plan(NamedTuple):
    """What the formula of one cell of a template has to be in a workbook: for each range, its two corners."""

    shape: str
    corners: tuple[tuple[_Choices, _Choices], ...]


class _Layout:
    """Where a template's ports lie in workbooks that have the same names, and what was found right there."""

    def __init__(self, ports: dict[str, Laid]) -> None:
        self._ports = ports
        self._on: dict[str, list[tuple[str, Area]]] = {}
        for name, (area, _) in ports.items():
            self._on.setdefault(area.sheet.casefold(), []).append((name, area))
        self._held: dict[tuple[str, int, int], list[tuple[str, Area]]] = {}
        self._right: dict[Place, str] = {}
        self._plans: dict[tuple[str, int], _Plan] = {}

    def agrees(self, book: RawBook, place: Place, port: tuple[str, int], formula: str) -> bool:
        """Whether the formula at a place of a port does what the template's does."""
        if self._right.get(place) == formula:
            return True
        plan = self._plans.get(port)
        if plan is None:
            plan = self._plans[port] = self._plan(book, *port)
        if not _fulfils(parsed(formula), plan, place):
            return False
        if len(self._right) < _MOST_KEPT:
            self._right[place] = formula
        return True

    def _plan(self, book: RawBook, name: str, number: int) -> _Plan:
        """number: of the cell in its port, -1 for a row's. A cell that was added is like the last one."""
        laid = self._ports[name]
        place = number if 0 <= number < len(laid.formulas) else len(laid.formulas) - 1
        row, column = divmod(place, _width(laid.area))
        home = Place(laid.area.sheet, laid.area.first_row + row, laid.area.first_col + column)
        # Cells are known by their number only while none was added or taken out.
        is_counted = place == number and _same_size(laid.area, area_of(book, name))
        said = parsed(laid.formulas[place])
        corners = []
        for sheet, first, last in said.pointed:
            own = sheet or home.sheet.casefold()
            ends = [
                self._wanted(book, name, home, (own, corner), is_counted, last is not None)
                for corner in (first, last or first)
            ]
            corners.append((ends[0], ends[1]))
        return _Plan(said.shape, tuple(corners))

    def _wanted(
        self, book: RawBook, name: str, home: Place, to: tuple[str, Corner], is_counted: bool, in_range: bool
    ) -> _Choices:
        sheet, corner = to
        found = set()
        for other, area in self._holding(sheet, corner.row, corner.column):
            now = area_of(book, other)
            row = _row(self._ports[name].area, area_of(book, name), home, area, now, corner, is_counted, in_range)
            column = _along(area[2::2], now[2::2], corner.column, in_range)
            if row is None or column is None:
                return None
            found.add(_Wanted(now.sheet.casefold(), row[0], column, row[1]))
        return frozenset(found) or None

    def _holding(self, sheet: str, row: int, column: int) -> list[tuple[str, Area]]:
        """The ports of the template in which a cell lies; many formulas of a form point to the same ones."""
        found = self._held.get((sheet, row, column))
        if found is None:
            found = [
                (name, area)
                for name, area in self._on.get(sheet, ())
                if area.first_row <= row <= area.last_row and area.first_col <= column <= area.last_col
            ]
            self._held[sheet, row, column] = found
        return found


@lru_cache(maxsize=8)
def _layout(form_id: str, flavour: str, versions: tuple[tuple[str, Version], ...], _named: object) -> _Layout:
    return _Layout(laid_out(form_id, flavour, versions))


def _fulfils(said: Parsed, plan: _Plan, place: Place) -> bool:
    if said.shape != plan.shape or len(said.pointed) != len(plan.corners):
        return False
    own = place.sheet.casefold()
    for (sheet, first, last), ends in zip(said.pointed, plan.corners, strict=True):
        for corner, choices in zip((first, last or first), ends, strict=True):
            if choices is not None and not any(one.is_at(sheet or own, corner, place) for one in choices):
                return False
    return True


def _row(
    own: Area, own_now: Area, home: Place, area: Area, now: Area, corner: Corner, is_counted: bool, in_range: bool
) -> tuple[int, bool] | None:
    """The row a corner has to be in, and whether it is counted from the formula's own; None if it cannot be told."""
    beside = _height(own) == _height(area) and corner.row - area.first_row == home.row - own.first_row
    if beside and not corner.fixed and not is_counted:
        if _height(own_now) == _height(now):
            return now.first_row - own_now.first_row, True
        return (0, True) if own_now.sheet == now.sheet and home.row == corner.row else None
    if corner.fixed or is_counted:
        row = _along(area[1::2], now[1::2], corner.row, in_range)
        return None if row is None else (row, False)
    return None


def _along(laid: Sequence[int], now: Sequence[int], at: int, in_range: bool) -> int | None:
    """Where a row or column of a port is now, by its first and last; of one that grew, only the ends of ranges."""
    if laid[1] - laid[0] == now[1] - now[0]:
        return now[0] + at - laid[0]
    return {laid[0]: now[0], laid[1]: now[1]}.get(at) if in_range else None


def _height(area: Area) -> int:
    return area.last_row - area.first_row


def _width(area: Area) -> int:
    return area.last_col - area.first_col + 1


def _same_size(one: Area, other: Area) -> bool:
    return _height(one) == _height(other) and _width(one) == _width(other)
