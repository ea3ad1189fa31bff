"""What holds for every table of investment lines, and the native formulas of a line beside the library."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from workbench import same

from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.engines.libreoffice_engine import evaluate_libreoffice
from xlcalc import evaluate, load_policy
from xlcalc.facts import fact
from xlcalc.mechanisms import cost_cells
from xlcalc.mechanisms.cost_cells import LineCells
from xlcalc.mechanisms.cost_recognition import CostRecognition, Waterfall
from xlcalc.values.dates import to_serial
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze

POLICY = "hohhot.transformation_subsidy"
FIRST, LAST = date(2024, 7, 1), date(2025, 10, 31)
BUYER, SUPPLIER = "示例食品有限公司", "示例数科有限公司"
FACTS = {
    "period_end": LAST,
    "enterprise_name": BUYER,
    "service_provider_roster": ({"name": SUPPLIER, "role": "integration"},),
}
READINGS = {
    "AMB-34": ("exclude", "contract_earlier", "without_payment"), "AMB-35": ("linked", "total"),
    "AMB-36": ("day", "month"), "AMB-37": ("included", "excluded"),
    "AMB-38": ("min3", "contract", "invoice", "payment"), "AMB-40": ("accepted", "refused"),
    "AMB-41": ("same_payee", "contract_only"), "AMB-42": ("person", "listed_only"),
}  # fmt: skip
steady = settings(derandomize=True, max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

amounts = st.one_of(st.sampled_from([0, 1, 2, 3, 99, 10_000_000]), st.integers(0, 50_000_000)).map(Money)
days = st.integers(-40, 520).map(lambda n: FIRST + timedelta(n))
readings = st.fixed_dictionaries({key: st.sampled_from(codes) for key, codes in READINGS.items()})


def rarely(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 8 + list(others))


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    """A line as ``facts`` parses one: mostly sound, sometimes excluded, sometimes a 红字发票 or with an empty cell."""
    start = draw(days)
    line: dict[str, Any] = {
        "item": draw(st.sampled_from(["MES", "ERP", "网关", "交换机", "电脑"])),
        "category": draw(st.sampled_from(["software", "implementation", "cloud", "maintenance", "equipment", "other"])),
        "linked_item": draw(st.sampled_from(["MES", "ERP", "无"])),
        "declared_amount": draw(amounts), "contract_amount": draw(amounts), "payment_amount": draw(amounts),
        "invoice_amount": draw(amounts), "tax_rate": fact("investment_lines").columns["tax_rate"].parse("13%"),
        "contract_date": draw(days), "invoice_date": draw(days), "payment_date": draw(days),
        "buyer": BUYER, "supplier": SUPPLIER, "contract_account": "1", "payee_account": draw(rarely("1", "2")),
        "invoice_no": f"F{draw(st.integers(1, 30))}", "invoice_kind": draw(rarely("sheet", "digital", "deduction")),
        "invoice_buyer": BUYER, "invoice_seller": draw(rarely(SUPPLIER, "别的公司")), "invoice_matches": True,
        "payment_method": draw(rarely("transfer", "cash")), "payer": BUYER, "payee": SUPPLIER,
        "prepaid": draw(st.booleans()), "service_start": start,
        "service_end": start + timedelta(draw(st.integers(0, 900))), "device_accepted": draw(st.booleans()),
    }  # fmt: skip
    if draw(rarely(False, True)):
        line |= {"invoice_amount": Money(-draw(st.integers(1, 2_000_000))), "offsets_invoice": line["invoice_no"]}
        line["invoice_no"] = f"H{draw(st.integers(1, 9))}"
    if draw(rarely(False, True)):
        del line[draw(st.sampled_from(sorted(line)))]
    return line


tables = st.lists(lines(), max_size=8)


def mechanism(choices: Mapping[str, str] | None = None) -> CostRecognition:
    found: CostRecognition = load_policy(POLICY).newest.mechanism("cost_recognition", choices)
    return found


def recognise(rows: Sequence[Mapping[str, Any]], choices: Mapping[str, str] | None = None) -> Waterfall:
    return mechanism(choices).recognise(rows, FACTS)


@steady
@given(tables, readings)
def test_the_waterfall_adds_up_to_the_fen(rows: list[dict[str, Any]], choices: dict[str, str]) -> None:
    waterfall = recognise(rows, choices)
    assert [line.row for line in waterfall.lines] == list(range(1, len(rows) + 1))
    for line in waterfall.lines:
        if line.recognised is None:
            assert line.missing or line.waits_for or waterfall.missing
            continue
        assert line.declared is not None
        assert line.declared - sum(item.fen for item in line.deductions) == line.recognised
        assert 0 <= line.recognised <= line.declared
        assert all(item.fen >= 0 and item.sentence and item.code for item in line.deductions)
    if waterfall.recognised is not None:
        declared = waterfall.declared()
        assert declared is not None
        assert declared - sum(item.fen for line in waterfall.lines for item in line.deductions) == waterfall.recognised


@steady
@given(tables, readings, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(
    rows: list[dict[str, Any]], choices: dict[str, str], order: random.Random
) -> None:
    shuffled = rows[:]
    order.shuffle(shuffled)
    one, other = recognise(rows, choices), recognise(shuffled, choices)
    assert one.recognised == other.recognised
    assert one.declared() == other.declared()


@steady
@given(tables)
def test_an_amount_is_never_above_what_contract_invoice_and_payment_say(rows: list[dict[str, Any]]) -> None:
    for line, row in zip(recognise(rows).lines, rows, strict=True):
        for name in ("contract_amount", "invoice_amount", "payment_amount"):
            if line.recognised and name in row:
                assert line.recognised <= row[name].fen


@steady
@given(tables)
def test_services_never_pass_their_software(rows: list[dict[str, Any]]) -> None:
    waterfall = recognise(rows)
    for name in ("MES", "ERP", "无"):
        served = [
            line.recognised or 0 for line, row in zip(waterfall.lines, rows, strict=True)
            if row.get("category") == "implementation" and row.get("linked_item") == name
        ]  # fmt: skip
        bought = [
            line.recognised or 0 for line, row in zip(waterfall.lines, rows, strict=True)
            if row.get("category") in ("software", "cloud") and row.get("item") == name
        ]  # fmt: skip
        assert sum(served) <= sum(bought)


@steady
@given(tables, st.data())
def test_a_larger_amount_is_never_recognised_as_less(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    """Without doubled invoices and 红字发票, between which a choice by amount is made."""
    plain = [row for row in rows if row.get("invoice_amount", Money(0)).fen >= 0]
    plain = [{**row, "invoice_no": f"F{number}"} for number, row in enumerate(plain)]
    if not plain:
        return
    place = data.draw(st.integers(0, len(plain) - 1))
    column = data.draw(st.sampled_from(["declared_amount", "contract_amount", "invoice_amount", "payment_amount"]))
    more = [dict(row) for row in plain]
    if column not in more[place]:
        return
    more[place][column] = Money(more[place][column].fen + data.draw(st.integers(1, 10_000_000)))
    less, greater = recognise(plain).recognised, recognise(more).recognised
    assert (less is None) == (greater is None)
    assert less is None or (greater is not None and less <= greater)


@steady
@given(tables, st.data())
def test_an_empty_cell_never_counts_as_nothing(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    """A line of which something is recognised becomes undecided, and the total with it."""
    plain = [{**row, "invoice_no": f"F{number}"} for number, row in enumerate(rows)]
    counted = [line.row - 1 for line in recognise(plain).lines if line.recognised]
    if not counted:
        return
    place = data.draw(st.sampled_from(counted))
    wanted = ["declared_amount", "contract_amount", "payment_amount", "invoice_date", "payee", "category", "item"]
    column = data.draw(st.sampled_from(wanted))
    left = recognise([{k: v for k, v in row.items() if (n, k) != (place, column)} for n, row in enumerate(plain)])
    assert left.lines[place].recognised is None
    assert left.recognised is None


BASE = {
    "registered_locally": True, "independent_legal_person": True, "on_pilot_list": True, "is_sme": True,
    "industry": "特色食品加工", "implementation_start": "2024-08-01", "implementation_end": "2025-06-30",
    "documents_in_period": True, "not_listed_abnormal": True, "product_not_restricted": True,
    "no_major_incidents": True, "centrally_funded_little_giant": False, **FACTS,
}  # fmt: skip


@settings(steady, max_examples=30)
@given(tables.filter(any), st.integers(2, 4))
def test_the_computed_cost_is_what_is_subsidised(rows: list[dict[str, Any]], level: int) -> None:
    facts = {**BASE, "maturity_level": level, "investment_lines": tuple(rows), "recognised_cost": "12345.67元"}
    outcome = evaluate(POLICY, facts, on="2025-09-30")
    total = recognise(rows).recognised
    if total is None:
        assert outcome.status == "not_determined"
        assert "subsidy" not in outcome.results and "recognised_cost" not in outcome.results
    else:
        assert outcome.results["recognised_cost"] == Money(total)
        rate = load_policy(POLICY).newest.mechanism("tiered_rate")
        assert outcome.results["subsidy"].fen == rate.amount(total, level)


def test_device_words_are_those_of_the_clause() -> None:
    version = load_policy(POLICY).newest
    rule = next(row for row in version.data["mechanism"] if row["kind"] == "cost_recognition")["devices"]
    clauses = squeeze(version.clauses["scope_devices"].quote) + squeeze(version.clauses["scope"].quote)
    assert [word for word in (*rule["listed"], *rule["barred"]) if squeeze(word) not in clauses] == []


# --- native formulas: what the cells of a table show, in two programs, is what the twin says


CATEGORY = fact("investment_lines").columns["category"].show


def sample(draws: random.Random) -> LineCells:
    start = date(2024, 7, 1) + timedelta(draws.randrange(500))

    def amount() -> int | None:
        return draws.choice([None, 0, 1, 3, draws.randrange(10**7), draws.randrange(10**7), 10**10 + 1])

    return LineCells(
        category=draws.choice(["software", "implementation", "cloud", "maintenance", "equipment"]),
        item=draws.choice(["MES", "ＥＲＰ（云）", "无"]), amounts=(amount(), amount(), amount(), amount()),
        excluded=draws.random() < 0.15, prepaid=draws.choice([None, True, True, False]), start=start,
        end=start + timedelta(draws.choice([-1, 0, 364, 729, 5000])),
        paid=draws.choice([None, date(2024, 2, 29), date(2023, 1, 31), start, start]),
        linked=draws.choice(["", "MES", "ERP (云)".replace("ERP", "ＥＲＰ"), "别的"]),
    )  # fmt: skip


def sound(draws: random.Random) -> LineCells:
    """A line in which nothing is missing, so that services meet their software."""
    start = date(2024, 7, 1) + timedelta(draws.randrange(500))
    fen = [draws.randrange(1, 10**6) for _ in range(4)]
    return LineCells(
        category=draws.choice(["software", "implementation", "implementation", "cloud", "equipment"]),
        item=draws.choice(["MES", "ERP"]), amounts=(fen[0], fen[1], fen[2], fen[3]), prepaid=draws.random() < 0.5,
        start=start, end=start + timedelta(draws.randrange(800)), paid=start, linked=draws.choice(["MES", "ERP"]),
    )  # fmt: skip


NAMES = ("category", "item", "declared", "contract", "invoice", "payment", "excluded", "prepaid", "start", "end",
         "paid", "linked", "lowest", "days", "whole_days", "before_cap", "recognised")  # fmt: skip
COLUMN = dict(zip(NAMES, "ABCDEFGHIJKLMNOPQ", strict=True))
OUTPUTS = NAMES[-5:]


def written(found: CostRecognition, rows: Sequence[LineCells], path: Path) -> Path:
    """A workbook with the rows from line 2 on and the parameters on a sheet of their own."""
    book = Workbook()
    sheet = book.active
    sheet.title = "明细"
    hidden = book.create_sheet("参数")
    refs = dict(_parameters(found, hidden))
    last = len(rows) + 1
    refs |= {"items": f"$B$2:$B${last}", "categories": f"$A$2:$A${last}", "all_before_cap": f"$P$2:$P${last}"}
    for number, line in enumerate(rows, 2):
        own = {name: f"${column}{number}" for name, column in COLUMN.items()}
        if number > 2:
            above = {"linked_above": "L", "categories_above": "A", "recognised_above": "Q"}
            own |= {name: f"${column}$2:${column}${number - 1}" for name, column in above.items()}
        formulas = cost_cells.excel_cells(found, {**refs, **own})
        typed = {
            "category": CATEGORY(line.category), "item": line.item, "linked": line.linked or None,
            "excluded": "发票为抵扣联" if line.excluded else None,
            "prepaid": {None: None, True: "是", False: "否"}[line.prepaid],
            **{name: None if fen is None else fen / 100 for name, fen in zip(NAMES[2:6], line.amounts, strict=True)},
            **{name: getattr(line, name) and to_serial(getattr(line, name)) for name in ("start", "end", "paid")},
        }  # fmt: skip
        for name, cell in (typed | formulas).items():
            sheet[f"{COLUMN[name]}{number}"] = cell
    book.save(path)
    return path


def _parameters(found: CostRecognition, sheet: Any) -> Iterator[tuple[str, str]]:
    names: Mapping[str, Callable[[int, int], str]] = {
        "line_amounts": lambda row, _: ("use_contract", "use_invoice", "use_payment", "exact")[row],
        "line_prepaid": lambda _, column: ("months", "last")[column],
        "prepaid_categories": lambda row, _: f"prepaid_{row + 1}",
        "service_categories": lambda row, _: f"service_{row + 1}",
        "software_categories": lambda row, _: f"software_{row + 1}",
        "service_linked": lambda *_: "by_software",
    }
    at = 1
    for block, values in cost_cells.parameters(found).items():
        for row, cells in enumerate(values):
            for column, value in enumerate(cells):
                sheet.cell(at, column + 1, value)
                yield names[block](row, column), f"参数!${'AB'[column]}${at}"
            at += 1


Shown = dict[tuple[str, str], Any]


def shown(found: CostRecognition, rows: Sequence[LineCells]) -> Shown:
    values = cost_cells.cell_values(found, rows)
    return {
        ("明细", f"{COLUMN[name]}{number}"): value[name].fen / 100 if isinstance(value[name], Money) else value[name]
        for number, value in enumerate(values, 2)
        for name in OUTPUTS
    }


CELL_READINGS = ({}, {"AMB-35": "total"}, {"AMB-36": "month"}, {"AMB-38": "payment"}, {"AMB-37": "excluded"})


def books(folder: Path, many: int, readings: Sequence[Mapping[str, str]]) -> list[tuple[Path, Shown]]:
    draws = random.Random(20240701)
    made = []
    for number, choices in enumerate(readings):
        found = mechanism(choices)
        for kind in (sample, sound):
            rows = [kind(draws) for _ in range(many)]
            path = folder / f"{number}{kind.__name__}.xlsx"
            made.append((written(found, rows, path), shown(found, rows)))
    return made


def differing(values: Mapping[tuple[str, str], Any], wanted: Mapping[tuple[str, str], Any]) -> list[str]:
    return [
        f"{at}: {values.get(at)!r}, expected {value!r}"
        for at, value in wanted.items()
        if not same(values.get(at), value)
    ]


def test_formulas_shows_what_the_library_says(tmp_path: Path) -> None:
    for path, wanted in books(tmp_path, 8, CELL_READINGS[:2]):
        assert differing(evaluate_formulas(path), wanted) == []


@pytest.mark.libreoffice
def test_libreoffice_shows_what_the_library_says(tmp_path: Path) -> None:
    made = books(tmp_path, 40, CELL_READINGS)
    found = evaluate_libreoffice([path for path, _ in made], 240)
    for path, wanted in made:
        assert differing(found[path], wanted) == []


def test_the_cells_are_the_lines(tmp_path: Path) -> None:
    """Where no rule excludes a line and nothing is missing, the cells show what is recognised."""
    draws = random.Random(7)
    for choices in ({}, {"AMB-35": "total"}, {"AMB-38": "contract"}):
        found = mechanism(choices)
        rows = [sound(draws) for _ in range(30)]
        table = [
            {
                "item": line.item, "category": line.category, "linked_item": line.linked, "invoice_no": f"F{number}",
                "prepaid": line.prepaid, "service_start": line.start, "service_end": line.end,
                **{f"{name}_amount": Money(fen or 0) for name, fen in zip(NAMES[2:6], line.amounts, strict=True)},
                "contract_date": FIRST, "invoice_date": FIRST, "payment_date": line.paid, "buyer": BUYER,
                "supplier": SUPPLIER, "contract_account": "1", "payee_account": "1", "invoice_kind": "sheet",
                "invoice_buyer": BUYER, "invoice_seller": SUPPLIER, "invoice_matches": True, "payer": BUYER,
                "payee": SUPPLIER, "payment_method": "transfer", "device_accepted": True,
            }
            for number, line in enumerate(rows)
        ]  # fmt: skip
        recognised = [
            line.recognised for line in found.recognise(table, {**FACTS, "period_end": date(2027, 1, 1)}).lines
        ]
        assert recognised == [value["recognised"].fen for value in cost_cells.cell_values(found, rows)]


@pytest.mark.parametrize(("total", "said"), [("50.3元", True), ("25元", False), ("1000000元", False), ("0元", False)])
def test_an_amount_ten_thousand_times_off_is_asked_about(total: str, said: bool) -> None:
    """503,000 元 declared, of which 50.3 would be the number of 万元."""
    row = {"item": "MES", "category": "software", "declared_amount": "503000元"}
    outcome = evaluate(POLICY, {**BASE, "investment_lines": [row], "total_investment": total})
    (finding,) = [item for item in outcome.findings if item.code == "HHHT-INV-15"]
    assert ("一万倍" in finding.message) is said
