"""Long polling: take a batch, commit it, only then move the offset. One bad update costs only itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from channels.telegram.afterwards import Afterwards
from channels.telegram.api import BotApi
from channels.telegram.config import TelegramConfig
from channels.telegram.errors import PollConflictError
from channels.telegram.health import Health
from channels.telegram.inbound import Arrival, Reader
from channels.telegram.memory import Memory
from channels.telegram.waiting import Backoff, Sleep, first
from crm_core.errors import CoreError, DeliveryError, IntakeError, TransientDeliveryError
from crm_core.ports import ChannelState, Clock, CursorStore, InboundSink, Lease

log = logging.getLogger(__name__)

T = TypeVar("T")

FRESH = timedelta(days=6)
"""After a week without updates Telegram numbers anew, perhaps lower. An older place would confirm what nobody has seen;
without a place everything unconfirmed comes again, and repeats change nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """The next update's id, and when it was learned."""

    offset: int
    at: datetime

    def text(self) -> str:
        """For the store of cursors."""
        return f"{self.offset}@{self.at.isoformat()}"

    def offset_at(self, now: datetime) -> int | None:
        """The offset to ask with; None where the place is too old to be trusted."""
        return self.offset if abs(now - self.at) < FRESH else None


def parse_place(text: str | None) -> Place | None:
    """Read a stored place; None where there is none that can be read."""
    offset, _, at = (text or "").partition("@")
    try:
        moment = datetime.fromisoformat(at)
        return Place(int(offset), moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class PollTools:
    """What a polling loop works with."""

    config: TelegramConfig
    api: BotApi
    reader: Reader
    memory: Memory
    afterwards: Afterwards
    health: Health
    clock: Clock
    cursors: CursorStore
    lease: Lease
    sleep: Sleep


class Poller:
    """The polling loop of one bot. Of several nodes the one that holds the lease polls."""

    def __init__(self, tools: PollTools, sink: InboundSink) -> None:
        self._t = tools
        self._sink = sink
        self._stop = asyncio.Event()
        self._backoff = Backoff()
        self._place: Place | None = None
        self._begun = False
        # A bot that takes another's place under the same name numbers its updates differently.
        self._cursor = f"offset:{tools.config.bot_id}"

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
            self._begun = False
            await self._unless_stopped(self._t.lease.acquire())
        elif not self._begun:
            # Another node may have polled meanwhile, or a webhook have been set.
            self._place = parse_place(await self._t.cursors.load(self._t.config.key, self._cursor))
            self._begun = await self._unless_stopped(self._removed_webhook()) is not None
        else:
            await self._round()

    async def _guarded(self, step: Callable[[], Awaitable[None]]) -> None:
        """Whatever goes wrong ends in a pause, never in the end of the loop."""
        try:
            await step()
        except IntakeError as error:
            # The offset stays: Telegram gives the same updates again.
            log.warning("%s: the batch waits with Telegram: %s", self._t.config.key, error)
            await self._pause(None)
        except PollConflictError as error:
            self._begun = False
            self._t.health.failed(error)
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

    async def _round(self) -> None:
        now = self._t.clock.now()
        offset = self._place.offset_at(now) if self._place else None
        # The first answer comes at once, so that the state is known.
        wait_s = self._t.config.poll_s if self._t.health.now.state is ChannelState.CONNECTED else 0
        updates = await self._unless_stopped(self._t.api.updates(offset, wait_s))
        if updates is None:
            return
        self._t.health.set(ChannelState.CONNECTED)
        if updates:
            await self._take(updates)
        self._backoff.reset()

    async def _take(self, updates: Sequence[object]) -> None:
        now = self._t.clock.now()
        arrivals = [self._t.reader.update(update, now) for update in updates]
        await self._t.memory.keep(arrivals)
        receipts = await self._sink.receive_many([arrival.event for arrival in arrivals])
        self._t.afterwards.committed(arrivals, receipts)
        await self._move(arrivals, now)

    async def _move(self, arrivals: Sequence[Arrival], now: datetime) -> None:
        ids = [arrival.update_id for arrival in arrivals if arrival.update_id is not None]
        if not ids:
            raise TransientDeliveryError("Telegram sent updates without an id")
        self._place = Place(max(ids) + 1, now)
        await self._t.cursors.save(self._t.config.key, self._cursor, self._place.text())

    async def _removed_webhook(self) -> bool:
        await self._t.api.delete_webhook()
        return True

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        lost = (self._t.lease.lost(),) if self._t.lease.held else ()
        return await first(work, self._stop.wait(), *lost)

    async def _pause(self, at_least: float | None) -> None:
        await first(self._slept(self._backoff.next(at_least)), self._stop.wait())

    async def _slept(self, seconds: float) -> None:
        await self._t.sleep(seconds)
