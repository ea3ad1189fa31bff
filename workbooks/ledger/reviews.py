"""A third party's results beside the ledger's, enterprise by enterprise; and, when asked to, their steps entered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Connection, select

from workbooks.ledger import schema
from workbooks.ledger.acts import Act, batch_named, open_act, seal_act
from workbooks.ledger.applications import Application, applications_of
from workbooks.ledger.database import Ledger, LedgerError
from workbooks.ledger.facts_before import answers
from workbooks.ledger.programmes import label_of, programme, programmes
from workbooks.ledger.review_files import Opinion, ReviewFile, named_twice
from workbooks.ledger.standing import Standing, standings
from workbooks.ledger.transitions import enter_step
from xlcalc.mechanisms.face_value import FaceValue
from xlcalc.values.levels import MaturityLevel
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze

Result = Literal["same", "differs", "only_here", "only_there", "twice", "unread"]


@dataclass(frozen=True)
class Compared:
    """One enterprise: what the third party says, what the ledger has, and what follows.

    state, fen: of the ledger, "" and None where it has nothing. step: what may be entered, "" where nothing may.
    entered: that it was, now or before. note: what follows, in Chinese.
    """

    result: Result
    place: str
    uscc: str
    name: str
    opinion: Opinion | None = None
    state: str = ""
    fen: int | None = None
    differences: tuple[str, ...] = ()
    step: str = ""
    note: str = ""
    entered: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a person has to settle something; who has not been reported yet is only waited for."""
        return self.result != "only_there" and not (self.step or self.entered and not self.differences)


@dataclass(frozen=True)
class _Batch:
    """A batch as the ledger has it, for one file. before: applications with a step from a file of this content."""

    held: Mapping[str, Standing]
    others: Mapping[str, Sequence[Application]]
    before: frozenset[int]
    twice: Mapping[str, Sequence[str]]
    reason: str


def require_review(policy: str) -> None:
    """Raises LedgerError ``E-LEDGER-REVIEW`` unless passing and failing a review are steps of the programme."""
    if not programme(policy).review:
        kept = "、".join(key for key, item in programmes().items() if item.review)
        raise LedgerError(
            "E-LEDGER-REVIEW", f"“{label_of(policy)}”的步骤中没有第三方审核的通过与不通过", where=policy,
            remedy=f"请用 xlcalc ledger step 办理；可比对的政策：{kept}",
        )  # fmt: skip


def compare(ledger: Ledger, policy: str, batch: str, files: Sequence[ReviewFile], reason: str = "") -> list[Compared]:
    """Files against the ledger, and at the end who is still to be reviewed; nothing is entered.

    Amounts are equal to the fen or not; a level is compared by the amount the policy gives for it. An enterprise named
    in two rows is compared in none. Raises LedgerError ``E-LEDGER-REVIEW``, ``E-LEDGER-BATCH``, ``E-LEDGER-UNKNOWN``
    for a batch the ledger does not know.
    """
    require_review(policy)
    with ledger.reading() as connection:
        found = [row for file in files for row in _compared(connection, policy, batch, file, files, reason)]
        return [*found, *_not_named(standings(connection, policy, batch), files)]


def enter(ledger: Ledger, act: Act, policy: str, batch: str, files: Sequence[ReviewFile]) -> list[Compared]:
    """The same, with every step that may be entered entered: each file in one transaction, all of it or nothing.

    A file that was entered before (by its content) enters nothing twice; what was left of it and has been settled
    since is entered then. A failed review has the reason of its row, else that of the act. Raises LedgerError as
    ``take_step`` does, and ``E-LEDGER-DOCUMENT`` without the document the results were reported by.
    """
    require_review(policy)
    if not act.document.strip():
        raise LedgerError("E-LEDGER-DOCUMENT", "没有写明审核结果所依据的文件", remedy="请用 --document 给出文号")
    found: list[Compared] = []
    for file in files:
        with ledger.writing() as connection:
            rows = _compared(connection, policy, batch, file, files, act.reason)
            try:
                _enter(connection, act, policy, batch, file, rows)
            except LedgerError as error:
                raise LedgerError(error.code, error.message, where=file.source.name, remedy=error.remedy) from None
        found += [
            replace(row, entered=True, note=row.note.replace("可登记", "已登记", 1)) if row.step else row
            for row in rows
        ]
    with ledger.reading() as connection:
        return [*found, *_not_named(standings(connection, policy, batch), files)]


def _enter(
    connection: Connection, act: Act, policy: str, batch: str, file: ReviewFile, rows: Sequence[Compared]
) -> None:
    """An act for every step and reason, as an act has one reason."""
    acts: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.step and row.opinion:
            acts.setdefault((row.step, row.opinion.reason or act.reason), []).append(row.uscc)
    for (step, reason), usccs in acts.items():
        said, named = replace(act, reason=reason), batch_named(batch)
        number = open_act(connection, said, schema.STEP, batch=named, asked=file.asked, source=file.source)
        for uscc in usccs:
            enter_step(connection, number, said, policy, named, uscc, step)
        seal_act(connection, number)


def _compared(
    connection: Connection, policy: str, batch: str, file: ReviewFile, files: Sequence[ReviewFile], reason: str
) -> list[Compared]:
    usccs = [row.uscc for row in file.opinions]
    stand = _Batch(
        {item.application.uscc: item for item in standings(connection, policy, batch)},
        applications_of(connection, usccs), _entered_before(connection, file.source.sha256), named_twice(files), reason,
    )  # fmt: skip
    unread = [Compared("unread", row.place, row.uscc, row.name, note=row.why) for row in file.unread]
    return [*(_one(opinion, policy, stand, file.has_amounts) for opinion in file.opinions), *unread]


def _entered_before(connection: Connection, sha256: str) -> frozenset[int]:
    step, act = schema.step, schema.act
    found = select(step.c.application_id).join(act, act.c.id == step.c.act_id).where(act.c.source == sha256)
    return frozenset(connection.scalars(found))


def _one(opinion: Opinion, policy: str, stand: _Batch, has_amounts: bool) -> Compared:
    row = Compared("only_here", opinion.place, opinion.uscc, opinion.name, opinion)
    item, mine = stand.held.get(opinion.uscc), stand.others.get(opinion.uscc, ())
    if item is not None:
        row = replace(row, state=item.state_label, fen=_amount(item))
    if opinion.uscc in stand.twice:
        others = "、".join(place for place in stand.twice[opinion.uscc] if place != opinion.place)
        return replace(row, result="twice", note=f"与 {others} 重复，请只保留一行")
    if item is None:
        batches = "、".join(f"“{other.batch}”" for other in mine if other.policy == policy)
        elsewhere = f"（台账中它在批次{batches}）" if batches else ""
        return replace(row, note=f"台账本批次没有这家企业，请核对代码和批次{elsewhere}")
    named = _name(opinion, item)
    differences = (*named, *_verdict(opinion, item), *_amounts(opinion, item, mine, has_amounts))
    row = replace(row, result="differs" if differences else "same", differences=differences)
    # That a third party fails who was recommended is its task; who is meant, and how much is granted, must be clear.
    blocking = differences if opinion.passed else named
    return _with_step(row, opinion, item, item.application.id in stand.before, bool(blocking), stand.reason)


def _amount(item: Standing) -> int | None:
    """What was granted and is held; None where nothing was, or nothing is any longer."""
    held = [holding.fen for holding in item.application.holdings.values() if holding.tail is not None]
    return sum(held) if held else None


def _name(opinion: Opinion, item: Standing) -> list[str]:
    if not opinion.name or not item.names or squeeze(opinion.name) in map(squeeze, item.names):
        return []
    return [f"名称：台账为“{item.name}”"]


def _verdict(opinion: Opinion, item: Standing) -> list[str]:
    """The county's verdict is that it recommended or did not; an earlier one of a third party counts as well."""
    kept = programme(item.application.policy)
    stands = any(taken.transition == kept.review[opinion.step] for taken in item.application.steps)
    if stands or opinion.passed == (item.state not in kept.ends):
        return []
    return [f"结论：台账为“{item.state_label}”，第三方为“{opinion.verdict}”"]


def _amounts(opinion: Opinion, item: Standing, mine: Sequence[Application], has_amounts: bool) -> Iterator[str]:
    """The amount and the level of who failed do not matter."""
    held, kept = _amount(item), programme(item.application.policy)
    if not opinion.passed or item.state in kept.ends:
        return
    if held is None:
        yield "金额：台账没有登记"
        return
    if has_amounts and opinion.fen != held:
        said = "没有填写" if opinion.fen is None else f"为 {Money(opinion.fen)}"
        yield f"金额：台账为 {Money(held)}，第三方{said}"
    if opinion.level is not None:
        yield from _level(opinion.level, held, item, answers(kept.policy, item.application.batch, mine))


def _level(level: MaturityLevel, held: int, item: Standing, before: Mapping[str, Money]) -> Iterator[str]:
    """Where the level alone decides the amount, whether what is held is that amount: the ledger keeps no levels."""
    for mechanism in item.ground.version_now().mechanisms(item.ground.readings_now()):
        if isinstance(mechanism, FaceValue):
            had = sum(before[name].fen for name in mechanism.cap.counts)
            if held not in (mechanism.amount(level), mechanism.amount(level, had)):
                yield f"等级：{level.label}对应 {Money(mechanism.amount(level))}，台账为 {Money(held)}"


def _with_step(
    row: Compared, opinion: Opinion, item: Standing, before: bool, is_blocked: bool, reason: str
) -> Compared:
    """What follows for one enterprise: the step to be entered, that it was entered, or why it cannot be."""
    step = item.states.transitions[programme(item.application.policy).review[opinion.step]]
    if any(taken.transition == step.key for taken in item.application.steps):
        note = "此前已登记" + ("，现与台账不同，请核实" if row.differences else "")
        return replace(row, note=note, entered=True)
    if before:
        return replace(row, note="此前已登记，其后已撤回；要再登记，请用 xlcalc ledger step")
    if step not in item.states.legal(item.state):
        return replace(row, note=f"台账现为“{row.state}”；“{step.label}”只能在“{item.states.label(step.source)}”时办理")
    if is_blocked:
        return replace(row, note="与台账不同，不登记。请与第三方核实，改正文件或更正台账后再导入")
    if step.reason_required and not (opinion.reason or reason):
        return replace(row, note=f"“{step.label}”须写明原因，请在文件的“原因”列或用 --reason 给出")
    return replace(row, step=step.key, note=f"可登记“{step.label}”")


def _not_named(held: Sequence[Standing], files: Sequence[ReviewFile]) -> Iterator[Compared]:
    """Who stands in the batch, has had no review and is in none of the files."""
    named = {row.uscc for file in files for row in file.rows}
    for item in held:
        kept, uscc = programme(item.application.policy), item.application.uscc
        reviewed = any(taken.transition in kept.review.values() for taken in item.application.steps)
        if uscc not in named and not reviewed and item.state not in kept.ends:
            yield Compared(
                "only_there", "台账", uscc, item.name, state=item.state_label, fen=_amount(item),
                note="第三方尚未报送结果",
            )  # fmt: skip
