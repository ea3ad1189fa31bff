"""Every test of the ledger runs on a SQLite file and on PostgreSQL.

Under CI=true a missing PostgreSQL is a failure; elsewhere its tests are skipped.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from ledger.ledger_bench import NewAddress, empty_ledger
from ledger.postgresql_server import running_server, server_programs
from workbooks.ledger.database import Ledger, create_ledger, ledger_url

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    if server_programs() is None:
        reason = "PostgreSQL is missing (run tests/install-postgresql.sh)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with running_server() as address:
        with create_ledger(_database(address, "model", None)):
            pass
        yield address


def _on_server(address: str, statement: str) -> None:
    engine = create_engine(ledger_url(address.format(name="postgres")), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _database(address: str, name: str, model: str | None) -> str:
    _on_server(address, f"CREATE DATABASE {name}{f' TEMPLATE {model}' if model else ''}")
    return address.format(name=name)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewAddress]:
    """Call for the address of a database of its own: with an empty ledger in it, or with nothing."""
    if request.param == "sqlite":

        def on_sqlite(made: bool) -> str:
            path = str(tmp_path / f"ledger{next(_numbers)}.db")
            if made:
                Path(path).write_bytes(empty_ledger())
            return path

        yield on_sqlite
        return
    server = request.getfixturevalue("server")
    made_here: list[str] = []

    def on_postgresql(made: bool) -> str:
        made_here.append(f"ledger{next(_numbers)}")
        return _database(server, made_here[-1], "model" if made else None)

    yield on_postgresql
    # A database is some 300 files; all of them at once would take minutes to remove.
    for name in made_here:
        _on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def address(new_address: NewAddress) -> str:
    return new_address(True)


@pytest.fixture
def ledger(address: str) -> Iterator[Ledger]:
    with create_ledger(address) as opened:
        yield opened


@pytest.fixture
def file_address(tmp_path: Path) -> str:
    """For what does not depend on the database: an empty ledger in a file alone."""
    path = tmp_path / f"ledger{next(_numbers)}.db"
    path.write_bytes(empty_ledger())
    return str(path)


@pytest.fixture
def file_ledger(file_address: str) -> Iterator[Ledger]:
    with create_ledger(file_address) as opened:
        yield opened
