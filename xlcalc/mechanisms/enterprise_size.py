"""Whether an enterprise is large, medium, small or micro, by industry (划型)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import InputError, PackError, PolicyError
from xlcalc.facts import fact
from xlcalc.mechanisms.base import Context, fen, known_fact
from xlcalc.results.outcome import Step
from xlcalc.values.money import Money

KIND = "enterprise_size"
SIZES = ("micro", "small", "medium", "large")
"""Option codes of the facts that hold a size, smallest first."""
INDICATORS = ("employees", "revenue", "total_assets")


class Bounds(TypedDict):
    """The least a size asks for in each indicator that counts in the industry; all of them have to be reached."""

    size: str
    employees: NotRequired[int]
    revenue: NotRequired[str]
    total_assets: NotRequired[str]


class Industry(TypedDict):
    """``code``: the option of the fact that names the industry."""

    code: str
    clause: str
    bounds: list[Bounds]


class Standard(TypedDict):
    """The version of another policy whose sizes are used; ``hash``: of its industries, so that it is held to them."""

    policy: str
    version: str
    hash: str


class Data(TypedDict):
    """What a pack says of sizes: the industries, or the ``standard`` of another policy.

    Under another policy's standard the size is no result but a fact for later conditions, and indicators that
    were not given hold nothing up.
    """

    kind: Literal["enterprise_size"]
    key: str
    label: str
    industries: NotRequired[list[Industry]]
    standard: NotRequired[Standard]


@dataclass(frozen=True, slots=True)
class CompiledIndustry:
    """bounds: for small, medium and large the least of each indicator, money in fen."""

    code: str
    clause: str
    bounds: tuple[Mapping[str, int], ...]

    @property
    def indicators(self) -> tuple[str, ...]:
        """The indicators that count in this industry."""
        return tuple(name for name in INDICATORS if name in self.bounds[0])

    def size(self, figures: Mapping[str, int]) -> str | None:
        """The largest size all of whose bounds are reached; None while a missing indicator could still lower it."""
        reached = min(
            (sum(figures[name] >= bound[name] for bound in self.bounds) for name in self.indicators if name in figures),
            default=len(self.bounds),
        )
        complete = all(name in figures for name in self.indicators)
        return SIZES[reached] if complete or reached == 0 else None


@dataclass(frozen=True, slots=True)
class EnterpriseSize:
    """size = the largest whose lower bounds are all reached; below those of 小型 it is 微型.

    ``cited``: under another policy's standard, what its clauses are called.
    """

    pays: ClassVar[str | None] = None
    key: str
    label: str
    industries: Mapping[str, CompiledIndustry]
    cited: Mapping[str, str] | None

    def facts(self) -> list[str]:
        """The industry and the indicators."""
        return ["size_industry", *INDICATORS]

    def size_of(self, industry: str, figures: Mapping[str, int]) -> str | None:
        """The size of an enterprise (工信部联企业〔2011〕300号 四 in the national pack), None while undecided.

        industry: option code of ``size_industry``. figures: ``employees`` in 人, ``revenue`` and ``total_assets``
        in fen; those that do not count in the industry are not looked at.
        Raises InputError ``E-OPTION`` for an industry the standard does not list, ``E-NEGATIVE`` below zero.
        """
        found = self.industries.get(industry)
        if found is None:
            raise InputError(
                "E-OPTION", f"划型标准没有“{industry[:40]}”这一行业", where="size_industry", remedy="请核对所属行业"
            )
        for name, value in figures.items():
            if value < 0:
                raise InputError("E-NEGATIVE", f"{fact(name).label}为负数", where=name, remedy="请填写不小于0的数")
        return found.size(figures)

    def evaluate(self, context: Context) -> Step:
        """The size with its clause; what is missing is asked for, unless the size only serves other conditions."""
        given = {name: context.known[name] for name in self.facts() if name in context.known}
        figures = {name: given[name] for name in INDICATORS if name in given}
        size = None
        if "size_industry" in given:
            size = self.size_of(given["size_industry"], {name: _count(value) for name, value in figures.items()})
        if size is None:
            return self._open(context, given)
        context.derived["enterprise_size"] = size
        industry = self.industries[given["size_industry"]]
        shown = "，".join(
            f"{fact(name).label} {_show(figures[name])}" for name in industry.indicators if name in figures
        )
        named = f"{fact('size_industry').show(industry.code)}：{shown}，为{fact('enterprise_size').show(size)}"
        if self.cited is not None:
            sentence = f"{named}（{self.cited[industry.clause]}）"
            return Step(self.key, KIND, self.label, given, details={"enterprise_size": size}, sentences=(sentence,))
        return Step(
            self.key, KIND, self.label, given, results={"enterprise_size": size},
            sentences=(f"{named}（{context.article(industry.clause)}）",), clauses=(industry.clause,),
            basis=context.basis(industry.clause),
        )  # fmt: skip

    def _open(self, context: Context, given: Mapping[str, Any]) -> Step:
        """What is lacking is asked for, or under another policy's standard only named as not checked."""
        if self.cited is not None:
            return Step(self.key, KIND, self.label, given, unchecked=(self.label,))
        known = self.industries.get(given.get("size_industry", ""))
        for name in known.indicators if known else ("size_industry",):
            if name not in given:
                context.note_missing(name)
        return Step(self.key, KIND, self.label, given)


def _count(value: Money | int) -> int:
    return value.fen if isinstance(value, Money) else value


def _show(value: Money | int) -> str:
    return str(value) if isinstance(value, Money) else f"{value}人"


def compile_data(data: Data) -> EnterpriseSize:
    """Checks that every industry has rising bounds in the same indicators, or that the standard is the one meant."""
    where = data["key"]
    if ("industries" in data) == ("standard" in data):
        raise PackError("E-PACK-SIZE", "须写明 industries 或 standard 之一", where=where, remedy="请只保留一个")
    for name in INDICATORS:
        known_fact(name, "integer" if name == "employees" else "money", where)
    if "standard" in data:
        return _borrowed(data, data["standard"], f"{where}.standard")
    industries = {row["code"]: _industry(row, f"{where}.{row['code']}") for row in data["industries"]}
    return EnterpriseSize(where, data["label"], industries, None)


def _industry(row: Industry, where: str) -> CompiledIndustry:
    if row["code"] not in fact(known_fact("size_industry", "option", where)).options:
        raise PackError(
            "E-PACK-FACT", f"事实“size_industry”没有选项“{row['code']}”", where=where, remedy="请核对选项代码"
        )
    bounds: list[dict[str, int]] = []
    for bound in row["bounds"]:
        figures = {name: bound[name] for name in INDICATORS if name in bound}  # type: ignore[literal-required]
        bounds.append({name: fen(v, where) if isinstance(v, str) else v for name, v in figures.items()})
    sizes = [bound["size"] for bound in row["bounds"]]
    rising = all(
        set(low) == set(high) and all(low[name] < high[name] for name in low)
        for low, high in zip(bounds, bounds[1:], strict=False)
    )
    if sizes != list(SIZES[1:]) or not bounds[0] or not rising:
        raise PackError(
            "E-PACK-SIZE", "须依次写明小型、中型、大型的下限，指标相同，逐级提高", where=where, remedy="请核对原文"
        )
    return CompiledIndustry(row["code"], row["clause"], tuple(bounds))


def _borrowed(data: Data, standard: Standard, where: str) -> EnterpriseSize:
    from xlcalc.packs.registry import load_policy

    try:
        policy = load_policy(standard["policy"])
        version = policy.version(standard["version"])
    except PolicyError as error:
        raise PackError("E-PACK-STANDARD", error.message, where=where, remedy=error.remedy) from error
    lender: EnterpriseSize = version.mechanism(KIND)
    row = next(row for row in version.data["mechanism"] if row["key"] == lender.key)
    text = json.dumps(row["industries"], ensure_ascii=False, sort_keys=True)
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != standard["hash"]:
        raise PackError(
            "E-PACK-STANDARD", f"所用标准 {policy.id} 与登记的校验值不符", where=where, remedy=f"核对后改为 {found}"
        )
    cited = {key: f"{policy.label} {clause.article}" for key, clause in version.clauses.items()}
    return EnterpriseSize(data["key"], data["label"], lender.industries, cited)
