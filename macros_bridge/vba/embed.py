"""A finished .xlsx template becomes an .xlsm that brings its own macros, buttons and ribbon.

The package is not written anew: a few insertions into its parts, a few parts more, and every other byte as
it was. A clerk opens the file and allows macros; nothing is imported, and access to the VBA project is not
needed.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from openpyxl.utils import range_boundaries

from macros_bridge.vba.project import Module, vba_project
from macros_bridge.vba.wrappers import wrapper_module
from workbooks.building import style
from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook
from workbooks.files.rawxml import attributes
from xlcalc.errors import EngineError, WorkbookError

BUTTONS = (("检查", "XlcalcCheck"), ("核算", "XlcalcCalculate"), ("导出", "XlcalcExport"))

_PARTS = Path(__file__).parent / "parts"
_FIXED_TIME = (2025, 1, 1, 0, 0, 0)  # as the other members of a template
_POINT = 12_700  # in EMU
_NEAR = 12  # columns within which the buttons stand beside what prints
_WIDTH, _HEIGHT, _MARGIN = 44 * _POINT, 20 * _POINT, 2 * _POINT  # of a button: it fits a column of usual width

_TYPES, _WORKBOOK = "[Content_Types].xml", "xl/workbook.xml"
_VBA, _RIBBON, _DRAWING = "xl/vbaProject.bin", "customUI/customUI14.xml", "xl/drawings/xlcalcButtons.xml"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TO_VBA = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
_TO_RIBBON = "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility"
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_XLSM_TYPE = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
_VBA_TYPE = "application/vnd.ms-office.vbaProject"
_DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.drawing+xml"
_LAST = r"(?=</Relationships>)"
# The order of a sheet's elements is fixed: what may stand behind a drawing.
_BEHIND_DRAWING = (
    r"(?=<(?:legacyDrawing|drawingHF|picture|oleObjects|controls|webPublishItems|tableParts|extLst)\b|</worksheet>)"
)


def production_modules(sheet_count: int) -> list[Module]:
    """Every module of a clerk's workbook: the workbook's and its sheets' own, functions, macros, xlwings.

    Raises EngineError ``E-VBA-TOOL`` where xlwings is missing.
    """
    return [
        Module("ThisWorkbook", "", "workbook"),
        *(Module(f"Sheet{number}", "", "sheet") for number in range(1, sheet_count + 1)),
        Module("xlwings_udfs", wrapper_module(), "standard"),
        *(Module(path.stem, path.read_text(encoding="ascii"), "standard") for path in sorted(_PARTS.glob("*.bas"))),
        Module("xlwings", _of_xlwings("xlwings.bas"), "standard"),
        Module("Dictionary", _of_xlwings("addin/Dictionary.cls"), "class"),
    ]


def _of_xlwings(name: str) -> str:
    """A file of the installed package, which is found without being imported."""
    try:
        return Path(str(distribution("xlwings").locate_file(f"xlwings/{name}"))).read_text(encoding="ascii")
    except (PackageNotFoundError, FileNotFoundError):
        raise EngineError(
            "E-VBA-TOOL", "没有安装 xlwings，不能生成带宏的工作簿", remedy="请运行 pip install xlcalc[excel]"
        ) from None


def embed(xlsx: bytes, modules: Sequence[Module] | None = None) -> bytes:
    """The .xlsm of a template: with macros, a ribbon tab, and three buttons beside the form that do not print.

    xlsx: a template, blank or filled in. modules: None for ``production_modules``. The same input gives the
    same bytes. Raises WorkbookError ``E-VBA-HELD`` for a workbook with macros, a signature, code names or a
    drawing of its own, ``E-VBA-PLACE`` where the buttons have no room; EngineError ``E-VBA-TOOL``.
    """
    package = Package.from_bytes(xlsx)
    if package.has_macros or package.is_signed:
        raise _held("已有宏或数字签名")
    book = RawBook(package)
    modules = modules or production_modules(len(book.sheets))
    number = next(place for place, sheet in enumerate(book.sheets) if sheet.state == "visible")
    form = book.sheets[number].part
    links = posixpath.join(posixpath.dirname(form), "_rels", f"{posixpath.basename(form)}.rels")
    insertions = _insertions(book, form, links, [item.name for item in modules if item.kind in ("workbook", "sheet")])
    texts = {part: package.read(part).decode() for part, _, _ in insertions if part in package}
    if any(re.search(r"<(?:workbookPr|sheetPr)\b[^>]*\scodeName=", text) for text in texts.values()):
        raise _held("已有宏所用的代码名称")
    if "<drawing" in texts[form]:
        raise _held("第一张表上已有图形")
    first_column = _room(book, number, texts[_WORKBOOK])
    texts.setdefault(links, f'<Relationships xmlns="{_RELATIONSHIPS}"></Relationships>')
    texts[_TYPES] = texts[_TYPES].replace(_XLSX_TYPE, _XLSM_TYPE)
    for part, place, insertion in insertions:
        texts[part], count = re.subn(place, insertion, texts[part], count=1)
        if not count:
            raise _held(f"的部件 {part} 与模板写法不同")
    parts = {part: text.encode() for part, text in texts.items()}
    parts[_DRAWING] = _drawing(first_column).encode()
    parts[_RIBBON] = (_PARTS / "customUI14.xml").read_bytes()
    parts[_VBA] = vba_project(modules)
    return _with_parts(package, parts)


def _insertions(book: RawBook, form: str, links: str, owners: Sequence[str]) -> list[tuple[str, str, str]]:
    """(part, pattern of the place, text) of all that is written into parts a template has.

    form: the sheet with the buttons. links: its relationships. owners: the modules of the workbook and its sheets.
    """
    types = _type(_VBA, _VBA_TYPE) + _type(_DRAWING, _DRAWING_TYPE)
    return [
        (_TYPES, r"(?=</Types>)", types),
        ("_rels/.rels", _LAST, _link("xlcalcRibbon", _TO_RIBBON, _RIBBON)),
        ("xl/_rels/workbook.xml.rels", _LAST, _link("xlcalcVba", _TO_VBA, posixpath.basename(_VBA))),
        (_WORKBOOK, r"(?<=<workbookPr)(?=[\s/>])", f' codeName="{owners[0]}"'),
        *(
            (sheet.part, r"(?<=<sheetPr)(?=[\s/>])", f' codeName="{name}"')
            for sheet, name in zip(book.sheets, owners[1:], strict=True)
        ),
        (form, _BEHIND_DRAWING, f'<drawing xmlns:r="{_OFFICE}" r:id="xlcalcButtons"/>'),
        (links, _LAST, _link("xlcalcButtons", f"{_OFFICE}/drawing", "../" + posixpath.relpath(_DRAWING, "xl"))),
    ]


def _with_parts(package: Package, parts: Mapping[str, bytes]) -> bytes:
    """The package with some parts replaced and others added behind the last one."""
    stream = io.BytesIO(package.rewrite({name: data for name, data in parts.items() if name in package}))
    with zipfile.ZipFile(stream, "a") as archive:
        for name, data in parts.items():
            if name not in package:
                archive.writestr(zipfile.ZipInfo(name, _FIXED_TIME), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _type(part: str, content_type: str) -> str:
    return f'<Override PartName="/{part}" ContentType="{content_type}"/>'


def _link(identity: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{identity}" Type="{kind}" Target="{target}"/>'


def _held(what: str) -> WorkbookError:
    return WorkbookError("E-VBA-HELD", f"工作簿{what}，不能再加入宏", remedy="请使用本系统发放的 .xlsx 模板")


# --- the buttons


def _room(book: RawBook, number: int, workbook: str) -> int:
    """The first column for the buttons: where the first row is free beside what prints, a column apart."""
    sheet = book.sheets[number].name
    cells = book.sheet(sheet).cells
    own = {"name": "_xlnm.Print_Area", "localSheetId": str(number)}.items()
    areas = [
        area.rpartition("!")[2]
        for given, area in re.findall(r"<definedName(\s[^>]*)>([^<]*)</definedName>", workbook)
        if attributes(given).items() >= own
    ]
    last = range_boundaries(areas[0])[2] if areas else max((column for _, column in cells), default=0)
    taken = {column for (row, column), cell in cells.items() if row == 1 and cell.kind != "empty"}
    for first in range(int(last) + 2, int(last) + 2 + _NEAR):
        if taken.isdisjoint(range(first, first + len(BUTTONS))):
            return first
    raise WorkbookError(
        "E-VBA-PLACE", "第一行打印区域右侧没有放按钮的空位", where=sheet, remedy="请使用本系统发放的 .xlsx 模板"
    )


def _drawing(first_column: int) -> str:
    buttons = "".join(
        _button(number, label, macro, first_column + number) for number, (label, macro) in enumerate(BUTTONS)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
        f'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">{buttons}</xdr:wsDr>'
    )


def _button(number: int, label: str, macro: str, column: int) -> str:
    """A shape in the first row, as wide in every column: it moves with its cell and does not print."""
    fill, font = style.HEADER.fgColor.rgb[-6:], style.HEADING
    line = style.BOX.left.color.rgb[-6:]
    face = f'typeface="{font.name}"'
    return (
        f"<xdr:oneCellAnchor><xdr:from><xdr:col>{column - 1}</xdr:col><xdr:colOff>{_MARGIN}</xdr:colOff>"
        f'<xdr:row>0</xdr:row><xdr:rowOff>{_MARGIN}</xdr:rowOff></xdr:from><xdr:ext cx="{_WIDTH}" cy="{_HEIGHT}"/>'
        f'<xdr:sp macro="[0]!{macro}" textlink=""><xdr:nvSpPr><xdr:cNvPr id="{number + 2}" name="{macro}" '
        f'descr="{label}"/><xdr:cNvSpPr/></xdr:nvSpPr><xdr:spPr><a:xfrm><a:off x="0" y="0"/>'
        f'<a:ext cx="{_WIDTH}" cy="{_HEIGHT}"/></a:xfrm><a:prstGeom prst="roundRect"><a:avLst/></a:prstGeom>'
        f'<a:solidFill><a:srgbClr val="{fill}"/></a:solidFill>'
        f'<a:ln w="9525"><a:solidFill><a:srgbClr val="{line}"/></a:solidFill></a:ln></xdr:spPr>'
        '<xdr:txBody><a:bodyPr wrap="none" lIns="0" tIns="0" rIns="0" bIns="0" anchor="ctr"/><a:lstStyle/><a:p>'
        f'<a:pPr algn="ctr"/><a:r><a:rPr lang="zh-CN" sz="{font.size * 100:.0f}"><a:solidFill><a:srgbClr val="000000"/>'
        f"</a:solidFill><a:latin {face}/><a:ea {face}/></a:rPr><a:t>{label}</a:t></a:r></a:p></xdr:txBody></xdr:sp>"
        '<xdr:clientData fPrintsWithSheet="0"/></xdr:oneCellAnchor>'
    )
