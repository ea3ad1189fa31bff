"""From a policy, an application date and facts to an outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from xlcalc import __version__
from xlcalc.errors import InputError
from xlcalc.facts import parse_facts
from xlcalc.mechanisms.base import Clause, Context, Mechanism
from xlcalc.mechanisms.conditions import Seen, decide
from xlcalc.mechanisms.selection import Selection
from xlcalc.packs.policy import Choices, Policy, Version
from xlcalc.packs.registry import load_policy
from xlcalc.results.outcome import Attested, Choice, Outcome, Status, Step, weakest
from xlcalc.values.dates import parse_date
from xlcalc.values.money import Money

if TYPE_CHECKING:
    from numpy.typing import NDArray


def evaluate(
    policy: str,
    facts: Mapping[str, object],
    *,
    on: date | str | None = None,
    version: str | Version | None = None,
    choices: Choices | None = None,
) -> Outcome:
    """What a policy gives one enterprise, with each step's clause and what is still missing.

    facts: id -> value as in JSON (money as text with its unit, ``null`` for missing) or already parsed.
    on: the application date; else the fact ``application_date``; else none, and the newest version is
    used with ``application_date`` listed as missing. version: a version by name, or one at hand, instead of by date.
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
    given = _Given(parsed, chosen.clauses)
    turns = _turns(given, chosen.mechanisms(full), chosen.guards(full))
    outcome = _outcome(held, chosen, parsed, turns, in_force)
    matter = _choices_that_matter(outcome, chosen, given, full, turns)
    outcome = _with_directions_alone(outcome, held, chosen, parsed, full)
    return replace(outcome, choices=matter)


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


def _select(policy: Policy, day: date | None, version: str | Version | None) -> tuple[Version, bool]:
    if version is not None:
        chosen = policy.version(version) if isinstance(version, str) else version
        return chosen, day is None or chosen.in_force(day)
    return policy.on(day) if day is not None else (policy.newest, True)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one mechanism did with the facts, and what else that depended on: the facts derived ``before`` it.

    step: None where it was not asked; wanted: the fact that would tell whether it is.
    """

    mechanism: Mechanism
    guard: Mapping[str, Any] | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    step: Step | None = None
    wanted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    attested: tuple[Attested, ...] = ()


@dataclass(frozen=True, slots=True)
class _Given:
    """What all turns of one evaluation share: the facts, the clauses, and what mechanisms keep of these facts."""

    facts: Mapping[str, Any]
    clauses: Mapping[str, Clause]
    kept: dict[Any, Any] = field(default_factory=dict)


def _turns(
    given: _Given,
    mechanisms: Sequence[Mechanism],
    guards: Mapping[str, Mapping[str, Any]],
    known: Sequence[_Turn] = (),
    first: int = 0,
) -> list[_Turn]:
    """The mechanisms' turns.

    known: turns with the same facts under other choices, the same up to ``first``; a mechanism that is the same under
    both, and has the same before it, does the same again. Beside them the others are brief.
    """
    turns = list(known[:first])
    derived: Mapping[str, Any] = turns[-1].after if turns else {}
    for place in range(first, len(mechanisms)):
        mechanism = mechanisms[place]
        guard = guards.get(mechanism.key)
        turn = known[place] if known else None
        if turn is None or turn.guard is not guard or turn.before != derived or not _alike(turn, mechanism, given):
            context = Context(given.facts, given.clauses, derived=dict(derived), kept=given.kept, brief=bool(known))
            turn = _turn(mechanism, guard, context, derived)
        turns.append(turn)
        derived = turn.after
    return turns


def _turn(mechanism: Mechanism, guard: Mapping[str, Any] | None, context: Context, derived: Mapping[str, Any]) -> _Turn:
    """Whether a mechanism is asked at all; where that cannot be told yet, the first fact that would tell is wanted."""
    seen = Seen()
    verdict = True if guard is None else decide(guard, context.facts, seen)
    if verdict is not True:
        return _Turn(mechanism, guard, derived, derived, wanted=tuple(seen.missing[:1]) if verdict is None else ())
    step = mechanism.evaluate(context)
    return _Turn(
        mechanism, guard, derived, context.derived, step, (), tuple(context.missing), tuple(context.attested)
    )  # fmt: skip


def _alike(turn: _Turn, mechanism: Mechanism, given: _Given) -> bool:
    """Whether a mechanism would do what another did in its turn: it is the same, or says so of these facts."""
    if turn.mechanism is mechanism:
        return True
    same_as = getattr(turn.mechanism, "same_as", None)
    return same_as is not None and turn.step is not None and bool(same_as(mechanism, given.facts, given.kept))


def _missing(turns: Sequence[_Turn], day: date | None) -> tuple[str, ...]:
    names = [] if day is not None else ["application_date"]
    names += [name for turn in turns for name in turn.wanted]
    return tuple(dict.fromkeys([*names, *(name for turn in turns for name in turn.missing)]))


def _standing(turns: Sequence[_Turn], day: date | None, in_force: bool) -> tuple[Status, dict[str, Any]]:
    """Status and results."""
    steps = [turn.step for turn in turns if turn.step is not None]
    results = {key: value for step in steps for key, value in step.results.items()}
    if not in_force:
        return "not_in_force", results
    if any(finding.severity == "block" for step in steps for finding in step.findings):
        return "not_eligible", results
    return "not_determined" if _missing(turns, day) else "determined", results


def _run(policy: Policy, version: Version, facts: Mapping[str, Any], choices: Choices, in_force: bool) -> Outcome:
    turns = _turns(_Given(facts, version.clauses), version.mechanisms(choices), version.guards(choices))
    return _outcome(policy, version, facts, turns, in_force)


def _outcome(
    policy: Policy, version: Version, facts: Mapping[str, Any], turns: Sequence[_Turn], in_force: bool
) -> Outcome:
    day: date | None = facts.get("application_date")
    status, results = _standing(turns, day, in_force)
    steps = tuple(turn.step for turn in turns if turn.step is not None)
    pays = [turn.mechanism.pays for turn in turns if turn.step is not None and turn.mechanism.pays]
    return Outcome(
        policy=policy.id,
        policy_label=policy.label,
        version=version.id,
        pack_hash=version.hash,
        library=__version__,
        status=status,
        results=results,
        payable=_payable(status, pays, results),
        missing=_missing(turns, day),
        attested=tuple(item for turn in turns for item in turn.attested),
        findings=tuple(finding for step in steps for finding in step.findings),
        choices=(),
        basis=weakest(*([step.basis for step in steps if step.results] or [step.basis for step in steps])),
        steps=steps,
        application_date=day,
    )


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


def _choices_that_matter(
    outcome: Outcome, version: Version, given: _Given, choices: Choices, turns: Sequence[_Turn]
) -> tuple[Choice, ...]:
    """Evaluates again with one choice flipped, and names the choices that were not the default or that matter.

    Only the mechanisms that a flipped choice changes work again; where that leaves every step as it was, the result
    is.
    """
    in_force = outcome.status != "not_in_force"
    alternatives: dict[str, dict[str, Any]] = {}
    for flip in version.flips(choices):
        flipped = _turns(given, flip.mechanisms, flip.guards, turns, flip.first)
        if any(new is not old for new, old in zip(flipped, turns, strict=True)):
            difference = _difference(outcome, *_standing(flipped, outcome.application_date, in_force))
            if difference:
                alternatives.setdefault(flip.key, {})[flip.code] = difference
    named = []
    for key, code in choices.items():
        item = version.interpretations[key]
        if key in alternatives or code != item.default:
            other = alternatives.get(key, {})
            named.append(Choice(key, item.question, code, item.options[code], code == item.default, other))
    return tuple(named)


def _difference(outcome: Outcome, status: Status, results: Mapping[str, Any]) -> dict[str, Any]:
    difference: dict[str, Any] = {}
    if status != outcome.status:
        difference["status"] = status
    for key, value in results.items():
        if key != "gap_to_next" and value != outcome.results.get(key):
            difference[key] = value
    return difference
