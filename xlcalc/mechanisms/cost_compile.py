"""What a pack says of the recognition of costs, checked against the catalogue and turned into rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xlcalc.errors import PackError
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.base import known_fact, share
from xlcalc.mechanisms.cost_lines import Cited
from xlcalc.mechanisms.cost_reductions import Duplicates, Lowest, RedLetters, ServiceCap
from xlcalc.mechanisms.cost_rules import (
    Content,
    Dates,
    Devices,
    Draft,
    InvoiceKind,
    OnRoster,
    Parties,
    Payment,
    Period,
    Register,
    Related,
    RowRule,
    Scope,
    TaxRates,
)
from xlcalc.mechanisms.cost_shapes import (
    CompareData,
    Data,
    DevicesData,
    DraftData,
    PrepaidData,
    RegisterData,
    ServiceCapData,
    SupplierData,
)
from xlcalc.mechanisms.cost_subscription import Prepaid
from xlcalc.values.dates import parse_date


@dataclass(frozen=True, slots=True)
class Comparison:
    """``recognised``: the total is held against the fact, else what was declared."""

    fact: str
    label: str
    clause: str
    feature: str
    recognised: bool
    categories: tuple[str, ...]


COLUMNS: Mapping[str, str] = {
    "item": "text", "category": "option", "linked_item": "text", "declared_amount": "money",
    "buyer": "text", "supplier": "text", "supplier_uscc": "uscc", "contract_no": "text",
    "contract_date": "date", "contract_amount": "money", "contract_account": "text",
    "invoice_no": "text", "invoice_kind": "option", "invoice_date": "date", "invoice_amount": "money",
    "invoice_face": "money", "tax_rate": "share", "invoice_buyer": "text", "invoice_seller": "text",
    "seller_uscc": "uscc", "invoice_matches": "bool", "offsets_invoice": "text",
    "payment_date": "date", "payment_amount": "money", "payment_method": "option", "payer": "text", "payee": "text",
    "payee_account": "text", "draft_received": "date",
    "prepaid": "bool", "service_start": "date", "service_end": "date",
    "related_party": "bool", "related_explanation": "text", "device_accepted": "bool", "device_reason": "text",
}  # fmt: skip
"""The columns of a table of lines and their types."""


def compile_parts(data: Data) -> dict[str, Any]:
    """The fields of the mechanism, by name."""
    where = data["key"]
    table = _table(data["lines"], where)
    for category in _categories(data):
        _known_option(table, "category", category, where)
    result = known_fact(data["result"], "money", f"{where}.result")
    rules = tuple(_rules(data, table, where))
    minimum = data["minimum"]
    red = Cited(**data["red_letters"])
    return {
        "table": table.id, "result": result, "given": Cited(**data["given"]), "rules": rules,
        "lowest": Lowest(
            minimum["clause"], minimum["feature"],
            tuple(_known_column(table, name, "money", where) for name in minimum["amounts"]),
            minimum["tax"] == "excluded", Cited(minimum["contract_clause"], minimum["contract_feature"]), red,
        ),
        "duplicates": Duplicates(**data["duplicates"]), "red_letters": RedLetters(**data["red_letters"]),
        "prepaid": _prepaid(data.get("prepaid")), "service_cap": _service_cap(data.get("service_cap")),
        "compared": tuple(_comparison(row, where) for row in data.get("compare", ())),
        "wanted": tuple(_wanted(data)),
    }  # fmt: skip


def _table(name: str, where: str) -> Fact:
    table = fact(known_fact(name, "table", f"{where}.lines"))
    for column, kind in COLUMNS.items():
        _known_column(table, column, kind, where)
    return table


def _known_column(table: Fact, name: str, kind: str, where: str) -> str:
    if name not in table.columns or table.columns[name].type != kind:
        raise PackError(
            "E-PACK-COST",
            f"表“{table.id}”须有类型为 {kind} 的列“{name}”",
            where=where,
            remedy="请核对 facts.toml 中的列",
        )
    return name


def _known_option(table: Fact, column: str, code: str, where: str) -> str:
    options = table.columns[column].options
    if code not in options:
        raise PackError(
            "E-PACK-COST", f"列“{column}”没有取值“{code}”", where=where, remedy=f"可用：{'、'.join(options)}"
        )
    return code


def _categories(data: Data) -> Iterator[str]:
    """Every category a rule names."""
    if "scope" in data:
        yield from data["scope"]["counted"]
    if "supplier" in data:
        yield from data["supplier"]["leads"]
    if "devices" in data:
        yield data["devices"]["category"]
    if "tax_rates" in data:
        yield from data["tax_rates"]["rates"]
    if "prepaid" in data:
        yield from data["prepaid"]["categories"]
    if "history" in data:
        yield from data["history"]["categories"]
    if "service_cap" in data:
        yield from (*data["service_cap"]["services"], *data["service_cap"]["software"])
    for row in data.get("compare", ()):
        yield from row.get("categories", ())


def _wanted(data: Data) -> Iterable[str]:
    if "supplier" in data:
        yield data["supplier"]["roster"]
    if "parties" in data:
        yield data["parties"]["applicant"]
    if "history" in data:
        yield from (data["history"]["register"], data["history"]["prior"])
    yield data["period"]["last_fact"]


def _rules(data: Data, table: Fact, where: str) -> Iterator[RowRule]:
    """The rules on single lines; the first that fails takes the amount, so the order is that of a reviewer."""
    period = Period(
        parse_date(data["period"]["first"]), known_fact(data["period"]["last_fact"], "date", f"{where}.period")
    )
    if "scope" in data:
        scope = data["scope"]
        yield Scope(scope["clause"], scope["feature"], tuple(scope["counted"]))
    if "supplier" in data:
        yield _on_roster(data["supplier"], where)
    if "parties" in data:
        parties = data["parties"]
        yield Parties(parties["clause"], parties["feature"], known_fact(parties["applicant"], "text", where))
    if "content" in data:
        yield Content(**data["content"])
    if "dates" in data:
        dates = data["dates"]
        columns = tuple(_known_column(table, name, "date", where) for name in dates["columns"])
        yield Dates(data["period"]["clause"], dates["feature"], period, columns)
    if "payment" in data:
        payment = data["payment"]
        methods = tuple(_known_option(table, "payment_method", code, where) for code in payment["methods"])
        yield Payment(payment["clause"], payment["feature"], methods, payment["account"] == "contract_only")
    if "draft" in data:
        yield _draft(data["draft"], period, table, where)
    if "invoice" in data:
        invoice = data["invoice"]
        kinds = tuple(_known_option(table, "invoice_kind", code, where) for code in invoice["accepted"])
        yield InvoiceKind(invoice["clause"], invoice["feature"], kinds)
    if "devices" in data:
        yield _devices(data["devices"])
    if "related" in data:
        yield Related(**data["related"])
    if "history" in data:
        yield _register(data["history"], data, where)
    if "tax_rates" in data:
        taxes = data["tax_rates"]
        rates = {
            category: tuple(share(rate, f"{where}.tax_rates") for rate in usual)
            for category, usual in taxes["rates"].items()
        }
        yield TaxRates(taxes["clause"], taxes["feature"], rates)


def _on_roster(row: SupplierData, where: str) -> OnRoster:
    roster = fact(known_fact(row["roster"], "table", f"{where}.supplier"))
    for column, kind in (("name", "text"), ("uscc", "uscc"), ("role", "option")):
        _known_column(roster, column, kind, where)
    leads = {
        category: (_known_option(roster, "role", lead["role"], where), Cited(lead["clause"], lead["feature"]))
        for category, lead in row["leads"].items()
    }
    return OnRoster(row["clause"], row["feature"], roster.id, leads)


def _draft(row: DraftData, period: Period, table: Fact, where: str) -> Draft:
    for column in (*row["columns"], row["entrusted"], row["authority"]):
        _known_column(table, column, "bool", where)
    papers = Cited(row["clause"], row["papers_feature"])
    return Draft(
        row["clause"], row["feature"], period, papers, tuple(row["columns"]), row["entrusted"], row["authority"]
    )


def _register(row: RegisterData, data: Data, where: str) -> Register:
    register, prior = (fact(known_fact(row[name], "table", f"{where}.history")) for name in ("register", "prior"))
    for column in ("enterprise", "batch", "contract_no", "invoice_no", "item"):
        _known_column(register, column, "text", where)
    _known_column(register, "amount", "money", where)
    _known_column(prior, "item", "text", where)
    applicant = data["parties"]["applicant"] if "parties" in data else ""
    return Register(
        row["clause"], row["feature"], register.id, prior.id, applicant, tuple(row["categories"]),
        Cited(**data["duplicates"]), Cited(**row["prices"]),
    )  # fmt: skip


def _devices(row: DevicesData) -> Devices:
    return Devices(
        row["clause"], row["feature"], row["category"], (*row["listed"], *row["also_listed"]),
        (*row["barred"], *row["also_barred"]), Cited(row["clause"], row["bar_feature"]), row["others"] == "excluded",
    )  # fmt: skip


def _prepaid(row: PrepaidData | None) -> Prepaid | None:
    if row is None:
        return None
    return Prepaid(
        row["clause"], row["feature"], tuple(row["categories"]), row["months"], parse_date(row["last"]),
        row["mode"] == "month",
    )  # fmt: skip


def _service_cap(row: ServiceCapData | None) -> ServiceCap | None:
    if row is None:
        return None
    services, software = tuple(row["services"]), tuple(row["software"])
    return ServiceCap(row["clause"], row["feature"], services, software, row["basis"] == "linked")


def _comparison(row: CompareData, where: str) -> Comparison:
    return Comparison(
        known_fact(row["fact"], "money", f"{where}.{row['key']}"), row["label"], row["clause"], row["feature"],
        row["what"] == "recognised", tuple(row.get("categories", ())),
    )  # fmt: skip
