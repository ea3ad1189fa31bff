"""What the ledger answers, and whether it notices that it was tampered with, copied or restored."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.ledger_bench import (
    BENCHMARK,
    CHAIN,
    CLOUD,
    FIRST,
    HOHHOT,
    SAAS,
    SECOND,
    WAY_TO_VOUCHER,
    YUAN,
    A,
    B,
    C,
    NewAddress,
    act,
    code,
    file,
    grant,
    ground,
    line,
    lived_in,
    totals,
    walk,
    without_guards,
)
from workbooks.ledger import schema
from workbooks.ledger.amendments import correct_amount
from workbooks.ledger.booking import book
from workbooks.ledger.budgets import add_budget, batches, budget_of
from workbooks.ledger.copies import backup, restore
from workbooks.ledger.crosschecks import (
    Listing,
    Renamed,
    codes_with_two_names,
    doubles,
    near_names_of,
    papers_used_twice,
)
from workbooks.ledger.database import Ledger, LedgerError, create_ledger
from workbooks.ledger.integrity import check, packs_changed
from workbooks.ledger.questions import had, remaining


def test_what_an_enterprise_has_had(ledger: Ledger) -> None:
    grant(ledger, A, CLOUD, 20000)
    grant(ledger, A, BENCHMARK, {"lighthouse": 300000, "innovation": 100000}, SECOND)
    walk(ledger, A, CLOUD, *WAY_TO_VOUCHER, day=date(2025, 7, 8))
    with ledger.reading() as connection:
        voucher, award = had(connection, A)
        assert had(connection, B) == []
    assert (voucher.policy, voucher.batch, voucher.fen, voucher.state) == (CLOUD, FIRST, 20000 * YUAN, "发券")
    assert voucher.since == date(2025, 7, 8)
    assert (award.amounts, award.state) == (
        {"innovation": 100000 * YUAN, "lighthouse": 300000 * YUAN}, "草稿",
    )  # fmt: skip


def test_what_remains_under_each_cap_and_reading(ledger: Ledger) -> None:
    # 10万元 a head: 2万 of vouchers and 7万 of reductions leave 1万, and 3万 where vouchers do not count.
    grant(ledger, A, CLOUD, 20000)
    grant(ledger, A, SAAS, 70000)
    with ledger.reading() as connection:
        combined = {row.policy: row for row in remaining(connection, A)}
        apart = {row.policy: row for row in remaining(connection, A, choices={"AMB-01": "saas_only"})}
        each = {row.policy: row for row in remaining(connection, A, choices={"AMB-01": "per_instrument"})}
    assert {policy: row.left // YUAN for policy, row in combined.items()} == {SAAS: 10000, CLOUD: 10000}
    assert {row.amount for row in combined.values()} == {100000 * YUAN}
    assert {policy: row.left // YUAN for policy, row in apart.items()} == {SAAS: 30000}
    assert {policy: row.left // YUAN for policy, row in each.items()} == {SAAS: 30000, CLOUD: 80000}
    assert ("第十三条" in combined[SAAS].article) and ("第十四条" in apart[SAAS].article)


def test_double_funding_across_programmes_and_cities(ledger: Ledger) -> None:
    grant(ledger, A, CHAIN, 500000)
    grant(ledger, A, HOHHOT, 350000, name="示例云溪食品有限公司")
    grant(ledger, B, SAAS, 1000)
    grant(ledger, C, SAAS, 1000)
    grant(ledger, C, SAAS, 2000, SECOND)
    with ledger.reading() as connection:
        first, second = doubles(connection).rows
        assert doubles(connection, B).rows == []
        assert [row.uscc for row in doubles(connection, C).rows] == [C]
    assert (first.uscc, len(first.names)) == (A, 2)
    assert set(first.held) == {(CHAIN, FIRST, 500000 * YUAN), (HOHHOT, FIRST, 350000 * YUAN)}
    assert second.held == ((SAAS, FIRST, 1000 * YUAN), (SAAS, SECOND, 2000 * YUAN))


def test_what_was_given_back_is_no_double_funding(ledger: Ledger) -> None:
    grant(ledger, A, CHAIN, 500000)
    grant(ledger, A, HOHHOT, 350000)
    walk(ledger, A, HOHHOT, "file", "examine", "disqualify")
    with ledger.reading() as connection:
        assert doubles(connection) == Listing([], 0)


def test_papers_used_twice(ledger: Ledger) -> None:
    def given(*papers: tuple[str, str]) -> dict[str, tuple[tuple[str, str], ...]]:
        return {"papers": papers}

    grant(ledger, A, HOHHOT, 1000, **given(("invoice", "24132000000012345678"), ("contract", "HT-01")))
    grant(ledger, B, HOHHOT, 1000, **given(("invoice", "24132000000012345678"), ("contract", "HT-02")))
    grant(ledger, C, HOHHOT, 1000, **given(("invoice", "HT-01"), ("contract", "HT-03")))
    grant(ledger, C, HOHHOT, 1000, SECOND, **given(("contract", "HT-03")))
    with ledger.reading() as connection:
        found = papers_used_twice(connection).rows
        of_b = papers_used_twice(connection, B).rows
    assert [(use.kind, use.number, [code for code, _, _ in use.uses]) for use in found] == [
        ("contract", "HT-03", [C, C]),
        ("invoice", "24132000000012345678", [A, B]),
    ]
    assert of_b == found[1:]


def test_one_code_with_two_names_and_near_names(ledger: Ledger) -> None:
    called = [
        "示例云溪食品有限公司",
        "示例云西食品有限责任公司",
        "某市示例云溪食品有限公司",
        "示例第1机械厂",
        "示例第2机械厂",
    ]
    for number, name in enumerate(called, 1):
        grant(ledger, code(number), SAAS, 1, name=name)
    grant(ledger, code(4), SAAS, 1, SECOND, name="示例完全不同公司")
    grant(ledger, code(9), SAAS, 1, name="示例第1机械厂")
    with ledger.reading() as connection:
        several, near = codes_with_two_names(connection), near_names_of(connection)
    assert several == Listing([Renamed(code(4), ("示例第1机械厂", "示例完全不同公司"))], 1)
    assert [tuple(uscc for uscc, _ in row.users) for row in near.rows] == [
        (code(1), code(2)), (code(1), code(3)), (code(4), code(9)),
    ]  # fmt: skip


def test_the_budget_of_a_batch(ledger: Ledger) -> None:
    assert add_budget(ledger, act(document="示例函"), CHAIN, FIRST, 900000 * YUAN) == 900000 * YUAN
    grant(ledger, A, CHAIN, 500000)
    with ledger.reading() as connection:
        assert budget_of(connection, CHAIN, FIRST).left == 400000 * YUAN
        assert budget_of(connection, CHAIN, SECOND).left is None
    done = grant(ledger, B, CHAIN, 500000)
    assert len(done.warnings) == 1 and "1,000,000.00 元" in done.warnings[0] and "900,000.00 元" in done.warnings[0]
    assert add_budget(ledger, act(), CHAIN, FIRST, 100000 * YUAN) == 1000000 * YUAN
    assert grant(ledger, A, SAAS, 1).warnings == ()
    with ledger.reading() as connection:
        assert batches(connection) == [(CHAIN, FIRST), (SAAS, FIRST)]
        assert budget_of(connection, CHAIN, FIRST).left == 0


@pytest.mark.parametrize(("fen", "reason", "code"), [(0, "", "BUDGET"), (-1, "", "REASON"), (-1, "多", "BUDGET")])
def test_a_budget_that_cannot_be(fen: int, reason: str, code: str, ledger: Ledger) -> None:
    with pytest.raises(LedgerError) as refused:
        add_budget(ledger, act(reason=reason), CHAIN, FIRST, fen)
    assert refused.value.code == f"E-LEDGER-{code}"


def test_a_sound_ledger_passes(ledger: Ledger) -> None:
    lived_in(ledger)
    with ledger.reading() as connection:
        assert all(connection.execute(select(table)).first() for table in (*schema.TABLES, *schema.DERIVED))
    assert check(ledger) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE entry SET fen = fen + 1 WHERE id = 1", "封存值不符"),
        ("UPDATE act SET operator = '经办乙' WHERE id = 2", "封存值不符"),
        ("UPDATE step SET to_state = 'settled' WHERE id = 1", "不是政策所列的步骤"),
        ("UPDATE entry SET fen = 10000001 WHERE id = 2", "超过上限"),
        ("UPDATE entry SET fen = -1 WHERE kind = 'correction'", "余额为"),
        ("DELETE FROM paper", "封存值不符"),
        ("DELETE FROM seal WHERE act_id = 1", "封存值不符"),
        ("INSERT INTO name (act_id, uscc, name) VALUES (1, '91000000MA0000009X', '示例')", "封存值不符"),
    ],
)
def test_what_was_changed_behind_its_back_shows(statement: str, said: str, ledger: Ledger) -> None:
    lived_in(ledger)
    without_guards(ledger, statement)
    problems = check(ledger)
    assert any(said in problem for problem in problems), problems
    assert any("触发器" in problem for problem in problems)
    assert not any(A in problem or B in problem for problem in problems)


def test_a_pack_that_was_put_right_since_is_no_damage(ledger: Ledger, tmp_path: Path) -> None:
    lived_in(ledger)
    then = replace(ground(CLOUD), pack_hash="0" * 64)
    book(ledger, act(), FIRST, file(line(C, CLOUD, 1000, under=then)))
    assert check(ledger) == []
    (said,) = packs_changed(ledger)
    assert CLOUD in said and "00000000" in said
    # It is still backed up, corrected within its cap, and goes on along its steps.
    backup(ledger, tmp_path / "备份.db")
    correct_amount(ledger, act(reason="复核"), CLOUD, FIRST, C, 100000 * YUAN)
    with pytest.raises(LedgerError) as refused:
        correct_amount(ledger, act(reason="复核"), CLOUD, FIRST, C, 100001 * YUAN)
    assert refused.value.code == "E-LEDGER-CAP"
    walk(ledger, C, CLOUD, *WAY_TO_VOUCHER)


def test_a_missing_guard_shows(ledger: Ledger) -> None:
    without_guards(ledger, "SELECT 1")
    (said,) = check(ledger)
    assert all(f"表 {table.name}" in said for table in schema.TABLES) and "ledger backup" in said


def test_a_backup_is_all_of_it(ledger: Ledger, new_address: NewAddress, tmp_path: Path) -> None:
    lived_in(ledger)
    kept = tmp_path / "备份.db"
    acts = backup(ledger, kept)
    assert sorted(path.name for path in tmp_path.iterdir() if "备份" in path.name) == ["备份.db"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    address = new_address(True)
    assert restore(kept, address) == acts > 5
    with create_ledger(address) as again:
        for table in schema.TABLES:
            with ledger.reading() as one, again.reading() as other:
                rows = [connection.execute(select(table)).all() for connection in (one, other)]
            assert sorted(rows[0]) == sorted(rows[1])
        # And it goes on from there, under numbers of its own.
        grant(again, A, CLOUD, 1)
        assert check(again) == []
        assert totals(again, A) == totals(ledger, A) | {CLOUD: 1}


def test_a_backup_overwrites_nothing(ledger: Ledger, address: str, tmp_path: Path) -> None:
    grant(ledger, A, SAAS, 1)
    kept = tmp_path / "备份.db"
    backup(ledger, kept)
    before = kept.read_bytes()
    for deed, arguments in ((backup, (ledger, kept)), (restore, (kept, address))):
        with pytest.raises(LedgerError) as refused:
            deed(*arguments)
        assert refused.value.code == "E-LEDGER-EXISTS"
    assert kept.read_bytes() == before


def test_a_damaged_ledger_is_not_backed_up(ledger: Ledger, tmp_path: Path) -> None:
    lived_in(ledger)
    without_guards(ledger, "UPDATE entry SET fen = 5 WHERE id = 1")
    with pytest.raises(LedgerError) as refused:
        backup(ledger, tmp_path / "备份.db")
    assert refused.value.code == "E-LEDGER-DAMAGED"
    assert [path.name for path in tmp_path.iterdir() if "备份" in path.name] == []
