"""The database: made, upgraded without losing a row, refusing every change, readable by its owner alone."""

from __future__ import annotations

import os
import stat
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, Table, insert, select, update
from sqlalchemy.exc import DBAPIError

from ledger.ledger_bench import FIRST, SAAS, A, B, NewAddress, act, grant, lived_in
from workbooks.ledger import schema
from workbooks.ledger.acts import Source, acting
from workbooks.ledger.database import Ledger, LedgerError, _engine, among, create_ledger, ledger_url, open_ledger
from workbooks.ledger.derived import carried_wrongly
from workbooks.ledger.integrity import check
from workbooks.ledger.picture import schema_picture
from workbooks.ledger.upgrade import require_newest, revisions, upgrade


def test_the_steps_lead_to_the_tables_as_described(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def sample(table: Table) -> dict[str, Any]:
    """A row whose references all name row 1 of their table, or nothing where they may."""
    row: dict[str, Any] = {}
    for column in table.c:
        if column.foreign_keys:
            if not column.nullable:
                row[column.name] = 1
            continue
        if column.name == "id":
            row["id"] = 1
            continue
        kind = column.type.python_type
        row[column.name] = {
            str: "1" * 18 if column.name == "uscc" else "示例", int: 7, date: date(2025, 5, 31),
            datetime: datetime(2025, 5, 31, 8),
        }[kind]  # fmt: skip
    row |= {"act": {"kind": "run"}, "entry": {"kind": "grant"}, "paper": {"kind": "invoice"}}.get(table.name, {})
    return row


@pytest.mark.parametrize("older", revisions()[:-1])
def test_an_upgrade_keeps_every_row(older: str, new_address: NewAddress) -> None:
    address = new_address(False)
    if "://" not in address:
        Path(address).touch()
    ledger = Ledger(_engine(ledger_url(address)))
    upgrade(ledger, older)
    with ledger.reading() as connection:
        held = MetaData()
        held.reflect(connection)
    derived = {table.name for table in schema.DERIVED}
    tables = [table for table in held.sorted_tables if table.name not in {"alembic_version", *derived}]
    assert len(tables) > 5
    with ledger.writing() as connection:
        for table in tables:
            connection.execute(insert(table).values(sample(table)))
    rows = {}
    with ledger.reading() as connection:
        rows = {table.name: connection.execute(select(table)).all() for table in tables}
    with pytest.raises(LedgerError) as refused:
        require_newest(ledger)
    assert refused.value.code == "E-LEDGER-SCHEMA"
    upgrade(ledger)
    require_newest(ledger)
    with ledger.reading() as connection:
        assert {table.name: connection.execute(select(table)).all() for table in tables} == rows
        # What follows from them is kept beside them now.
        assert list(carried_wrongly(connection)) == []
        assert connection.execute(select(schema.had)).all() == [("1" * 18, "示例", "示例", 7)]
    ledger.close()


def test_a_ledger_that_was_lived_in_is_upgraded_whole(ledger: Ledger, new_address: NewAddress) -> None:
    """Under its old seals: their text has not changed, nor has what is sealed."""
    lived_in(ledger)
    address = new_address(False)
    if "://" not in address:
        Path(address).touch()
    with Ledger(_engine(ledger_url(address))) as older:
        upgrade(older, revisions()[-2])
        with ledger.reading() as reading, older.writing() as writing:
            for table in schema.TABLES:
                rows = [dict(row) for row in reading.execute(select(table).order_by(*table.primary_key)).mappings()]
                writing.execute(insert(table), rows)
        upgrade(older)
        assert check(older) == []
        with ledger.reading() as one, older.reading() as other:
            for table in schema.DERIVED:
                rows = [sorted(connection.execute(select(table)).all()) for connection in (one, other)]
                assert rows[0] == rows[1] != []


def test_the_seal_of_an_act_is_what_it_always_was(ledger: Ledger) -> None:
    said = act(document='石工信函〔2025〕8号"\\', reason="更\t正\n")
    asked = {"on": None, "choices": {"AMB-01": "saas_only"}}
    with acting(ledger, said, schema.RUN, batch=FIRST, asked=asked, source=Source("ab" * 32, "推荐表.xlsx")) as (
        connection, number,
    ):  # fmt: skip
        for table, row in (
            (schema.ground, {"policy": SAAS, "version": "v", "pack_hash": "0" * 64, "choices": "{}"}),
            (schema.application, {"uscc": A, "policy": SAAS, "batch": FIRST}),
            (schema.step, {
                "application_id": 1, "number": 1, "transition": "submit", "from_state": "draft",
                "to_state": "submitted", "ground_id": 1,
            }),
            (schema.due, {"step_id": 1, "day": date(2025, 7, 8), "warning": "某“年”尚未公布"}),
            (schema.entry, {
                "application_id": 1, "item": "", "kind": "grant", "fen": 5, "ground_id": 1, "place": "推荐表!5行",
            }),
            (schema.entry, {
                "application_id": 1, "item": "b", "kind": "grant", "fen": 0, "ground_id": 1, "place": "",
            }),
            (schema.name, {"uscc": A, "name": "示例\u2028甲"}),
        ):  # fmt: skip
            connection.execute(insert(table).values(act_id=number, **row))
    with ledger.reading() as connection:
        sealed = connection.scalar(select(schema.seal.c.sha256))
    assert sealed == "62299f668a635bc98ca5c83bce01d7380cde339b5541e705cd75b64d8642a511"


def test_no_row_is_changed_or_removed(ledger: Ledger) -> None:
    with ledger.writing() as connection:
        for table in schema.TABLES:
            connection.execute(insert(table).values(sample(table)))
    for table in schema.TABLES:
        column = list(table.c)[-1]
        for statement in (update(table).values({column: column}), table.delete()):
            with pytest.raises(DBAPIError, match="never changed or removed"), ledger.engine.connect() as connection:
                connection.execution_options(ledger_writing=True).execute(statement)


def test_a_reading_connection_cannot_write(ledger: Ledger) -> None:
    with pytest.raises(LedgerError) as refused, ledger.reading() as connection:
        connection.execute(insert(schema.source).values(sha256="0" * 64, name="示例"))
    assert refused.value.code == "E-LEDGER-DATABASE"


def test_many_are_looked_up_and_not_looked_for(file_ledger: Ledger) -> None:
    """By an index, or a question about a thousand enterprises goes through a million rows."""
    asked = select(schema.application).where(among(schema.application.c.uscc, [A, B]))
    with file_ledger.reading() as connection:
        said = asked.compile(connection, compile_kwargs={"literal_binds": True})
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}")]
    assert any("SEARCH application" in step for step in plan) and not any("SCAN application" in step for step in plan)


def test_what_is_left_half_done_is_not_there(ledger: Ledger) -> None:
    class StoppedError(Exception):
        pass

    with pytest.raises(StoppedError), ledger.writing() as connection:
        connection.execute(insert(schema.source).values(sha256="0" * 64, name="示例"))
        raise StoppedError
    with ledger.reading() as connection:
        assert connection.execute(select(schema.source)).all() == []


def test_a_message_of_the_database_names_no_value(ledger: Ledger) -> None:
    with pytest.raises(LedgerError) as refused, ledger.writing() as connection:
        connection.execute(insert(schema.name).values(act_id=99, uscc=A, name="示例"))
    assert refused.value.code == "E-LEDGER-DATABASE"
    assert A not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_its_owner_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "台账.db"
    with create_ledger(str(path)) as ledger:
        grant(ledger, A, SAAS, 1000)
        files = sorted(found.name for found in tmp_path.iterdir())
        assert files == ["台账.db", "台账.db-shm", "台账.db-wal"]
        assert {stat.S_IMODE(found.stat().st_mode) for found in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("没有.db", "E-LEDGER-ABSENT"),
        ("mysql://root:geheim@host/db", "E-LEDGER-URL"),
        ("://", "E-LEDGER-URL"),
        ("postgresql://ledger:geheim@/none?host=/nowhere", "E-LEDGER-DATABASE"),
    ],
)
def test_an_address_that_is_no_ledger(address: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LedgerError) as refused:
        open_ledger(address)
    assert refused.value.code == code
    assert "geheim" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "名单.db"
    path.write_text("这不是数据库" * 1000, encoding="utf-8")
    for opening in (open_ledger, create_ledger):
        with pytest.raises(LedgerError) as refused:
            opening(str(path))
        assert refused.value.code == "E-LEDGER-DATABASE"


def test_a_database_without_a_ledger(new_address: NewAddress) -> None:
    address = new_address(False)
    if "://" not in address:
        Path(address).touch()
    with pytest.raises(LedgerError) as refused:
        open_ledger(address)
    assert refused.value.code == "E-LEDGER-ABSENT"


def test_who_acts_is_named(ledger: Ledger) -> None:
    from ledger.ledger_bench import FIRST, file, line
    from workbooks.ledger.booking import book

    with pytest.raises(LedgerError) as refused:
        book(ledger, act(operator=" "), FIRST, file(line(A, SAAS, 1)))
    assert refused.value.code == "E-LEDGER-OPERATOR"


def test_the_picture_is_of_this_schema() -> None:
    """``python -m workbooks.ledger.picture > docs/ledger-schema.svg`` draws it anew."""
    drawn = Path(__file__).parents[2] / "docs" / "ledger-schema.svg"
    assert drawn.read_text(encoding="utf-8") == schema_picture()


def test_what_a_database_refuses_is_said_in_words(tmp_path: Path) -> None:
    """Not the error's own English, which may carry values: what it is, and what to do."""
    (tmp_path / "表格.db").write_bytes(b"PK\x03\x04" * 1000)
    for address, word in (
        (str(tmp_path / "表格.db"), "不是台账"),
        ("postgresql://nobody@127.0.0.1:1/none", "连不上"),
    ):
        with pytest.raises(LedgerError) as caught, open_ledger(address) as ledger:
            check(ledger)
        assert word in str(caught.value) and "Error" not in str(caught.value), address
