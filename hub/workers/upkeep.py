"""Keeps the house: forgets what is only of passing use, shows the depth of the queues and the state of channels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from crm_core.messages import ChannelKey
from crm_core.ports import Channel, ChannelState, Clock, Measured
from crm_core.storage import leases, queues, sessions, unsent
from crm_core.storage.database import Connection
from crm_core.storage.store import Store
from hub.metrics import Metrics
from hub.workers.loop import Worker

_EVERY_S = 15.0
_PRUNE_EVERY = timedelta(hours=1)
_PASSING = timedelta(hours=24)
_DONE_KEPT = timedelta(days=30)


class Upkeep(Worker):
    """Looks around every few seconds, sweeps every hour."""

    name = "upkeep"

    def __init__(
        self, store: Store, clock: Clock, metrics: Metrics, channels: Mapping[ChannelKey, Channel], node: str
    ) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._channels = channels
        self._node = node
        self._pruned = clock.now() - _PRUNE_EVERY

    async def turn(self) -> float:
        """Look, and sweep when it is time."""
        for queue, depth in (await self._store.read(lambda conn: queues.depth(conn, None))).items():
            self._metrics.queues.labels(queue).set(depth)
        owners = await self._store.read(leases.owners)
        for key, channel in self._channels.items():
            up = channel.health.state is ChannelState.CONNECTED
            if owners.get(str(key), self._node) == self._node:
                self._metrics.channels.labels(key.channel, key.account).set(int(up))
            else:
                # the owner of the link shows how it stands; a node that stands by must not look down
                self._metrics.channels.remove(key.channel, key.account)
            measured: object = channel
            if isinstance(measured, Measured):
                for name, value in measured.measurements().items():
                    self._metrics.channel_numbers.labels(key.channel, key.account, name).set(value)
        now = self._clock.now()
        if now - self._pruned >= _PRUNE_EVERY:
            self._pruned = now
            await self._store.database.write(lambda conn: _pruned(conn, now))
        return _EVERY_S


def _pruned(conn: Connection, now: datetime) -> None:
    queues.prune(conn, now - _PASSING, now - _DONE_KEPT)
    sessions.sweep(conn, now)
    unsent.sweep(conn, now)
