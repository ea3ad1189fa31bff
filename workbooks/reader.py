"""Reads a filled workbook: which template it is, under which packs and choices, and the facts of each record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from workbooks.files.cellread import CellReader, Evaluated
from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook
from workbooks.form import NATIVE, UDF, Form, forms
from workbooks.own_macros import only_our_macros
from workbooks.ports import Manifest, area_of, cell_at, places
from workbooks.record import ReadBook
from workbooks.template import IDENTITY, manifest
from xlcalc.errors import PolicyError, WorkbookRefused
from xlcalc.packs.earlier import version_as_recorded
from xlcalc.packs.policy import Version
from xlcalc.packs.registry import load_policy
from xlcalc.results.outcome import Finding

_PACK_GONE = "请用当时的 xlcalc 核算；如确需按现有政策包核算，请生成新模板并填入数据"


def read_workbook(path: Path, evaluated: Evaluated | None = None) -> ReadBook:
    """The facts in a filled workbook with findings and their cells; raises WorkbookRefused for what is not ours."""
    return read_package(Package.open(path), evaluated)


def read_package(package: Package, evaluated: Evaluated | None = None) -> ReadBook:
    """The same for a package already opened."""
    book = RawBook(package)
    form, flavour = _identify(book)
    reader = CellReader(book, evaluated)
    versions = _versions(book, form)
    ports = manifest(form.id, flavour, tuple(versions.items()))
    choices = _choices(book, ports, versions)
    used = [cell_at(book, place).text for place in places(book, "p_choices_used")]
    if form.kind == "assessment":
        from workbooks.assessment.reader import read_records
    elif form.kind == "application":
        from workbooks.application.reader import read_records
    elif form.kind == "summary":
        from workbooks.summary.reader import read_records
    elif form.kind == "review":
        from workbooks.review.reader import read_records
    else:
        from workbooks.recommendation.reader import read_records
    records = read_records(reader, form, ports, versions, choices)
    return ReadBook(
        book,
        form,
        ports,
        versions,
        choices,
        dict(zip(choices, used, strict=False)),
        records,
        [*_about_package(book.package), *_about_versions(book, versions)],
    )


def _identify(book: RawBook) -> tuple[Form, str]:
    if book.resolve("xlcalc_template") is None:
        raise WorkbookRefused(
            "E-BOOK-FOREIGN",
            "不是本系统的模板（没有模板标识）",
            remedy="请用 xlcalc template 生成模板，把数据填入后再核算",
        )
    name, version = (
        cell_at(book, places(book, port)[0]).text for port in ("xlcalc_template", "xlcalc_template_version")
    )
    if name not in forms():
        raise WorkbookRefused("E-BOOK-FOREIGN", f"模板“{name[:60]}”不在本系统中", remedy="请更新 xlcalc 或改用现有模板")
    form = forms()[name]
    if version != form.version:
        raise WorkbookRefused(
            "E-TEMPLATE-VERSION",
            f"模板版本 {version[:20]} 不是现用的 {form.version}",
            remedy="请用现用模板重新填写，或用原来的 xlcalc 核算",
        )
    # Workbooks that say nothing of it have native formulas.
    named = book.resolve("xlcalc_flavour") is not None
    flavour = cell_at(book, places(book, "xlcalc_flavour")[0]).text if named else NATIVE
    if flavour not in (NATIVE, UDF):
        raise WorkbookRefused("E-BOOK-FOREIGN", f"模板类型“{flavour[:20]}”不明", remedy="请使用未改动的模板")
    return form, flavour


def _versions(book: RawBook, form: Form) -> dict[str, Version]:
    """The pack versions recorded in the workbook, as they were then; refused when one of them is no longer held."""
    columns = [[cell_at(book, place).text for place in places(book, name)] for name in IDENTITY]
    versions = {}
    for policy, version_id, digest in zip(*columns, strict=True):
        where = f"{area_of(book, 'xlcalc_policies').sheet}"
        if policy not in form.policies:
            raise WorkbookRefused(
                "E-BOOK-FOREIGN", f"政策“{policy[:60]}”不属于此模板", where=where, remedy="请使用未改动的模板"
            )
        try:
            held = version_as_recorded(policy, version_id, digest)
        except PolicyError as error:
            raise WorkbookRefused("E-PACK-GONE", error.message, where=where, remedy=_PACK_GONE) from None
        versions[policy] = held
    if list(versions) != list(form.policies):
        raise WorkbookRefused("E-BOOK-FOREIGN", "依据表中的政策与模板不符", remedy="请使用未改动的模板")
    return versions


def _about_versions(book: RawBook, versions: Mapping[str, Version]) -> Iterator[Finding]:
    for policy, version in versions.items():
        present = load_policy(policy)
        now = present.version(version.id)
        if now != version:
            message = (
                f"按工作簿记录的较早文本核算：{present.label} {version.id}（{version.hash[:12]}），"
                f"现行文本（{now.hash[:12]}）已有修订。须按现行文本核算的，请用 --on 指定日期，或生成新模板并填入数据"
            )
            yield Finding("E-PACK-TEXT", "info", message, None, area_of(book, "xlcalc_policies").sheet)


def _choices(book: RawBook, ports: Manifest, versions: Mapping[str, Version]) -> dict[str, str]:
    choices = {}
    known = {key: item for version in versions.values() for key, item in version.interpretations.items()}
    for port in ports.ports:
        if port.direction != "choice":
            continue
        place = places(book, port.name)[0]
        code = cell_at(book, place).text.strip()
        item = known[port.name.removeprefix("choice_").replace("_", "-")]
        if code not in item.options:
            raise WorkbookRefused(
                "E-CHOICE",
                f"口径 {item.id} 没有选项“{code[:30]}”",
                where=str(place),
                remedy=f"可选：{'、'.join(item.options)}",
            )
        choices[item.id] = code
    return choices


def _about_package(package: Package) -> list[Finding]:
    facts = (
        (package.has_macros and not only_our_macros(package), "E-BOOK-MACRO", "文件含有宏，未执行"),
        (bool(package.external_links), "E-BOOK-LINKS", "文件含有外部链接，未读取；依赖它的结果不可采信"),
        (package.has_ole, "E-BOOK-OLE", "文件嵌有对象或控件，未打开"),
        (package.has_connections, "E-BOOK-CONNECTION", "文件含有数据连接，未连接"),
    )
    return [Finding(code, "warn", f"{message}。请核对文件来源") for present, code, message in facts if present]
