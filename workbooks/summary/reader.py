"""Reads a 汇总表 and says of each row what its own columns show to be wrong.

A 汇总表 repeats a few things from applications: whether an enterprise qualifies cannot be seen from it, so a row gets
findings and no status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from workbooks.files.cellread import CellReader
from workbooks.form import Form, form
from workbooks.ports import Manifest, Place, Port, area_of, places
from workbooks.recommendation.reader import mark_doubles, table_columns
from workbooks.record import ReadBook, Record
from workbooks.summary.columns import FINDINGS, WORDS, SummaryColumn, columns_of, limits_of
from xlcalc.facts import catalogue, fact
from xlcalc.mechanisms.base import Context, Mechanism
from xlcalc.mechanisms.eligibility import Eligibility, condition_facts
from xlcalc.mechanisms.selection import Selection
from xlcalc.mechanisms.text_tests import problem_of_form
from xlcalc.mechanisms.word_limits import WordLimits
from xlcalc.packs.policy import Version
from xlcalc.results.outcome import Finding
from xlcalc.values.text import parse_yes_no, squeeze

NOTHING_WRONG = "未发现问题（只核对本表各列）"


def read_records(
    reader: CellReader, form: Form, ports: Manifest, versions: Mapping[str, Version], choices: Mapping[str, str]
) -> list[Record]:
    """Every row in which a person has written something; rows added below the table count, those of its foot do not."""
    del choices
    areas = table_columns(reader, ports)
    columns = columns_of(form, versions[form.policies[0]])
    inputs = {column: ports.by_name[column.port] for column in columns}
    first = min(area.first_row for area in areas.values())
    sheet = areas[columns[0].port].sheet
    letters = {port.name: areas[port.name].first_col for port in inputs.values()}
    end = min((area_of(reader.book, name).first_row for name in _foot(form, ports)), default=None)
    filled = {
        row
        for (row, number), cell in reader.book.sheet(sheet).cells.items()
        if number in letters.values() and row >= first and (end is None or row < end)
        if cell.formula is not None or cell.text.strip()
    }
    head = _head(reader, form, ports)
    records = [_record(reader, form, sheet, row, inputs, letters, head) for row in sorted(filled)]
    name = form.data["name"]
    mark_doubles(records, {name: next(column.label for column in columns if column.fact.id == name)})
    return records


def _foot(form: Form, ports: Manifest) -> list[str]:
    return [f"i_{item['fact']}" for item in form.data.get("foot", ()) if f"i_{item['fact']}" in ports.by_name]


def _head(reader: CellReader, form: Form, ports: Manifest) -> dict[str, Any]:
    """What stands above and below the table; the county's blank as printed is not filled in."""
    blank = squeeze(form.data.get("heading", {}).get("blank", ""))
    found = {}
    for port in ports.ports:
        if port.direction == "in" and port.name not in ports.table and port.fact:
            value = reader.fact(places(reader.book, port.name)[0], fact(port.fact))
            if value not in (None, "") and not (blank and squeeze(str(value)) == blank):
                found[port.fact] = value
    return found


def _record(
    reader: CellReader,
    form: Form,
    sheet: str,
    row: int,
    inputs: Mapping[SummaryColumn, Port],
    letters: Mapping[str, int],
    head: Mapping[str, Any],
) -> Record:
    facts = dict(head)
    facts_at: dict[str, str] = {}
    ticked: dict[str, dict[str, bool | None]] = {}
    lengths: dict[str, int | str] = {}
    start = len(reader.findings)
    for column, port in inputs.items():
        place = Place(sheet, row, letters[port.name])
        facts_at.setdefault(column.fact.id, str(place))
        if column.option is not None:
            facts_at[column.port] = str(place)
            word = yes_or_no(reader, place, column.label, column.fact.id)
            ticked.setdefault(column.fact.id, {})[column.option] = word
            continue
        value = reader.fact(place, replace(column.fact, label=column.label), port.unit)
        if value is not None and value != "":
            facts[column.fact.id] = value
        lengths[column.port] = _length(reader.printed(place))
    facts |= answered_options(ticked)
    name = form.data["name"]
    if not facts.get(name):
        reader.problem("E-NO-NAME", "本行没有企业名称", "请填写企业名称或清空本行", facts_at[name], name)
    findings = reader.findings[start:]
    del reader.findings[start:]
    key = str(facts.get(name) or f"第{row}行")
    return Record(key, f"{sheet}!A{row}", facts, findings, {"lengths": lengths}, facts_at, row)


def _length(shown: Any) -> int | str:
    """What LEN gives for a cell; "" for an empty one."""
    if shown is None:
        return ""
    text = shown if isinstance(shown, str) else format(shown.normalize(), "f")
    return len(text.encode("utf-16-le")) // 2


def yes_or_no(reader: CellReader, place: Place, label: str, fact_id: str) -> bool | None:
    """是 or 否 at a place; None when neither, with a finding unless the cell is empty."""
    text = reader.text(place, label)
    word = parse_yes_no(text)
    if text and word is None:
        reader.problem("E-BOOL", f"{label}：“{text[:10]}”不是“是”或“否”", "请选“是”或“否”", place, fact_id)
    return word


def answered_options(ticked: Mapping[str, Mapping[str, bool | None]]) -> dict[str, tuple[str, ...]]:
    """Fact -> the options answered 是, in their order; a fact one of whose columns is open is not there."""
    return {
        name: tuple(code for code in catalogue()[name].options if words.get(code))
        for name, words in ticked.items()
        if None not in words.values()
    }


# --- what a row shows


def check_rows(read: ReadBook) -> None:
    """Adds to every row what the pack's rules find in its columns, under the choices in force."""
    version = read.versions[read.form.policies[0]]
    for record in read.records:
        told = {finding.fact for finding in record.findings}
        for finding in row_findings(read.form, version, read.choices, record.facts):
            if finding.code == "E-EMPTY" and finding.fact in told:
                continue
            where = finding.where or record.facts_at.get(finding.fact or "")
            record.findings.append(replace(finding, where=where))


def row_findings(form: Form, version: Version, choices: Mapping[str, str], facts: Mapping[str, Any]) -> list[Finding]:
    """Texts too long, directions that exclude each other, numbers and addresses that cannot be, cells left empty.

    form: of kind ``summary``. facts: of one row. Clauses are those of the pack.
    """
    known = tuple(sorted(version.full_choices(version.own_choices(choices)).items()))
    findings: list[Finding] = []
    for mechanism in _rules(form.id, version, known):
        if isinstance(mechanism, Selection):
            chosen = next((name for name, source in _sources(form).items() if source == mechanism.by.id), "")
            findings += [
                Finding(feature, "block", message, version.clauses[clause].article, fact=chosen)
                for feature, clause, message in (mechanism.problems(facts[chosen]) if chosen in facts else ())
            ]
        else:
            step = mechanism.evaluate(Context(facts, version.clauses))
            findings += [finding for finding in step.findings if finding.severity in ("block", "warn")]
    columns = columns_of(form, version)
    article = version.clauses[_pack_form(form, version)["clause"]].article
    for name, shape in form.data.get("written_as", {}).items():
        problem = problem_of_form(facts[name], **shape) if facts.get(name) else None
        if problem:
            label = next(column.label for column in columns if column.fact.id == name)
            findings.append(Finding("E-WRITTEN", "warn", f"{label}：{problem}。请核对", article, fact=name))
    empty = dict.fromkeys(column.fact.id for column in columns if column.fact.id not in facts and column.wanted)
    for name in empty:
        labels = "、".join(column.label for column in columns if column.fact.id == name)
        findings.append(Finding("E-EMPTY", "warn", f"{labels}未填或未填全。请补填", article, fact=name))
    return findings


def _sources(form: Form) -> Mapping[str, str]:
    sources: Mapping[str, str] = form.data["taken_from"]
    return sources


def _pack_form(form: Form, version: Version) -> Mapping[str, Any]:
    rows: list[Mapping[str, Any]] = version.data["form"]
    return next(row for row in rows if row["key"] == form.data["pack_form"])


@lru_cache(maxsize=16)
def _rules(form_id: str, version: Version, choices: tuple[tuple[str, str], ...]) -> tuple[Mechanism, ...]:
    """The parts of the pack's mechanisms that need nothing but the columns of the table."""
    spec = form(form_id)
    carried = {column.fact.id for column in columns_of(spec, version)}
    guards = version.guards(dict(choices))
    found: list[Mechanism] = []
    for mechanism in version.mechanisms(dict(choices)):
        if mechanism.key in guards:
            continue
        if isinstance(mechanism, Eligibility):
            kept = tuple(row for row in mechanism.conditions if carried.issuperset(condition_facts(row)))
            found += [replace(mechanism, conditions=kept, required=False)] if kept else []
        elif isinstance(mechanism, WordLimits):
            limits = tuple(row for row in mechanism.limits if carried.issuperset(row.facts))
            found += [replace(mechanism, limits=limits)] if limits else []
        elif isinstance(mechanism, Selection) and mechanism.by.id in _sources(spec).values():
            found.append(mechanism)
    return tuple(found)


def summary_outputs(form: Form, record: Record, version: Version, header_row: int) -> dict[str, Any]:
    """Every output of one row: its number, the lengths of its texts, and its findings in one line."""
    shown: dict[str, Any] = {
        "t_sequence": record.row - header_row if record.facts.get(form.data["name"]) and record.row else "",
        FINDINGS: findings_line(form, record, version),
    }
    return shown | {
        f"t_length_{port.removeprefix('t_')}": record.cells["lengths"][port] for port in limits_of(form, version)
    }


def findings_line(form: Form, record: Record, version: Version) -> str:
    """``有误：【电话】…；【邮箱】…``; each finding names its column, by which the table colours the cell."""
    seen = [finding for finding in record.findings if finding.severity in ("block", "warn")]
    if not seen:
        return NOTHING_WRONG
    labels: dict[str, str] = {}
    for column in columns_of(form, version):
        labels.setdefault(column.fact.id, column.label)
    worst = "block" if any(finding.severity == "block" for finding in seen) else "warn"
    parts = [f"{_marked(labels.get(finding.fact or ''))}{finding.message}{_cited(finding)}" for finding in seen]
    return f"{WORDS[worst]}：{'；'.join(parts)}"[:2000]


def _marked(label: str | None) -> str:
    return f"【{label}】" if label else ""


def _cited(finding: Finding) -> str:
    return f"（{finding.clause}）" if finding.clause else ""
