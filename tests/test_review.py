"""The 评审工作簿: three opinions side by side, held to hand arithmetic, to other programs and to each other."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
import typer
from openpyxl.formula import Tokenizer
from typer.testing import CliRunner
from workbench import (
    E1_ANSWERS,
    E1_SCENES,
    FORM,
    HOHHOT_COMPANY,
    MATURITY,
    At,
    again,
    assessment,
    codes,
    differences,
    e1,
    filled,
    formula_values,
    members,
    opened,
    place,
    raw,
    save,
    typed,
    value,
    values,
)

from macros_bridge.listing import fact_json
from macros_bridge.reviewing import review_command, review_merge_command
from workbooks.batch import run as batch
from workbooks.batch import tasks
from workbooks.engines.formulas_engine import evaluate_formulas
from workbooks.engines.libreoffice_engine import XLSX, convert, evaluate_libreoffice
from workbooks.files.package import Package
from workbooks.files.rawbook import RawBook
from workbooks.form import Form, form
from workbooks.ports import Place, places
from workbooks.reader import read_package, read_workbook
from workbooks.record import ReadBook
from workbooks.review.answers import prompt, signs, written
from workbooks.review.layout import CHARTS, OPINIONS, PART_RATES, PARTS, QUESTIONS
from workbooks.review.merge import merge_reviews
from workbooks.review.prefill import review_form_of, review_from
from workbooks.template import build_template, draft_template, manifest, workbook_bytes
from xlcalc import load_policy
from xlcalc.errors import InputError, WorkbookError, WorkbookRefused
from xlcalc.facts import parse_facts
from xlcalc.mechanisms.assessment_steps import next_level, next_level_lines
from xlcalc.results.outcome import Finding

REVIEW = "hohhot.review"
SCENES = [scene.key for scene in assessment().scenes]
WHOLE_SCENES = {key: E1_SCENES.get(key, 0) for key in SCENES}
PERSON = {"reviewer": "示例评审甲", "review_date": "2025-10-08"}
SECOND = {"second_reviewer": "示例复核乙", "second_review_date": "2025-10-15"}
SELF_FACTS = {
    name: HOHHOT_COMPANY[name] for name in ("enterprise_name", "uscc", "application_date")
} | {"answers": E1_ANSWERS, "scenes": E1_SCENES}  # fmt: skip
# 第5题 C→B loses 2.5 of 48.25 points; 第1题 BC→BD gives the same points by another option; 质量管理 二级→三级.
REVIEWED = SELF_FACTS | PERSON | {
    "reviewed_answers": E1_ANSWERS | {"q5": "B", "q1": ["B", "D"]},
    "reviewed_scenes": WHOLE_SCENES | {"quality": 3},
    "review_reasons": {"q5": "只有一个环节的系统可以核实", "q1": "现场为租用 5G 网络", "quality": "已与生产系统集成"},
}  # fmt: skip
# 复核 upholds 第1题, takes 第5题 back and says nothing of the rest.
PARTLY = REVIEWED | SECOND | {"second_reviewed_answers": {"q1": ["D", "B"], "q5": "C"}}


def book(*facts: Mapping[str, Any], choices: Mapping[str, str] | None = None, flavour: str = "native") -> bytes:
    return build_template(REVIEW, facts[0] if facts else (), choices=choices, flavour=flavour)


def read(data: bytes) -> ReadBook:
    return read_package(Package.from_bytes(data))


def question(port: str, key: str) -> At:
    return port, [item.key for item in assessment().questions].index(key)


def scene(port: str, key: str) -> At:
    return port, SCENES.index(key)


def found(data: bytes, code: str) -> list[Finding]:
    return [item for item in again(data).all_findings() if item.code == code]


def where(data: bytes, at: At) -> str:
    return str(place(data, *((at, 0) if isinstance(at, str) else at)))


# --- what is shown, by hand


def test_scores_levels_and_differences_by_hand() -> None:
    data = book(PARTLY)
    assert values(data, "o_done") == [15 + len(E1_SCENES), 31, 2]
    assert values(data, "o_score") == [48.25, 45.75, "未评完", -2.5, ""]
    # 数字化基础: 4 + 3 + 1.5 + 3.5 + 5 + 2.5 + 2.5.
    assert values(data, "o_part_0") == [22, 19.5, "", -2.5, ""]
    assert values(data, "o_level") == ["二级", "二级", "未评完"]
    assert values(data, "o_scenes_3") == ["0 个，约束性 0 个", "1 个，约束性 1 个", ""]
    gaps = values(data, "o_gap")
    assert "11.75 分" in gaps[0] and "14.25 分" in gaps[1] and gaps[2] == ""
    review = values(data, "o_review_question_differences")
    assert review[0] == 0 and review[4] == -2.5 and set(review) - {0, -2.5} == {"一致"}
    second = values(data, "o_second_question_differences")
    assert second[0] == "一致" and second[4] == 2.5 and second.count("") == 13
    assert value(data, *scene("o_review_scene_differences", "quality")) == 1
    assert value(data, *scene("o_review_scene_differences", "product_design")) == "一致"
    assert values(data, "o_differing") == [3, 1]
    assert values(data, "o_wanting") == [0, 1]


def test_what_was_not_reviewed_is_never_equal() -> None:
    data = book(SELF_FACTS | PERSON | {"reviewed_answers": {"q2": "C"}})
    assert values(data, "o_review_question_differences") == ["", "一致", *[""] * 13]
    assert values(data, "o_done")[1] == 1 and values(data, "o_score")[1] == "未评完"
    assert values(data, "o_review_points") == ["", 3, *[""] * 13]
    (open_,) = found(data, "E-REVIEW-OPEN")
    assert "1/31" in open_.message and open_.where == where(data, question("i_reviewed_answers", "q1"))


def test_one_scene_left_open_leaves_the_score_and_no_level() -> None:
    scenes = {key: level for key, level in WHOLE_SCENES.items() if key != "energy"}
    data = book(REVIEWED | {"reviewed_scenes": scenes})
    assert values(data, "o_score")[1] == 45.75 and values(data, "o_level")[1] == "未评完"
    assert value(data, "k_review_level") == "" and values(data, "o_scenes_1")[1] == ""
    assert [outcome.policy_label.rpartition("·")[2] for _, outcome in again(data).outcomes] == ["自评"]


def test_an_answer_the_enterprise_left_out_is_no_agreement() -> None:
    answers = {key: answer for key, answer in E1_ANSWERS.items() if key != "q3"}
    data = book(REVIEWED | {"answers": answers})
    assert value(data, *question("o_review_question_differences", "q3")) == "自评未答"
    (wanting,) = found(data, "HHHT-SELF-24")
    assert "第3题" in wanting.message and wanting.where == where(data, question("i_question_review_reasons", "q3"))


def test_each_opinion_has_its_own_outcome() -> None:
    complete = PARTLY | {
        "second_reviewed_answers": E1_ANSWERS, "second_reviewed_scenes": WHOLE_SCENES,
        "second_review_reasons": {"q1": "理由", "q5": "理由", "quality": "理由"},
    }  # fmt: skip
    outcomes = {outcome.policy_label.rpartition("·")[2]: outcome for _, outcome in again(book(complete)).outcomes}
    scores = {label: outcome.results["score"] for label, outcome in outcomes.items()}
    assert scores == {"自评": Fraction(193, 4), "评审": Fraction(183, 4), "复核": Fraction(193, 4)}
    assert all(outcome.status == "determined" for outcome in outcomes.values())
    lines = values(book(complete), "fill_explanation")
    assert [line for line in lines if "·复核（版本" in line]


# --- findings at their cells


def test_every_departure_is_listed_with_its_reason() -> None:
    data = book(REVIEWED)
    told = {item.where: item for item in found(data, "HHHT-SELF-33")}
    assert set(told) == {
        where(data, at)
        for at in (question("i_question_review_reasons", "q1"), question("i_question_review_reasons", "q5"),
                   scene("i_scene_review_reasons", "quality"))
    }  # fmt: skip
    at_q5 = told[where(data, question("i_question_review_reasons", "q5"))]
    assert at_q5.message == "第5题：评审为B，自评为C；理由：只有一个环节的系统可以核实"
    assert not found(data, "HHHT-SELF-24")


@pytest.mark.parametrize("reason", [None, "  ", "　"])
def test_a_departure_without_a_reason_blocks(reason: str | None) -> None:
    data = typed(book(REVIEWED), {question("i_question_review_reasons", "q1"): reason})
    (wanting,) = found(data, "HHHT-SELF-24")
    assert (wanting.severity, wanting.where) == ("block", where(data, question("i_question_review_reasons", "q1")))
    assert wanting.clause == "附件1.3（二）佐证材料索引"
    assert all(outcome.status == "not_determined" for _, outcome in again(data).outcomes)
    assert values(again(data).data, "o_wanting") == [1, 0]


def test_a_second_review_needs_a_reason_only_against_the_first() -> None:
    wanting = found(book(PARTLY), "HHHT-SELF-24")
    assert ["第5题：复核为C，评审为B" in item.message for item in wanting] == [True]


def test_a_second_review_without_a_first_is_held_against_the_enterprise() -> None:
    data = book(SELF_FACTS | SECOND | {"second_reviewed_answers": {"q5": "D"}})
    assert value(data, *question("o_second_question_differences", "q5")) == 2.5
    (wanting,) = found(data, "HHHT-SELF-24")
    assert "复核为D，自评为C" in wanting.message


@pytest.mark.parametrize(
    ("key", "typed_in", "code"),
    [
        ("q1", "BX", "E-ANSWER"), ("q1", "BB", "E-ANSWER"), ("q1", "AB", "E-TICK-NONE"), ("q2", "BC", "E-TICK-SINGLE"),
        ("q12", "减少", "E-ANSWER"), ("q13", "B", "E-ANSWER"), ("q4", "P", "E-ANSWER"), ("q6", 12, "E-ANSWER"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_answer_is_said_at_its_cell(key: str, typed_in: Any, code: str) -> None:
    at = question("i_reviewed_answers", key)
    data = typed(book(REVIEWED), {at: typed_in})
    (wrong,) = found(data, code)
    assert (wrong.severity, wrong.where) == ("block", where(data, at))
    done = again(data)
    assert key not in done.read.records[0].facts["reviewed_answers"]
    assert isinstance(value(done.data, *question("o_review_points", key)), str)
    assert values(done.data, "o_level")[1] == "未评完"


@pytest.mark.parametrize("text", ["bc", "B、C", "C，B", " B C ", "b,c"])
def test_letters_are_read_as_they_are_meant(text: str) -> None:
    data = typed(book(REVIEWED), {question("i_reviewed_answers", "q9"): text})
    done = again(data)
    assert done.read.records[0].facts["reviewed_answers"]["q9"] == ["B", "C"]
    assert value(done.data, *question("o_review_question_differences", "q9")) == "一致"


def test_a_level_nobody_can_read_blocks() -> None:
    at = scene("i_reviewed_scenes", "finance")
    data = typed(book(REVIEWED), {at: "五级"})
    (wrong,) = found(data, "E-LEVEL")
    assert wrong.where == where(data, at)
    assert values(again(data).data, "o_level")[1] == "场景等级有误"


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("第三章第2节 P12", None), ("3.2 第12页", None), ("附件5 第 3 页", None), ("(二) p.8-9", None),
        ("第三章", "没有页码"), ("P12", "没有章节号"), ("见附表", "没有章节号和页码"),
    ],
)  # fmt: skip
def test_an_index_names_a_chapter_and_a_page(text: str, lacks: str | None) -> None:
    data = book(REVIEWED | {"evidence": {"q2": text}, "scene_evidence": {"finance": text}})
    told = found(data, "HHHT-SELF-25")
    places = [where(data, question("i_evidence", "q2")), where(data, scene("i_scene_evidence", "finance"))]
    assert [item.where for item in told] == (places if lacks else [])
    assert all(lacks is not None and lacks in item.message and item.severity == "warn" for item in told)


def test_an_index_points_to_no_page_beyond_the_report() -> None:
    facts = REVIEWED | {"evidence": {"q1": "第二章 P60", "q2": "第三章 P58-61"}, "summary_report_pages": 60}
    (beyond,) = found(book(facts), "HHHT-SUM-04")
    assert beyond.where == where(book(facts), question("i_evidence", "q2")) and "第 61 页" in beyond.message


def test_a_review_belongs_to_somebody() -> None:
    facts = {name: fact for name, fact in REVIEWED.items() if name != "reviewer"}
    (nobody,) = found(book(facts), "E-REVIEWER")
    assert nobody.where == where(book(facts), "i_reviewer")
    assert not found(book(REVIEWED), "E-REVIEWER")


def test_a_blank_workbook_has_nothing_to_complain_about() -> None:
    result = again(book())
    assert result.all_findings() == [] and result.outcomes == []
    assert set(values(result.data, "fill_finding_message")) == {""}


# --- facts there and back

EVERYTHING = PARTLY | {
    "evidence": {"q1": "第二章 第 3 页", "q11": "附件5 P1"}, "scene_evidence": {"quality": "第三章 P12"},
    "summary_report_pages": 80, "second_reviewed_scenes": {"quality": 2}, "second_review_reasons": {"quality": "=改回"},
}  # fmt: skip


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON; the order in which the options of a 多选 are named does not matter."""
    found = {name: fact_json(fact) for name, fact in facts.items()}
    for name in ("answers", "reviewed_answers", "second_reviewed_answers"):
        held = found.get(name, {})
        found[name] = {key: sorted(one) if isinstance(one, list) else one for key, one in held.items()}
    return found


def test_facts_into_the_workbook_and_out_again() -> None:
    (record,) = read(book(EVERYTHING)).records
    assert plain(record.facts) == plain(parse_facts(EVERYTHING))
    assert build_template(REVIEW, plain(record.facts)) == book(EVERYTHING)


@pytest.mark.libreoffice
def test_facts_outlive_another_program(tmp_path: Path) -> None:
    path = save(tmp_path, "评审.xlsx", book(EVERYTHING))
    (copy,) = convert([path], XLSX, tmp_path / "out", 120).values()
    assert isinstance(copy, Path)
    result = again(copy.read_bytes())
    assert plain(result.read.records[0].facts) == plain(parse_facts(EVERYTHING))
    assert not [code for code in codes(result.all_findings()) if code in ("E-STORED-DIFFERS", "E-OWN-FORMULAS")]
    assert values(result.data, "o_score") == values(book(EVERYTHING), "o_score")


def test_figures_stand_for_the_option_they_point_to() -> None:
    answers = E1_ANSWERS | {"q2": {"total": 60, "digital": 20}}
    assert value(book(SELF_FACTS | {"answers": answers}), *question("i_answers", "q2")) == "C"


@pytest.mark.parametrize(
    "wrong", [{"review_reasons": {"q99": "x"}}, {"evidence": {"quality": "x"}}, {"evidence": {"q1": 3}}]
)
def test_texts_without_a_row_are_errors(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        book(SELF_FACTS | wrong)
    assert caught.value.code == "E-TEXTS"


def test_every_answer_can_be_written_and_is_read_back() -> None:
    questions = assessment().questions
    for turn in range(max(len(held.options) for held in questions)):
        chosen = {held.key: turn % len(held.options) for held in questions}
        cells = {question("i_answers", held.key): written(held, [chosen[held.key]]) for held in questions}
        answers = read(typed(book(), cells)).records[0].facts["answers"]
        for held in questions:
            code = held.options[chosen[held.key]].code
            assert answers[held.key] == ([code] if held.multi else code)
    assert all(len(prompt(held)) <= 255 and len(set(signs(held))) == len(held.options) for held in questions)


# --- one truth, many faces


@dataclass
class Filled:
    facts: list[dict[str, Any]]
    typed: dict[At, Any] = field(default_factory=dict)
    choices: dict[str, str] | None = None

    def data(self, flavour: str = "native") -> bytes:
        return typed(book(*self.facts, choices=self.choices, flavour=flavour), self.typed)


def odd_cells() -> dict[At, Any]:
    """Everything a cell may hold that is no plain answer, in each column."""
    cells: dict[At, Any] = {}
    words = ["BX", "bb", "b、d", "AB", 12, "", "BC", "D,E", "A", "Ｂ", " ", "降低", "涨", "B", "增 加"]
    levels = [
        "规范级",
        "2",
        3,
        "五级",
        "",
        "无",
        "一级 （初始级）",
        "４级",
        "无等级",
        -1,
        "四级",
        "二级",
        "三级",
        "　",
        "x",
        0,
    ]
    for opinion, shift in zip(OPINIONS, (0, 4, 9), strict=True):
        for at in range(15):
            cells[f"i_{opinion.answers}", at] = words[(at + shift) % 15]
        for at in range(16):
            cells[f"i_{opinion.scenes}", at] = levels[(at + shift) % 16]
        if opinion.reasons:
            for at in range(15):
                cells[f"i_question_{opinion.reasons}", at] = (" ", "", "　", "理由")[at % 4]
    return cells


def random_facts(seed: int) -> dict[str, Any]:
    dice = random.Random(seed)
    facts: dict[str, Any] = dict(SELF_FACTS)
    for opinion in OPINIONS:
        answers: dict[str, Any] = {}
        for held in assessment().questions:
            free = [option.code for option in held.options if not option.exclusive]
            several = dice.sample(free, dice.randint(1, len(free)))
            answers[held.key] = several if held.multi else dice.choice(held.options).code
        facts[opinion.answers] = answers
        facts[opinion.scenes] = {key: dice.randint(0, 4) for key in SCENES}
    facts["review_reasons"] = dict.fromkeys(("q1", "q2", "quality"), "理由")
    return facts


BOOKS = {
    "blank": Filled([]),
    "partly": Filled([PARTLY]),
    "odd": Filled([SELF_FACTS], odd_cells(), {"AMB-48": "literal"}),
    "odd over a review": Filled(
        [PARTLY], {question("i_reviewed_answers", "q5"): "zz", scene("i_scenes", "quality"): "十"}
    ),
    "choice changed": Filled([PARTLY], {"choice_AMB_48": "literal", "choice_AMB_49": "national"}),
    "random": Filled([random_facts(1)]),
    "literal": Filled([random_facts(2)], choices={"AMB-48": "literal", "AMB-51": "7_as_printed"}),
    "equal shares": Filled([random_facts(3)], choices={"AMB-50": "equal_shares", "AMB-64": "uniform_6_3"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def written_books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    folder = tmp_path_factory.mktemp("review")
    yield {name: save(folder, f"{n}.xlsx", again(one.data()).data) for n, (name, one) in enumerate(BOOKS.items())}


def test_direct_writes_every_formula_cell(written_books: dict[str, Path]) -> None:
    outputs = [port.name for port in manifest(REVIEW).ports if port.direction == "out"]
    for name, path in written_books.items():
        data = path.read_bytes()
        shown = {(at.sheet, at.ref) for port in outputs for at in _places(data, port)}
        assert set(formula_values(data)) == shown, name
        assert shown <= set(again(data).changes) | {(at.sheet, at.ref) for at in _places(data, "o_choices_state")}, name
        assert "E-STORED-DIFFERS" not in codes(again(data).all_findings()), name


@lru_cache(maxsize=16)
def _kept(data: bytes) -> RawBook:
    return raw(data)


def _places(data: bytes, port: str) -> list[Place]:
    return places(_kept(data), port)


@pytest.mark.libreoffice
def test_libreoffice_shows_the_same_in_every_formula_cell(written_books: dict[str, Path]) -> None:
    office = evaluate_libreoffice(list(written_books.values()), 300)
    for name, path in written_books.items():
        shown = office[path]
        assert isinstance(shown, dict), shown
        assert not differences(formula_values(path.read_bytes()), shown), name
    assert sum(len(formula_values(path.read_bytes())) for path in written_books.values()) > 7_000


def test_formulas_shows_the_same_in_every_formula_cell(written_books: dict[str, Path]) -> None:
    path = written_books["random"]
    assert not differences(formula_values(path.read_bytes()), evaluate_formulas(path))


def test_calling_cells_show_what_the_native_ones_show(tmp_path: Path) -> None:
    one = BOOKS["odd"]
    native = again(one.data()).data
    calling = save(tmp_path, "udf.xlsx", again(one.data("udf")).data)
    shown = evaluate_formulas(calling)
    for port in manifest(REVIEW).ports:
        if port.direction == "out" and port.name != "o_choices_state":
            own = [shown[at.sheet, at.ref] for at in _places(calling.read_bytes(), port.name)]
            wanted = values(native, port.name)
            assert not differences(dict(enumerate(own)), dict(enumerate(wanted))), port.name  # type: ignore[arg-type]
    kept = _kept(calling.read_bytes())
    formulas = [cell.formula or "" for info in kept.sheets for cell in kept.sheet(info.name).cells.values()]
    for function in ("XLC_QUESTION_SCORE", "XLC_SCORE", "XLC_LEVEL", "XLC_GAP_POINTS"):
        assert any(function in formula for formula in formulas)


LIBRARY = {
    "ABS", "ADDRESS", "AND", "COLUMN", "COUNT", "COUNTIF", "COUNTIFS", "FALSE", "HYPERLINK", "IF", "ISNUMBER", "ISTEXT",
    "LEFT", "LEN", "MAX", "MIN", "NA", "NOT", "OR", "ROUND", "ROW", "ROWS", "SUBSTITUTE", "SUM", "SUMPRODUCT", "TRUE",
    "UPPER",
}  # fmt: skip


def test_formulas_use_only_functions_every_program_has() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(book()))
    texts = [cell.value for sheet in workbook for line in sheet.iter_rows() for cell in line if cell.data_type == "f"]
    texts += [f"={formula}" for sheet in workbook for rules in sheet.conditional_formatting
              for rule in rules.rules for formula in rule.formula]  # fmt: skip
    used = {token.value for text in texts for token in Tokenizer(text).items if token.type == "FUNC"}
    assert {name.rstrip("(").upper() for name in used if name != ")"} <= LIBRARY
    assert len(texts) > 1000 and not [text for text in texts if len(text) > 8192]


def test_the_library_and_the_cells_give_the_same_results() -> None:
    from xlcalc import evaluate

    for seed in range(3):
        facts = random_facts(seed)
        data = book(facts)
        for opinion in OPINIONS:
            own = {"answers": facts[opinion.answers], "scenes": facts[opinion.scenes]}
            results = evaluate(MATURITY, own).results
            assert Fraction(value(data, f"k_{opinion.key}_total_units"), 1000) == results["score"]
            assert value(data, f"k_{opinion.key}_level") == results["maturity_level"]


def test_any_policy_with_an_assessment_can_have_a_review() -> None:
    policy = load_policy("national.maturity_2024")
    spec = replace(form(REVIEW), id="ad-hoc", policies=(policy.id,))
    draft = draft_template(spec, {policy.id: policy.newest}, {})
    assert {port.fact for port in draft.ports if port.direction == "in"} >= {"reviewed_answers", "scenes", "evidence"}
    sheet = openpyxl.load_workbook(io.BytesIO(workbook_bytes(draft)))[QUESTIONS]
    assert "网络建设" in str(sheet["B6"].value) and str(sheet["E6"].value).startswith("=")


# --- charts and the heat map


def test_the_charts_stay_as_they_were_built() -> None:
    """Values are patched into the sheets; every chart, drawing and relation keeps its bytes."""
    blank, full = members(book()), members(book(PARTLY))
    drawn = [name for name in blank if "chart" in name or "drawing" in name]
    assert len([name for name in drawn if name.startswith("xl/charts/chart")]) == 2
    assert {name: blank[name] for name in drawn} == {name: full[name] for name in drawn}
    again_ = members(again(book(PARTLY)).data)
    assert {name: again_[name] for name in drawn} == {name: full[name] for name in drawn}


def test_the_radar_charts_show_the_rates_of_each_opinion() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(book()))[CHARTS]
    assert len(sheet._charts) == 2
    for chart, (first, last) in zip(sheet._charts, ((4, 6), (7, 15)), strict=True):
        refs = [series.val.numRef.f.replace("'", "") for series in chart.series]
        assert refs == [f"计算!${letter}${first}:${letter}${last}" for letter in PART_RATES]
        assert chart.series[0].cat.numRef.f.replace("'", "") == f"计算!${PARTS}${first}:${PARTS}${last}"
        assert [series.tx.v for series in chart.series] == ["自评", "评审", "复核"]
    # 数字化基础 22 of 50, 19.5 of 50; what is not complete has no rate, which is not zero.
    data = book(PARTLY)
    assert [value(data, f"k_{opinion.key}_rates") for opinion in OPINIONS] == [0.44, 0.39, "#N/A"]
    assert [value(data, f"o_{opinion.key}_rates") for opinion in OPINIONS] == [0.44, 0.39, ""]


def test_each_level_has_its_colour() -> None:
    data = book(PARTLY)
    sheet = openpyxl.load_workbook(io.BytesIO(data))[CHARTS]
    heat = place(data, "o_self_heat")
    rules = {
        (rule.operator, rule.formula[0]): rule.dxf.fill.bgColor.rgb
        for area in sheet.conditional_formatting if heat.ref in str(area.sqref) for rule in area.rules
    }  # fmt: skip
    assert [("equal", str(level)) in rules for level in range(5)] == [True] * 5
    assert len(set(rules.values())) == len(rules) == 6
    assert value(data, *scene("o_self_heat", "quality")) == 2 and value(data, *scene("o_self_heat", "energy")) == ""
    assert value(data, *scene("o_review_heat", "energy")) == 0


# --- the steps in the workbook


def test_the_fewest_steps_are_written_for_each_opinion() -> None:
    columns = list(zip(*[iter(values(book(PARTLY), "fill_steps"))] * 3, strict=True))
    own, review, second = ([line for line in column if line] for column in zip(*columns, strict=True))
    assert own[1] == "最少 15 步：得分 5 步（+12 分），场景 10 步"
    assert "第5题 改进到“全覆盖”：2 步，+5 分" in own and "生产管控* 由一级升至三级：2 步" in own
    assert review[0].startswith("现为二级，得分 45.75；距三级还差 14.25 分")
    assert second == ["已填 2/31，没有等级，无法计算"]


def test_the_lines_of_steps_are_those_of_the_library_and_have_room() -> None:
    for seed in range(4):
        facts = random_facts(seed) | {"scenes": dict.fromkeys(SCENES, 0)}
        wanted = next_level_lines(assessment(), next_level(assessment(), facts["answers"], facts["scenes"]))
        lines = values(book(facts), "fill_steps")[::3]
        assert [line for line in lines if line] == wanted
        assert len(lines) == 2 + 15 + 16


@pytest.mark.libreoffice
def test_steps_say_when_they_are_out_of_date(tmp_path: Path) -> None:
    data = typed(book(PARTLY), {question("i_answers", "q5"): "D"})
    (shown,) = evaluate_libreoffice([save(tmp_path, "changed.xlsx", data)], 120).values()
    assert isinstance(shown, dict)
    states = [shown[at.sheet, at.ref] for at in _places(data, "o_steps_state")]
    assert states == ["填写内容已改动，以下步骤须重新核算", "", ""]
    assert values(again(data).data, "o_steps_state") == ["", "", ""]


# --- from a report


def report(tmp_path: Path, name: str = "报告.xlsx", choices: dict[str, str] | None = None, **more: Any) -> Path:
    return save(tmp_path, name, filled(FORM, e1(**more), choices=choices))


def test_a_report_fills_the_columns_of_the_enterprise(tmp_path: Path) -> None:
    path = report(
        tmp_path, reviewed_scenes={"quality": 3}, evidence={"q5": "第二章 P12"}, scene_evidence={"quality": "P3"}
    )
    data = review_from(path)
    facts = read(data).records[0].facts
    assert facts["answers"] == E1_ANSWERS and facts["scenes"] == E1_SCENES
    assert facts["reviewed_scenes"] == {"quality": 3} and "reviewed_answers" not in facts
    assert (facts["evidence"], facts["scene_evidence"]) == ({"q5": "第二章 P12"}, {"quality": "P3"})
    assert facts["enterprise_name"] == HOHHOT_COMPANY["enterprise_name"]
    assert values(data, "o_score")[0] == 48.25


def test_a_review_is_held_under_the_choices_of_the_report(tmp_path: Path) -> None:
    path = report(tmp_path, choices={"AMB-48": "literal", "AMB-31": "max_of_lower_levels"})
    data = review_from(path)
    held = read(data)
    assert held.choices["AMB-48"] == "literal" and "AMB-31" not in held.choices
    assert {policy: version.hash for policy, version in held.versions.items()} == {
        policy: version.hash for policy, version in read_workbook(path).versions.items() if policy == MATURITY
    }
    # 第4、5题 by a fifth: 0.7 and 1 in place of 3.5 and 5.
    assert values(data, "o_score")[0] == 41.45


def test_only_a_report_with_a_review_form_can_be_reviewed(tmp_path: Path) -> None:
    with pytest.raises(WorkbookRefused) as caught:
        review_from(save(tmp_path, "评审.xlsx", book(REVIEWED)))
    assert caught.value.code == "E-BOOK-FOREIGN"
    with pytest.raises(WorkbookError) as missing:
        review_form_of("shijiazhuang.saas_voucher")
    assert missing.value.code == "E-TEMPLATE"


# --- several reviewers


@pytest.fixture
def reviews(tmp_path: Path) -> Callable[..., Path]:
    def review(name: str, *, choices: Mapping[str, str] | None = None, **more: Any) -> Path:
        facts = SELF_FACTS | {
            "reviewer": f"示例专家{name}",
            "reviewed_answers": E1_ANSWERS,
            "reviewed_scenes": WHOLE_SCENES,
        }
        return save(tmp_path, f"{name}.xlsx", book(facts | more, choices=choices))

    return review


def cells(data: bytes, sheet: str) -> list[list[Any]]:
    return [list(line) for line in opened(data)[sheet].iter_rows(values_only=True)]


def test_opinions_stand_side_by_side_and_nothing_is_averaged(reviews: Callable[..., Path]) -> None:
    one = reviews("甲")
    two = reviews("乙", reviewed_answers=E1_ANSWERS | {"q5": "B"}, review_reasons={"q5": "=仅一个环节"},
                  evidence={"q5": "第二章 P12"})  # fmt: skip
    three = reviews("丙", reviewed_scenes=WHOLE_SCENES | {"quality": 3, "finance": 1},
                    review_reasons={"quality": "已集成", "finance": "没有往来核算"})  # fmt: skip
    merged = merge_reviews([one, two, three])
    assert [voice.label for voice in merged.voices] == ["评审 示例专家甲", "评审 示例专家乙", "评审 示例专家丙"]
    assert {item.label: item.entries for item in merged.disagreements} == {
        "第5题": ("C", "B", "C"), "质量管理*": ("二级", "二级", "三级"), "财务管理*": ("二级", "二级", "一级"),
    }  # fmt: skip
    assert codes(merged.findings) == ["E-REVIEW-DISAGREE"] and merged.blocking
    overview = {line[0]: line for line in cells(merged.data, "总览")}
    assert [overview[voice.label][4] for voice in merged.voices] == ["48.25", "45.75", "48.25"]
    numbers = {
        number
        for line in cells(merged.data, "总览")
        for cell in line
        if cell
        for number in re.findall(r"[\d.]+", str(cell))
    }
    assert not numbers & {"47.4", "47.42", "47.416667", "47.0", "47"}
    (row,) = [line for line in cells(merged.data, "分歧清单") if line[0] == 1]
    asked = next(item.text for item in assessment().questions if item.key == "q5")
    entries = ["C（5 分）", "B（2.5 分）", "C（5 分）"]
    assert row == [1, f"第5题 {asked}", "C", *entries, "评审 示例专家乙：=仅一个环节", "第二章 P12"]
    sides = {line[0]: line for line in cells(merged.data, "逐题对照")}
    assert sides["第5题"][6] == "分歧" and sides["第2题"][6] == "一致"


def test_who_left_something_out_agrees_with_nobody(reviews: Callable[..., Path]) -> None:
    partly = {key: answer for key, answer in E1_ANSWERS.items() if key not in ("q3", "q5")}
    other = reviews("丙", reviewed_answers=E1_ANSWERS | {"q5": "D"}, review_reasons={"q5": "理由"})
    merged = merge_reviews([reviews("甲"), reviews("乙", reviewed_answers=partly), other])
    states = {item.label: item.states for item in merged.items}
    assert (states["第3题"], states["第5题"], states["第1题"]) == (("有人未评",), ("分歧", "有人未评"), ("一致",))
    assert [item.message for item in merged.findings if item.code == "E-REVIEW-OPEN"] == ["2 项有人未评：第3题、第5题"]
    overview = {line[0]: line for line in cells(merged.data, "总览")}
    assert overview["评审 示例专家乙"][3:5] == ["29/31", "未评完"]


def test_agreement_of_all_is_said(reviews: Callable[..., Path]) -> None:
    merged = merge_reviews([reviews("甲"), reviews("乙")])
    assert not merged.disagreements and merged.findings == [] and not merged.blocking
    assert [
        line
        for line in cells(merged.data, "总览")
        if line[0] == "共 2 份意见，31 项：一致 31 项，分歧 0 项，有人未评 0 项。"
    ]


def test_a_second_review_is_a_voice_of_its_own(reviews: Callable[..., Path]) -> None:
    more = {
        "second_reviewer": "示例复核丁",
        "second_reviewed_answers": {"q5": "D"},
        "second_review_reasons": {"q5": "理由"},
    }
    merged = merge_reviews([reviews("甲", **more)])
    assert [voice.label for voice in merged.voices] == ["评审 示例专家甲", "复核 示例复核丁"]
    assert [item.label for item in merged.disagreements] == ["第5题"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"uscc": "91000000MA0000002W"}, "不是同一企业（统一社会信用代码"),
        ({"uscc": None, "enterprise_name": "示例另一家有限公司"}, "不是同一企业（示例另一家有限公司"),
        ({"choices": {"AMB-48": "literal"}}, "口径不同（AMB-48 literal 与 100）"),
        ({"uscc": None, "enterprise_name": None}, "没有填写企业名称和统一社会信用代码"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    more: dict[str, Any], said: str, reviews: Callable[..., Path]
) -> None:
    with pytest.raises(WorkbookRefused) as caught:
        merge_reviews([reviews("甲"), reviews("乙", **more)])
    assert caught.value.code == "E-REVIEW-MERGE" and said in caught.value.message and "乙.xlsx" in caught.value.message


def test_every_reason_for_refusing_is_given_at_once(reviews: Callable[..., Path]) -> None:
    with pytest.raises(WorkbookRefused) as caught:
        merge_reviews([reviews("甲"), reviews("乙", uscc="91000000MA0000002W", choices={"AMB-49": "national"})])
    assert caught.value.message.count("乙.xlsx 与 甲.xlsx") == 2


def test_other_pack_versions_are_refused(reviews: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from workbooks.review import merge as review_merge

    honest = read_workbook

    def otherwise(path: Path) -> ReadBook:
        held = honest(path)
        if path.stem == "乙":
            held.versions = {MATURITY: SimpleNamespace(id="另一版", hash="0" * 64)}  # type: ignore[dict-item]
        return held

    monkeypatch.setattr(review_merge, "read_workbook", otherwise)
    with pytest.raises(WorkbookRefused, match="的版本不同"):
        merge_reviews([reviews("甲"), reviews("乙")])


def test_what_is_no_review_is_refused_with_its_name(reviews: Callable[..., Path], tmp_path: Path) -> None:
    foreign = tmp_path / "图片.xlsx"
    foreign.write_bytes(b"\x89PNG")
    for path, code in ((report(tmp_path), "E-BOOK-FOREIGN"), (foreign, "E-BOOK-NOT-XLSX")):
        with pytest.raises(WorkbookRefused) as caught:
            merge_reviews([reviews("甲"), path])
        assert caught.value.code == code and path.name in str(caught.value.where)


def test_one_person_twice_is_noticed(reviews: Callable[..., Path], tmp_path: Path) -> None:
    one = reviews("甲")
    copy = save(tmp_path, "甲（副本）.xlsx", one.read_bytes())
    merged = merge_reviews([one, copy, reviews("乙")])
    assert len(merged.voices) == 2 and codes(merged.findings) == ["E-REVIEW-TWICE"] and not merged.blocking
    other = reviews(
        "丙", reviewer="示例专家甲", reviewed_answers=E1_ANSWERS | {"q5": "D"}, review_reasons={"q5": "理由"}
    )
    merged = merge_reviews([one, other])
    assert [voice.label for voice in merged.voices] == ["评审 示例专家甲（甲）", "评审 示例专家甲（丙）"]
    assert codes(merged.findings)[0] == "E-REVIEW-TWICE" and merged.blocking
    both = reviews("丁", second_reviewer="示例专家甲", second_reviewed_answers={"q5": "C"})
    assert "E-REVIEW-TWICE" in codes(merge_reviews([one, both]).findings)


def test_an_enterprise_column_that_was_changed_is_noticed(reviews: Callable[..., Path]) -> None:
    changed = reviews("乙", answers=E1_ANSWERS | {"q8": "E"}, scenes=E1_SCENES | {"finance": 3})
    (told,) = [item for item in merge_reviews([reviews("甲"), changed]).findings if item.code == "E-REVIEW-SELF"]
    assert (
        told.severity == "block" and "第8题（E 与 D）" in told.message and "财务管理*（三级 与 二级）" in told.message
    )


def test_nobody_and_nothing_are_told(reviews: Callable[..., Path]) -> None:
    nameless = reviews("乙", reviewer=None)
    empty = reviews("丙", reviewed_answers={}, reviewed_scenes={})
    merged = merge_reviews([reviews("甲"), nameless, empty])
    assert [voice.label for voice in merged.voices] == ["评审 示例专家甲", "评审（乙）"]
    assert {"E-REVIEWER", "E-REVIEW-EMPTY"} <= set(codes(merged.findings))
    assert codes(merge_reviews([reviews("甲")]).findings) == ["E-REVIEW-ALONE"]
    with pytest.raises(WorkbookRefused):
        merge_reviews([])


def test_what_blocks_in_a_file_is_carried_over_with_its_cell(reviews: Callable[..., Path]) -> None:
    merged = merge_reviews([reviews("甲"), reviews("乙", reviewed_answers=E1_ANSWERS | {"q5": "B"})])
    (wanting,) = [item for item in merged.findings if item.code == "HHHT-SELF-24"]
    assert wanting.where == "乙.xlsx:逐题评审!L10"


def test_several_opinions_on_an_enterprise_are_no_double(reviews: Callable[..., Path]) -> None:
    results = [batch.process(tasks.Task(reviews(name), None), tasks.Options()) for name in "甲乙"]
    tasks.hold_back_doubles(results)
    assert [result.state for result in results] == ["done", "done"]
    assert "E-DOUBLE-FILE" not in {finding["code"] for result in results for finding in result.findings}
    assert {outcome["status"] for result in results for outcome in result.outcomes} == {"determined"}


def test_a_merge_gives_the_same_bytes_each_time(reviews: Callable[..., Path]) -> None:
    paths = [reviews("甲"), reviews("乙", reviewed_answers=E1_ANSWERS | {"q5": "B"})]
    assert merge_reviews(paths).data == merge_reviews(paths).data


# --- the two commands


@pytest.fixture
def commands() -> typer.Typer:
    app = typer.Typer()
    app.command("review")(review_command)
    app.command("review-merge")(review_merge_command)
    return app


def test_the_command_makes_a_review_of_a_report(commands: typer.Typer, tmp_path: Path) -> None:
    output = tmp_path / "评审.xlsx"
    given = ["review", str(report(tmp_path, answers={"q3": None})), "-o", str(output)]
    done = CliRunner().invoke(commands, given, catch_exceptions=False)
    assert done.exit_code == 0 and f"已生成 {output}" in done.output
    assert values(output.read_bytes(), "o_done") == [14 + len(E1_SCENES), 0, 0]
    with pytest.raises(WorkbookError) as caught:
        CliRunner().invoke(commands, given, catch_exceptions=False, standalone_mode=False)
    assert caught.value.code == "E-EXISTS"


def test_the_command_merges_and_reports(commands: typer.Typer, reviews: Callable[..., Path], tmp_path: Path) -> None:
    paths = [str(reviews("甲")), str(reviews("乙", reviewed_answers=E1_ANSWERS | {"q5": "B"}))]
    output = tmp_path / "合并.xlsx"
    done = CliRunner().invoke(commands, ["review-merge", *paths, "-o", str(output), "--json"], catch_exceptions=False)
    document = json.loads(done.output)
    assert done.exit_code == 1 and document["format"] == "xlcalc.review-merge/1" and output.exists()
    (apart,) = [item for item in document["items"] if "分歧" in item["states"]]
    assert (apart["key"], apart["entries"], apart["self"]) == ("q5", ["C", "B"], "C")
    told = CliRunner().invoke(
        commands, ["review-merge", *paths, "-o", str(tmp_path / "2.xlsx")], catch_exceptions=False
    )
    assert "1 项分歧" in told.output


def test_the_form_is_described_by_data() -> None:
    spec: Form = form(REVIEW)
    assert spec.kind == "review" and spec.policies == (MATURITY,)
    assert {spec.data[name]["code"] for name in ("index", "override", "variance")} == {
        "HHHT-SELF-25", "HHHT-SELF-24", "HHHT-SELF-33",
    }  # fmt: skip
