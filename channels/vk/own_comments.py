"""Telling our own comments from those that a person wrote under the community's name.

VK says of neither who wrote it, and tells of a comment before or after the call that wrote it is answered, to whichever
node. So what is about to be written is noted where all nodes look, and it is noted first.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from channels.vk.inbound import Arrival
from crm_core.errors import IntakeUnavailable, StorageUnavailable
from crm_core.messages import ChannelKey, EntryKind, InboundEvent, MessageSent, Sender
from crm_core.model.identity import Identity, IdentityKind
from crm_core.ports import CursorStore

KEPT = 20


class OwnComments:
    """The last comments that the hub wrote under each thing."""

    def __init__(self, key: ChannelKey, cursors: CursorStore) -> None:
        self._key = key
        self._cursors = cursors

    async def about_to_write(self, conversation: str, text: str) -> None:
        """Note a comment before it is written; raises StorageUnavailable."""
        known = await self._known(conversation)
        mark = _mark(text)
        if mark not in known:
            await self._cursors.save(self._key, _name(conversation), " ".join([*known, mark][-KEPT:]))

    async def told_apart(self, arrival: Arrival) -> InboundEvent:
        """The event, as a message of the office where a person wrote it; raises IntakeUnavailable."""
        comment, event = arrival.own_comment, arrival.event
        if comment is None:
            return event
        try:
            known = await self._known(event.conversation)
        except StorageUnavailable as error:
            raise IntakeUnavailable(str(error)) from error
        if _mark(comment.text) in known:
            return event
        client = Sender((Identity(IdentityKind.VK, str(comment.client)),))
        return replace(event, sender=client, payload=MessageSent(EntryKind.MESSAGE, comment.text, comment.number))

    async def _known(self, conversation: str) -> list[str]:
        return (await self._cursors.load(self._key, _name(conversation)) or "").split()


def _name(conversation: str) -> str:
    return f"comments:{conversation}"


def _mark(text: str) -> str:
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "replace")).hexdigest()[:16]
