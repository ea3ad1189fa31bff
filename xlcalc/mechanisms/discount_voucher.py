"""A voucher that takes a share off the approved amount, up to a cap per enterprise (折扣券)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from typing_extensions import TypedDict

from xlcalc.mechanisms.base import Context, known_fact, share
from xlcalc.mechanisms.cells import BAD_AMOUNT, usable_amount
from xlcalc.mechanisms.cumulative_cap import CapData, CumulativeCap, compile_cap
from xlcalc.results.outcome import Finding, Step, weakest
from xlcalc.values.money import Money, percent, round_half_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "discount_voucher"


class Data(TypedDict):
    """What a pack says of a discount voucher: ``rate`` is the share taken off, such as ``60%``."""

    kind: Literal["discount_voucher"]
    key: str
    label: str
    base: str
    rate: str
    clause: str
    cap_code: str
    cap: CapData


@dataclass(frozen=True, slots=True)
class DiscountVoucher:
    """reduction = min(rate × approved amount, what remains under the cap); own payment is the rest."""

    pays: ClassVar[str | None] = "reduction"
    key: str
    label: str
    base: str
    rate: Fraction
    clause: str
    cap_code: str
    cap: CumulativeCap

    def amount(self, base_fen: int, received_fen: int = 0) -> int:
        """The reduction in fen for an approved amount and what was received before, both in fen."""
        wanted = round_half_up(self.rate * base_fen)
        room = self.cap.remaining(received_fen)
        return wanted if room is None else min(wanted, room)

    def evaluate(self, context: Context) -> Step:
        """The reduction and the enterprise's own payment, both stated so that nobody pays the wrong share."""
        base: Money | None = context.need(self.base)
        received = self.cap.received(context)
        inputs = {self.base: base, **{name: context.facts.get(name) for name in self.cap.counts}}
        if base is None:
            return Step(self.key, KIND, self.label, inputs)
        exact = self.rate * base.fen
        wanted, paid = round_half_up(exact), self.amount(base.fen, received)
        clauses, basis = [self.clause], context.basis(self.clause)
        room = self.cap.remaining(received)
        if exact.denominator != 1 and (room is None or exact < room):
            basis = weakest(basis, "assumed")
        findings: tuple[Finding, ...] = ()
        if paid < wanted:
            clauses.append(self.cap.clause)
            basis = weakest(basis, context.basis(self.cap.clause))
            message = f"核减金额由 {Money(wanted)} 封顶为 {Money(paid)}"
            findings = (Finding(self.cap_code, "info", message, context.article(self.cap.clause), fact=self.base),)
        sentences = (
            f"核定金额 {base} × {percent(self.rate)} = {Money(wanted)}（{context.article(self.clause)}）",
            self.cap.sentence(wanted, received, context),
            f"核减 {Money(paid)}，企业自付 {Money(base.fen - paid)}",
        )
        return Step(
            self.key, KIND, self.label, inputs,
            results={"reduction": Money(paid), "own_payment": Money(base.fen - paid)},
            sentences=tuple(filter(None, sentences)), clauses=tuple(clauses), findings=findings, basis=basis,
        )  # fmt: skip

    def evaluate_many(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Reductions and own payments in fen (int64) for columns of fen."""
        import numpy as np

        from xlcalc.mechanisms.columns import checked_fen

        base = checked_fen(columns[self.base], self.base)
        up, down = self.rate.numerator, self.rate.denominator
        paid = (2 * base * up + down) // (2 * down)
        if self.cap.applies:
            received = sum((checked_fen(columns[name], name) for name in self.cap.counts), np.int64(0))
            paid = np.minimum(paid, np.maximum(self.cap.amount - received, 0))
        return {"reduction": paid, "own_payment": base - paid}

    def parameters(self) -> dict[str, list[list[int | str]]]:
        """The hidden parameter table: rate as numerator and denominator; the cap in fen and what counts against it."""
        return {
            "rate": [[self.rate.numerator, self.rate.denominator]],
            "cap": [[self.cap.amount, int(self.cap.applies)]],
            "counts": [[name] for name in self.cap.counts],
        }

    def excel_cells(self, refs: Mapping[str, str]) -> dict[str, str]:
        """Native formulas for ``reduction`` and ``own_payment`` (元).

        refs: ``base`` (cell in 元), ``received`` (an expression in fen), ``reduction`` (the cell of the
        first formula), ``up``, ``down``, ``cap``, ``cap_applies``.
        """
        base, up, down, cap = (refs[name] for name in ("base", "up", "down", "cap"))
        wanted = f"INT((2*ROUND({base}*100,0)*{up}+{down})/(2*{down}))"
        paid = f"IF({refs['cap_applies']}=1,MIN({wanted},MAX({cap}-({refs['received']}),0)),{wanted})"
        reduction = refs["reduction"]
        return {
            "reduction": f'=IF({base}="","",IF({usable_amount(base)},{paid}/100,"{BAD_AMOUNT}"))',
            "own_payment": f'=IF(ISNUMBER({reduction}),(ROUND({base}*100,0)-ROUND({reduction}*100,0))/100,"")',
        }

    def cell_values(self, base_fen: int | None, received_fen: int) -> dict[str, Any]:
        """What the formulas of ``excel_cells`` show for the same inputs."""
        if base_fen is None:
            return {"reduction": "", "own_payment": ""}
        if base_fen < 0:
            return {"reduction": BAD_AMOUNT, "own_payment": ""}
        paid = self.amount(base_fen, received_fen)
        return {"reduction": Money(paid), "own_payment": Money(base_fen - paid)}


def compile_data(data: Data) -> DiscountVoucher:
    """The voucher as a pack states it."""
    where = data["key"]
    known_fact(data["base"], "money", f"{where}.base")
    return DiscountVoucher(
        where, data["label"], data["base"], share(data["rate"], f"{where}.rate"), data["clause"],
        data["cap_code"], compile_cap(data["cap"], f"{where}.cap"),
    )  # fmt: skip
