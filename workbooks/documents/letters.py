"""How every letter we hand out looks: the margins, fonts and page numbers of official documents (GB/T 9704)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from workbooks.documents.looks import BODY_FONT, HEAD_FONT, NO_DAY, NUMBER_FONT, TITLE_FONT
from workbooks.documents.plain_text import readable
from xlcalc.values.dates import chinese_date

_ONE_LINE, _ONE_LINE_SMALL = 19, 25
_ZIP_TIME = (2025, 1, 1, 0, 0, 0)


class Letter:
    """A new .docx, written from top to bottom; sizes in points, A4."""

    def __init__(self, title: str) -> None:
        from docx import Document
        from docx.shared import Mm, Pt

        self._doc: Any = Document()
        self._pt = Pt
        properties = self._doc.core_properties
        properties.author, properties.title, properties.comments = "xlcalc", readable(title), ""
        # One time for all, so that the same data give the same bytes.
        properties.created = properties.modified = datetime(2025, 1, 1)
        section = self._doc.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(32), Mm(30)
        section.left_margin, section.right_margin = Mm(27), Mm(25)
        self._width = Mm(210 - 27 - 25)
        normal = self._doc.styles["Normal"]
        normal.font.size = Pt(16)
        _fonts(normal, BODY_FONT)
        normal.paragraph_format.space_before = normal.paragraph_format.space_after = Pt(0)
        self._page_numbers(section.footer.paragraphs[0])

    def title(self, text: str, number: str = "") -> None:
        """The title, and under it the number of the document, to be filled in where none is given."""
        # A title that would leave one or two characters on a second line is set smaller.
        size = 18 if _ONE_LINE < len(text) <= _ONE_LINE_SMALL else 22
        self._add(text, TITLE_FONT, size, align="center", line=32)
        if number:
            self._add(number, BODY_FONT, 14, align="center")
        self._add("", BODY_FONT, 8)

    def addressee(self, text: str) -> None:
        """To whom the letter goes."""
        self._add(f"{text}：", BODY_FONT, 16)

    def heading(self, text: str) -> None:
        """A heading within the text."""
        self._add(text, HEAD_FONT, 16, indent=True)

    def paragraph(self, text: str) -> None:
        """A paragraph, its first line two characters in."""
        self._add(text, BODY_FONT, 16, indent=True)

    def note(self, text: str) -> None:
        """Small, for what is said beside the matter."""
        self._add(text, BODY_FONT, 9, line=13)

    def table(self, heads: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]]) -> None:
        """A table whose headings repeat on every page and whose rows are not torn; widths: shares of the line."""
        from docx.enum.table import WD_TABLE_ALIGNMENT

        table = self._doc.add_table(rows=0, cols=len(heads))
        table.style = "Table Grid"
        table.alignment = WD_TABLE_ALIGNMENT.CENTER
        table.autofit = False
        shares = [int(self._width * width / sum(widths)) for width in widths]
        for column, share in zip(table.columns, shares, strict=True):
            column.width = share
        _cell_margins(table)
        self._row(table, heads, shares, head=True)
        for row in rows:
            self._row(table, row, shares)
        self._add("", BODY_FONT, 8)

    def _row(self, table: Any, texts: Sequence[str], widths: Sequence[int], *, head: bool = False) -> None:
        from docx.enum.table import WD_ALIGN_VERTICAL
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.oxml import OxmlElement

        row = table.add_row()
        properties = row._tr.get_or_add_trPr()
        properties.append(OxmlElement("w:cantSplit"))
        if head:
            properties.append(OxmlElement("w:tblHeader"))
        for place, (cell, text, width) in enumerate(zip(row.cells, texts, widths, strict=True)):
            cell.width, cell.vertical_alignment = width, WD_ALIGN_VERTICAL.CENTER
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.line_spacing = self._pt(15)
            if head or place == 0:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
            self._run(paragraph, text, HEAD_FONT if head else BODY_FONT, 10.5)

    def signature(self, who: str, day: date | None = None, *, seal: bool = True) -> None:
        """The issuing office with its seal and the day, at the right."""
        self._add("", BODY_FONT, 16)
        for text in (f"{who}（盖章）" if seal else who, chinese_date(day) if day else NO_DAY):
            paragraph = self._add(text, BODY_FONT, 16, align="right")
            paragraph.paragraph_format.right_indent = self._pt(32)
            paragraph.paragraph_format.keep_with_next = True

    def slip(self, lines: Sequence[str]) -> None:
        """A slip to be filled in and torn off, its title first, under a broken line; it stays on one page."""
        title, *rest = lines
        self._add("", BODY_FONT, 10)
        paragraphs = [self._add(f"{'- ' * 18} {title} {'- ' * 18}", BODY_FONT, 10.5, align="center")]
        paragraphs += [self._add(text, BODY_FONT, 14, line=27) for text in rest]
        for paragraph in paragraphs:
            paragraph.paragraph_format.keep_with_next = True

    def page_break(self) -> None:
        """What follows begins a new page."""
        self._doc.add_page_break()

    def data(self) -> bytes:
        """The finished document, the same for the same content."""
        stream = io.BytesIO()
        self._doc.save(stream)
        fixed = io.BytesIO()
        with zipfile.ZipFile(stream) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
            for info in old.infolist():
                new.writestr(zipfile.ZipInfo(info.filename, _ZIP_TIME), old.read(info), zipfile.ZIP_DEFLATED)
        return fixed.getvalue()

    def _add(
        self, text: str, font: str, size: float, *, align: str = "", indent: bool = False, line: float | None = None
    ) -> Any:
        from docx.enum.text import WD_ALIGN_PARAGRAPH

        paragraph = self._doc.add_paragraph()
        layout = paragraph.paragraph_format
        layout.line_spacing = self._pt(line or max(size * 1.75, 12))
        if indent:
            layout.first_line_indent = self._pt(2 * size)
        if align:
            paragraph.alignment = getattr(WD_ALIGN_PARAGRAPH, align.upper())
        self._run(paragraph, text, font, size)
        return paragraph

    def _run(self, paragraph: Any, text: str, font: str, size: float) -> None:
        run = paragraph.add_run(readable(text))
        run.font.size = self._pt(size)
        _fonts(run, font)

    def _page_numbers(self, paragraph: Any) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        for text in ("— ", "PAGE", " —"):
            if text != "PAGE":
                self._run(paragraph, text, NUMBER_FONT, 12)
                continue
            field = OxmlElement("w:fldSimple")
            field.set(qn("w:instr"), "PAGE")
            paragraph._p.append(field)
            run = OxmlElement("w:r")
            shown = OxmlElement("w:t")
            shown.text = "1"
            run.append(shown)
            field.append(run)


def _fonts(owner: Any, name: str) -> None:
    """The font for Chinese and for Latin text alike."""
    from docx.oxml.ns import qn

    owner.font.name = name
    fonts = owner._element.get_or_add_rPr().get_or_add_rFonts()
    for script in ("w:eastAsia", "w:ascii", "w:hAnsi"):
        fonts.set(qn(script), name)


def _cell_margins(table: Any) -> None:
    """A little air between the lines of a table and its text, in twentieths of a point."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    margins = OxmlElement("w:tblCellMar")
    for side, width in (("top", 40), ("left", 70), ("bottom", 40), ("right", 70)):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(width))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    table._tbl.tblPr.append(margins)
