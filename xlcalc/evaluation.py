"""From a policy, an application date and facts to an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from xlcalc import __version__
from xlcalc.errors import InputError
from xlcalc.facts import parse_facts
from xlcalc.mechanisms.base import Context, Mechanism
from xlcalc.mechanisms.conditions import Seen, decide
from xlcalc.mechanisms.selection import Selection
from xlcalc.packs.policy import Choices, Policy, Version
from xlcalc.packs.registry import load_policy
from xlcalc.results.outcome import Choice, Outcome, Status, weakest
from xlcalc.values.dates import parse_date
from xlcalc.values.money import Money

if TYPE_CHECKING:
    from numpy.typing import NDArray


def evaluate(
    policy: str,
    facts: Mapping[str, object],
    *,
    on: date | str | None = None,
    version: str | None = None,
    choices: Choices | None = None,
) -> Outcome:
    """What a policy gives one enterprise, with each step's clause and what is still missing.

    facts: id -> value as in JSON (money as text with its unit, ``null`` for missing) or already parsed.
    on: the application date; else the fact ``application_date``; else none, and the newest version is
    used with ``application_date`` listed as missing. version: a version by name instead of by date.
    choices: interpretation id -> option code; the pack's defaults fill the rest.
    Raises InputError for an unusable fact, PolicyError for an unknown policy, version or choice.
    """
    held = load_policy(policy)
    if not isinstance(facts, Mapping):
        raise InputError("E-FACTS", "事实应为“事实: 值”的对应表", remedy='请写成 {"recognised_cost": "50万元", …}')
    parsed = parse_facts(facts)
    if on is not None:
        parsed["application_date"] = parse_date(on)
    day: date | None = parsed.get("application_date")
    chosen, in_force = _select(held, day, version)
    full = chosen.full_choices(choices or {})
    outcome = _run(held, chosen, parsed, full, in_force)
    outcome = _with_directions_alone(outcome, held, chosen, parsed, full)
    return _with_alternatives(outcome, held, chosen, parsed, full, in_force)


def evaluate_many(
    policy: str,
    columns: Mapping[str, NDArray[Any]],
    *,
    on: date | str | None = None,
    version: str | None = None,
    choices: Choices | None = None,
) -> dict[str, NDArray[Any]]:
    """Results for whole columns at once: money as int64 fen, levels 0–4, no findings and no alternatives.

    columns: fact id -> array of equal length, without missing values; money in fen. Needs NumPy.
    Raises InputError ``E-COLUMN`` naming the column, and the first row that cannot be used; ``E-NOT-IN-FORCE``
    for a day on which the policy does not apply.
    """
    from xlcalc.mechanisms.columns import equal_columns

    held = load_policy(policy)
    chosen, in_force = _select(held, parse_date(on) if on is not None else None, version)
    if not in_force:
        raise InputError("E-NOT-IN-FORCE", f"{policy} 在 {on} 不在有效期内", where="on", remedy="请核对申报日期")
    results: dict[str, NDArray[Any]] = {}
    checked = equal_columns(columns)
    for mechanism in chosen.mechanisms(chosen.full_choices(choices or {})):
        many = getattr(mechanism, "evaluate_many", None)
        if many is not None:
            try:
                results |= many(checked)
            except KeyError as error:
                name = str(error.args[0])
                raise InputError("E-COLUMN", f"缺少列 {name}", where=name, remedy="请补上该列，没有缺失值") from None
    return results


def _select(policy: Policy, day: date | None, version: str | None) -> tuple[Version, bool]:
    if version is not None:
        chosen = policy.version(version)
        return chosen, day is None or chosen.in_force(day)
    return policy.on(day) if day is not None else (policy.newest, True)


def _run(policy: Policy, version: Version, facts: Mapping[str, Any], choices: Choices, in_force: bool) -> Outcome:
    context = Context(facts, version.clauses)
    day: date | None = context.need("application_date")
    guards = version.guards(choices)
    mechanisms = [item for item in version.mechanisms(choices) if _applies(item, guards, context)]
    steps = tuple(mechanism.evaluate(context) for mechanism in mechanisms)
    results = {key: value for step in steps for key, value in step.results.items()}
    findings = tuple(finding for step in steps for finding in step.findings)
    status: Status = "determined"
    if not in_force:
        status = "not_in_force"
    elif any(finding.severity == "block" for finding in findings):
        status = "not_eligible"
    elif context.missing:
        status = "not_determined"
    pays = [mechanism.pays for mechanism in mechanisms if mechanism.pays]
    return Outcome(
        policy=policy.id,
        policy_label=policy.label,
        version=version.id,
        pack_hash=version.hash,
        library=__version__,
        status=status,
        results=results,
        payable=_payable(status, pays, results),
        missing=tuple(context.missing),
        attested=tuple(context.attested),
        findings=findings,
        choices=(),
        basis=weakest(*([step.basis for step in steps if step.results] or [step.basis for step in steps])),
        steps=steps,
        application_date=day,
    )


def _applies(mechanism: Mechanism, guards: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether a mechanism is asked at all; where that cannot be told yet, the first fact that would tell is missing."""
    seen = Seen()
    verdict = decide(guards[mechanism.key], context.facts, seen) if mechanism.key in guards else True
    if verdict is None:
        context.note_missing(seen.missing[0])
    return verdict is True


def _payable(status: Status, pays: list[str], results: Mapping[str, Any]) -> Money | None:
    if not pays or status == "not_determined":
        return None
    if status != "determined":
        return Money(0)
    return Money(sum(results[key].fen for key in pays))


def _with_directions_alone(
    outcome: Outcome, policy: Policy, version: Version, facts: Mapping[str, Any], choices: Choices
) -> Outcome:
    """Says what each direction would give alone, where several were applied for and the application cannot stand."""
    if outcome.status != "not_eligible":
        return outcome
    told = []
    for mechanism in version.mechanisms(choices):
        if isinstance(mechanism, Selection) and len(facts.get(mechanism.by.id) or ()) > 1:
            alone = {
                code: _run(policy, version, mechanism.narrowed(facts, code), choices, in_force=True)
                for code in facts[mechanism.by.id]
            }
            told.append(mechanism.each_alone(alone, Context(facts, version.clauses)))
    return replace(outcome, findings=(*outcome.findings, *told)) if told else outcome


def _with_alternatives(
    outcome: Outcome, policy: Policy, version: Version, facts: Mapping[str, Any], choices: Choices, in_force: bool
) -> Outcome:
    """Evaluates again with one choice flipped, and names the choices that were not the default or that matter."""
    named = []
    for key, code in choices.items():
        item = version.interpretations[key]
        alternatives = {}
        for other in item.options if version.touched(key) else ():
            if other != code:
                difference = _difference(outcome, _run(policy, version, facts, {**choices, key: other}, in_force))
                if difference:
                    alternatives[other] = difference
        if alternatives or code != item.default:
            named.append(Choice(key, item.question, code, item.options[code], code == item.default, alternatives))
    return replace(outcome, choices=tuple(named))


def _difference(outcome: Outcome, other: Outcome) -> dict[str, Any]:
    difference: dict[str, Any] = {}
    if other.status != outcome.status:
        difference["status"] = other.status
    for key, value in other.results.items():
        if key != "gap_to_next" and value != outcome.results.get(key):
            difference[key] = value
    return difference
