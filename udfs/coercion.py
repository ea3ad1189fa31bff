"""What one cell may hold and how it is read: the only place that knows both.

Nothing is guessed: a cell that is not what its argument wants is an InputError, an empty cell is None, an
error value stays what it is.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor

from udfs.signature import Kind
from xlcalc.errors import InputError
from xlcalc.facts import Fact
from xlcalc.values.dates import from_serial, parse_date
from xlcalc.values.levels import parse_level
from xlcalc.values.money import Money
from xlcalc.values.text import normalise

# By the numbers VBA gives them, less 2000.
_NUMBERED_ERRORS = {
    0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A",
    43: "#GETTING_DATA", 45: "#SPILL!", 46: "#CONNECT!", 47: "#BLOCKED!", 48: "#UNKNOWN!", 49: "#FIELD!",
    50: "#CALC!", 51: "#BUSY!",
}  # fmt: skip
_ERRORS_FROM = -2146826288
ERROR_CODES = frozenset(_NUMBERED_ERRORS.values())

_FIGURES: dict[Kind, Fact] = {
    "count": Fact("count", "个数", "integer"),
    "number": Fact("number", "数值", "number"),
    "share": Fact("share", "比例", "share"),
}

Grid = list[list[object]]


class UdfError(str):
    """An error value of a cell, such as ``#VALUE!``; a front end turns it into its own error type."""

    __slots__ = ()

    @property
    def code(self) -> str:
        """The code as plain text."""
        return str(self)


def as_grid(raw: object) -> Grid:
    """Cell values as rows of equal length; a flat list is a column."""
    raw = _plain(raw)
    if not isinstance(raw, list | tuple):
        return [[raw]]
    rows = [[_plain(cell) for cell in row] if isinstance(row, list | tuple) else [_plain(row)] for row in raw]
    if not rows or not rows[0]:
        return [[None]]
    if any(len(row) != len(rows[0]) for row in rows):
        raise InputError("E-RANGE", "各行的单元格数不一致", remedy="请选择一个完整的矩形区域")
    return rows


def _plain(value: object) -> object:
    """NumPy arrays and numbers as Python lists and numbers."""
    unpack = getattr(value, "tolist", None)
    return unpack() if callable(unpack) else value


def screen(cell: object) -> object:
    """None for an empty cell, a UdfError for an error value, else the cell itself."""
    if isinstance(cell, str):
        text = cell.strip()
        if not text:
            return None
        return UdfError(text.upper()) if text.upper() in ERROR_CODES else str(cell)
    # Excel hands over numbers as floats; whole numbers in this range are errors that xlwings does not know.
    if type(cell) is int and cell - _ERRORS_FROM in _NUMBERED_ERRORS:
        return UdfError(_NUMBERED_ERRORS[cell - _ERRORS_FROM])
    return cell


def read(kind: Kind, cell: object) -> object:
    """One cell as its argument's value: None where it is empty, the UdfError or InputError where it is unusable."""
    cell = screen(cell)
    if cell is None or isinstance(cell, UdfError):
        return cell
    try:
        if isinstance(cell, bool):
            raise InputError("E-CELL-BOOL", "单元格是逻辑值 TRUE 或 FALSE", remedy="请填写实际内容")
        if kind == "yuan":
            return _not_negative(money(cell, "元"))
        if kind == "level":
            return int(parse_level(cell if isinstance(cell, str) else whole_number(cell)))
        if kind == "date":
            return day(cell)
        if kind == "text":
            return shown(cell)
        if kind in _FIGURES:
            return fact_value(_FIGURES[kind], cell)
        if isinstance(cell, str):
            return normalise(cell)
        raise InputError("E-TEXT", "此处须为文字", remedy="请填写文字")
    except InputError as error:
        return error


def number(cell: object) -> Decimal:
    """A cell's number as it is shown: 15 significant digits, what lies beyond is noise of binary arithmetic."""
    if isinstance(cell, float):
        return Decimal(format(cell, ".15g"))
    if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
        return Decimal(cell)
    raise InputError("E-NUMBER", f"“{str(cell)[:40]}”不是数字", remedy="请填写数字")


def whole_number(cell: object) -> int:
    """A whole number; raises InputError for 2.5, text and infinity."""
    value = number(cell)
    if not value.is_finite() or abs(value) > 10**15 or value != value.to_integral_value():
        raise InputError("E-INTEGER", f"“{str(cell)[:40]}”不是整数", remedy="请填写整数")
    return int(value)


def money(cell: object, unit: str) -> Money:
    """An amount in a unit, 元 or 万元; text may name its own."""
    if not isinstance(cell, str):
        return Money.from_wan(number(cell)) if unit == "万元" else Money.from_yuan(number(cell))
    try:
        return Money.parse(cell)
    except InputError as error:
        if error.code != "E-UNIT":
            raise
        return Money.parse(f"{cell}{unit}")


def _not_negative(amount: Money) -> Money:
    if amount.fen < 0:
        raise InputError("E-NEGATIVE", f"金额 {amount} 为负数", remedy="请填写不小于0的金额")
    return amount


def day(cell: object) -> date:
    """A day: a date of the host, a serial number or text; the time of day is left aside."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, str):
        return parse_date(cell)
    serial = number(cell)
    if not serial.is_finite() or abs(serial) > 10**7:
        raise InputError("E-DATE", f"数字 {str(cell)[:30]} 作为日期不合理", remedy="请填写日期，如 2025-05-31")
    return from_serial(floor(serial))


def shown(cell: object) -> str:
    """Text as it stands, a number with all its digits: 18 of them are no longer those that were typed."""
    if isinstance(cell, str):
        return cell
    value = number(cell) if isinstance(cell, int | float | Decimal) else Decimal("NaN")
    if not value.is_finite() or abs(value.adjusted()) > 30:
        raise InputError("E-TEXT", "此处须为文字", remedy="请填写文字")
    return f"{value.normalize():f}"


def fact_value(known: Fact, cell: object, unit: str | None = None) -> object:
    """A cell as the value of a fact, None where it is empty; raises InputError naming the fact.

    unit: of a bare number, where a heading names one; else 元, but an error where the form prints 万元: both readings
    of such a number would be likely.
    """
    cell = screen(cell)
    if cell is None:
        return None
    try:
        if isinstance(cell, UdfError):
            raise InputError("E-CELL-ERROR", f"单元格是错误值 {cell}", remedy="请改为实际内容")
        value = _typed(known, cell, unit)
    except InputError as error:
        message = f"{known.label}：{error.message}"
        raise InputError(error.code, message, where=known.id, remedy=error.remedy) from None
    return known.parse(value)


def _share(cell: object) -> Fraction:
    """A cell that shows 90% holds 0.9; 90 is not taken for it."""
    value = number(cell)
    if not value.is_finite() or not 0 <= value <= 1:
        raise InputError("E-SHARE", f"“{str(cell)[:40]}”不是比例", remedy="请写成百分数，如“90%”")
    return Fraction(value)


def _typed(known: Fact, cell: object, unit: str | None) -> object:
    if known.type == "bool":
        return bool(cell) if not isinstance(cell, str) and cell in (0, 1) else cell
    if isinstance(cell, bool):
        raise InputError("E-CELL-BOOL", "单元格是逻辑值 TRUE 或 FALSE", remedy="请填写实际内容")
    if known.type == "money":
        return Money.parse(cell) if unit is None and known.unit == "万元" else money(cell, unit or "元")
    if known.type == "date":
        return day(cell)
    if known.type in ("level", "integer"):
        return cell if isinstance(cell, str) else whole_number(cell)
    if known.type == "number":
        return cell if isinstance(cell, str) else number(cell)
    if known.type == "share":
        return cell if isinstance(cell, str) else _share(cell)
    if known.type in ("answers", "scenes", "texts", "ticks", "table"):
        raise InputError("E-FACT-CELL", "一个单元格填不下", remedy="请按题号（第1题）和场景名称逐项填写")
    return shown(cell)
