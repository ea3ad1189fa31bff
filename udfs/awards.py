"""What the functions compute of awards and prizes."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from udfs.records import Choices
from udfs.tables import Places, Table
from udfs.versions import has, mechanism, stated, version_on
from xlcalc.errors import InputError
from xlcalc.facts import fact
from xlcalc.mechanisms.flat_award import FlatAward
from xlcalc.mechanisms.ranking import Placed, Ranking
from xlcalc.mechanisms.selection import Selection
from xlcalc.values.money import Money
from xlcalc.values.text import parse_yes_no, squeeze

# As the ranking itself says it.
OPEN, NONE = "等次待定", "未获奖"


def award(
    policy: str, options: str | None, received: str | None, on: date | None, choices: Choices | None
) -> Money | None:
    """The award of the chosen directions, of one prize, or the only one there is; None while nothing is chosen.

    received: directions awarded before, or 是 for a single award that was; nothing counts as none.
    Raises InputError for what the policy does not list or allow together, and for an award had before where the
    policy does not say what follows from it.
    """
    if has(version_on(policy, on), "selection"):
        return _of_directions(mechanism(policy, "selection", on, choices), options, received)
    flat: FlatAward = mechanism(policy, "flat_award", on, choices)
    if flat.by is None and options is not None:
        raise InputError("E-OPTION", "本政策只有一种奖补，不分类别", where=policy, remedy="请把方向或等次留空")
    code = None if flat.by is None or options is None else fact(flat.by).parse(options)
    if flat.by is not None and code is None:
        return None
    found = next((row for row in flat.awards if row.code == code), None)
    if found is None:
        raise InputError("E-OPTION", f"没有“{options}”这一类奖补", where=policy, remedy="请核对方向或等次")
    return Money(0 if _had_before(policy, received, on, choices) else found.amount)


def _of_directions(selection: Selection, options: str | None, received: str | None) -> Money | None:
    before = selection.received.parse(received) if received is not None else ()
    if options is None:
        return None
    chosen = selection.by.parse(options)
    problem = next(selection.problems(chosen), None)
    if problem is not None:
        raise InputError("E-DIRECTIONS", problem[2], where=selection.by.id, remedy="请核对所选方向")
    return Money(sum(amount.fen for amount in selection.amounts(chosen, before).values()))


def _had_before(policy: str, received: str | None, on: date | None, choices: Choices | None) -> bool:
    """Whether an award had before rules out another: a condition the pack calls ``once`` says so."""
    had = False if received is None or squeeze(received) == "无" else parse_yes_no(received)
    if had is None:
        raise InputError("E-RECEIVED", f"“{received}”不是“是”或“否”", where=policy, remedy="此前已获奖补填“是”")
    if not had:
        return False
    rows = [row for part in stated(policy, on, choices) for row in part.get("conditions", ()) if row["key"] == "once"]
    if not rows:
        raise InputError("E-RECEIVED", "本政策没有写明此前获奖如何处理", where=policy, remedy="请由人判断")
    return any(row["severity"] == "block" for row in rows)


def prize(
    policy: str, candidates: Table, row: int, places: Places, on: date | None, choices: Choices | None
) -> str | None:
    """What the row-th candidate wins by rank: the prize, 未获奖, or 等次待定 while a tie or a missing score decides.

    places: how many there are of each prize. None for a row in which nothing is filled; raises InputError ``E-ROW``
    for a row below the list, ``E-CANDIDATE`` where one is listed twice.
    """
    if not candidates.entry(row):
        return None
    found = _ranked(policy, candidates, places, on, choices)[row]
    labels = {item.code: item.label for item in _ranking(policy, on, choices).prizes}
    return OPEN if not found.settled else labels[found.prize] if found.prize else NONE


@lru_cache(4)
def _ranked(
    policy: str, candidates: Table, places: Places, on: date | None, choices: Choices | None
) -> dict[int, Placed]:
    """Every candidate by its row; a column of row numbers asks for the same list again and again."""
    return {one.row: one for one in _ranking(policy, on, choices).place(candidates.rows, dict(places))}


def _ranking(policy: str, on: date | None, choices: Choices | None) -> Ranking:
    ranking: Ranking = mechanism(policy, "ranking", on, choices)
    return ranking
