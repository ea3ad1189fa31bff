"""How long a text of an application may or must be (字数要求)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.facts import fact
from xlcalc.mechanisms.base import Context, known_fact
from xlcalc.results.outcome import Finding, Severity, Step, weakest
from xlcalc.values.word_count import MODES, count_words

KIND = "word_limits"


class Limit(TypedDict):
    """``facts``: the passages counted together; or ``table`` and ``column``: each row's passage on its own."""

    key: str
    label: str
    clause: str
    feature: str
    severity: Severity
    facts: NotRequired[list[str]]
    table: NotRequired[str]
    column: NotRequired[str]
    at_most: NotRequired[int]
    at_least: NotRequired[int]


class Data(TypedDict):
    """What a pack says of 字数; ``mode``: how they are counted."""

    kind: Literal["word_limits"]
    key: str
    label: str
    mode: str
    limits: list[Limit]


@dataclass(frozen=True, slots=True)
class CompiledLimit:
    """bounds: (least, most), None where there is none."""

    key: str
    label: str
    clause: str
    feature: str
    severity: Severity
    facts: tuple[str, ...]
    column: str | None
    bounds: tuple[int | None, int | None]

    def counts(self, facts: Mapping[str, Any], mode: str) -> Iterator[tuple[str, int, str]]:
        """(where, 字数, fact) of each text there is to count; the fact of a row's text is ``table.row.column``."""
        if self.column is not None:
            for number, row in enumerate(facts.get(self.facts[0], ()), 1):
                if self.column in row:
                    name = f"{self.facts[0]}.{number}.{self.column}"
                    yield f"第{number}行", count_words(row[self.column], mode), name
        elif all(name in facts for name in self.facts):
            yield "", sum(count_words(facts[name], mode) for name in self.facts), self.facts[0]

    def demand(self) -> str:
        """The limit in words."""
        least, most = self.bounds
        return "，".join(
            [f"不少于{least}字"] * (least is not None) + [f"不超过{most}字"] * (most is not None)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class WordLimits:
    """A text that was given is held to its limit; one that was not given is named as not checked."""

    pays: ClassVar[str | None] = None
    key: str
    label: str
    mode: str
    limits: tuple[CompiledLimit, ...]

    def facts(self) -> list[str]:
        """The passages that are counted."""
        return list(dict.fromkeys(name for limit in self.limits for name in limit.facts))

    def evaluate(self, context: Context) -> Step:
        """Findings for texts that are too long or too short, with both numbers."""
        findings, unchecked, clauses = [], [], []
        counted: dict[str, list[int]] = {}
        basis = weakest()
        for limit in self.limits:
            found = list(limit.counts(context.known, self.mode))
            if not found:
                unchecked.append(f"{limit.label}的字数")
                continue
            clauses.append(limit.clause)
            counted[limit.key] = [count for _, count, _ in found]
            least, most = limit.bounds
            for where, count, name in found:
                if (least is not None and count < least) or (most is not None and count > most):
                    basis = weakest(basis, context.basis(limit.clause))
                    by = f"多{count - most}" if most is not None and count > most else f"少{(least or 0) - count}"
                    counted_as = f"要求{limit.demand()}，按“{MODES[self.mode][0]}”计"
                    message = f"{limit.label}{where}现为{count}字，{by}字（{counted_as}）"
                    article = context.article(limit.clause)
                    findings.append(Finding(limit.feature, limit.severity, message, article, fact=name))
        met = len(counted) and not findings
        return Step(
            self.key, KIND, self.label,
            inputs={"mode": self.mode}, details={"word_counts": counted},
            sentences=(f"已核对 {len(counted)} 项字数，均符合要求",) if met else (),
            clauses=tuple(dict.fromkeys(clauses)), findings=tuple(findings), basis=basis, unchecked=tuple(unchecked),
        )  # fmt: skip


def compile_data(data: Data) -> WordLimits:
    """Checks that each limit bounds passages that exist."""
    where = data["key"]
    if data["mode"] not in MODES:
        raise PackError(
            "E-PACK-FIELD", f"没有“{data['mode']}”这种字数算法", where=where, remedy=f"可选：{'、'.join(MODES)}"
        )
    return WordLimits(where, data["label"], data["mode"], tuple(_compiled(row, where) for row in data["limits"]))


def _compiled(row: Limit, where: str) -> CompiledLimit:
    place = f"{where}.{row['key']}"
    least, most = row.get("at_least"), row.get("at_most")
    if least is None and most is None or ("table" in row) == ("facts" in row) or ("table" in row) != ("column" in row):
        raise PackError(
            "E-PACK-WORDS", "须写明 facts（或 table 和 column）以及 at_most 或 at_least",
            where=place, remedy="请补齐这一项",
        )  # fmt: skip
    if "table" in row:
        table = known_fact(row["table"], "table", place)
        column = fact(table).columns.get(row["column"])
        if column is None or column.type != "passage":
            raise PackError(
                "E-PACK-WORDS", f"“{row['column']}”不是该表的文字列", where=place, remedy="请核对列名及其类型"
            )
        names: tuple[str, ...] = (table,)
    else:
        names = tuple(known_fact(name, "passage", place) for name in row["facts"])
    return CompiledLimit(
        row["key"], row["label"], row["clause"], row["feature"], row["severity"], names, row.get("column"),
        (least, most),
    )  # fmt: skip
