"""What a run is made of: its options, and its tasks in a fixed order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbooks.batch.results import FileResult as FileResult
from workbooks.batch.results import hold_back_doubles as hold_back_doubles

if TYPE_CHECKING:
    from workbooks.ledger.runs import Beside

SUFFIXES = (
    ".xlsx", ".xlsm", ".xls", ".xlsb", ".xltx", ".xltm", ".xlt", ".et", ".ett", ".wps", ".ods", ".fods", ".csv",
    ".zip", ".rar", ".7z",
)  # fmt: skip
"""What is taken for a submission: tables, and what a table may have been packed or saved into by mistake."""
RESULT_MARK = "（核算结果）"
REPORT_NAME, JSONL_NAME, TABLE_NAME, RECORDS_NAME = "运行报告.xlsx", "results.jsonl", "results.csv", "运行记录"

CHUNK = 20
"""Files handed to a worker at once."""

_INVISIBLE = re.compile("[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)")
_LONGEST_NAME = 170
_INDUSTRIES = ("industry", "cover_industry", "listed_industry")


@dataclass(frozen=True)
class Options:
    """How a run is done: the budget of one file, and how much a file may hold.

    seconds: wall time; cpu_seconds: processor time; megabytes: memory of the process that works on it.
    limits: pairs of a name of ``prescan.Limits`` and a number, before those of the template.
    ledger: what says what was had before, if anything does.
    """

    engine: str = "direct"
    on: date | None = None
    choices: tuple[tuple[str, str], ...] = ()
    jobs: int = 0
    seconds: float = 60.0
    megabytes: int = 2048
    cpu_seconds: float = 60.0
    limits: tuple[tuple[str, int], ...] = ()
    ledger: Beside | None = None

    @property
    def workers(self) -> int:
        """How many child processes to use."""
        return self.jobs or max(1, min(os.cpu_count() or 1, 8))


@dataclass(frozen=True)
class Task:
    """One workbook and where its result goes (None: only checked). evaluated: an engine's values, if any.

    known: what a ledger elsewhere knows of the enterprises in it, see ``workbooks.ledger.carried``.
    """

    path: Path
    target: Path | None
    evaluated: Any = None
    known: Any = None


def lock_marks(path: Path) -> list[Path]:
    """What Excel, WPS and LibreOffice put beside a file while someone has it open."""
    name = path.name
    return [path.with_name(mark) for mark in (f"~${name}", f".~{name}", f".~lock.{name}#")]


def whereabouts(facts: Mapping[str, Any]) -> dict[str, str | None]:
    """County and trade as the form has them, by which a report may group: their words, None where not given."""
    from xlcalc.facts import fact

    found = {}
    for key, names in (("county", ("county", "listed_county", "recommending_authority")), ("industry", _INDUSTRIES)):
        given = next((name for name in names if facts.get(name)), None)
        found[key] = fact(given).show(facts[given]) if given else None
    return found


@dataclass(frozen=True)
class Skipped:
    """A file or folder below the given paths that was not worked on, and why."""

    path: Path
    reason: str


def find_tasks(paths: Sequence[Path], outdir: Path | None) -> list[Task]:
    """Every spreadsheet below the given paths, in a fixed order; earlier results and reports are left out."""
    return survey(paths, outdir)[0]


def survey(paths: Sequence[Path], outdir: Path | None) -> tuple[list[Task], list[Skipped]]:
    """The same, and everything that was left out, with the reason: nothing is passed over in silence."""
    folders = [path for path in paths if path.is_dir()]
    tasks: list[Task] = []
    left: list[Skipped] = []
    seen: set[Path] = set()
    taken: set[str] = set()
    for path in paths:
        prefix = Path(path.resolve().name) if path.is_dir() and len(folders) > 1 else Path()
        for found in _walked(path, outdir) if path.is_dir() else [path]:
            if isinstance(found, Skipped):
                left.append(found)
                continue
            if found.absolute() in seen:
                continue
            seen.add(found.absolute())
            inside = prefix / found.relative_to(path).parent if path.is_dir() else Path()
            target = _free_name(outdir.joinpath(*map(safe_name, inside.parts)), found, taken) if outdir else None
            tasks.append(Task(found, target))
    return tasks, left


def shown(path: Path | str) -> str:
    """A path as text that can be printed and stored: bytes that are no UTF-8 appear as ``\\x..``, controls too."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def safe_name(name: str) -> str:
    """A name any system can write: without signs that Windows forbids or that hide, not reserved, not too long."""
    raw = os.fsencode(name)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("gbk", "replace")
    text = re.sub(r'[<>:"/\\|?*\ufffd]', "_", _INVISIBLE.sub("", text)).rstrip(". ")
    text = text.encode()[:_LONGEST_NAME].decode("utf-8", "ignore").rstrip(". ")
    return f"_{text}" if _RESERVED.match(text) or not text else text


def _free_name(folder: Path, found: Path, taken: set[str]) -> Path:
    """A name no other result has, whatever its suffix and case: a file with macros may get a fresh .xlsx."""
    stem = safe_name(found.stem)
    name, number = stem, 2
    while str(folder / name).casefold() in taken:
        name, number = f"{stem}-{number}", number + 1
    if found.suffix.lower() in (".xlsx", ".xlsm"):
        taken.add(str(folder / name).casefold())
    return folder / f"{name}{RESULT_MARK}{safe_name(found.suffix)}"


def _walked(folder: Path, outdir: Path | None) -> Iterator[Path | Skipped]:
    results = outdir.resolve() if outdir else None
    closed: list[Skipped] = []

    def unread(error: OSError) -> None:
        closed.append(Skipped(Path(error.filename), "文件夹读不出来（没有权限等）"))

    for base, names, files in os.walk(folder, onerror=unread, followlinks=False):
        here = Path(base)
        yield from (Skipped(here / name, "链接到别处的文件夹") for name in sorted(names) if (here / name).is_symlink())
        yield from (Skipped(here / name, "本系统的运行记录") for name in names if name == RECORDS_NAME)
        names[:] = sorted(name for name in names if name != RECORDS_NAME and (here / name).resolve() != results)
        for name in sorted(files):
            reason = _why_not(name)
            yield Skipped(here / name, reason) if reason else here / name
    yield from closed


def _why_not(name: str) -> str | None:
    if RESULT_MARK in name or name in (REPORT_NAME, JSONL_NAME, TABLE_NAME):
        return "本系统以前的结果"
    if name.startswith(".~lock.") and name.endswith("#"):
        return "打开文件时的临时锁文件"
    return None if name.lower().endswith(SUFFIXES) else "不是表格"
