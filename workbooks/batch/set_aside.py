"""Result workbooks that a run would write over and did not write itself: they stay, under another name, and it is said.

Somebody may have typed into a result, and a run over another folder may have written one of the same name. What lies
there is moved before the files are worked on, and what turns out to be the same as the new result goes again.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from workbooks.batch.tasks import FileResult, Task, shown


class Written(NamedTuple):
    """What a run has put into a result: the hash of its bytes, and the file it was computed from."""

    sha256: str
    source: str


class _Moved(NamedTuple):
    place: Path
    kept: Path
    why: str


class SetAside:
    """The results moved in one run. written: what the last run that wrote a result has put there."""

    def __init__(self, written: Callable[[Path], Written | None]) -> None:
        self._written = written
        self._moved: dict[str, list[_Moved]] = {}

    def before(self, tasks: Iterable[Task]) -> None:
        """Moves what lies where the results of these files will be written."""
        for task in tasks:
            for place in _places(task.target):
                # What cannot be moved cannot be written over either, and is told then.
                with contextlib.suppress(OSError):
                    self._look(task, place)

    def _look(self, task: Task, place: Path) -> None:
        if place.is_symlink() or not place.is_file():
            return
        known = self._written(place)
        altered = known is None or hashlib.sha256(place.read_bytes()).hexdigest() != known.sha256
        if known is None:
            mark, why = "此前的", "不是上次运行写下的"
        elif altered:
            mark, why = "改动过", "在上次运行之后有人改动过"
        elif known.source != source_of(task.path):
            mark, why = "此前的", f"是由另一个文件（{known.source}）核算的"
        else:
            return
        kept = _free(place, mark)
        place.replace(kept)
        self._moved.setdefault(shown(task.path), []).append(_Moved(place, kept, why))

    def after(self, result: FileResult) -> None:
        """Says in a result what was moved for it; what is the same as the new one, or has none, is as it was."""
        for place, kept, why in self._moved.pop(result.path, ()):
            with contextlib.suppress(OSError):
                if not place.exists():
                    kept.replace(place)
                elif place.read_bytes() == kept.read_bytes():
                    kept.unlink()
                else:
                    message = (
                        f"原有的同名结果文件{why}，没有覆盖，已另存为“{kept.name}”；本次的结果写入原名。请核对后处理"
                    )
                    result.findings.append(_finding(message))

    def end(self) -> None:
        """What was moved for files that were not come to goes back."""
        for place, kept, _ in (moved for each in self._moved.values() for moved in each):
            with contextlib.suppress(OSError):
                if not place.exists():
                    kept.replace(place)
        self._moved = {}


def source_of(path: Path | str) -> str:
    """A file as it is known from run to run, wherever the program is started."""
    # Not resolved: where a link leads may change.
    return str(Path(shown(path)).absolute())


def _places(target: Path | None) -> list[Path]:
    """Where a result may be written: one with other macros than ours becomes a fresh .xlsx."""
    if target is None:
        return []
    return [target, target.with_suffix(".xlsx")] if target.suffix.lower() == ".xlsm" else [target]


def _free(place: Path, mark: str) -> Path:
    stem, number = f"{place.stem}（{mark}，{date.today().isoformat()}", 2
    kept = place.with_name(f"{stem}）{place.suffix}")
    while kept.exists():
        kept, number = place.with_name(f"{stem}，{number}）{place.suffix}"), number + 1
    return kept


def _finding(message: str) -> dict[str, Any]:
    return {"code": "E-RESULT-KEPT", "severity": "warn", "clause": None, "message": message, "where": None}
