"""One cell of sheet XML: the strict grammar, what a cell says, and how it is written anew.

Every character of a sheet's data has to be accounted for; what the grammar does not know is a ValueError, because
guessing would mean reading a cell that Excel shows differently.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple, Protocol

from workbooks.files.rawxml import (
    ATTRIBUTE,
    ATTRIBUTES,
    ErrorValue,
    Value,
    attributes,
    cell_string,
    check_limit,
    encoded,
    runs_text,
    unescaped,
)

Kind = Literal["empty", "number", "text", "bool", "error"]
Position = tuple[int, int]

MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
MAX_CELLS, MAX_ARRAY_CELLS = 1_200_000, 2_000_000

_F = rf"<f(?P<fattrs>{ATTRIBUTES})\s*(?:/>|>(?P<ftext>[^<]*)</f\s*>)"
_V = rf"<v{ATTRIBUTES}\s*(?:/>|>(?P<vtext>[^<]*)</v\s*>)"
_IS = rf"<is{ATTRIBUTES}\s*(?:/>|>(?>(?P<runs>.*?)</is\s*>))"
_BODY = rf"\s*(?P<f>{_F})?\s*(?P<value>{_V}|(?P<is>{_IS}))?\s*"
_C = rf"<c(?P<attrs>{ATTRIBUTES})\s*(?:/>|(?P<open>>){_BODY}</c\s*>)"
CELL = re.compile(_C, re.DOTALL)
TOKEN = re.compile(
    rf"\s*+(?:(?P<c>{_C})|<row(?P<row>{ATTRIBUTES})\s*(?P<closed>/?)>|(?P<endrow></row\s*>)|(?P<end></sheetData\s*>))",
    re.DOTALL,
)
SHEET_DATA = re.compile(rf"<sheetData{ATTRIBUTES}\s*(/?)>")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_REF = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


class Strings(Protocol):
    """The shared strings of a file."""

    def __getitem__(self, index: int) -> str: ...  # noqa: D105


class RawCell(NamedTuple):
    """One cell as stored; formula is None for a constant and "" for a follower or array member."""

    ref: str
    kind: Kind
    text: str
    formula: str | None


@functools.cache
def column_letters(n: int) -> str:
    """``28`` → ``AB``."""
    letters = ""
    while n > 0:
        n, digit = divmod(n - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


@functools.lru_cache(maxsize=20_000)
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


@functools.lru_cache(maxsize=20_000)
def make_ref(row: int, column: int) -> str:
    """``(12, 28)`` → ``AB12``."""
    return f"{column_letters(column)}{row}"


def cells(text: str) -> Iterator[tuple[Position, str, re.Match[str]]]:
    """(position, t, match) of every cell in file order, every character between them accounted for."""
    opening = SHEET_DATA.search(text)
    if opening is None or text.count("<sheetData") != 1:
        raise ValueError("不是普通工作表，或标签带前缀")
    position, inside, row, column = opening.end(), False, 0, 0
    while not opening[1]:
        match = TOKEN.match(text, position)
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


def content(match: re.Match[str], kind: str, strings: Strings) -> tuple[Kind, str]:
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


def formula(match: re.Match[str], arrays: list[str]) -> str | None:
    """The formula's text; the range of an array or data table is added to ``arrays``."""
    if match["f"] is None:
        return None
    given = attributes(match["fattrs"]) if match["fattrs"] else {}
    if given.get("t") in ("array", "dataTable") and ":" in given.get("ref", ""):
        arrays.append(given["ref"])
    return unescaped(match["ftext"] or "")


def array_members(arrays: list[str], known: Mapping[Position, RawCell], name: str) -> Iterator[Position]:
    """The cells that only show a part of an array formula beside them."""
    total = 0
    for area in arrays:
        (top, left), (bottom, right) = map(parse_ref, area.split(":", 1))
        total += (bottom - top + 1) * (right - left + 1)
        check_limit(total, MAX_ARRAY_CELLS, "数组公式区域的单元格", name)
        for position in itertools.product(range(top, bottom + 1), range(left, right + 1)):
            if position in known and known[position].formula is None:
                yield position


def says(cell: RawCell, value: Value) -> bool:
    """Whether a cell already holds a value, so that it may stay as it is to the last character."""
    if isinstance(value, ErrorValue):
        return cell.kind == "error" and cell.text == value
    if isinstance(value, str):
        return cell.text == value and (cell.kind == "text" or (cell.kind == "empty" and cell.formula is None))
    if value is None:
        return cell.kind == "empty"
    if isinstance(value, bool):
        return cell.kind == "bool" and cell.text == f"{value:d}"
    return cell.kind == "number" and cell.text == str(value)


class Frame(NamedTuple):
    """What of a cell stays when its value changes: before its type, between type and value, behind the value."""

    head: str
    middle: str
    tail: str
    is_formula: bool
    is_open: bool


def frame_of(match: re.Match[str]) -> Frame:
    """The cell without its t, v and is."""
    others = ATTRIBUTE.sub(lambda found: "" if found[1] in ("t", "vm") else found[0], match["attrs"])
    text, head_end = match.string, match.end("attrs")
    if match["open"] is None:
        return Frame(f"<c{others}", text[head_end : match.end() - 2], "</c>", False, False)
    after = match.end("open" if match["f"] is None else "f")
    start, end = match.span("value") if match["value"] else (after, after)
    return Frame(f"<c{others}", text[head_end:start], text[end : match.end()], match["f"] is not None, True)


def patched_cell(frame: Frame, value: Value, where: str) -> str:
    """The cell with another value; outside its t, v and is, not a character differs."""
    kind, body = encoded(value, frame.is_formula, where)
    head = f'{frame.head} t="{kind}"' if kind else frame.head
    if frame.is_open:
        return head + frame.middle + body + frame.tail
    return f"{head}{frame.middle}>{body}</c>" if body else f"{head}{frame.middle}/>"
