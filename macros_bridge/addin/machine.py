"""The PC as the installation and the doctor see it: everything particular to Windows, behind a few small functions.

Tests put a snapshot in its place. None of it has been tried on a real Windows.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

HOME = "%LOCALAPPDATA%\\xlcalc"
"""Where install.bat puts everything; as a Windows path, because what is written there is read by Windows."""


class Registry(Protocol):
    """The part of the Windows registry we read; keys begin with HKCU, HKLM or HKCR."""

    def value(self, key: str, name: str = "") -> object | None:
        """The value of a name, "" for the default one; None where there is none."""

    def subkeys(self, key: str) -> list[str]:
        """The names of the keys below a key; none where it does not exist."""


@dataclass(frozen=True)
class Snapshot:
    """A registry as data: key -> name -> value. Keys and names compare without case, as in Windows."""

    keys: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def value(self, key: str, name: str = "") -> object | None:
        """The value of a name, "" for the default one; None where there is none."""
        held = {known.lower(): values for known, values in self.keys.items()}.get(key.lower(), {})
        return {known.lower(): value for known, value in held.items()}.get(name.lower())

    def subkeys(self, key: str) -> list[str]:
        """The names of the keys below a key."""
        prefix = f"{key.lower()}\\"
        below = [known[len(prefix) :] for known in self.keys if known.lower().startswith(prefix)]
        return list(dict.fromkeys(name.partition("\\")[0] for name in below))


class WindowsRegistry:
    """The registry of this PC, the 64-bit view."""

    def value(self, key: str, name: str = "") -> object | None:
        """The value of a name, "" for the default one; None where there is none or it may not be read."""
        if sys.platform == "win32":
            import winreg

            try:
                with self._open(key) as handle:
                    value: object = winreg.QueryValueEx(handle, name)[0]
                    return value
            except OSError:
                return None
        return None

    def subkeys(self, key: str) -> list[str]:
        """The names of the keys below a key; none where it does not exist or may not be read."""
        found: list[str] = []
        if sys.platform == "win32":
            import winreg

            try:
                with self._open(key) as handle:
                    found = [winreg.EnumKey(handle, number) for number in range(winreg.QueryInfoKey(handle)[0])]
            except OSError:
                return []
        return found

    if sys.platform == "win32":
        from winreg import HKEYType

        @staticmethod
        def _open(key: str) -> HKEYType:
            import winreg

            hive, _, path = key.partition("\\")
            roots = {
                "HKCU": winreg.HKEY_CURRENT_USER,
                "HKLM": winreg.HKEY_LOCAL_MACHINE,
                "HKCR": winreg.HKEY_CLASSES_ROOT,
            }
            return winreg.OpenKey(roots[hive], path, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY)


@dataclass(frozen=True)
class Machine:
    """A PC. prefix: the folder of the Python environment; python: its version."""

    windows: bool
    python: tuple[int, int, int]
    bits: int
    executable: Path
    prefix: Path
    environ: Mapping[str, str]
    registry: Registry

    @classmethod
    def here(cls) -> Machine:
        """This PC."""
        return cls(
            sys.platform == "win32",
            sys.version_info[:3],
            struct.calcsize("P") * 8,
            Path(sys.executable),
            Path(sys.prefix),
            os.environ,
            WindowsRegistry() if sys.platform == "win32" else Snapshot(),
        )

    def folder(self, variable: str) -> Path | None:
        """The folder an environment variable names."""
        value = self.environ.get(variable, "")
        return Path(value) if value else None

    @property
    def home(self) -> Path | None:
        """Where the installation lies; None without a user profile."""
        local = self.folder("LOCALAPPDATA")
        return local / "xlcalc" if local else None

    @property
    def xlwings_conf(self) -> Path | None:
        """The user's settings as the macros of xlwings read them; None without a user profile."""
        user = self.folder("USERPROFILE")
        return user / ".xlwings" / "xlwings.conf" if user else None

    def expanded(self, text: str) -> str:
        """Text with ``%NAME%`` replaced as Windows does, whatever the case of the name."""
        known = {name.lower(): value for name, value in self.environ.items()}
        parts = text.split("%")
        for place in range(1, len(parts) - 1, 2):
            parts[place] = known.get(parts[place].lower(), f"%{parts[place]}%")
        return "".join(parts) if len(parts) % 2 else text

    def zone(self, path: Path) -> int | None:
        """The zone a file came from, 3 for the internet; None where Windows noted none."""
        if not self.windows:
            return None
        try:
            text = Path(f"{path}:Zone.Identifier").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        lines = [line.partition("=") for line in text.splitlines()]
        return next((int(value) for name, _, value in lines if name.strip() == "ZoneId" and value.isdigit()), None)
