"""What a run is made of: its options, its tasks in a fixed order, and what became of each file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".et", ".ods", ".csv")
RESULT_MARK = "（核算结果）"
REPORT_NAME, JSONL_NAME = "运行报告.xlsx", "results.jsonl"


@dataclass(frozen=True)
class Options:
    """How a run is done. seconds: wall time a file may take; megabytes: memory a worker may take."""

    engine: str = "direct"
    on: date | None = None
    choices: tuple[tuple[str, str], ...] = ()
    jobs: int = 0
    seconds: float = 60.0
    megabytes: int = 2048

    @property
    def workers(self) -> int:
        """How many child processes to use."""
        return self.jobs or max(1, min(os.cpu_count() or 1, 8))


@dataclass(frozen=True)
class Task:
    """One workbook and where its result goes (None: only checked). evaluated: an engine's values, if any."""

    path: Path
    target: Path | None
    evaluated: Any = None


@dataclass
class FileResult:
    """What became of one file: state ``done``, ``refused`` or ``failed``; outcomes and findings as in the JSON."""

    path: str
    output: str | None
    state: str
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def blocking(self) -> bool:
        """Whether someone has to act before this file counts."""
        own = any(finding["severity"] == "block" for finding in self.findings)
        return own or any(f["severity"] == "block" for outcome in self.outcomes for f in outcome["findings"])

    def as_dict(self) -> dict[str, Any]:
        """The file's entry in ``xlcalc.run/1``."""
        names = ("path", "output", "state", "outcomes", "findings")
        return {name: getattr(self, name) for name in names}


def hold_back_doubles(results: Sequence[FileResult]) -> None:
    """One enterprise in two files of a run is paid in neither: a finding in each, and no payable amount."""
    places: dict[tuple[str, str], list[tuple[FileResult, dict[str, Any]]]] = {}
    for result in results:
        for outcome in result.outcomes:
            if outcome["uscc"] or outcome["name"]:
                key = (outcome["policy"], outcome["uscc"] or outcome["name"])
                places.setdefault(key, []).append((result, outcome))
    for (_, enterprise), found in places.items():
        files = list(dict.fromkeys(Path(result.path).name for result, _ in found))
        if len({result.path for result, _ in found}) < 2:
            continue
        for result, outcome in found:
            if outcome["status"] == "determined":
                outcome["status"], outcome["payable"] = "not_determined", None
            message = f"“{enterprise}”在本次运行的多个文件中出现：{'、'.join(files)}。未计入可拨付合计，请只保留一份"
            finding = {
                "code": "E-DOUBLE-FILE", "severity": "block", "clause": None,
                "message": message, "where": outcome["where"],
            }  # fmt: skip
            if finding not in result.findings:
                result.findings.append(finding)


def find_tasks(paths: Sequence[Path], outdir: Path | None) -> list[Task]:
    """Every spreadsheet below the given paths, in a fixed order; earlier results and reports are left out."""
    folders = [path for path in paths if path.is_dir()]
    tasks = []
    seen: set[Path] = set()
    taken: set[Path] = set()
    for path in paths:
        prefix = Path(path.resolve().name) if path.is_dir() and len(folders) > 1 else Path()
        for found in _spreadsheets(path, outdir) if path.is_dir() else [path]:
            if found.absolute() in seen:
                continue
            seen.add(found.absolute())
            inside = prefix / found.relative_to(path).parent if path.is_dir() else Path()
            target = _free_name(outdir / inside, found, taken) if outdir else None
            tasks.append(Task(found, target))
    return tasks


def _free_name(folder: Path, found: Path, taken: set[Path]) -> Path:
    """A name no other result has, whatever its suffix: a file with macros may get its result in a fresh .xlsx."""
    name, number = found.stem, 2
    while folder / name in taken:
        name, number = f"{found.stem}-{number}", number + 1
    if found.suffix.lower() in (".xlsx", ".xlsm"):
        taken.add(folder / name)
    return folder / f"{name}{RESULT_MARK}{found.suffix}"


def _spreadsheets(folder: Path, outdir: Path | None) -> Iterator[Path]:
    skipped = outdir.resolve() if outdir else None
    for base, names, files in os.walk(folder, followlinks=False):
        here = Path(base)
        names[:] = sorted(name for name in names if (here / name).resolve() != skipped)
        for name in sorted(files):
            ours = RESULT_MARK in name or name == REPORT_NAME
            if name.lower().endswith(SUFFIXES) and not ours:
                yield here / name
