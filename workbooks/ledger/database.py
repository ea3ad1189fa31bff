"""Where the ledger is kept: a SQLite file or a PostgreSQL database, and the two ways into it, reading and writing.

Writers stand in line: what one of them finds when its turn comes holds until it is done, so that two runs at once
cannot both use up the same cap. Readers never wait.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ARRAY,
    URL,
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    String,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    create_engine,
    event,
    literal,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from workbooks.ledger.errors import LedgerError as LedgerError
from workbooks.ledger.schema import act

_WRITING = "ledger_writing"
_AT_ONCE = 250
_SECONDS = 30
_CLOUDED = "请检查地址、权限和磁盘空间；数据库被占用时稍后重试"
_BUSY = "数据库正被占用", "请稍后重试"
_FULL = "磁盘已满", "请腾出磁盘空间后重试"
_REASONS = {
    "SQLITE_NOTADB": ("这个文件不是台账", "请核对地址"),
    "SQLITE_CORRUPT": ("台账文件已损坏", "请用最近的备份恢复：xlcalc ledger restore"),
    "SQLITE_FULL": _FULL,
    "SQLITE_CANTOPEN": ("台账文件打不开：是文件夹、路径不存在或没有权限", "请核对地址和权限"),
    "SQLITE_READONLY": ("台账文件或所在文件夹只读", "请核对权限"),
    "SQLITE_BUSY": _BUSY, "SQLITE_LOCKED": _BUSY,
    "3D000": ("服务器上没有这个数据库", "请核对地址中的数据库名，或请管理员建库"),
    "28P01": ("数据库的用户名或密码不对", "请核对地址"),
    "28000": ("数据库不接受这个用户", "请核对地址，或请管理员授权"),
    "42501": ("数据库用户没有所需的权限", "请管理员授权"),
    "53100": _FULL, "53300": ("数据库的连接已用完", "请稍后重试"),
}  # fmt: skip
"""What the databases call their errors -> what it is, and what to do."""


class Ledger:
    """An open ledger. Close it, or use it in a ``with`` statement."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives back every connection."""
        self.engine.dispose()

    @property
    def is_sqlite(self) -> bool:
        """Whether the ledger is a file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view, through a connection that cannot write."""
        options: dict[str, Any] = {} if self.is_sqlite else {
            "isolation_level": "REPEATABLE READ", "postgresql_readonly": True,
        }  # fmt: skip
        with _told(), self.engine.connect() as plain:
            yield plain.execution_options(**options)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, and no other writer beside it: all of it is booked at the end, or nothing."""
        with self.preparing() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_SECONDS}s'")
                connection.exec_driver_sql(f"LOCK TABLE {act.name} IN SHARE ROW EXCLUSIVE MODE")
            yield connection

    @contextmanager
    def preparing(self) -> Iterator[Connection]:
        """One transaction on a database whose tables may not be there yet."""
        with _told(), self.engine.connect() as plain:
            connection = plain.execution_options(**{_WRITING: True})
            with connection.begin():
                yield connection


@contextmanager
def _told() -> Iterator[None]:
    """What a database says in English and with the values at hand becomes one Chinese line without them."""
    try:
        yield
    except DBAPIError as error:
        reason, remedy = _reason(error)
        raise LedgerError("E-LEDGER-DATABASE", f"台账数据库未能完成操作（{reason}）", remedy=remedy) from None


def _reason(error: DBAPIError) -> tuple[str, str]:
    """Why a database refused, in Chinese where the reason is a usual one; of its own words nothing is passed on."""
    original = error.orig
    name = str(getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None) or "")
    # The extended names of SQLite begin with the plain one.
    known = _REASONS.get(name) or next((said for key, said in _REASONS.items() if name.startswith(f"{key}_")), None)
    if known is None and not name and type(original).__name__ == "OperationalError":
        known = "连不上数据库服务器，或没有这个数据库", "请核对地址，并确认服务器已启动"
    return known or (type(original).__name__, _CLOUDED)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Among thousands of new rows the collector would look through every pack again and again, and find nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class _Many(TypeDecorator[Any]):
    """Numbers or texts handed over as one value, however many they are: as JSON or as an array."""

    impl = Text
    cache_ok = True

    def __init__(self, *, texts: bool) -> None:
        super().__init__()
        self.texts = texts

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else ARRAY(Text() if self.texts else BigInteger())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return json.dumps(list(value)) if dialect.name == "sqlite" else list(value)


class _Among(FunctionElement[Any]):
    # Of no type: of a truth value a database without them would be asked whether it is 1, and look at every row.
    inherit_cache = True


@compiles(_Among)
def _among(element: _Among, compiler: SQLCompiler, **more: Any) -> str:
    column, values = (compiler.process(part, **more) for part in element.clauses)
    if compiler.dialect.name == "sqlite":
        return f"{column} IN (SELECT value FROM json_each({values}))"
    return f"{column} = ANY ({values})"


def among(column: ColumnElement[Any], values: Iterable[Any] | str) -> ColumnElement[bool]:
    """Whether a column has one of some numbers or texts, or of those given later under a name."""
    kind = _Many(texts=isinstance(column.type, String))
    return _Among(column, bindparam(values, type_=kind) if isinstance(values, str) else literal(list(values), kind))


def enter_many(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Enters rows of numbers and texts, the values in the order of the columns, many with each statement."""
    place = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    places = f"({', '.join([place] * len(columns))})"
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {', '.join([places] * len(some))}"
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(some)))


def ledger_url(address: str) -> URL:
    """The address of a ledger: the path of a file, ``sqlite:///path`` or ``postgresql://user@host/name``.

    Raises LedgerError ``E-LEDGER-URL`` for anything else.
    """
    if "://" not in address:
        return URL.create("sqlite", database=str(Path(address).absolute()))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = URL.create("unknown")
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database:
        return URL.create("sqlite", database=str(Path(url.database).absolute()))
    if url.drivername != "postgresql+psycopg":
        # The address may carry a password and is not repeated.
        raise LedgerError(
            "E-LEDGER-URL", "台账地址无法识别", remedy="请写文件路径（如 台账.db）或 postgresql://用户@主机/库名"
        )
    return url


def create_ledger(address: str) -> Ledger:
    """A ledger made at an address, or brought to the newest schema where there is one; every row is kept.

    A new file is readable and writable by its owner alone. Raises LedgerError.
    """
    from workbooks.ledger.upgrade import upgrade

    url = ledger_url(address)
    if url.get_backend_name() == "sqlite":
        _own_file(Path(url.database or ""))
    ledger = Ledger(_engine(url))
    try:
        if ledger.is_sqlite:
            _write_ahead(ledger)
        upgrade(ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


def _write_ahead(ledger: Ledger) -> None:
    """So that readers do not wait for a writer; the file keeps it, and opening it later changes nothing."""
    with _told(), ledger.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def open_ledger(address: str) -> Ledger:
    """The ledger at an address; raises LedgerError ``E-LEDGER-ABSENT`` where there is none, ``E-LEDGER-SCHEMA``."""
    from workbooks.ledger.upgrade import require_newest

    url = ledger_url(address)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise LedgerError(
            "E-LEDGER-ABSENT",
            "没有这个台账文件",
            where=url.database,
            remedy="请检查路径，或先用 xlcalc ledger init 建立",
        )
    ledger = Ledger(_engine(url))
    try:
        require_newest(ledger)
    except BaseException:
        ledger.close()
        raise
    return ledger


def _own_file(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError:
        raise LedgerError(
            "E-LEDGER-FILE", "无法建立台账文件", where=str(path), remedy="请检查文件夹是否存在及权限"
        ) from None


def _engine(url: URL) -> Engine:
    try:
        if url.get_backend_name() != "sqlite":
            # The rows of a ledger are personal to enterprises: no message ever carries them.
            return create_engine(url, hide_parameters=True, pool_pre_ping=True)
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _SECONDS})
    except (NoSuchModuleError, ImportError):
        raise LedgerError(
            "E-LEDGER-DRIVER", "没有安装 PostgreSQL 驱动", remedy="请安装 xlcalc[postgresql]，或改用台账文件"
        ) from None
    event.listen(engine, "connect", _settle_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _settle_sqlite(connection: Any, _: object) -> None:
    # Transactions are begun by ``_begin_sqlite``, not by the driver at the first statement that looks like writing.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The log is written back once it has 64 MB, and when the ledger is closed; what one statement would have to undo
    # is kept in memory and not in a file.
    for pragma in (
        "foreign_keys = ON", "synchronous = FULL", "trusted_schema = OFF", "cache_size = -65536",
        "wal_autocheckpoint = 16000", "temp_store = MEMORY",
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = bool(connection.get_execution_options().get(_WRITING))
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writing else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
