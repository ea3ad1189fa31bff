"""Filling an empty cell never contradicts a verdict already reached, and an open verdict names what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlcalc import load_policy
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.comparisons import COMPARISONS, compared
from xlcalc.mechanisms.conditions import Seen, decide, facts_of_test
from xlcalc.mechanisms.measures import measured
from xlcalc.values.levels import MaturityLevel
from xlcalc.values.money import Money

POLICIES = Path(__file__).parent / "policies"
steady = settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

numbers = st.integers(0, 12)
days = st.sampled_from([date(2028, 2, 29), date(2029, 12, 31), date(2030, 3, 1), date(2030, 3, 31), date(2031, 3, 1)])
BY_TYPE: Mapping[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "integer": st.one_of(numbers, st.sampled_from([2028, 2029, 2030])),
    "number": numbers.map(Decimal),
    "share": st.integers(0, 10).map(lambda tenth: Fraction(tenth, 10)),
    "money": st.integers(0, 12).map(lambda thousand: Money(1000 * thousand)),
    "date": days,
    "text": st.sampled_from(["甲公司", "乙公司", "乙 公司"]),
    "passage": st.sampled_from(["上云", "上云用云，"]),
    "level": st.sampled_from(list(MaturityLevel)),
    "scenes": st.dictionaries(st.sampled_from(["quality", "finance", "energy"]), st.integers(0, 4)),
}


def values(known: Fact) -> st.SearchStrategy[Any]:
    if known.type == "option":
        return st.sampled_from(list(known.options))
    if known.type == "options":
        return st.lists(st.sampled_from(list(known.options)), unique=True).map(tuple)
    if known.type == "table":
        row = st.fixed_dictionaries({name: values(column) for name, column in known.columns.items()})
        return st.lists(row, max_size=4).map(tuple)
    return BY_TYPE[known.type]


@st.composite
def emptied(draw: st.DrawFn, full: Mapping[str, Any]) -> dict[str, Any]:
    """The same facts, some of them and some of their cells left out; a row keeps at least one cell."""
    kept = {}
    for name, value in full.items():
        if draw(st.integers(0, 4)) == 0:
            continue
        if fact(name).type == "table":
            value = tuple(
                {key: cell for key, cell in row.items() if key in stays}
                for row in value
                for stays in [draw(st.sets(st.sampled_from(list(row)), min_size=1))]
            )
        kept[name] = value
    return kept


@st.composite
def grouped(draw: st.DrawFn, simple: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """One test of a pack, or a group of several."""
    leaf = st.sampled_from(simple)
    group = st.sampled_from(["all_of", "any_of", "none_of"])
    nested = st.recursive(
        leaf,
        lambda inner: st.tuples(group, st.lists(inner, min_size=1, max_size=3)).map(lambda pair: {pair[0]: pair[1]}),
        max_leaves=4,
    )
    return draw(nested)


@pytest.fixture
def simple(held_packs: Callable[[Path], None]) -> list[Mapping[str, Any]]:
    held_packs(POLICIES)
    packs = ("example.measured_conditions", "example.eligibility")
    found = [
        condition.test for pack in packs for condition in load_policy(pack).newest.mechanism("eligibility").conditions
    ]
    ratios = load_policy("example.ratio_threshold").newest.mechanism("ratio_threshold").ratios
    return found + [ratio.test for ratio in ratios]


def check_order(test: Mapping[str, Any], data: st.DataObject) -> None:
    """What was decided with less is decided the same way with more."""
    full = {name: data.draw(values(fact(name))) for name in facts_of_test(test)}
    partial = data.draw(emptied(full))
    seen = Seen()
    early, late = decide(test, partial, seen), decide(test, full, Seen())
    assert early is None or early == late
    assert early is not None or seen.missing
    assert set(seen.missing) <= set(facts_of_test(test))


def test_a_verdict_is_never_contradicted_by_what_comes_later(simple: list[Mapping[str, Any]]) -> None:
    for test in simple:
        steady(given(st.just(test), st.data())(check_order))()


def test_nor_is_that_of_several_together(simple: list[Mapping[str, Any]]) -> None:
    steady(given(grouped(simple), st.data())(check_order))()


def check_bounds(kind: str, body: Any, data: st.DataObject) -> None:
    """A measure with more cells filled lies within its bounds with fewer."""
    full = {name: data.draw(values(fact(name))) for name in facts_of_test({kind: body})}
    partial = data.draw(emptied(full))
    for measure in compared(kind, body):
        before, after = measured(measure, partial), measured(measure, full)
        assert after is not None and after.exact
        assert before is None or before.least <= after.least <= before.most


def test_a_measure_stays_within_its_first_bounds(simple: list[Mapping[str, Any]]) -> None:
    for kind, body in [(kind, test[kind]) for test in simple for kind in COMPARISONS if kind in test]:
        steady(given(st.just(kind), st.just(body), st.data())(check_bounds))()


def test_negative_numbers_leave_a_sum_open_both_ways(simple: list[Mapping[str, Any]]) -> None:
    of = {"table": "operations", "total": "profit"}
    rows = ({"profit": Decimal(5)}, {"year": 2029})
    found = measured(of, {"operations": rows})
    assert found is not None and not found.bounded
    assert found.least < -100 and found.most > 100
    later = measured(of, {"operations": (rows[0], {"year": 2029, "profit": Decimal(-8)})})
    assert later is not None and (later.least, later.exact) == (-3, True)
