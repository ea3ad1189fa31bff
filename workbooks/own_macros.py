"""Whether the macros in a workbook are the ones we shipped with it, byte for byte.

``own_macros.json`` is a list of ``{"sha256": …, "version": …}``: the hash of every ``xl/vbaProject.bin`` we have ever
shipped and the version of the library that shipped it. Whoever makes the macros adds to it, and takes nothing away:
files with older ones are in circulation.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from workbooks.files.package import Package
from workbooks.files.rawxml import ATTRIBUTES, attributes

_LIST = Path(__file__).parent / "own_macros.json"
_VBA = "xl/vbaproject.bin"
_MARKUP = (".xml", ".rels", ".vml")
_MAY_BE_ACTIVE = re.compile(r"^(?!xl/printersettings/).*\.bin$|/(?:macro|dialog)sheets/")
_ACTIVE = re.compile(r"(?i)vbaproject|macrosheet|dialogsheet|activex|control\b")
_TAG = re.compile(rf"<(?:\w+:)?(Default|Override|Relationship)({ATTRIBUTES})")
# Where a button, a shape or the ribbon names the macro it runs.
_CALLED = re.compile(
    r"""(?i)\b(?:fmlamacro|macro|loadimage|(?:on|get)[a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)')|<(?:\w+:)?fmlamacro>([^<]*)<"""
)
_OUR_NAME = re.compile(r"(?:\[0\]!)?[A-Za-z]\w*(?:\.[A-Za-z]\w*)?", re.ASCII)


@cache
def own_macros() -> Mapping[str, str]:
    """The hashes of the macro parts we have shipped, each with the version of the library."""
    return {row["sha256"]: row["version"] for row in json.loads(_LIST.read_text(encoding="utf-8"))}


def only_our_macros(package: Package) -> bool:
    """Whether the one active part of a workbook is a macro part of ours, and nothing calls beyond it.

    Then the file may be patched like one without macros: what can run in it is what we made. With any other macro
    part or Excel 4 sheet, an embedded object, a control, a link to another file, or a button or ribbon that names
    a macro elsewhere, it is not.
    """
    if package.has_ole or package.external_links or package.has_connections:
        return False
    names = [name.lower() for name in package.names]
    if [name for name in names if _MAY_BE_ACTIVE.search(name)] != [_VBA]:
        return False
    if hashlib.sha256(package.read(_VBA)).hexdigest() not in own_macros():
        return False
    try:
        parts = {name: package.read(name).decode() for name in package.names if name.lower().endswith(_MARKUP)}
        declared = list(_declared(parts))
    except ValueError:
        return False
    ribbons = [_whose(given) for given in declared if given.get("Type", "").endswith("/ui/extensibility")]
    if not all(ribbon.endswith(".xml") for ribbon in ribbons):
        return False
    declared = [given for given in declared if _ACTIVE.search(given.get("ContentType", given.get("Type", "")))]
    typed = [_whose(given) for given in declared if "ContentType" in given]
    linked = [_whose(given) for given in declared if "ContentType" not in given]
    if typed not in ([f"/{_VBA}"], ["bin"]) or linked not in (["vbaproject.bin"], [f"/{_VBA}"]):
        return False
    return all(_OUR_NAME.fullmatch(name) for part in parts.values() for name in _called(part))


def _declared(parts: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The attributes of every content type and every relationship of the package."""
    for name, text in parts.items():
        if name == "[Content_Types].xml" or name.lower().endswith(".rels"):
            yield from (attributes(found[2]) for found in _TAG.finditer(text))


def _whose(given: Mapping[str, str]) -> str:
    return (given.get("PartName") or given.get("Extension") or given.get("Target") or "").lower()


def _called(part: str) -> Iterator[str]:
    for found in _CALLED.finditer(part):
        name = found[1] or found[2] or found[3]
        if name:
            yield name
