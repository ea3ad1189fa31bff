"""A VBA project as a file: the text of its modules in the container Excel keeps inside a workbook.

pyOpenVBA writes container and compression, starting from a project that Excel itself has saved. What that
project holds compiled is taken out here, so that Excel can only run what it compiles from the text.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from openpyxl import Workbook

from xlcalc.errors import EngineError

_PROJECT_PART = "xl/vbaProject.bin"
# MS-OVBA 2.3.4.1: the version every program must write, and nothing compiled behind it.
_NOTHING_COMPILED = bytes.fromhex("cc61ffff000100")
# MS-OVBA 2.3.4.2: the list of modules ends with this; pyOpenVBA 6.5 writes four zeros more than Office does.
_END_OF_LIST = b"\x10\0" + bytes(4)


@dataclass(frozen=True)
class Module:
    """A module by name. The source of ``workbook`` and ``sheet`` has no attribute lines; elsewhere it may have."""

    name: str
    source: str
    kind: Literal["standard", "class", "workbook", "sheet"]


def vba_project(modules: Sequence[Module]) -> bytes:
    """The vbaProject.bin that gives a workbook these macros; the same modules give the same bytes.

    modules: the workbook's own, one for each sheet in the order of the sheets, then the others; sources in
    ASCII, with any line ends. Raises ValueError for another character or order, EngineError ``E-VBA-TOOL``
    where pyOpenVBA is missing.
    """
    try:
        from pyopenvba import ExcelFile, VBAModuleKind
        from pyopenvba.cfb import CFB
        from pyopenvba.vba import compress, decompress
    except ImportError:
        raise EngineError(
            "E-VBA-TOOL", "没有安装 pyOpenVBA，不能生成带宏的工作簿", remedy="请运行 pip install xlcalc[excel]"
        ) from None
    kinds = [module.kind for module in modules]
    first = 1 + kinds.count("sheet")
    if kinds[:first] != ["workbook", *["sheet"] * (first - 1)] or "workbook" in kinds[1:]:
        raise ValueError("the workbook's module comes first, then those of the sheets, then all others")
    documents, others = modules[:first], modules[first:]
    with tempfile.TemporaryDirectory(prefix="xlcalc-vba-") as folder:
        path = Path(folder) / "project.xlsm"
        _empty_book(documents).save(path)
        with ExcelFile(path) as file:
            project = file.add_vba_project()
            for module in documents:
                # Also where there is no code: a module that is written anew loses what was compiled with it.
                project.get_module(module.name).body = _text(module)
            for module in others:
                kind = VBAModuleKind.other if module.kind == "class" else VBAModuleKind.standard
                project.add_module(module.name, _text(module), kind=kind)
            file.save()
        with zipfile.ZipFile(path) as archive:
            container = CFB.from_bytes(archive.read(_PROJECT_PART))
    container.write_stream_in_storage("VBA", "_VBA_PROJECT", _NOTHING_COMPILED)
    listed = decompress(container.get_stream_in_storage("VBA", "dir"))
    if listed.endswith(_END_OF_LIST + bytes(4)):
        container.write_stream_in_storage("VBA", "dir", compress(listed[:-4]))
    written: bytes = container.to_bytes()
    return written


def _empty_book(documents: Sequence[Module]) -> Workbook:
    """A workbook with the sheets that the project's own modules belong to."""
    book = Workbook()
    book.remove(book.active)
    book.code_name = documents[0].name
    for module in documents[1:]:
        book.create_sheet(module.name).sheet_properties.codeName = module.name
    return book


def _text(module: Module) -> str:
    """The source with the line ends of VBA; a character that depends on the code page is refused."""
    if not module.source.isascii():
        raise ValueError(f"{module.name} is not ASCII")
    text = re.sub(r"\r\n|\r|\n", "\r\n", module.source)
    return text if not text or text.endswith("\r\n") else text + "\r\n"
