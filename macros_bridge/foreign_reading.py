"""Reading a table that is not ours for a person: what each column is taken for, and the records behind it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from macros_bridge.column_questions import ask_on_terminal, someone_is_there, write_answers
from macros_bridge.listing import fact_json
from workbooks.form import form, forms
from workbooks.merging.column_mapping import NOTHING_TOLD, Told, read_mapping, targets_of
from workbooks.merging.foreign_table import read_rows, read_tables
from workbooks.merging.sources import TABLE_KINDS
from workbooks.template import manifest
from xlcalc.errors import InputError, WorkbookRefused
from xlcalc.facts import fact
from xlcalc.results.explain import SEVERITY_LABELS


def run_read(path: Path, template: str | None = None, mapping: Path | None = None, *, as_json: bool = False) -> int:
    """Shows a foreign table; returns 0, or 1 while columns are open, which are then written to 列对应.json here."""
    chosen = template or best_form(path)
    targets = targets_of(chosen, manifest(chosen))
    told = read_mapping(mapping, chosen, targets) if mapping else NOTHING_TOLD
    tables, _ = read_tables(path, targets, told)
    asked = [table for table in tables if table.questions]
    if asked and someone_is_there():
        told |= ask_on_terminal(asked, targets, input, sys.stderr)
    answers = None
    if asked:
        for table in tables:
            table.settle(targets, told)
        answers = write_answers(Path(), chosen, targets, tables)
    document = foreign_document(path, chosen, told)
    document["files"][0]["column_map"] = str(answers) if answers else None
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        print(foreign_text(document))
    return 1 if document["files"][0]["questions"] else 0


def foreign_document(path: Path, template: str | None = None, told: Told = NOTHING_TOLD) -> dict[str, Any]:
    """``xlcalc.read/1`` of a file that is no workbook of ours: what its columns are taken for, and its records.

    template: the form it is read for, else the one that knows most of its columns. Records are given only for tables
    without an open question. Raises WorkbookRefused for a file without a table, InputError where two forms fit alike.
    """
    chosen = template or best_form(path)
    targets = targets_of(chosen, manifest(chosen))
    tables, findings = read_tables(path, targets, told)
    columns = [
        {
            "where": table.heading_cell(item.column), "heading": item.column.heading,
            "fact": item.target.fact.id if item.target else None, "unit": item.unit, "how": item.how,
            "question": item.question or None,
        }
        for table in tables for item in table.proposals
    ]  # fmt: skip
    questions = [{"where": table.example, "questions": table.questions} for table in tables if table.questions]
    records = [
        {
            "key": record.key, "where": record.where,
            "facts": {name: fact_json(value) for name, value in record.facts.items()},
            "findings": [finding.as_dict() for finding in record.findings],
        }
        for table in tables if not table.questions for record in read_rows(table)
    ]  # fmt: skip
    findings += [finding for table in tables for finding in table.findings]
    file = {
        "path": str(path), "template": chosen, "template_version": form(chosen).version, "columns": columns,
        "questions": questions, "findings": [finding.as_dict() for finding in findings], "records": records,
    }  # fmt: skip
    return {"format": "xlcalc.read/1", "files": [file]}


def best_form(path: Path) -> str:
    """The table form that knows most columns of a file; raises InputError ``E-TEMPLATE`` where two know as many."""
    known: dict[str, int] = {}
    refusal: WorkbookRefused | None = None
    for name, spec in forms().items():
        if spec.kind not in TABLE_KINDS:
            continue
        try:
            tables, _ = read_tables(path, targets_of(name, manifest(name)))
        except WorkbookRefused as error:
            refusal = error
            continue
        known[name] = sum(item.how in ("exact", "alias") for table in tables for item in table.proposals if item.target)
    if not known and refusal is not None:
        raise refusal
    best = [name for name, count in known.items() if count == max(known.values())]
    if len(best) != 1:
        listed = "、".join(f"{name}（{form(name).title}）" for name in best)
        raise InputError(
            "E-TEMPLATE", "几种表都对得上，不能确定是哪一种", where=str(path), remedy=f"请指定模板：{listed}"
        )
    return best[0]


def foreign_text(document: dict[str, Any]) -> str:
    """The same for reading."""
    lines = []
    for file in document["files"]:
        lines.append(f"{file['path']}  按模板 {file['template']} 读取，{len(file['records'])} 条")
        for column in file["columns"]:
            taken = fact(column["fact"]).label if column["fact"] else "不采用"
            unit = f"（{column['unit']}）" if column["unit"] else ""
            asked = f"  ← {column['question']}" if column["question"] else ""
            lines.append(f"  {column['where']}  {column['heading']} → {taken}{unit}{asked}")
        for record in file["records"]:
            lines.append(f"  {record['key']}（{record['where']}）")
            lines += [f"    {fact(name).label}：{value}" for name, value in record["facts"].items()]
        said = [*file["findings"], *(item for record in file["records"] for item in record["findings"])]
        lines += [
            f"  [{item['code']}] {item['where'] or ''} {SEVERITY_LABELS[item['severity']]}：{item['message']}"
            for item in said
        ]
    return "\n".join(lines)
