"""That a visitor writes is seen in the office, and that a person of the office writes by the visitor; at whichever node
they are, bounded, and nothing of it kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, CookieJar
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from sqlalchemy import text

from crm_core.model.records import ContactRecord
from crm_core.model.user import Role
from crm_core.services.clients.contacts import ContactChange, change
from crm_core.services.desk import Desk
from crm_core.storage.users import NewUser, add_user
from hub.access.security import Passwords
from hub.clients.writing import EVERY_S, MOST_A_SECOND
from hub.web.pages import PAGES
from tests.integration.web.conftest import CHEAP, PASSWORD, Browser
from tests.integration.web.test_inbox import Feed, following
from tests.integration.web_chat.world import Node, Visitor, nodes
from tests.patience import PATIENCE_S
from tests.peers.redis import RedisServer

_OFTEN_S = 0.05


async def contact_of(node: Node, visitor: Visitor) -> int:
    """The card of a visitor."""

    def found(desk: Desk) -> ContactRecord:
        return next(iter(desk.work.contacts_by_identity([f"web:{visitor.id}"]).values()))

    return (await node.hub.store.look(found)).id


async def whisper(browser: Browser, contact_id: int, target: str) -> ClientResponse:
    """What the page of a client says while somebody writes to them."""
    topic = f"client:{contact_id}"
    return await browser.send("/live/whisper", page="/", topic=topic, kind="writes", target=target)


@asynccontextmanager
async def at_work(node: Node, login: str = "olga") -> AsyncIterator[Browser]:
    """A manager who has logged in at a node."""
    assert node.client.app is not None
    node.client.app[PAGES].passwords = Passwords(CHEAP)
    new = NewUser(login, "Ольга Сергеева", Role.MANAGER, password_hash=CHEAP.hash(PASSWORD))
    await node.hub.store.run(lambda desk: add_user(desk, new))
    server = node.client.server
    assert isinstance(server, TestServer)
    client: TestClient[Request, Application] = TestClient(server, cookie_jar=CookieJar(unsafe=True))
    browser = Browser(client)
    try:
        assert (await browser.log_in(login)).status == 303
        yield browser
    finally:
        await client.session.close()


@asynccontextmanager
async def going_on(node: Node, act: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
    """Somebody goes on writing: what is told while a node has no line to Redis yet is lost."""

    async def write() -> None:
        while True:
            await act()
            node.clock.advance(EVERY_S)
            await asyncio.sleep(_OFTEN_S)

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def writer(window: Any) -> str:
    """Who writes, as a visitor's window is told."""
    async with asyncio.timeout(PATIENCE_S):
        while not window.writers:
            await window.line()
    return str(window.writers[-1])


async def heard(feed: Feed, count: int) -> list[dict[str, Any]]:
    """So many whispers, by topic."""
    return sorted([await feed.event("whisper") for _ in range(count)], key=lambda each: str(each["topic"]))


async def looked(node: Node) -> None:
    """Wait until of everybody who wrote it is known who they are."""
    async with asyncio.timeout(PATIENCE_S):
        while node.hub.writing._looking:
            await asyncio.wait(tuple(node.hub.writing._looking))


async def test_the_office_hears_that_a_visitor_writes_and_nothing_is_kept(visitor: Visitor, node: Node) -> None:
    await visitor.say("Здравствуйте", "message-1")
    contact_id = await contact_of(node, visitor)

    async def kept() -> list[int]:
        sql = "SELECT count(*) FROM journal UNION ALL SELECT count(*) FROM timeline UNION ALL SELECT count(*) FROM feed"
        return list(await node.hub.store.read(lambda conn: conn.execute(text(sql)).scalars().all()))

    async with at_work(node) as olga:
        before = await kept()
        async with following(olga, f"client:{contact_id},writing") as feed:
            assert (await visitor.ask("writes", text="Мой пароль")).status == 200
            told = await heard(feed, 2)
        assert told == [
            {"topic": f"client:{contact_id}", "kind": "types", "client": contact_id},
            {"topic": "writing", "kind": "types", "client": contact_id},
        ]
        assert await kept() == before


async def test_of_a_flood_little_is_passed_on(visitor: Visitor, node: Node) -> None:
    await visitor.say("Здравствуйте", "message-1")
    contact_id = await contact_of(node, visitor)
    told: list[int] = []
    node.hub.writing.listen(told.append)
    states = [(await visitor.ask("writes")).status for _ in range(45)]
    assert states == [200] * 40 + [429] * 5
    await looked(node)
    assert told == [contact_id], "of one conversation once in a few seconds"
    node.clock.advance(60)
    assert (await visitor.ask("writes")).status == 200
    await looked(node)
    assert told == [contact_id] * 2

    node.clock.advance(60)
    for _ in range(MOST_A_SECOND):
        who = Visitor(node)
        await who.start()
        assert (await who.ask("writes")).status == 200
        await looked(node)
    assert (await visitor.ask("writes")).status == 200
    await looked(node)
    assert told == [contact_id] * 2, "of all together no more than a second has room for"
    node.clock.advance(2)
    assert (await visitor.ask("writes")).status == 200
    await looked(node)
    assert told == [contact_id] * 3


async def test_who_is_no_client_or_is_refused_is_not_told_of(visitor: Visitor, node: Node) -> None:
    told: list[int] = []
    node.hub.writing.listen(told.append)
    assert (await visitor.ask("writes")).status == 200, "nothing was said yet"
    await looked(node)
    forged = Visitor(node, token=f"{visitor.token}x")
    assert (await forged.ask("writes")).status == 401
    elsewhere = Visitor(node, token=visitor.token, headers={"Origin": "https://evil.example"})
    assert (await elsewhere.ask("writes")).status == 403
    assert told == []
    await visitor.say("Здравствуйте", "message-1")
    contact_id = await contact_of(node, visitor)

    async def writes() -> None:
        node.clock.advance(EVERY_S)
        assert (await visitor.ask("writes")).status == 200
        await looked(node)

    await writes()
    assert told == [contact_id]
    await node.hub.store.run(lambda desk: change(desk, contact_id, ContactChange(list_name="чёрный список")))
    await writes()
    assert told == [contact_id], "whom a list refuses"
    await node.hub.store.run(lambda desk: change(desk, contact_id, ContactChange(list_name=None)))
    await writes()
    assert told == [contact_id] * 2
    sql = "UPDATE contact SET deleted_at = created_at"
    await node.hub.store.database.write(lambda conn: conn.exec_driver_sql(sql))
    await writes()
    assert told == [contact_id] * 2, "whose card is gone"


async def test_a_visitor_sees_who_writes_to_them_there(visitor: Visitor, node: Node) -> None:
    await visitor.say("Сколько стоит?", "message-1")
    contact_id = await contact_of(node, visitor)
    stranger = Visitor(node)
    await stranger.start()
    await stranger.say("А мне?", "message-1")
    async with at_work(node) as olga, visitor.window() as window, stranger.window() as other:
        await window.until("Сколько стоит?")
        for target in ("", "note", "web:forms", "web:gone", "web", "telegram:shop"):
            assert (await whisper(olga, contact_id, target)).status == 204
        assert (await whisper(olga, 10**12, "web:site")).status == 204
        assert (await whisper(olga, contact_id, "web:site")).status == 204
        assert await writer(window) == "Ольга Сергеева"
        await node.answer(stranger.id, "И вам")
        await other.until("И вам")
        assert (window.writers, other.writers) == (["Ольга Сергеева"], [])


@pytest.fixture
async def two(postgres_url: str, tmp_path: Path, redis_server: RedisServer) -> AsyncIterator[list[Node]]:
    async with nodes(postgres_url, tmp_path, 2, f'redis_url = "{redis_server.url}"') as found:
        yield found


async def test_both_see_it_at_whichever_node_they_are(two: list[Node]) -> None:
    here, there = two
    visitor = Visitor(here)
    await visitor.start()
    await visitor.say("Есть кто?", "message-1")
    contact_id = await contact_of(here, visitor)
    async with at_work(there) as olga:
        writing = going_on(here, lambda: visitor.ask("writes"))
        async with following(olga, f"client:{contact_id}") as feed, writing:
            told = {"topic": f"client:{contact_id}", "kind": "types", "client": contact_id}
            assert await feed.event("whisper") == told
        async with visitor.window() as window:
            await window.until("Есть кто?")
            async with going_on(there, lambda: whisper(olga, contact_id, "web:site")):
                assert await writer(window) == "Ольга Сергеева"
