"""What is wrong in a form is listed, most urgent first, with the cell it stands in; and every result of the list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from test_application_forms import again, filled, sample
from workbench import CLOUD_COMPANY, At, place, seen, typed, values

from workbooks.form import forms
from workbooks.listed import LINES, findings_shown, stale_together
from workbooks.recalc import Recalculated
from workbooks.template import build_template
from xlcalc.results.explain import fact_label
from xlcalc.results.outcome import Finding

CLOUD, SAAS = "shijiazhuang.cloud_application", "shijiazhuang.saas_application"
CHAIN, BENCHMARK = "shijiazhuang.chain_application", "shijiazhuang.benchmark_application"
REPORT, COSTS = "hohhot.summary_report", "hohhot.cost_recognition"
PLATFORM, SURVEY = "zaozhuang.platform_application", "zaozhuang.platform_recommendation"

GOOD: dict[str, dict[str, Any]] = {
    CLOUD: {
        **CLOUD_COMPANY, "registered_address": "示例市示例区示例路1号", "industry_code": "3911", "revenue": "1000万元",
        "committed_name": "示例青禾电子有限公司", "commitment_sealed": True, "digital_status": "（1）甲。（2）乙。",
        "expected_effect": "降本。", "materials": {"application": True, "contract": True, "licence": True},
        "pilot_project_parts": ["software"], "pilot_software_amount": "3万元",
    },
}  # fmt: skip
"""Facts under which nothing blocks."""


def listed(result: Recalculated) -> list[tuple[str, str, str]]:
    """(severity, place, message) of the list's filled lines."""
    data = result.data
    names = ("fill_finding_severity", "fill_finding_where", "fill_finding_message")
    rows = zip(*(values(data, name) for name in names), strict=True)
    return [row for row in rows if row[2]]


def at(data: bytes, where: At) -> str:
    return str(place(data, *((where, 0) if isinstance(where, str) else where)))


LONG = "长" * 2000
LIGHTHOUSE = {"benchmark_directions": ["lighthouse"]}
TYPED: list[tuple[str, Mapping[str, Any], At, str]] = [
    (CLOUD, {"committed_name": "别的公司"}, "i_committed_name", "SJZ-CLOUD-53"),
    (CLOUD, {"digital_status": LONG}, "i_digital_status", "SJZ-CLOUD-50"),
    (CLOUD, {"materials": {"application": True, "contract": False, "licence": True}}, ("m_materials", 1),
     "SJZ-CLOUD-17"),
    (CLOUD, {"acceptance_passed": False}, "i_acceptance_passed", "SJZ-CLOUD-10"),
    (CLOUD, {"pilot_software_amount": "0元"}, "i_pilot_software_amount", "SJZ-CLOUD-48"),
    (SAAS, {"project_content": LONG}, "i_project_content", "SJZ-CLOUD-65"),
    (CHAIN, {"case_title": LONG}, "i_case_title", "CHAIN-34"),
    (BENCHMARK, LIGHTHOUSE | {"benchmark_scenes": [{"description": "短"}, {"results": LONG}]},
     "r_benchmark_scenes_2_results", "SZB-FORM-10"),
    (REPORT, {"summary_overview": "短"}, "i_summary_overview", "HHHT-SUM-01"),
    (REPORT, {"report_evidence": {"project_audit": False}}, ("m_report_evidence", 2), "HHHT-SUM-10"),
    (PLATFORM, {"postal_code": "12"}, "i_postal_code", "ZZ-FORM-11"),
]  # fmt: skip
"""(form, facts, cell, code): what fails and where it stands."""


@pytest.mark.parametrize(("form", "facts", "where", "code"), TYPED)
def test_a_finding_reaches_its_cell(form: str, facts: Mapping[str, Any], where: At, code: str) -> None:
    data = build_template(form, GOOD.get(form, {}) | facts)
    rows = zip(values(data, "fill_finding_code"), values(data, "fill_finding_where"), strict=True)
    assert (code, at(data, where)) in list(rows)


UNREADABLE: list[tuple[str, Mapping[At, Any], At, str]] = [
    (CLOUD, {"i_cloud_use_implemented": "也许"}, "i_cloud_use_implemented", "E-BOOL"),
    (CLOUD, {"i_maturity_level": "五级"}, "i_maturity_level", "E-LEVEL"),
    (CLOUD, {("m_materials", 2): "缺"}, ("m_materials", 2), "E-BOOL"),
    (SAAS, {("i_honours", 0): "√", "n_honours": "√"}, "n_honours", "E-EXCLUSIVE"),
    (SAAS, {("i_honours", 1): "？"}, ("i_honours", 1), "E-TICK"),
    (SAAS, {("c_service_expenses_amount", 3): "三万"}, ("c_service_expenses_amount", 3), "E-MONEY"),
    (SURVEY, {("c_survey_sample_rating", 3): "√", ("c_survey_sample_rating", 5): "√"}, ("c_survey_sample_rating", 3),
     "E-EXCLUSIVE"),
    (COSTS, {("c_investment_lines_supplier_uscc", 0): "123"}, ("c_investment_lines_supplier_uscc", 0), "E-USCC"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "cells", "where", "code"), UNREADABLE)
def test_what_cannot_be_read_is_named_at_its_cell(form: str, cells: Mapping[At, Any], where: At, code: str) -> None:
    data = again(typed(build_template(form), cells)).data
    rows = zip(values(data, "fill_finding_code"), values(data, "fill_finding_where"), strict=True)
    assert (code, at(data, where)) in list(rows)


def test_a_line_of_costs_is_named_at_its_row() -> None:
    """A payment in cash is not recognised (申报指南 五6); the second line is."""
    line = {"item": "MES", "category": "软件", "declared_amount": "1万元", "payment_method": "现金"}
    data = build_template(COSTS, {"investment_lines": [{**line, "payment_method": "转账"}, line]})
    rows = list(zip(values(data, "fill_finding_code"), values(data, "fill_finding_where"), strict=True))
    assert ("HHHT-INV-07", at(data, ("c_investment_lines_item", 1))) in rows
    assert ("HHHT-INV-07", at(data, ("c_investment_lines_item", 0))) not in rows


def test_nothing_wrong_is_said_so() -> None:
    result = again(build_template(CLOUD, GOOD[CLOUD]))
    assert not [row for row in listed(result) if row[0] in ("不予通过", "尚未填写")]
    assert seen(result.data, "fill_summary")[0].startswith("石家庄市上云用云抵扣券：可以确定，可拨付 15,000.00 元")


@pytest.mark.parametrize("form", [name for name, spec in forms().items() if spec.kind == "application"])
def test_the_list_is_complete_and_in_order(form: str) -> None:
    result = again(filled(form, 9))
    rows = listed(result)
    order = ["不予通过", "尚未填写", "须人工判断", "提醒", "说明"]
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), key=order.index)
    messages = {row[2] for row in rows}
    own = {finding.message for finding in result.all_findings() if finding.severity != "human"}
    assert own <= messages or len(rows) == LINES
    elsewhere = "".join(message for message in messages if message.startswith("本表没有以下"))
    facts_at = result.read.records[0].facts_at
    for _, outcome in result.outcomes:
        for name in outcome.missing:
            own_cells = {cell for key, cell in facts_at.items() if key.partition(".")[0] == name}
            assert own_cells & {row[1] for row in rows} or fact_label(name) in elsewhere, name


def test_more_findings_than_lines_are_counted() -> None:
    many = [Finding(f"E-{n}", "warn", f"问题{n}", None, f"表!A{n}") for n in range(1, LINES + 6)]
    shown = findings_shown(many, "", {"表": 2})
    assert shown["fill_finding_message"][-1] == "另有 6 条，见运行报告"
    assert shown["fill_finding_mark"][:2] == ["2!A1", "2!A2"] and shown["o_finding_number"][-1] == LINES


def test_results_stored_otherwise_are_one_line_and_hide_nothing() -> None:
    stale = [
        Finding("E-STORED-DIFFERS", "warn", f"保存的为{n}", None, f"表!A{n}", differs=(str(n), "0"))
        for n in range(1, 9)
    ]
    other = Finding("E-USCC", "warn", "代码有误", None, "表!B2")
    together, kept = stale_together([stale[0], other, *stale[1:]])
    assert kept is other and together.where == "表!A1" and "8 处" in together.message
    assert stale_together([other, stale[0]]) == [other, stale[0]]


def test_the_list_is_made_anew_without_blaming_the_file() -> None:
    """Between two recalculations somebody typed; the stored links belong to the first."""
    first = build_template(CLOUD, GOOD[CLOUD] | {"committed_name": "别的公司"})
    second = again(typed(first, {"i_committed_name": "示例青禾电子有限公司", "i_uscc": None}))
    assert "E-STORED-DIFFERS" not in {finding.code for finding in second.all_findings()}
    rows = listed(second)
    assert not [row for row in rows if "企业全称须与" in row[2]]
    assert again(second.data).data == second.data


def test_facts_that_the_form_has_no_row_for_are_refused() -> None:
    from xlcalc.errors import InputError

    five = [{"name": f"场景{n}"} for n in range(5)]
    for form, facts, code in (
        (BENCHMARK, {"benchmark_scenes": five}, "E-ROWS"),
        (REPORT, {"effects_before": {"no_such_row": "甲"}}, "E-ITEM"),
        (CLOUD, {"materials": {"no_such_material": True}}, "E-MATERIAL"),
    ):
        with pytest.raises(InputError) as caught:
            build_template(form, facts)
        assert caught.value.code in (code, "E-ITEM") and caught.value.remedy


def test_a_table_longer_than_the_form_gets_more_rows() -> None:
    facts = sample(CHAIN, 3, rows=41)
    data = build_template(CHAIN, facts)
    assert len(values(data, "c_led_enterprises_name")) == 41
