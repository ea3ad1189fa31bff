"""Folders for what is needed only for a moment; when there is no room for them, that is said, and of no file."""

from __future__ import annotations

import contextlib
import errno
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workbooks.files.writing import io_reason
from xlcalc.errors import WorkbookError

NO_ROOM = "E-TEMP"

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_PROBE = 1024 * 1024


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder that goes with its ``with``.

    Raises WorkbookError ``E-TEMP`` where the system has no usable temporary folder, or what is written there finds no
    room.
    """
    try:
        held = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    except OSError as error:
        raise no_room(error) from None
    with held as folder:
        try:
            yield Path(folder)
        except OSError as error:
            if is_full(error):
                raise no_room(error) from None
            raise


def is_full(error: OSError) -> bool:
    """Whether nothing more can be written where it was tried."""
    return error.errno in _FULL


def ensure_room(folder: Path) -> None:
    """Raises WorkbookError ``E-TEMP`` where a temporary folder is full: another program does not say why it failed."""
    try:
        with tempfile.TemporaryFile(dir=folder) as stream:
            stream.write(bytes(_PROBE))
    except OSError as error:
        raise no_room(error) from None


def no_room(error: OSError) -> WorkbookError:
    """What is told of it."""
    try:
        place, reason = f" {tempfile.gettempdir()} ", io_reason(error)
    except OSError:
        place, reason = "", "系统中没有可写的"
    message = f"临时文件夹{place}写不进去（{reason}；可用环境变量 TMPDIR，Windows 为 TEMP，另指一个）"
    return WorkbookError(NO_ROOM, message, remedy="请清理临时文件夹或另指一个")
