"""The recognised cost of a project from its contract, invoice and payment lines (投入核算)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from xlcalc.facts import fact
from xlcalc.mechanisms.base import Context, Mechanism
from xlcalc.mechanisms.cost_compile import Comparison, compile_parts
from xlcalc.mechanisms.cost_lines import Cited, Deduction, Line, Note
from xlcalc.mechanisms.cost_reductions import Duplicates, Lowest, RedLetters, ServiceCap
from xlcalc.mechanisms.cost_rules import RowRule
from xlcalc.mechanisms.cost_shapes import Data as Data
from xlcalc.mechanisms.cost_subscription import Prepaid
from xlcalc.results.outcome import Finding, Step, weakest
from xlcalc.values.money import Money

KIND = "cost_recognition"


@dataclass(frozen=True, slots=True)
class WaterfallLine:
    """A line in fen: declared less its deductions is recognised. None while the line is undecided.

    missing: the columns it still wants; waits_for: what else keeps it open, in words. excluded: the line as a whole
    has no cost of its own.
    """

    row: int
    name: str
    category: str | None
    declared: int | None
    deductions: tuple[Deduction, ...]
    recognised: int | None
    missing: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Waterfall:
    """From what was declared to what is recognised. notes: (row name, note). missing: facts that are wanted.

    rounded: whether a half fen was decided. unchecked: (row, what a warning would have needed).
    """

    lines: tuple[WaterfallLine, ...]
    notes: tuple[tuple[str, Note], ...]
    missing: tuple[str, ...]
    unchecked: tuple[tuple[int, str], ...]
    rounded: bool

    @property
    def recognised(self) -> int | None:
        """The recognised cost in fen; None while one line is undecided."""
        return _sum(line.recognised for line in self.lines)

    def declared(self, categories: Sequence[str] = ()) -> int | None:
        """What was declared, in fen, of some categories or of all."""
        return _sum(line.declared for line in self.lines if not categories or line.category in categories)


def _sum(values: Iterable[int | None]) -> int | None:
    found = list(values)
    known = [value for value in found if value is not None]
    return sum(known) if len(known) == len(found) else None


@dataclass(frozen=True, slots=True)
class CostRecognition:
    """recognised = Σ over the lines of what is left of the lowest amount after exclusions, proration and caps."""

    pays: ClassVar[str | None] = None
    key: str
    label: str
    table: str
    result: str
    given: Cited
    rules: tuple[RowRule, ...]
    lowest: Lowest
    duplicates: Duplicates
    red_letters: RedLetters
    prepaid: Prepaid | None
    service_cap: ServiceCap | None
    compared: tuple[Comparison, ...]
    wanted: tuple[str, ...]
    _rule_names: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rule_names", tuple(map(repr, self.rules)))

    def facts(self) -> list[str]:
        """The table of lines, what its rules look up besides, and what the total is compared with."""
        return [self.table, *self.wanted, *(row.fact for row in self.compared)]

    def recognise(
        self, rows: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], kept: dict[Any, Any] | None = None
    ) -> Waterfall:
        """What a table of investment lines is recognised at, from 申报 to 核定, by the rules of the pack (核算指引).

        rows: as ``facts.parse_facts`` reads the table. facts: what the rules look up, such as the last day of the
        period and the roster of providers. Amounts are fen; each line is rounded once, half-up. An empty cell that
        could decide a line leaves it, and the total, undecided (None); an empty row is none. Nothing is raised.
        kept: what other readings of the rules said of these very rows and facts.
        """
        kept = {} if kept is None else kept
        lines = self._lines(rows)
        plain = [line for line in lines if not line.red]
        red = [line for line in lines if line.red]
        self._screen(plain, facts, kept)
        for line in red:
            line.declared = 0
            self.red_letters.ask(line)
        self.duplicates.apply(plain)
        self.red_letters.apply(red, plain)
        self.lowest.compare(plain)
        rounded = [self.lowest.settle(line, self.prepaid) for line in plain if not line.excluded and not line.undecided]
        if self.service_cap is not None:
            self.service_cap.apply(plain)
        missing = dict.fromkeys(name for line in plain if line.undecided for name in line.missing_facts)
        return Waterfall(
            tuple(_finished(line) for line in lines),
            tuple((line.name, note) for line in lines for note in line.notes),
            tuple(missing), tuple((line.row, name) for line in lines for name in line.unchecked), any(rounded),
        )  # fmt: skip

    def _lines(self, rows: Sequence[Mapping[str, Any]]) -> list[Line]:
        return [Line(number, row, fact(self.table)) for number, row in enumerate(rows, 1) if row]

    def _screen(self, lines: Sequence[Line], facts: Mapping[str, Any], kept: dict[Any, Any]) -> None:
        for line in lines:
            line.need("item")
            line.need("invoice_no")
        of_row = {line.row: line for line in lines}
        for place in range(len(self.rules)):
            for row, said in self._said(place, lines, facts, kept).items():
                of_row[row].take(said)
        for line in lines:
            self.lowest.ask(line)
            for asks in (self.prepaid, self.service_cap):
                if asks is not None:
                    asks.ask(line)
            declared: Money | None = line.get("declared_amount")
            line.declared = declared.fen if declared is not None else None

    def _said(
        self, place: int, lines: Sequence[Line], facts: Mapping[str, Any], kept: dict[Any, Any]
    ) -> Mapping[int, Line]:
        """What one rule says, by row; a rule looks at the cells of one line and at facts, and mostly says nothing."""
        name = self._rule_names[place]
        if name not in kept:
            said = {line.row: Line(line.row, line.cells, line.table) for line in lines}
            for one in said.values():
                self.rules[place].apply(one, facts)
            kept[name] = {row: one for row, one in said.items() if one.says_something}
        found: Mapping[int, Line] = kept[name]
        return found

    def evaluate(self, context: Context) -> Step:
        """The recognised cost with its derivation; without a table of lines nothing is computed or asked for."""
        rows = context.facts.get(self.table, ())
        if not any(rows):
            return Step(self.key, KIND, self.label, unchecked=(fact(self.table).label,))
        waterfall = self.recognise(rows, context.facts, context.kept)
        total = waterfall.recognised
        given: Money | None = context.facts.get(self.result)
        context.derived[self.result] = None if total is None else Money(total)
        if total is None:
            self._note_missing(waterfall, context)
        if context.brief:
            # Nothing said of a line blocks an application.
            return Step(self.key, KIND, self.label, results={} if total is None else {self.result: Money(total)})
        findings = [*self._findings(waterfall, context), *self._compare(waterfall, given, context)]
        clauses = [item.clause for line in waterfall.lines for item in line.deductions] or [self.lowest.clause]
        basis = weakest(*(context.basis(clause) for clause in clauses), "assumed" if waterfall.rounded else "quoted")
        return Step(
            self.key, KIND, self.label, inputs={"lines": len(waterfall.lines)},
            results={} if total is None else {self.result: Money(total)}, details={"waterfall": waterfall},
            sentences=tuple(self._sentences(waterfall, context)), clauses=tuple(dict.fromkeys(clauses)),
            findings=tuple(findings), basis=basis, unchecked=_unchecked(waterfall),
        )  # fmt: skip

    def same_as(self, other: Mechanism, facts: Mapping[str, Any], kept: dict[Any, Any]) -> bool:
        """Whether another reading of the rules recognises these very lines the same: no rule that differs says other.

        Where more than rules differs, the answer is no.
        """
        if not isinstance(other, CostRecognition) or len(self.rules) != len(other.rules):
            return False
        names = [own.name for own in fields(self) if own.compare and own.name != "rules"]
        if any(getattr(self, name) != getattr(other, name) for name in names):
            return False
        pairs = zip(self._rule_names, other._rule_names, strict=True)
        differing = [place for place, (one, two) in enumerate(pairs) if one != two]
        lines = [line for line in self._lines(facts.get(self.table, ())) if differing and not line.red]
        return all(
            self._said(place, lines, facts, kept) == other._said(place, lines, facts, kept) for place in differing
        )

    def _note_missing(self, waterfall: Waterfall, context: Context) -> None:
        for name in waterfall.missing:
            context.note_missing(name)
        if any(line.recognised is None and (line.missing or line.waits_for) for line in waterfall.lines):
            context.note_missing(self.table)

    def _findings(self, waterfall: Waterfall, context: Context) -> Iterable[Finding]:
        """What is deducted, what is to be looked at, what is missing: line by line."""
        for line in waterfall.lines:
            for item in line.deductions:
                said = f"{line.name}：{_less(item)}{item.sentence}"
                yield self._finding(item.code, "warn", said, context.article(item.clause), line.row)
            if line.recognised is None:
                lacking = [fact(self.table).columns[name].label for name in line.missing]
                said = "；".join([*([f"缺{'、'.join(lacking)}"] if lacking else []), *line.waits_for])
                if said:
                    article = context.article(self.lowest.clause)
                    message = f"{line.name}尚不能核定：{said}"
                    yield self._finding(self.lowest.feature, "human", message, article, line.row)
        rows = {line.name: line.row for line in waterfall.lines}
        for name, note in waterfall.notes:
            message, article = f"{name}：{note.sentence}", context.article(note.clause)
            yield self._finding(note.code, note.severity, message, article, rows[name])

    def _finding(self, code: str, severity: Any, message: str, article: str, row: int) -> Finding:
        return Finding(code, severity, message, article, fact=f"{self.table}.{row}")

    def _compare(self, waterfall: Waterfall, given: Money | None, context: Context) -> Iterable[Finding]:
        total = waterfall.recognised
        if given is not None and total is not None and given.fen != total:
            message = f"所填{fact(self.result).label} {given} 与按明细核算的 {Money(total)} 不一致，按明细核算的为准"
            yield Finding(self.given.feature, "warn", message, context.article(self.given.clause), fact=self.result)
        for row in self.compared:
            other: Money | None = context.facts.get(row.fact)
            own = total if row.recognised else waterfall.declared(row.categories)
            if other is not None and own is not None and other.fen != own:
                label = fact(row.fact).label
                message = (
                    f"{row.label} {Money(own)} 与{label} {other} 相差 {Money(abs(own - other.fen))}{_unit(own, other)}"
                )
                yield Finding(row.feature, "warn", message, context.article(row.clause), fact=row.fact)

    def _sentences(self, waterfall: Waterfall, context: Context) -> Iterable[str]:
        for line in waterfall.lines:
            if line.deductions and line.declared is not None:
                cut = "；".join(
                    f"{_less(item)}{item.sentence}（{context.article(item.clause)}）" for item in line.deductions
                )
                rest = "待核定" if line.recognised is None else f"核定 {Money(line.recognised)}"
                yield f"{line.name}：申报 {Money(line.declared)}；{cut}；{rest}"
        declared, recognised = waterfall.declared(), waterfall.recognised
        if declared is not None and recognised is not None:
            less = Money(declared - recognised)
            yield f"申报 {Money(declared)} − 核减 {less} = {fact(self.result).label} {Money(recognised)}"
        else:
            waiting = sum(line.recognised is None for line in waterfall.lines)
            yield f"{len(waterfall.lines)} 行投入明细中有 {waiting} 行尚不能核定，{fact(self.result).label}待定"


def _unit(own: int, other: Money) -> str:
    """A hint where one amount is about ten thousand times the other, as 元 typed for 万元 would be."""
    small, large = sorted((own, other.fen))
    return "，约差一万倍，请核对单位是元还是万元" if 5_000 * small <= large <= 20_000 * small and small else ""


def _less(item: Deduction) -> str:
    return f"核减 {Money(item.fen)}，" if item.fen else ""


def _finished(line: Line) -> WaterfallLine:
    """A line as it stands at the end; of an excluded one the first reason takes all that was declared."""
    deductions = line.deductions
    undecided = line.undecided
    recognised = None if undecided else 0 if line.excluded or line.red else line.amount
    if line.excluded and line.declared is not None:
        first, *more = deductions
        deductions = [Deduction(first.code, first.clause, line.declared, first.sentence), *more]
    missing = ["declared_amount"] if line.excluded else line.missing
    return WaterfallLine(
        line.row, line.name, line.get("category"), line.declared, tuple(deductions), recognised,
        tuple(missing) if undecided else (), tuple(line.waits_for) if undecided and not line.excluded else (),
        line.excluded or line.red,
    )  # fmt: skip


def _unchecked(waterfall: Waterfall) -> tuple[str, ...]:
    rows: dict[str, list[str]] = {}
    for row, name in waterfall.unchecked:
        rows.setdefault(name, []).append(str(row))
    return tuple(f"{name}（第{'、'.join(numbers)}行）" for name, numbers in rows.items())


def compile_data(data: Data) -> CostRecognition:
    """Checks that tables, columns, categories and facts exist, and turns the rules a pack states into what applies."""
    return CostRecognition(key=data["key"], label=data["label"], **compile_parts(data))
