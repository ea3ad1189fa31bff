"""The commands behind the buttons: on files, on damaged and foreign ones, and on a workbook open in Excel."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from excel_stand_in import Book
from pyopenvba.apps.excel import ExcelApplication
from workbench import (
    CLOUD,
    CLOUD_COMPANY,
    FORM,
    SAAS,
    SAAS_COMPANY,
    TEMPLATES,
    At,
    e1,
    filled,
    place,
    row,
    save,
    typed,
    values,
)

from macros_bridge import commands, workbook_access
from macros_bridge.choices_in_force import effect_text
from macros_bridge.commands import COMMANDS, calculate, check, choices, export_pdf, press
from macros_bridge.lists import FINDING_COLUMNS, Line, Link, list_workbook
from macros_bridge.printing import printable, printed_sheets
from workbooks.engines import libreoffice_engine
from workbooks.files.package import Package
from workbooks.form import forms
from workbooks.recalc import recalculate_package
from workbooks.template import build_template
from xlcalc import __version__
from xlcalc.errors import EngineError, XlcalcError
from xlcalc.values.money import Money

ROOT = Path(__file__).parents[1]
VBA = (ROOT / "macros_bridge" / "vba" / "parts" / "xlcalc_commands.bas").read_bytes().decode("ascii")

OTHER = {"enterprise_name": "示例后来企业", "uscc": "91000000MA00000030"}
GOOD = {
    FORM: filled(FORM, e1()),
    CLOUD: filled(CLOUD, CLOUD_COMPANY),
    SAAS: filled(SAAS, SAAS_COMPANY),
}
PAYABLE = {FORM: 350_000_00, CLOUD: 15_000_00, SAAS: 72_000_00}
"""50万元 at 二级: 70 %, capped at 35万; an enterprise at 三级: 1.5万 face value; 12万元 × 60 %."""


def at(data: bytes, where: At) -> str:
    return str(place(data, *((where, 0) if isinstance(where, str) else where)))


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def found(result: commands.Checked, code: str) -> list[tuple[str, str | None]]:
    return [(finding.severity, finding.where) for finding in result.findings if finding.code == code]


# --- 检查


@pytest.mark.parametrize("form", TEMPLATES)
def test_a_check_reads_and_writes_nothing(form: str, tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD[form])
    before = listing(tmp_path)
    result = check(path)
    assert listing(tmp_path) == before
    assert not result.blocking and result.name == "甲.xlsx"
    assert result.outcomes[-1].payable == Money(PAYABLE[form])
    assert result.summary.startswith("1 家企业：可以确定 1。")


def test_what_is_wrong_is_found_at_its_cell_most_urgent_first(tmp_path: Path) -> None:
    data = filled(CLOUD, CLOUD_COMPANY, CLOUD_COMPANY, CLOUD_COMPANY | OTHER | {"maturity_level": None})
    data = typed(data, {row(CLOUD, "uscc", 2): "1234"})
    result = check(save(tmp_path, "甲.xlsx", data))
    assert [severity for severity, _ in found(result, "E-DOUBLE")] == ["block"] * 4
    assert result.blocking and result.findings[0].severity == "block"
    assert found(result, "E-USCC") == [("warn", at(data, row(CLOUD, "uscc", 2)))]
    assert found(result, "E-MISSING") == [("warn", at(data, row(CLOUD, "maturity_level", 2)))]
    (missing,) = [(who, finding) for who, finding in result.rows if finding.code == "E-MISSING"]
    assert missing[0] == "示例后来企业" and "验收等级" in missing[1].message
    order = [finding.severity for finding in result.findings]
    assert order == sorted(order, key=["block", "warn", "human", "info"].index)
    assert result.summary.startswith("3 家企业：尚不能确定 3。不予通过 4 条，提醒 ")


def test_a_missing_answer_is_found_at_its_first_tick(tmp_path: Path) -> None:
    data = filled(FORM, e1(answers={"q5": None}))
    (missing,) = [finding for finding in check(save(tmp_path, "甲.xlsx", data)).findings if finding.code == "E-MISSING"]
    from workbench import tick

    assert missing.where == at(data, tick("q5", "A")) and "第5题" in missing.message


def test_an_empty_table_is_said_to_be_empty(tmp_path: Path) -> None:
    result = check(save(tmp_path, "空.xlsx", build_template(CLOUD)))
    assert result.summary == "工作簿中没有填写任何企业" and result.outcomes == ()


# --- files that cannot be used


FOREIGN = io.BytesIO()
openpyxl.Workbook().save(FOREIGN)
UNUSABLE = {
    "damaged": (GOOD[CLOUD][:-400], "E-BOOK-DAMAGED"),
    "foreign": (FOREIGN.getvalue(), "E-BOOK-FOREIGN"),
    "old": (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504, "E-BOOK-OLD-FORMAT"),
    "empty": (b"", "E-BOOK-EMPTY"),
}
ON_FILES: tuple[Callable[[Any], Any], ...] = (check, calculate, export_pdf, choices)


@pytest.mark.parametrize("command", ON_FILES, ids=lambda command: command.__name__)
@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_file_that_cannot_be_used_is_refused_and_left_alone(
    command: Callable[[Any], Any], kind: str, tmp_path: Path
) -> None:
    data, code = UNUSABLE[kind]
    path = save(tmp_path, "甲.xls" if kind == "old" else "甲.xlsx", data)
    for target in (path, str(path), Book(path)):
        with pytest.raises(XlcalcError) as caught:
            command(target)
        assert caught.value.code == code and caught.value.remedy
        assert path.name in (caught.value.where or path.name)
    assert listing(tmp_path) == {path.name: data}


@pytest.mark.parametrize("command", [*ON_FILES, commands.help], ids=lambda command: command.__name__)
@pytest.mark.parametrize("name", ["没有.xlsx", "."])
def test_a_path_without_a_file(command: Callable[[Any], Any], name: str, tmp_path: Path) -> None:
    with pytest.raises(XlcalcError) as caught:
        command(tmp_path / name)
    assert caught.value.code == "E-FILE"


@contextmanager
def read_only(data: bytes) -> Iterator[Path]:
    """A file in a folder in which this process, were it root, may not write either."""
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder), "甲.xlsx", data)
        path.chmod(0o644)
        Path(folder).chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield path
        finally:
            os.seteuid(user)
            Path(folder).chmod(0o755)


@pytest.mark.parametrize("command", [calculate, export_pdf], ids=lambda command: command.__name__)
def test_a_folder_that_cannot_be_written_to(command: Callable[[Any], Any]) -> None:
    with read_only(GOOD[CLOUD]) as path:
        assert not check(path).blocking
        with pytest.raises(XlcalcError) as caught:
            command(path)
        assert (caught.value.code, caught.value.where) == ("E-IO", str(path.parent))
        assert "桌面" in caught.value.remedy and "-o" not in caught.value.remedy
        assert list(path.parent.iterdir()) == [path]


# --- 核算


@pytest.mark.parametrize("form", TEMPLATES)
def test_a_calculation_delivers_beside_the_file_and_never_overwrites(form: str, tmp_path: Path) -> None:
    path = save(tmp_path, "XX县+推荐表+20250531.xlsx", GOOD[form])
    names = ["XX县+推荐表+20250531（核算结果）.xlsx", "XX县+推荐表+20250531（核算结果）(2).xlsx"]
    for name in names:
        result = calculate(path)
        assert result.output == tmp_path / name and result.output.is_file()
        assert f"可拨付合计 {Money(PAYABLE[form])}" in result.summary and str(result.output) in result.summary
    assert (tmp_path / names[0]).read_bytes() == (tmp_path / names[1]).read_bytes()
    again = calculate(tmp_path / names[1])
    assert again.output.name == "XX县+推荐表+20250531（核算结果）(3).xlsx"
    assert path.read_bytes() == GOOD[form]


def test_stale_results_are_made_new(tmp_path: Path) -> None:
    """120000 元 × 60 % was 72,000; 核定金额 is now 166666.66, and 100,000 the most there is."""
    data = typed(GOOD[SAAS], {row(SAAS, "approved_amount", 0): "166666.66"})
    assert values(data, "t_reduction")[0] == 72_000
    result = calculate(save(tmp_path, "甲.xlsx", data))
    assert values(result.output.read_bytes(), "t_reduction")[0] == 100_000
    assert [outcome["payable"]["fen"] for outcome in result.result.outcomes] == [10_000_000]


def test_a_file_with_macros_gets_a_result_that_overwrites_none_of_either_kind(tmp_path: Path) -> None:
    """Results of files with macros may end in .xlsx."""
    from macros_bridge.vba.embed import embed

    path = save(tmp_path, "甲.xlsm", embed(GOOD[CLOUD]))
    taken = save(tmp_path, "甲（核算结果）.xlsx", b"an earlier result")
    result = calculate(path)
    assert result.output.stem == "甲（核算结果）(2)" and result.output.is_file()
    assert taken.read_bytes() == b"an earlier result"


def test_a_calculation_with_something_blocking_says_so(tmp_path: Path) -> None:
    result = calculate(save(tmp_path, "甲.xlsx", filled(CLOUD, CLOUD_COMPANY, CLOUD_COMPANY)))
    assert "请按“检查”" in result.summary and "可拨付合计 0.00 元" in result.summary


# --- 导出


def shown_formulas(data: bytes) -> dict[str, list[str]]:
    """Formulas by sheet, of the sheets that are not hidden."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {
        sheet.title: [cell.coordinate for cells in sheet for cell in cells if cell.data_type == "f"]
        for sheet in book
        if sheet.sheet_state == "visible"
    }


@pytest.mark.parametrize("form", TEMPLATES)
def test_the_copy_to_print_holds_the_form_with_values_only(form: str) -> None:
    done = recalculate_package(Package.from_bytes(GOOD[form]))
    data = printable(done)
    sheets = printed_sheets(done.read)
    assert shown_formulas(data) == {name: [] for name in sheets}
    assert any(shown_formulas(GOOD[form])[name] for name in sheets)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.active.title == sheets[0]
    assert [sheet.title for sheet in book if sheet.print_area] == sheets


@pytest.mark.parametrize("form", forms())
def test_nothing_set_apart_is_printed(form: str) -> None:
    """What does not belong to the official form says so where it stands."""
    data = build_template(form)
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheets = printed_sheets(recalculate_package(Package.from_bytes(data)).read)
    assert sheets and not {"参数", "计算", "依据", "条款原文", "口径确认表"} & set(sheets)
    for name in sheets:
        area = book[name].print_area
        assert area, f"{name} prints whatever stands on it"
        printed = [str(cell.value) for cells in book[name][area.rpartition("!")[2]] for cell in cells if cell.value]
        assert not [text for text in printed if "不属于官方表格" in text or "不打印" in text]


PRINTED = {
    FORM: ("企业改造后数字化水平自评估报告", "示例云溪食品有限公司", "48.25"),
    CLOUD: ("上云用云企业推荐表", "示例青禾电子有限公司", "推荐单位"),
    SAAS: ("SaaS 化服务企业推荐表", "示例远山机械有限公司", "推荐单位"),
}
NOT_PRINTED = ("口径", "条款原文", "政策包", "补贴测算", "核算步骤", "工作列", "不属于官方")


def pdf_text(path: Path) -> str:
    return subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True).stdout


@pytest.mark.libreoffice
@pytest.mark.parametrize("form", TEMPLATES)
def test_a_pdf_of_the_form_and_nothing_else(form: str, tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD[form])
    earlier = save(tmp_path, "甲.pdf", b"sealed already")
    result = export_pdf(path)
    assert result.output == tmp_path / "甲(2).pdf" and earlier.read_bytes() == b"sealed already"
    text = pdf_text(result.output)
    squeezed = re.sub(r"\s", "", text)
    assert all(re.sub(r"\s", "", word) in squeezed for word in PRINTED[form])
    assert not [word for word in NOT_PRINTED if word in text.replace("见口径确认表 AMB-51", "")]
    pages = text.count("\f")
    assert f"第1页共{pages}页" in squeezed and f"第{pages}页共{pages}页" in squeezed
    assert path.read_bytes() == GOOD[form] and len(list(tmp_path.iterdir())) == 3


@pytest.mark.libreoffice
def test_a_pdf_shows_new_results_and_says_what_is_open(tmp_path: Path) -> None:
    """Without 第8题 D there is no score; the stored one is stale."""
    from workbench import tick

    data = typed(GOOD[FORM], {tick("q8", "D"): "□"})
    result = export_pdf(save(tmp_path, "甲.xlsx", data))
    assert "48.25" not in pdf_text(result.output)
    assert "盖章前请先按“检查”" in result.summary and found(result.checked, "E-MISSING")


def test_without_libreoffice_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libreoffice_engine, "find_soffice", lambda: None)
    path = save(tmp_path, "甲.xlsx", GOOD[CLOUD])
    with pytest.raises(EngineError) as caught:
        export_pdf(path)
    error = caught.value
    assert (error.code, error.where) == ("E-ENGINE-LIBREOFFICE", "甲.xlsx")
    assert "LibreOffice 25.2" in error.remedy and "Excel" in error.remedy
    assert list(tmp_path.iterdir()) == [path]


# --- 口径确认


def test_the_choices_with_what_another_would_pay(tmp_path: Path) -> None:
    """50万元 at 三级: 50 % is 250,000; the most a lower level pays, 70 % at 二级, is 350,000."""
    data = filled(FORM, e1(maturity_level="三级"), choices={"AMB-48": "literal"})
    result = choices(save(tmp_path, "甲.xlsx", data))
    items = {item.id: item for item in result.items}
    inverted = items["AMB-31"]
    assert (inverted.chosen, inverted.is_default) == ("literal", True)
    assert inverted.where == at(data, "choice_AMB_31")
    (effect,) = inverted.effects
    assert (effect.option, effect.enterprise) == ("max_of_lower_levels", "示例云溪食品有限公司")
    assert effect.changes == {"subsidy": (Money(25_000_000), Money(35_000_000))}
    assert "补贴金额合计由 250,000.00 元 变为 350,000.00 元" in effect_text(inverted)
    assert not items["AMB-48"].is_default and "1 项不是默认" in result.summary
    assert effect_text(items["AMB-56"]) == "换一种口径，本表结果不变"


def test_amounts_are_added_up_over_enterprises(tmp_path: Path) -> None:
    """四级 is 2万 of face value; 9万元 of SaaS reduction leaves 1万 under one cap for both, 2万 under its own."""
    one = CLOUD_COMPANY | {"maturity_level": "四级", "saas_reduction_to_date": "90000元"}
    data = filled(CLOUD, one, one | OTHER)
    (item,) = choices(save(tmp_path, "甲.xlsx", data)).items
    assert item.id == "AMB-01" and {effect.enterprise for effect in item.effects} == {
        CLOUD_COMPANY["enterprise_name"],
        OTHER["enterprise_name"],
    }
    assert "2 家结果不同，其抵扣券面额合计由 20,000.00 元 变为 40,000.00 元" in effect_text(item)


# --- 帮助


def test_help_names_versions_and_no_dead_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "表", "甲.xlsx", GOOD[CLOUD])
    text = commands.help(path)
    assert __version__ in text and CLOUD in text and "shijiazhuang.cloud_voucher" in text
    assert all(word in text for word in ("检查", "核算", "导出", "口径确认", "维护"))
    assert "E-" not in text and "http" not in text
    monkeypatch.setattr(commands, "find_guide", lambda folder: None)
    assert "使用说明" not in commands.help(path)


def test_help_finds_the_guide_beside_the_workbook(tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", UNUSABLE["foreign"][0])
    guide = save(tmp_path / "使用说明", "第一次使用.txt", b"").parent
    assert f"使用说明：{guide}\n" in commands.help(path)
    assert "政策包：" in commands.help() and "模板：" not in commands.help(path)


# --- the workbook open in Excel


def the_list(book: Book) -> openpyxl.Workbook:
    (shown,) = book.app.lists
    assert shown.Saved is True
    return openpyxl.load_workbook(io.BytesIO(shown.data))


def test_what_counts_is_the_screen_and_the_file_stays_as_it_was(tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD[CLOUD])
    before = path.stat().st_mtime_ns
    screen = typed(GOOD[CLOUD], {row(CLOUD, "uscc", 0): "1234"})
    book = Book(path, screen)
    result = check(book)
    assert found(result, "E-USCC") and not found(check(path), "E-USCC")
    assert listing(tmp_path) == {"甲.xlsx": GOOD[CLOUD]} and path.stat().st_mtime_ns == before
    cell = at(screen, row(CLOUD, "uscc", 0))
    sheet, _, ref = cell.rpartition("!")
    assert book.selected == [(sheet, ref)]
    listed = the_list(book)["检查结果"]
    cells = {str(cell.value): cell for cells in listed for cell in cells}
    assert cells[cell].hyperlink.target.endswith("甲.xlsx") and cells[cell].hyperlink.location == f"'{sheet}'!{ref}"
    assert str(path).replace("/", "\\") == cells[cell].hyperlink.target and result.summary in cells
    assert {finding.message for finding in result.findings} <= set(cells)
    assert book.app.said == []


def test_one_thing_is_shown_and_it_is_a_message_when_nothing_was_found(tmp_path: Path) -> None:
    book = Book(save(tmp_path, "甲.xlsx", build_template(CLOUD)))
    result = check(book)
    assert result.findings == () and not book.app.lists and book.selected == []
    assert book.app.said == [("info", "工作簿中没有填写任何企业。")]


def test_a_list_replaces_the_last_one_unless_that_was_saved(tmp_path: Path) -> None:
    book = Book(save(tmp_path, "甲.xlsx", GOOD[FORM]))
    earlier, saved = Book(tmp_path / "无", name="检查结果（甲）1"), Book(tmp_path / "检查结果（甲）2.xlsx")
    other = Book(tmp_path / "无", name="检查结果（乙）1")
    book.app.books += [book, earlier, saved, other]
    check(book)
    assert [entry.closed for entry in book.app.books] == [False, True, False, False]
    assert [shown.name for shown in book.app.lists] == ["检查结果（甲）"]


def test_a_hidden_cell_is_named_but_neither_selected_nor_linked(tmp_path: Path) -> None:
    data = GOOD[CLOUD]
    face = place(data, "p_faces", 1)
    book = Book(save(tmp_path, "甲.xlsx", typed(data, {("p_faces", 1): 1})))
    result = check(book)
    assert found(result, "E-PARAMETER") == [("warn", str(face))] and face.sheet == "参数"
    assert all(sheet != "参数" for sheet, _ in book.selected)
    cells = [cell for cells in the_list(book)["检查结果"] for cell in cells if cell.value == str(face)]
    assert len(cells) == 1 and cells[0].hyperlink is None


def test_links_lead_to_files_of_windows() -> None:
    target = PureWindowsPath("C:\\我的 文件\\甲.xlsx")
    link = Link("张三's表!B7", target)  # type: ignore[arg-type]
    data = list_workbook("题", (), [("表", FINDING_COLUMNS[2:3], [Line((link,))])])
    (cell,) = [cell for cells in openpyxl.load_workbook(io.BytesIO(data))["表"] for cell in cells if cell.hyperlink]
    assert cell.hyperlink.target == "file:///C:\\我的%20文件\\甲.xlsx" and cell.hyperlink.location == "'张三''s表'!B7"
    for where, book in (("依据", target), ("表!B7", None), ("表!B7", PureWindowsPath("C:\\1#楼\\甲.xlsx"))):
        assert Link(where, book).url is None  # type: ignore[arg-type]


def test_a_workbook_that_asks_by_its_own_buttons_is_not_warned_of_macros(tmp_path: Path) -> None:
    """Excel saves macros otherwise than they came, so that a file is not known by them any more."""
    from macros_bridge.vba.embed import embed, production_modules
    from macros_bridge.vba.project import Module
    from workbooks.files.rawbook import RawBook

    modules = production_modules(len(RawBook(Package.from_bytes(GOOD[CLOUD])).sheets))
    changed = [*modules, Module("Changed", "Sub Nothing()\r\nEnd Sub\r\n", "standard")]
    path = save(tmp_path, "甲.xlsm", embed(GOOD[CLOUD], changed))
    assert found(check(path), "E-BOOK-MACRO") == [("warn", None)]
    assert found(check(Book(path)), "E-BOOK-MACRO") == []


def test_text_from_the_workbook_stays_text_in_the_list(tmp_path: Path) -> None:
    data = filled(CLOUD, CLOUD_COMPANY | {"enterprise_name": '=HYPERLINK("http://x")', "uscc": "1"})
    book = Book(save(tmp_path, "甲.xlsx", data))
    check(book)
    kinds = {cell.data_type for cells in the_list(book)["检查结果"] for cell in cells if cell.value is not None}
    assert kinds == {"s"}


def test_a_calculation_opens_its_result(tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD[SAAS])
    screen = typed(GOOD[SAAS], {row(SAAS, "approved_amount", 0): "100"})
    book = Book(path, screen)
    result = calculate(book)
    assert book.app.books.opened == [str(tmp_path / "甲（核算结果）.xlsx")]
    assert values(result.output.read_bytes(), "t_reduction")[0] == 60
    assert book.app.said == [("info", result.summary)] and path.read_bytes() == GOOD[SAAS]
    assert result.result.path == str(path)


@pytest.mark.parametrize("form", TEMPLATES)
def test_excel_prints_the_sheets_of_the_form_and_lets_go_of_them(form: str, tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD[form])
    book = Book(path)
    result = export_pdf(book)
    assert result.output.read_bytes() == b"%PDF of " + "|".join(result.sheets).encode()
    assert book.grouped == [list(result.sheets), ["开始时的表"]]
    assert listing(tmp_path).keys() == {"甲.xlsx", "甲.pdf"} and path.read_bytes() == GOOD[form]
    assert book.app.said == [("info", result.summary)] and str(result.output) in result.summary


def test_when_excel_does_not_print_no_sheets_stay_grouped(tmp_path: Path) -> None:
    book = Book(save(tmp_path, "甲.xlsx", GOOD[CLOUD]))
    book.prints = False
    with pytest.raises(XlcalcError) as caught:
        export_pdf(book)
    assert caught.value.code == "E-PDF" and book.grouped[-1] == ["开始时的表"]
    assert [path.name for path in tmp_path.iterdir()] == ["甲.xlsx"]


def test_the_choices_are_shown_where_they_are_made(tmp_path: Path) -> None:
    data = filled(FORM, e1(maturity_level="三级"), choices={"AMB-48": "literal"})
    book = Book(save(tmp_path, "甲.xlsx", data))
    result = choices(book)
    assert book.selected == [tuple(at(data, "choice_AMB_48").split("!"))]
    listed = the_list(book)
    assert listed.sheetnames == ["口径", "逐家影响"]
    rows = [[cell.value for cell in cells] for cells in listed["口径"]]
    for item in result.items:
        (line,) = [values for values in rows if values[0] == item.id]
        assert line[1] == item.question and line[4] == effect_text(item)
    details = [tuple(cell.value for cell in cells) for cells in listed["逐家影响"]]
    assert [line[4:] for line in details if line[1] == "AMB-31"] == [("250,000.00 元", "350,000.00 元")]


def test_help_is_one_message(tmp_path: Path) -> None:
    book = Book(save(tmp_path, "甲.xlsx", GOOD[CLOUD]))
    text = commands.help(book)
    assert book.app.said == [("info", text)]


def test_a_workbook_that_lies_nowhere_yet_or_online(tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD[CLOUD])
    with pytest.raises(XlcalcError) as caught:
        check(Book(path, name="工作簿1"))
    assert caught.value.code == "E-UNSAVED"
    online = Book(path, name="https://d.docs.live.net/x/甲.xlsx")
    assert check(online).findings == check(path).findings
    with pytest.raises(XlcalcError) as caught:
        calculate(online)
    assert caught.value.code == "E-NO-FOLDER"


def test_when_excel_gives_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Book(save(tmp_path, "甲.xlsx", GOOD[CLOUD]))

    def busy(path: str) -> None:
        raise OSError("com_error: call was rejected by callee")

    monkeypatch.setattr(book.api, "SaveCopyAs", busy)
    with pytest.raises(XlcalcError) as caught:
        check(book)
    assert caught.value.code == "E-BOOK-COPY" and "编辑" in caught.value.remedy
    monkeypatch.setattr(book.api, "SaveCopyAs", lambda path: None)
    with pytest.raises(XlcalcError):
        check(book)


# --- pressing a button


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    book = Book(save(tmp_path, "甲.xlsx", GOOD[CLOUD]))
    stand_in = SimpleNamespace(Book=SimpleNamespace(caller=lambda: book))
    monkeypatch.setitem(sys.modules, "xlwings", stand_in)
    return book


def test_a_button_works_on_the_workbook_it_stands_in(caller: Book) -> None:
    press("calculate")
    assert caller.app.books.opened == [str(caller.path.with_name("甲（核算结果）.xlsx"))]


def test_an_error_is_one_message_in_words(caller: Book) -> None:
    caller.screen = UNUSABLE["foreign"][0]
    for name in ("check", "calculate", "export", "choices"):
        caller.app.said.clear()
        press(name)
        ((mode, text),) = caller.app.said
        assert mode == "critical" and "处理：" in text and "E-BOOK-FOREIGN" in text and "Traceback" not in text


def test_a_fault_of_ours_is_one_message_too(caller: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(book: Any) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(COMMANDS, "check", broken)
    press("check")
    ((mode, text),) = caller.app.said
    assert mode == "critical" and "E-INTERNAL" in text and "division" not in text and "doctor.bat" in text


def test_without_excel_the_message_still_comes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "xlwings", None)
    press("check")
    said = capsys.readouterr().err
    assert "E-INTERNAL" in said and "Traceback" not in said


def test_a_window_that_fails_does_not_hide_the_message(caller: Book, capsys: pytest.CaptureFixture[str]) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OSError("com_error")

    caller.app.alert = gone  # type: ignore[method-assign]
    workbook_access.tell(caller, "要说的话")
    assert "要说的话" in capsys.readouterr().err


def test_importing_the_commands_needs_no_excel() -> None:
    code = "import sys, macros_bridge.commands; print([name for name in sys.modules if name.startswith('xlwings')])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "[]"


# --- the macros


def test_the_macros_are_plain_text_that_only_hands_on() -> None:
    assert VBA.isascii() and VBA.endswith("\r\n") and VBA.count("\r\n") == VBA.count("\n") == VBA.count("\r")
    assert max(map(len, VBA.splitlines())) < 1023 and "#If" not in VBA and "IRibbonControl" not in VBA
    pressed = re.findall(r'^    Press "(\w+)"\r$', VBA, re.MULTILINE)
    assert set(pressed) == set(COMMANDS) and len(pressed) == 2 * len(COMMANDS)


SHAPES = {"Check": "check", "Calculate": "calculate", "Export": "export", "Choices": "choices", "Help": "help"}

XLWINGS = """Option Explicit
Public Function XLPy()
    Set XLPy = New Server
End Function
Public Function GetConfig(key, Optional default = "")
    GetConfig = "{interpreter}"
End Function
Public Function FileExists(name)
    FileExists = (name = "there")
End Function
"""
SERVER = """Option Explicit
Public Function Module(name)
    Module = name
End Function
Public Sub SetAttr(owner, name, value)
    Debug.Print owner & "." & name
End Sub
Public Sub Exec(statement)
    {action}
End Sub
"""
# The ribbon hands over an object.
RIBBON = """
Public Sub Click{name}()
    Dim control As Object
    Set control = New Server
    Ribbon{name} control
End Sub
"""


def macros(interpreter: str, action: str) -> ExcelApplication:
    app = ExcelApplication()
    app.add_workbook()
    app.add_module(XLWINGS.replace("{interpreter}", interpreter), name="xlwings")
    app.add_module(SERVER.replace("{action}", action), name="Server", kind="class")
    app.add_module(VBA, name="xlcalc_commands")
    app.add_module("".join(RIBBON.replace("{name}", name) for name in SHAPES), name="Ribbon")
    return app


@pytest.mark.parametrize("name", SHAPES)
def test_a_macro_and_its_ribbon_button_ask_python_for_the_command(name: str) -> None:
    for macro in (f"Xlcalc{name}", f"Click{name}"):
        app = macros("there", "Debug.Print statement")
        app.run(macro)
        asked = f"import macros_bridge.commands; macros_bridge.commands.press('{SHAPES[name]}')"
        assert app.interpreter.console == ["xlwings._xlwindows.BOOK_CALLER", asked] and app.dialogs == []


@pytest.mark.parametrize(
    ("interpreter", "named"), [("there", "doctor.bat"), ("gone", "install.bat"), ("", "install.bat")]
)
def test_without_python_the_macro_says_what_to_do(interpreter: str, named: str) -> None:
    app = macros(interpreter, 'Err.Raise 1000, Description:="Unexpected Python Error: Traceback"')
    app.run("XlcalcCheck")
    ((kind, message, title, _),) = app.dialogs
    assert (kind, title) == ("MsgBox", "xlcalc") and named in message and "Traceback" not in message
    assert message.endswith("。") and "请" in message
