"""What VK did not bring in time: after an outage that it did not wait for, the dialogues themselves are asked.

A message that is on the timeline already changes nothing, so it does no harm to read a little too far back.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from channels.vk.api import VkApi
from channels.vk.config import VkConfig
from channels.vk.fields import Fields, ShapeError
from channels.vk.inbound import Arrival, Reader
from channels.vk.intake import Intake
from crm_core.errors import DeliveryError, StorageUnavailable, TransientDeliveryError
from crm_core.ports import Clock, CursorStore, InboundSink

log = logging.getLogger(__name__)

SEEN, MISSED = "seen", "missed"
"""Cursors: when events came last, and since when some may be missing."""
NOTED_EVERY = timedelta(minutes=1)
GAP = timedelta(minutes=10)
"""So long VK surely goes on trying by itself."""
MARGIN = timedelta(minutes=5)
PAGE = 200
PAGES = 25
BATCH = 100


class History:
    """Knows until when events came, and fetches what was written since."""

    def __init__(
        self, config: VkConfig, api: VkApi, reader: Reader, intake: Intake, clock: Clock, cursors: CursorStore
    ) -> None:
        self._config = config
        self._api = api
        self._reader = reader
        self._intake = intake
        self._clock = clock
        self._cursors = cursors
        self._noted: datetime | None = None
        self._looked = False
        self._missed_since: datetime | None = None
        self.counts: Counter[str] = Counter()

    async def arrived(self) -> None:
        """Events came just now. Never raises: they are committed."""
        now = self._clock.now()
        if self._noted is not None and now - self._noted < NOTED_EVERY:
            return
        try:
            await self.look()  # before the trace of an outage is written over
            await self._cursors.save(self._config.key, SEEN, now.isoformat())
        except StorageUnavailable as error:
            log.info("%s: the time of the last event is noted later: %s", self._config.key, error)
        else:
            self._noted = now

    async def look(self) -> None:
        """Find out, once, whether nobody listened for longer than VK tries; raises StorageUnavailable."""
        if self._looked:
            return
        # A hub that was stopped before it had fetched everything has still to do so.
        self._missed_since = await self._moment(MISSED)
        seen = await self._moment(SEEN)
        if self._missed_since is None and seen is not None and self._clock.now() - seen > GAP:
            await self._missed(seen)
        self._looked = True

    async def interrupted(self) -> None:
        """VK can't bring events at present; raises StorageUnavailable."""
        await self.look()
        seen = await self._moment(SEEN)
        if self._missed_since is None and seen is not None:
            await self._missed(seen)

    async def catch_up(self, sink: InboundSink) -> bool:
        """Fetch what an outage cost, if there was one; False where it could not be had.

        Raises StorageUnavailable and IntakeError.
        """
        await self.look()
        if self._missed_since is None:
            return True
        if not await self.fetch(sink, self._missed_since):
            return False
        await self._missed(None)
        return True

    async def fetch(self, sink: InboundSink, since: datetime | None = None, *, insist: bool = False) -> bool:
        """Take in what was written since a moment, or since the last event; what can't be had is told in the log.

        False where it could not be had; with `insist` a TransientDeliveryError is raised where it may be had later.
        Raises StorageUnavailable and IntakeError.
        """
        since = since or await self._moment(SEEN)
        if since is None:
            return True  # nothing ever came: what was written before is not the hub's
        try:
            messages = await self._messages(since - MARGIN)
            arrivals = [self._arrival(each) for each in messages]
        except (DeliveryError, ShapeError) as error:
            self.counts["history_failed"] += 1
            log.warning("%s: what was missed can't be fetched: %s", self._config.key, error)
            if insist and isinstance(error, TransientDeliveryError):
                raise
            return False
        for start in range(0, len(arrivals), BATCH):
            await self._intake.take(arrivals[start : start + BATCH], sink)
        self.counts["history_fetched"] += len(arrivals)
        log.info("%s: %d messages since %s were looked through", self._config.key, len(arrivals), since)
        return True

    async def _missed(self, since: datetime | None) -> None:
        await self._cursors.save(self._config.key, MISSED, since.isoformat() if since is not None else "")
        self._missed_since = since

    async def _moment(self, name: str) -> datetime | None:
        saved = await self._cursors.load(self._config.key, name)
        try:
            moment = datetime.fromisoformat(saved) if saved else None
        except ValueError:
            return None
        return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)

    async def _messages(self, since: datetime) -> Sequence[Fields]:
        """All messages since a moment, the oldest first."""
        found: list[tuple[datetime, int, Fields]] = []
        for page in range(PAGES):
            answer = await self._api.call(
                "messages.getConversations", count=PAGE, offset=page * PAGE, group_id=self._config.group_id
            )
            items = Fields.of(answer, "conversations").children("items")
            recent = [each for each in items if _at(each.child("last_message")) >= since]
            for each in recent:
                found += await self._dialogue(each.child("conversation").child("peer").number("id"), since)
            if len(recent) < PAGE:
                break
        return [message for *_, message in sorted(found, key=lambda each: each[:2])]

    async def _dialogue(self, peer_id: int, since: datetime) -> list[tuple[datetime, int, Fields]]:
        found: list[tuple[datetime, int, Fields]] = []
        for page in range(PAGES):
            answer = await self._api.call(
                "messages.getHistory",
                peer_id=peer_id,
                count=PAGE,
                offset=page * PAGE,
                group_id=self._config.group_id,
            )
            items = Fields.of(answer, "history").children("items")
            recent = [each for each in items if _at(each) >= since]
            found += [(_at(each), each.maybe_number("conversation_message_id") or 0, each) for each in recent]
            if len(recent) < PAGE:
                break
        return found

    def _arrival(self, message: Fields) -> Arrival:
        """The message as the event that did not come."""
        out = bool(message.maybe_number("out"))
        peer, number = message.number("peer_id"), message.maybe_number("conversation_message_id") or 0
        event = {
            "type": "message_reply" if out else "message_new",
            "event_id": f"history:{peer}:{number}:{message.maybe_number('update_time') or 0}",
            "group_id": self._config.group_id,
            "object": message.values if out else {"message": message.values},
        }
        return self._reader.event(event, self._clock.now())


def _at(message: Fields) -> datetime:
    moment = message.moment("date")
    if moment is None:
        raise ShapeError("{where}: is missing", where=f"{message.where}.date")
    return moment
