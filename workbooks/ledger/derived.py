"""What follows from the history and is kept beside it, so that no question has to go through a million entries.

Each act is carried over in its own transaction. All of it can be found out anew from the history at any time, which
is how a ledger is brought to a new schema or restored, and how the integrity check proves it equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, bindparam, delete, select, text

from workbooks.ledger import schema
from workbooks.ledger.alike import carry_all_names, carry_names, names_carried_wrongly

_FROM_THE_HISTORY = {
    schema.had: """
        SELECT a.uscc, a.policy, e.item, SUM(e.fen)
        FROM entry e JOIN application a ON a.id = e.application_id GROUP BY a.uscc, a.policy, e.item
    """,
    schema.enterprise: """
        SELECT uscc, SUM(funded), SUM(names) FROM (
            SELECT a.uscc, CASE WHEN SUM(e.fen) > 0 THEN 1 ELSE 0 END AS funded, 0 AS names
            FROM entry e JOIN application a ON a.id = e.application_id GROUP BY e.application_id, a.uscc
            UNION ALL SELECT uscc, 0, 1 FROM name
        ) AS counted GROUP BY uscc
    """,
    schema.spent: """
        SELECT a.policy, a.batch, COALESCE(SUM(e.fen), 0)
        FROM application a LEFT JOIN entry e ON e.application_id = a.id GROUP BY a.policy, a.batch
    """,
    schema.paper_again: "SELECT kind, number FROM paper GROUP BY kind, number HAVING COUNT(*) > 1",
}
"""What the rows of a table must be."""

_FROM_AN_ACT = tuple(map(text, (
    """
    INSERT INTO had (uscc, policy, item, fen)
    SELECT a.uscc, a.policy, e.item, SUM(e.fen) FROM entry e JOIN application a ON a.id = e.application_id
    WHERE e.act_id = :act GROUP BY a.uscc, a.policy, e.item
    ON CONFLICT (uscc, policy, item) DO UPDATE SET fen = had.fen + excluded.fen
    """,
    """
    INSERT INTO enterprise (uscc, funded, names)
    SELECT a.uscc, SUM(CASE WHEN s.fen > 0 THEN 1 ELSE 0 END - CASE WHEN s.before > 0 THEN 1 ELSE 0 END), 0
    FROM (
        SELECT application_id, SUM(fen) AS fen, SUM(CASE WHEN act_id < :act THEN fen ELSE 0 END) AS before
        FROM entry
        WHERE act_id <= :act AND application_id IN (SELECT application_id FROM entry WHERE act_id = :act)
        GROUP BY application_id
    ) AS s JOIN application a ON a.id = s.application_id
    WHERE 1 = 1 GROUP BY a.uscc
    ON CONFLICT (uscc) DO UPDATE SET funded = enterprise.funded + excluded.funded
    """,
    """
    INSERT INTO enterprise (uscc, funded, names)
    SELECT uscc, 0, COUNT(*) FROM name WHERE act_id = :act GROUP BY uscc
    ON CONFLICT (uscc) DO UPDATE SET names = enterprise.names + excluded.names
    """,
    """
    INSERT INTO spent (policy, batch, fen) SELECT DISTINCT policy, batch, 0 FROM application WHERE act_id = :act
    ON CONFLICT (policy, batch) DO NOTHING
    """,
    """
    INSERT INTO spent (policy, batch, fen)
    SELECT a.policy, a.batch, SUM(e.fen) FROM entry e JOIN application a ON a.id = e.application_id
    WHERE e.act_id = :act GROUP BY a.policy, a.batch
    ON CONFLICT (policy, batch) DO UPDATE SET fen = spent.fen + excluded.fen
    """,
    """
    INSERT INTO paper_again (kind, number)
    SELECT DISTINCT p.kind, p.number FROM paper p
    JOIN paper q ON q.kind = p.kind AND q.number = p.number AND q.id <> p.id
    WHERE p.act_id = :act
    ON CONFLICT (kind, number) DO NOTHING
    """,
)))  # fmt: skip


def carry(connection: Connection, act_id: int) -> None:
    """Carries over what an act entered; called once for each, in the transaction that enters it."""
    for statement in _FROM_AN_ACT:
        connection.execute(statement, {"act": act_id})
    carry_names(connection, act_id)


def derive(connection: Connection) -> None:
    """Finds all of it out anew, whatever was there."""
    with unguarded(connection):
        for table in schema.DERIVED:
            connection.execute(delete(table))
        for table, rows in _FROM_THE_HISTORY.items():
            connection.execute(text(f"INSERT INTO {table.name} {rows}"))
        carry_all_names(connection)


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """Without the triggers that let nothing be written here but with an act; they are back at the end."""
    names = [table.name for table in schema.DERIVED]
    if connection.dialect.name != "sqlite":
        for name in names:
            connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        yield
        for name in names:
            connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE TRIGGER USER")
        return
    asked = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN :names")
    guards = connection.execute(asked.bindparams(bindparam("names", names, expanding=True))).all()
    for name, _ in guards:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, made in guards:
        connection.exec_driver_sql(made)


def carried_wrongly(connection: Connection) -> Iterator[str]:
    """The names of the tables that are not what follows from the history."""
    for table, rows in _FROM_THE_HISTORY.items():
        if set(connection.execute(select(table))) != set(connection.execute(text(rows))):
            yield table.name
    yield from names_carried_wrongly(connection)
