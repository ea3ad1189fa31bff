"""Holds a pack to its sources: each quote stands in the excerpt, each number stands in its quote."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from xlcalc.errors import PackError
from xlcalc.facts import catalogue
from xlcalc.values.dates import chinese_date, parse_date
from xlcalc.values.levels import LABELS
from xlcalc.values.text import squeeze

_SHARES = ("weight", "share", "rate", "upto", "threshold")
_AMOUNTS = ("amount", "cap", "revenue", "total_assets")
_NUMBERS = ("score", "scenes", "mandatory", "at_most", "at_least", "copies", "employees", "months", "years")
_HAN = "零一二三四五六七八九十"


def check_excerpts(documents: list[dict[str, Any]], folder: Path) -> None:
    """Raises PackError when an excerpt is missing or not the one that was recorded."""
    for row in documents:
        path = folder / row["excerpt"]
        where = f"document.{row['key']}"
        if not path.is_file():
            raise PackError(
                "E-PACK-EXCERPT", f"找不到摘录文件 {row['excerpt']}", where=where, remedy="请把摘录放在政策包旁边"
            )
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != row["source"]["sha256"]:
            raise PackError(
                "E-PACK-EXCERPT",
                f"摘录 {row['excerpt']} 与登记的校验值不符",
                where=where,
                remedy=f"现在的校验值为 {found}",
            )


def check_quotes(version: Mapping[str, Any], own: list[dict[str, Any]], folder: Path) -> None:
    """Raises PackError for a quote that is not in its excerpt, or a number that is not in its quote.

    own: the documents of this pack; clauses inherited from another were held to its excerpts there.
    """
    excerpts = {row["key"]: squeeze((folder / row["excerpt"]).read_text(encoding="utf-8")) for row in own}
    known = {row["key"] for row in version["document"]}
    quotes = {row["key"]: squeeze(row["quote"]) for row in version["clause"]}
    for row in version["clause"]:
        where = f"clause.{row['key']}"
        if row["document"] not in known:
            raise PackError(
                "E-PACK-DOCUMENT", f"没有登记文件“{row['document']}”", where=where, remedy="请在 [[document]] 中登记"
            )
        if row["document"] in excerpts and quotes[row["key"]] not in excerpts[row["document"]]:
            raise PackError("E-PACK-QUOTE", "引文与摘录原文不一致", where=where, remedy="请从摘录中逐字复制")
    _check_lookups(version, excerpts)
    issued = {row["key"]: row["issued"] for row in version["document"]}
    dated = {row["key"]: _with_years(quotes[row["key"]], issued[row["document"]]) for row in version["clause"]}
    for mechanism in version["mechanism"]:
        for clause, spellings, where in _numbers(mechanism, None, mechanism["key"]):
            if not any(_stands_in(squeeze(words), dated[clause]) for words in spellings):
                raise PackError(
                    "E-PACK-NUMBER",
                    f"数值“{spellings[0]}”不在所引条款“{clause}”的原文中",
                    where=where,
                    remedy="请核对数值或改引正确的条款",
                )


def _check_lookups(version: Mapping[str, Any], excerpts: Mapping[str, str]) -> None:
    """The entries of a list stand in the excerpt of the document whose list it is."""
    documents = {row["key"]: row["document"] for row in version["clause"]}
    for row in version["lookup"]:
        document = documents[row["clause"]]
        for entry in row["entry"] if document in excerpts else ():
            for words in (entry["label"], entry["group"], entry["words"]):
                if squeeze(words) not in excerpts[document]:
                    raise PackError(
                        "E-PACK-QUOTE", f"“{words[:20]}”不在摘录原文中",
                        where=f"lookup.{row['key']}.{entry['key']}", remedy="请从摘录中逐字复制",
                    )  # fmt: skip


def _with_years(quote: str, issued: str | None) -> str:
    """A day without a year is one of the year in which the document was issued."""
    return re.sub(r"(?<![年\d])(?=\d{1,2}月\d{1,2}日)", f"{issued[:4]}年", quote) if issued else quote


def _stands_in(words: str, quote: str) -> bool:
    """Whether the words stand in the quote as a number of their own: «5万元» is not in «35万元»."""
    before = r"(?<![\d.])" if words[:1].isdigit() else ""
    after = r"(?!\d|\.\d)" if words[-1:].isdigit() else ""
    return re.search(f"{before}{re.escape(words)}{after}", quote) is not None


def _numbers(data: Any, clause: str | None, where: str) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """(clause, the ways a document may write the number, place) for every value that decides a result."""
    if isinstance(data, list):
        for place, row in enumerate(data):
            name = row.get("key", row.get("level", place)) if isinstance(row, dict) else place
            yield from _numbers(row, clause, f"{where}.{name}")
    if not isinstance(data, dict):
        return
    clause = data.get("clause", clause)
    for key, value in data.items():
        at = f"{where}.{key}"
        if isinstance(value, dict | list):
            yield from _numbers(value, clause, at)
        elif clause and (spellings := _spellings(key, value, data)):
            yield clause, spellings, at


def _spellings(key: str, value: Any, row: Mapping[str, Any]) -> tuple[str, ...]:
    """The ways a document may write a value; none for what is no number or says «none»."""
    if key in ("first", "last", "since"):
        return _days("last" if key == "last" else "first", value if isinstance(value, date) else parse_date(value))
    words = _words(key, value, row)
    if words is None:
        return ()
    counted = {"copies": "份", "years": "年"}.get(key)
    return (words, _HAN[value] + counted) if counted and value < len(_HAN) else (words,)


def _days(end: str, day: date) -> tuple[str, ...]:
    """A day; an end of a month may stand as the month, and the start of all that follows as its year."""
    found = [chinese_date(day)]
    if (day if end == "first" else day + timedelta(1)).day == 1:
        found.append(f"{day.year}年{day.month}月份")
    if end == "first" and (day.month, day.day) == (1, 1):
        found.append(f"{day.year}年以来")
    return tuple(found)


def _words(key: str, value: Any, row: Mapping[str, Any]) -> str | None:
    """The value as a document writes numbers."""
    if key in _SHARES:
        return None if value in ("0%", "100%") else _share_words(str(value))
    if key in _AMOUNTS:
        return str(value)
    if key in _NUMBERS and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if key == "level" and isinstance(value, int):
        return LABELS[value]
    if key == "value":
        return _bound_words(value, row)
    return None


def _share_words(value: str) -> str:
    """Sources write a share with or without the sign; the number is what has to be there."""
    return value.removesuffix("%")


def _bound_words(value: Any, row: Mapping[str, Any]) -> str | None:
    known = catalogue().get(row.get("fact", ""))
    if known is not None and known.type == "level":
        return LABELS[int(value)]
    if isinstance(value, str) and (value.startswith("0") or value == "100%"):
        return None
    return str(value)
