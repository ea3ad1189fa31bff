"""资格审查表 and 审核意见表: what was decided on each condition, and the places where people give their opinion."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workbooks.documents.cases import Case, Run
from workbooks.documents.demands import LABELS, Demand, demands
from workbooks.documents.grounds import identity_lines, policy_label, reviewers
from workbooks.documents.looks import Book, Column, Sheet
from workbooks.documents.verdicts import FAILED, FILLS, MET, OPEN, PERSON, REMINDER, Verdict, tally, verdicts
from xlcalc.results.explain import RESULT_LABELS, STATUS_LABELS, show
from xlcalc.values.amount_words import amount_in_words
from xlcalc.values.money import Money

REVIEW, SUMMARY, OPINION = "资格审查表", "资格审查汇总表", "审核意见表"
_CONDITIONS = (
    Column("序号", 5, "centre"),
    Column("审查事项", 27),
    Column("结论", 9, "centre"),
    Column("依据条款", 27),
    Column("证据（所填内容）", 27),
)
_WORDS = (MET, FAILED, OPEN, PERSON, REMINDER)


def review_sheet(case: Case, *, day: date | None = None) -> bytes:
    """资格审查表 of one enterprise: every condition with its verdict, clause and evidence, and the reviewers' places.

    day: the day of the review, printed at the top.
    """
    book = Book(REVIEW)
    sheet = book.sheet(REVIEW, _CONDITIONS)
    found = verdicts(case)
    counts = tally(found)
    sheet.title(REVIEW, case.outcome.policy_label)
    about = _about(case, day)
    for left, right in zip(about[::2], about[1::2], strict=True):
        sheet.sides("：".join(left), "：".join(right))
    told = "，".join(f"{word} {counts[word]} 项" for word in _WORDS if counts[word])
    sheet.paragraph(f"自动审查结论：{STATUS_LABELS[case.outcome.status]}（{told or '没有可审查的条件'}）", bold=True)
    sheet.head()
    for number, verdict in enumerate(found, 1):
        sheet.line([number, *_cells(verdict)], fills={2: _fill(verdict)})
    for who in reviewers(case.version) or ["审查单位"]:
        sheet.opinion(f"{who}审查意见")
    sheet.signatures(("初审人", "复核人"))
    sheet.footnotes([_EXPLAINED, *identity_lines([case])])
    sheet.finish()
    return book.data()


_EXPLAINED = "“待定”为所需内容尚未填写；“须人确认”为条款要求由人判断。自动审查依据所填内容，不代替对材料原件的核验。"


def _cells(verdict: Verdict) -> tuple[str, str, str, str]:
    word = f"{verdict.word}\n（{REMINDER}）" if verdict.word == FAILED and verdict.only_warns else verdict.word
    return verdict.says, word, str(verdict.ground or ""), verdict.evidence


def _fill(verdict: Verdict) -> str:
    return "doubt" if verdict.only_warns and verdict.word != MET else FILLS[verdict.word]


def _about(case: Case, day: date | None) -> list[tuple[str, str]]:
    level = case.level
    return [
        ("企业名称", case.name), ("统一社会信用代码", case.uscc),
        ("所属行业", case.told("industry")), ("数字化水平", level.label if level is not None else ""),
        ("申报日期", _day(case.outcome.application_date)), ("审查日期", _day(day)),
    ]  # fmt: skip


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def review_summary(run: Run, policy: str, *, day: date | None = None) -> bytes:
    """资格审查汇总表 of one policy: one row an enterprise, then every condition of every enterprise, to be filtered.

    Raises InputError ``E-DOCUMENT-EMPTY`` where no enterprise applied for the policy.
    """
    cases = run.needed(policy)
    found = [(case, verdicts(case)) for case in cases]
    book = Book(SUMMARY)
    columns = (
        Column("序号", 5, "centre"), Column("企业名称", 23), Column("统一社会信用代码", 21, "code"),
        Column("审查结论", 12, "centre"), *(Column(word, 7, "count") for word in _WORDS),
        Column("不符合的事项", 40), Column("备注", 10),
    )  # fmt: skip
    sheet = book.sheet("汇总", columns, landscape=True)
    sheet.title(SUMMARY, policy_label(policy))
    sheet.sides("审查单位：（盖章）", f"审查日期：{_day(day) or '    年   月   日'}")
    sheet.head()
    for number, (case, rows) in enumerate(found, 1):
        counts = tally(rows)
        failed = "；".join(row.says for row in rows if row.stops)
        status = case.outcome.status
        sheet.line(
            [number, case.name, case.uscc, STATUS_LABELS[status], *(counts[word] for word in _WORDS), failed, None],
            fills={3: _STATUS_FILLS[status]},
        )
    sheet.signatures(("制表人", "复核人", "负责人"))
    sheet.footnotes([_EXPLAINED, *identity_lines(cases)])
    sheet.finish()
    _every_condition(book, found)
    return book.data()


_STATUS_FILLS = {"determined": "good", "not_determined": "doubt", "not_eligible": "bad", "not_in_force": "bad"}


def _every_condition(book: Book, found: Sequence[tuple[Case, list[Verdict]]]) -> None:
    columns = (Column("企业名称", 20), *_CONDITIONS[1:], Column("所在位置", 14, "centre"))
    sheet = book.sheet("逐项", columns, landscape=True)
    sheet.head()
    for case, rows in found:
        for row in rows:
            sheet.line([case.name, *_cells(row), case.where], fills={2: _fill(row)})
    sheet.filter()
    sheet.finish()


def opinion_sheet(case: Case, *, day: date | None = None) -> bytes:
    """审核意见表 of one enterprise: the results with their derivation, what was found, and a box for each reviewer.

    An amount stands in figures and in words; what is not determined is left open and says why.
    """
    book = Book(OPINION)
    sheet = book.sheet(OPINION, [Column("", 16), *(Column("", 21) for _ in range(4))])
    sheet.title(OPINION, case.outcome.policy_label)
    sheet.fields([*_about(case, day), *_results(case)])
    sentences = [sentence for step in case.outcome.steps for sentence in step.sentences]
    _box(sheet, "核算依据", sentences)
    found = [f"{_labelled(demand)}{_place(demand.where)}" for demand in demands([case])]
    _box(sheet, "审核发现", found or ["无"])
    for who in reviewers(case.version) or ["审核单位"]:
        sheet.opinion(f"{who}审核意见", height=84)
    sheet.footnotes(identity_lines([case]))
    sheet.finish()
    return book.data()


def _labelled(demand: Demand) -> str:
    """What is demanded under its label, once."""
    label = f"{LABELS[demand.kind]}："
    return label + demand.says.removeprefix(label)


def _place(where: str) -> str:
    return f"（{where}）" if where else ""


def _box(sheet: Sheet, label: str, lines: Sequence[str]) -> None:
    """Sentences one below the other under a label, each in a row of its own, so that any number of them fits."""
    sheet.paragraph(label, bold=True, boxed=True, size=10.5)
    for number, line in enumerate(lines, 1):
        sheet.paragraph(f"{number}. {line}" if len(lines) > 1 else line, boxed=True, size=10)


def _results(case: Case) -> list[tuple[str, str]]:
    rows = [
        (RESULT_LABELS.get(key, key), show(value, key))
        for key, value in case.outcome.results.items()
        if key not in ("gap_to_next", "maturity_level")
    ]
    payable = case.payable
    rows.append(("结论", STATUS_LABELS[case.outcome.status]))
    if case.pays:
        rows.append(("可拨付金额", _in_words(payable) if payable is not None else "尚不能确定"))
    return rows


def _in_words(amount: Money) -> str:
    return f"{amount}（{amount_in_words(amount)}）"
