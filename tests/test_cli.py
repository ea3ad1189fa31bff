"""The command line: stable shapes on stdout, one Chinese line on stderr, exit codes as in the contract."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from workbench import (
    CLOUD,
    CLOUD_COMPANY,
    CLOUD_VOUCHER,
    E1_ANSWERS,
    E1_SCENES,
    FORM,
    HOHHOT_COMPANY,
    MATURITY,
    SUBSIDY,
    TEMPLATES,
    e1,
    filled,
    place,
    save,
    typed,
    value,
    with_cell,
)

from macros_bridge import cli
from workbooks.batch.journal import DATABASE_NAME, LOG_NAME
from workbooks.batch.tasks import JSONL_NAME, RECORDS_NAME, REPORT_NAME, RESULT_MARK, TABLE_NAME

POLICIES = [
    "hohhot.maturity_2024", "hohhot.transformation_subsidy", "national.maturity_2024", "national.sme_size_2011",
    "shijiazhuang.benchmark_sme", "shijiazhuang.chain_case", "shijiazhuang.cloud_voucher", "shijiazhuang.saas_voucher",
    "zaozhuang.demonstration_platform",
]  # fmt: skip
FORMS = sorted(path.stem for path in (Path(__file__).parents[1] / "workbooks" / "forms").glob("*.toml"))


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def xlcalc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Calls the command line in this process, from a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def call(*args: object, stdin: str | None = None) -> Said:
        import io

        monkeypatch.setattr(sys, "argv", ["xlcalc", *map(str, args)])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0
        return Said(code, *capsys.readouterr())

    return call


def write(name: str, facts: Any) -> str:
    Path(name).write_text(facts if isinstance(facts, str) else json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    return name


def chinese(text: str) -> bool:
    return any("一" <= sign <= "鿿" for sign in text)


SUBSIDY_FACTS = {name: given for name, given in HOHHOT_COMPANY.items() if name not in ("form_date",)}
OUTCOME_KEYS = {
    "format", "policy", "version", "pack_hash", "library", "status", "results", "payable", "missing", "attested",
    "findings", "choices", "basis", "steps",
}  # fmt: skip


# --- listings


def test_packs(xlcalc: Run) -> None:
    said = xlcalc("packs", "--json")
    assert said.code == 0 and said.err == "" and said.json["format"] == "xlcalc.packs/1"
    assert [pack["id"] for pack in said.json["packs"]] == POLICIES
    for pack in said.json["packs"]:
        assert {"id", "label", "issuer", "checked_on", "versions"} <= set(pack) and pack["versions"]
    plain = xlcalc("packs")
    assert plain.code == 0 and all(policy in plain.out for policy in POLICIES) and "AMB-31" in plain.out


def test_packs_check(xlcalc: Run) -> None:
    assert xlcalc("packs", "check", "--json").json == {"format": "xlcalc.packs-check/1", "checked": POLICIES}
    said = xlcalc("packs", "check")
    assert (said.code, said.err) == (0, "") and "9 个政策包" in said.out


@pytest.mark.parametrize("policy", POLICIES)
def test_facts(policy: str, xlcalc: Run) -> None:
    said = xlcalc("facts", policy, "--json")
    assert (said.code, said.json["format"], said.json["policy"]) == (0, "xlcalc.facts/1", policy)
    rows = said.json["facts"]
    assert all({"id", "label", "type", "unit", "required", "clause"} <= set(row) for row in rows)
    ids = [row["id"] for row in rows]
    assert len(ids) == len(set(ids)) and "application_date" in ids
    wanted = {"recognised_cost", "period_end"} if policy == SUBSIDY else {"maturity_level"} - {"maturity_level"}
    assert wanted <= set(ids)
    plain = xlcalc("facts", policy)
    assert plain.code == 0 and all(row["label"] in plain.out for row in rows)


def test_facts_names_units_and_clauses(xlcalc: Run) -> None:
    rows = {row["id"]: row for row in xlcalc("facts", SUBSIDY, "--json").json["facts"]}
    assert (rows["recognised_cost"]["type"], rows["recognised_cost"]["unit"]) == ("money", "元")
    assert rows["on_pilot_list"]["required"] and rows["on_pilot_list"]["clause"]


def test_templates(xlcalc: Run) -> None:
    said = xlcalc("templates", "--json")
    assert said.code == 0 and said.json["format"] == "xlcalc.templates/1"
    assert [set(row) for row in said.json["templates"]] == [{"id", "title", "policies"}] * len(FORMS)
    assert [row["id"] for row in said.json["templates"]] == FORMS and set(TEMPLATES) <= set(FORMS)
    assert "SaaS 化服务企业推荐表" in xlcalc("templates").out


# --- calc


def test_calc_gives_the_outcome_of_the_contract(xlcalc: Run) -> None:
    """The example of the contract: 50万元 at 三级 is 25万元, 35万元 under the other reading."""
    facts = write("f.json", SUBSIDY_FACTS | {"maturity_level": 3, "on_pilot_list": None})
    said = xlcalc("calc", SUBSIDY, facts, "--json")
    got = said.json
    assert (said.code, said.err) == (0, "") and set(got) >= OUTCOME_KEYS
    assert (got["format"], got["policy"], got["version"]) == ("xlcalc.outcome/1", SUBSIDY, "2024-07-01")
    assert got["status"] == "not_determined" and got["payable"] is None and got["missing"] == ["on_pilot_list"]
    assert got["results"] == {"subsidy": {"fen": 25000000, "yuan": "250000.00"}, "maturity_level": 3}
    assert got["choices"] == [
        {
            "id": "AMB-31",
            "chosen": "literal",
            "alternatives": {"max_of_lower_levels": {"subsidy": {"fen": 35000000, "yuan": "350000.00"}}},
        }
    ]
    for found in got["findings"]:
        assert set(found) == {"code", "severity", "clause", "message", "where"}
        assert found["severity"] in ("block", "warn", "info", "human")
    assert got["basis"] == "quoted" and got["steps"]


def test_calc_from_standard_input_and_in_words(xlcalc: Run) -> None:
    said = xlcalc("calc", SUBSIDY, "-", stdin=json.dumps(SUBSIDY_FACTS))
    assert (said.code, said.err) == (0, "")
    assert "500,000.00 元 × 70% = 350,000.00 元" in said.out and "申报指南 2" in said.out
    with pytest.raises(json.JSONDecodeError):
        json.loads(said.out)


@pytest.mark.parametrize(
    ("more", "args", "status", "payable"),
    [
        ({}, [], "determined", 35_000_000),
        ({"on_pilot_list": False}, [], "not_eligible", 0),
        ({"on_pilot_list": None}, [], "not_determined", None),
        ({}, ["--on", "2025-10-31"], "determined", 35_000_000),
        ({}, ["--on", "2025-11-01"], "not_eligible", 0),
        ({"maturity_level": 3}, ["--choose", "AMB-31=max_of_lower_levels"], "determined", 35_000_000),
        ({"maturity_level": 3}, ["--choose", "AMB-31=literal"], "determined", 25_000_000),
    ],
)
def test_calc_is_0_whatever_the_status(more: Any, args: list[str], status: str, payable: Any, xlcalc: Run) -> None:
    said = xlcalc("calc", SUBSIDY, write("f.json", SUBSIDY_FACTS | more), *args, "--json")
    assert (said.code, said.json["status"]) == (0, status)
    assert said.json["payable"] == (None if payable is None else {"fen": payable, "yuan": f"{payable / 100:.2f}"})


def test_calc_not_in_force(xlcalc: Run) -> None:
    said = xlcalc("calc", CLOUD_VOUCHER, write("f.json", {"maturity_level": 2}), "--on", "2024-12-31", "--json")
    assert (said.code, said.json["status"], said.json["payable"]["fen"]) == (0, "not_in_force", 0)


def test_calc_an_assessment(xlcalc: Run) -> None:
    facts = {"answers": E1_ANSWERS, "scenes": E1_SCENES}
    got = xlcalc("calc", MATURITY, write("f.json", facts), "--json").json
    assert got["results"]["score"] == "48.25" and got["results"]["maturity_level"] == 2
    assert (got["results"]["scenes_at_level"], got["results"]["mandatory_at_level"]) == (6, 5)
    gap = got["results"]["gap_to_next"]
    assert (gap["level"], gap["points"], gap["scenes"], gap["mandatory"]) == (3, "11.75", 8, 5)
    assert got["payable"] is None


def test_an_unanswered_question_is_no_error(xlcalc: Run) -> None:
    for empty in ([], None):
        facts = {"answers": E1_ANSWERS | {"q9": empty}, "scenes": E1_SCENES}
        said = xlcalc("calc", MATURITY, write("f.json", facts), "--json")
        assert (said.code, said.json["status"]) == (0, "not_determined")
        assert "q9" in "".join(said.json["missing"]) and "score" not in said.json["results"]


# --- what is wrong, in one line or one document


def _answers(**more: Any) -> Any:
    return {"answers": E1_ANSWERS | more, "scenes": E1_SCENES}


BAD_CALC: list[tuple[str, list[str], Any, str]] = [
    ("a bare number", [SUBSIDY], {"recognised_cost": 500000}, "E-UNIT"),
    ("a number as text", [SUBSIDY], {"recognised_cost": "500000"}, "E-UNIT"),
    ("a fraction of a fen", [SUBSIDY], {"recognised_cost": "0.001元"}, "E-MONEY"),
    ("a negative amount", [SUBSIDY], {"recognised_cost": "-1元"}, "E-NEGATIVE"),
    ("an unknown fact", [SUBSIDY], {"recognized_cost": "50万元"}, "E-FACT"),
    ("an unknown policy", ["hohhot.subsidy"], {}, "E-POLICY"),
    ("a bad level", [SUBSIDY], {"maturity_level": 5}, "E-LEVEL"),
    ("a bad date", [SUBSIDY], {"application_date": "2025-02-30"}, "E-DATE"),
    ("a bad yes or no", [SUBSIDY], {"is_sme": "也许"}, "E-BOOL"),
    ("a bad option", [SUBSIDY], {"industry": "养殖"}, "E-OPTION"),
    ("a bad day of filing", [SUBSIDY, "--on", "昨天"], {}, "E-DATE"),
    ("an unknown choice", [SUBSIDY, "--choose", "AMB-999=x"], {}, "E-CHOICE"),
    ("an unknown option of a choice", [SUBSIDY, "--choose", "AMB-31=highest"], {}, "E-CHOICE"),
    ("a choice without a value", [SUBSIDY, "--choose", "AMB-31"], {}, "E-CHOICE"),
    ("a doubled key", [SUBSIDY], '{"maturity_level": 2, "maturity_level": 3}', "E-DOUBLE-KEY"),
    ("no JSON", [SUBSIDY], "{maturity_level: 2", "E-JSON"),
    ("a list", [SUBSIDY], [], "E-JSON"),
    ("nesting without end", [SUBSIDY], "[" * 100_000, "E-JSON"),
    ("none and others", [MATURITY], _answers(q1=["A", "B"]), "E-TICK-NONE"),
    ("two ticks of one", [MATURITY], _answers(q2=["B", "C"]), "E-TICK-SINGLE"),
    ("an unknown option of a question", [MATURITY], _answers(q2="Z"), "E-ANSWER"),
    ("more digital machines than machines", [MATURITY], _answers(q2={"total": 3, "digital": 4}), "E-FIGURE"),
]


@pytest.mark.parametrize(("args", "facts", "code"), [case[1:] for case in BAD_CALC], ids=[case[0] for case in BAD_CALC])
def test_bad_input_is_one_line_or_one_document(args: list[str], facts: Any, code: str, xlcalc: Run) -> None:
    policy, *options = args
    path = write("f.json", facts)
    plain = xlcalc("calc", policy, path, *options)
    assert (plain.code, plain.out) == (2, "")
    assert plain.err.startswith(f"[{code}] ") and plain.err.count("\n") == 1 and chinese(plain.err)
    assert "Traceback" not in plain.err and plain.err.endswith("。\n")
    as_json = xlcalc("calc", policy, path, *options, "--json")
    assert (as_json.code, as_json.err) == (2, "")
    got = as_json.json
    assert set(got) == {"format", "code", "message", "where", "remedy"}
    assert (got["format"], got["code"]) == ("xlcalc.error/1", code) and chinese(got["message"]) and got["remedy"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["calc", SUBSIDY, "没有.json"], "E-FILE"),
        (["read", "没有.xlsx"], "E-FILE"),
        (["explain", "没有.xlsx"], "E-FILE"),
        (["check", "没有.xlsx"], "E-FILE"),
        (["recalc", "没有.xlsx", "-o", "out"], "E-FILE"),
        (["read", "坏.xlsx"], "E-BOOK-EMPTY"),
        (["explain", "坏.xlsx"], "E-BOOK-EMPTY"),
        (["facts", "hohhot.subsidy"], "E-POLICY"),
        (["template", "hohhot.self", "-o", "a.xlsx"], "E-TEMPLATE"),
        (["template", FORM, "-o", "a.xls"], "E-SUFFIX"),
        (["template", FORM, "-o", "坏.xlsx"], "E-EXISTS"),
        (["template", FORM, "-o", "a.xlsx", "--facts", "没有.json"], "E-FILE"),
        (["template", FORM, "-o", "坏.xlsx/b.xlsx"], "E-IO"),
        (["recalc", "坏.xlsx", "-o", "out", "--engine", "excel"], "E-ENGINE"),
        (["recalc", "坏.xlsx", "-o", "out", "--choose", "AMB-999=x"], "E-CHOICE"),
        (["recalc", "坏.xlsx", "-o", "out", "--on", "昨天"], "E-DATE"),
        (["recalc", "坏.xlsx", "-o", "坏.xlsx"], "E-IO"),
        (["compute"], "E-USAGE"),
        (["calc", SUBSIDY], "E-USAGE"),
        (["calc", SUBSIDY, "f.json", "--fast"], "E-USAGE"),
        (["recalc", "坏.xlsx"], "E-USAGE"),
        (["recalc", "坏.xlsx", "-o", "out", "--jobs", "many"], "E-USAGE"),
        (["packs", "chek"], "E-USAGE"),
        (["merge", "坏.xlsx"], "E-USAGE"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_2_and_one_line(args: list[str], code: str, xlcalc: Run) -> None:
    Path("坏.xlsx").write_bytes(b"")
    said = xlcalc(*args)
    assert (said.code, said.out) == (2, ""), said
    assert said.err.startswith(f"[{code}] ") and said.err.count("\n") == 1 and chinese(said.err)
    assert not Path("out").exists() and not Path("a.xlsx").exists()


# --- workbooks


def test_template_read_and_calc_go_round(xlcalc: Run) -> None:
    facts = write("f.json", e1())
    said = xlcalc("template", FORM, "-o", "新.xlsx", "--facts", facts)
    assert (said.code, said.err) == (0, "") and "新.xlsx" in said.out
    document = xlcalc("read", "新.xlsx", "--json").json
    assert document["format"] == "xlcalc.read/1"
    (file,) = document["files"]
    assert set(file) == {"path", "template", "template_version", "records"}
    assert (file["path"], file["template"]) == ("新.xlsx", FORM)
    (record,) = file["records"]
    assert set(record) == {"key", "where", "facts", "findings"} and record["key"] == HOHHOT_COMPANY["uscc"]
    assert record["facts"]["recognised_cost"] == "500000.00元" and record["facts"]["answers"] == E1_ANSWERS
    again = xlcalc("calc", SUBSIDY, write("g.json", record["facts"]), "--json")
    assert again.json["payable"]["fen"] == 35_000_000
    plain = xlcalc("read", "新.xlsx")
    assert plain.code == 0 and "核定投入：500000.00元" in plain.out and "示例云溪食品有限公司" in plain.out


def test_template_of_many_rows_under_another_choice(xlcalc: Run) -> None:
    rows = [CLOUD_COMPANY | {"enterprise_name": f"企业{n}", "uscc": None, "saas_reduction_to_date": "95000元"}
            for n in range(2)]  # fmt: skip
    said = xlcalc("template", CLOUD, "-o", "表.xlsx", "--facts", write("f.json", rows), "--choose", "AMB-01=saas_only")
    assert said.code == 0
    data = Path("表.xlsx").read_bytes()
    assert (value(data, "t_face_value"), value(data, "choice_AMB_01")) == (15000, "saas_only")
    assert len(xlcalc("read", "表.xlsx", "--json").json["files"][0]["records"]) == 2


@pytest.mark.parametrize("form", TEMPLATES)
def test_a_blank_template(form: str, xlcalc: Run) -> None:
    assert xlcalc("template", form, "-o", "空.xlsx").code == 0
    assert xlcalc("check", "空.xlsx").code in (0, 1)
    assert xlcalc("read", "空.xlsx").code == 0


def test_template_with_unusable_facts(xlcalc: Run) -> None:
    said = xlcalc("template", FORM, "-o", "a.xlsx", "--facts", write("f.json", {"recognised_cost": 5}))
    assert said.code == 2 and said.err.startswith("[E-UNIT] f.json:recognised_cost") and not Path("a.xlsx").exists()


def test_findings_of_a_file_name_their_cell(xlcalc: Run, tmp_path: Path) -> None:
    data = with_cell(filled(FORM, e1()), "i_recognised_cost", "<f>1+1</f><v>2</v>")
    save(tmp_path, "甲.xlsx", data)
    where = str(place(data, "i_recognised_cost"))
    (record,) = xlcalc("read", "甲.xlsx", "--json").json["files"][0]["records"]
    assert [found["where"] for found in record["findings"] if found["code"] == "E-CELL-FORMULA"] == [where]
    assert "recognised_cost" not in record["facts"]
    said = xlcalc("check", "甲.xlsx")
    assert said.code == 1 and f"[E-CELL-FORMULA] 甲.xlsx {where}" in said.out and said.err == ""


def test_check_and_recalc_exit_codes(xlcalc: Run, tmp_path: Path) -> None:
    save(tmp_path, "好/甲.xlsx", filled(FORM, e1()))
    save(tmp_path, "不符/乙.xlsx", filled(CLOUD, CLOUD_COMPANY | {"on_pilot_list": False}))
    save(tmp_path, "坏/丙.xlsx", b"")
    for name, code in (("好", 0), ("不符", 1), ("坏", 1), (".", 1)):
        said = xlcalc("check", name, "--jobs", 1)
        assert (said.code, said.err) == (code, ""), name
        document = xlcalc("check", name, "--json", "--jobs", 1)
        assert document.code == code and document.json["format"] == "xlcalc.run/1"
    assert not Path("out").exists()
    document = xlcalc("recalc", "好", "不符", "坏", "-o", "out", "--json", "--jobs", 1)
    assert (document.code, document.err) == (1, "")
    assert set(document.json) == {"format", "files", "skipped", "totals"}
    assert document.json["totals"]["payable"]["fen"] == 35_000_000
    states = {Path(file["path"]).name: file["state"] for file in document.json["files"]}
    assert states == {"甲.xlsx": "done", "乙.xlsx": "done", "丙.xlsx": "refused"}
    for file in document.json["files"]:
        assert set(file) == {"path", "output", "state", "outcomes", "findings"}
        assert (file["output"] is None) is (file["state"] != "done")
        assert all(set(outcome) >= OUTCOME_KEYS for outcome in file["outcomes"])
    assert {path.name for path in Path("out").rglob("*")} == {
        "好", "不符", REPORT_NAME, JSONL_NAME, TABLE_NAME, RECORDS_NAME, DATABASE_NAME, LOG_NAME,
        f"甲{RESULT_MARK}.xlsx", f"乙{RESULT_MARK}.xlsx",
    }  # fmt: skip


def test_what_is_missing_is_told_with_its_cell(xlcalc: Run, tmp_path: Path) -> None:
    """check names every fact and the cell to fill in, recalc in a line why nothing is payable; the exit code is 0."""
    rows = [CLOUD_COMPANY | {"enterprise_name": f"示例企业{n}", "uscc": None} for n in range(3)]
    rows[0] |= {"pilot_end": None, "maturity_level": None}
    rows[1] |= {"on_pilot_list": False}
    data = filled(CLOUD, *rows)
    save(tmp_path / "in", "上云.xlsx", data)
    said = xlcalc("check", "in")
    level = place(data, "t_maturity_level", 0)
    (line,) = [line for line in said.out.splitlines() if line.startswith("[E-MISSING]")]
    assert f"上云.xlsx {level.sheet}!" in line and f"验收等级（{level.ref}）" in line and "试点期截止日期（" in line
    said = xlcalc("recalc", "in", "-o", "out")
    (line,) = [line for line in said.out.splitlines() if line.startswith("上云.xlsx：")]
    assert "不符合条件 1 项，示例企业1：[SJZ-CLOUD-10] 申报企业须为试点企业" in line
    assert "尚不能确定 1 项，示例企业0：尚缺" in line and "验收等级" in line
    save(tmp_path / "缺", "缺.xlsx", filled(CLOUD, rows[0]))
    for name in ("一.xlsx", "二.xlsx"):
        save(tmp_path / "重", name, filled(CLOUD, CLOUD_COMPANY))
    said = xlcalc("recalc", "重", "-o", "out3")
    assert (
        f"二.xlsx：尚不能确定 1 项，{CLOUD_COMPANY['enterprise_name']}：[E-DOUBLE-FILE] 见上" in said.out.splitlines()
    )
    assert (xlcalc("check", "缺").code, xlcalc("recalc", "缺", "-o", "out2").code) == (0, 0)


def test_what_the_ledger_refuses_is_said_once(xlcalc: Run, tmp_path: Path) -> None:
    book = ("--ledger", "台账.db", "--batch", "第一批", "--commit", "--operator", "张三", "--date", "2025-06-30")
    xlcalc("ledger", "init", "--ledger", "台账.db")
    for level, code in (("二级", 0), ("三级", 1)):
        save(tmp_path / "in", "上云.xlsx", filled(CLOUD, CLOUD_COMPANY | {"maturity_level": level}))
        said = xlcalc("recalc", "in", "-o", "out", *book)
        assert (said.code, said.out.count("E-LEDGER-GRANTED")) == (code, code)


def test_recalc_in_words(xlcalc: Run, tmp_path: Path) -> None:
    save(tmp_path, "好/甲.xlsx", typed(filled(FORM, e1()), {"o_total": 99}))
    said = xlcalc("recalc", "好", "-o", "out", "--on", "2025-09-01", "--choose", "AMB-31=literal")
    assert (said.code, said.err) == (0, "")
    assert "共 1 份：已核算 1，拒绝 0，失败 0" in said.out and "可拨付合计 350000.00 元" in said.out
    assert REPORT_NAME in said.out
    assert value((tmp_path / "out" / f"甲{RESULT_MARK}.xlsx").read_bytes(), "o_total") == 48.25


def test_explain_a_file_and_facts(xlcalc: Run, tmp_path: Path) -> None:
    save(tmp_path, "甲.xlsx", filled(FORM, e1()))
    said = xlcalc("explain", "甲.xlsx")
    assert (said.code, said.err) == (0, "")
    assert (
        "示例云溪食品有限公司" in said.out and "48.25" in said.out and "500,000.00 元 × 70% = 350,000.00 元" in said.out
    )
    facts = xlcalc("explain", SUBSIDY, write("f.json", SUBSIDY_FACTS))
    assert (facts.code, facts.err) == (0, "") and "申报指南 2" in facts.out
    other = xlcalc("explain", "甲.xlsx", "--on", "2025-11-01")
    assert other.code == 0 and "不符合条件" in other.out


def test_demo(xlcalc: Run) -> None:
    said = xlcalc("demo", "-o", "示例", "--count", 8)
    assert said.code in (0, 1) and said.err == ""
    assert "已核算 8，拒绝 3，失败 0" in said.out
    templates = [path.name for path in Path("示例/空白模板").iterdir()]
    assert len(templates) == len(FORMS) and all(any(f"（{form}）" in name for name in templates) for form in FORMS)
    first = (Path("示例/核算结果") / JSONL_NAME).read_bytes()
    assert first.count(b"\n") >= 8
    # what someone has filled in is never deleted: the next demonstration goes beside it
    assert xlcalc("demo", "-o", "示例", "--count", 8).code == said.code
    assert (Path("示例/核算结果") / JSONL_NAME).read_bytes() == first
    second = (Path("示例-2/核算结果") / JSONL_NAME).read_text(encoding="utf-8")
    assert second == first.decode().replace("示例/已填写", "示例-2/已填写")


def test_demo_in_the_folder_one_stands_in(xlcalc: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, expected in (("空", "空"), ("满", "满-2")):
        here = tmp_path / name
        here.mkdir()
        if name == "满":
            save(here, "我的.txt", b"a")
        monkeypatch.chdir(here)
        assert xlcalc("demo", "-o", ".", "--count", 1).err == ""
        assert (tmp_path / expected / "核算结果" / JSONL_NAME).exists()


# --- as a program of its own


def program(*args: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "macros_bridge.cli", *args],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | environment,
        timeout=60,
        check=False,
    )


def test_the_program_itself() -> None:
    good = program("calc", SUBSIDY, "-", "--json", stdin=json.dumps(SUBSIDY_FACTS))
    assert (good.returncode, good.stderr) == (0, "") and json.loads(good.stdout)["payable"]["fen"] == 35_000_000
    bad = program("calc", SUBSIDY, "-", stdin='{"recognised_cost": 1}')
    assert (bad.returncode, bad.stdout) == (2, "") and bad.stderr.startswith("[E-UNIT] 标准输入:recognised_cost")
    help_text = program("--help")
    assert help_text.returncode == 0 and "recalc" in help_text.stdout


def test_the_program_returns_1_for_a_refused_file(tmp_path: Path) -> None:
    save(tmp_path, "坏.xlsx", b"")
    said = program("check", str(tmp_path))
    assert said.returncode == 1 and "[E-BOOK-EMPTY]" in said.stdout and said.stderr == ""
