"""``xlcalc review FROM.xlsx -o REVIEW.xlsx`` and ``xlcalc review-merge PATH… -o FILE``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from macros_bridge.options import require_free
from xlcalc.errors import InputError
from xlcalc.results.explain import SEVERITY_LABELS
from xlcalc.results.outcome import Finding

if TYPE_CHECKING:
    from workbooks.review.merge import MergedReviews


def review_command(
    report: Annotated[Path, typer.Argument(metavar="FROM", help="企业填报的自评估报告")],
    output: Annotated[Path, typer.Option("-o", "--output", help="评审工作簿写到哪个 .xlsx 文件")],
) -> None:
    """由自评估报告生成评审工作簿：自评栏已填好，口径和政策版本与报告相同；报告中读不出的内容逐条列出。"""
    from macros_bridge.column_questions import write_new
    from workbooks.reader import read_workbook
    from workbooks.review.prefill import review_of

    require_free(output)
    read = read_workbook(_existing(report))
    data = review_of(read)
    write_new(output, data)
    for finding in [*read.findings, *(finding for record in read.records for finding in record.findings)]:
        print(_line(finding))
    print(f"已生成 {output}")


def review_merge_command(
    paths: Annotated[list[Path], typer.Argument(help="同一企业的评审工作簿")],
    output: Annotated[Path, typer.Option("-o", "--output", help="对照表写到哪个 .xlsx 文件")],
    as_json: Annotated[bool, typer.Option("--json", help="只输出一个 JSON 文档")] = False,
) -> None:
    """把几位评审人对同一企业的评审工作簿并列对照，列出分歧；不取平均。有须处理的事项时退出码为 1。"""
    from macros_bridge.column_questions import write_new
    from workbooks.review.merge import merge_reviews

    require_free(output)
    merged = merge_reviews([_existing(path) for path in paths])
    write_new(output, merged.data)
    if as_json:
        sys.stdout.write(json.dumps(merge_document(merged, output), ensure_ascii=False, indent=2) + "\n")
    else:
        print("\n".join(_line(finding) for finding in merged.findings))
        print(f"{merged.enterprise}：{len(merged.voices)} 份意见，{len(merged.disagreements)} 项分歧，已写入 {output}")
    raise typer.Exit(int(merged.blocking))


def merge_document(merged: MergedReviews, output: Path) -> dict[str, Any]:
    """The ``xlcalc.review-merge/1`` document."""
    voices = [
        {
            "label": voice.label, "person": voice.person or None, "role": voice.opinion.key, "file": voice.file,
            "date": voice.day.isoformat() if voice.day else None,
        }
        for voice in merged.voices
    ]  # fmt: skip
    items = [
        {
            "key": item.key, "label": item.label, "self": item.own or None, "states": list(item.states),
            "entries": [entry or None for entry in item.entries], "evidence": item.evidence or None,
        }
        for item in merged.items
    ]  # fmt: skip
    return {
        "format": "xlcalc.review-merge/1",
        "enterprise": merged.enterprise,
        "output": str(output),
        "voices": voices,
        "items": items,
        "findings": [finding.as_dict() for finding in merged.findings],
    }


def _line(finding: Finding) -> str:
    place = f"{finding.where}：" if finding.where else ""
    return f"[{finding.code}] {place}{SEVERITY_LABELS[finding.severity]}：{finding.message}"


def _existing(path: Path) -> Path:
    if not path.exists():
        raise InputError("E-FILE", "没有这个文件", where=str(path), remedy="请检查路径")
    return path
