"""Names of enterprises that may be one and the same: suggested to a person, never merged."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xlcalc.values.text import squeeze

_BRACKETS = re.compile(r"[()\[\]{}<>《》【】〔〕「」『』“”\"'·.,、-]")
_FORM = re.compile(r"(?:股份有限|有限责任|有限)公司$")
_FIGURES = re.compile(r"[0-9〇一二三四五六七八九十百]+")
_SHORTEST = 5
"""Names with fewer characters differ in what matters when they differ in one."""


def core_of_name(name: str) -> str:
    """A name without what clerks write one way or the other: width, brackets, 有限公司 or 有限责任公司.

    >>> core_of_name("示例（集团）有限责任公司") == core_of_name("示例集团 有限公司")
    True
    """
    return _FORM.sub("", _BRACKETS.sub("", squeeze(name).casefold()))


def near_names(names: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places in ``names`` whose names differ but may be meant as one: the same but for brackets or the
    words for 有限公司, for one character, or for a place put before; a figure that differs makes two names.

    >>> near_names(["示例云溪食品有限公司", "示例云溪食品有限责任公司", "示例第1机械厂", "示例第2机械厂"])
    [(0, 1)]
    >>> near_names(["某市示例云溪食品有限公司", "示例云溪食品有限公司", "示例云西食品有限公司"])
    [(0, 1), (1, 2)]
    """
    cores = [core_of_name(name) for name in names]
    pairs = _one_character_apart(cores) | _longer_at_the_front(cores)
    return sorted(pair for pair in pairs if squeeze(names[pair[0]]) != squeeze(names[pair[1]]))


def _one_character_apart(cores: Sequence[str]) -> set[tuple[int, int]]:
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    with_figures: dict[tuple[str, ...], list[int]] = {}
    for place, core in enumerate(cores):
        with_figures.setdefault(tuple(_FIGURES.findall(core)), []).append(place)
    pairs = set()
    for places in with_figures.values():
        for turn, place in enumerate(places):
            rest = [cores[other] for other in places[turn + 1 :]]
            most = 1 if len(cores[place]) >= _SHORTEST else 0
            near = process.extract(cores[place], rest, scorer=Levenshtein.distance, score_cutoff=most, limit=None)
            pairs |= {(place, places[turn + 1 + step]) for _, _, step in near}
    return pairs


def _longer_at_the_front(cores: Sequence[str]) -> set[tuple[int, int]]:
    at: dict[str, list[int]] = {}
    for place, core in enumerate(cores):
        at.setdefault(core, []).append(place)
    pairs = set()
    for place, core in enumerate(cores):
        for start in range(1, len(core) - _SHORTEST + 1):
            pairs |= {(min(place, other), max(place, other)) for other in at.get(core[start:], ())}
    return pairs
