"""How long the ledger takes with 100,000 enterprises of ten entries each. Not a test: run it and read it.

    python tests/ledger/benchmark.py [ENTERPRISES] [ADDRESS]

Without an address a SQLite file in a temporary folder is used. Booking times are those of one transaction. Processor
time is this process's own and, with a PostgreSQL server on the same Linux machine, that of the server's process for the
connection; the load is the machine's.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[level]) for level in (1, 2)]

from ledger.ledger_bench import BENCHMARK, CHAIN, CLOUD, HOHHOT, SAAS, ZAOZHUANG, act, code, file, line  # noqa: E402
from workbooks.documents.deadlines import Deadline  # noqa: E402
from workbooks.ledger.booking import book  # noqa: E402
from workbooks.ledger.budgets import add_budget, budget_of, budgets_of  # noqa: E402
from workbooks.ledger.crosschecks import (  # noqa: E402
    codes_with_two_names,
    doubles,
    near_names_of,
    papers_used_twice,
)
from workbooks.ledger.database import Ledger, create_ledger  # noqa: E402
from workbooks.ledger.due import due  # noqa: E402
from workbooks.ledger.facts_before import facts_before  # noqa: E402
from workbooks.ledger.integrity import check  # noqa: E402
from workbooks.ledger.questions import had, history, remaining  # noqa: E402
from workbooks.ledger.transitions import take_step  # noqa: E402
from xlcalc.values.money import Money  # noqa: E402

ASKED = 20
_at_the_server: list[Path] = []


def processor_time() -> float:
    """Seconds of the processor so far, here and in the server's process."""
    return time.process_time() + sum(int(path.read_text().split()[0]) / 10**9 for path in _at_the_server)


def watch_the_server(ledger: Ledger) -> None:
    """The pool has one connection as long as nobody asks for a second one beside it."""
    if not ledger.is_sqlite:
        with ledger.reading() as connection:
            number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        _at_the_server.append(Path(f"/proc/{number}/schedstat"))


def timed(label: str, deed: Callable[[], Any], times: int = ASKED) -> None:
    """The middle one of several times, in milliseconds: of the processor, and on the wall."""
    taken = []
    for _ in range(times):
        start, wall = processor_time(), time.perf_counter()
        deed()
        taken.append((processor_time() - start, time.perf_counter() - wall))
    spent, wall = (sorted(column)[times // 2] * 1000 for column in zip(*taken, strict=True))
    print(f"{spent:12,.1f} ms {wall:12,.1f} ms on the wall, load {os.getloadavg()[0]:.1f}  {label}", flush=True)


def name_of(number: int, batch: int = 0) -> str:
    """One in a hundred was renamed, one in a hundred has a name near to another's."""
    if number % 100 == 1 and batch == 9:
        return f"示例{number:06d}号智能装备有限公司"
    return f"示例{number - 1:06d}号机器有限公司" if number % 100 == 3 else f"示例{number:06d}号机械有限公司"


def invoice_of(number: int, batch: int) -> str:
    """One in a hundred rests on the invoices of another."""
    return f"{number - 1 if number % 100 == 4 else number:012d}{batch:08d}"


def fill(ledger: Ledger, enterprises: int) -> None:
    """Ten grants a head, each in a batch of its own; a quarter of them in more than one programme.

    A thousand have to mend their application within the month.
    """
    several = [SAAS, CLOUD, CHAIN, BENCHMARK, HOHHOT, ZAOZHUANG]
    for part, first in enumerate(range(0, enterprises, 500)):
        numbers = range(first, min(first + 500, enterprises))
        for batch in range(10):

            def policy(number: int, batch: int = batch) -> str:
                return several[(number + batch) % 6] if number % 4 == 0 else several[number % 6]

            lines = [
                line(
                    code(number), policy(number), 100 if policy(number) != BENCHMARK else {"innovation": 100},
                    name=name_of(number, batch), papers=(("invoice", invoice_of(number, batch)),),
                )
                for number in numbers
            ]  # fmt: skip
            book(ledger, act(), f"示例{batch}批", file(*lines, content=f"{part} {batch}"))
    usccs, last = [code(6 * number) for number in range(1000)], Deadline(date(2025, 7, 7), "")
    take_step(ledger, act(), SAAS, "示例补正批", usccs, "submit")
    take_step(ledger, act(reason="缺合同"), SAAS, "示例补正批", usccs, "return", due=last)


def fresh(numbers: Iterable[int]) -> Iterator[Any]:
    """As a run gives them: each computed with what the ledger had said, and resting on an invoice."""
    had = {"saas_reduction_to_date": Money(10**6), "cloud_voucher_received": Money(10**6)}
    for number in numbers:
        papers = (("invoice", f"9{number:019d}"),)
        yield line(code(number), SAAS, 100, name=name_of(number), used=had, papers=papers)


def main(enterprises: int, address: str) -> None:
    with create_ledger(address) as ledger:
        watch_the_server(ledger)
        timed(f"fill: {enterprises:,} enterprises x 10 entries", lambda: fill(ledger, enterprises), 1)
        ask(ledger, enterprises)
        half = enterprises // 2
        by_batch(ledger, "1,000 known enterprises", [range(start, start + 1000) for start in range(0, half, 1000)][:9])
        # One of each from all over the ledger: no two of them stand beside each other in any table.
        apart = half // 1000
        by_batch(
            ledger, "1,000 known enterprises from all over", [range(half + 5 * n, enterprises, apart) for n in range(9)]
        )
        by_batch(
            ledger, "1,000 new enterprises", [range(start, start + 1000) for start in range(300_000, 309_000, 1000)]
        )
        by_batch(ledger, "1 enterprise", [[200_000 + part] for part in range(ASKED)])
        timed("check of the whole ledger", lambda: check(ledger), 1)


def by_batch(ledger: Ledger, label: str, asked: Sequence[Sequence[int]]) -> None:
    """Workbooks as a run has them, lines and all, entered one after another. asked: the enterprises of each."""
    files = iter([file(*fresh(numbers), content=f"{label} {numbers[0]}") for numbers in asked])
    timed(f"book a workbook of {label}", lambda: book(ledger, act(), "示例新批", next(files)), len(asked))


def ask(ledger: Ledger, enterprises: int) -> None:
    numbers = iter(range(0, enterprises, max(1, enterprises // 997)))
    add_budget(ledger, act(), SAAS, "示例1批", 10**11)
    with ledger.reading() as connection:
        timed("had, one enterprise", lambda: had(connection, code(next(numbers))))
        timed("remaining, one enterprise", lambda: remaining(connection, code(next(numbers))))
        timed("history, one enterprise", lambda: history(connection, code(next(numbers))))
        timed("facts before, one enterprise", lambda: facts_before(connection, SAAS, [code(next(numbers))], ""))
        timed("doubles, one enterprise", lambda: doubles(connection, code(next(numbers))))
        timed("papers twice, one enterprise", lambda: papers_used_twice(connection, code(next(numbers))))
        timed("budget left, one batch", lambda: budget_of(connection, SAAS, "示例1批"))
        timed("budget left, every batch", lambda: budgets_of(connection))
        timed("due in a month", lambda: due(connection, date(2025, 7, 1), date(2025, 7, 31)))
        thousand = [code(number) for number in range(1000)]
        timed("facts before, 1,000 enterprises", lambda: facts_before(connection, SAAS, thousand, ""))
        timed("doubles, all", lambda: doubles(connection))
        timed("papers twice, all", lambda: papers_used_twice(connection))
        timed("one code with two names, all", lambda: codes_with_two_names(connection))
        timed("near names, all", lambda: near_names_of(connection))


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    if len(sys.argv) > 2:
        main(size, sys.argv[2])
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(size, str(Path(folder) / "ledger.db"))
