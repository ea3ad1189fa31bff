"""A watched folder and the ledger: what comes in is entered round by round, each file once."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from macros_bridge.ledger_booking import Booking, Entered

if TYPE_CHECKING:
    from workbooks.batch.results import Amendment
    from workbooks.batch.tasks import FileResult, Options

_AT_ONCE = 200


class Rounds:
    """What became of every file in the ledger, by the path of its result.

    A file that the ledger refuses, or whose enterprises all stand in another file too, is tried again when the folder
    changes; all others are done with until their content changes.
    """

    def __init__(self, booking: Booking, options: Options) -> None:
        self._booking, self._options = booking, options
        self._settled: set[tuple[str, str | None]] = set()
        self._files: dict[str, dict[str, Any]] = {}
        self._refused: dict[str, Any] = {}

    @property
    def files(self) -> list[dict[str, Any]]:
        """For ``--json``: what became of each file that lies there."""
        return list(self._files.values())

    @property
    def is_open(self) -> bool:
        """Whether anything was not entered."""
        return any("error" in entry or entry["left"] for entry in self._files.values())

    def enter(self, results: Iterable[FileResult]) -> tuple[Amendment, Collection[str]]:
        """Enters what is new; what holds back the results the ledger refused, and which others have overtaken.

        Raises LedgerError.
        """
        here: set[str] = set()
        fresh: list[FileResult] = []
        for result in results:
            here.add(result.path)
            if (result.path, result.sha256) not in self._settled:
                fresh.append(result)
            if len(fresh) == _AT_ONCE:
                self._try(fresh)
                fresh = []
        self._try(fresh)
        self._files = {path: entry for path, entry in self._files.items() if path in here}
        entered = Entered((), (), self._refused)
        return entered.hold_back, entered.overtaken

    def _try(self, results: Sequence[FileResult]) -> None:
        entered = self._booking.enter(results, self._options) if results else None
        if entered is None:
            return
        print("\n".join(entered.lines), file=sys.stderr, flush=True)
        for result, entry in zip(results, entered.files, strict=True):
            self._files[result.path] = entry
            self._refused.pop(result.path, None)
            doubled = any(finding["code"] == "E-DOUBLE-FILE" for finding in result.findings)
            if entry["state"] != "refused" and not (doubled and entry["state"] == "empty"):
                self._settled.add((result.path, result.sha256))
        self._refused |= entered.refused
