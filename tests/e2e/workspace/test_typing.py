"""A visitor of a site and a person of the office, each at a node of their own, see each other type."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from hub.demo.peers.process import free_port
from tests.e2e.site import website
from tests.e2e.workspace.office import DESKTOP, until
from tests.e2e.workspace.test_in_step import ONCE, loaded_once, shown_once
from tests.e2e.workspace.test_several_nodes import Nodes, two_nodes
from tests.patience import PATIENCE_S
from tests.peers.redis import RedisServer

pytestmark = pytest.mark.timeout(600)
_SITE = """
[[web]]
name = "site"
key = "site-key"
origins = ["http://127.0.0.1:{port}"]
group = "все"
"""


def status(page: Page) -> Locator:
    """What stands under the title of the open chat."""
    return page.get_by_role("dialog").locator(".head p")


@asynccontextmanager
async def typing(entry: Locator) -> AsyncIterator[None]:
    """Somebody types on and on: what is told while a page, or a node, has no line yet is lost."""

    async def type_on() -> None:
        while True:
            await entry.press_sequentially("о", delay=100)

    task = asyncio.create_task(type_on())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def only_client(nodes: Nodes) -> int:
    """Who wrote, as soon as somebody did."""

    async def found() -> int | None:
        items = (await nodes.second.ask("GET", "/contacts"))["items"]
        return int(items[0]["id"]) if items else None

    return int(await until(found))


async def test_a_visitor_and_a_manager_at_two_nodes_see_each_other_type(
    tmp_path: Path, postgres_url: str, redis_server: RedisServer, chromium: Browser
) -> None:
    port = free_port()
    nodes_of = two_nodes(tmp_path, postgres_url, redis_server, chromium, _SITE.format(port=port))
    async with nodes_of as nodes, website(port, f"{nodes.second.hub.url}/in/web/site/widget.js") as site:
        visitor = await (await chromium.new_context(viewport=DESKTOP, locale="ru-RU")).new_page()
        visitor.set_default_timeout(PATIENCE_S * 1000)
        errors: list[str] = []
        visitor.on("pageerror", lambda error: errors.append(str(error)))
        await visitor.goto(f"{site.origin}/")
        await visitor.get_by_role("button", name="Открыть чат").click()
        entry = visitor.get_by_role("dialog").get_by_label("Напишите сообщение…")
        await entry.fill("Добрый день")
        await entry.press("Enter")
        contact_id = await only_client(nodes)
        await nodes.second.ask("PATCH", f"/contacts/{contact_id}", {"name": "Анна <b>Белова</b>"})

        ivan = await nodes.through.enter("ivan")
        inbox = await nodes.through.beside(ivan, "/")
        await ivan.goto(f"{nodes.first.url}/contacts/{contact_id}")
        await shown_once(ivan.locator("ol.timeline > li"), ("Добрый день",))
        for page in (ivan, inbox):
            await page.evaluate(ONCE)
        said, waits = ivan.locator("[data-whispers]"), inbox.locator("article.case [data-writer]")
        await expect(waits).to_be_hidden()

        async with typing(entry):
            await expect(said).to_have_text("Анна <b>Белова</b> печатает…")
            await expect(waits).to_be_visible()
            await expect(waits).to_have_text("печатает…")
        await entry.fill("Сколько стоит окно?")
        await entry.press("Enter")
        await shown_once(ivan.locator("ol.timeline > li"), ("Сколько стоит окно?",))
        await expect(said).to_have_text("")
        await expect(waits).to_be_hidden()

        # Whoever stops without sending is soon not said to type.
        async with typing(entry):
            await expect(said).to_contain_text("печатает")
        await expect(said).to_have_text("")

        await expect(status(visitor)).to_have_text("На связи")
        async with typing(ivan.locator("#answer")):
            await expect(status(visitor)).to_have_text("Иван Петров печатает…")
        await ivan.locator("#answer").fill("От 18 500 ₽")
        await ivan.keyboard.press("Control+Enter")
        await expect(visitor.get_by_role("dialog")).to_contain_text("От 18 500 ₽")
        await expect(status(visitor)).to_have_text("На связи")

        # What the office writes for itself is nobody else's.
        await ivan.locator("#composer select[name=target]").select_option("note")
        asked: list[str] = []
        ivan.on("request", lambda request: asked.append(request.url))
        await ivan.locator("#answer").press_sequentially("Скидку не давать", delay=50)
        assert not [url for url in asked if url.endswith("/live/whisper")]
        await loaded_once(ivan, inbox)
        assert errors == []
