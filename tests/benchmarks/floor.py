"""The floor: what reading, inflating, deflating and writing alone costs, with nothing read or computed between."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

from workbooks.files.members import walk as members_of
from workbooks.files.package import Package, codec
from workbooks.files.prescan import DEFAULT_LIMITS

Parts = Mapping[str, tuple[str, ...]]
"""Kind -> the parts that a recalculation changes."""


def changed_parts(before: bytes, after: bytes) -> tuple[str, ...]:
    """The parts in which two packages differ."""
    one, other = Package.from_bytes(before), Package.from_bytes(after)
    return tuple(name for name in one.names if one.read(name) != other.read(name))


def rewrite(source: Path, target: Path, parts: Sequence[str]) -> None:
    """Inflates and deflates some parts, copies the others as they lie in the file."""
    data = source.read_bytes()
    package = Package(data, members_of(data, DEFAULT_LIMITS))
    contents = {}
    for name in parts:
        member = package._members[name.lower()]
        contents[name] = codec.decompress(data[member.data : member.end], -15)
    target.write_bytes(package.rewrite(contents))


def rate(paths: Sequence[Path], folder: Path, parts: Parts, processes: int) -> float:
    """Files a second, start of the processes included."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(path, folder / path.name, parts[path.stem.split("-")[1]]) for path in paths]
    start = time.perf_counter()
    with get_context("spawn").Pool(processes) as pool:
        pool.starmap(rewrite, jobs, chunksize=20)
    return len(paths) / (time.perf_counter() - start)
