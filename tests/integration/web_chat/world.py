"""Whole hubs with the chat of a website, behind real ports, and visitors who speak as the widget does."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, FormData, web
from aiohttp.test_utils import TestClient, TestServer

from crm_core.model.records import ContactRecord, EntryRecord
from crm_core.model.user import Role
from crm_core.services.desk import Desk
from crm_core.services.letters import replies
from crm_core.storage.queries import timeline
from crm_core.storage.queries.pages import Slice
from crm_core.storage.users import NewUser, add_user
from hub.app import create_app
from hub.bootstrap import Hub, build
from hub.settings import parse_settings
from tests.fakes.clock import DrivenClock
from tests.patience import PATIENCE_S

ORIGIN = "https://example.org"
Client = TestClient[web.Request, web.Application]
_CONFIG = """
database_url = "{url}"
secret_key = "the-same-on-every-node"
{more}
[[web]]
name = "site"
key = "site-key"
origins = ["https://example.org"]
file_size = "1MB"
[[web]]
name = "other"
key = "other-key"
origins = ["https://example.org", "https://other.example"]
[[web]]
name = "forms"
key = "forms-key"
origins = ["https://example.org"]
chat = false
[[list]]
name = "чёрный список"
action = "reject"
"""


@dataclass
class Node:
    """A hub and its port."""

    hub: Hub
    client: Client
    clock: DrivenClock

    async def answer(self, visitor: str, text: str) -> EntryRecord:
        """A person of the office answers a visitor through this node."""

        def write(desk: Desk) -> EntryRecord:
            (contact,) = desk.work.contacts_by_identity([f"web:{visitor}"]).values()
            return replies.reply(desk, contact.id, "ivan", channel="web", account="site", text=text)

        return await self.hub.store.run(write)

    async def entries(self, visitor: str) -> list[EntryRecord]:
        """What stands on the visitor's timeline, without what is only noted."""

        def found(desk: Desk) -> list[ContactRecord]:
            return list(desk.work.contacts_by_identity([f"web:{visitor}"]).values())

        known = await self.hub.store.run(found)
        if not known:
            return []
        order = timeline.Order.COMMITTED
        page = await self.hub.store.read(lambda conn: timeline.list_entries(conn, None, known[0].id, order, Slice()))
        return [card.entry for card in page.items if card.entry.kind.value in {"message", "form"}]


@dataclass
class Visitor:
    """A browser window with the chat in it."""

    node: Node
    account: str = "site"
    token: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"Origin": ORIGIN})

    @property
    def id(self) -> str:
        """As the record knows them."""
        return self.token.partition(".")[0]

    async def ask(self, what: str, **more: object) -> ClientResponse:
        """What the widget posts."""
        body = json.dumps({"token": self.token, **more}).encode()
        url = f"/in/web/{self.account}/chat/{what}"
        return await self.node.client.post(url, data=body, headers={**self.headers, "Content-Type": "text/plain"})

    async def start(self) -> dict[str, Any]:
        """Open the window."""
        answer = await self.ask("start")
        assert answer.status == 200, await answer.text()
        told: dict[str, Any] = await answer.json()
        self.token = told["token"]
        return told

    async def say(self, text: str, id_: str, **more: object) -> None:
        """Write; it has to be taken."""
        answer = await self.ask("send", id=id_, text=text, **more)
        assert answer.status == 200, await answer.text()

    async def upload(self, name: str, content: bytes, content_type: str = "image/png") -> ClientResponse:
        """Send a file."""
        form = FormData({"token": self.token, "id": f"file-{len(content)}-{len(name)}"})
        form.add_field("file", io.BytesIO(content), filename=name, content_type=content_type)
        return await self.node.client.post(f"/in/web/{self.account}/chat/upload", data=form, headers=self.headers)

    async def history(self) -> list[dict[str, Any]]:
        """Everything that was said."""
        answer = await self.ask("history", after=0)
        assert answer.status == 200, await answer.text()
        found: list[dict[str, Any]] = (await answer.json())["messages"]
        return found

    @asynccontextmanager
    async def window(self, after: int = 0) -> AsyncIterator[Window]:
        """An open window's stream."""
        response = await self.ask("stream", after=after)
        assert response.status == 200, await response.text()
        try:
            yield Window(response)
        finally:
            response.close()


@dataclass
class Window:
    """What comes through an open stream."""

    response: ClientResponse
    got: list[dict[str, Any]] = field(default_factory=list)
    writers: list[str] = field(default_factory=list)
    signs: int = 0

    async def until(self, text: str) -> dict[str, Any]:
        """The message with this text."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for each in self.got:
                    if each["text"] == text:
                        return each
                await self.line()

    async def line(self) -> bytes:
        """Read on by a line; empty at the end."""
        line = await self.response.content.readline()
        if line.startswith(b":"):
            self.signs += 1
        if line.startswith(b"data: "):
            told = json.loads(line[6:])
            self.writers += [each["writes"] for each in told if "writes" in each]
            self.got += [each for each in told if "writes" not in each]
        return line


@asynccontextmanager
async def nodes(url: str, folder: Path, count: int, more: str = "") -> AsyncIterator[list[Node]]:
    """So many hubs on one database; `more` are lines of hub.toml for all of them."""
    async with AsyncExitStack() as stack:
        found: list[Node] = []
        for number in range(count):
            settings = parse_settings(_CONFIG.format(url=url, more=more), folder=folder / str(number))
            clock = DrivenClock()
            hub = build(settings, clock=clock)
            await hub.start()
            stack.push_async_callback(hub.stop)
            if not found:
                await hub.store.run(lambda desk: add_user(desk, NewUser("ivan", "Иван Петров", Role.MANAGER)))
            client = await stack.enter_async_context(TestClient(TestServer(create_app(hub))))
            found.append(Node(hub, client, clock))
        yield found
