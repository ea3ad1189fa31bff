"""``xlcalc merge PATH… -t TEMPLATE -o FILE``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from macros_bridge.options import chosen, day_given


def merge_command(
    paths: Annotated[list[Path], typer.Argument(help="申报材料、推荐表、汇总表或其他表格，或文件夹")],
    template: Annotated[str, typer.Option("-t", "--template", help="汇总成哪个推荐表或汇总表")],
    output: Annotated[Path, typer.Option("-o", "--output", help="写到哪个 .xlsx 文件")],
    map: Annotated[Path | None, typer.Option("--map", help="已填好的列对应.json")] = None,  # noqa: A002
    passed_only: Annotated[bool, typer.Option("--passed-only", help="只列入审核通过的企业")] = False,
    on: Annotated[str | None, typer.Option("--on", help="申报日期，如 2025-05-31")] = None,
    choose: Annotated[list[str] | None, typer.Option("--choose", help="选用口径，如 AMB-31=literal，可多次")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档")] = False,
) -> None:
    """把许多申报材料和表格合并成一个推荐表或汇总表；每家企业一行，取值与申报书一致。"""
    from macros_bridge.merge_run import run_merge

    code = run_merge(
        paths, template, output, map,
        passed_only=passed_only, on=day_given(on), choices=chosen(choose), as_json=as_json,
    )  # fmt: skip
    raise typer.Exit(code)
