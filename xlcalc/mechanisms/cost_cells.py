"""One line of an investment as native formulas: lowest amount, days that count, service beside its software.

The rules that exclude a line are not formulas: their verdict stands in a cell, ``excluded``, and takes all. What a
formula cannot give exactly (months, amounts without tax, more than 1亿元 or 4000 days, 红字发票) says so instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from xlcalc.facts import fact
from xlcalc.mechanisms.cells import BAD_AMOUNT, bare, usable_amount
from xlcalc.values.dates import add_months, to_serial
from xlcalc.values.money import Money

if TYPE_CHECKING:
    from xlcalc.mechanisms.cost_recognition import CostRecognition

ELSEWHERE = "见核算结果"
BAD_DATES = "日期有误"
_MOST_FEN, _MOST_DAYS = 10**10, 4000
_AMOUNTS = ("contract", "invoice", "payment")


def parameters(mechanism: CostRecognition) -> dict[str, list[list[int | str]]]:
    """The hidden parameter table: which amounts are compared, the limits of a prepayment, labels of categories."""
    shown = fact(mechanism.table).columns["category"].show
    prepaid, cap = mechanism.prepaid, mechanism.service_cap
    used = [int(f"{name}_amount" in mechanism.lowest.amounts) for name in _AMOUNTS]
    exact = not mechanism.lowest.without_tax and not (prepaid and prepaid.by_month)
    return {
        "line_amounts": [[flag] for flag in (*used, int(exact))],
        "line_prepaid": [[prepaid.months, to_serial(prepaid.last)]] if prepaid else [],
        "prepaid_categories": [[shown(name)] for name in (prepaid.categories if prepaid else ())],
        "service_categories": [[shown(name)] for name in (cap.services if cap else ())],
        "software_categories": [[shown(name)] for name in (cap.software if cap else ())],
        "service_linked": [[int(cap.linked)]] if cap else [],
    }


def excel_cells(mechanism: CostRecognition, refs: Mapping[str, str]) -> dict[str, str]:
    """Native formulas (元): ``lowest``, ``days``, ``whole_days``, ``before_cap``, ``recognised``.

    refs: the cells ``category``, ``declared``, ``contract``, ``invoice``, ``payment`` (元), ``excluded`` (empty or a
    reason), ``prepaid`` (是 or 否), ``start``, ``end``, ``paid`` (dates), ``linked``; the cells of these formulas under
    their own names; ``use_contract``, ``use_invoice``, ``use_payment``, ``exact``, ``months``, ``last``,
    ``prepaid_1`` …, ``service_1`` …, ``software_1`` …, ``by_software`` of ``parameters``. Of all lines the columns
    ``items``, ``categories``, ``all_before_cap``; of the lines above ``linked_above``, ``categories_above``,
    ``recognised_above``, where there are any.
    """
    amounts = [refs["declared"], *(refs[name] for name in _AMOUNTS)]
    wanted = ["1", *(refs[f"use_{name}"] for name in _AMOUNTS)]
    empty = ",".join(f'AND({use}=1,{cell}="")' for cell, use in zip(amounts, wanted, strict=True))
    usable = ",".join(f"OR({use}<>1,{usable_amount(cell)})" for cell, use in zip(amounts, wanted, strict=True))
    least = ",".join(
        cell if use == "1" else f"IF({use}=1,{cell},{amounts[0]})" for cell, use in zip(amounts, wanted, strict=True)
    )
    lowest = f'=IF(OR({empty}),"",IF(AND({usable}),ROUND(MIN({least})*100,0)/100,"{BAD_AMOUNT}"))'
    start, end = refs["start"], refs["end"]
    dates = f"AND(ISNUMBER({start}),ISNUMBER({end}),ISNUMBER({refs['paid']}))"
    until = f"MIN({end},EDATE({refs['paid']},{refs['months']})-1,{refs['last']})"
    in_advance = f'AND({_among(refs, "prepaid", refs["category"])},{bare(refs["prepaid"])}="是")'
    asked = f'AND({_among(refs, "prepaid", refs["category"])},{bare(refs["prepaid"])}="")'
    ordered = f'IF({end}<{start},"{BAD_DATES}",%s)'
    counted = f"MAX({until}-{start}+1,0)"
    days = f'=IF({asked},"",IF({in_advance},IF({dates},{ordered % counted},""),1))'
    whole = f'=IF({asked},"",IF({in_advance},IF({dates},{ordered % f"{end}-{start}+1"},""),1))'
    return {
        "lowest": lowest,
        "days": days,
        "whole_days": whole,
        "before_cap": _before_cap(refs),
        "recognised": _recognised(refs),
    }


def _among(refs: Mapping[str, str], name: str, cell: str) -> str:
    """Whether a cell holds one of the labels ``name_1`` …"""
    labels = [ref for key, ref in refs.items() if key.startswith(f"{name}_") and key.removeprefix(f"{name}_").isdigit()]
    return f"OR({','.join(f'{cell}={label}' for label in labels)})" if labels else "FALSE"


def _before_cap(refs: Mapping[str, str]) -> str:
    lowest, days, whole = (refs[name] for name in ("lowest", "days", "whole_days"))
    fen = f"ROUND({lowest}*100,0)"
    rounded = f"INT((2*{fen}*{days}+{whole})/(2*{whole}))/100"
    exact = f"AND({refs['exact']}=1,OR({whole}={days},AND({fen}<={_MOST_FEN},{whole}<={_MOST_DAYS})))"
    counted = f'IF({exact},{rounded},"{ELSEWHERE}")'
    numbers = f"AND(ISNUMBER({lowest}),ISNUMBER({days}),ISNUMBER({whole}))"
    wrong = f'IF(OR({lowest}="",{days}=""),"",IF(ISNUMBER({lowest}),{days},{lowest}))'
    return f'=IF({refs["excluded"]}<>"",0,IF({numbers},{counted},{wrong}))'


def _recognised(refs: Mapping[str, str]) -> str:
    own, linked = refs["before_cap"], refs["linked"]
    same_items = f"({bare(refs['items'])}={bare(linked)})"
    software = _sum_over(refs, "software", "categories", same_items, "all_before_cap")
    waiting = _count_open(refs, same_items)
    above = "0"
    if "recognised_above" in refs:
        same_above = f"({bare(refs['linked_above'])}={bare(linked)})"
        above = _sum_over(refs, "service", "categories_above", same_above, "recognised_above")
    room = f"MAX(ROUND({software}*100,0)-ROUND({above}*100,0),0)"
    capped = f'IF({waiting}>0,"{ELSEWHERE}",MIN(ROUND({own}*100,0),{room})/100)'
    unlinked = f'AND({refs["by_software"]}=1,{bare(linked)}="")'
    service = _among(refs, "service", refs["category"])
    return f'=IF(ISNUMBER({own}),IF(AND({service},{own}>0),IF({unlinked},"",{capped}),{own}),{own})'


def _kinds(refs: Mapping[str, str], name: str, column: str) -> str:
    labels = [ref for key, ref in refs.items() if key.startswith(f"{name}_") and key.removeprefix(f"{name}_").isdigit()]
    return "(" + "+".join(f"({refs[column]}={label})" for label in labels) + ")" if labels else "0"


def _sum_over(refs: Mapping[str, str], name: str, column: str, same: str, summed: str) -> str:
    """The sum over lines of some categories, of the same software only where that is the reading."""
    kinds = _kinds(refs, name, column)
    every = f"SUMPRODUCT({kinds}*1,{refs[summed]})"
    return f"IF({refs['by_software']}=1,SUMPRODUCT({kinds}*{same},{refs[summed]}),{every})"


def _count_open(refs: Mapping[str, str], same: str) -> str:
    """How many software lines have no amount yet."""
    kinds = _kinds(refs, "software", "categories")
    still = f"(1-ISNUMBER({refs['all_before_cap']}))"
    return f"IF({refs['by_software']}=1,SUMPRODUCT({kinds}*{same}*{still}),SUMPRODUCT({kinds}*{still}))"


@dataclass(frozen=True, slots=True)
class LineCells:
    """The inputs of one line as its cells hold them: amounts in fen, None where empty."""

    category: str
    item: str
    amounts: tuple[int | None, int | None, int | None, int | None]
    excluded: bool = False
    prepaid: bool | None = None
    start: date | None = None
    end: date | None = None
    paid: date | None = None
    linked: str = ""


def cell_values(mechanism: CostRecognition, lines: Sequence[LineCells]) -> list[dict[str, Any]]:
    """What the formulas of ``excel_cells`` show, line by line: amounts as Money, days as int, words or ``""``."""
    shown = [_own_values(mechanism, line) for line in lines]
    cap = mechanism.service_cap
    for place, line in enumerate(lines):
        own = shown[place]["before_cap"]
        shown[place]["recognised"] = own
        if cap is None or line.category not in cap.services or not isinstance(own, Money) or not own.fen:
            continue
        if cap.linked and not line.linked:
            shown[place]["recognised"] = ""
            continue
        alike = [not cap.linked or _plain(other.item) == _plain(line.linked) for other in lines]
        software = [
            shown[n]["before_cap"] for n, other in enumerate(lines) if alike[n] and other.category in cap.software
        ]
        if not all(isinstance(amount, Money) for amount in software):
            shown[place]["recognised"] = ELSEWHERE
            continue
        above = [
            shown[n]["recognised"] for n, other in enumerate(lines[:place])
            if other.category in cap.services and (not cap.linked or _plain(other.linked) == _plain(line.linked))
        ]  # fmt: skip
        used = sum(amount.fen for amount in above if isinstance(amount, Money))
        room = max(sum(amount.fen for amount in software) - used, 0)
        shown[place]["recognised"] = Money(min(own.fen, room))
    return shown


def _plain(text: str) -> str:
    """As ``cells.bare`` reads a cell, compared without case."""
    for old, new in ((" ", ""), ("　", ""), ("（", "("), ("）", ")")):
        text = text.replace(old, new)
    return text.upper()


def _own_values(mechanism: CostRecognition, line: LineCells) -> dict[str, Any]:
    prepaid = mechanism.prepaid
    used = [True, *(f"{name}_amount" in mechanism.lowest.amounts for name in _AMOUNTS)]
    amounts = [amount for amount, use in zip(line.amounts, used, strict=True) if use]
    known = [amount for amount in amounts if amount is not None]
    lowest: Any = "" if len(known) < len(amounts) else BAD_AMOUNT if min(known) < 0 else Money(min(known))
    days: Any = 1
    whole: Any = 1
    if prepaid and line.category in prepaid.categories and line.prepaid is not False:
        if line.prepaid is None or line.start is None or line.end is None or line.paid is None:
            days = whole = ""
        elif line.end < line.start:
            days = whole = BAD_DATES
        else:
            until = min(
                to_serial(line.end), to_serial(add_months(line.paid, prepaid.months)) - 1, to_serial(prepaid.last)
            )
            days = max(until - to_serial(line.start) + 1, 0)
            whole = to_serial(line.end) - to_serial(line.start) + 1
    return {
        "lowest": lowest,
        "days": days,
        "whole_days": whole,
        "before_cap": _amount(mechanism, line, lowest, days, whole),
    }


def _amount(mechanism: CostRecognition, line: LineCells, lowest: Any, days: Any, whole: Any) -> Any:
    prepaid = mechanism.prepaid
    if line.excluded:
        return Money(0)
    if not isinstance(lowest, Money) or not isinstance(days, int):
        return "" if "" in (lowest, days) else days if isinstance(lowest, Money) else lowest
    by_formula = not mechanism.lowest.without_tax and not (prepaid and prepaid.by_month)
    if not by_formula or (whole != days and (lowest.fen > _MOST_FEN or whole > _MOST_DAYS)):
        return ELSEWHERE
    return Money((2 * lowest.fen * days + whole) // (2 * whole))
