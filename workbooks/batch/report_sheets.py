"""The sheets of a run report that list: results, findings, what may have been changed, files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from workbooks.batch.report_pages import ListPage, ReportBook
from workbooks.batch.report_tally import STATE_LABELS, is_change
from workbooks.batch.results import FileResult
from workbooks.batch.tasks import Skipped, shown
from workbooks.ranges import ranges_of
from xlcalc.packs.registry import load_policy
from xlcalc.results.explain import BASIS_LABELS, RESULT_LABELS, SEVERITY_LABELS, STATUS_LABELS, fact_label
from xlcalc.values.levels import LABELS

_ROW_HEIGHT = 42
_COUNTED = ("score", "maturity_level", "scenes_at_level", "mandatory_at_level")
_RESULTS = (*_COUNTED, "face_value", "reduction", "own_payment", "recognised_cost", "subsidy", "award")
_NAMED, _BLOCKS, _CHANGES = 3, 20, 20
"""Rows of one kind a file gets: of findings, of those that block, of changed cells; the others share one row."""
_LONGEST = 200
_CHANGED_FIRST = ("E-PARAMETER", "E-FORMULA-CHANGED")
_PARTICULARS = re.compile(
    r"“[^“”]*”|[^\s：、，“”（）]+\.(?:xls\w?|xlt\w|csv|ods|et|wps|zip)|[0-9A-Za-z][0-9A-Za-z,.:%-]*|：[^：；）]*(?=[；）])"
)
"""What differs between findings that say the same: what is quoted, file names, figures and codes, and given values."""
_RANK = {"block": 0, "human": 1, "warn": 2, "info": 3}


class OutcomesPage(ListPage):
    """A row for each result, with its derivation; used: the results that some policy of this run has."""

    def __init__(self, report: ReportBook, used: set[str]) -> None:
        self._keys = [key for key in _RESULTS if key in used]
        columns = [
            ("文件", 22.0),
            ("位置", 13),
            ("企业", 26),
            ("代码或行", 20),
            ("政策", 20),
            ("版本", 11),
            ("状态", 12),
        ]
        columns += [(RESULT_LABELS[key], 9 if key in _COUNTED else 13) for key in self._keys]
        columns += [
            ("可拨付（元）", 14),
            ("依据（每步及条款）", 80),
            ("尚缺", 40),
            ("口径及另一口径的结果", 50),
            ("数值依据", 14),
        ]
        super().__init__(report, "逐企业结果", columns)
        self.page.sheet.set_row(0, 44)
        self.page.sheet.freeze_panes(1, 3)

    def add(self, result: FileResult) -> None:
        """The rows of one file."""
        file = self.named(result.path)
        blocks: dict[str | None, list[str]] = {}
        for name, finding in _findings(result):
            if finding["severity"] == "block":
                blocks.setdefault(name, []).append(finding["message"])
        for outcome in result.brief:
            if (row := self.next_row()) is not None:
                self._outcome(row, file, outcome, _open_matters(outcome, blocks))

    def _outcome(self, row: int, file: str, outcome: Mapping[str, Any], still_open: str) -> None:
        page, status, payable = self.page, outcome["status"], outcome["payable"]
        # Three lines; whoever wants all of a derivation opens the cell, or the result itself.
        page.sheet.set_row(row, _ROW_HEIGHT)
        name, record, policy = outcome["name"], outcome["record"], _label_of(outcome["policy"])
        page.line(row, (file, outcome["where"], name, record if record != name else None, policy, outcome["version"]))
        page.put(row, 6, STATUS_LABELS[status], {"not_eligible": "block", "not_determined": "warn"}.get(status, "text"))
        for column, key in enumerate(self._keys, 7):
            page.put(row, column, *_shown(key, outcome["results"].get(key)))
        tail = 7 + len(self._keys)
        page.put(row, tail, payable["fen"] / 100 if payable else None, "money")
        page.line(row, (
            "\n".join(sentence for step in outcome["steps"] for sentence in step["sentences"]),
            still_open,
            "\n".join(_choice_text(choice) for choice in outcome["choices"]),
            BASIS_LABELS[outcome["basis"]],
        ), first=tail + 1)  # fmt: skip

    def end(self) -> None:
        """Filters; the reasons are read on screen, what is printed ends with the money."""
        super().end()
        self.page.sheet.print_area(0, 0, max(self._row, 1), 7 + len(self._keys))


def _open_matters(outcome: Mapping[str, Any], blocks: Mapping[str | None, list[str]]) -> str:
    """What a result lacks, and what of its enterprise or its file holds it back.

    blocks: what is said by enterprise, under None of the file.
    """
    told = ["、".join(fact_label(name) for name in outcome["missing"])] if outcome["missing"] else []
    if outcome["status"] == "not_determined":
        messages = [message for name in dict.fromkeys((outcome["name"], None)) for message in blocks.get(name, ())]
        told += [f"须先处理：{message[:_LONGEST]}" for message in messages[:_NAMED]]
        told += [f"等 {len(messages)} 项，见“提示与问题”表"] if len(messages) > _NAMED else []
    return "\n".join(told)


@cache
def _label_of(policy: str) -> str:
    return load_policy(policy).label


def _shown(key: str, value: Any) -> tuple[Any, str]:
    if isinstance(value, dict):
        return value["fen"] / 100, "money"
    if key == "maturity_level" and value is not None:
        return LABELS[value], "text"
    if key == "score" and value is not None:
        return float(value), "number"
    return value, "count"


def _choice_text(choice: Mapping[str, Any]) -> str:
    others = []
    for code, changes in choice["alternatives"].items():
        parts = [f"{RESULT_LABELS.get(key, key)} {_plain(key, value)}" for key, value in changes.items()]
        others.append(f"若按 {code}：{'，'.join(parts)}")
    return f"{choice['id']} 按 {choice['chosen']}；{'；'.join(others)}"


def _plain(key: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['yuan']} 元"
    if key == "maturity_level":
        return LABELS[value]
    return STATUS_LABELS.get(str(value), str(value))


@dataclass
class _Told:
    """What several findings of a file say in the same words: of which enterprises, at which cells, how often."""

    message: str
    names: dict[str, None] = field(default_factory=dict)
    cells: list[str] = field(default_factory=list)
    times: int = 0

    def add(self, name: str | None, where: str | None) -> None:
        """One more."""
        self.times += 1
        self.names |= {name: None} if name else {}
        self.cells += [where] if where else []

    def with_rest(self, others: Sequence[_Told], kind: str = "此类") -> _Told:
        """The same for findings that say it with other figures and names; kind: what all of them are called."""
        every = (self, *others)
        times = sum(told.times for told in every)
        return _Told(
            f"{self.message}（{kind}共 {times} 处，逐条见结果文件的“检查结果”表，或用 xlcalc check 查看）",
            {name: None for told in every for name in told.names}, [at for told in every for at in told.cells], times,
        )  # fmt: skip


class FindingsPage(ListPage):
    """The findings of each file, the worst first, with a link where someone has to look; the same words share a row.

    A file with many of one kind has a row for all of them; what blocks has its own as far as ``_BLOCKS`` go.
    """

    def __init__(self, report: ReportBook) -> None:
        columns = [
            ("文件", 24.0), ("企业", 20), ("单元格", 28), ("程度", 10), ("编号", 16), ("条款", 16), ("处数", 7),
            ("说明及处理办法", 74),
        ]  # fmt: skip
        super().__init__(report, "提示与问题", columns)

    def add(self, result: FileResult) -> None:
        """The rows of one file."""
        kinds: dict[tuple[str, str, str], list[tuple[str | None, Mapping[str, Any]]]] = {}
        for name, finding in _findings(result):
            kind = (finding["severity"], finding["code"], finding["clause"] or "")
            kinds.setdefault(kind, []).append((name, finding))
        file, page = self.named(result.path), self.page
        for (severity, code, clause), found in sorted(kinds.items(), key=lambda item: _RANK[item[0][0]]):
            for told in _told(found, severity):
                if (row := self.next_row()) is None:
                    return
                page.line(row, (file, _many(told.names, _BLOCKS if severity == "block" else 2)))
                if severity == "info":
                    page.put(row, 2, ranges_of(told.cells))
                else:
                    page.link(row, 2, result, ranges_of(told.cells), told.cells[0] if told.cells else None)
                page.put(row, 3, SEVERITY_LABELS[severity], severity if severity in ("block", "warn") else "text")
                page.line(row, (code, clause, told.times, told.message), ("text", "text", "count"), first=4)


def _findings(result: FileResult) -> Iterator[tuple[str | None, Mapping[str, Any]]]:
    """Every finding of a file and, where it is one enterprise's, the enterprise: its row's, or the only one's."""
    rows = {_row_of(outcome["where"]): outcome["name"] for outcome in result.brief}
    only = next(iter(rows.values())) if len(set(rows.values())) == 1 else None
    yield from ((only or rows.get(_row_of(finding["where"])), finding) for finding in result.findings)
    for outcome in result.brief:
        yield from ((outcome["name"], finding) for finding in outcome["findings"])


def _row_of(where: str | None) -> tuple[str, str]:
    """(sheet, row) of a place."""
    sheet, _, ref = (where or "").rpartition("!")
    return sheet, ref.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _told(found: Iterable[tuple[str | None, Mapping[str, Any]]], severity: str) -> Iterator[_Told]:
    """Findings of one code as they are told: those of the same words together, and not too many of what says the same.

    One code may stand for several rules, whose words are never told for one another.
    """
    said: dict[str, _Told] = {}
    for name, finding in found:
        message = finding["message"]
        said.setdefault(message, _Told(message)).add(name, finding["where"])
    alike: dict[str, list[_Told]] = {}
    for told in said.values():
        alike.setdefault(_PARTICULARS.sub("…", told.message), []).append(told)
    for several in list(alike.values())[:_BLOCKS]:
        singly = len(several) if len(several) <= _NAMED else _BLOCKS if severity == "block" else 0
        yield from several[:singly]
        if rest := several[singly:]:
            yield rest[0].with_rest(rest[1:])
    if others := [told for several in list(alike.values())[_BLOCKS:] for told in several]:
        yield others[0].with_rest(others[1:], "这样的和其他说法的")


def _many(names: Collection[str], most: int) -> str:
    return "、".join(names) if len(names) <= most else f"{next(iter(names))} 等 {len(names)} 家"


class ChangesPage(ListPage):
    """What a file holds and should not: parameters and results that differ from ours, side by side, and other formulas.

    Of many results, the last ones share a row where results.jsonl has them one by one.
    """

    def __init__(self, report: ReportBook) -> None:
        columns = [("文件", 30.0), ("单元格", 24), ("编号", 18), ("文件中的值", 34), ("重新核算的值", 34), ("说明", 60)]
        super().__init__(report, "可能改动过", columns)

    def add(self, result: FileResult) -> None:
        """The rows of one file: parameters first, which change every result, then formulas."""
        found = [finding for finding in result.findings if is_change(finding)]
        found.sort(key=_change_rank)
        named_first = sum(_change_rank(finding) < len(_CHANGED_FIRST) for finding in found)
        singly = named_first + _CHANGES if result.brief else len(found)
        for finding in found[:singly]:
            texts = [finding.get(key) for key in ("code", "stored", "computed", "message")]
            self._line(result, finding["where"], finding["where"], texts)
        if rest := found[singly:]:
            cells = [finding["where"] for finding in rest]
            more = f"另有 {len(rest)} 处，逐处的值见 results.jsonl，或用 xlcalc check 查看"
            codes = "、".join(dict.fromkeys(finding["code"] for finding in rest))
            texts = [codes, _distinct(rest, "stored"), _distinct(rest, "computed"), more]
            self._line(result, ranges_of(cells), cells[0], texts)

    def _line(self, result: FileResult, shown: str, where: str, texts: Sequence[str | None]) -> None:
        if (row := self.next_row()) is not None:
            self.page.put(row, 0, self.named(result.path))
            self.page.link(row, 1, result, shown, where)
            self.page.line(row, texts, ("text", "warn"), first=2)


def _change_rank(finding: Mapping[str, Any]) -> int:
    code = finding["code"]
    return _CHANGED_FIRST.index(code) if code in _CHANGED_FIRST else len(_CHANGED_FIRST)


def _distinct(found: Iterable[Mapping[str, Any]], key: str) -> str:
    text = "、".join(dict.fromkeys(f"“{finding[key]}”" for finding in found))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class FilesPage(ListPage):
    """A row for each file and what became of it, with a link to its result."""

    def __init__(self, report: ReportBook) -> None:
        columns = [
            ("文件", 54.0),
            ("状态", 10),
            ("结果文件", 46),
            ("结果数", 9),
            ("不予通过", 10),
            ("原因及处理办法", 54),
        ]
        super().__init__(report, "文件", columns)
        self._report = report

    def add(self, result: FileResult) -> None:
        """The row of one file."""
        if (row := self.next_row()) is None:
            return
        done = result.state == "done"
        blocks = [finding for finding in result.findings if finding["severity"] == "block"]
        against = sum(finding["severity"] == "block" for outcome in result.brief for finding in outcome["findings"])
        against += len(blocks)
        reason = "" if done else "；".join(f"[{item['code']}] {item['message']}" for item in blocks)
        self.page.line(
            row, (self.named(result.path), STATE_LABELS[result.state]), ("text", "text" if done else "block")
        )
        self.page.link(row, 2, result, self._report.below(result))
        self.page.line(row, (len(result.brief), against, reason), ("count", "count"), first=3)

    def add_skipped(self, skipped: Iterable[Skipped]) -> None:
        """Everything that was not worked on, with the reason."""
        for item in skipped:
            if (row := self.next_row()) is None:
                return
            self.page.line(row, (self.named(shown(item.path)), "未处理", None, None, None, item.reason))
