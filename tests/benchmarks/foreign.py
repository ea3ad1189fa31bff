"""Throws foreign workbooks at check and recalc: ``python -m tests.benchmarks.foreign [COUNT] [FOLDER]``.

Found on this machine, written by openpyxl, XlsxWriter and LibreOffice, and our own damaged at random. Each must end in
a result or in one Chinese line with a code; anything else is printed and makes the program fail.
"""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.worksheet.datavalidation import DataValidation

from workbooks.batch.run import run
from workbooks.batch.tasks import FileResult, Options, find_tasks
from workbooks.form import forms
from workbooks.template import build_template

SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".xltx", ".xltm", ".ods", ".csv")
_WORDS = (
    "企业名称",
    "统一社会信用代码",
    "等级",
    "=1+1",
    "１２",
    "12万",
    "",
    "\u200b甲",
    "2025-05-31",
    "#N/A",
    "A" * 300,
)
_PIECES = (b"<", b">", b"&", b'"', b"</c>", b"</row>", b'<c r="A0">', b"<f>1</f>", b"\0", b"]]>", b"<!--", b"9" * 400)


def found(limit: int) -> Iterator[tuple[str, bytes]]:
    """Workbooks other programs have left on this machine, as in the test data of installed packages."""
    left = limit
    for base, folders, names in os.walk("/"):
        folders[:] = [name for name in folders if str(Path(base, name)) not in ("/proc", "/sys", "/dev", "/tmp")]
        for name in names:
            path = Path(base, name)
            if left and name.lower().endswith(SUFFIXES) and path.is_file() and path.stat().st_size < 5_000_000:
                left -= 1
                yield f"found-{name}", path.read_bytes()


def by_openpyxl(chance: random.Random) -> bytes:
    """Sheets, styles, names, validations, comments, charts, formulas and odd texts, in any mixture."""
    book = openpyxl.Workbook()
    for number in range(chance.randint(0, 4)):
        book.create_sheet(chance.choice(("明细", "数据 (2)", "a'b", "参数")) + str(number))
    for sheet in book:
        for _ in range(chance.randint(0, 60)):
            cell = sheet.cell(chance.randint(1, 80), chance.randint(1, 30))
            cell.value = chance.choice((*_WORDS, chance.random(), chance.randint(-(10**12), 10**15), True))
        if chance.random() < 0.3:
            sheet.merge_cells("B2:D5")
        if chance.random() < 0.3:
            rule = DataValidation(type="list", formula1='"甲,乙"')
            sheet.add_data_validation(rule)
            rule.add("A1:A9")
        if chance.random() < 0.2:
            sheet["A1"].comment = Comment("批注", "示例")
        if chance.random() < 0.2:
            chart = BarChart()
            chart.add_data(Reference(sheet, min_col=1, min_row=1, max_row=5))
            sheet.add_chart(chart, "F2")
        if chance.random() < 0.2:
            sheet.protection.enable()
    if len(book.worksheets) > 1 and chance.random() < 0.3:
        book.worksheets[-1].sheet_state = "veryHidden"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def by_xlsxwriter(chance: random.Random) -> bytes:
    """Formulas of all kinds, arrays, tables, rich text and conditional formats."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "use_future_functions": True})
    for name in ("汇总", "明细表")[: chance.randint(1, 2)]:
        sheet = book.add_worksheet(name)
        for row in range(chance.randint(1, 60)):
            sheet.write_row(row, 0, [chance.choice(_WORDS), chance.random(), row])
            sheet.write_formula(row, 4, chance.choice(("=SUM(B1:B9)", "=1/0", "=NOW()", "=INDIRECT(A1)", "=E1")))
        sheet.write_dynamic_array_formula("G1:G3", "=SORT(B1:B3)")
        if chance.random() < 0.4:
            sheet.add_table("I1:J5", {"columns": [{"header": "企业"}, {"header": "金额"}]})
        sheet.conditional_format("B1:B9", {"type": "data_bar"})
    book.close()
    return stream.getvalue()


def by_libreoffice(folder: Path, chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """The same kinds saved by LibreOffice in four formats."""
    source = folder / "source"
    source.mkdir()
    for number in range(count // 4):
        (source / f"{number}.xlsx").write_bytes(by_openpyxl(chance))
    for kind in ("xlsx:Calc MS Excel 2007 XML", "ods", "xls", "csv"):
        out = folder / kind.partition(":")[0]
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        words = ["soffice", profile, "--headless", "--convert-to", kind, "--outdir", str(out)]
        subprocess.run([*words, *map(str, source.iterdir())], capture_output=True, timeout=600, check=False)
        for path in sorted(out.iterdir()) if out.is_dir() else ():
            yield f"libreoffice-{path.name}", path.read_bytes()


def damaged(chance: random.Random, data: bytes) -> bytes:
    """Bytes changed, cut or doubled, in the file or within one of its parts."""
    if chance.random() < 0.3:
        at = chance.randrange(len(data))
        return chance.choice((data[:at], data[:at] + b"\xff\0" + data[at + 2 :], data + data[at:]))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(chance.randint(1, 3)):
        name = chance.choice(list(parts))
        text = parts[name]
        at, length = chance.randint(0, len(text)), chance.choice((0, 0, 1, 5, 400))
        parts[name] = text[:at] + chance.choice(_PIECES) + text[at + length :]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return stream.getvalue()


def workload(folder: Path, count: int) -> None:
    """Writes so many files: a fifth as found, the others made here, half of them our own, damaged."""
    chance = random.Random(20250531)
    blank = [build_template(name) for name in forms()]
    made: list[tuple[str, bytes]] = list(found(count // 5))
    with tempfile.TemporaryDirectory() as place:
        if shutil.which("soffice"):
            made += by_libreoffice(Path(place), chance, count // 15)
    made += [("openpyxl.xlsx", by_openpyxl(chance)) for _ in range(count // 8)]
    made += [("xlsxwriter.xlsx", by_xlsxwriter(chance)) for _ in range(count // 8)]
    made += [("damaged.xlsx", damaged(chance, chance.choice(blank))) for _ in range(count - len(made))]
    for number, (name, data) in enumerate(made):
        (folder / f"{number:05d}-{Path(name).name[-80:]}").write_bytes(data)


def wrong(result: FileResult) -> str:
    """What is wrong with the end of a file; empty when nothing is."""
    if result.state == "done":
        return ""
    if result.state == "failed" or len(result.findings) != 1:
        return f"{result.state} {result.findings}"
    (finding,) = result.findings
    text: str = finding["message"]
    fit = len(text.splitlines()) == 1 and re.search("[一-鿿]", text) and finding["code"].startswith("E-")
    return "" if fit and finding["where"] else f"{finding}"


def main(count: int, folder: Path) -> int:
    """Prints how the files ended; returns 1 where one ended wrongly."""
    source = folder / "in"
    source.mkdir(parents=True, exist_ok=True)
    workload(source, count)
    ends: dict[str, Any] = {}
    faults = []
    for name, outdir in (("check", None), ("recalc", folder / "out")):
        started = time.perf_counter()
        results = run(find_tasks([source], outdir), Options(jobs=2), lambda _: None)
        seconds = time.perf_counter() - started
        codes = Counter(one.state if one.state == "done" else one.findings[0]["code"] for one in results)
        slowest = max(results, key=lambda one: one.seconds)
        print(
            f"{name}: {len(results)} files, {seconds:.0f} s, slowest {slowest.seconds:.1f} s", dict(codes.most_common())
        )
        ends[name] = codes
        faults += [f"{name} {Path(one.path).name}: {said}" for one in results if (said := wrong(one))]
    print("\n".join(faults) or "every file ended in a result or a clear refusal")
    return 1 if faults or ends["check"] != ends["recalc"] else 0


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    if len(sys.argv) > 2:
        sys.exit(main(number, Path(sys.argv[2])))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(number, Path(temporary)))
