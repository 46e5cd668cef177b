"""Updates pushed to a webhook."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest_asyncio
from aiogram import Bot as Client
from aiohttp import web

from hub.demo.peers.bot_api import (
    SECRET_HEADER,
    Bot,
    Person,
)
from tests.contract.bot_api.conftest import texts


@dataclass
class Receiver:
    """Somebody's webhook: notes what comes and answers as told (200 when nothing is planned)."""

    plan: list[int] = field(default_factory=list)
    seen: list[tuple[str | None, Any]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append((request.headers.get(SECRET_HEADER), json.loads(await request.read())))
        return web.Response(status=self.plan.pop(0) if self.plan else 200)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/in", made.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/in"
    yield made
    await runner.cleanup()


async def test_webhook_in_order_until_accepted(client: Client, bot: Bot, anna: Person, receiver: Receiver) -> None:
    receiver.plan = [500, 503, 302]
    await anna.say("раз")
    await client.set_webhook(receiver.url, secret_token="s3cret")
    await anna.say("два")
    deliveries = await bot.webhook.deliveries.wait_count(5)
    assert [delivery.status for delivery in deliveries] == [500, 503, 302, 200, 200]
    assert {secret for secret, _ in receiver.seen} == {"s3cret"}
    assert [body["message"]["text"] for _, body in receiver.seen] == ["раз"] * 4 + ["два"]
    info = await client.get_webhook_info()
    assert (info.url, info.pending_update_count) == (receiver.url, 0)
    assert info.last_error_message == "Wrong response from the webhook: 302 Found"


async def test_webhook_that_is_not_there_keeps_the_updates(client: Client, bot: Bot, anna: Person) -> None:
    await client.set_webhook("http://127.0.0.1:1/in")
    await anna.say("раз")
    await bot.webhook.deliveries.wait_for(lambda delivery: delivery.status is None)
    info = await client.get_webhook_info()
    assert info.pending_update_count == 1
    assert "Connection failed" in (info.last_error_message or "")
    await client.delete_webhook()
    assert texts(await client.get_updates()) == ["раз"]
    await client.set_webhook("http://127.0.0.1:1/in")
    await client.delete_webhook(drop_pending_updates=True)
    assert await client.get_updates() == []
