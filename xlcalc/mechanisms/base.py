"""What every mechanism shares: how it asks for facts, names clauses and is found by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar, Protocol

from xlcalc.errors import PackError
from xlcalc.facts import Facts, catalogue
from xlcalc.results.outcome import Attested, Basis, Step
from xlcalc.values.money import Money, parse_share

KINDS = (
    "assessment", "assessment_checks", "checklist", "cost_recognition", "discount_voucher", "eligibility",
    "enterprise_size", "face_value", "flat_award", "indicators", "ranking", "ratio_threshold", "selection",
    "tiered_rate", "word_limits",
)  # fmt: skip

GUARDED = ("checklist", "eligibility", "indicators", "ratio_threshold", "word_limits")
"""The kinds a pack may bind to a test (``when``): where it does not hold they are not asked."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a document: ``article`` as the document numbers it, ``quote`` verbatim."""

    key: str
    article: str
    quote: str
    document: str
    basis: Basis


@dataclass(slots=True)
class Context:
    """One evaluation: the facts, and what was asked for in vain.

    ``derived``: facts an earlier mechanism computed, such as a recognised cost; they go before given ones. None:
    it could not, and has listed what it lacks. kept: what was found out about these very facts, for who reads them by
    other rules. brief: only results, what is missing and what blocks are asked for, nothing is told in words.
    """

    facts: Facts
    clauses: Mapping[str, Clause]
    missing: list[str] = field(default_factory=list)
    attested: list[Attested] = field(default_factory=list)
    derived: dict[str, Any] = field(default_factory=dict)
    kept: dict[Any, Any] = field(default_factory=dict)
    brief: bool = False

    @property
    def known(self) -> Facts:
        """Every fact there is, derived ones before given ones."""
        return {**self.facts, **self.derived}

    def need(self, fact_id: str) -> Any:
        """The fact's value, or None after noting it as missing."""
        if fact_id in self.derived:
            return self.derived[fact_id]
        value = self.facts.get(fact_id)
        if value is None:
            self.note_missing(fact_id)
        return value

    def note_missing(self, fact_id: str) -> None:
        """Lists a fact as missing, once."""
        if fact_id not in self.missing:
            self.missing.append(fact_id)

    def article(self, clause: str) -> str:
        """The article under which a clause is cited."""
        return self.clauses[clause].article

    def basis(self, clause: str) -> Basis:
        """How sure the clause is."""
        return self.clauses[clause].basis


class Mechanism(Protocol):
    """The faces every mechanism has; the further ones are listed in docs/architecture.md."""

    pays: ClassVar[str | None]
    key: str

    def evaluate(self, context: Context) -> Step:
        """Computes from the facts, exactly, and explains itself."""


def mechanism_module(kind: str) -> Any:
    """The module of a mechanism kind: ``Data`` (what a pack may say) and ``compile_data``."""
    return import_module(f"xlcalc.mechanisms.{kind}")


def known_fact(name: str, kind: str, where: str) -> str:
    """The name, once it is known to be a fact of this type; a typo would leave the fact missing for ever."""
    found = catalogue().get(name)
    if found is None:
        raise PackError(
            "E-PACK-FACT", f"事实“{name}”不在 facts.toml 中", where=where, remedy="请先在 facts.toml 登记该事实"
        )
    if found.type != kind:
        raise PackError(
            "E-PACK-FACT",
            f"事实“{name}”的类型是 {found.type}，此处须为 {kind}",
            where=where,
            remedy="请换用合适的事实或判断",
        )
    return name


def fen(text: str, where: str) -> int:
    """An amount written in a pack, with its unit."""
    try:
        return Money.parse(text).fen
    except Exception as error:
        raise PackError(
            "E-PACK-MONEY", f"“{text}”不是带单位的金额", where=where, remedy="请写成“35万元”或“10000元”"
        ) from error


def share(text: str, where: str) -> Any:
    """A share written in a pack, as a Fraction between 0 and 1."""
    try:
        value = parse_share(text)
    except (ValueError, ArithmeticError) as error:
        raise PackError("E-PACK-SHARE", f"“{text}”不是比例", where=where, remedy="请写成“60%”或“1/14”") from error
    if not 0 <= value <= 1:
        raise PackError("E-PACK-SHARE", f"比例“{text}”不在0到100%之间", where=where, remedy="请核对原文")
    return value
