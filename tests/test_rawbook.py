from __future__ import annotations

import io
import re
import zipfile
from decimal import Decimal

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.formula import ArrayFormula

from workbooks.files import rawbook
from workbooks.files.package import Package
from workbooks.files.rawbook import Area, RawBook, RawCell, Value, column_letters, make_ref, parse_ref
from workbooks.files.rawxml import ErrorValue
from xlcalc.errors import WorkbookRefused

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
SHEET = "上云 用云'甲"
WORKBOOK = f"""{DECLARATION}<workbook xmlns="{MAIN}" xmlns:r='{RELS}'><workbookPr date1904='1'/><sheets>
<sheet r:id='rId7' sheetId="1" name="上云 用云&apos;甲"/>
<sheet name='隐藏' state='veryHidden' sheetId='2' r:id='rId8'></sheet></sheets>
<definedNames>
<definedName name="投入">'上云 用云''甲'!$B$6:$B$105</definedName>
<definedName name="单格" hidden="1">隐藏!$A$1</definedName>
<definedName name="本表" localSheetId="1">隐藏!$C$2</definedName>
<definedName name="单格" localSheetId="0">隐藏!$Z$9</definedName>
<definedName name="LO">$隐藏.$A$1:.$B$3</definedName>
<definedName name="LO2">$&apos;上云 用云''甲'.B3:$'上云 用云''甲'.A1</definedName>
<definedName name="断">#REF!</definedName><definedName name="断2">隐藏!#REF!</definedName>
<definedName name="多">隐藏!$A$1,隐藏!$B$2</definedName><definedName name="外">[1]隐藏!$A$1</definedName>
<definedName name="式">SUM(隐藏!$A$1)&amp;""</definedName><definedName name="远">隐藏!$XFE$1</definedName>
<definedName name="无">没有!$A$1</definedName><definedName name="列">隐藏!$A:$A</definedName>
</definedNames></workbook>"""
WORKBOOK_RELS = f"""<Relationships xmlns="x"><Relationship Id='rId7' Target='/xl/worksheets/sheet1.xml'
 Type='{RELS}/worksheet'/>
<Relationship Target="../xl/./worksheets/sheet2.xml" Type="{RELS}/worksheet" Id="rId8"/>
<Relationship Id="rId9" Type="{RELS}/externalLink" Target="http://a.b/c" TargetMode="External"/>
<Relationship Id="rId10" Type="{RELS}/sharedStrings" Target="sharedStrings.xml"></Relationship>
</Relationships>"""
STRINGS = f"""{DECLARATION}<sst xmlns="{MAIN}" count="9" uniqueCount="4"><si><t>甲 &amp; &lt;乙&gt;</t></si>
<si><r><rPr><b/></rPr><t xml:space="preserve">a </t></r><r><t>b</t></r><rPh sb="0" eb="1"><t>zhuyin</t></rPh>
<phoneticPr fontId="1"/></si><si><t>x_x000D_y_x005F_x0041_&#x9;</t></si><si/>
<extLst><ext uri="a"/></extLst></sst>"""
HEAD = f"""{DECLARATION}<worksheet xmlns="{MAIN}" xmlns:x14ac="a" xmlns:mc="b" mc:Ignorable="x14ac xr">\
<dimension ref="A1:G9"/><cols><col min="1" max="2"/></cols>"""
TAIL = '<mergeCells count="1"/><extLst><ext uri="{a}"><x14:a><![CDATA[A1]]></x14:a></ext></extLst></worksheet>'
EXCEL = """<sheetData><row r="1" spans="1:7" s="3" customFormat="1" x14ac:dyDescent="0.25">\
<c r="A1" s="1" t="s"><v>0</v></c><c r="B1" t="s" ph="1"><v>1</v></c>\
<c r="C1" vm="1" cm="1"><f t="array" ref="C1:C2">_xlfn.SEQUENCE(2)</f><v>1</v></c>\
<c r="D1" t="str"><f>"a"&amp;"b"</f><v xml:space="preserve"> a</v></c><c r="E1" t="s"><v>2</v></c>\
<c r="F1" t='s'><v>3</v></c></row>
<row r="2" x14ac:dyDescent="0.25"/><row r="3" hidden="1">\
<c r="B3"><f t="shared" ref="B3:B4" si="0">A3*2</f><v>1.0000000000000001E-2</v></c>\
<c r="C3" t="e"><v>#N/A</v></c><c r="D3" t="b"><v>1</v></c></row>\
<row r="4"><c r="B4"><f t="shared" si="0"/><v>166666.65</v></c><c r="D4" s="2"/></row></sheetData>"""
LIBREOFFICE = """<sheetData><row r="1" customFormat="false" ht="17.15" hidden="false" collapsed="false">\
<c r="A1" s="1" t="s"><v>0</v></c><c r="B1" s="0" t="n"><v>166666.65</v></c>\
<c r="C1" s="2" t="b"><f aca="false">TRUE()</f><v>1</v></c>\
<c r="E1" s="0" t="str"><f aca="false">&quot;a&quot;&amp;&quot;b&quot;</f><v>ab</v></c>\
<c r="F1" s="0" t="n"><f aca="false" t="array" ref="F1:F2">B1:B2*2</f><v>3</v></c><c r="G1" s="3"/></row>\
<row r="2" ht="15"><c r="E2" s="0" t="str"><f aca="false">&quot;&quot;</f><v></v></c>\
<c r="F2" s="0" t="n"><v>2</v></c></row></sheetData>"""
OPENPYXL = """<sheetData><row r="1">\
<c r="A1" t="inlineStr"><is><t xml:space="preserve">  &#20013;&#x6587; </t></is></c>\
<c r="C1"><f>B1*2</f><v /></c><c r="D1" s="1" t="n" /><c r="E1"><f>B1</f><v></v></c>\
<c r="F1" t="inlineStr"><is><r><t>a</t></r><r><rPr><b val="1" /></rPr><t>b</t></r></is></c></row>\
</sheetData>"""


def package_bytes(sheet: str = "<sheetData/>", **parts: str | bytes) -> bytes:
    members: dict[str, str | bytes] = {
        "xl/workbook.xml": WORKBOOK,
        "xl/_rels/workbook.xml.rels": WORKBOOK_RELS,
        "xl/sharedStrings.xml": STRINGS,
        "xl/worksheets/sheet1.xml": HEAD + sheet + TAIL,
        "xl/worksheets/sheet2.xml": HEAD + "<sheetData/>" + TAIL,
    }
    members |= {name.replace("__", "/") + ".xml": content for name, content in parts.items()}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def load(data: bytes) -> RawBook:
    return RawBook(Package.from_bytes(data))


def cells(sheet: str) -> dict[str, tuple[str, str, str | None]]:
    found = load(package_bytes(sheet)).sheet(SHEET).cells
    assert all(make_ref(*position) == cell.ref for position, cell in found.items())
    return {cell.ref: (cell.kind, cell.text, cell.formula) for cell in found.values()}


def row(inner: str, number: str = ' r="1"') -> str:
    return f"<sheetData><row{number}>{inner}</row></sheetData>"


def refusal(action) -> WorkbookRefused:
    with pytest.raises(WorkbookRefused) as caught:
        action()
    assert caught.value.remedy
    return caught.value


def test_references():
    assert [column_letters(n) for n in (1, 26, 27, 702, 703, 16384)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
    assert parse_ref("AB12") == (12, 28) and make_ref(12, 28) == "AB12"
    for wrong in ("", "A", "1", "A0", "a1", "$A$1", "A1 ", "A1048577", "XFE1", "A１", "AAAA1"):
        with pytest.raises(ValueError, match="坐标"):
            parse_ref(wrong)


def test_sheets_names_and_dates():
    book = load(package_bytes())
    first = (SHEET, "xl/worksheets/sheet1.xml", "visible")
    assert book.sheets == (first, ("隐藏", "xl/worksheets/sheet2.xml", "veryHidden"))
    assert book.date1904
    expected: dict[str, Area | None] = {"投入": Area(SHEET, 6, 2, 105, 2), "LO2": Area(SHEET, 1, 1, 3, 2)}
    expected |= {
        "单格": Area("隐藏", 1, 1, 1, 1),
        "本表": Area("隐藏", 2, 3, 2, 3),
        "LO": Area("隐藏", 1, 1, 3, 2),
    }
    expected |= dict.fromkeys(["断", "断2", "多", "外", "式", "远", "无", "列"])
    assert book.defined_names["式"] == 'SUM(隐藏!$A$1)&""' and book.defined_names["断"] == "#REF!"
    assert {name: book.resolve(name) for name in book.defined_names} == expected
    assert book.resolve("没有这个名称") is None
    assert refusal(lambda: book.sheet("没有")).code == "E-BOOK-NO-SHEET"


def test_the_excel_dialect():
    assert cells(EXCEL) == {
        "A1": ("text", "甲 & <乙>", None),
        "B1": ("text", "a b", None),
        "C1": ("number", "1", "_xlfn.SEQUENCE(2)"),
        "D1": ("text", " a", '"a"&"b"'),
        "E1": ("text", "x\ry_x0041_\t", None),
        "F1": ("text", "", None),
        "B3": ("number", "1.0000000000000001E-2", "A3*2"),
        "C3": ("error", "#N/A", None),
        "D3": ("bool", "1", None),
        "B4": ("number", "166666.65", ""),
        "D4": ("empty", "", None),
    }


def test_the_libreoffice_and_openpyxl_dialects():
    assert cells(LIBREOFFICE) == {
        "A1": ("text", "甲 & <乙>", None),
        "B1": ("number", "166666.65", None),
        "C1": ("bool", "1", "TRUE()"),
        "E1": ("text", "ab", '"a"&"b"'),
        "F1": ("number", "3", "B1:B2*2"),
        "G1": ("empty", "", None),
        "E2": ("text", "", '""'),
        "F2": ("number", "2", ""),
    }
    assert cells(OPENPYXL) == {
        "A1": ("text", "  中文 ", None),
        "C1": ("empty", "", "B1*2"),
        "D1": ("empty", "", None),
        "E1": ("empty", "", "B1"),
        "F1": ("text", "ab", None),
    }


def test_cells_without_position_and_odd_but_legal_values():
    sheet = "<sheetData> <row><c><v>1</v></c><c r='D1'/><c><v> 2 </v></c></row>\n<row r='5'/>"
    sheet += "<row><c t='b'><v>true</v></c></row></sheetData>"
    found = {ref: cell[:2] for ref, cell in cells(sheet).items()}
    assert found == {"A1": ("number", "1"), "D1": ("empty", ""), "E1": ("number", "2"), "A6": ("bool", "1")}
    values = "<c><v>NaN</v></c><c><v>1e5</v></c><c t='str'><v>a\r\nb&#13;</v></c><c t='s'><v/></c>"
    found = [cell[:2] for cell in cells(row(values + "<c t='inlineStr'><is/></c>")).values()]
    assert found == [("error", "NaN"), ("number", "1e5"), ("text", "a\nb\r"), ("empty", ""), ("text", "")]
    assert list(cells(row("<c t='str'><v>_xD83D__xDE00_ _xD83D_</v></c>")).values()) == [("text", "😀 �", None)]


UNKNOWN_AFTER_A1 = """<x:c r="B1"/>
<!-- x -->
<c r="B1"><v><![CDATA[1]]></v></c>
<?php x?>
<c r="B1"><v>1</v><extLst/></c>
<c r="B1"><v>1</v><f>2</f></c>
text
<c r="B1" r="C1"/>
<c r="B2"/>
<c r="b1"/>
<c r="A1"/>
<c r="B1" t="inlineStr"><is><t>1</t></is><b/></c><c r="C1"><is/></c>
<c r="B1"/></row><row r="1"/><row r="2">
<c r="B1"/></row><row r="1048577"/><row r="2">
<row r="2"/>
</row><c r="A2"/><row r="2">
</row></sheetData><sheetData><row r="2">"""
WRONG_IN_B1 = """<c r="B1" t="d"><v>2026-01-01</v></c>
<c r="B1" t="s"><v>4</v></c>
<c r="B1" t="s"><v>-1</v></c>
<c r="B1" t="b"><v>2</v></c>
<c r="B1"><is><t>1</t></is></c>
<c r="B1" t="inlineStr"><v>1</v></c>
<c r="B1" t="inlineStr"><is><t>1</t><!-- --></is></c>
<c r="B1" t="inlineStr"><is><t>1</t><x/></is></c>
<c r="B1" t="str"><v>&nbsp;</v></c>
<c r="B1" t="str"><v>&#0;</v></c>
<c r="B1" t="str"><v>a & b</v></c>
<c r="B1" t="str"><v>&#x110000;</v></c>"""


@pytest.mark.parametrize(
    ("inner", "last"),
    [(inner, "A1") for inner in UNKNOWN_AFTER_A1.splitlines()] + [(inner, "B1") for inner in WRONG_IN_B1.splitlines()],
)
def test_what_the_grammar_does_not_know_is_refused(inner, last):
    error = refusal(lambda: cells(row('<c r="A1"><v>1</v></c>' + inner)))
    expected = "B1" if inner.startswith('<c r="B1"/></row>') else last
    assert (error.code, error.where) == ("E-BOOK-DIALECT", f"{SHEET}!{expected}")


def test_hidden_markup_encodings_and_repeats_are_refused():
    def first(**parts: str | bytes) -> str:
        return refusal(lambda: load(package_bytes(row('<c t="s"><v>0</v></c>'), **parts)).sheet(SHEET)).code

    assert first(xl__worksheets__sheet1=HEAD + "<x:sheetData/>") == "E-BOOK-DIALECT"
    assert first(xl__worksheets__sheet1="<worksheet><!-- <sheetData> --><sheetData/>") == "E-BOOK-DIALECT"
    assert first(xl__sharedStrings=STRINGS.replace("<si>", "<!-- <si> --><si>", 1)) == "E-BOOK-DIALECT"
    assert first(xl__sharedStrings=STRINGS.replace("<si>", "<?a <si> ?><si>", 1)) == "E-BOOK-DIALECT"
    assert first(xl__sharedStrings=STRINGS.replace("<si>", "<x:si/><si>", 1)) == "E-BOOK-DIALECT"
    assert first(xl__workbook=WORKBOOK.replace("<sheet ", "<x:sheet ")) == "E-BOOK-DIALECT"
    assert first(xl__workbook=WORKBOOK.replace("rId8", "rId11")) == "E-BOOK-DIALECT"
    assert first(xl__workbook=WORKBOOK.replace("'隐藏'", f'"{SHEET}"')) == "E-BOOK-DUPLICATE"
    assert first(xl__workbook=WORKBOOK.replace('"断2"', '"断"')) == "E-BOOK-DUPLICATE"
    assert first(xl__worksheets__sheet1=(HEAD + "<sheetData/>").encode("utf-16")) == "E-BOOK-ENCODING"
    assert first(xl__worksheets__sheet1=(HEAD + "<sheetData>甲").encode("gbk")) == "E-BOOK-ENCODING"
    assert first(xl__worksheets__sheet1=HEAD.replace("UTF-8", "GBK") + "<sheetData/>") == "E-BOOK-ENCODING"


def test_counts_are_limited(monkeypatch):
    monkeypatch.setattr(rawbook, "MAX_CELLS", 3)
    assert refusal(lambda: cells(row("<c/>" * 4))).code == "E-BOOK-LIMIT"
    wide = row('<c><f t="array" ref="A1:XFD1048576">1</f></c>')
    assert refusal(lambda: cells(wide)).code == "E-BOOK-LIMIT"
    monkeypatch.setattr(rawbook, "MAX_STRINGS", 3)
    assert refusal(lambda: cells(row('<c t="s"><v>0</v></c>'))).code == "E-BOOK-LIMIT"


def stripped(sheet: str, refs: set[str]) -> str:
    """The sheet without t, v and is of the cells named: all that a patch may touch."""

    def bare(match: re.Match[str]) -> str:
        ref, attributes, body = match.groups()
        if ref not in refs:
            return match[0]
        body = re.sub(r"<v\b[^>]*?(?:/>|>[^<]*</v>)|<is>.*?</is>", "", body or "", flags=re.DOTALL)
        return f'<c r="{ref}"' + re.sub(r" (?:t|vm)=(?:\"\w+\"|'\w+')", "", attributes) + f">{body}</c>"

    return re.sub(r'<c r="(\w+)"([^>]*?)\s*(?:/>|>(.*?)</c>)', bare, sheet, flags=re.DOTALL)


CHANGES: dict[str, Value] = {"A1": "=1+1 <&> ＝", "C1": Decimal("1E+3"), "D1": True, "E1": None, "F1": 7}
CHANGES |= {"G1": " 核算\n依据 ", "B4": "文", "D4": "@x", "F2": Decimal("0.10"), "E2": None}


@pytest.mark.parametrize("sheet", [EXCEL, LIBREOFFICE, OPENPYXL])
def test_a_patch_touches_only_values_of_the_cells_named(sheet):
    before = cells(sheet)
    changes = {ref: value for ref, value in CHANGES.items() if ref in before}
    data = package_bytes(sheet)
    result = load(data).patch({(SHEET, ref): value for ref, value in changes.items()})
    old, new = (zipfile.ZipFile(io.BytesIO(d)) for d in (data, result))
    for name in old.namelist():
        if name != "xl/worksheets/sheet1.xml":
            assert old.read(name) == new.read(name)
    text = new.read("xl/worksheets/sheet1.xml").decode()
    assert stripped(text, set(changes)) == stripped(HEAD + sheet + TAIL, set(changes))
    after = {cell.ref: cell for cell in load(result).sheet(SHEET).cells.values()}
    for ref, (kind, content, formula) in before.items():
        expected = RawCell(ref, kind, content, formula)
        if ref in changes:
            expected = RawCell(ref, *stored(changes[ref]), formula)
        assert after[ref] == expected
    assert load(data).patch({}) == data


def stored(value: Value) -> tuple[str, str]:
    if value is None:
        return "empty", ""
    if isinstance(value, bool):
        return "bool", str(int(value))
    return ("text", value) if isinstance(value, str) else ("number", format(Decimal(value), "f"))


def test_formulas_keep_their_bytes_and_new_strings_are_inline():
    data = load(package_bytes(EXCEL)).patch(
        {(SHEET, "B4"): 5, (SHEET, "D1"): "=x", (SHEET, "D4"): "=x", (SHEET, "A1"): None, (SHEET, "C1"): None}
    )
    text = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    for piece in (
        '<c r="B4"><f t="shared" si="0"/><v>5</v></c>',
        '<c r="D1" t="str"><f>"a"&amp;"b"</f><v>=x</v></c>',
        '<c r="D4" s="2" t="inlineStr"><is><t>=x</t></is></c>',
        '<c r="A1" s="1"></c>',
        '<c r="C1" cm="1"><f t="array" ref="C1:C2">_xlfn.SEQUENCE(2)</f></c>',
    ):
        assert piece in text


@pytest.mark.parametrize("sheet", [EXCEL, LIBREOFFICE, OPENPYXL])
def test_what_a_cell_already_says_keeps_its_bytes(sheet):
    """Written again, a shared string would become an inline one, and a hundredth another spelling."""
    data = package_bytes(sheet)
    book = load(data)
    held = book.sheet(SHEET).cells.values()
    same = {
        (SHEET, cell.ref): {"bool": cell.text == "1", "error": ErrorValue(cell.text)}.get(cell.kind, cell.text)
        for cell in held
        if cell.kind not in ("number", "empty")
    }
    assert same and book.patch(same) == data
    numbers = {
        (SHEET, cell.ref): Decimal(cell.text) for cell in book.sheet(SHEET).cells.values() if cell.kind == "number"
    }
    assert cells_of(book.patch(numbers)) == cells_of(data)
    formula = next(cell for cell in held if cell.formula is not None)
    assert book.patch({(SHEET, formula.ref): "别的"}) != data


def cells_of(data: bytes) -> dict[str, tuple[str, Decimal | str, str | None]]:
    found = load(data).sheet(SHEET).cells.values()
    return {c.ref: (c.kind, Decimal(c.text) if c.kind == "number" else c.text, c.formula) for c in found}


def test_what_cannot_be_written_is_refused():
    book = load(package_bytes(EXCEL))
    for ref in ("Z1", "A2", "A99"):
        error = refusal(lambda ref=ref: book.patch({(SHEET, ref): 1}))
        assert (error.code, error.where) == ("E-BOOK-NO-CELL", f"{SHEET}!{ref}")
    assert refusal(lambda: book.patch({("无", "A1"): 1})).code == "E-BOOK-NO-SHEET"
    assert refusal(lambda: book.patch({(SHEET, "A1"): "长" * 32768})).code == "E-BOOK-LONG-TEXT"
    assert refusal(lambda: book.patch({(SHEET, "A1"): "😀" * 16384})).code == "E-BOOK-LONG-TEXT"
    assert book.patch({(SHEET, "A1"): "长" * 32767})
    for number in (Decimal("NaN"), Decimal("Infinity"), Decimal("1E+400"), Decimal("1E-999999")):
        with pytest.raises(ValueError, match="数字"):
            book.patch({(SHEET, "A1"): number})
    with pytest.raises(TypeError):
        book.patch({(SHEET, "A1"): 1.5})  # type: ignore[dict-item]


def openpyxl_file() -> bytes:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = SHEET
    sheet["A1"], sheet["B1"], sheet["C1"], sheet["B2"] = "甲", 1.5, "=B1*2", "旧"
    sheet["A3"] = ArrayFormula("A3:A4", "=B1:B2*2")
    workbook.defined_names["合计"] = openpyxl.workbook.defined_name.DefinedName(
        "合计", attr_text=f"'{SHEET.replace(chr(39), chr(39) * 2)}'!$C$1"
    )
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def xlsxwriter_file() -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as workbook:
        bold = workbook.add_format({"bold": True})
        sheet = workbook.add_worksheet(SHEET)
        sheet.write("A1", "甲")
        sheet.write("B1", 1.5, bold)
        sheet.write_formula("C1", "=B1*2", bold, 99)
        sheet.write_rich_string("B2", "旧", bold, "的")
        sheet.write_array_formula("A3:A4", "{=B1:B2*2}", None, 1)
        sheet.write_comment("A1", "批注")
        quoted = SHEET.replace("'", "''")
        workbook.define_name("合计", f"='{quoted}'!$C$1")
    return stream.getvalue()


@pytest.mark.parametrize("make", [openpyxl_file, xlsxwriter_file])
def test_openpyxl_sees_the_patched_values(make):
    book = load(make())
    assert book.resolve("合计") == Area(SHEET, 1, 3, 1, 3)
    assert book.sheet(SHEET).cells[1, 2].text == "1.5" and book.sheet(SHEET).cells[3, 1].formula == "B1:B2*2"
    result = book.patch({(SHEET, "C1"): Decimal("166666.65"), (SHEET, "B2"): "=新<&>", (SHEET, "A3"): "文"})
    values = openpyxl.load_workbook(io.BytesIO(result), data_only=True)[SHEET]
    assert (values["C1"].value, values["B2"].value, values["A3"].value) == (166666.65, "=新<&>", "文")
    assert (values["A1"].value, values["B1"].value) == ("甲", 1.5)
    formulas = openpyxl.load_workbook(io.BytesIO(result))[SHEET]
    assert formulas["C1"].value == "=B1*2" and formulas["B2"].data_type == "s"


NUMBERS = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=Decimal("-1E300"), max_value=Decimal("1E300")
).filter(lambda number: int(number.as_tuple().exponent) >= -400)
ESCAPES = st.lists(st.sampled_from(["_", "x", "_x000D_", "_x005F_", "000D", "&#13;", "\r", "\n", " ", "<", "]]>"])).map(
    "".join
)
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-(10**300), 10**300), NUMBERS, st.text(), ESCAPES)
BOOK = load(package_bytes(EXCEL))


@settings(max_examples=300, deadline=None)
@given(formula_value=VALUES, constant=VALUES)
def test_what_is_written_is_read_back(formula_value, constant):
    result = load(BOOK.patch({(SHEET, "D1"): formula_value, (SHEET, "D4"): constant}))
    for position, value in (((1, 4), formula_value), ((4, 4), constant)):
        cell = result.sheet(SHEET).cells[position]
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            assert cell.kind == "number" and Decimal(cell.text) == value and "E" not in cell.text
        elif isinstance(value, str):
            legal = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", value)
            # No text in an empty cell is what it says already.
            assert (cell.kind, cell.text) == ("text" if value or position == (1, 4) else "empty", legal)
        else:
            assert (cell.kind, cell.text) == stored(value)


# --- the quick reader of plain rows and the grammar for everything else


PIECES = (
    "", " ", "\n", "<", ">", "/", "<c ", "<c", "</c>", "<c/>", "<c r='B1'/>", '<c r="A1"/>', '<c r="A9"><v>1</v></c>',
    "<row", "</row>", "<row/>", '<row r="2">', '<row r="9"/>', '<row r="2"></row>', "<!-- a -->", "<v>7</v>",
    "<f>1</f>", "<is><t>b</t></is>", ' t="s"', ' t="n"', ' r="A1"', "</sheetData>", "<sheetData/>", "9", '"',
    "&#65;", "&a;",
)  # fmt: skip


def read_and_written(sheet: str) -> object:
    """What a sheet says and how it is written anew, or the refusal."""
    try:
        read = load(package_bytes(sheet)).sheet(SHEET)
        changes: dict[str, Value] = {
            cell.ref: ("甲 <&>", 1, Decimal("0.5"), None, True)[number % 5]
            for number, cell in enumerate(read.cells.values())
        }
        return list(read.cells.items()), sorted(read.formulas), read.patched(changes)
    except WorkbookRefused as refusal:
        return refusal.code, refusal.message, refusal.where


@settings(max_examples=250, deadline=None)
@given(
    st.sampled_from([EXCEL, LIBREOFFICE, OPENPYXL]),
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 6), st.sampled_from(PIECES)), max_size=3),
)
def test_rows_are_read_alike_by_both_readers(sheet: str, cuts: list[tuple[int, int, str]]) -> None:
    """Whatever is put into a sheet or taken out: the quick reader says what the grammar says, or leaves it to it."""
    for start, length, piece in cuts:
        sheet = sheet[:start] + piece + sheet[start + length :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Package, "once", lambda self, name, read: read(self.read(name)))
        quick = read_and_written(sheet)
        patch.setattr(rawbook, "read_rows", lambda texts: None)
        assert read_and_written(sheet) == quick


@pytest.mark.parametrize("sheet", [EXCEL, LIBREOFFICE, OPENPYXL])
def test_a_sheet_that_was_read_before_says_the_same(sheet: str) -> None:
    first = read_and_written(sheet)
    assert [read_and_written(sheet) for _ in range(3)] == [first] * 3


def test_the_same_sheet_shows_each_file_its_own_strings() -> None:
    sheet = row('<c r="A1" t="s"><v>0</v></c><c r="B1"><v>7</v></c>')
    for text in ("甲", "乙", "丙"):
        strings = STRINGS.replace("<si>", f"<si><t>{text}</t></si><si>", 1)
        found = load(package_bytes(sheet, xl__sharedStrings=strings)).sheet(SHEET).cells
        assert [cell.text for cell in found.values()] == [text, "7"]


def test_a_part_of_another_name_is_refused_however_often_its_bytes_were_read() -> None:
    def renamed() -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(package_bytes(EXCEL))) as given, zipfile.ZipFile(stream, "w") as made:
            for info in given.infolist():
                name, content = info.filename, given.read(info)
                if name.endswith("workbook.xml.rels"):
                    content = content.replace(b"worksheets/sheet1.xml", b"worksheets/sheet1.dat")
                name = name.replace("worksheets/sheet1.xml", "worksheets/sheet1.dat")
                made.writestr(name, content, zipfile.ZIP_DEFLATED)
        return stream.getvalue()

    for _ in range(3):
        load(package_bytes(EXCEL)).sheet(SHEET)
        assert refusal(lambda: load(renamed()).sheet(SHEET)).code == "E-BOOK-DIALECT"
