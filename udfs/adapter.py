"""Between cells and functions: the one place that knows what a cell may hold.

Every front end calls ``call`` with what its cells hold and shows what comes back: a number, an empty text
where an input is still missing, or an error value. It never raises, and never gives text for a number.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from udfs.registry import PER_ROW, UDFS, Arg, Kind, Udf, assessment
from xlcalc.errors import InputError, XlcalcError
from xlcalc.mechanisms.assessment_answers import Question
from xlcalc.values.levels import parse_level
from xlcalc.values.money import Money
from xlcalc.values.text import normalise, squeeze

ERROR_CODES = frozenset(
    {
        "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#GETTING_DATA",
        "#SPILL!", "#CALC!", "#CONNECT!", "#BLOCKED!", "#UNKNOWN!", "#FIELD!", "#BUSY!",
    }
)  # fmt: skip
_SEPARATORS = re.compile(r"[、,;/|\s]+")
_log = logging.getLogger(__name__)


class UdfError(str):
    """An error value of a cell, such as ``#VALUE!``; a front end turns it into its own error type."""

    __slots__ = ()

    @property
    def code(self) -> str:
        """The code as plain text."""
        return str(self)


Result = float | int | str
Grid = list[list[object]]

_VALUE = UdfError("#VALUE!")


def call(name: str, args: Sequence[object]) -> Result | list[list[Result]]:
    """What the cell shows: one value, or rows of values where an argument was a column.

    args: cell values as any front end delivers them: scalars, lists, rows of lists, NumPy arrays.
    """
    udf = UDFS.get(name.upper())
    if udf is None:
        return UdfError("#NAME?")
    try:
        return _call(udf, args)
    except XlcalcError:
        return _VALUE
    except Exception:  # whatever happened, a cell must show an error and not a traceback
        _log.exception("%s", name)
        return _VALUE


def _call(udf: Udf, args: Sequence[object]) -> Result | list[list[Result]]:
    required = sum(not arg.optional for arg in udf.args)
    if not required <= len(args) <= len(udf.args):
        return _VALUE
    grids = [_grid(raw) for raw in args] + [[[None]]] * (len(udf.args) - len(args))
    pairs = list(zip(udf.args, grids, strict=True))
    whole: dict[str, object] = {}
    for arg, grid in pairs:
        if arg.kind not in PER_ROW:
            whole[arg.name] = _whole(arg.kind, grid, whole.get("policy"))
    shapes = {(len(grid), len(grid[0])) for arg, grid in pairs if arg.kind in PER_ROW} - {(1, 1)}
    if len(shapes) > 1:
        return _VALUE
    height, width = shapes.pop() if shapes else (1, 1)

    def cell(row: int, column: int) -> Result:
        values = [whole[arg.name] if arg.name in whole else _at(arg, grid, row, column) for arg, grid in pairs]
        return _one(udf, values)

    if (height, width) == (1, 1):
        return cell(0, 0)
    return [[cell(row, column) for column in range(width)] for row in range(height)]


def _at(arg: Arg, grid: Grid, row: int, column: int) -> object:
    return _read(arg.kind, grid[0][0] if len(grid) == len(grid[0]) == 1 else grid[row][column])


def _one(udf: Udf, values: Sequence[object]) -> Result:
    for value in values:
        if isinstance(value, UdfError):
            return value
    if any(value is None and not arg.optional for arg, value in zip(udf.args, values, strict=True)):
        return ""
    try:
        result = udf.call(*values)
    except XlcalcError:
        return _VALUE
    if result is None:
        return ""
    if isinstance(result, Money):
        return result.fen / 100
    return float(result) if isinstance(result, Fraction) else int(result)


def _grid(raw: object) -> Grid:
    """Cell values as rows of equal length; a flat list is a column."""
    raw = _plain(raw)
    if not isinstance(raw, list | tuple):
        return [[raw]]
    rows = [[_plain(cell) for cell in row] if isinstance(row, list | tuple) else [_plain(row)] for row in raw]
    if not rows or not rows[0]:
        return [[None]]
    if any(len(row) != len(rows[0]) for row in rows):
        raise InputError("E-RANGE", "各行的单元格数不一致")
    return rows


def _plain(value: object) -> object:
    """NumPy arrays and numbers as Python lists and numbers."""
    unpack = getattr(value, "tolist", None)
    return unpack() if callable(unpack) else value


def _screen(cell: object) -> object:
    """None for an empty cell, a UdfError for an error or a logical value, else the cell."""
    if isinstance(cell, str):
        text = cell.strip()
        if not text:
            return None
        return UdfError(text.upper()) if text.upper() in ERROR_CODES else str(cell)
    return _VALUE if isinstance(cell, bool) else cell


def _read(kind: Kind, cell: object) -> object:
    """One cell as its argument's value, None where it is empty."""
    cell = _screen(cell)
    if cell is None or isinstance(cell, UdfError):
        return cell
    try:
        if kind == "yuan":
            return _money(cell)
        if kind == "level":
            return int(parse_level(cell if isinstance(cell, str) else _whole_number(cell)))
        return normalise(cell) if isinstance(cell, str) else _VALUE
    except XlcalcError:
        return _VALUE


def _number(cell: object) -> Decimal:
    """A cell's number as it is shown: 15 significant digits, what lies beyond is noise of binary arithmetic."""
    if isinstance(cell, float):
        return Decimal(format(cell, ".15g"))
    if isinstance(cell, int | Decimal):
        return Decimal(cell)
    raise InputError("E-NUMBER", "不是数字")


def _whole_number(cell: object) -> int:
    number = _number(cell)
    if not number.is_finite() or number != number.to_integral_value():
        raise InputError("E-INTEGER", "不是整数")
    return int(number)


def _money(cell: object) -> Money:
    """An amount of 元; text may name its unit, and is 元 where it does not."""
    if isinstance(cell, str):
        try:
            amount = Money.parse(cell)
        except InputError as error:
            if error.code != "E-UNIT":
                raise
            amount = Money.parse(f"{cell}元")
    else:
        amount = Money.from_yuan(_number(cell))
    if amount.fen < 0:
        raise InputError("E-NEGATIVE", "金额为负数")
    return amount


def _whole(kind: Kind, grid: Grid, policy: object) -> object:
    """A policy id, or all cells of a questionnaire by question or scene; None where one that must be there is empty."""
    cells = [cell for row in grid for cell in row]
    if kind == "policy":
        return _read(kind, cells[0]) if len(cells) == 1 else _VALUE
    screened = [_screen(cell) for cell in cells]
    errors = [cell for cell in screened if isinstance(cell, UdfError)]
    if errors or policy is None or isinstance(policy, UdfError) or screened == [None]:
        return errors[0] if errors else None
    form = assessment(str(policy))
    wanted = form.questions if kind == "answers" else form.scenes
    if len(cells) != len(wanted) or 1 not in (len(grid), len(grid[0])):
        return _VALUE
    if kind == "scenes":
        levels = [_read("level", cell) for cell in screened]
        return _VALUE if _VALUE in levels else _named(form.scenes, levels)
    answers = [_answer(question, cell) for question, cell in zip(form.questions, screened, strict=True)]
    form.read_answers(_named(form.questions, answers))
    return None if None in answers else _named(form.questions, answers)


def _named(items: Sequence[object], values: Sequence[object]) -> Mapping[str, object]:
    return {item.key: value for item, value in zip(items, values, strict=True) if value is not None}  # type: ignore[attr-defined]


def _answer(question: Question, cell: object) -> list[str] | None:
    """The option codes a cell names: by code or label, several separated, or letters written together."""
    if cell is None:
        return None
    if not isinstance(cell, str):
        raise InputError("E-ANSWER", f"第{question.number}题的答案不是文字")
    spellings = [(word, option.code) for option in question.options for word in (option.label, option.code)]
    words = {squeeze(word).casefold(): code for word, code in spellings}
    if (whole := squeeze(cell).casefold()) in words:
        return [words[whole]]
    parts = [part for part in _SEPARATORS.split(normalise(cell).casefold()) if part]
    if all(len(option.code) == 1 for option in question.options):
        parts = list("".join(parts))
    if not parts or any(part not in words for part in parts):
        raise InputError("E-ANSWER", f"第{question.number}题没有选项“{cell[:20]}”")
    return [words[part] for part in parts]
