"""The 数字化水平等级 0–4 and every spelling in which documents and clerks write it."""

from __future__ import annotations

from enum import IntEnum

from xlcalc.errors import InputError
from xlcalc.values.text import squeeze


class MaturityLevel(IntEnum):
    """0 无等级 · 1 一级（初始级） · 2 二级（规范级） · 3 三级（集成级） · 4 四级（协同级）."""

    NONE = 0
    LEVEL_1 = 1
    LEVEL_2 = 2
    LEVEL_3 = 3
    LEVEL_4 = 4

    @property
    def label(self) -> str:
        """The name printed on forms.

        >>> MaturityLevel.LEVEL_3.label
        '三级'
        """
        return LABELS[self]


LABELS = ("无等级", "一级", "二级", "三级", "四级")

SPELLINGS: dict[str, int] = {
    word: level
    for level, words in enumerate(
        (
            ("0", "０", "无", "无等级", "未达", "未达一级"),
            ("1", "一级", "一", "1级", "１", "１级", "初始级", "一级(初始级)", "Ⅰ"),
            ("2", "二级", "二", "2级", "２", "２级", "规范级", "二级(规范级)", "Ⅱ"),
            ("3", "三级", "三", "3级", "３", "３级", "集成级", "三级(集成级)", "Ⅲ"),
            ("4", "四级", "四", "4级", "４", "４级", "协同级", "四级(协同级)", "Ⅳ"),
        )
    )
    for word in words
}
_LOOKUP = {squeeze(word): level for word, level in SPELLINGS.items()}


def parse_level(value: object) -> MaturityLevel:
    """Reads a level 0–4 or any accepted spelling; raises InputError ``E-LEVEL`` otherwise.

    >>> parse_level("集成级") is MaturityLevel.LEVEL_3
    True
    >>> parse_level("二级（规范级）") is parse_level(2)
    True
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 4:
        return MaturityLevel(value)
    if isinstance(value, str) and (level := _LOOKUP.get(squeeze(value))) is not None:
        return MaturityLevel(level)
    raise InputError("E-LEVEL", f"“{str(value)[:40]}”不是数字化水平等级", remedy="请填写无等级、一级、二级、三级或四级")
