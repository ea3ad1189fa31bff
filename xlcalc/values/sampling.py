"""Random samples that anyone can draw again (随机抽取): uniform, without replacement, from a seed that is printed.

The same list and the same seed give the same sample in every version and on every machine. The rule, so that it
can be checked by hand: the entries stand in a row; for k = 1, 2, … up to the size wanted, the k-th draw exchanges
place k with place k + (x mod m), where m is how many places are left and x the first of the numbers
SHA-256("xlcalc.sample/1|seed|c"), c = 0, 1, 2, … counted on from draw to draw, that lies below the greatest
multiple of m within 256 bits; places 1 to k then hold the sample.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from xlcalc.errors import InputError
from xlcalc.values.text import normalise, squeeze

_RANGE = 2**256


class Drawn(NamedTuple):
    """One drawn entry: its place in the list (from 1) and its name as written."""

    place: int
    name: str


def draw_sample(names: Sequence[str], size: int, seed: str) -> tuple[Drawn, ...]:
    """Draws so many different names from a list; every choice of that many is equally likely.

    names: in the order of the list; blank ones and later spellings of the same name are left out first.
    seed: any text, such as the date and number of the minutes; it has to be printed with the sample.
    Raises InputError ``E-SAMPLE`` without a seed, and where the list has fewer names than wanted.

    >>> [drawn.place for drawn in draw_sample(["甲", "乙", "丙", "丁", "甲 "], 2, "2024-01")]
    [3, 2]
    """
    key = normalise(seed)
    first: dict[str, Drawn] = {}
    for place, name in enumerate(names, 1):
        first.setdefault(squeeze(name).upper(), Drawn(place, name))
    entries = [drawn for known, drawn in first.items() if known]
    if not key:
        raise InputError("E-SAMPLE", "没有随机种子", where="seed", remedy="请填写种子并随抽样结果一并留存")
    if not 0 < size <= len(entries):
        raise InputError(
            "E-SAMPLE", f"名单中不同的企业只有 {len(entries)} 家，不能抽取 {size} 家", where="size",
            remedy="请核对名单或抽取数量",
        )  # fmt: skip
    numbers = _numbers(key)
    for drawn in range(size):
        other = drawn + _below(len(entries) - drawn, numbers)
        entries[drawn], entries[other] = entries[other], entries[drawn]
    return tuple(entries[:size])


def _numbers(seed: str) -> Iterator[int]:
    count = 0
    while True:
        yield int.from_bytes(hashlib.sha256(f"xlcalc.sample/1|{seed}|{count}".encode()).digest(), "big")
        count += 1


def _below(bound: int, numbers: Iterator[int]) -> int:
    """A number below the bound; one that would favour small results is passed over."""
    limit = _RANGE - _RANGE % bound
    return next(number for number in numbers if number < limit) % bound
