"""The macros that call Python, in two engines: LibreOffice, down to the library, and pyOpenVBA's interpreter.

In LibreOffice cells call the functions and the bridge as shipped. Only what lies behind ``XLPy`` is replaced,
xlwings' DLL and COM, which need Windows; behind that comes xlwings' own code again (``vba_bridge``).
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.formula import ArrayFormula
from pyopenvba import ExcelFile
from pyopenvba.apps.excel import ExcelApplication
from pyopenvba.interpreter._constants_data import EXCEL_CONSTANTS
from test_oxt import office
from test_udf_functions import BAD, CASES, Case, check
from test_xlwings_marshalling import ask_excel
from vba_bridge.office import NOT_FOR_THIS_PYTHON

from macros_bridge.vba.embed import embed, production_modules
from macros_bridge.vba.project import Module
from macros_bridge.vba.wrappers import _function, wrapper_module
from udfs import xlwings_functions
from udfs.adapter import call
from udfs.coercion import ERROR_CODES
from udfs.registry import UDFS
from udfs.signature import Arg, Udf
from workbooks.engines import libreoffice_engine

ROOT = Path(__file__).parents[1]
BRIDGE = (ROOT / "macros_bridge" / "vba" / "parts" / "xlcalc_bridge.bas").read_bytes().decode("ascii")
STAND_IN = (ROOT / "tests" / "vba_bridge" / "xlwings.bas").read_bytes().decode("ascii")
pytestmark = pytest.mark.usefixtures("cell_ledger")
TABLE = [*CASES, *(case for _, case in BAD)]
IDS = [case.name for case in CASES] + [name for name, _ in BAD]

# As Excel's type library numbers them; #BUSY! is newer than that.
NUMBERS = {
    EXCEL_CONSTANTS[f"xlErr{name}"]: code
    for name, code in {
        "Null": "#NULL!", "Div0": "#DIV/0!", "Value": "#VALUE!", "Ref": "#REF!", "Name": "#NAME?", "Num": "#NUM!",
        "NA": "#N/A", "GettingData": "#GETTING_DATA", "Spill": "#SPILL!", "Connect": "#CONNECT!",
        "Blocked": "#BLOCKED!", "Unknown": "#UNKNOWN!", "Field": "#FIELD!", "Calc": "#CALC!",
    }.items()
} | {2051: "#BUSY!"}  # fmt: skip

# MS-VBAL 3.3.5.2, reserved identifiers, and words that mean something at the start of a statement.
RESERVED = """
abs access addressof alias and any array as attribute binary boolean byref byte byval call case cbool cbyte ccur
cdate cdbl cdec cint circle clng clnglng clngptr close compare const csng cstr currency cvar cverr database date
debug decimal declare defbool defbyte defcur defdate defdbl defdec defint deflng deflnglng deflngptr defobj defsng
defstr defvar dim do doevents double each else elseif empty end endif enum eqv erase error event exit explicit false
fix for friend function get global gosub goto if imp implements in input inputb instr instrb int integer is lbound
len lenb let lib like line lock long longlong longptr loop lset me mid midb mod module name new next not nothing
null object on open option optional or paramarray print private property pset public put raiseevent random read
redim rem resume return rset scale seek select set sgn shared single spc static step stop strconv string sub tab
text then to true type typeof ubound unlock until variant wend while width with withevents write xor
"""

# --- the text


def test_the_text_is_plain_and_only_hands_on() -> None:
    for text in (wrapper_module(), BRIDGE, STAND_IN):
        assert text.isascii() and text.endswith("\r\n") and text.count("\r\n") == text.count("\n") == text.count("\r")
        assert text.startswith("Option Explicit\r\n") and "#If" not in text and "#Const" not in text
        assert max(map(len, text.splitlines())) < 1023, "VBA takes no longer line"
    functions = wrapper_module().split("\r\n\r\n")[2:]
    assert len(functions) == len(UDFS)
    for function, udf in zip(functions, UDFS.values(), strict=True):
        assert len(function.strip().splitlines()) == 3
        assert not re.findall(r"\d", re.sub(r"\bXLC_\w+", "", function)), udf.name


def test_no_argument_has_a_name_that_vba_needs() -> None:
    names = {arg.name.lower() for udf in UDFS.values() for arg in udf.args}
    assert not names & set(RESERVED.split()) and all(re.fullmatch("[a-z][a-z0-9]*", name) for name in names)


def test_signatures_are_those_xlwings_would_import() -> None:
    imported = ask_excel([]).vba
    declared = re.compile(r"^(?:Public )?Function (XLC_\w+)\((.*)\)\r?$", re.MULTILINE)
    ours = declared.findall(wrapper_module())
    assert [name for name, _ in ours] == list(UDFS) and sorted(ours) == sorted(declared.findall(imported))
    handed_on = dict(re.findall(r'XlcalcCall\("(\w+)", (Array\(.*\))\)\r', wrapper_module()))
    assert handed_on == dict(re.findall(r'XLPy\.CallUDF\("[\w.]+", "(\w+)", (Array\(.*?\)), ThisW', imported))
    assert f'XLPy.CallUDF("{xlwings_functions.__name__}", udf, args, ThisWorkbook, Application.Caller)' in BRIDGE


def test_every_error_a_function_may_return_is_known_to_the_bridge() -> None:
    known = {int(number): code for code, number in re.findall(r'Case "(.+)": number = (\d+)', BRIDGE)}
    assert known == NUMBERS and set(known.values()) == ERROR_CODES


def test_the_modules_in_a_workbook_are_these(tmp_path: Path) -> None:
    """Of the test's workbook, too, so that what runs here is what is shipped."""
    (tmp_path / "test.xlsm").write_bytes(macro_workbook(Workbook()))
    with ExcelFile(tmp_path / "test.xlsm") as file:
        assert set(file.module_names()) == {"ThisWorkbook", "Sheet1", "xlwings", "xlwings_udfs", "xlcalc_bridge"}
        project = file.vba_project()
        held = {name: project.get_module(name).body for name in ("xlwings_udfs", "xlcalc_bridge")}
    assert held == {"xlwings_udfs": wrapper_module(), "xlcalc_bridge": BRIDGE}


# --- a workbook of cells that call


_CELLS, _OTHER = Arg("cells", "", "", "text"), Arg("other", "", "", "text", optional=True)
# For the tests alone: the cells, or what is given in their place; and one that always raises.
ECHO = Udf("XLC_ECHO", "", "", "", (_CELLS, _OTHER), lambda: None)
FAIL = Udf("XLC_FAIL", "", "", "", (_CELLS,), lambda: None)


def macro_workbook(book: Workbook, *probes: Udf) -> bytes:
    """The workbook with the production's modules, and the stand-in for that of xlwings."""
    modules = [
        module
        for module in production_modules(len(book.sheetnames))
        if module.kind in ("workbook", "sheet") or module.name in ("xlwings_udfs", "xlcalc_bridge")
    ]
    if probes:
        modules.append(Module("probes", "Option Explicit\n" + "\n".join(map(_function, probes)), "standard"))
    stream = io.BytesIO()
    book.save(stream)
    return embed(stream.getvalue(), [*modules, Module("xlwings", STAND_IN, "standard")])


class Sheets:
    """Values below each other on one sheet, formulas on another."""

    def __init__(self) -> None:
        self.book = Workbook()
        self.data = self.book.active
        self.data.title = "data"
        self.calls = self.book.create_sheet("calls")
        self.data_row = self.call_row = 1
        self.places: list[tuple[str, str]] = []

    def cells(self, value: Any) -> str:
        """Writes a value or rows of values and returns their range."""
        rows = value if isinstance(value, list) else [[value]]
        first, self.data_row = self.data_row, self.data_row + len(rows)
        for number, row in enumerate(rows, first):
            for column, cell in enumerate(row, 1):
                self.data.cell(number, column, cell)
        last = f":${get_column_letter(len(rows[0]))}${self.data_row - 1}" if isinstance(value, list) else ""
        return f"data!$A${first}{last}"

    def formula(self, text: str, like: Any = None) -> None:
        """Enters a formula; like: the result, when it is rows of cells."""
        height, width = (len(like), len(like[0])) if isinstance(like, list) else (1, 1)
        first, self.call_row = self.call_row, self.call_row + height
        place = f"A{first}:{get_column_letter(width)}{self.call_row - 1}"
        self.calls[f"A{first}"] = ArrayFormula(place, f"={text}") if isinstance(like, list) else f"={text}"
        self.places.append(("calls", place))


@dataclass(frozen=True)
class Told:
    """What each formula's cells show, and how often each function was called."""

    shown: list[list[list[Any]]]
    calls: dict[str, int]


def ask_office(sheets: Sheets, folder: Path, *probes: Udf) -> Told:
    path = folder / "核算 宏.xlsm"
    path.write_bytes(macro_workbook(sheets.book, *probes))
    pipe = f"xlcalcvba{os.getpid()}"
    paths = os.pathsep.join([str(ROOT / "tests"), str(ROOT)])
    process = office(folder / "profile", "--nodefault", f"--accept=pipe,name={pipe};urp;", wait=False)
    try:
        run = subprocess.run(
            [sys.executable, "-m", "vba_bridge.office", pipe, str(path)],
            cwd=ROOT, input=json.dumps(sheets.places), capture_output=True, text=True, encoding="utf-8", timeout=300,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        if run.returncode == NOT_FOR_THIS_PYTHON and os.environ.get("CI", "").lower() != "true":
            pytest.skip(run.stderr)
        assert run.returncode == 0, run.stderr
        assert process.wait(20) == 0
    finally:
        libreoffice_engine.end_process(process)
    return Told(**json.loads(run.stdout))


def as_excel_shows(cell: Any) -> Any:
    """An error value that VBA made is, in this office alone, a text with VBA's number; the text of one is no error."""
    if isinstance(cell, dict):
        return cell["error"]
    made = re.fullmatch(r"Error (20\d\d)", cell) if isinstance(cell, str) else None
    if made:
        return NUMBERS[int(made[1])]
    return f"text {cell}" if cell in ERROR_CODES else cell


def written(cell: Any) -> str | None:
    """A value as written into a formula; None where it takes a cell, or where the office changes it on the way."""
    if cell is None or isinstance(cell, bool | date) or cell in ERROR_CODES:
        return None
    if isinstance(cell, str):
        return '"' + cell.replace('"', '""') + '"' if len(cell) <= 255 else None
    return str(cell) if isinstance(cell, Decimal) else repr(cell)


def argument(sheets: Sheets, arg: Any) -> str:
    """An argument written into the formula, as a value or an array, or else in cells."""
    if not isinstance(arg, list):
        return written(arg) or sheets.cells(arg)
    rows = [[written(cell) for cell in row] for row in arg]
    if any(cell is None for row in rows for cell in row):
        return sheets.cells(arg)
    return "{" + ";".join(",".join(map(str, row)) for row in rows) + "}"


def in_ranges(sheets: Sheets, case: Case) -> str:
    return ",".join(sheets.cells(arg) for arg in case.args)


def in_formula(sheets: Sheets, case: Case) -> str:
    return ",".join(argument(sheets, arg) for arg in case.args)


WRITINGS: list[Callable[[Sheets, Case], str]] = [in_ranges, in_formula]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    sheets = Sheets()
    for writing in WRITINGS:
        for case in TABLE:
            sheets.formula(f"{case.name}({writing(sheets, case)})", call(case.name, case.args))
    around = sheets.book.create_sheet("around")
    for row, value in enumerate(CELLS, 1):
        around[f"A{row}"] = value
    for formula, result in FORMULAS.items():
        sheets.formula(formula, result)
    return ask_office(sheets, tmp_path_factory.mktemp("vba"), ECHO, FAIL)


@pytest.mark.libreoffice
@pytest.mark.parametrize("at", range(len(TABLE)), ids=IDS)
@pytest.mark.parametrize("writing", range(len(WRITINGS)), ids=["ranges", "formula"])
def test_cells_show_what_the_case_says(told: Told, at: int, writing: int) -> None:
    case = TABLE[at]
    rows = [[as_excel_shows(cell) for cell in row] for row in told.shown[at + writing * len(TABLE)]]
    got = rows if isinstance(call(case.name, case.args), list) else rows[0][0]
    check(case, got)
    assert got == call(case.name, case.args)


@pytest.mark.libreoffice
def test_no_cell_was_filled_without_a_call(told: Told) -> None:
    for name in UDFS:
        cases = [case for case in TABLE if case.name == name]
        assert told.calls[name] >= len(WRITINGS) * len(cases) > 0, name


CELLS = ["二级", 2.5, None, True, date(2025, 5, 31), "=NA()", '=""', "#REF!"]
NEAR_ERRORS = ["#n/a", "#N/A ", "N/A", "#VALUE", "#VALUE!!", "#", "Error 2042x"]
FORMULAS: dict[str, Any] = {
    # Every error alone, in a row, a column and a table; whatever merely looks like one stays a text.
    **{f'XLC_ECHO("{code}")': code for code in sorted(ERROR_CODES)},
    **{f'XLC_ECHO("{text}")': text for text in NEAR_ERRORS},
    'XLC_ECHO({"#N/A",2,"#n/a"})': [["#N/A", 2, "#n/a"]],
    'XLC_ECHO({"#REF!";2;"#DIV/0!"})': [["#REF!"], [2], ["#DIV/0!"]],
    'XLC_ECHO({1,"#NUM!";"#NULL!","";"x",0.5})': [[1, "#NUM!"], ["#NULL!", ""], ["x", 0.5]],
    "XLC_ECHO(around!A6)": "#N/A",
    "XLC_ECHO(around!A6:A8)": [["#N/A"], [""], ["#REF!"]],
    # A call that raises shows an error, not what was said.
    "XLC_FAIL(1)": "#VALUE!",
    "XLC_FAIL(around!A1:A3)": "#VALUE!",
    # Left out and empty are two things.
    'XLC_ECHO("given")': "given",
    'XLC_ECHO("given",around!A3)': "",
    'XLC_ECHO("given","other")': "other",
    # Results go on into other formulas.
    'XLC_ECHO("二")&XLC_ECHO("级")': "二级",
    "SUM(XLC_ECHO({1;2;3}))": 6,
    "XLC_ECHO(XLC_ECHO(around!A2)*2)": 5,
    # Where this office differs from Excel: true written into a formula comes as 1, an argument left out before
    # another as 0, an error ends the formula before the call, and one that VBA made is not caught.
    "XLC_ECHO(TRUE)": 1,
    'XLC_ECHO("given",)': 0,
    "XLC_ECHO(NA())": "#N/A",
    'IFERROR(XLC_ECHO("#N/A"),"caught")': "#N/A",
}


@pytest.mark.libreoffice
@pytest.mark.parametrize("formula", FORMULAS)
def test_errors_gaps_and_other_formulas(told: Told, formula: str) -> None:
    rows = [[as_excel_shows(cell) for cell in row] for row in told.shown[2 * len(TABLE) + [*FORMULAS].index(formula)]]
    want = FORMULAS[formula]
    assert rows == (want if isinstance(want, list) else [[want]])


# --- in the other engine


XLWINGS = """Option Explicit
Public Function XLPy()
    Set XLPy = New Server
End Function
Public Function Application()
    Set Application = New Server
End Function
Public Function Table(a, b, c, d)
    Dim cells(0 To 1, 0 To 1)
    cells(0, 0) = a: cells(0, 1) = b: cells(1, 0) = c: cells(1, 1) = d
    Table = cells
End Function
"""
# Answers with the first argument, or with what it was told to do with the others.
SERVER = """Option Explicit
Public Property Get Caller()
    Caller = CVErr(2023)
End Property
Public Function CallUDF(pythonModule, udf, args, book, caller)
    Dim i As Long, kinds As String
    CallUDF = args(0)
    If VarType(args(0)) <> vbString Then Exit Function
    If args(0) = "raise" Then Err.Raise 1000, Description:="no cell may show this"
    If args(0) = "kinds" Then
        For i = 0 To UBound(args)
            kinds = kinds & VarType(args(i)) & " "
        Next i
        CallUDF = udf & " " & kinds
    End If
End Function
"""


@pytest.fixture(scope="module")
def interpreter() -> ExcelApplication:
    app = ExcelApplication()
    app.add_workbook()
    for name, source in (("xlwings", XLWINGS), ("xlcalc_bridge", BRIDGE), ("xlwings_udfs", wrapper_module())):
        app.add_module(source, name=name)
    app.add_module(SERVER, name="Server", kind="class")
    return app


@pytest.mark.parametrize("name", UDFS)
def test_arguments_arrive_in_order_and_gaps_as_gaps(interpreter: ExcelApplication, name: str) -> None:
    text, gap = "8", "10"  # vbString; vbError, which is what a missing argument is
    required = sum(not arg.optional for arg in UDFS[name].args)
    for given in range(required, len(UDFS[name].args) + 1):
        kinds = [text] * given + [gap] * (len(UDFS[name].args) - given)
        assert interpreter.run(name, *["kinds", *["x"] * (given - 1)]) == " ".join([name, *kinds, ""])


@pytest.mark.parametrize(
    ("argument", "result"),
    [
        *((f'"{code}"', f"Error {number}") for number, code in NUMBERS.items()),
        *((f'"{text}"', repr(text)) for text in NEAR_ERRORS),
        ("2.5", "2.5"),
        ('""', "''"),
        ('Array("#N/A", 2, "#n/a")', "[Error 2042, 2, '#n/a']"),
        ('Table(1, "#REF!", "", "#NUM!")', "[[1, Error 2023], ['', Error 2036]]"),
        ('"raise"', "Error 2015"),
    ],
)
def test_only_errors_become_error_values(interpreter: ExcelApplication, argument: str, result: str) -> None:
    assert repr(interpreter.evaluate(f"XLC_WORD_COUNT({argument})")) == result
