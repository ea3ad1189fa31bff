"""报送材料包: every document once editable and once as PDF, a list of what is in it, and checksums."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence
from datetime import date

from workbooks.documents.as_pdf import Document
from workbooks.documents.looks import NO_DAY, Book, Column
from workbooks.documents.plain_text import readable
from xlcalc.errors import InputError
from xlcalc.values.dates import chinese_date

MANIFEST, CHECKSUMS = "报送清单.xlsx", "SHA256SUMS.txt"
_ZIP_TIME = (2025, 1, 1, 0, 0, 0)
_COLUMNS = (
    Column("序号", 5, "centre"),
    Column("文件名", 42),
    Column("形式", 12, "centre"),
    Column("字节数", 11, "count"),
    Column("SHA-256", 32),
    Column("份数", 7, "centre"),
    Column("核对", 8, "centre"),
)


def submission_files(
    documents: Sequence[Document], *, title: str, office: str = "", day: date | None = None
) -> dict[str, bytes]:
    """The files of the pack by name: editable and PDF pairs in the order given, 报送清单.xlsx and SHA256SUMS.txt.

    title: what the pack is for. A document without PDF is named in the list as lacking one.
    Raises InputError ``E-DOCUMENT-EMPTY`` for no documents, ``E-DOCUMENT-NAME`` for a name that stands twice.
    """
    if not documents:
        raise InputError("E-DOCUMENT-EMPTY", "没有可以报送的文件", remedy="请核对所给的工作簿")
    files: dict[str, bytes] = {}
    for document in documents:
        pair = [(document.name, document.data)]
        if document.pdf is not None:
            pair.append((document.pdf_name, document.pdf))
        for name, data in pair:
            if name in files:
                raise InputError("E-DOCUMENT-NAME", f"材料包中有两个“{name[:80]}”", remedy="请为文件取不同的名称")
            files[name] = data
    manifest = _manifest(documents, title, office, day)
    sums = "".join(f"{_digest(data)}  {name}\n" for name, data in {**files, MANIFEST: manifest}.items())
    return {**files, MANIFEST: manifest, CHECKSUMS: sums.encode()}


def submission_zip(files: dict[str, bytes]) -> bytes:
    """The files in one .zip, the same bytes for the same files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _manifest(documents: Sequence[Document], title: str, office: str, day: date | None) -> bytes:
    book = Book("报送清单")
    sheet = book.sheet("报送清单", _COLUMNS, landscape=True)
    sheet.title("报送清单", readable(title))
    sheet.sides(f"报送单位：{office}（盖章）", f"报送日期：{chinese_date(day) if day else NO_DAY}")
    sheet.head()
    number = 0
    for document in documents:
        pdf = document.pdf
        kinds = [("可编辑版", document.name, document.data), ("PDF版", document.pdf_name, pdf)]
        for kind, name, data in kinds:
            number += 1
            if data is None:
                sheet.line([number, name, f"{kind}（缺）", None, None, None, None], fills={2: "bad"})
            else:
                sheet.line([number, name, kind, len(data), _digest(data), None, None])
    sheet.signatures(("报送人", "接收人", "接收日期"))
    lacking = sum(document.pdf is None for document in documents)
    notes = [f"有 {lacking} 份文件缺 PDF，请打印为 PDF 后补入。"] if lacking else []
    notes.append("PDF 由程序生成，尚未盖章；文件要求报送盖章 PDF 的，请打印盖章后扫描替换，并重新计算校验值。")
    notes.append(f"校验：在本文件夹用 sha256sum -c {CHECKSUMS}，或 certutil -hashfile 文件名 SHA256。")
    sheet.footnotes(notes)
    sheet.finish()
    return book.data()
