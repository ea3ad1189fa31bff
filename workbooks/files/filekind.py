"""What a file is that is no usable xlsx, and what a usable one carries that is never run: named, with what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from xlcalc.errors import WorkbookRefused
from xlcalc.results.outcome import Finding

_RESAVE = "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新提交"
_UNPACK = "请先解压，再提交其中的表格"
_ORIGINAL = "请提交填好的 .xlsx 原文件"
_DECRYPT = "请在装有该软件的电脑上解密后重新提交"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC = (
    (b"%PDF", "PDF 文件", _ORIGINAL),
    (b"Rar!", "RAR 压缩包", _UNPACK),
    (b"7z\xbc\xaf", "7z 压缩包", _UNPACK),
    (b"\x1f\x8b", "gzip 压缩包", _UNPACK),
    (b"PK\x05\x06", "空的压缩包", _ORIGINAL),
    (b"\x89PNG", "图片", _ORIGINAL),
    (b"\xff\xd8\xff", "图片", _ORIGINAL),
    (b"GIF8", "图片", _ORIGINAL),
    (b"BM", "图片", _ORIGINAL),
    (b"II*\x00", "图片", _ORIGINAL),
    (b"{\\rtf", "RTF 文档", _ORIGINAL),
    (b"MZ", "程序文件", "请勿运行，并核实来源"),
    (b"\x7fELF", "程序文件", "请勿运行，并核实来源"),
    (b"SQLite format 3\x00", "数据库文件", _ORIGINAL),
    (b"MIME-Version:", "网页（MHTML）", _RESAVE),
    (b"%TSD-Header-###%", "被文档加密软件加密的文件", _DECRYPT),
    (b"b\x14#e", "被文档加密软件加密的文件", _DECRYPT),
)
_OLE_STREAMS = (
    ("WordDocument", "旧格式的文字文档（.doc、.wps）", _ORIGINAL),
    ("PowerPoint Document", "旧格式的演示文稿（.ppt、.dps）", _ORIGINAL),
)
_OTHER_ZIPS = (
    ("word/document.xml", "Word 文档（.docx）", _ORIGINAL),
    ("ppt/presentation.xml", "PPT 演示文稿（.pptx）", _ORIGINAL),
    ("xl/workbook.bin", "二进制工作簿（.xlsb）", _RESAVE),
    ("content.xml", "OpenDocument 文件（.ods 等）", _RESAVE),
    ("ofd.xml", "OFD 文件", _ORIGINAL),
    ("index/document.iwa", "Numbers 表格", "请在 Numbers 中导出为 Excel（.xlsx）后重新提交"),
)
_OFFICE_PART = re.compile(rb"(?i)\[content_types\]\.xml|xl/|word/|ppt/|docprops/|_rels/")
# A biff stream whose first record after its start says that the rest is encrypted.
_FILEPASS = re.compile(rb"\x09\x08\x10\x00[\x00-\xff]{16}(?:\x86\x00\x00\x00)?\x2f\x00[\x04-\xff]\x00")
_HTML = (b"<html", b"<!doctype html", b"<head", b"<body", b"<meta", b"<style", b"<script", b"<table")


def not_a_zip(data: bytes) -> WorkbookRefused:
    """The refusal for a file that is no zip at all, by its first bytes."""
    if not data:
        return WorkbookRefused("E-BOOK-EMPTY", "文件是空的（0 字节）", remedy="请向填报人索取完整的原文件")
    if data.startswith(_OLE):
        return _compound(data)
    for magic, kind, remedy in _MAGIC:
        if data.startswith(magic):
            return _not_xlsx(kind, remedy)
    if not data.strip(b"\0"):
        message = "文件内容全是零，没有复制或下载完整"
        return WorkbookRefused("E-BOOK-DAMAGED", message, remedy="请向填报人索取完整的原文件")
    return _not_xlsx(*_text_kind(data))


def other_zip(data: bytes, names: Iterable[str]) -> WorkbookRefused | None:
    """The refusal for a zip that is no workbook; None where nothing says so. names: of its members, if known."""
    lower = {name.lower() for name in names}
    for name, kind, remedy in _OTHER_ZIPS:
        if name in lower:
            return _not_xlsx(kind, remedy)
    return None if not lower and _OFFICE_PART.search(data) else _not_xlsx("普通压缩包", _UNPACK)


def _compound(data: bytes) -> WorkbookRefused:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return WorkbookRefused("E-BOOK-PASSWORD", "文件有打开密码", remedy="请去掉打开密码后重新提交")
    for stream, kind, remedy in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            return _not_xlsx(kind, remedy)
    if _FILEPASS.search(data):
        message = "旧格式文件（.xls、.et）有打开密码"
        return WorkbookRefused("E-BOOK-PASSWORD", message, remedy="请去掉打开密码，另存为 .xlsx 后重新提交")
    return WorkbookRefused("E-BOOK-OLD-FORMAT", "这是旧格式文件（.xls、.et 等），不是 .xlsx", remedy=_RESAVE)


def _text_kind(data: bytes) -> tuple[str, str]:
    head = data[:4096]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode()
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_HTML) or (start.startswith(b"<?xml") and b"<html" in start):
        return "网页（HTML）", _RESAVE
    if start.startswith(b"<?xml"):
        return ("XML 表格 2003 文件" if b"office:spreadsheet" in start else "XML 文件"), _RESAVE
    is_text = start and not re.search(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]", start)
    return ("文本文件（如 CSV）" if is_text else "无法识别的文件"), _RESAVE


def _not_xlsx(kind: str, remedy: str) -> WorkbookRefused:
    return WorkbookRefused("E-BOOK-NOT-XLSX", f"这不是 .xlsx 工作簿，而是{kind}", remedy=remedy)


class Opened(Protocol):
    """What is asked of a package here."""

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def external_links(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def has_macros(self) -> bool: ...  # noqa: D102
    @property
    def is_signed(self) -> bool: ...  # noqa: D102
    @property
    def has_connections(self) -> bool: ...  # noqa: D102
    def read(self, name: str) -> bytes: ...  # noqa: D102


def carried(package: Opened, *, own_macros: bool) -> list[Finding]:
    """Findings for what a workbook carries and nothing here runs, opens or follows; one for each code.

    own_macros: its macros are those we shipped, and need no word.
    """
    return [
        Finding(code, "warn", f"文件含有{'、'.join(kinds)}，{done}。请核对文件来源")
        for code, kinds, done in (
            ("E-BOOK-MACRO", [] if own_macros else list(_macros(package)), "未执行"),
            ("E-BOOK-LINKS", ["外部链接"] if package.external_links else [], "未读取；依赖它的结果不可采信"),
            ("E-BOOK-OLE", list(_objects(package)), "未打开、未连接"),
            ("E-BOOK-CONNECTION", ["数据连接"] if package.has_connections else [], "未连接"),
            ("E-BOOK-SIGNED", ["数字签名"] if package.is_signed else [], "不在原文件上写入，以免签名失效"),
        )
        if kinds
    ]


def _macros(package: Opened) -> Iterator[str]:
    if not package.has_macros:
        return
    names = [name.lower() for name in package.names]
    types = package.read("[Content_Types].xml").lower() if "[content_types].xml" in names else b""
    sheets = b"macrosheet" in types or any(name.startswith("xl/macrosheets/") for name in names)
    if b"vbaproject" in types or "xl/vbaproject.bin" in names or not sheets:
        yield "宏（VBA）"
    if sheets:
        yield "Excel 4.0 宏表（XLM）"


def _objects(package: Opened) -> Iterator[str]:
    links = [package.read(link) for link in package.external_links]
    if any(re.search(rb"ddeLink\b", link) for link in links):
        yield "DDE 链接"
    if any(re.search(rb"oleLink\b", link) for link in links):
        yield "OLE 链接"
    names = [name.lower() for name in package.names]
    if any(name.startswith("xl/embeddings/") for name in names):
        yield "嵌入对象（OLE）"
    if any(name.startswith("xl/activex/") for name in names):
        yield "ActiveX 控件"
