"""What the functions compute, on Python values: the library's own results, and nothing besides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from udfs.records import Choices, question_named, read_question
from udfs.versions import assessment, mechanism, stated, version_on
from xlcalc.errors import InputError, XlcalcError
from xlcalc.facts import catalogue, fact
from xlcalc.mechanisms.base import Context
from xlcalc.mechanisms.enterprise_size import EnterpriseSize
from xlcalc.packs.policy import locate
from xlcalc.values.dates import parse_date, to_serial
from xlcalc.values.money import Money, parse_share
from xlcalc.values.uscc import problem_of_uscc
from xlcalc.values.word_count import count_words, parse_mode

# --- the questionnaire


def _assess(
    policy: str,
    answers: Mapping[str, object],
    scenes: Mapping[str, object] | None,
    on: date | None,
    choices: Choices | None,
) -> Mapping[str, Any]:
    form = assessment(policy, on, choices)
    facts = {form.answers: answers, form.scenes_fact: scenes}
    return form.evaluate(Context(facts, version_on(policy, on).clauses)).results


def score(policy: str, answers: Mapping[str, object], on: date | None, choices: Choices | None) -> Fraction | None:
    """Points of 100."""
    return _assess(policy, answers, None, on, choices).get("score")


def question_score(
    policy: str, question: str, cells: tuple[object, ...], on: date | None, choices: Choices | None
) -> Fraction | None:
    """Points of one question, from its answer or its tick cells; None while it is unanswered."""
    form = assessment(policy, on, choices)
    asked = question_named(form, question)
    answer = form.read_answers({asked.key: read_question(asked, cells)}).get(asked.key)
    return Fraction(form.points({asked.key: answer.ticked})[asked.key], form.scale) if answer else None


def level(
    policy: str, answers: Mapping[str, object], scenes: Mapping[str, object], on: date | None, choices: Choices | None
) -> int | None:
    """The level 0–4."""
    found: int | None = _assess(policy, answers, scenes, on, choices).get("maturity_level")
    return found


def scene_count(
    policy: str, scenes: Mapping[str, object], at_least: int, on: date | None, choices: Choices | None
) -> int:
    """Scenes at a level or above."""
    return _count(policy, scenes, at_least, on, choices)[0]


def mandatory_count(
    policy: str, scenes: Mapping[str, object], at_least: int, on: date | None, choices: Choices | None
) -> int:
    """Mandatory scenes at a level or above."""
    return _count(policy, scenes, at_least, on, choices)[1]


def _count(
    policy: str, scenes: Mapping[str, object], at_least: int, on: date | None, choices: Choices | None
) -> tuple[int, int]:
    form = assessment(policy, on, choices)
    return form.count(at_least, form.read_scenes(scenes))


def gap(
    what: str,
    policy: str,
    answers: Mapping[str, object],
    scenes: Mapping[str, object],
    on: date | None,
    choices: Choices | None,
) -> Fraction | int:
    """What the next level still takes of ``points``, ``scenes`` or ``mandatory``; 0 at the highest."""
    still: Mapping[str, Any] | None = _assess(policy, answers, scenes, on, choices)["gap_to_next"]
    return still[what] if still else 0


# --- money


def face_value(policy: str, at: int, received: Money | None, on: date | None, choices: Choices | None) -> Money:
    """The voucher of a level."""
    return Money(mechanism(policy, "face_value", on, choices).amount(at, _fen(received)))


def subsidy(policy: str, cost: Money, at: int, on: date | None, choices: Choices | None) -> Money:
    """The share of the recognised cost, capped, by level."""
    return Money(mechanism(policy, "tiered_rate", on, choices).amount(cost.fen, at))


def tier_amount(policy: str, cost: Money, at: int, on: date | None, choices: Choices | None) -> Money:
    """What the tier of a level alone would pay, whatever lower tiers give; 0 where the level has no tier."""
    rate = mechanism(policy, "tiered_rate", on, choices)
    return Money(rate.tier_amount(at, cost.fen) if at >= rate.lowest else 0)


def reduction(policy: str, amount: Money, received: Money | None, on: date | None, choices: Choices | None) -> Money:
    """What a discount voucher takes off."""
    return Money(mechanism(policy, "discount_voucher", on, choices).amount(amount.fen, _fen(received)))


def own_payment(policy: str, amount: Money, received: Money | None, on: date | None, choices: Choices | None) -> Money:
    """What a discount voucher leaves to be paid."""
    return Money(amount.fen - reduction(policy, amount, received, on, choices).fen)


def _fen(received: Money | None) -> int:
    return received.fen if received else 0


def parameter(policy: str, path: str, on: date | None, choices: Choices | None) -> Money | Fraction | int:
    """A number that the pack states; amounts as Money, dates as serial numbers.

    path: mechanism.list.key.field, a list's rows being named by key or level. In a list of facts the name of one
    gives 1 where it is listed, else 0.
    """
    *steps, last = path.split(".")
    here = locate(stated(policy, on, choices), steps)
    if isinstance(here, list) and all(isinstance(name, str) for name in here):
        here = last in here if last in catalogue() else None
    else:
        here = locate(here, [last])
    if isinstance(here, bool | int):
        return int(here)
    for reading in (Money.parse, parse_share, lambda text: to_serial(parse_date(text))):
        try:
            if isinstance(here, str):
                return reading(here)
        except (XlcalcError, ValueError, ArithmeticError):
            continue
    raise InputError("E-PARAMETER", f"政策中没有数值“{path[:60]}”", where=policy, remedy="请核对路径")


# --- single values


def uscc_check(code: str) -> str:
    """Why a code is doubtful, else an empty text."""
    return problem_of_uscc(code) or ""


def word_count(text: str, mode: str | None) -> int:
    """The length of a text by one of the ways of counting."""
    return count_words(text, parse_mode(mode) if mode else "word")


def enterprise_size(
    policy: str,
    industry: str,
    employees: int | None,
    revenue: Money | None,
    assets: Money | None,
    on: date | None,
    choices: Choices | None,
) -> str | None:
    """The size by the standard of the policy; None while an indicator that counts in the industry could lower it."""
    standard: EnterpriseSize = mechanism(policy, "enterprise_size", on, choices)
    figures = {"employees": employees, "revenue": revenue and revenue.fen, "total_assets": assets and assets.fen}
    code = fact("size_industry").parse(industry)
    size = standard.size_of(code, {name: value for name, value in figures.items() if value is not None})
    return None if size is None else fact("enterprise_size").show(size)


def ratio_met(part: Decimal, whole: Decimal, threshold: Fraction) -> bool | None:
    """Whether part ÷ whole reaches the threshold, exactly and unrounded; a whole of 0 decides nothing."""
    if part < 0 or whole < 0:
        raise InputError("E-NEGATIVE", "部分或整体为负数", remedy="请填写不小于0的数")
    return Fraction(part) >= threshold * Fraction(whole) if whole else None


def in_window(day: date, first: date, last: date) -> bool:
    """Whether a day lies between two others, both included."""
    if first > last:
        raise InputError("E-DATE", f"起始日 {first} 晚于截止日 {last}", remedy="请核对两个日期")
    return first <= day <= last
