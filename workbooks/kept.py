"""What a template says of its cells, kept on disk: a process that only reads filled workbooks need not draw one.

The cache is keyed by everything it was made from, the program's own text included, and may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

import workbooks
import xlcalc


def kept(key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Plain data (lists, texts, numbers) as made before for the same key by the same program, else made now."""
    name = hashlib.sha256(f"{_program()} {key!r}".encode()).hexdigest()
    base = Path(os.environ.get("XLCALC_CACHE") or user_cache_path("xlcalc", appauthor=False))
    path = base / "templates" / f"{name[:40]}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))["data"]
    except (OSError, ValueError, KeyError, TypeError):
        data = make()
    text = json.dumps({"data": data}, ensure_ascii=False)
    # A cache that cannot be written is no reason to stop.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as stream:
            stream.write(text)
        Path(stream.name).replace(path)
    return json.loads(text)["data"]


@cache
def _program() -> str:
    """The text of the program and of its forms; policies are named by their hashes in the key."""
    found = hashlib.sha256(xlcalc.__version__.encode())
    for package in (xlcalc, workbooks):
        root = Path(package.__file__ or "").parent
        for path in sorted([*root.rglob("*.py"), *root.glob("*.toml"), *root.glob("forms/*.toml")]):
            found.update(str(path.relative_to(root)).encode())
            found.update(path.read_bytes())
    return found.hexdigest()
