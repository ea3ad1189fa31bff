"""The workbook of merged reviews: an overview of the voices, the disagreements, every item side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from workbooks.assessment.text import summary_values
from workbooks.documents.looks import Book, Column
from workbooks.record import ReadBook
from workbooks.review.compare import Said, result_values
from workbooks.review.layout import SELF, UNFINISHED, Opinion, parts
from workbooks.review.merge import AGREED, MISSING, Item, MergedReviews, Voice
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.packs.registry import load_policy
from xlcalc.results.explain import SEVERITY_LABELS
from xlcalc.results.trace import decimal_text
from xlcalc.values.levels import LABELS

TITLE = "评审意见合并对照"
_RULE = "本表只并列各人意见，不取平均，不代作决定；未评的不算一致。有分歧的各项须合议确定。"


def merged_book(merged: MergedReviews, read: ReadBook, assessment: Assessment) -> bytes:
    """The sheets 总览, 分歧清单, 逐题对照, 逐场景对照 and 检查结果; every text is written as text."""
    book = Book(TITLE)
    _overview(book, merged, read, assessment)
    _disagreements(book, merged, assessment)
    count = len(assessment.questions)
    _side_by_side(book, "逐题对照", "题目", merged, merged.items[:count], _question_texts(assessment), assessment)
    groups = {scene.key: scene.group for scene in assessment.scenes}
    _side_by_side(book, "逐场景对照", "一级指标", merged, merged.items[count:], groups, assessment)
    _findings(book, merged)
    return book.data()


def _overview(book: Book, merged: MergedReviews, read: ReadBook, assessment: Assessment) -> None:
    version = read.versions[read.form.policies[0]]
    tops = [part for part in parts(version, assessment) if part.top]
    columns = [
        Column("意见", 16), Column("所在文件", 22), Column("日期", 12, "centre"), Column("已评", 8, "centre"),
        Column("总分", 8, "centre"), *(Column(part.label, 10, "centre") for part in tops),
        Column("等级", 9, "centre"), Column("场景个数（约束性）", 24), Column("离下一等级", 24),
    ]  # fmt: skip
    sheet = book.sheet("总览", columns, landscape=True)
    sheet.title(TITLE, merged.enterprise)
    sheet.paragraph(_summary(merged))
    sheet.paragraph(_RULE)
    sheet.head(repeat=False)
    own: Said = read.records[0].cells["said"][SELF.key]
    voices: list[tuple[str, str, date | None, Opinion, Said]] = [(SELF.label, "", None, SELF, own)]
    voices += [(voice.label, voice.file, voice.day, voice.opinion, voice.said) for voice in merged.voices]
    for label, file, day, opinion, said in voices:
        values = result_values(assessment, opinion, said)
        units = said.units(assessment)
        points = [_points([units[place] for place in part.questions], assessment) for part in tops]
        done = f"{said.done(assessment)}/{len(merged.items)}"
        text = summary_values(assessment, values, said.codes())
        level = values["level_text"] if values["level"] != "" or opinion is SELF else UNFINISHED
        score = decimal_text(values["score"]) if isinstance(values["score"], Fraction) else UNFINISHED
        sheet.line([label, file, day, done, score, *points, level, _scenes(assessment, opinion, said), text["gap"]])
    policy = load_policy(read.form.policies[0]).label
    choices = "、".join(f"{key}={code}" for key, code in read.choices.items())
    sheet.footnotes(
        [
            f"{assessment.rule_notice}。",
            f"依据：{policy}，版本 {version.id}，政策包 {version.hash[:12]}；口径 {choices}",
        ]
    )
    sheet.finish()


def _summary(merged: MergedReviews) -> str:
    agreed = sum(item.states == (AGREED,) for item in merged.items)
    missing = sum(MISSING in item.states for item in merged.items)
    counts = f"一致 {agreed} 项，分歧 {len(merged.disagreements)} 项，有人未评 {missing} 项"
    return f"共 {len(merged.voices)} 份意见，{len(merged.items)} 项：{counts}。"


def _points(units: Sequence[int | str], assessment: Assessment) -> str:
    known = [unit for unit in units if isinstance(unit, int) and unit >= 0]
    return decimal_text(Fraction(sum(known), assessment.scale)) if len(known) == len(units) else ""


def _scenes(assessment: Assessment, opinion: Opinion, said: Said) -> str:
    levels = said.scenes(assessment)
    if opinion is not SELF and len(levels) < len(assessment.scenes):
        return ""
    counts = ((rule.level, *assessment.count(rule.level, levels)) for rule in assessment.levels)
    return "；".join(f"{LABELS[level]}及以上 {scenes}（{mandatory}）" for level, scenes, mandatory in counts)


def _question_texts(assessment: Assessment) -> dict[str, str]:
    return {question.key: question.text for question in assessment.questions}


def _shown(assessment: Assessment, merged: MergedReviews) -> dict[str, list[str]]:
    """Each voice's entry by item, of questions with the points."""
    shown: dict[str, list[str]] = {item.key: list(item.entries) for item in merged.items}
    for at, voice in enumerate(merged.voices):
        for question, unit in zip(assessment.questions, voice.said.units(assessment), strict=True):
            if shown[question.key][at]:
                points = decimal_text(Fraction(int(unit), assessment.scale))
                shown[question.key][at] += f"（{points} 分）"
    return shown


def _voice_columns(voices: Sequence[Voice]) -> list[Column]:
    return [Column("自评", 9, "centre"), *(Column(voice.label, 13, "centre") for voice in voices)]


def _disagreements(book: Book, merged: MergedReviews, assessment: Assessment) -> None:
    columns = [
        Column("序号", 5, "centre"), Column("项目", 24), *_voice_columns(merged.voices), Column("理由", 34),
        Column("佐证材料索引", 22),
    ]  # fmt: skip
    sheet = book.sheet("分歧清单", columns, landscape=True)
    sheet.title("分歧清单", merged.enterprise)
    sheet.head()
    shown, texts = _shown(assessment, merged), _question_texts(assessment)
    for number, item in enumerate(merged.disagreements, 1):
        label = f"{item.label} {texts.get(item.key, '')}".strip()
        entries = [item.own, *(entry or "未评" for entry in shown[item.key])]
        sheet.line([number, label, *entries, _reasons(merged.voices, item), item.evidence], fills=_fills(item))
    if not merged.disagreements:
        sheet.paragraph("没有分歧" if len(merged.voices) > 1 else "不足两份意见，无从对照")
    sheet.finish()


def _reasons(voices: Sequence[Voice], item: Item) -> str:
    return "；".join(f"{voice.label}：{voice.reasons[item.key]}" for voice in voices if item.key in voice.reasons)


def _fills(item: Item) -> dict[int, str]:
    """The entries of the voices, which begin after number, label and 自评."""
    if not item.disagreed:
        return {3 + at: "bad" for at, entry in enumerate(item.entries) if not entry}
    return {3 + at: "doubt" if entry else "bad" for at, entry in enumerate(item.entries)}


def _side_by_side(
    book: Book, name: str, second: str, merged: MergedReviews, items: Sequence[Item], texts: Mapping[str, str],
    assessment: Assessment,
) -> None:  # fmt: skip
    columns = [
        Column("项目", 11, "centre"), Column(second, 24), *_voice_columns(merged.voices),
        Column("对照", 10, "centre"), Column("佐证材料索引", 24),
    ]  # fmt: skip
    sheet = book.sheet(name, columns, landscape=True)
    sheet.title(name, merged.enterprise)
    sheet.head()
    shown = _shown(assessment, merged)
    for item in items:
        fills: dict[int, str] = _fills(item)
        fills[3 + len(item.entries)] = "good" if item.states == (AGREED,) else "doubt" if item.disagreed else "bad"
        row: list[Any] = [item.label, texts[item.key], item.own, *shown[item.key]]
        sheet.line([*row, "、".join(item.states), item.evidence], fills=fills)
    sheet.finish()


def _findings(book: Book, merged: MergedReviews) -> None:
    columns = [
        Column("程度", 10, "centre"), Column("所在文件和单元格", 34), Column("问题、原因和处理办法", 70),
        Column("编号", 18, "centre"),
    ]  # fmt: skip
    sheet = book.sheet("检查结果", columns, landscape=True)
    sheet.title("检查结果", merged.enterprise)
    sheet.head()
    for finding in merged.findings:
        fill = {"block": "bad", "warn": "doubt"}.get(finding.severity)
        cells = [SEVERITY_LABELS[finding.severity], finding.where or "", finding.message, finding.code]
        sheet.line(cells, fills={0: fill} if fill else {})
    if not merged.findings:
        sheet.paragraph("没有发现问题")
    sheet.finish()
