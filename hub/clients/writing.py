"""Who is writing at this moment: clients, for the pages of the office to show; the office, for clients to see.

Nothing of it is kept and nothing of a text is told. A client's word costs one look at the record, so that of one
conversation it counts every few seconds, and of all together no more than can be looked up: what is too much is lost.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Final

from crm_core.errors import CoreError
from crm_core.messages import ChannelKey
from crm_core.model.identity import Identity
from crm_core.model.office import ListAction
from crm_core.ports import Channel, Clock, ShowsWriting
from crm_core.storage.queries.conversations import writer_of
from crm_core.storage.store import Store
from hub.log import get_logger

log = get_logger(__name__)

EVERY_S: Final = 2.0
"""Of one conversation more is not passed on."""
MOST_A_SECOND: Final = 50
"""Of all clients of this node."""
_MOST_AT_ONCE: Final = 8
_MOST_KEPT: Final = 10_000


class _Seldom:
    """Lets a conversation through every few seconds; forgets whoever has been quiet the longest."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: OrderedDict[tuple[ChannelKey, str], float] = OrderedDict()

    def lets(self, key: ChannelKey, conversation: str) -> bool:
        """Whether it is long enough ago; it counts from now then."""
        place, now = (key, conversation), self._clock.monotonic()
        before = self._last.get(place)
        if before is not None and now - before < EVERY_S:
            return False
        self._last[place] = now
        self._last.move_to_end(place)
        if len(self._last) > _MOST_KEPT:
            self._last.popitem(last=False)
        return True


class PassedOnWriting:
    """See `crm_core.ports.Writing`; and the other way round, from the office to a client."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._channels: Mapping[ChannelKey, Channel] = {}
        self._listeners: list[Callable[[int], None]] = []
        self._of_clients = _Seldom(clock)
        self._of_office = _Seldom(clock)
        self._recent: deque[float] = deque(maxlen=MOST_A_SECOND)
        self._looking: set[asyncio.Task[None]] = set()

    def serve(self, channels: Mapping[ChannelKey, Channel]) -> None:
        """The accounts through which clients can be shown something; before `start` of them."""
        self._channels = channels

    def listen(self, heard: Callable[[int], None]) -> None:
        """Have `heard` called with the id of each client who writes."""
        self._listeners.append(heard)

    async def stop(self) -> None:
        """End what is under way. Idempotent."""
        looking = tuple(self._looking)
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)

    def client_writes(self, key: ChannelKey, conversation: str, who: Identity) -> None:
        """Tell the office, where they are a client whom it serves."""
        if not self._listeners or len(self._looking) >= _MOST_AT_ONCE or self._too_many():
            return
        if not self._of_clients.lets(key, conversation):
            return
        self._recent.append(self._clock.monotonic())
        task = asyncio.create_task(self._look(who), name="who-writes")
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    def office_writes(self, key: ChannelKey, conversation: str, author: str, *, here: bool) -> None:
        """Show a client that a person writes to them; `here`: that person is at this node."""
        channel: object = self._channels.get(key)
        if not isinstance(channel, ShowsWriting) or not (here or channel.everywhere):
            return
        if self._of_office.lets(key, conversation):
            channel.show_writing(conversation, author)

    def _too_many(self) -> bool:
        return len(self._recent) == MOST_A_SECOND and self._clock.monotonic() - self._recent[0] < 1.0

    async def _look(self, who: Identity) -> None:
        try:
            found = await self._store.read(lambda conn: writer_of(conn, str(who)))
        except CoreError as err:
            log.warning("who writes can't be told", error=str(err))
            return
        if found is None:
            return
        contact_id, list_name = found
        listed = self._store.office.lists.get(list_name) if list_name is not None else None
        if listed is not None and listed.action is ListAction.REJECT:
            return
        for heard in self._listeners:
            heard(contact_id)
