"""Checks on whole columns before int64 arithmetic; what would overflow or mislead is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xlcalc.errors import InputError
from xlcalc.values.money import MAX_FEN

if TYPE_CHECKING:
    from numpy.typing import NDArray


def checked_fen(column: NDArray[Any], name: str) -> NDArray[np.int64]:
    """A column of fen as int64; raises InputError ``E-COLUMN`` for floats, negatives and absurd amounts."""
    if column.dtype.kind not in "iu":
        raise InputError(
            "E-COLUMN", f"列 {name} 不是整数（单位：分）", where=name, remedy="请以整数分传入，不要用浮点元"
        )
    if len(column) and (int(column.min()) < 0 or int(column.max()) > MAX_FEN):
        row = int(np.flatnonzero((column < 0) | (column > MAX_FEN))[0])
        raise InputError("E-COLUMN", f"列 {name} 第 {row} 行金额为负或超过100亿元", where=name, remedy="请先处理该行")
    return column.astype(np.int64)


def checked_levels(column: NDArray[Any], name: str) -> NDArray[np.int64]:
    """A column of levels 0–4 as int64; raises InputError ``E-COLUMN`` for anything else."""
    if column.dtype.kind not in "iu" or (len(column) and not 0 <= int(column.min()) <= int(column.max()) <= 4):
        raise InputError("E-COLUMN", f"列 {name} 含有0–4以外的等级", where=name, remedy="请先处理缺失或无法识别的等级")
    return column.astype(np.int64)
