"""Writes facts into the input cells of a template that is being built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from workbooks.draft import Draft
from xlcalc.errors import InputError
from xlcalc.facts import fact, parse_facts
from xlcalc.mechanisms.assessment_answers import Question, read_answer
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.levels import LABELS, MaturityLevel, parse_level
from xlcalc.values.money import Money


def prefill(draft: Draft, rows: Sequence[Mapping[str, object]]) -> None:
    """Puts the facts of one enterprise (form) or of many (table, one a row) into their cells."""
    parsed = [parse_facts(row) for row in rows]
    if draft.form.kind == "assessment":
        if len(parsed) != 1:
            raise InputError("E-ONE-RECORD", "此模板一份只填一家企业", remedy="请为每家企业各生成一份")
        _fill_form(draft, parsed[0])
        return
    ports = {port.name: port for port in draft.ports}
    for offset, facts in enumerate(parsed):
        for name in draft.table:
            port = ports[name]
            if port.direction == "in" and port.fact in facts:
                _cells(draft, name)[offset].value = _shown(port.fact, facts[port.fact], port.unit)
    for port in draft.ports:
        if port.direction == "in" and port.name not in draft.table and parsed and port.fact in parsed[0]:
            _cells(draft, port.name)[0].value = _shown(port.fact, parsed[0][port.fact], port.unit)


def _cells(draft: Draft, name: str) -> list[Any]:
    sheet, _, span = str(draft.book.defined_names[name].attr_text).replace("'", "").replace("$", "").partition("!")
    found = draft.book[sheet][span]
    if not isinstance(found, tuple):
        return [found]
    return [cell for row in found for cell in (row if isinstance(row, tuple) else (row,))]


def _shown(fact_id: str, value: Any, unit: str | None) -> Any:
    """The value as the cell holds it: money as a number in the form's unit, levels and options as labels."""
    known = fact(fact_id)
    if isinstance(value, Money):
        return value.yuan / 10000 if (unit or known.unit) == "万元" else value.yuan
    if isinstance(value, bool | MaturityLevel) or known.type == "option":
        return known.show(value)
    return value


def _fill_form(draft: Draft, facts: Mapping[str, Any]) -> None:
    assessment: Assessment = draft.versions[draft.form.policies[0]].mechanism("assessment")
    special = ("answers", "scenes", "reviewed_scenes", "evidence", "scene_evidence")
    for port in draft.ports:
        if port.direction == "in" and port.fact in facts and port.fact not in special:
            _cells(draft, port.name)[0].value = _shown(port.fact, facts[port.fact], port.unit)
    _fill_answers(draft, assessment, facts.get("answers", {}))
    assessment.read_answers(facts.get("answers", {}))
    for name, port_name in (("scenes", "i_scenes"), ("reviewed_scenes", "i_reviewed")):
        levels = assessment.read_scenes(facts.get(name, {}))
        for scene, cell in zip(assessment.scenes, _cells(draft, port_name), strict=True):
            if scene.key in levels:
                cell.value = LABELS[parse_level(levels[scene.key])]
    for key, text in facts.get("evidence", {}).items():
        _cells(draft, f"i_evidence_{key}")[0].value = text
    cells = _cells(draft, "i_scene_evidence")
    for place, scene in enumerate(assessment.scenes):
        cells[place].value = facts.get("scene_evidence", {}).get(scene.key)


def _fill_answers(draft: Draft, assessment: Assessment, answers: Mapping[str, Any]) -> None:
    ticks = iter(_cells(draft, "i_ticks"))
    for question in assessment.questions:
        raw = answers.get(question.key)
        answer = read_answer(question, raw)
        ticked = {question.options[place].code for place in answer.ticked} if answer else set()
        for code in question.printed:
            cell = next(ticks)
            if code in ticked:
                cell.value = "√"
        if isinstance(raw, Mapping):
            _fill_figures(draft, question, raw)


def _fill_figures(draft: Draft, question: Question, raw: Mapping[str, Any]) -> None:
    for item in draft.form.data["figure"]:
        for feed in item["feeds"]:
            key, _, name = feed.partition(".")
            if key != question.key:
                continue
            values = [row.get(name) for row in raw.get("years", [])] if item["kind"] == "years" else raw.get(name)
            series = values if isinstance(values, list | tuple) else [values]
            for cell, value in zip(_cells(draft, f"i_figure_{item['key']}"), series, strict=False):
                if value is not None:
                    cell.value = _number(value, item["unit"])


def _number(value: Any, unit: str) -> Decimal:
    if unit == "万元":
        return Decimal(Money.parse(value).fen) / 1_000_000
    return Decimal(str(value))
