"""What a file asks to have entered: one line an enterprise and programme, computed with what was had before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from workbooks.ledger import schema
from workbooks.ledger.acts import Ground, Source, ground_of
from workbooks.ledger.programmes import pays_money, programme
from workbooks.record import Record
from xlcalc.facts import parse_facts
from xlcalc.packs.policy import Version
from xlcalc.results.explain import STATUS_LABELS
from xlcalc.results.outcome import Outcome
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze
from xlcalc.values.uscc import problem_of_uscc

PAPER_LABELS = {schema.INVOICE: "发票号码", schema.CONTRACT: "合同编号"}


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

    @property
    def is_earlier(self) -> bool:
        """Whether it is an earlier year's list: what was had, and not what is to be granted."""
        return "list" in self.asked


def source_of(path: Path) -> Source:
    """A file by the SHA-256 of its content."""
    return Source(hashlib.sha256(path.read_bytes()).hexdigest(), path.name)


def entry_of(record: Record, outcome: Outcome, version: Version, readings: Mapping[str, str]) -> dict[str, Any] | None:
    """What a result asks to have entered, as JSON, or under ``left`` why nothing; None for what is never entered.

    readings: the complete choices it was computed under.
    """
    if not pays_money(outcome.policy, version, readings):
        return None
    uscc = str(record.facts.get("uscc") or "")
    if problem := problem_of_uscc(uscc):
        return {"left": f"统一社会信用代码{problem}" if uscc else "没有统一社会信用代码"}
    if outcome.status != "determined" or outcome.payable is None:
        found = (*record.findings, *outcome.findings)
        blocks = [item.message for item in found if item.severity == "block"]
        return {"left": "；".join([STATUS_LABELS[outcome.status], *blocks])}
    line = line_of(record, outcome, version, readings)
    if not line.amounts:
        return {"left": "此前均已享受，本次没有可登记的金额"}
    return {**asdict(line), "used": {name: _written(value) for name, value in line.used.items()}}


def line_from(entry: Mapping[str, Any]) -> Line:
    """The line that an entry was written from."""
    given = {
        **entry, "ground": Ground(**entry["ground"]), "used": parse_facts(entry["used"]),
        "papers": tuple((kind, number) for kind, number in entry["papers"]), "warnings": tuple(entry["warnings"]),
    }  # fmt: skip
    return Line(**given)


def _written(value: Any) -> Any:
    """The value of a fact as JSON that is read back as the same."""
    if isinstance(value, Money):
        return f"{value.yuan}元"
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def line_of(record: Record, outcome: Outcome, version: Version, readings: Mapping[str, str]) -> Line:
    """A determined result as a line; each direction that is awarded on its own is an item of its own."""
    amounts: dict[str, int] = {}
    steps = {step.mechanism: step for step in outcome.steps}
    for mechanism in version.mechanisms(readings):
        if not mechanism.pays or mechanism.key not in steps:
            continue
        step = steps[mechanism.key]
        awards: Mapping[str, Money] | None = step.details.get("awards")
        if awards is None:
            amounts[""] = amounts.get("", 0) + step.results[mechanism.pays].fen
        else:
            amounts |= {code: money.fen for code, money in awards.items() if money.fen}
    facts, policy = record.facts, outcome.policy
    used = {answer.fact: facts[answer.fact] for answer in programme(policy).answers if answer.fact in facts}
    warnings = tuple(item.message for item in record.findings if item.code == "E-LEDGER-DIFFERS")
    return Line(
        str(facts["uscc"]), str(facts.get("enterprise_name") or ""), ground_of(policy, version, readings), amounts,
        used, record.where, _papers(policy, facts), warnings,
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
