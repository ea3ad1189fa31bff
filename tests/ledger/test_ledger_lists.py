"""Earlier years' lists in their own columns: entered once, taken to where they stand, and read again as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.ledger_bench import (
    BENCHMARK,
    CLOUD,
    FIRST,
    SAAS,
    WAY_TO_VOUCHER,
    YUAN,
    ZAOZHUANG,
    A,
    B,
    C,
    act,
    code,
    grant,
    totals,
    walk,
)
from macros_bridge.ledger_command import ledger_app
from workbooks.ledger.amendments import correct_amount
from workbooks.ledger.database import Ledger, LedgerError, open_ledger
from workbooks.ledger.facts_before import facts_before
from workbooks.ledger.integrity import check

D = code(4)
WHO = ("--batch", "2022年度", "--operator", "经办甲", "--date", "2022-03-15")


def listed(folder: Path, *rows: str, name: str = "往年.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def entered(address: str, *arguments: Any) -> dict[str, Any]:
    result = CliRunner().invoke(
        ledger_app, ["import", *map(str, arguments), *WHO, "--ledger", address, "--json"], standalone_mode=False
    )
    assert result.exception is None, result.exception
    return {**json.loads(result.stdout), "code": result.return_value}


def test_a_list_is_entered_once_and_taken_to_its_state(address: str, tmp_path: Path) -> None:
    path = listed(
        tmp_path, "序号,单位全称,统一社会信用代码,奖励金额（万元）", f"1,示例甲平台,{A},20", f"2,示例乙平台,{B},10.5",
        f"3,示例丙平台,{C[:16]},10", f"4,示例丁平台,{code(4)},", "合计,,,30.5",
    )  # fmt: skip
    for state, moved in (("booked", 2), ("already", 0)):
        told = entered(address, path, "--policy", ZAOZHUANG, "--reached", "认定")
        assert (told["files"][0]["state"], told["moved"], told["code"]) == (state, moved, 1)
        assert [why for _, why in told["files"][0]["left"]] == [
            "统一社会信用代码应为18位数字和大写字母（不含 I、O、S、V、Z），现为16位", "没有金额",
        ]  # fmt: skip
    with open_ledger(address) as ledger:
        assert (totals(ledger, A), totals(ledger, B)) == ({ZAOZHUANG: 200000}, {ZAOZHUANG: 105000})
        assert check(ledger) == []
        with ledger.reading() as connection:
            facts = facts_before(connection, ZAOZHUANG, [A], "2025年度")[A]
    assert facts["previously_recognised"] is True and facts["last_recognised_on"].isoformat() == "2022-03-15"
    replayed = CliRunner().invoke(ledger_app, ["replay", str(path), "--ledger", address])
    assert "复算一致（2 项）" in replayed.stdout


def test_a_list_of_several_directions(ledger: Ledger, address: str, tmp_path: Path) -> None:
    path = listed(
        tmp_path, "企业名称,统一社会信用代码,方向,金额（元）", f"甲,{A},小灯塔,300000", f"甲,{A},创新能力,100000",
        f"乙,{B},,1",
    )  # fmt: skip
    told = entered(address, path, "--policy", BENCHMARK)
    assert (told["files"][0]["state"], told["files"][0]["left"][0][1]) == ("booked", "没有方向")
    with ledger.reading() as connection:
        had = facts_before(connection, BENCHMARK, [A], "2025年度")[A]
    assert had == {"benchmark_awards_received": ("lighthouse", "innovation")}


def test_an_open_application_that_did_not_know_of_the_list_is_named(
    ledger: Ledger, address: str, tmp_path: Path
) -> None:
    """A's 30,000 元 were computed as if nothing had been had; B's are settled, C's were imported and not computed."""
    grant(ledger, A, SAAS, 30000)
    grant(ledger, B, SAAS, 30000)
    walk(ledger, B, SAAS, *WAY_TO_VOUCHER, "serve", "accept", "settle")
    entered(address, listed(tmp_path, "企业名称,统一社会信用代码,金额（元）", f"丙,{C},20000"), "--policy", CLOUD)
    rows = (f"甲,{A},50000", f"乙,{B},50000", f"丙,{C},50000")
    path = listed(tmp_path, "企业名称,统一社会信用代码,金额（元）", *rows, name="二.csv")
    told = entered(address, path, "--policy", SAAS)
    (warning,) = [text for text in told["files"][0]["warnings"] if "尚未拨付" in text]
    assert all(part in warning for part in (f"批次“{FIRST}”", "30,000.00 元", "50,000.00 元", "2022年度"))
    assert A[:6] in warning and A not in warning
    assert entered(address, path, "--policy", SAAS)["files"][0]["warnings"] == []


def test_what_was_had_is_entered_above_a_cap_with_a_reason(ledger: Ledger, address: str, tmp_path: Path) -> None:
    """第十三条: 10万元 per enterprise. A was granted 60,000, B 20,000; the list comes later and says 50,000 each of
    A, B and C and 110,000 of D, so that A is 10,000 above and D too."""
    grant(ledger, A, SAAS, 60000)
    grant(ledger, B, SAAS, 20000)
    rows = [
        f"企业{at},{uscc},{yuan}" for at, (uscc, yuan) in enumerate(((A, 50000), (B, 50000), (C, 50000), (D, 110000)))
    ]
    path = listed(tmp_path, "企业名称,统一社会信用代码,金额（元）", *rows)
    (refused,) = entered(address, path, "--policy", SAAS)["files"]
    assert (refused["state"], refused["error"]["code"]) == ("refused", "E-LEDGER-CAP")
    said = refused["error"]["message"]
    assert (
        "2 处" in said
        and f"{A[:6]}********{A[-4:]}" in said
        and A not in said
        and "第十三条" in said
        and "--reason" in refused["error"]["remedy"]
    )
    assert [part in said for part in ("此次 50,000.00 元，累计 110,000.00 元", "此次 110,000.00 元")] == [True, True]
    assert [name in said for name in ("企业0", "企业1", "企业2", "企业3")] == [True, False, False, True]
    assert totals(ledger, C) == {}
    told = entered(address, path, "--policy", SAAS, "--reason", "据拨付文件核实", "--reached", "兑付")
    (done,) = told["files"]
    assert (done["state"], len(done["over"]), told["moved"], told["code"]) == ("booked", 2, 4, 1)
    assert any("尚未拨付" in warning for warning in done["warnings"])
    assert [totals(ledger, uscc)[SAAS] for uscc in (A, B, C, D)] == [110000, 70000, 50000, 110000]
    # It is so, and nothing more is granted on top of it.
    assert check(ledger) == []
    with pytest.raises(LedgerError, match="E-LEDGER-CAP"):
        grant(ledger, D, SAAS, 1, "示例第三批")
    assert correct_amount(ledger, act(reason="复核"), SAAS, FIRST, A, 50000 * YUAN).over == ()
    (over,) = correct_amount(ledger, act(reason="复核"), SAAS, "2022年度", D, 120000 * YUAN).over
    assert "120,000.00 元" in over and check(ledger) == []
    remaining = CliRunner().invoke(ledger_app, ["remaining", D, "--ledger", address]).stdout
    assert "超过 20,000.00 元" in remaining


def test_what_is_in_doubt_is_asked_first(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = listed(tmp_path, "企业名称,统一社会信用代码,享受的金额", f"甲,{A},60000")
    told = entered(address, path, "--policy", SAAS)
    assert told["code"] == 1 and len(told["questions"]) == 1 and told["files"] == []
    mapping = tmp_path / told["column_map"]
    mapping.write_text(
        mapping.read_text(encoding="utf-8").replace('"fact": "?"', '"fact": "granted"').replace('"?"', '"元"'),
        encoding="utf-8",
    )
    assert entered(address, path, "--policy", SAAS, "--map", mapping)["files"][0]["state"] == "booked"
    with open_ledger(address) as ledger:
        assert totals(ledger, A) == {SAAS: 60000}


@pytest.mark.parametrize(
    ("policy", "reached", "wanted"),
    [(ZAOZHUANG, "火星", "E-LEDGER-STATE"), ("hohhot.maturity_2024", "", "E-LEDGER-PROGRAMME")],
)
def test_a_slip_of_the_pen(file_address: str, tmp_path: Path, policy: str, reached: str, wanted: str) -> None:
    path = listed(tmp_path, "企业名称,统一社会信用代码,金额（元）", f"甲,{A},60000")
    result = CliRunner().invoke(
        ledger_app, ["import", str(path), "--policy", policy, "--reached", reached, *WHO, "--ledger", file_address]
    )
    assert getattr(result.exception, "code", "") == wanted
    with open_ledger(file_address) as ledger:
        assert totals(ledger, A) == {}
