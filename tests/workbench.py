"""Filled workbooks for the tests: built from a template, typed into, damaged, and looked at.

Cells are named by the template's port names; addresses never appear, because layouts may move.
"""

from __future__ import annotations

import io
import os
import re
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import range_boundaries

from workbooks.batch import run as batch
from workbooks.batch import tasks
from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook, RawCell
from workbooks.listed import FINDINGS_SHEET
from workbooks.ports import Place, places
from workbooks.recalc import Recalculated, recalculate_package
from workbooks.template import build_template, manifest
from xlcalc import load_policy
from xlcalc.mechanisms.assessment_score import Assessment

FORM = "hohhot.self_assessment"
CLOUD = "shijiazhuang.cloud_recommendation"
SAAS = "shijiazhuang.saas_recommendation"
TEMPLATES = (FORM, CLOUD, SAAS)
MATURITY, SUBSIDY = "hohhot.maturity_2024", "hohhot.transformation_subsidy"
CLOUD_VOUCHER, SAAS_VOUCHER = "shijiazhuang.cloud_voucher", "shijiazhuang.saas_voucher"

# E1 of maturity-standard-2024.md §7: 48.25 points, six scenes at 二级 of which five mandatory.
E1_ANSWERS: dict[str, Any] = {
    "q1": ["B", "C"], "q2": "C", "q3": "B",
    "q4": ["marketing", "quality", "procurement", "warehouse_logistics", "finance"],
    "q5": "C", "q6": ["B", "C"], "q7": ["B", "C"], "q8": "D", "q9": ["B", "C"], "q10": ["B", "D"], "q11": "A",
    "q12": "decrease", "q13": "flat", "q14": "increase", "q15": "flat",
}  # fmt: skip
E1_SCENES = {
    "marketing": 2, "procurement": 2, "warehouse_logistics": 2, "finance": 2, "quality": 2, "office_collaboration": 2,
    "production_control": 1, "human_resources": 1,
}  # fmt: skip

# Every condition of the 呼和浩特 guide met; invented enterprise, code of a division that does not exist.
HOHHOT_COMPANY: dict[str, Any] = {
    "enterprise_name": "示例云溪食品有限公司", "uscc": "91000000MA0000001R", "form_date": "2025-09-20",
    "registered_locally": True, "independent_legal_person": True, "on_pilot_list": True, "is_sme": True,
    "industry": "特色食品加工", "implementation_start": "2024-08-01", "implementation_end": "2025-06-30",
    "period_end": "2025-10-31", "application_date": "2025-09-30", "documents_in_period": True,
    "not_listed_abnormal": True, "product_not_restricted": True, "no_major_incidents": True,
    "centrally_funded_little_giant": False, "maturity_level": "二级", "recognised_cost": "50万元",
}  # fmt: skip
CLOUD_COMPANY: dict[str, Any] = {
    "enterprise_name": "示例青禾电子有限公司", "uscc": "91000000MA0000002W", "industry": "新一代电子信息制造业",
    "above_designated_size": True, "contact_person": "示例联系人", "contact_phone": "000-00000000",
    "maturity_level": "三级", "cloud_voucher_received": "0元", "saas_reduction_to_date": "0元",
    "registered_locally": True, "independent_legal_person": True, "operating_well": True,
    "no_serious_violations": True, "is_sme": True, "on_pilot_list": True, "acceptance_passed": True,
    "provider_is_support_unit": True, "implementation_end": "2025-06-30", "pilot_end": "2025-12-31",
    "contract_date": "2025-05-31", "application_date": "2025-05-31",
}  # fmt: skip
SAAS_COMPANY: dict[str, Any] = {
    **CLOUD_COMPANY,
    "enterprise_name": "示例远山机械有限公司", "uscc": "91000000MA00000030", "approved_amount": "120000元",
    "applicant_category": "试点企业", "prior_contract": False, "expense_within_implementation": True,
    "implementation_start": "2024-08-01",
}  # fmt: skip


def e1(**more: Any) -> dict[str, Any]:
    """The enterprise of E1, every condition met, with other facts where given; answers are merged."""
    answers = {**E1_ANSWERS, **more.pop("answers", {})}
    return HOHHOT_COMPANY | {"answers": answers, "scenes": E1_SCENES} | more


def filled(form: str, *rows: Mapping[str, Any], choices: Mapping[str, str] | None = None) -> bytes:
    """A template prefilled with the facts of one enterprise or of one a row."""
    return build_template(form, rows[0] if form == FORM and rows else list(rows), choices=choices)


def raw(data: bytes) -> RawBook:
    return RawBook(Package.from_bytes(data))


def place(data: bytes, port: str, index: int = 0) -> Place:
    return places(raw(data), port)[index]


At = str | tuple[str, int]
"""A port, or a port and the number of one of its cells."""


def _key(at: At) -> tuple[str, int]:
    return (at, 0) if isinstance(at, str) else at


def typed(data: bytes, cells: Mapping[At, Any]) -> bytes:
    """The workbook as after typing into (or clearing) cells and saving, formulas not recalculated."""
    book = raw(data)
    changes = {}
    for at, value in cells.items():
        port, index = _key(at)
        spot = places(book, port)[index]
        changes[spot.sheet, spot.ref] = value
    return book.patch(changes)


def part_of(data: bytes, sheet: str) -> str:
    """The zip member that holds a sheet."""
    return next(info.part for info in raw(data).sheets if info.name == sheet)


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezipped(content: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in content.items():
            archive.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), part, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def edited(data: bytes, part: str, change: Callable[[str], str]) -> bytes:
    """The package with the text of one member changed; the change must change something."""
    content = members(data)
    before = content[part].decode()
    after = change(before)
    assert after != before
    return rezipped(content | {part: after.encode()})


def with_cell(data: bytes, at: At, body: str, kind: str = "") -> bytes:
    """One cell with other content, as raw XML; its style is kept."""
    spot = place(data, *_key(at))
    pattern = re.compile(rf'<c r="{spot.ref}"((?: s="\d+")?)[^>]*?(?:/>|>.*?</c>)', re.DOTALL)
    new = rf'<c r="{spot.ref}"\1{f" t={kind!r}".replace(chr(39), chr(34)) if kind else ""}>{body}</c>'
    return edited(data, part_of(data, spot.sheet), lambda text: pattern.sub(new, text, count=1))


def with_rows(data: bytes, sheet: str, rows: Mapping[int, Mapping[str, Any]]) -> bytes:
    """Rows written below the last one of a sheet, as a clerk adds them: letter -> constant, no formulas."""
    lines = []
    for number, cells in rows.items():
        inside = "".join(
            f'<c r="{letter}{number}"><v>{value}</v></c>'
            if isinstance(value, int | float | Decimal)
            else f'<c r="{letter}{number}" t="inlineStr"><is><t>{value}</t></is></c>'
            for letter, value in sorted(cells.items(), key=lambda item: (len(item[0]), item[0]))
        )
        lines.append(f'<row r="{number}">{inside}</row>')
    end = "</sheetData>"
    return edited(data, part_of(data, sheet), lambda text: text.replace(end, "".join(lines) + end))


def letter(at: Place) -> str:
    return at.ref.rstrip("0123456789")


def plain(cell: RawCell | None) -> Any:
    """A cell's value as Python has it; "" where nothing is seen."""
    if cell is None or cell.kind == "empty":
        return ""
    if cell.kind == "number":
        number = float(cell.text)
        return int(number) if number.is_integer() else number
    return cell.text == "1" if cell.kind == "bool" else cell.text


@lru_cache(maxsize=512)
def _kept(data: bytes) -> RawBook:
    return raw(data)


def values(data: bytes, port: str) -> list[Any]:
    """What a reader that does not calculate sees at a port."""
    book = _kept(data)
    return [plain(book.sheet(spot.sheet).cells.get((spot.row, spot.column))) for spot in places(book, port)]


def formula_values(data: bytes) -> dict[tuple[str, str], Any]:
    """Every formula cell with its stored value."""
    book = _kept(data)
    return {
        (info.name, cell.ref): plain(cell)
        for info in book.sheets
        for cell in book.sheet(info.name).cells.values()
        if cell.formula is not None
    }


def result_values(data: bytes) -> dict[tuple[str, str], Any]:
    """The formula cells of the form itself: those of the list of findings follow what is wrong with the file."""
    return {at: shown for at, shown in formula_values(data).items() if at[0] != FINDINGS_SHEET}


@cache
def opened(data: bytes) -> openpyxl.Workbook:
    """The workbook in another library, formulas replaced by their stored values."""
    return openpyxl.load_workbook(io.BytesIO(data), data_only=True)


def seen(data: bytes, port: str) -> list[Any]:
    """The same as ``values``, through that library."""
    book = opened(data)
    sheet, _, span = str(book.defined_names[port].attr_text).rpartition("!")
    left, top, right, bottom = range_boundaries(span.replace("$", ""))
    rows = book[sheet.strip("'").replace("''", "'")].iter_rows(top, bottom, left, right, values_only=True)
    return ["" if value is None else value for row in rows for value in row]


def value(data: bytes, port: str, index: int = 0) -> Any:
    return values(data, port)[index]


@cache
def assessment() -> Assessment:
    found: Assessment = load_policy(MATURITY).newest.mechanism("assessment")
    return found


def tick(question: str, option: str) -> At:
    """The tick cell of an option: question key and option code."""
    before = 0
    for held in assessment().questions:
        if held.key == question:
            return "i_ticks", before + held.printed.index(option)
        before += len(held.printed)
    raise LookupError(question)


def scene(code: str) -> At:
    """The cell of a scene's level."""
    return "i_scenes", [held.key for held in assessment().scenes].index(code)


def row(form: str, fact: str, number: int) -> At:
    """A table's cell: the column of a fact, the row counted from 0."""
    return next(port.name for port in manifest(form).ports if port.fact == fact and port.name.startswith("t_")), number


def save(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def again(data: bytes, **more: Any) -> Recalculated:
    """A workbook recalculated; more: as for ``recalculate_package``."""
    return recalculate_package(Package.from_bytes(data), **more)


def codes(findings: Sequence[Any]) -> list[str]:
    return [finding.code for finding in findings]


def same(one: Any, other: Any) -> bool:
    """Equal values of the same kind; numbers as far as programs agree on binary digits."""
    if isinstance(one, int | float) and isinstance(other, int | float):
        return type(one) is bool is type(other) or format(float(one), ".14g") == format(float(other), ".14g")
    return type(one) is type(other) and bool(one == other)


def differences(
    one: Mapping[tuple[str, str], Any], other: Mapping[tuple[str, str], Any]
) -> dict[tuple[str, str], tuple[Any, Any]]:
    """Cells whose values differ; both must hold the same cells."""
    assert set(one) == set(other)
    return {key: (one[key], other[key]) for key in one if not same(one[key], other[key])}


def unlucky_serve(pipe: Any, options: Any) -> None:
    """A batch worker that hangs, spins, dies or runs out of memory on files whose names say so."""
    honest = batch.process

    def process(task: tasks.Task, given: tasks.Options) -> tasks.FileResult:
        if "卡住" in task.path.name:
            time.sleep(600)
        while "空转" in task.path.name:
            pass
        if "崩溃" in task.path.name:
            os._exit(3)
        return honest(task, given)

    def recalculated(task: tasks.Task, given: tasks.Options, *read: Any) -> tasks.FileResult:
        if "内存" in task.path.name:
            raise MemoryError
        if "出错" in task.path.name:
            raise ZeroDivisionError
        return _recalculated(task, given, *read)

    _recalculated = batch._recalculated
    batch.process, batch._recalculated = process, recalculated
    batch._serve(pipe, options)
