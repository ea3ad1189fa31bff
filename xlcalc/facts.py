"""The catalogue of inputs: what a fact is called, of what type it is, and how a given value is read."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from xlcalc.errors import InputError
from xlcalc.values.dates import parse_date
from xlcalc.values.levels import MaturityLevel, parse_level
from xlcalc.values.money import Money
from xlcalc.values.text import normalise, parse_yes_no, squeeze
from xlcalc.values.uscc import clean_uscc

Facts = Mapping[str, Any]
"""Fact id -> parsed value; a fact that is not a key is missing."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One input: ``unit`` is the unit a form shows for money, ``options`` maps a code to its spellings."""

    id: str
    label: str
    type: str
    unit: str | None = None
    help: str = ""
    aliases: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def parse(self, value: object) -> Any:
        """The value in its own type; raises InputError naming this fact."""
        try:
            return _PARSERS[self.type](self, value)
        except InputError as error:
            raise type(error)(
                error.code, f"{self.label}：{error.message}", where=self.id, remedy=error.remedy
            ) from None

    def show(self, value: object) -> str:
        """The value as Chinese text, for explanations and reports."""
        if isinstance(value, MaturityLevel):
            return value.label
        if isinstance(value, bool):
            return "是" if value else "否"
        if self.type == "option" and value in self.options:
            return self.options[str(value)][0]
        return str(value)


@cache
def catalogue() -> Mapping[str, Fact]:
    """Every fact by id."""
    with (Path(__file__).parent / "facts.toml").open("rb") as stream:
        rows = tomllib.load(stream)
    return {
        key: Fact(
            id=key,
            label=row["label"],
            type=row["type"],
            unit=row.get("unit"),
            help=row.get("help", ""),
            aliases=tuple(row.get("aliases", ())),
            options={code: tuple(words) for code, words in row.get("options", {}).items()},
        )
        for key, row in rows.items()
    }


def fact(fact_id: str) -> Fact:
    """The fact of this id; raises InputError ``E-FACT`` with the nearest known ids."""
    known = catalogue()
    if fact_id in known:
        return known[fact_id]
    near = difflib.get_close_matches(fact_id, known, n=3, cutoff=0.5)
    hint = f"是否指 {'、'.join(near)}？" if near else ""
    raise InputError(
        "E-FACT", f"没有名为“{fact_id[:60]}”的事实", where=fact_id[:60], remedy=f"{hint}可用 xlcalc facts 查看事实清单"
    )


def parse_facts(raw: Mapping[str, object]) -> dict[str, Any]:
    """Reads facts as given in JSON; null is missing, an unknown id is an error."""
    parsed = {}
    for fact_id, value in raw.items():
        known = fact(fact_id)
        if value is not None:
            parsed[fact_id] = known.parse(value)
    return parsed


def _parse_money(_: Fact, value: object) -> Money:
    amount = value if isinstance(value, Money) else Money.parse(value)
    if amount.fen < 0:
        raise InputError("E-NEGATIVE", f"金额 {amount} 为负数", remedy="请填写不小于0的金额")
    return amount


def _parse_bool(_: Fact, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := parse_yes_no(value)) is not None:
        return word
    raise InputError("E-BOOL", f"“{str(value)[:40]}”不是“是”或“否”", remedy="请填写“是”或“否”")


def _parse_integer(_: Fact, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (text := normalise(value)).isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    raise InputError("E-INTEGER", f"“{str(value)[:40]}”不是整数", remedy="请填写整数")


def _parse_text(_: Fact, value: object) -> str:
    if isinstance(value, str) and len(value) <= 32767:
        return normalise(value)
    raise InputError("E-TEXT", "应为文字，且不超过32767字", remedy="请改为文字")


def _parse_option(known: Fact, value: object) -> str:
    word = squeeze(value) if isinstance(value, str) else ""
    for code, spellings in known.options.items():
        if word == code or any(word == squeeze(spelling) for spelling in spellings):
            return code
    allowed = "、".join(spellings[0] for spellings in known.options.values())
    raise InputError("E-OPTION", f"“{str(value)[:40]}”不在可选项内", remedy=f"请从下列选项中选择：{allowed}")


def _parse_mapping(_: Fact, value: object) -> Mapping[str, object]:
    if isinstance(value, Mapping):
        return value
    raise InputError("E-ANSWERS", "应为“题号: 答案”的对应表", remedy="请按 xlcalc facts 给出的格式填写")


_PARSERS: Mapping[str, Callable[[Fact, object], Any]] = {
    "money": _parse_money,
    "level": lambda _, value: parse_level(value),
    "date": lambda _, value: parse_date(value),
    "bool": _parse_bool,
    "integer": _parse_integer,
    "text": _parse_text,
    "uscc": lambda known, value: clean_uscc(_parse_text(known, value)),
    "option": _parse_option,
    "answers": _parse_mapping,
    "scenes": _parse_mapping,
    "texts": _parse_mapping,
}
