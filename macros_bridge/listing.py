"""What the listing commands print: packs, facts of a policy, facts read from a workbook."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xlcalc.facts import fact
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.mechanisms.condition_words import describe
from xlcalc.mechanisms.eligibility import Eligibility, condition_facts
from xlcalc.packs.differences import version_differences
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy, policy_ids
from xlcalc.results.explain import SEVERITY_LABELS
from xlcalc.results.trace import plain
from xlcalc.values.levels import MaturityLevel
from xlcalc.values.money import Money


def packs_document() -> dict[str, Any]:
    """Every policy with its versions, hashes and open choices."""
    rows = []
    for policy_id in policy_ids():
        policy = load_policy(policy_id)
        rows.append(
            {
                "id": policy.id,
                "label": policy.label,
                "issuer": policy.issuer,
                "checked_on": policy.checked_on.isoformat(),
                "versions": [_version(version) for version in policy.versions],
            }
        )
    return {"format": "xlcalc.packs/1", "packs": rows}


def _version(version: Version) -> dict[str, Any]:
    return {
        "id": version.id,
        "first": version.first.isoformat(),
        "last": version.last.isoformat() if version.last else None,
        "dated": version.dated,
        "pack_hash": version.hash,
        "choices": [
            {"id": item.id, "question": item.question, "default": item.default, "options": dict(item.options)}
            for item in version.interpretations.values()
            if item.kind == "choice"
        ],
        "required": [item.fact for item in version.interpretations.values() if item.kind == "required"],
    }


def packs_text(document: dict[str, Any]) -> str:
    """The same for reading."""
    lines = []
    for pack in document["packs"]:
        lines.append(f"{pack['id']}  {pack['label']}  （{pack['issuer']}，{pack['checked_on']} 核对）")
        for version in pack["versions"]:
            span = f"{version['first']} 起" if version["dated"] else "文件未注明日期"
            lines.append(f"    版本 {version['id']}（{span}）  {version['pack_hash'][:12]}")
            for choice in version["choices"]:
                options = "、".join(f"{code}={label}" for code, label in choice["options"].items())
                lines.append(f"      {choice['id']} {choice['question']}：{options}；默认 {choice['default']}")
    return "\n".join(lines)


def differences_document(policy_id: str, before: str, after: str) -> dict[str, Any]:
    """What one version of a policy drops, adds or changes against another."""
    rows = version_differences(load_policy(policy_id), before, after)
    return {
        "format": "xlcalc.differences/1",
        "policy": policy_id,
        "before": before,
        "after": after,
        "differences": [
            {
                "change": row.change, "part": row.part, "key": row.key, "before": row.before, "after": row.after,
                "features": list(row.features), "text": row.text,
            }
            for row in rows
        ],
    }  # fmt: skip


def differences_text(document: dict[str, Any]) -> str:
    """The same for reading."""
    return "\n".join(row["text"] for row in document["differences"]) or "两个版本没有不同"


def facts_document(policy_id: str) -> dict[str, Any]:
    """The inputs of a policy's newest version: id, label, type, unit, whether required, clause."""
    version = load_policy(policy_id).newest
    rows = [_fact_row("application_date", True, None)]
    seen = {"application_date"}
    for mechanism in version.mechanisms(version.full_choices({})):
        for name, required, clause in _inputs(mechanism, version):
            if name not in seen:
                seen.add(name)
                rows.append(_fact_row(name, required, clause))
    return {"format": "xlcalc.facts/1", "policy": policy_id, "version": version.id, "facts": rows, **_form(version)}


def _inputs(mechanism: Any, version: Version) -> list[tuple[str, bool, str | None]]:
    if isinstance(mechanism, Eligibility):
        return [
            (
                name,
                condition.severity == "block" and mechanism.required,
                f"{version.clauses[condition.clause].article} {describe(condition.test)}",
            )
            for condition in mechanism.conditions
            for name in condition_facts(condition)
        ]
    if hasattr(mechanism, "facts"):
        return [(name, False, mechanism.label) for name in mechanism.facts()]
    names = [getattr(mechanism, key, None) for key in ("base", "level", "by", "answers", "scenes_fact")]
    cap = getattr(mechanism, "cap", None)
    article = "、".join(dict.fromkeys(version.clauses[key].article for key in _clauses(mechanism)))
    found: list[tuple[str, bool, str | None]] = [(name, True, article) for name in names if name]
    if cap is not None:
        found += [(name, True, version.clauses[cap.clause].article) for name in cap.counts]
    return found


def _clauses(mechanism: Any) -> list[str]:
    """The clauses a calculation rests on."""
    if isinstance(mechanism, Assessment):
        return [mechanism.level_clause]
    rows = [getattr(mechanism, key, ()) for key in ("tiers", "awards")]
    found = [row.clause for group in rows for row in group]
    found += [clause for _, _, clause in getattr(mechanism, "faces", ())]
    return found or [mechanism.clause]


def _form(policy_version: Version) -> dict[str, Any]:
    """Questions with the codes of their options, and scenes with their codes, where the policy has them."""
    kinds = [row["kind"] for row in policy_version.data["mechanism"]]
    if "assessment" not in kinds:
        return {}
    assessment: Assessment = policy_version.mechanism("assessment")
    questions = [
        {
            "id": question.key,
            "label": question.text,
            "multi": question.multi,
            "options": {option.code: option.label for option in question.options},
            "figures": [name for name in (question.figures.part, question.figures.whole) if name]
            if question.figures
            else [],
        }
        for question in assessment.questions
    ]
    return {"questions": questions, "scenes": {scene.key: scene.label for scene in assessment.scenes}}


def _fact_row(name: str, required: bool, clause: str | None) -> dict[str, Any]:
    known = fact(name)
    return {
        "id": name,
        "label": known.label,
        "type": known.type,
        "unit": known.unit,
        "required": required,
        "clause": clause,
        "help": known.help,
        "options": {code: words[0] for code, words in known.options.items()} or None,
        "columns": {
            column.id: {"label": column.label, "type": column.type, "unit": column.unit}
            for column in known.columns.values()
        }
        or None,
    }


def facts_text(document: dict[str, Any]) -> str:
    """The same for reading."""
    lines = [f"{document['policy']}（版本 {document['version']}）需要："]
    for row in document["facts"]:
        unit = f"，单位 {row['unit']}" if row["unit"] else ""
        clause = f"  ← {row['clause']}" if row["clause"] else ""
        lines.append(
            f"  {row['id']}  {row['label']}（{row['type']}{unit}{'' if row['required'] else '，可不填'}）{clause}"
        )
        columns = (f"{name}={column['label']}" for name, column in (row["columns"] or {}).items())
        lines += [f"      列：{'、'.join(columns)}"] if row["columns"] else []
    for question in document.get("questions", ()):
        kind = "多选" if question["multi"] else "单选"
        options = "、".join(f"{code}={label}" for code, label in question["options"].items())
        lines.append(f"  answers.{question['id']}  {question['label']}（{kind}）：{options}")
    for code, label in document.get("scenes", {}).items():
        lines.append(f"  scenes.{code}  {label}：0–4")
    return "\n".join(lines)


def read_document(paths: Sequence[Path]) -> dict[str, Any]:
    """The facts and findings of filled workbooks, ``xlcalc.read/1``."""
    from workbooks.reader import read_workbook

    files = []
    for path in paths:
        read = read_workbook(path)
        records = [
            {
                "key": record.key,
                "where": record.where,
                "facts": {name: fact_json(value) for name, value in record.facts.items()},
                "findings": [finding.as_dict() for finding in (*read.findings, *record.findings)],
            }
            for record in read.records
        ]
        files.append(
            {"path": str(path), "template": read.form.id, "template_version": read.form.version, "records": records}
        )
    return {"format": "xlcalc.read/1", "files": files}


def fact_json(value: Any) -> Any:
    """A fact as ``calc`` accepts it again: money as text with its unit."""
    if isinstance(value, Money):
        return f"{value.yuan:.2f}元"
    if isinstance(value, MaturityLevel):
        return int(value)
    return plain(value)


def read_text(document: dict[str, Any]) -> str:
    """The same for reading."""
    lines = []
    for file in document["files"]:
        lines.append(
            f"{file['path']}  模板 {file['template']} 第 {file['template_version']} 版，{len(file['records'])} 条"
        )
        for record in file["records"]:
            lines.append(f"  {record['key']}（{record['where']}）")
            for name, value in record["facts"].items():
                lines.append(f"    {fact(name).label}：{value}")
            for finding in record["findings"]:
                word = SEVERITY_LABELS[finding["severity"]]
                lines.append(f"    [{finding['code']}] {finding['where'] or ''} {word}：{finding['message']}")
    return "\n".join(lines)
