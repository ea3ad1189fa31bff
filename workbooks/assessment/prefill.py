"""Facts of one enterprise into a 自评估报告."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from workbooks.assessment.single_cells import single_cell_changes
from workbooks.changes import Writes, at
from workbooks.files.rawbook import RawBook
from workbooks.form import Form
from workbooks.ports import Manifest, places
from xlcalc.mechanisms.assessment_answers import Question, read_answer
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.levels import LABELS, parse_level
from xlcalc.values.money import Money


def assessment_changes(
    book: RawBook, form: Form, ports: Manifest, assessment: Assessment, facts: Mapping[str, Any]
) -> Writes:
    """Ticks, scenes, evidence and figures, and every fact with a cell of its own."""
    yield from single_cell_changes(book, ports, facts)
    assessment.read_answers(facts.get("answers", {}))
    yield from _answers(book, form, assessment, facts.get("answers", {}))
    for name, port_name in (("scenes", "i_scenes"), ("reviewed_scenes", "i_reviewed")):
        levels = assessment.read_scenes(facts.get(name, {}))
        for scene, place in zip(assessment.scenes, places(book, port_name), strict=True):
            if scene.key in levels:
                yield at(place, LABELS[parse_level(levels[scene.key])])
    for key, text in facts.get("evidence", {}).items():
        yield at(places(book, f"i_evidence_{key}")[0], text)
    for scene, place in zip(assessment.scenes, places(book, "i_scene_evidence"), strict=True):
        if scene.key in facts.get("scene_evidence", {}):
            yield at(place, facts["scene_evidence"][scene.key])


def _answers(book: RawBook, form: Form, assessment: Assessment, answers: Mapping[str, Any]) -> Writes:
    cells = iter(places(book, "i_ticks"))
    for question in assessment.questions:
        raw = answers.get(question.key)
        answer = read_answer(question, raw)
        ticked = {question.options[place].code for place in answer.ticked} if answer else set()
        for code, place in zip(question.printed, cells, strict=False):
            if code in ticked:
                yield at(place, "√")
        if isinstance(raw, Mapping):
            yield from _figures(book, form, question, raw)


def _figures(book: RawBook, form: Form, question: Question, raw: Mapping[str, Any]) -> Writes:
    for item in form.data["figure"]:
        for feed in item["feeds"]:
            key, _, name = feed.partition(".")
            if key != question.key:
                continue
            values = [row.get(name) for row in raw.get("years", [])] if item["kind"] == "years" else raw.get(name)
            series = values if isinstance(values, list | tuple) else [values]
            for place, value in zip(places(book, f"i_figure_{item['key']}"), series, strict=False):
                if value is not None:
                    yield at(place, _number(value, item["unit"]))


def _number(value: Any, unit: str) -> Decimal:
    if unit == "万元":
        return Decimal(Money.parse(value).fen) / 1_000_000
    return Decimal(str(value))
