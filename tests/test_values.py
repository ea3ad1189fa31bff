"""Values as clerks write them: what is read, what is refused, and that nothing is guessed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from xlcalc.errors import InputError
from xlcalc.facts import catalogue, fact, parse_facts
from xlcalc.mechanisms.assessment_answers import Figures, Option, Question, read_answer
from xlcalc.values.dates import chinese_date, from_serial, parse_date, to_serial
from xlcalc.values.levels import MaturityLevel, parse_level
from xlcalc.values.money import MAX_FEN, Money, parse_share, percent, round_half_up
from xlcalc.values.text import parse_tick, parse_yes_no
from xlcalc.values.uscc import clean_uscc, problem_of_uscc


def code_of(call: object, *values: object) -> str:
    assert callable(call)
    with pytest.raises(InputError) as raised:
        call(*values)
    assert raised.value.remedy
    return raised.value.code


@pytest.mark.parametrize(
    "text",
    [
        "2025-05-31",
        "2025/5/31",
        "2025.05.31",
        "2025年5月31日",
        "2025年05月31",
        "２０２５－０５－３１",
        " 2025 年 5 月 31 日 ",
    ],
)
def test_a_date_with_four_digit_year(text: str) -> None:
    assert parse_date(text) == date(2025, 5, 31)


@pytest.mark.parametrize(
    "value",
    ["25-05-31", "25年5月31日", "2025-05", "2025年5月", "5月31日", "2025-02-29", "2025-13-01", "2025-00-10",
     "31/05/2025", "2025-05-31 10:00", "昨天", "", "45808", 45808, 20250531, None, True, datetime(2025, 5, 31, 8)],
)  # fmt: skip
def test_what_is_no_date_is_never_guessed(value: object) -> None:
    assert code_of(parse_date, value) == "E-DATE"


def test_a_leap_day_is_a_day() -> None:
    assert parse_date("2024-02-29") == date(2024, 2, 29)


def test_serials() -> None:
    assert from_serial(45808) == date(2025, 5, 31)
    assert from_serial(45808 - 1462, date1904=True) == date(2025, 5, 31)
    assert to_serial(date(2025, 5, 31)) == 45808
    assert to_serial(date(1900, 3, 1)) == 61
    assert from_serial(32874) == date(1990, 1, 1)
    assert from_serial(73415) == date(2100, 12, 31)
    assert chinese_date(date(2025, 5, 31)) == "2025年5月31日"


@pytest.mark.parametrize("serial", [0, -1, 60, 32873, 73416, 20250531, 10**12])
def test_a_serial_that_is_no_plausible_day(serial: int) -> None:
    assert code_of(from_serial, serial) == "E-DATE"


LEVELS = {
    0: ["0", "无", "无等级", "未达", "未达一级", 0],
    1: ["1", "一级", "一", "1级", "初始级", "一级（初始级）", "Ⅰ", 1],
    2: ["2", "二级", "二", "2级", "规范级", "二级（规范级）", "Ⅱ", " 二 级 ", "２级", 2],
    3: ["3", "三级", "三", "3级", "集成级", "三级(集成级)", "Ⅲ", MaturityLevel.LEVEL_3],
    4: ["4", "四级", "四", "4级", "协同级", "四级（协同级）", "Ⅳ", 4],
}


@pytest.mark.parametrize(("level", "text"), [(level, text) for level, texts in LEVELS.items() for text in texts])
def test_a_level_in_every_spelling(level: int, text: object) -> None:
    assert parse_level(text) == level


@pytest.mark.parametrize("value", ["", "五级", "5", "-1", "2.0", "A", "二级以上", "规范", 5, -1, 2.0, True, None])
def test_what_is_no_level(value: object) -> None:
    assert code_of(parse_level, value) == "E-LEVEL"


MONEY = {
    "50万元": 50_000_000, "50万": 50_000_000, "500000元": 50_000_000, "500000.00元": 50_000_000, "¥1元": 100,
    "￥1.50 元": 150, "1,234,567.89元": 123_456_789, "０.０１元": 1, "0元": 0, "+1元": 100, "-0.01元": -1, "-0元": 0,
    "0.000001万元": 1, "87.5万元": 87_500_000, "10000000000元": MAX_FEN, " 1 元 ": 100,
}  # fmt: skip


@pytest.mark.parametrize(("text", "fen"), MONEY.items(), ids=list(MONEY))
def test_an_amount_with_its_unit(text: str, fen: int) -> None:
    assert Money.parse(text) == Money(fen)


NO_MONEY = {
    "500000": "E-UNIT", "0": "E-UNIT", "1,000": "E-UNIT", "": "E-MONEY", "元": "E-MONEY", "五十万元": "E-MONEY",
    "0.001元": "E-MONEY", "0.0000001万元": "E-MONEY", "1e5元": "E-MONEY", "1,00元": "E-MONEY", "1..0元": "E-MONEY",
    "50亿元": "E-MONEY", "50美元": "E-MONEY", "=30+45元": "E-MONEY", "10000000000.01元": "E-MONEY", "1元2角": "E-MONEY",
    "NaN元": "E-MONEY", "- 1元": "E-MONEY",
}  # fmt: skip


@pytest.mark.parametrize(("text", "code"), NO_MONEY.items(), ids=list(NO_MONEY))
def test_what_is_no_amount(text: str, code: str) -> None:
    assert code_of(Money.parse, text) == code


@pytest.mark.parametrize("value", [500000, 1.5, Decimal("1"), None, True, ["1元"]])
def test_a_bare_number_has_no_unit(value: object) -> None:
    assert code_of(Money.parse, value) == "E-UNIT"


def test_amounts_that_name_their_unit_in_the_call() -> None:
    assert Money.from_yuan("166666.65").fen == 16_666_665
    assert Money.from_wan(35).fen == 35_000_000
    assert Money.from_wan("0.000001").fen == 1
    assert str(Money(123_456_789)) == "1,234,567.89 元"
    assert Money(-5).as_dict() == {"fen": -5, "yuan": "-0.05"}
    for number in ("0.005", "NaN", "Infinity", "10000000001"):
        assert code_of(Money.from_yuan, number) == "E-MONEY"


def test_half_a_fen_goes_away_from_zero() -> None:
    halves = [Fraction(1, 2), Fraction(3, 2), Fraction(5, 2), Fraction(-1, 2), Fraction(-3, 2)]
    assert [round_half_up(half) for half in halves] == [1, 2, 3, -1, -2]
    assert round_half_up(Fraction(49_999_999, 100_000_000)) == 0
    assert round_half_up(Fraction(0)) == 0


@pytest.mark.parametrize("text", ["70", "七成", "0.7", "1/0", "%", "", "1/2/3"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        parse_share(text)


def test_shares_as_printed() -> None:
    assert parse_share("12.5%") == Fraction(1, 8)
    assert [percent(Fraction(*pair)) for pair in ((1, 2), (1, 8), (1, 14), (1, 1), (0, 1))] == [
        "50%", "12.5%", "1/14", "100%", "0%",
    ]  # fmt: skip


SOUND_CODES = [
    "91350100M000100Y43",
    "91130100MA00000T1W",
    "91150100MA0ABCDE18",
    " 91350100m000100y43",
    "９1350100M000100Y43",
]
DOUBTFUL = {
    "91350100M000100Y44": "校验位应为 3",
    "91130100MA00000T18": "校验位应为 W",
    "913501001234567000": "末三位已被表格软件改成 000",
    "9.135E+17": "末三位已被表格软件改成 000",
    "9E17": "末三位已被表格软件改成 000",
    "91350100M000100Y4": "现为17位",
    "91350100M000100Y4I": "不含 I、O、S、V、Z",
    "": "现为0位",
    "9135010OM000100Y43": "不含 I、O、S、V、Z",
    "91٣٥٠١٠٠M000100Y43": "应为18位数字",
    "９１３５０１００Ｍ０００１００Ｙ４４": "校验位应为 3",
}


@pytest.mark.parametrize("code", SOUND_CODES)
def test_a_sound_uscc(code: str) -> None:
    assert problem_of_uscc(code) is None


@pytest.mark.parametrize(("code", "why"), DOUBTFUL.items(), ids=[repr(code) for code in DOUBTFUL])
def test_a_doubtful_uscc_says_why(code: str, why: str) -> None:
    assert why in (problem_of_uscc(code) or "")


def test_a_doubtful_uscc_is_no_refusal() -> None:
    assert parse_facts({"uscc": "９1350100m000100y44 "}) == {"uscc": clean_uscc("91350100M000100Y44")}


TICKS = {
    True: ["√", "☑", "✓", "✔", "■", "●", "▣", "1", "是", "Y", "y", " √ "],
    False: ["□", "☐", "○", "0", "否", "N", "n", "", "  "],
    None: ["？", "x", "×", "V", "真", "2", "√√"],
}


@pytest.mark.parametrize(("ticked", "sign"), [(ticked, sign) for ticked, signs in TICKS.items() for sign in signs])
def test_tick_signs(ticked: bool | None, sign: str) -> None:
    assert parse_tick(sign) is ticked


@pytest.mark.parametrize(
    ("text", "value"),
    [("是", True), ("Yes", True), ("TRUE", True), ("１", True), ("否", False), ("false", False), ("×", False),
     ("", None), ("不", None), ("是的", None)],
)  # fmt: skip
def test_yes_and_no(text: str, value: bool | None) -> None:
    assert parse_yes_no(text) is value


BAD_FACTS = {
    "money that is negative": ({"recognised_cost": "-0.01元"}, "E-NEGATIVE"),
    "money without a unit": ({"recognised_cost": 5}, "E-UNIT"),
    "neither yes nor no": ({"is_sme": 2}, "E-BOOL"),
    "yes or no as a number": ({"is_sme": 1}, "E-BOOL"),
    "text that is a number": ({"enterprise_name": 5}, "E-TEXT"),
    "text beyond a cell": ({"enterprise_name": "长" * 32768}, "E-TEXT"),
    "code as a number": ({"uscc": 913501001234567000}, "E-TEXT"),
    "unknown option": ({"industry": "渔业"}, "E-OPTION"),
    "option as a number": ({"industry": 1}, "E-OPTION"),
    "answers as a list": ({"answers": ["A"]}, "E-ANSWERS"),
    "scenes as text": ({"scenes": "二级"}, "E-ANSWERS"),
    "unknown fact": ({"recognized_cost": "1元"}, "E-FACT"),
    "unknown fact without a value": ({"nothing_like_it": None}, "E-FACT"),
}


@pytest.mark.parametrize(("facts", "code"), BAD_FACTS.values(), ids=list(BAD_FACTS))
def test_an_unusable_fact_is_named(facts: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_facts(facts)
    assert raised.value.code == code
    assert raised.value.where == next(iter(facts))


def test_null_is_missing_and_values_pass_unchanged() -> None:
    given = {"recognised_cost": Money(5), "application_date": date(2025, 1, 1), "maturity_level": MaturityLevel.LEVEL_2}
    assert parse_facts({**given, "is_sme": None}) == given


def test_the_nearest_fact_is_offered() -> None:
    with pytest.raises(InputError) as raised:
        fact("recognized_cost")
    assert "recognised_cost" in raised.value.remedy


def test_labels_and_aliases_are_told_apart() -> None:
    labels = [known.label for known in catalogue().values()]
    assert len(set(labels)) == len(labels)
    columns = [column for known in catalogue().values() for column in known.columns.values()]
    for known in [*catalogue().values(), *columns]:
        for code, spellings in known.options.items():
            wanted = (code,) if known.type == "options" else code
            assert known.parse(code) == wanted
            assert [known.parse(spelling) for spelling in spellings] == [wanted] * len(spellings)


def test_all_options_ticked_in_one_cell_are_read() -> None:
    for known in catalogue().values():
        if known.type == "options":
            assert known.parse("、".join(spellings[0] for spellings in known.options.values())) == tuple(known.options)


def change_question() -> Question:
    options = tuple(
        Option(code, label, units, False, None, "", "")
        for code, label, units in (("increase", "增加", 0), ("flat", "持平", 1), ("decrease", "降低", 2))
    )
    figures = Figures("change", "energy", None, False, Fraction(0), frozenset(), None, None)
    return Question("q12", 12, "", "", "", False, options, figures, ())


@pytest.mark.parametrize(
    "pair", [[1, "x"], [1], [1, 2, 3], "12", 5, ["1e99999999", 1], [1, float("inf")], [1, float("nan")]]
)
def test_figures_that_are_not_two_numbers(pair: object) -> None:
    assert code_of(read_answer, change_question(), {"choice": "flat", "energy": pair}) == "E-FIGURE"


def test_a_tenth_is_a_tenth() -> None:
    answer = read_answer(change_question(), {"choice": "flat", "energy": [0.1, "0.10"]})
    assert answer is not None
    assert answer.findings == ()
