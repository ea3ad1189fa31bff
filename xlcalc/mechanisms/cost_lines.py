"""One line of an investment (投入明细) while it is being recognised, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from xlcalc.facts import Fact
from xlcalc.results.outcome import Severity
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze


@dataclass(frozen=True, slots=True)
class Cited:
    """The clause a rule rests on and the code under which it speaks."""

    clause: str
    feature: str


@dataclass(frozen=True, slots=True)
class Deduction:
    """What is not recognised of a line, in fen, and why. A further reason for what is already gone takes 0."""

    code: str
    clause: str
    fen: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a person must know of a line without its costing anything by itself."""

    code: str
    severity: Severity
    clause: str
    sentence: str


@dataclass(slots=True)
class Line:
    """``row`` counts from 1. missing: columns, missing_facts: facts, waits_for: what else keeps the line undecided.

    amount: what is recognised so far, in fen. credited: what 红字发票 take off its invoice.
    unchecked: what a warning would have needed.
    """

    row: int
    cells: Mapping[str, Any]
    table: Fact
    declared: int | None = None
    amount: int | None = None
    excluded: bool = False
    credited: int = 0
    deductions: list[Deduction] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    missing_facts: list[str] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)

    def get(self, column: str) -> Any:
        """A cell, None where it is empty."""
        return self.cells.get(column)

    def need(self, column: str) -> Any:
        """A cell without which the line stays undecided."""
        value = self.cells.get(column)
        if value is None and column not in self.missing:
            self.missing.append(column)
        return value

    def need_fact(self, facts: Mapping[str, Any], name: str) -> Any:
        """A fact without which the line stays undecided."""
        value = facts.get(name)
        if value is None and name not in self.missing_facts:
            self.missing_facts.append(name)
        return value

    def exclude(self, rule: Cited, sentence: str) -> None:
        """Nothing of the line is recognised; the first reason takes the amount once it is known."""
        self.excluded = True
        self.deductions.append(Deduction(rule.feature, rule.clause, 0, sentence))

    def deduct(self, rule: Cited, fen: int, sentence: str) -> None:
        """A part of the line is not recognised."""
        if fen:
            self.deductions.append(Deduction(rule.feature, rule.clause, fen, sentence))

    def warn(self, rule: Cited, sentence: str) -> None:
        """Something to look at; the line counts all the same."""
        self.notes.append(Note(rule.feature, "warn", rule.clause, sentence))

    def tell(self, rule: Cited, sentence: str) -> None:
        """Something good to know."""
        self.notes.append(Note(rule.feature, "info", rule.clause, sentence))

    def ask(self, rule: Cited, sentence: str) -> None:
        """Something only a person can decide."""
        self.notes.append(Note(rule.feature, "human", rule.clause, sentence))

    def take(self, other: Line) -> None:
        """Adds what a rule said of the same line by itself."""
        self.excluded = self.excluded or other.excluded
        self.deductions += other.deductions
        self.notes += other.notes
        self.missing += [name for name in other.missing if name not in self.missing]
        self.missing_facts += [name for name in other.missing_facts if name not in self.missing_facts]
        self.waits_for += other.waits_for
        self.unchecked += other.unchecked

    @property
    def says_something(self) -> bool:
        """Whether a rule that was alone with the line has left anything in it."""
        return bool(
            self.excluded or self.deductions or self.notes or self.missing or self.missing_facts or self.waits_for
            or self.unchecked
        )  # fmt: skip

    @property
    def undecided(self) -> bool:
        """Whether something is missing that could still decide the line; an excluded one only wants its amount."""
        if self.excluded:
            return self.declared is None
        return bool(self.missing or self.missing_facts or self.waits_for)

    def fen(self, column: str) -> int:
        """An amount that is known to be there."""
        amount: Money = self.cells[column]
        return amount.fen

    @property
    def red(self) -> bool:
        """Whether the line is a 红字发票: it takes away from another line and has no cost of its own."""
        amount: Money | None = self.cells.get("invoice_amount")
        return amount is not None and amount.fen < 0

    @property
    def name(self) -> str:
        """``第3行（MES系统）``."""
        item = self.cells.get("item")
        return f"第{self.row}行（{item}）" if item else f"第{self.row}行"

    def label(self, column: str) -> str:
        """What a column is called."""
        return self.table.columns[column].label

    def show(self, column: str) -> str:
        """A cell as Chinese text."""
        return self.table.columns[column].show(self.cells.get(column))


def alike(one: object, other: object) -> bool:
    """Whether two names or numbers are the same but for blanks, width and case."""
    return same_key(one) == same_key(other)


def same_key(value: object) -> str:
    """The form in which names and numbers are compared."""
    return _key(str(value))


@lru_cache(maxsize=4096)
def _key(text: str) -> str:
    return squeeze(text).upper()


def ordered(lines: list[Line]) -> list[Line]:
    """The lines by what stands in them, so that no amount depends on the order in which they were entered."""
    return sorted(lines, key=lambda line: (line.declared or 0, repr(sorted(line.cells.items()))))
