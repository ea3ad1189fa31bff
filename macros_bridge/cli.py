"""The command line ``xlcalc``: every command is a thin face over a documented Python function."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from macros_bridge.addin.command import addin_app
from macros_bridge.documents_command import documents_app
from macros_bridge.ledger_booking import booking_given
from macros_bridge.ledger_command import ledger_app
from macros_bridge.merging import merge_command
from macros_bridge.options import chosen, day_given, limits_given, require_free
from macros_bridge.reviewing import review_command, review_merge_command
from xlcalc.errors import InputError, WorkbookError, XlcalcError

app = typer.Typer(
    help="中小企业数字化政策的核算工具。", add_completion=False, no_args_is_help=True, rich_markup_mode=None
)
packs_app = typer.Typer(help="政策包。", invoke_without_command=True, rich_markup_mode=None)
app.add_typer(packs_app, name="packs")
app.add_typer(addin_app, name="addin")
app.add_typer(documents_app, name="documents")
app.add_typer(ledger_app, name="ledger")
app.command("merge")(merge_command)
app.command("review")(review_command)
app.command("review-merge")(review_merge_command)

Json = Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档")]
On = Annotated[str | None, typer.Option("--on", help="申报日期，如 2025-05-31")]
Choose = Annotated[list[str] | None, typer.Option("--choose", help="选用口径，如 AMB-31=literal，可多次")]
Limit = Annotated[list[str] | None, typer.Option("--limit", help="放宽或收紧文件的上限，如 last_row=30000，可多次")]
Paths = Annotated[list[Path], typer.Argument(help="工作簿或文件夹")]


def main() -> None:
    """Entry point: an error becomes one Chinese line (or one JSON document) and exit code 2, a stopped run 1."""
    wants_json = "--json" in sys.argv
    _settle_streams(wants_json)
    try:
        # Typer gives an exit code asked for by a command back instead of leaving with it.
        code = app(standalone_mode=False)
    except XlcalcError as error:
        _print_error(error, wants_json)
        # A run that was stopped was not used wrongly.
        raise SystemExit(1 if error.code == "E-STOPPED" else 2) from None
    except typer.Abort:
        raise SystemExit(130) from None
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the user gets one line
        if type(error).__name__ == "NoArgsIsHelpError":
            print(getattr(error, "message", ""))
            raise SystemExit(2) from None
        _print_error(_usage_error(error), wants_json)
        raise SystemExit(2) from None
    if isinstance(code, int) and code:
        raise SystemExit(code)


def _settle_streams(wants_json: bool) -> None:
    """JSON is UTF-8 wherever it goes; a character a console cannot show never costs the result."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "utf-8" if wants_json and stream is sys.stdout else None
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _usage_error(error: Exception) -> XlcalcError:
    """A slip on the command line, in Chinese; anything else is a fault of ours and says so."""
    kind = type(error).__name__
    if not hasattr(error, "format_message"):
        return XlcalcError("E-INTERNAL", f"程序内部错误（{kind}）", remedy="请把所用命令和文件告知维护人员")
    parameter = _as_typed(getattr(error, "param", None))
    option = getattr(error, "option_name", "") or ""
    said = {
        "MissingParameter": f"缺少参数 {parameter}",
        "NoSuchOption": f"没有选项 {option}",
        "BadOptionUsage": f"选项 {option} 的用法不对",
        "BadParameter": f"参数 {parameter} 的值不对",
    }.get(kind, "没有这个命令，或参数过多")
    return InputError("E-USAGE", said, remedy="可用 xlcalc --help 查看全部命令，命令后加 --help 查看用法")


def _as_typed(parameter: Any) -> str:
    """A parameter as a person knows it: the option as it is typed, and what it is for."""
    option = next((name for name in getattr(parameter, "opts", ()) if name.startswith("--")), "")
    meant = getattr(parameter, "help", "") or ""
    return (f"{option}（{meant}）" if meant else option) if option else meant or getattr(parameter, "name", "") or ""


def _print_error(error: XlcalcError, as_json: bool) -> None:
    if as_json:
        _emit(error.as_dict())
    else:
        print(error, file=sys.stderr)


def _emit(document: Any) -> None:
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


@packs_app.callback()
def packs(context: typer.Context, as_json: Json = False) -> None:
    """列出现有政策及其版本。"""
    if context.invoked_subcommand:
        return
    from macros_bridge.listing import packs_document, packs_text

    document = packs_document()
    _emit(document) if as_json else print(packs_text(document))


@packs_app.command("check")
def packs_check(as_json: Json = False) -> None:
    """重新读取并检查全部政策包，以及保存的较早文本。"""
    from xlcalc.packs.earlier import check_earlier
    from xlcalc.packs.registry import policy_ids, read_fresh

    ids = policy_ids()
    for policy in ids:
        read_fresh(policy)
        check_earlier(policy)
    _emit({"format": "xlcalc.packs-check/1", "checked": ids}) if as_json else print(f"{len(ids)} 个政策包检查通过")


@packs_app.command("keep")
def packs_keep(
    policies: Annotated[list[str] | None, typer.Argument(metavar="POLICY", help="不写即全部")] = None,
) -> None:
    """保存政策包现在的文本，在改动之前运行：已发出的工作簿以后仍按当时的文本核算。"""
    from xlcalc.packs.earlier import lay_down
    from xlcalc.packs.registry import policy_ids

    made = [path for policy in policies or policy_ids() for path in lay_down(policy)]
    print("\n".join([*(f"已保存 {path}" for path in made), f"新保存 {len(made)} 个版本的文本"]))


@packs_app.command("coverage")
def packs_coverage(as_json: Json = False) -> None:
    """五份文件逐条：哪些已核算、由人判断、只列出或未收录。"""
    from xlcalc.packs.coverage import coverage_document, coverage_text

    _emit(coverage_document()) if as_json else print(coverage_text())


@packs_app.command("diff")
def packs_diff(policy: str, before: str, after: str, as_json: Json = False) -> None:
    """一个政策两个版本的不同：条款、条件、材料、字数和金额。"""
    from macros_bridge.listing import differences_document, differences_text

    document = differences_document(policy, before, after)
    _emit(document) if as_json else print(differences_text(document))


@app.command()
def facts(policy: str, as_json: Json = False) -> None:
    """一个政策需要填写哪些事实。"""
    from macros_bridge.listing import facts_document, facts_text

    document = facts_document(policy)
    _emit(document) if as_json else print(facts_text(document))


@app.command()
def calc(policy: str, facts: str, on: On = None, choose: Choose = None, as_json: Json = False) -> None:
    """计算一家企业；FACTS 为 JSON 文件，或 - 从标准输入读取。"""
    from xlcalc.evaluation import evaluate
    from xlcalc.results.explain import explain as explain_outcome
    from xlcalc.results.trace import outcome_dict

    day, choices = day_given(on), chosen(choose)
    given = _read_facts(facts)
    try:
        outcome = evaluate(policy, given, on=day, choices=choices)
    except InputError as error:
        raise error.at(facts if facts != "-" else "标准输入") from None
    _emit(outcome_dict(outcome)) if as_json else print(explain_outcome(outcome))


@app.command()
def explain(
    target: str, facts: Annotated[str | None, typer.Argument()] = None, on: On = None, choose: Choose = None
) -> None:
    """用中文说明推导过程：已填写的工作簿，或“政策 事实文件”。"""
    from xlcalc.results.explain import explain as explain_outcome

    if facts is not None:
        calc(target, facts, on, choose, False)
        return
    from workbooks.recalc import recalculate

    path = _existing(Path(target))
    done = recalculate(path, on=day_given(on), choices=chosen(choose))
    for record, outcome in done.outcomes:
        print(f"{record.facts.get('enterprise_name') or record.key}（{record.where}）")
        print(explain_outcome(outcome) + "\n")
    findings = [*done.findings, *(finding for record in done.read.records for finding in record.findings)]
    for finding in findings:
        print(f"[{finding.code}] {finding.where or ''} {finding.message}")
    if not done.outcomes:
        print("工作簿中没有填写任何企业")


@app.command()
def templates(as_json: Json = False) -> None:
    """列出工作簿模板。"""
    from workbooks.form import forms

    rows = [{"id": key, "title": form.title, "policies": list(form.policies)} for key, form in forms().items()]
    if as_json:
        _emit({"format": "xlcalc.templates/1", "templates": rows})
    else:
        print("\n".join(f"{row['id']}  {row['title']}  （{'、'.join(row['policies'])}）" for row in rows))


@app.command()
def template(
    name: Annotated[str, typer.Argument(metavar="TEMPLATE")],
    output: Annotated[Path, typer.Option("-o", "--output", help="写到哪个 .xlsx 文件，或带函数的 .xlsm 文件")],
    facts: Annotated[str | None, typer.Option("--facts", help="预填的事实（JSON）")] = None,
    on: On = None,
    choose: Choose = None,
) -> None:
    """生成工作簿模板，可预填；.xlsm 的单元格调用 XLC_ 函数，供装有加载项的 Excel 使用。"""
    from workbooks.batch.run import write_atomically
    from workbooks.template import build_template

    suffix = output.suffix.lower()
    require_free(output, suffixes=(".xlsx", ".xlsm"))
    given = _read_facts(facts, many=True) if facts else ()
    try:
        flavour = "udf" if suffix == ".xlsm" else "native"
        data = build_template(name, given, on=day_given(on), choices=chosen(choose), flavour=flavour)
    except InputError as error:
        raise error.at(facts or name) from None
    if suffix == ".xlsm":
        from macros_bridge.vba.embed import embed

        data = embed(data)
    _guard_io(output, lambda: write_atomically(output, data))
    print(f"已生成 {output}")


@app.command()
def read(
    file: Path,
    template: Annotated[str | None, typer.Option("-t", "--template", help="别人的表格：对应到哪个模板")] = None,
    mapping: Annotated[Path | None, typer.Option("--map", help="别人的表格：已填好的列对应.json")] = None,
    as_json: Json = False,
) -> None:
    """读出已填工作簿中的事实及问题；别人的表格则给出各列的对应。"""
    from macros_bridge.listing import read_document, read_text
    from workbooks.merging.foreign_table import is_foreign

    if is_foreign(_existing(file)):
        from macros_bridge.foreign_reading import run_read

        raise typer.Exit(run_read(file, template, mapping, as_json=as_json))
    document = read_document([file])
    _emit(document) if as_json else print(read_text(document))


@app.command()
def check(
    paths: Paths,
    as_json: Json = False,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="同时处理的文件数，0 为自动")] = 0,
    limit: Limit = None,
) -> None:
    """只检查，不写结果。"""
    from macros_bridge.running import run_batch

    raise typer.Exit(run_batch(paths, None, jobs=jobs, limits=limits_given(limit), as_json=as_json))


@app.command()
def recalc(
    paths: Paths,
    outdir: Annotated[Path, typer.Option("-o", "--output", help="结果文件夹")],
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="同时处理的文件数，0 为自动")] = 0,
    engine: Annotated[str, typer.Option("--engine", help="direct、formulas 或 libreoffice")] = "direct",
    on: On = None,
    choose: Choose = None,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="每个文件的时限（秒）")] = 60.0,
    limit: Limit = None,
    resume: Annotated[bool, typer.Option("--resume", help="接着做上次没做完的：已做好且未变的不再重做")] = False,
    ledger: Annotated[str | None, typer.Option("--ledger", help="按这个台账中此前已享受的核算")] = None,
    batch: Annotated[str, typer.Option("--batch", help="与 --ledger 并用：批次，如 2025年第一批")] = "",
    commit: Annotated[bool, typer.Option("--commit", help="把可以确定的结果登记到台账，每个文件只登记一次")] = False,
    operator: Annotated[str, typer.Option("--operator", help="与 --commit 并用：经办人")] = "",
    day: Annotated[str, typer.Option("--date", help="与 --commit 并用：办理日期")] = "",
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="由 dask 集群核算：tcp://调度机:8786，或 local:N（本机 N 个进程）")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="守候收件文件夹：放进来的陆续核算，按 Ctrl-C 结束")] = False,
    as_json: Json = False,
) -> None:
    """重新核算工作簿，结果写入新文件和运行报告；原文件不动。"""
    from macros_bridge.running import run_batch

    raise typer.Exit(run_batch(
        paths, outdir, jobs=jobs, engine=engine, on=day_given(on), choices=chosen(choose), timeout=timeout,
        limits=limits_given(limit), resume=resume, cluster=cluster, watch=watch,
        booking=booking_given(ledger, batch, commit, operator, day), as_json=as_json,
    ))  # fmt: skip


@app.command()
def demo(
    outdir: Annotated[Path, typer.Option("-o", "--output", help="示例写到哪个文件夹")] = Path("demo"),
    count: Annotated[int, typer.Option("--count", min=1)] = 200,
) -> None:
    """为虚构企业填写一批工作簿并全部核算一遍。"""
    from macros_bridge.demo import run_demo

    raise typer.Exit(run_demo(outdir, count))


def _read_facts(source: str, *, many: bool = False) -> Any:
    """Facts from a JSON file or standard input; numbers keep their text, doubled keys are errors."""
    name = "标准输入" if source == "-" else source
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            "E-FILE", "无法读取事实文件", where=name, remedy="请检查路径，文件须为 UTF-8 编码的 JSON"
        ) from None
    try:
        given = json.loads(
            text,
            object_pairs_hook=lambda pairs: _unique(pairs, name),
            parse_float=Decimal,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError) as error:
        detail = "嵌套过深或数字过长"
        if isinstance(error, json.JSONDecodeError):
            detail = f"第 {error.lineno} 行第 {error.colno} 列"
        raise InputError("E-JSON", f"不是合法的 JSON（{detail}）", where=name, remedy="请修正后重试") from None
    fits = isinstance(given, dict) or (many and isinstance(given, list) and all(isinstance(row, dict) for row in given))
    if not fits:
        raise InputError("E-JSON", "应为“事实: 值”的对象", where=name, remedy='请写成 {"recognised_cost": "50万元", …}')
    return given


def _no_number(word: str) -> Any:
    raise json.JSONDecodeError(f"{word} is no number", word, 0)


def _unique(pairs: list[tuple[str, Any]], name: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        double = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise InputError("E-DOUBLE-KEY", f"“{double[:60]}”写了两次", where=name, remedy="请只保留一个")
    return found


def _existing(path: Path) -> Path:
    if not path.exists():
        raise InputError("E-FILE", "没有这个文件", where=str(path), remedy="请检查路径")
    return path


def _guard_io(path: Path, action: Any) -> None:
    from workbooks.batch.run import io_reason

    try:
        action()
    except OSError as error:
        raise WorkbookError(
            "E-IO",
            f"无法写入文件（{io_reason(error)}）",
            where=str(path),
            remedy="请检查文件夹是否存在、可写，磁盘是否已满",
        ) from None


if __name__ == "__main__":
    main()
