"""核定明细: line by line from what was declared to what is recognised, with reasons, totals and a waterfall chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from workbooks.documents.cases import Case
from workbooks.documents.grounds import identity_lines
from workbooks.documents.looks import Book, Column, Sheet
from xlcalc.errors import InputError
from xlcalc.facts import fact
from xlcalc.mechanisms.cost_recognition import CostRecognition, Waterfall, WaterfallLine
from xlcalc.values.amount_words import amount_in_words
from xlcalc.values.money import Money

TITLE = "投入核定明细表"
_COLUMNS = (
    Column("序号", 5, "centre"),
    Column("产品或服务", 22),
    Column("费用类别", 12, "centre"),
    Column("申报金额（元）", 15, "money"),
    Column("剔除金额（元）", 15, "money"),
    Column("核减金额（元）", 15, "money"),
    Column("核定金额（元）", 15, "money"),
    Column("剔除、核减的原因和条款", 46),
)
_UNDECIDED = "待核定"


@dataclass(frozen=True)
class Amounts:
    """One line in fen: declared = excluded + reduced + recognised. None: not known yet.

    excluded: of a line of which nothing is recognised; reduced: of one of which something is.
    """

    declared: int | None
    excluded: int | None
    reduced: int | None
    recognised: int | None


def amounts(line: WaterfallLine) -> Amounts:
    """The amounts of a line; nothing but the declared one while it is undecided."""
    if line.recognised is None or line.declared is None:
        return Amounts(line.declared, None, None, line.recognised)
    less = line.declared - line.recognised
    gone = line.recognised == 0
    return Amounts(line.declared, less if gone else 0, 0 if gone else less, line.recognised)


def waterfall_of(case: Case) -> Waterfall:
    """The recognition of the enterprise's costs; raises InputError ``E-DOCUMENT-EMPTY`` where there is none."""
    found = case.outcome.detail("waterfall")
    if not isinstance(found, Waterfall):
        raise InputError(
            "E-DOCUMENT-EMPTY", "没有投入明细，不能出具核定明细", where=case.name, remedy="请提供逐行的投入明细"
        )
    return found


def recognition_sheet(case: Case, *, day: date | None = None) -> bytes:
    """核定明细 of one enterprise: 申报 − 剔除 − 核减 = 核定 for each line, each category and in total.

    day: the day of the review. Raises InputError ``E-DOCUMENT-EMPTY`` without lines.
    """
    waterfall = waterfall_of(case)
    table = fact(_mechanism(case).table)
    book = Book(TITLE)
    sheet = book.sheet(TITLE, _COLUMNS, landscape=True)
    sheet.title(TITLE, case.outcome.policy_label)
    sheet.sides(f"项目单位：{case.name}", f"统一社会信用代码：{case.uscc}")
    sheet.head()
    for line in waterfall.lines:
        own = amounts(line)
        category = "" if line.category is None else table.columns["category"].show(line.category)
        name = line.name.removeprefix(f"第{line.row}行").removeprefix("（").removesuffix("）") or line.name
        waits = line.recognised is None
        sheet.line(
            [line.row, name, category, *_money(own.declared, own.excluded, own.reduced),
             _UNDECIDED if waits else Money(line.recognised or 0), _reasons(case, line)],
            fills={6: "doubt"} if waits else {},
        )  # fmt: skip
    total = _total([amounts(line) for line in waterfall.lines])
    recognised = _UNDECIDED if total.recognised is None else Money(total.recognised)
    money = _money(total.declared, total.excluded, total.reduced)
    sheet.total("合计", {3: money[0], 4: money[1], 5: money[2], 6: recognised})
    sheet.paragraph(_said(waterfall, total), boxed=True)
    sheet.signatures(("审核人", "复核人", "核定单位（盖章）"))
    sheet.footnotes([f"审核日期：{day.isoformat() if day else '    年   月   日'}", *identity_lines([case])])
    sheet.finish()
    _by_category(book, case, waterfall, table)
    _chart(book, case, waterfall)
    return book.data()


def _mechanism(case: Case) -> CostRecognition:
    return next(item for item in case.version.mechanisms(case.choices) if isinstance(item, CostRecognition))


def _money(*values: int | None) -> list[Money | None]:
    return [None if value is None else Money(value) for value in values]


def _total(rows: Sequence[Amounts]) -> Amounts:
    """Sums, None where one of the parts is not known."""

    def whole(name: str) -> int | None:
        found = [getattr(row, name) for row in rows]
        return None if None in found else sum(found)

    return Amounts(whole("declared"), whole("excluded"), whole("reduced"), whole("recognised"))


def _reasons(case: Case, line: WaterfallLine) -> str:
    """Each deduction with its amount and clause; of an undecided line what it waits for."""
    texts = []
    for item in line.deductions:
        less = f"减 {Money(item.fen)}：" if item.fen else ""
        texts.append(f"{less}{item.sentence}（{case.version.clauses[item.clause].article}）")
    if line.recognised is None:
        table = fact(_mechanism(case).table)
        lacking = "、".join(table.columns[name].label for name in line.missing)
        texts += [*([f"缺：{lacking}"] if lacking else []), *line.waits_for]
    return "\n".join(texts)


def _said(waterfall: Waterfall, total: Amounts) -> str:
    if total.recognised is None or total.declared is None:
        waiting = sum(line.recognised is None for line in waterfall.lines)
        return f"共 {len(waterfall.lines)} 行，其中 {waiting} 行尚不能核定，核定投入待定。"
    less = Money(total.declared - total.recognised)
    words = amount_in_words(Money(total.recognised))
    return f"申报 {Money(total.declared)} − 剔除和核减 {less} = 核定 {Money(total.recognised)}（大写：人民币{words}）。"


def _by_category(book: Book, case: Case, waterfall: Waterfall, table: Any) -> None:
    """The same amounts by category of cost; the totals are those of the lines."""
    columns = (Column("费用类别", 30), Column("行数", 8, "count"), *_COLUMNS[3:7])
    sheet = book.sheet("按费用类别", columns)
    sheet.title("投入核定汇总表（按费用类别）", case.name)
    sheet.head()
    groups: dict[str, list[Amounts]] = {}
    for line in waterfall.lines:
        label = "未填费用类别" if line.category is None else table.columns["category"].show(line.category)
        groups.setdefault(label, []).append(amounts(line))
    for label, rows in groups.items():
        sheet.line([label, len(rows), *_totals(rows)])
    everything = [row for rows in groups.values() for row in rows]
    sheet.total("合计", dict(enumerate([len(everything), *_totals(everything)], 1)))
    sheet.footnotes(["有一行尚不能核定的，该类别和合计的剔除、核减、核定金额留空。"])
    sheet.finish()


def _totals(rows: Sequence[Amounts]) -> list[Money | None]:
    total = _total(rows)
    return _money(total.declared, total.excluded, total.reduced, total.recognised)


def steps_down(case: Case, waterfall: Waterfall) -> list[tuple[str, int]]:
    """What each clause takes from the declared amount, in fen, the largest first; decided lines only."""
    taken: dict[str, int] = {}
    for line in waterfall.lines:
        for item in line.deductions if line.recognised is not None else ():
            article = case.version.clauses[item.clause].article
            taken[article] = taken.get(article, 0) + item.fen
    return sorted(((article, fen) for article, fen in taken.items() if fen), key=lambda pair: -pair[1])


def _chart(book: Book, case: Case, waterfall: Waterfall) -> None:
    decided = [amounts(line) for line in waterfall.lines if line.recognised is not None and line.declared is not None]
    total = _total(decided)
    title = f"{case.name} 投入核定（已核定的 {len(decided)} 行）"
    draw_waterfall(book, "核定瀑布图", title, total.declared or 0, steps_down(case, waterfall), total.recognised or 0)


def draw_waterfall(
    book: Book, name: str, title: str, declared: int, taken: Sequence[tuple[str, int]], recognised: int
) -> None:
    """A sheet with 申报 → each reason → 核定 as figures and as a chart; amounts in fen.

    title: shown by the chart as the cell that holds it, because a chart would read a name with ``!`` as a reference.
    The steps always lead from the one to the other: what no reason accounts for is a step of its own.
    """
    unexplained = declared - sum(fen for _, fen in taken) - recognised
    steps = [*taken, *([("其他", unexplained)] if unexplained else [])]
    columns = [Column("步骤", 30), *(Column(f"{label}（元）", 18, "money") for label in ("余额", "减少", "合计"))]
    sheet = book.sheet(name, columns)
    sheet.title("申报至核定", title)
    sheet.head(repeat=False)
    first = sheet.row
    sheet.line(["申报", None, None, Money(declared)])
    left = declared
    for label, fen in steps:
        left -= fen
        sheet.line([label, Money(left), Money(fen), None])
    sheet.line(["核定", None, None, Money(recognised)])
    last = sheet.row - 1
    chart = book.book.add_chart({"type": "column", "subtype": "stacked"})
    colours = {1: None, 2: "#F4B183", 3: "#5B9BD5"}
    for column, colour in colours.items():
        look = {"fill": {"color": colour}, "border": {"none": True}} if colour else {"fill": {"none": True}}
        labels = {"value": True, "num_format": '#,##0.00;;""', "font": {"name": "仿宋", "size": 8}} if colour else {}
        chart.add_series(
            {
                "name": [sheet.name, first - 1, column],
                "categories": [sheet.name, first, 0, last, 0],
                "values": [sheet.name, first, column, last, column],
                "gap": 40,
                **look,
                **({"data_labels": labels} if labels else {}),
            }
        )
    chart.set_title({"name": [sheet.name, 1, 0], "name_font": {"name": "黑体", "size": 12}})
    chart.set_legend({"none": True})
    chart.set_y_axis({"num_format": "#,##0", "name": "元", "num_font": {"name": "仿宋"}, "min": 0})
    chart.set_x_axis({"num_font": {"name": "仿宋", "size": 9}})
    place_chart(sheet, chart)
    sheet.finish()


def place_chart(sheet: Sheet, chart: Any, rows: int = 18) -> None:
    """Puts a chart below what is written, as wide as the page, and leaves the rows it covers."""
    wide = sum(7 * width + 5 for width in sheet.widths)
    chart.set_size({"width": int(wide * 0.98), "height": int(rows * 24 * 4 / 3 * 0.96)})
    sheet.gap(10)
    sheet.sheet.insert_chart(sheet.row, 0, chart, {"x_offset": 4, "y_offset": 4})
    for _ in range(rows):
        sheet.gap(24)
