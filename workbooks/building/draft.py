"""A template while it is being built: the openpyxl workbook and the ports laid out so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.formatting.rule import FormulaRule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from workbooks.building import style
from workbooks.flavour import Calls
from workbooks.form import NATIVE, UDF, Form
from workbooks.outputs import CHOICES_AGREE
from workbooks.ports import Direction, Manifest, Port
from workbooks.uncalculated import SEAL
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy

PARAMETER_SHEET = "参数"
BASIS_SHEET = "依据"
CLAUSE_SHEET = "条款原文"
CHOICE_SHEET = "口径确认表"
BASIS_LINES = 60


class Draft:
    """Collects sheets, defined names and ports; every port has exactly one name."""

    def __init__(
        self, form: Form, versions: Mapping[str, Version], choices: Mapping[str, str], flavour: str = NATIVE
    ) -> None:
        self.flavour = flavour
        self.form = form
        self.versions = versions
        self.choices = choices
        self.book = Workbook()
        self.book.remove(self.book.active)
        self.ports: list[Port] = []
        self.table: list[str] = []
        self.lists: dict[str, str] = {}
        self.rows: dict[str, int] = {}
        self.texts: dict[str, str] = {}
        # The first parameter row of the udf flavour joins the choices in force for its calls.
        self._parameter_row = 1 if flavour == NATIVE else 3

    def rows_of(self, table: str, usual: int) -> int:
        """How many rows a table is laid out with: as its form says, or more where more are to be filled in."""
        return max(usual, self.rows.get(table, 0))

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
        refs: list[list[str]] = []
        for offset, row in enumerate(rows):
            refs.append([])
            for column, value in enumerate(row):
                cell = sheet.cell(top + offset, 2 + column, value)
                refs[-1].append(f"{PARAMETER_SHEET}!${cell.column_letter}${cell.row}")
        last = sheet.cell(top + len(rows) - 1, 1 + max(map(len, rows)))
        self.port(sheet, f"B{top}:{last.coordinate}", f"p_{name}", "parameter")
        self._parameter_row = top + len(rows) + 1
        return refs

    def unlisted(self, name: str) -> None:
        """Names an empty cell of the hidden sheet that is in no manifest: workbooks without it remain usable."""
        sheet, row = self._parameter_sheet(), self._parameter_row
        style.put(sheet, f"A{row}", name, font=style.SMALL, box=False)
        style.put(sheet, f"B{row}", font=style.SMALL, box=False)
        self.book.defined_names[name] = DefinedName(name, attr_text=f"'{sheet.title}'!$B${row}")
        self._parameter_row = row + 2

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

    def cell(self, ref: str) -> Any:
        """The openpyxl cell of a reference such as ``参数!$B$3``."""
        sheet, _, place = ref.replace("$", "").partition("!")
        return self.book[sheet][place]

    def calls(self, policy: str) -> Calls:
        """How the cells of this draft call functions under one of its policies."""
        at = list(self.versions).index(policy)
        first = {name: row for _, _, name, row in _identity_rows(self)}
        policy_cell, day = (f"{BASIS_SHEET}!$B${first[name] + at}" for name in ("xlcalc_policies", "xlcalc_versions"))
        return Calls(policy_cell, day, f"{PARAMETER_SHEET}!$B$1")

    def manifest(self) -> Manifest:
        """The manifest of what was laid out."""
        return Manifest(self.form.id, self.form.version, tuple(self.ports), tuple(self.table), self.flavour)


def _identity_rows(draft: Draft) -> list[tuple[str, list[str], str, int]]:
    """The lines at the head of the 依据 sheet: label, values, port name, first row."""
    policies, versions = list(draft.versions), list(draft.versions.values())
    lines = [
        ("模板", [draft.form.id], "xlcalc_template"),
        ("模板版本", [draft.form.version], "xlcalc_template_version"),
        ("政策名称", [load_policy(policy).label for policy in policies], ""),
        ("政策编号", policies, "xlcalc_policies"),
        ("政策版本", [version.id for version in versions], "xlcalc_versions"),
        ("政策包校验值", [version.hash for version in versions], "xlcalc_hashes"),
    ]
    if draft.flavour != NATIVE:
        lines.append(("公式类型", [draft.flavour], "xlcalc_flavour"))
    found, row = [], 2
    for label, values, name in lines:
        found.append((label, values, name, row))
        row += len(values)
    return found


def add_basis(draft: Draft) -> None:
    """The 依据 sheet: what the results rest on and room for the steps of a recalculation; then the 条款原文.

    The lines to be filled stand last, in one unmerged column without row heights, so that a spreadsheet
    makes each as high as its text and prints no empty ones.
    """
    sheet = draft.sheet(BASIS_SHEET)
    style.widths(sheet, [("A", 16), ("B", 92)])
    style.merge(sheet, "A1:B1", f"{draft.form.title} · 依据", font=style.SUBTITLE, align=style.CENTRE, box=False)
    sheet.row_dimensions[1].height = 30
    for label, values, name, row in _identity_rows(draft):
        for place, value in enumerate(values):
            number = f"（{place + 1}）" if len(values) > 1 else ""
            style.put(sheet, f"A{row + place}", label + number, font=style.SMALL_HEADING, fill=style.HEADER)
            style.put(sheet, f"B{row + place}", value, font=style.SMALL)
        last = row + len(values) - 1
        if name:
            draft.port(sheet, f"B{row}" if last == row else f"B{row}:B{last}", name, "identity")
    top = last + 2
    heading = "核算步骤与提示（由 xlcalc 核算时填写）"
    style.merge(sheet, f"A{top}:B{top}", heading, font=style.HEADING, fill=style.HEADER)
    sheet.row_dimensions[top].height = 24
    for line in range(top + 1, top + 1 + BASIS_LINES):
        style.put(sheet, f"B{line}", font=style.READING, box=False, align=style.TOP_LEFT)
    draft.port(sheet, f"B{top + 1}:B{top + BASIS_LINES}", "fill_explanation", "fill")
    style.page(sheet, None, landscape=False)
    style.protect(sheet)
    _add_clauses(draft)


def _add_clauses(draft: Draft) -> None:
    """The quoted clauses, policy by policy."""
    sheet = draft.sheet(CLAUSE_SHEET)
    wide = 92.0
    style.widths(sheet, [("A", 20), ("B", wide)])
    style.merge(sheet, "A1:B1", "所引条款原文", font=style.SUBTITLE, align=style.CENTRE, box=False)
    sheet.row_dimensions[1].height = 30
    row = 2
    for policy, version in draft.versions.items():
        title = f"{load_policy(policy).label}（版本 {version.id}）"
        style.merge(sheet, f"A{row}:B{row}", title, font=style.HEADING, fill=style.HEADER)
        sheet.row_dimensions[row].height = 22
        row += 1
        for clause in version.clauses.values():
            if clause.basis == "quoted" and len(clause.quote) < 700:
                style.put(sheet, f"A{row}", clause.article, font=style.SMALL)
                style.put(sheet, f"B{row}", clause.quote, font=style.READING)
                heights = (
                    style.text_height(clause.article, 20, style.SMALL),
                    style.text_height(clause.quote, wide, style.READING),
                )
                sheet.row_dimensions[row].height = max(20.0, *heights)
                row += 1
    sheet.freeze_panes = "A2"
    style.page(sheet, f"A1:B{row - 1}", landscape=False)
    style.protect(sheet)


_CHOICE_COLUMNS = (
    ("编号", 9.0),
    ("文件未明确之处", 36.0),
    ("可选口径", 38.0),
    ("本表采用", 15.0),
    ("默认", 15.0),
    ("采用默认口径的理由", 32.0),
    ("由谁确认", 15.0),
    ("确认人及日期", 14.0),
)
_CHANGING = {
    NATIVE: "更改“本表采用”后，请重新核算（xlcalc recalc），使公式所用参数与口径一致。可更改的列在前，其余为说明。",
    UDF: "更改“本表采用”后，函数结果随之更新；依据和意见须重新核算（xlcalc recalc）。可更改的列在前，其余为说明。",
}
_KINDS = {"choice": "", "required": "必填，无默认值", "note": "说明", "alias": "同义"}


def add_choices(draft: Draft) -> None:
    """The 口径确认表: one row for what each document leaves open, the option in force, room to sign."""
    sheet = draft.sheet(CHOICE_SHEET)
    letters = "ABCDEFGH"
    style.widths(sheet, zip(letters, (width for _, width in _CHOICE_COLUMNS), strict=True))
    style.merge(sheet, "A1:H1", "口径确认表", font=style.SUBTITLE, align=style.CENTRE, box=False)
    style.merge(sheet, "A2:F2", _CHANGING[draft.flavour], font=style.NOTE, box=False)
    for column, (label, _) in zip(letters, _CHOICE_COLUMNS, strict=True):
        style.put(sheet, f"{column}3", label, font=style.HEADING, fill=style.HEADER, align=style.CENTRE)
    sheet.row_dimensions[1].height, sheet.row_dimensions[2].height, sheet.row_dimensions[3].height = 28, 22, 24
    items = {item.id: item for version in draft.versions.values() for item in version.interpretations.values()}
    row = 4
    for item in sorted(items.values(), key=lambda item: list(_KINDS).index(item.kind)):
        options = "\n".join(f"{code}：{label}" for code, label in item.options.items())
        chosen = _KINDS[item.kind] or draft.choices.get(item.id, item.default or "")
        values = (item.id, item.question, options, chosen, item.default or "", item.reason, item.confirmed_by, None)
        height = 24.0
        for column, value, (_, width) in zip(letters, values, _CHOICE_COLUMNS, strict=True):
            centred = column in "ADEG"
            align = style.CENTRE if centred else style.LEFT
            style.put(sheet, f"{column}{row}", value, font=style.READING, align=align)
            height = max(height, style.text_height(value or "", width, style.READING))
        if item.kind == "choice":
            style.input_cell(sheet, f"D{row}", font=style.READING)
            draft.dropdown(sheet, f"D{row}", list(item.options))
            draft.port(sheet, f"D{row}", choice_name(item.id), "choice")
            changed = FormulaRule(formula=[f"$D{row}<>$E{row}"], fill=style.ORANGE)
            sheet.conditional_formatting.add(f"D{row}", changed)
        style.input_cell(sheet, f"H{row}", font=style.READING)
        sheet.row_dimensions[row].height = height
        row += 1
    _choices_state(draft, sheet)
    if draft.flavour == UDF:
        _join_choices(draft)
    sheet.freeze_panes = "B4"
    style.page(sheet, f"A1:H{row - 1}", landscape=True, header_rows="3:3")
    style.protect(sheet)


_CHOICES_CHANGED = {
    NATIVE: "口径已更改：请重新核算，使公式同步",
    UDF: "口径已更改：结果已按新口径计算，请重新核算，使依据同步",
}


def _choices_state(draft: Draft, sheet: Worksheet) -> None:
    """A cell that says whether the parameters behind the formulas are those of the choices shown."""
    ports = [port.name for port in draft.ports if port.direction == "choice"]
    cells = [draft.cells(name)[0] for name in ports]
    used = draft.parameters("choices_used", [[cell.value] for cell in cells])
    draft.unlisted(SEAL)
    # Compared as text: a code such as 14 becomes a number when it is picked from the list.
    equal = ",".join(f'${cell.column_letter}${cell.row}&""={ref}&""' for cell, (ref,) in zip(cells, used, strict=True))
    changed = _CHOICES_CHANGED[draft.flavour]
    formula = f'=IF(AND({equal}),"{CHOICES_AGREE}","{changed}")'
    style.merge(sheet, "G2:H2", formula, font=style.SMALL, fill=style.COMPUTED, align=style.CENTRE)
    draft.port(sheet, "G2", "o_choices_state", "out")
    warning = FormulaRule(formula=[f'$G$2="{changed}"'], fill=style.RED)
    sheet.conditional_formatting.add("G2", warning)


def _join_choices(draft: Draft) -> None:
    """One cell with every choice in force, as the functions take them; see ``choices_text``."""
    cells = [draft.cells(port.name)[0] for port in draft.ports if port.direction == "choice"]
    parts = (f'{CHOICE_SHEET}!$A${cell.row}&"="&{CHOICE_SHEET}!$D${cell.row}' for cell in cells)
    sheet = draft.book[PARAMETER_SHEET]
    style.put(sheet, "A1", "choices_in_force", font=style.SMALL, box=False)
    sheet["B1"] = "=" + ('&"；"&'.join(parts) or '""')
    draft.port(sheet, "B1", "k_choices", "out")


def choice_name(interpretation: str) -> str:
    """The defined name of the cell that holds a choice: ``choice_AMB_31``."""
    return "choice_" + interpretation.replace("-", "_")
