"""From filled workbooks to the ledger and back: with what was had before, twice over, in two places at once, killed."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from workbench import CLOUD, CLOUD_COMPANY, SAAS_COMPANY, e1, filled
from workbench import FORM as ASSESSMENT
from workbench import SAAS as SAAS_FORM

from ledger.ledger_bench import FIRST, SAAS, SECOND, YUAN, A, B, act, code, file, grant, line, totals
from workbooks.ledger import schema
from workbooks.ledger.booking import Booked, book, book_all
from workbooks.ledger.database import Ledger, LedgerError, open_ledger
from workbooks.ledger.integrity import check
from workbooks.ledger.replay import replay
from workbooks.ledger.runs import lines_of_workbooks
from xlcalc.values.money import Money

SUBSIDY = "hohhot.transformation_subsidy"


def saas(folder: Path, name: str, **facts: Any) -> Path:
    path = folder / f"{name}.xlsx"
    path.write_bytes(filled(SAAS_FORM, SAAS_COMPANY | facts))
    return path


def run(ledger: Ledger, paths: list[Path], batch: str, **more: Any) -> list[Booked | LedgerError]:
    return book_all(ledger, act(), batch, lines_of_workbooks(ledger, paths, batch, **more))


def test_a_run_counts_what_was_had_before(ledger: Ledger, tmp_path: Path) -> None:
    # 60 % of 120000 is 72000; a second contract of the same size finds 28000 left of 10万元.
    uscc = SAAS_COMPANY["uscc"]
    one, two = saas(tmp_path, "一"), saas(tmp_path, "二", contract_date="2025-05-30")
    (done,) = run(ledger, [one], FIRST)
    assert isinstance(done, Booked) and done.granted == 72000 * YUAN
    (file_two,) = lines_of_workbooks(ledger, [two], SECOND)
    assert file_two.lines[0].amounts == {"": 28000 * YUAN}
    assert file_two.lines[0].used["saas_reduction_to_date"] == Money(72000 * YUAN)
    assert "已核减金额" in file_two.lines[0].warnings[0]
    book(ledger, act(), SECOND, file_two)
    assert totals(ledger, uscc) == {SAAS: 100000}
    # The same folder again, after all of it: nothing changes.
    again = run(ledger, [one], FIRST) + run(ledger, [two], SECOND)
    assert [item.state for item in again if isinstance(item, Booked)] == ["already", "already"]
    assert totals(ledger, uscc) == {SAAS: 100000}
    assert check(ledger) == []


def test_a_voucher_had_before_bars_another(ledger: Ledger, tmp_path: Path) -> None:
    # 第十一条1: only enterprises that have not had a voucher.
    path = tmp_path / "上云.xlsx"
    path.write_bytes(filled(CLOUD, CLOUD_COMPANY))
    (done,) = run(ledger, [path], FIRST)
    assert isinstance(done, Booked) and done.granted == 15000 * YUAN
    other = tmp_path / "又一份.xlsx"
    other.write_bytes(filled(CLOUD, CLOUD_COMPANY | {"contract_date": "2025-05-30"}))
    (found,) = lines_of_workbooks(ledger, [other], SECOND)
    assert found.lines == ()
    ((_, why),) = found.left
    assert why


def test_an_assessment_alone_enters_nothing_and_its_subsidy_does(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "自评估.xlsx"
    path.write_bytes(filled(ASSESSMENT, e1()))
    (found,) = lines_of_workbooks(ledger, [path], FIRST)
    # 二级: 70 % of 50万元.
    assert [(item.ground.policy, dict(item.amounts)) for item in found.lines] == [(SUBSIDY, {"": 350000 * YUAN})]


def test_what_is_not_determined_is_left_out_and_named(ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "两家.xlsx"
    path.write_bytes(
        filled(
            SAAS_FORM, SAAS_COMPANY, SAAS_COMPANY | {"uscc": code(7), "enterprise_name": "示例丙机械厂", "is_sme": None}
        )
    )
    (found,) = lines_of_workbooks(ledger, [path], FIRST)
    assert [item.uscc for item in found.lines] == [SAAS_COMPANY["uscc"]]
    assert len(found.left) == 1
    book(ledger, act(), FIRST, found)
    assert totals(ledger, code(7)) == {}


def test_a_code_that_cannot_be_right_is_not_entered(file_ledger: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "代码.xlsx"
    codes = (code(7), code(8)[:17] + "A", code(9)[:17], "911301021000001000")
    rows = [SAAS_COMPANY | {"uscc": uscc, "enterprise_name": f"示例{n}厂"} for n, uscc in enumerate(codes)]
    path.write_bytes(filled(SAAS_FORM, *rows))
    (found,) = lines_of_workbooks(file_ledger, [path], FIRST)
    assert [item.uscc for item in found.lines] == [code(7)]
    assert [why.removeprefix("统一社会信用代码")[:9] for _, why in found.left] == [
        f"校验位应为 {code(8)[17]}", "应为18位数字和大", "末三位已被表格软件",
    ]  # fmt: skip


def test_an_enterprise_in_two_files_is_in_neither(ledger: Ledger, tmp_path: Path) -> None:
    paths = [saas(tmp_path, "一"), saas(tmp_path, "二", contract_date="2025-05-30")]
    files = lines_of_workbooks(ledger, paths, FIRST)
    assert [item.lines for item in files] == [(), ()]
    assert all("多个文件" in why for item in files for _, why in item.left)


def test_a_file_that_cannot_be_used_is_named(ledger: Ledger, tmp_path: Path) -> None:
    bad = tmp_path / "坏.xlsx"
    bad.write_bytes(b"not a workbook")
    (found,) = lines_of_workbooks(ledger, [bad], FIRST)
    assert found.lines == () and found.left[0][0] == "坏.xlsx"


def test_a_past_run_is_computed_again(ledger: Ledger, tmp_path: Path) -> None:
    one, two = saas(tmp_path, "一"), saas(tmp_path, "二", contract_date="2025-05-30")
    run(ledger, [one], FIRST)
    run(ledger, [two], SECOND, choices={"AMB-01": "saas_only"})
    grant(ledger, SAAS_COMPANY["uscc"], "shijiazhuang.cloud_voucher", 0, "示例第三批")
    found = replay(ledger, [one, two])
    assert [(item.same, item.lines, item.differences) for item in found] == [(True, 1, ()), (True, 1, ())]
    (unknown,) = replay(ledger, [saas(tmp_path, "三", contract_date="2025-05-29")])
    assert not unknown.same and "没有登记过" in unknown.differences[0]


def test_a_file_entered_in_two_acts_is_computed_again(ledger: Ledger, tmp_path: Path) -> None:
    """A row that was left out at first and entered later is part of what the file gave."""
    path = tmp_path / "两家.xlsx"
    path.write_bytes(filled(SAAS_FORM, SAAS_COMPANY, SAAS_COMPANY | {"uscc": B, "enterprise_name": "示例丙机械厂"}))
    (found,) = lines_of_workbooks(ledger, [path], FIRST)
    book(ledger, act(), FIRST, replace(found, lines=found.lines[:1], asked={"on": "2025-05-31"}))
    later = book(ledger, act(reason="重复已处理"), FIRST, found, correcting=True)
    assert later.granted == 72000 * YUAN
    (again,) = replay(ledger, [path])
    assert (again.act, again.lines, again.differences) == (later.act, 2, ())


def test_a_row_that_was_left_out_counts_what_came_to_be_had_since(ledger: Ledger, tmp_path: Path) -> None:
    """A's 72,000 元 stand; of B's 100,000 元 60,000 were granted elsewhere meanwhile: 40,000 are left."""
    uscc, path = SAAS_COMPANY["uscc"], tmp_path / "两家.xlsx"
    path.write_bytes(filled(SAAS_FORM, SAAS_COMPANY, SAAS_COMPANY | {"uscc": B, "enterprise_name": "示例丙机械厂"}))
    (found,) = lines_of_workbooks(ledger, [path], FIRST)
    book(ledger, act(), FIRST, replace(found, lines=found.lines[:1]))
    grant(ledger, B, SAAS, 60000, SECOND)
    grant(ledger, uscc, SAAS, 28000, SECOND)
    (again,) = lines_of_workbooks(ledger, [path], FIRST)
    assert [dict(item.amounts) for item in again.lines] == [{"": 72000 * YUAN}, {"": 40000 * YUAN}]
    done = book(ledger, act(reason="重复已处理"), FIRST, again, correcting=True)
    assert (done.lines, done.unchanged, done.granted) == (1, 1, 40000 * YUAN)
    assert (totals(ledger, uscc), totals(ledger, B)) == ({SAAS: 100000}, {SAAS: 100000})
    (settled,) = run(ledger, [path], FIRST)
    assert isinstance(settled, Booked) and settled.state == "already"
    (replayed,) = replay(ledger, [path])
    assert replayed.same and replayed.lines == 2
    assert check(ledger) == []


def test_a_run_that_was_entered_otherwise_shows(ledger: Ledger, tmp_path: Path) -> None:
    path = saas(tmp_path, "一")
    (found,) = lines_of_workbooks(ledger, [path], FIRST)
    other = line(found.lines[0].uscc, SAAS, 71000)
    book(ledger, act(), FIRST, type(found)(found.source, (other,), (), found.asked))
    (again,) = replay(ledger, [path])
    assert not again.same
    assert "71,000.00 元" in again.differences[0] and "72,000.00 元" in again.differences[0]


def processes() -> Any:
    """Where the system has it, processes are forked from one that has read the modules; nothing else is shared."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "psycopg", "workbooks.ledger.replay"])
    return context


def _compete(address: str, number: int, start: Any, said: Any) -> None:
    """One of several runs: wants 6万 for each of ten enterprises, each in a batch of its own."""
    with open_ledger(address) as ledger:
        start.wait()
        for enterprise in range(10):
            try:
                given = file(line(code(enterprise), SAAS, 60000), content=f"{number} {enterprise}")
                book(ledger, act(), f"示例{number}批", given)
                said.put("booked")
            except LedgerError as error:
                said.put(error.code)


def test_two_runs_at_once_keep_every_cap(address: str) -> None:
    runs, context = 3, processes()
    start, said = context.Barrier(runs), context.Queue()
    workers = [context.Process(target=_compete, args=(address, number, start, said)) for number in range(runs)]
    for worker in workers:
        worker.start()
    answers = [said.get(timeout=120) for _ in range(runs * 10)]
    for worker in workers:
        worker.join(60)
    assert sorted(set(answers)) == ["E-LEDGER-CAP", "booked"]
    assert answers.count("booked") == 10
    with open_ledger(address) as ledger:
        assert [totals(ledger, code(enterprise)) for enterprise in range(10)] == [{SAAS: 60000}] * 10
        assert check(ledger) == []


def _same_file(address: str, start: Any, said: Any) -> None:
    with open_ledger(address) as ledger:
        start.wait()
        said.put(book(ledger, act(), FIRST, file(line(A, SAAS, 60000))).state)


def test_the_same_file_at_once_enters_once(address: str) -> None:
    context = processes()
    start, said = context.Barrier(3), context.Queue()
    workers = [context.Process(target=_same_file, args=(address, start, said)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert sorted(said.get(timeout=120) for _ in workers) == ["already", "already", "booked"]
    for worker in workers:
        worker.join(60)


def _book_on(address: str, said: Any) -> None:
    with open_ledger(address) as ledger:
        for number in range(400):
            book(ledger, act(), FIRST, file(*[line(code(10 * number + n), SAAS, 100) for n in range(10)]))
            said.send(number)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_kill_at_any_point_loses_and_doubles_nothing(address: str) -> None:
    context = processes()
    for pause in (0.0, 0.013, 0.029):
        heard, saying = context.Pipe(duplex=False)
        child = context.Process(target=_book_on, args=(address, saying))
        child.start()
        saying.close()
        said = [heard.recv()]
        time.sleep(pause)
        child.kill()
        child.join(60)
        assert child.exitcode == -signal.SIGKILL
        with contextlib.suppress(EOFError):
            while True:
                said.append(heard.recv())
        with open_ledger(address) as ledger, ledger.reading() as connection:
            acts = connection.scalar(select(func.count()).select_from(schema.act)) or 0
            entries = connection.scalar(select(func.count()).select_from(schema.entry)) or 0
        # Whole files only, and each that was reported as entered.
        assert entries == 10 * acts
        assert acts >= said[-1] + 1
    with open_ledger(address) as ledger:
        lines = [line(code(n), SAAS, 100) for n in range(10)]
        assert book(ledger, act(), FIRST, file(*lines)).state == "already"
        assert check(ledger) == []
