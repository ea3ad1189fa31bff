"""Every formula cell of a workbook evaluated in this process by the ``formulas`` package, our functions included.

Slow (5 to 10 seconds per thousand formulas), for workbooks with formulas of a clerk's own and for cross-checks.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from functools import cache, partial
from numbers import Real
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.formula import Tokenizer
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from udfs.adapter import UdfError, call
from udfs.registry import UDFS
from workbooks.files.temporary import temporary_folder
from xlcalc.errors import EngineError

Value = int | float | str | bool
CellKey = tuple[str, str]
"""Sheet name as in the file, and a cell such as ``G5``."""

_BOOK = "book.xlsx"
_NO_LINKS = "公式引用了其他工作簿，本引擎不打开其他文件"


def evaluate_formulas(path: Path) -> dict[CellKey, Value]:
    """The value of every formula cell; error values as ``#VALUE!``, empty as "".

    Raises EngineError before anything is evaluated: ``E-ENGINE-FUNCTION`` for a function nobody here knows
    (IFERROR must not hide it), ``E-ENGINE-LINK`` for other workbooks, ``E-ENGINE-FORMULA`` for formulas that
    cannot be read; afterwards ``E-ENGINE-CYCLE`` for circular references. ``where`` names the cell.
    """
    functions = _functions()
    book = open_book(path)
    cells = formula_cells(book)
    formulas = [(f"{sheet}!{ref}", formula) for (sheet, ref), formula in cells.items()]
    for where, formula in [*((where, formula.text) for where, formula in formulas), *_named_formulas(book)]:
        _check(where, formula, functions)
    solution = _solve(path, {where: formula.text for where, formula in formulas})
    values: dict[CellKey, Value] = {}
    for (sheet, ref), own in cells.items():
        node = solution.get(f"'[{_BOOK}]{sheet.upper()}'!{own.area or ref}")
        if node is None:
            raise EngineError(
                "E-ENGINE-CYCLE",
                "公式直接或间接引用了自己，或所引用的单元格无法计算",
                where=f"{sheet}!{ref}",
                remedy="请检查该公式引用的单元格",
            )
        for place, cell in zip(own.cells(ref), node.value.flat, strict=True):
            values[sheet, place] = _value(cell)
    return values


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula and, where it is an array formula, the range it fills."""

    text: str
    area: str = ""

    def cells(self, ref: str) -> list[str]:
        """The cells the formula gives values to, row by row."""
        if not self.area:
            return [ref]
        rows = CellRange(self.area).rows
        return [f"{get_column_letter(column)}{row}" for cells in rows for row, column in cells]


def formula_cells(book: Workbook) -> dict[CellKey, Formula]:
    """Every cell that holds a formula."""
    found = {}
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    found[sheet.title, cell.coordinate] = _formula(cell.value, f"{sheet.title}!{cell.coordinate}")
    return found


def _formula(value: object, where: str) -> Formula:
    if isinstance(value, DataTableFormula):
        raise EngineError("E-ENGINE-FORMULA", "不支持模拟运算表", where=where, remedy="请改为普通公式或粘贴为数值")
    if isinstance(value, ArrayFormula):
        return Formula(value.text or "", value.ref if ":" in value.ref else "")
    return Formula(str(value))


def open_book(path: Path, *, data_only: bool = False) -> Workbook:
    """The workbook in openpyxl; raises EngineError ``E-ENGINE-FILE`` when it is none."""
    try:
        return openpyxl.load_workbook(path, data_only=data_only)
    except Exception as error:
        raise EngineError(
            "E-ENGINE-FILE", f"无法打开工作簿：{error}", where=path.name, remedy="请用 Excel 或 WPS 打开后另存为 .xlsx"
        ) from error


def _named_formulas(book: Workbook) -> Iterator[tuple[str, str]]:
    for holder in (book, *book.worksheets):
        for name, defined in holder.defined_names.items():
            if not name.startswith("_xlnm."):
                yield name, f"={defined.value}"


def _check(where: str, formula: str, functions: frozenset[str]) -> None:
    if "'" in where.rpartition("!")[0] or "''" in formula.replace('"', ""):
        raise EngineError(
            "E-ENGINE-FORMULA", "工作表名含有单引号，本引擎无法计算", where=where, remedy="请重命名工作表"
        )
    for token in Tokenizer(formula).items:
        if token.type == "OPERAND" and token.subtype == "RANGE" and "[" in token.value.partition("!")[0]:
            if "!" in token.value:
                raise EngineError("E-ENGINE-LINK", _NO_LINKS, where=where, remedy="请把所引用的数据粘贴为数值")
        elif token.type == "FUNC" and token.subtype == "OPEN":
            written = token.value.rstrip("(").upper()
            if written not in functions:
                raise EngineError(
                    "E-ENGINE-FUNCTION",
                    f"不认识函数 {written[:60]}，未作计算",
                    where=where,
                    remedy="请改用 Excel 2010 起就有的函数或 XLC_ 开头的函数，或把该单元格粘贴为数值",
                )


def _solve(path: Path, cells: Mapping[str, str]) -> Mapping[Any, Any]:
    import formulas

    logger = logging.getLogger("formulas")
    level = logger.level
    # The library shows progress on stderr and logs sheets that a formula misnames; their cells become #REF!.
    with temporary_folder("xlcalc-") as folder, contextlib.redirect_stderr(io.StringIO()):
        copy = folder / _BOOK  # a plain name: the library upper-cases and parses it
        shutil.copyfile(path, copy)
        logger.setLevel(logging.CRITICAL)
        try:
            solution: Mapping[Any, Any] = formulas.ExcelModel().loads(str(copy)).finish().calculate()
        except Exception as error:
            where = next((place for place, text in cells.items() if not _readable(text)), path.name)
            raise EngineError(
                "E-ENGINE-FORMULA",
                "公式无法解析或计算",
                where=where,
                remedy="请检查该公式；函数名和引用须为标准写法，数组公式须改为普通公式",
            ) from error
        finally:
            logger.setLevel(level)
    return solution


def _readable(formula: str) -> bool:
    from formulas import Parser

    try:
        Parser().ast(formula)
    except Exception:
        return False
    return True


@cache
def _functions() -> frozenset[str]:
    """Adds our functions to the library's and mends some of its own, once per process; gives all known names."""
    try:
        from formulas.functions import get_functions, info, text, wrap_ranges_func, wrap_ufunc
        from formulas.functions.operators import OPERATORS
    except ImportError as error:
        raise EngineError(
            "E-ENGINE-FORMULAS",
            "没有安装 formulas 引擎",
            remedy="请运行 pip install xlcalc[formulas]，或改用 direct 引擎",
        ) from error
    functions = get_functions()
    # It knows no links; a cell with one shows its text.
    functions["HYPERLINK"] = wrap_ufunc(_link, input_parser=lambda *values: values)
    # The library rounds in binary, takes a number written as text for a number, and trims only the ends.
    for name, rounding in (("ROUND", ROUND_HALF_UP), ("ROUNDDOWN", ROUND_DOWN), ("ROUNDUP", ROUND_UP)):
        functions[name] = wrap_ufunc(partial(_round, rounding=rounding))
    functions["ISNUMBER"] = wrap_ranges_func(partial(info.iserror, check=_is_number, array=info.FalseArray))
    functions["TRIM"] = wrap_ufunc(_trim, **text._kw1)
    functions["HYPERLINK"] = wrap_ufunc(_link_text, input_parser=lambda *args: args)
    for name in ("SUM", "MAX", "MIN", "COUNT", "AVERAGE", "SUMPRODUCT"):
        functions[name] = _numbers_only(functions[name])
    # It reads -- as +, which leaves TRUE as it is; SUMPRODUCT(--(…)) would then give 0.
    OPERATORS["U+"] = wrap_ufunc(_plus, input_parser=lambda value: (value,))
    for name in UDFS:
        functions.update(dict.fromkeys((name, f"_XLL.{name}", f"_XLDUDF_{name}"), _wrapped(name)))
    # Fixed now: asking the library for an unknown name would add it.
    return frozenset(functions) | {"LET", "_XLFN.LET"}


def _round(number: float, digits: float, *, rounding: str) -> float:
    """On the 15 significant digits a cell shows, as Excel and LibreOffice do; ROUND_HALF_UP is away from zero."""
    shown = Decimal(format(number, ".15g"))
    places = math.trunc(digits)
    if not shown.is_finite() or places > 20 or places < -20:
        return float(shown) if places > 0 else 0.0
    return float(shown.scaleb(places).quantize(Decimal(1), rounding=rounding).scaleb(-places))


def _link(target: object, shown: object = None) -> object:
    return target if shown is None else shown


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _plus(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def _trim(text: str) -> str:
    return " ".join(part for part in text.split(" ") if part)


def _link_text(target: object, shown: object = None) -> object:
    """What the cell of a link shows."""
    return target if shown is None else shown


def _numbers_only(original: Callable[..., Any]) -> Callable[..., Any]:
    """The function, blind to text and logical values in the ranges it is given; typed-in arguments still count."""
    import numpy as np
    from formulas.errors import RangeValueError
    from formulas.ranges import Ranges
    from formulas.tokens.operand import XlError
    from schedula import EMPTY  # type: ignore[import-untyped]

    keep = np.frompyfunc(lambda value: _is_number(value) or isinstance(value, XlError), 1, 1)

    def numbers(arg: Any) -> Any:
        if not isinstance(arg, Ranges):
            return arg
        try:
            value = arg.value
        except RangeValueError:
            return arg
        kept = keep(value).astype(bool)
        return value if kept.all() else np.where(kept, value, np.array(EMPTY, dtype=object))

    def function(*args: Any) -> Any:
        return original(*(numbers(arg) for arg in args))

    return function


def _wrapped(name: str) -> Callable[..., Any]:
    """A registry function as the library calls functions: ranges in, an array of the library's values out."""
    import numpy as np
    from formulas.functions import Array, parse_ranges
    from formulas.tokens.operand import Error, XlError
    from schedula import EMPTY

    def inward(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return [inward(cell) for cell in value]
        if value is EMPTY:
            return None
        return str(value) if isinstance(value, XlError) else value

    def outward(value: Any) -> Any:
        if isinstance(value, UdfError):
            return Error.errors.get(value.code, Error.errors["#VALUE!"])
        return value

    def function(*args: Any) -> Any:
        result = call(name, [inward(value) for value in parse_ranges(*args)[0]])
        rows = result if isinstance(result, list) else [[result]]
        return np.asarray([[outward(cell) for cell in row] for row in rows], object).view(Array)

    return function


def _value(raw: Any) -> Value:
    """A cell's value as a plain Python value."""
    from formulas.tokens.operand import XlError
    from schedula import EMPTY

    unpack = getattr(raw, "tolist", None)
    value = unpack() if callable(unpack) else raw
    if value is EMPTY or value is None:
        return ""
    if isinstance(value, XlError):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if isinstance(value, bool | int | float) else str(value)
