"""Fires deadlines: ladders, promises. Each in the transaction that also sets what follows, so that none fires twice."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm_core.errors import ConcurrentChange, NotFound, StorageUnavailable
from crm_core.model.records import DeadlineKind, DeadlineRecord
from crm_core.ports import Clock
from crm_core.services.desk import Desk
from crm_core.services.firing import fire_all
from crm_core.storage import queues
from crm_core.storage.store import Store
from hub.log import get_logger
from hub.metrics import Metrics
from hub.workers.loop import Worker

log = get_logger(__name__)

_BATCH = 50
_TIMED_RULES = 200  # records whose timed rules are looked at in one transaction
_POLL_S = 0.5
_RETRY_FIRST = timedelta(seconds=5)
_RETRY_LONGEST = timedelta(hours=1)


class DeadlineWorker(Worker):
    """Takes what is due in batches; a batch that fails is taken one by one, and a deadline that fails is put off."""

    name = "deadlines"

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        store.on_commit(lambda _position: self.wake())

    async def turn(self) -> float:
        """Fire a batch."""
        fired = await self.fire_due()
        if fired:
            return 0
        next_at = await self._store.read(queues.next_deadline)
        if next_at is None:
            return _POLL_S
        return min(max((next_at - self._clock.now()).total_seconds(), self.least_s), _POLL_S)

    async def fire_due(self) -> int:
        """Fire up to a batch of what is due now; how many were looked at."""
        now = self._clock.now()
        due = _together(await self._store.read(lambda conn: queues.due_deadlines(conn, now, _TIMED_RULES)))
        if not due:
            return 0
        try:
            await self._fire(due)
        except StorageUnavailable:
            raise
        except Exception:  # noqa: BLE001 — one by one shows which deadline it was, and logs it
            for deadline in due:
                await self._fire_alone(deadline)
        return len(due)

    async def _fire(self, due: list[DeadlineRecord]) -> None:
        def service(desk: Desk) -> None:
            fire_all(desk, due)

        await self._store.run(service)
        self._count(due, "done")

    async def _fire_alone(self, deadline: DeadlineRecord) -> None:
        try:
            await self._fire([deadline])
        except StorageUnavailable:
            raise
        except ConcurrentChange:
            self._count([deadline], "contended")
        except NotFound:
            await self._store.run(lambda desk: desk.work.remove(DeadlineRecord, deadline.key))
            self._count([deadline], "orphaned")
        except Exception as err:
            log.exception("a deadline failed", deadline=deadline.key)
            until = self._retry_at(deadline)
            text = f"{type(err).__name__}: {err}"
            await self._store.database.write(lambda conn: queues.postpone_deadline(conn, deadline, until, text))
            self._count([deadline], "failed")

    def _retry_at(self, deadline: DeadlineRecord) -> datetime:
        delay = min(_RETRY_FIRST * (1 << min(deadline.attempts, 10)), _RETRY_LONGEST)
        return self._clock.now() + delay

    def _count(self, due: list[DeadlineRecord], outcome: str) -> None:
        now = self._clock.now()
        for deadline in due:
            self._metrics.deadlines.labels(deadline.kind.value, outcome).inc()
            if outcome == "done":
                self._metrics.lateness.observe(max((now - deadline.due_at).total_seconds(), 0.0))


def _together(due: list[DeadlineRecord]) -> list[DeadlineRecord]:
    """Those that share a transaction: after a large import thousands of records may be silent at once, and their timed
    rules cost no more together than one; of anything else a few, so that nobody waits long for their locks."""
    if len(due) <= _BATCH or due[0].kind is not DeadlineKind.RULE:
        return due[:_BATCH]
    return [each for each in due if each.kind is DeadlineKind.RULE]
