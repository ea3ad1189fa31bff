"""Builds a template with its cached values, empty or prefilled; native flavour, nothing else is needed to use it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from workbooks import assessment_form, recommendation_form
from workbooks.draft import Draft
from workbooks.form import Form, form
from workbooks.package import Package
from workbooks.ports import Manifest
from workbooks.rawbook import RawBook
from xlcalc.errors import PolicyError
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy

IDENTITY = ("xlcalc_policies", "xlcalc_versions", "xlcalc_hashes")
_FIXED_TIME = (2025, 1, 1, 0, 0, 0)


def draft_template(
    spec: Form, versions: Mapping[str, Version], choices: Mapping[str, str], rows: int | None = None
) -> Draft:
    """The template under given pack versions and choices, laid out but without cached values."""
    draft = Draft(spec, versions, choices)
    if spec.kind == "assessment":
        assessment_form.build(draft)
    else:
        recommendation_form.build(draft, rows or spec.data["rows"])
    return draft


@lru_cache(maxsize=32)
def manifest(form_id: str) -> Manifest:
    """The manifest of a template's current version; the names do not depend on choices or rows."""
    spec = form(form_id)
    versions = {policy: load_policy(policy).newest for policy in spec.policies}
    return draft_template(spec, versions, {}).manifest()


@lru_cache(maxsize=64)
def parameter_values(
    form_id: str, versions: tuple[tuple[str, Version], ...], choices: tuple[tuple[str, str], ...]
) -> dict[str, list[Any]]:
    """The values of the parameter, choice and identity cells under given packs and choices, by port name."""
    draft = draft_template(form(form_id), dict(versions), dict(choices))
    wanted = [port.name for port in draft.ports if port.direction in ("parameter", "choice") or port.name in IDENTITY]
    return {name: [cell.value for cell in draft.cells(name)] for name in wanted}


@lru_cache(maxsize=32)
def _blank(
    form_id: str, versions: tuple[tuple[str, Version], ...], choices: tuple[tuple[str, str], ...], rows: int
) -> bytes:
    return workbook_bytes(draft_template(form(form_id), dict(versions), dict(choices), rows))


def fill_template(
    form_id: str, versions: Mapping[str, Version], choices: Mapping[str, str], facts: Sequence[Mapping[str, object]]
) -> bytes:
    """A new workbook under given packs and choices with facts in its inputs and results in its formulas."""
    from workbooks.prefill import prefill
    from workbooks.recalc import recalculate_package

    spec = form(form_id)
    rows = max(len(facts), spec.data.get("rows", 1))
    data = _blank(form_id, tuple(versions.items()), tuple(sorted(choices.items())), rows)
    if facts:
        book = RawBook(Package.from_bytes(data))
        mechanism = versions[spec.policies[0]].mechanism("assessment") if spec.kind == "assessment" else None
        data = book.patch(prefill(book, spec, manifest(form_id), mechanism, facts))
    return recalculate_package(Package.from_bytes(data)).data


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
) -> bytes:
    """The template as a workbook with cached values, prefilled with the facts of one or many enterprises.

    facts: as in JSON; for a table, one mapping a row. on: the date that selects pack versions, else the
    newest. Raises InputError for an unusable fact, PolicyError for an unknown choice.
    """
    spec = form(form_id)
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
    return fill_template(form_id, versions, chosen, rows)
