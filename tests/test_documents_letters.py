"""The letters: who is named, under which clause, and where a document gives no ground for a letter there is none."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import docx
import pytest
from casebook import json_facts, policy_cases
from documents_bench import code, project, projects, text_of, voucher_row, vouchers
from docx.oxml.ns import qn
from workbench import SAAS_VOUCHER, SUBSIDY

from workbooks.documents.cases import Run, run_of_facts
from workbooks.documents.choices_letter import choices_letter
from workbooks.documents.grounds import LONGEST_QUOTE, Ground, ground_of, remedy_of, steps_into
from workbooks.documents.recommendation_letter import recommendation_letter, recommended
from workbooks.documents.recovery_notice import recovery_notice
from xlcalc.errors import InputError
from xlcalc.packs.registry import load_policy, policy_ids
from xlcalc.results.outcome import Finding

DAY = date(2025, 5, 31)


def test_a_recommendation_names_whom_it_recommends_and_the_clause() -> None:
    run = vouchers()
    text = text_of(recommendation_letter(run, SAAS_VOUCHER, county="示例县", day=DAY))
    assert "示例县关于报送石家庄市 SaaS 折扣券推荐企业的函" in text and "石家庄市工业和信息化局：" in text
    assert "第十二条2" in text and "附件：1. SaaS 化服务企业推荐表" in text and "2025年5月31日" in text
    names = [case.name for case in recommended(run, SAAS_VOUCHER)]
    # The third is not on the pilot list; the seventh stands in the run twice.
    assert names == [case.name for number, case in enumerate(run.cases, 1) if number not in (3, 7, 8)]
    table = docx.Document(io.BytesIO(recommendation_letter(run, SAAS_VOUCHER))).tables[0]
    assert [row.cells[1].text for row in table.rows[1:]] == names
    assert "盖章前请确认，下列企业尚有未填写或待核定的内容：示例4号机械有限公司。" in text


def test_nobody_to_recommend() -> None:
    run = run_of_facts(SAAS_VOUCHER, [voucher_row(3, on_pilot_list=False)])
    with pytest.raises(InputError) as caught:
        recommendation_letter(run, SAAS_VOUCHER)
    assert caught.value.code == "E-DOCUMENT-EMPTY"


def one_of(policy: str) -> Run:
    """The first case held for a policy, as a run."""
    case = next(case for case in policy_cases() if case.policy == policy and "error" not in case.expect)
    on = date.fromisoformat(case.on) if case.on else None
    return run_of_facts(policy, [json_facts(case.facts)], on=on, choices=case.choices)


@pytest.mark.parametrize("policy", sorted({case.policy for case in policy_cases()}))
def test_a_voucher_is_taken_back_only_where_the_procedure_says_so(policy: str) -> None:
    run = one_of(policy)
    labels = {row["label"] for row in run.cases[0].version.data["state"]}
    if "收回" in labels:
        text = text_of(recovery_notice(run.cases[0], reason="复验未达到二级", day=DAY))
        assert "收回" in text and "复验未达到二级。" in text
    else:
        with pytest.raises(InputError) as caught:
            recovery_notice(run.cases[0], reason="复验未达到二级")
        assert caught.value.code == "E-DOCUMENT-STEP"


def test_one_policy_takes_back_and_states_the_amount() -> None:
    taking = [p for p in policy_ids() if steps_into(load_policy(p).newest, "收回")]
    assert taking == [SAAS_VOUCHER]
    case = vouchers().cases[1]
    text = text_of(
        recovery_notice(case, reason="复验未达到二级", inspected=date(2025, 7, 1), inspected_again=date(2025, 9, 1))
    )
    assert "若企业未通过定级验收且整改后仍未通过定级验收的，则收回 SaaS 折扣券" in text and "第十二条4" in text
    assert "100,000.00 元（大写：人民币壹拾万元整）" in text
    assert "2025年7月1日验收未通过，整改后于2025年9月1日复验" in text


def test_an_amount_that_is_not_known_is_left_to_be_filled_in() -> None:
    assert "核减金额为　　　　　　元" in text_of(recovery_notice(vouchers().cases[3], reason="复验未达到二级"))


def test_no_voucher_is_taken_back_without_a_reason() -> None:
    with pytest.raises(InputError) as caught:
        recovery_notice(vouchers().cases[0], reason=" ")
    assert caught.value.code == "E-REASON"


def test_choices_are_ticked_as_used_and_say_what_another_would_change() -> None:
    # 50万元 at 三级: 250,000.00 by the letter, 350,000.00 where the lower level pays more.
    row = {key: value for key, value in project().items() if key != "investment_lines"}
    data = choices_letter(projects(row | {"recognised_cost": "50万元"}), SUBSIDY)
    tables = docx.Document(io.BytesIO(data)).tables
    cells = {row.cells[0].text: [cell.text for cell in row.cells] for row in tables[0].rows}
    assert cells["AMB-31"][2].startswith("☑ 按验收等级计算（默认）\n☐ ")
    assert "1 家结果不同，补贴金额合计增加 100,000.00 元" in cells["AMB-31"][3]
    assert cells["AMB-37"][3] == "无影响" and cells["AMB-37"][4] == ""
    version = load_policy(SUBSIDY).newest
    listed = {row.cells[0].text for table in tables for row in table.rows[1:]}
    assert listed == set(version.interpretations)
    assert "呼和浩特市工业和信息化局（盖章）" in text_of(data)


def test_readings_that_differ_within_a_run_are_pointed_out() -> None:
    one = projects(project(uscc=code(1)))
    other = projects(project(uscc=code(2)), choices={"AMB-34": "contract_earlier"})
    text = text_of(choices_letter(Run((*one.cases, *other.cases)), SUBSIDY))
    assert text.count("本次各工作簿所选不同，请统一") == 1


def test_headings_repeat_and_fonts_are_those_of_official_documents() -> None:
    document = docx.Document(io.BytesIO(recommendation_letter(vouchers(), SAAS_VOUCHER)))
    assert document.tables[0].rows[0]._tr.trPr.findall(qn("w:tblHeader"))
    fonts = {
        run.font.name: run._element.rPr.rFonts.get(qn("w:eastAsia"))
        for paragraph in document.paragraphs for run in paragraph.runs if run.text.strip()
    }  # fmt: skip
    assert fonts.items() >= {"方正小标宋简体": "方正小标宋简体", "黑体": "黑体", "仿宋": "仿宋"}.items()
    section = document.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    assert 'w:instr="PAGE"' in section.footer._element.xml


def test_what_cannot_be_seen_does_not_reach_a_letter() -> None:
    run = run_of_facts(SAAS_VOUCHER, [voucher_row(1, remark="备\u202e注\x07")])
    text = text_of(recommendation_letter(run, SAAS_VOUCHER))
    assert "备注" in text and "\u202e" not in text


def test_a_finding_cites_the_one_clause_that_says_it() -> None:
    case = run_of_facts(SAAS_VOUCHER, [voucher_row(1, contract_date="2025-06-01")]).cases[0]
    (finding,) = [item for item in case.outcome.findings if item.severity == "block"]
    found = ground_of(case, finding)
    assert found is not None and (found.article, found.quote[:10]) == ("第十二条1", "合同签订时间范围为 ")
    # Three clauses are cited as 第十二条1; without the rule behind it the words stay open.
    assert ground_of(case, Finding("E-NONE", "warn", "…", "第十二条1")) == Ground(found.title, "第十二条1")
    assert ground_of(case, Finding("E-NONE", "warn", "…")) is None


def test_a_long_clause_is_cited_by_its_number_alone() -> None:
    case = vouchers().cases[2]
    (finding,) = [item for item in case.outcome.findings if item.severity == "block"]
    scope = next(clause for clause in case.version.clauses.values() if clause.article == "第十一条2")
    assert len(scope.quote) > LONGEST_QUOTE
    assert str(ground_of(case, finding)) == "第十一条2"


def test_a_message_is_split_into_fault_and_remedy() -> None:
    assert remedy_of("不是18位。请核对营业执照") == ("不是18位", "请核对营业执照")
    assert remedy_of("甲；请删去重复的行。") == ("甲", "请删去重复的行")
    assert remedy_of("须在本市注册登记") == ("须在本市注册登记", "")


def test_letters_of_a_case_under_other_results_keep_their_status() -> None:
    case = vouchers().cases[0]
    failed = replace(case, outcome=replace(case.outcome, status="not_eligible"))
    assert "72,000.00 元" in text_of(recovery_notice(failed, reason="复验未达到二级"))
