"""A share of the recognised cost, by maturity level, up to a cap per level (按比例、分档封顶的补贴)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.mechanisms.base import Context, fen, known_fact, share
from xlcalc.mechanisms.cells import BAD_AMOUNT, BAD_LEVEL, usable_amount
from xlcalc.results.outcome import Finding, Step, weakest
from xlcalc.values.levels import LABELS
from xlcalc.values.money import Money, percent, round_half_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "tiered_rate"


class Tier(TypedDict):
    """One level: ``rate`` such as ``70%``, ``cap`` such as ``35万元``, the clause that says both."""

    level: int
    rate: str
    cap: str
    clause: str


class Data(TypedDict):
    """What a pack says of a tiered subsidy."""

    kind: Literal["tiered_rate"]
    key: str
    label: str
    base: str
    level: str
    notch: Literal["literal", "max_of_lower_levels"]
    notch_code: str
    lowest: int
    tiers: list[Tier]


@dataclass(frozen=True, slots=True)
class CompiledTier:
    """rate as numerator and denominator, cap in fen."""

    level: int
    rate: Fraction
    cap: int
    clause: str


@dataclass(frozen=True, slots=True)
class TieredRate:
    """subsidy = min(rate × base, cap) of the level, rounded half-up to the fen; 0 below the lowest level."""

    pays: ClassVar[str | None] = "subsidy"
    key: str
    label: str
    base: str
    level: str
    take_best_lower: bool
    notch_code: str
    lowest: int
    tiers: tuple[CompiledTier, ...]

    def amount(self, base_fen: int, level: int) -> int:
        """The subsidy in fen for a recognised cost in fen and a level 0–4."""
        return max((_paid(tier, base_fen) for tier in self._paying(level)), default=0)

    def evaluate(self, context: Context) -> Step:
        """The subsidy of one enterprise, with the notch (等级倒挂) pointed out where a lower level pays more."""
        base: Money | None = context.need(self.base)
        level: int | None = context.need(self.level)
        inputs = {self.base: base, self.level: level}
        if base is None or level is None:
            return Step(self.key, KIND, self.label, inputs)
        tier = self._tier(level)
        if tier is None:
            lowest = LABELS[self.lowest]
            return Step(
                self.key, KIND, self.label, inputs,
                results={"subsidy": Money(0), "maturity_level": level},
                sentences=(f"等级为{LABELS[level]}，未达{lowest}，不予补贴（{context.article(self.tiers[0].clause)}）",),
                clauses=(self.tiers[0].clause,),
                basis=context.basis(self.tiers[0].clause),
            )  # fmt: skip
        best = max(self._paying(level), key=lambda candidate: _paid(candidate, base.fen))
        basis = context.basis(best.clause)
        exact = best.rate * base.fen
        if exact < best.cap and exact.denominator != 1:
            basis = weakest(basis, "assumed")
        return Step(
            self.key, KIND, self.label, inputs,
            results={"subsidy": Money(_paid(best, base.fen)), "maturity_level": level},
            sentences=(self._sentence(best, base, context),),
            clauses=(best.clause,),
            findings=self._notch(level, base.fen, context),
            basis=basis,
        )  # fmt: skip

    def evaluate_many(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The subsidy in fen (int64) for columns of fen and levels; negative or absurd amounts are refused."""
        import numpy as np

        from xlcalc.mechanisms.columns import checked_fen, checked_levels

        base = checked_fen(columns[self.base], self.base)
        levels = checked_levels(columns[self.level], self.level)
        paid = np.zeros(len(base), dtype=np.int64)
        for tier in self.tiers:
            up, down = 2 * tier.rate.numerator, 2 * tier.rate.denominator
            value = np.minimum((base * up + tier.rate.denominator) // down, tier.cap)
            if self.take_best_lower:
                paid = np.where(levels >= tier.level, np.maximum(paid, value), paid)
            else:
                paid = np.where(levels == tier.level, value, paid)
        return {"subsidy": paid}

    def parameters(self) -> dict[str, list[list[int | str]]]:
        """The rows of the hidden parameter table: level, rate numerator, rate denominator, cap in fen."""
        rows: list[list[int | str]] = [
            [tier.level, tier.rate.numerator, tier.rate.denominator, tier.cap] for tier in self.tiers
        ]
        return {"tiers": rows, "take_best_lower": [[int(self.take_best_lower)]]}

    def excel_cells(self, refs: Mapping[str, str]) -> dict[str, str]:
        """The native formula for ``subsidy`` (元).

        refs: ``base`` (cell in 元), ``level`` (cell holding 0–4 or ""), the parameter cells
        ``level_1``, ``up_1``, ``down_1``, ``cap_1`` … in the order of ``parameters``, ``take_best_lower``.
        """
        base, level = refs["base"], refs["level"]
        terms = []
        for row in range(1, len(self.tiers) + 1):
            up, down, cap, at = (refs[f"{name}_{row}"] for name in ("up", "down", "cap", "level"))
            applies = f"OR({level}={at},AND({refs['take_best_lower']}=1,{level}>{at}))"
            terms.append(f"IF({applies},{_paid_formula(base, up, down, cap)},0)")
        paid = f'IF({usable_amount(base)},MAX({",".join(terms)})/100,"{BAD_AMOUNT}")'
        return {"subsidy": f'=IF(OR({level}="",{base}=""),"",IF({level}<0,"{BAD_LEVEL}",{paid}))'}

    def one_tier(self, base: str, up: str, down: str, cap: str) -> str:
        """The native formula for what one tier alone would pay (元), from its parameter cells."""
        paid = f"{_paid_formula(base, up, down, cap)}/100"
        return f'=IF({base}="","",IF({usable_amount(base)},{paid},"{BAD_AMOUNT}"))'

    def tier_amount(self, level: int, base_fen: int) -> int:
        """What the tier of a level alone would pay, in fen."""
        return next(_paid(tier, base_fen) for tier in self.tiers if tier.level == level)

    def cell_values(self, base_fen: int | None, level: int | None) -> dict[str, Any]:
        """What the formulas of ``excel_cells`` show for the same inputs."""
        if base_fen is None or level is None:
            return {"subsidy": ""}
        return {"subsidy": BAD_AMOUNT if base_fen < 0 else Money(self.amount(base_fen, level))}

    def _tier(self, level: int) -> CompiledTier | None:
        return next((tier for tier in self.tiers if tier.level == level), None)

    def _paying(self, level: int) -> list[CompiledTier]:
        if self.take_best_lower:
            return [tier for tier in self.tiers if tier.level <= level]
        return [tier for tier in self.tiers if tier.level == level]

    def _sentence(self, tier: CompiledTier, base: Money, context: Context) -> str:
        exact = Money(round_half_up(tier.rate * base.fen))
        cap = Money(tier.cap)
        limit = f"未超过上限 {cap}" if exact.fen <= tier.cap else f"超过上限，按上限 {cap}"
        return (
            f"{LABELS[tier.level]}：核定投入 {base} × {percent(tier.rate)} = {exact}，{limit}"
            f"（{context.article(tier.clause)}）"
        )

    def _notch(self, level: int, base_fen: int, context: Context) -> tuple[Finding, ...]:
        """Amounts are compared as paid, so equal amounts are no notch."""
        own = self._tier(level)
        if own is None or base_fen <= 0:
            return ()
        here = _paid(own, base_fen)
        lower = [tier for tier in self.tiers if tier.level < level and _paid(tier, base_fen) > here]
        if not lower:
            return ()
        others = "，".join(
            f"{LABELS[tier.level]}可得 {Money(_paid(tier, base_fen))}"
            f"（核定投入达到 {Money(round_half_up(tier.cap / own.rate))} 起不再倒挂）"
            for tier in lower
        )
        kept = "按口径取较低等级中的较高金额" if self.take_best_lower else "本结果按验收等级计算，未作调整"
        message = f"等级倒挂：同样的投入，{others}，{LABELS[level]}为 {Money(here)}。{kept}"
        return (Finding(self.notch_code, "warn", message, context.article(own.clause), fact=self.base),)


def _paid_formula(base: str, up: str, down: str, cap: str) -> str:
    return f"MIN(INT((2*ROUND({base}*100,0)*{up}+{down})/(2*{down})),{cap})"


def _paid(tier: CompiledTier, base_fen: int) -> int:
    return min(round_half_up(tier.rate * base_fen), tier.cap)


def compile_data(data: Data) -> TieredRate:
    """Checks that the tiers are one per level, rising, and reach down to ``lowest``."""
    where = data["key"]
    known_fact(data["base"], "money", f"{where}.base")
    known_fact(data["level"], "level", f"{where}.level")
    tiers = tuple(
        CompiledTier(
            tier["level"],
            share(tier["rate"], f"{where}.tiers.{tier['level']}.rate"),
            fen(tier["cap"], f"{where}.tiers.{tier['level']}.cap"),
            tier["clause"],
        )
        for tier in data["tiers"]
    )
    levels = [tier.level for tier in tiers]
    if levels != list(range(data["lowest"], 5)):
        raise PackError(
            "E-PACK-TIERS",
            f"各档等级应从 {data['lowest']} 到 4 各出现一次，现为 {levels}",
            where=f"{where}.tiers",
            remedy="请补齐缺少的等级或删去重复的等级",
        )
    return TieredRate(
        key=where, label=data["label"], base=data["base"], level=data["level"],
        take_best_lower=data["notch"] == "max_of_lower_levels",
        notch_code=data["notch_code"], lowest=data["lowest"], tiers=tiers,
    )  # fmt: skip
