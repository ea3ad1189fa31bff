"""What holds for all inputs, on examples drawn at random but the same in every run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc as stdnum_uscc
from stdnum.exceptions import ValidationError

from xlcalc import evaluate, evaluate_many, load_policy
from xlcalc.errors import InputError
from xlcalc.mechanisms.assessment import Assessment
from xlcalc.mechanisms.conditions import Seen, decide
from xlcalc.mechanisms.discount_voucher import DiscountVoucher
from xlcalc.mechanisms.face_value import FaceValue
from xlcalc.mechanisms.tiered_rate import TieredRate
from xlcalc.values.money import MAX_FEN, Money, round_half_up
from xlcalc.values.uscc import ALPHABET, check_character, problem_of_uscc

steady = settings(derandomize=True, max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SUBSIDY = "hohhot.transformation_subsidy"
SAAS = "shijiazhuang.saas_voucher"
CLOUD = "shijiazhuang.cloud_voucher"
MATURITY = ("national.maturity_2024", "hohhot.maturity_2024")
CAPS = {0: 0, 1: 0, 2: 35_000_000, 3: 150_000_000, 4: 300_000_000}
RATES = {2: Fraction(7, 10), 3: Fraction(1, 2), 4: Fraction(2, 5)}

levels = st.integers(0, 4)
edges = st.sampled_from([0, 1, 4, 5, 49_999_999, 50_000_000, 299_999_999, 300_000_001, 749_999_999, MAX_FEN])
amounts = st.one_of(edges, st.integers(0, 10**9), st.integers(0, MAX_FEN))
notch = st.sampled_from(["literal", "max_of_lower_levels"])
cap_scope = st.sampled_from(["combined", "saas_only", "per_instrument"])


def subsidy(choice: str = "literal") -> TieredRate:
    found: TieredRate = load_policy(SUBSIDY).newest.mechanism("tiered_rate", {"AMB-31": choice})
    return found


def saas(choice: str = "combined") -> DiscountVoucher:
    found: DiscountVoucher = load_policy(SAAS).newest.mechanism("discount_voucher", {"AMB-01": choice})
    return found


def cloud(choice: str = "combined") -> FaceValue:
    found: FaceValue = load_policy(CLOUD).newest.mechanism("face_value", {"AMB-01": choice})
    return found


def assessment(policy: str) -> Assessment:
    found: Assessment = load_policy(policy).newest.mechanism("assessment")
    return found


@steady
@given(amounts, levels, notch)
def test_a_subsidy_never_exceeds_its_cap(fen: int, level: int, choice: str) -> None:
    paid = subsidy(choice).amount(fen, level)
    assert 0 <= paid <= max(CAPS[lower] for lower in range(level + 1))
    if choice == "literal":
        assert paid <= CAPS[level]
        if level >= 2:
            assert paid == min(Fraction(CAPS[level]), Fraction((RATES[level] * fen + Fraction(1, 2)).__floor__()))


@steady
@given(amounts, amounts, levels, notch)
def test_more_investment_never_pays_less_at_the_same_level(one: int, other: int, level: int, choice: str) -> None:
    less, more = sorted((one, other))
    assert subsidy(choice).amount(less, level) <= subsidy(choice).amount(more, level)


def test_more_level_does_not_always_pay_more() -> None:
    assert [subsidy().amount(50_000_000, level) for level in (2, 3, 4)] == [35_000_000, 25_000_000, 20_000_000]


@steady
@given(amounts, levels)
def test_the_other_reading_never_pays_less(fen: int, level: int) -> None:
    assert subsidy("max_of_lower_levels").amount(fen, level) >= subsidy().amount(fen, level)


@steady
@given(amounts, amounts, cap_scope)
def test_a_reduction_and_what_was_had_before_stay_within_the_cap(fen: int, before: int, choice: str) -> None:
    paid = saas(choice).amount(fen, before)
    assert 0 <= paid <= max(10_000_000 - before, 0)
    assert paid <= fen or fen == 0


@steady
@given(st.lists(st.integers(0, 20_000_000), max_size=6))
def test_contracts_one_after_another_never_pass_the_cap(contracts: list[int]) -> None:
    had = 0
    for contract in contracts:
        had += saas().amount(contract, had)
    assert had <= 10_000_000
    if sum(contracts) * 6 // 10 - len(contracts) > 10_000_000:
        assert had == 10_000_000


@steady
@given(levels, amounts, cap_scope)
def test_a_face_value_never_exceeds_what_remains(level: int, before: int, choice: str) -> None:
    paid = cloud(choice).amount(level, before)
    assert 0 <= paid <= {0: 0, 1: 0, 2: 1_000_000, 3: 1_500_000, 4: 2_000_000}[level]
    if choice != "saas_only":
        assert paid <= max(10_000_000 - before, 0)


def tied(rate: Fraction) -> st.SearchStrategy[int]:
    """Amounts whose product with a rate is an exact half fen, among others."""
    step = (2 * rate).denominator
    halves = [n for n in range(1, 200) if (rate * n).denominator == 2]
    return st.sampled_from(halves or [step]).flatmap(
        lambda half: st.integers(0, 10**6).map(lambda turn: half + turn * rate.denominator * 2)
    )


@steady
@given(st.lists(st.tuples(st.one_of(amounts, tied(Fraction(1, 2))), levels), min_size=1, max_size=40), notch)
def test_subsidies_in_columns_are_the_exact_ones(rows: list[tuple[int, int]], choice: str) -> None:
    columns = {
        "recognised_cost": np.array([fen for fen, _ in rows]),
        "maturity_level": np.array([at for _, at in rows]),
    }
    found = evaluate_many(SUBSIDY, columns, choices={"AMB-31": choice})["subsidy"]
    assert found.dtype == np.int64
    assert found.tolist() == [subsidy(choice).amount(*row) for row in rows]


@steady
@given(st.lists(st.tuples(st.one_of(amounts, st.integers(0, 17_000_000)), amounts, amounts), min_size=1), cap_scope)
def test_reductions_in_columns_are_the_exact_ones(rows: list[tuple[int, int, int]], choice: str) -> None:
    names = ("approved_amount", "saas_reduction_to_date", "cloud_voucher_received")
    columns = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    found = evaluate_many(SAAS, columns, choices={"AMB-01": choice})
    counted = [before + (voucher if choice == "combined" else 0) for _, before, voucher in rows]
    exact = [saas(choice).amount(base, had) for (base, *_), had in zip(rows, counted, strict=True)]
    assert found["reduction"].tolist() == exact
    assert (found["reduction"] + found["own_payment"]).tolist() == [base for base, *_ in rows]


@steady
@given(st.lists(st.tuples(levels, amounts, amounts), min_size=1), cap_scope)
def test_face_values_in_columns_are_the_exact_ones(rows: list[tuple[int, int, int]], choice: str) -> None:
    names = ("maturity_level", "cloud_voucher_received", "saas_reduction_to_date")
    columns = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    found = evaluate_many(CLOUD, columns, choices={"AMB-01": choice})["face_value"]
    counted = {"combined": (1, 1), "saas_only": (0, 0), "per_instrument": (1, 0)}[choice]
    had = [voucher * counted[0] + reduced * counted[1] for _, voucher, reduced in rows]
    assert found.tolist() == [
        cloud(choice).amount(level, before) for (level, *_), before in zip(rows, had, strict=True)
    ]  # fmt: skip


def ticks(draw: st.DrawFn, one: Assessment) -> dict[str, list[str]]:
    """Codes ticked per question: one of a 单选, some or 无 of a 多选."""
    found = {}
    for question in one.questions:
        codes = [option.code for option in question.options]
        if not question.multi:
            found[question.key] = [draw(st.sampled_from(codes))]
            continue
        none = [option.code for option in question.options if option.exclusive]
        some = st.lists(st.sampled_from([code for code in codes if code not in none]), min_size=1, unique=True)
        found[question.key] = draw(st.one_of(st.just(none), some))
    return found


@st.composite
def filled_forms(draw: st.DrawFn) -> tuple[str, dict[str, list[str]], list[int]]:
    policy = draw(st.sampled_from(MATURITY))
    one = assessment(policy)
    return policy, ticks(draw, one), draw(st.lists(levels, min_size=len(one.scenes), max_size=len(one.scenes)))


def units_of(one: Assessment, answers: Mapping[str, list[str]]) -> int:
    points = {question.key: {option.code: option.units for option in question.options} for question in one.questions}
    return sum(points[key][code] for key, codes in answers.items() for code in codes)


@steady
@given(filled_forms(), st.randoms(use_true_random=False))
def test_a_score_is_a_sum_in_any_order(form: tuple[str, dict[str, list[str]], list[int]], random: Any) -> None:
    policy, answers, reached = form
    one = assessment(policy)
    scenes = {scene.key: level for scene, level in zip(one.scenes, reached, strict=True)}
    shuffled = {}
    for key in random.sample(list(answers), len(answers)):
        shuffled[key] = random.sample(answers[key], len(answers[key]))
    first, second = (evaluate(policy, {"answers": given, "scenes": scenes}).results for given in (answers, shuffled))
    assert first == second
    assert first["score"] == Fraction(units_of(one, answers), one.scale)
    assert 0 <= first["score"] <= 100


@steady
@given(st.lists(filled_forms(), min_size=1, max_size=8))
def test_assessments_in_columns_are_the_exact_ones(forms: list[tuple[str, dict[str, list[str]], list[int]]]) -> None:
    policy = forms[0][0]
    one = assessment(policy)
    columns = {
        question.key: np.array(
            [sum(1 << (question.index(code) or 0) for code in answers[question.key]) for _, answers, _ in forms]
        )
        for question in one.questions
    }
    columns["scenes"] = np.array([reached for *_, reached in forms])
    found = evaluate_many(policy, columns)
    for place, (_, answers, reached) in enumerate(forms):
        scenes = {scene.key: level for scene, level in zip(one.scenes, reached, strict=True)}
        exact = evaluate(policy, {"answers": answers, "scenes": scenes}).results
        assert Fraction(int(found["score_units"][place]), one.scale) == exact["score"]
        assert found["maturity_level"][place] == exact["maturity_level"]


@pytest.mark.parametrize("policy", MATURITY)
def test_the_level_is_the_lower_of_score_level_and_scene_level(policy: str) -> None:
    one = assessment(policy)
    table = {0: (0, 0, 0), 1: (20, 6, 3), 2: (40, 6, 3), 3: (60, 8, 5), 4: (80, 10, 6)}

    @steady
    @given(st.integers(0, 100 * one.scale), st.lists(levels, min_size=16, max_size=16))
    def holds(units: int, reached: list[int]) -> None:
        scenes = {scene.key: level for scene, level in zip(one.scenes, reached, strict=True)}
        by_score = max(level for level, (score, _, _) in table.items() if units >= score * one.scale)
        by_scenes = max(
            level
            for level, (_, count, mandatory) in table.items()
            if level == 0
            or (
                sum(at >= level for at in reached) >= count
                and sum(scenes[scene.key] >= level for scene in one.scenes if scene.mandatory) >= mandatory
            )
        )
        assert one.level_of(units, scenes) == min(by_score, by_scenes)

    holds()


@steady
@given(st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**6))
def test_half_up_is_the_schoolbook_one(amount: Fraction) -> None:
    thousandfold = Fraction((amount * 1000).__trunc__(), 1000)
    exact = Decimal(thousandfold.numerator) / Decimal(thousandfold.denominator)
    assert round_half_up(thousandfold) == int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    assert abs(round_half_up(amount) - amount) <= Fraction(1, 2)
    assert round_half_up(-amount) == -round_half_up(amount)


@steady
@given(st.integers(0, MAX_FEN), st.sampled_from([Fraction(7, 10), Fraction(1, 2), Fraction(2, 5), Fraction(3, 5)]))
def test_half_up_of_a_product_is_the_integer_formula(fen: int, rate: Fraction) -> None:
    points = rate * 10000
    assert round_half_up(rate * fen) == (fen * points.numerator + 5000) // 10000


@steady
@given(st.integers(-MAX_FEN, MAX_FEN))
def test_money_reads_back_what_it_writes(fen: int) -> None:
    amount = Money(fen)
    assert Money.parse(str(amount)) == amount
    assert Money.parse(f"{amount.yuan}元") == amount
    assert Money.parse(f"{Decimal(fen).scaleb(-6):f}万元") == amount
    assert Money.from_yuan(amount.as_dict()["yuan"]) == amount


@steady
@given(st.text(max_size=24))
def test_no_text_makes_money_fail_otherwise_than_by_its_error(text: str) -> None:
    try:
        assert abs(Money.parse(text).fen) <= MAX_FEN
    except InputError as error:
        assert error.code in ("E-UNIT", "E-MONEY")


def stdnum_accepts(code: str) -> bool:
    try:
        stdnum_uscc.validate(code)
    except ValidationError:
        return False
    return True


@steady
@given(st.integers(0, 99_999_999), st.text(ALPHABET, min_size=9, max_size=9), st.sampled_from(ALPHABET))
def test_a_uscc_is_sound_where_stdnum_says_so(head: int, body: str, last: str) -> None:
    first = f"{head:08d}{body}"
    assert problem_of_uscc(first + check_character(first)) is None
    assert stdnum_accepts(first + check_character(first))
    assert (problem_of_uscc(first + last) is None) == stdnum_accepts(first + last)


@steady
@given(st.text(ALPHABET, min_size=2, max_size=2), st.integers(0, 999_999), st.text(ALPHABET, min_size=9, max_size=9))
def test_the_check_character_is_the_one_of_stdnum(head: str, region: int, body: str) -> None:
    # GB 32100-2015 allows letters in the first two places, where stdnum insists on digits.
    first = f"{head}{region:06d}{body}"
    assert check_character(first) == stdnum_uscc.calc_check_digit(first)
    assert problem_of_uscc(first + check_character(first)) is None


@steady
@given(st.text(max_size=20))
def test_any_text_can_be_asked_whether_it_is_a_uscc(text: str) -> None:
    assert problem_of_uscc(text) is None or problem_of_uscc(text)


DAY = date(2025, 1, 1)
YES_NO = ("is_sme", "on_pilot_list", "prior_contract", "operating_well")
DATES = ("contract_date", "implementation_end", "pilot_end", "implementation_start")
days = st.integers(0, 5).map(lambda n: DAY + timedelta(n))


def windows() -> st.SearchStrategy[dict[str, Any]]:
    ends = st.fixed_dictionaries(
        {"fact": st.sampled_from(DATES)},
        optional={
            "first": days,
            "last": days,
            "first_fact": st.sampled_from(DATES),
            "last_fact": st.sampled_from(DATES),
        },
    )
    return ends.filter(lambda body: not ({"first", "first_fact"} <= set(body) or {"last", "last_fact"} <= set(body)))


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    single = st.one_of(
        st.builds(lambda kind, name: {kind: name}, st.sampled_from(["is_true", "is_false", "attested"]),
                  st.sampled_from(YES_NO)),
        st.builds(lambda kind, value: {kind: {"fact": "maturity_level", "value": value}},
                  st.sampled_from(["at_least", "at_most"]), levels),
        st.builds(lambda values: {"one_of": {"fact": "industry", "values": values}},
                  st.lists(st.sampled_from(["biomedicine", "modern_food"]), unique=True)),
        windows().map(lambda body: {"between_dates": body}),
    )  # fmt: skip
    return st.recursive(
        single,
        lambda inner: st.builds(
            lambda kind, parts: {kind: parts},
            st.sampled_from(["all_of", "any_of", "none_of"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        max_leaves=8,
    )


complete_facts = st.fixed_dictionaries(
    {
        **dict.fromkeys(YES_NO, st.booleans()),
        **dict.fromkeys(DATES, days),
        "maturity_level": levels,
        "industry": st.sampled_from(["biomedicine", "modern_food", "new_materials"]),
    }
)


@steady
@given(conditions(), complete_facts, st.data())
def test_a_further_fact_never_unsettles_a_decision(
    test: dict[str, Any], facts: dict[str, Any], data: st.DataObject
) -> None:
    known = data.draw(st.sets(st.sampled_from(sorted(facts))))
    some = {name: facts[name] for name in known}
    seen = Seen()
    before = decide(test, some, seen)
    after = decide(test, facts, Seen())
    assert after is not None
    assert before in (None, after)
    assert (before is not None) or seen.missing
    assert set(seen.missing).isdisjoint(known)


@steady
@given(conditions(), complete_facts, st.data())
def test_what_is_listed_as_missing_is_enough_to_go_on(
    test: dict[str, Any], facts: dict[str, Any], data: st.DataObject
) -> None:
    some = {name: facts[name] for name in data.draw(st.sets(st.sampled_from(sorted(facts))))}
    for _ in range(len(facts) + 1):
        seen = Seen()
        if decide(test, some, seen) is not None:
            return
        some |= {name: facts[name] for name in seen.missing}
    pytest.fail("asked for everything and still undecided")
