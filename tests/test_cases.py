"""Every case of tests/cases/<city>/<policy>.toml, and the worked examples that give a score without answers."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import pytest
from casebook import Case, CaseError, cases_under, policy_cases, problems, read_cases, versions

from xlcalc import load_policy
from xlcalc.mechanisms.assessment import Assessment
from xlcalc.packs.registry import policy_ids

MANDATORY = (
    "product_design", "marketing", "production_control", "quality", "equipment", "safety", "energy", "procurement",
    "warehouse_logistics", "finance",
)  # fmt: skip
GUIDING = ("process_design", "after_sales", "scheduling", "human_resources", "office_collaboration", "decision_support")


@pytest.mark.parametrize("case", policy_cases(), ids=lambda case: case.id)
def test_case(case: Case) -> None:
    assert problems(case) == []


def test_every_policy_has_cases() -> None:
    assert {case.policy for case in policy_cases()} == set(policy_ids())


@pytest.mark.parametrize(("policy", "version_id"), versions(), ids=lambda value: str(value))
def test_every_condition_has_a_case_that_fails_only_there(policy: str, version_id: str) -> None:
    failing = [
        case for case in cases_under(policy, version_id)
        if case.like and len(case.differs) == 1 and (
            case.expect.get("status") == "not_eligible" or case.expect.get("findings")
        )
    ]  # fmt: skip
    codes = [(_cited(case.expect.get("clause")), *case.expect.get("findings", [])) for case in failing]
    version = load_policy(policy).version(version_id)
    articles = {row["key"]: row["article"] for row in version.data["clause"]}
    for row in version.data["mechanism"]:
        for condition in row.get("conditions", ()):
            article = articles[condition["clause"]] if condition["severity"] == "block" else None
            found = [article in clauses and condition["feature"] in rest for clauses, *rest in codes]
            assert any(found), condition["key"]


def _cited(clause: str | list[str] | None) -> list[str | None]:
    return [*clause] if isinstance(clause, list) else [clause]


@pytest.fixture(params=["national.maturity_2024", "hohhot.maturity_2024"])
def assessment(request: pytest.FixtureRequest) -> Assessment:
    found: Assessment = load_policy(request.param).newest.mechanism("assessment")
    return found


def units(assessment: Assessment, score: str) -> int:
    exact = Fraction(score) * assessment.scale
    assert exact.denominator == 1
    return exact.numerator


def scenes(**reached: int) -> dict[str, int]:
    """Levels for the first so many mandatory and guiding scenes: ``mandatory_4=6`` puts six mandatory ones at 四级."""
    levels: dict[str, int] = {}
    pools = {"mandatory": iter(MANDATORY), "guiding": iter(GUIDING)}
    for name, count in reached.items():
        pool, level = name.split("_")
        levels |= dict.fromkeys(itertools.islice(pools[pool], count), int(level))
    return levels


def test_e5_score_is_enough_but_not_the_mandatory_scenes(assessment: Assessment) -> None:
    levels = scenes(guiding_2=6, mandatory_2=2)
    assert assessment.count(2, levels) == (8, 2)
    assert assessment.level_of(units(assessment, "55"), levels) == 0


@pytest.mark.parametrize(("score", "level"), [("59.9", 2), ("19.9", 0)])
def test_e6_scenes_are_enough_but_not_the_score(assessment: Assessment, score: str, level: int) -> None:
    assert assessment.level_of(units(assessment, score), scenes(mandatory_4=10, guiding_4=6)) == level


def test_e7_one_scene_short_of_the_highest(assessment: Assessment) -> None:
    levels = scenes(mandatory_4=6, mandatory_3=1, mandatory_1=3, guiding_4=3, guiding_3=2, guiding_1=1)
    assert assessment.count(4, levels) == (9, 6)
    assert assessment.count(3, levels) == (12, 7)
    assert assessment.level_of(units(assessment, "85"), levels) == 3


def test_e8_mandatory_scenes_bind_at_the_highest(assessment: Assessment) -> None:
    levels = scenes(mandatory_4=5, mandatory_3=5, guiding_4=5)
    assert assessment.count(4, levels) == (10, 5)
    assert assessment.count(3, levels) == (15, 10)
    assert assessment.level_of(units(assessment, "92"), levels) == 3


MALFORMED = {
    "unknown key": '[[case]]\nname = "a"\nsource = "s"\nfact = 1\nexpect = { status = "determined" }',
    "unknown expectation": '[[case]]\nname = "a"\nsource = "s"\nexpect = { subsidie = "1元" }',
    "asserts nothing": '[[case]]\nname = "a"\nsource = "s"',
    "no source": '[[case]]\nname = "a"\nexpect = { status = "determined" }',
    "unknown model": '[[case]]\nname = "a"\nsource = "s"\nlike = "b"\nexpect = { status = "determined" }',
    "two of a name": '[[case]]\nname = "a"\nsource = "s"\nexpect = { status = "determined" }\n' * 2,
    "unknown gap": '[[case]]\nname = "a"\nsource = "s"\nexpect = { gap_to_next = { point = 1 } }',
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=list(MALFORMED))
def test_a_case_that_is_not_understood_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "case.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CaseError):
        read_cases(path, "national.maturity_2024")
