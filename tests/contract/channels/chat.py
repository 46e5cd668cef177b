"""A visitor of a website with the chat open, as the widget asks the hub."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, FormData

from crm_core.messages import ChannelKey
from tests.contract.channels.provider import URL, Heard, Refusal, Trait, Wrote
from tests.patience import PATIENCE_S

ORIGIN = "https://shop.example"


class Chat:
    """See `provider.Provider`."""

    key = ChannelKey("web", "site")
    traits = frozenset({Trait.FILES, Trait.TELLS_READ})

    def __init__(self) -> None:
        self._session: ClientSession | None = None
        self._hub = self._token = ""
        self._number = 0

    @property
    def identity(self) -> str:
        """The visitor, once they have opened the chat."""
        return f"web:{self._token.partition('.')[0] or 'nobody'}"

    async def open(self, folder: Path, hub_port: int) -> str:
        """A browser."""
        self._session = ClientSession(headers={"Origin": ORIGIN})
        self._hub = f"{URL}:{hub_port}/in/web/site/chat"
        return f'[[web]]\nname = "site"\nkey = "secret-key"\norigins = ["{ORIGIN}"]\n'

    async def close(self) -> None:
        """The visitor closes the page."""
        if self._session is not None:
            await self._session.close()

    async def begin(self) -> None:
        """Nothing to tell."""

    async def say(self, text: str, file: tuple[str, bytes] | None = None) -> Wrote:
        """A message, or a file with it; the same id on every try."""
        if not self._token:
            self._token = (await self._ask("start"))["token"]
        self._number += 1
        ref = f"visitor-{self._number}"
        if file is None:
            return await self._said(ref, lambda: self._ask("send", id=ref, text=text))
        name, content = file

        async def upload() -> None:
            form = FormData({"token": self._token, "id": ref, "text": text})
            form.add_field("file", content, filename=name, content_type="application/pdf")
            async with self._browser.post(f"{self._hub}/upload", data=form) as response:
                assert response.status == 200, await response.text()

        return await self._said(ref, upload)

    async def edit(self, wrote: Wrote, text: str) -> None:
        """What is said is said."""
        raise AssertionError(f"no trait says that {wrote} can become {text}")

    async def delete(self, wrote: Wrote) -> None:
        """What is said is said."""
        raise AssertionError(f"no trait says that {wrote} can be deleted")

    async def write_itself(self, text: str) -> None:
        """There is no other window."""
        raise AssertionError(f"no trait says that {text} can be written")

    async def read(self) -> None:
        """The visitor looks at the newest message."""
        newest = (await self._messages())[-1]
        await self._ask("seen", seq=newest["seq"])

    async def heard(self, count: int) -> list[Heard]:
        """What the office said, as the window's stream brings it."""
        async with (
            asyncio.timeout(PATIENCE_S),
            self._browser.post(f"{self._hub}/stream", json={"token": self._token, "after": 0}) as response,
        ):
            assert response.status == 200
            theirs: dict[int, dict[str, Any]] = {}
            async for line in response.content:
                if line.startswith(b"data: "):
                    theirs |= {each["id"]: each for each in json.loads(line[6:]) if not each["mine"]}
                if len(theirs) >= count:
                    break
        return [Heard(each["text"], await self._files(each)) for each in theirs.values()]

    def refuse_next(self, refusal: Refusal) -> None:
        """There is nobody between the hub and its own window who could refuse."""
        raise AssertionError(f"no trait says that {refusal} can happen")

    @property
    def _browser(self) -> ClientSession:
        assert self._session is not None
        return self._session

    async def _ask(self, what: str, **more: object) -> dict[str, Any]:
        body = json.dumps({"token": self._token, **more})
        async with self._browser.post(f"{self._hub}/{what}", data=body) as response:
            assert response.status == 200, await response.text()
            return dict(await response.json())

    async def _said(self, ref: str, act: Callable[[], Awaitable[object]]) -> Wrote:
        await act()

        async def again() -> None:
            await act()

        return Wrote(ref, again)

    async def _messages(self) -> list[dict[str, Any]]:
        found = (await self._ask("history", after=0))["messages"]
        return [each for each in found if not each["mine"]]

    async def _files(self, said: dict[str, Any]) -> tuple[tuple[str, bytes], ...]:
        found = []
        for file in said.get("files", []):
            async with self._browser.get(f"{self._hub}/file?{file['link']}") as response:
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                found.append((file["name"], await response.read()))
        return tuple(found)
