"""Tables that are not ours: found in a workbook, a text file or among pasted cells, and read as records.

Nothing is opened by a library: workbooks go through the same checked package and raw reader as our own, text files
through ``csv``. Cached values of formulas are used for headings only.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from workbooks.building.table_header import Column, Grid, Header, find_header
from workbooks.files.cellread import CellReader
from workbooks.files.cellxml import Position, RawCell, make_ref, parse_ref
from workbooks.files.package import Package, read_file
from workbooks.files.rawbook import Area, RawBook
from workbooks.files.rawxml import ATTRIBUTES, MAX_TEXT, attributes, check_limit, dialect, elements, section, xml_text
from workbooks.merging.column_mapping import NOTHING_TOLD, Proposal, Target, Told, grade, plain_heading, propose
from workbooks.ports import Place, cell_at
from workbooks.record import Record
from workbooks.summary.reader import answered_options, yes_or_no
from xlcalc.errors import WorkbookRefused
from xlcalc.results.outcome import Finding
from xlcalc.values.text import normalise, squeeze
from xlcalc.values.uscc import is_damaged_uscc

TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
_DELIMITERS = {",": "逗号", "\t": "制表符", ";": "分号"}
_MOST_TEXT_CELLS = 400_000
_QUOTED_AS_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
_MERGE = re.compile(rf"\s*+<mergeCell({ATTRIBUTES})\s*(?:/>|>\s*</mergeCell\s*>)")
_CLOSING = re.compile(r"合计|总计|小计|共计|注|说明|备注|填表|制表|审核|经办|单位负责人|联系电话")
_ONLY_CLOSING = re.compile(r"(?:合计|总计|小计|共计)(?:[(:].*)?|(?:填表|制表|审核|经办|联系)(?:人|日期|电话):.*|注:.*")
_FORM_ROWS = 10


@dataclass
class ForeignTable:
    """One table: where it stands, what its columns are taken for. file: the name a person knows the file by."""

    file: str
    book: RawBook
    grid: Grid
    header: Header
    proposals: list[Proposal]
    findings: list[Finding] = field(default_factory=list)

    @property
    def where(self) -> str:
        """``Sheet1!A3``: where its heading begins."""
        return str(Place(self.grid.name, self.header.first, self.header.columns[0].number))

    @property
    def example(self) -> str:
        """Where a person finds the heading again: file, sheet and cell."""
        return f"{self.file} {self.where}"

    def heading_cell(self, column: Column) -> str:
        """``Sheet1!C4``: the last cell of a column's heading."""
        return str(Place(self.grid.name, self.header.last, column.number))

    @property
    def questions(self) -> list[str]:
        """What has to be settled before its rows can be read."""
        asked = [item.question for item in self.proposals if item.question]
        if not any(item.target and item.target.identifies for item in self.proposals):
            asked.append("没有企业名称或统一社会信用代码的列，请指定")
        return asked

    def settle(self, targets: Sequence[Target], told: Told) -> None:
        """Proposes anew with the answers of a person."""
        self.proposals = propose(self.header.columns, targets, self.header.unit, told)


class _TextBook:
    """A text file's cells in the place of a workbook's, as far as ``CellReader`` looks."""

    date1904 = False

    def __init__(self, cells: dict[Position, RawCell]) -> None:
        self.cells = cells

    def sheet(self, _: str) -> _TextBook:
        """The one sheet there is."""
        return self


def is_foreign(path: Path) -> bool:
    """Whether a file is someone else's table: a text file, or a workbook without the mark of our templates."""
    return path.suffix.lower() in TEXT_SUFFIXES or RawBook(Package.open(path)).resolve("xlcalc_template") is None


def read_tables(
    path: Path, targets: Sequence[Target], told: Told = NOTHING_TOLD
) -> tuple[list[ForeignTable], list[Finding]]:
    """The tables in a file, with findings about the file; raises WorkbookRefused for one without any.

    targets: the columns of the form they are read for.
    """
    if path.suffix.lower() in TEXT_SUFFIXES:
        return _from_text(path, targets, told)
    try:
        package = Package.open(path)
        return tables_in(path.name, RawBook(package), targets, told), _about(package)
    except WorkbookRefused as refusal:
        raise refusal if refusal.where and path.name in refusal.where else refusal.at(path.name) from None


def tables_in(
    file: str, book: RawBook, targets: Sequence[Target], told: Told = NOTHING_TOLD, leave: Sequence[str] = ()
) -> list[ForeignTable]:
    """The tables on the visible sheets of a workbook but those to be left; refused where there is none at all."""
    tables, without = [], []
    for info in book.sheets:
        if info.name in leave or info.state != "visible":
            continue
        merges = _merges(xml_text(book.package, info.part), info.name)
        table = _table(file, book, Grid(info.name, book.sheet(info.name).cells, merges), targets, told)
        tables += [table] if table else []
        without += [] if table else [info.name]
    if not tables and not leave:
        raise _no_heading("、".join(without))
    hidden = "、".join(info.name for info in book.sheets if info.state != "visible" and info.name not in leave)
    if hidden and tables:
        tables[0].findings.append(Finding("E-TABLE-HIDDEN", "warn", f"隐藏的工作表未读取：{hidden}。需要的请取消隐藏"))
    if without and tables and not leave:
        message = f"工作表 {'、'.join(without)} 中没有可识别的表头，未读取"
        tables[0].findings.append(Finding("E-TABLE-HEADING", "info", message))
    return tables


def headed_row(book: RawBook, sheet: str, first: int, targets: Sequence[Target]) -> int | None:
    """The first row, from one on, that holds two or more known headings: where a whole table has been pasted."""
    known = frozenset().union(*(target.words | target.aliases for target in targets))
    seen: dict[int, int] = {}
    for (row, _), cell in book.sheet(sheet).cells.items():
        if row >= first and cell.formula is None and cell.kind == "text" and plain_heading(cell.text) in known:
            seen[row] = seen.get(row, 0) + 1
    return min((row for row, count in seen.items() if count >= 2), default=None)


def pasted_table(
    file: str, book: RawBook, sheet: str, first: int, targets: Sequence[Target], told: Told = NOTHING_TOLD
) -> ForeignTable | None:
    """A table pasted with its heading among the rows of a form, from a row on; None where there is no heading."""
    return _table(file, book, Grid(sheet, book.sheet(sheet).cells, (), first), targets, told)


def _table(file: str, book: RawBook, grid: Grid, targets: Sequence[Target], told: Told) -> ForeignTable | None:
    header = find_header(grid, lambda column: grade(column, targets))
    if header is None:
        return None
    table = ForeignTable(file, book, grid, header, propose(header.columns, targets, header.unit, told))
    return None if _is_questionnaire(table, targets) else table


def _is_questionnaire(table: ForeignTable, targets: Sequence[Target]) -> bool:
    """A form of one enterprise: below one label stands the next, not a value."""
    known = frozenset().union(*(target.words | target.aliases for target in targets))
    over = {
        column.parts[0] for column in table.header.columns
        if len(column.parts) > 1 and all(plain_heading(part) in known for part in column.parts)
    }  # fmt: skip
    columns = [item.column.number for item in table.proposals if item.target and item.target.identifies]
    rows = [row for row in sorted(table.grid.rows) if row > table.header.last and not _repeats_heading(table, row)]
    below = any(plain_heading(table.grid.text(row, column)) in known for row in rows[:_FORM_ROWS] for column in columns)
    return below or len(over) > 1


def _no_heading(where: str) -> WorkbookRefused:
    return WorkbookRefused(
        "E-TABLE-HEADING",
        "找不到表头：前几十行里没有一行含有两个以上可识别的列名（如企业名称、统一社会信用代码）",
        where=where,
        remedy="请在数据上方补一行列名，或把数据填入本系统的模板",
    )


def _merges(text: str, name: str) -> list[Area]:
    try:
        refs = [attributes(match[1]).get("ref", "") for match in elements(_MERGE, section(text, "mergeCells"))]
        areas = []
        for ref in refs:
            first, _, last = ref.partition(":")
            (top, left), (bottom, right) = parse_ref(first), parse_ref(last or first)
            areas.append(Area(name, top, left, bottom, right))
    except ValueError as error:
        raise dialect(str(error), name) from None
    return areas


def _about(package: Package) -> list[Finding]:
    parts = {
        "宏": package.has_macros, "外部链接": bool(package.external_links),
        "嵌入的对象或控件": package.has_ole, "数据连接": package.has_connections,
    }  # fmt: skip
    held = "、".join(what for what, there in parts.items() if there)
    if not held:
        return []
    message = f"文件含有{held}，未执行、未读取。请核对文件来源"
    return [Finding("E-BOOK-ACTIVE", "warn", message)]


# --- text files


def _from_text(path: Path, targets: Sequence[Target], told: Told) -> tuple[list[ForeignTable], list[Finding]]:
    try:
        text, encoding = _decoded(read_file(path))
        rows, delimiter = _cells_of_text(text)
    except WorkbookRefused as refusal:
        raise refusal.at(path.name) from None
    name = path.stem[:31]
    cells = {
        (row, column): _text_cell(row, column, value)
        for row, line in enumerate(rows, 1)
        for column, value in enumerate(line, 1)
        if value
    }
    book = cast(RawBook, _TextBook(cells))
    table = _table(path.name, book, Grid(name, cells, None), targets, told)
    if table is None:
        raise _no_heading(path.name)
    message = f"文字表格按 {encoding} 编码、{_DELIMITERS[delimiter]}分隔读取。如有乱码或错列，请另存为 .xlsx 再交"
    return [table], [Finding("E-CSV-READ", "info", message)]


def _decoded(data: bytes) -> tuple[str, str]:
    """The text and the encoding it was taken for; UTF-8 where the bytes are valid UTF-8, else GB 18030."""
    if data.startswith(b"PK\x03\x04") or b"\x00" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        message = "扩展名是文字表格，内容却不是"
        raise WorkbookRefused("E-CSV-CONTENT", message, remedy="请用 Excel 或 WPS 另存为 .xlsx 后重新提交")
    named = ("UTF-16", "utf-16") if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("UTF-8", "utf-8-sig")
    for shown, codec in (named, ("GB18030（含GBK）", "gb18030")):
        try:
            return data.decode(codec), shown
        except UnicodeDecodeError:
            continue
    raise WorkbookRefused(
        "E-CSV-ENCODING", "既不是 UTF-8，也不是 GBK/GB18030 编码", remedy="请用 Excel 或 WPS 打开后另存为 .xlsx"
    )


def _cells_of_text(text: str) -> tuple[list[list[str]], str]:
    head = "".join(text.splitlines(keepends=True)[:30])
    delimiter = max(_DELIMITERS, key=head.count)
    rows, count = [], 0
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            count += len(line)
            check_limit(count, _MOST_TEXT_CELLS, "单元格", "")
            if any(len(value) > MAX_TEXT for value in line):
                raise csv.Error
            rows.append(line)
    except csv.Error:
        message = "有一格过长，或引号不成对"
        raise WorkbookRefused("E-CSV-CONTENT", message, remedy="请用 Excel 或 WPS 打开核对后另存为 .xlsx") from None
    return rows, delimiter


def _text_cell(row: int, column: int, value: str) -> RawCell:
    """Everything is text; ``="0012"`` is how programs keep text as text, any other = is a formula."""
    quoted = _QUOTED_AS_FORMULA.fullmatch(value.strip())
    if quoted:
        value = quoted[1].replace('""', '"')
    is_formula = not quoted and value.lstrip().startswith("=")
    return RawCell(make_ref(row, column), "text", value, value.strip()[1:] if is_formula else None)


# --- rows


def read_rows(table: ForeignTable) -> list[Record]:
    """A record for every row in which a wanted column holds something; what is passed over is said.

    Findings name ``sheet!cell``. Facts of columns whose unit nobody has said are not read.
    """
    wanted = [item for item in table.proposals if item.target and not item.question]
    identifying = [item.column.number for item in wanted if item.target and item.target.identifies]
    reader = CellReader(table.book)
    records, passed = [], []
    for row in sorted(row for row in table.grid.rows if row > table.header.last):
        cells = table.grid.rows[row]
        if not any(item.column.number in cells for item in wanted) or _repeats_heading(table, row):
            continue
        if _is_numbering(cells) or _is_closing(cells, identifying):
            passed.append(row)
            continue
        records.append(_record(table, reader, wanted, row))
    if passed:
        message = f"第 {'、'.join(map(str, passed))} 行是列号、合计或落款，未作为企业读取。如是企业请改正首格"
        table.findings.append(
            Finding("E-TABLE-PASSED", "info", message, None, str(Place(table.grid.name, passed[0], 1)))
        )
    return records


def _repeats_heading(table: ForeignTable, row: int) -> bool:
    """The heading again, as on every page of a printed list."""
    shown = [table.grid.text(row, column.number) for column in table.header.columns]
    heading = [table.grid.text(table.header.last, column.number) for column in table.header.columns]
    return shown == heading


def _is_numbering(cells: dict[int, RawCell]) -> bool:
    """The row 1 2 3 4 under a heading."""
    texts = [normalise(cell.text).strip("()") for _, cell in sorted(cells.items())]
    return len(texts) > 2 and texts in ([str(n) for n in range(start, start + len(texts))] for start in (0, 1))


def _is_closing(cells: dict[int, RawCell], identifying: Sequence[int]) -> bool:
    """A row of sums, a note or a signature line: its first text says so, and it names no enterprise."""
    first = squeeze(cells[min(cells)].text)
    named = any(column in cells for column in identifying)
    return (_ONLY_CLOSING.fullmatch(first) if named else _CLOSING.match(first)) is not None


def _record(table: ForeignTable, reader: CellReader, wanted: Sequence[Proposal], row: int) -> Record:
    facts: dict[str, Any] = {}
    facts_at: dict[str, str] = {}
    ticked: dict[str, dict[str, bool | None]] = {}
    start = len(reader.findings)
    for item in wanted:
        target = item.target
        assert target is not None
        place = Place(table.grid.name, row, item.column.number)
        facts_at.setdefault(target.fact.id, str(place))
        holder = table.grid.covered.get((row, item.column.number))
        if holder is not None and holder != (row, item.column.number):
            message = f"{target.label}：单元格与别的行列合并，只有首格有内容"
            reader.problem("E-TABLE-MERGED", message, "请取消合并，逐行填写", place, target.fact.id)
        elif target.option is not None:
            word = yes_or_no(reader, place, target.label, target.fact.id)
            ticked.setdefault(target.fact.id, {})[target.option] = word
        elif (value := _value(reader, place, target, item.unit)) not in (None, ""):
            facts[target.fact.id] = value
    facts |= answered_options(ticked)
    findings = reader.findings[start:]
    del reader.findings[start:]
    key = str(facts.get("uscc") or f"第{row}行")
    return Record(key, f"{table.grid.name}!A{row}", facts, findings, facts_at=facts_at, row=row)


def _value(reader: CellReader, place: Place, target: Target, unit: str | None) -> Any:
    """The fact at a place; a code a spreadsheet has cut off is none."""
    start = len(reader.findings)
    value = reader.fact(place, target.fact, unit)
    cell = cell_at(reader.book, place)
    if target.fact.type == "money" and not re.search("[元万]", cell.text):
        # That our formulas do not count an amount written as text concerns only our own tables.
        reader.findings[start:] = [item for item in reader.findings[start:] if item.code != "E-AMOUNT-TEXT"]
    if target.fact.type == "uscc" and value and (cell.kind == "number" or is_damaged_uscc(value)):
        del reader.findings[start:]
        message = f"{target.label}“{cell.text[:24]}”是按数字保存的，末几位已丢失，不能用来认定企业"
        remedy = "请把该列设为文本格式，按营业执照重新填写18位代码"
        reader.problem("E-USCC-DAMAGED", message, remedy, place, target.fact.id)
        return None
    return value
