"""Blocks that are lists of one cell a row: options to tick, materials, and what the conditions ask for besides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openpyxl.formatting.rule import FormulaRule

from workbooks.application.blocks import LABEL
from workbooks.application.fields import fact_label, option_codes, single
from workbooks.application.reader import checklists
from workbooks.building import style
from workbooks.building.canvas import WHOLE, Block, Canvas
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.base import Mechanism
from xlcalc.mechanisms.conditions import facts_of_test
from xlcalc.mechanisms.eligibility import Eligibility, condition_facts
from xlcalc.mechanisms.ratio_threshold import RatioThreshold
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy


def options(canvas: Canvas, block: Block) -> None:
    """A list of options, each with its tick cell; the label beside them.

    none: the form has 无, after the options or, as ``first``, before them. labels: how the form prints an option.
    amounts: the fact beside an option that says how much.
    """
    known, first = fact(block["fact"]), canvas.row
    codes, own, amounts = option_codes(known, block), block.get("labels", {}), block.get("amounts", {})
    label = fact_label(canvas.draft.form, known, block)
    start = canvas.left + (LABEL if canvas.left == 0 else 0)
    words = {code: own.get(code, known.options[code][0]) for code in codes}
    rows = len(codes) + (1 if block.get("none") else 0)
    if start > canvas.left:
        canvas.merge(0, LABEL, label, rows=rows, font=style.HEADING, align=style.CENTRE)
    none = ""
    if block.get("none") == "first":
        none = _none(canvas, start)
    ticks = []
    for code, word in words.items():
        end = 8 if code in amounts else WHOLE
        ticks.append(_option(canvas, start, end, word))
        if code in amounts:
            single(canvas, {"fact": amounts[code], **block.get("amount", {})}, end, WHOLE, word)
        canvas.next(max(24.0, style.text_height(word, canvas.width(canvas.narrow(start), end))))
    area = f"{ticks[0]}:{ticks[-1]}"
    canvas.draft.port(canvas.sheet, area, f"i_{known.id}", "in", fact=known.id, label=label, items=tuple(codes))
    if block.get("none") and not none:
        none = _none(canvas, start)
    if none:
        canvas.draft.port(canvas.sheet, none, f"n_{known.id}", "in", label=f"{label}：无")
        both = f'AND(COUNTIF({_fixed(area)},"√")>0,{_fixed(none)}="√")'
        canvas.sheet.conditional_formatting.add(none, FormulaRule(formula=[both], fill=style.RED))
    help_text = "选中的打 √" + ("；一项也没有的，在“无”一栏选 √" if none else "")
    for cells in (area, none):
        if cells:
            canvas.draft.dropdown(canvas.sheet, cells, ["√"], block.get("help", help_text))
    if start > canvas.left:
        style.grow(canvas.sheet, first, canvas.row - 1, style.text_height(label, canvas.width(0, LABEL), style.HEADING))
    canvas.keep(first)


def _none(canvas: Canvas, start: int) -> str:
    """The tick cell of 无, which excludes the options."""
    cell = _option(canvas, start, WHOLE, "无")
    canvas.next(24.0)
    return cell


def _option(canvas: Canvas, start: int, end: int, word: str) -> str:
    """The tick cell of an option and its name."""
    beside = canvas.narrow(start)
    cell = canvas.input(start, beside)
    canvas.merge(beside, end, word, align=style.INSET)
    return cell


def _fixed(area: str) -> str:
    """``$C$5:$C$9``."""
    corners = [corner.rstrip("0123456789") for corner in area.split(":")]
    rows = [corner.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for corner in area.split(":")]
    return ":".join(f"${letters}${row}" for letters, row in zip(corners, rows, strict=True))


# --- materials


def materials(canvas: Canvas, block: Block) -> None:
    """The list of materials of a policy, each with 是 or 否 and the clause that asks for it."""
    version = canvas.draft.versions[block.get("policy", canvas.draft.form.policies[0])]
    wanted = block.get("fact", "materials")
    checklist = next(item for item in checklists(version) if item.fact == wanted)
    _heads(canvas, ((0, 8, block.get("label", "材料")), (8, 10, "条款"), (10, WHOLE, "齐全（是/否）")))
    cells = []
    for item in checklist.items:
        canvas.merge(0, 8, item.demand, align=style.INSET)
        canvas.merge(8, 10, version.clauses[item.clause].article, font=style.SMALL, align=style.CENTRE)
        cells.append(canvas.input(10, WHOLE))
        canvas.next(max(24.0, style.text_height(item.demand, canvas.width(0, 8))))
    area = f"{cells[0]}:{cells[-1]}"
    canvas.draft.dropdown(canvas.sheet, area, ["是", "否"], "材料齐全且符合份数、盖章要求的选“是”")
    canvas.draft.port(canvas.sheet, area, f"m_{checklist.fact}", "in", fact=checklist.fact,
                      items=tuple(item.key for item in checklist.items))  # fmt: skip
    canvas.next(10)


def _heads(canvas: Canvas, cells: tuple[tuple[int, int, str], ...]) -> None:
    for start, end, label in cells:
        canvas.merge(start, end, label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    canvas.next(24)
    canvas.pieces.append((canvas.row - 1, canvas.row))


# --- what the conditions ask for

_ELSEWHERE = ("table", "ticks", "passage", "answers", "scenes", "texts")
"""Types that have a place of their own on a form."""


def conditions(canvas: Canvas, block: Block) -> None:
    """Every fact the policies look at that the form has not asked for yet, with the clause behind it.

    leave: facts that other documents give. policies: those whose conditions are asked for, else all of the form.
    """
    asked = {port.fact for port in canvas.draft.ports if port.direction == "in"} | set(block.get("leave", ()))
    for policy, version in canvas.draft.versions.items():
        for group, names in _asked_by(load_policy(policy).versions, version).items():
            fresh = {name: article for name, article in names.items() if name not in asked}
            fresh = {name: article for name, article in fresh.items() if fact(name).type not in _ELSEWHERE}
            if fresh:
                asked |= set(fresh)
                _heads(canvas, ((0, 6, group), (6, 9, "填写"), (9, WHOLE, "条款")))
            for name, article in fresh.items():
                _condition(canvas, fact(name), article)
    canvas.next(10)


def _condition(canvas: Canvas, known: Fact, article: str) -> None:
    if known.type == "options":
        said = f"{known.label}（{article}）" if article else known.label
        options(canvas, {"fact": known.id, "label": said, "none": True})
        return
    label = known.label + (f"（{known.unit}）" if known.unit else "")
    canvas.merge(0, 6, label, align=style.INSET)
    single(canvas, {"fact": known.id}, 6, 9, label)
    canvas.merge(9, WHOLE, article, font=style.SMALL, align=style.CENTRE)
    heights = (style.text_height(label, canvas.width(0, 6)), style.text_height(article, canvas.width(9), style.SMALL))
    canvas.next(max(24.0, *heights))


def _asked_by(versions: tuple[Version, ...], shown: Version) -> dict[str, dict[str, str]]:
    """Label of a mechanism -> fact -> article, over all versions and readings of a policy.

    What is asked for does not depend on them, so that a workbook can be recalculated under another; the article is
    that of the version shown, and empty where only another one asks.
    """
    found: dict[str, dict[str, str]] = {}
    for version in (shown, *versions):
        for choices in _readings(version):
            for mechanism in version.mechanisms(version.full_choices(choices)):
                names = found.setdefault(getattr(mechanism, "label", ""), {})
                for name, clause in _inputs(mechanism):
                    names.setdefault(name, version.clauses[clause].article if clause and version == shown else "")
    return found


def _readings(version: Version) -> Iterator[Mapping[str, str]]:
    yield {}
    for key, item in version.interpretations.items():
        if item.kind == "choice":
            yield from ({key: code} for code in item.options if item.changes[code])


def _inputs(mechanism: Mechanism | Any) -> Iterator[tuple[str, str]]:
    """(fact, clause) of what a mechanism looks at; what only computes has base, level and earlier amounts."""
    if isinstance(mechanism, Eligibility):
        for condition in mechanism.conditions:
            yield from ((name, condition.clause) for name in condition_facts(condition))
    elif isinstance(mechanism, RatioThreshold):
        for ratio in mechanism.ratios:
            yield from ((name, ratio.clause) for name in facts_of_test(ratio.test))
    elif hasattr(mechanism, "facts"):
        yield from ((name, "") for name in mechanism.facts())
    else:
        for key in ("base", "level", "by"):
            if isinstance(name := getattr(mechanism, key, None), str) and name:
                yield name, ""
        if (cap := getattr(mechanism, "cap", None)) is not None:
            yield from ((name, cap.clause) for name in cap.counts)
