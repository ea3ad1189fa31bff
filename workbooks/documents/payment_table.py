"""拨付表: what is to be paid to whom, in figures and in words, with room for the accounts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from xlsxwriter.utility import xl_col_to_name

from workbooks.documents.cases import Case, Run
from workbooks.documents.doubtful_codes import doubts, told_apart
from workbooks.documents.grounds import identity_lines, issuer, policy_label
from workbooks.documents.looks import NO_DAY, Book, Column
from workbooks.documents.publicity import approved
from xlcalc.errors import InputError
from xlcalc.values.amount_words import amount_in_words
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze

TITLE = "拨付表"


def _columns(levels: bool) -> list[Column]:
    """levels: whether any is known; the ledger keeps none."""
    return [
        Column("序号", 5, "centre"),
        Column("企业名称", 23),
        Column("统一社会信用代码", 20, "code"),
        *([Column("等级", 11, "centre")] if levels else []),
        Column("拨付金额（元）", 15, "money"),
        Column("大写金额", 25),
        Column("开户名称", 15),
        Column("开户银行", 15),
        Column("银行账号", 15),
        Column("备注", 9),
    ]


def payment_table(
    run: Run, policy: str, *, day: date | None = None, office: str = "", withheld: Collection[str] = ()
) -> bytes:
    """拨付表 of one policy: only what is payable; each amount and the total in figures and in words.

    withheld: names or codes of enterprises with an objection still open, who are left out and named below, as are
    those whose code cannot be right.
    day: 填表日期. office: who pays, else who issued the policy. A cell beside the total says when amounts were changed
    and the words no longer fit. Raises InputError ``E-DOCUMENT-EMPTY`` where nothing is payable, ``E-DOCUMENT-NAME``
    for a withheld name that nobody has.
    """
    cases, left_out = _sorted_out(approved(run, policy), withheld)
    cases, doubtful = told_apart([case for case in cases if case.payable])
    if not cases:
        remedy = "".join(doubts(doubtful)) or "请核对核算结果和异议处理情况"
        raise InputError("E-DOCUMENT-EMPTY", "没有可以拨付的金额", where=policy, remedy=remedy)
    book = Book(TITLE)
    levels = any(case.level is not None for case in cases)
    columns = _columns(levels)
    place = [column.look for column in columns].index("money")
    sheet = book.sheet(TITLE, columns, landscape=True)
    sheet.title(f"{policy_label(policy)}{TITLE}")
    sheet.sides(f"拨付单位：{office or issuer(policy)}（盖章）", f"填表日期：{chinese_date(day) if day else NO_DAY}")
    sheet.head()
    first = sheet.row
    for number, case in enumerate(cases, 1):
        amount = case.payable or Money(0)
        level = [case.level.label if case.level is not None else ""] if levels else []
        words = amount_in_words(amount)
        sheet.line([number, case.name, case.uscc, *level, amount, words, None, None, None, None])
    total = Money(sum((case.payable or Money(0)).fen for case in cases))
    row = sheet.total(f"合计（{len(cases)} 家）", {place: total, place + 1: f"人民币{amount_in_words(total)}"})
    # The words do not follow a change of the figures, so a change must not pass unnoticed.
    letter = xl_col_to_name(place)
    span = f"{letter}{first + 1}:{letter}{row}"
    check = f'=IF(ROUND(SUM({span})-{letter}{row + 1},2)=0,"","金额已改动，大写和合计不再相符，请重新生成")'
    sheet.sheet.write_formula(row, len(columns), check, book.look(font_color="#C00000", font_name="仿宋"), "")
    sheet.signatures(("制表人", "复核人", "审批人"))
    notes = [f"因异议尚未排除暂不拨付：{'、'.join(case.name for case in left_out)}。"] if left_out else []
    notes += [f"{text}。" for text in doubts(doubtful)]
    notes.append("金额为核算结果；开户信息由企业提供，须与营业执照名称一致。")
    sheet.footnotes([*notes, *identity_lines(cases)])
    sheet.finish()
    return book.data()


def _sorted_out(cases: Sequence[Case], withheld: Collection[str]) -> tuple[list[Case], list[Case]]:
    wanted = {squeeze(name): name for name in withheld}
    out = [case for case in cases if {squeeze(case.name), case.uscc} & set(wanted)]
    found = {squeeze(case.name) for case in out} | {case.uscc for case in out}
    for key, name in wanted.items():
        if key not in found:
            raise InputError(
                "E-DOCUMENT-NAME",
                f"名单中没有“{name[:40]}”",
                where="withheld",
                remedy="请按企业全称或统一社会信用代码填写",
            )
    return [case for case in cases if case not in out], out
