"""Names that a mail gives: of its files and of its people, without what misleads the eye or harms a disk."""

from __future__ import annotations

import re
import unicodedata
from email.message import Message
from email.utils import collapse_rfc2231_value
from urllib.parse import unquote_to_bytes

from channels.email.charsets import decoded, header_text

_MAX_NAME = 150
_MAX_PERSON = 200
# Separators of folders and what Windows forbids; controls, and halves of characters.
_BAD = re.compile('[\x00-\x1f\x7f-\x9f<>:"|?*\ud800-\udfff]')
# What takes no room or turns the direction of what follows: `invoice<RLO>fdp.exe` reads as `invoiceexe.pdf`.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_BLANKS = re.compile(r"\s+")
# Names that are devices on Windows, whatever ending they have.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)
_EXTENSIONS = {
    "application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "message/rfc822": ".eml",
    "text/plain": ".txt", "text/html": ".html", "text/calendar": ".ics", "application/zip": ".zip", "text/rtf": ".rtf",
}  # fmt: skip


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


def nameless(kind: str, number: int) -> str:
    """A name for the file at this place of a mail, which has none."""
    return f"file-{number}{_EXTENSIONS.get(kind, '')}"


def safe_name(name: str) -> str:
    """A file's name without folders and without characters that mislead or do harm."""
    bare = _UNSEEN.sub("", _BLANKS.sub(" ", name[:4000])).replace("\\", "/").rpartition("/")[2]
    plain = _BAD.sub("", unicodedata.normalize("NFC", bare)).strip(" .")
    if len(plain) > _MAX_NAME:
        stem, dot, ending = plain.rpartition(".")
        plain = f"{stem[: _MAX_NAME - len(ending) - 1]}.{ending}" if dot and len(ending) < 12 else plain[:_MAX_NAME]
    return f"_{plain}" if _DEVICE.match(plain) else plain


def person_name(shown: str) -> str:
    """The display name of a person, empty where it is none but their address."""
    name = _BLANKS.sub(" ", _UNSEEN.sub("", shown)).strip().strip("\"'").strip()
    return "" if "@" in name else name[:_MAX_PERSON]


def _parameter(value: str | tuple[str | None, str | None, str]) -> str:
    """RFC 2231 with its charset, an encoded word as many mailers write it, or the plain text."""
    if isinstance(value, tuple):
        charset, _, encoded = value
        return decoded(encoded.encode("latin-1", "replace"), charset) if charset else collapse_rfc2231_value(value)
    if value.count("%") > 1 and " " not in value and value.isascii():
        # Percent signs without the asterisk that announces them.
        return decoded(unquote_to_bytes(value))
    return header_text(value)
