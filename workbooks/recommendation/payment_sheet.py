"""The set-apart sheet on which the amount is worked out: inputs, conditions, amount, comparison of levels."""

from __future__ import annotations

from typing import Any

from openpyxl.formatting.rule import FormulaRule
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.building import style
from workbooks.building.draft import Draft
from workbooks.flavour import mechanism_cells, tier_cell
from workbooks.recommendation.words import ACCEPTED, TRIAL, WAITING
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.cells import level_code
from xlcalc.mechanisms.eligibility import CompiledCondition, Eligibility, condition_facts
from xlcalc.mechanisms.tiered_rate import TieredRate
from xlcalc.packs.policy import Version
from xlcalc.values.levels import LABELS

FIRST_CONDITION_ROW = 20
_WIDTHS = (33, 22, 17, 17, 36)
_LEVEL_FORMAT = '[=0]"无等级";[<0]"无法识别";0"级"'


def add_payment(draft: Draft, *, level: str, level_text: str) -> None:
    """Adds the sheet; level, level_text: the cells with the self-assessed level as 0–4 or "" and as text."""
    policy = draft.form.policies[1]
    version = draft.versions[policy]
    known = version.own_choices(draft.choices)
    rate: TieredRate = version.mechanism("tiered_rate", known)
    title = draft.form.data["payment_title"]
    sheet = draft.sheet(title)
    style.widths(sheet, zip("ABCDE", _WIDTHS, strict=True))
    style.merge(sheet, "A1:E1", f"{title}（不属于官方表格，供核算人员使用）", font=style.SUBTITLE, box=False)
    note = "验收等级未填时只作试算，试算金额不是拨付金额。可拨付与否以核算结果（依据表）为准。"
    style.merge(sheet, "A2:E2", note, font=style.NOTE, box=False)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 28, 22
    _inputs(draft, sheet)
    _result(draft, sheet, rate, level, level_text)
    _comparison(draft, sheet, rate)
    eligibility: Eligibility = version.mechanism("eligibility", known)
    last = _conditions(draft, sheet, eligibility, version)
    style.legend(sheet, "G1", "G2", "G3")
    style.page(sheet, f"A1:E{last}", landscape=False)
    sheet.freeze_panes = "A3"
    style.protect(sheet)


def _inputs(draft: Draft, sheet: Worksheet) -> None:
    style.put(sheet, "A4", "核定投入（元）", font=style.HEADING)
    style.input_cell(sheet, "B4", format=style.MONEY)
    draft.port(sheet, "B4", "i_recognised_cost", "in", fact="recognised_cost", unit="元")
    draft.rule(
        sheet, "B4", "decimal", 0, 10000000000, "请填写不小于0、精确到分的金额，单位为元", "单位：元（不是万元）"
    )
    style.merge(sheet, "C4:E4", fact("recognised_cost").help, font=style.NOTE)
    sheet.row_dimensions[4].height = sheet.row_dimensions[5].height = 28
    style.put(sheet, "A5", "验收等级", font=style.HEADING)
    style.input_cell(sheet, "B5")
    draft.dropdown(sheet, "B5", list(LABELS), "第三方或验收专家认定的等级")
    draft.port(sheet, "B5", "i_maturity_level", "in", fact="maturity_level")
    style.merge(sheet, "C5:E5", fact("maturity_level").help, font=style.NOTE)


def _result(draft: Draft, sheet: Worksheet, rate: TieredRate, level: str, level_text: str) -> None:
    spellings = str(draft.book.defined_names["p_spellings"].attr_text).replace("'", "")
    words, codes = _columns(spellings)
    rows = (
        (7, "自评等级", f"={level_text}", "o_self_level"),
        (8, "验收等级代码", level_code("$B$5", words, codes), "o_accepted_code"),
        (9, "计算依据的等级", f'=IF($B$8="",{level},$B$8)', "o_used_level"),
        (10, "说明", f'=IF(OR($B$9="",$B$4=""),"{WAITING}",IF($B$8="","{TRIAL}","{ACCEPTED}"))', "o_basis"),
    )
    for row, label, formula, name in rows:
        style.put(sheet, f"A{row}", label, font=style.HEADING)
        style.computed_cell(sheet, f"B{row}", formula, format=_LEVEL_FORMAT if row in (8, 9) else None)
        draft.port(sheet, f"B{row}", name, "out")
    refs = tier_refs(draft, rate)
    refs |= {"base": "$B$4", "level": "$B$9"}
    formula = mechanism_cells(draft, draft.form.policies[1], rate, refs)["subsidy"].removeprefix("=")
    for row, label, wanted, name in (
        (11, "补贴（元）", "<>", "o_subsidy"),
        (12, "试算金额（元），不作拨付", "=", "o_trial"),
    ):
        style.put(sheet, f"A{row}", label, font=style.HEADING)
        font = style.AMOUNT if name == "o_subsidy" else style.BODY
        style.computed_cell(sheet, f"B{row}", f'=IF($B$8{wanted}"",{formula},"")', font=font, format=style.MONEY)
        draft.port(sheet, f"B{row}", name, "out")
    heading = "核算结果（核算时填写）"
    style.merge(sheet, "C6:E6", heading, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    for row in range(6, 13):
        sheet.row_dimensions[row].height = 22 if row == 6 else 28
    style.merge(sheet, "C7:E12", fill=style.COMPUTED, font=style.READING, align=style.TOP_LEFT)
    draft.port(sheet, "C7", "fill_payment", "fill", label="核算结果")
    sheet.conditional_formatting.add("B10", FormulaRule(formula=[f'$B$10="{TRIAL}"'], fill=style.ORANGE))
    for ref in ("B8:B9", "B11:B12"):
        sheet.conditional_formatting.add(
            ref, FormulaRule(formula=[f'OR({ref[:2]}=-1,{ref[:2]}="金额有误")'], fill=style.RED)
        )


def _columns(area: str) -> tuple[str, str]:
    sheet, _, span = area.partition("!")
    first, _, last = span.partition(":")
    top, bottom = first.rpartition("$")[2], last.rpartition("$")[2]
    return f"{sheet}!$B${top}:$B${bottom}", f"{sheet}!$C${top}:$C${bottom}"


def tier_refs(draft: Draft, rate: TieredRate) -> dict[str, str]:
    """The parameter cells of the tiers, under the names ``excel_cells`` of a rate takes them by."""
    blocks = rate.parameters()
    refs = {"take_best_lower": draft.parameters("take_best_lower", blocks["take_best_lower"])[0][0]}
    for number, row in enumerate(draft.parameters("tiers", blocks["tiers"]), 1):
        refs |= dict(zip((f"level_{number}", f"up_{number}", f"down_{number}", f"cap_{number}"), row, strict=True))
    return refs


def _comparison(draft: Draft, sheet: Worksheet, rate: TieredRate) -> None:
    """The same cost at every level, so that a 等级倒挂 is seen at a glance."""
    style.put(sheet, "A14", "同一核定投入在各等级下的补贴（元）", font=style.HEADING, fill=style.HEADER)
    area = str(draft.book.defined_names["p_tiers"].attr_text).replace("'", "").replace("$", "")
    sheet_name, _, span = area.partition("!")
    top = int(span.partition(":")[0].lstrip("B"))
    for place, tier in enumerate(rate.tiers):
        column = "BCD"[place]
        cells = dict(
            zip(("level", "up", "down", "cap"), (f"{sheet_name}!${c}${top + place}" for c in "BCDE"), strict=True)
        )
        formula = tier_cell(draft, draft.form.policies[1], rate, "$B$4", f"{column}$14", cells)
        style.put(sheet, f"{column}14", LABELS[tier.level], font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
        style.computed_cell(sheet, f"{column}15", formula, format=style.MONEY)
        if place:
            lower = f"AND(ISNUMBER({column}$15),MAX($B$15:{'BCD'[place - 1]}$15)>{column}$15)"
            sheet.conditional_formatting.add(f"{column}15", FormulaRule(formula=[lower], fill=style.ORANGE))
        used = f"AND(ISNUMBER({column}$15),$B$9={tier.level})"
        sheet.conditional_formatting.add(f"{column}14:{column}15", FormulaRule(formula=[used], fill=style.TICKED))
        draft.port(sheet, f"{column}15", f"o_tier_{tier.level}", "out")
    style.put(sheet, "A15", "按比例计算并封顶后的金额")
    note = (
        "绿色为本次所用等级；橙色表示较低等级的金额反而较高（等级倒挂）：投入较小时会出现，属文件规定，按验收等级计算。"
    )
    style.merge(sheet, "A16:E16", note, font=style.NOTE, box=False)
    for row, height in ((14, 30), (15, 26), (16, 22)):
        sheet.row_dimensions[row].height = height


def _conditions(draft: Draft, sheet: Worksheet, eligibility: Eligibility, version: Version) -> int:
    style.merge(
        sheet, "A18:E18", "申报条件（逐项填写；未填写的项不能确定可否拨付）", font=style.HEADING, fill=style.HEADER
    )
    for column, label in zip("ABCDE", ("事项", "填写", "条款", "编号", "要求"), strict=True):
        style.put(sheet, f"{column}19", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    sheet.row_dimensions[18].height = sheet.row_dimensions[19].height = 24
    row = FIRST_CONDITION_ROW
    done = {"maturity_level", "recognised_cost"}
    for condition in eligibility.conditions:
        for name in condition_facts(condition):
            if name in done:
                continue
            done.add(name)
            _condition_row(draft, sheet, row, fact(name), condition, version)
            row += 1
    return row - 1


def _condition_row(
    draft: Draft, sheet: Worksheet, row: int, known: Fact, condition: CompiledCondition, version: Version
) -> None:
    style.put(sheet, f"A{row}", known.label)
    input_for(draft, sheet, f"B{row}", known, options_of(condition, known))
    style.put(sheet, f"C{row}", version.clauses[condition.clause].article, font=style.SMALL, align=style.CENTRE)
    style.put(sheet, f"D{row}", condition.feature, font=style.SMALL, align=style.CENTRE)
    says = known.help or condition.says
    style.put(sheet, f"E{row}", says, font=style.READING)
    draft.port(sheet, f"B{row}", f"i_{known.id}", "in", fact=known.id)
    heights = style.text_height(known.label, _WIDTHS[0]), style.text_height(says, _WIDTHS[4], style.READING)
    sheet.row_dimensions[row].height = max(24.0, *heights)


def options_of(condition: CompiledCondition, known: Fact) -> list[str]:
    """The labels a dropdown offers for an option fact: those the condition allows, else all."""
    body: Any = condition.test.get("one_of", {})
    codes = body.get("values", ()) if body.get("fact") == known.id else ()
    return [known.options[code][0] for code in (codes or known.options)]


def input_for(draft: Draft, sheet: Worksheet, refs: str, known: Fact, options: list[str]) -> None:
    """An input cell (or column of cells) with the check that fits the fact's type."""
    formats = {"date": style.DATE, "money": style.MONEY, "text": style.TEXT, "uscc": style.TEXT}
    for row in sheet[refs] if ":" in refs else ((sheet[refs],),):
        for cell in row:
            style.input_cell(sheet, cell.coordinate, font=style.READING, format=formats.get(known.type))
    if known.type == "bool":
        draft.dropdown(sheet, refs, ["是", "否"], known.help)
    elif known.type == "level":
        draft.dropdown(sheet, refs, list(LABELS), known.help)
    elif known.type == "option":
        draft.dropdown(sheet, refs, options, known.help)
    elif known.type == "date":
        draft.rule(sheet, refs, "date", 32874, 73050, "请填写日期，如 2025-05-31", known.help)
    elif known.type == "money":
        prompt = f"单位：{known.unit}。{known.help}"
        draft.rule(sheet, refs, "decimal", 0, 10000000000, f"请填写不小于0的金额，单位：{known.unit}", prompt)
