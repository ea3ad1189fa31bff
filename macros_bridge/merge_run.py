"""Merging for a person: asks what the columns of foreign tables are, writes the table and what is not in it.

Where nobody can be asked, the questions go into 列对应.json, which is completed by hand and given back with ``--map``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from macros_bridge.column_questions import ask_on_terminal, someone_is_there, write_answers, write_new
from macros_bridge.lists import Column, Line, list_workbook
from macros_bridge.options import require_free
from workbooks.form import form
from workbooks.merging.column_mapping import (
    NOTHING_TOLD,
    OPEN,
    Told,
    read_mapping,
    targets_of,
)
from workbooks.merging.merge import Enterprise, Merged, merge
from workbooks.merging.sources import TABLE_KINDS, Collected
from workbooks.template import manifest
from xlcalc.errors import InputError
from xlcalc.results.explain import SEVERITY_LABELS
from xlcalc.results.outcome import Finding

LEFT_OUT_MARK = "（未列入）"
_LEFT_OUT_COLUMNS = (
    Column("程度", 11, True), Column("企业", 30), Column("统一社会信用代码", 22, True), Column("所在文件和单元格", 42),
    Column("未列入的原因", 80), Column("编号", 16, True),
)  # fmt: skip
_FINDING_COLUMNS = (
    Column("程度", 11, True), Column("所在文件和单元格", 42), Column("问题、原因和处理办法", 90),
    Column("依据条款", 18), Column("编号", 16, True),
)  # fmt: skip


def run_merge(
    paths: Sequence[Path],
    template: str,
    output: Path,
    mapping: Path | None = None,
    *,
    passed_only: bool = False,
    on: date | None = None,
    choices: Mapping[str, str] | None = None,
    as_json: bool = False,
) -> int:
    """Merges, writes and reports; returns the exit code: 0 all well, 1 something has to be settled or looked at."""
    left_out = output.with_name(f"{output.stem}{LEFT_OUT_MARK}{output.suffix}")
    require_free(output, left_out)
    given = [path for path in paths if path.exists()]
    missing = [path for path in paths if not path.exists()]
    if not given:
        raise InputError("E-FILE", "找不到任何要处理的文件", where="、".join(map(str, missing)), remedy="请检查路径")
    targets = targets_of(template, manifest(template)) if form(template).kind in TABLE_KINDS else ()
    told = read_mapping(mapping, template, targets) if mapping else NOTHING_TOLD
    asked: list[Told] = []

    def ask(collected: Collected) -> Told:
        asked.append(ask_on_terminal(collected.open_tables, targets, input, sys.stderr))
        return asked[0]

    done = merge(
        given, template, told=told, passed_only=passed_only, on=on, choices=choices,
        ask=ask if someone_is_there() else None, leave=[output, left_out],
    )  # fmt: skip
    done.findings += [
        Finding("E-FILE", "block", "没有这个文件或文件夹。请检查路径", None, str(path)) for path in missing
    ]
    answers = None
    if done.collected.open_tables or asked:
        tables = [*done.collected.open_tables, *done.collected.tables]
        answers = write_answers(output.parent, template, targets, tables)
    if done.data is not None:
        write_new(output, done.data)
        if done.left_out:
            write_new(left_out, left_out_workbook(done))
    written = (output if done.data is not None else None, left_out if done.data is not None and done.left_out else None)
    if as_json:
        sys.stdout.write(json.dumps(merge_document(done, *written, answers), ensure_ascii=False, indent=2) + "\n")
    else:
        print(merge_text(done, *written, answers))
    return 1 if done.blocking else 0


# --- what came of it


def left_out_workbook(done: Merged) -> bytes:
    """The list of enterprises that are not in the table, each with every reason, and of all findings."""
    lines = []
    for entry in done.left_out:
        for item in entry.reasons:
            cells = (SEVERITY_LABELS[item.severity], entry.name, entry.uscc, entry.where, item.message, item.code)
            lines.append(Line(cells, item.severity))
    findings = []
    for item in done.findings:
        told = (SEVERITY_LABELS[item.severity], item.where or "", item.message, item.clause or "", item.code)
        findings.append(Line(told, item.severity))
    title = f"{form(done.template).title} · 未列入的企业"
    notes = [f"共 {len(done.left_out)} 家未列入，{len(done.taken)} 家已列入；改正后请重新汇总"]
    sheets = [("未列入", _LEFT_OUT_COLUMNS, lines), ("检查结果", _FINDING_COLUMNS, findings)]
    return list_workbook(title, notes, sheets)


def merge_document(done: Merged, output: Path | None, left_out: Path | None, answers: Path | None) -> dict[str, Any]:
    """The ``xlcalc.merge/1`` document."""
    return {
        "format": "xlcalc.merge/1",
        "template": done.template,
        "output": str(output) if output else None,
        "left_out_output": str(left_out) if left_out else None,
        "column_map": str(answers) if answers else None,
        "files": done.collected.files,
        "rows": [_entry(entry) for entry in done.taken],
        "left_out": [
            {**_entry(entry), "reasons": [item.as_dict() for item in entry.reasons]} for entry in done.left_out
        ],
        "findings": [item.as_dict() for item in done.findings],
        "questions": [
            {"where": table.example, "questions": table.questions} for table in done.collected.open_tables
        ],
    }  # fmt: skip


def _entry(entry: Enterprise) -> dict[str, Any]:
    return {"name": entry.name, "uscc": entry.uscc or None, "where": [source.where for source in entry.sources]}


def merge_text(done: Merged, output: Path | None, left_out: Path | None, answers: Path | None) -> str:
    """The same for reading."""
    lines = [_finding_line(item) for item in done.findings if item.severity in ("block", "warn")]
    for entry in done.left_out:
        lines += [_finding_line(item, f"{entry.name or '（无名称）'} 未列入：") for item in entry.reasons]
    for table in done.collected.open_tables:
        lines += [f"[E-COLUMN] {table.example}：{question}" for question in table.questions]
    if output is None:
        lines.append(f"有列需要确认，未生成表格。请填好 {answers} 中的“{OPEN}”，再加 --map {answers} 运行")
    else:
        reasons = sum(len(entry.reasons) for entry in done.left_out)
        many = f"（原因 {reasons} 条）" if reasons > len(done.left_out) else ""
        elsewhere = sum(item.code == "E-OTHER-DIRECTION" for item in done.findings)
        unused = f"；{elsewhere} 份是别的政策的表格，没有用到" if elsewhere else ""
        count = f"列入 {len(done.taken)} 家，未列入 {len(done.left_out)} 家{many}{unused}"
        lines.append(f"共 {done.collected.files} 份文件，{count}：{output}")
        lines += [f"未列入的企业及原因：{left_out}"] if left_out else []
        lines += [f"列的对应关系已记入 {answers}，以后可用 --map 沿用"] if answers else []
    return "\n".join(lines)


def _finding_line(item: Finding, about: str = "") -> str:
    place = f"{item.where}：" if item.where else ""
    clause = f"（{item.clause}）" if item.clause else ""
    return f"[{item.code}] {place}{about}{SEVERITY_LABELS[item.severity]}：{item.message}{clause}"
