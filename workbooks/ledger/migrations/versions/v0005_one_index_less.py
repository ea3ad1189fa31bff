"""Who has had money more than once is counted without an index: every booking would rewrite it for every enterprise."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Removes the index; no row is touched."""
    op.drop_index("several_funded", "enterprise")
