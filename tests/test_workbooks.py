"""Templates and the files people make of them: facts survive the way into a workbook and out again."""

from __future__ import annotations

import io
import json
import re
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.formula import Tokenizer
from workbench import (
    CLOUD,
    CLOUD_COMPANY,
    FORM,
    SAAS,
    SAAS_COMPANY,
    TEMPLATES,
    again,
    codes,
    differences,
    e1,
    edited,
    filled,
    members,
    opened,
    place,
    raw,
    result_values,
    row,
    save,
    seen,
    tick,
    typed,
    value,
    values,
)

from macros_bridge.listing import fact_json
from workbooks.engines.libreoffice_engine import find_soffice
from workbooks.files.package import Package
from workbooks.reader import read_package, read_workbook
from workbooks.recalc import Recalculated, recalculate
from workbooks.record import ReadBook
from workbooks.template import build_template, manifest
from xlcalc.errors import InputError, WorkbookError, WorkbookRefused
from xlcalc.facts import parse_facts
from xlcalc.results.trace import outcome_dict

EVIDENCE = {"evidence": {"q1": "第二章 第 3 页", "q11": "附件5"}, "scene_evidence": {"quality": "第 12–14 页"}}
FIGURES = {
    "q2": {"choice": "C", "total": 60, "digital": 20}, "q3": {"choice": "B", "total": 60, "connected": 7},
    "q11": {"choice": "A", "years": [{"investment": "10万元", "revenue": "1000万元"},
                                     {"investment": "10.05万元", "revenue": "1100万元"}]},
    "q12": {"choice": "decrease", "energy": [120, "100.5"], "revenue": ["1000万元", "1100.25万元"]},
    "q14": {"choice": "increase", "headcount": [80, 82], "revenue": ["1000万元", "1100.25万元"]},
    "q15": {"choice": "flat", "cost": ["800万元", "880.2万元"], "revenue": ["1000万元", "1100.25万元"]},
}  # fmt: skip
HEAD = {"recommending_authority": "示例县工业和信息化局", "form_date": "2025-05-30"}
CLOUD_ROWS = [
    CLOUD_COMPANY | HEAD | {"remark": "无"},
    CLOUD_COMPANY | HEAD | {"enterprise_name": "示例乙", "uscc": None, "maturity_level": None},
    CLOUD_COMPANY | HEAD | {"enterprise_name": "示例丙", "uscc": None, "saas_reduction_to_date": "9.5万元"},
    CLOUD_COMPANY | HEAD | {"enterprise_name": "示例丁", "uscc": None, "on_pilot_list": None, "remark": "第二行\n备注"},
]
SAAS_ROWS = [
    SAAS_COMPANY | HEAD,
    SAAS_COMPANY | HEAD | {"enterprise_name": "示例戊", "uscc": None, "approved_amount": "166666.67元"},
]
FACTS: dict[str, list[dict[str, Any]]] = {
    FORM: [e1(answers=FIGURES, reviewed_scenes={"quality": 3}) | EVIDENCE],
    CLOUD: CLOUD_ROWS,
    SAAS: SAAS_ROWS,
}
DATA = {form: filled(form, *rows) for form, rows in FACTS.items()}
BLANK = {form: build_template(form) for form in TEMPLATES}


def read(data: bytes) -> ReadBook:
    return read_package(Package.from_bytes(data))


def results(result: Recalculated) -> list[dict[str, Any]]:
    """Outcomes without the places of cells, which layouts may change."""
    found = []
    for record, outcome in result.outcomes:
        document = outcome_dict(outcome)
        document["findings"] = [{**item, "where": None} for item in document["findings"]]
        found.append({"key": record.key, **document})
    return found


def given(form: str) -> list[dict[str, Any]]:
    rows = [{name: fact for name, fact in parse_facts(facts).items() if fact is not None} for facts in FACTS[form]]
    return [{name: fact_json(fact) for name, fact in facts.items()} for facts in rows]


def as_read(book: ReadBook) -> list[dict[str, Any]]:
    return [{name: fact_json(fact) for name, fact in record.facts.items()} for record in book.records]


def figures_plain(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Numbers of figures as text, whether they were given as number or as text."""
    return json.loads(json.dumps(facts), parse_int=str, parse_float=str)  # type: ignore[no-any-return]


# --- there and back


@pytest.mark.parametrize("form", TEMPLATES)
def test_facts_into_a_template_and_out_again(form: str) -> None:
    book = read(DATA[form])
    assert figures_plain(as_read(book)) == figures_plain(given(form))
    assert not [item for record in book.records for item in record.findings if item.code.startswith("E-")]


@pytest.mark.parametrize("form", TEMPLATES)
def test_what_was_read_fills_the_same_workbook_again(form: str) -> None:
    facts = as_read(read(DATA[form]))
    assert build_template(form, facts[0] if form == FORM else facts) == DATA[form]


@pytest.mark.parametrize("form", TEMPLATES)
def test_a_template_is_the_same_bytes_each_time(form: str) -> None:
    from workbooks import template

    template._blank.cache_clear()
    assert filled(form, *FACTS[form]) == DATA[form]
    assert build_template(form) == BLANK[form]


@pytest.mark.parametrize("form", TEMPLATES)
def test_a_blank_template_has_nothing_to_complain_about(form: str) -> None:
    result = again(BLANK[form])
    assert codes(result.findings) == []
    assert len(result.read.records) == (1 if form == FORM else 0)
    assert not [item for record in result.read.records for item in record.findings]
    assert "payable" not in {key for _, outcome in result.outcomes for key in outcome.results}
    assert all(outcome.status == "not_determined" for _, outcome in result.outcomes)


def test_a_table_takes_as_many_rows_as_it_is_given() -> None:
    rows = [CLOUD_COMPANY | {"enterprise_name": f"示例企业{n}", "uscc": None} for n in range(75)]
    data = filled(CLOUD, *rows)
    assert values(data, "t_sequence") == list(range(1, 76))
    assert [record.key for record in read(data).records] == [f"示例企业{n}" for n in range(75)]


def test_a_form_takes_one_enterprise() -> None:
    with pytest.raises(InputError, match="E-ONE-RECORD"):
        build_template(FORM, [e1(), e1()])


def test_an_unknown_template_is_named_with_the_nearest() -> None:
    with pytest.raises(WorkbookError) as caught:
        build_template("hohhot.self_assesment")
    assert caught.value.code == "E-TEMPLATE" and FORM in caught.value.remedy


def test_money_in_a_table_is_a_number_in_yuan() -> None:
    assert seen(DATA[SAAS], "t_approved_amount")[:2] == [120000, 166666.67]
    assert seen(DATA[SAAS], "t_reduction")[:2] == [72000, 100000]
    assert seen(DATA[FORM], "i_recognised_cost") == [500000]


def test_figures_stand_in_the_sentences_of_the_form() -> None:
    assert value(DATA[FORM], "o_blank_q2").startswith("具体数据［33.33%］，其中生产设备数量为［60］台")
    assert "营业收入为［1100.25］万元" in value(DATA[FORM], "o_blank_q14")


def test_a_reviewer_who_judges_otherwise_is_pointed_out() -> None:
    found = [item for item in again(DATA[FORM]).all_findings() if item.code == "AMB-65"]
    assert [item.severity for item in found] == ["warn"]
    assert found[0].where == str(place(DATA[FORM], "i_reviewed", 6))
    assert "质量管理" in found[0].message and "三级" in found[0].message and "二级" in found[0].message


# --- what a template is made of

EXCEL_2010 = {
    "ABS", "ADDRESS", "AND", "COLUMN", "COUNT", "COUNTA", "COUNTBLANK", "COUNTIF", "COUNTIFS", "EXACT", "FALSE",
    "HYPERLINK", "IF", "INDEX", "INT", "ISERROR", "ISNUMBER", "ISTEXT", "LEFT", "LEN", "MATCH", "MAX", "MID", "MIN",
    "MOD", "NOT", "OR", "REPT", "RIGHT", "ROUND", "ROUNDDOWN", "ROUNDUP", "ROW", "ROWS", "SUBSTITUTE", "SUM", "SUMIF",
    "SUMIFS", "SUMPRODUCT", "TEXT", "TRIM", "TRUE",
}  # fmt: skip


@pytest.mark.parametrize("form", TEMPLATES)
def test_formulas_use_only_functions_every_program_has(form: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(BLANK[form]))
    texts = [cell.value for sheet in book.worksheets for line in sheet.iter_rows() for cell in line
             if cell.data_type == "f"]  # fmt: skip
    for sheet in book.worksheets:
        for rules in sheet.conditional_formatting:
            texts += [f"={formula}" for rule in rules.rules for formula in rule.formula]
    assert all(type(text) is str for text in texts) and len(texts) > 100
    used = {token.value for text in texts for token in Tokenizer(text).items if token.type == "FUNC"}
    assert {name.rstrip("(").upper() for name in used if name != ")"} <= EXCEL_2010
    assert not [text for text in texts if len(text) > 8192 or "[" in re.sub(r'"[^"]*"', "", text)]


@pytest.mark.parametrize("form", TEMPLATES)
def test_no_number_of_a_policy_stands_in_a_formula(form: str) -> None:
    """Rates, caps, points and thresholds are parameters; only scaling and counting are written out."""
    book = openpyxl.load_workbook(io.BytesIO(BLANK[form]))
    allowed = {"0", "0.001", "1", "2", "3", "4", "6", "15", "100", "200", "10000", "20000", "10000000000", "-1"}
    for sheet in book.worksheets:
        for line in sheet.iter_rows():
            for cell in line:
                if cell.data_type == "f":
                    numbers = {t.value for t in Tokenizer(cell.value).items if t.subtype == "NUMBER"}
                    assert numbers <= allowed, f"{sheet.title}!{cell.coordinate}: {cell.value}"


@pytest.mark.parametrize("form", TEMPLATES)
def test_every_name_is_whole(form: str) -> None:
    book = raw(BLANK[form])
    ports = [port.name for port in manifest(form).ports]
    assert len(ports) == len(set(ports)) and set(ports) <= set(book.defined_names)
    assert all(book.resolve(name) is not None for name in book.defined_names if not name.startswith("_xlnm"))
    assert not [target for target in book.defined_names.values() if "#REF" in target]
    assert all(name.isascii() for name in ports)


@pytest.mark.parametrize("form", TEMPLATES)
def test_parameters_are_on_a_hidden_sheet_and_nothing_is_active(form: str) -> None:
    book = raw(BLANK[form])
    states = {info.name: info.state for info in book.sheets}
    parameters = [port.name for port in manifest(form).ports if port.direction == "parameter"]
    assert parameters and {states[place(BLANK[form], name).sheet] for name in parameters} == {"hidden"}
    assert {"依据", "口径确认表"} <= {name for name, state in states.items() if state == "visible"}
    package = Package.from_bytes(BLANK[form])
    assert not (package.has_macros or package.has_ole or package.has_connections or package.external_links)
    assert not [name for name in members(BLANK[form]) if "vba" in name.lower() or "external" in name.lower()]


@pytest.mark.parametrize("form", TEMPLATES)
def test_inputs_are_open_and_results_locked(form: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(BLANK[form]))
    seen_directions = set()
    for port in manifest(form).ports:
        spot = place(BLANK[form], port.name)
        cell = book[spot.sheet][spot.ref]
        sheet_open = not book[spot.sheet].protection.sheet
        if port.direction in ("in", "choice"):
            assert not cell.protection.locked, port.name
        elif port.direction == "out":
            hidden = book[spot.sheet].sheet_state != "visible"
            assert cell.protection.locked and (hidden or not sheet_open), port.name
        seen_directions.add(port.direction)
    assert {"in", "out", "choice"} <= seen_directions


OFFICIAL = {
    CLOUD: ("上云用云企业推荐表", ["序号", "企业名称", "所属行业", "是否规上", "联系人", "联系方式", "备注"]),
    SAAS: ("SaaS 化服务企业推荐表", ["序号", "企业名称", "所属行业", "是否规上", "联系人", "联系方式", "备注"]),
}


@pytest.mark.parametrize("form", OFFICIAL)
def test_the_official_columns_titles_and_print_set_up(form: str) -> None:
    title, columns = OFFICIAL[form]
    book = openpyxl.load_workbook(io.BytesIO(BLANK[form]))
    header = place(BLANK[form], "t_header")
    sheet = book[header.sheet]
    printed = sheet.print_area.replace("$", "").replace("'", "").rpartition("!")[2]
    first, last = printed.split(":")
    texts = [str(cell.value or "") for line in sheet[printed] for cell in line]
    titles = [cell.value for cell in sheet[header.row][: len(columns)]]
    assert titles == columns
    assert first == "A1" and last.rstrip("0123456789") == "G" and sheet.page_setup.fitToHeight == 0
    assert int(last.lstrip("G")) == place(BLANK[form], "t_enterprise_name", -1).row
    assert any(text.replace(" ", "") == title.replace(" ", "") for text in texts)
    assert any("推荐单位" in text and "盖章" in text for text in texts) and any("填表日期" in text for text in texts)
    assert any(text.replace(" ", "") == "附件3" for text in texts)
    assert (str(sheet.page_setup.paperSize), sheet.page_setup.orientation) == ("9", "landscape")
    assert sheet.print_title_rows.replace("$", "").rpartition("!")[2] == f"{header.row}:{header.row}"
    assert (sheet.page_setup.fitToWidth, sheet.sheet_properties.pageSetUpPr.fitToPage) == (1, True)
    inside = [str(area) for area in sheet.merged_cells.ranges if area.max_row >= header.row]
    assert inside == []


def test_the_printed_form_is_a4_too() -> None:
    book = openpyxl.load_workbook(io.BytesIO(BLANK[FORM]))
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    assert len(visible) >= 6
    for sheet in visible:
        assert str(sheet.page_setup.paperSize) == "9" and sheet.page_setup.fitToWidth == 1, sheet.title
    assert book[place(BLANK[FORM], "i_ticks").sheet].print_title_rows


@pytest.mark.parametrize("form", TEMPLATES)
def test_the_basis_sheet_names_packs_and_quotes_clauses(form: str) -> None:
    book = opened(BLANK[form])
    policies, versions, hashes = (seen(BLANK[form], name) for name in
                                  ("xlcalc_policies", "xlcalc_versions", "xlcalc_hashes"))  # fmt: skip
    assert policies == list(manifest_policies(form)) and len(policies) == len(versions) == len(hashes)
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in hashes)
    cells = [str(cell) for sheet in book for line in sheet.iter_rows(values_only=True) for cell in line if cell]
    quoted = {FORM: "改造投入的70%进行补贴", CLOUD: "达到二级（规范级）：10000元", SAAS: "核定金额的60%标准进行核减"}
    assert [cell for cell in cells if quoted[form] in cell.replace(" ", "")]


def manifest_policies(form: str) -> tuple[str, ...]:
    from workbooks.form import forms

    return forms()[form].policies


# --- what other programs and people do to a file

EDITS: dict[str, tuple[str, list[list[Any]]]] = {
    "form, rows above": (FORM, [["rows", "i_ticks", -1, 2], ["rows", "i_scenes", -1, 1], ["rows", "i_uscc", -1, 3],
                                ["rows", "i_recognised_cost", -1, 1], ["rows", "p_tiers", -1, 2],
                                ["rows", "k_states", -1, 1], ["rows", "xlcalc_policies", -1, 2]]),
    "form, columns": (FORM, [["columns", "i_ticks", 1], ["columns", "i_scenes", 2], ["columns", "k_units", 1]]),
    "form, renamed": (FORM, [["rename", port, name] for port, name in
                             (("i_ticks", "题目（改）"), ("i_scenes", "甲's 表"), ("p_tiers", "P 1"),
                              ("k_states", "中间"), ("i_recognised_cost", "钱"), ("xlcalc_hashes", "根据"),
                              ("choice_AMB_31", "口径"))]),
    "form, moved": (FORM, [["move", "i_recognised_cost", 0, 9], ["move", "p_levels", 0, 20], ["move", "i_uscc", 0, 6],
                           ["order", "i_ticks", 0]]),
    "table, rows": (CLOUD, [["rows", "t_header", -1, 2], ["rows", "t_enterprise_name", 2, 1],
                            ["rows", "p_faces", -1, 1]]),
    "table, renamed": (CLOUD, [["rename", "t_header", "2025年5月 推荐表!"], ["rename", "p_cap", "数"],
                               ["order", "t_header", 3]]),
    "table, columns": (SAAS, [["columns", "t_approved_amount", 1], ["columns", "t_uscc", 2]]),
    "table, last row deleted": (SAAS, [["delete", "t_enterprise_name", 20, 5]]),
    "resaved form": (FORM, []), "resaved cloud": (CLOUD, []), "resaved saas": (SAAS, []),
    "form, row within": (FORM, [["rows", "i_ticks", 10, 1]]),
    "form, row within scenes": (FORM, [["rows", "i_scenes", 3, 1]]),
    "table, cells moved": (CLOUD, [["move", "t_maturity_level", 3, 0]]),
}  # fmt: skip
REFUSED = {"form, row within", "form, row within scenes", "table, cells moved"}

# Runs under the system's Python, which has LibreOffice's bridge: edits files as a person does, in one office process.
UNO = r"""
import json, os, subprocess, sys, time, uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.table import CellRangeAddress, CellAddress
office, home, jobs = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3], encoding="utf-8"))
pipe = "xlcalc" + str(os.getpid())
process = subprocess.Popen([office, "-env:UserInstallation=file://" + home + "/profile", "--headless", "--norestore",
    "--nolockcheck", "--accept=pipe,name=" + pipe + ";urp;"], start_new_session=True,
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
def value(name, content):
    item = PropertyValue(); item.Name = name; item.Value = content
    return item
try:
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(300):
        try:
            context = resolver.resolve("uno:pipe,name=" + pipe + ";urp;StarOffice.ComponentContext")
            break
        except NoConnectException:
            time.sleep(0.1)
    desktop = context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
    for source, target, edits in jobs:
        doc = desktop.loadComponentFromURL("file://" + source, "_blank", 0, (value("Hidden", True),))
        for sheet in doc.Sheets:
            sheet.unprotect("")
        for what, port, *args in edits:
            area = doc.NamedRanges.getByName(port).getReferredCells().RangeAddress
            sheet = doc.Sheets.getByIndex(area.Sheet)
            if what == "rows":
                at, count = args
                sheet.Rows.insertByIndex(area.StartRow + at, count)
            elif what == "delete":
                at, count = args
                sheet.Rows.removeByIndex(area.StartRow + at, count)
            elif what == "columns":
                sheet.Columns.insertByIndex(area.StartColumn, args[0])
            elif what == "rename":
                sheet.Name = args[0]
            elif what == "order":
                doc.Sheets.moveByName(sheet.Name, args[0])
            else:
                goal = CellAddress()
                goal.Sheet, goal.Row, goal.Column = area.Sheet, area.StartRow + args[0], area.StartColumn + args[1]
                sheet.moveRange(goal, area)
        doc.calculateAll()
        doc.storeToURL("file://" + target, (value("FilterName", "Calc MS Excel 2007 XML"),))
        doc.close(True)
    try:
        desktop.terminate()
    except Exception:
        pass
    process.wait(20)
finally:
    if process.poll() is None:
        process.kill()
"""


@pytest.fixture(scope="module")
def worked_on(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Each edit of EDITS done to a filled workbook by LibreOffice and saved."""
    folder = tmp_path_factory.mktemp("edits")
    jobs = []
    for number, (form, edits) in enumerate(EDITS.values()):
        source = save(folder, f"in{number}.xlsx", DATA[form])
        jobs.append([str(source), str(folder / f"out{number}.xlsx"), edits])
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    done = subprocess.run(
        ["/usr/bin/python3", "-c", UNO, str(find_soffice()), str(folder), str(folder / "jobs.json")],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"},
        capture_output=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return {name: Path(job[1]).read_bytes() for name, job in zip(EDITS, jobs, strict=True)}


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", [name for name in EDITS if name not in REFUSED])
def test_results_do_not_change_with_the_layout(name: str, worked_on: dict[str, bytes]) -> None:
    form, _ = EDITS[name]
    data = worked_on[name]
    assert figures_plain(as_read(read(data))) == figures_plain(given(form))
    result = again(data)
    assert results(result) == results(again(DATA[form]))
    codes_ = [item.code for record in result.read.records for item in record.findings] + codes(result.findings)
    assert not [code for code in codes_ if code.startswith("E-")]
    patched = result.data
    for port in manifest(form).ports:
        if port.direction == "out" and not port.name.startswith("o_finding_"):
            wanted = values(DATA[form], port.name)
            got = values(patched, port.name)
            if port.name in ("t_sequence", "k_states") or "table, " in name:
                got, wanted = [item for item in got if item != ""], [item for item in wanted if item != ""]
            if port.name == "t_sequence" and name == "table, rows":
                wanted = [1, 2, 4, 5]  # a row was put in after the second
            assert got == wanted, port.name
            assert seen(patched, port.name) == values(patched, port.name), port.name


@pytest.mark.libreoffice
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_list_that_was_pulled_apart_is_refused(name: str, worked_on: dict[str, bytes]) -> None:
    with pytest.raises(WorkbookRefused) as caught:
        again(worked_on[name])
    assert caught.value.code == "E-BOOK-BLOCK" and caught.value.where and caught.value.remedy


@pytest.mark.libreoffice
def test_what_libreoffice_saved_is_recalculated_and_patched(worked_on: dict[str, bytes]) -> None:
    """After a save elsewhere our values still go into the file, and its other parts stay as they are."""
    for name, form in (("resaved form", FORM), ("resaved cloud", CLOUD), ("resaved saas", SAAS)):
        data = worked_on[name]
        level: dict[Any, Any] = (
            {"i_maturity_level": "四级"} if form == FORM else {row(form, "maturity_level", 0): "四级"}
        )
        result = again(typed(data, level))
        patched = result.data
        before, after = members(data), members(patched)
        assert list(before) == list(after)
        assert {part for part in before if before[part] != after[part]} <= {info.part for info in raw(data).sheets}
        if form == FORM:
            # 50万 × 40 % = 20万
            assert (seen(patched, "o_subsidy"), seen(patched, "o_total")) == ([200000], [48.25])
        elif form == CLOUD:
            assert seen(patched, "t_face_value")[:4] == [20000, "", 5000, 15000]
        assert not differences(result_values(again(patched).data), result_values(patched))


# --- reading straight from a path


def test_reading_a_file_and_a_package_is_the_same(tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", DATA[CLOUD])
    assert as_read(read_workbook(path)) == as_read(read(DATA[CLOUD]))
    assert results(recalculate(path)) == results(again(DATA[CLOUD]))


def test_active_content_is_named_and_never_opened() -> None:
    data = edited(DATA[FORM], "xl/workbook.xml", lambda text: text.replace("</workbook>", " </workbook>"))
    from workbench import rezipped

    parts = {"xl/vbaProject.bin": b"\0", "xl/externalLinks/externalLink1.xml": b"<externalLink/>",
             "xl/embeddings/oleObject1.bin": b"\0", "xl/connections.xml": b"<connections/>"}  # fmt: skip
    found = codes(again(rezipped(members(data) | parts)).findings)
    assert found == ["E-BOOK-MACRO", "E-BOOK-LINKS", "E-BOOK-OLE", "E-BOOK-CONNECTION"]


def test_ticks_in_every_accepted_sign_give_the_same_facts() -> None:
    for sign in ("√", "☑", "✓", "✔", "■", "●", 1, "是", "Y", " y "):
        data = typed(DATA[FORM], {tick("q8", "D"): sign, tick("q8", "A"): "□", tick("q8", "B"): 0})
        assert read(data).records[0].facts["answers"]["q8"] == "D", sign


def test_a_level_of_a_scene_may_be_a_number() -> None:
    data = typed(DATA[FORM], {("i_scenes", 0): 3, ("i_scenes", 1): Decimal("4")})
    assert read(data).records[0].facts["scenes"]["product_design"] == 3
