"""The random sample: the same for everyone who has list and seed, uniform, and refused where it cannot be had."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from xlcalc.errors import InputError
from xlcalc.values.sampling import draw_sample

NAMES = [f"示例企业{number}" for number in range(1, 81)]


def drawn_by_hand(count: int, size: int, seed: str) -> list[int]:
    """The rule as the documentation states it; with 256 bits the passing over never occurs in these tests."""
    places = list(range(1, count + 1))
    for step in range(size):
        number = int(hashlib.sha256(f"xlcalc.sample/1|{seed}|{step}".encode()).hexdigest(), 16)
        other = step + number % (count - step)
        places[step], places[other] = places[other], places[step]
    return places[:size]


@pytest.mark.parametrize("seed", ["20240301", "评审会纪要〔2024〕3号", "0"])
def test_it_is_the_sample_the_rule_gives(seed: str) -> None:
    assert [drawn.place for drawn in draw_sample(NAMES, 10, seed)] == drawn_by_hand(80, 10, seed)


def test_it_never_changes() -> None:
    assert [drawn.place for drawn in draw_sample(NAMES, 10, "20240301")] == [36, 8, 19, 27, 74, 52, 21, 60, 73, 59]


def test_a_seed_is_read_as_clerks_type_it() -> None:
    assert draw_sample(NAMES, 10, " ２０２４0301 ") == draw_sample(NAMES, 10, "20240301")


def test_a_smaller_sample_is_the_beginning_of_a_larger_one() -> None:
    assert draw_sample(NAMES, 20, "a")[:10] == draw_sample(NAMES, 10, "a")


def test_no_name_is_drawn_twice_and_none_is_invented() -> None:
    drawn = draw_sample([*NAMES, " 示例企业1", "", "示例企业２"], 80, "a")
    assert sorted(one.place for one in drawn) == list(range(1, 81))
    assert {one.name for one in drawn} == set(NAMES)


def test_every_pair_is_about_as_likely() -> None:
    pairs = Counter(
        tuple(sorted(one.place for one in draw_sample(["甲", "乙", "丙", "丁"], 2, str(seed)))) for seed in range(6000)
    )
    assert len(pairs) == 6
    assert all(850 < count < 1150 for count in pairs.values())


REFUSED = {
    "no seed": (["甲"], 1, " "),
    "too few": (["甲", "甲 ", ""], 2, "a"),
    "nothing wanted": (["甲"], 0, "a"),
    "no list": ([], 1, "a"),
}


@pytest.mark.parametrize(("names", "size", "seed"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_drawn_is_refused(names: list[str], size: int, seed: str) -> None:
    with pytest.raises(InputError) as raised:
        draw_sample(names, size, seed)
    assert raised.value.code == "E-SAMPLE"
    assert raised.value.remedy
