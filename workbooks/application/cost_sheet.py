"""The 投入核算表: contract, invoice and payment lines, what of each is recognised, and the 补贴 that follows.

Result columns are filled by a recalculation; beside them 试算 follows what is typed, by native formulas. The totals
are sums of the columns and so add up to what the lines say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openpyxl.formatting.rule import FormulaRule
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.application import blocks as application_blocks
from workbooks.application.cost_outputs import LIVE, OPEN, RESULTS
from workbooks.application.fields import single
from workbooks.application.tables import columns_of, grid_of, table
from workbooks.building import style
from workbooks.building.canvas import WHOLE, Canvas
from workbooks.building.draft import Draft
from workbooks.flavour import mechanism_cells
from workbooks.recommendation.payment_sheet import tier_refs
from xlcalc.mechanisms import cost_cells
from xlcalc.mechanisms.cells import level_code
from xlcalc.mechanisms.cost_recognition import CostRecognition
from xlcalc.mechanisms.tiered_rate import TieredRate
from xlcalc.values.levels import SPELLINGS

_EXCLUDED = ("excluded", "整行剔除的原因", 26.0)


def cost_sheet(draft: Draft, sheet: Worksheet, spec: Mapping[str, Any]) -> None:
    """Heading and totals, then one line a row; what proves a line stands beside the printed columns."""
    version = draft.versions[spec.get("policy", draft.form.policies[0])]
    known = version.own_choices(draft.choices)
    mechanism: CostRecognition = version.mechanism("cost_recognition", known)
    rate: TieredRate = version.mechanism("tiered_rate", known)
    canvas = Canvas(draft, sheet, (*grid_of(spec), *(width for _, _, width in RESULTS)), by_column=True)
    for block in spec["block"]:
        _HEAD[block["kind"]](canvas, block)
    totals = canvas.row
    canvas.row += 2
    heads = table(canvas, spec)
    first, last = _rows(draft, mechanism)
    printed = len([column for column in columns_of(spec) if not column.working])
    _fills(canvas, heads, (first, last), 2 + printed)
    _lines(canvas, mechanism, heads, (first, last))
    _totals(canvas, rate, mechanism, totals)
    sheet.freeze_panes = f"C{first}"
    canvas.finish({"landscape": True, **spec}, header_rows=heads)


_HEAD = {"title": application_blocks.title, "fields": application_blocks.fields, "text": application_blocks.text}


def _rows(draft: Draft, mechanism: CostRecognition) -> tuple[int, int]:
    cells = draft.cells(f"c_{mechanism.table}_declared_amount")
    return cells[0].row, cells[-1].row


def _fills(canvas: Canvas, heads: str, rows: tuple[int, int], at: int) -> None:
    """The columns a recalculation fills, as printed columns behind those of the table."""
    for place, (key, label, _) in enumerate(RESULTS, at):
        align = style.LEFT if key == "reason" else style.CENTRE
        _column(canvas, get_column_letter(place), heads, rows, label, f"fill_cost_{key}", align=align)


def _column(
    canvas: Canvas, letter: str, heads: str, rows: tuple[int, int], label: str, port: str, align: Any = style.CENTRE
) -> None:
    """A grey column with its heading: ``fill`` ports stay empty, ``o`` and ``k`` ports get their formulas later."""
    sheet, (top, _, bottom) = canvas.sheet, heads.partition(":")
    area = f"{letter}{top}:{letter}{bottom}"
    style.merge(sheet, area, label, font=style.HEADING, align=style.CENTRE, fill=style.HEADER)
    for row in range(rows[0], rows[1] + 1):
        style.put(sheet, f"{letter}{row}", fill=style.COMPUTED, align=align, font=style.READING, format=style.MONEY)
    direction: Any = "fill" if port.startswith("fill_") else "out"
    canvas.draft.port(sheet, f"{letter}{rows[0]}:{letter}{rows[1]}", port, direction, label=label)


def _lines(canvas: Canvas, mechanism: CostRecognition, heads: str, rows: tuple[int, int]) -> None:
    """The formulas of each line, right of the inputs they follow."""
    draft, sheet = canvas.draft, canvas.sheet
    at = len(canvas.grid) + 2 + len(canvas.beside)
    columns = [
        (f"fill_cost_{_EXCLUDED[0]}", _EXCLUDED[1]), ("o_cost_trial", "试算核定（元）"),
        *((f"k_cost_{key}", label) for key, label in LIVE.items()),
    ]  # fmt: skip
    letters = {}
    for place, (port, label) in enumerate(columns, at):
        letters[port.rpartition("cost_")[2]] = get_column_letter(place)
        canvas.beside.append(_EXCLUDED[2] if port.startswith("fill") else 14.0)
        _column(canvas, get_column_letter(place), heads, rows, label, port)
    for key in ("days", "whole_days"):
        for row in range(rows[0], rows[1] + 1):
            sheet[f"{letters[key]}{row}"].number_format = "0"
    letters |= {key: draft.cells(f"c_{mechanism.table}_{name}")[0].column_letter for key, name in _INPUTS.items()}
    letters["recognised"] = letters.pop("trial")
    parameters = dict(_parameters(draft, mechanism))
    for row in range(rows[0], rows[1] + 1):
        refs = {**parameters, **_refs(letters, rows, row)}
        for key, formula in cost_cells.excel_cells(mechanism, refs).items():
            sheet[f"{letters[key]}{row}"] = formula
    result = draft.cells("fill_cost_recognised")[0].column_letter
    differs = f"AND(ISNUMBER(${letters['recognised']}{rows[0]}),${letters['recognised']}{rows[0]}<>${result}{rows[0]})"
    area = f"{result}{rows[0]}:{result}{rows[1]}"
    sheet.conditional_formatting.add(area, FormulaRule(formula=[differs], fill=style.ORANGE))


_INPUTS = {
    "category": "category", "item": "item", "declared": "declared_amount", "contract": "contract_amount",
    "invoice": "invoice_amount", "payment": "payment_amount", "prepaid": "prepaid", "start": "service_start",
    "end": "service_end", "paid": "payment_date", "linked": "linked_item",
}  # fmt: skip


def _refs(letters: Mapping[str, str], rows: tuple[int, int], row: int) -> dict[str, str]:
    first, last = rows
    refs = {key: f"${letter}{row}" for key, letter in letters.items()}
    for name, key in (("items", "item"), ("categories", "category"), ("all_before_cap", "before_cap")):
        refs[name] = f"${letters[key]}${first}:${letters[key]}${last}"
    if row > first:
        for name, key in (
            ("linked_above", "linked"),
            ("categories_above", "category"),
            ("recognised_above", "recognised"),
        ):
            refs[name] = f"${letters[key]}${first}:${letters[key]}{row - 1}"
    return refs


def _parameters(draft: Draft, mechanism: CostRecognition) -> Iterator[tuple[str, str]]:
    """The parameter cells under the names ``excel_cells`` calls them by."""
    names: Mapping[str, Sequence[str]] = {
        "line_amounts": ("use_contract", "use_invoice", "use_payment", "exact"), "line_prepaid": ("months", "last"),
        "service_linked": ("by_software",),
    }  # fmt: skip
    for block, values in cost_cells.parameters(mechanism).items():
        if not values:
            continue
        cells = [cell for row in draft.parameters(block, values) for cell in row]
        kind = block.partition("_")[0]
        yield from zip(names.get(block, [f"{kind}_{n}" for n in range(1, len(cells) + 1)]), cells, strict=True)


def _totals(canvas: Canvas, rate: TieredRate, mechanism: CostRecognition, row: int) -> None:
    """What the recognised cost pays at the accepted level, and the sums over the columns they add up."""
    draft, policy, here = canvas.draft, canvas.draft.form.policies[0], canvas.row
    canvas.row = row
    single(canvas, {"fact": "maturity_level"}, 2, 3, "验收等级")
    canvas.merge(0, 2, "验收等级", font=style.HEADING, align=style.CENTRE)
    spellings = draft.parameters("spellings", [[word, level] for word, level in SPELLINGS.items()])
    words, codes = (f"{column[0]}:{column[-1].partition('!')[2]}" for column in zip(*spellings, strict=True))
    total = draft.cells(f"c_{mechanism.table}_declared_amount")[0].column + 3
    base, level = (
        f"${get_column_letter(total)}${row + 1}",
        _total(canvas, 4, 5, level_code(f"$C${row}", words, codes), "o_cost_level", "0"),
    )
    canvas.merge(3, 4, "等级代码", font=style.HEADING, align=style.CENTRE)
    paid = mechanism_cells(draft, policy, rate, tier_refs(draft, rate) | {"base": base, "level": level})["subsidy"]
    canvas.merge(5, 6, "补贴金额（元）", font=style.HEADING, align=style.CENTRE)
    _total(canvas, 6, 8, f'=IF({base}="{OPEN}","{OPEN}",{paid.removeprefix("=")})', "o_cost_subsidy")
    said = "补贴按核定投入合计和验收等级计算；可拨付与否以核算结论为准"
    canvas.merge(8, WHOLE, said, font=style.SMALL, align=style.INSET)
    canvas.next(38)
    recognised, numbers = "fill_cost_recognised", f"o_number_{mechanism.table}"
    waiting = f'OR(COUNTIF({recognised},"{OPEN}")>0,COUNT({numbers})>COUNT({recognised}))'
    sums = {
        "declared": f"=SUM(c_{mechanism.table}_declared_amount)",
        "cut": "=SUM(fill_cost_cut)",
        "reduced": "=SUM(fill_cost_reduced)",
        "recognised": f'=IF({waiting},"{OPEN}",IF(COUNT({recognised})=0,"",SUM({recognised})))',
    }
    canvas.merge(0, total - 4, "合计（申报－剔除－核减＝核定投入）", font=style.HEADING, align=style.CENTRE)
    for place, (key, formula) in enumerate(sums.items(), total - 4):
        _total(canvas, place, place + 1, formula, f"o_cost_total_{key}")
    canvas.merge(total, WHOLE)
    canvas.next(30)
    canvas.row = here


def _total(canvas: Canvas, start: int, end: int, formula: str, port: str, format: str = style.MONEY) -> str:
    """A result over a span of columns; returns its cell, fixed."""
    cell = canvas.merge(start, end, formula, fill=style.COMPUTED, align=style.CENTRE, format=format)
    canvas.draft.port(canvas.sheet, cell, port, "out")
    return f"${cell.rstrip('0123456789')}${canvas.row}"
