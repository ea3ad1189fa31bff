"""A third party's review results, in whatever columns they come: whom they name, what they say, what is unclear.

The columns wanted are the enterprise, its code, the verdict and, where the file has them, the amount, the level, the
reason and the batch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbooks.ledger.acts import Source, batch_named
from workbooks.ledger.earlier_lists import NAMES, column_for, names_no_one
from workbooks.ledger.lines import source_of
from workbooks.merging.column_mapping import NOTHING_TOLD, Target, Told, signature
from workbooks.merging.foreign_table import ForeignTable, read_rows, read_tables
from workbooks.record import Record
from xlcalc.errors import InputError
from xlcalc.facts import Fact, fact
from xlcalc.values.levels import MaturityLevel
from xlcalc.values.phones import mask_phones
from xlcalc.values.text import squeeze

FORM = "ledger.third_party_review"
"""What 列对应.json names as the template."""

_VERDICT = Fact(
    "verdict", "审核结论", "text",
    aliases=(
        "审核结果", "专业审核结果", "专业审核结论", "评审结论", "评审结果", "复审结论", "复审结果", "审核意见", "结论",
        "是否通过", "第三方审核结论", "第三方审核结果",
    ),
)  # fmt: skip
_AMOUNT = Fact(
    "reviewed", "审核金额", "money",
    aliases=(
        "补贴金额", "审核补贴金额", "核定补贴金额", "拟补贴金额", "建议补贴金额", "奖补金额", "奖励金额", "核减金额",
        "发券金额", "抵扣券面额", "折扣券金额", "券面金额", "面额",
    ),
)  # fmt: skip
_REASON = Fact("reason", "原因", "text", aliases=("不通过原因", "未通过原因", "理由", "审核说明", "原因说明"))
_BATCH = Fact("batch", "批次", "text", aliases=("申报批次",))

_OF = "(?:专业审核|审核|复审|评审)?"
_GOOD = "(?:通过|合格|同意|符合(?:条件)?)"
_PASSED = re.compile(f"{_OF}{_GOOD}|核减后?通过|是|√")
_FAILED = re.compile(f"{_OF}(?:不予?|未[予能]?|没有?){_GOOD}|否|×")


@dataclass(frozen=True)
class Opinion:
    """What a third party says of one enterprise. fen, level: None where the file does not say."""

    uscc: str
    name: str
    passed: bool
    fen: int | None
    level: MaturityLevel | None
    reason: str
    place: str

    @property
    def step(self) -> str:
        """``pass`` or ``fail``, as a programme names its steps of a review."""
        return "pass" if self.passed else "fail"

    @property
    def verdict(self) -> str:
        """The verdict in Chinese."""
        return "通过" if self.passed else "不通过"


@dataclass(frozen=True)
class Unread:
    """A row nothing can be taken from, and why; uscc and name as far as they could be read."""

    place: str
    uscc: str
    name: str
    why: str


@dataclass(frozen=True)
class ReviewFile:
    """A file as read; with questions about its columns it has no rows. has_amounts: whether it has such a column."""

    tables: tuple[ForeignTable, ...]
    source: Source
    opinions: tuple[Opinion, ...] = ()
    unread: tuple[Unread, ...] = ()
    has_amounts: bool = False
    asked: dict[str, Any] | None = None

    @property
    def rows(self) -> tuple[Opinion | Unread, ...]:
        """Everything that stands in the file."""
        return (*self.opinions, *self.unread)

    @property
    def open_tables(self) -> list[ForeignTable]:
        """Those with questions."""
        return [table for table in self.tables if table.questions]


def targets_of_review() -> tuple[Target, ...]:
    """The columns a file of results is read for."""
    name, level = fact("enterprise_name"), fact("maturity_level")
    named = replace(name, aliases=(*name.aliases, *NAMES))
    reviewed = replace(level, aliases=(*level.aliases, "审核等级", "数字化水平评测等级", "现场认定等级", "等级"))
    known = [(named, True), (fact("uscc"), True)]
    return tuple(
        column_for(item, identifies)
        for item, identifies in [*known, *((item, False) for item in (_VERDICT, _AMOUNT, reviewed, _REASON, _BATCH))]
    )


def read_review(path: Path, batch: str, told: Told = NOTHING_TOLD) -> ReviewFile:
    """A file of results for a batch; nothing is guessed: a row without a code or with a verdict of its own is unread.

    Raises WorkbookRefused for a file without a table, InputError ``E-REVIEW-COLUMN`` for one without verdicts or
    codes once its columns are settled.
    """
    tables, findings = read_tables(path, targets_of_review(), told)
    source = source_of(path)
    if any(table.questions for table in tables):
        return ReviewFile(tuple(tables), source)
    opinions: list[Opinion] = []
    unread = [Unread(path.name, "", "", item.message) for item in findings if item.severity == "block"]
    for table in tables:
        _columns_needed(table)
        for record in read_rows(table):
            read = _opinion(record, path.name, batch)
            if isinstance(read, Opinion):
                opinions.append(read)
            else:
                unread.append(read)
    answers = {
        signature(table.header.columns, table.header.unit): [
            (item.target.port if item.target else None, item.unit) for item in table.proposals
        ]
        for table in tables
    }
    has_amounts = any(_has(table, _AMOUNT.id) for table in tables)
    return ReviewFile(tuple(tables), source, tuple(opinions), tuple(unread), has_amounts, {"review": {"told": answers}})


def _has(table: ForeignTable, name: str) -> bool:
    return any(item.target is not None and item.target.fact.id == name for item in table.proposals)


def _columns_needed(table: ForeignTable) -> None:
    lacking = [known.label for known in (fact("uscc"), _VERDICT) if not _has(table, known.id)]
    if lacking:
        raise InputError(
            "E-REVIEW-COLUMN", f"没有{'、'.join(f'“{label}”' for label in lacking)}一列", where=table.example,
            remedy="请让第三方补上后重新报送；列名不同的，用 --map 指定",
        )  # fmt: skip


def _opinion(record: Record, file: str, batch: str) -> Opinion | Unread:
    facts, place = record.facts, f"{file} {record.where}"
    uscc, name = str(facts.get("uscc") or ""), mask_phones(str(facts.get("enterprise_name") or ""))
    verdict = squeeze(str(facts.get(_VERDICT.id) or ""))
    why, of = names_no_one(record), facts.get(_BATCH.id)
    if not why and of and batch_named(str(of)) != batch:
        why = f"文件写的批次是“{mask_phones(str(of))[:40]}”，不是“{batch}”"
    passed = _PASSED.fullmatch(verdict) is not None
    if not why and not passed and not _FAILED.fullmatch(verdict):
        why = f"审核结论“{mask_phones(verdict)[:40]}”不是通过或不通过" if verdict else "没有审核结论"
    if why:
        return Unread(place, uscc, name, why)
    amount = facts.get(_AMOUNT.id)
    return Opinion(
        uscc, name, passed, None if amount is None else amount.fen, facts.get("maturity_level"),
        mask_phones(str(facts.get(_REASON.id) or "")), place,
    )  # fmt: skip


def named_twice(files: Sequence[ReviewFile]) -> dict[str, tuple[str, ...]]:
    """Codes that stand in more than one row of all files, with the places."""
    places: dict[str, list[str]] = {}
    for file in files:
        for row in file.rows:
            if row.uscc:
                places.setdefault(row.uscc, []).append(row.place)
    return {uscc: tuple(found) for uscc, found in places.items() if len(found) > 1}
