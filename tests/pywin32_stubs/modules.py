"""The modules of pywin32 that xlwings imports, with no more in them than it needs to load and to convert values."""

from __future__ import annotations

import ctypes
import sys
import types
from datetime import UTC, datetime, timezone
from typing import Any

RANGE_IID = "{00020846-0000-0000-C000-000000000046}"


class ComError(Exception):
    """What a failed call to Excel raises."""


class PyTime(datetime):
    """A date as pywin32 hands it over: a datetime with a time zone."""


class CDispatch:
    """A late-bound COM object."""


class DispatchBaseClass:
    """An early-bound COM object."""


class CoClassBaseClass:
    """An early-bound COM class."""


class TimeZoneInfo:
    """Gives the zone that xlwings puts on the dates it returns."""

    @staticmethod
    def utc() -> timezone:
        return UTC


class FakeRange:
    """A range of cells as a function is handed it: one cell gives a value, several give a tuple of rows."""

    Address = "$A$1"

    def __init__(self, rows: tuple[tuple[Any, ...], ...]) -> None:
        self.Value = rows if len(rows) > 1 or len(rows[0]) > 1 else rows[0][0]
        kind = types.SimpleNamespace(iid=RANGE_IID)
        info = types.SimpleNamespace(GetTypeAttr=lambda: kind)
        self._oleobj_ = types.SimpleNamespace(GetTypeInfo=lambda: info)
        self.Row = self.Column = 1
        self.Rows, self.Columns = (types.SimpleNamespace(Count=count) for count in (len(rows), len(rows[0])))
        book = types.SimpleNamespace(Application=types.SimpleNamespace(Hwnd=1))
        self.Worksheet = types.SimpleNamespace(Parent=book)


class _Library:
    """A Windows library in which every function can be looked up and called, to no effect."""

    def __getattr__(self, name: str) -> Any:
        return _Library()

    def __call__(self, *_: Any) -> int:
        return 0

    def __setattr__(self, name: str, value: Any) -> None:
        """Return types are declared on functions and change nothing here."""


def install() -> None:
    """Puts the stand-ins where imports find them; for a process of its own, nothing is put back."""

    def module(name: str, **members: Any) -> types.ModuleType:
        made = types.ModuleType(name)
        made.__dict__.update(members)
        sys.modules[name] = made
        return made

    def same(value: Any, *_: Any, **__: Any) -> Any:
        return value

    module("pywintypes", com_error=ComError, error=ComError, TimeType=PyTime, IID=same)
    module(
        "pythoncom",
        com_error=ComError,
        __file__="pythoncom",
        CoInitialize=lambda: None,
        IID_IDispatch="",
        TypeIIDs={"": object},
    )
    module("win32timezone", TimeZoneInfo=TimeZoneInfo)
    for name in ("win32api", "win32con", "win32gui", "win32event"):
        module(name)
    module("win32process", GetWindowThreadProcessId=lambda _: (1, 1))
    client = module(
        "win32com.client", Dispatch=same, DispatchEx=same, CDispatch=CDispatch, DispatchBaseClass=DispatchBaseClass,
        CoClassBaseClass=CoClassBaseClass, dynamic=module("win32com.client.dynamic"),
    )  # fmt: skip
    parts = {
        name: module(f"win32com.server.{name}", **{base: object})
        for name, base in (("dispatcher", "DefaultDispatcher"), ("policy", "DefaultPolicy"), ("util", "wrap"))
    }
    module("win32com", client=client, server=module("win32com.server", **parts))
    for name in ("windll", "oledll"):
        setattr(ctypes, name, _Library())
    ctypes.PyDLL = lambda *_: _Library()  # type: ignore[assignment,misc]
