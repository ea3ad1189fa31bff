"""How much a file may hold, and a streaming count of what it does hold, before any parser sees it.

The parts come in pieces of a bounded size; a count over its limit ends the stream at once, so a bomb costs the
memory of one piece and the time to its limit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import NamedTuple

from workbooks.form import Form
from xlcalc.errors import InputError, WorkbookRefused

MB = 1024 * 1024
PIECE = 256 * 1024
LONGEST = 400 * 1024
"""Bytes between two ``<``. A cell holds 32,767 characters, each written with ten bytes at most."""

_SUSPECT = "请勿打开此文件，并核实来源"
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# Tags as the readers know them: one with a prefix is refused there, whatever it counts.
_COUNTED = re.compile(rb"<(si|xf|row|c|mergeCell|definedName|sheet)[\s/>]")
# A cell that holds something: programs also write empty ones, for their style, far out. First as most write them.
_USUAL_CELL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"[^<>/]*>')
_USUAL_EMPTY_CELL = re.compile(rb'<c r="[A-Z]+[0-9]+"[^<>/]*/>')
_CELL = re.compile(rb"<c\s(?:[^<>]*?\s)?r\s*=\s*[\"']([A-Z]+)0*(\d+)[\"'][^<>]*(?<!/)>")
_MERGE = re.compile(rb"<mergeCell\s(?:[^<>]*?\s)?ref\s*=\s*[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")
_LOCKED = re.compile(rb"<(?:sheet|workbook)Protection\s[^<>]*?(?:[pP]assword|[hH]ashValue)\s*=\s*[\"'][^\"']")

# As programs write it, and as few others would.
_HIDING = re.compile(rb" ht=[\"'](?:[0-2]?[.\"']|3[.\"'])"), re.compile(rb" width=[\"'][0.]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may claim before it is refused; sizes in bytes, max_ratio for parts over 1 MB.

    From ``strings`` on it is what is counted: shared strings, cell formats, merged areas and the cells in them,
    rows and cells, the last row and column that hold something, sheets and names.
    """

    max_file: int = 50 * MB
    max_total: int = 200 * MB
    max_part: int = 100 * MB
    max_entries: int = 2000
    max_ratio: int = 200
    strings: int = 1_000_000
    formats: int = 65_490
    merges: int = 20_000
    merged_cells: int = 4_000_000
    rows: int = 200_000
    cells: int = 1_200_000
    last_row: int = 200_000
    last_column: int = 1_000
    sheets: int = 200
    names: int = 60_000

    def given(self, limits: Mapping[str, int]) -> Limits:
        """These limits with some set otherwise; raises InputError ``E-LIMIT`` for one that does not exist."""
        known = [item.name for item in fields(self)]
        for name, value in limits.items():
            if name not in known or value < 1:
                message = f"没有这个上限，或数值不是正整数：{name}={value}"
                raise InputError("E-LIMIT", message, where=name, remedy=f"可设：{'、'.join(known)}")
        return replace(self, **limits)


DEFAULT_LIMITS = Limits()

# What no filled form of its kind comes near; the lists of a table may be long.
_SHEET = {
    "rows": 2_000, "cells": 100_000, "last_row": 2_000, "last_column": 60,
    "strings": 50_000, "merges": 5_000, "merged_cells": 120_000, "sheets": 60,
}  # fmt: skip
_TABLE = {"rows": 25_000, "last_row": 25_000, "last_column": 120, "strings": 400_000, "sheets": 60}
_OF_KIND = {"recommendation": _TABLE, "summary": _TABLE}


def form_limits(form: Form, given: Mapping[str, int] | None = None) -> Limits:
    """The limits of one template: those of its kind, then those its data names, then those ``given``."""
    own = {**_OF_KIND.get(form.kind, _SHEET), **form.data.get("limits", {})}
    return DEFAULT_LIMITS.given(own).given(given or {})


def tightest(given: Mapping[str, int] | None = None) -> Limits:
    """Limits within which a file passes whatever its template is."""
    return DEFAULT_LIMITS.given(_SHEET).given(given or {})


_LABELS = {
    "strings": "共享字符串", "formats": "单元格样式", "merges": "合并区域", "merged_cells": "合并区域内的单元格",
    "rows": "行", "cells": "单元格", "last_row": "有内容的最末行", "last_column": "有内容的最末列",
    "sheets": "工作表", "names": "定义的名称",
}  # fmt: skip
_PLACES = ("last_row", "last_column")
_FROM_TAG = {
    b"si": "strings", b"xf": "formats", b"row": "rows", b"c": "cells", b"mergeCell": "merges",
    b"definedName": "names", b"sheet": "sheets",
}  # fmt: skip


class Held(NamedTuple):
    """What one part, or a stretch of it, holds; hiding: words stand in it that hide rows or columns."""

    counts: Mapping[str, int]
    locked: bool
    hiding: bool


@dataclass(slots=True)
class Measure:
    """What was counted: the most in any one part, and the name of that part. ``cells`` are those of all parts.

    locked: a sheet or the workbook is protected with a password. hiding: the parts, in lower case, in which words
    stand that hide rows or columns.
    """

    found: dict[str, tuple[int, str]] = field(default_factory=dict)
    locked: bool = False
    hiding: set[str] = field(default_factory=set)
    _cells: int = 0

    def note(self, part: str, held: Held, limits: Limits) -> None:
        """Takes in what was found in a part so far; raises WorkbookRefused at the first limit that is exceeded."""
        self.locked = self.locked or held.locked
        if held.hiding:
            self.hiding.add(part.lower())
        for name, own in held.counts.items():
            count = own + self._cells if name == "cells" else own
            if count > self.found.get(name, (0, ""))[0]:
                self.found[name] = count, part
        if refusal := self.over(limits):
            raise refusal

    def include(self, part: str, held: Held, limits: Limits) -> None:
        """The same for a part read to its end."""
        self.note(part, held, limits)
        self._cells += held.counts.get("cells", 0)

    def over(self, limits: Limits) -> WorkbookRefused | None:
        """The refusal for the first limit that is exceeded, with both numbers."""
        for name, (count, part) in self.found.items():
            limit = getattr(limits, name)
            if count > limit:
                what, unit = _LABELS[name], "" if name in _PLACES else " 个"
                return over_limit(what, f"{count}{unit}", f"{limit}{unit}", part)
        return None


def look_through(part: str, pieces: Iterable[bytes], measure: Measure, limits: Limits) -> Held:
    """Counts through the pieces of an XML part; raises WorkbookRefused at the first limit, DOCTYPE or entity met."""
    held = Held({}, False, False)
    for text in _whole_tags(part, pieces):
        seen = _seen(text, part)
        counts = dict(held.counts)
        for name, count in seen.counts.items():
            before = counts.get(name, 0)
            counts[name] = max(before, count) if name in _PLACES else before + count
        held = Held(counts, held.locked or seen.locked, held.hiding or seen.hiding)
        measure.note(part, held, limits)
    return held


def _whole_tags(part: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes cut before a ``<``, so that no tag is halved; without its NULs, UTF-16 reads like ASCII."""
    # Data a program packs into custom XML is one long text, and nothing of ours reads it.
    longest = None if part.lower().startswith("customxml/") else LONGEST
    held = b""
    for piece in pieces:
        text = held + (piece.replace(b"\0", b"") if b"\0" in piece else piece)
        cut = max(text.rfind(b"<"), 0)
        if longest is not None and len(text) - cut > longest:
            raise over_limit("一段文字或一个标签的长度", f"{len(text) - cut} 字节", f"{longest} 字节", part)
        if len(text) - cut > LONGEST:
            cut = len(text)
        yield text[:cut]
        held = text[cut:]
    yield held


def _seen(text: bytes, part: str) -> Held:
    if b"<!" in text and _ENTITY.search(text):
        message = "XML 里有 DOCTYPE 或 ENTITY 声明，正常的工作簿没有，可能是攻击文件"
        raise WorkbookRefused("E-BOOK-DOCTYPE", message, where=part, remedy=_SUSPECT)
    counts: dict[str, int] = {}
    _count(text, counts)
    locked = b"Protection" in text and _LOCKED.search(text) is not None
    return Held(counts, locked, b"hidden" in text or any(low.search(text) for low in _HIDING))


def _count(text: bytes, counts: dict[str, int]) -> None:
    for tag, count in Counter(_COUNTED.findall(text)).items():
        counts[_FROM_TAG[tag]] = counts.get(_FROM_TAG[tag], 0) + count
    if "cells" in counts:
        found = _USUAL_CELL.findall(text)
        if len(found) + len(_USUAL_EMPTY_CELL.findall(text)) < counts["cells"]:
            found = _CELL.findall(text)
        letters, digits = zip(*found or [(b"", b"0")], strict=True)
        _raise(counts, "last_column", map(_column, set(letters)))
        _raise(counts, "last_row", map(_number, set(digits)))
    if "merges" in counts:
        for left, top, right, bottom in _MERGE.findall(text):
            area = (abs(_column(right) - _column(left)) + 1) * (abs(int(bottom) - int(top)) + 1)
            counts["merged_cells"] = counts.get("merged_cells", 0) + area


def _raise(counts: dict[str, int], name: str, values: Iterable[int]) -> None:
    counts[name] = max(counts.get(name, 0), max(values, default=0))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters[:4]:
        number = number * 26 + letter - 64
    return number


def _number(digits: bytes) -> int:
    return int(digits[:9])


def over_limit(what: str, found: str, limit: str, where: str | None = None) -> WorkbookRefused:
    """The refusal that names both numbers."""
    message, remedy = f"{what} {found}，超过上限 {limit}", "请核实来源；确为正常文件的，请删去多余内容"
    return WorkbookRefused("E-BOOK-LIMIT", message, where=where, remedy=remedy)
