"""The structure of a mail: headers, the text to read, the files that came with it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email._policybase import Compat32
from email.message import Message
from email.utils import collapse_rfc2231_value, getaddresses
from urllib.parse import unquote_to_bytes

from channels.email.charsets import decoded, header_text, unescaped
from channels.email.html import sanitised, text_of

MAX_FILES = 100
_MAX_PARTS = 2_000
_MAX_NAME = 150
_MAX_ADDRESSES = 4_000
_MAX_HEADERS = 2_000
_MAX_HEADER = 8_000  # the standard library's reading of parameters costs the square of their length
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\Z")
_BAD_IN_NAME = re.compile('[\x00-\x1f\x7f-\x9f<>:"|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_EXTENSIONS = {
    "application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "message/rfc822": ".eml",
    "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "application/zip": ".zip",
}  # fmt: skip


class _Lenient(Compat32):
    """Headers as plain text whatever bytes they hold; nothing is interpreted before it is asked for."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 - the base names it
        return unescaped(value[:_MAX_HEADER])


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file that came with a mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail taken apart. `text` is what to read, with quotations; `html` is sanitised, None where there is none."""

    headers: Message
    text: str
    html: str | None
    files: tuple[MailFile, ...]

    def header(self, name: str) -> str:
        """The first header of this name as people read it, empty where there is none."""
        value = self.headers.get(name)
        return header_text(value) if isinstance(value, str) else ""

    def addresses(self, name: str) -> list[tuple[str, str]]:
        """(display name, address) of each mailbox in a header, in order."""
        value = self.headers.get(name)
        if not isinstance(value, str):
            return []
        # Taken apart before encoded words are decoded: a comma in a name is no separator.
        flat = " ".join(value[:_MAX_ADDRESSES].split())
        return [(header_text(shown), mailbox) for shown, mailbox in getaddresses([flat]) if mailbox]


def parse(raw: bytes) -> Mail:
    """Take a mail apart; raises ValueError, RecursionError and the errors of the standard library for monsters."""
    message = message_from_bytes(raw, policy=_Lenient())
    if len(message) > _MAX_HEADERS:
        raise ValueError(f"more than {_MAX_HEADERS} header lines")
    plain: list[str] = []
    rich: list[str] = []
    files: list[MailFile] = []
    for part in _leaves(message):
        # A multipart without its boundaries is a text: somebody wrote it to be read.
        kind = "text/plain" if part.get_content_maintype() == "multipart" else part.get_content_type()
        name = file_name(part)
        inline = part.get_content_disposition() != "attachment" and not name
        if inline and kind in {"text/plain", "text/html"}:
            (plain if kind == "text/plain" else rich).append(_text(part))
        elif len(files) < MAX_FILES:
            files.append(_file(part, kind, name, len(files) + 1))
    html = sanitised("\n".join(rich)) if any(each.strip() for each in rich) else None
    text = "\n".join(each.strip("\r\n") for each in plain).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip() and html is not None:
        text = text_of(html)
    return Mail(message, text, html, tuple(files))


def file_name(part: Message) -> str:
    """The name that a part claims for itself, made safe; empty where it claims none."""
    for parameter, header in (("filename", "content-disposition"), ("name", "content-type")):
        value = part.get_param(parameter, None, header)
        if value is None:
            continue
        name = safe_name(_parameter(value))
        if name:
            return name
    return ""


def safe_name(name: str) -> str:
    """A file's name without folders and without characters that mislead or do harm."""
    plain = _BAD_IN_NAME.sub("", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if len(plain) > _MAX_NAME:
        stem, dot, ending = plain.rpartition(".")
        plain = f"{stem[: _MAX_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) < 12 else plain[:_MAX_NAME]
    return plain


def _parameter(value: str | tuple[str | None, str | None, str]) -> str:
    """RFC 2231 with its charset, an encoded word as many mailers write it, or the plain text."""
    if isinstance(value, tuple):
        charset, _, encoded = value
        return decoded(encoded.encode("latin-1", "replace"), charset) if charset else collapse_rfc2231_value(value)
    if value.count("%") > 1 and " " not in value and value.isascii():
        # Percent signs without the asterisk that announces them.
        return decoded(unquote_to_bytes(value))
    return header_text(value)


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something, in reading order; mails within the mail are not gone into."""
    waiting = [message]
    seen = 0
    while waiting and seen < _MAX_PARTS:
        part = waiting.pop()
        seen += 1
        children = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(children, list):
            waiting.extend(child for child in reversed(children) if isinstance(child, Message))
        else:
            yield part


def _text(part: Message) -> str:
    return decoded(_content(part), part.get_content_charset())


def _content(part: Message) -> bytes:
    if part.is_multipart():
        return _nested(part)
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _nested(part: Message) -> bytes:
    """A mail in the mail, or a delivery report, as bytes."""
    children = part.get_payload()
    found = [child for child in children if isinstance(child, Message)] if isinstance(children, list) else []
    return b"\n".join(child.as_string().encode("utf-8", "surrogateescape") for child in found)


def _file(part: Message, kind: str, name: str, number: int) -> MailFile:
    if not name and kind == "message/rfc822":
        children = part.get_payload()
        inner = children[0] if isinstance(children, list) and children else None
        subject = inner.get("subject") if isinstance(inner, Message) else None
        name = safe_name(header_text(subject)[:80]) if isinstance(subject, str) else ""
        name = f"{name}.eml" if name else ""
    content_type = kind if _TYPE.match(kind) else "application/octet-stream"
    return MailFile(name or f"file-{number}{_EXTENSIONS.get(kind, '')}", content_type, _content(part))
