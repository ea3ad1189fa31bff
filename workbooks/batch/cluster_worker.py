"""What a machine of a cluster does with a chunk: the same work in the same kind of child process, and nothing kept."""

from __future__ import annotations

import socket
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

from workbooks.batch.journal import signature
from workbooks.batch.run import Worker, share_out
from workbooks.batch.tasks import FileResult, Options, Task, lock_marks, shown
from xlcalc.errors import WorkbookError


class Parcel(NamedTuple):
    """One workbook on its way; target: the name of its result, None if it is only checked.

    known: what the ledger knows of the enterprises in it.
    """

    name: str
    target: str | None
    data: bytes
    is_open: bool
    known: Any = None


Returned = tuple[FileResult, bytes | None]
"""What became of a file, and the bytes of its result."""

_here = threading.local()


def do_chunk(parcels: list[Parcel], options: Options, wanted: str) -> list[Returned]:
    """Works on a chunk; runs in a dask worker. Raises WorkbookError ``E-CLUSTER`` where packs or version differ."""
    from distributed import get_worker

    if signature(options) != wanted:
        message = "这台机器上的 xlcalc 版本或政策包与发起运行的机器不同"
        remedy = "请在每台机器上安装同一版本后重新启动工作进程"
        raise WorkbookError("E-CLUSTER", message, where=socket.gethostname(), remedy=remedy)
    try:
        return _returned(parcels, options, get_worker().local_directory)
    except WorkbookError:
        raise
    except Exception as error:
        # As text: not every error finds its way back over the network.
        message = f"工作节点 {socket.gethostname()} 不能处理（{type(error).__name__}：{error}）"[:300]
        remedy = "请用 DASK_DISTRIBUTED__WORKER__DAEMON=False 启动工作进程，并检查它的磁盘"
        raise WorkbookError("E-CLUSTER", message, remedy=remedy) from None


def _returned(parcels: list[Parcel], options: Options, place: str) -> list[Returned]:
    # Below the worker's own folder, which dask clears when a worker was killed.
    with tempfile.TemporaryDirectory(dir=place) as folder:
        tasks = [_unpacked(Path(folder) / str(number), parcel) for number, parcel in enumerate(parcels)]
        results = _done(tasks, options)
        return [(result, Path(result.output).read_bytes() if result.output else None) for result in results]


def _unpacked(folder: Path, parcel: Parcel) -> Task:
    folder.mkdir()
    path = folder / parcel.name
    path.write_bytes(parcel.data)
    if parcel.is_open:
        lock_marks(path)[0].touch()
    return Task(path, folder / "out" / parcel.target if parcel.target else None, known=parcel.known)


def _done(tasks: list[Task], options: Options) -> list[FileResult]:
    """The results, by this thread's own child process, which stays for the next chunk."""
    held: tuple[Options, Worker] | None = getattr(_here, "child", None)
    if held is None or held[0] != options:
        if held is not None:
            held[1].finish()
        held = _here.child = (options, Worker(options))
    try:
        found: dict[str, FileResult] = {}
        share_out(tasks, [held[1]], lambda result: found.update({result.path: result}))
        return [found[shown(task.path)] for task in tasks]
    except BaseException:
        del _here.child
        held[1].stop()
        raise
