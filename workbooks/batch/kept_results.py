"""The results of a run kept as text in a database on the disk, so that a run of any size takes little memory."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from workbooks.batch.failures import stopped
from workbooks.batch.results import as_json
from workbooks.batch.tasks import CHUNK, FileResult, Task, shown

CHUNK_SECONDS = 1.0
FILES = (
    "CREATE TABLE IF NOT EXISTS file (path TEXT PRIMARY KEY, sha256 TEXT, template TEXT, packs TEXT NOT NULL,"
    " state TEXT NOT NULL, output TEXT, output_sha256 TEXT, findings TEXT NOT NULL, seconds REAL NOT NULL,"
    " finished TEXT NOT NULL, brief TEXT NOT NULL, outcomes BLOB NOT NULL)"
)
"""The table of the files of a run, a line each."""
Rows = tuple[str, Sequence[tuple[Any, ...]]]
"""A statement, and the rows it is done with."""


class Kept:
    """The results in one database.

    ``resumed``: how many stood before. ``unfinished``: how many are of a run that was not ended and is begun anew.
    """

    _base: sqlite3.Connection
    _what = "运行记录"

    def __init__(self) -> None:
        self.resumed = self.unfinished = 0
        self._held: list[tuple[Any, ...]] = []
        self._since = time.monotonic()

    def standing(self, tasks: Sequence[Task]) -> set[Path]:  # noqa: ARG002 - see Journal
        """The files that need not be worked on again."""
        return set()

    def results(self, tasks: Sequence[Task]) -> Iterator[FileResult]:
        """What is on record of some tasks, one after another, as it was noted."""
        self.commit()
        for task in tasks:
            path = shown(task.path)
            row = self._base.execute(
                "SELECT sha256, template, packs, state, output, output_sha256, findings, seconds, brief"
                " FROM file WHERE path = ?", (path,),
            ).fetchone()  # fmt: skip
            yield FileResult.kept(
                partial(self._lines_of, path), row[8], path=path, sha256=row[0], template=row[1],
                packs=json.loads(row[2]), state=row[3], output=row[4], output_sha256=row[5],
                findings=json.loads(row[6]), seconds=row[7],
            )  # fmt: skip

    def _lines_of(self, path: str) -> bytes:
        lines: bytes = self._base.execute("SELECT outcomes FROM file WHERE path = ?", (path,)).fetchone()[0]
        return lines

    def recording(self, progress: Callable[[FileResult], None]) -> Callable[[FileResult], None]:
        """The same progress, each result noted first."""

        def noted(result: FileResult) -> None:
            self.add(result)
            progress(result)

        return noted

    def forget(self, paths: Iterable[str]) -> None:
        """Takes results off the record: they are to be made again."""
        self.commit()
        self._write(("DELETE FROM file WHERE path = ?", [(path,) for path in paths]))

    def add(self, result: FileResult) -> None:
        """Notes a result; it is on the disk after the next ``commit``, which comes by itself in time."""
        lines, brief = result.texts
        self._held.append((
            result.path, result.sha256, result.template, as_json(result.packs), result.state, result.output,
            result.output_sha256, as_json(result.findings), result.seconds, now(), brief, lines,
        ))  # fmt: skip
        if len(self._held) >= CHUNK or time.monotonic() - self._since >= CHUNK_SECONDS:
            self.commit()

    def commit(self) -> None:
        """One transaction for all results noted since the last."""
        if self._held:
            noted = f"INSERT OR REPLACE INTO file VALUES ({', '.join('?' * 12)})", self._held
            self._write(noted, *self._noted_besides())
        self._held = []
        self._since = time.monotonic()

    def _noted_besides(self) -> tuple[Rows, ...]:
        """What else is noted of the results held."""
        return ()

    def _write(self, *noted: Rows) -> None:
        try:
            self._base.execute("BEGIN IMMEDIATE")
            for statement, rows in noted:
                self._base.executemany(statement, rows)
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            raise stopped(f"{self._what}写不进去（{error}）") from None


class Scratch(Kept):
    """Those of a run without a folder for results: in the system's temporary folder, gone with the run.

    Raises WorkbookError ``E-STOPPED`` when there is no room.
    """

    _what = "临时文件夹"

    def __enter__(self) -> Scratch:
        # Without a name: what does not fit into a little memory goes to a file that no one else can open.
        self._base = sqlite3.connect("", isolation_level=None)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute(FILES)
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()


def now() -> str:
    """The time of the clock, with its zone."""
    return datetime.now().astimezone().isoformat(timespec="seconds")
