"""Amounts as integer fen: read with their unit, rounded half-up, written in 元.

No float ever holds an amount. Text must name its unit; a bare number is accepted only through the
constructors that state the unit in their name.
"""

from __future__ import annotations

import re
from decimal import Decimal, DecimalException
from fractions import Fraction
from typing import NamedTuple

from xlcalc.errors import InputError
from xlcalc.values.text import normalise

MAX_FEN = 10**12  # 100亿元: far above any programme, small enough for exact spreadsheet arithmetic
_FEN_PER_UNIT = {"元": 100, "万元": 1_000_000, "万": 1_000_000}
_AMOUNT = re.compile(r"[¥￥]?\s*([+-]?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})(\.[0-9]{1,12})?\s*(元|万元|万)?")


class Money(NamedTuple):
    """An amount in whole fen."""

    fen: int

    @classmethod
    def from_yuan(cls, number: str | int | Decimal) -> Money:
        """An amount given in 元; more than two decimals is an error, never rounded away.

        >>> Money.from_yuan("166666.65")
        Money(fen=16666665)
        """
        return cls(_whole_fen(number, "元"))

    @classmethod
    def from_wan(cls, number: str | int | Decimal) -> Money:
        """An amount given in 万元.

        >>> Money.from_wan("35").yuan
        Decimal('350000.00')
        """
        return cls(_whole_fen(number, "万元"))

    @classmethod
    def parse(cls, text: object) -> Money:
        """An amount as text with its unit, ``50万元`` or ``500000.00元``.

        Raises InputError ``E-UNIT`` without a unit, ``E-MONEY`` for anything that is not an amount.

        >>> Money.parse("50万元") == Money.parse("５０0,000.00 元")
        True
        """
        if not isinstance(text, str):
            raise InputError(
                "E-UNIT", f"金额“{text}”没有单位，无法判断是元还是万元", remedy="请写成“50万元”或“500000.00元”"
            )
        match = _AMOUNT.fullmatch(normalise(text))
        if match is None:
            raise InputError("E-MONEY", f"“{text[:40]}”不是金额", remedy="请写成“50万元”或“500000.00元”")
        sign, whole, decimals, unit = match.groups()
        if unit is None:
            raise InputError(
                "E-UNIT", f"金额“{text[:40]}”没有单位，无法判断是元还是万元", remedy="请写成“50万元”或“500000.00元”"
            )
        return cls(_whole_fen(sign + whole.replace(",", "") + (decimals or ""), unit))

    @property
    def yuan(self) -> Decimal:
        """The amount in 元 with two decimals, exact."""
        return Decimal(self.fen).scaleb(-2)

    def __str__(self) -> str:
        """``1,000,000.00 元``, as explanations print it."""
        return f"{self.yuan:,.2f} 元"

    def as_dict(self) -> dict[str, int | str]:
        """The JSON form ``{"fen": …, "yuan": "…"}``."""
        return {"fen": self.fen, "yuan": f"{self.yuan:.2f}"}


def _whole_fen(number: str | int | Decimal, unit: str) -> int:
    try:
        fen = Decimal(number) * _FEN_PER_UNIT[unit]
    except DecimalException:
        fen = Decimal("NaN")
    if not fen.is_finite():
        raise InputError("E-MONEY", f"“{str(number)[:40]}”不是金额", remedy="请填写数字")
    if fen != fen.to_integral_value():
        raise InputError("E-MONEY", f"金额“{number}{unit}”不足一分的部分无法入账", remedy="请精确到分填写")
    if abs(fen) > MAX_FEN:
        raise InputError(
            "E-MONEY", f"金额“{number}{unit}”超过100亿元，超出本工具的计算范围", remedy="请核对单位是元还是万元"
        )
    return int(fen)


def round_half_up(amount: Fraction) -> int:
    """The nearest whole fen, halves away from zero (四舍五入).

    >>> round_half_up(Fraction(5, 2)), round_half_up(Fraction(-5, 2))
    (3, -3)
    """
    sign = -1 if amount < 0 else 1
    return sign * int((2 * abs(amount.numerator) + amount.denominator) // (2 * amount.denominator))


def parse_share(text: str) -> Fraction:
    """A share written as the documents write it, ``70%``, or as a fraction, ``1/14``.

    Raises ValueError for anything else.

    >>> parse_share("70%"), parse_share("1/14")
    (Fraction(7, 10), Fraction(1, 14))
    """
    if text.endswith("%"):
        return Fraction(Decimal(text[:-1])) / 100
    numerator, slash, denominator = text.partition("/")
    if not slash:
        raise ValueError(f"not a share: {text!r}")
    return Fraction(int(numerator), int(denominator))


def percent(share: Fraction) -> str:
    """A share as explanations print it.

    >>> percent(Fraction(7, 10)), percent(Fraction(1, 14))
    ('70%', '1/14')
    """
    hundredfold = share * 100
    if hundredfold.denominator == 1:
        return f"{hundredfold.numerator}%"
    decimal = Decimal(hundredfold.numerator) / Decimal(hundredfold.denominator)
    exact = Fraction(decimal) == hundredfold and -decimal.as_tuple().exponent <= 4  # type: ignore[operator]
    return f"{decimal}%" if exact else f"{share.numerator}/{share.denominator}"
