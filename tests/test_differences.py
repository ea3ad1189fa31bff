"""What two editions of a guide say differently, as clerks who filed under both need it."""

from __future__ import annotations

import pytest

from xlcalc import load_policy
from xlcalc.errors import PolicyError
from xlcalc.packs.differences import Difference, version_differences

POLICY = "shijiazhuang.chain_case"
OLD, NEW = "2024-04-25", "2025-07-16"


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, str], Difference]:
    rows = version_differences(load_policy(POLICY), OLD, NEW)
    places = [(row.part, row.key) for row in rows]
    assert len(places) == len(set(places))
    return {(row.part, row.key): row for row in rows}


@pytest.mark.parametrize(
    ("part", "key", "text"),
    [
        ("有效期", "period", "有效期由“2024年4月25日至2025年7月15日”改为“2025年7月16日起”"),
        ("条款", "site", "删去条款“二（三）”：(三) 项目实施地点在石家庄市内。"),
        (
            "条款",
            "entity",
            "条款“二（一）”由“（一）在我市注册登记、具有独立法人资格的企业。”改为“（一）具有独立法人资格的企业。”",
        ),
        ("条号", "led", "条号“企业资源整合能力突出,能够有效带…”由“二（五）”改为“二（四）”"),
        (
            "材料",
            "materials.tax_proof",
            "材料由“2024年纳税证明（税收证明或纳税申报表）”改为“2025年纳税证明（税收证明或纳税申报表）”",
        ),
        ("材料", "submission.recommendation", "新增材料：推荐文件（加盖公章）"),
        ("流程", "reapply", "新增流程：转型提升后再次申报"),
    ],
)  # fmt: skip
def test_a_difference_reads_as_a_sentence(
    found: dict[tuple[str, str], Difference], part: str, key: str, text: str
) -> None:
    assert found[part, key].text == text


def test_dropped_added_and_changed(found: dict[tuple[str, str], Difference]) -> None:
    assert found["条款", "windows"].change == "dropped"
    assert found["条款", "deadline"].change == "added"
    assert found["条件", "conditions.second_review"].change == "dropped"
    assert found["条件", "conditions.deadline"].change == "added"
    registered = found["条件", "conditions.registered"]
    assert (registered.change, registered.features) == ("changed", ("CHAIN-05",))
    assert "不予通过" in (registered.before or "") and "提醒" in (registered.after or "")
    audit = found["条件", "documents.audit_year"]
    assert "2023年度" in (audit.before or "") and "2024年度" in (audit.after or "")


def test_what_both_say_is_no_difference(found: dict[tuple[str, str], Difference]) -> None:
    # Only the width of brackets, or the number the clause begins with, differs.
    for same in (
        ("条款", "led"),
        ("条款", "licence"),
        ("条款", "review"),
        ("条件", "conditions.led"),
        ("字数", "words.total"),
    ):
        assert same not in found
    assert not [place for place in found if place[0] in ("字数", "奖补", "表格")]


def test_the_other_way_round(found: dict[tuple[str, str], Difference]) -> None:
    back = version_differences(load_policy(POLICY), NEW, OLD)
    turned = {"dropped": "added", "added": "dropped", "changed": "changed"}
    assert {(row.part, row.key): turned[row.change] for row in back} == {
        place: row.change for place, row in found.items()
    }


def test_a_version_does_not_differ_from_itself() -> None:
    assert version_differences(load_policy(POLICY), NEW, NEW) == ()


def test_a_version_that_is_not_held_is_refused() -> None:
    with pytest.raises(PolicyError) as raised:
        version_differences(load_policy(POLICY), OLD, "2023-01-01")
    assert raised.value.code == "E-VERSION"


@pytest.mark.parametrize("policy", ["shijiazhuang.benchmark_sme", "hohhot.transformation_subsidy"])
def test_everything_a_pack_says_can_be_compared(policy: str) -> None:
    held = load_policy(policy)
    assert version_differences(held, held.newest.id, held.newest.id) == ()
