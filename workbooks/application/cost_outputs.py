"""What the 投入核算表 shows: the waterfall line by line, the formulas beside it, the totals and the 补贴."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from workbooks.files.cellxml import RawCell, parse_ref
from workbooks.files.rawbook import RawBook
from workbooks.ports import Place, area_of, cell_at, places
from workbooks.record import Record, Shown
from xlcalc.errors import InputError
from xlcalc.facts import fact
from xlcalc.mechanisms import cost_cells
from xlcalc.mechanisms.cells import BAD_AMOUNT, BAD_LEVEL
from xlcalc.mechanisms.cost_cells import LineCells
from xlcalc.mechanisms.cost_recognition import CostRecognition, Waterfall, WaterfallLine
from xlcalc.mechanisms.tiered_rate import TieredRate
from xlcalc.packs.policy import Version
from xlcalc.results.outcome import Outcome
from xlcalc.values.dates import from_serial
from xlcalc.values.levels import parse_level
from xlcalc.values.money import Money

RESULTS = (
    ("cut", "剔除金额（元）", 14.0),
    ("reduced", "核减金额（元）", 14.0),
    ("recognised", "核定金额（元）", 14.0),
    ("reason", "剔除、核减的原因和条款；尚缺", 46.0),
)
"""Columns that a recalculation fills, behind 申报金额."""
LIVE = {"lowest": "最低金额（元）", "days": "计入天数", "whole_days": "服务天数", "before_cap": "封顶前（元）"}
"""Steps of 试算 beside the inputs."""
OPEN = "待核定"

FOLLOWING = ("o_cost_", "k_cost_")
"""Formulas over cells that a recalculation fills: what is stored in them belongs to the one before."""

_MOST = Decimal(10**10)
_AMOUNTS = ("declared", "contract", "invoice", "payment")


def cost_outputs(
    book: RawBook, record: Record, version: Version, choices: Mapping[str, str], outcome: Outcome | None
) -> Shown:
    """Every result of the sheet, as its fills and formulas show it; no outcome: nothing is filled in."""
    known = version.own_choices(choices)
    mechanism: CostRecognition = version.mechanism("cost_recognition", known)
    waterfall: Waterfall | None = outcome.detail("waterfall") if outcome else None
    found = {line.row: line for line in waterfall.lines} if waterfall else {}
    notes = _notes(waterfall)
    numbers = _numbers(record, mechanism.table)
    declared = area_of(book, f"c_{mechanism.table}_declared_amount")
    rows = range(declared.first_row, declared.last_row + 1)
    lines = [found.get(numbers.get(row, 0)) for row in rows]
    shown: Shown = {
        f"fill_cost_{key}": [_result(key, line, version, notes) if line else "" for line in lines]
        for key, _, _ in RESULTS
    }
    excluded = [_excluded(line, notes) if line else "" for line in lines]
    typed = [_line(book, mechanism, row, bool(reason)) for row, reason in zip(rows, excluded, strict=True)]
    cells = cost_cells.cell_values(mechanism, typed)
    shown |= {f"k_cost_{key}": [value[key] for value in cells] for key in LIVE}
    shown |= {"fill_cost_excluded": excluded, "o_cost_trial": [value["recognised"] for value in cells]}
    rate: TieredRate = version.mechanism("tiered_rate", known)
    return _without_new_rows(book, shown, [line is not None for line in lines]) | _totals(book, mechanism, rate, shown)


def _numbers(record: Record, table: str) -> dict[int, int]:
    """Sheet row -> number of the line in the facts."""
    numbers = range(1, len(record.facts.get(table) or ()) + 1)
    places = (record.facts_at[f"{table}.{number}"] for number in numbers)
    return {parse_ref(place.rpartition("!")[2])[0]: number for place, number in zip(places, numbers, strict=True)}


def _notes(waterfall: Waterfall | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, note in waterfall.notes if waterfall else ():
        found.setdefault(name, []).append(note.sentence)
    return found


def _result(key: str, line: WaterfallLine, version: Version, notes: Mapping[str, list[str]]) -> Any:
    if key == "reason":
        return _reason(line, version, notes)
    if line.recognised is None or line.declared is None:
        return OPEN if key == "recognised" else ""
    taken = line.declared - line.recognised
    fen = {"cut": taken * line.excluded, "reduced": taken * (not line.excluded), "recognised": line.recognised}
    return Money(fen[key])


def _reason(line: WaterfallLine, version: Version, notes: Mapping[str, list[str]]) -> str:
    said = [
        f"{f'核减 {Money(item.fen)}，' if item.fen else ''}{item.sentence}（{version.clauses[item.clause].article}）"
        for item in line.deductions
    ]
    said += notes.get(line.name, [])
    columns = fact("investment_lines").columns
    if line.missing:
        said.append("缺：" + "、".join(columns[name].label for name in line.missing))
    return "；".join([*said, *line.waits_for])


def _excluded(line: WaterfallLine, notes: Mapping[str, list[str]]) -> str:
    if not line.excluded:
        return ""
    reasons = [item.sentence for item in line.deductions] or notes.get(line.name, [])
    return reasons[0] if reasons else "红字发票"


def _line(book: RawBook, mechanism: CostRecognition, row: int, excluded: bool) -> LineCells:
    """The inputs of a line as its formulas see them."""
    table = fact(mechanism.table)

    def cell(column: str) -> RawCell:
        area = area_of(book, f"c_{mechanism.table}_{column}")
        return cell_at(book, Place(area.sheet, row, area.first_col))

    shown = {words[0].upper(): code for code, words in table.columns["category"].options.items()}
    prepaid = cell("prepaid").text.replace(" ", "").replace("　", "")
    declared, contract, invoice, payment = (_fen(cell(f"{name}_amount")) for name in _AMOUNTS)
    return LineCells(
        category=shown.get(cell("category").text.upper(), ""), item=cell("item").text,
        amounts=(declared, contract, invoice, payment),
        excluded=excluded, prepaid=None if not prepaid else prepaid == "是", start=_day(book, cell("service_start")),
        end=_day(book, cell("service_end")), paid=_day(book, cell("payment_date")), linked=cell("linked_item").text,
    )  # fmt: skip


def _fen(cell: RawCell) -> int | None:
    """As ``usable_amount`` reads a cell: -1 for what is no amount in whole fen."""
    if cell.kind == "empty" or (cell.kind == "text" and not cell.text):
        return None
    if cell.kind != "number":
        return -1
    fen = Decimal(cell.text) * 100
    whole = round(fen)
    return whole if 0 <= fen <= _MOST * 100 and abs(fen - whole) < Decimal("0.001") else -1


def _day(book: RawBook, cell: RawCell) -> date | None:
    return from_serial(int(Decimal(cell.text)), date1904=book.date1904) if cell.kind == "number" else None


def _without_new_rows(book: RawBook, shown: Shown, filled: Sequence[bool]) -> Shown:
    """An empty row that somebody put in has no formulas beside it, and they are not missed."""
    found: Shown = {}
    for name, values in shown.items():
        cells = [cell_at(book, place) for place in places(book, name)]
        follows = name.startswith(FOLLOWING)
        found[name] = [
            None if follows and cell.formula is None and not has else value
            for cell, value, has in zip(cells, values, filled, strict=True)
        ]
    return found


def _totals(book: RawBook, mechanism: CostRecognition, rate: TieredRate, shown: Shown) -> Shown:
    declared = [_typed_fen(cell_at(book, place)) for place in places(book, f"c_{mechanism.table}_declared_amount")]
    found: Shown = {"o_cost_total_declared": Decimal(sum(declared)) / 100}
    sums = {key: [item.fen for item in shown[f"fill_cost_{key}"] if isinstance(item, Money)] for key, _, _ in RESULTS}
    found |= {f"o_cost_total_{key}": Money(sum(sums[key])) for key in ("cut", "reduced")}
    recognised = sums["recognised"]
    waiting = OPEN in shown["fill_cost_recognised"] or _numbered(book, mechanism.table) > len(recognised)
    total: Any = OPEN if waiting else Money(sum(recognised)) if recognised else ""
    level = _level(cell_at(book, places(book, "i_maturity_level")[0]))
    found |= {"o_cost_total_recognised": total, "o_cost_level": level}
    paid: Any = OPEN if waiting else ""
    if isinstance(total, Money) and not isinstance(level, str):
        usable = total.fen <= _MOST * 100
        paid = BAD_LEVEL if level < 0 else rate.cell_values(total.fen, level)["subsidy"] if usable else BAD_AMOUNT
    found["o_cost_subsidy"] = paid
    return found


def _typed_fen(cell: RawCell) -> Decimal:
    """What SUM adds of a cell, in fen."""
    return Decimal(cell.text) * 100 if cell.kind == "number" else Decimal(0)


def _numbered(book: RawBook, table: str) -> int:
    """How many lines have a number."""
    heads, numbers = area_of(book, f"h_{table}"), area_of(book, f"o_number_{table}")
    columns = range(heads.first_col + 1, heads.last_col + 1)
    rows = range(numbers.first_row, numbers.last_row + 1)
    return sum(
        cell_at(book, Place(numbers.sheet, row, numbers.first_col)).formula is not None
        and any(cell_at(book, Place(numbers.sheet, row, column)).kind != "empty" for column in columns)
        for row in rows
    )


def _level(cell: RawCell) -> int | str:
    """The code ``level_code`` finds: -1 for what is no level, "" for an empty cell."""
    if not cell.text.strip():
        return ""
    try:
        return int(parse_level(cell.text))
    except InputError:
        return -1
