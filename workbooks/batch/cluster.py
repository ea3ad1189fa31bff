"""A run on the machines of a dask cluster: files travel as bytes in chunks, results come back as bytes.

Originals are read, and results and the journal written, only where the run was begun; the machines that work keep
nothing. A chunk whose machine dies is done by another one, and what comes back is written once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbooks.batch.child import Disk
from workbooks.batch.cluster_worker import Parcel, Returned, do_chunk
from workbooks.batch.failures import codes_of, crashed, failure, go_on, stopped
from workbooks.batch.journal import signature
from workbooks.batch.run import Settled, Told
from workbooks.batch.tasks import CHUNK, FileResult, Options, Task, lock_marks, shown
from workbooks.files.package import DEFAULT_LIMITS, read_file
from workbooks.files.writing import write_atomically
from xlcalc.errors import InputError, WorkbookError

if TYPE_CHECKING:
    from workbooks.ledger.carried import Lookup
    from workbooks.ledger.runs import Known

_MOST_BYTES = 8 * 1024 * 1024
_AHEAD = 2
"""Chunks on their way for each thread that works, so that none waits for the next."""
_CONNECT_SECONDS, _WAIT_SECONDS, _LOOK_SECONDS = 10, 30, 1
_QUIET = {
    # A worker has a child process of its own for the files, which a daemon may not have.
    "distributed.worker.daemon": False,
    "distributed.admin.large-graph-warning-threshold": "100MB",
    "distributed.comm.timeouts.connect": "30s",
}


def run_on_cluster(
    address: str, tasks: Sequence[Task], options: Options, told: Told, settled: Settled = lambda: None
) -> None:
    """Does every task on the machines behind an address.

    address: ``tcp://…`` or ``tls://…`` of a scheduler, or ``local:N`` for N processes here. Raises InputError or
    WorkbookError ``E-CLUSTER`` where there is no such cluster or its machines hold other packs or another xlcalc,
    ``E-STOPPED`` where it goes away.
    """
    if options.engine == "libreoffice":
        message = "集群上不能用 LibreOffice 引擎"
        raise InputError("E-CLUSTER", message, where="--cluster", remedy="请去掉 --cluster 在本机运行")
    with _client(address) as client:
        _Sending(client, tasks, options, told, settled).done()


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    kind, _, number = address.partition(":")
    is_local = kind == "local" and number.isascii() and number.isdigit() and int(number) > 0
    if not is_local and not address.startswith(("tcp://", "tls://")):
        remedy = "请写成 tcp://调度机:8786，或 local:4（在本机开 4 个进程）"
        raise InputError("E-CLUSTER", f"集群地址“{address[:60]}”写法不对", where="--cluster", remedy=remedy)
    try:
        dask, distributed = import_module("dask"), import_module("distributed")
    except ImportError:
        remedy = "请安装 xlcalc[cluster]，或去掉 --cluster 在本机运行"
        raise WorkbookError("E-CLUSTER", "没有安装集群组件", where="--cluster", remedy=remedy) from None
    for logger in ("distributed", "distributed.client"):
        # What goes wrong is said in one line, by us.
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    with dask.config.set(_QUIET), contextlib.ExitStack() as stack:
        try:
            place: Any = address
            if is_local:
                place = stack.enter_context(
                    distributed.LocalCluster(int(number), threads_per_worker=1, dashboard_address=None)
                )
            client = stack.enter_context(distributed.Client(place, timeout=_CONNECT_SECONDS, set_as_default=False))
            client.wait_for_workers(1, timeout=_WAIT_SECONDS)
        except (OSError, TimeoutError) as error:
            remedy = "请检查地址、防火墙，以及调度进程和工作进程是否已启动（见 docs/cluster.md）"
            raise WorkbookError("E-CLUSTER", f"连不上集群（{error}）", where=address, remedy=remedy) from None
        yield client


@contextlib.contextmanager
def _reaching() -> Iterator[None]:
    """A cluster that is gone shows in many ways; what was done stays done."""
    try:
        yield
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
        raise stopped(f"与集群的连接断了（{type(error).__name__}）") from None


class _Sending:
    """The files of one run on their way to the machines and back."""

    def __init__(self, client: Any, tasks: Sequence[Task], options: Options, told: Told, settled: Settled) -> None:
        self._client, self._tasks, self._told, self._settled = client, tasks, told, settled
        self._options, self._ledger = _without_database(options)
        self._known: dict[int, Known] = {}
        self._left = len(tasks)
        self._waiting = deque(range(len(tasks)))
        self._alone: deque[int] = deque()
        self._later: set[int] = set()
        self._flying: dict[Any, list[int]] = {}
        self._coming: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._disk = Disk(write_atomically)
        self._signature = signature(options)
        self._limits = DEFAULT_LIMITS.given(dict(options.limits))

    def done(self) -> None:
        """Until every result was told of."""
        try:
            self._send()
            while self._left:
                if self._flying:
                    self._take(self._next())
                self._send()
        finally:
            self._disk.close()

    def _next(self) -> Any:
        """The next future that ends; one whose cluster is gone may never do so."""
        while True:
            with contextlib.suppress(queue.Empty):
                return self._coming.get(timeout=_LOOK_SECONDS)
            if self._client.status == "closed":
                raise stopped("与集群的连接断了")

    def _send(self) -> None:
        """Keeps so many chunks on their way that no machine waits, and no more are held in memory.

        A file of a chunk that ended machines goes by itself, when nothing else is on its way: whatever else is at a
        machine that dies would be blamed too.
        """
        with _reaching():
            threads = max(1, sum(self._client.nthreads().values()))
        while self._waiting and len(self._flying) < _AHEAD * threads:
            self._submit(*self._chunk(max(1, min(CHUNK, len(self._waiting) // (_AHEAD * threads)))))
        while self._alone and not self._flying and not self._waiting:
            place = self._alone.popleft()
            if (parcel := self._packed(place)) is not None:
                self._submit([place], [parcel])

    def _submit(self, places: list[int], parcels: list[Parcel]) -> None:
        if parcels:
            with _reaching():
                future = self._client.submit(do_chunk, parcels, self._options, self._signature, pure=False)
                future.add_done_callback(self._coming.put)
            self._flying[future] = places

    def _chunk(self, wanted: int) -> tuple[list[int], list[Parcel]]:
        places: list[int] = []
        parcels: list[Parcel] = []
        while self._waiting and len(places) < wanted and sum(len(one.data) for one in parcels) < _MOST_BYTES:
            place = self._waiting.popleft()
            if (parcel := self._packed(place)) is not None:
                places.append(place)
                parcels.append(parcel)
        return places, parcels

    def _packed(self, place: int) -> Parcel | None:
        task = self._tasks[place]
        try:
            data = read_file(task.path, self._limits)
        except (OSError, WorkbookError) as error:
            self._ended(place, failure(task, error))
            return None
        is_open = any(mark.exists() for mark in lock_marks(task.path))
        return Parcel(task.path.name, task.target.name if task.target else None, data, is_open, self._known.get(place))

    def _take(self, future: Any) -> None:
        places = self._flying.pop(future)
        try:
            # Where the machine that held it has died meanwhile, this waits until another one has done it anew.
            returned: list[Returned] = future.result()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
            if future.status != "error":
                raise stopped(f"与集群的连接断了（{type(error).__name__}）") from None
            self._broken(places, error)
        else:
            places, returned = self._told_of(places, returned)
            writing = [self._placed(self._tasks[place], *one) for place, one in zip(places, returned, strict=True)]
            for place, (result, placed) in zip(places, writing, strict=True):
                self._ended(place, self._written(self._tasks[place], result, placed))
            self._settled()
        future.release()

    def _told_of(self, places: list[int], returned: list[Returned]) -> tuple[list[int], list[Returned]]:
        """Those that count; one that did not go out with what the ledger knows of its enterprises goes out again."""
        if self._ledger is None:
            return places, returned
        counting = []
        with self._ledger.open() as connection:
            for place, one in zip(places, returned, strict=True):
                sent = self._known.get(place, {})
                known = self._ledger.known(connection, one[0]) if one[0].state == "done" else sent
                if known != sent:
                    self._known[place] = known
                    self._waiting.append(place)
                else:
                    counting.append((place, one))
        return [place for place, _ in counting], [one for _, one in counting]

    def _broken(self, places: list[int], error: BaseException) -> None:
        """A chunk that ended several machines is done again file by file; then it is clear which file it was."""
        if isinstance(error, WorkbookError):
            raise error
        if not isinstance(error, import_module("distributed").KilledWorker):
            remedy = "请在每台机器上安装同一版本的 xlcalc，并用 DASK_DISTRIBUTED__WORKER__DAEMON=False 启动工作进程"
            message = f"工作节点不能处理（{type(error).__name__}）"
            raise WorkbookError("E-CLUSTER", message, where=str(error)[:200], remedy=remedy)
        if len(places) == 1 and not self._flying:
            self._ended(places[0], crashed(self._tasks[places[0]]))
            return
        self._alone.extend(places)

    def _placed(self, task: Task, result: FileResult, data: bytes | None) -> tuple[FileResult, Future[None]]:
        """The same result with its places here, its output on its way to the disk."""
        output = None
        if data is not None and task.target is not None and result.output is not None:
            target = task.target.with_suffix(Path(result.output).suffix)
            self._disk.put(target, data)
            output = str(target)
        result.path, result.output = shown(task.path), output
        return result, self._disk.take()

    def _written(self, task: Task, result: FileResult, placed: Future[None]) -> FileResult:
        """The result once it stands on the disk."""
        try:
            placed.result()
        except OSError as error:
            return replace(failure(task, error), sha256=result.sha256)
        return result

    def _ended(self, place: int, result: FileResult) -> None:
        task = self._tasks[place]
        go_on(task, result)
        if codes_of(result) == ["E-BOOK-CHANGING"] and place not in self._later:
            # Whoever is copying it may be done when all others are.
            self._later.add(place)
            self._waiting.append(place)
            return
        self._known.pop(place, None)
        self._left -= 1
        self._told(result)


def _without_database(options: Options) -> tuple[Options, Lookup | None]:
    """The options as the machines get them, and who answers here for the ledger."""
    if options.ledger is None:
        return options, None
    from workbooks.ledger.carried import Lookup, carried

    return replace(options, ledger=carried(options.ledger)), Lookup(options.ledger)
