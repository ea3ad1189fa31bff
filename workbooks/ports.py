"""A template's manifest: its ports, found in a filled workbook by defined name and never by address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from workbooks.files.rawbook import Area, RawBook, RawCell, make_ref
from xlcalc.errors import WorkbookRefused

Direction = Literal["in", "out", "fill", "parameter", "choice", "identity"]


@dataclass(frozen=True, slots=True)
class Port:
    """A named cell or block of cells.

    direction: ``in`` a person fills it; ``out`` a formula whose value we write; ``fill`` an empty cell
    shipped for text we write; ``parameter`` a number from the pack; ``choice`` the option of an
    interpretation; ``identity`` what the template is. fact: the fact an input feeds. items: what the cells of a
    list stand for, in order, or the two words a form prints for a yes-or-no.
    """

    name: str
    direction: Direction
    fact: str | None = None
    unit: str | None = None
    label: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """The ports of one version of a template; ``table``: the port names that are columns of its table.

    The udf ``flavour`` has every port of the native one, and those of the few cells its calls need besides.
    """

    template: str
    version: str
    ports: tuple[Port, ...]
    table: tuple[str, ...] = ()
    flavour: str = "native"
    by_name: Mapping[str, Port] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {port.name: port for port in self.ports})


class Place(NamedTuple):
    """One cell of a filled workbook."""

    sheet: str
    row: int
    column: int

    @property
    def ref(self) -> str:
        """``G5``."""
        return make_ref(self.row, self.column)

    def __str__(self) -> str:
        return f"{self.sheet}!{self.ref}"


_MOST_KEPT = 400
_EMPTY = RawCell("", "empty", "", None)


def area_of(book: RawBook, name: str) -> Area:
    """Where a port lies; raises WorkbookRefused ``E-BOOK-NAME`` when the workbook lost the name."""
    area = book.resolve(name)
    if area is None:
        raise WorkbookRefused(
            "E-BOOK-NAME",
            f"工作簿缺少定义名称“{name}”，可能有单元格被删除",
            remedy="请改用新的模板，把数据粘贴为数值后重新填写",
        )
    return area


def places(book: RawBook, name: str) -> list[Place]:
    """The cells of a port, row by row."""
    area = area_of(book, name)
    return list(_kept_cells(area) if area.last_row - area.first_row < _MOST_KEPT else cells_of(area))


def cells_of(area: Area) -> Iterator[Place]:
    """The cells of an area, row by row."""
    for row in range(area.first_row, area.last_row + 1):
        for column in range(area.first_col, area.last_col + 1):
            yield Place(area.sheet, row, column)


@lru_cache(maxsize=2048)
def _kept_cells(area: Area) -> tuple[Place, ...]:
    return tuple(cells_of(area))


def block(book: RawBook, name: str, count: int) -> list[Place]:
    """The cells of a port that stands for a list of known length.

    Raises WorkbookRefused ``E-BOOK-BLOCK`` when rows were put into or taken out of it: each cell's meaning is
    its place in the list.
    """
    cells = places(book, name)
    if len(cells) != count:
        raise WorkbookRefused(
            "E-BOOK-BLOCK",
            f"区域“{name}”应有 {count} 格，现有 {len(cells)} 格，其中插入或删除过行列，无法对应各项",
            where=f"{cells[0]}",
            remedy="请撤销插入或删除，或把数据填入新的模板",
        )
    return cells


def cell_at(book: RawBook, place: Place) -> RawCell:
    """The cell at a place, an empty one where the file stores none."""
    return book.sheet(place.sheet).cells.get(place[1:], _EMPTY)
