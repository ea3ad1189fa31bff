"""What is kept beside the history follows from it, whatever is entered, and shows when it does not."""

from __future__ import annotations

import tempfile
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from ledger.ledger_bench import (
    CHAIN,
    CLOUD,
    FIRST,
    HOHHOT,
    SECOND,
    YUAN,
    A,
    act,
    code,
    empty_ledger,
    file,
    grant,
    line,
    lived_in,
    walk,
)
from workbooks.ledger import crosschecks, schema
from workbooks.ledger.acts import acting
from workbooks.ledger.alike import core_of, names_carried_wrongly
from workbooks.ledger.amendments import correct_amount, withdraw_step
from workbooks.ledger.booking import book
from workbooks.ledger.crosschecks import codes_with_two_names, doubles, near_names_of, papers_used_twice
from workbooks.ledger.database import Ledger, open_ledger
from workbooks.ledger.derived import unguarded
from workbooks.ledger.integrity import check, rebuild
from workbooks.merging.near_names import near_names


@pytest.mark.parametrize("table", [table.name for table in schema.DERIVED])
def test_what_does_not_follow_shows_and_is_found_anew(table: str, ledger: Ledger) -> None:
    lived_in(ledger)
    with ledger.preparing() as connection, unguarded(connection):
        rows = connection.execute(text(f"SELECT * FROM {table}")).all()
        connection.execute(text(f"DELETE FROM {table}"))
    # Its guards are back, and an answer that was altered behind the ledger's back is told.
    (said,) = check(ledger)
    assert table in said and "--rebuild" in said
    rebuild(ledger)
    assert check(ledger) == []
    with ledger.reading() as connection:
        assert sorted(connection.execute(text(f"SELECT * FROM {table}")).all()) == sorted(rows)


@pytest.mark.parametrize("table", schema.DERIVED, ids=lambda table: table.name)
def test_nothing_is_written_there_but_with_an_act(table: Table, ledger: Ledger) -> None:
    """Booking takes from there what was had: a row altered by hand would grant what is above a cap."""
    lived_in(ledger)
    new = insert(table).values({column.name: "9" if column.type.python_type is str else 9 for column in table.c})
    # A key more has two names looked at, and changes no answer.
    wrong = (new,) if table is not schema.name_key else ()
    for statement in (*wrong, update(table).values({list(table.c)[-1]: list(table.c)[-1]}), delete(table)):
        with pytest.raises(DBAPIError, match="with an act alone"), ledger.engine.connect() as connection:
            connection.execution_options(ledger_writing=True).execute(statement)
    assert check(ledger) == []


def test_a_guard_that_is_gone_shows(ledger: Ledger) -> None:
    with ledger.preparing() as connection:
        drop = "had_no_update" if ledger.is_sqlite else "had_follows ON had"
        connection.exec_driver_sql(f"DROP TRIGGER {drop}")
    (said,) = check(ledger)
    assert "表 had" in said and "触发器" in said


def test_it_follows_grants_corrections_releases_and_withdrawals(ledger: Ledger) -> None:
    def kept() -> tuple[dict[str, int], int, dict[str, int]]:
        assert check(ledger) == []
        with ledger.reading() as connection:
            had = {row.policy: row.fen // YUAN for row in connection.execute(select(schema.had))}
            spent = {row.policy: row.fen // YUAN for row in connection.execute(select(schema.spent))}
            return had, connection.execute(select(schema.enterprise.c.funded)).scalar_one(), spent

    grant(ledger, A, HOHHOT, 1000)
    assert kept() == ({HOHHOT: 1000}, 1, {HOHHOT: 1000})
    grant(ledger, A, CHAIN, 500, SECOND)
    assert kept() == ({HOHHOT: 1000, CHAIN: 500}, 2, {HOHHOT: 1000, CHAIN: 500})
    correct_amount(ledger, act(reason="复核"), CHAIN, SECOND, A, 0)
    assert kept() == ({HOHHOT: 1000, CHAIN: 0}, 1, {HOHHOT: 1000, CHAIN: 0})
    walk(ledger, A, HOHHOT, "file", "examine", "disqualify")
    assert kept() == ({HOHHOT: 0, CHAIN: 0}, 0, {HOHHOT: 0, CHAIN: 0})
    withdraw_step(ledger, act(reason="误登"), HOHHOT, FIRST, A)
    assert kept() == ({HOHHOT: 1000, CHAIN: 0}, 1, {HOHHOT: 1000, CHAIN: 0})


def test_a_long_list_comes_a_page_at_a_time(file_ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crosschecks, "PAGE", 2)
    papers = [(("invoice", f"2511200000001234567{number}"),) for number in range(3)]
    for batch, name in ((FIRST, "某市示例云溪食品有限公司"), (SECOND, "示例云溪食品有限公司")):
        lines = [line(code(n), CLOUD, 1, name=name, papers=papers[n]) for n in range(3)]
        book(file_ledger, act(), batch, file(*lines, content=batch))
    with file_ledger.reading() as connection:
        for question in (doubles, codes_with_two_names, papers_used_twice, near_names_of):
            pages = [question(connection, page=page) for page in (1, 2, 3)]
            assert [page.total for page in pages] == [3] * 3
            assert [len(page.rows) for page in pages] == [2, 1, 0]
        listed = [row.uscc for page in (1, 2) for row in doubles(connection, page=page).rows]
    assert listed == sorted(code(n) for n in range(3))


_words = st.lists(st.sampled_from("甲乙丙1一（"), min_size=3, max_size=7).map("".join)
_names = st.builds(
    "{}示例云{}{}".format, st.sampled_from(["", "某市"]), _words, st.sampled_from(["", "有限公司", "有限责任公司"])
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(_names, st.integers(1, 4)), min_size=2, max_size=12, unique_by=lambda row: row))
def test_near_names_are_those_found_by_comparing_all(rows: list[tuple[str, int]]) -> None:
    expected = set()
    for (one, first), (other, second) in combinations(rows, 2):
        cores = sorted([one, other], key=lambda name: (len(core_of(name)), name))
        if first != second and (core_of(one) == core_of(other) or near_names(cores)):
            expected.add(frozenset([(code(first), one), (code(second), other)]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        path.write_bytes(empty_ledger())
        with open_ledger(str(path)) as ledger:
            for name, number in rows:
                with acting(ledger, act(), schema.RUN) as (connection, by):
                    connection.execute(insert(schema.name).values(act_id=by, uscc=code(number), name=name))
            with ledger.reading() as connection:
                found = near_names_of(connection).rows
                assert list(names_carried_wrongly(connection)) == []
    pairs = {frozenset(pair) for row in found for pair in combinations(row.users, 2) if pair[0][0] != pair[1][0]}
    assert pairs == expected
