"""A website of somebody: pages with the chat's tag on an origin of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

_PAGE = """\
<!DOCTYPE html>
<html lang="{lang}"><head><meta charset="utf-8"><title>Окна — каталог</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ margin: 0; font: 18px/1.5 "DejaVu Sans", sans-serif; background: {back}; color: {ink}; }}
main {{ max-width: 720px; margin: 0 auto; padding: 40px 24px; }}
.card {{ border: 1px solid #8884; padding: 24px; }}</style>
</head><body><main><h1>Пластиковые окна</h1><p><a id="first" href="/other">Другая страница</a></p>
<div class="card"><p>Бесплатный замер в день обращения. Гарантия 10 лет.</p><input id="field" placeholder="Поиск"></div>
</main><script src="{widget}" async {data}></script></body></html>
"""


@dataclass(frozen=True)
class Site:
    """A running website."""

    origin: str


@asynccontextmanager
async def website(port: int, widget: str) -> AsyncIterator[Site]:
    """Serve pages with the widget. `?lang=en` and `?dark` shape them, `?attr=…` goes into the tag, `?csp` sets a strict
    policy."""

    async def page(request: web.Request) -> web.Response:
        dark = "dark" in request.query
        text = _PAGE.format(
            lang=request.query.get("lang", "ru"),
            back="#14161b" if dark else "#fff",
            ink="#eee" if dark else "#222",
            widget=widget,
            data=request.query.get("attr", ""),
        )
        hub = widget.partition("/in/")[0]
        policy = f"default-src 'none'; script-src {hub}; connect-src {hub}; img-src {hub}; style-src 'sha256-no'"
        headers = {"Content-Security-Policy": policy} if "csp" in request.query else {}
        return web.Response(text=text, content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_get("/{path:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield Site(f"http://127.0.0.1:{port}")
    finally:
        await runner.cleanup()
