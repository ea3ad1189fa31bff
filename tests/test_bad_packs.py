"""One malformed pack for each way a pack can be wrong: its code, its place, and words that help."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import xlcalc
from xlcalc import load_policy
from xlcalc.errors import PackError

FOLDER = Path(__file__).parent / "packs_bad"
MALFORMED = sorted(FOLDER.glob("*.toml"))
SOUND = sorted((FOLDER / "sound").glob("*.toml"))
EXCERPT = "rules.excerpt.txt"
CHINESE = re.compile(r"[\u4e00-\u9fff]")

Hold = Callable[[Path], None]


def placed(pack: Path, folder: Path) -> Path:
    """The pack and its excerpt in a folder of their own, as ``broken.pack``."""
    city = folder / "broken"
    city.mkdir()
    shutil.copy(pack, city / "pack.toml")
    shutil.copy(FOLDER / EXCERPT, city / EXCERPT)
    return folder


def refusal(hold: Hold, folder: Path, policy: str = "broken.pack") -> PackError:
    hold(folder)
    with pytest.raises(PackError) as raised:
        load_policy(policy)
    return raised.value


@pytest.mark.parametrize("pack", SOUND, ids=lambda path: path.stem)
def test_a_sound_pack_loads(pack: Path, tmp_path: Path, held_packs: Hold) -> None:
    held_packs(placed(pack, tmp_path))
    assert load_policy("broken.pack").newest.mechanism(pack.stem).label


@pytest.mark.parametrize("pack", MALFORMED, ids=lambda path: path.stem)
def test_a_malformed_pack_is_refused(pack: Path, tmp_path: Path, held_packs: Hold) -> None:
    code = pack.stem.partition("__")[0]
    where = pack.read_text(encoding="utf-8").splitlines()[0].removeprefix("# where: ")
    error = refusal(held_packs, placed(pack, tmp_path))
    assert error.code == code
    assert where in (error.where or "")
    assert (error.where or "").startswith("pack.toml")
    assert CHINESE.search(error.message)
    assert CHINESE.search(error.remedy)


def test_two_files_of_one_policy_are_refused(tmp_path: Path, held_packs: Hold) -> None:
    city = tmp_path / "national"
    city.mkdir()
    shutil.copy(SOUND[0], city / "maturity_2024.toml")
    error = refusal(held_packs, tmp_path, "national.maturity_2024")
    assert error.code == "E-PACK-DOUBLE"
    assert "maturity_2024.toml" in (error.where or "")
    assert CHINESE.search(error.message) and CHINESE.search(error.remedy)


def test_every_code_has_a_malformed_pack() -> None:
    home = Path(xlcalc.__file__).parent
    raised = {
        code
        for part in ("packs", "mechanisms")
        for path in (home / part).glob("*.py")
        # What it refuses is no malformed pack: see test_earlier_packs.
        if path.name != "earlier.py"
        for code in re.findall(r'"(E-PACK-[A-Z]+)"', path.read_text(encoding="utf-8"))
    }
    assert raised == {pack.stem.partition("__")[0] for pack in MALFORMED}
