"""Finished documents, and the same as PDF for printing and sealing, made by LibreOffice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbooks.engines.libreoffice_engine import convert
from workbooks.files.temporary import temporary_folder
from xlcalc.errors import EngineError

_SECONDS_EACH, _SECONDS_TO_START = 20.0, 60.0


@dataclass(frozen=True)
class Document:
    """A finished document under the name it is handed out with; ``pdf``: the same for printing and sealing.

    to_print: what is printed in its place, such as a form without its working sheets.
    """

    name: str
    data: bytes
    pdf: bytes | None = None
    to_print: bytes | None = None

    @property
    def pdf_name(self) -> str:
        """The name of the PDF beside it."""
        return f"{Path(self.name).stem}.pdf"


def with_pdfs(documents: Sequence[Document]) -> list[Document]:
    """The documents with their PDFs, all printed by one LibreOffice process.

    Raises EngineError naming the document: ``E-ENGINE-LIBREOFFICE`` when LibreOffice (with Writer, for letters) is
    missing or too old, ``E-ENGINE-CONVERT`` or ``E-ENGINE-TIMEOUT`` when it does not print.
    """
    with temporary_folder("xlcalc-pdf-") as folder:
        paths = []
        for number, document in enumerate(documents):
            path = folder / f"{number}{Path(document.name).suffix}"
            path.write_bytes(document.to_print or document.data)
            paths.append(path)
        made: dict[Path, Path | EngineError] = {}
        for own in (True, False):
            # What is printed in place of a document comes from a form that somebody filled in.
            some = [path for path, item in zip(paths, documents, strict=True) if (item.to_print is None) is own]
            seconds = _SECONDS_TO_START + _SECONDS_EACH * len(some)
            made |= convert(some, "pdf", folder / f"out{own:d}", seconds, own=own)
        return [_printed(document, made[path]) for document, path in zip(documents, paths, strict=True)]


def _printed(document: Document, pdf: Path | EngineError) -> Document:
    if isinstance(pdf, EngineError):
        remedy = "请在 Excel、Word 或 WPS 中打开后另存为 PDF；打印 .docx 还须装有 LibreOffice Writer"
        raise EngineError(pdf.code, "LibreOffice 未能生成 PDF", where=document.name, remedy=remedy)
    return replace(document, pdf=pdf.read_bytes())
