"""The printed form of a filled workbook as PDF: which sheets go under the seal, and a copy fit for printing.

In the copy every formula is replaced by its value, results being ours and new, and all other sheets are hidden
and without print areas, for LibreOffice prints a hidden sheet that has one. Whatever program prints the copy shows
the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from workbooks.assessment.layout import CRITERIA, FIGURES
from workbooks.building.draft import BASIS_SHEET, CHOICE_SHEET, CLAUSE_SHEET
from workbooks.engines.libreoffice_engine import convert
from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook
from workbooks.files.rawxml import ATTRIBUTES, attributes, dialect, xml_text
from workbooks.files.temporary import temporary_folder
from workbooks.listed import FINDINGS_SHEET, sheets_of
from workbooks.ports import area_of
from workbooks.recalc import Recalculated
from workbooks.record import ReadBook
from xlcalc.errors import EngineError

SECONDS = 120.0
_BESIDE_THE_FORM = frozenset({BASIS_SHEET, CLAUSE_SHEET, CHOICE_SHEET, FIGURES, CRITERIA, FINDINGS_SHEET})
_FORMULA = re.compile(r"<f(?:\s[^<>]*)?(?:/>|>[^<]*</f\s*>)")
_SHEET = re.compile(rf"<sheet(?=\s)({ATTRIBUTES})\s*/>")
_STATE = re.compile(r"\s+state\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_PRINT_AREA = re.compile(rf"<definedName({ATTRIBUTES})\s*>[^<]*</definedName\s*>")
_FIRST_SHOWN = re.compile(r"\s+(?:activeTab|firstSheet)\s*=\s*(?:\"\d*\"|'\d*')")


def printed_sheets(read: ReadBook) -> list[str]:
    """The sheets of the official form in order: visible, filled in or showing results, and not working sheets.

    Sheets of printed text count too where the form names them. Working sheets are known by name, or by having no
    print area.
    """
    own = {area_of(read.book, port.name).sheet for port in read.manifest.ports if port.direction in ("in", "out")}
    own |= sheets_of(read.book).keys()
    beside = _BESIDE_THE_FORM | {read.form.data.get("payment_title")}
    printing = _with_print_area(read.book.package)
    shown = [info.name for place, info in enumerate(read.book.sheets) if info.state == "visible" and place in printing]
    return [name for name in shown if name in own - beside]


def _with_print_area(package: Package) -> set[int]:
    """The places in the book of the sheets that have a print area."""
    names = (attributes(match[1]) for match in _PRINT_AREA.finditer(xml_text(package, "xl/workbook.xml")))
    return {int(given["localSheetId"]) for given in names if _is_print_area(given)}


def _is_print_area(given: Mapping[str, str]) -> bool:
    return given.get("name") == "_xlnm.Print_Area" and "localSheetId" in given


def printable(done: Recalculated) -> bytes:
    """A copy of the workbook for printing: the form's sheets only, with values and no formulas."""
    shown = printed_sheets(done.read)
    book = RawBook(Package.from_bytes(done.data))
    parts = {info.part: xml_text(book.package, info.part) for info in book.sheets if info.name in shown}
    changed = {part: _FORMULA.sub("", text).encode() for part, text in parts.items()}
    workbook = _only(xml_text(book.package, "xl/workbook.xml"), shown)
    return book.package.rewrite({**changed, "xl/workbook.xml": workbook.encode()})


def _only(text: str, shown: list[str]) -> str:
    """The list of sheets with all but some hidden and not printing; the first of them opens."""
    names = [attributes(match[1]).get("name", "") for match in _SHEET.finditer(text)]
    if not set(shown) <= set(names):
        raise dialect("工作表清单写法特殊", "xl/workbook.xml")

    def hide(match: re.Match[str]) -> str:
        given = _STATE.sub("", match[1])
        state = "" if attributes(given).get("name") in shown else ' state="hidden"'
        return f"<sheet{given}{state}/>"

    def drop(match: re.Match[str]) -> str:
        given = attributes(match[1])
        return "" if _is_print_area(given) and names[int(given["localSheetId"])] not in shown else match[0]

    first = names.index(shown[0])
    text = _FIRST_SHOWN.sub("", text)
    text = re.sub(r"<workbookView(?=[\s/>])", f'<workbookView activeTab="{first}"', text, count=1)
    return _SHEET.sub(hide, _PRINT_AREA.sub(drop, text))


def pdf_bytes(done: Recalculated, name: str) -> bytes:
    """The form as PDF, printed by LibreOffice; name: the file in error messages.

    Raises EngineError ``E-ENGINE-LIBREOFFICE`` when LibreOffice is missing or too old, ``E-ENGINE-CONVERT`` or
    ``E-ENGINE-TIMEOUT`` when it does not print.
    """
    with temporary_folder("xlcalc-pdf-") as folder:
        copy = folder / f"form{Path(name).suffix}"
        copy.write_bytes(printable(done))
        try:
            made = convert([copy], "pdf", folder / "out", SECONDS)[copy]
        except EngineError as error:
            remedy = "请安装 LibreOffice 25.2 或更新版本；或在 Excel、WPS 中打开后用“文件—导出”生成 PDF"
            raise EngineError(error.code, error.message, where=name, remedy=remedy) from None
        if isinstance(made, EngineError):
            raise EngineError(made.code, made.message, where=name, remedy=made.remedy)
        return made.read_bytes()
