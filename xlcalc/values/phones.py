"""联系方式: numbers checked under the area code of their city, kept as typed, and masked for the public."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from xlcalc.errors import InputError
from xlcalc.values.text import normalise

_BETWEEN = re.compile(r"[、,;/\n]+")
_EXTENSION = re.compile(r"(.*\d)\)?\s*(?:转|分机|ext\.?|x)\s*(\d{1,6})", re.IGNORECASE)
_HYPHENED_EXTENSION = re.compile(r"(.*?\d{7,8})-(\d{1,6})")
_AS_NUMBER = re.compile(r"\d+\.\d+(?:E\+?\d+)?|\d+E\+?\d+", re.IGNORECASE)
_SHAPE = re.compile(r"\+?[\d\s()-]+")
AREA = re.compile(r"0\d{2,3}")
# A run of digits as phones and identity cards are written; days and amounts have their own punctuation.
_RUN = re.compile(r"(?<![\dA-Za-z.,])\+?\(?\d(?:[\s()－—-]{0,2}\d){6,17}[Xx]?(?![\dA-Za-z])")
_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}")
# As official notices want files named: …推荐表+20250530.
_NAMED_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?!\d)")

Kind = Literal["mobile", "fixed", "service", "local"]


@dataclass(frozen=True, slots=True)
class Phone:
    """One number: ``typed`` as the person wrote it, ``e164`` for comparing, "" where only a local number is known."""

    typed: str
    e164: str
    extension: str
    kind: Kind


def read_phones(text: str, area: str | None = None) -> tuple[Phone, ...]:
    """The numbers in a cell, each one that can exist; the typed text is what is kept and printed.

    area: the city's code, such as ``0311``, put before a number of seven or eight digits for the check alone.
    Without it such a number is taken as it stands. Raises InputError ``E-PHONE`` for what is no number, has a wrong
    length for its area, or was turned into a number by a spreadsheet; ``E-AREA`` for a code that is none.

    >>> [phone.e164 for phone in read_phones("8600 0000、138-0000-0000", "0311")]
    ['+8631186000000', '+8613800000000']
    >>> read_phones("86000000")[0].kind, read_phones("0311-86000000转801")[0].extension
    ('local', '801')
    """
    if area is not None and not AREA.fullmatch(area):
        raise InputError("E-AREA", f"“{area[:10]}”不是区号", remedy="请写成 0 开头的3至4位数字，如 010")
    found = tuple(_read_one(part.strip(), area) for part in _BETWEEN.split(normalise(text)) if part.strip())
    if not found:
        raise InputError("E-PHONE", "没有号码", remedy="请填写手机号码，或带区号的固定电话")
    return found


@lru_cache(maxsize=1024)
def problem_of_phone(text: str, area: str | None = None) -> str | None:
    """Why a number is doubtful, in Chinese, or None.

    area: the city's code, under which a local number has to exist; without it such a number is taken as it stands.

    >>> problem_of_phone("8600000"), problem_of_phone("8600000", "0311") is None
    (None, False)
    >>> [problem_of_phone(text) for text in ("13800000000", "0311-86000000", "8600 0000", "400-800-0000")]
    [None, None, None, None]
    >>> problem_of_phone("") is None
    False
    """
    try:
        read_phones(text, area)
    except InputError as error:
        return error.message
    return None


def _read_one(typed: str, area: str | None) -> Phone:
    import phonenumbers
    from phonenumbers import PhoneNumberFormat, PhoneNumberType

    number, extension = _without_extension(typed)
    if _AS_NUMBER.fullmatch(number):
        raise _problem(typed, "像是被表格程序当作数字保存过", "请把单元格设为文本后重新填写")
    if not _SHAPE.fullmatch(number):
        raise _problem(typed, "不是电话号码", "一格只填号码，多个号码用顿号分开")
    digits = re.sub(r"\D", "", number)
    if _is_local(digits):
        if area is None:
            return Phone(typed, "", extension, "local")
        number = f"{area}{digits}"
    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:
        raise _problem(typed, "不是电话号码", "请填写手机号码，或带区号的固定电话") from None
    if not phonenumbers.is_valid_number(parsed):
        raise _problem(typed, "的位数或号段不对", "手机为11位；固定电话请核对区号和位数")
    kinds: dict[int, Kind] = {PhoneNumberType.MOBILE: "mobile", PhoneNumberType.FIXED_LINE: "fixed"}
    kind = kinds.get(phonenumbers.number_type(parsed), "service")
    return Phone(typed, phonenumbers.format_number(parsed, PhoneNumberFormat.E164), extension, kind)


def _is_local(digits: str) -> bool:
    """A subscriber's number never begins with 0, 1 or 9; what does is a prefix or a service."""
    return len(digits) in (7, 8) and digits[0] in "2345678"


def _without_extension(typed: str) -> tuple[str, str]:
    match = _EXTENSION.fullmatch(typed) or _HYPHENED_EXTENSION.fullmatch(typed)
    return (match[1], match[2]) if match else (typed, "")


def _problem(typed: str, what: str, remedy: str) -> InputError:
    # Messages reach logs and reports, so a number is shown only in part.
    return InputError("E-PHONE", f"“{mask_phones(typed[:30])}”{what}", remedy=remedy)


def mask_phones(text: str) -> str:
    """The text with every phone and identity number in it made unreadable, for what is shown to the public (公示).

    A mobile number keeps its first three and last four digits, any other its area code and last two.

    >>> mask_phones("示例联系人 13800001234，0311-86001234"), mask_phones("2025-05-31 第1000家")
    ('示例联系人 138****1234，0311-******34', '2025-05-31 第1000家')
    """
    return _RUN.sub(_masked, text)


def mask_phones_in_name(text: str) -> str:
    """The same for the name of a file or the number of a document, in which eight digits that are a day stay.

    >>> mask_phones_in_name("推荐表+20250530 13800001234.xlsx"), mask_phones_in_name("推荐表20251330.xlsx")
    ('推荐表+20250530 138****1234.xlsx', '推荐表******30.xlsx')
    """
    return "".join(part if _NAMED_DAY.fullmatch(part) else mask_phones(part) for part in _NAMED_DAY.split(text))


def _masked(match: re.Match[str]) -> str:
    if _DAY.fullmatch(match[0]):
        return match[0]
    run = normalise(match[0])
    digits = re.sub(r"\D", "", run)
    national = digits.removeprefix("0086").removeprefix("86") if len(digits) > 11 else digits
    if len(national) == 11 and national[0] == "1":
        return f"{national[:3]}****{national[-4:]}"
    area = re.match(r"(0\d{2,3})(?=\D)", run.lstrip("+("))
    return f"{area[1]}-******{digits[-2:]}" if area else f"******{digits[-2:]}"
