"""Who is writing at this moment: clients, as VK's event tells; the office, which a client sees for ten seconds."""

from __future__ import annotations

import asyncio
import logging

from channels.vk.api import VkApi
from channels.vk.conversation import Peer, parse_conversation
from channels.vk.fields import Fields, ShapeError
from crm_core.errors import DeliveryError

log = logging.getLogger(__name__)

_EVENT = "message_typing_state"


def typist(event: object) -> int | None:
    """The client who is writing to the community, where an event says so and nothing else."""
    if not isinstance(event, dict) or event.get("type") != _EVENT:
        return None
    try:
        fields = Fields.of(event.get("object"))
        client = fields.number("from_id")
        return client if client > 0 and fields.text("state") == "typing" else None
    except ShapeError:
        return None


class ShownWriting:
    """Shows clients in dialogues that somebody writes to them, in the background; one that is lost costs nothing."""

    def __init__(self, api: VkApi, group_id: int) -> None:
        self._api = api
        self._group_id = group_id
        self._going_on: set[asyncio.Task[None]] = set()

    def show(self, conversation: str) -> None:
        """Show it, once; returns at once."""
        task = asyncio.create_task(self._shown(conversation), name="showing that somebody writes")
        self._going_on.add(task)
        task.add_done_callback(self._over)

    async def drain(self) -> None:
        """Wait until the calls under way have ended."""
        if self._going_on:
            await asyncio.wait(self._going_on)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._going_on.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a client is not shown that somebody writes", exc_info=error)

    async def _shown(self, conversation: str) -> None:
        try:
            where = parse_conversation(conversation)
            if isinstance(where, Peer) and not where.is_chat:
                await self._api.call(
                    "messages.setActivity", peer_id=where.peer_id, type="typing", group_id=self._group_id
                )
        except DeliveryError as error:
            log.info("a client is not shown that somebody writes: %s", error)
