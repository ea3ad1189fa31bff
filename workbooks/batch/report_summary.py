"""The first two sheets of a run report: what came in and is payable, and how it is spread, with charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbooks.batch.report_pages import Page
from workbooks.batch.report_tally import STATE_LABELS, Group, Tally
from xlcalc.results.explain import STATUS_LABELS
from xlcalc.values.levels import LABELS

_CHARTED = 12
_CHART_ROWS = 18
_PRINTED_ROWS = 42
_PLACES = 5
_BLUE, _GREY = "#2E75B6", "#BFBFBF"


def summary_page(page: Page, tally: Tally, left: int, given: Sequence[str] = ()) -> None:
    """What came in, what is payable, what needs attention; then by policy and level.

    left: files not worked on; given: where they were looked for.
    """
    page.sheet.set_column(0, 0, 42)
    page.sheet.set_column(1, 6, 16)
    page.sheet.fit_to_pages(1, 1)
    page.sheet.center_horizontally()
    page.put(0, 0, "运行报告", "title")
    page.sheet.set_row(0, 30)
    counted = tally.as_dict()
    _cards(page, counted)
    row = _statuses(page, 6, counted, left)
    groups = dict(sorted(tally.policies.items(), key=lambda item: item[0]))
    row = _policies(page, row + 1, groups)
    row = _levels(page, row + 1, groups)
    notes = [
        "可拨付：只计资格已确定且符合条件的企业。“计算金额”还含尚不能确定和不符合条件的，只供参考。",
        "按县（市、区）、行业、等级的金额见“分布”表；逐家企业的结果和依据见“逐企业结果”表；"
        "须处理的事项见“提示与问题”表；未能核算和未处理的文件见“文件”表。",
    ]
    if given:
        places = "、".join(given[:_PLACES]) + (f" 等 {len(given)} 处" if len(given) > _PLACES else "")
        notes.append(f"各表中的文件名从所给的文件夹写起：{places}")
    if tally.uncalculated:
        notes.insert(
            0, f"有 {tally.uncalculated} 份工作簿填写后没有计算过（仍是空白或预填模板的结果），已重新核算，不算改动。"
        )
    if tally.changed:
        notes.insert(0, f"有 {tally.changed} 份工作簿里的结果、参数或公式与应有的不同，可能改动过，见“可能改动过”表。")
    for offset, note in enumerate(notes, 1):
        page.put(row + offset, 0, note, "note")


def _cards(page: Page, counted: Mapping[str, Any]) -> None:
    """The three things to see first."""
    refused = counted["refused"] + counted["failed"]
    attention = counted["blocking_files"]
    foot = f"含不予通过事项；其中 {refused} 份未能核算" if refused else "含不予通过事项"
    rows = (
        (20, ("card_head",) * 3, ("可拨付合计（元）", "已核算的工作簿", "须处理的工作簿")),
        (36, ("card_money", "card_count", "card_alert" if attention else "card_count"),
         (int(counted["payable"]["fen"]) / 100, counted["done"], attention)),
        (20, ("card_foot",) * 3,
         (f"{counted['outcomes'].get('determined', 0)} 项结果可以确定", f"共收到 {counted['files']} 份", foot)),
    )  # fmt: skip
    for row, (height, looks, (money, done, open_files)) in enumerate(rows, 2):
        page.sheet.set_row(row, height)
        page.put(row, 0, money, looks[0])
        for first, value, look in ((1, done, looks[1]), (4, open_files, looks[2])):
            page.sheet.merge_range(row, first, row, first + 2, value, page.looks[look])


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


def _policies(page: Page, row: int, groups: Mapping[str, Group]) -> int:
    """Results and money by policy; returns the row below."""
    titles = ("政策", "结果数", "可以确定", "尚不能确定", "不符合条件", "计算金额合计（元）", "可拨付合计（元）")
    page.line(row, titles, ("head",) * len(titles))
    page.sheet.set_row(row, 20)
    for policy, group in groups.items():
        row += 1
        counts = (group.count, *(group.statuses[name] for name in ("determined", "not_determined", "not_eligible")))
        money = (group.computed / 100, group.payable / 100)
        page.line(row, (policy, *counts, *money), ("text", *("count",) * 4, "money", "money"))
    return row + 1


def _levels(page: Page, row: int, groups: Mapping[str, Group]) -> int:
    """How many enterprises stand at each level, by policy; returns the row below."""
    page.line(row, ("等级分布（家，得出等级的）", *LABELS), ("head",) * 6)
    page.sheet.set_row(row, 20)
    for policy, group in groups.items():
        if group.levels:
            row += 1
            page.line(row, (policy, *(group.levels[place] for place in range(len(LABELS)))), ("text", *("count",) * 5))
    return row + 1


def spread_page(page: Page, tally: Tally) -> None:
    """The money by county, trade and level, each as a table with its chart; only results that grant money count."""
    page.sheet.set_column(0, 0, 40)
    page.sheet.set_column(1, 2, 10)
    page.sheet.set_column(3, 4, 20)
    page.sheet.set_column(5, 5, 3)
    page.put(0, 0, "金额分布", "title")
    page.sheet.set_row(0, 30)
    note = "只含算出了给付金额的结果。表中没有写明县（市、区）的，按文件所在的文件夹归类，名称前标“文件夹：”。"
    if without := sum(tally.outcomes.values()) - sum(group.count for group in tally.counties.values()):
        note += f"另有 {without} 项结果没有算出给付金额（尚缺数据，或政策不给付金额），不在以下各表中。"
    page.put(1, 0, note, "note")
    row, top, breaks = 3, 0, []
    spreads = (("按县（市、区）", tally.counties), ("按行业", tally.industries), ("按数字化水平等级", tally.levels))
    for title, groups in spreads:
        last = row + max(len(groups) + 3, _CHART_ROWS + 1)
        if row > 3 and last - top > _PRINTED_ROWS:
            breaks.append(row)
            top = row
        _spread(page, row, title, dict(sorted(groups.items(), key=_rank if groups is tally.levels else _most_first)))
        row = last + 2
    page.sheet.set_h_pagebreaks(breaks)


def _most_first(item: tuple[str, Group]) -> tuple[Any, ...]:
    return -item[1].payable, -item[1].computed, item[0]


def _rank(item: tuple[str, Group]) -> tuple[Any, ...]:
    return (LABELS.index(item[0]) if item[0] in LABELS else len(LABELS),)


def _spread(page: Page, row: int, title: str, groups: Mapping[str, Group]) -> None:
    page.put(row, 0, title, "section")
    head = row + 1
    titles = (title.removeprefix("按"), "结果数", "可以确定", "计算金额（元）", "可拨付（元）")
    page.line(head, titles, ("head",) * 5)
    page.sheet.set_row(head, 20)
    rows = [*groups.items(), ("合计", sum(groups.values(), Group()))]
    for place, (name, group) in enumerate(rows, head + 1):
        looks = ("name", "count", "count", "money", "money")
        money = (group.computed / 100, group.payable / 100)
        page.line(place, (name, group.count, group.statuses["determined"], *money), looks)
    if groups:
        _chart(page, head, dict(list(groups.items())[:_CHARTED]), title, more=len(groups) > _CHARTED)


def _chart(page: Page, head: int, groups: Mapping[str, Group], title: str, *, more: bool) -> None:
    """Bars of what was computed and what is payable, in 元, for the first rows of a table."""
    chart = page.book.add_chart({"type": "bar"})
    last, sheet = head + len(groups), page.sheet.get_name()
    computed, payable = ([int(group.computed) / 100 for group in groups.values()], [
        int(group.payable) / 100 for group in groups.values()
    ])  # fmt: skip
    for column, colour, values in ((3, _GREY, computed), (4, _BLUE, payable)):
        chart.add_series({
            "name": [sheet, head, column],
            "categories": [sheet, head + 1, 0, last, 0],
            "values": [sheet, head + 1, column, last, column],
            # What the chart shows before a program has read the cells; those are on the disk by now.
            "categories_data": list(groups), "values_data": values,
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
