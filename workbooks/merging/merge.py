"""Many applications and tables into one 推荐表 or 汇总表: each enterprise once, with the values of its application.

Nothing is guessed: what stands twice, what two documents say differently and what does not pass is set aside with its
file and cell; names that are only alike are told and never joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from workbooks.form import Form, form
from workbooks.merging.column_mapping import NOTHING_TOLD, Target, Told, targets_of
from workbooks.merging.near_names import near_names
from workbooks.merging.sources import TABLE_KINDS, Collected, Collector, Source, application_name, said_by_all
from workbooks.outputs import verdict
from workbooks.ports import Manifest
from workbooks.summary.reader import row_findings
from workbooks.template import build_template, manifest
from xlcalc.errors import WorkbookError
from xlcalc.evaluation import evaluate
from xlcalc.facts import fact
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.results.outcome import Finding
from xlcalc.values.text import squeeze

_MOST_NEAR = 200
_SHOWN = 5

Ask = Callable[[Collected], Told]
"""Asks a person what the columns still open are."""


@dataclass
class Enterprise:
    """What all documents say of one enterprise. facts: as an application names them; row: as the table does.

    reasons: why it is not in the table; none for one that is.
    """

    sources: list[Source]
    facts: dict[str, Any] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    reasons: list[Finding] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As the first document that gives it."""
        return next((source.name for source in self.sources if source.name), "")

    @property
    def uscc(self) -> str:
        """Its code, "" where no document gives one."""
        return next((source.uscc for source in self.sources if source.uscc), "")

    @property
    def where(self) -> str:
        """Where its documents stand, the first few."""
        return _listed(source.where for source in self.sources)


@dataclass
class Merged:
    """What came of a merge. data: the table, None while columns of ``collected`` are open.

    taken: the enterprises in it, in the order of its rows. left_out: the others, each with its reasons.
    findings: about files, rows and enterprises, with ``file:sheet!cell``.
    """

    template: str
    collected: Collected
    data: bytes | None = None
    taken: list[Enterprise] = field(default_factory=list)
    left_out: list[Enterprise] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def blocking(self) -> bool:
        """Whether someone has to act: a file refused, an enterprise set aside for what is wrong with it."""
        told = [*self.findings, *(reason for entry in self.left_out for reason in entry.reasons)]
        return self.data is None or any(finding.severity == "block" for finding in told)


def merge(
    paths: Sequence[Path],
    template: str,
    *,
    told: Told = NOTHING_TOLD,
    passed_only: bool = False,
    on: date | None = None,
    choices: Mapping[str, str] | None = None,
    ask: Ask | None = None,
    leave: Sequence[Path] = (),
) -> Merged:
    """Builds a 推荐表 or 汇总表 from the applications, tables and foreign tables below some paths.

    told: what columns of foreign tables are, from 列对应.json; what is open then is put to ``ask``, and while anything
    is, no table is built. passed_only: only enterprises whose application passes. on, choices: as for a template.
    leave: files not to be read. Raises WorkbookError ``E-TEMPLATE`` for a template that is no table.
    """
    spec = form(template)
    if spec.kind not in TABLE_KINDS:
        raise WorkbookError(
            "E-TEMPLATE", f"“{spec.title}”不是一行一企业的表，不能汇总", where=template,
            remedy="请选推荐表或汇总表，可用 xlcalc templates 查看清单",
        )  # fmt: skip
    ports = manifest(template)
    targets = targets_of(template, ports)
    versions = {policy: _version(policy, on) for policy in spec.policies}
    chosen: dict[str, str] = {}
    for version in versions.values():
        chosen |= version.full_choices(version.own_choices(choices or {}))
    collector = Collector(spec, targets, told, chosen)
    collected = collector.collect(paths, leave)
    if collected.open_tables and ask is not None:
        collector.settle(ask(collected))
    result = Merged(template, collected, findings=list(collected.findings))
    if collected.open_tables:
        return result
    above = _facts_above(ports)
    entries = _enterprises([source for source in collected.sources if source.own_direction])
    for entry in entries:
        _combine(entry, above)
        _fit_row(entry, spec, targets, versions, chosen)
        if passed_only and not entry.reasons:
            entry.reasons = _not_passed(entry, spec, versions, chosen, on)
        (result.left_out if entry.reasons else result.taken).append(entry)
        result.findings += [] if entry.reasons else entry.findings
    result.findings += _other_directions(entries, collected.sources)
    result.findings += _alike(entries)
    rows = [entry.row for entry in result.taken]
    for name in above if rows else ():
        said = said_by_all(collected.sources, name)
        rows[0] |= {name: said} if said else {}
    result.data = build_template(template, rows, on=on, choices=choices)
    return result


def _version(policy: str, on: date | None) -> Version:
    held = load_policy(policy)
    return held.on(on)[0] if on else held.newest


def _facts_above(ports: Manifest) -> list[str]:
    """What a form asks once for the whole table."""
    return [port.fact for port in ports.ports if port.direction == "in" and port.fact and port.name not in ports.table]


# --- whose documents belong together


def _enterprises(sources: Sequence[Source]) -> list[Enterprise]:
    """The sources by code; one without a code joins the only enterprise of its name."""
    by_code: dict[str, Enterprise] = {}
    by_name: dict[str, list[Enterprise]] = {}
    found: list[Enterprise] = []
    for source in sorted(sources, key=lambda source: not source.uscc):
        same_name = by_name.setdefault(squeeze(source.name), []) if source.name else []
        entry = by_code.get(source.uscc)
        if entry is None and not source.uscc and len(same_name) == 1:
            entry = same_name[0]
        if entry is None:
            entry = Enterprise([])
            found.append(entry)
        if source.uscc:
            by_code[source.uscc] = entry
        if entry not in same_name:
            same_name.append(entry)
        entry.sources.append(source)
    order = {id(source): place for place, source in enumerate(sources)}
    for entry in found:
        entry.sources.sort(key=lambda source: order[id(source)])
        if not entry.name:
            message = "没有企业名称，不知道是哪家企业。请补填"
            entry.reasons.append(Finding("E-NO-NAME", "block", message, None, entry.where))
    for same_name in by_name.values():
        if len(same_name) > 1:
            _mark_same_name(same_name)
    return sorted(found, key=lambda entry: order[id(entry.sources[0])])


def _mark_same_name(same: Sequence[Enterprise]) -> None:
    """One name under several codes: one of the codes, or one of the names, is wrong."""
    codes = "、".join(dict.fromkeys(entry.uscc or "（无代码）" for entry in same))
    places = _listed(source.where for entry in same for source in entry.sources)
    for entry in same:
        message = f"“{entry.name}”有不同的统一社会信用代码 {codes}：{places}。请按营业执照核对后改正"
        entry.reasons.append(Finding("E-SAME-NAME", "block", message, None, entry.sources[0].where))


# --- what the documents of one enterprise say together


def _combine(entry: Enterprise, above: Sequence[str]) -> None:
    """The facts of all documents, an application's before a table's; doubles and contradictions are marked."""
    kinds: dict[str, list[Source]] = {}
    for source in entry.sources:
        kinds.setdefault(source.kind, []).append(source)
        entry.findings += source.findings
    for same in kinds.values():
        if len(same) > 1:
            _mark_double(entry, same)
    said: dict[str, tuple[Any, Source]] = {}
    for source in sorted((same[0] for same in kinds.values()), key=lambda source: not source.is_application):
        for name, value in source.facts.items():
            if name not in said:
                said[name] = value, source
            elif name not in above and not _equal(said[name][0], value):
                _mark_contradiction(entry, name, said[name], (value, source))
    entry.facts = {name: value for name, (value, _) in said.items()}


def _mark_double(entry: Enterprise, same: Sequence[Source]) -> None:
    """Copies that all say the same count once; of those that do not, none can be believed."""
    first, *others = same
    names = dict.fromkeys(name for source in same for name in source.facts)
    differing = [
        name for name in names if any(not _equal(first.facts.get(name), other.facts.get(name)) for other in others)
    ]
    who, places = f"“{entry.name}”（{entry.uscc or '无代码'}）", _listed(source.where for source in same)
    if not differing:
        message = f"{who}重复出现，内容相同：{places}。只列一次，请删去多余的"
        entry.findings.append(Finding("E-DOUBLE", "warn", message, None, others[0].where))
        return
    labels = "、".join(fact(name).label for name in differing[:_SHOWN])
    message = f"{who}重复出现，{labels}不一致：{places}。请核对后只保留一份"
    entry.reasons.append(Finding("E-DOUBLE", "block", message, None, others[0].where))


def _mark_contradiction(entry: Enterprise, name: str, first: tuple[Any, Source], second: tuple[Any, Source]) -> None:
    known = fact(name)
    (value, source), (other, place) = first, second
    here, there = source.at(name), place.at(name)
    said = f"{known.label}：{here} 为“{known.show(value)}”，{there} 为“{known.show(other)}”"
    if source.is_application and not place.is_application:
        message = f"{said}。已按申报书列入，请核对所报表格"
        entry.findings.append(Finding("E-CONFLICT", "warn", message, None, there, name))
    else:
        message = f"{said}。两份材料不一致，请核对后改正"
        entry.reasons.append(Finding("E-CONFLICT", "block", message, None, there, name))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return squeeze(one) == squeeze(other)
    return bool(one == other)


def _listed(places: Iterable[str]) -> str:
    found = list(dict.fromkeys(places))
    more = f" 等共 {len(found)} 处" if len(found) > _SHOWN else ""
    return "、".join(found[:_SHOWN]) + more


# --- the row


def _fit_row(
    entry: Enterprise,
    spec: Form,
    targets: Sequence[Target],
    versions: Mapping[str, Version],
    choices: Mapping[str, str],
) -> None:
    """The facts under the table's names; a text too long for its column is left out, never cut."""
    sources: Mapping[str, str] = spec.data.get("taken_from", {})
    held = {target.fact.id: application_name(spec, target.fact.id) for target in targets}
    # A text the table words anew is taken from the application only while the table has none of its own.
    borrowed = {name for name, said in held.items() if said == name and name in sources and name not in entry.facts}
    held |= {name: sources[name] for name in borrowed}
    entry.row = {name: entry.facts[said] for name, said in held.items() if said in entry.facts}
    if spec.kind != "summary":
        return
    for finding in row_findings(spec, versions[spec.policies[0]], choices, entry.row):
        name = finding.fact or ""
        said = held.get(name, name)
        where = next((source.at(said) for source in entry.sources if said in source.cells), entry.sources[0].where)
        if name in borrowed and finding.severity == "block":
            entry.row.pop(name, None)
            message = f"{finding.message}。未截取申报书原文，请在表中另写"
            finding = replace(finding, severity="warn", message=message)
        entry.findings.append(replace(finding, where=where))


def _not_passed(
    entry: Enterprise,
    spec: Form,
    versions: Mapping[str, Version],
    choices: Mapping[str, str],
    on: date | None,
) -> list[Finding]:
    """Why an enterprise does not pass: its policy's verdict, or what is wrong with its documents."""
    blocking = [finding for finding in entry.findings if finding.severity == "block"]
    if blocking:
        return blocking
    reasons = []
    for policy in spec.policies:
        version = versions[policy]
        outcome = evaluate(policy, entry.facts, on=on, version=version, choices=version.own_choices(choices))
        if outcome.status != "determined":
            message = f"未通过：{verdict(outcome, [])}"
            reasons.append(Finding("E-NOT-PASSED", "info", message, None, entry.sources[0].where))
    return reasons


# --- what only a person can settle


def _other_directions(entries: Sequence[Enterprise], sources: Sequence[Source]) -> list[Finding]:
    """Documents about other policies are not taken; an enterprise that has some besides is told."""
    by_key = {key: entry for entry in entries for key in (entry.uscc, squeeze(entry.name)) if key}
    findings = []
    others = [source for source in sources if not source.own_direction]
    for source in others:
        keys = (key for key in (source.uscc, squeeze(source.name)) if key)
        entry = next((by_key[key] for key in keys if key in by_key), None)
        if entry is not None:
            message = f"“{entry.name}”另有“{source.title}”，见 {source.where}。请核对能否同时申报"
            findings.append(Finding("E-OTHER-APPLICATION", "warn", message, None, entry.sources[0].where))
    for file in dict.fromkeys(source.file for source in others):
        title = next(source.title for source in others if source.file == file)
        message = f"“{title}”不属于本表的政策，未列入"
        findings.append(Finding("E-OTHER-DIRECTION", "info", message, None, file))
    return findings


def _alike(entries: Sequence[Enterprise]) -> list[Finding]:
    """Names that may be meant as one."""
    named = [entry for entry in entries if entry.name]
    pairs = near_names([entry.name for entry in named])
    findings = []
    for one, other in pairs[:_MOST_NEAR]:
        first, second = named[one], named[other]
        message = (
            f"“{first.name}”（{first.sources[0].where}）与“{second.name}”（{second.sources[0].where}）名称相近。"
            "请核对是否同一企业；未合并"
        )
        findings.append(Finding("E-NEAR-NAME", "warn", message, None, second.sources[0].where))
    if len(pairs) > _MOST_NEAR:
        findings.append(Finding("E-NEAR-NAME", "warn", f"另有 {len(pairs) - _MOST_NEAR} 对名称相近，未一一列出"))
    return findings
