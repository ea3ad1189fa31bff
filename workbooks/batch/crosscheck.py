"""A batch whose formulas LibreOffice has evaluated besides, to be compared with our results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbooks.batch.failures import failed, stopped
from workbooks.batch.run import Settled, Told, Worker, share_out, workers_for
from workbooks.batch.tasks import FileResult, Options, Task, shown
from workbooks.engines.libreoffice_engine import evaluate_libreoffice
from workbooks.files.temporary import NO_ROOM
from xlcalc.errors import WorkbookError

_AT_ONCE = 50
"""Files shown to one LibreOffice; what is known of them is forgotten before the next are begun."""


def run_with_libreoffice(tasks: Sequence[Task], options: Options, told: Told, settled: Settled = lambda: None) -> None:
    """Only files that read well are shown to LibreOffice, many to one process; its values are then compared."""
    with workers_for(len(tasks), replace(options, engine="direct")) as workers:
        for start in range(0, len(tasks), _AT_ONCE):
            _compare(tasks[start : start + _AT_ONCE], options.seconds, workers, told, settled)


def _compare(tasks: Sequence[Task], seconds: float, workers: Sequence[Worker], told: Told, settled: Settled) -> None:
    refused: dict[str, FileResult] = {}

    def note(result: FileResult) -> None:
        if result.state != "done":
            refused[result.path] = result

    share_out([replace(task, target=None) for task in tasks], workers, note)
    good = [task for task in tasks if shown(task.path) not in refused]
    values = _values([task.path for task in good], seconds * len(good))
    usable = [replace(task, evaluated=values[task.path]) for task in good if isinstance(values[task.path], dict)]
    share_out(usable, workers, told, settled)
    for task in tasks:
        error = values.get(task.path)
        if not isinstance(error, dict):
            told(refused[shown(task.path)] if error is None else failed(task, error.code, error.message, error.remedy))


def _values(paths: Sequence[Path], seconds: float) -> dict[Path, Any]:
    try:
        return dict(evaluate_libreoffice(paths, seconds))
    except WorkbookError as error:
        if error.code == NO_ROOM:
            raise stopped(error.message) from None
        raise
