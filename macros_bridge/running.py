"""Runs a batch for a person: progress on the terminal, messages or JSON, exit code."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from macros_bridge.ledger_booking import Booking
from macros_bridge.open_results import Unpaid, missing_lines
from macros_bridge.warned import Warned, place
from workbooks.batch.file_names import FileNames
from workbooks.batch.journal import Journal
from workbooks.batch.kept_results import Kept, Scratch
from workbooks.batch.report import write_report, write_run
from workbooks.batch.report_tally import STATE_LABELS, Tally
from workbooks.batch.results import Doubles, Results
from workbooks.batch.run import Told, io_reason, run_recorded
from workbooks.batch.shared_caps import SharedCaps
from workbooks.batch.tasks import FileResult, Options, Skipped, Task, shown, survey
from workbooks.files.prescan import DEFAULT_LIMITS
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
    limits: Mapping[str, int] | None = None,
    resume: bool = False,
    cluster: str | None = None,
    watch: bool = False,
    booking: Booking | None = None,
    as_json: bool = False,
) -> int:
    """Recalculates (or, without outdir, checks) every workbook below the paths; returns the exit code.

    limits: of ``prescan.Limits``, otherwise than usual. resume: what an earlier run into outdir has done stays done.
    cluster: the machines that work, see ``run``. watch: what is put into the folders later is done too, until Ctrl-C.
    booking: the ledger beside the run, and whether its results are entered there.
    """
    if engine not in ENGINES:
        raise InputError("E-ENGINE", f"没有引擎“{engine}”", where="--engine", remedy=f"可选：{'、'.join(ENGINES)}")
    _known_choices(choices or {})
    missing = [path for path in paths if not path.exists()]
    if len(missing) == len(paths):
        raise InputError("E-FILE", "找不到任何要处理的文件", where="、".join(map(str, missing)), remedy="请检查路径")
    options = Options(
        engine, on, tuple((choices or {}).items()), jobs, timeout, limits=tuple((limits or {}).items()),
        ledger=booking.beside() if booking else None,
    )  # fmt: skip
    DEFAULT_LIMITS.given(dict(options.limits))
    if watch:
        return _watched(paths, outdir, options, cluster, booking, as_json=as_json)
    tasks, skipped = survey([path for path in paths if path.exists()], outdir)
    if not tasks:
        raise InputError(
            "E-FILE", "所给位置没有表格文件", where="、".join(map(str, paths)), remedy="请检查路径，表格须为 .xlsx"
        )
    try:
        with ExitStack() as stack:
            record = stack.enter_context(
                Journal(outdir, options, resume=resume, skipped=skipped) if outdir else Scratch()
            )
            _tell(record.unfinished)
            results = _with_progress(tasks, options, record, cluster)
            results = results.amended(Doubles(results))
            if booking is None or booking.act is None:
                # What is entered is counted file by file there.
                results = results.amended(SharedCaps(results))
            results = results.and_then([_absent(path) for path in missing])
            # Before the report is written, so that it tells what the ledger refused.
            again = partial(_again, tasks, options, record, cluster)
            entered = booking.enter_run(results, options, again) if booking else None
            if entered is not None:
                results = results.amended(entered.hold_back)
            tally = Tally() if outdir else Tally.of(results)
            report = _reported(outdir, results, skipped, tally, paths) if outdir else None
            if as_json:
                write_run(sys.stdout, results, skipped, **({"ledger": entered.files} if entered else {}))
            else:
                refused = entered.refused if entered else {}
                _print_findings(results, FileNames(paths), checking=outdir is None, told=refused)
    except KeyboardInterrupt:
        if outdir is not None:
            print("\n已停止；已写好的结果完好。要接着做，加 --resume 重新运行", file=sys.stderr)
        raise
    if not as_json:
        print(_summary(tally, len(skipped), record.resumed))
        if report is not None:
            print(f"运行报告：{report}")
        if entered is not None:
            print("\n".join(entered.lines))
    is_open = entered is not None and entered.is_open
    return 1 if is_open or not tally.all_well else 0


def _again(tasks: Sequence[Task], options: Options, record: Kept, cluster: str | None, paths: Collection[str]) -> None:
    record.forget(paths)
    run_recorded([task for task in tasks if shown(task.path) in paths], options, lambda _: None, record, cluster)


def _watched(
    paths: Sequence[Path], outdir: Path | None, options: Options, cluster: str | None, booking: Booking | None, *,
    as_json: bool,
) -> int:  # fmt: skip
    """The same for a drop folder; the report is written round by round, and once more at the end."""
    from macros_bridge.ledger_rounds import Rounds
    from macros_bridge.watching import watch_folder

    if outdir is None:
        raise InputError("E-USAGE", "守候收件文件夹时须有结果文件夹", where="--watch", remedy="请用 -o 指定结果文件夹")
    rounds = Rounds(booking, options) if booking and booking.act else None

    def work(tasks: Sequence[Task], options: Options, record: Journal) -> None:
        for result in _with_progress(tasks, options, record, cluster):
            for finding in result.findings:
                if result.state != "done" or finding["code"] == "E-RESULT-KEPT":
                    print(_line(FileNames(paths), result, finding), file=sys.stderr, flush=True)

    tallies: list[Tally] = []

    def ended(results: Results) -> None:
        tallies.append(Tally.of(results))
        if as_json:
            write_run(sys.stdout, results, (), **({"ledger": rounds.files} if rounds else {}))

    watch_folder(paths, outdir, options, work, ended, rounds.enter if rounds else None)
    (tally,) = tallies
    if not as_json:
        print(_summary(tally, 0, 0))
    return 0 if tally.all_well and not (rounds and rounds.is_open) else 1


def _tell(unfinished: int) -> None:
    """Whoever begins anew what could be gone on with is told so, on stderr."""
    if unfinished:
        remedy = "如要接着做，请按 Ctrl-C，加 --resume 重新运行"
        print(f"上次的运行没有做完（已有 {unfinished} 份），现从头重做。{remedy}", file=sys.stderr)


def _reported(outdir: Path, results: Results, skipped: Sequence[Skipped], tally: Tally, given: Sequence[Path]) -> Path:
    try:
        return write_report(outdir, results, skipped, tally, given)
    except OSError as error:
        raise WorkbookError(
            "E-IO", f"无法写入运行报告（{io_reason(error)}）",
            where=str(outdir), remedy="请检查文件夹权限和磁盘空间，关闭已打开的运行报告，再用 --resume 运行",
        ) from None  # fmt: skip


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


def _with_progress(tasks: Sequence[Task], options: Options, record: Kept, cluster: str | None) -> Results:
    if not sys.stderr.isatty():
        return _results(tasks, options, lambda _: None, record, cluster)
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

        return _results(tasks, options, advance, record, cluster)


def _results(tasks: Sequence[Task], options: Options, progress: Told, record: Kept, cluster: str | None) -> Results:
    """What became of the tasks, from the record."""
    run_recorded(tasks, options, progress, record, cluster)
    return Results(lambda: record.results(tasks))


def _print_findings(
    results: Iterable[FileResult], named: FileNames, *, checking: bool, told: Mapping[str, Mapping[str, Any]]
) -> None:
    """When only checking, every finding and what is missing; when recalculating, what stops or blocks, and why.

    told: what the ledger refused a file with; that is said with its other entries.
    """
    warned, unpaid = Warned(named), Unpaid(named)
    for result in results:
        said = told.get(result.path, {}).get("code")
        shown = [finding for finding in result.findings if finding["code"] != said]
        if checking:
            shown += [finding for outcome in result.brief for finding in outcome["findings"]]
        else:
            warned.add(result)
            if not said:
                unpaid.add(result)
        for finding in shown:
            if checking or finding["severity"] == "block":
                print(_line(named, result, finding))
        if checking:
            for line in missing_lines(named, result):
                print(line)
    for line in (*unpaid.lines(), *warned.lines()):
        print(line)


def _line(named: FileNames, result: FileResult, finding: Mapping[str, Any]) -> str:
    clause = f"（{finding['clause']}）" if finding["clause"] else ""
    done = result.state == "done"
    word = SEVERITY_LABELS[finding["severity"]] if done else STATE_LABELS[result.state]
    return f"[{finding['code']}] {place(named, result, finding)}：{word}：{finding['message']}{clause}"


def _summary(tally: Tally, skipped: int, resumed: int) -> str:
    counted = tally.as_dict()
    statuses = "，".join(f"{STATUS_LABELS[status]} {number}" for status, number in counted["outcomes"].items())
    return (
        f"共 {counted['files']} 份：已核算 {counted['done']}，拒绝 {counted['refused']}，失败 {counted['failed']}；"
        f"结果：{statuses or '无'}；可拨付合计 {counted['payable']['yuan']} 元"
        + (f"；其中 {resumed} 份上次已做好，沿用" if resumed else "")
        + (f"；另有 {skipped} 个文件或文件夹未处理" if skipped else "")
    )
