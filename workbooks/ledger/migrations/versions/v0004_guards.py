"""What follows from the history is written only while an act is entered, and the database itself refuses otherwise."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

_ADDED_TO = ("had", "enterprise", "spent")
_APPENDED_TO = ("paper_again", "name_core", "alike")
# A key more only has two names looked at, and there are a dozen for every new name.
_NOT_TAKEN_FROM = ("name_key",)
_REFUSAL = "what follows from the ledger is written with an act alone"
# An act is open from its row until its seal.
_NONE_OPEN = "COALESCE((SELECT MAX(id) FROM act), 0) = COALESCE((SELECT MAX(act_id) FROM seal), 0)"


def upgrade() -> None:
    """Triggers on every derived table; nothing in any of them is touched."""
    tables: dict[str, tuple[str, ...]] = {
        **dict.fromkeys(_ADDED_TO, ("INSERT", "UPDATE")), **dict.fromkeys(_APPENDED_TO, ("INSERT",)),
        **dict.fromkeys(_NOT_TAKEN_FROM, ()),
    }  # fmt: skip
    if op.get_bind().dialect.name == "sqlite":
        for table, allowed in tables.items():
            for deed in ("INSERT", "UPDATE", "DELETE") if allowed else ("UPDATE", "DELETE"):
                condition = f"WHEN {_NONE_OPEN} " if deed in allowed else ""
                op.execute(
                    f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} {condition}"
                    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION ledger_follows() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {_NONE_OPEN} THEN RAISE EXCEPTION '{_REFUSAL}'; END IF; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE FUNCTION ledger_keeps() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    for table, allowed in tables.items():
        refused = [deed for deed in ("UPDATE", "DELETE", "TRUNCATE") if deed not in allowed]
        for name, deeds, function in (("follows", allowed, "ledger_follows"), ("keeps", refused, "ledger_keeps")):
            if not deeds:
                continue
            op.execute(
                f"CREATE TRIGGER {table}_{name} BEFORE {' OR '.join(deeds)} ON {table} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
