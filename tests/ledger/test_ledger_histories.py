"""Random histories, legal and illegal: sums are sums of entries, no cap is exceeded, and a replay gives the same."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select

from ledger.ledger_bench import CLOUD, FIRST, HOHHOT, SAAS, SECOND, YUAN, A, B, act, empty_ledger, file, line
from workbooks.ledger import schema
from workbooks.ledger.amendments import correct_amount, withdraw_step
from workbooks.ledger.applications import applications_of
from workbooks.ledger.booking import book
from workbooks.ledger.database import Ledger, LedgerError, open_ledger
from workbooks.ledger.entered_files import differences
from workbooks.ledger.integrity import check
from workbooks.ledger.lines import FileLines
from workbooks.ledger.programmes import programmes, states_of
from workbooks.ledger.transitions import take_step
from xlcalc import load_policy

CAP = 100000 * YUAN
Key = tuple[str, str, str]

usccs, batches = st.sampled_from([A, B]), st.sampled_from([FIRST, SECOND])
policies = st.sampled_from([SAAS, CLOUD, HOHHOT])
fens = st.one_of(st.sampled_from([0, 1, CAP - 1, CAP, CAP + 1]), st.integers(0, 2 * CAP))


class Histories(RuleBasedStateMachine):
    """Against a model of a few lines: what each application holds, the steps it took, what each step took back."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="xlcalc-histories-")
        path = Path(self.folder.name) / "ledger.db"
        path.write_bytes(empty_ledger())
        self.ledger: Ledger = open_ledger(str(path))
        self.held: dict[Key, int | None] = {}
        self.steps: dict[Key, list[tuple[str, int | None]]] = {}
        self.day = date(2025, 6, 30)
        self.files = 0
        self.booked: list[tuple[str, FileLines]] = []

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            assert check(self.ledger) == []
            # Whatever came after, every file is found as it was entered.
            with self.ledger.reading() as connection:
                for batch, given in self.booked:
                    assert differences(connection, batch, given) == []
            self.ledger.close()
            self.folder.cleanup()

    def state(self, key: Key) -> str:
        states = states_of(load_policy(key[1]).newest)
        taken = self.steps.get(key, [])
        return states.transitions[taken[-1][0]].target if taken else states.first

    def capped(self, uscc: str) -> int:
        return sum(fen or 0 for key, fen in self.held.items() if key[0] == uscc and key[1] in (SAAS, CLOUD))

    def attempt(self, legal: bool, deed: Any) -> bool:
        try:
            deed()
        except LedgerError:
            assert not legal
            return False
        assert legal
        return True

    @rule(uscc=usccs, policy=policies, batch=batches, fen=fens)
    def grants(self, uscc: str, policy: str, batch: str, fen: int) -> None:
        key = (uscc, policy, batch)
        before = self.held.get(key)
        over = policy != HOHHOT and fen > 0 and self.capped(uscc) + fen > CAP
        ended = self.state(key) in programmes()[policy].ends
        legal = not ended and (before == fen if before is not None else not over)
        self.files += 1
        given = file(line(uscc, policy, 0), content=f"{self.files}")
        (single,) = given.lines
        given = type(given)(given.source, (type(single)(uscc, single.name, single.ground, {"": fen}),))
        if self.attempt(legal, lambda: book(self.ledger, act(self.day), batch, given)):
            self.held[key] = fen
            self.booked.append((batch, given))
            again = book(self.ledger, act(self.day), batch, given)
            assert again.state == "already"

    @rule(uscc=usccs, policy=policies, batch=batches, data=st.data())
    def steps_on(self, uscc: str, policy: str, batch: str, data: st.DataObject) -> None:
        states = states_of(load_policy(policy).newest)
        key = (uscc, policy, batch)
        legal_steps = [step.key for step in states.legal(self.state(key))]
        # Mostly legal, or a history would never get far.
        offered = st.one_of(st.sampled_from(legal_steps or ["submit"]), st.sampled_from(sorted(states.transitions)))
        wanted = data.draw(offered)
        pays = states.transitions[wanted].target in programmes()[policy].pays if wanted in states.transitions else False
        legal = wanted in legal_steps and not (pays and not self.held.get(key))
        said = act(self.day, reason="示例")
        if self.attempt(legal, lambda: take_step(self.ledger, said, policy, batch, [uscc], wanted)):
            back = None
            if states.transitions[wanted].target in programmes()[policy].ends and self.held.get(key) is not None:
                back, self.held[key] = self.held[key], None
            self.steps.setdefault(key, []).append((wanted, back))

    @rule(uscc=usccs, policy=policies, batch=batches)
    def withdraws(self, uscc: str, policy: str, batch: str) -> None:
        key = (uscc, policy, batch)
        taken = self.steps.get(key, [])
        legal = bool(taken)
        if taken:
            states = states_of(load_policy(policy).newest)
            key_of_step, back = taken[-1]
            into_end = states.transitions[key_of_step].source in programmes()[policy].ends
            over = policy != HOHHOT and bool(back) and self.capped(uscc) + (back or 0) > CAP
            legal = not (into_end and self.held.get(key) is not None) and not over
        said = act(self.day, reason="误登")
        if self.attempt(legal, lambda: withdraw_step(self.ledger, said, policy, batch, uscc)):
            _, back = taken.pop()
            if back is not None:
                self.held[key] = back

    @rule(uscc=usccs, policy=policies, batch=batches, fen=fens)
    def corrects(self, uscc: str, policy: str, batch: str, fen: int) -> None:
        key = (uscc, policy, batch)
        before = self.held.get(key)
        rise = fen - (before or 0)
        over = policy != HOHHOT and rise > 0 and self.capped(uscc) + rise > CAP
        legal = before is not None and rise != 0 and not over
        said = act(self.day, reason="复核")
        if self.attempt(legal, lambda: correct_amount(self.ledger, said, policy, batch, uscc, fen)):
            self.held[key] = fen

    @rule(days=st.integers(1, 30))
    def time_passes(self, days: int) -> None:
        self.day += timedelta(days=days)

    @invariant()
    def sums_are_sums_of_entries(self) -> None:
        if not hasattr(self, "ledger"):
            return
        entry, application = schema.entry, schema.application
        with self.ledger.reading() as connection:
            rows = connection.execute(
                select(
                    application.c.uscc, application.c.policy, application.c.batch, func.sum(entry.c.fen).label("fen")
                )
                .join(entry, entry.c.application_id == application.c.id)
                .group_by(application.c.uscc, application.c.policy, application.c.batch)
            )
            summed = {(row.uscc, row.policy, row.batch): row.fen for row in rows if row.fen}
            applications = [item for items in applications_of(connection, [A, B]).values() for item in items]
        assert summed == {key: fen for key, fen in self.held.items() if fen}
        for item in applications:
            key = (item.uscc, item.policy, item.batch)
            assert item.fen == (self.held.get(key) or 0)
            assert item.state(states_of(load_policy(item.policy).newest).first) == self.state(key)
        assert all(self.capped(uscc) <= CAP for uscc in (A, B))


Histories.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestHistories = Histories.TestCase
