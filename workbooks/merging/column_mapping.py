"""What the columns of someone else's table are: proposed from their headings, settled only where there is no doubt.

A heading equal to a label or an alias is taken; anything else is asked, and the answers are kept in 列对应.json:

    {"format": "xlcalc.column-map/1", "template": "…",
     "tables": [{"signature": "…", "example": "甲县.xlsx 一批!A3", "columns": [
        {"heading": "企业全称", "fact": "enterprise_name", "unit": null, "note": "…"}]}]}

``fact`` is a fact's id or the label of the form's column, null for a column that is not wanted, "?" while nobody has
answered; ``unit`` is 元 or 万元 for an amount. ``signature`` is that of the headings in their order and of the unit the
table declares, so that the answers hold for every file with the same heading, and for no other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from workbooks.building.table_header import RECOGNISED, SIMILAR, UNKNOWN, Column
from workbooks.form import form
from workbooks.ports import Manifest, Port
from xlcalc.errors import InputError
from xlcalc.facts import Fact, fact
from xlcalc.values.text import squeeze

FORMAT = "xlcalc.column-map/1"
FILE_NAME = "列对应.json"
OPEN = "?"
UNITS = ("元", "万元")
_ALIKE = 60

How = Literal["exact", "alias", "similar", "none", "told"]

_UNIT = re.compile(r"[(/,:]?(?:单位:?)?(?:人民币)?(?P<unit>万元|元)\)?$")
# What forms put in brackets to say how a column is filled in, and not what it is.
_HINT = re.compile(r"\((?:是[/、]?否|不?超?过?\d+字(?:以内)?|必填|选填|盖章|如有|\d+位)\)")
_NUMBERS = frozenset({"序号", "编号", "no", "no.", "行号"})
# Headings over a group of columns that say nothing of whose they are.
_PLAIN_GROUP = re.compile(r"(?:企业|申报企业|申报单位|单位|申报|项目)?(?:基本)?(?:信息|情况|概况)|联系(?:信息|方式)")


@dataclass(frozen=True, slots=True)
class Target:
    """A column of the form a table is read for.

    option: of a fact with several options, the one whose 是/否 this column holds. words: its label as printed
    and the fact's own; aliases: other names it is known by. identifies: whether it says which enterprise a row is.
    """

    port: str
    fact: Fact
    label: str
    words: frozenset[str]
    aliases: frozenset[str]
    option: str | None = None
    identifies: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a column is taken for. target: None where it is not wanted; doubt: why it may be something else.

    unit: of an amount, None where neither heading nor table names one. candidates: (port, likeness in percent).
    """

    column: Column
    target: Target | None
    how: How
    unit: str | None = None
    doubt: str = ""
    candidates: tuple[tuple[str, int], ...] = ()

    @property
    def lacks_unit(self) -> bool:
        """Whether it is an amount of which nobody knows whether it is 元 or 万元."""
        return self.target is not None and self.target.fact.type == "money" and self.unit is None

    @property
    def question(self) -> str:
        """What a person has to settle; "" when nothing is."""
        unit = f"“{self.column.heading}”没有写明单位，是元还是万元" if self.lacks_unit else ""
        return "；".join(filter(None, (self.doubt, unit)))


Answer = tuple[str | None, str | None]
"""The port a column feeds (None: not wanted, OPEN: nobody has said) and the unit of an amount."""


@dataclass(frozen=True, slots=True)
class Told:
    """Answers of a person: signature of a heading -> an answer for each of its columns."""

    tables: Mapping[str, tuple[Answer, ...]]

    def __or__(self, other: Told) -> Told:
        return Told({**self.tables, **other.tables})


NOTHING_TOLD = Told({})


def option_of(port: Port) -> str | None:
    """The option whose 是/否 a column holds, where it holds one of a fact with several."""
    if port.fact is None or fact(port.fact).type != "options":
        return None
    return port.name.removeprefix(f"t_{port.fact}_")


def targets_of(form_id: str, ports: Manifest) -> tuple[Target, ...]:
    """The columns of a table form that a person fills in."""
    data = form(form_id).data
    identifying = ("uscc", data.get("name", "enterprise_name"))
    return tuple(
        _target(port, data.get("taken_from", {}), port.fact in identifying)
        for port in (ports.by_name[name] for name in ports.table)
        if port.direction == "in" and port.fact
    )


def _target(port: Port, sources: Mapping[str, str], identifies: bool) -> Target:
    assert port.fact is not None
    known = fact(port.fact)
    option = option_of(port)
    label = port.label or known.label
    words, aliases = {label}, set()
    if option is None:
        words.add(known.label)
        aliases |= set(known.aliases)
        if port.fact in sources:
            original = fact(sources[port.fact])
            aliases |= {original.label, *original.aliases}
    else:
        aliases |= {f"{before}{word}" for word in known.options[option] for before in ("", "争创", "申报")}
    own = frozenset(map(plain_heading, words))
    named = replace(known, label=label)
    return Target(port.name, named, label, own, frozenset(map(plain_heading, aliases)) - own, option, identifies)


def plain_heading(text: str) -> str:
    """A heading as it is compared: without blanks, marks, unit and the words that say how to fill it in.

    >>> plain_heading("核定金额（万元）"), plain_heading("案例简述（150 字以内）*"), plain_heading("核定金额（第一批）")
    ('核定金额', '案例简述', '核定金额(第一批)')
    """
    words = squeeze(text).casefold().replace("*", "").strip(":、.")
    words = _HINT.sub("", words)
    return _UNIT.sub("", words) or words


def unit_of(parts: Sequence[str], declared: str | None) -> str | None:
    """The unit a heading names, else the one the table declares for all amounts, else None.

    >>> unit_of(["投入", "核定金额（万元）"], None), unit_of(["核定金额"], None), unit_of(["核定金额"], "元")
    ('万元', None, '元')
    """
    named = [match["unit"] for part in reversed(parts) if (match := _UNIT.search(squeeze(part)))]
    return named[0] if named else declared


def grade(column: Column, targets: Sequence[Target]) -> int:
    """How well a heading is known, for finding the row it stands in."""
    for words in _readings(column):
        if words in _NUMBERS or any(words in target.words or words in target.aliases for target in targets):
            return RECOGNISED
    return SIMILAR if _candidates(column, targets) else UNKNOWN


def _readings(column: Column) -> tuple[str, str]:
    """A heading as one, and its last part alone."""
    return plain_heading("".join(column.parts)), plain_heading(column.parts[-1])


def propose(
    columns: Sequence[Column], targets: Sequence[Target], declared: str | None, told: Told = NOTHING_TOLD
) -> list[Proposal]:
    """For each column what it is, with a doubt wherever that is not certain."""
    answers = told.tables.get(signature(columns, declared))
    if answers is not None and len(answers) == len(columns):
        return [_as_told(column, targets, answer) for column, answer in zip(columns, answers, strict=True)]
    certain = [_certain(column, targets) for column in columns]
    exact = {item.target.port for item in certain if item.target and item.how == "exact"}
    certain = [
        # An exact heading goes before an alias: the alias is then a column the form does not have.
        Proposal(item.column, None, "none")
        if item.how == "alias" and item.target and item.target.port in exact
        else item
        for item in certain
    ]
    taken = {item.target.port for item in certain if item.target}
    free = [target for target in targets if target.port not in taken]
    found = [_similar(item.column, free) if item.how == "similar" else item for item in certain]
    return [_with_unit(item, declared) for item in _doubled(found)]


def _certain(column: Column, targets: Sequence[Target]) -> Proposal:
    """By label or alias; ``similar`` without a target where neither fits."""
    whole, last = _readings(column)
    if whole in _NUMBERS:
        return Proposal(column, None, "none")
    # The last part alone is the heading only where what stands over it does not say of whom or what it is.
    plain = all(_PLAIN_GROUP.fullmatch(plain_heading(part)) for part in column.parts[:-1])
    for words in dict.fromkeys((whole, last) if plain else (whole,)):
        exact = [target for target in targets if words in target.words]
        alias = [target for target in targets if words in target.aliases]
        if len(exact) == 1 or (not exact and len(alias) == 1):
            return Proposal(column, (exact or alias)[0], "exact" if exact else "alias")
    return Proposal(column, None, "similar")


def _similar(column: Column, free: Sequence[Target]) -> Proposal:
    """The nearest of the targets no heading has claimed, always in doubt; ``none`` where nothing is near."""
    candidates = _candidates(column, free)
    if not candidates:
        return Proposal(column, None, "none")
    by_port = {target.port: target for target in free}
    listed = "、".join(f"“{by_port[port].label}”（{score}%）" for port, score in candidates)
    doubt = f"“{column.heading}”像是{listed}，请确认"
    return Proposal(column, by_port[candidates[0][0]], "similar", doubt=doubt, candidates=candidates)


def _candidates(column: Column, targets: Sequence[Target]) -> tuple[tuple[str, int], ...]:
    """Targets whose names resemble a heading, the nearest first."""
    from rapidfuzz import fuzz, process

    names = {(target.port, word): word for target in targets for word in (*target.words, *target.aliases)}
    scores: dict[str, int] = {}
    for words in dict.fromkeys(_readings(column)):
        near = process.extract(words, names, scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=None)
        for _, score, (port, _) in near:
            scores[port] = max(scores.get(port, 0), int(score))
    return tuple(sorted(scores.items(), key=lambda item: -item[1])[:3])


def _doubled(found: Sequence[Proposal]) -> list[Proposal]:
    """Two columns for one target are both in doubt, whatever they are called."""
    named: dict[str, list[str]] = {}
    for item in found:
        if item.target:
            named.setdefault(item.target.port, []).append(f"“{item.column.heading}”")
    doubted = []
    for item in found:
        if item.target and len(named[item.target.port]) > 1:
            which = "与".join(named[item.target.port])
            doubt = f"{which}都像是“{item.target.label}”，请指定用哪一列"
            item = replace(item, doubt=doubt, candidates=item.candidates or ((item.target.port, 100),))
        doubted.append(item)
    return doubted


def _with_unit(item: Proposal, declared: str | None) -> Proposal:
    if item.target is None or item.target.fact.type != "money":
        return item
    return replace(item, unit=unit_of(item.column.parts, declared))


def _as_told(column: Column, targets: Sequence[Target], answer: Answer) -> Proposal:
    port, unit = answer
    target = next((target for target in targets if target.port == port), None)
    doubt = f"“{column.heading}”还没有指定对应的列" if port is not None and target is None else ""
    is_money = target is not None and target.fact.type == "money"
    return Proposal(column, target, "told", unit if is_money and unit in UNITS else None, doubt)


def heading_key(column: Column) -> str:
    """A heading as it is found again, in whatever width and with whatever blanks it is typed."""
    return squeeze(column.heading).casefold()


def signature(columns: Sequence[Column], declared: str | None) -> str:
    """The same for every table with the same headings in the same order and the same declared unit."""
    said = [*(heading_key(column) for column in columns), declared or ""]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


# --- 列对应.json


_SAYS = (
    f"把每个“{OPEN}”改为“可选”中的列名，不用的列写 null；金额列的 unit 写“元”或“万元”。改好后用 --map 指定本文件再运行"
)
_NOTES: Mapping[How, str] = {
    "exact": "名称相同", "alias": "别名", "similar": "", "none": "没有对应的列，不采用", "told": "已指定",
}  # fmt: skip


def mapping_document(form_id: str, targets: Sequence[Target], tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The document for a person to complete; tables as given by ``table_entry``."""
    labels = {target.port.removeprefix("t_"): target.label for target in targets}
    return {"format": FORMAT, "template": form_id, "说明": _SAYS, "可选": labels, "tables": list(tables)}


def table_entry(example: str, found: Sequence[Proposal], declared: str | None) -> dict[str, Any]:
    """One table: what is settled as it is, what is asked as ``?`` with what it may be."""
    columns = [
        {
            "heading": item.column.heading,
            "fact": OPEN if item.doubt else item.target.port.removeprefix("t_") if item.target else None,
            "unit": (item.unit or OPEN) if item.target and item.target.fact.type == "money" else None,
            "note": item.question or _NOTES[item.how],
        }
        for item in found
    ]
    return {"signature": signature([item.column for item in found], declared), "example": example, "columns": columns}


def read_mapping(path: Path, form_id: str, targets: Sequence[Target]) -> Told:
    """The answers in a 列对应.json; raises InputError ``E-MAP`` for what is not one, or not one for this form."""
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise _unusable("读不出来，或不是 UTF-8 编码的 JSON", str(path)) from None
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        raise _unusable(f"格式不对（format 应为 {FORMAT}）", str(path))
    if given.get("template") != form_id:
        raise _unusable(f"是为模板“{given.get('template')}”写的，不是 {form_id}", str(path))
    ports = {target.port.removeprefix("t_"): target.port for target in targets}
    ports |= {target.label: target.port for target in targets}
    answers = {}
    for number, table in enumerate(_rows(given, "tables", str(path)), 1):
        where = f"{path}:第{number}个表"
        answers[str(table.get("signature"))] = _answers(_rows(table, "columns", where), ports, where)
    return Told(answers)


def _rows(holder: Mapping[str, Any], key: str, where: str) -> list[Mapping[str, Any]]:
    rows = holder.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _unusable(f"的 {key} 应为若干项", where)
    return rows


def _answers(columns: Sequence[Mapping[str, Any]], ports: Mapping[str, str], where: str) -> tuple[Answer, ...]:
    answers: list[Answer] = []
    for row in columns:
        heading, wanted, unit = row.get("heading"), row.get("fact", OPEN), row.get("unit")
        if wanted not in (None, OPEN, *ports):
            raise _unusable(f"中“{heading}”的 fact “{wanted}”不是本表的列（可选：{'、'.join(ports)}）", where)
        if unit not in (None, OPEN, *UNITS):
            raise _unusable(f"中“{heading}”的 unit “{unit}”应为 元 或 万元", where)
        port = ports.get(wanted, OPEN) if wanted is not None else None
        if port not in (None, OPEN) and any(port == other for other, _ in answers):
            raise _unusable(f"中有两列都写成“{wanted}”", where)
        answers.append((port, unit))
    return tuple(answers)


def _unusable(message: str, where: str) -> InputError:
    return InputError("E-MAP", f"列对应文件{message}", where=where, remedy=f"请改正，或删去后重新生成 {FILE_NAME}")
