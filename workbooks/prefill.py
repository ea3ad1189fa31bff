"""Writes facts into the input cells of a blank template, as changes for the patch route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from workbooks.files.rawbook import RawBook, Value
from workbooks.form import Form
from workbooks.ports import Manifest, Place, places
from xlcalc.errors import InputError
from xlcalc.facts import Fact, fact, parse_facts
from xlcalc.mechanisms.assessment_answers import Question, read_answer
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.dates import to_serial
from xlcalc.values.levels import LABELS, MaturityLevel, parse_level
from xlcalc.values.money import Money

Changes = dict[tuple[str, str], Value]
_NOT_SCALAR = ("answers", "scenes", "reviewed_scenes", "evidence", "scene_evidence")


def prefill(
    book: RawBook, form: Form, ports: Manifest, assessment: Assessment | None, rows: Sequence[Mapping[str, object]]
) -> Changes:
    """The facts of one enterprise (form) or of many (table, one a row), as changes to input cells."""
    parsed = [parse_facts(row) for row in rows]
    if form.kind == "recommendation":
        return dict(_table(book, ports, parsed))
    if form.kind == "summary":
        from workbooks.summary.prefill import summary_changes

        return dict(summary_changes(book, ports, parsed))
    if len(parsed) != 1:
        raise InputError("E-ONE-RECORD", "此模板一份只填一家企业", remedy="请为每家企业各生成一份")
    if form.kind == "review" and assessment is not None:
        from workbooks.review.prefill import review_changes

        return dict(review_changes(book, ports, assessment, parsed[0]))
    if assessment is None:
        from workbooks.application.prefill import application_changes

        return dict(application_changes(book, ports, parsed[0]))
    return dict(_form(book, form, ports, assessment, parsed[0]))


_Writes = Iterator[tuple[tuple[str, str], Value]]


def _at(place: Place, value: Value) -> tuple[tuple[str, str], Value]:
    return (place.sheet, place.ref), value


def _table(book: RawBook, ports: Manifest, rows: Sequence[Mapping[str, Any]]) -> _Writes:
    for port in ports.ports:
        if port.direction != "in" or not port.fact:
            continue
        wanted = rows if port.name in ports.table else rows[:1]
        for place, facts in zip(places(book, port.name), wanted, strict=False):
            if port.fact in facts:
                yield _at(place, cell_text(fact(port.fact), facts[port.fact], port.unit))


def cell_text(known: Fact, value: Any, unit: str | None) -> Value:
    """The value as the cell holds it: money as a number in the form's unit, levels and options as labels."""
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    if isinstance(value, Money):
        return value.yuan / 10000 if (unit or known.unit) == "万元" else value.yuan
    if isinstance(value, bool | MaturityLevel) or known.type == "option":
        return known.show(value)
    if isinstance(value, date):
        return to_serial(value)
    shown: Value = value
    return shown


def _form(book: RawBook, form: Form, ports: Manifest, assessment: Assessment, facts: Mapping[str, Any]) -> _Writes:
    for port in ports.ports:
        if port.direction == "in" and port.fact and port.fact in facts and port.fact not in _NOT_SCALAR:
            yield _at(places(book, port.name)[0], cell_text(fact(port.fact), facts[port.fact], port.unit))
    assessment.read_answers(facts.get("answers", {}))
    yield from _answers(book, form, assessment, facts.get("answers", {}))
    for name, port_name in (("scenes", "i_scenes"), ("reviewed_scenes", "i_reviewed")):
        levels = assessment.read_scenes(facts.get(name, {}))
        for scene, place in zip(assessment.scenes, places(book, port_name), strict=True):
            if scene.key in levels:
                yield _at(place, LABELS[parse_level(levels[scene.key])])
    for key, text in facts.get("evidence", {}).items():
        yield _at(places(book, f"i_evidence_{key}")[0], text)
    for scene, place in zip(assessment.scenes, places(book, "i_scene_evidence"), strict=True):
        if scene.key in facts.get("scene_evidence", {}):
            yield _at(place, facts["scene_evidence"][scene.key])


def _answers(book: RawBook, form: Form, assessment: Assessment, answers: Mapping[str, Any]) -> _Writes:
    cells = iter(places(book, "i_ticks"))
    for question in assessment.questions:
        raw = answers.get(question.key)
        answer = read_answer(question, raw)
        ticked = {question.options[place].code for place in answer.ticked} if answer else set()
        for code, place in zip(question.printed, cells, strict=False):
            if code in ticked:
                yield _at(place, "√")
        if isinstance(raw, Mapping):
            yield from _figures(book, form, question, raw)


def _figures(book: RawBook, form: Form, question: Question, raw: Mapping[str, Any]) -> _Writes:
    for item in form.data["figure"]:
        for feed in item["feeds"]:
            key, _, name = feed.partition(".")
            if key != question.key:
                continue
            values = [row.get(name) for row in raw.get("years", [])] if item["kind"] == "years" else raw.get(name)
            series = values if isinstance(values, list | tuple) else [values]
            for place, value in zip(places(book, f"i_figure_{item['key']}"), series, strict=False):
                if value is not None:
                    yield _at(place, _number(value, item["unit"]))


def _number(value: Any, unit: str) -> Decimal:
    if unit == "万元":
        return Decimal(Money.parse(value).fen) / 1_000_000
    return Decimal(str(value))
