"""Two sheets beside the printed 自评估报告: the figures its questions ask for, and the criteria of the scenes."""

from __future__ import annotations

from itertools import groupby

from openpyxl.worksheet.worksheet import Worksheet

from workbooks.assessment.layout import CRITERIA, FIGURES, Refs
from workbooks.building import style
from workbooks.building.draft import Draft
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.levels import LABELS

_HEADINGS = {"count": ("数量", "", ""), "years": ("第一年", "第二年", "第三年"), "change": ("前年", "上年", "")}


def add_figures(draft: Draft, sheet: Worksheet) -> Refs:
    """The figures the questions ask for; returns the reference of each by ``key.place``."""
    style.widths(sheet, zip("ABCDE", (32, 12, 16, 16, 16), strict=True))
    style.merge(sheet, "A1:E1", "评测表所需数据", font=style.SUBTITLE, box=False)
    note = "按表中单位填写数字；没有的留空，不要填 0。成立不满三年的按实际年数填写。"
    style.merge(sheet, "A2:E2", note, font=style.NOTE, box=False)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height = 26, 22
    refs: Refs = {}
    row = 3
    for kind, rows in groupby(draft.form.data["figure"], key=lambda item: item["kind"]):
        for column, label in zip("ABCDE", ("数据", "单位", *_HEADINGS[kind]), strict=True):
            if label:
                style.put(sheet, f"{column}{row}", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
        sheet.row_dimensions[row].height = 24
        row += 1
        for item in rows:
            width = sum(1 for label in _HEADINGS[kind] if label)
            style.put(sheet, f"A{row}", item["label"])
            style.put(sheet, f"B{row}", item["unit"], align=style.CENTRE)
            sheet.row_dimensions[row].height = 24
            cells = [f"{'CDE'[place]}{row}" for place in range(width)]
            for place, ref in enumerate(cells):
                style.input_cell(sheet, ref)
                refs[f"{item['key']}.{place}"] = f"{FIGURES}!{ref}"
            span = cells[0] if width == 1 else f"{cells[0]}:{cells[-1]}"
            low = "0" if kind != "change" else "-10000000000"
            draft.rule(
                sheet,
                span,
                "whole" if kind == "count" else "decimal",
                low,
                "10000000000",
                f"请填写数字，单位：{item['unit']}",
            )
            draft.port(
                sheet, span, f"i_figure_{item['key']}", "in", fact="answers", unit=item["unit"], label=item["label"]
            )
            row += 1
        row += 1
    style.legend(sheet, "G1", "H1", "I1")
    style.page(sheet, f"A1:E{row - 2}", landscape=False)
    style.protect(sheet)
    return refs


def add_criteria(draft: Draft, assessment: Assessment) -> None:
    """What each scene needs for each level, to consult while filling in the 等级判定表."""
    sheet = draft.sheet(CRITERIA)
    wide = 31.0
    style.widths(sheet, zip("ABCDE", (11, wide, wide, wide, wide), strict=True))
    style.merge(sheet, "A1:E1", "各场景等级标准（取自公开实现，未经官方附件核对）", font=style.SUBTITLE, box=False)
    sheet.row_dimensions[1].height = 26
    for column, label in zip("ABCDE", ("业务场景", *LABELS[1:]), strict=True):
        style.put(sheet, f"{column}2", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    sheet.row_dimensions[2].height = 22
    for row, scene in enumerate(assessment.scenes, 3):
        style.put(sheet, f"A{row}", scene.label + ("*" if scene.mandatory else ""), align=style.CENTRE)
        for column, text in zip("BCDE", scene.criteria, strict=True):
            style.put(sheet, f"{column}{row}", text, font=style.SMALL, align=style.TOP_LEFT)
        heights = [style.text_height(text, wide, style.SMALL) for text in scene.criteria]
        sheet.row_dimensions[row].height = max(24.0, *heights)
    sheet.freeze_panes = "B3"
    style.page(sheet, f"A1:E{2 + len(assessment.scenes)}", landscape=True, header_rows="2:2")
    style.protect(sheet)
