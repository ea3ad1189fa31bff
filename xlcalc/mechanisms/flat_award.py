"""A fixed award per direction or prize (定额奖补)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import InputError, PackError
from xlcalc.facts import fact
from xlcalc.mechanisms.base import Context, fen, known_fact
from xlcalc.results.outcome import Step
from xlcalc.values.money import Money

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "flat_award"


class Award(TypedDict):
    """``code``: the option of the deciding fact, absent where one award goes to everyone."""

    code: NotRequired[str]
    label: str
    amount: str
    clause: str


class Data(TypedDict):
    """What a pack says of a fixed award; ``by``: the fact that decides which, absent for a single award."""

    kind: Literal["flat_award"]
    key: str
    label: str
    by: NotRequired[str]
    awards: list[Award]


@dataclass(frozen=True, slots=True)
class CompiledAward:
    """amount in fen."""

    code: str | None
    label: str
    amount: int
    clause: str


@dataclass(frozen=True, slots=True)
class FlatAward:
    """award = the amount of the direction or prize; once per enterprise, which only a register can tell."""

    pays: ClassVar[str | None] = "award"
    key: str
    label: str
    by: str | None
    awards: tuple[CompiledAward, ...]

    def evaluate(self, context: Context) -> Step:
        """The award of one enterprise; an option the document does not list is an error."""
        code = context.need(self.by) if self.by else None
        inputs = {self.by: code} if self.by else {}
        if self.by and code is None:
            return Step(self.key, KIND, self.label, inputs)
        award = next((award for award in self.awards if award.code == code), None)
        if award is None:
            listed = "、".join(award.label for award in self.awards)
            raise InputError("E-OPTION", f"没有“{code}”这一类奖补", where=self.by, remedy=f"可选：{listed}")
        return Step(
            self.key, KIND, self.label, inputs,
            results={"award": Money(award.amount)},
            sentences=(f"{award.label}：{Money(award.amount)}（{context.article(award.clause)}）",),
            clauses=(award.clause,), basis=context.basis(award.clause),
        )  # fmt: skip

    def evaluate_many(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Awards in fen (int64) for a column of option codes; without a deciding fact, for any column's length."""
        import numpy as np

        if self.by is None:
            rows = len(next(iter(columns.values())))
            return {"award": np.full(rows, self.awards[0].amount, dtype=np.int64)}
        codes = columns[self.by]
        paid = np.zeros(len(codes), dtype=np.int64)
        known = np.zeros(len(codes), dtype=bool)
        for award in self.awards:
            here = codes == award.code
            paid[here], known = award.amount, known | here
        if not known.all():
            row = int(np.flatnonzero(~known)[0])
            raise InputError(
                "E-COLUMN", f"列 {self.by} 第 {row} 行不是已列出的类别", where=self.by, remedy="请先处理该行"
            )
        return {"award": paid}

    def parameters(self) -> dict[str, list[list[int | str]]]:
        """The hidden parameter table: the option's label and the amount in fen."""
        rows: list[list[int | str]] = [[self._shown(award), award.amount] for award in self.awards]
        return {"awards": rows}

    def excel_cells(self, refs: Mapping[str, str]) -> dict[str, str]:
        """The native formula for ``award`` (元). refs: ``by`` (cell with the label), ``code_n``, ``amount_n``."""
        if self.by is None:
            return {"award": f"={refs['amount_1']}/100"}
        by = refs["by"]
        rows = range(1, len(self.awards) + 1)
        matched = "+".join(f"({by}={refs[f'code_{n}']})" for n in rows)
        paid = "+".join(f"({by}={refs[f'code_{n}']})*{refs[f'amount_{n}']}" for n in rows)
        return {"award": f'=IF({by}="","",IF({matched}=0,"类别有误",({paid})/100))'}

    def _shown(self, award: CompiledAward) -> str:
        return fact(self.by).show(award.code) if self.by else award.label


def compile_data(data: Data) -> FlatAward:
    """Checks that every award has its own code."""
    where = data["key"]
    if "by" in data:
        known_fact(data["by"], "option", f"{where}.by")
    awards = tuple(
        CompiledAward(
            award.get("code"), award["label"],
            fen(award["amount"], f"{where}.awards.{award.get('code', '')}"), award["clause"],
        )
        for award in data["awards"]
    )  # fmt: skip
    codes = [award.code for award in awards]
    decided = "by" in data
    if not awards or len(set(codes)) != len(codes) or (None in codes) == decided:
        raise PackError(
            "E-PACK-AWARD", "每一类奖补须有且只有一个代码", where=f"{where}.awards", remedy="请补齐或去重 code"
        )
    return FlatAward(where, data["label"], data.get("by"), awards)
