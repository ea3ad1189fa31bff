"""The national sizes: each bound stands in its sentence where it must, and a size is that of its weakest indicator."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlcalc import load_policy
from xlcalc.facts import fact
from xlcalc.mechanisms.enterprise_size import INDICATORS, SIZES, EnterpriseSize
from xlcalc.packs.policy import Version

WORDS = {"从业人员": "employees", "营业收入": "revenue", "资产总额": "total_assets"}
INDUSTRIES = list(fact("size_industry").options)


@cache
def policy() -> Version:
    return load_policy("national.sme_size_2011").newest


def sizes() -> EnterpriseSize:
    found: EnterpriseSize = policy().mechanism("enterprise_size")
    return found


def stated(sentence: str) -> dict[str, int]:
    """The figures of one part of a clause, in 人 and fen."""
    found = re.findall(r"(从业人员|营业收入|资产总额)(\d+)(人|万元)", sentence)
    return {WORDS[word]: int(number) * (10**6 if unit == "万元" else 1) for word, number, unit in found}


@pytest.mark.parametrize("code", INDUSTRIES)
def test_the_bounds_are_those_of_the_sentence(code: str) -> None:
    industry = sizes().industries[code]
    all_three, rest = policy().clauses[industry.clause].quote.split("的为中小微型企业。其中，")
    medium, small, micro = re.split("[；，](?!且)", rest)
    assert medium.endswith("中型企业") and small.endswith("小型企业") and micro.endswith("微型企业。")
    assert list(industry.bounds) == [stated(small), stated(medium), stated(all_three)]
    # What is micro is exactly what is not small.
    assert stated(micro) == stated(small)
    assert ("或" in micro) == ("且" in small) == (len(industry.indicators) > 1)


def test_every_industry_of_the_form_is_there() -> None:
    numbered = [re.match("四（(.+)）", policy().clauses[item.clause].article) for item in sizes().industries.values()]
    numerals = [
        "一",
        "二",
        "三",
        "四",
        "五",
        "六",
        "七",
        "八",
        "九",
        "十",
        "十一",
        "十二",
        "十三",
        "十四",
        "十五",
        "十六",
    ]
    assert [match[1] for match in numbered if match] == numerals


figures = st.fixed_dictionaries(
    {
        "employees": st.integers(0, 2500),
        "revenue": st.integers(0, 3 * 10**11),
        "total_assets": st.integers(0, 2 * 10**11),
    }
)


@given(st.sampled_from(INDUSTRIES), figures)
def test_the_size_is_that_of_the_weakest_indicator(code: str, figure: dict[str, int]) -> None:
    industry = sizes().industries[code]
    alone = [sum(figure[name] >= bound[name] for bound in industry.bounds) for name in industry.indicators]
    assert sizes().size_of(code, figure) == SIZES[min(alone)]


@given(st.sampled_from(INDUSTRIES), figures, st.sampled_from(INDICATORS), st.integers(0, 10**11))
def test_more_never_makes_an_enterprise_smaller(code: str, figure: dict[str, int], name: str, more: int) -> None:
    grown = {**figure, name: figure[name] + more}
    smaller, larger = (SIZES.index(str(sizes().size_of(code, given))) for given in (figure, grown))
    assert smaller <= larger


@given(st.sampled_from(INDUSTRIES), figures, st.sets(st.sampled_from(INDICATORS)))
def test_what_is_known_of_some_figures_holds_for_all(code: str, figure: dict[str, int], known: set[str]) -> None:
    early = sizes().size_of(code, {name: figure[name] for name in known})
    assert early in (None, sizes().size_of(code, figure))
