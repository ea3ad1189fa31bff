"""The language of conditions in a pack: structured tests over facts, met, failed or undecided; never an expression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from xlcalc.errors import InputError, PackError
from xlcalc.facts import Fact, catalogue, fact
from xlcalc.mechanisms.base import known_fact
from xlcalc.mechanisms.comparisons import COMPARISONS, compare, compared, compile_comparison, open_measures, told
from xlcalc.mechanisms.condition_shapes import Test as Test
from xlcalc.mechanisms.look_back import check_look_back, stretch, stretch_words
from xlcalc.mechanisms.measures import exact_number, in_last_year, measure_facts
from xlcalc.mechanisms.text_tests import check_text, fits
from xlcalc.values.dates import parse_date, years_later
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze

_GROUPS = ("all_of", "any_of", "none_of")
_PAIRS = ("same", "not_above")
_SUMS = ("sum_is", "sum_within")
_RELATIONS = (*_PAIRS, *_SUMS, "listed_in", "last_year", "looks_back")
_ROWS = ("each_row", "any_row")
_MOST_ROWS_NAMED = 10


@dataclass(slots=True)
class Seen:
    """What the tests of one condition asked for in vain, the facts they looked at, and what they measured."""

    missing: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, other: Seen) -> None:
        """Adds what another saw."""
        self.missing += other.missing
        self.facts += other.facts
        self.notes += other.notes


def facts_of_test(test: Mapping[str, Any]) -> list[str]:
    """The facts a test looks at, in order, each once."""
    found: list[str] = []
    collect(test, found)
    return list(dict.fromkeys(found))


def collect(test: Mapping[str, Any], found: list[str], only: str | None = None) -> None:
    """Appends the facts of a test, or of its tests of one kind."""
    ((kind, body),) = test.items()
    if kind in _GROUPS:
        for part in body:
            collect(part, found, only)
    elif only in (None, kind):
        found.extend(_facts_of(kind, body))


def _facts_of(kind: str, body: Any) -> list[str]:
    if isinstance(body, str):
        return [body]
    if kind in _PAIRS:
        return list(body)
    if kind in _SUMS:
        return [*body["parts"], body["whole"]]
    if kind in COMPARISONS:
        return [name for measure in compared(kind, body) for name in measure_facts(measure)]
    if kind in _ROWS:
        columns = fact(body["table"]).columns
        return [body["table"], *(name for name in facts_of_test(body["test"]) if name not in columns)]
    others = ("first_fact", "last_fact", "since_fact", "table", "of")
    return [body["fact"], *(body[other] for other in others if other in body)]


def decide(test: Mapping[str, Any], facts: Mapping[str, Any], seen: Seen) -> bool | None:
    """True, False, or None while a missing fact could still decide (Kleene's logic)."""
    ((kind, body),) = test.items()
    if kind in _GROUPS:
        return _decide_group(kind, body, facts, seen)
    if kind in COMPARISONS:
        return _decide_comparison(kind, body, facts, seen)
    if kind in _ROWS:
        return _decide_rows(kind, body, facts, seen)
    if kind in _RELATIONS:
        values = [_get(name, facts, seen) for name in _facts_of(kind, body)]
        if kind == "looks_back" and values[1] is not None:
            seen.notes.append(stretch_words(body, values[1]))
        if any(value is None for value in values):
            return None
        verdict = _related(kind, body, values)
        if verdict is None:
            seen.missing.append(body["table"])
        return verdict
    fact_id = body if isinstance(body, str) else body["fact"]
    value = _get(fact_id, facts, seen)
    if kind == "between_dates":
        return _inside(value, body, facts, seen)
    if kind == "years_after":
        since = _get(body["since_fact"], facts, seen) if "since_fact" in body else body["since"]
        return None if value is None or since is None else bool(value >= years_later(since, body["years"]))
    if value is None:
        return None
    if kind in ("is_true", "attested"):
        return value is True
    if kind == "is_false":
        return value is False
    if kind == "filled":
        return _is_filled(value)
    if kind == "one_of":
        return not set(body["values"]).isdisjoint(value if isinstance(value, tuple) else (value,))
    if kind == "text":
        return fits(value, body)
    if kind == "count_at_least":
        return len(value) >= int(body["value"])
    return bool(value >= body["value"]) if kind == "at_least" else bool(value <= body["value"])


def _is_filled(value: Any) -> bool:
    """Whether a text says something, an option is ticked or a row is filled; an amount of 0 is filled."""
    if isinstance(value, str):
        return bool(value.strip())
    return not isinstance(value, tuple) or isinstance(value, Money) or any(value)


def _related(kind: str, body: Any, values: list[Any]) -> bool | None:
    """Whether facts of which none is missing stand to each other as they must."""
    if kind == "same":
        return bool(_alike(values[0]) == _alike(values[1]))
    if kind == "not_above":
        return bool(values[0] <= values[1])
    if kind == "last_year":
        return in_last_year(*values)
    if kind == "looks_back":
        first, last = stretch(body, values[1])
        return bool(first <= values[0] <= last)
    if kind == "listed_in":
        cells = [row.get(body["column"]) for row in values[1] if row]
        if any(cell is not None and _alike(cell) == _alike(values[0]) for cell in cells):
            return True
        return None if None in cells else False
    total = sum(exact_number(value) for value in values[:-1])
    whole = exact_number(values[-1])
    return total == whole if kind == "sum_is" else total <= whole


def _alike(value: Any) -> Any:
    return squeeze(value).upper() if isinstance(value, str) else value


def _decide_comparison(kind: str, body: Any, facts: Mapping[str, Any], seen: Seen) -> bool | None:
    for name in _facts_of(kind, body):
        _get(name, facts, seen)
    verdict = compare(kind, body, facts)
    if verdict is None:
        seen.missing += [measure_facts(measure)[0] for measure in open_measures(kind, body, facts)]
    if verdict is not True:
        seen.notes += told(kind, body, facts)
    return verdict


def _decide_rows(kind: str, body: Mapping[str, Any], facts: Mapping[str, Any], seen: Seen) -> bool | None:
    """False with the rows that fail; a row in which nothing is filled is no row."""
    rows, *around = (_get(name, facts, seen) for name in _facts_of("each_row", body))
    if rows is None:
        return None
    outside = dict(zip(_facts_of("each_row", body)[1:], around, strict=True))
    verdicts = {number: decide(body["test"], {**outside, **row}, Seen()) for number, row in enumerate(rows, 1) if row}
    if kind == "any_row" and True in verdicts.values():
        return True
    failed = [f"第{number}行" for number, verdict in verdicts.items() if verdict is False]
    if failed and kind == "each_row":
        more = f"等{len(failed)}行" if len(failed) > _MOST_ROWS_NAMED else ""
        seen.notes.append(f"{fact(body['table']).label}{'、'.join(failed[:_MOST_ROWS_NAMED])}{more}")
        return False
    if None in verdicts.values():
        seen.missing.append(body["table"])
        return None
    return kind == "each_row"


def _decide_group(kind: str, parts: list[Any], facts: Mapping[str, Any], seen: Seen) -> bool | None:
    """Facts of branches that no longer matter are not asked for."""
    undecided, passed, failed = Seen(), Seen(), Seen()
    verdicts: list[bool | None] = []
    for part in parts:
        own = Seen()
        verdict = decide(part, facts, own)
        verdicts.append(verdict)
        target = undecided if verdict is None else passed if verdict else failed
        target.take(own)
    if kind == "all_of":
        answer = False if False in verdicts else None if None in verdicts else True
        relevant = failed if answer is False else undecided if answer is None else passed
    else:
        answer = True if True in verdicts else None if None in verdicts else False
        relevant = passed if answer else undecided if answer is None else failed
    seen.take(relevant)
    return (not answer if answer is not None else None) if kind == "none_of" else answer


def _get(fact_id: str, facts: Mapping[str, Any], seen: Seen) -> Any:
    value = facts.get(fact_id)
    (seen.missing if value is None else seen.facts).append(fact_id)
    return value


def _inside(value: date | None, body: Mapping[str, Any], facts: Mapping[str, Any], seen: Seen) -> bool | None:
    first = _get(body["first_fact"], facts, seen) if "first_fact" in body else body.get("first")
    last = _get(body["last_fact"], facts, seen) if "last_fact" in body else body.get("last")
    if value is None:
        return None
    if (first is not None and value < first) or (last is not None and value > last):
        return False
    undecided = ("first_fact" in body and first is None) or ("last_fact" in body and last is None)
    return None if undecided else True


_COMPARED = ("integer", "number", "share", "money", "level", "date")
_TYPES = {
    "is_true": ("bool",), "is_false": ("bool",), "attested": ("bool",), "one_of": ("option", "options"),
    "between_dates": ("date",), "years_after": ("date",), "last_year": ("integer",), "looks_back": ("date",),
    "at_least": _COMPARED, "at_most": _COMPARED, "count_at_least": ("options", "table", "answers", "scenes", "texts"),
}  # fmt: skip


def compile_test(test: Mapping[str, Any], where: str, columns: Mapping[str, Fact] | None = None) -> Mapping[str, Any]:
    """Checks that a test is one test over known facts of a fitting type; its values become values of that type.

    columns: those of the table whose rows are tested; they go before the facts of the same name.
    """
    if len(test) != 1:
        raise PackError(
            "E-PACK-TEST",
            f"一个条件只能有一种判断，现有 {sorted(test)}",
            where=where,
            remedy="请用 all_of 或 any_of 组合",
        )
    ((kind, body),) = test.items()
    known = {**catalogue(), **(columns or {})}
    if kind in _GROUPS:
        if not body:
            raise PackError("E-PACK-TEST", f"{kind} 是空的", where=where, remedy="请写明条件，或删去")
        return {kind: [compile_test(part, f"{where}.{kind}", columns) for part in body]}
    if kind in COMPARISONS:
        return {kind: compile_comparison(kind, body, where)}
    if kind in _ROWS:
        known_fact(body["table"], "table", where)
        return {kind: {**body, "test": compile_test(body["test"], f"{where}.test", fact(body["table"]).columns)}}
    if kind in _PAIRS and len(body) != 2:
        raise PackError("E-PACK-TEST", f"{kind} 比较两个事实", where=where, remedy="请写两个事实")
    names = _facts_of(kind, body)
    for name in names:
        if name not in known:
            known_fact(name, "", where)
    first = known[names[0]]
    if kind in _PAIRS or kind in _SUMS:
        _check_one_type([known[name] for name in names], kind, where)
    elif first.type not in _TYPES.get(kind, (first.type,)):
        _refuse_type(first, _TYPES[kind], where)
    if kind == "text":
        check_text(body, first, where)
    if kind == "listed_in":
        known_fact(body["table"], "table", where)
        if body["column"] not in fact(body["table"]).columns:
            raise PackError("E-PACK-TEST", f"表中没有“{body['column']}”这一列", where=where, remedy="请核对列名")
    if kind == "one_of":
        unknown = [code for code in body["values"] if code not in first.options]
        if unknown:
            raise PackError(
                "E-PACK-FACT", f"事实“{body['fact']}”没有选项 {unknown}", where=where,
                remedy="请核对 facts.toml 中的选项代码",
            )  # fmt: skip
    if kind in ("between_dates", "years_after", "last_year", "looks_back"):
        return {kind: _compiled_days(kind, body, known, where)}
    if kind in ("at_least", "at_most"):
        return {kind: {"fact": body["fact"], "value": _parsed(first, body["value"], where)}}
    return {kind: body}


def _compiled_days(kind: str, body: Mapping[str, Any], known: Mapping[str, Fact], where: str) -> Mapping[str, Any]:
    """Other ends are dates, and known days become days."""
    for name in _facts_of(kind, body)[1:]:
        if known[name].type != "date":
            _refuse_type(known[name], ("date",), where)
    if kind == "looks_back":
        check_look_back(body, where)
    if kind == "years_after" and ("since" in body) == ("since_fact" in body):
        raise PackError("E-PACK-TEST", "须写明 since 或 since_fact 之一", where=where, remedy="请只保留一个")
    return {**body, **{end: parse_date(body[end]) for end in ("first", "last", "since") if end in body}}


def _check_one_type(facts: list[Fact], kind: str, where: str) -> None:
    wanted = facts[0].type
    if kind != "same" and wanted not in _COMPARED:
        _refuse_type(facts[0], _COMPARED, where)
    for other in facts[1:]:
        if other.type != wanted:
            _refuse_type(other, (wanted,), where)


def _refuse_type(found: Fact, wanted: tuple[str, ...], where: str) -> None:
    raise PackError(
        "E-PACK-FACT", f"事实“{found.id}”的类型是 {found.type}，此处须为 {'、'.join(wanted)}", where=where,
        remedy="请换用合适的事实或判断",
    )  # fmt: skip


def _parsed(known: Fact, value: int | str, where: str) -> Any:
    try:
        return known.parse(value)
    except InputError as error:
        raise PackError(
            "E-PACK-TEST", f"“{value}”不能与“{known.label}”比较", where=where, remedy=error.remedy or "请核对"
        ) from error
