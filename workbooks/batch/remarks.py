"""What is remarked of a file besides what is wrong in it: what it carries, hides or locks, and who has it open."""

from __future__ import annotations

from pathlib import Path

from workbooks.batch.tasks import lock_marks
from workbooks.files.filekind import carried
from workbooks.form import SETTINGS_SHEET, UDF
from workbooks.out_of_sight import out_of_sight
from workbooks.own_macros import only_our_macros
from workbooks.ports import area_of
from workbooks.recalc import Recalculated
from xlcalc.results.outcome import Finding


def with_remarks(path: Path, done: Recalculated) -> list[Finding]:
    """The findings of a file, with what it carries, hides or locks named once each."""
    book = done.read.book
    package = book.package
    remarks = carried(package, own_macros=package.has_macros and only_our_macros(package))
    if package.measure.locked:
        message = "工作簿或工作表设有保护密码（已保护）：照常读取，保护未解除。密码请由填报人保管"
        remarks.append(Finding("E-BOOK-PROTECTED", "info", message))
    ours = {area_of(book, port.name).sheet for port in done.read.manifest.ports}
    if done.read.manifest.flavour == UDF:
        ours.add(SETTINGS_SHEET)
    hidden = [sheet.name for sheet in book.sheets if sheet.state != "visible" and sheet.name not in ours]
    if hidden:
        message = f"有模板之外的隐藏工作表（{'、'.join(hidden)[:200]}），其中的内容没有采用。请核对"
        remarks.append(Finding("E-BOOK-HIDDEN", "warn", message))
    remarks += out_of_sight(done.read)
    if any(mark.exists() for mark in lock_marks(path)):
        message = "文件正在 Excel 或 WPS 中打开，未保存的改动没有计入。请保存并关闭后重新核算"
        remarks.append(Finding("E-BOOK-OPEN", "warn", message))
    named = {finding.code for finding in remarks}
    return [*remarks, *(finding for finding in done.findings if finding.code not in named)]
