"""What the cells of one row of a 推荐表 show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbooks.form import Form
from workbooks.outputs import verdict
from workbooks.recommendation.words import HINTS
from workbooks.record import Record, Shown
from xlcalc.packs.policy import Version
from xlcalc.results.outcome import Outcome


def recommendation_outputs(
    form: Form, record: Record, version: Version, choices: Mapping[str, str], outcome: Outcome, header_row: int
) -> Shown:
    """Every output of one row of a 推荐表."""
    known = version.own_choices(choices)
    facts = record.facts
    code = record.level_code("maturity_level")
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
        values = mechanism.cell_values(record.fen("approved_amount"), _received(mechanism.cap.counts, facts))
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
