"""What ``xlcalc ledger`` is asked: what was had, what remains, what stands twice, what is due, and its upkeep."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from macros_bridge.ledger_options import (
    Choose,
    Code,
    Json,
    On,
    Page,
    Where,
    choices_known,
    day_named,
    label_of,
    opened,
    show,
    shown_of,
)
from macros_bridge.options import day_given
from xlcalc.errors import InputError
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money

_NOBODY = "台账中没有这家企业。"


def had(code: Code, address: Where, as_json: Json = False) -> None:
    """这家企业已享受的：各项目、各批次的金额和所处阶段。"""
    from workbooks.ledger import questions

    with opened(address) as ledger, ledger.reading() as connection:
        uscc = questions.code_asked(connection, code)
        names, found = questions.names_of(connection, uscc), questions.had(connection, uscc)
    lines = [f"{uscc} {'、'.join(names)}"] if found else [_NOBODY]
    lines += [f"{label_of(row.policy)} {row.batch}：{Money(row.fen)}，{row.state}" for row in found]
    if found:
        lines.append(f"合计 {Money(sum(row.fen for row in found))}")
    content = [{**asdict(row), "fen": row.fen} for row in found]
    show("had", {"uscc": uscc, "names": names, "held": content}, lines, as_json)


def remaining(code: Code, address: Where, on: On = None, choose: Choose = None, as_json: Json = False) -> None:
    """这家企业在各项上限下还剩多少，按所选口径。"""
    from workbooks.ledger import questions

    with opened(address) as ledger, ledger.reading() as connection:
        uscc = questions.code_asked(connection, code)
        found = questions.remaining(connection, uscc, on=day_given(on), choices=choices_known(choose))
    lines = [
        f"{label_of(row.policy)}：上限 {Money(row.amount)}（{row.article}），"
        f"已用 {Money(row.used)}，"
        + (f"超过 {Money(row.used - row.amount)}" if row.used > row.amount else f"剩余 {Money(row.left)}")
        for row in found
    ]
    content = [{**asdict(row), "left": row.left} for row in found]
    show("remaining", {"uscc": uscc, "caps": content}, lines or ["所选口径下没有上限。"], as_json)


def double(
    address: Where, code: Annotated[str | None, typer.Option("--enterprise", help="只看这家企业")] = None,
    page: Page = 1, as_json: Json = False,
) -> None:  # fmt: skip
    """在多个项目、城市或批次享受的企业；能否兼得由主管部门判断。"""
    from workbooks.ledger.crosschecks import doubles
    from workbooks.ledger.questions import code_asked

    with opened(address) as ledger, ledger.reading() as connection:
        found = doubles(connection, code_asked(connection, code) if code else None, page=page)
    lines = []
    for row in found.rows:
        lines.append(f"{row.uscc} {'、'.join(row.names)}")
        lines += [f"  {label_of(policy)} {batch}：{Money(fen)}" for policy, batch, fen in row.held]
    lines = (lines or ["没有重复享受的企业。"]) + shown_of(found.total, len(found.rows), page)
    show("double", {"enterprises": [asdict(row) for row in found.rows], "total": found.total}, lines, as_json)


def papers(address: Where, page: Page = 1, as_json: Json = False) -> None:
    """两次以上申报用过的发票号码和合同编号。"""
    from workbooks.ledger.crosschecks import papers_used_twice

    with opened(address) as ledger, ledger.reading() as connection:
        found = papers_used_twice(connection, page=page)
    kinds = {"invoice": "发票", "contract": "合同"}
    lines = []
    for row in found.rows:
        lines.append(f"{kinds[row.kind]} {row.number}")
        lines += [f"  {uscc} {label_of(policy)} {batch}" for uscc, policy, batch in row.uses]
    lines = (lines or ["没有重复使用的发票和合同。"]) + shown_of(found.total, len(found.rows), page)
    show("papers", {"papers": [asdict(row) for row in found.rows], "total": found.total}, lines, as_json)


def names(address: Where, page: Page = 1, as_json: Json = False) -> None:
    """一个代码几个名称，以及相近的名称；只作提示，由人核对。"""
    from workbooks.ledger.crosschecks import codes_with_two_names, near_names_of

    with opened(address) as ledger, ledger.reading() as connection:
        several, near = codes_with_two_names(connection, page=page), near_names_of(connection, page=page)
    lines = [f"一码多名 {row.uscc}：{'、'.join(row.names)}" for row in several.rows] or ["没有一码多名的。"]
    lines += shown_of(several.total, len(several.rows), page)
    lines += [f"名称相近 {' — '.join(f'{name}（{uscc}）' for uscc, name in row.users)}" for row in near.rows]
    lines += shown_of(near.total, len(near.rows), page) if near.rows else ["没有相近的名称。"]
    content = {
        "several": {row.uscc: row.names for row in several.rows}, "several_total": several.total,
        "near": [row.users for row in near.rows], "near_total": near.total,
    }  # fmt: skip
    show("names", content, lines, as_json)


def due(
    address: Where,
    first: Annotated[str, typer.Option("--from", help="自哪日起，如 2025-07-01")],
    last: Annotated[str, typer.Option("--to", help="至哪日止")],
    as_json: Json = False,
) -> None:
    """到期事项：公示期满、补正截止、可再次认定。"""
    from workbooks.ledger import due as deadlines

    start, end = day_named(first, "--from"), day_named(last, "--to")
    if end < start:
        raise InputError("E-PERIOD", "截止日早于起始日", where="--to", remedy="请核对日期")
    with opened(address) as ledger, ledger.reading() as connection:
        found = deadlines.due(connection, start, end)
    lines = [
        f"{chinese_date(row.day)} {row.kind}：{row.uscc} {label_of(row.policy)} {row.batch}"
        + (f"（{row.warning}）" if row.warning else "")
        for row in found
    ]
    show("due", {"due": [asdict(row) for row in found]}, lines or ["这段时间没有到期事项。"], as_json)


def history(code: Code, address: Where, as_json: Json = False) -> None:
    """这家企业的全部记录：何人、何日、依据哪个文件和政策版本。"""
    from workbooks.ledger import questions

    with opened(address) as ledger, ledger.reading() as connection:
        uscc = questions.code_asked(connection, code)
        found = questions.history(connection, uscc)
    lines = []
    for row in found:
        money = f" {Money(row.fen)}" if row.fen is not None else ""
        by = "，".join(part for part in (row.operator, row.document, row.reason, row.source) if part)
        lines.append(
            f"第{row.act}号 {chinese_date(row.day)} {label_of(row.policy)} {row.batch}：{row.what}{money}（{by}）"
        )
    show("history", {"uscc": uscc, "events": [asdict(row) for row in found]}, lines or [_NOBODY], as_json)


def replay(
    paths: Annotated[list[Path], typer.Argument(help="登记过的原文件或文件夹")], address: Where, as_json: Json = False
) -> int:
    """按当时的政策版本、口径和此前已享受的金额复算登记过的文件，与登记的结果比对。"""
    from workbooks.batch.tasks import find_tasks
    from workbooks.ledger.replay import replay as computed_again

    with opened(address) as ledger:
        found = computed_again(ledger, [task.path for task in find_tasks(paths, None)])
    lines = []
    for row in found:
        if row.act is None:
            lines.append(f"{row.file}：{'；'.join(row.differences)}")
            continue
        lines.append(f"{row.file}：{'复算一致' if row.same else '不一致'}（{row.lines} 项）")
        lines += [f"  {text}" for text in row.differences]
    show("replay", {"files": [{**asdict(row), "same": row.same} for row in found]}, lines, as_json)
    return int(not found or not all(row.same for row in found))


def check(
    address: Where,
    again: Annotated[bool, typer.Option("--rebuild", help="先按登记重新推算供查询用的表；登记不动")] = False,
    as_json: Json = False,
) -> int:
    """检查台账是否完好：封存值、余额、步骤、上限和推算的表逐一重新核对。"""
    from workbooks.ledger.integrity import check as problems_of
    from workbooks.ledger.integrity import packs_changed, rebuild

    with opened(address) as ledger:
        if again:
            rebuild(ledger)
        problems, changed = problems_of(ledger), packs_changed(ledger)
    lines = [*(problems or ["台账完好。"]), *(f"提示：{text}" for text in changed)]
    show("check", {"problems": problems, "packs_changed": changed}, lines, as_json)
    return int(bool(problems))


def backup(
    target: Annotated[Path, typer.Argument(help="备份写到哪个新文件")], address: Where, as_json: Json = False
) -> None:
    """备份整个台账到一个新文件；PostgreSQL 上的也一样。"""
    from workbooks.ledger.copies import backup as copied

    with opened(address) as ledger:
        acts = copied(ledger, target)
    show("backup", {"acts": acts, "file": str(target)}, [f"已备份 {acts} 次登记，并核对无误：{target}"], as_json)


def restore(source: Annotated[Path, typer.Argument(help="备份文件")], address: Where, as_json: Json = False) -> None:
    """从备份恢复到新的台账文件或空的数据库；已有记录的不覆盖。"""
    from workbooks.ledger.copies import restore as copied

    acts = copied(source, address)
    show("restore", {"acts": acts}, [f"已恢复 {acts} 次登记，并核对无误。"], as_json)
