"""Bots Long Poll: take a batch, commit it, only then move on. One bad event costs only itself."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from channels.vk.api import VkApi
from channels.vk.config import VkConfig
from channels.vk.fields import Fields, ShapeError
from channels.vk.health import Health
from channels.vk.history import History
from channels.vk.inbound import Reader
from channels.vk.intake import Intake
from channels.vk.waiting import Pauses, Sleep, before
from crm_core.errors import CoreError, DeliveryError, IntakeError, TransientDeliveryError
from crm_core.ports import ChannelState, Clock, CursorStore, InboundSink, Lease

log = logging.getLogger(__name__)

T = TypeVar("T")

MENDED_AT_ONCE = 3
"""So often a failed poll is mended without a pause; VK that fails again and again is not well."""
FETCH_TRIES = 10
"""So often what VK has forgotten is asked for before it is given up."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where to poll, with which key, from which place in the stream."""

    address: str
    key: str
    ts: str


@dataclass(frozen=True, slots=True)
class PollTools:
    """What a polling loop works with."""

    config: VkConfig
    api: VkApi
    reader: Reader
    intake: Intake
    history: History
    health: Health
    clock: Clock
    cursors: CursorStore
    lease: Lease
    sleep: Sleep


class Poller:
    """The polling loop of one community. Of several nodes the one that holds the lease polls."""

    def __init__(self, tools: PollTools, sink: InboundSink) -> None:
        self._t = tools
        self._sink = sink
        self._stop = asyncio.Event()
        self._pauses = Pauses()
        self._server: Server | None = None
        # Another community under the same account name has another stream.
        self._cursor = f"ts:{tools.config.group_id}"
        self._mends = 0
        self._owed: Server | None = None
        self._fetches = 0
        self.counts: Counter[str] = Counter()

    def stop(self) -> None:
        """End the loop: a poll at once, a batch that is being committed when it is."""
        self._stop.set()

    async def run(self) -> None:
        """Poll until stopped."""
        try:
            while not self._stop.is_set():
                await self._guarded(self._step)
        finally:
            await self._t.lease.release()

    async def _step(self) -> None:
        if not self._t.lease.held:
            self._server = self._owed = None
            await self._unless_stopped(self._t.lease.acquire())
        elif self._owed is not None:
            await self._go_on(self._owed)
        elif self._server is None:
            # Another node may have polled meanwhile.
            place = await self._t.cursors.load(self._t.config.key, self._cursor)
            fresh = await self._unless_stopped(self._asked())
            if fresh is not None:
                self._server = replace(fresh, ts=place) if place else fresh
                if not place:
                    await self._saved(fresh.ts)
        else:
            await self._round(self._server)

    async def _round(self, server: Server) -> None:
        # The first answer comes at once, so that the state is known.
        wait_s = self._t.config.wait_s if self._t.health.now.state is ChannelState.CONNECTED else 1
        answer = await self._unless_stopped(self._t.api.poll(server.address, server.key, server.ts, wait_s))
        if answer is None:
            return
        try:
            fields = Fields.of(answer, "poll")
            failed = fields.maybe_number("failed")
            if failed is not None:
                await self._mended(server, failed, fields)
                return
            ts, updates = _ts(fields), fields.items("updates")
        except ShapeError as error:
            self._server = None
            raise TransientDeliveryError("VK's long poll is not understood ({why})", why=error) from error
        self._t.health.connected()
        if updates:
            now = self._t.clock.now()
            await self._t.intake.take([self._t.reader.event(each, now) for each in updates], self._sink)
            await self._t.history.arrived()
        if ts != server.ts:
            await self._saved(ts)
            self._server = replace(server, ts=ts)
        self._pauses.reset()
        self._mends = 0

    async def _mended(self, server: Server, failed: int, fields: Fields) -> None:
        """VK can't go on from here: what to go on with depends on why."""
        self.counts[f"poll_failed_{failed}"] += 1
        match failed:
            case 1:
                # Events between the two places are gone with VK; the messages among them are not.
                ts = _ts(fields)
                log.warning("%s: VK has forgotten events before %s", self._t.config.key, ts)
                await self._go_on(replace(server, ts=ts))
            case 2:
                fresh = await self._asked()
                self._server = replace(fresh, ts=server.ts)
            case 3:
                fresh = await self._asked()
                log.warning(
                    "%s: VK has lost the place %s, and goes on from %s", self._t.config.key, server.ts, fresh.ts
                )
                await self._go_on(fresh)
            case _:
                self._server = None
                raise TransientDeliveryError(
                    "VK's long poll failed in a way that is not known ({failed})", failed=failed
                )
        self._mends += 1
        if self._mends > MENDED_AT_ONCE:
            raise TransientDeliveryError("VK's long poll fails again and again ({failed})", failed=failed)

    async def _go_on(self, server: Server) -> None:
        """Go on from another place, after the dialogues told what VK has forgotten before it.

        While they can't be had, as in an outage of VK, the place stays; but what never can be must not keep the new
        events out.
        """
        self._owed = server
        self._fetches += 1
        await self._t.history.fetch(self._sink, insist=self._fetches <= FETCH_TRIES)
        await self._saved(server.ts)
        self._server, self._owed, self._fetches = server, None, 0

    async def _asked(self) -> Server:
        answer = await self._t.api.call("groups.getLongPollServer", group_id=self._t.config.group_id)
        try:
            fields = Fields.of(answer, "server")
            return Server(fields.text("server"), fields.text("key"), _ts(fields))
        except ShapeError as error:
            raise TransientDeliveryError("VK's answer is not understood ({why})", why=error) from error

    async def _saved(self, ts: str) -> None:
        await self._t.cursors.save(self._t.config.key, self._cursor, ts)

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        """Whatever goes wrong ends in a pause, never in the end of the loop."""
        try:
            await step()
        except IntakeError as error:
            # The place stays: VK gives the same events again.
            log.warning("%s: the batch waits with VK: %s", self._t.config.key, error)
            await self._pause(None)
        except DeliveryError as error:
            self._t.health.failed(error)
            await self._pause(error.retry_after if isinstance(error, TransientDeliveryError) else None)
        except CoreError as error:
            log.warning("%s: %s", self._t.config.key, error)
            await self._pause(None)
        except Exception:
            log.exception("%s: polling goes on after an unexpected failure", self._t.config.key)
            await self._pause(None)

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        lost = (self._t.lease.lost(),) if self._t.lease.held else ()
        return await before(work, self._stop.wait(), *lost)

    async def _pause(self, at_least: float | None) -> None:
        await before(self._slept(self._pauses.next(at_least)), self._stop.wait())

    async def _slept(self, seconds: float) -> None:
        await self._t.sleep(seconds)


def _ts(fields: Fields) -> str:
    """A place in the stream; VK gives it as a text and as a number."""
    value = fields.values.get("ts")
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).isdecimal():
        raise ShapeError("{where}: no place in the stream", where=f"{fields.where}.ts")
    return str(value)
