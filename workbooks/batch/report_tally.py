"""What a run comes to: counted as its results go by, so that none of them has to be kept."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbooks.batch.results import FileResult
from xlcalc.packs.registry import load_policy
from xlcalc.values.levels import LABELS
from xlcalc.values.money import Money

STATE_LABELS = {"done": "已核算", "refused": "拒绝", "failed": "失败"}
GRANTED = ("face_value", "reduction", "subsidy", "award")
"""The results that are money for the enterprise."""
_BUREAU = re.compile("(?:人民政府|工业和信息化|科技和工业|发展改革|发展和改革|经济和信息化|工信|发改|科工).*$")


def is_change(finding: Mapping[str, Any]) -> bool:
    """Whether it tells of a stored value or a formula that is not what it should be."""
    return "stored" in finding or finding["code"] == "E-FORMULA-CHANGED"


@dataclass
class Group:
    """Some outcomes together: how many, by status and level; the money computed and the money payable, in fen."""

    count: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    levels: Counter[int] = field(default_factory=Counter)
    computed: int = 0
    payable: int = 0

    def add(self, outcome: Mapping[str, Any], computed: int) -> None:
        """Counts one outcome; computed: the money it grants, whatever its status."""
        self.count += 1
        self.statuses[outcome["status"]] += 1
        level = outcome["results"].get("maturity_level")
        if level is not None:
            self.levels[level] += 1
        self.computed += computed
        if outcome["payable"]:
            self.payable += outcome["payable"]["fen"]

    def __add__(self, other: Group) -> Group:
        return Group(
            self.count + other.count, self.statuses + other.statuses, self.levels + other.levels,
            self.computed + other.computed, self.payable + other.payable,
        )  # fmt: skip


@dataclass
class Tally:
    """Counts of files and statuses, and the money; only ``payable`` is ever totalled.

    policies: every outcome, by the label of its policy; counties, industries, levels: those that grant money.
    changed: files that hold another result, parameter or formula than is right; uncalculated:
    files nobody has calculated.
    """

    files: int = 0
    states: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    blocking: int = 0
    payable: int = 0
    changed: int = 0
    uncalculated: int = 0
    policies: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    counties: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    industries: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    levels: defaultdict[str, Group] = field(default_factory=lambda: defaultdict(Group))

    @classmethod
    def of(cls, results: Iterable[FileResult]) -> Tally:
        """The tally of some results."""
        tally = cls()
        for result in results:
            tally.add(result)
        return tally

    def add(self, result: FileResult) -> None:
        """Counts one file."""
        self.files += 1
        self.states[result.state] += 1
        self.blocking += result.blocking
        self.changed += any(map(is_change, result.findings))
        self.uncalculated += any(finding["code"] == "E-NOT-CALCULATED" for finding in result.findings)
        folder = f"文件夹：{Path(result.path).parent.name or '（无）'}"
        for outcome in result.brief:
            self._count(outcome, folder)

    def _count(self, outcome: Mapping[str, Any], folder: str) -> None:
        self.outcomes[outcome["status"]] += 1
        if outcome["payable"]:
            self.payable += outcome["payable"]["fen"]
        results = outcome["results"]
        granted = [results[key]["fen"] for key in GRANTED if results.get(key)]
        computed = sum(granted)
        self.policies[load_policy(outcome["policy"]).label].add(outcome, computed)
        if granted:
            level = results.get("maturity_level")
            county = _BUREAU.sub("", outcome.get("county") or "").strip()
            self.counties[county or folder].add(outcome, computed)
            self.industries[outcome.get("industry") or "未写明"].add(outcome, computed)
            self.levels["未得出或不涉及" if level is None else LABELS[level]].add(outcome, computed)

    @property
    def all_well(self) -> bool:
        """Whether nobody has to do anything about any file."""
        return self.states["done"] == self.files and not self.blocking

    def as_dict(self) -> dict[str, Any]:
        """The totals as in ``xlcalc.run/1``."""
        return {
            "files": self.files,
            **{state: self.states[state] for state in STATE_LABELS},
            "outcomes": dict(sorted(self.outcomes.items())),
            "blocking_files": self.blocking,
            "payable": Money(self.payable).as_dict(),
        }
