"""What ends or begins on a day: 公示 and 补正 that run out, and from when an enterprise may be recognised again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, exists, select

from workbooks.ledger import schema
from workbooks.ledger.applications import applications_of
from workbooks.ledger.programmes import Answer, programme, programmes
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.values.dates import add_months, years_later


@dataclass(frozen=True)
class Due:
    """Something that falls on a day; kind: 公示, 补正 …, or 可再次认定. warning: why the day needs a second look."""

    day: date
    kind: str
    uscc: str
    policy: str
    batch: str
    warning: str = ""


def due(connection: Connection, first: date, last: date) -> list[Due]:
    """What falls on the days from first to last, both included, for applications still in the state it is about."""
    found = [*_ending(connection, first, last), *_beginning(connection, first, last)]
    return sorted(found, key=lambda item: (item.day, item.policy, item.batch, item.uscc))


def _ending(connection: Connection, first: date, last: date) -> Iterator[Due]:
    table, step, application = schema.due, schema.step, schema.application
    later, withdrawal, withdrawn = step.alias(), step.alias(), step.alias()
    # ``+ 0`` keeps a database that has not counted its rows yet from going through every step that corrects nothing.
    gone_on = exists().where(
        later.c.application_id == step.c.application_id, later.c.number > step.c.number,
        (later.c.corrects + 0).is_(None), ~exists().where(withdrawal.c.corrects == later.c.id),
    )  # fmt: skip
    said = (table.c.day, table.c.warning, step.c.to_state)
    rows = connection.execute(
        select(*said, application.c.uscc, application.c.policy, application.c.batch)
        .join(step, step.c.id == table.c.step_id)
        .join(application, application.c.id == step.c.application_id)
        .where(table.c.day >= first, table.c.day <= last)
        .where(~gone_on, ~exists().where(withdrawn.c.corrects == step.c.id))
    )
    for day, warning, state, uscc, policy, batch in rows.all():
        yield Due(day, programme(policy).timed.get(state, ""), uscc, policy, batch, warning)


def _beginning(connection: Connection, first: date, last: date) -> Iterator[Due]:
    application, step = schema.application, schema.step
    for policy, kept in programmes().items():
        for answer in kept.answers:
            years = years_between(load_policy(policy).newest, answer) if answer.gives == "reached_on" else None
            if years is None:
                continue
            then = select(schema.act.c.id).where(
                schema.act.c.day >= add_months(first, -12 * years - 1),
                schema.act.c.day <= add_months(last, -12 * years + 1),
            )
            usccs = connection.scalars(
                select(application.c.uscc)
                .join(step, step.c.application_id == application.c.id)
                .where(step.c.act_id.in_(then), step.c.to_state == answer.state)
                # As above: from the steps of those days, not from all that was ever applied for.
                .where(application.c.policy + "" == answer.of)
                .distinct()
            ).all()  # fmt: skip
            for uscc, items in applications_of(connection, usccs).items():
                reached = [
                    (day, item) for item in items if item.policy == answer.of and (day := item.reached(answer.state))
                ]
                if reached:
                    day, item = max(reached, key=lambda pair: pair[0])
                    again = years_later(day, years)
                    if first <= again <= last:
                        yield Due(again, "可再次认定", uscc, item.policy, item.batch)


def years_between(version: Version, answer: Answer) -> int | None:
    """How many years after the day of a fact the pack lets an enterprise apply again; None where it says nothing."""
    return _years(version.data["mechanism"], answer.fact)


def _years(data: Any, fact_id: str) -> int | None:
    if isinstance(data, dict):
        body = data.get("years_after")
        if isinstance(body, dict) and body.get("since_fact") == fact_id:
            return int(body["years"])
        data = list(data.values())
    if isinstance(data, list):
        return next((found for value in data if (found := _years(value, fact_id)) is not None), None)
    return None
