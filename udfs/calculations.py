"""What the functions compute, on Python values: the library's own results, and nothing besides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from udfs.records import Record, Target, targets
from xlcalc import evaluate, load_policy
from xlcalc.errors import InputError, XlcalcError
from xlcalc.mechanisms.base import Context
from xlcalc.packs.policy import locate
from xlcalc.results.explain import SEVERITY_LABELS, STATUS_LABELS, explain, fact_label
from xlcalc.values.dates import parse_date, to_serial
from xlcalc.values.money import Money, parse_share
from xlcalc.values.uscc import problem_of_uscc
from xlcalc.values.word_count import count_words, parse_mode

if TYPE_CHECKING:
    from xlcalc.mechanisms.assessment_score import Assessment
    from xlcalc.packs.policy import Version
    from xlcalc.results.outcome import Outcome

_UNUSED_SHOWN = 10


def mechanism(policy: str, kind: str, on: date | None = None) -> Any:
    """The one mechanism of a kind in the version of a day, else the newest, under the default choices."""
    return _mechanism(_version(policy, on), kind)


def assessment(policy: str, on: date | None = None) -> Assessment:
    """The questionnaire of a policy; raises PolicyError where it has none."""
    found: Assessment = mechanism(policy, "assessment", on)
    return found


def fact_names(policy: str, on: date | None = None) -> Mapping[str, Target]:
    """What a heading may be called where facts of this policy are listed."""
    return _fact_names(_version(policy, on))


def _version(policy: str, on: date | None) -> Version:
    held = load_policy(policy)
    return held.on(on)[0] if on else held.newest


@cache
def _mechanism(version: Version, kind: str) -> Any:
    return version.mechanism(kind)


@cache
def _fact_names(version: Version) -> Mapping[str, Target]:
    has_form = any(row["kind"] == "assessment" for row in version.data["mechanism"])
    return targets(_mechanism(version, "assessment") if has_form else None)


# --- the questionnaire


def _assess(
    policy: str, answers: Mapping[str, object], scenes: Mapping[str, object] | None, on: date | None
) -> Mapping[str, Any]:
    form = assessment(policy, on)
    facts = {form.answers: answers, form.scenes_fact: scenes}
    return form.evaluate(Context(facts, _version(policy, on).clauses)).results


def score(policy: str, answers: Mapping[str, object], on: date | None) -> Fraction | None:
    """Points of 100."""
    return _assess(policy, answers, None, on).get("score")


def level(policy: str, answers: Mapping[str, object], scenes: Mapping[str, object], on: date | None) -> int | None:
    """The level 0–4."""
    found: int | None = _assess(policy, answers, scenes, on).get("maturity_level")
    return found


def scene_count(policy: str, scenes: Mapping[str, object], at_least: int, on: date | None) -> int:
    """Scenes at a level or above."""
    return _count(policy, scenes, at_least, on)[0]


def mandatory_count(policy: str, scenes: Mapping[str, object], at_least: int, on: date | None) -> int:
    """Mandatory scenes at a level or above."""
    return _count(policy, scenes, at_least, on)[1]


def _count(policy: str, scenes: Mapping[str, object], at_least: int, on: date | None) -> tuple[int, int]:
    form = assessment(policy, on)
    return form.count(at_least, form.read_scenes(scenes))


def gap(
    what: str, policy: str, answers: Mapping[str, object], scenes: Mapping[str, object], on: date | None
) -> Fraction | int:
    """What the next level still takes of ``points``, ``scenes`` or ``mandatory``; 0 at the highest."""
    still: Mapping[str, Any] | None = _assess(policy, answers, scenes, on)["gap_to_next"]
    return still[what] if still else 0


# --- money


def face_value(policy: str, at: int, received: Money | None, on: date | None) -> Money:
    """The voucher of a level."""
    return Money(mechanism(policy, "face_value", on).amount(at, _fen(received)))


def subsidy(policy: str, cost: Money, at: int, on: date | None) -> Money:
    """The share of the recognised cost, capped, by level."""
    return Money(mechanism(policy, "tiered_rate", on).amount(cost.fen, at))


def reduction(policy: str, amount: Money, received: Money | None, on: date | None) -> Money:
    """What a discount voucher takes off."""
    return Money(mechanism(policy, "discount_voucher", on).amount(amount.fen, _fen(received)))


def own_payment(policy: str, amount: Money, received: Money | None, on: date | None) -> Money:
    """What a discount voucher leaves to be paid."""
    return Money(amount.fen - reduction(policy, amount, received, on).fen)


def _fen(received: Money | None) -> int:
    return received.fen if received else 0


def parameter(policy: str, path: str, on: date | None) -> Money | Fraction | int:
    """A number that the pack states, under the default choices; amounts as Money, dates as serial numbers.

    path: mechanism.list.key.field, a list's rows being named by key or level.
    """
    here = locate(_stated(_version(policy, on)), path.split("."))
    if isinstance(here, bool | int):
        return int(here)
    for reading in (Money.parse, parse_share, lambda text: to_serial(parse_date(text))):
        try:
            if isinstance(here, str):
                return reading(here)
        except (XlcalcError, ValueError, ArithmeticError):
            continue
    raise InputError("E-PARAMETER", f"政策中没有数值“{path[:60]}”", where=policy, remedy="请核对路径")


@cache
def _stated(version: Version) -> list[dict[str, Any]]:
    return version.stated(version.full_choices({}))


# --- a whole enterprise


def status(policy: str, record: Record, on: date | None) -> str:
    """Whether the facts decide, and how."""
    return STATUS_LABELS[_outcome(policy, _sound(record), on).status]


def missing(policy: str, record: Record, on: date | None) -> str:
    """What is still to be filled in."""
    return "、".join(fact_label(name) for name in _outcome(policy, _sound(record), on).missing)


def findings(policy: str, record: Record, on: date | None) -> str:
    """What a person must know, one per line: unusable inputs first, then what the policy finds."""
    lines = _problems(record)
    for finding in _outcome(policy, record, on).findings:
        clause = f"（{finding.clause}）" if finding.clause else ""
        lines.append(f"[{finding.code}] {SEVERITY_LABELS[finding.severity]}：{finding.message}{clause}")
    return "\n".join([*lines, *_unused(record)])


def explanation(policy: str, record: Record, on: date | None) -> str:
    """The derivation, after what could not be read."""
    return "\n".join([*_problems(record), *_unused(record), explain(_outcome(policy, record, on))])


def _outcome(policy: str, record: Record, on: date | None) -> Outcome:
    return evaluate(policy, record.facts, on=on)


def _sound(record: Record) -> Record:
    if record.problems:
        raise record.problems[0]
    return record


def _problems(record: Record) -> list[str]:
    return [f"[{error.code}] 填写有误：{error.message}。{error.remedy}" for error in record.problems]


def _unused(record: Record) -> list[str]:
    if not record.unused:
        return []
    names = "、".join(record.unused[:_UNUSED_SHOWN]) + ("等" if len(record.unused) > _UNUSED_SHOWN else "")
    return [f"[E-FACT] 未采用：{names}。名称须与事实清单一致，可用 xlcalc facts 查看"]


# --- single values


def uscc_check(code: str) -> str:
    """Why a code is doubtful, else an empty text."""
    return problem_of_uscc(code) or ""


def word_count(text: str, mode: str | None) -> int:
    """The length of a text by one of the ways of counting."""
    return count_words(text, parse_mode(mode) if mode else "word")


def in_window(day: date, first: date, last: date) -> bool:
    """Whether a day lies between two others, both included."""
    if first > last:
        raise InputError("E-DATE", f"起始日 {first} 晚于截止日 {last}", remedy="请核对两个日期")
    return first <= day <= last
