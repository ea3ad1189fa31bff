"""行业代码: the four digits of GB/T 4754-2017 that forms ask for, checked as far as a source is held.

Held are the 97 divisions (大类, the first two digits). The classes (小类) are not modelled: no verified list is held,
and the list of 1,094 classes in circulation is that of the edition of 2011.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from xlcalc.values.text import squeeze


@dataclass(frozen=True, slots=True)
class Section:
    """A section (门类): its letter, its name, and its divisions (大类), two digits -> name."""

    code: str
    label: str
    divisions: Mapping[str, str]


@cache
def sections() -> tuple[Section, ...]:
    """The 20 sections in the order of the standard."""
    with (Path(__file__).parent / "industry_divisions.toml").open("rb") as stream:
        return tuple(Section(**row) for row in tomllib.load(stream)["section"])


def section_of(text: str) -> str | None:
    """The letter of the section to which a code's division belongs; None where there is no such division.

    >>> section_of("2710"), section_of("9999")
    ('C', None)
    """
    return next((section.code for section in sections() if squeeze(text)[:2] in section.divisions), None)


def problem_of_industry_code(text: str) -> str | None:
    """Why a code is doubtful, in Chinese, or None; that the class itself exists is not checked.

    >>> problem_of_industry_code("2710") is None, problem_of_industry_code("９８10")
    (True, '前两位“98”不是 GB/T 4754-2017 的大类（01–97）')
    >>> problem_of_industry_code("C27")
    '应为 GB/T 4754-2017 的4位数字，现为“C27”'
    """
    code = squeeze(text)
    if re.fullmatch("[0-9]{4}", code) is None:
        return f"应为 GB/T 4754-2017 的4位数字，现为“{code[:20]}”"
    if section_of(code) is None:
        return f"前两位“{code[:2]}”不是 GB/T 4754-2017 的大类（01–97）"
    return None
