"""Other programs on the same files: each gives the values of the formula cells, or only loads and saves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl

from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.engines.libreoffice_engine import evaluate_libreoffice, find_soffice
from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook

Values = Mapping[tuple[str, str], Any]
Copies = Mapping[Path, Path]
"""Result of ``direct`` -> its copy without values."""
_DIGITS = Context(prec=14)


class Measured(NamedTuple):
    """files a second; of how many files; of how many cells how many differ from those of ``direct``; a remark."""

    name: str
    rate: float | None
    files: int = 0
    cells: int | None = None
    wrong: int | None = None
    note: str = ""


def shown(path: Path) -> Values:
    """The formula cells of a file with the values stored in it."""
    book = RawBook(Package.open(path))
    cells = {(info.name, cell.ref): cell for info in book.sheets for cell in book.sheet(info.name).cells.values()}
    return {at: "" if cell.kind == "empty" else cell.text for at, cell in cells.items() if cell.formula is not None}


def without_values(paths: Sequence[Path], folder: Path) -> dict[Path, Path]:
    """Copies in which no formula cell holds a value, by original: what others find there they have computed."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for number, path in enumerate(paths):
        book = RawBook(Package.open(path))
        made[path] = folder / f"{number:05}.xlsx"
        made[path].write_bytes(book.patch(dict.fromkeys(shown(path))))
    return made


def differing(expected: Values, found: Values) -> tuple[int, int]:
    """(cells both have, those in which they differ): numbers to fourteen digits."""
    both = [at for at in expected if at in found]
    return len(both), sum(not _same(expected[at], found[at]) for at in both)


def _same(one: Any, other: Any) -> bool:
    if isinstance(other, bool):
        return str(one) == str(int(other))
    try:
        a, b = Decimal(str(one)), Decimal(repr(other) if isinstance(other, float) else str(other))
    except InvalidOperation:
        return str(one) == ("" if other is None else str(other))
    return _DIGITS.create_decimal(a) == _DIGITS.create_decimal(b)


def _compared(name: str, copies: Copies, found: Mapping[Path, Any], seconds: float, note: str) -> Measured:
    cells = wrong = refused = 0
    original = {copy: path for path, copy in copies.items()}
    for path, values in found.items():
        if isinstance(values, Mapping):
            both, differ = differing(shown(original[path]), values)
            cells, wrong = cells + both, wrong + differ
        else:
            refused += 1
    more = f"；{refused} 份没有结果" if refused else ""
    return Measured(name, len(found) / seconds, len(found), cells, wrong, note + more)


def formulas(copies: Copies) -> Measured:
    """The library formulas, one workbook after another, values only."""
    start = time.perf_counter()
    found: dict[Path, Any] = {}
    for path in copies.values():
        try:
            found[path] = evaluate_formulas(path)
        except Exception as error:  # noqa: BLE001 - what it cannot do is part of the measurement
            found[path] = error
    return _compared(f"formulas {_version('formulas')}", copies, found, time.perf_counter() - start, "只求值，不写回")


def libreoffice(copies: Copies) -> Measured:
    """One LibreOffice for all files: load, recalculate, read the values."""
    if find_soffice() is None:
        return Measured("LibreOffice", None, note="本机没有")
    start = time.perf_counter()
    found = evaluate_libreoffice(list(copies.values()), 60.0 * len(copies))
    seconds = time.perf_counter() - start
    return _compared("LibreOffice（一个常驻进程）", copies, found, seconds, "打开、重算、取值，含启动，不写回")


def load_and_save(job: tuple[Path, Path]) -> None:
    """openpyxl without any evaluation."""
    openpyxl.load_workbook(job[0]).save(job[1])


def with_openpyxl(paths: Sequence[Path], folder: Path) -> Measured:
    """openpyxl load and save in two processes."""
    folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    with get_context("spawn").Pool(2) as pool:
        pool.map(load_and_save, [(path, folder / path.name) for path in paths], chunksize=5)
    rate = len(paths) / (time.perf_counter() - start)
    return Measured(f"openpyxl {_version('openpyxl')}", rate, len(paths), note="只读入和保存，不求值；2 个进程")


def formualizer(copies: Copies, folder: Path) -> Measured:
    """formualizer's recalculation of a package; not a dependency, measured where somebody has installed it."""
    name = "formualizer"
    try:
        from formualizer import recalculate_xlsx_bytes  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return Measured(name, None, note="未安装（pip install formualizer，MIT/Apache-2.0）")
    folder.mkdir(parents=True, exist_ok=True)
    recalculate: Callable[[bytes], Any] = recalculate_xlsx_bytes
    found: dict[Path, Any] = {}
    start = time.perf_counter()
    for path in copies.values():
        try:
            made = recalculate(path.read_bytes())
            (folder / path.name).write_bytes(made["bytes"])
            found[path] = folder / path.name
        except Exception as error:  # noqa: BLE001 - what it cannot do is part of the measurement
            found[path] = error
    seconds = time.perf_counter() - start
    values = {path: shown(made) if isinstance(made, Path) else made for path, made in found.items()}
    return _compared(f"{name} {_version(name)}", copies, values, seconds, "重算并写回；1 个进程")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
