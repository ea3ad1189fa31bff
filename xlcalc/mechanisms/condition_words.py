"""What a condition demands, in Chinese: for the list of inputs and the hint beside an input cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xlcalc.facts import Fact, catalogue, fact
from xlcalc.mechanisms.comparisons import COMPARISONS, describe_comparison
from xlcalc.mechanisms.look_back import length_words
from xlcalc.mechanisms.measures import describe_window
from xlcalc.mechanisms.text_tests import describe_text
from xlcalc.values.dates import chinese_date
from xlcalc.values.levels import LABELS

_JOINED = {"all_of": "且", "any_of": "或", "none_of": "或"}
_SAYS = {"is_true": "：是", "attested": "：是", "is_false": "：否", "filled": "：须填写"}
_SIGNS = {"at_least": "不低于", "at_most": "不超过", "count_at_least": "数量不少于", "sum_is": "=", "sum_within": "≤"}


def describe(test: Mapping[str, Any], columns: Mapping[str, Fact] | None = None) -> str:
    """The demand of a compiled test; ``columns``: those of the table whose rows it is about."""
    ((kind, body),) = test.items()
    if kind in _JOINED:
        joined = f" {_JOINED[kind]} ".join(describe(part, columns) for part in body)
        return f"不属于（{joined}）" if kind == "none_of" else f"（{joined}）"
    if kind in COMPARISONS:
        return describe_comparison(kind, body)
    if kind in ("each_row", "any_row"):
        table = fact(body["table"])
        return f"{table.label}{'每一行' if kind == 'each_row' else '至少一行'}：{describe(body['test'], table.columns)}"
    known = {**catalogue(), **(columns or {})}
    if kind in ("same", "not_above"):
        first, second = (known[name].label for name in body)
        return f"{first}与{second}一致" if kind == "same" else f"{first}不大于{second}"
    if kind in ("sum_is", "sum_within"):
        return f"{' + '.join(known[name].label for name in body['parts'])} {_SIGNS[kind]} {known[body['whole']].label}"
    return _describe_one(kind, body, known)


def _describe_one(kind: str, body: Any, known: Mapping[str, Fact]) -> str:
    """The demand of a test about one fact."""
    about = known[body if isinstance(body, str) else body["fact"]]
    if kind in _SAYS:
        return f"{about.label}{_SAYS[kind]}"
    if kind == "text":
        return describe_text(body, about.label)
    if kind == "listed_in":
        return f"{about.label}在{known[body['table']].label}内"
    if kind == "one_of":
        return f"{about.label}属于：{'、'.join(about.options[code][0] for code in body['values'])}"
    if kind == "between_dates":
        return f"{about.label}{describe_window(body)}"
    if kind == "years_after":
        since = known[body["since_fact"]].label if "since_fact" in body else chinese_date(body["since"])
        return f"{about.label}距{since}满 {body['years']} 年"
    if kind == "last_year":
        return f"{about.label}为{known[body['of']].label}的上一年度"
    if kind == "looks_back":
        return f"{about.label}在{known[body['of']].label}前{length_words(body)}之内"
    value = LABELS[body["value"]] if about.type == "level" else about.show(body["value"])
    return f"{about.label}{_SIGNS[kind]}{value}"
