"""The files a county hands in: recalculated forms and the 推荐文件, each with its PDF, a list and checksums."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from macros_bridge.printing import printable
from workbooks.batch.run import process, write_atomically
from workbooks.batch.tasks import Options, Task
from workbooks.documents.as_pdf import Document, with_pdfs
from workbooks.documents.cases import run_of_workbooks
from workbooks.documents.kinds import Wishes, county_of, make
from workbooks.documents.naming import document_name, write_new
from workbooks.documents.submission import submission_files, submission_zip
from workbooks.recalc import recalculate
from workbooks.record import ReadBook
from xlcalc.errors import InputError

TITLE = "报送材料"


@dataclass(frozen=True)
class Pack:
    """Where the pack is, the workbooks that are not in it and why, and what else there is to know."""

    path: Path
    left_out: list[str]
    notes: list[str]


def write_pack(
    paths: Sequence[Path],
    outdir: Path,
    wishes: Wishes,
    on: date | None,
    choices: Mapping[str, str],
    *,
    pdf: bool,
    zipped: bool,
) -> Pack:
    """Writes the pack as a new folder, or as one .zip.

    The forms are recalculated copies, named as clerks name them; the originals stay as they are.
    """
    left_out: list[str] = []
    notes: list[str] = []
    run = run_of_workbooks(paths, on=on, choices=choices)
    county = county_of(run, wishes)
    options = Options(on=on, choices=tuple(choices.items()))
    with tempfile.TemporaryDirectory(prefix="xlcalc-pack-") as folder:
        documents = list(_forms(paths, Path(folder), options, wishes, county, left_out, notes))
    try:
        letters = make("recommendation", run, wishes)
        documents = [*letters.documents, *documents]
        notes += letters.notes
    except InputError as error:
        notes.append(f"没有推荐文件：{error.message}")
    if pdf and documents:
        documents = with_pdfs(documents)
    office = wishes.office or next((name for case in run.cases if (name := case.told("recommending_authority"))), "")
    files = submission_files(documents, title=county, office=office, day=wishes.day)
    return Pack(_written(outdir, county, wishes.day, files, zipped), left_out, notes)


def _forms(
    paths: Sequence[Path],
    folder: Path,
    options: Options,
    wishes: Wishes,
    county: str,
    left_out: list[str],
    notes: list[str],
) -> Iterator[Document]:
    """Each workbook recalculated under its own name; one that cannot be used is a note."""
    taken: set[str] = set()
    for number, path in enumerate(paths):
        result = process(Task(path, folder / f"{number}{path.suffix}"), options)
        if result.output is None:
            left_out.append(f"{path.name} 未收入：{result.findings[0]['message']}")
            continue
        made = Path(result.output)
        done = recalculate(made, on=options.on, choices=dict(options.choices))
        read = done.read
        if wishes.policies and not set(wishes.policies) & set(read.form.policies):
            continue
        if result.blocking:
            notes.append(f"{path.name} 中有不予通过的问题，仍已收入")
        name = _form_name(read, county, wishes.day, made.suffix)
        while name in taken:
            name = f"{Path(name).stem}-{number}{made.suffix}"
        taken.add(name)
        yield Document(name, made.read_bytes(), to_print=printable(done))


def _form_name(read: ReadBook, county: str, day: date | None, suffix: str) -> str:
    """County, enterprise where the form is that of one, form and day; the day of the form where none is given."""
    single = len(read.records) == 1 and read.form.kind != "recommendation"
    enterprise = str(read.records[0].facts.get("enterprise_name") or "") if single else ""
    dated = next((record.facts["form_date"] for record in read.records if "form_date" in record.facts), None)
    return document_name(county, enterprise, read.form.title, day=day or dated, suffix=suffix)


def _written(outdir: Path, county: str, day: date | None, files: dict[str, bytes], zipped: bool) -> Path:
    if zipped:
        return write_new(outdir, document_name(county, TITLE, day=day, suffix=".zip"), submission_zip(files))
    name = document_name(county, TITLE, day=day, suffix="")
    folder, number = outdir / name, 2
    while folder.exists():
        folder, number = outdir / f"{name}（{number}）", number + 1
    for name, data in files.items():
        write_atomically(folder / name, data)
    return folder
