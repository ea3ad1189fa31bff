"""The choices a workbook is computed under, and what every other option would change for its enterprises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from macros_bridge.lists import Column, Line, Link
from workbooks.ports import places
from workbooks.recalc import Recalculated
from xlcalc.results.explain import RESULT_LABELS, show
from xlcalc.values.money import Money


@dataclass(frozen=True)
class Effect:
    """What another option would change for one enterprise: result key -> (now, then); None where there is no result."""

    option: str
    enterprise: str
    changes: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True)
class ChoiceInForce:
    """A choice as the workbook has it. where: its cell in the 口径确认表."""

    id: str
    question: str
    options: Mapping[str, str]
    chosen: str
    default: str
    where: str
    effects: tuple[Effect, ...]

    @property
    def is_default(self) -> bool:
        """Whether the default reading is in force."""
        return self.chosen == self.default


@dataclass(frozen=True)
class Choices:
    """Every choice of a workbook's policies."""

    name: str
    items: tuple[ChoiceInForce, ...]
    summary: str


def choices_of(done: Recalculated, name: str) -> Choices:
    """The choices of a recalculated workbook; name: the file in the summary's place."""
    items = tuple(_in_force(done))
    changed = sum(not item.is_default for item in items)
    mattering = sum(bool(item.effects) for item in items)
    summary = f"共 {len(items)} 项口径，{changed} 项不是默认；按本表已填的企业，{mattering} 项换一种口径会改变结果"
    return Choices(name, items, summary)


def _in_force(done: Recalculated) -> Iterator[ChoiceInForce]:
    read = done.read
    known = {key: item for version in read.versions.values() for key, item in version.interpretations.items()}
    cells = {port.name: port for port in read.manifest.ports if port.direction == "choice"}
    for name in cells:
        item = known[name.removeprefix("choice_").replace("_", "-")]
        where = str(places(read.book, name)[0])
        effects = tuple(_effects(done, item.id))
        yield ChoiceInForce(
            item.id, item.question, item.options, read.choices[item.id], item.default or "", where, effects
        )


def _effects(done: Recalculated, key: str) -> Iterator[Effect]:
    for record, outcome in done.outcomes:
        enterprise = str(record.facts.get("enterprise_name") or record.key)
        now = {**outcome.results, "status": outcome.status}
        for choice in outcome.choices:
            if choice.id == key:
                for option, changes in choice.alternatives.items():
                    yield Effect(option, enterprise, {name: (now.get(name), then) for name, then in changes.items()})


def effect_text(item: ChoiceInForce) -> str:
    """What each other option would change over all enterprises: how many, and the money in all."""
    lines = []
    for option, label in item.options.items():
        effects = [effect for effect in item.effects if effect.option == option]
        if not effects:
            continue
        changed = [_changed(key, effects) for key in dict.fromkeys(key for effect in effects for key in effect.changes)]
        enterprises = len({effect.enterprise for effect in effects})
        lines.append(f"若按“{label}”（{option}）：{enterprises} 家结果不同，{'，'.join(changed)}")
    return "\n".join(lines) or "换一种口径，本表结果不变"


def _changed(key: str, effects: Sequence[Effect]) -> str:
    pairs = [effect.changes[key] for effect in effects if key in effect.changes]
    label = RESULT_LABELS.get(key, key)
    if not all(isinstance(value, Money) for pair in pairs for value in pair):
        return f"{len(pairs)} 家的{label}不同"
    now, then = (Money(sum(pair[side].fen for pair in pairs)) for side in (0, 1))
    return f"其{label}合计由 {now} 变为 {then}"


_COLUMNS = (
    Column("编号（点击前往）", 16, True),
    Column("文件未明确之处", 40),
    Column("本表采用", 30),
    Column("是否默认", 12, True),
    Column("换一种口径会怎样", 66),
)
_EFFECT_COLUMNS = (
    Column("企业", 30),
    Column("编号", 12, True),
    Column("若按", 34),
    Column("结果", 20, True),
    Column("现在", 24, True),
    Column("变为", 24, True),
)


def choice_notes(found: Choices) -> tuple[str, ...]:
    """What stands above the lists."""
    return f"{found.summary}。", "在口径确认表“本表采用”一栏更改口径，改后按“核算”，公式随之更新。本清单不必保存。"


def choice_sheets(found: Choices, book: Path | None) -> list[tuple[str, Sequence[Column], Sequence[Line]]]:
    """The lists: one line a choice; then, where there are any, one a result that another option would change."""
    lines, details = [], []
    for item in found.items:
        state = "默认" if item.is_default else f"否，默认为 {item.default}"
        cells = (Link(item.where, book, item.id), item.question, _option(item, item.chosen), state, effect_text(item))
        lines.append(Line(cells))
        for effect in item.effects:
            for key, (now, then) in effect.changes.items():
                label = RESULT_LABELS.get(key, key)
                option = _option(item, effect.option)
                details.append(Line((effect.enterprise, item.id, option, label, _said(now), _said(then))))
    sheets: list[tuple[str, Sequence[Column], Sequence[Line]]] = [("口径", _COLUMNS, lines)]
    return [*sheets, ("逐家影响", _EFFECT_COLUMNS, details)] if details else sheets


def _option(item: ChoiceInForce, code: str) -> str:
    return f"{item.options[code]}（{code}）"


def _said(value: Any) -> str:
    return "无" if value is None else show(value)
