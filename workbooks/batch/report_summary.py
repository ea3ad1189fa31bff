"""The first two sheets of a run report: what came in and is payable, and how it is spread, with charts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbooks.batch.report_pages import Page, ReportBook
from workbooks.batch.tasks import FileResult
from xlcalc.packs.registry import load_policy
from xlcalc.results.explain import STATUS_LABELS
from xlcalc.values.levels import LABELS

STATE_LABELS = {"done": "已核算", "refused": "拒绝", "failed": "失败"}
GRANTED = ("face_value", "reduction", "subsidy", "award")
"""The results that are money for the enterprise."""
_CHARTED = 12
_CHART_ROWS = 18
_PRINTED_ROWS = 42
_BLUE, _GREY = "#2E75B6", "#BFBFBF"
_BUREAU = re.compile("(?:人民政府|工业和信息化|科技和工业|发展改革|发展和改革|经济和信息化|工信|发改|科工).*$")
_Group = list[dict[str, Any]]


def summary_page(report: ReportBook, results: Sequence[FileResult], counted: Mapping[str, Any], left: int) -> None:
    """What came in, what is payable, what needs attention; then by policy and level. left: files not worked on."""
    page = report.page("汇总")
    page.sheet.set_column(0, 0, 42)
    page.sheet.set_column(1, 6, 16)
    page.sheet.fit_to_pages(1, 1)
    page.sheet.center_horizontally()
    page.put(0, 0, "运行报告", "title")
    page.sheet.set_row(0, 30)
    _cards(page, counted)
    row = _statuses(page, 6, counted, left)
    groups = _grouped(results, lambda _, outcome: load_policy(outcome["policy"]).label)
    row = _policies(page, row + 1, groups)
    row = _levels(page, row + 1, groups)
    changed = sum(has_changes(result) for result in results)
    notes = [
        "可拨付：只计资格已确定且符合条件的企业。“计算金额”还含尚不能确定和不符合条件的，只供参考。",
        "按县（市、区）、行业、等级的金额见“分布”表；逐家企业的结果和依据见“逐企业结果”表；"
        "须处理的事项见“提示与问题”表；未能核算和未处理的文件见“文件”表。",
    ]
    if changed:
        notes.insert(0, f"有 {changed} 份工作簿里保存的结果与重新核算的不同，可能改动过，见“可能改动过”表。")
    for offset, note in enumerate(notes, 1):
        page.put(row + offset, 0, note, "note")


def has_changes(result: FileResult) -> bool:
    """Whether something stored in the file is not what it should be."""
    return any("stored" in finding for finding in result.findings)


def _cards(page: Page, counted: Mapping[str, Any]) -> None:
    """The three things to see first."""
    refused = counted["refused"] + counted["failed"]
    for row, height in ((2, 20), (3, 36), (4, 20)):
        page.sheet.set_row(row, height)
    page.put(2, 0, "可拨付合计（元）", "card_head")
    page.put(3, 0, int(counted["payable"]["fen"]) / 100, "card_money")
    page.put(4, 0, f"{counted['outcomes'].get('determined', 0)} 项结果可以确定", "card_foot")
    attention = counted["blocking_files"]
    foot = f"含不予通过事项；其中 {refused} 份未能核算" if refused else "含不予通过事项"
    cards = (
        (1, "已核算的工作簿", counted["done"], "card_count", f"共收到 {counted['files']} 份"),
        (4, "须处理的工作簿", attention, "card_alert" if attention else "card_count", foot),
    )
    for first, head, number, look, below in cards:
        for row, value, name in ((2, head, "card_head"), (3, number, look), (4, below, "card_foot")):
            page.sheet.merge_range(row, first, row, first + 2, value, page.looks[name])


def _statuses(page: Page, row: int, counted: Mapping[str, Any], left: int) -> int:
    """Files by state and results by status, side by side; returns the row below."""
    files = [("工作簿", counted["files"])]
    files += [(f"　其中{label}", counted[state]) for state, label in STATE_LABELS.items()]
    files.append(("　含有不予通过事项的", counted["blocking_files"]))
    outcomes = [("结果", sum(counted["outcomes"].values()))]
    outcomes += [(f"　{label}", counted["outcomes"].get(status, 0)) for status, label in STATUS_LABELS.items()]
    for offset, ((one, files_count), (other, outcome_count)) in enumerate(zip(files, outcomes, strict=True)):
        page.line(row + offset, (one, files_count), ("text", "count"))
        page.sheet.merge_range(row + offset, 3, row + offset, 4, other, page.looks["text"])
        page.put(row + offset, 5, outcome_count, "count")
    row += len(files)
    if left:
        page.line(row, ("未处理的其他文件和文件夹", left), ("text", "count"))
        row += 1
    return row


def _policies(page: Page, row: int, groups: Mapping[str, _Group]) -> int:
    """Results and money by policy; returns the row below."""
    titles = ("政策", "结果数", "可以确定", "尚不能确定", "不符合条件", "计算金额合计（元）", "可拨付合计（元）")
    page.line(row, titles, ("head",) * len(titles))
    page.sheet.set_row(row, 20)
    for policy, group in groups.items():
        row += 1
        status = Counter(outcome["status"] for outcome in group)
        counts = (len(group), status["determined"], status["not_determined"], status["not_eligible"])
        page.line(
            row, (policy, *counts, _computed(group), _payable(group)), ("text", *("count",) * 4, "money", "money")
        )
    return row + 1


def _levels(page: Page, row: int, groups: Mapping[str, _Group]) -> int:
    """How many enterprises stand at each level, by policy; returns the row below."""
    page.line(row, ("等级分布（家）", *LABELS), ("head",) * 6)
    page.sheet.set_row(row, 20)
    for policy, group in groups.items():
        levels = Counter(outcome["results"].get("maturity_level") for outcome in group)
        if any(levels[place] for place in range(len(LABELS))):
            row += 1
            page.line(row, (policy, *(levels[place] for place in range(len(LABELS)))), ("text", *("count",) * 5))
    return row + 1


def spread_page(report: ReportBook, results: Sequence[FileResult]) -> None:
    """The money by county, trade and level, each as a table with its chart; only results that grant money count."""
    page = report.page("分布")
    page.sheet.set_column(0, 0, 40)
    page.sheet.set_column(1, 2, 10)
    page.sheet.set_column(3, 4, 20)
    page.sheet.set_column(5, 5, 3)
    page.put(0, 0, "金额分布", "title")
    page.sheet.set_row(0, 30)
    note = "只含给付金额的政策。表中没有写明县（市、区）的，按文件所在的文件夹归类，名称前标“文件夹：”。"
    page.put(1, 0, note, "note")
    row, top, breaks = 3, 0, []
    for title, of in (("按县（市、区）", _county), ("按行业", _industry), ("按数字化水平等级", _level)):
        groups = _grouped(results, of, granted=True)
        last = row + max(len(groups) + 3, _CHART_ROWS + 1)
        if row > 3 and last - top > _PRINTED_ROWS:
            breaks.append(row)
            top = row
        _spread(report, page, row, title, dict(sorted(groups.items(), key=_rank if of == _level else _most_first)))
        row = last + 2
    page.sheet.set_h_pagebreaks(breaks)


def _most_first(item: tuple[str, _Group]) -> tuple[Any, ...]:
    return -_payable(item[1]), -_computed(item[1]), item[0]


def _rank(item: tuple[str, _Group]) -> tuple[Any, ...]:
    return (LABELS.index(item[0]) if item[0] in LABELS else len(LABELS),)


def _spread(report: ReportBook, page: Page, row: int, title: str, groups: Mapping[str, _Group]) -> None:
    page.put(row, 0, title, "section")
    head = row + 1
    titles = (title.removeprefix("按"), "结果数", "可以确定", "计算金额（元）", "可拨付（元）")
    page.line(head, titles, ("head",) * 5)
    page.sheet.set_row(head, 20)
    rows = [*groups.items(), ("合计", [outcome for group in groups.values() for outcome in group])]
    for place, (name, group) in enumerate(rows, head + 1):
        decided = sum(outcome["status"] == "determined" for outcome in group)
        looks = ("name", "count", "count", "money", "money")
        page.line(place, (name, len(group), decided, _computed(group), _payable(group)), looks)
    if groups:
        _chart(report, page, head, head + min(len(groups), _CHARTED), title, more=len(groups) > _CHARTED)


def _chart(report: ReportBook, page: Page, head: int, last: int, title: str, *, more: bool) -> None:
    """Bars of what was computed and what is payable, in 元, for the first rows of a table."""
    chart = report.book.add_chart({"type": "bar"})
    for column, colour in ((3, _GREY), (4, _BLUE)):
        chart.add_series({
            "name": [page.sheet.get_name(), head, column],
            "categories": [page.sheet.get_name(), head + 1, 0, last, 0],
            "values": [page.sheet.get_name(), head + 1, column, last, column],
            "fill": {"color": colour}, "gap": 40,
        })  # fmt: skip
    font = {"name": "仿宋", "size": 8}
    text = f"{title}（元）" + (f"，金额最大的 {_CHARTED} 项" if more else "")
    chart.set_title({"name": text, "name_font": {"name": "黑体", "size": 11}, "overlay": False})
    chart.set_y_axis({"num_font": font, "reverse": True, "interval_unit": 1})
    lines = {"visible": True, "line": {"color": "#E0E0E0"}}
    chart.set_x_axis({"num_font": font, "num_format": "#,##0", "major_gridlines": lines})
    chart.set_legend({"position": "bottom", "font": font})
    chart.set_size({"width": 680, "height": 20 * _CHART_ROWS})
    page.sheet.insert_chart(head, 6, chart, {"object_position": 3})


def _grouped(
    results: Sequence[FileResult], of: Callable[[FileResult, dict[str, Any]], str], *, granted: bool = False
) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for result in results:
        for outcome in result.outcomes:
            if not granted or any(outcome["results"].get(key) for key in GRANTED):
                groups.setdefault(of(result, outcome), []).append(outcome)
    return dict(sorted(groups.items()))


def _county(result: FileResult, outcome: Mapping[str, Any]) -> str:
    name = _BUREAU.sub("", outcome.get("county") or "").strip()
    return name or f"文件夹：{Path(result.path).parent.name or '（无）'}"


def _industry(_: FileResult, outcome: Mapping[str, Any]) -> str:
    return outcome.get("industry") or "未写明"


def _level(_: FileResult, outcome: Mapping[str, Any]) -> str:
    level = outcome["results"].get("maturity_level")
    return "未得出或不涉及" if level is None else LABELS[level]


def _computed(group: _Group) -> float:
    """元, of every result that grants money, whatever its status."""
    fen = sum(money["fen"] for outcome in group for key in GRANTED if (money := outcome["results"].get(key)))
    return int(fen) / 100


def _payable(group: _Group) -> float:
    """元."""
    return int(sum(outcome["payable"]["fen"] for outcome in group if outcome["payable"])) / 100
