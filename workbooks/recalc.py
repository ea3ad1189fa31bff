"""Recalculates one filled workbook: inputs are read, results computed anew and patched into a copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from workbooks.application.cost_outputs import FOLLOWING, cost_outputs
from workbooks.application.outputs import application_outputs
from workbooks.assessment.outputs import assessment_outputs
from workbooks.changed_formulas import ChangedFormulas
from workbooks.earlier import Before, restate, restated_cells
from workbooks.files.cellread import Evaluated
from workbooks.files.cellxml import says
from workbooks.files.package import Package
from workbooks.files.rawbook import RawCell, Value
from workbooks.form import UDF
from workbooks.listed import findings_shown, listed_findings, listed_rows, sheets_of, summary, summary_of_rows
from workbooks.outputs import CHOICES_AGREE, cell_value, choices_text, explanation, same_result, verdict
from workbooks.own_formulas import own_formulas
from workbooks.ports import Place, area_of, cell_at, places
from workbooks.reader import read_package
from workbooks.recommendation.outputs import recommendation_outputs
from workbooks.record import ReadBook, Record, Shown
from workbooks.review.outputs import review_outcomes, review_outputs
from workbooks.summary.reader import check_rows, summary_outputs
from workbooks.template import parameter_values
from workbooks.uncalculated import Uncalculated
from xlcalc.errors import WorkbookRefused
from xlcalc.evaluation import evaluate
from xlcalc.facts import ParsedFacts
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.results.outcome import Finding, Outcome
from xlcalc.values.levels import MaturityLevel

Changes = dict[tuple[str, str], Value]


@dataclass
class Recalculated:
    """The result for one workbook. findings: those of the file; those of records stand in ``records``.

    refusal: why the result cannot be written into the workbook itself.
    """

    read: ReadBook
    outcomes: list[tuple[Record, Outcome]]
    findings: list[Finding]
    changes: Changes = field(default_factory=dict)
    refusal: str = ""
    uncalculated: Uncalculated = field(init=False)
    formulas: ChangedFormulas = field(init=False)

    def __post_init__(self) -> None:
        self.uncalculated = Uncalculated(self.read)
        self.formulas = ChangedFormulas(self.read)

    @property
    def data(self) -> bytes:
        """The workbook with its results, the original's other bytes unchanged; raises WorkbookRefused otherwise."""
        if self.refusal:
            raise WorkbookRefused("E-BOOK-VERSION", self.refusal, remedy="请按该版本生成新模板，把数据填入后再核算")
        return self.read.book.patch(self.changes)

    def all_findings(self) -> list[Finding]:
        """Findings of the file and of its records, then those of the outcomes, each with its cell where known."""
        own = [*self.findings, *(finding for record in self.read.records for finding in record.findings)]
        return own + [finding for _, outcome in self.outcomes for finding in outcome.findings]


def recalculate(
    path: Path,
    *,
    on: date | None = None,
    choices: Mapping[str, str] | None = None,
    evaluated: Evaluated | None = None,
    before: Before | None = None,
) -> Recalculated:
    """Results of a workbook under its own pack versions and choices, unless ``on`` or ``choices`` override them.

    evaluated: values an engine found for the workbook's formula cells; they stand in for formulas in input
    cells and are compared with our results. before: a register of what enterprises have had, which goes before the
    form. Raises WorkbookRefused for a file that cannot be used.
    """
    return recalculate_package(Package.open(path), on=on, choices=choices, evaluated=evaluated, before=before)


def recalculate_package(
    package: Package,
    *,
    on: date | None = None,
    choices: Mapping[str, str] | None = None,
    evaluated: Evaluated | None = None,
    before: Before | None = None,
) -> Recalculated:
    """The same for a package already opened."""
    read = read_package(package, evaluated)
    versions = _versions(read, on)
    chosen = dict(read.choices)
    for version in versions.values():
        given = version.own_choices(choices or {})
        chosen |= {key: version.full_choices(given)[key] for key in given}
    same = versions == read.versions and chosen == read.choices_used
    if versions != read.versions or chosen != read.choices:
        read = replace(read, versions=versions, choices=chosen)
        _use_choices(read)
    if read.form.kind == "summary":
        check_rows(read)
    if before is not None:
        restate(read, before)
    outcomes = [(record, outcome) for record in read.records for outcome in _outcomes(read, record, on)]
    result = Recalculated(read, outcomes, [*read.findings, *_changed_choices(read)], restated_cells(read))
    _write_choices_state(result)
    _write_outputs(
        result, _shown(read, outcomes), compare=same and not _without_functions(result, evaluated), evaluated=evaluated
    )
    result.findings.extend([*result.uncalculated.findings(), *result.formulas.findings()])
    _write_parameters(result, compare=same)
    result.findings.extend(own_formulas(read, result.changes))
    _write_explanation(result)
    _write_findings(result)
    return result


def _versions(read: ReadBook, on: date | None) -> dict[str, Version]:
    if on is None:
        return read.versions
    return {policy: load_policy(policy).on(on)[0] for policy in read.form.policies}


def _changed_choices(read: ReadBook) -> list[Finding]:
    """Choices other than those the stored results and parameters belong to."""
    changed = [
        f"{key} 由 {read.choices_used[key]} 改为 {code}"
        for key, code in read.choices.items()
        if read.choices_used.get(key, code) != code
    ]
    if not changed:
        return []
    message = f"口径已更改（{'；'.join(changed)}），结果和公式参数已随之更新。请确认口径确认表"
    return [Finding("E-CHOICE-CHANGED", "info", message)]


def _write_choices_state(result: Recalculated) -> None:
    """After a recalculation the parameters are those of the choices; functions are told which those are."""
    shown = {"o_choices_state": CHOICES_AGREE}
    if result.read.manifest.flavour == UDF:
        shown["k_choices"] = choices_text(result.read.choices)
    for name, text in shown.items():
        place = places(result.read.book, name)[0]
        if cell_at(result.read.book, place).formula is not None:
            result.changes[place.sheet, place.ref] = text


def _without_functions(result: Recalculated, evaluated: Evaluated | None) -> bool:
    """Whether the workbook was saved by a program without our functions: its results are no one's then."""
    read = result.read
    if read.manifest.flavour != UDF or evaluated is not None:
        return False
    outputs = (port.name for port in read.manifest.ports if port.direction == "out")
    unknown = [place for name in outputs for place in places(read.book, name) if _is_unknown(cell_at(read.book, place))]
    if unknown:
        message = f"{len(unknown)} 个单元格保存的是 #NAME?：文件曾在没有核算函数的程序中计算。已重新核算，以本结果为准"
        result.findings.append(Finding("E-NO-FUNCTIONS", "info", message, None, str(unknown[0])))
    return bool(unknown)


def _is_unknown(cell: RawCell) -> bool:
    return cell.formula is not None and cell.kind == "error" and cell.text == "#NAME?"


def _use_choices(read: ReadBook) -> None:
    """Under other choices the same ticks may score otherwise."""
    version = read.versions[read.form.policies[0]]
    for record in read.records:
        if "assessment" in record.cells:
            record.cells["assessment"] = version.mechanism("assessment", version.own_choices(read.choices))


def _outcomes(read: ReadBook, record: Record, on: date | None) -> list[Outcome]:
    if read.form.kind == "review":
        return [_held_back(outcome, record) for outcome in review_outcomes(read, record, on)]
    found: list[Outcome] = []
    facts = ParsedFacts(record.facts)
    # A row of a 汇总表 carries too little for a status.
    for policy in read.form.policies if read.form.kind != "summary" else ():
        version = read.versions[policy]
        outcome = evaluate(policy, facts, on=on, version=version, choices=version.own_choices(read.choices))
        level = outcome.results.get("maturity_level")
        if isinstance(level, MaturityLevel) and "maturity_level" not in facts:
            facts["self_assessed_level"] = level
        located = tuple(replace(item, where=item.where or record.place_of(item.fact)) for item in outcome.findings)
        found.append(_held_back(replace(outcome, findings=located), record))
    return found


def _held_back(outcome: Outcome, record: Record) -> Outcome:
    """Nothing is payable to a record in which something blocks, such as a row that stands twice."""
    blocked = any(finding.severity == "block" for finding in record.findings)
    if outcome.status != "determined" or not blocked:
        return outcome
    return replace(outcome, status="not_determined", payable=None)


def _shown(read: ReadBook, outcomes: list[tuple[Record, Outcome]]) -> list[tuple[Record, Shown]]:
    if read.form.kind == "assessment":
        return [
            (record, assessment_outputs(read.form, record, read.versions, read.choices, read.manifest.flavour))
            for record in read.records
        ]
    if read.form.kind == "review":
        return [(record, review_outputs(read, record)) for record in read.records]
    if read.form.kind == "application":
        blank = Record("", "", {}, [])
        record = read.records[0] if read.records else blank
        shown = application_outputs(read.book, read.manifest)
        if "o_cost_subsidy" in read.manifest.by_name:
            version, outcome = read.versions[read.form.policies[0]], next((item for _, item in outcomes), None)
            shown |= cost_outputs(read.book, record, version, read.choices, outcome)
        return [(record, shown)]
    header = area_of(read.book, "t_header").first_row
    version = read.versions[read.form.policies[0]]
    if read.form.kind == "summary":
        return [(record, summary_outputs(read.form, record, version, header)) for record in read.records]
    return [
        (record, recommendation_outputs(read.form, record, version, read.choices, outcome, header))
        for record, outcome in outcomes
    ]


def _write_outputs(
    result: Recalculated, shown: list[tuple[Record, Shown]], *, compare: bool, evaluated: Evaluated | None
) -> None:
    for record, values in shown:
        for name, value in values.items():
            fill = result.read.manifest.by_name[name].direction == "fill"
            for number, (place, single) in enumerate(_placed(result.read, name, value, record.row)):
                if fill:
                    _write_fill(result, place, single)
                else:
                    held = compare and not record.restated and not name.startswith(FOLLOWING)
                    port = (name, number if record.row is None else -1)
                    _write_output(result, record, place, single, port, compare=held, evaluated=evaluated)
    if result.read.form.kind in ("recommendation", "summary"):
        _write_empty_rows(result, {record.row for record, _ in shown})


def _placed(read: ReadBook, name: str, value: Any, row: int | None) -> list[tuple[Place, Any]]:
    if row is not None:
        area = area_of(read.book, name)
        return [(Place(area.sheet, row, area.first_col), value)]
    cells = places(read.book, name)
    return list(zip(cells, value if isinstance(value, list) else [value], strict=True))


def _write_output(
    result: Recalculated,
    record: Record,
    place: Place,
    value: Any,
    port: tuple[str, int],
    *,
    compare: bool,
    evaluated: Evaluated | None,
) -> None:
    cell = cell_at(result.read.book, place)
    fresh = cell_value(value)
    if cell.formula is None and value is None:
        return
    if cell.formula is None:
        record.findings.append(_without_formula(cell, fresh, place, record))
        return
    result.changes[place.sheet, place.ref] = fresh
    result.formulas.look(place, port, cell.formula)
    stored = evaluated.get((place.sheet, place.ref)) if evaluated else _stored(cell)
    if stored is None or not compare:
        return
    if same_result(stored, fresh):
        result.uncalculated.agrees(record, port, str(stored))
        return
    where = "引擎计算" if evaluated else "文件中保存"
    message = f"{where}的结果为“{stored}”，重新计算为“{fresh}”。以重新计算为准，请核对文件是否被改动"
    differs = Finding("E-STORED-DIFFERS", "warn", message, None, str(place), differs=(str(stored), str(fresh)))
    if evaluated is not None or not result.uncalculated.takes(record, port, str(stored), differs):
        record.findings.append(differs)


def _without_formula(cell: RawCell, fresh: Value, place: Place, record: Record) -> Finding:
    """The result is told in the report only; what stands in the cell instead stays, and is told where it differs."""
    message, stored = "本行缺公式" if record.row else "计算单元格的公式已被改动", _stored(cell)
    told, differs = f"结果只写入运行报告：{_shown_value(fresh)}", None
    if stored is not None and not same_result(stored, fresh):
        told, differs = f"单元格里是“{stored}”，核算结果是“{_shown_value(fresh)}”，未改写", (stored, str(fresh))
    text = f"{message}，{told}。请从上一行复制公式，或改用新模板"
    return Finding("E-NO-FORMULA", "warn", text, None, str(place), differs=differs)


def _shown_value(value: Value) -> str:
    return "（空）" if value in (None, "") else str(value)


def _write_fill(result: Recalculated, place: Place, value: Any) -> None:
    """What goes into a cell the template ships empty; a row without that cell is told in the report only."""
    cell, fresh = cell_at(result.read.book, place), cell_value(value)
    if cell.ref and (cell.formula is not None or not says(cell, fresh)):
        result.changes[place.sheet, place.ref] = fresh


def _write_column(result: Recalculated, name: str, values: Sequence[Value]) -> None:
    """The same for cells one below another; rows that somebody put into a list stay as they are."""
    area = area_of(result.read.book, name)
    cells = result.read.book.sheet(area.sheet).cells
    for row, value in enumerate(values, area.first_row):
        cell = cells.get((row, area.first_col))
        if cell is not None and (cell.formula is not None or not says(cell, value)):
            result.changes[area.sheet, cell.ref] = value


def _stored(cell: RawCell) -> str | None:
    """The cached value as text; None where the file holds none, as after saving by a program that keeps none."""
    return None if cell.kind == "empty" else cell.text


def _write_empty_rows(result: Recalculated, filled: set[int | None]) -> None:
    """Rows without an enterprise show nothing; what an earlier run wrote there is cleared."""
    read = result.read
    for name in read.manifest.table:
        port = read.manifest.by_name[name]
        if port.direction not in ("out", "fill"):
            continue
        for place in places(read.book, name):
            cell = cell_at(read.book, place)
            if place.row not in filled and cell.ref and (cell.formula is not None or port.direction == "fill"):
                result.changes[place.sheet, place.ref] = ""


def _write_parameters(result: Recalculated, *, compare: bool) -> None:
    """Brings parameter, choice and identity cells in line with the packs and choices used."""
    read = result.read
    expected = parameter_values(read.form.id, tuple(read.versions.items()), tuple(sorted(read.choices.items())))
    if lacking := [name for name in expected if name not in read.manifest.by_name]:
        # Written in part, the workbook would be read under neither version.
        result.refusal = f"所用版本有 {len(lacking)} 项口径或参数是本工作簿的版本没有的"
        return
    for name, values in expected.items():
        for place, value in zip(places(read.book, name), values, strict=False):
            cell = cell_at(read.book, place)
            if value is None or says(cell, value) or same_result(_stored(cell) or "", value):
                continue
            result.changes[place.sheet, place.ref] = value
            if compare and cell.formula is None and read.manifest.by_name[name].direction == "parameter":
                message = f"参数“{cell.text}”与政策包不同，应为“{value}”。已按政策包恢复"
                differs = (cell.text, str(value))
                result.findings.append(Finding("E-PARAMETER", "warn", message, None, str(place), differs=differs))


def _write_findings(result: Recalculated) -> None:
    """Fills the list of findings, where the template has one; links are formulas and show the place."""
    read = result.read
    if "fill_finding_code" not in read.manifest.by_name:
        return
    outcomes = [outcome for _, outcome in result.outcomes]
    if read.form.kind in ("recommendation", "summary"):
        listed = listed_rows(result.all_findings(), result.outcomes)
        said = summary_of_rows(read.records, outcomes, listed)
    else:
        listed = listed_findings(result.all_findings(), outcomes, read.records[0] if read.records else None)
        said = summary(outcomes, listed)
    for name, value in findings_shown(listed, said, sheets_of(read.book)).items():
        _write_column(result, name, value if isinstance(value, list) else [value])


def _write_explanation(result: Recalculated) -> None:
    read = result.read
    cells = places(read.book, "fill_explanation")
    outcomes = [outcome for _, outcome in result.outcomes]
    findings = [*result.findings, *(finding for record in read.records for finding in record.findings)]
    if read.form.kind == "recommendation" and len(outcomes) > 1:
        # A table has its verdicts row by row; one derivation after another would not fit here.
        outcomes = []
    _write_column(result, "fill_explanation", explanation(outcomes, findings, len(cells)))
    if "fill_payment" in read.manifest.by_name and outcomes:
        _write_fill(result, places(read.book, "fill_payment")[0], verdict(outcomes[-1], []))
