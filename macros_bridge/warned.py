"""What a recalculation warns of, for the screen: each kind once, with how often and an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbooks.batch.file_names import FileNames
from workbooks.batch.tasks import FileResult
from xlcalc.results.explain import SEVERITY_LABELS

_MOST_KINDS, _LONGEST = 20, 200


@dataclass
class _Kind:
    """Warnings of one code. last: the file of the latest."""

    example: str
    count: int = 0
    files: int = 0
    last: str = ""


class Warned:
    """Counts as the results go by; the warnings themselves stand in the run report.

    named: what a file with a path is called.
    """

    def __init__(self, named: Callable[[str], str] | None = None) -> None:
        self._named = named or FileNames()
        self._kinds: dict[str, _Kind] = {}

    def add(self, result: FileResult) -> None:
        """Counts the warnings of a file and of its outcomes."""
        for finding in (*result.findings, *(item for outcome in result.brief for item in outcome["findings"])):
            if finding["severity"] == "warn":
                example = f"{place(self._named, result, finding)}：{finding['message']}"[:_LONGEST]
                kind = self._kinds.setdefault(finding["code"], _Kind(example))
                kind.count += 1
                kind.files += kind.last != result.path
                kind.last = result.path

    def lines(self) -> Iterator[str]:
        """A line for each kind, the most frequent first."""
        word = SEVERITY_LABELS["warn"]
        kinds = sorted(self._kinds.items(), key=lambda item: -item[1].count)
        for code, kind in kinds[:_MOST_KINDS]:
            yield f"[{code}] {word} {kind.count} 条，在 {kind.files} 份文件中，如 {kind.example}"
        if len(kinds) > _MOST_KINDS:
            yield f"另有 {len(kinds) - _MOST_KINDS} 种{word}，见运行报告"


def place(named: Callable[[str], str], result: FileResult, finding: Mapping[str, Any]) -> str:
    """The file, and the cell where there is one; named: what a file with a path is called."""
    name = named(result.path)
    return name if finding["where"] in (None, Path(result.path).name) else f"{name} {finding['where']}"
