"""Calendar days as documents and clerks write them; times and time zones never enter a result."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

from xlcalc.errors import InputError
from xlcalc.values.text import squeeze

_TEXT = re.compile(r"([0-9]{4})(?:年|[-./])([0-9]{1,2})(?:月|[-./])([0-9]{1,2})日?")
_EPOCH_1900 = date(1899, 12, 30)
_EPOCH_1904 = date(1904, 1, 1)


def parse_date(value: object) -> date:
    """Reads a day written with a four-digit year, ``2025-05-31`` or ``2025年5月31日``.

    A two-digit year, a month alone or an impossible day is an error (InputError ``E-DATE``), not a guess.

    >>> parse_date("2025年5月31日") == parse_date("2025.5.31") == date(2025, 5, 31)
    True
    """
    if type(value) is date:
        return value
    if isinstance(value, str) and (match := _TEXT.fullmatch(squeeze(value))):
        try:
            return date(*map(int, match.groups()))
        except ValueError:
            raise InputError("E-DATE", f"“{value[:40]}”这一天不存在", remedy="请核对年、月、日") from None
    raise InputError(
        "E-DATE", f"“{str(value)[:40]}”不是完整的日期", remedy="请写成“2025-05-31”或“2025年5月31日”，年份写四位"
    )


def from_serial(serial: int, *, date1904: bool = False) -> date:
    """The day a spreadsheet stores as a serial number; raises InputError ``E-DATE`` outside 1990–2100.

    >>> from_serial(45808)
    datetime.date(2025, 5, 31)
    """
    try:
        day = (_EPOCH_1904 if date1904 else _EPOCH_1900) + timedelta(days=serial)
    except OverflowError:
        day = _EPOCH_1900
    if not 1990 <= day.year <= 2100:
        raise InputError("E-DATE", f"数字 {serial} 作为日期不合理", remedy="请把单元格设为日期格式后重新填写")
    return day


def to_serial(day: date) -> int:
    """The serial number of a day in the 1900 system."""
    return (day - _EPOCH_1900).days


def add_months(day: date, months: int) -> date:
    """The same day so many months on, before where months is negative; where that month has no such day, its last.

    >>> add_months(date(2024, 2, 29), 24), add_months(date(2025, 3, 31), -1)
    (datetime.date(2026, 2, 28), datetime.date(2025, 2, 28))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def years_later(day: date, years: int) -> date:
    """The same day so many years later; the last of February where it is missing (民法典第二百零二条).

    >>> years_later(date(2020, 2, 29), 3), years_later(date(2020, 2, 29), 4)
    (datetime.date(2023, 2, 28), datetime.date(2024, 2, 29))
    """
    return add_months(day, 12 * years)


def chinese_date(day: date) -> str:
    """``2025年5月31日``."""
    return f"{day.year}年{day.month}月{day.day}日"
