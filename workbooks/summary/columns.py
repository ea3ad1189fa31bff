"""The columns of a 汇总表, as a version of its document prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbooks.form import Form
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.word_limits import WordLimits
from xlcalc.packs.policy import Version

FINDINGS = "t_findings"
OPTIONAL = ("remark",)
WORDS = {"block": "有误", "warn": "须核对"}
"""How the findings of a row begin, by the most severe of them."""


@dataclass(frozen=True)
class SummaryColumn:
    """A column as the official form prints it. option: the one of a fact's options whose 是/否 it holds."""

    key: str
    label: str
    fact: Fact
    option: str | None = None

    @property
    def port(self) -> str:
        """Its defined name."""
        return f"t_{self.fact.id}" + (f"_{self.option}" if self.option else "")

    @property
    def wanted(self) -> bool:
        """Whether an empty cell is worth a word."""
        return self.fact.id not in OPTIONAL

    def __hash__(self) -> int:
        return hash(self.port)


def columns_of(form: Form, version: Version) -> list[SummaryColumn]:
    """The columns after 序号, in official order, labelled as this version of the document prints them."""
    rows = next(row["column"] for row in version.data["form"] if row["key"] == form.data["pack_form"])
    options: Mapping[str, str] = form.data.get("option_columns", {})
    return [
        SummaryColumn(row["key"], row["label"], fact(row["fact"]), options.get(row["key"]))
        for row in rows
        if row.get("fact")
    ]


def limits_of(form: Form, version: Version) -> dict[str, tuple[str, int]]:
    """Port -> (label, most 字) for each column whose length the document limits."""
    ports = {column.fact.id: column for column in columns_of(form, version)}
    words = (item for item in version.mechanisms(version.full_choices({})) if isinstance(item, WordLimits))
    return {
        ports[limit.facts[0]].port: (ports[limit.facts[0]].label, limit.bounds[1])
        for item in words
        for limit in item.limits
        if len(limit.facts) == 1 and limit.facts[0] in ports and limit.bounds[1] is not None
    }
