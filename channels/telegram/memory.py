"""What has to be remembered between an update and a message that goes out: connections, groups that moved."""

from __future__ import annotations

from collections.abc import Sequence

from channels.telegram.business import BusinessLinks
from channels.telegram.conversation import Conversation
from channels.telegram.inbound import Arrival, Move
from crm_core.errors import CoreError, IntakeError, IntakeUnavailable, StorageUnavailable, TransientDeliveryError
from crm_core.messages import ChannelKey
from crm_core.ports import CursorStore

MAX_GROUPS = 10_000


class Memory:
    """What one bot learned and needs for sending; lies in the store of cursors."""

    def __init__(self, key: ChannelKey, cursors: CursorStore, links: BusinessLinks) -> None:
        self._key = key
        self._cursors = cursors
        self._links = links
        self._groups: dict[int, int] = {}

    async def keep(self, arrivals: Sequence[Arrival]) -> None:
        """Remember what these updates tell, before they are acknowledged; raises IntakeUnavailable where that fails."""
        try:
            for arrival in arrivals:
                if arrival.link is not None:
                    await self._links.keep(arrival.link)
                if arrival.move is not None:
                    await self.moved(arrival.move)
        except IntakeError:
            raise
        except CoreError as error:
            raise IntakeUnavailable(str(error)) from error

    async def moved(self, move: Move) -> None:
        """A group has another chat id from now on."""
        if self._groups.get(move.old) != move.new:
            await self._cursors.save(self._key, _moved(move.old), str(move.new))
            self._remember(move.old, move.new)

    async def where(self, conversation: Conversation) -> Conversation:
        """Where a message to this conversation goes now; raises the delivery errors of the channel port."""
        try:
            if conversation.business is not None:
                return Conversation(conversation.chat_id, await self._links.usable(conversation.business))
            if conversation.chat_id < 0:
                return Conversation(await self._group(conversation.chat_id))
        except StorageUnavailable as error:
            raise TransientDeliveryError(str(error)) from error
        return conversation

    async def _group(self, chat_id: int) -> int:
        known = self._groups.get(chat_id)
        if known is None:
            found = await self._cursors.load(self._key, _moved(chat_id))
            known = int(found) if found else chat_id
            self._remember(chat_id, known)
        return known

    def _remember(self, old: int, new: int) -> None:
        if len(self._groups) >= MAX_GROUPS:
            self._groups.clear()
        self._groups[old] = new


def _moved(chat_id: int) -> str:
    return f"moved:{chat_id}"
