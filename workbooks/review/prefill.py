"""Fills a 评审工作簿: from facts, or straight from the 自评估报告 an enterprise handed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbooks.assessment.single_cells import single_cell_changes
from workbooks.changes import Writes, at
from workbooks.files.rawbook import RawBook
from workbooks.form import Form, forms
from workbooks.ports import Manifest, block
from workbooks.reader import read_workbook
from workbooks.record import ReadBook
from workbooks.review.answers import written
from workbooks.review.layout import OPINIONS, REVIEWS
from workbooks.template import fill_template
from xlcalc.errors import InputError, WorkbookError, WorkbookRefused
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.values.levels import LABELS


def review_changes(book: RawBook, ports: Manifest, assessment: Assessment, facts: Mapping[str, Any]) -> Writes:
    """Changes to input cells for parsed facts; those the workbook does not ask for are left aside.

    Of an answer given by figures the option they point to is written.
    """
    yield from single_cell_changes(book, ports, facts)
    for opinion in OPINIONS:
        answers = assessment.read_answers(facts.get(opinion.answers, {}))
        cells = block(book, f"i_{opinion.answers}", len(assessment.questions))
        for question, place in zip(assessment.questions, cells, strict=True):
            answer = answers.get(question.key)
            if answer is not None and answer.ticked:
                yield at(place, written(question, answer.ticked))
        levels = assessment.read_scenes(facts.get(opinion.scenes, {}))
        scene_cells = block(book, f"i_{opinion.scenes}", len(assessment.scenes))
        for scene, place in zip(assessment.scenes, scene_cells, strict=True):
            if scene.key in levels:
                yield at(place, LABELS[levels[scene.key]])
    questions = [question.key for question in assessment.questions]
    scenes = [scene.key for scene in assessment.scenes]
    for name, port_name, keys in (
        ("evidence", "i_evidence", questions),
        ("scene_evidence", "i_scene_evidence", scenes),
    ):
        yield from _texts(book, fact(name), port_name, facts.get(name, {}), keys, keys)
    for opinion in REVIEWS:
        name = opinion.reasons or ""
        for kind, keys in (("question", questions), ("scene", scenes)):
            yield from _texts(book, fact(name), f"i_{kind}_{name}", facts.get(name, {}), keys, [*questions, *scenes])


def _texts(
    book: RawBook, known: Fact, port: str, texts: Mapping[str, Any], keys: list[str], allowed: list[str]
) -> Writes:
    """The texts of a column by key; raises InputError for a key no row has, or what is no text."""
    for key, text in texts.items():
        if key not in allowed or not isinstance(text, str):
            raise InputError(
                "E-TEXTS", f"{known.label}：没有“{str(key)[:30]}”这一项，或其内容不是文字",
                where=f"{known.id}.{str(key)[:30]}", remedy="请用题号（如 q3）或场景代码，内容为文字",
            )  # fmt: skip
    for key, place in zip(keys, block(book, port, len(keys)), strict=True):
        if texts.get(key):
            yield at(place, texts[key])


def review_from(path: Path) -> bytes:
    """A 评审工作簿 whose 自评 columns hold what a filled 自评估报告 says, under the report's own versions and choices.

    What the reviewer already judged in the report's 等级判定 becomes 评审. Raises WorkbookRefused for what is no
    自评估报告 or cannot be read, WorkbookError ``E-TEMPLATE`` where its policy has no 评审工作簿.
    """
    return review_of(read_workbook(path))


def review_of(read: ReadBook) -> bytes:
    """The same for a report already read."""
    if read.form.kind != "assessment":
        raise WorkbookRefused(
            "E-BOOK-FOREIGN", f"“{read.form.title}”不是自评估报告", remedy="请选择企业填报的自评估报告"
        )
    form = review_form_of(read.form.policies[0])
    versions = {policy: read.versions[policy] for policy in form.policies}
    own: dict[str, str] = {}
    for version in versions.values():
        own |= version.full_choices(version.own_choices(read.choices))
    return fill_template(form.id, versions, own, [record.facts for record in read.records])


def review_form_of(policy: str) -> Form:
    """The 评审工作簿 of a policy; raises WorkbookError ``E-TEMPLATE`` where there is none."""
    found = next((item for item in forms().values() if item.kind == "review" and policy in item.policies), None)
    if found is None:
        raise WorkbookError(
            "E-TEMPLATE", f"政策 {policy} 没有评审工作簿", where=policy, remedy="可用 xlcalc templates 查看清单"
        )
    return found
