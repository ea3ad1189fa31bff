"""Formulas that a clerk put into a workbook: counted, not evaluated."""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import lru_cache

from workbooks.files.rawbook import Area
from workbooks.ports import area_of, cells_of
from workbooks.record import ReadBook
from xlcalc.results.outcome import Finding


def own_formulas(read: ReadBook, written: Container[tuple[str, str]]) -> Iterator[Finding]:
    """One finding for all that stand outside the template's cells; those in input cells have their own.

    written: the cells that get a result.
    """
    found = [(info.name, ref) for info in read.book.sheets for ref in read.book.sheet(info.name).formulas]
    left = [at for at in found if at not in written]
    ports = [port.name for port in read.manifest.ports if left and port.direction in ("in", "out", "parameter")]
    ours = _inside(tuple(area_of(read.book, name) for name in ports))
    foreign = [f"{sheet}!{ref}" for sheet, ref in left if (sheet, ref) not in ours]
    if foreign:
        message = f"有 {len(foreign)} 个不属于模板的公式未重新计算（如 {foreign[0]}）。需要时用 --engine formulas"
        yield Finding("E-OWN-FORMULAS", "info", message, None, foreign[0])


@lru_cache(maxsize=64)
def _inside(areas: tuple[Area, ...]) -> frozenset[tuple[str, str]]:
    """Every cell of some areas; in most files of a template they are the same."""
    return frozenset((place.sheet, place.ref) for area in areas for place in cells_of(area))
