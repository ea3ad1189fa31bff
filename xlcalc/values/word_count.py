"""字数 as a clerk finds it under 审阅 → 字数统计, and the two other counts that reviewers ask for."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping

from xlcalc.errors import InputError
from xlcalc.values.text import squeeze

_HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")

MODES: Mapping[str, tuple[str, ...]] = {
    "word": ("字数", "Word字数"),
    "chars_no_space": ("字符数", "字符数（不计空格）"),
    "cjk_only": ("汉字数", "仅汉字"),
}
"""Mode -> its Chinese spellings."""


def parse_mode(text: str) -> str:
    """The mode of a code or Chinese name; raises InputError ``E-WORD-MODE`` for any other.

    >>> parse_mode("word"), parse_mode("汉字数")
    ('word', 'cjk_only')
    """
    wanted = squeeze(text).casefold()
    for mode, spellings in MODES.items():
        if wanted in (mode, *(squeeze(word).casefold() for word in spellings)):
            return mode
    known = "、".join(spellings[0] for spellings in MODES.values())
    raise InputError("E-WORD-MODE", f"没有“{text[:20]}”这种字数算法", remedy=f"可选：{known}")


def count_words(text: str, mode: str = "word") -> int:
    """How long a text is: 字数 (as Word counts), characters without blanks, or Chinese characters alone.

    >>> count_words("已建成ERP系统，覆盖3个车间。"), count_words("数字化 2.0"), count_words("　\\n ")
    (14, 4, 0)
    >>> count_words("已建成ERP系统，", "chars_no_space"), count_words("已建成ERP系统，", "cjk_only")
    (9, 5)
    """
    return _COUNTS[mode](text)


def _word(text: str) -> int:
    """Each full-width character is one, each run of other characters between blanks is one."""
    count, inside_run = 0, False
    for sign in text:
        if _invisible(sign):
            continue
        wide = _full_width(sign)
        blank = sign.isspace()
        count += wide or not (blank or inside_run)
        inside_run = not (wide or blank)
    return count


def _chars_no_space(text: str) -> int:
    return sum(not (sign.isspace() or _invisible(sign)) for sign in text)


def _invisible(sign: str) -> bool:
    """Format signs, and marks that join the character before them."""
    return unicodedata.category(sign) in ("Cf", "Mn", "Me")


def _full_width(sign: str) -> bool:
    """Whether a sign stands in its own square in Chinese text: “ and ① do, é does not."""
    if sign.isspace():
        return False
    width = unicodedata.east_asian_width(sign)
    return width in "WFH" or (width == "A" and not unicodedata.category(sign).startswith("L"))


_COUNTS: Mapping[str, Callable[[str], int]] = {
    "word": _word,
    "chars_no_space": _chars_no_space,
    "cjk_only": lambda text: len(_HAN.findall(text)),
}
