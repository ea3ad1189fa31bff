"""What the functions compute of a whole enterprise: its facts, under all of a policy at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from udfs.records import Choices, Record
from udfs.versions import in_force, version_on
from xlcalc import evaluate
from xlcalc.errors import InputError
from xlcalc.facts import fact
from xlcalc.results.explain import RESULT_LABELS, SEVERITY_LABELS, STATUS_LABELS, explain, fact_label
from xlcalc.values.text import squeeze

if TYPE_CHECKING:
    from xlcalc.packs.policy import Version
    from xlcalc.results.outcome import Outcome

_UNUSED_SHOWN = 10


def status(policy: str, record: Record, on: date | None, choices: Choices | None) -> str:
    """Whether the facts decide, and how."""
    return STATUS_LABELS[_outcome(policy, record.sound(), on, choices).status]


def missing(policy: str, record: Record, on: date | None, choices: Choices | None) -> str:
    """What is still to be filled in."""
    return "、".join(fact_label(name) for name in _outcome(policy, record.sound(), on, choices).missing)


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
    return evaluate(policy, record.facts, on=on, choices=dict(in_force(_version(policy, record, on), choices)))


def _version(policy: str, record: Record, on: date | None) -> Version:
    day: Any = on or record.facts.get("application_date")
    return version_on(policy, day)


def _problems(record: Record) -> list[str]:
    return [f"[{error.code}] 填写有误：{error.message}。{error.remedy}" for error in record.problems]


def _unused(record: Record) -> list[str]:
    if not record.unused:
        return []
    names = "、".join(record.unused[:_UNUSED_SHOWN]) + ("等" if len(record.unused) > _UNUSED_SHOWN else "")
    return [f"[E-FACT] 未采用：{names}。名称须与事实清单一致，可用 xlcalc facts 查看"]


# --- one result by its name


class _Item(NamedTuple):
    """Where a named result stands: among the results or, by group, the details of the steps."""

    group: Literal["results", "ratios", "indicators", "payable"]
    key: str


_RESULTS: Mapping[str, tuple[str, ...]] = {
    "assessment": ("score", "maturity_level", "scenes_at_level", "mandatory_at_level"),
    "cost_recognition": ("recognised_cost",),
    "discount_voucher": ("reduction", "own_payment"),
    "enterprise_size": ("enterprise_size",),
    "face_value": ("face_value", "maturity_level"),
    "flat_award": ("award",),
    "ranking": ("prize_budget", "prize_money"),
    "selection": ("award",),
    "tiered_rate": ("subsidy", "maturity_level"),
}
"""What a mechanism of a kind may yield, so that a name nothing yields is told from one that waits for facts."""

_ONLY_TEXT = frozenset({"enterprise_size"})
_NAMED = _ONLY_TEXT | {"maturity_level"}
"""Results that are one of a few things with a name."""


def result(policy: str, item: str, record: Record, on: date | None, choices: Choices | None) -> Any:
    """A number the policy gives this enterprise: amounts as Money, ratios and indicators exact; None while undecided.

    item: a result or ``payable`` by id or Chinese name, ``ratios.key``, ``indicators.key``, or the label of one of
    these. Whether the conditions are met only ``payable`` says. Raises InputError ``E-RESULT`` for a name this policy
    does not give, and for a result that is text.
    """
    found = _item(policy, item, record.sound(), on, choices)
    if found.key in _ONLY_TEXT:
        raise InputError("E-RESULT", f"“{item[:40]}”的结果是文字", where=policy, remedy="请改用 XLC_RESULT_TEXT")
    return _value(found, _outcome(policy, record, on, choices), record)


def result_text(policy: str, item: str, record: Record, on: date | None, choices: Choices | None) -> str | None:
    """A result whose values have names (等级, 企业规模), in words; None while undecided.

    Raises InputError ``E-RESULT`` for a name this policy does not give, and for an amount or another number.
    """
    found = _item(policy, item, record.sound(), on, choices)
    if found.key not in _NAMED:
        raise InputError("E-RESULT", f"“{item[:40]}”的结果是数值", where=policy, remedy="请改用 XLC_RESULT")
    value = _value(found, _outcome(policy, record, on, choices), record)
    return None if value is None else fact(found.key).show(value)


def _value(item: _Item, outcome: Outcome, record: Record) -> Any:
    if item.group == "payable":
        return outcome.payable
    if item.group == "results":
        found = outcome.detail(item.key)
        # Without investment lines, which the cells of facts cannot hold, the cost is the one that was given.
        return record.facts.get(item.key) if found is None and item.key == "recognised_cost" else found
    shown = {key: value for step in outcome.steps for key, value in step.details.get(item.group, {}).items()}
    return shown.get(item.key)


def _item(policy: str, item: str, record: Record, on: date | None, choices: Choices | None) -> _Item:
    version = _version(policy, record, on)
    found = _items(version, in_force(version, choices)).get(squeeze(item))
    if found is None:
        raise InputError("E-RESULT", f"本政策没有结果“{item[:40]}”", where=policy, remedy="请核对名称")
    return found


@lru_cache(256)
def _items(version: Version, choices: Choices) -> Mapping[str, _Item | None]:
    """Every name a result may be asked by; None for a label that two of them share."""
    found: dict[str, _Item | None] = {}

    def name(word: str, item: _Item) -> None:
        known = found.setdefault(squeeze(word), item)
        if known != item:
            found[squeeze(word)] = None

    for row in version.data["mechanism"]:
        for key in _RESULTS.get(row["kind"], ()):
            for word in (key, RESULT_LABELS[key]):
                name(word, _Item("results", key))
    for mechanism in version.mechanisms(dict(choices)):
        if mechanism.pays:
            name("payable", _Item("payable", "payable"))
            name("可拨付", _Item("payable", "payable"))
        for group in ("ratios", "indicators"):
            for line in getattr(mechanism, group, ()):
                name(f"{group}.{line.key}", _Item(group, line.key))
                name(line.label, _Item(group, line.key))
    return found
