"""What a merge is made of: every application and every row of a table below some paths, with file and cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbooks.batch.tasks import find_tasks
from workbooks.building.draft import BASIS_SHEET, CHOICE_SHEET, CLAUSE_SHEET, PARAMETER_SHEET
from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook
from workbooks.form import Form
from workbooks.merging.column_mapping import Target, Told
from workbooks.merging.foreign_table import (
    TEXT_SUFFIXES,
    ForeignTable,
    headed_row,
    pasted_table,
    read_rows,
    read_tables,
    tables_in,
)
from workbooks.ports import area_of
from workbooks.reader import read_package
from workbooks.record import ReadBook, Record
from xlcalc.errors import XlcalcError
from xlcalc.facts import fact
from xlcalc.results.outcome import Finding

TABLE_KINDS = ("recommendation", "summary")
ROW = "表格行"
"""The kind of a source that is a row of a table, whoever made the table."""


@dataclass
class Source:
    """One application, or one row of a table.

    kind: the id of the form it is filled in on, or ROW. facts: what it says of the enterprise, under the names an
    application has for it; cells: where. own_direction: whether it is about the policies of the table being built.
    """

    file: str
    kind: str
    title: str
    record: Record
    name: str
    facts: Mapping[str, Any]
    cells: Mapping[str, str]
    own_direction: bool

    @property
    def uscc(self) -> str:
        """The code, "" where none is given."""
        return str(self.record.facts.get("uscc") or "")

    @property
    def is_application(self) -> bool:
        """Whether an enterprise filled it in, so that its values count before those of any table."""
        return self.kind != ROW

    @property
    def where(self) -> str:
        """``甲县.xlsx:推荐表!B6``: where its enterprise is named."""
        return self.at("enterprise_name")

    def at(self, name: str) -> str:
        """The cell of a fact, else where the source itself stands."""
        return f"{self.file}:{self.cells.get(name, self.record.where)}"

    @property
    def findings(self) -> list[Finding]:
        """Those of its cells, with the file before the cell."""
        return [replace(item, where=f"{self.file}:{item.where or self.record.where}") for item in self.record.findings]


@dataclass
class Collected:
    """Everything found. open_tables: foreign tables some of whose columns a person has to name first."""

    files: int = 0
    sources: list[Source] = field(default_factory=list)
    tables: list[ForeignTable] = field(default_factory=list)
    open_tables: list[ForeignTable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def application_name(spec: Form, name: str) -> str:
    """What an application calls the fact of a column; a text the table words anew is a fact of its own."""
    if name in spec.data.get("worded_anew", ()):
        return name
    return str(spec.data.get("taken_from", {}).get(name, name))


class Collector:
    """Reads documents for one table form; a file that cannot be read is a finding and costs only itself."""

    def __init__(self, spec: Form, targets: Sequence[Target], told: Told, choices: Mapping[str, str]) -> None:
        self.spec, self.targets, self.told, self.choices = spec, targets, told, choices
        self.found = Collected()

    def collect(self, paths: Sequence[Path], leave: Sequence[Path] = ()) -> Collected:
        """All documents below the paths, in a fixed order; leave: files that are results of ours."""
        left = {path.absolute() for path in leave}
        for task in find_tasks(paths, None):
            if task.path.absolute() in left:
                continue
            self.found.files += 1
            name = task.path.name
            try:
                self._read(task.path)
            except XlcalcError as error:
                place = error.where if error.where and name in error.where else name
                self._refuse(error.code, f"{error.message}。{error.remedy}", place)
            except MemoryError:
                self._refuse("E-MEMORY", "处理此文件所需内存超过限额。请检查文件是否过大；必要时拆分后重新提交", name)
            except Exception as error:  # noqa: BLE001 - one file's fault must not end the merge
                kind = type(error).__name__
                self._refuse("E-INTERNAL", f"程序内部错误（{kind}）。请保留此文件并告知维护人员", name)
        return self.found

    def settle(self, told: Told) -> None:
        """Reads the tables whose columns have been named now; the others stay open."""
        waiting, self.found.open_tables = self.found.open_tables, []
        for table in waiting:
            table.settle(self.targets, told)
            self._take(table)

    def _refuse(self, code: str, message: str, where: str) -> None:
        self.found.findings.append(Finding(code, "block", message, None, where))

    def _read(self, path: Path) -> None:
        if path.suffix.lower() not in TEXT_SUFFIXES:
            package = Package.open(path)
            if RawBook(package).resolve("xlcalc_template") is not None:
                self._ours(path.name, read_package(package))
                return
        tables, findings = read_tables(path, self.targets, self.told)
        self.found.findings += [replace(item, where=path.name) for item in findings]
        for table in tables:
            self._take(table)

    def _take(self, table: ForeignTable) -> None:
        if table.questions:
            self.found.open_tables.append(table)
            return
        self.found.tables.append(table)
        for record in read_rows(table):
            self._add(table.file, ROW, "表格", record, self.spec)
        self.found.findings += _in_file(table.file, table.findings)
        table.findings.clear()

    def _ours(self, file: str, read: ReadBook) -> None:
        own_table = read.form.id == self.spec.id
        records = self._without_pasted(file, read) if own_table else read.records
        for record in records:
            self._add(file, ROW if own_table else read.form.id, read.form.title, record, read.form)
        self.found.findings += _in_file(file, read.findings)
        self._compare_choices(file, read)

    def _without_pasted(self, file: str, read: ReadBook) -> list[Record]:
        """The form's own rows but those of a table pasted with its heading, here or on a sheet of its own."""
        header = area_of(read.book, "t_header")
        records = read.records
        first = headed_row(read.book, header.sheet, header.first_row + 1, self.targets)
        table = None
        if first is not None:
            table = pasted_table(file, read.book, header.sheet, first, self.targets, self.told)
        if table is not None:
            self._take(table)
            records = [record for record in records if record.row is None or record.row < table.header.first]
        ours = {area_of(read.book, port.name).sheet for port in read.manifest.ports}
        ours |= {BASIS_SHEET, CLAUSE_SHEET, CHOICE_SHEET, PARAMETER_SHEET}
        for added in tables_in(file, read.book, self.targets, self.told, leave=sorted(ours)):
            self._take(added)
        return records

    def _add(self, file: str, kind: str, title: str, record: Record, form: Form) -> None:
        named = form.data.get("name", "enterprise_name")
        # What stands above the rows of a table is said of the table, not of the enterprise.
        carried = {target.fact.id for target in self.targets} if kind == ROW else record.facts.keys()
        facts = {application_name(form, name): value for name, value in record.facts.items() if name in carried}
        cells = {application_name(form, name): place for name, place in record.facts_at.items()}
        own = kind == ROW or (form.kind not in TABLE_KINDS and bool(set(form.policies) & set(self.spec.policies)))
        name = str(record.facts.get(named) or "")
        self.found.sources.append(Source(file, kind, title, record, name, facts, cells, own))

    def _compare_choices(self, file: str, read: ReadBook) -> None:
        """A workbook filled in under other readings than the table's is told."""
        differing = [
            f"{key}（该文件 {code}，本次 {self.choices[key]}）"
            for key, code in read.choices.items()
            if self.choices.get(key, code) != code
        ]
        if differing:
            message = f"文件所选口径与本次不同：{'、'.join(differing)}。按本次口径列表，请核对"
            self.found.findings.append(Finding("E-CHOICE-DIFFERS", "warn", message, None, file))


def _in_file(file: str, findings: Sequence[Finding]) -> list[Finding]:
    return [replace(item, where=f"{file}:{item.where}" if item.where else file) for item in findings]


def said_by_all(sources: Sequence[Source], name: str) -> str | None:
    """What all sources that say it say of a fact of the whole table, such as 推荐单位; None where they differ."""
    said = {str(source.record.facts[name]) for source in sources if source.record.facts.get(name)}
    return said.pop() if len(said) == 1 and fact(name).type == "text" else None
