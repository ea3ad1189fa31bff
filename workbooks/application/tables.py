"""Tables on a form: rows of equal inputs, one column of the sheet each, and lists of printed rows beside columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.utils import get_column_letter

from workbooks.application.fields import field_input, looks, option_codes, words
from workbooks.building import style
from workbooks.building.canvas import WHOLE, Block, Canvas
from xlcalc.facts import Fact, fact

NUMBER_WIDTH = 6.0
_TICK_WIDTH = 8.0
_TYPE_WIDTHS = {"bool": 9.0, "integer": 10.0, "number": 11.0, "share": 10.0, "date": 13.0, "money": 15.0, "uscc": 22.0,
                "level": 10.0, "option": 16.0, "passage": 40.0}  # fmt: skip
_ROW = 28.0
_SMALL = 12  # so many rows stay on one page
_WRITTEN = {"font": style.READING, "align": style.LEFT, "format": style.TEXT}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table fact as a form prints it.

    ``ticks``: one printed column for each option, under a common heading unless ``flat``; ``blank``: printed to be
    written by hand, and no fact's.
    """

    known: Fact
    more: Mapping[str, Any]

    @property
    def ticks(self) -> list[str]:
        """The options that have a column each; none where the column is one of words."""
        return option_codes(self.known, self.more) if self.more.get("ticks") else []

    @property
    def grouped(self) -> bool:
        """Whether its columns have a heading in common."""
        return bool(self.ticks) and not self.more.get("flat")

    @property
    def blank(self) -> bool:
        """Whether it stays empty here."""
        return "blank" in self.more

    @property
    def working(self) -> bool:
        """Whether it is no column of the official table and stands beside it, unprinted."""
        return bool(self.more.get("working"))

    @property
    def label(self) -> str:
        """The heading, with its unit."""
        unit = f"（{self.known.unit}）" if self.known.unit else ""
        return str(self.more.get("label", self.known.label + unit))

    @property
    def widths(self) -> list[float]:
        """The width of each sheet column it takes."""
        if self.ticks:
            return [float(self.more.get("width", _TICK_WIDTH))] * len(self.ticks)
        return [float(self.more.get("width", _TYPE_WIDTHS.get(self.known.type, 18.0)))]


def columns_of(block: Block) -> list[Column]:
    """The columns of a table in printed order; what a form says of one, or only its name."""
    known = fact(block["fact"])
    rows: Sequence[Any] = block["columns"]
    named = [{"column": row} if isinstance(row, str) else row for row in rows]
    return [
        Column(Fact("", row["blank"], "text") if "blank" in row else known.columns[row["column"]], row) for row in named
    ]


def grid_of(block: Block) -> list[float]:
    """The widths of the printed columns of a sheet that holds one table."""
    numbered = [NUMBER_WIDTH] if block.get("numbered", True) else []
    return numbered + [width for column in columns_of(block) if not column.working for width in column.widths]


def table(canvas: Canvas, block: Block) -> str:
    """Headings and empty rows; 序号 counts the filled ones. Returns the rows of headings, to be repeated.

    at: the sheet column the table begins in, from 1; ``label``: what is printed left of it, line by line. bare: it goes
    on below another table without headings. rows: how many are laid out, more where more are filled in. row_height: 0
    leaves it to the program, for rows whose texts a recalculation writes.
    """
    known, columns = fact(block["fact"]), columns_of(block)
    numbered = block.get("numbered", True)
    start = block.get("at", 1)
    heads = canvas.row
    last_head = heads + int(any(column.grouped for column in columns)) - int(block.get("bare", False))
    count = canvas.draft.rows_of(known.id, block.get("rows", 20))
    first, last = last_head + 1, last_head + count
    canvas.row = first
    places = list(_placed(canvas, columns, start + (1 if numbered else 0)))
    printed = [place for column, places_ in places if not column.working for place in places_]
    if not block.get("bare"):
        _headings(canvas, places, heads, last_head)
    left, right = get_column_letter(printed[0]), get_column_letter(printed[-1])
    if numbered:
        _numbers(canvas, known, (heads, last_head), (first, last), (get_column_letter(start), left, right))
    for column, taken in places:
        _inputs(canvas, known, column, taken, first, last)
    for row in range(first, last + 1) if block.get("row_height", _ROW) else ():
        canvas.sheet.row_dimensions[row].height = _height(canvas, known, places, row - first + 1, block)
    for place in range(1, start):
        _beside(canvas, block["label"] if place == 1 else [], place, first, last)
    canvas.row = last + 1
    canvas.pieces.append((heads, last if count <= _SMALL else first))
    return f"{heads}:{last_head}"


def _placed(canvas: Canvas, columns: Sequence[Column], at: int) -> Iterator[tuple[Column, list[int]]]:
    """Each column with the sheet columns it takes; working ones stand beside the printed grid."""
    beside = len(canvas.grid) + 2
    taken_beside = 0
    for column in columns:
        many = len(column.widths)
        if not column.working:
            yield column, list(range(at, at + many))
            at += many
            continue
        for place, width in enumerate(column.widths, taken_beside):
            if place < len(canvas.beside):
                canvas.beside[place] = max(canvas.beside[place], width)
            else:
                canvas.beside.append(width)
        yield column, list(range(beside + taken_beside, beside + taken_beside + many))
        taken_beside += many


def _headings(canvas: Canvas, places: Sequence[tuple[Column, list[int]]], first: int, last: int) -> None:
    sheet, height = canvas.sheet, 30.0
    for column, taken in places:
        fill = style.HEADER if column.working else None
        letters = [get_column_letter(place) for place in taken]
        looks_ = {"font": style.HEADING, "align": style.CENTRE, "fill": fill}
        needed = 0.0
        if column.grouped or not column.ticks:
            over = f"{letters[0]}{first}:{letters[-1]}{first if column.grouped else last}"
            style.merge(sheet, over, column.label, **looks_)
            needed = style.text_height(column.label, float(sum(column.widths)), style.HEADING)
        for code, letter in zip(column.ticks, letters, strict=False):
            word = column.known.options[code][0]
            style.merge(sheet, f"{letter}{last if column.grouped else first}:{letter}{last}", word, **looks_)
            deep = style.text_height(word, column.widths[0], style.HEADING)
            needed = max(needed, deep * (2 if column.grouped else 1))
        height = max(height, needed)
    working = [taken[0] for column, taken in places if column.working]
    if working and first > 1:
        at = f"{get_column_letter(working[0])}{first - 1}"
        style.put(sheet, at, "工作列（不属于官方表格，不打印）", font=style.NOTE, box=False, align=style.START)
    rows = last - first + 1
    for row in range(first, last + 1):
        sheet.row_dimensions[row].height = round(max(height / rows, 20.0), 1)


def _beside(canvas: Canvas, lines: Sequence[str], column: int, first: int, last: int) -> None:
    """A printed column left of a table that reads as one cell."""
    letter = get_column_letter(column)
    for row in range(first, last + 1):
        line = lines[row - first] if row - first < len(lines) else None
        style.put(canvas.sheet, f"{letter}{row}", line, align=style.CENTRE)
    if last > first:
        style.open_edge(canvas.sheet, f"{letter}{first}:{letter}{last - 1}", "bottom")
        style.open_edge(canvas.sheet, f"{letter}{first + 1}:{letter}{last}", "top")


def _numbers(
    canvas: Canvas, known: Fact, heads: tuple[int, int], rows: tuple[int, int], letters: tuple[str, str, str]
) -> None:
    own, left, right = letters
    sheet, draft = canvas.sheet, canvas.draft
    style.merge(sheet, f"{own}{heads[0]}:{own}{heads[1]}", "序号", font=style.HEADING, align=style.CENTRE)
    for row in range(rows[0], rows[1] + 1):
        filled = f"COUNTA(${left}{row}:${right}{row})"
        style.computed_cell(sheet, f"{own}{row}", f'=IF({filled}=0,"",ROW()-ROW(${own}${heads[1]}))')
    draft.port(sheet, f"{own}{rows[0]}:{own}{rows[1]}", f"o_number_{known.id}", "out", label="序号")
    draft.port(sheet, f"{own}{heads[1]}:{right}{heads[1]}", f"h_{known.id}", "identity")


def _inputs(canvas: Canvas, known: Fact, column: Column, taken: Sequence[int], first: int, last: int) -> None:
    sheet, draft = canvas.sheet, canvas.draft
    letters = [get_column_letter(place) for place in taken]
    if column.blank:
        for row in range(first, last + 1):
            style.put(sheet, f"{letters[0]}{row}")
        return
    for letter in letters:
        for row in range(first, last + 1):
            style.input_cell(sheet, f"{letter}{row}", font=style.READING, **looks(column.known, column.more))
    span = f"{letters[0]}{first}:{letters[-1]}{last}"
    items = words(column.known, column.more)
    if column.ticks:
        items = tuple(column.ticks)
        draft.dropdown(sheet, span, ["√"], "每行选一项，打 √")
    else:
        field_input(draft, sheet, span, column.known, column.more)
    draft.port(sheet, span, f"c_{known.id}_{column.known.id}", "in", fact=known.id, unit=column.known.unit,
               label=column.label.replace("\n", ""), items=items)  # fmt: skip


def _height(canvas: Canvas, known: Fact, places: Sequence[tuple[Column, list[int]]], row: int, block: Block) -> float:
    """A row as high as what is filled in needs."""
    height = float(block.get("row_height", _ROW))
    for column, taken in places:
        written = canvas.draft.texts.get(f"{known.id}_{row}_{column.known.id}")
        if written and column.known.type in ("text", "passage"):
            laid = canvas.sheet.column_dimensions[get_column_letter(taken[0])].width
            width = column.widths[0] if column.working else laid
            height = max(height, style.text_height(written, width, style.READING))
    return min(height, 400.0)


def matrix(canvas: Canvas, block: Block) -> None:
    """Printed rows with one input each in some columns; the columns are facts of texts by row.

    labels: headings of the printed columns, one a sheet column; ``over`` stands above them. rows: their cells and the
    row's key last; an empty cell reads as one with that above.
    """
    sheet, draft = canvas.sheet, canvas.draft
    letters = [get_column_letter(place) for place in range(1, len(canvas.grid) + 1)]
    facts = [fact(name) for name in block["facts"]]
    printed, heads = letters[: -len(facts)], canvas.row
    deep = heads + 1 if "over" in block else heads
    if "over" in block:
        area = f"{printed[0]}{heads}:{printed[-1]}{heads}"
        style.merge(sheet, area, block["over"], font=style.HEADING, align=style.CENTRE)
        canvas.next(24)
    for letter, label in zip(printed, block["labels"], strict=True):
        style.put(sheet, f"{letter}{deep}", label, font=style.HEADING, align=style.CENTRE)
    for letter, label in zip(letters[len(printed) :], block["headings"], strict=True):
        style.merge(sheet, f"{letter}{heads}:{letter}{deep}", label, font=style.HEADING, align=style.CENTRE)
    canvas.next(24)
    first = canvas.row
    for *cells, _ in block["rows"]:
        for letter, cell in zip(printed, cells, strict=True):
            style.put(sheet, f"{letter}{canvas.row}", cell or None, align=style.CENTRE)
            if not cell:
                style.open_edge(sheet, f"{letter}{canvas.row}:{letter}{canvas.row}", "top")
                style.open_edge(sheet, f"{letter}{canvas.row - 1}:{letter}{canvas.row - 1}", "bottom")
        for letter in letters[-len(facts) :]:
            style.input_cell(sheet, f"{letter}{canvas.row}", **_WRITTEN)
        canvas.next(_matrix_height(canvas, facts, str(block["rows"][canvas.row - first][-1]), block))
    keys = tuple(row[-1] for row in block["rows"])
    for known, letter in zip(facts, letters[-len(facts) :], strict=True):
        span = f"{letter}{first}:{letter}{canvas.row - 1}"
        draft.port(sheet, span, f"x_{known.id}", "in", fact=known.id, label=known.label, items=keys)
    canvas.pieces.append((heads, first))


def _matrix_height(canvas: Canvas, facts: Sequence[Fact], key: str, block: Block) -> float:
    height = float(block.get("row_height", 40))
    for known in facts:
        written = canvas.draft.texts.get(f"{known.id}_{key}", "")
        height = max(height, style.text_height(written, canvas.grid[-1], style.READING) if written else 0.0)
    return min(height, 400.0)


def notes(canvas: Canvas, block: Block) -> None:
    """What is printed above a table of its own sheet: annex, heading, a line that says what to fill in."""
    if block.get("annex"):
        canvas.merge(0, WHOLE, block["annex"], font=style.ANNEX, box=False, align=style.START)
        canvas.next(24)
    said = block.get("heading", block["title"])
    canvas.merge(0, WHOLE, said, font=style.SUBTITLE, align=style.CENTRE, box=False)
    canvas.next(max(34.0, style.text_height(said, canvas.width(0), style.SUBTITLE)))
    if block.get("note"):
        canvas.merge(0, WHOLE, block["note"], font=style.NOTE, box=False)
        canvas.next(max(20.0, style.text_height(block["note"], canvas.width(0), style.NOTE)))
