"""What the styles of a workbook hide: text in the colour of its cell or too small to see, formats that show nothing.

Styles are judged once for each styles part. Of the theme's own colours only white, black and two that are the same
are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import NamedTuple, TypeVar

from workbooks.files.cellxml import Position, RawCell, parse_ref
from workbooks.files.rawbook import RawBook
from workbooks.files.rawxml import ATTRIBUTES, attributes
from workbooks.files.remembered import Remembered

_WHITE, _BLACK = "FFFFFF", "000000"
_INDEXED = {"0": _BLACK, "1": _WHITE, "8": _BLACK, "9": _WHITE, "64": _BLACK, "65": _WHITE}
_THEMES = {"0": _WHITE, "1": _BLACK}
_NEAR = 8
"""Steps of 256 by which two shades may differ and still look the same."""
_TINY = 2.0
"""Points of a font that nobody can read."""

_FORMAT = re.compile(rf"<numFmt({ATTRIBUTES})\s*/?>")
_XF = re.compile(rf"<xf({ATTRIBUTES})\s*/?>")
_TEXT = re.compile(rf"<color({ATTRIBUTES})\s*/?>")
_SIZE = re.compile(r"<sz\s+val\s*=\s*[\"']([0-9.]+)")
_GROUND = re.compile(rf"<fgColor({ATTRIBUTES})\s*/?>")
_GROUND_OF_RULE = re.compile(rf"<bgColor({ATTRIBUTES})\s*/?>")
_PATTERN = re.compile(r"patternType\s*=\s*[\"'](\w+)")
_IN_WHITE = re.compile(r"(?i)\[(?:white|白色)\]")
_SHOWS_NOTHING = re.compile(r'""|\[[^\]]*\]|\s')

_RULES = re.compile(
    rf"<(x14:)?conditionalFormatting({ATTRIBUTES})\s*>(.*?)</(?:x14:)?conditionalFormatting\s*>", re.DOTALL
)
_DIFFERENTIAL = re.compile(r"<cfRule\s[^<>]*?\bdxfId\s*=\s*[\"'](\d{1,6})")
_NEWER = re.compile(r"<x14:dxf>(.*?)</x14:dxf>", re.DOTALL)
_PLACES = re.compile(r"<xm:sqref>([^<]*)<")
_NO_VALUE = re.compile(r"\bshowValue\s*=\s*[\"'](?:0|false)[\"']")


_Found = TypeVar("_Found")


class Look(NamedTuple):
    """Colours of a format's text and ground; None where it is no plain colour, of a rule where it says nothing."""

    text: str | None
    ground: str | None


class Rule(NamedTuple):
    """A conditional format that hides: where it applies (corners of areas), which formats' cells, only numbers."""

    areas: tuple[tuple[Position, Position], ...]
    formats: frozenset[int]
    numbers_only: bool

    def hides(self, cell: RawCell, number: int) -> bool:
        """Whether it hides a cell that has the format of this number."""
        if number not in self.formats or (self.numbers_only and cell.kind != "number"):
            return False
        row, column = parse_ref(cell.ref)
        return any(first[0] <= row <= last[0] and first[1] <= column <= last[1] for first, last in self.areas)


@dataclass(frozen=True)
class Styles:
    """The numbers of cell formats that hide what a cell holds, by the way they do; those of differential ones.

    blank_numbers: formats that show nothing of numbers alone. rules: by the number of a rule's format, the cell
    formats under which it hides.
    """

    looks: tuple[Look, ...]
    colour: frozenset[int]
    tiny: frozenset[int]
    blank: frozenset[int]
    blank_numbers: frozenset[int]
    rules: dict[int, frozenset[int]]

    @cached_property
    def own(self) -> frozenset[int]:
        """All that hide by themselves."""
        return self.colour | self.tiny | self.blank | self.blank_numbers

    def hiding_rules(self, text: str) -> Iterator[Rule]:
        """The conditional formats in the XML of a sheet that hide what they apply to, when their condition holds."""
        tail = text[max(text.rfind("</sheetData"), 0) :]
        if not self.rules and "<x14:dxf" not in tail and "showValue" not in tail:
            return
        for match in _RULES.finditer(tail):
            newer, given, said = match.groups()
            places = " ".join(_PLACES.findall(said)) if newer else attributes(given).get("sqref", "")
            formats: set[int] = set()
            for number in _DIFFERENTIAL.findall(said):
                formats |= self.rules.get(int(number), frozenset())
            for piece in _NEWER.findall(said):
                formats |= _hidden_by(piece, self.looks)
            areas = tuple(_areas(places))
            if formats:
                yield Rule(areas, frozenset(formats), numbers_only=False)
            if _NO_VALUE.search(said):
                yield Rule(areas, frozenset(range(len(self.looks))), numbers_only=True)


_NONE = Styles((), frozenset(), frozenset(), frozenset(), frozenset(), {})
_seen: Remembered[bytes, Styles] = Remembered(2_000_000)


def styles_of(book: RawBook) -> Styles:
    """What the styles of a workbook hide."""
    if "xl/styles.xml" not in book.package:
        return _NONE
    data = book.package.read("xl/styles.xml")
    found = _seen.get(data)
    if found is None:
        found = _judged(data.decode("utf-8", "replace"))
        _seen.put(data, found)
    return found


def _judged(text: str) -> Styles:
    pieces = _pieces(text, "font")
    fonts = [_colour(_TEXT, piece, _BLACK) for piece in pieces]
    small = [(size := _SIZE.search(piece)) is not None and _number(size[1]) <= _TINY for piece in pieces]
    fills = [_ground(piece) for piece in _pieces(text, "fill")]
    formats = [attributes(match[1]) for match in _FORMAT.finditer(_section(text, "numFmts"))]
    codes = {given.get("numFmtId", ""): unescape(given.get("formatCode", "")) for given in formats}
    looks: list[Look] = []
    colour, tiny, blank, blank_numbers = set[int](), set[int](), set[int](), set[int]()
    for number, match in enumerate(_XF.finditer(_section(text, "cellXfs"))):
        given = attributes(match[1])
        code = codes.get(given.get("numFmtId", ""), "")
        looks.append(Look(_at(fonts, given.get("fontId")), _at(fills, given.get("fillId"))))
        if _alike(*looks[-1]) or (_alike(_WHITE, looks[-1].ground) and _IN_WHITE.search(code)):
            colour.add(number)
        if _at(small, given.get("fontId")):
            tiny.add(number)
        if _shows_nothing(code):
            blank.add(number)
        elif _shows_no_number(code):
            blank_numbers.add(number)
    rules = {number: _hidden_by(piece, looks) for number, piece in enumerate(_pieces(text, "dxf"))}
    return Styles(
        tuple(looks), frozenset(colour), frozenset(tiny), frozenset(blank), frozenset(blank_numbers),
        {number: hidden for number, hidden in rules.items() if hidden},
    )  # fmt: skip


def _hidden_by(piece: str, looks: list[Look] | tuple[Look, ...]) -> frozenset[int]:
    """The cell formats whose text a rule's format hides; those that hide it themselves are not among them."""
    code = next((attributes(match[1]).get("formatCode", "") for match in _FORMAT.finditer(piece)), "")
    if _shows_nothing(unescape(code)):
        return frozenset(range(len(looks)))
    text = _colour(_TEXT, _section(piece, "font"), None)
    fill = _section(piece, "fill")
    ground = _colour(_GROUND_OF_RULE, fill, _colour(_GROUND, fill, None))
    if text is None and ground is None:
        return frozenset()
    return frozenset(
        number for number, look in enumerate(looks)
        if _alike(text or look.text, ground or look.ground) and not _alike(*look)
    )  # fmt: skip


def _shows_no_number(code: str) -> bool:
    return bool(code) and not _SHOWS_NOTHING.sub("", code).strip(";")


def _shows_nothing(code: str) -> bool:
    """Three semicolons hide texts too; fewer hide numbers alone."""
    return _shows_no_number(code) and len(_SHOWS_NOTHING.sub("", code)) > 2


def _areas(places: str) -> Iterator[tuple[Position, Position]]:
    for place in places.replace("$", "").split():
        first, _, last = place.partition(":")
        try:
            yield parse_ref(first), parse_ref(last or first)
        except ValueError:
            # Whole rows and columns are not written so.
            continue


def _section(text: str, name: str) -> str:
    start = text.find(f"<{name}")
    end = text.find(f"</{name}", start)
    return text[start:end] if 0 <= start < end else ""


def _pieces(text: str, tag: str) -> list[str]:
    """Each element of a list of fonts, fills or rules' formats, to where the next begins."""
    return [piece for piece in _section(text, f"{tag}s").split(f"<{tag}")[1:] if piece[:1] != "s"]


def _at(found: list[_Found], number: str | None) -> _Found | None:
    place = int(number) if number and number.isascii() and number.isdigit() and len(number) < 9 else 0
    return found[place] if place < len(found) else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return _TINY + 1


def _colour(pattern: re.Pattern[str], text: str, usual: str | None) -> str | None:
    """Six digits, or the attributes as written where only the theme could say; ``usual`` where none is given."""
    match = pattern.search(text)
    given = attributes(match[1]) if match else {}
    if "auto" in given:
        return _BLACK if pattern is _TEXT else _WHITE
    if not given:
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
