"""补正通知单: what one enterprise has to supply or correct, by which clause and by when, with a receipt slip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workbooks.documents.cases import Case
from workbooks.documents.deadlines import Deadline
from workbooks.documents.demands import LABELS, Demand, demands, to_do
from workbooks.documents.grounds import identity_lines, issuer, steps_into
from workbooks.documents.letters import Letter
from workbooks.documents.looks import Book, Column
from xlcalc.errors import InputError

TITLE = "补正通知单"
_COLUMNS = (
    Column("序号", 4, "centre"),
    Column("须补正的事项", 27),
    Column("位置", 13, "centre"),
    Column("依据条款", 26),
    Column("补正要求", 19),
    Column("性质", 8, "centre"),
    Column("补正情况\n（申报单位填写）", 13),
)
_RETURNED, _GIVEN_UP = "退回补正", "放弃"


def supplement_notice_xlsx(
    cases: Sequence[Case],
    *,
    due: Deadline | None = None,
    issued: date | None = None,
    authority: str = "",
    number: str = "",
) -> bytes:
    """The notice as a workbook whose last column the enterprise fills in.

    cases: those of one enterprise. due: the last day, itself included. authority: who sends it. number: its 文号.
    Raises InputError ``E-DOCUMENT-EMPTY`` where there is nothing to ask for.
    """
    found = _needed(cases)
    book = Book(TITLE)
    sheet = book.sheet(TITLE, _COLUMNS, landscape=True)
    sheet.title(TITLE, number or "补正〔        〕      号")
    sheet.paragraph(f"{cases[0].name}：")
    for text in _preamble(cases, due):
        sheet.paragraph(f"　　{text}")
    sheet.head()
    for place, demand in enumerate(to_do(found), 1):
        sheet.line([place, *_cells(demand), None], fills={5: _FILLS[demand.kind]} if demand.kind in _FILLS else {})
    for demand in found:
        if demand.kind == "info":
            sheet.paragraph(f"说明：{demand.says}")
    sheet.seal(_sender(cases, authority), issued)
    sheet.slip(_receipt(cases))
    sheet.footnotes(_notes(cases, due))
    sheet.finish()
    return book.data()


def supplement_notice_docx(
    cases: Sequence[Case],
    *,
    due: Deadline | None = None,
    issued: date | None = None,
    authority: str = "",
    number: str = "",
) -> bytes:
    """The same notice as a letter with a receipt slip to be torn off."""
    found = _needed(cases)
    letter = Letter(TITLE)
    letter.title(TITLE, number or "补正〔        〕      号")
    letter.addressee(cases[0].name)
    for text in _preamble(cases, due):
        letter.paragraph(text)
    rows = []
    for place, demand in enumerate(to_do(found), 1):
        says, where, ground, remedy, kind = _cells(demand)
        rows.append([str(place), f"{says}\n（{where}）" if where else says, ground, f"【{kind}】{remedy}"])
    letter.table(("序号", "须补正的事项（位置）", "依据条款", "补正要求"), (7, 37, 33, 23), rows)
    for demand in found:
        if demand.kind == "info":
            letter.note(f"说明：{demand.says}")
    letter.signature(_sender(cases, authority), issued)
    letter.slip(_receipt(cases))
    for text in _notes(cases, due):
        letter.note(text)
    return letter.data()


_FILLS = {"block": "bad", "missing": "doubt", "warn": "doubt"}


def _needed(cases: Sequence[Case]) -> list[Demand]:
    found = demands(cases)
    if not to_do(found):
        raise InputError("E-DOCUMENT-EMPTY", "没有需要补正的事项", where=cases[0].name, remedy="无须向该企业发补正通知")
    return found


def _cells(demand: Demand) -> tuple[str, str, str, str, str]:
    code = f"［{demand.code}］" if demand.kind != "missing" else ""
    ground = str(demand.ground) if demand.ground else ""
    return f"{demand.says}{code}", demand.where, ground, demand.remedy, LABELS[demand.kind]


def _preamble(cases: Sequence[Case], due: Deadline | None) -> list[str]:
    policies = dict.fromkeys(f"“{case.outcome.policy_label}”" for case in cases)
    day = f"{due}前（含当日）" if due else "　　　　年　　月　　日前"
    texts = [
        f"你单位申报{'、'.join(policies)}的材料，经审查有下列事项须补充或更正。请于{day}逐项补正，填写补正情况后重新提交。"
    ]
    for case in _versions(cases):
        returned, given_up = steps_into(case.version, _RETURNED), steps_into(case.version, _GIVEN_UP)
        texts += [f"依据：{step.ground.cited}{_quoted(step.ground.quote)}。" for step in (given_up or returned)[:1]]
    return texts


def _quoted(quote: str) -> str:
    return f"“{quote.rstrip('。')}”" if quote else ""


def _versions(cases: Sequence[Case]) -> list[Case]:
    """One case for each policy version."""
    return list({(case.outcome.policy, case.outcome.version): case for case in cases}.values())


def _sender(cases: Sequence[Case], authority: str) -> str:
    """Who sends the notice: as given, as the form names it, or the issuer where the document lets it return."""
    if authority:
        return authority
    named = next((case.told("recommending_authority") for case in cases if case.told("recommending_authority")), "")
    if named:
        return named
    for case in cases:
        office = issuer(case.outcome.policy)
        if any(step.by and office.endswith(step.by) for step in steps_into(case.version, _RETURNED)):
            return office
    return "受理单位"


def _receipt(cases: Sequence[Case]) -> list[str]:
    return [
        "回执",
        f"我单位已收到上述{TITLE}，将按期补正。",
        f"申报单位：{cases[0].name}（盖章）",
        "签收人：　　　　　　　　　　联系电话：",
        "签收日期：　　　　年　　月　　日",
    ]


def _notes(cases: Sequence[Case], due: Deadline | None) -> list[str]:
    files = "、".join(dict.fromkeys(case.file_name for case in cases))
    notes = [f"位置为“工作表!单元格”，所在文件：{files}。［ ］内为编号，咨询时请告知。", *identity_lines(cases)]
    return [*([f"补正期限：{due.warning}。"] if due and due.warning else []), *notes]
