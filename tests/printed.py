"""Everything that goes on paper: every form blank and filled in, every kind of document, printed by one LibreOffice."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from documents_bench import code, project, projects, vouchers
from invented import facts_for, filled_form

from macros_bridge.printing import printable
from workbooks.documents.as_pdf import Document, with_pdfs
from workbooks.documents.cases import Run
from workbooks.documents.deadlines import Deadline
from workbooks.documents.kinds import KINDS, Wishes, make
from workbooks.documents.submission import MANIFEST, submission_files
from workbooks.files.package import Package
from workbooks.form import forms
from workbooks.recalc import recalculate_package
from workbooks.review.merge import merge_reviews
from workbooks.template import build_template
from xlcalc.errors import InputError

BLANK, FILLED = "空白", "填写"


@cache
def papers() -> tuple[Document, ...]:
    """Every form under ``模板 空白`` and ``模板 填写``, every document under ``kind name``; charts are kept."""
    return (*_forms(), *_documents(), *_reviews())


def _forms() -> Iterator[Document]:
    for form_id in forms():
        for state, data in ((BLANK, build_template(form_id)), (FILLED, filled_form(form_id))):
            yield Document(f"{form_id} {state}.xlsx", printable(recalculate_package(Package.from_bytes(data))))


def _documents() -> Iterator[Document]:
    day = date(2025, 6, 3)
    wishes = Wishes(
        county="示例县", day=day, due=Deadline(date(2025, 6, 10)), reason="复验未达到二级", codes=True,
        start=day, end=Deadline(date(2025, 6, 10)), contact="0311-86000000",
    )  # fmt: skip
    costs = projects(project(uscc=code(11)))
    several = vouchers()
    refused = next(case for case in several.cases if case.outcome.status == "not_eligible")
    made = []
    for kind in KINDS:
        run = costs if kind in ("recognition", "materials") else several
        if kind in ("supplement", "review", "opinion", "recovery"):
            run = Run((several.cases[0] if kind == "recovery" else refused,))
        if kind == "recovery":
            wishes = replace(wishes, enterprises=(run.cases[0].name,))
        made += [Document(f"{kind} {item.name}", item.data) for item in _made(kind, run, wishes)]
        if kind == "recovery":
            wishes = replace(wishes, enterprises=())
    made += [Document(f"statistics 投入 {item.name}", item.data) for item in _made("statistics", costs, wishes)]
    yield from made
    pack = submission_files(made[:4], title="示例县报送材料", office="示例县工业和信息化局", day=day)
    yield Document(f"pack {MANIFEST}", pack[MANIFEST])


def _made(kind: str, run: Run, wishes: Wishes) -> list[Document]:
    try:
        return make(kind, run, wishes).documents
    except InputError:
        return []


def _reviews() -> Iterator[Document]:
    facts = facts_for("hohhot.review")
    assert isinstance(facts, dict)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, more in (("甲", {}), ("乙", {"reviewer": "示例评审乙", "reviewed_answers": facts["answers"]})):
            paths.append(Path(folder) / f"{name}.xlsx")
            paths[-1].write_bytes(build_template("hohhot.review", facts | more))
        merged = merge_reviews(paths)
        assert merged.data is not None
        yield Document("review-merge 评审汇总.xlsx", merged.data)


@cache
def printed() -> dict[str, bytes]:
    """The PDF of each paper by its name."""
    return {item.name: item.pdf for item in with_pdfs(papers()) if item.pdf is not None}


def pages(pdf: bytes) -> list[str]:
    """The text of each page, in the order in which it was drawn, so that a cell's text stands together."""
    done = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode().split("\f")[:-1]
