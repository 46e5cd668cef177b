"""winmail.dat files for tests, as Outlook packs them (MS-OXTNEF)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

UNICODE, STRING, BINARY, OBJECT = 0x1F, 0x1E, 0x102, 0x0D
Property = tuple[int, int, bytes]


def attribute(level: int, number: int, data: bytes) -> bytes:
    """One attribute with its checksum."""
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def properties(*found: Property) -> bytes:
    """A block of properties of variable length: (number, type, value)."""
    block = struct.pack("<I", len(found))
    for number, kind, value in found:
        block += struct.pack("<HHII", kind, number, 1, len(value)) + value + b"\0" * (-len(value) % 4)
    return block


def wide(text: str) -> bytes:
    """A text as Windows keeps it."""
    return text.encode("utf-16-le") + b"\0\0"


def envelope(message: Sequence[Property] = (), files: Sequence[tuple[str, bytes, Sequence[Property]]] = ()) -> bytes:
    """A whole envelope: the message's properties, and files of (short name, content, properties)."""
    found = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00069007, struct.pack("<II", 1251, 0))
    if message:
        found += attribute(1, 0x00069003, properties(*message))
    for name, content, more in files:
        found += attribute(2, 0x00069002, b"\x01\x00" + b"\0" * 12)
        found += attribute(2, 0x0006800F, content)
        found += attribute(2, 0x00018010, name.encode("cp1251") + b"\0")
        if more:
            found += attribute(2, 0x00069005, properties(*more))
    return found
