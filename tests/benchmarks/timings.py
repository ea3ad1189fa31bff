"""A table of timings: pack load, one evaluation, many rows, template build, recalculation by engine.

Medians of several runs on whatever machine this is; results are checked before a time is printed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from udfs.adapter import call
from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.form import forms
from workbooks.recalc import recalculate
from workbooks.template import build_template
from xlcalc import Money, evaluate, evaluate_many
from xlcalc.packs.registry import policy_ids

ROWS = 100_000
CELLS = 10_000


def table() -> str:
    """Runs everything; one Markdown table."""
    rows = [*_library(), *_columns(), *_functions(), *_workbooks()]
    return "\n".join(["| 项目 | 中位数 | 说明 |", "|---|---|---|", *(f"| {a} | {b} | {c} |" for a, b, c in rows)])


def _median(action: Callable[[], Any], runs: int = 7) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def _process(code: str, cache: str) -> float:
    environment = {**os.environ, "XLCALC_CACHE": cache}
    return _median(lambda: subprocess.run([sys.executable, "-c", code], check=True, env=environment), 5)


def _library() -> Iterator[tuple[str, str, str]]:
    load = "from xlcalc.packs.registry import *; [load_policy(p) for p in policy_ids()]"
    bare = _process("pass", "")
    yield "import xlcalc", _milliseconds(_process("import xlcalc", "") - bare), "整个进程，减去空进程"
    with tempfile.TemporaryDirectory() as cache:
        _process(load, cache)
        warm = _process(load, cache)
        read = _process("from xlcalc.packs.registry import *; [read_fresh(p) for p in policy_ids()]", cache)
    packs = f"{len(policy_ids())} 个政策包，整个进程减去空进程"
    yield "政策包：从 TOML 读取并检查", _milliseconds(read - bare), packs
    yield "政策包：从缓存载入", _milliseconds(warm - bare), packs
    facts = {"recognised_cost": "50万元", "maturity_level": 3}
    one = _median(lambda: evaluate("hohhot.transformation_subsidy", facts, on="2025-01-01"), 50)
    yield "一次 evaluate（补贴，含另一口径）", _milliseconds(one), "已载入政策包"


def _columns() -> Iterator[tuple[str, str, str]]:
    chance = np.random.default_rng(1)
    cost, level = chance.integers(0, 10**9, ROWS), chance.integers(0, 5, ROWS)
    columns = {"recognised_cost": cost, "maturity_level": level}
    paid = evaluate_many("hohhot.transformation_subsidy", columns)["subsidy"]
    first = {"recognised_cost": Money(int(cost[0])), "maturity_level": int(level[0])}
    exact = evaluate("hohhot.transformation_subsidy", first)
    assert int(paid[0]) == exact.results["subsidy"].fen
    seconds = _median(lambda: evaluate_many("hohhot.transformation_subsidy", columns))
    yield "evaluate_many 补贴", _milliseconds(seconds), f"{ROWS} 行"
    vouchers = {
        "approved_amount": cost,
        "saas_reduction_to_date": np.zeros(ROWS, np.int64),
        "cloud_voucher_received": np.zeros(ROWS, np.int64),
    }
    seconds = _median(lambda: evaluate_many("shijiazhuang.saas_voucher", vouchers))
    yield "evaluate_many 折扣券", _milliseconds(seconds), f"{ROWS} 行"


def _functions() -> Iterator[tuple[str, str, str]]:
    """One call for a whole column, as a cell with a range argument makes it."""
    chance = np.random.default_rng(2)
    fen, levels = chance.integers(0, 10**9, CELLS), chance.integers(0, 5, CELLS)
    paid = evaluate_many("hohhot.transformation_subsidy", {"recognised_cost": fen, "maturity_level": levels})["subsidy"]
    costs, column = [[value / 100] for value in fen.tolist()], [[float(level)] for level in levels.tolist()]
    args = ["hohhot.transformation_subsidy", costs, column, "2024-07-01", "AMB-31=literal"]
    assert call("XLC_SUBSIDY", args) == [[value / 100] for value in paid.tolist()]
    note = f"{CELLS} 个单元格，一次调用"
    yield "函数 XLC_SUBSIDY", _milliseconds(_median(lambda: call("XLC_SUBSIDY", args))), note
    answers = [["BC", "C", "B", "无", "C", "BC", "BC", "D", "BC", "BD", "A", "降低", "持平", "增加", "持平"]] * 1000
    assert call("XLC_SCORE", ["hohhot.maturity_2024", answers]) == [[44.75]] * 1000
    seconds = _median(lambda: call("XLC_SCORE", ["hohhot.maturity_2024", answers]), 3)
    yield "函数 XLC_SCORE", _milliseconds(seconds), "1000 家企业，各 15 题，一次调用"
    employees = [[float(number % 1500)] for number in range(CELLS)]
    sizes = ["national.sme_size_2011", "工业", employees, 400_000_000]
    bounds = ((1000, "大型企业"), (300, "中型企业"), (20, "小型企业"), (0, "微型企业"))
    named = [[next(name for least, name in bounds if row[0] >= least)] for row in employees]
    assert call("XLC_ENTERPRISE_SIZE", sizes) == named
    yield "函数 XLC_ENTERPRISE_SIZE", _milliseconds(_median(lambda: call("XLC_ENTERPRISE_SIZE", sizes), 3)), note
    rows = [[float(number * 1000), 3] for number in range(500)]
    asked = ["hohhot.transformation_subsidy", "subsidy", [["核定投入", "验收等级"]], rows]
    assert call("XLC_RESULT", asked) == [[cost / 2] for cost, _ in rows]
    seconds = _median(lambda: call("XLC_RESULT", asked), 3)
    yield "函数 XLC_RESULT", _milliseconds(seconds), "500 家企业，整个政策含另外口径，一次调用"


def _workbooks() -> Iterator[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        for form_id, form in forms().items():
            path = Path(folder) / f"{form_id}.xlsx"
            build_template(form_id)
            yield (
                f"生成模板 {form.title}",
                _milliseconds(_median(lambda i=form_id: build_template(i), 5)),
                "空白，版式已缓存",
            )
            path.write_bytes(build_template(form_id, {"enterprise_name": "示例有限公司", "maturity_level": 3}))
            values = evaluate_formulas(path)
            found = recalculate(path, evaluated=values)
            assert not [f for f in found.all_findings() if f.code == "E-STORED-DIFFERS"], "engines disagree"
            yield (
                f"核算 direct {form.title}",
                _milliseconds(_median(lambda p=path: recalculate(p).data, 9)),
                "读、算、写，单进程",
            )
            seconds = _median(lambda p=path: evaluate_formulas(p), 3)
            yield f"核算 formulas {form.title}", _milliseconds(seconds), "只含求值"
