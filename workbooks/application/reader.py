"""Reads a filled form: single fields, tick lists, passages, material ticks, lists of texts and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from workbooks.files.cellread import CellReader
from workbooks.files.rawbook import Area, RawCell
from workbooks.form import Form
from workbooks.ports import Manifest, Place, Port, area_of, block, places
from workbooks.record import Record
from xlcalc.errors import WorkbookRefused
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.checklist import Checklist
from xlcalc.packs.policy import Version
from xlcalc.values.text import parse_tick, parse_yes_no, squeeze


def read_records(
    reader: CellReader, form: Form, ports: Manifest, versions: Mapping[str, Version], choices: Mapping[str, str]
) -> list[Record]:
    """The one record of the form; none when nobody has filled in anything.

    ``facts_at`` knows the cell of every fact, of a row of a table as ``table.row`` and ``table.row.column`` (rows
    counted as filled), of an item of a list as ``fact.item``.
    """
    del choices
    found = _Found(reader, ports, versions, _growing(form))
    tables: dict[str, list[Port]] = {}
    for port in ports.ports:
        if port.direction == "in" and port.fact is not None:
            if port.name.startswith(("c_", "r_")):
                tables.setdefault(port.fact, []).append(port)
            else:
                found.single(port, fact(port.fact))
    for table, columns in tables.items():
        found.table(fact(table), columns)
    if not found.facts and not reader.findings:
        return []
    findings, reader.findings = reader.findings, []
    name = found.facts.get("enterprise_name")
    where = found.facts_at.get("enterprise_name") or next(iter(found.facts_at.values()))
    key = str(found.facts.get("uscc") or name or form.title)
    return [Record(key, where, found.facts, findings, facts_at=found.facts_at)]


def checklists(version: Version) -> Iterator[Checklist]:
    """The lists of materials of a version under its default choices."""
    for mechanism in version.mechanisms(version.full_choices({})):
        if isinstance(mechanism, Checklist):
            yield mechanism


def _growing(form: Form) -> frozenset[str]:
    """The tables that end their sheet: people copy the last row downwards, and what they write there counts."""
    alone = (spec for spec in form.data["sheet"] if "fact" in spec and not {"block", "layout"} & spec.keys())
    return frozenset(str(spec["fact"]) for spec in alone)


_Column = tuple[Port, Fact]
"""A port of a table, and the column it feeds."""


class _Found:
    """The facts read so far and their cells. growing: the tables that may go on below their last row."""

    def __init__(
        self, reader: CellReader, ports: Manifest, versions: Mapping[str, Version], growing: frozenset[str]
    ) -> None:
        self.reader, self.ports, self.versions, self.growing = reader, ports, versions, growing
        self.facts: dict[str, Any] = {}
        self.facts_at: dict[str, str] = {}

    def _keep(self, name: str, value: Any) -> None:
        if value is not None and value != "":
            self.facts[name] = value

    def single(self, port: Port, known: Fact) -> None:
        """A fact with a port of its own."""
        if known.type == "options":
            value: Any = self._options(port, known)
        elif known.type == "ticks":
            value = self._ticks(port, known)
        elif known.type == "texts":
            value = self._texts(port, known)
        else:
            place = places(self.reader.book, port.name)[0]
            self.facts_at[known.id] = str(place)
            value = self._cell(port, known, place)
        self._keep(known.id, value)

    def _cell(self, port: Port, known: Fact, place: Place) -> Any:
        if known.type == "bool":
            return self._word(port, known, place)
        return self.reader.fact(place, known, port.unit)

    def _word(self, port: Port, known: Fact, place: Place) -> bool | None:
        """One of the two words the form prints, or 是 or 否 in any spelling."""
        text = self.reader.text(place, known.label)
        if not text:
            return None
        words = [squeeze(word) for word in port.items]
        verdict = squeeze(text) == words[0] if squeeze(text) in words else parse_yes_no(text)
        if verdict is None:
            said = f"{known.label}：“{text[:20]}”不是“{'”或“'.join(port.items)}”"
            self.reader.problem("E-BOOL", said, "请从下拉列表中选择", place, known.id)
        return verdict

    def _items(self, port: Port, keys: Sequence[str]) -> Iterable[tuple[str, Place]]:
        """Each item of a list with its cell, which is known from now on."""
        cells = block(self.reader.book, port.name, len(keys))
        assert port.fact is not None
        self.facts_at[port.fact] = str(cells[0])
        self.facts_at |= {f"{port.fact}.{key}": str(place) for key, place in zip(keys, cells, strict=True)}
        return zip(keys, cells, strict=True)

    def _options(self, port: Port, known: Fact) -> tuple[str, ...] | None:
        """The ticked options; none ticked is «not filled in» unless 无 is ticked, which excludes the others."""
        ticked = [code for code, place in self._items(port, port.items) if self._is_ticked(place, known.label)]
        name = f"n_{known.id}"
        none = places(self.reader.book, name)[0] if name in self.ports.by_name else None
        said_none = none is not None and self._is_ticked(none, known.label)
        if said_none and ticked:
            message = f"{known.label}：“无”与其他选项同时选中"
            self.reader.problem("E-EXCLUSIVE", message, "请只保留其一", none or "", known.id)
            return None
        if not ticked:
            return () if said_none else None
        return tuple(code for code in known.options if code in ticked)

    def _is_ticked(self, place: Place, label: str) -> bool:
        text = self.reader.text(place, label)
        sign = parse_tick(text)
        if sign is None:
            self.reader.problem("E-TICK", f"{label}：“{text[:10]}”不是勾选符号", "请选 √ 或清空", place)
        return bool(sign)

    def _ticks(self, port: Port, known: Fact) -> dict[str, bool] | None:
        """Item -> 是 or 否, and an empty cell leaves its item open; the items are those of the version recorded."""
        lists = (item for version in self.versions.values() for item in checklists(version))
        keys = next(([item.key for item in held.items] for held in lists if held.fact == known.id), [])
        found = {}
        for key, place in self._items(port, keys):
            text = self.reader.text(place, known.label)
            word = parse_yes_no(text)
            if text and word is None:
                message = f"{known.label}：“{text[:10]}”不是“是”或“否”"
                self.reader.problem("E-BOOL", message, "请选“是”或“否”", place, f"{known.id}.{key}")
            elif word is not None:
                found[key] = word
        return found or None

    def _texts(self, port: Port, known: Fact) -> dict[str, str] | None:
        """Row -> what is written in it."""
        cells = {key: self.reader.usable(place, known.label) for key, place in self._items(port, port.items)}
        return {key: cell.text for key, cell in cells.items() if cell is not None} or None

    def table(self, known: Fact, ports: list[Port]) -> None:
        """The filled rows; each cell is known as ``table.row.column``, rows counted as filled."""
        rows: list[Mapping[str, Any]] = []
        for columns, line in self._lines(known, [(port, known.columns[_column(known, port)]) for port in ports]):
            start = len(self.reader.findings)
            self.facts_at.setdefault(known.id, line.names[0])
            filled = {}
            for (port, column), taken in zip(columns, line.taken, strict=True):
                if not self._is_blank(taken):
                    value = self._of_row(port, column, taken)
                    if value not in (None, ""):
                        filled[column.id] = value
            if filled or len(self.reader.findings) > start:
                rows.append(filled)
                row = f"{known.id}.{len(rows)}"
                self.facts_at[row] = line.names[0]
                self.facts_at.update(zip([f"{row}.{column.id}" for _, column in columns], line.names, strict=True))
        self._keep(known.id, tuple(rows) or None)

    def _is_blank(self, taken: Sequence[Place]) -> bool:
        cells = self.reader.book.sheet(taken[0].sheet).cells
        for place in taken:
            cell = cells.get(place[1:])
            if cell is not None and not _is_empty(cell):
                return False
        return True

    def _lines(self, known: Fact, columns: Sequence[_Column]) -> Iterable[tuple[Sequence[_Column], _Line]]:
        """The cells of each row in which something is, and of the first, which is the table's place."""
        top = columns[0][0].name
        if top.startswith("r_"):
            return self._numbered(known, columns)
        areas = tuple(area_of(self.reader.book, port.name) for port, _ in columns)
        if len({(area.sheet, area.first_row, area.last_row) for area in areas}) > 1:
            raise WorkbookRefused(
                "E-BOOK-BLOCK", f"“{known.label}”各列的起止行不再一致，无法确定哪些内容属于同一行",
                where=str(places(self.reader.book, top)[0]),
                remedy="请撤销移动或删除，或把数据填入新的模板",
            )  # fmt: skip
        first, last = areas[0].first_row, areas[0].last_row
        inside = {column for area in areas for column in range(area.first_col, area.last_col + 1)}
        rows = {first}
        for (row, column), cell in self.reader.book.sheet(areas[0].sheet).cells.items():
            if column in inside and row > first and (row <= last or known.id in self.growing) and not _is_empty(cell):
                rows.add(row)
        return [(columns, _line_of(areas, row)) for row in sorted(rows)]

    def _numbered(self, known: Fact, columns: Sequence[_Column]) -> Iterable[tuple[Sequence[_Column], _Line]]:
        """The same of fields that stand for rows, each with the number of its row in its name."""
        rows: dict[str, list[_Column]] = {}
        for port, column in columns:
            row = port.name.removeprefix(f"r_{known.id}_").partition("_")[0]
            rows.setdefault(row, []).append((port, column))
        lines = [(own, _line([places(self.reader.book, port.name) for port, _ in own])) for own in rows.values()]
        return [*lines[:1], *(held for held in lines[1:] if not all(map(self._is_blank, held[1].taken)))]

    def _of_row(self, port: Port, column: Fact, taken: Sequence[Place]) -> Any:
        if len(taken) == 1:
            return self._cell(port, column, taken[0])
        ticked = [code for code, place in zip(port.items, taken, strict=True) if self._is_ticked(place, column.label)]
        if len(ticked) > 1:
            message = f"{column.label}：一行选中了 {len(ticked)} 项"
            self.reader.problem("E-EXCLUSIVE", message, "请只保留其一", taken[0], column.id)
        return ticked[0] if len(ticked) == 1 else None


def _is_empty(cell: RawCell) -> bool:
    return cell.kind == "empty" and cell.formula is None


def _column(known: Fact, port: Port) -> str:
    """The column a port feeds."""
    if port.name.startswith("c_"):
        return port.name.removeprefix(f"c_{known.id}_")
    return port.name.removeprefix(f"r_{known.id}_").partition("_")[2]


class _Line(NamedTuple):
    """The cells of one row of a table: those each column takes, and what the first of them is called."""

    taken: Sequence[Sequence[Place]]
    names: Sequence[str]


def _line(taken: Sequence[Sequence[Place]]) -> _Line:
    return _Line(taken, [str(cells[0]) for cells in taken])


@lru_cache(maxsize=2048)
def _line_of(areas: tuple[Area, ...], row: int) -> _Line:
    return _line(
        [[Place(area.sheet, row, column) for column in range(area.first_col, area.last_col + 1)] for area in areas]
    )
