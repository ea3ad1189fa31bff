"""The functions as Excel on Windows calls them, through xlwings' own conversion of Variants.

Only pywin32 is replaced (``pywin32_stubs``), in a process of its own; what cannot be shown here is the DLL and COM.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from test_udf_functions import BAD, CASES, SAAS, SUBSIDY, SURVEY, VOUCHER, Case, check, column

from udfs.adapter import call
from udfs.registry import UDFS

ROOT = Path(__file__).parents[1]
MISSING = {"missing": True}
ERROR_NUMBERS = {
    "#NULL!": -2146826288, "#DIV/0!": -2146826281, "#VALUE!": -2146826273, "#REF!": -2146826265,
    "#NAME?": -2146826259, "#NUM!": -2146826252, "#N/A": -2146826246, "#GETTING_DATA": -2146826245,
    "#SPILL!": -2146826243, "#CALC!": -2146826238,
}  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What Excel was handed, what xlwings knows of each function, and the VBA it would write."""

    results: list[Any]
    types: list[str]
    functions: dict[str, Any]
    vba: str


def ask_excel(calls: list[tuple[str, list[Any]]]) -> Answers:
    paths = os.pathsep.join([str(ROOT / "tests"), str(ROOT)])
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pywin32_stubs.excel"],
        cwd=ROOT, input=json.dumps(calls), capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": paths, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return Answers(**json.loads(run.stdout))


def variant(cell: Any) -> Any:
    """A cell as Excel hands it over: every number a double, every error a number, dates as dates."""
    if isinstance(cell, str) and cell in ERROR_NUMBERS:
        return {"error": ERROR_NUMBERS[cell]}
    if isinstance(cell, date):
        return {"date": cell.isoformat()}
    if isinstance(cell, Decimal):
        return {"currency": str(cell)}
    return float(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell


def rows(arg: Any) -> list[list[Any]]:
    return [[variant(cell) for cell in row] for row in arg] if isinstance(arg, list) else [[variant(arg)]]


def as_ranges(case: Case) -> list[Any]:
    """Every argument a range, one left out an empty cell."""
    given = [{"range": rows(arg)} for arg in case.args]
    return given + [MISSING] * (len(UDFS[case.name].args) - len(given))


def as_values(case: Case) -> list[Any]:
    """Arguments as typed into the formula: constants and arrays, some left out."""
    given = [MISSING if arg is None else rows(arg) if isinstance(arg, list) else variant(arg) for arg in case.args]
    return given + [MISSING] * (len(UDFS[case.name].args) - len(given))


pytestmark = pytest.mark.usefixtures("cell_ledger")
TABLE = [*CASES, *(case for _, case in BAD)]
IDS = [case.name for case in CASES] + [name for name, _ in BAD]


@pytest.fixture(scope="module")
def told() -> Answers:
    return ask_excel([(case.name, written(case)) for written in (as_ranges, as_values) for case in TABLE])


@pytest.mark.parametrize("at", range(len(TABLE)), ids=IDS)
@pytest.mark.parametrize("written", [0, 1], ids=["ranges", "values"])
def test_excel_is_handed_what_the_case_says(told: Answers, at: int, written: int) -> None:
    case = TABLE[at]
    got = told.results[at + written * len(TABLE)]
    if not isinstance(case.expect, list):  # a single value is handed over as one cell
        assert len(got) == len(got[0]) == 1
        check(case, got[0][0])
    else:
        check(case, got)
    python = call(case.name, case.args)
    assert got == (python if isinstance(python, list) else [[python]])


def test_nothing_but_numbers_and_text_leaves(told: Answers) -> None:
    """pywin32 makes a Decimal a currency of four places, and None an empty cell that counts as 0."""
    assert set(told.types) == {"int", "float", "str"}


VARIANTS: list[tuple[str, Any, Any]] = [
    ("double", 120000.0, 72000.0),
    ("short integer", 120, 72.0),
    ("currency", {"currency": "166666.6500"}, 99999.99),
    ("empty", None, ""),
    ("empty text", "", ""),
    ("text", "１２万元", 72000.0),
    ("true", True, "#VALUE!"),
    ("false", False, "#VALUE!"),
    ("date", {"date": "2025-05-31"}, "#VALUE!"),
    ("date and time", {"date": "2025-05-31T14:30:00"}, "#VALUE!"),
    *((code, {"error": number}, code) for code, number in ERROR_NUMBERS.items()),
]


@pytest.fixture(scope="module")
def variants() -> list[Any]:
    cells = [cell for _, cell, _ in VARIANTS]
    calls = [("XLC_REDUCTION", [SAAS, shape, MISSING, MISSING]) for cell in cells for shape in shapes(cell)]
    return ask_excel(calls).results


def shapes(cell: Any) -> list[Any]:
    """A constant, an array, one cell, a column, a row, a block."""
    pair = [cell, 1000.0]
    return [cell, [[cell]], *({"range": block} for block in ([[cell]], column(pair), [pair], [pair, pair]))]


@pytest.mark.parametrize("at", range(len(VARIANTS)), ids=[name for name, _, _ in VARIANTS])
def test_every_kind_of_cell_in_every_shape(variants: list[Any], at: int) -> None:
    want = VARIANTS[at][2]
    pair = [want, 600.0]
    assert variants[at * 6 : at * 6 + 6] == [[[want]], [[want]], [[want]], column(pair), [pair], [pair, pair]]


def test_dates_in_every_form_and_large_arrays() -> None:
    many = [float(number) for number in range(10_000)]
    day = {"date": "2025-05-31T00:00:00"}
    days = [day, {"date": "2025-05-31T23:59:59"}, {"date": "2025-06-01"}, 45808.0, 45808.5, "2025年5月31日"]
    long = "在" * 32767
    reduced, inside, words, levels, text = ask_excel(
        [
            ("XLC_REDUCTION", [SAAS, {"range": column(many)}, MISSING, MISSING]),
            ("XLC_IN_WINDOW", [{"range": column(days)}, "2023-12-31", day]),
            ("XLC_AMOUNT_WORDS", [{"range": [many[:100]]}]),
            ("XLC_SCENE_COUNT", [{"range": [[SURVEY]]}, {"range": [[2.0] * 16] * 3}, 2.0, MISSING]),
            ("XLC_WORD_COUNT", [{"range": [[long]]}, MISSING]),
        ]
    ).results
    assert reduced == column([number * 60 / 100 for number in range(10_000)])
    assert inside == column([1, 1, 0, 1, 1, 1])
    assert len(words) == 1 and words[0][:3] == ["零元整", "壹元整", "贰元整"] and len(words[0]) == 100
    assert levels == column([16, 16, 16])
    assert text == [[32767]]


def test_an_argument_left_out_in_the_middle() -> None:
    results = ask_excel(
        [
            ("XLC_FACE_VALUE", [VOUCHER, "三级", MISSING, {"date": "2025-05-31"}]),
            ("XLC_STATUS", [VOUCHER, {"range": [["验收等级", 3.0]]}, MISSING, {"date": "2024-12-31"}]),
            ("XLC_STATUS", [VOUCHER, {"range": [["验收等级", 3.0]]}, {"range": [[None]]}, {"date": "2024-12-31"}]),
            ("XLC_SUBSIDY", [SUBSIDY, MISSING, 2.0, MISSING]),
        ]
    ).results
    assert results == [[[15000.0]], [["政策不在有效期内"]], [["政策不在有效期内"]], [[""]]]


# --- what Excel shows of a function, and the wrapper that calls it


def test_excel_is_told_titles_help_and_category(told: Answers) -> None:
    assert sorted(told.functions) == sorted(UDFS)
    for name, known in told.functions.items():
        udf = UDFS[name]
        assert (known["name"], known["category"], known["sub"], known["volatile"]) == (name, udf.category, False, False)
        assert known["ret"]["doc"] == udf.help and len(udf.help) <= 255
        for arg, shown in zip(udf.args, known["args"], strict=True):
            assert shown["name"] == arg.name and shown["doc"] == f"{arg.title}：{arg.help}"
            assert len(shown["doc"]) <= 255, "Excel would cut it off"
            assert ("optional" in shown) is arg.optional and shown.get("optional") is None
            assert shown["options"] == {"ndim": 2, "err_to_str": True}


def test_wrappers_have_the_registrys_arguments(told: Answers) -> None:
    found = dict(re.findall(r"^Function (XLC_[A-Z_]+)\((.*)\)$", told.vba, re.MULTILINE))
    assert found == {
        name: ", ".join(f"Optional {arg.name}" if arg.optional else arg.name for arg in udf.args)
        for name, udf in UDFS.items()
    }
    assert told.vba.isascii()
    for name, udf in UDFS.items():
        passed = ", ".join(arg.name for arg in udf.args)
        assert f'XLPy.CallUDF("udfs.xlwings_functions", "{name}", Array({passed})' in told.vba


def test_the_dll_has_the_version_of_the_package() -> None:
    """The VBA names the DLL by version, so the pinned package and xlwings.bas must be of one release."""
    installed = distribution("xlwings")
    bas = Path(str(installed.locate_file("xlwings/xlwings.bas"))).read_text(encoding="utf-8")
    named = set(re.findall(r"xlwings(?:32|64)-([0-9][0-9.]*[0-9])\.dll", bas))
    assert named == {installed.version}
    import xlwings

    assert xlwings.__version__ == installed.version
    pins = (ROOT / "requirements" / "test.txt").read_text(encoding="utf-8")
    assert re.findall(r"^xlwings==(\S+)", pins, re.MULTILINE) == [installed.version]


def test_the_stand_ins_touch_no_other_test() -> None:
    assert not {"pythoncom", "pywintypes", "win32com"} & set(sys.modules)
