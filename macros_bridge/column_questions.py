"""What the columns of foreign tables are: asked at a terminal, or written into 列对应.json to be answered there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from workbooks.batch.run import io_reason, write_atomically
from workbooks.merging.column_mapping import (
    FILE_NAME,
    UNITS,
    Answer,
    Proposal,
    Target,
    Told,
    mapping_document,
    signature,
    table_entry,
)
from workbooks.merging.foreign_table import ForeignTable
from xlcalc.errors import WorkbookError


def someone_is_there() -> bool:
    """Whether a question would be read by a person."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_on_terminal(
    tables: Sequence[ForeignTable], targets: Sequence[Target], answer: Callable[[], str], show: TextIO
) -> Told:
    """Asks for every open column of every heading, each heading once; ``answer`` reads one line."""
    told: dict[str, tuple[Answer, ...]] = {}
    for table in tables:
        key = signature(table.header.columns, table.header.unit)
        if key in told:
            continue
        print(f"\n{table.example} 的表头需要确认：", file=show)
        taken = {item.target.port for item in table.proposals if item.target and not item.doubt}
        answers = [_asked(item, targets, taken, answer, show) for item in table.proposals]
        told[key] = tuple(_identified(answers, table.proposals, targets, answer, show))
    return Told(told)


def _asked(
    item: Proposal, targets: Sequence[Target], taken: set[str], answer: Callable[[], str], show: TextIO
) -> Answer:
    """taken: the columns other headings feed already; the answer is added to it."""
    port = item.target.port if item.target else None
    if item.doubt:
        port = _asked_column(item, [target for target in targets if target.port not in taken], answer, show)
        taken |= {port} if port else set()
    target = next((target for target in targets if target.port == port), None)
    if target is None or target.fact.type != "money":
        return port, None
    if item.unit is not None:
        return port, item.unit
    numbered = dict(enumerate(UNITS, 1))
    print(f"  “{item.column.heading}”的单位：1 元  2 万元  0 不采用这一列", file=show)
    while True:
        said = answer().strip()
        if said == "0":
            return None, None
        if said in UNITS or (said.isdigit() and int(said) in numbered):
            return port, said if said in UNITS else numbered[int(said)]
        print("  请输入 1、2 或 0", file=show)


def _identified(
    answers: list[Answer], items: Sequence[Proposal], targets: Sequence[Target], answer: Callable[[], str], show: TextIO
) -> list[Answer]:
    """The same answers, with the column of the enterprise's name asked for where none says which enterprise it is."""
    identifying = [target.port for target in targets if target.identifies]
    if any(port in identifying for port, _ in answers):
        return answers
    free = {str(place): place for place, (port, _) in enumerate(answers, 1) if port is None}
    listed = "  ".join(f"{number} {items[place - 1].column.heading}" for number, place in free.items())
    print(f"  哪一列是企业名称？ {listed}  0 都不是", file=show)
    while (said := answer().strip()) != "0":
        if said in free:
            answers[free[said] - 1] = next(port for port in identifying if port != "t_uscc"), None
            break
        print(f"  请输入 0 或 {'、'.join(free)}", file=show)
    return answers


def _asked_column(item: Proposal, targets: Sequence[Target], answer: Callable[[], str], show: TextIO) -> str | None:
    likely = [target for port, _ in item.candidates for target in targets if target.port == port]
    listed = "  ".join(f"{number} {target.label}" for number, target in enumerate(likely, 1))
    print(f"  {item.doubt}\n    {listed}  0 不采用这一列；也可输入表中其他列名", file=show)
    while True:
        said = answer().strip()
        if said == "0":
            return None
        if said.isdigit() and 1 <= int(said) <= len(likely):
            return likely[int(said) - 1].port
        named = [target.port for target in targets if said in (target.label, target.port.removeprefix("t_"))]
        if named:
            return named[0]
        print(f"  没有“{said}”。可用的列：{'、'.join(target.label for target in targets)}", file=show)


def write_answers(folder: Path, template: str, targets: Sequence[Target], tables: Sequence[ForeignTable]) -> Path:
    """Writes 列对应.json with the heading of every table, each once; never over another one."""
    entries: dict[str, dict[str, Any]] = {}
    for table in tables:
        entry = table_entry(table.example, table.proposals, table.header.unit)
        entries.setdefault(entry["signature"], entry)
    path, number = folder / FILE_NAME, 2
    while path.exists():
        path, number = folder / f"{Path(FILE_NAME).stem}-{number}.json", number + 1
    document = mapping_document(template, targets, list(entries.values()))
    write_new(path, (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode())
    return path


def write_new(path: Path, data: bytes) -> None:
    """Writes a file at once; raises WorkbookError ``E-IO`` when that cannot be done."""
    try:
        write_atomically(path, data)
    except OSError as error:
        remedy = "请检查文件夹是否存在、可写，磁盘是否已满"
        raise WorkbookError("E-IO", f"无法写入文件（{io_reason(error)}）", where=str(path), remedy=remedy) from None
