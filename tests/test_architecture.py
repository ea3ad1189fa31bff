"""What the house may not become: who imports whom, what costs nothing to import, and where no rule may live."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from workbooks.template import build_template

ROOT = Path(__file__).parents[1]
ROOMS = ("xlcalc", "udfs", "workbooks", "macros_bridge")
MODULES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
NO_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"}
CITIES = re.compile("呼和浩特|石家庄|枣庄|hohhot|shijiazhuang|zaozhuang", re.IGNORECASE)
MOST_LINES = 400

# Of a Fraction, and for display only: beyond three places a score is shown with six.
ROUNDINGS = {("xlcalc/results/trace.py", "round(value * 10 ** places)")}

every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """The full names of everything a module imports, at its top or inside a function."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import hides the direction"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def words(path: Path) -> list[str]:
    """Every text and every name a module uses, its docstrings left aside."""
    module = tree(path)
    docstrings = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(first.value)
    found = []
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            found.append(node.value)
        elif isinstance(node, ast.Name | ast.Attribute | ast.FunctionDef | ast.ClassDef | ast.arg):
            found.append(getattr(node, "id", getattr(node, "attr", getattr(node, "name", getattr(node, "arg", "")))))
    return found


def test_the_calculation_is_there() -> None:
    assert ROOT / "xlcalc" / "evaluation.py" in MODULES


@every_module
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    to_the_right = ROOMS[ROOMS.index(room) + 1 :]
    assert [name for name in imported(path) if name.split(".")[0] in to_the_right] == []


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.is_relative_to(ROOT / "xlcalc")], ids=lambda p: p.stem
)
def test_the_calculation_knows_no_workbook(path: Path) -> None:
    hosts = {"openpyxl", "xlwings", "formulas", "xlsxwriter", "uno", "typer", "rich", "tests"}
    assert [name for name in imported(path) if name.split(".")[0] in hosts] == []


@every_module
def test_no_licensed_part_of_xlwings(path: Path) -> None:
    assert [name for name in imported(path) if name.startswith(("xlwings.pro", "xlwings.server"))] == []


@every_module
def test_a_module_is_named_for_what_it_does(path: Path) -> None:
    assert path.stem not in NO_NAMES
    assert path.parent.name not in NO_NAMES


@every_module
def test_no_module_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@every_module
def test_no_city_in_code(path: Path) -> None:
    assert [word for word in words(path) if CITIES.search(word)] == []


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.is_relative_to(ROOT / "xlcalc")], ids=lambda p: p.stem
)
def test_no_float_and_no_rounding_of_its_own(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    calls = [
        ast.unparse(node)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("float", "round")
    ]
    assert [call for call in calls if (name, call) not in ROUNDINGS] == []
    nearness = {
        node.value for node in ast.walk(tree(path)) if isinstance(node, ast.keyword) and node.arg == "cutoff"
    }  # how alike two names must be for one to be offered in place of the other
    constants = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and type(node.value) is float]
    floats = [node.value for node in constants if ast.dump(node) not in {ast.dump(node) for node in nearness}]
    assert floats == []


def test_the_roundings_that_are_allowed_exist() -> None:
    for name, call in ROUNDINGS:
        assert call in {ast.unparse(node) for node in ast.walk(tree(ROOT / name)) if isinstance(node, ast.Call)}


@every_module
def test_nothing_is_evaluated_from_text(path: Path) -> None:
    calls = {
        node.func.id for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls.isdisjoint({"eval", "exec", "compile", "__import__"})


def loaded_after(code: str, cache: Path) -> set[str]:
    """The top-level modules a new interpreter holds after running some code."""
    show = "import sys; print(' '.join({name.partition('.')[0] for name in sys.modules}))"
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XLCALC_CACHE": str(cache)},
    )  # fmt: skip
    return set(run.stdout.splitlines()[-1].split())


HEAVY = {"numpy", "pydantic", "openpyxl", "xlwings", "formulas"}
EVALUATE = (
    "import xlcalc\n"
    "for policy in ('hohhot.transformation_subsidy', 'hohhot.maturity_2024', 'shijiazhuang.saas_voucher'):\n"
    "    print(xlcalc.explain(xlcalc.evaluate(policy, {'maturity_level': 2, 'scenes': {}}))[:1])"
)


def test_importing_costs_next_to_nothing(tmp_path: Path) -> None:
    assert loaded_after("import xlcalc", tmp_path).isdisjoint(HEAVY | {"tomllib", "platformdirs", "typing_extensions"})


def test_evaluating_from_a_warm_cache_needs_neither_pydantic_nor_numpy(tmp_path: Path) -> None:
    assert "pydantic" in loaded_after(EVALUATE, tmp_path)
    assert loaded_after(EVALUATE, tmp_path).isdisjoint(HEAVY)


RECALCULATE = """
from pathlib import Path
from workbooks.recalc import recalculate
import workbooks.application.reader, workbooks.assessment.reader, workbooks.review.reader, workbooks.summary.reader
for path in map(Path, {paths}):
    recalculate(path).data
"""


def test_recalculating_from_a_warm_cache_builds_nothing(tmp_path: Path) -> None:
    """What a worker of a batch holds from its start on is there once for every process."""
    paths = [tmp_path / f"{form}.xlsx" for form in ("shijiazhuang.cloud_recommendation", "hohhot.cost_recognition")]
    for path in paths:
        path.write_bytes(build_template(path.stem))
    code = RECALCULATE.format(paths=[str(path) for path in paths])
    assert "openpyxl" in loaded_after(code, tmp_path)
    assert loaded_after(code, tmp_path).isdisjoint(HEAVY | {"lxml", "sqlalchemy", "xlsxwriter"})


def test_values_and_errors_need_nothing_heavy(tmp_path: Path) -> None:
    code = "from xlcalc import MaturityLevel, Money, InputError; Money.parse('1元')"
    assert loaded_after(code, tmp_path).isdisjoint(HEAVY | {"tomllib", "platformdirs"})


def test_public_names() -> None:
    import xlcalc

    for name in xlcalc.__all__:
        assert getattr(xlcalc, name) is not None
    with pytest.raises(AttributeError):
        xlcalc.nothing_of_the_kind  # noqa: B018
