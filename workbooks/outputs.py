"""What every formula cell and every cell left for us should show, given what was read and computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from workbooks.assessment.text import blank_value, count_values, names_value, summary_values
from workbooks.flavour import UDF
from workbooks.form import Form
from workbooks.reader import Record
from workbooks.recommendation.form import HINTS
from workbooks.recommendation.payment_sheet import ACCEPTED, TRIAL, WAITING
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.mechanisms.cells import BAD_AMOUNT, BAD_LEVEL
from xlcalc.mechanisms.tiered_rate import TieredRate
from xlcalc.packs.policy import Version
from xlcalc.results.explain import STATUS_LABELS, explain, fact_label
from xlcalc.results.outcome import Finding, Outcome
from xlcalc.values.money import Money

Shown = dict[str, Any]
"""Port name -> value, or a list of values for a block."""


def assessment_outputs(
    form: Form, record: Record, versions: Mapping[str, Version], choices: Mapping[str, str], flavour: str
) -> Shown:
    """Every output of the 自评估报告."""
    assessment: Assessment = record.cells["assessment"]
    states, codes, figures = (record.cells[name] for name in ("states", "codes", "figures"))
    units = _units(assessment, states)
    values = assessment_cells.result_values(assessment, units, codes)
    shown: Shown = {"k_states": states, "k_units": units, "k_codes": codes}
    if flavour == UDF:
        shown["k_levels"] = [max(code, 0) for code in codes]
    shown |= {f"k_{name}": value for name, value in values.items()}
    shown["k_names"] = names_value(assessment, codes, values["level"])
    for question, unit in zip(assessment.questions, units, strict=True):
        shown[f"o_{question.key}"] = assessment_cells.score_value(unit, assessment.scale)
    shown["o_total"] = values["score"]
    shown |= {f"o_blank_{key}": blank_value(text, figures) for key, text in form.data["blanks"].items()}
    shown |= {f"o_count_{name}": text for name, text in count_values(values).items()}
    shown |= {f"o_summary_{name}": text for name, text in summary_values(assessment, values, codes).items()}
    version = versions[form.policies[1]]
    known = version.own_choices(choices)
    rate: TieredRate = version.mechanism("tiered_rate", known)
    return shown | _payment(rate, record, values)


def _units(assessment: Assessment, states: Sequence[int]) -> list[int | str]:
    units, row = [], 0
    for question in assessment.questions:
        end = row + len(question.options)
        by_code = dict(zip(question.printed, states[row:end], strict=True))
        in_pack_order = [by_code[option.code] for option in question.options]
        units.append(assessment_cells.question_units_value(question, in_pack_order))
        row = end
    return units


def _payment(rate: TieredRate, record: Record, values: Mapping[str, Any]) -> Shown:
    base = _fen(record, "recognised_cost")
    accepted = _code(record, "maturity_level")
    used: int | str = accepted if accepted != "" else values["level"]
    amount: Any = ""
    if not isinstance(used, str) and base is not None:
        amount = BAD_LEVEL if used < 0 else rate.cell_values(base, used)["subsidy"]
    tiers: Shown = {f"o_tier_{tier.level}": "" if base is None else BAD_AMOUNT for tier in rate.tiers}
    if base is not None and base >= 0:
        tiers = {f"o_tier_{tier.level}": Money(rate.tier_amount(tier.level, base)) for tier in rate.tiers}
    return {
        "o_self_level": values["level_text"],
        "o_accepted_code": accepted,
        "o_used_level": used,
        "o_basis": WAITING if used == "" or base is None else TRIAL if accepted == "" else ACCEPTED,
        "o_subsidy": "" if accepted == "" else amount,
        "o_trial": amount if accepted == "" else "",
        **tiers,
    }


def _unreadable(record: Record, name: str) -> bool:
    """Whether the cell of a fact is filled with what cannot be read: the formulas then say so, and so must we."""
    return name not in record.facts and any(finding.fact == name for finding in record.findings)


def _fen(record: Record, name: str) -> int | None:
    """The fen of an amount; None where the cell is empty, -1 where it cannot be read."""
    amount: Money | None = record.facts.get(name)
    if amount is not None:
        return amount.fen
    return -1 if _unreadable(record, name) else None


def _code(record: Record, name: str) -> int | str:
    """The level 0–4; "" where the cell is empty, -1 where it cannot be read."""
    level = record.facts.get(name)
    if level is not None:
        return int(level)
    return -1 if _unreadable(record, name) else ""


def recommendation_outputs(
    form: Form, record: Record, version: Version, choices: Mapping[str, str], outcome: Outcome, header_row: int
) -> Shown:
    """Every output of one row of a 推荐表."""
    known = version.own_choices(choices)
    facts = record.facts
    code = _code(record, "maturity_level")
    name = facts.get("enterprise_name")
    shown: Shown = {
        "t_sequence": record.row - header_row if name and record.row else "",
        "t_level_code": code,
        "t_verdict": verdict(outcome, record.findings),
    }
    kinds = [row["kind"] for row in version.data["mechanism"]]
    if "face_value" in kinds:
        mechanism = version.mechanism("face_value", known)
        level = None if isinstance(code, str) or code < 0 else code
        values = mechanism.cell_values(level, _received(mechanism.cap.counts, facts))
    else:
        mechanism = version.mechanism("discount_voucher", known)
        values = mechanism.cell_values(_fen(record, "approved_amount"), _received(mechanism.cap.counts, facts))
    shown |= {f"t_{key}": value for key, value in values.items()}
    shown["t_hint"] = _hint(name, code, values[form.data["outputs"][0]])
    return shown


def _received(counts: Sequence[str], facts: Mapping[str, Any]) -> int:
    return sum(facts[name].fen for name in counts if facts.get(name) is not None)


def _hint(name: Any, code: int | str, amount: Any) -> str:
    if not name:
        return ""
    if isinstance(code, str):
        return HINTS[0]
    if code < 0:
        return HINTS[1]
    if amount == "":
        return HINTS[2]
    if code < 2:
        return HINTS[3]
    return amount if isinstance(amount, str) else HINTS[4]


def verdict(outcome: Outcome, findings: Sequence[Finding]) -> str:
    """One line for a table row: the status, what is payable, what is missing, what failed."""
    parts = [STATUS_LABELS[outcome.status]]
    if outcome.payable is not None and outcome.status == "determined":
        parts.append(f"可拨付 {outcome.payable}")
    blocks = [finding for finding in (*findings, *outcome.findings) if finding.severity == "block"]
    parts += [
        f"[{finding.code}] {finding.message}" + (f"（{finding.clause}）" if finding.clause else "")
        for finding in blocks
    ]
    if outcome.missing:
        parts.append("尚缺：" + "、".join(fact_label(name) for name in outcome.missing))
    parts += [f"[{finding.code}] {finding.message}" for finding in outcome.findings if finding.severity == "warn"]
    return "；".join(parts)[:2000]


def explanation(outcomes: Sequence[Outcome], findings: Sequence[Finding], lines: int) -> list[str]:
    """The 依据 sheet's lines: derivations, then findings with their cells; what does not fit is counted."""
    text = [line for outcome in outcomes for line in (*explain(outcome).splitlines(), "")]
    text += [f"[{finding.code}] {finding.where or ''} {finding.message}" for finding in findings]
    if len(text) > lines:
        rest = len(text) - lines + 1
        text = [*text[: lines - 1], f"…… 另有 {rest} 行，见运行报告"]
    return text + [""] * (lines - len(text))


def cell_value(value: Any) -> int | str | bool | Decimal | None:
    """A value as the patch route writes it: money in 元, scores as exact decimals (15 digits at most)."""
    if isinstance(value, Money):
        return value.yuan
    if isinstance(value, Fraction):
        number = Decimal(value.numerator) / Decimal(value.denominator)
        return Decimal(format(number, ".15g"))
    if value is None or isinstance(value, int | str | bool | Decimal):
        return value
    raise TypeError(f"no cell value for {type(value).__name__}")
