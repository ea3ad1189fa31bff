"""Watches a drop folder for a person: a line for every round, and a clean end with Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from workbooks.batch.results import Results
from workbooks.batch.tasks import Options
from workbooks.batch.watch import Enter, Watch, Work
from xlcalc.errors import InputError, WorkbookError


def watch_folder(
    paths: Sequence[Path], outdir: Path, options: Options, work: Work, ended: Callable[[Results], None],
    enter: Enter | None = None,
) -> None:  # fmt: skip
    """Recalculates what is put into the folders until Ctrl-C or the end of the service.

    ended: hears the results. enter: see ``Watch``.
    """
    for path in paths:
        if not path.is_dir():
            raise InputError("E-FILE", "要守候的须是文件夹", where=str(path), remedy="请给出收件文件夹")
    stop = threading.Event()
    # Named for both: a service may be begun with Ctrl-C ignored.
    held = {sign: signal.signal(sign, _interrupted) for sign in (signal.SIGINT, signal.SIGTERM)}
    print(f"守候 {'、'.join(map(str, paths))}，结果写入 {outdir}；按 Ctrl-C 结束", file=sys.stderr, flush=True)
    try:
        Watch(paths, outdir, options, work, _told, enter).run(stop, ended)
    except WorkbookError as error:
        if error.code != "E-RESUME":
            raise
        remedy = "请用 -o 指定另一个结果文件夹"
        raise WorkbookError(error.code, error.message, where=error.where, remedy=remedy) from None
    finally:
        for sign, before in held.items():
            signal.signal(sign, before)


def _interrupted(*_: Any) -> NoReturn:
    raise KeyboardInterrupt


def _told(done: int, waiting: int) -> None:
    later = f"，{waiting} 份还在复制或打开着，稍后再看" if waiting else ""
    print(f"{time.strftime('%H:%M:%S')} 核算 {done} 份{later}", file=sys.stderr, flush=True)
