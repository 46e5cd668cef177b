"""Handing out files that strangers sent: never as something a browser would run."""

from __future__ import annotations

from urllib.parse import quote

_SHOWN = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "audio/x-wav",
        "audio/mp4",
        "audio/webm",
        "video/mp4",
        "video/webm",
        "video/ogg",
    }
)
_TYPE_MARKS = frozenset("!#$&^_.+-/")


def attachment_headers(name: str, content_type: str, *, inline: bool = True) -> dict[str, str]:
    """The headers of a file. Only pictures, sound and films are shown in place; all else is saved.

    A type that is no media type, and text in any guise, goes out as bytes.
    """
    media = content_type.partition(";")[0].strip().lower()
    shown = inline and media in _SHOWN
    if not _is_media_type(media) or media in {"text/html", "application/xhtml+xml", "image/svg+xml", "text/xml"}:
        media = "application/octet-stream"
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in name)[:100]
    disposition = "inline" if shown else "attachment"
    return {
        "Content-Type": media,
        "Content-Disposition": f"{disposition}; filename=\"{plain or 'file'}\"; filename*=UTF-8''{_encoded(name)}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
    }


def _encoded(name: str) -> str:
    return quote(name[:200].encode("utf-8", "replace"), safe="") or "file"


def _is_media_type(media: str) -> bool:
    kind, separator, rest = media.partition("/")
    allowed = all(char.isascii() and (char.isalnum() or char in _TYPE_MARKS) for char in media)
    return bool(separator and kind and rest) and "/" not in rest and allowed and len(media) <= 100
