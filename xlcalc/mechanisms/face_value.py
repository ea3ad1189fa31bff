"""A voucher whose face value depends on the maturity level alone (按等级定面额的抵扣券)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from typing_extensions import TypedDict

from xlcalc.errors import PackError
from xlcalc.mechanisms.base import Context, fen, known_fact
from xlcalc.mechanisms.cumulative_cap import CapData, CumulativeCap, compile_cap
from xlcalc.results.outcome import Finding, Step, weakest
from xlcalc.values.levels import LABELS
from xlcalc.values.money import Money

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND = "face_value"


class Face(TypedDict):
    """One level and its face value, such as ``10000元``."""

    level: int
    amount: str
    clause: str


class Data(TypedDict):
    """What a pack says of a voucher."""

    kind: Literal["face_value"]
    key: str
    label: str
    level: str
    lowest: int
    cap_code: str
    faces: list[Face]
    cap: CapData


@dataclass(frozen=True, slots=True)
class FaceValue:
    """face_value = the amount of the level, 0 below the lowest, never above what remains under the cap."""

    pays: ClassVar[str | None] = "face_value"
    key: str
    label: str
    level: str
    lowest: int
    cap_code: str
    faces: tuple[tuple[int, int, str], ...]
    cap: CumulativeCap

    def amount(self, level: int, received_fen: int = 0) -> int:
        """The face value in fen for a level 0–4 and what was received before, in fen."""
        face = next((amount for at, amount, _ in self.faces if at == level), 0)
        room = self.cap.remaining(received_fen)
        return face if room is None else min(face, room)

    def evaluate(self, context: Context) -> Step:
        """The face value for one enterprise; a level without a voucher gives 0 with the reason, never blank."""
        level: int | None = context.need(self.level)
        received = self.cap.received(context)
        inputs = {self.level: level, **{name: context.facts.get(name) for name in self.cap.counts}}
        if level is None:
            return Step(self.key, KIND, self.label, inputs)
        if level < self.lowest:
            clause = self.faces[0][2]
            reason = f"等级为{LABELS[level]}，未达{LABELS[self.lowest]}，面额为 {Money(0)}（{context.article(clause)}）"
            return Step(
                self.key, KIND, self.label, inputs,
                results={"face_value": Money(0), "maturity_level": level},
                sentences=(reason,), clauses=(clause,), basis=context.basis(clause),
            )  # fmt: skip
        face, clause = next((amount, clause) for at, amount, clause in self.faces if at == level)
        paid = self.amount(level, received)
        sentences = [f"{LABELS[level]}对应面额 {Money(face)}（{context.article(clause)}）"]
        clauses, basis = [clause], context.basis(clause)
        findings: tuple[Finding, ...] = ()
        if paid < face:
            sentences.append(self.cap.sentence(face, received, context))
            clauses.append(self.cap.clause)
            basis = weakest(basis, context.basis(self.cap.clause))
            message = f"累计已达每家企业上限，面额由 {Money(face)} 减为 {Money(paid)}"
            findings = (Finding(self.cap_code, "warn", message, context.article(self.cap.clause), fact=self.level),)
        return Step(
            self.key, KIND, self.label, inputs,
            results={"face_value": Money(paid), "maturity_level": level},
            sentences=tuple(sentences), clauses=tuple(clauses),
            findings=findings, basis=basis,
        )  # fmt: skip

    def evaluate_many(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Face values in fen (int64) for a column of levels and, where the cap counts them, columns of fen."""
        import numpy as np

        from xlcalc.mechanisms.columns import checked_fen, checked_levels

        levels = checked_levels(columns[self.level], self.level)
        by_level = np.zeros(5, dtype=np.int64)
        for level, amount, _ in self.faces:
            by_level[level] = amount
        paid = by_level[levels]
        if self.cap.applies:
            received = sum((checked_fen(columns[name], name) for name in self.cap.counts), np.int64(0))
            paid = np.minimum(paid, np.maximum(self.cap.amount - received, 0))
        return {"face_value": paid}

    def parameters(self) -> dict[str, list[list[int | str]]]:
        """The hidden parameter table: level and face value in fen; cap in fen, whether it applies, what counts."""
        return {
            "faces": [[level, amount] for level, amount, _ in self.faces],
            "cap": [[self.cap.amount, int(self.cap.applies)]],
            "counts": [[name] for name in self.cap.counts],
        }

    def excel_cells(self, refs: Mapping[str, str]) -> dict[str, str]:
        """The native formula for ``face_value`` (元).

        refs: ``level`` (cell holding 0–4 or ""), ``received`` (an expression in fen), ``level_n`` and
        ``amount_n`` for each face, ``cap``, ``cap_applies``.
        """
        level = refs["level"]
        rows = range(1, len(self.faces) + 1)
        face = "+".join(f"({level}={refs[f'level_{n}']})*{refs[f'amount_{n}']}" for n in rows)
        room = f"IF({refs['cap_applies']}=1,MAX({refs['cap']}-({refs['received']}),0),{refs['cap']})"
        return {"face_value": f'=IF({level}="","",MIN({face},{room})/100)'}

    def cell_values(self, level: int | None, received_fen: int) -> dict[str, Any]:
        """What the formula of ``excel_cells`` shows for the same inputs."""
        return {"face_value": "" if level is None else Money(self.amount(level, received_fen))}


def compile_data(data: Data) -> FaceValue:
    """Checks that each level from ``lowest`` to 4 has exactly one face value within the cap."""
    where = data["key"]
    known_fact(data["level"], "level", f"{where}.level")
    faces = tuple(
        (face["level"], fen(face["amount"], f"{where}.faces.{face['level']}"), face["clause"]) for face in data["faces"]
    )
    levels = [level for level, _, _ in faces]
    if levels != list(range(data["lowest"], 5)):
        raise PackError(
            "E-PACK-TIERS",
            f"各等级面额应从 {data['lowest']} 到 4 各出现一次，现为 {levels}",
            where=f"{where}.faces",
            remedy="请补齐缺少的等级或删去重复的等级",
        )
    cap = compile_cap(data["cap"], f"{where}.cap")
    if any(amount > cap.amount for _, amount, _ in faces):
        raise PackError("E-PACK-CAP", "有面额超过每家企业上限", where=f"{where}.cap", remedy="请核对原文")
    return FaceValue(where, data["label"], data["level"], data["lowest"], data["cap_code"], faces, cap)
