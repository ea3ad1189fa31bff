"""The functions a cell may call: one list, from which help texts and every front end are generated.

A new function is one entry here, and nothing else: Excel's module and wrappers, the LibreOffice add-in, the
``formulas`` engine and the tests of every front end read this list. To add one:

* ``call`` takes the arguments in order as Python values (``udfs.signature.Udf``); write it in
  ``udfs.calculations``, or name a function of the library.
* A function that computes under a policy begins with ``_POLICY`` and ends with ``_ON, _CHOICES``, which its
  ``call`` gets as ``on`` and ``choices``: ask ``calculations.mechanism(policy, kind, on, choices)``.
* Argument names are lower-case letters and no word of Basic; those left out come last; an argument's kind
  says how its cells are read. A table of one enterprise is kind ``cells``.
* Titles and help are Chinese, with their argument at most 255 characters.
* Its cases go into ``tests/test_udf_functions.py``: ``CASES``, and a good call in ``GOOD``.
* For a mechanism in templates, say in ``workbooks.flavour`` which call stands in the cell of each of its outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from udfs import calculations
from udfs.signature import Arg, Udf
from xlcalc.values.amount_words import amount_in_words

_CALCULATION = "数字化转型核算"
_REVIEW = "数字化转型审核"
_FILLING = "数字化转型填报"

_POLICY = Arg(
    "policy",
    "政策编号",
    "政策编号（英文文字），可从模板“依据”表复制，或用命令 xlcalc packs 查看",
    "policy",
)
_ON = Arg("onday", "政策日期", "按该日有效的版本计算，如 2025-05-31；省略或空白按最新版本", "date", optional=True)
_CHOICES = Arg(
    "choices",
    "口径",
    "所采用的口径，如 AMB-31=literal；AMB-01=combined（以分号、逗号或换行分隔），或两列：编号、选项；"
    "省略或空白按默认口径，不属于本政策的不影响结果",
    "choices",
    optional=True,
)
_ANSWERS = Arg(
    "answers",
    "评测表答案",
    "一列（或一行）15 个单元格，按题号排列；多行时每行一家企业。字母选项填字母，多选连写如 BC；场景题填场景名称，"
    "以顿号分隔；成效题填 降低、持平 或 增加。也可选评测表的全部勾选格。有一题未答则结果为空",
    "answers",
)
_SCENES = Arg(
    "scenes",
    "应用场景等级",
    "一列（或一行）16 个单元格，按评测表的场景顺序填等级，如 二级 或 2；多行时每行一家企业；空白按无等级计",
    "scenes",
)
_LEVEL = Arg("level", "数字化水平等级", "认定（验收）等级：0–4，或 二级、规范级 等写法；可以是一列", "level")
_AT_LEAST = Arg("level", "等级", "从该等级起计数：0–4，或 二级、规范级 等写法；可以是一列", "level")
_AMOUNT = Arg("amount", "核定金额", "核定金额（元）；带单位的文字如 12万元 也可；可以是一列", "yuan")
_RECEIVED = Arg(
    "received",
    "此前已享受金额",
    "本企业此前已享受、计入每家企业上限的金额（元）；省略或空白按没有计算",
    "yuan",
    optional=True,
)
_FACTS = Arg(
    "facts",
    "事实",
    "两列：名称（中文名或编号）和内容；或一行标题，此时数据另给。数字金额按元，标题末尾写“（万元）”的按万元；"
    "日期、是/否、等级按单元格原样",
    "facts",
)
_DATA = Arg(
    "data", "数据", "事实为一行标题时，与标题同宽的数据区域：每行一家企业，结果为一列；否则省略", "data", optional=True
)
_APPLIED_ON = Arg(
    "onday", "申报日期", "申报日期，如 2025-05-31；省略则取事实“申报日期”，仍没有的按最新版本", "date", optional=True
)
_COST = Arg("cost", "核定投入", "核定投入（元）；带单位的文字如 12万元 也可；可以是一列", "yuan")
_ENTERPRISE = (_POLICY, _FACTS, _DATA, _APPLIED_ON, _CHOICES)

UDFS: Mapping[str, Udf] = {
    udf.name: udf
    for udf in (
        Udf(
            "XLC_SCORE",
            "评测得分",
            _CALCULATION,
            "由 15 题答案计算数字化水平评测得分（0–100，不四舍五入）",
            (_POLICY, _ANSWERS, _ON, _CHOICES),
            calculations.score,
        ),
        Udf(
            "XLC_QUESTION_SCORE",
            "一题得分",
            _CALCULATION,
            "评测表中一题的得分，不四舍五入；未答为空",
            (
                _POLICY,
                Arg("question", "题号", "题号，如 3 或 第3题", "text"),
                Arg("answer", "答案", "本题答案一个单元格，或本题的全部勾选格（一列；多行时每行一家企业）", "cells"),
                _ON,
                _CHOICES,
            ),
            calculations.question_score,
        ),
        Udf(
            "XLC_LEVEL",
            "数字化水平等级",
            _CALCULATION,
            "由 15 题答案和 16 个场景的等级判定数字化水平等级，结果为 0（无等级）至 4（四级）",
            (_POLICY, _ANSWERS, _SCENES, _ON, _CHOICES),
            calculations.level,
        ),
        Udf(
            "XLC_SCENE_COUNT",
            "达到等级的场景数",
            _CALCULATION,
            "达到某一等级及以上的应用场景个数",
            (_POLICY, _SCENES, _AT_LEAST, _ON, _CHOICES),
            calculations.scene_count,
        ),
        Udf(
            "XLC_MANDATORY_COUNT",
            "达到等级的约束性场景数",
            _CALCULATION,
            "达到某一等级及以上的约束性场景个数",
            (_POLICY, _SCENES, _AT_LEAST, _ON, _CHOICES),
            calculations.mandatory_count,
        ),
        Udf(
            "XLC_GAP_POINTS",
            "距下一等级的分数",
            _CALCULATION,
            "距下一等级还差多少分；已达到的为 0，最高等级为 0",
            (_POLICY, _ANSWERS, _SCENES, _ON, _CHOICES),
            partial(calculations.gap, "points"),
        ),
        Udf(
            "XLC_GAP_SCENES",
            "距下一等级的场景数",
            _CALCULATION,
            "距下一等级还差多少个应用场景；已达到的为 0，最高等级为 0",
            (_POLICY, _ANSWERS, _SCENES, _ON, _CHOICES),
            partial(calculations.gap, "scenes"),
        ),
        Udf(
            "XLC_GAP_MANDATORY",
            "距下一等级的约束性场景数",
            _CALCULATION,
            "距下一等级还差多少个约束性场景；已达到的为 0，最高等级为 0",
            (_POLICY, _ANSWERS, _SCENES, _ON, _CHOICES),
            partial(calculations.gap, "mandatory"),
        ),
        Udf(
            "XLC_FACE_VALUE",
            "抵扣券面额",
            _CALCULATION,
            "按认定等级计算抵扣券面额（元），等级为一列时结果也是一列",
            (_POLICY, _LEVEL, _RECEIVED, _ON, _CHOICES),
            calculations.face_value,
        ),
        Udf(
            "XLC_REDUCTION",
            "折扣券核减金额",
            _CALCULATION,
            "按核定金额计算折扣券核减的金额（元），金额为一列时结果也是一列",
            (_POLICY, _AMOUNT, _RECEIVED, _ON, _CHOICES),
            calculations.reduction,
        ),
        Udf(
            "XLC_OWN_PAYMENT",
            "企业自付金额",
            _CALCULATION,
            "核定金额减去折扣券核减后由企业自付的金额（元），金额为一列时结果也是一列",
            (_POLICY, _AMOUNT, _RECEIVED, _ON, _CHOICES),
            calculations.own_payment,
        ),
        Udf(
            "XLC_SUBSIDY",
            "改造补贴",
            _CALCULATION,
            "按核定投入和验收等级计算补贴金额（元），投入、等级为一列时结果也是一列",
            (_POLICY, _COST, _LEVEL, _ON, _CHOICES),
            calculations.subsidy,
        ),
        Udf(
            "XLC_TIER_AMOUNT",
            "一档的补贴",
            _CALCULATION,
            "只按某一等级的比例和上限计算的金额（元），不与较低等级比较；没有该档的为 0",
            (_POLICY, _COST, _LEVEL, _ON, _CHOICES),
            calculations.tier_amount,
        ),
        Udf(
            "XLC_PARAMETER",
            "政策参数",
            _CALCULATION,
            "政策中写明的数值：金额为元，比例为小数，日期为日期序号；事实清单中列有某事实为 1，没有为 0",
            (
                _POLICY,
                Arg("path", "参数路径", "以点分隔的路径，如 subsidy.tiers.3.cap（三级的上限）；可以是一列", "text"),
                _ON,
                _CHOICES,
            ),
            calculations.parameter,
        ),
        Udf(
            "XLC_STATUS",
            "核算状态",
            _REVIEW,
            "按一家企业的事实判断：可以确定、尚不能确定、不符合条件 或 政策不在有效期内；内容有误时为 #VALUE!",
            _ENTERPRISE,
            calculations.status,
            "text",
        ),
        Udf(
            "XLC_MISSING",
            "尚缺事实",
            _REVIEW,
            "还须填写哪些事实，以顿号分隔；不缺时为空；内容有误时为 #VALUE!",
            _ENTERPRISE,
            calculations.missing,
            "text",
        ),
        Udf(
            "XLC_FINDINGS",
            "审核提示",
            _REVIEW,
            "填写有误之处、不符合的条件、提醒和须由人判断的事项，每行一条；没有时为空",
            _ENTERPRISE,
            calculations.findings,
            "text",
            explains=True,
        ),
        Udf(
            "XLC_EXPLAIN",
            "核算说明",
            _REVIEW,
            "核算的完整推导：结果、依据条款、尚缺事实、提示和口径；内容有误时说明原因",
            _ENTERPRISE,
            calculations.explanation,
            "text",
            explains=True,
        ),
        Udf(
            "XLC_IN_WINDOW",
            "日期在期限内",
            _REVIEW,
            "日期在起止日之间（含当日）为 1，否则为 0；有空白时为空",
            (
                Arg("tested", "日期", "要核对的日期：日期单元格，或 2025-05-31、2025年5月31日；可以是一列", "date"),
                Arg("first", "起始日", "期限的第一天，含当日", "date"),
                Arg("last", "截止日", "期限的最后一天，含当日", "date"),
            ),
            calculations.in_window,
        ),
        Udf(
            "XLC_USCC_CHECK",
            "信用代码校验",
            _FILLING,
            "统一社会信用代码有疑问时给出原因（含被表格改成数字的代码），没有疑问时为空",
            (Arg("code", "统一社会信用代码", "18 位代码，须存为文字；可以是一列", "text"),),
            calculations.uscc_check,
            "text",
        ),
        Udf(
            "XLC_WORD_COUNT",
            "字数",
            _FILLING,
            "文字的字数，按 Word 的算法：汉字和全角标点各计 1，一串字母或数字计 1",
            (
                Arg("content", "文字", "要计数的文字；可以是一列", "text"),
                Arg("mode", "算法", "字数（默认）、字符数（不计空格）或 汉字数", "text", optional=True),
            ),
            calculations.word_count,
        ),
        Udf(
            "XLC_AMOUNT_WORDS",
            "大写金额",
            _FILLING,
            "金额（元）的中文大写，精确到分，如 叁拾伍万元整；不足一分的金额为 #VALUE!",
            (Arg("amount", "金额", "金额（元）；带单位的文字如 12万元 也可；可以是一列", "yuan"),),
            amount_in_words,
            "text",
        ),
    )
}
