"""Several 评审工作簿 of one enterprise side by side: who says what, where they disagree. Nothing is averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from workbooks.reader import read_workbook
from workbooks.record import ReadBook, Record
from workbooks.review.answers import written
from workbooks.review.compare import Said
from workbooks.review.layout import REVIEWS, SELF, Opinion
from xlcalc.errors import WorkbookRefused
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.results.outcome import Finding
from xlcalc.values.levels import LABELS
from xlcalc.values.text import squeeze

AGREED, DISAGREED, MISSING = "一致", "分歧", "有人未评"
_SHOWN = 5


@dataclass(frozen=True)
class Voice:
    """One person's opinion in one file. label: how it is headed, unlike any other."""

    label: str
    person: str
    opinion: Opinion
    file: str
    day: date | None
    said: Said
    reasons: Mapping[str, str]


@dataclass(frozen=True)
class Item:
    """A question or scene. entries: what stands in 自评 and what each voice says, "" where nothing valid does.

    states: one of 一致, or 分歧, 有人未评, or both.
    """

    key: str
    label: str
    own: str
    entries: tuple[str, ...]
    states: tuple[str, ...]
    evidence: str

    @property
    def disagreed(self) -> bool:
        """Whether two voices say different things."""
        return DISAGREED in self.states


@dataclass
class MergedReviews:
    """What came of a merge. data: the workbook; items: every question, then every scene, in printed order."""

    enterprise: str
    voices: list[Voice]
    items: list[Item]
    findings: list[Finding] = field(default_factory=list)
    data: bytes = b""

    @property
    def disagreements(self) -> list[Item]:
        """The items on which two voices differ."""
        return [item for item in self.items if item.disagreed]

    @property
    def blocking(self) -> bool:
        """Whether someone has to act before this counts."""
        return any(finding.severity == "block" for finding in self.findings)


def merge_reviews(paths: Sequence[Path]) -> MergedReviews:
    """The opinions of several reviewers' files on one enterprise, side by side, with what they disagree on.

    Opinions are compared by answer and level; one left open agrees with nobody, and no score or level is made of
    several. Raises WorkbookRefused: ``E-REVIEW-MERGE`` with every reason where the files are not of one enterprise,
    or not under the same pack versions and choices; the file's own where one cannot be read.
    """
    from workbooks.review.merge_book import merged_book

    books = [(path, _read(path)) for path in dict.fromkeys(paths)]
    if not books:
        raise WorkbookRefused("E-REVIEW-MERGE", "没有要合并的评审工作簿", remedy="请给出评审工作簿文件")
    _refuse_unlike(books)
    first = books[0][1]
    assessment: Assessment = first.records[0].cells["assessment"]
    findings = [
        replace(finding, where=f"{path.name}:{finding.where}" if finding.where else path.name)
        for path, read in books for finding in (*read.findings, *read.records[0].findings)
        if finding.severity in ("block", "warn")
    ]  # fmt: skip
    findings += _own_answers_differ(assessment, books)
    voices = _voices(assessment, books, findings)
    merged = MergedReviews(_enterprise(first.records[0]), voices, _items(assessment, books, voices), findings)
    findings += _about_voices(merged)
    merged.data = merged_book(merged, first, assessment)
    return merged


def _read(path: Path) -> ReadBook:
    try:
        read = read_workbook(path)
    except WorkbookRefused as error:
        if path.name in str(error.where):
            raise
        raise error.at(path.name) from None
    if read.form.kind != "review":
        raise WorkbookRefused(
            "E-BOOK-FOREIGN", f"“{read.form.title}”不是评审工作簿", where=path.name,
            remedy="请只给出评审工作簿；可用 xlcalc review 由自评估报告生成",
        )  # fmt: skip
    return read


def _enterprise(record: Record) -> str:
    return str(record.facts.get("enterprise_name") or record.facts.get("uscc") or "")


def _refuse_unlike(books: Sequence[tuple[Path, ReadBook]]) -> None:
    """All against the first: one enterprise, the same packs, the same choices."""
    (first_path, first), *others = books
    reasons = []
    for path, read in books:
        facts = read.records[0].facts
        if not facts.get("uscc") and not facts.get("enterprise_name"):
            reasons.append(f"{path.name} 没有填写企业名称和统一社会信用代码，不能确定是哪家企业")
    for path, read in others:
        reasons += [f"{path.name} 与 {first_path.name} {reason}" for reason in _unlike(first, read)]
    if reasons:
        raise WorkbookRefused(
            "E-REVIEW-MERGE", "；".join(reasons), where=first_path.name,
            remedy="请只合并同一企业、同一政策版本和口径的评审工作簿",
        )  # fmt: skip


def _unlike(first: ReadBook, other: ReadBook) -> list[str]:
    one, two = (read.records[0].facts for read in (first, other))
    reasons = []
    if one.get("uscc") and two.get("uscc"):
        if one["uscc"] != two["uscc"]:
            reasons.append(f"不是同一企业（统一社会信用代码 {two['uscc']} 与 {one['uscc']}）")
    elif squeeze(str(one.get("enterprise_name", ""))) != squeeze(str(two.get("enterprise_name", ""))):
        reasons.append(f"不是同一企业（{_enterprise(other.records[0])} 与 {_enterprise(first.records[0])}）")
    if first.form.id != other.form.id:
        reasons.append(f"模板不同（{other.form.id} 与 {first.form.id}）")
        return reasons
    for policy, version in first.versions.items():
        held = other.versions[policy]
        if held.hash != version.hash:
            reasons.append(f"政策 {policy} 的版本不同（{held.id} 与 {version.id}）")
    changed = [key for key, code in first.choices.items() if other.choices.get(key) != code]
    if changed:
        told = "、".join(f"{key} {other.choices.get(key)} 与 {first.choices[key]}" for key in changed)
        reasons.append(f"口径不同（{told}）")
    return reasons


def _own_answers_differ(assessment: Assessment, books: Sequence[tuple[Path, ReadBook]]) -> list[Finding]:
    """自评 is the same in all files, or someone has changed it."""
    (first_path, first), *others = books
    own = _entries(assessment, first.records[0].cells["said"][SELF.key])
    labels = _labels(assessment)
    findings = []
    for path, read in others:
        theirs = _entries(assessment, read.records[0].cells["said"][SELF.key])
        unlike = [
            f"{labels[key]}（{theirs[key] or '空白'} 与 {own[key] or '空白'}）"
            for key in own
            if theirs[key] != own[key]
        ]
        if unlike:
            more = f"等 {len(unlike)} 处" if len(unlike) > _SHOWN else ""
            message = f"自评一栏与 {first_path.name} 不同：{'、'.join(unlike[:_SHOWN])}{more}。请核对企业的自评估报告"
            findings.append(Finding("E-REVIEW-SELF", "block", message, None, path.name))
        if _enterprise(read.records[0]) != _enterprise(first.records[0]):
            message = f"企业名称“{_enterprise(read.records[0])}”与“{_enterprise(first.records[0])}”不同。请核对"
            findings.append(Finding("E-REVIEW-NAME", "warn", message, None, path.name))
    return findings


def _voices(assessment: Assessment, books: Sequence[tuple[Path, ReadBook]], findings: list[Finding]) -> list[Voice]:
    """Every opinion that has been begun; one person's identical files count once."""
    found: list[Voice] = []
    for path, read in books:
        record = read.records[0]
        begun = 0
        for opinion in REVIEWS:
            said: Said = record.cells["said"][opinion.key]
            if not any(said.texts) and not any(level != "" for level in said.levels):
                continue
            begun += 1
            person = str(record.facts.get(opinion.person or "") or "")
            day = record.facts.get(opinion.day or "")
            reasons = record.facts.get(opinion.reasons or "", {})
            voice = Voice("", person, opinion, path.name, day, said, reasons)
            if not _already_there(voice, found, findings):
                found.append(voice)
        if not begun:
            message = "没有评审意见，也没有复核意见，未列入"
            findings.append(Finding("E-REVIEW-EMPTY", "warn", message, None, path.name))
    return [replace(voice, label=_label(voice, found)) for voice in found]


def _already_there(voice: Voice, found: Sequence[Voice], findings: list[Finding]) -> bool:
    for other in found:
        if not voice.person or squeeze(voice.person) != squeeze(other.person):
            continue
        who = f"“{voice.person}”"
        if voice.opinion is not other.opinion:
            message = f"{who}既是{other.opinion.label}人（{other.file}）又是{voice.opinion.label}人。请核对"
            findings.append(Finding("E-REVIEW-TWICE", "warn", message, None, voice.file))
        elif (voice.said, voice.reasons) == (other.said, other.reasons):
            message = f"{who}的{voice.opinion.label}意见已在 {other.file} 中，内容相同，只列一次"
            findings.append(Finding("E-REVIEW-TWICE", "warn", message, None, voice.file))
            return True
        else:
            message = f"{who}的{voice.opinion.label}意见在 {other.file} 中另有一份，内容不同。请确认以哪份为准"
            findings.append(Finding("E-REVIEW-TWICE", "block", message, None, voice.file))
    return False


def _label(voice: Voice, all_voices: Sequence[Voice]) -> str:
    """评审 甲; with the file where that would not tell two apart."""
    name = f"{voice.opinion.label} {voice.person}".strip()
    alike = [v for v in all_voices if v.opinion is voice.opinion and squeeze(v.person) == squeeze(voice.person)]
    return name if len(alike) == 1 and voice.person else f"{name}（{Path(voice.file).stem}）"


def _labels(assessment: Assessment) -> dict[str, str]:
    questions = {item.key: f"第{item.number}题" for item in assessment.questions}
    return questions | {item.key: item.label + ("*" if item.mandatory else "") for item in assessment.scenes}


def _entries(assessment: Assessment, said: Said) -> dict[str, str]:
    """Each valid entry as it is written, letters in printed order; "" where there is none."""
    found = {}
    rows = zip(assessment.questions, said.masks(assessment), said.states(assessment), strict=True)
    for question, mask, ticks in rows:
        ticked = [question.index(code) or 0 for code, state in zip(question.printed, ticks, strict=True) if state == 1]
        found[question.key] = "" if mask == "" else written(question, ticked)
    levels = said.scenes(assessment)
    return found | {scene.key: LABELS[levels[scene.key]] if scene.key in levels else "" for scene in assessment.scenes}


def _items(assessment: Assessment, books: Sequence[tuple[Path, ReadBook]], voices: Sequence[Voice]) -> list[Item]:
    own = _entries(assessment, books[0][1].records[0].cells["said"][SELF.key])
    said = [_entries(assessment, voice.said) for voice in voices]
    items = []
    for key, label in _labels(assessment).items():
        entries = tuple(entry[key] for entry in said)
        given = {entry for entry in entries if entry}
        states = [DISAGREED] if len(given) > 1 else []
        states += [MISSING] if "" in entries or not entries else []
        items.append(Item(key, label, own[key], entries, tuple(states or [AGREED]), _evidence(books, key)))
    return items


def _evidence(books: Sequence[tuple[Path, ReadBook]], key: str) -> str:
    """The index of evidence; where files differ, each with its file."""
    found: dict[str, str] = {}
    for path, read in books:
        facts = read.records[0].facts
        text = facts.get("evidence", {}).get(key) or facts.get("scene_evidence", {}).get(key)
        if text:
            found.setdefault(text, path.name)
    if len(found) < 2:
        return "".join(found)
    return "；".join(f"{text}（{name}）" for text, name in found.items())


def _about_voices(merged: MergedReviews) -> list[Finding]:
    if len(merged.voices) < 2:
        message = f"只有 {len(merged.voices)} 份意见，没有可对照的"
        return [Finding("E-REVIEW-ALONE", "warn", message)]
    findings = []
    if merged.disagreements:
        named = "、".join(item.label for item in merged.disagreements)
        message = f"{len(merged.disagreements)} 项意见不一致：{named}。请合议确定；不取平均"
        findings.append(Finding("E-REVIEW-DISAGREE", "block", message))
    missing = [item.label for item in merged.items if MISSING in item.states]
    if missing:
        message = f"{len(missing)} 项有人未评：{'、'.join(missing)}"
        findings.append(Finding("E-REVIEW-OPEN", "warn", message))
    return findings
