"""``xlcalc ledger import``: earlier years' lists, read as ``xlcalc merge`` reads other people's tables, and entered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from macros_bridge.ledger_booking import Booking
from macros_bridge.ledger_options import (
    Batch,
    Day,
    Document,
    Json,
    Operator,
    Policy,
    Reason,
    Where,
    act_by,
    opened,
    show,
)
from xlcalc.errors import InputError


def import_lists(
    paths: Annotated[list[Path], typer.Argument(help="往年名单：.xlsx、.csv 等，列名不限")],
    address: Where, policy: Policy, batch: Batch, operator: Operator, day: Day,
    mapping: Annotated[Path | None, typer.Option("--map", help="已填好的列对应.json")] = None,
    version: Annotated[str | None, typer.Option("--version", help="当时的政策版本；不给则用最新的")] = None,
    reached: Annotated[str, typer.Option("--reached", help="名单中的企业已到的阶段，如 认定、兑付；不给则为草稿")] = "",
    document: Document = "", reason: Reason = "", as_json: Json = False,
) -> int:  # fmt: skip
    """把往年的名单登记到台账：各列先对应，每个文件只登记一次。"""
    from macros_bridge.column_questions import ask_on_terminal, someone_is_there, write_answers
    from workbooks.ledger.earlier_lists import FORM, read_list, state_named, targets_of_list, walk_to
    from workbooks.merging.column_mapping import NOTHING_TOLD, read_mapping
    from xlcalc.packs.registry import load_policy

    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise InputError("E-FILE", "没有这个文件", where=str(missing[0]), remedy="请检查路径")
    act = act_by(operator, day, document, reason)
    opened(address).close()
    targets = targets_of_list(policy)
    if reached:
        state_named(policy, reached)
    held = load_policy(policy).version(version) if version else load_policy(policy).newest
    told = read_mapping(mapping, FORM, targets) if mapping else NOTHING_TOLD
    lists = [read_list(path, policy, held, told) for path in paths]
    tables = [table for item in lists for table in item.open_tables]
    if tables and someone_is_there():
        told |= ask_on_terminal(tables, targets, input, sys.stderr)
        lists = [read_list(path, policy, held, told) for path in paths]
    if tables:
        every = [table for item in lists for table in item.tables]
        answers = write_answers(Path(), FORM, targets, every)
        questions = [f"{table.example}：{text}" for table in every for text in table.questions]
        if questions:
            lines = [*questions, f"有列需要确认，没有登记。请填好 {answers}，再加 --map {answers} 运行"]
            show("import", {"files": [], "questions": questions, "column_map": str(answers)}, lines, as_json)
            return 1
    entered = Booking(address, batch, act).enter_files([item.file for item in lists], act)
    lines, moved = list(entered.lines), 0
    if reached:
        usccs = [
            line.uscc for item, entry in zip(lists, entered.files, strict=True) if "error" not in entry
            for line in item.file.lines
        ]  # fmt: skip
        with opened(address) as ledger:
            moved = walk_to(ledger, act, policy, batch, usccs, reached)
        lines.append(f"已办到“{reached}”：{moved} 家")
    show("import", {"files": entered.files, "moved": moved}, lines, as_json)
    return int(entered.is_open)
