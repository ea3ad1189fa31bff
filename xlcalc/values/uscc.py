"""统一社会信用代码: the check of GB 32100-2015, and recognising codes a spreadsheet has damaged."""

from __future__ import annotations

import re

from xlcalc.values.text import squeeze

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SHAPE = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}")
_DAMAGED = re.compile(r"\d{15}000|\d(?:\.\d+)?[eE]\+?17")


def clean_uscc(text: str) -> str:
    """Upper case, half-width, without blanks: the form in which codes are compared and stored.

    >>> clean_uscc(" ９1350100m000100y43 ")
    '91350100M000100Y43'
    """
    return squeeze(text).upper()


def check_character(body: str) -> str:
    """The 18th character belonging to 17 valid ones.

    >>> check_character("91350100M000100Y4"), check_character("91130100MA00000T1")
    ('3', 'W')
    """
    total = sum(ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(body))
    return ALPHABET[-total % 31]


def problem_of_uscc(text: str) -> str | None:
    """Why a code is doubtful, in Chinese, or None; a doubtful code is a warning, never a refusal.

    >>> problem_of_uscc("91350100M000100Y43") is None
    True
    >>> problem_of_uscc("91350100M000100Y44")
    '校验位应为 3'
    """
    code = clean_uscc(text)
    well_formed = _SHAPE.fullmatch(code) is not None
    if well_formed and code[17] == check_character(code[:17]):
        return None
    if _DAMAGED.fullmatch(code):
        return "末三位已被表格软件改成 000（按数字保存所致），须按营业执照重新填写"
    if not well_formed:
        return f"应为18位数字和大写字母（不含 I、O、S、V、Z），现为{len(code)}位"
    return f"校验位应为 {check_character(code[:17])}"


def is_damaged_uscc(text: str) -> bool:
    """Whether a spreadsheet has kept the code as a number, so that its end is lost and it names no one.

    >>> is_damaged_uscc("9.1E+17"), is_damaged_uscc("911301050000001000"), is_damaged_uscc("91350100M000100Y43")
    (True, True, False)
    """
    return problem_of_uscc(text) is not None and _DAMAGED.fullmatch(clean_uscc(text)) is not None
