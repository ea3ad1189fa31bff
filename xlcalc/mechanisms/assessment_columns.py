"""The assessment for many enterprises at once, on integer arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from xlcalc.errors import InputError
from xlcalc.mechanisms.columns import checked_levels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from xlcalc.mechanisms.assessment_answers import Question
    from xlcalc.mechanisms.assessment_score import Assessment


def evaluate_columns(assessment: Assessment, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Score units and levels; see ``Assessment.evaluate_many``."""
    scenes = columns[assessment.scenes_fact]
    rows = scenes.shape[0]
    units = np.zeros(rows, dtype=np.int64)
    answered = np.ones(rows, dtype=bool)
    for question in assessment.questions:
        mask = _checked_mask(question, columns[question.key])
        answered &= mask != 0
        for place, option in enumerate(question.options):
            units += ((mask >> place) & 1) * option.units
    reached = checked_levels(scenes.reshape(-1), assessment.scenes_fact).reshape(scenes.shape)
    mandatory = np.array([scene.mandatory for scene in assessment.scenes])
    level = np.zeros(rows, dtype=np.int64)
    for rule in assessment.levels:
        at = reached >= rule.level
        passed = (
            (units >= rule.units) & (at.sum(axis=1) >= rule.scenes) & (at[:, mandatory].sum(axis=1) >= rule.mandatory)
        )
        level[passed] = rule.level
    return {"score_units": np.where(answered, units, -1), "maturity_level": np.where(answered, level, -1)}


def _checked_mask(question: Question, column: NDArray[Any]) -> NDArray[np.int64]:
    mask = column.astype(np.int64)
    exclusive = sum(1 << place for place, option in enumerate(question.options) if option.exclusive)
    several = (mask & (mask - 1)) != 0
    bad = (mask < 0) | (mask >= 1 << len(question.options))
    bad |= several if not question.multi else several & ((mask & exclusive) != 0)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            "E-COLUMN",
            f"第{question.number}题第 {row} 行的勾选互相矛盾或不存在",
            where=question.key,
            remedy="请先处理该行",
        )
    return mask
