"""A whole hub on its real HTTP port with one account, and what its API says of the account's client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, FormData

from crm_core.model.user import Role
from crm_core.ports import ChannelState
from crm_core.services.desk import Desk
from crm_core.storage import feed
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import token_digest
from hub.bootstrap import Hub, build
from hub.connectors import CONNECTORS
from hub.demo.peers.process import free_port
from hub.settings import parse_settings
from tests.contract.channels.provider import Provider
from tests.patience import PATIENCE_S
from tests.serving import basics, serving

TOKEN = "hub_token-of-ivan"


@dataclass
class Office:
    """The hub, its API and its provider."""

    hub: Hub
    provider: Provider
    api: ClientSession

    async def get(self, path: str, **query: str) -> Any:
        """What the API answers."""
        async with self.api.get(f"/api/v1{path}", params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, path: str, **body: Any) -> Any:
        """What the API answers to a post."""
        async with self.api.post(f"/api/v1{path}", json=body) as response:
            assert response.status < 300, await response.text()
            return await response.json()

    async def contact(self) -> dict[str, Any]:
        """The client of the provider; there is one at most."""
        found = (await self.get("/contacts", identity=self.provider.identity))["items"]
        assert len(found) <= 1
        return dict(found[0]) if found else {}

    async def timeline(self) -> list[dict[str, Any]]:
        """What happened to the client, in the order it did, without notes of the hub."""
        contact = await self.contact()
        if not contact:
            return []
        entries = (await self.get(f"/contacts/{contact['id']}/timeline", order="occurred"))["items"]
        return [each for each in entries if each["kind"] != "system"]

    async def until(self, holds: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The timeline, as soon as `holds` is true of it."""
        last: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(PATIENCE_S):
                async for _ in self.hub.live.follow(0):
                    last = await self.timeline()
                    if holds(last):
                        return last
        except TimeoutError as err:
            raise AssertionError(f"the timeline is {last}") from err
        raise AssertionError("the hub ended")

    async def settled(self) -> list[dict[str, Any]]:
        """The timeline after everything that was committed so far."""
        position = await self.hub.store.read(feed.newest)
        assert await self.hub.live.reached(position, PATIENCE_S)
        return await self.timeline()

    async def reply(self, text: str, file: tuple[str, bytes] | None = None) -> dict[str, Any]:
        """A person of the office answers through the hub."""
        contact, uploads = await self.contact(), []
        if file is not None:
            form = FormData()
            form.add_field("file", file[1], filename=file[0])
            async with self.api.post("/api/v1/files", data=form) as response:
                assert response.status < 300, await response.text()
                uploads.append((await response.json())["id"])
        channel = self.provider.key.channel
        return dict(
            await self.post(f"/contacts/{contact['id']}/messages", channel=channel, text=text, attachments=uploads)
        )

    async def open_case(self) -> dict[str, Any] | None:
        """The client's open case."""
        contact = await self.contact()
        cases = (await self.get("/cases", state="open"))["items"]
        return next((each for each in cases if each["contact_id"] == contact["id"]), None)

    async def became(self, state: ChannelState) -> None:
        """Wait until the account stands so; every change of it is asked for, for it has no event."""
        async with asyncio.timeout(PATIENCE_S):
            while self.hub.channels[self.provider.key].health.state is not state:  # noqa: ASYNC110 - no event
                await asyncio.sleep(0.01)


@asynccontextmanager
async def an_office(provider: Provider, folder: Path) -> AsyncIterator[Office]:
    """A hub with this provider's account, up and connected."""
    port = free_port()
    table = await provider.open(folder, port)
    connect = getattr(provider, "connect", None)
    connectors = CONNECTORS if connect is None else {**CONNECTORS, provider.key.channel: connect}
    hub = build(parse_settings(basics(port, folder) + table, folder=folder), connectors=connectors)
    try:
        async with (
            serving(hub, port, _hire) as url,
            ClientSession(url, headers={"Authorization": f"Bearer {TOKEN}"}) as api,
        ):
            office = Office(hub, provider, api)
            await provider.begin()
            await office.became(ChannelState.CONNECTED)
            yield office
    finally:
        await provider.close()


def _hire(desk: Desk) -> None:
    add_user(desk, NewUser("ivan", "Иван Петров", Role.ADMIN))
    add_token(desk, "ivan", token_digest(TOKEN))
