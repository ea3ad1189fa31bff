"""Whether the ledger still is what was entered: seals, sums, states and caps, each found out anew."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, Table, case, func, inspect, or_, select, text

from workbooks.documents.doubtful_codes import mask_code
from workbooks.ledger import schema
from workbooks.ledger.acts import OF_A_LIST, Ground, seal_text
from workbooks.ledger.caps import Cap, caps_of
from workbooks.ledger.database import Ledger, among, without_collecting
from workbooks.ledger.derived import carried_wrongly, derive
from workbooks.ledger.programmes import states_of
from xlcalc.errors import PolicyError
from xlcalc.packs.earlier import version_as_recorded
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.values.money import Money

_NONE: tuple[int, list[Row[Any]]] = (0, [])


def check(ledger: Ledger) -> list[str]:
    """What is wrong with the ledger, in Chinese, one sentence each; none where all of it holds.

    Seals show a row changed, added or removed behind the ledger's back; sums are never below 0; every step is one its
    pack lists; no grant went above a cap of the readings it was computed under, which those of earlier lists may. Packs
    changed since are left out. What is kept beside the history is what follows from it.
    """
    with without_collecting(), ledger.reading() as connection:
        return [
            *_database(ledger, connection), *_guards(ledger, connection), *_seals(connection), *_steps(connection),
            *_money(connection), *_derived(connection),
        ]  # fmt: skip


def _database(ledger: Ledger, connection: Connection) -> Iterator[str]:
    if ledger.is_sqlite:
        for (found,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if found != "ok":
                yield f"数据库文件已损坏：{found}"
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
            yield f"表 {row[0]} 第 {row[1]} 行所指的记录不存在"


def _guards(ledger: Ledger, connection: Connection) -> Iterator[str]:
    """Whether the database itself still refuses changes."""
    open_to_all = []
    for table in (*schema.TABLES, *schema.DERIVED):
        # See the migrations: triggers for changing and removing, and for adding what an answer is taken from.
        follows = table in schema.DERIVED and table is not schema.name_key
        if not inspect(connection).has_table(table.name):
            yield f"缺少表 {table.name}"
            continue
        if ledger.is_sqlite:
            asked, wanted = (
                "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name",
                3 if follows else 2,
            )
        else:
            asked, wanted = (
                "SELECT count(*) FROM pg_trigger WHERE tgrelid = CAST(:name AS regclass) AND NOT tgisinternal "
                "AND tgenabled = 'O'"
            ), 2 if follows else 1  # fmt: skip
        if connection.scalar(text(asked).bindparams(name=table.name)) != wanted:
            open_to_all.append(f"表 {table.name}")
    if open_to_all:
        yield (
            f"{'、'.join(open_to_all)} 禁止改删或另行写入的触发器已被去掉，可能有人直接改过数据库。"
            "核对后请用 xlcalc ledger backup 另存为新的台账文件，保护随之恢复，以后用新文件"
        )


def _as_then(policy: str, version: str, digest: str) -> Version:
    """The version a step was taken under, or the present text where that of then is not held."""
    try:
        return version_as_recorded(policy, version, digest)
    except PolicyError:
        return load_policy(policy).version(version)


def _seals(connection: Connection) -> Iterator[str]:
    rows = {table: _by_act(connection, table) for table in schema.OF_AN_ACT}
    waiting = {table: next(found, _NONE) for table, found in rows.items()}
    seals = {row.act_id: row.sha256 for row in connection.execute(select(schema.seal))}
    before, expected = "", 0
    acts = select(schema.act).order_by(schema.act.c.id).execution_options(yield_per=10_000)
    for act in connection.execute(acts):
        parts = {}
        for table, found in rows.items():
            number, mine = waiting[table]
            if number == act.id:
                parts[table], waiting[table] = mine, next(found, _NONE)
        seal = seals.pop(act.id, None)
        if seal != seal_text(before, act, parts):
            yield f"第 {act.id} 号登记与其封存值不符：记录在台账之外被改动"
        before, expected = seal or "", expected + 1
    if seals:
        yield f"有 {len(seals)} 个封存值没有对应的登记"


def _by_act(connection: Connection, table: Table) -> Iterator[tuple[int, list[Row[Any]]]]:
    """The rows of a table act by act: the number of an act and its rows."""
    asked = select(table).order_by(table.c.act_id, table.c.id).execution_options(yield_per=10_000)
    for number, rows in groupby(connection.execute(asked), itemgetter(list(table.c).index(table.c.act_id))):
        yield number, list(rows)


def _steps(connection: Connection) -> Iterator[str]:
    """Every step starts where the one before it ended, and is one the pack lists."""
    step, ground, application = schema.step, schema.ground, schema.application
    rows = connection.execute(
        select(
            step,
            ground.c.policy,
            ground.c.version,
            ground.c.pack_hash,
            application.c.uscc,
            application.c.policy.label("of"),
        )
        .join(ground, ground.c.id == step.c.ground_id)
        .join(application, application.c.id == step.c.application_id)
        .order_by(step.c.application_id, step.c.number)
    )
    here: tuple[int, str, list[int]] = (0, "", [])
    for row in rows:
        version = _as_then(row.policy, row.version, row.pack_hash)
        states = states_of(version)
        if row.application_id != here[0]:
            here = (row.application_id, states.first, [])
        _, state, taken = here
        chosen = states.transitions.get(row.transition)
        if row.corrects is None:
            legal = chosen is not None and (chosen.source, chosen.target) == (row.from_state, row.to_state)
            taken.append(row.id)
        else:
            legal = chosen is not None and (chosen.target, chosen.source) == (row.from_state, row.to_state)
            legal = legal and bool(taken) and taken.pop() == row.corrects
        legal = legal or version.hash != row.pack_hash
        if not legal or row.from_state != state or row.policy != row.of:
            yield f"{mask_code(row.uscc)} 第 {row.number} 步“{row.transition}”不是政策所列的步骤"
        here = (row.application_id, row.to_state, taken)


def _money(connection: Connection) -> Iterator[str]:
    """No sum below 0, no grant above a cap: the entries in order, of every enterprise where either could be."""
    entry, application, ground = schema.entry, schema.application, schema.ground
    rows = connection.execute(
        select(
            entry.c.id, entry.c.kind, entry.c.item, entry.c.fen, entry.c.act_id, application.c.uscc,
            application.c.policy, application.c.id.label("application"), ground.c.policy.label("under"),
            ground.c.version, ground.c.pack_hash, ground.c.choices,
        )
        .join(application, application.c.id == entry.c.application_id)
        .join(ground, ground.c.id == entry.c.ground_id)
        .where(among(application.c.uscc, _worth_a_look(connection)))
        .order_by(application.c.uscc, entry.c.act_id, entry.c.id)
        .execution_options(yield_per=10_000)
    )  # fmt: skip
    uscc, last = "", (0, "")
    held: dict[str, int] = {}
    items: dict[tuple[int, str], int] = {}
    # What an earlier list said was had is so, above a cap or not.
    lists = set(connection.scalars(select(schema.act.c.id).where(OF_A_LIST)))
    listed: set[int] = set()
    rises: list[tuple[Ground, int]] = []
    for row in rows:
        if (row.act_id, row.uscc) != last:
            # A correction may move money between items within one act, so caps are looked at once it is complete.
            yield from _above(uscc, held, rises)
            rises, last = [], (row.act_id, row.uscc)
        if row.uscc != uscc:
            uscc, held, items = row.uscc, {}, {}
        held[row.policy] = held.get(row.policy, 0) + row.fen
        key = (row.application, row.item)
        items[key] = items.get(key, 0) + row.fen
        if items[key] < 0 or (row.kind == schema.RELEASE and items[key]):
            yield f"{mask_code(uscc)} 第 {row.id} 号登记后的余额为 {Money(items[key])}"
        if row.act_id in lists:
            listed.add(row.application)
        if row.fen > 0 and row.kind != schema.RELEASE and row.application not in listed:
            rises.append((Ground(row.under, row.version, row.pack_hash, row.choices), row.id))
    yield from _above(uscc, held, rises)


def _worth_a_look(connection: Connection) -> set[str]:
    """Enterprises from which anything was taken, and those that all they were ever granted could bring above a cap."""
    entry, application = schema.entry, schema.application
    granted = func.sum(case((entry.c.fen > 0, entry.c.fen), else_=0))
    taken = func.max(case((or_(entry.c.fen < 0, entry.c.kind == schema.RELEASE), 1), else_=0))
    rows = connection.execute(
        select(application.c.uscc, application.c.policy, granted, taken)
        .join(entry, entry.c.application_id == application.c.id)
        .group_by(application.c.uscc, application.c.policy)
    )
    found, most = set(), dict[str, dict[str, int]]()
    for uscc, policy, fen, any_taken in rows:
        most.setdefault(uscc, {})[policy] = int(fen)
        if any_taken:
            found.add(uscc)
    caps = {cap for ground in _grounds(connection) for cap in _caps(ground)}
    return found | {uscc for uscc, held in most.items() if any(cap.used(held) > cap.amount for cap in caps)}


def _above(uscc: str, held: dict[str, int], rises: list[tuple[Ground, int]]) -> Iterator[str]:
    for ground, entry in rises:
        for cap in _caps(ground):
            if cap.used(held) > cap.amount:
                yield f"{mask_code(uscc)} 第 {entry} 号登记后累计 {Money(cap.used(held))}，超过上限 {Money(cap.amount)}"


def _caps(ground: Ground) -> list[Cap]:
    """The caps a ground was computed under; none where its pack was changed since."""
    return caps_of(ground.policy, ground.version_now(), ground.readings) if ground.is_held else []


def _grounds(connection: Connection) -> list[Ground]:
    table = schema.ground
    columns = (table.c.policy, table.c.version, table.c.pack_hash, table.c.choices)
    return [Ground(*row) for row in connection.execute(select(*columns).order_by(table.c.id))]


def _derived(connection: Connection) -> Iterator[str]:
    for name in carried_wrongly(connection):
        yield f"推算的表 {name} 与登记不符，请用 xlcalc ledger check --rebuild 重新推算"


def rebuild(ledger: Ledger) -> None:
    """Finds out anew what follows from the history; the history itself is not touched."""
    with ledger.writing() as connection:
        derive(connection)


def packs_changed(ledger: Ledger) -> list[str]:
    """Under which packs steps and caps could not be looked at again, because the packs were changed since."""
    with ledger.reading() as connection:
        grounds = _grounds(connection)
    changed = [ground for ground in grounds if not ground.is_held]
    return [
        f"{policy} {version} 的政策包已不是登记时的（{digest[:8]}），其步骤和上限未重新核对；请用当时的 xlcalc 检查"
        for policy, version, digest in dict.fromkeys((item.policy, item.version, item.pack_hash) for item in changed)
    ]
