"""The tables of what follows from the history; whoever brings a ledger to the newest schema fills them from it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _number(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _table(name: str, *parts: Any) -> None:
    op.create_table(name, *parts, sqlite_with_rowid=False)


def upgrade() -> None:
    """Makes every table and index; nothing that was there is touched."""
    code, text, fen = sa.String(18), sa.Text(), sa.BigInteger()
    _table("had", _key("uscc", code), _key("policy", text), _key("item", text), _number("fen", fen))
    _table("enterprise", _key("uscc", code), _number("funded", sa.Integer()), _number("names", sa.Integer()))
    for counted in ("funded", "names"):
        several = sa.text(f"{counted} > 1")
        op.create_index(
            f"several_{counted}", "enterprise", ["uscc", counted], sqlite_where=several, postgresql_where=several
        )  # fmt: skip
    _table("spent", _key("policy", text), _key("batch", text), _number("fen", fen))
    _table("paper_again", _key("kind", sa.String(12)), _key("number", text))
    _table("name_core", _key("name_id", _ID), _number("core_id", _ID))
    op.create_index("ix_name_core_core_id", "name_core", ["core_id"])
    _table("name_key", _key("key", sa.BigInteger()), _key("core_id", _ID))
    _table("alike", _key("first_id", _ID), _key("second_id", _ID))
