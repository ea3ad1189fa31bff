"""Every mechanism on the invented city 示例市: each face it declares agrees with the same hand-made cases."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from casebook import CASES, Case, fen, json_facts, problems, read_cases

from xlcalc import evaluate_many, load_policy
from xlcalc.errors import InputError
from xlcalc.facts import parse_facts
from xlcalc.mechanisms import condition_shapes
from xlcalc.mechanisms.base import KINDS, mechanism_module

POLICIES = Path(__file__).parent / "policies"
KIND_CASES = {
    path.stem: read_cases(path, f"example.{path.stem}") for path in sorted((CASES / "mechanisms").glob("*.toml"))
}
PROGRAMME = "example.support_programme"
PROGRAMME_CASES = read_cases(CASES / "example" / "support_programme.toml", PROGRAMME)
ALL_CASES = [case for cases in [*KIND_CASES.values(), PROGRAMME_CASES] for case in cases]
VECTORISED = ("assessment", "discount_voucher", "face_value", "flat_award", "tiered_rate")

Rows = list[Case]


@pytest.fixture(autouse=True)
def example_city(held_packs: Callable[[Path], None]) -> None:
    held_packs(POLICIES)


def test_every_kind_has_a_case_file() -> None:
    assert sorted(KIND_CASES) == sorted(KINDS)


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.id)
def test_case(case: Case) -> None:
    assert problems(case) == []


def test_one_pack_can_use_every_kind() -> None:
    versions = load_policy(PROGRAMME).versions
    assert {row["kind"] for version in versions for row in version.data["mechanism"]} == set(KINDS)


def test_the_guide_shows_what_stands_in_the_pack() -> None:
    guide = (POLICIES.parents[1] / "docs" / "adding-a-policy.md").read_text(encoding="utf-8")
    pack = (POLICIES / "example" / "support_programme.toml").read_text(encoding="utf-8")
    cases = (CASES / "example" / "support_programme.toml").read_text(encoding="utf-8")
    shown = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    assert len(shown) > 5
    assert [block for block in shown if block not in pack and block not in cases] == []
    named = set(re.findall(r"`(\w+)`", guide))
    assert set(KINDS) | set(condition_shapes.Test.__annotations__) <= named


@pytest.mark.parametrize("kind", KINDS)
def test_declared_faces(kind: str) -> None:
    policy = load_policy(f"example.{kind}")
    mechanism = policy.newest.mechanism(kind)
    assert kind == mechanism_module(kind).KIND
    assert hasattr(mechanism, "evaluate")
    assert hasattr(mechanism, "evaluate_many") == (kind in VECTORISED)


def columns_of(case: Case, mechanism: Any, kind: str) -> dict[str, Any] | None:
    """One row of columns for ``evaluate_many``; None where the row is not answered in full, or by figures."""
    facts = parse_facts(json_facts(case.facts))
    if kind == "assessment":
        return _assessment_row(facts, mechanism)
    named = {
        "face_value": [mechanism.level, *mechanism.cap.counts] if kind == "face_value" else [],
        "discount_voucher": [mechanism.base, *mechanism.cap.counts] if kind == "discount_voucher" else [],
        "tiered_rate": [mechanism.base, mechanism.level] if kind == "tiered_rate" else [],
        "flat_award": [mechanism.by or "maturity_level"] if kind == "flat_award" else [],
    }[kind]
    if kind == "flat_award" and mechanism.by is None:
        facts = {"maturity_level": 0}
    if any(name not in facts for name in named):
        return None
    return {name: getattr(facts[name], "fen", facts[name]) for name in named}


def _assessment_row(facts: dict[str, Any], mechanism: Any) -> dict[str, Any] | None:
    row: dict[str, Any] = {}
    for question in mechanism.questions:
        answer = facts["answers"].get(question.key, [])
        if isinstance(answer, dict):
            return None
        codes = [option.code for option in question.options]
        ticked = [answer] if isinstance(answer, str) else answer
        row[question.key] = sum(1 << codes.index(code) for code in ticked)
    row["scenes"] = [int(facts["scenes"].get(scene.key, 0)) for scene in mechanism.scenes]
    return row


def groups(kind: str) -> list[Rows]:
    """The cases that end in a result, those under the same policy and choices together."""
    found: dict[tuple[Any, ...], Rows] = {}
    for case in KIND_CASES[kind]:
        if "error" not in case.expect:
            found.setdefault((case.policy, *sorted(case.choices.items())), []).append(case)
    return list(found.values())


@pytest.mark.parametrize("kind", VECTORISED)
def test_whole_columns_give_the_same_fen(kind: str) -> None:
    compared = 0
    for cases in groups(kind):
        mechanism = load_policy(cases[0].policy).newest.mechanism(kind, cases[0].choices)
        rows = [(case, row) for case in cases if (row := columns_of(case, mechanism, kind)) is not None]
        if not rows:
            continue
        columns = {name: np.array([row[name] for _, row in rows]) for name in rows[0][1]}
        results = evaluate_many(cases[0].policy, columns, choices=cases[0].choices)
        for column in results.values():
            assert column.dtype == np.int64
        for place, (case, _) in enumerate(rows):
            compared += _compare(case, {key: int(column[place]) for key, column in results.items()}, mechanism)
    assert compared >= 3


def _compare(case: Case, found: dict[str, int], mechanism: Any) -> int:
    if "score_units" in found:
        score = case.expect.get("score", "absent")
        wanted = -1 if score == "absent" else Fraction(score) * mechanism.scale
        assert found["score_units"] == wanted, case.name
        if "maturity_level" in case.expect:
            level = case.expect["maturity_level"]
            assert found["maturity_level"] == (-1 if level == "absent" else level), case.name
        return 1
    expected = {key: fen(case.expect[key]) for key in found if case.expect.get(key, "absent") != "absent"}
    assert {key: found[key] for key in expected} == expected, case.name
    return len(expected)


BAD_COLUMNS = {
    "negative": ("example.tiered_rate", {"recognised_cost": [1, -1], "maturity_level": [2, 2]}, 1),
    "too large": ("example.tiered_rate", {"recognised_cost": [1, 10**12 + 1], "maturity_level": [2, 2]}, 1),
    "no level": ("example.tiered_rate", {"recognised_cost": [1, 1], "maturity_level": [2, 5]}, None),
    "float": ("example.discount_voucher", {"approved_amount": [1.0], "saas_reduction_to_date": [0]}, None),
    "negative before": ("example.discount_voucher", {"approved_amount": [1], "saas_reduction_to_date": [-1]}, 0),
    "level below none": ("example.face_value", {"maturity_level": [-1], "cloud_voucher_received": [0]}, None),
    "unknown category": ("example.flat_award", {"applicant_category": ["pilot", "other"]}, 1),
    "two ticks": ("example.assessment", {"q1": [3], "q2": [1], "q3": [1], "q4": [1], "scenes": [[0] * 3]}, 0),
    "none and more": ("example.assessment", {"q1": [1], "q2": [3], "q3": [1], "q4": [1], "scenes": [[0] * 3]}, 0),
    "no such option": ("example.assessment", {"q1": [8], "q2": [1], "q3": [1], "q4": [1], "scenes": [[0] * 3]}, 0),
    "scene level": ("example.assessment", {"q1": [1], "q2": [1], "q3": [1], "q4": [1], "scenes": [[0, 0, 5]]}, None),
}  # fmt: skip


@pytest.mark.parametrize(("policy", "columns", "row"), BAD_COLUMNS.values(), ids=list(BAD_COLUMNS))
def test_a_column_that_cannot_be_used_is_refused(policy: str, columns: dict[str, list[Any]], row: int | None) -> None:
    with pytest.raises(InputError) as raised:
        evaluate_many(policy, {name: np.array(values) for name, values in columns.items()})
    assert raised.value.code == "E-COLUMN"
    if row is not None:
        assert f"第 {row} 行" in raised.value.message


@pytest.mark.parametrize("kind", VECTORISED)
def test_empty_columns_give_empty_results(kind: str) -> None:
    policy = load_policy(f"example.{kind}")
    mechanism = policy.newest.mechanism(kind)
    first = next(row for case in KIND_CASES[kind] if (row := columns_of(case, mechanism, kind)) is not None)
    columns = {name: np.array([value])[:0] for name, value in first.items()}
    assert all(len(column) == 0 for column in evaluate_many(policy.id, columns).values())
