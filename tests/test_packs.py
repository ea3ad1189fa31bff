"""The packs as they are shipped: sound when read fresh, true to their sources, free of persons, cached faithfully."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from conftest import forget_packs

import xlcalc
from xlcalc import load_policy
from xlcalc.errors import PolicyError
from xlcalc.packs import registry
from xlcalc.packs.registry import pack_path, policy_ids, read_fresh
from xlcalc.values.text import squeeze

HOME = Path(xlcalc.__file__).parent
POLICIES = HOME / "policies"
SHARED = Path(__file__).parents[2] / "shared"
AMBIGUITIES = {f"AMB-{number:02d}" for number in range(1, 107)}
PERSONAL = {
    "mobile": re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"),
    "telephone": re.compile(r"(?<!\d)0\d{2,3}-?\d{7,8}(?!\d)"),
    "e-mail": re.compile("[@＠]"),
    "contact": re.compile(r"(联系人|联系电话|联系方式)[:：]\s*[^\s（，。]{2,}"),
}
HELD = {
    "hohhot.maturity_2024", "hohhot.transformation_subsidy", "national.maturity_2024",
    "shijiazhuang.cloud_voucher", "shijiazhuang.saas_voucher",
}  # fmt: skip

every_policy = pytest.mark.parametrize("policy", policy_ids())


def documents() -> list[tuple[str, dict[str, Any], Path]]:
    """Each policy's own documents with their excerpts; inherited ones are their own policy's."""
    return [
        (policy, row, pack_path(policy).parent / row["excerpt"])
        for policy in policy_ids()
        for row in tomllib.loads(pack_path(policy).read_text(encoding="utf-8"))["document"]
    ]


def test_the_first_policies_are_held() -> None:
    assert set(policy_ids()) >= HELD


@every_policy
def test_reads_fresh(policy: str) -> None:
    pack = read_fresh(policy)
    assert pack["id"] == policy
    assert pack["versions"]


@every_policy
def test_the_cache_gives_what_a_fresh_read_gives(policy: str) -> None:
    forget_packs()
    load_policy(policy)
    forget_packs()
    cached, _ = registry._resolved(policy)
    assert registry._cache_file(pack_path(policy)).is_file()
    assert cached == read_fresh(policy)


@every_policy
def test_quotes_are_verbatim(policy: str) -> None:
    excerpts = {row["key"]: squeeze(path.read_text(encoding="utf-8")) for _, row, path in documents()}
    for version in read_fresh(policy)["versions"]:
        for clause in version["clause"]:
            assert squeeze(clause["quote"]) in excerpts[clause["document"]], clause["key"]
            assert clause["article"]


@pytest.mark.parametrize(("policy", "row", "path"), documents(), ids=lambda value: str(value)[:40])
def test_an_excerpt_is_what_stands_in_its_source(policy: str, row: dict[str, Any], path: Path) -> None:
    excerpt = path.read_bytes()
    assert hashlib.sha256(excerpt).hexdigest() == row["source"]["sha256"], policy
    sources = [SHARED / folder / row["source"]["file"] for folder in ("seeds", "domain")]
    for source in filter(Path.is_file, sources):
        lines = source.read_text(encoding="utf-8").splitlines()
        wanted = [line for first, last in row["source"]["lines"] for line in lines[first - 1 : last]]
        assert excerpt.decode().splitlines() == wanted, row["source"]["file"]


def test_every_ambiguity_named_is_on_the_list() -> None:
    texts = [path.read_text(encoding="utf-8") for pattern in ("*.toml", "*.py") for path in HOME.rglob(pattern)]
    named = {name for text in texts for name in re.findall(r"AMB-\d+", text)}
    assert named
    assert named <= AMBIGUITIES


@every_policy
def test_interpretations_say_what_and_why(policy: str) -> None:
    for version in read_fresh(policy)["versions"]:
        for row in version["interpretation"]:
            assert row["id"] in AMBIGUITIES
            assert row["question"] and row["reason"]
            assert row["kind"] not in ("choice", "required") or row["confirmed_by"], row["id"]


@pytest.mark.parametrize("path", sorted(POLICIES.rglob("*.*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_person_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    # A hash is a long run of digits and letters, and a version is named with @; neither is a person's.
    text = re.sub(r'\b[0-9a-f]{64}\b|^extends = "[\w.]+@[\d-]+"$', "", text, flags=re.MULTILINE)
    assert [kind for kind, pattern in PERSONAL.items() if pattern.search(text)] == []


DAMAGED = {
    "empty": b"",
    "cut short": b'{"library": "0.1.0", "sour',
    "not text": b"\xff\xfe\x00",
    "a list": b"[]",
    "a number": b"7",
    "sources that are a list": json.dumps({"library": xlcalc.__version__, "sources": [], "pack": {}}).encode(),
    "no pack": json.dumps({"library": xlcalc.__version__, "sources": {}}).encode(),
    "another library": json.dumps({"library": "0.0.0", "sources": {}, "pack": {"id": "x"}}).encode(),
    "a source that is gone": json.dumps(
        {"library": xlcalc.__version__, "sources": {"/nowhere": "0"}, "pack": {"id": "x"}}
    ).encode(),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_cache_file_is_ignored(content: bytes) -> None:
    policy = "hohhot.transformation_subsidy"
    kept = registry._cache_file(pack_path(policy))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(content)
    forget_packs()
    assert load_policy(policy).newest.hash == registry.Version(read_fresh(policy)["versions"][-1]).hash
    assert json.loads(kept.read_bytes())["pack"]["id"] == policy


def test_a_cache_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("XLCALC_CACHE", str(blocked))
    forget_packs()
    assert load_policy("hohhot.transformation_subsidy").id == "hohhot.transformation_subsidy"
    monkeypatch.undo()
    forget_packs()


def test_a_changed_excerpt_is_noticed_in_spite_of_the_cache() -> None:
    policy = "hohhot.transformation_subsidy"
    forget_packs()
    load_policy(policy)
    kept = registry._cache_file(pack_path(policy))
    entry = json.loads(kept.read_bytes())
    excerpt = next(name for name in entry["sources"] if name.endswith(".txt"))
    entry["sources"][excerpt] = "0" * 64
    entry["pack"]["label"] = "不是这个政策"
    kept.write_text(json.dumps(entry), encoding="utf-8")
    forget_packs()
    assert load_policy(policy).label == "呼和浩特市中小企业数字化改造补贴"


def test_an_unknown_policy_is_refused_with_the_nearest() -> None:
    with pytest.raises(PolicyError) as raised:
        load_policy("hohhot.transformation_subsidies")
    assert raised.value.code == "E-POLICY"
    assert "hohhot.transformation_subsidy" in raised.value.remedy


def test_an_unknown_version_is_refused_with_those_held() -> None:
    with pytest.raises(PolicyError) as raised:
        load_policy("national.maturity_2024").version("2022-01-01")
    assert raised.value.code == "E-VERSION"
    assert "2024-09-04" in raised.value.remedy


def test_a_city_inherits_and_overrides_by_key() -> None:
    national, hohhot = (load_policy(f"{city}.maturity_2024").newest for city in ("national", "hohhot"))
    weights = {
        version: {row["key"]: row["weight"] for row in version.data["mechanism"][0]["indicators"]}
        for version in (national, hohhot)
    }
    assert [weights[national][f"{name}_effect"] for name in ("green", "quality", "market")] == ["35%", "35%", "30%"]
    assert [weights[hohhot][f"{name}_effect"] for name in ("green", "quality", "market")] == ["30%", "30%", "40%"]
    assert weights[national]["equipment_system"] == weights[hohhot]["equipment_system"] == "40%"
    assert len(hohhot.data["mechanism"][0]["scenes"]) == 16
    assert set(national.interpretations) < set(hohhot.interpretations)
