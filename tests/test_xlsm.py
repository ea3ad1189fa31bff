"""A template with macros: what was inserted, that nothing else changed, and that other programs open it."""

from __future__ import annotations

import io
import posixpath
import re
import struct
import subprocess
import warnings
import zipfile
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from openpyxl.chart import BarChart
from openpyxl.utils import get_column_letter, range_boundaries
from pyopenvba import check_file
from test_vba_project import PARTS, as_stored, sources
from workbench import CLOUD, CLOUD_COMPANY, FORM, TEMPLATES, e1, edited, filled, members

from macros_bridge.vba.embed import BUTTONS, embed, production_modules
from macros_bridge.vba.shipped import MOST_SHEETS, present
from workbooks.engines.libreoffice_engine import convert
from workbooks.files.package import Package
from workbooks.form import forms
from workbooks.own_macros import own_macros
from workbooks.reader import read_package
from workbooks.template import build_template
from xlcalc.errors import EngineError, WorkbookError

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
RIBBON = "{http://schemas.microsoft.com/office/2009/07/customui}"
EMU = 12_700  # in a point
FIRST = "xl/worksheets/sheet1.xml"
FIRST_LINKS = "xl/worksheets/_rels/sheet1.xml.rels"
ADDED = {"xl/vbaProject.bin", "xl/drawings/xlcalcButtons.xml", "customUI/customUI14.xml", FIRST_LINKS}
KINDS = [(form, flavour) for form in TEMPLATES for flavour in ("native", "udf")]

every_kind = pytest.mark.parametrize(("form", "flavour"), KINDS, ids=lambda value: str(value))


@cache
def plain(form: str, flavour: str) -> bytes:
    return build_template(form, flavour=flavour)


@cache
def macros(form: str, flavour: str) -> bytes:
    return embed(plain(form, flavour))


def tree(data: bytes, part: str) -> ElementTree.Element:
    return ElementTree.fromstring(members(data)[part])


def relations(data: bytes, part: str) -> dict[str, tuple[str, str]]:
    """Id → (type, part) of what a part refers to; "" is the package itself."""
    folder, name = posixpath.split(part)
    links = tree(data, posixpath.join(folder, "_rels", f"{name}.rels"))
    return {
        str(link.get("Id")): (
            str(link.get("Type")),
            posixpath.normpath(posixpath.join("/", folder, str(link.get("Target")))).removeprefix("/"),
        )
        for link in links
    }


# --- nothing else changes


def inserted(before: str, mark: str, addition: str) -> str:
    """The text with an addition before its only mark."""
    assert before.count(mark) == 1, mark
    return before.replace(mark, addition + mark)


@every_kind
def test_each_part_differs_by_exactly_what_was_inserted(form: str, flavour: str) -> None:
    before, after = members(plain(form, flavour)), members(macros(form, flavour))
    want = {name: data.decode() for name, data in before.items()}
    types = (
        '<Override PartName="/xl/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/>'
        '<Override PartName="/xl/drawings/xlcalcButtons.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.drawing+xml"/>'
    )
    workbook_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    want["[Content_Types].xml"] = inserted(want["[Content_Types].xml"], "</Types>", types)
    assert want["[Content_Types].xml"].count(workbook_type) == 1
    want["[Content_Types].xml"] = want["[Content_Types].xml"].replace(
        workbook_type, "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    )
    microsoft = "http://schemas.microsoft.com/office"
    ribbon = f'<Relationship Id="xlcalcRibbon" Type="{microsoft}/2007/relationships/ui/extensibility" '
    ribbon += 'Target="customUI/customUI14.xml"/>'
    want["_rels/.rels"] = inserted(want["_rels/.rels"], "</Relationships>", ribbon)
    vba = f'<Relationship Id="xlcalcVba" Type="{microsoft}/2006/relationships/vbaProject" '
    vba += 'Target="vbaProject.bin"/>'
    links = "xl/_rels/workbook.xml.rels"
    want[links] = inserted(want[links], "</Relationships>", vba)
    assert want["xl/workbook.xml"].count("<workbookPr/>") == 1
    want["xl/workbook.xml"] = want["xl/workbook.xml"].replace("<workbookPr/>", '<workbookPr codeName="ThisWorkbook"/>')
    count = sum(name.startswith("xl/worksheets/sheet") for name in before)
    for number in range(1, count + 1):
        part = f"xl/worksheets/sheet{number}.xml"
        assert want[part].count("<sheetPr>") == 1
        want[part] = want[part].replace("<sheetPr>", f'<sheetPr codeName="Sheet{number}">')
    want[FIRST] = inserted(want[FIRST], "</worksheet>", f'<drawing xmlns:r="{OFFICE}" r:id="xlcalcButtons"/>')

    assert {name: after[name].decode() for name in before} == want
    assert set(after) - set(before) == ADDED and set(before) <= set(after)
    assert list(after)[: len(before)] == list(before), "in the same order, what is new behind"


@every_kind
def test_untouched_parts_keep_even_their_compressed_bytes(form: str, flavour: str) -> None:
    def packed(data: bytes) -> dict[str, bytes]:
        found = {}
        for info in zipfile.ZipFile(io.BytesIO(data)).infolist():
            name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
            end = info.header_offset + 30 + name + extra + info.compress_size
            found[info.filename] = data[info.header_offset : end]
        return found

    before, after = packed(plain(form, flavour)), packed(macros(form, flavour))
    same = {name for name in before if before[name] == after[name]}
    assert same == {
        name
        for name in before
        if not name.startswith(("xl/worksheets/", "xl/workbook.xml", "xl/_rels/", "_rels/", "[Content_Types]"))
    }
    assert {"xl/styles.xml", "xl/theme/theme1.xml", "docProps/core.xml"} <= same


@every_kind
def test_the_same_template_gives_the_same_bytes(form: str, flavour: str) -> None:
    assert embed(plain(form, flavour)) == macros(form, flavour)


def test_a_filled_form_is_read_alike_with_macros() -> None:
    for form, facts in ((FORM, e1()), (CLOUD, CLOUD_COMPANY)):
        data = filled(form, facts)
        one, other = (read_package(Package.from_bytes(book)) for book in (data, embed(data)))
        assert one.records and [record.facts for record in one.records] == [record.facts for record in other.records]


# --- what Excel is told


@every_kind
def test_code_names_are_those_of_the_modules(form: str, flavour: str) -> None:
    data = macros(form, flavour)
    workbook, links = tree(data, "xl/workbook.xml"), relations(data, "xl/workbook.xml")
    parts = [links[str(sheet.get(f"{{{OFFICE}}}id"))][1] for sheet in workbook.iter(f"{{{MAIN}}}sheet")]
    owners = [workbook.find(f"{{{MAIN}}}workbookPr"), *(tree(data, part).find(f"{{{MAIN}}}sheetPr") for part in parts)]
    names = [owner.get("codeName") for owner in owners if owner is not None]
    modules = production_modules(len(parts))
    assert names == ["ThisWorkbook", *(f"Sheet{number}" for number in range(1, len(parts) + 1))]
    assert names == [module.name for module in modules if module.kind in ("workbook", "sheet")]
    kind, project = next(link for link in links.values() if link[0].endswith("/vbaProject"))
    assert kind == "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
    assert sources(members(data)[project]) == {module.name: as_stored(module) for module in modules}
    assert Package.from_bytes(data).has_macros


def subs() -> dict[str, str]:
    """The public macros of a workbook and what they take."""
    text = (PARTS / "xlcalc_commands.bas").read_text(encoding="ascii")
    return dict(re.findall(r"^Public Sub (\w+)\((.*)\)", text, re.MULTILINE))


def test_the_ribbon_calls_macros_that_take_its_control() -> None:
    data = macros(FORM, "native")
    found = [
        part for kind, part in relations(data, "").values() if kind.endswith("/2007/relationships/ui/extensibility")
    ]
    ribbon = tree(data, found[0])
    assert found == ["customUI/customUI14.xml"] and ribbon.tag == f"{RIBBON}customUI"
    assert [tab.get("label") for tab in ribbon.iter(f"{RIBBON}tab")] == ["xlcalc 核算"]
    groups = [[button.get("label") for button in group] for group in ribbon.iter(f"{RIBBON}group")]
    assert groups == [["检查", "核算", "导出"], ["口径确认", "帮助"]]
    buttons = list(ribbon.iter(f"{RIBBON}button"))
    assert [button.get("size") for button in buttons] == ["large"] * 3 + [None] * 2
    for button in buttons:
        assert re.fullmatch(r"control As \w+", subs()[str(button.get("onAction"))])
        assert button.get("imageMso") and len(str(button.get("screentip"))) and len(str(button.get("supertip"))) < 1024
    for name in ("id", "keytip", "onAction"):
        values = [element.get(name) for element in ribbon.iter() if element.get(name)]
        assert len(set(values)) == len(values) >= len(buttons)


@every_kind
def test_the_buttons_stand_beside_the_form(form: str, flavour: str) -> None:
    """On the first sheet, each in one cell of the first row that is empty and does not print."""
    data = macros(form, flavour)
    sheet: Any = openpyxl.load_workbook(io.BytesIO(plain(form, flavour))).worksheets[0]
    assert sheet.sheet_state == "visible" and not sheet.protection.objects
    printed = range_boundaries(sheet.print_area.rpartition("!")[2])
    anchors = list(tree(data, relations(data, FIRST)["xlcalcButtons"][1]))
    assert len(anchors) == len(BUTTONS) == 3
    taken = set()
    for anchor, (label, macro) in zip(anchors, BUTTONS, strict=True):
        at = {part.tag.removeprefix(DRAWING): int(part.text or "") for part in anchor[0]}
        column, extent = at["col"] + 1, anchor[1]
        letter = get_column_letter(column)
        assert at["row"] == 0 and column > printed[2] + 1
        assert sheet.cell(1, column).value is None and column not in taken
        taken.add(column)
        width, height = (int(str(extent.get(name))) / EMU for name in ("cx", "cy"))
        room = sheet.column_dimensions[letter].width if letter in sheet.column_dimensions else 8.43
        assert at["rowOff"] / EMU + height <= sheet.row_dimensions[1].height
        assert at["colOff"] / EMU + width <= room * 5.25 + 3.75, "a column of this width, in points"
        shape = anchor.find(f"{DRAWING}sp")
        assert shape is not None and shape.get("macro") == f"[0]!{macro}" and subs()[macro] == ""
        assert "".join(shape.itertext()) == label
        client = anchor.find(f"{DRAWING}clientData")
        assert client is not None and client.get("fPrintsWithSheet") == "0"
        assert client.get("fLocksWithSheet") is None, "locked like any shape, which may be clicked all the same"
    assert (
        len({element.get("id") for element in tree(data, "xl/drawings/xlcalcButtons.xml").iter(f"{DRAWING}cNvPr")}) == 3
    )


# --- other programs


def cells(book: Any) -> dict[str, dict[str, Any]]:
    return {sheet.title: {cell.coordinate: cell.value for cell in sheet._cells.values()} for sheet in book.worksheets}


@every_kind
def test_openpyxl_opens_it(form: str, flavour: str) -> None:
    data = macros(form, flavour)
    was = openpyxl.load_workbook(io.BytesIO(plain(form, flavour)))
    for keep in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            book = openpyxl.load_workbook(io.BytesIO(data), keep_vba=keep)
        assert book.code_name == "ThisWorkbook" and bool(book.vba_archive) is keep
        assert [sheet.print_area for sheet in book.worksheets] == [sheet.print_area for sheet in was.worksheets]
        assert cells(book) == cells(was)


@every_kind
def test_an_integrity_check_finds_nothing(form: str, flavour: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsm"
    path.write_bytes(macros(form, flavour))
    assert check_file(path).issues == ()


@pytest.mark.libreoffice
def test_libreoffice_prints_the_same_pages(tmp_path: Path) -> None:
    paths = []
    for number, (form, flavour) in enumerate(KINDS):
        for data, suffix in ((plain(form, flavour), "xlsx"), (macros(form, flavour), "xlsm")):
            paths.append(tmp_path / f"{number}.{suffix}")
            paths[-1].write_bytes(data)
    made = convert(paths, "pdf", tmp_path / "pdf", 180)

    def pages(path: Path) -> list[bytes]:
        """Every page as a picture, as the eye sees it."""
        pdf = made[path]
        assert not isinstance(pdf, EngineError), pdf
        subprocess.run(["pdftoppm", "-r", "50", str(pdf), str(pdf.with_suffix(""))], check=True, capture_output=True)
        return [picture.read_bytes() for picture in sorted(pdf.parent.glob(f"{pdf.stem}-*.ppm"))]

    for path, (form, flavour) in zip(paths[::2], KINDS, strict=True):
        one, other = pages(path), pages(path.with_suffix(".xlsm"))
        assert len(one) == len(other) > 3, form
        # A function in a cell shows one error where it is unknown, and another where macros may not run.
        assert one == other or flavour == "udf", form


@pytest.mark.libreoffice
def test_libreoffice_reads_every_module_and_keeps_it(tmp_path: Path) -> None:
    """It imports the project into its own Basic and writes another from that: a second reader of ours."""
    path = tmp_path / "a.xlsm"
    path.write_bytes(macros(CLOUD, "native"))
    saved = convert([path], 'xlsm:"Calc MS Excel 2007 VBA XML"', tmp_path / "out", 120)[path]
    assert isinstance(saved, Path)
    theirs, ours = (members(file.read_bytes())["xl/vbaProject.bin"] for file in (saved, path))
    assert theirs != ours
    ours_read = {name: text.rstrip("\r\n") for name, text in sources(ours).items()}
    theirs_read = {name: text.rstrip("\r\n") for name, text in sources(theirs).items()}
    # Of a class it keeps all but the attributes, and begins it in its own way.
    body, kept = (re.sub(r"(?m)^Attribute .*\n", "", read.pop("Dictionary")) for read in (ours_read, theirs_read))
    assert theirs_read == ours_read
    assert kept.removeprefix("Option ClassModule\r\n") == body and body.startswith("''\r\n' Dictionary")


# --- what is refused


def with_chart(data: bytes) -> bytes:
    book: Any = openpyxl.load_workbook(io.BytesIO(data))
    book.worksheets[0].add_chart(BarChart(), "B2")
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def with_code_name(data: bytes) -> bytes:
    return edited(data, "xl/workbook.xml", lambda text: text.replace("<workbookPr", '<workbookPr codeName="Mine"'))


def without_properties(data: bytes) -> bytes:
    return edited(data, FIRST, lambda text: re.sub(r"<sheetPr>.*?</sheetPr>", "", text))


@pytest.mark.parametrize("change", [embed, with_chart, with_code_name, without_properties])
def test_a_workbook_with_something_of_its_own_is_refused(change: Any) -> None:
    data = change(plain(CLOUD, "native"))
    with pytest.raises(WorkbookError, match="E-VBA-HELD") as caught:
        embed(data)
    assert caught.value.remedy


@pytest.mark.parametrize(("taken", "first"), [([], 8), (["I1"], 9), (["J1"], 10), (["I1", "L1"], 12)])
def test_buttons_cover_no_cell(taken: list[str], first: int) -> None:
    """The print area is A:G; a column apart stand I, J and K (8, 9, 10 counted from 0) while nothing else is there."""
    data = embed(with_texts(taken))
    drawing = relations(data, FIRST)["xlcalcButtons"][1]
    assert [int(column.text or "") for column in tree(data, drawing).iter(f"{DRAWING}col")] == [
        *range(first, first + 3)
    ]


def test_buttons_without_room_are_refused() -> None:
    with pytest.raises(WorkbookError, match="E-VBA-PLACE") as caught:
        embed(with_texts([f"{get_column_letter(column)}1" for column in range(9, 70, 2)]))
    assert caught.value.where == "上云用云企业推荐表"


def with_texts(refs: list[str]) -> bytes:
    book: Any = openpyxl.load_workbook(io.BytesIO(plain(CLOUD, "native")))
    for ref in refs:
        book.worksheets[0][ref] = "说明"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_any_other_workbook_gets_them_beside_its_cells() -> None:
    book: Any = openpyxl.Workbook()
    book.active["C4"] = 1
    book.create_sheet("隐藏", 0).sheet_state = "hidden"
    book.active = 1
    stream = io.BytesIO()
    book.save(stream)
    data = embed(stream.getvalue())
    drawing = relations(data, "xl/worksheets/sheet2.xml")["xlcalcButtons"][1]
    columns = [int(column.text or "") for column in tree(data, drawing).iter(f"{DRAWING}col")]
    assert columns == [4, 5, 6]


def test_the_macros_of_today_are_known_as_ours() -> None:
    assert present().keys() <= own_macros().keys(), "run python -m macros_bridge.vba.shipped"
    assert all(len(load(form_id)) <= MOST_SHEETS for form_id in forms())


def load(form_id: str) -> list[str]:
    return openpyxl.load_workbook(io.BytesIO(build_template(form_id)), read_only=True).sheetnames
