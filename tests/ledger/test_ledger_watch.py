"""A watched folder with a ledger: what comes in is computed with what was had before and entered once, kill or not."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from test_watch import in_this_process
from workbench import CLOUD as CLOUD_FORM
from workbench import CLOUD_COMPANY, SAAS_COMPANY, filled
from workbench import SAAS as SAAS_FORM

from ledger.ledger_bench import CLOUD, FIRST, SAAS, SECOND, A, B, act, code, grant, totals
from macros_bridge.ledger_booking import Booking
from macros_bridge.ledger_rounds import Rounds
from workbooks.batch import run as batch
from workbooks.batch import watch
from workbooks.batch.journal import Journal
from workbooks.batch.run import run
from workbooks.batch.tasks import REPORT_NAME, Options, Task
from workbooks.batch.watch import Watch
from workbooks.ledger.database import Ledger
from workbooks.ledger.integrity import check

C = code(3)


class Inbox:
    """A watched folder and its ledger; every look is taken by hand."""

    def __init__(self, root: Path, address: str) -> None:
        self.inbox, self.out = root / "in", root / "out"
        self.inbox.mkdir()
        booking = Booking(address, SECOND, act())
        self.options = Options(jobs=1, ledger=booking.beside())
        self.rounds = Rounds(booking, self.options)
        self.begin()

    def begin(self, enter: Callable[..., Any] | None = None) -> None:
        """As when the command is run anew."""
        self.watch = Watch(
            [self.inbox], self.out, self.options, self.work, lambda *_: None, enter or self.rounds.enter
        )  # fmt: skip

    def work(self, tasks: Sequence[Task], options: Options, record: Journal) -> None:
        run(tasks, options, lambda _: None, record)

    def look(self) -> None:
        with Journal(self.out, self.options, resume=True) as record:
            for _ in range(2):
                self.watch.look(record)

    def put(self, name: str, **facts: Any) -> Path:
        path = self.inbox / name
        path.write_bytes(filled(SAAS_FORM, SAAS_COMPANY | facts))
        return path

    @property
    def states(self) -> list[str]:
        return [entry["state"] for entry in self.rounds.files]


@pytest.fixture
def inbox(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    monkeypatch.setattr(watch, "SETTLE_SECONDS", 0)
    monkeypatch.setattr(batch, "run_direct", in_this_process)
    yield Inbox(tmp_path, address)


def test_every_round_reads_the_ledger_anew_and_enters_what_came(ledger: Ledger, inbox: Inbox) -> None:
    """60 % of 120,000 is 72,000 元; of 10万元 28,000 are left when 72,000 were had before."""
    inbox.put("甲.xlsx", uscc=A, enterprise_name="示例甲机械有限公司")
    inbox.look()
    grant(ledger, B, SAAS, 72000, FIRST)
    inbox.put("乙.xlsx", uscc=B, enterprise_name="示例乙机械有限公司")
    inbox.look()
    assert inbox.states == ["booked", "booked"] and not inbox.rounds.is_open
    assert (totals(ledger, A), totals(ledger, B)) == ({SAAS: 72000}, {SAAS: 100000})
    grant(ledger, C, SAAS, 50000, SECOND)
    inbox.put("丙.xlsx", uscc=C, enterprise_name="示例丙机械有限公司")
    inbox.look()
    assert inbox.states == ["booked", "booked", "refused"] and inbox.rounds.is_open
    assert totals(ledger, C) == {SAAS: 50000} and check(ledger) == []
    report = (inbox.out / "results.csv").read_text(encoding="utf-8-sig")
    assert "E-LEDGER-GRANTED" in report and (inbox.out / REPORT_NAME).exists()


def test_a_file_that_another_has_overtaken_is_computed_again(ledger: Ledger, inbox: Inbox) -> None:
    """90,000 元 of one instrument leave 10,000 of 10万元 for the other, which came with it."""
    inbox.put("一.xlsx", uscc=A, enterprise_name="示例甲机械有限公司", approved_amount="150000元")
    voucher = CLOUD_COMPANY | {"uscc": A, "enterprise_name": "示例甲机械有限公司", "maturity_level": "四级"}
    (inbox.inbox / "二.xlsx").write_bytes(filled(CLOUD_FORM, voucher))
    inbox.look()
    inbox.look()
    assert inbox.states == ["booked", "booked"] and not inbox.rounds.is_open
    assert totals(ledger, A) == {SAAS: 90000, CLOUD: 10000}


def test_one_enterprise_in_two_files_is_entered_once_and_again_nothing(ledger: Ledger, inbox: Inbox) -> None:
    first, second = inbox.put("一.xlsx", uscc=A), inbox.put("二.xlsx", uscc=A, contact_person="另一联系人")
    inbox.look()
    assert inbox.states == ["empty", "empty"] and totals(ledger, A) == {}
    second.unlink()
    inbox.look()
    assert inbox.states == ["booked"] and totals(ledger, A) == {SAAS: 72000}
    shutil.copy(first, inbox.inbox / "三.xlsx")
    inbox.look()
    assert totals(ledger, A) == {SAAS: 72000}


def test_killed_between_the_record_and_the_ledger_nothing_is_lost_or_doubled(ledger: Ledger, inbox: Inbox) -> None:
    def killed(_: Any) -> Any:
        raise KeyboardInterrupt

    inbox.put("甲.xlsx", uscc=A)
    inbox.begin(killed)
    with pytest.raises(KeyboardInterrupt):
        inbox.look()
    assert totals(ledger, A) == {}
    for state in ("booked", "already"):
        inbox.rounds = Rounds(Booking(inbox.options.ledger.address, SECOND, act()), inbox.options)  # type: ignore[union-attr]
        inbox.begin()
        inbox.look()
        assert inbox.states == [state] and totals(ledger, A) == {SAAS: 72000}
