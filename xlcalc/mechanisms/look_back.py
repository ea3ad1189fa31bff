"""A stretch of time that ends on a day, such as 近三年 before the application: its first day, and its words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.values.dates import add_months, chinese_date


class LookBack(TypedDict):
    """A date within so many years or days up to the day ``of``.

    mode: ``rolling`` counts back from that day; ``calendar`` starts on 1 January of the year so many years before.
    """

    fact: str
    of: str
    years: NotRequired[int]
    days: NotRequired[int]
    mode: NotRequired[Literal["rolling", "calendar"]]


def stretch(body: Mapping[str, Any], day: date) -> tuple[date, date]:
    """First and last day, both inclusive.

    >>> stretch({"years": 3}, date(2025, 9, 30)), stretch({"days": 30}, date(2025, 9, 30))[0]
    ((datetime.date(2022, 10, 1), datetime.date(2025, 9, 30)), datetime.date(2025, 8, 31))
    >>> stretch({"years": 3, "mode": "calendar"}, date(2025, 9, 30))[0]
    datetime.date(2022, 1, 1)
    """
    if "days" in body:
        return day - timedelta(days=body["days"]), day
    if body.get("mode") == "calendar":
        return date(day.year - body["years"], 1, 1), day
    return add_months(day, -12 * body["years"]) + timedelta(days=1), day


def stretch_words(body: Mapping[str, Any], day: date) -> str:
    """``近3年：2022年10月1日至2025年9月30日``."""
    first, last = stretch(body, day)
    return f"{length_words(body)}：{chinese_date(first)}至{chinese_date(last)}"


def length_words(body: Mapping[str, Any]) -> str:
    """``近3年`` or ``近30天``."""
    return f"近{body['days']}天" if "days" in body else f"近{body['years']}年"


def check_look_back(body: Mapping[str, Any], where: str) -> None:
    """Raises PackError unless the length is said in one unit."""
    if ("years" in body) == ("days" in body) or ("days" in body and "mode" in body):
        remedy = "请只保留一个；mode 只用于 years"
        raise PackError("E-PACK-TEST", "须写明 years 或 days 之一", where=where, remedy=remedy)
