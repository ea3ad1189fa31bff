"""One input of a form: its label as printed, its format, the choices and checks at the cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.building import style
from workbooks.building.canvas import Canvas
from workbooks.building.draft import Draft
from workbooks.form import Form
from xlcalc.facts import Fact, fact
from xlcalc.packs.registry import load_policy
from xlcalc.values.levels import LABELS

OFF: Mapping[str, Mapping[str, Any]] = {
    "date": {"format": style.DATE},
    "money": {"format": style.MONEY},
    "share": {"format": "0.00%"},
    "integer": {"format": "0"},
    "text": {"format": style.TEXT},
    "uscc": {"format": style.TEXT},
    "passage": {"format": style.TEXT, "align": style.LEFT},
}
"""Looks of an input cell by the type of its fact; codes and phones are text before anyone types."""

_DATES = {"month": 'yyyy"年"m"月"', "day": style.LONG_DATE}
_LONGEST_LIST = 250  # what a rule may hold itself, in Excel 255 characters
YES_NO = ("是", "否")

More = Mapping[str, Any]
"""What a form says of one input beyond its fact."""


def fact_label(form: Form, known: Fact, more: More) -> str:
    """The label printed on the form: what its description says, else what the pack's form says, else the fact's own."""
    if "label" in more:
        return str(more["label"])
    printed = _pack_labels(form).get(known.id)
    unit = more.get("unit", known.unit)
    return printed or (f"{known.label}（{unit}）" if unit else known.label)


def _pack_labels(form: Form) -> dict[str, str]:
    wanted = form.data.get("pack_form")
    if wanted is None:
        return {}
    rows = load_policy(form.policies[0]).newest.data["form"]
    columns: list[Any] = next((row["column"] for row in rows if row["key"] == wanted), [])
    return {column["fact"]: column["label"] for column in columns if column["fact"]}


def looks(known: Fact, more: More) -> dict[str, Any]:
    """How the cell of a fact looks; a date may be shown as 年月 (``month``) or 年月日 (``day``)."""
    return {**OFF.get(known.type, {}), **({"format": _DATES[more["date"]]} if "date" in more else {})}


def words(known: Fact, more: More) -> tuple[str, ...]:
    """The words a form prints to choose from: those of a yes-or-no (else 是 and 否), those of an option."""
    if known.type == "bool":
        return tuple(more.get("words", YES_NO))
    return tuple(option_words(known, more)) if known.type == "option" else ()


def option_words(known: Fact, more: More) -> list[str]:
    """The options a form offers as it prints them; a word of its own is one of the fact's spellings."""
    own = more.get("labels", {})
    return [own.get(code, known.options[code][0]) for code in option_codes(known, more)]


def option_codes(known: Fact, more: More) -> list[str]:
    """The option codes a form offers: those it lists, else all."""
    return list(more.get("options", known.options))


def field_input(draft: Draft, sheet: Worksheet, refs: str, known: Fact, more: More) -> None:
    """The dropdown or range check that fits the fact's type, with its help as input message."""
    prompt = more.get("help", known.help)
    if known.type == "bool":
        draft.dropdown(sheet, refs, words(known, more), prompt)
    elif known.type == "level":
        draft.dropdown(sheet, refs, [LABELS[level] for level in more.get("levels", range(5))], prompt)
    elif known.type == "option":
        _choose(draft, sheet, refs, words(known, more), prompt)
    elif known.type == "date":
        shown = "填写到日，如 2025-05-31；表上只显示年、月。" if more.get("date") == "month" else ""
        draft.rule(sheet, refs, "date", 32874, 73050, "请填写日期，如 2025-05-31", shown + prompt)
    elif known.type == "money":
        unit = more.get("unit", known.unit)
        lowest = -10_000_000_000 if known.signed else 0
        message = f"请填写金额，单位：{unit}" if known.signed else f"请填写不小于0的金额，单位：{unit}"
        draft.rule(sheet, refs, "decimal", lowest, 10_000_000_000, message, f"单位：{unit}。{prompt}")
    elif known.type == "integer":
        draft.rule(sheet, refs, "whole", 0, 1_000_000_000, "请填写整数", prompt)
    elif known.type == "number":
        draft.rule(sheet, refs, "decimal", -(10**15), 10**15, "请填写数字", prompt)
    elif known.type == "share":
        draft.rule(sheet, refs, "decimal", 0, 10, "请填写百分数，如 90%", prompt or "填写百分数，如 90%")


def _choose(draft: Draft, sheet: Worksheet, refs: str, labels: Sequence[str], prompt: str) -> None:
    """A dropdown; a list too long for a rule, or with a comma in it, stands on the parameter sheet."""
    joined = ",".join(labels)
    if len(joined) <= _LONGEST_LIST and not any("," in label for label in labels):
        draft.dropdown(sheet, refs, labels, prompt)
        return
    if joined not in draft.lists:
        cells = draft.parameters(f"list_{len(draft.lists) + 1}", [[label] for label in labels])
        draft.lists[joined] = f"{cells[0][0]}:{cells[-1][0].partition('!')[2]}"
    rule = DataValidation("list", formula1=f"={draft.lists[joined]}", allow_blank=True)
    rule.errorTitle, rule.error = "填写有误", "请从下拉列表中选择"
    if prompt:
        rule.promptTitle, rule.prompt = "填写说明", prompt[:250]
    rule.showErrorMessage = rule.showInputMessage = True
    sheet.add_data_validation(rule)
    rule.add(refs)


@dataclass(frozen=True, slots=True)
class Bound:
    """What an input feeds: a fact, or a column in one row of a table fact. name: what its ports are called by."""

    known: Fact
    fact: str
    name: str
    port: str


def bound(more: More) -> Bound:
    """What a block or field says it feeds: ``fact``, or ``column`` of ``table`` in ``row``."""
    if "column" in more:
        table, row, column = fact(more["table"]), more["row"], more["column"]
        name = f"{table.id}_{row}_{column}"
        return Bound(table.columns[column], table.id, name, f"r_{name}")
    known = fact(more["fact"])
    return Bound(known, known.id, known.id, f"i_{known.id}")


def single(canvas: Canvas, more: More, start: int, end: int, label: str, *, box: bool = True) -> None:
    """One input over a span of the current row, named and checked."""
    to = bound(more)
    cell = canvas.input(start, end, **looks(to.known, more), box=box)
    field_input(canvas.draft, canvas.sheet, cell, to.known, more)
    unit = more.get("unit", to.known.unit)
    canvas.draft.port(canvas.sheet, cell, to.port, "in", fact=to.fact, unit=unit, label=label.replace("\n", ""),
                      items=words(to.known, more))  # fmt: skip
