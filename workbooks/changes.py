"""What is written into cells of a workbook, as changes for the patch route."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from workbooks.files.rawbook import Value
from workbooks.ports import Place
from xlcalc.facts import Fact
from xlcalc.values.dates import to_serial
from xlcalc.values.levels import MaturityLevel
from xlcalc.values.money import Money

Changes = dict[tuple[str, str], Value]
Writes = Iterator[tuple[tuple[str, str], Value]]


def at(place: Place, value: Value) -> tuple[tuple[str, str], Value]:
    """A value and the cell it goes into."""
    return (place.sheet, place.ref), value


def cell_text(known: Fact, value: Any, unit: str | None) -> Value:
    """The value as the cell holds it: money as a number in the form's unit, levels and options as labels."""
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    if isinstance(value, Money):
        return value.yuan / 10000 if (unit or known.unit) == "万元" else value.yuan
    if isinstance(value, bool | MaturityLevel) or known.type == "option":
        return known.show(value)
    if isinstance(value, date):
        return to_serial(value)
    shown: Value = value
    return shown
