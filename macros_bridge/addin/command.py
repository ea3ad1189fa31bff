"""``xlcalc addin build | install | doctor``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from xlcalc.errors import InputError, XlcalcError

addin_app = typer.Typer(help="Excel 和 LibreOffice 的安装包、安装和检查。", no_args_is_help=True, rich_markup_mode=None)


@addin_app.command()
def build(
    outdir: Annotated[Path, typer.Option("-o", "--output", help="写到哪个空文件夹")],
    wheels: Annotated[Path | None, typer.Option("--wheels", help="已下载的 Windows 依赖包所在文件夹")] = None,
) -> None:
    """生成办公电脑用的离线安装包（文件夹）。"""
    from macros_bridge.addin.build import build as build_kit

    print(f"安装包已生成：{build_kit(outdir, wheels=wheels)}")


@addin_app.command()
def install(
    source: Annotated[Path | None, typer.Argument(help="安装包文件夹，或 .oxt 文件")] = None,
) -> None:
    """为当前用户安装：Windows 上供 Excel 使用，Linux 上为 LibreOffice 插件。"""
    from macros_bridge.addin.install import install as install_here

    print("\n".join(install_here(source).lines))


@addin_app.command()
def doctor(
    workbook: Annotated[Path | None, typer.Argument(help="要一并检查的 .xlsm")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档")] = False,
) -> None:
    """检查本机能否使用函数和按钮；有不可用的项目时退出码为 1。"""
    from macros_bridge.addin.doctor import doctor as look
    from macros_bridge.addin.doctor import document, failed

    if workbook is not None and not workbook.is_file():
        raise InputError("E-FILE", "没有这个文件", where=str(workbook), remedy="请检查路径")
    lines = look(workbook)
    if as_json:
        sys.stdout.write(json.dumps(document(lines), ensure_ascii=False, indent=2) + "\n")
    else:
        print("\n".join(map(str, lines)))
    if failed(lines):
        raise typer.Exit(1)


def main() -> None:
    """Entry point of doctor.bat; an error is words on the screen and exit code 2."""
    try:
        code = addin_app(standalone_mode=False)
    except XlcalcError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    raise SystemExit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
