"""Where the applications of a batch stand, as documents tell it: names, amounts, and every step with its act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from workbooks.documents.cases import Case
from workbooks.ledger import schema
from workbooks.ledger.acts import Ground, batch_named
from workbooks.ledger.applications import Application, ground_at, load
from workbooks.ledger.crosschecks import names_by_code
from workbooks.ledger.database import LedgerError, among
from workbooks.ledger.programmes import States, Transition, programme, states_of
from xlcalc import __version__
from xlcalc.packs.registry import load_policy
from xlcalc.results.outcome import Choice, Outcome
from xlcalc.values.money import Money


@dataclass(frozen=True)
class Told:
    """A step in force: what it is, and by which act it was taken."""

    transition: Transition
    source: str
    target: str
    day: date
    operator: str
    document: str
    reason: str


@dataclass(frozen=True)
class Standing:
    """One application. names: oldest first. taken_back: fen that the last step into an end took back."""

    application: Application
    states: States
    ground: Ground
    names: tuple[str, ...]
    steps: tuple[Told, ...]
    taken_back: int = 0

    @property
    def name(self) -> str:
        """The enterprise by the name it was last entered under, else its code."""
        return self.names[-1] if self.names else self.application.uscc

    @property
    def state(self) -> str:
        """The key of the state it is in."""
        return self.application.state(self.states.first)

    @property
    def state_label(self) -> str:
        """The state in Chinese."""
        return self.states.label(self.state)

    @property
    def amount(self) -> Money:
        """What was granted, whether or not it was taken back since."""
        return Money(self.application.fen or self.taken_back)

    def may_enter(self, state: str) -> bool:
        """Whether one of its next steps leads into a state."""
        return any(step.target == state for step in self.states.legal(self.state))

    def step_into(self, state: str) -> Told | None:
        """The last step into a state, None where there was none."""
        return next((step for step in reversed(self.steps) if step.transition.target == state), None)

    @property
    def case(self) -> Case:
        """The application as the documents of a run take it: determined, with what was granted."""
        version, readings = self.ground.version_now(), self.ground.readings_now()
        pays = next((item.pays for item in version.mechanisms(readings) if item.pays), "")
        named = tuple(
            Choice(key, item.question, readings[key], item.options[readings[key]], False)
            for key, item in version.interpretations.items()
            if key in readings and readings[key] != item.default
        )
        policy = self.application.policy
        outcome = Outcome(
            policy, load_policy(policy).label, version.id, version.hash, __version__, "determined",
            {pays: self.amount}, self.amount, (), (), (), named, "quoted", (),
        )  # fmt: skip
        facts = {"enterprise_name": self.name, "uscc": self.application.uscc}
        return Case("台账", "台账", self.application.uscc, facts, {}, outcome, version, readings)


def standings(connection: Connection, policy: str, batch: str) -> list[Standing]:
    """Every application of a programme in a batch, in the order in which they were opened.

    Raises LedgerError ``E-LEDGER-PROGRAMME``, ``E-LEDGER-UNKNOWN`` for a batch the ledger does not know.
    """
    programme(policy)
    table, named = schema.application, batch_named(batch)
    found = load(connection, (table.c.policy == policy) & (table.c.batch == named))
    if not found:
        raise LedgerError(
            "E-LEDGER-UNKNOWN", f"台账中没有“{load_policy(policy).label}”批次“{named}”的申报",
            remedy="请用 xlcalc ledger budget 查看各批次的名称",
        )  # fmt: skip
    names = names_by_code(connection, [item.uscc for item in found])
    acts = _acts(connection, [step.id for item in found for step in item.steps])
    back = _taken_back(connection, [item.id for item in found])
    grounds: dict[int, Ground] = {}
    return [_standing(connection, item, names.get(item.uscc, ()), acts, back, grounds) for item in found]


def _standing(
    connection: Connection, item: Application, names: Sequence[str], acts: Mapping[int, tuple[str, str, str]],
    back: Mapping[int, int], grounds: dict[int, Ground],
) -> Standing:  # fmt: skip
    newest = load_policy(item.policy).newest
    numbers = [held.ground for held in item.holdings.values()] or [taken.ground for taken in item.steps]
    ground = Ground(item.policy, newest.id, newest.hash, "{}")
    if numbers:
        last = max(numbers)
        ground = grounds.setdefault(last, grounds.get(last) or ground_at(connection, last))
    states = states_of(ground.version_now())
    steps = tuple(
        Told(states.transitions[taken.transition], states.label(taken.source), states.label(taken.target), taken.day,
             *acts[taken.id])
        for taken in item.steps if taken.transition in states.transitions
    )  # fmt: skip
    taken_back = next((back[taken.id] for taken in reversed(item.steps) if taken.id in back), 0)
    return Standing(item, states, ground, tuple(names), steps, taken_back)


def _acts(connection: Connection, steps: Sequence[int]) -> dict[int, tuple[str, str, str]]:
    """Operator, document and reason of each step."""
    step, act = schema.step, schema.act
    rows = connection.execute(
        select(step.c.id, act.c.operator, act.c.document, act.c.reason)
        .join(act, act.c.id == step.c.act_id)
        .where(among(step.c.id, steps))
    )
    return {row.id: (row.operator, row.document, row.reason) for row in rows}


def _taken_back(connection: Connection, applications: Sequence[int]) -> dict[int, int]:
    """What each step took back, in fen."""
    entry = schema.entry
    rows = connection.execute(
        select(entry.c.step_id, func.sum(entry.c.fen).label("fen"))
        .where(among(entry.c.application_id, applications), entry.c.kind == schema.RELEASE)
        .group_by(entry.c.step_id)
    )
    return {row.step_id: -int(row.fen) for row in rows if row.step_id is not None}
