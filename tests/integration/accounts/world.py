"""Whole hubs whose accounts are in the record, on real ports; several may share a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from crm_core.messages import ChannelKey
from crm_core.model.definitions import DefinitionRecord
from crm_core.model.definitions.accounts import AccountKind
from crm_core.model.user import Role
from crm_core.ports import ChannelState
from crm_core.services.desk import Desk
from crm_core.storage import feed
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import token_digest
from hub.accounts.changing import add_account, change_account, remove_account
from hub.bootstrap import Hub, build
from hub.demo.peers.process import free_port
from hub.settings import parse_settings
from tests.patience import PATIENCE_S
from tests.serving import basics, serving

ROOT, IVAN = "hub_token-of-root", "hub_token-of-ivan"
KEY = "a-key-that-all-nodes-of-the-office-share"


@dataclass
class Node:
    """A hub and its port."""

    hub: Hub
    port: int
    api: ClientSession

    async def add(self, kind: AccountKind, name: str, **given: Any) -> DefinitionRecord:
        """An account that somebody adds; returns when it runs here."""
        settings = self.hub.settings
        record, position = await self.hub.store.run_at(
            lambda desk: add_account(desk, settings, kind, name, given, "root")
        )
        await self.settled(position)
        return record

    async def change(self, record: DefinitionRecord, **given: Any) -> DefinitionRecord:
        """The same of a change."""
        settings = self.hub.settings
        after, position = await self.hub.store.run_at(
            lambda desk: change_account(desk, settings, record.id, given, "root")
        )
        await self.settled(position)
        return after

    async def remove(self, record: DefinitionRecord) -> None:
        """The same of a removal."""
        _, position = await self.hub.store.run_at(lambda desk: remove_account(desk, record.id, "root"))
        await self.settled(position)

    async def settled(self, position: int | None = None) -> None:
        """Wait until all that was committed is in force here."""
        if position is None:
            position = await self.hub.store.read(feed.newest)
        assert await self.hub.live.reached(position, PATIENCE_S)
        assert await self.hub.accounts.settled(PATIENCE_S)

    async def became(self, key: ChannelKey, state: ChannelState) -> None:
        """Wait until an account stands so; it has no event."""
        async with asyncio.timeout(PATIENCE_S):
            while self.hub.channels[key].health.state is not state:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)

    async def told(self, text: str) -> None:
        """Wait until a client's message with this text is in the record."""
        async with asyncio.timeout(PATIENCE_S):
            async for _ in self.hub.live.follow(0):
                if text in [each["text"] for each in await self.messages()]:
                    return

    async def messages(self) -> list[dict[str, Any]]:
        """All that clients wrote."""
        found = []
        async with self.api.get("/api/v1/contacts") as response:
            contacts = (await response.json())["items"]
        for contact in contacts:
            async with self.api.get(f"/api/v1/contacts/{contact['id']}/timeline") as response:
                items = (await response.json())["items"]
            found += [each for each in items if each["direction"] == "in" and each["kind"] != "system"]
        return found


@asynccontextmanager
async def a_node(url: str, folder: Path, table: str = "", key: str = KEY) -> AsyncIterator[Node]:
    """A hub on this database, with a free port of its own; the first adds the people."""
    port = free_port()
    head = basics(port, folder, url) + f'secret_key = "{key}"\n'
    hub = build(parse_settings(head + table, folder=folder))
    async with (
        serving(hub, port, _hire) as address,
        ClientSession(address, headers={"Authorization": f"Bearer {ROOT}"}) as api,
    ):
        yield Node(hub, port, api)


def _hire(desk: Desk) -> None:
    if "root" in desk.work.staff.by_login:
        return
    add_user(desk, NewUser("root", "Администратор", Role.ADMIN))
    add_token(desk, "root", token_digest(ROOT))
    add_user(desk, NewUser("ivan", "Иван Петров", Role.DIRECTOR))
    add_token(desk, "ivan", token_digest(IVAN))
