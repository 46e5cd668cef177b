"""The bytes of AMI: blocks out of a stream, fields out of a block, actions into bytes. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_SEPARATOR = b"\r\n\r\n"
_EVENT = b"Event: "
_FORBIDDEN = frozenset("\r\n\0")

Fields = Iterable[tuple[str, str]]


class AmiInjectionError(ValueError):
    """A key or value holds a line break or NUL, which would forge AMI headers."""


class AmiOverflowError(Exception):
    """A block of the stream is longer than any the PBX sends."""


@dataclass(frozen=True, slots=True)
class AmiMessage:
    """One block. `fields` holds the first value of each key; `raw` is the block as it came, without the blank line."""

    fields: dict[str, str]
    raw: bytes

    def get(self, key: str) -> str:
        """The value of a key, empty where it is absent."""
        return self.fields.get(key, "")

    @property
    def event(self) -> str:
        """The event's name, empty for a response."""
        return self.fields.get("Event", "")


class Splitter:
    """Cuts a stream into blocks, however it is cut into packets. Blocks over `limit` bytes raise AmiOverflowError."""

    def __init__(self, limit: int = 1024 * 1024) -> None:
        self._limit = limit
        self._rest = b""
        self._greeted = False

    def feed(self, data: bytes) -> list[bytes]:
        """The blocks completed by these bytes; the greeting line is passed over."""
        data = self._rest + data
        if not self._greeted:
            greeting, end, after = data.partition(b"\r\n")
            if not end:
                self._rest = self._bounded(data)
                return []
            self._greeted = True
            data = after if not greeting or b": " not in greeting else data
        *blocks, rest = data.split(_SEPARATOR)
        self._rest = self._bounded(rest)
        # some builds end a block with one line break too many: it stands before the next block
        return [block for block in [block.lstrip(b"\r\n") for block in blocks] if block]

    def _bounded(self, rest: bytes) -> bytes:
        if len(rest) > self._limit:
            raise AmiOverflowError(f"a block of more than {self._limit} bytes")
        return rest


def event_name(block: bytes) -> bytes | None:
    """The name of a block's event without reading the block, None for a response."""
    if not block.startswith(_EVENT):
        return None
    end = block.find(b"\r\n")
    return block[len(_EVENT) :] if end < 0 else block[len(_EVENT) : end]


def parse_block(block: bytes) -> AmiMessage:
    """The fields of a complete block: decoded as a whole, so that no character is ever cut in two."""
    lines = [line.partition(": ") for line in block.decode("utf-8", "replace").split("\r\n")]
    lines.reverse()  # the first of repeated keys is written last, and stays
    return AmiMessage({key: value for key, _, value in lines}, block)


def encode_action(name: str, action_id: str, fields: Fields = ()) -> bytes:
    """An action as bytes; raises AmiInjectionError where any key or value holds CR, LF or NUL."""
    lines = []
    for key, value in (("Action", name), ("ActionID", action_id), *fields):
        if not _FORBIDDEN.isdisjoint(key) or not _FORBIDDEN.isdisjoint(value) or ":" in key:
            raise AmiInjectionError(f"{key[:40]!r} of action {name} holds a line break, NUL or colon")
        lines.append(f"{key}: {value}\r\n")
    return ("".join(lines) + "\r\n").encode()
