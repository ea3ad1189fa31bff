"""The workload through ``direct`` in two processes, and how the cost grows with files and with rows."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import re
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.workload import KINDS, workbooks, write_workload
from workbooks.batch.journal import Journal
from workbooks.batch.report import write_report
from workbooks.batch.results import Doubles, Results
from workbooks.batch.run import process, run_recorded
from workbooks.batch.tasks import FileResult, Options, Task, find_tasks
from xlcalc.errors import WorkbookRefused

PROCESSES = 2


class Run(NamedTuple):
    """files a second, with start, journal and run report; seconds of all and of the report alone; the results' paths.

    peak: megabytes of the largest worker.
    """

    rate: float
    seconds: float
    report: float
    outputs: list[Path]
    peak: int


def whole_run(source: Path, out: Path) -> Run:
    """What ``xlcalc recalc`` does with a folder: journal, results, run report; every file has to be done."""
    shutil.rmtree(out, ignore_errors=True)
    options = Options(jobs=PROCESSES)
    tasks = find_tasks([source], out)
    gc.collect()
    watched = _Watched()
    start = time.perf_counter()
    with Journal(out, options) as journal:
        run_recorded(tasks, options, watched, journal)
        done = time.perf_counter()
        results = Results(lambda: journal.results(tasks))
        write_report(out, results.amended(Doubles(results)))
        end = time.perf_counter()
        bad = [result.findings for result in results if result.state != "done"]
        assert not bad, bad[0]
        outputs = [Path(result.output or "") for result in results]
    return Run(len(tasks) / (end - start), end - start, end - done, outputs, watched.peak)


class _Watched:
    """Hears of every result and keeps the most megabytes a worker was seen with; 0 where that cannot be read."""

    def __init__(self) -> None:
        self.peak = 0

    def __call__(self, _: FileResult) -> None:
        for child in multiprocessing.active_children():
            with contextlib.suppress(OSError):
                status = Path(f"/proc/{child.pid}/status").read_text(encoding="ascii")
                found = re.search(r"VmHWM:\s*(\d+) kB", status)
                self.peak = max(self.peak, int(found[1]) // 1024 if found else 0)


def per_kind(paths: Sequence[Path], out: Path) -> Mapping[str, tuple[float, float]]:
    """Kind -> (wall, processor) milliseconds of one workbook in one process, medians, the first left out."""
    out.mkdir(parents=True, exist_ok=True)
    found = {}
    for kind in KINDS:
        times = []
        for path in [path for path in paths if f"-{kind}-" in path.name][:40]:
            start, used = time.perf_counter(), time.process_time()
            assert process(Task(path, out / path.name), Options()).state == "done"
            times.append((time.perf_counter() - start, time.process_time() - used))
        wall, processor = zip(*times[1:], strict=True)
        found[kind] = 1000 * statistics.median(wall), 1000 * statistics.median(processor)
    return found


def by_files(folder: Path, counts: Sequence[int]) -> dict[int, Run]:
    """Number of files -> the whole run, forms filled as printed; the last one's files are left behind."""
    found = {}
    for count in counts:
        shutil.rmtree(folder, ignore_errors=True)
        write_workload(folder / "in", count)
        found[count] = whole_run(folder / "in", folder / "out")
    return found


def by_rows(folder: Path, counts: Sequence[int]) -> tuple[list[tuple[float, float]], str]:
    """(rows of one 推荐表, seconds), the second of two runs in one process; and why there are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for count in counts:
        try:
            ((name, data),) = workbooks("recommend", 1, count)
        except WorkbookRefused as refusal:
            return found, f"{count} 行：{refusal.message}"
        (folder / name).write_bytes(data)
        for _ in range(2):
            start = time.perf_counter()
            result = process(Task(folder / name, folder / f"out-{name}"), Options())
            seconds = time.perf_counter() - start
            if result.state != "done":
                return found, f"{count} 行：{result.findings[0]['message']}"
        found.append((float(count), seconds))
    return found, ""
