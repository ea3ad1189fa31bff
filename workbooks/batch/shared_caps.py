"""A cap per enterprise that programmes share, kept over the files of one run (共用的累计上限).

Each file is computed by itself, with what it says was had before. What two files give together may be more than the
cap; where nothing enters them one after another in a ledger, neither is payable until someone settles which goes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from workbooks.batch.results import FileResult, told_apart
from workbooks.ledger.caps import Cap, caps_of
from workbooks.ledger.programmes import programmes
from workbooks.record import ReadBook, Record
from xlcalc.packs.registry import load_policy
from xlcalc.values.money import Money


def shared_caps(read: ReadBook) -> dict[str, Cap]:
    """The caps in force that a policy of a workbook shares with another, by policy."""
    return {
        policy: cap
        for policy, version in read.versions.items()
        if policy in programmes()
        for cap in caps_of(policy, version, version.full_choices(version.own_choices(read.choices)))
        if {policy} < set(cap.counts)
    }


def of_record(cap: Cap, record: Record) -> dict[str, Any]:
    """What is compared over a run: the cap, whose grants use it up, and what was had before by the form, in fen."""
    had = [record.facts.get(name) for name in cap.facts]
    return {
        "fen": cap.amount, "clause": cap.article, "policies": sorted(set(cap.counts)),
        "before": sum(amount.fen for amount in had if isinstance(amount, Money)),
    }  # fmt: skip


class _Granted(NamedTuple):
    policy: str
    path: str
    fen: int


class SharedCaps:
    """The enterprises to which files of a run give more together than a cap they share."""

    def __init__(self, results: Iterable[FileResult]) -> None:
        self._granted: dict[str, list[_Granted]] = {}
        for result in results:
            for outcome in result.brief:
                if outcome.get("shared_cap") and outcome["uscc"] and (fen := _payable(outcome)):
                    self._granted.setdefault(outcome["uscc"], []).append(_Granted(outcome["policy"], result.path, fen))

    def __call__(self, result: FileResult) -> None:
        """Holds back what of a result is more than the cap, with what else the run gives."""
        for number, outcome in enumerate(result.brief):
            cap = outcome.get("shared_cap")
            if not cap or not _payable(outcome):
                continue
            counted = [item for item in self._granted.get(outcome["uscc"], ()) if item.policy in cap["policies"]]
            total = cap["before"] + sum(item.fen for item in counted)
            if len(counted) < 2 or total <= cap["fen"]:
                continue
            result.hold_back(number)
            finding = {
                "code": "E-SHARED-CAP", "severity": "block", "clause": cap["clause"],
                "message": _said(outcome["uscc"], counted, total, cap), "where": outcome["where"],
            }  # fmt: skip
            result.tell(finding)


def _payable(outcome: Mapping[str, Any]) -> int:
    return int(outcome["payable"]["fen"]) if outcome["status"] == "determined" and outcome["payable"] else 0


def _said(uscc: str, counted: list[_Granted], total: int, cap: Mapping[str, Any]) -> str:
    names = told_apart([item.path for item in counted])
    each = "，".join(
        f"{load_policy(item.policy).label} {Money(item.fen)}（{name}）"
        for item, name in zip(counted, names, strict=True)
    )
    before = f"，此前已享受 {Money(cap['before'])}" if cap["before"] else ""
    return (
        f"“{uscc}”在本次运行中：{each}{before}，合计 {Money(total)}，超过共用的上限 {Money(cap['fen'])}。"
        "均未计入可拨付合计。请先办其中一份，把它的金额填入另一份的已享受栏后重新核算；或用台账登记（--ledger、--commit），由台账先后扣减"
    )
