"""What the buttons need of an xlwings Book, standing for Excel: it remembers what was asked of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class Book:
    """An open workbook. path: the user's file; screen: what is on the screen, if it differs from the file."""

    def __init__(self, path: Path, screen: bytes | None = None, *, name: str | None = None) -> None:
        self.path, self.screen = path, screen
        self.fullname: str = name or str(path)
        self.name = Path(self.fullname).name
        self.app = App()
        self.api = _Api(self)
        self.sheets = _Sheets(self)
        self.selected: list[tuple[str, str]] = []
        self.grouped: list[list[str]] = []
        self.front = "开始时的表"
        self.closed = False
        self.prints = True

    def activate(self) -> None:
        self.app.log.append("activate")

    def close(self) -> None:
        self.closed = True


class App:
    """Excel itself: its windows, and what it said."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.said: list[tuple[str, str]] = []
        self.books = _Books()
        self.api = SimpleNamespace(Workbooks=SimpleNamespace(Add=self._add))
        self.lists: list[SimpleNamespace] = []

    def alert(self, prompt: str, title: str, buttons: str, mode: str) -> str:
        assert buttons == "ok" and title
        self.said.append((mode, prompt))
        return "ok"

    def _add(self, template: str) -> SimpleNamespace:
        made = SimpleNamespace(name=Path(template).stem, data=Path(template).read_bytes(), Saved=False)
        self.lists.append(made)
        return made


class _Books(list[Any]):
    opened: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.opened = []

    def open(self, path: str) -> None:
        assert Path(path).is_file()
        self.opened.append(path)


class _Api:
    def __init__(self, book: Book) -> None:
        self._book = book

    def SaveCopyAs(self, path: str) -> None:  # noqa: N802 - Excel's name
        if self._book.screen is None:
            shutil.copyfile(self._book.path, path)
        else:
            Path(path).write_bytes(self._book.screen)

    def Worksheets(self, names: list[str]) -> Any:  # noqa: N802 - Excel's name
        return SimpleNamespace(Select=lambda: self._book.grouped.append(list(names)))

    @property
    def ActiveSheet(self) -> Any:  # noqa: N802 - Excel's name
        front = self._book.front
        return SimpleNamespace(
            Select=lambda: self._book.grouped.append([front]), ExportAsFixedFormat=self._export_as_fixed_format
        )

    def _export_as_fixed_format(self, Type: int, Filename: str, IgnorePrintAreas: bool) -> None:  # noqa: N803
        assert (Type, IgnorePrintAreas) == (0, False)
        if not self._book.prints:
            raise OSError("com_error")
        Path(Filename).write_bytes(b"%PDF of " + "|".join(self._book.grouped[-1]).encode())


class _Sheets:
    def __init__(self, book: Book) -> None:
        self._book = book

    def __getitem__(self, name: str) -> Any:
        def select(ref: str) -> Any:
            return SimpleNamespace(select=lambda: self._book.selected.append((name, ref)))

        return SimpleNamespace(activate=lambda: None, range=select)
