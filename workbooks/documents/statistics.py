"""统计表: enterprises and money by 县, 行业 and 等级, with charts; every total is the sum of the rows behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbooks.documents.cases import Case, Run
from workbooks.documents.grounds import identity_lines, policy_label
from workbooks.documents.looks import Book, Column, Sheet
from workbooks.documents.recognition_sheet import amounts, draw_waterfall, place_chart, steps_down
from xlcalc.mechanisms.cost_recognition import Waterfall
from xlcalc.results.explain import STATUS_LABELS
from xlcalc.values.levels import LABELS
from xlcalc.values.money import Money

TITLE = "统计表"
_UNKNOWN = "未填"
_LEVELS = ("#D9D9D9", "#BDD7EE", "#5B9BD5", "#2E75B6", "#1F4E79", "#F4B183")
"""From pale to dark, and apart from them those of whom no level is known."""
_KINDS = ("#5B9BD5", "#F4B183", "#A9D18E", "#FFD966", "#B4A7D6", "#76A5AF", "#E6B8AF", "#999999")


def statistics_workbook(run: Run, policy: str, *, county: str = "") -> bytes:
    """县×等级, 行业×等级 and 县×行业 in counts and payable money, with charts, and 申报→核定 where there are lines.

    county: where the enterprises are whose form does not say. Raises InputError ``E-DOCUMENT-EMPTY`` without cases.
    """
    cases = run.needed(policy)
    label = policy_label(policy)

    def place(case: Case) -> str:
        return case.told("county") or county or case.told("recommending_authority") or _UNKNOWN

    book = Book(TITLE)
    _overview(book, label, cases)
    _crossed(book, "县×等级", f"{label} 县（市、区）与等级", cases, ("县（市、区）", place), _levels(cases))
    _crossed(book, "行业×等级", f"{label} 行业与等级", cases, ("行业", _industry), _levels(cases))
    industries = [(name, _is(_industry, name)) for name in dict.fromkeys(map(_industry, cases))]
    _crossed(book, "县×行业", f"{label} 县（市、区）与行业", cases, ("县（市、区）", place), industries)
    _recognition(book, label, cases)
    _rows(book, cases, place)
    return book.data()


Group = tuple[str, Callable[[Case], bool]]


def _is(of: Callable[[Case], str], name: str) -> Callable[[Case], bool]:
    return lambda case: of(case) == name


def _industry(case: Case) -> str:
    return case.told("industry") or _UNKNOWN


def _level(case: Case) -> str:
    return case.level.label if case.level is not None else _UNKNOWN


def _levels(cases: Sequence[Case]) -> list[Group]:
    """Every level there is, and those without one where there are any."""
    found = [(label, _is(_level, label)) for label in LABELS]
    return [*found, *([(_UNKNOWN, _is(_level, _UNKNOWN))] if any(case.level is None for case in cases) else [])]


def _overview(book: Book, label: str, cases: Sequence[Case]) -> None:
    columns = (Column("状态", 30), Column("家数", 14, "count"), Column("可拨付（元）", 24, "money"))
    sheet = book.sheet("总览", columns)
    sheet.title(TITLE, label)
    sheet.head(repeat=False)
    for status, name in STATUS_LABELS.items():
        group = [case for case in cases if case.outcome.status == status]
        sheet.line([name, len(group), _payable(group)])
    sheet.total("合计", {1: len(cases), 2: _payable(cases)})
    sheet.footnotes(["只有可以确定的金额计入可拨付。", *identity_lines(cases)])
    sheet.finish()


def _payable(cases: Sequence[Case]) -> Money:
    return Money(sum(case.payable.fen for case in cases if case.payable is not None))


def _crossed(
    book: Book,
    name: str,
    title: str,
    cases: Sequence[Case],
    down: tuple[str, Callable[[Case], str]],
    across: Sequence[Group],
) -> None:
    """A table of counts, the payable money at its end, and a stacked chart of the counts."""
    label, of = down
    columns = [
        Column(label, 20), *(Column(head, 9, "count") for head, _ in across), Column("合计（家）", 10, "count"),
        Column("可拨付（元）", 17, "money"),
    ]  # fmt: skip
    sheet = book.sheet(name, columns, landscape=True)
    sheet.title(title)
    sheet.head()
    first = sheet.row
    groups = dict.fromkeys(map(of, cases))
    for group in groups:
        own = [case for case in cases if of(case) == group]
        sheet.line([group, *_counts(own, across), len(own), _payable(own)])
    last = sheet.row - 1
    values = dict(enumerate([*_counts(cases, across), len(cases), _payable(cases)], 1))
    sheet.total("合计", values)
    _stacked(sheet, first, last, len(across), _LEVELS if across[0][0] == LABELS[0] else _KINDS)
    sheet.finish()


def _counts(cases: Sequence[Case], across: Sequence[Group]) -> list[int]:
    return [sum(belongs(case) for case in cases) for _, belongs in across]


def _stacked(sheet: Sheet, first: int, last: int, series: int, colours: Sequence[str]) -> None:
    chart = sheet.book.book.add_chart({"type": "bar" if last - first > 7 else "column", "subtype": "stacked"})
    for column in range(1, series + 1):
        chart.add_series({
            "name": [sheet.name, first - 1, column],
            "categories": [sheet.name, first, 0, last, 0],
            "values": [sheet.name, first, column, last, column],
            "fill": {"color": colours[(column - 1) % len(colours)]}, "gap": 60,
        })  # fmt: skip
    chart.set_title({"name": [sheet.name, 0, 0], "name_font": {"name": "黑体", "size": 12}})
    chart.set_legend({"position": "bottom", "font": {"name": "仿宋", "size": 9}})
    chart.set_y_axis({"num_font": {"name": "仿宋"}, "num_format": "0", "major_gridlines": {"visible": True}})
    chart.set_x_axis({"num_font": {"name": "仿宋", "size": 9}})
    place_chart(sheet, chart, rows=14)


def _recognition(book: Book, label: str, cases: Sequence[Case]) -> None:
    """The waterfall over all enterprises whose lines are all decided; none without such lines."""
    falls: list[tuple[Case, Waterfall]] = []
    for case in cases:
        found = case.outcome.detail("waterfall")
        if isinstance(found, Waterfall) and found.recognised is not None and found.declared() is not None:
            falls.append((case, found))
    if not falls:
        return
    taken: dict[str, int] = {}
    for case, fall in falls:
        for article, fen in steps_down(case, fall):
            taken[article] = taken.get(article, 0) + fen
    declared = sum(amounts(line).declared or 0 for _, fall in falls for line in fall.lines)
    recognised = sum(fall.recognised or 0 for _, fall in falls)
    steps = sorted(taken.items(), key=lambda pair: -pair[1])
    draw_waterfall(book, "申报至核定", f"{label}（{len(falls)} 家）", declared, steps, recognised)


def _rows(book: Book, cases: Sequence[Case], place: Callable[[Case], str]) -> None:
    """The enterprises behind the tables, to be filtered; no contact persons, no phones."""
    columns = (
        Column("企业名称", 26), Column("县（市、区）", 20), Column("行业", 18), Column("等级", 14, "centre"),
        Column("状态", 12, "centre"), Column("可拨付（元）", 15, "money"), Column("文件", 24),
    )  # fmt: skip
    sheet = book.sheet("明细", columns, landscape=True)
    sheet.head()
    for case in cases:
        values: list[Any] = [case.name, place(case), _industry(case), _level(case)]
        sheet.line([*values, STATUS_LABELS[case.outcome.status], case.payable, case.file_name])
    sheet.filter()
    sheet.total("合计", {5: _payable(cases)})
    sheet.finish()
