"""Line icons, 24 × 24, drawn for the hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup

_PATHS: Final[Mapping[str, str]] = {
    "inbox": '<path d="M4 13l3-8h10l3 8v6H4zM4 13h5l1 3h4l1-3h5"/>',
    "clients": (
        '<circle cx="9" cy="8" r="3.5"/>'
        '<path d="M3 20c0-4 3-6 6-6s6 2 6 6M16 5a3.5 3.5 0 0 1 0 6.5M17.5 14.5c2.5.7 3.5 2.8 3.5 5.5"/>'
    ),
    "deals": (
        '<rect x="3" y="4" width="5" height="16" rx="1"/>'
        '<rect x="10" y="4" width="5" height="10" rx="1"/><rect x="17" y="4" width="4" height="13" rx="1"/>'
    ),
    "tasks": '<path d="M9 6h11M9 12h11M9 18h11M3.5 6l1.2 1.2L7 5M3.5 12l1.2 1.2L7 11M3.5 18l1.2 1.2L7 17"/>',
    "calls": (
        '<path d="M5 4h4l1.5 4.5L8 10a12 12 0 0 0 6 6l1.5-2.5L20 15v4c0 .6-.4 1-1 1A15 15 0 0 1 4 5c0-.6.4-1 1-1z"/>'
    ),
    "wall": '<rect x="3" y="4" width="18" height="13" rx="1.5"/><path d="M8 21h8M12 17v4M7 13v-3M12 13V8M17 13v-2"/>',
    "control": '<path d="M12 3l8 3v6c0 4.5-3.5 7.5-8 9-4.5-1.5-8-4.5-8-9V6zM8.5 12l2.5 2.5 4.5-5"/>',
    "reports": '<path d="M4 20V4M4 20h16M8 16v-4M12 16V8M16 16v-6"/>',
    "lists": '<path d="M5 4h14v16H5zM8 9h8M8 13h8M8 17h5"/>',
    "office": (
        '<circle cx="12" cy="12" r="3"/>'
        '<path d="M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1'
        'M16.3 16.3l2.1 2.1M18.4 5.6l-2.1 2.1M7.7 16.3l-2.1 2.1"/>'
    ),
    "search": '<circle cx="11" cy="11" r="6.5"/><path d="M16 16l4.5 4.5"/>',
    "leave": '<path d="M14 4H5v16h9M10 12h10M17 9l3 3-3 3"/>',
    "chat": '<path d="M4 5h16v11H9l-5 4z"/>',
    "mail": '<rect x="3" y="5" width="18" height="14" rx="1.5"/><path d="M3.5 6.5L12 13l8.5-6.5"/>',
    "form": '<path d="M5 4h14v16H5zM8 8h8M8 12h8M8 16h4"/>',
    "note": '<path d="M5 4h14v11l-5 5H5zM14 20v-5h5"/>',
    "stage": '<path d="M4 6h10l6 6-6 6H4l4-6z"/>',
    "file": '<path d="M6 3h8l5 5v13H6zM14 3v5h5"/>',
    "send": '<path d="M4 12l16-8-6 16-3-6z"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3.5 2"/>',
    "more": '<circle cx="6" cy="12" r="1.2"/><circle cx="12" cy="12" r="1.2"/><circle cx="18" cy="12" r="1.2"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "cross": '<path d="M6 6l12 12M18 6L6 18"/>',
    "check": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "in": '<path d="M18 6L6 18M6 9v9h9"/>',
    "out": '<path d="M6 18L18 6M9 6h9v9"/>',
    "star": '<path d="M12 4l2.4 5 5.6.7-4 3.900 1 5.5-5-2.7-5 2.7 1-5.5-4-3.900 5.6-.7z"/>',
    "warning": '<path d="M12 4l9 16H3zM12 10v4M12 17v.5"/>',
    "filter": '<path d="M4 5h16l-6 8v6l-4-2v-4z"/>',
    "user": '<circle cx="12" cy="8" r="4"/><path d="M4 20c0-4 4-6 8-6s8 2 8 6"/>',
    "lock": '<rect x="5" y="11" width="14" height="9" rx="1.5"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>',
    "link": '<path d="M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"/>',
    "play": '<path d="M7 5l12 7-12 7z"/>',
}


def icon(name: str) -> Markup:
    """An icon as it stands in a page; KeyError where there is none of this name."""
    return Markup(  # noqa: S704 — nothing but the above
        '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">'
        f"{_PATHS[name]}</svg>"
    )
