"""Cells of an xlsx read and changed on the raw XML text: what is not changed keeps its bytes.

There is no tree. A strict grammar has to account for every character of a sheet's data; what it does not
know is refused, because guessing here would mean reading a cell that Excel shows differently.
Inside, ValueError carries what is wrong; RawBook and RawSheet add the place and make it a refusal.
"""

from __future__ import annotations

import functools
import itertools
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from workbooks.files.package import Package
from workbooks.files.rawxml import (
    ATTRIBUTE,
    ATTRIBUTES,
    RESAVE,
    attributes,
    cell_string,
    check_limit,
    dialect,
    elements,
    encoded,
    runs_text,
    section,
    unescaped,
    xml_text,
)
from workbooks.files.rawxml import (
    Value as Value,
)
from xlcalc.errors import WorkbookRefused

Kind = Literal["empty", "number", "text", "bool", "error"]
Position = tuple[int, int]

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
MAX_CELLS, MAX_STRINGS, MAX_ARRAY_CELLS = 400_000, 1_000_000, 2_000_000

_F = rf"<f(?P<fattrs>{ATTRIBUTES})\s*(?:/>|>(?P<ftext>[^<]*)</f\s*>)"
_V = rf"<v{ATTRIBUTES}\s*(?:/>|>(?P<vtext>[^<]*)</v\s*>)"
_IS = rf"<is{ATTRIBUTES}\s*(?:/>|>(?>(?P<runs>.*?)</is\s*>))"
_BODY = rf"\s*(?P<f>{_F})?\s*(?P<value>{_V}|(?P<is>{_IS}))?\s*"
_C = rf"<c(?P<attrs>{ATTRIBUTES})\s*(?:/>|(?P<open>>){_BODY}</c\s*>)"
_CELL = re.compile(_C, re.DOTALL)
_TOKEN = re.compile(
    rf"\s*+(?:(?P<c>{_C})|<row(?P<row>{ATTRIBUTES})\s*(?P<closed>/?)>|(?P<endrow></row\s*>)|(?P<end></sheetData\s*>))",
    re.DOTALL,
)
_SI = re.compile(rf"\s*+<si{ATTRIBUTES}\s*(?:/>|>(?>(.*?)</si\s*>))", re.DOTALL)
_SHEET_DATA = re.compile(rf"<sheetData{ATTRIBUTES}\s*(/?)>")
_SHEET = re.compile(rf"\s*+<sheet({ATTRIBUTES})\s*(?:/>|>\s*</sheet\s*>)")
_RELATIONSHIP = re.compile(rf"\s*+<Relationship({ATTRIBUTES})\s*(?:/>|>\s*</Relationship\s*>)")
_NAME = re.compile(rf"\s*+<definedName({ATTRIBUTES})\s*(?:/>|>([^<]*)</definedName\s*>)")
_PROPERTIES = re.compile(rf"<workbookPr({ATTRIBUTES})")

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_REF = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
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


class RawCell(NamedTuple):
    """One cell as stored; formula is None for a constant and "" for a follower or array member."""

    ref: str
    kind: Kind
    text: str
    formula: str | None


def column_letters(n: int) -> str:
    """``28`` → ``AB``."""
    letters = ""
    while n > 0:
        n, digit = divmod(n - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def parse_ref(ref: str) -> Position:
    """``AB12`` → ``(12, 28)``; ValueError for anything that is not one cell of a sheet."""
    match = _REF.fullmatch(ref)
    if match is None:
        raise ValueError(f"{ref[:40]!r} 不是单元格坐标")
    row, column = int(match[2]), _column(match[1])
    if row > MAX_ROWS or column > MAX_COLUMNS:
        raise ValueError(f"坐标 {ref} 超出工作表范围")
    return row, column


@functools.cache
def _column(letters: str) -> int:
    return functools.reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters, 0)


def make_ref(row: int, column: int) -> str:
    """``(12, 28)`` → ``AB12``."""
    return f"{column_letters(column)}{row}"


class RawBook:
    """The sheets, names and cells of a package, and the way to write values into existing cells."""

    def __init__(self, package: Package) -> None:
        self.package = package
        text = xml_text(package, "xl/workbook.xml")
        try:
            relations = _relations(xml_text(package, "xl/_rels/workbook.xml.rels"))
            self.sheets: tuple[SheetInfo, ...] = _sheets(text, relations)
            self.defined_names: dict[str, str] = _defined_names(text)
            properties = _PROPERTIES.search(text)
            flag = attributes(properties[1]).get("date1904") if properties else None
        except ValueError as error:
            raise dialect(str(error), "xl/workbook.xml") from None
        self.date1904: bool = flag in ("1", "true")
        strings = (part for kind, part in relations.values() if kind.endswith("/sharedStrings"))
        self._strings = _Strings(package, next(strings, None))
        self._loaded: dict[str, RawSheet] = {}

    def resolve(self, name: str) -> Area | None:
        """The one rectangle a defined name stands for; None for #REF!, several areas or a formula."""
        match = _AREA.fullmatch(self.defined_names.get(name, ""))
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
        if name not in self._loaded:
            text = xml_text(self.package, self._part(name))
            self._loaded[name] = RawSheet(name, text, self._strings)
        return self._loaded[name]

    def patch(self, changes: Mapping[tuple[str, str], Value]) -> bytes:
        """The workbook's bytes with ``{(sheet, ref): value}`` written into cells that already exist."""
        grouped: dict[str, dict[str, Value]] = {}
        for (sheet, ref), value in changes.items():
            grouped.setdefault(sheet, {})[ref] = value
        patched = {self._part(name): self.sheet(name).patched(cells) for name, cells in grouped.items()}
        return self.package.rewrite({part: text.encode() for part, text in patched.items()})

    def _part(self, name: str) -> str:
        for sheet in self.sheets:
            if sheet.name == name:
                return sheet.part
        raise WorkbookRefused("E-BOOK-NO-SHEET", "没有这个工作表", where=name, remedy=_USE_TEMPLATE)


class RawSheet:
    """The cells of one sheet, and its text with some of them changed."""

    def __init__(self, name: str, text: str, strings: _Strings) -> None:
        self.name = name
        self.cells: dict[Position, RawCell] = {}
        self._text = text
        self._starts: dict[Position, int] = {}
        arrays: list[str] = []
        ref = "A1"
        try:
            for position, kind, match in _cells(text):
                ref = make_ref(*position)
                if position in self.cells:
                    raise ValueError("单元格出现了两次")
                content = _content(match, kind, strings)
                self.cells[position] = RawCell(ref, *content, _formula(match, arrays))
                self._starts[position] = match.start("c")
                check_limit(len(self.cells), MAX_CELLS, "单元格", name)
            for position in _array_members(arrays, self.cells, name):
                self.cells[position] = self.cells[position]._replace(formula="")
        except ValueError as error:
            raise dialect(str(error), f"{name}!{ref}") from None

    def patched(self, changes: Mapping[str, Value]) -> str:
        """The sheet's XML with new values; outside these cells' t, v and is, not a character differs."""
        edits = []
        for ref, value in changes.items():
            where = f"{self.name}!{ref}"
            start = self._starts.get(parse_ref(ref))
            match = None if start is None else _CELL.match(self._text, start)
            if match is None:
                message = "表里没有这个单元格，不能写入"
                raise WorkbookRefused("E-BOOK-NO-CELL", message, where=where, remedy=_USE_TEMPLATE)
            edits.append((*match.span(), _patched_cell(match, value, where)))
        pieces, position = [], 0
        for begin, end, cell in sorted(edits):
            pieces += [self._text[position:begin], cell]
            position = end
        return "".join([*pieces, self._text[position:]])


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
            self._decoded[index] = runs_text(self._raw[index])
        return self._decoded[index]

    def _load(self) -> list[str]:
        text = section(xml_text(self._package, self._part), "sst") if self._part else ""
        check_limit(text.count("<si"), MAX_STRINGS, "共享字符串", self._part or "")
        return [match[1] or "" for match in elements(_SI, text.partition("<extLst")[0])]


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


def _cells(text: str) -> Iterator[tuple[Position, str, re.Match[str]]]:
    """(position, t, match) of every cell in file order, every character between them accounted for."""
    opening = _SHEET_DATA.search(text)
    if opening is None or text.count("<sheetData") != 1:
        raise ValueError("不是普通工作表，或标签带前缀")
    position, inside, row, column = opening.end(), False, 0, 0
    while not opening[1]:
        match = _TOKEN.match(text, position)
        token = match.lastgroup if match else None
        if match and token == "c" and inside:
            given = attributes(match["attrs"])
            place = parse_ref(given.get("r") or make_ref(row, column + 1))
            if place[0] != row:
                raise ValueError(f"单元格 {given['r']} 写在第 {row} 行里")
            column = place[1]
            yield place, given.get("t", "n"), match
        elif match and token == "closed" and not inside:
            above, (row, _) = row, parse_ref("A" + attributes(match["row"]).get("r", str(row + 1)))
            if row <= above:
                raise ValueError(f"行号没有递增（{above} 之后是 {row}）")
            column, inside = 0, not match["closed"]
        elif match and token == "endrow" and inside:
            inside = False
        elif match and token == "end" and not inside:
            return
        else:
            raise ValueError(f"此后有不认识的内容 {text[position : position + 40].strip()!r}")
        position = match.end()


def _content(match: re.Match[str], kind: str, strings: _Strings) -> tuple[Kind, str]:
    """(kind, text) of a cell whose ``t`` is ``kind``."""
    if match["value"] is None:
        return "empty", ""
    if (kind == "inlineStr") != (match["is"] is not None):
        raise ValueError(f"t={kind!r} 与单元格内容不一致")
    if kind == "inlineStr":
        return "text", runs_text(match["runs"] or "")
    if kind == "str":
        return "text", cell_string(match["vtext"] or "")
    raw = unescaped(match["vtext"] or "").strip()
    if not raw:
        return "empty", ""
    if kind == "n":
        return "number" if _NUMBER.fullmatch(raw) else "error", raw
    if kind == "s" and raw.isascii() and raw.isdigit() and len(raw) < 10:
        return "text", strings[int(raw)]
    if kind == "b" and raw in ("0", "1", "true", "false"):
        return "bool", "1" if raw in ("1", "true") else "0"
    if kind == "e":
        return "error", raw
    raise ValueError(f"t={kind!r} 的内容 {raw[:20]!r}")


def _formula(match: re.Match[str], arrays: list[str]) -> str | None:
    """The formula's text; the range of an array or data table is added to ``arrays``."""
    if match["f"] is None:
        return None
    given = attributes(match["fattrs"]) if match["fattrs"] else {}
    if given.get("t") in ("array", "dataTable") and ":" in given.get("ref", ""):
        arrays.append(given["ref"])
    return unescaped(match["ftext"] or "")


def _array_members(arrays: list[str], cells: Mapping[Position, RawCell], name: str) -> Iterator[Position]:
    total = 0
    for area in arrays:
        (top, left), (bottom, right) = map(parse_ref, area.split(":", 1))
        total += (bottom - top + 1) * (right - left + 1)
        check_limit(total, MAX_ARRAY_CELLS, "数组公式区域的单元格", name)
        for position in itertools.product(range(top, bottom + 1), range(left, right + 1)):
            if position in cells and cells[position].formula is None:
                yield position


def _patched_cell(match: re.Match[str], value: Value, where: str) -> str:
    kind, body = encoded(value, match["f"] is not None, where)
    others = ATTRIBUTE.sub(lambda found: "" if found[1] in ("t", "vm") else found[0], match["attrs"])
    head = f'<c{others} t="{kind}"' if kind else f"<c{others}"
    text, head_end = match.string, match.end("attrs")
    if match["open"] is None:
        space = text[head_end : match.end() - 2]
        return f"{head}{space}>{body}</c>" if body else f"{head}{space}/>"
    after = match.end("open" if match["f"] is None else "f")
    start, end = match.span("value") if match["value"] else (after, after)
    return head + text[head_end:start] + body + text[end : match.end()]
