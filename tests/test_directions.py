"""The two award guides of 2024 and 2025 beyond their cases: lists, sums of limits, and choices that stay apart."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from casebook import json_facts, policy_cases

from xlcalc import evaluate, load_policy
from xlcalc.facts import catalogue
from xlcalc.mechanisms.selection import Selection
from xlcalc.packs.policy import Version
from xlcalc.values.money import Money

BENCHMARK, CHAIN = "shijiazhuang.benchmark_sme", "shijiazhuang.chain_case"
LEGAL = {
    ("lighthouse",),
    ("smart_factory",),
    ("innovation",),
    ("lighthouse", "innovation"),
    ("smart_factory", "innovation"),
}
YUAN = {"lighthouse": 300_000, "smart_factory": 200_000, "innovation": 100_000}


@pytest.fixture
def selection() -> Selection:
    found: Selection = load_policy(BENCHMARK).newest.mechanism("selection")
    return found


@pytest.mark.parametrize(
    "chosen", [chosen for size in range(4) for chosen in itertools.combinations(YUAN, size)], ids="+".join
)
def test_every_set_of_directions(selection: Selection, chosen: tuple[str, ...]) -> None:
    assert (not list(selection.problems(chosen))) == (chosen in LEGAL)
    assert selection.amounts(chosen) == {code: Money(YUAN[code] * 100) for code in chosen}


def test_what_was_awarded_before_pays_nothing(selection: Selection) -> None:
    paid = selection.amounts(("lighthouse", "innovation"), ("lighthouse",))
    assert paid == {"lighthouse": Money(0), "innovation": Money(10_000_000)}


def test_the_forty_scenes_are_those_of_the_guide() -> None:
    (guide,) = load_policy(BENCHMARK).newest.data["lookup"]
    entries = {entry["key"]: entry for entry in guide["entry"]}
    assert list(entries) == [str(number) for number in range(1, 41)]
    options = catalogue()["benchmark_scenes"].columns["guide_scene"].options
    assert {key: spellings[-1] for key, spellings in options.items()} == {
        key: entry["label"] or f"{key}（原文缺失）" for key, entry in entries.items()
    }
    # What the document at hand does not show is marked and not filled in.
    assert [key for key, entry in entries.items() if entry["gap"]] == ["2", "3", "4", "5", "6"]
    assert all(not entries[key]["label"] + entries[key]["words"] + entries[key]["group"] for key in ("3", "4", "5"))
    assert entries["6"]["label"] and not entries["6"]["group"]
    assert len({entry["group"] for entry in entries.values()} - {""}) == 13
    assert all(entry["words"] for key, entry in entries.items() if key not in ("3", "4", "5"))


@pytest.mark.parametrize("version", load_policy(CHAIN).versions, ids=lambda version: version.id)
def test_the_parts_of_a_case_fill_its_limit(version: Version) -> None:
    limits = {row.key: row.bounds[1] for row in version.mechanism("word_limits").limits}
    parts = [limits[key] for key in ("intro", "measures", "results", "problems")]
    assert parts == [300, 1800, 1000, 400]
    assert sum(parts) == limits["total"] == 3500
    assert limits["title"] + limits["summary"] == limits["intro"]


def test_choices_that_touch_the_same_condition_stay_apart() -> None:
    version = load_policy(BENCHMARK).newest
    before = json.dumps(version.data, sort_keys=True)
    scenes = [{"guide_scene": number, "guide_section": "七、设备管理", "from_2023_edition": False} for number in "7896"]
    facts = {"benchmark_directions": "小灯塔", "benchmark_scenes": scenes}

    def counted(**choices: str) -> bool:
        outcome = evaluate(
            BENCHMARK, facts, on="2025-07-20", choices={f"AMB-{key[1:]}": code for key, code in choices.items()}
        )
        return "SZB-LH-04" not in [finding.code for finding in outcome.findings if finding.severity == "block"]

    assert counted()
    assert not counted(a82="only_2024", a86="section")
    assert counted(a82="only_2024")
    assert not counted(a86="section")
    assert json.dumps(version.data, sort_keys=True) == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        # A condition of the lighthouse only: 创新 alone still gives its 10万元, and nothing is paid by itself.
        ({"internal_network": False}, "“小灯塔”标杆企业：不符合，创新能力显著提升企业：100,000.00 元。"),
        # What fails for both stays failed.
        ({"acceptance_passed": False}, "“小灯塔”标杆企业：不符合，创新能力显著提升企业：不符合。"),
        # Two that exclude each other; the second lacks its own facts.
        (
            {"benchmark_directions": "小灯塔、智能工厂", "listed_directions": "小灯塔、智能工厂"},
            "“小灯塔”标杆企业：300,000.00 元，数字化车间及智能工厂：待补充事实。",
        ),
    ],
    ids=["one", "both", "exclusive"],
)
def test_a_refusal_says_what_each_direction_would_give_alone(changes: dict[str, Any], said: str) -> None:
    case = next(case for case in policy_cases() if (case.policy, case.name) == (BENCHMARK, "小灯塔和创新能力"))
    outcome = evaluate(BENCHMARK, {**json_facts(case.facts), **changes}, on="2025-07-20")
    assert (outcome.status, outcome.payable) == ("not_eligible", Money(0))
    (told,) = [finding.message for finding in outcome.findings if "单独申报" in finding.message]
    assert said in told and "主管部门" in told


@pytest.mark.parametrize("chosen", ["小灯塔", "创新能力显著提升"])
def test_one_direction_needs_no_such_line(chosen: str) -> None:
    outcome = evaluate(BENCHMARK, {"benchmark_directions": chosen, "acceptance_passed": False}, on="2025-07-20")
    assert outcome.status == "not_eligible"
    assert not [finding for finding in outcome.findings if "单独申报" in finding.message]
