"""``xlcalc documents KIND PATH… -o OUTDIR``: the documents an office makes from filled workbooks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from macros_bridge.options import chosen, day_given
from xlcalc.errors import InputError, WorkbookError

if TYPE_CHECKING:
    from workbooks.documents.as_pdf import Document
    from workbooks.documents.cases import Run
    from workbooks.documents.kinds import Made, Wishes

documents_app = typer.Typer(
    help="文书：补正通知、审查表、公示名单、拨付表等。原文件不动，已有的文件不覆盖。",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Paths = Annotated[list[Path], typer.Argument(help="已填写的工作簿或文件夹；或 .json 事实文件（须同时给出 --policy）")]
Output = Annotated[Path, typer.Option("-o", "--output", help="写到哪个文件夹")]
On = Annotated[str | None, typer.Option("--on", help="申报日期，如 2025-05-31")]
Choose = Annotated[list[str] | None, typer.Option("--choose", help="选用口径，如 AMB-31=literal，可多次")]
Policies = Annotated[list[str] | None, typer.Option("--policy", help="只做这个政策，可多次")]
Enterprises = Annotated[list[str] | None, typer.Option("--enterprise", help="只做这家企业（全称或信用代码），可多次")]
County = Annotated[str, typer.Option("--county", help="县（市、区）名称，用于标题和文件名")]
Office = Annotated[str, typer.Option("--office", help="出具单位")]
Day = Annotated[str | None, typer.Option("--date", help="文书日期；不给则留空")]
Number = Annotated[str, typer.Option("--number", help="文号；不给则留空")]
Pdf = Annotated[bool, typer.Option("--pdf", help="同时生成 PDF（用 LibreOffice）")]


@documents_app.command()
def supplement(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    enterprise: Enterprises = None, county: County = "", office: Office = "", day: Day = None, number: Number = "",
    pdf: Pdf = False,
    due: Annotated[str | None, typer.Option("--due", help="补正截止日期")] = None,
    due_days: Annotated[int | None, typer.Option("--due-days", help="自文书日期次日起的工作日数")] = None,
) -> None:  # fmt: skip
    """补正通知单：每家有问题或缺项的企业一份，.xlsx 和 .docx。"""
    wishes = _wishes(policy, enterprise, county=county, office=office, day=day_given(day, "--date"), number=number)
    if due_days is not None:
        if wishes.day is None or due is not None:
            raise InputError(
                "E-USAGE",
                "--due-days 须与 --date 同时给出，且不与 --due 并用",
                remedy="请给出文书日期，或直接给出 --due",
            )
        from workbooks.documents.deadlines import after_working_days

        wishes = replace(wishes, due=after_working_days(wishes.day, due_days))
    elif (last := day_given(due, "--due")) is not None:
        from workbooks.documents.deadlines import fixed

        wishes = replace(wishes, due=fixed(last))
    _produce("supplement", paths, output, wishes, on, choose, pdf)


@documents_app.command()
def review(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    enterprise: Enterprises = None, county: County = "", day: Day = None, pdf: Pdf = False,
) -> None:  # fmt: skip
    """资格审查表（每家企业）和资格审查汇总表（每个政策）。"""
    wishes = _wishes(policy, enterprise, county=county, day=day_given(day, "--date"))
    _produce("review", paths, output, wishes, on, choose, pdf)


@documents_app.command()
def opinion(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    enterprise: Enterprises = None, county: County = "", day: Day = None, pdf: Pdf = False,
) -> None:  # fmt: skip
    """审核意见表：每家企业的结果、依据和发现，留出各级意见栏。"""
    wishes = _wishes(policy, enterprise, county=county, day=day_given(day, "--date"))
    _produce("opinion", paths, output, wishes, on, choose, pdf)


@documents_app.command()
def recognition(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    enterprise: Enterprises = None, county: County = "", day: Day = None, pdf: Pdf = False,
) -> None:  # fmt: skip
    """投入核定明细表：逐行申报、剔除、核减、核定，附瀑布图。"""
    wishes = _wishes(policy, enterprise, county=county, day=day_given(day, "--date"))
    _produce("recognition", paths, output, wishes, on, choose, pdf)


@documents_app.command()
def materials(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    enterprise: Enterprises = None, county: County = "", day: Day = None, pdf: Pdf = False,
) -> None:  # fmt: skip
    """申报材料清单：应交材料、份数、盖章和核对结果。"""
    wishes = _wishes(policy, enterprise, county=county, day=day_given(day, "--date"))
    _produce("materials", paths, output, wishes, on, choose, pdf)


@documents_app.command()
def publicity(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    county: County = "", office: Office = "", day: Day = None, pdf: Pdf = False,
    start: Annotated[str | None, typer.Option("--start", help="公示开始日期")] = None,
    end: Annotated[str | None, typer.Option("--end", help="公示截止日期")] = None,
    days: Annotated[int | None, typer.Option("--days", help="公示工作日数，开始当日不计")] = None,
    codes: Annotated[bool, typer.Option("--codes", help="列出部分遮盖的信用代码")] = False,
    contact: Annotated[str, typer.Option("--contact", help="受理异议的方式")] = "",
) -> None:  # fmt: skip
    """公示名单：不含联系人和电话。"""
    wishes = _wishes(policy, None, county=county, office=office, day=day_given(day, "--date"))
    wishes = replace(wishes, start=day_given(start, "--start"), codes=codes, contact=contact)
    if days is not None:
        if wishes.start is None or end is not None:
            raise InputError(
                "E-USAGE", "--days 须与 --start 同时给出，且不与 --end 并用", remedy="请给出开始日期，或直接给出 --end"
            )
        from workbooks.documents.deadlines import after_working_days

        wishes = replace(wishes, end=after_working_days(wishes.start, days))
    elif (last := day_given(end, "--end")) is not None:
        from workbooks.documents.deadlines import fixed

        wishes = replace(wishes, end=fixed(last))
    _produce("publicity", paths, output, wishes, on, choose, pdf)


@documents_app.command()
def payment(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    county: County = "", office: Office = "", day: Day = None, pdf: Pdf = False,
    withhold: Annotated[list[str] | None, typer.Option("--withhold", help="异议未排除、暂不拨付的企业，可多次")] = None,
) -> None:  # fmt: skip
    """拨付表：只列可拨付的金额，小写和大写。"""
    wishes = _wishes(policy, None, county=county, office=office, day=day_given(day, "--date"))
    _produce("payment", paths, output, replace(wishes, withheld=tuple(withhold or ())), on, choose, pdf)


@documents_app.command()
def recommendation(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    county: County = "", office: Office = "", day: Day = None, number: Number = "", pdf: Pdf = False,
) -> None:  # fmt: skip
    """推荐文件（.docx）。"""
    wishes = _wishes(policy, None, county=county, office=office, day=day_given(day, "--date"), number=number)
    _produce("recommendation", paths, output, wishes, on, choose, pdf)


@documents_app.command()
def recovery(
    paths: Paths, output: Output,
    enterprise: Annotated[list[str], typer.Option("--enterprise", help="企业全称或信用代码，可多次")],
    reason: Annotated[str, typer.Option("--reason", help="收回的原因")],
    on: On = None, choose: Choose = None, policy: Policies = None, county: County = "", office: Office = "",
    day: Day = None, number: Number = "", pdf: Pdf = False,
    inspected: Annotated[str | None, typer.Option("--inspected", help="验收日期")] = None,
    inspected_again: Annotated[str | None, typer.Option("--inspected-again", help="复验日期")] = None,
) -> None:  # fmt: skip
    """收回通知（.docx），只限文件规定可以收回的政策。"""
    wishes = _wishes(policy, enterprise, county=county, office=office, day=day_given(day, "--date"), number=number)
    again = day_given(inspected_again, "--inspected-again")
    wishes = replace(wishes, reason=reason, inspected=day_given(inspected, "--inspected"), inspected_again=again)
    _produce("recovery", paths, output, wishes, on, choose, pdf)


@documents_app.command()
def choices(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    county: County = "", office: Office = "", day: Day = None, pdf: Pdf = False,
) -> None:  # fmt: skip
    """口径确认表（.docx），供签字盖章。"""
    wishes = _wishes(policy, None, county=county, office=office, day=day_given(day, "--date"))
    _produce("choices", paths, output, wishes, on, choose, pdf)


@documents_app.command()
def statistics(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    county: County = "", day: Day = None, pdf: Pdf = False,
) -> None:  # fmt: skip
    """统计表：县、行业、等级交叉统计和图。"""
    _produce(
        "statistics", paths, output, _wishes(policy, None, county=county, day=day_given(day, "--date")), on, choose, pdf
    )


@documents_app.command()
def pack(
    paths: Paths, output: Output, on: On = None, choose: Choose = None, policy: Policies = None,
    county: County = "", office: Office = "", day: Day = None, number: Number = "",
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="每份文件另生成 PDF（用 LibreOffice）")] = True,
    zipped: Annotated[bool, typer.Option("--zip", help="打成一个 .zip")] = False,
) -> None:  # fmt: skip
    """报送材料包：核算后的表格、推荐文件、PDF、报送清单和校验值。"""
    from macros_bridge.submission_pack import write_pack

    wishes = _wishes(policy, None, county=county, office=office, day=day_given(day, "--date"), number=number)
    _ready(output)
    files = _workbooks(paths, output)
    done = write_pack(files, output, wishes, day_given(on, "--on"), chosen(choose), pdf=pdf, zipped=zipped)
    _tell([done.path], [*done.left_out, *done.notes])
    if done.left_out:
        raise typer.Exit(1)


def _produce(
    kind: str, paths: list[Path], output: Path, wishes: Wishes, on: str | None, choose: list[str] | None, pdf: bool
) -> None:
    from workbooks.documents.kinds import make
    from workbooks.documents.naming import write_new

    run = _run(paths, output, wishes, day_given(on, "--on"), chosen(choose))
    refused = [f"{name}：[{item.code}] {item.message}" for name, item in run.problems if item.severity == "block"]
    if refused and not run.cases:
        raise InputError("E-DOCUMENT-EMPTY", f"没有可用的工作簿。{'；'.join(refused[:3])}", remedy="请先更正上述文件")
    made = make(kind, run, wishes)
    if pdf:
        made.documents = _printed(made)
    _ready(output)
    written = []
    for document in made.documents:
        path = write_new(output, document.name, document.data)
        written.append(path)
        if document.pdf is not None:
            written.append(write_new(output, f"{path.stem}.pdf", document.pdf))
    notes = [*made.notes, *_warnings(wishes)]
    if not made.documents:
        notes.append("没有需要出具的文书")
    _tell(written, [*refused, *notes])
    if refused:
        raise typer.Exit(1)


def _run(paths: list[Path], output: Path, wishes: Wishes, on: date | None, chosen: dict[str, str]) -> Run:
    """The run over workbooks, or over facts where a file of facts is given."""
    from workbooks.documents.cases import Run, run_of_facts, run_of_workbooks

    facts = [path for path in paths if path.suffix.lower() == ".json"]
    if facts and len(wishes.policies) != 1:
        raise InputError("E-USAGE", "事实文件须用 --policy 指明一个政策", where=str(facts[0]), remedy="请加上 --policy")
    runs = [run_of_facts(wishes.policies[0], _facts(path), on=on, choices=chosen, source=path.name) for path in facts]
    books = [path for path in paths if path not in facts]
    if books:
        runs.append(run_of_workbooks(_workbooks(books, output), on=on, choices=chosen))
    return Run(
        tuple(case for run in runs for case in run.cases), tuple(problem for run in runs for problem in run.problems)
    )


def _facts(path: Path) -> list[dict[str, Any]]:
    """One enterprise as an object, or several as a list."""
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except (OSError, ValueError, RecursionError):
        raise InputError(
            "E-FILE", "无法读取事实文件", where=str(path), remedy="请检查路径，文件须为 UTF-8 编码的 JSON"
        ) from None
    rows = given if isinstance(given, list) else [given]
    if not all(isinstance(row, dict) for row in rows):
        raise InputError(
            "E-JSON", "应为“事实: 值”的对象，或其列表", where=str(path), remedy="请参照 xlcalc facts 的清单"
        )
    return rows


def _workbooks(paths: list[Path], output: Path) -> list[Path]:
    from workbooks.batch.tasks import find_tasks

    missing = [path for path in paths if not path.exists()]
    if missing:
        raise InputError("E-FILE", "没有这个文件或文件夹", where=str(missing[0]), remedy="请检查路径")
    found = [task.path for task in find_tasks(paths, output)]
    if not found:
        where = "、".join(map(str, paths))
        raise InputError("E-FILE", "所给位置没有表格文件", where=where, remedy="请检查路径，表格须为 .xlsx")
    return found


def _printed(made: Made) -> list[Document]:
    from workbooks.documents.as_pdf import with_pdfs

    return with_pdfs(made.documents)


def _warnings(wishes: Wishes) -> list[str]:
    """What is open about the days."""
    named = (("补正期限", wishes.due), ("公示期", wishes.end))
    notes = [f"{name}：{deadline.warning}" for name, deadline in named if deadline and deadline.warning]
    if wishes.start is not None and wishes.end is None:
        notes.append("公示期：没有给出截止日期（--end 或 --days），表中留空")
    return notes


def _tell(written: list[Path], notes: list[str]) -> None:
    for path in written:
        print(f"已生成 {path}")
    for note in notes:
        print(f"注意 {note}")


def _ready(output: Path) -> None:
    from workbooks.batch.run import ensure_writable

    if output.exists() and not output.is_dir():
        raise WorkbookError("E-IO", "不是文件夹", where=str(output), remedy="请用 -o 指定一个文件夹")
    ensure_writable(output)


def _wishes(policies: list[str] | None, enterprises: list[str] | None, **more: Any) -> Wishes:
    from workbooks.documents.kinds import Wishes
    from xlcalc.packs.registry import load_policy

    for policy in policies or ():
        load_policy(policy)
    return Wishes(policies=tuple(policies or ()), enterprises=tuple(enterprises or ()), **more)
