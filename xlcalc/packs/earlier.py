"""Earlier texts of a pack version: what went out under them is computed under them, years later too.

A version's hash is that of all it says. When words or numbers of a version are mended without a new version, the text
before is laid down as ``earlier/<pack>.<version>.<hash>.json`` beside the pack, and workbooks that name it go on.
"""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from xlcalc.errors import PackError, PolicyError
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy, pack_path

_SHOWN = 12
_DIGEST = re.compile("[0-9a-f]{64}")


@lru_cache(maxsize=256)
def version_as_recorded(policy_id: str, version_id: str, digest: str) -> Version:
    """The version that computed what bears this hash: the present text, or an earlier one that was laid down.

    Raises PolicyError ``E-POLICY``, ``E-VERSION``, or ``E-PACK-GONE`` when no text of that hash is held; PackError
    ``E-PACK-EARLIER`` for one that was altered since.
    """
    present = load_policy(policy_id).version(version_id)
    if present.hash == digest:
        return present
    path = _file_of(policy_id, version_id, digest)
    # A workbook says what hash it likes, also one with a path in it.
    if not _DIGEST.fullmatch(digest) or not path.is_file():
        raise PolicyError(
            "E-PACK-GONE",
            f"政策包 {policy_id} {version_id} 的这一文本（{digest[:_SHOWN]}）没有保存，现有 {present.hash[:_SHOWN]}",
            where=policy_id,
            remedy="请用当时的 xlcalc 核算",
        )
    earlier = _read(path)
    if earlier.hash != digest:
        raise _altered(path)
    return earlier


def lay_down(policy_id: str) -> list[Path]:
    """Lays down the present text of each version, to be held when the pack is changed; returns the new files.

    Raises PackError ``E-IO`` where the folder of the pack cannot be written.
    """
    made = []
    for version in load_policy(policy_id).versions:
        path = _file_of(policy_id, version.id, version.hash)
        if path.exists():
            continue
        text = json.dumps(version.data, ensure_ascii=False, sort_keys=True, indent=1)
        try:
            path.parent.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as stream:
                stream.write(text + "\n")
            Path(stream.name).chmod(0o644)
            Path(stream.name).replace(path)
        except OSError as error:
            with suppress(OSError, UnboundLocalError):
                Path(stream.name).unlink()
            message = f"政策包所在的文件夹写不进去（{error.strerror}）"
            raise PackError("E-IO", message, where=str(path.parent), remedy="请检查文件夹权限和磁盘空间") from None
        made.append(path)
    return made


def check_earlier(policy_id: str) -> int:
    """How many earlier texts are held; raises PackError ``E-PACK-EARLIER`` for one that is not what its name says."""
    pack = pack_path(policy_id)
    files = sorted((pack.parent / "earlier").glob(f"{pack.stem}.*.json"))
    for path in files:
        version = _read(path)
        if path != _file_of(policy_id, version.id, version.hash):
            raise _altered(path)
    return len(files)


def _file_of(policy_id: str, version_id: str, digest: str) -> Path:
    pack = pack_path(policy_id)
    return pack.parent / "earlier" / f"{pack.stem}.{version_id}.{digest[:_SHOWN]}.json"


def _read(path: Path) -> Version:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise _altered(path) from None
    if not isinstance(data, dict) or not isinstance(data.get("id"), str):
        raise _altered(path)
    return Version(data)


def _altered(path: Path) -> PackError:
    return PackError(
        "E-PACK-EARLIER",
        "保存的较早文本与其校验值不符，可能被改动或损坏",
        where=str(path),
        remedy="请从备份或版本库恢复此文件",
    )
