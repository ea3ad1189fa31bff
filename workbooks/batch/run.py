"""Runs many workbooks through one recalculation each, in child processes that may die without harm."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbooks.batch.child import WRITERS, Disk, deaf, end_with_parent, limit_memory, limit_processor, without_numpy
from workbooks.batch.failures import codes_of, crashed, failure, go_on
from workbooks.batch.failures import failed as failed
from workbooks.batch.tasks import CHUNK, FileResult, Options, Task, shown, whereabouts
from workbooks.files.package import DEFAULT_LIMITS, Package, read_file
from workbooks.files.writing import discard_temporary
from workbooks.files.writing import ensure_writable as ensure_writable
from workbooks.files.writing import io_reason as io_reason
from workbooks.files.writing import write_atomically as write_atomically
from xlcalc.errors import WorkbookRefused
from xlcalc.results.outcome import Finding

if TYPE_CHECKING:
    from workbooks.batch.kept_results import Kept
    from workbooks.record import Record

_Written = tuple[int, Task, FileResult, Future[None]]

# After these a child is replaced: it is gone, was ended, or has little memory left.
_ENDING = (["E-CRASH"], ["E-CPU"], ["E-TIMEOUT"], ["E-MEMORY"])


Told = Callable[[FileResult], None]
"""Who hears of every result once, in the order in which they come."""

Settled = Callable[[], None]
"""Called when a worker has done its chunk, before it is given another."""


def run(
    tasks: Sequence[Task],
    options: Options,
    progress: Told,
    journal: Kept | None = None,
    cluster: str | None = None,
) -> list[FileResult]:
    """Recalculates every task; one bad, stuck or crashing file costs only itself. Results in task order.

    Arguments and errors as for ``run_recorded``; without a journal nothing is on record.
    """
    if journal is not None:
        run_recorded(tasks, options, progress, journal, cluster)
        return [result.at_hand() for result in journal.results(tasks)]
    found: dict[str, FileResult] = {}

    def noting(result: FileResult) -> None:
        found[result.path] = result
        progress(result)

    if tasks:
        _engine(options, cluster)(tasks, options, noting)
    return [found[shown(task.path)] for task in tasks]


def run_recorded(
    tasks: Sequence[Task], options: Options, progress: Told, journal: Kept, cluster: str | None = None
) -> None:
    """The same for a run of any size: what becomes of each file is on record, and nothing else is kept of it.

    What the journal says is done is not made again. cluster: the address of the machines that work, see
    ``run_on_cluster``; None for this one. Raises WorkbookError ``E-STOPPED`` where no further file could be worked on
    either: a full or read-only disk, a folder of submissions that has gone.
    """
    standing = journal.standing(tasks)
    for result in journal.results([task for task in tasks if task.path in standing]):
        progress(result)
    open_tasks = [task for task in tasks if task.path not in standing]
    if open_tasks:
        _engine(options, cluster)(open_tasks, options, journal.recording(progress), settled=journal.commit)


def _engine(options: Options, cluster: str | None) -> Callable[..., None]:
    if cluster is not None:
        from workbooks.batch.cluster import run_on_cluster

        return partial(run_on_cluster, cluster)
    if options.engine == "libreoffice":
        from workbooks.batch.crosscheck import run_with_libreoffice

        return run_with_libreoffice
    return run_direct


def run_direct(tasks: Sequence[Task], options: Options, told: Told, settled: Settled = lambda: None) -> None:
    """Every task through the workers, in chunks."""
    with workers_for(len(tasks), options) as workers:
        share_out(tasks, workers, told, settled)


@contextlib.contextmanager
def workers_for(tasks: int, options: Options) -> Iterator[list[Worker]]:
    """As many child processes as so many tasks need, ended at the end."""
    workers: list[Worker] = []
    try:
        # One by one: what interrupts this finds those that are up among them.
        for _ in range(min(options.workers, tasks)):
            workers.append(Worker(options))
        yield workers
    finally:
        for worker in workers:
            worker.finish()


def share_out(tasks: Sequence[Task], workers: Sequence[Worker], told: Told, settled: Settled = lambda: None) -> None:
    """Has workers do all tasks."""
    left = len(tasks)
    later: set[int] = set()
    waiting = list(range(len(tasks)))[::-1]
    while left:
        for worker in workers:
            if not worker.held and waiting:
                settled()
                places = [waiting.pop() for _ in range(share_of(len(waiting), len(workers)))]
                worker.start({place: tasks[place] for place in places})
        for worker in _ready(workers):
            for place, result in worker.collect():
                go_on(tasks[place], result)
                if codes_of(result) == ["E-BOOK-CHANGING"] and place not in later:
                    # Whoever is copying it may be done when all others are.
                    later.add(place)
                    waiting.insert(0, place)
                    continue
                left -= 1
                told(result)


def share_of(waiting: int, workers: int) -> int:
    """How many files go to a worker at once: many, so that none waits for work, and few towards the end."""
    return max(1, min(CHUNK, waiting // (2 * workers)))


def _ready(workers: Sequence[Worker]) -> list[Worker]:
    busy = {worker.pipe: worker for worker in workers if worker.held}
    sooner = min(worker.deadline for worker in busy.values())
    wait(list(busy), timeout=max(0.0, sooner - time.monotonic()))
    return list(busy.values())


class Worker:
    """One child process, replaced when it dies or overstays; ``held``: its files, ``at`` the one it is working on."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.held: dict[int, Task] = {}
        self.at: int | None = None
        self.deadline = 0.0
        self._launch()

    def _launch(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, self.options), daemon=True)
        with deaf():
            self.process.start()
        other.close()

    def start(self, chunk: dict[int, Task]) -> None:
        """Hands over some tasks, to be done in their order."""
        self.held, self.at = chunk, next(iter(chunk))
        self.deadline = time.monotonic() + self.options.seconds
        with contextlib.suppress(OSError):
            self.pipe.send(chunk)

    def collect(self) -> Iterator[tuple[int, FileResult]]:
        """The results there are, each with its place; a death or an overrun becomes a failure of one file.

        That is the file the child was at; a new child does those behind it, and those whose results were not yet
        on the disk.
        """
        while self.held and (found := self._found()) is not None:
            for place, result in found:
                yield place, result
                del self.held[place]
            if any(codes_of(result) in _ENDING for _, result in found):
                self._replace()

    def _found(self) -> list[tuple[int, FileResult]] | None:
        """What the child has said; None while it says nothing and has time left."""
        place = self.at if self.at in self.held else next(iter(self.held))
        if self.pipe.poll():
            try:
                found: list[tuple[int, FileResult]]
                self.at, found = self.pipe.recv()
            except (EOFError, OSError):
                return [(place, self._death(self.held[place]))]
            self.deadline = time.monotonic() + self.options.seconds
            return found
        if time.monotonic() < self.deadline:
            return None
        message = f"处理超过 {self.options.seconds:g} 秒，已停止"
        self.process.kill()
        self.process.join()
        late = failed(self.held[place], "E-TIMEOUT", message, "请检查文件是否过大；可用 --timeout 放宽时限")
        return [(place, late)]

    def _death(self, task: Task) -> FileResult:
        self.process.join(5)
        if hasattr(signal, "SIGXCPU") and self.process.exitcode == -signal.SIGXCPU:
            message = f"处理占用处理器超过 {self.options.cpu_seconds:g} 秒，已停止"
            return failed(task, "E-CPU", message, "请检查文件是否过大；必要时拆分后重新提交")
        return crashed(task)

    def _replace(self) -> None:
        self.stop()
        for task in self.held.values():
            if task.target is not None:
                discard_temporary(task.target)
        self._launch()
        if self.held:
            self.start(self.held)

    def finish(self) -> None:
        """Lets an idle child end by itself, so that it can tidy up; a busy one is ended."""
        if not self.held:
            self.pipe.close()
            self.process.join(5)
        self.stop()

    def stop(self) -> None:
        """Ends the child at once; what it was writing has a temporary name."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


_place: Callable[[Path, bytes], None] = write_atomically
"""How a result is put in its place."""


def _serve(pipe: Connection, options: Options) -> None:
    """The child: one task after another until the parent ends it.

    Before each task it sends that task's number, with the results that stand on the disk by then.
    """
    global _place
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
    limit_memory(options.megabytes)
    if options.engine == "direct":
        without_numpy()
    disk = Disk(write_atomically)
    _place = disk.put
    try:
        while True:
            tasks: dict[int, Task] = pipe.recv()
            written: deque[_Written] = deque()
            for number, task in tasks.items():
                pipe.send((number, _settled(written, WRITERS)))
                limit_processor(options.cpu_seconds)
                result = process(task, options)
                written.append((number, task, result, disk.take()))
            pipe.send((None, _settled(written, 0)))
    except (EOFError, OSError):
        return
    finally:
        disk.close()


def _settled(written: deque[_Written], most: int) -> list[tuple[int, FileResult]]:
    """The results, in order, whose files stand on the disk, so that at most ``most`` are left."""
    found = []
    while written and (len(written) > most or written[0][3].done()):
        number, task, result, place = written.popleft()
        error = place.exception()
        if isinstance(error, OSError):
            result = failure(task, error)
        elif error is not None:
            raise error
        found.append((number, result))
    return found


def process(task: Task, options: Options) -> FileResult:
    """Recalculates one workbook in this process; every error becomes part of the result."""
    started = time.perf_counter()
    digest = None
    try:
        data = read_file(task.path, DEFAULT_LIMITS.given(dict(options.limits)))
        digest = hashlib.sha256(data).hexdigest()
        result = _recalculated(task, options, data, digest)
    except Exception as error:  # noqa: BLE001 - one file's fault must not end the batch
        result = failure(task, error)
    result.sha256 = digest
    result.seconds = time.perf_counter() - started
    return result


def _recalculated(task: Task, options: Options, data: bytes, digest: str) -> FileResult:
    from workbooks.batch.remarks import with_remarks
    from workbooks.batch.shared_caps import of_record, shared_caps
    from workbooks.recalc import recalculate_package
    from xlcalc.results.trace import outcome_dict

    package = _checked(data, dict(options.limits))
    evaluated = task.evaluated
    if options.engine == "formulas":
        from workbooks.engines.formulas_engine import evaluate_formulas
        from workbooks.reader import read_package

        # Refused here in milliseconds, rather than after the engine has worked on it.
        read_package(package)
        evaluated = evaluate_formulas(task.path)
    ledger, choices = options.ledger, dict(options.choices)
    before = ledger.before(digest, task.known) if ledger else None
    done = recalculate_package(package, on=options.on, choices=choices, evaluated=evaluated, before=before)
    done.findings[:] = with_remarks(task.path, done)
    result = FileResult(shown(task.path), None, "done", template=done.read.form.id)
    result.packs = {policy: f"{held.id} {held.hash}" for policy, held in done.read.versions.items()}
    result.asked = before.codes if before else {}
    if task.target:
        _write(task.target, done, result)
    caps = shared_caps(done.read)
    result.outcomes = [
        {
            **outcome_dict(outcome), **whereabouts(record.facts), "record": record.key, "where": record.where,
            "name": record.facts.get("enterprise_name"), "uscc": record.facts.get("uscc"),
            **({"record_findings": [item.as_dict() for item in record.findings]} if record.findings else {}),
            **({"shared_cap": of_record(caps[outcome.policy], record)} if outcome.policy in caps else {}),
            **({"missing_at": at} if (at := _cells_of(record, outcome.missing)) else {}),
            **({"ledger": ledger.entry(record, outcome, done.read)} if ledger else {}),
        }
        for record, outcome in done.outcomes
    ]  # fmt: skip
    findings = [*done.findings, *(finding for record in done.read.records for finding in record.findings)]
    result.findings = [finding.as_dict() for finding in findings]
    return result


def _cells_of(record: Record, names: Sequence[str]) -> dict[str, str]:
    """The cells where what is missing would stand; not for what the form does not ask."""
    return {name: cell for name in names if (cell := record.place_of(name)) is not None}


def _checked(data: bytes, given: dict[str, int]) -> Package:
    """The package, within the limits of its template; what that is, is asked only where it matters."""
    from workbooks.files.prescan import form_limits, tightest
    from workbooks.files.rawbook import RawBook
    from workbooks.form import forms

    package = Package.from_bytes(data, DEFAULT_LIMITS.given(given))
    if package.measure.over(tightest(given)) is None:
        return package
    book = RawBook(package)
    area = book.resolve("xlcalc_template")
    cell = book.sheet(area.sheet).cells.get((area.first_row, area.first_col)) if area else None
    form = forms().get(cell.text) if cell else None
    if form is not None and (refusal := package.measure.over(form_limits(form, given))):
        raise refusal
    return package


def _write(target: Path, done: Any, result: FileResult) -> None:
    from workbooks.own_macros import only_our_macros
    from workbooks.template import fill_template

    package, reason = done.read.book.package, ""
    if package.is_signed or package.has_ole or (package.has_macros and not only_our_macros(package)):
        reason = "原文件含宏、对象或签名"
    else:
        try:
            data = done.data
        except WorkbookRefused as error:
            reason = error.message
    if reason:
        read = done.read
        data = fill_template(read.form.id, read.versions, read.choices, [record.facts for record in read.records])
        target = target.with_suffix(".xlsx")
        message = f"{reason}，未在原文件上写入；结果写入了按其数据新生成的模板"
        done.findings.append(Finding("E-FRESH-COPY", "warn", message))
    _place(target, data)
    result.output, result.output_sha256 = str(target), hashlib.sha256(data).hexdigest()
