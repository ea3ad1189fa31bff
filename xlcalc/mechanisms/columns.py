"""Checks on whole columns before int64 arithmetic; what would overflow or mislead is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xlcalc.errors import InputError
from xlcalc.values.money import MAX_FEN

if TYPE_CHECKING:
    from numpy.typing import NDArray


def equal_columns(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The columns as arrays of one length; raises InputError ``E-COLUMN`` where they differ."""
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    lengths = {len(column) if column.ndim else -1 for column in arrays.values()}
    if len(lengths) > 1 or -1 in lengths:
        found = "、".join(f"{name} {column.shape}" for name, column in arrays.items())
        raise InputError("E-COLUMN", f"各列的行数不同：{found}", remedy="请传入等长的列")
    return arrays


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
    bad = np.flatnonzero((column < 0) | (column > 4)) if column.dtype.kind in "iu" else np.arange(len(column))
    if len(bad):
        raise InputError(
            "E-COLUMN",
            f"列 {name} 第 {int(bad[0])} 行不是0–4的整数等级",
            where=name,
            remedy="请先处理缺失或无法识别的等级",
        )
    return column.astype(np.int64)
