"""Reads a 自评估报告: ticks, figures, scene levels, and the inputs of the payment sheet."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from workbooks.assessment.single_cells import read_single_cells
from workbooks.files.cellread import CellReader
from workbooks.form import Form
from workbooks.ports import Manifest, Place, block, places
from workbooks.record import Record
from xlcalc.errors import InputError
from xlcalc.mechanisms.assessment_answers import Answer, Question, read_answer
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.packs.policy import Version
from xlcalc.results.outcome import Finding
from xlcalc.values.levels import LABELS, parse_level
from xlcalc.values.text import parse_tick

_FIGURE_CELLS = {"count": 1, "years": 3, "change": 2}


def read_records(
    reader: CellReader, form: Form, ports: Manifest, versions: Mapping[str, Version], choices: Mapping[str, str]
) -> list[Record]:
    """The one enterprise of the workbook."""
    version = versions[form.policies[0]]
    known = version.own_choices(choices)
    assessment: Assessment = version.mechanism("assessment", known)
    facts, facts_at = read_single_cells(reader, ports)
    figures = _figures(reader, form)
    states, answers = _answers(reader, form, assessment, figures, facts_at)
    if answers:
        facts["answers"] = answers
    codes = _scenes(reader, assessment, facts, facts_at)
    _evidence(reader, assessment, facts)
    where = str(places(reader.book, "i_enterprise_name")[0])
    key = str(facts.get("uscc") or facts.get("enterprise_name") or "本工作簿")
    cells = {"states": states, "codes": codes, "figures": _printed_figures(reader, form), "assessment": assessment}
    return [Record(key, where, facts, list(reader.findings), cells, facts_at)]


def _figures(reader: CellReader, form: Form) -> dict[str, Decimal | None]:
    found: dict[str, Decimal | None] = {}
    for item in form.data["figure"]:
        for number, place in enumerate(_figure_cells(reader, item)):
            found[f"{item['key']}.{number}"] = reader.number(place, item["label"])
    return found


def _printed_figures(reader: CellReader, form: Form) -> dict[str, Decimal | str | None]:
    """The same cells as the sentences of the form print them: numbers, or text as it was typed."""
    found: dict[str, Decimal | str | None] = {}
    for item in form.data["figure"]:
        for number, place in enumerate(_figure_cells(reader, item)):
            found[f"{item['key']}.{number}"] = reader.printed(place)
    return found


def _figure_cells(reader: CellReader, item: Mapping[str, Any]) -> list[Place]:
    return block(reader.book, f"i_figure_{item['key']}", _FIGURE_CELLS[item["kind"]])


def _answers(
    reader: CellReader,
    form: Form,
    assessment: Assessment,
    figures: Mapping[str, Decimal | None],
    facts_at: dict[str, str],
) -> tuple[list[int], dict[str, Any]]:
    cells = block(reader.book, "i_ticks", sum(len(question.printed) for question in assessment.questions))
    states = [_state(reader, place) for place in cells]
    answers: dict[str, Any] = {}
    row = 0
    for question in assessment.questions:
        end = row + len(question.options)
        own, at = states[row:end], cells[row]
        row = end
        facts_at[question.key] = str(at)
        ticked = [code for code, state in zip(question.printed, own, strict=True) if state == 1]
        beside = _beside(form, question, figures)
        if not ticked:
            _propose(reader, question, beside, at)
            continue
        answer: Any = ticked if question.multi else ticked if len(ticked) > 1 else ticked[0]
        if -1 in own or not _accepted(reader, question, answer, at):
            continue
        if beside and _accepted(reader, question, {"choice": answer, **beside}, at):
            answer = {"choice": answer, **beside}
        answers[question.key] = answer
    return states, answers


def _state(reader: CellReader, place: Place) -> int:
    cell = reader.usable(place, "勾选")
    if cell is None:
        return 0
    ticked = parse_tick(cell.text)
    if ticked is None:
        reader.problem(
            "E-TICK", f"勾选格里的“{cell.text[:20]}”不是勾选符号", "勾选请选 √，不勾选请留空", place, "answers"
        )
        return -1
    return int(ticked)


def _accepted(reader: CellReader, question: Question, answer: Any, place: Place) -> Answer | None:
    try:
        return read_answer(question, answer)
    except InputError as error:
        reader.problem(error.code, error.message, error.remedy, place, question.key)
        return None


def _propose(reader: CellReader, question: Question, beside: Mapping[str, Any], place: Place) -> None:
    """On the form the tick answers; figures without a tick only say which tick would fit."""
    answer = _accepted(reader, question, dict(beside), place) if beside else None
    if answer is not None and answer.implied is not None:
        label = question.options[answer.implied].label
        message = f"第{question.number}题没有勾选；按所填数据应为“{label}”"
        reader.problem("E-TICK-MISSING", message, "请勾选后重新核算", place, question.key, "warn")


def _beside(form: Form, question: Question, figures: Mapping[str, Decimal | None]) -> dict[str, Any]:
    """The figures of a question in the shape facts have; {} when nothing was filled in."""
    rules = question.figures
    if rules is None:
        return {}
    series = {
        feed.partition(".")[2]: (
            item,
            [value for key, value in figures.items() if key.partition(".")[0] == item["key"]],
        )
        for item in form.data["figure"]
        for feed in item["feeds"]
        if feed.partition(".")[0] == question.key
    }
    if not any(value is not None for _, values in series.values() for value in values):
        return {}
    if rules.kind == "count":
        return {name: _whole(values[0]) for name, (_, values) in series.items() if values[0] is not None}
    shown = {name: [_shown(value, item["unit"]) for value in values] for name, (item, values) in series.items()}
    if rules.kind == "change":
        return {name: values for name, values in shown.items() if None not in values}
    years = [dict(zip(shown, row, strict=True)) for row in zip(*shown.values(), strict=True) if None not in row]
    return {"years": years} if years else {}


def _whole(value: Decimal | None) -> Any:
    return int(value) if value is not None and value == value.to_integral_value() else str(value)


def _shown(value: Decimal | None, unit: str) -> str | int | None:
    if value is None:
        return None
    plain = format(value.normalize(), "f")
    if unit == "万元":
        return plain + unit
    return int(value) if value == value.to_integral_value() else plain


def _scenes(reader: CellReader, assessment: Assessment, facts: dict[str, Any], facts_at: dict[str, str]) -> list[int]:
    columns = {
        name: block(reader.book, port, len(assessment.scenes))
        for name, port in (("scenes", "i_scenes"), ("reviewed_scenes", "i_reviewed"))
    }
    codes: list[int] = []
    for name, cells in columns.items():
        levels = {}
        for scene, place in zip(assessment.scenes, cells, strict=True):
            code = _level(reader, place, scene.label)
            if name == "scenes":
                codes.append(0 if code is None else code)
            if code is not None and code >= 0:
                levels[scene.key] = code
        facts_at[name] = str(cells[0])
        # As the form says, a scene left blank counts as 无等级; so do all of them.
        if levels or name == "scenes":
            facts[name] = levels
    _compare_reviewed(reader, assessment, facts, columns["reviewed_scenes"])
    if -1 in codes:
        # A level nobody can read leaves the whole result open, on the form and here.
        facts.pop("scenes", None)
    return codes


def _level(reader: CellReader, place: Place, label: str) -> int | None:
    cell = reader.usable(place, label)
    if cell is None:
        return None
    try:
        return int(parse_level(cell.text))
    except InputError as error:
        reader.problem(error.code, f"{label}：{error.message}", error.remedy, place, "scenes")
        return -1


def _compare_reviewed(reader: CellReader, assessment: Assessment, facts: Mapping[str, Any], cells: list[Place]) -> None:
    own, reviewed = facts.get("scenes", {}), facts.get("reviewed_scenes", {})
    for scene, place in zip(assessment.scenes, cells, strict=True):
        if scene.key in reviewed and reviewed[scene.key] != own.get(scene.key, 0):
            message = (
                f"{scene.label}：等级判定为{LABELS[reviewed[scene.key]]}，改造后等级为{LABELS[own.get(scene.key, 0)]}"
            )
            reader.findings.append(
                Finding("AMB-65", "warn", f"{message}。请评审人员核对", None, str(place), "reviewed_scenes")
            )


def _evidence(reader: CellReader, assessment: Assessment, facts: dict[str, Any]) -> None:
    evidence = {
        question.key: text
        for question in assessment.questions
        if (text := reader.text(places(reader.book, f"i_evidence_{question.key}")[0], "佐证材料索引"))
    }
    scene_cells = block(reader.book, "i_scene_evidence", len(assessment.scenes))
    scene_evidence = {
        scene.key: text
        for scene, place in zip(assessment.scenes, scene_cells, strict=True)
        if (text := reader.text(place, "佐证材料索引"))
    }
    facts |= {name: texts for name, texts in (("evidence", evidence), ("scene_evidence", scene_evidence)) if texts}
