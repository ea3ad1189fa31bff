"""Builds a 推荐表: the official columns in official order, and set-apart working columns that do not print."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from openpyxl.formatting.rule import FormulaRule, Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.building import style
from workbooks.building.draft import Draft, add_basis, add_choices
from workbooks.building.findings_sheet import add_findings, mark_findings
from workbooks.flavour import counts_cell, mechanism_cells
from workbooks.recommendation.payment_sheet import input_for
from workbooks.recommendation.words import HINTS
from xlcalc.facts import catalogue, fact
from xlcalc.mechanisms.cells import BAD_LEVEL, bare, fen_or_zero, level_code
from xlcalc.mechanisms.eligibility import Eligibility, condition_facts
from xlcalc.packs.policy import Version
from xlcalc.results.explain import RESULT_LABELS, STATUS_LABELS
from xlcalc.values.levels import SPELLINGS

HEADER_ROW = 5
FIRST_ROW = HEADER_ROW + 1
_WIDTHS = {
    "sequence": 6.0,
    "enterprise_name": 37.0,
    "industry": 25.0,
    "above_designated_size": 11.0,
    "contact_person": 14.0,
    "contact_phone": 20.0,
    "remark": 26.0,
    "uscc": 22.0,
    "maturity_level": 11.0,
    "hint": 22.0,
    "verdict": 84.0,
}
_WORKING_WIDTH = 15.0
_DIVIDER_WIDTH = 1.6
_ROW_FONT = Font(name="仿宋", size=18)
"""Of the empty divider column: what makes a row of one line as high as on the printed form."""
_GROUPS = {"input": "核算所需信息（填写）", "out": "自动计算", "fill": "核算意见", "asked": "资格条件（逐项填写）"}


def build(draft: Draft) -> None:
    """Lays out the table for a number of enterprises, the basis and the choices."""
    rows = draft.rows_of("", draft.form.data["rows"])
    version = draft.versions[draft.form.policies[0]]
    sheet = draft.sheet(draft.form.title)
    official: list[str] = list(draft.form.data["official"])
    columns = columns_of(draft.form.data, version)
    last = HEADER_ROW + rows
    at = _letters(columns, len(official) + 1)
    header = [_header_cell(sheet, name, letter, name in _official(official), version) for name, letter in at.items()]
    sheet.row_dimensions[HEADER_ROW].height = max(36.0, *header)
    _head(draft, sheet, official, at)
    _rows(draft, sheet, at, last, version)
    _divider(sheet, get_column_letter(len(official) + 2), last)
    _groups(draft, sheet, at, official)
    _close(draft, sheet, at, official, last)
    add_findings(draft)
    mark_findings(draft, sheet, 1)
    add_basis(draft)
    add_choices(draft)


def columns_of(data: Any, version: Version) -> list[str]:
    """All columns after 序号: official, working, outputs, findings, then the facts the conditions ask for."""
    eligibility: Eligibility = version.mechanism("eligibility")
    head = [*data["official"], *data["working"], *data["outputs"], "hint", "verdict"]
    asked = [name for name in eligibility.facts() if name not in head]
    return [*head, *asked, "level_code"]


def _official(official: list[str]) -> list[str]:
    return ["sequence", *official]


def _letters(columns: list[str], printed: int) -> dict[str, str]:
    """The letter of each column; a narrow empty column divides the printed ones from the rest."""
    names = ["sequence", *columns]
    return {name: get_column_letter(place + (place > printed)) for place, name in enumerate(names, 1)}


def _head(draft: Draft, sheet: Worksheet, official: list[str], at: dict[str, str]) -> None:
    last = at[official[-1]]
    style.put(sheet, "A1", draft.form.data["annex"], font=style.ANNEX, box=False, align=style.START)
    style.merge(sheet, f"A2:{last}2", draft.form.title, font=style.TITLE, align=style.CENTRE, box=False)
    for row, height in ((1, 24), (2, 44), (3, 26), (4, 26)):
        sheet.row_dimensions[row].height = height
    style.merge(sheet, "A3:B3", "推荐单位：（盖章）", font=style.BODY, box=False)
    style.merge(sheet, f"C3:{last}3", fill=style.INPUT, unlocked=True, box=False, format=style.TEXT)
    draft.port(sheet, "C3", "i_recommending_authority", "in", fact="recommending_authority")
    style.merge(sheet, "A4:B4", "填表日期：", font=style.BODY, box=False, format="@")
    # While no date is filled in, the label shows the blanks of the printed form behind its own text.
    blanks = DifferentialStyle(numFmt=NumberFormat(numFmtId=190, formatCode='@"      年    月    日"'))
    sheet.conditional_formatting.add("A4:B4", Rule(type="expression", dxf=blanks, formula=['$C$4=""']))
    style.put(sheet, "C4", fill=style.INPUT, unlocked=True, box=False, format=style.LONG_DATE)
    draft.port(sheet, "C4", "i_form_date", "in", fact="form_date")
    draft.rule(sheet, "C4", "date", 32874, 73050, "请填写日期，如 2025-05-31")
    first = get_column_letter(len(official) + 3)
    note = "竖线以右为工作列：供核算使用，不打印，不属于官方表格"
    style.put(sheet, f"{first}2", note, font=style.HEADING, box=False, align=style.START)
    style.legend(sheet, f"{first}3", f"{_next(first, 1)}3", f"{_next(first, 2)}3")


def _divider(sheet: Worksheet, letter: str, last: int) -> None:
    sheet.column_dimensions[letter].width = _DIVIDER_WIDTH
    for row in range(1, last + 1):
        style.put(sheet, f"{letter}{row}", font=_ROW_FONT, fill=style.DIVIDER, box=False)


def _groups(draft: Draft, sheet: Worksheet, at: dict[str, str], official: list[str]) -> None:
    """Headings over the working columns: what is filled in, what is computed, what a recalculation writes."""
    kinds = {f"t_{name}": "input" for name in draft.form.data["working"]}
    ports = {port.name: port.direction for port in draft.ports}
    shown = [name for name in at if name not in _official(official) and name != "level_code"]
    groups = [
        (kinds.get(f"t_{name}") or {"in": "asked"}.get(ports[f"t_{name}"], ports[f"t_{name}"]), name) for name in shown
    ]
    for kind, members in groupby(groups, key=lambda item: item[0]):
        letters = [at[name] for _, name in members]
        area = f"{letters[0]}4:{letters[-1]}4"
        style.merge(sheet, area, _GROUPS[kind], font=style.SMALL_HEADING, fill=style.HEADER, align=style.CENTRE)


def _next(letter: str, step: int) -> str:
    return str(get_column_letter(column_index_from_string(letter) + step))


_TITLES = {"sequence": "序号", "hint": "核算结果", "verdict": "核查意见\n（核算时填写）", "level_code": "等级代码"}


def _title(name: str, version: Version) -> str:
    if name in _TITLES:
        return _TITLES[name]
    if name in RESULT_LABELS and name not in catalogue():
        return f"{RESULT_LABELS[name]}（元）"
    known = fact(name)
    unit = f"（{known.unit}）" if known.unit else ""
    eligibility: Eligibility = version.mechanism("eligibility")
    clause = next((version.clauses[c.clause].article for c in eligibility.conditions if name in condition_facts(c)), "")
    return f"{known.label}{unit}" + (f"\n{clause}" if clause and name not in ("maturity_level",) else "")


def _header_cell(sheet: Worksheet, name: str, letter: str, printed: bool, version: Version) -> float:
    """Writes a heading, white on the printed form and shaded beside it; returns the height it needs."""
    title = fact(name).label if printed and name != "sequence" else _title(name, version)
    font = style.HEADING if printed else style.SMALL_HEADING
    looks = {} if printed else {"fill": style.HEADER}
    style.put(sheet, f"{letter}{HEADER_ROW}", title, font=font, align=style.CENTRE, **looks)
    width = _WIDTHS.get(name, _WORKING_WIDTH)
    sheet.column_dimensions[letter].width = width
    # The button of the filter covers the end of the last line.
    return style.text_height(title, width - (0 if printed else 2), font)


def _rows(draft: Draft, sheet: Worksheet, at: dict[str, str], last: int, version: Version) -> None:
    outputs = list(draft.form.data["outputs"])
    spellings = draft.parameters("spellings", [[word, level] for word, level in SPELLINGS.items()])
    formulas = _formulas(draft, at, version, spellings)
    for name, letter in at.items():
        span = f"{letter}{FIRST_ROW}:{letter}{last}"
        if name in formulas:
            for row in range(FIRST_ROW, last + 1):
                looks = {"format": style.MONEY, "align": style.RIGHT} if name in outputs else {"font": style.READING}
                style.computed_cell(sheet, f"{letter}{row}", formulas[name].replace("{row}", str(row)), **looks)
            draft.port(sheet, span, f"t_{name}", "out")
        elif name == "verdict":
            for row in range(FIRST_ROW, last + 1):
                style.put(sheet, f"{letter}{row}", font=style.READING, fill=style.COMPUTED)
            draft.port(sheet, span, "t_verdict", "fill")
        else:
            _input_column(draft, sheet, span, name)
            draft.port(sheet, span, f"t_{name}", "in", fact=name, unit=fact(name).unit, label=fact(name).label)
        draft.table.append(f"t_{name}")
    draft.port(sheet, f"A{HEADER_ROW}", "t_header", "identity")


def _input_column(draft: Draft, sheet: Worksheet, span: str, name: str) -> None:
    known = fact(name)
    options = [known.options[code][0] for code in draft.form.data["industries"]] if name == "industry" else []
    input_for(draft, sheet, span, known, options or [words[0] for words in known.options.values()])
    if name in draft.form.data["official"]:
        for (cell,) in sheet[span]:
            cell.font = style.READING if name == "remark" else style.BODY


def _formulas(draft: Draft, at: dict[str, str], version: Version, spellings: list[list[str]]) -> dict[str, str]:
    """The formula of each computed column, with ``{row}`` for the row number."""
    words = f"{spellings[0][0]}:{spellings[-1][0].split('!')[1]}"
    codes = f"{spellings[0][1]}:{spellings[-1][1].split('!')[1]}"
    cell = {name: f"${letter}{{row}}" for name, letter in at.items()}
    name_cell, code = cell["enterprise_name"], cell["level_code"]
    formulas = {
        "sequence": f'=IF({bare(name_cell)}="","",ROW()-ROW($A${HEADER_ROW}))',
        "level_code": level_code(cell["maturity_level"], words, codes),
    }
    known = version.own_choices(draft.choices)
    counted = {
        name: draft.parameters(f"counts_{name}", [[0]])[0][0]
        for name in ("cloud_voucher_received", "saas_reduction_to_date")
    }
    received = "+".join(f"{flag}*{fen_or_zero(cell[name])}" for name, flag in counted.items())
    mechanism, refs, base = _mechanism(draft, version, known)
    for name, ref in counted.items():
        draft.cell(ref).value = counts_cell(draft, draft.form.policies[0], mechanism, name)
    refs |= {
        "received": received,
        "level": code,
        "base": cell.get("approved_amount", ""),
        "reduction": cell.get("reduction", ""),
    }
    cells = mechanism_cells(draft, draft.form.policies[0], mechanism, refs)
    if base == "level":
        # A level that cannot be read gives no amount; the hint says why.
        cells["face_value"] = f'=IF({code}=-1,"",{cells["face_value"].removeprefix("=")})'
    wanted = list(draft.form.data["outputs"])
    formulas |= {name: cells[name] for name in wanted}
    missing_amount = f'IF({cell["approved_amount"]}="","{HINTS[2]}",' if "approved_amount" in cell else ""
    closing = ")" if missing_amount else ""
    amount = cell[wanted[0]]
    formulas["hint"] = (
        f'=IF({bare(name_cell)}="","",IF({code}="","{HINTS[0]}",IF({code}=-1,"{HINTS[1]}",{missing_amount}'
        f'IF({code}<2,"{HINTS[3]}",IF(ISNUMBER({amount}),"{HINTS[4]}",{amount})){closing})))'
    )
    return formulas


def _mechanism(draft: Draft, version: Version, choices: dict[str, str]) -> tuple[Any, dict[str, str], str]:
    kinds = [row["kind"] for row in version.data["mechanism"]]
    refs: dict[str, str] = {}
    if "face_value" in kinds:
        mechanism = version.mechanism("face_value", choices)
        blocks = mechanism.parameters()
        for number, (level, amount) in enumerate(draft.parameters("faces", blocks["faces"]), 1):
            refs |= {f"level_{number}": level, f"amount_{number}": amount}
        base = "level"
    else:
        mechanism = version.mechanism("discount_voucher", choices)
        blocks = mechanism.parameters()
        refs |= dict(zip(("up", "down"), draft.parameters("rate", blocks["rate"])[0], strict=True))
        base = "amount"
    refs |= dict(zip(("cap", "cap_applies"), draft.parameters("cap", blocks["cap"])[0], strict=True))
    return mechanism, refs, base


def _close(draft: Draft, sheet: Worksheet, at: dict[str, str], official: list[str], last: int) -> None:
    letter = at["level_code"]
    sheet.column_dimensions[letter].hidden = True
    sheet.freeze_panes = f"C{FIRST_ROW}"
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{letter}{last}"
    _findings(sheet, at, last)
    area = f"A1:{at[official[-1]]}{last}"
    style.page(sheet, area, landscape=True, header_rows=f"{HEADER_ROW}:{HEADER_ROW}")
    style.protect(sheet)


def _findings(sheet: Worksheet, at: dict[str, str], last: int) -> None:
    """Red for what is wrong or refused, orange for what is missing or open."""
    cell = {name: f"${letter}{FIRST_ROW}" for name, letter in at.items()}
    name, uscc, hint, verdict = (cell[key] for key in ("enterprise_name", "uscc", "hint", "verdict"))
    names = "$" + f"{at['enterprise_name']}${FIRST_ROW}:${at['enterprise_name']}${last}"
    rules = (
        ("enterprise_name", f'AND({name}<>"",COUNTIF({names},{name})>1)', style.RED),
        ("uscc", f'AND({uscc}<>"",LEN(TRIM({uscc}))<>18)', style.RED),
        ("hint", f'OR({hint}="{BAD_LEVEL}",{hint}="金额有误")', style.RED),
        ("hint", f'OR({hint}="{HINTS[0]}",{hint}="{HINTS[2]}",{hint}="{HINTS[3]}")', style.ORANGE),
        ("verdict", f'LEFT({verdict},3)="{STATUS_LABELS["not_eligible"][:3]}"', style.RED),
        ("verdict", f'LEFT({verdict},5)="{STATUS_LABELS["not_determined"]}"', style.ORANGE),
    )
    for column, formula, fill in rules:
        area = f"{at[column]}{FIRST_ROW}:{at[column]}{last}"
        sheet.conditional_formatting.add(area, FormulaRule(formula=[formula], fill=fill))
