"""A run of workbooks and the ledger: which ledger stands beside it, what it enters there, and how that is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from macros_bridge.ledger_options import act_by, opened
from xlcalc.errors import InputError
from xlcalc.values.money import Money

if TYPE_CHECKING:
    from workbooks.batch.results import Results
    from workbooks.batch.tasks import FileResult, Options
    from workbooks.ledger.acts import Act
    from workbooks.ledger.booking import Booked
    from workbooks.ledger.database import LedgerError
    from workbooks.ledger.lines import FileLines
    from workbooks.ledger.runs import Beside

_STATES = {"booked": "已登记", "already": "此前已登记，未重复登记", "empty": "没有可登记的结果"}


_Told = tuple[list[str], dict[str, Any]]
"""What became of one file: for reading, and for ``--json``."""
_MOVED = "E-LEDGER-MOVED"


@dataclass(frozen=True)
class Entered:
    """What became of the files of a run in the ledger, in their order.

    paths: of the results; refused: what the ledger said to a file, by its path.
    """

    told: Sequence[_Told]
    paths: Sequence[str] = ()
    refused: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """For reading."""
        return [line for lines, _ in self.told for line in lines]

    @property
    def files(self) -> list[dict[str, Any]]:
        """For ``--json``."""
        return [entry for _, entry in self.told]

    @property
    def is_open(self) -> bool:
        """Whether anything is left for a person."""
        return any("error" in entry or entry["left"] or entry["over"] for _, entry in self.told)

    @property
    def overtaken(self) -> frozenset[str]:
        """The paths of files that were computed with what the ledger said before another file was entered."""
        return frozenset(path for path, error in self.refused.items() if error["code"] == _MOVED)

    def renewed(self, later: Entered) -> Entered:
        """The same after some of the files were computed and entered again."""
        again = dict(zip(later.paths, later.told, strict=True))
        told = [again.get(path, before) for path, before in zip(self.paths, self.told, strict=True)]
        refused = {path: error for path, error in self.refused.items() if path not in again}
        return Entered(told, self.paths, {**refused, **later.refused})

    def hold_back(self, result: FileResult) -> None:
        """A file that the ledger refuses has nothing payable, and says why."""
        error = self.refused.get(result.path)
        if error is None:
            return
        message = f"未登记到台账：{error['message']}。{error['remedy']}"
        # The ledger names file and cell; a finding of a file has the cell alone.
        place = (error["where"] or "").removeprefix(Path(result.path).name).strip() or None
        finding = {"code": error["code"], "severity": "block", "clause": None, "message": message, "where": place}
        result.tell(finding)
        for number, outcome in enumerate(result.outcomes):
            if "left" not in (outcome.get("ledger") or {"left": ""}):
                result.hold_back(number)


@dataclass(frozen=True)
class Booking:
    """A ledger beside a run. act: who enters the run's results and when, None where it is only read."""

    address: str
    batch: str
    act: Act | None = None
    correcting: bool = False

    def beside(self) -> Beside:
        """What the run asks; raises LedgerError where there is no ledger or no batch, before any work is done."""
        from workbooks.ledger.runs import beside

        with opened(self.address) as ledger:
            return beside(ledger, self.batch)

    def enter(self, results: Iterable[FileResult], options: Options) -> Entered | None:
        """Enters every file in a transaction of its own, each once; None where nothing is to be entered."""
        from workbooks.ledger.runs import lines_of_results

        if self.act is None:
            return None
        paths, remarks = [], []
        for result in results:
            paths.append(result.path)
            remarks.append(_altered(result))
        entered = self.enter_files(lines_of_results(results, options), self.act, remarks)
        refused = {path: entry["error"] for path, entry in zip(paths, entered.files, strict=True) if "error" in entry}
        return replace(entered, paths=paths, refused=refused)

    def enter_run(
        self, results: Results, options: Options, again: Callable[[Collection[str]], object]
    ) -> Entered | None:
        """The same; a file that only others of the run have overtaken is computed and entered again.

        again: computes the results of these paths anew, so that ``results`` has them.
        """
        entered = self.enter(results, options)
        overtaken = entered.overtaken if entered else frozenset()
        while entered is not None and overtaken:
            again(overtaken)
            fresh = [result.at_hand() for result in results if result.path in overtaken]
            later = self.enter(fresh, options)
            assert later is not None
            entered = entered.renewed(later)
            if len(later.overtaken) == len(overtaken):
                break
            overtaken = later.overtaken
        return entered

    def enter_files(self, files: Sequence[FileLines], act: Act, remarks: Sequence[str] = ()) -> Entered:
        """The same for what was read of files in another way; remarks: what is told of each file besides, or ""."""
        from workbooks.ledger.booking import book_all

        with opened(self.address) as ledger:
            done = book_all(ledger, act, self.batch, files, correcting=self.correcting)
        told = [_told(*each) for each in zip(files, done, remarks or [""] * len(files), strict=True)]
        return Entered(told)


def _altered(result: FileResult) -> str:
    """The remark that a file stores other results or parameters than are right; "" where it does not."""
    found = [finding for finding in result.findings if "stored" in finding]
    if not found:
        return ""
    first = f"如 {found[0]['where']}，保存“{found[0]['stored']}”，应为“{found[0]['computed']}”"
    return (
        f"文件中有 {len(found)} 处保存的结果或参数与重新核算的不同，可能改动过，请核对（{first}）；登记以重新核算的为准"
    )


def _told(file: FileLines, result: Booked | LedgerError, remark: str) -> _Told:
    entry: dict[str, Any] = {"file": file.source.name, "sha256": file.source.sha256, "left": file.left}
    left = [f"  未登记 {place}：{why}" for place, why in file.left]
    if remark:
        entry["remark"] = remark
        left.insert(0, f"  提示：{remark}")
    if isinstance(result, Exception):
        whole = f"  {file.source.name} 整个没有登记"
        return [str(result), whole, *left], entry | {
            "state": "refused",
            "error": result.as_dict(),
            "over": (),
        }
    counted = f"，{result.lines} 项，{Money(result.granted)}" if result.state == "booked" else ""
    lines = [f"{file.source.name}：{_STATES[result.state]}{counted}"]
    lines += [f"  超过上限：{what}。已照实登记，请核实并处理" for what in result.over]
    lines += [f"  提示：{warning}" for warning in result.warnings]
    entry |= {
        "state": result.state, "act": result.act, "lines": result.lines, "unchanged": result.unchanged,
        "granted": Money(result.granted).as_dict(), "warnings": result.warnings, "over": result.over,
    }  # fmt: skip
    return [*lines, *left], entry


def booking_given(ledger: str | None, batch: str, commit: bool, operator: str, day: str) -> Booking | None:
    """What the options of ``recalc`` say of the ledger; raises InputError ``E-USAGE`` where one lacks another."""
    if ledger is None:
        if batch or commit or operator or day:
            raise _usage("--batch、--commit、--operator、--date 须与 --ledger 同时给出", "请加上 --ledger")
        return None
    if not batch:
        raise _usage("用台账核算须写明批次：同一批次的登记不算此前已享受", "请用 --batch 给出批次，如 2025年第一批")
    if not commit:
        if operator or day:
            raise _usage("没有 --commit，不会登记", "登记请加上 --commit；只核算请去掉 --operator 和 --date")
        return Booking(ledger, batch)
    if not operator or not day:
        raise _usage("登记须写明经办人和办理日期", "请给出 --operator 和 --date")
    return Booking(ledger, batch, act_by(operator, day))


def _usage(message: str, remedy: str) -> InputError:
    return InputError("E-USAGE", message, where="--ledger", remedy=remedy)
