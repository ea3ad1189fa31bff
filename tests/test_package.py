from __future__ import annotations

import io
import os
import random
import struct
import zipfile
import zlib
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from workbooks.files.package import DEFAULT_LIMITS, Limits, Package
from xlcalc.errors import WorkbookRefused

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
WORKBOOK = f'<workbook xmlns="{MAIN}"/>'.encode()
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), content, method)
    return stream.getvalue()


def book(**more: bytes) -> bytes:
    return zipped({"xl/workbook.xml": WORKBOOK} | {name.replace("__", "/"): data for name, data in more.items()})


def central(data: bytes, name: bytes) -> int:
    return data.rfind(b"PK\x01\x02", 0, data.rfind(name))


def poked(data: bytes, position: int, form: str, *values: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into(form, changed, position, *values)
    return bytes(changed)


def code(data: bytes, limits: Limits = DEFAULT_LIMITS) -> str:
    with pytest.raises(WorkbookRefused) as caught:
        Package.from_bytes(data, limits)
    assert caught.value.remedy
    return caught.value.code


def openpyxl_bytes() -> bytes:
    workbook = openpyxl.Workbook()
    workbook.active["A1"] = "数字化"
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def xlsxwriter_bytes() -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as workbook:
        workbook.add_worksheet("表").write("A1", 1)
    return stream.getvalue()


def streamed_bytes() -> bytes:
    """Written to a pipe: every member is followed by a data descriptor."""

    class Pipe(io.RawIOBase):
        data = b""

        def writable(self) -> bool:
            return True

        def write(self, piece: object) -> int:
            self.data += bytes(piece)  # type: ignore[call-overload]
            return len(bytes(piece))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", WORKBOOK)
        archive.writestr("xl/a.bin", b"a" * 1000)
    return pipe.data


MAKERS = [openpyxl_bytes, xlsxwriter_bytes, streamed_bytes]


@pytest.mark.parametrize("make", MAKERS)
def test_parts_read_as_zipfile_reads_them(make):
    data = make()
    package = Package.from_bytes(data)
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert list(package.names) == archive.namelist()
    assert all(package.read(name) == archive.read(name) for name in package.names)
    assert package.read("XL/WORKBOOK.XML") == package.read("xl/workbook.xml")


@pytest.mark.parametrize("make", MAKERS)
def test_rewrite_changes_one_member_and_no_other_byte(make):
    data = make()
    package = Package.from_bytes(data)
    assert package.rewrite({}) == data
    target, new = "xl/workbook.xml", b"<workbook>" + b"x" * 5000
    result = package.rewrite({target: new})
    assert result == package.rewrite({target: new})
    before, after = (zipfile.ZipFile(io.BytesIO(d)) for d in (data, result))
    assert after.testzip() is None and after.namelist() == before.namelist() and after.read(target) == new
    again = Package.from_bytes(result)
    for old, now in zip(before.infolist(), after.infolist(), strict=True):
        assert (old.date_time, old.extra, old.external_attr) == (now.date_time, now.extra, now.external_attr)
        if old.filename != target:
            a, b = package._members[old.filename.lower()], again._members[old.filename.lower()]
            assert data[a.start : a.end] == result[b.start : b.end]


def test_a_stored_member_with_extra_field_and_a_comment_survives():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("xl/workbook.xml")
        info.extra = b"\x20\xa2\x04\x00abcd"
        archive.writestr(info, WORKBOOK)
        archive.writestr("xl/media/图.png", b"\x89PNG")
        archive.comment = "说明".encode()
    package = Package.from_bytes(stream.getvalue())
    result = zipfile.ZipFile(io.BytesIO(package.rewrite({"xl/workbook.xml": b"<workbook/>"})))
    assert result.comment.decode() == "说明" and result.testzip() is None
    assert result.read("xl/workbook.xml") == b"<workbook/>" and result.read("xl/media/图.png") == b"\x89PNG"


@pytest.mark.parametrize(
    ("content", "expected", "word"),
    [
        (b"", "E-BOOK-EMPTY", "0 字节"),
        (OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "E-BOOK-PASSWORD", "打开密码"),
        (OLE + b"\0" * 600 + "Workbook".encode("utf-16-le"), "E-BOOK-OLD-FORMAT", ".et"),
        (b"\xef\xbb\xbf <HTML><table>", "E-BOOK-NOT-XLSX", "网页"),
        (b'<?xml version="1.0"?><x/>', "E-BOOK-NOT-XLSX", "XML 文件"),
        (
            b'<?xml?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            "E-BOOK-NOT-XLSX",
            "2003",
        ),
        ("企业,金额\r\n甲,1".encode("gbk"), "E-BOOK-NOT-XLSX", "CSV"),
        ("企业\t金额".encode("utf-16"), "E-BOOK-NOT-XLSX", "CSV"),
        (b"%PDF-1.7", "E-BOOK-NOT-XLSX", "PDF"),
        (b"\x00\x01\x02", "E-BOOK-NOT-XLSX", "无法识别"),
        (zipped({"word/document.xml": b"<a/>"}), "E-BOOK-NOT-XLSX", "Word"),
        (zipped({"xl/workbook.bin": b"a"}), "E-BOOK-NOT-XLSX", "xlsb"),
        (zipped({"说明.txt": b"a"}), "E-BOOK-NOT-XLSX", "普通压缩包"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, content, expected, word):
    path = tmp_path / "甲公司.xlsx"
    path.write_bytes(content)
    with pytest.raises(WorkbookRefused) as caught:
        Package.open(path)
    assert (caught.value.code, caught.value.where) == (expected, "甲公司.xlsx")
    assert word in caught.value.message


def test_open_reads_regular_files_only(tmp_path: Path):
    good = tmp_path / "好.xlsx"
    good.write_bytes(book())
    assert Package.open(good).names == ("xl/workbook.xml",)
    (tmp_path / "链接.xlsx").symlink_to(good)
    (tmp_path / "目录.xlsx").mkdir()
    os.mkfifo(tmp_path / "管道.xlsx")
    (tmp_path / "~$好.xlsx").write_bytes(b"user")
    expected = {
        "链接.xlsx": "E-BOOK-NOT-FILE",
        "目录.xlsx": "E-BOOK-NOT-FILE",
        "管道.xlsx": "E-BOOK-NOT-FILE",
        "~$好.xlsx": "E-BOOK-LOCKFILE",
        "没有.xlsx": "E-BOOK-MISSING",
    }
    for name, wanted in expected.items():
        with pytest.raises(WorkbookRefused) as caught:
            Package.open(tmp_path / name)
        assert (caught.value.code, caught.value.where) == (wanted, name)


def test_limits_are_checked_before_inflating_and_say_numbers():
    bomb = book(**{"xl__a.bin": b"\0" * 3_000_000})
    assert len(bomb) < 10_000 and code(bomb) == "E-BOOK-LIMIT"
    with pytest.raises(WorkbookRefused, match=r"压缩倍数 \d+，超过上限 200"):
        Package.from_bytes(bomb)
    for limits, words in [
        (Limits(max_part=2_000_000), "单个部件解压后 2.9 MB，超过上限 1.9 MB"),
        (Limits(max_total=2_000_000, max_ratio=5000), "解压后总大小 2.9 MB，超过上限 1.9 MB"),
        (Limits(max_entries=1), "部件数 2，超过上限 1"),
        (Limits(max_file=1000), "文件大小"),
    ]:
        with pytest.raises(WorkbookRefused, match=words) as caught:
            Package.from_bytes(bomb, limits)
        assert caught.value.code == "E-BOOK-LIMIT"
    big_but_plain = book(**{"xl__a.bin": random.Random(1).randbytes(2_000_000)})
    assert Package.from_bytes(big_but_plain)


def test_a_member_larger_than_declared_is_refused_without_inflating_it():
    data = book(**{"xl__lie.xml": b"<a>" + b" " * 50_000_000})
    honest = struct.pack("<I", 50_000_003)
    assert code(data.replace(honest, struct.pack("<I", 10))) == "E-BOOK-DAMAGED"
    assert code(data.replace(honest, struct.pack("<I", 0))) == "E-BOOK-DAMAGED"


def test_damage_is_seen():
    data = book(**{"xl__styles.xml": b"<styles>" + b"abc" * 99 + b"</styles>"})
    begin = data.find(b"xl/styles.xml") + len("xl/styles.xml")
    assert code(poked(data, begin + 5, "<I", 0xDEADBEEF)) == "E-BOOK-DAMAGED"
    assert code(data + b"tail") == "E-BOOK-DAMAGED"
    crc = struct.pack("<I", zlib.crc32(WORKBOOK))
    assert code(data.replace(crc, b"\0\0\0\0")) == "E-BOOK-DAMAGED"
    assert code(data.replace(crc, b"\0\0\0\0", 1)) == "E-BOOK-DAMAGED"
    assert {code(data[:length]) for length in range(4, len(data), 7)} == {"E-BOOK-DAMAGED"}


def test_random_damage_ends_in_a_refusal_or_in_the_same_content():
    data = openpyxl_bytes()
    names = Package.from_bytes(data).names
    chance = random.Random(7)
    for _ in range(300):
        changed = poked(data, chance.randrange(len(data) - 1), "<B", chance.randrange(256))
        try:
            package = Package.from_bytes(changed)
            assert all(package.read(name) is not None for name in package.names)
        except WorkbookRefused:
            continue
        assert len(package.names) == len(names)


def test_ambiguous_or_unsupported_zips_are_refused():
    assert code(zipped({"xl/workbook.xml": WORKBOOK, "XL/Workbook.xml": WORKBOOK})) == "E-BOOK-DUPLICATE"
    for name in ("../a.xml", "/a.xml", "xl/../../a", "C:/a", "xl//a", "xl/./a"):
        assert code(zipped({"xl/workbook.xml": WORKBOOK, name: b"a"})) == "E-BOOK-NAME"
    data = book(xl__a=b"abc" * 50)
    for wrong in (b"xl\\a", b"xl\x00a"):
        assert code(data.replace(b"xl/a", wrong)) == "E-BOOK-NAME"
    assert code(data.replace(b"xl/a", b"xl/b", 1)) == "E-BOOK-DAMAGED"
    record, local, end = central(data, b"xl/a"), data.find(b"xl/a") - 30, len(data) - 22
    assert code(poked(data, record + 8, "<H", 1)) == "E-BOOK-PASSWORD"
    assert code(poked(data, local + 6, "<H", 1)) == "E-BOOK-PASSWORD"
    assert code(poked(data, record + 10, "<H", 12)) == "E-BOOK-ZIP"
    assert code(poked(data, local + 8, "<H", 0)) == "E-BOOK-DAMAGED"
    assert code(poked(data, record + 8, "<H", 32)) == "E-BOOK-ZIP"
    assert code(poked(data, record + 34, "<H", 1)) == "E-BOOK-ZIP"
    assert code(poked(data, end + 4, "<H", 1)) == "E-BOOK-ZIP"
    assert code(poked(data, record + 24, "<I", 0xFFFFFFFF)) == "E-BOOK-ZIP"
    assert code(poked(data, end + 8, "<HH", 0xFFFF, 0xFFFF)) == "E-BOOK-ZIP"
    assert code(poked(data, end + 8, "<HH", 1, 1)) == "E-BOOK-DAMAGED"


def test_overlapping_members_are_refused():
    inner = zipped({"xl/b.bin": b"abc"}, zipfile.ZIP_STORED)
    hidden = inner[: inner.find(b"PK\x01\x02")]
    data = zipped({"xl/workbook.xml": WORKBOOK, "xl/a.bin": hidden}, zipfile.ZIP_STORED)
    start, directory = data.find(hidden), data.find(b"PK\x01\x02")
    record = bytearray(inner[inner.find(b"PK\x01\x02") : -22])
    struct.pack_into("<I", record, 42, start)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 3, 3, len(data) - 22 - directory + len(record), directory, 0)
    with pytest.raises(WorkbookRefused, match="重叠") as caught:
        Package.from_bytes(data[:-22] + record + end)
    assert caught.value.where == "xl/b.bin"


ATTACK = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["xl__styles.xml", "xl___rels__a.rels", "xl__d.VML", "xl__sheet.dat"])
def test_doctype_is_refused_in_every_xml_part(encoding, name):
    assert code(book(**{name: ATTACK.encode(encoding)})) == "E-BOOK-DOCTYPE"


def test_comments_and_escaped_text_are_no_doctype():
    assert Package.from_bytes(book(xl__a=b"<!-- a --><a>&lt;!DOCTYPE</a>", **{"xl__media__a.svg": ATTACK.encode()}))


def test_facts():
    plain = Package.from_bytes(openpyxl_bytes())
    assert not (plain.has_macros or plain.is_signed or plain.external_links or plain.has_ole or plain.has_connections)

    def made(name: str, content: bytes = b"<a/>") -> Package:
        return Package.from_bytes(zipped({"xl/workbook.xml": WORKBOOK, name: content}))

    assert made("xl/vbaProject.bin").has_macros and made("xl/macrosheets/sheet1.xml").has_macros
    renamed = b'<Types><Override PartName="/x.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
    assert made("[Content_Types].xml", renamed).has_macros
    assert made("_xmlsignatures/sig1.xml").is_signed
    assert made("xl/externalLinks/externalLink1.xml").external_links == ("xl/externalLinks/externalLink1.xml",)
    assert not made("xl/externalLinks/externalLink1.xml").has_ole
    assert made("xl/externalLinks/externalLink1.xml", b"<externalLink><ddeLink a=''/></externalLink>").has_ole
    assert made("xl/embeddings/oleObject1.bin").has_ole and made("xl/activeX/activeX1.xml").has_ole
    assert made("xl/connections.xml").has_connections


def test_a_missing_part_is_named():
    package = Package.from_bytes(book())
    for attempt in (lambda: package.read("xl/styles.xml"), lambda: package.rewrite({"xl/styles.xml": b""})):
        with pytest.raises(WorkbookRefused) as caught:
            attempt()
        assert (caught.value.code, caught.value.where) == ("E-BOOK-DAMAGED", "xl/styles.xml")
