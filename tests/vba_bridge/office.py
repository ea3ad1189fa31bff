"""Loads a macro workbook into a running LibreOffice and answers its calls: ``python -m vba_bridge.office PIPE FILE``.

The office plays Excel: what Excel would hand to Python is read from it, and goes through the code that xlwings
runs on Windows. Reads ``[[sheet, range] …]`` as JSON; writes what each range shows, rows of values with ``{"error":
code}`` for an error of the office itself, and how often each function was called.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections import Counter
from datetime import UTC, timedelta
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from pywin32_stubs.excel import MISSING, MODULE, windows_xlwings
from pywin32_stubs.modules import FakeRange, PyTime

SERVICE = "org.xlcalc.VbaBridge"
SYSTEM_PACKAGES = "/usr/lib/python3/dist-packages"
NOT_FOR_THIS_PYTHON = 3
ALWAYS_RUN_MACROS = 4
# By the office's number: Excel's text, and the number Excel hands over.
ERRORS = {
    521: ("#NULL!", -2146826288), 532: ("#DIV/0!", -2146826281), 519: ("#VALUE!", -2146826273),
    524: ("#REF!", -2146826265), 525: ("#NAME?", -2146826259), 503: ("#NUM!", -2146826252),
    32767: ("#N/A", -2146826246),
}  # fmt: skip


def office_module() -> Any:
    """The office's Python bridge, and nothing else of what the system's Python has installed beside it."""
    spec = PathFinder.find_spec("uno", [SYSTEM_PACKAGES])
    if spec is None or spec.loader is None:
        raise ImportError("python3-uno is not installed")
    uno = importlib.util.module_from_spec(spec)
    sys.modules["uno"] = uno
    spec.loader.exec_module(uno)
    return uno


# --- from the office to Excel's Variants


def variant(value: Any) -> Any:
    """One value as pywin32 makes it of what Excel passes: numbers are floats, dates have a zone."""
    if getattr(value, "__pyunostruct__", "") == "com.sun.star.bridge.oleautomation.Date":
        return PyTime(1899, 12, 30, tzinfo=UTC) + timedelta(seconds=round(value.Value * 86400))
    return float(value) if type(value) is int else value


def excel_range(held: Any) -> FakeRange:
    """A range as Excel has it. Its errors are asked of the cells: the office's VBA gives 0 for them."""
    cells, values = held.getCellRange(), held.Value
    rows = values.Array if hasattr(values, "Array") else ((values,),)
    stored = cells.getDataArray()

    def cell(row: int, column: int) -> Any:
        if stored[row][column] is None:
            return ERRORS[cells.getCellByPosition(column, row).getError()][1]
        return variant(rows[row][column])

    return FakeRange(tuple(tuple(cell(row, column) for column in range(len(rows[0]))) for row in range(len(rows))))


def argument(value: Any) -> Any:
    """An argument left out, a range, an array written into the formula, or a value."""
    if value is None:
        return MISSING
    if hasattr(value, "getCellRange"):
        return excel_range(value)
    if isinstance(value, tuple):
        return tuple(tuple(map(variant, row)) for row in value)
    return variant(value)


def returned(uno: Any, result: Any) -> Any:
    """What Excel is handed, for the office: one value, an array of one dimension, or of two."""
    if not isinstance(result, list | tuple):
        return result
    if result and isinstance(result[0], list | tuple):
        return uno.createUnoStruct("com.sun.star.script.ArrayWrapper", True, tuple(map(tuple, result)))
    return tuple(result)


# --- the object the VBA calls


class Served:
    """An object the office may use; it asks for the interfaces by their types."""

    interfaces: tuple[str, ...] = ()

    def __init__(self, uno: Any) -> None:
        self.uno = uno

    def getTypes(self) -> tuple[Any, ...]:  # noqa: N802
        return tuple(map(self.uno.getTypeByName, (*self.interfaces, "com.sun.star.lang.XTypeProvider")))

    def getImplementationId(self) -> tuple[()]:  # noqa: N802
        return ()


class Python(Served):
    """In place of xlwings' COM server, with that server's own method behind it."""

    interfaces = ("com.sun.star.script.XInvocation",)

    def __init__(self, uno: Any, server: Any) -> None:
        super().__init__(uno)
        self.server = server
        self.calls: Counter[str] = Counter()

    def getIntrospection(self) -> None:  # noqa: N802
        return None

    def hasMethod(self, name: str) -> bool:  # noqa: N802
        return name == "CallUDF"

    def hasProperty(self, _name: str) -> bool:  # noqa: N802
        return False

    def invoke(self, _name: str, passed: Any, *_: Any) -> tuple[Any, tuple[()], tuple[()]]:
        module, function, args, _workbook, _caller = passed
        self.calls[function] += 1
        caller = FakeRange(((None,),))
        result = self.server.CallUDF(module, function, tuple(map(argument, args)), None, caller)
        return returned(self.uno, result), (), ()


class Factory(Served):
    """Gives the office the object whenever it asks for the service."""

    interfaces = ("com.sun.star.lang.XSingleComponentFactory", "com.sun.star.lang.XServiceInfo")

    def __init__(self, uno: Any, made: Python) -> None:
        super().__init__(uno)
        self.made = made

    def createInstanceWithContext(self, _context: Any) -> Python:  # noqa: N802
        return self.made

    def getImplementationName(self) -> str:  # noqa: N802
        return SERVICE

    def supportsService(self, name: str) -> bool:  # noqa: N802
        return name == SERVICE

    def getSupportedServiceNames(self) -> tuple[str]:  # noqa: N802
        return (SERVICE,)


def probes(udfs: Any, functions: Any) -> None:
    """Functions for the tests alone, declared to xlwings as the real ones are."""

    def echo(cells, other="left out"):  # type: ignore[no-untyped-def]
        return cells if other == "left out" else other

    def fail(cells):  # type: ignore[no-untyped-def]
        raise ValueError("no cell may show this")

    for name, function in (("XLC_ECHO", echo), ("XLC_FAIL", fail)):
        for arg in ("cells", "other")[: function.__code__.co_argcount]:
            function = udfs.xlarg(arg, ndim=2, err_to_str=True)(function)
        setattr(functions, name, udfs.xlfunc(function))


# --- one workbook


def connected(uno: Any, pipe: str) -> Any:
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(300):
        try:
            return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except Exception:  # until the office is up
            time.sleep(0.1)
    raise TimeoutError("the office does not answer")


def shown(cells: Any) -> list[list[Any]]:
    """What cells show, as rows."""

    def cell(value: Any, row: int, column: int) -> Any:
        if value is not None:
            return value
        number = cells.getCellByPosition(column, row).getError()
        return {"error": ERRORS[number][0] if number in ERRORS else number}

    return [
        [cell(value, row, column) for column, value in enumerate(values)]
        for row, values in enumerate(cells.getDataArray())
    ]


def main(pipe: str, path: str) -> None:
    """Loads, and so computes, the workbook; then ends the office."""
    try:
        uno = office_module()
    except ImportError as error:
        print(error, file=sys.stderr)
        sys.exit(NOT_FOR_THIS_PYTHON)
    udfs = windows_xlwings()
    probes(udfs, importlib.import_module(MODULE))
    python = Python(uno, importlib.import_module("xlwings.com_server").XLPython())
    context = connected(uno, pipe)
    manager = context.ServiceManager
    manager.insert(Factory(uno, python))
    desktop = manager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    how = tuple(
        uno.createUnoStruct("com.sun.star.beans.PropertyValue", Name=name, Value=value)
        for name, value in (("Hidden", True), ("MacroExecutionMode", ALWAYS_RUN_MACROS))
    )
    document = desktop.loadComponentFromURL(Path(path).as_uri(), "_blank", 0, how)
    found = [shown(document.Sheets.getByName(sheet).getCellRangeByName(place)) for sheet, place in json.load(sys.stdin)]
    document.close(True)
    desktop.terminate()
    json.dump({"shown": found, "calls": python.calls}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
