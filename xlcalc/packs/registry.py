"""Finds policy packs on disk, and loads each only when it is asked for.

A checked pack is kept as JSON in a cache keyed by the hashes of the files it came from, so that most
starts need neither TOML nor pydantic. The cache may be deleted at any time. Where pydantic cannot be had
(inside LibreOffice) the same JSON lies beside the pack, as ``<pack>.held.json``, and holds as long as the hashes do.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from xlcalc import __version__
from xlcalc.errors import PackError, PolicyError
from xlcalc.packs.policy import Policy, Version

_BUILT_IN = Path(__file__).parents[1] / "policies"


def policy_folders() -> list[Path]:
    """Where packs are looked for: the built-in ones, then the folders named in XLCALC_POLICIES."""
    more = os.environ.get("XLCALC_POLICIES", "")
    return [_BUILT_IN, *(Path(part) for part in more.split(os.pathsep) if part)]


@cache
def _pack_files() -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for folder in policy_folders():
        for path in sorted(folder.glob("*/*.toml")):
            policy_id = f"{path.parent.name}.{path.stem}"
            if policy_id in found:
                raise PackError("E-PACK-DOUBLE", f"政策 {policy_id} 有两个文件", where=str(path), remedy="请只保留一个")
            found[policy_id] = path
    return found


def policy_ids() -> list[str]:
    """The ids of all policies held, sorted."""
    return sorted(_pack_files())


@cache
def load_policy(policy_id: str) -> Policy:
    """A policy by its id; raises PolicyError ``E-POLICY`` when it is not held, PackError when it is malformed."""
    data, _ = _resolved(policy_id)
    return Policy(
        id=data["id"],
        label=data["label"],
        issuer=data["issuer"],
        checked_on=date.fromisoformat(data["checked_on"]),
        versions=tuple(Version(version) for version in data["versions"]),
    )


def pack_path(policy_id: str) -> Path:
    """The file of a policy; raises PolicyError ``E-POLICY`` with the nearest ids."""
    files = _pack_files()
    if policy_id in files:
        return files[policy_id]
    near = difflib.get_close_matches(policy_id, files, n=2, cutoff=0.4)
    hint = f"是否指 {'、'.join(near)}？" if near else ""
    raise PolicyError(
        "E-POLICY",
        f"没有名为“{policy_id[:60]}”的政策",
        where=policy_id[:60],
        remedy=f"{hint}可用 xlcalc packs 查看清单",
    )


def read_fresh(policy_id: str) -> dict[str, Any]:
    """The pack read and checked from its files, the cache left aside."""
    return _read(policy_id)[0]


def held_entry(policy_id: str) -> tuple[str, dict[str, Any]]:
    """Where the held form of a pack lies, as ``folder/name``, and what it holds: the same wherever it is made."""
    pack, sources = _read(policy_id)
    path = pack_path(policy_id)
    near = {Path(os.path.relpath(name, path.parent)).as_posix(): value for name, value in sorted(sources.items())}
    return f"{path.parent.name}/{_held_file(path).name}", {"library": __version__, "sources": near, "pack": pack}


_Sources = dict[str, str]


@cache
def _resolved(policy_id: str) -> tuple[dict[str, Any], _Sources]:
    path = pack_path(policy_id)
    kept = _cache_file(path)
    for file in (_held_file(path), kept):
        try:
            entry = json.loads(file.read_text(encoding="utf-8"))
            if file == kept and entry["shape"] != _shape():
                continue
            sources = {os.path.normpath(path.parent / name): value for name, value in entry["sources"].items()}
            if entry["library"] == __version__ and all(
                _file_hash(Path(name)) == value for name, value in sources.items()
            ):
                return entry["pack"], sources
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
    pack, sources = _read(policy_id)
    _keep(kept, {"library": __version__, "shape": _shape(), "sources": sources, "pack": pack})
    return pack, sources


def _read(policy_id: str) -> tuple[dict[str, Any], _Sources]:
    from xlcalc.packs.loader import read_pack

    path = pack_path(policy_id)
    sources = {str(path): _file_hash(path)}

    def resolve(reference: str) -> Mapping[str, Any]:
        parent, _, version = reference.partition("@")
        data, parent_sources = _resolved(parent)
        sources.update(parent_sources)
        found: Mapping[str, Any] | None = next((row for row in data["versions"] if row["id"] == version), None)
        if found is None:
            raise PackError(
                "E-PACK-EXTENDS", f"没有可继承的版本 {reference}", where="extends", remedy="请写成“政策id@版本”"
            )
        return found

    pack = read_pack(path, resolve)
    for name in pack.pop("excerpts"):
        sources[str(path.parent / name)] = _file_hash(path.parent / name)
    plain: dict[str, Any] = json.loads(json.dumps(pack, ensure_ascii=False, default=str))
    return plain, sources


@cache
def _shape() -> str:
    """What the reader makes of a pack may change without a new version of the library."""
    return "".join(_file_hash(Path(__file__).with_name(name))[:16] for name in ("loader.py", "model.py"))


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _held_file(path: Path) -> Path:
    return path.with_suffix(".held.json")


def _cache_file(path: Path) -> Path:
    base = Path(os.environ.get("XLCALC_CACHE") or user_cache_path("xlcalc", appauthor=False))
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    return base / "packs" / f"{path.parent.name}.{path.stem}.{name}.json"


def _keep(path: Path, entry: dict[str, Any]) -> None:
    """A cache that cannot be written is no reason to stop."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as stream:
            json.dump(entry, stream, ensure_ascii=False)
        Path(stream.name).replace(path)
    except OSError:
        pass
