"""What is written out of the ledger: who is on which sheet, with which sums, and what the public does not see."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pytest
from typer.testing import CliRunner

from ledger.ledger_bench import (
    CHAIN,
    FIRST,
    HOHHOT,
    SAAS,
    WAY_TO_VOUCHER,
    A,
    B,
    C,
    code,
    grant,
    walk,
)
from macros_bridge.ledger_command import ledger_app
from workbooks.documents.as_pdf import Document
from workbooks.documents.deadlines import after_working_days
from workbooks.ledger.database import Ledger, open_ledger
from workbooks.ledger.exports import Said, exported, history_document
from xlcalc.errors import XlcalcError

SAID = Said(office="示例市工信局", day=date(2025, 7, 1))


def cells(document: Document) -> list[list[Any]]:
    """The rows of every sheet, empty cells left out."""
    book = openpyxl.load_workbook(io.BytesIO(document.data))
    found = [[cell for cell in row if cell is not None] for sheet in book for row in sheet.iter_rows(values_only=True)]
    return [row for row in found if row]


def made(ledger: Ledger, kind: str, policy: str = SAAS, said: Said = SAID) -> list[Document]:
    with ledger.reading() as connection:
        return exported(connection, kind, policy, FIRST, said)


def test_every_sheet_of_a_batch(ledger: Ledger) -> None:
    """A is paid next, B's voucher was taken back, C is in 公示 with an objection settled, the fourth not yet there."""
    for number, yuan in ((1, 72000), (2, 50000), (3, 60000), (4, 1000)):
        grant(ledger, code(number), SAAS, yuan, name=f"示例{number}号机械有限公司 电话13800001234")
    for uscc in (A, B, C):
        walk(ledger, uscc, SAAS, *WAY_TO_VOUCHER[:-1])
    walk(ledger, C, SAAS, "object", "dismiss", day=date(2025, 7, 2))
    walk(ledger, A, SAAS, "issue", "serve", "accept")
    walk(ledger, B, SAAS, "issue", "serve", "rectify", day=date(2025, 8, 1))
    walk(ledger, B, SAAS, "inspect_again", "recover", day=date(2025, 9, 1))
    (issued,) = made(ledger, "issued")
    rows = cells(issued)
    assert [row[2:] for row in rows if row[0] in (1, 2)] == [
        [A, "2025年6月30日", 72000, "评测认定通过"],
        [B, "2025年8月1日", 50000, "收回", "2025年9月1日", 50000, "示例原因"],
    ]
    assert ["合计（2 张）", 122000, 50000] in rows
    assert ["发券金额扣除收回、取消后：72,000.00 元，人民币柒万贰仟元整。"] in rows
    (payment,) = made(ledger, "payment")
    assert [row[2:] for row in cells(payment) if row[0] == 1] == [[A, 72000, "柒万贰仟元整"]]
    (publicity,) = made(
        ledger, "publicity", said=Said(start=date(2025, 7, 1), end=after_working_days(date(2025, 7, 1), 5))
    )
    rows = cells(publicity)
    assert [row for row in rows if row[0] == 1] == [[1, "示例3号机械有限公司 电话138****1234", 60000]]
    assert "13800001234" not in str(rows) and C not in str(rows) and "2025年7月8日" in str(rows)
    (notice,) = made(ledger, "recovery")
    text = "\n".join(paragraph.text for paragraph in docx.Document(io.BytesIO(notice.data)).paragraphs)
    assert "50,000.00 元（大写：人民币伍万元整）" in text and "原因：示例原因" in text
    assert "2025年8月1日验收未通过，整改后于2025年9月1日复验" in text
    (objections,) = made(ledger, "objections")
    (row,) = [row for row in cells(objections) if row[0] == 1]
    assert row[2:] == [C, 60000, "2025年7月2日", "示例原因", "经办甲", "异议排除", "2025年7月2日", "示例原因"]
    with ledger.reading() as connection:
        rows = cells(history_document(connection, B.lower(), SAID))
    assert ["合计", 0] in rows and [row[5] for row in rows if row[0] == 2 and len(row) > 5][0] == 50000
    # A number in the name of an enterprise is masked before it is kept.
    assert "13800001234" not in str(cells(issued)) + notice.name
    assert all("示例市工信局" in str(cells(document)) for document in (issued, payment, objections))


def test_an_open_objection_holds_up_the_payment(ledger: Ledger) -> None:
    for uscc, yuan in ((A, 350000), (B, 100000)):
        grant(ledger, uscc, HOHHOT, yuan)
        walk(ledger, uscc, HOHHOT, "file", "examine", "qualify", "pass")
    walk(ledger, B, HOHHOT, "object")
    rows = cells(made(ledger, "payment", HOHHOT)[0])
    assert ["合计（1 家）", 350000, "人民币叁拾伍万元整"] in [row[:3] for row in rows]
    assert any("因异议尚未排除暂不拨付" in str(row) for row in rows)


def test_an_objection_before_the_voucher_is_said_under_the_payment_and_beside_the_public_list(
    file_ledger: Ledger,
) -> None:
    for uscc, yuan, name in ((A, 72000, "示例甲厂"), (B, 50000, "示例乙厂"), (C, 60000, "示例丙厂")):
        grant(file_ledger, uscc, SAAS, yuan, name=name)
        walk(file_ledger, uscc, SAAS, *WAY_TO_VOUCHER[:-1])
    walk(file_ledger, A, SAAS, "issue", "serve", "accept", day=date(2025, 7, 20))
    walk(file_ledger, B, SAAS, "object", day=date(2025, 7, 2))
    rows = cells(made(file_ledger, "payment")[0])
    assert [row[1:] for row in rows if row[0] == 1] == [["示例甲厂", A, 72000, "柒万贰仟元整"]]
    # The ledger keeps no levels, so there is no column for them.
    assert "等级" not in str(rows) and "合计（1 家）" in str(rows)
    assert any("因异议尚未排除暂不拨付：示例乙厂。" in row for row in rows)
    rows = cells(made(file_ledger, "publicity")[0])
    assert [row[1] for row in rows if row[0] in (1, 2)] == ["示例乙厂", "示例丙厂"]
    assert ["（不打印）异议尚未排除：示例乙厂。请核对是否列入"] in rows


@pytest.mark.parametrize(
    ("kind", "policy", "wanted"),
    [
        ("issued", SAAS, "E-DOCUMENT-EMPTY"), ("issued", CHAIN, "E-DOCUMENT-STEP"),
        ("payment", SAAS, "E-DOCUMENT-EMPTY"), ("publicity", SAAS, "E-DOCUMENT-EMPTY"),
        ("recovery", SAAS, "E-DOCUMENT-EMPTY"), ("objections", SAAS, "E-DOCUMENT-EMPTY"),
        ("objections", CHAIN, "E-DOCUMENT-STEP"), ("payment", HOHHOT, "E-LEDGER-UNKNOWN"),
    ],
)  # fmt: skip
def test_nobody_to_list(file_ledger: Ledger, kind: str, policy: str, wanted: str) -> None:
    grant(file_ledger, A, SAAS, 1000)
    grant(file_ledger, A, CHAIN, 500000)
    with pytest.raises(XlcalcError) as caught:
        made(file_ledger, kind, policy)
    assert caught.value.code == wanted


def test_the_command_writes_and_never_over(file_address: str, tmp_path: Path) -> None:
    with open_ledger(file_address) as ledger:
        grant(ledger, A, SAAS, 1000)

    def export(*arguments: str) -> Any:
        return CliRunner().invoke(
            ledger_app, ["export", *arguments, "--ledger", file_address, "-o", str(tmp_path / "表")]
        )

    assert export("history", "--enterprise", A).stdout.count("已生成") == 1
    assert "（2）" in export("history", "--enterprise", A).stdout
    batch = ("--policy", SAAS, "--batch", FIRST)
    for kind in ("issued", "payment", "publicity", "objections"):
        fault = export(kind, *batch, "--document", "示例〔2025〕1号").exception
        assert fault.code == "E-USAGE" and "用不到 --document" in fault.message
    for option in (("--start", "2025-07-01"), ("--codes",), ("--enterprise", A)):
        assert f"用不到 {option[0]}" in export("payment", *batch, *option).exception.message
    for arguments in (("history",), ("issued", "--policy", SAAS), ("别的",)):
        assert export(*arguments).exception.code == "E-USAGE"
    assert export("history", "--enterprise", A[:17]).exception.code == "E-LEDGER-CODE"
