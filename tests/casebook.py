"""Cases kept as data: reads tests/cases/**/*.toml and holds an outcome against what a case expects.

A case names its facts (``like`` takes those of another case and differs in the named ones; ``"missing"``
removes a fact, ``"null"`` is JSON's null) and its expectation. Whatever is not understood is an error, so
that no case passes by a misspelling.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from xlcalc import evaluate, load_policy
from xlcalc.errors import XlcalcError
from xlcalc.packs.registry import pack_path, policy_ids
from xlcalc.results.outcome import Outcome
from xlcalc.values.dates import parse_date
from xlcalc.values.money import Money, parse_share

CASES = Path(__file__).parent / "cases"

_CASE_KEYS = {"name", "source", "policy", "on", "version", "like", "choices", "facts", "expect", "features"}
_MONEY = {
    "subsidy", "face_value", "reduction", "own_payment", "recognised_cost", "award", "prize_budget", "prize_money",
}  # fmt: skip
_COUNTS = {"maturity_level", "scenes_at_level", "mandatory_at_level"}
_CODES = {"enterprise_size"}
_RESULTS = {"score"} | _MONEY | _COUNTS | _CODES
_EXPECT_KEYS = _RESULTS | {
    "status", "payable", "missing", "missing_includes", "findings", "not_findings", "clause", "warned", "informed",
    "judged", "basis", "choices", "gap_to_next", "error", "attested", "version", "ratios", "word_counts", "unchecked",
    "indicators", "ranking", "says", "recognised_lines", "deducted", "cites",
}  # fmt: skip
_CITED = {"clause": "block", "warned": "warn", "informed": "info", "judged": "human"}
_GAP_KEYS = {"level", "points", "scenes", "mandatory", "binding"}
_MERGED = {"answers", "scenes", "materials", "report_evidence", "report_contents"}


class CaseError(Exception):
    """A case file that cannot mean what it says."""


@dataclass(frozen=True)
class Case:
    """One case, ``like`` already resolved; ``differs`` names the facts in which it differs from its model.

    ``features``: the clauses it shows to hold, besides the codes of the findings it expects.
    """

    policy: str
    name: str
    source: str
    facts: Mapping[str, Any]
    expect: Mapping[str, Any]
    on: str | None = None
    version: str | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    like: str | None = None
    differs: tuple[str, ...] = ()
    features: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.policy}: {self.name}"


def policy_case_files() -> list[Path]:
    return sorted(path for path in CASES.glob("*/*.toml") if path.parent.name not in ("mechanisms", "example"))


@cache
def policy_cases() -> tuple[Case, ...]:
    return tuple(case for path in policy_case_files() for case in read_cases(path, f"{path.parent.name}.{path.stem}"))


def versions() -> list[tuple[str, str]]:
    """(policy, version) for every version held, read without checking the packs."""
    packs = {policy: tomllib.loads(pack_path(policy).read_text(encoding="utf-8")) for policy in policy_ids()}
    return [(policy, version["id"]) for policy, pack in packs.items() for version in pack["version"]]


def cases_under(policy_id: str, version_id: str) -> list[Case]:
    """The cases that are decided under a version: by its name, or by the day of application."""
    policy = load_policy(policy_id)
    found = []
    for case in policy_cases():
        day = case.on or case.facts.get("application_date")
        if case.policy != policy_id:
            continue
        try:
            held = (
                policy.version(case.version)
                if case.version
                else policy.on(parse_date(day))[0]
                if day
                else policy.newest
            )
        except XlcalcError:
            held = policy.newest
        if held.id == version_id:
            found.append(case)
    return found


def read_cases(path: Path, policy: str) -> list[Case]:
    book = tomllib.loads(path.read_text(encoding="utf-8"))
    if set(book) != {"case"}:
        raise CaseError(f"{path.name}: only [[case]] is allowed, found {sorted(book)}")
    found: dict[str, Case] = {}
    for row in book["case"]:
        case = _read_case(row, policy, found, path.name)
        if case.name in found:
            raise CaseError(f"{path.name}: two cases are called {case.name}")
        found[case.name] = case
    return list(found.values())


def _read_case(row: Mapping[str, Any], policy: str, earlier: Mapping[str, Case], where: str) -> Case:
    place = f"{where}: {row.get('name', '?')}"
    _only(row, _CASE_KEYS, place)
    if not row.get("name") or not row.get("source"):
        raise CaseError(f"{place}: a case needs a name and the clause it comes from")
    _check_expectation(row.get("expect", {}), place)
    given = row.get("facts", {})
    model = None
    if "like" in row:
        if row["like"] not in earlier:
            raise CaseError(f"{place}: no earlier case called {row['like']}")
        model = earlier[row["like"]]
    return Case(
        policy=row.get("policy", model.policy if model else policy),
        name=row["name"],
        source=row["source"],
        facts=_overlaid(model.facts if model else {}, given),
        expect=row["expect"],
        on=row.get("on", model.on if model else None) if row.get("on") != "missing" else None,
        version=row.get("version", model.version if model else None),
        choices={**(model.choices if model else {}), **row.get("choices", {})},
        like=row.get("like"),
        differs=tuple(given) + (("on",) if "on" in row else ()),
        features=tuple(row.get("features", ())),
    )


def _only(row: Mapping[str, Any], known: set[str], place: str) -> None:
    if unknown := set(row) - known:
        raise CaseError(f"{place}: not understood: {sorted(unknown)}")


def _check_expectation(expect: Mapping[str, Any], place: str) -> None:
    _only(expect, _EXPECT_KEYS, place)
    if not expect:
        raise CaseError(f"{place}: asserts nothing")
    if "error" in expect and len(expect) > 1:
        raise CaseError(f"{place}: an error leaves nothing else to assert")
    _only(expect.get("gap_to_next", {}) if expect.get("gap_to_next") != "none" else {}, _GAP_KEYS, place)
    for options in expect.get("choices", {}).values():
        for changes in options.values():
            _only(changes, _RESULTS | {"status"}, place)


def _overlaid(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    facts = dict(base)
    for key, value in given.items():
        if value == "missing":
            if key not in facts and base:
                raise CaseError(f"{key} is not there to be removed")
            facts.pop(key, None)
        elif key in _MERGED and isinstance(value, dict) and isinstance(facts.get(key), dict):
            facts[key] = _overlaid(facts[key], value)
        elif isinstance(value, dict) and isinstance(facts.get(key), list) and all(map(str.isdigit, value)):
            facts[key] = _with_rows(facts[key], value)
        else:
            facts[key] = value
    return facts


def _with_rows(rows: list[Any], given: Mapping[str, Any]) -> list[Any]:
    """A table with some cells of some rows changed; rows are named by their number, the next number adds one."""
    changed = [*rows, *({} for number in given if int(number) > len(rows))]
    for number, cells in given.items():
        changed[int(number) - 1] = _overlaid(changed[int(number) - 1], cells)
    return changed


def json_facts(value: Any) -> Any:
    """Facts as JSON would give them: ``"null"`` is null, which TOML cannot write; {repeat, times} is a long text."""
    if isinstance(value, Mapping) and set(value) == {"repeat", "times"}:
        return str(value["repeat"]) * int(value["times"])
    if isinstance(value, Mapping):
        return {key: json_facts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [json_facts(item) for item in value]
    return None if value == "null" else value


def problems(case: Case) -> list[str]:
    """What differs from the expectation; empty when the case holds."""
    try:
        outcome = evaluate(case.policy, json_facts(case.facts), on=case.on, version=case.version, choices=case.choices)
    except XlcalcError as error:
        wanted = case.expect.get("error")
        return [] if error.code == wanted else [f"error {error.code} ({error}), expected {wanted}"]
    if "error" in case.expect:
        return [f"no error, expected {case.expect['error']}"]
    return [text for key, wanted in case.expect.items() for text in _compare(outcome, key, wanted)]


def _compare(outcome: Outcome, key: str, wanted: Any) -> list[str]:
    if key in _RESULTS:
        return _differ(key, _shown(outcome.results.get(key, "absent")), _wanted(key, wanted))
    if key == "payable":
        return _differ(key, _shown(outcome.payable), None if wanted == "none" else fen(wanted))
    if key == "missing":
        return _differ(key, sorted(outcome.missing), sorted(wanted))
    if key == "missing_includes":
        return _absent(key, wanted, outcome.missing)
    codes = [finding.code for finding in outcome.findings]
    if key == "findings":
        return _absent(key, wanted, codes)
    if key == "not_findings":
        return [f"finding {code} should not be there" for code in wanted if code in codes]
    if key in _CITED:
        cited = {item.clause for item in outcome.findings if item.severity == _CITED[key]}
        return _differ(key, cited, set(wanted) if isinstance(wanted, list) else {wanted})
    if key == "attested":
        return _differ(key, sorted(item.fact for item in outcome.attested), sorted(wanted))
    if key == "ratios":
        found = _details(outcome, key)
        shares = {name: None if share == "open" else parse_share(share) for name, share in wanted.items()}
        return [text for name, share in shares.items() for text in _differ(name, found.get(name), share)]
    if key == "word_counts":
        found = _details(outcome, key)
        return [text for name, counts in wanted.items() for text in _differ(name, found.get(name), counts)]
    if key == "unchecked":
        return _differ(key, sorted(label for step in outcome.steps for label in step.unchecked), sorted(wanted))
    if key == "indicators":
        found = _details(outcome, key)
        return [text for name, value in wanted.items() for text in _differ(name, found.get(name), Fraction(value))]
    if key == "says":
        text = "\n".join(sentence for step in outcome.steps for sentence in step.sentences)
        return [f"not said: {words}" for words in wanted if words not in text]
    if key == "cites":
        cited = {code: {item.clause for item in outcome.findings if item.code == code} for code in wanted}
        return _differ(key, cited, {code: {clause} for code, clause in wanted.items()})
    if key == "recognised_lines":
        found = [line.recognised for line in outcome.detail("waterfall").lines]
        return _differ(key, found, [None if amount == "open" else fen(amount) for amount in wanted])
    if key == "deducted":
        found = {str(line.row): [item.code for item in line.deductions] for line in outcome.detail("waterfall").lines}
        return _differ(key, {row: codes for row, codes in found.items() if codes}, wanted)
    if key == "ranking":
        found = {one.name: one.prize or "none" if one.settled else "open" for one in outcome.detail(key)}
        return [text for name, prize in wanted.items() for text in _differ(name, found.get(name), prize)]
    if key == "choices":
        return _compare_choices(outcome, wanted)
    if key == "gap_to_next":
        return _compare_gap(outcome.results.get(key), wanted)
    return _differ(key, getattr(outcome, key), wanted)


def _details(outcome: Outcome, key: str) -> dict[str, Any]:
    """The figures of every step that has such."""
    return {name: value for step in outcome.steps for name, value in step.details.get(key, {}).items()}


def _compare_choices(outcome: Outcome, wanted: Mapping[str, Any]) -> list[str]:
    named = {choice.id: choice for choice in outcome.choices}
    found = []
    for choice, options in wanted.items():
        if choice not in named:
            found.append(f"choice {choice} is not named, named are {sorted(named)}")
            continue
        for option, changes in options.items():
            shown = named[choice].alternatives.get(option, {})
            for key, value in changes.items():
                expected = value if key == "status" else _wanted(key, value)
                found += _differ(f"{choice}.{option}.{key}", _shown(shown.get(key, "absent")), expected)
    return found


def _compare_gap(gap: Mapping[str, Any] | None, wanted: Any) -> list[str]:
    if gap is None or wanted == "none":
        return _differ("gap_to_next", gap, None if wanted == "none" else wanted)
    expected = {key: Fraction(value) if key == "points" else value for key, value in wanted.items()}
    return [text for key, value in expected.items() for text in _differ(f"gap_to_next.{key}", gap[key], value)]


def fen(text: str) -> int:
    """``350000.00元`` as whole fen, by decimal arithmetic of its own."""
    if not text.endswith("元") or text.endswith("万元"):
        raise CaseError(f"expected money is written in 元 with two decimals, not {text}")
    return int(Decimal(text.removesuffix("元")) * 100)


def _wanted(key: str, value: Any) -> Any:
    if value == "absent" or key in _CODES:
        return value
    if key == "score":
        return Fraction(value)
    return fen(value) if key in _MONEY else int(value)


def _shown(value: Any) -> Any:
    return value.fen if isinstance(value, Money) else value


def _differ(key: str, found: Any, wanted: Any) -> list[str]:
    return [] if found == wanted else [f"{key}: {found!r}, expected {wanted!r}"]


def _absent(key: str, wanted: list[str], found: Any) -> list[str]:
    return [f"{key}: {item} is not among {list(found)}" for item in wanted if item not in found]
