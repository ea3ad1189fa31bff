"""The results of a run for machines: a JSON document a line, and a table whose text no spreadsheet runs."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from workbooks.batch.results import FileResult, as_json

MONEY_RESULTS = ("face_value", "reduction", "own_payment", "recognised_cost", "subsidy", "award")
_TEXT = (
    "file", "output", "template", "record", "where", "name", "uscc", "county", "industry", "policy", "version",
    "pack_hash", "status", "basis",
)  # fmt: skip
_COUNTS = ("maturity_level", "scenes_at_level", "mandatory_at_level")
COLUMNS = (
    *_TEXT, "score", *_COUNTS, *(f"{key}_fen" for key in MONEY_RESULTS), "payable_fen", "missing", "finding_codes",
    "file_finding_codes", "output_path",
)  # fmt: skip
_BESIDES = 20
"""Findings of a file as a whole that a line repeats."""
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")


class Lines:
    """``results.jsonl``: an outcome a line, with the file it is from.

    file_findings: what came to light of it beside the other files, and what was found of the file as a whole.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def add(self, result: FileResult) -> None:
        """The lines of one file."""
        head = b'{"file": ' + as_json(result.path).encode() + b", "
        later, of_file = found_besides(result)
        for line, own in zip(result.lines, later, strict=True):
            besides = [*own, *of_file[:_BESIDES]]
            told = b'"file_findings": ' + as_json(besides).encode() + b", " if besides else b""
            self._stream.write(head + told + line[1:] + b"\n")


class Table:
    """``results.csv``: an outcome a row, one type a column, so that it reads straight into Parquet or a database.

    UTF-8 with its mark; results by their path below outdir, money in whole fen, levels 0–4, lists joined by ``;``, an
    empty field for what is not known. finding_codes: what was found of this outcome and its enterprise;
    file_finding_codes: what was found of the file as a whole, the same in each of its rows. output_path: the result as
    a path from outdir that opens as it stands.
    A text that a spreadsheet could run begins with ``'``, and so does one that begins with ``'`` itself.
    """

    def __init__(self, stream: TextIO, outdir: Path) -> None:
        self._writer, self._outdir = csv.writer(stream, lineterminator="\r\n"), outdir
        self._writer.writerow(COLUMNS)

    def add(self, result: FileResult) -> None:
        """The rows of one file."""
        self._writer.writerows(_rows(self._outdir, result))


def _rows(outdir: Path, result: FileResult) -> Iterator[list[Any]]:
    output = below(outdir, result.output).replace(os.sep, "/") if result.output else None
    own = {"file": result.path, "output": output, "template": result.template}
    codes, of_file = _codes(result)
    for number, outcome in enumerate(result.brief):
        found = outcome["results"]
        texts = own | outcome
        yield [
            *(safe(texts.get(key)) for key in _TEXT),
            found.get("score"),
            *(found.get(key) for key in _COUNTS),
            *(_fen(found.get(key)) for key in MONEY_RESULTS),
            _fen(outcome["payable"]),
            ";".join(outcome["missing"]),
            ";".join(sorted(codes[number])),
            ";".join(sorted(of_file)),
            # No formula for a spreadsheet, and a path for a program.
            f"./{output}" if output else None,
        ]


def _codes(result: FileResult) -> tuple[list[set[str]], set[str]]:
    """The codes of what was found of each outcome and its record, and of the file as a whole."""
    later, of_file = found_besides(result)
    return [
        {finding["code"] for finding in (*outcome["findings"], *own)} | set(outcome.get("record_codes", {}))
        for outcome, own in zip(result.brief, later, strict=True)
    ], {finding["code"] for finding in of_file}


def found_besides(result: FileResult) -> tuple[list[list[dict[str, Any]]], list[dict[str, Any]]]:
    """What came to light of each outcome after its record was read, and what was found of the file as a whole.

    A file's findings are those of its records too, and what came to light later at the place of one of them.
    """
    records = {(outcome["record"], outcome["where"]): outcome.get("record_codes", {}) for outcome in result.brief}
    left = Counter(finding["code"] for finding in result.findings)
    for own in records.values():
        left.subtract(own)
    whole: list[dict[str, Any]] = []
    later: dict[str, list[dict[str, Any]]] = {where: [] for _, where in records}
    for finding in result.findings:
        if left[finding["code"]] > 0:
            later.get(finding["where"], whole).append(finding)
    return [later[outcome["where"]] for outcome in result.brief], whole


def below(outdir: Path, output: str) -> str:
    """Where a result lies in the folder of the report."""
    head = f"{outdir}{os.sep}"
    return output.removeprefix(head) if output.startswith(head) else str(Path(output).relative_to(outdir))


def safe(value: Any) -> Any:
    """A text as a field no spreadsheet takes for a formula.

    >>> safe("=1+1"), safe("示例公司")
    ("'=1+1", '示例公司')
    """
    return f"'{value}" if isinstance(value, str) and value.lstrip(" \u200b\ufeff").startswith(_STARTS) else value


def _fen(money: Mapping[str, Any] | None) -> int | None:
    return money["fen"] if money else None
