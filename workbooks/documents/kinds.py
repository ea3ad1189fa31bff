"""The kinds of documents by name, and what is made of a run for each: one document an enterprise, or one a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from workbooks.documents import supplement_notice as supplement
from workbooks.documents.as_pdf import Document
from workbooks.documents.cases import Case, Run
from workbooks.documents.choices_letter import TITLE as CHOICES
from workbooks.documents.choices_letter import choices_letter
from workbooks.documents.deadlines import Deadline
from workbooks.documents.demands import demands, to_do
from workbooks.documents.doubtful_codes import doubts, told_apart
from workbooks.documents.grounds import policy_label
from workbooks.documents.material_list import TITLE as MATERIALS
from workbooks.documents.material_list import material_list
from workbooks.documents.naming import document_name
from workbooks.documents.payment_table import TITLE as PAYMENT
from workbooks.documents.payment_table import payment_table
from workbooks.documents.publicity import TITLE as PUBLICITY
from workbooks.documents.publicity import approved, publicity_list
from workbooks.documents.recognition_sheet import TITLE as RECOGNITION
from workbooks.documents.recognition_sheet import recognition_sheet
from workbooks.documents.recommendation_letter import TITLE as RECOMMENDATION
from workbooks.documents.recommendation_letter import recommendation_letter, recommended
from workbooks.documents.recovery_notice import TITLE as RECOVERY
from workbooks.documents.recovery_notice import recovery_notice
from workbooks.documents.review_sheets import OPINION, REVIEW, SUMMARY, opinion_sheet, review_sheet, review_summary
from workbooks.documents.statistics import TITLE as STATISTICS
from workbooks.documents.statistics import statistics_workbook
from xlcalc.errors import InputError
from xlcalc.values.text import squeeze

XLSX, DOCX = ".xlsx", ".docx"
_MOST_TOLD = 3


@dataclass(frozen=True)
class Wishes:
    """What a person says besides the workbooks; a kind uses what concerns it.

    county: in titles and file names. day: the day of the document. office: who issues it. number: its 文号.
    policies, enterprises: only these; none means all. An enterprise goes by its full name or its code.
    """

    county: str = ""
    office: str = ""
    day: date | None = None
    number: str = ""
    policies: tuple[str, ...] = ()
    enterprises: tuple[str, ...] = ()
    due: Deadline | None = None
    start: date | None = None
    end: Deadline | None = None
    codes: bool = False
    contact: str = ""
    withheld: tuple[str, ...] = ()
    reason: str = ""
    inspected: date | None = None
    inspected_again: date | None = None


@dataclass
class Made:
    """The documents, and what could not be made and why."""

    documents: list[Document] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Planned:
    """A document that is still to be written. notes: what whoever issues it has to know besides."""

    name: str
    write: Callable[[], bytes]
    notes: Sequence[str] = ()


def make(kind: str, run: Run, wishes: Wishes) -> Made:
    """The documents of a kind for a run; what does not apply to one enterprise or policy becomes a note.

    Raises InputError: ``E-DOCUMENT-KIND`` for an unknown kind, ``E-DOCUMENT-NAME`` for an enterprise that nobody
    is, and where nothing at all could be made the reason for it.
    """
    if kind not in KINDS:
        known = "、".join(KINDS)
        raise InputError("E-DOCUMENT-KIND", f"没有文书“{kind[:30]}”", where=kind[:30], remedy=f"可用：{known}")
    made = Made()
    taken: dict[str, int] = {}
    last: InputError | None = None
    for planned in KINDS[kind](_wanted(run, wishes), wishes):
        try:
            data = planned.write()
        except InputError as error:
            last = error
            made.notes.append(f"{error.where}：{error.message}" if error.where else error.message)
            continue
        made.documents.append(Document(_unlike(planned.name, taken), data))
        made.notes += planned.notes
    if last is not None and not made.documents:
        raise _none_made(last, made.notes)
    return made


def _none_made(last: InputError, notes: Sequence[str]) -> InputError:
    """Why nothing could be made: the one reason, or how many there are and the first of them."""
    if len(notes) == 1:
        return last
    more = f"；等 {len(notes)} 项" if len(notes) > _MOST_TOLD else ""
    message = f"没有可以出具的文书：{'；'.join(notes[:_MOST_TOLD])}{more}"
    return InputError(last.code, message, remedy=last.remedy)


def _unlike(name: str, taken: dict[str, int]) -> str:
    """The name, numbered where another document of this run has it."""
    taken[name] = taken.get(name, 0) + 1
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}（{taken[name]}）{dot}{suffix}" if taken[name] > 1 else name


def _wanted(run: Run, wishes: Wishes) -> Run:
    """The run restricted to the policies and enterprises asked for."""
    cases = [case for case in run.cases if not wishes.policies or case.outcome.policy in wishes.policies]
    for name in wishes.enterprises:
        if not any(_is(case, name) for case in cases):
            raise InputError("E-DOCUMENT-NAME", f"没有企业“{name[:40]}”", remedy="请按企业全称或统一社会信用代码填写")
    if wishes.enterprises:
        cases = [case for case in cases if any(_is(case, name) for name in wishes.enterprises)]
    if not cases:
        raise InputError("E-DOCUMENT-EMPTY", "没有可用的企业", remedy="请核对工作簿和所给的政策")
    return Run(tuple(cases), run.problems)


def _is(case: Case, name: str) -> bool:
    return squeeze(name) in (squeeze(case.name), case.uscc)


def county_of(run: Run, wishes: Wishes) -> str:
    """The county as given, or the one that all enterprises name."""
    named = {case.told("county") for case in run.cases}
    return wishes.county or (named.pop() if len(named) == 1 else "")


def _each(
    run: Run, wishes: Wishes, title: str, write: Callable[[Case], bytes], suffix: str = XLSX
) -> Iterator[Planned]:
    """One document an enterprise and policy."""
    county, several = county_of(run, wishes), len(run.policies()) > 1
    for case in run.cases:
        subject = f"{case.outcome.policy_label}{title}" if several else title
        name = document_name(county, case.name, subject, day=wishes.day, suffix=suffix)
        yield Planned(name, partial(write, case))


def _per_policy(
    run: Run, wishes: Wishes, title: str, write: Callable[[str], bytes], suffix: str = XLSX,
    listed: Callable[[Run, str], list[Case]] | None = None,
) -> Iterator[Planned]:  # fmt: skip
    """One document a policy. listed: whom it is about, for one that leaves out whose code cannot be right."""
    county = county_of(run, wishes)
    for policy in run.policies():
        name = document_name(county, f"{policy_label(policy)}{title}", day=wishes.day, suffix=suffix)
        notes = [f"{title}：{text}" for text in doubts(told_apart(listed(run, policy))[1])] if listed else []
        yield Planned(name, partial(write, policy), notes)


def _supplement(run: Run, wishes: Wishes) -> Iterator[Planned]:
    """Both the workbook that comes back filled in and the letter; none for an enterprise of which nothing is asked."""
    county = county_of(run, wishes)
    wanted = {"due": wishes.due, "issued": wishes.day, "authority": wishes.office, "number": wishes.number}
    writers = {XLSX: supplement.supplement_notice_xlsx, DOCX: supplement.supplement_notice_docx}
    for cases in run.enterprises():
        for suffix, write in writers.items() if to_do(demands(cases)) else ():
            name = document_name(county, cases[0].name, supplement.TITLE, day=wishes.day, suffix=suffix)
            yield Planned(name, partial(write, cases, **wanted))  # type: ignore[arg-type]


def _review(run: Run, wishes: Wishes) -> Iterator[Planned]:
    yield from _per_policy(run, wishes, SUMMARY, partial(review_summary, run, day=wishes.day))
    yield from _each(run, wishes, REVIEW, partial(review_sheet, day=wishes.day))


def _opinion(run: Run, wishes: Wishes) -> Iterator[Planned]:
    return _each(run, wishes, OPINION, partial(opinion_sheet, day=wishes.day))


def _recognition(run: Run, wishes: Wishes) -> Iterator[Planned]:
    return _each(run, wishes, RECOGNITION, partial(recognition_sheet, day=wishes.day))


def _materials(run: Run, wishes: Wishes) -> Iterator[Planned]:
    return _each(run, wishes, MATERIALS, partial(material_list, day=wishes.day))


def _publicity(run: Run, wishes: Wishes) -> Iterator[Planned]:
    write = partial(
        publicity_list, run, day=wishes.day, start=wishes.start, end=wishes.end, codes=wishes.codes,
        office=wishes.office, contact=wishes.contact,
    )  # fmt: skip
    return _per_policy(run, wishes, PUBLICITY, write, listed=approved)


def _payment(run: Run, wishes: Wishes) -> Iterator[Planned]:
    write = partial(payment_table, run, day=wishes.day, office=wishes.office, withheld=wishes.withheld)
    return _per_policy(run, wishes, PAYMENT, write, listed=approved)


def _recommendation(run: Run, wishes: Wishes) -> Iterator[Planned]:
    write = partial(
        recommendation_letter, run, county=county_of(run, wishes), office=wishes.office, day=wishes.day,
        number=wishes.number,
    )  # fmt: skip
    return _per_policy(run, wishes, RECOMMENDATION, write, DOCX, recommended)


def _recovery(run: Run, wishes: Wishes) -> Iterator[Planned]:
    """Only for enterprises that were named: nobody loses a voucher by being in a folder."""
    if not wishes.enterprises:
        raise InputError("E-DOCUMENT-NAME", f"{RECOVERY}须指明企业", remedy="请给出企业全称或统一社会信用代码")
    write = partial(
        recovery_notice, reason=wishes.reason, inspected=wishes.inspected, inspected_again=wishes.inspected_again,
        office=wishes.office, day=wishes.day, number=wishes.number,
    )  # fmt: skip
    return _each(run, wishes, RECOVERY, write, DOCX)


def _choices(run: Run, wishes: Wishes) -> Iterator[Planned]:
    return _per_policy(run, wishes, CHOICES, partial(choices_letter, run, office=wishes.office, day=wishes.day), DOCX)


def _statistics(run: Run, wishes: Wishes) -> Iterator[Planned]:
    return _per_policy(run, wishes, STATISTICS, partial(statistics_workbook, run, county=wishes.county))


KINDS: dict[str, Callable[[Run, Wishes], Iterator[Planned]]] = {
    "supplement": _supplement,
    "review": _review,
    "opinion": _opinion,
    "recognition": _recognition,
    "materials": _materials,
    "publicity": _publicity,
    "payment": _payment,
    "recommendation": _recommendation,
    "recovery": _recovery,
    "choices": _choices,
    "statistics": _statistics,
}
"""Kind -> what it makes; the names are those of the command line."""
