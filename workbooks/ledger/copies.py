"""Backup and restore: every row as it is, from any ledger into a new one, proven equal before it counts."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sqlalchemy import Connection, func, insert, select, text

from workbooks.ledger import schema
from workbooks.ledger.acts import plain_json
from workbooks.ledger.database import Ledger, LedgerError, create_ledger, open_ledger
from workbooks.ledger.derived import derive
from workbooks.ledger.integrity import check

_AT_ONCE = 5_000


def backup(ledger: Ledger, target: Path) -> int:
    """Writes the whole ledger, file or PostgreSQL, into a new ledger file; returns the number of acts in it.

    The file appears under its name only once it is complete and checked. Raises LedgerError ``E-LEDGER-EXISTS``.
    """
    if target.exists():
        raise LedgerError("E-LEDGER-EXISTS", "已有同名文件，没有覆盖", where=str(target), remedy="请另起文件名")
    temporary = target.with_name(f".{target.name}.tmp")
    _remove(temporary)
    try:
        with create_ledger(str(temporary)) as copy:
            acts = _copied(ledger, copy)
            _require_sound(copy)
            # So that the one file is all of it.
            with copy.engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
        temporary.replace(target)
    finally:
        _remove(temporary)
    return acts


def restore(source: Path, address: str) -> int:
    """Brings a backup back into a new or empty ledger at an address; returns the number of acts in it.

    Raises LedgerError ``E-LEDGER-EXISTS`` where the ledger holds anything, ``E-LEDGER-DAMAGED`` for a bad backup.
    """
    with open_ledger(str(source)) as kept:
        _require_sound(kept)
        with create_ledger(address) as ledger:
            acts = _copied(kept, ledger)
            _require_sound(ledger)
    return acts


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _require_sound(ledger: Ledger) -> None:
    if problems := check(ledger):
        raise LedgerError(
            "E-LEDGER-DAMAGED", f"台账未通过检查：{problems[0]}", remedy="请用 xlcalc ledger check 查看全部"
        )


def _copied(source: Ledger, target: Ledger) -> int:
    """Every row under its old number, in one transaction; a target that holds anything is refused."""
    with source.reading() as reading, target.writing() as writing:
        if writing.scalar(select(func.count()).select_from(schema.act)):
            raise LedgerError("E-LEDGER-EXISTS", "目标台账已有记录，没有覆盖", remedy="请恢复到新的文件或空的数据库")
        for table in schema.TABLES:
            order = list(table.primary_key)
            rows = reading.execute(select(table).order_by(*order).execution_options(yield_per=_AT_ONCE))
            for some in rows.mappings().partitions(_AT_ONCE):
                writing.execute(insert(table), [dict(row) for row in some])
            if "id" in table.c and not target.is_sqlite:
                _continue_numbers(writing, table.name)
        derive(writing)
        if _digest(reading) != _digest(writing):
            raise LedgerError("E-LEDGER-DAMAGED", "复制后的内容与原台账不同", remedy="请检查磁盘后重试")
        return int(writing.scalar(select(func.count()).select_from(schema.act)) or 0)


def _continue_numbers(connection: Connection, table: str) -> None:
    """New rows get numbers after the ones copied."""
    asked = "SELECT setval(pg_get_serial_sequence(:name, 'id'), GREATEST(:last, 1), :last > 0)"
    last = int(connection.scalar(text(f"SELECT COALESCE(MAX(id), 0) FROM {table}")) or 0)
    connection.execute(text(asked).bindparams(name=table, last=last))


def _digest(connection: Connection) -> str:
    found = hashlib.sha256()
    for table in schema.TABLES:
        rows = connection.execute(select(table).order_by(*table.primary_key).execution_options(yield_per=_AT_ONCE))
        for row in rows:
            found.update(plain_json([table.name, *(str(value) for value in row)]).encode())
    return found.hexdigest()
