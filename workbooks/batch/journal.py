"""The record of a run, kept in the folder for results while it goes on: who is at work, and what is done already.

A file's line is written after its result is on the disk, many lines to one transaction, and no worker is given
another chunk before the lines of its last one stand. Whatever is killed, and whenever: a result that stands in the
record is whole, and the others, at most a chunk for each worker, are made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import socket
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from workbooks.batch.failures import stopped
from workbooks.batch.kept_results import FILES, Kept, Rows, now
from workbooks.batch.set_aside import SetAside, Written, source_of
from workbooks.batch.tasks import RECORDS_NAME, FileResult, Options, Skipped, Task, shown
from workbooks.files.package import read_file
from workbooks.files.writing import discard_temporaries, ensure_writable, io_reason, write_atomically
from xlcalc import __version__
from xlcalc.errors import WorkbookError, WorkbookRefused
from xlcalc.packs.registry import load_policy, policy_ids

DATABASE_NAME, LOG_NAME, HOLDER_NAME = "journal.sqlite", "日志.txt", "正在使用.txt"
_FORMAT = 2
_SETTINGS = ("locking_mode = EXCLUSIVE", "synchronous = EXTRA", "journal_mode = DELETE")
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS run (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL,"
    " conditions TEXT NOT NULL, started TEXT NOT NULL, finished TEXT)",
    FILES,
    "CREATE TABLE IF NOT EXISTS skipped (path TEXT PRIMARY KEY, reason TEXT NOT NULL)",
    # Of every run into the folder: what was put into a result, by its path below it.
    "CREATE TABLE IF NOT EXISTS written (output TEXT PRIMARY KEY, sha256 TEXT NOT NULL, source TEXT NOT NULL)",
)
_AGAIN = "请去掉 --resume 重新运行"
_CODE = re.compile(r"(?i)(?<![0-9A-Za-z])([0-9A-Z]{4})[0-9A-Z]{12,14}([0-9A-Z]{2})(?![0-9A-Za-z])")


class Journal(Kept):
    """The record in one folder for results; whoever holds it open keeps every other run out.

    resume: what the record says is done stays done, where input, result and conditions are as they were.
    skipped: what was left out of the run. ``resumed``: results that stood; ``unfinished``: those of a run that was
    not finished and is now begun anew. Raises WorkbookError ``E-IN-USE`` while another run holds the folder,
    ``E-RESUME`` when the run to go on with had other options, packs or another xlcalc, ``E-JOURNAL`` for a record
    that cannot be read, ``E-STOPPED`` when it can no longer be written.
    """

    def __init__(
        self, outdir: Path, options: Options, *, resume: bool = False, skipped: Sequence[Skipped] = ()
    ) -> None:
        self.folder = outdir / RECORDS_NAME
        super().__init__()
        self._outdir, self._options, self._resume, self._skipped = outdir, options, resume, skipped
        self._set_aside = SetAside(self._written)

    def __enter__(self) -> Journal:
        ensure_writable(self._outdir)
        ensure_writable(self.folder)
        database = self.folder / DATABASE_NAME
        self._base = self._opened(database)
        try:
            self._begin(database)
        except BaseException:
            self._base.close()
            raise
        discard_temporaries(self._outdir)
        holder = f"{socket.gethostname()}，进程 {os.getpid()}，{now()} 开始"
        with contextlib.suppress(OSError):
            write_atomically(self.folder / HOLDER_NAME, holder.encode())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            with contextlib.suppress(WorkbookError) if kind else contextlib.nullcontext():
                self.commit()
                self._set_aside.end()
                if kind is None:
                    self._write(("UPDATE run SET finished = ?", [(now(),)]))
                self._log()
        finally:
            with contextlib.suppress(OSError):
                (self.folder / HOLDER_NAME).unlink()
            self._base.close()

    def standing(self, tasks: Sequence[Task]) -> set[Path]:
        """The files that need not be worked on again: same input, and the output on the disk is the one recorded."""
        rows = self._base.execute(
            "SELECT path, sha256, state, output, output_sha256 FROM file WHERE state <> 'failed' AND sha256 IS NOT NULL"
        )
        recorded = {row[0]: row[1:] for row in rows} if self._resume else {}
        found = set()
        for task in tasks:
            digest, state, output, output_digest = recorded.get(shown(task.path), (None,) * 4)
            if digest is None or _hash_of(task.path) != digest:
                continue
            if state != "done" or _is_whole(output, output_digest, task):
                found.add(task.path)
        self.resumed = len(found)
        self.commit()
        self._set_aside.before(task for task in tasks if task.path not in found)
        return found

    def add(self, result: FileResult) -> None:
        """Notes a result; one that took the place of another's work says so."""
        self._set_aside.after(result)
        super().add(result)

    def _noted_besides(self) -> tuple[Rows, ...]:
        rows = [(self._below(row[5]), row[6], source_of(row[0])) for row in self._held if row[5] and row[6]]
        return (("INSERT OR REPLACE INTO written VALUES (?, ?, ?)", rows),)

    def _written(self, output: Path) -> Written | None:
        row = self._base.execute(
            "SELECT sha256, source FROM written WHERE output = ?", (self._below(output),)
        ).fetchone()  # fmt: skip
        return Written(*row) if row else None

    def _below(self, output: str | Path) -> str:
        return shown(os.path.relpath(output, self._outdir))

    def _opened(self, database: Path) -> sqlite3.Connection:
        try:
            return self._locked(database)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise self._unusable(error) from None
            if self._resume:
                raise WorkbookError(
                    "E-JOURNAL", "上次的运行记录已损坏，不能继续", where=str(database), remedy=_AGAIN
                ) from None
        # Not a database any more; and none that another run could hold.
        database.unlink()
        return self._locked(database)

    def _locked(self, database: Path) -> sqlite3.Connection:
        """The database, locked from here to its closing; the system frees it when the process ends, however it ends."""
        base = sqlite3.connect(database, timeout=0, isolation_level=None)
        try:
            for pragma in _SETTINGS:
                base.execute(f"PRAGMA {pragma}")
            base.execute("BEGIN EXCLUSIVE")
            base.execute("SELECT count(*) FROM sqlite_master")
            base.execute("COMMIT")
        except BaseException:
            base.close()
            raise
        return base

    def _unusable(self, error: sqlite3.OperationalError) -> WorkbookError:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            remedy = "请检查文件夹权限和磁盘空间；网络盘不支持文件锁的，请改用本机文件夹"
            return WorkbookError("E-IO", f"运行记录打不开（{error}）", where=str(self.folder), remedy=remedy)
        try:
            holder = (self.folder / HOLDER_NAME).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            holder = "另一次运行"
        remedy = "请等它结束，或用 -o 指定另一个文件夹"
        return WorkbookError("E-IN-USE", f"结果文件夹正在使用（{holder}）", where=str(self._outdir), remedy=remedy)

    def _begin(self, database: Path) -> None:
        """Goes on with the run that is recorded, or begins anew with an empty record."""
        conditions = json.dumps(conditions_of(self._options), ensure_ascii=False, sort_keys=True)
        try:
            held = self._recorded() if self._resume else None
            self.unfinished = 0 if self._resume else self._undone()
            if held is not None and held != (_FORMAT, conditions):
                message = "上次运行所用的选项、政策包或 xlcalc 版本与这次不同，不能继续"
                raise WorkbookError("E-RESUME", message, where=str(database), remedy=_AGAIN)
            self._base.execute("BEGIN IMMEDIATE")
            if held is None:
                for table in ("run", "file", "skipped"):
                    self._base.execute(f"DROP TABLE IF EXISTS {table}")
            for statement in _SCHEMA:
                self._base.execute(statement)
            if held is None:
                self._base.execute("INSERT INTO run VALUES (1, ?, ?, ?, NULL)", (_FORMAT, conditions, now()))
            self._base.execute("UPDATE run SET finished = NULL")
            self._base.execute("DELETE FROM skipped")
            rows = {shown(item.path): item.reason for item in self._skipped}
            self._base.executemany("INSERT INTO skipped VALUES (?, ?)", rows.items())
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            raise WorkbookError(
                "E-JOURNAL", f"运行记录不能使用（{error}）", where=str(database),
                remedy=_AGAIN if self._resume else "请检查磁盘空间，或删去“运行记录”文件夹后重新运行",
            ) from None  # fmt: skip

    def _recorded(self) -> tuple[int, str] | None:
        """Format and conditions of the run on record; None where there is none."""
        tables = {name for (name,) in self._base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "run" not in tables:
            return None
        row: tuple[int, str] | None = self._base.execute("SELECT format, conditions FROM run").fetchone()
        return row

    def _undone(self) -> int:
        """Files on record of a run that was not finished; whatever else the record holds is nobody's any more."""
        with contextlib.suppress(sqlite3.Error):
            counting = "SELECT count(*) FROM file WHERE (SELECT finished FROM run) IS NULL"
            return int(self._base.execute(counting).fetchone()[0])
        return 0

    def _log(self) -> None:
        """Writes 日志.txt from the record: a line a file, without full phone numbers or codes."""
        lines = []
        for path, state, findings, seconds, when in self._base.execute(
            "SELECT path, state, findings, seconds, finished FROM file ORDER BY path"
        ):
            codes = sorted({finding["code"] for finding in json.loads(findings)})
            lines.append(f"{when} {state} {seconds:.2f} 秒 {masked(path)} {' '.join(codes)}".rstrip())
        for path, reason in self._base.execute("SELECT path, reason FROM skipped ORDER BY path"):
            lines.append(f"{now()} skipped {masked(path)} {reason}")
        try:
            write_atomically(self.folder / LOG_NAME, "".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            raise stopped(f"日志写不进去（{io_reason(error)}）") from None


def masked(text: str) -> str:
    """The text without full phone numbers and 统一社会信用代码 or identity numbers: fit for a log.

    >>> masked("91000000MA0000001R 联系 13800001234+20250530.xlsx")
    '9100************1R 联系 138****1234+20250530.xlsx'
    """
    from xlcalc.values.phones import mask_phones_in_name

    hidden = _CODE.sub(lambda found: f"{found[1]}{'*' * (len(found[0]) - 6)}{found[2]}", text)
    return mask_phones_in_name(hidden)


def conditions_of(options: Options) -> dict[str, Any]:
    """What has to be the same for two halves of a run to make one."""
    return {
        "xlcalc": __version__,
        "engine": options.engine,
        "on": options.on.isoformat() if options.on else None,
        "choices": dict(options.choices),
        "limits": dict(options.limits),
        **({"ledger": options.ledger.known_as} if options.ledger else {}),
        "packs": {policy: {item.id: item.hash for item in load_policy(policy).versions} for policy in policy_ids()},
    }


@lru_cache(maxsize=8)
def signature(options: Options) -> str:
    """What every machine of a run must have in common: version, packs and options."""
    return hashlib.sha256(json.dumps(conditions_of(options), sort_keys=True).encode()).hexdigest()


def _hash_of(path: Path) -> str | None:
    try:
        return _sha256(read_file(path))
    except WorkbookRefused:
        return None


def _is_whole(output: str | None, digest: str | None, task: Task) -> bool:
    """Whether the result on the disk is where this run would put it, and as it was written."""
    if output is None or task.target is None:
        return False
    path = Path(output)
    try:
        there = path in (task.target, task.target.with_suffix(".xlsx")) and path.is_file() and not path.is_symlink()
        return there and _sha256(path.read_bytes()) == digest
    except OSError:
        return False


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
