"""``xlcalc ledger export``: official sheets and letters from the ledger; and earlier years' lists read into it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from macros_bridge.ledger_options import Where, opened
from macros_bridge.options import day_given
from xlcalc.errors import InputError

KINDS = {
    "issued": "发券台账", "payment": "拨付表", "publicity": "公示名单", "recovery": "收回通知",
    "objections": "异议登记表", "history": "企业享受情况",
}  # fmt: skip
_ONLY_FOR = {
    "--document": "recovery", "--start": "publicity", "--days": "publicity", "--codes": "publicity",
    "--contact": "publicity", "--enterprise": "history",
}  # fmt: skip
_LISTED = "、".join(f"{kind}（{title}）" for kind, title in KINDS.items())


def export(
    kind: Annotated[str, typer.Argument(help=_LISTED)],
    address: Where,
    output: Annotated[Path, typer.Option("-o", "--output", help="写到哪个文件夹；已有的文件不覆盖")],
    policy: Annotated[str, typer.Option("--policy", help="政策；企业享受情况不需要")] = "",
    batch: Annotated[str, typer.Option("--batch", help="批次；企业享受情况不需要")] = "",
    enterprise: Annotated[
        list[str] | None, typer.Option("--enterprise", help="企业享受情况：统一社会信用代码，可多次")
    ] = None,
    office: Annotated[str, typer.Option("--office", help="出具单位；不给则为政策制定单位")] = "",
    day: Annotated[str | None, typer.Option("--date", help="文书日期；不给则留空")] = None,
    document: Annotated[str, typer.Option("--document", help="收回通知：文号；其他表格没有文号")] = "",
    start: Annotated[str | None, typer.Option("--start", help="公示名单：公示开始日期")] = None,
    days: Annotated[int | None, typer.Option("--days", help="公示名单：公示工作日数，开始当日不计")] = None,
    codes: Annotated[bool, typer.Option("--codes", help="公示名单：列出部分遮盖的信用代码")] = False,
    contact: Annotated[str, typer.Option("--contact", help="公示名单：受理异议的方式")] = "",
) -> None:
    """从台账生成正式表格和通知。"""
    from workbooks.batch.run import ensure_writable
    from workbooks.documents.deadlines import after_working_days
    from workbooks.documents.naming import write_new
    from workbooks.ledger.exports import Said, exported, history_document

    if kind not in KINDS:
        raise InputError("E-USAGE", f"没有“{kind[:20]}”这种表", where="KIND", remedy=f"可选：{_LISTED}")
    given = {
        "--document": document, "--start": start, "--days": days, "--codes": codes, "--contact": contact,
        "--enterprise": enterprise,
    }  # fmt: skip
    for option, value in given.items():
        if value and _ONLY_FOR[option] != kind:
            remedy = f"请去掉 {option}；它只用于{KINDS[_ONLY_FOR[option]]}"
            raise InputError("E-USAGE", f"{KINDS[kind]}用不到 {option}", where=option, remedy=remedy)
    if kind == "history" and not enterprise:
        raise InputError("E-USAGE", "企业享受情况须指明企业", where="--enterprise", remedy="请给出统一社会信用代码")
    if kind != "history" and not (policy and batch):
        raise InputError(
            "E-USAGE", f"{KINDS[kind]}须指明政策和批次", where="--policy", remedy="请给出 --policy 和 --batch"
        )
    first = day_given(start, "--start")
    if days is not None and first is None:
        raise InputError("E-USAGE", "--days 须与 --start 同时给出", where="--days", remedy="请给出公示开始日期")
    end = after_working_days(first, days) if first is not None and days is not None else None
    said = Said(office, day_given(day, "--date"), document, first, end, codes, contact)
    with opened(address) as ledger, ledger.reading() as connection:
        if kind == "history":
            made = [history_document(connection, code, said) for code in enterprise or ()]
        else:
            made = exported(connection, kind, policy, batch, said)
    ensure_writable(output)
    for item in made:
        print(f"已生成 {write_new(output, item.name, item.data)}")
    if end is not None and end.warning:
        print(f"注意 公示期：{end.warning}")
    if first is not None and end is None:
        print("注意 公示期：没有给出工作日数（--days），截止日期留空")
