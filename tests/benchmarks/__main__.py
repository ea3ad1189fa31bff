"""Measures ``direct`` beside the floor and beside other programs on the same files, and writes docs/benchmarks.md.

``--quick``: few files, printed and not written. What is computed is compared cell by cell before a rate is given.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from tests.benchmarks import batches, floor, plot, rivals, timings
from tests.benchmarks.workload import KINDS, LARGE, write_workload
from workbooks.files import package

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
LABELS = {"assess": "自评估报告", "invest": "投入核算表", "recommend": "推荐表"}
RULE = "|---|---|---|---|---|---|"


def main() -> None:
    """Runs everything; one Markdown document."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--quick", action="store_true", help="少量文件，只打印，不写文档")
    parser.add_argument("--files", type=int, default=0, help="混合份数，缺省 10000（--quick 为 300）")
    parser.add_argument("--rows", default="", help="推荐表的行数，缺省 10,100,1000,20000（--quick 为 10,100）")
    options = parser.parse_args()
    rows = [int(part) for part in (options.rows or ("10,100" if options.quick else "10,100,1000,20000")).split(",")]
    count = options.files or (300 if options.quick else 10_000)
    folder = Path(tempfile.mkdtemp(prefix="xlcalc-bench-"))
    try:
        text = document(folder, count, rows, quick=options.quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.quick:
        print(text)
    else:
        DOCUMENT.write_text(text, encoding="utf-8")
        text += "\n## 各项耗时\n\n" + timings.table() + "\n"
        DOCUMENT.write_text(text, encoding="utf-8")
        print(f"已写入 {DOCUMENT.relative_to(ROOT)}")


def document(folder: Path, count: int, rows: Sequence[int], *, quick: bool) -> str:
    """The whole document."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else (0.0,)
    parts = [
        _head(load[0]),
        _side_by_side(folder / "printed", count, quick=quick),
        _large(folder / "large", quick=quick),
    ]
    parts.append(_by_rows(folder, rows, quick=quick))
    return "\n\n".join(parts) + "\n"


def _head(load: float) -> str:
    codec = "isal" if package.codec.__name__.startswith("isal") else "zlib"
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return (
        "# 基准测试\n\n本页由 `make bench` 写成；`make bench-quick` 用少量文件，只打印。\n\n"
        f"{date.today().isoformat()}，{commit.strip()}，{python}，{os.cpu_count()} 核 {_processor()}，"
        f"{platform.platform()}，压缩用 {codec}；开始时 1 分钟平均负载 {load:.1f}。\n"
        "负载高时各项都偏慢，请读同一次运行里的比值。"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _side_by_side(folder: Path, count: int, *, quick: bool) -> str:
    counts = [number for number in (100, 1_000, 10_000) if number < count]
    runs = batches.by_files(folder, [*counts, count])
    paths, ran = sorted((folder / "in").iterdir()), runs[count]
    by_name = {path.name.partition("（")[0]: path for path in ran.outputs}
    results = [by_name[path.stem] for path in paths]
    most = 30 if quick else 120
    copies = list(rivals.without_values(results[:most], folder / "copies").items())
    measured = [
        rivals.libreoffice(dict(copies[: 6 if quick else 60])),
        rivals.formulas(dict(copies[: 3 if quick else 9])),
        rivals.formualizer(dict(copies), folder / "formualizer"),
        rivals.with_openpyxl(results[: 12 if quick else 120], folder / "openpyxl"),
    ]
    changed = {
        kind: floor.changed_parts(paths[place].read_bytes(), results[place].read_bytes())
        for place, kind in enumerate(KINDS)
    }
    least = floor.rate(paths, folder / "floor", changed, batches.PROCESSES)
    rows = [
        f"| 下限：读入、解压、压缩、写出，不读不算 | {least:.0f} | {count} | — | — | "
        f"{batches.PROCESSES} 个进程，不落盘同步 |",
        f"| **direct** | **{ran.rate:.1f}** | {count} | 见下 | 见下 | {batches.PROCESSES} 个进程，"
        f"含启动、预检、日志和运行报告（报告 {ran.report:.1f} 秒） |",
    ]
    for item in measured:
        cells = "—" if item.cells is None else str(item.cells)
        wrong = "—" if item.wrong is None else str(item.wrong)
        rate = "—" if item.rate is None else f"{item.rate:.2f}"
        rows.append(f"| {item.name} | {rate} | {item.files or '—'} | {cells} | {wrong} | {item.note} |")
    kinds = batches.per_kind(paths, folder / "one")
    times = "；".join(f"{LABELS[kind]} {wall:.1f}（处理器 {used:.1f}）" for kind, (wall, used) in kinds.items())
    agreed = _agreed(measured)
    faster = "；".join(f"{item.name} 的 {ran.rate / item.rate:.1f} 倍" for item in measured if item.rate)
    return (
        "## 同样的文件，几种程序\n\n"
        f"三种表各占三分之一，按纸面行数填满（投入核算表、推荐表各 30 行），共 {count} 份，各不相同，由固定种子生成，"
        "存入的结果都是空白表的，须全部重算。慢的程序只算其中开头的若干份（见“份数”），所用的是 direct 写出的文件、"
        "公式单元格的数值全部清空，因为有的公式要看 direct 填入的核减等内容。\n\n"
        "“不同”是与 direct 写出的结果逐格比较，数字比 14 位。direct 的结果由此得到独立的核对。"
        f"{agreed}\n\n| 程序 | 份/秒 | 份数 | 比较的格数 | 不同 | 说明 |\n{RULE}\n" + "\n".join(rows) + "\n\n"
        f"direct 为下限的 {ran.rate / least:.1%}；为 {faster}。\n\n单进程一份的中位耗时（毫秒）：{times}。\n\n"
        + _by_files(runs, quick=quick)
    )  # fmt: skip


def _by_files(runs: Mapping[int, batches.Run], *, quick: bool) -> str:
    rows = "\n".join(
        f"| {count} | {ran.seconds:.1f} | {ran.rate:.1f} | {ran.report:.1f} | {ran.peak} |"
        for count, ran in runs.items()
    )
    picture = ""
    if not quick:
        points = [(float(count), ran.seconds) for count, ran in runs.items()]
        _draw("files", "份数与总耗时", "份数", "秒", {"三种表混合，2 个进程": points})
        picture = "\n\n![份数与总耗时](benchmarks-files.svg)"
    head = "| 份数 | 秒 | 份/秒 | 其中运行报告（秒） | 最大的工作进程（MB） |\n|---|---|---|---|---|"
    return f"### 份数增长\n\n{head}\n{rows}{picture}"


def _draw(name: str, title: str, across: str, up: str, series: Mapping[str, list[tuple[float, float]]]) -> None:
    path = DOCUMENT.parent / f"benchmarks-{name}.svg"
    path.write_text(plot.lines(title, across, up, series), encoding="utf-8")


def _agreed(measured: list[rivals.Measured]) -> str:
    good = [item.name for item in measured if item.cells and not item.wrong]
    bad = [f"{item.name} 有 {item.wrong} 格" for item in measured if item.wrong]
    return f"全部相同的：{'、'.join(good) or '无'}；不同的：{'、'.join(bad) or '无'}。"


def _large(folder: Path, *, quick: bool) -> str:
    count = 12 if quick else 60
    paths = write_workload(folder / "in", count, LARGE)
    ran = batches.whole_run(folder / "in", folder / "out")
    kinds = batches.per_kind(paths[: 12 if quick else 60], folder / "one")
    times = "；".join(f"{LABELS[kind]} {wall:.0f}（处理器 {used:.0f}）" for kind, (wall, used) in kinds.items())
    return (
        "## 大表\n\n投入核算表 200 行、推荐表 300 行，"
        f"混合 {count} 份：{ran.rate:.1f} 份/秒，{batches.PROCESSES} 个进程。单进程一份的中位耗时（毫秒）：{times}。"
    )


def _by_rows(folder: Path, counts: Sequence[int], *, quick: bool) -> str:
    rows, end = batches.by_rows(folder / "rows", counts)
    picture = ""
    if not quick:
        _draw("rows", "行数与一份的耗时", "推荐表的行数", "秒", {"推荐表，1 个进程": rows})
        picture = "\n\n![行数与一份的耗时](benchmarks-rows.svg)"
    told = "；".join([f"{number:.0f} 行 {seconds:.2f} 秒" for number, seconds in rows] + [end] * bool(end))
    return f"### 行数增长\n\n一份推荐表，单进程，第二次：{told}。{picture}"


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    sys.stderr.write(f"用时 {time.perf_counter() - started:.0f} 秒\n")
