"""Reads a 推荐表: one record a row, with what is doubled or missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from workbooks.files.cellread import CellReader
from workbooks.files.rawbook import Area
from workbooks.form import Form
from workbooks.ports import Manifest, Place, Port, area_of, places
from workbooks.record import Record
from xlcalc.errors import WorkbookRefused
from xlcalc.facts import Fact, fact
from xlcalc.packs.policy import Version
from xlcalc.values.text import squeeze


def read_records(
    reader: CellReader, form: Form, ports: Manifest, versions: Mapping[str, Version], choices: Mapping[str, str]
) -> list[Record]:
    """Every row in which a person has written something; rows added below the table count too."""
    columns = table_columns(reader, ports)
    inputs = [ports.by_name[name] for name in ports.table if ports.by_name[name].direction == "in"]
    sheet = columns["t_header" if "t_header" in columns else ports.table[0]].sheet
    first = min(columns[port.name].first_row for port in inputs)
    lanes = [_Lane(port, fact(port.fact or ""), columns[port.name].first_col) for port in inputs]
    own = {lane.column for lane in lanes}
    filled = [
        row
        for (row, column), cell in reader.book.sheet(sheet).cells.items()
        if column in own and row >= first and (cell.formula is not None or cell.text.strip())
    ]
    head = _head(reader, ports)
    records = [_record(reader, sheet, row, lanes, head) for row in sorted(set(filled))]
    mark_doubles(records, {name: fact(name).label for name in ("uscc", "enterprise_name")})
    del form, versions, choices
    return records


def table_columns(reader: CellReader, ports: Manifest) -> dict[str, Area]:
    """Where each column stands; refused when they no longer stand side by side, for a row would mix enterprises."""
    columns = {name: area_of(reader.book, name) for name in ports.table}
    if len({(area.sheet, area.first_row, area.last_row) for area in columns.values()}) > 1:
        raise WorkbookRefused(
            "E-BOOK-BLOCK",
            "表格各列的起止行不再一致，可能只移动或删除了部分列的单元格，无法确定哪些数据属于同一企业",
            where=str(places(reader.book, ports.table[0])[0]),
            remedy="请撤销移动或删除，或把数据填入新的模板",
        )
    return columns


def _head(reader: CellReader, ports: Manifest) -> dict[str, Any]:
    head = {}
    for port in ports.ports:
        if port.direction == "in" and port.name not in ports.table and port.fact:
            value = reader.fact(places(reader.book, port.name)[0], fact(port.fact))
            if value is not None:
                head[port.fact] = value
    return head


class _Lane(NamedTuple):
    """A column that is filled in: the fact it feeds, and where it stands."""

    port: Port
    fact: Fact
    column: int


def _record(reader: CellReader, sheet: str, row: int, lanes: Sequence[_Lane], head: Mapping[str, Any]) -> Record:
    facts: dict[str, Any] = dict(head)
    facts_at = {}
    start = len(reader.findings)
    for port, known, column in lanes:
        place = Place(sheet, row, column)
        facts_at[known.id] = str(place)
        value = reader.fact(place, known, port.unit)
        if value is not None and value != "":
            facts[known.id] = value
    if not facts.get("enterprise_name"):
        reader.problem("E-NO-NAME", "本行没有企业名称", "请填写企业名称或清空本行", facts_at["enterprise_name"])
    findings = reader.findings[start:]
    del reader.findings[start:]
    key = str(facts.get("uscc") or facts.get("enterprise_name") or f"第{row}行")
    return Record(key, f"{sheet}!A{row}", facts, findings, facts_at=facts_at, row=row)


_SHOWN_DOUBLES = 10


def mark_doubles(records: list[Record], labels: Mapping[str, str]) -> None:
    """Adds a finding to every row whose code or name (fact -> its label) stands in another row too."""
    from xlcalc.results.outcome import Finding

    for name, label in labels.items():
        rows: dict[str, list[str]] = {}
        for record in records:
            if record.facts.get(name):
                rows.setdefault(squeeze(str(record.facts[name])), []).append(str(record.row))
        for record in records:
            value = record.facts.get(name)
            doubled = rows.get(squeeze(str(value)), []) if value else []
            if len(doubled) > 1:
                many = f" 等共 {len(doubled)} 行" if len(doubled) > _SHOWN_DOUBLES else " 行"
                where = f"第 {'、'.join(doubled[:_SHOWN_DOUBLES])}{many}"
                message = f"{label}“{value}”在{where}重复出现。同一企业只能推荐一次，请删去重复的行"
                record.findings.append(Finding("E-DOUBLE", "block", message, None, record.facts_at[name], name))
