"""The shapes of the tests a pack may write; conditions.py decides them."""

from __future__ import annotations

from datetime import date
from typing import NotRequired

from typing_extensions import TypedDict

from xlcalc.mechanisms.comparisons import MeasuredBound, RatioBound
from xlcalc.mechanisms.look_back import LookBack
from xlcalc.mechanisms.measures import Measure
from xlcalc.mechanisms.text_tests import TextTest


class Bound(TypedDict):
    """A fact and the value it is compared with: level, count, or amount with its unit."""

    fact: str
    value: int | str


class Membership(TypedDict):
    """A fact and the option codes among which it must be; of several ticked, one is enough."""

    fact: str
    values: list[str]


class Listed(TypedDict):
    """A text or code and the table column in which it must stand."""

    fact: str
    table: str
    column: str


class Sum(TypedDict):
    """Facts of one kind and the fact that is their sum."""

    parts: list[str]
    whole: str


class Window(TypedDict):
    """A date and its window, both ends inclusive; an end may be a fact that is a parameter."""

    fact: str
    first: NotRequired[date | str]
    last: NotRequired[date | str]
    first_fact: NotRequired[str]
    last_fact: NotRequired[str]


class Elapsed(TypedDict):
    """A date not before so many full years have passed since another day, which may be a fact."""

    fact: str
    since: NotRequired[date | str]
    since_fact: NotRequired[str]
    years: int


class YearBefore(TypedDict):
    """A fact that is a year, and the date of whose preceding calendar year it must be (上一年度)."""

    fact: str
    of: str


class Rows(TypedDict):
    """A test that every row of a table, or one of them, must meet: its facts are the columns, then those outside."""

    table: str
    test: Test


class Test(TypedDict):
    """Exactly one key: the kind of the test."""

    is_true: NotRequired[str]
    is_false: NotRequired[str]
    attested: NotRequired[str]
    filled: NotRequired[str]
    text: NotRequired[TextTest]
    at_least: NotRequired[Bound]
    at_most: NotRequired[Bound]
    one_of: NotRequired[Membership]
    between_dates: NotRequired[Window]
    count_at_least: NotRequired[Bound]
    measured_at_least: NotRequired[MeasuredBound]
    measured_at_most: NotRequired[MeasuredBound]
    measured_same: NotRequired[list[Measure]]
    measured_not_above: NotRequired[list[Measure]]
    ratio_at_least: NotRequired[RatioBound]
    same: NotRequired[list[str]]
    not_above: NotRequired[list[str]]
    sum_is: NotRequired[Sum]
    sum_within: NotRequired[Sum]
    listed_in: NotRequired[Listed]
    years_after: NotRequired[Elapsed]
    last_year: NotRequired[YearBefore]
    looks_back: NotRequired[LookBack]
    each_row: NotRequired[Rows]
    any_row: NotRequired[Rows]
    all_of: NotRequired[list[Test]]
    any_of: NotRequired[list[Test]]
    none_of: NotRequired[list[Test]]
