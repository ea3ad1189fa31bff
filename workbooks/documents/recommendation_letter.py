"""推荐文件: the county's letter that goes with the 推荐表 (docx)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workbooks.documents.cases import Case, Run
from workbooks.documents.doubtful_codes import doubts, told_apart
from workbooks.documents.grounds import documents_of, identity_lines, issuer, needed_step, policy_label
from workbooks.documents.letters import Letter
from xlcalc.errors import InputError

TITLE = "推荐文件"
_STEP = "推荐"


def recommended(run: Run, policy: str) -> list[Case]:
    """Whom the county may recommend: nothing blocks them, and no condition failed."""
    refused = ("not_eligible", "not_in_force")
    return [case for case in run.needed(policy) if not case.blocked and case.outcome.status not in refused]


def recommendation_letter(
    run: Run, policy: str, *, county: str = "", office: str = "", day: date | None = None, number: str = "",
    annexes: Sequence[str] = (),
) -> bytes:  # fmt: skip
    """推荐文件 to the office that issued the policy, with the names of those recommended, in the order of the 推荐表.

    county: as it stands in the title. office: who recommends, else the 推荐单位 of the form. number: its 文号.
    annexes: what is enclosed, else the policy's table. Who gave a code that cannot be right is named below the list
    instead. Raises InputError ``E-DOCUMENT-STEP`` where the document
    provides for no recommendation, ``E-DOCUMENT-EMPTY`` where nobody can be recommended.
    """
    version = run.needed(policy)[-1].version
    step = needed_step(version, policy, _STEP, TITLE)
    cases, doubtful = told_apart(recommended(run, policy))
    if not cases:
        remedy = "".join(doubts(doubtful)) or "请先处理不符合条件的企业"
        raise InputError("E-DOCUMENT-EMPTY", "没有可以推荐的企业", where=policy, remedy=remedy)
    office = office or next((name for case in cases if (name := case.told("recommending_authority"))), "")
    who = office or (f"{county}工业和信息化主管部门" if county else "推荐单位")
    label = policy_label(policy)
    subject = f"{county}关于报送{label}推荐企业的函"
    letter = Letter(subject)
    letter.title(subject, number or "〔        〕      号")
    letter.addressee(issuer(policy))
    quote = f"“{step.ground.quote.rstrip('。')}”" if step.ground.quote else ""
    titles = "、".join(documents_of(version))
    letter.paragraph(f"根据{titles}{step.ground.article}{quote}的要求，我单位对企业提交的申报材料进行了审核。")
    many = f"等 {len(cases)} 家企业" if len(cases) > 1 else ""
    letter.paragraph(f"经审核，{cases[0].name}{many}符合推荐要求，现予推荐，请予审核。")
    for place, annex in enumerate(annexes or _tables(version.data["form"]), 1):
        letter.paragraph(f"附件：{place}. {annex}" if place == 1 else f"　　　{place}. {annex}")
    letter.signature(who, day)
    letter.page_break()
    letter.heading("推荐企业名单")
    rows = [
        [str(number), case.name, case.uscc, case.told("industry"), case.told("remark")]
        for number, case in enumerate(cases, 1)
    ]
    letter.table(("序号", "企业名称", "统一社会信用代码", "所属行业", "备注"), (7, 32, 33, 18, 10), rows)
    open_cases = [case.name for case in cases if case.outcome.status != "determined"]
    if open_cases:
        letter.note(f"盖章前请确认，下列企业尚有未填写或待核定的内容：{'、'.join(open_cases)}。")
    for line in (*(f"{text}。" for text in doubts(doubtful)), *identity_lines(cases)):
        letter.note(line)
    return letter.data()


def _tables(forms: Sequence[dict[str, str]]) -> list[str]:
    """The tables that the document itself prints, for a recommendation goes with one."""
    return [row["title"] for row in forms if row["kind"] == "table"] or ["推荐企业申报材料"]
