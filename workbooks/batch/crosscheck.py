"""A batch whose formulas LibreOffice has evaluated besides, to be compared with our results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbooks.batch.failures import failed, stopped
from workbooks.batch.run import Settled, Told, run, run_direct
from workbooks.batch.tasks import Options, Task
from workbooks.engines.libreoffice_engine import evaluate_libreoffice
from workbooks.files.temporary import NO_ROOM
from xlcalc.errors import WorkbookError


def run_with_libreoffice(tasks: Sequence[Task], options: Options, told: Told, settled: Settled = lambda: None) -> None:
    """Only files that read well are shown to LibreOffice, many to one process; its values are then compared."""
    direct = replace(options, engine="direct")
    first = run([replace(task, target=None) for task in tasks], direct, lambda _: None)
    good = [task for task, result in zip(tasks, first, strict=True) if result.state == "done"]
    values: dict[Path, Any] = {}
    for start in range(0, len(good), 50):
        chunk = [task.path for task in good[start : start + 50]]
        try:
            values |= evaluate_libreoffice(chunk, options.seconds * len(chunk))
        except WorkbookError as full:
            if full.code == NO_ROOM:
                raise stopped(full.message) from None
            raise
    usable = [replace(task, evaluated=values[task.path]) for task in good if isinstance(values[task.path], dict)]
    if usable:
        run_direct(usable, direct, told, settled)
    for task, result in zip(tasks, first, strict=True):
        error = values.get(task.path)
        if not isinstance(error, dict):
            told(result if error is None else failed(task, error.code, error.message, error.remedy))
