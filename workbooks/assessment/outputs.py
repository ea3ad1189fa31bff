"""What the cells of a 自评估报告 show, its 补贴测算 included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbooks.assessment.text import blank_value, count_values, names_value, summary_values
from workbooks.form import UDF, Form
from workbooks.recommendation.words import ACCEPTED, TRIAL, WAITING
from workbooks.record import Record, Shown
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.mechanisms.cells import BAD_AMOUNT, BAD_LEVEL
from xlcalc.mechanisms.tiered_rate import TieredRate
from xlcalc.packs.policy import Version
from xlcalc.values.money import Money


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
    base = record.fen("recognised_cost")
    accepted = record.level_code("maturity_level")
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
