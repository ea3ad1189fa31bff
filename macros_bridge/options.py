"""Options that several commands take, read from the words of the command line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from xlcalc.errors import InputError, WorkbookError
from xlcalc.values.dates import parse_date


def chosen(given: list[str] | None) -> dict[str, str]:
    """Choices written ``AMB-31=literal``; raises InputError ``E-CHOICE`` for what is none or is chosen twice."""
    choices: dict[str, str] = {}
    for item in given or []:
        key, sign, code = item.partition("=")
        if not sign or not key or not code:
            raise InputError("E-CHOICE", f"口径“{item[:60]}”写法不对", where="--choose", remedy="请写成 AMB-31=literal")
        if choices.get(key, code) != code:
            raise InputError("E-CHOICE", f"口径 {key} 选了两次且不同", where="--choose", remedy="请只保留一个")
        choices[key] = code
    return choices


def day_given(text: str | None, option: str = "--on") -> date | None:
    """A day, None where none is given; raises InputError ``E-DATE`` naming the option."""
    if text is None:
        return None
    try:
        return parse_date(text)
    except InputError as error:
        raise error.at(option) from None


def limits_given(given: list[str] | None) -> dict[str, int]:
    """Limits written ``last_row=30000``; raises InputError ``E-LIMIT`` for what is none, or no whole number."""
    limits: dict[str, int] = {}
    for item in given or []:
        name, _, number = item.partition("=")
        if not number.isascii() or not number.isdigit():
            raise InputError("E-LIMIT", f"上限“{item[:60]}”写法不对", where="--limit", remedy="请写成 last_row=30000")
        limits[name] = int(number)
    return limits


def require_free(*outputs: Path, suffixes: tuple[str, ...] = (".xlsx",)) -> None:
    """Nothing is overwritten: raises WorkbookError ``E-EXISTS`` for a file that is there, ``E-SUFFIX`` for its kind."""
    for output in outputs:
        if output.suffix.lower() not in suffixes:
            raise WorkbookError(
                "E-SUFFIX", f"不支持的文件类型“{output.suffix}”", where=str(output),
                remedy=f"请以 {' 或 '.join(suffixes)} 结尾",
            )  # fmt: skip
        if output.exists():
            remedy = "请换一个文件名或先移走原文件"
            raise WorkbookError("E-EXISTS", "文件已存在，不覆盖", where=str(output), remedy=remedy)
