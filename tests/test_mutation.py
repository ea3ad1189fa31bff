"""Each number and each condition of a pack matters to some case: changed a little, a case must fail."""

from __future__ import annotations

import pytest
from casebook import Case, cases_under, policy_cases, problems, versions
from mutants import Mutant, mutants

from xlcalc import evaluation, load_policy
from xlcalc.errors import PackError
from xlcalc.packs.policy import Policy, Version

EQUIVALENT = {
    # A ratio that is only shown has no finding, so its severity is never read.
    "zaozhuang.demonstration_platform": {
        f"mechanism.ratios.ratios.{name}.severity: 'info' -> 'warn'"
        for name in ("qualified_both", "qualified_employees", "equipment")
    },
    # Of 14 or 16 links 79 %, 80 % and 81 % lie between the same two whole numbers.
    "hohhot.maturity_2024": {f"mechanism.consistency.covered.threshold: '80%' -> '{other}%'" for other in (79, 81)},
    # With nothing counted against it, a cap of 10万元 never touches a face value of at most 2万元.
    "shijiazhuang.cloud_voucher": {
        "interpretation.AMB-01.option.saas_only.set.face_value.cap.applies: no longer set",
        "interpretation.AMB-01.option.saas_only.set.face_value.cap.applies: False -> True",
    },
}


def survives(mutant: Mutant, policy: Policy, cases: list[Case]) -> bool:
    """Whether no case notices; those that expect the finding are asked first, then the one that noticed last."""
    versions = tuple(Version(mutant.data) if held.id == mutant.data["id"] else held for held in policy.versions)
    changed = Policy(policy.id, policy.label, policy.issuer, policy.checked_on, versions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "load_policy", lambda _: changed)
        choices_that_matter = evaluation._choices_that_matter
        codes = [(case, (*case.expect.get("findings", ()), *case.expect.get("cites", ()))) for case in cases]
        near = [case for case, found in codes if mutant.feature and mutant.feature in found]
        for case in near + [case for case in cases if case not in near]:
            # Only a case that looks at the other readings needs them, and they cost most of the time.
            wanted = choices_that_matter if "choices" in case.expect else lambda *_: ()
            patch.setattr(evaluation, "_choices_that_matter", wanted)
            try:
                noticed = bool(problems(case))
            except PackError:
                noticed = True
            if noticed:
                cases.remove(case)
                cases.insert(0, case)
                return False
    return True


@pytest.mark.parametrize(("policy_id", "version_id"), versions(), ids=lambda value: str(value))
def test_every_small_change_is_noticed(policy_id: str, version_id: str) -> None:
    policy = load_policy(policy_id)
    cases = cases_under(policy_id, version_id)
    spared = EQUIVALENT.get(policy_id, set())
    changes = [mutant for mutant in mutants(policy.version(version_id).data) if mutant.what not in spared]
    survivors = [mutant.what for mutant in changes if survives(mutant, policy, cases)]
    print(f"{policy_id}@{version_id}: {len(changes) - len(survivors)} of {len(changes)} changes noticed")
    assert survivors == []
    assert len(changes) > 30


def test_an_unchanged_pack_survives() -> None:
    policy = load_policy("shijiazhuang.cloud_voucher")
    cases = [case for case in policy_cases() if case.policy == policy.id]
    assert survives(Mutant("nothing changed", dict(policy.newest.data)), policy, cases)
