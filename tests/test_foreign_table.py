"""Tables of someone else's making: their heading is found, each column settled or asked, each cell read or told."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from workbench import CLOUD, SAAS, codes, edited, filled, rezipped, save, typed

from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook
from workbooks.merging.column_mapping import (
    NOTHING_TOLD,
    OPEN,
    Target,
    Told,
    mapping_document,
    read_mapping,
    table_entry,
    targets_of,
)
from workbooks.merging.foreign_table import ForeignTable, headed_row, pasted_table, read_rows, read_tables
from workbooks.ports import area_of
from workbooks.record import Record
from workbooks.template import manifest
from xlcalc.errors import InputError, WorkbookRefused
from xlcalc.values.levels import MaturityLevel
from xlcalc.values.money import Money

Rows = Sequence[Sequence[Any]]
USCC = ("91000000MA0000001R", "91000000MA0000002W", "91000000MA00000030")


def targets(form: str = CLOUD) -> tuple[Target, ...]:
    return targets_of(form, manifest(form))


def xlsx(folder: Path, rows: Rows, merges: Sequence[str] = (), name: str = "甲县.xlsx") -> Path:
    """A workbook as a clerk makes it: one sheet 一批 with these rows."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "一批"
    for row in rows:
        sheet.append(list(row))
    for area in merges:
        sheet.merge_cells(area)
    stream = io.BytesIO()
    book.save(stream)
    return save(folder, name, stream.getvalue())


def one(path: Path, told: Told = NOTHING_TOLD, form: str = CLOUD) -> ForeignTable:
    (table,), _ = read_tables(path, targets(form), told)
    return table


def settled(table: ForeignTable) -> dict[str, str | None]:
    """Heading -> fact of every column without a question."""
    return {
        item.column.heading: item.target.fact.id if item.target else None
        for item in table.proposals
        if not item.question
    }


def asked(table: ForeignTable) -> dict[str, str]:
    return {item.column.heading: item.question for item in table.proposals if item.question}


def records(path: Path, told: Told = NOTHING_TOLD, form: str = CLOUD) -> list[Record]:
    return read_rows(one(path, told, form))


# --- finding the heading


def test_titles_label_lines_and_blank_rows_may_stand_above_the_heading(tmp_path: Path) -> None:
    rows = [
        ["某县上云企业名单"], [], ["报送单位：某县工信局", None, None, "填表日期："],
        ["序号", "企业名称", "统一社会信用代码", "所属行业"],
        [1, "示例云溪食品有限公司", USCC[0], "现代食品"],
    ]  # fmt: skip
    table = one(xlsx(tmp_path, rows, ["A1:D1"]))
    assert (table.header.first, table.header.last) == (4, 4)
    assert settled(table) == {
        "序号": None, "企业名称": "enterprise_name", "统一社会信用代码": "uscc", "所属行业": "industry",
    }  # fmt: skip
    (record,) = read_rows(table)
    assert record.facts == {"enterprise_name": "示例云溪食品有限公司", "uscc": USCC[0], "industry": "modern_food"}
    assert record.facts_at == {"enterprise_name": "一批!B5", "uscc": "一批!C5", "industry": "一批!D5"}
    assert (record.key, record.where, record.row, record.findings) == (USCC[0], "一批!A5", 5, [])


MERGED = (
    ["某县名单"],
    ["单位名称", "社会信用代码", "企业基本情况", None, "联系信息", None],
    [None, None, "行业", "是否规上", "联系人", "联系电话"],
    ["示例青禾电子有限公司", USCC[1], "电子信息", "是", "示例甲", "13800000000"],
)


def test_a_heading_of_two_rows_with_merged_groups(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path, MERGED, ["A1:F1", "A2:A3", "B2:B3", "C2:D2", "E2:F2"]))
    assert (table.header.first, table.header.last) == (2, 3)
    assert settled(table) == {
        "单位名称": "enterprise_name", "社会信用代码": "uscc", "企业基本情况／行业": "industry",
        "企业基本情况／是否规上": "above_designated_size", "联系信息／联系人": "contact_person",
        "联系信息／联系电话": "contact_phone",
    }  # fmt: skip
    (record,) = read_rows(table)
    assert record.facts == {
        "enterprise_name": "示例青禾电子有限公司", "uscc": USCC[1], "industry": "electronic_information",
        "above_designated_size": True, "contact_person": "示例甲", "contact_phone": "13800000000",
    }  # fmt: skip


def test_a_text_file_keeps_of_a_group_only_its_first_cell(tmp_path: Path) -> None:
    lines = "\n".join(",".join(str(cell or "") for cell in row) for row in MERGED)
    table = one(save(tmp_path, "甲县.csv", lines.encode()))
    assert settled(table)["联系信息／联系电话"] == "contact_phone"
    assert read_rows(table)[0].facts["contact_phone"] == "13800000000"


def test_what_stands_over_a_heading_may_make_it_another_one(tmp_path: Path) -> None:
    rows = [["企业名称", "法定代表人", None], [None, "姓名", "电话"], ["示例云溪食品有限公司", "示例甲", "13800000000"]]
    table = one(xlsx(tmp_path, rows, ["A1:A2", "B1:C1"]))
    assert settled(table)["企业名称"] == "enterprise_name"
    assert "法定代表人／电话" in asked(table)


def test_numbering_sums_notes_and_repeated_headings_are_no_enterprises(tmp_path: Path) -> None:
    heading = ["序号", "企业名称", "所属行业"]
    rows = [
        heading, [1, 2, 3], [1, "示例甲有限公司", "现代食品"], heading, [2, "示例乙有限公司", "现代食品"],
        ["合计", None, 2], ["填表人：示例", None, "联系电话：8600000"],
    ]  # fmt: skip
    table = one(xlsx(tmp_path, rows))
    assert [record.facts["enterprise_name"] for record in read_rows(table)] == ["示例甲有限公司", "示例乙有限公司"]
    (told,) = table.findings
    assert (told.code, told.severity) == ("E-TABLE-PASSED", "info")
    assert "第 2、6、7 行" in told.message


def test_an_enterprise_whose_name_begins_like_a_note_is_read(tmp_path: Path) -> None:
    rows = [["企业名称", "所属行业"], ["注塑示例有限公司", "现代食品"], ["审核示例有限公司", "现代食品"]]
    assert [record.facts["enterprise_name"] for record in records(xlsx(tmp_path, rows))] == [
        "注塑示例有限公司", "审核示例有限公司",
    ]  # fmt: skip


def test_a_cell_merged_over_rows_belongs_to_its_first_row_only(tmp_path: Path) -> None:
    rows = [["企业名称", "联系人", "电话"], ["示例甲有限公司", "示例", "13800000000"], ["示例乙有限公司", None, None]]
    first, second = records(xlsx(tmp_path, rows, ["B2:B3"]))
    assert first.facts["contact_person"] == "示例"
    assert "contact_person" not in second.facts
    assert [(item.code, item.where) for item in second.findings] == [("E-TABLE-MERGED", "一批!B3")]


def test_a_questionnaire_of_one_enterprise_is_no_table(tmp_path: Path) -> None:
    rows = [
        ["企业名称", "示例甲有限公司", "统一社会信用代码", USCC[0]],
        ["联系人", "示例", "联系电话", "13800000000"],
    ]
    with pytest.raises(WorkbookRefused) as refused:
        read_tables(xlsx(tmp_path, rows), targets())
    assert refused.value.code == "E-TABLE-HEADING"


def test_no_heading_at_all(tmp_path: Path) -> None:
    with pytest.raises(WorkbookRefused) as refused:
        read_tables(xlsx(tmp_path, [["示例甲有限公司", 1], ["示例乙有限公司", 2]]), targets())
    said = str(refused.value)
    assert all(word in said for word in ("E-TABLE-HEADING", "甲县.xlsx", "一批", "请在数据上方补一行列名"))


def test_every_visible_sheet_is_read_and_hidden_ones_are_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title, state in (("东区", "visible"), ("西区", "visible"), ("说明页", "visible"), ("旧", "hidden")):
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        sheet.append(["企业名称", "所属行业"] if title != "说明页" else ["以下为说明"])
        sheet.append([f"示例{title}有限公司", "现代食品"])
    del book["Sheet"]
    stream = io.BytesIO()
    book.save(stream)
    tables, _ = read_tables(save(tmp_path, "甲县.xlsx", stream.getvalue()), targets())
    assert [table.grid.name for table in tables] == ["东区", "西区"]
    assert [(item.code, item.message.split("：")[-1].split("。")[0]) for item in tables[0].findings] == [
        ("E-TABLE-HIDDEN", "旧"), ("E-TABLE-HEADING", "工作表 说明页 中没有可识别的表头，未读取"),
    ]  # fmt: skip


# --- what a column is


def test_columns_in_any_order_by_label_or_alias(tmp_path: Path) -> None:
    rows = [
        ["备注", "电话", "信用代码", "认定等级", "申报单位", "规上", "行业", "联系人"],
        ["无", "0311-86000000", USCC[0], "集成级", "示例云溪食品有限公司", "否", "现代食品制造业", "示例丁"],
    ]
    table = one(xlsx(tmp_path, rows))
    assert {item.how for item in table.proposals} == {"exact", "alias"}
    (record,) = read_rows(table)
    assert record.facts == {
        "remark": "无", "contact_phone": "0311-86000000", "uscc": USCC[0], "maturity_level": MaturityLevel.LEVEL_3,
        "enterprise_name": "示例云溪食品有限公司", "above_designated_size": False, "industry": "modern_food",
        "contact_person": "示例丁",
    }  # fmt: skip


def test_a_heading_that_is_only_alike_is_asked(tmp_path: Path) -> None:
    rows = [["企业全称", "信用代码", "是否规模以上", "法人代表"], ["示例甲有限公司", USCC[0], "是", "示例"]]
    table = one(xlsx(tmp_path, rows))
    assert asked(table) == {
        "企业全称": "“企业全称”像是“企业名称”（75%），请确认",
        "是否规模以上": "“是否规模以上”像是“是否规上”（80%），请确认",
    }
    assert settled(table) == {"信用代码": "uscc", "法人代表": None}
    assert read_rows(table)[0].facts == {"uscc": USCC[0]}


def test_words_in_brackets_that_change_the_meaning_are_asked_and_hints_are_not(tmp_path: Path) -> None:
    rows = [["企业名称（盖章）", "是否规上（是/否）", "联系人（第二）"], ["示例甲有限公司", "是", "示例"]]
    table = one(xlsx(tmp_path, rows))
    assert settled(table) == {"企业名称(盖章)": "enterprise_name", "是否规上(是/否)": "above_designated_size"}
    assert set(asked(table)) == {"联系人(第二)"}


def test_two_columns_for_one_fact_are_asked_and_the_printed_name_goes_first(tmp_path: Path) -> None:
    row = ["示例甲有限公司", "13800000000", "13800000001"]
    aliases = one(xlsx(tmp_path, [["企业名称", "联系电话", "手机"], row]))
    assert set(asked(aliases)) == {"联系电话", "手机"}
    assert "请指定用哪一列" in asked(aliases)["手机"]
    printed = one(xlsx(tmp_path, [["企业名称", "联系电话", "联系方式"], row]))
    assert settled(printed) == {"企业名称": "enterprise_name", "联系电话": None, "联系方式": "contact_phone"}


def test_a_table_without_names_and_codes_is_asked(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path, [["联系人", "联系电话"], ["示例", "13800000000"]]))
    assert table.questions == ["没有企业名称或统一社会信用代码的列，请指定"]


# --- units


@pytest.mark.parametrize(
    ("heading", "cell", "yuan"),
    [
        ("核定金额（元）", 12345.67, "12345.67"),
        ("核定金额（万元）", 12.5, "125000.00"),
        ("核定金额/万元", "12.5", "125000.00"),
        ("SaaS核定金额(单位：元)", "120,000.50", "120000.50"),
        ("核定金额（万元）", "12345元", "12345.00"),
    ],
)
def test_an_amount_is_in_the_unit_its_heading_names(tmp_path: Path, heading: str, cell: Any, yuan: str) -> None:
    (record,) = records(xlsx(tmp_path, [["企业名称", heading], ["示例甲有限公司", cell]]), form=SAAS)
    assert record.facts["approved_amount"] == Money.from_yuan(yuan)


def test_an_amount_that_names_another_unit_than_its_heading_is_told(tmp_path: Path) -> None:
    rows = [["企业名称", "核定金额（万元）"], ["示例甲有限公司", "12345元"], ["示例乙有限公司", "1.5"]]
    first, second = records(xlsx(tmp_path, rows), form=SAAS)
    assert [(item.code, item.severity, item.where) for item in first.findings] == [
        ("E-AMOUNT-TEXT", "warn", "一批!B2"),
    ]  # fmt: skip
    assert second.findings == []


def test_an_amount_without_unit_is_asked_and_not_read(tmp_path: Path) -> None:
    table = one(xlsx(tmp_path, [["企业名称", "核定金额"], ["示例甲有限公司", 12]]), form=SAAS)
    assert asked(table) == {"核定金额": "“核定金额”没有写明单位，是元还是万元"}
    assert read_rows(table)[0].facts == {"enterprise_name": "示例甲有限公司"}


def test_a_unit_declared_above_the_table_holds_where_a_heading_names_none(tmp_path: Path) -> None:
    rows = [
        ["某县名单", None, "单位：万元"],
        ["企业名称", "核定金额", "已核减金额（元）"],
        ["示例甲有限公司", 12, 12],
    ]
    (record,) = records(xlsx(tmp_path, rows), form=SAAS)
    assert (record.facts["approved_amount"], record.facts["saas_reduction_to_date"]) == (
        Money.from_yuan("120000"), Money.from_yuan("12"),
    )  # fmt: skip


def test_units_that_contradict_each_other_above_the_table_declare_nothing(tmp_path: Path) -> None:
    rows = [["单位：万元", "单位：元"], ["企业名称", "核定金额"], ["示例甲有限公司", 12]]
    assert "核定金额" in asked(one(xlsx(tmp_path, rows), form=SAAS))


# --- cells


@pytest.mark.parametrize("code", [910000000000000012, 9.1e17, "9.1E+17", "911301050000001000"])
def test_a_code_that_was_kept_as_a_number_names_no_one(tmp_path: Path, code: Any) -> None:
    (record,) = records(xlsx(tmp_path, [["企业名称", "统一社会信用代码"], ["示例甲有限公司", code]]))
    assert "uscc" not in record.facts
    (told,) = record.findings
    assert (told.code, told.severity, told.where) == ("E-USCC-DAMAGED", "block", "一批!B2")
    assert "按营业执照重新填写18位代码" in told.message


def test_a_code_with_a_wrong_check_character_is_doubted_and_kept(tmp_path: Path) -> None:
    (record,) = records(xlsx(tmp_path, [["企业名称", "统一社会信用代码"], ["示例甲有限公司", "91350100M000100Y44"]]))
    assert record.facts["uscc"] == "91350100M000100Y44"
    assert [(item.code, item.severity) for item in record.findings] == [("E-USCC", "warn")]


def test_every_unusable_cell_is_told_with_its_place_and_the_others_are_read(tmp_path: Path) -> None:
    rows = [
        ["企业名称", "所属行业", "是否规上", "验收等级", "实施完成日期", "已核减金额（元）"],
        ["示例甲有限公司", "纺织", "也许", "五级", "25.6.30", "-1"],
        ["示例乙有限公司", "现代食品", "1", "二级（规范级）", "2025/6/30", "１，２００"],
    ]
    first, second = records(xlsx(tmp_path, rows))
    assert [(item.code, item.where) for item in first.findings] == [
        ("E-OPTION", "一批!B2"), ("E-BOOL", "一批!C2"), ("E-LEVEL", "一批!D2"), ("E-DATE", "一批!E2"),
        ("E-NEGATIVE", "一批!F2"),
    ]  # fmt: skip
    assert first.facts == {"enterprise_name": "示例甲有限公司"}
    assert second.findings == []
    assert second.facts["saas_reduction_to_date"] == Money.from_yuan("1200")


def test_a_formula_is_not_read_whatever_it_shows(tmp_path: Path) -> None:
    rows = [["企业名称", "是否规上"], ['=HYPERLINK("http://example.com","示例")', "=1=1"], ["示例乙有限公司", "是"]]
    first, second = records(xlsx(tmp_path, rows))
    assert first.facts == {}
    assert codes(first.findings) == ["E-CELL-FORMULA", "E-CELL-FORMULA"]
    assert second.facts == {"enterprise_name": "示例乙有限公司", "above_designated_size": True}


# --- text files


LINES = "企业名称,信用代码,联系人,备注\n示例云溪食品有限公司,91000000MA0000001R,示例丁,“一批”\n"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("gbk", "GB18030（含GBK）"), ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16")],
)
@pytest.mark.parametrize(("sign", "name"), [(",", "逗号"), ("\t", "制表符"), (";", "分号")])
def test_a_text_file_in_any_encoding_says_what_it_was_taken_for(
    tmp_path: Path, encoding: str, shown: str, sign: str, name: str
) -> None:
    path = save(tmp_path, "乙县.csv", LINES.replace(",", sign).encode(encoding))
    (table,), findings = read_tables(path, targets())
    assert read_rows(table)[0].facts == {
        "enterprise_name": "示例云溪食品有限公司", "uscc": USCC[0], "contact_person": "示例丁", "remark": "“一批”",
    }  # fmt: skip
    assert [item.code for item in findings] == ["E-CSV-READ"]
    assert f"按 {shown} 编码、{name}分隔" in findings[0].message


def test_text_stays_text_and_formulas_in_it_are_formulas(tmp_path: Path) -> None:
    lines = '企业名称,联系电话,备注,联系人\n示例甲有限公司,="0311-86000000","=cmd|\'/c calc\'!A1",\t=1+1\n'
    (record,) = records(save(tmp_path, "乙县.csv", lines.encode()))
    assert record.facts == {"enterprise_name": "示例甲有限公司", "contact_phone": "0311-86000000"}
    assert [(item.code, item.where) for item in record.findings] == [
        ("E-CELL-FORMULA", "乙县!C2"), ("E-CELL-FORMULA", "乙县!D2"),
    ]  # fmt: skip


def test_a_long_number_in_a_text_file_is_not_cut_off(tmp_path: Path) -> None:
    code = "911301050000001018"
    (record,) = records(save(tmp_path, "乙县.csv", f"企业名称,信用代码\n示例甲有限公司,{code}\n".encode()))
    assert record.facts["uscc"] == code


# --- what is not opened


def doctype(data: bytes) -> bytes:
    return edited(data, "xl/workbook.xml", lambda text: text.replace("<workbook", "<!DOCTYPE x><workbook", 1))


def bomb(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    return rezipped(content | {"xl/media/a.xml": b" " * 300_000_000})


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.xlsx", doctype, "E-BOOK-DOCTYPE"),
        ("a.xlsx", bomb, "E-BOOK-LIMIT"),
        ("a.xls", lambda _: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "E-BOOK-OLD-FORMAT"),
        ("a.xlsx", lambda _: b"<html><table><tr><td>1</td></tr></table></html>", "E-BOOK-NOT-XLSX"),
        ("a.xlsx", lambda _: b"", "E-BOOK-EMPTY"),
        ("a.csv", lambda data: data, "E-CSV-CONTENT"),
        ("a.csv", lambda _: b"\x00\x01\x02,\x03", "E-CSV-CONTENT"),
        ("a.csv", lambda _: b"\xff\xff\xff,\xfe\xfd\n", "E-CSV-ENCODING"),
        ("a.csv", lambda _: ("企业名称,备注\n示例,\"" + "长" * 40_000 + "\"\n").encode(), "E-CSV-CONTENT"),
        ("a.csv", lambda _: ("企业名称,备注\n" + "\n" + ",".join(["1"] * 500_000)).encode(), "E-BOOK-LIMIT"),
    ],
)  # fmt: skip
def test_harmful_or_strange_files_are_refused_by_name(tmp_path: Path, name: str, content: Any, code: str) -> None:
    plain = xlsx(tmp_path, [["企业名称", "所属行业"], ["示例甲有限公司", "现代食品"]], name="正常.xlsx").read_bytes()
    with pytest.raises(WorkbookRefused) as refused:
        read_tables(save(tmp_path, name, content(plain)), targets())
    assert refused.value.code == code
    assert refused.value.where is not None
    assert name in refused.value.where
    assert refused.value.remedy


def test_links_are_not_followed(tmp_path: Path) -> None:
    path = save(tmp_path, "a.csv", LINES.encode())
    link = tmp_path / "b.csv"
    link.symlink_to(path)
    with pytest.raises(WorkbookRefused) as refused:
        read_tables(link, targets())
    assert refused.value.code == "E-BOOK-NOT-FILE"


def test_macros_are_told_and_not_run(tmp_path: Path) -> None:
    data = xlsx(tmp_path, [["企业名称", "所属行业"], ["示例甲有限公司", "现代食品"]]).read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    path = save(tmp_path, "宏.xlsm", rezipped(content | {"xl/vbaProject.bin": b"x"}))
    tables, findings = read_tables(path, targets())
    assert [(item.code, item.severity) for item in findings] == [("E-BOOK-ACTIVE", "warn")]
    assert "含有宏" in findings[0].message
    assert len(read_rows(tables[0])) == 1


# --- 列对应.json


HEADING = ["企业全称", "信用代码", "核定总金额", "说明文字"]
ROW = ["示例甲有限公司", USCC[0], 12.5, "备用"]


def answered(table: ForeignTable, **answers: tuple[str | None, str | None]) -> dict[str, Any]:
    """The document as written for a table, completed by hand."""
    document = mapping_document(SAAS, targets(SAAS), [table_entry(table.example, table.proposals, table.header.unit)])
    for column in document["tables"][0]["columns"]:
        if column["heading"] in answers:
            column["fact"], column["unit"] = answers[column["heading"]]
    return json.loads(json.dumps(document, ensure_ascii=False))  # type: ignore[no-any-return]


def told(folder: Path, document: dict[str, Any]) -> Told:
    path = save(folder, "列对应.json", json.dumps(document, ensure_ascii=False).encode())
    return read_mapping(path, SAAS, targets(SAAS))


def test_the_document_asks_what_is_open_and_states_what_is_settled(tmp_path: Path) -> None:
    document = answered(one(xlsx(tmp_path, [HEADING, ROW]), form=SAAS))
    (table,) = document["tables"]
    assert (document["format"], document["template"]) == ("xlcalc.column-map/1", SAAS)
    assert table["example"] == "甲县.xlsx 一批!A1"
    assert [(row["heading"], row["fact"], row["unit"]) for row in table["columns"]] == [
        ("企业全称", OPEN, None), ("信用代码", "uscc", None), ("核定总金额", OPEN, OPEN), ("说明文字", None, None),
    ]  # fmt: skip
    assert document["可选"]["enterprise_name"] == "企业名称"


def test_answers_hold_for_every_file_with_the_same_heading(tmp_path: Path) -> None:
    answers = {"企业全称": ("企业名称", None), "核定总金额": ("approved_amount", "万元"), "说明文字": ("remark", None)}
    given = told(tmp_path, answered(one(xlsx(tmp_path, [HEADING, ROW]), form=SAAS), **answers))
    other = xlsx(tmp_path, [["乙县"], HEADING, ["示例乙有限公司", USCC[1], "3", "另"]], name="乙县.xlsx")
    table = one(other, given, SAAS)
    assert table.questions == []
    assert {item.how for item in table.proposals} == {"told"}
    assert read_rows(table)[0].facts == {
        "enterprise_name": "示例乙有限公司", "uscc": USCC[1], "approved_amount": Money.from_wan(3), "remark": "另",
    }  # fmt: skip


def test_answers_do_not_hold_for_another_heading_or_another_declared_unit(tmp_path: Path) -> None:
    answers = {"企业全称": ("企业名称", None), "核定总金额": ("approved_amount", "万元")}
    given = told(tmp_path, answered(one(xlsx(tmp_path, [HEADING, ROW]), form=SAAS), **answers))
    assert one(xlsx(tmp_path, [[*HEADING, "备注"], [*ROW, "x"]]), given, SAAS).questions
    assert one(xlsx(tmp_path, [["单位：元"], HEADING, ROW]), given, SAAS).questions


def test_what_is_left_open_in_the_document_stays_open(tmp_path: Path) -> None:
    answers = {"企业全称": ("企业名称", None), "核定总金额": ("approved_amount", OPEN)}
    table = one(xlsx(tmp_path, [HEADING, ROW]), form=SAAS)
    table.settle(targets(SAAS), told(tmp_path, answered(table, **answers)))
    assert table.questions == ["“核定总金额”没有写明单位，是元还是万元"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d | {"format": "x"}, "格式不对"),
        (lambda d: d | {"template": CLOUD}, f"是为模板“{CLOUD}”写的"),
        (lambda d: d | {"tables": {}}, "tables 应为若干项"),
        (lambda d: d | {"tables": [{"signature": "x"}]}, "columns 应为若干项"),
        (lambda d: d | {"tables": [{"columns": [{"heading": "甲", "fact": "name"}]}]}, "“name”不是本表的列"),
        (lambda d: d | {"tables": [{"columns": [{"heading": "甲", "fact": "uscc", "unit": "吨"}]}]}, "应为 元 或 万元"),
        (
            lambda d: d | {"tables": [{"columns": [{"heading": x, "fact": "uscc"} for x in "甲乙"]}]},
            "有两列都写成“uscc”",
        ),
    ],
)
def test_a_document_that_cannot_be_used_says_why(tmp_path: Path, change: Any, says: str) -> None:
    document = answered(one(xlsx(tmp_path, [HEADING, ROW]), form=SAAS))
    with pytest.raises(InputError) as error:
        told(tmp_path, change(document))
    assert error.value.code == "E-MAP"
    assert says in error.value.message
    assert "列对应.json" in str(error.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b"[1]", b'"x"'])
def test_what_is_no_document_is_told_too(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError) as error:
        read_mapping(save(tmp_path, "列对应.json", content), SAAS, targets(SAAS))
    assert error.value.code == "E-MAP"


# --- pasted into a 推荐表


def test_a_table_pasted_with_its_heading_over_the_rows_of_a_form(tmp_path: Path) -> None:
    pasted = [("所属行业", "单位名称", "电话"), ("现代食品", "示例云溪食品有限公司", "13800000000")]
    columns = ("t_enterprise_name", "t_industry", "t_contact_person")
    cells = {
        (port, row): value for row, line in enumerate(pasted, 2) for port, value in zip(columns, line, strict=True)
    }
    data = typed(filled(CLOUD, {"enterprise_name": "示例甲有限公司"}), cells)
    book = RawBook(Package.from_bytes(data))
    header = area_of(book, "t_header")
    first = headed_row(book, header.sheet, header.first_row + 1, targets())
    assert first == header.first_row + 3
    table = pasted_table("甲县.xlsx", book, header.sheet, first, targets())
    assert table is not None
    assert [record.facts for record in read_rows(table)] == [
        {"industry": "modern_food", "enterprise_name": "示例云溪食品有限公司", "contact_phone": "13800000000"},
    ]


def test_a_form_filled_in_as_it_should_be_has_no_heading_among_its_rows() -> None:
    data = filled(CLOUD, {"enterprise_name": "示例甲有限公司", "contact_person": "联系人"})
    book = RawBook(Package.from_bytes(data))
    header = area_of(book, "t_header")
    assert headed_row(book, header.sheet, header.first_row + 1, targets()) is None


# --- size


def test_a_thousand_rows_are_read_cell_by_cell(tmp_path: Path) -> None:
    industries = {"现代食品": "modern_food", "电子信息": "electronic_information"}
    rows: list[list[Any]] = [["名单"], [], ["序号", "联系电话", "已核减金额（万元）", "单位名称", "行业", "规上"]]
    for number in range(1000):
        words = list(industries)[number % 2]
        rows.append(
            [number + 1, f"138{number:08d}", number / 100, f"示例第{number}有限公司", words, "是否"[number % 2]]
        )
    found = records(xlsx(tmp_path, rows))
    assert len(found) == 1000
    for number, record in enumerate(found):
        assert record.facts == {
            "contact_phone": f"138{number:08d}", "saas_reduction_to_date": Money(number * 10_000),
            "enterprise_name": f"示例第{number}有限公司", "industry": list(industries.values())[number % 2],
            "above_designated_size": number % 2 == 0,
        }  # fmt: skip
        assert record.facts_at["contact_phone"] == f"一批!B{number + 4}"
