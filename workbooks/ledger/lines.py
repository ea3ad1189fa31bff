"""What a workbook asks to have entered: one line an enterprise and programme, computed with what was had before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from workbooks.documents.cases import Case, run_of_workbooks
from workbooks.ledger import schema
from workbooks.ledger.acts import Ground, Source, act_of_file, batch_named, ground_of
from workbooks.ledger.database import Ledger
from workbooks.ledger.facts_before import facts_before, with_before
from workbooks.ledger.programmes import pays_money, programme
from xlcalc.evaluation import evaluate
from xlcalc.results.explain import STATUS_LABELS
from xlcalc.results.outcome import Finding
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze

_CODE_LENGTH = 18


@dataclass(frozen=True)
class Line:
    """An enterprise's result in one programme. amounts: item -> fen. used: the ledger's facts it was computed with.

    place: where it stands in the file. papers: (kind, number) of invoices and contracts. warnings: for a person.
    """

    uscc: str
    name: str
    ground: Ground
    amounts: Mapping[str, int]
    used: Mapping[str, Any] = field(default_factory=dict)
    place: str = ""
    papers: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileLines:
    """What a file has to enter. left: (place, why) of what is not entered. asked: what a person set beside the file."""

    source: Source
    lines: tuple[Line, ...]
    left: tuple[tuple[str, str], ...] = ()
    asked: Mapping[str, Any] = field(default_factory=dict)


def source_of(path: Path) -> Source:
    """A file by the SHA-256 of its content."""
    return Source(hashlib.sha256(path.read_bytes()).hexdigest(), path.name)


def lines_of_workbooks(
    ledger: Ledger,
    paths: Iterable[Path],
    batch: str,
    *,
    on: date | None = None,
    choices: Mapping[str, str] | None = None,
) -> list[FileLines]:
    """What each filled workbook has to enter, every enterprise computed with what the ledger holds of it.

    A file entered already is computed with what the ledger held before it. An enterprise in two files of the run
    is left out of both. on, choices: as for a batch.
    """
    batch = batch_named(batch)
    asked = {"on": on.isoformat() if on else None, "choices": dict(choices or {})}
    found = []
    existing = [path for path in paths if path.is_file()]
    run = run_of_workbooks(existing, on=on, choices=choices)
    for path in existing:
        source = source_of(path)
        cases = [case for case in run.cases if case.file == str(path)]
        problems = [
            (path.name, finding.message)
            for name, finding in run.problems
            if name == path.name and finding.severity == "block"
        ]
        lines, left = _computed(ledger, cases, batch, source, on)
        found.append(FileLines(source, tuple(lines), (*problems, *left), asked))
    return found


def _computed(
    ledger: Ledger, cases: Sequence[Case], batch: str, source: Source, on: date | None
) -> tuple[list[Line], list[tuple[str, str]]]:
    lines: list[Line] = []
    left: list[tuple[str, str]] = []
    paying = [case for case in cases if pays_money(case.outcome.policy, case.version, case.choices)]
    with ledger.reading() as connection:
        before = act_of_file(connection, source.sha256)
        held = {}
        for policy in dict.fromkeys(case.outcome.policy for case in paying):
            usccs = [case.uscc for case in paying if case.outcome.policy == policy]
            held[policy] = facts_before(connection, policy, usccs, batch, before=before)
    for case in paying:
        ours = held[case.outcome.policy].get(case.uscc, {})
        known, findings = with_before(case.outcome.policy, case.facts, ours)
        again = _again(case, known, on) if ours else case
        reason = _not_enterable(again)
        if reason:
            left.append((case.where, reason))
            continue
        line = line_of(again, {name: known[name] for name in ours}, findings)
        if line.amounts:
            lines.append(line)
        else:
            left.append((case.where, "此前均已享受，本次没有可登记的金额"))
    return lines, left


def _again(case: Case, facts: Mapping[str, Any], on: date | None) -> Case:
    """The case computed with what was had before; what a record's own findings held back stays so."""
    outcome = evaluate(case.outcome.policy, facts, on=on, version=case.version.id, choices=case.choices)
    if outcome.status == "determined" and any(finding.severity == "block" for finding in case.findings):
        outcome = replace(outcome, status="not_determined", payable=None)
    return replace(case, facts=facts, outcome=outcome)


def _not_enterable(case: Case) -> str:
    if len(case.uscc) != _CODE_LENGTH:
        return "没有18位统一社会信用代码"
    if case.outcome.status != "determined" or case.payable is None:
        blocks = [item.message for item in (*case.findings, *case.outcome.findings) if item.severity == "block"]
        return "；".join([STATUS_LABELS[case.outcome.status], *blocks])
    return ""


def line_of(case: Case, used: Mapping[str, Any], findings: Sequence[Finding] = ()) -> Line:
    """A determined case as a line; each direction that is awarded on its own is an item of its own."""
    amounts: dict[str, int] = {}
    steps = {step.mechanism: step for step in case.outcome.steps}
    for mechanism in case.version.mechanisms(case.choices):
        if not mechanism.pays or mechanism.key not in steps:
            continue
        step = steps[mechanism.key]
        awards: Mapping[str, Money] | None = step.details.get("awards")
        if awards is None:
            amounts[""] = amounts.get("", 0) + step.results[mechanism.pays].fen
        else:
            amounts |= {code: money.fen for code, money in awards.items() if money.fen}
    policy = case.outcome.policy
    return Line(
        case.uscc, str(case.facts.get("enterprise_name") or ""), ground_of(policy, case.version, case.choices),
        amounts, used, case.where, _papers(policy, case.facts), tuple(item.message for item in findings),
    )  # fmt: skip


def _papers(policy: str, facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The invoices and contracts a case rests on, each once."""
    said = programme(policy).papers
    rows = facts.get(said.get("table", "")) or ()
    found = [
        (kind, number_as_kept(row[said[kind]]))
        for row in rows
        for kind in (schema.INVOICE, schema.CONTRACT)
        if row.get(said[kind])
    ]
    return tuple(dict.fromkeys(found))


def number_as_kept(number: object) -> str:
    """The number of an invoice or a contract in the form in which numbers are compared.

    >>> number_as_kept(" ht－2024 001 ")
    'HT-2024001'
    """
    return squeeze(str(number)).upper()
