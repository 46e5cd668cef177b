"""A provider of short messages, for the example of CONTRIBUTING.md."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from crm_core.messages import ChannelKey
from crm_core.ports import Channel, ChannelContext
from hub.settings import Settings
from tests.contract.channels.provider import URL, Heard, Refusal, Trait, Wrote
from tests.example.sms import SmsChannel, SmsConfig
from tests.patience import PATIENCE_S

TOKEN = "token-of-the-sms"


class Sms:
    """See `provider.Provider`."""

    key = ChannelKey("sms", "office")
    identity = "tel:+79161234567"
    traits = frozenset({Trait.KNOWS_REPEATS, Trait.AUTHENTICATES, Trait.REFUSES})

    def __init__(self) -> None:
        self._heard: dict[str, Heard] = {}
        self._refusals: list[Refusal] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._hub = self._url = ""
        self._number = 0

    def connect(self, _settings: Settings, context: ChannelContext) -> Sequence[Channel]:
        """The line in the dict of connectors; settings of its own are left out of the example."""
        return [SmsChannel(SmsConfig("office", self._url, TOKEN), context)]

    async def open(self, folder: Path, hub_port: int) -> str:
        """Listen for answers."""
        app = web.Application()
        app.router.add_post("/send", self._take)
        app.router.add_post("/balance", self._balance)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._url = f"{URL}:{self._runner.addresses[0][1]}"
        self._hub = f"{URL}:{hub_port}/in/sms/office"
        return ""

    async def close(self) -> None:
        """End."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def begin(self) -> None:
        """Nothing to tell."""

    async def say(self, text: str, file: tuple[str, bytes] | None = None) -> Wrote:
        """A short message."""
        self._number += 1
        at = datetime.now(UTC).isoformat()
        said = {"id": str(self._number), "phone": "89161234567", "text": text, "at": at}
        await self._post(said)
        return Wrote(said["id"], lambda: self._post(said))

    async def edit(self, wrote: Wrote, text: str) -> None:
        """Short messages stay."""
        raise AssertionError(f"no trait says that {wrote} can become {text}")

    async def delete(self, wrote: Wrote) -> None:
        """Short messages stay."""
        raise AssertionError(f"no trait says that {wrote} can be deleted")

    async def write_itself(self, text: str) -> None:
        """There is no other window."""
        raise AssertionError(f"no trait says that {text} can be written")

    async def read(self) -> None:
        """Nobody tells."""
        raise AssertionError("no trait says that reading is told")

    async def heard(self, count: int) -> list[Heard]:
        """Every key once."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: len(self._heard) >= count)
        return list(self._heard.values())

    def refuse_next(self, refusal: Refusal) -> None:
        """Answer the next one so."""
        self._refusals.append(refusal)

    async def _post(self, said: dict[str, Any]) -> None:
        async with (
            ClientSession() as session,
            session.post(self._hub, json=said, headers={"X-Token": TOKEN}) as response,
        ):
            assert response.status == 200, await response.text()

    async def _balance(self, _request: web.Request) -> web.Response:
        return web.json_response({"balance": 100})

    async def _take(self, request: web.Request) -> web.Response:
        assert request.headers["X-Token"] == TOKEN
        said = await request.json()
        refusal = self._refusals.pop(0) if self._refusals else None
        statuses = {Refusal.LATER: 429, Refusal.FOR_GOOD: 400, Refusal.CREDENTIALS: 401}
        if refusal in statuses:
            return web.Response(status=statuses[refusal])
        async with self._changed:
            self._heard.setdefault(said["key"], Heard(said["text"]))
            self._changed.notify_all()
        if refusal is Refusal.LOST_ANSWER:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"id": said["key"]})
