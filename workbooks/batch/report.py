"""The run report: a workbook people read and two files machines read, from the same results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbooks.batch.report_lines import jsonl, table
from workbooks.batch.report_pages import ReportBook
from workbooks.batch.report_sheets import changes_page, files_page, findings_page, outcomes_page
from workbooks.batch.report_summary import STATE_LABELS, spread_page, summary_page
from workbooks.batch.tasks import JSONL_NAME, REPORT_NAME, TABLE_NAME, FileResult, Skipped, shown
from workbooks.files.writing import write_atomically
from xlcalc.values.money import Money


def totals(results: Sequence[FileResult]) -> dict[str, Any]:
    """Counts of files and statuses, and the payable money; only ``payable`` is ever totalled."""
    outcomes = [outcome for result in results for outcome in result.outcomes]
    payable = sum(outcome["payable"]["fen"] for outcome in outcomes if outcome["payable"])
    return {
        "files": len(results),
        **{state: sum(result.state == state for result in results) for state in STATE_LABELS},
        "outcomes": dict(sorted(Counter(outcome["status"] for outcome in outcomes).items())),
        "blocking_files": sum(result.blocking for result in results),
        "payable": Money(payable).as_dict(),
    }


def run_dict(results: Sequence[FileResult], skipped: Sequence[Skipped] = ()) -> dict[str, Any]:
    """The ``xlcalc.run/1`` document."""
    return {
        "format": "xlcalc.run/1",
        "files": [result.as_dict() for result in results],
        "skipped": [{"path": shown(item.path), "reason": item.reason} for item in skipped],
        "totals": totals(results),
    }


def write_report(outdir: Path, results: Sequence[FileResult], skipped: Sequence[Skipped] = ()) -> Path:
    """Writes 运行报告.xlsx, results.jsonl and results.csv into a folder; returns the report's path."""
    write_atomically(outdir / JSONL_NAME, jsonl(results))
    write_atomically(outdir / TABLE_NAME, table(outdir, results))
    report = ReportBook(outdir)
    summary_page(report, results, totals(results), len(skipped))
    spread_page(report, results)
    outcomes_page(report, results)
    findings_page(report, results)
    changes_page(report, results)
    files_page(report, results, skipped)
    path = outdir / REPORT_NAME
    write_atomically(path, report.closed())
    return path
