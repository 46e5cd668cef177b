"""Does what the outbox says: messages, notifications, webhooks, files to fetch; each lane in order, lanes side by side.

Every try is claimed with a lease. What is known to have had no effect is tried again with growing pauses; a try whose
end is not known is repeated once and marked, that of a mailing never; what is given up stays visible as failed.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta

from crm_core.errors import ChannelAuthError, PermanentDeliveryError, StorageUnavailable, TransientDeliveryError
from crm_core.model.records import OutboxKind, OutboxRecord
from crm_core.ports import Clock
from crm_core.storage import queues
from crm_core.storage.store import Store
from crm_core.wording import Counted, Sentence
from hub.log import get_logger
from hub.metrics import Metrics
from hub.workers.acts import Acts
from hub.workers.loop import Worker

log = get_logger(__name__)

_POLL_S = 0.5
_AT_ONCE = 64
_AT_ONCE_A_PLACE = 16
_LEASE = timedelta(minutes=3)
_TRY_S = 120.0
_TRIES = 14
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 900.0
# Another program may be away for half a day; nobody waits for an answer from it.
_TRIES_OF_WEBHOOKS = 24
_LONGEST_PAUSE_OF_WEBHOOKS_S = 3600.0
_CREDENTIALS_PAUSE_S = 30.0
_CROWDED_PAUSE_S = 1.0
_UNKNOWN_TRIES = 2  # one try whose end is not known, and its repetition
_UNKNOWN_TRIES_OF_MAILINGS = 1  # nobody is to get one twice


class OutboxWorker(Worker):
    """Claims rows and hands them to `Acts`."""

    name = "outbox"

    def __init__(self, store: Store, clock: Clock, metrics: Metrics, acts: Acts, owner: str) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._acts = acts
        self._owner = owner
        self._running: dict[asyncio.Task[None], str] = {}
        store.on_commit(lambda _position: self.wake())

    async def turn(self) -> float:
        """Claim what is due and start it; it ends in its own time."""
        free = _AT_ONCE - len(self._running)
        if free <= 0:
            return _POLL_S
        claimed = await self._claim(free)
        for record in claimed:
            self._start(record)
        if claimed:
            return self.least_s
        next_at = await self._next_at()
        if next_at is None:
            return _POLL_S
        return min(max((next_at - self._clock.now()).total_seconds(), 0.1), _POLL_S)

    async def run_once(self) -> int:
        """Claim what is due and wait until it is done; how many rows."""
        claimed = await self._claim(_AT_ONCE)
        await asyncio.gather(*(self._do(record) for record in claimed))
        return len(claimed)

    async def stop(self) -> None:
        """Finish what is under way; what does not end soon is left to its lease."""
        await super().stop()
        if not self._running:
            return
        _, late = await asyncio.wait(tuple(self._running), timeout=self.stop_s)
        for task in late:
            log.warning("a try did not end in time, it stays with its lease", task=task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _claim(self, limit: int) -> list[OutboxRecord]:
        now = self._clock.now()
        # Looking costs a read; only what is there costs a write.
        next_at = await self._next_at()
        if next_at is None or next_at > now:
            return []
        return await self._store.database.write(lambda conn: queues.claim_outbox(conn, now, self._owner, _LEASE, limit))

    async def _next_at(self) -> datetime | None:
        now = self._clock.now()
        return await self._store.read(lambda conn: queues.next_outbox(conn, now))

    def _start(self, record: OutboxRecord) -> None:
        place = record.lane.rpartition(":")[0]
        task = asyncio.create_task(self._do_unless_crowded(record, place), name=f"outbox {record.id}")
        self._running[task] = place
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("an outbox row was left to its lease", error=str(task.exception()))
        self.wake()

    async def _do_unless_crowded(self, record: OutboxRecord, place: str) -> None:
        if Counter(self._running.values())[place] > _AT_ONCE_A_PLACE:
            await self._again(record, Sentence("many messages wait for this account"), _CROWDED_PAUSE_S, known=True)
            return
        await self._do(record)

    async def _do(self, record: OutboxRecord) -> None:
        try:
            async with asyncio.timeout(_TRY_S):
                if record.started > _tries_with_unknown_end(record):
                    await self._acts.give_up(record, Sentence("it is not known whether an earlier try arrived"))
                    self._count(record, "unknown")
                    return
                await self._acts.act(record)
        except ChannelAuthError as err:
            await self._again(record, str(err), _CREDENTIALS_PAUSE_S, known=True)
            self._count(record, "credentials")
        except PermanentDeliveryError as err:
            await self._acts.give_up(record, str(err))
            self._count(record, "refused")
        except TransientDeliveryError as err:
            await self._transient(record, str(err), err.retry_after, uncertain=err.uncertain)
        except TimeoutError:
            await self._transient(
                record, Sentence("no answer within {seconds} s", seconds=int(_TRY_S)), None, uncertain=True
            )
        except StorageUnavailable:
            # The act is done or not, the row can't say: its lease runs out and `started` tells the next try.
            raise
        except Exception as err:
            log.exception("an outbox row failed", id=record.id, kind=record.kind.value)
            odd = Sentence("the hub stumbled over it, its log says more ({why})", why=f"{type(err).__name__}: {err}")
            await self._transient(record, odd, None, uncertain=False)
        else:
            self._count(record, "done")

    async def _transient(self, record: OutboxRecord, error: str, retry_after: float | None, *, uncertain: bool) -> None:
        webhook = record.kind is OutboxKind.WEBHOOK
        if record.attempts >= (_TRIES_OF_WEBHOOKS if webhook else _TRIES):
            tries = Counted("{count} try", "{count} tries", record.attempts)
            await self._acts.give_up(record, Sentence("given up after {tries}: {why}", tries=tries, why=error))
            self._count(record, "given_up")
            return
        pause = retry_after
        if pause is None:
            longest = _LONGEST_PAUSE_OF_WEBHOOKS_S if webhook else _LONGEST_PAUSE_S
            pause = min(_FIRST_PAUSE_S * 2 ** (record.attempts - 1), longest)
            pause *= random.uniform(0.5, 1.5)  # noqa: S311 — spreads retries, no secret
        await self._again(record, error, pause, known=not uncertain)
        self._count(record, "retried")

    async def _again(self, record: OutboxRecord, error: str, pause_s: float, *, known: bool) -> None:
        until = self._clock.now() + timedelta(seconds=pause_s)
        await self._store.database.write(lambda conn: queues.retry_outbox(conn, record, until, error, known=known))

    def _count(self, record: OutboxRecord, outcome: str) -> None:
        self._metrics.outbox.labels(record.kind.value, outcome).inc()


def _tries_with_unknown_end(record: OutboxRecord) -> int:
    """How many may have arrived: a subscriber knows an event by its number, and a file is fetched twice for nothing."""
    if record.kind in {OutboxKind.WEBHOOK, OutboxKind.FETCH}:
        return _TRIES_OF_WEBHOOKS if record.kind is OutboxKind.WEBHOOK else _TRIES
    return _UNKNOWN_TRIES_OF_MAILINGS if record.payload.get("once") else _UNKNOWN_TRIES
