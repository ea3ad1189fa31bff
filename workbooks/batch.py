"""Runs many workbooks through one recalculation each, in child processes that may die without harm."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from workbooks.tasks import FileResult, Options, Task
from xlcalc.errors import WorkbookError, XlcalcError


def run(tasks: Sequence[Task], options: Options, progress: Callable[[FileResult], None]) -> list[FileResult]:
    """Recalculates every task; one bad, stuck or crashing file costs only itself. Results in task order."""
    if options.engine == "libreoffice":
        return _run_with_libreoffice(tasks, options, progress)
    return _run(tasks, options, progress)


def _run(tasks: Sequence[Task], options: Options, progress: Callable[[FileResult], None]) -> list[FileResult]:
    results: dict[int, FileResult] = {}
    waiting = list(range(len(tasks)))[::-1]
    workers = [_Worker(options) for _ in range(min(options.workers, len(tasks)))]
    try:
        while len(results) < len(tasks):
            for worker in workers:
                if worker.current is None and waiting:
                    worker.start(waiting[-1], tasks[waiting.pop()])
            for worker in _ready(workers):
                place = worker.current
                if place is not None and (result := worker.collect(tasks[place])) is not None:
                    results[place] = result
                    progress(result)
    finally:
        for worker in workers:
            worker.finish()
    return [results[place] for place in range(len(tasks))]


def _ready(workers: list[_Worker]) -> list[_Worker]:
    busy = {worker.pipe: worker for worker in workers if worker.current is not None}
    sooner = min(worker.deadline for worker in busy.values())
    wait(list(busy), timeout=max(0.0, sooner - time.monotonic()))
    return list(busy.values())


class _Worker:
    """One child process, replaced when it dies or overstays."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.current: int | None = None
        self.deadline = 0.0
        self._launch()

    def _launch(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, self.options), daemon=True)
        self.process.start()
        other.close()

    def start(self, place: int, task: Task) -> None:
        """Hands over one task."""
        self.current = place
        self.deadline = time.monotonic() + self.options.seconds
        with contextlib.suppress(OSError):
            self.pipe.send(task)

    def collect(self, task: Task) -> FileResult | None:
        """The result if there is one; a death or an overrun becomes a failure of this one file."""
        if self.pipe.poll():
            try:
                result: FileResult = self.pipe.recv()
            except (EOFError, OSError):
                result = _failed(
                    task,
                    "E-CRASH",
                    "处理此文件时程序意外退出",
                    "文件可能已损坏或有害；请用 Excel 或 WPS 打开检查后另存",
                )
                self._replace()
        elif time.monotonic() >= self.deadline:
            seconds = f"{self.options.seconds:g}"
            result = _failed(
                task, "E-TIMEOUT", f"处理超过 {seconds} 秒，已停止", "请检查文件是否过大；可用 --timeout 放宽时限"
            )
            self._replace()
        else:
            return None
        self.current = None
        return result

    def _replace(self) -> None:
        self.stop()
        self._launch()

    def finish(self) -> None:
        """Lets an idle child end by itself, so that it can tidy up; a busy one is ended."""
        if self.current is None:
            self.pipe.close()
            self.process.join(5)
        self.stop()

    def stop(self) -> None:
        """Ends the child at once; what it was writing has a temporary name."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _failed(task: Task, code: str, message: str, remedy: str, state: str = "failed") -> FileResult:
    if task.target is not None:
        with contextlib.suppress(OSError):
            _temporary(task.target).unlink()
    finding = {
        "code": code,
        "severity": "block",
        "clause": None,
        "message": f"{message}。{remedy}",
        "where": task.path.name,
    }
    return FileResult(str(task.path), None, state, findings=[finding])


def _serve(pipe: Connection, options: Options) -> None:
    """The child: one task after another until the parent ends it."""
    _limit_memory(options.megabytes)
    while True:
        try:
            task = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(process(task, options))


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:
        return
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def process(task: Task, options: Options) -> FileResult:
    """Recalculates one workbook in this process; every error becomes part of the result."""
    started = time.perf_counter()
    try:
        result = _recalculated(task, options)
    except XlcalcError as error:
        result = _failed(task, error.code, error.message, error.remedy, "refused")
        result.findings[0]["where"] = error.where or task.path.name
    except MemoryError:
        result = _failed(task, "E-MEMORY", "处理此文件所需内存超过限额", "请检查文件是否过大；必要时拆分后重新提交")
    except OSError as error:
        result = _failed(task, "E-IO", f"无法读写文件（{io_reason(error)}）", "请检查磁盘空间和文件夹权限")
    except Exception as error:  # noqa: BLE001 - one file's fault must not end the batch
        kind = type(error).__name__
        result = _failed(task, "E-INTERNAL", f"程序内部错误（{kind}）", "请保留此文件并告知维护人员")
    result.seconds = time.perf_counter() - started
    return result


def _recalculated(task: Task, options: Options) -> FileResult:
    from workbooks.recalc import recalculate
    from xlcalc.results.trace import outcome_dict

    evaluated = task.evaluated
    if options.engine == "formulas":
        from workbooks.engines.formulas_engine import evaluate_formulas
        from workbooks.reader import read_workbook

        # Refused here in milliseconds, rather than after the engine has worked on it.
        read_workbook(task.path)
        evaluated = evaluate_formulas(task.path)
    done = recalculate(task.path, on=options.on, choices=dict(options.choices), evaluated=evaluated)
    output = _write(task.target, done) if task.target else None
    outcomes = [
        {
            **outcome_dict(outcome),
            "record": record.key,
            "where": record.where,
            "name": record.facts.get("enterprise_name"),
            "uscc": record.facts.get("uscc"),
        }
        for record, outcome in done.outcomes
    ]
    findings = [*done.findings, *(finding for record in done.read.records for finding in record.findings)]
    return FileResult(str(task.path), output, "done", outcomes, [finding.as_dict() for finding in findings])


def _write(target: Path, done: Any) -> str:
    from workbooks.own_macros import only_our_macros
    from workbooks.template import fill_template
    from xlcalc.errors import WorkbookRefused
    from xlcalc.results.outcome import Finding

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
    write_atomically(target, data)
    return str(target)


_IO_REASONS = {
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EROFS: "磁盘只读",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已满",
    errno.ENOENT: "路径不存在",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EEXIST: "已有同名文件",
    errno.EISDIR: "是文件夹，不是文件",
    errno.ENAMETOOLONG: "文件名过长",
}


def io_reason(error: OSError) -> str:
    """Why the system could not read or write, in Chinese where it is one of the usual reasons."""
    return _IO_REASONS.get(error.errno or 0) or error.strerror or "读写出错"


def ensure_writable(outdir: Path) -> None:
    """Makes the folder for results and tries it; raises WorkbookError ``E-IO`` before any file is worked on."""
    import tempfile

    try:
        outdir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=outdir):
            pass
    except OSError as error:
        raise WorkbookError(
            "E-IO",
            f"无法写入结果文件夹（{io_reason(error)}）",
            where=str(outdir),
            remedy="请检查文件夹权限和磁盘空间，或用 -o 指定另一个文件夹",
        ) from None


def _temporary(target: Path) -> Path:
    return target.with_name(f".{target.name}.tmp")


def write_atomically(target: Path, data: bytes) -> None:
    """Writes to a temporary name, flushes to disk and moves: a reader never sees half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(target)
    temporary.unlink(missing_ok=True)
    # Made anew, so that nothing planted under this name is followed or reused.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(target)


def _run_with_libreoffice(
    tasks: Sequence[Task], options: Options, progress: Callable[[FileResult], None]
) -> list[FileResult]:
    """Only files that read well are shown to LibreOffice, many to one process; its values are then compared."""
    from dataclasses import replace

    from workbooks.engines.libreoffice_engine import evaluate_libreoffice

    direct = replace(options, engine="direct")
    first = _run([replace(task, target=None) for task in tasks], direct, lambda _: None)
    good = [task for task, result in zip(tasks, first, strict=True) if result.state == "done"]
    values: dict[Path, Any] = {}
    for start in range(0, len(good), 50):
        chunk = [task.path for task in good[start : start + 50]]
        values |= evaluate_libreoffice(chunk, options.seconds * len(chunk))
    results = []
    second = {}
    usable = [replace(task, evaluated=values[task.path]) for task in good if isinstance(values[task.path], dict)]
    for task, result in zip(usable, _run(usable, direct, progress), strict=True) if usable else ():
        second[task.path] = result
    for task, result in zip(tasks, first, strict=True):
        if task.path in second:
            results.append(second[task.path])
            continue
        error = values.get(task.path)
        ended = result if error is None else _failed(task, error.code, error.message, error.remedy)
        progress(ended)
        results.append(ended)
    return results
