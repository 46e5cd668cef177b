"""The page by which a client leaves mailings, and the one click of mail programs (RFC 8058).

Looking at the page changes nothing: programs that look at every address of a mail leave nobody's mailings.
"""

from __future__ import annotations

import contextlib
from base64 import b64encode
from hashlib import sha256
from html import escape

from aiohttp import web

from crm_core.errors import NotFound
from crm_core.services.desk import Desk
from crm_core.services.letters.opting_out import BY_LINK, opt_out
from hub.bootstrap import Hub
from hub.clients.leaving import leave_links
from hub.http.bodies import read_body

_MOST_BODY = 10_000
_STYLE = (
    "body{font:18px/1.5 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em}"
    "button{font:inherit;padding:.5em 1.2em}"
)
_DIGEST = b64encode(sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
_TEXTS = {
    "ru": {
        "title": "Отписка от рассылки",
        "ask": "Больше не присылать вам рассылок? Сотрудники по-прежнему смогут отвечать на ваши обращения.",
        "button": "Отписаться",
        "done": "Готово: рассылок больше не будет.",
        "unknown": "Эта ссылка не подходит. Откройте её из письма целиком или ответьте на письмо словом «стоп».",
    },
    "en": {
        "title": "Unsubscribe",
        "ask": "Send you no more mailings? Our people can still answer you.",
        "button": "Unsubscribe",
        "done": "Done: there will be no more mailings.",
        "unknown": "This link does not fit. Open the whole of it from the mail, or answer the mail with “stop”.",
    },
}


def mount_leaving(app: web.Application, hub: Hub) -> None:
    """Serve `/u/{token}`."""
    links = leave_links(hub.settings)
    texts = _TEXTS.get(hub.settings.language.value, _TEXTS["ru"])

    async def shown(request: web.Request) -> web.Response:
        if links.contact_of(request.match_info["token"]) is None:
            return _page(texts, texts["unknown"], status=404)
        return _page(texts, texts["ask"], button=texts["button"])

    async def left(request: web.Request) -> web.Response:
        await read_body(request, _MOST_BODY)
        contact_id = links.contact_of(request.match_info["token"])
        if contact_id is None:
            return _page(texts, texts["unknown"], status=404)

        def service(desk: Desk) -> None:
            opt_out(desk, contact_id, BY_LINK)

        with contextlib.suppress(NotFound):  # whoever is not in the record any more gets nothing either
            await hub.store.run(service)
        return _page(texts, texts["done"])

    app.router.add_get("/u/{token}", shown)
    app.router.add_post("/u/{token}", left)


def _page(texts: dict[str, str], text: str, *, button: str = "", status: int = 200) -> web.Response:
    form = f'<form method="post"><button>{escape(button)}</button></form>' if button else ""
    html = (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{escape(texts["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{escape(texts['title'])}</h1><p>{escape(text)}</p>{form}</body></html>"
    )
    return web.Response(text=html, content_type="text/html", headers=_HEADERS, status=status)
