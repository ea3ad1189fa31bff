"""A scored questionnaire and a table of scenes: what a pack says of them, checked and compiled."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import lcm
from typing import Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.mechanisms.assessment_answers import Figures, Option, Question
from xlcalc.mechanisms.assessment_score import KIND as KIND
from xlcalc.mechanisms.assessment_score import Assessment, LevelRule, Scene
from xlcalc.mechanisms.base import share


class WeightData(TypedDict):
    """A dimension, indicator or item and its share of what stands above it.

    ``printed``: the share as the form prints it, where the form and the share used differ.
    """

    key: str
    label: str
    weight: str
    clause: str
    under: NotRequired[str]
    printed: NotRequired[str]


class OptionData(TypedDict):
    """``share`` of the question's most points; ``upto``: closed upper bound of a bracket."""

    key: str
    label: str
    share: str
    exclusive: NotRequired[bool]
    upto: NotRequired[str]
    notice: NotRequired[str]
    notice_code: NotRequired[str]


class FiguresData(TypedDict):
    """The figures a question asks for; see ``assessment_answers.Figures``."""

    kind: Literal["count", "years", "change"]
    part: str
    whole: NotRequired[str]
    mode: NotRequired[Literal["sum_over_sum", "mean_of_ratios"]]
    tolerance: NotRequired[str]
    money: NotRequired[list[str]]
    warn_above: NotRequired[dict[str, str]]


class QuestionData(TypedDict):
    """One question: ``item`` places it in the tree of weights; ``printed``: option keys in the form's order."""

    key: str
    number: int
    item: str
    text: str
    multi: bool
    clause: str
    options: list[OptionData]
    printed: NotRequired[list[str]]
    figures: NotRequired[FiguresData]


class SceneData(TypedDict):
    """One business scene and what each level 一 to 四 demands of it."""

    key: str
    label: str
    group: str
    mandatory: bool
    criteria: list[str]
    clause: str


class LevelData(TypedDict):
    """What a level takes: a score and numbers of scenes at that level or above."""

    key: str
    level: int
    score: int
    scenes: int
    mandatory: int
    clause: str


class Data(TypedDict):
    """What a pack says of an assessment."""

    kind: Literal["assessment"]
    key: str
    label: str
    answers: str
    scenes_fact: str
    level_clause: str
    rule_notice: str
    rule_notice_code: str
    dimensions: list[WeightData]
    indicators: list[WeightData]
    items: list[WeightData]
    questions: list[QuestionData]
    scenes: list[SceneData]
    levels: list[LevelData]


def compile_data(data: Data) -> Assessment:
    """Checks the tree of weights and the level table, and turns shares into whole score units."""
    where = data["key"]
    tops = _weights(data["dimensions"], None, where)
    middles = _weights(data["indicators"], tops, where)
    items = _weights(data["items"], middles, where)
    for question in data["questions"]:
        if question["item"] not in items:
            place = f"{where}.{question['key']}"
            raise PackError("E-PACK-WEIGHT", f"没有采集项“{question['item']}”", where=place, remedy="请核对 item")
    shares = {
        (question["key"], option["key"]): items[question["item"]]
        * 100
        * share(option["share"], f"{where}.{question['key']}")
        for question in data["questions"]
        for option in question["options"]
    }
    scale = lcm(1000, *(value.denominator for value in shares.values()))
    root = {row["key"]: row["under"] for row in [*data["indicators"], *data["items"]] if "under" in row}
    labels = {row["key"]: row["label"] for row in data["dimensions"]}
    levels = _levels(data["levels"], scale, where)
    return Assessment(
        key=where, label=data["label"], answers=data["answers"], scenes_fact=data["scenes_fact"],
        clauses=_clauses(data), level_clause=data["level_clause"],
        rule_notice=data["rule_notice"], rule_notice_code=data["rule_notice_code"], scale=scale,
        dimensions=tuple(row["label"] for row in data["dimensions"]),
        questions=tuple(_question(row, shares, scale, labels[root[root[row["item"]]]]) for row in data["questions"]),
        scenes=tuple(_scene(row) for row in data["scenes"]),
        levels=levels,
    )  # fmt: skip


def _clauses(data: Data) -> tuple[str, ...]:
    """Every clause a score rests on: those of the weights and those of the points."""
    rows = [*data["dimensions"], *data["indicators"], *data["items"], *data["questions"]]
    return tuple(dict.fromkeys(str(row["clause"]) for row in rows))


def _scene(row: SceneData) -> Scene:
    return Scene(row["key"], row["label"], row["group"], row["mandatory"], tuple(row["criteria"]))


def _weights(rows: list[WeightData], above: Mapping[str, Fraction] | None, where: str) -> dict[str, Fraction]:
    """Each row's share of the whole; the shares under one parent may not exceed it."""
    own = {row["key"]: share(row["weight"], f"{where}.{row['key']}.weight") for row in rows}
    parents = {row["key"]: row.get("under", "") for row in rows}
    for parent in set(parents.values()):
        total = sum((own[key] for key, up in parents.items() if up == parent), Fraction(0))
        if total > 1:
            raise PackError(
                "E-PACK-WEIGHT", f"“{parent or '一级指标'}”下各项权重之和超过100%", where=where, remedy="请核对原文权重"
            )
        if above is not None and parent not in above:
            raise PackError("E-PACK-WEIGHT", f"没有上级指标“{parent}”", where=where, remedy="请核对 under")
    return {key: value * (above[parents[key]] if above is not None else 1) for key, value in own.items()}


def _question(row: QuestionData, shares: Mapping[tuple[str, str], Fraction], scale: int, dimension: str) -> Question:
    options = tuple(
        Option(
            code=option["key"], label=option["label"], units=int(shares[row["key"], option["key"]] * scale),
            exclusive=option.get("exclusive", False),
            upto=share(option["upto"], row["key"]) if "upto" in option else None,
            notice=option.get("notice", ""), notice_code=option.get("notice_code", ""),
        )
        for option in row["options"]
    )  # fmt: skip
    return Question(
        row["key"],
        row["number"],
        row["text"],
        dimension,
        row["item"],
        row["multi"],
        options,
        _figures(row),
        tuple(row.get("printed", [option["key"] for option in row["options"]])),
    )


def _figures(row: QuestionData) -> Figures | None:
    data = row.get("figures")
    if data is None:
        return None
    above = data.get("warn_above", {})
    return Figures(
        data["kind"], data["part"], data.get("whole"), data.get("mode") == "mean_of_ratios",
        share(data.get("tolerance", "0%"), row["key"]), frozenset(data.get("money", [])),
        above.get("question"), above.get("figure"),
    )  # fmt: skip


def _levels(rows: list[LevelData], scale: int, where: str) -> tuple[LevelRule, ...]:
    rules = tuple(
        LevelRule(row["level"], row["score"] * scale, row["score"], row["scenes"], row["mandatory"]) for row in rows
    )
    demands = [(rule.score, rule.scenes, rule.mandatory) for rule in rules]
    rising = all(
        a <= b for low, high in zip(demands, demands[1:], strict=False) for a, b in zip(low, high, strict=True)
    )
    if [rule.level for rule in rules] != [1, 2, 3, 4] or not rising:
        raise PackError(
            "E-PACK-LEVELS",
            "等级判定表须按一级至四级排列，且要求逐级不降",
            where=f"{where}.levels",
            remedy="请核对等级判定表",
        )
    return rules
