"""A community behind the strict VK server, by the Callback API or by Bots Long Poll."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from crm_core.messages import ChannelKey
from hub.demo.peers.vk import Community, Person, VkServer, faults
from tests.contract.channels.provider import URL, Heard, Refusal, Trait, Wrote
from tests.patience import PATIENCE_S

GROUP, TOKEN, SECRET, CONFIRMATION = 123456, "vk1.a.strict-local-token", "s3cret", "c0nf1rm"
ANNA, OLGA = 1001, 2002


class Vk:
    """See `provider.Provider`."""

    key = ChannelKey("vk", "community")
    identity = f"vk:{ANNA}"
    traits = frozenset(
        {
            Trait.EDITS,
            Trait.FILES,
            Trait.TELLS_READ,
            Trait.KNOWS_REPEATS,
            Trait.WRITES_ITSELF,
            Trait.AUTHENTICATES,
            Trait.REFUSES,
        }
    )

    def __init__(self, mode: str) -> None:
        self._mode = mode
        self._server = VkServer()
        self._community: Community
        self._anna: Person
        self._hub_port = 0
        self._events: dict[str, dict[str, Any]] = {}

    async def open(self, folder: Path, hub_port: int) -> str:
        """Serve, with one community and one client."""
        await self._server.start()
        self._hub_port = hub_port
        self._community = self._server.community(GROUP, TOKEN)
        self._anna = self._community.user(ANNA, "Анна", "Петрова")
        head = f'[[vk]]\nname = "community"\ngroup_id = {GROUP}\ntoken = "{TOKEN}"\nmode = "{self._mode}"\n'
        keys = f'secret = "{SECRET}"\nconfirmation = "{CONFIRMATION}"\n' if self._mode == "callback" else ""
        return f'{head}{keys}api_base = "{self._server.url}"\n'

    async def close(self) -> None:
        """End."""
        await self._server.stop()

    async def begin(self) -> None:
        """The address is put down in the community's settings and confirmed."""
        if self._mode == "callback":
            self._community.hook(f"{URL}:{self._hub_port}/in/vk/community", SECRET, CONFIRMATION)
            async with asyncio.timeout(PATIENCE_S):
                while not self._confirmed():  # noqa: ASYNC110 - the peer has no event for it
                    await asyncio.sleep(0.01)

    async def say(self, text: str, file: tuple[str, bytes] | None = None) -> Wrote:
        """A message to the community."""
        more: dict[str, Any] = {}
        if file is not None:
            name, content = file
            url = self._server.base + self._community.put_file(content, name)
            doc = {"id": 7, "owner_id": ANNA, "title": name, "size": len(content), "ext": "pdf", "type": 1, "url": url}
            more["attachments"] = [{"type": "doc", "doc": doc | {"date": 1, "access_key": "k"}}]
        event = await self._anna.say(text, **more)
        self._events[event["event_id"]] = event
        return Wrote(event["event_id"], lambda: self._community.repeat(event))

    async def edit(self, wrote: Wrote, text: str) -> None:
        """The client's correction."""
        await self._anna.edit(self._events[wrote.ref], text)

    async def delete(self, wrote: Wrote) -> None:
        """Communities are not told of deletions."""
        raise AssertionError(f"no trait says that {wrote} can be deleted")

    async def write_itself(self, text: str) -> None:
        """An administrator answers in the community's inbox."""
        await self._community.write(OLGA, ANNA, text)

    async def read(self) -> None:
        """The client opens the dialogue."""
        await self._anna.read(self._community.sent[-1])

    async def heard(self, count: int) -> list[Heard]:
        """What the community sent; its files as they were uploaded."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self._community.sent) < count:  # noqa: ASYNC110 - the peer has no event for a count
                await asyncio.sleep(0.01)
        saved = self._community.saved
        return [
            Heard(each.text, tuple(saved[file] for file in each.attachment.split(",") if file))
            for each in self._community.sent
        ]

    def refuse_next(self, refusal: Refusal) -> None:
        """Answer the next message so."""
        send = "messages.send"
        match refusal:
            case Refusal.LATER:
                self._community.next_responses(faults.error(6, "Too many requests per second", send))
            case Refusal.FOR_GOOD:
                self._community.next_responses(faults.error(901, "Can't send messages without permission", send))
            case Refusal.CREDENTIALS:
                self._community.next_responses(*(faults.error(5, "User authorization failed", send) for _ in range(9)))
            case Refusal.LOST_ANSWER:
                self._community.next_responses(faults.drop(faults.When.AFTER, send))

    def _confirmed(self) -> bool:
        hook = self._community.callback.hook
        return hook is not None and hook.status == "ok"
