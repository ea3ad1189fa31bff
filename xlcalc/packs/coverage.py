"""Which clauses of the documents the software covers: a ledger, one row a clause, and what the packs say of each."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from xlcalc.packs.registry import load_policy, policy_ids

STATES = {
    "encoded": "已核算",
    "person": "由人判断",
    "described": "只列出",
    "not_modelled": "不建模",
    "later": "待建",
}
"""State -> its Chinese label. encoded: computed or checked · person: asked of a person, never computed ·
described: shown to people, decides nothing."""

KINDS = {
    "ELIG": "条件", "DATE": "期限", "AMT": "金额", "CAP": "封顶", "EXCL": "互斥", "QUOTA": "数量", "RATIO": "比率",
    "MAT": "材料", "WORD": "字数", "COL": "表格列", "FIELD": "填写项", "FMT": "格式", "XCHK": "互核", "SCORE": "评分",
    "STATE": "流程", "ROLE": "职责", "OUT": "产出", "META": "版本", "JUDGE": "判断",
}  # fmt: skip

_LEDGER = Path(__file__).parents[1] / "policies" / "coverage.toml"


@dataclass(frozen=True, slots=True)
class Coverage:
    """One clause. reason: why it is no more than its state says. where: the module, where no pack carries it.

    shown_by: the test, where no case of a policy shows it. policies, says: the packs that name the clause, and
    the first words they have for it.
    """

    id: str
    document: str
    clause: str
    kind: str
    severity: str
    state: str
    reason: str
    where: str
    shown_by: str
    policies: tuple[str, ...]
    says: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a policy version that names a clause; ``decides``: it is the code of a finding."""

    feature: str
    policy: str
    says: str
    decides: bool


def coverage() -> tuple[Coverage, ...]:
    """Every clause of the documents at hand, in their order, with its state and the policies that carry it."""
    named: dict[str, list[Mention]] = {}
    for mention in mentions():
        named.setdefault(mention.feature, []).append(mention)
    return tuple(_row(group, row, named) for group in ledger()["group"] for row in group["rows"])


@cache
def ledger() -> Mapping[str, Any]:
    """The ledger as it is on disk."""
    with _LEDGER.open("rb") as stream:
        return tomllib.load(stream)


def _row(group: Mapping[str, Any], row: Mapping[str, str], named: Mapping[str, list[Mention]]) -> Coverage:
    feature = f"{group['prefix']}-{row['id']}"
    found = named.get(feature, [])
    return Coverage(
        feature, group["document"], row["clause"], row["kind"], row["severity"], row["state"], row.get("reason", ""),
        row.get("where", ""), row.get("shown_by", ""), tuple(dict.fromkeys(mention.policy for mention in found)),
        next((mention.says for mention in sorted(found, key=lambda mention: not mention.decides) if mention.says), ""),
    )  # fmt: skip


def mentions() -> Iterator[Mention]:
    """Every place in every version of every policy that names a clause by its stable ID."""
    for policy_id in policy_ids():
        for version in load_policy(policy_id).versions:
            yield from _mentions(version.data, policy_id)


def _mentions(data: Any, policy: str) -> Iterator[Mention]:
    if isinstance(data, dict):
        says = str(data.get("says") or data.get("label") or "")
        for key, value in data.items():
            if key == "features":
                yield from (Mention(feature, policy, says, False) for feature in value)
            elif (key == "feature" or key.endswith("_code")) and isinstance(value, str) and value:
                yield Mention(value, policy, says, True)
            else:
                yield from _mentions(value, policy)
    elif isinstance(data, list):
        for item in data:
            yield from _mentions(item, policy)


def coverage_document() -> dict[str, Any]:
    """The ledger for programs, ``xlcalc.coverage/1``: totals by state, then the clauses."""
    rows = coverage()
    return {
        "format": "xlcalc.coverage/1",
        "totals": {state: sum(row.state == state for row in rows) for state in STATES},
        "clauses": [
            {
                "id": row.id, "document": row.document, "clause": row.clause, "kind": row.kind,
                "severity": row.severity, "state": row.state, "policies": list(row.policies), "where": row.where,
                "says": row.says, "reason": row.reason,
            }
            for row in rows
        ],
    }  # fmt: skip


def coverage_text(document: Mapping[str, Any] | None = None) -> str:
    """The same for reading: totals, then each document with its clauses."""
    shown = document or coverage_document()
    lines = [_totals(shown)]
    last = ""
    for row in shown["clauses"]:
        if row["document"] != last:
            last = row["document"]
            lines += ["", last]
        note = row["reason"] or row["says"]
        place = "、".join(row["policies"]) or row["where"]
        lines.append(
            f"  {row['id']}  {row['clause']}  {KINDS[row['kind']]}  {STATES[row['state']]}"
            + (f"  {place}" if place else "")
            + (f"  {note}" if note else "")
        )
    return "\n".join(lines)


def coverage_markdown() -> str:
    """The ledger as ``docs/coverage.md``."""
    shown = coverage_document()
    lines = [
        "# 条款覆盖",
        "",
        "所持文件的每一条款一行：软件算什么、查什么，什么由人判断，什么只列出，什么还没有做。",
        "由 `xlcalc/policies/coverage.toml` 和各政策包生成，请勿手改。",
        "重新生成：`python -m xlcalc.packs.coverage > docs/coverage.md`。",
        "",
        _totals(shown),
        "",
        "| 状态 | 含义 |",
        "|---|---|",
        "| 已核算 | 计算或核对，并有测试案例 |",
        "| 由人判断 | 提请人判断，软件不代替 |",
        "| 只列出 | 作为表格、角色、流程或说明列出，不影响结果 |",
        "| 不建模 | 有意不做，理由见说明 |",
        "| 待建 | 尚未做，理由见说明 |",
    ]
    last = ""
    for row in shown["clauses"]:
        if row["document"] != last:
            last = row["document"]
            head = ["| 编号 | 条款 | 性质 | 状态 | 所在 | 说明 |", "|---|---|---|---|---|---|"]
            lines += ["", f"## {last}", "", *head]
        place = "、".join(f"`{name}`" for name in (*row["policies"], row["where"]) if name)
        cells = (
            row["id"],
            row["clause"],
            KINDS[row["kind"]],
            STATES[row["state"]],
            place,
            row["reason"] or row["says"],
        )
        lines.append(f"| {' | '.join(cell.replace('|', '／').replace('*', '＊') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _totals(shown: Mapping[str, Any]) -> str:
    counted = "，".join(f"{STATES[state]} {count}" for state, count in shown["totals"].items() if count)
    return f"共 {len(shown['clauses'])} 条：{counted}"


if __name__ == "__main__":
    print(coverage_markdown(), end="")
