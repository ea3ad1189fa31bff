"""Days by which something is due, counted in working days of the People's Republic (工作日)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from xlcalc.errors import InputError
from xlcalc.values.dates import chinese_date

_LONGEST = 250


@dataclass(frozen=True)
class Deadline:
    """The last day, itself included; ``warning``: why a person must look at it again, "" where nothing is open."""

    day: date
    warning: str = ""

    def __str__(self) -> str:
        return chinese_date(self.day)


def after_working_days(start: date, days: int) -> Deadline:
    """The last of so many working days after a day that itself does not count (民法典第二百零一条).

    Public holidays and the working days exchanged for them are those published for the year; where a year is not
    published yet, Saturdays and Sundays alone are left out and the result warns. Raises InputError ``E-WORKING-DAYS``
    for less than 1 or more than 250.
    """
    if not 1 <= days <= _LONGEST:
        raise InputError("E-WORKING-DAYS", f"工作日数 {days} 不在1到{_LONGEST}之间", remedy="请核对天数")
    day, unpublished = start, set[int]()
    while days:
        day += timedelta(1)
        published = _published(day)
        if published is None:
            unpublished.add(day.year)
        days -= day.weekday() < 5 if published is None else published
    return Deadline(day, _said(unpublished))


def fixed(day: date) -> Deadline:
    """A day that someone set; warns where it is no working day, so that a period ends later (民法典第二百零三条)."""
    published = _published(day)
    if published is None:
        weekend = "，且为周末" if day.weekday() >= 5 else ""
        return Deadline(day, _said({day.year}) + weekend)
    return Deadline(day, "" if published else f"{chinese_date(day)}不是工作日，请核对")


def _said(years: set[int]) -> str:
    if not years:
        return ""
    return f"{'、'.join(map(str, sorted(years)))}年的节假日安排尚未公布或未收录，只按周末推算，请核对"


def _published(day: date) -> bool | None:
    """Whether a day is a working day by the published arrangement; None for a year that has none."""
    import chinese_calendar

    is_workday: Callable[[date], bool] = chinese_calendar.is_workday
    try:
        return is_workday(day)
    except NotImplementedError:
        return None
