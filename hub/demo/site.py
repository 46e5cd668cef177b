"""The firm's website: a page with the chat on it, on an origin of its own, and a visitor who writes there."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from hub.demo.api import ApiFailure
from hub.demo.office import Ports

_PAGE = """\
<!DOCTYPE html>
<html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Окна и балконы</title>
<style>
body { margin: 0; font: 17px/1.6 system-ui, sans-serif; color: #1c2330; background: #f6f8fb; }
header { padding: 72px 24px 56px; background: #0f2a4a; color: #fff; }
header div, main { max-width: 760px; margin: 0 auto; }
h1 { margin: 0 0 8px; font-size: 34px; line-height: 1.2; }
main { padding: 24px; }
article { margin: 0 0 16px; padding: 18px 22px; border-radius: 12px; background: #fff; }
h2 { margin: 0 0 4px; font-size: 19px; }
p { margin: 0; }
</style></head><body>
<header><div><h1>Тёплые окна и балконы под ключ</h1><p>Замер в день обращения, гарантия 10 лет</p></div></header>
<main>
<article><h2>Окна</h2><p>От 9 000 ₽ с установкой. Стеклопакет подберём под вашу улицу.</p></article>
<article><h2>Балконы</h2><p>Остекление, утепление и отделка: шесть метров за два дня.</p></article>
<article><h2>Остались вопросы?</h2><p>Напишите в чат справа внизу: отвечает менеджер, а не робот.</p></article>
</main>
<script src="WIDGET" async></script>
</body></html>
"""


@asynccontextmanager
async def website(ports: Ports) -> AsyncIterator[None]:
    """Serve the page while the story plays, and afterwards for whoever wants to try the chat."""
    page = _PAGE.replace("WIDGET", f"{ports.url}/in/web/site/widget.js")

    async def show(_request: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", ports.site).start()
    try:
        yield
    finally:
        await runner.cleanup()


class Visitor:
    """Somebody with the page open, who speaks to the hub as the script on it does."""

    def __init__(self, ports: Ports, http: aiohttp.ClientSession) -> None:
        self._ports = ports
        self._http = http
        self._token = ""

    @property
    def identity(self) -> str:
        """As the hub knows them."""
        return f"web:{self._token.partition('.')[0]}"

    async def come(self) -> None:
        """Open the chat."""
        async with self._asked("start") as answer:
            self._token = (await answer.json())["token"]

    async def say(self, text: str) -> None:
        """Write."""
        page = f"{self._ports.site_url}/?utm_source=vk&utm_campaign=zima"
        async with self._asked("send", id=secrets.token_hex(8), text=text, page=page, title="Окна и балконы"):
            pass

    async def leave(self, name: str, phone: str) -> None:
        """Say how to be reached, in the form that the chat shows after the first message."""
        async with self._asked("contact", id=secrets.token_hex(8), name=name, phone=phone):
            pass

    async def sees(self, text: str, within_s: float) -> None:
        """Wait until the open window shows a message of the office; raises TimeoutError."""
        async with asyncio.timeout(within_s), self._asked("stream", after=0) as answer:
            async for line in answer.content:
                if line.startswith(b"data: "):
                    said: list[dict[str, Any]] = json.loads(line[6:])
                    if any(each["text"] == text and not each["mine"] for each in said):
                        return
        raise TimeoutError

    @asynccontextmanager
    async def _asked(self, what: str, **more: object) -> AsyncIterator[aiohttp.ClientResponse]:
        body = json.dumps({"token": self._token, **more})
        url, headers = f"{self._ports.url}/in/web/site/chat/{what}", {"Origin": self._ports.site_url}
        async with self._http.post(url, data=body, headers=headers) as answer:
            if answer.status != 200:
                raise ApiFailure(f"{answer.status} {(await answer.text())[:200]}")
            yield answer
