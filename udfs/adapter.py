"""Between cells and functions: what every front end calls with cell values, and shows.

A cell gets a number or a text as its function promises, an empty text where an input is still missing, or an
error value. Nothing is ever raised. What a cell may hold is the business of ``udfs.coercion``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from udfs.coercion import ERROR_CODES as ERROR_CODES
from udfs.coercion import Grid, as_grid, read
from udfs.coercion import UdfError as UdfError
from udfs.records import (
    Record,
    fact_pairs,
    questionnaires,
    read_answers,
    read_cells,
    read_choices,
    read_record,
    read_scenes,
)
from udfs.registry import UDFS
from udfs.signature import Arg, Kind, Udf
from udfs.tables import read_candidates, read_lines, read_places, read_roster
from udfs.versions import assessment, fact_names
from xlcalc.errors import InputError, XlcalcError
from xlcalc.values.money import Money

Result = float | int | str
Items = list[list[Any]]
"""What an argument holds for each row and column of the result; one item serves them all."""

Seen = dict[tuple[str, int, Any], Any]
"""What was read of an argument's cells: by its name, which cells they are, and policy, day and choices."""

_VALUE = UdfError("#VALUE!")
_LONGEST_TEXT = 32767  # what one cell can hold
_READERS: Mapping[Kind, Callable[..., Any]] = {
    "answers": lambda cells, *rules: read_answers(assessment(*rules), cells),
    "scenes": lambda cells, *rules: read_scenes(assessment(*rules), cells),
    "cells": lambda cells, *_: read_cells(cells),
    "facts": lambda cells, *rules: read_record(fact_names(*rules), cells),
    "lines": read_lines,
    "roster": read_roster,
    "candidates": read_candidates,
    "places": read_places,
}
"""How the kinds are read of which several cells make one value: from the cells, the policy, its day and choices."""
_TABLES: frozenset[Kind] = frozenset({"lines", "roster", "candidates", "places"})
_log = logging.getLogger(__name__)


def call(name: str, args: Sequence[object]) -> Result | list[list[Result]]:
    """What the cell shows: one value, or rows of values where an argument was a column or a table.

    args: cell values as any front end delivers them: scalars, lists, rows of lists, NumPy arrays; None where
    an optional one is left out.
    """
    udf = UDFS.get(name.upper())
    if udf is None:
        return UdfError("#NAME?")
    try:
        return _call(udf, args)
    except XlcalcError as error:
        return _refused(udf, error)
    except Exception:  # whatever happened, a cell must show an error and not a traceback
        _log.exception("%s", name)
        return _VALUE


def _call(udf: Udf, args: Sequence[object]) -> Result | list[list[Result]]:
    required = sum(not arg.optional for arg in udf.args)
    if not required <= len(args) <= len(udf.args):
        return _VALUE
    items = _items(udf, [*args, *[None] * (len(udf.args) - len(args))])
    shapes = {(len(grid), len(grid[0])) for grid in items.values()} - {(1, 1)}
    if len(shapes) > 1:
        raise InputError("E-RANGE", "各参数的行数、列数不一致", remedy="请选择同样大小的区域")
    height, width = shapes.pop() if shapes else (1, 1)
    seen: Seen = {}
    rows = [[_one(udf, _at(items, row, column), seen) for column in range(width)] for row in range(height)]
    return rows[0][0] if (height, width) == (1, 1) else rows


def _items(udf: Udf, args: Sequence[object]) -> dict[str, Items]:
    grids = {arg.name: as_grid(raw) for arg, raw in zip(udf.args, args, strict=True)}
    return {arg.name: _arranged(arg, grids) for arg in udf.args if arg.kind != "data"}


def _arranged(arg: Arg, grids: Mapping[str, Grid]) -> Items:
    grid = grids[arg.name]
    if grid == [[None]] and (arg.kind in _TABLES or (arg.kind == "facts" and arg.optional)):
        return [[None]]
    if arg.kind == "facts":
        return fact_pairs(grid, grids.get("data", [[None]]))
    if arg.kind == "choices":
        return [[read_choices(grid)]]
    if arg.kind in ("answers", "scenes", "cells"):
        return questionnaires(grid)
    if arg.kind in _TABLES:
        return [[grid]]
    return [[read(arg.kind, cell) for cell in row] for row in grid]


def _at(items: Mapping[str, Items], row: int, column: int) -> dict[str, Any]:
    return {name: grid[0][0] if len(grid) == len(grid[0]) == 1 else grid[row][column] for name, grid in items.items()}


def _one(udf: Udf, values: dict[str, Any], seen: Seen) -> Result:
    records = [arg for arg in udf.args if arg.kind in _READERS and values[arg.name] is not None]
    try:
        stop = _stop(udf, values)
        if stop is None and records:
            values |= {arg.name: _record(arg, values, seen) for arg in records}
            stop = _stop(udf, values)
        return _shown(udf.call(*values.values())) if stop is None else stop
    except XlcalcError as error:
        return _refused(udf, error)


def _stop(udf: Udf, values: Mapping[str, Any]) -> Result | None:
    """What the cell shows in place of a result; None where there is nothing in the way of one."""
    for value in values.values():
        if isinstance(value, UdfError):
            return value
        if isinstance(value, XlcalcError):
            return _refused(udf, value)
        if isinstance(value, Record) and value.error is not None and not udf.explains:
            return value.error
    needed = [arg.name for arg in udf.args if not arg.optional]
    return "" if any(values[name] is None for name in needed) else None


def _record(arg: Arg, values: Mapping[str, Any], seen: Seen) -> Any:
    """What the cells of an argument say under the policy, or the error that they are; read once for a whole call."""
    rules = values["policy"], values["onday"], values["choices"]
    key = arg.name, id(values[arg.name]), rules
    if key not in seen:
        try:
            seen[key] = _READERS[arg.kind](values[arg.name], *rules)
        except XlcalcError as error:
            seen[key] = error
    return seen[key]


def _refused(udf: Udf, error: XlcalcError) -> Result:
    return _shown(str(error)) if udf.explains else _VALUE


def _shown(result: object) -> Result:
    """A result as a cell can hold it: never None, never a Decimal."""
    if result is None:
        return ""
    if isinstance(result, Money):
        return result.fen / 100
    if isinstance(result, Fraction):
        return float(result)
    return result[:_LONGEST_TEXT] if isinstance(result, str) else int(result)  # type: ignore[call-overload]
