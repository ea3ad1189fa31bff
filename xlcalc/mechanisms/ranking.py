"""Prizes by rank (评比排名): who wins which, what stays open, and what the prizes cost together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar, Literal, NotRequired

from typing_extensions import TypedDict

from xlcalc.errors import InputError, PackError
from xlcalc.facts import Fact, fact
from xlcalc.mechanisms.base import Context, fen, known_fact
from xlcalc.mechanisms.measures import exact_number, show_number
from xlcalc.results.outcome import Finding, Step, weakest
from xlcalc.values.money import Money
from xlcalc.values.text import squeeze

KIND = "ranking"


class Prize(TypedDict):
    """``code``: the option of the prize fact; ``amount``: for each winner."""

    code: str
    amount: str
    clause: str


class Most(TypedDict):
    """How many may win together; more is only a warning (原则上)."""

    at_most: int
    clause: str
    feature: str


class Data(TypedDict):
    """What a pack says of a ranking.

    candidates: the table, and its columns ``name``, ``id`` and ``score``; ``recommended``: the prize experts propose.
    places: the table of how many of each prize there are, with columns prize and places; a document that leaves
    this open leaves it to the bureau. prize: the fact that holds one applicant's prize. prizes: best first.
    """

    kind: Literal["ranking"]
    key: str
    label: str
    clause: str
    feature: str
    candidates: str
    name: str
    id: str
    score: str
    recommended: NotRequired[str]
    places: str
    prize: str
    most: Most
    prizes: list[Prize]


@dataclass(frozen=True, slots=True)
class Placed:
    """A candidate, the ranks it can have (1 is best), and its prize.

    prize: the code, None without one; ``settled``: false while a tie or a missing score leaves the prize open.
    """

    row: int
    name: str
    first: int
    last: int
    settled: bool
    prize: str | None


@dataclass(frozen=True, slots=True)
class CompiledPrize:
    """amount in fen."""

    code: str
    label: str
    amount: int
    clause: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """Without a list of candidates nothing is ranked, so that one applicant's evaluation is not held up."""

    pays: ClassVar[str | None] = None
    key: str
    label: str
    clause: str
    feature: str
    candidates: Fact
    name: str
    id: str
    score: str
    recommended: str | None
    places: Fact
    prize: Fact
    most: Most
    prizes: tuple[CompiledPrize, ...]

    def facts(self) -> list[str]:
        """The candidates and the number of places."""
        return [self.candidates.id, self.places.id]

    def place(self, rows: Sequence[Mapping[str, Any]], places: Mapping[str, int]) -> list[Placed]:
        """Every candidate's ranks and prize, best first; a tie is never broken.

        rows: parsed rows of the candidates' table. places: prize code -> how many there are of it.
        Raises InputError ``E-CANDIDATE`` for a candidate that is listed twice.
        """
        entries = self._entries(rows)
        ends = list(accumulate(places[prize.code] for prize in self.prizes))
        unscored = sum(self.score not in row for row in entries.values())
        placed = []
        for number, row in entries.items():
            score = row.get(self.score)
            scores = [other[self.score] for other in entries.values() if self.score in other]
            first = 1 + sum(other > score for other in scores) if score is not None else 1
            last = unscored + sum(other >= score for other in scores) if score is not None else len(entries)
            best, worst = (self._prize_at(rank, ends) for rank in (first, last))
            name = str(row.get(self.name) or row.get(self.id) or f"第{number}行")
            placed.append(Placed(number, name, first, last, best == worst, best if best == worst else None))
        return sorted(placed, key=lambda one: (one.first, one.last, one.row))

    def _prize_at(self, rank: int, ends: Sequence[int]) -> str | None:
        return next((prize.code for prize, end in zip(self.prizes, ends, strict=True) if rank <= end), None)

    def _entries(self, rows: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
        """The rows in which something is filled, by their number."""
        entries = {number: row for number, row in enumerate(rows, 1) if row}
        for column in (self.name, self.id):
            seen: dict[str, int] = {}
            for number, row in entries.items():
                key = squeeze(row.get(column, "")).upper()
                if key and key in seen:
                    raise InputError(
                        "E-CANDIDATE", f"第{seen[key]}行与第{number}行是同一单位",
                        where=f"{self.candidates.id}.{number}.{column}", remedy="请删去重复的一行",
                    )  # fmt: skip
                seen[key] = number
        return entries

    def places_of(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, int] | None:
        """Prize code -> number of places; None while one of them is not stated.

        Raises InputError ``E-PLACES`` for a prize that is listed twice.
        """
        found: dict[str, int] = {}
        for number, row in enumerate(rows, 1):
            if "prize" in row and "places" in row:
                if row["prize"] in found:
                    raise InputError(
                        "E-PLACES", f"第{number}行：每个等次只填一行", where=f"{self.places.id}.{number}",
                        remedy="请核对名额表",
                    )  # fmt: skip
                found[row["prize"]] = row["places"]
        return found if all(prize.code in found for prize in self.prizes) else None

    def evaluate(self, context: Context) -> Step:
        """The ranking, its cost, and what a person has to settle; the applicant's own prize becomes a known fact."""
        rows = context.known.get(self.candidates.id)
        if rows is None:
            return Step(self.key, KIND, self.label, unchecked=(self.label,))
        inputs = {name: context.known.get(name) for name in self.facts()}
        given = context.need(self.places.id)
        places = None if given is None else self.places_of(given)
        if places is None:
            context.note_missing(self.places.id)
            return Step(self.key, KIND, self.label, inputs, sentences=(f"尚未确定{self.places.label}，不能评定等次",))
        placed = self.place(rows, places)
        article = context.article(self.clause)
        findings = [*self._open(placed, rows, article), *self._differing(placed, rows, article)]
        findings += self._too_many(places, context)
        own = self._own(placed, rows, context)
        if own is not None:
            findings += self._settle(own, places, context, article)
        elif self._left_out(rows, context):
            findings.append(self._doubtful("申报单位不在参评名单内，不能评定等次", context, article))
        budget = sum(places[prize.code] * prize.amount for prize in self.prizes)
        ends = accumulate(places[prize.code] for prize in self.prizes)
        filled = [min(end, len(placed)) for end in ends]
        won = [here - before for before, here in zip([0, *filled], filled, strict=False)]
        paid = sum(number * prize.amount for number, prize in zip(won, self.prizes, strict=True))
        return Step(
            self.key, KIND, self.label, inputs,
            results={"prize_budget": Money(budget), "prize_money": Money(paid)},
            details={"ranking": placed},
            sentences=(*self._sentences(placed, article), *self._costs(places, won, budget, paid)),
            clauses=(self.clause, *dict.fromkeys(prize.clause for prize in self.prizes)), findings=tuple(findings),
            basis=weakest(*(context.basis(clause) for clause in (self.clause, *(row.clause for row in self.prizes)))),
        )  # fmt: skip

    def _sentences(self, placed: Sequence[Placed], article: str) -> list[str]:
        labels = {prize.code: prize.label for prize in self.prizes}
        said = []
        for one in placed:
            rank = f"第{one.first}名" if one.first == one.last else f"第{one.first}至{one.last}名"
            result = "等次待定" if not one.settled else labels[one.prize] if one.prize else "未获奖"
            said.append(f"{rank} {one.name}：{result}（{article}）")
        return said

    def _costs(self, places: Mapping[str, int], won: Sequence[int], budget: int, paid: int) -> list[str]:
        terms = " + ".join(f"{Money(row.amount)} × {places[row.code]}" for row in self.prizes)
        said = [f"奖金预算 = {terms} = {Money(budget)}"]
        if sum(won) < sum(places.values()):
            said.append(f"参评的只有 {sum(won)} 家，少于名额 {sum(places.values())} 个，奖金合计 {Money(paid)}")
        return said

    def _open(self, placed: Sequence[Placed], rows: Sequence[Mapping[str, Any]], article: str) -> list[Finding]:
        """One finding for all candidates without a score, and one for each tie that decides over a prize."""
        unscored = [one.name for one in placed if self.score not in rows[one.row - 1]]
        found = []
        if unscored:
            message = f"{'、'.join(unscored)}没有{self._column(self.score).label}，有关等次待定"
            found.append(Finding(self.feature, "human", message, article, fact=self.candidates.id))
        ties: dict[Any, list[Placed]] = {}
        for one in placed:
            if not one.settled and self.score in rows[one.row - 1]:
                ties.setdefault(rows[one.row - 1][self.score], []).append(one)
        for score, tied in ties.items():
            if len(tied) > 1:
                names, span = "、".join(one.name for one in tied), f"第{tied[0].first}至{tied[0].last}名"
                shown = show_number(exact_number(score))
                message = f"{names}得分同为 {shown}，处于{span}，等次不同，须由人确定名次"
                found.append(Finding(self.feature, "human", message, article, fact=self.candidates.id))
        return found

    def _differing(self, placed: Sequence[Placed], rows: Sequence[Mapping[str, Any]], article: str) -> list[Finding]:
        """Where experts propose another prize than the ranks give."""
        labels = {prize.code: prize.label for prize in self.prizes}
        found = []
        for one in placed:
            proposed = rows[one.row - 1].get(self.recommended or "")
            if one.settled and proposed is not None and proposed != one.prize:
                ranked = labels[one.prize] if one.prize else "未获奖"
                message = f"{one.name}：推荐等次为{labels[proposed]}，按得分排名为{ranked}"
                found.append(Finding(self.feature, "warn", message, article, fact=self.candidates.id))
        return found

    def _too_many(self, places: Mapping[str, int], context: Context) -> list[Finding]:
        total, most = sum(places.values()), self.most["at_most"]
        if total <= most:
            return []
        message = f"名额共 {total} 个，原则上不超过 {most} 个"
        article = context.article(self.most["clause"])
        return [Finding(self.most["feature"], "warn", message, article, fact=self.places.id)]

    def _own(self, placed: Sequence[Placed], rows: Sequence[Mapping[str, Any]], context: Context) -> Placed | None:
        """The applicant among the candidates, by code or else by name."""
        for fact_id, column in (("uscc", self.id), ("enterprise_name", self.name)):
            wanted = squeeze(context.known.get(fact_id, "")).upper()
            for one in placed if wanted else ():
                if squeeze(rows[one.row - 1].get(column, "")).upper() == wanted:
                    return one
        return None

    def _left_out(self, rows: Sequence[Mapping[str, Any]], context: Context) -> bool:
        """Whether the applicant is named in a way all candidates are, and is none of them."""
        named = (("uscc", self.id), ("enterprise_name", self.name))
        return any(
            context.known.get(fact_id) and all(column in row for row in rows if row) for fact_id, column in named
        )

    def _doubtful(self, message: str, context: Context, article: str) -> Finding:
        """The prize that was given cannot stand, and no other is known."""
        context.derived[self.prize.id] = None
        context.note_missing(self.prize.id)
        return Finding(self.feature, "human", message, article, fact=self.candidates.id)

    def _settle(self, own: Placed, places: Mapping[str, int], context: Context, article: str) -> list[Finding]:
        """The applicant's prize goes before the one that was given; without a prize nothing is awarded.

        While the ranks are open, a person may name a prize that lies within them.
        """
        if not own.settled:
            ends = list(accumulate(places[prize.code] for prize in self.prizes))
            possible = [self._prize_at(rank, ends) for rank in range(own.first, own.last + 1)]
            given = context.known.get(self.prize.id)
            if given is None or given in possible:
                return []
            said = f"{self.prize.label}填为{self.prize.show(given)}，而{own.name}处于第{own.first}至{own.last}名"
            return [self._doubtful(said, context, article)]
        if own.prize is None:
            message = f"{own.name}排在第{own.first}名，未获奖"
            return [Finding(self.feature, "block", message, article, fact=self.candidates.id)]
        given = context.known.get(self.prize.id)
        context.derived[self.prize.id] = own.prize
        if given in (None, own.prize):
            return []
        message = f"{self.prize.label}填为{self.prize.show(given)}，按排名为{self.prize.show(own.prize)}"
        return [Finding(self.feature, "warn", message, article, fact=self.prize.id)]

    def _column(self, name: str) -> Fact:
        return self.candidates.columns[name]


def compile_data(data: Data) -> Ranking:
    """Checks that the tables have their columns and that every prize has one amount."""
    where = data["key"]
    candidates, places = (fact(known_fact(data[name], "table", f"{where}.{name}")) for name in ("candidates", "places"))
    prize = fact(known_fact(data["prize"], "option", f"{where}.prize"))
    wanted = [(candidates, data[name]) for name in ("name", "id", "score")] + [(places, "prize"), (places, "places")]
    wanted += [(candidates, data["recommended"])] if "recommended" in data else []
    lacking = [f"{table.id}.{column}" for table, column in wanted if column not in table.columns]
    codes = [row["code"] for row in data["prizes"]]
    if lacking or sorted(codes) != sorted(prize.options) or sorted(codes) != sorted(places.columns["prize"].options):
        raise PackError(
            "E-PACK-RANKING", f"缺少列：{'、'.join(lacking)}" if lacking else "每个等次须是一个选项，且各有一个金额",
            where=where, remedy=f"可用的等次：{'、'.join(prize.options)}",
        )  # fmt: skip
    prizes = tuple(
        CompiledPrize(
            row["code"], prize.options[row["code"]][0], fen(row["amount"], f"{where}.prizes.{row['code']}"),
            row["clause"],
        )
        for row in data["prizes"]
    )  # fmt: skip
    return Ranking(
        where, data["label"], data["clause"], data["feature"], candidates, data["name"], data["id"], data["score"],
        data.get("recommended"), places, prize, data["most"], prizes,
    )  # fmt: skip
