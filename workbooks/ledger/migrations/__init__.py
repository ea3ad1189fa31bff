"""Steps from one schema of the ledger to the next, run by Alembic on the connection handed over."""
