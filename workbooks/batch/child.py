"""What a child process of a batch needs besides its work: its limits, its end, and files on their way to the disk."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing import resource_tracker
from pathlib import Path

WRITERS = 4
"""Files on their way to the disk at once: a disk brings many there in the time of one."""

# Megabytes of addresses, not of memory, that the system sets aside for a thread.
_RESERVED = 72


def end_with_parent() -> None:
    """No child works on when the run was killed: the next run may be writing the same file."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def limit_memory(megabytes: int) -> None:
    """From here on, so much memory; what a child holds in memory is other people's data and is not dumped."""
    try:
        import resource
    except ImportError:
        return
    size = (megabytes + WRITERS * _RESERVED) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_processor(seconds: float) -> None:
    """From here on, so much processor time; the system ends a process that takes more."""
    try:
        import resource
    except ImportError:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = math.ceil(used.ru_utime + used.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.getrlimit(resource.RLIMIT_CPU)[1]))


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """A child begun in here does not hear Ctrl-C: the run ends it. The run itself hears it when the child is up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    # Blocked, so that the child has it from its first instruction on; noted where another thread takes it meanwhile.
    held = signal.signal(signal.SIGINT, lambda sign, _: heard.append(sign))
    try:
        with _blocked(signal.SIGINT):
            yield
    finally:
        signal.signal(signal.SIGINT, held)
        if heard:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _blocked(sign: signal.Signals) -> Iterator[None]:
    """A signal waits, for this thread and the processes it begins; nothing where the system has no such thing."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # It unblocks the signal whenever it is first begun.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {sign})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def without_numpy() -> None:
    """openpyxl takes NumPy where it finds it; what a worker does needs none, and it costs 12 MB and a tenth second."""
    sys.modules.setdefault("numpy", None)  # type: ignore[arg-type]


class Disk:
    """Writes files one beside the other while the next is computed."""

    def __init__(self, write: Callable[[Path, bytes], None]) -> None:
        self._write = write
        self._writers = ThreadPoolExecutor(WRITERS)
        self._last: Future[None] | None = None

    def put(self, target: Path, data: bytes) -> None:
        """Begins to write a file."""
        self._last = self._writers.submit(self._write, target, data)

    def take(self) -> Future[None]:
        """What was begun since the last call; a finished one where nothing was."""
        taken, self._last = self._last, None
        if taken is None:
            taken = Future()
            taken.set_result(None)
        return taken

    def close(self) -> None:
        """Waits for all files."""
        self._writers.shutdown()
