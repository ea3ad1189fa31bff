"""Keeps ``workbooks/own_macros.json``: the macro parts of our templates, by which their files are known as ours.

``python -m macros_bridge.vba.shipped`` adds those of the present templates and takes nothing away.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from macros_bridge.vba.embed import production_modules
from macros_bridge.vba.project import vba_project
from workbooks import own_macros
from xlcalc import __version__

MOST_SHEETS = 24
_LIST = Path(own_macros.__file__).with_name("own_macros.json")


def present() -> dict[str, str]:
    """The hash of the macro part of a template of one to ``MOST_SHEETS`` sheets, and the library's version."""
    parts = (vba_project(production_modules(sheets)) for sheets in range(1, MOST_SHEETS + 1))
    return {hashlib.sha256(part).hexdigest(): __version__ for part in parts}


def record() -> int:
    """Adds the present macro parts to the list; returns how many were new."""
    held = dict(own_macros.own_macros())
    new = {digest: version for digest, version in present().items() if digest not in held}
    rows = [{"sha256": digest, "version": version} for digest, version in (held | new).items()]
    _LIST.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return len(new)


if __name__ == "__main__":
    print(f"新增 {record()} 项")
