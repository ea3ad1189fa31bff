"""Pieces of spreadsheet XML read as text: sections, elements, attributes, strings; strict, without a tree.

ValueError carries what is wrong; the caller knows the place and makes it a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from workbooks.files.package import Package
from xlcalc.errors import WorkbookRefused

ATTRIBUTES = r"(?:\s+[\w:.\-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*+"
TEXT_ELEMENT = rf"<t{ATTRIBUTES}\s*(?:/>|>([^<]*)</t\s*>)"
_RUN = re.compile(
    rf"\s*+(?:{TEXT_ELEMENT}|<r{ATTRIBUTES}\s*>\s*(?:<rPr{ATTRIBUTES}\s*(?:/>|>(?>.*?</rPr\s*>)))?\s*(?:{TEXT_ELEMENT})?\s*</r\s*>"
    rf"|<rPh{ATTRIBUTES}\s*>(?>.*?</rPh\s*>)|<phoneticPr{ATTRIBUTES}\s*(?:/>|>\s*</phoneticPr\s*>))",
    re.DOTALL,
)
_SINGLE = re.compile(TEXT_ELEMENT)
ATTRIBUTE = re.compile(r"\s+([\w:.\-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos);|#([0-9]{1,7});|#x([0-9A-Fa-f]{1,6});)?")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENCODING = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*?\bencoding\s*=\s*[\"']([^\"']*)")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
RESAVE = "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新提交"
Value = int | str | bool | Decimal | None
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_SPECIAL = re.compile("[&<>\r]")
_SHORT_NUMBER = 10**15
_NEEDS_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
MAX_TEXT = 32_767
_MOST_CHARACTERS = 20_000


class ErrorValue(str):
    """An error a formula shows, such as ``#N/A``; as any other text it would be text."""

    __slots__ = ()


def dialect(message: str, where: str) -> WorkbookRefused:
    """The refusal for what the grammar does not know."""
    return WorkbookRefused("E-BOOK-DIALECT", f"无法可靠读取：{message}", where=where, remedy=RESAVE)


def check_limit(found: int, limit: int, what: str, where: str) -> None:
    """Refuses what is more than any real form holds."""
    if found > limit:
        message = f"{what} {found} 个，超过上限 {limit}"
        raise WorkbookRefused("E-BOOK-LIMIT", message, where=where, remedy="请删去多余内容后重新提交")


def xml_text(package: Package, part: str) -> str:
    """The part as text; anything but plain UTF-8 XML is refused."""
    return text_of(package.read(part), part)


def text_of(content: bytes, part: str) -> str:
    """The same of the content of a part."""
    declared = _ENCODING.match(content)
    try:
        if declared and declared[1].lower() not in (b"utf-8", b"utf8"):
            raise ValueError
        text = content.decode("utf-8")
    except ValueError:
        raise WorkbookRefused("E-BOOK-ENCODING", "XML 不是 UTF-8 编码", where=part, remedy=RESAVE) from None
    # The pre-scan goes by file name, so a part under an unusual name may not have been looked at.
    if not part.lower().endswith((".xml", ".rels")):
        raise dialect("部件的文件名不是 .xml", part)
    head = text.partition("<sheetData")[0]
    # Markup that parsers skip (comments, instructions) could hide or fake what the patterns look for.
    if "<!" in head or head.count("<?") > head.startswith(("<?xml ", "\ufeff<?xml ")):
        raise dialect("XML 里有注释、CDATA 或处理指令", part)
    return text


def section(text: str, tag: str) -> str:
    """What stands inside the only element called ``tag``; "" if there is none."""
    found: list[str] = re.findall(rf"<{tag}{ATTRIBUTES}\s*(?:/>|>(?>(.*?)</{tag}\s*>))", text, re.DOTALL)
    if len(found) > 1:
        raise ValueError(f"{tag} 出现了多次")
    return found[0] if found else ""


def elements(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches that follow each other without a gap to the end of ``text``; anything else is refused."""
    position, end = 0, len(text.rstrip())
    while position < end:
        match = pattern.match(text, position)
        if match is None:
            raise ValueError(f"不认识的内容 {text[position : position + 40].strip()!r}")
        yield match
        position = match.end()


def attributes(text: str) -> dict[str, str]:
    """Attributes by name; ValueError when one is written twice."""
    found = ATTRIBUTE.findall(text)
    result = {name: double or single for name, double, single in found}
    if "&" in text:
        result = {name: unescaped(value) for name, value in result.items()}
    if len(result) != len(found):
        raise ValueError("同一属性写了两次")
    return result


def unescaped(text: str) -> str:
    """XML character data as a parser would give it: line ends and references resolved."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    return _known_characters.get(match[0]) or _new_character(match)


_known_characters: dict[str, str] = {}


def _new_character(match: re.Match[str]) -> str:
    name, decimal, hexadecimal = match.groups()
    if name:
        return _CHARACTERS[name]
    code = int(decimal or "0") or int(hexadecimal or "0", 16)
    if code > 0x10FFFF or ILLEGAL.match(chr(code)):
        raise ValueError(f"无法识别的字符引用 {match.string[match.start() : match.start() + 12]!r}")
    if len(_known_characters) < _MOST_CHARACTERS:
        _known_characters[match[0]] = chr(code)
    return chr(code)


def cell_string(text: str) -> str:
    """Cell text: XML unescaped, then the ``_x000D_`` escapes of the spreadsheet format."""
    text = unescaped(text)
    if "_x" not in text or not _ESCAPE.search(text):
        return text
    decoded = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return decoded.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def runs_text(xml: str) -> str:
    """The text of a string item: its runs joined, phonetic hints left out."""
    if "<!" in xml or "<?" in xml:
        raise ValueError("字符串里有注释、CDATA 或处理指令")
    single = _SINGLE.fullmatch(xml)
    if single:
        return cell_string(single[1] or "")
    return "".join(cell_string(match[1] or match[2] or "") for match in elements(_RUN, xml))


def encoded(value: Value, is_formula: bool, where: str) -> tuple[str, str]:
    """(t, XML) of a value; a constant string is inline, so that it can never become a formula."""
    if value is None:
        return "", ""
    if isinstance(value, bool):
        return "b", f"<v>{value:d}</v>"
    if isinstance(value, int | Decimal):
        short = type(value) is int and -_SHORT_NUMBER < value < _SHORT_NUMBER
        return "", f"<v>{value if short else _plain(Decimal(value))}</v>"
    if isinstance(value, ErrorValue):
        return "e", f"<v>{value}</v>"
    text = ILLEGAL.sub("", value)
    if 2 * len(text) > MAX_TEXT and len(text.encode("utf-16-le")) > 2 * MAX_TEXT:
        message = f"文字超过 {MAX_TEXT} 个字符，单元格放不下"
        raise WorkbookRefused("E-BOOK-LONG-TEXT", message, where=where, remedy="请缩短文字")
    xml = _NEEDS_ESCAPE.sub("_x005F_", text)
    if _SPECIAL.search(xml):
        xml = xml.translate(_ENTITIES)
    space = "" if text == text.strip() else ' xml:space="preserve"'
    if is_formula:
        return "str", f"<v{space}>{xml}</v>"
    return "inlineStr", f"<is><t{space}>{xml}</t></is>"


def _plain(number: Decimal) -> str:
    """Decimal digits without an exponent; ValueError for what no cell can hold."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or number.adjusted() > 307 or exponent < -400:
        raise ValueError(f"单元格放不下数字 {number}")
    return format(number or Decimal(0), "f")
