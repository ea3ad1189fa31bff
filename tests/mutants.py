"""Small changes to a policy version, each of which some case must notice."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

SHARES = {"weight", "share", "rate", "upto", "tolerance", "threshold"}
FLAGS = {"mandatory", "multi", "exclusive", "applies", "dated", "required", "once", "stack", "sealed", "counted"}
COUNTS = {
    "score", "scenes", "mandatory", "lowest", "level", "value", "at_most", "at_least", "at", "copies", "employees",
    "months", "years", "days", "from_level",
}  # fmt: skip
SWAPS = {
    "is_true": "is_false", "is_false": "is_true", "attested": "is_false", "at_least": "at_most",
    "at_most": "at_least", "all_of": "any_of", "any_of": "all_of", "none_of": "any_of", "each_row": "any_row",
    "any_row": "each_row", "measured_at_least": "measured_at_most", "measured_at_most": "measured_at_least",
    "measured_same": "measured_not_above", "measured_not_above": "measured_same", "sum_is": "sum_within",
    "sum_within": "sum_is", "not_above": "same",
}  # fmt: skip
OTHER = {
    "literal": "max_of_lower_levels", "sum_over_sum": "mean_of_ratios", "block": "warn", "warn": "block",
    "info": "warn", "human": "block", "word": "chars_no_space", "chars_no_space": "cjk_only", "cjk_only": "word",
    "uscc": "phone", "phone": "uscc", "industry_code": "uscc", "C": "D",
    **dict.fromkeys(("document_number", "registration", "postal_code", "web_address", "mail_address"), "industry_code"),
    "day": "month", "month": "day", "rolling": "calendar", "calendar": "rolling", "linked": "total", "total": "linked",
    "included": "excluded", "excluded": "included", "same_payee": "contract_only", "contract_only": "same_payee",
    "person": "excluded", "declared": "recognised", "recognised": "declared",
}  # fmt: skip
ROWS = ("conditions", "items", "limits", "ratios", "indicators", "directions", "exclusions")
"""The lists of a mechanism whose rows each carry a clause and the code of their finding."""
MEASURES = ("among", "distinct", "where", "where_any", "unlike", "form", "days", "last_year", "total")

DECIDING = ("notch", "mode", "severity", "basis", "tax", "account", "others", "what")
"""The fields whose value names one of a few readings."""
RULED = ("cost_recognition", "assessment_checks")
"""The kinds that are made of named rules."""
NEVER_ALONE = (
    "given",
    "period",
    "minimum",
    "duplicates",
    "red_letters",
    "deployed",
    "collected",
    "covered",
    "indexed",
    "reviewed",
)
"""The rules without which there is no such mechanism."""

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """``what`` says in one line what was changed where; ``feature``: the code of the finding it is about, if any."""

    what: str
    data: dict[str, Any]
    feature: str = ""


def mutants(data: Mapping[str, Any]) -> Iterator[Mutant]:
    for place, value in _leaves(data["mechanism"], ("mechanism",)):
        for other in nudged(str(place[-1]), value):
            yield _changed(data, place, lambda _, other=other: other, f"{value!r} -> {other!r}")
    yield from _conditions(data)
    yield from _lists(data)
    yield from _rules(data)
    yield from _interpretations(data)
    # A version without a date is in force on every day, whatever day it is named by.
    for end in ("first", "last") if data["dated"] else ():
        for other in _days(data.get(end)):
            yield _changed(data, (end,), lambda _, other=other: other, f"{data[end]} -> {other}")
    yield _changed(data, ("dated",), lambda flag: not flag, "flipped")


def nudged(key: str, value: Any) -> list[Any]:
    """The neighbours of a value that decides a result; none for labels and references."""
    if key in SHARES or (key == "value" and isinstance(value, str) and value.endswith("%")):
        return _shares(value)
    if isinstance(value, bool):
        return [not value] if key in FLAGS else []
    if isinstance(value, int):
        return [value - 1, value + 1] if key in COUNTS else []
    if key in ("first", "last", "since"):
        return _days(value)
    if isinstance(value, str) and value in OTHER and key in DECIDING:
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
        if "when" in row:
            yield _changed(data, ("mechanism", at, "when"), None, "always asked")
            yield from _tests(data, ("mechanism", at, "when"), row["when"])
        if "most" in row:
            yield from _cited(data, ("mechanism", at, "most"), row["most"], articles)
        for name in ROWS:
            for n, ruled in enumerate(row.get(name, ())):
                if not {"feature", "features"} & set(ruled):
                    continue
                place: Place = ("mechanism", at, name, n)
                yield _changed(data, place, None, "dropped")
                yield from _cited(data, place, ruled, articles)
                for test in ("test", "when"):
                    if test in ruled:
                        yield from _tests(data, (*place, test), ruled[test])
                yield from _measures(data, place, ruled)
                for m in range(len(ruled.get("any", ())) if len(ruled.get("any", ())) > 1 else 0):
                    yield _changed(data, (*place, "any", m), None, "reading dropped")
                for part in ("minus", "over", "against"):
                    if part in ruled:
                        yield _changed(data, (*place, part), None, "dropped")


def _cited(
    data: Mapping[str, Any], place: Place, ruled: Mapping[str, Any], articles: Mapping[str, str]
) -> Iterator[Mutant]:
    other = next(key for key, article in articles.items() if article != articles[ruled["clause"]])
    yield _changed(data, (*place, "clause"), lambda _: other, f"cited as {other}")
    # A figure that is only shown has no finding.
    if place[-2] not in ("indicators", "ratios") or "threshold" in ruled:
        yield _changed(data, (*place, "feature"), lambda _: "X", "another feature")


def _measures(data: Mapping[str, Any], place: Place, value: Any) -> Iterator[Mutant]:
    """What narrows a measure, wherever in a row it stands, left out."""
    if isinstance(value, dict):
        for name in MEASURES if "table" in value or "among" in value else ():
            if name in value:
                yield _changed(data, (*place, name), None, "dropped")
        for name in ("where", "where_any"):
            for column, wanted in value.get(name, {}).items() if "table" in value else ():
                for n in range(len(wanted)):
                    yield _changed(data, (*place, name, column, n), None, "dropped")
                if len(value[name]) > 1:
                    yield _changed(data, (*place, name, column), None, "dropped")
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in children:
        yield from _measures(data, (*place, key), item)


def _tests(data: Mapping[str, Any], place: Place, test: Mapping[str, Any]) -> Iterator[Mutant]:
    ((kind, body),) = test.items()
    if kind in SWAPS:
        yield _changed(data, place, lambda _: {SWAPS[kind]: body}, f"{kind} -> {SWAPS[kind]}")
    if kind in ("all_of", "any_of", "none_of"):
        for n, part in enumerate(body):
            yield _changed(data, (*place, kind, n), None, f"branch {n} of {kind} dropped")
            yield from _tests(data, (*place, kind, n), part)
    elif kind in ("each_row", "any_row"):
        yield from _tests(data, (*place, kind, "test"), body["test"])
    elif kind == "between_dates":
        for end in ("first", "last", "first_fact", "last_fact"):
            if body.get(end):
                yield _changed(data, (*place, kind, end), None, f"{end} dropped")
    elif kind == "one_of":
        for n, code in enumerate(body["values"]):
            yield _changed(data, (*place, kind, "values", n), None, f"{code} dropped")
    elif kind == "text":
        for name in ("begins", "contains"):
            for n, word in enumerate(body.get(name, ())):
                yield _changed(data, (*place, kind, name, n), None, f"{word} dropped")
        for name in {"form", "section"} & set(body):
            yield _changed(data, (*place, kind, name), lambda value: OTHER[value], f"another {name}")


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


def _rules(data: Mapping[str, Any]) -> Iterator[Mutant]:
    """Each named rule: left out, cited otherwise, or with one thing less in its lists."""
    articles = {row["key"]: row["article"] for row in data["clause"]}
    for at, row in enumerate(data["mechanism"]):
        for name, rule in row.items() if row["kind"] in RULED else ():
            place: Place = ("mechanism", at, name)
            if isinstance(rule, dict) and name not in NEVER_ALONE:
                yield _changed(data, place, None, "rule dropped")
            for inner, value in _leaves(rule, place):
                if inner[-1] == "clause" or str(inner[-1]).endswith("_clause"):
                    other = next(key for key, article in articles.items() if article != articles[value])
                    yield _changed(data, inner, lambda _, other=other: other, f"cited as {other}")
                elif str(inner[-1]).endswith("feature"):
                    yield _changed(data, inner, lambda _: "X", "another feature")
                elif isinstance(inner[-1], int):
                    yield _changed(data, inner, None, f"{value} dropped")
            for n, _ in enumerate(rule if isinstance(rule, list) else ()):
                yield _changed(data, (*place, n), None, "dropped")


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
                for m, item in enumerate(value if isinstance(value, list) else ()):
                    yield _changed(data, (*where, m), None, f"{item} dropped")
                if isinstance(value, dict | list):
                    yield from _measures(data, where, value)
                    for inner, item in _leaves(value, where):
                        for other in nudged(str(inner[-1]), item):
                            yield _changed(data, inner, lambda _, other=other: other, f"{item!r} -> {other!r}")


def _changed(data: Mapping[str, Any], place: Place, change: Callable[[Any], Any] | None, note: str) -> Mutant:
    *steps, last = place
    # Only what lies on the way is copied; the rest is shared with the version and never changed.
    mutated: Any = copy.copy(dict(data))
    here, feature = mutated, ""
    for step in steps:
        here[step] = copy.copy(here[step])
        here = here[step]
        feature = here.get("feature", feature) if isinstance(here, dict) else feature
    if change is None:
        del here[last]
    else:
        here[last] = change(here[last])
    return Mutant(f"{_named(data, place)}: {note}", mutated, feature)


def _named(data: Mapping[str, Any], place: Place) -> str:
    here: Any = data
    words = []
    for step in place:
        here = here[step]
        name = here.get("key", here.get("id", here.get("code", step))) if isinstance(here, dict) else step
        words.append(str(name))
    return ".".join(words)
