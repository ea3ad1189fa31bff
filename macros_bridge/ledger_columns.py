"""What the columns of lists for the ledger are: settled by headings, a person or 列对应.json before any is used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from xlcalc.errors import InputError

if TYPE_CHECKING:
    from workbooks.merging.column_mapping import Target, Told
    from workbooks.merging.foreign_table import ForeignTable


class _Read(Protocol):
    @property
    def tables(self) -> tuple[ForeignTable, ...]: ...

    @property
    def open_tables(self) -> list[ForeignTable]: ...


_List = TypeVar("_List", bound=_Read)


@dataclass(frozen=True)
class Asked:
    """Questions nobody was there to answer, written into 列对应.json: for reading and for ``--json``."""

    lines: list[str]
    content: dict[str, Any]


def settled(
    paths: Sequence[Path], read: Callable[[Path, Told], _List], form: str, targets: Sequence[Target],
    mapping: Path | None,
) -> tuple[list[_List], Asked | None]:  # fmt: skip
    """The lists as read; and what has to be answered first, where a column is in doubt.

    mapping: a 列对应.json with answers. Raises InputError ``E-FILE``, ``E-MAP``, and what ``read`` raises.
    """
    from macros_bridge.column_questions import ask_on_terminal, someone_is_there, write_answers
    from workbooks.merging.column_mapping import NOTHING_TOLD, read_mapping

    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise InputError("E-FILE", "没有这个文件", where=str(missing[0]), remedy="请检查路径")
    told = read_mapping(mapping, form, targets) if mapping else NOTHING_TOLD
    lists = [read(path, told) for path in paths]
    tables = [table for item in lists for table in item.open_tables]
    if tables and someone_is_there():
        told |= ask_on_terminal(tables, targets, input, sys.stderr)
        lists = [read(path, told) for path in paths]
    if not tables:
        return lists, None
    every = [table for item in lists for table in item.tables]
    answers = write_answers(Path(), form, targets, every)
    questions = [f"{table.example}：{text}" for table in every for text in table.questions]
    if not questions:
        return lists, None
    lines = [*questions, f"有列需要确认，没有登记。请填好 {answers}，再加 --map {answers} 运行"]
    return lists, Asked(lines, {"questions": questions, "column_map": str(answers)})
