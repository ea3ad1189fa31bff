"""Each number and each condition of a pack matters to some case: changed a little, a case must fail."""

from __future__ import annotations

import pytest
from casebook import Case, policy_cases, problems
from mutants import Mutant, mutants

from xlcalc import evaluation, load_policy
from xlcalc.errors import PackError
from xlcalc.packs.policy import Policy, Version
from xlcalc.packs.registry import policy_ids

EQUIVALENT = {
    # With nothing counted against it, a cap of 10万元 never touches a face value of at most 2万元.
    "shijiazhuang.cloud_voucher": {
        "interpretation.AMB-01.option.saas_only.set.face_value.cap.applies: no longer set",
        "interpretation.AMB-01.option.saas_only.set.face_value.cap.applies: False -> True",
    },
}


def survives(mutant: Mutant, policy: Policy, cases: list[Case]) -> bool:
    """Whether no case notices; the case that noticed moves to the front, as it often notices the next one too."""
    changed = Policy(policy.id, policy.label, policy.issuer, policy.checked_on, (Version(mutant.data),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "load_policy", lambda _: changed)
        with_alternatives = evaluation._with_alternatives
        for place, case in enumerate(cases):
            # Only a case that looks at the other readings needs them, and they cost most of the time.
            wanted = with_alternatives if "choices" in case.expect else lambda outcome, *_: outcome
            patch.setattr(evaluation, "_with_alternatives", wanted)
            try:
                noticed = bool(problems(case))
            except PackError:
                noticed = True
            if noticed:
                cases.insert(0, cases.pop(place))
                return False
    return True


@pytest.mark.parametrize("policy_id", policy_ids())
def test_every_small_change_is_noticed(policy_id: str) -> None:
    policy = load_policy(policy_id)
    cases = [case for case in policy_cases() if case.policy == policy_id]
    spared = EQUIVALENT.get(policy_id, set())
    changes = [mutant for mutant in mutants(policy.newest.data) if mutant.what not in spared]
    survivors = [mutant.what for mutant in changes if survives(mutant, policy, cases)]
    print(f"{policy_id}: {len(changes) - len(survivors)} of {len(changes)} changes noticed")
    assert survivors == []
    assert len(changes) > 30


def test_an_unchanged_pack_survives() -> None:
    policy = load_policy("shijiazhuang.cloud_voucher")
    cases = [case for case in policy_cases() if case.policy == policy.id]
    assert survives(Mutant("nothing changed", dict(policy.newest.data)), policy, cases)
