"""The one door for facts.

Facts that arrive together share one transaction. A batch that fails is halved until the bad fact stands alone: only it
is journalled as failed. `receive` returns after the commit or raises, so that the provider sends the fact again.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crm_core.errors import (
    ConcurrentChange,
    IntakeFull,
    IntakeUnavailable,
    NotFound,
    StorageUnavailable,
)
from crm_core.messages import CallRinging, ChannelKey, InboundEvent, Receipt, ReceiptState, Unparsable
from crm_core.messages.unread import failed_at
from crm_core.model.records import JournalRecord
from crm_core.model.user import User
from crm_core.ports import Channel, KeepsFiles, ReparsesRaw
from crm_core.services.desk import Desk
from crm_core.services.intake.receive import receive, replay
from crm_core.services.intake.replaying import to_be_read_again
from crm_core.storage.store import Store
from hub.inspection import FileInspector, stored_files
from hub.log import correlation_id, get_logger, new_correlation_id
from hub.metrics import Metrics

log = get_logger(__name__)

_MAX_BATCH = 100
_LOGGED = 20  # a line a transaction, not a line a fact


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """How much may wait at the door: facts, and bytes of their raw form. `writers` transactions run at a time."""

    facts: int = 2000
    raw_bytes: int = 256 * 1024 * 1024
    writers: int = 2


@dataclass(slots=True)
class _Waiting:
    """A fact at the door, and who waits for its receipt."""

    event: InboundEvent
    receipt: asyncio.Future[Receipt]
    since: float


class Intake:
    """The sink of all channels; see `crm_core.ports.InboundSink`."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        channels: Mapping[ChannelKey, Channel],
        limits: IntakeLimits | None = None,
        inspector: FileInspector | None = None,
    ) -> None:
        self._inspector = inspector
        self._store = store
        self.heard: dict[ChannelKey, datetime] = {}
        """When this node last heard anything of an account."""
        self._metrics = metrics
        self._channels = channels
        self._limits = limits or IntakeLimits(writers=1 if store.database.sqlite else 2)
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._arrived = asyncio.Event()
        self._writers: list[asyncio.Task[None]] = []
        self._open = False
        self.failing: str | None = None

    def start(self) -> None:
        """Open the door."""
        self._open = True
        self._writers = [
            asyncio.create_task(self._write(), name=f"intake-{number}") for number in range(self._limits.writers)
        ]

    async def stop(self) -> None:
        """Close the door, write what waits, end. Idempotent."""
        self._open = False
        self._arrived.set()
        writers, self._writers = self._writers, []
        await asyncio.gather(*writers)

    @property
    def ready(self) -> bool:
        """Whether the door is open and not full; whether the database answers is another question."""
        return self._open and len(self._queue) < self._limits.facts

    async def receive(self, event: InboundEvent) -> Receipt:
        """Take one fact in; see `crm_core.ports.InboundSink.receive`."""
        if self._inspector is not None and stored_files(event):
            event = await self._inspector.looked_at(event)
        return await self._enqueue(event)

    async def receive_many(self, events: Sequence[InboundEvent]) -> Sequence[Receipt]:
        """Take several in; see `crm_core.ports.InboundSink.receive_many`."""
        if self._inspector is not None and any(stored_files(event) for event in events):
            events = [await self._inspector.looked_at(event) for event in events]
        futures = [self._enqueue(event) for event in events]
        return await asyncio.gather(*futures)

    async def replay(self, journal_id: int, user: User | None = None) -> Receipt:
        """Read a failed fact again and take it in. With `user` it is asked whether they may. Raises NotFound, Conflict,
        Forbidden, or what is wrong with it still."""

        def wanted(desk: Desk) -> JournalRecord:
            if user is not None:
                desk.acts_for(user)
            return to_be_read_again(desk, journal_id)

        record = await self._store.run(wanted)
        channel: object = self._channels.get(ChannelKey(record.channel, record.account))
        if not isinstance(channel, ReparsesRaw):
            raise NotFound(
                "the account {channel}:{account} is not configured: its facts can't be read",
                channel=record.channel,
                account=record.account,
            )
        if isinstance(channel, KeepsFiles):
            await channel.keep_files(record.raw)
        event = channel.reparse(record.external_id, record.raw, record.received_at)
        if self._inspector is not None:
            event = await self._inspector.looked_at(event)
        try:
            return await self._store.run(
                lambda desk: replay(
                    desk.work, desk.work.get(JournalRecord, journal_id), event, desk.office, desk.policies
                )
            )
        except StorageUnavailable:
            raise
        except Exception as err:
            text = f"{type(err).__name__}: {err}"
            await self._store.run(lambda desk: _note_failure(desk, journal_id, text))
            raise

    def _enqueue(self, event: InboundEvent) -> asyncio.Future[Receipt]:
        if not self._open:
            self._metrics.refused.labels("closed").inc()
            raise IntakeUnavailable("the hub is stopping; send the fact again")
        size = len(event.raw)
        if len(self._queue) >= self._limits.facts or self._queued_bytes + size > self._limits.raw_bytes:
            self._metrics.refused.labels("full").inc()
            raise IntakeFull
        # What came in a request is found by the request's id, from the wire to the journal.
        known = correlation_id() or event.correlation_id
        if known != event.correlation_id or not known:
            event = replace(event, correlation_id=known or new_correlation_id())
        self.heard[event.key] = self._store.clock.now()
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(event, future, time.perf_counter()))
        self._queued_bytes += size
        self._arrived.set()
        return future

    async def _write(self) -> None:
        """One writer: whatever waits goes into the next transaction; no lingering for more."""
        while True:
            batch = self._take()
            if batch:
                try:
                    await self._commit(batch)
                except Exception as err:
                    # A writer that died would leave everybody at the door waiting for ever.
                    log.exception("a batch could not be settled")
                    self._refuse(batch, IntakeUnavailable(f"{type(err).__name__}: {err}"))
                continue
            if not self._open:
                return
            self._arrived.clear()
            await self._arrived.wait()

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        while self._queue and len(batch) < _MAX_BATCH:
            waiting = self._queue.popleft()
            self._queued_bytes -= len(waiting.event.raw)
            batch.append(waiting)
        self._metrics.waiting.set(len(self._queue))
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        """Write a batch; halve it where it can't be written, down to the fact that is to blame."""
        events = [waiting.event for waiting in batch]
        try:
            receipts = await self._store.run(lambda desk: receive(desk.work, events, desk.office, desk.policies))
        except StorageUnavailable as err:
            self._refuse(batch, IntakeUnavailable(str(err)))
        except ConcurrentChange as err:
            if len(batch) == 1:
                self._refuse(batch, IntakeUnavailable(f"the fact stood in the way of others: {err}"))
            else:
                await self._halve(batch)
        except Exception as err:  # noqa: BLE001 — whatever a fact does, it costs only itself
            if len(batch) > 1:
                await self._halve(batch)
            else:
                await self._fail(batch[0], err)
        else:
            self.failing = None
            self._settle(batch, receipts)

    async def _halve(self, batch: list[_Waiting]) -> None:
        middle = len(batch) // 2
        await self._commit(batch[:middle])
        await self._commit(batch[middle:])

    async def _fail(self, waiting: _Waiting, error: Exception) -> None:
        """A fact that can't be taken in is kept as failed, to be replayed when its cause is mended."""
        event = waiting.event
        if isinstance(event.payload, Unparsable):
            # Not even the journal takes it: say so and let the provider keep it.
            log.error("a fact can't be journalled", key=str(event.key), external_id=event.external_id, error=str(error))
            self._refuse([waiting], IntakeUnavailable(f"the fact can't be journalled: {error}"))
            return
        log.error(
            "a fact failed",
            key=str(event.key),
            external_id=event.external_id,
            correlation_id=event.correlation_id,
            exc_info=error,
        )
        if isinstance(event.payload, CallRinging):
            # The journal keeps nothing of what passes, and there would be nothing to read again.
            self._settle([waiting], [Receipt(ReceiptState.FAILED, None)])
            return
        failed = replace(event, payload=Unparsable(failed_at(error)))
        await self._commit([replace(waiting, event=failed)])

    def _settle(self, batch: list[_Waiting], receipts: list[Receipt]) -> None:
        now = time.perf_counter()
        self._metrics.batch.observe(len(batch))
        log.info(
            "facts committed",
            count=len(batch),
            correlation_ids=[waiting.event.correlation_id for waiting in batch[:_LOGGED]],
        )
        for waiting, receipt in zip(batch, receipts, strict=True):
            key = waiting.event.key
            self._metrics.facts.labels(key.channel, key.account, receipt.state.value).inc()
            self._metrics.commit_seconds.observe(now - waiting.since)
            if not waiting.receipt.done():
                waiting.receipt.set_result(receipt)

    def _refuse(self, batch: list[_Waiting], error: IntakeUnavailable) -> None:
        self.failing = str(error)
        self._metrics.refused.labels("unavailable").inc(len(batch))
        log.error("facts were not taken in", count=len(batch), error=str(error))
        for waiting in batch:
            if not waiting.receipt.done():
                waiting.receipt.set_exception(IntakeUnavailable(str(error)))


def _note_failure(desk: Desk, journal_id: int, error: str) -> None:
    record = desk.work.get(JournalRecord, journal_id)
    desk.work.put(record._replace(error=error, attempts=record.attempts + 1))
