"""What enterprises hold now, without going through all they ever had: for a workbook of a thousand of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from workbooks.ledger import schema
from workbooks.ledger.applications import Application, load
from workbooks.ledger.database import among
from workbooks.ledger.programmes import programme

Sums = dict[str, dict[str, int]]
"""fen by programme and item, all batches together."""


_HAD = select(schema.had).where(among(schema.had.c.uscc, "usccs"))


@dataclass(slots=True)
class Account:
    """One enterprise. sums: all it holds. applications: of the batch at hand, and those whose steps are asked about."""

    sums: Sums
    applications: list[Application]

    def application(self, policy: str, batch: str) -> Application | None:
        """Its application in a batch of a programme, None where there is none."""
        for item in self.applications:
            if item.batch == batch and item.policy == policy:
                return item
        return None

    def held(self) -> dict[str, int]:
        """fen by programme."""
        return {policy: sum(items.values()) for policy, items in self.sums.items()}

    def without(self, policy: str, batch: str) -> Account:
        """The account as it is without a batch of a programme."""
        own = self.application(policy, batch)
        if own is None:
            return self
        items = dict(self.sums.get(policy, {}))
        for item, holding in own.holdings.items():
            items[item] -= holding.fen
        return Account({**self.sums, policy: items}, [item for item in self.applications if item is not own])


def account_of(applications: Sequence[Application]) -> Account:
    """The account that all applications of an enterprise come to."""
    sums: Sums = {}
    for application in applications:
        items = sums.setdefault(application.policy, {})
        for item, holding in application.holdings.items():
            items[item] = items.get(item, 0) + holding.fen
    return Account(sums, list(applications))


def accounts_of(
    connection: Connection, usccs: Iterable[str], policies: Iterable[str], batch: str
) -> dict[str, Account]:
    """The accounts of some enterprises, of those without any too, to book a batch of some programmes."""
    application = schema.application
    wanted = list(dict.fromkeys(usccs))
    found = {uscc: Account({}, []) for uscc in wanted}
    asked = sorted(set(policies))
    at_hand = application.c.policy.in_(asked) & (application.c.batch == batch)
    stepped = {answer.of for policy in asked for answer in programme(policy).answers if answer.state}
    if stepped:
        at_hand |= (application.c.policy + "").in_(sorted(stepped))
    for uscc, policy, item, fen in connection.execute(_HAD, {"usccs": wanted}).all():
        found[uscc].sums.setdefault(policy, {})[item] = fen
    for one in load(connection, among(application.c.uscc, wanted) & at_hand):
        found[one.uscc].applications.append(one)
    return found
