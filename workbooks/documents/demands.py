"""What an enterprise has to supply, correct or explain: every finding and every missing fact, each once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbooks.documents.cases import Case
from workbooks.documents.grounds import Ground, ground, ground_of, remedy_of
from xlcalc.mechanisms.eligibility import Eligibility, condition_facts
from xlcalc.results.explain import fact_label
from xlcalc.results.outcome import Finding

LABELS = {"block": "须更正", "missing": "须补充", "warn": "请核对", "human": "须由人确认", "info": "说明"}
"""Kind -> how a notice names it, most urgent first."""

_REMEDIES = {
    "block": "请更正并附佐证材料；确与条款不符的，请书面说明",
    "warn": "有误的请更正；无误的请书面说明",
    "human": "请提供可供审核人员确认的佐证材料",
}
_NOWHERE = "表中无此栏"


@dataclass(frozen=True)
class Demand:
    """One thing to be done. kind: a key of ``LABELS``. where: ``sheet!cell``. code: stable, for asking back."""

    kind: str
    says: str
    where: str
    ground: Ground | None
    remedy: str
    code: str


def demands(cases: Sequence[Case]) -> list[Demand]:
    """Everything asked of one enterprise under all its policies, the most urgent first."""
    several = len({case.file for case in cases}) > 1
    found: dict[tuple[str, str, str], Demand] = {}
    for case in cases:
        for demand in (*_from_findings(case, several), *_missing(case, several)):
            found.setdefault((demand.code, demand.says, demand.where), demand)
    order = list(LABELS)
    return sorted(found.values(), key=lambda demand: order.index(demand.kind))


def to_do(found: Sequence[Demand]) -> list[Demand]:
    """The demands that ask for something; explanations alone make no notice."""
    return [demand for demand in found if demand.kind != "info"]


def _from_findings(case: Case, several: bool) -> Iterator[Demand]:
    for finding in (*case.findings, *case.outcome.findings):
        says, remedy = remedy_of(finding.message)
        yield Demand(
            finding.severity, says, _place(case, finding.where, several), ground_of(case, finding),
            remedy or _REMEDIES.get(finding.severity, ""), finding.code,
        )  # fmt: skip


def _missing(case: Case, several: bool) -> Iterator[Demand]:
    """Missing facts, except those that a finding already asks for."""
    asked = {(finding.fact or "").partition(".")[0] for finding in _asking(case)}
    for name in case.outcome.missing:
        if name in asked:
            continue
        where = _place(case, case.facts_at.get(name), several) or _NOWHERE
        remedy = "请如实填写" if where != _NOWHERE else "请书面补充并附佐证材料"
        yield Demand("missing", f"未填写：{fact_label(name)}", where, _asks_for(case, name), remedy, "E-MISSING")


def _asking(case: Case) -> Iterator[Finding]:
    return (finding for finding in (*case.findings, *case.outcome.findings) if finding.severity in ("block", "human"))


def _asks_for(case: Case, name: str) -> Ground | None:
    """The first condition that looks at a fact."""
    for mechanism in case.version.mechanisms(case.choices):
        for condition in mechanism.conditions if isinstance(mechanism, Eligibility) else ():
            if name in condition_facts(condition):
                return ground(case.version, condition.clause)
    return None


def _place(case: Case, where: str | None, several: bool) -> str:
    if not where:
        return ""
    return f"{case.file_name} {where}" if several else where
