"""On paper: how many pages each form and document takes, none of them empty, and every text that was filled in."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import openpyxl
import pytest
from documents_bench import text_of
from invented import HEAD, filled_form, form_ids
from openpyxl.utils import range_boundaries
from printed import BLANK, FILLED, pages, papers, printed
from workbench import CLOUD, CLOUD_COMPANY, FORM, filled, raw

from macros_bridge.printing import printable
from workbooks.documents.as_pdf import Document, with_pdfs
from workbooks.files.package import Package
from workbooks.ports import places
from workbooks.recalc import recalculate_package
from workbooks.template import manifest
from xlcalc.values.text import squeeze

GOLDEN = Path(__file__).parent / "golden" / "printed_pages.json"
NOT_ON_PAPER = ("不属于", "政策包", "工作列", "检查结果")
"""What stands on working sheets and beside the printed columns."""


@pytest.mark.libreoffice
def test_everything_takes_the_pages_it_took() -> None:
    found = {name: len(pages(pdf)) for name, pdf in printed().items()}
    if os.environ.get("XLCALC_BLESS"):
        GOLDEN.write_text(json.dumps(found, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.libreoffice
def test_no_page_is_empty() -> None:
    short = {name: [page for page in pages(pdf) if len(squeeze(page)) < 20] for name, pdf in printed().items()}
    assert {name: found for name, found in short.items() if found} == {}


def texts_on_paper(form: str) -> list[str]:
    """The texts in the inputs of a filled form that its printed sheets show."""
    data = filled_form(form)
    book = openpyxl.load_workbook(io.BytesIO(data))
    found = []
    for port in manifest(form).ports:
        for spot in places(raw(data), port.name) if port.direction == "in" else ():
            sheet = book[spot.sheet]
            if not sheet.print_area or spot.sheet in ("口径确认表", "数据填报", "补贴测算"):
                continue
            left, top, right, bottom = range_boundaries(sheet.print_area.rpartition("!")[2].replace("$", ""))
            shown = sheet[spot.ref].value
            inside = left <= spot.column <= right and top <= spot.row <= bottom
            if inside and isinstance(shown, str) and not shown.startswith("="):
                found.append(squeeze(shown))
    return found


@pytest.mark.libreoffice
@pytest.mark.parametrize("form", form_ids())
def test_every_text_of_a_filled_form_is_on_a_page(form: str) -> None:
    sheets = [squeeze(page) for page in pages(printed()[f"{form} {FILLED}.xlsx"])]
    texts = texts_on_paper(form)
    assert len(texts) > 10
    assert [text for text in texts if not any(text in page for page in sheets)] == []
    blank = "".join(squeeze(page) for page in pages(printed()[f"{form} {BLANK}.xlsx"]))
    assert [word for word in NOT_ON_PAPER if word in blank + "".join(sheets)] == []


@pytest.mark.libreoffice
def test_results_are_printed_as_they_are_shown() -> None:
    """E1: 48.25 points, six scenes at 二级; 20 of 60 devices are digital."""
    text = "".join(squeeze(page) for page in pages(printed()[f"{FORM} {FILLED}.xlsx"]))
    for shown in ("48.25分", "二级", "营销管理、质量管理", "［33.33%］", "2025年9月20日"):
        assert squeeze(shown) in text, shown


@pytest.mark.libreoffice
def test_every_text_of_a_document_is_on_paper() -> None:
    for paper in papers()[2 * len(form_ids()) :]:
        shown = "".join(plain(page) for page in pages(printed()[paper.name]))
        lines = [plain(line) for line in text_of(paper.data).split("\n") if not line.startswith("=IF(")]
        # A number is printed in its cell's format.
        said = [line for line in lines if not line.replace(".", "").isdigit()]
        assert [line for line in said if line not in shown] == [], paper.name


def plain(text: str) -> str:
    """Without boxes to tick, which are drawn in a font of their own and so after the line they stand in."""
    return squeeze(text).translate(dict.fromkeys(map(ord, "☑☐")))


@pytest.mark.libreoffice
def test_a_long_table_repeats_its_headings() -> None:
    rows = [CLOUD_COMPANY | HEAD | {"enterprise_name": f"示例企业第{n}号", "uscc": None} for n in range(1, 121)]
    data = printable(recalculate_package(Package.from_bytes(filled(CLOUD, *rows))))
    (paper,) = with_pdfs([Document("推荐表.xlsx", data)])
    assert paper.pdf is not None
    sheets = [squeeze(page) for page in pages(paper.pdf)]
    assert len(sheets) > 2
    assert all("序号企业名称所属行业是否规上联系人联系方式备注" in page for page in sheets)
    assert all(f"示例企业第{n}号" in "".join(sheets) for n in range(1, 121))
    assert CLOUD_COMPANY["maturity_level"] not in "".join(sheets)
