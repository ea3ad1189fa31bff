"""What a formula says apart from the cells it points to, and which cells those are."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from workbooks.files.cellxml import parse_ref

# What programs write each in their own way, and the places of cells, which move with rows and sheets.
_PIECE = re.compile(
    r"(?P<text>\"(?:[^\"]|\"\")*\")"
    r"|(?P<sheet>(?:'(?:[^']|'')+'|[^\s'!\"#$%&()*+,\-/:;<=>?@\[\]^{|}~]+)!)"
    r"|(?P<aside>\s+|_xl(?:fn|ws|udf)\.|(?<=TRUE)\(\)|(?<=FALSE)\(\))"
    r"|(?<![\w.$])\$?(?P<column>[A-Za-z]{1,3})(?P<fixed>\$?)(?P<row>[0-9]{1,7})(?![\w.(])",
    re.IGNORECASE,
)


class Corner(NamedTuple):
    """A cell that a formula names; fixed: whether its row stays when the formula is copied to another."""

    row: int
    column: int
    fixed: bool


class Pointed(NamedTuple):
    """A cell or range that a formula points to; sheet: "" for the formula's own, without case; last: of a range."""

    sheet: str
    first: Corner
    last: Corner | None


class Parsed(NamedTuple):
    """A formula without the places of its cells, and these in their order; a range of one cell is that cell."""

    shape: str
    pointed: tuple[Pointed, ...]


@lru_cache(maxsize=8192)
def parsed(formula: str) -> Parsed:
    """The same for every spelling that means the same to a spreadsheet."""
    said: list[str] = []
    pointed: list[Pointed] = []
    sheet, end, behind = "", 0, -1
    for match in _PIECE.finditer(formula):
        if gap := formula[end : match.start()]:
            said.append(gap)
        end = match.end()
        kind = match.lastgroup
        if kind == "sheet":
            sheet = match["sheet"][:-1].strip("'").replace("''", "'").casefold()
        elif kind == "text":
            said.append(match["text"])
        elif kind == "row":
            try:
                corner = Corner(*parse_ref(f"{match['column']}{match['row']}".upper()), fixed=bool(match["fixed"]))
            except ValueError:
                # Beyond the last cell of a sheet it is a name.
                said.append(match[0])
                continue
            if pointed and pointed[-1].last is None and said[behind:] == [":"]:
                said.pop()
                pointed[-1] = pointed[-1]._replace(last=corner)
            else:
                said.append("R")
                pointed.append(Pointed(sheet, corner, None))
            sheet, behind = "", len(said)
    return Parsed("".join([*said, formula[end:]]).upper(), tuple(pointed))


def shape(formula: str) -> str:
    """A formula without the places of its cells."""
    return parsed(formula).shape
