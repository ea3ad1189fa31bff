"""Calls functions as Excel would, through xlwings' own Windows code: ``python -m pywin32_stubs.excel``.

Reads ``[[name, [argument …]] …]`` as JSON, writes what Excel would be handed, what xlwings knows of each
function, and the VBA it would generate. An argument is a value, or ``{"range": rows}``. A value is a JSON value or
one of ``{"error": number}``, ``{"date": iso}``, ``{"currency": text}``, ``{"missing": true}``.
"""

from __future__ import annotations

import asyncio  # noqa: F401 - loaded while the platform is still the true one
import importlib
import io
import json
import sys
import types
from datetime import UTC
from decimal import Decimal
from typing import Any

from pywin32_stubs.modules import FakeRange, PyTime, install

MODULE = "udfs.xlwings_functions"
MISSING = -2147352572


def variant(value: Any) -> Any:
    """A value as pywin32 makes it of what Excel passes."""
    if not isinstance(value, dict):
        return value
    ((kind, body),) = value.items()
    if kind == "date":
        return PyTime.fromisoformat(body).replace(tzinfo=UTC)
    return {"error": lambda: int(body), "currency": lambda: Decimal(body), "missing": lambda: MISSING}[kind]()


def argument(value: Any) -> Any:
    """A range, an array or a value."""
    if isinstance(value, dict) and "range" in value:
        return FakeRange(tuple(tuple(variant(cell) for cell in row) for row in value["range"]))
    if isinstance(value, list):
        return tuple(tuple(variant(cell) for cell in row) for row in value)
    return variant(value)


def windows_xlwings() -> Any:
    """xlwings as imported on Windows, with its functions and decorators for Excel."""
    import numpy  # noqa: F401 - loaded while the platform is still the true one

    install()
    true_platform, sys.platform = sys.platform, "win32"
    try:
        return importlib.import_module("xlwings.udfs")
    finally:
        sys.platform = true_platform


def main() -> None:
    """Answers the calls on standard input."""
    udfs = windows_xlwings()
    functions = importlib.import_module(MODULE)
    results = []
    for name, args in json.load(sys.stdin):
        caller = FakeRange(((None,),))
        results.append(udfs.call_udf(MODULE, name, tuple(map(argument, args)), None, caller))
    vba = io.StringIO()
    udfs.generate_vba_wrapper(MODULE, functions, vba, types.SimpleNamespace(Name="book.xlsm"))
    cells = [cell for rows in results for row in rows for cell in row]
    types_found = sorted({"str" if isinstance(cell, str) else type(cell).__name__ for cell in cells})
    known = {name: getattr(functions, name).__xlfunc__ for name in functions.__all__}
    json.dump({"results": results, "types": types_found, "functions": known, "vba": vba.getvalue()}, sys.stdout)


if __name__ == "__main__":
    main()
