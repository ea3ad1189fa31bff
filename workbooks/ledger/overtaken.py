"""Open applications that were computed before an earlier grant came to be known: an earlier list was imported since."""

from __future__ import annotations

from sqlalchemy import Connection, select

from workbooks.documents.doubtful_codes import mask_code
from workbooks.ledger import schema
from workbooks.ledger.acts import OF_A_LIST, batch_named
from workbooks.ledger.applications import Application, applications_of
from workbooks.ledger.database import among
from workbooks.ledger.lines import FileLines
from workbooks.ledger.programmes import label_of, programme, programmes, states_of
from xlcalc.packs.registry import load_policy
from xlcalc.values.money import Money


def overtaken(connection: Connection, policy: str, batch: str, file: FileLines) -> list[str]:
    """What a list just imported means for applications that hold money and are neither ended nor paid, in Chinese.

    They are those of programmes that ask what was had of the list's. An application that was itself imported is not
    meant: nothing was computed for it.
    """
    asking = {kept.policy for kept in programmes().values() if any(answer.of == policy for answer in kept.answers)}
    listed = {line.uscc: sum(line.amounts.values()) for line in file.lines}
    found = [
        item
        for items in applications_of(connection, listed).values()
        for item in items
        if item.policy in asking and (item.policy, item.batch) != (policy, batch_named(batch)) and _is_open(item)
    ]
    computed = _computed(connection, found)
    return [
        f"{mask_code(item.uscc)}：“{label_of(item.policy)}”批次“{item.batch}”已登记 {Money(item.fen)}、尚未拨付，"
        f"核算时台账中还没有这次导入的 {Money(listed[item.uscc])}（“{label_of(policy)}”{batch_named(batch)}）。"
        "请核实应得金额，有变动的用 xlcalc ledger correct 更正"
        for item in found
        if item.id in computed
    ]


def _is_open(item: Application) -> bool:
    kept, first = programme(item.policy), states_of(load_policy(item.policy).newest).first
    return item.fen > 0 and item.state(first) not in kept.ends and item.reached(kept.paid) is None


def _computed(connection: Connection, items: list[Application]) -> set[int]:
    """Those of which an entry was computed and not read from a list."""
    entry, act = schema.entry, schema.act
    asked = (
        select(entry.c.application_id)
        .join(act, act.c.id == entry.c.act_id)
        .where(
            among(entry.c.application_id, [item.id for item in items]),
            act.c.kind == schema.RUN, ~OF_A_LIST,
        )
    )  # fmt: skip
    return set(connection.scalars(asked))
