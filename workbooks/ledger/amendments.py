"""Puts right what was entered wrongly: a new entry or step that names the old one, which stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, insert, select

from workbooks.documents.doubtful_codes import mask_code
from workbooks.ledger import schema
from workbooks.ledger.acts import OF_A_LIST, Act, acting, batch_named
from workbooks.ledger.applications import Application, applications_of, ground_at
from workbooks.ledger.caps import caps_now, exceeded, held_by_programme, within_caps
from workbooks.ledger.database import Ledger, LedgerError
from workbooks.ledger.programmes import programme, states_of
from workbooks.ledger.transitions import Moved, last_step
from xlcalc.packs.registry import load_policy
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money
from xlcalc.values.uscc import problem_of_uscc


@dataclass(frozen=True)
class Corrected:
    """An amount put right: the difference in fen. over: the caps it is above, for what an earlier list said was had.

    paid: the day on which the amount as it was had been paid out, None where it had not.
    """

    difference: int
    over: tuple[str, ...] = ()
    paid: date | None = None


def correct_amount(
    ledger: Ledger, act: Act, policy: str, batch: str, uscc: str, fen: int, *, item: str = ""
) -> Corrected:
    """What an enterprise was granted becomes another amount, with a reason.

    item: the direction, where a programme awards several. Raises LedgerError ``E-LEDGER-REASON``,
    ``E-LEDGER-CODE`` for a code that cannot be right, ``E-LEDGER-NO-GRANT`` where nothing is open, ``E-LEDGER-CAP``
    above a cap unless the amount is of an earlier list,
    ``E-LEDGER-AMOUNT`` below 0 or unchanged, ``E-LEDGER-DATE`` before what is put right was entered.
    """
    _with_reason(act)
    batch = batch_named(batch)
    with acting(ledger, act, schema.AMENDMENT, batch=batch) as (connection, number):
        mine, found = _found(connection, policy, batch, uscc)
        held = found.holdings.get(item)
        if held is None or held.tail is None:
            raise LedgerError(
                "E-LEDGER-NO-GRANT", f"{mask_code(uscc)} 在本批次没有可更正的金额", remedy="请核对批次和方向"
            )
        _not_before(act, _day_of(connection, held.tail), "登记")
        difference = fen - held.fen
        if fen < 0 or not difference:
            raise LedgerError(
                "E-LEDGER-AMOUNT", f"更正后的金额 {Money(fen)} 不可用", remedy="应不小于0，且与原金额不同"
            )
        row = {
            "act_id": number, "application_id": found.id, "item": item, "kind": schema.CORRECTION, "fen": difference,
            "ground_id": held.ground, "place": "", "corrects": held.tail, "step_id": None,
        }  # fmt: skip
        connection.execute(insert(schema.entry).values(row))
        held.fen = fen
        over: list[str] = []
        if difference > 0 and _of_a_list(connection, found):
            over = exceeded(held_by_programme(mine), caps_now(ground_at(connection, held.ground)))
        elif difference > 0:
            _caps(connection, mine, held.ground, uscc)
        paid = found.reached(programme(policy).paid)
    return Corrected(difference, tuple(over), paid)


def _day_of(connection: Connection, entry: int) -> date:
    table, act = schema.entry, schema.act
    found: date = connection.execute(
        select(act.c.day).join(table, table.c.act_id == act.c.id).where(table.c.id == entry)
    ).scalar_one()
    return found


def _not_before(act: Act, day: date, what: str) -> None:
    if act.day < day:
        message = f"更正的日期早于所更正的{what}（{chinese_date(day)}）"
        raise LedgerError("E-LEDGER-DATE", message, remedy="请核对 --date")


def _of_a_list(connection: Connection, item: Application) -> bool:
    """Whether an application was entered from an earlier list: what was had is so, whether or not it kept a cap."""
    entry, act = schema.entry, schema.act
    asked = select(entry.c.id).join(act, act.c.id == entry.c.act_id).where(entry.c.application_id == item.id, OF_A_LIST)
    return connection.scalar(asked.limit(1)) is not None


def withdraw_step(ledger: Ledger, act: Act, policy: str, batch: str, uscc: str) -> Moved:
    """The last step of an application is withdrawn, with a reason; what it took back is granted again.

    Raises LedgerError ``E-LEDGER-REASON``, ``E-LEDGER-NO-STEP``, ``E-LEDGER-DATE`` before the day of the step,
    ``E-LEDGER-HOLDS`` where the application would go back to a state that ends it while it holds a new grant,
    ``E-LEDGER-CAP`` where others have used up the cap since.
    """
    _with_reason(act)
    batch = batch_named(batch)
    with acting(ledger, act, schema.AMENDMENT, batch=batch) as (connection, number):
        mine, found = _found(connection, policy, batch, uscc)
        last = last_step(found)
        _not_before(act, last.day, "步骤")
        if last.source in programme(policy).ends and any(held.tail for held in found.holdings.values()):
            raise LedgerError(
                "E-LEDGER-HOLDS", f"{mask_code(uscc)} 重新申报后已有登记金额，不能退回到上一状态",
                remedy="请先将新登记的金额处理完毕",
            )  # fmt: skip
        row = {
            "act_id": number, "application_id": found.id, "number": found.numbered + 1, "transition": last.transition,
            "from_state": last.target, "to_state": last.source, "ground_id": last.ground, "corrects": last.id,
        }  # fmt: skip
        connection.execute(insert(schema.step).values(row))
        fen = _grant_again(connection, number, found, last.id)
        if fen > 0:
            for ground in {held.ground for held in found.holdings.values()}:
                _caps(connection, mine, ground, uscc)
        states = states_of(load_policy(policy).version(ground_at(connection, last.ground).version))
    return Moved(uscc, last.source, states.label(last.source), fen)


def _with_reason(act: Act) -> None:
    if not act.reason.strip():
        raise LedgerError("E-LEDGER-REASON", "更正须写明原因", remedy="请用 --reason 给出原因")


def _found(connection: Connection, policy: str, batch: str, uscc: str) -> tuple[list[Application], Application]:
    programme(policy)
    mine = applications_of(connection, [uscc]).get(uscc, [])
    for item in mine:
        if (item.policy, item.batch) == (policy, batch):
            return mine, item
    if problem := problem_of_uscc(uscc):
        raise LedgerError("E-LEDGER-CODE", f"统一社会信用代码有误：{problem}", remedy="请按营业执照核对代码")
    raise LedgerError(
        "E-LEDGER-UNKNOWN", f"台账中没有 {mask_code(uscc)} 在批次“{batch}”的申报", remedy="请核对代码、政策和批次"
    )


def _grant_again(connection: Connection, act: int, found: Application, step: int) -> int:
    entry = schema.entry
    columns = (entry.c.id, entry.c.item, entry.c.fen, entry.c.ground_id)
    released = connection.execute(select(*columns).where(entry.c.step_id == step, entry.c.kind == schema.RELEASE)).all()
    for row in released:
        again = {
            "act_id": act, "application_id": found.id, "item": row.item, "kind": schema.CORRECTION, "fen": -row.fen,
            "ground_id": row.ground_id, "place": "", "corrects": row.id, "step_id": None,
        }  # fmt: skip
        connection.execute(insert(entry).values(again))
        found.holdings[row.item].fen -= row.fen
    return -sum(int(row.fen) for row in released)


def _caps(connection: Connection, mine: list[Application], ground: int, uscc: str) -> None:
    within_caps(
        held_by_programme(mine), caps_now(ground_at(connection, ground)),
        lambda what: LedgerError("E-LEDGER-CAP", f"{mask_code(uscc)} {what}", remedy="请先处理其他批次或项目的登记"),
    )  # fmt: skip
