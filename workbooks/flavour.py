"""The two flavours of a template: native formulas, or calls of the cell functions in the same cells.

Both have the same sheets, ports and looks. In the udf flavour a cell that shows a result calls one function, and
its arguments are cells: policy and version day on 依据, the choices in force on 口径确认表, the inputs. What is no
result stays native: readings of typed cells, texts joined from other cells, what is said in place of a result.

A mechanism joins by ``@udf_cells.register``: the same outputs as its ``excel_cells``, from the same references.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from udfs.registry import UDFS
from workbooks.assessment.layout import QUESTIONS, WORK, Span
from workbooks.form import NATIVE, SETTINGS_SHEET
from xlcalc.errors import WorkbookError
from xlcalc.mechanisms import assessment_cells
from xlcalc.mechanisms.assessment_score import Assessment
from xlcalc.mechanisms.cells import BAD_AMOUNT, BAD_LEVEL, usable_amount
from xlcalc.mechanisms.discount_voucher import DiscountVoucher
from xlcalc.mechanisms.face_value import FaceValue
from xlcalc.mechanisms.tiered_rate import TieredRate

if TYPE_CHECKING:
    from workbooks.building.draft import Draft

Cells = dict[str, str]
Refs = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls under one policy. policy, day, choices: the cells that say under what the functions compute."""

    policy: str
    day: str
    choices: str

    def __call__(self, name: str, **cells: str) -> str:
        """``XLC_FACE_VALUE(policy, level, …)``; cells: what stands for each further argument, by its name."""
        given = {"policy": self.policy, "onday": self.day, "choices": self.choices} | cells
        args = [given.pop(arg.name) if arg.name in given else "" for arg in UDFS[name].args]
        assert not given, f"{name} has no argument {given}"
        return f"{name}({','.join(args)})"


def mechanism_cells(draft: Draft, policy: str, mechanism: Any, refs: Refs) -> Cells:
    """The formulas of a mechanism's outputs in the flavour of the draft; refs as its ``excel_cells`` takes them."""
    if draft.flavour == NATIVE:
        cells: Cells = mechanism.excel_cells(refs)
        return cells
    return udf_cells(mechanism, draft.calls(policy), refs)


@singledispatch
def udf_cells(mechanism: object, call: Calls, refs: Refs) -> Cells:
    """The calls that stand in the cells of a mechanism's outputs, each showing what its native formula shows.

    Raises WorkbookError ``E-FLAVOUR`` for a mechanism that cells cannot call.
    """
    kind = type(mechanism).__name__
    raise WorkbookError("E-FLAVOUR", f"此模板没有函数版（{kind}）", remedy="请生成公式版模板（native）")


@udf_cells.register
def _(mechanism: FaceValue, call: Calls, refs: Refs) -> Cells:
    level = refs["level"]
    shown = call("XLC_FACE_VALUE", level=level, received=_in_yuan(refs["received"]))
    return {"face_value": f'=IF({level}="","",{shown})'}


@udf_cells.register
def _(mechanism: DiscountVoucher, call: Calls, refs: Refs) -> Cells:
    base = refs["base"]
    args = {"amount": base, "received": _in_yuan(refs["received"])}
    reduced = f'IF({usable_amount(base)},{call("XLC_REDUCTION", **args)},"{BAD_AMOUNT}")'
    return {
        "reduction": f'=IF({base}="","",{reduced})',
        "own_payment": f'=IF(ISNUMBER({refs["reduction"]}),{call("XLC_OWN_PAYMENT", **args)},"")',
    }


@udf_cells.register
def _(mechanism: TieredRate, call: Calls, refs: Refs) -> Cells:
    base, level = refs["base"], refs["level"]
    paid = f'IF({usable_amount(base)},{call("XLC_SUBSIDY", cost=base, level=level)},"{BAD_AMOUNT}")'
    return {"subsidy": f'=IF(OR({level}="",{base}=""),"",IF({level}<0,"{BAD_LEVEL}",{paid}))'}


def _in_yuan(fen: str) -> str:
    """More than any cap counts as what a cell may hold at most."""
    return f"MIN(({fen})/100,10000000000)"


def tier_cell(draft: Draft, policy: str, rate: TieredRate, base: str, level: str, parameters: Refs) -> str:
    """The formula for what the tier of a level alone would pay.

    level: the cell with the level's name. parameters: the cells of the tier, ``up``, ``down`` and ``cap``.
    """
    if draft.flavour == NATIVE:
        return rate.one_tier(base, parameters["up"], parameters["down"], parameters["cap"])
    paid = draft.calls(policy)("XLC_TIER_AMOUNT", cost=base, level=level)
    return f'=IF({base}="","",IF({usable_amount(base)},{paid},"{BAD_AMOUNT}"))'


def counts_cell(draft: Draft, policy: str, mechanism: Any, fact: str) -> int | str:
    """Whether an earlier amount counts against the cap, 1 or 0, for the parameter cell that says so."""
    if draft.flavour == NATIVE:
        return int(fact in mechanism.cap.counts)
    return "=" + draft.calls(policy)("XLC_PARAMETER", path=f'"{mechanism.key}.cap.counts.{fact}"')


# --- the questionnaire


def question_units(draft: Draft, span: Span, exclusive: str, points: str, scale: str) -> str:
    """The formula for a question's score units, on the sheet of its tick states.

    exclusive: the state of the option 无; points, scale: the parameter cells.
    """
    question, first, last = span
    states = f"$A${first}:$A${last}"
    native = assessment_cells.question_units(question, states, exclusive, points)
    return (
        native if draft.flavour == NATIVE else units_called(native, states, points, _question_call(draft, span), scale)
    )


def units_called(native: str, states: str, points: str, call: str, scale: str) -> str:
    """The native formula for score units with a call where it counts points.

    What is wrong with the ticks is said as natively.
    """
    return native.replace(f"SUMPRODUCT({states},{points})", f"ROUND({call}*{scale},0)")


def question_score(draft: Draft, span: Span, units: str, scale: str) -> str:
    """The formula for the 得分 cell of a question; units: the cell with its score units."""
    native = assessment_cells.score_text(units, scale)
    return native if draft.flavour == NATIVE else native.replace(f"{units}/{scale}", _question_call(draft, span))


def total_score(draft: Draft, score: str, states: str) -> str:
    """The formula for the 总分 cell; score: the cell with the total or why there is none; states: all tick states."""
    if draft.flavour == NATIVE:
        return f"={score}"
    return f"=IF(ISNUMBER({score}),{draft.calls(draft.form.policies[0])('XLC_SCORE', answers=states)},{score})"


def _question_call(draft: Draft, span: Span) -> str:
    _, first, last = span
    call = draft.calls(draft.form.policies[0])
    return call("XLC_QUESTION_SCORE", question=f"{QUESTIONS}!$D${first}", answer=f"{WORK}!$A${first}:$A${last}")


def result_cells(draft: Draft, assessment: Assessment, refs: Refs) -> Cells:
    """The formulas for total, counts, level and gaps; refs as ``assessment_cells.result_formulas`` takes them.

    In the udf flavour also ``states`` (all tick states) and ``levels`` (scene levels, unreadable ones as 0).
    """
    cells = assessment_cells.result_formulas(assessment, refs)
    if draft.flavour == NATIVE:
        return cells
    call = draft.calls(draft.form.policies[0])
    answers, scenes, level = refs["states"], refs["levels"], refs["level"]
    score = call("XLC_SCORE", answers=answers)
    units = refs["units"]
    # SUM hands on the error of a function that could not be called, which COUNT would take for an open question.
    complete = f'AND(COUNT({units})+0*SUM({units})={len(assessment.questions)},COUNTIF({units},"<0")=0)'
    cells["total_units"] = f'=IF({complete},ROUND({score}*{refs["scale"]},0),"")'
    cells["score"] = f'=IF({complete},{score},"{assessment_cells.INCOMPLETE}")'
    for rule in assessment.levels:
        counted = {"scenes": scenes, "level": refs[f"{rule.level}_level"]}
        cells[f"scenes_{rule.level}"] = "=" + call("XLC_SCENE_COUNT", **counted)
        cells[f"mandatory_{rule.level}"] = "=" + call("XLC_MANDATORY_COUNT", **counted)
    bad = f"COUNTIF({refs['codes']},-1)>0"
    both = {"answers": answers, "scenes": scenes}
    cells["level"] = f'=IF(OR({refs["total_units"]}="",{bad}),"",{call("XLC_LEVEL", **both)})'
    at = {"scenes": scenes, "level": f"MAX({level},1)"}
    cells["scenes_at_level"] = f'=IF({level}="","",{call("XLC_SCENE_COUNT", **at)})'
    cells["mandatory_at_level"] = f'=IF({level}="","",{call("XLC_MANDATORY_COUNT", **at)})'
    for name in ("points", "scenes", "mandatory"):
        gap = call(f"XLC_GAP_{name.upper()}", **both)
        cells[f"gap_{name}"] = f'=IF(OR({level}="",{level}={assessment.levels[-1].level}),"",{gap})'
    return cells


# --- what xlwings reads


_SETTINGS = (
    ("UDF Modules", "udfs.xlwings_functions"),
    ("Debug UDFs", "False"),
    ("Use UDF Server", "True"),
    ("Show Console", "False"),
    ("Add_Workbook_to_PYTHONPATH", "False"),
)
"""The same on every PC. Interpreter_Win and PYTHONPATH are not among them, for even an empty entry here would hide
the user's own, which xlwings reads from ``%USERPROFILE%\\.xlwings\\xlwings.conf``. The folder of the workbook stays
off the path: nothing lying beside a file from somewhere may be run."""

_NOTE = (
    "以上由 xlwings 读取，请勿改动。Python 的位置（INTERPRETER_WIN）由 xlcalc addin install "
    "写入本机用户文件夹的 .xlwings\\xlwings.conf，本表不写，以便同一文件在各台电脑通用。"
)


def add_settings(draft: Draft) -> None:
    """The hidden last sheet with the settings xlwings takes from the workbook; it stops at the first empty row."""
    sheet = draft.sheet(SETTINGS_SHEET, hidden=True)
    for row in _SETTINGS:
        sheet.append(row)
    sheet.cell(len(_SETTINGS) + 2, 1, _NOTE)
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 30, 30
