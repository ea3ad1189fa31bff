"""What is read of a workbook, and what its cells shall show: the shapes that pass between the rooms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workbooks.files.rawbook import RawBook
from workbooks.form import Form
from workbooks.ports import Manifest
from xlcalc.packs.policy import Version
from xlcalc.results.outcome import Finding
from xlcalc.values.money import Money

Shown = dict[str, Any]
"""Port name -> value, or a list of values for a block."""


@dataclass
class Record:
    """One enterprise in a workbook: its facts, where it stands, what is wrong with it.

    cells: what the outputs of the form need beyond the facts, such as tick states. facts_at: fact -> cell.
    restated: facts that are no longer what the cells say, see ``earlier``.
    """

    key: str
    where: str
    facts: dict[str, Any]
    findings: list[Finding]
    cells: dict[str, Any] = field(default_factory=dict)
    facts_at: dict[str, str] = field(default_factory=dict)
    row: int | None = None
    restated: set[str] = field(default_factory=set)

    def place_of(self, name: str | None) -> str | None:
        """The cell a finding about ``name`` belongs to: its own, else that of the row or table it is in."""
        while name:
            if name in self.facts_at:
                return self.facts_at[name]
            name = name.rpartition(".")[0]
        return None

    def unreadable(self, name: str) -> bool:
        """Whether the cell of a fact is filled with what cannot be read: the formulas then say so, and so must we."""
        return name not in self.facts and any(finding.fact == name for finding in self.findings)

    def fen(self, name: str) -> int | None:
        """The fen of an amount; None where the cell is empty, -1 where it cannot be read."""
        amount: Money | None = self.facts.get(name)
        if amount is not None:
            return amount.fen
        return -1 if self.unreadable(name) else None

    def level_code(self, name: str) -> int | str:
        """The level 0–4; "" where the cell is empty, -1 where it cannot be read."""
        level = self.facts.get(name)
        if level is not None:
            return int(level)
        return -1 if self.unreadable(name) else ""


@dataclass
class ReadBook:
    """A workbook as read; ``choices_used``: those its parameters and stored results were computed under."""

    book: RawBook
    form: Form
    manifest: Manifest
    versions: dict[str, Version]
    choices: dict[str, str]
    choices_used: dict[str, str]
    records: list[Record]
    findings: list[Finding]
