"""What a text has to look like: how it begins, what stands in it, whether a code or number is well formed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.facts import Fact
from xlcalc.values.industry_code import problem_of_industry_code, section_of, sections
from xlcalc.values.phones import AREA, problem_of_phone
from xlcalc.values.text import squeeze
from xlcalc.values.uscc import problem_of_uscc
from xlcalc.values.written_forms import (
    problem_of_document_number,
    problem_of_mail_address,
    problem_of_postal_code,
    problem_of_registration,
    problem_of_web_address,
)

FORMS: Mapping[str, Callable[[str], str | None]] = {
    "uscc": problem_of_uscc,
    "industry_code": problem_of_industry_code,
    "phone": problem_of_phone,
    "document_number": problem_of_document_number,
    "registration": problem_of_registration,
    "postal_code": problem_of_postal_code,
    "web_address": problem_of_web_address,
    "mail_address": problem_of_mail_address,
}
"""Form -> what is wrong with a text that should have it, or None."""

_TYPES = ("text", "passage", "uscc")
_CHECKS = ("begins", "contains", "form", "section")


class TextTest(TypedDict):
    """Exactly one of: ``begins`` (with any of these, from the ``at``-th sign on), ``contains`` (all), ``form``,
    ``section`` (门类 of GB/T 4754 to which an industry code belongs). ``area``: with the form ``phone``, the city's
    area code, under which local numbers have to exist.

    Blanks and the width of letters and brackets make no difference.
    """

    fact: str
    begins: NotRequired[list[str]]
    at: NotRequired[int]
    contains: NotRequired[list[str]]
    form: NotRequired[str]
    area: NotRequired[str]
    section: NotRequired[str]


def fits(value: str, body: Mapping[str, Any]) -> bool:
    """Whether a text looks as the test demands."""
    if "form" in body:
        return problem_of_form(value, body["form"], body.get("area")) is None
    if "section" in body:
        return bool(section_of(value) == body["section"])
    text = squeeze(value)
    if "begins" in body:
        return text.startswith(_words(body["begins"]), body.get("at", 1) - 1)
    return all(word in text for word in _words(body["contains"]))


def problem_of_form(value: str, form: str, area: str | None = None) -> str | None:
    """What is wrong with a text that should have a form, in Chinese, or None. area: as for a test."""
    return problem_of_phone(value, area) if form == "phone" else FORMS[form](value)


def describe_text(body: Mapping[str, Any], label: str) -> str:
    """What the test demands, in Chinese."""
    if "form" in body:
        return f"{label}格式正确"
    if "section" in body:
        label_of = {section.code: section.label for section in sections()}
        return f"{label}属于{label_of[body['section']]}"
    if "begins" in body:
        at = body.get("at", 1)
        place = f"自第{at}位起" if at != 1 else ""
        return f"{label}{place}以{'或'.join(_words(body['begins']))}开头"
    return f"{label}含有“{'”“'.join(_words(body['contains']))}”"


def check_text(body: Mapping[str, Any], about: Fact, where: str) -> None:
    """Raises PackError unless the test is one check of a text."""
    if about.type not in _TYPES:
        raise PackError(
            "E-PACK-FACT",
            f"事实“{about.id}”的类型是 {about.type}，此处须为文字",
            where=where,
            remedy="请换用文字类事实",
        )
    letters = [section.code for section in sections()]
    known = body.get("form", "uscc") in FORMS and body.get("section", "A") in letters
    area = body.get("area")
    placed = area is None or (body.get("form") == "phone" and bool(AREA.fullmatch(area)))
    if sum(check in body for check in _CHECKS) != 1 or not known or not placed:
        raise PackError(
            "E-PACK-TEXT", f"须写明 {'、'.join(_CHECKS)} 之一；form 为 {'、'.join(FORMS)}，section 为门类字母，"
            "area 为 0 开头的区号，只用于 form = \"phone\"",
            where=where, remedy="请只保留一个，并核对取值",
        )  # fmt: skip


def _words(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(squeeze(word) for word in values)
