"""The tables: every number is the outcome's, totals add up, nothing private is public, no text becomes a formula."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from casebook import json_facts, policy_cases
from documents_bench import (
    INJECTED,
    NAME_PHONE,
    PAYABLE,
    PERSON,
    PHONE,
    code,
    project,
    projects,
    raw_text,
    rows_under,
    sheets,
    text_of,
    text_of_sheet,
    total_row,
    voucher_row,
    vouchers,
)
from workbench import (
    CLOUD,
    CLOUD_COMPANY,
    CLOUD_VOUCHER,
    FORM,
    MATURITY,
    SAAS,
    SAAS_COMPANY,
    SAAS_VOUCHER,
    SUBSIDY,
    e1,
    filled,
    place,
    save,
)

from workbooks.documents import cases
from workbooks.documents.cases import Run, run_of_facts, run_of_workbooks
from workbooks.documents.deadlines import Deadline, after_working_days, fixed
from workbooks.documents.doubtful_codes import mask_code
from workbooks.documents.kinds import KINDS, Wishes, make
from workbooks.documents.looks import Book, Column
from workbooks.documents.material_list import LACKING, NOT_ASKED, PRESENT, UNSEEN, material_list
from workbooks.documents.naming import document_name, write_new
from workbooks.documents.payment_table import payment_table
from workbooks.documents.publicity import publicity_list
from workbooks.documents.recognition_sheet import recognition_sheet
from workbooks.documents.review_sheets import opinion_sheet, review_sheet, review_summary
from workbooks.documents.statistics import statistics_workbook
from workbooks.documents.supplement_notice import supplement_notice_docx, supplement_notice_xlsx
from workbooks.documents.verdicts import FAILED, MET, OPEN, verdicts
from workbooks.documents.verdicts import PERSON as ASK_A_PERSON
from xlcalc.errors import InputError, XlcalcError
from xlcalc.packs.registry import load_policy
from xlcalc.values.money import Money

DAY = date(2025, 6, 3)
EVERYTHING = Wishes(
    county="示例县", day=DAY, due=Deadline(date(2025, 6, 10)), reason="复验未达到二级", codes=True,
    enterprises=tuple(code(number) for number in range(1, 8)),
)  # fmt: skip


def case_of(run: Run, name: str) -> Any:
    return next(case for case in run.cases if case.name == name)


def everything(run: Run) -> dict[str, bytes]:
    """Every document of every kind that can be made of a run."""
    found = {}
    for kind in KINDS:
        try:
            made = make(kind, run, replace(EVERYTHING, enterprises=tuple({case.name for case in run.cases})))
        except InputError:
            continue
        found |= {f"{kind} {document.name}": document.data for document in made.documents}
    return found


# --- 补正通知单


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Run]:
    """A 推荐表: the contract a day late and the end of the pilot unknown; then one without a fault of its own."""
    late = CLOUD_COMPANY | {"contract_date": "2025-06-01", "pilot_end": None, "recommending_authority": "示例县工信局"}
    data = filled(CLOUD, late, CLOUD_COMPANY | {"enterprise_name": "示例二号有限公司", "uscc": code(2)})
    return data, run_of_workbooks([save(tmp_path_factory.mktemp("table"), "上云.xlsx", data)])


@pytest.mark.parametrize("write", [supplement_notice_xlsx, supplement_notice_docx])
def test_a_notice_says_what_where_why_and_by_when(table: tuple[bytes, Run], write: Any) -> None:
    data, run = table
    text = text_of(write([run.cases[0]], due=after_working_days(DAY, 5), issued=DAY))
    cell = (
        place(data, "t_contract_date")
        if "t_contract_date" in raw_text(data)
        else run.cases[0].facts_at["contract_date"]
    )
    assert str(cell) in text and "SJZ-CLOUD-18" in text
    assert "合同签订时间范围为 2023 年 12 月 31 日至 2025 年 5 月 31 日。申报截止时间为 2025 年 5 月 31 日。" in text
    assert "未填写：试点期截止日期" in text and run.cases[0].facts_at["pilot_end"] in text
    assert "2025年6月10日前（含当日）" in text and "2025年6月3日" in text
    assert "示例县工信局（盖章）" in text and "签收人" in text
    assert run.cases[0].outcome.pack_hash[:12] in text and "第十二条2" in text


def test_a_deadline_that_is_not_given_is_left_to_be_filled_in(table: tuple[bytes, Run]) -> None:
    assert "　　　　年　　月　　日前" in text_of(supplement_notice_docx([table[1].cases[0]]))


def test_every_finding_and_every_missing_fact_is_in_the_notice() -> None:
    case = vouchers().cases[3]
    assert case.outcome.missing == ("approved_amount",)
    text = text_of(supplement_notice_xlsx([case]))
    assert "未填写：核定金额" in text
    for finding in case.outcome.findings:
        assert finding.code in text


def test_who_has_nothing_to_supply_gets_no_notice() -> None:
    case = vouchers().cases[0]
    clean = replace(case, outcome=replace(case.outcome, findings=(), missing=()), findings=())
    with pytest.raises(InputError) as caught:
        supplement_notice_xlsx([clean])
    assert caught.value.code == "E-DOCUMENT-EMPTY"
    assert make("supplement", Run((clean,)), Wishes()).documents == []
    assert len(make("supplement", Run((clean, vouchers().cases[2])), Wishes()).documents) == 2


def test_the_findings_of_one_enterprise_are_together_whatever_its_files(tmp_path: Path) -> None:
    company = e1(industry=None)
    paths = [save(tmp_path, "评测.xlsx", filled(FORM, company)), save(tmp_path, "坏.xlsx", b"")]
    run = run_of_workbooks(paths)
    assert [case.outcome.policy for case in run.cases] == [MATURITY, SUBSIDY]
    assert [(name, finding.severity) for name, finding in run.problems if finding.severity == "block"] == [
        ("坏.xlsx", "block")
    ]
    documents = make("supplement", run, Wishes()).documents
    assert sorted(Path(document.name).suffix for document in documents) == [".docx", ".xlsx"]
    assert "未填写：所属行业" in text_of(documents[0].data)


def test_a_file_that_is_gone_or_breaks_the_program_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, "上云.xlsx", filled(CLOUD, CLOUD_COMPANY))
    run = run_of_workbooks([tmp_path / "不在.xlsx", path])
    assert len(run.cases) == 1 and run.problems[0][0] == "不在.xlsx" and run.problems[0][1].severity == "block"

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cases, "recalculate", fails)
    ((name, finding),) = run_of_workbooks([path]).problems
    assert (name, finding.code) == ("上云.xlsx", "E-INTERNAL")


# --- 资格审查表, 审核意见表


def test_a_review_has_every_condition_with_its_verdict() -> None:
    case = vouchers().cases[2]
    found = verdicts(case)
    by_says = {verdict.says: verdict for verdict in found}
    assert by_says["试点企业须在试点企业名单内"].word == FAILED
    assert by_says["试点企业须在试点企业名单内"].evidence.endswith("在试点（拟改造）企业名单内：否")
    assert by_says["申报企业须在本市注册登记"].word == MET
    (conditions,) = [row["conditions"] for row in case.version.stated(case.choices) if row["key"] == "conditions"]
    assert [verdict.key for verdict in found][: len(conditions)] == [f"conditions.{row['key']}" for row in conditions]
    rows = list(rows_under(sheets(review_sheet(case))["资格审查表"], "序号", "审查事项"))
    assert [(row["审查事项"], row["结论"].split()[0], row["证据（所填内容）"] or "") for row in rows] == [
        (verdict.says, verdict.word, verdict.evidence) for verdict in found
    ]


def test_what_only_a_person_can_confirm_is_asked_of_a_person() -> None:
    run = run_of_facts(SAAS_VOUCHER, [voucher_row(1, operating_well=None, contract_date=None)])
    words = {verdict.says: verdict.word for verdict in verdicts(run.cases[0])}
    assert words["企业经营状况须良好（由审核人员判断）"] == ASK_A_PERSON
    assert words["合同签订日期须在 2023年12月31日 至 2025年5月31日 之间（含当日）"] == OPEN


def test_verdicts_agree_with_the_outcome_in_every_kind_of_case() -> None:
    """What refuses in the table refuses in the outcome, condition by condition, under all policies."""
    looked = Counter[str]()
    for held in policy_cases()[::4]:
        if held.version:
            continue
        try:
            on = date.fromisoformat(held.on) if held.on else None
            run = run_of_facts(held.policy, [json_facts(held.facts)], on=on, choices=held.choices)
        except XlcalcError:
            continue
        case = run.cases[0]
        steps = [step for step in case.outcome.steps if step.kind == "eligibility"]
        blocked = Counter(finding.code for step in steps for finding in step.findings if finding.severity == "block")
        codes = {
            f"{row['key']}.{condition['key']}": condition["feature"]
            for row in case.version.stated(case.choices)
            for condition in row.get("conditions", ())
        }
        stopping = [verdict for verdict in verdicts(case) if verdict.stops and verdict.key in codes]
        assert Counter(codes[verdict.key] for verdict in stopping) == blocked, held.id
        looked[held.policy] += 1
    assert len(looked) >= 5 and min(looked.values()) >= 5


def test_the_summary_counts_what_the_sheets_say() -> None:
    run = vouchers()
    book = sheets(review_summary(run, SAAS_VOUCHER, day=DAY))
    rows = list(rows_under(book["汇总"], "序号", "审查结论"))
    assert len(rows) == len(run.cases)
    for row, case in zip(rows, run.cases, strict=True):
        found = verdicts(case)
        words = Counter(verdict.word for verdict in found)
        assert [row[word] for word in (MET, OPEN, ASK_A_PERSON)] == [words[word] for word in (MET, OPEN, ASK_A_PERSON)]
        refused = sum(verdict.stops for verdict in found)
        assert (row[FAILED], row["提醒"]) == (refused, words[FAILED] - refused)
        assert (row[FAILED] > 0) == (case.outcome.status == "not_eligible")
    lines = list(rows_under(book["逐项"], "企业名称", "结论"))
    assert len(lines) == sum(len(verdicts(case)) for case in run.cases)


def test_an_opinion_states_the_amount_in_figures_and_words_and_asks_each_reviewer() -> None:
    text = text_of(opinion_sheet(vouchers().cases[0]))
    assert "72,000.00 元（柒万贰仟元整）" in text
    for role in ("县（市、区）工业和信息化主管部门", "第三方机构", "市工业和信息化局"):
        assert f"{role}审核意见：" in text
    assert "尚不能确定" in text_of(opinion_sheet(vouchers().cases[3]))


# --- 核定明细


def test_each_line_adds_up_from_declared_to_recognised() -> None:
    book = sheets(recognition_sheet(projects().cases[0], day=DAY))
    sheet = book["投入核定明细表"]
    rows = list(rows_under(sheet, "序号", "产品或服务"))
    amounts = [tuple(row[f"{name}金额（元）"] for name in ("申报", "剔除", "核减", "核定")) for row in rows]
    assert amounts == [
        (300000, 0, 0, 300000), (100000, 0, 0, 100000), (73000, 0, 18100, 54900), (20000, 20000, 0, 0),
        (10000, 0, 0, 10000),
    ]  # fmt: skip
    assert [row["产品或服务"] for row in rows][2:4] == ["云数据库", "工业智能网关"]
    assert "核算至 2025-12-31 计 549 天（申报指南 5(4)）" in rows[2]["剔除、核减的原因和条款"]
    assert "申报指南 1(3)" in rows[3]["剔除、核减的原因和条款"]
    assert total_row(sheet)[3:7] == [503000, 20000, 18100, 464900]
    assert "申报 503,000.00 元 − 剔除和核减 38,100.00 元 = 核定 464,900.00 元" in text_of_sheet(sheet)
    assert "人民币肆拾陆万肆仟玖佰元整" in text_of_sheet(sheet)
    assert total_row(book["按费用类别"])[1:] == [5, 503000, 20000, 18100, 464900]


def test_the_waterfall_leads_from_declared_to_recognised() -> None:
    data = recognition_sheet(projects().cases[0])
    rows = sheets(data)["核定瀑布图"].iter_rows(min_row=4, max_row=7, max_col=4, values_only=True)
    assert [list(row) for row in rows] == [
        ["申报", None, None, 503000], ["申报指南 1(3)", 483000, 20000, None], ["申报指南 5(4)", 464900, 18100, None],
        ["核定", None, None, 464900],
    ]  # fmt: skip
    (chart,) = openpyxl.load_workbook(io.BytesIO(data))["核定瀑布图"]._charts
    assert [series.val.numRef.f for series in chart.series] == [f"核定瀑布图!${c}$4:${c}$7" for c in "BCD"]


def test_an_undecided_line_leaves_the_total_open() -> None:
    lines = [dict(row) for row in project()["investment_lines"]]
    del lines[0]["payment_amount"]
    case = projects(project(investment_lines=lines)).cases[0]
    assert "recognised_cost" not in case.outcome.results
    sheet = sheets(recognition_sheet(case))["投入核定明细表"]
    first = next(rows_under(sheet, "序号", "产品或服务"))
    assert (first["申报金额（元）"], first["核减金额（元）"], first["核定金额（元）"]) == (300000, None, "待核定")
    assert "缺：付款金额" in first["剔除、核减的原因和条款"]
    assert total_row(sheet)[3:7] == [503000, None, None, "待核定"]
    assert "核定投入待定" in text_of_sheet(sheet)


def test_without_lines_there_is_nothing_to_recognise() -> None:
    with pytest.raises(InputError) as caught:
        recognition_sheet(vouchers().cases[0])
    assert caught.value.code == "E-DOCUMENT-EMPTY"


# --- 公示名单, 拨付表


def test_the_public_list_has_whoever_is_to_be_paid_and_what() -> None:
    data = publicity_list(vouchers(), SAAS_VOUCHER, start=DAY, end=after_working_days(DAY, 5), codes=True)
    sheet = sheets(data)["公示名单"]
    rows = list(rows_under(sheet, "序号", "企业名称"))
    shown = [name.replace(NAME_PHONE, "138****1234") for name in PAYABLE]
    assert [row["企业名称"] for row in rows] == shown
    assert [Money.from_yuan(str(row["核减金额（元）"])).fen for row in rows] == list(PAYABLE.values())
    assert rows[0]["统一社会信用代码"] == f"910000********{code(1)[-4:]}"
    assert rows[1]["数字化水平"] == "四级" and rows[1]["县（市、区）"] == "示例区"
    assert total_row(sheet)[-1] == 316000
    assert "2025年6月3日至2025年6月10日" in text_of(data) and "第十二条3" in text_of(data)


@pytest.mark.parametrize(
    ("days", "sealed", "period"),
    [
        ({"day": DAY}, "2025年6月3日", "＿＿＿＿年＿＿月＿＿日至＿＿＿＿年＿＿月＿＿日"),
        ({"start": DAY}, "年   月   日", "2025年6月3日至＿＿＿＿年＿＿月＿＿日"),
        ({"day": date(2025, 6, 2), "start": DAY, "end": Deadline(date(2025, 6, 10))}, "2025年6月2日",
         "2025年6月3日至2025年6月10日"),
    ],
)  # fmt: skip
def test_a_public_list_bears_the_days_that_were_given_and_no_other(
    days: dict[str, Any], sealed: str, period: str
) -> None:
    text = text_of(publicity_list(vouchers(), SAAS_VOUCHER, **days))
    (seal,) = [lines[1] for lines in (part.split("（盖章）") for part in [text]) if len(lines) == 2]
    assert seal.strip().splitlines()[0].strip() == sealed and f"公示期为{period}（含首尾两日）" in text


def test_nothing_private_is_anywhere_in_the_public_list() -> None:
    raw = raw_text(publicity_list(vouchers(), SAAS_VOUCHER, codes=True))
    digits = re.sub(r"\D", "", PHONE)
    for secret in (PHONE, digits, digits[4:], NAME_PHONE, PERSON, code(1), code(2)):
        assert secret not in raw


@pytest.mark.parametrize("kind", ["publicity", "statistics", "payment"])
def test_no_phone_of_a_contact_is_in_any_list(kind: str) -> None:
    for document in make(kind, vouchers(), Wishes()).documents:
        assert PHONE not in raw_text(document.data) and PERSON not in raw_text(document.data)


def test_a_public_list_says_that_its_document_knows_no_publication() -> None:
    award = next(case for case in policy_cases() if case.policy == "shijiazhuang.chain_case")
    assert award.expect["status"] == "determined" and award.expect["payable"] == "500000.00元"
    run = run_of_facts(award.policy, [json_facts(award.facts)], on=date.fromisoformat(str(award.on)))
    silent = text_of(publicity_list(run, award.policy))
    assert "本政策的文件未写明公示环节" in silent and "500000" in silent
    assert "未写明公示环节" not in text_of(publicity_list(vouchers(), SAAS_VOUCHER))


def test_dates_of_a_publication_are_checked() -> None:
    with pytest.raises(InputError) as caught:
        publicity_list(vouchers(), SAAS_VOUCHER, start=DAY, end=Deadline(date(2025, 6, 2)))
    assert caught.value.code == "E-PERIOD"


def test_an_assessment_is_not_published(tmp_path: Path) -> None:
    run = run_of_workbooks([save(tmp_path, "评测.xlsx", filled(FORM, e1()))])
    with pytest.raises(InputError) as caught:
        publicity_list(run, MATURITY)
    assert caught.value.code == "E-DOCUMENT-STEP"


@pytest.mark.parametrize(("text", "masked"), [("91000000MA0000001R", "910000********001R"), ("1234", ""), ("", "")])
def test_a_code_is_masked_in_its_middle(text: str, masked: str) -> None:
    assert mask_code(text) == masked


def test_the_payment_table_pays_what_is_payable_and_nothing_else() -> None:
    sheet = sheets(payment_table(vouchers(), SAAS_VOUCHER, day=DAY))["拨付表"]
    rows = list(rows_under(sheet, "序号", "企业名称"))
    assert {row["企业名称"]: Money.from_yuan(str(row["拨付金额（元）"])).fen for row in rows} == PAYABLE
    assert [row["大写金额"] for row in rows] == ["柒万贰仟元整", "壹拾万元整", "柒万贰仟元整", "柒万贰仟元整"]
    assert all(row["开户名称"] is row["开户银行"] is row["银行账号"] is None for row in rows)
    total = total_row(sheet)
    assert total[4:6] == [316000, "人民币叁拾壹万陆仟元整"] and total[0] == "合计（4 家）"


def test_a_changed_amount_is_noticed_beside_the_total() -> None:
    sheet = sheets(payment_table(vouchers(), SAAS_VOUCHER))["拨付表"]
    formulas = [cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert [cell.value for cell in formulas] == [
        '=IF(ROUND(SUM(E4:E7)-E8,2)=0,"","金额已改动，大写和合计不再相符，请重新生成")'
    ]
    assert [sheet[f"E{row}"].value for row in range(4, 9)] == [72000, 100000, 72000, 72000, 316000]


def test_who_is_objected_to_is_not_paid_yet() -> None:
    sheet = sheets(payment_table(vouchers(), SAAS_VOUCHER, withheld=["示例2号机械有限公司", code(1)]))["拨付表"]
    assert total_row(sheet)[4] == 144000
    assert "因异议尚未排除暂不拨付：示例1号机械有限公司、示例2号机械有限公司" in text_of_sheet(sheet)
    with pytest.raises(InputError) as caught:
        payment_table(vouchers(), SAAS_VOUCHER, withheld=["没有的企业"])
    assert caught.value.code == "E-DOCUMENT-NAME"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (code(2)[:17] + "A", f"校验位应为 {code(2)[17]}"),
        (code(2)[:17], "现为17位"),
        ("911301021000001000", "末三位已被表格软件改成 000"),
    ],
)
def test_who_gave_a_code_that_cannot_be_right_is_neither_paid_nor_published_and_said_so(wrong: str, why: str) -> None:
    name = "示例2号机械有限公司"
    run = run_of_facts(SAAS_VOUCHER, [voucher_row(1), voucher_row(2, uscc=wrong)])
    assert [case.payable for case in run.cases] == [Money(7_200_000)] * 2
    for kind in ("payment", "publicity", "recommendation"):
        made = make(kind, run, Wishes(codes=True))
        (document,) = made.documents
        said = [line for line in text_of(document.data).splitlines() if name in line]
        shown = mask_code(wrong) if kind == "publicity" else wrong
        assert len(said) == 1 and shown in said[0] and why in said[0] and "请按营业执照核对" in said[0]
        assert "示例1号机械有限公司" in text_of(document.data) and name in "".join(made.notes)
        if kind != "recommendation":
            assert total_row(next(iter(sheets(document.data).values())))[0] == "合计（1 家）"
        with pytest.raises(InputError) as caught:
            make(kind, Run(run.cases[1:]), Wishes())
        assert caught.value.code == "E-DOCUMENT-EMPTY" and why in str(caught.value.remedy)
    sheet = sheets(make("publicity", run, Wishes()).documents[0].data)["公示名单"]
    last = next(row for row in sheet.iter_rows() if name in str(row[0].value))[0].row
    assert last > openpyxl.utils.range_boundaries(sheet.print_area.rpartition("!")[2])[3]


def test_an_enterprise_in_two_files_is_paid_in_neither(tmp_path: Path) -> None:
    paths = [save(tmp_path, name, filled(CLOUD, CLOUD_COMPANY)) for name in ("甲.xlsx", "乙.xlsx")]
    assert run_of_workbooks(paths[:1]).cases[0].payable == Money(1_500_000)
    run = run_of_workbooks(paths)
    assert [case.payable for case in run.cases] == [None, None]
    with pytest.raises(InputError):
        payment_table(run, CLOUD_VOUCHER)
    assert "甲.xlsx、乙.xlsx" in text_of(supplement_notice_xlsx(list(run.cases)))


def test_what_two_programmes_give_beyond_a_cap_they_share_is_not_paid(tmp_path: Path) -> None:
    """第十三条, both vouchers together: 100,000.00 and 15,000.00 are more than 100,000.00."""
    same = {"enterprise_name": "示例合有限公司", "uscc": code(5)}
    paths = [
        save(tmp_path, "折扣券.xlsx", filled(SAAS, SAAS_COMPANY | same | {"approved_amount": "200000元"})),
        save(tmp_path, "抵扣券.xlsx", filled(CLOUD, CLOUD_COMPANY | same)),
    ]
    assert [run_of_workbooks([path]).cases[0].payable for path in paths] == [Money(10_000_000), Money(1_500_000)]
    run = run_of_workbooks(paths)
    assert [case.payable for case in run.cases] == [None, None]
    for kind in ("payment", "publicity"):
        with pytest.raises(InputError):
            make(kind, run, Wishes())
    letter = text_of(make("supplement", run, Wishes()).documents[0].data)
    assert "共用的上限 100,000.00 元" in letter and "填入另一份的已享受栏" in letter
    assert "本次运行" not in letter and "可拨付合计" not in letter and "--ledger" not in letter


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({}, {"enterprise_name": "示例乙有限公司"}, "统一社会信用代码“{uscc}”与企业名称相互矛盾"),
        ({}, {"uscc": code(9)}, "企业名称“{enterprise_name}”与统一社会信用代码相互矛盾"),
        ({}, {"uscc": None}, "企业名称“{enterprise_name}”与统一社会信用代码相互矛盾"),
    ],
)
def test_a_code_and_a_name_that_contradict_each_other_are_two_letters_each_about_its_own_file(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any], says: str
) -> None:
    companies = {"甲镇.xlsx": CLOUD_COMPANY | first, "乙镇.xlsx": CLOUD_COMPANY | second}
    run = run_of_workbooks([save(tmp_path, name, filled(CLOUD, row)) for name, row in companies.items()])
    letters = [text_of(document.data) for document in make("supplement", run, Wishes()).documents]
    assert len(letters) == 4
    for number, (name, row) in enumerate(companies.items()):
        (other,) = set(companies) - {name}
        for letter in letters[2 * number : 2 * number + 2]:
            assert name in letter and other not in letter and f"{row['enterprise_name']}：" in letter
            assert row["enterprise_name"] == companies[other]["enterprise_name"] or (
                companies[other]["enterprise_name"] not in letter
            )
            assert says.format_map(row) in letter and "请按营业执照核对代码和名称" in letter
            assert "本次运行" not in letter and "可拨付合计" not in letter


def test_two_rows_of_one_table_with_one_code_and_two_names_are_told_the_same(tmp_path: Path) -> None:
    rows = (CLOUD_COMPANY, CLOUD_COMPANY | {"enterprise_name": "示例乙有限公司"})
    run = run_of_workbooks([save(tmp_path, "表.xlsx", filled(CLOUD, *rows))])
    letters = [text_of(document.data) for document in make("supplement", run, Wishes()).documents]
    assert len(letters) == 4
    assert all("相互矛盾" in letter and "请删去重复的行" not in letter for letter in letters)
    assert all("示例乙有限公司" not in letter for letter in letters[:2])


# --- 材料清单


def test_a_material_is_there_lacking_or_not_looked_at() -> None:
    run = run_of_facts(SAAS_VOUCHER, [voucher_row(1, materials={"application": True, "contract": False})])
    rows = list(rows_under(sheets(material_list(run.cases[0]))["申报材料清单"], "序号", "材料名称"))
    assert [(row["材料名称"], row["份数"], row["盖章"], row["核对"]) for row in rows][:3] == [
        ("申报书", "4 份", "加盖公章", PRESENT), ("合同复印件", "4 份", "加盖公章", LACKING),
        ("营业执照复印件", "4 份", "加盖公章", UNSEEN),
    ]  # fmt: skip
    assert "纸质版材料一式四份" in rows[0]["依据条款"]


def test_a_conditional_material_is_asked_for_where_its_condition_holds() -> None:
    for honours, wanted in (("无", NOT_ASKED), ("创新型中小企业", UNSEEN)):
        data = material_list(projects(project(quality_sme_status=honours)).cases[0])
        rows = rows_under(sheets(data)["申报材料清单"], "序号", "核对")
        assert {row["材料名称"]: row["核对"] for row in rows}["优质中小企业证明"] == wanted


# --- 统计表


def test_statistics_are_the_sums_of_their_rows() -> None:
    run = vouchers()
    book = sheets(statistics_workbook(run, SAAS_VOUCHER))
    assert total_row(book["总览"])[1:] == [8, 316000]
    for name, head in (("县×等级", "县（市、区）"), ("行业×等级", "行业"), ("县×行业", "县（市、区）")):
        rows = list(rows_under(book[name], head, "合计（家）"))
        columns = [list(column) for column in zip(*(list(row.values())[1:] for row in rows), strict=True)]
        assert [sum(column) for column in columns] == total_row(book[name])[1:]
        assert total_row(book[name])[-2:] == [8, 316000]
        for row in rows:
            assert sum(list(row.values())[1:-2]) == row["合计（家）"]
    assert list(rows_under(book["县×等级"], "县（市、区）"))[1] == {
        "县（市、区）": "示例区", "无等级": 0, "一级": 0, "二级": 0, "三级": 0, "四级": 1, "合计（家）": 1,
        "可拨付（元）": 100000,
    }  # fmt: skip
    assert len(list(rows_under(book["明细"], "企业名称"))) == 8 and total_row(book["明细"])[5] == 316000


def test_statistics_have_charts_over_the_rows_they_count() -> None:
    data = statistics_workbook(vouchers(), SAAS_VOUCHER)
    book = openpyxl.load_workbook(io.BytesIO(data))
    for name in ("县×等级", "行业×等级", "县×行业"):
        (chart,) = book[name]._charts
        rows = len(list(rows_under(book[name], "合计（家）")))
        assert {series.val.numRef.f.split("!")[1].replace("$", "")[1:] for series in chart.series} == {
            f"3:{series.val.numRef.f[-len(str(2 + rows)) - 2]}{2 + rows}" for series in chart.series
        }
    assert "申报至核定" not in book.sheetnames


def test_the_waterfall_of_several_projects_is_their_sum() -> None:
    second = project("核算基准", enterprise_name="示例食品有限公司", uscc=code(2))
    run = projects(project(uscc=code(1)), second)
    sheet = sheets(statistics_workbook(run, SUBSIDY))["申报至核定"]
    table = [list(row) for row in sheet.iter_rows(min_row=4, max_row=7, max_col=4, values_only=True)]
    # 503,000.00 twice; 18,100.00 of either for the prepaid time, 20,000.00 of one for its early contract.
    assert table == [
        ["申报", None, None, 1006000], ["申报指南 5(4)", 969800, 36200, None], ["申报指南 1(3)", 949800, 20000, None],
        ["核定", None, None, 949800],
    ]  # fmt: skip


# --- all kinds


def test_no_text_becomes_a_formula_or_a_link() -> None:
    rows = [
        voucher_row(number, enterprise_name=text, contact_person=text, remark=text, county=text)
        for number, text in enumerate(INJECTED, 1)
    ]
    injected = projects(project(enterprise_name=INJECTED[0]))
    for run in (run_of_facts(SAAS_VOUCHER, rows), injected):
        for name, data in everything(run).items():
            if name.endswith(".xlsx"):
                for sheet in sheets(data).values():
                    cells = [cell for row in sheet.iter_rows() for cell in row]
                    formulas = [cell.value for cell in cells if cell.data_type == "f"]
                    assert all(formula.startswith("=IF(ROUND(SUM(E") for formula in formulas), name
                    assert not any(cell.hyperlink for cell in cells), name
    sheet = sheets(payment_table(run_of_facts(SAAS_VOUCHER, rows), SAAS_VOUCHER))["拨付表"]
    assert [row["企业名称"] for row in rows_under(sheet, "序号", "企业名称")] == [text.strip() for text in INJECTED]


def test_every_kind_is_made_and_names_its_pack() -> None:
    seen = set()
    for run in (vouchers(), projects(project(uscc=code(9)))):
        for name, data in everything(run).items():
            seen.add(name.split()[0])
            assert run.cases[0].outcome.pack_hash[:12] in text_of(data), name
    assert seen == set(KINDS)


def test_the_same_run_gives_the_same_bytes() -> None:
    assert everything(vouchers()) == everything(vouchers())


def test_every_sheet_prints_on_a4_one_page_wide_with_its_headings_repeated() -> None:
    for name, data in everything(vouchers()).items():
        for sheet in sheets(data).values() if name.endswith(".xlsx") else ():
            where = f"{name} {sheet.title}"
            assert sheet.page_setup.paperSize == 9 and sheet.sheet_properties.pageSetUpPr.fitToPage, where
            # 0: as many pages as it takes; a number where the little that is left over is shrunk to fit.
            assert (sheet.page_setup.fitToWidth or 1) == 1 and sheet.page_setup.fitToHeight in (0, 1, 2, 3, None), where
            assert sheet.print_area and "第 &P 页 共 &N 页" in sheet.oddFooter.center.text, where


@pytest.mark.parametrize("landscape", [True, False])
def test_codes_days_and_large_totals_stay_on_one_line(landscape: bool) -> None:
    """Pixels at 10.5 points: 7 a digit and 14 a character in 仿宋, 5 between text and borders, 7 beside money."""
    columns = [Column("名称", 60), Column("代码", 5, "code"), Column("日期", 5, "date"), Column("金额", 5, "money")]
    book = Book("宽")
    sheet = book.sheet("宽", columns, landscape=landscape)
    sheet.line(["示例有限公司", code(1), date(2025, 12, 31), Money(99_999_999_999)])
    sheet.total("合计", {3: Money(99_999_999_999)})
    sheet.finish()
    made = sheets(book.data())["宽"]
    for column, needed in (("B", 18 * 7), ("C", 8 * 7 + 3 * 14), ("D", 14 * 7 + 7)):
        assert 7 * made.column_dimensions[column].width >= needed + 5
        for row in (1, 2) if column == "D" else (1,):
            alignment = made[f"{column}{row}"].alignment
            # In a wider font, where 仿宋 is missing, it is set smaller instead of broken or shown as ###.
            assert alignment.shrink_to_fit and not alignment.wrap_text
    assert made.row_dimensions[1].height < 30


def test_a_thousand_enterprises() -> None:
    run = run_of_facts(SAAS_VOUCHER, [voucher_row(number, county=f"示例{number % 20}县") for number in range(1, 1001)])
    sheet = sheets(payment_table(run, SAAS_VOUCHER))["拨付表"]
    assert total_row(sheet)[4:6] == [72_000_000, "人民币柒仟贰佰万元整"]
    assert len(list(rows_under(sheet, "序号", "企业名称"))) == 1000
    public = sheets(publicity_list(run, SAAS_VOUCHER))["公示名单"]
    assert total_row(public)[-1] == 72_000_000
    book = sheets(statistics_workbook(run, SAAS_VOUCHER))
    assert len(list(rows_under(book["县×等级"], "县（市、区）"))) == 20 and total_row(book["总览"])[1] == 1000


# --- days and names


def test_working_days_follow_the_published_arrangement() -> None:
    # 2025: 1 to 8 October are holidays, 28 September and 11 October are worked.
    assert after_working_days(date(2025, 9, 26), 5) == Deadline(date(2025, 10, 10))
    assert after_working_days(date(2025, 6, 3), 1) == Deadline(date(2025, 6, 4))
    with pytest.raises(InputError):
        after_working_days(date(2025, 6, 3), 0)


def test_a_year_that_is_not_published_counts_weekends_and_warns() -> None:
    found = after_working_days(date(2099, 1, 2), 2)  # a Friday
    assert found.day == date(2099, 1, 6) and "2099年" in found.warning
    assert "2099年" in fixed(date(2099, 1, 6)).warning


def test_a_day_that_was_set_warns_where_nobody_works() -> None:
    assert "不是工作日" in fixed(date(2025, 10, 1)).warning
    assert fixed(date(2025, 9, 28)).warning == ""


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("示例县", "上云用云企业推荐表"), "示例县+上云用云企业推荐表+20250603.xlsx"),
        (("", "拨付表"), "拨付表+20250603.xlsx"),
        (("甲/乙\\丙:丁*?<>|", "表"), "甲乙丙丁+表+20250603.xlsx"),
        (("CON", "..\u202e表 "), "CON_+表+20250603.xlsx"),
        (("=cmd", "甲" * 99), f"cmd+{'甲' * 60}+20250603.xlsx"),
    ],
)
def test_files_are_named_as_clerks_name_them(parts: tuple[str, ...], name: str) -> None:
    assert document_name(*parts, day=DAY, suffix=".xlsx") == name


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    paths = [write_new(tmp_path, "表.xlsx", text) for text in (b"1", b"2", b"3")]
    assert [path.name for path in paths] == ["表.xlsx", "表（2）.xlsx", "表（3）.xlsx"]
    assert [path.read_bytes() for path in paths] == [b"1", b"2", b"3"]


def test_an_enterprise_that_nobody_is_and_a_kind_that_is_none() -> None:
    for kind, wishes, wanted in (
        ("review", Wishes(enterprises=("没有的企业",)), "E-DOCUMENT-NAME"),
        ("没有", Wishes(), "E-DOCUMENT-KIND"),
        ("recovery", Wishes(), "E-DOCUMENT-NAME"),
        ("payment", Wishes(policies=(SUBSIDY,)), "E-DOCUMENT-EMPTY"),
    ):
        with pytest.raises(InputError) as caught:
            make(kind, vouchers(), wishes)
        assert caught.value.code == wanted


def test_where_nothing_can_be_made_the_enterprises_are_counted() -> None:
    run = run_of_facts(SAAS_VOUCHER, [voucher_row(number) for number in range(1, 6)])
    with pytest.raises(InputError) as caught:
        make("recognition", run, Wishes())
    said = caught.value.message
    assert all(f"示例{number}号机械有限公司：没有投入明细" in said for number in (1, 2, 3)) and "等 5 项" in said
    with pytest.raises(InputError) as caught:
        make("recognition", Run(run.cases[:1]), Wishes())
    assert (caught.value.where, "等" in caught.value.message) == ("示例1号机械有限公司", False)


def test_a_policy_is_cited_by_its_own_title() -> None:
    titles = {row["title"] for row in load_policy(SAAS_VOUCHER).newest.data["document"]}
    text = text_of(publicity_list(vouchers(), SAAS_VOUCHER))
    assert all(f"《{title}》" in text for title in titles)
