"""Brings a ledger to the newest schema, one step after another in one transaction."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from workbooks.ledger.database import Ledger, LedgerError
from workbooks.ledger.derived import derive

_STEPS = Path(__file__).parent / "migrations"


@cache
def revisions() -> tuple[str, ...]:
    """Every schema there has been, oldest first."""
    return tuple(script.revision for script in ScriptDirectory(str(_STEPS)).walk_revisions())[::-1]


def revision_of(connection: Connection) -> str | None:
    """The schema a database has; None where it holds no ledger."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(ledger: Ledger, target: str = "head") -> None:
    """Brings a ledger, or an empty database, to a schema; raises LedgerError ``E-LEDGER-SCHEMA`` for a newer one."""
    with ledger.preparing() as connection:
        held = revision_of(connection)
        if held is not None and held not in revisions():
            raise _another(held)
        config = Config()
        config.set_main_option("script_location", str(_STEPS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, target)
        if held != revisions()[-1] and revision_of(connection) == revisions()[-1]:
            derive(connection)


def require_newest(ledger: Ledger) -> None:
    """Raises LedgerError ``E-LEDGER-ABSENT`` where a database has no ledger, ``E-LEDGER-SCHEMA`` for another schema."""
    with ledger.reading() as connection:
        held = revision_of(connection)
    if held is None:
        raise LedgerError("E-LEDGER-ABSENT", "这个数据库中没有台账", remedy="请先用 xlcalc ledger init 建立")
    if held != revisions()[-1]:
        raise _another(held)


def _another(held: str) -> LedgerError:
    newer = held not in revisions()
    remedy = "请更新 xlcalc" if newer else "请先备份，再用 xlcalc ledger init 升级，原有记录全部保留"
    return LedgerError("E-LEDGER-SCHEMA", f"台账的结构版本是 {held[:20]}，本程序用 {revisions()[-1]}", remedy=remedy)
