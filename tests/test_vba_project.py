"""The container of the macros: read back by others than the one that writes it, and looked at byte by byte."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import olefile
import pytest

from macros_bridge.vba import embed as embedding
from macros_bridge.vba.embed import production_modules
from macros_bridge.vba.project import Module, vba_project
from macros_bridge.vba.wrappers import wrapper_module
from udfs.registry import UDFS
from xlcalc.errors import EngineError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of the library it parses with
    from oletools.olevba import VBA_Parser, decompress_stream

ROOT = Path(__file__).parents[1]
PARTS = ROOT / "macros_bridge" / "vba" / "parts"
SHEETS = (1, 2, 3, 7, 16, 50, 99, 100)
# As Excel writes them; of the documents and of a class.
CLASS_IDS = {
    "workbook": "0{00020819-0000-0000-C000-000000000046}",
    "sheet": "0{00020820-0000-0000-C000-000000000046}",
    "class": "0{FCFB3D2A-A0FA-1068-A738-08002B3371B5}",
}
ATTRIBUTES = (
    'Attribute VB_Name = "{name}"\r\nAttribute VB_Base = "{base}"\r\n'
    "Attribute VB_GlobalNameSpace = False\r\nAttribute VB_Creatable = False\r\n"
    "Attribute VB_PredeclaredId = True\r\nAttribute VB_Exposed = True\r\n"
    "Attribute VB_TemplateDerived = False\r\nAttribute VB_Customizable = True\r\n"
)

every_count = pytest.mark.parametrize("sheets", SHEETS)


def installed(name: str) -> str:
    """A file of xlwings as it lies on the disk."""
    path = Path(str(distribution("xlwings").locate_file(f"xlwings/{name}")))
    return path.read_bytes().decode("ascii")


@cache
def project(sheets: int) -> bytes:
    return vba_project(production_modules(sheets))


def opened(data: bytes) -> olefile.OleFileIO:
    """Refused for any defect, also one that most readers do not mind."""
    container = olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_INCORRECT)
    assert container.parsing_issues == []
    return container


def sources(data: bytes) -> dict[str, str]:
    """Module → text, as olevba reads it."""
    found = [(stream.removeprefix("VBA/"), text) for _, stream, _, text in VBA_Parser("", data=data).extract_macros()]
    assert len(dict(found)) == len(found)
    return dict(found)


def as_stored(module: Module) -> str:
    text = re.sub(r"\r\n|\r|\n", "\r\n", module.source)
    if module.kind in ("workbook", "sheet"):
        return ATTRIBUTES.format(name=module.name, base=CLASS_IDS[module.kind]) + text
    if module.kind == "class":  # without the lines that only an exported file has, and with its class id
        text = text.partition("\r\nEND\r\n")[2]
        name = f'Attribute VB_Name = "{module.name}"\r\n'
        assert text.startswith(name)
        return f'{name}Attribute VB_Base = "{CLASS_IDS["class"]}"\r\n{text.removeprefix(name)}'
    return text if text.startswith("Attribute VB_Name") else f'Attribute VB_Name = "{module.name}"\r\n{text}'


# --- what is in it


def test_the_modules_of_a_workbook_for_clerks() -> None:
    modules = production_modules(2)
    own = sorted(path.stem for path in PARTS.glob("*.bas"))
    assert own == ["xlcalc_bridge", "xlcalc_commands"]
    assert [(module.name, module.kind) for module in modules] == [
        ("ThisWorkbook", "workbook"), ("Sheet1", "sheet"), ("Sheet2", "sheet"), ("xlwings_udfs", "standard"),
        ("xlcalc_bridge", "standard"), ("xlcalc_commands", "standard"), ("xlwings", "standard"),
        ("Dictionary", "class"),
    ]  # fmt: skip
    assert all(module.source.isascii() for module in modules)


@every_count
def test_every_module_is_read_back_unchanged(sheets: int) -> None:
    found = sources(project(sheets))
    assert found == {module.name: as_stored(module) for module in production_modules(sheets)}
    assert len(found) == sheets + 6


def test_what_others_wrote_is_what_they_released() -> None:
    found = sources(project(3))
    assert found["xlwings"] == installed("xlwings.bas")
    body = installed("addin/Dictionary.cls").partition("\r\n''\r\n")
    assert body[1] and found["Dictionary"].endswith(body[1] + body[2])
    described = re.findall(r"Attribute VB_Description = .*", installed("addin/Dictionary.cls"))
    assert described and described[0] in found["Dictionary"]


def test_the_functions_are_those_of_the_registry_to_the_byte() -> None:
    stream = opened(project(5)).openstream("VBA/xlwings_udfs").read()
    assert bytes(decompress_stream(bytearray(stream))) == b'Attribute VB_Name = "xlwings_udfs"\r\n' + (
        wrapper_module().encode("ascii")
    )


def test_no_number_and_no_rule_is_in_the_functions() -> None:
    """Each line is one of these, so that nothing can be computed in VBA."""
    names, listed = r"XLC_[A-Z_]+", r"(?:Optional )?[a-z]+(?:, (?:Optional )?[a-z]+)*"
    line = re.compile(
        rf"Attribute VB_Name = \"xlwings_udfs\"|Option Explicit|'.*||Public Function {names}\({listed}\)"
        rf"|    ({names}) = XlcalcCall\(\"\1\", Array\({listed}\)\)|End Function"
    )
    text = sources(project(1))["xlwings_udfs"].split("\r\n")
    assert [found for found in text if not line.fullmatch(found)] == []
    assert text.count("End Function") == sum("XlcalcCall" in found for found in text) == len(UDFS)


def test_the_dll_in_the_macros_is_of_the_release_that_is_installed() -> None:
    named = set(re.findall(r"xlwings(?:32|64)-([\d.]+)\.dll", sources(project(1))["xlwings"]))
    pinned = (ROOT / "requirements" / "test.txt").read_text(encoding="utf-8")
    asked = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert named == set(re.findall(r"^xlwings==(\S+)", pinned, re.MULTILINE))
    assert named == set(re.findall(r'"xlwings==([^"]*)"', asked))
    assert named == {distribution("xlwings").version}


def test_the_notices_travel_along() -> None:
    def plain(text: str) -> str:
        return " ".join(re.sub(r"^'", "", text, flags=re.MULTILINE).split())

    found, licences = sources(project(1)), plain((PARTS / "THIRD_PARTY.txt").read_text(encoding="utf-8"))
    files = [file for file in distribution("xlwings").files or () if file.name == "LICENSE.txt"]
    assert len(files) == 1 and plain(files[0].read_text()) in licences
    assert "Copyright (c) 2017 Tim Hall" in licences and "Permission is hereby granted, free of charge" in licences
    terms = plain(files[0].read_text()).partition("Redistribution and use")
    assert terms[1] and terms[1] + terms[2] in plain(found["xlwings"])
    assert "@license: MIT (http://www.opensource.org/licenses/mit-license.php" in found["Dictionary"]


# --- how it is written


@every_count
def test_every_stream_is_found_by_its_name(sheets: int) -> None:
    """As Excel looks it up: shorter names to the left, equally long ones in the order of their capitals."""
    container = opened(project(sheets))
    names = [module.name for module in production_modules(sheets)]
    wanted = [["PROJECT"], ["PROJECTwm"], *(["VBA", name] for name in [*names, "_VBA_PROJECT", "dir"])]
    assert sorted(container.listdir()) == sorted(wanted)

    def order(name: str) -> tuple[int, str]:
        return len(name), name.upper()

    for path in wanted:
        entry = container.root
        for name in path:
            at = entry.sid_child
            while (entry := container.direntries[at]).name != name:
                at = entry.sid_left if order(name) < order(entry.name) else entry.sid_right
                assert at != olefile.NOSTREAM, path
    assert container.root.clsid == "" and container.header_signature == olefile.MAGIC


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of the list of modules (MS-OVBA 2.3.4.2), to its last byte."""
    assert data.endswith(b"\x2b" + bytes(5) + b"\x10" + bytes(5)), "the end of a module, and that of all"
    at, end = 0, len(data) - 6
    while at < end:
        kind, size = struct.unpack_from("<HI", data, at)
        size += 2 * (kind == 0x0009)  # the version, whose size leaves out the second number
        assert at + 6 + size <= end
        yield kind, data[at + 6 : at + 6 + size]
        at += 6 + size


@every_count
def test_the_lists_of_modules_agree(sheets: int) -> None:
    container, modules = opened(project(sheets)), production_modules(sheets)
    names = [module.name for module in modules]
    directory = list(records(bytes(decompress_stream(bytearray(container.openstream("VBA/dir").read())))))

    def told(kind: int) -> list[bytes]:
        return [value for found, value in directory if found == kind]

    assert told(0x0003) == [struct.pack("<H", 1252)], "the code page"
    assert told(0x000F) == [struct.pack("<H", len(modules))]
    assert told(0x0019) == told(0x001A) == [name.encode() for name in names]
    assert told(0x0047) == told(0x0032) == [name.encode("utf-16le") for name in names]
    standard = [found for found, _ in directory if found in (0x0021, 0x0022)]
    assert standard == [0x0021 if module.kind == "standard" else 0x0022 for module in modules]
    lines = container.openstream("PROJECT").read().decode("ascii").split("\r\n")
    written = {"standard": "Module={}", "class": "Class={}", "workbook": "Document={}/&H00000000"}
    written["sheet"] = written["workbook"]
    assert [line for line in lines if re.match("(Module|Class|Document|BaseClass|Package)=", line)] == [
        written[module.kind].format(module.name) for module in modules
    ]
    pairs = b"".join(name.encode() + b"\0" + name.encode("utf-16le") + b"\0\0" for name in names)
    assert container.openstream("PROJECTwm").read() == pairs + b"\0\0"


@every_count
def test_nothing_compiled_is_in_it(sheets: int) -> None:
    """Excel compiles from the text; what a template's own project held compiled is gone, and its text too."""
    data = project(sheets)
    container = opened(data)
    assert container.openstream("VBA/_VBA_PROJECT").read() == bytes.fromhex("cc61ffff000100")
    directory = list(records(bytes(decompress_stream(bytearray(container.openstream("VBA/dir").read())))))
    offsets = [value for kind, value in directory if kind == 0x0031]
    assert offsets == [bytes(4)] * (sheets + 6), "the text starts where the stream starts"
    assert "Module1".encode("utf-16le") not in data and b"__SRP" not in data and "__SRP".encode("utf-16le") not in data


@every_count
def test_chunks_are_those_the_editor_reads(sheets: int) -> None:
    """MS-OVBA 2.4.1: every chunk of tokens (Excel refuses a raw one), all but the last of 4096 bytes of text."""
    container = opened(project(sheets))
    for path in container.listdir():
        if path[0] != "VBA" or path[1] == "_VBA_PROJECT":
            continue
        stream = container.openstream(path).read()
        text, at, ends = bytes(decompress_stream(bytearray(stream))), 1, []
        assert stream[0] == 1
        while at < len(stream):
            header = struct.unpack_from("<H", stream, at)[0]
            size = (header & 0x0FFF) + 3
            assert header >> 12 == 0b1011 and at + size <= len(stream), path
            ends.append(len(decompress_stream(bytearray(b"\1" + stream[at : at + size]))))
            at += size
        assert at == len(stream) and sum(ends) == len(text)
        assert set(ends[:-1]) <= {4096} and 0 < ends[-1] <= 4096


def test_a_long_module() -> None:
    lines = [f"    total = total + {number * number} ' {number:x}" for number in range(4000)]
    module = Module("longOne", "\n".join(["Public Function A()", *lines, "End Function"]), "standard")
    data = vba_project([*production_modules(3), module])
    assert len(module.source) > 100_000
    assert sources(data)["longOne"] == as_stored(module) + "\r\n"
    opened(data)


def test_the_same_modules_give_the_same_bytes() -> None:
    assert vba_project(production_modules(7)) == project(7)
    code = (
        "import sys; from macros_bridge.vba.embed import production_modules; "
        "from macros_bridge.vba.project import vba_project; "
        "sys.stdout.buffer.write(vba_project(production_modules(7)))"
    )
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert run.stdout == project(7)


# --- what cannot be written


BOOK, SHEET = Module("ThisWorkbook", "", "workbook"), Module("Sheet1", "", "sheet")


@pytest.mark.parametrize(
    "modules",
    [
        [BOOK, SHEET, Module("a", "' 检查", "standard")],
        [SHEET, BOOK],
        [BOOK, Module("a", "", "standard"), SHEET],
        [Module("a", "", "standard")],
        [BOOK, BOOK, SHEET],
    ],
    ids=["Chinese", "sheet first", "sheet last", "no workbook", "two workbooks"],
)
def test_what_excel_would_not_read_is_refused(modules: list[Module]) -> None:
    with pytest.raises(ValueError, match=r"ASCII|comes first"):
        vba_project(modules)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyopenvba", None)
        with pytest.raises(EngineError, match="E-VBA-TOOL.*pyOpenVBA.*pip install"):
            vba_project([BOOK, SHEET])
    monkeypatch.setattr(embedding, "distribution", lambda _: distribution("no-such-package"))
    with pytest.raises(EngineError, match="E-VBA-TOOL.*xlwings.*pip install"):
        production_modules(1)
