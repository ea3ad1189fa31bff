"""``xlcalc ledger …`` as a clerk types it: Chinese lines, one JSON document, and an exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result
from workbench import SAAS as SAAS_FORM
from workbench import SAAS_COMPANY, filled, typed

from ledger.ledger_bench import lived_in
from macros_bridge.ledger_command import ledger_app
from workbooks.ledger import crosschecks
from workbooks.ledger.database import Ledger
from xlcalc.errors import XlcalcError

SAAS, USCC = "shijiazhuang.saas_voucher", SAAS_COMPANY["uscc"]
WHO = ("--operator", "经办甲", "--date", "2025-06-30")
ONE = ("--policy", SAAS, "--batch", "示例第一批")


def ledger(*arguments: Any) -> Result:
    return CliRunner().invoke(ledger_app, [str(argument) for argument in arguments])


def told(*arguments: Any) -> dict[str, Any]:
    result = ledger(*arguments, "--json")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return json.loads(result.stdout)  # type: ignore[no-any-return]


@pytest.fixture
def at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLCALC_LEDGER", address)


@pytest.fixture
def at_file(file_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLCALC_LEDGER", file_address)


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "推荐表.xlsx"
    path.write_bytes(filled(SAAS_FORM, SAAS_COMPANY))
    return path


def test_a_file_whose_stored_results_were_altered_is_entered_with_that_remark(at_file: None, workbook: Path) -> None:
    """12万 at 60 % reduce 72,000; that its own payment of 48,000 was written as 0 is told, twice if asked twice."""
    ledger("init")
    workbook.write_bytes(typed(workbook.read_bytes(), {"t_own_payment": 0}))
    for state in ("已登记，1 项，72,000.00 元", "未重复登记"):
        said = ledger("book", workbook, "--batch", "示例第一批", *WHO).stdout
        assert state in said and "1 处保存的结果或参数与重新核算的不同" in said and "保存“0”，应为“48000.00”" in said
    assert "48000.00" in told("book", workbook, "--batch", "示例第一批", *WHO)["files"][0]["remark"]


def test_a_year_in_the_ledger(at: None, workbook: Path, tmp_path: Path) -> None:
    assert "已就绪" in ledger("init").stdout
    booked = ledger("book", workbook, "--batch", "示例第一批", *WHO)
    assert "推荐表.xlsx：已登记，1 项，72,000.00 元" in booked.stdout
    assert "未重复登记" in ledger("book", workbook, "--batch", "示例第一批", *WHO).stdout
    assert "合计 72,000.00 元" in ledger("had", USCC.lower()).stdout
    assert "剩余 28,000.00 元" in ledger("remaining", USCC).stdout
    for key in ("submit", "county_pass", "recommend", "professional_pass"):
        ledger("step", USCC, *ONE, *WHO, "--take", key)
    shown = ledger("step", USCC, *ONE, *WHO, "--take", "publicise", "--due-days", 5).stdout
    assert "公示" in shown and "截止日期：2025年7月7日" in shown
    assert "公示" in ledger("due", "--from", "2025-07-01", "--to", "2025-07-31").stdout
    ledger("budget", *ONE, *WHO, "--add", "100万元")
    assert "剩余 928,000.00 元" in ledger("budget").stdout
    ledger("correct", USCC, *ONE, *WHO, "--reason", "复核", "--amount", "70000元")
    ledger("withdraw", USCC, *ONE, *WHO, "--reason", "误登")
    history = ledger("history", USCC).stdout
    assert "经办甲" in history and "复核" in history and "撤回" in history
    assert "没有重复享受" in ledger("double").stdout
    assert ledger("papers").exit_code == ledger("names").exit_code == 0
    assert "此前不在台账中" in ledger("step", USCC, *ONE[:2], "--batch", "示例第十批", *WHO, "--take", "submit").stdout
    assert "台账完好" in ledger("check").stdout
    assert "已备份" in ledger("backup", tmp_path / "备份.db").stdout
    restored = ledger("restore", tmp_path / "备份.db", "--ledger", tmp_path / "恢复.db")
    assert "已恢复" in restored.stdout
    assert "合计 70,000.00 元" in ledger("had", USCC, "--ledger", tmp_path / "恢复.db").stdout


def test_every_answer_is_json_too(at_file: None, workbook: Path, tmp_path: Path) -> None:
    booked = told("book", workbook, "--batch", "示例第一批", *WHO)
    assert booked["format"] == "xlcalc.ledger-book/1"
    assert booked["files"][0]["granted"] == {"fen": 7200000, "yuan": "72000.00"}
    assert told("had", USCC)["held"][0]["fen"] == 7200000
    assert [row["left"] for row in told("remaining", USCC, "--choose", "AMB-01=saas_only")["caps"]] == [2800000]
    assert told("history", USCC)["events"][0]["day"] == "2025-06-30"
    assert told("replay", workbook)["files"][0]["same"] is True
    assert told("check") == {"format": "xlcalc.ledger-check/1", "problems": [], "packs_changed": []}
    assert told("budget")["batches"][0]["granted"] == 7200000
    for name in ("double", "papers", "names"):
        assert told(name)["format"] == f"xlcalc.ledger-{name}/1"


def test_a_list_says_of_how_many_it_shows_a_part(
    file_ledger: Ledger, at_file: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crosschecks, "PAGE", 1)
    lived_in(file_ledger)
    said = ledger("double", "--page", "2").stdout
    assert "共 2 项，这是第 2 页的 1 项" in said
    assert told("double", "--page", "2")["total"] == 2
    assert told("names")["near_total"] == 1 and told("names")["several_total"] == 2
    assert "—" in ledger("names").stdout
    assert "台账完好" in ledger("check", "--rebuild").stdout


def test_a_run_with_something_left_ends_with_1(at_file: None, workbook: Path, tmp_path: Path) -> None:
    workbook.write_bytes(filled(SAAS_FORM, SAAS_COMPANY | {"is_sme": None}))
    result = ledger("book", workbook, "--batch", "示例第一批", *WHO, "--json")
    assert json.loads(result.stdout)["files"][0]["state"] == "empty"
    assert (
        CliRunner()
        .invoke(ledger_app, ["book", str(workbook), "--batch", "一", *WHO], standalone_mode=False)
        .return_value
        == 1
    )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("step", USCC, *ONE, *WHO, "--take", "recover"), "E-LEDGER-JUMP"),
        (("step", USCC, *ONE, *WHO, "--take", "submit", "--due", "2025-07-01", "--due-days", "5"), "E-USAGE"),
        (("book", "没有.xlsx", "--batch", "一", *WHO), "E-FILE"),
        (("budget", "--add", "1元"), "E-USAGE"),
        (("due", "--from", "2025-07-02", "--to", "2025-07-01"), "E-PERIOD"),
        (("remaining", USCC, "--choose", "AMB-1=combined"), "E-CHOICE"),
        (("had", USCC, "--ledger", "没有.db"), "E-LEDGER-ABSENT"),
        (("had", f"{USCC[:17]}X"), "E-LEDGER-CODE"),
        (("remaining", "9135"), "E-LEDGER-CODE"),
        (("history", "911301000000000000"), "E-LEDGER-CODE"),
        (("double", "--enterprise", "甲公司"), "E-LEDGER-CODE"),
        (("step", USCC[:17], *ONE, *WHO, "--take", "submit"), "E-LEDGER-CODE"),
        (("step", USCC, *ONE, "--operator", "甲", "--date", "2999-01-01", "--take", "submit"), "E-DATE"),
        (("budget", "--policy", "没有.政策"), "E-LEDGER-PROGRAMME"),
        (("book", ".", "--batch", " ", *WHO), "E-LEDGER-BATCH"),
        (("correct", USCC, *ONE, *WHO, "--reason", "复核", "--amount", "7万"), "E-LEDGER-UNKNOWN"),
        (("correct", USCC, *ONE, *WHO, "--reason", "复核", "--amount", "七"), "E-MONEY"),
        (("budget", "--policy", "没有.政策", "--batch", "一", *WHO, "--add", "1元"), "E-LEDGER-PROGRAMME"),
        (("had", USCC, "--ledger", "oracle://x"), "E-LEDGER-URL"),
        (("step", USCC, *ONE, "--operator", "甲", "--date", "昨天", "--take", "submit"), "E-DATE"),
    ],
)
def test_faults(arguments: tuple[str, ...], code: str, at_file: None) -> None:
    result = ledger(*arguments)
    assert isinstance(result.exception, XlcalcError)
    assert result.exception.code == code
    assert USCC not in str(result.exception)
