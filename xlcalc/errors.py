"""Every error a user can meet, as one tree.

XlcalcError
├── InputError          a fact that was given is unusable: unit, level, date, option, code …
├── PolicyError         the policy, version or interpretation asked for is not held
├── PackError           a policy pack on disk is malformed; for those who maintain packs
└── WorkbookError       a file as a whole cannot be used
    ├── WorkbookRefused     it is not what it should be, or not safe to open; nothing was computed
    └── EngineError         an engine (formulas, LibreOffice) is missing or could not evaluate it

Each carries a stable code, what is wrong, where, and what to do. Codes and fields are public; the
sentences may be improved.
"""

from __future__ import annotations


class XlcalcError(Exception):
    """Base of all errors shown to users.

    code: stable, such as ``E-UNIT``. message: what is wrong and why, Chinese. where: ``file:key`` or
    ``sheet!cell``, or None. remedy: what to do next, Chinese.
    """

    def __init__(self, code: str, message: str, *, where: str | None = None, remedy: str = "") -> None:
        super().__init__(code, message, where, remedy)
        self.code = code
        self.message = message
        self.where = where
        self.remedy = remedy

    def at(self, place: str) -> XlcalcError:
        """The same error, placed: ``place`` is put before what is already known of the position."""
        where = f"{place}:{self.where}" if self.where else place
        return type(self)(self.code, self.message, where=where, remedy=self.remedy)

    def as_dict(self) -> dict[str, str | None]:
        """The ``xlcalc.error/1`` document."""
        return {
            "format": "xlcalc.error/1",
            "code": self.code,
            "message": self.message,
            "where": self.where,
            "remedy": self.remedy,
        }

    def __str__(self) -> str:
        place = f"{self.where}：" if self.where else ""
        message = self.message.rstrip("。")
        remedy = f"。{self.remedy.rstrip('。')}" if self.remedy else ""
        return " ".join(f"[{self.code}] {place}{message}{remedy}。".splitlines())

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.message, self.where, self.remedy))


def _rebuild(kind: type[XlcalcError], code: str, message: str, where: str | None, remedy: str) -> XlcalcError:
    return kind(code, message, where=where, remedy=remedy)


class InputError(XlcalcError):
    """A fact that was given is unusable; nothing was guessed in its place."""


class PolicyError(XlcalcError):
    """The policy, version or interpretation asked for is not held."""


class PackError(XlcalcError):
    """A policy pack is malformed; no result is given under it."""


class WorkbookError(XlcalcError):
    """A workbook as a whole cannot be used."""


class WorkbookRefused(WorkbookError):  # noqa: N818 - the name says what happened to the file
    """The file is not what it should be, or not safe to open; nothing was computed from it."""


class EngineError(WorkbookError):
    """An evaluation engine is missing or could not evaluate the file."""
