"""Every template: the facts it was filled with are those read from it, also after another program has saved it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from invented import facts_for, filled_form, form_ids
from workbench import differences, formula_values, save

from macros_bridge.listing import fact_json
from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.engines.libreoffice_engine import XLSX, convert
from workbooks.files.package import Package
from workbooks.form import form
from workbooks.reader import read_package
from workbooks.recalc import recalculate_package
from xlcalc.facts import parse_facts


def given(form_id: str) -> list[dict[str, Any]]:
    facts = facts_for(form_id)
    return [plain(parse_facts(row)) for row in ([facts] if isinstance(facts, dict) else facts)]


def read(data: bytes) -> list[dict[str, Any]]:
    records = read_package(Package.from_bytes(data)).records
    assert [item.message for record in records for item in record.findings if item.severity == "block"] == []
    return [plain(record.facts) for record in records]


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty; figures as text, whether they were given as numbers or not."""
    return {name: numbers(fact_json(value)) for name, value in facts.items() if value not in (None, "")}


def numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: numbers(inner) for key, inner in value.items() if inner not in (None, "")}
    if isinstance(value, list):
        return [numbers(inner) for inner in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("form_id", form_ids())
def test_what_is_filled_in_is_read(form_id: str) -> None:
    assert read(filled_form(form_id)) == given(form_id)


@pytest.fixture(scope="module")
def saved_again(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """Every filled form as LibreOffice saves it, by one office process."""
    folder = tmp_path_factory.mktemp("saved")
    paths = {form_id: save(folder, f"{form_id}.xlsx", filled_form(form_id)) for form_id in form_ids()}
    made = convert(list(paths.values()), XLSX, folder / "out", 300)
    found = {}
    for form_id, path in paths.items():
        copy = made[path]
        assert isinstance(copy, Path), copy
        found[form_id] = copy.read_bytes()
    return found


@pytest.mark.libreoffice
@pytest.mark.parametrize("form_id", form_ids())
def test_what_libreoffice_saved_is_read_and_shows_the_same(form_id: str, saved_again: Mapping[str, bytes]) -> None:
    assert read(saved_again[form_id]) == given(form_id)
    assert not differences(formula_values(filled_form(form_id)), formula_values(saved_again[form_id]))
    again = recalculate_package(Package.from_bytes(saved_again[form_id]))
    assert "E-FORMULA-CHANGED" not in {item.code for item in again.all_findings()}


@cache
def summaries() -> list[str]:
    return [form_id for form_id in form_ids() if form(form_id).kind == "summary"]


@pytest.mark.parametrize("form_id", summaries())
def test_formulas_shows_what_the_library_says(form_id: str, tmp_path: Path) -> None:
    data = filled_form(form_id)
    assert not differences(formula_values(data), evaluate_formulas(save(tmp_path, "a.xlsx", data)))
