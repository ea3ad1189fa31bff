"""What becomes of a file that cannot be worked on: one finding, in one line, that says what to do."""

from __future__ import annotations

from workbooks.batch.tasks import FileResult, Task, shown
from workbooks.files.temporary import NO_ROOM
from workbooks.files.writing import discard_temporary, io_reason, stops_all
from xlcalc.errors import WorkbookError, XlcalcError


def failed(task: Task, code: str, message: str, remedy: str, state: str = "failed") -> FileResult:
    """A file that ended with this; what was being written of its result is removed."""
    if task.target is not None:
        discard_temporary(task.target)
    finding = {
        "code": code,
        "severity": "block",
        "clause": None,
        "message": " ".join(f"{message}。{remedy}".split()),
        "where": _name(task),
    }
    return FileResult(shown(task.path), None, state, findings=[finding])


def _name(task: Task) -> str:
    return shown(task.path.name)


def failure(task: Task, error: Exception) -> FileResult:
    """What becomes of a file by an error, in one line."""
    if isinstance(error, XlcalcError):
        result = failed(task, error.code, error.message, error.remedy, "refused")
        result.findings[0]["where"] = shown(error.where) if error.where else _name(task)
        if error.code == NO_ROOM:
            result.state, result.stops = "failed", True
        return result
    if isinstance(error, MemoryError):
        return failed(task, "E-MEMORY", "处理此文件所需内存超过限额", "请检查文件是否过大；必要时拆分后重新提交")
    if isinstance(error, OSError):
        result = failed(task, "E-IO", f"无法读写文件（{io_reason(error)}）", "请检查磁盘空间和文件夹权限")
        result.stops = stops_all(error)
        return result
    return failed(task, "E-INTERNAL", f"程序内部错误（{type(error).__name__}）", "请保留此文件并告知维护人员")


def crashed(task: Task) -> FileResult:
    """What becomes of a file at which whatever worked on it ended."""
    remedy = "文件可能已损坏或有害；请用 Excel 或 WPS 打开检查后另存"
    return failed(task, "E-CRASH", "处理此文件时程序意外退出", remedy)


def codes_of(result: FileResult) -> list[str]:
    """The codes of a file's own findings."""
    return [finding["code"] for finding in result.findings]


def go_on(task: Task, result: FileResult) -> None:
    """Ends the run where every other file would meet the same."""
    if result.stops:
        raise stopped(result.findings[0]["message"].partition("。")[0])
    if codes_of(result) == ["E-BOOK-MISSING"] and not task.path.parent.exists():
        raise stopped(f"文件夹“{shown(task.path.parent)}”不见了")


def stopped(reason: str) -> WorkbookError:
    """What ends a whole run: what was done is on the disk, and the run can go on from there."""
    return WorkbookError("E-STOPPED", f"{reason}，已停止；已写好的结果完好", remedy="排除原因后用 --resume 继续")
