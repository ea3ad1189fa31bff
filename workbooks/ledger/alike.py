"""Names of different enterprises that may be meant as one, found when a name is entered.

Names that are the same but for how they are written share a core. Two cores can only be near where they share a key:
one key is the core, others the core without one of its characters, or its end after characters left out in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from zlib import crc32

from sqlalchemy import Connection, select

from workbooks.ledger import schema
from workbooks.ledger.database import among, enter_many
from workbooks.merging.near_names import core_of_name, near_names
from xlcalc.values.text import squeeze

_SHORTEST = 5
"""``near_names`` takes no shorter names for one another, unless they are the same but for how they are written."""
_FIGURE = re.compile("[0-9〇一二三四五六七八九十百]")
_AT_ONCE = 5_000


def core_of(name: str) -> str:
    """A name without what clerks write one way or the other; one that consists of nothing else is its own core."""
    return core_of_name(name) or squeeze(name)


def _key(text: str) -> int:
    """A short number instead of the text: that two texts may share it costs a look at both names, and no more."""
    return crc32(text.encode())


def _keys(core: str) -> tuple[set[str], set[str], set[str]]:
    """The core and what is left of it without a character; its ends; under what longer names are found.

    Names with other figures are other names, so that a figure is never left out.
    """
    if len(core) < _SHORTEST:
        return {f"={core}"}, set(), set()
    shorter = {f"={core[:at]}{core[at + 1 :]}" for at, sign in enumerate(core) if not _FIGURE.match(sign)}
    return {f"={core}", *shorter}, {core[at:] for at in range(1, len(core) - _SHORTEST + 1)}, {f">{core}"}


def keys_kept(core: str) -> set[int]:
    """Under which keys a core is kept."""
    same, ends, _ = _keys(core)
    return {_key(text) for text in same} | {_key(f">{end}") for end in ends}


def _keys_asked(core: str) -> set[int]:
    """Under which keys the cores near to one are kept."""
    same, ends, longer = _keys(core)
    return {_key(text) for text in (*same, *longer)} | {_key(f"={end}") for end in ends}


def _are_near(one: str, other: str) -> bool:
    """Whether two names with different cores may be meant as one, whichever was entered first."""
    return bool(near_names(sorted((one, other), key=lambda name: (len(core_of(name)), name))))


def carry_names(connection: Connection, act_id: int) -> None:
    """What follows from the names of an act."""
    table = schema.name
    columns = (table.c.id, table.c.uscc, table.c.name)
    rows = connection.execute(select(*columns).where(table.c.act_id == act_id).order_by(table.c.id)).all()
    if rows:
        _carry(connection, [(number, uscc, name) for number, uscc, name in rows])


def carry_all_names(connection: Connection) -> None:
    """What follows from all names, where nothing of it is kept yet."""
    table = schema.name
    asked = select(table.c.id, table.c.uscc, table.c.name).order_by(table.c.id)
    rows = [(number, uscc, name) for number, uscc, name in connection.execute(asked)]
    for start in range(0, len(rows), _AT_ONCE):
        _carry(connection, rows[start : start + _AT_ONCE])


def _carry(connection: Connection, rows: Sequence[tuple[int, str, str]]) -> None:
    cores = {name: core_of(name) for _, _, name in rows}
    known = _kept_under(connection, {core: {_key(f"={core}")} for core in set(cores.values())})
    at = {core: number for core, near in known.items() for number, name in near.items() if core_of(name) == core}
    fresh: dict[int, str] = {}
    for row, _, name in rows:
        core = cores[name]
        if core not in at:
            at[core], fresh[row] = row, core
    enter_many(connection, schema.name_core, [{"name_id": row, "core_id": at[cores[name]]} for row, _, name in rows])
    kept = [{"key": key, "core_id": number} for number, core in fresh.items() for key in keys_kept(core)]
    enter_many(connection, schema.name_key, kept)
    near = _kept_under(connection, {core: _keys_asked(core) for core in at})
    called = {core: name for name, core in cores.items()}
    pairs = {(at[core], at[core]) for core in at}
    for core, number in at.items():
        others = {other: name for other, name in near[core].items() if other != number}
        pairs |= {
            (min(number, other), max(number, other)) for other, name in others.items() if _are_near(called[core], name)
        }
    _enter_pairs(connection, pairs)


def _kept_under(connection: Connection, asked: Mapping[str, set[int]]) -> dict[str, dict[int, str]]:
    """For each core the number and the name of every core that is kept under one of its keys."""
    table, name = schema.name_key, schema.name
    found: dict[int, list[tuple[int, str]]] = {}
    rows = connection.execute(
        select(table.c.key, table.c.core_id, name.c.name)
        .join(name, name.c.id == table.c.core_id)
        .where(among(connection, table.c.key, {key for keys in asked.values() for key in keys}))
    )
    for key, number, text in rows.all():
        found.setdefault(key, []).append((number, text))
    return {core: dict(row for key in keys for row in found.get(key, ())) for core, keys in asked.items()}


def _enter_pairs(connection: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Those that more than one enterprise goes by and that are not there yet."""
    wanted, table = set(pairs), schema.alike
    rows = connection.execute(select(table).where(among(connection, table.c.first_id, {pair[0] for pair in wanted})))
    wanted -= {(row.first_id, row.second_id) for row in rows}
    users = users_of(connection, {number for pair in wanted for number in pair})
    new = [pair for pair in sorted(wanted) if _are_several(users[pair[0]], users[pair[1]])]
    enter_many(connection, table, [{"first_id": first, "second_id": second} for first, second in new])


def _are_several(ones: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> bool:
    return len({uscc for uscc, _ in (*ones, *others)}) > 1


def users_of(connection: Connection, cores: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    """The enterprises that go by each core: (code, name), in the order in which they were entered."""
    table, name = schema.name_core, schema.name
    found: dict[int, list[tuple[str, str]]] = {}
    rows = connection.execute(
        select(table.c.core_id, name.c.uscc, name.c.name)
        .join(name, name.c.id == table.c.name_id)
        .where(among(connection, table.c.core_id, cores))
        .order_by(name.c.id)
    )
    for number, uscc, text in rows.all():
        found.setdefault(number, []).append((uscc, text))
    return found


def names_carried_wrongly(connection: Connection) -> Iterator[str]:
    """The tables of names that are not what follows from the names, all of it found out anew."""
    cores: dict[str, int] = {}
    users: dict[int, set[str]] = {}
    called: dict[int, str] = {}
    same = {}
    for number, uscc, name in connection.execute(
        select(schema.name.c.id, schema.name.c.uscc, schema.name.c.name).order_by(schema.name.c.id)
    ):
        core = cores.setdefault(core_of(name), number)
        called.setdefault(core, name)
        users.setdefault(core, set()).add(uscc)
        same[number] = core
    if same != {row.name_id: row.core_id for row in connection.execute(select(schema.name_core))}:
        yield schema.name_core.name
    kept: dict[int, list[int]] = {}
    for text, core in cores.items():
        for key in keys_kept(text):
            kept.setdefault(key, []).append(core)
    table, rows = schema.name_key, 0
    for key, number in connection.execute(select(table).execution_options(yield_per=10_000)):
        rows += 1
        if number not in kept.get(key, ()):
            rows = -1
            break
    if rows != sum(map(len, kept.values())):
        yield schema.name_key.name
    pairs = {(number, number) for number, codes in users.items() if len(codes) > 1}
    for text, core in cores.items():
        near = {other for key in _keys_asked(text) for other in kept.get(key, ()) if other > core}
        for other in near:
            if len(users[core] | users[other]) > 1 and _are_near(called[core], called[other]):
                pairs.add((core, other))
    if pairs != {(row.first_id, row.second_id) for row in connection.execute(select(schema.alike))}:
        yield schema.alike.name
