"""The ledger beside a run on other machines: they have no database, and what they need of it travels with the file.

A file goes out first as if the ledger knew nobody in it. It comes back with whom it asked for; where the ledger knows
one of them, it goes out again with what that enterprise has had, and only then its result counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from workbooks.ledger.database import open_ledger
from workbooks.ledger.entered_files import had_before_file
from workbooks.ledger.facts_before import Had, answers
from workbooks.ledger.runs import Asked, Beside, Known

if TYPE_CHECKING:
    from workbooks.batch.tasks import FileResult


@dataclass(frozen=True)
class Carried(Beside):
    """A ledger without its address: of enterprises that are not among those known, nothing has been had."""

    seal: str = ""

    @property
    def known_as(self) -> str:
        """That of the ledger it stands for."""
        return self.seal

    def before(self, sha256: str, known: Known | None = None) -> Asked:
        """What was had before a file, of what travelled with it."""

        def look(policy: str, usccs: Sequence[str]) -> Mapping[str, Had]:
            nothing = Had(answers(policy, self.batch, ()))
            held = (known or {}).get(policy, {})
            return {uscc: held.get(uscc, nothing) for uscc in usccs}

        return Asked(look)


def carried(beside: Beside) -> Carried:
    """What goes to the machines in the place of a ledger; its address, which may have a password, stays here."""
    return Carried("", beside.batch, beside.known_as)


@dataclass(frozen=True)
class Lookup:
    """The ledger here, asked for what files that came back have asked."""

    beside: Beside

    @contextmanager
    def open(self) -> Iterator[Connection]:
        """One view of the ledger for a chunk of files; raises LedgerError."""
        with open_ledger(self.beside.address) as ledger, ledger.reading() as connection:
            yield connection

    def known(self, connection: Connection, result: FileResult) -> Known:
        """What the ledger knows of the enterprises a result asked for; empty where it was computed rightly as it is."""
        batch = self.beside.batch
        found: dict[str, Mapping[str, Had]] = {}
        for policy, usccs in result.asked.items():
            nothing = Had(answers(policy, batch, ()))
            held = had_before_file(connection, result.sha256 or "", policy, usccs, batch)
            if had := {uscc: known for uscc, known in held.items() if known != nothing}:
                found[policy] = had
        return found
