"""Archives by their own table of contents: what they claim to hold. Nothing is ever unpacked."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

from crm_core.model.file_warning import FileWarning
from hub.inspection.names import ARCHIVES, by_ending, ending

_END = b"PK\x05\x06"
_END64 = b"PK\x06\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 65_535
_LARGEST_TABLE = 8 * 1024 * 1024
_MOST_ENTRIES = 20_000
_MOST_UNPACKED = 4 * 1024**3
_ABSURD_RATIO = 100
_ABSURD_FROM = 64 * 1024**2  # small files of zeros are no danger, whatever their ratio
_ENCRYPTED = 0x1
_MACRO_PARTS = ("vbaproject.bin", "xl/macrosheets/", "basic/")
_DANGEROUS = frozenset({FileWarning.EXECUTABLE, FileWarning.SCRIPT, FileWarning.MACROS})


def zip_names(file: BinaryIO, size: int) -> tuple[list[str], set[FileWarning]]:
    """The names in a ZIP and what its table of contents warns of. A table that is absurd itself is not read."""
    table = _table_size(file, size)
    if table is None:
        return [], {FileWarning.UNSEEN}
    entries, length = table
    if entries > _MOST_ENTRIES or length > _LARGEST_TABLE:
        return [], {FileWarning.BOMB}
    try:
        with zipfile.ZipFile(file) as archive:
            listed = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, struct.error, UnicodeError):
        return [], {FileWarning.UNSEEN}
    return [each.filename for each in listed], _claims(listed, size)


def within(names: Iterable[str]) -> set[FileWarning]:
    """What the names of an archive's files warn of."""
    found: set[FileWarning] = set()
    for name in names:
        if by_ending(name) & _DANGEROUS:
            found.add(FileWarning.HIDES_EXECUTABLE)
        if ending(name) in ARCHIVES:
            found.add(FileWarning.NESTED)
    return found


def holds_macros(names: Iterable[str]) -> bool:
    """Whether a document that is a ZIP carries macros."""
    return any(part in name.lower() for name in names for part in _MACRO_PARTS)


def gzip_claims(file: BinaryIO, size: int) -> set[FileWarning]:
    """What the last four bytes of a gzip say of its content, modulo 4 GB."""
    file.seek(max(size - 4, 0))
    (claimed,) = struct.unpack("<I", file.read(4).rjust(4, b"\0"))
    return {FileWarning.BOMB} if _absurd(claimed, size) else set()


def _claims(listed: list[zipfile.ZipInfo], size: int) -> set[FileWarning]:
    found: set[FileWarning] = set()
    unpacked = sum(each.file_size for each in listed)
    packed = sum(each.compress_size for each in listed)
    # More packed bytes than the file has: its entries overlap, one piece of data is unpacked again and again.
    if unpacked > _MOST_UNPACKED or _absurd(unpacked, size) or packed > size:
        found.add(FileWarning.BOMB)
    if any(_absurd(each.file_size, max(each.compress_size, 1)) for each in listed):
        found.add(FileWarning.BOMB)
    if any(each.flag_bits & _ENCRYPTED for each in listed):
        found.add(FileWarning.ENCRYPTED)
    return found


def _absurd(unpacked: int, packed: int) -> bool:
    return unpacked >= _ABSURD_FROM and unpacked > packed * _ABSURD_RATIO


def _table_size(file: BinaryIO, size: int) -> tuple[int, int] | None:
    """How many entries a ZIP says it has, and how many bytes its table takes; None where it says nothing."""
    length = min(size, _LONGEST_COMMENT + _END_SIZE + 76)
    file.seek(size - length)
    tail = file.read(length)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        return None
    entries, table = struct.unpack("<HI", tail[at + 10 : at + 16])
    at64 = tail.rfind(_END64, 0, at)  # the longer record of large archives, up to the size of its table
    if at64 >= 0 and len(tail) - at64 >= 48:
        entries64, table64 = struct.unpack("<QQ", tail[at64 + 32 : at64 + 48])
        return max(entries, entries64), max(table, table64)
    return entries, table
