"""A mail as its sender laid it out: its harmless HTML in a document of its own, where nothing runs.

It is shown in a frame that may run no scripts, under a policy that loads nothing but the pictures that came with it;
those from elsewhere tell their owner that the mail was read, so they are loaded when somebody asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape

from aiohttp import web

from crm_core.errors import NotFound
from crm_core.model.records import AttachmentRecord, FileState
from crm_core.model.timeline import EntryKind
from crm_core.storage.queries.timeline import entry_card
from hub.web.pages import Answer, Pages, number_in, user_here
from hub.web.tongues import language

_IMAGE = re.compile(r"<img\b[^<>]*>")
_CID = re.compile(r' src="cid:([^"]*)"', re.IGNORECASE)
_REMOTE = re.compile(r' data-src="(https?:[^"]*)"', re.IGNORECASE)
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:{more}; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
_PAGE = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">'
    '<title>{title}</title><link rel="stylesheet" href="{style}"></head><body>{body}</body></html>'
)


class Mails:
    """Hands out mails."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def show(self, request: web.Request) -> Answer:
        """A mail; with `?remote=1` its pictures from elsewhere, too."""
        hub, user, entry_id = self._pages.hub, user_here(request), number_in(request, "entry_id")
        card = await hub.store.read(lambda conn: entry_card(conn, hub.store.access(conn, user), entry_id))
        entry = card.entry
        if entry.contact_id != number_in(request) or entry.kind is not EntryKind.EMAIL or entry.html is None:
            raise NotFound
        remote = request.query.get("remote") == "1"
        pictures = {each.cid: each for each in card.attachments if each.cid and each.state is FileState.STORED}
        style = self._pages.templates.asset("mail.css")
        page = _PAGE.format(
            language=language(),
            title=escape(entry.subject),
            style=escape(style),
            body=with_pictures(entry.html, pictures, remote=remote),
        )
        headers = {
            "Content-Security-Policy": _POLICY.format(more=" https: http:" if remote else ""),
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
        }
        return web.Response(text=page, content_type="text/html", headers=headers)


def with_pictures(html: str, known: Mapping[str, AttachmentRecord], *, remote: bool) -> str:
    """Sanitised HTML with the addresses of its pictures: of those that came with the mail, and, where `remote`, of
    those from elsewhere."""

    def shown(found: re.Match[str]) -> str:
        image = _CID.sub(lambda cid: _source(unescape(cid[1]), known), found[0])
        return _REMOTE.sub(lambda address: f' src="{address[1]}"', image) if remote else image

    return _IMAGE.sub(shown, html)


def has_remote(html: str | None) -> bool:
    """Whether there are pictures from elsewhere in it."""
    return html is not None and any(_REMOTE.search(image) for image in _IMAGE.findall(html))


def _source(cid: str, known: Mapping[str, AttachmentRecord]) -> str:
    found = known.get(cid)
    return f' src="/api/v1/attachments/{found.id}"' if found is not None else ""
