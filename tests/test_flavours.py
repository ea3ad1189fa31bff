"""The udf flavour: its results are calls, and each cell shows what the same cell of the native flavour shows.

Expected values are the library's for the native flavour (held to hand arithmetic in ``test_referees``); here they
are compared with what the calls give in ``formulas`` and in LibreOffice with the add-in.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.formula.translate import Translator
from test_referees import BOOKS, Filled
from workbench import (
    CLOUD,
    CLOUD_COMPANY,
    CLOUD_VOUCHER,
    FORM,
    SAAS,
    SAAS_COMPANY,
    TEMPLATES,
    codes,
    differences,
    e1,
    edited,
    filled,
    formula_values,
    members,
    part_of,
    place,
    raw,
    result_values,
    rezipped,
    row,
    same,
    save,
    typed,
    value,
    values,
)

from macros_bridge.listing import read_document
from macros_bridge.oxt import build_oxt, install_oxt
from udfs.registry import UDFS
from workbooks import own_macros
from workbooks.batch import run as batch
from workbooks.batch.tasks import FileResult, Options, Task
from workbooks.building.draft import Draft
from workbooks.engines import libreoffice_engine
from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.engines.libreoffice_engine import evaluate_libreoffice
from workbooks.files.package import Package
from workbooks.flavour import mechanism_cells
from workbooks.form import form
from workbooks.listed import FINDINGS_SHEET
from workbooks.ports import places
from workbooks.reader import read_package
from workbooks.recalc import recalculate, recalculate_package
from workbooks.template import build_template, draft_template, manifest
from xlcalc import load_policy
from xlcalc.errors import EngineError, PolicyError, WorkbookError, WorkbookRefused
from xlcalc.mechanisms.flat_award import FlatAward
from xlcalc.packs import registry

HELPERS = {"k_choices", "xlcalc_flavour"}
# What is no result: readings of typed cells, texts joined from other cells, what stands in place of a result.
NATIVE_OUTPUTS = {
    FORM: re.compile(
        r"k_(states|codes|levels|names|level_text|choices|passed_\d)|o_(blank_q\d+|count_\w+|summary_\w+|self_level|"
        r"accepted_code|used_level|basis|choices_state)"
    ),
    CLOUD: re.compile(r"t_(sequence|level_code|hint)|o_choices_state|k_choices"),
    SAAS: re.compile(r"t_(sequence|level_code|hint)|o_choices_state|k_choices"),
}
CALL = re.compile(r"\b(XLC_[A-Z_]+)\(")
RULES = r"依据!\$B\$\d+", r"依据!\$B\$\d+", r"参数!\$B\$1"

Key = tuple[str, str]


def udf(book: Filled) -> bytes:
    """The same enterprise in the udf flavour: filled in, typed into, not recalculated since."""
    facts = book.facts[0] if book.form == FORM and book.facts else book.facts
    return typed(build_template(book.form, facts, choices=book.choices, flavour="udf"), book.typed)


@cache
def blank(form_id: str) -> bytes:
    return build_template(form_id, flavour="udf")


@cache
def formulas(form_id: str) -> dict[str, list[str]]:
    """The formulas of every output port of a blank template of the udf flavour."""
    book = raw(blank(form_id))
    ports = [port.name for port in manifest(form_id, "udf").ports if port.direction == "out"]
    return {
        name: [book.sheet(at.sheet).cells[at.row, at.column].formula or "" for at in places(book, name)]
        for name in ports
    }


def arguments(formula: str, start: int) -> list[str]:
    """What stands between the brackets of the call that begins at ``start``."""
    parts, depth, quoted = [""], 0, False
    for sign in formula[formula.index("(", start) + 1 :]:
        quoted ^= sign == '"'
        depth += 0 if quoted else {"(": 1, ")": -1}.get(sign, 0)
        if depth < 0:
            return parts
        if sign == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
    raise AssertionError(formula)


# --- the cells


@pytest.mark.parametrize("form_id", TEMPLATES)
def test_every_result_is_a_call(form_id: str) -> None:
    for name, cells in formulas(form_id).items():
        native = name.startswith("o_finding_") or NATIVE_OUTPUTS[form_id].fullmatch(name) is not None
        assert {bool(CALL.search(formula)) for formula in cells} == {not native}, name


@pytest.mark.parametrize("form_id", TEMPLATES)
def test_calls_take_policy_day_and_choices_from_cells_and_state_no_number(form_id: str) -> None:
    seen = 0
    for name, cells in formulas(form_id).items():
        for formula in cells:
            assert len(formula) < 8192
            for call in CALL.finditer(formula):
                args = arguments(formula, call.start())
                policy, *inputs, day, choices = args
                assert [bool(re.fullmatch(*pair)) for pair in zip(RULES, (policy, day, choices), strict=True)] == [
                    True
                ] * 3
                assert len(args) == len(UDFS[call[1]].args), name
                assert not [arg for arg in inputs if re.fullmatch(r'[\d.]+|".*"', arg)], (name, args)
                seen += 1
    assert seen >= 30


@pytest.mark.parametrize("form_id", TEMPLATES)
def test_the_ports_are_those_of_native_and_of_the_cells_calls_need(form_id: str) -> None:
    native, calling = manifest(form_id), manifest(form_id, "udf")
    assert (native.flavour, calling.flavour) == ("native", "udf")
    assert calling.table == native.table and calling.version == native.version
    shared = [port for port in calling.ports if port.name in native.by_name]
    assert shared == list(native.ports)
    assert set(calling.by_name) - set(native.by_name) == HELPERS | ({"k_levels"} if form_id == FORM else set())


@pytest.mark.parametrize("form_id", [CLOUD, SAAS])
def test_each_row_is_the_first_row_copied_down(form_id: str) -> None:
    """So rows may be inserted, sorted and copied: a row's formulas look at that row and at fixed cells only."""
    table = [name for name in manifest(form_id, "udf").table if name in formulas(form_id)]
    assert {"t_face_value"} <= set(table) or {"t_reduction", "t_own_payment"} <= set(table)
    for name in table:
        at = places(raw(blank(form_id)), name)
        first, *others = formulas(form_id)[name]
        for cell, formula in zip(at[1:], others, strict=True):
            assert Translator(f"={first}", at[0].ref).translate_formula(cell.ref) == f"={formula}"


def test_versions_and_policies_stand_where_calls_look() -> None:
    for form_id in TEMPLATES:
        book = raw(blank(form_id))
        for cells in formulas(form_id).values():
            for formula in cells:
                for call in CALL.finditer(formula):
                    args = arguments(formula, call.start())
                    policy, day = (
                        book.sheet("依据").cells[int(arg.rpartition("$")[2]), 2].text for arg in (args[0], args[-2])
                    )
                    assert day == load_policy(policy).newest.id and policy in form(form_id).policies


# --- cell by cell


def compare(name: str, found: dict[Key, Any], data: bytes) -> None:
    """Every output cell of the udf workbook shows what the native one shows, as computed by ``found``."""
    book = BOOKS[name]
    native = recalculate_package(Package.from_bytes(book.data())).data
    calling = raw(data)
    wrong = {}
    for port in manifest(book.form).ports:
        if port.direction == "out" and not port.name.startswith("o_finding_"):
            shown = [found[at.sheet, at.ref] for at in places(calling, port.name)]
            expected = values(native, port.name)
            assert len(shown) == len(expected)
            wrong |= {
                (port.name, n): pair for n, pair in enumerate(zip(shown, expected, strict=True)) if not same(*pair)
            }
    assert not wrong, name


@pytest.mark.parametrize("name", BOOKS)
def test_direct_writes_the_same_into_both(name: str) -> None:
    result = recalculate_package(Package.from_bytes(udf(BOOKS[name])))
    compare(name, formula_values(result.data), result.data)
    assert set(formula_values(result.data)) <= set(result.changes) | {
        (at.sheet, at.ref)
        for port in result.read.manifest.ports
        if port.direction == "parameter"
        for at in places(result.read.book, port.name)
    }
    assert result.read.manifest.flavour == "udf"


EVALUATED = [
    "E1", "none and others", "two ticks", "question mark", "scene unreadable", "trial", "cost negative",
    "500000.00 at 3 or lower", "cloud combined", "cloud saas_only", "saas per_instrument", f"random {SAAS}",
    *(f"blank {form_id}" for form_id in TEMPLATES),
]  # fmt: skip


@pytest.mark.parametrize("name", EVALUATED)
def test_the_calls_show_the_same_in_formulas(name: str, tmp_path: Path) -> None:
    data = udf(BOOKS[name])
    found = evaluate_formulas(save(tmp_path, "a.xlsx", data))
    compare(name, found, data)
    computed = {at: shown for at, shown in found.items() if at[0] != FINDINGS_SHEET}
    assert not differences(result_values(recalculate_package(Package.from_bytes(data)).data), computed)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile of LibreOffice with the add-in."""
    folder = tmp_path_factory.mktemp("office")
    try:
        return install_oxt(build_oxt(folder / "核算.oxt"), folder / "profile")
    except EngineError as error:
        if error.code == "E-OXT-TOOL" and os.environ.get("CI", "").lower() != "true":
            pytest.skip(str(error))
        raise


@pytest.mark.libreoffice
def test_the_calls_show_the_same_in_libreoffice(profile: Path, tmp_path: Path) -> None:
    written = {name: udf(BOOKS[name]) for name in EVALUATED}
    paths = {name: save(tmp_path, f"{number}.xlsx", data) for number, (name, data) in enumerate(written.items())}
    found = evaluate_libreoffice(list(paths.values()), 300, profile)
    for name, path in paths.items():
        cells = found[path]
        assert isinstance(cells, dict), f"{name}: {cells}"
        compare(name, cells, written[name])


# --- another choice shows at once


OTHER = [
    (FORM, e1(maturity_level="三级"), {"AMB-31": "max_of_lower_levels"}, {"o_subsidy": 350000, "o_tier_3": 250000}),
    (FORM, e1(), {"AMB-51": "7_as_printed"}, {"o_total": 46.15, "o_q4": 1.4, "k_gap_points": 13.85}),
    (FORM, e1(), {"AMB-49": "national"}, {"o_q12": 7}),
    (CLOUD, CLOUD_COMPANY | {"cloud_voucher_received": "95000元"}, {"AMB-01": "saas_only"}, {"t_face_value": 15000}),
    (SAAS, SAAS_COMPANY | {"cloud_voucher_received": "95000元"}, {"AMB-01": "per_instrument"}, {"t_reduction": 72000}),
]  # fmt: skip


def rechosen(form_id: str, facts: dict[str, Any], choices: dict[str, str]) -> tuple[bytes, bytes]:
    """A workbook in which another option has been picked from the list and nothing else done; what it must show."""
    data = build_template(form_id, facts, flavour="udf")
    picked = {f"choice_{key.replace('-', '_')}": code for key, code in choices.items()}
    return typed(data, picked), filled(form_id, facts, choices=choices)


def check_rechosen(number: int, found: dict[Key, Any]) -> None:
    form_id, facts, choices, by_hand = OTHER[number]
    data, expected = rechosen(form_id, facts, choices)
    for name, cells in formulas(form_id).items():
        if CALL.search(cells[0]) and name not in ("k_units", "k_total_units"):
            at = places(raw(data), name)[0]
            assert same(found[at.sheet, at.ref], value(expected, name)), name
    for name, want in by_hand.items():
        at = place(data, name)
        assert same(found[at.sheet, at.ref], want), name
    state = place(data, "o_choices_state")
    assert str(found[state.sheet, state.ref]).startswith("口径已更改")


@pytest.mark.parametrize("number", [0, 1, 3])
def test_another_choice_shows_at_once_in_formulas(number: int, tmp_path: Path) -> None:
    data, _ = rechosen(*OTHER[number][:3])
    check_rechosen(number, evaluate_formulas(save(tmp_path, "a.xlsx", data)))


@pytest.mark.libreoffice
def test_another_choice_shows_at_once_in_libreoffice(profile: Path, tmp_path: Path) -> None:
    paths = [save(tmp_path, f"{n}.xlsx", rechosen(*other[:3])[0]) for n, other in enumerate(OTHER)]
    found = evaluate_libreoffice(paths, 120, profile)
    for number, path in enumerate(paths):
        cells = found[path]
        assert isinstance(cells, dict), cells
        check_rechosen(number, cells)


def test_another_choice_on_the_command_line_reaches_the_cell_the_calls_look_at() -> None:
    data = build_template(CLOUD, [CLOUD_COMPANY], flavour="udf")
    result = recalculate_package(Package.from_bytes(data), choices={"AMB-01": "saas_only"})
    assert value(result.data, "k_choices") == "AMB-01=saas_only"
    assert value(result.data, "p_counts_cloud_voucher_received") == 0
    again = recalculate_package(Package.from_bytes(result.data))
    assert {"E-STORED-DIFFERS", "E-PARAMETER", "E-CHOICE-CHANGED"}.isdisjoint(codes(again.all_findings()))
    assert result_values(again.data) == result_values(result.data)


# --- an old workbook is computed under its own version


@pytest.fixture
def two_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """From 2025-07-01 on nothing had before counts against the cap."""

    def forget() -> None:
        for remembered in (registry._pack_files, registry.load_policy, registry._resolved, manifest):
            remembered.cache_clear()

    folder = tmp_path / "policies"
    shutil.copytree(registry.policy_folders()[0], folder)
    pack = folder / (CLOUD_VOUCHER.replace(".", "/") + ".toml")
    text = pack.read_text(encoding="utf-8")
    start = text.index("[[version]]")
    first = 'id = "2025-01-06"\nfirst = 2025-01-06\n'
    assert first in text[start:]
    later = text[start:].replace(first, 'id = "2025-07-01"\nfirst = 2025-07-01\n')
    later = later.replace('default = "combined"', 'default = "saas_only"')
    pack.write_text(text.replace(first, first + "last = 2025-06-30\n") + "\n" + later, encoding="utf-8")
    monkeypatch.setattr(registry, "_BUILT_IN", folder)
    forget()
    yield forget
    monkeypatch.undo()
    forget()


def test_a_workbook_keeps_the_version_it_was_made_under(two_versions: Callable[[], None], tmp_path: Path) -> None:
    from datetime import date

    facts = [CLOUD_COMPANY | {"cloud_voucher_received": "95000元"}]
    for on, version, amount in ((date(2025, 5, 31), "2025-01-06", 5000), (date(2025, 8, 1), "2025-07-01", 15000)):
        data = build_template(CLOUD, facts, on=on, flavour="udf")
        assert value(data, "xlcalc_versions") == version and value(data, "t_face_value") == amount
        # Without the choice in force the version's own default decides, so the version is what is seen here.
        silent = typed(data, {"k_choices": None})
        silent = edited(
            silent, part_of(silent, "参数"), lambda text: re.sub(r'(<c r="B1"[^>]*>).*?(</c>)', r"\1\2", text)
        )
        found = evaluate_formulas(save(tmp_path, "a.xlsx", silent))
        at = place(data, "t_face_value")
        assert found[at.sheet, at.ref] == amount


# --- reading, checking, recalculating


def test_both_flavours_are_read_alike(tmp_path: Path) -> None:
    for form_id, facts in ((FORM, e1()), (CLOUD, CLOUD_COMPANY), (SAAS, SAAS_COMPANY)):
        documents = [
            read_document([save(tmp_path, "a.xlsx", build_template(form_id, facts, flavour=flavour))])
            for flavour in ("native", "udf")
        ]
        for document in documents:
            document["files"][0].pop("path", None)
        assert documents[0] == documents[1]


def test_a_result_is_as_good_as_new_and_tampering_is_found() -> None:
    data = recalculate_package(Package.from_bytes(udf(BOOKS["E1"]))).data
    again = recalculate_package(Package.from_bytes(data))
    assert again.data == data and "E-STORED-DIFFERS" not in codes(again.all_findings())
    spot = place(data, "o_subsidy")
    forged = raw(data).patch({(spot.sheet, spot.ref): 999999})
    assert "E-STORED-DIFFERS" in codes(recalculate_package(Package.from_bytes(forged)).all_findings())


def test_an_unknown_flavour_is_refused() -> None:
    with pytest.raises(WorkbookError, match="E-FLAVOUR"):
        build_template(CLOUD, flavour="vba")
    with pytest.raises(WorkbookRefused, match="E-BOOK-FOREIGN"):
        read_package(Package.from_bytes(typed(blank(CLOUD), {"xlcalc_flavour": "vba"})))


def test_what_cells_cannot_call_is_said_and_not_built() -> None:
    draft = Draft(form(CLOUD), {CLOUD_VOUCHER: load_policy(CLOUD_VOUCHER).newest}, {}, "udf")
    award: Any = object.__new__(FlatAward)
    with pytest.raises(WorkbookError, match="E-FLAVOUR"):
        mechanism_cells(draft, CLOUD_VOUCHER, award, {})


def test_a_version_that_has_no_day_is_refused() -> None:
    held = load_policy(CLOUD_VOUCHER).newest
    odd = {CLOUD_VOUCHER: replace(held, data={**held.data, "id": "trial"})}
    choices = held.full_choices({})
    draft_template(form(CLOUD), odd, choices)
    with pytest.raises(PolicyError, match="E-FLAVOUR"):
        draft_template(form(CLOUD), odd, choices, flavour="udf")


@pytest.mark.libreoffice
def test_the_engine_libreoffice_needs_the_add_in(
    profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path, "甲.xlsx", udf(BOOKS["cloud combined"]))
    plain = save(tmp_path, "乙.xlsx", BOOKS["cloud combined"].data())
    tasks = [Task(path, tmp_path / "out" / "甲.xlsx"), Task(plain, None)]

    def ran() -> list[FileResult]:
        return batch.run(tasks, Options("libreoffice", jobs=1), lambda _: None)

    monkeypatch.setattr(libreoffice_engine, "user_profile", lambda: tmp_path / "none")
    without, beside = ran()
    assert (without.state, without.findings[0]["code"]) == ("failed", "E-ENGINE-FUNCTION")
    assert beside.state == "done"
    monkeypatch.setattr(libreoffice_engine, "user_profile", lambda: profile)
    done, beside = ran()
    assert done.state == beside.state == "done"
    assert "E-STORED-DIFFERS" not in [finding["code"] for result in (done, beside) for finding in result.findings]
    # What the office saved is believed by a recalculation, too.
    (saved,) = libreoffice_engine.convert(
        [path], libreoffice_engine.XLSX, tmp_path / "saved", 60, profile / "user" / "uno_packages"
    ).values()
    assert isinstance(saved, Path)
    assert "E-STORED-DIFFERS" not in codes(recalculate(saved).all_findings())


@pytest.mark.libreoffice
def test_a_program_without_the_functions_spoils_nothing(tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", udf(BOOKS["E1"]))
    (saved,) = libreoffice_engine.convert([path], libreoffice_engine.XLSX, tmp_path / "saved", 60).values()
    assert isinstance(saved, Path) and "#NAME?" in values(saved.read_bytes(), "o_total")
    result = recalculate(saved)
    found = codes(result.all_findings())
    assert found.count("E-NO-FUNCTIONS") == 1 and "E-STORED-DIFFERS" not in found
    assert value(result.data, "o_total") == 48.25 and value(result.data, "o_subsidy") == 350000
    assert "E-NO-FUNCTIONS" not in codes(recalculate_package(Package.from_bytes(result.data)).all_findings())


# --- what xlwings reads of the workbook


def settings(data: bytes, tmp_path: Path) -> dict[str, Any]:
    """Column A down to its first empty cell, as GetConfigFromSheet of xlwings.bas reads it."""
    book = openpyxl.load_workbook(save(tmp_path, "settings.xlsx", data))
    sheet = book.worksheets[-1]
    assert sheet.title == "xlwings.conf" and sheet.sheet_state == "hidden"
    found = {}
    for key, setting in sheet.iter_rows(max_col=2, values_only=True):
        if key is None:
            break
        found[str(key).upper()] = setting
    return found


@pytest.mark.parametrize("form_id", TEMPLATES)
def test_xlwings_finds_its_settings(form_id: str, tmp_path: Path) -> None:
    found = settings(blank(form_id), tmp_path)
    source = Path(str(distribution("xlwings").locate_file("xlwings/xlwings.bas"))).read_text(encoding="utf-8")
    asked = {key.upper() for key in re.findall(r'GetConfig\("([^"]+)"', source)}
    assert set(found) <= asked
    # A key in the workbook, even an empty one, hides the user's own: where Python is, this PC says.
    assert {"INTERPRETER_WIN", "INTERPRETER", "PYTHONPATH", "CONDA PATH"} <= asked - set(found)
    assert all(isinstance(setting, str) for setting in found.values()), (
        "a logical value is spelt by the language of Excel"
    )
    assert set(importlib.import_module(found["UDF MODULES"]).__all__) == set(UDFS)
    assert (found["DEBUG UDFS"], found["ADD_WORKBOOK_TO_PYTHONPATH"]) == ("False", "False")
    assert "xlwings.conf" not in openpyxl.load_workbook(save(tmp_path, "n.xlsx", build_template(form_id))).sheetnames


# --- our own macros


VBA = b"\xd0\xcf\x11\xe0 ours"
VBA_TYPE = '<Override PartName="/xl/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
VBA_LINK = (
    '<Relationship Id="vba" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" '
    'Target="vbaProject.bin"/></Relationships>'
)
RIBBON_LINK = (
    '<Relationship Id="ribbon" Type="http://schemas.microsoft.com/office/2007/relationships/ui/extensibility" '
    'Target="customUI/customUI14.xml"/></Relationships>'
)


def with_macros(data: bytes, vba: bytes = VBA) -> bytes:
    """The workbook with macros, a ribbon and a button, as they are shipped."""
    parts = members(data)
    for name, end, more in (
        ("[Content_Types].xml", b"</Types>", VBA_TYPE),
        ("xl/_rels/workbook.xml.rels", b"</Relationships>", VBA_LINK),
        ("_rels/.rels", b"</Relationships>", RIBBON_LINK),
    ):
        assert end in parts[name]
        parts[name] = parts[name].replace(end, more.encode())
    ribbon = (
        b'<customUI><ribbon><button id="a" onAction="XlcalcCheck" getEnabled="Ribbon.Enabled"/></ribbon></customUI>'
    )
    button = b'<wsDr><sp macro="[0]!XlcalcCheck" textlink=""/></wsDr>'
    extra = {"xl/vbaProject.bin": vba, "customUI/customUI14.xml": ribbon, "xl/drawings/buttons.xml": button}
    return rezipped(parts | extra)


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {hashlib.sha256(VBA).hexdigest(): "0.1.0"}
    monkeypatch.setattr(own_macros, "own_macros", lambda: known)


def processed(data: bytes, tmp_path: Path) -> FileResult:
    return batch.process(Task(save(tmp_path, "甲.xlsm", data), tmp_path / "out" / "甲.xlsm"), Options())


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("form_id", TEMPLATES)
def test_our_own_macros_stay_in_the_file(form_id: str, tmp_path: Path) -> None:
    facts = {FORM: e1(), CLOUD: CLOUD_COMPANY, SAAS: SAAS_COMPANY}[form_id]
    before = with_macros(build_template(form_id, facts, flavour="udf"))
    result = processed(before, tmp_path)
    assert result.output and Path(result.output).name == "甲.xlsm" and result.state == "done"
    assert {"E-BOOK-MACRO", "E-FRESH-COPY"}.isdisjoint(finding["code"] for finding in result.findings)
    after = members(Path(result.output).read_bytes())
    assert list(after) == list(members(before))
    assert [name for name in after if after[name] != members(before)[name] and "worksheets" not in name] == []


FOREIGN: dict[str, dict[str, bytes]] = {
    "another macro part": {"xl/vbaProject.bin": VBA + b"!"},
    "a second macro part": {"xl/vba2.bin": VBA},
    "an Excel 4 sheet": {"xl/macrosheets/sheet1.xml": b"<macrosheet/>"},
    "a control": {"xl/activeX/activeX1.xml": b"<ocx/>"},
    "an object": {"xl/embeddings/oleObject1.bin": b"x"},
    "a link": {"xl/externalLinks/externalLink1.xml": b"<externalLink/>"},
    "a connection": {"xl/connections.xml": b"<connections/>"},
    "a signed macro part": {"xl/vbaProjectSignature.bin": b"x"},
    "a button elsewhere": {"xl/drawings/d.xml": b"<sp macro=\"'C:\\x.xlam'!Go\"/>"},
    "an old button elsewhere": {"xl/drawings/v.vml": b"<x:FmlaMacro>[1]!Go</x:FmlaMacro>"},
    "a control elsewhere": {"xl/worksheets/more.xml": b'<controlPr macro="[2]!Go"/>'},
    "a ribbon elsewhere": {"customUI/customUI14.xml": b"<customUI onLoad='x.xlsm!Go'/>"},
    "a disguised ribbon": {"xl/theme/odd.xml": b'<button onAction="x.xlsm!Go"/>'},
    "a part that is no text": {"xl/theme/odd.xml": b"\xff\xfe<"},
}


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("what", FOREIGN)
def test_any_other_active_part_gets_a_fresh_native_workbook(what: str, tmp_path: Path) -> None:
    data = with_macros(build_template(CLOUD, CLOUD_COMPANY, flavour="udf"))
    assert own_macros.only_our_macros(Package.from_bytes(data))
    result = processed(rezipped(members(data) | FOREIGN[what]), tmp_path)
    assert result.output and Path(result.output).name == "甲.xlsx"
    assert {"E-BOOK-MACRO", "E-FRESH-COPY"} <= {finding["code"] for finding in result.findings}
    fresh = Path(result.output).read_bytes()
    assert read_package(Package.from_bytes(fresh)).manifest.flavour == "native"
    assert "xl/vbaProject.bin" not in members(fresh) and value(fresh, "t_face_value") == 15000


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/_rels/workbook.xml.rels", 'Target="vbaProject.bin"', 'Target="other.xml"'),
        ("xl/_rels/workbook.xml.rels", "</Relationships>", VBA_LINK.replace("vbaProject.bin", "other.xml")),
        ("[Content_Types].xml", "/xl/vbaProject.bin", "/xl/other.xml"),
        ("[Content_Types].xml", "</Types>", VBA_TYPE.replace("/xl/vbaProject.bin", "/xl/other.xml")),
        ("_rels/.rels", "customUI/customUI14.xml", "customUI/ribbon.txt"),
    ],
)
def test_our_part_in_another_place_is_not_ours(part: str, old: str, new: str) -> None:
    data = with_macros(build_template(CLOUD, flavour="udf"))
    assert own_macros.only_our_macros(Package.from_bytes(data))
    data = rezipped(members(data) | {"xl/other.xml": b"<x/>"})
    changed = edited(data, part, lambda text: text.replace(old, new, 1))
    assert not own_macros.only_our_macros(Package.from_bytes(changed))


@pytest.mark.usefixtures("shipped")
def test_a_signed_workbook_is_never_patched(tmp_path: Path) -> None:
    data = with_macros(build_template(CLOUD, CLOUD_COMPANY, flavour="udf"))
    signed = rezipped(members(data) | {"_xmlsignatures/origin.sigs": b""})
    result = processed(signed, tmp_path)
    assert result.output and result.output.endswith(".xlsx")
    assert "E-FRESH-COPY" in {finding["code"] for finding in result.findings}


def test_the_list_of_our_macros_is_well_formed() -> None:
    for digest, version in own_macros.own_macros().items():
        assert re.fullmatch(r"[0-9a-f]{64}", digest) and re.fullmatch(r"\d+\.\d+\.\d+\w*", version)


def test_a_row_copied_below_the_table_is_calculated_in_formulas(tmp_path: Path) -> None:
    """What a clerk does by dragging: the first row's formula in a further row gives that row's amount."""
    data = build_template(
        CLOUD, [CLOUD_COMPANY, CLOUD_COMPANY | {"enterprise_name": "示例乙", "uscc": None}], flavour="udf"
    )
    changed = typed(data, {row(CLOUD, "maturity_level", 1): "四级"})
    found = evaluate_formulas(save(tmp_path, "a.xlsx", changed))
    at = [place(changed, "t_face_value", n) for n in (0, 1, 2)]
    assert [found[cell.sheet, cell.ref] for cell in at] == [15000, 20000, ""]
