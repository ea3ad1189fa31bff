"""Inside LibreOffice: a cell's =XLC_… comes here, its value goes back.

Runs in the office's own Python, beside ``pythonpath/``. What a cell may hold and what comes out is the
business of ``udfs.adapter``; here it is only put into the office's terms and back. As measured on 25.2:

* an empty cell that is referred to alone arrives as 0, inside a range as "";
* a logical value arrives as 1 or 0; error values never arrive, the office answers them itself;
* a text that a table of results brings into a cell compares unequal to everything, so that functions must not
  be declared to return tables: a single value is returned as such, a table in the only other way there is,
  the one made for results that come later;
* a not-a-number with one of Calc's error numbers in its low half is shown as that error.
"""

import struct
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

# Executed, not imported: this is the only place to say where the packages are. They go first, whatever else is there.
_PACKAGES = str(Path(__file__).parent / "pythonpath")
sys.path[:] = [_PACKAGES, *(place for place in sys.path if place != _PACKAGES)]

import uno  # noqa: E402
import unohelper  # type: ignore[import-not-found]  # noqa: E402
from com.sun.star.lang import XServiceInfo  # type: ignore[import-not-found]  # noqa: E402
from com.sun.star.sheet import ResultEvent, XVolatileResult  # type: ignore[import-not-found]  # noqa: E402
from org.xlcalc import XFunctions  # type: ignore[import-not-found]  # noqa: E402

from udfs.adapter import UdfError, call  # noqa: E402
from udfs.registry import UDFS  # noqa: E402
from udfs.signature import Arg  # noqa: E402

IMPLEMENTATION = "org.xlcalc.Functions"
SERVICES = (IMPLEMENTATION, "com.sun.star.sheet.AddIn")

_ERROR_NUMBERS = {
    "#NUM!": 503, "#VALUE!": 519, "#NULL!": 521, "#REF!": 524, "#NAME?": 525, "#DIV/0!": 532, "#N/A": 32767,
}  # fmt: skip
_NAN = 0x7FF8 << 48
_ZERO_IS_A_VALUE = frozenset({"level", "yuan"})
"""Kinds of which a single 0 may be meant; for the others, and where it may be left out, it counts as an empty cell."""
_REMEMBERED = 32


def _error(code: str) -> float:
    number = _ERROR_NUMBERS.get(code, _ERROR_NUMBERS["#VALUE!"])
    nan: float = struct.unpack("<d", struct.pack("<Q", _NAN | number))[0]
    return nan


def _given(value: Any) -> Any:
    if isinstance(value, UdfError):
        return _error(value.code)
    return value if isinstance(value, str) else float(value)


def _taken(arg: Arg, cell: Any) -> Any:
    return None if cell == 0.0 and (arg.optional or arg.kind not in _ZERO_IS_A_VALUE) else cell


class _Table(unohelper.Base, XVolatileResult):  # type: ignore[misc]
    """Rows of results; told to the office the moment it asks."""

    def __init__(self, rows: list[list[Any]]) -> None:
        self.rows = tuple(tuple(_given(value) for value in row) for row in rows)

    def addResultListener(self, listener: Any) -> None:  # noqa: N802 - the office's name
        event = ResultEvent()
        event.Source = self
        event.Value = uno.Any("[][]any", self.rows)
        listener.modified(event)

    def removeResultListener(self, listener: Any) -> None:  # noqa: N802
        """Nothing will change any more, so no listener is kept."""


@lru_cache(_REMEMBERED)
def _answer(name: str, cells: tuple[Any, ...]) -> Any:
    """The result; the office wants the same table object where it asks the same again."""
    given = len(cells)
    while given and cells[given - 1] is None:  # left out at the end
        given -= 1
    result = call(name, [_taken(arg, cell) for arg, cell in zip(UDFS[name].args, cells[:given], strict=False)])
    return _Table(result) if isinstance(result, list) else _given(result)


def _method(name: str) -> Any:
    def method(self: Any, *cells: Any) -> Any:
        return _answer(name, cells)

    return method


class _Service(unohelper.Base, XFunctions, XServiceInfo):  # type: ignore[misc]
    def __init__(self, context: Any) -> None:
        self.context = context

    def getImplementationName(self) -> str:  # noqa: N802
        return IMPLEMENTATION

    def supportsService(self, name: str) -> bool:  # noqa: N802
        return name in SERVICES

    def getSupportedServiceNames(self) -> tuple[str, ...]:  # noqa: N802
        return SERVICES


AddIn = type("AddIn", (_Service,), {name: _method(name) for name in UDFS})

g_ImplementationHelper = unohelper.ImplementationHelper()  # noqa: N816 - the office looks for this name
g_ImplementationHelper.addImplementation(AddIn, IMPLEMENTATION, SERVICES)
