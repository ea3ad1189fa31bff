"""The ledger as cells ask it: ``udfs.register.Register``, on a connection that cannot write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection

from workbooks.documents.doubtful_codes import mask_code
from workbooks.ledger.applications import applications_of
from workbooks.ledger.caps import caps_of, held_by_programme
from workbooks.ledger.crosschecks import doubles, papers_used_twice
from workbooks.ledger.database import open_ledger
from workbooks.ledger.lines import PAPER_LABELS
from workbooks.ledger.programmes import label_of, programme
from workbooks.ledger.questions import code_asked, names_of
from xlcalc.packs.policy import Version
from xlcalc.values.money import Money


@dataclass(frozen=True)
class LedgerAnswers:
    """Opened for each answer, so that a ledger put in the place of another is seen at once."""

    address: str

    @contextmanager
    def _asked(self, code: str) -> Iterator[tuple[Connection, str]]:
        with open_ledger(self.address) as ledger, ledger.reading() as connection:
            yield connection, code_asked(connection, code)

    def received(self, code: str, policy: str | None, batch: str | None) -> Money:
        """See ``Register``; raises LedgerError ``E-LEDGER-PROGRAMME`` for a policy the ledger does not keep."""
        if policy is not None:
            programme(policy)
        with self._asked(code) as (connection, uscc):
            held = applications_of(connection, [uscc]).get(uscc, [])
        return Money(sum(item.fen for item in held if policy in (None, item.policy) and item.batch != batch))

    def remaining(self, code: str, policy: str, version: Version, choices: Mapping[str, str]) -> Money | None:
        """See ``Register``; of several caps the one that leaves least."""
        with self._asked(code) as (connection, uscc):
            held = held_by_programme(applications_of(connection, [uscc]).get(uscc, []))
        caps = caps_of(policy, version, choices)
        return Money(max(0, min(cap.amount - cap.used(held) for cap in caps))) if caps else None

    def duplicates(self, code: str) -> Sequence[str]:
        """See ``Register``: money held more than once, papers used again, another name; other codes are masked."""
        with self._asked(code) as (connection, uscc):
            found = [
                f"{label_of(policy)}“{batch}”：{Money(fen)}"
                for row in doubles(connection, uscc).rows
                for policy, batch, fen in row.held
            ]
            for paper in papers_used_twice(connection, uscc).rows:
                uses = "；".join(
                    f"{_whose(user, uscc)}{label_of(policy)}“{batch}”" for user, policy, batch in paper.uses
                )
                found.append(f"{PAPER_LABELS[paper.kind]} {paper.number} 用过 {len(paper.uses)} 次：{uses}")
            names = names_of(connection, uscc)
        return [*found, *([f"用过几个名称：{'、'.join(names)}"] if len(names) > 1 else [])]


def _whose(user: str, uscc: str) -> str:
    return "" if user == uscc else f"{mask_code(user)} "
