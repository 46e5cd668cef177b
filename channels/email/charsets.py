"""Bytes of a mail as text, whatever their declaration says: wrong, missing and unknown charsets are guessed."""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from itertools import pairwise

# The likelier first: of two that look alike it is taken.
_RUSSIAN = ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic")
_CYRILLIC = frozenset({*_RUSSIAN, "koi8-u", "koi8-t"})
_WESTERN = frozenset({"cp1252", "cp1250", "iso8859-1", "iso8859-2", "iso8859-15", "cp437", "cp850", "mac-roman"})
# Names that mailers use and Python does not know, or knows as something narrower than what is meant.
_MEANT = {
    "windows1251": "cp1251", "win-1251": "cp1251", "x-cp1251": "cp1251", "x-windows-1251": "cp1251",
    "koi8": "koi8-r", "koi8r": "koi8-r", "x-koi8-r": "koi8-r", "us-ascii": "utf-8", "ascii": "utf-8",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030", "iso-gb2312": "gb18030",
    "utf8": "utf-8", "unicode-1-1-utf-7": "utf-7", "ks_c_5601-1987": "cp949", "iso-8859-8-i": "iso-8859-8",
    "dos-866": "cp866", "cp-866": "cp866", "x-cp866": "cp866", "cp-1251": "cp1251", "1251": "cp1251",
    "x-mac-cyrillic": "mac-cyrillic", "koi8-ru": "koi8-u", "utf-8n": "utf-8", "utf_8": "utf-8", "utf-8-sig": "utf-8",
    "unicode": "utf-16", "unknown-8bit": "", "x-unknown": "", "8bit": "", "default": "", "_autodetect": "",
}  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
# Python's own ways to write texts, which no mail is written in.
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "unicode-escape", "raw_unicode_escape", "undefined"})
_FOLD = re.compile(r"[\r\n\t ]+")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# How rarely one letter follows another in Russian, a letter for each pair, from a (mostly) to p (never); counted over
# the hub's own Russian texts. Rows and columns: the blank, а to я, ё.
_LETTERS = " абвгдежзийклмнопрстуфхцчшщъыьэюяё"
_RARITY = (
    "pihfkgiiffpfhhefeheghjhmhlppppjpmpcofgkhfhfoggfgfpghhfnpkmijjppppiikdeppppdpphpgipiepemphpikppfpepppmp"
    "depmppepjgphglhclighhpjppmmpglpphlgfpplehppfppjjpbpepphpppppppppppppfdpjnpegpephghfejgplipplpnppgkppgg"
    "cmkjhgljgmhhggdplefeojmoikjppppppljfpppdbppepppjfpppppepppppppppppppdcnchhinphplhighpnppjppppppphkpphp"
    "clnimhfnhjihfgfnpheepmiiiikppppkhnappppgpppppiepipppgepppjhjppppppppecnnppgppfppepjcnhjffppnppppppmppp"
    "efmpnpejpcpkpnlekpkmhpppkpppiepfgicfkpppcppepnkjkfjpppfppkppppipppgjfdpppidppdpgpphdppmghppmkpppfjplhk"
    "dpgfgfiikihfffejifgeplnnhkppppppjnkfppppeppdpiipmcjcpngpppppppipppnlecphloekpepimigdppkhfmopmmopgkpphj"
    "efogokfpphpgfkiegjidjpimkoppifplficepgplfppgphnnidjfgpippplpppifppnmcpgkhfigfpigkkhphggfppjphihppppgpp"
    "jboooojooeooooocofoooooooooooooooocbphpphpplppppldpgpphpppppppppppppgcnnnncnndnnnnnnnnnnfnnnnnnnennnnn"
    "idppppcppdpgppfmpppdkppppkpppipppgheoooocoodojcoioojojhoooooooooooohofooooboocoooooooooojooooooooooooe"
    "hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhcpkfkkepppdkhhppjlleppgpihppppppppapppjpkphmpepggpppihpppppfpppppkmp"
    "mmmgmmmmmmmhmmmmmmmammmmmmmmmmmmmmcpgppgppfpppppppppkcppppcpfpppppppbpphphgpfppphghpppjdppkkmpfppppipp"
    "cppppppppppphgeppepbppippppppppppp"
)
_PAIRS = {
    one + two: ord(_RARITY[row * len(_LETTERS) + column]) - ord("a")
    for row, one in enumerate(_LETTERS)
    for column, two in enumerate(_LETTERS)
}
_NEVER = 22
_HARMLESS = frozenset("«»„“”–—…№\xa0")
_MARK = 8
_ODD_CASE = 4  # «дОБРЫЙ»: small letters before great ones are the other alphabet
_OTHER = re.compile(r"[\x00-\x7f]+")
_CLEARLY = 1.5
# Controls, and what turns the direction of a line or takes no room in it.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_MAX_HEADER = 20_000
_SAMPLE = 3_000


def decoded(content: bytes, declared: str | None = None) -> str:
    """The text of these bytes: UTF-8 where they are that, else as declared where it fits, else the likelier guess."""
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return content.decode(codec, "replace")
    name = _known(declared)
    if name is None or not content.isascii():
        # What reads as UTF-8 beyond ASCII is hardly ever anything else, whatever was declared.
        try:
            return content.decode("utf-8")
        except UnicodeError:
            pass
        if name in {None, "utf-8", "ascii"}:
            return _cut_utf8(content) or content.decode(_likelier(content), "replace")
    if name in _WESTERN and _mostly_high(content):
        name = _likelier(content)
    elif name in _CYRILLIC:
        name = _meant(content, name)
    # A few broken characters cost less than a wrong alphabet.
    return content.decode(name or "utf-8", "replace")


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
    """Encoded words decoded, also broken ones. Several that follow each other may share one character between them, so
    that their bytes are joined before they are decoded."""
    found: list[str] = []
    waiting, charset = b"", ""
    at = 0
    for word in _WORD.finditer(value):
        between = value[at : word.start()]
        name = word[1].partition("*")[0].lower()
        if waiting and (between.strip() or name != charset):
            found.append(decoded(waiting, charset))
            waiting = b""
        if between.strip() or at == 0:
            found.append(between)
        waiting, charset = waiting + _word(word[2].lower(), word[3]), name
        at = word.end()
    if waiting:
        found.append(decoded(waiting, charset))
    found.append(value[at:])
    return "".join(found)


def _word(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding == "q":
        return quopri.decodestring(raw, header=True)
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    usable = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
    try:
        return base64.b64decode(usable + b"=" * (-len(usable) % 4))
    except binascii.Error:
        return raw


def _known(name: str | None) -> str | None:
    if not name:
        return None
    plain = name.strip().strip("\"'").lower()
    meant = _MEANT.get(plain, plain)
    if not meant or meant in _NO_CHARSETS:
        return None
    try:
        found = codecs.lookup(meant)
        # Codecs like base64 or rot13 are no charsets.
        "".encode(found.name)
        b"a".decode(found.name, "replace")
    except (LookupError, ValueError, UnicodeError, TypeError):
        return None
    return found.name


def _cut_utf8(content: bytes) -> str:
    """UTF-8 with a few broken places, like a character cut in two; empty where it is not that."""
    text = content.decode("utf-8", "replace")
    whole = text.strip("\ufffd")
    strange = whole.count("\ufffd")
    return text if strange * 10 < sum(char > "\x7f" for char in whole) else ""


def _mostly_high(content: bytes) -> bool:
    """Whether a text that claims to be Western is written in another alphabet: accents are rare, letters are not."""
    sample = content[:_SAMPLE]
    high = sum(byte >= 0x80 for byte in sample)
    return 2 * high > high + sum(chr(byte).isalpha() for byte in sample if byte < 0x80)


def _meant(content: bytes, declared: str) -> str:
    """The declared charset, unless another one makes Russian of what it makes nonsense of."""
    sample = content[:_SAMPLE]
    likely = _likelier(content)
    better = _look(sample.decode(declared, "replace")) - _look(sample.decode(likely, "replace"))
    return likely if better > _CLEARLY else declared


def _likelier(content: bytes) -> str:
    """The charset that makes the most Russian text of these bytes."""
    sample = content[:_SAMPLE]
    return min(_RUSSIAN, key=lambda name: _look(sample.decode(name, "replace")))


def _look(text: str) -> float:
    """How unlike Russian is what is beyond ASCII, by its pairs of letters, on the scale of the table; 0 for nothing."""
    words = _OTHER.sub(" ", text).split()
    if not words:
        return 0.0
    cost = sum(map(_unlikely, words))
    return cost / sum(map(len, words))


def _unlikely(word: str) -> int:
    low = word.lower()
    cost = _ODD_CASE * sum(one.islower() and two.isupper() for one, two in pairwise(word))
    before = " "
    for letter in low:
        if letter in _HARMLESS:
            cost += _MARK
            before = " "
        else:
            cost += _PAIRS.get(before + letter, _NEVER)
            before = letter if letter in _LETTERS else " "
    if word[0].islower() and word[1:].isupper():
        cost += _ODD_CASE * (len(word) - 1)
    return cost
