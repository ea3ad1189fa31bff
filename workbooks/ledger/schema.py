"""The tables of the ledger as the newest schema has them: one row a fact, and no row is ever changed or removed.

An ``act`` is what one person did at one time, from one file or by one document; every other row belongs to an act.
``entry.fen`` and ``budget.fen`` are signed, so that what an enterprise has is the plain sum of its entries.

``DERIVED`` tables are no history: they keep what follows from it, so that a question about a million entries need not
go through them. Each can be made from the history again (``derived.py``).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

GRANT, CORRECTION, RELEASE = "grant", "correction", "release"
RUN, STEP, AMENDMENT, BUDGET = "run", "step", "amendment", "budget"
INVOICE, CONTRACT = "invoice", "contract"

_ID = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData()


def _key() -> Column[int]:
    return Column("id", _ID, primary_key=True, autoincrement=True)


def _refers(name: str, target: str, *, needed: bool = True, unique: bool = False) -> Column[int]:
    return Column(name, _ID, ForeignKey(f"{target}.id"), nullable=not needed, unique=unique)


def _one_of(column: str, *words: str) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"known_{column}")


source = Table(
    "source", metadata,
    Column("sha256", String(64), primary_key=True),
    Column("name", Text, nullable=False),
)  # fmt: skip

act = Table(
    "act", metadata,
    _key(),
    Column("kind", String(12), nullable=False),
    Column("operator", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("booked", DateTime, nullable=False),
    Column("document", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("batch", Text, nullable=False),
    Column("asked", Text, nullable=False),
    Column("source", String(64), ForeignKey("source.sha256"), nullable=True),
    CheckConstraint("operator <> ''", name="operator_named"),
    _one_of("kind", RUN, STEP, AMENDMENT, BUDGET),
    sqlite_autoincrement=True,
)  # fmt: skip
_IS_A_RUN = act.c.kind == RUN
# The same file is booked once, whoever runs it and however often.
Index("one_run_a_file", act.c.source, unique=True, sqlite_where=_IS_A_RUN, postgresql_where=_IS_A_RUN)

ground = Table(
    "ground", metadata,
    _key(),
    _refers("act_id", "act"),
    Column("policy", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("pack_hash", String(64), nullable=False),
    Column("choices", Text, nullable=False),
    UniqueConstraint("policy", "version", "pack_hash", "choices", name="one_row_a_ground"),
    sqlite_autoincrement=True,
)  # fmt: skip

application = Table(
    "application", metadata,
    _key(),
    _refers("act_id", "act"),
    Column("uscc", String(18), nullable=False),
    Column("policy", Text, nullable=False),
    Column("batch", Text, nullable=False),
    UniqueConstraint("uscc", "policy", "batch", name="one_application_a_batch"),
    Index("application_by_batch", "policy", "batch"),
    Index("application_by_act", "act_id"),
    sqlite_autoincrement=True,
)  # fmt: skip

step = Table(
    "step", metadata,
    _key(),
    _refers("act_id", "act"),
    _refers("application_id", "application"),
    Column("number", Integer, nullable=False),
    Column("transition", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    _refers("ground_id", "ground"),
    _refers("corrects", "step", needed=False, unique=True),
    UniqueConstraint("application_id", "number", name="one_step_at_a_time"),
    CheckConstraint("number > 0", name="numbered_from_one"),
    Index("step_by_act", "act_id"),
    sqlite_autoincrement=True,
)  # fmt: skip

due = Table(
    "due", metadata,
    _key(),
    _refers("act_id", "act"),
    _refers("step_id", "step", unique=True),
    Column("day", Date, nullable=False, index=True),
    Column("warning", Text, nullable=False),
    Index("due_by_act", "act_id"),
    sqlite_autoincrement=True,
)  # fmt: skip

entry = Table(
    "entry", metadata,
    _key(),
    _refers("act_id", "act"),
    _refers("application_id", "application"),
    Column("item", Text, nullable=False),
    Column("kind", String(12), nullable=False),
    Column("fen", BigInteger, nullable=False),
    _refers("ground_id", "ground"),
    Column("place", Text, nullable=False),
    _refers("corrects", "entry", needed=False, unique=True),
    _refers("step_id", "step", needed=False),
    _one_of("kind", GRANT, CORRECTION, RELEASE),
    CheckConstraint("kind <> 'grant' OR fen >= 0", name="a_grant_gives"),
    CheckConstraint("kind <> 'release' OR (fen <= 0 AND step_id IS NOT NULL)", name="a_release_takes"),
    CheckConstraint("(kind = 'correction') = (corrects IS NOT NULL)", name="a_correction_names_the_entry"),
    Index("entry_by_application", "application_id"),
    Index("entry_by_act", "act_id"),
    sqlite_autoincrement=True,
)  # fmt: skip

name = Table(
    "name", metadata,
    _key(),
    _refers("act_id", "act"),
    Column("uscc", String(18), nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("uscc", "name", name="one_row_a_name"),
    Index("name_by_act", "act_id"),
    sqlite_autoincrement=True,
)  # fmt: skip

paper = Table(
    "paper", metadata,
    _key(),
    _refers("act_id", "act"),
    _refers("application_id", "application"),
    Column("kind", String(12), nullable=False),
    Column("number", Text, nullable=False),
    UniqueConstraint("application_id", "kind", "number", name="one_row_a_paper"),
    Index("paper_by_number", "kind", "number"),
    Index("paper_by_act", "act_id"),
    _one_of("kind", INVOICE, CONTRACT),
    sqlite_autoincrement=True,
)  # fmt: skip

budget = Table(
    "budget", metadata,
    _key(),
    _refers("act_id", "act"),
    Column("policy", Text, nullable=False),
    Column("batch", Text, nullable=False),
    Column("fen", BigInteger, nullable=False),
    Index("budget_by_batch", "policy", "batch"),
    sqlite_autoincrement=True,
)  # fmt: skip

seal = Table(
    "seal", metadata,
    Column("act_id", _ID, ForeignKey("act.id"), primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
)  # fmt: skip

had = Table(
    "had", metadata,
    Column("uscc", String(18), primary_key=True),
    Column("policy", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("fen", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
"""What an enterprise holds by programme and item, all batches together."""

enterprise = Table(
    "enterprise", metadata,
    Column("uscc", String(18), primary_key=True),
    Column("funded", Integer, nullable=False),
    Column("names", Integer, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
"""In how many applications an enterprise holds money, and how many names it was used with."""
_IS_RENAMED = enterprise.c.names > 1
Index(
    "several_names", enterprise.c.uscc, enterprise.c.names, sqlite_where=_IS_RENAMED, postgresql_where=_IS_RENAMED
)  # fmt: skip

spent = Table(
    "spent", metadata,
    Column("policy", Text, primary_key=True),
    Column("batch", Text, primary_key=True),
    Column("fen", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
"""What is granted in each batch in which there is an application."""

paper_again = Table(
    "paper_again", metadata,
    Column("kind", String(12), primary_key=True),
    Column("number", Text, primary_key=True),
    sqlite_with_rowid=False,
)  # fmt: skip
"""The papers that more than one application rests on."""

name_core = Table(
    "name_core", metadata,
    Column("name_id", _ID, primary_key=True, autoincrement=False),
    Column("core_id", _ID, nullable=False, index=True),
    sqlite_with_rowid=False,
)  # fmt: skip
"""The first name that is the same as a name but for how it is written; ``core_id`` is the number of that first one."""

name_key = Table(
    "name_key", metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("core_id", _ID, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)  # fmt: skip
"""Under which keys the names near to a name are found (``alike.py``)."""

alike = Table(
    "alike", metadata,
    Column("first_id", _ID, primary_key=True, autoincrement=False),
    Column("second_id", _ID, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)  # fmt: skip
"""Pairs of cores that more than one enterprise goes by; twice the same where they share one."""

DERIVED = (had, enterprise, spent, paper_again, name_core, name_key, alike)
TABLES = tuple(table for table in metadata.sorted_tables if table not in DERIVED)
OF_AN_ACT = (ground, application, step, due, entry, name, paper, budget)
"""What an act consists of besides itself, in the order in which it is sealed."""
