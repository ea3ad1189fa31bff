"""``xlcalc ledger import``: earlier years' lists, read as ``xlcalc merge`` reads other people's tables, and entered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from macros_bridge.ledger_booking import Booking
from macros_bridge.ledger_columns import settled
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


def import_lists(
    paths: Annotated[list[Path], typer.Argument(help="往年名单：.xlsx、.csv 等，列名不限")],
    address: Where, policy: Policy, batch: Batch, operator: Operator, day: Day,
    mapping: Annotated[Path | None, typer.Option("--map", help="已填好的列对应.json")] = None,
    version: Annotated[str | None, typer.Option("--version", help="当时的政策版本；不给则用最新的")] = None,
    reached: Annotated[str, typer.Option("--reached", help="名单中的企业已到的阶段，如 认定、兑付；不给则为草稿")] = "",
    document: Document = "", reason: Reason = "", as_json: Json = False,
) -> int:  # fmt: skip
    """把往年的名单登记到台账：各列先对应，每个文件只登记一次。"""
    from workbooks.ledger.earlier_lists import FORM, read_list, state_named, targets_of_list, walk_to
    from workbooks.ledger.overtaken import overtaken
    from xlcalc.packs.registry import load_policy

    act = act_by(operator, day, document, reason)
    opened(address).close()
    targets = targets_of_list(policy)
    if reached:
        state_named(policy, reached)
    held = load_policy(policy).version(version) if version else load_policy(policy).newest
    lists, asked = settled(paths, lambda path, told: read_list(path, policy, held, told), FORM, targets, mapping)
    if asked:
        show("import", {"files": [], **asked.content}, asked.lines, as_json)
        return 1
    entered = Booking(address, batch, act).enter_files([item.file for item in lists], act)
    lines, moved = list(entered.lines), 0
    with opened(address) as ledger, ledger.reading() as connection:
        for item, entry in zip(lists, entered.files, strict=True):
            if entry["state"] == "booked":
                warnings = overtaken(connection, policy, batch, item.file)
                entry["warnings"] = (*entry["warnings"], *warnings)
                lines += [f"  提示：{warning}" for warning in warnings]
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
