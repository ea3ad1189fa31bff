"""大写金额: amounts in words as the 正确填写票据和结算凭证的基本规定 (annex of 支付结算办法) write them."""

from __future__ import annotations

import re

from xlcalc.errors import InputError
from xlcalc.values.money import Money

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("仟", "佰", "拾", "")
_GROUPS = ("亿", "万", "")


def amount_in_words(amount: Money) -> str:
    """The amount as it is written on vouchers, exact to the fen; raises InputError for a negative one.

    Where the annex allows several spellings (万位 or 元位 is 0), the one it prints first.

    >>> amount_in_words(Money.from_yuan("1409.50")), amount_in_words(Money.from_yuan("107000.53"))
    ('壹仟肆佰零玖元伍角', '壹拾万柒仟元零伍角叁分')
    >>> amount_in_words(Money.from_yuan(350000)), amount_in_words(Money(0))
    ('叁拾伍万元整', '零元整')
    """
    if amount.fen < 0:
        raise InputError("E-NEGATIVE", f"金额 {amount} 为负数", remedy="请填写不小于0的金额")
    yuan, rest = divmod(amount.fen, 100)
    jiao, fen = divmod(rest, 10)
    if not rest:
        return (_whole(yuan) or "零") + "元整"
    words = f"{_whole(yuan)}元" if yuan else ""
    # A 零 shows that nothing was left out between 元 and what follows it.
    if yuan and (not jiao or yuan % 10 == 0):
        words += "零"
    return words + (f"{_DIGITS[jiao]}角" if jiao else "") + (f"{_DIGITS[fen]}分" if fen else "")


def _whole(number: int) -> str:
    """A whole number in groups of four digits; "" for 0."""
    groups = (number // 10**8, number // 10**4 % 10**4, number % 10**4)
    words, skipped = "", False
    for group, unit in zip(groups, _GROUPS, strict=True):
        if group:
            words += ("零" if words and (skipped or group < 1000) else "") + _four(group) + unit
        skipped = not group
    return words


def _four(group: int) -> str:
    """1 to 9999, without zeros at either end."""
    digits = f"{group:04d}"
    parts = [
        _DIGITS[int(digit)] + place if digit != "0" else "零" for digit, place in zip(digits, _PLACES, strict=True)
    ]
    return re.sub("零+", "零", "".join(parts)).strip("零")
