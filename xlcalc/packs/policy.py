"""A policy ready for use: its versions, what they leave open, and their mechanisms under given choices."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from xlcalc.errors import PackError, PolicyError
from xlcalc.mechanisms.base import Clause, Mechanism, mechanism_module
from xlcalc.mechanisms.conditions import compile_test

Choices = Mapping[str, str]
"""Interpretation id -> option code."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What a document leaves open, and the readings on offer; code -> label in ``options``."""

    id: str
    kind: str
    question: str
    reason: str
    confirmed_by: str
    default: str | None
    fact: str | None
    options: Mapping[str, str]
    changes: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Version:
    """One version of a policy as plain data, inheritance already resolved."""

    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The version's name, the day from which it applies."""
        return str(self.data["id"])

    @cached_property
    def first(self) -> date:
        """First day in force."""
        return date.fromisoformat(self.data["first"])

    @cached_property
    def last(self) -> date | None:
        """Last day in force, None while open."""
        return date.fromisoformat(self.data["last"]) if self.data.get("last") else None

    @property
    def dated(self) -> bool:
        """False where the document carries no date, so that no day is outside it."""
        return bool(self.data["dated"])

    @cached_property
    def hash(self) -> str:
        """SHA-256 over everything the version says: two equal hashes compute the same results."""
        text = json.dumps(self.data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def clauses(self) -> Mapping[str, Clause]:
        """Clauses by key."""
        titles = {row["key"]: row["title"] for row in self.data["document"]}
        return {
            row["key"]: Clause(row["key"], row["article"], row["quote"], titles[row["document"]], row["basis"])
            for row in self.data["clause"]
        }

    @cached_property
    def interpretations(self) -> Mapping[str, Interpretation]:
        """Interpretations by id."""
        return {
            row["id"]: Interpretation(
                row["id"], row["kind"], row["question"], row["reason"], row["confirmed_by"], row.get("default"),
                row.get("fact"), {option["code"]: option["label"] for option in row["option"]},
                {option["code"]: option["set"] for option in row["option"]},
            )
            for row in self.data["interpretation"]
        }  # fmt: skip

    def in_force(self, on: date) -> bool:
        """Whether the version applies on a day."""
        return not self.dated or (self.first <= on and (self.last is None or on <= self.last))

    def full_choices(self, choices: Choices) -> dict[str, str]:
        """The given choices completed with the defaults; raises PolicyError ``E-CHOICE`` for unknown ones."""
        full = {
            key: item.default for key, item in self.interpretations.items() if item.kind == "choice" and item.default
        }
        for key, code in choices.items():
            item = self.interpretations.get(key)
            if item is None or item.kind != "choice":
                known = "、".join(full) or "无"
                raise PolicyError("E-CHOICE", f"本政策没有可选口径 {key}", where=key, remedy=f"可选口径：{known}")
            if code not in item.options:
                raise PolicyError(
                    "E-CHOICE", f"口径 {key} 没有选项“{code}”", where=key, remedy=f"可选：{'、'.join(item.options)}"
                )
            full[key] = code
        return full

    def own_choices(self, choices: Choices) -> dict[str, str]:
        """Those of several policies' choices that are this version's."""
        return {key: code for key, code in choices.items() if key in self.interpretations}

    def stated(self, choices: Choices) -> list[dict[str, Any]]:
        """What the pack says of each mechanism under complete choices, as data."""
        rows: list[dict[str, Any]] = copy.deepcopy(self.data["mechanism"])
        for key, code in sorted(choices.items()):
            for path, value in self.interpretations[key].changes[code].items():
                override(rows, path, copy.deepcopy(value))
        return rows

    def mechanisms(self, choices: Choices) -> tuple[Mechanism, ...]:
        """The compiled mechanisms under complete choices; compiled once per process."""
        return _compiled(self, tuple(sorted(choices.items())))

    def guards(self, choices: Choices) -> Mapping[str, Mapping[str, Any]]:
        """For each mechanism that does not always apply, the test that says when it does, under complete choices."""
        return _guards(self, tuple(sorted(choices.items())))

    def mechanism(self, kind: str, choices: Choices | None = None) -> Any:
        """The one mechanism of a kind, under the defaults unless told otherwise."""
        wanted = mechanism_module(kind)
        rows = [row["key"] for row in self.data["mechanism"] if row["kind"] == kind]
        found = [item for item in self.mechanisms(self.full_choices(choices or {})) if item.key in rows]
        if not found:
            raise PolicyError(
                "E-MECHANISM", f"版本 {self.id} 中没有 {wanted.KIND}", remedy="请用 xlcalc facts 查看本政策的内容"
            )
        return found[0]

    def flips(self, choices: Choices) -> tuple[Flip, ...]:
        """Every other option of one choice by itself, complete choices given, under which some mechanism differs."""
        return _flips(self, tuple(sorted(choices.items())))

    def __hash__(self) -> int:
        return hash(self.hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and other.hash == self.hash


class Flip(NamedTuple):
    """One choice taken otherwise: what is then computed by, and the place of the first mechanism that differs."""

    key: str
    code: str
    mechanisms: tuple[Mechanism, ...]
    guards: Mapping[str, Mapping[str, Any]]
    first: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy and its versions, oldest first."""

    id: str
    label: str
    issuer: str
    checked_on: date
    versions: tuple[Version, ...]

    @property
    def newest(self) -> Version:
        """The version used when no application date is known."""
        return self.versions[-1]

    def version(self, version_id: str) -> Version:
        """A version by name; raises PolicyError ``E-VERSION`` when it is not held."""
        for version in self.versions:
            if version.id == version_id:
                return version
        held = "、".join(version.id for version in self.versions)
        raise PolicyError(
            "E-VERSION", f"没有政策 {self.id} 的版本 {version_id}", where=self.id, remedy=f"现有版本：{held}"
        )

    def on(self, day: date) -> tuple[Version, bool]:
        """The version for an application date and whether it is in force that day."""
        for version in reversed(self.versions):
            if version.in_force(day):
                return version, True
        earlier = [version for version in self.versions if version.first <= day]
        return (earlier[-1] if earlier else self.versions[0]), False


@lru_cache(maxsize=256)
def _compiled(version: Version, choices: tuple[tuple[str, str], ...]) -> tuple[Mechanism, ...]:
    return tuple(_mechanism(row["kind"], _text(row)) for row in version.stated(dict(choices)))


@lru_cache(maxsize=256)
def _guards(version: Version, choices: tuple[tuple[str, str], ...]) -> Mapping[str, Mapping[str, Any]]:
    rows = version.stated(dict(choices))
    return {row["key"]: _guard(_text(row["when"]), f"{row['key']}.when") for row in rows if "when" in row}


@lru_cache(maxsize=256)
def _flips(version: Version, choices: tuple[tuple[str, str], ...]) -> tuple[Flip, ...]:
    mechanisms, guards = _compiled(version, choices), _guards(version, choices)
    found = []
    for key, code in choices:
        for other in version.interpretations[key].options:
            flipped = tuple(sorted({**dict(choices), key: other}.items())) if other != code else choices
            its, own = _compiled(version, flipped), _guards(version, flipped)
            differing = [
                place
                for place, (one, two) in enumerate(zip(mechanisms, its, strict=True))
                if one is not two or guards.get(one.key) is not own.get(two.key)
            ]
            if differing:
                found.append(Flip(key, other, its, own, differing[0]))
    return tuple(found)


# What a pack states in the same words is compiled once: choices that leave a mechanism alone share it.
@lru_cache(maxsize=4096)
def _mechanism(kind: str, stated: str) -> Mechanism:
    found: Mechanism = mechanism_module(kind).compile_data(json.loads(stated))
    return found


@lru_cache(maxsize=4096)
def _guard(stated: str, where: str) -> Mapping[str, Any]:
    return compile_test(json.loads(stated), where)


def _text(stated: Any) -> str:
    return json.dumps(stated, ensure_ascii=False)


def locate(rows: Any, steps: Sequence[str]) -> Any:
    """What stands in pack data at a path, rows being named by their key or level; None where nothing does."""
    here = rows
    for step in steps:
        if isinstance(here, list):
            here = next((row for row in here if str(row.get("key", row.get("level"))) == step), None)
        else:
            here = here.get(step) if isinstance(here, dict) else None
    return here


def override(rows: list[dict[str, Any]], path: str, value: Any) -> None:
    """Replaces the value at ``mechanism.list.key.field``; raises PackError ``E-PACK-PATH`` if it is not there."""
    *steps, last = path.split(".")
    here = locate(rows, steps)
    if not isinstance(here, dict) or last not in here:
        raise PackError("E-PACK-PATH", f"口径要改的位置不存在：{path}", where=path, remedy="请核对 set 中的路径")
    here[last] = value
