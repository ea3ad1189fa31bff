"""What a document cites: clauses in the pack's words, steps of the procedure, and under which pack it was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workbooks.documents.cases import Case
from xlcalc.errors import InputError
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.results.outcome import Finding
from xlcalc.values.text import squeeze

LONGEST_QUOTE = 120
"""A longer clause is cited by its number alone; the reader has the document."""


@dataclass(frozen=True)
class Ground:
    """A clause: the document, its article as numbered there, and its words where they are known and short."""

    title: str
    article: str
    quote: str = ""

    def __str__(self) -> str:
        words = f"：“{self.quote}”" if self.quote else ""
        return f"{self.article}{words}"

    @property
    def cited(self) -> str:
        """The clause with its document."""
        return f"{in_brackets(self.title)}{self.article}" if self.title else self.article


def in_brackets(title: str) -> str:
    """A document's title in 《》, once."""
    return title if title.startswith("《") else f"《{title.replace('《', '〈').replace('》', '〉')}》"


def ground(version: Version, clause: str) -> Ground:
    """The clause of this key."""
    found = version.clauses[clause]
    quote = " ".join(found.quote.split())
    return Ground(found.document, found.article, quote if len(quote) <= LONGEST_QUOTE else "")


def ground_of(case: Case, finding: Finding) -> Ground | None:
    """What a finding rests on: its article, and the words where one clause alone says it; None without a clause."""
    if not finding.clause:
        return None
    version = case.version
    candidates = [key for key, clause in version.clauses.items() if clause.article == finding.clause]
    stated = {clause for code, clause in _stated(version, tuple(sorted(case.choices.items()))) if code == finding.code}
    featured = {row["key"] for row in version.data["clause"] if finding.code in row["features"]}
    for narrowed in (stated, featured, set(candidates)):
        keys = [key for key in candidates if key in narrowed]
        if len({version.clauses[key].quote for key in keys}) == 1:
            return ground(version, keys[0])
    titles = {version.clauses[key].document for key in candidates}
    return Ground(titles.pop() if len(titles) == 1 else "", finding.clause)


@lru_cache(maxsize=64)
def _stated(version: Version, choices: tuple[tuple[str, str], ...]) -> frozenset[tuple[str, str]]:
    """(code of a finding, clause) for every rule of the pack."""
    return frozenset(_pairs(version.stated(dict(choices))))


def _pairs(data: Any) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict):
        if "feature" in data and "clause" in data:
            yield data["feature"], data["clause"]
        for value in data.values():
            yield from _pairs(value)
    elif isinstance(data, list):
        for row in data:
            yield from _pairs(row)


@dataclass(frozen=True)
class Step:
    """A step of the procedure and the clause that provides for it. by: who takes it, "" where nobody is named."""

    label: str
    source: str
    target: str
    by: str
    ground: Ground


def steps_into(version: Version, word: str, *, but_not: str = "不予") -> list[Step]:
    """The steps whose target is a state of this name, such as 公示 or 收回; none where the document knows no such."""
    labels = {row["key"]: row["label"] for row in version.data["state"]}
    roles = {row["key"]: row["label"] for row in version.data["role"]}
    return [
        Step(row["label"], labels[row["source"]], labels[row["target"]], roles.get(row["by"] or "", ""),
             ground(version, row["clause"]))
        for row in version.data["transition"]
        if word in labels[row["target"]] and but_not not in labels[row["target"]]
    ]  # fmt: skip


def needed_step(version: Version, policy: str, word: str, what: str) -> Step:
    """The first step into a state; raises InputError ``E-DOCUMENT-STEP`` where the document has none."""
    steps = steps_into(version, word)
    if not steps:
        label = load_policy(policy).label
        raise InputError(
            "E-DOCUMENT-STEP", f"“{label}”的文件没有“{word}”环节，不能据此出具{what}",
            where=policy, remedy="请核对政策；确需出具的，请由主管部门另行行文",
        )  # fmt: skip
    return steps[0]


def reviewers(version: Version) -> list[str]:
    """Who may return or refuse an application, and therefore signs an opinion, in the order of the procedure."""
    roles = {row["key"]: row["label"] for row in version.data["role"]}
    deciding = [row["by"] for row in version.data["transition"] if row["reason_required"] and row["by"]]
    return [roles[key] for key in dict.fromkeys(deciding)]


def policy_label(policy: str) -> str:
    """What a policy is called."""
    return load_policy(policy).label


def issuer(policy: str) -> str:
    """Who issued the policy."""
    return load_policy(policy).issuer


def documents_of(version: Version) -> list[str]:
    """The titles of the official documents behind a version."""
    return [in_brackets(row["title"]) for row in version.data["document"]]


def identity_lines(cases: Iterable[Case]) -> list[str]:
    """Under which packs, readings and library a document was computed, one line a policy version."""
    lines: dict[str, None] = {}
    for case in cases:
        changed = [f"{choice.id} 按“{choice.label}”" for choice in case.outcome.choices if not choice.default]
        readings = f"；口径 {'，'.join(changed)}" if changed else ""
        outcome = case.outcome
        lines[
            f"核算依据：{outcome.policy_label}，版本 {outcome.version}，政策包 {outcome.pack_hash[:12]}{readings}；"
            f"xlcalc {outcome.library}"
        ] = None
    return list(lines)


def remedy_of(message: str) -> tuple[str, str]:
    """A message split into what is wrong and what to do; "" where it does not say.

    >>> remedy_of("代码不是18位。请核对营业执照"), remedy_of("须在本市注册登记")
    (('代码不是18位', '请核对营业执照'), ('须在本市注册登记', ''))
    """
    head, mark, tail = message.rpartition("。请")
    if not mark:
        head, mark, tail = message.rpartition("；请")
    return (head, f"请{tail}".rstrip("。")) if mark and squeeze(tail) else (message.rstrip("。"), "")
