"""What an enterprise has had before, as a cell asks it, from the ledger of this computer.

The ledger is found by the environment variable XLCALC_LEDGER alone: a workbook from outside must not be able to say
which file or server is opened. What keeps the ledger offers itself as an entry point of the group ``xlcalc.register``,
a callable that takes the address; where nothing does, as inside LibreOffice, every answer is an error that says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol

from udfs.records import Choices
from udfs.versions import in_force, version_on
from xlcalc.errors import XlcalcError
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.values.money import Money

GROUP, VARIABLE = "xlcalc.register", "XLCALC_LEDGER"


class Register(Protocol):
    """What a ledger answers; each answer raises XlcalcError where it has none, as for a code that names no one."""

    def received(self, code: str, policy: str | None, batch: str | None) -> Money:
        """What an enterprise holds, of one programme or of all; a batch of that name is not counted."""

    def remaining(self, code: str, policy: str, version: Version, choices: Mapping[str, str]) -> Money | None:
        """What the caps of a programme leave an enterprise; None where none is in force."""

    def duplicates(self, code: str) -> Sequence[str]:
        """A sentence for everything of an enterprise that stands more than once."""


def received(code: str, programme: str | None, batch: str | None) -> Money:
    """What an enterprise has had of one programme, or of all of them; what was taken back is not in it."""
    if programme is not None:
        load_policy(programme)
    return _register().received(code, programme, batch)


def remaining(policy: str, code: str, on: date | None, choices: Choices | None) -> Money | None:
    """What an enterprise may still get under the caps of a programme, as its pack and the choices count them."""
    version = version_on(policy, on)
    return _register().remaining(code, policy, version, dict(in_force(version, choices)))


def duplicates(code: str) -> str:
    """Everything of an enterprise that stands more than once, a line each."""
    return "\n".join(_register().duplicates(code))


def _register() -> Register:
    address = os.environ.get(VARIABLE, "").strip()
    if not address:
        raise XlcalcError(
            "E-LEDGER-ABSENT", "这台电脑没有指定台账", remedy=f"请把环境变量 {VARIABLE} 设为台账文件，再重新打开程序"
        )
    return _offered()(address)


@cache
def _offered() -> Callable[[str], Register]:
    for found in entry_points(group=GROUP):
        offered: Callable[[str], Register] = found.load()
        return offered
    raise XlcalcError("E-LEDGER-ABSENT", "此程序不能读取台账", remedy="请在 Excel 中查询，或用命令 xlcalc ledger")
