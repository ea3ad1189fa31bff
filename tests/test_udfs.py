from __future__ import annotations

import inspect
import logging
import random
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from udfs import adapter, calculations, coercion
from udfs.adapter import UdfError, call
from udfs.registry import UDFS
from xlcalc import evaluate
from xlcalc.packs.registry import policy_ids

ROOT = Path(__file__).parents[1]
SURVEY = "hohhot.maturity_2024"
SUBSIDY = "hohhot.transformation_subsidy"
VOUCHER = "shijiazhuang.cloud_voucher"
VALUE = UdfError("#VALUE!")

# E1 of the standard's worked examples: 48.25 points, 二级.
E1_FACTS = {
    "answers": {
        "q1": ["B", "C"], "q2": "C", "q3": "B", "q4": ["marketing", "quality", "procurement", "warehouse_logistics",
        "finance"], "q5": "C", "q6": ["B", "C"], "q7": ["B", "C"], "q8": "D", "q9": ["B", "C"], "q10": ["B", "D"],
        "q11": "A", "q12": "decrease", "q13": "flat", "q14": "increase", "q15": "flat",
    },
    "scenes": {
        "marketing": 2, "procurement": 2, "warehouse_logistics": 2, "finance": 2, "quality": 2,
        "office_collaboration": 2, "equipment": 1, "safety": 1,
    },
}  # fmt: skip
E1_ANSWERS = [
    "BC", "C", "b", "营销管理、质量管理，procurement,仓储物流； 财务管理", "Ｃ", "B、C", "B C", "D", "C,B", "BD", "A",
    "降低", "flat", "增加", "持平",
]  # fmt: skip
E1_SCENES = [
    "", None, "二级", "", "无等级", "", "规范级", 1, "一级", "", 2.0, "2", "二级（规范级）", "", "２级", 0,
]  # fmt: skip


def column(values: list[Any]) -> list[list[Any]]:
    return [[value] for value in values]


# --- the registry


def test_names_are_ascii_and_prefixed() -> None:
    for name, udf in UDFS.items():
        assert re.fullmatch(r"XLC_[A-Z_]+", name) and udf.name == name


BASIC_WORDS = set(
    re.findall(
        r"\w+",
        "and as base binary byref byte byval call case close const date declare dim do double each else end enum erase "
        "error event exit false for friend function get global goto if imp in input integer is let lib like line lock "
        "long loop lset me mid mod name new next not nothing null object on open option optional or output paramarray "
        "preserve print private property public put redim rem resume return rset seek select set single static step "
        "stop string sub text then time to true type until variant wend while width with write xor",
    )
)


def test_every_function_and_argument_has_chinese_help_short_enough_for_excel() -> None:
    for udf in UDFS.values():
        for text in (udf.title, udf.category, udf.help, *(part for arg in udf.args for part in (arg.title, arg.help))):
            assert re.search(r"[\u4e00-\u9fff]", text) and len(text) <= 255
        assert all(re.fullmatch(r"[a-z]+", arg.name) for arg in udf.args)
        assert all(arg.name not in BASIC_WORDS for arg in udf.args), "the VBA wrapper would not compile"
        optional = [arg.optional for arg in udf.args]
        assert optional == sorted(optional), "optional arguments come last"


def test_no_city_is_named_in_the_code() -> None:
    cities = {policy.partition(".")[0] for policy in policy_ids()} - {"national"}
    cities |= {"呼和浩特", "石家庄", "枣庄", "zaozhuang"}
    for path in (ROOT / "udfs").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not [city for city in cities if city in text], path


@pytest.mark.parametrize("module", ["udfs.registry", "udfs.adapter"])
def test_import_loads_no_host_and_no_arrays(module: str) -> None:
    script = f"import sys, {module}; print(*sorted({{'xlwings', 'openpyxl', 'numpy', 'formulas'}} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


# --- results equal the library's


def test_worked_example_e1_equals_the_library() -> None:
    outcome = evaluate(SURVEY, E1_FACTS)
    assert call("XLC_SCORE", [SURVEY, column(E1_ANSWERS)]) == float(outcome.results["score"]) == 48.25
    assert call("XLC_LEVEL", [SURVEY, column(E1_ANSWERS), column(E1_SCENES)]) == 2
    assert outcome.results["maturity_level"] == 2


def test_profiles_differ_where_the_weights_do() -> None:
    """E3: 41.75 under the national weights, 39.75 under the city's; 39.75 is not 40."""
    answers = [*E1_ANSWERS[:2], "A", *E1_ANSWERS[3:5], "B", "B", "C", *E1_ANSWERS[8:11], "降低", "增加", "降低", "增加"]
    found = {
        policy: (call("XLC_SCORE", [policy, answers]), call("XLC_LEVEL", [policy, answers, E1_SCENES]))
        for policy in ("national.maturity_2024", SURVEY)
    }
    assert found == {"national.maturity_2024": (41.75, 2), SURVEY: (39.75, 1)}


COSTS = ["40", "50", "60", "70", "80", "87.5", "300", "375", "750", "1000"]
ORACLE = {  # 万元, published rule computed by hand
    "二级": ["28", "35", "35", "35", "35", "35", "35", "35", "35", "35"],
    "三级": ["20", "25", "30", "35", "40", "43.75", "150", "150", "150", "150"],
    "四级": ["16", "20", "24", "28", "32", "35", "120", "150", "300", "300"],
}


@pytest.mark.parametrize("level", ORACLE)
def test_subsidy_oracle_table(level: str) -> None:
    expected = [[float(Decimal(value) * 10000)] for value in ORACLE[level]]
    in_yuan = column([float(Decimal(cost) * 10000) for cost in COSTS])
    assert call("XLC_SUBSIDY", [SUBSIDY, in_yuan, level]) == expected
    assert call("XLC_SUBSIDY", [SUBSIDY, column([f"{cost}万元" for cost in COSTS]), level]) == expected
    for cost, want in zip(COSTS, expected, strict=True):
        outcome = evaluate(SUBSIDY, {"recognised_cost": f"{cost}万元", "maturity_level": level})
        assert float(outcome.results["subsidy"].yuan) == want[0]


@pytest.mark.parametrize(("level", "yuan"), [(0, 0), (1, 0), (2, 10000), (3, 15000), (4, 20000)])
def test_face_value_equals_the_library(level: int, yuan: int) -> None:
    outcome = evaluate(VOUCHER, {"maturity_level": level})
    assert call("XLC_FACE_VALUE", [VOUCHER, level]) == yuan == float(outcome.results["face_value"].yuan)


def test_face_value_counts_what_was_received() -> None:
    levels = column(["二级", "三级", "三级", "三级"])
    received = column([None, "9万元", "９５，０００", 100000])
    assert call("XLC_FACE_VALUE", [VOUCHER, levels, received]) == column([10000.0, 10000.0, 5000.0, 0.0])
    assert call("XLC_FACE_VALUE", [VOUCHER, levels, 95000]) == column([5000.0, 5000.0, 5000.0, 5000.0])
    assert call("XLC_FACE_VALUE", [VOUCHER, "三级", "#REF!"]) == "#REF!"


def test_ten_thousand_rows_equal_row_by_row() -> None:
    chance = random.Random(7)
    fen = [chance.randrange(10**9) for _ in range(10_000)]
    levels = [chance.randrange(5) for _ in fen]
    got = call("XLC_SUBSIDY", [SUBSIDY, column([value / 100 for value in fen]), column(levels)])
    paid = calculations.mechanism(SUBSIDY, "tiered_rate")
    assert got == [[paid.amount(value, level) / 100] for value, level in zip(fen, levels, strict=True)]
    for at in range(0, 10_000, 500):
        outcome = evaluate(SUBSIDY, {"recognised_cost": f"{fen[at] / 100:.2f}元", "maturity_level": levels[at]})
        assert got[at] == [float(outcome.results["subsidy"].yuan)]


# --- what a cell may hold


def subsidy_at_two(cost: Any) -> Any:
    """70 % of the cost up to 350,000 元."""
    return call("XLC_SUBSIDY", [SUBSIDY, cost, 2])


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        (400000, 280000.0),
        (400000.0, 280000.0),
        (166666.65, 116666.66),  # 116666.655 is an exact half fen
        (0.1 + 0.2, 0.21),
        (1e5 + 0.1 + 0.2, 70000.21),
        (0, 0.0),
        (np.float64(166666.65), 116666.66),
        (np.int64(400000), 280000.0),
        (Decimal("166666.65"), 116666.66),
        ("12万", 84000.0),
        ("1.5万元", 10500.0),
        ("1,234", 863.8),
        ("１２３４．５０", 864.15),
        ("１，２３４元", 863.8),
        (" ￥1,000.00 ", 700.0),
        (10**10, 350000.0),
        # missing: empty, never 0
        (None, ""),
        ("", ""),
        ("  ", ""),
        # unusable: an error value, never text and never 0
        (True, VALUE),
        (False, VALUE),
        (np.True_, VALUE),
        (1.005, VALUE),
        (0.001, VALUE),
        ("1.005", VALUE),
        ("12.3456789万", VALUE),
        (-1, VALUE),
        ("-5元", VALUE),
        ("约12万", VALUE),
        ("12万美元", VALUE),
        (10**10 + 1, VALUE),
        (float("nan"), VALUE),
        (float("inf"), VALUE),
        (1e300, VALUE),
        (object(), VALUE),
        ({"a": 1}, VALUE),
        # errors go through unchanged
        ("#N/A", UdfError("#N/A")),
        ("#DIV/0!", UdfError("#DIV/0!")),
        ("#n/a ", UdfError("#N/A")),
        ("#坏", VALUE),
    ],
)
def test_amount_cells(cost: Any, expected: Any) -> None:
    for shape in (cost, [[cost]], ((cost,),), [cost]):
        got = subsidy_at_two(shape)
        assert got == expected and type(got) is type(expected)


@pytest.mark.parametrize("fen", [1, 29, 57, 113, 115, 16666665, 99999999999, 123456789012, 999999999999])
def test_floats_of_cells_become_exact_fen(fen: int) -> None:
    """A cell holds the double nearest to the amount; arithmetic noise beyond 15 digits is dropped."""
    assert coercion.money(fen / 100, "元").fen == fen
    assert coercion.money(fen / 100 * (1 + 2**-52), "元").fen == fen
    assert coercion.money(f"{fen // 100}.{fen % 100:02d}", "元").fen == fen


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (2, 10000.0), (2.0, 10000.0), ("2", 10000.0), ("二级", 10000.0), ("规范级", 10000.0),
        ("二级（规范级）", 10000.0), ("２级", 10000.0), (np.int64(2), 10000.0),
        (0, 0.0), ("无等级", 0.0), (1, 0.0), (None, ""), ("", ""),
        (2.5, VALUE), (5, VALUE), (-1, VALUE), (True, VALUE), ("五级", VALUE), ("优", VALUE),
        ("#VALUE!", VALUE), ("#N/A", UdfError("#N/A")),
    ],
)  # fmt: skip
def test_level_cells(level: Any, expected: Any) -> None:
    got = call("XLC_FACE_VALUE", [VOUCHER, level])
    assert got == expected and type(got) is type(expected)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("nowhere.nothing", VALUE),
        (SURVEY, VALUE),  # holds no subsidy
        ("", ""),
        (None, ""),
        (7, VALUE),
        (True, VALUE),
        ("#NAME?", UdfError("#NAME?")),
        ([[SUBSIDY], [VOUCHER], [None]], [[700.0], [VALUE], [""]]),
        (f"  {SUBSIDY} ", 700.0),
        ("../" + SUBSIDY, VALUE),
    ],
)
def test_policy_cells(policy: Any, expected: Any) -> None:
    assert call("XLC_SUBSIDY", [policy, 1000, 2]) == expected


@pytest.mark.parametrize(
    ("cost", "level", "expected"),
    [
        ([[1000], [2000]], 2, [[700.0], [1400.0]]),
        ([[1000, 2000]], 2, [[700.0, 1400.0]]),
        ([[1000, 2000], [3000, None]], 2, [[700.0, 1400.0], [2100.0, ""]]),
        (1000, [[2], [3], ["x"], [""], ["#REF!"]], [[700.0], [500.0], [VALUE], [""], [UdfError("#REF!")]]),
        ([[1000], [2000]], [[2], [3]], [[700.0], [1000.0]]),
        ([1000, 2000], (2, 3), [[700.0], [1000.0]]),
        (np.array([[1000.0], [2000.0]]), np.array([2, 3]), [[700.0], [1000.0]]),
        (np.array([["12万"], [None], [True]], dtype=object), 2, [[84000.0], [""], [VALUE]]),
        (np.array(1000.0), 2, 700.0),
        ([[1000], [2000]], [[2], [3], [4]], VALUE),
        ([[1000], [2000]], [[2, 3]], VALUE),
        ([[1000, 2000], [3000]], 2, VALUE),
        ([], 2, ""),
        ([[]], 2, ""),
        ([[[1000]]], 2, VALUE),
        ([["x"], ["#N/A"]], [["#REF!"], [2]], [[VALUE], [UdfError("#N/A")]]),
        ([[None]], "五级", VALUE),
    ],
)
def test_shapes(cost: Any, level: Any, expected: Any) -> None:
    assert call("XLC_SUBSIDY", [SUBSIDY, cost, level]) == expected


def with_answer(number: int, cell: Any) -> list[Any]:
    return [*E1_ANSWERS[: number - 1], cell, *E1_ANSWERS[number:]]


@pytest.mark.parametrize(
    ("number", "cell", "expected"),
    [
        (1, "无", 44.25),
        (1, "A", 44.25),
        (1, "BB", 46.25),
        (2, "E", 51.25),
        (2, "(20%,40%]", 48.25),
        (4, "无", 44.75),
        (4, "none", 44.75),
        (4, "营销管理", 45.45),
        (4, "marketing、", 45.45),
        (12, "增加", 42.25),
        (12, "Decrease", 48.25),
        (5, "", ""),
        (5, None, ""),
        (5, "CD", VALUE),  # a 单选
        (1, "AB", VALUE),  # 无 beside another
        (4, "无、营销管理", VALUE),
        (4, "营销", VALUE),
        (1, "G", VALUE),
        (12, "B", VALUE),
        (1, 3, VALUE),
        (1, True, VALUE),
        (1, "、", VALUE),
        (1, "#REF!", UdfError("#REF!")),
    ],
)
def test_answer_cells(number: int, cell: Any, expected: Any) -> None:
    answers = with_answer(number, cell)
    assert call("XLC_SCORE", [SURVEY, column(answers)]) == expected
    assert call("XLC_SCORE", [SURVEY, [answers]]) == expected
    assert call("XLC_SCORE", [SURVEY, np.array(answers, dtype=object)]) == expected


@pytest.mark.parametrize("answers", [E1_ANSWERS[:14], [*E1_ANSWERS, "A"], [E1_ANSWERS[:5]], "BC"])
def test_answers_must_be_as_many_as_there_are_questions(answers: Any) -> None:
    assert call("XLC_SCORE", [SURVEY, answers]) == VALUE


def test_scenes_blank_is_no_level_and_bad_ones_are_errors() -> None:
    assert call("XLC_LEVEL", [SURVEY, E1_ANSWERS, [""] * 16]) == 0
    assert call("XLC_LEVEL", [SURVEY, E1_ANSWERS, None]) == ""
    assert call("XLC_LEVEL", [SURVEY, with_answer(3, ""), E1_SCENES]) == ""
    assert call("XLC_LEVEL", [SURVEY, E1_ANSWERS, [*E1_SCENES[:15], "五级"]]) == VALUE
    assert call("XLC_LEVEL", [SURVEY, E1_ANSWERS, [*E1_SCENES[:15], True]]) == VALUE
    assert call("XLC_LEVEL", [SURVEY, E1_ANSWERS, [*E1_SCENES[:15], "#N/A"]]) == "#N/A"
    assert call("XLC_LEVEL", [SURVEY, E1_ANSWERS, E1_SCENES[:15]]) == VALUE


def test_wrong_calls_are_error_values(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call("XLC_NOTHING", [1]) == UdfError("#NAME?")
    assert call("XLC_SUBSIDY", [SUBSIDY]) == VALUE
    assert call("XLC_SUBSIDY", [SUBSIDY, 1, 2, 3]) == VALUE
    assert call("xlc_subsidy", [SUBSIDY, 1000, 2]) == 700.0
    assert VALUE.code == "#VALUE!" and isinstance(VALUE, str)

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(adapter, "as_grid", broken)
    with caplog.at_level(logging.ERROR):
        assert call("XLC_SUBSIDY", [SUBSIDY, 1000, 2]) == VALUE
    assert "XLC_SUBSIDY" in caplog.text


# --- the module Excel loads


CALLS: list[tuple[str, list[Any]]] = [
    ("XLC_SCORE", [[[SURVEY]], column(E1_ANSWERS)]),
    ("XLC_LEVEL", [[[SURVEY]], column(E1_ANSWERS), column(E1_SCENES)]),
    ("XLC_FACE_VALUE", [[[VOUCHER]], column(["二级", None, "#N/A"])]),
    ("XLC_FACE_VALUE", [[[VOUCHER]], column(["二级", "三级"]), [[95000.0]]]),
    ("XLC_SUBSIDY", [[[SUBSIDY]], column([166666.65, True, ""]), [["二级"]]]),
]


@pytest.mark.parametrize(("name", "args"), CALLS)
def test_xlwings_functions_delegate_to_the_adapter(name: str, args: list[Any]) -> None:
    from udfs import xlwings_functions

    function = getattr(xlwings_functions, name)
    assert function(*args) == call(name, args)
    signature = inspect.signature(function)
    assert list(signature.parameters) == [arg.name for arg in UDFS[name].args]
    assert function.__name__ == name and function.__doc__ == UDFS[name].help


def test_xlwings_module_offers_exactly_the_registry_and_never_the_paid_part() -> None:
    from udfs import xlwings_functions

    assert sorted(xlwings_functions.__all__) == sorted(UDFS)
    text = (ROOT / "udfs" / "xlwings_functions.py").read_text(encoding="utf-8")
    assert "xlwings.pro" not in text and "xlwings.server" not in text
