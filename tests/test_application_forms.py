"""The official forms of one enterprise each: what is typed is what is read, shown, checked and printed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from workbench import differences, formula_values, save

from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.engines.libreoffice_engine import convert, evaluate_libreoffice
from workbooks.form import forms
from workbooks.package import Package
from workbooks.ports import Port
from workbooks.reader import read_package
from workbooks.recalc import Recalculated, recalculate_package
from workbooks.template import build_template, manifest
from xlcalc.facts import Fact, fact, parse_facts

FORMS = sorted(name for name, spec in forms().items() if spec.kind == "application")

# --- facts of every kind, for every input a form has

_WORDS = "示例企业数字化改造，实现了生产管控；成本降低（约）10％。ＡＢＣ abc 123 “链”— ①㎡\n　"
_RARE = "🙂𠀀"
_HARD = ("=1+1", "'quoted", "<b>&amp;", "  两端有空格  ", "0012", "1e5", "是", "2025-01-01", "第一段\n\n第二段")


def text(draws: random.Random, most: int) -> str:
    """A text of up to ``most`` characters; only long ones have signs that engines count differently."""
    if draws.random() < 0.15:
        return draws.choice((*_HARD, "_x0041_") if most > 1000 else _HARD)
    words = _WORDS + (_RARE if most > 1000 else "")
    return "甲" + "".join(draws.choice(words) for _ in range(draws.randint(0, most))) + "乙"


def value(known: Fact, port: Port, draws: random.Random, passage: int, least: int = 0) -> Any:
    """A value of a fact as JSON gives it, among those the form offers. least: how many options are ticked."""
    codes = [code for code in known.options if code in port.items] if known.type == "options" else list(known.options)
    number = draws.randint(0, 10**6)
    made = {
        "text": lambda: text(draws, 20), "passage": lambda: text(draws, passage), "bool": lambda: draws.random() < 0.5,
        "uscc": lambda: "91000000MA0000001R", "integer": lambda: number, "number": lambda: str(Decimal(number) / 100),
        "share": lambda: f"{Decimal(draws.randint(0, 10000)) / 100}%", "level": lambda: draws.randint(0, 4),
        "money": lambda: f"{Decimal(number) / 100}元", "date": lambda: str(date(2024, 1, 1) + timedelta(number % 900)),
        "option": lambda: draws.choice(codes), "options": lambda: draws.sample(codes, draws.randint(least, len(codes))),
        "ticks": lambda: (
            {key: draws.random() < 0.5 for key in port.items if draws.random() < 0.8} or {port.items[0]: True}
        ),
        "texts": lambda: {key: text(draws, 60) for key in port.items if draws.random() < 0.8} or {port.items[0]: "甲"},
    }  # fmt: skip
    return made[known.type]()


def sample(form: str, seed: int, passage: int = 60, rows: int = 3) -> dict[str, Any]:
    """Facts for every input of a form; rows: how many a table gets, where the form does not print them singly."""
    draws = random.Random(seed)
    facts: dict[str, Any] = {}
    for port in manifest(form).ports:
        if port.direction != "in" or port.fact is None:
            continue
        known = fact(port.fact)
        if port.name.startswith("c_"):
            column = known.columns[port.name.removeprefix(f"c_{known.id}_")]
            table = facts.setdefault(known.id, [{} for _ in range(rows)])
            for row in table:
                row[column.id] = value(column, port, draws, 30)
        elif port.name.startswith("r_"):
            number, _, name = port.name.removeprefix(f"r_{known.id}_").partition("_")
            table = facts.setdefault(known.id, [])
            table += [{} for _ in range(int(number) - len(table))]
            table[int(number) - 1][name] = value(known.columns[name], port, draws, passage)
        else:
            # Where a form has no 无, none ticked is not filled in.
            least = 0 if f"n_{known.id}" in manifest(form).by_name else 1
            facts[known.id] = value(known, port, draws, passage, least)
    return facts


@cache
def filled(form: str, seed: int = 1, passage: int = 60, rows: int = 3, flavour: str = "native") -> bytes:
    return build_template(form, sample(form, seed, passage, rows), flavour=flavour)


def facts_in(data: bytes) -> Mapping[str, Any]:
    (record,) = read_package(Package.from_bytes(data)).records
    assert [item.message for item in record.findings if item.severity == "block"] == []
    return record.facts


def again(data: bytes) -> Recalculated:
    return recalculate_package(Package.from_bytes(data))


def resaved(data: bytes, folder: Path) -> bytes:
    """The workbook as LibreOffice saves it."""
    path = save(folder, "in.xlsx", data)
    made = convert([path], "xlsx", folder / "out", 120)[path]
    assert isinstance(made, Path), made
    return made.read_bytes()


# --- what is filled in is what is read

SIZES = [(1, 60, 3), (2, 0, 1), (3, 1800, 2), (4, 10, 100)]
"""(seed, most characters of a passage, rows of a table)."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("seed", "passage", "rows"), SIZES)
def test_what_is_filled_in_is_read(form: str, seed: int, passage: int, rows: int) -> None:
    wanted = parse_facts(sample(form, seed, passage, rows))
    assert facts_in(filled(form, seed, passage, rows)) == wanted


@pytest.mark.libreoffice
@pytest.mark.parametrize("form", FORMS)
def test_what_libreoffice_saved_is_read(form: str, tmp_path: Path) -> None:
    wanted = parse_facts(sample(form, 5, 1800, 4))
    data = resaved(filled(form, 5, 1800, 4), tmp_path)
    assert facts_in(data) == wanted
    codes = {item.code for item in again(data).all_findings()}
    assert not {code for code in codes if code.startswith(("E-STORED", "E-PARAMETER", "E-NO-", "E-OWN"))}


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_form_has_no_record(form: str) -> None:
    assert read_package(Package.from_bytes(build_template(form))).records == []


# --- formulas and their values


@pytest.mark.parametrize("form", FORMS)
def test_formulas_shows_what_the_library_says(form: str, tmp_path: Path) -> None:
    data = filled(form)
    wanted = formula_values(data)
    assert not differences(wanted, evaluate_formulas(save(tmp_path, "a.xlsx", data)))


@pytest.mark.libreoffice
@pytest.mark.parametrize("form", FORMS)
def test_libreoffice_shows_what_the_library_says(form: str, tmp_path: Path) -> None:
    data, other = filled(form), build_template(form)
    paths = [save(tmp_path, "a.xlsx", data), save(tmp_path, "b.xlsx", other)]
    found = evaluate_libreoffice(paths, 240)
    for path, book in zip(paths, (data, other), strict=True):
        assert not differences(formula_values(book), found[path])
