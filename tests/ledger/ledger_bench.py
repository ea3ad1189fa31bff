"""What tests of the ledger enter: acts, and files of lines without a workbook behind them. All of it invented."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import text

from workbooks.documents.deadlines import after_working_days
from workbooks.ledger import schema
from workbooks.ledger.acts import Act, Ground, Source, ground_of
from workbooks.ledger.amendments import withdraw_step
from workbooks.ledger.booking import Booked, book
from workbooks.ledger.budgets import add_budget
from workbooks.ledger.database import Ledger, create_ledger
from workbooks.ledger.lines import FileLines, Line
from workbooks.ledger.questions import had
from workbooks.ledger.transitions import take_step
from xlcalc import load_policy
from xlcalc.values.uscc import check_character

SAAS, CLOUD = "shijiazhuang.saas_voucher", "shijiazhuang.cloud_voucher"
CHAIN, BENCHMARK = "shijiazhuang.chain_case", "shijiazhuang.benchmark_sme"
HOHHOT, ZAOZHUANG = "hohhot.transformation_subsidy", "zaozhuang.demonstration_platform"
YUAN = 100
NewAddress = Callable[[bool], str]
FIRST, SECOND = "示例第一批", "示例第二批"


@cache
def empty_ledger() -> bytes:
    """The file of an empty ledger, to be written where one is wanted: faster than making it anew."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        create_ledger(str(path)).close()
        return path.read_bytes()


def code(number: int) -> str:
    """The code of an invented enterprise."""
    body = f"91000000MA{number:07d}"
    return body + check_character(body)


A, B, C = code(1), code(2), code(3)


def act(day: date = date(2025, 6, 30), **more: Any) -> Act:
    given = {"operator": "经办甲", "booked": datetime(2025, 7, 1, 9, 30, tzinfo=UTC), **more}
    return Act(day=day, **given)


@cache
def _ground(policy: str, choices: tuple[tuple[str, str], ...]) -> Ground:
    return ground_of(policy, load_policy(policy).newest, dict(choices))


def ground(policy: str, **choices: str) -> Ground:
    return _ground(policy, tuple((key.replace("_", "-"), option) for key, option in sorted(choices.items())))


def line(uscc: str, policy: str, yuan: int | Mapping[str, int], *, name: str = "", **more: Any) -> Line:
    amounts = yuan if isinstance(yuan, Mapping) else {"": yuan}
    under = more.pop("under", None) or ground(policy)
    called = name or f"示例{uscc[10:17]}机械有限公司"
    return Line(uscc, called, under, {item: fen * YUAN for item, fen in amounts.items()}, place="推荐表!5行", **more)


def file(*lines: Line, name: str = "推荐表.xlsx", content: str | None = None) -> FileLines:
    """A file with lines; without ``content`` its hash follows from the lines."""
    digest = hashlib.sha256(repr(content or (name, lines)).encode()).hexdigest()
    return FileLines(Source(digest, name), lines)


def grant(
    ledger: Ledger, uscc: str, policy: str, yuan: int | Mapping[str, int], batch: str = FIRST, **more: Any
) -> Booked:
    return book(ledger, act(), batch, file(line(uscc, policy, yuan, **more), content=f"{uscc}{policy}{yuan}{batch}"))


WAY_TO_VOUCHER = ("submit", "county_pass", "recommend", "professional_pass", "publicise", "issue")


def ledger_for_cells(path: Path) -> Path:
    """A ledger for cells to ask: A holds 60000 and 15000 元, B one paper of A's, C is not in it."""
    invoice = (("invoice", "25112000000012345678"),)
    with create_ledger(str(path)) as ledger:
        grant(ledger, A, SAAS, 60000, name="示例甲机械有限公司", papers=invoice)
        grant(ledger, A, CLOUD, 15000, SECOND, name="示例甲机械集团有限公司")
        grant(ledger, B, HOHHOT, 1000, papers=invoice)
    return path


def walk(ledger: Ledger, uscc: str, policy: str, *keys: str, batch: str = FIRST, **more: Any) -> None:
    """Steps taken one after another, each with a reason."""
    for key in keys:
        take_step(ledger, act(reason="示例原因", **more), policy, batch, [uscc], key)


def totals(ledger: Ledger, uscc: str) -> dict[str, int]:
    """What an enterprise holds by programme, in 元, nothing left out."""
    with ledger.reading() as connection:
        found: dict[str, int] = {}
        for held in had(connection, uscc):
            found[held.policy] = found.get(held.policy, 0) + held.fen // YUAN
        return {policy: yuan for policy, yuan in found.items() if yuan}


def lived_in(ledger: Ledger) -> None:
    """A ledger with something in every table."""
    papers = (("invoice", "24132000000012345678"),)
    named = {"name": "示例云溪食品有限公司", "papers": papers}
    book(ledger, act(), FIRST, file(line(A, SAAS, 72000), line(B, SAAS, 100000), line(C, HOHHOT, 5, papers=papers)))
    grant(ledger, C, HOHHOT, 6, SECOND, **named)
    grant(ledger, B, HOHHOT, 7, name="示例云溪食品有限责任公司")
    add_budget(ledger, act(), SAAS, FIRST, 10**9)
    walk(ledger, A, SAAS, "submit")
    last = after_working_days(date(2025, 6, 30), 5)
    take_step(ledger, act(reason="缺合同"), SAAS, FIRST, [A], "return", due=last)
    walk(ledger, A, SAAS, "resubmit", "county_refuse")
    withdraw_step(ledger, act(reason="误登"), SAAS, FIRST, A)


def without_guards(ledger: Ledger, statement: str) -> None:
    """What someone with the database's own tools may do."""
    with ledger.preparing() as connection:
        for table in schema.TABLES:
            if ledger.is_sqlite:
                for deed in ("update", "delete"):
                    connection.exec_driver_sql(f"DROP TRIGGER {table.name}_no_{deed}")
            else:
                connection.exec_driver_sql(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
        connection.execute(text(statement))
