"""In which encoding a text file is written, and how certain that is."""

from __future__ import annotations

import codecs
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from crm_core.errors import InvalidInput

_PIECE = 1 << 18
_SAMPLE = 64 * 1024
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CYRILLIC = ("cp1251", "koi8-r", "cp866")
# How often a letter stands among a thousand of Russian text; what reads like this is read rightly.
_COMMON = dict(
    zip(
        "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
        (
            *(109, 85, 80, 74, 67, 63, 55, 47, 45, 44, 35, 32, 30, 28, 26, 20, 19, 17, 17, 16, 16, 15, 12, 10, 9, 7),
            *(6, 5, 4, 3, 2, 1, 1),
        ),
        strict=True,
    )
)
_ALONE = -60  # a sign that hardly stands in a table: a box, an accented letter
_SWITCH = -40  # a capital behind a small letter
_PLAIN = frozenset(" \t\r\n«»–—№…„“”’•°©®")


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding by Python's name and the certainty in per cent; `lines` of the file, as far as they were counted."""

    name: str
    certainty: int
    lines: int = 0


def detect(path: Path, wanted: str | None = None) -> Encoding:
    """Read the file once and say how it is written; `wanted` is what somebody says. Raises InvalidInput."""
    if wanted is not None:
        return Encoding(_named(wanted), 100, _count(path))
    with path.open("rb") as file:
        head = file.read(4)
        for mark, name in _BOMS:
            if head.startswith(mark):
                return Encoding(name, 100, _count(path))
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        telling, lines, utf8, nuls = bytearray(), 0, True, Counter[str]()
        place = 0
        while piece := file.read(_PIECE):
            lines += piece.count(b"\n")
            if len(telling) < _SAMPLE and not piece.isascii():
                telling += b"\n".join(each for each in piece.split(b"\n") if not each.isascii())[:_SAMPLE]
            if b"\x00" in piece:
                nuls["even"] += piece[place % 2 :: 2].count(0)
                nuls["odd"] += piece[1 - place % 2 :: 2].count(0)
            place += len(piece)
            if utf8:
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    utf8 = False
    if nuls:
        return Encoding(_wide(nuls, place), 80, lines)
    if utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    if utf8:
        return Encoding("utf-8", 100 if not telling else 99, lines)
    return _cyrillic(bytes(telling), lines)


def _cyrillic(sample: bytes, lines: int) -> Encoding:
    found = sorted(((_likeness(sample.decode(name, "replace")), name) for name in _CYRILLIC), reverse=True)
    (best, name), (second, _), *_ = found
    spread = max(abs(best), abs(second), 1.0)
    certainty = 50 + round(49 * min(max(best - second, 0.0) / spread, 1.0))
    return Encoding(name, certainty, lines)


def _likeness(text: str) -> float:
    """How much a text reads like Russian, a sign at a time."""
    score, before = 0, ""
    for char in text:
        if char.isascii():
            before = ""
            continue
        small = char.lower()
        score += _COMMON.get(small, 0 if char in _PLAIN else _ALONE)
        if before and char != small and before == before.lower():
            score += _SWITCH
        before = char if small in _COMMON else ""
    return score / max(sum(not char.isascii() for char in text), 1)


def _wide(nuls: Counter[str], size: int) -> str:
    """UTF-16 without a mark: every other byte of what is mostly digits and signs is nought."""
    even, odd = nuls["even"], nuls["odd"]
    if size % 2 == 0 and max(even, odd) > size // 20 and min(even, odd) * 20 < max(even, odd):
        return "utf-16-le" if odd > even else "utf-16-be"
    raise InvalidInput("the file is neither a text nor a spreadsheet: save it as CSV (UTF-8) or XLSX")


def _named(wanted: str) -> str:
    try:
        return codecs.lookup(wanted).name
    except LookupError as err:
        raise InvalidInput(
            "encoding: «{wanted}» is not known; utf-8, utf-16, cp1251, koi8-r, cp866 are", wanted=wanted[:40]
        ) from err


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(_PIECE), b""))
