"""What remains of a line of an investment: double invoices, 红字发票, the lowest amount, services beside software."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from xlcalc.mechanisms.cost_lines import Cited, Line, ordered, same_key
from xlcalc.mechanisms.cost_subscription import Prepaid
from xlcalc.values.money import Money, percent, round_half_up

INVOICE, CONTRACT, DECLARED = "invoice_amount", "contract_amount", "declared_amount"


@dataclass(frozen=True, slots=True)
class Duplicates(Cited):
    """An invoice counts once. It may be split over lines that all state its face value, up to that value."""

    def apply(self, lines: Iterable[Line]) -> None:
        """The smallest of several lines with one number is kept, so that a doubled invoice never gains."""
        for group in _by_key(lines, "invoice_no").values():
            if len(group) == 1 or _split(group):
                continue
            kept, *others = ordered(group)
            for line in others:
                line.exclude(self, f"发票号码 {line.get('invoice_no')} 已在第{kept.row}行列支，且未按票面金额分行")


def _split(group: list[Line]) -> bool:
    faces = {line.get("invoice_face") for line in group}
    face = next(iter(faces))
    if len(faces) > 1 or face is None or any(line.get(INVOICE) is None for line in group):
        return False
    return bool(sum(line.fen(INVOICE) for line in group) <= face.fen)


@dataclass(frozen=True, slots=True)
class RedLetters(Cited):
    """A 红字发票 takes its amount off the invoice it offsets; more than that invoice holds is an error."""

    def ask(self, line: Line) -> None:
        """What a red-letter line has to say."""
        line.need("invoice_no")
        line.need("offsets_invoice")

    def apply(self, red: Iterable[Line], lines: Iterable[Line]) -> None:
        """Several lines of one invoice are reduced one after the other, independent of their order."""
        found = list(lines)
        targets = _by_key(found, "invoice_no")
        known = {same_key(line.get("invoice_no")) for line in found}
        for number, group in _by_key(red, "offsets_invoice").items():
            blue = [line for line in targets.get(number, ()) if line.get(INVOICE) is not None]
            once = {
                same_key(line.get("invoice_no")): line for line in sorted(group, key=lambda line: -line.fen(INVOICE))
            }
            credit = -sum(line.fen(INVOICE) for line in once.values())
            if number not in known:
                group[0].warn(self, f"所冲销的发票 {group[0].get('offsets_invoice')} 不在明细内")
            elif blue and credit > sum(line.fen(INVOICE) for line in blue):
                said = f"红字发票合计 {Money(credit)}，超过所冲销的发票 {blue[0].get('invoice_no')}"
                for line in blue:
                    line.waits_for.append(said)
            else:
                for line in ordered(blue):
                    line.credited = min(credit, line.fen(INVOICE))
                    credit -= line.credited


def _by_key(lines: Iterable[Line], column: str) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if not line.excluded and line.get(column) is not None:
            found[same_key(line.get(column))].append(line)
    return found


@dataclass(frozen=True, slots=True)
class Lowest(Cited):
    """The lowest of the ``amounts`` counts, and never more than was declared; rounded once, half-up to the fen."""

    amounts: tuple[str, ...]
    without_tax: bool
    by_contract: Cited
    by_red_letter: Cited

    def ask(self, line: Line) -> None:
        """The amounts that are compared."""
        for column in (DECLARED, *self.amounts, *(["tax_rate"] if self.without_tax else [])):
            line.need(column)

    def compare(self, lines: Iterable[Line]) -> None:
        """Points out a contract whose amount stands on each of its lines and is less than what they invoice."""
        for group in _by_key(lines, "contract_no").values():
            stated = {line.get(CONTRACT) for line in group}
            invoiced = sum(line.fen(INVOICE) - line.credited for line in group if line.get(INVOICE) is not None)
            amount = stated.pop()
            if len(group) > 1 and not stated and amount is not None and invoiced > amount.fen:
                first = ordered(group)[0]
                said = f"合同编号 {first.get('contract_no')} 的 {len(group)} 行发票合计 {Money(invoiced)}"
                less = f"超过各行所填合同金额 {amount}；合同金额须为各行所对应的部分，请核对"
                first.warn(self.by_contract, f"{said}，{less}")

    def settle(self, line: Line, prepaid: Prepaid | None) -> bool:
        """Sets the amount of a line that lacks nothing; True where rounding decided a fen."""
        found = {DECLARED: line.fen(DECLARED)} | {column: line.fen(column) for column in self.amounts}
        if INVOICE in found:
            found[INVOICE] -= line.credited
        column, base = min(found.items(), key=lambda pair: pair[1])
        self._explain(line, column, found[DECLARED] - base, base)
        exact = Fraction(base)
        if self.without_tax:
            exact /= 1 + line.cells["tax_rate"]
            tax = base - round_half_up(exact)
            line.deduct(self, tax, f"不含税，按税率 {percent(line.cells['tax_rate'])} 扣除税额")
        shared = prepaid.share(line) if prepaid else None
        before = round_half_up(exact)
        if shared and prepaid:
            exact *= shared[0]
            line.deduct(prepaid, before - round_half_up(exact), shared[1])
        line.amount = round_half_up(exact)
        return exact.denominator != 1

    def _explain(self, line: Line, column: str, less: int, base: int) -> None:
        rule: Cited = self
        said = f"{line.label(column)} {Money(base)} 低于申报金额"
        if column == CONTRACT:
            rule = self.by_contract
        elif column == INVOICE and line.credited:
            rule = self.by_red_letter
            said = f"发票金额冲减红字 {Money(line.credited)} 后为 {Money(base)}"
        line.deduct(rule, less, said)


@dataclass(frozen=True, slots=True)
class ServiceCap(Cited):
    """Services count up to what is recognised of their software; ``linked``: software by software, else in total."""

    services: tuple[str, ...]
    software: tuple[str, ...]
    linked: bool

    def ask(self, line: Line) -> None:
        """The software a service belongs to."""
        if self.linked and line.get("category") in self.services:
            line.need("linked_item")

    def apply(self, lines: Iterable[Line]) -> None:
        """Cuts from the last line on; while software is undecided, a service beyond what is decided waits."""
        found = list(lines)
        bought: dict[str, list[Line]] = defaultdict(list)
        served: dict[str, list[Line]] = defaultdict(list)
        for line in found:
            if line.get("category") in (*self.software, None):
                bought[self._key(line, "item")].append(line)
            elif line.get("category") in self.services and not line.undecided and not line.excluded:
                served[self._key(line, "linked_item")].append(line)
        for key, services in served.items():
            self._cut(services, bought.get(key, []))

    def _key(self, line: Line, column: str) -> str:
        return same_key(line.get(column)) if self.linked else ""

    def _cut(self, services: list[Line], software: list[Line]) -> None:
        room = sum(line.amount or 0 for line in software if not line.undecided)
        waiting = [line for line in software if line.undecided]
        if waiting and sum(line.amount or 0 for line in services) > room:
            for line in services:
                line.waits_for.append(f"对应的软件（第{'、'.join(str(other.row) for other in waiting)}行）尚未核定")
            return
        for line in services:
            own = line.amount or 0
            line.amount = min(own, room)
            line.deduct(self, own - line.amount, self._said(line, software, room))
            room -= line.amount

    def _said(self, line: Line, software: list[Line], room: int) -> str:
        if not software:
            named = f"“{line.get('linked_item')}”" if self.linked else ""
            return f"对应的软件{named}不在明细内"
        whole = sum(other.amount or 0 for other in software)
        used = f"，其他服务费已占用 {Money(whole - room)}" if room < whole else ""
        return f"实施服务费超过相应软件的核定金额 {Money(whole)}{used}"
