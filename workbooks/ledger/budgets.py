"""What a programme may spend in a batch, and what is left of it (总额控制)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from workbooks.ledger import schema
from workbooks.ledger.acts import Act, acting, batch_named
from workbooks.ledger.database import Ledger, LedgerError
from workbooks.ledger.programmes import label_of, programme
from xlcalc.values.money import Money


@dataclass(frozen=True)
class Budget:
    """fen set for a batch, None where none is set, and fen granted in it."""

    policy: str
    batch: str
    amount: int | None
    granted: int

    @property
    def left(self) -> int | None:
        """What is left, below 0 where more was granted; None where no budget is set."""
        return None if self.amount is None else self.amount - self.granted


def add_budget(ledger: Ledger, act: Act, policy: str, batch: str, fen: int) -> int:
    """Sets a budget, adds to it or, with a negative amount and a reason, takes from it; returns what it is now in fen.

    Raises LedgerError ``E-LEDGER-BUDGET`` for nothing or for more than there is, ``E-LEDGER-REASON``.
    """
    batch = batch_named(batch)
    programme(policy)
    if fen < 0 and not act.reason.strip():
        raise LedgerError("E-LEDGER-REASON", "减少资金总额须写明原因", remedy="请用 --reason 给出原因")
    with acting(ledger, act, schema.BUDGET, batch=batch) as (connection, number):
        now = (_set(connection, policy, batch) or 0) + fen
        if not fen or now < 0:
            raise LedgerError("E-LEDGER-BUDGET", f"资金总额不能改动 {Money(fen)}", remedy="请核对金额")
        connection.execute(insert(schema.budget).values(act_id=number, policy=policy, batch=batch, fen=fen))
    return now


def _set(connection: Connection, policy: str, batch: str) -> int | None:
    table = schema.budget
    total = connection.scalar(select(func.sum(table.c.fen)).where(table.c.policy == policy, table.c.batch == batch))
    return None if total is None else int(total)


def budget_of(connection: Connection, policy: str, batch: str) -> Budget:
    """The budget of a programme in a batch and what was granted in it."""
    spent = schema.spent
    granted = connection.scalar(select(spent.c.fen).where(spent.c.policy == policy, spent.c.batch == batch))
    return Budget(policy, batch, _set(connection, policy, batch), granted or 0)


def budgets_of(connection: Connection, policy: str | None = None) -> list[Budget]:
    """The budgets of every programme and batch the ledger knows, in order."""
    spent, budget = schema.spent, schema.budget
    granted = {(policy, batch): fen for policy, batch, fen in connection.execute(select(spent))}
    totals = select(budget.c.policy, budget.c.batch, func.sum(budget.c.fen)).group_by(budget.c.policy, budget.c.batch)
    amounts = {(policy, batch): int(fen) for policy, batch, fen in connection.execute(totals)}
    return [
        Budget(*key, amounts.get(key), granted.get(key, 0))
        for key in sorted(granted.keys() | amounts.keys())
        if policy in (None, key[0])
    ]


def batches(connection: Connection, policy: str | None = None) -> list[tuple[str, str]]:
    """Every programme and batch the ledger knows, in order."""
    return [(found.policy, found.batch) for found in budgets_of(connection, policy)]


def overdrawn(connection: Connection, which: Iterable[tuple[str, str]]) -> list[str]:
    """A sentence for each batch in which more was granted than its budget; batches without one are left out."""
    said = []
    for policy, batch in which:
        found = budget_of(connection, policy, batch) if _set(connection, policy, batch) is not None else None
        if found is not None and found.left is not None and found.left < 0:
            said.append(
                f"{label_of(policy)}“{batch}”已登记 {Money(found.granted)}，超过资金总额 {Money(found.amount or 0)}"
            )
    return said
