"""The blocks a form is made of: cover, headings, printed text, fields, passages; each goes on below the last."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from openpyxl.styles import Alignment, Border, Font, Side

from workbooks.application.fields import bound, fact_label, single
from workbooks.building import style
from workbooks.building.canvas import LINE, WHOLE, Block, Canvas
from xlcalc.facts import fact

LABEL = 2
"""The twelfths a label takes beside its input."""

_LINE = 1.46  # height of a line of text, in the size of its font
_CHARACTER = 0.195  # width of a Chinese character in column units, in the size of its font
_PIECE = 90.0  # a page may end between the rows of a box
_MOST = 640.0  # with its heading, a box of this height fits on a page
_INSET = 2.0  # the width an indented text loses
_UNDERLINE = Border(bottom=Side(style="thin", color="404040"))
_ROOM_FOR_BLANK = "________"


def cover(canvas: Canvas, block: Block) -> None:
    """A page of its own: annex number, title, what is to be filled in on lines, who issues the form.

    ``also``: a second input on the line. ``note``: what is printed behind it.
    """
    sheet = canvas.sheet
    canvas.merge(0, WHOLE, block.get("annex", ""), font=style.ANNEX, box=False, align=style.START)
    canvas.next(24)
    canvas.next(block.get("space", 120))
    _title_lines(canvas, block)
    canvas.next(block.get("gap", 90))
    for field in block["rows"]:
        label = _label(canvas, field)
        canvas.merge(1, 5, label, font=style.HEADING, align=_END, box=False)
        if "note" in field:
            canvas.merge(10, WHOLE, field["note"], font=style.SMALL, align=style.LEFT, box=False)
        inputs = [field, *([field["also"]] if "also" in field else [])]
        middle = 7 if len(inputs) > 1 else 10
        for part, (start, end) in zip(inputs, ((5, middle), (middle, 10)), strict=False):
            put = _computed if "copy" in part else single
            put(canvas, part, start, end, label, box=False)
        for cell in sheet["{}{row}:{}{row}".format(*canvas.letters(5, 10), row=canvas.row)][0]:
            cell.border = _UNDERLINE
        canvas.next(max(40.0, style.text_height(label, canvas.width(1, 5), style.HEADING)))
    for place, line in enumerate(block.get("foot", ())):
        canvas.next(60 if place == 0 else 8)
        canvas.merge(0, WHOLE, line, font=style.SUBTITLE, align=style.CENTRE, box=False)
        canvas.next(30)


_END = Alignment(horizontal="right", vertical="center", wrap_text=True, indent=1)


def title(canvas: Canvas, block: Block) -> None:
    """The annex number and the title as printed, the latter in one or more lines."""
    if block.get("annex"):
        canvas.merge(0, WHOLE, block["annex"], font=style.ANNEX, box=False, align=style.START)
        canvas.next(24)
    _title_lines(canvas, block)
    canvas.next(10)


def _title_lines(canvas: Canvas, block: Block) -> None:
    year = next(iter(canvas.draft.versions.values())).first.year
    for line in block.get("lines", [canvas.draft.form.title]):
        text = line.replace("{year}", str(year))
        canvas.merge(0, WHOLE, text, font=style.TITLE, align=style.CENTRE, box=False)
        canvas.next(max(36.0, style.text_height(text, canvas.width(0), style.TITLE)))


def heading(canvas: Canvas, block: Block) -> None:
    """A part's heading; ``boxed`` where the form prints it as a row of its table."""
    first, boxed = canvas.row, block.get("boxed", False)
    align = style.CENTRE if boxed else style.START
    canvas.merge(canvas.left, WHOLE, block["text"], font=style.SUBTITLE, align=align, box=boxed)
    canvas.next(max(30.0, style.text_height(block["text"], canvas.width(canvas.left), style.SUBTITLE)))
    canvas.pieces.append((first, canvas.row))


def text(canvas: Canvas, block: Block) -> None:
    """Printed text, a commitment or a note, one paragraph a row; ``{fact}`` stands for what an input holds."""
    first = canvas.row
    font = style.SMALL if block.get("small") else style.BODY
    for line in block["lines"]:
        names, blank = re.findall(r"\{(\w+)\}", line), block.get("blank", _ROOM_FOR_BLANK)
        shown = _joined(line, blank) if names else line
        cell = canvas.merge(canvas.left, WHOLE, shown, font=font, align=style.INSET, box=block.get("boxed", False))
        if names:
            place = sum(port.name.startswith("o_text_") for port in canvas.draft.ports) + 1
            canvas.draft.port(canvas.sheet, cell, f"o_text_{place}", "out", label=line, items=(blank,))
        canvas.next(max(20.0, style.text_height(line, canvas.width(canvas.left) - _INSET, font)))
    canvas.keep(first)


def _joined(line: str, blank: str) -> str:
    """The formula that puts inputs into a line."""
    parts = []
    for number, part in enumerate(re.split(r"\{(\w+)\}", line)):
        if number % 2:
            parts.append(f'IF(i_{part}="","{blank}",i_{part})')
        else:
            # A text in a formula holds 255 characters.
            parts += [f'"{part[at : at + 250]}"' for at in range(0, len(part), 250)]
    return "=" + "&".join(parts)


def seal(canvas: Canvas, block: Block) -> None:
    """Room for signature, seal and date, as printed: right of the middle, or in two halves of a line."""
    first = canvas.row
    canvas.next(block.get("space", 16))
    for line in block["lines"]:
        left, _, right = line.rpartition("|")
        if left:
            canvas.merge(canvas.left, 6, left, align=style.START, box=False)
        canvas.merge(6, WHOLE, right, align=style.START, box=False)
        canvas.next(32)
    canvas.next(12)
    canvas.keep(first)


def fields(canvas: Canvas, block: Block) -> None:
    """Rows of labels and inputs, side by side.

    A field with ``copy`` shows what stands in the input of that fact, which the form prints twice; one with
    ``ratio`` the first of two amounts or counts as a share of the second; one with ``blank`` is left to be written by
    hand. ``width`` and ``label_width`` are in twelfths; ``after`` is printed behind the input.
    """
    for row in block["rows"]:
        start, height = canvas.left, float(block.get("height", LINE))
        for field in row:
            end = start + field.get("width", (WHOLE - canvas.left) // len(row))
            height = max(height, _field(canvas, {**_DEFAULTS, **block, **field}, start, end))
            start = end
        canvas.next(height)


_DEFAULTS = {"label_width": LABEL, "after": "", "after_width": 4}


def _field(canvas: Canvas, field: Block, start: int, end: int) -> float:
    """One field; returns the height it needs."""
    label = field["label"] if "blank" in field or "ratio" in field else _label(canvas, field)
    height = 0.0
    if field["label_width"]:
        canvas.merge(start, start + field["label_width"], label, font=style.HEADING, align=style.CENTRE)
        height = style.text_height(label, canvas.width(start, start + field["label_width"]), style.HEADING)
        start += field["label_width"]
    if field["after"]:
        canvas.merge(end - field["after_width"], end, field["after"], align=style.INSET)
        height = max(height, style.text_height(field["after"], canvas.width(end - field["after_width"], end) - _INSET))
        end -= field["after_width"]
    if "blank" in field:
        canvas.merge(start, end)
    elif "copy" in field or "ratio" in field:
        _computed(canvas, field, start, end, label)
    else:
        single(canvas, field, start, end, label)
        written = canvas.draft.texts.get(bound(field).name, "")
        height = max(height, style.text_height(written, canvas.width(start, end)) if written else 0.0)
    return height


def _computed(canvas: Canvas, field: Block, start: int, end: int, label: str, *, box: bool = True) -> None:
    """What stands in another input, or the share of one in another."""
    looks: dict[str, Any] = {"fill": style.COMPUTED, "align": style.CENTRE, "box": box}
    if "copy" in field:
        name = field["copy"]
        cell = canvas.merge(start, end, f'=IF(i_{name}="","",i_{name})', **looks)
        canvas.draft.port(canvas.sheet, cell, f"o_copy_{name}", "out", label=label)
        return
    part, whole = (f"i_{name}" for name in field["ratio"])
    shown = f'=IF(AND(ISNUMBER({part}),ISNUMBER({whole})),IF({whole}>0,{part}/{whole},""),"")'
    cell = canvas.merge(start, end, shown, format="0.00%", **looks)
    canvas.draft.port(canvas.sheet, cell, f"o_ratio_{part[2:]}", "out", label=label, items=(part, whole))


def _label(canvas: Canvas, more: Block) -> str:
    known = bound(more).known if "column" in more or "fact" in more else fact(more["copy"])
    return fact_label(canvas.draft.form, known, more)


def passage(canvas: Canvas, block: Block) -> None:
    """A label, room for the text, and under it the live length (LEN, so only about the 字数).

    room: how many characters the box holds; a longer text that is filled in gets a higher box. wide: the label is
    not printed beside it, because a heading stands above.
    """
    to, first = bound(block), canvas.row
    label = _label(canvas, block)
    start = LABEL if canvas.left == 0 and not block.get("wide") else canvas.left
    said, width = canvas.draft.texts.get(to.name, ""), canvas.width(start) - 1
    font = next((font for font in _SIZES if _usual(block, width, font) <= _MOST), _SIZES[-1])
    height = max(min(_usual(block, width, font), _MOST), _lines_of(said, _per_line(width, font)) * _line(font))
    if start > canvas.left:
        height = max(height, style.text_height(label, canvas.width(0, LABEL), style.HEADING) - 18)
    rows = int(-(-height // _PIECE))
    if start > canvas.left:
        canvas.merge(0, LABEL, label, rows=rows + 1, font=style.HEADING, align=style.CENTRE)
    cell = canvas.input(start, WHOLE, rows=rows, font=font, align=style.TOP_LEFT, format=style.TEXT)
    canvas.draft.port(canvas.sheet, cell, to.port, "in", fact=to.fact, label=label.replace("\n", ""))
    canvas.next(height, rows=rows)
    middle = canvas.left + (WHOLE - canvas.left) * 3 // 4
    canvas.merge(start, middle, block.get("hint", ""), font=style.SMALL, align=style.INSET)
    _length(canvas, middle, [to.port], f"o_length_{to.name}", label)
    canvas.next(max(18.0, style.text_height(block.get("hint", ""), canvas.width(start, middle) - _INSET, style.SMALL)))
    canvas.keep(first)


_SIZES = (style.BODY, style.READING)
"""The smaller where a page would not hold the box in the larger."""


def _line(font: Font) -> float:
    return float(font.size) * _LINE


def _per_line(width: float, font: Font) -> int:
    """How many Chinese characters stand in a line."""
    return int(width / (float(font.size) * _CHARACTER))


def _usual(block: Block, width: float, font: Font) -> float:
    """The height of a box with room for as many characters as the form asks for, and a line of paragraphs' ends."""
    lines = -(-int(block.get("room", 300)) // _per_line(width, font)) + 1
    return max(4, lines) * _line(font)


def _lines_of(written: str, per_line: int) -> int:
    return sum(max(1, -(-len(paragraph) // per_line)) for paragraph in written.split("\n")) + 1 if written else 0


def _length(canvas: Canvas, start: int, names: Sequence[str], port: str, label: str) -> None:
    """The live length of what stands in the cells of these names, together."""
    total = "+".join(f"LEN({name})" for name in names)
    shown = f'=IF({total}=0,"",{total})'
    cell = canvas.merge(start, WHOLE, shown, font=style.SMALL, fill=style.COMPUTED, align=style.CENTRE)
    canvas.sheet[cell].number_format = '"约 "0" 字（含标点）"'
    canvas.draft.port(canvas.sheet, cell, port, "out", label=f"{label}的字数", items=tuple(names))


def counter(canvas: Canvas, block: Block) -> None:
    """The live length of several passages together, beside what the form says of it."""
    said, middle = block["text"], 9
    canvas.merge(canvas.left, middle, said, font=style.SMALL, align=style.LEFT)
    _length(canvas, middle, [f"i_{name}" for name in block["facts"]], f"o_length_{block['key']}", said)
    canvas.next(max(20.0, style.text_height(said, canvas.width(canvas.left, middle), style.SMALL)))
