"""Handing out files that strangers sent: never as something a browser would run."""

from __future__ import annotations

from urllib.parse import quote

from crm_core.services.recognising.cleaning import clean_file_name

_OCTETS = "application/octet-stream"

_SHOWN = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "audio/mpeg",
        "audio/ogg",
        "audio/opus",
        "audio/wav",
        "audio/x-wav",
        "audio/mp4",
        "audio/webm",
        "video/mp4",
        "video/webm",
        "video/ogg",
    }
)
_TEXT = "text/plain"
_LARGEST_TEXT = 1024 * 1024
_LARGEST_PICTURE = 32 * 1024 * 1024
_LARGEST_PREVIEW = 10 * 1024 * 1024
# What a browser, or something that it starts, would run or follow goes out as mere bytes.
_ACTIVE = ("html", "xml", "svg", "script", "ecma", "css", "pdf-", "flash", "java", "wasm", "x-ms", "hta")
_HARMLESS = frozenset({"application/xml-dtd", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"})
_TYPE_MARKS = frozenset("!#$&^_.+-/")


def may_be_shown(content_type: str, size: int | None, warning: str) -> bool:
    """Whether a stored file may be shown in place: a picture, sound, film or text of sane size, of which nothing warns.

    Not PDF: what shows it in a browser runs what is in it.
    """
    media = _media(content_type)
    if warning or size is None:
        return False
    if media == _TEXT:
        return size <= _LARGEST_TEXT
    return media in _SHOWN and not (media.startswith("image/") and size > _LARGEST_PICTURE)


def may_be_previewed(content_type: str, size: int | None, warning: str) -> bool:
    """Whether a stored file is a picture that is seen at once where it is listed."""
    small = size is not None and size <= _LARGEST_PREVIEW
    return small and _media(content_type).startswith("image/") and may_be_shown(content_type, size, warning)


def attachment_headers(name: str, content_type: str, *, inline: bool = True) -> dict[str, str]:
    """The headers of a file. Only pictures, sound, films and plain text are shown in place; all else is saved.

    A type that is no media type, and whatever a browser could run, goes out as bytes.
    """
    media = _media(content_type)
    shown = inline and (media in _SHOWN or media == _TEXT)
    if not _is_media_type(media) or (media not in _HARMLESS and _is_active(media)):
        media = _OCTETS
    if media == _TEXT:
        media = f"{_TEXT}; charset=utf-8"
    safe = clean_file_name(name) or "file"
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in safe)[:100]
    disposition = "inline" if shown else "attachment"
    return {
        "Content-Type": media,
        "Content-Disposition": f"{disposition}; filename=\"{plain or 'file'}\"; filename*=UTF-8''{_encoded(safe)}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=3600",
    }


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_active(media: str) -> bool:
    kind, _, rest = media.partition("/")
    office = rest.startswith("vnd.openxmlformats-officedocument.")
    text = kind == "text" and media != _TEXT and rest not in {"csv", "calendar", "vcard", "rtf", "markdown"}
    return text or (not office and any(each in rest for each in _ACTIVE))


def _encoded(name: str) -> str:
    return quote(name[:200].encode("utf-8", "replace"), safe="") or "file"


def _is_media_type(media: str) -> bool:
    kind, separator, rest = media.partition("/")
    allowed = all(char.isascii() and (char.isalnum() or char in _TYPE_MARKS) for char in media)
    return bool(separator and kind and rest) and "/" not in rest and allowed and len(media) <= 100
