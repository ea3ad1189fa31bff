"""A template while it is being built: the openpyxl workbook and the ports laid out so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from workbooks import style
from workbooks.form import Form
from workbooks.ports import Direction, Manifest, Port
from xlcalc.packs.policy import Version

PARAMETER_SHEET = "参数"
BASIS_SHEET = "依据"
CHOICE_SHEET = "口径确认表"
BASIS_LINES = 60


class Draft:
    """Collects sheets, defined names and ports; every port has exactly one name."""

    def __init__(self, form: Form, versions: Mapping[str, Version], choices: Mapping[str, str]) -> None:
        self.form = form
        self.versions = versions
        self.choices = choices
        self.book = Workbook()
        self.book.remove(self.book.active)
        self.ports: list[Port] = []
        self.table: list[str] = []
        self._parameter_row = 1

    def sheet(self, title: str, *, hidden: bool = False) -> Worksheet:
        """A new sheet; hidden ones hold parameters and intermediate values."""
        sheet: Worksheet = self.book.create_sheet(title)
        sheet.sheet_view.showGridLines = False
        if hidden:
            sheet.sheet_state = "hidden"
        return sheet

    def port(self, sheet: Worksheet, ref: str, name: str, direction: Direction, **more: Any) -> None:
        """Names a cell or block ``A1:B2`` and records it in the manifest."""
        first, _, last = ref.partition(":")
        absolute = ":".join(
            "$" + corner.rstrip("0123456789") + "$" + corner.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
            for corner in (first, last)
            if corner
        )
        self.book.defined_names[name] = DefinedName(name, attr_text=f"'{sheet.title}'!{absolute}")
        self.ports.append(Port(name, direction, **more))

    def parameters(self, name: str, rows: Sequence[Sequence[int | str]]) -> list[list[str]]:
        """Writes a block of parameters on the hidden sheet and returns the references of its cells."""
        sheet = self._parameter_sheet()
        top = self._parameter_row
        style.put(sheet, f"A{top}", name, font=style.SMALL, box=False)
        refs = []
        for offset, row in enumerate(rows):
            refs.append([])
            for column, value in enumerate(row):
                cell = sheet.cell(top + offset, 2 + column, value)
                refs[-1].append(f"{PARAMETER_SHEET}!${cell.column_letter}${cell.row}")
        last = sheet.cell(top + len(rows) - 1, 1 + max(map(len, rows)))
        self.port(sheet, f"B{top}:{last.coordinate}", f"p_{name}", "parameter")
        self._parameter_row = top + len(rows) + 1
        return refs

    def _parameter_sheet(self) -> Worksheet:
        if PARAMETER_SHEET in self.book.sheetnames:
            return self.book[PARAMETER_SHEET]
        return self.sheet(PARAMETER_SHEET, hidden=True)

    def dropdown(self, sheet: Worksheet, refs: str, options: Sequence[str], prompt: str = "") -> None:
        """A list to choose from; options are short enough to stand in the rule itself."""
        rule = DataValidation("list", formula1='"' + ",".join(options) + '"', allow_blank=True)
        rule.errorTitle, rule.error = "填写有误", "请从下拉列表中选择：" + "、".join(options)[:200]
        if prompt:
            rule.promptTitle, rule.prompt = "填写说明", prompt[:250]
        rule.showErrorMessage = rule.showInputMessage = True
        sheet.add_data_validation(rule)
        rule.add(refs)

    def rule(self, sheet: Worksheet, refs: str, kind: str, low: Any, high: Any, error: str, prompt: str = "") -> None:
        """A range check (``decimal``, ``whole`` or ``date``) with a Chinese message."""
        rule = DataValidation(kind, operator="between", formula1=str(low), formula2=str(high), allow_blank=True)
        rule.errorTitle, rule.error = "填写有误", error
        if prompt:
            rule.promptTitle, rule.prompt = "填写说明", prompt[:250]
        rule.showErrorMessage = rule.showInputMessage = True
        sheet.add_data_validation(rule)
        rule.add(refs)

    def cells(self, name: str) -> list[Any]:
        """The openpyxl cells of a port, row by row."""
        sheet, _, span = str(self.book.defined_names[name].attr_text).replace("'", "").replace("$", "").partition("!")
        found = self.book[sheet][span]
        if not isinstance(found, tuple):
            return [found]
        return [cell for row in found for cell in (row if isinstance(row, tuple) else (row,))]

    def manifest(self) -> Manifest:
        """The manifest of what was laid out."""
        return Manifest(self.form.id, self.form.version, tuple(self.ports), tuple(self.table))


def add_basis(draft: Draft) -> None:
    """The 依据 sheet: what the results rest on, and room for the steps and findings of a recalculation."""
    sheet = draft.sheet(BASIS_SHEET)
    style.widths(sheet, [("A", 26), ("B", 44), ("C", 16), ("D", 70)])
    style.merge(sheet, "A1:D1", f"{draft.form.title} · 依据", font=style.SUBTITLE, align=style.CENTRE, box=False)
    rows = [("模板", draft.form.id), ("模板版本", draft.form.version)]
    for row, (label, value) in enumerate(rows, 2):
        style.put(sheet, f"A{row}", label, font=style.HEADING)
        style.put(sheet, f"B{row}", value)
    draft.port(sheet, "B2", "xlcalc_template", "identity")
    draft.port(sheet, "B3", "xlcalc_template_version", "identity")
    for column, label in zip("ABCD", ("政策", "政策名称", "版本", "政策包校验值（SHA-256）"), strict=True):
        style.put(sheet, f"{column}5", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    from xlcalc.packs.registry import load_policy

    last = 5
    for last, (policy, version) in enumerate(draft.versions.items(), 6):
        for column, value in zip("ABCD", (policy, load_policy(policy).label, version.id, version.hash), strict=True):
            style.put(sheet, f"{column}{last}", value, font=style.SMALL)
    draft.port(sheet, f"A6:A{last}", "xlcalc_policies", "identity")
    draft.port(sheet, f"C6:C{last}", "xlcalc_versions", "identity")
    draft.port(sheet, f"D6:D{last}", "xlcalc_hashes", "identity")
    top = last + 2
    style.merge(
        sheet, f"A{top}:D{top}", "核算步骤与提示（由 xlcalc 核算时填写）", font=style.HEADING, fill=style.HEADER
    )
    for row in range(top + 1, top + 1 + BASIS_LINES):
        style.merge(sheet, f"A{row}:D{row}", font=style.SMALL, box=False, align=style.TOP_LEFT)
    draft.port(sheet, f"A{top + 1}:A{top + BASIS_LINES}", "fill_explanation", "fill")
    clause_top = top + BASIS_LINES + 2
    style.merge(sheet, f"A{clause_top}:D{clause_top}", "所引条款原文", font=style.HEADING, fill=style.HEADER)
    row = clause_top + 1
    for version in draft.versions.values():
        for clause in version.clauses.values():
            if clause.basis == "quoted" and len(clause.quote) < 700:
                style.put(sheet, f"A{row}", clause.article, font=style.SMALL)
                style.merge(sheet, f"B{row}:D{row}", clause.quote, font=style.SMALL, align=style.TOP_LEFT)
                sheet.row_dimensions[row].height = 13 * (1 + len(clause.quote) // 62)
                row += 1
    style.page(sheet, f"A1:D{row - 1}", landscape=True)
    style.protect(sheet)


def add_choices(draft: Draft) -> None:
    """The 口径确认表: one row for what each document leaves open, the option in force, room to sign."""
    sheet = draft.sheet(CHOICE_SHEET)
    headings = (
        "编号",
        "文件未明确之处",
        "可选口径",
        "本表采用",
        "默认",
        "采用默认口径的理由",
        "由谁确认",
        "确认人及日期",
    )
    style.widths(sheet, zip("ABCDEFGH", (10, 42, 40, 20, 20, 40, 20, 18), strict=True))
    style.merge(sheet, "A1:H1", "口径确认表", font=style.SUBTITLE, align=style.CENTRE, box=False)
    note = "更改“本表采用”后，请重新核算（xlcalc recalc），使公式所用参数与口径一致"
    style.merge(sheet, "A2:H2", note, font=style.NOTE, box=False)
    for column, label in zip("ABCDEFGH", headings, strict=True):
        style.put(sheet, f"{column}3", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    row = 4
    seen: set[str] = set()
    for version in draft.versions.values():
        for item in version.interpretations.values():
            if item.id in seen:
                continue
            seen.add(item.id)
            options = "\n".join(f"{code}：{label}" for code, label in item.options.items())
            chosen = draft.choices.get(item.id, item.default or "") if item.kind == "choice" else ""
            kind = {"required": "必填，无默认值", "note": "说明", "alias": "同义"}.get(item.kind, chosen)
            values = (item.id, item.question, options, kind, item.default or "", item.reason, item.confirmed_by, None)
            for column, value in zip("ABCDEFGH", values, strict=True):
                style.put(sheet, f"{column}{row}", value, font=style.SMALL)
            if item.kind == "choice":
                style.input_cell(sheet, f"D{row}", font=style.SMALL)
                draft.dropdown(sheet, f"D{row}", list(item.options))
                draft.port(sheet, f"D{row}", choice_name(item.id), "choice")
            style.input_cell(sheet, f"H{row}", font=style.SMALL)
            lines = max(len(item.question) // 20, len(options) // 20 + len(item.options), len(item.reason) // 20)
            sheet.row_dimensions[row].height = 14 * (lines + 1)
            row += 1
    sheet.freeze_panes = "A4"
    style.page(sheet, f"A1:H{row - 1}", landscape=True, header_rows="3:3")
    style.protect(sheet)


def choice_name(interpretation: str) -> str:
    """The defined name of the cell that holds a choice: ``choice_AMB_31``."""
    return "choice_" + interpretation.replace("-", "_")
