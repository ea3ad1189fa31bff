"""Names of different enterprises that may be meant as one, found when a name is entered.

Names that are the same but for how they are written share a core. Two cores can only be near where they share a key:
one key is the core, others the core without one of its characters, or its end after characters left out in front.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

from sqlalchemy import Connection, bindparam, select

from workbooks.ledger import schema
from workbooks.ledger.database import among, enter_many
from workbooks.merging.near_names import core_of_name, near_names
from xlcalc.values.text import squeeze

_SHORTEST = 5
"""``near_names`` takes no shorter names for one another, unless they are the same but for how they are written."""
_FIGURES = frozenset("0123456789〇一二三四五六七八九十百")
_AT_ONCE = 5_000


def core_of(name: str) -> str:
    """A name without what clerks write one way or the other; one that consists of nothing else is its own core."""
    return core_of_name(name) or squeeze(name)


class Keys(NamedTuple):
    """Short numbers instead of texts: that two texts may share one costs a look at both names, and no more.

    own: that of the core itself; kept: under which the core is kept; asked: under which the cores near to it are kept.
    """

    own: int
    kept: set[int]
    asked: set[int]


def keys_of(core: str) -> Keys:
    """The keys of a core: of the core, of what is left of it without a character, and of its ends.

    Names with other figures are other names, so that a figure is never left out.
    """
    own = _key(f"={core}")
    if len(core) < _SHORTEST:
        return Keys(own, {own}, {own})
    same = {_key(f"={core[:at]}{core[at + 1 :]}") for at, sign in enumerate(core) if sign not in _FIGURES}
    same.add(own)
    ends = [core[at:] for at in range(1, len(core) - _SHORTEST + 1)]
    kept = same.union([_key(f">{end}") for end in ends])
    return Keys(own, kept, same.union([_key(f"={end}") for end in ends], (_key(f">{core}"),)))


def _key(text: str) -> int:
    return crc32(text.encode())


def _are_near(one: str, other: str) -> bool:
    """Whether two names with different cores may be meant as one, whichever was entered first."""
    return bool(near_names(sorted((one, other), key=lambda name: (len(core_of(name)), name))))


_OF_AN_ACT = (
    select(schema.name.c.id, schema.name.c.uscc, schema.name.c.name)
    .where(schema.name.c.act_id == bindparam("act"))
    .order_by(schema.name.c.id)
)


def carry_names(connection: Connection, act_id: int) -> None:
    """What follows from the names of an act."""
    rows = connection.execute(_OF_AN_ACT, {"act": act_id}).all()
    if rows:
        _carry(connection, [(number, uscc, name) for number, uscc, name in rows])


def carry_all_names(connection: Connection) -> None:
    """What follows from all names, where nothing of it is kept yet."""
    table = schema.name
    asked = select(table.c.id, table.c.uscc, table.c.name).order_by(table.c.id)
    rows = [(number, uscc, name) for number, uscc, name in connection.execute(asked)]
    for start in range(0, len(rows), _AT_ONCE):
        _carry(connection, rows[start : start + _AT_ONCE])


_KEPT = (
    select(schema.name_key.c.key, schema.name_key.c.core_id, schema.name.c.name)
    .join(schema.name, schema.name.c.id == schema.name_key.c.core_id)
    .where(among(schema.name_key.c.key, "keys"))
)


def _carry(connection: Connection, rows: Sequence[tuple[int, str, str]]) -> None:
    cores = {name: core_of(name) for _, _, name in rows}
    called = {core: name for name, core in cores.items()}
    keys = {core: keys_of(core) for core in called}
    kept = _kept_under(connection, {key for found in keys.values() for key in found.asked})
    at = {
        core: number
        for core, found in keys.items()
        for number, name in kept.get(found.own, ())
        if core_of(name) == core
    }
    fresh: dict[int, str] = {}
    users: dict[str, set[str]] = {}
    for row, uscc, name in rows:
        core = cores[name]
        if core not in at:
            at[core], fresh[row] = row, core
        users.setdefault(core, set()).add(uscc)
    enter_many(connection, schema.name_core, ("name_id", "core_id"), [(row, at[cores[name]]) for row, _, name in rows])
    entered = sorted((key, number) for number, core in fresh.items() for key in keys[core].kept)
    enter_many(connection, schema.name_key, ("key", "core_id"), entered)
    for key, number in entered:
        kept.setdefault(key, []).append((number, called[fresh[number]]))
    pairs = {(at[core], at[core]) for core, using in users.items() if at[core] not in fresh or len(using) > 1}
    for core, number in at.items():
        near = {row for key in keys[core].asked if key in kept for row in kept[key]}
        pairs |= {
            (min(number, other), max(number, other))
            for other, name in near
            if other != number and _are_near(called[core], name)
        }
    _enter_pairs(connection, pairs)


def _kept_under(connection: Connection, keys: set[int]) -> dict[int, list[tuple[int, str]]]:
    """The number and the name of every core that is kept under one of some keys, by key."""
    found: dict[int, list[tuple[int, str]]] = {}
    for key, number, text in connection.execute(_KEPT, {"keys": keys}).all():
        found.setdefault(key, []).append((number, text))
    return found


def _enter_pairs(connection: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Those that more than one enterprise goes by and that are not there yet."""
    wanted, table = set(pairs), schema.alike
    if not wanted:
        return
    rows = connection.execute(select(table).where(among(table.c.first_id, {pair[0] for pair in wanted})))
    wanted -= {(row.first_id, row.second_id) for row in rows}
    users = users_of(connection, {number for pair in wanted for number in pair})
    new = [pair for pair in sorted(wanted) if _are_several(users[pair[0]], users[pair[1]])]
    enter_many(connection, table, ("first_id", "second_id"), new)


def _are_several(ones: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> bool:
    return len({uscc for uscc, _ in (*ones, *others)}) > 1


def users_of(connection: Connection, cores: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    """The enterprises that go by each core: (code, name), in the order in which they were entered."""
    table, name = schema.name_core, schema.name
    found: dict[int, list[tuple[str, str]]] = {}
    rows = connection.execute(
        select(table.c.core_id, name.c.uscc, name.c.name)
        .join(name, name.c.id == table.c.name_id)
        .where(among(table.c.core_id, cores))
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
        for key in keys_of(text).kept:
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
        near = {other for key in keys_of(text).asked for other in kept.get(key, ()) if other > core}
        for other in near:
            if len(users[core] | users[other]) > 1 and _are_near(called[core], called[other]):
                pairs.add((core, other))
    if pairs != {(row.first_id, row.second_id) for row in connection.execute(select(schema.alike))}:
        yield schema.alike.name
