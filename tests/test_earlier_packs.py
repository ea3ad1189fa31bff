"""A pack is mended without a new version: what went out before is computed under the text of then."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from conftest import forget_packs
from workbench import CLOUD, CLOUD_COMPANY, again, codes, save, typed, value

from workbooks.batch.run import process
from workbooks.batch.tasks import Options, Task
from workbooks.template import build_template, manifest
from xlcalc.errors import PackError, WorkbookRefused
from xlcalc.packs import registry
from xlcalc.packs.earlier import check_earlier, lay_down, version_as_recorded

POLICY = "shijiazhuang.cloud_voucher"
# 100,000 yuan in all, of which 95,000 were had under the other instrument.
FACTS = [CLOUD_COMPANY | {"saas_reduction_to_date": "95000元"}]
THEN, NOW = 5000, 15000


def forget() -> None:
    forget_packs()
    manifest.cache_clear()
    version_as_recorded.cache_clear()


@pytest.fixture
def mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Path]]:
    """Has the other instrument count no longer, under the same version; returns the folder of the pack."""
    folder = tmp_path / "policies"
    shutil.copytree(registry.policy_folders()[0], folder)
    monkeypatch.setattr(registry, "_BUILT_IN", folder)
    forget()

    def mended() -> Path:
        pack = folder / (POLICY.replace(".", "/") + ".toml")
        text = pack.read_text(encoding="utf-8")
        counted = 'counts = ["cloud_voucher_received", "saas_reduction_to_date"]'
        assert text.count(counted) == 1
        pack.write_text(text.replace(counted, 'counts = ["cloud_voucher_received"]'), encoding="utf-8")
        forget()
        return pack.parent

    yield mended
    monkeypatch.undo()
    forget()


def test_a_workbook_is_computed_under_the_text_it_names(mend: Callable[[], Path], tmp_path: Path) -> None:
    data = build_template(CLOUD, FACTS)
    before = again(data)
    assert value(before.data, "t_face_value") == THEN
    hashes = {policy: version.hash for policy, version in before.read.versions.items()}
    assert len(lay_down(POLICY)) == 1 and lay_down(POLICY) == []
    folder = mend()
    assert check_earlier(POLICY) == 1

    after = again(data)
    assert value(after.data, "t_face_value") == THEN
    assert [outcome for _, outcome in after.outcomes] == [outcome for _, outcome in before.outcomes]
    assert {outcome.pack_hash for _, outcome in after.outcomes} == set(hashes.values())
    assert [item.severity for item in after.findings if item.code == "E-PACK-TEXT"] == ["info"]
    result = process(Task(save(tmp_path, "甲.xlsx", data), tmp_path / "结果.xlsx"), Options())
    assert result.state == "done" and "E-PACK-TEXT" in {item["code"] for item in result.findings}

    assert value(build_template(CLOUD, FACTS), "t_face_value") == NOW
    renewed = again(data, on=date(2025, 5, 31))
    assert value(renewed.data, "t_face_value") == NOW
    assert "E-PACK-TEXT" not in codes(again(renewed.data).all_findings())

    (kept,) = (folder / "earlier").iterdir()
    kept.write_text(kept.read_text(encoding="utf-8").replace("万元", "千元"), encoding="utf-8")
    forget()
    with pytest.raises(PackError, match="校验值"):
        check_earlier(POLICY)
    with pytest.raises(PackError, match="校验值"):
        again(data)
    kept.unlink()
    forget()
    with pytest.raises(WorkbookRefused) as refused:
        again(data)
    assert refused.value.code == "E-PACK-GONE"


def test_a_hash_with_a_path_in_it_leads_nowhere(mend: Callable[[], Path], tmp_path: Path) -> None:
    data = build_template(CLOUD, FACTS)
    folder = mend()
    (folder / "earlier").mkdir()
    (folder / "x.json").write_text('{"id": "2025-01-06"}', encoding="utf-8")
    with pytest.raises(WorkbookRefused) as refused:
        again(typed(data, {("xlcalc_hashes", 0): "/../../x"}))
    assert refused.value.code == "E-PACK-GONE"


def test_a_folder_that_cannot_be_written_is_named(mend: Callable[[], Path]) -> None:
    folder = mend()
    (folder / "earlier").write_text("", encoding="utf-8")
    with pytest.raises(PackError) as caught:
        lay_down(POLICY)
    assert caught.value.code == "E-IO" and caught.value.where == str(folder / "earlier")
