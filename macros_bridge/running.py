"""Runs a batch for a person: progress on the terminal, messages or JSON, exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from macros_bridge.ledger_booking import Booking
from workbooks.batch.report import STATE_LABELS, run_dict, totals, write_report
from workbooks.batch.run import ensure_writable, io_reason, run
from workbooks.batch.tasks import FileResult, Options, find_tasks, hold_back_doubles
from xlcalc.errors import InputError, WorkbookError
from xlcalc.packs.registry import load_policy, policy_ids
from xlcalc.results.explain import SEVERITY_LABELS, STATUS_LABELS

ENGINES = ("direct", "formulas", "libreoffice")


def run_batch(
    paths: Sequence[Path],
    outdir: Path | None,
    *,
    jobs: int = 0,
    engine: str = "direct",
    on: date | None = None,
    choices: Mapping[str, str] | None = None,
    timeout: float = 60.0,
    booking: Booking | None = None,
    as_json: bool = False,
) -> int:
    """Recalculates (or, without outdir, checks) every workbook below the paths; returns the exit code.

    booking: the ledger beside the run, and whether its results are entered there.
    """
    if engine not in ENGINES:
        raise InputError("E-ENGINE", f"没有引擎“{engine}”", where="--engine", remedy=f"可选：{'、'.join(ENGINES)}")
    _known_choices(choices or {})
    missing = [path for path in paths if not path.exists()]
    if len(missing) == len(paths):
        raise InputError("E-FILE", "找不到任何要处理的文件", where="、".join(map(str, missing)), remedy="请检查路径")
    tasks = find_tasks([path for path in paths if path.exists()], outdir)
    if not tasks:
        raise InputError(
            "E-FILE", "所给位置没有表格文件", where="、".join(map(str, paths)), remedy="请检查路径，表格须为 .xlsx"
        )
    if outdir is not None:
        ensure_writable(outdir)
    options = Options(
        engine, on, tuple((choices or {}).items()), jobs, timeout, ledger=booking.beside() if booking else None
    )
    results = _with_progress(tasks, options)
    hold_back_doubles(results)
    results += [_absent(path) for path in missing]
    if outdir is not None:
        try:
            report = write_report(outdir, results)
        except OSError as error:
            raise WorkbookError(
                "E-IO", f"无法写入运行报告（{io_reason(error)}）",
                where=str(outdir), remedy="请检查文件夹权限和磁盘空间",
            ) from None  # fmt: skip
    entered = booking.enter(results, options) if booking else None
    if as_json:
        document = run_dict(results) | ({"ledger": entered.files} if entered else {})
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        _print_findings(results, checking=outdir is None)
        print(_summary(results))
        if outdir is not None:
            print(f"运行报告：{report}")
        if entered is not None:
            print("\n".join(entered.lines))
    is_open = entered is not None and entered.is_open
    return 1 if is_open or any(result.state != "done" or result.blocking for result in results) else 0


def _absent(path: Path) -> FileResult:
    message = "没有这个文件或文件夹。请检查路径"
    finding = {"code": "E-FILE", "severity": "block", "clause": None, "message": message, "where": str(path)}
    return FileResult(str(path), None, "refused", findings=[finding])


def _known_choices(choices: Mapping[str, str]) -> None:
    """A choice no policy knows is a slip of the pen and must not pass unnoticed."""
    for key, code in choices.items():
        versions = [version for policy in policy_ids() for version in load_policy(policy).versions]
        knowing = [version for version in versions if key in version.interpretations]
        if not knowing:
            raise InputError(
                "E-CHOICE", f"没有可选口径 {key}", where="--choose", remedy="请用 xlcalc packs 查看各政策的口径"
            )
        for version in knowing:
            version.full_choices({key: code})


def _with_progress(tasks: Sequence, options: Options) -> list[FileResult]:  # type: ignore[type-arg]
    if not sys.stderr.isatty():
        return run(tasks, options, lambda _: None)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("核算"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TextColumn("剩余"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("", total=len(tasks), rate="")

        def advance(_: FileResult) -> None:
            speed = progress.tasks[0].speed
            progress.update(bar, advance=1, rate=f"{speed:.1f} 份/秒" if speed else "")

        return run(tasks, options, advance)


def _print_findings(results: Sequence[FileResult], *, checking: bool) -> None:
    """When only checking, every finding; when recalculating, what stops a file or blocks it."""
    for result in results:
        name = Path(result.path).name
        shown = list(result.findings)
        if checking:
            shown += [finding for outcome in result.outcomes for finding in outcome["findings"]]
        for finding in shown:
            if checking or finding["severity"] == "block":
                place = name if finding["where"] in (None, name) else f"{name} {finding['where']}"
                clause = f"（{finding['clause']}）" if finding["clause"] else ""
                done = result.state == "done"
                word = SEVERITY_LABELS[finding["severity"]] if done else STATE_LABELS[result.state]
                print(f"[{finding['code']}] {place}：{word}：{finding['message']}{clause}")


def _summary(results: Sequence[FileResult]) -> str:
    counted = totals(results)
    statuses = "，".join(f"{STATUS_LABELS[status]} {number}" for status, number in counted["outcomes"].items())
    return (
        f"共 {counted['files']} 份：已核算 {counted['done']}，拒绝 {counted['refused']}，失败 {counted['failed']}；"
        f"结果：{statuses or '无'}；可拨付合计 {counted['payable']['yuan']} 元"
    )
