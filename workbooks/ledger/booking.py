"""Enters what a file grants: all in one transaction, once, never above a cap or on answers that hold no longer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select

from workbooks.documents.doubtful_codes import mask_code
from workbooks.ledger import schema
from workbooks.ledger.accounts import Account, accounts_of
from workbooks.ledger.acts import (
    Act,
    Ground,
    Source,
    act_of_file,
    batch_named,
    ground_id,
    open_act,
    seal_act,
)
from workbooks.ledger.again import elsewhere, told
from workbooks.ledger.applications import Application, Holding
from workbooks.ledger.budgets import overdrawn
from workbooks.ledger.caps import Cap, caps_now, exceeded, within_caps
from workbooks.ledger.database import Ledger, LedgerError, among, enter_many, without_collecting
from workbooks.ledger.entered_files import (
    Whose,
    differences,
    entered_by,
    entered_text,
    had_before_file,
    money_text,
)
from workbooks.ledger.facts_before import Had, answers_of, stricter
from workbooks.ledger.lines import PAPER_LABELS, FileLines, Line
from workbooks.ledger.programmes import States, label_of, programme, states_of
from xlcalc.facts import fact
from xlcalc.values.money import Money
from xlcalc.values.phones import mask_phones

_NAMES = select(schema.name.c.uscc, schema.name.c.name).where(among(schema.name.c.uscc, "usccs"))
_USERS = select(schema.paper.c.number, schema.paper.c.application_id).where(
    schema.paper.c.kind == bindparam("kind"), among(schema.paper.c.number, "numbers")
)
_OPENED = select(schema.application.c.id, schema.application.c.uscc, schema.application.c.policy).where(
    schema.application.c.act_id == bindparam("act")
)

_CORRECTING = "如确需改动，请用 xlcalc ledger book 文件 --correct --reason 原因"
_CORRECTING_A_LIST = "请核对批次；如确需改动，请用 xlcalc ledger correct 逐家更正后再导入"
_AGAIN = "请按台账中此前已享受的金额重新核算"
_OTHERS_FIRST = "请用 xlcalc ledger had 代码 查看，先用 xlcalc ledger correct 更正其他批次或项目的登记"


@dataclass(frozen=True)
class Booked:
    """What became of a file. state: ``booked``, ``already`` (entered before, nothing new) or ``empty``.

    granted: fen entered by this act; unchanged: lines that stood in the ledger with the same amounts. over: who of an
    earlier list has had more than a cap allows.
    """

    source: Source
    state: str
    act: int | None = None
    lines: int = 0
    granted: int = 0
    unchanged: int = 0
    warnings: tuple[str, ...] = ()
    over: tuple[str, ...] = ()


@dataclass(slots=True)
class _Entry:
    application: Application
    item: str
    fen: int
    corrects: int | None
    line: Line


@dataclass(frozen=True)
class _Terms:
    """What a ground says: the states of its version, and the caps in force."""

    states: States
    caps: list[Cap]


@dataclass
class _Work:
    """A booking in progress: who holds what, changed line by line as if each were entered already.

    then: what those whom the file itself had entered before had had before that.
    """

    connection: Connection
    batch: str
    held: dict[str, Account]
    then: Mapping[Whose, Had] = field(default_factory=dict)
    entries: list[_Entry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)
    terms: dict[Ground, _Terms] = field(default_factory=dict)

    def application(self, line: Line) -> Application | None:
        """The application of a line's enterprise in this batch."""
        return self.held[line.uscc].application(line.ground.policy, self.batch)

    def terms_of(self, ground: Ground) -> _Terms:
        """What a ground says, found out once."""
        found = self.terms.get(ground)
        if found is None:
            found = self.terms[ground] = _Terms(states_of(ground.version_now()), caps_now(ground))
        return found


def book(ledger: Ledger, act: Act, batch: str, file: FileLines, *, correcting: bool = False) -> Booked:
    """Enters every line of a file, or none. A file that was entered before enters nothing again.

    ``correcting`` with a reason enters what was left of it and what it gives otherwise now; an enterprise to which it
    gives what it gave stays as it is, whatever was done since. An enterprise that holds the same amount in this batch
    already is left as it is; one that holds another amount is refused, unless ``correcting``: then a correction names
    the old entry. Raises LedgerError ``E-LEDGER-OTHER`` (the file was entered with other results),
    ``E-LEDGER-GRANTED``, ``E-LEDGER-ENDED``, ``E-LEDGER-MOVED`` (the ledger changed since the lines were computed),
    ``E-LEDGER-CAP``, ``E-LEDGER-DOUBLE``. An earlier list is what was had: with a reason it is entered above a cap too.
    """
    batch = batch_named(batch)
    if correcting and not act.reason.strip():
        raise LedgerError("E-LEDGER-REASON", "更正须写明原因", remedy="请用 --reason 给出原因")
    if not file.lines:
        return Booked(file.source, "empty")
    _one_line_each(file)
    # What was at work is gone before the collector looks again.
    with without_collecting():
        return _booked(ledger, act, batch, file, correcting)


def _booked(ledger: Ledger, act: Act, batch: str, file: FileLines, correcting: bool) -> Booked:
    with ledger.writing() as connection:
        known = act_of_file(connection, file.source.sha256)
        lines: Sequence[Line] = file.lines
        then: Mapping[Whose, Had] = {}
        if known is not None:
            _same_batch(connection, known, batch, file)
            lines, then = _since_it_was_entered(connection, batch, file, correcting)
        policies = {line.ground.policy for line in lines}
        work = _Work(connection, batch, accounts_of(connection, (line.uscc for line in lines), policies, batch), then)
        entered = sum([_prepare(work, file, line, correcting) for line in lines])
        if work.over and not act.reason.strip():
            raise _above_caps(file, work.over)
        unchanged = len(file.lines) - entered
        if known is not None and not work.entries:
            return Booked(file.source, "already", known, unchanged=unchanged)
        kind = schema.RUN if known is None else schema.AMENDMENT
        work.warnings += _granted_again(work)
        number = open_act(connection, act, kind, batch=batch, asked=file.asked, source=file.source)
        _enter(work, number, lines)
        seal_act(connection, number)
        granted = sum(row.fen for row in work.entries)
        work.warnings += overdrawn(connection, ((policy, batch) for policy in sorted(policies)))
    return Booked(file.source, "booked", number, entered, granted, unchanged, tuple(work.warnings), tuple(work.over))


def _above_caps(file: FileLines, over: Sequence[str]) -> LedgerError:
    """What was had is entered as it was, but a unit or a row gone wrong shows here first."""
    return LedgerError(
        "E-LEDGER-CAP", f"名单登记后有 {len(over)} 处超过上限，未登记：{'；'.join(over)}", where=file.source.name,
        remedy="请逐家核实金额和单位：名单有误的，改正后再导入；确已享受的，用 --reason 写明依据再导入，照实登记",
    )  # fmt: skip


def _since_it_was_entered(
    connection: Connection, batch: str, file: FileLines, correcting: bool
) -> tuple[Sequence[Line], dict[Whose, Had]]:
    """The lines of a known file that are not what it gave, and what those it had entered had had before that.

    An enterprise of which the file says what it said then is left as it stands now, whatever others did since.
    """
    entered = entered_by(connection, file.source.sha256, [line.uscc for line in file.lines])
    found = differences(connection, batch, file, entered)
    if found and not correcting:
        line, text = found[0]
        raise _refusal("E-LEDGER-OTHER", file.source, line, f"与此文件登记时的结果不同：{text}", _correcting(file))
    lines = [line for line, _ in found]
    then: dict[Whose, Had] = {}
    for policy in {line.ground.policy for line in lines}:
        usccs = [line.uscc for line in lines if (line.uscc, policy) in entered and line.ground.policy == policy]
        had = had_before_file(connection, file.source.sha256, policy, usccs, batch)
        then |= {(uscc, policy): held for uscc, held in had.items()}
    return lines, then


def book_all(
    ledger: Ledger, act: Act, batch: str, files: Iterable[FileLines], *, correcting: bool = False
) -> list[Booked | LedgerError]:
    """Every file in a transaction of its own; one that is refused costs only itself."""
    done: list[Booked | LedgerError] = []
    for file in files:
        try:
            done.append(book(ledger, act, batch, file, correcting=correcting))
        except LedgerError as error:
            done.append(
                type(error)(error.code, error.message, where=error.where or file.source.name, remedy=error.remedy)
            )
    return done


def _one_line_each(file: FileLines) -> None:
    seen: set[tuple[str, str]] = set()
    for line in file.lines:
        key = (line.uscc, line.ground.policy)
        if key in seen:
            raise _refusal("E-LEDGER-DOUBLE", file.source, line, "在同一文件中出现两次", "请只保留一份")
        seen.add(key)


def _correcting(file: FileLines) -> str:
    return _CORRECTING_A_LIST if file.is_earlier else _CORRECTING


def _refusal(code: str, source: Source, line: Line, what: str, remedy: str) -> LedgerError:
    place = f"{source.name} {line.place}".strip()
    return LedgerError(
        code, f"{mask_code(line.uscc)}（{label_of(line.ground.policy)}）{what}", where=place, remedy=remedy
    )


def _same_batch(connection: Connection, act: int, batch: str, file: FileLines) -> None:
    """Raises where the file was entered in another batch: there it would be granted a second time."""
    entered = connection.execute(select(schema.act.c.batch).where(schema.act.c.id == act)).scalar_one()
    if entered != batch:
        raise LedgerError(
            "E-LEDGER-OTHER", f"此文件已登记在批次“{entered}”，不能再登记到“{batch}”",
            where=file.source.name, remedy="请核对批次",
        )  # fmt: skip


def _prepare(work: _Work, file: FileLines, line: Line, correcting: bool) -> bool:
    """Checks a line against everything held, and notes what to enter; whether anything is to be entered."""
    policy, source = line.ground.policy, file.source
    mine, terms = work.held[line.uscc], work.terms_of(line.ground)
    item = mine.application(policy, work.batch)
    if item is not None and item.state(terms.states.first) in programme(policy).ends:
        label = terms.states.label(item.steps[-1].target)
        raise _refusal("E-LEDGER-ENDED", source, line, f"本批次的申报已“{label}”", "须先按规定重新申报")
    if line.used:
        then = work.then.get((line.uscc, policy))
        _still_true(source, line, then.facts if then else answers_of(policy, work.batch, mine))
    if item is None:
        item = Application(0, line.uscc, policy, work.batch)
        mine.applications.append(item)
    changes = _changes(file, line, item, correcting) if item.holdings else line.amounts
    remedy = _OTHERS_FIRST if item.holdings and correcting else _AGAIN
    rise = [_note(work, item, line, code, fen) for code, fen in sorted(changes.items())]
    if terms.caps and file.is_earlier:
        who = f"{mask_phones(line.name)}（{mask_code(line.uscc)}）"
        had = f"{line.place} {who}此次 {Money(sum(rise))}，"
        work.over += [had + what for what in exceeded(mine.held(), terms.caps) if sum(rise) > 0]
    elif terms.caps and max(rise, default=0) > 0:
        within_caps(mine.held(), terms.caps, lambda what: _refusal("E-LEDGER-CAP", source, line, what, remedy))
    work.warnings += [f"{line.place} {mask_code(line.uscc)}：{warning}" for warning in line.warnings]
    return bool(changes)


def _changes(file: FileLines, line: Line, item: Application, correcting: bool) -> dict[str, int]:
    """What becomes of an application that was granted something before: fen by item."""
    changes = {code: fen for code, fen in line.amounts.items() if not _holds(item, code, fen)}
    gone = [code for code, held in item.holdings.items() if held.tail and code not in line.amounts and held.fen]
    if not correcting and (gone or any(_open(item, code) for code in changes)):
        stood = {code: held.fen for code, held in item.holdings.items() if held.tail}
        what = f"本批次{entered_text(stood)}，现为 {money_text(line.amounts)}"
        raise _refusal("E-LEDGER-GRANTED", file.source, line, what, _correcting(file))
    return changes | dict.fromkeys(gone, 0)


def _open(item: Application, code: str) -> bool:
    held = item.holdings.get(code)
    return held is not None and held.tail is not None


def _holds(item: Application, code: str, fen: int) -> bool:
    return _open(item, code) and item.holdings[code].fen == fen


def _note(work: _Work, item: Application, line: Line, code: str, fen: int) -> int:
    """Notes the entry that brings a holding to an amount; returns its fen."""
    held = item.holdings.setdefault(code, Holding())
    rise, held.fen = fen - held.fen, fen
    work.entries.append(_Entry(item, code, rise, held.tail, line))
    sums = work.held[line.uscc].sums.setdefault(item.policy, {})
    sums[code] = sums.get(code, 0) + rise
    return rise


def _granted_again(work: _Work) -> list[str]:
    """A grant beside one in another batch that no fact of the programme asks for: only a person can judge it."""
    asked: dict[str, list[str]] = {}
    judged = {ground.policy for ground in work.terms if programme(ground.policy).asks_for_its_own}
    for row in work.entries:
        item = row.application
        if row.fen > 0 and item.policy not in judged and work.held[item.uscc].held()[item.policy] > item.fen:
            asked.setdefault(item.policy, []).append(item.uscc)
    return [
        f"{mask_code(uscc)}：{told(policy, held)}"
        for policy, usccs in asked.items()
        for uscc, held in elsewhere(work.connection, policy, usccs, work.batch).items()
    ]


def _still_true(source: Source, line: Line, now: Mapping[str, Any]) -> None:
    """A result stands only while the ledger gives no stricter answer than the one it was computed with."""
    for name, used in line.used.items():
        held = now.get(name)
        if held is not None and held != used and stricter(used, held) != used:
            known = fact(name)
            what = f"计算时“{known.label}”为“{known.show(used)}”，台账现为“{known.show(held)}”"
            raise _refusal("E-LEDGER-MOVED", source, line, what, "台账在计算之后有了新的登记，请重新核算")


def _enter(work: _Work, act: int, lines: Sequence[Line]) -> None:
    connection = work.connection
    grounds = {ground: ground_id(connection, act, ground) for ground in work.terms}
    _enter_applications(connection, act, work.held)
    rows = [
        (
            act, row.application.id, row.item, schema.GRANT if row.corrects is None else schema.CORRECTION, row.fen,
            grounds[row.line.ground], row.line.place, row.corrects,
        )
        for row in work.entries
    ]  # fmt: skip
    columns = ("act_id", "application_id", "item", "kind", "fen", "ground_id", "place", "corrects")
    enter_many(connection, schema.entry, columns, rows)
    work.warnings += _enter_names(connection, act, lines)
    work.warnings += _enter_papers(connection, act, work, lines)


def _enter_applications(connection: Connection, act: int, held: Mapping[str, Account]) -> None:
    fresh = [item for account in held.values() for item in account.applications if not item.id]
    rows = [(act, item.uscc, item.policy, item.batch) for item in fresh]
    enter_many(connection, schema.application, ("act_id", "uscc", "policy", "batch"), rows)
    opened = connection.execute(_OPENED, {"act": act}).all()
    numbers = {(uscc, policy): number for number, uscc, policy in opened}
    for item in fresh:
        item.id = numbers[item.uscc, item.policy]


def _enter_names(connection: Connection, act: int, lines: Sequence[Line]) -> list[str]:
    """Every name a code was ever used with is kept once; a second one is a warning."""
    known: dict[str, set[str]] = {}
    for code, called in connection.execute(_NAMES, {"usccs": {line.uscc for line in lines}}).all():
        known.setdefault(code, set()).add(called)
    rows, warnings = [], []
    for line in lines:
        names = known.setdefault(line.uscc, set())
        if line.name in names:
            continue
        name = mask_phones(line.name)
        if name and name not in names:
            if names:
                others = "、".join(f"“{other}”" for other in sorted(names))
                warnings.append(f"{mask_code(line.uscc)} 现称“{name}”，台账中另有 {others}，请核对")
            names.add(name)
            rows.append((act, line.uscc, name))
    enter_many(connection, schema.name, ("act_id", "uscc", "name"), rows)
    return warnings


def _enter_papers(connection: Connection, act: int, work: _Work, lines: Sequence[Line]) -> list[str]:
    used: dict[tuple[str, str], set[int]] = {}
    asked: dict[str, set[str]] = {}
    for line in lines:
        for kind, number in line.papers:
            asked.setdefault(kind, set()).add(number)
    for kind, numbers in asked.items():
        for number, application in connection.execute(_USERS, {"kind": kind, "numbers": numbers}).all():
            used.setdefault((kind, number), set()).add(application)
    rows, warnings = [], []
    for line in lines:
        item = work.application(line) if line.papers else None
        if item is None:
            continue
        for kind, number in line.papers:
            users = used.setdefault((kind, number), set())
            if users - {item.id}:
                warnings.append(f"{PAPER_LABELS[kind]} {number} 另有申报用过，请用 xlcalc ledger papers 查看")
            if item.id not in users:
                users.add(item.id)
                rows.append((act, item.id, kind, number))
    enter_many(connection, schema.paper, ("act_id", "application_id", "kind", "number"), rows)
    return warnings
