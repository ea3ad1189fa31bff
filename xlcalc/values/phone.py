"""联系电话: whether a number can be called, however it is punctuated; the text itself is kept as typed."""

from __future__ import annotations

import re

from xlcalc.values.text import squeeze

_MOBILE = re.compile(r"(?:\+?86-?)?1[3-9]\d{9}")
_LANDLINE = re.compile(r"(?:\(0\d{2,3}\)|0\d{2,3}-?)?[2-8]\d{6,7}(?:(?:-|转|x)\d{1,6})?", re.IGNORECASE)
_SERVICE = re.compile(r"[48]00-?\d{3}-?\d{4}|[48]00-?\d{4}-?\d{3}")
_BETWEEN = re.compile(r"[、,;/]")


def problem_of_phone(text: str) -> str | None:
    """Why a number is doubtful, in Chinese, or None; a local number without area code is taken as it stands.

    >>> [problem_of_phone(text) for text in ("13800000000", "0311-86000000", "8600 0000", "（0311）8600000转12")]
    [None, None, None, None]
    >>> problem_of_phone("1380000000")
    '“1380000000”不是手机号码（11位）或固定电话（7至8位，可带区号）'
    """
    numbers = [part for part in _BETWEEN.split(squeeze(text)) if part]
    for number in numbers:
        if not any(shape.fullmatch(number) for shape in (_MOBILE, _LANDLINE, _SERVICE)):
            return f"“{number[:20]}”不是手机号码（11位）或固定电话（7至8位，可带区号）"
    return None if numbers else "没有号码"
