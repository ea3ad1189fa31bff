"""An index into a report, as 佐证材料索引 columns ask for it: the chapter or section, and the page."""

from __future__ import annotations

import re

from xlcalc.values.text import squeeze

_CHAPTER = re.compile(
    r"[0-9一二三四五六七八九十]+(\.[0-9]+)*\)?[章节篇条款]|[0-9]+\.[0-9]+|[(][0-9一二三四五六七八九十]+[)]|附件"
)
_PAGE = re.compile(r"([0-9]+[-–—~至])?[0-9]+页|[Pp]\.?[0-9]+([-–—~至][Pp]?[0-9]+)?")


def index_problem(text: str) -> str | None:
    """What an index of evidence lacks in form, None when it names a chapter or section and a page.

    Whether that page holds the evidence is for a person to look up.

    >>> index_problem("第三章第2节，P12-15"), index_problem("3.2 第12页")
    (None, None)
    >>> index_problem("第三章"), index_problem("P12"), index_problem("见材料")
    ('没有页码', '没有章节号', '没有章节号和页码')
    """
    plain = squeeze(text)
    if _PAGE.search(plain):
        return None if _CHAPTER.search(plain) else "没有章节号"
    return "没有页码" if _CHAPTER.search(plain) else "没有章节号和页码"


def last_page(text: str) -> int:
    """The highest page an index names, 0 when it names none.

    >>> last_page("第三章 P12-15、第8页"), last_page("第三章")
    (15, 0)
    """
    numbers = (number for match in _PAGE.finditer(squeeze(text)) for number in re.findall("[0-9]+", match[0]))
    return max(map(int, numbers), default=0)
