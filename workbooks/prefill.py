"""Writes facts into the input cells of a blank template, as changes for the patch route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbooks.changes import Changes
from workbooks.files.rawbook import RawBook
from workbooks.form import Form
from workbooks.ports import Manifest
from xlcalc.errors import InputError
from xlcalc.facts import parse_facts
from xlcalc.mechanisms.assessment_score import Assessment


def prefill(
    book: RawBook, form: Form, ports: Manifest, assessment: Assessment | None, rows: Sequence[Mapping[str, object]]
) -> Changes:
    """The facts of one enterprise (form) or of many (table, one a row), as changes to input cells."""
    parsed = [parse_facts(row) for row in rows]
    if form.kind in ("recommendation", "summary"):
        from workbooks.summary.prefill import table_changes

        return dict(table_changes(book, ports, parsed))
    if len(parsed) != 1:
        raise InputError("E-ONE-RECORD", "此模板一份只填一家企业", remedy="请为每家企业各生成一份")
    if form.kind == "review" and assessment is not None:
        from workbooks.review.prefill import review_changes

        return dict(review_changes(book, ports, assessment, parsed[0]))
    if assessment is None:
        from workbooks.application.prefill import application_changes

        return dict(application_changes(book, ports, parsed[0]))
    from workbooks.assessment.prefill import assessment_changes

    return dict(assessment_changes(book, form, ports, assessment, parsed[0]))
