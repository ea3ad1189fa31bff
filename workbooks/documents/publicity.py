"""公示名单: whom the office means to support and with how much, without anything that is nobody else's business."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from workbooks.documents.cases import Case, Run
from workbooks.documents.deadlines import Deadline
from workbooks.documents.doubtful_codes import doubts, mask_code, told_apart
from workbooks.documents.grounds import documents_of, identity_lines, issuer, needed_step, policy_label, steps_into
from workbooks.documents.looks import Book, Column
from workbooks.documents.plain_text import readable
from xlcalc.errors import InputError
from xlcalc.results.explain import RESULT_LABELS
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money
from xlcalc.values.phones import mask_phones

TITLE = "公示名单"
_STEP, _OPEN = "公示", "＿＿＿＿年＿＿月＿＿日"
_NOT_FORESEEN = "本政策的文件未写明公示环节，是否公示、公示几日由主管部门决定。"


def approved(run: Run, policy: str) -> list[Case]:
    """Who is on the list: determined, nothing blocking, and with money where the policy pays any."""
    return [
        case
        for case in run.needed(policy)
        if case.outcome.status == "determined" and not case.blocked and (not case.pays or _amount(case).fen > 0)
    ]


def _amount(case: Case) -> Money:
    return case.payable or Money(0)


def publicity_list(
    run: Run, policy: str, *, day: date | None = None, start: date | None = None, end: Deadline | None = None,
    codes: bool = False, office: str = "", contact: str = "", objected: Collection[str] = (),
) -> bytes:  # fmt: skip
    """公示名单 of one policy, with totals; numbers of phones and identity cards in any name are masked.

    day: under the seal. start, end: the first and the last day of the 公示. Each is left open where not given.
    codes: with the masked 统一社会信用代码. office: who publishes, else who issued the policy. contact: how to object,
    printed as given. objected: the codes of those to whom an objection is not settled.
    Who gave a code that cannot be right is not on it; that, and who is objected to, stands where it is not printed.
    Raises InputError ``E-DOCUMENT-EMPTY`` where nobody is to be published, ``E-DOCUMENT-STEP`` for a policy that
    neither pays nor publishes, ``E-PERIOD`` for an end before the start.
    """
    cases, doubtful = told_apart(approved(run, policy))
    if cases and not cases[-1].pays:
        # An assessment without a procedure of its own is nobody's programme and has nothing to publish.
        needed_step(cases[-1].version, policy, _STEP, TITLE)
    if not cases:
        remedy = "".join(doubts(doubtful)) or "请先处理待补正和不符合条件的企业"
        raise InputError("E-DOCUMENT-EMPTY", "没有可以公示的企业", where=policy, remedy=remedy)
    if start and end and end.day < start:
        raise InputError("E-PERIOD", "公示截止日期早于开始日期", where=str(end), remedy="请核对起止日期")
    counties, levels = any(case.facts.get("county") for case in cases), any(case.level is not None for case in cases)
    pays = any(case.pays for case in cases)
    columns = [
        Column("序号", 6, "centre"),
        Column("企业名称", 34),
        *([Column("统一社会信用代码", 22, "code")] if codes else []),
        *([Column("县（市、区）", 14, "centre")] if counties else []),
        *([Column("数字化水平", 16, "centre")] if levels else []),
        *([Column(f"{_paid_for(cases)}（元）", 18, "money")] if pays else []),
    ]
    office = office or issuer(policy)
    book = Book(TITLE)
    sheet = book.sheet(TITLE, columns)
    sheet.title(f"{policy_label(policy)}{TITLE}")
    for text in _preamble(cases, start, end):
        sheet.paragraph(f"　　{text}")
    sheet.head()
    for number, case in enumerate(cases, 1):
        values = [
            number,
            mask_phones(readable(case.name)),
            *([mask_code(case.uscc)] if codes else []),
            *([mask_phones(case.told("county"))] if counties else []),
            *([case.level.label if case.level is not None else ""] if levels else []),
            *([_amount(case)] if pays else []),
        ]
        sheet.line(values)
    if pays:
        sheet.total(f"合计（{len(cases)} 家）", {len(columns) - 1: Money(sum(_amount(case).fen for case in cases))})
    sheet.paragraph(
        f"　　对公示内容有异议的，请在公示期内向公示单位反映。受理方式：{contact or '＿＿＿＿＿＿＿＿＿＿＿＿'}"
    )
    sheet.seal(office, day)
    notes = [f"公示期：{end.warning}。"] if end and end.warning else []
    if not steps_into(cases[-1].version, _STEP):
        notes.append(_NOT_FORESEEN)
    sheet.footnotes([*notes, *identity_lines(cases)])
    sheet.finish()
    waiting = "、".join(mask_phones(case.name) for case in cases if case.uscc in objected)
    asked = [f"异议尚未排除：{waiting}。请核对是否列入"] if waiting else []
    sheet.unprinted([*doubts(doubtful, public=True), *asked])
    return book.data()


def _paid_for(cases: Sequence[Case]) -> str:
    labels = {RESULT_LABELS.get(key, "金额") for case in cases for key in case.pays}
    return labels.pop() if len(labels) == 1 else "拟补贴金额"


def _preamble(cases: Sequence[Case], start: date | None, end: Deadline | None) -> list[str]:
    version = cases[-1].version
    text = f"根据{'、'.join(documents_of(version))}，经审核，现将下列 {len(cases)} 家企业予以公示。"
    first = chinese_date(start) if start else _OPEN
    last = str(end) if end else _OPEN
    texts = [f"{text}公示期为{first}至{last}（含首尾两日）。"]
    quotes = [step.ground for step in steps_into(version, _STEP)[:1] if step.ground.quote]
    return [*texts, *(f"依据：{ground.cited}：“{ground.quote}”" for ground in quotes)]
