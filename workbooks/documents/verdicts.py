"""Every condition of a policy for one enterprise: met, not met, open, or left to a person, with clause and evidence."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workbooks.documents.cases import Case
from workbooks.documents.grounds import Ground, ground
from xlcalc.facts import fact
from xlcalc.mechanisms.conditions import Seen, collect, decide
from xlcalc.mechanisms.eligibility import CompiledCondition, Eligibility, condition_facts
from xlcalc.results.explain import fact_label
from xlcalc.results.outcome import Step

MET, FAILED, OPEN, PERSON = "符合", "不符合", "待定", "须人确认"
REMINDER = "提醒"
"""How a condition is counted that is not met and only warns."""
FILLS = {MET: "good", FAILED: "bad", OPEN: "doubt", PERSON: "doubt"}
_NOT_YET = (OPEN, PERSON)
_LACKING = "缺："
_MOST_ROWS, _MOST_NAMED = 3, 8
# Some conditions are worded as the rule, others as the fault that is found when they fail.
_A_RULE = re.compile("须|应|不得|不宜|只能|只适用|至少|不再|截止时间|原则上")


@dataclass(frozen=True)
class Verdict:
    """One condition decided. key: mechanism and condition. word: one of the four.

    evidence: the facts it was decided on, or what is missing. only_warns: failing calls attention, refuses nothing.
    """

    key: str
    says: str
    word: str
    ground: Ground | None
    evidence: str
    only_warns: bool = False

    @property
    def stops(self) -> bool:
        """Whether the application fails by this condition."""
        return self.word == FAILED and not self.only_warns


def verdicts(case: Case) -> list[Verdict]:
    """The conditions in the order of the pack, then what else was checked.

    Each condition is decided again on the very facts the outcome rests on, so that the two cannot differ.
    """
    mechanisms = {item.key: item for item in case.version.mechanisms(case.choices)}
    found: list[Verdict] = []
    for step in case.outcome.steps:
        mechanism = mechanisms[step.mechanism]
        if isinstance(mechanism, Eligibility):
            decided = [_decided(case, step, condition) for condition in mechanism.conditions]
            unseen = [] if mechanism.required else [verdict for verdict in decided if verdict.word in _NOT_YET]
            found += [verdict for verdict in decided if verdict not in unseen]
            found += _not_given(step, unseen)
        else:
            found += _others(case, step)
    return found


def tally(found: Iterable[Verdict]) -> Counter[str]:
    """How many conditions there are of each word; those that only warn count apart."""
    return Counter(REMINDER if row.word == FAILED and row.only_warns else row.word for row in found)


def _not_given(step: Step, unseen: list[Verdict]) -> Iterator[Verdict]:
    """What was not given and need not be, as one line for all."""
    if unseen:
        labels = dict.fromkeys(verdict.evidence.removeprefix(_LACKING) for verdict in unseen)
        evidence = f"{len(unseen)} 项未提供，未核对：{_named(labels)}"
        yield Verdict(step.mechanism, step.label, OPEN, None, evidence, only_warns=True)


def _decided(case: Case, step: Step, condition: CompiledCondition) -> Verdict:
    known = {name: value for name, value in step.inputs.items() if value is not None}
    seen = Seen()
    met = decide(condition.test, known, seen)
    asked: list[str] = []
    collect(condition.test, asked, only="attested")
    if met is None:
        word = PERSON if set(seen.missing) & set(asked) else OPEN
        evidence = f"{_LACKING}{'、'.join(map(fact_label, dict.fromkeys(seen.missing)))}"
    else:
        word = MET if met else PERSON if condition.severity == "human" else FAILED
        evidence = _evidence(condition, known, seen)
        confirmed = [name for name in asked if met and known.get(name)]
        if confirmed:
            evidence += f"（由人确认：{'、'.join(map(fact_label, confirmed))}）"
    where = ground(case.version, condition.clause)
    only_warns = condition.severity in ("warn", "info")
    says = f"未见：{condition.says}" if word == MET and not _A_RULE.search(condition.says) else condition.says
    return Verdict(f"{step.mechanism}.{condition.key}", says, word, where, evidence, only_warns)


def _evidence(condition: CompiledCondition, known: dict[str, object], seen: Seen) -> str:
    given = [
        f"{fact(name).label}：{fact(name).show(known[name])}" for name in condition_facts(condition) if name in known
    ]
    return "；".join([*given, *dict.fromkeys(seen.notes)])


def _others(case: Case, step: Step) -> Iterator[Verdict]:
    """A step that is no list of conditions, as one line: its findings where it has any, else what it says."""
    if not step.findings and not step.sentences and not step.unchecked:
        return
    severities = {finding.severity for finding in step.findings}
    said = [finding.message for finding in step.findings] or list(step.sentences)
    word = FAILED if "block" in severities else PERSON if "human" in severities else MET if said else OPEN
    if not said:
        said = [f"未提供，未核对：{_named(step.unchecked)}"]
    shown = [*said[:_MOST_ROWS], *([f"等 {len(said)} 项"] if len(said) > _MOST_ROWS else [])]
    clause = ground(case.version, step.clauses[0]) if step.clauses else None
    only_warns = not severities & {"block", "human"}
    yield Verdict(step.mechanism, step.label, word, clause, "；".join(shown), only_warns)


def _named(labels: Iterable[str]) -> str:
    """The first few of them, and how many there are."""
    found = list(labels)
    more = f" 等 {len(found)} 项" if len(found) > _MOST_NAMED else ""
    return "、".join(found[:_MOST_NAMED]) + more
