"""Habits of the people who fill in forms, held cell by cell on every template."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from functools import cache
from typing import Any

import openpyxl
import pytest
from invented import filled_form, form_ids
from openpyxl.formula.translate import Translator
from openpyxl.worksheet.worksheet import Worksheet
from workbench import again, place, raw, typed, values, with_rows

from workbooks.ports import Port, area_of, places
from workbooks.template import build_template, manifest
from xlcalc.facts import fact

EQUIPMENT = "zaozhuang.platform_application"


@cache
def blank(form_id: str) -> tuple[bytes, openpyxl.Workbook]:
    data = build_template(form_id)
    return data, openpyxl.load_workbook(io.BytesIO(data))


def columns(form_id: str) -> list[Port]:
    """The ports that are columns of rows of equal inputs."""
    own = manifest(form_id)
    return [port for port in own.ports if port.name in own.table or port.name.startswith("c_")]


def feeds(port: Port) -> str:
    return re.sub(r"^(?:c_|r_|i_|t_)", "", port.name)


@pytest.mark.parametrize("form_id", form_ids())
def test_codes_and_phones_are_text_before_anyone_types(form_id: str) -> None:
    data, book = blank(form_id)
    looked = 0
    for port in manifest(form_id).ports:
        if port.direction == "in" and port.fact and feeds(port).endswith(("uscc", "phone", "account")):
            formats = {book[spot.sheet][spot.ref].number_format for spot in places(raw(data), port.name)}
            assert formats == {"@"}, port.name
            looked += 1
    assert looked or form_id == "hohhot.summary_report"


@pytest.mark.parametrize("form_id", form_ids())
def test_no_cell_of_a_data_row_is_merged(form_id: str) -> None:
    data, book = blank(form_id)
    for port in columns(form_id):
        area = area_of(raw(data), port.name)
        rows = set(range(area.first_row, area.last_row + 1))
        spans = book[area.sheet].merged_cells.ranges
        assert not [span for span in spans if rows & {*range(span.min_row, span.max_row + 1)}], port.name


def rules(sheet: Worksheet, ref: str) -> list[Any]:
    checked = [rule for rule in sheet.data_validations.dataValidation if ref in rule.sqref]
    return checked + [span for span in sheet.conditional_formatting if ref in span.sqref]


@pytest.mark.parametrize("form_id", form_ids())
def test_copying_the_last_row_copies_its_rules_and_formulas(form_id: str) -> None:
    """The last row is a row like any other: what a copy of it says is what the form would have said there."""
    data, book = blank(form_id)
    for port in columns(form_id):
        last, before = places(raw(data), port.name)[-1], places(raw(data), port.name)[-2:][0]
        sheet = book[last.sheet]
        one, other = sheet[before.ref], sheet[last.ref]
        assert (one.number_format, one.protection.locked) == (other.number_format, other.protection.locked), port.name
        assert rules(sheet, before.ref) == rules(sheet, last.ref), port.name
        if one.data_type == "f" and before.row != last.row:
            assert Translator(one.value, before.ref).translate_formula(last.ref) == other.value, port.name


USCC = [
    ("shijiazhuang.cloud_recommendation", "t_uscc"), ("hohhot.self_assessment", "i_uscc"), ("hohhot.review", "i_uscc"),
    ("shijiazhuang.saas_application", "i_uscc"), ("hohhot.cost_recognition", "c_investment_lines_supplier_uscc"),
]  # fmt: skip


@pytest.mark.parametrize(("form_id", "port"), USCC)
def test_a_code_that_a_spreadsheet_has_cut_is_recognised_and_listed_at_its_cell(form_id: str, port: str) -> None:
    data = again(typed(filled_form(form_id), {port: Decimal("911301050000001000")})).data
    at = str(place(data, port))
    told = zip(values(data, "fill_finding_where"), values(data, "fill_finding_message"), strict=True)
    assert any(where == at and "000" in message for where, message in told)
    assert at in values(data, "o_finding_link")


def test_rows_copied_below_a_table_count() -> None:
    """The sheet of equipment has free rows below its table."""
    data = filled_form(EQUIPMENT)
    area = area_of(raw(data), "c_service_equipment_name")
    letter = openpyxl.utils.get_column_letter(area.first_col)
    longer = with_rows(data, area.sheet, {area.last_row + 1: {letter: "示例追加设备"}})
    (record,) = again(longer).read.records
    names = [row.get("name") for row in record.facts["service_equipment"]]
    assert names[-1] == "示例追加设备" and len(names) == 13
    assert fact("service_equipment").type == "table"


def test_findings_of_a_table_are_listed_with_their_rows() -> None:
    form_id = "shijiazhuang.cloud_recommendation"
    data = again(typed(filled_form(form_id), {("t_maturity_level", 3): "五级", ("t_contract_date", 5): None})).data
    places_ = values(data, "fill_finding_where")
    assert places_[0] == str(place(data, "t_maturity_level", 3))
    assert str(place(data, "t_contract_date", 5)) in places_
    # 12 enterprises at 三级 get 15,000.00 each; one level cannot be read, one date is missing.
    said = values(data, "fill_summary")[0].splitlines()[0]
    assert said.startswith("共 12 家，可以确定 10 家") and said.endswith("可拨付合计 150,000.00 元")
