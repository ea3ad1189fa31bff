"""Cells of an xlsx read and changed on the raw XML text: what is not changed keeps its bytes.

There is no tree. A strict grammar has to account for every character of a sheet's data; what it does not
know is refused, because guessing here would mean reading a cell that Excel shows differently.
Inside, ValueError carries what is wrong; RawBook and RawSheet add the place and make it a refusal.
"""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from workbooks.files.cellxml import (
    CELL,
    MAX_CELLS,
    SHEET_DATA,
    Position,
    array_members,
    cells,
    content,
    formula,
    frame_of,
    parse_ref,
    patched_cell,
    says,
)
from workbooks.files.cellxml import RawCell as RawCell
from workbooks.files.cellxml import column_letters as column_letters
from workbooks.files.cellxml import make_ref as make_ref
from workbooks.files.package import Package
from workbooks.files.rawxml import (
    ATTRIBUTES,
    RESAVE,
    attributes,
    check_limit,
    dialect,
    elements,
    runs_text,
    section,
    text_of,
    unescaped,
    xml_text,
)
from workbooks.files.rawxml import Value as Value
from workbooks.files.remembered import Remembered
from workbooks.files.rows import Row, patched_row, read_rows, split_rows, with_strings
from xlcalc.errors import WorkbookRefused

MAX_STRINGS = 1_000_000
_SI = re.compile(rf"\s*+<si{ATTRIBUTES}\s*(?:/>|>(?>(.*?)</si\s*>))", re.DOTALL)
_SHEET = re.compile(rf"\s*+<sheet({ATTRIBUTES})\s*(?:/>|>\s*</sheet\s*>)")
_RELATIONSHIP = re.compile(rf"\s*+<Relationship({ATTRIBUTES})\s*(?:/>|>\s*</Relationship\s*>)")
_NAME = re.compile(rf"\s*+<definedName({ATTRIBUTES})\s*(?:/>|>([^<]*)</definedName\s*>)")
_PROPERTIES = re.compile(rf"<workbookPr({ATTRIBUTES})")

_AREA = re.compile(
    r"=?\$?(?P<sheet>'(?:[^']|'')+'|[^'!:,()\[\]\s]+?)[!.]\$?([A-Z]{1,3})\$?([0-9]+)"
    r"(?::(?:\$?(?P=sheet)[!.]|\.)?\$?([A-Z]{1,3})\$?([0-9]+))?"
)
_USE_TEMPLATE = "请使用本系统发放的模板"


class SheetInfo(NamedTuple):
    """One sheet as listed in the workbook; state is visible, hidden or veryHidden."""

    name: str
    part: str
    state: str


class Area(NamedTuple):
    """A rectangle of cells on one sheet, 1-based, both corners included."""

    sheet: str
    first_row: int
    first_col: int
    last_row: int
    last_col: int


class RawBook:
    """The sheets, names and cells of a package, and the way to write values into existing cells."""

    def __init__(self, package: Package) -> None:
        self.package = package
        text, links = xml_text(package, "xl/workbook.xml"), xml_text(package, "xl/_rels/workbook.xml.rels")
        try:
            found = _frame(text, links)
        except ValueError as error:
            raise dialect(str(error), "xl/workbook.xml") from None
        self.sheets: tuple[SheetInfo, ...] = found.sheets
        self.defined_names: Mapping[str, str] = found.names
        self.date1904: bool = found.date1904
        self._parts = {sheet.name: sheet.part for sheet in found.sheets}
        self._areas = found.areas
        self._strings = _Strings(package, found.strings)
        self._loaded: dict[str, RawSheet] = {}

    def resolve(self, name: str) -> Area | None:
        """The one rectangle a defined name stands for; None for #REF!, several areas or a formula."""
        if name not in self._areas:
            self._areas[name] = self._resolved(self.defined_names.get(name, ""))
        return self._areas[name]

    def _resolved(self, target: str) -> Area | None:
        match = _AREA.fullmatch(target)
        if match is None:
            return None
        given, left, top, right, bottom = match.groups()
        wanted = (given[1:-1].replace("''", "'") if given.startswith("'") else given).casefold()
        sheet = next((info.name for info in self.sheets if info.name.casefold() == wanted), None)
        try:
            corners = parse_ref(left + top), parse_ref((right or left) + (bottom or top))
        except ValueError:
            return None
        (first_row, last_row), (first_col, last_col) = (sorted(pair) for pair in zip(*corners, strict=True))
        return Area(sheet, first_row, first_col, last_row, last_col) if sheet else None

    def sheet(self, name: str) -> RawSheet:
        """The cells of the sheet called ``name``, inflated and read on first use."""
        found = self._loaded.get(name)
        if found is None:
            part = self._part(name)
            rows = self.package.once(part, lambda content: _sheet_rows(text_of(content, part)))
            found = self._loaded[name] = RawSheet(name, rows, self._strings)
        return found

    def patch(self, changes: Mapping[tuple[str, str], Value]) -> bytes:
        """The workbook's bytes with ``{(sheet, ref): value}`` written into cells that already exist."""
        grouped: dict[str, dict[str, Value]] = {}
        for (sheet, ref), value in changes.items():
            grouped.setdefault(sheet, {})[ref] = value
        patched = {name: self.sheet(name).patched(cells) for name, cells in grouped.items()}
        return self.package.rewrite(
            {self._part(name): text.encode() for name, text in patched.items() if text is not self.sheet(name).text}
        )

    def _part(self, name: str) -> str:
        if name in self._parts:
            return self._parts[name]
        raise WorkbookRefused("E-BOOK-NO-SHEET", "没有这个工作表", where=name, remedy=_USE_TEMPLATE)


class _SheetRows(NamedTuple):
    """A sheet's text, and its rows where all are in the plain form; cells: theirs, but for shared strings.

    texts: the rows as they stand from ``start`` to ``end``; places: row number → which of them it is.
    """

    text: str
    rows: tuple[Row, ...] | None
    cells: Mapping[Position, RawCell]
    texts: Sequence[str] = ()
    start: int = 0
    end: int = 0
    places: Mapping[int, int] = {}
    formulas: Sequence[str] = ()
    arrays: Sequence[str] = ()
    shared: bool = False


def _sheet_rows(text: str) -> _SheetRows:
    """What a sheet's text says by itself; what is wrong with rows that are not plain, the slow reader says."""
    opening = SHEET_DATA.search(text)
    if opening is None or opening[1] or text.count("<sheetData") != 1:
        return _SheetRows(text, None, {})
    found = split_rows(text, opening.end())
    rows = read_rows(found[0]) if found else None
    if found is None or rows is None or sum(len(row.cells) for row in rows) > MAX_CELLS:
        return _SheetRows(text, None, {})
    cells: dict[Position, RawCell] = {}
    for row in rows:
        cells.update(row.cells)
    return _SheetRows(
        text, tuple(rows), cells, found[0], opening.end(), found[1],
        {row.number: place for place, row in enumerate(rows)},
        [ref for row in rows for ref in row.formulas],
        [area for row in rows for area in row.arrays],
        any(row.shared for row in rows),
    )  # fmt: skip


class RawSheet:
    """The cells of one sheet, and its text with some of them changed.

    text: as it stands in the file; formulas: the refs of its formula cells.
    """

    def __init__(self, name: str, rows: _SheetRows, strings: _Strings) -> None:
        self.name = name
        self.text = rows.text
        self._rows = rows
        self.cells: Mapping[Position, RawCell] = rows.cells
        self.formulas: Sequence[str] = rows.formulas
        self._starts: dict[Position, int] = {}
        arrays = list(rows.arrays)
        ref = "A1"
        try:
            if rows.shared:
                self.cells = _with_strings(rows, strings)
            if rows.rows is None or not self.cells:
                self.cells = found = {}
                for position, kind, match in cells(self.text):
                    ref = make_ref(*position)
                    if position in found:
                        raise ValueError("单元格出现了两次")
                    said = content(match, kind, strings)
                    found[position] = RawCell(ref, *said, formula(match, arrays))
                    self._starts[position] = match.start("c")
                    check_limit(len(found), MAX_CELLS, "单元格", name)
            ref = "A1"
            members = list(array_members(arrays, self.cells, name))
            if members:
                self.cells = {**self.cells, **{at: self.cells[at]._replace(formula="") for at in members}}
            if arrays or self._starts:
                self.formulas = [cell.ref for cell in self.cells.values() if cell.formula is not None]
        except ValueError as error:
            raise dialect(str(error), f"{name}!{ref}") from None

    def patched(self, changes: Mapping[str, Value]) -> str:
        """The sheet's XML with new values; outside these cells' t, v and is, not a character differs."""
        new: dict[str, Value] = {}
        for ref, value in changes.items():
            held = self.cells.get(parse_ref(ref))
            if held is None:
                message = "表里没有这个单元格，不能写入"
                raise WorkbookRefused("E-BOOK-NO-CELL", message, where=f"{self.name}!{ref}", remedy=_USE_TEMPLATE)
            if not says(held, value):
                new[ref] = value
        if not new:
            return self.text
        if not self._starts:
            return self._patched_rows(new)
        edits = []
        for ref, value in new.items():
            match = CELL.match(self.text, self._starts[parse_ref(ref)])
            assert match is not None, "read by the same pattern"
            edits.append((*match.span(), patched_cell(frame_of(match), value, f"{self.name}!{ref}")))
        pieces, position = [], 0
        for begin, end, cell in sorted(edits):
            pieces += [self.text[position:begin], cell]
            position = end
        return "".join([*pieces, self.text[position:]])

    def _patched_rows(self, changes: Mapping[str, Value]) -> str:
        of_row: dict[int, dict[str, Value]] = {}
        for ref, value in changes.items():
            of_row.setdefault(parse_ref(ref)[0], {})[ref] = value
        held = self._rows
        assert held.rows is not None, "otherwise read by the slow reader"
        texts = list(held.texts)
        for number, own in of_row.items():
            place = held.places[number]
            texts[place] = patched_row(texts[place], held.rows[place], own, self.name)
        before_rows = held.text[: held.text.find("<row", held.start)]
        return f"{before_rows}{''.join(texts)}{held.text[held.end :]}"


def _with_strings(rows: _SheetRows, strings: _Strings) -> Mapping[Position, RawCell]:
    """The cells with their shared strings; none where a string is not to be had, which the slow reader will say."""
    cells = dict(rows.cells)
    try:
        for row in rows.rows or ():
            if row.shared:
                cells.update(with_strings(row, strings))
    except ValueError:
        return {}
    return cells


_texts: Remembered[str, str] = Remembered(400_000)


class _Strings:
    """Shared strings, inflated on first use, each decoded when a cell asks for it."""

    def __init__(self, package: Package, part: str | None) -> None:
        self._package, self._part = package, part
        self._raw: list[str] | None = None
        self._decoded: dict[int, str] = {}

    def __getitem__(self, index: int) -> str:
        if self._raw is None:
            self._raw = self._load()
        if index not in self._decoded:
            if index >= len(self._raw):
                raise ValueError(f"共享字符串的序号 {index} 超出范围（共 {len(self._raw)} 条）")
            raw = self._raw[index]
            text = _texts.get(raw)
            if text is None:
                text = runs_text(raw)
                _texts.put(raw, text)
            self._decoded[index] = text
        return self._decoded[index]

    def _load(self) -> list[str]:
        text = section(xml_text(self._package, self._part), "sst") if self._part else ""
        check_limit(text.count("<si"), MAX_STRINGS, "共享字符串", self._part or "")
        return [match[1] or "" for match in elements(_SI, text.partition("<extLst")[0])]


class _Frame(NamedTuple):
    """What the workbook part says; ``areas``: the names already looked up."""

    sheets: tuple[SheetInfo, ...]
    names: Mapping[str, str]
    date1904: bool
    strings: str | None
    areas: dict[str, Area | None]


@functools.lru_cache(maxsize=16)
def _frame(text: str, links: str) -> _Frame:
    """Files of one template mostly have the same frame."""
    relations = _relations(links)
    sheets, names = _sheets(text, relations), _defined_names(text)
    properties = _PROPERTIES.search(text)
    flag = attributes(properties[1]).get("date1904") if properties else None
    strings = next((part for kind, part in relations.values() if kind.endswith("/sharedStrings")), None)
    return _Frame(sheets, names, flag in ("1", "true"), strings, {})


def _relations(text: str) -> dict[str, tuple[str, str]]:
    """Relationship id → (type, part) of the workbook; what points outside the file is left out."""
    found: dict[str, tuple[str, str]] = {}
    for match in elements(_RELATIONSHIP, section(text, "Relationships")):
        given = attributes(match[1])
        if given.get("Id", "") in found:
            raise ValueError(f"关系编号 {given.get('Id', '')} 重复")
        if given.get("TargetMode", "").lower() != "external":
            target = posixpath.normpath(posixpath.join("/xl", given.get("Target", "")))
            found[given.get("Id", "")] = given.get("Type", ""), target.lstrip("/")
    return found


def _sheets(text: str, relations: Mapping[str, tuple[str, str]]) -> tuple[SheetInfo, ...]:
    sheets: list[SheetInfo] = []
    for match in elements(_SHEET, section(text, "sheets")):
        given = attributes(match[1])
        name, state = given.get("name", ""), given.get("state", "visible")
        identity = next((value for key, value in given.items() if key.endswith(":id")), "")
        if not name or state not in ("visible", "hidden", "veryHidden") or identity not in relations:
            raise ValueError(f"工作表“{name}”的名称、状态或位置不明")
        sheets.append(SheetInfo(name, relations[identity][1], state))
    if not sheets:
        raise ValueError("没有工作表，或标签带前缀")
    _refuse_repeats([sheet.name for sheet in sheets], "工作表")
    _refuse_repeats([sheet.part for sheet in sheets], "工作表部件")
    return tuple(sheets)


def _defined_names(text: str) -> dict[str, str]:
    """Names of the workbook first; a sheet's own name only where the workbook has none."""
    found = [(attributes(m[1]), unescaped(m[2] or "")) for m in elements(_NAME, section(text, "definedNames"))]
    _refuse_repeats([given.get("name", "") for given, _ in found if "localSheetId" not in given], "名称")
    names: dict[str, str] = {}
    for given, target in sorted(found, key=lambda item: "localSheetId" in item[0]):
        names.setdefault(given.get("name", ""), target)
    return names


def _refuse_repeats(names: list[str], what: str) -> None:
    """Excel compares names without case, and so must whoever wants to see what Excel sees."""
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise WorkbookRefused("E-BOOK-DUPLICATE", f"{what}“{name}”重复", remedy=RESAVE)
        seen.add(name.casefold())
