"""The catalogue of inputs: what a fact is called, of what type it is, and how a given value is read."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from xlcalc.errors import InputError
from xlcalc.values.dates import parse_date
from xlcalc.values.levels import MaturityLevel, parse_level
from xlcalc.values.money import Money, parse_share, percent
from xlcalc.values.text import normalise, parse_yes_no, squeeze
from xlcalc.values.uscc import clean_uscc

Facts = Mapping[str, Any]
"""Fact id -> parsed value; a fact that is not a key is missing."""

_MAX_ROWS = 20_000
_BETWEEN = re.compile("[、,;\n]")


@dataclass(frozen=True, slots=True)
class Fact:
    """One input: ``unit`` is the unit a form shows for money, ``options`` maps a code to its spellings.

    ``columns``: the columns of a table, each a fact of its own whose id is the column's.
    ``signed``: an amount that may be negative, such as a 红字发票.
    """

    id: str
    label: str
    type: str
    unit: str | None = None
    help: str = ""
    aliases: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, Fact] = field(default_factory=dict)
    signed: bool = False
    _codes: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes: dict[str, str] = {}
        for code, spellings in self.options.items():
            for word in (code, *map(squeeze, spellings)):
                codes.setdefault(word, code)
        object.__setattr__(self, "_codes", codes)

    def option_code(self, word: str) -> str | None:
        """The option that a squeezed word spells or numbers."""
        return self._codes.get(word)

    def parse(self, value: object) -> Any:
        """The value in its own type; raises InputError naming this fact."""
        try:
            return _PARSERS[self.type](self, value)
        except InputError as error:
            place = f"{self.id}.{error.where}" if self.type == "table" and error.where else self.id
            raise type(error)(error.code, f"{self.label}：{error.message}", where=place, remedy=error.remedy) from None

    def show(self, value: object) -> str:
        """The value as Chinese text, for explanations and reports."""
        if isinstance(value, MaturityLevel):
            return value.label
        if isinstance(value, bool):
            return "是" if value else "否"
        if self.type == "option" and value in self.options:
            return self.options[str(value)][0]
        if self.type == "options" and isinstance(value, tuple):
            return "、".join(self.options[code][0] for code in value) or "无"
        if self.type == "share" and isinstance(value, Fraction):
            return percent(value)
        if self.type == "table" and isinstance(value, tuple):
            return f"{len(value)} 行"
        return str(value)


@cache
def catalogue() -> Mapping[str, Fact]:
    """Every fact by id."""
    with (Path(__file__).parent / "facts.toml").open("rb") as stream:
        rows = tomllib.load(stream)
    return {key: _fact(key, row) for key, row in rows.items()}


def _fact(key: str, row: Mapping[str, Any]) -> Fact:
    return Fact(
        id=key,
        label=row["label"],
        type=row["type"],
        unit=row.get("unit"),
        help=row.get("help", ""),
        aliases=tuple(row.get("aliases", ())),
        options={code: tuple(words) for code, words in row.get("options", {}).items()},
        columns={name: _fact(name, column) for name, column in row.get("columns", {}).items()},
        signed=row.get("signed", False),
    )


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


class ParsedFacts(dict[str, Any]):
    """Facts whose values have their types already, as the reader of a form makes them: not parsed again."""


def parse_facts(raw: Mapping[str, object]) -> dict[str, Any]:
    """Reads facts as given in JSON; null is missing, an unknown id is an error."""
    if isinstance(raw, ParsedFacts):
        return dict(raw)
    parsed = {}
    for fact_id, value in raw.items():
        known = fact(fact_id)
        if value is not None:
            parsed[fact_id] = known.parse(value)
    return parsed


def _parse_money(known: Fact, value: object) -> Money:
    amount = value if isinstance(value, Money) else Money.parse(value)
    if amount.fen < 0 and not known.signed:
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
        if value < 0:
            raise InputError("E-NEGATIVE", f"{value} 为负数", remedy="请填写不小于0的整数")
        return value
    if isinstance(value, str) and (text := normalise(value)).isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    raise InputError("E-INTEGER", f"“{str(value)[:40]}”不是整数", remedy="请填写不小于0的整数")


def _parse_text(_: Fact, value: object) -> str:
    if isinstance(value, str) and len(value) <= 32767:
        return normalise(value)
    raise InputError("E-TEXT", "应为文字，且不超过32767字", remedy="请改为文字")


def _parse_passage(_: Fact, value: object) -> str:
    """Kept as written: full-width punctuation counts towards 字数."""
    if isinstance(value, str) and len(value) <= 32767:
        return value
    raise InputError("E-TEXT", "应为文字，且不超过32767字", remedy="请改为文字")


def _parse_option(known: Fact, value: object) -> str:
    # A numbered option may be given as its number.
    word = squeeze(str(value)) if isinstance(value, str) or type(value) is int else ""
    if (code := known.option_code(word)) is not None:
        return code
    allowed = "、".join(spellings[0] for spellings in known.options.values())
    raise InputError("E-OPTION", f"“{str(value)[:40]}”不在可选项内", remedy=f"请从下列选项中选择：{allowed}")


def _parse_number(_: Fact, value: object) -> Decimal:
    number = Decimal("NaN")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
    elif isinstance(value, str):
        try:
            number = Decimal(normalise(value).replace(",", ""))
        except DecimalException:
            number = Decimal("NaN")
    if not number.is_finite() or abs(number) > Decimal(10) ** 15:
        raise InputError("E-NUMBER", f"“{str(value)[:40]}”不是数字", remedy="请填写数字，不带单位")
    return number


def _parse_share(_: Fact, value: object) -> Fraction:
    """Only text that says what it is: a bare 0.9 may be 90% or 0.9%."""
    share: object
    try:
        share = parse_share(normalise(value)) if isinstance(value, str) else value
    except (ValueError, ArithmeticError):
        share = None
    if not isinstance(share, Fraction):
        raise InputError("E-SHARE", f"“{str(value)[:40]}”不是比例", remedy="请写成百分数，如“90%”")
    return share


def _parse_options(known: Fact, value: object) -> tuple[str, ...]:
    """The ticked options in the catalogue's order, each once; 无 or an empty list says that none is ticked."""
    words = value if isinstance(value, list | tuple) else [value]
    if len(words) == 1 and isinstance(words[0], str):
        text = normalise(words[0])
        words = [] if text == "无" else _apart(known, [part for part in _BETWEEN.split(text) if part.strip()])
    ticked = {_parse_option(known, word) for word in words}
    return tuple(code for code in known.options if code in ticked)


def _apart(known: Fact, parts: list[str]) -> list[str]:
    """The parts of a cell joined again where an option's own spelling has a comma, the longest first."""
    plain = {_BETWEEN.sub("", squeeze(word)): code for code, words in known.options.items() for word in words}
    found = []
    while parts:
        most = next((n for n in range(len(parts), 1, -1) if "".join(map(squeeze, parts[:n])) in plain), 1)
        found.append(plain["".join(map(squeeze, parts[:most]))] if most > 1 else parts[0])
        parts = parts[most:]
    return found


def _parse_ticks(_: Fact, value: object) -> Mapping[str, bool]:
    """Item key -> whether it is there; an item that is no key has not been looked at."""
    if not isinstance(value, Mapping):
        raise InputError("E-TICKS", "应为“项目: 是或否”的对应表", remedy="请按 xlcalc facts 给出的格式填写")
    return {str(key): _parse_bool(_, item) for key, item in value.items() if item is not None}


def _parse_table(known: Fact, value: object) -> tuple[Mapping[str, Any], ...]:
    """Rows of parsed cells; an empty cell is no key of its row. An error says ``row.column`` (rows from 1)."""
    if not isinstance(value, list | tuple) or not all(isinstance(row, Mapping) for row in value):
        raise InputError("E-TABLE", "应为若干行，每行是“列: 值”的对应表", remedy="请按 xlcalc facts 给出的列填写")
    if len(value) > _MAX_ROWS:
        raise InputError("E-TABLE", f"共 {len(value)} 行，超过 {_MAX_ROWS} 行", remedy="请分表提供")
    return tuple(_parse_row(known, number, row) for number, row in enumerate(value, 1))


def _parse_row(known: Fact, number: int, row: Mapping[str, object]) -> Mapping[str, Any]:
    parsed = {}
    for name, cell in row.items():
        column = known.columns.get(name)
        if column is None:
            listed = "、".join(known.columns)
            raise InputError(
                "E-TABLE",
                f"第{number}行：没有“{str(name)[:40]}”这一列",
                where=f"{number}",
                remedy=f"可用的列：{listed}",
            )
        if cell is not None and cell != "":
            try:
                parsed[name] = column.parse(cell)
            except InputError as error:
                raise type(error)(
                    error.code, f"第{number}行 {error.message}", where=f"{number}.{name}", remedy=error.remedy
                ) from None
    return parsed


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
    "passage": _parse_passage,
    "uscc": lambda known, value: clean_uscc(_parse_text(known, value)),
    "option": _parse_option,
    "options": _parse_options,
    "number": _parse_number,
    "share": _parse_share,
    "ticks": _parse_ticks,
    "table": _parse_table,
    "answers": _parse_mapping,
    "scenes": _parse_mapping,
    "texts": _parse_mapping,
}
