"""Tables in cells: a heading row and one entry a row, or the number of places of each prize."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from udfs.coercion import Grid, UdfError, fact_value, read, screen
from udfs.records import Choices, name_and_unit
from udfs.versions import mechanism
from xlcalc.errors import InputError, PolicyError
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.cost_rules import OnRoster
from xlcalc.mechanisms.ranking import Ranking
from xlcalc.values.text import squeeze


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Rows as ``facts.parse_facts`` reads them: an empty cell is no key of its row, an empty row has none."""

    rows: tuple[Mapping[str, Any], ...]

    def entry(self, number: int) -> Mapping[str, Any]:
        """A row by its number, the first below the headings being 1; raises InputError ``E-ROW`` for another."""
        if not 1 <= number <= len(self.rows):
            raise InputError("E-ROW", f"没有第{number}行，标题以下共 {len(self.rows)} 行", remedy="请核对行号")
        return self.rows[number - 1]


def read_table(known: Fact, grid: Grid) -> Table | UdfError | None:
    """The table under its headings: labels, ids or aliases of the columns, with a unit in brackets where they have one.

    None where no cell is filled; the first error value where there is one. Columns with other headings, such as 序号,
    are left out. Raises InputError for a cell that cannot be read, ``E-RANGE`` where no heading is known,
    ``E-FACT-TWICE`` where two headings mean the same column.
    """
    if all(screen(cell) is None for row in grid for cell in row):
        return None
    columns = _columns(known, grid[0])
    if isinstance(columns, UdfError):
        return columns
    rows = []
    for cells in grid[1:]:
        row = {}
        for place, (column, unit) in columns.items():
            cell = screen(cells[place])
            if isinstance(cell, UdfError):
                return cell
            value = fact_value(column, cell, unit)
            if value is not None:
                row[column.id] = value
        rows.append(row)
    return Table(tuple(rows)) if any(rows) else None


def _columns(known: Fact, headings: list[object]) -> dict[int, tuple[Fact, str | None]] | UdfError:
    names = {
        squeeze(word): column
        for column in known.columns.values()
        for word in (column.id, column.label, *column.aliases)
    }
    found: dict[int, tuple[Fact, str | None]] = {}
    for place, heading in enumerate(headings):
        heading = screen(heading)
        if isinstance(heading, UdfError):
            return heading
        name, unit = name_and_unit(heading)
        column = names.get(name)
        if column is None:
            continue
        if column in [other for other, _ in found.values()]:
            raise InputError("E-FACT-TWICE", f"{known.label}有两列“{column.label}”", remedy="请只保留一列")
        found[place] = column, unit
    if not found:
        listed = "、".join(column.label for column in known.columns.values())
        raise InputError("E-RANGE", f"首行没有{known.label}的标题", remedy=f"可用的标题：{listed}")
    return found


def read_lines(grid: Grid, policy: str, *rules: Any) -> Table | UdfError | None:
    """The investment lines of a policy that recognises costs."""
    return read_table(fact(mechanism(policy, "cost_recognition", *rules).table), grid)


def read_roster(grid: Grid, policy: str, *rules: Any) -> Table | UdfError | None:
    """The recognised providers; raises PolicyError ``E-MECHANISM`` where the policy has no such list."""
    rule = roster_rule(mechanism(policy, "cost_recognition", *rules))
    if rule is None:
        raise PolicyError("E-MECHANISM", "本政策不核对服务商名录", where=policy, remedy="请省略服务商名录")
    return read_table(fact(rule.roster), grid)


def roster_rule(recognition: Any) -> OnRoster | None:
    """The rule that looks suppliers up in a list; None where the policy has none."""
    return next((rule for rule in recognition.rules if isinstance(rule, OnRoster)), None)


def read_candidates(grid: Grid, policy: str, *rules: Any) -> Table | UdfError | None:
    """The candidates of a policy that ranks them."""
    return read_table(mechanism(policy, "ranking", *rules).candidates, grid)


Places = tuple[tuple[str, int], ...]
"""Codes of prizes and how many there are of each."""


def read_places(grid: Grid, policy: str, on: Any, choices: Choices | None) -> Places | UdfError | None:
    """How many there are of each prize: numbers in the order of the prizes, or a table with headings.

    None while one of them is not stated.
    """
    ranking: Ranking = mechanism(policy, "ranking", on, choices)
    cells = [read("count", cell) for row in grid for cell in row]
    error = next((cell for cell in cells if isinstance(cell, UdfError)), None)
    if error is not None:
        return error
    if 1 not in (len(grid), len(grid[0])) or any(isinstance(cell, InputError) for cell in cells):
        table = read_table(ranking.places, grid)
        if table is None or isinstance(table, UdfError):
            return table
        found = ranking.places_of(table.rows)
        return None if found is None else tuple(found.items())
    if len(cells) != len(ranking.prizes):
        named = "、".join(prize.label for prize in ranking.prizes)
        raise InputError("E-RANGE", f"须有 {len(ranking.prizes)} 个名额（{named}）", remedy="请重新选择区域")
    if any(cell is None for cell in cells):
        return None
    return tuple((prize.code, cell) for prize, cell in zip(ranking.prizes, cells, strict=True) if isinstance(cell, int))
