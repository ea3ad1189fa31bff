"""The ledger of clauses: complete, true to the packs and their cases, and as printed in docs/coverage.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from casebook import json_facts, policy_cases

from xlcalc import evaluate, evaluation, load_policy
from xlcalc.errors import XlcalcError
from xlcalc.packs.coverage import (
    KINDS,
    STATES,
    Coverage,
    coverage,
    coverage_document,
    coverage_markdown,
    coverage_text,
    ledger,
    mentions,
)
from xlcalc.packs.registry import policy_ids

ROOT = Path(__file__).parents[1]
LISTED = ROOT.parent / "shared" / "domain" / "features.md"
IDS = [f"{group['prefix']}-{row['id']}" for group in ledger()["group"] for row in group["rows"]]
DECISIVE = {"ELIG", "DATE", "AMT", "CAP", "EXCL", "QUOTA", "RATIO", "MAT", "WORD", "SCORE", "XCHK", "FMT"}
"""The kinds that are computed or asked of a person; a clause of another kind may be no more than described."""
MAY_WAIT = {"STATE", "OUT", "COL", "FIELD"}
MOST_EXCEPTIONS = 12
NO_CLAUSE = re.compile(r"E-[A-Z-]+|AMB-\d+")
"""Codes of errors, and of ambiguities, which may be pointed out in their own name."""


@cache
def rows() -> dict[str, Coverage]:
    return {row.id: row for row in coverage()}


def named(*, decides: bool = False) -> set[str]:
    """The clauses that packs name, or those that are the code of a finding."""
    return {
        mention.feature for mention in mentions()
        if not NO_CLAUSE.fullmatch(mention.feature) and (mention.decides or not decides)
    }  # fmt: skip


def test_every_clause_stands_once() -> None:
    assert len(IDS) == len(set(IDS)) == 394
    assert list(rows()) == IDS
    for group in ledger()["group"]:
        assert [row["id"] for row in group["rows"]] == [f"{n:02d}" for n in range(1, len(group["rows"]) + 1)]
    if LISTED.is_file():
        cells = [
            [cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in LISTED.read_text(encoding="utf-8").splitlines()
            if re.match(r"\| [A-Z]+(-[A-Z]+)*-\d+ \|", line)
        ]
        assert {row[0]: (row[4], row[5]) for row in cells} == {row.id: (row.kind, row.severity) for row in coverage()}


def test_every_row_is_sound() -> None:
    for row in coverage():
        assert row.clause and row.kind in KINDS and row.state in STATES and row.severity in "BWIH", row.id
        assert row.state == "person" or row.kind != "JUDGE", f"{row.id}: a judgement is a person's"
        assert row.state != "person" or row.kind == "JUDGE" or row.severity == "H", f"{row.id}: no judgement"
        assert row.state in ("encoded", "person") or row.reason, f"{row.id}: why not more?"
        assert not row.where or (ROOT / row.where).is_file(), row.where


def test_what_decides_is_not_left_for_later() -> None:
    waiting = set()
    for row in coverage():
        if row.kind in DECISIVE:
            done = row.state in ("encoded", "person")
        else:
            done = row.kind in MAY_WAIT or row.state not in ("later", "not_modelled")
        waiting |= set() if done else {row.id}
    assert waiting == set(ledger()["exceptions"])


def test_the_exceptions_are_few_and_say_why() -> None:
    exceptions = ledger()["exceptions"]
    assert len(exceptions) <= MOST_EXCEPTIONS
    assert all(exceptions.values())


@cache
def shown() -> set[str]:
    """The clauses that cases show: as the code of a finding, by name, or because an outcome cites the clause."""
    found: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        # Other readings of an outcome show nothing that the case itself does not.
        patch.setattr(evaluation, "_choices_that_matter", lambda *_: ())
        for case in policy_cases():
            found |= {*case.expect.get("findings", ()), *case.features}
            try:
                outcome = evaluate(
                    case.policy, json_facts(case.facts), on=case.on, version=case.version, choices=case.choices
                )
            except XlcalcError:
                continue
            version = load_policy(case.policy).version(outcome.version)
            cited = {clause for step in outcome.steps for clause in step.clauses}
            found |= {code for row in version.data["clause"] if row["key"] in cited for code in row["features"]}
    return found


def test_what_is_encoded_is_shown() -> None:
    encoded = [row for row in coverage() if row.state == "encoded"]
    assert [row.id for row in encoded if not row.shown_by and row.id not in shown()] == []
    for row in encoded:
        if row.shown_by:
            file, _, name = row.shown_by.partition("::")
            tests = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            assert name in {node.name for node in ast.walk(tests) if isinstance(node, ast.FunctionDef)}, row.shown_by
            assert row.where or row.policies, f"{row.id}: what does it"


def test_a_finding_is_of_a_clause_that_is_checked() -> None:
    findings = named(decides=True)
    assert {code for code in findings if rows()[code].state not in ("encoded", "person")} == set()
    assert findings - {code for case in policy_cases() for code in case.expect.get("findings", ())} == set()


def test_what_is_described_stands_in_a_pack() -> None:
    told = [row for row in coverage() if row.state in ("described", "person")]
    assert [row.id for row in told if not row.policies and not row.where] == []


def test_packs_name_only_clauses_there_are() -> None:
    assert named() <= set(IDS)


def codes_of_cases() -> Iterator[tuple[str, str]]:
    for case in policy_cases():
        for code in (*case.expect.get("findings", ()), *case.expect.get("not_findings", ()), *case.features):
            yield case.id, code


def test_cases_name_only_clauses_there_are() -> None:
    unknown = {(case, code) for case, code in codes_of_cases() if code not in IDS and not NO_CLAUSE.fullmatch(code)}
    assert unknown == set()


def test_every_ambiguity_is_dealt_with() -> None:
    held = {
        item.id
        for policy in policy_ids()
        for version in load_policy(policy).versions
        for item in version.interpretations.values()
    }
    elsewhere = ledger()["ambiguities_elsewhere"]
    wanted = {f"AMB-{number:02d}" for number in range(1, 107)}
    assert wanted - held == set(elsewhere)
    assert all(elsewhere.values())


def test_the_ledger_for_programs_and_for_reading() -> None:
    document = coverage_document()
    assert document["format"] == "xlcalc.coverage/1"
    assert sum(document["totals"].values()) == len(document["clauses"]) == len(IDS)
    text = coverage_text(document)
    assert text.startswith(f"共 {len(IDS)} 条")
    assert all(f"\n  {code}  " in text for code in IDS)


def test_the_printed_ledger_is_up_to_date() -> None:
    printed = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    assert printed == coverage_markdown(), "python -m xlcalc.packs.coverage > docs/coverage.md"
