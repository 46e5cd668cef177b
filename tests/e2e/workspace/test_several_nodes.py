"""Two nodes of one office and two browsers, each at a node of its own: they see each other at work over Redis; whoever
loses their node goes on at the other and has missed nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from crm_core.model.user import Role
from hub.demo.peers.bot_api.server import BotApiServer
from tests.e2e.hub_process import HubProcess, staffed
from tests.e2e.workspace.office import Workspace, person
from tests.e2e.workspace.test_in_step import MISSED, ONCE, loaded_once, shown_once
from tests.peers.redis import RedisServer

pytestmark = pytest.mark.timeout(600)

_TOKEN = "1001:nodes-bot"
_CONFIG = """
redis_url = "{redis}"
secret_key = "one key that all the nodes of this office share"
[[telegram]]
name = "shop"
token = "{token}"
api_base = "{base}"
group = "все"
"""


@dataclass
class Front:
    """What stands before the nodes, as a balancer does: each connection goes to the first node that takes it."""

    nodes: tuple[HubProcess, ...]
    port: int = 0

    async def serve(self, stack: AsyncExitStack) -> None:
        """Take connections until the stack ends."""
        server = await stack.enter_async_context(await asyncio.start_server(self._taken, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for node in self.nodes:
            with contextlib.suppress(OSError):
                ahead, back = await asyncio.open_connection("127.0.0.1", node.port)
                ways = [asyncio.create_task(_pumped(*way)) for way in ((reader, back), (ahead, writer))]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
                back.close()
                break
        writer.close()


async def _pumped(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()


@dataclass
class Nodes:
    """The two nodes, an office as each is seen from it, and one through the front, which prefers the first."""

    first: HubProcess
    through: Workspace
    second: Workspace


@contextlib.asynccontextmanager
async def two_nodes(
    folder: Path, postgres_url: str, redis: RedisServer, chromium: Browser, more: str = ""
) -> AsyncIterator[Nodes]:
    """Two nodes of one office; `more` are further tables of its hub.toml."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(BotApiServer())
        bot = server.bot(_TOKEN)
        token = await staffed(
            postgres_url,
            person("root", "Главный Администратор", Role.ADMIN),
            person("ivan", "Иван Петров", Role.MANAGER),
            person("olga", "Ольга Сергеева", Role.MANAGER),
        )
        config = _CONFIG.format(redis=redis.url, token=_TOKEN, base=server.url) + more
        hubs = []
        for name in ("first", "second"):
            (folder / name).mkdir()
            hub = HubProcess(folder / name, postgres_url, config)
            stack.push_async_callback(hub.kill)
            await hub.start()
            hubs.append(hub)
        first, second = hubs
        front = Front((first, second))
        await front.serve(stack)
        api = await stack.enter_async_context(aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}))
        before = HubProcess(folder, postgres_url, "", port=front.port)  # an address alone: it is never started
        found = Nodes(first, Workspace(before, bot, chromium, api), Workspace(second, bot, chromium, api))
        yield found
        assert [*found.through.errors, *found.second.errors] == []


@pytest.fixture
async def nodes(
    tmp_path: Path, postgres_url: str, redis_server: RedisServer, chromium: Browser
) -> AsyncIterator[Nodes]:
    async with two_nodes(tmp_path, postgres_url, redis_server, chromium) as found:
        yield found


async def test_people_at_two_nodes_see_each_other_at_work(nodes: Nodes) -> None:
    anna = nodes.second.client(5001, "Анна")
    await anna.say("Добрый день")
    card = f"/contacts/{await nodes.second.contact('tg:5001')}"
    ivan, olga = await nodes.through.enter("ivan"), await nodes.second.enter("olga")
    for page, at in ((ivan, nodes.through), (olga, nodes.second)):
        await page.goto(f"{at.hub.url}{card}")
        await expect(page.locator("#answer")).to_be_visible()
        await page.evaluate(ONCE)
    await expect(ivan.locator("[data-whispers]")).to_have_text("Ольга Сергеева смотрит")
    await expect(olga.locator("[data-whispers]")).to_have_text("Иван Петров смотрит")
    await olga.locator("#answer").press_sequentially("Здравствуйте")
    await expect(ivan.locator("[data-whispers]")).to_have_text("Ольга Сергеева пишет…")
    await olga.keyboard.press("Control+Enter")
    await expect(ivan.locator("[data-whispers]")).to_have_text("Ольга Сергеева смотрит")
    await anna.say("Сколько стоит окно?")
    for page in (ivan, olga):
        await shown_once(page.locator("ol.timeline > li"), ("Добрый день", "Здравствуйте", "Сколько стоит окно?"))
    await loaded_once(ivan, olga)


async def test_whoever_loses_their_node_goes_on_at_the_other_and_misses_nothing(nodes: Nodes) -> None:
    anna = nodes.second.client(5001, "Анна")
    await anna.say("Добрый день")
    card = f"/contacts/{await nodes.second.contact('tg:5001')}"
    ivan, olga = await nodes.through.enter("ivan"), await nodes.second.enter("olga")
    await ivan.goto(f"{nodes.through.hub.url}{card}")
    await olga.goto(f"{nodes.second.hub.url}{card}")
    inbox = await nodes.through.beside(ivan, "/")
    shown = [page.locator("ol.timeline > li") for page in (ivan, olga)] + [inbox.locator("ol.events > li")]
    for each in shown:
        await shown_once(each, ("Добрый день",))
    for page in (ivan, olga, inbox):
        await page.evaluate(ONCE)
    await ivan.locator("#answer").fill("Недописанное")

    await nodes.first.kill()
    for text in MISSED:
        await anna.say(text)
    await olga.locator("#answer").fill("Работаем, пишите")
    await olga.keyboard.press("Control+Enter")
    for each in shown:
        await shown_once(each, ("Добрый день", *MISSED))
    await shown_once(shown[0], ("Работаем, пишите",))
    await expect(ivan.locator("body:not(.offline)")).to_be_attached()
    await loaded_once(ivan, olga, inbox)

    # What was begun at the one is sent at the other; they see each other again.
    await expect(ivan.locator("#answer")).to_have_value("Недописанное")
    await ivan.locator("#answer").focus()
    await ivan.keyboard.press("Control+Enter")
    for each in shown[:2]:
        await shown_once(each, ("Недописанное",))
    await expect(olga.locator("[data-whispers]")).to_contain_text("Иван Петров смотрит")
    await loaded_once(ivan, olga, inbox)
