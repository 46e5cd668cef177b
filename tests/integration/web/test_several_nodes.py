"""Pages of several nodes on one PostgreSQL: what one commits the others' pages hear, with Redis or without; who moves
from node to node misses nothing; whispers cross over Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestServer

from crm_core.model.user import Role
from crm_core.ports import ChannelContext
from crm_core.storage.users import disable_user
from hub.access.security import Passwords
from hub.app import create_app
from hub.bootstrap import build
from hub.settings import Secret, ServerUrl, Settings
from hub.web.pages import PAGES
from tests.fakes.clock import DrivenClock
from tests.integration.http.world import SHOP, PlayedChannel, settings_for
from tests.integration.web.conftest import CHEAP, Workspace
from tests.integration.web.test_inbox import Feed
from tests.patience import PATIENCE_S
from tests.peers.postgres import PostgresServer
from tests.peers.redis import RedisServer

_OFTEN_S = 0.2


@dataclass
class Nodes:
    """Two nodes; `people` hold a session each, which both nodes know."""

    first: Workspace
    second: Workspace
    people: dict[str, ClientSession]

    @asynccontextmanager
    async def following(self, login: str, node: Workspace, topics: str, last_id: str = "") -> AsyncIterator[Feed]:
        """Follow topics at a node as a page does."""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        url = node.server.make_url(f"/live?topics={topics}")
        async with self.people[login].get(url, headers=headers) as response:
            assert response.status == 200
            feed = Feed(response)
            await feed.event("hello")
            yield feed


async def node(stack: AsyncExitStack, settings: Settings) -> Workspace:
    """One node, until the stack ends."""
    clock, shop = DrivenClock(), PlayedChannel(SHOP)

    def connect(_settings: Settings, _context: ChannelContext) -> list[PlayedChannel]:
        return [shop]

    hub = build(settings, clock=clock, connectors={"played": connect})
    await hub.start()
    stack.push_async_callback(hub.stop)
    app = create_app(hub)
    app[PAGES].passwords = Passwords(CHEAP)
    server = TestServer(app)
    await server.start_server()
    stack.push_async_callback(server.close)
    return Workspace(hub, clock, shop, app, server, [])


@asynccontextmanager
async def two_nodes(url: str, folder: Path, redis: RedisServer | None) -> AsyncIterator[Nodes]:
    """Two nodes of one office, Иван and Ольга logged in."""
    link = ServerUrl("redis", "127.0.0.1", redis.port, path="0") if redis is not None else None
    settings = replace(settings_for(url, folder), secret_key=Secret("of both nodes " * 4), redis_url=link)
    async with AsyncExitStack() as stack:
        first, second = await node(stack, settings), await node(stack, settings)
        people = {}
        for login in ("ivan", "olga"):
            await first.hire(login, Role.MANAGER)
            browser = first.browser()
            assert (await browser.log_in(login)).status == 303
            jar = CookieJar(unsafe=True)
            jar.update_cookies(browser.client.session.cookie_jar.filter_cookies(first.server.make_url("/")))
            await browser.client.session.close()
            people[login] = await stack.enter_async_context(ClientSession(cookie_jar=jar))
        yield Nodes(first, second, people)


@pytest.fixture(params=["redis", "alone"])
async def nodes(
    request: pytest.FixtureRequest,
    postgres_server: PostgresServer,
    migrated_postgres: str,
    redis_server: RedisServer,
    tmp_path: Path,
) -> AsyncIterator[Nodes]:
    url = postgres_server.fresh_database(template=migrated_postgres)
    async with two_nodes(url, tmp_path, redis_server if request.param == "redis" else None) as found:
        yield found
    postgres_server.drop_database(url)


async def test_what_one_node_commits_the_pages_of_the_other_hear(nodes: Nodes) -> None:
    async with nodes.following("ivan", nodes.second, "cases,happening") as feed:
        await nodes.first.write("Добрый день")
        piece = await feed.event("piece")
        assert (piece["topic"], "Добрый день" in piece["html"]) == ("happening", True)
        assert (await feed.event("stale"))["topics"] == ["cases"]


async def piece_with(feed: Feed, text: str) -> None:
    """Wait for a piece; others may come before it, again too: they stand in for themselves."""
    while text not in (await feed.event("piece"))["html"]:
        pass


async def test_whoever_moves_to_another_node_misses_nothing(nodes: Nodes) -> None:
    contact_id = await nodes.first.write("Первое")
    topics = f"client:{contact_id},happening"
    async with nodes.following("ivan", nodes.first, topics) as feed:
        await nodes.first.write("Второе", number="2")
        await feed.of(f"client:{contact_id}", "happening")
        await feed.event("stale")
        seen = feed.last_id
    await nodes.second.write("Третье", number="3")
    await nodes.first.write("Четвёртое", number="4")
    async with nodes.following("ivan", nodes.second, topics, seen) as feed:
        await feed.of(f"client:{contact_id}", "happening")
        await nodes.first.write("Пятое", number="5")
        await piece_with(feed, "Пятое")
        await feed.event("stale")
        seen = feed.last_id
    async with nodes.following("ivan", nodes.first, topics, seen) as feed:
        await nodes.second.write("Шестое", number="6")
        await piece_with(feed, "Шестое")


async def test_the_greeting_does_not_say_that_everything_was_told(nodes: Nodes) -> None:
    """A line that is cut between the greeting and what was missed is taken up where it stood before."""
    await nodes.first.write("Первое")
    before = nodes.first.hub.live.position
    assert await nodes.second.hub.live.reached(before, PATIENCE_S)
    await nodes.first.write("Второе", number="2")
    assert await nodes.second.hub.live.reached(before + 1, PATIENCE_S)
    for at in (nodes.first, nodes.second):
        async with nodes.following("ivan", at, "happening", str(before)) as feed:
            assert feed.last_id == str(before)
            await feed.event("stale")
            assert int(feed.last_id) > before


async def test_whose_session_ends_at_one_node_hears_nothing_more_at_the_other(nodes: Nodes) -> None:
    async with nodes.following("ivan", nodes.second, "happening") as feed:
        await nodes.first.hub.store.run(lambda desk: disable_user(desk, "ivan"))
        await nodes.first.write("Мой адрес: Лесная, 5")
        assert "Лесная" not in await feed.rest()
    olga = nodes.people["olga"]
    copied = {each.key: each.value for each in olga.cookie_jar}
    async with nodes.following("olga", nodes.second, "happening") as feed:
        async with olga.get(nodes.first.server.make_url("/"), headers={"Accept": "text/html"}) as page:
            csrf = (await page.text()).partition('name="csrf" value="')[2].partition('"')[0]
        async with olga.post(nodes.first.server.make_url("/logout"), data={"csrf": csrf}) as left:
            assert left.status == 200
        await nodes.first.write("Мой адрес: Садовая, 7", number="2")
        assert "Садовая" not in await feed.rest()
    async with ClientSession(cookies=copied, cookie_jar=CookieJar(unsafe=True)) as thief:
        for at in (nodes.second, nodes.first):
            async with thief.get(at.server.make_url("/me"), allow_redirects=False) as refused:
                assert refused.headers["Location"].startswith("/login")


@pytest.mark.parametrize("nodes", ["redis"], indirect=True)
async def test_who_writes_is_heard_on_the_other_node(nodes: Nodes) -> None:
    topic = f"client:{await nodes.first.write('Добрый день')}"

    async def write() -> None:
        """A person goes on writing; what is whispered while a node has no line to Redis yet is lost."""
        url, ivan = nodes.first.server.make_url("/live/whisper"), nodes.people["ivan"]
        async with ivan.get(nodes.first.server.make_url("/"), headers={"Accept": "text/html"}) as page:
            csrf = (await page.text()).partition('name="csrf" value="')[2].partition('"')[0]
        while True:
            async with ivan.post(url, data={"csrf": csrf, "topic": topic, "kind": "writes"}) as said:
                assert said.status == 204
            await asyncio.sleep(_OFTEN_S)

    async with nodes.following("olga", nodes.second, topic) as feed:
        writing = asyncio.create_task(write())
        try:
            heard = await feed.event("whisper")
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
    assert heard == {"topic": topic, "kind": "writes", "login": "ivan", "name": "Ivan"}
