"""The shapes in which a pack states the recognition of costs; cost_compile.py turns them into rules."""

from __future__ import annotations

from datetime import date
from typing import Literal, NotRequired

from typing_extensions import TypedDict


class RuleData(TypedDict):
    """The clause a rule rests on and the code of its findings."""

    clause: str
    feature: str


class ScopeData(RuleData):
    """``counted``: categories of cost."""

    counted: list[str]


class LeadData(RuleData):
    """The role that the supplier of a category should have."""

    role: str


class SupplierData(RuleData):
    """``leads``: by category."""

    roster: str
    leads: dict[str, LeadData]


class PartiesData(RuleData):
    """``applicant``: the fact that names the buyer."""

    applicant: str


class PeriodData(TypedDict):
    """The 核算期, and the clause the dates are held to."""

    clause: str
    first: date | str
    last_fact: str


class DatesData(TypedDict):
    """``columns``: the dates that have to lie in the period."""

    feature: str
    columns: list[str]


class DraftData(RuleData):
    """``columns``: papers that have to be there; ``authority`` where ``entrusted``."""

    papers_feature: str
    columns: list[str]
    entrusted: str
    authority: str


class PaymentData(RuleData):
    """``account``: which accounts of the supplier do."""

    methods: list[str]
    account: Literal["same_payee", "contract_only"]


class InvoiceData(RuleData):
    """``accepted``: kinds of invoice sheet."""

    accepted: list[str]


class DevicesData(RuleData):
    """``also_…``: other words for what the document lists. others: who decides on devices it does not name."""

    category: str
    listed: list[str]
    also_listed: list[str]
    barred: list[str]
    also_barred: list[str]
    bar_feature: str
    others: Literal["person", "excluded"]


class RegisterData(RuleData):
    """``register``: lines recognised before; ``prior``: software had before, looked for in ``categories``."""

    register: str
    prior: str
    categories: list[str]
    prices: RuleData


class TaxRatesData(RuleData):
    """Category -> usual rates."""

    rates: dict[str, list[str]]


class LowestData(RuleData):
    """``contract_…``: the clause cited where the contract is the lowest."""

    amounts: list[str]
    tax: Literal["included", "excluded"]
    contract_clause: str
    contract_feature: str


class PrepaidData(RuleData):
    """``mode``: how a part of the service period is counted."""

    categories: list[str]
    months: int
    last: date | str
    mode: Literal["day", "month"]


class ServiceCapData(RuleData):
    """``basis``: software by software, or in total."""

    services: list[str]
    software: list[str]
    basis: Literal["linked", "total"]


class CompareData(RuleData):
    """``what`` of the waterfall is held against a fact; ``categories``: of these only."""

    key: str
    label: str
    what: Literal["declared", "recognised"]
    fact: str
    categories: NotRequired[list[str]]


class Data(TypedDict):
    """What a pack says; a rule it does not state does not apply."""

    kind: Literal["cost_recognition"]
    key: str
    label: str
    lines: str
    result: str
    given: RuleData
    period: PeriodData
    minimum: LowestData
    duplicates: RuleData
    red_letters: RuleData
    scope: NotRequired[ScopeData]
    supplier: NotRequired[SupplierData]
    parties: NotRequired[PartiesData]
    content: NotRequired[RuleData]
    dates: NotRequired[DatesData]
    payment: NotRequired[PaymentData]
    draft: NotRequired[DraftData]
    invoice: NotRequired[InvoiceData]
    devices: NotRequired[DevicesData]
    related: NotRequired[RuleData]
    history: NotRequired[RegisterData]
    tax_rates: NotRequired[TaxRatesData]
    prepaid: NotRequired[PrepaidData]
    service_cap: NotRequired[ServiceCapData]
    compare: NotRequired[list[CompareData]]
