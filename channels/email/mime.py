"""A mail as it is read: its headers, the text, the HTML made harmless, the files that came with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import getaddresses
from html import escape

from channels.email.bodies import content, words
from channels.email.charsets import header_text
from channels.email.html import MAX_LENGTH, sanitised, text_of
from channels.email.invitation import described
from channels.email.names import file_name, nameless, safe_name
from channels.email.structure import Leaf, Part, headers_of, leaves, taken_apart
from channels.email.tnef import Tnef, read_tnef

MAX_FILES = 100
_MAX_ADDRESSES = 4_000
_MAX_TAIL = 8_000
_MAX_TEXT = 1_000_000
_MAX_SUBJECT_IN_NAME = 80
_TNEF_KINDS = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_TNEF_NAME = "winmail.dat"
_MAX_TNEFS = 3
_REPORTS = ("message/delivery-status", "message/global-delivery-status", "message/disposition-notification")
_MAIL = "message/rfc822"
_SAFE_TYPE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-")
_LONGEST_TYPE = 64


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file that came with a mail; `cid` is how its HTML names it, empty where it does not."""

    name: str
    content_type: str
    content: bytes
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail taken apart. `text` is what to read, with quotations; `html` is sanitised, None where there is none.

    `reports` are machine-readable parts about other mails, as (media type, text); `inner` the headers of mails within.
    """

    headers: Part
    text: str
    html: str | None
    files: tuple[MailFile, ...]
    reports: tuple[tuple[str, str], ...] = ()
    inner: tuple[Part, ...] = ()

    def header(self, name: str) -> str:
        """The first header of this name as people read it, empty where there is none."""
        return _header(self.headers, name)

    def every(self, name: str) -> list[str]:
        """All headers of this name, from the top."""
        return [header_text(value) for value in self.headers.get_all(name, [])]

    def tail(self, name: str) -> str:
        """The end of a header that may be very long, where what is nearest stands last."""
        found = next((value for key, value in self.headers.raw_items() if key.lower() == name), "")
        return header_text(str(found)[-_MAX_TAIL:])

    def addresses(self, name: str) -> list[tuple[str, str]]:
        """(display name, address) of each mailbox in a header, in order."""
        value = self.headers.get(name)
        if not isinstance(value, str):
            return []
        # Taken apart before encoded words are decoded: a comma in a name is no separator.
        flat = " ".join(value[:_MAX_ADDRESSES].split())
        return [(header_text(shown), mailbox) for shown, mailbox in getaddresses([flat]) if mailbox]


@dataclass(slots=True)
class _Reading:
    """What is found on the way through the parts."""

    shown: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    files: list[MailFile] = field(default_factory=list)
    reports: list[tuple[str, str]] = field(default_factory=list)
    inner: list[Part] = field(default_factory=list)
    tnefs: int = 0
    rich_left: int = MAX_LENGTH

    def show(self, choice: int, kind: str, text: str) -> None:
        self.shown.setdefault(choice, []).append((kind, text))

    def keep(self, file: MailFile) -> None:
        if len(self.files) < MAX_FILES:
            self.files.append(file)


def parse(raw: bytes) -> Mail:
    """Take a mail apart. What can't be is read as one text; the cost is bounded."""
    message = taken_apart(raw)
    reading = _Reading()
    for leaf in leaves(message):
        _read(leaf, reading)
    text, html = _shown(reading)
    return Mail(message, text, html, tuple(reading.files), tuple(reading.reports), tuple(reading.inner))


def _read(leaf: Leaf, reading: _Reading) -> None:
    part = leaf.part
    # A multipart without its boundaries is a text: somebody wrote it to be read.
    kind = "text/plain" if part.get_content_maintype() == "multipart" else part.kind
    name = file_name(part)
    attached = part.get_content_disposition() == "attachment" or bool(name)
    if kind in {"text/plain", "text/html"} and not attached:
        reading.show(leaf.choice, kind, words(part, kind))
        return
    carried = content(part)
    if kind in _REPORTS or kind == "text/rfc822-headers":
        reading.reports.append((kind, carried[:MAX_LENGTH].decode("utf-8", "replace")))
    if kind in {_MAIL, "text/rfc822-headers", "message/global", "message/global-headers", "message/partial"}:
        reading.inner.append(headers_of(carried))
        name = name or _named_by_subject(reading.inner[-1])
    elif kind == "text/calendar" and not attached:
        reading.show(leaf.choice, kind, described(words(part, kind)))
    if (kind in _TNEF_KINDS or name.lower() == _TNEF_NAME) and reading.tnefs < _MAX_TNEFS:
        reading.tnefs += 1
        unpacked = read_tnef(carried)
        if unpacked is not None:
            _unpack(unpacked, leaf.choice, reading)
            return
    name = name or nameless(kind, len(reading.files) + 1)
    reading.keep(MailFile(name, safe_type(kind), carried, _content_id(part)))


def _unpack(unpacked: Tnef, choice: int, reading: _Reading) -> None:
    """What Outlook packed into winmail.dat; its words only where the mail has none itself."""
    for kind, text in (("text/plain", unpacked.text), ("text/html", unpacked.html)):
        if text.strip() and not any(any(each[1].strip() for each in group) for group in reading.shown.values()):
            reading.show(choice, kind, text)
    for packed in unpacked.files:
        name = safe_name(packed.name) or nameless(packed.content_type, len(reading.files) + 1)
        reading.keep(MailFile(name, safe_type(packed.content_type), packed.content, packed.cid))


def _shown(reading: _Reading) -> tuple[str, str | None]:
    """The text of all parts, and their HTML if one of them has any."""
    plain: list[str] = []
    rich: list[str] = []
    has_html = False
    for group in reading.shown.values():
        simple = "\n".join(text.strip("\n") for kind, text in group if kind == "text/plain")
        marked = "\n".join(text for kind, text in group if kind == "text/html")
        told = "\n".join(text for kind, text in group if kind == "text/calendar")
        harmless = sanitised(marked[: reading.rich_left]) if marked.strip() and reading.rich_left else ""
        reading.rich_left = max(0, reading.rich_left - len(marked))
        has_html = has_html or bool(harmless)
        words_of_group = simple if simple.strip() else text_of(harmless) if harmless else ""
        plain.append(words_of_group if words_of_group.strip() else told)
        rich.append(harmless or (f"<pre>{escape(plain[-1][:MAX_LENGTH])}</pre>" if plain[-1].strip() else ""))
    text = "\n".join(each for each in plain if each.strip())[:_MAX_TEXT]
    return text, "\n".join(each for each in rich if each) if has_html else None


def safe_type(kind: str) -> str:
    """A media type that can stand in a header; `application/octet-stream` for anything else."""
    main, _, sub = kind.partition("/")
    parts = (main, sub)
    fits = all(each and len(each) <= _LONGEST_TYPE and _SAFE_TYPE.issuperset(each) for each in parts)
    return kind if fits and all(each[0].isalnum() for each in parts) else "application/octet-stream"


def _content_id(part: Part) -> str:
    found = part.get("content-id")
    return "".join(found.split()).strip("<>")[:250] if isinstance(found, str) else ""


def _named_by_subject(inner: Part) -> str:
    name = safe_name(_header(inner, "subject")[:_MAX_SUBJECT_IN_NAME])
    return f"{name}.eml" if name else ""


def _header(part: Part, name: str) -> str:
    value = part.get(name)
    return header_text(value) if isinstance(value, str) else ""
