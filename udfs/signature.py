"""What a function is to those who call it: name, Chinese title, arguments, help and category."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "policy", "answers", "scenes", "cells", "facts", "data", "choices", "level", "yuan", "date", "text", "count",
    "number", "share", "lines", "roster", "candidates", "places",
]  # fmt: skip
"""How cells are read. Of ``answers``, ``scenes``, ``cells`` and ``facts`` several cells make one value, see
``udfs.records``, and ``lines``, ``roster``, ``candidates`` and ``places`` are tables of one value for the whole call,
see ``udfs.tables``; of the others each cell is one value. ``data`` belongs to the ``facts`` before it; ``choices`` has
one value for the whole call."""

Returns = Literal["number", "text"]


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument; ``title`` and ``help`` are shown to the user."""

    name: str
    title: str
    help: str
    kind: Kind
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Udf:
    """``call`` takes the arguments in order as Python values, for one row, and raises XlcalcError for bad ones.

    By kind: policy id and text as text · answers and scenes as in the facts JSON · cells as a tuple, None where
    one is empty · facts as a Record · choices as pairs of id and code · level 0–4 · yuan as Money · date as date ·
    count as int · number as Decimal · share as Fraction · tables as a Table, places as pairs of prize and number;
    ``data`` is not passed. Optional arguments may be None. A result of None is shown as an empty cell, Money in
    元. explains: an unusable input is told in words instead of #VALUE!.
    """

    name: str
    title: str
    category: str
    help: str
    args: tuple[Arg, ...]
    call: Callable[..., Any]
    returns: Returns = "number"
    explains: bool = False
