"""Settling: AMI does not repeat itself; what ended unseen is finished from the PBX's channel list and its records."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from channels.pbx.ami import AmiError, AmiLink
from channels.pbx.book import CallBook
from channels.pbx.call_facts import CallFacts
from channels.pbx.cdr import calls_of
from channels.pbx.cdr_sources import CdrSource
from channels.pbx.config import PbxConfig
from channels.pbx.delivery import Delivery
from channels.pbx.inbound import CallFactsReader
from crm_core.errors import CoreError
from crm_core.messages import ChannelKey, InboundEvent
from crm_core.ports import ChannelContext
from crm_core.wording import Sentence

log = logging.getLogger(__name__)

_AGAIN_MOST_S = 30.0


class Settler:
    """Compares the book with the PBX: after each login, and now and then besides."""

    def __init__(
        self,
        config: PbxConfig,
        context: ChannelContext,
        link: AmiLink,
        book: CallBook,
        facts: CallFactsReader,
        delivery: Delivery,
        sources: Sequence[CdrSource],
        patience_s: float = 1.0,
    ) -> None:
        self._patience_s = patience_s
        self._config, self._context = config, context
        self._key = ChannelKey("pbx", config.name)
        self._link, self._book, self._facts, self._delivery = link, book, facts, delivery
        self._sources = tuple(sources)
        self._wanted = asyncio.Event()
        self._listed = asyncio.Event()
        # vanished calls whose records could not be read yet
        self._unsettled: dict[str, tuple[CallFacts, tuple[bytes, ...]]] = {}
        self._dropped = 0
        self.trouble = ""

    def wanted(self) -> None:
        """Compare soon."""
        self._wanted.set()

    def listed(self) -> None:
        """The PBX's list has been read to its end."""
        self._listed.set()

    async def run(self, every_s: float, again_s: float) -> None:
        """Compare when wanted and every `every_s`; after a failure again in `again_s`, then ever more seldom."""
        pause, again = every_s, again_s
        while True:
            try:
                async with asyncio.timeout(pause):
                    await self._wanted.wait()
            except TimeoutError:
                log.debug("%s: the regular comparison", self._key)
            self._wanted.clear()
            pause = every_s
            if not self._link.ready:
                continue
            try:
                await self._settle()
                self.trouble, again = "", again_s
            except (AmiError, CoreError, OSError, TimeoutError) as err:
                trouble = Sentence("calls could not be settled: {why}", why=str(err) or type(err).__name__)
                if trouble != self.trouble:
                    log.warning("%s: %s", self._key, trouble)
                self.trouble, pause = trouble, again
                again = min(again * 2, _AGAIN_MOST_S)

    async def _settle(self) -> None:
        """Calls that vanished from the PBX's list are finished from its records, and so are those never seen at all."""
        self._listed.clear()
        self._book.listing()
        await self._link.act("CoreShowChannels")
        async with asyncio.timeout(self._config.timing.action_s):
            await self._listed.wait()
        self._unsettled.update({facts.linkedid: (facts, blocks) for facts, blocks in self._book.vanished()})
        # facts that had to be let go are in the records all the same
        dropped = self._delivery.dropped
        lost = dropped != self._dropped
        events, behind = await self._recorded(also_finished=lost)
        if self._sources and not self._unsettled.keys() <= {event.correlation_id for event in events}:
            # records are written a moment after the channels are gone
            await asyncio.sleep(self._patience_s)
            events, behind = await self._recorded(also_finished=lost)
        self._dropped = dropped
        for event in events:
            self._unsettled.pop(event.correlation_id, None)
            self._book.settled(event.correlation_id)
            self._delivery.put(event)
        now = self._context.clock.now()
        for facts, blocks in self._unsettled.values():
            log.warning("%s: call %s ended unseen and left no record", self._key, facts.linkedid)
            self._delivery.put(self._facts.of_vanished(facts, blocks, now))
        self._unsettled.clear()
        if behind:
            # only what is committed need not be read again
            async with asyncio.timeout(self._config.timing.action_s):
                await self._delivery.drained()
        for cursor, place in behind.items():
            await self._context.cursors.save(self._key, cursor, place)

    async def _recorded(self, *, also_finished: bool) -> tuple[list[InboundEvent], dict[str, str]]:
        """What records tell of calls whose end was not seen, and the places to read on from once that is committed."""
        found: dict[str, InboundEvent] = {}
        behind: dict[str, str] = {}
        for source in self._sources:
            place = await self._context.cursors.load(self._key, source.cursor)
            rows, reached = await source.since(place)
            calls = calls_of(rows)
            going_on = self._book.live & calls.keys()
            for linkedid, records in calls.items():
                known = linkedid in going_on or (not also_finished and self._book.finished(linkedid))
                event = self._facts.of_records(records) if not known else None
                if event is not None:
                    found.setdefault(linkedid, event)
            # a call that goes on keeps the place where its first records lie
            if not going_on and reached != place:
                behind[source.cursor] = reached
        return list(found.values()), behind
