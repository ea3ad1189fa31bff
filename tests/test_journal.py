"""A run that is killed anywhere goes on: nothing half written, nothing twice, nothing lost."""

from __future__ import annotations

import contextlib
import errno
import gc
import hashlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO
from unittest.mock import Mock

import pytest
from workbench import CLOUD, CLOUD_COMPANY, FORM, SAAS, SAAS_COMPANY, e1, filled, members, rezipped, save

from macros_bridge.running import run_batch
from workbooks.batch import crosscheck, journal, kept_results, report, report_tally
from workbooks.batch import run as batch
from workbooks.batch.journal import DATABASE_NAME, HOLDER_NAME, LOG_NAME, Journal, masked
from workbooks.batch.kept_results import Scratch
from workbooks.batch.report import write_report
from workbooks.batch.run import process, run
from workbooks.batch.tasks import (
    JSONL_NAME,
    RECORDS_NAME,
    REPORT_NAME,
    RESULT_MARK,
    FileResult,
    Options,
    Task,
    find_tasks,
    hold_back_doubles,
    survey,
)
from workbooks.files import writing
from workbooks.files.writing import write_atomically
from xlcalc.errors import WorkbookError

TESTS = Path(__file__).parent
GOOD = {"甲": filled(CLOUD, CLOUD_COMPANY), "乙": filled(SAAS, SAAS_COMPANY), "丙": filled(FORM, e1())}


class InThisProcess:
    """A worker without a process of its own, so that what it writes can be counted and interrupted."""

    def __init__(self, options: Options) -> None:
        self.options, self.pipe, self.deadline = options, object(), 0.0
        self.held: dict[int, Task] = {}

    def start(self, chunk: dict[int, Task]) -> None:
        self.held = chunk

    def collect(self) -> Iterator[tuple[int, FileResult]]:
        for place in list(self.held):
            yield place, batch.process(self.held.pop(place), self.options)

    def finish(self) -> None:
        pass


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "Worker", InThisProcess)
    monkeypatch.setattr(batch, "_ready", lambda workers: [one for one in workers if one.held])


@pytest.fixture
def counted(here: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files worked on; each gets a small result that depends on its bytes."""
    asked: list[str] = []

    def recalculated(task: Task, options: Options, data: bytes, digest: str) -> FileResult:
        if not data:
            raise WorkbookError("E-BOOK-EMPTY", "空文件", remedy="重交")
        asked.append(task.path.name)
        made = hashlib.sha256(data).hexdigest().encode()
        if task.target:
            write_atomically(task.target, made)
        outcome = {
            "policy": CLOUD_POLICY, "uscc": task.path.stem, "name": task.path.stem, "record": "1", "where": "表!A1",
            "status": "determined", "payable": {"fen": len(data), "yuan": "1"}, "results": {}, "findings": [],
            "steps": [], "missing": [], "choices": [], "version": "1", "basis": "quoted",
        }  # fmt: skip
        digest = hashlib.sha256(made).hexdigest()
        output = str(task.target) if task.target else None
        return FileResult(str(task.path), output, "done", [outcome], output_sha256=digest, template="t")

    monkeypatch.setattr(batch, "_recalculated", recalculated)
    return asked


CLOUD_POLICY = "shijiazhuang.cloud_voucher"


def results_in(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.xlsx") if path.name != REPORT_NAME}


def kept_said(results: list[FileResult]) -> list[str]:
    return [item["message"] for result in results for item in result.findings if item["code"] == "E-RESULT-KEPT"]


@pytest.mark.parametrize("resume", [False, True])
def test_what_someone_typed_into_a_result_is_kept(counted: list[str], tmp_path: Path, resume: bool) -> None:
    """Under another name, and that is said once; the run writes its own result as ever."""
    save(tmp_path / "in", "甲.xlsx", b"1")
    whole_run(tmp_path / "in", tmp_path / "out")
    ((name, made),) = results_in(tmp_path / "out").items()
    (tmp_path / "out" / name).write_bytes(b"agreed")
    (said,) = kept_said(whole_run(tmp_path / "in", tmp_path / "out", resume=resume))
    found = results_in(tmp_path / "out")
    (kept,) = found.keys() - {name}
    assert (found[name], found[kept]) == (made, b"agreed")
    assert RESULT_MARK in kept and "（改动过，" in kept and "有人改动过" in said and kept in said
    assert not kept_said(whole_run(tmp_path / "in", tmp_path / "out"))
    assert results_in(tmp_path / "out") == found
    (tmp_path / "out" / name).write_bytes(b"again")
    whole_run(tmp_path / "in", tmp_path / "out")
    assert sorted(results_in(tmp_path / "out").values()) == sorted([made, b"agreed", b"again"])


def test_a_result_of_another_folder_is_kept(counted: list[str], tmp_path: Path) -> None:
    for town in ("甲镇", "乙镇"):
        save(tmp_path / town, "推荐表.xlsx", town.encode())
    whole_run(tmp_path / "甲镇", tmp_path / "out")
    ((name, first),) = results_in(tmp_path / "out").items()
    (said,) = kept_said(whole_run(tmp_path / "乙镇", tmp_path / "out"))
    found = results_in(tmp_path / "out")
    assert len(found) == 2 and first in found.values() and found[name] != first
    assert "甲镇/推荐表.xlsx" in said and "没有覆盖" in said


def test_a_run_writes_over_its_own_results(counted: list[str], tmp_path: Path) -> None:
    """Every night, also when submissions have changed, when the record is lost, and after a run that was killed."""
    path = save(tmp_path / "in", "甲.xlsx", b"1")
    for data in (b"1", b"2", b"3"):
        path.write_bytes(data)
        assert not kept_said(whole_run(tmp_path / "in", tmp_path / "out"))
    for record in (DATABASE_NAME, LOG_NAME):
        (tmp_path / "out" / RECORDS_NAME / record).unlink()
    assert not kept_said(whole_run(tmp_path / "in", tmp_path / "out"))
    assert len(results_in(tmp_path / "out")) == 1


def test_where_nothing_new_is_written_what_lies_there_stays(counted: list[str], tmp_path: Path) -> None:
    """The submission can no longer be read, or the run ends before it comes to it."""
    path = save(tmp_path / "in", "甲.xlsx", b"1")
    whole_run(tmp_path / "in", tmp_path / "out")
    (name,) = results_in(tmp_path / "out")
    (tmp_path / "out" / name).write_bytes(b"agreed")
    with contextlib.suppress(KeyboardInterrupt), Journal(tmp_path / "out", Options()) as record:
        record.standing(find_tasks([tmp_path / "in"], tmp_path / "out"))
        assert not (tmp_path / "out" / name).exists()
        raise KeyboardInterrupt
    path.write_bytes(b"")
    assert not kept_said(whole_run(tmp_path / "in", tmp_path / "out"))
    assert results_in(tmp_path / "out") == {name: b"agreed"}


def whole_run(root: Path, out: Path, *, resume: bool = False, options: Options | None = None) -> list[FileResult]:
    """What a run is from its lock to its report."""
    tasks, skipped = survey([root], out)
    options = options or Options(jobs=1)
    with Journal(out, options, resume=resume, skipped=skipped) as record:
        results = run(tasks, options, lambda _: None, record)
        hold_back_doubles(results)
        write_report(out, results, given=[root])
    return results


def small_files(root: Path, count: int = 5) -> Path:
    for number in range(count):
        save(root, f"{number}.xlsx", b"input %d" % number)
    save(root, "说明.docx", b"a")
    return root


def digests(out: Path) -> dict[str, str]:
    """Every file of the results but the record, which holds times."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and RECORDS_NAME not in path.parts
    }


def lines(out: Path) -> list[tuple[Any, ...]]:
    """What the record says of each file, times left aside."""
    base = sqlite3.connect(out / RECORDS_NAME / DATABASE_NAME)
    try:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        columns = "path, sha256, template, packs, state, output_sha256, outcomes, findings"
        return base.execute(f"SELECT {columns} FROM file ORDER BY path").fetchall()
    finally:
        base.close()


# --- killed


WRITERS = {journal.__file__, kept_results.__file__, writing.__file__}
CHANGING = {
    "write_atomically", "written_atomically", "_sync_folder", "__enter__", "__exit__", "_begin", "_locked", "add",
    "commit", "_write", "_log",
}  # fmt: skip


@pytest.fixture
def hasty(counted: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A killed process loses nothing the system has been given; waiting for the disk would only take time."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    # A report without sheets is put in its place as one with six is.
    monkeypatch.setattr(report, "ReportBook", no_sheets)
    for name in ("summary_page", "spread_page", "OutcomesPage", "FindingsPage", "ChangesPage", "FilesPage"):
        monkeypatch.setattr(report, name, Mock())
    monkeypatch.setattr(journal, "_SETTINGS", (*journal._SETTINGS, "synchronous = OFF"))
    return counted


@contextlib.contextmanager
def no_sheets(_: Path, stream: BinaryIO, __: object) -> Iterator[Mock]:
    stream.write(b"report")
    yield Mock()


def killed_at(event: int, work: Callable[[], object]) -> bool:
    """Does the work in a forked process that is killed before the given statement of the code that writes.

    Whether it was killed; False when the work ended before.
    """
    child = os.fork()
    if child == 0:
        left = event

        def count(frame: FrameType, what: str, _: object) -> Any:
            nonlocal left
            if frame.f_code.co_filename not in WRITERS or frame.f_code.co_name not in CHANGING:
                return None
            if what == "line":
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return count

        try:
            sys.settrace(count)
            work()
            sys.settrace(None)
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_killed_before_any_statement_that_writes(
    tmp_path: Path, hasty: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every statement of the writing code is a place to die; whatever was there is whole, and the rest is made."""
    monkeypatch.setattr(kept_results, "CHUNK", 2)
    root = small_files(tmp_path / "in", 3)
    save(root, "空.xlsx", b"")
    whole_run(root, tmp_path / "ref")
    wanted, wanted_lines = digests(tmp_path / "ref"), lines(tmp_path / "ref")
    assert len(wanted) == 6 and len(wanted_lines) == 4
    event, resumed_with_less = 0, 0
    while True:
        event += 1
        out = tmp_path / f"out{event}"
        if not killed_at(event, lambda out=out: whole_run(root, out)):  # type: ignore[misc]
            break
        left = {name: digest for name, digest in digests(out).items() if not name.endswith(".tmp")}
        assert left.items() <= wanted.items(), event
        hasty.clear()
        whole_run(root, out, resume=True)
        resumed_with_less += len(hasty) < 3
        assert digests(out) == wanted, event
        assert lines(out) == wanted_lines, event
    assert event > 150 and resumed_with_less > 50


def test_what_a_killed_run_left_unfinished_goes_with_the_next(tmp_path: Path) -> None:
    """A result half written, and the rows of a report; what else has such a name is not ours."""
    for name in (".甲.xlsx.0123abcd.tmp", f".{REPORT_NAME}.0123abcd.tmp/rows", "甲.tmp/rows"):
        save(tmp_path, name, b"a")
    with Journal(tmp_path, Options()):
        assert [path.name for path in sorted(tmp_path.iterdir())] == ["甲.tmp", RECORDS_NAME]


def test_killed_while_going_on(tmp_path: Path, hasty: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is killed again and again still ends, each time a little further."""
    monkeypatch.setattr(kept_results, "CHUNK", 1)
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    whole_run(root, tmp_path / "ref")
    rounds = 0
    while killed_at(60 + 15 * rounds, lambda: whole_run(root, out, resume=True)):
        rounds += 1
    assert rounds > 4
    assert digests(out) == digests(tmp_path / "ref") and lines(out) == lines(tmp_path / "ref")


SCRIPT = """
import os, signal, sys
from pathlib import Path
import workbench
from workbooks.batch import run as batch
from workbooks.batch import kept_results
from workbooks.batch.run import run
from workbooks.batch.journal import Journal
from workbooks.batch.tasks import Options, survey

def main(root, out, stop):
    kept_results.CHUNK, kept_results.CHUNK_SECONDS = 2, 1000
    seen = []
    def note(result):
        seen.append(result)
        if len(seen) == stop:
            os.killpg(0, signal.SIGKILL)
    options = Options(jobs=2)
    tasks, skipped = survey([Path(root)], Path(out))
    with Journal(Path(out), options, skipped=skipped) as record:
        run(tasks, options, note, record)

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
"""


def script(tmp_path: Path, text: str, *arguments: object) -> subprocess.Popen[str]:
    path = tmp_path / "script.py"
    path.write_text(text, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(path), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(TESTS.parent), str(TESTS)))},
    )  # fmt: skip


def test_a_real_run_with_two_processes_all_killed_at_once(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    for number, data in enumerate([*GOOD.values(), b"", *GOOD.values()]):
        save(root, f"{number}.xlsx", data)
    killed = script(tmp_path, SCRIPT, root, out, 5)
    assert killed.communicate()[0] == "" and killed.returncode == -signal.SIGKILL
    kept = {path.name: path.stat().st_ino for path in out.glob("*.xlsx")}
    recorded = len(lines(out))
    assert recorded in (4, 5)
    whole_run(root, tmp_path / "ref", options=Options(jobs=2))
    whole_run(root, out, resume=True, options=Options(jobs=2))
    assert digests(out) == digests(tmp_path / "ref") and lines(out) == lines(tmp_path / "ref")
    untouched = [name for name, node in kept.items() if (out / name).stat().st_ino == node]
    assert len(untouched) >= recorded - 1


ORPHANS = """
import multiprocessing, os, signal, sys
from pathlib import Path
import workbench
from workbooks.batch import run as batch
from workbooks.batch.tasks import Options, find_tasks

def tell(_):
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)

if __name__ == "__main__":
    batch._serve = workbench.unlucky_serve
    batch.run(find_tasks([Path(sys.argv[1])], None), Options(jobs=2, seconds=60), tell)
"""


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_no_worker_outlives_a_killed_run(tmp_path: Path) -> None:
    save(tmp_path / "in", "a.xlsx", b"")
    save(tmp_path / "in", "b 卡住.xlsx", b"")
    parent = script(tmp_path, ORPHANS, tmp_path / "in")
    assert parent.stdout is not None
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(workers) == 2 and all(map(is_running, workers))
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while any(map(is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = list(filter(is_running, workers))
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    parent.communicate()
    assert left == []


# --- going on


def test_what_stands_is_not_made_again(tmp_path: Path, counted: list[str]) -> None:
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    first = whole_run(root, out)
    counted.clear()
    reported: list[str] = []
    tasks = find_tasks([root], out)
    with Journal(out, Options(jobs=1), resume=True) as record:
        again = run(tasks, Options(jobs=1), lambda result: reported.append(result.path), record)
    assert counted == [] and len(reported) == 5
    assert [one.as_dict() for one in again] == [one.as_dict() for one in first]
    assert [one.packs for one in again] == [one.packs for one in first]


@pytest.mark.parametrize(
    ("change", "made"),
    [
        (lambda root, out: (root / "1.xlsx").write_bytes(b"other"), ["1.xlsx"]),
        (lambda root, out: (out / f"2{RESULT_MARK}.xlsx").unlink(), ["2.xlsx"]),
        (lambda root, out: save(root, "5.xlsx", b"new"), ["5.xlsx"]),
        (lambda root, out: (root / "4.xlsx").unlink(), []),
    ],
)
def test_what_has_changed_is_made_again(
    change: Callable[[Path, Path], object], made: list[str], tmp_path: Path, counted: list[str]
) -> None:
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    whole_run(root, out)
    counted.clear()
    change(root, out)
    results = whole_run(root, out, resume=True)
    assert counted == made
    whole_run(root, tmp_path / "ref")
    assert [Path(one.path).name for one in results] == sorted(path.name for path in root.glob("*.xlsx"))
    assert {name: digest for name, digest in digests(out).items() if name.endswith(".jsonl")} == {
        name: digest for name, digest in digests(tmp_path / "ref").items() if name.endswith(".jsonl")
    }


def test_what_failed_is_tried_again_and_what_was_refused_is_not(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = small_files(tmp_path / "in", 2), tmp_path / "out"
    honest = batch._recalculated

    def failing(task: Task, options: Options, data: bytes, digest: str) -> FileResult:
        if task.path.name == "0.xlsx":
            raise ZeroDivisionError
        raise WorkbookError("E-SAMPLE", "不行", remedy="另存")

    monkeypatch.setattr(batch, "_recalculated", failing)
    assert [one.state for one in whole_run(root, out)] == ["failed", "refused"]
    monkeypatch.setattr(batch, "_recalculated", honest)
    assert [one.state for one in whole_run(root, out, resume=True)] == ["done", "refused"]
    assert counted == ["0.xlsx"]


def test_without_resume_everything_is_made_anew(tmp_path: Path, counted: list[str]) -> None:
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    whole_run(root, out)
    (root / "4.xlsx").unlink()
    counted.clear()
    whole_run(root, out)
    assert len(counted) == 4 and len(lines(out)) == 4


def test_resume_where_nothing_is_recorded_is_a_first_run(tmp_path: Path, counted: list[str]) -> None:
    whole_run(small_files(tmp_path / "in"), tmp_path / "out", resume=True)
    assert len(counted) == 5


@pytest.mark.parametrize(
    "options", [Options(engine="formulas"), Options(choices=(("a", "b"),)), Options(limits=(("rows", 5),))]
)
def test_a_run_with_other_conditions_is_not_gone_on_with(options: Options, tmp_path: Path, counted: list[str]) -> None:
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    whole_run(root, out)
    before = lines(out)
    with pytest.raises(WorkbookError, match="E-RESUME") as caught:
        whole_run(root, out, resume=True, options=options)
    assert "--resume" in caught.value.remedy and lines(out) == before
    whole_run(root, out, resume=True, options=Options(jobs=2, seconds=5))


def test_a_damaged_record_is_told_or_begun_anew(tmp_path: Path, counted: list[str]) -> None:
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    whole_run(root, out)
    database = out / RECORDS_NAME / DATABASE_NAME
    database.write_bytes(b"no database at all" * 100)
    with pytest.raises(WorkbookError, match="E-JOURNAL"):
        whole_run(root, out, resume=True)
    whole_run(root, out)
    assert len(lines(out)) == 5


def test_one_transaction_for_a_chunk(tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker is given files while the lines of its last ones are not on the disk: 20, 12, 6, 3, 2, 1 and 1."""
    monkeypatch.setattr(kept_results, "CHUNK_SECONDS", 1000)
    root, out = small_files(tmp_path / "in", 45), tmp_path / "out"
    counts: list[int] = []
    with Journal(out, Options(jobs=1)) as record:
        honest = InThisProcess.start

        def start(worker: InThisProcess, chunk: dict[int, Task]) -> None:
            counts.append(record._base.execute("SELECT count(*) FROM file").fetchone()[0])
            honest(worker, chunk)

        monkeypatch.setattr(InThisProcess, "start", start)
        statements: list[str] = []
        record._base.set_trace_callback(statements.append)
        run(find_tasks([root], out), Options(jobs=1), lambda _: None, record)
        record._base.set_trace_callback(None)
    assert counts == [0, 20, 32, 38, 41, 43, 44] and statements.count("COMMIT") == 7
    assert len(lines(out)) == 45


def test_a_batch_goes_on_where_it_was_killed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As a person does it: the run is killed, run without the option it says so, and with it makes only the rest."""
    root, out = tmp_path / "in", tmp_path / "out"
    for number, data in enumerate([*GOOD.values(), b""]):
        save(root, f"{number}.xlsx", data)
    script(tmp_path, SCRIPT, root, out, 3).communicate()
    kept = {path: path.stat().st_ino for path in out.glob("*.xlsx")}
    assert len(lines(out)) == 2
    assert run_batch([root], out, jobs=2, resume=True) == 1
    assert "其中 2 份上次已做好，沿用" in capfd.readouterr().out
    assert sum(path.stat().st_ino == node for path, node in kept.items()) >= 2
    with pytest.raises(WorkbookError, match="E-RESUME"):
        run_batch([root], out, resume=True, limits={"rows": 5})
    with sqlite3.connect(out / RECORDS_NAME / DATABASE_NAME) as base:
        base.execute("UPDATE run SET finished = NULL")
    base.close()
    assert run_batch([root], out, jobs=2) == 1
    said = capfd.readouterr()
    assert "已有 4 份" in said.err and "--resume" in said.err and "沿用" not in said.out
    assert len(lines(out)) == len((out / JSONL_NAME).read_text(encoding="utf-8").splitlines()) == 4


# --- two at once


HOLDER = """
import sys, time
from pathlib import Path
from workbooks.batch.journal import Journal
from workbooks.batch.tasks import Options

with Journal(Path(sys.argv[1]), Options()):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_run_is_told_who_holds_the_folder(tmp_path: Path, counted: list[str]) -> None:
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    holder = script(tmp_path, HOLDER, out)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        for resume in (False, True):
            with pytest.raises(WorkbookError, match="E-IN-USE") as caught:
                whole_run(root, out, resume=resume)
            assert f"进程 {holder.pid}" in caught.value.message and "-o" in caught.value.remedy
        assert counted == []
    finally:
        holder.kill()
        holder.communicate()
    # The system has freed it with the death of the process; what it left of its name is no lock.
    assert (out / RECORDS_NAME / HOLDER_NAME).exists()
    assert len(whole_run(root, out)) == 5
    assert not (out / RECORDS_NAME / HOLDER_NAME).exists()


def test_a_second_run_in_the_same_process_is_kept_out(tmp_path: Path) -> None:
    with (
        Journal(tmp_path, Options()),
        pytest.raises(WorkbookError, match="E-IN-USE"),
        Journal(tmp_path, Options()),
    ):
        pass


# --- no room, no folder


def test_a_full_disk_stops_the_run_and_leaves_what_is_done(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    whole_run(root, tmp_path / "ref")
    counted.clear()
    honest = os.fsync

    def full(handle: int) -> None:
        if len(counted) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        honest(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(WorkbookError, match="E-STOPPED") as caught:
            whole_run(root, out)
    assert "磁盘已满" in caught.value.message and "--resume" in caught.value.remedy
    assert counted == ["0.xlsx", "1.xlsx", "2.xlsx"]
    assert [json.loads(line[6])["name"] for line in lines(out)] == ["0", "1"]
    assert set(digests(out)) == {f"0{RESULT_MARK}.xlsx", f"1{RESULT_MARK}.xlsx"}
    whole_run(root, out, resume=True)
    assert counted[3:] == ["2.xlsx", "3.xlsx", "4.xlsx"]
    assert digests(out) == digests(tmp_path / "ref")


def test_a_record_that_cannot_be_written_stops_the_run(tmp_path: Path, counted: list[str]) -> None:
    root, out = small_files(tmp_path / "in", 200), tmp_path / "out"
    with pytest.raises(WorkbookError, match="E-STOPPED") as caught, Journal(out, Options(jobs=1)) as record:
        record._base.execute("PRAGMA max_page_count = 12")
        run(find_tasks([root], out), Options(jobs=1), lambda _: None, record)
    assert "运行记录" in caught.value.message and 0 < len(counted) < 200
    kept = len(lines(out))
    assert kept % kept_results.CHUNK == 0
    counted.clear()
    whole_run(root, out, resume=True)
    assert len(counted) == 200 - kept and len(lines(out)) == 200


def test_a_folder_that_goes_away_stops_the_run(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    honest = batch.process

    def process(task: Task, options: Options) -> FileResult:
        if task.path.name == "2.xlsx":
            root.rename(tmp_path / "moved")
        return honest(task, options)

    monkeypatch.setattr(batch, "process", process)
    with pytest.raises(WorkbookError, match="E-STOPPED") as caught:
        whole_run(root, out)
    assert "不见了" in caught.value.message and len(lines(out)) == 2
    (tmp_path / "moved").rename(root)
    monkeypatch.setattr(batch, "process", honest)
    assert len(whole_run(root, out, resume=True)) == 5


def test_one_file_that_goes_away_is_one_line(tmp_path: Path, here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "in"
    for name, data in GOOD.items():
        save(root, f"{name}.xlsx", data)
    tasks = find_tasks([root], tmp_path / "out")
    tasks[1].path.unlink()
    results = run(tasks, Options(jobs=1), lambda _: None)
    assert [one.state for one in results].count("done") == 2
    assert [item["code"] for one in results for item in one.findings if one.state == "refused"] == ["E-BOOK-MISSING"]


# --- nothing is held


def results_at_hand() -> int:
    gc.collect()
    return sum(isinstance(held, FileResult) for held in gc.get_objects())


@pytest.mark.parametrize("as_json", [False, True])
def test_a_check_holds_no_results(
    as_json: bool,
    tmp_path: Path,
    counted: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It has no folder to keep them in; the most there are at once are those on their way to the disk."""
    root, most = small_files(tmp_path / "in", 100), [results_at_hand()]
    honest = kept_results.Kept._lines_of if as_json else report_tally.Tally.add

    def looking(*given: Any) -> Any:
        most.append(results_at_hand())
        return honest(*given)

    monkeypatch.setattr(*((kept_results.Kept, "_lines_of") if as_json else (report_tally.Tally, "add")), looking)
    assert run_batch([root], None, jobs=1, as_json=as_json) == 0
    said = capsys.readouterr().out
    assert len(json.loads(said)["files"]) == 100 if as_json else "共 100 份：已核算 100" in said
    assert len(most) > 100 and max(most) - most[0] < 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_a_check_without_room_for_its_record_stops(tmp_path: Path, counted: list[str]) -> None:
    tasks = find_tasks([small_files(tmp_path / "in", 200)], None)
    with pytest.raises(WorkbookError, match="E-STOPPED.*临时文件夹"), Scratch() as record:
        record._base.execute("PRAGMA max_page_count = 12")
        run(tasks, Options(jobs=1), lambda _: None, record)


def test_the_engine_libreoffice_is_done_with_some_files_before_it_begins_the_next(
    tmp_path: Path, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, told, asked = small_files(tmp_path / "in", 5), [], []

    def evaluated(paths: list[Path], _: float) -> dict[Path, Any]:
        asked.append((len(told), len(paths)))
        return dict.fromkeys(paths, {})

    monkeypatch.setattr(crosscheck, "_AT_ONCE", 2)
    monkeypatch.setattr(crosscheck, "evaluate_libreoffice", evaluated)
    save(root, "空.xlsx", b"")
    run(find_tasks([root], None), Options(jobs=1, engine="libreoffice"), told.append)
    assert asked == [(0, 2), (2, 2), (4, 1)] and [result.state for result in told] == ["done"] * 5 + ["refused"]


# --- the same again


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """Patched copies, a freshly built one, the report and its lines; on other days and in other processes."""
    root = tmp_path / "in"
    for name, data in GOOD.items():
        save(root, f"{name}.xlsx", data)
    save(root, "宏.xlsm", rezipped(members(GOOD["甲"]) | {"xl/vbaProject.bin": b"\0macro"}))
    save(root, "空.xlsx", b"")
    whole_run(root, tmp_path / "one", options=Options(jobs=2))
    time.sleep(2.1)  # A zip counts time in steps of two seconds.
    whole_run(root, tmp_path / "two", options=Options(jobs=1))
    assert len(digests(tmp_path / "one")) == 7
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_a_file_that_stands_twice_has_one_line_each(tmp_path: Path, counted: list[str]) -> None:
    root, out = small_files(tmp_path / "in"), tmp_path / "out"
    for _ in range(3):
        whole_run(root, out, resume=True)
    text = (out / JSONL_NAME).read_text(encoding="utf-8").splitlines()
    assert len(text) == len(set(text)) == 5 and len(lines(out)) == 5


def test_the_record_names_template_and_packs(tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD["甲"])
    result = process(Task(path, tmp_path / "out.xlsx"), Options())
    assert result.sha256 == hashlib.sha256(GOOD["甲"]).hexdigest()
    assert result.output_sha256 == hashlib.sha256((tmp_path / "out.xlsx").read_bytes()).hexdigest()
    assert result.template == CLOUD and set(result.packs) == {CLOUD_POLICY}
    assert re.fullmatch(r"\S+ [0-9a-f]{64}", result.packs[CLOUD_POLICY])


# --- the log


def test_the_log_has_a_line_a_file_and_no_full_number(tmp_path: Path, counted: list[str]) -> None:
    root = tmp_path / "in"
    save(root, "示例 91000000MA0000001R 13800001234.xlsx", b"a")
    save(root, "电话0311-86001234.docx", b"a")
    save(root, "空.xlsx", b"")
    whole_run(root, tmp_path / "out")
    text = (tmp_path / "out" / RECORDS_NAME / LOG_NAME).read_text(encoding="utf-8")
    assert len(text.splitlines()) == 3
    assert "E-BOOK-EMPTY" in text and "skipped" in text and "138****1234" in text
    for whole in ("91000000MA0000001R", "13800001234", "86001234"):
        assert whole not in text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("91000000MA0000001R", "9100************1R"),
        ("91000000ma0000001r", "9100************1r"),
        ("15010219800101123X", "1501************3X"),
        ("150102800101123", "******23"),
    ],
)
def test_codes_are_masked(text: str, wanted: str) -> None:
    assert masked(f"企业{text}。") == f"企业{wanted}。"


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    """No temporary file outlives a test that goes on."""
    yield
    assert not list(tmp_path.rglob(".*.tmp"))
