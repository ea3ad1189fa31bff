"""What the functions compute, on Python values: the library's own results, and nothing besides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from udfs.records import Choices, Record, Target, question_named, read_question, targets
from xlcalc import evaluate, load_policy
from xlcalc.errors import InputError, PackError, PolicyError, XlcalcError
from xlcalc.facts import catalogue
from xlcalc.mechanisms.base import Context
from xlcalc.packs.policy import locate
from xlcalc.packs.registry import policy_ids
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


def mechanism(policy: str, kind: str, on: date | None = None, choices: Choices | None = None) -> Any:
    """The one mechanism of a kind in the version of a day, else the newest; the defaults fill the choices."""
    version = _version(policy, on)
    return _mechanism(version, kind, _in_force(version, choices or ()))


def assessment(policy: str, on: date | None = None, choices: Choices | None = None) -> Assessment:
    """The questionnaire of a policy; raises PolicyError where it has none."""
    found: Assessment = mechanism(policy, "assessment", on, choices)
    return found


def fact_names(policy: str, on: date | None = None, choices: Choices | None = None) -> Mapping[str, Target]:
    """What a heading may be called where facts of this policy are listed."""
    version = _version(policy, on)
    return _fact_names(version, _in_force(version, choices or ()))


def _version(policy: str, on: date | None) -> Version:
    held = load_policy(policy)
    return held.on(on)[0] if on else held.newest


@lru_cache(256)
def _in_force(version: Version, choices: Choices) -> Choices:
    """Every choice of this version, those given completed with the defaults; those of other policies are left out.

    Raises PolicyError ``E-CHOICE`` for an id that no policy has, or a code that its choice has not.
    """
    own = {key: code for key, code in choices if _leaves(version, key)}
    for key, _ in choices:
        if key not in own and not _offered(key):
            raise PolicyError("E-CHOICE", f"没有可选口径 {key[:40]}", where=key[:40], remedy="请核对口径确认表中的编号")
    return tuple(version.full_choices(own).items())


def _offered(key: str) -> bool:
    """Whether some version of some policy held leaves this choice."""
    for policy in policy_ids():
        try:
            versions = load_policy(policy).versions
        except PackError:  # told where that policy is asked for
            continue
        if any(_leaves(version, key) for version in versions):
            return True
    return False


def _leaves(version: Version, key: str) -> bool:
    """Whether it is a choice here; what is one under a policy may be a mere note under another."""
    item = version.interpretations.get(key)
    return item is not None and item.kind == "choice"


@lru_cache(256)
def _mechanism(version: Version, kind: str, choices: Choices) -> Any:
    return version.mechanism(kind, dict(choices))


@lru_cache(256)
def _fact_names(version: Version, choices: Choices) -> Mapping[str, Target]:
    has_form = any(row["kind"] == "assessment" for row in version.data["mechanism"])
    return targets(_mechanism(version, "assessment", choices) if has_form else None)


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
    return form.evaluate(Context(facts, _version(policy, on).clauses)).results


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
    version = _version(policy, on)
    stated = _stated(version, _in_force(version, choices or ()))
    *steps, last = path.split(".")
    here = locate(stated, steps)
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


@lru_cache(256)
def _stated(version: Version, choices: Choices) -> list[dict[str, Any]]:
    return version.stated(dict(choices))


# --- a whole enterprise


def status(policy: str, record: Record, on: date | None, choices: Choices | None) -> str:
    """Whether the facts decide, and how."""
    return STATUS_LABELS[_outcome(policy, _sound(record), on, choices).status]


def missing(policy: str, record: Record, on: date | None, choices: Choices | None) -> str:
    """What is still to be filled in."""
    return "、".join(fact_label(name) for name in _outcome(policy, _sound(record), on, choices).missing)


def findings(policy: str, record: Record, on: date | None, choices: Choices | None) -> str:
    """What a person must know, one per line: unusable inputs first, then what the policy finds."""
    lines = _problems(record)
    for finding in _outcome(policy, record, on, choices).findings:
        clause = f"（{finding.clause}）" if finding.clause else ""
        lines.append(f"[{finding.code}] {SEVERITY_LABELS[finding.severity]}：{finding.message}{clause}")
    return "\n".join([*lines, *_unused(record)])


def explanation(policy: str, record: Record, on: date | None, choices: Choices | None) -> str:
    """The derivation, after what could not be read."""
    return "\n".join([*_problems(record), *_unused(record), explain(_outcome(policy, record, on, choices))])


def _outcome(policy: str, record: Record, on: date | None, choices: Choices | None) -> Outcome:
    """Without a day the facts' own decides the version, and with it which choices there are."""
    day: Any = on or record.facts.get("application_date")
    return evaluate(policy, record.facts, on=on, choices=dict(_in_force(_version(policy, day), choices or ())))


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
