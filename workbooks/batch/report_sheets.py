"""The sheets of a run report that list: results, findings, what may have been changed, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbooks.batch.report_pages import Page, ReportBook
from workbooks.batch.report_summary import STATE_LABELS
from workbooks.batch.tasks import FileResult, Skipped, shown
from xlcalc.packs.registry import load_policy
from xlcalc.results.explain import BASIS_LABELS, RESULT_LABELS, SEVERITY_LABELS, STATUS_LABELS, fact_label
from xlcalc.values.levels import LABELS

_ROW_HEIGHT = 42
_COUNTED = ("score", "maturity_level", "scenes_at_level", "mandatory_at_level")
_RESULTS = (*_COUNTED, "face_value", "reduction", "own_payment", "recognised_cost", "subsidy", "award")


def outcomes_page(report: ReportBook, results: Sequence[FileResult]) -> None:
    """A row for each result, with its derivation; only the results some policy of this run has."""
    used = {key for result in results for outcome in result.outcomes for key in outcome["results"]}
    keys = [key for key in _RESULTS if key in used]
    columns = [("文件", 22.0), ("位置", 13), ("企业", 26), ("代码或行", 20), ("政策", 20), ("版本", 11), ("状态", 12)]
    columns += [(RESULT_LABELS[key], 9 if key in _COUNTED else 13) for key in keys]
    columns += [
        ("可拨付（元）", 14),
        ("依据（每步及条款）", 80),
        ("尚缺", 40),
        ("口径及另一口径的结果", 50),
        ("数值依据", 14),
    ]
    page = report.page("逐企业结果", columns)
    page.sheet.set_row(0, 44)
    page.sheet.freeze_panes(1, 3)
    row = 0
    for result in results:
        for outcome in result.outcomes:
            row += 1
            if page.is_full(row):
                break
            _outcome(page, row, result, outcome, keys)
    page.end(row)
    # The reasons are read on screen; what is printed ends with the money.
    page.sheet.print_area(0, 0, max(row, 1), 7 + len(keys))


def _outcome(page: Page, row: int, result: FileResult, outcome: Mapping[str, Any], keys: Sequence[str]) -> None:
    # Three lines; whoever wants all of a derivation opens the cell, or the result itself.
    page.sheet.set_row(row, _ROW_HEIGHT)
    policy, status = load_policy(outcome["policy"]).label, outcome["status"]
    place = (Path(result.path).name, outcome["where"], outcome["name"], outcome["record"], policy, outcome["version"])
    page.line(row, place)
    page.put(row, 6, STATUS_LABELS[status], {"not_eligible": "block", "not_determined": "warn"}.get(status, "text"))
    for column, key in enumerate(keys, 7):
        _result(page, row, column, key, outcome["results"].get(key))
    tail, payable = 7 + len(keys), outcome["payable"]
    page.put(row, tail, payable["fen"] / 100 if payable else None, "money")
    page.line(row, (
        "\n".join(sentence for step in outcome["steps"] for sentence in step["sentences"]),
        "、".join(fact_label(name) for name in outcome["missing"]),
        "\n".join(_choice_text(choice) for choice in outcome["choices"]),
        BASIS_LABELS[outcome["basis"]],
    ), first=tail + 1)  # fmt: skip


def _result(page: Page, row: int, column: int, key: str, value: Any) -> None:
    if isinstance(value, dict):
        page.put(row, column, value["fen"] / 100, "money")
    elif key == "maturity_level" and value is not None:
        page.put(row, column, LABELS[value])
    elif key == "score" and value is not None:
        page.put(row, column, float(value), "number")
    else:
        page.put(row, column, value, "count")


def _choice_text(choice: Mapping[str, Any]) -> str:
    others = []
    for code, changes in choice["alternatives"].items():
        parts = [f"{RESULT_LABELS.get(key, key)} {_plain(key, value)}" for key, value in changes.items()]
        others.append(f"若按 {code}：{'，'.join(parts)}")
    return f"{choice['id']} 按 {choice['chosen']}；{'；'.join(others)}"


def _plain(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['yuan']} 元"
    if key == "maturity_level":
        return LABELS[value]
    return STATUS_LABELS.get(str(value), str(value))


def _all_findings(results: Sequence[FileResult]) -> Iterator[tuple[FileResult, str | None, dict[str, Any]]]:
    """Every finding with its file and, where it is one enterprise's, the enterprise."""
    for result in results:
        yield from ((result, None, finding) for finding in result.findings)
        for outcome in result.outcomes:
            yield from ((result, outcome["name"], finding) for finding in outcome["findings"])


def findings_page(report: ReportBook, results: Sequence[FileResult]) -> None:
    """A row for each finding, with a link to its cell in the result."""
    columns = [
        ("文件", 24.0),
        ("企业", 20),
        ("单元格", 28),
        ("程度", 10),
        ("编号", 16),
        ("条款", 16),
        ("说明及处理办法", 74),
    ]
    page = report.page("提示与问题", columns)
    row = 0
    for row, (result, name, finding) in enumerate(_all_findings(results), 1):
        if page.is_full(row):
            break
        severity = finding["severity"]
        page.line(row, (Path(result.path).name, name))
        page.link(row, 2, result, finding["where"])
        page.put(row, 3, SEVERITY_LABELS[severity], severity if severity in ("block", "warn") else "text")
        page.line(row, [finding[key] for key in ("code", "clause", "message")], first=4)
    page.end(row)


def changes_page(report: ReportBook, results: Sequence[FileResult]) -> None:
    """What a file holds and should not: stored results and parameters that differ from ours, side by side."""
    columns = [("文件", 30.0), ("单元格", 24), ("编号", 18), ("文件中的值", 34), ("重新核算的值", 34), ("说明", 60)]
    page = report.page("可能改动过", columns)
    row = 0
    for result, _, finding in _all_findings(results):
        if "stored" not in finding:
            continue
        row += 1
        if page.is_full(row):
            break
        page.put(row, 0, Path(result.path).name)
        page.link(row, 1, result, finding["where"])
        page.line(row, [finding[key] for key in ("code", "stored", "computed", "message")], ("text", "warn"), first=2)
    page.end(row)


def files_page(report: ReportBook, results: Sequence[FileResult], skipped: Sequence[Skipped]) -> None:
    """A row for each file and what became of it; then everything that was not worked on, with the reason."""
    columns = [("文件", 54.0), ("状态", 10), ("结果文件", 46), ("结果数", 9), ("不予通过", 10), ("原因及处理办法", 54)]
    page = report.page("文件", columns)
    row = 0
    for row, result in enumerate(results, 1):
        if page.is_full(row):
            break
        done = result.state == "done"
        blocks = [finding for finding in result.findings if finding["severity"] == "block"]
        output = report.below(result.output) if result.output else None
        against = sum(finding["severity"] == "block" for outcome in result.outcomes for finding in outcome["findings"])
        reason = "" if done else "；".join(f"[{item['code']}] {item['message']}" for item in blocks)
        values = (result.path, STATE_LABELS[result.state], output, len(result.outcomes), against, reason)
        page.line(row, values, ("text", "text" if done else "block", "text", "count", "count"))
    for item in skipped:
        row += 1
        if page.is_full(row):
            break
        page.line(row, (shown(item.path), "未处理", None, None, None, item.reason))
    page.end(row)
