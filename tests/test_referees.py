"""One truth, many faces: exact evaluation, int64 columns, native formulas in two programs, and the cell functions.

What is expected in words and numbers here comes from the documents or from hand arithmetic; the rest is that every
formula cell of every filled template shows the same in ``direct``, in ``formulas`` and in LibreOffice.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from workbench import (
    CLOUD,
    CLOUD_COMPANY,
    CLOUD_VOUCHER,
    E1_ANSWERS,
    E1_SCENES,
    FORM,
    MATURITY,
    SAAS,
    SAAS_COMPANY,
    SAAS_VOUCHER,
    SUBSIDY,
    TEMPLATES,
    At,
    assessment,
    differences,
    e1,
    filled,
    formula_values,
    result_values,
    row,
    same,
    save,
    scene,
    tick,
    typed,
    value,
    values,
)

from macros_bridge.listing import read_document
from udfs.adapter import call
from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.engines.libreoffice_engine import XLSX, convert
from workbooks.listed import FINDINGS_SHEET
from workbooks.recalc import Recalculated, recalculate
from workbooks.template import manifest
from xlcalc import evaluate, evaluate_many

Key = tuple[str, str]
SINGLE_BEST = {"q2": "E", "q3": "E", "q5": "E", "q8": "F", "q11": "E",
               "q12": "decrease", "q13": "increase", "q14": "increase", "q15": "decrease"}  # fmt: skip
BEST = SINGLE_BEST | {
    "q1": list("BCDE"), "q6": list("BCDE"), "q7": list("BCDE"), "q9": list("BCDE"), "q10": list("BCDEF"),
    "q4": ["product_design", "process_design", "marketing", "after_sales", "scheduling", "production_control",
           "quality", "equipment", "safety", "energy", "procurement", "warehouse_logistics", "finance",
           "human_resources"],
}  # fmt: skip
LOWEST = {"q1": ["A"], "q2": "A", "q3": "A", "q4": ["none"], "q5": "A", "q6": ["A"], "q7": ["A"], "q8": "A",
          "q9": ["A"], "q10": ["A"], "q11": "A",
          "q12": "increase", "q13": "decrease", "q14": "decrease", "q15": "increase"}  # fmt: skip
MANDATORY = ["product_design", "marketing", "production_control", "quality", "equipment", "safety", "energy",
             "procurement", "warehouse_logistics", "finance"]  # fmt: skip
GUIDING = ["process_design", "after_sales", "scheduling", "human_resources", "office_collaboration", "decision_support"]


@dataclass
class Filled:
    """A filled workbook: what its template was given, what was typed afterwards, what it must show by hand."""

    form: str
    facts: list[dict[str, Any]]
    shows: dict[At, Any] = field(default_factory=dict)
    typed: dict[At, Any] = field(default_factory=dict)
    choices: dict[str, str] | None = None

    def data(self) -> bytes:
        return typed(filled(self.form, *self.facts, choices=self.choices), self.typed)


def score(number: Any, level: str, **more: Any) -> dict[At, Any]:
    return {"o_total": number, "o_summary_level": level, "k_level_text": level} | more


def hand_forms() -> dict[str, Filled]:
    forms: dict[str, Filled] = {}

    def form(name: str, shows: Mapping[At, Any], *, then: Mapping[At, Any] | None = None, **facts: Any) -> None:
        forms[name] = Filled(FORM, [e1(**facts)], dict(shows), dict(then or {}))

    form("E1", score(
        48.25, "二级", k_scenes_2=6, k_mandatory_2=5, k_gap_points=11.75,
        o_q1=4, o_q2=3, o_q3=1.5, o_q4=3.5, o_q5=5, o_q6=2.5, o_q7=2.5, o_q8=4.5, o_q9=3.75, o_q10=3, o_q11=0,
        o_q12=6, o_q13=3, o_q14=4, o_q15=2, o_summary_score="48.25 分",
        o_summary_scenes="6 个应用场景等级达到二级，分别是：营销管理、质量管理、采购管理、仓储物流、财务管理、协同办公",
        o_summary_mandatory="其中 5 个约束性场景", o_summary_gap="距三级还差： 11.75 分 8 个场景 5 个约束性场景",
        o_count_mandatory="一级及以上 6 个；二级及以上 5 个；三级及以上 0 个；四级及以上 0 个",
        o_count_guiding="一级及以上 2 个；二级及以上 1 个；三级及以上 0 个；四级及以上 0 个",
    ))  # fmt: skip
    form("E2 best", score(100, "四级", k_scenes_at_level=16, k_mandatory_at_level=10, o_summary_gap="已达到最高等级"),
         answers=BEST, scenes=dict.fromkeys(MANDATORY + GUIDING, 4))  # fmt: skip
    form("E2 lowest", score(0, "无等级", k_scenes_at_level=0, k_mandatory_at_level=0), answers=LOWEST, scenes={})
    e3 = {"q3": "A", "q6": ["B"], "q7": ["B"], "q8": "C", "q13": "increase", "q14": "decrease", "q15": "increase"}
    form("E3", score(39.75, "一级", o_summary_score="39.75 分"), answers=e3)
    e4 = {"q1": ["B"], "q3": "A", "q6": ["B"], "q10": ["B"], "q14": "flat"}
    form("E4", score(40, "二级", k_total_units=40000), answers=e4)
    e4b = {"q7": ["B"], "q9": ["B"], "q10": ["B", "C", "D"]}
    form("E4 short", score(39.875, "一级", k_total_units=39875), answers=e4 | e4b)
    # 48.25 + 3.75 (Q9 all) + 3 (Q13 better) = 55; six guiding and two mandatory scenes at 二级
    e5 = dict.fromkeys([*GUIDING, "marketing", "procurement"], 2)
    form("E5", score(55, "无等级", k_scenes_2=8, k_mandatory_2=2, k_scenes_1=8, k_mandatory_1=2, k_gap_mandatory=1),
         answers={"q9": list("BCDE"), "q13": "increase"}, scenes=e5)  # fmt: skip
    # 100 - 7.5 (Q11) - 3 (Q12 flat) - 3 (Q13 flat) - 1.5 (one of Q10) = 85
    e7_scenes = (dict.fromkeys(MANDATORY + GUIDING, 1) | dict.fromkeys(MANDATORY[:6] + GUIDING[:3], 4)
                 | dict.fromkeys([MANDATORY[6], *GUIDING[3:5]], 3))  # fmt: skip
    form("E7", score(85, "三级", k_scenes_4=9, k_scenes_3=12, k_mandatory_3=7, k_gap_scenes=1, k_gap_points=0),
         answers=BEST | {"q11": "A", "q12": "flat", "q13": "flat", "q10": list("BCDE")}, scenes=e7_scenes)  # fmt: skip
    # 100 - 2 (one of Q1) - 1.5 (Q2 D) - 1.5 (Q3 D) - 3 (Q12 flat) = 92
    e8_scenes = dict.fromkeys(MANDATORY[:5] + GUIDING[:5], 4) | dict.fromkeys(MANDATORY[5:], 3)
    form("E8", score(92, "三级", k_scenes_4=10, k_mandatory_4=5, k_scenes_3=15, k_mandatory_3=10, k_gap_mandatory=1),
         answers=BEST | {"q1": list("BCD"), "q2": "D", "q3": "D", "q12": "flat"}, scenes=e8_scenes)  # fmt: skip

    open_score = score("未答完", "未答完", k_level="", o_subsidy=350000, o_summary_score="未答完", o_summary_gap="")
    form("unanswered", open_score | {"o_q9": "未答"}, answers={"q9": []})
    nothing = dict.fromkeys((f"o_q{number}" for number in range(1, 16)), "未答")
    form("nothing answered", open_score | nothing, answers=dict.fromkeys(E1_ANSWERS))
    form("none and others", open_score | {"o_q1": "“无”不能与其他选项同选"}, then={tick("q1", "A"): "√"})
    form("two ticks", open_score | {"o_q2": "单选只能选一项"}, then={tick("q2", "D"): "√"})
    form("unknown sign", open_score | {"o_q7": "勾选符号有误"}, then={tick("q7", "D"): "待定"})
    form("question mark", open_score | {"o_q8": "勾选符号有误"}, then={tick("q8", "E"): "？"})
    form("star", open_score | {"o_q8": "勾选符号有误"}, then={tick("q8", "E"): "*"})
    form("half-width question mark", open_score | {"o_q8": "勾选符号有误"}, then={tick("q8", "E"): "?"})
    ticked = {tick("q2", "C"): "☑", tick("q3", "B"): 1, tick("q5", "C"): " √ ", tick("q8", "D"): "■"}
    empty = {tick("q2", "D"): "□", tick("q3", "E"): 0, tick("q8", "A"): "○"}
    form("other signs", score(48.25, "二级"), then=ticked | empty)
    bad_scene = score(48.25, "场景等级有误", k_level="", o_summary_gap="")
    form("scene unreadable", bad_scene, then={scene("quality"): "五级"})
    form("reviewed otherwise", score(48.25, "二级"), then={("i_reviewed", 6): "三级", ("i_reviewed", 2): "不详"})
    spelt = {scene("quality"): "规范级", scene("finance"): 2, scene("marketing"): " 2级 ", scene("energy"): "无等级"}
    form("scenes spelt otherwise", score(48.25, "二级", k_mandatory_2=5), then=spelt)

    waiting = {"o_subsidy": "", "o_trial": "", "o_tier_2": "", "o_basis": "待填写核定投入或等级"}
    form("no cost", waiting, recognised_cost=None)
    # 自评 二级: 500000 × 70 % = 350000
    form("trial", {"o_trial": 350000, "o_subsidy": "", "o_used_level": 2, "o_accepted_code": "",
                   "o_basis": "试算（按自评等级）"}, maturity_level=None)  # fmt: skip
    form("trial without a level", {**open_score, **waiting, "o_tier_2": 350000, "o_tier_3": 250000, "o_tier_4": 200000},
         maturity_level=None, answers={"q9": []})  # fmt: skip
    bad = {"o_subsidy": "金额有误", "o_tier_2": "金额有误", "o_tier_4": "金额有误", "o_basis": "按验收等级"}
    bad_costs = {"three decimals": Decimal("500000.005"), "text": "约五十万", "negative": Decimal("-0.01"),
                 "above 10 billion": Decimal("10000000000.01")}  # fmt: skip
    for name, amount in bad_costs.items():
        form(f"cost {name}", bad, then={"i_recognised_cost": amount})
    form("level unreadable", {"o_accepted_code": -1, "o_subsidy": "等级有误", "o_trial": "", "o_tier_3": 250000},
         then={"i_maturity_level": "特级"})  # fmt: skip
    form("level unreadable, no cost", {"o_accepted_code": -1, "o_subsidy": ""}, then={"i_maturity_level": "特级"},
         recognised_cost=None)  # fmt: skip
    form("level 无等级", {"o_accepted_code": 0, "o_subsidy": 0, "o_basis": "按验收等级"}, maturity_level="无等级")
    form("cost 0", {"o_subsidy": 0, "o_tier_4": 0}, recognised_cost="0元")
    form("cost 0.01", {"o_subsidy": 0.01, "o_tier_3": 0.01, "o_tier_4": 0}, recognised_cost="0.01元")

    figures = {"answers": {
        "q2": {"choice": "C", "total": 60, "digital": 20}, "q3": {"choice": "B", "total": 60, "connected": 7},
        "q11": {"choice": "A", "years": [{"investment": "10万元", "revenue": "1000万元"},
                                         {"investment": "10.05万元", "revenue": "1100万元"}]},
        "q12": {"choice": "decrease", "energy": [120, "100.5"], "revenue": ["1000万元", "1100.25万元"]},
    }}  # fmt: skip
    shown_figures: dict[At, Any] = {
        # 20/60 = 33.333… %, 7/60 = 11.666… %; (10 + 10.05)/2 = 10.025 → 10.03
        "o_blank_q2": "具体数据［33.33%］，其中生产设备数量为［60］台，实现数字化的生产设备数量为［20］台",
        "o_blank_q3": "具体数据［11.67%］，其中实现联网的生产设备数量为［7］台",
        "o_blank_q11": "具体数据为［10.03］万元／年",
        "o_blank_q12": "企业上年综合能源消费量为［100.5］吨标准煤，前年数据为［120］吨标准煤",
        "o_blank_q14": "企业上年员工人数为［］人，营业收入为［1100.25］万元；"
                       "前年员工人数为［］人，营业收入为［1000］万元",
    }  # fmt: skip
    form("figures", score(48.25, "二级") | shown_figures, **figures)
    machines = "具体数据［］，其中生产设备数量为［{}］台，实现数字化的生产设备数量为［20］台"
    energy = "企业上年综合能源消费量为［1,000］吨标准煤，前年数据为［120］吨标准煤"
    form("figures as text", {"o_blank_q2": machines.format("六十"), "o_blank_q12": energy},
         then={"i_figure_total": "六十", ("i_figure_energy", 1): "1,000"}, **figures)  # fmt: skip
    form("no machines", {"o_blank_q2": machines.format(0)}, then={"i_figure_total": 0}, **figures)
    return forms


# 核定投入 in 元 at each boundary (−2 fen, −1, on it, +1), then by hand what 二级 70 % ≤ 35万, 三级 50 % ≤ 150万 and
# 四级 40 % ≤ 300万 pay, half-up to the fen.
COSTS = """
499999.98   349999.99  249999.99   199999.99
499999.99   349999.99  250000.00   200000.00
500000.00   350000.00  250000.00   200000.00
500000.01   350000.00  250000.01   200000.00
699999.98   350000.00  349999.99   279999.99
699999.99   350000.00  350000.00   280000.00
700000.00   350000.00  350000.00   280000.00
700000.01   350000.00  350000.01   280000.00
874999.98   350000.00  437499.99   349999.99
874999.99   350000.00  437500.00   350000.00
875000.00   350000.00  437500.00   350000.00
875000.01   350000.00  437500.01   350000.00
2999999.98  350000.00  1499999.99  1199999.99
2999999.99  350000.00  1500000.00  1200000.00
3000000.00  350000.00  1500000.00  1200000.00
3000000.01  350000.00  1500000.00  1200000.00
3749999.98  350000.00  1500000.00  1499999.99
3749999.99  350000.00  1500000.00  1500000.00
3750000.00  350000.00  1500000.00  1500000.00
3750000.01  350000.00  1500000.00  1500000.00
7499999.98  350000.00  1500000.00  2999999.99
7499999.99  350000.00  1500000.00  3000000.00
7500000.00  350000.00  1500000.00  3000000.00
7500000.01  350000.00  1500000.00  3000000.00
"""
BY_COST = {line.split()[0]: dict(zip((2, 3, 4), line.split()[1:], strict=True)) for line in COSTS.split("\n") if line}


def cost_forms() -> dict[str, Filled]:
    """Each cost once, the accepted levels in turn; the comparison on the sheet shows all three levels."""
    forms = {}
    for number, (cost, amounts) in enumerate(BY_COST.items()):
        level = 2 + number % 3
        shows: dict[At, Any] = {f"o_tier_{at}": float(amount) for at, amount in amounts.items()}
        shows |= {"o_subsidy": float(amounts[level]), "o_trial": ""}
        forms[f"{cost} at {level}"] = Filled(FORM, [e1(recognised_cost=f"{cost}元", maturity_level=level)], shows)
    # AMB-31: the best of the tiers at or below the accepted level
    for cost, level, best in (("500000.00", 3, 350000), ("874999.98", 4, 437499.99), ("3749999.98", 4, 1500000)):
        facts = e1(recognised_cost=f"{cost}元", maturity_level=level)
        forms[f"{cost} at {level} or lower"] = Filled(
            FORM, [facts], {"o_subsidy": best}, choices={"AMB-31": "max_of_lower_levels"}
        )
    return forms


def random_forms(count: int) -> dict[str, Filled]:
    """Seeded enterprises, half of them above average; every eighth leaves a question out or contradicts itself."""
    forms = {}
    for number in range(count):
        chance = random.Random(number)
        skill = chance.random()
        answers: dict[str, Any] = {}
        for question in assessment().questions:
            options = [option.code for option in question.options]
            some = [code for code in options[1:] if chance.random() < skill] if question.multi else []
            answers[question.key] = some or ([options[0]] if question.multi else chance.choice(options))
        scenes = {code: min(4, int(chance.random() * 3 + skill * 3)) for code in MANDATORY + GUIDING}
        facts = e1(
            answers=answers,
            scenes=scenes,
            recognised_cost=f"{chance.randrange(10**10) / 100:.2f}元",
            maturity_level=chance.choice([None, 0, 1, 2, 3, 4]),
        )
        filled_in = Filled(FORM, [facts])
        if number % 8 == 0:
            spoilt = chance.choice(assessment().questions)
            for option in spoilt.options:
                sign = chance.choice([None, "√", "√", "□", "待定"])
                filled_in.typed[tick(spoilt.key, option.code)] = sign
        forms[f"random {number}"] = filled_in
    return forms


CLOUD_ROWS: list[tuple[Any, Any, Any, dict[str, Any], str]] = [
    # level, 已领抵扣券, 已核减, face value by choice, hint
    ("无等级", 0, 0, {"": 0}, "未达二级，不予发放"),
    ("一级", 0, 0, {"": 0}, "未达二级，不予发放"),
    ("二级", 0, 0, {"": 10000}, "已计算，待核查资格"),
    ("三级", 0, 0, {"": 15000}, "已计算，待核查资格"),
    ("四级", 0, 0, {"": 20000}, "已计算，待核查资格"),
    (4, None, None, {"": 20000}, "已计算，待核查资格"),
    ("协同级", 0, None, {"": 20000}, "已计算，待核查资格"),
    (None, 0, 0, {"": ""}, "请填验收等级"),
    ("特级", 0, 0, {"": ""}, "等级有误"),
    (5, 0, 0, {"": ""}, "等级有误"),
    ("TRUE", 0, 0, {"": ""}, "等级有误"),
    ("?级", 0, 0, {"": ""}, "等级有误"),
    ("*", 0, 0, {"": ""}, "等级有误"),
    ("四级", 0, 80000, {"": 20000}, "已计算，待核查资格"),
    ("四级", 0, Decimal("80000.01"), {"combined": 19999.99, "": 20000}, "已计算，待核查资格"),
    ("四级", 15000, 75000, {"combined": 10000, "": 20000}, "已计算，待核查资格"),
    ("二级", 0, 100000, {"combined": 0, "": 10000}, "已计算，待核查资格"),
    ("二级", 95000, 0, {"combined": 5000, "per_instrument": 5000, "saas_only": 10000}, "已计算，待核查资格"),
    ("二级", 100000, 50000, {"combined": 0, "per_instrument": 0, "saas_only": 10000}, "已计算，待核查资格"),
]
SAAS_ROWS: list[tuple[Any, Any, Any, dict[str, Any], Any, str]] = [
    # 核定金额, 已核减, 已领抵扣券, reduction by choice, 自付 by choice, hint
    (Decimal("166666.65"), 0, 0, {"": 99999.99}, {"": 66666.66}, "已计算，待核查资格"),
    (Decimal("166666.66"), 0, 0, {"": 100000}, {"": 66666.66}, "已计算，待核查资格"),
    (Decimal("166666.67"), 0, 0, {"": 100000}, {"": 66666.67}, "已计算，待核查资格"),
    (Decimal("166666.68"), 0, 0, {"": 100000}, {"": 66666.68}, "已计算，待核查资格"),
    (120000, 0, 0, {"": 72000}, {"": 48000}, "已计算，待核查资格"),
    (200000, 0, 0, {"": 100000}, {"": 100000}, "已计算，待核查资格"),
    (0, 0, 0, {"": 0}, {"": 0}, "已计算，待核查资格"),
    (Decimal("0.01"), 0, 0, {"": 0.01}, {"": 0}, "已计算，待核查资格"),
    (Decimal("0.02"), 0, 0, {"": 0.01}, {"": 0.01}, "已计算，待核查资格"),
    (Decimal("0.005"), 0, 0, {"": "金额有误"}, {"": ""}, "金额有误"),
    ("约十二万", 0, 0, {"": "金额有误"}, {"": ""}, "金额有误"),
    (-1, 0, 0, {"": "金额有误"}, {"": ""}, "金额有误"),
    (Decimal("10000000000.01"), 0, 0, {"": "金额有误"}, {"": ""}, "金额有误"),
    (None, 0, 0, {"": ""}, {"": ""}, "请填核定金额"),
    (120000, 28000, 0, {"": 72000}, {"": 48000}, "已计算，待核查资格"),
    (120000, Decimal("28000.01"), 0, {"": 71999.99}, {"": 48000.01}, "已计算，待核查资格"),
    (120000, 100000, 0, {"": 0}, {"": 120000}, "已计算，待核查资格"),
    (120000, Decimal("100000.01"), None, {"": 0}, {"": 120000}, "已计算，待核查资格"),
    (200000, -50000, 0, {"": 100000}, {"": 100000}, "已计算，待核查资格"),
    (120000, Decimal("90000.005"), 0, {"": 72000}, {"": 48000}, "已计算，待核查资格"),
    (120000, 20000, 15000, {"combined": 65000, "": 72000}, {"combined": 55000, "": 48000}, "已计算，待核查资格"),
    (Decimal("166666.67"), 0, 20000, {"combined": 80000, "": 100000}, {"combined": 86666.67, "": 66666.67},
     "已计算，待核查资格"),
]  # fmt: skip
LEVEL_ROWS = [
    ("无等级", "未达二级，不予发放"), ("一级", "未达二级，不予发放"), ("二级", "已计算，待核查资格"),
    ("三级", "已计算，待核查资格"), ("四级", "已计算，待核查资格"), (None, "请填验收等级"), ("几级", "等级有误"),
]  # fmt: skip
CHOICES = ("combined", "saas_only", "per_instrument")


def by_choice(amounts: Mapping[str, Any], choice: str) -> Any:
    return amounts.get(choice, amounts.get(""))


def cloud_table(choice: str) -> Filled:
    facts = [CLOUD_COMPANY | {"enterprise_name": f"示例企业{n}", "uscc": None} for n in range(len(CLOUD_ROWS))]
    table = Filled(CLOUD, facts, choices={"AMB-01": choice})
    for n, (level, voucher, reduced, amounts, hint) in enumerate(CLOUD_ROWS):
        for name, cell in (("maturity_level", level), ("cloud_voucher_received", voucher),
                           ("saas_reduction_to_date", reduced)):  # fmt: skip
            table.typed[row(CLOUD, name, n)] = cell
        table.shows |= {("t_face_value", n): by_choice(amounts, choice), ("t_hint", n): hint, ("t_sequence", n): n + 1}
    return table


def saas_table(choice: str) -> Filled:
    count = len(SAAS_ROWS) + len(LEVEL_ROWS)
    facts = [SAAS_COMPANY | {"enterprise_name": f"示例企业{n}", "uscc": None} for n in range(count)]
    table = Filled(SAAS, facts, choices={"AMB-01": choice})
    for n, (amount, reduced, voucher, amounts, own, hint) in enumerate(SAAS_ROWS):
        for name, cell in (("approved_amount", amount), ("saas_reduction_to_date", reduced),
                           ("cloud_voucher_received", voucher)):  # fmt: skip
            table.typed[row(SAAS, name, n)] = cell
        table.shows |= {("t_reduction", n): by_choice(amounts, choice), ("t_own_payment", n): by_choice(own, choice)}
        table.shows |= {("t_hint", n): hint, ("t_sequence", n): n + 1}
    for n, (level, hint) in enumerate(LEVEL_ROWS, len(SAAS_ROWS)):
        table.typed[row(SAAS, "maturity_level", n)] = level
        table.shows |= {("t_hint", n): hint, ("t_reduction", n): 72000, ("t_own_payment", n): 48000}
    return table


def random_table(form: str, seed: int, rows: int) -> Filled:
    chance = random.Random(seed)
    company = CLOUD_COMPANY if form == CLOUD else SAAS_COMPANY

    def amount(most: int) -> str | None:
        return chance.choice([None, "0元", f"{chance.randrange(most) / 100:.2f}元"])

    facts = [
        company
        | {
            "enterprise_name": f"示例企业{seed}-{n}",
            "uscc": None,
            "maturity_level": chance.choice([None, 0, 1, 2, 3, 4]),
            "cloud_voucher_received": amount(2_500_000),
            "saas_reduction_to_date": amount(12_000_000),
        }
        | ({"approved_amount": amount(30_000_000)} if form == SAAS else {})
        for n in range(rows)
    ]
    return Filled(form, facts, choices={"AMB-01": chance.choice(CHOICES)})


def everything() -> dict[str, Filled]:
    books = hand_forms() | cost_forms() | random_forms(40)
    books |= {f"{form} {choice}": table(choice) for choice in CHOICES for form, table in
              (("cloud", cloud_table), ("saas", saas_table))}  # fmt: skip
    books |= {f"random {form}": random_table(form, seed, 40) for seed, form in enumerate((CLOUD, SAAS))}
    return books | {f"blank {form}": Filled(form, []) for form in TEMPLATES}


BOOKS = everything()
SLOW = ["E1", "figures as text", "unknown sign", "level unreadable", "random 8", "blank " + FORM,
        *(name for name in BOOKS if "cloud" in name or "saas" in name)]  # fmt: skip


@dataclass
class Written:
    """A filled workbook on disk, its recalculation, and every formula cell of the result with its value."""

    path: Path
    result: Recalculated
    data: bytes
    direct: dict[Key, Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    folder = tmp_path_factory.mktemp("referees")
    found = {}
    for number, (name, book) in enumerate(BOOKS.items()):
        path = save(folder, f"{number:03d}.xlsx", book.data())
        result = recalculate(path)
        found[name] = Written(path, result, result.data, result_values(result.data))
    return found


@pytest.fixture(scope="module")
def office(written: dict[str, Written], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[Key, Any]]:
    """Every formula cell as LibreOffice recalculated it: the files as typed, results of ours not yet in them."""
    folder = tmp_path_factory.mktemp("office")
    copies = convert([book.path for book in written.values()], XLSX, folder, 300)
    found = {}
    for name, book in written.items():
        copy = copies[book.path]
        assert isinstance(copy, Path), f"{name}: {copy}"
        found[name] = result_values(copy.read_bytes())
    return found


def facts_as_read(book: Written) -> list[dict[str, Any]]:
    """What ``xlcalc read --json`` prints, through JSON and back, as ``xlcalc calc`` gets it."""
    document = json.loads(json.dumps(read_document([book.path]), ensure_ascii=False))
    return [record["facts"] for record in document["files"][0]["records"]]


@pytest.mark.parametrize("name", BOOKS)
def test_the_values_worked_out_by_hand(name: str, written: dict[str, Written]) -> None:
    data = written[name].data
    shown = {at: value(data, *((at, 0) if isinstance(at, str) else at)) for at in BOOKS[name].shows}
    wrong = {at: (shown[at], want) for at, want in BOOKS[name].shows.items() if not same(shown[at], want)}
    assert not wrong


@pytest.mark.parametrize("form", TEMPLATES)
def test_the_formula_cells_are_the_output_cells(form: str, written: dict[str, Written]) -> None:
    book = written[f"blank {form}"]
    outputs = [port.name for port in manifest(form).ports if port.direction == "out"]
    sheets = openpyxl.load_workbook(book.path).worksheets
    found = {(sheet.title, cell.coordinate) for sheet in sheets for line in sheet.iter_rows() for cell in line
             if cell.data_type == "f"}  # fmt: skip
    assert found == set(formula_values(book.data))
    assert len(found) == sum(len(values(book.data, port)) for port in outputs)


def test_direct_writes_every_formula_cell_of_every_book(written: dict[str, Written]) -> None:
    for name, book in written.items():
        assert set(book.direct) <= set(book.result.changes), name
    assert sum(len(book.direct) for book in written.values()) > 15_000


@pytest.mark.libreoffice
def test_libreoffice_shows_the_same_in_every_formula_cell(
    written: dict[str, Written], office: dict[str, dict[Key, Any]]
) -> None:
    wrong = {}
    for name, book in written.items():
        wrong[name] = differences(book.direct, office[name])
    assert not {name: list(cells.items())[:5] for name, cells in wrong.items() if cells}
    assert len(wrong) == len(BOOKS)


@pytest.mark.parametrize("name", SLOW)
def test_formulas_shows_the_same_in_every_formula_cell(name: str, written: dict[str, Written]) -> None:
    book = written[name]
    computed = evaluate_formulas(book.path)
    assert not differences(book.direct, {at: shown for at, shown in computed.items() if at[0] != FINDINGS_SHEET})


def test_what_is_read_and_calculated_is_what_the_form_shows(written: dict[str, Written]) -> None:
    determined = 0
    for name, book in written.items():
        if BOOKS[name].form != FORM:
            continue
        (facts,) = facts_as_read(book)
        data = book.data
        level = value(data, "k_level")
        assessed = evaluate(MATURITY, facts, choices=None).results
        assert assessed.get("maturity_level", "") == level, name
        units = value(data, "k_total_units")
        exact: Any = assessed.get("score")
        if units == "" or value(data, "k_level_text") == "场景等级有误":
            assert level == "", name
        if units != "":
            assert exact == Fraction(units, 1000), name
            assert same(value(data, "o_total"), float(exact)), name
            determined += 1
        subsidy = evaluate(SUBSIDY, facts, choices=_own(book.result.read.choices, SUBSIDY)).results.get("subsidy")
        shown = value(data, "o_subsidy")
        assert (shown == "" or isinstance(shown, str)) if subsidy is None else same(shown, subsidy.fen / 100), name
    assert determined >= 80


def _own(choices: Mapping[str, str], policy: str) -> dict[str, str]:
    wanted = {SUBSIDY: ("AMB-31",), CLOUD_VOUCHER: ("AMB-01",), SAAS_VOUCHER: ("AMB-01",)}[policy]
    return {key: choices[key] for key in wanted}


@pytest.mark.parametrize(
    ("form", "policy", "key"), [(CLOUD, CLOUD_VOUCHER, "face_value"), (SAAS, SAAS_VOUCHER, "reduction")]
)
def test_what_is_read_and_calculated_is_what_the_table_shows(
    form: str, policy: str, key: str, written: dict[str, Written]
) -> None:
    compared = 0
    for name, book in written.items():
        if BOOKS[name].form != form:
            continue
        shown = values(book.data, f"t_{key}")
        for number, facts in enumerate(facts_as_read(book)):
            amount = evaluate(policy, facts, choices=_own(book.result.read.choices, policy)).results.get(key)
            if amount is None:
                assert isinstance(shown[number], str), (name, number)
            else:
                assert same(shown[number], amount.fen / 100), (name, number)
                compared += 1
    assert compared > 70


@pytest.mark.parametrize(("cost", "level"), [(cost, level) for cost in BY_COST for level in (2, 3, 4)])
def test_each_cost_at_each_level_by_hand(cost: str, level: int) -> None:
    want = BY_COST[cost][level]
    outcome = evaluate(SUBSIDY, {"recognised_cost": f"{cost}元", "maturity_level": level})
    assert f"{outcome.results['subsidy'].yuan:.2f}" == want
    assert call("XLC_SUBSIDY", [SUBSIDY, float(cost), level]) == float(want)


# --- whole columns and cell functions


def mask(question: Any, answer: Any) -> int:
    ticked = [answer] if isinstance(answer, str) else answer["choice"] if isinstance(answer, dict) else answer
    return sum(1 << question.index(code) for code in ([ticked] if isinstance(ticked, str) else ticked))


def complete(written: dict[str, Written]) -> list[tuple[str, Written, dict[str, Any]]]:
    """Forms on which every question has one readable answer and every scene a readable level."""
    found = []
    for name, book in written.items():
        if BOOKS[name].form == FORM and value(book.data, "k_level") != "":
            found.append((name, book, facts_as_read(book)[0]))
    assert len(found) >= 75
    return found


def test_columns_agree_with_every_complete_form(written: dict[str, Written]) -> None:
    books = complete(written)
    columns = {
        question.key: np.array([mask(question, facts["answers"][question.key]) for _, _, facts in books])
        for question in assessment().questions
    }
    levels = [[facts.get("scenes", {}).get(held.key, 0) for held in assessment().scenes] for _, _, facts in books]
    got = evaluate_many(MATURITY, columns | {"scenes": np.array(levels)})
    assert got["score_units"].tolist() == [value(book.data, "k_total_units") for _, book, _ in books]
    assert got["maturity_level"].tolist() == [value(book.data, "k_level") for _, book, _ in books]


def test_columns_of_costs_agree_with_the_forms(written: dict[str, Written]) -> None:
    for choice in ("literal", "max_of_lower_levels"):
        books = [
            book
            for name, book in written.items()
            if BOOKS[name].form == FORM
            and book.result.read.choices["AMB-31"] == choice
            and isinstance(value(book.data, "o_subsidy"), int | float)
        ]
        facts = [book.result.read.records[0].facts for book in books]
        columns = {
            "recognised_cost": np.array([held["recognised_cost"].fen for held in facts]),
            "maturity_level": np.array([int(held["maturity_level"]) for held in facts]),
        }
        got = evaluate_many(SUBSIDY, columns, choices={"AMB-31": choice})["subsidy"]
        assert got.dtype == np.int64
        assert got.tolist() == [round(value(book.data, "o_subsidy") * 100) for book in books]
        assert len(books) >= (60 if choice == "literal" else 3)


@pytest.mark.parametrize(
    ("form", "policy", "key"), [(CLOUD, CLOUD_VOUCHER, "face_value"), (SAAS, SAAS_VOUCHER, "reduction")]
)
def test_columns_agree_with_the_tables(form: str, policy: str, key: str, written: dict[str, Written]) -> None:
    seen = 0
    for name, book in written.items():
        if BOOKS[name].form != form or not book.result.read.records:
            continue
        shown = values(book.data, f"t_{key}")
        wanted = [
            (record.facts, amount)
            for record, amount in zip(book.result.read.records, shown, strict=False)
            if isinstance(amount, int | float)
        ]
        fen = {
            fact: np.array([held[fact].fen if held.get(fact) else 0 for held, _ in wanted])
            for fact in ("approved_amount", "cloud_voucher_received", "saas_reduction_to_date")
        }
        if form == CLOUD:
            fen["maturity_level"] = np.array([int(held["maturity_level"]) for held, _ in wanted])
        got = evaluate_many(policy, fen, choices=_own(book.result.read.choices, policy))
        assert got[key].tolist() == [round(amount * 100) for _, amount in wanted], name
        if form == SAAS:
            own = [round(amount * 100) for amount in values(book.data, "t_own_payment") if amount != ""]
            assert got["own_payment"].tolist() == own, name
        seen += len(wanted)
    assert seen > 70


def label(question: Any, answer: Any) -> str:
    """An answer as a person types it into one cell."""
    given = answer["choice"] if isinstance(answer, dict) else answer
    codes = [given] if isinstance(given, str) else given
    return "、".join(question.options[question.index(code)].label if len(code) > 1 else code for code in codes)


def test_cell_functions_agree_with_every_complete_form(written: dict[str, Written]) -> None:
    for name, book, facts in complete(written):
        answers = [[label(question, facts["answers"][question.key])] for question in assessment().questions]
        levels = [[facts.get("scenes", {}).get(held.key)] for held in assessment().scenes]
        data = book.data
        assert same(call("XLC_SCORE", [MATURITY, answers]), value(data, "o_total")), name
        assert call("XLC_LEVEL", [MATURITY, answers, levels]) == value(data, "k_level"), name
        cost, accepted = value(data, "i_recognised_cost"), value(data, "i_maturity_level")
        if book.result.read.choices["AMB-31"] == "literal":
            shown = value(data, "o_subsidy")
            got = call("XLC_SUBSIDY", [SUBSIDY, cost, accepted])
            unreadable = value(data, "o_accepted_code") == -1 or shown == "金额有误"
            assert got == "#VALUE!" if unreadable else same(got, shown), name


def test_cell_functions_agree_with_the_table(written: dict[str, Written]) -> None:
    data = written["cloud combined"].data
    levels, shown = values(data, "t_maturity_level"), values(data, "t_face_value")
    received = [
        [(voucher or 0) + (reduced or 0)]
        for voucher, reduced in zip(
            values(data, "t_cloud_voucher_received"), values(data, "t_saas_reduction_to_date"), strict=True
        )
    ]
    got: Any = call("XLC_FACE_VALUE", [CLOUD_VOUCHER, [[level] for level in levels], received])
    hints = values(data, "t_hint")
    for (one,), cell, hint in zip(got, shown, hints, strict=True):
        assert same(one, cell) or (one == "#VALUE!" and hint == "等级有误")
    assert sum(isinstance(one, int | float) for (one,) in got) == len(CLOUD_ROWS) - 6


def test_the_scenes_named_here_are_those_of_the_standard() -> None:
    held = {scene_.key: scene_.mandatory for scene_ in assessment().scenes}
    assert held == dict.fromkeys(MANDATORY, True) | dict.fromkeys(GUIDING, False)
    assert set(E1_SCENES) <= set(held)
