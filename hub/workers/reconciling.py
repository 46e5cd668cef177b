"""Every night the day before is compared with the call records of each PBX; a row says that it was done.

Days on which the hub was not there at the due time are made up for, so are those of which calls were missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm_core.errors import CoreError
from crm_core.messages import ChannelKey
from crm_core.ports import Channel, Clock, InboundSink, KeepsCallRecords, Lease
from crm_core.storage.queries import reconciliation
from crm_core.storage.store import Store
from hub.log import get_logger
from hub.metrics import Metrics
from hub.telephony.reconciling import Reconciler
from hub.workers.loop import Worker

log = get_logger(__name__)

# So late that whoever talked over midnight is through, and before anybody comes to work.
DUE = time(3, 30)
_DAYS_BACK = 7
_EVERY_S = 300.0
_AGAIN_AFTER = timedelta(hours=6)
_LEASE_WITHIN_S = 2.0


class ReconcilingWorker(Worker):
    """Of several nodes one compares: whoever has the lease `reconcile:{pbx}`."""

    name = "reconciling"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        channels: Mapping[ChannelKey, Channel],
        sink: InboundSink,
        lease: Callable[[str], Lease],
        zone: ZoneInfo,
    ) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._channels = channels
        self._sink = sink
        self._lease = lease
        self._zone = zone
        self._tried: dict[tuple[ChannelKey, date], datetime] = {}

    async def turn(self) -> float:
        """Compare what is due."""
        for key, channel in self._channels.items():
            records: object = channel
            if isinstance(records, KeepsCallRecords) and records.keeps_records and await self._due(key):
                await self._compare(key, channel)
        return _EVERY_S

    async def _compare(self, key: ChannelKey, channel: Channel) -> None:
        lease = self._lease(f"reconcile:{key.account}")
        try:
            async with asyncio.timeout(_LEASE_WITHIN_S):
                await lease.acquire()
        except TimeoutError:
            return  # another node is at it
        try:
            reconciler = Reconciler(self._store, self._sink, self._clock, self._zone)
            since = await self._store.read(lambda conn: reconciliation.first_call(conn, key.account))
            for day in await self._due(key):
                self._tried[key, day] = self._clock.now()
                tally = await reconciler.day(channel, day, since)
                self._metrics.calls_missing.labels(key.account).set(tally.missing)
        except CoreError as err:
            self._metrics.worker_errors.labels(self.name).inc()
            log.warning("a day could not be reconciled", pbx=key.account, error=str(err))
        finally:
            await lease.release()

    async def _due(self, key: ChannelKey) -> list[date]:
        """The days that are over and not proved, the oldest first; nothing from before the hub knew the PBX."""
        now = self._clock.now().astimezone(self._zone)
        last = now.date() - timedelta(days=1 if now.time() >= DUE else 2)
        days = [last - timedelta(days=back) for back in range(_DAYS_BACK, -1, -1)]
        done = await self._store.read(
            lambda conn: reconciliation.newest_of(conn, key.account, [day.isoformat() for day in days])
        )
        due = []
        for day in days:
            record = done.get(day.isoformat())
            end = datetime.combine(day + timedelta(days=1), DUE, self._zone)
            proved = record is not None and record.missing == 0 and record.at >= end
            tried = self._tried.get((key, day))
            if not proved and (tried is None or now - tried >= _AGAIN_AFTER):
                due.append(day)
        first = await self._store.read(lambda conn: reconciliation.first_call(conn, key.account)) if due else None
        return [day for day in due if first is not None and day >= first.astimezone(self._zone).date()]
