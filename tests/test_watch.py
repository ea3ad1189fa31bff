"""A drop folder: files still being copied wait, what is done is done once, and Ctrl-C ends cleanly."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from test_journal import GOOD, lines
from workbench import save

from macros_bridge.running import run_batch
from workbooks.batch import run as batch
from workbooks.batch import watch
from workbooks.batch.journal import Journal
from workbooks.batch.run import Settled, Told, process, run
from workbooks.batch.tasks import REPORT_NAME, RESULT_MARK, TABLE_NAME, FileResult, Options, Task
from workbooks.batch.watch import Watch
from xlcalc.errors import InputError


class Folder:
    """A watched folder whose looks are taken one by one; ``worked``: the files done, in their order."""

    def __init__(self, root: Path) -> None:
        self.inbox, self.out, self.worked, self.told = root / "in", root / "out", list[str](), list[tuple[int, int]]()
        self.inbox.mkdir()
        self.watch = Watch([self.inbox], self.out, Options(jobs=1), self.work, lambda *said: self.told.append(said))

    def work(self, tasks: list[Task], options: Options, record: Journal) -> list[FileResult]:
        self.worked += [task.path.name for task in tasks]
        return run(tasks, options, lambda _: None, record)

    def reported(self) -> dict[str, str]:
        rows = openpyxl.load_workbook(self.out / REPORT_NAME)["文件"].iter_rows(min_row=2, values_only=True)
        return {Path(str(row[0])).name: str(row[1]) for row in rows if row[0] != "无"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Folder, Journal]]:
    monkeypatch.setattr(watch, "SETTLE_SECONDS", 0)
    monkeypatch.setattr(batch, "run_direct", in_this_process)
    held = Folder(tmp_path)
    with Journal(held.out, Options(jobs=1), resume=True) as record:
        yield held, record


def in_this_process(tasks: list[Task], options: Options, told: Told, settled: Settled) -> None:
    for task in tasks:
        told(process(task, options))
    settled()


def test_what_is_still_being_copied_or_open_waits(folder: tuple[Folder, Journal]) -> None:
    held, record = folder
    path = save(held.inbox, "甲.xlsx", GOOD["甲"][:1000])
    held.watch.look(record)
    path.write_bytes(GOOD["甲"])
    held.watch.look(record)
    mark = save(held.inbox, "~$甲.xlsx", b"user")
    held.watch.look(record)
    assert "甲.xlsx" not in held.worked
    mark.unlink()
    held.watch.look(record)
    assert held.worked.count("甲.xlsx") == 1 and (held.out / f"甲{RESULT_MARK}.xlsx").exists()
    for _ in range(3):
        held.watch.look(record)
    assert held.worked.count("甲.xlsx") == 1 and held.reported() == {"甲.xlsx": "已核算"}


def test_what_is_changed_is_done_again_and_what_is_gone_leaves_the_report(folder: tuple[Folder, Journal]) -> None:
    """The same enterprise in two files is paid in neither, until one of them is taken away."""
    held, record = folder
    for name in ("甲.xlsx", "乙.xlsx"):
        save(held.inbox, name, GOOD["甲"])
    save(held.inbox, "坏.xlsx", b"")
    looks = lambda: [held.watch.look(record) for _ in range(2)]  # noqa: E731
    looks()
    assert held.reported() == {"甲.xlsx": "已核算", "乙.xlsx": "已核算", "坏.xlsx": "拒绝"}
    assert "E-DOUBLE-FILE" in (held.out / "results.csv").read_text()
    (held.inbox / "乙.xlsx").unlink()
    (held.inbox / "坏.xlsx").write_bytes(GOOD["丙"])
    looks()
    assert held.reported() == {"甲.xlsx": "已核算", "坏.xlsx": "已核算"}
    assert "E-DOUBLE-FILE" not in (held.out / "results.csv").read_text()
    assert sorted(held.worked) == sorted(["甲.xlsx", "乙.xlsx", "坏.xlsx", "坏.xlsx"])


def test_a_drive_that_is_away_takes_nothing_with_it(folder: tuple[Folder, Journal]) -> None:
    held, record = folder
    save(held.inbox, "甲.xlsx", GOOD["甲"])
    for _ in range(2):
        held.watch.look(record)
    away = held.inbox.rename(held.inbox.with_name("away"))
    held.watch.look(record)
    assert held.reported() == {"甲.xlsx": "已核算"}
    away.rename(held.inbox)
    held.watch.look(record)
    assert held.worked == ["甲.xlsx"]


def test_a_report_that_someone_reads_is_written_later(
    folder: tuple[Folder, Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    held, record = folder
    save(held.inbox, "甲.xlsx", GOOD["甲"])
    with monkeypatch.context() as patch:
        patch.setattr(watch, "write_report", busy)
        for _ in range(2):
            held.watch.look(record)
    assert held.worked == ["甲.xlsx"] and not (held.out / REPORT_NAME).exists()
    held.watch.look(record)
    assert held.worked == ["甲.xlsx"] and held.reported() == {"甲.xlsx": "已核算"}


def busy(*_: object, **__: object) -> Path:
    raise PermissionError(13, "in use")


def test_it_ends_cleanly_and_goes_on_when_begun_again(tmp_path: Path) -> None:
    """By Ctrl-C, and as a service is ended."""
    (tmp_path / "in").mkdir()
    words = [sys.executable, "-m", "macros_bridge.cli", "recalc", "--watch", str(tmp_path / "in"), "-o", "out"]
    for name, sign in (("甲", signal.SIGINT), ("乙", signal.SIGTERM)):
        held = subprocess.Popen(
            words, cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            env={"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        )  # fmt: skip
        if name == "乙":
            save(tmp_path / "in" / "乡镇", "坏.xlsx", b"")
        save(tmp_path / "in", f"{name}.xlsx", GOOD[name])
        # A result is on record some moments after its file is there, and before the tables name it.
        table = tmp_path / "out" / TABLE_NAME
        while not (table.exists() and f"{name}{RESULT_MARK}.xlsx" in table.read_text()) and held.poll() is None:
            time.sleep(0.05)
        # As a terminal does it: to every process of the group.
        subprocess.run(["kill", f"-{sign.value}", "--", f"-{held.pid}"], check=True)
        said, complaints = held.communicate(timeout=60)
        assert "Traceback" not in complaints and "守候" in complaints, complaints
        assert "失败 0" in said
        # What has been refused is for someone to see to.
        assert held.returncode == complaints.count("[E-BOOK-EMPTY] 乡镇/坏.xlsx：拒绝：") == (name == "乙")
    assert len(lines(tmp_path / "out")) == 3
    assert (tmp_path / "out" / REPORT_NAME).exists()


def test_only_a_folder_can_be_watched(tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD["甲"])
    with pytest.raises(InputError, match="E-FILE"):
        run_batch([path], tmp_path / "out", watch=True)
    with pytest.raises(InputError, match="E-USAGE"):
        run_batch([tmp_path], None, watch=True)
