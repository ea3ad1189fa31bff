"""The assessment as native formulas: parameters, formulas and the values those formulas show.

Points are counted in whole score units inside the formulas, so that 40 and 39.975 fall on the right side
of a threshold in every program. Tick states are 1 ticked, 0 not ticked, -1 an unknown sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from xlcalc.values.levels import LABELS

if TYPE_CHECKING:
    from xlcalc.mechanisms.assessment_answers import Question
    from xlcalc.mechanisms.assessment_score import Assessment

Cells = dict[str, str]

UNANSWERED = "未答"
PROBLEMS = {-1: "勾选符号有误", -2: "单选只能选一项", -3: "“无”不能与其他选项同选"}
INCOMPLETE = "未答完"
BAD_SCENE = "场景等级有误"


def parameters(assessment: Assessment) -> dict[str, list[list[int | str]]]:
    """The hidden parameter table, one block a name; everything the formulas compare with stands here."""
    options = [option for question in assessment.questions for option in question.options]
    return {
        "points": [[option.units] for option in options],
        "scale": [[assessment.scale]],
        "scenes": [[int(scene.mandatory), scene.label] for scene in assessment.scenes],
        "levels": [[rule.level, rule.units, rule.scenes, rule.mandatory] for rule in assessment.levels],
    }


def question_units(question: Question, states: str, first_state: str, points: str) -> str:
    """The formula for a question's score units; "" unanswered, negative for the problems in ``PROBLEMS``."""
    single = f"IF(SUM({states})>1,-2,SUMPRODUCT({states},{points}))"
    excludes = any(option.exclusive for option in question.options)
    several = f"IF(AND({first_state}=1,SUM({states})>1),-3,SUMPRODUCT({states},{points}))" if excludes else ""
    chosen = several if question.multi and several else single
    return f'=IF(COUNTIF({states},-1)>0,-1,IF(SUM({states})=0,"",{chosen}))'


def question_units_value(question: Question, states: Sequence[int]) -> int | str:
    """What ``question_units`` shows for the same tick states."""
    if -1 in states:
        return -1
    ticked = [place for place, state in enumerate(states) if state]
    if not ticked:
        return ""
    if len(ticked) > 1 and not question.multi:
        return -2
    if len(ticked) > 1 and any(question.options[place].exclusive for place in ticked):
        return -3
    return sum(question.options[place].units for place in ticked)


def score_text(units: str, scale: str) -> str:
    """The formula for the 得分 cell of a question: points, or what is wrong with the ticks."""
    nested = f"{units}/{scale}"
    for code, words in PROBLEMS.items():
        nested = f'IF({units}={code},"{words}",{nested})'
    return f'=IF({units}="","{UNANSWERED}",{nested})'


def score_value(units: int | str, scale: int) -> Fraction | str:
    """What ``score_text`` shows for the same units."""
    if isinstance(units, str):
        return UNANSWERED
    return PROBLEMS[units] if units < 0 else Fraction(units, scale)


def result_formulas(assessment: Assessment, refs: Mapping[str, str]) -> Cells:
    """The formulas for the total, the counts, the level and the gaps.

    refs: ``units`` and ``codes`` (ranges of question units and scene levels), ``mandatory`` (range of 0/1),
    ``scale``, ``n_level``/``n_units``/``n_scenes``/``n_mandatory`` for n = 1..4, and the cells of the
    outputs themselves, by their names.
    """
    cells: Cells = {}
    complete = f'AND(COUNT({refs["units"]})={len(assessment.questions)},COUNTIF({refs["units"]},"<0")=0)'
    cells["total_units"] = f'=IF({complete},SUM({refs["units"]}),"")'
    total = refs["total_units"]
    cells["score"] = f'=IF({total}="","{INCOMPLETE}",{total}/{refs["scale"]})'
    passed = []
    for rule in assessment.levels:
        n = rule.level
        at = f"{refs['codes']}>={refs[f'{n}_level']}"
        cells[f"scenes_{n}"] = f"=SUMPRODUCT(({at})*1)"
        cells[f"mandatory_{n}"] = f"=SUMPRODUCT(({at})*({refs['mandatory']}=1))"
        enough = (
            f"{total}>={refs[f'{n}_units']},{refs[f'scenes_{n}']}>={refs[f'{n}_scenes']},"
            f"{refs[f'mandatory_{n}']}>={refs[f'{n}_mandatory']}"
        )
        cells[f"passed_{n}"] = f'=IF({total}="",0,IF(AND({enough}),{refs[f"{n}_level"]},0))'
        passed.append(refs[f"passed_{n}"])
    bad = f"COUNTIF({refs['codes']},-1)>0"
    cells["level"] = f'=IF(OR({total}="",{bad}),"",MAX({",".join(passed)}))'
    level = refs["level"]
    named = _by_level(level, [f'"{label}"' for label in LABELS])
    cells["level_text"] = f'=IF({level}="",IF({bad},"{BAD_SCENE}","{INCOMPLETE}"),{named})'
    for name in ("scenes", "mandatory"):
        at_level = _by_level(level, [refs[f"{name}_{max(n, 1)}"] for n in range(5)])
        cells[f"{name}_at_level"] = f'=IF({level}="","",{at_level})'
    cells["gap_points"] = _gap(level, [f"({refs[f'{n}_units']}-{total})/{refs['scale']}" for n in range(1, 5)])
    cells["gap_scenes"] = _gap(level, [f"{refs[f'{n}_scenes']}-{refs[f'scenes_{n}']}" for n in range(1, 5)])
    cells["gap_mandatory"] = _gap(level, [f"{refs[f'{n}_mandatory']}-{refs[f'mandatory_{n}']}" for n in range(1, 5)])
    return cells


def result_values(assessment: Assessment, units: Sequence[int | str], codes: Sequence[int]) -> dict[str, Any]:
    """What the formulas of ``result_formulas`` show for the same units and scene levels."""
    known = [value for value in units if isinstance(value, int)]
    total = sum(known) if len(known) == len(units) and min(known) >= 0 else None
    levels = {scene.key: code for scene, code in zip(assessment.scenes, codes, strict=True)}
    values: dict[str, Any] = {"total_units": "" if total is None else total}
    values["score"] = INCOMPLETE if total is None else Fraction(total, assessment.scale)
    for rule in assessment.levels:
        scenes, mandatory = assessment.count(rule.level, levels)
        values[f"scenes_{rule.level}"], values[f"mandatory_{rule.level}"] = scenes, mandatory
        enough = total is not None and total >= rule.units and scenes >= rule.scenes and mandatory >= rule.mandatory
        values[f"passed_{rule.level}"] = rule.level if enough else 0
    if total is None or -1 in codes:
        empty = ("level", "scenes_at_level", "mandatory_at_level", "gap_points", "gap_scenes", "gap_mandatory")
        text = BAD_SCENE if -1 in codes else INCOMPLETE
        return values | dict.fromkeys(empty, "") | {"level_text": text}
    level = assessment.level_of(total, levels)
    gap = assessment.gap(level, total, levels)
    values["level"], values["level_text"] = level, LABELS[level]
    values["scenes_at_level"] = values[f"scenes_{max(level, 1)}"]
    values["mandatory_at_level"] = values[f"mandatory_{max(level, 1)}"]
    for name in ("points", "scenes", "mandatory"):
        values[f"gap_{name}"] = gap[name] if gap else ""
    return values


def _by_level(level: str, choices: Sequence[str]) -> str:
    nested = choices[-1]
    for n in range(len(choices) - 2, -1, -1):
        nested = f"IF({level}={n},{choices[n]},{nested})"
    return nested


def _gap(level: str, differences: Sequence[str]) -> str:
    """What the next level still takes; "" without a level and at the highest."""
    by_level = _by_level(level, [f"MAX({difference},0)" for difference in differences] + ['""'])
    return f'=IF({level}="","",{by_level})'
