"""Settling: AMI does not repeat itself; what ended unseen is finished from the PBX's channel list and its records."""

from __future__ import annotations

import asyncio
import logging

from channels.pbx.ami import AmiError, AmiLink
from channels.pbx.book import CallBook
from channels.pbx.call_facts import CallFacts
from channels.pbx.cdr import CdrPlace, calls_of, end_of, read_since
from channels.pbx.config import PbxConfig
from channels.pbx.delivery import Delivery
from channels.pbx.inbound import CallFactsReader
from crm_core.messages import ChannelKey, InboundEvent
from crm_core.ports import ChannelContext

log = logging.getLogger(__name__)

PLACE = "cdr"


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
        patience_s: float = 1.0,
    ) -> None:
        self._patience_s = patience_s
        self._config, self._context = config, context
        self._key = ChannelKey("pbx", config.name)
        self._link, self._book, self._facts, self._delivery = link, book, facts, delivery
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
        """Compare when wanted and every `every_s`; after a failure again in `again_s`."""
        pause = every_s
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
                self.trouble = ""
            except (AmiError, OSError, TimeoutError) as err:
                self.trouble = f"calls could not be settled: {str(err) or type(err).__name__}"
                log.warning("%s: %s", self._key, self.trouble)
                pause = again_s

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
        if self._config.cdr is not None and not self._unsettled.keys() <= {event.correlation_id for event in events}:
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
        if behind is not None:
            # only what is committed need not be read again
            async with asyncio.timeout(self._config.timing.action_s):
                await self._delivery.drained()
            await self._context.cursors.save(self._key, PLACE, str(behind))

    async def _recorded(self, *, also_finished: bool) -> tuple[list[InboundEvent], CdrPlace | None]:
        """What records tell of calls whose end was not seen, and the place to read on from once that is committed."""
        path, cursors = self._config.cdr, self._context.cursors
        if path is None:
            return [], None
        place = CdrPlace.parse(await cursors.load(self._key, PLACE))
        if place is None:
            # what was before the hub came is history; a file that is still to come will be read from its beginning
            return [], await asyncio.to_thread(end_of, path) or CdrPlace(0, 0)
        rows, behind = await asyncio.to_thread(read_since, path, place)
        calls = calls_of(rows)
        going_on = self._book.live & calls.keys()
        found = [
            event
            for linkedid, records in calls.items()
            if linkedid not in going_on
            and (also_finished or not self._book.finished(linkedid))
            and (event := self._facts.of_records(records)) is not None
        ]
        # a call that goes on keeps the place where its first records lie
        return found, None if going_on or behind == place else behind
