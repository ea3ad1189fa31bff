"""Called by Alembic: runs the steps on the connection the ledger hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from workbooks.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
