"""The functions a cell may call: one list, from which help texts and every front end are generated.

A new function is one entry here, and nothing else: Excel's module and wrappers, the LibreOffice add-in, the
``formulas`` engine and the tests of every front end read this list. To add one:

* ``call`` takes the arguments in order as Python values (``udfs.signature.Udf``); write it in ``udfs.calculations``
  (``awards``, ``costs``, ``enterprise``, ``register`` for those subjects), or name a function of the library.
* A function that computes under a policy begins with ``POLICY`` and ends with ``ON, CHOICES``, which its
  ``call`` gets as ``on`` and ``choices``: ask ``versions.mechanism(policy, kind, on, choices)``.
* Arguments used by several functions stand in ``udfs.arguments``. Their names are lower-case letters and no word of
  Basic; those left out come last; an argument's kind says how its cells are read (``udfs.signature.Kind``).
* Titles and help are Chinese, with their argument at most 255 characters.
* Its cases go into ``tests/test_udf_functions.py``: ``CASES``, and a good call in ``GOOD``.
* For a mechanism in templates, say in ``workbooks.flavour`` which call stands in the cell of each of its outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from udfs import awards, calculations, costs, enterprise, register
from udfs.arguments import (
    AMOUNT,
    ANSWERS,
    ASSETS,
    AT_LEAST,
    AWARDED,
    BATCH,
    CANDIDATE_ROW,
    CANDIDATES,
    CHOICES,
    CODE,
    COST,
    COSTS,
    EMPLOYEES,
    ENTERPRISE,
    INDUSTRY,
    ITEM,
    LEVEL,
    LINE_ROW,
    LINES,
    ON,
    OPTIONS,
    PART,
    PLACES,
    POLICY,
    PROGRAMME,
    RECEIVED,
    REVENUE,
    SCENES,
    THRESHOLD,
    WHOLE,
)
from udfs.signature import Arg, Udf
from xlcalc.values.amount_words import amount_in_words

_CALCULATION = "数字化转型核算"
_REVIEW = "数字化转型审核"
_FILLING = "数字化转型填报"

UDFS: Mapping[str, Udf] = {
    udf.name: udf
    for udf in (
        Udf(
            "XLC_SCORE",
            "评测得分",
            _CALCULATION,
            "由 15 题答案计算数字化水平评测得分（0–100，不四舍五入）",
            (POLICY, ANSWERS, ON, CHOICES),
            calculations.score,
        ),
        Udf(
            "XLC_QUESTION_SCORE",
            "一题得分",
            _CALCULATION,
            "评测表中一题的得分，不四舍五入；未答为空",
            (
                POLICY,
                Arg("question", "题号", "题号，如 3 或 第3题", "text"),
                Arg("answer", "答案", "本题答案一个单元格，或本题的全部勾选格（一列；多行时每行一家企业）", "cells"),
                ON,
                CHOICES,
            ),
            calculations.question_score,
        ),
        Udf(
            "XLC_LEVEL",
            "数字化水平等级",
            _CALCULATION,
            "由 15 题答案和 16 个场景的等级判定数字化水平等级，结果为 0（无等级）至 4（四级）",
            (POLICY, ANSWERS, SCENES, ON, CHOICES),
            calculations.level,
        ),
        Udf(
            "XLC_SCENE_COUNT",
            "达到等级的场景数",
            _CALCULATION,
            "达到某一等级及以上的应用场景个数",
            (POLICY, SCENES, AT_LEAST, ON, CHOICES),
            calculations.scene_count,
        ),
        Udf(
            "XLC_MANDATORY_COUNT",
            "达到等级的约束性场景数",
            _CALCULATION,
            "达到某一等级及以上的约束性场景个数",
            (POLICY, SCENES, AT_LEAST, ON, CHOICES),
            calculations.mandatory_count,
        ),
        Udf(
            "XLC_GAP_POINTS",
            "距下一等级的分数",
            _CALCULATION,
            "距下一等级还差多少分；已达到的为 0，最高等级为 0",
            (POLICY, ANSWERS, SCENES, ON, CHOICES),
            partial(calculations.gap, "points"),
        ),
        Udf(
            "XLC_GAP_SCENES",
            "距下一等级的场景数",
            _CALCULATION,
            "距下一等级还差多少个应用场景；已达到的为 0，最高等级为 0",
            (POLICY, ANSWERS, SCENES, ON, CHOICES),
            partial(calculations.gap, "scenes"),
        ),
        Udf(
            "XLC_GAP_MANDATORY",
            "距下一等级的约束性场景数",
            _CALCULATION,
            "距下一等级还差多少个约束性场景；已达到的为 0，最高等级为 0",
            (POLICY, ANSWERS, SCENES, ON, CHOICES),
            partial(calculations.gap, "mandatory"),
        ),
        Udf(
            "XLC_FACE_VALUE",
            "抵扣券面额",
            _CALCULATION,
            "按认定等级计算抵扣券面额（元），等级为一列时结果也是一列",
            (POLICY, LEVEL, RECEIVED, ON, CHOICES),
            calculations.face_value,
        ),
        Udf(
            "XLC_REDUCTION",
            "折扣券核减金额",
            _CALCULATION,
            "按核定金额计算折扣券核减的金额（元），金额为一列时结果也是一列",
            (POLICY, AMOUNT, RECEIVED, ON, CHOICES),
            calculations.reduction,
        ),
        Udf(
            "XLC_OWN_PAYMENT",
            "企业自付金额",
            _CALCULATION,
            "核定金额减去折扣券核减后由企业自付的金额（元），金额为一列时结果也是一列",
            (POLICY, AMOUNT, RECEIVED, ON, CHOICES),
            calculations.own_payment,
        ),
        Udf(
            "XLC_SUBSIDY",
            "改造补贴",
            _CALCULATION,
            "按核定投入和验收等级计算补贴金额（元），投入、等级为一列时结果也是一列",
            (POLICY, COST, LEVEL, ON, CHOICES),
            calculations.subsidy,
        ),
        Udf(
            "XLC_TIER_AMOUNT",
            "一档的补贴",
            _CALCULATION,
            "只按某一等级的比例和上限计算的金额（元），不与较低等级比较；没有该档的为 0",
            (POLICY, COST, LEVEL, ON, CHOICES),
            calculations.tier_amount,
        ),
        Udf(
            "XLC_AWARD",
            "定额奖补",
            _CALCULATION,
            "按申报方向或获奖等次计算定额奖补金额（元）；不得同时申报的方向、未列出的方向为 #VALUE!；不核对申报条件",
            (POLICY, OPTIONS, AWARDED, ON, CHOICES),
            awards.award,
        ),
        Udf(
            "XLC_PRIZE",
            "获奖等次",
            _CALCULATION,
            "参评名单中第几行按得分排名所得的等次；未获奖为“未获奖”，同分或缺得分而不能确定的为“等次待定”，不自行排序",
            (POLICY, CANDIDATES, CANDIDATE_ROW, PLACES, ON, CHOICES),
            awards.prize,
            "text",
        ),
        Udf(
            "XLC_ENTERPRISE_SIZE",
            "企业规模",
            _CALCULATION,
            "按划型标准测算：大型企业、中型企业、小型企业 或 微型企业；该行业所看的指标未填而可能改变结果时为空",
            (POLICY, INDUSTRY, EMPLOYEES, REVENUE, ASSETS, ON, CHOICES),
            calculations.enterprise_size,
            "text",
        ),
        Udf(
            "XLC_RECOGNISED_COST",
            "核定投入",
            _CALCULATION,
            "按投入明细逐行核算后的核定投入合计（元）；有一行尚不能核定时为空",
            (POLICY, LINES, *COSTS),
            costs.recognised_cost,
        ),
        Udf(
            "XLC_RECOGNISED_LINES",
            "逐行核定投入",
            _CALCULATION,
            "投入明细第几行的核定金额（元），行号为一列时结果也是一列；该行尚不能核定或没有填写时为空",
            (POLICY, LINES, LINE_ROW, *COSTS),
            costs.recognised_line,
        ),
        Udf(
            "XLC_PARAMETER",
            "政策参数",
            _CALCULATION,
            "政策中写明的数值：金额为元，比例为小数，日期为日期序号；事实清单中列有某事实为 1，没有为 0",
            (
                POLICY,
                Arg("path", "参数路径", "以点分隔的路径，如 subsidy.tiers.3.cap（三级的上限）；可以是一列", "text"),
                ON,
                CHOICES,
            ),
            calculations.parameter,
        ),
        Udf(
            "XLC_RESULT",
            "一项结果",
            _CALCULATION,
            "按一家企业的事实计算政策的一项结果，为数值：金额为元，比率为小数，等级为 0–4；尚不能算出时为空。"
            "是否符合条件只有“可拨付”考虑",
            (POLICY, ITEM, *ENTERPRISE[1:]),
            enterprise.result,
        ),
        Udf(
            "XLC_RESULT_TEXT",
            "一项结果的名称",
            _CALCULATION,
            "按一家企业的事实得出的企业规模或数字化水平等级，为文字；尚不能得出时为空",
            (POLICY, ITEM, *ENTERPRISE[1:]),
            enterprise.result_text,
            "text",
        ),
        Udf(
            "XLC_STATUS",
            "核算状态",
            _REVIEW,
            "按一家企业的事实判断：可以确定、尚不能确定、不符合条件 或 政策不在有效期内；内容有误时为 #VALUE!",
            ENTERPRISE,
            enterprise.status,
            "text",
        ),
        Udf(
            "XLC_MISSING",
            "尚缺事实",
            _REVIEW,
            "还须填写哪些事实，以顿号分隔；不缺时为空；内容有误时为 #VALUE!",
            ENTERPRISE,
            enterprise.missing,
            "text",
        ),
        Udf(
            "XLC_FINDINGS",
            "审核提示",
            _REVIEW,
            "填写有误之处、不符合的条件、提醒和须由人判断的事项，每行一条；没有时为空",
            ENTERPRISE,
            enterprise.findings,
            "text",
            explains=True,
        ),
        Udf(
            "XLC_EXPLAIN",
            "核算说明",
            _REVIEW,
            "核算的完整推导：结果、依据条款、尚缺事实、提示和口径；内容有误时说明原因",
            ENTERPRISE,
            enterprise.explanation,
            "text",
            explains=True,
        ),
        Udf(
            "XLC_RATIO_MET",
            "比率达到要求",
            _REVIEW,
            "部分除以整体是否达到要求的比例：达到为 1，否则为 0；精确比较，不四舍五入；有空白时为空",
            (PART, WHOLE, THRESHOLD),
            calculations.ratio_met,
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
            "XLC_RECEIVED",
            "此前已享受",
            _REVIEW,
            "台账中这家企业已享受的金额（元），已收回、取消的不计；没有台账、代码有误为 #VALUE!；台账更新后须重新计算",
            (CODE, PROGRAMME, BATCH),
            register.received,
        ),
        Udf(
            "XLC_REMAINING",
            "上限内剩余",
            _REVIEW,
            "按台账，这家企业在每家企业上限内还剩多少（元）；没有上限时为空，没有台账或代码有误时为 #VALUE!",
            (POLICY, CODE, ON, CHOICES),
            register.remaining,
        ),
        Udf(
            "XLC_DUPLICATES",
            "重复享受",
            _REVIEW,
            "台账中这家企业在几个项目、批次享受的金额，用过两次的发票和合同，用过的几个名称，每行一条；没有时为空，"
            "没有台账或代码有误时说明原因",
            (CODE,),
            register.duplicates,
            "text",
            explains=True,
        ),
        Udf(
            "XLC_USCC_CHECK",
            "信用代码校验",
            _FILLING,
            "统一社会信用代码有疑问时给出原因（含被表格改成数字的代码），没有疑问时为空",
            (CODE,),
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
