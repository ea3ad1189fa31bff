"""What a policy's versions say differently, for those who applied under both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from xlcalc.mechanisms.checklist import Checklist
from xlcalc.mechanisms.condition_words import describe
from xlcalc.mechanisms.eligibility import Eligibility
from xlcalc.mechanisms.flat_award import FlatAward
from xlcalc.mechanisms.indicators import Indicators
from xlcalc.mechanisms.ratio_threshold import RatioThreshold
from xlcalc.mechanisms.selection import Selection
from xlcalc.mechanisms.word_limits import WordLimits
from xlcalc.packs.policy import Policy, Version
from xlcalc.results.explain import SEVERITY_LABELS
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze

Change = Literal["dropped", "added", "changed"]

_NUMBER = re.compile(r"^-?(\(?[一二三四五六七八九十]+[)、]|\d+\.)")

_Row = tuple[str, str, tuple[str, ...]]
"""(what it is called, its words, the clauses' stable IDs)."""
_Rows = dict[tuple[str, str], _Row]
"""(part, key) -> row, in the order in which the version says them."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was dropped, added or changed. part: what kind of thing (条款, 条件, 材料 …).

    before, after: its words in either version, None where it does not say it.
    """

    change: Change
    part: str
    key: str
    label: str
    before: str | None
    after: str | None
    features: tuple[str, ...]

    @property
    def text(self) -> str:
        """The difference as a sentence."""
        named = f"{self.part}“{self.label}”" if self.label else self.part
        if self.change == "changed":
            return f"{named}由“{self.before}”改为“{self.after}”"
        return f"删去{named}：{self.before}" if self.change == "dropped" else f"新增{named}：{self.after}"


def version_differences(policy: Policy, before: str, after: str) -> tuple[Difference, ...]:
    """What the version ``after`` drops, adds or changes against ``before``, under the defaults of each.

    Things are the same thing where the pack gives them the same key. Width of signs, blanks and the number a clause
    begins with make no difference; a clause that moved is named as 条号.
    Raises PolicyError ``E-VERSION`` for a version that is not held.
    """
    old, new = (_rows(policy.version(name)) for name in (before, after))
    found = []
    for place in dict.fromkeys([*old, *new]):
        change: Change = "dropped" if place not in new else "added" if place not in old else "changed"
        was, now = old.get(place), new.get(place)
        if was and now and _bare(was[1], place[0]) == _bare(now[1], place[0]):
            continue
        label, _, features = now or was or ("", "", ())
        found.append(Difference(change, *place, label, was and was[1], now and now[1], features))
    renumbered = {key for part, key in old if part == "条款" and (part, key) in new}
    return tuple(row for row in found if row.part != "条号" or row.key in renumbered)


def _bare(words: str, part: str) -> str:
    """Words as they are compared; those of a clause without its own number."""
    return _NUMBER.sub("", squeeze(words)) if part == "条款" else squeeze(words)


def _rows(version: Version) -> _Rows:
    return {(part, key): row for part, key, *row in _said(version)}  # type: ignore[misc]


def _said(version: Version) -> Iterator[tuple[str, str, str, str, tuple[str, ...]]]:
    """(part, key, label, words, features) for everything a version says."""
    last = f"至{chinese_date(version.last)}" if version.last else "起"
    yield "有效期", "period", "", f"{chinese_date(version.first)}{last}", ()
    for row in version.data["clause"]:
        yield "条号", row["key"], f"{_bare(row['quote'], '条款')[:16]}…", row["article"], tuple(row["features"])
    for row in version.data["clause"]:
        yield "条款", row["key"], row["article"], row["quote"], tuple(row["features"])
    data = {row["key"]: row for row in version.data["mechanism"]}
    for mechanism in version.mechanisms(version.full_choices({})):
        yield from _computed(mechanism, data[mechanism.key])
    for row in version.data["interpretation"]:
        chosen = next((option["label"] for option in row["option"] if option["code"] == row["default"]), row["reason"])
        yield "口径", row["id"], row["id"], f"{row['question']}：{chosen}", ()
    for row in version.data["form"]:
        columns = "、".join(column["label"] for column in row["column"])
        yield "表格", row["key"], row["title"], columns, tuple(row["features"])
    for row in version.data["lookup"]:
        for entry in row["entry"]:
            words = f"{entry['label']}{entry['words']}{entry['gap']}"
            yield "清单", f"{row['key']}.{entry['key']}", row["title"], words, tuple(row["features"])
    for row in version.data["transition"]:
        yield "流程", row["key"], "", row["label"], tuple(row["features"])


def _computed(mechanism: Any, data: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, tuple[str, ...]]]:
    """What a mechanism demands or pays, row by row; one that has no rows is compared as a whole."""
    at = mechanism.key
    if isinstance(mechanism, Eligibility):
        for row in mechanism.conditions:
            words = f"{row.says}〔{describe(row.test)}；{SEVERITY_LABELS[row.severity]}〕"
            yield "条件", f"{at}.{row.key}", "", words, (row.feature,)
    elif isinstance(mechanism, Checklist):
        for item in mechanism.items:
            yield "材料", f"{at}.{item.key}", "", item.demand, (item.feature,)
    elif isinstance(mechanism, WordLimits):
        for limit in mechanism.limits:
            yield "字数", f"{at}.{limit.key}", limit.label, limit.demand(), (limit.feature,)
    elif isinstance(mechanism, RatioThreshold):
        for ratio in mechanism.ratios:
            words = f"不低于 {ratio.threshold}" if ratio.threshold else "只列出"
            yield "比率", f"{at}.{ratio.key}", ratio.label, words, (ratio.feature,)
    elif isinstance(mechanism, Indicators):
        for figure in mechanism.indicators:
            yield "指标", f"{at}.{figure.key}", "", f"{figure.label}（{figure.unit}）", ()
    elif isinstance(mechanism, Selection):
        for direction in mechanism.directions:
            amount = str(Money(direction.amount))
            yield "奖补", f"{at}.{direction.code}", direction.label, amount, (direction.feature,)
        for exclusion in mechanism.exclusions:
            names = "、".join(mechanism.by.options[code][0] for code in exclusion["codes"])
            yield "限报", f"{at}.{exclusion['key']}", "", f"{names}只能报一项", (exclusion["feature"],)
        yield "限报", f"{at}.most", "", f"最多 {mechanism.most['at_most']} 项", (mechanism.most["feature"],)
    elif isinstance(mechanism, FlatAward):
        for award in mechanism.awards:
            yield "奖补", f"{at}.{award.code or award.label}", award.label, str(Money(award.amount)), ()
    else:
        yield "计算", at, mechanism.label, json.dumps(data, ensure_ascii=False, sort_keys=True), ()
