"""口径确认表 for signature: what the documents leave open, how it was read, and what another reading would change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from workbooks.documents.cases import Case, Run
from workbooks.documents.grounds import documents_of, identity_lines, policy_label
from workbooks.documents.letters import Letter
from xlcalc.packs.policy import Interpretation
from xlcalc.results.explain import RESULT_LABELS
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money

TITLE = "口径确认表"


def choices_letter(run: Run, policy: str, *, office: str = "", day: date | None = None) -> bytes:
    """口径确认表 of one policy: each open question with the readings on offer, the one used, and its effect on the run.

    office: who confirms, else whom the pack names. Raises InputError ``E-DOCUMENT-EMPTY`` without cases.
    """
    cases = run.needed(policy)
    version = cases[-1].version
    letter = Letter(TITLE)
    letter.title(f"{policy_label(policy)}{TITLE}")
    letter.paragraph(
        f"{'、'.join(documents_of(version))}有下列事项未作规定或可作不同理解。本次对 {_enterprises(cases)} 家企业的核算"
        "按“☑”所示口径进行，请确认；改用其他口径的，请在“确认意见”栏注明，重新核算后生效。"
    )
    open_items = [item for item in version.interpretations.values() if item.kind == "choice"]
    if open_items:
        letter.heading("一、须选定的口径")
        rows = [[item.id, _question(item), _options(item, cases), _effect(item, cases), ""] for item in open_items]
        letter.table(("编号", "事项及理由", "口径", "对本次结果的影响", "确认意见"), (14, 30, 26, 19, 11), rows)
    others = [item for item in version.interpretations.values() if item.kind != "choice"]
    if others:
        letter.heading("二、按下列理解办理的事项" if open_items else "按下列理解办理的事项")
        letter.table(("编号", "事项", "处理", "确认意见"), (14, 39, 35, 12), [_remark(item) for item in others])
    confirmers = dict.fromkeys(item.confirmed_by for item in open_items if item.confirmed_by)
    confirmed = chinese_date(day) if day else "　　　　年　　月　　日"
    letter.slip([
        "确　　认", "经办人：　　　　　　复核人：　　　　　　负责人：",
        f"确认单位：{office or '、'.join(confirmers) or '主管部门'}（盖章）", f"确认日期：{confirmed}",
    ])  # fmt: skip
    for line in identity_lines(cases):
        letter.note(line)
    return letter.data()


def _enterprises(cases: Sequence[Case]) -> int:
    return len({case.identity for case in cases})


def _question(item: Interpretation) -> str:
    return f"{item.question}\n理由：{item.reason}"


def _options(item: Interpretation, cases: Sequence[Case]) -> str:
    """Every reading, those in use ticked; workbooks of one run may have been filled in under different ones."""
    used = {case.choices.get(item.id) for case in cases}
    lines = []
    for code, label in item.options.items():
        default = "（默认）" if code == item.default else ""
        lines.append(f"{'☑' if code in used else '☐'} {label}{default}")
    if len(used) > 1:
        lines.append("本次各工作簿所选不同，请统一")
    return "\n".join(lines)


def _effect(item: Interpretation, cases: Sequence[Case]) -> str:
    """For each other reading: how many enterprises it changes, and by how much in money."""
    return "\n".join(_changes(item, cases)) or "无影响"


def _changes(item: Interpretation, cases: Sequence[Case]) -> Iterator[str]:
    for code, label in item.options.items():
        changed, moved = 0, 0
        for case in cases:
            found = next(
                (choice.alternatives.get(code) for choice in case.outcome.choices if choice.id == item.id), None
            )
            if found:
                changed += 1
                moved += sum(_difference(case, key, found[key]) for key in case.pays if key in found)
        if changed:
            money = f"，{_paid(cases)}合计{'增加' if moved > 0 else '减少'} {Money(abs(moved))}" if moved else ""
            yield f"改用“{label}”：{changed} 家结果不同{money}"


def _difference(case: Case, key: str, other: Money) -> int:
    own = case.outcome.results.get(key)
    return other.fen - (own.fen if isinstance(own, Money) else 0)


def _paid(cases: Sequence[Case]) -> str:
    labels = dict.fromkeys(RESULT_LABELS.get(key, "金额") for case in cases for key in case.pays)
    return "、".join(labels)


def _remark(item: Interpretation) -> list[str]:
    return [item.id, item.question, item.reason, ""]
