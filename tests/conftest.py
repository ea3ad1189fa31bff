"""For all tests: the pack cache never touches the user's own, and what happens without LibreOffice.

Tests marked ``libreoffice`` fail under CI=true when LibreOffice is missing or too old; elsewhere they are
skipped, and the last line says how many.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbooks.engines import libreoffice_engine
from xlcalc.errors import EngineError
from xlcalc.packs import registry

_WITHOUT_LIBREOFFICE = "needs LibreOffice"


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("libreoffice") is None:
        return
    try:
        held = libreoffice_engine.version()
        reason = "" if held >= libreoffice_engine.OLDEST else f"LibreOffice {held} is too old"
    except EngineError as error:
        reason = str(error)
    if reason and os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason} (run tests/install-libreoffice.sh)", pytrace=False)
    if reason:
        pytest.skip(f"{_WITHOUT_LIBREOFFICE}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    # Counted from the reports: the tests may have run in other processes.
    if count := sum(_WITHOUT_LIBREOFFICE in str(report.longrepr) for report in reporter.stats.get("skipped", ())):
        reporter.write_line(f"因缺少 LibreOffice 25.2，跳过了 {count} 项测试；安装：tests/install-libreoffice.sh")


def forget_packs() -> None:
    """The registry finds and reads packs anew, as a new process would."""
    for remembered in (registry._pack_files, registry.load_policy, registry._resolved):
        remembered.cache_clear()


@pytest.fixture(autouse=True, scope="session")
def own_cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLCALC_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("XLCALC_POLICIES", raising=False)
        patch.delenv("XLCALC_LEDGER", raising=False)
        yield


@pytest.fixture(scope="session")
def cell_ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ledger.ledger_bench import ledger_for_cells

    return ledger_for_cells(tmp_path_factory.mktemp("ledger") / "台账.db")


@pytest.fixture(scope="module")
def cell_ledger(cell_ledger_file: Path) -> Iterator[None]:
    """The ledger that cells find on this computer, with the holdings of ``ledger_for_cells``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLCALC_LEDGER", str(cell_ledger_file))
        yield


@pytest.fixture
def held_packs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Call with a folder to hold its packs too, beside the built-in ones, until the test ends."""

    def hold(folder: Path) -> None:
        monkeypatch.setenv("XLCALC_POLICIES", str(folder))
        forget_packs()

    yield hold
    monkeypatch.undo()
    forget_packs()
