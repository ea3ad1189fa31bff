"""The tables: sources, acts, grounds, applications, steps, entries, names, papers, budgets, seals."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key() -> sa.Column[Any]:
    return sa.Column("id", _ID, primary_key=True, autoincrement=True)


def _refers(name: str, target: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _ID, sa.ForeignKey(f"{target}.id"), nullable=nullable)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _short(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=False)


def _table(name: str, *parts: Any) -> None:
    op.create_table(name, *parts, sqlite_autoincrement=True)


def upgrade() -> None:
    """Makes every table and index."""
    op.create_table("source", sa.Column("sha256", sa.String(64), primary_key=True), _text("name"))
    _table(
        "act", _key(), _short("kind", 12), _text("operator"), sa.Column("day", sa.Date(), nullable=False),
        sa.Column("booked", sa.DateTime(), nullable=False), _text("document"), _text("reason"), _text("batch"),
        _text("asked"), sa.Column("source", sa.String(64), sa.ForeignKey("source.sha256")),
        sa.CheckConstraint("operator <> ''", name="operator_named"),
        sa.CheckConstraint("kind IN ('run', 'step', 'amendment', 'budget')", name="known_kind"),
    )  # fmt: skip
    a_run = sa.text("kind = 'run'")
    op.create_index("one_run_a_file", "act", ["source"], unique=True, sqlite_where=a_run, postgresql_where=a_run)
    _table(
        "ground", _key(), _refers("act_id", "act"), _text("policy"), _text("version"), _short("pack_hash", 64),
        _text("choices"), sa.UniqueConstraint("policy", "version", "pack_hash", "choices", name="one_row_a_ground"),
    )  # fmt: skip
    _table(
        "application", _key(), _refers("act_id", "act"), _short("uscc", 18), _text("policy"), _text("batch"),
        sa.UniqueConstraint("uscc", "policy", "batch", name="one_application_a_batch"),
    )  # fmt: skip
    op.create_index("application_by_batch", "application", ["policy", "batch"])
    op.create_index("application_by_act", "application", ["act_id"])
    _table(
        "step", _key(), _refers("act_id", "act"), _refers("application_id", "application"),
        sa.Column("number", sa.Integer(), nullable=False), _text("transition"), _text("from_state"), _text("to_state"),
        _refers("ground_id", "ground"), _refers("corrects", "step", nullable=True), sa.UniqueConstraint("corrects"),
        sa.UniqueConstraint("application_id", "number", name="one_step_at_a_time"),
        sa.CheckConstraint("number > 0", name="numbered_from_one"),
    )  # fmt: skip
    op.create_index("step_by_act", "step", ["act_id"])
    _table(
        "due", _key(), _refers("act_id", "act"), _refers("step_id", "step"),
        sa.Column("day", sa.Date(), nullable=False), _text("warning"), sa.UniqueConstraint("step_id"),
    )  # fmt: skip
    op.create_index("ix_due_day", "due", ["day"])
    op.create_index("due_by_act", "due", ["act_id"])
    _table(
        "entry", _key(), _refers("act_id", "act"), _refers("application_id", "application"), _text("item"),
        _short("kind", 12), sa.Column("fen", sa.BigInteger(), nullable=False), _refers("ground_id", "ground"),
        _text("place"), _refers("corrects", "entry", nullable=True), _refers("step_id", "step", nullable=True),
        sa.UniqueConstraint("corrects"),
        sa.CheckConstraint("kind IN ('grant', 'correction', 'release')", name="known_kind"),
        sa.CheckConstraint("kind <> 'grant' OR fen >= 0", name="a_grant_gives"),
        sa.CheckConstraint("kind <> 'release' OR (fen <= 0 AND step_id IS NOT NULL)", name="a_release_takes"),
        sa.CheckConstraint("(kind = 'correction') = (corrects IS NOT NULL)", name="a_correction_names_the_entry"),
    )  # fmt: skip
    op.create_index("entry_by_application", "entry", ["application_id"])
    op.create_index("entry_by_act", "entry", ["act_id"])
    _table(
        "name", _key(), _refers("act_id", "act"), _short("uscc", 18), _text("name"),
        sa.UniqueConstraint("uscc", "name", name="one_row_a_name"),
    )  # fmt: skip
    op.create_index("name_by_act", "name", ["act_id"])
    _table(
        "paper", _key(), _refers("act_id", "act"), _refers("application_id", "application"), _short("kind", 12),
        _text("number"), sa.UniqueConstraint("application_id", "kind", "number", name="one_row_a_paper"),
        sa.CheckConstraint("kind IN ('invoice', 'contract')", name="known_kind"),
    )  # fmt: skip
    op.create_index("paper_by_number", "paper", ["kind", "number"])
    op.create_index("paper_by_act", "paper", ["act_id"])
    _table(
        "budget", _key(), _refers("act_id", "act"), _text("policy"), _text("batch"),
        sa.Column("fen", sa.BigInteger(), nullable=False),
    )  # fmt: skip
    op.create_index("budget_by_batch", "budget", ["policy", "batch"])
    op.create_table(
        "seal", sa.Column("act_id", _ID, sa.ForeignKey("act.id"), primary_key=True, autoincrement=False),
        _short("sha256", 64),
    )  # fmt: skip
