"""The run report: a workbook people read and a line-by-line file machines read, from the same results."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from workbooks.batch.run import write_atomically
from workbooks.batch.tasks import JSONL_NAME, REPORT_NAME, FileResult
from xlcalc.packs.registry import load_policy
from xlcalc.results.explain import BASIS_LABELS, RESULT_LABELS, SEVERITY_LABELS, STATUS_LABELS, fact_label
from xlcalc.values.levels import LABELS
from xlcalc.values.money import Money

STATE_LABELS = {"done": "已核算", "refused": "拒绝", "failed": "失败"}
_RESULTS = (
    "score", "maturity_level", "scenes_at_level", "mandatory_at_level",
    "face_value", "reduction", "own_payment", "subsidy", "award",
)  # fmt: skip
_NARROW = ("score", "maturity_level", "scenes_at_level", "mandatory_at_level")


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


def run_dict(results: Sequence[FileResult]) -> dict[str, Any]:
    """The ``xlcalc.run/1`` document."""
    return {"format": "xlcalc.run/1", "files": [result.as_dict() for result in results], "totals": totals(results)}


def write_report(outdir: Path, results: Sequence[FileResult]) -> Path:
    """Writes 运行报告.xlsx and results.jsonl into a folder; returns the report's path."""
    lines = [
        json.dumps({"file": result.path, **outcome}, ensure_ascii=False)
        for result in results
        for outcome in result.outcomes
    ]
    write_atomically(outdir / JSONL_NAME, "".join(f"{line}\n" for line in lines).encode())
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(buffer, options)
    # One time for all, so that the same results give the same bytes.
    book.set_properties({"author": "xlcalc", "title": "运行报告", "created": datetime(2025, 1, 1)})
    looks = _looks(book)
    _summary(book, looks, results)
    _outcomes(book, looks, results)
    _findings(book, looks, results, outdir)
    _files(book, looks, results, outdir)
    book.close()
    path = outdir / REPORT_NAME
    write_atomically(path, buffer.getvalue())
    return path


def _looks(book: Any) -> dict[str, Any]:
    base = {"font_name": "仿宋", "font_size": 10, "valign": "vcenter", "border": 1, "text_wrap": True}
    card = {"font_name": "仿宋", "font_size": 11, "valign": "vcenter", "align": "center", "left": 2, "right": 2}
    return {
        "title": book.add_format({"font_name": "方正小标宋简体", "font_size": 20, "valign": "vcenter"}),
        "note": book.add_format({"font_name": "仿宋", "font_size": 10, "font_color": "#595959"}),
        "card_head": book.add_format({**card, "font_name": "黑体", "top": 2, "bg_color": "#DCE6F1"}),
        "card_money": book.add_format({**card, "font_size": 22, "bold": True, "num_format": "#,##0.00"}),
        "card_count": book.add_format({**card, "font_size": 22, "bold": True, "num_format": "0"}),
        "card_alert": book.add_format({**card, "font_size": 22, "bold": True, "bg_color": "#F8CBAD"}),
        "card_foot": book.add_format({**card, "bottom": 2, "font_color": "#595959"}),
        "head": book.add_format({**base, "font_name": "黑体", "bg_color": "#DCE6F1", "align": "center"}),
        # Quoted, so that a text beginning with = + - @ stays text wherever it is copied.
        "text": book.add_format({**base, "quote_prefix": True}),
        "number": book.add_format({**base, "num_format": "0.0##", "align": "center"}),
        "count": book.add_format({**base, "num_format": "0", "align": "center"}),
        "money": book.add_format({**base, "num_format": "#,##0.00", "text_wrap": False, "indent": 1, "align": "right"}),
        "block": book.add_format({**base, "bg_color": "#F8CBAD", "quote_prefix": True}),
        "warn": book.add_format({**base, "bg_color": "#FFE699", "quote_prefix": True}),
        "link": book.add_format({**base, "font_color": "#0563C1", "underline": 1}),
    }


def _sheet(book: Any, looks: Mapping[str, Any], name: str, columns: Sequence[tuple[str, float]]) -> Any:
    sheet = book.add_worksheet(name)
    for place, (title, width) in enumerate(columns):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, title, looks["head"])
    sheet.freeze_panes(1, 0)
    sheet.set_row(0, 44 if len(columns) > 10 else 22)
    sheet.hide_gridlines(2)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&C第 &P 页 共 &N 页")
    return sheet


def _write(sheet: Any, row: int, column: int, value: Any, looks: Mapping[str, Any], look: str = "text") -> None:
    """Text always as a string, never as a formula or a link."""
    if value is None:
        sheet.write_blank(row, column, None, looks[look])
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, looks[look])
    else:
        sheet.write_string(row, column, str(value)[:32000], looks[look])


def _summary(book: Any, looks: Mapping[str, Any], results: Sequence[FileResult]) -> None:
    """What came in, what is payable, what needs attention; then by policy and level."""
    sheet = book.add_worksheet("汇总")
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, 6, 16)
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)
    sheet.center_horizontally()
    sheet.set_footer("&C第 &P 页 共 &N 页")
    sheet.write_string(0, 0, "运行报告", looks["title"])
    sheet.set_row(0, 30)
    counted = totals(results)
    _cards(sheet, looks, counted)
    row = _statuses(sheet, 6, looks, counted)
    row = _policies(sheet, row + 1, looks, results)
    row = _levels(sheet, row + 1, looks, results)
    notes = (
        "可拨付：只计资格已确定且符合条件的企业。“计算金额”还含尚不能确定和不符合条件的，只供参考。",
        "逐家企业的结果和依据见“逐企业结果”表；须处理的事项见“提示与问题”表；未能核算的文件见“文件”表。",
    )
    for offset, note in enumerate(notes, 1):
        sheet.write_string(row + offset, 0, note, looks["note"])


def _cards(sheet: Any, looks: Mapping[str, Any], counted: Mapping[str, Any]) -> None:
    """The three things to see first."""
    refused = counted["refused"] + counted["failed"]
    sheet.set_row(2, 20)
    sheet.set_row(3, 36)
    sheet.set_row(4, 20)
    yuan = int(counted["payable"]["fen"]) / 100
    sheet.write_string(2, 0, "可拨付合计（元）", looks["card_head"])
    sheet.write_number(3, 0, yuan, looks["card_money"])
    sheet.write_string(4, 0, f"{counted['outcomes'].get('determined', 0)} 项结果可以确定", looks["card_foot"])
    sheet.merge_range(2, 1, 2, 3, "已核算的工作簿", looks["card_head"])
    sheet.merge_range(3, 1, 3, 3, counted["done"], looks["card_count"])
    sheet.merge_range(4, 1, 4, 3, f"共收到 {counted['files']} 份", looks["card_foot"])
    attention = counted["blocking_files"]
    look = "card_alert" if attention else "card_count"
    sheet.merge_range(2, 4, 2, 6, "须处理的工作簿", looks["card_head"])
    sheet.merge_range(3, 4, 3, 6, attention, looks[look])
    foot = f"含不予通过事项；其中 {refused} 份未能核算" if refused else "含不予通过事项"
    sheet.merge_range(4, 4, 4, 6, foot, looks["card_foot"])


def _statuses(sheet: Any, row: int, looks: Mapping[str, Any], counted: Mapping[str, Any]) -> int:
    """Files by state and results by status, side by side; returns the row below."""
    files = [("工作簿", counted["files"])]
    files += [(f"　其中{label}", counted[state]) for state, label in STATE_LABELS.items()]
    files.append(("　含有不予通过事项的", counted["blocking_files"]))
    outcomes = [("结果", sum(counted["outcomes"].values()))]
    outcomes += [(f"　{label}", counted["outcomes"].get(status, 0)) for status, label in STATUS_LABELS.items()]
    for offset, ((left, files_count), (right, outcome_count)) in enumerate(zip(files, outcomes, strict=True)):
        _write(sheet, row + offset, 0, left, looks)
        _write(sheet, row + offset, 1, files_count, looks, "count")
        sheet.merge_range(row + offset, 3, row + offset, 4, right, looks["text"])
        _write(sheet, row + offset, 5, outcome_count, looks, "count")
    return row + len(files)


def _policies(sheet: Any, row: int, looks: Mapping[str, Any], results: Sequence[FileResult]) -> int:
    """Results and money by policy; returns the row below."""
    titles = ("政策", "结果数", "可以确定", "尚不能确定", "不符合条件", "计算金额合计（元）", "可拨付合计（元）")
    for column, title in enumerate(titles):
        sheet.write_string(row, column, title, looks["head"])
    sheet.set_row(row, 20)
    for policy, group in _by_policy(results).items():
        row += 1
        status = Counter(outcome["status"] for outcome in group)
        computed = sum(
            _money(outcome, key) for outcome in group for key in ("face_value", "reduction", "subsidy", "award")
        )
        payable = sum(outcome["payable"]["fen"] for outcome in group if outcome["payable"])
        _write(sheet, row, 0, load_policy(policy).label, looks)
        counts = (len(group), status["determined"], status["not_determined"], status["not_eligible"])
        for column, value in enumerate(counts, 1):
            _write(sheet, row, column, value, looks, "count")
        _write(sheet, row, 5, computed / 100, looks, "money")
        _write(sheet, row, 6, payable / 100, looks, "money")
    return row + 1


def _levels(sheet: Any, row: int, looks: Mapping[str, Any], results: Sequence[FileResult]) -> int:
    """How many enterprises stand at each level, by policy; returns the row below."""
    sheet.write_string(row, 0, "等级分布（家）", looks["head"])
    for column, label in enumerate(LABELS, 1):
        sheet.write_string(row, column, label, looks["head"])
    sheet.set_row(row, 20)
    for policy, group in _by_policy(results).items():
        levels = Counter(outcome["results"].get("maturity_level") for outcome in group)
        if not any(levels[column] for column in range(len(LABELS))):
            continue
        row += 1
        _write(sheet, row, 0, load_policy(policy).label, looks)
        for column in range(len(LABELS)):
            _write(sheet, row, column + 1, levels[column], looks, "count")
    return row + 1


def _by_policy(results: Sequence[FileResult]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        for outcome in result.outcomes:
            groups.setdefault(outcome["policy"], []).append(outcome)
    return dict(sorted(groups.items()))


def _money(outcome: Mapping[str, Any], key: str) -> int:
    value = outcome["results"].get(key)
    return int(value["fen"]) if value else 0


def _outcomes(book: Any, looks: Mapping[str, Any], results: Sequence[FileResult]) -> None:
    columns = [("文件", 22), ("位置", 13), ("企业", 26), ("代码或行", 20), ("政策", 20), ("版本", 11), ("状态", 12)]
    columns += [(RESULT_LABELS[key], 9 if key in _NARROW else 13) for key in _RESULTS]
    columns += [
        ("可拨付（元）", 14),
        ("依据（每步及条款）", 80),
        ("尚缺", 40),
        ("口径及另一口径的结果", 50),
        ("数值依据", 14),
    ]
    sheet = _sheet(book, looks, "逐企业结果", columns)
    sheet.freeze_panes(1, 3)
    used = {key for result in results for outcome in result.outcomes for key in outcome["results"]}
    for place, key in enumerate(_RESULTS, 7):
        if key not in used:
            # A result no policy of this run has.
            sheet.set_column(place, place, None, None, {"hidden": True})
    row = 0
    for result in results:
        for outcome in result.outcomes:
            row += 1
            head = (
                Path(result.path).name, outcome["where"], outcome["name"], outcome["record"],
                load_policy(outcome["policy"]).label, outcome["version"],
            )  # fmt: skip
            for column, value in enumerate(head):
                _write(sheet, row, column, value, looks)
            look = {"not_eligible": "block", "not_determined": "warn"}.get(outcome["status"], "text")
            _write(sheet, row, 6, STATUS_LABELS[outcome["status"]], looks, look)
            _results(sheet, row, 7, outcome, looks)
            tail = 7 + len(_RESULTS)
            payable = outcome["payable"]
            _write(sheet, row, tail, payable["fen"] / 100 if payable else None, looks, "money")
            sentences = [sentence for step in outcome["steps"] for sentence in step["sentences"]]
            _write(sheet, row, tail + 1, "\n".join(sentences), looks)
            _write(sheet, row, tail + 2, "、".join(fact_label(name) for name in outcome["missing"]), looks)
            _write(sheet, row, tail + 3, "\n".join(_choice_text(choice) for choice in outcome["choices"]), looks)
            _write(sheet, row, tail + 4, BASIS_LABELS[outcome["basis"]], looks)
    sheet.autofilter(0, 0, max(row, 1), len(columns) - 1)
    # The reasons are read on screen; what is printed ends with the money.
    sheet.print_area(0, 0, max(row, 1), 7 + len(_RESULTS))


def _results(sheet: Any, row: int, first: int, outcome: Mapping[str, Any], looks: Mapping[str, Any]) -> None:
    for column, key in enumerate(_RESULTS, first):
        value = outcome["results"].get(key)
        if isinstance(value, dict):
            _write(sheet, row, column, value["fen"] / 100, looks, "money")
        elif key == "maturity_level" and value is not None:
            _write(sheet, row, column, LABELS[value], looks)
        elif key == "score" and value is not None:
            _write(sheet, row, column, float(value), looks, "number")
        else:
            _write(sheet, row, column, value, looks, "count")


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


def _findings(book: Any, looks: Mapping[str, Any], results: Sequence[FileResult], outdir: Path) -> None:
    columns = [
        ("文件", 24),
        ("企业", 20),
        ("单元格", 20),
        ("程度", 10),
        ("编号", 16),
        ("条款", 16),
        ("说明及处理办法", 74),
    ]
    sheet = _sheet(book, looks, "提示与问题", columns)
    row = 0
    for result in results:
        own = [(None, finding) for finding in result.findings]
        own += [(outcome["name"], finding) for outcome in result.outcomes for finding in outcome["findings"]]
        for name, finding in own:
            row += 1
            look = finding["severity"] if finding["severity"] in ("block", "warn") else "text"
            _write(sheet, row, 0, Path(result.path).name, looks)
            _write(sheet, row, 1, name, looks)
            _link(sheet, row, 2, result, finding, outdir, looks)
            _write(sheet, row, 3, SEVERITY_LABELS[finding["severity"]], looks, look)
            for column, key in enumerate(("code", "clause", "message"), 4):
                _write(sheet, row, column, finding[key], looks)
    sheet.autofilter(0, 0, max(row, 1), len(columns) - 1)


def _link(
    sheet: Any,
    row: int,
    column: int,
    result: FileResult,
    finding: Mapping[str, Any],
    outdir: Path,
    looks: Mapping[str, Any],
) -> None:
    """A link to the cell in the result workbook, where there is one and the spreadsheet's link limits allow it."""
    where = finding["where"]
    linked = where and "!" in where and result.output and row < 60_000
    if not linked:
        _write(sheet, row, column, where, looks)
        return
    name, _, ref = where.rpartition("!")
    target = Path(result.output or "").relative_to(outdir)
    sheet.write_url(row, column, f"external:{target}#'{name}'!{ref}", looks["link"], string=where)


def _files(book: Any, looks: Mapping[str, Any], results: Sequence[FileResult], outdir: Path) -> None:
    columns = [("文件", 54), ("状态", 10), ("结果文件", 46), ("结果数", 9), ("不予通过", 10), ("原因及处理办法", 54)]
    sheet = _sheet(book, looks, "文件", columns)
    for row, result in enumerate(results, 1):
        blocks = [finding for finding in result.findings if finding["severity"] == "block"]
        reason = "" if result.state == "done" else "；".join(f"[{item['code']}] {item['message']}" for item in blocks)
        output = str(Path(result.output).relative_to(outdir)) if result.output else None
        _write(sheet, row, 0, result.path, looks)
        _write(sheet, row, 1, STATE_LABELS[result.state], looks, "text" if result.state == "done" else "block")
        _write(sheet, row, 2, output, looks)
        _write(sheet, row, 3, len(result.outcomes), looks, "count")
        _write(
            sheet, row, 4, sum(f["severity"] == "block" for o in result.outcomes for f in o["findings"]), looks, "count"
        )
        _write(sheet, row, 5, reason, looks)
    sheet.autofilter(0, 0, max(len(results), 1), len(columns) - 1)
