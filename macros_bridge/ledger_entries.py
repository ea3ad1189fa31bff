"""What is entered by ``xlcalc ledger``: runs, steps, corrections and budgets, each with who, when and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from macros_bridge.ledger_booking import Booking
from macros_bridge.ledger_options import (
    Batch,
    Choose,
    Code,
    Day,
    Document,
    Json,
    On,
    Operator,
    Policy,
    Reason,
    Where,
    act_by,
    choices_known,
    day_named,
    label_of,
    opened,
    show,
)
from macros_bridge.options import day_given
from xlcalc.errors import InputError
from xlcalc.values.money import Money
from xlcalc.values.uscc import clean_uscc


def init(address: Where, as_json: Json = False) -> None:
    """建立台账；已有的台账升级到现用结构，原有记录全部保留。"""
    from workbooks.ledger.database import create_ledger
    from workbooks.ledger.upgrade import revisions

    create_ledger(address).close()
    show("init", {"revision": revisions()[-1]}, ["台账已就绪。"], as_json)


def book(
    paths: Annotated[list[Path], typer.Argument(help="已填写的工作簿或文件夹")],
    address: Where, batch: Batch, operator: Operator, day: Day, document: Document = "", reason: Reason = "",
    on: On = None, choose: Choose = None,
    correct: Annotated[bool, typer.Option("--correct", help="与已登记金额不同的，按更正登记，须写 --reason")] = False,
    as_json: Json = False,
) -> int:  # fmt: skip
    """按台账中此前已享受的金额核算，并登记可以确定的结果；同一文件只登记一次。"""
    from workbooks.batch.results import FileResult, Results
    from workbooks.batch.run import run
    from workbooks.batch.tasks import Options, find_tasks, hold_back_doubles, shown

    missing = [path for path in paths if not path.exists()]
    if missing:
        raise InputError("E-FILE", "没有这个文件或文件夹", where=str(missing[0]), remedy="请检查路径")
    booking = Booking(address, batch, act_by(operator, day, document, reason), correct)
    options = Options(on=day_given(on), choices=tuple(choices_known(choose).items()), ledger=booking.beside())
    tasks = find_tasks(paths, None)
    held: dict[str, FileResult] = {}

    def compute(wanted: Collection[str]) -> None:
        held.update(
            (item.path, item) for item in run([t for t in tasks if shown(t.path) in wanted], options, lambda _: None)
        )
        hold_back_doubles(held.values())

    compute([shown(task.path) for task in tasks])
    results = Results(held.values)
    entered = booking.enter_run(results, options, compute)
    assert entered is not None
    show("book", {"files": entered.files}, entered.lines or ["所给位置没有表格文件。"], as_json)
    return int(entered.is_open or not tasks)


def step(
    codes: Annotated[list[str], typer.Argument(help="统一社会信用代码，可多个；全部办理或全部不办理")],
    address: Where, policy: Policy, batch: Batch, operator: Operator, day: Day,
    take: Annotated[str, typer.Option("--take", help="步骤，如 publicise；不合规定时列出可以进行的步骤")],
    document: Document = "", reason: Reason = "",
    version: Annotated[str | None, typer.Option("--version", help="政策版本；不给则用登记时的或最新的")] = None,
    due: Annotated[str | None, typer.Option("--due", help="截止日期")] = None,
    due_days: Annotated[int | None, typer.Option("--due-days", help="自办理日次日起的工作日数")] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """办理一步：受理、退回补正、公示、发券、拨付、取消资格、收回……"""
    from workbooks.documents.deadlines import after_working_days, fixed
    from workbooks.ledger.acts import batch_named
    from workbooks.ledger.budgets import batches
    from workbooks.ledger.transitions import take_step

    if due is not None and due_days is not None:
        raise InputError("E-USAGE", "--due 与 --due-days 不能并用", remedy="请只保留一个")
    act = act_by(operator, day, document, reason)
    last = fixed(day_named(due, "--due")) if due is not None else None
    last = after_working_days(act.day, due_days) if due_days is not None else last
    with opened(address) as ledger:
        usccs = [clean_uscc(code) for code in codes]
        with ledger.reading() as connection:
            is_new = (policy, batch_named(batch)) not in batches(connection, policy)
        moved = take_step(ledger, act, policy, batch, usccs, take, version=version, due=last)
    lines = [f"{item.uscc}：{item.label}{f'，台账金额变动 {Money(item.fen)}' if item.fen else ''}" for item in moved]
    lines += [f"提示：{warning}" for warning in dict.fromkeys(warning for item in moved for warning in item.warnings)]
    if is_new:
        lines.append(f"提示：批次“{batch_named(batch)}”此前不在台账中，如是笔误请用 ledger withdraw 撤回")
    if last is not None:
        lines.append(f"截止日期：{last}{f'（{last.warning}）' if last.warning else ''}")
    content = {
        "moved": [{**asdict(item), "fen": item.fen} for item in moved],
        "due": last.day if last else None, "warning": last.warning if last else "",
    }  # fmt: skip
    show("step", content, lines, as_json)


def withdraw(
    code: Code, address: Where, policy: Policy, batch: Batch, operator: Operator, day: Day, reason: Reason,
    document: Document = "", as_json: Json = False,
) -> None:  # fmt: skip
    """撤回误登的最后一步；原记录保留，另记一笔。"""
    from workbooks.ledger.amendments import withdraw_step

    with opened(address) as ledger:
        moved = withdraw_step(ledger, act_by(operator, day, document, reason), policy, batch, clean_uscc(code))
    show("withdraw", asdict(moved), [f"{moved.uscc}：退回到“{moved.label}”"], as_json)


def correct(
    code: Code, address: Where, policy: Policy, batch: Batch, operator: Operator, day: Day, reason: Reason,
    amount: Annotated[str, typer.Option("--amount", help="更正后的金额，如 50000元")],
    item: Annotated[str, typer.Option("--item", help="方向，如 lighthouse；只有一项的不填")] = "",
    document: Document = "", as_json: Json = False,
) -> None:  # fmt: skip
    """更正误登的金额；原记录保留，另记一笔。"""
    from workbooks.ledger.amendments import correct_amount

    fen = Money.parse(amount).fen
    act = act_by(operator, day, document, reason)
    with opened(address) as ledger:
        done = correct_amount(ledger, act, policy, batch, clean_uscc(code), fen, item=item)
    paid = done.paid.isoformat() if done.paid else None
    content = {"difference": Money(done.difference).as_dict(), "over": done.over, "paid": paid}
    lines = [f"已更正为 {Money(fen)}（变动 {Money(done.difference)}）", *(f"超过上限：{what}" for what in done.over)]
    if paid:
        lines.append(f"提示：原金额已于 {paid} 兑付，差额 {Money(done.difference)} 须另行追回或补付")
    show("correct", content, lines, as_json)


def budget(
    address: Where,
    policy: Annotated[str | None, typer.Option("--policy", help="只看这个政策；设定总额时必填")] = None,
    batch: Annotated[str, typer.Option("--batch", help="设定总额的批次")] = "",
    add: Annotated[str | None, typer.Option("--add", help="设定或追加的总额，如 500万元；减少写负数")] = None,
    operator: Annotated[str, typer.Option("--operator", help="经办人")] = "",
    day: Annotated[str, typer.Option("--date", help="办理日期")] = "",
    document: Document = "", reason: Reason = "", as_json: Json = False,
) -> None:  # fmt: skip
    """各项目各批次的资金总额、已登记和剩余；用 --add 设定或追加总额。"""
    from workbooks.ledger.budgets import add_budget, budgets_of
    from workbooks.ledger.programmes import programme

    if policy is not None:
        programme(policy)
    with opened(address) as ledger:
        if add is not None:
            if policy is None or not batch or not day:
                raise InputError(
                    "E-USAGE", "设定总额须给出 --policy、--batch、--operator 和 --date", remedy="请补齐后重试"
                )
            act = act_by(operator, day, document, reason)
            add_budget(ledger, act, policy, batch, Money.parse(add).fen)
        with ledger.reading() as connection:
            found = [row for row in budgets_of(connection, policy) if batch in ("", row.batch)]
    lines = [
        f"{label_of(row.policy)} {row.batch}：已登记 {Money(row.granted)}"
        + (f"，总额 {Money(row.amount)}，剩余 {Money(row.left or 0)}" if row.amount is not None else "，未设总额")
        for row in found
    ]
    content = [{**asdict(row), "left": row.left} for row in found]
    show("budget", {"batches": content}, lines or ["台账中还没有批次。"], as_json)
