"""雷达图和热力图: how far each dimension and indicator got, and the levels of the scenes at a glance."""

from __future__ import annotations

from openpyxl.chart import RadarChart, Reference, Series
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties, RegularTextRun
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import PatternFill
from openpyxl.utils import column_index_from_string
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.building import style
from workbooks.building.draft import Draft
from workbooks.review.layout import (
    CHARTS,
    FIRST_WORK,
    OPINIONS,
    PART_RATES,
    PARTS,
    READ_LEVELS,
    WORK,
    parts,
)
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.levels import LABELS

_WIDTHS = (18.0, 13.0, 8.0, 8.0, 8.0, 2.0, 13.0, 8.5, 8.5, 8.5)
_CHART_ROWS = range(3, 20)
_TABLE = 21
_COLOURS = ("7F7F7F", "2F75B5", "C55A11")
_HEAT = ("F2F2F2", "FCE4D6", "FFE699", "C6E0B4", "70AD47")
_LEVEL_FORMAT = '[=0]"无";[<0]"有误";0"级"'


def add_charts(draft: Draft, assessment: Assessment) -> None:
    """The sheet with two radar charts, the scenes coloured by level, and the rates the charts show."""
    sheet = draft.sheet(CHARTS)
    style.widths(sheet, zip("ABCDEFGHIJ", _WIDTHS, strict=True))
    style.merge(sheet, "A1:J1", "雷达图和热力图", font=style.SUBTITLE, align=style.CENTRE, box=False)
    sheet.row_dimensions[1].height = 28
    found = parts(draft.versions[draft.form.policies[0]], assessment)
    tops = sum(part.top for part in found)
    _radar(draft, sheet, "A3", "一级指标得分率", FIRST_WORK, tops)
    _radar(draft, sheet, "E3", "二级指标得分率", FIRST_WORK + tops, len(found) - tops)
    for row in _CHART_ROWS:
        sheet.row_dimensions[row].height = 15
    last = max(_heat_map(draft, sheet, assessment), _rates(draft, sheet, [part.label for part in found], tops))
    style.legend(sheet, "L1", "M1", "N1")
    style.page(sheet, f"A1:J{last}", landscape=False)
    style.protect(sheet)


def _radar(draft: Draft, sheet: Worksheet, anchor: str, title: str, first: int, count: int) -> None:
    work = draft.book[WORK]
    chart = RadarChart()
    chart.type, chart.style, chart.title = "marker", 26, _small(title)
    names = Reference(work, min_col=column_index_from_string(PARTS), min_row=first, max_row=first + count - 1)
    for opinion, colour in zip(OPINIONS, _COLOURS, strict=True):
        column = column_index_from_string(PART_RATES[opinion.place])
        values = Reference(work, min_col=column, min_row=first, max_row=first + count - 1)
        series = Series(values, title=opinion.label)
        series.graphicalProperties.line.solidFill = colour
        series.graphicalProperties.line.width = 19050
        series.marker.symbol, series.marker.size = "circle", 5
        series.marker.graphicalProperties.solidFill = colour
        series.marker.graphicalProperties.line.solidFill = colour
        chart.series.append(series)
    chart.set_categories(names)
    # The figures stand on a hidden sheet, and an opinion that is not complete has none.
    chart.visible_cells_only, chart.display_blanks = False, "gap"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.scaling.min, chart.y_axis.scaling.max, chart.y_axis.majorUnit = 0, 1, 0.5
    chart.y_axis.number_format = "0%"
    chart.legend.position = "b"
    chart.width, chart.height = 9.4, 8.8
    sheet.add_chart(chart, anchor)


def _small(text: str) -> Title:
    """A title no larger than the headings beside it."""
    look = ParagraphProperties(defRPr=CharacterProperties(sz=1100, b=True))
    line = Paragraph(pPr=look, r=[RegularTextRun(rPr=CharacterProperties(sz=1100, b=True), t=text)])
    return Title(tx=Text(rich=RichText(p=[line])), overlay=False)


def _heat_map(draft: Draft, sheet: Worksheet, assessment: Assessment) -> int:
    """One row a scene, one column an opinion; returns the last row."""
    style.merge(sheet, f"A{_TABLE}:E{_TABLE}", "场景等级热力图", font=style.HEADING, box=False, align=style.CENTRE)
    heads = ("一级指标", "业务场景", *(opinion.label for opinion in OPINIONS))
    for column, label in zip("ABCDE", heads, strict=True):
        style.put(
            sheet, f"{column}{_TABLE + 1}", label, font=style.SMALL_HEADING, fill=style.HEADER, align=style.CENTRE
        )
    first = _TABLE + 2
    for place, scene in enumerate(assessment.scenes):
        row = first + place
        style.put(sheet, f"A{row}", scene.group, font=style.SMALL, align=style.CENTRE)
        label = scene.label + ("*" if scene.mandatory else "")
        style.put(sheet, f"B{row}", label, font=style.SMALL, align=style.CENTRE)
        for opinion, column in zip(OPINIONS, "CDE", strict=True):
            shown = f"={WORK}!${READ_LEVELS[opinion.place]}${FIRST_WORK + place}"
            style.put(sheet, f"{column}{row}", shown, font=style.READING, align=style.CENTRE, format=_LEVEL_FORMAT)
        sheet.row_dimensions[row].height = 22
    last = first + len(assessment.scenes) - 1
    for opinion, column in zip(OPINIONS, "CDE", strict=True):
        draft.port(sheet, f"{column}{first}:{column}{last}", f"o_{opinion.key}_heat", "out")
    area = f"C{first}:E{last}"
    for level, colour in enumerate(_HEAT):
        fill = PatternFill("solid", bgColor=colour, fgColor=colour)
        sheet.conditional_formatting.add(area, CellIsRule(operator="equal", formula=[str(level)], fill=fill))
    sheet.conditional_formatting.add(area, CellIsRule(operator="lessThan", formula=["0"], fill=style.RED))
    key = "、".join(LABELS)
    style.merge(sheet, f"A{last + 1}:E{last + 1}", f"颜色由浅到深：{key}；空白为未填", font=style.NOTE, box=False)
    sheet.row_dimensions[last + 1].height = 20
    return last + 1


def _rates(draft: Draft, sheet: Worksheet, labels: list[str], tops: int) -> int:
    """The rates the charts show, empty where there is none; returns the last row."""
    style.merge(sheet, f"G{_TABLE}:J{_TABLE}", "得分率（得分÷满分）", font=style.HEADING, box=False, align=style.CENTRE)
    for column, label in zip("GHIJ", ("指标", *(opinion.label for opinion in OPINIONS)), strict=True):
        style.put(
            sheet, f"{column}{_TABLE + 1}", label, font=style.SMALL_HEADING, fill=style.HEADER, align=style.CENTRE
        )
    first = _TABLE + 2
    for place, label in enumerate(labels):
        row = first + place
        font = style.SMALL_HEADING if place < tops else style.SMALL
        style.put(sheet, f"G{row}", label, font=font, align=style.CENTRE)
        for opinion, column in zip(OPINIONS, "HIJ", strict=True):
            rate = f"{WORK}!${PART_RATES[opinion.place]}${FIRST_WORK + place}"
            formula = f'=IF(ISNUMBER({rate}),{rate},"")'
            style.computed_cell(sheet, f"{column}{row}", formula, font=style.SMALL, format="0.0%")
    last = first + len(labels) - 1
    for opinion, column in zip(OPINIONS, "HIJ", strict=True):
        draft.port(sheet, f"{column}{first}:{column}{last}", f"o_{opinion.key}_rates", "out")
    return last
