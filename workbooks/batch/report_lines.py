"""The results of a run for machines: a JSON document a line, and a table whose text no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbooks.batch.tasks import FileResult

MONEY_RESULTS = ("face_value", "reduction", "own_payment", "recognised_cost", "subsidy", "award")
_TEXT = (
    "file", "output", "template", "record", "where", "name", "uscc", "county", "industry", "policy", "version",
    "pack_hash", "status", "basis",
)  # fmt: skip
_COUNTS = ("maturity_level", "scenes_at_level", "mandatory_at_level")
COLUMNS = (
    *_TEXT, "score", *_COUNTS, *(f"{key}_fen" for key in MONEY_RESULTS), "payable_fen", "missing", "finding_codes",
)  # fmt: skip
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")


def jsonl(results: Sequence[FileResult]) -> bytes:
    """``results.jsonl``: an outcome a line, with the file it is from."""
    return "".join(
        json.dumps({"file": result.path, **outcome}, ensure_ascii=False) + "\n"
        for result in results
        for outcome in result.outcomes
    ).encode()


def table(outdir: Path, results: Sequence[FileResult]) -> bytes:
    """``results.csv``: an outcome a row, one type a column, so that it reads straight into Parquet or a database.

    UTF-8 with its mark; results by their path below outdir, money in whole fen, levels 0–4, lists joined by ``;``, an
    empty field for what is not known.
    A text that a spreadsheet could run begins with ``'``, and so does one that begins with ``'`` itself.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(outdir, results))
    return stream.getvalue().encode("utf-8-sig")


def _rows(outdir: Path, results: Sequence[FileResult]) -> Iterator[list[Any]]:
    for result in results:
        output = Path(result.output).relative_to(outdir).as_posix() if result.output else None
        own = {"file": result.path, "output": output, "template": result.template}
        codes = [finding["code"] for finding in result.findings]
        for outcome in result.outcomes:
            found = outcome["results"]
            yield [
                *(safe({**own, **outcome}.get(key)) for key in _TEXT),
                found.get("score"),
                *(found.get(key) for key in _COUNTS),
                *(_fen(found.get(key)) for key in MONEY_RESULTS),
                _fen(outcome["payable"]),
                ";".join(outcome["missing"]),
                ";".join(sorted({*codes, *(finding["code"] for finding in outcome["findings"])})),
            ]


def safe(value: Any) -> Any:
    """A text as a field no spreadsheet takes for a formula.

    >>> safe("=1+1"), safe("示例公司")
    ("'=1+1", '示例公司')
    """
    return f"'{value}" if isinstance(value, str) and value.lstrip(" \u200b\ufeff").startswith(_STARTS) else value


def _fen(money: Mapping[str, Any] | None) -> int | None:
    return money["fen"] if money else None
