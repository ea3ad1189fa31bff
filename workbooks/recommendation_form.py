"""Builds a 推荐表: the official columns in official order, and set-apart working columns that do not print."""

from __future__ import annotations

from typing import Any

from openpyxl.formatting.rule import FormulaRule
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from workbooks import style
from workbooks.draft import Draft, add_basis, add_choices
from workbooks.payment_sheet import input_for
from xlcalc.facts import catalogue, fact
from xlcalc.mechanisms.cells import BAD_LEVEL, fen_or_zero, level_code
from xlcalc.mechanisms.eligibility import Eligibility, condition_facts
from xlcalc.packs.policy import Version
from xlcalc.results.explain import RESULT_LABELS
from xlcalc.values.levels import SPELLINGS

HEADER_ROW = 5
FIRST_ROW = HEADER_ROW + 1
HINTS = ("请填验收等级", BAD_LEVEL, "请填核定金额", "未达二级，不予发放", "已计算，待核查资格")
_OFFICIAL_WIDTHS = {
    "enterprise_name": 34,
    "industry": 24,
    "above_designated_size": 10,
    "contact_phone": 18,
    "remark": 24,
}


def build(draft: Draft, rows: int) -> None:
    """Lays out the table for a number of enterprises, the basis and the choices."""
    version = draft.versions[draft.form.policies[0]]
    sheet = draft.sheet(draft.form.title)
    official: list[str] = list(draft.form.data["official"])
    columns = columns_of(draft.form.data, version)
    last = HEADER_ROW + rows
    at = {name: get_column_letter(place) for place, name in enumerate(("sequence", *columns), 1)}
    _head(draft, sheet, official, at)
    for name, letter in at.items():
        working = name not in official and name != "sequence"
        _header_cell(draft, sheet, name, letter, working, version)
    _rows(draft, sheet, at, last, version)
    _close(draft, sheet, at, official, last)
    add_basis(draft)
    add_choices(draft)


def columns_of(data: Any, version: Version) -> list[str]:
    """All columns after 序号: official, working, outputs, findings, then the facts the conditions ask for."""
    eligibility: Eligibility = version.mechanism("eligibility")
    head = [*data["official"], *data["working"], *data["outputs"], "hint", "verdict"]
    asked = [name for name in eligibility.facts() if name not in head]
    return [*head, *asked, "level_code"]


def _head(draft: Draft, sheet: Worksheet, official: list[str], at: dict[str, str]) -> None:
    last = at[official[-1]]
    style.put(sheet, "A1", draft.form.data["annex"], font=style.HEADING, box=False)
    style.merge(sheet, f"A2:{last}2", draft.form.title, font=style.TITLE, align=style.CENTRE, box=False)
    sheet.row_dimensions[2].height = 36
    style.merge(sheet, "A3:B3", "推荐单位：（盖章）", font=style.HEADING, box=False)
    style.merge(sheet, f"C3:{last}3", fill=style.INPUT, unlocked=True, box=False, format=style.TEXT)
    draft.port(sheet, "C3", "i_recommending_authority", "in", fact="recommending_authority")
    style.merge(sheet, "A4:B4", "填表日期：  年  月  日", font=style.HEADING, box=False)
    style.put(sheet, "C4", fill=style.INPUT, unlocked=True, box=False, format='yyyy"年"m"月"d"日"')
    draft.port(sheet, "C4", "i_form_date", "in", fact="form_date")
    draft.rule(sheet, "C4", "date", 32874, 73050, "请填写日期，如 2025-05-31")
    first = get_column_letter(len(official) + 2)
    style.put(
        sheet, f"{first}2", "以下为工作列，不打印、不属于官方表格", font=style.NOTE, box=False, align=style.CENTRE
    )
    style.legend(sheet, f"{first}3", f"{_next(first, 1)}3", f"{_next(first, 2)}3")


def _next(letter: str, step: int) -> str:
    from openpyxl.utils import column_index_from_string

    return get_column_letter(column_index_from_string(letter) + step)


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


def _header_cell(draft: Draft, sheet: Worksheet, name: str, letter: str, working: bool, version: Version) -> None:
    title = _title(name, version) if working or name == "sequence" else fact(name).label
    style.put(
        sheet,
        f"{letter}{HEADER_ROW}",
        title,
        font=style.HEADING if not working else style.SMALL,
        fill=style.HEADER,
        align=style.CENTRE,
    )
    width = 6.0 if name == "sequence" else _OFFICIAL_WIDTHS.get(name, 14)
    width = {"uscc": 22, "verdict": 44, "hint": 22}.get(name, width)
    sheet.column_dimensions[letter].width = width


def _rows(draft: Draft, sheet: Worksheet, at: dict[str, str], last: int, version: Version) -> None:
    outputs = list(draft.form.data["outputs"])
    spellings = draft.parameters("spellings", [[word, level] for word, level in SPELLINGS.items()])
    formulas = _formulas(draft, at, version, spellings)
    for name, letter in at.items():
        span = f"{letter}{FIRST_ROW}:{letter}{last}"
        if name in formulas:
            for row in range(FIRST_ROW, last + 1):
                looks = {"format": style.MONEY, "align": style.RIGHT} if name in outputs else {"font": style.SMALL}
                style.computed_cell(sheet, f"{letter}{row}", formulas[name].replace("{row}", str(row)), **looks)
            draft.port(sheet, span, f"t_{name}", "out")
        elif name == "verdict":
            for row in range(FIRST_ROW, last + 1):
                style.put(sheet, f"{letter}{row}", font=style.SMALL, fill=style.COMPUTED)
            draft.port(sheet, span, "t_verdict", "fill")
        else:
            _input_column(draft, sheet, span, name)
            draft.port(sheet, span, f"t_{name}", "in", fact=name, unit=fact(name).unit, label=fact(name).label)
        draft.table.append(f"t_{name}")
    for row in range(FIRST_ROW, last + 1):
        sheet.row_dimensions[row].height = 24
    draft.port(sheet, f"A{HEADER_ROW}", "t_header", "identity")


def _input_column(draft: Draft, sheet: Worksheet, span: str, name: str) -> None:
    known = fact(name)
    options = [known.options[code][0] for code in draft.form.data["industries"]] if name == "industry" else []
    input_for(draft, sheet, span, known, options or [words[0] for words in known.options.values()])
    if name in draft.form.data["official"]:
        for (cell,) in sheet[span]:
            cell.font = style.BODY


def _formulas(draft: Draft, at: dict[str, str], version: Version, spellings: list[list[str]]) -> dict[str, str]:
    """The formula of each computed column, with ``{row}`` for the row number."""
    words = f"{spellings[0][0]}:{spellings[-1][0].split('!')[1]}"
    codes = f"{spellings[0][1]}:{spellings[-1][1].split('!')[1]}"
    cell = {name: f"${letter}{{row}}" for name, letter in at.items()}
    name_cell, code = cell["enterprise_name"], cell["level_code"]
    formulas = {
        "sequence": f'=IF({name_cell}="","",ROW()-ROW($A${HEADER_ROW}))',
        "level_code": level_code(cell["maturity_level"], words, codes),
    }
    known = {key: option for key, option in draft.choices.items() if key in version.interpretations}
    counted = {
        name: draft.parameters(f"counts_{name}", [[0]])[0][0]
        for name in ("cloud_voucher_received", "saas_reduction_to_date")
    }
    received = "+".join(f"{flag}*{fen_or_zero(cell[name])}" for name, flag in counted.items())
    mechanism, refs, base = _mechanism(draft, version, known)
    mark_counts(draft, mechanism, counted)
    refs |= {
        "received": received,
        "level": code,
        "base": cell.get("approved_amount", ""),
        "reduction": cell.get("reduction", ""),
    }
    cells = mechanism.excel_cells(refs)
    if base == "level":
        # A level that cannot be read gives no amount; the hint says why.
        cells["face_value"] = f'=IF({code}=-1,"",{cells["face_value"].removeprefix("=")})'
    wanted = list(draft.form.data["outputs"])
    formulas |= {name: cells[name] for name in wanted}
    missing_amount = f'IF({cell["approved_amount"]}="","{HINTS[2]}",' if "approved_amount" in cell else ""
    closing = ")" if missing_amount else ""
    amount = cell[wanted[0]]
    formulas["hint"] = (
        f'=IF({name_cell}="","",IF({code}="","{HINTS[0]}",IF({code}=-1,"{HINTS[1]}",{missing_amount}'
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


def mark_counts(draft: Draft, mechanism: Any, counted: dict[str, str]) -> None:
    """Sets the parameter that says whether an earlier amount counts against the cap."""
    for name, ref in counted.items():
        sheet, _, cell = ref.partition("!")
        draft.book[sheet][cell.replace("$", "")].value = int(name in mechanism.cap.counts)


def _close(draft: Draft, sheet: Worksheet, at: dict[str, str], official: list[str], last: int) -> None:
    letter = at["level_code"]
    sheet.column_dimensions[letter].hidden = True
    sheet.freeze_panes = f"C{FIRST_ROW}"
    sheet.row_dimensions[HEADER_ROW].height = 44
    sheet.auto_filter.ref = f"A{HEADER_ROW}:{letter}{last}"
    hint, verdict = at["hint"], at["verdict"]
    bad = f'OR(${hint}{FIRST_ROW}="{BAD_LEVEL}",${hint}{FIRST_ROW}="金额有误")'
    sheet.conditional_formatting.add(f"{hint}{FIRST_ROW}:{hint}{last}", FormulaRule(formula=[bad], fill=style.RED))
    blocked = f'LEFT(${verdict}{FIRST_ROW},3)="不符合"'
    sheet.conditional_formatting.add(
        f"{verdict}{FIRST_ROW}:{verdict}{last}", FormulaRule(formula=[blocked], fill=style.RED)
    )
    style.page(sheet, f"A1:{at[official[-1]]}{last}", landscape=True, header_rows=f"{HEADER_ROW}:{HEADER_ROW}")
    style.protect(sheet)
