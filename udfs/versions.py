"""Under which version and choices a function computes, and the mechanisms of that version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from udfs.records import Choices, Target, targets
from xlcalc import load_policy
from xlcalc.errors import PackError, PolicyError
from xlcalc.packs.registry import policy_ids

if TYPE_CHECKING:
    from xlcalc.mechanisms.assessment_score import Assessment
    from xlcalc.packs.policy import Version


def version_on(policy: str, on: date | None) -> Version:
    """The version of a day, else the newest."""
    held = load_policy(policy)
    return held.on(on)[0] if on else held.newest


@lru_cache(256)
def in_force(version: Version, choices: Choices | None) -> Choices:
    """Every choice of this version, those given completed with the defaults; those of other policies are left out.

    Raises PolicyError ``E-CHOICE`` for an id that no policy has, or a code that its choice has not.
    """
    given = choices or ()
    own = {key: code for key, code in given if _leaves(version, key)}
    for key, _ in given:
        if key not in own and not _offered(key):
            raise PolicyError("E-CHOICE", f"没有可选口径 {key[:40]}", where=key[:40], remedy="请核对口径确认表中的编号")
    return tuple(version.full_choices(own).items())


def _offered(key: str) -> bool:
    """Whether some version of some policy held leaves this choice."""
    for policy in policy_ids():
        try:
            versions = load_policy(policy).versions
        except PackError:  # told where that policy is asked for
            continue
        if any(_leaves(version, key) for version in versions):
            return True
    return False


def _leaves(version: Version, key: str) -> bool:
    """Whether it is a choice here; what is one under a policy may be a mere note under another."""
    item = version.interpretations.get(key)
    return item is not None and item.kind == "choice"


def mechanism(policy: str, kind: str, on: date | None = None, choices: Choices | None = None) -> Any:
    """The one mechanism of a kind in the version of a day, else the newest; the defaults fill the choices."""
    version = version_on(policy, on)
    return _mechanism(version, kind, in_force(version, choices))


def assessment(policy: str, on: date | None = None, choices: Choices | None = None) -> Assessment:
    """The questionnaire of a policy; raises PolicyError where it has none."""
    found: Assessment = mechanism(policy, "assessment", on, choices)
    return found


def fact_names(policy: str, on: date | None = None, choices: Choices | None = None) -> Mapping[str, Target]:
    """What a heading may be called where facts of this policy are listed."""
    version = version_on(policy, on)
    return _fact_names(version, in_force(version, choices))


def stated(policy: str, on: date | None = None, choices: Choices | None = None) -> list[dict[str, Any]]:
    """What the pack says of each mechanism, as data; not to be changed."""
    version = version_on(policy, on)
    return _stated(version, in_force(version, choices))


@lru_cache(256)
def _mechanism(version: Version, kind: str, choices: Choices) -> Any:
    return version.mechanism(kind, dict(choices))


@lru_cache(256)
def _fact_names(version: Version, choices: Choices) -> Mapping[str, Target]:
    return targets(_mechanism(version, "assessment", choices) if has(version, "assessment") else None)


@lru_cache(256)
def _stated(version: Version, choices: Choices) -> list[dict[str, Any]]:
    return version.stated(dict(choices))


def has(version: Version, kind: str) -> bool:
    """Whether the version has a mechanism of a kind."""
    return any(row["kind"] == kind for row in version.data["mechanism"])
