"""A run on several machines: a real scheduler and two workers on loopback, killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ledger.ledger_bench import FIRST, SECOND, A, B, act, grant, totals
from ledger.ledger_bench import SAAS as SAAS_POLICY
from test_journal import GOOD, digests, lines, whole_run
from workbench import SAAS, SAAS_COMPANY, filled, save

from macros_bridge.ledger_booking import Booking
from macros_bridge.running import run_batch
from workbooks.batch import cluster
from workbooks.batch.cluster_worker import do_chunk
from workbooks.batch.run import process
from workbooks.batch.tasks import Options, find_tasks
from workbooks.ledger.carried import carried
from workbooks.ledger.database import create_ledger
from xlcalc.errors import InputError, WorkbookError

TESTS = Path(__file__).parent
SPITEFUL = """
import os
from workbooks.batch import cluster_worker
honest = getattr(cluster_worker._unpacked, "honest", cluster_worker._unpacked)

def unpacked(folder, parcel):
    if "崩溃" in parcel.name:
        os._exit(3)
    return honest(folder, parcel)

unpacked.honest = honest
cluster_worker._unpacked = unpacked
"""


def started(folder: Path, *words: object, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, words)], cwd=folder, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(TESTS.parent), str(TESTS))), **settings},
    )  # fmt: skip


@contextmanager
def machines(folder: Path, *more: object, **settings: str) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """The address of a scheduler, and the processes: scheduler, worker, worker."""
    file = folder / "scheduler.json"
    here = ("--host", "127.0.0.1", "--scheduler-file", file, "--no-dashboard")
    held = [started(folder, "distributed.cli.dask_scheduler", "--port", 0, *here, **settings)]
    try:
        for _ in range(2):
            held.append(started(folder, "distributed.cli.dask_worker", "--nthreads", 1, *here, *more, **settings))
        while not file.exists() or not file.read_text():
            assert held[0].poll() is None
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], held
    finally:
        for one in held:
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)
            one.communicate()


def recalc(folder: Path, *words: object) -> subprocess.Popen[str]:
    return started(folder, "macros_bridge.cli", "recalc", *words)


def first_result(out: Path, run: subprocess.Popen[str]) -> None:
    """Waits until something has come back: then every machine has something at hand."""
    while not list(out.glob("*.xlsx")) and run.poll() is None:
        time.sleep(0.005)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(40):
        save(tmp_path / "in", f"{number:02d}.xlsx", list(GOOD.values())[number % 3] if number % 7 else b"")
    return tmp_path / "in"


def test_a_machine_that_dies_loses_nothing_and_a_cluster_that_goes_away_is_told(root: Path, tmp_path: Path) -> None:
    """The same files, bytes and lines as on one machine; the second run goes on here with what came back."""
    whole_run(root, tmp_path / "ref", options=Options(jobs=2))
    with machines(tmp_path, "--no-nanny") as (address, (scheduler, worker, _)):
        run = recalc(tmp_path, root, "-o", "out", "--cluster", address, "--json")
        first_result(tmp_path / "out", run)
        os.killpg(worker.pid, signal.SIGKILL)
        said = run.communicate()[0]
        assert run.returncode == 1, said
        counted = json.loads(said)["totals"]
        assert (counted["files"], counted["done"], counted["refused"], counted["failed"]) == (40, 34, 6, 0)
        assert digests(tmp_path / "out") == digests(tmp_path / "ref")
        assert lines(tmp_path / "out") == lines(tmp_path / "ref")
        run = recalc(tmp_path, root, "-o", "second", "--cluster", address, "--json")
        first_result(tmp_path / "second", run)
        os.killpg(scheduler.pid, signal.SIGKILL)
        error = json.loads(run.communicate()[0])
    assert run.returncode == 1 and error["code"] == "E-STOPPED" and "--resume" in error["remedy"]
    kept = len(lines(tmp_path / "second"))
    assert 0 < kept < 40
    whole_run(root, tmp_path / "second", resume=True, options=Options(jobs=2))
    assert digests(tmp_path / "second") == digests(tmp_path / "ref")


def test_a_result_lost_between_its_news_and_its_fetching_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine that holds it dies just then: to the client it is lost until another machine has done it anew."""
    taken, lost = cluster._Sending._take, []

    def lose_first(self: cluster._Sending, future: Any) -> None:
        if not lost:
            lost.append(future.key)
            future._state.lose()
            again = {"op": "report-key", "key": future.key}
            future.client.loop.call_later(0.2, future.client._send_to_scheduler, again)
        taken(self, future)

    monkeypatch.setattr(cluster._Sending, "_take", lose_first)
    save(tmp_path / "in", "甲.xlsx", GOOD["甲"])
    assert run_batch([tmp_path / "in"], tmp_path / "out", cluster="local:1") == 0
    assert len(lost) == 1 and len(lines(tmp_path / "out")) == 1


def test_a_file_that_ends_machines_costs_itself(tmp_path: Path) -> None:
    for name, data in GOOD.items():
        save(tmp_path / "in", f"{name}.xlsx", data)
    save(tmp_path / "in", "乙 崩溃.xlsx", GOOD["乙"])
    (tmp_path / "spiteful.py").write_text(SPITEFUL, encoding="utf-8")
    settings = {
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
        "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
    }
    with machines(tmp_path, "--preload", tmp_path / "spiteful.py", **settings) as (address, _):
        run = recalc(tmp_path, "in", "-o", "out", "--cluster", address, "--json")
        files = json.loads(run.communicate()[0])["files"]
    states = {Path(file["path"]).name: (file["state"], [one["code"] for one in file["findings"]]) for file in files}
    assert states.pop("乙 崩溃.xlsx") == ("failed", ["E-CRASH"])
    assert [state for state, _ in states.values()] == ["done"] * 3


@pytest.mark.parametrize("address", ["local:0", "local:x", "8786", "http://127.0.0.1:8786", ""])
def test_what_is_no_address_is_told(address: str, tmp_path: Path) -> None:
    save(tmp_path / "in", "甲.xlsx", GOOD["甲"])
    with pytest.raises(InputError, match="E-CLUSTER"):
        run_batch([tmp_path / "in"], None, cluster=address)


def test_where_nobody_listens_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 1)
    save(tmp_path / "in", "甲.xlsx", GOOD["甲"])
    with pytest.raises(WorkbookError, match="E-CLUSTER") as caught:
        run_batch([tmp_path / "in"], None, cluster="tcp://127.0.0.1:9")
    assert "连不上" in caught.value.message


def test_a_machine_with_other_packs_does_nothing() -> None:
    with pytest.raises(WorkbookError, match="E-CLUSTER"):
        do_chunk([], Options(), "another signature")


def test_another_engine_stays_here(tmp_path: Path) -> None:
    save(tmp_path / "in", "甲.xlsx", GOOD["甲"])
    with pytest.raises(InputError, match="E-CLUSTER"):
        run_batch([tmp_path / "in"], None, cluster="local:1", engine="libreoffice")


def test_what_was_had_before_travels_with_the_file_and_only_this_machine_enters(tmp_path: Path) -> None:
    """A had 72,000 of 100,000 元 before and gets 28,000, B gets 60 % of 120,000; the machines never see the ledger."""
    address = str(tmp_path / "台账.db")
    for name, uscc in (("甲", A), ("乙", B)):
        save(tmp_path / "in", f"{name}.xlsx", filled(SAAS, SAAS_COMPANY | {"uscc": uscc, "enterprise_name": name}))
    with create_ledger(address) as ledger:
        grant(ledger, A, SAAS_POLICY, 72000, FIRST)
        booking = Booking(address, SECOND, act())
        for task in find_tasks([tmp_path / "in"], tmp_path / "here"):
            assert process(task, Options(ledger=booking.beside())).state == "done"
        assert address not in repr(carried(booking.beside()))
        for _ in range(2):
            assert run_batch([tmp_path / "in"], tmp_path / "out", cluster="local:1", resume=True, booking=booking) == 0
            assert (totals(ledger, A), totals(ledger, B)) == ({SAAS_POLICY: 100000}, {SAAS_POLICY: 72000})
    assert digests(tmp_path / "here").items() <= digests(tmp_path / "out").items()
