"""第三方审核结果比对表: every enterprise of the files and the batch on one sheet, whoever differs in colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from workbooks.documents.as_pdf import Document
from workbooks.documents.grounds import issuer, policy_label
from workbooks.documents.looks import NO_DAY, Book, Column
from workbooks.documents.naming import document_name
from workbooks.ledger.acts import batch_named
from workbooks.ledger.reviews import Compared, Result
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money

TITLE = "第三方审核结果比对表"
LABELS: dict[Result, str] = {
    "same": "一致", "differs": "不一致", "only_here": "仅第三方有", "only_there": "仅台账有", "twice": "重复",
    "unread": "不能采用",
}  # fmt: skip
_FILLS: dict[Result, str] = {
    "same": "good", "differs": "bad", "only_here": "bad", "only_there": "doubt", "twice": "bad", "unread": "bad",
}  # fmt: skip
_COLUMNS = (
    Column("序号", 4, "centre"), Column("企业名称", 17), Column("统一社会信用代码", 21, "code"),
    Column("台账阶段", 10, "centre"), Column("台账金额（元）", 17, "money"), Column("第三方结论", 8, "centre"),
    Column("第三方金额（元）", 17, "money"), Column("第三方等级", 7, "centre"), Column("比对", 9, "centre"),
    Column("不同之处", 22), Column("登记情况", 22), Column("出处", 13),
)  # fmt: skip
_RESULT = next(place for place, column in enumerate(_COLUMNS) if column.title == "比对")


def counted(rows: Sequence[Compared]) -> str:
    """How many of each result, in one line."""
    found = Counter(row.result for row in rows)
    return "，".join(f"{label} {found[result]}" for result, label in LABELS.items() if found[result]) or "没有企业"


def comparison_sheet(policy: str, batch: str, rows: Sequence[Compared], *, day: date | None, office: str) -> Document:
    """The sheet for the file; complete codes, for use within the office."""
    book = Book(TITLE)
    sheet = book.sheet("比对表", _COLUMNS, landscape=True)
    sheet.title(f"{policy_label(policy)}{TITLE}", batch_named(batch))
    sheet.sides(f"比对单位：{office or issuer(policy)}（盖章）", f"填表日期：{chinese_date(day) if day else NO_DAY}")
    sheet.head()
    for number, row in enumerate(rows, 1):
        said = row.opinion
        sheet.line(
            [
                number, row.name, row.uscc, row.state, None if row.fen is None else Money(row.fen),
                said.verdict if said else "",
                Money(said.fen) if said and said.fen is not None else None,
                said.level.label if said and said.level is not None else "", LABELS[row.result],
                "；".join(row.differences), row.note, row.place,
            ],
            fills={_RESULT: _FILLS[row.result]},
        )  # fmt: skip
    ours, theirs = _sum(row.fen for row in rows), _sum(row.opinion.fen for row in rows if row.opinion)
    sheet.total(f"合计（{len(rows)} 行）", {4: ours, 6: theirs})
    sheet.paragraph(f"{counted(rows)}。需要核实的 {sum(row.is_open for row in rows)} 行。")
    sheet.signatures(("比对人", "复核人"))
    sheet.footnotes(["台账一侧取自台账，含完整代码，供内部使用。台账不存等级，等级按政策所定面额与台账金额比对。"])
    sheet.finish()
    name = document_name(f"{policy_label(policy)}{TITLE}", batch_named(batch), day=day, suffix=".xlsx")
    return Document(name, book.data())


def _sum(values: Iterable[int | None]) -> Money:
    return Money(sum(value for value in values if value is not None))
