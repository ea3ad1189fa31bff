"""Every test of the ledger runs on a SQLite file and on PostgreSQL.

Under CI=true a missing PostgreSQL is a failure; elsewhere its tests are skipped.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine

from ledger.ledger_bench import NewAddress, empty_ledger
from ledger.postgresql_server import running_server, server_programs
from workbooks.ledger.database import Ledger, create_ledger, ledger_url, open_ledger

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server; its databases are made from one that holds an empty ledger."""

    databases: str
    connection: Connection

    def make(self, name: str, *, empty: bool = False) -> str:
        self.connection.exec_driver_sql(f"CREATE DATABASE {name}" + ("" if empty else " TEMPLATE model"))
        return self.databases.format(name=name)

    def drop(self, name: str) -> None:
        self.connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if server_programs() is None:
        reason = "PostgreSQL is missing (run tests/install-postgresql.sh)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with running_server() as address:
        engine = create_engine(ledger_url(address.format(name="postgres")), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            started = Server(address, connection)
            create_ledger(started.make("model", empty=True)).close()
            yield started
        engine.dispose()


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
    server: Server = request.getfixturevalue("server")
    made_here: list[str] = []

    def on_postgresql(made: bool) -> str:
        made_here.append(f"ledger{next(_numbers)}")
        return server.make(made_here[-1], empty=not made)

    yield on_postgresql
    # A database is some 300 files; all of them at once would take minutes to remove.
    for name in made_here:
        server.drop(name)


@pytest.fixture
def address(new_address: NewAddress) -> str:
    return new_address(True)


@pytest.fixture
def ledger(address: str) -> Iterator[Ledger]:
    with open_ledger(address) as opened:
        yield opened


@pytest.fixture
def file_address(tmp_path: Path) -> str:
    """For what does not depend on the database: an empty ledger in a file alone."""
    path = tmp_path / f"ledger{next(_numbers)}.db"
    path.write_bytes(empty_ledger())
    return str(path)


@pytest.fixture
def file_ledger(file_address: str) -> Iterator[Ledger]:
    with open_ledger(file_address) as opened:
        yield opened
