"""An xlsx or xlsm as a raw zip: looked through before anything is parsed, members keep their bytes."""

from __future__ import annotations

import re
import stat
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from workbooks.files.filekind import not_a_zip, other_zip
from workbooks.files.members import DEFLATED, Member, damaged, megabytes, replaced, walk
from workbooks.files.prescan import DEFAULT_LIMITS as DEFAULT_LIMITS
from workbooks.files.prescan import MB, PIECE, Held, Measure, look_through, over_limit
from workbooks.files.prescan import Limits as Limits
from workbooks.files.remembered import Remembered
from xlcalc.errors import WorkbookRefused

# The same format, several times as fast, where it is installed; what is inflated is the same, what is deflated differs.
codec: Any = zlib
with suppress(ImportError):
    from isal import isal_zlib as codec

_ERRORS: tuple[type[BaseException], ...] = (zlib.error, codec.error)
_LEVEL = 1
_MARKUP = (".xml", ".rels", ".vml")
_BLANK = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
KEEP = 8 * MB

Reading = TypeVar("Reading")


class _Part(NamedTuple):
    """A part that was inflated and looked through; reading: what was made of it, where it is not the first such."""

    content: bytes
    held: Held
    reading: list[Any]


# Most parts are the same in every file of a template.
_parts: Remembered[bytes, _Part] = Remembered(3 * MB // 2, lambda part: len(part.content))


class Package:
    """A checked xlsx or xlsm, from which parts can be read and in which parts can be replaced."""

    __slots__ = ("_again", "_data", "_kept", "_members", "measure")

    def __init__(self, data: bytes, members: dict[str, Member]) -> None:
        self._data = data
        self._members = members
        self._kept: dict[str, bytes] = {}
        self._again: dict[str, _Part] = {}
        self.measure = Measure()

    @classmethod
    def open(cls, path: Path, limits: Limits = DEFAULT_LIMITS) -> Package:
        """The package at ``path``; symlinks, pipes, devices and directories are refused unread."""
        try:
            return cls.from_bytes(read_file(path, limits), limits)
        except WorkbookRefused as refusal:
            raise refusal.at(path.name) from None

    @classmethod
    def from_bytes(cls, data: bytes, limits: Limits = DEFAULT_LIMITS) -> Package:
        """The package held in ``data``, after every check and a count of what its XML parts hold."""
        if len(data) > limits.max_file:
            raise over_limit("文件大小", megabytes(len(data)), megabytes(limits.max_file))
        if not data.startswith(b"PK\x03\x04"):
            raise not_a_zip(data)
        try:
            package = cls(data, walk(data, limits))
        except WorkbookRefused as refusal:
            other = other_zip(data, ()) if refusal.code not in ("E-BOOK-DAMAGED", "E-BOOK-PASSWORD") else None
            raise other or refusal from None
        if "xl/workbook.xml" not in package and (other := other_zip(data, package.names)):
            raise other
        parts = [member for member in package._members.values() if package._is_markup(member)]
        keep = sum(member.size for member in parts) <= KEEP
        for member in parts:
            package.measure.include(member.name, package._looked_through(member, keep, limits), limits)
        return package

    @property
    def names(self) -> tuple[str, ...]:
        """Member names in the order of the central directory."""
        return tuple(member.name for member in self._members.values())

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._members

    def read(self, name: str) -> bytes:
        """The inflated member; part names compare without case, as the format demands."""
        member = self._member(name)
        return self._kept.get(member.name) or b"".join(self._pieces(member))

    def once(self, name: str, read: Callable[[bytes], Reading]) -> Reading:
        """What ``read`` makes of a part, of which it knows nothing but its content.

        It is made once for all files in which the part is the same. What an error ends is not kept.
        """
        known = self._again.get(name.lower())
        if known is None:
            return read(self.read(name))
        if not known.reading:
            known.reading.append(read(known.content))
        reading: Reading = known.reading[0]
        return reading

    def rewrite(self, replacements: Mapping[str, bytes]) -> bytes:
        """The package's bytes with some members replaced; all others are carried over byte for byte."""
        new = {self._member(name).name: content for name, content in replacements.items()}
        if not new:
            return self._data
        body = bytearray()
        records: dict[str, bytes] = {}
        for member in sorted(self._members.values(), key=lambda m: m.start):
            record = member.record
            chunk = self._data[member.start : member.end]
            if member.name in new:
                record, chunk = _replaced(member, new[member.name])
            records[member.name] = record[:42] + struct.pack("<I", len(body)) + record[46:]
            body += chunk
        directory = b"".join(records[member.name] for member in self._members.values())
        end = bytearray(self._data[self._data.rfind(b"PK\x05\x06") :])
        struct.pack_into("<II", end, 12, len(directory), len(body))
        return bytes(body) + directory + bytes(end)

    @property
    def has_macros(self) -> bool:
        """VBA or Excel 4 macros are inside, whatever their parts are called."""
        types = self.read("[Content_Types].xml").lower() if "[Content_Types].xml" in self else b""
        declared = b"vbaproject" in types or b"macrosheet" in types
        return declared or "xl/vbaProject.bin" in self or self._holds("xl/macrosheets/")

    @property
    def is_signed(self) -> bool:
        """The package carries a digital signature, which any change would break."""
        return self._holds("_xmlsignatures/")

    @property
    def external_links(self) -> tuple[str, ...]:
        """Parts that link to other workbooks, programs or servers."""
        return tuple(name for name in self.names if re.fullmatch(r"(?i)xl/externalLinks/[^/]+\.xml", name))

    @property
    def has_ole(self) -> bool:
        """Embedded objects, ActiveX controls, OLE or DDE links are inside."""
        linked = any(re.search(rb"(?:ddeLink|oleLink)\b", self.read(link)) for link in self.external_links)
        return linked or self._holds("xl/embeddings/") or self._holds("xl/activex/")

    @property
    def has_connections(self) -> bool:
        """The workbook asks a database, a web page or another file for data."""
        return "xl/connections.xml" in self or self._holds("xl/querytables/")

    def _holds(self, folder: str) -> bool:
        return any(key.startswith(folder) for key in self._members)

    def _member(self, name: str) -> Member:
        member = self._members.get(name.lower())
        if member is None:
            raise damaged("缺少这个部件", name)
        return member

    def _is_markup(self, member: Member) -> bool:
        name = member.name.lower()
        # A picture may keep the DOCTYPE its program wrote: nobody reads it as a part of the workbook.
        if name.endswith((*_MARKUP, ".svg")):
            return not name.endswith(".svg")
        head = self._data[member.data : member.data + min(member.packed, 1024)]
        with suppress(*_ERRORS):
            head = codec.decompressobj(-15).decompress(head, 1024) if member.method == DEFLATED else head
        return head.lstrip(_BLANK).startswith(b"<")

    def _looked_through(self, member: Member, keep: bool, limits: Limits) -> Held:
        """What a part holds. Its content is kept for who reads it next: a file of usual size is inflated once."""
        if not keep:
            return look_through(member.name, self._pieces(member), self.measure, limits)
        key = self._identity(member)
        known = _parts.get(key)
        if known is None:
            pieces: list[bytes] = []
            held = look_through(member.name, _noting(self._pieces(member), pieces), self.measure, limits)
            known = _Part(b"".join(pieces), held, [])
            _parts.put(key, known)
        else:
            self._again[member.name.lower()] = known
        self._kept[member.name] = known.content
        return known.held

    def _identity(self, member: Member) -> bytes:
        """All that what is said of a part depends on: its packed bytes, what is declared of them, its kind of name."""
        name = member.name.lower()
        kinds = name.startswith("customxml/"), name.endswith((".xml", ".rels"))
        declared = struct.pack("<IIH??", member.crc, member.size, member.method, *kinds)
        return self._data[member.data : member.data + member.packed] + declared

    def _pieces(self, member: Member) -> Iterator[bytes]:
        """The member's content in pieces; one that is not as long as declared, or damaged, is refused on the way."""
        packed = memoryview(self._data)[member.data : member.data + member.packed]
        size = crc = 0
        for piece in _inflated(packed, member) if member.method == DEFLATED else _sliced(packed):
            size, crc = size + len(piece), codec.crc32(piece, crc)
            # The first byte more than declared is enough to see the lie.
            if size > member.size:
                break
            yield piece
        if size != member.size:
            raise damaged("解压后的大小与声明不符", member.name)
        if crc != member.crc:
            raise damaged("校验码（CRC）不符", member.name)


def _noting(pieces: Iterator[bytes], noted: list[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        noted.append(piece)
        yield piece


def _sliced(packed: memoryview) -> Iterator[bytes]:
    for start in range(0, len(packed), PIECE):
        yield bytes(packed[start : start + PIECE])


def _inflated(packed: memoryview, member: Member) -> Iterator[bytes]:
    inflater = codec.decompressobj(-15)
    left = b""
    try:
        for left in _sliced(packed):
            while left and not inflater.eof:
                yield inflater.decompress(left, PIECE)
                left = inflater.unconsumed_tail
            if inflater.unused_data or left:
                break
        yield inflater.flush()
    except _ERRORS:
        raise damaged("压缩数据损坏", member.name) from None
    if not inflater.eof or inflater.unused_data or left:
        raise damaged("压缩数据与声明的大小不符", member.name)


def read_file(path: Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """A file's bytes, once it is seen to be an ordinary file, not too large and not a lock file."""
    if path.name.startswith(("~$", ".~")):
        message = "这是 Excel 或 WPS 打开文件时的临时锁文件，不是工作簿"
        raise WorkbookRefused("E-BOOK-LOCKFILE", message, remedy="忽略即可，请处理同名的正式文件")
    try:
        info = path.lstat()
        if not stat.S_ISREG(info.st_mode):
            kind = "符号链接" if stat.S_ISLNK(info.st_mode) else "目录、管道或设备，不是普通文件"
            raise WorkbookRefused("E-BOOK-NOT-FILE", f"这是{kind}，未打开", remedy="请给出工作簿文件本身")
        if info.st_size > limits.max_file:
            raise over_limit("文件大小", megabytes(info.st_size), megabytes(limits.max_file))
        with path.open("rb") as stream:
            data = stream.read(limits.max_file + 1)
        after = path.lstat()
        if (after.st_size, after.st_mtime_ns) != (len(data), info.st_mtime_ns):
            raise WorkbookRefused("E-BOOK-CHANGING", "文件正在被写入或复制", remedy="请等写完后重新核算")
        return data
    except FileNotFoundError:
        raise WorkbookRefused("E-BOOK-MISSING", "找不到这个文件", remedy="请核对路径") from None
    except OSError:
        remedy = "请核对权限，或关闭正在使用它的程序"
        raise WorkbookRefused("E-BOOK-UNREADABLE", "文件读不出来", remedy=remedy) from None


def _replaced(member: Member, content: bytes) -> tuple[bytes, bytes]:
    deflater = codec.compressobj(_LEVEL, zlib.DEFLATED, -15)
    packed = deflater.compress(content) + deflater.flush()
    return replaced(member, packed, codec.crc32(content), len(content))
