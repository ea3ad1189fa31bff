"""Runs for the document tests: invented enterprises as facts and as workbooks, and documents read back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

import docx
import openpyxl
from casebook import cases_under, json_facts
from openpyxl.worksheet.worksheet import Worksheet
from workbench import SAAS_COMPANY, SAAS_VOUCHER, SUBSIDY

from workbooks.documents.cases import Run, run_of_facts
from xlcalc import load_policy
from xlcalc.values.uscc import check_character

INJECTED = ("=cmd|' /C calc'!A0", "+1", "-1", "@x", "\t=1", '=HYPERLINK("http://127.0.0.1","a")')
PHONE, NAME_PHONE, PERSON = "0311-86001234", "13800001234", "示例联系人"


def code(number: int) -> str:
    """A right code of a division that does not exist."""
    body = f"91000000MA{number:07d}"
    return body + check_character(body)


def voucher_row(number: int, **more: Any) -> dict[str, Any]:
    """An enterprise that meets every condition; 核定金额 120,000.00, so 72,000.00 is payable."""
    return SAAS_COMPANY | {
        "enterprise_name": f"示例{number}号机械有限公司", "uscc": code(number), "contact_phone": PHONE,
        "contact_person": PERSON, "county": "示例县",
    } | more  # fmt: skip


@cache
def vouchers() -> Run:
    """1: 72,000.00. 2: capped at 100,000.00. 3: not on the list. 4: no 核定金额 yet. 5: a formula for a name.
    6: a phone in the name. 7: twice in the run. 5 and 6 have 72,000.00 each."""
    rows = [
        voucher_row(1),
        voucher_row(2, approved_amount="200000元", maturity_level="四级", county="示例区", industry="现代食品制造业"),
        voucher_row(3, on_pilot_list=False),
        voucher_row(4, approved_amount=None),
        voucher_row(5, enterprise_name=INJECTED[0]),
        voucher_row(6, enterprise_name=f"示例{NAME_PHONE}有限公司"),
        voucher_row(7),
        voucher_row(7),
    ]
    return run_of_facts(SAAS_VOUCHER, rows)


PAYABLE = {"示例1号机械有限公司": 7_200_000, "示例2号机械有限公司": 10_000_000, INJECTED[0]: 7_200_000,
           f"示例{NAME_PHONE}有限公司": 7_200_000}  # fmt: skip


def project(case: str = "合同早一日", **more: Any) -> dict[str, Any]:
    """The facts of a case of costs: by default five lines of which the gateway's contract is a day too early."""
    found = {row.name: row for row in cases_under(SUBSIDY, load_policy(SUBSIDY).newest.id)}[case]
    return json_facts(found.facts) | more


def projects(*rows: Mapping[str, Any], **more: Any) -> Run:
    return run_of_facts(SUBSIDY, rows or [project()], on=date(2025, 9, 30), **more)


def sheets(data: bytes) -> dict[str, Worksheet]:
    return {sheet.title: sheet for sheet in openpyxl.load_workbook(io.BytesIO(data)).worksheets}


def rows_under(sheet: Worksheet, *heads: str) -> Iterator[dict[str, Any]]:
    """The rows below the line with these headings, until one whose first cell is empty or the row of totals."""
    table = [list(row) for row in sheet.iter_rows(values_only=True)]
    start = next(number for number, row in enumerate(table) if set(heads) <= set(row))
    names = [str(name) for name in table[start]]
    for row in table[start + 1 :]:
        if row[0] is None or str(row[0]).startswith("合计") or len([cell for cell in row if cell is not None]) < 2:
            return
        yield dict(zip(names, row, strict=True))


def total_row(sheet: Worksheet) -> list[Any]:
    return next(list(row) for row in sheet.iter_rows(values_only=True) if str(row[0]).startswith("合计"))


def text_of(data: bytes) -> str:
    """Everything a document says, in its order; a workbook's cells one a line."""
    if b"word/document.xml" in data:
        document = docx.Document(io.BytesIO(data))
        parts = [paragraph.text for paragraph in document.paragraphs]
        parts += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        return "\n".join(parts)
    return "\n".join(map(text_of_sheet, sheets(data).values()))


def text_of_sheet(sheet: Worksheet) -> str:
    return "\n".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell is not None)


def raw_text(data: bytes) -> str:
    """Every byte of every member, as text: what a search of the unpacked file would find."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
