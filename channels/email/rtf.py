"""Outlook's rich text: unpacked (MS-OXRTFCP), and as plain words, at a bounded cost."""

from __future__ import annotations

import re
import struct

from channels.email.charsets import decoded

_COMPRESSED = 0x75465A4C
_UNCOMPRESSED = 0x414C454D
_HEAD = 16
_MAX = 2_000_000
_RING = 4096
_BEGUN = (
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor "
    b"MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    b"\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx"
)
_TOKEN = re.compile(rb"\\([a-z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-z])|([{}])|([^\\{}\r\n]+)|[\r\n]+")
_HIDDEN = frozenset({b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"themedata", b"header"})
_BREAKS = frozenset({b"par", b"line", b"row", b"sect"})
_SIGNS = {b"tab": "\t", b"emdash": "—", b"endash": "–", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“",
          b"rdblquote": "”", b"bullet": "•", b"cell": " "}  # fmt: skip
_MAX_DEPTH = 200


def unpacked_rtf(content: bytes) -> bytes:
    """The RTF of a compressed body, two megabytes of it at most; empty where it is none."""
    if len(content) < _HEAD:
        return b""
    _size, raw_size, mark = struct.unpack_from("<III", content)
    if mark == _UNCOMPRESSED:
        return content[_HEAD : _HEAD + min(raw_size, _MAX)]
    return _expanded(content, min(raw_size, _MAX)) if mark == _COMPRESSED else b""


def _expanded(content: bytes, size: int) -> bytes:
    ring = bytearray(_RING)
    ring[: len(_BEGUN)] = _BEGUN
    write = len(_BEGUN)
    out = bytearray()
    at = _HEAD
    while at < len(content) and len(out) < size:
        control = content[at]
        at += 1
        for bit in range(8):
            if not control >> bit & 1:
                piece = content[at : at + 1]
                at += 1
            elif at + 1 < len(content):
                token = content[at] << 8 | content[at + 1]
                at += 2
                start, length = token >> 4, (token & 0xF) + 2
                if start == write:
                    return bytes(out[:size])
                piece = _copied(ring, start, length, write)
            else:
                return bytes(out[:size])
            for byte in piece:
                ring[write] = byte
                write = (write + 1) % _RING
            out += piece
    return bytes(out[:size])


def _copied(ring: bytearray, start: int, length: int, write: int) -> bytes:
    """A piece of the ring; where it reaches what is just being written, that repeats itself."""
    distance = (write - start) % _RING or _RING
    piece = bytes(ring[(start + step) % _RING] for step in range(min(length, distance)))
    return (piece * (length // len(piece) + 1))[:length] if piece else b""


def rtf_text(rtf: bytes) -> str:
    """The words of an RTF, without its looks."""
    reader = _Reader()
    for token in _TOKEN.finditer(rtf[:_MAX]):
        word, number, code, symbol, brace, text = token.groups()
        first, reader.beginning = reader.beginning, False
        if brace is not None:
            if not reader.brace(brace):
                break
        elif (symbol == b"*" or word in _HIDDEN) and first:
            reader.hidden[-1] = True
        elif word is not None:
            reader.control(word, number)
        elif not reader.hidden[-1]:
            reader.said(bytes.fromhex(code.decode("ascii")) if code is not None else symbol or text or b"")
    return reader.text()


class _Reader:
    """Collects words. `hidden` says of every open group whether it is none of the text."""

    def __init__(self) -> None:
        self.beginning = False
        self.hidden = [False]
        self._words: list[str] = []
        self._waiting = bytearray()  # bytes of the code page, decoded together
        self._codepage: str | None = None
        self._skip = 0

    def brace(self, brace: bytes) -> bool:
        """A group begins or ends; False where they are nested beyond reason."""
        if brace == b"{":
            self.hidden.append(self.hidden[-1])
            self.beginning = True
        elif len(self.hidden) > 1:
            self.hidden.pop()
        return len(self.hidden) <= _MAX_DEPTH

    def control(self, word: bytes, number: bytes | None) -> None:
        """A control word."""
        if word == b"ansicpg" and number is not None:
            self._codepage = f"cp{number.decode('ascii')}"
        elif word == b"htmlrtf":
            self.hidden[-1] = number != b"0"
        elif self.hidden[-1]:
            return
        elif word == b"u" and number is not None:
            self._write(chr(int(number) % 0x10000))
            self._skip = 1  # what follows is for those who do not know the letter
        elif word in _BREAKS:
            self._write("\n")
        elif word in _SIGNS:
            self._write(_SIGNS[word])

    def said(self, content: bytes) -> None:
        """Text of the code page."""
        self._waiting += content[self._skip :] if content != b"~" else b" "
        self._skip = 0

    def text(self) -> str:
        """What was read."""
        self._write("")
        joined = "".join(self._words).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return joined.strip()

    def _write(self, text: str) -> None:
        if self._waiting:
            self._words.append(decoded(bytes(self._waiting), self._codepage))
            self._waiting.clear()
        self._words.append(text)
