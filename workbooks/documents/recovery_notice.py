"""收回通知: that a voucher is taken back, by which clause and in which amount (docx)."""

from __future__ import annotations

from datetime import date

from workbooks.documents.cases import Case
from workbooks.documents.grounds import identity_lines, issuer, needed_step
from workbooks.documents.letters import Letter
from xlcalc.errors import InputError
from xlcalc.results.explain import RESULT_LABELS
from xlcalc.values.amount_words import amount_in_words
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money

TITLE = "收回通知"
_STEP = "收回"


def recovery_notice(
    case: Case, *, reason: str, inspected: date | None = None, inspected_again: date | None = None,
    office: str = "", day: date | None = None, number: str = "",
) -> bytes:  # fmt: skip
    """收回通知 to one enterprise, only where the policy's own procedure has a step into 收回.

    reason: why, for every step back needs one. inspected, inspected_again: the days of the 验收 and the 复验.
    The amount is the one computed, in figures and in words; while it is open, a place for it.
    Raises InputError ``E-DOCUMENT-STEP`` where the document provides for no such step, ``E-REASON`` without a reason.
    """
    step = needed_step(case.version, case.outcome.policy, _STEP, TITLE)
    if not reason.strip():
        raise InputError("E-REASON", f"出具{TITLE}须写明原因", where=case.name, remedy="请写明两次验收的结论")
    letter = Letter(TITLE)
    letter.title(TITLE, number or "〔        〕      号")
    letter.addressee(case.name)
    label = case.outcome.policy_label
    why = reason.strip().rstrip("。")
    letter.paragraph(f"你单位申报“{label}”，{_inspections(inspected, inspected_again)}原因：{why}。")
    quote = f"“{step.ground.quote.rstrip('。')}”" if step.ground.quote else ""
    letter.paragraph(f"依据{step.ground.cited}{quote}的规定，现决定收回你单位领取的{label}，{_amount(case)}。")
    letter.paragraph("对本通知有异议的，可自收到之日起　　　日内向　　　　　　　　　　提出。")
    letter.signature(office or issuer(case.outcome.policy), day)
    letter.slip([
        "送达回证", f"受送达单位：{case.name}（盖章）", "签收人：　　　　　　　　　　联系电话：",
        "签收日期：　　　　年　　月　　日",
    ])  # fmt: skip
    decides = step.by or issuer(case.outcome.policy)
    letter.note(f"环节：{step.source} → {step.target}（{step.label}）；决定单位：{decides}。")
    for line in identity_lines([case]):
        letter.note(line)
    return letter.data()


def _inspections(first: date | None, again: date | None) -> str:
    days = [chinese_date(day) if day else "　　年　　月　　日" for day in (first, again)]
    return f"{days[0]}验收未通过，整改后于{days[1]}复验，仍未通过。"


def _amount(case: Case) -> str:
    """What was granted: the money the policy pays, as computed, whatever the status is now."""
    found = [case.outcome.results[key] for key in case.pays if key in case.outcome.results]
    label = "、".join(RESULT_LABELS.get(key, "金额") for key in case.pays) or "金额"
    total = Money(sum(amount.fen for amount in found))
    if not total.fen:
        return f"{label}为　　　　　　元（大写：　　　　　　　　　　）"
    return f"{label}为 {total}（大写：人民币{amount_in_words(total)}）"
