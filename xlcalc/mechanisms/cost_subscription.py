"""Subscriptions and upkeep paid in advance: only the time up to a last day counts (预付订阅、运维服务的折算)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from xlcalc.mechanisms.cost_lines import Cited, Line
from xlcalc.mechanisms.cost_rules import DRAFT, DRAFT_DATE, PAYMENT_DATE
from xlcalc.values.dates import add_months, chinese_date

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Prepaid(Cited):
    """At most ``months`` from the payment and at most to ``last``; ``categories`` may be paid in advance."""

    categories: tuple[str, ...]
    months: int
    last: date
    by_month: bool

    def ask(self, line: Line) -> None:
        """Whether the line is a prepayment, and for which time; a time that ends before it begins decides nothing."""
        if line.get("category") not in self.categories or not line.need("prepaid"):
            return
        start, end = line.need("service_start"), line.need("service_end")
        line.need(_paid_on(line))
        if start is not None and end is not None and end < start:
            line.waits_for.append(f"{line.label('service_end')}{chinese_date(end)}早于{line.label('service_start')}")

    def share(self, line: Line) -> tuple[Fraction, str] | None:
        """The share of the amount that counts, and why; None for what is not paid in advance."""
        if line.get("category") not in self.categories or not line.get("prepaid"):
            return None
        start, end = line.cells["service_start"], line.cells["service_end"]
        until = self.counted_until(end, line.cells[_paid_on(line)])
        counted, whole = self.units(start, until), self.units(start, end)
        unit = "个月" if self.by_month else "天"
        said = f"服务期 {start:%Y-%m-%d} 至 {end:%Y-%m-%d} 共 {whole} {unit}"
        limit = f"，核算至 {until:%Y-%m-%d} 计 {counted} {unit}" if counted else f"，在 {until:%Y-%m-%d} 之后"
        return Fraction(counted, whole), said + limit

    def counted_until(self, end: date, paid: date) -> date:
        """The last day that counts, for a service that ends on a day and was paid on another."""
        return min(end, add_months(paid, self.months) - _DAY, self.last)

    def units(self, start: date, until: date) -> int:
        """Days, or months of which one begun counts as whole, both days inclusive; 0 for a day before the start."""
        if until < start:
            return 0
        if not self.by_month:
            return (until - start).days + 1
        begun = (until.year - start.year) * 12 + until.month - start.month
        return begun + 1 if add_months(start, begun) <= until else begun


def _paid_on(line: Line) -> str:
    """A draft is paid when it is received."""
    return DRAFT_DATE if line.get("payment_method") == DRAFT else PAYMENT_DATE
