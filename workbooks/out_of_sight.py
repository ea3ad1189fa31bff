"""What a filled workbook holds that no one sees: hidden rows and columns, text in the colour of its cell, ``;;;``.

A person who looks at a table must see what is computed from it. Styles are judged once for each styles part, and cells
are looked at only where a style or a sheet's own layout hides something: most files end with that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape

from workbooks.files.cellxml import Position, RawCell, cells, column_letters
from workbooks.files.rawbook import Area, RawBook
from workbooks.files.rawxml import ATTRIBUTES, attributes
from workbooks.files.remembered import Remembered
from workbooks.record import ReadBook
from xlcalc.results.outcome import Finding

HIDDEN_COLUMNS = frozenset({"fill_finding_where", "fill_finding_link", "fill_finding_mark", "t_level_code"})
HIDDEN_ROWS = frozenset({"fill_steps_basis"})
"""Ports whose columns and rows our own templates hide; nothing is typed there."""

_MOST_NAMED = 200
_LAST_COLUMN = 16_384
_WHITE, _BLACK = "FFFFFF", "000000"
_INDEXED = {"0": _BLACK, "1": _WHITE, "8": _BLACK, "9": _WHITE, "64": _BLACK, "65": _WHITE}
_THEMES = {"0": _WHITE, "1": _BLACK}
_NEAR = 8
"""Steps of 256 by which two shades may differ and still look the same."""

_HIDING = re.compile(r"\bhidden\s*=\s*[\"'](?:1|true)[\"']|\b(?:ht|width)\s*=\s*[\"']0(?:\.\d*)?[\"']")
_ROW_WORDS = ("hidden", ' ht="0', " ht='0")
_COLUMN = re.compile(rf"<col({ATTRIBUTES})\s*/?>")
_ROW = re.compile(rf"<row({ATTRIBUTES})\s*/?>")
_FORMAT = re.compile(rf"<numFmt({ATTRIBUTES})\s*/?>")
_XF = re.compile(rf"<xf({ATTRIBUTES})\s*/?>")
_TEXT = re.compile(rf"<color({ATTRIBUTES})\s*/?>")
_GROUND = re.compile(rf"<fgColor({ATTRIBUTES})\s*/?>")
_PATTERN = re.compile(r"patternType\s*=\s*[\"'](\w+)")
_IN_WHITE = re.compile(r"(?i)\[(?:white|白色)\]")
_SHOWS_NOTHING = re.compile(r'""|\[[^\]]*\]|\s')


@dataclass(frozen=True)
class _Styles:
    """The numbers of cell formats that hide what a cell holds: by its colour, by a format, by one of numbers alone."""

    colour: frozenset[int]
    blank: frozenset[int]
    blank_numbers: frozenset[int]


_seen: Remembered[bytes, _Styles] = Remembered(2_000_000)


def out_of_sight(read: ReadBook) -> list[Finding]:
    """A finding for each way of hiding and each visible sheet, where cells with content are hidden from view.

    What the template itself hides is not named. Codes: ``E-BOOK-HIDDEN`` (a sheet to fill in), ``E-BOOK-HIDDEN-ROWS``,
    ``E-BOOK-HIDDEN-COLUMNS``, ``E-BOOK-INVISIBLE`` (text in the colour of its cell), ``E-BOOK-NO-DISPLAY`` (a number
    format that shows nothing).
    """
    styles = _styles(read.book)
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
            if info.part.lower() in read.book.package.measure.hiding:
                data = text.find("<sheetData")
                found += _rows(read, info.name, text, data)
                found += _columns(read, info.name, text, data)
            found += _styled(read.book, info.name, text, styles)
    return found


def _rows(read: ReadBook, sheet: str, text: str, data: int) -> Iterator[Finding]:
    hidden, number = set(), 0
    # A search for words costs a tenth of one for a pattern, and the findings' own sheet hides columns only.
    for match in _ROW.finditer(text, data) if any(text.find(word, data) >= 0 for word in _ROW_WORDS) else ():
        number = _whole(attributes(match[1]).get("r"), number + 1)
        if _HIDING.search(match[1]):
            hidden.add(number)
    for first, last in _areas(read, HIDDEN_ROWS, sheet):
        hidden -= set(range(first[0], last[0] + 1))
    holding = {row for row, _ in _held(read.book, sheet) if row in hidden} if hidden else set()
    records = {record.row for record in read.records if record.row and record.where.startswith(f"{sheet}!")}
    if paid := sorted(holding & records):
        message = f"第 {_listed(paid)} 行被隐藏或筛去，其中的企业照常核算。请取消隐藏后核对"
        yield Finding("E-BOOK-HIDDEN-ROWS", "warn", message, None, f"{sheet}!A{paid[0]}")
    elif holding:
        message = f"工作表“{sheet}”第 {_listed(sorted(holding))} 行被隐藏，其中有内容"
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


def _styled(book: RawBook, sheet: str, text: str, styles: _Styles) -> Iterator[Finding]:
    wanted = styles.colour | styles.blank | styles.blank_numbers
    if not wanted:
        return
    held = _held(book, sheet)
    coloured, blank = [], []
    for place, _, match in cells(text):
        number = _whole(attributes(match["attrs"]).get("s"), 0)
        if number not in wanted or place not in held:
            continue
        cell = held[place]
        if number in styles.colour:
            coloured.append(cell.ref)
        if number in styles.blank or (number in styles.blank_numbers and cell.kind == "number"):
            blank.append(cell.ref)
    for code, what, refs in (
        ("E-BOOK-INVISIBLE", "文字与底色相同，看不出来", coloured),
        ("E-BOOK-NO-DISPLAY", "数字格式（如 ;;;）使内容不显示", blank),
    ):
        if refs:
            message = f"工作表“{sheet}”有 {len(refs)} 格{what}（{_listed(refs)}）"
            yield _finding(code, message, f"{sheet}!{refs[0]}")


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


# --- styles


def _styles(book: RawBook) -> _Styles:
    if "xl/styles.xml" not in book.package:
        return _Styles(frozenset(), frozenset(), frozenset())
    data = book.package.read("xl/styles.xml")
    found = _seen.get(data)
    if found is None:
        found = _judged(data.decode("utf-8", "replace"))
        _seen.put(data, found)
    return found


def _judged(text: str) -> _Styles:
    """What formats of cells hide, as far as it can be told without the theme's own colours.

    Of those only white, black and two that are the same are known.
    """
    fonts = [_colour(_TEXT, piece, _BLACK) for piece in _pieces(text, "font")]
    fills = [_ground(piece) for piece in _pieces(text, "fill")]
    formats = [attributes(match[1]) for match in _FORMAT.finditer(_section(text, "numFmts"))]
    codes = {given.get("numFmtId", ""): unescape(given.get("formatCode", "")) for given in formats}
    colour: set[int] = set()
    blank: set[int] = set()
    blank_numbers: set[int] = set()
    for number, match in enumerate(_XF.finditer(_section(text, "cellXfs"))):
        given = attributes(match[1])
        code = codes.get(given.get("numFmtId", ""), "")
        font, fill = _at(fonts, given.get("fontId")), _at(fills, given.get("fillId"))
        if _alike(font, fill) or (_alike(_WHITE, fill) and _IN_WHITE.search(code)):
            colour.add(number)
        shown = _SHOWS_NOTHING.sub("", code)
        if code and not shown.strip(";"):
            # Three semicolons hide texts too; fewer hide numbers alone.
            (blank if len(shown) > 2 else blank_numbers).add(number)
    return _Styles(frozenset(colour), frozenset(blank), frozenset(blank_numbers))


def _section(text: str, name: str) -> str:
    start = text.find(f"<{name}")
    end = text.find(f"</{name}", start)
    return text[start:end] if 0 <= start < end else ""


def _pieces(text: str, tag: str) -> list[str]:
    """Each element of a list of fonts or fills, to where the next begins."""
    return [piece for piece in _section(text, f"{tag}s").split(f"<{tag}")[1:] if piece[:1] != "s"]


def _at(found: list[str | None], number: str | None) -> str | None:
    place = _whole(number, 0)
    return found[place] if place < len(found) else None


def _colour(pattern: re.Pattern[str], text: str, usual: str) -> str | None:
    """Six digits, or the attributes as written where only the theme could say; ``usual`` where none is given."""
    match = pattern.search(text)
    given = attributes(match[1]) if match else {}
    if not given or "auto" in given:
        return usual
    if "rgb" in given:
        return given["rgb"][-6:].upper()
    known = _INDEXED if "indexed" in given else {} if given.get("tint", "").strip("-0.") else _THEMES
    return known.get(given.get("indexed", given.get("theme", "")), repr(sorted(given.items())))


def _ground(text: str) -> str | None:
    """The colour behind the text; None where it is no plain one."""
    kind = _PATTERN.search(text)
    if kind is None or kind[1] == "none":
        return None if "gradientFill" in text else _WHITE
    return _colour(_GROUND, text, _WHITE) if kind[1] == "solid" else None


def _alike(one: str | None, other: str | None) -> bool:
    """Whether two colours look the same."""
    if one is None or other is None or not all(re.fullmatch("[0-9A-F]{6}", colour) for colour in (one, other)):
        return one is not None and one == other
    return all(abs(int(one[at : at + 2], 16) - int(other[at : at + 2], 16)) <= _NEAR for at in (0, 2, 4))
