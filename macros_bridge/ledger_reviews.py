"""``xlcalc ledger review``: a third party's results compared with the ledger and, when asked to, entered."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from macros_bridge.ledger_columns import settled
from macros_bridge.ledger_options import Batch, Document, Json, Policy, Reason, Where, act_by, opened, show
from macros_bridge.options import day_given
from xlcalc.errors import InputError
from xlcalc.values.money import Money

if TYPE_CHECKING:
    from workbooks.ledger.acts import Act
    from workbooks.ledger.reviews import Compared


def review(
    paths: Annotated[list[Path], typer.Argument(help="第三方的审核结果：.xlsx、.csv 等，列名不限")],
    address: Where, policy: Policy, batch: Batch,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="比对表写到哪个文件夹；不给则不写")] = None,
    mapping: Annotated[Path | None, typer.Option("--map", help="已填好的列对应.json")] = None,
    commit: Annotated[bool, typer.Option("--commit", help="登记通过、不通过；不加则只比对")] = False,
    operator: Annotated[str, typer.Option("--operator", help="经办人")] = "",
    day: Annotated[str, typer.Option("--date", help="办理日期，也是比对表的日期")] = "",
    document: Document = "", reason: Reason = "",
    office: Annotated[str, typer.Option("--office", help="比对单位；不给则为政策制定单位")] = "",
    as_json: Json = False,
) -> int:  # fmt: skip
    """第三方审核结果逐家与台账比对，写出比对表；加 --commit 才登记通过、不通过。"""
    from workbooks.batch.run import ensure_writable
    from workbooks.documents.naming import write_new
    from workbooks.ledger.acts import batch_named
    from workbooks.ledger.review_files import FORM, read_review, targets_of_review
    from workbooks.ledger.review_sheet import comparison_sheet, counted
    from workbooks.ledger.reviews import compare, enter, require_review

    act = _act(commit, operator, day, document, reason)
    opened(address).close()
    require_review(policy)
    named = batch_named(batch)
    read, asked = settled(paths, lambda path, told: read_review(path, named, told), FORM, targets_of_review(), mapping)
    if asked:
        show("review", {"rows": [], **asked.content}, asked.lines, as_json)
        return 1
    files = list({item.source.sha256: item for item in read}.values())
    if output is not None:
        ensure_writable(output)
    with opened(address) as ledger:
        rows = enter(ledger, act, policy, named, files) if act else compare(ledger, policy, named, files, reason)
    lines = [*(_line(row) for row in rows if row.is_open or row.differences), f"共 {len(rows)} 家：{counted(rows)}"]
    if act:
        lines.append(f"登记 {sum(bool(row.step) for row in rows)} 家")
    written = None
    if output is not None:
        made = comparison_sheet(policy, named, rows, day=day_given(day or None, "--date"), office=office)
        written = write_new(output, made.name, made.data)
        lines.append(f"已生成 {written}")
    content = {
        "policy": policy, "batch": named, "committed": act is not None, "sheet": str(written) if written else None,
        "files": [{"file": item.source.name, "sha256": item.source.sha256} for item in files],
        "rows": [_json(row) for row in rows],
    }  # fmt: skip
    show("review", content, lines, as_json)
    return int(any(row.is_open for row in rows))


def _act(commit: bool, operator: str, day: str, document: str, reason: str) -> Act | None:
    if not commit:
        if operator or document:
            remedy = "登记请加上 --commit；只比对请去掉 --operator 和 --document"
            raise InputError("E-USAGE", "没有 --commit，不会登记", where="--commit", remedy=remedy)
        return None
    if not operator or not day or not document:
        remedy = "请给出 --operator、--date 和 --document"
        raise InputError("E-USAGE", "登记须写明经办人、办理日期和文号", where="--commit", remedy=remedy)
    return act_by(operator, day, document, reason)


def _line(row: Compared) -> str:
    from workbooks.documents.doubtful_codes import mask_code
    from workbooks.ledger.review_sheet import LABELS

    who = row.name or mask_code(row.uscc)
    said = "；".join(part for part in (*row.differences, row.note) if part)
    return f"{row.place} {who} {LABELS[row.result]}：{said}"


def _json(row: Compared) -> dict[str, Any]:
    said = row.opinion
    content = asdict(row) | {"amount": _money(row.fen), "is_open": row.is_open}
    del content["fen"]
    if said is not None:
        content["opinion"] = {
            "passed": said.passed, "amount": _money(said.fen), "reason": said.reason,
            "level": None if said.level is None else int(said.level),
        }  # fmt: skip
    return content


def _money(fen: int | None) -> dict[str, Any] | None:
    return None if fen is None else Money(fen).as_dict()
