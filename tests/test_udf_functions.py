"""Every function a cell may call, on one table of cases whose values come from documents and hand arithmetic.

``CASES`` and ``BAD`` are also run through each front end; cells are written as a person sees them, ``#N/A`` being
an error value.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from casebook import policy_cases
from hypothesis import given
from hypothesis import strategies as st
from ledger.ledger_bench import FIRST, A, B, C
from udf_tables import BUYER, CANDIDATES, LINES, LOOKED_UP, RECOGNISED, ROSTER, changed, line, table

from udfs import awards, enterprise, versions
from udfs.adapter import UdfError, call
from udfs.registry import UDFS
from xlcalc import evaluate, explain, load_policy
from xlcalc.facts import catalogue
from xlcalc.mechanisms.cost_recognition import CostRecognition
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import policy_ids
from xlcalc.results.explain import RESULT_LABELS
from xlcalc.values.amount_words import amount_in_words
from xlcalc.values.money import MAX_FEN, Money
from xlcalc.values.word_count import MODES, count_words, parse_mode

pytestmark = pytest.mark.usefixtures("cell_ledger")

SURVEY, NATIONAL = "hohhot.maturity_2024", "national.maturity_2024"
SUBSIDY, VOUCHER, SAAS = "hohhot.transformation_subsidy", "shijiazhuang.cloud_voucher", "shijiazhuang.saas_voucher"
BENCHMARK, CHAIN = "shijiazhuang.benchmark_sme", "shijiazhuang.chain_case"
PLATFORM, SIZES = "zaozhuang.demonstration_platform", "national.sme_size_2011"
LARGE, MEDIUM, SMALL, MICRO = "大型企业", "中型企业", "小型企业", "微型企业"
VALUE, NA, REF = "#VALUE!", "#N/A", "#REF!"
MAY_31 = 45808  # 2025-05-31 as a cell stores it

# E1 of the standard's worked examples: 48.25 points, 二级; six scenes at 二级, five of them mandatory.
E1 = [
    "BC", "C", "B", "营销管理、质量管理、采购管理、仓储物流、财务管理", "C", "BC", "BC", "D", "BC", "BD", "A",
    "降低", "持平", "增加", "持平",
]  # fmt: skip
# The same as the tick cells of the form, question by question, options as printed.
E1_TICKS = [int(state) for state in (
    "01100" "00100" "01000" "000100010001110" "00100" "01100" "01100" "000100" "01100" "010100" "10000"
    "100" "010" "001" "010"
)]  # fmt: skip
E1_SCENES = [None, None, "二级", None, None, None, "二级", "一级", 1, None, 2, 2, 2, None, 2, None]
BEST = [
    "BCDE", "E", "E", "产品设计、工艺设计、营销管理、售后服务、计划排程、生产管控、质量管理、设备管理、安全生产、"
    "能耗管理、采购管理、仓储物流、财务管理、人力资源", "E", "BCDE", "BCDE", "F", "BCDE", "BCDEF", "E",
    "降低", "增加", "增加", "降低",
]  # fmt: skip
ALL_FOUR = [4] * 16


def column(cells: list[Any]) -> list[list[Any]]:
    return [[cell] for cell in cells]


# Every condition of the document met; 50万 at 三级 pays 50 % = 25万.
MET: dict[str, Any] = {
    "在本市注册登记": "是", "independent_legal_person": True, "试点企业": 1, "属于中小企业": "是",
    "行业": "特色食品加工",
    "implementation_start": "2024-08-01", "完工日期": date(2025, 6, 30), "period_end": 45961,
    "documents_in_period": "是", "not_listed_abnormal": "是", "product_not_restricted": "是",
    "no_major_incidents": "是", "centrally_funded_little_giant": "否", "验收等级": "三级", "核定投入": 500000,
    "申报日期": "2025年9月30日",
}  # fmt: skip


def facts(**changed: Any) -> list[list[Any]]:
    return [[name, value] for name, value in (MET | changed).items()]


HEADINGS = [["序号", "核定投入（万元）", *(name for name in MET if name != "核定投入")]]
NO_COST = [value for name, value in MET.items() if name != "核定投入"]
ROWS = [
    [1, 50, *NO_COST],
    [2, None, *NO_COST],
    [None] * (len(NO_COST) + 2),
    [3, "五十", *NO_COST],
    [4, NA, *NO_COST],
    [5, 50, "否", *NO_COST[1:]],
]


@dataclass(frozen=True)
class Case:
    """says: what the text contains, where it is not given in full."""

    name: str
    args: list[Any]
    expect: Any = None
    says: tuple[str, ...] = ()


CASES = [
    Case("XLC_SCORE", [SURVEY, column(E1)], 48.25),
    Case("XLC_SCORE", [SURVEY, [E1, BEST, [None] * 15, [*E1[:14], None], ["X", *E1[1:]]]],
         column([48.25, 100.0, "", "", VALUE])),
    Case("XLC_SCORE", [SURVEY, column(E1), date(2025, 5, 31)], 48.25),
    Case("XLC_SCORE", [SURVEY, column(E1_TICKS)], 48.25),
    Case("XLC_SCORE", [SURVEY, [E1_TICKS, [0] * 79, [*E1_TICKS[:76], 0, 0, 0], [*E1_TICKS[:78], 1]]],
         column([48.25, "", "", VALUE])),
    # as printed, three of the five scenes of E1 do not count: 48.25 - 3 x 0.7; national: 35/35/30 for 30/30/40
    Case("XLC_SCORE", [SURVEY, column(E1_TICKS), None, "AMB-51=7_as_printed"], 46.15),
    Case("XLC_SCORE", [SURVEY, column(E1), None, [["AMB-49", "national"], ["AMB-51", "7_as_printed"]]], 46.15),
    Case("XLC_QUESTION_SCORE", [SURVEY, column([1, "第2题", "q3", 4, 5, "4", None]), E1[3]], column(
        [VALUE, VALUE, VALUE, 3.5, VALUE, 3.5, ""])),
    Case("XLC_QUESTION_SCORE", [SURVEY, "2", column([None, " ", 1, "□", 0])], 3),
    Case("XLC_QUESTION_SCORE", [SURVEY, 2, [[None, "", "√", "□", 0], [0] * 5, [1, 1, 0, 0, 0], [0, -1, 1, 0, 0],
                                            [0, 0, True, 0, 0]]], column([3, "", VALUE, VALUE, VALUE])),
    Case("XLC_QUESTION_SCORE", [SURVEY, 12, "降低"], 6),
    Case("XLC_QUESTION_SCORE", [SURVEY, 12, "降低", None, "AMB-49=national"], 7),
    Case("XLC_QUESTION_SCORE", [SURVEY, 12, None], ""),
    Case("XLC_LEVEL", [SURVEY, column(E1), column(E1_SCENES)], 2),
    Case("XLC_LEVEL", [SURVEY, column(E1_TICKS), column(E1_SCENES)], 2),
    Case("XLC_LEVEL", [SURVEY, [E1, BEST], [E1_SCENES, ALL_FOUR]], [[2], [4]]),
    Case("XLC_LEVEL", [SURVEY, [E1, BEST], [E1_SCENES]], [[2], [2]]),
    Case("XLC_SCENE_COUNT", [SURVEY, [E1_SCENES], column([0, "一级", 2, "三级", None])], column([16, 8, 6, 0, ""])),
    Case("XLC_SCENE_COUNT", [SURVEY, [E1_SCENES, ALL_FOUR], 2], [[6], [16]]),
    Case("XLC_SCENE_COUNT", [SURVEY, [[None] * 16], 1], 0),
    Case("XLC_MANDATORY_COUNT", [SURVEY, [E1_SCENES], column([1, 2, 3])], column([7, 5, 0])),
    Case("XLC_MANDATORY_COUNT", [NATIONAL, [ALL_FOUR], 4, "2025-05-31"], 10),
    # 三级 takes 60 points, 8 scenes, 5 of them mandatory
    Case("XLC_GAP_POINTS", [SURVEY, column(E1), column(E1_SCENES)], 11.75),
    Case("XLC_GAP_SCENES", [SURVEY, column(E1), column(E1_SCENES)], 8),
    Case("XLC_GAP_MANDATORY", [SURVEY, column(E1), column(E1_SCENES)], 5),
    Case("XLC_GAP_POINTS", [SURVEY, [E1, BEST, [None] * 15], [E1_SCENES, ALL_FOUR, ALL_FOUR]], [[11.75], [0], [""]]),
    Case("XLC_GAP_SCENES", [SURVEY, [BEST], [ALL_FOUR]], 0),
    Case("XLC_GAP_MANDATORY", [SURVEY, [BEST], [ALL_FOUR], "2025-05-31"], 0),
    # 第十四条: 10000 / 15000 / 20000
    Case("XLC_FACE_VALUE", [VOUCHER, column(["二级", "集成级", 4, "一级", None, NA, "五级"])],
         column([10000.0, 15000.0, 20000.0, 0.0, "", NA, VALUE])),
    Case("XLC_FACE_VALUE", [VOUCHER, "三级", column([0, "9万元", 95000])], column([15000.0, 10000.0, 5000.0])),
    Case("XLC_FACE_VALUE", [VOUCHER, [["二级", "三级"], ["四级", None]]], [[10000.0, 15000.0], [20000.0, ""]]),
    Case("XLC_FACE_VALUE", [[[VOUCHER], [SUBSIDY]], "二级"], [[10000.0], [VALUE]]),
    Case("XLC_FACE_VALUE", [VOUCHER, "三级", None, "2025-05-31"], 15000.0),
    # AMB-01: under saas_only what vouchers were had before does not count
    Case("XLC_FACE_VALUE", [VOUCHER, "三级", 95000, None, column(["AMB-01=saas_only"])], 15000.0),
    Case("XLC_FACE_VALUE", [VOUCHER, "三级", 95000, None, "AMB-31=literal；ａｍｂ-01＝saas_only，\n"], 15000.0),
    Case("XLC_FACE_VALUE", [VOUCHER, "三级", 95000, None, "AMB-31=literal"], 5000.0),
    Case("XLC_FACE_VALUE", [VOUCHER, column(["三级", None]), 95000, None, "；"], column([5000.0, ""])),
    # 第十四条: 60 % off, at most 100000; 166666.65 x 60 % = 99999.99
    Case("XLC_REDUCTION", [SAAS, column([120000, "20万", 166666.65, 166666.66, None, True, NA, 0.001])],
         column([72000.0, 100000.0, 99999.99, 100000.0, "", VALUE, NA, VALUE])),
    Case("XLC_OWN_PAYMENT", [SAAS, column([120000, "20万", 166666.65, 166666.66, None, True, NA, 0.001])],
         column([48000.0, 100000.0, 66666.66, 66666.66, "", VALUE, NA, VALUE])),
    Case("XLC_REDUCTION", [SAAS, 120000, 95000], 5000.0),
    Case("XLC_OWN_PAYMENT", [SAAS, 120000, 95000], 115000.0),
    Case("XLC_REDUCTION", [SAAS, 120000, None, MAY_31], 72000.0),
    Case("XLC_OWN_PAYMENT", [SAAS, 120000, None, MAY_31], 48000.0),
    # 申报指南 2: 70 % / 35万, 50 % / 150万, 40 % / 300万
    Case("XLC_SUBSIDY", [SUBSIDY, column([400000, "50万元", 800000, None]), "二级"],
         column([280000.0, 350000.0, 350000.0, ""])),
    Case("XLC_SUBSIDY", [SUBSIDY, column([500000] * 5), column([2, 3, 4, 1, 0])],
         column([350000.0, 250000.0, 200000.0, 0.0, 0.0])),
    Case("XLC_SUBSIDY", [SUBSIDY, Decimal("500000"), 2, "2025-05-31"], 350000.0),
    # AMB-31: the best of the tiers up to the level, where 50 % of 50万 is less than 70 %
    Case("XLC_SUBSIDY", [SUBSIDY, 500000, column([2, 3, 4]), None, "AMB-31=max_of_lower_levels"],
         column([350000.0] * 3)),
    Case("XLC_SUBSIDY", [SUBSIDY, 500000, 3, None, [[None, None], ["AMB-31", "max_of_lower_levels"]]], 350000.0),
    Case("XLC_SUBSIDY", [SUBSIDY, 500000, 3, None, [[None, ""], ["", None]]], 250000.0),
    Case("XLC_SUBSIDY", [SUBSIDY, column([500000, None]), 3, None, "AMB-31"], column([VALUE, VALUE])),
    Case("XLC_TIER_AMOUNT", [SUBSIDY, 500000, column([0, 1, 2, 3, 4, None]), None, "AMB-31=max_of_lower_levels"],
         column([0.0, 0.0, 350000.0, 250000.0, 200000.0, ""])),
    Case("XLC_TIER_AMOUNT", [SUBSIDY, column(["50万元", None, -1]), "三级"], column([250000.0, "", VALUE])),
    # 四: 30, 20, 10万 for 小灯塔, 车间及工厂, 创新能力; 小灯塔 or 车间及工厂, at most two
    Case("XLC_AWARD", [BENCHMARK, column(["小灯塔", "数字化车间及智能工厂", "创新能力", "小灯塔、创新能力",
                                          "智能工厂, 创新能力显著提升", None, "无", "小灯塔、智能工厂",
                                          "小灯塔、智能工厂、创新能力", "机器人", NA])],
         column([3e5, 2e5, 1e5, 4e5, 3e5, "", VALUE, VALUE, VALUE, VALUE, NA])),
    Case("XLC_AWARD", [BENCHMARK, "小灯塔、创新能力", column(["小灯塔", "创新能力", "小灯塔、创新能力", "无", None,
                                                                  "是"])],
         column([1e5, 3e5, 0.0, 4e5, 4e5, VALUE])),
    Case("XLC_AWARD", [BENCHMARK, "“小灯塔”标杆企业、创新能力显著提升企业", "小灯塔", None, "AMB-97=each_time"], 4e5),
    # AMB-84: only the highest of several
    Case("XLC_AWARD", [BENCHMARK, column(["小灯塔、创新能力", "创新能力"]), None, None, "AMB-84=highest"],
         column([3e5, 1e5])),
    # 四（一）: 50万, once
    Case("XLC_AWARD", [CHAIN], 5e5),
    Case("XLC_AWARD", [CHAIN, None, column(["是", "否", "无", None, "小灯塔", NA])],
         column([0.0, 5e5, 5e5, 5e5, VALUE, NA])),
    Case("XLC_AWARD", [CHAIN, None, "是", "2024-06-30"], 0.0),
    Case("XLC_AWARD", [CHAIN, None, "是", None, "AMB-97=each_time"], 5e5),
    Case("XLC_AWARD", [CHAIN, "小灯塔"], VALUE),
    # 第四条: 30, 20, 10万; it does not say what an earlier prize does
    Case("XLC_AWARD", [PLATFORM, column(["一等奖", "二等奖", "三等奖", "first", "四等奖", None])],
         column([3e5, 2e5, 1e5, 3e5, VALUE, ""])),
    Case("XLC_AWARD", [PLATFORM, "一等奖", column(["否", "是"])], column([3e5, VALUE])),
    Case("XLC_AWARD", [SUBSIDY, "一等奖"], VALUE),
    Case("XLC_AWARD", [column([BENCHMARK, PLATFORM, CHAIN]), column(["小灯塔", "一等奖", None]), None, column([
        "2025-07-20", MAY_31, "2024-05-01"])], column([3e5, 3e5, 5e5])),
    # a tie within one prize is none; one between two prizes is never broken; nor is a score that is missing
    Case("XLC_PRIZE", [PLATFORM, CANDIDATES, column([1, 2, 3, 4, 5, None, 6, 0]), [[1, 1, 1]]],
         column(["一等奖", "等次待定", "", "等次待定", "未获奖", "", VALUE, VALUE])),
    Case("XLC_PRIZE", [PLATFORM, CANDIDATES, column([1, 2, 4, 5]), column([1, 2, 0])],
         column(["一等奖", "二等奖", "二等奖", "未获奖"])),
    Case("XLC_PRIZE", [PLATFORM, CANDIDATES, column([1, 2, 4, 5]), [["名额", "等次"], [2, "三等奖"], [1, "一等奖"],
                                                                    [1, "二等奖"]]],
         column(["一等奖", "等次待定", "等次待定", "三等奖"])),
    Case("XLC_PRIZE", [PLATFORM, [["name", "score"], ["甲", 9], ["乙", None], ["丙", 8]], column([1, 2, 3]),
                       [[1, 1, 0]]],
         column(["等次待定", "等次待定", "等次待定"])),
    Case("XLC_PRIZE", [PLATFORM, [["name", "score"], ["甲", 9], ["乙", None], ["丙", 8]], column([1, 2, 3]),
                       [[0, 3, 0]]],
         column(["二等奖"] * 3)),
    Case("XLC_PRIZE", [PLATFORM, CANDIDATES, 1, [[1, 1, None]]], ""),
    Case("XLC_PRIZE", [PLATFORM, CANDIDATES, 1, [["等次", "名额"], ["一等奖", 1], ["二等奖", 1]]], ""),
    Case("XLC_PRIZE", [PLATFORM, [["平台名称", "复审得分"], [None, None]], 1, [[1, 1, 1]]], ""),
    Case("XLC_PRIZE", [PLATFORM, [["平台名称", "复审得分"], ["甲平台", 95], ["甲 平台", 92]], column([1, 2]),
                       [[1, 1, 1]]],
         column([VALUE, VALUE])),
    Case("XLC_PRIZE", [SUBSIDY, CANDIDATES, 1, [[1, 1, 1]]], VALUE),
    # 四（二）工业: 1000人 and 40000万, 300人 and 2000万, 20人 and 300万
    Case("XLC_ENTERPRISE_SIZE", [SIZES, "工业", column([1000, 999, 1000, 300, 299, 300, 20, 19, 20]), column([
        4e8, "40000万元", 399999999.99, 2e7, 2e7, 19999999.99, 3e6, 3e6, 2999999.99])],
         column([LARGE, MEDIUM, MEDIUM, MEDIUM, SMALL, SMALL, SMALL, MICRO, MICRO])),
    # 四（一）, （三）, （十六）: by revenue alone, by revenue and assets, by employees alone; 制造业 is 工业
    Case("XLC_ENTERPRISE_SIZE", [SIZES, column(["农、林、牧、渔业", "建筑业", "其他未列明行业", "制造业", "航天",
                                                None]), 300, 8e7, 5e7],
         column([MEDIUM, MEDIUM, LARGE, MEDIUM, VALUE, ""])),
    Case("XLC_ENTERPRISE_SIZE", [SIZES, "建筑业", None, column([6e7, 6e7, 3e6, 3e6]),
                                 column(["5000万元", 49999999.99, 3e6, 2999999.99])],
         column([MEDIUM, SMALL, SMALL, MICRO])),
    # what is missing is empty, unless what is there is already below 小型
    Case("XLC_ENTERPRISE_SIZE", [SIZES, "工业", column([300, 19, None, None]), column([None, None, "2000万元", 0])],
         column(["", MICRO, "", MICRO])),
    Case("XLC_ENTERPRISE_SIZE", [VOUCHER, "批发业", 20, "5000万元", None, MAY_31], MEDIUM),
    Case("XLC_ENTERPRISE_SIZE", [SUBSIDY, "工业", 300, 2e7], VALUE),
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), LOOKED_UP, ROSTER], 484900.0),
    Case("XLC_RECOGNISED_LINES", [SUBSIDY, table(*LINES), column([1, 2, 3, 4, 5, 6, None, 7, 0]), LOOKED_UP, ROSTER],
         column([*RECOGNISED, "", VALUE, VALUE])),
    # AMB-36: by months, 18 of 24: 73,000.00 x 18/24 = 54,750.00
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), LOOKED_UP, ROSTER, MAY_31, "AMB-36=month"], 484750.0),
    Case("XLC_RECOGNISED_LINES", [SUBSIDY, table(*LINES), 3, LOOKED_UP, ROSTER, None, "AMB-36=month"], 54750.0),
    # 1(3): a contract of 2024-06-30 is out; the last day of the period and the list of providers decide
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*changed(LINES, 5, 合同签订日期="2024-06-30")), LOOKED_UP, ROSTER],
         464900.0),
    Case("XLC_RECOGNISED_LINES", [SUBSIDY, table(*changed(LINES, 5, 合同签订日期=45473)), column([5, 6]), LOOKED_UP,
                                  ROSTER], column([0.0, 10000.0])),
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), LOOKED_UP], ""),
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), None, ROSTER], ""),
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), LOOKED_UP, ROSTER[:2]], 430000.0),
    Case("XLC_RECOGNISED_LINES", [SUBSIDY, table(*changed(LINES, 5, 发票金额=None)), column([5, 6]), LOOKED_UP, ROSTER],
         column(["", 10000.0])),
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*changed(LINES, 5, 发票金额=None)), LOOKED_UP, ROSTER], ""),
    # the lowest of contract, invoice and payment; an amount in 万元 is one
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(line(1, "MES系统", "软件", 300000)), LOOKED_UP, ROSTER], 300000.0),
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*changed([line(1, "MES系统", "软件", 300000)], 1, 合同金额=29.999999)),
                                 LOOKED_UP, ROSTER], 299999.99),
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*[[None] * 29] * 3), LOOKED_UP, ROSTER], ""),
    Case("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), [["企业名称", BUYER], ["项目申报截止日期", "十月"]], ROSTER],
         VALUE),
    Case("XLC_RECOGNISED_COST", [column([SUBSIDY, SAAS, None]), table(*LINES), LOOKED_UP, ROSTER],
         column([484900.0, VALUE, ""])),
    Case("XLC_PARAMETER", [SUBSIDY, "subsidy.tiers.3.cap"], 1500000.0),
    Case("XLC_PARAMETER", [SUBSIDY, column(["subsidy.tiers.2.rate", "subsidy.lowest", "subsidy.tiers.1.cap", None])],
         column([0.7, 2, VALUE, ""])),
    Case("XLC_PARAMETER", [VOUCHER, "conditions.conditions.contract_window.test.between_dates.last"], MAY_31),
    Case("XLC_PARAMETER", [VOUCHER, "face_value.cap.applies"], 1),
    Case("XLC_PARAMETER", [SAAS, "reduction.cap.amount", "2025-05-31"], 100000.0),
    Case("XLC_PARAMETER", [SAAS, "reduction.cap.counts.cloud_voucher_received", None, column(["AMB-01=combined"])], 1),
    Case("XLC_PARAMETER", [SAAS, column([f"reduction.cap.counts.{name}" for name in
                                         ("cloud_voucher_received", "saas_reduction_to_date", "no_such_fact")]),
                           None, "AMB-01=saas_only"], column([0, 1, VALUE])),
    Case("XLC_RESULT", [SUBSIDY, column(["subsidy", "补贴金额", "payable", "核定投入", "maturity_level", "award",
                                         None]), facts()],
         column([250000.0, 250000.0, 250000.0, 500000.0, 3, VALUE, ""])),
    Case("XLC_RESULT", [SUBSIDY, "subsidy", facts(), None, None, "AMB-31=max_of_lower_levels"], 350000.0),
    Case("XLC_RESULT", [SUBSIDY, "可拨付", HEADINGS, ROWS], column([250000.0, "", "", VALUE, NA, 0.0])),
    Case("XLC_RESULT", [SUBSIDY, "补贴金额", HEADINGS, ROWS], column([250000.0, "", "", VALUE, NA, 250000.0])),
    Case("XLC_RESULT", [VOUCHER, "抵扣券面额", [["验收等级"]], column(["二级", "三级", "四级", "无等级", None])],
         column([10000.0, 15000.0, 20000.0, 0.0, ""])),
    Case("XLC_RESULT", [SAAS, column(["核减金额", "own_payment"]), [["审定金额", 1]]], column(["", ""])),
    Case("XLC_RESULT", [BENCHMARK, column(["award", "ratios.digital_rate", "生产设备数字化率", "indicators.rd_share",
                                           "ratios.network_rate", "生产效率比改造前变化", "企业规模"]),
                        [["申报方向", "小灯塔、创新能力"], ["此前已获奖补的方向", "无"], ["生产设备数", 100],
                         ["数字化生产设备数", 60], ["rd_expense（万元）", 520], ["主营业务收入", "10000万元"]]],
         column([4e5, 0.6, 0.6, 0.052, "", VALUE, VALUE])),
    Case("XLC_RESULT_TEXT", [SUBSIDY, column(["maturity_level", "数字化水平等级", "subsidy", "没有", None]), facts()],
         column(["三级", "三级", VALUE, VALUE, ""])),
    Case("XLC_RESULT_TEXT", [SIZES, "企业规模", [["划型行业", "从业人员数", "营业收入（万元）"]],
                             [["工业", 300, 2000], ["工业", 20, 299.999999], ["工业", 300, None]]],
         column([MEDIUM, MICRO, ""])),
    Case("XLC_RESULT", [SIZES, "enterprise_size", [["划型行业", "工业"]]], VALUE),
    Case("XLC_STATUS", [SUBSIDY, facts()], "可以确定"),
    Case("XLC_STATUS", [SUBSIDY, facts(属于中小企业="否")], "不符合条件"),
    Case("XLC_STATUS", [SUBSIDY, facts(核定投入=None)], "尚不能确定"),
    Case("XLC_STATUS", [SUBSIDY, facts(核定投入="五十")], VALUE),
    Case("XLC_STATUS", [SUBSIDY, facts(核定投入=REF)], REF),
    Case("XLC_STATUS", [SUBSIDY, [["核定投入", None], ["验收等级", ""]]], ""),
    Case("XLC_STATUS", [VOUCHER, [["验收等级", 2]], None, "2024-12-31"], "政策不在有效期内"),
    Case("XLC_STATUS", [SUBSIDY, HEADINGS, ROWS],
         column(["可以确定", "尚不能确定", "", VALUE, NA, "不符合条件"])),
    Case("XLC_STATUS", [SUBSIDY, column(list(MET)), column(list(MET.values()))], "可以确定"),
    Case("XLC_MISSING", [SUBSIDY, facts()], ""),
    Case("XLC_MISSING", [SUBSIDY, facts(核定投入=None, 申报日期="")], "申报日期、核定投入"),
    Case("XLC_MISSING", [SUBSIDY, facts(申报日期=None), None, MAY_31], ""),
    Case("XLC_MISSING", [SUBSIDY, HEADINGS, ROWS], column(["", "核定投入", "", VALUE, NA, ""])),
    # the notch: 50万 pays 35万 at 二级, 25万 at 三级
    Case("XLC_FINDINGS", [SUBSIDY, facts()], says=("[HHHT-SUB-06] 提醒：等级倒挂", "二级可得 350,000.00 元")),
    Case("XLC_FINDINGS", [SUBSIDY, facts(验收等级="二级")], ""),
    Case("XLC_FINDINGS", [SUBSIDY, facts(属于中小企业="否")], says=("不予通过", "须为中小企业", "申报指南")),
    Case("XLC_FINDINGS", [SUBSIDY, facts(验收等级="二级", 县区="某县")], says=("[E-FACT] 未采用：县区",)),
    Case("XLC_FINDINGS", [SUBSIDY, [["核定投入", None]]], ""),
    Case("XLC_FINDINGS", [SUBSIDY, facts(验收等级="二级", 认定等级="三级")], says=("[E-FACT-TWICE]", "填写了两次")),
    Case("XLC_EXPLAIN", [SUBSIDY, facts()], says=("500,000.00 元 × 50% = 250,000.00 元", "可拨付：250,000.00 元")),
    Case("XLC_EXPLAIN", [SUBSIDY, facts(), None, None, "AMB-31=max_of_lower_levels"],
         says=("可拨付：350,000.00 元", "AMB-31")),
    Case("XLC_FINDINGS", [SUBSIDY, facts(), None, None, [["AMB-31", "max_of_lower_levels"]]],
         says=("按口径取较低等级中的较高金额",)),
    Case("XLC_STATUS", [SUBSIDY, facts(), None, None, "AMB-31=max_of_lower_levels"], "可以确定"),
    Case("XLC_MISSING", [SUBSIDY, HEADINGS, ROWS[:2], None, "AMB-01=combined"], column(["", "核定投入"])),
    Case("XLC_EXPLAIN", [SUBSIDY, facts(核定投入="五十")], says=("填写有误：核定投入：“五十”不是金额", "尚缺")),
    Case("XLC_EXPLAIN", [SURVEY, [[name, answer] for name, answer in zip(
        [f"第{number}题" for number in range(1, 16)], E1, strict=True)] + [["营销管理", "二级"], ["财务管理", 2]]],
         says=("48.25 分", "达到一级及以上的场景 2 个（营销管理、财务管理）")),
    # 用户满意度达到90%以上, 设备数字化率不低于60%; 0.1 + 0.2 is 0.3
    Case("XLC_RATIO_MET", [column([89.5, 89.999999, 90, 90.5, None, "九十", NA]), 100, "90%"],
         column([0, 0, 1, 1, "", VALUE, NA])),
    Case("XLC_RATIO_MET", [column([2, 3, 0]), column([3, 5, 0]), 0.6], column([1, 1, ""])),
    Case("XLC_RATIO_MET", [1, 3, column(["1/3", "33.33%", "33.34%", 0.34, 34, "0.34", None])],
         column([1, 1, 0, 0, VALUE, VALUE, ""])),
    Case("XLC_RATIO_MET", [0.1 + 0.2, 1, 0.3], 1),
    Case("XLC_RATIO_MET", [0, 80, 0.9], 0),
    Case("XLC_RATIO_MET", ["1,800", "２０００", 0.9], 1),
    Case("XLC_IN_WINDOW", [column(["2023-12-31", MAY_31, "2025年6月1日", "2023-12-30", None, "五月", NA]),
                           "2023-12-31", "2025-05-31"], column([1, 1, 0, 0, "", VALUE, NA])),
    Case("XLC_IN_WINDOW", [datetime(2025, 5, 31, 14, 30), date(2023, 12, 31), date(2025, 5, 31)], 1),
    Case("XLC_IN_WINDOW", [MAY_31 + 0.75, "2023-12-31", MAY_31], 1),
    Case("XLC_IN_WINDOW", [MAY_31, None, MAY_31], ""),
    Case("XLC_IN_WINDOW", [MAY_31, "2023-12-31", None], ""),
    # 第十三条、第十四条: 10万元 over both vouchers, or of SaaS alone; the ledger is that of ``ledger_for_cells``
    Case("XLC_RECEIVED", [column([A, f" {A.lower()}", B, C, None, "9135", A[:15] + "000", NA])],
         column([75000.0, 75000.0, 1000.0, 0.0, "", VALUE, VALUE, NA])),
    Case("XLC_RECEIVED", [A, column([SAAS, VOUCHER, SUBSIDY, None, SURVEY])],
         column([60000.0, 15000.0, 0.0, 75000.0, VALUE])),
    Case("XLC_RECEIVED", [A, None, column([FIRST, "示例第三批"])], column([15000.0, 75000.0])),
    Case("XLC_REMAINING", [SAAS, column([A, B, C, None, "9135"])], column([25000.0, 100000.0, 100000.0, "", VALUE])),
    Case("XLC_REMAINING", [column([SAAS, VOUCHER]), A, None, "AMB-01=saas_only"], column([40000.0, ""])),
    Case("XLC_REMAINING", [SUBSIDY, A, "2025-09-30"], ""),
    Case("XLC_DUPLICATES", [A], says=(
        f"石家庄市 SaaS 折扣券“{FIRST}”：60,000.00 元", "15,000.00 元", "发票号码 25112000000012345678 用过 2 次",
        "910000********", "示例甲机械有限公司、示例甲机械集团有限公司")),
    Case("XLC_DUPLICATES", [column([C, None])], column(["", ""])),
    Case("XLC_DUPLICATES", [A[:17] + ("0" if A[17] != "0" else "1")], says=("统一社会信用代码有误", "校验位应为")),
    # GB 32100-2015
    Case("XLC_USCC_CHECK", [column(["91350100M000100Y43", " ９1350100m000100y43", "91350100M000100Y44", None])],
         column(["", "", "校验位应为 3", ""])),
    Case("XLC_USCC_CHECK", [911301000000000000], "末三位已被表格软件改成 000（按数字保存所致），须按营业执照重新填写"),
    Case("XLC_USCC_CHECK", ["9.11301E+17"], "末三位已被表格软件改成 000（按数字保存所致），须按营业执照重新填写"),
    Case("XLC_USCC_CHECK", ["9135"], says=("应为18位",)),
    Case("XLC_WORD_COUNT", [column(["数字化转型。", "已建成 ERP 系统", "2024年3月", "ＡＢ", "Excel", 2024, None])],
         column([6, 6, 4, 2, 1, 1, ""])),
    Case("XLC_WORD_COUNT", ["已建成 ERP 系统。", column(["字数", "chars_no_space", "汉字数", None])],
         column([7, 9, 5, 7])),
    # 支付结算办法附一
    Case("XLC_AMOUNT_WORDS", [column([1409.5, 6007.14, "325.04", 16409.02, 0, 0.05, "35万元", None])],
         column(["壹仟肆佰零玖元伍角", "陆仟零柒元壹角肆分", "叁佰贰拾伍元零肆分", "壹万陆仟肆佰零玖元零贰分", "零元整",
                 "伍分", "叁拾伍万元整", ""])),
]  # fmt: skip

CHOSEN = "AMB-31=literal；AMB-01=combined, AMB-51=14"
# A good call of each function, every argument given.
GOOD: dict[str, list[Any]] = {
    "XLC_SCORE": [SURVEY, [E1], MAY_31, CHOSEN],
    "XLC_QUESTION_SCORE": [SURVEY, 2, "C", MAY_31, CHOSEN],
    "XLC_LEVEL": [SURVEY, [E1], [E1_SCENES], MAY_31, CHOSEN],
    "XLC_SCENE_COUNT": [SURVEY, [E1_SCENES], 2, MAY_31, CHOSEN],
    "XLC_MANDATORY_COUNT": [SURVEY, [E1_SCENES], 2, MAY_31, CHOSEN],
    "XLC_GAP_POINTS": [SURVEY, [E1], [E1_SCENES], MAY_31, CHOSEN],
    "XLC_GAP_SCENES": [SURVEY, [E1], [E1_SCENES], MAY_31, CHOSEN],
    "XLC_GAP_MANDATORY": [SURVEY, [E1], [E1_SCENES], MAY_31, CHOSEN],
    "XLC_FACE_VALUE": [VOUCHER, 3, 0, MAY_31, CHOSEN],
    "XLC_REDUCTION": [SAAS, 120000, 0, MAY_31, CHOSEN],
    "XLC_OWN_PAYMENT": [SAAS, 120000, 0, MAY_31, CHOSEN],
    "XLC_SUBSIDY": [SUBSIDY, 500000, 2, MAY_31, CHOSEN],
    "XLC_TIER_AMOUNT": [SUBSIDY, 500000, 2, MAY_31, CHOSEN],
    "XLC_AWARD": [BENCHMARK, "小灯塔", "无", MAY_31, CHOSEN],
    "XLC_PRIZE": [PLATFORM, CANDIDATES, 1, [[1, 2, 3]], MAY_31, CHOSEN],
    "XLC_ENTERPRISE_SIZE": [VOUCHER, "工业", 300, 2e7, 1e7, MAY_31, CHOSEN],
    "XLC_RECOGNISED_COST": [SUBSIDY, table(*LINES), LOOKED_UP, ROSTER, MAY_31, CHOSEN],
    "XLC_RECOGNISED_LINES": [SUBSIDY, table(*LINES), 1, LOOKED_UP, ROSTER, MAY_31, CHOSEN],
    "XLC_PARAMETER": [SUBSIDY, "subsidy.tiers.3.cap", MAY_31, CHOSEN],
    "XLC_RESULT": [SUBSIDY, "subsidy", HEADINGS, ROWS[:1], "2025-09-30", CHOSEN],
    "XLC_RESULT_TEXT": [SUBSIDY, "maturity_level", HEADINGS, ROWS[:1], "2025-09-30", CHOSEN],
    **dict.fromkeys(
        ("XLC_STATUS", "XLC_MISSING", "XLC_FINDINGS", "XLC_EXPLAIN"),
        [SUBSIDY, HEADINGS, ROWS[:1], "2025-09-30", CHOSEN],
    ),
    "XLC_RATIO_MET": [90, 100, "90%"],
    "XLC_IN_WINDOW": [MAY_31, "2023-12-31", MAY_31],
    "XLC_RECEIVED": [A, SAAS, FIRST],
    "XLC_REMAINING": [SAAS, A, MAY_31, CHOSEN],
    "XLC_DUPLICATES": [A],
    "XLC_USCC_CHECK": ["91350100M000100Y43"],
    "XLC_WORD_COUNT": ["字数", "word"],
    "XLC_AMOUNT_WORDS": [1409.5],
}
WIDTH = len(HEADINGS[0])
# Per kind of argument: a bad cell, what the cell shows, and what XLC_FINDINGS and XLC_EXPLAIN say.
BAD_CELLS: dict[str, list[tuple[Any, Any, str]]] = {
    "policy": [("nowhere.nothing", VALUE, "没有名为“nowhere.nothing”的政策"), (7, VALUE, "须为文字"), (REF, REF, REF)],
    "answers": [
        ([E1[:14]], VALUE, ""), ([["X", *E1[1:]]], VALUE, ""), ([[NA, *E1[1:]]], NA, ""),
        ([[*E1_TICKS[:78], -1]], VALUE, ""), ([[*E1_TICKS[:78], NA]], NA, ""),
    ],
    "cells": [
        ("Z", VALUE, ""), (3, VALUE, ""), (True, VALUE, ""), (NA, NA, ""), ([[1, 1, 0, 0, 0]], VALUE, ""),
        ([[0, "？", 1, 0, 0]], VALUE, ""), ([[1, 0]], VALUE, ""), ([[1, 0, 0, 0, NA]], NA, ""),
    ],
    "scenes": [
        ([E1_SCENES[:15]], VALUE, ""), ([["五级", *E1_SCENES[1:]]], VALUE, ""), ([[NA, *E1_SCENES[1:]]], NA, ""),
        ([[True, *E1_SCENES[1:]]], VALUE, ""),
    ],
    "level": [(5, VALUE, ""), (2.5, VALUE, ""), ("优", VALUE, ""), (True, VALUE, ""), (NA, NA, "")],
    "yuan": [
        ("十二", VALUE, ""), (-1, VALUE, ""), (0.001, VALUE, ""), (True, VALUE, ""), (2e10, VALUE, ""), (NA, NA, ""),
    ],
    "date": [
        ("五月", VALUE, "不是完整的日期"), (3, VALUE, "作为日期不合理"), ("2025-02-30", VALUE, "这一天不存在"),
        (True, VALUE, "逻辑值"), (NA, NA, NA),
    ],
    "text": [(True, VALUE, "逻辑值"), (NA, NA, NA), (date(2025, 5, 31), VALUE, "须为文字")],
    "count": [(-1, VALUE, ""), (2.5, VALUE, ""), ("十", VALUE, ""), (True, VALUE, ""), (NA, NA, "")],
    "number": [
        (-1, VALUE, ""), ("十二", VALUE, ""), ("90%", VALUE, ""), (1e16, VALUE, ""), (True, VALUE, ""), (NA, NA, ""),
    ],
    "share": [
        (90, VALUE, ""), (-0.1, VALUE, ""), ("0.9", VALUE, ""), ("九成", VALUE, ""), (True, VALUE, ""), (NA, NA, ""),
    ],
    "lines": [
        ("MES系统", VALUE, ""), ([["名称", "金额"], ["MES系统", 1]], VALUE, ""), ([["税率"], [13]], VALUE, ""),
        ([["申报金额", "申报金额(万元)"], [1, 2]], VALUE, ""), ([["申报金额"], ["五十"]], VALUE, ""),
        ([["申报金额"], [-1]], VALUE, ""), ([["申报金额"], [NA]], NA, ""), ([[REF, "申报金额"], [1, 2]], REF, ""),
    ],
    "roster": [
        ("某公司", VALUE, ""), ([["服务商名称", "类别"], ["某公司", "其他类"]], VALUE, ""),
        ([["服务商名称"], [NA]], NA, ""),
    ],
    "candidates": [
        (7, VALUE, ""), ([["复审得分"], ["高"]], VALUE, ""), ([["平台名称"], ["甲"], ["甲"]], VALUE, ""),
        ([["复审得分"], [NA]], NA, ""),
    ],
    "places": [
        ([[1, 2]], VALUE, ""), ([[1, -1, 1]], VALUE, ""), ([[1, 2], [3, 4]], VALUE, ""), ("一等奖1个", VALUE, ""),
        ([["等次", "名额"], ["一等奖", 1], ["一等奖", 1]], VALUE, ""), (True, VALUE, ""), ([[1, NA, 1]], NA, ""),
    ],
    "choices": [
        ("AMB-31", VALUE, "缺少等号"), ("AMB-999=x", VALUE, "没有可选口径 AMB-999"), (7, VALUE, "缺少等号"),
        ("AMB-01=combined；AMB-01=saas_only", VALUE, "AMB-01 写了两次"), ("AMB-62=x", VALUE, "没有可选口径 AMB-62"),
        ([["AMB-31", "literal", 1]], VALUE, "两列"), (column(["AMB-31=literal"] * 2), VALUE, "两列"),
        ([[None, "literal"]], VALUE, "没有可选口径"), (True, VALUE, "逻辑值"), (NA, NA, NA), ([["AMB-31", NA]], NA, NA),
    ],
    "facts": [([["核定投入"]], VALUE, "不能对应"), ([[1] * WIDTH, [2] * WIDTH], VALUE, "不能对应")],
    "data": [([[1, 2]], VALUE, "不能对应"), ([["五十"] * WIDTH], VALUE, "核定投入：“五十”不是金额"),
             ([[NA] * WIDTH], NA, "核定投入：单元格是错误值 #N/A")],
}  # fmt: skip


OWN_CHOICES = {SURVEY: "AMB-51", SUBSIDY: "AMB-31", VOUCHER: "AMB-01", SAAS: "AMB-01", BENCHMARK: "AMB-84",
               PLATFORM: "AMB-74"}  # fmt: skip


def bad_cases() -> list[tuple[str, Case]]:
    found = []
    for name, udf in UDFS.items():
        for at, arg in enumerate(udf.args):
            cells = list(BAD_CELLS[arg.kind])
            if arg.kind == "choices":
                own = OWN_CHOICES[GOOD[name][0]]
                cells += [(f"{own}=x", VALUE, "没有选项“x”"), ([[own, None]], VALUE, "没有选项“”")]
            for cell, shows, says in cells:
                args = [*GOOD[name][:at], cell, *GOOD[name][at + 1 :]]
                told = udf.explains and says and says not in (NA, REF)
                case = Case(name, args, None, (says,)) if told else Case(name, args, shows)
                found.append((f"{name}-{arg.name}-{str(cell)[:20]}", case))
    return found


BAD = bad_cases()
ERRORS = {VALUE, NA, REF}


def check(case: Case, got: Any) -> None:
    """What a front end shows is what the case says, numbers as numbers and texts as texts."""
    if case.says:
        assert isinstance(got, str) and got not in ERRORS
        assert [part for part in case.says if part not in got] == []
        return
    assert got == case.expect
    for cell in [cell for row in got for cell in row] if isinstance(got, list) else [got]:
        assert type(cell) in (int, float, str, UdfError)
        if UDFS[case.name].returns == "number":
            assert not isinstance(cell, str) or cell in {"", *ERRORS}
        else:
            assert isinstance(cell, str)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case) -> None:
    got = call(case.name, case.args)
    check(case, got)
    cells = [cell for row in got for cell in row] if isinstance(got, list) else [got]
    assert all(isinstance(cell, UdfError) == (cell in ERRORS) for cell in cells)


@pytest.mark.parametrize("case", [case for _, case in BAD], ids=[name for name, _ in BAD])
def test_a_bad_argument_gives_its_error_or_says_why(case: Case) -> None:
    check(case, call(case.name, case.args))


@pytest.mark.parametrize("name", UDFS)
def test_every_function_has_a_case_and_a_good_call(name: str) -> None:
    assert [case for case in CASES if case.name == name]
    assert len(GOOD[name]) == len(UDFS[name].args)
    assert call(name, GOOD[name]) not in ERRORS


def test_every_argument_of_every_function_is_given_something_bad() -> None:
    given = {
        (case.name, at)
        for _, case in BAD
        for at, (cell, good) in enumerate(zip(case.args, GOOD[case.name], strict=True))
        if cell != good
    }
    assert given == {(name, at) for name, udf in UDFS.items() for at in range(len(udf.args))}


def test_what_explains_says_why_for_every_bad_argument() -> None:
    explaining = [case for _, case in BAD if UDFS[case.name].explains]
    assert {case.name for case in explaining} == {"XLC_FINDINGS", "XLC_EXPLAIN", "XLC_DUPLICATES"}
    assert [case for case in explaining if not case.says and case.expect not in (NA, REF)] == []


@pytest.mark.parametrize("name", ["XLC_FINDINGS", "XLC_EXPLAIN"])
@pytest.mark.parametrize(("fact", "kind"), [("验收等级", "level"), ("核定投入", "yuan"), ("申报日期", "date")])
def test_a_cell_another_function_refuses_is_explained_as_a_fact(fact: str, kind: str, name: str) -> None:
    for cell, _, _ in BAD_CELLS[kind]:
        told = str(call(name, [SUBSIDY, facts(**{fact: cell})]))
        assert f"填写有误：{fact}：" in told or "填写有误：数字化水平等级：" in told, cell


def test_an_answer_another_function_refuses_is_explained_as_a_fact() -> None:
    for cell, says in (("Z", "没有选项“Z”"), (3, "不是文字"), ("BC", "为单选"), (NA, "错误值 #N/A")):
        assert says in str(call("XLC_FINDINGS", [SURVEY, [["第2题", cell]]]))
    assert "质量管理" in str(call("XLC_FINDINGS", [SURVEY, [["质量管理", "五级"]]]))


# --- what choices are in force


def test_a_choice_of_another_policy_or_version_is_no_mistake() -> None:
    """Every choice of every policy held may stand in one cell: each function takes its own."""
    choices = {
        key: item.default
        for policy in policy_ids()
        for version in load_policy(policy).versions
        for key, item in version.interpretations.items()
        if item.kind == "choice"
    }
    joined = "；".join(f"{key}={code}" for key, code in choices.items())
    assert len(choices) >= 8
    for name, udf in UDFS.items():
        if "choices" in [arg.name for arg in udf.args]:
            assert call(name, [*GOOD[name][:-1], joined]) == call(name, GOOD[name][:-1])


def test_every_function_under_a_policy_takes_a_day_and_choices_last() -> None:
    for udf in UDFS.values():
        names = [arg.name for arg in udf.args]
        assert ("policy" in names) == ("choices" in names)
        assert "choices" not in names or names[-2:] == ["onday", "choices"]


# --- the same as the library


def test_status_findings_and_explanation_are_the_librarys() -> None:
    given_facts = {"recognised_cost": "50万元", "maturity_level": 3, "is_sme": False, "application_date": "2025-09-30"}
    cells = [["核定投入", 500000], ["maturity_level", "集成级"], ["是否中小", None], ["属于中小企业", "否"]]
    outcome = evaluate(SUBSIDY, given_facts)
    args = [SUBSIDY, cells, None, "2025-09-30"]
    assert call("XLC_EXPLAIN", args) == explain(outcome)
    assert call("XLC_STATUS", args) == "不符合条件"
    lines = str(call("XLC_FINDINGS", args)).splitlines()
    assert [line[1 : line.index("]")] for line in lines] == [finding.code for finding in outcome.findings]
    assert len(str(call("XLC_MISSING", args))) > 10


def test_facts_are_read_as_cells_hold_them() -> None:
    """One record, however its amounts, days and answers are written."""
    spellings = [
        facts(),
        facts(核定投入="50万元", 验收等级=3.0, 申报日期=45930.0),
        facts(核定投入="５００，０００", 验收等级="三级（集成级）", 申报日期=date(2025, 9, 30)),
        [["核定投入 (万元)" if name == "核定投入" else f" {name} ", value] for name, value in facts(核定投入=50.0)],
    ]
    assert {call("XLC_EXPLAIN", [SUBSIDY, cells]) for cells in spellings} == {call("XLC_EXPLAIN", [SUBSIDY, facts()])}


@pytest.mark.parametrize(
    ("name", "cell", "says"),
    [
        ("在本市注册登记", "也许", "不是“是”或“否”"), ("在本市注册登记", 2, "不是“是”或“否”"),
        ("验收等级", "五级", "不是数字化水平等级"), ("验收等级", True, "逻辑值"), ("验收等级", 2.5, "不是整数"),
        ("核定投入", -1, "为负数"), ("核定投入", date(2025, 1, 1), "不是数字"), ("核定投入", 0.001, "不足一分"),
        ("申报日期", "六月", "不是完整的日期"), ("申报日期", 1e9, "作为日期不合理"), ("申报日期", 5, "作为日期不合理"),
        ("研发（R&D）经费支出", 520, "无法判断是元还是万元"), ("研发（R&D）经费支出", "520", "无法判断是元还是万元"),
        ("行业", "航天", "不在可选项内"), ("行业", date(2025, 1, 1), "须为文字"),
        ("评测表答案", "A", "一个单元格填不下"), ("核定投入", "#DIV/0!", "单元格是错误值 #DIV/0!"),
    ],
)  # fmt: skip
def test_an_unusable_fact_is_told_and_counts_as_missing(name: str, cell: Any, says: str) -> None:
    cells = [row for row in facts() if row[0] != name] + [[name, cell]]
    told = str(call("XLC_FINDINGS", [SUBSIDY, cells])).splitlines()[0]
    assert "填写有误：" in told and says in told and "。" in told
    assert told in str(call("XLC_EXPLAIN", [SUBSIDY, cells]))
    assert call("XLC_STATUS", [SUBSIDY, cells]) in ERRORS | {"#DIV/0!"}
    assert call("XLC_MISSING", [SUBSIDY, cells]) in ERRORS | {"#DIV/0!"}


def test_all_that_is_wrong_is_told_at_once() -> None:
    cells = facts(核定投入="五十", 验收等级="五级", **{f"无关{number}": 1 for number in range(30)})
    told = str(call("XLC_FINDINGS", [SUBSIDY, cells])).splitlines()
    assert [line.split("]")[0] for line in told[:2]] == ["[E-LEVEL", "[E-MONEY"]
    assert told[-1].startswith("[E-FACT] 未采用：无关0、") and "等。" in told[-1]


def test_a_questionnaire_in_a_fact_list_says_why_it_is_wrong() -> None:
    cells = [["q1", "AB"], *([f"第{number}题", answer] for number, answer in enumerate(E1[1:], start=2))]
    assert "E-TICK-NONE" in str(call("XLC_EXPLAIN", [SURVEY, cells]))
    assert call("XLC_STATUS", [SURVEY, cells]) == VALUE
    cells[0] = ["q1", "Z"]
    assert "第1题没有选项“Z”" in str(call("XLC_FINDINGS", [SURVEY, cells]))
    cells[0] = ["q1", NA]
    assert "第1题：单元格是错误值" in str(call("XLC_FINDINGS", [SURVEY, cells]))
    assert "第1题" in str(call("XLC_MISSING", [SURVEY, cells[1:]]))
    assert "没有选项" not in str(call("XLC_FINDINGS", [SURVEY, cells[1:]]))


def test_scenes_that_are_listed_empty_have_no_level() -> None:
    answers = [[f"q{number}", answer] for number, answer in enumerate(E1, start=1)]
    assert "应用场景等级" in str(call("XLC_MISSING", [SURVEY, answers]))
    told = str(call("XLC_EXPLAIN", [SURVEY, [*answers, ["财务管理", None]]]))
    assert "数字化水平等级：无等级" in told


def test_a_table_stands_or_lies() -> None:
    names, values = column(list(MET)), [[value, value] for value in MET.values()]
    assert call("XLC_STATUS", [SUBSIDY, names, values]) == [["可以确定", "可以确定"]]
    assert call("XLC_STATUS", [SUBSIDY, names, values[:-1]]) == VALUE
    assert call("XLC_STATUS", [SUBSIDY, [["核定投入", 500000, "元"]]]) == VALUE
    assert "须为两列" in str(call("XLC_EXPLAIN", [SUBSIDY, [["核定投入", 500000, "元"]]]))


def test_columns_that_are_no_facts_change_nothing() -> None:
    """A numbered row that is still empty stays empty, and an error beside the facts is nobody's."""
    assert call("XLC_STATUS", [SUBSIDY, [["序号", "核定投入"]], [[1, None], [NA, 500000]]]) == [[""], ["尚不能确定"]]
    assert call("XLC_FINDINGS", [SUBSIDY, [["序号", "核定投如"]], [[1, 500000]]]) != ""
    assert "未采用：核定投如" in str(call("XLC_FINDINGS", [SUBSIDY, [["核定投如", 500000]]]))
    assert call("XLC_STATUS", [SUBSIDY, [["核定投如", 500000]]]) == "尚不能确定"
    assert call("XLC_STATUS", [SUBSIDY, [[None, 500000], ["", 3]]]) == ""


# --- tables, and results by their names


def test_columns_with_other_headings_are_left_out() -> None:
    """Whatever stands in them, and wherever: 序号 and 备注, and a heading that is empty."""
    aside = [[None, *row, NA] for row in table(*LINES)]
    aside[0] = [None, *table()[0], "审核人"]
    assert call("XLC_RECOGNISED_COST", [SUBSIDY, aside, LOOKED_UP, ROSTER]) == 484900.0
    assert call("XLC_PRIZE", [PLATFORM, [[*row, NA] for row in CANDIDATES], 1, [[1, 1, 1]]]) == NA, "a heading"
    noted = [[*CANDIDATES[0], "备注"], *([*row, NA] for row in CANDIDATES[1:])]
    assert call("XLC_PRIZE", [PLATFORM, noted, 1, [[1, 1, 1]]]) == "一等奖"


def test_the_order_of_columns_and_their_names_change_nothing() -> None:
    known = {column.label: name for name, column in catalogue()["investment_lines"].columns.items()}
    by_id = [known.get(heading, heading) for heading in table()[0]]
    backwards = [row[::-1] for row in [by_id, *LINES]]
    assert sum(a != b for a, b in zip(by_id, table()[0], strict=True)) > 15
    rows = column([1, 2, 3, 4, 5, 6])
    assert call("XLC_RECOGNISED_LINES", [SUBSIDY, backwards, rows, LOOKED_UP, ROSTER]) == column(RECOGNISED)


def test_a_column_of_rows_is_recognised_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    recognise = CostRecognition.recognise

    def counted(self: CostRecognition, *given: Any) -> Any:
        asked.append(given)
        return recognise(self, *given)

    monkeypatch.setattr(CostRecognition, "recognise", counted)
    lines = [line(number, f"软件{number}", "软件", number) for number in range(1, 201)]
    for number, row in enumerate(lines, 1):
        row[table()[0].index("发票号码")] = f"F{number:05}"
    got = call("XLC_RECOGNISED_LINES", [SUBSIDY, table(*lines), column(list(range(1, 201))), LOOKED_UP, ROSTER])
    assert got == column([float(number) for number in range(1, 201)]) and len(asked) == 1
    changed_day = [["项目申报截止日期", "2024-08-31"], ["企业名称", BUYER]]
    got = call("XLC_RECOGNISED_LINES", [SUBSIDY, table(*lines), column([1, 2]), changed_day, ROSTER])
    assert got == column([0.0, 0.0]) and len(asked) == 2


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(0, 1000))
def test_a_ratio_is_compared_exactly(part: int, whole: int, thousandths: int) -> None:
    met = call("XLC_RATIO_MET", [part, whole, f"{thousandths}/1000"])
    assert met == int(part * 1000 >= thousandths * whole)


def test_an_open_prize_is_called_what_the_ranking_calls_it() -> None:
    rows = [{"name": name, "score": score} for name, score in (("甲", "9"), ("乙", "9"), ("丙", "8"))]
    places = [{"prize": prize, "places": places} for prize, places in (("first", 1), ("second", 1), ("third", 0))]
    told = explain(evaluate(PLATFORM, {"candidates": rows, "prize_places": places}))
    assert f"甲：{awards.OPEN}" in told and f"丙：{awards.NONE}" in told


def test_every_result_the_cases_expect_can_be_asked_for_by_name() -> None:
    seen = set()
    for case in policy_cases():
        version = versions.version_on(case.policy, date.fromisoformat(str(case.on)) if case.on else None)
        known = enterprise._items(version, versions.in_force(version, None))
        named = [key for key, value in case.expect.items() if key in RESULT_LABELS and value not in ("absent", "none")]
        names = {*named, *(f"ratios.{key}" for key in case.expect.get("ratios", ()))}
        names |= {f"indicators.{key}" for key in case.expect.get("indicators", ())}
        assert names - {"status", "gap_to_next"} <= set(known), case.id
        seen |= {known[name] for name in names - {"status", "gap_to_next"}}
    assert {item.key for item in seen if item} >= set(RESULT_LABELS) - {"status", "gap_to_next"}
    assert len(seen) > 40


def test_a_thousand_enterprises_are_one_call() -> None:
    rows = [[number, number / 10, *NO_COST] for number in range(1, 1001)]
    got = call("XLC_STATUS", [SUBSIDY, HEADINGS, rows])
    assert got == [["可以确定"]] * 1000
    told = call("XLC_EXPLAIN", [SUBSIDY, HEADINGS, rows[:20]])
    assert isinstance(told, list)
    for number, (text,) in enumerate(told, start=1):
        assert f"核定投入 {number * 1000:,}.00 元" in str(text)


def test_ten_thousand_cells_each_have_their_own_result() -> None:
    chance = random.Random(11)
    fen = [chance.randrange(3 * 10**7) for _ in range(10_000)]
    cells = column([value / 100 for value in fen])
    paid = [min((60 * value + 50) // 100, 10_000_000) for value in fen]
    assert call("XLC_REDUCTION", [SAAS, cells]) == column([value / 100 for value in paid])
    own = [(value - less) / 100 for value, less in zip(fen, paid, strict=True)]
    assert call("XLC_OWN_PAYMENT", [SAAS, cells]) == column(own)


def test_the_day_chooses_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    held = load_policy(SUBSIDY)
    data: dict[str, Any] = {**held.newest.data, "dated": True, "id": "2024-07-01", "first": "2024-07-01"}
    rows = [dict(row) for row in data["mechanism"]]
    for number, row in enumerate(rows):
        if row["kind"] == "tiered_rate":
            rows[number] = {**row, "tiers": [{**tier, "rate": "80%"} for tier in row["tiers"]]}
    later = {**data, "id": "2026-01-01", "first": "2026-01-01", "mechanism": rows}
    two = replace(held, versions=(Version({**data, "last": "2025-12-31"}), Version(later)))
    monkeypatch.setattr(versions, "load_policy", lambda _: two)
    days = column(["2025-12-31", "2026-01-01", None])
    assert call("XLC_SUBSIDY", [SUBSIDY, 100000, 2, days]) == [[70000.0], [80000.0], [80000.0]]
    assert call("XLC_PARAMETER", [SUBSIDY, "subsidy.tiers.2.rate", days]) == [[0.7], [0.8], [0.8]]


def test_a_parameter_is_that_of_the_default_choices() -> None:
    """The cap of 10万 applies to the voucher unless the other reading of AMB-01 is chosen."""
    assert call("XLC_PARAMETER", [VOUCHER, column(["face_value.cap.amount", "face_value.cap.applies"])]) == [[1e5], [1]]
    for path in ("face_value", "face_value.faces", "face_value.level", "face_value.faces.2.clause", ".", "a" * 500):
        assert call("XLC_PARAMETER", [VOUCHER, path]) == VALUE


def test_text_is_never_longer_than_a_cell_can_hold() -> None:
    name = "无" * 30
    rows = [[f"{name}{number}", 1] for number in range(5000)]
    assert len(str(call("XLC_EXPLAIN", [SUBSIDY, facts() + rows]))) <= 32767
    long = "在" * 40000
    assert call("XLC_WORD_COUNT", [long]) == 40000


# --- 大写金额


VECTORS = {  # the annex's own examples, and what follows from its rules
    "1409.50": "壹仟肆佰零玖元伍角", "6007.14": "陆仟零柒元壹角肆分", "1680.32": "壹仟陆佰捌拾元零叁角贰分",
    "107000.53": "壹拾万柒仟元零伍角叁分", "16409.02": "壹万陆仟肆佰零玖元零贰分", "325.04": "叁佰贰拾伍元零肆分",
    "0": "零元整", "0.01": "壹分", "0.10": "壹角", "0.11": "壹角壹分", "1": "壹元整", "10": "壹拾元整",
    "100": "壹佰元整", "1000.10": "壹仟元零壹角", "10000": "壹万元整", "100100": "壹拾万零壹佰元整",
    "20030.03": "贰万零叁拾元零叁分", "100000000": "壹亿元整", "100005000": "壹亿零伍仟元整",
    "100000001": "壹亿零壹元整", "10000000000": "壹佰亿元整", "1000000000.50": "壹拾亿元零伍角",
}  # fmt: skip


@pytest.mark.parametrize(("yuan", "words"), VECTORS.items())
def test_amounts_in_words(yuan: str, words: str) -> None:
    assert amount_in_words(Money.from_yuan(yuan)) == words
    assert call("XLC_AMOUNT_WORDS", [yuan]) == words
    assert call("XLC_AMOUNT_WORDS", [float(yuan)]) == words


def fen_of_words(words: str) -> int:
    """Reads an amount in words; written for this test, from the meaning of the signs."""
    units = {"仟": 1000, "佰": 100, "拾": 10}
    fen = total = group = digit = 0
    for sign in words.removesuffix("整"):
        if sign in "零壹贰叁肆伍陆柒捌玖":
            digit = "零壹贰叁肆伍陆柒捌玖".index(sign)
        elif sign in units:
            group, digit = group + digit * units[sign], 0
        elif sign in "亿万元":
            worth = {"亿": 10**8, "万": 10**4, "元": 1}[sign]
            total, group, digit = total + (group + digit) * worth, 0, 0
        else:
            fen, digit = fen + digit * {"角": 10, "分": 1}[sign], 0
    return total * 100 + fen


@given(st.integers(0, MAX_FEN) | st.integers(0, 10**7).map(lambda n: n * 10 ** (n % 5)))
def test_amounts_in_words_can_be_read_back(fen: int) -> None:
    words = amount_in_words(Money(fen))
    assert fen_of_words(words) == fen
    assert "零零" not in words and "零元" not in words.removeprefix("零元整")
    assert words.endswith("整") == (fen % 100 == 0)


# --- 字数


@pytest.mark.parametrize(
    ("text", "word", "chars", "cjk"),
    [
        ("数字化转型", 5, 5, 5),
        ("数字化，转型。", 7, 7, 5),
        ("“小灯塔”企业", 7, 7, 5),
        ("SaaS 服务", 3, 6, 2),
        ("SaaS服务", 3, 6, 2),
        ("5G+工业互联网", 6, 8, 5),
        ("2024年12月31日", 6, 11, 3),
        ("3.5%", 1, 4, 0),
        ("ＳａａＳ", 4, 4, 0),
        ("a b\tc\nd", 4, 4, 0),
        ("第①项", 3, 3, 2),
        ("caf\u00e9 na\u00efve", 2, 9, 0),
        ("数\u200b字", 2, 2, 2),
        ("〇二五", 3, 3, 3),
        ("𠮷野", 2, 2, 2),
        ("　　段首", 2, 2, 2),
        ("", 0, 0, 0),
    ],
)
def test_word_counts(text: str, word: int, chars: int, cjk: int) -> None:
    assert [count_words(text, mode) for mode in MODES] == [word, chars, cjk]


def test_every_spelling_of_a_mode_is_read() -> None:
    for mode, spellings in MODES.items():
        assert [parse_mode(spelling) for spelling in (mode, mode.upper(), *spellings)] == [mode] * (len(spellings) + 2)
    assert call("XLC_WORD_COUNT", ["字", "页数"]) == VALUE
