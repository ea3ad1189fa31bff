"""What is written out of the ledger: 发券台账, 拨付表, 公示名单, 收回通知, 异议登记表, 企业享受情况."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from workbooks.documents.as_pdf import Document
from workbooks.documents.cases import Run
from workbooks.documents.deadlines import Deadline
from workbooks.documents.grounds import policy_label
from workbooks.documents.naming import document_name
from workbooks.documents.payment_table import TITLE as PAYMENT
from workbooks.documents.payment_table import payment_table
from workbooks.documents.publicity import TITLE as PUBLICITY
from workbooks.documents.publicity import publicity_list
from workbooks.documents.recovery_notice import TITLE as RECOVERY
from workbooks.documents.recovery_notice import recovery_notice
from workbooks.ledger.programmes import programme
from workbooks.ledger.questions import code_asked, had, history, names_of
from workbooks.ledger.sheets import (
    HISTORY,
    ISSUED,
    OBJECTION,
    OBJECTIONS,
    history_workbook,
    issued_register,
    objection_register,
)
from workbooks.ledger.standing import Standing, standings
from xlcalc.errors import InputError

_RECOVERED = "收回"
_PUBLISHED = "公示"


@dataclass(frozen=True)
class Said:
    """What a person says besides: who issues the document and when, the 公示, and how an objection is made."""

    office: str = ""
    day: date | None = None
    number: str = ""
    start: date | None = None
    end: Deadline | None = None
    codes: bool = False
    contact: str = ""


def issued(policy: str, batch: str, found: Sequence[Standing], said: Said) -> list[Document]:
    """发券台账."""
    data = issued_register(policy, batch, found, day=said.day, office=said.office)
    return [_document(policy, batch, ISSUED, said, data)]


def objections(policy: str, batch: str, found: Sequence[Standing], said: Said) -> list[Document]:
    """异议登记表."""
    data = objection_register(policy, batch, found, day=said.day, office=said.office)
    return [_document(policy, batch, OBJECTIONS, said, data)]


def payment(policy: str, batch: str, found: Sequence[Standing], said: Said) -> list[Document]:
    """拨付表 of those whose next step may be the payment; who is held up by an objection is named below the table."""
    granted = [item for item in found if item.application.fen > 0]
    withheld = _objected(granted)
    due = [item for item in granted if item.may_enter(programme(policy).paid) and item.application.uscc not in withheld]
    if not due:
        raise _nobody("没有下一步为拨付的企业", "请先把公示、验收等步骤办到拨付之前；异议未排除的不拨付")
    run = Run(tuple(item.case for item in granted if item in due or item.application.uscc in withheld))
    data = payment_table(run, policy, day=said.day, office=said.office, withheld=withheld)
    return [_document(policy, batch, PAYMENT, said, data)]


def _objected(found: Sequence[Standing]) -> list[str]:
    """The codes of those to whom an objection is not settled."""
    return [item.application.uscc for item in found if OBJECTION in item.state_label]


def publicity(policy: str, batch: str, found: Sequence[Standing], said: Said) -> list[Document]:
    """公示名单 of those in 公示 or one step before it, of all that hold money where the procedure has no 公示."""
    kept = programme(policy)
    states = [state for state, what in kept.timed.items() if what == _PUBLISHED]
    listed = [
        item
        for item in found
        if item.application.fen > 0 and (not states or any(item.state == s or item.may_enter(s) for s in states))
    ]
    if not listed:
        raise _nobody("没有可以公示的企业", "请先把审核办到公示之前，并登记核算结果")
    data = publicity_list(
        Run(tuple(item.case for item in listed)), policy, day=said.day, start=said.start, end=said.end,
        codes=said.codes, office=said.office, contact=said.contact, objected=_objected(listed),
    )  # fmt: skip
    return [_document(policy, batch, PUBLICITY, said, data)]


def recovery(policy: str, batch: str, found: Sequence[Standing], said: Said) -> list[Document]:
    """收回通知 to everyone whose voucher was taken back, with the reason and the days the ledger has."""
    made = []
    for item in found:
        last = item.steps[-1] if item.steps else None
        if last is None or last.target != _RECOVERED:
            continue
        # The step before the last is the 复验, the one before that the 整改 after the 验收.
        days = [step.day for step in item.steps[-3:-1]]
        inspected, again = (days[0], days[1]) if len(days) == 2 else (None, None)
        data = recovery_notice(
            item.case, reason=last.reason, inspected=inspected, inspected_again=again, office=said.office,
            day=said.day, number=said.number,
        )  # fmt: skip
        name = document_name(item.name, policy_label(policy) + RECOVERY, day=said.day, suffix=".docx")
        made.append(Document(name, data))
    if not made:
        raise _nobody("没有收回的折扣券", "收回须先用 xlcalc ledger step 办理")
    return made


BATCH_KINDS: dict[str, Callable[[str, str, Sequence[Standing], Said], list[Document]]] = {
    "issued": issued, "payment": payment, "publicity": publicity, "recovery": recovery, "objections": objections,
}  # fmt: skip
"""Kind -> what it makes of a programme's batch; the names are those of the command line."""


def exported(connection: Connection, kind: str, policy: str, batch: str, said: Said) -> list[Document]:
    """The documents of a kind; raises InputError where there is nobody to put into one, LedgerError."""
    return BATCH_KINDS[kind](policy, batch, standings(connection, policy, batch), said)


def history_document(connection: Connection, code: str, said: Said) -> Document:
    """企业享受情况 of one enterprise."""
    uscc = code_asked(connection, code)
    names = names_of(connection, uscc)
    data = history_workbook(uscc, names, had(connection, uscc), history(connection, uscc))
    return Document(document_name(names[-1] if names else uscc, HISTORY, day=said.day, suffix=".xlsx"), data)


def _document(policy: str, batch: str, title: str, said: Said, data: bytes) -> Document:
    return Document(document_name(f"{policy_label(policy)}{title}", batch, day=said.day, suffix=".xlsx"), data)


def _nobody(message: str, remedy: str) -> InputError:
    return InputError("E-DOCUMENT-EMPTY", message, remedy=remedy)
