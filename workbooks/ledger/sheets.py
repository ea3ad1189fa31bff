"""The registers an office keeps, as sheets from the ledger: 发券台账, 异议登记表 and what one enterprise has had."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workbooks.documents.cases import Case
from workbooks.documents.grounds import identity_lines, issuer, policy_label
from workbooks.documents.looks import NO_DAY, Book, Column, Sheet
from workbooks.ledger.programmes import label_of, programme
from workbooks.ledger.questions import Event, Held
from workbooks.ledger.standing import Standing, Told
from xlcalc.errors import InputError
from xlcalc.values.amount_words import amount_in_words
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money

ISSUED, OBJECTIONS, HISTORY = "发券台账", "异议登记表", "企业享受情况"
OBJECTION = "异议"

_ISSUED = (
    Column("序号", 5, "centre"), Column("企业名称", 24), Column("统一社会信用代码", 21, "code"),
    Column("发券日期", 15, "date"), Column("文号", 20), Column("金额（元）", 14, "money"),
    Column("现处阶段", 12, "centre"), Column("兑付日期", 15, "date"), Column("收回、取消日期", 15, "date"),
    Column("收回、取消金额（元）", 14, "money"), Column("原因", 18),
)  # fmt: skip
_OBJECTIONS = (
    Column("序号", 5, "centre"), Column("企业名称", 24), Column("统一社会信用代码", 21, "code"),
    Column("金额（元）", 14, "money"), Column("提出日期", 15, "date"), Column("异议内容", 30),
    Column("登记人", 9, "centre"), Column("处理结果", 14, "centre"), Column("处理日期", 15, "date"),
    Column("处理理由、文号", 28),
)  # fmt: skip
_HISTORY = (
    Column("登记号", 7, "count"), Column("日期", 15, "date"), Column("项目", 18), Column("批次", 14),
    Column("事项", 26), Column("金额（元）", 14, "money"), Column("经办人", 9, "centre"), Column("文号", 14),
    Column("原因", 18), Column("来源文件", 18), Column("政策版本", 12, "date"),
)  # fmt: skip
_HELD = (
    Column("项目", 30), Column("批次", 20), Column("金额（元）", 18, "money"), Column("现处阶段", 18, "centre"),
    Column("进入该阶段的日期", 18, "date"),
)  # fmt: skip


def issued_register(policy: str, batch: str, found: Sequence[Standing], *, day: date | None, office: str) -> bytes:
    """发券台账 of a batch: every voucher handed out, those taken back too, with totals in figures and in words.

    Raises InputError ``E-DOCUMENT-STEP`` for a programme without vouchers, ``E-DOCUMENT-EMPTY`` before any is issued.
    """
    issued = programme(policy).issued
    if not issued:
        raise InputError("E-DOCUMENT-STEP", f"“{policy_label(policy)}”不发券", where=policy, remedy="请核对政策")
    rows = [(item, step) for item in found if (step := item.step_into(issued)) is not None]
    if not rows:
        raise InputError("E-DOCUMENT-EMPTY", f"批次“{batch}”还没有发券", where=policy, remedy="请先办理发券")
    book = Book(ISSUED)
    sheet = book.sheet(ISSUED, _ISSUED, landscape=True)
    sheet.title(f"{policy_label(policy)}{ISSUED}", batch)
    _sides(sheet, policy, day, office)
    sheet.head()
    for number, (item, step) in enumerate(rows, 1):
        paid, ended = item.step_into(programme(policy).paid), _ended(policy, item)
        sheet.line([
            number, item.name, item.application.uscc, step.day, step.document, item.amount, item.state_label,
            paid.day if paid else None, ended.day if ended else None, Money(item.taken_back) if ended else None,
            ended.reason if ended else "",
        ])  # fmt: skip
    total, back = Money(sum(item.amount.fen for item, _ in rows)), Money(sum(_back(policy, item) for item, _ in rows))
    sheet.total(f"合计（{len(rows)} 张）", {5: total, 9: back})
    left = Money(total.fen - back.fen)
    sheet.paragraph(f"发券金额扣除收回、取消后：{left}，人民币{amount_in_words(left)}。")
    sheet.signatures(("登记人", "复核人"))
    _foot(sheet, [item.case for item, _ in rows])
    return book.data()


def _ended(policy: str, item: Standing) -> Told | None:
    return item.steps[-1] if item.state in programme(policy).ends else None


def _back(policy: str, item: Standing) -> int:
    return item.taken_back if _ended(policy, item) else 0


def objection_register(policy: str, batch: str, found: Sequence[Standing], *, day: date | None, office: str) -> bytes:
    """异议登记表 of a batch: every objection, and how and when it was settled.

    Raises InputError ``E-DOCUMENT-STEP`` where the procedure knows no objections, ``E-DOCUMENT-EMPTY`` without any.
    """
    if not any(OBJECTION in label for item in found for label in item.states.labels.values()):
        raise InputError(
            "E-DOCUMENT-STEP", f"“{policy_label(policy)}”的文件没有异议环节", where=policy, remedy="请核对政策"
        )
    rows = [
        (item, step, item.steps[place + 1] if place + 1 < len(item.steps) else None)
        for item in found
        for place, step in enumerate(item.steps)
        if OBJECTION in step.target
    ]
    if not rows:
        raise InputError("E-DOCUMENT-EMPTY", f"批次“{batch}”没有异议", where=policy, remedy="请核对批次")
    book = Book(OBJECTIONS)
    sheet = book.sheet(OBJECTIONS, _OBJECTIONS, landscape=True)
    sheet.title(f"{policy_label(policy)}{OBJECTIONS}", batch)
    _sides(sheet, policy, day, office)
    sheet.head()
    for number, (item, step, settled) in enumerate(rows, 1):
        sheet.line([
            number, item.name, item.application.uscc, item.amount, step.day, step.reason, step.operator,
            settled.transition.label if settled else "核查中", settled.day if settled else None,
            "；".join(text for text in (settled.reason, settled.document) if text) if settled else "",
        ])  # fmt: skip
    waiting = sum(settled is None for _, _, settled in rows)
    sheet.paragraph(f"共 {len(rows)} 件，已处理 {len(rows) - waiting} 件，核查中 {waiting} 件。")
    sheet.signatures(("登记人", "复核人"))
    _foot(sheet, [item.case for item, _, _ in rows])
    return book.data()


def history_workbook(uscc: str, names: Sequence[str], held: Sequence[Held], events: Sequence[Event]) -> bytes:
    """企业享受情况: what one enterprise holds, and every entry behind it with who, when and from which file."""
    if not events:
        raise InputError("E-DOCUMENT-EMPTY", "台账中没有这家企业", remedy="请核对统一社会信用代码")
    book = Book(HISTORY)
    sheet = book.sheet("享受情况", _HELD, landscape=True)
    sheet.title(HISTORY, f"{'、'.join(names)}（{uscc}）")
    sheet.head()
    for row in held:
        sheet.line([label_of(row.policy), row.batch, Money(row.fen), row.state, row.since])
    total = Money(sum(row.fen for row in held))
    sheet.total("合计", {2: total})
    sheet.paragraph(f"合计人民币{amount_in_words(total)}。已收回、取消的不计。")
    sheet.finish()
    sheet = book.sheet("登记经过", _HISTORY, landscape=True)
    sheet.title("登记经过", uscc)
    sheet.head()
    for event in events:
        amount = None if event.fen is None else Money(event.fen)
        sheet.line([
            event.act, event.day, label_of(event.policy), event.batch, event.what, amount, event.operator,
            event.document, event.reason, event.source, event.version,
        ])  # fmt: skip
    sheet.finish()
    return book.data()


def _sides(sheet: Sheet, policy: str, day: date | None, office: str) -> None:
    left = f"登记单位：{office or issuer(policy)}（盖章）"
    sheet.sides(left, f"填表日期：{chinese_date(day) if day else NO_DAY}")


def _foot(sheet: Sheet, cases: Sequence[Case]) -> None:
    sheet.footnotes(["内容取自台账，含完整代码，供内部使用。", *identity_lines(cases)])
    sheet.finish()
