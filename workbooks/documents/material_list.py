"""材料清单: what an application has to contain, in how many copies, and what of it was found (xlsx)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from workbooks.documents.cases import Case
from workbooks.documents.grounds import ground, identity_lines
from workbooks.documents.looks import NO_DAY, Book, Column
from xlcalc.errors import InputError
from xlcalc.mechanisms.checklist import KIND, Checklist
from xlcalc.mechanisms.conditions import Seen, decide
from xlcalc.values.dates import chinese_date

TITLE = "申报材料清单"
PRESENT, LACKING, UNSEEN, NOT_ASKED = "√ 齐全", "× 缺少", "□ 未核对", "— 不适用"
_FILLS = {PRESENT: "good", LACKING: "bad"}
_COLUMNS = (
    Column("序号", 5, "centre"),
    Column("材料名称", 30),
    Column("份数", 7, "centre"),
    Column("盖章", 8, "centre"),
    Column("依据条款", 26),
    Column("核对", 11, "centre"),
    Column("备注", 11),
)


def material_list(case: Case, *, day: date | None = None) -> bytes:
    """材料清单 of one enterprise, from the lists of its policy and the ticks given; an item not looked at stays open.

    Raises InputError ``E-DOCUMENT-EMPTY`` where the policy names no materials.
    """
    lists = [item for item in case.version.mechanisms(case.choices) if isinstance(item, Checklist)]
    if not lists:
        label = case.outcome.policy_label
        raise InputError("E-DOCUMENT-EMPTY", f"“{label}”没有材料清单", where=case.outcome.policy, remedy="请核对政策")
    stated = {row["key"]: row for row in case.version.stated(case.choices) if row["kind"] == KIND}
    applied = {step.mechanism for step in case.outcome.steps}
    book = Book(TITLE)
    sheet = book.sheet(TITLE, _COLUMNS)
    sheet.title(TITLE, case.outcome.policy_label)
    sheet.sides(f"申报单位：{case.name}（盖章）", f"日期：{chinese_date(day) if day else NO_DAY}")
    sheet.head()
    number = 0
    for checklist in lists:
        if checklist.key not in applied:
            continue
        for row, state in _items(case, checklist, stated[checklist.key]):
            number += 1
            copies = f"{row['copies']} 份" if "copies" in row else ""
            sealed = "加盖公章" if row.get("sealed") else ""
            clause = str(ground(case.version, row["clause"]))
            group = checklist.label if len(lists) > 1 else ""
            sheet.line([number, row["label"], copies, sealed, clause, state, group], fills=_fill(state))
    sheet.signatures(("报送人", "接收人", "接收日期"))
    sheet.footnotes(identity_lines([case]))
    sheet.finish()
    return book.data()


def _fill(state: str) -> dict[int, str]:
    return {5: _FILLS[state]} if state in _FILLS else {}


def _items(case: Case, checklist: Checklist, stated: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each item as the pack states it, and what the ticks say of it."""
    ticks = case.facts.get(checklist.fact) or {}
    rows = {row["key"]: row for row in stated["items"]}
    for item in checklist.items:
        asked = item.when is None or decide(item.when, case.facts, Seen())
        ticked = {True: PRESENT, False: LACKING, None: UNSEEN}[ticks.get(item.key)]
        yield rows[item.key], NOT_ASKED if asked is False else ticked
