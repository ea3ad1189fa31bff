"""What makes a line of an investment count or not: supplier, parties, dates, invoice, payment, kind of device."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Any, Protocol

from xlcalc.mechanisms.cost_lines import Cited, Line, alike
from xlcalc.values.dates import chinese_date
from xlcalc.values.money import Money, percent
from xlcalc.values.text import squeeze

DRAFT = "draft"
PAYMENT_DATE, DRAFT_DATE = "payment_date", "draft_received"


class RowRule(Protocol):
    """A rule that looks at one line at a time."""

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """Excludes the line, warns, or names what is missing."""


@dataclass(frozen=True, slots=True)
class Scope(Cited):
    """``counted``: the categories of cost within the scope of the subsidy."""

    counted: tuple[str, ...]

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """Which category a product or service is of, a person has said."""
        category = line.need("category")
        if category is not None and category not in self.counted:
            line.exclude(self, f"费用类别“{line.show('category')}”不在补贴范围内")


@dataclass(frozen=True, slots=True)
class OnRoster(Cited):
    """The supplier is one of the recognised providers; ``leads``: category -> role its supplier should have."""

    roster: str
    leads: Mapping[str, tuple[str, Cited]]

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """By 统一社会信用代码 where line and roster have it, else by name."""
        supplier, rows = line.need("supplier"), line.need_fact(facts, self.roster)
        if supplier is None or rows is None:
            return
        found = next((row for row in rows if _is_provider(line, row)), None)
        if found is None:
            line.exclude(self, f"服务商“{supplier}”不在经认定的服务商名录内")
            return
        role, rule = self.leads.get(line.get("category"), (None, None))
        if rule is not None and found.get("role") not in (None, role):
            line.warn(rule, f"服务商“{supplier}”不是集成服务商")


def _is_provider(line: Line, row: Mapping[str, Any]) -> bool:
    codes = line.get("supplier_uscc"), row.get("uscc")
    if all(codes):
        return alike(*codes)
    return "name" in row and alike(row["name"], line.get("supplier"))


@dataclass(frozen=True, slots=True)
class Parties(Cited):
    """Contract, invoice and payment are between the same two; ``applicant``: the fact that names the buyer."""

    applicant: str

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """Names are compared without blanks and width, codes where both stand."""
        wrong = []
        for party, papers in (("buyer", ("invoice_buyer", "payer")), ("supplier", ("invoice_seller", "payee"))):
            own = line.need(party)
            for column in papers:
                other = line.need(column)
                if own is not None and other is not None and not alike(own, other):
                    wrong.append(f"{line.label(column)}“{other}”与{line.label(party)}“{own}”不一致")
        codes = line.get("supplier_uscc"), line.get("seller_uscc")
        if all(codes) and not alike(*codes):
            wrong.append(f"{line.label('seller_uscc')}与{line.label('supplier_uscc')}不一致")
        buyer, applicant = line.get("buyer"), facts.get(self.applicant)
        if applicant is None:
            line.unchecked.append("合同甲方与申报企业是否一致")
        elif buyer is not None and not alike(buyer, applicant):
            wrong.append(f"{line.label('buyer')}“{buyer}”不是申报企业")
        if wrong:
            line.exclude(self, "；".join(wrong))


@dataclass(frozen=True, slots=True)
class Period:
    """The 核算期, both days inclusive; ``last_fact`` names the fact with its last day."""

    first: date
    last_fact: str

    def holds(self, line: Line, column: str, facts: Mapping[str, Any]) -> str | None:
        """Why a date is outside; None where it is inside or cannot be decided yet."""
        day: date | None = line.need(column)
        if day is None:
            return None
        if day < self.first:
            return f"{line.label(column)}{chinese_date(day)}早于核算期首日{chinese_date(self.first)}"
        last = line.need_fact(facts, self.last_fact)
        if last is not None and day > last:
            return f"{line.label(column)}{chinese_date(day)}晚于核算期末日{chinese_date(last)}"
        return None


@dataclass(frozen=True, slots=True)
class Dates(Cited):
    """``columns``: the dates that have to lie in the period."""

    period: Period
    columns: tuple[str, ...]

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """A draft is dated by its receipt, which is a rule of its own."""
        for column in self.columns:
            if column == PAYMENT_DATE and line.need("payment_method") in (None, DRAFT):
                continue
            outside = self.period.holds(line, column, facts)
            if outside:
                line.exclude(self, outside)


@dataclass(frozen=True, slots=True)
class Payment(Cited):
    """``methods`` that count; ``own_account_only``: only the account the contract names, else it is a warning."""

    methods: tuple[str, ...]
    own_account_only: bool

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """A transfer goes to the account of the contract."""
        method = line.need("payment_method")
        if method is None:
            return
        if method not in self.methods:
            line.exclude(self, f"付款方式为“{line.show('payment_method')}”，未通过合同乙方的开户银行转账结算")
        elif method != DRAFT:
            paid, contract = line.need("payee_account"), line.need("contract_account")
            if paid is None or contract is None or alike(paid, contract):
                return
            said = f"收款账号“{paid}”不是合同载明的账号“{contract}”"
            if self.own_account_only:
                line.exclude(self, said)
            else:
                line.warn(self, f"{said}，收款方相同，请核对是否为乙方账户")


@dataclass(frozen=True, slots=True)
class Draft(Cited):
    """Paid by 银行承兑汇票: received within the period, with its papers. columns: paper -> must be there."""

    period: Period
    papers: Cited
    columns: tuple[str, ...]
    entrusted: str
    authority: str

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """Only lines paid by draft are looked at."""
        if line.get("payment_method") != DRAFT:
            return
        outside = self.period.holds(line, DRAFT_DATE, facts)
        if outside:
            line.exclude(self, outside)
        wanted = [*self.columns, *([self.authority] if line.need(self.entrusted) else [])]
        lacking = [line.label(column) for column in wanted if line.need(column) is False]
        if lacking:
            line.exclude(self.papers, f"承兑汇票缺少：{'、'.join(lacking)}")


@dataclass(frozen=True, slots=True)
class InvoiceKind(Cited):
    """``accepted``: the kinds of invoice sheet that count."""

    accepted: tuple[str, ...]

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """The 抵扣联 is none of them."""
        kind = line.need("invoice_kind")
        if kind is not None and kind not in self.accepted:
            line.exclude(self, f"所附为“{line.show('invoice_kind')}”，须为发票联")


@dataclass(frozen=True, slots=True)
class Content(Cited):
    """A person has compared the invoice with the contract."""

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """The library compares amounts and parties, never what is described."""
        if line.need("invoice_matches") is False:
            line.exclude(self, "发票内容与合同不一致")


@dataclass(frozen=True, slots=True)
class Devices(Cited):
    """Devices by name: ``listed`` ones pass, ``barred`` ones do not, a person decides on the rest.

    ``listed_only``: the rest does not pass either.
    """

    category: str
    listed: tuple[str, ...]
    barred: tuple[str, ...]
    bar: Cited
    listed_only: bool

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """A person may let a barred device pass, and has to say why."""
        if line.get("category") != self.category:
            return
        item = line.need("item")
        if item is None:
            return
        listed, barred = matches(item, self.listed), matches(item, self.barred)
        decided = line.get("device_accepted")
        if barred and not listed:
            if decided and line.get("device_reason"):
                line.warn(self.bar, f"含“{barred}”，本不在补贴范围内；由人认可：{line.get('device_reason')}")
            else:
                line.exclude(self.bar, f"名称含“{barred}”，不在补贴范围内")
        elif listed and not barred:
            return
        elif self.listed_only:
            line.exclude(self, "不在文件所列设备之内")
        elif line.need("device_accepted") is None:
            line.ask(self, "文件未列明这种设备，须由人认定是否属于必要的数据采集传输设备")
        elif not decided:
            line.exclude(self, "经人认定，不属于必要的数据采集传输设备")


@dataclass(frozen=True, slots=True)
class Related(Cited):
    """Related parties have to explain themselves; a relation by itself takes nothing away."""

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """Whether the explanation convinces is a person's to say."""
        related = line.get("related_party")
        if related is None:
            line.unchecked.append("交易双方是否存在关联关系")
        elif related and line.get("related_explanation"):
            line.ask(self, "交易双方存在关联关系，请核查所作说明")
        elif related:
            line.warn(self, "交易双方存在关联关系，未作说明")


@dataclass(frozen=True, slots=True)
class Register(Cited):
    """Lines recognised before, of any enterprise and batch; ``prior``: the fact that lists software had before.

    twice: an invoice recognised before does not count again. prices: what others paid for the same product.
    """

    register: str
    prior: str
    applicant: str
    categories: tuple[str, ...]
    twice: Cited
    prices: Cited

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """Registers are looked into where there are any; without them nothing is held up."""
        rows = facts.get(self.register, ())
        for row in rows:
            if _both(line, row, "invoice_no"):
                line.exclude(self.twice, f"发票号码 {line.get('invoice_no')} 已在{_whose(row)}核算")
        others = [row for row in rows if not self._own(row, facts)]
        shared = next((row for row in others if _both(line, row, "contract_no")), None)
        if shared is not None:
            line.warn(self, f"合同编号 {line.get('contract_no')} 也出现在{_whose(shared)}，请核查")
        paid = [row["amount"].fen for row in others if "amount" in row and _both(line, row, "item")]
        if paid:
            said = f"其他企业的同名产品最低 {Money(min(paid))}，最高 {Money(max(paid))}（{len(paid)} 笔）"
            line.tell(self.prices, said)
        had = facts.get(self.prior, ())
        if line.get("category") in self.categories and any(_both(line, row, "item") for row in had):
            line.warn(self, "核算期前已有同名软件，请核查是否“新瓶装旧酒”")

    def _own(self, row: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
        applicant = facts.get(self.applicant)
        return applicant is None or alike(row.get("enterprise"), applicant)


def _both(line: Line, row: Mapping[str, Any], column: str) -> bool:
    """Whether line and row have the same in a column, and neither is empty."""
    return line.get(column) is not None and column in row and alike(line.get(column), row[column])


def _whose(row: Mapping[str, Any]) -> str:
    return f"“{row.get('enterprise', '其他企业')}”{row.get('batch', '')}"


@dataclass(frozen=True, slots=True)
class TaxRates(Cited):
    """The rates at which a category is usually invoiced: an assumption, so that another rate is only pointed out."""

    rates: Mapping[str, tuple[Fraction, ...]]

    def apply(self, line: Line, facts: Mapping[str, Any]) -> None:
        """The document asks for the fitting rate and names none."""
        usual = self.rates.get(line.get("category"))
        rate = line.get("tax_rate")
        if usual is None:
            return
        if rate is None:
            line.unchecked.append(line.label("tax_rate"))
        elif rate not in usual:
            shown = "、".join(percent(value) for value in usual)
            said = f"发票税率 {percent(rate)} 与“{line.show('category')}”通常的 {shown} 不同"
            line.warn(self, f"{said}（税率表为约定，未见于文件），请核对")


@lru_cache(maxsize=4096)
def matches(name: str, words: tuple[str, ...]) -> str | None:
    """The first of the words that stands in a name; Latin words stand alone, so that OA is not in LOAD."""
    text = squeeze(name).upper()
    for word in words:
        wanted = squeeze(word).upper()
        edge = "[A-Z]" if wanted.isascii() else "(?!)"
        if re.search(f"(?<!{edge}){re.escape(wanted)}(?!{edge})", text):
            return word
    return None
