"""汇总表: the official columns as printed, what their own cells show to be wrong, and no status of any enterprise."""

from __future__ import annotations

import datetime
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import range_boundaries
from workbench import differences, filled, formula_values, place, save, typed, value, values, with_rows

from workbooks import form as form_module
from workbooks import template as template_module
from workbooks.engines.libreoffice_engine import XLSX, convert
from workbooks.files.package import Package
from workbooks.form import form, forms
from workbooks.merging.merge import Merged, merge
from workbooks.recalc import Recalculated, recalculate, recalculate_package
from workbooks.summary.columns import columns_of
from workbooks.summary.reader import NOTHING_WRONG
from workbooks.template import build_template, manifest
from xlcalc import load_policy
from xlcalc.results.explain import STATUS_LABELS

CHAIN, BENCHMARK = "shijiazhuang.chain_summary", "shijiazhuang.benchmark_summary"
SUMMARIES = (CHAIN, BENCHMARK)
FIRST_EDITION = datetime.date(2024, 6, 1)

# 150 字 to the word: 149 characters and a full stop.
WORDS_150 = "数" * 149 + "。"

CASE: dict[str, Any] = {
    "listed_enterprise_name": "示例云溪食品有限公司", "listed_case_mode": "平台赋能模式",
    "listed_case_title": "示例云溪通过平台推动二十家企业上云", "listed_case_summary": WORDS_150,
    "listed_contact_person": "示例甲", "listed_contact_phone": "0311-86000000", "listed_contact_email": "a@example.com",
}  # fmt: skip
ENTRY: dict[str, Any] = {
    "listed_county": "示例县", "listed_enterprise_name": "示例青禾电子有限公司",
    "listed_industry": "新一代电子信息制造业",
    "listed_above_designated_size": True, "listed_directions": ["小灯塔", "创新能力显著提升"],
    "listed_contact_person": "示例乙", "listed_contact_phone": "13800000000", "remark": "无",
}  # fmt: skip
ROW = {CHAIN: CASE, BENCHMARK: ENTRY}


def checked(data: bytes, **more: Any) -> Recalculated:
    return recalculate_package(Package.from_bytes(data), **more)


def found(data: bytes, **more: Any) -> list[tuple[str, str, str | None]]:
    """(code, severity, cell) of every finding."""
    return [(item.code, item.severity, item.where) for item in checked(data, **more).all_findings()]


def cell(data: bytes, port: str, row: int = 0) -> str:
    return str(place(data, port, row))


def sheet_of(data: bytes, name: str) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))[form(name).data["sheet"]]


# --- as printed


PRINTED = {
    CHAIN: (
        "XX县（市、区）", ["县（市、区）工业和信息化主管部门（盖章）", "联系人及电话"],
        ["序号", "企业名称", "案例模式", "案例名称", "案例简述（150字以内）", "联系人", "电话", "邮箱"], [],
    ),
    BENCHMARK: (
        "石家庄市“数智”标杆中小企业汇总表", ["县（市、区）工业和信息化主管部门：（盖章）"],
        ["序号", "县（市、区）", "企业名称", "所属行业", "规模以上工业企业（是/否）", "争创“小灯塔”标杆企业（是/否）",
         "争创数字化车间及智能工厂（是/否）", "争创创新能力显著提升（是/否）", "联系人", "联系方式", "备注"],
        ["填表日期：", "填表人：", "联系电话："],
    ),
}  # fmt: skip


def texts(sheet: Any, row: int, last: int) -> list[str]:
    return [sheet.cell(row, column).value for column in range(1, last + 1) if sheet.cell(row, column).value]


@pytest.mark.parametrize("name", SUMMARIES)
def test_title_head_columns_and_foot_are_those_of_the_notice(name: str) -> None:
    title, head, columns, foot = PRINTED[name]
    sheet = sheet_of(build_template(name), name)
    assert sheet["A2"].value == title
    assert texts(sheet, 3, len(columns)) == head
    assert texts(sheet, 4, len(columns)) == columns
    assert sheet.cell(4, len(columns) + 1).value is None
    last = 4 + form(name).data["rows"]
    assert texts(sheet, last + 1, len(columns)) == foot
    _, _, right, bottom = range_boundaries(sheet.print_area.rpartition("!")[2].replace("$", ""))
    assert (right, bottom) == (len(columns), last + bool(foot))
    assert (sheet.print_title_rows, sheet.page_setup.orientation, sheet.page_setup.paperSize) == (
        "$4:$4",
        "landscape",
        9,
    )


@pytest.mark.parametrize(("on", "annex"), [(FIRST_EDITION, "附件 2"), (None, "附件 2-2")])
def test_each_edition_carries_its_own_annex_number(on: datetime.date | None, annex: str) -> None:
    data = build_template(CHAIN, [CASE], on=on)
    assert sheet_of(data, CHAIN)["A1"].value == annex
    assert values(data, "t_listed_enterprise_name")[0] == CASE["listed_enterprise_name"]
    assert (
        checked(data).read.versions["shijiazhuang.chain_case"]
        == (load_policy("shijiazhuang.chain_case").on(on or datetime.date(2025, 8, 1))[0])
    )


def test_the_county_typed_into_the_title_completes_it() -> None:
    blank = build_template(CHAIN, [CASE])
    assert "county" not in checked(blank).read.records[0].facts
    named = typed(blank, {"i_county": "示例县"})
    assert checked(named).read.records[0].facts["county"] == "示例县"
    assert sheet_of(named, CHAIN)["A2"].number_format == '@"报送案例汇总表"'


@pytest.mark.parametrize("name", SUMMARIES)
def test_columns_of_choices_have_their_lists(name: str) -> None:
    data = build_template(name)
    sheet = sheet_of(data, name)
    listed = {}
    for rule in sheet.data_validations.dataValidation:
        if rule.type == "list":
            listed[str(rule.sqref).split(":")[0].rstrip("0123456789")] = rule.formula1.strip('"').split(",")
    modes = ["技术赋能模式", "供应链赋能模式", "平台赋能模式", "生态赋能模式", "绿色赋能模式"]
    yes_no = dict.fromkeys("EFGH", ["是", "否"])
    industries = ["生物医药制造业", "新一代电子信息制造业", "先进专用设备制造业", "现代食品制造业"]
    assert listed == ({"C": modes} if name == CHAIN else {"D": industries} | yes_no)


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_column_is_taken_from_what_the_pack_says_it_must_equal(name: str) -> None:
    spec = form(name)
    (policy,) = spec.policies
    for version in load_policy(policy).versions:
        rows = [row for mechanism in version.data["mechanism"] for row in mechanism.get("conditions", ())]
        same = {tuple(row["test"]["same"]) for row in rows if "same" in row["test"]}
        columns = {column.fact.id for column in columns_of(spec, version)}
        demanded = {listed: said for said, listed in same if listed in columns}
        anew = set(spec.data.get("worded_anew", ()))
        assert {key: said for key, said in spec.data["taken_from"].items() if key not in anew} == demanded


# --- what a row shows


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_row_in_order_has_no_finding_and_no_status(name: str) -> None:
    data = filled(name, ROW[name])
    done = checked(data)
    assert done.all_findings() == []
    assert done.outcomes == []
    assert value(data, "t_findings") == NOTHING_WRONG
    assert value(data, "t_sequence") == 1
    shown = [text for port in done.read.manifest.table for text in values(data, port)]
    assert not any(label in str(text) for text in shown for label in STATUS_LABELS.values())


def test_the_text_may_have_150_words_and_not_151() -> None:
    assert value(filled(CHAIN, CASE), "t_length_listed_case_summary") == 150
    data = filled(CHAIN, CASE | {"listed_case_summary": "数" * 150 + "。"})
    assert found(data) == [("CHAIN-41", "block", cell(data, "t_listed_case_summary"))]
    said = str(value(data, "t_findings"))
    assert said.startswith("有误：【案例简述（150字以内）】")
    assert "现为151字，多1字" in said
    assert "附件2-2" in said


def test_how_words_are_counted_follows_the_choice() -> None:
    text = {"listed_case_summary": "数" * 149 + "ABC DEF"}
    assert found(filled(CHAIN, CASE | text)) == [
        ("CHAIN-41", "block", cell(filled(CHAIN, CASE), "t_listed_case_summary")),
    ]  # fmt: skip
    assert found(filled(CHAIN, CASE | text, choices={"AMB-23": "cjk_only"})) == []
    assert "CHAIN-41" not in [code for code, _, _ in found(filled(CHAIN, CASE | text), choices={"AMB-23": "cjk_only"})]


@pytest.mark.parametrize(
    ("name", "change", "code", "severity", "port"),
    [
        (CHAIN, {"listed_contact_phone": "1380000"}, "E-WRITTEN", "warn", "t_listed_contact_phone"),
        (CHAIN, {"listed_contact_phone": "8600000"}, "E-WRITTEN", "warn", "t_listed_contact_phone"),
        (CHAIN, {"listed_contact_email": "a example.com"}, "E-WRITTEN", "warn", "t_listed_contact_email"),
        (CHAIN, {"listed_case_title": None}, "E-EMPTY", "warn", "t_listed_case_title"),
        (BENCHMARK, {"listed_contact_phone": "86"}, "E-WRITTEN", "warn", "t_listed_contact_phone"),
        (BENCHMARK, {"listed_directions": ["小灯塔", "智能工厂"]}, "SZB-NOTE-06", "block",
         "t_listed_directions_lighthouse"),
        (BENCHMARK, {"listed_directions": "无"}, "SZB-NOTE-07", "block", "t_listed_directions_lighthouse"),
    ],
)  # fmt: skip
def test_each_thing_wrong_in_a_row_is_told_at_its_cell(
    name: str, change: dict[str, Any], code: str, severity: str, port: str
) -> None:
    data = filled(name, ROW[name] | change)
    assert found(data) == [(code, severity, cell(data, port))]
    assert str(value(data, "t_findings")).startswith({"block": "有误：", "warn": "须核对："}[severity])


def test_three_directions_are_too_many_and_two_of_them_exclude_each_other() -> None:
    data = filled(BENCHMARK, ENTRY | {"listed_directions": ["小灯塔", "智能工厂", "创新能力显著提升"]})
    assert sorted(code for code, _, _ in found(data)) == ["SZB-NOTE-06", "SZB-NOTE-07"]
    assert "最多选 2 项，现选了 3 项" in str(value(data, "t_findings"))


def test_an_empty_remark_is_no_omission() -> None:
    assert found(filled(BENCHMARK, {key: said for key, said in ENTRY.items() if key != "remark"})) == []


def test_directions_are_known_only_once_every_column_is_answered() -> None:
    data = typed(filled(BENCHMARK, ENTRY), {"t_listed_directions_smart_factory": None})
    record = checked(data).read.records[0]
    assert "listed_directions" not in record.facts
    assert [(item.code, item.severity) for item in record.findings] == [("E-EMPTY", "warn")]
    data = typed(filled(BENCHMARK, ENTRY), {"t_listed_directions_smart_factory": "或许"})
    assert found(data) == [("E-BOOL", "block", cell(data, "t_listed_directions_smart_factory"))]


@pytest.mark.parametrize("name", SUMMARIES)
def test_an_enterprise_named_twice_is_told_in_both_rows(name: str) -> None:
    twice = ROW[name] | {"listed_enterprise_name": "示例 云溪（集团）公司"}
    again = ROW[name] | {"listed_enterprise_name": "示例云溪(集团)公司"}
    data = filled(name, twice, ROW[name] | {"listed_enterprise_name": "示例远山公司"}, again)
    assert found(data) == [
        ("E-DOUBLE", "block", cell(data, "t_listed_enterprise_name", row)) for row in (0, 2)
    ]  # fmt: skip
    assert [str(text)[:2] for text in values(data, "t_findings")[:3]] == ["有误", "未发", "有误"]


def test_rows_added_below_the_table_count() -> None:
    data = filled(CHAIN, CASE)
    below = place(data, "t_sequence", form(CHAIN).data["rows"] - 1).row + 1
    sheet = form(CHAIN).data["sheet"]
    longer = with_rows(data, sheet, {below: {"B": "示例远山机械有限公司", "C": "技术赋能模式"}})
    records = checked(longer).read.records
    assert [record.facts["listed_enterprise_name"] for record in records] == [
        "示例云溪食品有限公司", "示例远山机械有限公司",
    ]  # fmt: skip


def test_the_foot_is_no_row_and_its_date_is_read() -> None:
    data = filled(
        BENCHMARK, ENTRY | {"form_date": "2025-07-20", "form_filler": "示例丙", "form_filler_phone": "8600000"}
    )
    (record,) = checked(data).read.records
    assert record.facts["form_date"] == datetime.date(2025, 7, 20)
    assert record.facts["form_filler"] == "示例丙"


def test_what_an_earlier_check_wrote_is_cleared_with_its_row() -> None:
    data = filled(CHAIN, CASE | {"listed_contact_phone": "1"})
    assert str(value(data, "t_findings")).startswith("须核对")
    emptied = typed(data, dict.fromkeys((f"t_{key}" for key in CASE), None))
    assert value(checked(emptied).data, "t_findings") == ""


@pytest.mark.parametrize("name", SUMMARIES)
def test_recalculating_changes_nothing(name: str) -> None:
    data = filled(
        name, ROW[name], ROW[name] | {"listed_enterprise_name": "示例远山机械有限公司", "listed_contact_phone": "1"}
    )
    assert checked(data).data == data


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", SUMMARIES)
def test_libreoffice_computes_what_is_stored(name: str, tmp_path: Path) -> None:
    rows = [
        ROW[name],
        ROW[name] | {"listed_enterprise_name": "　示例 远山　"},
        ROW[name] | {"listed_enterprise_name": "　"},
    ]
    if name == CHAIN:
        rows[1] |= {"listed_case_summary": " 两端空格 \n换行"}
    data = filled(name, *rows)
    path = save(tmp_path, "甲县.xlsx", data)
    made = convert([path], XLSX, tmp_path / "out", 120.0)[path]
    assert isinstance(made, Path)
    assert not differences(formula_values(data), formula_values(made.read_bytes()))


# --- merged


APPLICATION = """
version = "1"
kind = "application"
title = "“链式”数字化转型案例申报书"
policies = ["shijiazhuang.chain_case"]

[[sheet]]
title = "申报书"

    [[sheet.block]]
    kind = "fields"
    rows = [
        [{ fact = "enterprise_name" }, { fact = "uscc" }],
        [{ fact = "case_mode" }, { fact = "contact_person" }],
        [{ fact = "contact_phone" }, { fact = "contact_email" }],
    ]

    [[sheet.block]]
    kind = "passage"
    fact = "case_title"

    [[sheet.block]]
    kind = "passage"
    fact = "case_summary"
"""
OURS = "invented.chain_application"


def forget() -> None:
    for remembered in (forms, manifest, template_module._blank, template_module.parameter_values):
        remembered.cache_clear()


@pytest.fixture
def application_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An 申报书 of the chain case beside the forms there are."""
    folder = tmp_path / "forms"
    folder.mkdir()
    for path in form_module._FOLDER.glob("*.toml"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / f"{OURS}.toml").write_text(APPLICATION, encoding="utf-8")
    monkeypatch.setattr(form_module, "_FOLDER", folder)
    forget()
    yield
    monkeypatch.undo()
    forget()


def application(folder: Path, **more: Any) -> dict[str, Any]:
    facts = {
        "enterprise_name": "示例云溪食品有限公司", "uscc": "91000000MA0000001R", "case_mode": "平台赋能模式",
        "case_title": "示例云溪通过平台推动二十家企业上云", "case_summary": WORDS_150, "contact_person": "示例甲",
        "contact_phone": "0311-86000000", "contact_email": "a@example.com", **more,
    }  # fmt: skip
    save(folder, f"{facts['enterprise_name']}.xlsx", build_template(OURS, facts))
    return facts


def rows_of(done: Merged) -> list[dict[str, Any]]:
    assert done.data is not None
    return [record.facts for record in checked(done.data).read.records]


@pytest.mark.usefixtures("application_form")
def test_a_summary_says_what_the_applications_say(tmp_path: Path) -> None:
    said = application(tmp_path / "in")
    other = application(
        tmp_path / "in", enterprise_name="示例远山机械有限公司", uscc="91000000MA0000002W", case_mode="绿色赋能"
    )
    done = merge([tmp_path / "in"], CHAIN)
    rows = {row["listed_enterprise_name"]: row for row in rows_of(done)}
    assert set(rows) == {said["enterprise_name"], other["enterprise_name"]}
    for facts, mode in ((said, "platform"), (other, "green")):
        row = rows[facts["enterprise_name"]]
        assert row["listed_case_mode"] == mode
        for listed, name in form(CHAIN).data["taken_from"].items():
            if name != "case_mode":
                assert row[listed] == facts[name]
    assert done.findings == []


@pytest.mark.usefixtures("application_form")
def test_a_text_too_long_for_the_table_is_left_out_never_cut(tmp_path: Path) -> None:
    application(tmp_path / "in", case_summary="数" * 151)
    done = merge([tmp_path / "in"], CHAIN)
    (row,) = rows_of(done)
    assert "listed_case_summary" not in row
    (finding,) = done.findings
    assert (finding.code, finding.severity) == ("CHAIN-41", "warn")
    assert "现为151字" in finding.message
    assert "未截取" in finding.message
    assert finding.where is not None
    assert finding.where.startswith("示例云溪食品有限公司.xlsx:申报书!")


@pytest.mark.usefixtures("application_form")
def test_the_tables_own_words_go_before_those_of_the_application(tmp_path: Path) -> None:
    application(tmp_path / "in", case_summary="数" * 200)
    save(tmp_path / "in", "甲县.xlsx", filled(CHAIN, CASE | {"listed_case_summary": "另写的简述", "county": "示例县"}))
    done = merge([tmp_path / "in"], CHAIN)
    (row,) = rows_of(done)
    assert (row["listed_case_summary"], row["county"]) == ("另写的简述", "示例县")
    assert done.findings == []


def test_a_foreign_table_fills_the_yes_and_no_columns(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    heading = ["单位名称", "县（市、区）", "争创创新能力显著提升", "争创小灯塔", "争创智能工厂",
               "规模以上工业企业(是/否)", "行业", "手机", "联系人"]  # fmt: skip
    for row in (
        ["标杆名单"],
        heading,
        ["示例青禾电子有限公司", "示例县", "否", "是", "否", "是", "电子信息", "13800000000", "示例乙"],
    ):
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    done = merge([save(tmp_path, "甲县.xlsx", stream.getvalue())], BENCHMARK)
    assert done.collected.open_tables == []
    (row,) = rows_of(done)
    assert row == {
        "listed_enterprise_name": "示例青禾电子有限公司", "listed_county": "示例县",
        "listed_industry": "electronic_information", "listed_directions": ("lighthouse",),
        "listed_above_designated_size": True, "listed_contact_phone": "13800000000", "listed_contact_person": "示例乙",
    }  # fmt: skip
    assert done.data is not None
    shown = [value(done.data, f"t_listed_directions_{code}") for code in ("lighthouse", "smart_factory", "innovation")]
    assert shown == ["是", "否", "否"]
    assert done.findings == []


def test_a_thousand_rows_are_checked_row_by_row(tmp_path: Path) -> None:
    rows = [
        CASE
        | {"listed_enterprise_name": f"示例第{number}号有限公司", "listed_case_summary": "数" * (146 + number % 10)}
        for number in range(1000)
    ]
    path = save(tmp_path, "甲县.xlsx", filled(CHAIN, *rows))
    done = recalculate(path)
    long = [record.row for record in done.read.records if record.findings]
    first = done.read.records[0].row
    assert first is not None
    assert long == [first + number for number in range(1000) if number % 10 > 4]
    assert len(done.all_findings()) == 500
