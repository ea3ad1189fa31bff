"""What a filled workbook holds that no one sees: hidden rows and columns, text in the colour of its cell, ``;;;``.

A person who looks at a table must see what is computed from it. Cells are looked at only where a style (see
``invisible``) or a sheet's own layout hides something: most files end with that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from workbooks.files.cellxml import Position, RawCell, cells, column_letters
from workbooks.files.rawbook import Area, RawBook
from workbooks.files.rawxml import ATTRIBUTES, attributes
from workbooks.invisible import Rule, Styles, styles_of
from workbooks.record import ReadBook
from xlcalc.results.outcome import Finding

HIDDEN_COLUMNS = frozenset({"fill_finding_where", "fill_finding_link", "fill_finding_mark", "t_level_code"})
HIDDEN_ROWS = frozenset({"fill_steps_basis"})
"""Ports whose columns and rows our own templates hide; nothing is typed there."""

_MOST_NAMED = 200
_LAST_COLUMN = 16_384
_HIDING = re.compile(
    r"\bhidden\s*=\s*[\"'](?:1|true)[\"']|\bwidth\s*=\s*[\"']0?(?:\.\d*)?[\"']"
    r"|\bht\s*=\s*[\"'](?:[0-2]?(?:\.\d*)?|3(?:\.0*)?)[\"']"
)
_LOW_ROW = re.compile(r" ht\s*=\s*[\"'](?:[0-2]?[.\"']|3[.\"'])")
_USUAL_HEIGHT = re.compile(rf"<sheetFormatPr({ATTRIBUTES})\s*/?>")
_COLUMN = re.compile(rf"<col({ATTRIBUTES})\s*/?>")
_ROW = re.compile(rf"<row({ATTRIBUTES})\s*/?>")


def out_of_sight(read: ReadBook) -> list[Finding]:
    """A finding for each way of hiding and each visible sheet, where cells with content are hidden from view.

    What the template itself hides is not named. Codes: ``E-BOOK-HIDDEN`` (a sheet to fill in), ``E-BOOK-HIDDEN-ROWS``
    (also rows no higher than 3 points), ``E-BOOK-HIDDEN-COLUMNS``, ``E-BOOK-INVISIBLE`` (text in the colour of its
    cell, by the cell's own or a conditional format, or of at most 2 points), ``E-BOOK-NO-DISPLAY`` (a format that
    shows nothing).
    """
    styles = styles_of(read.book)
    filled_in = {
        area.sheet for port in read.manifest.ports if port.direction == "in" and (area := _area(read, port.name))
    }
    found: list[Finding] = []
    for info in read.book.sheets:
        if info.state != "visible" and info.name in filled_in:
            message = f"填写用的工作表“{info.name}”被隐藏，其中的内容照常核算。请取消隐藏后核对"
            found.append(Finding("E-BOOK-HIDDEN", "warn", message, None, f"{info.name}!A1"))
        if info.state == "visible":
            text = read.book.sheet(info.name).text
            data = max(text.find("<sheetData"), 0)
            is_low = _is_low(text[:data])
            if is_low or info.part.lower() in read.book.package.measure.hiding:
                found += _rows(read, info.name, text, data, is_low=is_low)
                found += _columns(read, info.name, text, data)
            found += _styled(read.book, info.name, text, styles)
            found += _ruled(read.book, info.name, text, list(styles.hiding_rules(text)))
    return found


def _is_low(head: str) -> bool:
    """Whether the rows of a sheet that give no height of their own are too low to read."""
    match = _USUAL_HEIGHT.search(head)
    usual = attributes(match[1]).get("defaultRowHeight", "") if match else ""
    return bool(usual) and _HIDING.search(f'ht="{usual}"') is not None


def _rows(read: ReadBook, sheet: str, text: str, data: int, *, is_low: bool) -> Iterator[Finding]:
    hidden, number = set(), 0
    # A search for a word costs a tenth of one for a pattern, and the findings' own sheet hides columns only.
    looked_at = is_low or text.find("hidden", data) >= 0 or _LOW_ROW.search(text, data)
    for match in _ROW.finditer(text, data) if looked_at else ():
        number = _whole(attributes(match[1]).get("r"), number + 1)
        if _HIDING.search(match[1]) or (is_low and " ht" not in match[1]):
            hidden.add(number)
    for first, last in _areas(read, HIDDEN_ROWS, sheet):
        hidden -= set(range(first[0], last[0] + 1))
    holding = {row for row, _ in _held(read.book, sheet) if row in hidden} if hidden else set()
    records = {record.row for record in read.records if record.row and record.where.startswith(f"{sheet}!")}
    if paid := sorted(holding & records):
        message = f"第 {_listed(paid)} 行被隐藏、筛去或压到看不见，其中的企业照常核算。请取消隐藏后核对"
        yield Finding("E-BOOK-HIDDEN-ROWS", "warn", message, None, f"{sheet}!A{paid[0]}")
    elif holding:
        message = f"工作表“{sheet}”第 {_listed(sorted(holding))} 行被隐藏或压到看不见，其中有内容"
        yield _finding("E-BOOK-HIDDEN-ROWS", message, f"{sheet}!A{min(holding)}")


def _columns(read: ReadBook, sheet: str, text: str, data: int) -> Iterator[Finding]:
    hidden: set[int] = set()
    for match in _COLUMN.finditer(text, 0, max(data, 0)):
        if _HIDING.search(match[1]):
            given = attributes(match[1])
            first, last = _whole(given.get("min"), 1), _whole(given.get("max"), 0)
            hidden |= set(range(first, min(last, _LAST_COLUMN) + 1))
    for begin, end in _areas(read, HIDDEN_COLUMNS, sheet) if hidden else ():
        hidden -= set(range(begin[1], end[1] + 1))
    holding = sorted({column for _, column in _held(read.book, sheet) if column in hidden}) if hidden else []
    if holding:
        letters = [column_letters(column) for column in holding]
        message = f"工作表“{sheet}”的 {_listed(letters)} 列被隐藏，其中有内容"
        yield _finding("E-BOOK-HIDDEN-COLUMNS", message, f"{sheet}!{letters[0]}1")


def _styled(book: RawBook, sheet: str, text: str, styles: Styles) -> Iterator[Finding]:
    if not styles.own:
        return
    coloured, tiny, blank = [], [], []
    for cell, number in _held_with_formats(book, sheet, text):
        if number in styles.colour:
            coloured.append(cell.ref)
        if number in styles.tiny:
            tiny.append(cell.ref)
        if number in styles.blank or (number in styles.blank_numbers and cell.kind == "number"):
            blank.append(cell.ref)
    for code, what, refs in (
        ("E-BOOK-INVISIBLE", "文字与底色相同，看不出来", coloured),
        ("E-BOOK-INVISIBLE", "字号过小，看不出来", tiny),
        ("E-BOOK-NO-DISPLAY", "数字格式（如 ;;;）使内容不显示", blank),
    ):
        if refs:
            message = f"工作表“{sheet}”有 {len(refs)} 格{what}（{_listed(refs)}）"
            yield _finding(code, message, f"{sheet}!{refs[0]}")


def _ruled(book: RawBook, sheet: str, text: str, rules: Sequence[Rule]) -> Iterator[Finding]:
    """What conditional formats hide; whether their conditions hold is not asked."""
    refs = [
        cell.ref
        for cell, number in (_held_with_formats(book, sheet, text) if rules else ())
        if any(rule.hides(cell, number) for rule in rules)
    ]
    if refs:
        message = f"工作表“{sheet}”有 {len(refs)} 格的条件格式可使内容看不出来（{_listed(refs)}）"
        yield _finding("E-BOOK-INVISIBLE", message, f"{sheet}!{refs[0]}")


def _held_with_formats(book: RawBook, sheet: str, text: str) -> Iterator[tuple[RawCell, int]]:
    held = _held(book, sheet)
    for place, _, match in cells(text):
        if place in held:
            yield held[place], _whole(attributes(match["attrs"]).get("s"), 0)


def _finding(code: str, message: str, where: str) -> Finding:
    return Finding(code, "warn", f"{message}；属模板填写格的照常读取，其余没有采用。请显示出来核对", None, where)


def _listed(items: Iterable[object]) -> str:
    return "、".join(map(str, items))[:_MOST_NAMED]


def _held(book: RawBook, sheet: str) -> dict[Position, RawCell]:
    """The cells of a sheet that hold something."""
    return {place: cell for place, cell in book.sheet(sheet).cells.items() if cell.text.strip()}


def _areas(read: ReadBook, names: Iterable[str], sheet: str) -> Iterator[tuple[Position, Position]]:
    """First and last cell of ports on a sheet; of a port the workbook does not have, none."""
    for name in names:
        area = _area(read, name)
        if area is not None and area.sheet == sheet:
            yield (area.first_row, area.first_col), (area.last_row, area.last_col)


def _area(read: ReadBook, name: str) -> Area | None:
    return read.book.resolve(name) if name in read.manifest.by_name else None


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else otherwise
