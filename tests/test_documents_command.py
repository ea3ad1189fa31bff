"""``xlcalc documents``: files on disk, what is left out, PDFs, and the pack a county hands in."""

from __future__ import annotations

import hashlib
import inspect
import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from documents_bench import project, rows_under, sheets, text_of, voucher_row, vouchers
from typer.testing import CliRunner, Result
from workbench import CLOUD, CLOUD_COMPANY, CLOUD_VOUCHER, FORM, SAAS_VOUCHER, SUBSIDY, e1, filled, save

from macros_bridge.documents_command import documents_app
from workbooks.documents.as_pdf import Document, with_pdfs
from workbooks.documents.kinds import KINDS
from workbooks.documents.payment_table import payment_table
from workbooks.documents.recommendation_letter import recommendation_letter
from workbooks.documents.submission import CHECKSUMS, MANIFEST, submission_files, submission_zip
from workbooks.engines.libreoffice_engine import find_soffice
from xlcalc.errors import EngineError, InputError


def documents(*arguments: Any) -> Result:
    return CliRunner().invoke(documents_app, [str(argument) for argument in arguments])


def fault(result: Result) -> tuple[str, str]:
    assert isinstance(result.exception, InputError), result.output
    return result.exception.code, result.exception.message


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = [CLOUD_COMPANY | {"recommending_authority": "示例县工信局", "form_date": "2025-05-30"}]
    rows.append(rows[0] | {"enterprise_name": "示例二号有限公司", "uscc": None, "on_pilot_list": False})
    return save(tmp_path / "in", "上云.xlsx", filled(CLOUD, *rows))


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_every_kind_has_its_command() -> None:
    commands = {str(command.name or command.callback.__name__) for command in documents_app.registered_commands}  # type: ignore[union-attr]
    assert commands == {*KINDS, "pack"}


def test_every_kind_takes_county_and_day(table: Path, tmp_path: Path) -> None:
    for command in documents_app.registered_commands:
        assert command.callback is not None
        assert {"county", "day"} <= set(inspect.signature(command.callback).parameters)
    documents("choices", table, "-o", tmp_path / "out", "--county", "示例县", "--date", "2025-06-20")
    assert names(tmp_path / "out") == ["示例县+石家庄市上云用云抵扣券口径确认表+20250620.docx"]


def test_documents_are_written_beside_what_is_there(table: Path, tmp_path: Path) -> None:
    before = table.read_bytes()
    for number in (1, 2):
        result = documents("payment", table, "-o", tmp_path / "out", "--county", "示例县", "--date", "2025-06-20")
        assert result.exit_code == 0 and result.output.count("已生成") == 1
        assert len(names(tmp_path / "out")) == number
    name = "示例县+石家庄市上云用云抵扣券拨付表+20250620"
    assert names(tmp_path / "out") == [f"{name}.xlsx", f"{name}（2）.xlsx"]
    rows = list(rows_under(sheets((tmp_path / "out" / f"{name}.xlsx").read_bytes())["拨付表"], "序号", "企业名称"))
    assert [(row["企业名称"], row["拨付金额（元）"]) for row in rows] == [("示例青禾电子有限公司", 15000)]
    assert table.read_bytes() == before


def test_a_notice_counts_its_working_days(table: Path, tmp_path: Path) -> None:
    result = documents(
        "supplement", table, "-o", tmp_path / "out", "--enterprise", "示例二号有限公司", "--date", "2025-09-26",
        "--due-days", 5,
    )  # fmt: skip
    assert result.exit_code == 0
    assert names(tmp_path / "out") == [f"示例二号有限公司+补正通知单+20250926{suffix}" for suffix in (".docx", ".xlsx")]
    assert "2025年10月10日前" in text_of((tmp_path / "out" / names(tmp_path / "out")[0]).read_bytes())


def test_a_day_of_an_unpublished_year_is_pointed_out(table: Path, tmp_path: Path) -> None:
    result = documents("supplement", table, "-o", tmp_path / "out", "--due", "2099-01-06")
    assert result.exit_code == 0 and "2099年的节假日安排尚未公布" in result.output


def test_a_file_that_cannot_be_used_costs_only_itself(table: Path, tmp_path: Path) -> None:
    save(table.parent, "坏.xlsx", b"")
    result = documents("publicity", table.parent, "-o", tmp_path / "out")
    assert result.exit_code == 1 and "注意 坏.xlsx" in result.output
    assert names(tmp_path / "out") == ["石家庄市上云用云抵扣券公示名单.xlsx"]
    alone = documents("publicity", table.parent / "坏.xlsx", "-o", tmp_path / "none")
    assert fault(alone)[0] == "E-DOCUMENT-EMPTY" and "坏.xlsx" in fault(alone)[1]
    assert not (tmp_path / "none").exists()


def test_facts_serve_where_no_form_does(tmp_path: Path) -> None:
    facts = tmp_path / "项目.json"
    facts.write_text(json.dumps([project()], ensure_ascii=False, default=str), encoding="utf-8")
    result = documents("recognition", facts, "-o", tmp_path / "out", "--policy", SUBSIDY, "--on", "2025-09-30")
    assert result.exit_code == 0, result.exception
    assert names(tmp_path / "out") == ["示例食品有限公司+投入核定明细表.xlsx"]
    assert fault(documents("recognition", facts, "-o", tmp_path / "out"))[0] == "E-USAGE"
    facts.write_text("[1]", encoding="utf-8")
    assert fault(documents("recognition", facts, "-o", tmp_path, "--policy", SUBSIDY))[0] == "E-JSON"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["payment", "没有.xlsx"], "E-FILE"),
        (["payment", "--policy", "没有"], "E-POLICY"),
        (["payment", "--date", "31/5"], "E-DATE"),
        (["payment", "--choose", "AMB-01"], "E-CHOICE"),
        (["payment", "--withhold", "没有的企业"], "E-DOCUMENT-NAME"),
        (["supplement", "--due-days", "5"], "E-USAGE"),
        (["publicity", "--days", "5"], "E-USAGE"),
        (["recovery", "--enterprise", "示例青禾电子有限公司", "--reason", "复验未通过"], "E-DOCUMENT-STEP"),
    ],
)
def test_slips_are_said_in_chinese(table: Path, tmp_path: Path, arguments: list[str], wanted: str) -> None:
    kind, *more = arguments
    paths = [] if more and more[0].endswith(".xlsx") else [table]
    result = documents(kind, *paths, *more, "-o", tmp_path / "out")
    assert getattr(result.exception, "code", None) == wanted, result.exception
    assert names(tmp_path / "out") == [] if (tmp_path / "out").exists() else True


def test_the_pack_holds_what_a_county_hands_in(table: Path, tmp_path: Path) -> None:
    form = save(table.parent, "评测.xlsx", filled(FORM, e1()))
    before = {path: path.read_bytes() for path in (table, form)}
    result = documents(
        "pack", table.parent, "-o", tmp_path / "out", "--county", "示例县", "--date", "2025-05-31", "--no-pdf"
    )
    assert result.exit_code == 0, result.output
    folder = tmp_path / "out" / "示例县+报送材料+20250531"
    assert names(folder) == sorted([
        "示例县+上云用云企业推荐表+20250531.xlsx", "示例县+石家庄市上云用云抵扣券推荐文件+20250531.docx",
        "示例县+示例云溪食品有限公司+企业改造后数字化水平自评估报告+20250531.xlsx", MANIFEST, CHECKSUMS,
    ])  # fmt: skip
    for line in (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ", 1)
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    rows = list(rows_under(sheets((folder / MANIFEST).read_bytes())["报送清单"], "序号", "文件名"))
    assert [row["形式"] for row in rows] == ["可编辑版", "PDF版（缺）"] * 3
    assert {path: path.read_bytes() for path in (table, form)} == before
    recalculated = openpyxl.load_workbook(folder / "示例县+上云用云企业推荐表+20250531.xlsx", data_only=True)
    assert recalculated.sheetnames


def test_a_pack_says_what_it_leaves_out_and_fits_one_file(table: Path, tmp_path: Path) -> None:
    save(table.parent, "坏.xlsx", b"")
    for name in ("报送材料.zip", "报送材料（2）.zip"):
        result = documents("pack", table.parent, "-o", tmp_path / "out", "--no-pdf", "--zip")
        assert result.exit_code == 1 and "坏.xlsx 未收入" in result.output
        with zipfile.ZipFile(tmp_path / "out" / name) as archive:
            assert {MANIFEST, CHECKSUMS, "上云用云企业推荐表+20250530.xlsx"} < set(archive.namelist())


def test_the_files_of_a_pack_are_listed_with_their_checksums() -> None:
    files = submission_files(
        [Document("甲.xlsx", b"1", b"2"), Document("乙.docx", b"3")], title="示例县", day=date(2025, 5, 31)
    )
    assert list(files) == ["甲.xlsx", "甲.pdf", "乙.docx", MANIFEST, CHECKSUMS]
    rows = list(rows_under(sheets(files[MANIFEST])["报送清单"], "序号", "文件名"))
    assert [(row["文件名"], row["形式"], row["SHA-256"]) for row in rows] == [
        ("甲.xlsx", "可编辑版", "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"),
        ("甲.pdf", "PDF版", "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"),
        ("乙.docx", "可编辑版", "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce"),
        ("乙.pdf", "PDF版（缺）", None),
    ]
    assert submission_zip(files) == submission_zip(files)
    for listed, wanted in (([], "E-DOCUMENT-EMPTY"), ([Document("甲.xlsx", b"1")] * 2, "E-DOCUMENT-NAME")):
        with pytest.raises(InputError) as caught:
            submission_files(listed, title="")
        assert caught.value.code == wanted


@pytest.mark.libreoffice
def test_documents_are_printed(table: Path, tmp_path: Path) -> None:
    result = documents("payment", table, "-o", tmp_path / "out", "--pdf")
    assert result.exit_code == 0
    assert names(tmp_path / "out") == [f"石家庄市上云用云抵扣券拨付表{suffix}" for suffix in (".pdf", ".xlsx")]
    assert (tmp_path / "out" / names(tmp_path / "out")[0]).read_bytes().startswith(b"%PDF")


@pytest.mark.libreoffice
def test_letters_are_printed_where_writer_is_there() -> None:
    letter = Document("推荐文件.docx", recommendation_letter(vouchers(), SAAS_VOUCHER))
    table = Document("拨付表.xlsx", payment_table(vouchers(), SAAS_VOUCHER), to_print=None)
    office = find_soffice()
    assert office is not None
    if (office.resolve().parent / "libswlo.so").exists():
        assert all(document.pdf and document.pdf.startswith(b"%PDF") for document in with_pdfs([letter, table]))
    else:
        with pytest.raises(EngineError) as caught:
            with_pdfs([letter, table])
        assert caught.value.where == letter.name and "Writer" in caught.value.remedy


def test_enterprises_of_one_name_get_files_of_their_own(tmp_path: Path) -> None:
    rows = [voucher_row(number, enterprise_name="示例同名有限公司") for number in (1, 2)]
    facts = tmp_path / "券.json"
    facts.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    result = documents("opinion", facts, "-o", tmp_path / "out", "--policy", SAAS_VOUCHER)
    assert result.exit_code == 0
    found = {name: text_of((tmp_path / "out" / name).read_bytes()) for name in names(tmp_path / "out")}
    assert len(found) == 2 and all("示例县+示例同名有限公司+审核意见表" in name for name in found)
    assert {code for code in (rows[0]["uscc"], rows[1]["uscc"]) for text in found.values() if code in text} == {
        rows[0]["uscc"], rows[1]["uscc"],
    }  # fmt: skip


def test_readings_and_the_day_of_application_can_be_chosen(table: Path, tmp_path: Path) -> None:
    result = documents("review", table, "-o", tmp_path / "out", "--policy", CLOUD_VOUCHER, "--on", "2025-06-01")
    assert result.exit_code == 0
    data = (tmp_path / "out" / "石家庄市上云用云抵扣券资格审查汇总表.xlsx").read_bytes()
    first = next(rows_under(sheets(data)["汇总"], "序号", "审查结论"))
    assert first["审查结论"] == "不符合条件" and "申报截止时间为 2025年5月31日" in first["不符合的事项"]
    assert io.BytesIO(data).read(2) == b"PK"
