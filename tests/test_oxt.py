"""The LibreOffice add-in: what is in it, that it needs no pydantic, and that its cells show the library's values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula
from udf_tables import CANDIDATES, LINES, LOOKED_UP, ROSTER, table

from macros_bridge import oxt
from macros_bridge.oxt import build_oxt, install_oxt
from udfs.adapter import UdfError, call
from udfs.registry import UDFS
from workbooks.engines import libreoffice_engine
from xlcalc.errors import EngineError
from xlcalc.packs.registry import policy_ids

SURVEY, SUBSIDY = "hohhot.maturity_2024", "hohhot.transformation_subsidy"
CLOUD, SAAS = "shijiazhuang.cloud_voucher", "shijiazhuang.saas_voucher"
BENCHMARK, CHAIN = "shijiazhuang.benchmark_sme", "shijiazhuang.chain_case"
PLATFORM, SIZES = "zaozhuang.demonstration_platform", "national.sme_size_2011"

# E1 of the standard's worked examples: 48.25 points, 二级.
ANSWERS = [
    "BC", "C", "B", "营销管理、质量管理、采购管理、仓储物流、财务管理", "C", "BC", "BC", "D", "BC", "BD", "A",
    "降低", "持平", "增加", "持平",
]  # fmt: skip
SCENES = [None, None, "二级", None, "无等级", "", 1.0, "一级", 1.0, None, 2.0, "2", "二级", None, "２级", 0.0]


def scenes() -> list[Any]:
    """Of E1: 营销 采购 仓储 财务 质量 协同办公 at 2, in the order of the form."""
    at_two = {"marketing", "procurement", "warehouse_logistics", "finance", "quality", "office_collaboration"}
    order = (
        "product_design process_design marketing after_sales scheduling production_control quality equipment safety "
        "energy procurement warehouse_logistics finance human_resources office_collaboration decision_support"
    )
    return [("二级" if name in at_two else None) for name in order.split()]


def column(values: list[Any]) -> list[list[Any]]:
    return [[value] for value in values]


@dataclass(frozen=True)
class Cell:
    """An argument that is a reference to one cell, not a literal."""

    value: Any


Case = tuple[str, list[Any]]
CASES: list[Case] = [
    ("XLC_SCORE", [SURVEY, column(ANSWERS)]),
    ("XLC_SCORE", [Cell(SURVEY), [ANSWERS]]),
    ("XLC_SCORE", [SURVEY, column([*ANSWERS[:14], None])]),
    ("XLC_SCORE", [SURVEY, column([*ANSWERS[:14], "B"])]),
    ("XLC_SCORE", [SURVEY, column(ANSWERS[:14])]),
    ("XLC_LEVEL", [SURVEY, column(ANSWERS), column(scenes())]),
    ("XLC_LEVEL", [SURVEY, column(ANSWERS), column(SCENES)]),
    ("XLC_LEVEL", [SURVEY, [ANSWERS], [[*SCENES[:15], "五级"]]]),
    ("XLC_SCENE_COUNT", [SURVEY, column(scenes()), "二级"]),
    ("XLC_GAP_POINTS", [SURVEY, column(ANSWERS), column(scenes())]),
    *[("XLC_FACE_VALUE", [CLOUD, level]) for level in ("一级", "二级", "三级", "四级", 0, 2.0, "规范级")],
    *[("XLC_FACE_VALUE", [CLOUD, Cell(level)]) for level in ("２级", 2.0, 3, "五级", 2.5, -1, "#N/A", " ")],
    ("XLC_FACE_VALUE", [Cell(CLOUD), column(["二级", None, "三级", "五级", 4, ""])]),
    ("XLC_FACE_VALUE", [CLOUD, [["二级", "三级", "四级"]]]),
    ("XLC_FACE_VALUE", [CLOUD, column(["二级", "三级"]), column([None, 95000])]),
    ("XLC_FACE_VALUE", [CLOUD, column(["二级", "三级"]), column([1, 2, 3])]),
    *[("XLC_FACE_VALUE", [CLOUD, error]) for error in ("#N/A", "#DIV/0!", "#REF!", "#NAME?", "#NUM!", "#NULL!")],
    ("XLC_FACE_VALUE", [CLOUD, "三级", 95000]),
    ("XLC_FACE_VALUE", [CLOUD, "三级", None]),
    ("XLC_FACE_VALUE", [CLOUD, "三级", Cell(None)]),
    ("XLC_FACE_VALUE", [CLOUD, "三级", "9.5万元"]),
    ("XLC_FACE_VALUE", [CLOUD, "三级", None, "2025-06-01"]),
    ("XLC_FACE_VALUE", [CLOUD, "三级", None, Cell(None)]),
    ("XLC_FACE_VALUE", ["nowhere.nothing", "三级"]),
    ("XLC_FACE_VALUE", [Cell(None), "三级"]),
    ("XLC_FACE_VALUE", [CLOUD]),
    ("XLC_FACE_VALUE", [3, "三级"]),
    ("XLC_SUBSIDY", [SUBSIDY, 166666.65, "二级"]),
    ("XLC_SUBSIDY", [SUBSIDY, Cell("１２万元"), Cell("二级")]),
    ("XLC_SUBSIDY", [SUBSIDY, Cell("十二"), "二级"]),
    ("XLC_SUBSIDY", [SUBSIDY, Cell(-1), "二级"]),
    ("XLC_SUBSIDY", [SUBSIDY, column([166666.65, "12万元", None, "x", 500000, 0]), "二级"]),
    ("XLC_SUBSIDY", [SUBSIDY, column([500000] * 4), column(["一级", "二级", "三级", "四级"])]),
    ("XLC_REDUCTION", [SAAS, column([10000, 30000.5, None])]),
    ("XLC_OWN_PAYMENT", [SAAS, 12345.67]),
    ("XLC_STATUS", [SUBSIDY, [["核定投入", "50万元"], ["数字化水平等级", "三级"]]]),
    ("XLC_EXPLAIN", [SUBSIDY, [["recognised_cost", "50万元"], ["maturity_level", 3]]]),
    ("XLC_FINDINGS", [SUBSIDY, [["recognised_cost", "abc"], ["maturity_level", 3]]]),
    ("XLC_IN_WINDOW", ["2025-05-31", 45658, Cell("2025年12月31日")]),
    ("XLC_IN_WINDOW", [Cell(None), 45658, 46022]),
    # No ledger is read inside the office: an error value, and words where a function explains.
    ("XLC_RECEIVED", [column(["91350100M000100Y43", None])]),
    ("XLC_REMAINING", [SAAS, Cell("91350100M000100Y43")]),
    ("XLC_DUPLICATES", ["91350100M000100Y43"]),
    ("XLC_USCC_CHECK", ["91130100MA0DMX7R2K"]),
    ("XLC_USCC_CHECK", [Cell(None)]),
    ("XLC_WORD_COUNT", [column(["你好，世界", None, "abc def"])]),
    ("XLC_AMOUNT_WORDS", [column([1234.5, 100000000, None])]),
    ("XLC_AWARD", [BENCHMARK, column(["小灯塔、创新能力", "智能工厂", "小灯塔、智能工厂", None])]),
    ("XLC_AWARD", [BENCHMARK, "小灯塔、创新能力", Cell("小灯塔")]),
    ("XLC_AWARD", [BENCHMARK, Cell(None)]),
    ("XLC_AWARD", [CHAIN]),
    ("XLC_AWARD", [CHAIN, Cell(None), "是"]),
    ("XLC_AWARD", [PLATFORM, column(["一等奖", "三等奖"]), Cell(None), Cell(None), "AMB-74=list_and_sample"]),
    ("XLC_PRIZE", [PLATFORM, CANDIDATES, column([1, 2, 3, 4, 5]), [[1, 1, 1]]]),
    ("XLC_PRIZE", [PLATFORM, CANDIDATES, Cell(None), column([1, 1, 0])]),
    ("XLC_PRIZE", [PLATFORM, CANDIDATES, 2, [["等次", "名额"], ["一等奖", 1], ["二等奖", 2], ["三等奖", 0]]]),
    ("XLC_PRIZE", [PLATFORM, CANDIDATES, 1, column([1, 1, None])]),
    ("XLC_ENTERPRISE_SIZE", [SIZES, "工业", column([1000, 999, 299, 19]), column([4e8, 4e8, 2e7, 3e6])]),
    ("XLC_ENTERPRISE_SIZE", [SIZES, "工业", 300, Cell("2000万元")]),
    # A lone empty cell arrives as 0, which is no revenue here.
    ("XLC_ENTERPRISE_SIZE", [SIZES, "工业", 300, Cell(None)]),
    ("XLC_ENTERPRISE_SIZE", [SIZES, "工业", Cell(None), 2e7]),
    ("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), LOOKED_UP, ROSTER]),
    ("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), LOOKED_UP]),
    ("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), LOOKED_UP, ROSTER, None, "AMB-36=month"]),
    ("XLC_RECOGNISED_LINES", [SUBSIDY, table(*LINES), column([1, 2, 3, 4, 5, 6]), LOOKED_UP, ROSTER]),
    ("XLC_RECOGNISED_LINES", [SUBSIDY, table(*LINES), 7, LOOKED_UP, ROSTER]),
    ("XLC_RESULT", [SUBSIDY, "补贴金额", [["核定投入", "50万元"], ["数字化水平等级", "三级"]]]),
    ("XLC_RESULT", [CLOUD, "face_value", [["验收等级"]], column(["二级", "四级", None])]),
    ("XLC_RESULT", [CLOUD, Cell("没有"), [["验收等级", 3]]]),
    ("XLC_RESULT_TEXT", [SIZES, "企业规模", [["划型行业", "工业"], ["从业人员数", 300], ["营业收入", "2000万元"]]]),
    ("XLC_RATIO_MET", [column([89.5, 90, None]), 100, 0.9]),
    ("XLC_RATIO_MET", [Cell(None), 100, "90%"]),
]

# Around the functions, and where the office is known to differ: the formula, and what its cell shows.
FORMULAS: dict[str, Any] = {
    f'XLC_FACE_VALUE("{CLOUD}","二级")*2': 20000,
    f'IF(XLC_FACE_VALUE("{CLOUD}","")="","空","有")': "空",
    f'IFERROR(XLC_FACE_VALUE("{CLOUD}","五级"),"错")': "错",
    f'ERROR.TYPE(XLC_FACE_VALUE("{CLOUD}","五级"))': 3,
    f'SUM(XLC_FACE_VALUE("{CLOUD}",A1:A3))': 45000,
    f'INDEX(XLC_FACE_VALUE("{CLOUD}",A1:A3),2)': 15000,
    f'INDEX(XLC_FACE_VALUE("{CLOUD}",{{"二级";"#N/A"}}),2)': "#N/A",
    'XLC_AMOUNT_WORDS(1)="壹元整"': True,
    # A text in a column of results compares unequal to everything, unless it is made a text once more.
    'C1="壹元整"': False,
    'C1&""="壹元整"': True,
    # An error inside a range is not passed on; the office answers for the whole range.
    f'XLC_FACE_VALUE("{CLOUD}",A3:A4)': "#VALUE!",
    # One empty cell comes as 0, unless it is made a text; a logical value comes as a number.
    f'XLC_FACE_VALUE("{CLOUD}",A5)': 0,
    f'XLC_FACE_VALUE("{CLOUD}",A5&"")': None,
    f'XLC_FACE_VALUE("{CLOUD}",A6)': 0,
}
FORMULA_CELLS = ["二级", "三级", "四级", "=NA()", None, True]


def expected(name: str, args: list[Any]) -> Any:
    return call(name, [arg.value if isinstance(arg, Cell) else arg for arg in args])


# --- the package


def test_the_office_is_told_everything_in_order() -> None:
    root = ElementTree.fromstring(oxt._configuration(UDFS))
    name_of = "{http://openoffice.org/2001/registry}name"
    locale = "{http://www.w3.org/XML/1998/namespace}lang"

    def texts(node: ElementTree.Element, prop: str) -> set[str | None]:
        found = next(child for child in node if child.get(name_of) == prop)
        assert {value.get(locale) for value in found} == {"en-US", "zh-CN"}
        return {value.text for value in found}

    functions = root.find("./node/node/node")
    assert functions is not None and [node.get(name_of) for node in functions] == list(UDFS)
    for node, udf in zip(functions, UDFS.values(), strict=True):
        assert texts(node, "DisplayName") == texts(node, "CompatibilityName") == {udf.name}
        assert texts(node, "Description") == {f"{udf.title}：{udf.help}"}
        args = list(next(child for child in node if child.get(name_of) == "Parameters"))
        names = [str(arg.get(name_of)) for arg in args]
        assert names == sorted(names) and all(f"[in] any {name}" in oxt._idl(UDFS) for name in names)
        assert [texts(arg, "DisplayName") for arg in args] == [{arg.title} for arg in udf.args]


def test_it_computes_without_pydantic_and_without_a_cache(tmp_path: Path) -> None:
    for name, data in (oxt._packages() | oxt._held_packs()).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); from udfs.adapter import call; "
        "from xlcalc import load_policy; from xlcalc.packs.registry import policy_ids; "
        "hashes = {name: load_policy(name).newest.hash for name in policy_ids()}; "
        "print(json.dumps([call(*case) for case in json.load(sys.stdin)] + [hashes])); "
        "assert not {'pydantic', 'numpy'} & set(sys.modules)"
    )
    cases = [["XLC_SCORE", [SURVEY, ANSWERS]], ["XLC_FACE_VALUE", [CLOUD, "三级"]]]
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code, str(tmp_path / "pythonpath")],
        input=json.dumps(cases), capture_output=True, text=True, cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    from xlcalc import load_policy

    assert json.loads(run.stdout) == [48.25, 15000.0, {name: load_policy(name).newest.hash for name in policy_ids()}]
    assert not (tmp_path / ".cache").exists()


def test_a_held_pack_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    from xlcalc.packs import registry

    folder = registry.policy_folders()[0]
    for path in folder.rglob("*.*"):
        (tmp_path / path.relative_to(folder)).parent.mkdir(exist_ok=True)
        (tmp_path / path.relative_to(folder)).write_bytes(path.read_bytes())
    _, entry = registry.held_entry(CLOUD)
    entry["pack"]["label"] = "held"
    toml = tmp_path / CLOUD.replace(".", "/")
    toml.with_suffix(".held.json").write_text(json.dumps(entry), encoding="utf-8")

    def label() -> str:
        code = "import sys; from xlcalc.packs import registry as r; r._BUILT_IN = r.Path(sys.argv[1]); "
        code += f"sys.stdout.buffer.write(r.load_policy({CLOUD!r}).label.encode())"
        run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True)
        return run.stdout.decode()

    assert label() == "held"
    with toml.with_suffix(".toml").open("a", encoding="utf-8") as stream:
        stream.write("\n# changed\n")
    assert label() != "held"


def test_without_the_type_compiler_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(libreoffice_engine, "find_soffice", lambda: tmp_path / "program" / "soffice")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError) as caught:
        build_oxt(tmp_path / "x.oxt")
    assert caught.value.code == "E-OXT-TOOL" and "install-libreoffice.sh" in caught.value.remedy
    monkeypatch.setattr(libreoffice_engine, "find_soffice", lambda: None)
    with pytest.raises(EngineError, match="E-OXT-TOOL"):
        build_oxt(tmp_path / "x.oxt")


# --- in LibreOffice


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return build_oxt(tmp_path_factory.mktemp("oxt") / "核算 函数.oxt")
    except EngineError as error:
        if error.code == "E-OXT-TOOL" and os.environ.get("CI", "").lower() != "true":
            pytest.skip(str(error))
        raise


@pytest.fixture(scope="module")
def profile(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_oxt(built, tmp_path_factory.mktemp("profile") / "配置 新")


@dataclass
class Book:
    """One workbook as written, and as the office computed and saved it."""

    written: Path
    saved: Path


def office(profile: Path, *arguments: str, wait: bool = True) -> subprocess.Popen[bytes]:
    program = libreoffice_engine.find_soffice()
    assert program is not None
    process = subprocess.Popen(
        [str(program), f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", *arguments],
        env=oxt._clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    if wait:
        assert process.wait(60) == 0
    return process


def literal(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return str(int(value) if value == int(value) else value)


def put(sheet: Any, columns: Iterator[int], values: list[list[Any]]) -> str:
    """Writes values side by side into unused columns and returns their range."""
    letters = [get_column_letter(next(columns)) for _ in values[0]]
    for number, row in enumerate(values, 1):
        for letter, value in zip(letters, row, strict=True):
            sheet[f"{letter}{number}"] = "=NA()" if value == "#N/A" else value
    place = f"data!${letters[0]}$1:${letters[-1]}${len(values)}"
    return place if len(values) * len(values[0]) > 1 else place.partition(":")[0]


def write_book(path: Path) -> None:
    """Every case as a formula of a sheet of its own, in A1."""
    book = Workbook()
    data, columns = book.active, count(1)
    data.title = "data"
    for number, (name, args) in enumerate(CASES):
        sheet = book.create_sheet(f"c{number}")
        parts = [
            put(data, columns, [[arg.value]]) if isinstance(arg, Cell)
            else put(data, columns, arg) if isinstance(arg, list)
            else literal(arg)
            for arg in args
        ]  # fmt: skip
        formula, result = f"={name}({','.join(parts)})", expected(name, args)
        if isinstance(result, list):
            place = f"A1:{get_column_letter(len(result[0]))}{len(result)}"
            sheet["A1"] = ArrayFormula(place, formula)
        else:
            sheet["A1"] = formula
    around = book.create_sheet("around")
    for row, value in enumerate(FORMULA_CELLS, 1):
        around[f"A{row}"] = value
    around["C1"] = ArrayFormula("C1:C2", "=XLC_AMOUNT_WORDS({1;2})")
    for row, formula in enumerate(FORMULAS, 1):
        around[f"B{row}"] = f"={formula}"
    book.save(path)


@pytest.fixture(scope="module")
def book(profile: Path, tmp_path_factory: pytest.TempPathFactory) -> Book:
    folder = tmp_path_factory.mktemp("book")
    written = folder / "written.xlsx"
    write_book(written)
    office(profile, "--convert-to", libreoffice_engine.XLSX.replace('"', ""), "--outdir", f"{folder}/out", str(written))
    return Book(written, folder / "out" / "written.xlsx")


@pytest.fixture(scope="module")
def values(book: Book) -> Any:
    return load_workbook(book.saved, data_only=True)


def seen(result: Any) -> Any:
    """A result as openpyxl reads it from a saved cell."""
    if isinstance(result, UdfError):
        return result.code
    return None if result == "" else result


@pytest.mark.libreoffice
def test_the_same_sources_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    assert build_oxt(tmp_path / "deep" / "again.oxt").read_bytes() == built.read_bytes()
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
    assert names == sorted(names) and not [name for name in names if "pydantic" in name or "__pycache__" in name]
    assert {f"licenses/{name}/LICENSE" for name in ("xlcalc", "platformdirs", "typing_extensions")} <= set(names)


@pytest.mark.libreoffice
@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{number}-{CASES[number][0]}")
def test_cells_show_what_the_library_gives(number: int, values: Any) -> None:
    result = expected(*CASES[number])
    sheet = values[f"c{number}"]
    rows = result if isinstance(result, list) else [[result]]
    shown = [[sheet.cell(row + 1, place + 1).value for place in range(len(rows[0]))] for row in range(len(rows))]
    assert shown == [[seen(value) for value in row] for row in rows]


@pytest.mark.libreoffice
@pytest.mark.parametrize(
    ("name", "args", "result"),
    [
        ("XLC_SCORE", [SURVEY, column(ANSWERS)], 48.25),
        ("XLC_LEVEL", [SURVEY, column(ANSWERS), column(scenes())], 2),
        ("XLC_FACE_VALUE", [CLOUD, "二级"], 10000),
        ("XLC_FACE_VALUE", [CLOUD, "三级"], 15000),
        ("XLC_FACE_VALUE", [CLOUD, "四级"], 20000),
        ("XLC_FACE_VALUE", [CLOUD, Cell("五级")], "#VALUE!"),
        ("XLC_FACE_VALUE", [CLOUD, Cell("#N/A")], "#N/A"),
        ("XLC_SCORE", [SURVEY, column([*ANSWERS[:14], None])], None),
        ("XLC_AWARD", [CHAIN], 500000),
        ("XLC_AWARD", [BENCHMARK, "小灯塔、创新能力", Cell("小灯塔")], 100000),
        ("XLC_ENTERPRISE_SIZE", [SIZES, "工业", 300, Cell("2000万元")], "中型企业"),
        ("XLC_ENTERPRISE_SIZE", [SIZES, "工业", 300, Cell(None)], None),
        ("XLC_RECOGNISED_COST", [SUBSIDY, table(*LINES), LOOKED_UP, ROSTER], 484900),
        ("XLC_RESULT", [SUBSIDY, "补贴金额", [["核定投入", "50万元"], ["数字化水平等级", "三级"]]], 250000),
    ],
)
def test_values_worked_out_by_hand(name: str, args: list[Any], result: Any, values: Any) -> None:
    assert values[f"c{CASES.index((name, args))}"]["A1"].value == result


@pytest.mark.libreoffice
@pytest.mark.parametrize("formula", FORMULAS)
def test_inside_other_formulas_and_at_the_known_limits(formula: str, values: Any) -> None:
    assert values["around"].cell(1 + list(FORMULAS).index(formula), 2).value == FORMULAS[formula]


@pytest.mark.libreoffice
def test_names_survive_a_save(book: Book) -> None:
    before, after = load_workbook(book.written), load_workbook(book.saved)
    for number in range(len(CASES)):
        old, new = (getattr(cell, "text", cell) for cell in (b[f"c{number}"]["A1"].value for b in (before, after)))
        assert new == old


LIVE = """
import json, sys, time, uno
from com.sun.star.beans import PropertyValue
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
for attempt in range(300):
    try:
        context = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % sys.argv[1])
        break
    except Exception:
        time.sleep(0.1)
make = lambda name: context.ServiceManager.createInstanceWithContext(name, context)
hidden = PropertyValue(); hidden.Name = "Hidden"; hidden.Value = True
document = make("com.sun.star.frame.Desktop").loadComponentFromURL("private:factory/scalc", "_blank", 0, (hidden,))
sheet = document.Sheets.getByIndex(0)
levels, results = sheet.getCellRangeByName("A1:A1000"), sheet.getCellRangeByName("B1:B1000")
levels.setDataArray((("二级",),) * 1000)
results.setArrayFormula('=XLC_FACE_VALUE("%s";A1:A1000)' % sys.argv[2])
sums = []
for level in ("二级", "三级", "", "四级", "二级"):
    sheet.getCellRangeByName("A1000").getCellByPosition(0, 0).String = level
    sums.append(sum(row[0] for row in results.getDataArray() if row[0] != ""))
functions, known = make("com.sun.star.sheet.FunctionDescriptions"), {}
for index in range(functions.Count):
    told = {item.Name: item.Value for item in functions.getByIndex(index)}
    if told["Name"].startswith("XLC_"):
        known[told["Name"]] = [told["Description"]] + [[arg.Name, arg.Description] for arg in told["Arguments"]]
document.close(True)
make("com.sun.star.frame.Desktop").terminate()
print(json.dumps([sums, known]))
"""


@pytest.mark.libreoffice
def test_on_screen_cells_follow_their_inputs_and_the_wizard_knows_the_functions(profile: Path) -> None:
    pipe = f"xlcalctest{os.getpid()}"
    process = office(profile, f"--accept=pipe,name={pipe};urp;", wait=False)
    try:
        run = subprocess.run(
            [str(oxt._office_python()), "-c", LIVE, pipe, CLOUD],
            env=oxt._clean_environment(), capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert process.wait(20) == 0
    finally:
        libreoffice_engine.end_process(process)
    sums, known = json.loads(run.stdout)
    most = 999 * 10000
    assert sums == [most + 10000, most + 15000, most, most + 20000, most + 10000]
    assert set(known) == set(UDFS)
    for name, (description, *args) in known.items():
        assert description == f"{UDFS[name].title}：{UDFS[name].help}"
        assert [title for title, _ in args] in ([], [arg.title for arg in UDFS[name].args])  # [] until first used
    assert known["XLC_FACE_VALUE"][2:3] == [[UDFS["XLC_FACE_VALUE"].args[1].title, UDFS["XLC_FACE_VALUE"].args[1].help]]


@pytest.mark.libreoffice
def test_a_second_installation_replaces_the_first_and_a_running_office_is_left_alone(
    profile: Path, built: Path, book: Book, tmp_path: Path
) -> None:
    assert install_oxt(built, profile) == profile
    out = tmp_path / "out"
    office(profile, "--convert-to", "xlsx", "--outdir", str(out), str(book.written))
    number = CASES.index(("XLC_FACE_VALUE", [CLOUD, "三级"]))
    assert load_workbook(out / book.written.name, data_only=True)[f"c{number}"]["A1"].value == 15000
    (profile / ".lock").touch()
    try:
        with pytest.raises(EngineError, match="E-OXT-BUSY"):
            install_oxt(built, profile)
    finally:
        (profile / ".lock").unlink()


@pytest.mark.libreoffice
def test_what_is_no_extension_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.oxt").write_bytes(b"nothing")
    with pytest.raises(EngineError, match="E-OXT-INSTALL"):
        install_oxt(tmp_path / "bad.oxt", tmp_path / "profile")
