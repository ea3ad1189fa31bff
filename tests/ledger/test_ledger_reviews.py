"""A third party's results: every way in which they and the ledger differ, and what is entered of them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from ledger.ledger_bench import CHAIN, CLOUD, FIRST, SECOND, A, B, C, act, code, grant, walk
from macros_bridge.ledger_command import ledger_app
from workbooks.ledger.amendments import correct_amount, withdraw_step
from workbooks.ledger.database import Ledger, open_ledger
from workbooks.ledger.integrity import check
from workbooks.ledger.questions import history
from workbooks.ledger.review_files import read_review
from xlcalc.errors import XlcalcError

WHO = ("--commit", "--operator", "经办乙", "--date", "2025-07-10", "--document", "评审函〔2025〕1号")
HEAD = "企业名称,统一社会信用代码,审核结论,审核金额（元）,第三方认定等级,不通过原因"
D, E, F, G = code(4), code(5), code(6), code(7)
RECOMMENDED = ("submit", "county_pass", "recommend")


def listed(folder: Path, *rows: str, head: str = HEAD, name: str = "第三方审核结果.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
    return path


def told(address: str, *arguments: Any, policy: str = CLOUD, batch: str = FIRST) -> dict[str, Any]:
    asked = ["review", *map(str, arguments), "--policy", policy, "--batch", batch, "--ledger", address, "--json"]
    result = CliRunner().invoke(ledger_app, asked, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return {**json.loads(result.stdout), "code": result.return_value}


def recommended(ledger: Ledger, *held: tuple[str, int]) -> None:
    for number, (uscc, yuan) in enumerate(held, 1):
        grant(ledger, uscc, CLOUD, yuan, name=f"示例{number}号机械有限公司")
        walk(ledger, uscc, CLOUD, *RECOMMENDED)


def steps(ledger: Ledger, uscc: str) -> list[tuple[str, str, str, str, date]]:
    """What the review entered for an enterprise."""
    with ledger.reading() as connection:
        return [
            (row.what.split("：")[0], row.operator, row.document, row.reason, row.day)
            for row in history(connection, uscc)
            if "专业审核" in row.what
        ]


def test_every_enterprise_is_compared_and_entered_once(ledger: Ledger, address: str, tmp_path: Path) -> None:
    """Level 2 is 10,000 元, level 3 15,000 元 (第十四条); D's file gives another amount, E's another level."""
    recommended(ledger, (A, 10000), (B, 15000), (C, 10000), (D, 10000), (E, 15000), (F, 10000))
    grant(ledger, G, CLOUD, 10000, SECOND)
    path = listed(
        tmp_path, f"示例1号机械有限公司,{A},通过,10000,二级,", f"示例2号机械有限公司,{B},核减通过,15000,三级,",
        f"示例3号机械有限公司,{C},不通过,0,,合同不在期限内", f"示例4号机械有限公司,{D},通过,15000,,",
        f"示例5号机械有限公司,{E},通过,15000,二级,", f"示例7号机械有限公司,{G},通过,10000,二级,",
        "示例8号机械有限公司,911301050000001000,通过,10000,,", "合计,,,60000,,",
    )  # fmt: skip
    wanted = {
        A: ("same", []), B: ("same", []), C: ("differs", ["结论：台账为“推荐汇总”，第三方为“不通过”"]),
        D: ("differs", ["金额：台账为 10,000.00 元，第三方为 15,000.00 元"]),
        E: ("differs", ["等级：二级对应 10,000.00 元，台账为 15,000.00 元"]), G: ("only_here", []),
        F: ("only_there", []),
    }  # fmt: skip
    compared = told(address, path)
    assert {row["uscc"]: (row["result"], row["differences"]) for row in compared["rows"] if row["uscc"]} == wanted
    (unread,) = [row for row in compared["rows"] if row["result"] == "unread"]
    assert (unread["name"], unread["uscc"]) == ("示例8号机械有限公司", "") and "末几位已丢失" in unread["note"]
    assert [row for row in compared["rows"] if row["uscc"] == G][0]["note"].endswith(f"（台账中它在批次“{SECOND}”）")
    assert steps(ledger, A) == [] and compared["code"] == 1
    for _ in range(2):
        entered = told(address, path, *WHO, "-o", tmp_path / "比对")
        assert {row["uscc"] for row in entered["rows"] if row["entered"]} == {A, B, C}
        passed = ("专业审核通过", "经办乙", "评审函〔2025〕1号", "", date(2025, 7, 10))
        assert steps(ledger, A) == steps(ledger, B) == [passed]
        assert steps(ledger, C) == [("专业审核不通过", *passed[1:3], "合同不在期限内", passed[4])]
        assert steps(ledger, D) == steps(ledger, E) == steps(ledger, F) == steps(ledger, G) == []
    correct_amount(ledger, act(reason="按第三方审核"), CLOUD, FIRST, D, 1500000)
    assert {row["uscc"] for row in told(address, path, *WHO)["rows"] if row["step"]} == {D}
    withdraw_step(ledger, act(date(2025, 7, 11), reason="误登"), CLOUD, FIRST, A)
    again = next(row for row in told(address, path, *WHO)["rows"] if row["uscc"] == A)
    assert (again["step"], again["note"][:11]) == ("", "此前已登记，其后已撤回")
    assert check(ledger) == []
    book = openpyxl.load_workbook(sorted((tmp_path / "比对").iterdir())[0])
    rows = [row for row in book.active.iter_rows(values_only=True) if isinstance(row[0], int)]
    assert rows[3][2:10] == (
        D, "推荐汇总", 10000, "通过", 15000, None, "不一致", "金额：台账为 10,000.00 元，第三方为 15,000.00 元",
    )  # fmt: skip
    assert rows[0][8:11] == ("一致", None, "已登记“专业审核通过”") and len(rows) == 8


def test_what_is_ambiguous_is_not_entered(file_address: str, tmp_path: Path) -> None:
    with open_ledger(file_address) as ledger:
        recommended(ledger, (A, 10000), (B, 10000), (C, 10000), (D, 10000))
        grant(ledger, E, CLOUD, 10000)
    head = "企业名称,统一社会信用代码,审核结论,审核金额（元）,批次"
    first = listed(
        tmp_path, f"别家有限公司,{A},通过,10000,", f",{B},通过,10000,", f",{C},基本通过,10000,",
        f",{D},通过,10000,{SECOND}", f",{E},不通过,,", head=head,
    )  # fmt: skip
    second = listed(tmp_path, f",{B},通过,10000,", head=head, name="又一份.csv")
    rows = {row["place"]: row for row in told(file_address, first, second, *WHO)["rows"]}
    found = {place.split("!")[-1]: (row["result"], row["note"]) for place, row in rows.items()}
    assert not any(row["entered"] for row in rows.values())
    assert rows["第三方审核结果.csv 第三方审核结果!A2"]["differences"] == ["名称：台账为“示例1号机械有限公司”"]
    assert [row["result"] for row in rows.values() if row["uscc"] == B] == ["twice", "twice"]
    assert found["A4"] == ("unread", "审核结论“基本通过”不是通过或不通过")
    assert found["A5"] == ("unread", f"文件写的批次是“{SECOND}”，不是“{FIRST}”")
    assert found["A6"][1] == "台账现为“草稿”；“专业审核不通过”只能在“推荐汇总”时办理"


def test_verdicts_in_the_words_of_others(tmp_path: Path) -> None:
    """What passes, what does not, and what is neither: that a person has to say."""
    passed = ("通过", "专业审核通过", "复审合格", "同意", "符合条件", "核减后通过", "是", "√")
    failed = ("不通过", "没通过", "没有通过", "审核未通过", "不予通过", "评审不合格", "不符合条件", "否", "×")
    unclear = ("基本通过", "原则同意", "没不通过", "通过率高", "待定")
    words = passed + failed + unclear
    rows = [f"{code(number)},{word}" for number, word in enumerate(words, 1)]
    read = read_review(listed(tmp_path, *rows, head="统一社会信用代码,审核结论"), FIRST)
    assert [opinion.passed for opinion in read.opinions] == [True] * len(passed) + [False] * len(failed)
    assert [word in row.why for word, row in zip(unclear, read.unread, strict=True)] == [True] * len(unclear)


def test_a_failed_review_needs_its_reason(file_address: str, tmp_path: Path) -> None:
    with open_ledger(file_address) as ledger:
        recommended(ledger, (A, 10000))
        path = listed(tmp_path, f"{A},不通过", head="统一社会信用代码,审核结果")
        assert "须写明原因" in told(file_address, path, *WHO)["rows"][0]["note"]
        assert told(file_address, path, *WHO, "--reason", "材料不全")["code"] == 0
        assert steps(ledger, A)[0][3] == "材料不全"


def test_a_file_the_ledger_refuses_enters_nothing(file_address: str, tmp_path: Path) -> None:
    """B was recommended on 30 June 2025: a review of the day before cannot be, and A's beside it is not entered."""
    with open_ledger(file_address) as ledger:
        for uscc, day in ((A, date(2025, 6, 1)), (B, date(2025, 6, 30))):
            grant(ledger, uscc, CLOUD, 10000)
            walk(ledger, uscc, CLOUD, *RECOMMENDED, day=day)
        path = listed(tmp_path, f"{A},通过", f"{B},通过", head="统一社会信用代码,审核结果")
        early = ["2025-06-29" if word == "2025-07-10" else word for word in WHO]
        with pytest.raises(XlcalcError) as refused:
            told(file_address, path, *early)
        assert (refused.value.code, refused.value.where) == ("E-LEDGER-DATE", path.name)
        assert steps(ledger, A) == []


@pytest.mark.parametrize(
    ("row", "head", "more", "policy", "batch", "wanted"),
    [
        (f"{A},10000", "统一社会信用代码,审核金额（元）", (), CLOUD, FIRST, "E-REVIEW-COLUMN"),
        ("甲,通过", "企业名称,审核结论", (), CLOUD, FIRST, "E-REVIEW-COLUMN"),
        (f"{A},通过", "统一社会信用代码,审核结论", (), CHAIN, FIRST, "E-LEDGER-REVIEW"),
        (f"{A},通过", "统一社会信用代码,审核结论", (), CLOUD, "没有的批次", "E-LEDGER-UNKNOWN"),
        (f"{A},通过", "统一社会信用代码,审核结论", ("--commit", "--operator", "甲"), CLOUD, FIRST, "E-USAGE"),
        (f"{A},通过", "统一社会信用代码,审核结论", ("--operator", "甲"), CLOUD, FIRST, "E-USAGE"),
        ("甲", "乙", (), CLOUD, FIRST, "E-TABLE-HEADING"),
    ],
)
def test_wrong_files_and_slips(
    file_address: str, tmp_path: Path, row: str, head: str, more: tuple[str, ...], policy: str, batch: str, wanted: str
) -> None:
    with open_ledger(file_address) as ledger:
        recommended(ledger, (A, 10000))
    with pytest.raises(XlcalcError) as refused:
        told(file_address, listed(tmp_path, row, head=head), *more, policy=policy, batch=batch)
    assert refused.value.code == wanted and refused.value.remedy
