"""Takes an application from one state to the next, along the steps its pack lists and along no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from workbooks.documents.deadlines import Deadline
from workbooks.documents.doubtful_codes import mask_code
from workbooks.ledger import schema
from workbooks.ledger.acts import Act, Ground, acting, batch_named, entered, ground_id, ground_of
from workbooks.ledger.applications import Application, Taken, ground_at, one_application
from workbooks.ledger.database import Ledger, LedgerError
from workbooks.ledger.programmes import States, Transition, programme, states_of
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.values.dates import chinese_date
from xlcalc.values.uscc import problem_of_uscc


@dataclass(frozen=True)
class Moved:
    """An application after a step: its state in Chinese, and what it gave back or got back, in fen.

    warnings: what does not stand against the step, and someone should know.
    """

    uscc: str
    state: str
    label: str
    fen: int = 0
    warnings: tuple[str, ...] = ()


def take_step(
    ledger: Ledger,
    act: Act,
    policy: str,
    batch: str,
    usccs: Iterable[str],
    transition: str,
    *,
    version: str | None = None,
    due: Deadline | None = None,
) -> list[Moved]:
    """Takes the same step with each of some enterprises, or with none of them.

    transition: its key in the pack. version: of the policy, for an application of which nothing was entered yet;
    else the one it was entered under. due: the day on which the new state ends, for a state that lasts until a day.
    A step into a state that ends an application takes back what was granted (收回、取消资格 …). Raises LedgerError
    ``E-LEDGER-JUMP`` naming the legal steps, ``E-LEDGER-REASON``, ``E-LEDGER-DATE``, ``E-LEDGER-DUE``,
    ``E-LEDGER-NO-GRANT`` for a step to payment without anything granted.
    """
    batch = batch_named(batch)
    wanted = list(dict.fromkeys(usccs))
    programme(policy)
    with acting(ledger, act, schema.STEP, batch=batch) as (connection, number):
        return [enter_step(connection, number, act, policy, batch, uscc, transition, version, due) for uscc in wanted]


def enter_step(
    connection: Connection, number: int, act: Act, policy: str, batch: str, uscc: str, key: str,
    version_id: str | None = None, due: Deadline | None = None,
) -> Moved:  # fmt: skip
    """One enterprise's step within an act that is open; raises what ``take_step`` raises."""
    item = one_application(connection, uscc, policy, batch)
    if item is None:
        item = _opened(connection, number, uscc, policy, batch)
    ground = _ground(connection, item, version_id)
    states = states_of(load_policy(policy).version(ground.version))
    chosen = legal_step(states, item, key)
    _complete(chosen, states, item, act, due)
    warnings = (*_too_soon(connection, chosen, states, item, act), *_without_end(chosen, states, item, due))
    row = {
        "act_id": number, "application_id": item.id, "number": item.numbered + 1, "transition": chosen.key,
        "from_state": chosen.source, "to_state": chosen.target, "ground_id": ground_id(connection, number, ground),
    }  # fmt: skip
    taken = entered(connection, schema.step, row)
    if due is not None:
        day = {"act_id": number, "step_id": taken, "day": due.day, "warning": due.warning}
        connection.execute(insert(schema.due).values(day))
    ends = chosen.target in programme(policy).ends
    fen = _release(connection, number, item, taken) if ends else 0
    return Moved(uscc, chosen.target, states.label(chosen.target), fen, warnings)


_PUBLICITY = "公示"


def _too_soon(connection: Connection, chosen: Transition, states: States, item: Application, act: Act) -> Iterator[str]:
    """A publicity period has not run out, and the step is none that is taken within it, as an objection is."""
    timed = programme(item.policy).timed.get(chosen.source)
    if timed != _PUBLICITY or chosen.reason_required or not item.steps:
        return
    last = connection.scalar(select(schema.due.c.day).where(schema.due.c.step_id == item.steps[-1].id))
    if last is not None and act.day <= last:
        yield f"{mask_code(item.uscc)} {_PUBLICITY}到{chinese_date(last)}才满，“{chosen.label}”早于期满。请核对"


def _without_end(chosen: Transition, states: States, item: Application, due: Deadline | None) -> Iterator[str]:
    timed = programme(item.policy).timed.get(chosen.target)
    if timed and due is None:
        said = f"“{states.label(chosen.target)}”没有给出截止日期，到期不会提醒"
        yield f"{said}。须有期限的，请撤回后用 --due 或 --due-days 给出"


def _opened(connection: Connection, act: int, uscc: str, policy: str, batch: str) -> Application:
    if problem := problem_of_uscc(uscc):
        raise LedgerError("E-LEDGER-CODE", f"统一社会信用代码有误：{problem}", remedy="请按营业执照核对代码")
    values = {"act_id": act, "uscc": uscc, "policy": policy, "batch": batch}
    return Application(entered(connection, schema.application, values), uscc, policy, batch)


def _ground(connection: Connection, item: Application, version_id: str | None) -> Ground:
    """An application stays under the version it was entered under, but the pack may have been put right since."""
    numbers = [held.ground for held in item.holdings.values()] + [taken.ground for taken in item.steps]
    held = ground_at(connection, max(numbers)).version if numbers else version_id
    if version_id is not None and held != version_id:
        raise LedgerError("E-LEDGER-VERSION", f"此申报登记在版本 {held}，不是 {version_id}", remedy="请核对版本")
    policy = load_policy(item.policy)
    version: Version = policy.newest if held is None else policy.version(held)
    return ground_of(item.policy, version, {})


def legal_step(states: States, item: Application, key: str) -> Transition:
    """The step of that key out of the state an application is in; raises LedgerError ``E-LEDGER-JUMP``."""
    state = item.state(states.first)
    legal = {step.key: step for step in states.legal(state)}
    if key in legal:
        return legal[key]
    known = states.transitions.get(key)
    wanted = f"“{known.label}”" if known else f"“{key[:40]}”（本政策没有这一步）"
    offered = "；".join(f"{step.key} {step.label}" for step in legal.values()) or "无，流程已结束"
    raise LedgerError(
        "E-LEDGER-JUMP", f"{mask_code(item.uscc)} 现为“{states.label(state)}”，不能{wanted}",
        remedy=f"可以进行的步骤：{offered}",
    )  # fmt: skip


def _complete(chosen: Transition, states: States, item: Application, act: Act, due: Deadline | None) -> None:
    """Whether a step has what it needs: its reason, its day in order, its due date, and a grant where it pays."""
    if chosen.reason_required and not act.reason.strip():
        raise LedgerError(
            "E-LEDGER-REASON", f"“{chosen.label}”须写明原因（{chosen.clause}）", remedy="请用 --reason 给出"
        )
    if item.steps and act.day < item.steps[-1].day:
        last = item.steps[-1]
        what = f"“{chosen.label}”的日期早于上一步“{states.label(last.target)}”（{chinese_date(last.day)}）"
        raise LedgerError("E-LEDGER-DATE", what, remedy="请核对日期")
    kept = programme(item.policy)
    timed = kept.timed.get(chosen.target)
    if due is not None and (timed is None or due.day < act.day):
        what = "截止日早于办理日期" if timed else f"“{states.label(chosen.target)}”没有期限"
        raise LedgerError("E-LEDGER-DUE", what, remedy="请核对 --due")
    if chosen.target in kept.pays and item.fen <= 0:
        raise LedgerError(
            "E-LEDGER-NO-GRANT", f"{mask_code(item.uscc)} 在本批次没有登记金额，不能“{chosen.label}”",
            remedy="请先用 xlcalc ledger book 登记核算结果",
        )  # fmt: skip


def _release(connection: Connection, act: int, item: Application, step: int) -> int:
    """Takes back every grant that is open, one of nothing too; returns fen, below 0."""
    rows = [
        {
            "act_id": act, "application_id": item.id, "item": code, "kind": schema.RELEASE, "fen": -held.fen,
            "ground_id": held.ground, "place": "", "corrects": None, "step_id": step,
        }
        for code, held in sorted(item.holdings.items())
        if held.tail is not None
    ]  # fmt: skip
    if rows:
        connection.execute(insert(schema.entry), rows)
    return -sum(held.fen for held in item.holdings.values() if held.tail is not None)


def last_step(item: Application) -> Taken:
    """The last step in force; raises LedgerError ``E-LEDGER-NO-STEP`` where there is none."""
    if not item.steps:
        raise LedgerError("E-LEDGER-NO-STEP", f"{mask_code(item.uscc)} 没有可以更正的步骤", remedy="请核对批次和政策")
    return item.steps[-1]
