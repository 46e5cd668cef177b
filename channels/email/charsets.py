"""Bytes of a mail as text, whatever their declaration says: wrong, missing and unknown charsets are guessed."""

from __future__ import annotations

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header

_RUSSIAN = ("cp1251", "koi8-r")
# Names that mailers use and Python does not know, or knows as something narrower than what is meant.
_MEANT = {
    "windows1251": "cp1251", "win-1251": "cp1251", "x-cp1251": "cp1251", "x-windows-1251": "cp1251",
    "koi8": "koi8-r", "koi8r": "koi8-r", "x-koi8-r": "koi8-r", "us-ascii": "utf-8", "ascii": "utf-8",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "iso-gb2312": "gb18030",
    "utf8": "utf-8", "unicode-1-1-utf-7": "utf-7", "ks_c_5601-1987": "cp949", "iso-8859-8-i": "iso-8859-8",
}  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
_FOLD = re.compile(r"[\r\n\t ]+")
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MAX_HEADER = 20_000
_SAMPLE = 20_000


def decoded(content: bytes, declared: str | None = None) -> str:
    """The text of these bytes: UTF-8 where they are that, else as declared where it fits, else the likelier guess."""
    name = _known(declared)
    if name is None or not content.isascii():
        # What reads as UTF-8 beyond ASCII is hardly ever anything else, whatever was declared.
        try:
            return content.decode("utf-8")
        except UnicodeError:
            name = None if name == "utf-8" else name
    if name is None or (name == "cp1252" and _mostly_high(content)):
        return content.decode(_likelier(content), "replace")
    # A few broken characters cost less than a wrong alphabet.
    return content.decode(name, "replace")


def unescaped(value: str) -> str:
    """A header whose raw eight-bit bytes came in as surrogates, as text; guessed as in `decoded`."""
    if not _SURROGATE.search(value):
        return value
    return decoded(value.encode("utf-8", "surrogateescape"))


def header_text(value: str) -> str:
    """A header for people: encoded words decoded, unfolded, on one line, without control characters."""
    flat = _FOLD.sub(" ", unescaped(value[:_MAX_HEADER]))
    if "=?" in flat:
        flat = _words(flat)
    return _FOLD.sub(" ", _UNSEEN.sub("", flat)).strip()


def _words(value: str) -> str:
    try:
        parts = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    # Several words that follow each other may share one character between them, so bytes are joined before decoding.
    joined: list[tuple[bytes | str, str | None]] = []
    for content, charset in parts:
        last = joined[-1] if joined else None
        if last is not None and isinstance(content, bytes) and isinstance(last[0], bytes) and charset == last[1]:
            joined[-1] = (last[0] + content, charset)
        else:
            joined.append((content, charset))
    return "".join(each if isinstance(each, str) else _word(each, charset) for each, charset in joined)


def _word(content: bytes, charset: str | None) -> str:
    if charset is None:
        # What stands between encoded words; `decode_header` gives it as bytes of the characters' code points.
        return content.decode("raw-unicode-escape", "replace")
    return decoded(content, charset.partition("*")[0])


def _known(name: str | None) -> str | None:
    if not name:
        return None
    plain = name.strip().strip("\"'").lower()
    meant = _MEANT.get(plain, plain)
    try:
        found = codecs.lookup(meant)
        # Codecs like base64 or rot13 are no charsets.
        "".encode(found.name)
    except (LookupError, ValueError, UnicodeError, TypeError):
        return None
    return found.name


def _mostly_high(content: bytes) -> bool:
    """Whether a text that claims to be Western is written in another alphabet: accents are rare, letters are not."""
    letters = sum(byte >= 0xC0 for byte in content[:_SAMPLE])
    return 2 * letters > sum(chr(byte).isalpha() for byte in content[:_SAMPLE])


def _likelier(content: bytes) -> str:
    """windows-1251 or koi8-r: in a Russian text small letters prevail, and frequent letters are frequent."""
    sample = content[:_SAMPLE]
    return max(_RUSSIAN, key=lambda name: _russian_look(sample.decode(name, "replace")))


def _russian_look(text: str) -> float:
    frequent = sum(text.count(letter) for letter in "оеаинтсрвл")
    small = sum("а" <= char <= "я" or char == "ё" for char in text)
    strange = sum(0x2500 <= ord(char) < 0x25A0 or char in "\ufffdЂЃѓ™љњќћџ" for char in text)
    return frequent + small - 3 * strange
