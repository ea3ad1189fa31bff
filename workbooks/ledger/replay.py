"""Computes a past run again, under its own packs, choices and what was had then, and compares (复算)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import select

from workbooks.ledger import schema
from workbooks.ledger.acts import last_act_of_file
from workbooks.ledger.database import Ledger
from workbooks.ledger.earlier_lists import read_list_again
from workbooks.ledger.entered_files import differences
from workbooks.ledger.lines import source_of
from workbooks.ledger.runs import lines_of_workbooks


@dataclass(frozen=True)
class Replayed:
    """A file computed again. act: the last that entered any of it, None where none has. differences: in Chinese."""

    file: str
    act: int | None
    lines: int
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the file was entered and gives what it gave then."""
        return self.act is not None and not self.differences


def replay(ledger: Ledger, paths: Iterable[Path]) -> list[Replayed]:
    """Each file computed again as it was when it was entered; the file is found by its content, not by its name.

    Results are those of the pack versions recorded in the workbook, with the day and the choices given then.
    """
    return [_replayed(ledger, path) for path in paths]


def _replayed(ledger: Ledger, path: Path) -> Replayed:
    source = source_of(path)
    with ledger.reading() as connection:
        number = last_act_of_file(connection, source.sha256)
        table = schema.act
        row = connection.execute(select(table.c.batch, table.c.asked).where(table.c.id == number)).one_or_none()
    if number is None or row is None:
        return Replayed(path.name, None, 0, ("台账中没有登记过此文件",))
    asked = json.loads(row.asked)
    if "list" in asked:
        file = read_list_again(path, asked["list"])
    else:
        day = date.fromisoformat(asked["on"]) if asked.get("on") else None
        (file,) = lines_of_workbooks(ledger, [path], row.batch, on=day, choices=asked.get("choices"))
    with ledger.reading() as connection:
        found = [f"{line.place}：{text}" for line, text in differences(connection, row.batch, file)]
        entered = connection.scalars(
            select(schema.application.c.uscc)
            .join(schema.entry, schema.entry.c.application_id == schema.application.c.id)
            .join(table, table.c.id == schema.entry.c.act_id)
            .where(table.c.source == source.sha256)
            .distinct()
        ).all()
    missing = set(entered) - {line.uscc for line in file.lines}
    if missing:
        found.append(f"当时登记的 {len(missing)} 家企业，这次没有可登记的结果")
    return Replayed(path.name, number, len(file.lines), tuple(found))
