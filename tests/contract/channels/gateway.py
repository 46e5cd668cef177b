"""A gateway as the documentation wants it: signs, retries, knows repeated ids, tells of delivery."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web

from crm_core.messages import ChannelKey
from crm_core.model.signature import signature
from tests.contract.channels.provider import URL, Heard, Refusal, Trait, Wrote
from tests.patience import PATIENCE_S

SECRET = "s3cret-of-the-gateway"


class Gateway:
    """See `provider.Provider`."""

    key = ChannelKey("gateway", "whatsapp")
    identity = "gw:whatsapp/79161234567"
    traits = frozenset(
        {Trait.EDITS, Trait.DELETES, Trait.FILES, Trait.TELLS_READ, Trait.KNOWS_REPEATS, Trait.WRITES_ITSELF}
        | {Trait.AUTHENTICATES, Trait.REFUSES}
    )

    def __init__(self) -> None:
        self.posts: list[str] = []  # the id of each message that came, repeats as well
        self._heard: dict[str, Heard] = {}
        self._refusals: list[Refusal] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._hub = ""
        self._number = 0

    async def open(self, folder: Path, hub_port: int) -> str:
        """Listen for answers."""
        app = web.Application(client_max_size=50 * 1024 * 1024)
        app.router.add_post("/hub", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self._hub = f"{URL}:{hub_port}/in/gateway/whatsapp"
        return f'[[gateway]]\nname = "whatsapp"\nsecret = "{SECRET}"\nurl = "{URL}:{port}/hub"\nphones = true\n'

    async def close(self) -> None:
        """End."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def begin(self) -> None:
        """Nothing to tell."""

    async def say(self, text: str, file: tuple[str, bytes] | None = None) -> Wrote:
        """A signed post."""
        ref = self._next()
        files = []
        if file is not None:
            content = base64.b64encode(file[1]).decode()
            files.append({"name": file[0], "content_type": "application/pdf", "content": content})
        event = self._event(type="message", message_id=ref, text=text, files=files)
        await self._post(event)
        return Wrote(ref, lambda: self._post(event))

    async def edit(self, wrote: Wrote, text: str) -> None:
        """The client's correction."""
        await self._post(self._event(type="message.edited", message_id=wrote.ref, text=text))

    async def delete(self, wrote: Wrote) -> None:
        """The client's regret."""
        await self._post(self._event(type="message.deleted", message_ids=[wrote.ref]))

    async def write_itself(self, text: str) -> None:
        """An answer from the messenger's own window."""
        await self._post(self._event(type="message.sent", message_id=self._next(), text=text, author="Ольга"))

    async def read(self) -> None:
        """Two blue marks."""
        ref = list(self._heard)[-1]
        await self._post(self._event(type="delivery", message_id=f"wa-{ref}", state="read"))

    async def heard(self, count: int) -> list[Heard]:
        """Every id once, as a gateway has to."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: len(self._heard) >= count)
        return list(self._heard.values())

    def refuse_next(self, refusal: Refusal) -> None:
        """Answer the next post so."""
        self._refusals.append(refusal)

    def _next(self) -> str:
        self._number += 1
        return f"m{self._number}"

    def _event(self, **more: Any) -> dict[str, Any]:
        sender = {"id": "79161234567", "name": "Анна", "phone": "+79161234567"}
        return {"id": f"e{self._next()}", "conversation": "chat-77", "sender": sender, **more}

    async def _post(self, event: dict[str, Any]) -> None:
        body = json.dumps(event).encode()
        stamp = str(int(time.time()))
        headers = {"X-Hub-Timestamp": stamp, "X-Hub-Signature": f"sha256={signature(SECRET, stamp, body)}"}
        async with ClientSession() as session, session.post(self._hub, data=body, headers=headers) as response:
            assert response.status == 200, await response.text()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        wanted = signature(SECRET, request.headers["X-Hub-Timestamp"], body)
        assert request.headers["X-Hub-Signature"] == f"sha256={wanted}"
        said = json.loads(body)
        if said["type"] == "ping":
            return web.json_response({})
        self.posts.append(said["id"])
        refusal = self._refusals.pop(0) if self._refusals else None
        match refusal:
            case Refusal.LATER:
                return web.json_response({"error": "too many"}, status=429, headers={"Retry-After": "0"})
            case Refusal.FOR_GOOD:
                return web.json_response({"error": "нет такого чата"}, status=400)
            case Refusal.CREDENTIALS:
                return web.json_response({"error": "signature"}, status=401)
        async with self._changed:
            files = tuple((each["name"], base64.b64decode(each["content"])) for each in said["files"])
            self._heard.setdefault(said["id"], Heard(said["text"], files))
            self._changed.notify_all()
        if refusal is Refusal.LOST_ANSWER:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"id": f"wa-{said['id']}"})
