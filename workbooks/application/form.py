"""Builds an 申报书 or any other form of fields, passages, tick lists and tables from its description in ``forms/``.

A sheet is made of blocks one under another, or of one table (``fact``), or has a layout of its own. What a block
binds to is a fact; labels are those printed on the official form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbooks.application import blocks as application_blocks
from workbooks.application import lists as application_lists
from workbooks.application import tables as application_tables
from workbooks.application.cost_sheet import cost_sheet
from workbooks.application.flow_chart import flow_sheet
from workbooks.application.tables import grid_of
from workbooks.building import style
from workbooks.building.canvas import GRID, Block, Canvas
from workbooks.building.draft import Draft, add_basis, add_choices
from workbooks.building.findings_sheet import add_findings, mark_findings
from xlcalc.errors import WorkbookError


def build(draft: Draft) -> None:
    """Lays out every sheet of the form, then 检查结果, 依据 and 口径确认表."""
    sheets = draft.form.data["sheet"]
    for spec in sheets:
        sheet = draft.sheet(spec["title"])
        _LAYOUTS[spec.get("layout", "table" if "fact" in spec else "form")](draft, sheet, spec)
    add_findings(draft)
    for place, spec in enumerate(sheets, 1):
        if spec.get("layout") != "flow":
            mark_findings(draft, draft.book[spec["title"]], place)
    add_basis(draft)
    add_choices(draft)


def _form_sheet(draft: Draft, sheet: Any, spec: Mapping[str, Any]) -> None:
    canvas = Canvas(draft, sheet, tuple(spec.get("grid", GRID)))
    for block in spec["block"]:
        _lay(canvas, block)
    canvas.finish(spec)


def _table_sheet(draft: Draft, sheet: Any, spec: Mapping[str, Any]) -> None:
    """Title, note, one table with its headings repeated on every page, and room for a seal."""
    canvas = Canvas(draft, sheet, tuple(grid_of(spec)))
    application_tables.notes(canvas, spec)
    heads = application_tables.table(canvas, spec)
    for block in spec.get("block", ()):
        _lay(canvas, block)
    sheet.freeze_panes = f"A{int(heads.rpartition(':')[2]) + 1}"
    wide = sum(canvas.grid) > 100
    canvas.finish({"landscape": wide, **spec}, header_rows=heads)


def _lay(canvas: Canvas, block: Block) -> None:
    builder = _BLOCKS.get(block["kind"])
    if builder is None:
        raise WorkbookError(
            "E-FORM", f"没有“{block['kind']}”这种内容块", where=f"{canvas.draft.form.id}:{canvas.sheet.title}",
            remedy=f"可用：{'、'.join(_BLOCKS)}",
        )  # fmt: skip
    builder(canvas, block)


def _group(canvas: Canvas, block: Block) -> None:
    """Blocks that share one label at their left, as a row of the printed table; without a label, one cell of it."""
    first, label = canvas.row, block.get("label", "")
    canvas.left = application_blocks.LABEL if label else 0
    for inner in block["block"]:
        _lay(canvas, inner)
    canvas.outline(first, canvas.left)
    canvas.left = 0
    if label:
        rows, last = canvas.row - first, canvas.row
        canvas.row = first
        canvas.merge(0, application_blocks.LABEL, label, rows=rows, font=style.HEADING, align=style.CENTRE)
        canvas.row = last
        needed = style.text_height(label, canvas.width(0, application_blocks.LABEL), style.HEADING)
        style.grow(canvas.sheet, first, last - 1, needed)
    canvas.keep(first)


def _rows(canvas: Canvas, block: Block) -> None:
    """The same blocks for each of the first rows of a table fact, as a form prints them one under another."""
    for row in range(1, block["count"] + 1):
        if "headings" in block:
            application_blocks.heading(canvas, {"text": block["headings"][row - 1]})
        for inner in block["block"]:
            _lay(canvas, _of_row(inner, block["fact"], row))


def _of_row(block: Any, table: str, row: int) -> Any:
    """A block with its columns bound to a row of a table; ``{n}`` in its texts is the row's number."""
    if isinstance(block, str):
        return block.replace("{n}", str(row))
    if isinstance(block, list):
        return [_of_row(item, table, row) for item in block]
    if isinstance(block, dict):
        own = {key: value if key == "column" else _of_row(value, table, row) for key, value in block.items()}
        return own | ({"table": table, "row": row} if "column" in block else {})
    return block


_BLOCKS: Mapping[str, Callable[[Canvas, Block], Any]] = {
    "cover": application_blocks.cover, "title": application_blocks.title, "heading": application_blocks.heading,
    "text": application_blocks.text, "seal": application_blocks.seal, "fields": application_blocks.fields,
    "passage": application_blocks.passage, "counter": application_blocks.counter,
    "options": application_lists.options, "materials": application_lists.materials,
    "conditions": application_lists.conditions, "table": application_tables.table, "matrix": application_tables.matrix,
    "group": _group, "rows": _rows,
}  # fmt: skip

_LAYOUTS: Mapping[str, Callable[[Draft, Any, Mapping[str, Any]], None]] = {
    "form": _form_sheet, "table": _table_sheet, "flow": flow_sheet, "cost": cost_sheet,
}  # fmt: skip
