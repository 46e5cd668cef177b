"""Files of the chat: what a visitor may send, and how a file is handed to a browser."""

from __future__ import annotations

from urllib.parse import quote

from channels.web import answers
from channels.web.fields import FormFile, MalformedForm, read_fields
from channels.web.talk import BadTalk, Posted
from channels.web.tokens import LinkedFile
from crm_core.ports import HttpResponse

_SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_ACTIVE = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml"})
# What is run by opening it; nobody sends this to an office in good faith.
_REFUSED = frozenset(
    {
        *("exe", "com", "scr", "pif", "bat", "cmd", "msi", "msp", "hta", "cpl", "lnk", "reg", "dll", "sys"),
        *("jar", "js", "jse", "vbs", "vbe", "wsf", "wsh", "ps1", "psm1", "apk", "app", "dmg"),
    }
)
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; sandbox"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),  # the site's pages show it, whatever isolation they ask for
    ("Cache-Control", "private, max-age=3600"),
)


class RefusedFile(BadTalk):
    """A file that is not taken; `status` of HTTP says why, the words too."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


def uploaded(body: bytes, content_type: str, most: int) -> tuple[Posted, FormFile]:
    """The fields and the one file of a multipart body. Raises BadTalk, RefusedFile for one that is not taken."""
    try:
        fields = read_fields(body, content_type)
    except MalformedForm as error:
        raise BadTalk(error.sentence) from error
    if not fields.files:
        raise BadTalk("There is no file, or an empty one.")
    file = fields.files[0]
    if len(file.content) > most:
        raise RefusedFile(413, f"The file is larger than {most} bytes.")
    if any(part.lower() in _REFUSED for part in file.name.split(".")[1:]):
        raise RefusedFile(415, "Programs are not taken.")
    return Posted(dict(fields.values)), file


def handed_out(file: LinkedFile, content: bytes) -> HttpResponse:
    """Pictures to be shown in place, everything else to be saved; nothing that a browser would run."""
    media = file.content_type.partition(";")[0].strip().lower()
    shown = media in _SHOWN
    plain = all(char.isascii() and (char.isalnum() or char in "!#$&^_.+-/") for char in media) and media.count("/") == 1
    if not plain or media in _ACTIVE:
        media = "application/octet-stream"
    named = quote(file.name[:200].encode("utf-8", "replace"), safe="") or "file"
    disposition = f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{named}"
    return HttpResponse(200, content, media, (("Content-Disposition", disposition), *_HEADERS))


def not_here() -> HttpResponse:
    """For a link that was not made here, or whose time is over, and for a file that is gone."""
    return answers.refusal(404, "There is no such file, or the link to it is too old.")
