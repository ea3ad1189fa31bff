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
from decimal import Decimal
from typing import Literal, NamedTuple

from workbooks.package import Package
from xlcalc.errors import WorkbookRefused

Kind = Literal["empty", "number", "text", "bool", "error"]
Value = int | str | bool | Decimal | None
Position = tuple[int, int]

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
MAX_CELLS, MAX_STRINGS, MAX_ARRAY_CELLS = 400_000, 1_000_000, 2_000_000
MAX_TEXT = 32_767

_A = r"(?:\s+[\w:.\-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*+"
_T = rf"<t{_A}\s*(?:/>|>([^<]*)</t\s*>)"
_F = rf"<f(?P<fattrs>{_A})\s*(?:/>|>(?P<ftext>[^<]*)</f\s*>)"
_V = rf"<v{_A}\s*(?:/>|>(?P<vtext>[^<]*)</v\s*>)"
_IS = rf"<is{_A}\s*(?:/>|>(?>(?P<runs>.*?)</is\s*>))"
_BODY = rf"\s*(?P<f>{_F})?\s*(?P<value>{_V}|(?P<is>{_IS}))?\s*"
_C = rf"<c(?P<attrs>{_A})\s*(?:/>|(?P<open>>){_BODY}</c\s*>)"
_CELL = re.compile(_C, re.DOTALL)
_TOKEN = re.compile(
    rf"\s*+(?:(?P<c>{_C})|<row(?P<row>{_A})\s*(?P<closed>/?)>|(?P<endrow></row\s*>)|(?P<end></sheetData\s*>))",
    re.DOTALL,
)
_RUN = re.compile(
    rf"\s*+(?:{_T}|<r{_A}\s*>\s*(?:<rPr{_A}\s*(?:/>|>(?>.*?</rPr\s*>)))?\s*(?:{_T})?\s*</r\s*>"
    rf"|<rPh{_A}\s*>(?>.*?</rPh\s*>)|<phoneticPr{_A}\s*(?:/>|>\s*</phoneticPr\s*>))",
    re.DOTALL,
)
_SINGLE = re.compile(_T)
_SI = re.compile(rf"\s*+<si{_A}\s*(?:/>|>(?>(.*?)</si\s*>))", re.DOTALL)
_SHEET_DATA = re.compile(rf"<sheetData{_A}\s*(/?)>")
_SHEET = re.compile(rf"\s*+<sheet({_A})\s*(?:/>|>\s*</sheet\s*>)")
_RELATIONSHIP = re.compile(rf"\s*+<Relationship({_A})\s*(?:/>|>\s*</Relationship\s*>)")
_NAME = re.compile(rf"\s*+<definedName({_A})\s*(?:/>|>([^<]*)</definedName\s*>)")
_PROPERTIES = re.compile(rf"<workbookPr({_A})")

_ATTRIBUTE = re.compile(r"\s+([\w:.\-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos);|#([0-9]{1,7});|#x([0-9A-Fa-f]{1,6});)?")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NEEDS_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_REF = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ENCODING = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?\bencoding\s*=\s*[\"']([^\"']*)")
_AREA = re.compile(
    r"=?\$?(?P<sheet>'(?:[^']|'')+'|[^'!:,()\[\]\s]+?)[!.]\$?([A-Z]{1,3})\$?([0-9]+)"
    r"(?::(?:\$?(?P=sheet)[!.]|\.)?\$?([A-Z]{1,3})\$?([0-9]+))?"
)
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_RESAVE = "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新提交"
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
        text = _xml(package, "xl/workbook.xml")
        try:
            relations = _relations(_xml(package, "xl/_rels/workbook.xml.rels"))
            self.sheets: tuple[SheetInfo, ...] = _sheets(text, relations)
            self.defined_names: dict[str, str] = _defined_names(text)
            properties = _PROPERTIES.search(text)
            flag = _attributes(properties[1]).get("date1904") if properties else None
        except ValueError as error:
            raise _dialect(str(error), "xl/workbook.xml") from None
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
            text = _xml(self.package, self._part(name))
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
                _check_limit(len(self.cells), MAX_CELLS, "单元格", name)
            for position in _array_members(arrays, self.cells, name):
                self.cells[position] = self.cells[position]._replace(formula="")
        except ValueError as error:
            raise _dialect(str(error), f"{name}!{ref}") from None

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
            self._decoded[index] = _runs(self._raw[index])
        return self._decoded[index]

    def _load(self) -> list[str]:
        text = _section(_xml(self._package, self._part), "sst") if self._part else ""
        _check_limit(text.count("<si"), MAX_STRINGS, "共享字符串", self._part or "")
        return [match[1] or "" for match in _elements(_SI, text.partition("<extLst")[0])]


def _dialect(message: str, where: str) -> WorkbookRefused:
    return WorkbookRefused("E-BOOK-DIALECT", f"无法可靠读取：{message}", where=where, remedy=_RESAVE)


def _check_limit(found: int, limit: int, what: str, where: str) -> None:
    if found > limit:
        message = f"{what} {found} 个，超过上限 {limit}"
        raise WorkbookRefused("E-BOOK-LIMIT", message, where=where, remedy="请删去多余内容后重新提交")


def _xml(package: Package, part: str) -> str:
    """The part as text; anything but plain UTF-8 XML is refused."""
    raw = package.read(part)
    declared = _ENCODING.match(raw)
    try:
        if declared and declared[1].lower() not in (b"utf-8", b"utf8"):
            raise ValueError
        text = raw.decode("utf-8")
    except ValueError:
        raise WorkbookRefused("E-BOOK-ENCODING", "XML 不是 UTF-8 编码", where=part, remedy=_RESAVE) from None
    # package.scan() goes by file name, so a part under an unusual name may not have been looked at.
    if not part.lower().endswith((".xml", ".rels")):
        raise _dialect("部件的文件名不是 .xml", part)
    head = text.partition("<sheetData")[0]
    # Markup that parsers skip (comments, instructions) could hide or fake what the patterns look for.
    if "<!" in head or head.count("<?") > head.startswith(("<?xml ", "\ufeff<?xml ")):
        raise _dialect("XML 里有注释、CDATA 或处理指令", part)
    return text


def _section(text: str, tag: str) -> str:
    """What stands inside the only element called ``tag``; "" if there is none."""
    found: list[str] = re.findall(rf"<{tag}{_A}\s*(?:/>|>(?>(.*?)</{tag}\s*>))", text, re.DOTALL)
    if len(found) > 1:
        raise ValueError(f"{tag} 出现了多次")
    return found[0] if found else ""


def _elements(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches that follow each other without a gap to the end of ``text``; anything else is refused."""
    position, end = 0, len(text.rstrip())
    while position < end:
        match = pattern.match(text, position)
        if match is None:
            raise ValueError(f"不认识的内容 {text[position : position + 40].strip()!r}")
        yield match
        position = match.end()


def _attributes(text: str) -> dict[str, str]:
    found = _ATTRIBUTE.findall(text)
    result = {name: double or single for name, double, single in found}
    if "&" in text:
        result = {name: _unescaped(value) for name, value in result.items()}
    if len(result) != len(found):
        raise ValueError("同一属性写了两次")
    return result


def _unescaped(text: str) -> str:
    """XML character data as a parser would give it: line ends and references resolved."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    name, decimal, hexadecimal = match.groups()
    if name:
        return _CHARACTERS[name]
    code = int(decimal or "0") or int(hexadecimal or "0", 16)
    if code > 0x10FFFF or _ILLEGAL.match(chr(code)):
        raise ValueError(f"无法识别的字符引用 {match.string[match.start() : match.start() + 12]!r}")
    return chr(code)


def _string(text: str) -> str:
    """Cell text: XML unescaped, then the ``_x000D_`` escapes of the spreadsheet format."""
    text = _unescaped(text)
    if "_x" not in text or not _ESCAPE.search(text):
        return text
    decoded = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _runs(xml: str) -> str:
    """The text of a string item: its runs joined, phonetic hints left out."""
    if "<!" in xml or "<?" in xml:
        raise ValueError("字符串里有注释、CDATA 或处理指令")
    single = _SINGLE.fullmatch(xml)
    if single:
        return _string(single[1] or "")
    return "".join(_string(match[1] or match[2] or "") for match in _elements(_RUN, xml))


def _relations(text: str) -> dict[str, tuple[str, str]]:
    """Relationship id → (type, part) of the workbook; what points outside the file is left out."""
    found: dict[str, tuple[str, str]] = {}
    for match in _elements(_RELATIONSHIP, _section(text, "Relationships")):
        given = _attributes(match[1])
        if given.get("Id", "") in found:
            raise ValueError(f"关系编号 {given.get('Id', '')} 重复")
        if given.get("TargetMode", "").lower() != "external":
            target = posixpath.normpath(posixpath.join("/xl", given.get("Target", "")))
            found[given.get("Id", "")] = given.get("Type", ""), target.lstrip("/")
    return found


def _sheets(text: str, relations: Mapping[str, tuple[str, str]]) -> tuple[SheetInfo, ...]:
    sheets: list[SheetInfo] = []
    for match in _elements(_SHEET, _section(text, "sheets")):
        given = _attributes(match[1])
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
    found = [(_attributes(m[1]), _unescaped(m[2] or "")) for m in _elements(_NAME, _section(text, "definedNames"))]
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
            raise WorkbookRefused("E-BOOK-DUPLICATE", f"{what}“{name}”重复", remedy=_RESAVE)
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
            given = _attributes(match["attrs"])
            place = parse_ref(given.get("r") or make_ref(row, column + 1))
            if place[0] != row:
                raise ValueError(f"单元格 {given['r']} 写在第 {row} 行里")
            column = place[1]
            yield place, given.get("t", "n"), match
        elif match and token == "closed" and not inside:
            above, (row, _) = row, parse_ref("A" + _attributes(match["row"]).get("r", str(row + 1)))
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
        return "text", _runs(match["runs"] or "")
    if kind == "str":
        return "text", _string(match["vtext"] or "")
    raw = _unescaped(match["vtext"] or "").strip()
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
    given = _attributes(match["fattrs"]) if match["fattrs"] else {}
    if given.get("t") in ("array", "dataTable") and ":" in given.get("ref", ""):
        arrays.append(given["ref"])
    return _unescaped(match["ftext"] or "")


def _array_members(arrays: list[str], cells: Mapping[Position, RawCell], name: str) -> Iterator[Position]:
    total = 0
    for area in arrays:
        (top, left), (bottom, right) = map(parse_ref, area.split(":", 1))
        total += (bottom - top + 1) * (right - left + 1)
        _check_limit(total, MAX_ARRAY_CELLS, "数组公式区域的单元格", name)
        for position in itertools.product(range(top, bottom + 1), range(left, right + 1)):
            if position in cells and cells[position].formula is None:
                yield position


def _patched_cell(match: re.Match[str], value: Value, where: str) -> str:
    kind, body = _encoded(value, match["f"] is not None, where)
    others = _ATTRIBUTE.sub(lambda found: "" if found[1] in ("t", "vm") else found[0], match["attrs"])
    head = f'<c{others} t="{kind}"' if kind else f"<c{others}"
    text, head_end = match.string, match.end("attrs")
    if match["open"] is None:
        space = text[head_end : match.end() - 2]
        return f"{head}{space}>{body}</c>" if body else f"{head}{space}/>"
    after = match.end("open" if match["f"] is None else "f")
    start, end = match.span("value") if match["value"] else (after, after)
    return head + text[head_end:start] + body + text[end : match.end()]


def _encoded(value: Value, is_formula: bool, where: str) -> tuple[str, str]:
    """(t, XML) of a value; a constant string is inline, so that it can never become a formula."""
    if value is None:
        return "", ""
    if isinstance(value, bool):
        return "b", f"<v>{value:d}</v>"
    if isinstance(value, int | Decimal):
        return "", f"<v>{_plain(Decimal(value))}</v>"
    text = _ILLEGAL.sub("", value)
    if len(text.encode("utf-16-le")) > 2 * MAX_TEXT:
        message = f"文字超过 {MAX_TEXT} 个字符，单元格放不下"
        raise WorkbookRefused("E-BOOK-LONG-TEXT", message, where=where, remedy="请缩短文字")
    xml = _NEEDS_ESCAPE.sub("_x005F_", text).translate(_ENTITIES)
    space = "" if text == text.strip() else ' xml:space="preserve"'
    if is_formula:
        return "str", f"<v{space}>{xml}</v>"
    return "inlineStr", f"<is><t{space}>{xml}</t></is>"


def _plain(number: Decimal) -> str:
    """Decimal digits without an exponent; ValueError for what no cell can hold."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or number.adjusted() > 307 or exponent < -400:
        raise ValueError(f"单元格放不下数字 {number}")
    return format(number or Decimal(0), "f")
