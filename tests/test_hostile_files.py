"""What people and attackers send: every kind ends in one Chinese line that says what to do, or in a marked result."""

from __future__ import annotations

import io
import os
import random
import re
import socket
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import pytest
import workbench
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.formatting.rule import CellIsRule, FormulaRule, IconSetRule, Rule
from openpyxl.styles import Color, Font, PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.numbers import NumberFormat
from workbench import (
    CLOUD,
    CLOUD_COMPANY,
    FORM,
    SAAS,
    SAAS_COMPANY,
    TEMPLATES,
    e1,
    edited,
    filled,
    members,
    part_of,
    place,
    rezipped,
    row,
    save,
    typed,
    with_cell,
)

from workbooks.batch import run as batch
from workbooks.batch.report import write_report
from workbooks.batch.run import process, run
from workbooks.batch.tasks import RESULT_MARK, FileResult, Options, Skipped, Task, find_tasks, shown, survey
from workbooks.files import package
from workbooks.files.package import Package
from workbooks.files.prescan import DEFAULT_LIMITS, Limits, form_limits
from workbooks.form import forms
from workbooks.out_of_sight import HIDDEN_COLUMNS, HIDDEN_ROWS
from workbooks.recalc import recalculate_package
from workbooks.template import build_template, draft_template
from xlcalc import load_policy
from xlcalc.errors import InputError, WorkbookRefused, XlcalcError

GOOD = filled(CLOUD, CLOUD_COMPANY)
REPORT = filled(FORM, e1())
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
SHEET = part_of(REPORT, place(REPORT, "i_recognised_cost").sheet)
BIFF = b"\x09\x08\x10\x00" + b"\0" * 16


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def held(name: str, content: bytes, data: bytes = REPORT) -> bytes:
    """The package with one more member, or another content for one."""
    return rezipped(members(data) | {name: content})


def inserted(before: str, text: str, part: str = SHEET, data: bytes = REPORT) -> bytes:
    return edited(data, part, lambda xml: xml.replace(before, text + before, 1))


def cell_at(ref: str) -> bytes:
    """A number typed far out, in a row of its own or at the end of one that is there."""
    number = int(ref.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    cell = f'<c r="{ref}"><v>1</v></c>'
    if number == 1:
        return edited(REPORT, SHEET, lambda xml: re.sub(r'(<row r="1"[^>]*>.*?)(</row>)', rf"\1{cell}\2", xml, count=1))
    return inserted("</sheetData>", f'<row r="{number}">{cell}</row>')


def strings(count: int) -> bytes:
    """Shared strings nobody needs, of many words, so that no ratio gives them away."""
    rare = random.Random(5)
    items = b"".join(b"<si><t>%x</t></si>" % rare.getrandbits(40) for _ in range(count))
    return held("xl/sharedStrings.xml", b"<sst>" + items + b"</sst>")


def gbk_zip() -> bytes:
    """An archive as a Chinese Windows makes it: names in GBK, one with the byte of a backslash."""
    data = rezipped({"AAAA.xlsx": GOOD, "b.txt": b"b"})
    return data.replace(b"AAAA.xlsx", "誠表".encode("gbk") + b".xlsx")


def encrypted_zip() -> bytes:
    data = bytearray(rezipped({"a.xlsx": GOOD}))
    struct.pack_into("<H", data, 6, 1)
    struct.pack_into("<H", data, data.rfind(b"PK\x01\x02") + 8, 1)
    return bytes(data)


def twice(name: str) -> bytes:
    stream = io.BytesIO(GOOD)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(name, b"<workbook/>")
    return stream.getvalue()


def merged(areas: str) -> bytes:
    return inserted("</worksheet>", f"<mergeCells>{areas}</mergeCells>")


def foreign() -> bytes:
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    return stream.getvalue()


MANY_ROWS = "".join(f'<row r="{number}"/>' for number in range(5001, 7100))
MANY_AREAS = "".join(f'<mergeCell ref="A{n}:B{n}"/>' for n in range(3000, 8100))

# name: the file, the code of its one line, a word that says what it is, a word that says what to do
REFUSED: dict[str, tuple[Callable[[], bytes], str, str, str]] = {
    "空.xlsx": (lambda: b"", "E-BOOK-EMPTY", "0 字节", "完整"),
    "全零.xlsx": (lambda: b"\0" * 4096, "E-BOOK-DAMAGED", "零", "完整"),
    "截断.xlsx": (lambda: REPORT[: len(REPORT) // 2], "E-BOOK-DAMAGED", "不完整", "完整"),
    "网页.xlsx": (lambda: b"<html><table>", "E-BOOK-NOT-XLSX", "网页", "另存"),
    "网页归档.xls": (lambda: b"MIME-Version: 1.0\r\n", "E-BOOK-NOT-XLSX", "MHTML", "另存"),
    "文本.xlsx": (lambda: "企业,等级\r\n甲,二级\r\n".encode("gbk"), "E-BOOK-NOT-XLSX", "CSV", "另存"),
    "旧表.xls": (lambda: OLE + wide("Workbook"), "E-BOOK-OLD-FORMAT", ".xls", "另存"),
    "金山表.et": (lambda: OLE + wide("Workbook"), "E-BOOK-OLD-FORMAT", ".et", "另存"),
    "金山文字.wps": (lambda: OLE + wide("WordDocument"), "E-BOOK-NOT-XLSX", ".wps", ".xlsx"),
    "旧演示.xlsx": (lambda: OLE + wide("PowerPoint Document"), "E-BOOK-NOT-XLSX", ".dps", ".xlsx"),
    "旧表有密码.xls": (lambda: OLE + BIFF + b"\x2f\x00\x36\x00", "E-BOOK-PASSWORD", "打开密码", "去掉"),
    "有密码.xlsx": (lambda: OLE + wide("EncryptedPackage"), "E-BOOK-PASSWORD", "打开密码", "去掉"),
    "加密软件.xlsx": (lambda: b"%TSD-Header-###%" + b"\1" * 99, "E-BOOK-NOT-XLSX", "加密", "解密"),
    "文档.xlsx": (lambda: rezipped({"word/document.xml": b"<a/>"}), "E-BOOK-NOT-XLSX", "Word", ".xlsx"),
    "二进制.xlsb": (lambda: rezipped({"xl/workbook.bin": b"a"}), "E-BOOK-NOT-XLSX", ".xlsb", "另存"),
    "开放.ods": (lambda: rezipped({"content.xml": b"<a/>"}), "E-BOOK-NOT-XLSX", "OpenDocument", "另存"),
    "便携.xlsx": (lambda: b"%PDF-1.7\n", "E-BOOK-NOT-XLSX", "PDF", ".xlsx"),
    "照片.xlsx": (lambda: b"\xff\xd8\xff\xe0", "E-BOOK-NOT-XLSX", "图片", ".xlsx"),
    "程序.xlsx": (lambda: b"MZ\x90\0", "E-BOOK-NOT-XLSX", "程序", "请勿运行"),
    "一批.zip": (lambda: rezipped({"甲.xlsx": GOOD}), "E-BOOK-NOT-XLSX", "压缩包", "解压"),
    "国标名.zip": (gbk_zip, "E-BOOK-NOT-XLSX", "压缩包", "解压"),
    "压缩包改名.xlsx": (lambda: rezipped({"a.txt": b"a"}), "E-BOOK-NOT-XLSX", "压缩包", "解压"),
    "一批.rar": (lambda: b"Rar!\x1a\x07\x01\x00", "E-BOOK-NOT-XLSX", "RAR", "解压"),
    "一批.7z": (lambda: b"7z\xbc\xaf\x27\x1c", "E-BOOK-NOT-XLSX", "7z", "解压"),
    "压缩包有密码.zip": (encrypted_zip, "E-BOOK-PASSWORD", "密码", "去掉"),
    "~$正在编辑.xlsx": (lambda: b"\x05user", "E-BOOK-LOCKFILE", "锁文件", "忽略"),
    "别人的.xlsx": (foreign, "E-BOOK-FOREIGN", "模板", "模板"),
    "高压缩.xlsx": (lambda: held("xl/media/a.bin", b"\0" * 3_000_000), "E-BOOK-LIMIT", "压缩倍数", "来源"),
    "高压缩的表.xlsx": (
        lambda: inserted("</sheetData>", " " * 30_000_000), "E-BOOK-LIMIT", "压缩倍数", "来源",
    ),
    "部件太多.xlsx": (
        lambda: rezipped(members(GOOD) | {f"xl/media/{n}.bin": b"" for n in range(2001)}),
        "E-BOOK-LIMIT", "部件数", "来源",
    ),
    "实体.xlsx": (
        lambda: inserted("<worksheet", '<!DOCTYPE a [<!ENTITY x "y">]>'), "E-BOOK-DOCTYPE", "DOCTYPE", "来源",
    ),
    "外部实体.xlsx": (
        lambda: held("docProps/custom.xml", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'),
        "E-BOOK-DOCTYPE", "DOCTYPE", "来源",
    ),
    "字符串太多.xlsx": (lambda: strings(50_001), "E-BOOK-LIMIT", "共享字符串 50001 个，超过上限 50000", "删去"),
    "样式太多.xlsx": (
        lambda: inserted("</cellXfs>", "<xf/>" * 66_000, "xl/styles.xml"), "E-BOOK-LIMIT", "上限 65490", "删去",
    ),
    "合并太大.xlsx": (
        lambda: merged('<mergeCell ref="A1:XFD1048576"/>'), "E-BOOK-LIMIT", "合并区域内的单元格 171798692", "删去",
    ),
    "合并太多.xlsx": (lambda: merged(MANY_AREAS), "E-BOOK-LIMIT", "上限 5000", "删去"),
    "天边的行.xlsx": (lambda: cell_at("A1048576"), "E-BOOK-LIMIT", "最末行 1048576", "删去"),
    "天边的列.xlsx": (lambda: cell_at("XFD1"), "E-BOOK-LIMIT", "最末列 16384", "删去"),
    "表外的行.xlsx": (lambda: cell_at("A2001"), "E-BOOK-LIMIT", "最末行 2001，超过上限 2000", "删去"),
    "表外的列.xlsx": (lambda: cell_at("BI1"), "E-BOOK-LIMIT", "最末列 61，超过上限 60", "删去"),
    "行太多.xlsx": (lambda: inserted("</sheetData>", MANY_ROWS), "E-BOOK-LIMIT", "行 ", "删去"),
    "字太长.xlsx": (
        lambda: with_cell(REPORT, "i_enterprise_name", f"<is><t>{'甲' * 200_000}</t></is>", "inlineStr"),
        "E-BOOK-LIMIT", "长度", "删去",
    ),
    "重名部件.xlsx": (lambda: twice("XL/Workbook.xml"), "E-BOOK-DUPLICATE", "同名", "另存"),
    "重名表.xlsx": (
        lambda: edited(REPORT, "xl/workbook.xml", lambda xml: re.sub(r'(<sheet [^>]*?name=")[^"]*', r"\1甲", xml)),
        "E-BOOK-DUPLICATE", "重复", "另存",
    ),
    "路径穿越.xlsx": (lambda: held("../../etc/passwd", b"x"), "E-BOOK-NAME", "不合法", "另存"),
}  # fmt: skip


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, FileResult]:
    """All of them in one folder, with a good file and what is no file at all, worked on by two processes."""
    root = tmp_path_factory.mktemp("来件")
    before = {name: save(root, name, make()).read_bytes() for name, (make, *_) in REFUSED.items()}
    save(root, "好.xlsx", GOOD)
    os.mkfifo(root / "管道.xlsx")
    (root / "链接.xlsx").symlink_to(root / "好.xlsx")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(root)
        server.bind("插口.xlsx")
        os.chdir(here)
        results = run(find_tasks([root], root.parent / "out"), Options(jobs=2), lambda _: None)
    assert {name: (root / name).read_bytes() for name in before} == before
    named = {Path(result.path).name: result for result in results}
    assert len(named) == len(results) == len(REFUSED) + 4
    return named


def the_line(result: FileResult) -> dict[str, Any]:
    """The one finding of a file that was not used: one line, Chinese, placed."""
    assert (result.output, result.outcomes) == (None, [])
    (finding,) = result.findings
    assert finding["severity"] == "block" and finding["where"]
    for text in (finding["message"], finding["where"]):
        assert text.splitlines() == [text]
    assert re.search("[一-鿿]", finding["message"])
    return finding


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_named_and_says_what_to_do(name: str, judged: Mapping[str, FileResult]) -> None:
    _, code, what, remedy = REFUSED[name]
    finding = the_line(judged[name])
    assert (judged[name].state, finding["code"]) == ("refused", code), finding
    assert what in finding["message"] and remedy in finding["message"], finding


def test_what_is_no_file_is_not_opened_and_the_good_one_is_done(judged: Mapping[str, FileResult]) -> None:
    for name in ("管道.xlsx", "链接.xlsx", "插口.xlsx"):
        assert the_line(judged[name])["code"] == "E-BOOK-NOT-FILE"
    assert judged["好.xlsx"].state == "done" and judged["好.xlsx"].output


# --- limits


def test_a_table_may_be_longer_than_a_form_and_limits_can_be_set() -> None:
    from workbooks.form import forms

    assert form_limits(forms()[FORM]).last_row < form_limits(forms()[CLOUD]).last_row <= DEFAULT_LIMITS.last_row
    assert form_limits(forms()[FORM], {"last_row": 3}).last_row == 3
    with pytest.raises(InputError, match="E-LIMIT"):
        DEFAULT_LIMITS.given({"last_rows": 3})
    with pytest.raises(InputError, match="E-LIMIT"):
        DEFAULT_LIMITS.given({"last_row": 0})


def test_options_raise_and_lower_a_limit(tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", cell_at("A2001"))
    assert process(Task(path, None), Options()).state == "refused"
    assert process(Task(path, None), Options(limits=(("last_row", 3000),))).state == "done"
    lowered = process(Task(path, None), Options(limits=(("sheets", 1),)))
    assert lowered.findings[0]["code"] == "E-BOOK-LIMIT" and "工作表" in lowered.findings[0]["message"]


@pytest.mark.parametrize("form", TEMPLATES)
def test_our_own_templates_are_far_from_every_limit(form: str) -> None:
    from workbooks.form import forms

    found = Package.from_bytes(filled(form)).measure.found
    limits = form_limits(forms()[form])
    assert found and all(2 * count <= getattr(limits, name) for name, (count, _) in found.items())


def test_a_bomb_is_refused_before_it_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty million bytes of rows below the ratio limit: the stream ends where the count is over the limit."""
    data = inserted("</sheetData>", "<row/>" * 10_000_000)
    given_out = 0
    honest = package._inflated

    def counted(*args: Any) -> Any:
        nonlocal given_out
        for piece in honest(*args):
            given_out += len(piece)
            yield piece

    monkeypatch.setattr(package, "_inflated", counted)
    with pytest.raises(WorkbookRefused, match="行 "):
        Package.from_bytes(data, Limits(max_ratio=10_000))
    assert given_out < 4_000_000


def test_counts_do_not_depend_on_where_the_stream_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Package.from_bytes(REPORT).measure
    for size in (1, 7, 100, 4096):
        monkeypatch.setattr(package, "PIECE", size)
        assert Package.from_bytes(GOOD if size == 1 else REPORT).measure == (
            Package.from_bytes(GOOD).measure if size == 1 else whole
        )
        with pytest.raises(WorkbookRefused, match="DOCTYPE"):
            Package.from_bytes(held("docProps/custom.xml", b'<!DOCTYPE a SYSTEM "x"><a/>', GOOD))


# --- what is carried, hidden or locked, but never run


LINK = "xl/externalLinks/externalLink1.xml"
CARRIED: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "宏": (lambda: held("xl/vbaProject.bin", b"\0macro"), "E-BOOK-MACRO", "VBA"),
    "宏表": (lambda: held("xl/macrosheets/sheet1.xml", b"<a/>"), "E-BOOK-MACRO", "Excel 4.0 宏表（XLM）"),
    "外部链接": (lambda: held(LINK, b"<externalLink/>"), "E-BOOK-LINKS", "不可采信"),
    "DDE": (lambda: held(LINK, b'<externalLink><ddeLink ddeService="cmd"/></externalLink>'), "E-BOOK-OLE", "DDE"),
    "OLE 链接": (lambda: held(LINK, b"<externalLink><oleLink/></externalLink>"), "E-BOOK-OLE", "OLE 链接"),
    "嵌入": (lambda: held("xl/embeddings/oleObject1.bin", b"a"), "E-BOOK-OLE", "嵌入对象"),
    "控件": (lambda: held("xl/activeX/activeX1.xml", b"<a/>"), "E-BOOK-OLE", "ActiveX"),
    "连接": (lambda: held("xl/connections.xml", b"<a/>"), "E-BOOK-CONNECTION", "数据连接"),
    "签名": (lambda: held("_xmlsignatures/sig1.xml", b"<a/>"), "E-BOOK-SIGNED", "签名"),
    "保护": (
        lambda: edited(REPORT, "xl/workbook.xml", lambda xml: xml.replace(
            "<sheets>", '<workbookProtection workbookPassword="CC1A" lockStructure="1"/><sheets>')),
        "E-BOOK-PROTECTED", "已保护",
    ),
    "表保护": (
        lambda: edited(
            REPORT, SHEET, lambda xml: xml.replace("<sheetProtection ", '<sheetProtection password="CC1A" ')),
        "E-BOOK-PROTECTED", "已保护",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CARRIED)
def test_what_a_workbook_carries_is_named_once_and_never_run(kind: str, tmp_path: Path) -> None:
    make, code, word = CARRIED[kind]
    data = make()
    path = save(tmp_path, "甲.xlsx", data)
    result = process(Task(path, tmp_path / "out" / "甲.xlsx"), Options())
    assert result.state == "done"
    (finding,) = [item for item in result.findings if item["code"] == code]
    assert word in finding["message"] and "。" in finding["message"]
    assert result.outcomes[-1]["payable"]["fen"] == 35_000_000
    assert path.read_bytes() == data
    written = members(Path(result.output or "").read_bytes())
    if code in ("E-BOOK-MACRO", "E-BOOK-OLE", "E-BOOK-SIGNED"):
        assert "E-FRESH-COPY" in {item["code"] for item in result.findings}
        assert not [name for name in written if re.search("(?i)vba|macro|external|embed|activex|signature", name)]
    if code == "E-BOOK-PROTECTED":
        assert any(b'assword="CC1A"' in written[part] for part in ("xl/workbook.xml", SHEET))


@pytest.mark.parametrize("flavour", ["native", "udf"])
@pytest.mark.parametrize("form", TEMPLATES)
def test_our_own_workbooks_carry_nothing_to_remark(form: str, flavour: str, tmp_path: Path) -> None:
    one = {FORM: e1(), CLOUD: CLOUD_COMPANY, SAAS: SAAS_COMPANY}[form]
    data = build_template(form, one, flavour=flavour)
    result = process(Task(save(tmp_path, "甲.xlsx", data), None), Options())
    assert result.state == "done"
    assert not [item for item in result.findings if item["code"].startswith("E-BOOK")]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_that_is_not_ours_is_listed(state: str, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(GOOD))
    book.create_sheet("另一本账").sheet_state = state
    stream = io.BytesIO()
    book.save(stream)
    result = process(Task(save(tmp_path, "甲.xlsx", stream.getvalue()), None), Options())
    (finding,) = [item for item in result.findings if item["code"] == "E-BOOK-HIDDEN"]
    assert "另一本账" in finding["message"]


@pytest.mark.parametrize("form", TEMPLATES)
def test_a_hidden_sheet_to_fill_in_counts_and_is_told(form: str, tmp_path: Path) -> None:
    """Who opens the file sees only the other sheets, and enterprises are paid all the same."""
    data = filled(form, {FORM: e1(), CLOUD: CLOUD_COMPANY, SAAS: SAAS_COMPANY}[form])
    name = place(data, "i_uscc" if form == FORM else "t_uscc").sheet
    book = openpyxl.load_workbook(io.BytesIO(data))
    book[name].sheet_state = "hidden"
    stream = io.BytesIO()
    book.save(stream)
    result = process(Task(save(tmp_path, "甲.xlsx", stream.getvalue()), None), Options())
    (finding,) = [item for item in result.findings if item["code"] == "E-BOOK-HIDDEN"]
    assert name in finding["message"] and finding["severity"] == "warn"


@pytest.mark.parametrize("sign", ['hidden="1"', "hidden = 'true'"])
def test_an_enterprise_in_a_hidden_row_counts_and_is_told(sign: str, tmp_path: Path) -> None:
    """Hidden by hand or by a filter: whoever reads the table on screen does not see what is paid."""
    data = filled(CLOUD, CLOUD_COMPANY, CLOUD_COMPANY | {"enterprise_name": "示例二号", "uscc": None})
    spot = place(data, "t_enterprise_name", 1)
    part = part_of(data, spot.sheet)
    hide = edited(data, part, lambda xml: xml.replace(f'<row r="{spot.row}"', f'<row {sign} r="{spot.row}"'))
    results = [
        process(Task(save(tmp_path, name, made), None), Options())
        for name, made in (("甲.xlsx", data), ("乙.xlsx", hide))
    ]
    found = [[item for item in one.findings if item["code"] == "E-BOOK-HIDDEN-ROWS"] for one in results]
    assert found[0] == [] and len(found[1]) == 1 and f"第 {spot.row} 行" in found[1][0]["message"]
    assert [len(one.outcomes) for one in results] == [2, 2]


def _column_hidden(cell: Any) -> None:
    cell.parent.column_dimensions[cell.column_letter].hidden = True


def _column_without_width(cell: Any) -> None:
    cell.parent.column_dimensions[cell.column_letter].width = 0.1


def _coloured(font: str, fill: str | None = None) -> Callable[[Any], None]:
    def colour(cell: Any) -> None:
        cell.font = Font(color=Color(theme=0) if font == "theme" else font)
        cell.fill = PatternFill("solid", fgColor=fill) if fill else PatternFill()

    return colour


def _formatted(code: str) -> Callable[[Any], None]:
    def give(cell: Any) -> None:
        cell.number_format, cell.fill = code, PatternFill()

    return give


def _row_without_height(cell: Any) -> None:
    cell.parent.row_dimensions[cell.row].height = 0.1


def _low_row(cell: Any) -> None:
    cell.parent.row_dimensions[cell.row].height = 3


def _low_sheet(cell: Any) -> None:
    for held in cell.parent.row_dimensions.values():
        held.height = None if held.index == cell.row else held.height or 15
    cell.parent.sheet_format.defaultRowHeight, cell.parent.sheet_format.customHeight = 2, True


def _small(cell: Any) -> None:
    cell.font = Font(size=2)


def _ruled(rule: Rule) -> Callable[[Any], None]:
    def give(cell: Any) -> None:
        cell.fill = PatternFill()
        cell.parent.conditional_formatting.add(cell.coordinate, rule)

    return give


def _without_display() -> Rule:
    shown = DifferentialStyle(numFmt=NumberFormat(numFmtId=200, formatCode=";;;"))
    return Rule("expression", dxf=shown, formula=["1=1"])


_BLUE = {"font": Font(color="FF336699"), "fill": PatternFill(bgColor="FF336699")}

UNSEEN: dict[str, tuple[Callable[[Any], None], str]] = {
    "列": (_column_hidden, "E-BOOK-HIDDEN-COLUMNS"),
    "零宽的列": (_column_without_width, "E-BOOK-HIDDEN-COLUMNS"),
    "零高的行": (_row_without_height, "E-BOOK-HIDDEN-ROWS"),
    "白字": (_coloured("FFFFFFFF"), "E-BOOK-INVISIBLE"),
    "近白": (_coloured("FFFAFBFC"), "E-BOOK-INVISIBLE"),
    "主题白": (_coloured("theme"), "E-BOOK-INVISIBLE"),
    "同色": (_coloured("FF336699", "FF336699"), "E-BOOK-INVISIBLE"),
    "不显示": (_formatted(";;;"), "E-BOOK-NO-DISPLAY"),
    "空引号": (_formatted('"";"";"";""'), "E-BOOK-NO-DISPLAY"),
    "白色格式": (_formatted("[White]0"), "E-BOOK-INVISIBLE"),
    "低行": (_low_row, "E-BOOK-HIDDEN-ROWS"),
    "默认低行": (_low_sheet, "E-BOOK-HIDDEN-ROWS"),
    "小字": (_small, "E-BOOK-INVISIBLE"),
    "条件白字": (_ruled(FormulaRule(["1=1"], font=Font(color="FFFFFFFF"))), "E-BOOK-INVISIBLE"),
    "条件黑底": (_ruled(CellIsRule("greaterThan", ["0"], fill=PatternFill(bgColor="FF000000"))), "E-BOOK-INVISIBLE"),
    "条件同色": (_ruled(FormulaRule(["1=1"], **_BLUE)), "E-BOOK-INVISIBLE"),
    "条件不显示": (_ruled(_without_display()), "E-BOOK-INVISIBLE"),
    "只有图标": (_ruled(IconSetRule("3Arrows", "percent", [0, 33, 67], showValue=False)), "E-BOOK-INVISIBLE"),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNSEEN)
def test_what_is_hidden_from_view_is_told_and_counts_only_where_the_template_has_it(kind: str, tmp_path: Path) -> None:
    """The amount in the template's cell is read all the same; 9,000,000 beside the template changes nothing."""
    hide, code = UNSEEN[kind]
    book = openpyxl.load_workbook(io.BytesIO(REPORT))
    spot = place(REPORT, "i_recognised_cost")
    beside = book[spot.sheet].cell(spot.row, spot.column + 30, 9_000_000)
    inside = book[spot.sheet].cell(spot.row, spot.column)
    for cell in (inside, beside):
        hide(cell)
    stream = io.BytesIO()
    book.save(stream)
    result = process(Task(save(tmp_path, "甲.xlsx", stream.getvalue()), None), Options())
    (finding,) = [item for item in result.findings if item["code"].startswith("E-BOOK")]
    assert (finding["code"], finding["where"].split("!")[0]) == (code, spot.sheet)
    assert "请显示出来核对" in finding["message"]
    assert result.outcomes[-1]["payable"]["fen"] == 35_000_000


@pytest.mark.parametrize("form", forms())
def test_every_column_and_row_our_templates_hide_is_known(form: str) -> None:
    spec = forms()[form]
    draft = draft_template(spec, {policy: load_policy(policy).newest for policy in spec.policies}, {})
    columns, rows = set(), set()
    for sheet in draft.book:
        columns |= {(sheet.title, key) for key, size in sheet.column_dimensions.items() if size.hidden}
        rows |= {(sheet.title, key) for key, size in sheet.row_dimensions.items() if size.hidden}
    ports = [port.name for port in draft.ports]
    cells = {name: draft.cells(name)[0] for name in HIDDEN_COLUMNS | HIDDEN_ROWS if name in ports}
    assert columns == {(cells[name].parent.title, cells[name].column_letter) for name in HIDDEN_COLUMNS & set(cells)}
    assert rows == {(cells[name].parent.title, cells[name].row) for name in HIDDEN_ROWS & set(cells)}


@pytest.mark.parametrize("mark", ["~$甲.xlsx", ".~甲.xlsx", ".~lock.甲.xlsx#"])
def test_a_file_open_elsewhere_is_told(mark: str, tmp_path: Path) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD)
    save(tmp_path, mark, b"user")
    codes = [item["code"] for item in process(Task(path, None), Options()).findings]
    assert codes.count("E-BOOK-OPEN") == 1


def test_a_result_that_rests_on_another_file_is_not_believed(tmp_path: Path) -> None:
    data = with_cell(REPORT, "i_recognised_cost", "<f>[1]Sheet1!A1</f><v>9000000</v>")
    result = process(Task(save(tmp_path, "甲.xlsx", held(LINK, b"<externalLink/>", data)), None), Options())
    assert {"E-BOOK-LINKS", "E-CELL-FORMULA"} <= {item["code"] for item in result.findings}
    assert result.outcomes[-1]["payable"] is None


# --- cells


BAD_NUMBERS = ("NaN", "INF", "-INF", "1e999", "1E+400", "0x10", "")


@pytest.mark.parametrize("text", BAD_NUMBERS)
def test_a_number_that_is_none_costs_its_cell_only(text: str, tmp_path: Path) -> None:
    data = with_cell(REPORT, "i_recognised_cost", f"<v>{text}</v>")
    result = process(Task(save(tmp_path, "甲.xlsx", data), None), Options())
    assert result.state == "done" and result.outcomes[0]["results"]["score"]
    assert result.outcomes[-1]["payable"] is None


@pytest.mark.parametrize("text", ["-500000", "-0.01", "1e300", "99999999999999999999"])
def test_a_sum_no_one_can_have_spent_is_not_paid(text: str, tmp_path: Path) -> None:
    """The award has a ceiling of 500,000 元; a huge cost can reach it, a negative one nothing."""
    data = with_cell(REPORT, "i_recognised_cost", f"<v>{text}</v>")
    result = process(Task(save(tmp_path, "甲.xlsx", data), None), Options())
    assert result.state in ("done", "refused")
    if result.state == "done" and text.startswith("-"):
        assert result.outcomes[-1]["payable"] is None


@pytest.mark.parametrize("text", ["甲" * 32_768, "1," * 16_000, "1" * 32_000 + "x", " " * 32_000 + "年", "(" * 32_000])
@pytest.mark.parametrize("port", ["i_enterprise_name", "i_uscc", "i_recognised_cost", "i_application_date"])
def test_a_text_as_long_as_a_cell_is_read_at_once_or_told(port: str, text: str, tmp_path: Path) -> None:
    """No pattern is given the time to try every way of reading it."""
    data = with_cell(REPORT, port, f"<is><t>{text}</t></is>", "inlineStr")
    result = process(Task(save(tmp_path, "甲.xlsx", data), None), Options())
    assert result.state == "done"
    told = [item for item in result.findings if (item["where"] or "").endswith(f"!{place(REPORT, port).ref}")]
    assert told or port == "i_enterprise_name"
    assert all(len(item["message"]) < 300 for item in told)


def test_minus_nothing_is_nothing(tmp_path: Path) -> None:
    data = with_cell(REPORT, "i_recognised_cost", "<v>-0</v>")
    result = process(Task(save(tmp_path, "甲.xlsx", data), None), Options())
    assert result.outcomes[-1]["payable"] in (None, {"fen": 0, "yuan": "0.00"})


@pytest.mark.parametrize("error", ["#REF!", "#DIV/0!", "#NAME?", "#NUM!"])
def test_an_error_in_an_input_cell_is_a_finding(error: str, tmp_path: Path) -> None:
    data = with_cell(REPORT, "i_recognised_cost", f"<v>{error}</v>", "e")
    result = process(Task(save(tmp_path, "甲.xlsx", data), None), Options())
    (finding,) = [item for item in result.findings if item["code"] == "E-CELL-ERROR"]
    assert error in finding["message"] and "!" in finding["where"]


OWN_CELL = place(REPORT, "i_recognised_cost").ref


@pytest.mark.parametrize("formula", ["NOW()", "RAND()*100", "INDIRECT(A1)", "B3+1", f"{OWN_CELL}+1", "WEBSERVICE(A1)"])
def test_formulas_in_input_cells_are_never_evaluated(formula: str, tmp_path: Path) -> None:
    data = with_cell(REPORT, "i_recognised_cost", f"<f>{formula}</f><v>500000</v>")
    result = process(Task(save(tmp_path, "甲.xlsx", data), None), Options())
    assert [item["code"] for item in result.findings].count("E-CELL-FORMULA") == 1
    assert result.outcomes[-1]["payable"] is None


@pytest.mark.parametrize(
    ("typed_in", "fen"),
    [("５０００００", 35_000_000), ("500,000", 35_000_000), ("50万元", 35_000_000), ("５０ 万元", 35_000_000),
     ("五十万", None), ("约50万元", None), ("50-60万元", None), ("5,00,000", None)],
)  # fmt: skip
def test_amounts_as_text_are_read_or_refused_never_guessed(typed_in: str, fen: int | None, tmp_path: Path) -> None:
    """70 % of 500,000 元 are 350,000 元, whatever its spelling."""
    result = process(Task(save(tmp_path, "甲.xlsx", typed(REPORT, {"i_recognised_cost": typed_in})), None), Options())
    payable = result.outcomes[-1]["payable"]
    assert (payable["fen"] if payable else None) == fen


def test_a_code_that_excel_has_cut_is_told(tmp_path: Path) -> None:
    code = row(CLOUD, "uscc", 0)
    for body, kind in (("<v>911300000000001000</v>", ""), ("<is><t>9.113E+17</t></is>", "inlineStr")):
        result = process(Task(save(tmp_path, "甲.xlsx", with_cell(GOOD, code, body, kind)), None), Options())
        assert any("USCC" in item["code"] for item in result.findings), body


def test_signs_that_hide_do_not_make_another_enterprise(tmp_path: Path) -> None:
    """The same name with a zero-width and a direction mark is the same enterprise, twice in one table, and is told."""
    name = CLOUD_COMPANY["enterprise_name"]
    masked = f"{name[:3]}\u200b\u202e{name[3:]}"
    data = filled(CLOUD, CLOUD_COMPANY, CLOUD_COMPANY | {"enterprise_name": "示例乙"})
    data = typed(data, {("t_enterprise_name", 1): masked})
    result = process(Task(save(tmp_path, "甲.xlsx", data), None), Options())
    assert all(outcome["payable"] is None for outcome in result.outcomes)
    assert {outcome["name"] for outcome in result.outcomes} == {name}
    (finding,) = [item for item in result.findings if item["code"] == "E-SIGNS"]
    assert "有看不见的字符，已去掉" in finding["message"] and "\u200b" not in finding["message"]


def test_letters_that_look_like_others_are_told(tmp_path: Path) -> None:
    """A Cyrillic А in a name is another name to every comparison, and the same one to the eye."""
    data = filled(CLOUD, CLOUD_COMPANY | {"enterprise_name": "示例А电子有限公司"})
    findings = process(Task(save(tmp_path, "甲.xlsx", data), None), Options()).findings
    assert ["外文字母“А”" in item["message"] for item in findings if item["code"] == "E-SIGNS"] == [True]


def test_a_stored_result_that_was_changed_is_told_and_computed_anew(tmp_path: Path) -> None:
    done = process(Task(save(tmp_path, "甲.xlsx", GOOD), tmp_path / "out" / "甲.xlsx"), Options())
    data = typed(Path(done.output or "").read_bytes(), {"t_face_value": 99999})
    spot = place(data, "t_face_value")
    result = process(Task(save(tmp_path, "乙.xlsx", data), None), Options())
    found = [item for item in result.findings if item["code"] == "E-STORED-DIFFERS" and item["where"] == str(spot)]
    assert len(found) == 1 and "99999" in found[0]["message"]
    assert result.outcomes[0]["payable"]["fen"] == 1_500_000


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r=", "＝", "\u200b="])
def test_no_text_becomes_a_formula_in_what_we_write(sign: str, tmp_path: Path) -> None:
    hostile = f"{sign}HYPERLINK(1)"
    data = filled(CLOUD, CLOUD_COMPANY | {"enterprise_name": hostile})
    save(tmp_path / "in", "甲.xlsx", data)
    results = run(find_tasks([tmp_path / "in"], tmp_path / "out"), Options(jobs=1), lambda _: None)
    report = openpyxl.load_workbook(write_report(tmp_path / "out", results))
    cells = [cell for sheet in report for line in sheet.iter_rows() for cell in line]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert all(cell.quotePrefix for cell in cells if isinstance(cell.value, str) and "HYPERLINK" in cell.value)
    (result,) = results
    before, after = (
        {
            (sheet.title, cell.coordinate)
            for sheet in openpyxl.load_workbook(io.BytesIO(one))
            for line in sheet.iter_rows()
            for cell in line
            if cell.data_type == "f"
        }
        for one in (data, Path(result.output or "").read_bytes())
    )
    assert after == before


# --- names and folders


def test_odd_names_give_results_any_system_can_hold(tmp_path: Path) -> None:
    root = tmp_path / "in"
    names = ["CON.xlsx", "a:b?.xlsx", "甲\n乙.xlsx", "丙\u202excod.xlsx", f"{'长' * 80}.xlsx", "空 格 .xlsx"]
    for name in names:
        save(root, name, GOOD)
    deep = root.joinpath(*["深" * 20] * 6)
    save(deep, "丁.xlsx", GOOD)
    assert len(str(deep)) > 120 and len(str(deep).encode()) > 260
    gbk = root / os.fsdecode("国标名".encode("gbk") + b".xlsx")
    gbk.write_bytes(GOOD)
    results = run(find_tasks([root], tmp_path / "out"), Options(jobs=1), lambda _: None)
    assert [result.state for result in results] == ["done"] * (len(names) + 2)
    written = {Path(result.output or "").name for result in results}
    assert written == {path.name for path in (tmp_path / "out").rglob("*.xlsx")}
    assert {f"_CON{RESULT_MARK}.xlsx", f"国标名{RESULT_MARK}.xlsx", f"甲乙{RESULT_MARK}.xlsx"} <= written
    for name in written:
        assert len(name.encode()) < 230 and not re.search(r'[<>:"/\\|?*\x00-\x1f\u202e]', name)
    for result in results:
        result.path.encode()
        assert "\n" not in result.path and "\u202e" not in result.path
    write_report(tmp_path / "out", results)


def test_nothing_in_a_folder_is_passed_over_in_silence(tmp_path: Path) -> None:
    root = tmp_path / "in"
    good = save(root / "一", "甲.xlsx", GOOD)
    for name in ("说明.docx", "照片.jpg", f"甲{RESULT_MARK}.xlsx", ".~lock.甲.xlsx#", "无后缀"):
        save(root, name, b"a")
    save(tmp_path / "elsewhere", "乙.xlsx", GOOD)
    (root / "链接").symlink_to(tmp_path / "elsewhere")
    tasks, skipped = survey([root], tmp_path / "out")
    assert [task.path for task in tasks] == [good]
    assert {item.path.name: item.reason for item in skipped} == {
        "说明.docx": "不是表格", "照片.jpg": "不是表格", "无后缀": "不是表格", "链接": "链接到别处的文件夹",
        f"甲{RESULT_MARK}.xlsx": "本系统以前的结果", ".~lock.甲.xlsx#": "打开文件时的临时锁文件",
    }  # fmt: skip


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "in" / "锁", "甲.xlsx", GOOD)
    honest = os.scandir

    def scandir(where: Any) -> Any:
        if Path(where).name == "锁":
            raise PermissionError(13, "denied", str(where))
        return honest(where)

    monkeypatch.setattr(os, "scandir", scandir)
    tasks, skipped = survey([tmp_path / "in"], None)
    assert tasks == [] and skipped == [Skipped(tmp_path / "in" / "锁", "文件夹读不出来（没有权限等）")]


# --- time


def changing(path: Path, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """The file grows while it is read, so many times."""
    left = [times]
    honest = Path.open

    def opened(self: Path, *args: Any, **more: Any) -> Any:
        if self.name == path.name and left[0]:
            left[0] -= 1
            with honest(self, "ab") as stream:
                stream.write(b"more")
        return honest(self, *args, **more)

    monkeypatch.setattr(Path, "open", opened)


def test_a_file_that_is_being_written_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, "甲.xlsx", GOOD)
    changing(path, monkeypatch, 1)
    assert the_line(process(Task(path, None), Options()))["code"] == "E-BOOK-CHANGING"


def test_what_was_being_written_is_tried_once_more_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        save(tmp_path, name, GOOD)
    asked: list[str] = []

    class Worker:
        """Works in this process."""

        def __init__(self, options: Options) -> None:
            self.pipe, self.held, self.deadline = object(), {}, 0.0

        def start(self, chunk: dict[int, Task]) -> None:
            self.held = chunk

        def collect(self) -> Iterator[tuple[int, FileResult]]:
            for number in list(self.held):
                task = self.held.pop(number)
                asked.append(task.path.name)
                if task.path.name == "a.xlsx" and asked.count("a.xlsx") == 1:
                    yield number, batch.failed(task, "E-BOOK-CHANGING", "文件正在被写入", "请稍后", "refused")
                else:
                    yield number, process(task, Options())

        def finish(self) -> None:
            pass

    monkeypatch.setattr(batch, "Worker", Worker)
    monkeypatch.setattr(batch, "_ready", lambda workers: [one for one in workers if one.held])
    reported: list[str] = []
    results = run(find_tasks([tmp_path], None), Options(jobs=1), lambda one: reported.append(Path(one.path).name))
    assert asked == ["a.xlsx", "b.xlsx", "a.xlsx"] and reported == ["b.xlsx", "a.xlsx"]
    assert [result.state for result in results] == ["done", "done"]


def test_a_file_that_spins_is_ended_by_its_processor_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_serve", workbench.unlucky_serve)
    for name in ("a 空转.xlsx", "b.xlsx"):
        save(tmp_path, name, GOOD)
    options = Options(jobs=1, seconds=300, cpu_seconds=2)
    spun, good = run(find_tasks([tmp_path], None), options, lambda _: None)
    assert (the_line(spun)["code"], spun.state, good.state) == ("E-CPU", "failed", "done")
    assert "2 秒" in spun.findings[0]["message"]


def test_in_a_chunk_of_files_only_the_bad_ones_are_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those around a bad file are done, by the same process or the next, and each is told of once."""
    monkeypatch.setattr(batch, "_serve", workbench.unlucky_serve)
    monkeypatch.setattr(batch, "share_of", lambda waiting, workers: waiting)
    for name in ("a", "b 崩溃", "c", "d 卡住", "e 崩溃", "f"):
        save(tmp_path, f"{name}.xlsx", GOOD)
    reported: list[str] = []
    options = Options(jobs=1, seconds=4)
    results = run(find_tasks([tmp_path], None), options, lambda one: reported.append(Path(one.path).stem))
    assert sorted(reported) == ["a", "b 崩溃", "c", "d 卡住", "e 崩溃", "f"]
    codes = [[finding["code"] for finding in one.findings if finding["severity"] == "block"] for one in results]
    assert codes == [[], ["E-CRASH"], [], ["E-TIMEOUT"], ["E-CRASH"], []]


# --- damage


def outcome_of(data: bytes) -> str:
    """A result or a refusal with its code; anything else is a fault of ours."""
    try:
        before = Package.from_bytes(data)
        done = recalculate_package(before)
        after = Package.from_bytes(done.data)
        # Of what is patched, only sheets change, and no formula among them.
        assert after.names == before.names
        for name in before.names:
            one, other = before.read(name), after.read(name)
            assert one == other or (name.startswith("xl/worksheets/") and one.count(b"<f") == other.count(b"<f")), name
    except XlcalcError as error:
        assert error.message and error.code.startswith("E-") and str(error).splitlines() == [str(error)]
        return error.code
    return "done"


PARTS = members(GOOD)
TEXTS = sorted(name for name in PARTS if name.endswith((".xml", ".rels")))
TOKENS = (
    b"<", b">", b"/", b'"', b"&", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&#0;", b"&#x110000;", b"<?x?>", b"\0",
    b"</sheetData>", b"</row>", b"</c>", b'<row r="1">', b'<c r="A1"/>', b"<f>", b' t="s"', b"<v>999999</v>",
    b"_x0000_", b"\xff", b'r="A0"', b'r="AAAA1"', b"1e999", b"\xed\xa0\x80", "２".encode(), b"'",
)  # fmt: skip
bounded = settings(
    max_examples=120, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@bounded
@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=3)), min_size=1, max_size=4))
def test_damaged_bytes_end_in_a_result_or_a_refusal(changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(GOOD)
    for position, piece in changes:
        data[position : position + len(piece)] = piece
    outcome_of(bytes(data))


@bounded
@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(TOKENS)), min_size=1, max_size=3),
)
def test_damaged_parts_end_in_a_result_or_a_refusal(part: str, changes: list[tuple[float, int, bytes]]) -> None:
    """The zip is sound, so that the damage reaches the readers behind it."""
    text = PARTS[part]
    for share, length, piece in changes:
        at = int(share * len(text))
        text = text[:at] + piece + text[at + length :]
    outcome_of(rezipped(PARTS | {part: text}))


@bounded
@given(st.sampled_from(TEXTS), st.floats(0, 1), st.sampled_from(["cut", "twice", "gone", "empty"]))
def test_parts_that_are_cut_doubled_or_gone(part: str, share: float, how: str) -> None:
    text = PARTS[part]
    at = int(share * len(text))
    rest = {name: content for name, content in PARTS.items() if name != part}
    new = {"cut": {part: text[:at]}, "twice": {part: text[:at] + text}, "gone": {}, "empty": {part: b""}}[how]
    outcome_of(rezipped(rest | new))


@settings(bounded, max_examples=60)
@given(
    st.one_of(
        st.text(max_size=60), st.sampled_from(["1E+17", "９９", "1,2,3", "+-1", "12万", "0.1元", "#REF!", "甲" * 4000])
    ),
    st.sampled_from(["i_recognised_cost", "i_enterprise_name", "i_uscc", "i_form_date"]),
)
def test_any_text_in_an_input_cell_is_read_or_told(text: str, port: str) -> None:
    """What XML can hold is read or is a finding with its cell; what it cannot hold is no workbook of anyone's."""
    sound = "".join(
        sign for sign in text if sign in "\t\n" or 0x20 <= ord(sign) < 0xD800 or 0xE000 <= ord(sign) < 0xFFFE
    )
    # The helper takes a pattern's replacement, where a backslash stands for itself when doubled.
    body = escape(sound).replace("\\", "\\\\")
    data = with_cell(REPORT, port, f'<is><t xml:space="preserve">{body}</t></is>', "inlineStr")
    done = recalculate_package(Package.from_bytes(data))
    assert Package.from_bytes(done.data)
    for finding in done.all_findings():
        assert finding.message.strip() and (finding.where is None or "!" in finding.where)


@bounded
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", OLE[:8], b"<?xml", b"\xff\xfe"]))
def test_any_bytes_are_named(data: bytes, head: bytes) -> None:
    with pytest.raises(WorkbookRefused) as caught:
        Package.from_bytes(head + data)
    assert caught.value.remedy and shown(caught.value.message) == caught.value.message
