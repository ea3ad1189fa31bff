"""Earlier years' lists, in whatever columns they come: read as other people's tables are, and entered like a run.

The columns wanted are the enterprise, its code, the amount and, where a programme awards several, the direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbooks.ledger.acts import Act, Ground, batch_named, ground_of
from workbooks.ledger.applications import applications_of
from workbooks.ledger.database import Ledger, LedgerError
from workbooks.ledger.lines import FileLines, Line, source_of
from workbooks.ledger.programmes import States, programme, states_of
from workbooks.ledger.transitions import take_step
from workbooks.merging.column_mapping import NOTHING_TOLD, Target, Told, plain_heading, signature
from workbooks.merging.foreign_table import ForeignTable, read_rows, read_tables
from workbooks.record import Record
from xlcalc.facts import Fact, fact
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.values.money import Money
from xlcalc.values.uscc import problem_of_uscc

FORM = "ledger.earlier_list"
"""What 列对应.json names as the template."""
REASON = "往年名单导入"

_AMOUNT = Fact(
    "granted", "享受金额", "money",
    aliases=(
        "补贴金额", "奖补金额", "奖励金额", "资助金额", "拨付金额", "核减金额", "发券金额", "抵扣券面额", "券面金额",
        "面额", "实拨金额", "已拨付金额", "获奖金额", "金额",
    ),
)  # fmt: skip


NAMES = ("企业全称", "单位全称", "申报单位", "获奖单位", "受助单位", "平台名称")


@dataclass(frozen=True)
class EarlierList:
    """A list as read. open_tables: tables some of whose columns a person has to name first; then it has no lines."""

    tables: tuple[ForeignTable, ...]
    file: FileLines

    @property
    def open_tables(self) -> list[ForeignTable]:
        """Those with questions."""
        return [table for table in self.tables if table.questions]


def targets_of_list(policy: str) -> tuple[Target, ...]:
    """The columns a list of a programme is read for; raises LedgerError ``E-LEDGER-PROGRAMME``."""
    items = [answer for answer in programme(policy).answers if answer.gives == "items"]
    directions = [Fact("direction", "方向", "option", options=fact(answer.fact).options) for answer in items]
    name = fact("enterprise_name")
    named = replace(name, aliases=(*name.aliases, *NAMES))
    known = [(named, True), (fact("uscc"), True), (_AMOUNT, False)]
    return tuple(column_for(item, identifies) for item, identifies in [*known, *((item, False) for item in directions)])


def column_for(known: Fact, identifies: bool) -> Target:
    """The column a list has for a fact; identifies: whether it says which enterprise a row is."""
    own = frozenset({plain_heading(known.label)})
    return Target(
        f"t_{known.id}", known, known.label, own, frozenset(map(plain_heading, known.aliases)) - own, None, identifies
    )


def read_list(path: Path, policy: str, version: Version, told: Told = NOTHING_TOLD) -> EarlierList:
    """A list and what it has to enter; raises WorkbookRefused for a file without a table."""
    targets = targets_of_list(policy)
    tables, findings = read_tables(path, targets, told)
    answers = {
        signature(table.header.columns, table.header.unit): [
            (item.target.port if item.target else None, item.unit) for item in table.proposals
        ]
        for table in tables
    }
    asked = {"list": {"policy": policy, "version": version.id, "told": answers}}
    left = [(path.name, item.message) for item in findings if item.severity == "block"]
    if any(table.questions for table in tables):
        return EarlierList(tuple(tables), FileLines(source_of(path), (), tuple(left), asked))
    ground = ground_of(policy, version, {})
    several = any(target.fact.id == "direction" for target in targets)
    lines: dict[str, Line] = {}
    for record in (record for table in tables for record in read_rows(table)):
        why = _unusable(record, several)
        if why:
            left.append((record.where, why))
            continue
        line = _line(record, ground)
        held = lines.get(line.uscc)
        if held is None or not several or set(held.amounts) & set(line.amounts):
            key = line.uscc if held is None else f"{line.uscc} {record.where}"
            lines[key] = line
        else:
            lines[line.uscc] = replace(held, amounts={**held.amounts, **line.amounts})
    return EarlierList(tuple(tables), FileLines(source_of(path), tuple(lines.values()), tuple(left), asked))


def read_list_again(path: Path, asked: Mapping[str, Any]) -> FileLines:
    """A list that was entered, as it was read then."""
    told = Told({key: tuple((port, unit) for port, unit in row) for key, row in asked["told"].items()})
    version = load_policy(asked["policy"]).version(asked["version"])
    return read_list(path, asked["policy"], version, told).file


def _unusable(record: Record, several: bool) -> str:
    """Why a row cannot be entered, "" where it can."""
    if why := names_no_one(record):
        return why
    amount = record.facts.get(_AMOUNT.id)
    if not isinstance(amount, Money) or amount.fen <= 0:
        return "没有金额"
    return "没有方向" if several and not record.facts.get("direction") else ""


def names_no_one(record: Record) -> str:
    """Why a row of a list cannot be read or does not say whose it is, "" where it can: a damaged code names no one."""
    blocks = [item.message for item in record.findings if item.severity == "block"]
    if blocks:
        return "；".join(blocks)
    uscc = record.facts.get("uscc")
    if not uscc:
        return "没有统一社会信用代码"
    problem = problem_of_uscc(str(uscc))
    return f"统一社会信用代码{problem}" if problem else ""


def _line(record: Record, ground: Ground) -> Line:
    facts = record.facts
    amounts = {str(facts.get("direction") or ""): facts[_AMOUNT.id].fen}
    return Line(str(facts["uscc"]), str(facts.get("enterprise_name") or ""), ground, amounts, place=record.where)


def walk_to(ledger: Ledger, act: Act, policy: str, batch: str, usccs: Sequence[str], state: str) -> int:
    """Takes applications along the steps of their pack to a state, the shortest way; returns how many were moved.

    state: its key or its name. Who is there already stays. Raises LedgerError ``E-LEDGER-STATE`` for a state that
    does not exist or that no way leads to, and what ``take_step`` raises.
    """
    wanted = state_named(policy, state)
    named = batch_named(batch)
    groups: dict[tuple[str, ...], list[str]] = {}
    with ledger.reading() as connection:
        found = applications_of(connection, usccs)
    states = states_of(load_policy(policy).newest)
    for uscc, items in found.items():
        item = next((item for item in items if (item.policy, item.batch) == (policy, named)), None)
        here = item.state(states.first) if item else states.first
        way = _way(states, here, wanted, programme(policy).ends)
        if way is None:
            label = states.label(here)
            raise LedgerError("E-LEDGER-STATE", f"从“{label}”没有步骤到“{state[:20]}”", remedy="请用 ledger step 办理")
        if way:
            groups.setdefault(way, []).append(uscc)
    said = act if act.reason else replace(act, reason=REASON)
    for way, members in groups.items():
        for key in way:
            take_step(ledger, said, policy, named, members, key)
    return sum(map(len, groups.values()))


def state_named(policy: str, text: str) -> str:
    """The key of a state given by its key or its name; raises LedgerError ``E-LEDGER-STATE`` for another."""
    labels = states_of(load_policy(policy).newest).labels
    found = next((key for key, label in labels.items() if text in (key, label)), None)
    if found is None:
        raise LedgerError(
            "E-LEDGER-STATE", f"没有“{text[:20]}”这个阶段", remedy=f"可用的阶段：{'、'.join(labels.values())}"
        )
    return found


def _way(states: States, here: str, wanted: str, ends: frozenset[str]) -> tuple[str, ...] | None:
    """The keys of the steps from one state to another; None where there is no way that does not end it."""
    ways: dict[str, tuple[str, ...]] = {here: ()}
    waiting = [here]
    for state in waiting:
        for step in states.legal(state):
            if step.target not in ways and (step.target not in ends or step.target == wanted):
                ways[step.target] = (*ways[state], step.key)
                waiting.append(step.target)
    return ways.get(wanted)
