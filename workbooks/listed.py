"""What the list of findings of a workbook is filled with, and the lines above it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbooks.files.rawbook import RawBook
from workbooks.record import Record
from xlcalc.results.explain import SEVERITY_LABELS, STATUS_LABELS, fact_label
from xlcalc.results.outcome import Finding, Outcome
from xlcalc.values.money import Money

FINDINGS_SHEET = "检查结果"
LINES = 100
"""How many findings the list has room for."""

_ORDER = {"block": 0, "human": 2, "warn": 3, "info": 4}


def _rank(item: Finding) -> int:
    return 1 if item.code == "E-MISSING" else _ORDER[item.severity]


def listed_findings(findings: Iterable[Finding], outcomes: Sequence[Outcome], record: Record | None) -> list[Finding]:
    """Everything for the list: what blocks first, then what is missing, each with its cell where it has one.

    What other documents have to give, or a person who looks at them, is one line.
    """

    def at(name: str | None) -> str | None:
        return record.place_of(name) if record else None

    located = [replace(item, where=item.where or at(item.fact)) for item in stale_together(findings)]
    asked = {(item.fact or "").partition(".")[0] for item in located if item.severity in ("block", "human")}
    missing = {name: None for outcome in outcomes for name in outcome.missing if name not in asked}
    located += [
        Finding("E-MISSING", "human", f"尚未填写：{fact_label(name)}。请补充后重新核算", None, at(name), name)
        for name in missing
        if at(name)
    ]
    waiting = [item.fact for item in located if item.severity == "human" and item.fact and not item.where]
    located = [item for item in located if item.severity != "human" or item.where or not item.fact]
    others = dict.fromkeys([*waiting, *(name for name in missing if not at(name))])
    if others:
        labels = "、".join(fact_label(str(name)) for name in others)
        located.append(Finding("E-ELSEWHERE", "info", f"本表没有以下 {len(others)} 项，须另行核对：{labels}"))
    return sorted(located, key=_rank)


def stale_together(findings: Iterable[Finding]) -> list[Finding]:
    """The same findings, those about results that were stored otherwise in one line.

    Whoever saves without recalculating makes all of them at once, and they would hide what has to be mended; one by
    one they stand in the run report.
    """
    given = list(findings)
    stale = [item for item in given if item.code == "E-STORED-DIFFERS"]
    if len(stale) < 2:
        return given
    message = f"保存的结果有 {len(stale)} 处与重新核算的不同，这是第一处：{stale[0].message}。逐处见运行报告"
    first = given.index(stale[0])
    others = [item for item in given if item.code != "E-STORED-DIFFERS"]
    return [*others[:first], replace(stale[0], message=message), *others[first:]]


def summary(outcomes: Sequence[Outcome], listed: Sequence[Finding]) -> str:
    """A line for each policy with its verdict, and how many findings of each kind the list has."""
    lines = [
        f"{outcome.policy_label}：{STATUS_LABELS[outcome.status]}"
        + (f"，可拨付 {outcome.payable}" if outcome.payable is not None and outcome.status == "determined" else "")
        for outcome in outcomes
    ]
    return "\n".join([*lines, _counted(listed)]) if lines else ""


def listed_rows(findings: Iterable[Finding], outcomes: Sequence[tuple[Record, Outcome]]) -> list[Finding]:
    """The same for a table: every row's own, and what is missing in it at its cell.

    What the table has no column for is the same in every row and is said in none.
    """
    located = [item for item in stale_together(findings) if item.severity != "human" or item.where]
    for record, outcome in outcomes:
        located += [
            Finding(
                "E-MISSING", "human", f"{record.key}：尚未填写{fact_label(name)}", None, record.facts_at[name], name
            )
            for name in outcome.missing
            if name in record.facts_at
        ]
    return sorted(located, key=_rank)


def summary_of_rows(records: Sequence[Record], outcomes: Sequence[Outcome], listed: Sequence[Finding]) -> str:
    """How many rows there are, of which status, what is payable in all, and how many findings."""
    if not records:
        return ""
    statuses = Counter[str](outcome.status for outcome in outcomes)
    said = [f"{label} {statuses[name]} 家" for name, label in STATUS_LABELS.items() if statuses[name]]
    paid = sum(outcome.payable.fen for outcome in outcomes if outcome.payable and outcome.status == "determined")
    said += [f"可拨付合计 {Money(paid)}"] if outcomes else []
    return "\n".join(["，".join([f"共 {len(records)} 家", *said]), _counted(listed)])


def _counted(listed: Sequence[Finding]) -> str:
    missing = sum(item.code == "E-MISSING" for item in listed)
    found: list[str] = [item.severity for item in listed if item.code != "E-MISSING"]
    counts = [(SEVERITY_LABELS[kind], found.count(kind)) for kind in SEVERITY_LABELS]
    counts.insert(1, ("尚未填写", missing))
    said = "，".join(f"{word} {count} 条" for word, count in counts if count) or "没有问题"
    # Whether an enterprise stands in another file, or the ledger refuses it, shows only when all are seen.
    return f"{said}。只核对了本文件；与其他文件、台账是否重复，见批量核算的运行报告"


def sheets_of(book: RawBook) -> dict[str, int]:
    """The place in the template of each sheet, by what it is called now."""
    found = {}
    for name in book.defined_names:
        area = book.resolve(name) if name.startswith("s_") and name[2:].isdigit() else None
        if area is not None:
            found[area.sheet] = int(name[2:])
    return found


def findings_shown(findings: Sequence[Finding], summary: str, sheets: Mapping[str, int]) -> dict[str, Any]:
    """Every cell of the list for these findings; what does not fit is counted in its last line.

    sheets: the place in the template of each sheet, by its present name.
    """
    shown = list(findings[:LINES])
    if len(findings) > LINES:
        rest = f"另有 {len(findings) - LINES + 1} 条，见运行报告"
        shown[-1] = Finding("E-MORE", "info", rest)
    places = [_place(item.where) for item in shown]
    columns: dict[str, list[Any]] = {
        "fill_finding_severity": [_severity(item) for item in shown],
        "fill_finding_message": [item.message for item in shown],
        "fill_finding_clause": [item.clause or "" for item in shown],
        "fill_finding_code": [item.code for item in shown],
        "fill_finding_where": [f"{sheet}!{ref}" if ref else "" for sheet, ref in places],
        "fill_finding_link": [f"#'{_quoted(sheet)}'!{ref}" if ref else "" for sheet, ref in places],
        "fill_finding_mark": [f"{sheets[sheet]}!{ref}" if sheet in sheets else "" for sheet, ref in places],
    }
    columns["o_finding_number"] = [*range(1, len(shown) + 1)]
    columns["o_finding_link"] = columns["fill_finding_where"]
    empty = [""] * (LINES - len(shown))
    return {name: values + empty for name, values in columns.items()} | {"fill_summary": summary}


def _severity(item: Finding) -> str:
    return "尚未填写" if item.code == "E-MISSING" else SEVERITY_LABELS[item.severity]


def _place(where: str | None) -> tuple[str, str]:
    """(sheet, cell) of a place within the workbook; a finding about nothing in particular has none."""
    sheet, mark, ref = (where or "").rpartition("!")
    return (sheet, ref) if mark else ("", "")


def _quoted(sheet: str) -> str:
    return sheet.replace("'", "''")
