"""Files written so that no reader ever sees half of one, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from xlcalc.errors import WorkbookError

_REASONS = {
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EROFS: "磁盘只读",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已满",
    errno.EIO: "磁盘或网络盘出错",
    errno.ENOENT: "路径不存在",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EEXIST: "已有同名文件",
    errno.EISDIR: "是文件夹，不是文件",
    errno.ENAMETOOLONG: "文件名过长",
}
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp", re.DOTALL)
_FOR_ALL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


def io_reason(error: OSError) -> str:
    """Why the system could not read or write, in Chinese where it is one of the usual reasons."""
    return _REASONS.get(error.errno or 0) or error.strerror or "读写出错"


def stops_all(error: OSError) -> bool:
    """Whether the next file would meet the same: a full, read-only or failing disk."""
    return error.errno in _FOR_ALL


def ensure_writable(outdir: Path) -> None:
    """Makes the folder for results and tries it; raises WorkbookError ``E-IO`` before any file is worked on."""
    try:
        outdir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=outdir):
            pass
    except OSError as error:
        raise WorkbookError(
            "E-IO",
            f"无法写入结果文件夹（{io_reason(error)}）",
            where=str(outdir),
            remedy="请检查文件夹权限和磁盘空间，或用 -o 指定另一个文件夹",
        ) from None


def write_atomically(target: Path, data: bytes) -> None:
    """Writes to a temporary name, flushes to disk and moves: a reader never sees half a file.

    After the return the new name, too, is on the disk.
    """
    with written_atomically(target) as stream:
        stream.write(data)


@contextlib.contextmanager
def written_atomically(target: Path) -> Iterator[BinaryIO]:
    """The same for what is written piece by piece; an error leaves what stood there before."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_beside(target)
    handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def temporary_beside(target: Path) -> Path:
    """A name of its own, so that nothing planted under it is followed and no other process moves it away."""
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")


def _sync_folder(folder: Path) -> None:
    """Brings a changed name to the disk, where the system can open a folder for that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def discard_temporary(target: Path) -> None:
    """Removes what a writer that was ended has left of a file."""
    with contextlib.suppress(OSError):
        for path in list(target.parent.iterdir()):
            if path.name.startswith(f".{target.name}.") and _TEMPORARY.fullmatch(path.name):
                path.unlink()


def discard_temporaries(folder: Path) -> None:
    """Removes what an earlier run that was ended has left below a folder; only for whoever holds its lock."""
    for base, folders, files in os.walk(folder):
        for name in filter(_TEMPORARY.fullmatch, folders):
            shutil.rmtree(Path(base) / name, ignore_errors=True)
        for name in files:
            if _TEMPORARY.fullmatch(name):
                with contextlib.suppress(OSError):
                    (Path(base) / name).unlink()
