"""The workbook a command works on: a file, or the one open in Excel as it stands on the screen.

An open workbook is an xlwings ``Book``, taken as it comes: nothing here imports xlwings. It is read through a copy
Excel writes of it, so that neither the user's file nor what is unsaved in it is touched.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbooks.batch.run import ensure_writable
from xlcalc.errors import InputError, WorkbookError, XlcalcError

Target = str | os.PathLike[str] | Any
"""A path, or an open ``xlwings.Book``."""

TITLE = "xlcalc 核算工具"
_CELL = re.compile(r"(.+)!([A-Z]{1,3}[1-9][0-9]*)")
_PDF = 0  # Excel's xlTypePDF


@dataclass(frozen=True)
class Source:
    """What a command reads. file: the file itself or a copy of the screen; folder: where results go, if anywhere."""

    file: Path
    name: str
    folder: Path | None
    book: Any = None

    @property
    def original(self) -> Path | None:
        """The user's own file, where it lies on this computer."""
        return self.folder / self.name if self.folder else None

    def results_folder(self) -> Path:
        """The folder beside the user's file, tried; raises WorkbookError ``E-IO`` or ``E-NO-FOLDER``."""
        if self.folder is None:
            raise WorkbookError(
                "E-NO-FOLDER",
                "工作簿在网盘或网址上，旁边不能写结果",
                where=self.name,
                remedy="请先另存到本机的文件夹，再重试",
            )
        try:
            ensure_writable(self.folder)
        except WorkbookError as error:
            raise WorkbookError(
                error.code, error.message, where=error.where, remedy="请把文件另存到可以写入的文件夹（如桌面）后重试"
            ) from None
        return self.folder


@contextmanager
def opened(target: Target) -> Iterator[Source]:
    """The workbook behind a path or an open Book, until the block ends.

    Raises InputError ``E-FILE`` for a path without a file; WorkbookError ``E-UNSAVED`` for a workbook that was never
    saved, ``E-BOOK-COPY`` when Excel gives no copy.
    """
    if isinstance(target, str | os.PathLike):
        path = Path(target)
        if not path.is_file():
            raise InputError("E-FILE", "没有这个文件", where=str(path), remedy="请检查路径")
        yield Source(path, path.name, path.absolute().parent)
        return
    folder = _folder(target)
    with tempfile.TemporaryDirectory(prefix="xlcalc-", ignore_cleanup_errors=True) as held:
        # Under the user's own name, for messages name the file that was read.
        copy = Path(held) / str(target.name)
        try:
            target.api.SaveCopyAs(str(copy))
        except Exception:  # noqa: BLE001 - Excel's errors have a type only where pywin32 is
            raise _no_copy(copy.name) from None
        if not copy.is_file():
            raise _no_copy(copy.name)
        yield Source(copy, copy.name, folder, target)


def _no_copy(name: str) -> WorkbookError:
    return WorkbookError(
        "E-BOOK-COPY",
        "取不到屏幕上的内容",
        where=name,
        remedy="请结束单元格的编辑、关闭其他对话框后重试；仍不行时请保存并关闭工作簿，重新打开再试",
    )


def _folder(book: Any) -> Path | None:
    """The folder of an open workbook; None where it is stored under an address that is no folder here."""
    try:
        name = str(book.fullname)
    except Exception:  # noqa: BLE001 - what xlwings raises where it cannot find the local copy of an online file
        return None
    if "://" in name:
        return None
    if Path(name).parent == Path():
        raise WorkbookError(
            "E-UNSAVED", "工作簿还没有保存过", where=str(book.name), remedy="请先另存为 .xlsx 或 .xlsm 文件，再重试"
        )
    return Path(name).parent


def free_path(folder: Path, stem: str, suffix: str, *others: str) -> Path:
    """A name no file has, whichever of the suffixes it ends in: ``stem``, else ``stem(2)``, ``stem(3)`` …"""
    number, name = 1, stem
    while any((folder / f"{name}{ending}").exists() for ending in (suffix, *others)):
        number += 1
        name = f"{stem}({number})"
    return folder / f"{name}{suffix}"


def cell_of(where: str | None) -> tuple[str, str] | None:
    """Sheet and cell of a finding's place; None for a place that is no cell."""
    match = _CELL.fullmatch(where or "")
    return (match[1], match[2]) if match else None


# --- what is shown to the person at the screen


def tell(book: Any, message: str, *, critical: bool = False) -> None:
    """One message in a window over the workbook; on standard error where there is no window."""
    mode = "critical" if critical else "info"
    if book is not None:
        with suppress(Exception):
            book.app.alert(message, title=TITLE, buttons="ok", mode=mode)
            return
    if sys.platform == "win32":
        import ctypes

        ctypes.windll.user32.MessageBoxW(0, message, TITLE, 0x30 if critical else 0x40)
    else:
        print(message, file=sys.stderr)


def error_text(error: XlcalcError) -> str:
    """An error as a window shows it: what, where, what to do, and the code to quote when asking for help."""
    lines = [f"{error.message.rstrip('。')}。"]
    if error.where:
        lines.append(f"位置：{error.where}")
    if error.remedy:
        lines.append(f"处理：{error.remedy.rstrip('。')}。")
    return "\n".join([*lines, f"（编号 {error.code}）"])


def select(book: Any, sheet: str, ref: str) -> None:
    """Brings a cell into view; a sheet that cannot be shown is left where it is."""
    with suppress(Exception):
        book.activate()
        book.sheets[sheet].activate()
        book.sheets[sheet].range(ref).select()


def show_list(book: Any, data: bytes, name: str) -> None:
    """Opens a list as a new workbook of its own and closes the one an earlier press left, unless it was saved."""
    for other in list(book.app.books):
        if other.name.startswith(name) and _is_unsaved(other):
            other.close()
    with tempfile.TemporaryDirectory(prefix="xlcalc-", ignore_cleanup_errors=True) as held:
        path = Path(held) / f"{name}.xlsx"
        path.write_bytes(data)
        # As a template, so that the list belongs to no file: it is the user's to save or to close.
        shown = book.app.api.Workbooks.Add(str(path))
        shown.Saved = True


def _is_unsaved(book: Any) -> bool:
    try:
        return str(book.fullname) == str(book.name)
    except Exception:  # noqa: BLE001 - as xlwings raises for an online file: saved, if not here
        return False


def export_sheets(book: Any, sheets: Sequence[str], target: Path) -> None:
    """Excel's own PDF of some sheets, page numbers running through; the sheet on screen stays selected afterwards.

    Raises WorkbookError ``E-PDF`` when Excel does not write it.
    """
    book.activate()
    active = book.api.ActiveSheet
    try:
        book.api.Worksheets(list(sheets)).Select()
        book.api.ActiveSheet.ExportAsFixedFormat(Type=_PDF, Filename=str(target), IgnorePrintAreas=False)
    except Exception:  # noqa: BLE001 - Excel's errors have a type only where pywin32 is
        target.unlink(missing_ok=True)
    finally:
        # Sheets left selected together would all take what is typed next.
        active.Select()
    if not target.is_file():
        raise WorkbookError(
            "E-PDF",
            "Excel 没有生成 PDF",
            where=str(book.name),
            remedy="请确认本机装有打印机（可用 Microsoft Print to PDF），再重试；或用“文件—导出”自行生成",
        )
