"""A drop folder: what is put there is recalculated once it has stopped growing, and the report follows.

The folder is looked at again and again. Notices of a file system would come sooner, but network drives, where such a
folder usually is, send none for what another computer writes.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from workbooks.batch.failures import stopped
from workbooks.batch.journal import Journal
from workbooks.batch.report import write_report
from workbooks.batch.results import Amendment, Doubles, Results
from workbooks.batch.shared_caps import SharedCaps
from workbooks.batch.tasks import Options, Skipped, Task, lock_marks, shown, survey
from workbooks.files.writing import io_reason, stops_all

LOOK_SECONDS = 2.0
SETTLE_SECONDS = 4.0
_MOST_TIMES = 3
_Stamp = tuple[int, int]
Work = Callable[[Sequence[Task], Options, Journal], object]
Enter = Callable[[Results], tuple[Amendment, Collection[str]]]
"""Hears the results that lie there: what is to be amended, and the paths of those that must be computed again."""


class Watch:
    """The folders watched in one run, and what is known of the files in them.

    work: recalculates files that have come to rest. told: hears how many were done in a round, and how many are
    waited for. enter: asked before the results are reported.
    """

    def __init__(
        self, paths: Sequence[Path], outdir: Path, options: Options, work: Work, told: Callable[[int, int], None],
        enter: Enter | None = None,
    ) -> None:  # fmt: skip
        self._paths, self._outdir, self._options, self._work, self._told = paths, outdir, options, work, told
        self._enter = enter
        self._seen: dict[Path, tuple[_Stamp, float]] = {}
        self._done: dict[Task, _Stamp] = {}
        self._overtaken: set[Task] = set()
        self._times: Counter[Task] = Counter()
        self._reported: list[Task] | None = None
        self._tasks: list[Task] = []
        self._skipped: list[Skipped] = []

    def run(self, stop: threading.Event, ended: Callable[[Results], None]) -> None:
        """Looks and works until told to stop. ended: hears the results of what lies in the folders then.

        What was done before, by this run or an earlier one, is not done again while the file stays as it is. Raises
        what ``Journal`` and ``run`` raise.
        """
        with Journal(self._outdir, self._options, resume=True) as record:
            with contextlib.suppress(KeyboardInterrupt):
                while not stop.is_set():
                    self.look(record)
                    stop.wait(LOOK_SECONDS)
            # What was done of a round that was cut short is on record; the rest is done the next time.
            record.commit()
            found = record.standing([task for task in self._tasks if task not in self._done])
            self._done |= {task: (0, 0) for task in self._tasks if task.path in found}
            ended(self._report(record))

    def look(self, record: Journal) -> None:
        """One round: what has come to rest since the last is done, and the report written anew."""
        if not all(path.exists() for path in self._paths):
            # A network drive that is away for a while takes nothing with it.
            return
        self._tasks, self._skipped = survey(self._paths, self._outdir)
        stamps = {task: stamp for task in self._tasks if (stamp := _stamp(task.path)) is not None}
        fresh = [task for task, stamp in stamps.items() if self._done.get(task) != stamp]
        ready = [task for task in fresh if self._is_at_rest(task.path, stamps[task])]
        if self._overtaken:
            record.forget(shown(task.path) for task in self._overtaken)
            ready += [task for task in self._overtaken if task in stamps and task not in ready]
            self._overtaken = set()
        if ready:
            self._work(ready, self._options, record)
            record.commit()
            self._done |= {task: stamps[task] for task in ready}
            for task in fresh:
                self._times.pop(task, None)
        self._done = {task: stamp for task, stamp in self._done.items() if task in stamps}
        here = [task for task in self._tasks if task in self._done]
        if ready or here != self._reported:
            try:
                self._report(record)
            except OSError as error:
                if stops_all(error):
                    raise stopped(f"运行报告写不进去（{io_reason(error)}）") from None
                # Someone is reading it; it is written with the next round.
                self._reported = None
                return
            self._reported = here
            self._told(len(ready), len(fresh) - len(ready))

    def _is_at_rest(self, path: Path, stamp: _Stamp) -> bool:
        """Whether it is as it was some looks ago, and no one has it open."""
        now = time.monotonic()
        held, since = self._seen.get(path, (None, now))
        if held != stamp:
            self._seen[path] = stamp, now
            return False
        return now - since >= SETTLE_SECONDS and not any(mark.exists() for mark in lock_marks(path))

    def _report(self, record: Journal) -> Results:
        """The report of what lies there now; on record the results stay as they came, whatever others do to them."""
        here = [task for task in self._tasks if task in self._done]
        results = Results(lambda: record.results(here))
        results = results.amended(Doubles(results))
        if self._enter is None:
            results = results.amended(SharedCaps(results))
        else:
            amendment, overtaken = self._enter(results)
            results = results.amended(amendment)
            # In the next round; until then they are reported as they are. What computing does not mend is left alone.
            self._overtaken = {
                task for task in here if shown(task.path) in overtaken and self._times[task] < _MOST_TIMES
            }
            self._times.update(self._overtaken)
        write_report(self._outdir, results, self._skipped, given=self._paths)
        return results


def _stamp(path: Path) -> _Stamp | None:
    """Size and time of the last change; None for what has gone."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
