"""联系方式: what is a number under which area code, what was typed is kept, and nothing readable reaches the public."""

from __future__ import annotations

import pytest

from xlcalc.errors import InputError
from xlcalc.values.phones import mask_phones, read_phones


def test_a_local_number_is_valid_only_under_its_area_code() -> None:
    (phone,) = read_phones("86000000", "0311")
    assert (phone.typed, phone.e164, phone.kind) == ("86000000", "+8631186000000", "fixed")
    (alone,) = read_phones("86000000")
    assert (alone.typed, alone.e164, alone.kind) == ("86000000", "", "local")


def test_an_area_has_numbers_of_one_length() -> None:
    assert read_phones("4600000", "0471")[0].e164 == "+864714600000"
    for text, area in (("8600000", "0311"), ("86000000", "0632")):
        with pytest.raises(InputError, match="位数或号段不对"):
            read_phones(text, area)


@pytest.mark.parametrize(
    ("text", "e164", "kind"),
    [
        ("0311-86000000", "+8631186000000", "fixed"),
        ("（0311）86000000", "+8631186000000", "fixed"),
        ("０３１１－８６００００００", "+8631186000000", "fixed"),
        ("031186000000", "+8631186000000", "fixed"),
        ("13800000000", "+8613800000000", "mobile"),
        ("138 0000 0000", "+8613800000000", "mobile"),
        ("+86 138-0000-0000", "+8613800000000", "mobile"),
        ("400-000-0000", "+864000000000", "service"),
    ],
)
def test_one_number_in_the_ways_it_is_written(text: str, e164: str, kind: str) -> None:
    (phone,) = read_phones(text, "0632")
    assert (phone.e164, phone.kind) == (e164, kind)


@pytest.mark.parametrize("text", ["0311-86000000转801", "0311-86000000-801", "86000000 ext 801", "86000000分机801"])
def test_an_extension_is_kept_apart(text: str) -> None:
    (phone,) = read_phones(text, "0311")
    assert (phone.e164, phone.extension) == ("+8631186000000", "801")


def test_several_numbers_in_one_cell() -> None:
    assert [phone.typed for phone in read_phones("86000000、13800000000；0311-86000001", "0311")] == [
        "86000000", "13800000000", "0311-86000001",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1380000000", "位数或号段不对"),
        ("000-00000000", "位数或号段不对"),
        ("8.6000001E7", "当作数字保存"),
        ("86000000.0", "当作数字保存"),
        ("张三 86000000", "不是电话号码"),
        ("=1+1", "不是电话号码"),
        ("　", "没有号码"),
    ],
)
def test_what_is_no_number_is_said_in_chinese(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read_phones(text, "0311")
    assert caught.value.code == "E-PHONE" and says in caught.value.message and caught.value.remedy


def test_a_message_does_not_spell_a_number_out() -> None:
    with pytest.raises(InputError) as caught:
        read_phones("0311-8600000", "0311")
    assert "8600000" not in str(caught.value)


@pytest.mark.parametrize("area", ["311", "0", "03111", "abc"])
def test_an_area_code_is_checked(area: str) -> None:
    with pytest.raises(InputError) as caught:
        read_phones("86000000", area)
    assert caught.value.code == "E-AREA"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("13800001234", "138****1234"),
        ("+86 138 0000 1234", "138****1234"),
        ("138-0000-1234、86001234", "138****1234、******34"),
        ("0311-86001234", "0311-******34"),
        ("(0311)86001234", "0311-******34"),
        ("（0311）86001234", "（0311）******34"),
        ("示例13800001234有限公司", "示例138****1234有限公司"),
        ("１３８００００１２３４", "138****1234"),
        ("110000199001010010", "******10"),
        ("11000019900101001X", "******01"),
    ],
)
def test_numbers_are_masked(text: str, masked: str) -> None:
    assert mask_phones(text) == masked


@pytest.mark.parametrize(
    "text", ["2025-05-31", "1,000,000.00 元", "示例360企业有限公司", "91000000MA0000001R", "第12条"]
)
def test_what_is_no_phone_is_left(text: str) -> None:
    assert mask_phones(text) == text
