"""``recalc --ledger``: results with what was had before, workbooks whose formulas agree, and each file entered once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from workbench import CLOUD as CLOUD_FORM
from workbench import CLOUD_COMPANY, SAAS_COMPANY, e1, filled, values
from workbench import FORM as ASSESSMENT
from workbench import SAAS as SAAS_FORM

from ledger.ledger_bench import CLOUD, FIRST, HOHHOT, SAAS, SECOND, YUAN, A, act, code, grant, totals, walk
from macros_bridge.cli import app
from macros_bridge.ledger_booking import Booking, booking_given
from workbooks.batch.run import process
from workbooks.batch.tasks import Options, Task
from workbooks.ledger.database import Ledger, open_ledger
from workbooks.ledger.runs import beside
from xlcalc.errors import XlcalcError

USCC = str(SAAS_COMPANY["uscc"])


def write(path: Path, **facts: Any) -> Path:
    path.write_bytes(filled(SAAS_FORM, SAAS_COMPANY | facts))
    return path


@pytest.mark.parametrize(("typed", "finding"), [(None, "E-LEDGER-FILLED"), ("0元", "E-LEDGER-DIFFERS")])
def test_the_formulas_of_a_result_agree_with_it(
    ledger: Ledger, tmp_path: Path, typed: str | None, finding: str
) -> None:
    # 60 % of 120000 is 72000, of which 28000 fit under 10万元 after 72000.
    grant(ledger, USCC, SAAS, 72000)
    target = tmp_path / "结果.xlsx"
    given = write(tmp_path / "申报.xlsx", saas_reduction_to_date=typed)
    done = process(Task(given, target), Options(ledger=beside(ledger, SECOND)))
    assert done.outcomes[0]["payable"]["fen"] == 28000 * YUAN
    (told,) = [item for item in done.findings if item["code"].startswith("E-LEDGER")]
    assert told["code"] == finding and "72,000.00 元" in told["message"] and "推荐表!" in told["where"]
    assert "E-STORED-DIFFERS" not in {item["code"] for item in done.findings}
    assert values(target.read_bytes(), "t_saas_reduction_to_date")[0] == 72000
    again = process(Task(target, None), Options())
    assert again.outcomes[0]["payable"]["fen"] == 28000 * YUAN
    assert "E-STORED-DIFFERS" not in {item["code"] for item in again.findings}


def test_what_was_entered_from_the_file_itself_is_not_had_before(ledger: Ledger, tmp_path: Path) -> None:
    grant(ledger, A, SAAS, 72000, FIRST)
    for batch, yuan in ((FIRST, 72000), (SECOND, 28000)):
        done = process(Task(write(tmp_path / "申报.xlsx", uscc=A), None), Options(ledger=beside(ledger, batch)))
        assert done.outcomes[0]["payable"]["fen"] == yuan * YUAN


def test_what_the_ledger_refuses_is_not_payable(ledger: Ledger, address: str, tmp_path: Path) -> None:
    grant(ledger, USCC, SAAS, 50000, FIRST)
    options = Options(ledger=beside(ledger, FIRST))
    result = process(Task(write(tmp_path / "申报.xlsx"), None), options)
    assert result.outcomes[0]["payable"]["fen"] == 72000 * YUAN
    entered = Booking(address, FIRST, act()).enter([result], options)
    assert entered is not None and entered.is_open
    entered.hold_back(result)
    assert (result.outcomes[0]["status"], result.outcomes[0]["payable"]) == ("not_determined", None)
    assert result.findings[-1]["where"] == result.outcomes[0]["where"]
    assert result.findings[-1]["code"] == "E-LEDGER-GRANTED" and USCC not in result.findings[-1]["message"]
    assert totals(ledger, USCC) == {SAAS: 50000}


def test_a_second_grant_that_no_rule_judges_is_told(ledger: Ledger, address: str, tmp_path: Path) -> None:
    """呼和浩特: 350,000 元 in 第一批; a changed copy in 第二批 computes another 350,000 元."""
    path, given = tmp_path / "自评估.xlsx", e1()
    path.write_bytes(filled(ASSESSMENT, given))
    grant(ledger, given["uscc"], HOHHOT, 350000, FIRST)
    first, second = Options(ledger=beside(ledger, FIRST)), Options(ledger=beside(ledger, SECOND))
    assert "E-LEDGER-AGAIN" not in {item["code"] for item in process(Task(path, None), first).findings}
    done = process(Task(path, None), second)
    (told,) = [item for item in done.findings if item["code"] == "E-LEDGER-AGAIN"]
    assert told["severity"] == "warn" and told["where"]
    assert all(part in told["message"] for part in (f"批次“{FIRST}”", "350,000.00 元", "2025-06-30", "ledger correct"))
    entered = Booking(address, SECOND, act()).enter([done], second)
    assert entered is not None and totals(ledger, given["uscc"]) == {HOHHOT: 700000}
    (said,) = [line for line in entered.lines if "此前已享受" in line]
    assert f"批次“{FIRST}”有 350,000.00 元（2025-06-30 登记）" in said and given["uscc"] not in said
    # Entered as it is: the file is judged by what there was before it, and enters nothing again.
    assert [item["code"] for item in process(Task(path, None), second).findings].count("E-LEDGER-AGAIN") == 1
    # What was taken back is not had.
    grant(ledger, A, HOHHOT, 350000, FIRST)
    walk(ledger, A, HOHHOT, "file", "examine", "disqualify")
    assert grant(ledger, A, HOHHOT, 350000, SECOND).warnings == ()


def recalc(*arguments: Any) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["recalc", *map(str, arguments), "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_a_run_is_entered_once(file_address: str, tmp_path: Path) -> None:
    folder, address = tmp_path / "申报", file_address
    folder.mkdir()
    write(folder / "一.xlsx")
    write(folder / "二.xlsx", uscc=code(1), is_sme=None)
    common = (folder, "-o", tmp_path / "结果", "--ledger", address, "--batch", FIRST)
    _, read = recalc(*common)
    assert "ledger" not in read
    with open_ledger(address) as ledger:
        assert totals(ledger, USCC) == {}
    # What stands is not made again, and yet is entered.
    for state in ("booked", "already"):
        exit_code, done = recalc(*common, "--resume", "--commit", "--operator", "经办甲", "--date", "2025-06-30")
        assert [entry["state"] for entry in done["ledger"]] == [state, "empty"]
        assert exit_code == 1 and "尚不能确定" in done["ledger"][1]["left"][0][1]
    with open_ledger(address) as ledger:
        assert totals(ledger, USCC) == {SAAS: 72000}


def both_forms(folder: Path, cloud: str = "二.xlsx") -> None:
    """60 % of 150,000 are 90,000; of a voucher of 20,000 the cap of 100,000 for both together leaves 10,000."""
    folder.mkdir()
    write(folder / "一.xlsx", approved_amount="150000元")
    voucher = CLOUD_COMPANY | {
        "uscc": USCC,
        "enterprise_name": SAAS_COMPANY["enterprise_name"],
        "maturity_level": "四级",
    }
    (folder / cloud).write_bytes(filled(CLOUD_FORM, voucher))


@pytest.mark.parametrize("resume", [False, True])
def test_what_a_run_enters_counts_for_its_other_files(file_address: str, tmp_path: Path, resume: bool) -> None:
    both_forms(tmp_path / "申报")
    common = (tmp_path / "申报", "-o", tmp_path / "结果", "--ledger", file_address, "--batch", FIRST)
    if resume:
        recalc(*common)
        common = (*common, "--resume")
    exit_code, done = recalc(*common, "--commit", "--operator", "经办甲", "--date", "2025-06-30")
    assert exit_code == 0 and [entry["state"] for entry in done["ledger"]] == ["booked", "booked"]
    payable = [file["outcomes"][0]["payable"]["fen"] for file in done["files"]]
    assert payable == [90_000 * YUAN, 10_000 * YUAN]
    assert values((tmp_path / "结果" / "二（核算结果）.xlsx").read_bytes(), "t_face_value")[0] == 10000
    with open_ledger(file_address) as ledger:
        assert totals(ledger, USCC) == {SAAS: 90000, CLOUD: 10000}


def test_files_entered_at_once_count_for_each_other(file_address: str, tmp_path: Path) -> None:
    both_forms(tmp_path / "申报")
    given = ("book", str(tmp_path / "申报"), "--ledger", file_address, "--batch", FIRST)
    said = CliRunner().invoke(app, ["ledger", *given, "--operator", "经办甲", "--date", "2025-06-30"])
    assert said.exit_code == 0, said.output
    with open_ledger(file_address) as ledger:
        assert totals(ledger, USCC) == {SAAS: 90000, CLOUD: 10000}


def test_a_run_that_only_asks_the_ledger_says_what_it_warns_of(file_address: str, tmp_path: Path) -> None:
    """Two forms say nothing was had, and the ledger knows of 72,000: one line with an example."""
    with open_ledger(file_address) as ledger:
        for number in (1, 2):
            grant(ledger, code(number), SAAS, 72000)
            write(tmp_path / f"{number}.xlsx", uscc=code(number), saas_reduction_to_date="0元")
    said = (
        CliRunner()
        .invoke(
            app,
            ["recalc", str(tmp_path), "-o", str(tmp_path / "结果"), "--ledger", file_address, "--batch", SECOND],
        )
        .stdout
    )
    (line,) = [line for line in said.splitlines() if "[E-LEDGER-DIFFERS]" in line]
    assert "提醒 2 条，在 2 份文件中，如 1.xlsx " in line and "72,000.00 元" in line


@pytest.mark.parametrize(
    "given",
    [
        (None, FIRST, False, "", ""), (None, "", True, "甲", "2025-06-30"), ("台账.db", "", False, "", ""),
        ("台账.db", FIRST, True, "甲", ""), ("台账.db", FIRST, True, "", "2025-06-30"),
        ("台账.db", FIRST, False, "甲", "2025-06-30"),
    ],
)  # fmt: skip
def test_options_that_lack_each_other(given: tuple[Any, ...]) -> None:
    with pytest.raises(XlcalcError) as caught:
        booking_given(*given)
    assert caught.value.code == "E-USAGE"


def test_a_run_without_a_ledger_does_not_begin(tmp_path: Path) -> None:
    write(tmp_path / "一.xlsx")
    result = CliRunner().invoke(
        app,
        ["recalc", str(tmp_path), "-o", str(tmp_path / "结果"), "--ledger", str(tmp_path / "没有.db"), "--batch", "一"],
    )
    assert isinstance(result.exception, XlcalcError) and result.exception.code == "E-LEDGER-ABSENT"
    assert list((tmp_path / "结果").glob("*")) == []
