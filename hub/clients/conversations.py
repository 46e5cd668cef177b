"""What clients without a history of their own are shown of their conversations, and that something new stands there.

However many follow, a commit costs one query: the feed names the entries that changed, the query their conversations,
and only who follows one of these is told. The feed is in the database, so it does not matter on which node an answer
was written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crm_core.errors import StorageUnavailable
from crm_core.messages import ChannelKey
from crm_core.ports import Said
from crm_core.storage.feed import FeedRow
from crm_core.storage.queries import conversations
from crm_core.storage.store import Store
from hub.log import get_logger
from hub.nodes.live import Live

log = get_logger(__name__)

Changed = Callable[[], None]
_ENTRIES = "timeline"


class RecordedConversations:
    """See `crm_core.ports.Conversations`."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store = store
        self._followers: dict[str, dict[tuple[str, str], list[Changed]]] = {}
        live.listen(self._heard)

    async def said(self, key: ChannelKey, conversation: str, after: int, limit: int) -> Sequence[Said]:
        """The messages behind `after`, as they became known; raises StorageUnavailable."""
        return await self._store.read(lambda conn: conversations.said(conn, key, conversation, after, limit))

    def follow(self, key: ChannelKey, conversation: str, changed: Changed) -> Callable[[], None]:
        """Call `changed` at every change, until what is returned is called."""
        place = (key.account, conversation)
        of_channel = self._followers.setdefault(key.channel, {})
        of_channel.setdefault(place, []).append(changed)

        def end() -> None:
            following = of_channel.get(place, [])
            if changed in following:
                following.remove(changed)
            if not following:
                of_channel.pop(place, None)

        return end

    async def _heard(self, rows: list[FeedRow]) -> None:
        if not any(self._followers.values()):
            return
        ids = sorted({int(key) for row in rows for table, key, _ in row.changes if table == _ENTRIES and key})
        if not ids:
            return
        for channel, followers in tuple(self._followers.items()):
            if followers:
                for place in await self._concerned(channel, ids):
                    for changed in tuple(followers.get(place, ())):
                        changed()

    async def _concerned(self, channel: str, ids: list[int]) -> Sequence[tuple[str, str]]:
        """The conversations that changed; where that can't be told, all that are followed."""
        try:
            found = await self._store.read(lambda conn: conversations.conversations_of(conn, ids, channel))
        except StorageUnavailable as err:
            log.warning("who is concerned by a change can't be told: all followers look", error=str(err))
            return tuple(self._followers[channel])
        return tuple(found)
