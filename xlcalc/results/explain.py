"""The derivation of an outcome in Chinese, as a reviewer would read it aloud."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from xlcalc.facts import catalogue
from xlcalc.results.outcome import Outcome
from xlcalc.results.trace import decimal_text
from xlcalc.values.levels import MaturityLevel
from xlcalc.values.money import Money

STATUS_LABELS = {
    "determined": "可以确定",
    "not_determined": "尚不能确定",
    "not_eligible": "不符合条件",
    "not_in_force": "政策不在有效期内",
}
SEVERITY_LABELS = {"block": "不予通过", "warn": "提醒", "info": "说明", "human": "须人工判断"}
BASIS_LABELS = {"quoted": "文件原文", "secondary": "公开的二手来源", "assumed": "约定（文件未写明）"}
RESULT_LABELS = {
    "score": "得分",
    "maturity_level": "数字化水平等级",
    "scenes_at_level": "达到该等级的场景数",
    "mandatory_at_level": "其中约束性场景数",
    "gap_to_next": "距下一等级",
    "face_value": "抵扣券面额",
    "reduction": "核减金额",
    "own_payment": "企业自付",
    "recognised_cost": "核定投入",
    "subsidy": "补贴金额",
    "award": "奖补金额",
    "prize_budget": "奖金预算",
    "prize_money": "奖金合计",
    "enterprise_size": "企业规模",
    "status": "状态",
}


def show(value: Any, key: str = "") -> str:
    """A result as Chinese text; ``key``: the result's, by which the code of an option is named."""
    if isinstance(value, MaturityLevel):
        return value.label
    if isinstance(value, Fraction):
        return f"{decimal_text(value)} 分"
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, dict):
        wants = [
            f"{show(amount)}" if key == "points" else f"{amount} 个{'约束性' if key == 'mandatory' else ''}场景"
            for key, amount in value.items()
            if key in ("points", "scenes", "mandatory") and amount
        ]
        return f"{value['level'].label}还差 {'、'.join(wants)}" if wants else f"{value['level'].label}要求均已达到"
    if isinstance(value, str) and key in catalogue():
        return catalogue()[key].show(value)
    return STATUS_LABELS.get(value, str(value)) if isinstance(value, str) else str(value)


def fact_label(name: str) -> str:
    """What a missing fact or question is called: ``q3`` is 第3题."""
    if name in catalogue():
        return catalogue()[name].label
    return f"第{name[1:]}题" if name[:1] == "q" and name[1:].isdigit() else name


def explain(outcome: Outcome) -> str:
    """Every step with its clause, what is missing, what a person must know, and under which pack it was computed."""
    lines = [f"{outcome.policy_label}（版本 {outcome.version}）：{STATUS_LABELS[outcome.status]}"]
    for key, value in outcome.results.items():
        if key != "gap_to_next":
            lines.append(f"  {RESULT_LABELS.get(key, key)}：{show(value, key)}")
    if outcome.payable is not None:
        lines.append(f"  可拨付：{outcome.payable}")
    sentences = [sentence for step in outcome.steps for sentence in step.sentences]
    lines += _section("依据", sentences)
    lines += _section("尚缺", ["；".join(fact_label(name) for name in outcome.missing)] if outcome.missing else [])
    lines += _section(
        "提示",
        [
            f"[{finding.code}] {SEVERITY_LABELS[finding.severity]}：{finding.message}"
            + (f"（{finding.clause}）" if finding.clause else "")
            for finding in outcome.findings
        ],
    )
    unchecked = [label for step in outcome.steps for label in step.unchecked]
    lines += _section("未提供，未核对", ["；".join(unchecked)] if unchecked else [])
    lines += _section("由人确认", [f"{item.label}（{item.clause}）" for item in outcome.attested])
    lines += _section("口径", [text for choice in outcome.choices for text in choice_lines(choice)])
    lines.append(f"数值依据：{BASIS_LABELS[outcome.basis]}。政策包 {outcome.pack_hash[:12]}，计算库 {outcome.library}")
    return "\n".join(lines)


def choice_lines(choice: Any) -> list[str]:
    """A choice and, for each other option, what it would change."""
    lines = [f"{choice.id} {choice.question}：本次按“{choice.label}”（{choice.chosen}）"]
    for code, changes in choice.alternatives.items():
        changed = "；".join(f"{RESULT_LABELS.get(key, key)} {show(value, key)}" for key, value in changes.items())
        lines.append(f"若按 {code}：{changed}")
    return lines


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"{title}：", *(f"  · {line}" for line in lines)] if lines else []
