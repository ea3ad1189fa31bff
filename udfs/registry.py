"""The functions a cell may call: one list, from which help texts and every front end are generated.

A function here sees Python values only; what a cell may hold is the business of ``udfs.adapter``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from xlcalc import load_policy
from xlcalc.mechanisms.base import Context
from xlcalc.values.money import Money

if TYPE_CHECKING:
    from xlcalc.mechanisms.assessment_score import Assessment
    from xlcalc.packs.policy import Version

Kind = Literal["policy", "answers", "scenes", "level", "yuan"]
"""How cells are read. ``level`` and ``yuan`` may be columns and give a column; the others are read whole."""

PER_ROW: frozenset[Kind] = frozenset({"level", "yuan"})


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument; ``title`` and ``help`` are shown to the user."""

    name: str
    title: str
    help: str
    kind: Kind
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Udf:
    """``call`` takes the arguments in order as Python values, for one row, and raises XlcalcError for bad ones.

    By kind: policy id text · answers and scenes as in the facts JSON · level 0–4 · yuan as Money. Optional
    arguments may be None. A result of None is shown as an empty cell, Money in 元.
    """

    name: str
    title: str
    category: str
    help: str
    args: tuple[Arg, ...]
    call: Callable[..., Fraction | int | Money | None]


def mechanism(policy: str, kind: str) -> Any:
    """The one mechanism of a kind in a policy's newest version, under the default choices."""
    return _mechanism(load_policy(policy).newest, kind)


@cache
def _mechanism(version: Version, kind: str) -> Any:
    return version.mechanism(kind)


def assessment(policy: str) -> Assessment:
    """The questionnaire of a policy; raises PolicyError where it has none."""
    found: Assessment = mechanism(policy, "assessment")
    return found


def _assess(policy: str, answers: Mapping[str, object], scenes: Mapping[str, object] | None) -> Mapping[str, Any]:
    form = assessment(policy)
    facts = {form.answers: answers, form.scenes_fact: scenes}
    return form.evaluate(Context(facts, load_policy(policy).newest.clauses)).results


def _score(policy: str, answers: Mapping[str, object]) -> Fraction | None:
    return _assess(policy, answers, None).get("score")


def _level(policy: str, answers: Mapping[str, object], scenes: Mapping[str, object]) -> int | None:
    level: int | None = _assess(policy, answers, scenes).get("maturity_level")
    return level


def _face_value(policy: str, level: int, received: Money | None = None) -> Money:
    return Money(mechanism(policy, "face_value").amount(level, received.fen if received else 0))


def _subsidy(policy: str, cost: Money, level: int) -> Money:
    return Money(mechanism(policy, "tiered_rate").amount(cost.fen, level))


_POLICY = Arg(
    "policy",
    "政策编号",
    "政策编号（英文文字），可从模板“依据”表复制，或用命令 xlcalc packs 查看；按最新版本和默认口径计算",
    "policy",
)
_ANSWERS = Arg(
    "answers",
    "评测表答案",
    "一列（或一行）15 个单元格，按题号排列：字母选项填字母，多选连写如 BC；场景题填场景名称，以顿号分隔；"
    "成效题填 降低、持平 或 增加。有一题未答则结果为空",
    "answers",
)
_SCENES = Arg(
    "scenes",
    "应用场景等级",
    "一列（或一行）16 个单元格，按评测表的场景顺序填等级，如 二级 或 2；空白按无等级计",
    "scenes",
)
_LEVEL = Arg("level", "数字化水平等级", "认定（验收）等级：0–4，或 二级、规范级 等写法；可以是一列", "level")
_CATEGORY = "数字化转型核算"

UDFS: Mapping[str, Udf] = {
    udf.name: udf
    for udf in (
        Udf(
            "XLC_SCORE",
            "评测得分",
            _CATEGORY,
            "由 15 题答案计算数字化水平评测得分（0–100，不四舍五入）",
            (_POLICY, _ANSWERS),
            _score,
        ),
        Udf(
            "XLC_LEVEL",
            "数字化水平等级",
            _CATEGORY,
            "由 15 题答案和 16 个场景的等级判定数字化水平等级，结果为 0（无等级）至 4（四级）",
            (_POLICY, _ANSWERS, _SCENES),
            _level,
        ),
        Udf(
            "XLC_FACE_VALUE",
            "抵扣券面额",
            _CATEGORY,
            "按认定等级计算抵扣券面额（元），等级为一列时结果也是一列",
            (
                _POLICY,
                _LEVEL,
                Arg(
                    "received",
                    "此前已享受金额",
                    "本企业此前已享受、计入每家企业上限的金额（元）；省略或空白按没有计算",
                    "yuan",
                    optional=True,
                ),
            ),
            _face_value,
        ),
        Udf(
            "XLC_SUBSIDY",
            "改造补贴",
            _CATEGORY,
            "按核定投入和验收等级计算补贴金额（元），投入、等级为一列时结果也是一列",
            (
                _POLICY,
                Arg("cost", "核定投入", "核定投入（元）；带单位的文字如 12万元 也可；可以是一列", "yuan"),
                _LEVEL,
            ),
            _subsidy,
        ),
    )
}
