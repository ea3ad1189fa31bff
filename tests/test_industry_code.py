"""GB/T 4754-2017 as far as it is held: 20 sections, 97 divisions, no classes."""

from __future__ import annotations

import pytest

from xlcalc.values.industry_code import problem_of_industry_code, section_of, sections

BOUNDS = {
    "A": "01-05", "B": "06-12", "C": "13-43", "D": "44-46", "E": "47-50", "F": "51-52", "G": "53-60", "H": "61-62",
    "I": "63-65", "J": "66-69", "K": "70-70", "L": "71-72", "M": "73-75", "N": "76-79", "O": "80-82", "P": "83-83",
    "Q": "84-85", "R": "86-90", "S": "91-96", "T": "97-97",
}  # fmt: skip


def test_every_division_stands_in_its_section() -> None:
    found = {section.code: f"{min(section.divisions)}-{max(section.divisions)}" for section in sections()}
    assert found == BOUNDS
    assert [code for section in sections() for code in section.divisions] == [f"{n:02d}" for n in range(1, 98)]


@pytest.mark.parametrize(
    ("code", "name"),
    [("27", "医药制造业"), ("35", "专用设备制造业"), ("39", "计算机、通信和其他电子设备制造业"), ("14", "食品制造业"),
     ("58", "多式联运和运输代理业"), ("59", "装卸搬运和仓储业"), ("65", "软件和信息技术服务业")],
)  # fmt: skip
def test_names_of_the_edition_of_2017(code: str, name: str) -> None:
    assert {code: name}.items() <= {
        key: value for section in sections() for key, value in section.divisions.items()
    }.items()


@pytest.mark.parametrize("code", ["0111", "1310", "4390", "9700", "２７１０", " 2710 "])
def test_a_code_of_a_known_division_is_taken(code: str) -> None:
    assert problem_of_industry_code(code) is None


@pytest.mark.parametrize("code", ["0011", "9800", "271", "27100", "C27", "C2710", "", "27.1"])
def test_any_other_is_doubtful(code: str) -> None:
    assert problem_of_industry_code(code)


def test_the_section_of_a_code() -> None:
    assert [section_of(code) for code in ("1200", "1310", "4390", "4400", "9800", "")] == [
        "B",
        "C",
        "C",
        "D",
        None,
        None,
    ]
