"""Small changes to a policy version, each of which some case must notice."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

SHARES = {"weight", "share", "rate", "upto", "tolerance"}
FLAGS = {"mandatory", "multi", "exclusive", "applies", "dated"}
COUNTS = {"score", "scenes", "mandatory", "lowest", "level", "value"}
SWAPS = {
    "is_true": "is_false", "is_false": "is_true", "attested": "is_false", "at_least": "at_most",
    "at_most": "at_least", "all_of": "any_of", "any_of": "all_of", "none_of": "any_of",
}  # fmt: skip
OTHER = {"literal": "max_of_lower_levels", "sum_over_sum": "mean_of_ratios", "block": "warn", "warn": "block"}

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """``what`` says in one line what was changed where."""

    what: str
    data: dict[str, Any]


def mutants(data: Mapping[str, Any]) -> Iterator[Mutant]:
    for place, value in _leaves(data["mechanism"], ("mechanism",)):
        for other in nudged(str(place[-1]), value):
            yield _changed(data, place, lambda _, other=other: other, f"{value!r} -> {other!r}")
    yield from _conditions(data)
    yield from _lists(data)
    yield from _interpretations(data)
    # A version without a date is in force on every day, whatever day it is named by.
    for end in ("first", "last") if data["dated"] else ():
        for other in _days(data.get(end)):
            yield _changed(data, (end,), lambda _, other=other: other, f"{data[end]} -> {other}")
    yield _changed(data, ("dated",), lambda flag: not flag, "flipped")


def nudged(key: str, value: Any) -> list[Any]:
    """The neighbours of a value that decides a result; none for labels and references."""
    if key in SHARES:
        return _shares(value)
    if isinstance(value, bool):
        return [not value] if key in FLAGS else []
    if isinstance(value, int):
        return [value - 1, value + 1] if key in COUNTS else []
    if key in ("first", "last"):
        return _days(value)
    if isinstance(value, str) and value in OTHER and key in ("notch", "mode", "severity"):
        return [OTHER[value]]
    return _amounts(value) if isinstance(value, str) else []


def _shares(value: str) -> list[str]:
    if value.endswith("%"):
        number = Decimal(value[:-1])
        return [f"{other}%" for other in (number - 1, number + 1) if 0 <= other <= 100]
    up, down = value.split("/")
    return [f"{up}/{int(down) - 1}", f"{up}/{int(down) + 1}"]


def _amounts(value: str) -> list[str]:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(万?)元", value)
    if match is None:
        return []
    yuan = Decimal(match[1]) * (10000 if match[2] else 1)
    return [f"{other}元" for other in (yuan - Decimal("0.01"), yuan + Decimal("0.01")) if other >= 0]


def _days(value: str | None) -> list[str]:
    if value is None:
        return []
    day = date.fromisoformat(value)
    return [(day - timedelta(1)).isoformat(), (day + timedelta(1)).isoformat()]


def _leaves(value: Any, place: Place) -> Iterator[tuple[Place, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*place, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _leaves(item, (*place, at))
    else:
        yield place, value


def _conditions(data: Mapping[str, Any]) -> Iterator[Mutant]:
    articles = {row["key"]: row["article"] for row in data["clause"]}
    for at, row in enumerate(data["mechanism"]):
        for n, condition in enumerate(row.get("conditions", ())):
            place: Place = ("mechanism", at, "conditions", n)
            yield _changed(data, place, None, f"condition {condition['key']} dropped")
            cited = articles[condition["clause"]]
            other = next(key for key, article in articles.items() if article != cited)
            yield _changed(data, (*place, "clause"), lambda _, other=other: other, f"cited as {other}")
            yield _changed(data, (*place, "feature"), lambda _: "X", "another feature")
            yield from _tests(data, (*place, "test"), condition["test"])


def _tests(data: Mapping[str, Any], place: Place, test: Mapping[str, Any]) -> Iterator[Mutant]:
    ((kind, body),) = test.items()
    if kind in SWAPS:
        yield _changed(data, place, lambda _: {SWAPS[kind]: body}, f"{kind} -> {SWAPS[kind]}")
    if isinstance(body, list):
        for n, part in enumerate(body):
            yield _changed(data, (*place, kind, n), None, f"branch {n} of {kind} dropped")
            yield from _tests(data, (*place, kind, n), part)
    elif kind == "between_dates":
        for end in ("first", "last", "first_fact", "last_fact"):
            if body.get(end):
                yield _changed(data, (*place, kind, end), None, f"{end} dropped")
    elif kind == "one_of":
        for n, code in enumerate(body["values"]):
            yield _changed(data, (*place, kind, "values", n), None, f"{code} dropped")


def _lists(data: Mapping[str, Any]) -> Iterator[Mutant]:
    for at, row in enumerate(data["mechanism"]):
        for n, name in enumerate(row.get("cap", {}).get("counts", ())):
            yield _changed(data, ("mechanism", at, "cap", "counts", n), None, f"{name} no longer counts")
        for name in ("scenes", "levels", "tiers", "faces"):
            for n, _ in enumerate(row.get(name, ())):
                yield _changed(data, ("mechanism", at, name, n), None, "dropped")
        for n, question in enumerate(row.get("questions", ())):
            place: Place = ("mechanism", at, "questions", n)
            yield _changed(data, place, None, f"{question['key']} dropped")
            for m, option in enumerate(question["options"]):
                yield _changed(data, (*place, "options", m), None, f"{question['key']}.{option['key']} dropped")


def _interpretations(data: Mapping[str, Any]) -> Iterator[Mutant]:
    for at, row in enumerate(data["interpretation"]):
        place: Place = ("interpretation", at)
        for n, option in enumerate(row["option"]):
            if option["code"] != row["default"]:
                code = option["code"]
                yield _changed(data, (*place, "default"), lambda _, code=code: code, f"{row['id']} default {code}")
            for path, value in option["set"].items():
                where: Place = (*place, "option", n, "set", path)
                yield _changed(data, where, None, "no longer set")
                for other in nudged(path.rpartition(".")[2], value):
                    yield _changed(data, where, lambda _, other=other: other, f"{value!r} -> {other!r}")


def _changed(data: Mapping[str, Any], place: Place, change: Callable[[Any], Any] | None, note: str) -> Mutant:
    *steps, last = place
    # Only what lies on the way is copied; the rest is shared with the version and never changed.
    mutated: Any = copy.copy(dict(data))
    here = mutated
    for step in steps:
        here[step] = copy.copy(here[step])
        here = here[step]
    if change is None:
        del here[last]
    else:
        here[last] = change(here[last])
    return Mutant(f"{_named(data, place)}: {note}", mutated)


def _named(data: Mapping[str, Any], place: Place) -> str:
    here: Any = data
    words = []
    for step in place:
        here = here[step]
        name = here.get("key", here.get("id", here.get("code", step))) if isinstance(here, dict) else step
        words.append(str(name))
    return ".".join(words)
