"""What the buttons do: check, calculate, export a PDF, show the choices, help.

Each is one function that takes the workbook open in Excel (an xlwings ``Book``) or a path, computes the same and
returns it; only for a Book does it also show it. The user's own file is never written to.
"""

from __future__ import annotations

import platform
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from macros_bridge.choices_in_force import Choices, choice_notes, choice_sheets, choices_of
from macros_bridge.lists import FINDING_COLUMNS, finding_lines, list_workbook
from macros_bridge.printing import pdf_bytes, printed_sheets
from macros_bridge.workbook_access import (
    Source,
    Target,
    cell_of,
    error_text,
    export_sheets,
    free_path,
    opened,
    select,
    show_list,
    tell,
)
from workbooks.batch.run import process, write_atomically
from workbooks.batch.tasks import RESULT_MARK, FileResult, Options, Task
from workbooks.reader import read_workbook
from workbooks.recalc import Recalculated, recalculate
from workbooks.record import ReadBook
from xlcalc import __version__
from xlcalc.errors import WorkbookError, XlcalcError
from xlcalc.packs.registry import load_policy, policy_ids
from xlcalc.results.explain import SEVERITY_LABELS, STATUS_LABELS, fact_label
from xlcalc.results.outcome import Finding, Outcome
from xlcalc.values.money import Money

_URGENCY = ("block", "warn", "human", "info")
_SUFFIXES = (".xlsx", ".xlsm")


@dataclass(frozen=True)
class Checked:
    """What a check found. rows: the enterprise concerned ("" for the file) and the finding, most urgent first."""

    name: str
    rows: tuple[tuple[str, Finding], ...]
    outcomes: tuple[Outcome, ...]
    summary: str

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, most urgent first; what is not filled in yet is among them, under ``E-MISSING``."""
        return tuple(finding for _, finding in self.rows)

    @property
    def blocking(self) -> bool:
        """Whether someone has to act before anything is paid."""
        return any(finding.severity == "block" for finding in self.findings)


@dataclass(frozen=True)
class Calculated:
    """The new workbook with the results, and what a batch run would report of it."""

    output: Path
    result: FileResult
    summary: str


@dataclass(frozen=True)
class Exported:
    """The PDF, the sheets in it, and what the check of the same workbook found."""

    output: Path
    sheets: tuple[str, ...]
    checked: Checked
    summary: str


# --- 检查


def check(target: Target) -> Checked:
    """Everything wrong, missing or left to a person in a workbook as it stands; nothing is written.

    For an open Book, the content of the screen counts, saved or not: the first bad cell is selected and the list
    opens as a new workbook whose links lead to the cells. Raises InputError, WorkbookError.
    """
    with opened(target) as source:
        done = recalculate(source.file)
        checked = _checked(source, done)
        if source.book is not None:
            _show_check(source, done, checked)
        return checked


def _checked(source: Source, done: Recalculated) -> Checked:
    rows = sorted(_found(done), key=lambda row: _URGENCY.index(row[1].severity))
    if source.book is not None:
        # The macros of a workbook that asks by its own buttons are at work, and are no news.
        rows = [row for row in rows if row[1].code != "E-BOOK-MACRO"]
    outcomes = tuple(outcome for _, outcome in done.outcomes)
    return Checked(source.name, tuple(rows), outcomes, _check_summary(done, rows))


def _found(done: Recalculated) -> Iterator[tuple[str, Finding]]:
    for finding in done.findings:
        yield "", finding
    for record in done.read.records:
        name = str(record.facts.get("enterprise_name") or record.key)
        for finding in record.findings:
            yield name, finding
        outcomes = [outcome for own, outcome in done.outcomes if own is record]
        for outcome in outcomes:
            for finding in outcome.findings:
                yield name, finding
        missing = list(dict.fromkeys(fact for outcome in outcomes for fact in outcome.missing))
        if missing:
            words = "、".join(map(fact_label, missing))
            message = f"尚缺 {len(missing)} 项，结果还不能确定：{words}。请逐项填写；没有的金额填 0，不要留空"
            where = next((record.facts_at[fact] for fact in missing if fact in record.facts_at), record.where)
            yield name, Finding("E-MISSING", "warn", message, where=where)


def _check_summary(done: Recalculated, rows: Sequence[tuple[str, Finding]]) -> str:
    if not done.read.records:
        return "工作簿中没有填写任何企业"
    counts = Counter(str(finding.severity) for _, finding in rows)
    said = "，".join(f"{SEVERITY_LABELS[kind]} {counts[kind]} 条" for kind in _URGENCY if counts[kind])
    statuses = _states({record.where: outcome.status for record, outcome in done.outcomes})
    return f"{len(done.read.records)} 家企业：{statuses}。{said or '没有发现问题'}"


def _show_check(source: Source, done: Recalculated, checked: Checked) -> None:
    reachable = [info.name for info in done.read.book.sheets if info.state == "visible"]
    if not checked.rows:
        tell(source.book, f"{checked.summary}。")
        return
    places_found = [(finding.severity, cell_of(finding.where)) for _, finding in checked.rows]
    bad = [place for severity, place in places_found if severity in ("block", "warn") and place]
    first = next((place for place in bad if place[0] in reachable), None)
    if first is not None:
        select(source.book, *first)
    lines = finding_lines(checked.rows, source.original, reachable)
    notes = (checked.summary, "点击单元格一栏即回到表中该处；改完后再按“检查”，本清单会换成新的。本清单不必保存。")
    data = list_workbook(f"检查结果 · {source.name}", notes, [("检查结果", FINDING_COLUMNS, lines)])
    show_list(source.book, data, f"检查结果（{Path(source.name).stem}）")


# --- 核算


def calculate(target: Target) -> Calculated:
    """Recalculates a workbook into a new one beside it, ``…（核算结果）``; an earlier result is never overwritten.

    Under the versions and choices the workbook itself records. For an open Book the content of the screen counts,
    and the result is opened. Raises InputError, WorkbookError.
    """
    with opened(target) as source:
        recalculate(source.file)  # what cannot be used is refused in its own words, before a place is asked for
        folder = source.results_folder()
        stem = Path(source.name).stem
        if RESULT_MARK in stem:
            stem = stem[: stem.rindex(RESULT_MARK)]
        suffix = source.file.suffix.lower()
        wanted = free_path(folder, f"{stem}{RESULT_MARK}", suffix, *_SUFFIXES)
        result = process(Task(source.file, wanted), Options())
        if result.output is None:
            failure = result.findings[0]
            raise WorkbookError(failure["code"], failure["message"], where=source.name)
        output = Path(result.output)
        result.path = str(source.original)
        calculated = Calculated(output, result, _result_summary(result, output))
        if source.book is not None:
            source.book.app.books.open(str(output))
            tell(source.book, calculated.summary)
        return calculated


def _states(last: Mapping[Any, str]) -> str:
    """How many enterprises stand how; last: each enterprise's status under its last policy, the one that pays."""
    counts = Counter(last.values())
    return "，".join(f"{label} {counts[key]}" for key, label in STATUS_LABELS.items() if counts[key])


def _result_summary(result: FileResult, output: Path) -> str:
    statuses = _states({outcome["where"]: outcome["status"] for outcome in result.outcomes})
    payable = Money(sum(outcome["payable"]["fen"] for outcome in result.outcomes if outcome["payable"]))
    warning = "有不予通过的事项，请按“检查”查看。\n" if result.blocking else ""
    done = f"核算完成：{statuses or '没有填写任何企业'}；可拨付合计 {payable}。\n"
    return f"{done}{warning}结果另存为：{output}\n原文件没有改动。"


# --- 导出


def export_pdf(target: Target) -> Exported:
    """The printed form as PDF for the seal, beside the workbook; working and hidden sheets are not in it.

    An open Book is printed by Excel as it stands; a path by LibreOffice, with results computed anew. Findings do not
    stop it: the summary says that there are some. Raises InputError, WorkbookError; EngineError without LibreOffice.
    """
    with opened(target) as source:
        done = recalculate(source.file)
        sheets = printed_sheets(done.read)
        output = free_path(source.results_folder(), Path(source.name).stem, ".pdf")
        if source.book is not None:
            made = source.file.with_suffix(".pdf")
            export_sheets(source.book, sheets, made)
            data = made.read_bytes()
        else:
            data = pdf_bytes(done, source.name)
        _write(output, data)
        checked = _checked(source, done)
        summary = _export_summary(output, sheets, checked)
        if source.book is not None:
            tell(source.book, summary, critical=checked.blocking)
        return Exported(output, tuple(sheets), checked, summary)


def _export_summary(output: Path, sheets: Sequence[str], checked: Checked) -> str:
    counts = Counter(str(finding.severity) for finding in checked.findings)
    open_ones = "，".join(f"{SEVERITY_LABELS[kind]} {counts[kind]} 条" for kind in ("block", "warn") if counts[kind])
    warning = f"\n盖章前请先按“检查”：还有{open_ones}。" if open_ones else ""
    return f"已导出：{output}\n内容：{'、'.join(sheets)}{warning}"


def _write(path: Path, data: bytes) -> None:
    try:
        write_atomically(path, data)
    except OSError:
        raise WorkbookError("E-IO", "无法写入文件", where=str(path), remedy="请检查磁盘空间和文件夹权限") from None


# --- 口径确认


def choices(target: Target) -> Choices:
    """The choices in force in a workbook, and what every other option would change for the enterprises filled in.

    For an open Book the 口径确认表 is shown and the effects open as a list. Raises InputError, WorkbookError.
    """
    with opened(target) as source:
        found = choices_of(recalculate(source.file), source.name)
        if source.book is not None and found.items:
            _show_choices(source, found)
        elif source.book is not None:
            tell(source.book, "本表的政策没有可选的口径。")
        return found


def _show_choices(source: Source, found: Choices) -> None:
    first = next((item for item in found.items if not item.is_default), found.items[0])
    place = cell_of(first.where)
    if place:
        select(source.book, *place)
    data = list_workbook(f"口径 · {source.name}", choice_notes(found), choice_sheets(found, source.original))
    show_list(source.book, data, f"口径（{Path(source.name).stem}）")


# --- 帮助


def help(target: Target | None = None) -> str:
    """What the buttons do, where the guide lies, which versions are at work, and how to ask for support.

    The guide is named only where it is found. target: names the template and packs of a workbook too.
    """
    if target is None:
        return _help_text(None, None)
    with opened(target) as source:
        try:
            read: ReadBook | None = read_workbook(source.file)
        except XlcalcError:
            read = None
        text = _help_text(read, source.folder)
        if source.book is not None:
            tell(source.book, text)
        return text


_BUTTONS = (
    "检查：列出填错、漏填和须人工判断的地方，点击即到该格；不改动文件。",
    f"核算：按政策重新计算，另存为“…{RESULT_MARK}”新文件；原文件不改动。",
    "导出：把盖章用的正式表格生成 PDF，工作列和辅助表不在内。",
    "口径确认：文件没有写明之处现在按哪种口径，换一种会改变哪些金额。",
)


def _help_text(read: ReadBook | None, folder: Path | None) -> str:
    lines = [*_BUTTONS, ""]
    guide = find_guide(folder)
    if guide is not None:
        lines += [f"使用说明：{guide}", ""]
    lines.append(f"xlcalc {__version__}，Python {platform.python_version()}")
    if read is not None:
        lines.append(f"模板：{read.form.title}（{read.form.id}，第 {read.form.version} 版）")
        versions = [(policy, version.id, version.hash) for policy, version in read.versions.items()]
    else:
        held = ((policy, load_policy(policy).newest) for policy in policy_ids())
        versions = [(policy, version.id, version.hash) for policy, version in held]
    lines += [f"政策包：{policy} {version}（{digest[:12]}）" for policy, version, digest in versions]
    doctor = "安装包里的 doctor.bat" if sys.platform == "win32" else "xlcalc addin doctor"
    lines += [
        "",
        "需要帮助时：按 Ctrl+C 复制本窗口的文字，连同出错的表格（可先改掉企业信息）和 "
        f"{doctor} 显示的内容，交给本单位负责维护的人。",
    ]
    return "\n".join(lines)


def find_guide(folder: Path | None = None) -> Path | None:
    """The clerks' guide: beside a workbook, with the installation, or in the sources; None where there is none."""
    installed = Path(sys.prefix).parent / "guide"
    sources = Path(__file__).parents[1] / "docs" / "clerk"
    places_tried = [folder / "使用说明", folder / "guide", folder.parent / "guide"] if folder else []
    return next((place for place in (*places_tried, installed, sources) if _holds_guide(place)), None)


def _holds_guide(place: Path) -> bool:
    return place.is_dir() and any(place.glob("第一次使用.*"))


# --- 按钮


COMMANDS: Mapping[str, Callable[[Any], Any]] = {
    "check": check,
    "calculate": calculate,
    "export": export_pdf,
    "choices": choices,
    "help": help,
}


def press(name: str) -> None:
    """What a button calls: the command on the workbook the button stands in.

    Whatever goes wrong ends in one message in a window; nothing is raised.
    """
    book = None
    try:
        import xlwings

        book = xlwings.Book.caller()
        COMMANDS[name](book)
    except XlcalcError as error:
        tell(book, error_text(error), critical=True)
    except Exception as error:  # noqa: BLE001 - a person who pressed a button gets words, never a traceback
        remedy = "请关闭全部 Excel 窗口后重新打开再试；仍不行时运行安装包里的 doctor.bat，把显示的内容告知维护人员"
        failed = XlcalcError("E-INTERNAL", f"命令没有完成（{type(error).__name__}）", remedy=remedy)
        tell(book, error_text(failed), critical=True)
