"""The run report: a workbook people read and two files machines read, in one passage through the same results."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from textwrap import indent
from typing import Any, TextIO

from workbooks.batch.file_names import FileNames
from workbooks.batch.report_lines import Lines, Table
from workbooks.batch.report_pages import ReportBook
from workbooks.batch.report_sheets import ChangesPage, FilesPage, FindingsPage, OutcomesPage
from workbooks.batch.report_summary import spread_page, summary_page
from workbooks.batch.report_tally import Tally
from workbooks.batch.tasks import JSONL_NAME, REPORT_NAME, TABLE_NAME, FileResult, Skipped, shown
from workbooks.files.writing import written_atomically

_FORMAT = "xlcalc.run/1"


def totals(results: Iterable[FileResult]) -> dict[str, Any]:
    """Counts of files and statuses, and the payable money; only ``payable`` is ever totalled."""
    return Tally.of(results).as_dict()


def write_run(stream: TextIO, results: Iterable[FileResult], skipped: Sequence[Skipped] = (), **more: Any) -> None:
    """Writes the ``xlcalc.run/1`` document, and more at its end, file by file."""
    stream.write(f'{{\n  "format": "{_FORMAT}",\n  "files": [')
    tally, before = Tally(), "\n"
    for result in results:
        tally.add(result)
        stream.write(before + indent(_indented(result.as_dict()), "    "))
        before = ",\n"
    stream.write("\n  ]," if tally.files else "],")
    stream.write(_indented(_after_files(tally, skipped) | more)[1:] + "\n")


def _after_files(tally: Tally, skipped: Sequence[Skipped]) -> dict[str, Any]:
    left = [{"path": shown(item.path), "reason": item.reason} for item in skipped]
    return {"skipped": left, "totals": tally.as_dict()}


def _indented(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def write_report(
    outdir: Path, results: Iterable[FileResult], skipped: Sequence[Skipped] = (), tally: Tally | None = None,
    given: Sequence[Path] = (),
) -> Path:  # fmt: skip
    """Writes 运行报告.xlsx, results.jsonl and results.csv into a folder; returns the report's path.

    results: gone through twice, and none of them is held. tally: counts them on the way, for whoever asks later.
    given: the files and folders the run was asked for; files are named from there.
    """
    path = outdir / REPORT_NAME
    tally = Tally() if tally is None else tally
    used = {key for result in results for outcome in result.brief for key in outcome["results"]}
    with ExitStack() as stack:
        lines = stack.enter_context(written_atomically(outdir / JSONL_NAME))
        table = stack.enter_context(written_atomically(outdir / TABLE_NAME))
        text = io.TextIOWrapper(table, encoding="utf-8-sig", newline="")
        stack.callback(text.detach)
        report = stack.enter_context(
            ReportBook(outdir, stack.enter_context(written_atomically(path)), FileNames(given))
        )
        summary, spread = report.page("汇总"), report.page("分布")
        lists = (OutcomesPage(report, used), FindingsPage(report), ChangesPage(report), FilesPage(report))
        takers = (Lines(lines), Table(text, outdir), tally, *lists)
        for result in results:
            for taker in takers:
                taker.add(result)
        lists[-1].add_skipped(skipped)
        for page in lists:
            page.end()
        summary_page(summary, tally, len(skipped), [shown(path) for path in given])
        spread_page(spread, tally)
    return path
