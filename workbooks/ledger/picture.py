"""The tables of the ledger as a picture, drawn from the schema itself.

``python -m workbooks.ledger.picture`` prints the SVG that stands in docs/ledger-schema.svg.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sqlalchemy import Column, Table

from workbooks.ledger import schema

_LABELS = {
    "source": "来源文件", "act": "一次登记：何人、何日、依据", "seal": "封存值", "ground": "依据的政策包和口径",
    "application": "申报：企业、项目、批次", "step": "办理的步骤", "due": "期限", "entry": "金额，有正负",
    "name": "用过的名称", "paper": "发票、合同", "budget": "资金总额，有正负",
    "had": "企业各项目现有的合计", "enterprise": "有金额的申报数、名称数", "spent": "各批次已登记的合计",
    "paper_again": "用过两次的发票、合同", "name_core": "写法不同而相同的名称", "name_key": "查找相近名称的键",
    "alike": "不同企业相同、相近的名称",
}  # fmt: skip
_WORDS = {
    "sha256": "内容的哈希", "kind": "种类", "operator": "经办人", "day": "日期", "booked": "录入时刻",
    "document": "文号", "reason": "原因", "batch": "批次", "asked": "所问，供复算", "source": "来自文件",
    "act_id": "属于哪次登记", "policy": "政策", "version": "版本", "pack_hash": "政策包的哈希", "choices": "全部口径",
    "uscc": "信用代码", "number": "号", "transition": "步骤", "from_state": "从", "to_state": "到",
    "corrects": "更正哪一笔", "warning": "须核对之处", "item": "方向", "fen": "分", "place": "表中位置", "name": "名称",
    "funded": "有金额的申报", "names": "名称数", "name_id": "名称", "core_id": "其中最早的名称", "key": "键",
    "first_id": "一个名称", "second_id": "另一个名称",
}  # fmt: skip
# Column and row of the picture; rows of one column follow each other.
_PLACES = (
    ("source", "act", "seal"),
    ("ground", "budget", "name"),
    ("application", "paper"),
    ("step", "entry"),
    ("due",),
)
# Below them, what follows from them.
_FOLLOWING = (("had",), ("enterprise", "spent"), ("paper_again",), ("name_core", "alike"), ("name_key",))
_FOLLOWS = "推算的表：由上面的登记推算，登记时一并更新，随时可以重新推算"
_WIDTH, _GAP, _ROW, _HEAD, _EDGE = 210, 70, 18, 40, 16


def schema_picture() -> str:
    """An SVG: every table with its columns, keys marked, and a line from every reference to what it refers to.

    What follows from the history stands below it, dashed.
    """
    boxes = _boxes(_PLACES, _EDGE)
    below = max(top + _height(schema.metadata.tables[name]) for name, (_, top) in boxes.items()) + _HEAD
    boxes |= _boxes(_FOLLOWING, below + _EDGE)
    lines = [line for table in schema.TABLES for column in table.columns for line in _references(table, column, boxes)]
    width = len(_PLACES) * (_WIDTH + _GAP) - _GAP + 2 * _EDGE
    height = max(top + _height(schema.metadata.tables[name]) for name, (_, top) in boxes.items()) + _EDGE
    drawn = [_drawn(table, *boxes[table.name]) for table in (*schema.TABLES, *schema.DERIVED)]
    heading = f'<text class="t" x="{_EDGE}" y="{below}">{_FOLLOWS}</text>'
    style = "text{font:12px 'Noto Sans CJK SC','Microsoft YaHei',sans-serif}.t{font-weight:bold}.w{fill:#666}"
    size = f'width="{width}" height="{height}"'
    opened = f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}">'
    background = f'<rect {size} fill="white"/>'
    return "\n".join([opened, f"<style>{style}</style>", background, *lines, *drawn, heading, "</svg>", ""])


def _boxes(places: Sequence[Sequence[str]], first: int) -> dict[str, tuple[int, int]]:
    """Where the box of each table begins; first: where those at the top of a column do."""
    found = {}
    for place, names in enumerate(places):
        top = first
        for name in names:
            found[name] = (_EDGE + place * (_WIDTH + _GAP), top)
            top += _height(schema.metadata.tables[name]) + _EDGE * 2
    return found


def _height(table: Table) -> int:
    return _HEAD + _ROW * len(table.columns) + 6


def _middle(table: Table, column: Column[object], top: int) -> int:
    return top + _HEAD + _ROW * list(table.columns).index(column) + _ROW // 2


def _references(table: Table, column: Column[object], boxes: dict[str, tuple[int, int]]) -> list[str]:
    lines = []
    for key in column.foreign_keys:
        (left, top), (to_left, to_top) = boxes[table.name], boxes[key.column.table.name]
        start, end = _middle(table, column, top), _middle(key.column.table, key.column, to_top)
        after = to_left >= left
        x, to_x = (left + _WIDTH, to_left + _WIDTH) if to_left == left else (
            (left + _WIDTH, to_left) if after else (left, to_left + _WIDTH)
        )  # fmt: skip
        bend = 40 if after else -40
        back = 40 if to_left == left else -bend
        curve = f"M{x} {start} C{x + bend} {start} {to_x + back} {end} {to_x} {end}"
        lines.append(f'<path d="{curve}" fill="none" stroke="#8aa"/><circle cx="{to_x}" cy="{end}" r="3" fill="#8aa"/>')
    return lines


def _drawn(table: Table, left: int, top: int) -> str:
    look = 'fill="#fffdf5" stroke="#985" stroke-dasharray="4 3"' if table in schema.DERIVED else (
        'fill="#f7fafc" stroke="#567"'
    )  # fmt: skip
    rows = [
        f'<rect x="{left}" y="{top}" width="{_WIDTH}" height="{_height(table)}" {look}/>',
        f'<text class="t" x="{left + 8}" y="{top + 16}">{escape(table.name)}</text>',
        f'<text class="w" x="{left + 8}" y="{top + 32}">{escape(_LABELS[table.name])}</text>',
    ]
    for column in table.columns:
        mark = "◆ " if column.primary_key else "→ " if column.foreign_keys else ""
        word = _WORDS.get(column.name, "")
        baseline = _middle(table, column, top) + 4
        rows.append(f'<text x="{left + 8}" y="{baseline}">{mark}{escape(column.name)}</text>')
        rows.append(f'<text class="w" x="{left + _WIDTH - 8}" y="{baseline}" text-anchor="end">{escape(word)}</text>')
    return "\n".join(rows)


if __name__ == "__main__":
    print(schema_picture(), end="")
