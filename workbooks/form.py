"""The official forms as data: which policies a form serves, its titles and columns."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from xlcalc.errors import WorkbookError

NATIVE, UDF = "native", "udf"
"""The flavours of a template: its cells hold native formulas, or call the functions of ``udfs``."""

SETTINGS_SHEET = "xlwings.conf"
"""The hidden sheet of the latter flavour with settings for the program that calls them."""

_FOLDER = Path(__file__).parent / "forms"


@dataclass(frozen=True)
class Form:
    """One template: ``kind`` says which builder and reader serve it, ``data`` what is particular to it."""

    id: str
    version: str
    kind: str
    title: str
    policies: tuple[str, ...]
    data: Mapping[str, Any]


@cache
def forms() -> Mapping[str, Form]:
    """All forms by id."""
    found = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found[path.stem] = Form(path.stem, data["version"], data["kind"], data["title"], tuple(data["policies"]), data)
    return found


def form(form_id: str) -> Form:
    """The form of this id; raises WorkbookError ``E-TEMPLATE`` with the nearest ids."""
    if form_id in forms():
        return forms()[form_id]
    near = difflib.get_close_matches(form_id, forms(), n=2, cutoff=0.4)
    hint = f"是否指 {'、'.join(near)}？" if near else ""
    raise WorkbookError(
        "E-TEMPLATE",
        f"没有名为“{form_id[:60]}”的模板",
        where=form_id[:60],
        remedy=f"{hint}可用 xlcalc templates 查看清单",
    )


def known_flavour(name: str) -> str:
    """The name of a flavour; raises WorkbookError ``E-FLAVOUR`` for another."""
    if name in (NATIVE, UDF):
        return name
    raise WorkbookError("E-FLAVOUR", f"没有模板类型“{name[:20]}”", where=name[:20], remedy=f"可选：{NATIVE}、{UDF}")
