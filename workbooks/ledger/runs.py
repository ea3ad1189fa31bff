"""A run of workbooks beside the ledger: each computed with what was had before, and what it then has to enter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from workbooks.batch.run import process
from workbooks.batch.tasks import FileResult, Options, Task, hold_back_doubles
from workbooks.earlier import Facts
from workbooks.ledger import again
from workbooks.ledger.acts import Source, batch_named
from workbooks.ledger.database import Ledger, open_ledger
from workbooks.ledger.entered_files import had_before_file
from workbooks.ledger.facts_before import Had, with_before
from workbooks.ledger.lines import FileLines, entry_of, line_from
from workbooks.ledger.programmes import programmes
from workbooks.record import ReadBook, Record
from xlcalc.results.outcome import Finding, Outcome

Known = Mapping[str, Mapping[str, Had]]
"""Policy -> code -> what was had before."""


class Asked:
    """What was had before, as ``earlier.restate`` asks it. codes: whom it was asked about, by policy.

    look: what some enterprises have had of a programme, by code.
    """

    def __init__(self, look: Callable[[str, Sequence[str]], Mapping[str, Had]]) -> None:
        self._look = look
        self.codes: dict[str, list[str]] = {}

    def __call__(self, policy: str, records: Sequence[Facts]) -> Sequence[tuple[Facts, Sequence[Finding]]]:
        """See ``earlier.Before``."""
        if policy not in programmes():
            return [(facts, ()) for facts in records]
        usccs = self.codes[policy] = [str(facts["uscc"]) for facts in records if facts.get("uscc")]
        held = self._look(policy, usccs)
        return [_stated(policy, facts, held.get(str(facts.get("uscc")))) for facts in records]


def _stated(policy: str, facts: Facts, had: Had | None) -> tuple[Facts, Sequence[Finding]]:
    if had is None:
        return facts, ()
    stated, findings = with_before(policy, facts, had.facts)
    return stated, [*findings, *again.findings(policy, had.elsewhere)]


@dataclass(frozen=True)
class Beside:
    """The ledger beside a run, as every process of the run opens it for itself; nothing is entered through it.

    batch: the one at hand; what is in it already is not counted as had before.
    """

    address: str
    batch: str

    @property
    def known_as(self) -> str:
        """What two halves of a run must have in common; an address may carry a password and is not written down."""
        return f"{hashlib.sha256(self.address.encode()).hexdigest()[:16]} {self.batch}"

    def before(self, sha256: str, known: Known | None = None) -> Asked:
        """What was had before a file: everything, or what there was before the file itself entered an enterprise.

        known: not asked for where the ledger itself is.
        """

        def look(policy: str, usccs: Sequence[str]) -> Mapping[str, Had]:
            with open_ledger(self.address) as ledger, ledger.reading() as connection:
                return had_before_file(connection, sha256, policy, usccs, self.batch)

        return Asked(look)

    def entry(self, record: Record, outcome: Outcome, read: ReadBook) -> Any:
        """What a result asks to have entered, see ``entry_of``."""
        version = read.versions[outcome.policy]
        return entry_of(record, outcome, version, version.full_choices(version.own_choices(read.choices)))


def beside(ledger: Ledger, batch: str) -> Beside:
    """An open ledger beside a run; raises LedgerError ``E-LEDGER-BATCH`` without a batch."""
    return Beside(ledger.engine.url.render_as_string(hide_password=False), batch_named(batch))


def lines_of_results(results: Iterable[FileResult], options: Options) -> list[FileLines]:
    """What each file of a run has to enter, and what of it is left and why; doubles have been held back before."""
    asked = {"on": options.on.isoformat() if options.on else None, "choices": dict(options.choices)}
    return [_file_lines(result, asked) for result in results]


def _file_lines(result: FileResult, asked: Mapping[str, Any]) -> FileLines:
    name = Path(result.path).name
    lines, left = [], []
    if result.state != "done":
        left = [(name, finding["message"]) for finding in result.findings if finding["severity"] == "block"]
    doubled = {item["where"]: item["message"] for item in result.findings if item["code"] == "E-DOUBLE-FILE"}
    for outcome in result.outcomes:
        entry = outcome.get("ledger")
        if entry is None:
            continue
        if outcome["where"] in doubled:
            left.append((outcome["where"], doubled[outcome["where"]]))
        elif "left" in entry:
            left.append((outcome["where"], entry["left"]))
        else:
            lines.append(line_from(entry))
    return FileLines(Source(result.sha256 or "", name), tuple(lines), tuple(left), asked)


def lines_of_workbooks(
    ledger: Ledger,
    paths: Iterable[Path],
    batch: str,
    *,
    on: date | None = None,
    choices: Mapping[str, str] | None = None,
) -> list[FileLines]:
    """The same for workbooks read here and now, without a result being written."""
    options = Options(on=on, choices=tuple((choices or {}).items()), ledger=beside(ledger, batch))
    results = [process(Task(path, None), options) for path in paths]
    hold_back_doubles(results)
    return lines_of_results(results, options)
