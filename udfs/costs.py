"""What the functions compute of a table of investment lines: the recognised cost, whole or line by line."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from udfs.records import Choices, Record
from udfs.tables import Table, roster_rule
from udfs.versions import mechanism
from xlcalc.mechanisms.cost_recognition import CostRecognition, Waterfall
from xlcalc.values.money import Money


def recognised_cost(
    policy: str, lines: Table, facts: Record | None, roster: Table | None, on: date | None, choices: Choices | None
) -> Money | None:
    """What all lines together are recognised at; None while one of them is undecided.

    facts: what the rules look up besides, such as the last day of the period. roster: the recognised providers.
    """
    found = _waterfall(policy, lines, facts, roster, on, choices).recognised
    return None if found is None else Money(found)


def recognised_line(
    policy: str,
    lines: Table,
    row: int,
    facts: Record | None,
    roster: Table | None,
    on: date | None,
    choices: Choices | None,
) -> Money | None:
    """What the row-th line is recognised at; None while it is undecided, and where nothing is filled in.

    Raises InputError ``E-ROW`` for a row below the table.
    """
    if not lines.entry(row):
        return None
    found = {line.row: line.recognised for line in _waterfall(policy, lines, facts, roster, on, choices).lines}[row]
    return None if found is None else Money(found)


@lru_cache(4)
def _waterfall(
    policy: str, lines: Table, facts: Record | None, roster: Table | None, on: date | None, choices: Choices | None
) -> Waterfall:
    """Computed once for all cells of a column of row numbers."""
    recognition: CostRecognition = mechanism(policy, "cost_recognition", on, choices)
    known = dict(facts.sound().facts) if facts else {}
    rule = roster_rule(recognition)
    if roster is not None and rule is not None:
        known[rule.roster] = roster.rows
    return recognition.recognise(lines.rows, known)
