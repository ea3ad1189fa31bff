"""Results under which nothing is payable yet or at all, for the screen: what is missing, and why, in a line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbooks.batch.tasks import FileResult
from xlcalc.results.explain import STATUS_LABELS, fact_label

_MOST_FILES, _MOST_RECORDS, _MOST_FACTS, _FIRST_FACTS, _LONGEST = 20, 20, 12, 3, 80
_UNPAID = ("not_eligible", "not_determined")


def missing_lines(named: Callable[[str], str], result: FileResult) -> Iterator[str]:
    """What is missing in a file, a line for each enterprise with the cells to fill in; named: what a file is called."""
    missing: dict[tuple[str, str], dict[str, str | None]] = {}
    for outcome in result.brief:
        at = outcome.get("missing_at", {})
        if outcome["missing"]:
            key = outcome["name"] or outcome["record"], outcome["where"]
            missing.setdefault(key, {}).update((name, at.get(name)) for name in outcome["missing"])
    for (name, where), facts in list(missing.items())[:_MOST_RECORDS]:
        first = next((cell for cell in facts.values() if cell), where)
        own = [f"{fact_label(fact)}（{cell.rpartition('!')[2]}）" for fact, cell in facts.items() if cell]
        others = [fact_label(fact) for fact, cell in facts.items() if not cell]
        parts = [f"尚未填写 {len(own)} 项：{_some(own)}"] if own else []
        parts += [f"本表没有、须另行核对 {len(others)} 项：{_some(others)}"] if others else []
        yield f"[E-MISSING] {named(result.path)} {first}：{name}：{'；'.join(parts)}。补齐后结果才能确定"
    if len(missing) > _MOST_RECORDS:
        yield f"[E-MISSING] {named(result.path)}：另有 {len(missing) - _MOST_RECORDS} 家尚缺内容，用 --json 可得全部"


def _some(labels: list[str]) -> str:
    return "、".join(labels[:_MOST_FACTS]) + ("等" if len(labels) > _MOST_FACTS else "")


class Unpaid:
    """The files of a run with results that are not payable; the report has all of them."""

    def __init__(self, named: Callable[[str], str]) -> None:
        self._named = named
        self._lines: list[str] = []
        self._more = 0

    def add(self, result: FileResult) -> None:
        """Notes a file, with the reason of the first result of each kind."""
        if not any(outcome["status"] in _UNPAID for outcome in result.brief):
            return
        if len(self._lines) == _MOST_FILES:
            self._more += 1
            return
        parts = []
        for status in _UNPAID:
            found = [outcome for outcome in result.brief if outcome["status"] == status]
            if found:
                others = "如 " if len(found) > 1 else ""
                reason = f"{found[0]['name'] or found[0]['record']}：{_reason(result, found[0])}"
                parts.append(f"{STATUS_LABELS[status]} {len(found)} 项，{others}{reason}")
        self._lines.append(f"{self._named(result.path)}：{'；'.join(parts)}")

    def lines(self) -> Iterator[str]:
        """A line for each of the first files, and how many others there are."""
        yield from self._lines
        if self._more:
            yield f"另有 {self._more} 份文件有不可拨付的结果，见运行报告的“逐企业结果”表"


def _reason(result: FileResult, outcome: Mapping[str, Any]) -> str:
    if outcome["missing"]:
        labels = "、".join(map(fact_label, outcome["missing"][:_FIRST_FACTS]))
        more = f"等 {len(outcome['missing'])} 项" if len(outcome["missing"]) > _FIRST_FACTS else ""
        return f"尚缺{labels}{more}"
    for finding in outcome["findings"]:
        if finding["severity"] == "block":
            message = finding["message"]
            return f"[{finding['code']}] {message[:_LONGEST]}{'…' if len(message) > _LONGEST else ''}"
    # What stops a file is on the screen by then: of its row first, then of anything in it.
    blocks = [finding for finding in result.findings if finding["severity"] == "block"]
    blocks.sort(key=lambda finding: finding["where"] != outcome["where"])
    return f"[{blocks[0]['code']}] 见上" if blocks else "见运行报告"
