"""Watches the links of all accounts: one that is down for too long is told to the administrators, and that it is back.

Of several nodes the owner of a link judges it: what the others say of it («another node owns the link») is no trouble.
A link that is up, but has a trouble that keeps it from a part of its work, counts like one that is down.
An account without an owner (mail, forms) is judged by every node; each ends only what it has seen to be over.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from crm_core.messages import ChannelKey
from crm_core.model.alarm import AlarmKind
from crm_core.ports import Channel, ChannelHealth, ChannelState, Clock
from crm_core.services.watching.alarms import end_alarm, raise_alarm
from crm_core.storage import leases
from crm_core.storage.queries import alarms
from crm_core.storage.store import Store
from hub.log import get_logger
from hub.metrics import Metrics
from hub.workers.loop import Worker

log = get_logger(__name__)

_EVERY_S = 5.0


class Watch(Worker):
    """Looks at every account every few seconds; `link_after` is how long a link may be away before it is told."""

    name = "watch"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        channels: Mapping[ChannelKey, Channel],
        node: str,
        link_after: timedelta,
    ) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._channels = channels
        self._node = node
        self._link_after = link_after
        # Since when an account is down; None where it is well and that was written down. Missing: not judged yet.
        self._down: dict[ChannelKey, datetime | None] = {}

    async def turn(self) -> float:
        """Judge every account, and count what is open."""
        owners = await self._store.read(leases.owners)
        for key, channel in self._channels.items():
            health = channel.health
            if owners.get(str(key), self._node) != self._node or health.state is ChannelState.STOPPED:
                self._down.pop(key, None)
                continue
            await self._judge(key, health)
        counts = await self._store.read(alarms.count_open)
        for kind in AlarmKind:
            self._metrics.alarms.labels(kind.value).set(counts.get(kind, 0))
        return min(_EVERY_S, max(self._link_after.total_seconds() / 4, self.least_s))

    async def _judge(self, key: ChannelKey, health: ChannelHealth) -> None:
        now, subject = self._clock.now(), str(key)
        if health.state is ChannelState.CONNECTED and not health.trouble:
            if key in self._down and self._down[key] is None:
                return
            # Also when it is seen for the first time: the alarm may have been raised before a restart.
            ended = await self._store.run(lambda desk: end_alarm(desk, AlarmKind.LINK_DOWN, subject))
            if ended is not None:
                log.info("a link is back", channel=subject, since=ended.since.isoformat())
            self._down[key] = None
            return
        since = self._down.get(key) or now
        self._down[key] = since
        if now - since < self._link_after:
            return
        state = "it is there, but" if health.trouble else health.state.value
        detail = f"{state}: {health.detail}" if health.detail else state
        alarm = await self._store.run(lambda desk: raise_alarm(desk, AlarmKind.LINK_DOWN, subject, detail, since=since))
        if alarm.told_at == now:
            log.warning("a link stays down", channel=subject, since=alarm.since.isoformat(), detail=detail)
