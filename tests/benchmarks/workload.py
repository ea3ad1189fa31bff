"""The workload: filled workbooks of three kinds, each with stale results, made from a seed and from nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook
from workbooks.form import form
from workbooks.ports import Manifest
from workbooks.prefill import prefill
from workbooks.template import build_template, manifest
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.packs.registry import load_policy

KINDS = {
    "assess": "hohhot.self_assessment",
    "invest": "hohhot.cost_recognition",
    "recommend": "shijiazhuang.cloud_recommendation",
}
PRINTED = {"assess": 1, "invest": 30, "recommend": 30}
"""The rows a form has on paper, all filled."""
LARGE = {"assess": 1, "invest": 200, "recommend": 300}

_LEVELS = ("一级", "二级", "三级", "四级")
_INDUSTRIES = ("新一代电子信息制造业", "生物医药制造业", "现代食品制造业", "先进专用设备制造业")
_CONDITIONS: dict[str, Any] = {
    "registered_locally": True, "independent_legal_person": True, "on_pilot_list": True, "is_sme": True,
    "industry": "特色食品加工", "implementation_start": "2024-08-01", "implementation_end": "2025-06-30",
    "period_end": "2025-10-31", "application_date": "2025-09-30", "documents_in_period": True,
    "not_listed_abnormal": True, "product_not_restricted": True, "no_major_incidents": True,
    "centrally_funded_little_giant": False,
}  # fmt: skip
_ROUND: dict[str, Any] = {
    "registered_locally": True, "independent_legal_person": True, "operating_well": True,
    "no_serious_violations": True, "is_sme": True, "on_pilot_list": True, "acceptance_passed": True,
    "provider_is_support_unit": True, "implementation_end": "2025-06-30", "pilot_end": "2025-12-31",
    "contract_date": "2025-05-31", "application_date": "2025-05-31",
}  # fmt: skip


def workbooks(kind: str, count: int, rows: int | None = None, seed: int = 1) -> Iterator[tuple[str, bytes]]:
    """So many different workbooks of a kind, each with a name: what was typed is new, the results are the blank's."""
    rows = PRINTED[kind] if rows is None else rows
    base = RawBook(Package.from_bytes(_blank(kind, rows)))
    spec = form(KINDS[kind])
    for number in range(count):
        chance = random.Random(f"{seed} {kind} {rows} {number}")
        facts = FACTS[kind](chance, rows, number)
        yield f"{kind}-{number:05}.xlsx", base.patch(prefill(base, spec, _ports(kind), _assessment(kind), facts))


def write_workload(folder: Path, count: int, rows: Mapping[str, int] = PRINTED, seed: int = 1) -> list[Path]:
    """So many workbooks in a folder, the kinds taking turns; returns their paths in that order."""
    folder.mkdir(parents=True, exist_ok=True)
    share = {kind: len(range(place, count, len(KINDS))) for place, kind in enumerate(KINDS)}
    makers = {kind: workbooks(kind, number, rows[kind], seed) for kind, number in share.items()}
    paths = []
    for number in range(count):
        name, data = next(makers[list(KINDS)[number % len(KINDS)]])
        path = folder / f"{number:05}-{name}"
        path.write_bytes(data)
        paths.append(path)
    return paths


@cache
def _blank(kind: str, rows: int) -> bytes:
    """The template with room for so many rows, and in its formulas the results of as many empty ones."""
    if kind == "assess":
        return build_template(KINDS[kind])
    if kind == "invest":
        return build_template(KINDS[kind], {"investment_lines": [{} for _ in range(rows)]})
    return build_template(KINDS[kind], [{} for _ in range(rows)])


def _ports(kind: str) -> Manifest:
    return manifest(KINDS[kind])


@cache
def _assessment(kind: str) -> Assessment | None:
    if kind != "assess":
        return None
    found: Assessment = load_policy("hohhot.maturity_2024").newest.mechanism("assessment")
    return found


def _enterprise(chance: random.Random, number: int, row: int = 0) -> dict[str, Any]:
    return {"enterprise_name": f"示例{number:05}第{row}{chance.choice('云溪青禾远山')}有限公司"}


def _assess(chance: random.Random, rows: int, number: int) -> list[dict[str, Any]]:
    del rows
    assessment = _assessment("assess")
    assert assessment is not None
    answers: dict[str, Any] = {}
    for question in assessment.questions:
        codes = list(question.printed)
        answers[question.key] = chance.choice(codes)
    scenes = {scene.key: chance.randrange(5) for scene in assessment.scenes}
    cost = f"{chance.randrange(10_000_000, 200_000_000) / 100:.2f}元"
    own = {"recognised_cost": cost, "form_date": "2025-09-20", "answers": answers, "scenes": scenes}
    return [_CONDITIONS | _enterprise(chance, number) | {"maturity_level": chance.choice(_LEVELS)} | own]


def _invest(chance: random.Random, rows: int, number: int) -> list[dict[str, Any]]:
    name = _enterprise(chance, number)["enterprise_name"]
    supplier = "示例数科（集团）有限公司"
    lines = []
    for row in range(rows):
        amount = f"{chance.randrange(10_000, 3_000_000) / 100:.2f}元"
        late = chance.random() < 0.05
        lines.append({
            "item": f"系统{row}", "category": chance.choice(("软件", "设备", "诊断")), "declared_amount": amount,
            "contract_no": f"HT-{row:04}", "contract_date": "2025-11-05" if late else "2024-08-01",
            "contract_amount": amount, "buyer": name, "supplier": supplier, "contract_account": "150000000001",
            "invoice_no": f"{number:08}{row:04}", "invoice_kind": chance.choice(("发票联", "数电票")),
            "invoice_date": f"2024-09-{chance.randrange(1, 29):02}", "invoice_amount": amount, "tax_rate": "13%",
            "invoice_buyer": name, "invoice_seller": supplier, "invoice_matches": chance.random() > 0.03,
            "payment_date": f"2024-10-{chance.randrange(1, 29):02}", "payment_amount": amount,
            "payment_method": "转账", "payer": name, "payee": supplier, "payee_account": "150000000001",
            "related_party": False,
        })  # fmt: skip
    roster = [{"name": supplier, "role": "集成服务商"}]
    more = {"maturity_level": chance.choice(_LEVELS[1:]), "service_provider_roster": roster, "investment_lines": lines}
    return [_CONDITIONS | {"enterprise_name": name} | more]


def _recommend(chance: random.Random, rows: int, number: int) -> list[dict[str, Any]]:
    return [
        _ROUND
        | _enterprise(chance, number, row)
        | {
            "industry": chance.choice(_INDUSTRIES),
            "above_designated_size": chance.random() > 0.3,
            "contact_person": "示例联系人",
            "contact_phone": "000-00000000",
            "maturity_level": chance.choice(_LEVELS),
            "cloud_voucher_received": f"{chance.choice((0, 0, 0, 5000))}元",
            "saas_reduction_to_date": "0元",
        }  # fmt: skip
        for row in range(rows)
    ]


FACTS = {"assess": _assess, "invest": _invest, "recommend": _recommend}
