"""Turns one stored cell into a fact, or into a finding that names the cell and says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context as DecimalContext
from decimal import Decimal, DecimalException
from typing import Any

from workbooks.files.rawbook import RawBook, RawCell
from workbooks.ports import Place, cell_at
from xlcalc.errors import InputError
from xlcalc.facts import Fact
from xlcalc.results.outcome import Finding
from xlcalc.values.dates import from_serial, parse_date
from xlcalc.values.money import Money
from xlcalc.values.text import deceiving_signs, normalise
from xlcalc.values.uscc import problem_of_uscc

_FIFTEEN_DIGITS = DecimalContext(prec=15)

Evaluated = Mapping[tuple[str, str], int | float | str | bool]
"""Values an engine found for formula cells, by (sheet, ref)."""


@dataclass
class CellReader:
    """Reads cells of one workbook and collects what is wrong with them.

    evaluated: values of formula cells when an engine has computed them; without it a formula in an input
    cell makes the fact missing.
    """

    book: RawBook
    evaluated: Evaluated | None = None
    findings: list[Finding] = field(default_factory=list)

    def fact(self, place: Place, known: Fact, unit: str | None = None) -> Any:
        """The fact at a place, None when empty or unusable (then with a finding)."""
        cell = self.usable(place, known.label)
        if cell is None:
            return None
        try:
            value = known.parse(_raw_value(cell, known, unit or known.unit, self.book.date1904))
        except InputError as error:
            self.problem(error.code, error.message, error.remedy, place, known.id)
            return None
        if known.type == "money" and cell.kind == "text":
            message = f"{known.label}以文字“{cell.text[:30]}”填写，已按 {value} 读取；表内公式不计算文字"
            self.problem("E-AMOUNT-TEXT", message, "请改填数字", place, known.id, "warn")
        if known.type in ("text", "uscc") and cell.kind == "text" and (odd := deceiving_signs(cell.text)):
            self.problem(
                "E-SIGNS", f"{known.label}“{str(value)[:40]}”{odd}", "请核对是否另一企业", place, known.id, "warn"
            )
        if known.type == "uscc" and (problem := problem_of_uscc(value)):
            # A supplier's code pays nobody; the documents and the ledger refuse the enterprise's own.
            unpaid = "；改正前不列入拨付表和公示名单，台账不登记" if known.id == "uscc" else ""
            message, remedy = f"{known.label}“{value[:40]}”{problem}", f"请按营业执照核对{unpaid}"
            self.problem("E-USCC", message, remedy, place, known.id, "warn")
        return value

    def usable(self, place: Place, label: str) -> RawCell | None:
        """The cell if it holds a constant (or an evaluated formula); None when empty, with a finding if not usable."""
        cell: RawCell | None = cell_at(self.book, place)
        if cell is not None and cell.formula is not None:
            cell = self._formula_cell(cell, place, label)
        if cell is None or cell.kind == "empty" or (cell.kind == "text" and not normalise(cell.text)):
            return None
        if cell.kind == "error":
            self.problem("E-CELL-ERROR", f"{label}：单元格是错误值 {cell.text}", "请改为实际内容", place)
            return None
        # Stored as 1 or 0, but neither a number nor a tick: it is read as the word a spreadsheet shows.
        return cell._replace(text="TRUE" if cell.text == "1" else "FALSE") if cell.kind == "bool" else cell

    def _formula_cell(self, cell: RawCell, place: Place, label: str) -> RawCell | None:
        if self.evaluated is None or (place.sheet, place.ref) not in self.evaluated:
            message = f"{label}：输入单元格里是公式“={cell.formula}”，其缓存的数值不可采信，该项视为未填"
            self.problem("E-CELL-FORMULA", message, "请改为填写数值，或用 --engine formulas 重新核算", place)
            return None
        value = self.evaluated[place.sheet, place.ref]
        self.problem(
            "E-CELL-FORMULA",
            f"{label}：输入单元格里是公式，已按重新计算的结果 {value} 采用",
            "请核对",
            place,
            severity="warn",
        )
        if isinstance(value, bool):
            return cell._replace(kind="bool", text=str(int(value)))
        if isinstance(value, str):
            return cell._replace(kind="error" if value.startswith("#") else "text", text=value)
        return cell._replace(kind="number", text=repr(float(value)) if isinstance(value, float) else str(int(value)))

    def number(self, place: Place, label: str) -> Decimal | None:
        """The number at a place, None when empty or unusable."""
        cell = self.usable(place, label)
        if cell is None:
            return None
        try:
            return _FIFTEEN_DIGITS.create_decimal(normalise(cell.text).replace(",", ""))
        except DecimalException:
            self.problem("E-NUMBER", f"{label}：“{cell.text[:30]}”不是数字", "请填写数字", place)
            return None

    def printed(self, place: Place) -> Decimal | str | None:
        """What a formula that joins texts finds at a place: the number, or the text as typed; None when unusable."""
        cell = cell_at(self.book, place)
        if cell.formula is not None:
            value = (self.evaluated or {}).get((place.sheet, place.ref), "")
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            cell = cell._replace(kind="number" if is_number else "text", text=str(value), formula=None)
        if cell.kind == "number":
            return _FIFTEEN_DIGITS.create_decimal(cell.text)
        return cell.text or None if cell.kind == "text" else None

    def text(self, place: Place, label: str) -> str:
        """The text at a place, "" when empty or unusable."""
        cell = self.usable(place, label)
        return normalise(_number_text(cell) if cell.kind == "number" else cell.text) if cell else ""

    def problem(
        self, code: str, message: str, remedy: str, place: Place | str, fact: str | None = None, severity: Any = "block"
    ) -> None:
        """Notes a finding at a place."""
        self.findings.append(Finding(code, severity, f"{message}。{remedy}", None, str(place), fact))


def _raw_value(cell: RawCell, known: Fact, unit: str | None, date1904: bool) -> Any:
    if known.type == "money":
        return _money(cell, unit or "元")
    if known.type == "date":
        return _date(cell, date1904)
    if known.type == "bool" and cell.kind == "number":
        return {"1": True, "0": False}.get(cell.text, cell.text)
    if known.type == "share" and cell.kind == "number":
        # A cell shown as 90% stores 0.9; a share typed as text says its sign itself.
        return f"{_FIFTEEN_DIGITS.create_decimal(cell.text) * 100:f}%"
    if cell.kind == "number":
        return _number_text(cell)
    return cell.text


def _money(cell: RawCell, unit: str) -> Money:
    """A number is in the unit the form prints; text may name its own."""
    if cell.kind == "number":
        number = str(_FIFTEEN_DIGITS.create_decimal(cell.text))
        return Money.from_wan(number) if unit == "万元" else Money.from_yuan(number)
    text = normalise(cell.text).rstrip()
    # Without a digit no unit is missing, and it is told as it was typed.
    named = text.endswith(("元", "万")) or not any(map(str.isdigit, text))
    return Money.parse(text if named else text + unit)


def _date(cell: RawCell, date1904: bool) -> Any:
    if cell.kind != "number":
        return parse_date(cell.text)
    serial = Decimal(cell.text)
    if serial != serial.to_integral_value() or not 0 < serial < 10**6:
        raise InputError("E-DATE", f"“{cell.text[:30]}”不是日期", remedy="请填写日期，如 2025-05-31")
    return from_serial(int(serial), date1904=date1904)


def _number_text(cell: RawCell) -> str:
    """A number as a clerk reads it: 13800000000, not 1.38E+10; what a spreadsheet has cut off stays cut off."""
    number = _FIFTEEN_DIGITS.create_decimal(cell.text)
    return format(number.normalize(), "f")
