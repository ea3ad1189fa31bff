"""A file that was entered: by which act each of its enterprises was, and what it gave then, whatever came after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, select

from workbooks.ledger import schema
from workbooks.ledger.accounts import account_of
from workbooks.ledger.applications import applications_of
from workbooks.ledger.database import among
from workbooks.ledger.facts_before import Had, had_before
from workbooks.ledger.lines import FileLines, Line
from xlcalc.values.money import Money

Whose = tuple[str, str]
"""The code of an enterprise and a policy."""


@dataclass(frozen=True)
class Entered:
    """The acts of a file about one enterprise. first: after which it held a grant; last: that entered anything."""

    first: int
    last: int


def entered_by(connection: Connection, sha256: str, usccs: Iterable[str]) -> dict[Whose, Entered]:
    """By which acts of a file enterprises came to hold something in its batch; whoever was left out is not there."""
    act, entry, application = schema.act, schema.entry, schema.application
    of_file = (act.c.source == sha256) & act.c.kind.in_((schema.RUN, schema.AMENDMENT))
    acts = {row.id: row.batch for row in connection.execute(select(act.c.id, act.c.batch).where(of_file))}
    if not acts:
        return {}
    rows = connection.execute(
        select(application.c.uscc, application.c.policy, entry.c.item, entry.c.kind, entry.c.act_id)
        .join(application, application.c.id == entry.c.application_id)
        .where(among(application.c.uscc, usccs), application.c.batch.in_(set(acts.values())))
        .order_by(application.c.id, entry.c.id)
    )
    found = {}
    for whose, entries in groupby(rows, lambda row: (row.uscc, row.policy)):
        made = [(row.item, row.kind, row.act_id) for row in entries]
        first = next((number for number in sorted(acts) if _stands(made, number)), None)
        if first is not None:
            found[whose] = Entered(first, max((by for _, _, by in made if by in acts), default=first))
    return found


def _stands(entries: list[tuple[str, str, int]], act: int) -> bool:
    """Whether anything is granted and not released right after an act."""
    return any(kind != schema.RELEASE for kind in {item: kind for item, kind, by in entries if by <= act}.values())


def had_before_file(
    connection: Connection, sha256: str, policy: str, usccs: Iterable[str], batch: str
) -> dict[str, Had]:
    """What each enterprise of a file has had before: one that the file entered, before that; any other, until now.

    So a file computed again gives what it gave, and a row that was left out counts what came to be had since.
    """
    wanted = list(dict.fromkeys(usccs))
    entered = entered_by(connection, sha256, wanted)
    at: dict[int | None, list[str]] = {}
    for uscc in wanted:
        known = entered.get((uscc, policy))
        at.setdefault(known.first if known else None, []).append(uscc)
    found: dict[str, Had] = {}
    for before, some in at.items():
        found |= had_before(connection, policy, some, batch, before=before)
    return found


def differences(
    connection: Connection, batch: str, file: FileLines, entered: Mapping[Whose, Entered] | None = None
) -> list[tuple[Line, str]]:
    """Where lines differ from what the file last gave each enterprise, in Chinese; what others did since is not asked.

    entered: what ``entered_by`` says of the file, where it is known already.
    """
    if entered is None:
        entered = entered_by(connection, file.source.sha256, [line.uscc for line in file.lines])
    at: dict[int, list[str]] = {}
    for (uscc, _), of_file in entered.items():
        at.setdefault(of_file.last, []).append(uscc)
    stood = {}
    for number, usccs in at.items():
        for uscc, items in applications_of(connection, usccs, before=number + 1).items():
            stood[uscc, number] = account_of(items)
    found = []
    for line in file.lines:
        acts = entered.get((line.uscc, line.ground.policy))
        item = stood[line.uscc, acts.last].application(line.ground.policy, batch) if acts else None
        given = {code: holding.fen for code, holding in item.holdings.items() if holding.tail} if item else {}
        if given != dict(line.amounts):
            found.append((line, f"台账{entered_text(given)}，现为 {money_text(line.amounts)}"))
    return found


def money_text(amounts: Mapping[str, int]) -> str:
    """Amounts in fen as one sum, in Chinese."""
    return f"{Money(sum(amounts.values()))}" if amounts else "没有金额"


def entered_text(amounts: Mapping[str, int]) -> str:
    """What was entered, in Chinese."""
    return f"已登记 {money_text(amounts)}" if amounts else "没有登记"
