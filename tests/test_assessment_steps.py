"""The fewest steps to the next level: by hand, and against a search that tries every way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workbench import E1_ANSWERS, E1_SCENES, MATURITY
from workbench import assessment as real

from xlcalc import load_policy
from xlcalc.errors import InputError
from xlcalc.mechanisms.assessment_answers import Option, Question
from xlcalc.mechanisms.assessment_score import Assessment, LevelRule, Scene
from xlcalc.mechanisms.assessment_steps import AnswerStep, NextLevel, SceneStep, next_level, next_level_lines

NONE: dict[str, Any] = {
    "q1": ["A"], "q2": "A", "q3": "A", "q4": ["none"], "q5": "A", "q6": ["A"], "q7": ["A"], "q8": "A", "q9": ["A"],
    "q10": ["A"], "q11": "A", "q12": "increase", "q13": "decrease", "q14": "decrease", "q15": "increase",
}  # fmt: skip


# --- by hand


def test_the_example_needs_fifteen_steps() -> None:
    """48.25 points, six scenes at 二级; 三级 takes 60 points, eight scenes at 三级 of which five mandatory.

    Score: 11.75 short. The largest single steps give 3, 2.5, 2.5, 2 and 2: four give at most 10, five give 12.
    Scenes: eight at 三级 from six at 二级 (one step each) and two at 一级 (two steps each): ten.
    """
    found = next_level(real(), E1_ANSWERS, E1_SCENES)
    assert found is not None and (found.level, found.target, found.count) == (2, 3, 15)
    assert found.gap["points"] == Fraction(47, 4) and (found.gap["scenes"], found.gap["mandatory"]) == (8, 5)
    assert [(step.question.key, step.question.options[step.option].code, step.gain) for step in found.answer_steps] == [
        ("q1", "D", 2000), ("q1", "E", 2000), ("q5", "D", 2500), ("q5", "E", 2500), ("q13", "increase", 3000),
    ]  # fmt: skip
    raised: dict[str, list[int]] = {}
    for step in found.scene_steps:
        raised.setdefault(step.scene.key, []).append(step.level)
    assert raised == {
        "marketing": [3], "production_control": [2, 3], "quality": [3], "procurement": [3],
        "warehouse_logistics": [3], "finance": [3], "human_resources": [2, 3], "office_collaboration": [3],
    }  # fmt: skip


def test_from_nothing_to_the_first_level() -> None:
    """20 points: eight steps give at most 3+3+3+3+2.5×4 = 22, seven at most 19.5. Six scenes, three mandatory."""
    found = next_level(real(), NONE, {})
    assert found is not None and (found.level, found.target) == (0, 1)
    assert len(found.answer_steps) == 8 and sum(step.gain for step in found.answer_steps) == 22_000
    # Equally few, so the scenes that stand first on the form: three of these six are mandatory.
    assert [step.scene.key for step in found.scene_steps] == [
        "product_design", "process_design", "marketing", "after_sales", "scheduling", "production_control",
    ]  # fmt: skip


def test_only_scenes_may_be_wanting_and_mandatory_ones_come_first_where_they_must() -> None:
    scenes = dict.fromkeys(("process_design", "after_sales", "scheduling", "human_resources", "decision_support"), 2)
    answers = E1_ANSWERS
    found = next_level(real(), answers, scenes | {"product_design": 1, "finance": 1})
    assert found is not None and (found.level, found.target, found.answer_steps) == (0, 1, ())
    assert found.gap["binding"] == ["mandatory"]
    assert [(step.scene.key, step.level) for step in found.scene_steps] == [("marketing", 1)]


def test_the_first_tick_takes_the_place_of_none() -> None:
    found = next_level(real(), NONE | {"q5": "E", "q12": "decrease", "q13": "increase"}, {})
    assert found is not None and found.gap["points"] == 0 and found.answer_steps == ()
    found = next_level(real(), NONE | {"q5": "E", "q12": "decrease", "q13": "flat", "q4": ["none"]}, {})
    assert found is not None and [(step.question.key, step.gain) for step in found.answer_steps] == [("q13", 3000)]


def test_at_the_highest_level_there_is_nothing_to_do() -> None:
    best = {
        question.key: [option.code for option in question.options if not option.exclusive]
        if question.multi
        else max(question.options, key=lambda option: option.units).code
        for question in real().questions
    }
    assert next_level(real(), best, {scene.key: 4 for scene in real().scenes}) is None
    assert next_level_lines(real(), None) == ["已达到最高等级（四级）"]


def test_an_unanswered_question_leaves_no_way_to_reckon() -> None:
    answers = {key: answer for key, answer in E1_ANSWERS.items() if key not in ("q3", "q12")}
    with pytest.raises(InputError) as caught:
        next_level(real(), answers, E1_SCENES)
    assert caught.value.code == "E-INCOMPLETE" and "第 3、12 题" in caught.value.message


def test_choices_change_the_way() -> None:
    """As printed the weights of 第4 and 5题 are a fifth, so their steps are small and 第5题 is left alone."""
    literal: Assessment = load_policy(MATURITY).newest.mechanism("assessment", {"AMB-48": "literal"})
    found = next_level(literal, E1_ANSWERS, E1_SCENES)
    assert found is not None and found.score == Fraction("41.45")
    assert "q5" not in {step.question.key for step in found.answer_steps}


def test_the_way_in_words() -> None:
    lines = next_level_lines(real(), next_level(real(), E1_ANSWERS, E1_SCENES))
    assert lines[:2] == [
        "现为二级，得分 48.25；距三级还差 11.75 分、8 个场景、5 个约束性场景",
        "最少 15 步：得分 5 步（+12 分），场景 10 步",
    ]
    assert "第13题 改进到“增加”：1 步，+3 分" in lines and "生产管控* 由一级升至三级：2 步" in lines
    assert len(lines) == 2 + 3 + 8


# --- against a search that tries every way

State = tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]
"""The ticked positions of each question, and the level of each scene."""


def single(key: str, number: int, units: list[int]) -> Question:
    return question(key, number, units, multi=False)


def question(key: str, number: int, units: list[int], *, multi: bool) -> Question:
    options = tuple(
        Option("ABCDEFGH"[n], f"{key}{n}", unit, multi and n == 0, None, "", "") for n, unit in enumerate(units)
    )
    codes = tuple(option.code for option in options)
    return Question(key, number, "", "", "", multi, options, None, codes)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Assessment, State]:
    numbers = st.integers(0, 6)
    questions = []
    ticked = []
    for n in range(draw(st.integers(1, 3))):
        multi = draw(st.booleans())
        units = (
            [0, *draw(st.lists(numbers, min_size=1, max_size=3))]
            if multi
            else draw(st.lists(numbers, min_size=2, max_size=4))
        )
        questions.append(question(f"q{n + 1}", n + 1, units, multi=multi))
        some = st.lists(st.integers(1, len(units) - 1), min_size=1, unique=True) if multi else st.nothing()
        one = st.integers(0, len(units) - 1).map(lambda at: [at])
        ticked.append(tuple(sorted(draw(some | one if multi else one))))
    scenes = tuple(Scene(f"s{n}", f"场景{n}", "", draw(st.booleans()), ()) for n in range(draw(st.integers(1, 3))))
    levels = tuple(draw(st.integers(0, 4)) for _ in scenes)
    most = sum(item.most for item in questions)
    demands = [sorted(draw(st.lists(st.integers(0, top), min_size=4, max_size=4)))
               for top in (most + 1, len(scenes) + 1, len(scenes))]  # fmt: skip
    rules = tuple(LevelRule(n + 1, a, a, b, c) for n, (a, b, c) in enumerate(zip(*demands, strict=True)))
    held = Assessment(
        "a", "", "answers", "scenes", (), "", "", "", 1, (), tuple(questions), scenes, rules,
    )  # fmt: skip
    return held, (tuple(ticked), levels)


def moves(held: Assessment, state: State) -> Iterator[State]:
    """Every single step from a state, as the module says what one is."""
    ticked, levels = state
    for n, (item, own) in enumerate(zip(held.questions, ticked, strict=True)):
        if item.multi:
            rest = tuple(at for at in own if not item.options[at].exclusive)
            new = [tuple(sorted((*rest, at))) for at, option in enumerate(item.options)
                   if at not in own and option.units and not option.exclusive]  # fmt: skip
        else:
            better = sorted({option.units for option in item.options if option.units > item.options[own[0]].units})
            new = [(at,) for at, option in enumerate(item.options) if better and option.units == better[0]]
        for one in new:
            yield (*ticked[:n], one, *ticked[n + 1 :]), levels
    for n, level in enumerate(levels):
        if level < 4:
            yield ticked, (*levels[:n], level + 1, *levels[n + 1 :])


def units_of(held: Assessment, state: State) -> int:
    return sum(item.options[at].units for item, own in zip(held.questions, state[0], strict=True) for at in own)


def level_of(held: Assessment, state: State) -> int:
    return held.level_of(units_of(held, state), _levels(held, state))


def _levels(held: Assessment, state: State) -> dict[str, int]:
    return {scene.key: level for scene, level in zip(held.scenes, state[1], strict=True)}


def nearest(held: Assessment, start: State) -> tuple[int, int] | None:
    """How few steps reach a higher level, and the most points so few can end with; None where none do."""
    level, seen, edge, depth = level_of(held, start), {start}, {start}, 0
    while edge:
        reached = [state for state in edge if level_of(held, state) > level]
        if reached:
            return depth, max(units_of(held, state) for state in reached)
        edge = {state for one in edge for state in moves(held, one)} - seen
        seen |= edge
        depth += 1
    return None


def facts_of(held: Assessment, state: State) -> tuple[dict[str, Any], dict[str, int]]:
    answers: dict[str, Any] = {}
    for item, own in zip(held.questions, state[0], strict=True):
        codes = [item.options[at].code for at in own]
        answers[item.key] = codes if item.multi else codes[0]
    return answers, _levels(held, state)


def taken(held: Assessment, state: State, found: NextLevel) -> State:
    """The state after the steps, each of which has to be one."""
    steps: list[AnswerStep | SceneStep] = [*found.answer_steps, *found.scene_steps]
    for step in steps:
        state = _after(held, state, step)
    return state


def _after(held: Assessment, state: State, step: AnswerStep | SceneStep) -> State:
    ticked, levels = [list(own) for own in state[0]], list(state[1])
    if isinstance(step, AnswerStep):
        n = held.questions.index(step.question)
        kept = [at for at in ticked[n] if step.question.multi and not step.question.options[at].exclusive]
        ticked[n] = sorted([*kept, step.option])
    else:
        levels[held.scenes.index(step.scene)] = step.level
    after = tuple(map(tuple, ticked)), tuple(levels)
    assert after in set(moves(held, state))
    return after


@settings(max_examples=300, deadline=None)
@given(cases())
def test_the_steps_reach_the_level_and_none_fewer_do(case: tuple[Assessment, State]) -> None:
    held, start = case
    found = next_level(held, *facts_of(held, start))
    best = nearest(held, start)
    if found is None:
        assert level_of(held, start) == 4
        return
    if found.unreachable:
        assert best is None and found.count == 0
        return
    after = taken(held, start, found)
    assert best is not None and found.target == found.level + 1
    assert level_of(held, after) >= found.target
    # Of the fewest, the one that gains most; and the same again.
    assert (found.count, units_of(held, after)) == best
    assert found == next_level(held, *facts_of(held, start))


def test_of_equal_gains_the_earlier_question_is_taken() -> None:
    questions = tuple(single(f"q{n}", n, [0, 2, 4]) for n in (1, 2, 3))
    held = Assessment("a", "", "answers", "scenes", (), "", "", "", 1, (), questions, (), _rules(6))
    found = next_level(held, {"q1": "A", "q2": "A", "q3": "A"}, {})
    assert found is not None
    assert [(step.question.key, step.option) for step in found.answer_steps] == [("q1", 1), ("q1", 2), ("q2", 1)]


def test_a_small_step_may_lead_to_a_large_one() -> None:
    """One rung of 1 and one of 9 beat three of 3."""
    questions = single("q1", 1, [0, 3]), single("q2", 2, [0, 3]), single("q3", 3, [0, 3]), single("q4", 4, [0, 1, 10])
    held = Assessment("a", "", "answers", "scenes", (), "", "", "", 1, (), questions, (), _rules(9))
    found = next_level(held, dict.fromkeys(("q1", "q2", "q3", "q4"), "A"), {})
    assert found is not None and [(step.question.key, step.gain) for step in found.answer_steps] == [
        ("q4", 1),
        ("q4", 9),
    ]


def _rules(units: int) -> tuple[LevelRule, ...]:
    return tuple(LevelRule(n, units * n, units * n, 0, 0) for n in range(1, 5))


def _unreachable(score: int, scenes: int) -> Mapping[str, Any]:
    held = Assessment(
        "a", "", "answers", "scenes", (), "", "", "", 1, (), (single("q1", 1, [0, 2]),),
        (Scene("s1", "场景", "", True, ()),), tuple(LevelRule(n, score, score, scenes, 0) for n in range(1, 5)),
    )  # fmt: skip
    found = next_level(held, {"q1": "A"}, {})
    assert found is not None and found.count == 0
    return {"told": found.unreachable, "lines": next_level_lines(held, found)}


def test_what_cannot_be_reached_is_said() -> None:
    assert "最高分也只有 2 分，少于 3 分" in _unreachable(3, 0)["told"]
    assert "全部 1 个场景（约束性 1 个）" in _unreachable(0, 2)["told"]
    assert "达不到一级" in _unreachable(0, 2)["lines"][1]
