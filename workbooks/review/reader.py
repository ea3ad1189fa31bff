"""Reads a 评审工作簿: three opinions, their reasons, the index of evidence; says what is wrong and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbooks.assessment.single_cells import read_single_cells
from workbooks.files.cellread import CellReader
from workbooks.form import Form
from workbooks.ports import Manifest, Place, block, cell_at, places
from workbooks.record import Record
from workbooks.review.answers import clean, readable, states, written
from workbooks.review.compare import Difference, Said, is_difference, question_differences, scene_differences
from workbooks.review.layout import OPINIONS, REVIEWS, SELF, Opinion
from xlcalc.errors import InputError
from xlcalc.mechanisms.assessment_answers import Question, read_answer
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.packs.policy import Version
from xlcalc.results.outcome import Finding
from xlcalc.values.evidence_index import index_problem, last_page
from xlcalc.values.levels import LABELS, parse_level
from xlcalc.values.text import normalise

_BLANKS = str.maketrans({" ": "", "　": ""})


def read_records(
    reader: CellReader, form: Form, ports: Manifest, versions: Mapping[str, Version], choices: Mapping[str, str]
) -> list[Record]:
    """The one enterprise of the workbook."""
    version = versions[form.policies[0]]
    assessment: Assessment = version.mechanism("assessment", version.own_choices(choices))
    facts, facts_at = read_single_cells(reader, ports)
    said = {opinion.key: _opinion(reader, assessment, opinion, facts_at) for opinion in OPINIONS}
    for opinion in OPINIONS:
        own = said[opinion.key]
        found = (opinion.answers, own.answers(assessment)), (opinion.scenes, own.scenes(assessment))
        facts |= {name: value for name, value in found if value}
    if SELF.answers in facts:
        # As the 自评估报告 has it, scenes left blank count as 无等级; so do all of them.
        facts.setdefault(SELF.scenes, {})
    blank = _reasons(reader, assessment, facts)
    _evidence(reader, form, version, assessment, facts)
    _overrides(reader, form, version, assessment, said, facts)
    _progress(reader, assessment, said, facts)
    where = str(places(reader.book, "i_enterprise_name")[0])
    key = str(facts.get("uscc") or facts.get("enterprise_name") or "本工作簿")
    cells = {"said": said, "blank_reasons": blank, "assessment": assessment}
    return [Record(key, where, facts, list(reader.findings), cells, facts_at)]


def _opinion(reader: CellReader, assessment: Assessment, opinion: Opinion, facts_at: dict[str, str]) -> Said:
    cells = block(reader.book, f"i_{opinion.answers}", len(assessment.questions))
    facts_at[opinion.answers] = str(cells[0])
    texts = []
    for question, place in zip(assessment.questions, cells, strict=True):
        facts_at[f"{opinion.answers}.{question.key}"] = str(place)
        if opinion is SELF:
            facts_at[question.key] = str(place)
        texts.append(_answer(reader, question, opinion, place))
    scene_cells = block(reader.book, f"i_{opinion.scenes}", len(assessment.scenes))
    facts_at[opinion.scenes] = str(scene_cells[0])
    levels = []
    for scene, place in zip(assessment.scenes, scene_cells, strict=True):
        levels.append(_level(reader, place, opinion, scene.label))
    return Said(tuple(texts), tuple(levels))


def _answer(reader: CellReader, question: Question, opinion: Opinion, place: Place) -> str:
    """The cleaned text of an answer; what it cannot mean is noted."""
    cell = reader.usable(place, f"{opinion.label}第{question.number}题")
    text = clean(question, cell.text) if cell else ""
    ticks = states(question, text)
    if readable(question, text) == 0:
        message = f"{opinion.label}第{question.number}题：“{cell.text[:20] if cell else text}”不能读作答案"
        remedy = "请按“选项对照”表填写，多选只连写字母，如 BC，每个字母一次；字母用半角"
        reader.problem("E-ANSWER", message, remedy, place, opinion.answers)
        return text
    codes = [code for code, state in zip(question.printed, ticks, strict=True) if state]
    try:
        read_answer(question, codes)
    except InputError as error:
        reader.problem(error.code, f"{opinion.label}：{error.message}", error.remedy, place, opinion.answers)
    return text


def _level(reader: CellReader, place: Place, opinion: Opinion, label: str) -> int | str:
    cell = reader.usable(place, f"{opinion.label}{label}")
    if cell is None:
        return ""
    try:
        return int(parse_level(cell.text))
    except InputError as error:
        message = f"{opinion.label}{label}：{error.message}"
        reader.problem(error.code, message, error.remedy, place, opinion.scenes)
        return -1


def _rows(reader: CellReader, assessment: Assessment, questions: str, scenes: str) -> list[tuple[str, Place]]:
    """(key, cell) of a column that stands on both sheets."""
    return [
        *zip((item.key for item in assessment.questions), block(reader.book, questions, len(assessment.questions)),
             strict=True),
        *zip((item.key for item in assessment.scenes), block(reader.book, scenes, len(assessment.scenes)), strict=True),
    ]  # fmt: skip


def _reasons(reader: CellReader, assessment: Assessment, facts: dict[str, Any]) -> dict[str, list[bool]]:
    """The reasons as facts; by opinion which cells say nothing."""
    blank = {}
    for opinion in REVIEWS:
        name = opinion.reasons or ""
        rows = _rows(reader, assessment, f"i_question_{name}", f"i_scene_{name}")
        texts = {key: text for key, place in rows if (text := reader.text(place, f"{opinion.label}理由"))}
        if texts:
            facts[name] = texts
        blank[opinion.key] = [not cell_at(reader.book, place).text.translate(_BLANKS) for _, place in rows]
    return blank


def _evidence(reader: CellReader, form: Form, version: Version, assessment: Assessment, facts: dict[str, Any]) -> None:
    """The indices as facts, each with a finding at its cell where its form is wanting."""
    rule = form.data["index"]
    clause = version.clauses[rule["clause"]].article
    pages: int | None = facts.get("summary_report_pages")
    labels = _labels(assessment)
    for key, place in _rows(reader, assessment, "i_evidence", "i_scene_evidence"):
        text = reader.text(place, "佐证材料索引")
        if not text:
            continue
        name = "evidence" if key in {question.key for question in assessment.questions} else "scene_evidence"
        facts.setdefault(name, {})[key] = text
        problem = index_problem(text)
        if problem:
            message = f"{labels[key]}的佐证材料索引“{text[:40]}”{problem}。请写明章节号和具体页码，如 第三章第2节 P12"
            reader.findings.append(Finding(rule["code"], "warn", message, clause, str(place), name))
        if pages is not None and last_page(text) > pages:
            message = f"{labels[key]}的佐证材料索引“{text[:40]}”指到第 {last_page(text)} 页，总结报告只有 {pages} 页"
            found = Finding(rule["pages_code"], "warn", f"{message}。请核对", clause, str(place), name)
            reader.findings.append(found)


def _labels(assessment: Assessment) -> dict[str, str]:
    questions = {question.key: f"第{question.number}题" for question in assessment.questions}
    return questions | {scene.key: f"场景“{scene.label}”" for scene in assessment.scenes}


def _overrides(
    reader: CellReader, form: Form, version: Version, assessment: Assessment, said: Mapping[str, Said],
    facts: Mapping[str, Any],
) -> None:  # fmt: skip
    """Each departure from the opinion before: told with its reason, or blocked for want of one."""
    opinions = [said[opinion.key] for opinion in OPINIONS]
    labels = _labels(assessment)
    found = question_differences(assessment, opinions), scene_differences(assessment, opinions)
    keys = [*(question.key for question in assessment.questions), *(scene.key for scene in assessment.scenes)]
    clause = version.clauses[form.data["override"]["clause"]].article
    for opinion in REVIEWS:
        name = opinion.reasons or ""
        reasons: Mapping[str, str] = facts.get(name, {})
        cells = _rows(reader, assessment, f"i_question_{name}", f"i_scene_{name}")
        differences = [difference for by_key in found for difference in by_key[opinion.key]]
        for at, (key, (_, place), (other, difference)) in enumerate(zip(keys, cells, differences, strict=True)):
            if not is_difference(difference):
                continue
            text = _departure(assessment, at, opinion, other, said, difference)
            if key in reasons:
                message = f"{labels[key]}：{text}；理由：{reasons[key]}"
                reader.findings.append(Finding(form.data["variance"]["code"], "info", message, None, str(place), name))
            else:
                message = f"{labels[key]}：{text}，没有写理由。请写明理由"
                rule = form.data["override"]["code"]
                reader.findings.append(Finding(rule, "block", message, clause, str(place), name))


def _departure(
    assessment: Assessment, at: int, opinion: Opinion, other: Opinion, said: Mapping[str, Said], value: Difference
) -> str:
    one, two = (_shown(assessment, at, said[item.key]) for item in (opinion, other))
    return f"{opinion.label}为{one}，{value if isinstance(value, str) else f'{other.label}为{two}'}"


def _shown(assessment: Assessment, at: int, own: Said) -> str:
    """An entry as it stands in its cell, by the number of its row over both sheets."""
    if at >= len(assessment.questions):
        return LABELS[own.codes()[at - len(assessment.questions)]]
    question = assessment.questions[at]
    ticks = own.states(assessment)[at]
    ticked = [question.index(code) or 0 for code, state in zip(question.printed, ticks, strict=True) if state == 1]
    return written(question, ticked)


def _progress(reader: CellReader, assessment: Assessment, said: Mapping[str, Said], facts: Mapping[str, Any]) -> None:
    """A review begun and not finished has no result yet; one without a name belongs to nobody."""
    total = len(assessment.questions) + len(assessment.scenes)
    for opinion in REVIEWS:
        done = said[opinion.key].done(assessment)
        rows = _rows(reader, assessment, f"i_{opinion.answers}", f"i_{opinion.scenes}")
        if done and done < total:
            empty = [place for _, place in rows if not normalise(cell_at(reader.book, place).text)]
            where = str(empty[0] if empty else rows[0][1])
            message = f"{opinion.label}已评 {done}/{total}，尚无{opinion.label}等级；空白不当作与自评相同。请评完"
            reader.findings.append(Finding("E-REVIEW-OPEN", "info", message, None, where, opinion.answers))
        if done and opinion.person not in facts:
            place = places(reader.book, f"i_{opinion.person}")[0]
            message = f"没有填写{opinion.label}人。请填写，以便与其他人的意见合并"
            reader.findings.append(Finding("E-REVIEWER", "warn", message, None, str(place), opinion.person))
