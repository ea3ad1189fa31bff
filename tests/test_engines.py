from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import zipfile
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from workbooks.engines import libreoffice_engine
from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.engines.libreoffice_engine import convert, evaluate_libreoffice, find_soffice, version
from xlcalc.errors import EngineError

ROOT = Path(__file__).parents[1]
DATA, RESULT, PARAMETERS = "数据 一", "核算 结果（元）", "参数"
D = f"'{DATA}'!"

COLUMN_A = [3, 2.5, "二级", None, '=""', True, "2", -1, 0, "√"]
COLUMN_B = [1, 2, 3, 4, '=IF(1=2,1,"")', "x", None, 2, 2, 1]
COLUMN_C = [1, 0, 1, 0, 1, 0, 1, 1, 0, 1]

# formula -> value by hand, as Excel documents it; both engines must agree.
AGREED: dict[str, Any] = {
    # counting
    f'=COUNTIF({D}B1:B10,">="&2)': 5,
    f'=COUNTIF({D}B1:B10,">="&INDEX(等级码,2))': 5,
    f'=COUNTIF({D}B1:B10,"<2")': 2,
    f'=COUNTIF({D}A1:A10,"二级")': 1,
    f"=COUNTIF({D}A1:A10,{D}A3)": 1,
    f'=COUNTIF({D}A1:A10,"√")': 1,
    f"=COUNTIF({D}A1:A10,0)": 1,
    f'=COUNTIF({D}A1:A10,"")': 2,
    f"=COUNTA({D}A1:A10)": 9,
    f"=COUNTA({D}A4:A4)": 0,
    f"=COUNT({D}B1:B10)": 7,
    f'=COUNTIFS({D}B1:B10,">=2",{D}C1:C10,1)': 2,
    # sums
    f"=SUM({D}B1:B10)": 15,
    f"=SUM({D}A7:A7)": 0,
    f"=SUM({D}A1:A5)": 5.5,
    f'=SUMIF({D}A1:A10,"二级",{D}C1:C10)': 1,
    f"=SUMPRODUCT({D}B1:B4,{D}C1:C4)": 4,
    f"=SUMPRODUCT({D}B1:B10,{D}C1:C10)": 7,
    f"=SUMPRODUCT({D}A7:A8,{D}C7:C8)": -1,
    f"=SUMPRODUCT(({D}B1:B4>=2)*({D}C1:C4=1))": 1,
    f"=SUMPRODUCT(({D}B1:B10=2)*1,{D}C1:C10)": 1,
    f"=SUMPRODUCT(--({D}B1:B10=2),{D}C1:C10)": 1,
    f"=SUMPRODUCT(ISNUMBER({D}B1:B10)*({D}B1:B10>=2)*({D}C1:C10=1))": 2,
    f"=SUMPRODUCT((LEN(TRIM({D}A1:A10))>0)*1)": 8,
    f'=SUMPRODUCT(({D}A1:A10<>"")*1)': 8,
    f"=SUMPRODUCT(ISNUMBER(MATCH({D}A1:A10,等级名,0))*1)": 1,
    f"=SUMPRODUCT(({D}B5:B6>=2)*1)": 2,  # text counts as greater than any number
    # MAX and MIN over mixed cells
    f"=MAX({D}B1:B10)": 4,
    f"=MAX({D}A7:A8)": -1,
    f"=MAX({D}A3:A5)": 0,
    f"=MAX({D}A3,{D}A4,0)": 0,
    f"=MAX({D}B5,0)": 0,
    f"=MIN({D}B5:B7)": 0,
    f"=MIN({D}A5,7)": 7,
    f"=MAX(IF({D}A1=3,9,0),IF({D}A2=3,9,0))": 9,
    '=MAX("x",1)': "#VALUE!",
    # rounding: halves away from zero on the decimal value
    "=ROUND(1.005,2)": 1.01,
    "=ROUND(-1.005,2)": -1.01,
    "=ROUND(0.285,2)": 0.29,
    "=ROUND(2.5,0)": 3,
    "=ROUND(-2.5,0)": -3,
    "=ROUND(1234.5,-2)": 1200,
    "=ROUND(166666.65*0.7,2)": 116666.66,
    "=ROUND(1E+15/3,0)": 333333333333333,
    "=ROUND(0,2)": 0,
    "=ROUNDDOWN(0.29*100,0)": 29,
    "=ROUNDUP(0.07*100,0)": 7,
    f"=ROUND({D}A4,2)": 0,
    f"=ROUND({D}A3,2)": "#VALUE!",
    f"=ROUND({D}A5,2)": "#VALUE!",
    f"=SUMPRODUCT(ROUND({D}A1:A2*0.001,2))": 0,
    "=INT(-2.5)": -3,
    "=INT((2*ROUND(166666.65*100,0)*7+10)/(2*10))": 11666666,
    "=INT((2*999999999999*7+10)/20)": 699999999999,
    "=ABS(-3.2)": 3.2,
    "=ABS(166666.65*100-ROUND(166666.65*100,0))<0.001": True,
    # conditions and the cells that look empty
    f'=IF({D}A4="","空",1)': "空",
    f'=IF({D}A5="","空",1)': "空",
    f'=IF({D}A4=0,"零",1)': "零",
    f'=IF({D}A5=0,"零",1)': 1,
    f'=IF({D}A3>0,"大","小")': "大",
    f"=IF({D}A7=2,1,0)": 0,
    '=IF("a"="A",1,0)': 1,
    "=IF(FALSE,5)": False,
    f'=IF(OR({D}A3="",{D}A4=""),"缺","全")': "缺",
    f"=IF(AND({D}A1>=0,{D}A1<=10),1,0)": 1,
    f'=OR({D}A1>5,{D}A3="二级")': True,
    f"=AND({D}C1:C3)": False,
    f"=IF({D}A3,1,2)": "#VALUE!",
    f"={D}A4": 0,
    f"={D}A5": "",
    f"={D}A4+1": 1,
    f"={D}A5+1": "#VALUE!",
    f"=({D}A5=2)*5": 0,
    "=1/0": "#DIV/0!",
    f"=ISNUMBER({D}A1)": True,
    f"=ISNUMBER({D}A4)": False,
    f"=ISNUMBER({D}A5)": False,
    f"=ISNUMBER({D}A7)": False,
    f"=ISNUMBER(TRIM({D}A7))": False,
    '=ISNUMBER(MATCH("七级",等级名,0))': False,
    # looking up
    f"=MATCH(TRIM({D}A3),等级名,0)": 2,
    '=MATCH("x",等级名,0)': "#N/A",
    "=MATCH(2.5,等级码,1)": 2,
    '=INDEX(等级码,MATCH("三级",等级名,0))': 3,
    f"=INDEX({PARAMETERS}!A1:C4,2,3)": 2000000,
    "=INDEX(等级码,9)": "#REF!",
    f'=INDEX({D}A1:A10,4)&""': "",
    "=xlc_cap/100": 40000,
    f"=MIN(({D}A1=3)*1000000+({D}A1=4)*2000000,xlc_cap)/100": 10000,
    # text
    '=TRIM("  a   b ")': "a b",
    f"=TRIM({D}A4)": "",
    f"=TRIM({D}A2)": "2.5",
    '=LEN("二级（规范级）")': 7,
    f"=LEN({D}A4)": 0,
    f'="共"&{D}A1&"项"': "共3项",
    '="分："&48.25': "分：48.25",
    '=10000/100&"元"': "100元",
    '=ROUND(0.1+0.2,2)&""': "0.3",
    '=TEXT(1234.5,"#,##0.00")': "1,234.50",
    '=TEXT(0.7,"0%")': "70%",
    '=TEXT(45808,"yyyy-mm-dd")': "2025-05-31",
    '=TEXT(45808,"yyyy年m月d日")': "2025年5月31日",
    '=TEXT(ROUND(1.005,2),"0.00")': "1.01",
    '=TEXT(39.8,"0.000")': "39.800",
}


def book_of(formulas: list[Any], path: Path) -> Path:
    """Formulas in column G of the result sheet, above data and parameters on sheets of their own."""
    book = openpyxl.Workbook()
    data = book.active
    assert data is not None
    data.title = DATA
    for cells in zip(COLUMN_A, COLUMN_B, COLUMN_C, strict=True):
        data.append(cells)
    result, parameters = book.create_sheet(RESULT), book.create_sheet(PARAMETERS)
    for row, name in enumerate(("一级", "二级", "三级", "四级"), 1):
        parameters.append([name, row, row * 1_000_000])
    for name, area in (("等级名", "$A$1:$A$4"), ("等级码", "$B$1:$B$4"), ("xlc_cap", "$C$4")):
        book.defined_names[name] = DefinedName(name, attr_text=f"{PARAMETERS}!{area}")
    for row, formula in enumerate(formulas, 1):
        result[f"G{row}"] = formula
    book.save(path)
    return path


def column_g(values: dict[tuple[str, str], Any], count: int) -> list[Any]:
    return [values[RESULT, f"G{row}"] for row in range(1, count + 1)]


def check(got: list[Any], formulas: dict[str, Any]) -> None:
    wrong = {
        formula: (value, want)
        for value, (formula, want) in zip(got, formulas.items(), strict=True)
        if isinstance(value, bool) is not isinstance(want, bool)
        or (value != pytest.approx(want, rel=1e-15, abs=0) if isinstance(want, float) else value != want)
    }
    assert not wrong


def libreoffice(path: Path) -> dict[tuple[str, str], Any]:
    values = evaluate_libreoffice([path], 120)[path]
    assert isinstance(values, dict), values
    return values


def test_formulas_gives_the_values_worked_out_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = evaluate_formulas(book_of(list(AGREED), tmp_path / "试 算.xlsx"))
    check(column_g(values, len(AGREED)), AGREED)
    assert values[DATA, "A5"] == values[DATA, "B5"] == ""
    assert len(values) == len(AGREED) + 2
    assert capsys.readouterr() == ("", "")


@pytest.mark.libreoffice
def test_libreoffice_gives_the_values_worked_out_by_hand(tmp_path: Path) -> None:
    values = libreoffice(book_of(list(AGREED), tmp_path / "试 算.xlsx"))
    check(column_g(values, len(AGREED)), AGREED)
    assert len(values) == len(AGREED) + 2


def half_fen_ties(count: int) -> list[tuple[str, str, float]]:
    """Amounts whose product with a rate ends on exactly half a fen, and the decimal answer."""
    chance = random.Random(11)
    found: list[tuple[str, str, float]] = []
    while len(found) < count:
        fen, tenths = chance.randrange(1, 10**9), chance.choice((3, 5, 7, 9))
        if fen * tenths % 10 == 5:
            amount, rate = Decimal(fen).scaleb(-2), Decimal(tenths).scaleb(-1)
            paid = (amount * rate).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
            found.append((f"{amount:f}", f"{rate:f}", float(paid)))
    return found


TIES = half_fen_ties(200)
TIE_FORMULAS = [f"=ROUND({amount}*{rate},2)" for amount, rate, _ in TIES]


def test_formulas_rounds_every_half_fen_up(tmp_path: Path) -> None:
    values = evaluate_formulas(book_of(TIE_FORMULAS, tmp_path / "a.xlsx"))
    assert column_g(values, len(TIES)) == [paid for _, _, paid in TIES]


@pytest.mark.libreoffice
def test_libreoffice_rounds_every_half_fen_up(tmp_path: Path) -> None:
    values = libreoffice(book_of(TIE_FORMULAS, tmp_path / "a.xlsx"))
    assert column_g(values, len(TIES)) == [paid for _, _, paid in TIES]


# --- our functions in cells


def test_functions_of_ours_in_cells(tmp_path: Path) -> None:
    face = 'XLC_FACE_VALUE("shijiazhuang.cloud_voucher",'
    formulas = {
        f'={face}"二级")': 10000,
        f"={face}{D}A3)": 10000,
        f"={face}{D}A4)": "",
        f"={face}{D}A10)": "#VALUE!",
        f"={face}#N/A)": "#N/A",
        f"={face}{D}A6)": "#VALUE!",
        f'=IFERROR({face}"五级"),"坏")': "坏",
        f"=SUM({face}等级名))": 45000,
        f"=SUM({face}{D}A3:A4))": 10000,
        f'=SUM({face}等级名,"9.5万"))': 15000,
        f'=_xll.{face}"三级")+_xldudf_{face}"四级")': 35000,
        '=XLC_SUBSIDY("hohhot.transformation_subsidy",166666.65,"二级")': 116666.66,
        f'=XLC_SUBSIDY("hohhot.transformation_subsidy",{D}A1:A1*100000,{D}A2)': "#VALUE!",
    }
    path = book_of(list(formulas), tmp_path / "udf.xlsx")
    book = openpyxl.load_workbook(path)
    book[RESULT]["A1"] = ArrayFormula("A1:A4", f"={face}等级名)")
    book[RESULT]["B1"] = "=SUM(A1:A4)"
    book.save(path)
    values = evaluate_formulas(path)
    check(column_g(values, len(formulas)), formulas)
    assert [values[RESULT, f"A{row}"] for row in range(1, 5)] == [0, 10000, 15000, 20000]
    assert values[RESULT, "B1"] == 45000


def test_a_survey_through_ranges(tmp_path: Path) -> None:
    marked = "营销管理、质量管理、采购管理、仓储物流、财务管理"
    answers = ["BC", "C", "B", marked, "C", "BC", "BC", "D", "BC", "BD", "A", "降低", "持平", "增加", "持平"]
    scenes: list[Any] = ["", "", 2, "", "", "", "二级", "", "", "", 2, 2, "规范级", "", 2, ""]
    path = book_of([f'=XLC_{what}("hohhot.maturity_2024",A1:A15{more})' for what, more in
                    (("SCORE", ""), ("LEVEL", ",B1:B16"))], tmp_path / "s.xlsx")  # fmt: skip
    book = openpyxl.load_workbook(path)
    for row, (answer, scene) in enumerate(zip([*answers, ""], scenes, strict=True), 1):
        book[RESULT][f"A{row}"], book[RESULT][f"B{row}"] = answer or None, scene or None
    book.save(path)
    assert column_g(evaluate_formulas(path), 2) == [48.25, 2]
    book[RESULT]["A7"] = None
    book.save(path)
    assert column_g(evaluate_formulas(path), 2) == ["", ""]


# --- what is refused


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("=NO_SUCH(1)", "E-ENGINE-FUNCTION"),
        ("=IFERROR(NO_SUCH(1),0)", "E-ENGINE-FUNCTION"),
        ("=IF(FALSE,NO_SUCH(1),0)", "E-ENGINE-FUNCTION"),
        ("=_xlfn.NO_SUCH(1)", "E-ENGINE-FUNCTION"),
        ('=凭证("二级")', "E-ENGINE-FUNCTION"),
        ('=INDIRECT("A1")', "E-ENGINE-FUNCTION"),
        ('=WEBSERVICE("http://127.0.0.1/")', "E-ENGINE-FUNCTION"),
        ("=[1]表!A1", "E-ENGINE-LINK"),
        ("=SUM('[别的.xlsx]表 一'!A1:A3)", "E-ENGINE-LINK"),
        ("=1+", "E-ENGINE-FORMULA"),
        ("=SUM(A1:A2", "E-ENGINE-FORMULA"),
        ("='it''s'!A1", "E-ENGINE-FORMULA"),
        ("=G2", "E-ENGINE-CYCLE"),
    ],
)
def test_refused_with_the_cell_named(formula: str, code: str, tmp_path: Path) -> None:
    path = book_of(["=1+1", formula, "=2+2"], tmp_path / "a.xlsx")
    with pytest.raises(EngineError) as caught:
        evaluate_formulas(path)
    assert caught.value.code == code and caught.value.where == f"{RESULT}!G2" and caught.value.remedy
    with pytest.raises(EngineError):  # asking once must not make the library think it knows the function
        evaluate_formulas(path)


def test_refused_in_a_defined_name(tmp_path: Path) -> None:
    path = book_of(["=藏*2"], tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(path)
    book.defined_names["藏"] = DefinedName("藏", attr_text="NO_SUCH(1)")
    book.save(path)
    with pytest.raises(EngineError) as caught:
        evaluate_formulas(path)
    assert (caught.value.code, caught.value.where) == ("E-ENGINE-FUNCTION", "藏")


def test_function_names_in_text_and_errors_in_cells_are_no_reason_to_refuse(tmp_path: Path) -> None:
    formulas = {'="NO_SUCH(1)"': "NO_SUCH(1)", "='无此表'!A1": "#REF!", "=LET(x,2,x*3)": 6}
    check(column_g(evaluate_formulas(book_of(list(formulas), tmp_path / "a.xlsx")), 3), formulas)


def test_a_file_that_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"nothing")
    with pytest.raises(EngineError, match="E-ENGINE-FILE"):
        evaluate_formulas(path)


# --- LibreOffice


def stale(path: Path, amount: int) -> Path:
    """Claims to come from Excel and holds wrong cached values, as when saved on a PC without the add-in."""
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("券 表")
    sheet.write(0, 0, amount)
    sheet.write_formula(0, 1, "=A1*2", None, 999)
    sheet.write_formula(1, 1, "=DATE(2025,5,31)", book.add_format({"num_format": "yyyy-mm-dd"}), 1)
    sheet.write_formula(2, 1, '=IF(A1>0,"有","无")', None, "旧")
    sheet.write_formula(3, 1, "=A1>0", None, False)
    sheet.write_formula(4, 1, '=IF(A1>0,"","x")', None, "x")
    sheet.write_array_formula("C1:C2", "{=A1:A1*{1;2}}", None, 5)
    book.close()
    with zipfile.ZipFile(path) as archive:
        assert b"<Application>Microsoft Excel</Application>" in archive.read("docProps/app.xml")
        assert b"<v>999</v>" in archive.read("xl/worksheets/sheet1.xml")
    return path


def fresh(amount: int) -> dict[tuple[str, str], Any]:
    values = {"B1": amount * 2, "B2": 45808, "B3": "有", "B4": True, "B5": "", "C1": amount, "C2": amount * 2}
    return {("券 表", ref): value for ref, value in values.items()}


@pytest.mark.libreoffice
def test_stale_cached_values_are_never_believed(tmp_path: Path) -> None:
    (tmp_path / "二").mkdir()
    first, second = stale(tmp_path / "同名 文件.xlsx", 3), stale(tmp_path / "二" / "同名 文件.xlsx", 4)
    bad, gone = tmp_path / "坏.xlsx", tmp_path / "无.xlsx"
    bad.write_bytes(b"nothing")
    before = first.read_bytes()
    results = evaluate_libreoffice([first, bad, second, gone, first], 120)
    assert list(results) == [first, bad, second, gone]
    assert results[first] == fresh(3) and results[second] == fresh(4)
    assert all(isinstance(results[path], EngineError) for path in (bad, gone))
    assert first.read_bytes() == before and sorted(tmp_path.iterdir()) == sorted([first, bad, tmp_path / "二"])


def test_formulas_does_not_believe_cached_values_either(tmp_path: Path) -> None:
    assert evaluate_formulas(stale(tmp_path / "a.xlsx", 3)) == fresh(3)


@pytest.mark.libreoffice
def test_convert_to_pdf_and_xlsx(tmp_path: Path) -> None:
    path = stale(tmp_path / "券 表.xlsx", 3)
    made = convert([path], "pdf", tmp_path / "out", 120)[path]
    assert isinstance(made, Path) and made.read_bytes()[:5] == b"%PDF-"
    saved = convert([path], "xlsx", tmp_path / "out", 120)[path]
    assert isinstance(saved, Path) and openpyxl.load_workbook(saved)["券 表"]["B1"].value == "=A1*2"
    assert convert([], "pdf", tmp_path / "out", 120) == {}


@pytest.mark.libreoffice
def test_an_activated_venv_and_a_running_office_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    path = stale(tmp_path / "a.xlsx", 3)
    assert evaluate_libreoffice([path], 120)[path] == fresh(3)


@pytest.mark.libreoffice
def test_version_is_new_enough() -> None:
    assert find_soffice() is not None and version() >= (25, 2)


def fake_office(folder: Path, script: str) -> Path:
    path = folder / "soffice"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
def test_time_limit_ends_the_whole_process_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = tmp_path / "pid"
    script = f'[ "$2" = --version ] && echo "LibreOffice 25.2.3.2" && exit\nsleep 60 &\necho $! > {pid}\nwait'
    office = fake_office(tmp_path, script)
    monkeypatch.setattr(libreoffice_engine, "find_soffice", lambda: office)
    path = stale(tmp_path / "a.xlsx", 3)
    started = time.monotonic()
    error = evaluate_libreoffice([path], 1)[path]
    assert isinstance(error, EngineError) and error.code == "E-ENGINE-TIMEOUT" and error.where == "a.xlsx"
    assert time.monotonic() - started < 20
    child = Path(f"/proc/{pid.read_text().strip()}/stat")
    for _ in range(50):
        if not child.exists() or child.read_text().split(")")[-1].split()[0] == "Z":
            break
        time.sleep(0.1)
    else:
        pytest.fail("the child still runs")


@pytest.mark.parametrize("script", [None, 'echo "LibreOffice 7.4.7.2"', "exit 1"])
def test_missing_or_old_libreoffice_names_the_remedy(
    script: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = fake_office(tmp_path, script) if script else None
    monkeypatch.setattr(libreoffice_engine, "find_soffice", lambda: office)
    with pytest.raises(EngineError) as caught:
        evaluate_libreoffice([stale(tmp_path / "a.xlsx", 3)], 10)
    assert caught.value.code == "E-ENGINE-LIBREOFFICE"
    assert "tests/install-libreoffice.sh" in caught.value.remedy


def test_formulas_is_loaded_only_when_it_is_used() -> None:
    script = (
        "import sys, workbooks.engines.formulas_engine, workbooks.engines.libreoffice_engine;"
        "print('formulas' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize("processes", ["0", "2"])
@pytest.mark.parametrize("ci", ["", "true"])
def test_without_libreoffice_tests_are_skipped_and_counted_or_fail_in_ci(
    ci: str, processes: str, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    (tmp_path / "no_office.py").write_text(
        "from workbooks.engines import libreoffice_engine\nlibreoffice_engine.find_soffice = lambda: None\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = libreoffice\n")
    (tmp_path / "test_it.py").write_text(
        "import pytest\n@pytest.mark.libreoffice\ndef test_a(): pass\n"
        "@pytest.mark.libreoffice\ndef test_b(): pass\ndef test_c(): pass\n"
    )
    environment = {**os.environ, "CI": ci, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "pytest", "-q", "-n", processes, "-p", "no_office", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8")
    last = run.stdout.strip().splitlines()[-1]
    if ci:
        assert run.returncode == 1 and "2 errors" in last
    else:
        assert run.returncode == 0 and "跳过了 2 项测试" in last
