"""The official forms of one enterprise each: what is typed is what is read, shown, checked and printed."""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from test_workbooks import UNO
from workbench import again, differences, formula_values, raw, save, values

from workbooks.batch.run import process
from workbooks.batch.tasks import Options, Task
from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.engines.libreoffice_engine import convert, evaluate_libreoffice, find_soffice
from workbooks.files.package import Package
from workbooks.form import forms
from workbooks.ports import Port, area_of, places
from workbooks.reader import read_package
from workbooks.recalc import Recalculated, recalculate_package
from workbooks.template import build_template, manifest
from xlcalc import load_policy
from xlcalc.errors import WorkbookRefused
from xlcalc.facts import Fact, fact, parse_facts
from xlcalc.values.text import squeeze

POLICIES = Path(__file__).parents[1] / "xlcalc" / "policies"
FORMS = sorted(name for name, spec in forms().items() if spec.kind == "application")

# --- facts of every kind, for every input a form has

_WORDS = "示例企业数字化改造，实现了生产管控；成本降低（约）10％。ＡＢＣ abc 123 “链”— ①㎡\n　"
_RARE = "🙂𠀀"
_HARD = ("=1+1", "'quoted", "<b>&amp;", "  两端有空格  ", "0012", "1e5", "是", "2025-01-01", "第一段\n\n第二段")


def text(draws: random.Random, most: int) -> str:
    """A text of up to ``most`` characters; only long ones have signs that engines count differently."""
    if draws.random() < 0.15:
        return draws.choice((*_HARD, "_x0041_") if most > 1000 else _HARD)
    words = _WORDS + (_RARE if most > 1000 else "")
    return "甲" + "".join(draws.choice(words) for _ in range(draws.randint(0, most))) + "乙"


def some(items: Sequence[str], draws: random.Random) -> list[str]:
    return [key for key in items if draws.random() < 0.8] or [items[0]]


def value(known: Fact, port: Port, draws: random.Random, passage: int, least: int = 0) -> Any:
    """A value of a fact as JSON gives it, among those the form offers. least: how many options are ticked."""
    codes = [code for code in known.options if code in port.items] if known.type == "options" else list(known.options)
    number = draws.randint(0, 10**6)
    made = {
        "text": lambda: text(draws, 20), "passage": lambda: text(draws, passage), "bool": lambda: draws.random() < 0.5,
        "uscc": lambda: "91000000MA0000001R", "integer": lambda: number, "number": lambda: str(Decimal(number) / 100),
        "share": lambda: f"{Decimal(draws.randint(0, 10000)) / 100}%", "level": lambda: draws.randint(0, 4),
        "money": lambda: f"{Decimal(number) / 100}元", "date": lambda: str(date(2024, 1, 1) + timedelta(number % 900)),
        "option": lambda: draws.choice(codes), "options": lambda: draws.sample(codes, draws.randint(least, len(codes))),
        "ticks": lambda: (
            {key: draws.random() < 0.5 for key in port.items if draws.random() < 0.8} or {port.items[0]: True}
        ),
        "texts": lambda: {key: text(draws, 60) for key in port.items if draws.random() < 0.8} or {port.items[0]: "甲"},
    }  # fmt: skip
    return made[known.type]()


def sample(form: str, seed: int, passage: int = 60, rows: int = 3) -> dict[str, Any]:
    """Facts for every input of a form; rows: how many a table gets, where the form does not print them singly."""
    draws = random.Random(seed)
    facts: dict[str, Any] = {}
    for port in manifest(form).ports:
        if port.direction != "in" or port.fact is None:
            continue
        known = fact(port.fact)
        if port.name.startswith("c_"):
            column = known.columns[port.name.removeprefix(f"c_{known.id}_")]
            table = facts.setdefault(known.id, [{} for _ in range(rows)])
            for row in table:
                row[column.id] = value(column, port, draws, 30)
        elif port.name.startswith("r_"):
            number, _, name = port.name.removeprefix(f"r_{known.id}_").partition("_")
            table = facts.setdefault(known.id, [])
            table += [{} for _ in range(int(number) - len(table))]
            table[int(number) - 1][name] = value(known.columns[name], port, draws, passage)
        else:
            # Where a form has no 无, none ticked is not filled in.
            least = 0 if f"n_{known.id}" in manifest(form).by_name else 1
            facts[known.id] = value(known, port, draws, passage, least)
    return facts


@cache
def filled(form: str, seed: int = 1, passage: int = 60, rows: int = 3, flavour: str = "native") -> bytes:
    return build_template(form, sample(form, seed, passage, rows), flavour=flavour)


def facts_in(data: bytes) -> Mapping[str, Any]:
    (record,) = read_package(Package.from_bytes(data)).records
    assert [item.message for item in record.findings if item.severity == "block"] == []
    return record.facts


def resaved(data: bytes, folder: Path) -> bytes:
    """The workbook as LibreOffice saves it."""
    path = save(folder, "in.xlsx", data)
    made = convert([path], "xlsx", folder / "out", 120)[path]
    assert isinstance(made, Path), made
    return made.read_bytes()


# --- what is filled in is what is read

SIZES = [(1, 60, 3), (2, 0, 1), (3, 1800, 2), (4, 10, 100)]
"""(seed, most characters of a passage, rows of a table)."""


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("seed", "passage", "rows"), SIZES)
def test_what_is_filled_in_is_read(form: str, seed: int, passage: int, rows: int) -> None:
    wanted = parse_facts(sample(form, seed, passage, rows))
    assert facts_in(filled(form, seed, passage, rows)) == wanted


@pytest.mark.libreoffice
@pytest.mark.parametrize("form", FORMS)
def test_what_libreoffice_saved_is_read(form: str, tmp_path: Path) -> None:
    wanted = parse_facts(sample(form, 5, 1800, 4))
    data = resaved(filled(form, 5, 1800, 4), tmp_path)
    assert facts_in(data) == wanted
    codes = {item.code for item in again(data).all_findings()}
    assert not {code for code in codes if code.startswith(("E-STORED", "E-PARAMETER", "E-NO-", "E-OWN"))}


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_form_has_no_record(form: str) -> None:
    assert read_package(Package.from_bytes(build_template(form))).records == []


# --- formulas and their values


@pytest.mark.parametrize("form", FORMS)
def test_formulas_shows_what_the_library_says(form: str, tmp_path: Path) -> None:
    data = filled(form)
    wanted = formula_values(data)
    assert not differences(wanted, evaluate_formulas(save(tmp_path, "a.xlsx", data)))


@pytest.mark.libreoffice
@pytest.mark.parametrize("form", FORMS)
def test_libreoffice_shows_what_the_library_says(form: str, tmp_path: Path) -> None:
    data, other = filled(form), build_template(form)
    paths = [save(tmp_path, "a.xlsx", data), save(tmp_path, "b.xlsx", other)]
    found = evaluate_libreoffice(paths, 240)
    for path, book in zip(paths, (data, other), strict=True):
        assert not differences(formula_values(book), found[path])


# --- layouts: what other programs and people do to a file

EDITS: dict[str, list[list[Any]]] = {
    "shijiazhuang.saas_application": [
        ["rows", "i_uscc", -1, 2], ["rows", "i_project_scope", -1, 1], ["columns", "c_service_expenses_content", 1],
        ["rows", "c_service_expenses_content", 2, 2], ["rows", "m_materials", -1, 1], ["order", "i_uscc", 6],
        ["rename", "i_uscc", "申报书（改）"], ["rename", "c_service_expenses_content", "2025年5月 支出!"],
        ["rename", "i_enterprise_name", "甲's 封面"], ["rename", "o_finding_link", "问题"],
    ],
    "hohhot.summary_report": [
        ["rows", "x_effects_before", -1, 1], ["rows", "c_scene_effects_before", 1, 1],
        ["rename", "x_effects_before", "报 告"],
    ],
    "shijiazhuang.benchmark_application": [
        ["rows", "r_benchmark_scenes_2_description", -1, 1], ["rename", "r_benchmark_scenes_1_name", "要素!"],
    ],
    "zaozhuang.platform_application": [
        ["rows", "c_served_enterprises_name", 3, 1], ["columns", "c_partners_kind", 1],
        ["rows", "c_partners_name", -1, 1],
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def worked_on(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The edits done by LibreOffice, in one office process."""
    folder = tmp_path_factory.mktemp("edits")
    jobs = []
    for number, (form, edits) in enumerate(EDITS.items()):
        source = save(folder, f"in{number}.xlsx", filled(form, 7, 200, 5))
        jobs.append([str(source), str(folder / f"out{number}.xlsx"), edits])
    (folder / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    done = subprocess.run(
        ["/usr/bin/python3", "-c", UNO, str(find_soffice()), str(folder), str(folder / "jobs.json")],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"},
        capture_output=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return {form: Path(job[1]).read_bytes() for form, job in zip(EDITS, jobs, strict=True)}


@pytest.mark.libreoffice
@pytest.mark.parametrize("form", EDITS)
def test_facts_and_findings_follow_the_layout(form: str, worked_on: dict[str, bytes]) -> None:
    data = worked_on[form]
    assert facts_in(data) == parse_facts(sample(form, 7, 200, 5))
    result = again(data)
    assert not {item.code for item in result.all_findings() if item.code.startswith(("E-STORED", "E-NO-", "E-PARAM"))}
    told = values(filled(form, 7, 200, 5), "fill_finding_message")
    assert values(result.data, "fill_finding_message") == told
    links_lead_to_the_marked_cells(result)


def links_lead_to_the_marked_cells(result: Recalculated) -> None:
    """Each link names a sheet there is, and each mark the same cell by the sheet's place in the template."""
    data = result.data
    book = openpyxl.load_workbook(io.BytesIO(data))
    columns = (values(data, f"fill_finding_{name}") for name in ("where", "link", "mark"))
    listed = [line for line in zip(*columns, strict=True) if any(line)]
    assert listed
    for where, link, mark in listed:
        sheet, _, ref = where.rpartition("!")
        assert sheet in book.sheetnames and link == "#'" + sheet.replace("'", "''") + f"'!{ref}"
        number, _, marked = mark.rpartition("!")
        area = str(book.defined_names[f"s_{number}"].attr_text).rpartition("!")[0]
        assert area.strip("'").replace("''", "'") == sheet and marked == ref
    assert values(data, "o_finding_link") == values(data, "fill_finding_where")


# --- versions, readings, flavours


@pytest.mark.parametrize("form", FORMS)
def test_inputs_do_not_depend_on_the_version(form: str) -> None:
    """A workbook can be recalculated under another version of its pack."""
    for policy in forms()[form].policies:
        for version in load_policy(policy).versions:
            ports = manifest(form, "native", ((policy, version),)).ports
            asked = [(port.name, port.fact) for port in ports if port.direction in ("in", "out")]
            now = [(port.name, port.fact) for port in manifest(form).ports if port.direction in ("in", "out")]
            assert asked == now


def test_an_earlier_version_has_its_own_year_and_is_recalculated_under_it() -> None:
    form = "shijiazhuang.chain_application"
    data = build_template(form, sample(form, 1), on=date(2024, 6, 1))
    assert "2024 年中小企业“链式”数字化转型案例" in texts_of(data, "封面")
    result = again(data)
    assert [version.id for version in result.read.versions.values()] == ["2024-04-25"]
    later = recalculate_package(Package.from_bytes(data), on=date(2025, 8, 1))
    assert [outcome.version for _, outcome in later.outcomes] == ["2025-07-16"]
    with pytest.raises(WorkbookRefused) as caught:  # the later version leaves open what the workbook has no cell for
        later.data  # noqa: B018
    assert caught.value.code == "E-BOOK-VERSION" and caught.value.remedy


def test_a_batch_delivers_another_version_in_a_new_template(tmp_path: Path) -> None:
    form = "shijiazhuang.chain_application"
    path = save(tmp_path, "甲.xlsx", build_template(form, sample(form, 1), on=date(2024, 6, 1)))
    result = process(Task(path, tmp_path / "out.xlsx"), Options(on=date(2025, 8, 1)))
    assert result.state == "done" and "E-FRESH-COPY" in [finding["code"] for finding in result.findings]
    data = (tmp_path / "out.xlsx").read_bytes()
    assert values(data, "xlcalc_versions") == ["2025-07-16"] and facts_in(data) == parse_facts(sample(form, 1))


@pytest.mark.parametrize("form", FORMS)
def test_the_function_flavour_holds_the_same_facts(form: str) -> None:
    data = filled(form, 6, flavour="udf")
    assert facts_in(data) == parse_facts(sample(form, 6))


@pytest.mark.parametrize("form", [form for form in FORMS if "recommendation" not in form and "report" not in form])
def test_every_fact_a_policy_looks_at_has_a_place_or_is_left_to_another_document(form: str) -> None:
    spec = forms()[form]
    asked = {port.fact for port in manifest(form).ports if port.direction == "in"}
    left = {name for block in blocks(spec.data) for name in block.get("leave", ())}
    for policy in spec.policies:
        for version in load_policy(policy).versions:
            mechanisms = version.mechanisms(version.full_choices({}))
            looked_at = {name for mechanism in mechanisms if hasattr(mechanism, "facts") for name in mechanism.facts()}
            assert looked_at - asked - left == set(ELSEWHERE.get(form, ()))


_REPORT = {
    "report_evidence", "summary_overview", "summary_foundation", "summary_management", "summary_effect",
    "summary_operation", "summary_features", "summary_acceptance",
}  # fmt: skip
ELSEWHERE = {
    "hohhot.acceptance_application": _REPORT | {"investment_lines", "recognised_register", "prior_software"},
    "hohhot.cost_recognition": _REPORT | {"materials", "pilot_roster"},
    "shijiazhuang.chain_application": {"chain_submission"},
    "shijiazhuang.benchmark_application": {"benchmark_submission"},
}  # fmt: skip
"""Tables, passages and materials that stand in another form of the same application."""


# --- as printed

OWN = {
    "（二）合计，不少于1000字", "案例合计（3500 字以内；300＋1800＋1000＋400＝3500）",
    "案例简介合计（名称、简述，300 字以内）", "附件 1-4",
    "2. 提供的申报资料和文件内容真实、可靠、事实存在。",
    "4. 近三年未发生较大安全（含网络安全、数据安全），质量、环境污染等事故及偷税漏税等违法违规行为。",
}  # fmt: skip
"""Printed texts that are ours: live counts, and what the copy of the document at hand has misread or lost."""


def blocks(part: Any) -> Iterator[Mapping[str, Any]]:
    """Every block and sheet of a form's description."""
    if isinstance(part, Mapping):
        yield part
        for inner in part.values():
            yield from blocks(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from blocks(inner)


def printed(part: Any) -> Iterator[str]:
    """The texts a sheet prints: headings, paragraphs, hints, words, labels of options."""
    for block in blocks(part):
        for key in ("text", "hint", "after", "note", "heading", "annex", "over"):
            yield block.get(key, "")
        for key in ("lines", "headings", "words", "foot"):
            yield from block.get(key, ())
        yield from block["labels"].values() if isinstance(block.get("labels"), Mapping) else block.get("labels", ())


def plain(text: str) -> str:
    """For comparing texts: without blanks, rules to write on, boxes to tick and differences of punctuation."""
    squeezed = re.sub(r"<[^<>]*>|[_□☐.…|-]", "", squeeze(text))
    return squeezed.replace("“", '"').replace("”", '"').replace("、", ",")


@pytest.mark.parametrize("form", [form for form in FORMS if form != "hohhot.cost_recognition"])
def test_printed_texts_are_those_of_the_document(form: str) -> None:
    spec = forms()[form]
    folder = POLICIES / form.partition(".")[0]
    document = plain("".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.excerpt.txt"))))
    sheets = [sheet for sheet in spec.data["sheet"] if not sheet.get("working") and sheet.get("layout") != "flow"]
    parts = [part for text in printed(sheets) if text not in OWN for part in re.split(r"\{\w+\}", text)]
    assert [part for part in parts if plain(part).removeprefix("一,呼和").removeprefix("1,呼和") not in document] == []


NOT_PRINTED = {"数字化专员联系电话", "规上、规下"}
"""Labels of a pack that the form prints without their context, or only as words to choose from."""


@pytest.mark.parametrize("form", FORMS)
def test_every_label_of_the_pack_is_printed(form: str) -> None:
    wanted = forms()[form].data.get("pack_form")
    rows = load_policy(forms()[form].policies[0]).newest.data["form"]
    labels = [column["label"] for row in rows if row["key"] == wanted for column in row["column"]]
    data = build_template(form)
    text = plain("".join(texts_of(data, sheet) for sheet in openpyxl.load_workbook(io.BytesIO(data)).sheetnames))
    heads = [re.split("[（(：/ ]", re.sub("^[一二三四五]、(（[一二三四]）)?", "", label))[0] for label in labels]
    assert [head for head in heads if plain(head) not in text and head not in NOT_PRINTED] == []


def texts_of(data: bytes, sheet: str) -> str:
    cells = openpyxl.load_workbook(io.BytesIO(data), data_only=True)[sheet].iter_rows(values_only=True)
    return "".join(str(cell) for row in cells for cell in row if cell is not None)


@pytest.mark.parametrize("form", FORMS)
def test_looks_locks_and_print_set_up(form: str) -> None:
    data = build_template(form)
    book = openpyxl.load_workbook(io.BytesIO(data))
    specs = {sheet["title"]: sheet for sheet in forms()[form].data["sheet"]}
    for title, spec in specs.items():
        sheet = book[title]
        assert (str(sheet.page_setup.paperSize), sheet.page_setup.fitToWidth) == ("9", 1)
        assert bool(sheet.print_area) is not bool(spec.get("working")), title
        assert sheet.protection.sheet and not sheet.protection.password
        if "fact" in spec:
            assert sheet.print_title_rows, title
        if sheet.print_area:
            area = sheet[sheet.print_area.rpartition("!")[2].replace("$", "")]
            inside = {str(cell.value) for row in area for cell in row}
            assert "填写" not in inside and not [text for text in inside if "工作列" in text or "不属于" in text]
    for port in manifest(form).ports:
        if port.direction != "in":
            continue
        for spot in places(raw(data), port.name):
            cell = book[spot.sheet][spot.ref]
            assert not cell.protection.locked and cell.fill.fgColor.rgb == "00FFF9DB", port.name
        known = known_of(port)
        if known is not None and known.type in ("text", "uscc", "passage"):
            assert cell.number_format == "@", port.name
        if known is not None and known.type in ("bool", "option", "options", "level", "date", "money", "integer"):
            assert any(spot.ref in rule.sqref for rule in book[spot.sheet].data_validations.dataValidation), port.name


def known_of(port: Port) -> Fact | None:
    """The fact or column an input feeds."""
    if port.fact is None:
        return None
    known = fact(port.fact)
    if port.name.startswith("c_"):
        return known.columns[port.name.removeprefix(f"c_{known.id}_")]
    if port.name.startswith("r_"):
        return known.columns[port.name.removeprefix(f"r_{known.id}_").partition("_")[2]]
    return known


@pytest.mark.parametrize("form", FORMS)
def test_no_merged_cell_stands_in_a_row_of_a_table(form: str) -> None:
    data = build_template(form)
    book = openpyxl.load_workbook(io.BytesIO(data))
    for port in manifest(form).ports:
        if port.name.startswith(("c_", "x_", "fill_cost_")):
            area = area_of(raw(data), port.name)
            rows = range(area.first_row, area.last_row + 1)
            merged = [
                span
                for span in book[area.sheet].merged_cells.ranges
                if set(rows) & {*range(span.min_row, span.max_row + 1)}
            ]
            assert merged == [], port.name


@pytest.mark.parametrize("form", ["shijiazhuang.cloud_application", "shijiazhuang.saas_application"])
def test_the_chart_has_every_state_and_step(form: str) -> None:
    version = load_policy(forms()[form].policies[0]).newest
    text = texts_of(build_template(form), "申报流程图")
    for part in ("state", "transition"):
        assert [row["label"] for row in version.data[part] if row["label"] not in text] == []
