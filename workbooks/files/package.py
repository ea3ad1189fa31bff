"""An xlsx or xlsm as a raw zip: checked before anything is inflated, members keep their bytes.

The zip is walked here and not by ``zipfile``, because a refusal must come before the first inflated byte,
and because a rewritten file has to carry every untouched member exactly as it was.
"""

from __future__ import annotations

import re
import stat
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from workbooks.files.filekind import not_a_zip, other_zip
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
_END = struct.Struct("<4sHHHHIIH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_STORED, _DEFLATED = 0, 8
_HAS_DESCRIPTOR, _UTF8_NAME = 0x0008, 0x0800
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_KNOWN_FLAGS = _ENCRYPTED | 0x0006 | _HAS_DESCRIPTOR | _UTF8_NAME

_MARKUP = (".xml", ".rels", ".vml")
_BLANK = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
KEEP = 8 * MB
_RESAVE = "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新提交"
_RESEND = "请向填报人索取完整的原文件"


@dataclass(frozen=True, slots=True)
class _Member:
    """One zip member: its central record, and where its bytes lie: [start, data) header, [data, end) rest."""

    name: str
    record: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    start: int
    data: int
    end: int


Reading = TypeVar("Reading")


class _Part(NamedTuple):
    """A part that was inflated and looked through; reading: what was made of it, where it is not the first such."""

    content: bytes
    held: Held
    reading: list[Any]


# Most parts are the same in every file of a template.
_parts: Remembered[bytes, _Part] = Remembered(3 * MB, lambda part: len(part.content))


class Package:
    """A checked xlsx or xlsm, from which parts can be read and in which parts can be replaced."""

    __slots__ = ("_again", "_data", "_kept", "_members", "measure")

    def __init__(self, data: bytes, members: dict[str, _Member]) -> None:
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
            raise over_limit("文件大小", _mb(len(data)), _mb(limits.max_file))
        if not data.startswith(b"PK\x03\x04"):
            raise not_a_zip(data)
        try:
            package = cls(data, _walk(data, limits))
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

    def _member(self, name: str) -> _Member:
        member = self._members.get(name.lower())
        if member is None:
            raise _damaged("缺少这个部件", name)
        return member

    def _is_markup(self, member: _Member) -> bool:
        name = member.name.lower()
        # A picture may keep the DOCTYPE its program wrote: nobody reads it as a part of the workbook.
        if name.endswith((*_MARKUP, ".svg")):
            return not name.endswith(".svg")
        head = self._data[member.data : member.data + min(member.packed, 1024)]
        with suppress(*_ERRORS):
            head = codec.decompressobj(-15).decompress(head, 1024) if member.method == _DEFLATED else head
        return head.lstrip(_BLANK).startswith(b"<")

    def _looked_through(self, member: _Member, keep: bool, limits: Limits) -> Held:
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

    def _identity(self, member: _Member) -> bytes:
        """All that what is said of a part depends on: its packed bytes, what is declared of them, and its folder."""
        ours = not member.name.lower().startswith("customxml/")
        declared = struct.pack("<IIH?", member.crc, member.size, member.method, ours)
        return self._data[member.data : member.data + member.packed] + declared

    def _pieces(self, member: _Member) -> Iterator[bytes]:
        """The member's content in pieces; one that is not as long as declared, or damaged, is refused on the way."""
        packed = memoryview(self._data)[member.data : member.data + member.packed]
        size = crc = 0
        for piece in _inflated(packed, member) if member.method == _DEFLATED else _sliced(packed):
            size, crc = size + len(piece), codec.crc32(piece, crc)
            # The first byte more than declared is enough to see the lie.
            if size > member.size:
                break
            yield piece
        if size != member.size:
            raise _damaged("解压后的大小与声明不符", member.name)
        if crc != member.crc:
            raise _damaged("校验码（CRC）不符", member.name)


def _noting(pieces: Iterator[bytes], noted: list[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        noted.append(piece)
        yield piece


def _sliced(packed: memoryview) -> Iterator[bytes]:
    for start in range(0, len(packed), PIECE):
        yield bytes(packed[start : start + PIECE])


def _inflated(packed: memoryview, member: _Member) -> Iterator[bytes]:
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
        raise _damaged("压缩数据损坏", member.name) from None
    if not inflater.eof or inflater.unused_data or left:
        raise _damaged("压缩数据与声明的大小不符", member.name)


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
            raise over_limit("文件大小", _mb(info.st_size), _mb(limits.max_file))
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


def _walk(data: bytes, limits: Limits) -> dict[str, _Member]:
    """Members by lower-case name, every header checked and nothing inflated."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - _END.size - 0xFFFF))
    if end < 0 or end + _END.size > len(data):
        raise _damaged("文件不完整，末尾缺失，可能没有下载或复制完")
    _, disk, first_disk, here, entries, length, start, comment = _END.unpack_from(data, end)
    if data[end - 20 : end - 16] == b"PK\x06\x07" or 0xFFFFFFFF in (length, start) or entries == 0xFFFF:
        raise _odd_zip("使用了 zip64 格式")
    if disk or first_disk or here != entries:
        raise _odd_zip("是分卷压缩包")
    if end + _END.size + comment != len(data) or start + length != end:
        raise _damaged("压缩目录的位置不对，文件不完整或末尾有多余内容")
    if entries > limits.max_entries:
        raise over_limit("部件数", str(entries), str(limits.max_entries))
    members: dict[str, _Member] = {}
    position = start
    for _ in range(entries):
        member = _member_at(data, position, start)
        position += len(member.record)
        if members.setdefault(member.name.lower(), member) is not member:
            raise WorkbookRefused("E-BOOK-DUPLICATE", "压缩包里有同名部件", where=member.name, remedy=_RESAVE)
        _check_size(member, limits)
    if position != end:
        raise _damaged("压缩目录的长度不对")
    total = sum(member.size for member in members.values())
    if total > limits.max_total:
        raise over_limit("解压后总大小", _mb(total), _mb(limits.max_total))
    _check_overlap(members, start)
    return members


def _member_at(data: bytes, position: int, directory: int) -> _Member:
    """The member whose central record is at ``position``, its local header compared with that record."""
    if position + _CENTRAL.size > len(data):
        raise _damaged("压缩目录不完整")
    fields = _CENTRAL.unpack_from(data, position)
    sig, _, _, flags, method, _, _, crc, packed, size, *lengths, disk, _, _, start = fields
    record = data[position : position + _CENTRAL.size + sum(lengths)]
    raw = record[_CENTRAL.size : _CENTRAL.size + lengths[0]]
    if sig != b"PK\x01\x02" or len(raw) != lengths[0]:
        raise _damaged("压缩目录损坏")
    name = _checked_name(raw, flags)
    _check_method(name, flags, method, disk, 0xFFFFFFFF in (packed, size, start))
    if start + _LOCAL.size > directory:
        raise _damaged("部件的位置不对", name)
    sig, _, local_flags, local_method, _, _, *sizes, name_length, extra = _LOCAL.unpack_from(data, start)
    if sig != b"PK\x03\x04" or data[start + _LOCAL.size : start + _LOCAL.size + name_length] != raw:
        raise _damaged("部件头与压缩目录不一致", name)
    _check_method(name, local_flags, local_method, 0, 0xFFFFFFFF in sizes)
    begin = start + _LOCAL.size + name_length + extra
    end = begin + packed
    described = struct.pack("<III", crc, packed, size)
    if local_flags & _HAS_DESCRIPTOR:
        end += 4 * data.startswith(b"PK\x07\x08", end)
        agrees, end = data.startswith(described, end), end + len(described)
    else:
        agrees = sizes == [crc, packed, size]
    if not agrees or local_method != method or (method == _STORED and packed != size):
        raise _damaged("部件头里的大小或校验码与压缩目录不一致", name)
    return _Member(name, record, flags, method, crc, packed, size, start, begin, end)


def _checked_name(raw: bytes, flags: int) -> str:
    """The member's name; one that could leave the package or be read in two ways is refused."""
    try:
        name = raw.decode("utf-8" if flags & _UTF8_NAME else "cp437")
    except UnicodeDecodeError:
        raise _damaged("部件名不是 UTF-8", ascii(raw)[:80]) from None
    folders = name.removesuffix("/").split("/")
    if re.search(r"[\\\x00-\x1f\x7f]|^[A-Za-z]:", name) or any(part in ("", ".", "..") for part in folders):
        message = "部件名不合法（绝对路径、..、反斜杠等）"
        raise WorkbookRefused("E-BOOK-NAME", message, where=ascii(name)[:80], remedy=_RESAVE)
    return name


def _check_method(name: str, flags: int, method: int, disk: int, zip64: bool) -> None:
    if flags & _ENCRYPTED:
        raise WorkbookRefused("E-BOOK-PASSWORD", "压缩包加了密码", where=name, remedy="请去掉密码后重新提交")
    if zip64 or disk:
        raise _odd_zip("使用了 zip64 格式" if zip64 else "是分卷压缩包", name)
    if method not in (_STORED, _DEFLATED) or flags & ~_KNOWN_FLAGS:
        raise _odd_zip(f"使用了工作簿不用的压缩方法（{method}，标志 {flags:#06x}）", name)


def _check_size(member: _Member, limits: Limits) -> None:
    if member.size > limits.max_part:
        raise over_limit("单个部件解压后", _mb(member.size), _mb(limits.max_part), member.name)
    ratio = member.size // max(member.packed, 1)
    if member.size > MB and ratio > limits.max_ratio:
        raise over_limit("部件的压缩倍数", str(ratio), str(limits.max_ratio), member.name)


def _check_overlap(members: Mapping[str, _Member], directory: int) -> None:
    covered = 0
    for member in sorted(members.values(), key=lambda m: m.start):
        if member.start < covered or member.end > directory:
            raise _damaged("部件互相重叠，可能是攻击文件", member.name)
        covered = member.end


def _replaced(member: _Member, content: bytes) -> tuple[bytes, bytes]:
    """(central record, local header and data) for new content; the old local extra field is dropped."""
    deflater = codec.compressobj(_LEVEL, zlib.DEFLATED, -15)
    packed = deflater.compress(content) + deflater.flush()
    crc, flags = codec.crc32(content), member.flags & _UTF8_NAME
    record = bytearray(member.record)
    _, _, version, _, _, time, date, _, _, _, name_length, *_ = _CENTRAL.unpack_from(record)
    shared = (max(version, 20), flags, _DEFLATED, time, date, crc, len(packed), len(content))
    struct.pack_into("<HHHHHIII", record, 6, *shared)
    name = record[_CENTRAL.size : _CENTRAL.size + name_length]
    return bytes(record), _LOCAL.pack(b"PK\x03\x04", *shared, name_length, 0) + name + packed


def _damaged(message: str, where: str | None = None) -> WorkbookRefused:
    return WorkbookRefused("E-BOOK-DAMAGED", f"文件损坏：{message}", where=where, remedy=_RESEND)


def _odd_zip(message: str, where: str | None = None) -> WorkbookRefused:
    return WorkbookRefused("E-BOOK-ZIP", f"压缩包{message}，不支持", where=where, remedy=_RESAVE)


def _mb(size: int) -> str:
    return f"{size / MB:.1f} MB"
