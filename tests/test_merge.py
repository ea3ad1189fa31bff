"""Many documents become one table: each enterprise once, as its application has it, and all else told with its cell."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from typer.testing import CliRunner
from workbench import CLOUD, CLOUD_COMPANY, CLOUD_VOUCHER, SAAS, SAAS_COMPANY, filled, plain, save, typed

from macros_bridge.column_questions import ask_on_terminal
from macros_bridge.foreign_reading import foreign_document, run_read
from macros_bridge.merge_run import merge_text, run_merge
from macros_bridge.merging import merge_command
from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook
from workbooks.merging.column_mapping import targets_of
from workbooks.merging.foreign_table import is_foreign
from workbooks.merging.merge import Enterprise, Merged, merge
from workbooks.ports import cell_at, places
from workbooks.reader import read_package, read_workbook
from workbooks.template import build_template, manifest
from xlcalc import load_policy
from xlcalc.errors import WorkbookError
from xlcalc.values.uscc import check_character

APPLICATION = "shijiazhuang.cloud_application"
NAMES = ("示例青禾电子有限公司", "示例远山机械有限公司", "示例云溪食品有限公司")


def code(number: int) -> str:
    body = f"91130100MA{number:07d}"
    return body + check_character(body)


def company(number: int, **more: Any) -> dict[str, Any]:
    """An enterprise that meets every condition of the cloud voucher."""
    own = {"enterprise_name": NAMES[number % 3], "uscc": code(number), "contact_phone": f"1380000000{number % 10}"}
    return CLOUD_COMPANY | own | more


def application(folder: Path, number: int, name: str = "", **more: Any) -> Path:
    facts = company(number, **more)
    return save(folder, f"{name or facts['enterprise_name']}.xlsx", build_template(APPLICATION, facts))


def sheet(folder: Path, rows: Sequence[Sequence[Any]], name: str = "丙县.xlsx") -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    return save(folder, name, stream.getvalue())


def rows_of(data: bytes) -> list[dict[str, Any]]:
    return [record.facts for record in read_package(Package.from_bytes(data)).records]


def names(entries: Sequence[Enterprise]) -> list[str]:
    return [entry.name for entry in entries]


def told(done: Merged, code: str) -> list[str]:
    return [item.message for item in done.findings if item.code == code]


def reasons(done: Merged) -> dict[str, list[str]]:
    return {entry.name: [item.code for item in entry.reasons] for entry in done.left_out}


# --- the table


def test_the_table_says_what_the_applications_say(tmp_path: Path) -> None:
    paths = [
        application(tmp_path, number, industry=word) for number, word in enumerate(("电子信息", "现代食品", "生物医药"))
    ]
    done = merge([tmp_path], CLOUD)
    assert done.data is not None
    assert sorted(names(done.taken)) == sorted(NAMES)
    asked = {port.fact for port in manifest(APPLICATION).ports if port.direction == "in"}
    columns = [port.fact for port in manifest(CLOUD).ports if port.direction == "in" and port.name.startswith("t_")]
    said = {read.records[0].facts["uscc"]: read.records[0].facts for read in map(read_workbook, paths)}
    rows = rows_of(done.data)
    assert len(rows) == 3
    for row in rows:
        both = [name for name in columns if name in asked]
        assert {name: row.get(name) for name in both} == {name: said[row["uscc"]].get(name) for name in both}
        assert {"enterprise_name", "industry", "above_designated_size", "contact_person", "contact_phone"} <= set(both)


def test_the_rows_stand_in_the_order_of_the_files(tmp_path: Path) -> None:
    for number, folder in enumerate(("丙", "甲", "乙")):
        application(tmp_path / folder, number)
    done = merge([tmp_path], CLOUD)
    assert names(done.taken) == [name for _, name in sorted(zip(("丙", "甲", "乙"), NAMES, strict=True))]
    assert done.data is not None
    assert [row["enterprise_name"] for row in rows_of(done.data)] == names(done.taken)


def test_every_formula_of_the_table_has_its_value(tmp_path: Path) -> None:
    rows = [filled_row(number) for number in range(40)]
    save(tmp_path, "甲县.xlsx", filled(CLOUD, *rows))
    data = merge([tmp_path], CLOUD).data
    assert data is not None
    book = RawBook(Package.from_bytes(data))
    shown = [plain(cell_at(book, place)) for place in places(book, "t_face_value")]
    # 三级: the voucher of the third level, read from the pack.
    amount = load_policy(CLOUD_VOUCHER).newest.mechanism("face_value").cell_values(3, 0)["face_value"]
    assert shown == [float(amount.yuan)] * 40
    assert [plain(cell_at(book, place)) for place in places(book, "t_sequence")] == list(range(1, 41))


def filled_row(number: int) -> dict[str, Any]:
    return company(number, enterprise_name=f"示例第{number}号有限公司", uscc=code(number))


def test_documents_of_one_enterprise_complete_each_other(tmp_path: Path) -> None:
    application(tmp_path, 0, saas_reduction_to_date=None, cloud_voucher_received=None)
    sheet(tmp_path, [["企业名称", "信用代码", "已核减金额（万元）"], ["另一种写法有限公司", code(0), 1.5]])
    done = merge([tmp_path], CLOUD)
    assert done.data is not None
    (row,) = rows_of(done.data)
    assert (row["enterprise_name"], row["saas_reduction_to_date"].yuan) == (NAMES[0], 15000)
    (conflict,) = told(done, "E-CONFLICT")
    assert "已按申报书列入" in conflict
    assert f"{NAMES[0]}.xlsx:封面!" in conflict
    assert "丙县.xlsx:Sheet!A2 为“另一种写法有限公司”" in conflict


def test_a_row_without_code_joins_the_only_enterprise_of_its_name(tmp_path: Path) -> None:
    application(tmp_path, 0, saas_reduction_to_date=None)
    sheet(tmp_path, [["企业名称", "已核减金额（元）"], [NAMES[0].replace("有限", " 有限"), 200]])
    done = merge([tmp_path], CLOUD)
    assert done.data is not None
    (row,) = rows_of(done.data)
    assert row["saas_reduction_to_date"].yuan == 200


def test_what_all_tables_say_of_themselves_is_kept(tmp_path: Path) -> None:
    save(tmp_path, "甲.xlsx", filled(CLOUD, company(0, recommending_authority="示例县工信局")))
    save(tmp_path, "乙.xlsx", filled(CLOUD, company(1, recommending_authority="示例县工信局")))
    data = merge([tmp_path], CLOUD).data
    assert data is not None
    assert [row["recommending_authority"] for row in rows_of(data)] == ["示例县工信局"] * 2
    save(tmp_path, "丙.xlsx", filled(CLOUD, company(2, recommending_authority="另一县工信局")))
    data = merge([tmp_path], CLOUD).data
    assert data is not None
    assert not any("recommending_authority" in row for row in rows_of(data))


# --- doubles and contradictions


def test_a_copy_counts_once_and_is_told(tmp_path: Path) -> None:
    application(tmp_path, 0)
    application(tmp_path, 0, name="副本")
    done = merge([tmp_path], CLOUD)
    assert names(done.taken) == [NAMES[0]]
    (message,) = told(done, "E-DOUBLE")
    assert f"{NAMES[0]}.xlsx:封面!" in message
    assert "副本.xlsx:封面!" in message


def test_two_applications_that_differ_are_both_set_aside(tmp_path: Path) -> None:
    application(tmp_path, 0)
    application(tmp_path, 0, name="副本", contact_phone="13900000000")
    application(tmp_path, 1)
    done = merge([tmp_path], CLOUD)
    assert names(done.taken) == [NAMES[1]]
    assert reasons(done) == {NAMES[0]: ["E-DOUBLE"]}
    assert "联系方式不一致" in done.left_out[0].reasons[0].message
    assert done.blocking


@pytest.mark.parametrize("by", ["uscc", "name"])
def test_rows_that_stand_twice_by_code_or_by_name(tmp_path: Path, by: str) -> None:
    second = {"uscc": code(0), "name": ""}[by]
    rows = [
        ["企业名称", "信用代码", "联系人"],
        [NAMES[0], code(0) if by == "uscc" else "", "示例甲"],
        [NAMES[0] if by == "name" else "别名有限公司", second, "示例乙"],
    ]
    done = merge([sheet(tmp_path, rows)], CLOUD)
    assert done.taken == []
    (entry,) = done.left_out
    assert [item.code for item in entry.reasons] == ["E-DOUBLE"]
    assert "Sheet!A2、丙县.xlsx:Sheet!A3" in entry.reasons[0].message


def test_one_name_with_two_codes_is_two_enterprises_and_neither_is_taken(tmp_path: Path) -> None:
    rows = [["企业名称", "信用代码"], [NAMES[0], code(0)], [NAMES[0], code(1)], [NAMES[2], code(2)]]
    done = merge([sheet(tmp_path, rows)], CLOUD)
    assert names(done.taken) == [NAMES[2]]
    assert [[item.code for item in entry.reasons] for entry in done.left_out] == [["E-SAME-NAME"]] * 2
    assert code(0) in done.left_out[0].reasons[0].message
    assert code(1) in done.left_out[0].reasons[0].message


def test_no_row_of_the_table_shares_its_code_or_name(tmp_path: Path) -> None:
    chance = random.Random(7)
    rows: list[list[Any]] = [["企业名称", "信用代码", "联系人"]]
    for _ in range(200):
        number = chance.randrange(60)
        rows.append([f"示例第{chance.randrange(60)}号有限公司", code(number) if chance.random() < 0.8 else "", "示例"])
    done = merge([sheet(tmp_path, rows)], CLOUD)
    assert done.data is not None
    taken = rows_of(done.data)
    held = [row["uscc"] for row in taken if "uscc" in row]
    assert len(held) == len(set(held))
    assert len({row["enterprise_name"] for row in taken}) == len(taken)
    assert sum(len(entry.sources) for entry in (*done.taken, *done.left_out)) == 200


def test_a_row_without_a_name_is_set_aside(tmp_path: Path) -> None:
    done = merge([sheet(tmp_path, [["企业名称", "信用代码"], ["", code(0)], [NAMES[1], code(1)]])], CLOUD)
    assert names(done.taken) == [NAMES[1]]
    assert [item.code for item in done.left_out[0].reasons] == ["E-NO-NAME"]


def test_a_damaged_code_identifies_nobody(tmp_path: Path) -> None:
    rows = [["企业名称", "信用代码"], [NAMES[0], 911301000000000000], [NAMES[1], 911301000000000000]]
    done = merge([sheet(tmp_path, rows)], CLOUD)
    assert names(done.taken) == list(NAMES[:2])
    assert len(told(done, "E-USCC-DAMAGED")) == 2
    assert done.data is not None
    assert not any("uscc" in row for row in rows_of(done.data))


def test_names_that_are_alike_are_told_and_stay_two(tmp_path: Path) -> None:
    rows = [
        ["企业名称", "信用代码"], ["示例云溪（集团）食品有限公司", code(0)], ["示例云溪集团食品有限责任公司", code(1)],
        ["示例远山机械有限公司", code(2)],
    ]  # fmt: skip
    done = merge([sheet(tmp_path, rows)], CLOUD)
    assert len(done.taken) == 3
    (message,) = told(done, "E-NEAR-NAME")
    assert "丙县.xlsx:Sheet!A2" in message
    assert "丙县.xlsx:Sheet!A3" in message
    assert "未合并" in message


# --- who is taken


def test_only_those_that_pass_when_asked(tmp_path: Path) -> None:
    # The ledger's amounts stand in none of these applications; the bureau gives them in a table of its own.
    ledger = [["企业名称", "信用代码", "已核减金额（元）"]]
    for number in range(3):
        application(tmp_path, number, acceptance_passed=number != 1, saas_reduction_to_date=None)
        ledger.append([NAMES[number], code(number), 0])
    sheet(tmp_path, ledger[:3])
    done = merge([tmp_path], CLOUD, passed_only=True)
    assert names(done.taken) == [NAMES[0]]
    assert reasons(done) == {NAMES[1]: ["E-NOT-PASSED"], NAMES[2]: ["E-NOT-PASSED"]}
    said = {entry.name: entry.reasons[0].message for entry in done.left_out}
    assert "不符合条件" in said[NAMES[1]]
    assert "SJZ-CLOUD-10" in said[NAMES[1]]
    assert "尚缺：已核减金额" in said[NAMES[2]]
    assert not done.blocking
    assert len(merge([tmp_path], CLOUD).taken) == 3


def test_what_cannot_be_read_does_not_pass(tmp_path: Path) -> None:
    data = filled(CLOUD, company(0), company(1))
    save(tmp_path, "甲县.xlsx", typed(data, {("t_implementation_end", 1): "去年"}))
    done = merge([tmp_path], CLOUD, passed_only=True)
    assert names(done.taken) == [NAMES[0]]
    assert reasons(done) == {NAMES[1]: ["E-DATE"]}


def test_documents_of_another_direction_are_left_and_told(tmp_path: Path) -> None:
    save(tmp_path, "甲县SaaS.xlsx", filled(SAAS, SAAS_COMPANY | {"enterprise_name": NAMES[0], "uscc": code(0)}))
    application(tmp_path, 0)
    done = merge([tmp_path], CLOUD)
    assert names(done.taken) == [NAMES[0]]
    assert [item.where for item in done.findings if item.code == "E-OTHER-DIRECTION"] == ["甲县SaaS.xlsx"]
    assert "共 2 份文件，列入 1 家，未列入 0 家；1 份是别的政策的表格，没有用到：" in merge_text(
        done, tmp_path, None, None
    )
    (message,) = told(done, "E-OTHER-APPLICATION")
    assert "甲县SaaS.xlsx:" in message


def test_a_file_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    application(tmp_path, 0)
    save(tmp_path, "坏.xlsx", b"PK\x03\x04 and nothing else")
    save(tmp_path, "旧.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    done = merge([tmp_path], CLOUD)
    assert names(done.taken) == [NAMES[0]]
    assert {(item.code, item.where) for item in done.findings if item.severity == "block"} == {
        ("E-BOOK-DAMAGED", "坏.xlsx"), ("E-BOOK-OLD-FORMAT", "旧.xls"),
    }  # fmt: skip
    assert done.collected.files == 3


def test_a_form_for_one_enterprise_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError) as error:
        merge([tmp_path], APPLICATION)
    assert error.value.code == "E-TEMPLATE"


def test_other_readings_than_the_tables_are_told(tmp_path: Path) -> None:
    version = load_policy(CLOUD_VOUCHER).newest
    item = next(item for item in version.interpretations.values() if item.kind == "choice" and len(item.options) > 1)
    other = next(option for option in item.options if option != item.default)
    save(tmp_path, "甲县.xlsx", filled(CLOUD, company(0), choices={item.id: other}))
    assert any(item.id in message for message in told(merge([tmp_path], CLOUD), "E-CHOICE-DIFFERS"))
    assert told(merge([tmp_path], CLOUD, choices={item.id: other}), "E-CHOICE-DIFFERS") == []


# --- foreign tables


def test_a_table_pasted_over_the_rows_of_a_form_and_one_on_a_sheet_of_its_own(tmp_path: Path) -> None:
    pasted = [("所属行业", "单位名称", "电话"), ("现代食品", NAMES[1], "13800000001")]
    ports = ("t_enterprise_name", "t_industry", "t_contact_person")
    cells = {(port, row): value for row, line in enumerate(pasted, 1) for port, value in zip(ports, line, strict=True)}
    book = openpyxl.load_workbook(io.BytesIO(typed(filled(CLOUD, company(0)), cells)))
    extra = book.create_sheet("补报")
    for row in (["序号", "申报单位", "手机"], [1, NAMES[2], "13800000002"]):
        extra.append(row)
    stream = io.BytesIO()
    book.save(stream)
    done = merge([save(tmp_path, "甲县.xlsx", stream.getvalue())], CLOUD)
    assert done.data is not None
    rows = {row["enterprise_name"]: row for row in rows_of(done.data)}
    assert set(rows) == set(NAMES)
    assert (rows[NAMES[1]]["industry"], rows[NAMES[1]]["contact_phone"]) == ("modern_food", "13800000001")
    assert rows[NAMES[2]]["contact_phone"] == "13800000002"


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    texts = ["+86-311-8600000", "@SUM(A1)", "-示例", "＝1+1"]
    lines = ["企业名称,信用代码,备注"] + [f"示例第{n}号有限公司,{code(n)},{text}" for n, text in enumerate(texts)]
    done = merge([save(tmp_path, "乙县.csv", "\n".join(lines).encode())], CLOUD)
    assert done.data is not None
    book = RawBook(Package.from_bytes(done.data))
    cells = [cell_at(book, place) for place in places(book, "t_remark")][:4]
    assert [(cell.kind, cell.formula) for cell in cells] == [("text", None)] * 4
    assert [cell.text for cell in cells] == ["+86-311-8600000", "@SUM(A1)", "-示例", "=1+1"]


def test_a_thousand_foreign_rows_arrive_cell_by_cell(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["名单"], ["电话", "单位名称", "信用代码", "行业", "规上", "已核减金额（万元）"]]
    for number in range(1000):
        name, word = f"示例第{number}号有限公司", ("现代食品", "电子信息")[number % 2]
        rows.append([f"138{number:08d}", name, code(number), word, "是否"[number % 2], number / 100])
    done = merge([sheet(tmp_path, rows)], CLOUD)
    assert done.data is not None
    found = rows_of(done.data)
    assert len(found) == 1000
    for number, row in enumerate(found):
        assert row["uscc"] == code(number)
        assert row["enterprise_name"] == f"示例第{number}号有限公司"
        assert row["contact_phone"] == f"138{number:08d}"
        assert row["industry"] == ("modern_food", "electronic_information")[number % 2]
        assert row["above_designated_size"] is (number % 2 == 0)
        assert row["saas_reduction_to_date"].fen == number * 10_000


# --- the command


OPEN_TABLE = [["企业全称", "信用代码", "已核减金额"], [NAMES[0], code(0), 1.5]]


def answered(path: Path, answers: Mapping[str, tuple[str | None, str | None]]) -> Path:
    document = json.loads(path.read_text(encoding="utf-8"))
    for table in document["tables"]:
        for column in table["columns"]:
            if column["heading"] in answers:
                column["fact"], column["unit"] = answers[column["heading"]]
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def test_open_columns_are_written_down_answered_and_used_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, output = sheet(tmp_path / "in", OPEN_TABLE), tmp_path / "推荐表.xlsx"
    assert run_merge([source], CLOUD, output) == 1
    assert not output.exists()
    said = capsys.readouterr().out
    assert "“企业全称”像是“企业名称”（75%），请确认" in said
    assert "“已核减金额”没有写明单位" in said
    assert "--map" in said
    answers = {"企业全称": ("企业名称", None), "已核减金额": ("saas_reduction_to_date", "万元")}
    mapping = answered(tmp_path / "列对应.json", answers)
    assert run_merge([source], CLOUD, output, mapping) == 0
    (row,) = [record.facts for record in read_workbook(output).records]
    assert (row["enterprise_name"], row["saas_reduction_to_date"].yuan) == (NAMES[0], 15000)
    sheet(tmp_path / "in", [OPEN_TABLE[0], [NAMES[1], code(1), 2]], name="丁县.xlsx")
    assert run_merge([tmp_path / "in"], CLOUD, tmp_path / "推荐表2.xlsx", mapping) == 0
    assert len(read_workbook(tmp_path / "推荐表2.xlsx").records) == 2
    assert sorted(path.name for path in tmp_path.glob("列对应*")) == ["列对应.json"]


def test_a_second_list_of_questions_does_not_replace_the_first(tmp_path: Path) -> None:
    source = sheet(tmp_path / "in", OPEN_TABLE)
    for name in ("一.xlsx", "二.xlsx"):
        assert run_merge([source], CLOUD, tmp_path / name) == 1
    assert sorted(path.name for path in tmp_path.glob("列对应*")) == ["列对应-2.json", "列对应.json"]


def replies(*lines: str) -> Callable[[], str]:
    left = list(lines)
    return lambda: left.pop(0)


def test_a_person_at_a_terminal_is_asked_once_for_each_heading(tmp_path: Path) -> None:
    sheet(tmp_path, OPEN_TABLE)
    sheet(tmp_path, [OPEN_TABLE[0], [NAMES[1], code(1), 2]], name="丁县.xlsx")
    targets = targets_of(CLOUD, manifest(CLOUD))
    show = io.StringIO()
    # Nonsense is asked again; then the first candidate, then 万元.
    asked = merge(
        [tmp_path],
        CLOUD,
        ask=lambda found: ask_on_terminal(found.open_tables, targets, replies("x", "1", "3", "2"), show),
    )
    assert asked.data is not None
    assert [row["saas_reduction_to_date"].yuan for row in rows_of(asked.data)] == [20000, 15000]
    assert "没有“x”" in show.getvalue()
    assert "1 元  2 万元" in show.getvalue()
    assert show.getvalue().count("的表头需要确认") == 1


def test_a_person_may_leave_a_column_out_or_name_another(tmp_path: Path) -> None:
    path = sheet(tmp_path, [["企业名称", "是否规模以上", "联系人姓名"], [NAMES[0], "是", "示例"]])
    targets = targets_of(CLOUD, manifest(CLOUD))
    ask = replies("0", "备注")
    done = merge([path], CLOUD, ask=lambda found: ask_on_terminal(found.open_tables, targets, ask, io.StringIO()))
    assert done.data is not None
    (row,) = rows_of(done.data)
    assert "above_designated_size" not in row
    assert row["remark"] == "示例"


def test_a_table_that_does_not_say_whose_rows_they_are_is_asked_for_its_names(tmp_path: Path) -> None:
    path = sheet(tmp_path, [["户名", "联系人", "联系电话"], [NAMES[0], "示例", "13800000000"]])
    targets = targets_of(CLOUD, manifest(CLOUD))
    show = io.StringIO()
    ask = replies("9", "1")
    done = merge([path], CLOUD, ask=lambda found: ask_on_terminal(found.open_tables, targets, ask, show))
    assert "哪一列是企业名称？ 1 户名  0 都不是" in show.getvalue()
    assert names(done.taken) == [NAMES[0]]


def test_the_json_names_rows_left_out_and_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    application(tmp_path / "in", 0)
    sheet(tmp_path / "in", [["企业名称", "信用代码"], [NAMES[1], code(1)], [NAMES[1], code(2)]])
    output = tmp_path / "推荐表.xlsx"
    assert run_merge([tmp_path / "in", tmp_path / "没有"], CLOUD, output, as_json=True) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["format"], document["template"], document["files"]) == ("xlcalc.merge/1", CLOUD, 2)
    assert [row["name"] for row in document["rows"]] == [NAMES[0]]
    assert [[reason["code"] for reason in row["reasons"]] for row in document["left_out"]] == [["E-SAME-NAME"]] * 2
    assert document["left_out"][0]["where"] == ["丙县.xlsx:Sheet!A2"]
    assert "E-FILE" in [item["code"] for item in document["findings"]]
    assert document["output"] == str(output)
    left_out = openpyxl.load_workbook(document["left_out_output"])
    assert left_out.sheetnames == ["未列入", "检查结果"]
    lines = [[cell.value for cell in row] for row in left_out["未列入"].iter_rows(min_row=4)]
    assert [line[1:4] for line in lines] == [
        [NAMES[1], code(1), "丙县.xlsx:Sheet!A2"], [NAMES[1], code(2), "丙县.xlsx:Sheet!A3"],
    ]  # fmt: skip


def test_the_command_gives_the_exit_code_of_the_run(tmp_path: Path) -> None:
    application(tmp_path / "in", 0)
    app = typer.Typer()
    app.command()(merge_command)
    words = [str(tmp_path / "in"), "-t", CLOUD, "-o", str(tmp_path / "推荐表.xlsx"), "--on", "2025-05-31", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert [row["name"] for row in json.loads(done.stdout)["rows"]] == [NAMES[0]]
    words[0] = str(sheet(tmp_path, OPEN_TABLE))
    words[4] = str(tmp_path / "推荐表2.xlsx")
    assert CliRunner().invoke(app, words).exit_code == 1


def test_outputs_are_never_overwritten_and_originals_untouched(tmp_path: Path) -> None:
    source = application(tmp_path, 0)
    before = source.read_bytes()
    output = tmp_path / "推荐表.xlsx"
    assert run_merge([tmp_path], CLOUD, output) == 0
    with pytest.raises(WorkbookError) as error:
        run_merge([tmp_path], CLOUD, output)
    assert error.value.code == "E-EXISTS"
    with pytest.raises(WorkbookError) as error:
        run_merge([tmp_path], CLOUD, tmp_path / "推荐表.csv")
    assert error.value.code == "E-SUFFIX"
    assert source.read_bytes() == before


# --- reading a foreign table alone


def test_reading_a_foreign_table_shows_what_each_column_was_taken_for(tmp_path: Path) -> None:
    path = sheet(tmp_path, [["企业名称", "信用代码", "核定金额（万元）", "是否规模以上"], [NAMES[0], code(0), 3, "是"]])
    document = foreign_document(path)
    (file,) = document["files"]
    assert (document["format"], file["template"]) == ("xlcalc.read/1", SAAS)
    assert [(row["where"], row["fact"], row["unit"], row["how"]) for row in file["columns"]] == [
        ("Sheet!A1", "enterprise_name", None, "exact"), ("Sheet!B1", "uscc", None, "alias"),
        ("Sheet!C1", "approved_amount", "万元", "exact"), ("Sheet!D1", "above_designated_size", None, "similar"),
    ]  # fmt: skip
    assert file["questions"][0]["questions"] == ["“是否规模以上”像是“是否规上”（80%），请确认"]
    assert file["records"] == []


def test_the_records_of_a_settled_foreign_table_are_shown(tmp_path: Path) -> None:
    path = sheet(tmp_path, [["企业名称", "信用代码", "核定金额（万元）"], [NAMES[0], code(0), 3]])
    (file,) = foreign_document(path)["files"]
    assert [record["facts"] for record in file["records"]] == [
        {"enterprise_name": NAMES[0], "uscc": code(0), "approved_amount": "30000.00元"},
    ]
    assert file["questions"] == []


def test_reading_writes_its_questions_down_and_their_answers_serve_merging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = sheet(tmp_path / "in", OPEN_TABLE)
    assert run_read(path, CLOUD) == 1
    assert "企业全称 → 企业名称  ← “企业全称”像是“企业名称”（75%），请确认" in capsys.readouterr().out
    answers = {"企业全称": ("企业名称", None), "已核减金额": (None, None)}
    mapping = answered(tmp_path / "列对应.json", answers)
    assert run_read(path, CLOUD, mapping, as_json=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["files"][0]["records"][0]["facts"] == {"enterprise_name": NAMES[0], "uscc": code(0)}
    assert document["files"][0]["column_map"] is None
    assert run_merge([path], CLOUD, tmp_path / "推荐表.xlsx", mapping) == 0


def test_a_file_is_ours_by_its_mark(tmp_path: Path) -> None:
    assert is_foreign(sheet(tmp_path, OPEN_TABLE))
    assert is_foreign(save(tmp_path, "甲.csv", b"a,b"))
    assert not is_foreign(save(tmp_path, "推荐表.xlsx", filled(CLOUD, company(0))))
