"""What one person did at one time: opened with who, when and by which document, and sealed when all of it is there.

A seal is the SHA-256 of everything an act consists of and of the seal before it, so that a row changed, added or
removed behind the ledger's back shows, wherever it stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from json.encoder import encode_basestring as quoted
from typing import Any

from sqlalchemy import Column, Connection, Date, DateTime, Row, String, Table, bindparam, func, insert, select

from workbooks.ledger import schema
from workbooks.ledger.database import Ledger, LedgerError
from workbooks.ledger.derived import carry
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.values.phones import mask_phones, mask_phones_in_name
from xlcalc.values.text import normalise


@dataclass(frozen=True)
class Act:
    """Who does something, by which document and why.

    day: the day of the decision. booked: the time of entering it, with its zone, given by the caller and kept as UTC.
    Phone and identity numbers in any of the texts are masked before they are kept.
    """

    operator: str
    day: date
    booked: datetime
    document: str = ""
    reason: str = ""


OF_A_LIST = schema.act.c.asked.like('{"list":%')
"""Whether an act entered an earlier year's list: what was had, whether or not it kept a cap."""


def batch_named(text: str) -> str:
    """The name of a batch as it is kept; raises LedgerError ``E-LEDGER-BATCH`` without one.

    >>> batch_named(" 2025年　第一批 ")
    '2025年 第一批'
    """
    named = " ".join(normalise(text).split())
    if not named:
        raise LedgerError("E-LEDGER-BATCH", "没有写明批次", remedy="请用 --batch 给出批次，如 2025年第一批")
    return named


@dataclass(frozen=True)
class Source:
    """The file something was read from: its SHA-256, and its name without the folder."""

    sha256: str
    name: str


@dataclass(frozen=True)
class Ground:
    """Under what a result was found: a version of a policy, the hash of all it says, and the complete choices."""

    policy: str
    version: str
    pack_hash: str
    choices: str

    @property
    def readings(self) -> dict[str, str]:
        """The choices by id."""
        return dict(json.loads(self.choices))

    @property
    def is_held(self) -> bool:
        """Whether the pack still says what it said then."""
        return self.version_now().hash == self.pack_hash

    def version_now(self) -> Version:
        """The version as the pack has it now; raises PolicyError where it has none of that name."""
        return load_policy(self.policy).version(self.version)

    def readings_now(self) -> dict[str, str]:
        """The choices as far as the pack still offers them, completed with its defaults."""
        offered = self.version_now().interpretations
        known = {key: code for key, code in self.readings.items() if key in offered and code in offered[key].options}
        return self.version_now().full_choices(known)


def ground_of(policy: str, version: Version, choices: Mapping[str, str]) -> Ground:
    """The ground of a result under a version and its choices, completed with the defaults."""
    return Ground(policy, version.id, version.hash, plain_json(version.full_choices(version.own_choices(choices))))


def plain_json(value: Any) -> str:
    """A value as JSON that is the same wherever it is made."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@contextmanager
def acting(
    ledger: Ledger, act: Act, kind: str, *, batch: str = "", asked: Mapping[str, Any] | None = None,
    source: Source | None = None,
) -> Iterator[tuple[Connection, int]]:  # fmt: skip
    """One act in one transaction, sealed at its end; nothing is left of it when anything in it is refused.

    Raises LedgerError ``E-LEDGER-OPERATOR`` without an operator.
    """
    with ledger.writing() as connection:
        number = open_act(connection, act, kind, batch=batch, asked=asked, source=source)
        yield connection, number
        seal_act(connection, number)


def open_act(
    connection: Connection, act: Act, kind: str, *, batch: str = "", asked: Mapping[str, Any] | None = None,
    source: Source | None = None,
) -> int:  # fmt: skip
    """Enters who acts and from which file; returns the act's number."""
    if not act.operator.strip():
        raise LedgerError("E-LEDGER-OPERATOR", "没有写明经办人", remedy="请用 --operator 给出经办人")
    if source is not None:
        known = select(schema.source.c.sha256).where(schema.source.c.sha256 == source.sha256)
        if connection.scalar(known) is None:
            name = mask_phones_in_name(source.name)
            connection.execute(insert(schema.source).values(sha256=source.sha256, name=name))
    values = {
        "kind": kind, "operator": mask_phones(act.operator.strip()), "day": act.day,
        "booked": act.booked.astimezone(UTC).replace(microsecond=0, tzinfo=None),
        "document": mask_phones_in_name(act.document), "reason": mask_phones(act.reason), "batch": batch,
        "asked": plain_json(asked or {}), "source": source.sha256 if source else None,
    }  # fmt: skip
    return entered(connection, schema.act, values)


def entered(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Enters one row and returns its number."""
    key: Any = connection.execute(insert(table).values(values)).inserted_primary_key
    return int(key[0])


def act_of_file(connection: Connection, sha256: str) -> int | None:
    """The number of the act that entered a file, None where none has."""
    table = schema.act
    found = connection.scalar(select(table.c.id).where(table.c.source == sha256, table.c.kind == schema.RUN))
    return None if found is None else int(found)


def last_act_of_file(connection: Connection, sha256: str) -> int | None:
    """The number of the last act that entered a file or what had been left of it, None where none has."""
    table = schema.act
    kinds = table.c.kind.in_((schema.RUN, schema.AMENDMENT))
    found = connection.scalar(select(func.max(table.c.id)).where(table.c.source == sha256, kinds))
    return None if found is None else int(found)


def ground_id(connection: Connection, act_id: int, ground: Ground) -> int:
    """The number of a ground, entered when it is new."""
    table = schema.ground
    values = {name: getattr(ground, name) for name in ("policy", "version", "pack_hash", "choices")}
    known = connection.scalar(select(table.c.id).where(*(table.c[key] == value for key, value in values.items())))
    if known is not None:
        return int(known)
    return entered(connection, table, {"act_id": act_id, **values})


_AT_ONCE = 250
_LAST_SEAL = select(schema.seal.c.sha256).order_by(schema.seal.c.act_id.desc()).limit(1)
_ACT = select(schema.act).where(schema.act.c.id == bindparam("act"))
_OF_AN_ACT = {
    table: select(table).where(table.c.act_id == bindparam("act")).order_by(table.c.id) for table in schema.OF_AN_ACT
}


def seal_act(connection: Connection, act_id: int) -> None:
    """Seals an act that is complete, and carries it over into what follows from the history."""
    value = sealed(connection, act_id, connection.scalar(_LAST_SEAL) or "")
    # Before the seal closes the act: the database refuses it afterwards.
    carry(connection, act_id)
    connection.execute(insert(schema.seal).values(act_id=act_id, sha256=value))


def sealed(connection: Connection, act_id: int, before: str) -> str:
    """The seal an act must have, given the seal before it."""
    act = connection.execute(_ACT, {"act": act_id}).one()
    rows = {table: connection.execute(asked, {"act": act_id}).all() for table, asked in _OF_AN_ACT.items()}
    return seal_text(before, act, rows)


def seal_text(before: str, act: Row[Any], rows: Mapping[Table, Sequence[Row[Any]]]) -> str:
    """SHA-256 over the seal before, the act and its rows by table; tables without rows are left out.

    What is sealed is the JSON of ``plain_json``, written column by column as there may be a million rows.
    """
    (said,) = _json_rows(schema.act, [act])
    sealing = hashlib.sha256(f"[{plain_json(before)},{said},{{".encode())
    tables = sorted((table for table, found in rows.items() if found), key=lambda table: table.name)
    for turn, table in enumerate(tables):
        sealing.update(f'{"," if turn else ""}"{table.name}":['.encode())
        for start in range(0, len(rows[table]), _AT_ONCE):
            some = ",".join(_json_rows(table, rows[table][start : start + _AT_ONCE]))
            sealing.update(f"{',' if start else ''}{some}".encode())
        sealing.update(b"]")
    sealing.update(b"}]")
    return sealing.hexdigest()


def _json_rows(table: Table, rows: Sequence[Row[Any]]) -> list[str]:
    columns = {
        column.name: _json_values(column, values)
        for column, values in zip(table.columns, zip(*rows, strict=True), strict=True)
    }
    names = sorted(columns)
    pattern = "{" + ",".join(f'"{name}":%s' for name in names) + "}"
    return [pattern % row for row in zip(*(columns[name] for name in names), strict=True)]


def _json_values(column: Column[Any], values: Sequence[Any]) -> Sequence[Any]:
    if isinstance(column.type, String):
        if values[0].__class__ is str and values.count(values[0]) == len(values):
            return [quoted(values[0])] * len(values)
        return [quoted(value) if value.__class__ is str else plain_json(value) for value in values]
    if isinstance(column.type, Date | DateTime):
        return [quoted(value.isoformat()) for value in values]
    # A file of SQLite may hold anything in any column; what is no number must not pass for the rows after it.
    return [value if value.__class__ is int else "null" if value is None else plain_json(value) for value in values]
