"""The facts the ledger answers: what an enterprise has had before, as inputs of a programme (此前已享受)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from workbooks.ledger.accounts import Account, account_of, accounts_of
from workbooks.ledger.again import Elsewhere, elsewhere
from workbooks.ledger.applications import Application, applications_of
from workbooks.ledger.programmes import Answer, programme
from xlcalc.facts import fact
from xlcalc.results.outcome import Finding
from xlcalc.values.money import Money

Facts = Mapping[str, Any]
_NOTHING = Money(0)


@dataclass(frozen=True)
class Had:
    """What an enterprise has had before. facts: as inputs of a programme; elsewhere: what they do not ask for."""

    facts: Facts
    elsewhere: tuple[Elsewhere, ...] = ()


def had_before(
    connection: Connection, policy: str, usccs: Iterable[str], batch: str, *, before: int | None = None
) -> dict[str, Had]:
    """The same as ``facts_before``, with what no fact of the programme asks for."""
    facts = facts_before(connection, policy, usccs, batch, before=before)
    again = elsewhere(connection, policy, facts, batch, before=before)
    return {uscc: Had(held, again.get(uscc, ())) for uscc, held in facts.items()}


def facts_before(
    connection: Connection, policy: str, usccs: Iterable[str], batch: str, *, before: int | None = None
) -> dict[str, dict[str, Any]]:
    """What each enterprise has had before, by code, as parsed facts of a programme; money in fen.

    What was entered for the same batch of the same programme is the case at hand and not counted. An enterprise the
    ledger does not know has had nothing. before: as it was before the act of that number. Raises LedgerError.
    """
    wanted = list(dict.fromkeys(usccs))
    if before is None:
        accounts = accounts_of(connection, wanted, [policy], batch)
        return {uscc: answers_of(policy, batch, accounts[uscc]) for uscc in wanted}
    held = applications_of(connection, wanted, before=before)
    return {uscc: answers(policy, batch, held.get(uscc, ())) for uscc in wanted}


def answers(policy: str, batch: str, applications: Sequence[Application]) -> dict[str, Any]:
    """The facts of a programme answered from all applications of one enterprise."""
    return answers_of(policy, batch, account_of(applications))


def answers_of(policy: str, batch: str, account: Account) -> dict[str, Any]:
    """The facts of a programme answered from the account of one enterprise."""
    earlier = account.without(policy, batch)
    found = {}
    for answer in programme(policy).answers:
        value = _value(answer, earlier)
        if value is not None:
            found[answer.fact] = value
    return found


def _value(answer: Answer, earlier: Account) -> Any:
    had = earlier.sums.get(answer.of, {})
    if answer.gives == "sum":
        return Money(sum(had.values())) if had else _NOTHING
    if answer.gives == "any":
        return any(fen > 0 for fen in had.values())
    if answer.gives == "items":
        return tuple(code for code in fact(answer.fact).options if had.get(code, 0) > 0)
    days = [day for item in earlier.applications if item.policy == answer.of and (day := item.reached(answer.state))]
    return bool(days) if answer.gives == "reached" else max(days, default=None)


def with_before(policy: str, typed: Facts, ledger: Facts) -> tuple[dict[str, Any], list[Finding]]:
    """The facts of a form with those of the ledger: where both speak and differ, whatever leaves less to be paid.

    A finding ``E-LEDGER-DIFFERS`` names both, for a person to settle; ``E-LEDGER-FILLED`` what only the ledger says.
    """
    facts, findings = dict(typed), []
    for name, held in ledger.items():
        given = typed.get(name)
        known = fact(name)
        facts[name] = held if given is None else stricter(given, held)
        if given is None and held not in (Money(0), False, ()):
            message = f"“{known.label}”表中未填，按台账“{known.show(held)}”计算"
            findings.append(Finding("E-LEDGER-FILLED", "info", message, fact=name))
        elif given is not None and given != held:
            message = (
                f"“{known.label}”表中为“{known.show(given)}”，台账为“{known.show(held)}”，"
                f"按“{known.show(facts[name])}”计算。请核对"
            )
            findings.append(Finding("E-LEDGER-DIFFERS", "warn", message, fact=name))
    return facts, findings


def stricter(given: Any, held: Any) -> Any:
    """Of two answers the one that leaves less: the larger amount, the later day, what either of them names."""
    if isinstance(held, bool):
        return given or held
    if isinstance(held, (Money, date)):
        return max(given, held)
    return tuple(dict.fromkeys((*given, *held)))
