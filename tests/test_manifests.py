"""A template whose ports change takes a new version; else filled workbooks in circulation would be blamed for it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from workbooks.form import forms
from workbooks.template import manifest

GOLDEN = Path(__file__).parent / "golden" / "manifests.json"


def fingerprint(form_id: str) -> str:
    ports = [(port.name, port.direction, port.fact, port.unit) for port in manifest(form_id).ports]
    return hashlib.sha256(json.dumps([ports, manifest(form_id).table], ensure_ascii=False).encode()).hexdigest()


@pytest.mark.parametrize("form_id", sorted(forms()))
def test_the_manifest_belongs_to_the_version(form_id: str) -> None:
    held = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    name = f"{form_id}@{forms()[form_id].version}"
    if os.environ.get("XLCALC_BLESS"):
        held[name] = fingerprint(form_id)
        GOLDEN.write_text(json.dumps(held, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert held.get(name) == fingerprint(form_id), "ports changed: raise the version in workbooks/forms, then bless"
