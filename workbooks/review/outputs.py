"""What every formula cell of a 评审工作簿 shows, the steps written into it, and the outcome of each opinion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

from workbooks.assessment.text import summary_values
from workbooks.files.rawxml import ErrorValue
from workbooks.form import UDF
from workbooks.record import ReadBook, Record, Shown
from workbooks.review.compare import (
    Said,
    is_difference,
    question_differences,
    result_values,
    scene_differences,
)
from workbooks.review.layout import (
    OPINIONS,
    RATE_PLACES,
    REVIEW,
    REVIEWS,
    SECOND,
    SELF,
    UNFINISHED,
    Opinion,
    Part,
    parts,
    points_words,
    step_lines,
)
from xlcalc.evaluation import evaluate
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.mechanisms.assessment_steps import next_level, next_level_lines
from xlcalc.packs.policy import Version
from xlcalc.results.outcome import Outcome

NOT_AVAILABLE = ErrorValue("#N/A")
_OWN_FACTS = {name for opinion in OPINIONS for name in (opinion.answers, opinion.scenes, opinion.reasons)} | {
    "evidence", "scene_evidence",
}  # fmt: skip


def review_outcomes(read: ReadBook, record: Record, on: date | None) -> list[Outcome]:
    """The outcome of 自评 once begun, and of 评审 and 复核 where they are complete, each under its own name.

    A finding two opinions share is told with the first.
    """
    assessment: Assessment = record.cells["assessment"]
    policy = read.form.policies[0]
    version = read.versions[policy]
    shared = {name: value for name, value in record.facts.items() if name not in _OWN_FACTS}
    found: list[Outcome] = []
    for opinion in OPINIONS:
        said: Said = record.cells["said"][opinion.key]
        begun = said.complete(assessment) if opinion is not SELF else said.done(assessment) > 0
        if not begun:
            continue
        facts = dict(shared)
        for name, own in ((assessment.answers, opinion.answers), (assessment.scenes_fact, opinion.scenes)):
            if own in record.facts:
                facts[name] = record.facts[own]
        outcome = evaluate(policy, facts, on=on, version=version, choices=version.own_choices(read.choices))
        told = {(item.code, item.message) for earlier in found for item in earlier.findings}
        located = tuple(
            replace(item, where=item.where or _where(record, opinion, item.fact))
            for item in outcome.findings if (item.code, item.message) not in told
        )  # fmt: skip
        found.append(replace(outcome, findings=located, policy_label=f"{outcome.policy_label}·{opinion.label}"))
    return found


def _where(record: Record, opinion: Opinion, about: str | None) -> str | None:
    """The cell of a question, or the first cell of what else a finding is about, in an opinion's own column."""
    own = record.facts_at.get(f"{opinion.answers}.{about}")
    swapped = {"answers": opinion.answers, "scenes": opinion.scenes}.get(about or "", about or "")
    return own or record.facts_at.get(swapped)


def review_outputs(read: ReadBook, record: Record) -> Shown:
    """Every output of the workbook, and the lines of steps."""
    assessment: Assessment = record.cells["assessment"]
    said: Mapping[str, Said] = record.cells["said"]
    version = read.versions[read.form.policies[0]]
    values = {opinion.key: result_values(assessment, opinion, said[opinion.key]) for opinion in OPINIONS}
    shown: Shown = {}
    for opinion in OPINIONS:
        shown |= _work(assessment, version, opinion, said[opinion.key], values[opinion.key])
        if read.manifest.flavour == UDF:
            shown[f"k_{opinion.key}_levels"] = [max(code, 0) for code in said[opinion.key].codes()]
    scale = assessment.scale
    shown["o_most"] = [Fraction(question.most, scale) for question in assessment.questions]
    shown["o_option_points"] = [
        Fraction(question.options[question.index(code) or 0].units, scale)
        for question in assessment.questions for code in question.printed
    ]  # fmt: skip
    shown |= _differences(assessment, said, record.cells["blank_reasons"])
    shown |= _overview(assessment, version, said, values)
    return shown | _steps(assessment, said, values)


def _work(assessment: Assessment, version: Version, opinion: Opinion, said: Said, values: Mapping[str, Any]) -> Shown:
    units = said.units(assessment)
    states = [state for ticks in said.states(assessment) for state in ticks]
    cells: Shown = {
        "states": states, "clean": list(said.texts), "readable": said.readable(assessment), "units": units,
        "masks": said.masks(assessment), "read_levels": list(said.levels), "codes": said.codes(),
        "rates": _rates(assessment, version, units), **values,
    }  # fmt: skip
    shown = {f"k_{opinion.key}_{name}": value for name, value in cells.items()}
    words = points_words(opinion)
    points = [assessment_cells.score_value(unit, assessment.scale) for unit in units]
    shown[f"o_{opinion.key}_points"] = [words.get(p, p) if isinstance(p, str) else p for p in points]
    shown[f"o_{opinion.key}_heat"] = list(said.levels)
    shown[f"o_{opinion.key}_rates"] = ["" if rate is NOT_AVAILABLE else rate for rate in cells["rates"]]
    return shown


def _sum(part: Part, units: list[int | str]) -> int | None:
    own = [units[place] for place in part.questions]
    numbers = [unit for unit in own if isinstance(unit, int) and unit >= 0]
    return sum(numbers) if len(numbers) == len(own) else None


def _rates(assessment: Assessment, version: Version, units: list[int | str]) -> list[Any]:
    rates: list[Any] = []
    for part in parts(version, assessment):
        total, most = _sum(part, units), part.most(assessment)
        shown = None if total is None else (2 * total * 10**RATE_PLACES + most) // (2 * most)
        rates.append(NOT_AVAILABLE if shown is None else Fraction(shown, 10**RATE_PLACES))
    return rates


def _differences(assessment: Assessment, said: Mapping[str, Said], blank: Mapping[str, list[bool]]) -> Shown:
    opinions = [said[opinion.key] for opinion in OPINIONS]
    shown: Shown = {}
    differing, wanting = [], []
    by_question, by_scene = question_differences(assessment, opinions), scene_differences(assessment, opinions)
    for opinion in REVIEWS:
        questions = [value for _, value in by_question[opinion.key]]
        scenes = [value for _, value in by_scene[opinion.key]]
        shown[f"o_{opinion.key}_question_differences"] = questions
        shown[f"o_{opinion.key}_scene_differences"] = scenes
        departs = [is_difference(value) for value in (*questions, *scenes)]
        differing.append(sum(departs))
        wanting.append(sum(both == (True, True) for both in zip(departs, blank[opinion.key], strict=True)))
    return shown | {"o_differing": differing, "o_wanting": wanting}


def _overview(
    assessment: Assessment, version: Version, said: Mapping[str, Said], values: Mapping[str, Mapping[str, Any]]
) -> Shown:
    units = {opinion.key: said[opinion.key].units(assessment) for opinion in OPINIONS}
    # As the cells count: what holds points, and what holds a level.
    done = [
        sum(isinstance(unit, int) and unit >= 0 for unit in units[opinion.key])
        + len(said[opinion.key].scenes(assessment))
        for opinion in OPINIONS
    ]
    scores = [_score(values[opinion.key]["score"], done[opinion.place], opinion) for opinion in OPINIONS]
    totals = [values[opinion.key]["total_units"] for opinion in OPINIONS]
    shown: Shown = {"o_done": done, "o_score": [*scores, *_gains(assessment, totals)]}
    tops = [part for part in parts(version, assessment) if part.top]
    for place, part in enumerate(tops):
        sums: list[Any] = [_sum(part, units[opinion.key]) for opinion in OPINIONS]
        points = ["" if total is None else Fraction(total, assessment.scale) for total in sums]
        gains = _gains(assessment, ["" if total is None else total for total in sums])
        shown[f"o_part_{place}"] = [*points, *gains]
    for rule in assessment.levels:
        shown[f"o_scenes_{rule.level}"] = [
            _counts(assessment, opinion, said[opinion.key], values[opinion.key], rule.level) for opinion in OPINIONS
        ]
    texts = [summary_values(assessment, values[opinion.key], said[opinion.key].codes()) for opinion in OPINIONS]
    shown["o_level"] = [_level(values[opinion.key]["level_text"], done[opinion.place], opinion) for opinion in OPINIONS]
    shown["o_gap"] = [text["gap"] for text in texts]
    shown["o_steps_live"] = [
        "" if values[opinion.key]["level"] == "" else f"{text['score']}；{text['gap']}"
        for opinion, text in zip(OPINIONS, texts, strict=True)
    ]
    return shown


def _score(score: Any, done: int, opinion: Opinion) -> Any:
    if opinion is SELF or isinstance(score, Fraction):
        return score
    return UNFINISHED if done else ""


def _gains(assessment: Assessment, units: list[Any]) -> list[Fraction | str]:
    found: list[Fraction | str] = []
    for one, two in ((REVIEW, SELF), (SECOND, REVIEW)):
        new, old = units[one.place], units[two.place]
        both = isinstance(new, int) and isinstance(old, int)
        found.append(Fraction(new - old, assessment.scale) if both else "")
    return found


def _counts(assessment: Assessment, opinion: Opinion, said: Said, values: Mapping[str, Any], level: int) -> str:
    if opinion is not SELF and len(said.scenes(assessment)) < len(assessment.scenes):
        return ""
    return f"{values[f'scenes_{level}']} 个，约束性 {values[f'mandatory_{level}']} 个"


def _level(text: str, done: int, opinion: Opinion) -> str:
    if opinion is SELF:
        return text
    return ("" if text == assessment_cells.INCOMPLETE else text) or UNFINISHED if done else ""


def _steps(assessment: Assessment, said: Mapping[str, Said], values: Mapping[str, Mapping[str, Any]]) -> Shown:
    columns = []
    basis = []
    for opinion in OPINIONS:
        own, result = said[opinion.key], values[opinion.key]
        if result["level"] == "":
            total = len(assessment.questions) + len(assessment.scenes)
            begun = own.done(assessment)
            lines = [f"已填 {begun}/{total}，没有等级，无法计算"] if begun else []
            basis.append("")
        else:
            lines = next_level_lines(
                assessment, next_level(assessment, own.answers(assessment), own.scenes(assessment))
            )
            text = summary_values(assessment, result, own.codes())
            basis.append(f"{text['score']}；{text['gap']}")
        columns.append([*lines, *[""] * (step_lines(assessment) - len(lines))])
    rows = [line for row in zip(*columns, strict=True) for line in row]
    return {"fill_steps": rows, "fill_steps_basis": basis, "o_steps_state": [""] * len(OPINIONS)}
