"""File names as clerks write them, ``XX县+上云用云企业推荐表+20250531.xlsx``, safe on every system and never reused."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from workbooks.batch.run import write_atomically
from workbooks.documents.plain_text import readable

_FORBIDDEN = re.compile(r'[\t\n<>:"/\\|?*+]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)
_LONGEST = 60


def document_name(*parts: str, day: date | None = None, suffix: str) -> str:
    """The parts joined by ``+``, the day as eight digits at the end; empty parts are left out.

    >>> document_name("示例县", "上云用云企业推荐表", day=date(2025, 5, 31), suffix=".xlsx")
    '示例县+上云用云企业推荐表+20250531.xlsx'
    """
    words = [word for word in map(_safe, parts) if word]
    if day is not None:
        words.append(f"{day:%Y%m%d}")
    return "+".join(words) + suffix


def _safe(part: str) -> str:
    """A part without what a file system or a spreadsheet reads as something else."""
    word = _FORBIDDEN.sub("", readable(part)).strip(" .=@-")[:_LONGEST].rstrip(" .")
    return f"{word}_" if _RESERVED.fullmatch(word) else word


def write_new(folder: Path, name: str, data: bytes) -> Path:
    """Writes a file under its name, or ``…（2）`` where that is taken: what is there is never overwritten."""
    path, number = folder / name, 2
    while path.exists():
        path, number = folder / f"{Path(name).stem}（{number}）{Path(name).suffix}", number + 1
    write_atomically(path, data)
    return path
