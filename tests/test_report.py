"""The run report and results.jsonl: complete, readable again, and never a formula from someone's text."""

from __future__ import annotations

import csv
import io
import json
import pickle
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from workbench import CLOUD, CLOUD_COMPANY, FORM, SAAS, SAAS_COMPANY, e1, filled, opened, place, save, seen, typed

from macros_bridge.warned import Warned
from workbooks.batch import report_pages
from workbooks.batch.file_names import FileNames
from workbooks.batch.report import totals, write_report, write_run
from workbooks.batch.report_lines import COLUMNS, safe
from workbooks.batch.results import Results
from workbooks.batch.run import run
from workbooks.batch.tasks import (
    JSONL_NAME,
    REPORT_NAME,
    RESULT_MARK,
    TABLE_NAME,
    FileResult,
    Options,
    Skipped,
    find_tasks,
    hold_back_doubles,
    survey,
)

INJECTED = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "＝1", "\t=1", "=1+1", '=HYPERLINK("http://127.0.0.1","a")', "1E5"]


def clouds() -> list[dict[str, Any]]:
    """三级 15,000 payable; 四级 not on the pilot list; 二级 with the end of the pilot unknown."""
    rows = [CLOUD_COMPANY | {"enterprise_name": f"示例企业{n}", "uscc": None} for n in range(3)]
    rows[0] |= {"recommending_authority": "示例县工业和信息化局", "industry": "现代食品制造业"}
    rows[1] |= {"on_pilot_list": False, "maturity_level": "四级"}
    rows[2] |= {"pilot_end": None, "maturity_level": "二级"}
    return rows


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[FileResult]]:
    """A run over a form with a tampered result, two tables and a bad file, with its report."""
    root = tmp_path_factory.mktemp("report")
    save(root / "in", "评测.xlsx", typed(filled(FORM, e1()), {"o_total": 99}))
    save(root / "in", "上云.xlsx", filled(CLOUD, *clouds()))
    save(root / "in" / "深", "SaaS.xlsx", filled(SAAS, SAAS_COMPANY))
    save(root / "in", "坏.xlsx", b"")
    save(root / "in", "说明.docx", b"a")
    tasks, skipped = survey([root / "in"], root / "out")
    results = run(tasks, Options(jobs=1), lambda _: None)
    write_report(root / "out", results, skipped)
    return root / "out", results


def run_dict(results: list[FileResult], skipped: list[Skipped] | None = None) -> dict[str, Any]:
    """The document of a run made at once; what is written file by file has to say the same."""
    left = [{"path": str(item.path), "reason": item.reason} for item in skipped or ()]
    files = [result.as_dict() for result in results]
    return {"format": "xlcalc.run/1", "files": files, "skipped": left, "totals": totals(results)}


def sheet(finished: tuple[Path, list[FileResult]], name: str) -> Worksheet:
    book = openpyxl.load_workbook(finished[0] / REPORT_NAME)
    found = book[name]
    assert isinstance(found, Worksheet)
    return found


def table(found: Worksheet) -> list[dict[str, Any]]:
    head, *rows = found.iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def test_the_report_has_one_row_for_each_outcome(finished: tuple[Path, list[FileResult]]) -> None:
    rows = table(sheet(finished, "逐企业结果"))
    outcomes = [outcome for result in finished[1] for outcome in result.outcomes]
    assert len(rows) == len(outcomes) == 2 + 3 + 1
    got = [(row["文件"], row["企业"], row["状态"], row["可拨付（元）"]) for row in rows]
    assert sorted(got, key=str) == sorted([
        ("上云.xlsx", "示例企业0", "可以确定", 15000), ("上云.xlsx", "示例企业1", "不符合条件", 0),
        ("上云.xlsx", "示例企业2", "尚不能确定", None), ("SaaS.xlsx", "示例远山机械有限公司", "可以确定", 72000),
        ("评测.xlsx", "示例云溪食品有限公司", "可以确定", None),
        ("评测.xlsx", "示例云溪食品有限公司", "可以确定", 350000),
    ], key=str)  # fmt: skip
    by_name = {row["企业"]: row for row in rows}
    assert by_name["示例企业2"]["尚缺"] == "试点期截止日期"
    assert "×" in by_name["示例云溪食品有限公司"]["依据（每步及条款）"]


def test_derivations_name_their_clause(finished: tuple[Path, list[FileResult]]) -> None:
    derivations = {row["企业"]: row["依据（每步及条款）"] for row in table(sheet(finished, "逐企业结果"))}
    assert "350,000.00 元" in derivations["示例云溪食品有限公司"] and "申报指南" in derivations["示例云溪食品有限公司"]
    assert "第十四条" in derivations["示例企业0"] and "15,000.00 元" in derivations["示例企业0"]
    assert (
        "60%" in derivations["示例远山机械有限公司"] and "企业自付 48,000.00 元" in derivations["示例远山机械有限公司"]
    )


def test_only_determined_money_is_payable(finished: tuple[Path, list[FileResult]]) -> None:
    """15,000 + 350,000 + 72,000; the 20,000 and 10,000 computed for the others are not in it."""
    assert totals(finished[1])["payable"] == {"fen": 43_700_000, "yuan": "437000.00"}
    numbers = [cell for row in sheet(finished, "汇总").iter_rows(values_only=True) for cell in row
               if isinstance(cell, int | float)]  # fmt: skip
    assert numbers.count(437000) == 1
    assert 45000 in numbers and 15000 in numbers  # 上云用云: computed for three, payable for one
    counted = totals(finished[1])
    assert counted["outcomes"] == {"determined": 4, "not_determined": 1, "not_eligible": 1}
    assert (counted["files"], counted["done"], counted["refused"], counted["blocking_files"]) == (4, 3, 1, 2)


def test_findings_stand_with_their_cell_and_link_to_the_result(finished: tuple[Path, list[FileResult]]) -> None:
    found = sheet(finished, "提示与问题")
    rows = table(found)
    (stored,) = [row for row in rows if row["编号"] == "E-STORED-DIFFERS"]
    original = place((finished[0].parent / "in" / "评测.xlsx").read_bytes(), "o_total")
    assert (stored["文件"], stored["单元格"]) == ("评测.xlsx", str(original))
    assert stored["企业"] == "示例云溪食品有限公司"
    (line,) = [cell for row in found.iter_rows() for cell in row if cell.value == str(original)]
    assert line.hyperlink is not None
    assert f"评测{RESULT_MARK}.xlsx" in f"{line.hyperlink.target}" or "%E8" in f"{line.hyperlink.target}"
    (bad,) = [row for row in rows if row["文件"] == "坏.xlsx"]
    assert bad["编号"] == "E-BOOK-EMPTY"
    (pilot,) = [row for row in rows if row["编号"] == "SJZ-CLOUD-10"]
    assert (pilot["企业"], pilot["条款"]) == ("示例企业1", "第十一条1")


def test_every_file_is_listed_with_what_became_of_it(finished: tuple[Path, list[FileResult]]) -> None:
    rows = {Path(row["文件"]).name: row for row in table(sheet(finished, "文件"))}
    assert {name: row["状态"] for name, row in rows.items()} == {
        "评测.xlsx": "已核算", "上云.xlsx": "已核算", "SaaS.xlsx": "已核算", "坏.xlsx": "拒绝", "说明.docx": "未处理",
    }  # fmt: skip
    assert rows["SaaS.xlsx"]["结果文件"] == f"深/SaaS{RESULT_MARK}.xlsx"
    assert "E-BOOK-EMPTY" in rows["坏.xlsx"]["原因及处理办法"] and rows["坏.xlsx"]["结果文件"] is None
    assert rows["上云.xlsx"]["结果数"] == 3 and rows["上云.xlsx"]["不予通过"] == 1


def told(message: str, where: str | None = None, severity: str = "warn", code: str = "X-1") -> dict[str, Any]:
    return {"code": code, "severity": severity, "clause": None, "message": message, "where": where}


def written(root: Path, *results: FileResult) -> dict[str, list[dict[str, Any]]]:
    """The sheets of the report of some results that list."""
    write_report(root, results)
    book = openpyxl.load_workbook(root / REPORT_NAME)
    return {name: table(book[name]) for name in book.sheetnames if name not in ("汇总", "分布")}


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """By what is below the folder that was given, in every sheet; a file that was given itself has its name alone."""
    inbox = tmp_path / "收件"
    towns = [save(inbox / town, "推荐表.xlsx", b"") for town in ("乡镇甲", "乡镇乙")]
    alone, other = save(tmp_path, "单独.xlsx", b""), save(tmp_path / "别处", "表.xlsx", b"")
    results = [
        FileResult(str(path), None, "done", findings=[told("不同") | {"stored": "1", "computed": "2"}])
        for path in towns
    ]
    names = ["乡镇甲/推荐表.xlsx", "乡镇乙/推荐表.xlsx"]
    write_report(tmp_path, results, given=[inbox, alone])
    book = openpyxl.load_workbook(tmp_path / REPORT_NAME)
    for page in ("提示与问题", "可能改动过", "文件"):
        assert [row["文件"] for row in table(book[page])] == names
    for given, path, name in (
        ([inbox, alone], alone, "单独.xlsx"), ([inbox, other.parent], towns[0], "收件/乡镇甲/推荐表.xlsx"),
        (towns, towns[0], str(towns[0])), ([inbox / "乡镇甲"], towns[0], "推荐表.xlsx"),
    ):  # fmt: skip
        assert FileNames(given)(str(path)) == name
    warned = Warned(FileNames([inbox]))
    warned.add(results[1])
    assert "如 乡镇乙/推荐表.xlsx：不同" in next(warned.lines())


def test_what_stops_a_file_counts_against_it_too(tmp_path: Path) -> None:
    """Two findings of the file itself, one of a refused one, none where a warning is all there is."""
    sheets = written(
        tmp_path,
        FileResult("甲.xlsx", None, "done", findings=[told("重复", severity="block"), told("负数", severity="block")]),
        FileResult("乙.xlsx", None, "refused", findings=[told("空文件", severity="block")]),
        FileResult("丙.xlsx", None, "done", findings=[told("请核对")]),
    )
    assert [(row["文件"], row["不予通过"]) for row in sheets["文件"]] == [
        ("甲.xlsx", 2),
        ("乙.xlsx", 1),
        ("丙.xlsx", 0),
    ]


def test_a_changed_formula_is_among_what_may_have_been_changed(tmp_path: Path) -> None:
    """Also where nothing that is stored differs; of rows without a formula, those with another figure."""
    sheets = written(
        tmp_path,
        FileResult("甲.xlsx", None, "done", findings=[
            told("本行缺公式，单元格里是“90000”", "表!N6", code="E-NO-FORMULA")
            | {"stored": "90000", "computed": "60000.00"},
            told("本行缺公式，结果只写入运行报告", "表!N7", code="E-NO-FORMULA"),
        ]),
        FileResult("乙.xlsx", None, "done", findings=[told("公式与模板不同", "表!N6", code="E-FORMULA-CHANGED")]),
    )  # fmt: skip
    assert [(row["文件"], row["编号"], row["文件中的值"], row["说明"][:6]) for row in sheets["可能改动过"]] == [
        ("甲.xlsx", "E-NO-FORMULA", "90000", "本行缺公式，"), ("乙.xlsx", "E-FORMULA-CHANGED", None, "公式与模板不"),
    ]  # fmt: skip
    first = openpyxl.load_workbook(tmp_path / REPORT_NAME)["汇总"].iter_rows(values_only=True)
    assert any("有 2 份工作簿里的结果、参数或公式" in str(row[0]) for row in first)


def test_two_rules_of_one_code_are_told_in_their_own_words(tmp_path: Path) -> None:
    """Each of eight dates differs; what is the same is told once, never one rule in the words of the other."""
    signed = [told(f"合同签订日期应不晚于申报日期（合同签订日期：2025年6月{n}日）", f"表!AB{n}") for n in range(1, 5)]
    begun = [
        told(f"实施期开始日期应不早于合同签订日期（实施期开始日期：2025年6月{n}日）", f"表!AG{n}") for n in range(1, 5)
    ]
    named = [told(f"与“示例公司{n}”和 示例{n}.xlsx 重复，所属行业（所属行业：{'甲乙丙丁'[n]}业）") for n in range(4)]
    mixed = [finding for pair in zip(signed, begun, named, strict=True) for finding in pair]
    rows = written(tmp_path, FileResult("甲.xlsx", None, "done", findings=mixed))["提示与问题"]
    assert [(row["说明及处理办法"][:8], row["单元格"], row["处数"]) for row in rows] == [
        ("合同签订日期应不", "表!AB1:AB4", 4), ("实施期开始日期应", "表!AG1:AG4", 4), ("与“示例公司0”", None, 4),
    ]  # fmt: skip


def test_however_many_things_one_code_says_the_rows_are_few(tmp_path: Path) -> None:
    words = [told(f"须改正{chr(0x4E00 + n)}") for n in range(100)]
    rows = written(tmp_path, FileResult("甲.xlsx", None, "done", findings=words))["提示与问题"]
    assert len(rows) == 21 and rows[-1]["处数"] == 80 and "其他说法的共 80 处" in rows[-1]["说明及处理办法"]


def test_what_was_not_worked_on_stands_with_its_reason(finished: tuple[Path, list[FileResult]]) -> None:
    *_, last = table(sheet(finished, "文件"))
    assert (Path(last["文件"]).name, last["状态"], last["原因及处理办法"]) == ("说明.docx", "未处理", "不是表格")
    skipped = [Skipped(Path("说明.docx"), "不是表格")]
    for results in (finished[1], []):
        text = io.StringIO()
        write_run(text, results, skipped, ledger=[])
        document = run_dict(results, skipped) | {"ledger": []}
        assert text.getvalue() == json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    assert run_dict(finished[1], skipped)["skipped"] == [{"path": "说明.docx", "reason": "不是表格"}]


def test_a_stored_result_that_was_changed_stands_beside_ours(finished: tuple[Path, list[FileResult]]) -> None:
    """The form stored 99 points; whoever changed it is not asked, but the two values stand side by side."""
    (line,) = table(sheet(finished, "可能改动过"))
    original = place((finished[0].parent / "in" / "评测.xlsx").read_bytes(), "o_total")
    score = next(o["results"]["score"] for one in finished[1] for o in one.outcomes if "score" in o["results"])
    assert (line["文件"], line["单元格"], line["编号"]) == ("评测.xlsx", str(original), "E-STORED-DIFFERS")
    assert (line["文件中的值"], float(line["重新核算的值"])) == ("99", float(score))


def test_money_is_spread_over_counties_trades_and_levels(finished: tuple[Path, list[FileResult]]) -> None:
    """示例县 and its trade stand in the 推荐表; the others are known by their folder."""
    rows = [row for row in sheet(finished, "分布").iter_rows(max_col=5, values_only=True) if row[4] is not None]
    by_name = {row[0]: row[1:] for row in rows}
    assert by_name["文件夹：in"][3] == 350000 and by_name["文件夹：深"] == (1, 1, 72000, 72000)
    assert by_name["示例县"] == (3, 1, 45000, 15000)
    # Of 6 results the assessment gives a level and no money.
    assert "另有 1 项结果没有算出给付金额" in str(sheet(finished, "分布")["A2"].value)
    assert by_name["现代食品制造业"] == (1, 1, 15000, 15000)
    assert by_name["四级"][3] == 0 and by_name["三级"][3] == 15000
    assert [row[4] for row in rows if row[0] == "合计"] == [437000, 437000, 437000]
    names = [row[0] for row in rows]
    levels = [name for name in names if name in ("二级", "三级", "四级")]
    assert levels == ["二级", "三级", "四级"] and names.index("文件夹：in") < names.index("示例县")
    assert len(sheet(finished, "分布")._charts) == 3  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 25 enterprises with one telephone, three of them not on the list, every amount changed by hand."""
    root = tmp_path_factory.mktemp("crowded")
    rows = [
        CLOUD_COMPANY | {"enterprise_name": f"示例企业{n}", "uscc": None, "contact_phone": "000"} for n in range(25)
    ]
    for n in (1, 4, 5):
        rows[n] |= {"on_pilot_list": False}
    save(root / "in", "上云.xlsx", typed(filled(CLOUD, *rows), {("t_face_value", n): 99999 for n in range(25)}))
    results = run(find_tasks([root / "in"], root / "out"), Options(jobs=1), lambda _: None)
    write_report(root / "out", results)
    return root / "out"


def test_findings_in_the_same_words_share_a_row(crowded: Path) -> None:
    """Whom something stops is named; of what is only to be seen to, how often and where."""
    found = openpyxl.load_workbook(crowded / REPORT_NAME)["提示与问题"]
    rows = {row["编号"]: row for row in table(found)}
    block, phone = rows["SJZ-CLOUD-10"], rows["SJZ-CLOUD-41"]
    assert (block["企业"], block["处数"], block["条款"]) == ("示例企业1、示例企业4、示例企业5", 3, "第十一条1")
    assert (phone["企业"], phone["处数"]) == ("示例企业0 等 25 家", 25)
    assert phone["单元格"] == "上云用云企业推荐表!F6:F30"
    assert [row["程度"] for row in table(found)][0] == "不予通过"


def test_every_changed_result_is_told_and_none_twice(crowded: Path) -> None:
    """Twenty rows side by side, the other five cells in one; results.jsonl has all of them one by one."""
    rows = table(openpyxl.load_workbook(crowded / REPORT_NAME)["可能改动过"])
    at = "上云用云企业推荐表!M"
    assert [row["单元格"] for row in rows] == [*(f"{at}{n}" for n in range(6, 26)), f"{at}26:M30"]
    assert (rows[0]["文件中的值"], rows[0]["重新核算的值"]) == ("99999", "15000.00")
    assert (rows[-1]["文件中的值"], rows[-1]["重新核算的值"]) == ("“99999”", "“15000.00”")
    assert "另有 5 处" in rows[-1]["说明"]
    differing = [(item["where"], item["stored"]) for line in lines(crowded) for item in line["record_findings"]]
    assert differing == [(f"{at}{n}", "99999") for n in range(6, 31)]


def test_a_report_holds_no_results(finished: tuple[Path, list[FileResult]], tmp_path: Path) -> None:
    """However many there are: one is read while the last one goes."""
    held: list[weakref.ref[FileResult]] = []

    def read() -> Iterator[FileResult]:
        for result in finished[1]:
            assert sum(one() is not None for one in held) <= 1
            fresh = pickle.loads(pickle.dumps(replace(result, output=None)))
            held.append(weakref.ref(fresh))
            yield fresh
            del fresh

    write_report(tmp_path, Results(read))
    assert len(held) == 2 * 4 and len(list(lines(tmp_path))) == 6


def test_a_result_that_travelled_is_the_same(finished: tuple[Path, list[FileResult]]) -> None:
    """Also when something came to light on the way, before its outcomes were looked at or after."""
    for result in finished[1]:
        fresh, sent = pickle.loads(pickle.dumps((result, result)))
        sent = pickle.loads(pickle.dumps(sent))
        assert (fresh.brief, fresh.lines) == (result.brief, result.lines)
        for number in range(len(result.brief)):
            fresh.hold_back(number)
            assert sent.outcomes and sent.hold_back(number) is None
        assert fresh == sent and fresh.lines == sent.lines
        assert {one["status"] for one in fresh.brief} <= {"not_determined", "not_eligible"}
        assert not any(one["payable"] for one in fresh.outcomes if one["status"] == "not_determined")


def test_beyond_the_limits_for_links_the_place_stands_as_text(
    finished: tuple[Path, list[FileResult]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_pages, "_MOST_LINKS", 1)
    where = [replace(result, output=str(tmp_path / Path(result.path).name)) for result in finished[1]]
    write_report(tmp_path, where)
    for name in ("提示与问题", "文件"):
        found = openpyxl.load_workbook(tmp_path / REPORT_NAME)[name]
        assert sum(cell.hyperlink is not None for row in found.iter_rows() for cell in row) == 1
    assert len([row for row in table(found) if row["结果文件"]]) == 4


def test_a_full_sheet_says_where_the_rest_is(
    finished: tuple[Path, list[FileResult]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_pages, "LAST_ROW", 3)
    write_report(tmp_path, [replace(result, output=None) for result in finished[1]])
    rows = table(openpyxl.load_workbook(tmp_path / REPORT_NAME)["逐企业结果"])
    assert len(rows) == 3 and "行数已满" in rows[2]["文件"] and "results.jsonl" in rows[2]["文件"]
    assert len(list(lines(tmp_path))) == 6


def rows_of_csv(folder: Path) -> list[dict[str, str]]:
    data = (folder / TABLE_NAME).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_the_table_for_machines_has_one_type_a_column(finished: tuple[Path, list[FileResult]]) -> None:
    rows = rows_of_csv(finished[0])
    assert len(rows) == 6 and tuple(rows[0]) == COLUMNS
    for row in rows:
        for name, cell in row.items():
            assert cell == "" or not (name.endswith("_fen") or name == "maturity_level") or int(cell) >= 0
    assert sum(int(row["payable_fen"] or 0) for row in rows) == 43_700_000
    by_name = {row["name"]: row for row in rows}
    first = by_name["示例企业0"]
    assert (first["face_value_fen"], first["payable_fen"], first["county"]) == (
        "1500000",
        "1500000",
        "示例县工业和信息化局",
    )
    assert by_name["示例企业2"]["payable_fen"] == "" and "pilot_end" in by_name["示例企业2"]["missing"]
    assert by_name["示例远山机械有限公司"]["output"] == f"深/SaaS{RESULT_MARK}.xlsx"
    assert by_name["示例远山机械有限公司"]["output_path"] == f"./深/SaaS{RESULT_MARK}.xlsx"
    assert "E-STORED-DIFFERS" in by_name["示例云溪食品有限公司"]["finding_codes"]


def test_a_row_of_the_table_has_the_codes_of_its_own_enterprise(tmp_path: Path) -> None:
    """One result and one parameter were altered, and one enterprise stands in two files."""
    rows = clouds()
    rows[2] |= {"uscc": CLOUD_COMPANY["uscc"]}
    tampered = typed(filled(CLOUD, *rows), {("t_face_value", 1): 99_999, ("p_faces", 3): 9_900_000})
    save(tmp_path / "in", "甲.xlsx", tampered)
    save(tmp_path / "in", "乙.xlsx", filled(CLOUD, CLOUD_COMPANY))
    results = run(find_tasks([tmp_path / "in"], tmp_path / "out"), Options(jobs=1), lambda _: None)
    hold_back_doubles(results)
    write_report(tmp_path / "out", results)
    found = {
        (Path(row["file"]).stem, row["name"]): (set(row["finding_codes"].split(";")), row["file_finding_codes"])
        for row in rows_of_csv(tmp_path / "out")
    }
    besides = {
        (Path(line["file"]).stem, line["name"]): [finding["code"] for finding in line.get("file_findings", ())]
        for line in lines(tmp_path / "out")
    }
    assert besides == {
        ("甲", "示例企业0"): ["E-PARAMETER"], ("甲", "示例企业1"): ["E-PARAMETER"],
        ("甲", "示例企业2"): ["E-DOUBLE-FILE", "E-PARAMETER"], ("乙", "示例青禾电子有限公司"): ["E-DOUBLE-FILE"],
    }  # fmt: skip
    sheet = openpyxl.load_workbook(tmp_path / "out" / REPORT_NAME)["逐企业结果"]
    lacking = {row["企业"]: row["尚缺"] or "" for row in table(sheet)}
    assert "须先处理：同一代码对应不同的名称" in lacking["示例青禾电子有限公司"]
    assert "须先处理" not in lacking["示例企业0"] + lacking["示例企业1"]
    told = {"E-STORED-DIFFERS", "E-PARAMETER", "E-DOUBLE-FILE"}
    assert {key: (codes & told, of_file) for key, (codes, of_file) in found.items()} == {
        ("甲", "示例企业0"): (set(), "E-PARAMETER"),
        ("甲", "示例企业1"): ({"E-STORED-DIFFERS"}, "E-PARAMETER"),
        ("甲", "示例企业2"): ({"E-DOUBLE-FILE"}, "E-PARAMETER"),
        ("乙", "示例青禾电子有限公司"): ({"E-DOUBLE-FILE"}, ""),
    }


@pytest.mark.parametrize("text", [*INJECTED[:-1], " =1", "\u200b@x", "－1", "'=1"])
def test_a_text_a_spreadsheet_could_run_is_quoted_in_the_table(text: str) -> None:
    assert safe(text) == f"'{text}"
    assert (safe("示例=1"), safe(-1), safe(None)) == ("示例=1", -1, None)


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    for line in (folder / JSONL_NAME).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def test_results_jsonl_has_an_outcome_a_line(finished: tuple[Path, list[FileResult]]) -> None:
    found = list(lines(finished[0]))
    assert len(found) == 6
    for line in found:
        assert line["format"] == "xlcalc.outcome/1" and Path(line["file"]).exists() and "!" in line["where"]
        assert line["payable"] is None or set(line["payable"]) == {"fen", "yuan"}
    document = run_dict(finished[1])
    assert document["format"] == "xlcalc.run/1"
    assert [outcome for file in document["files"] for outcome in file["outcomes"]] == [
        {key: value for key, value in line.items() if key not in ("file", "file_findings")} for line in found
    ]


def test_the_report_is_complete_without_results(tmp_path: Path) -> None:
    write_report(tmp_path, [])
    book = openpyxl.load_workbook(tmp_path / REPORT_NAME)
    assert len(book.sheetnames) == 6 and (tmp_path / JSONL_NAME).read_text() == ""


@pytest.mark.parametrize("form", [CLOUD, FORM])
def test_a_name_is_never_a_formula(form: str, tmp_path: Path) -> None:
    """A name that begins like a formula stays text in the result workbook, in the report and in results.jsonl."""
    names = INJECTED if form == CLOUD else INJECTED[:1]
    shown = [name.strip().replace("＝", "=") for name in names]
    if form == CLOUD:
        data = filled(CLOUD, *(CLOUD_COMPANY | {"enterprise_name": name, "uscc": None} for name in names))
        data = typed(data, {("t_enterprise_name", n): name for n, name in enumerate(names)})
        port, key = "t_enterprise_name", "t_face_value"
    else:
        data = typed(filled(FORM, e1()), {"i_enterprise_name": names[0], "i_evidence_q1": "=1+1"})
        port, key = "i_enterprise_name", "o_subsidy"
    save(tmp_path / "in", "注入.xlsx", data)
    results = run(find_tasks([tmp_path / "in"], tmp_path / "out"), Options(jobs=1), lambda _: None)
    write_report(tmp_path / "out", results)
    patched = Path(results[0].output or "").read_bytes()
    assert [str(cell).strip() for cell in seen(patched, port)[: len(names)]] == [name.strip() for name in names]
    formulas = openpyxl.load_workbook(tmp_path / "out" / f"注入{RESULT_MARK}.xlsx")
    for n in range(len(names)):
        spot = place(patched, port, n)
        assert formulas[spot.sheet][spot.ref].data_type == "s"
        assert seen(patched, key)[n] == (15000 if form == CLOUD else 350000)
    for name in [port.name for port in results_fill(form)]:
        spot = place(patched, name)
        assert formulas[spot.sheet][spot.ref].data_type != "f"
    report = openpyxl.load_workbook(tmp_path / "out" / REPORT_NAME)
    for found in report.worksheets:
        for row in found.iter_rows():
            for cell in row:
                assert cell.data_type != "f", f"{found.title}!{cell.coordinate}"
    texts = [cell for row in report["逐企业结果"].iter_rows() for cell in row if cell.value in shown]
    assert {cell.value for cell in texts} == set(shown)
    assert all(cell.data_type == "s" and cell.quotePrefix for cell in texts)
    assert {line["name"] for line in lines(tmp_path / "out")} == set(shown)
    assert {row["name"] for row in rows_of_csv(tmp_path / "out")} == {safe(name) for name in shown}
    assert opened(patched).sheetnames == formulas.sheetnames


def results_fill(form: str) -> list[Any]:
    from workbooks.template import manifest

    return [port for port in manifest(form).ports if port.direction == "fill"]


def test_the_screen_after_a_recalculation_shows_each_kind_of_warning_once() -> None:
    """Of 2,500 warnings of 25 kinds, the most frequent with their numbers."""
    warned = Warned()
    for number in range(100):
        found = [
            {"code": f"W-{kind:02}", "severity": "warn", "clause": None, "message": "请" * 500, "where": "表!A1"}
            for kind in range(25) for _ in range(1 + (kind == 7))
        ]  # fmt: skip
        info = {"code": "I-1", "severity": "info", "clause": None, "message": "说明", "where": None}
        warned.add(FileResult(f"收件/{number}.xlsx", None, "done", findings=[*found, info]))
    lines = list(warned.lines())
    assert lines[0].startswith("[W-07] 提醒 200 条，在 100 份文件中，如 0.xlsx 表!A1：请")
    assert len(lines) == 21 and max(map(len, lines)) < 300 and lines[-1].startswith("另有 5 种提醒")
