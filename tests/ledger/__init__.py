"""Tests of the ledger, each on a SQLite file and on PostgreSQL."""
