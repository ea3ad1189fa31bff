"""Builds a template with its cached values, empty or prefilled, in either flavour.

The native one needs nothing else to be used; the cells of the udf one call the functions of ``udfs``.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from workbooks.files.package import Package
from workbooks.files.rawbook import Area, RawBook
from workbooks.form import NATIVE, UDF, Form, form, known_flavour
from workbooks.kept import kept
from workbooks.ports import Manifest, Port, cell_at, places
from xlcalc.errors import PolicyError
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy

if TYPE_CHECKING:
    from workbooks.building.draft import Draft

IDENTITY = ("xlcalc_policies", "xlcalc_versions", "xlcalc_hashes")
_FIXED_TIME = (2025, 1, 1, 0, 0, 0)

Rows = tuple[tuple[str, int], ...]
"""(table, number of rows)."""

Texts = tuple[tuple[str, str], ...]
"""(input, what is to be filled in): texts that may need more room than a form gives them."""
_SHORT = 12


def draft_template(
    spec: Form,
    versions: Mapping[str, Version],
    choices: Mapping[str, str],
    rows: Rows = (),
    flavour: str = NATIVE,
    texts: Texts = (),
) -> Draft:
    """The template under given pack versions and choices, laid out but without cached values.

    rows: how many rows a table gets where that is more than its form says, by table; a 推荐表's own is ``""``.
    """
    from workbooks.building.draft import Draft
    from workbooks.flavour import add_settings

    draft = Draft(spec, versions, choices, flavour)
    draft.rows, draft.texts = dict(rows), dict(texts)
    import_module(f"workbooks.{spec.kind}.form").build(draft)
    if flavour == UDF:
        _check_days(versions)
        add_settings(draft)
    return draft


def _check_days(versions: Mapping[str, Version]) -> None:
    """Functions find a version by its day, which its name has to be."""
    for policy, version in versions.items():
        if version.id != version.first.isoformat() or load_policy(policy).on(version.first)[0] != version:
            raise PolicyError(
                "E-FLAVOUR",
                f"政策 {policy} 的版本 {version.id} 不能按日期找到，函数版模板无法使用",
                where=policy,
                remedy="请把版本名写成其生效日，如 2025-01-06，或生成公式版模板（native）",
            )


@lru_cache(maxsize=64)
def manifest(form_id: str, flavour: str = NATIVE, held: tuple[tuple[str, Version], ...] = ()) -> Manifest:
    """The manifest of a template under pack versions, else the newest; the names do not depend on choices or rows."""
    spec = form(form_id)
    versions = dict(held) or {policy: load_policy(policy).newest for policy in spec.policies}
    key = ("manifest", form_id, flavour, _identities(versions))
    data = kept(key, lambda: asdict(draft_template(spec, versions, {}, flavour=flavour).manifest()))
    ports = tuple(Port(**{**row, "items": tuple(row["items"])}) for row in data["ports"])
    return Manifest(data["template"], data["version"], ports, tuple(data["table"]), data["flavour"])


@lru_cache(maxsize=64)
def parameter_values(
    form_id: str, versions: tuple[tuple[str, Version], ...], choices: tuple[tuple[str, str], ...]
) -> dict[str, list[Any]]:
    """The values of the parameter, choice and identity cells under given packs and choices, by port name."""

    def values() -> dict[str, list[Any]]:
        draft = draft_template(form(form_id), dict(versions), dict(choices))
        ports = [port for port in draft.ports if port.direction in ("parameter", "choice") or port.name in IDENTITY]
        return {port.name: [cell.value for cell in draft.cells(port.name)] for port in ports}

    found: dict[str, list[Any]] = kept(("values", form_id, _identities(dict(versions)), choices), values)
    return found


@lru_cache(maxsize=64)
def empty_results(
    form_id: str,
    flavour: str,
    versions: tuple[tuple[str, Version], ...],
    choices: tuple[tuple[str, str], ...],
) -> dict[str, list[str]]:
    """What the formulas of a blank template show, by port: where a filled one stores it, nobody has calculated that."""

    def texts() -> dict[str, list[str]]:
        book = RawBook(Package.from_bytes(fill_template(form_id, dict(versions), dict(choices), [], flavour)))
        names = [port.name for port in manifest(form_id, flavour, versions).ports if port.direction == "out"]
        return {name: [cell_at(book, place).text for place in places(book, name)] for name in names}

    found: dict[str, list[str]] = kept(("empty results", form_id, flavour, _identities(dict(versions)), choices), texts)
    return found


class Laid(NamedTuple):
    """A port as a template has it. formulas: of a result's cells, without their ``=``; "" for a cell without one."""

    area: Area
    formulas: tuple[str, ...]


@lru_cache(maxsize=64)
def laid_out(form_id: str, flavour: str, versions: tuple[tuple[str, Version], ...]) -> dict[str, Laid]:
    """Where a template under the default choices has its ports, and by what its results are computed."""

    def ports() -> dict[str, tuple[Any, list[str]]]:
        draft = draft_template(form(form_id), dict(versions), {}, flavour=flavour)
        return {port.name: _laid(draft.cells(port.name), port) for port in draft.ports}

    found = kept(("laid out", form_id, flavour, _identities(dict(versions))), ports)
    return {name: Laid(Area(*area), tuple(texts)) for name, (area, texts) in found.items()}


def _laid(cells: Sequence[Any], port: Port) -> tuple[tuple[str | int, ...], list[str]]:
    first, last = cells[0], cells[-1]
    area = (first.parent.title, first.row, first.column, last.row, last.column)
    return area, [_formula_of(cell.value) for cell in cells] if port.direction == "out" else []


def at_cell(texts: Sequence[str], number: int) -> str:
    """What the template has in a cell of a port, of all its cells' texts; a cell that was added is like the last one.

    number: of the cell in its port, -1 for a row's.
    """
    return texts[min(number, len(texts) - 1)]


def _formula_of(value: Any) -> str:
    """What an openpyxl cell computes by, an array formula included."""
    text = str(getattr(value, "text", value) or "")
    return text.removeprefix("=") if text.startswith("=") else ""


def _identities(versions: Mapping[str, Version]) -> tuple[tuple[str, str, str], ...]:
    return tuple((policy, version.id, version.hash) for policy, version in versions.items())


@lru_cache(maxsize=32)
def _blank(
    form_id: str,
    versions: tuple[tuple[str, Version], ...],
    choices: tuple[tuple[str, str], ...],
    rows: Rows,
    flavour: str,
    texts: Texts,
) -> bytes:
    return workbook_bytes(draft_template(form(form_id), dict(versions), dict(choices), rows, flavour, texts))


def fill_template(
    form_id: str,
    versions: Mapping[str, Version],
    choices: Mapping[str, str],
    facts: Sequence[Mapping[str, object]],
    flavour: str = NATIVE,
) -> bytes:
    """A new workbook under given packs and choices with facts in its inputs and results in its formulas."""
    from workbooks.prefill import prefill
    from workbooks.recalc import recalculate_package
    from workbooks.uncalculated import seal

    spec = form(form_id)
    rows, texts = _rows_needed(spec, facts), _texts_of(spec, facts)
    data = _blank(form_id, tuple(versions.items()), tuple(sorted(choices.items())), rows, flavour, texts)
    if facts:
        book = RawBook(Package.from_bytes(data))
        version = versions[spec.policies[0]]
        asks = spec.kind in ("assessment", "review")
        mechanism = version.mechanism("assessment", version.own_choices(choices)) if asks else None
        ports = manifest(form_id, flavour, tuple(versions.items()))
        data = book.patch(prefill(book, spec, ports, mechanism, facts))
    done = recalculate_package(Package.from_bytes(data))
    if facts:
        done.changes |= seal(done.read, done.changes)
    return done.data


def _rows_needed(spec: Form, facts: Sequence[Mapping[str, object]]) -> Rows:
    if spec.kind != "application":
        return (("", len(facts)),)
    tables = {name: value for row in facts for name, value in row.items() if isinstance(value, list | tuple)}
    return tuple(sorted((name, len(value)) for name, value in tables.items()))


def _texts_of(spec: Form, facts: Sequence[Mapping[str, object]]) -> Texts:
    """The long texts of a form's one enterprise: of a fact by its id, in a row or list by ``id_row_column``."""
    if spec.kind != "application":
        return ()
    found: dict[str, str] = {}
    for name, value in (item for row in facts for item in row.items()):
        rows = list(enumerate(value, 1)) if isinstance(value, list | tuple) else []
        cells = {f"{name}_{n}_{key}": cell for n, row in rows if isinstance(row, Mapping) for key, cell in row.items()}
        inner = {f"{name}_{key}": cell for key, cell in value.items()} if isinstance(value, Mapping) else {}
        texts = {name: value, **cells, **inner}
        found |= {key: text for key, text in texts.items() if isinstance(text, str) and len(text) > _SHORT}
    return tuple(found.items())


def workbook_bytes(draft: Draft) -> bytes:
    """The workbook as bytes; the same draft gives the same bytes on the same installation."""
    buffer = io.BytesIO()
    book: Any = draft.book
    book.properties.creator = "xlcalc"
    book.properties.title = draft.form.title
    book.save(buffer)
    return _fixed_times(buffer.getvalue())


def _fixed_times(data: bytes) -> bytes:
    """Repacks a package openpyxl has just written, with one time for every member."""
    import re

    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2025-01-01T00:00:00Z", content)
            member = zipfile.ZipInfo(info.filename, _FIXED_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, content)
    return buffer.getvalue()


def build_template(
    form_id: str,
    facts: Mapping[str, object] | Sequence[Mapping[str, object]] = (),
    *,
    on: date | None = None,
    choices: Mapping[str, str] | None = None,
    flavour: str = NATIVE,
) -> bytes:
    """The template as a workbook with cached values, prefilled with the facts of one or many enterprises.

    facts: as in JSON; for a table, one mapping a row. on: the date that selects pack versions, else the
    newest. flavour: ``native``, or ``udf`` whose cells call the functions; neither holds macros.
    Raises InputError for an unusable fact, PolicyError for an unknown choice, WorkbookError for a flavour
    there is not.
    """
    spec, flavour = form(form_id), known_flavour(flavour)
    held = {policy: load_policy(policy) for policy in spec.policies}
    versions = {policy: item.on(on)[0] if on else item.newest for policy, item in held.items()}
    chosen: dict[str, str] = {}
    for version in versions.values():
        chosen |= version.full_choices(version.own_choices(choices or {}))
    for key in choices or {}:
        if key not in chosen:
            raise PolicyError(
                "E-CHOICE", f"此模板的政策没有可选口径 {key}", where=key, remedy=f"可选：{'、'.join(chosen)}"
            )
    rows = [facts] if isinstance(facts, Mapping) else list(facts)
    return fill_template(form_id, versions, chosen, rows, flavour)
