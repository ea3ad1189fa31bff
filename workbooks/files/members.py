"""The members of a zip, walked header by header before anything is inflated.

Not ``zipfile``: a refusal must come before the first inflated byte, and a rewritten file has to carry every untouched
member exactly as it was.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from workbooks.files.prescan import MB, Limits, over_limit
from xlcalc.errors import WorkbookRefused

_END = struct.Struct("<4sHHHHIIH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_STORED, DEFLATED = 0, 8
_HAS_DESCRIPTOR, _UTF8_NAME = 0x0008, 0x0800
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_KNOWN_FLAGS = _ENCRYPTED | 0x0006 | _HAS_DESCRIPTOR | _UTF8_NAME

_RESAVE = "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新提交"
_RESEND = "请向填报人索取完整的原文件"


@dataclass(frozen=True, slots=True)
class Member:
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


def walk(data: bytes, limits: Limits) -> dict[str, Member]:
    """Members by lower-case name, every header checked and nothing inflated."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - _END.size - 0xFFFF))
    if end < 0 or end + _END.size > len(data):
        raise damaged("文件不完整，末尾缺失，可能没有下载或复制完")
    _, disk, first_disk, here, entries, length, start, comment = _END.unpack_from(data, end)
    if data[end - 20 : end - 16] == b"PK\x06\x07" or 0xFFFFFFFF in (length, start) or entries == 0xFFFF:
        raise _odd_zip("使用了 zip64 格式")
    if disk or first_disk or here != entries:
        raise _odd_zip("是分卷压缩包")
    if end + _END.size + comment != len(data) or start + length != end:
        raise damaged("压缩目录的位置不对，文件不完整或末尾有多余内容")
    if entries > limits.max_entries:
        raise over_limit("部件数", str(entries), str(limits.max_entries))
    members: dict[str, Member] = {}
    position = start
    for _ in range(entries):
        member = _member_at(data, position, start)
        position += len(member.record)
        if members.setdefault(member.name.lower(), member) is not member:
            raise WorkbookRefused("E-BOOK-DUPLICATE", "压缩包里有同名部件", where=member.name, remedy=_RESAVE)
        _check_size(member, limits)
    if position != end:
        raise damaged("压缩目录的长度不对")
    total = sum(member.size for member in members.values())
    if total > limits.max_total:
        raise over_limit("解压后总大小", megabytes(total), megabytes(limits.max_total))
    _check_overlap(members, start)
    return members


def _member_at(data: bytes, position: int, directory: int) -> Member:
    """The member whose central record is at ``position``, its local header compared with that record."""
    if position + _CENTRAL.size > len(data):
        raise damaged("压缩目录不完整")
    fields = _CENTRAL.unpack_from(data, position)
    sig, _, _, flags, method, _, _, crc, packed, size, *lengths, disk, _, _, start = fields
    record = data[position : position + _CENTRAL.size + sum(lengths)]
    raw = record[_CENTRAL.size : _CENTRAL.size + lengths[0]]
    if sig != b"PK\x01\x02" or len(raw) != lengths[0]:
        raise damaged("压缩目录损坏")
    name = _checked_name(raw, flags)
    _check_method(name, flags, method, disk, 0xFFFFFFFF in (packed, size, start))
    if start + _LOCAL.size > directory:
        raise damaged("部件的位置不对", name)
    sig, _, local_flags, local_method, _, _, *sizes, name_length, extra = _LOCAL.unpack_from(data, start)
    if sig != b"PK\x03\x04" or data[start + _LOCAL.size : start + _LOCAL.size + name_length] != raw:
        raise damaged("部件头与压缩目录不一致", name)
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
        raise damaged("部件头里的大小或校验码与压缩目录不一致", name)
    return Member(name, record, flags, method, crc, packed, size, start, begin, end)


def _checked_name(raw: bytes, flags: int) -> str:
    """The member's name; one that could leave the package or be read in two ways is refused."""
    try:
        name = raw.decode("utf-8" if flags & _UTF8_NAME else "cp437")
    except UnicodeDecodeError:
        raise damaged("部件名不是 UTF-8", ascii(raw)[:80]) from None
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
    if method not in (_STORED, DEFLATED) or flags & ~_KNOWN_FLAGS:
        raise _odd_zip(f"使用了工作簿不用的压缩方法（{method}，标志 {flags:#06x}）", name)


def _check_size(member: Member, limits: Limits) -> None:
    if member.size > limits.max_part:
        raise over_limit("单个部件解压后", megabytes(member.size), megabytes(limits.max_part), member.name)
    ratio = member.size // max(member.packed, 1)
    if member.size > MB and ratio > limits.max_ratio:
        raise over_limit("部件的压缩倍数", str(ratio), str(limits.max_ratio), member.name)


def _check_overlap(members: Mapping[str, Member], directory: int) -> None:
    covered = 0
    for member in sorted(members.values(), key=lambda m: m.start):
        if member.start < covered or member.end > directory:
            raise damaged("部件互相重叠，可能是攻击文件", member.name)
        covered = member.end


def replaced(member: Member, packed: bytes, crc: int, size: int) -> tuple[bytes, bytes]:
    """(central record, local header and data) for new deflated content; the old local extra field is dropped."""
    record = bytearray(member.record)
    _, _, version, _, _, time, date, _, _, _, name_length, *_ = _CENTRAL.unpack_from(record)
    shared = (max(version, 20), member.flags & _UTF8_NAME, DEFLATED, time, date, crc, len(packed), size)
    struct.pack_into("<HHHHHIII", record, 6, *shared)
    name = record[_CENTRAL.size : _CENTRAL.size + name_length]
    return bytes(record), _LOCAL.pack(b"PK\x03\x04", *shared, name_length, 0) + name + packed


def damaged(message: str, where: str | None = None) -> WorkbookRefused:
    """The refusal of a file that did not arrive whole."""
    return WorkbookRefused("E-BOOK-DAMAGED", f"文件损坏：{message}", where=where, remedy=_RESEND)


def _odd_zip(message: str, where: str | None = None) -> WorkbookRefused:
    return WorkbookRefused("E-BOOK-ZIP", f"压缩包{message}，不支持", where=where, remedy=_RESAVE)


def megabytes(size: int) -> str:
    """A size for a person to read."""
    return f"{size / MB:.1f} MB"
