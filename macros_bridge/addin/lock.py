"""The lock of our dependencies, as pip reads it: which of it a clerk's Windows needs, pinned and hashed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path

from xlcalc.errors import PackError

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The Pythons a clerk may have. The first is the oldest that xlcalc runs on."""

_PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s;]+)(?:\s*;\s*([^\\]*?))?\s*(?:\\\s*)?((?:--hash=sha256:[0-9a-f]{64}\s*)+)")
_CONDITION = re.compile(r"(\w+)\s*(==|!=|<=|>=|<|>)\s*'([^']*)'")
_COMPARE = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_WINDOWS = {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"}


@dataclass(frozen=True)
class Pin:
    """One release with its hashes. marker: where it applies, "" everywhere."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    def line(self) -> str:
        """The requirement as pip takes it under ``--require-hashes``."""
        condition = f" ; {self.marker}" if self.marker else ""
        hashes = "".join(f" \\\n    --hash=sha256:{digest}" for digest in self.hashes)
        return f"{self.name}=={self.version}{condition}{hashes}\n"


def read_lock(path: Path) -> list[Pin]:
    """Every release of a lock file; raises PackError ``E-ADDIN-LOCK`` for one that cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise _unreadable(path, "没有这个文件") from None
    pins = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        if block.startswith(("#", "--")) or not block:
            continue
        requirement = block.partition("\n    #")[0]
        match = _PIN.fullmatch(requirement.replace("\\\n", " ").strip() + " ")
        if match is None:
            raise _unreadable(path, f"不认识“{block[:40]}”")
        name, version, marker, hashes = match.groups()
        pins.append(Pin(name, version, (marker or "").strip(), tuple(re.findall(r"[0-9a-f]{64}", hashes))))
    return pins


def _unreadable(path: Path, why: str) -> PackError:
    return PackError(
        "E-ADDIN-LOCK", f"依赖锁定文件无法使用：{why}", where=str(path), remedy="请运行 make lock 重新生成"
    )


def applies(marker: str, python: str) -> bool:
    """Whether a marker holds on Windows under a Python such as ``3.11``.

    >>> applies("sys_platform == 'win32'", "3.11"), applies("python_full_version < '3.12'", "3.12")
    (True, False)
    """
    if not marker:
        return True
    if " or " in marker or "(" in marker:
        raise PackError("E-ADDIN-LOCK", f"不认识依赖条件“{marker}”", remedy="请补充 macros_bridge/addin/lock.py")
    return all(_holds(condition, python) for condition in marker.split(" and "))


def _holds(condition: str, python: str) -> bool:
    match = _CONDITION.fullmatch(condition.strip())
    known = {**_WINDOWS, "python_version": python, "python_full_version": python}
    if match is None or match[1] not in known:
        raise PackError("E-ADDIN-LOCK", f"不认识依赖条件“{condition}”", remedy="请补充 macros_bridge/addin/lock.py")
    name, sign, wanted = match.groups()
    if name in _WINDOWS:
        return (known[name] == wanted) == (sign == "==")
    one, other = _numbers(python), _numbers(wanted)
    width = max(len(one), len(other))
    left, right = (part + (0,) * (width - len(part)) for part in (one, other))
    found: bool = _COMPARE[sign](left, right)
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def windows_pins(root: Path, pythons: Sequence[str] = PYTHONS) -> list[Pin]:
    """What a clerk's Windows needs, from requirements/excel.txt: the base and the ``excel`` extra.

    root: the folder of the sources. Raises PackError ``E-ADDIN-LOCK``.
    """
    lock = root / "requirements" / "excel.txt"
    kept = [pin for pin in read_lock(lock) if any(applies(pin.marker, python) for python in pythons)]
    for python in pythons:
        counts = Counter(_plain(pin.name) for pin in kept if applies(pin.marker, python))
        if twice := [name for name, count in counts.items() if count > 1]:
            raise _unreadable(lock, f"{'、'.join(twice)} 有不止一个版本")
    return sorted(kept, key=lambda pin: (_plain(pin.name), pin.version))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_versions(path: Path, python: str) -> Mapping[str, str]:
    """Name -> version of what a lock file holds for Windows under a Python such as ``3.11``."""
    return {pin.name: pin.version for pin in read_lock(path) if applies(pin.marker, python)}
