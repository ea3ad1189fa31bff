"""Text as clerks type it, brought to one form before it is compared or parsed."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Zero-width and direction marks change how a name looks without changing how it reads.
_INVISIBLE = dict.fromkeys(
    [0x00AD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A)]
)

_UNSEEN = re.compile(f"[{''.join(map(chr, _INVISIBLE))}]")
# Greek, Cyrillic, Armenian and Cherokee letters look like Latin ones, and stand in no name or code of an enterprise.
_LOOK_ALIKE = re.compile("[\u0370-\u058f\u13a0-\u13fd\u1f00-\u1fff\u2de0-\u2dff\ua640-\ua69f]")

_SHORT = 60
TICKED = ("√", "☑", "✓", "✔", "■", "●", "▣", "1", "是", "Y", "y")
UNTICKED = ("□", "☐", "○", "0", "否", "N", "n")

_YES = frozenset({"是", "y", "yes", "true", "1", "√", "☑", "✓", "✔", "■"})
_NO = frozenset({"否", "n", "no", "false", "0", "×", "☐", "□"})


def normalise(text: str) -> str:
    """One spelling for full-width and half-width forms, without invisible characters or outer blanks.

    >>> normalise("　ＡＢＣ１２３（集团）\u200b ")
    'ABC123(集团)'
    """
    if text.isascii():
        return text.strip()
    return _normalised(text) if len(text) <= _SHORT else _in_one_form(text)


def _in_one_form(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE).strip()


_normalised = lru_cache(maxsize=4096)(_in_one_form)


def squeeze(text: str) -> str:
    """Normalised text without any white space: for comparing labels, names and quotes.

    >>> squeeze("补贴最高 不超过\\n10 万元")
    '补贴最高不超过10万元'
    """
    return "".join(normalise(text).split())


def deceiving_signs(text: str) -> str:
    """What in a name or code may deceive the eye, in Chinese; "" where nothing does.

    >>> deceiving_signs("示例\u200b甲"), deceiving_signs("示例А厂"), deceiving_signs("示例ABC厂（集团）")
    ('有看不见的字符，已去掉', '有形似拉丁字母的外文字母“А”', '')
    """
    if text.isascii():
        return ""
    unseen = ["有看不见的字符，已去掉"] if _UNSEEN.search(text) else []
    alike = "".join(dict.fromkeys(_LOOK_ALIKE.findall(text)))[:10]
    return "；".join([*unseen, *([f"有形似拉丁字母的外文字母“{alike}”"] if alike else [])])


def parse_yes_no(text: str) -> bool | None:
    """Reads 是/否 in its usual spellings; None when the text says neither.

    >>> parse_yes_no("是"), parse_yes_no(" N "), parse_yes_no("也许")
    (True, False, None)
    """
    word = normalise(text).casefold()
    if word in _YES:
        return True
    return False if word in _NO else None


def parse_tick(text: str) -> bool | None:
    """Whether a tick cell is ticked; None for a sign that is neither a tick nor an empty box.

    >>> parse_tick("√"), parse_tick("□"), parse_tick(""), parse_tick("？")
    (True, False, False, None)
    """
    sign = text.strip()
    if not sign or sign in UNTICKED:
        return False
    return True if sign in TICKED else None
