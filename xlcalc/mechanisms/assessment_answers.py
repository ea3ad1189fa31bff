"""Reading the answers to a 评测表: ticks, figures in place of ticks, and figures that contradict ticks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Literal

from xlcalc.errors import InputError
from xlcalc.results.outcome import Finding
from xlcalc.values.money import Money


@dataclass(frozen=True, slots=True)
class Option:
    """One option: points in score units; ``upto``: the closed upper bound of its bracket."""

    code: str
    label: str
    units: int
    exclusive: bool
    upto: Fraction | None
    notice: str
    notice_code: str


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures a question asks for beside its options.

    kind ``count``: part of whole, integers. ``years``: one to three years of part and whole, money.
    ``change``: part (per whole) of 前年 and 上年. money: the figures that are amounts.
    """

    kind: Literal["count", "years", "change"]
    part: str
    whole: str | None
    mean_of_ratios: bool
    tolerance: Fraction
    money: frozenset[str]
    warn_above_question: str | None
    warn_above_figure: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """One scored question of the form."""

    key: str
    number: int
    text: str
    dimension: str
    item: str
    multi: bool
    options: tuple[Option, ...]
    figures: Figures | None
    printed: tuple[str, ...]

    @property
    def most(self) -> int:
        """The most score units the question can give."""
        units = [option.units for option in self.options]
        return sum(units) if self.multi else max(units)

    def index(self, code: str) -> int | None:
        """The position of an option by its code."""
        return next((i for i, option in enumerate(self.options) if option.code == code), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """ticked: positions of the options that count. implied: the position the figures point to, if any."""

    ticked: tuple[int, ...]
    implied: int | None = None
    figures: Mapping[str, Any] | None = None
    findings: tuple[Finding, ...] = ()


def read_answer(question: Question, raw: object) -> Answer | None:
    """The answer to one question, None where it is unanswered.

    Raises InputError ``E-ANSWER`` for an unknown option, ``E-TICK-NONE`` where 无 stands beside another,
    ``E-TICK-SINGLE`` for two ticks in a 单选, ``E-FIGURE`` for figures that cannot be.
    """
    where = f"answers.{question.key}"
    if isinstance(raw, Mapping):
        return _read_figures(question, raw, where)
    ticked = _read_ticks(question, raw, where)
    return Answer(ticked) if ticked else None


def _read_ticks(question: Question, raw: object, where: str) -> tuple[int, ...]:
    if raw is None:
        return ()
    codes = [raw] if isinstance(raw, str) else raw
    if not isinstance(codes, Sequence) or not all(isinstance(code, str) for code in codes):
        raise InputError(
            "E-ANSWER",
            f"第{question.number}题的答案格式不对",
            where=where,
            remedy="单选填一个选项代码，多选填选项代码的列表",
        )
    found = set()
    for code in codes:
        at = question.index(code.strip())
        if at is None:
            allowed = "、".join(option.code for option in question.options)
            raise InputError(
                "E-ANSWER", f"第{question.number}题没有选项“{code[:20]}”", where=where, remedy=f"可选：{allowed}"
            )
        found.add(at)
    if len(found) > 1 and not question.multi:
        raise InputError(
            "E-TICK-SINGLE", f"第{question.number}题为单选，却选了 {len(found)} 项", where=where, remedy="请只保留一项"
        )
    if len(found) > 1 and any(question.options[at].exclusive for at in found):
        none = next(option.label for option in question.options if option.exclusive)
        raise InputError(
            "E-TICK-NONE",
            f"第{question.number}题选了“{none}”又选了其他选项，互相矛盾",
            where=where,
            remedy=f"请去掉“{none}”或去掉其他选项",
        )
    return tuple(sorted(found))


def _read_figures(question: Question, raw: Mapping[str, object], where: str) -> Answer | None:
    figures = question.figures
    if figures is None:
        raise InputError("E-ANSWER", f"第{question.number}题不填数据", where=where, remedy="请只填选项")
    unknown = set(raw) - {"choice", *(("years",) if figures.kind == "years" else (figures.part, figures.whole))}
    if unknown:
        raise InputError(
            "E-ANSWER", f"第{question.number}题没有数据项 {sorted(unknown)}", where=where, remedy="请核对数据项的名称"
        )
    ticked = _read_ticks(question, raw.get("choice"), where)
    reader = {"count": _count_ratio, "years": _years_ratio, "change": _change}[figures.kind]
    implied, findings, read = reader(question, figures, raw, where)
    # Of a change question only the choice scores; of the others the figures may stand for it.
    if not ticked and figures.kind != "change" and implied is not None:
        ticked = (implied,)
    if not ticked:
        return None if not findings else Answer((), implied, read, findings)
    if implied is not None and implied != ticked[0]:
        message = (
            f"第{question.number}题所选“{question.options[ticked[0]].label}”与所填数据不一致，"
            f"按数据应为“{question.options[implied].label}”；按所选计分"
        )
        findings += (Finding("E-FIGURE-DIFFERS", "warn", message, fact=question.key),)
    return Answer(ticked, implied, read, findings)


_Read = tuple[int | None, tuple[Finding, ...], Mapping[str, Any]]


def _count_ratio(question: Question, figures: Figures, raw: Mapping[str, object], where: str) -> _Read:
    whole_key = figures.whole or ""
    part, whole = (_count(raw.get(key), f"{where}.{key}") for key in (figures.part, whole_key))
    read = {figures.part: part, whole_key: whole}
    if part is None or whole is None:
        return None, (), read
    if whole == 0:
        raise InputError(
            "E-FIGURE",
            f"第{question.number}题总数为0，无法计算比例",
            where=f"{where}.{whole_key}",
            remedy="请填写实际总数",
        )
    if part > whole:
        raise InputError(
            "E-FIGURE",
            f"第{question.number}题部分数量 {part} 大于总数 {whole}",
            where=f"{where}.{figures.part}",
            remedy="请核对两个数量",
        )
    return _bracket(question, Fraction(part, whole)), (), read


def _years_ratio(question: Question, figures: Figures, raw: Mapping[str, object], where: str) -> _Read:
    rows = raw.get("years")
    if rows is None:
        return None, (), {}
    whole_key = figures.whole or ""
    if not isinstance(rows, Sequence) or not 1 <= len(rows) <= 3 or not all(isinstance(row, Mapping) for row in rows):
        raise InputError(
            "E-FIGURE",
            f"第{question.number}题须填1至3年的数据",
            where=f"{where}.years",
            remedy="成立不满三年的按实际年数填写",
        )
    pairs = []
    for place, row in enumerate(rows):
        at = f"{where}.years[{place}]"
        part, whole = (_amount(row.get(key), f"{at}.{key}") for key in (figures.part, whole_key))
        if part is None or whole is None:
            return None, (), {"years": rows}
        if whole <= 0 or part < 0:
            raise InputError(
                "E-FIGURE", f"第{question.number}题营业额须大于0、投入不能为负", where=at, remedy="请核对数据"
            )
        pairs.append((part, whole))
    if figures.mean_of_ratios:
        ratio = sum((part / whole for part, whole in pairs), Fraction(0)) / len(pairs)
    else:
        ratio = sum((part for part, _ in pairs), Fraction(0)) / sum((whole for _, whole in pairs), Fraction(0))
    implied = _bracket(question, ratio)
    findings: tuple[Finding, ...] = ()
    if implied is None:
        message = f"第{question.number}题按数据计算的比例超过100%，不在任何区间内，请核对"
        findings = (Finding("E-RATIO-RANGE", "warn", message, fact=question.key),)
    return implied, findings, {"years": rows}


def _change(question: Question, figures: Figures, raw: Mapping[str, object], where: str) -> _Read:
    series = [
        _pair(raw.get(key), key in figures.money, f"{where}.{key}") for key in (figures.part, figures.whole) if key
    ]
    if any(pair is None for pair in series):
        begun = any(raw.get(key) is not None for key in (figures.part, figures.whole) if key)
        message = f"第{question.number}题缺少前年或上年的数据，无法由数据核对所选，须由评审人员判断"
        return None, (Finding("AMB-60", "human", message, fact=question.key),) if begun else (), {}
    before, after = (Fraction(1), Fraction(1))
    (part_before, part_after) = series[0] or (before, after)
    if len(series) > 1 and series[1]:
        before, after = series[1]
    if before <= 0 or after <= 0:
        message = f"第{question.number}题的分母为0或为负，无法比较两年的变化，须由评审人员判断"
        return None, (Finding("AMB-60", "human", message, fact=question.key),), {}
    # Cross-multiplied, so that nothing is rounded before the two years are compared.
    gap = part_after * before - part_before * after
    band = figures.tolerance * abs(part_before * after)
    code = "flat" if abs(gap) <= band else "increase" if gap > 0 else "decrease"
    return question.index(code), (), {}


def _bracket(question: Question, ratio: Fraction) -> int | None:
    """Brackets are left-open, right-closed; the ratio is never rounded first."""
    return next(
        (at for at, option in enumerate(question.options) if option.upto is not None and ratio <= option.upto), None
    )


def _count(value: object, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9:
        return value
    raise InputError("E-FIGURE", f"“{str(value)[:30]}”不是数量", where=where, remedy="请填写不小于0的整数")


def _amount(value: object, where: str) -> Fraction | None:
    if value is None:
        return None
    try:
        return Fraction(Money.parse(value).fen)
    except InputError as error:
        raise error.at(where) from None


def _pair(value: object, money: bool, where: str) -> tuple[Fraction, Fraction] | None:
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise InputError("E-FIGURE", "须填前年和上年两个数", where=where, remedy="请写成 [前年, 上年]")
    if any(item is None for item in value):
        return None
    if money:
        first, second = (_amount(item, where) for item in value)
        return None if first is None or second is None else (first, second)
    try:
        before, after = (_number(str(item)) for item in value)
    except (InvalidOperation, ValueError, OverflowError):
        raise InputError("E-FIGURE", f"“{str(value)[:40]}”不是两个数", where=where, remedy="请填写数字") from None
    return before, after


def _number(text: str) -> Fraction:
    number = Decimal(text)
    if abs(number.adjusted()) > 30:
        raise ValueError("an exponent this large would only exhaust the memory")
    return Fraction(number)
