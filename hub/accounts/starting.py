"""Starting connectors. One that does not start is tried again by itself, ever more seldom, and at once when somebody
asks; since when each stands as it stands is remembered.

Only what making one, or `start` itself, raises counts here: connectors that run keep their links up by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from crm_core.errors import ChannelAuthError, CoreError
from crm_core.messages import ChannelKey
from crm_core.ports import Channel, ChannelHealth, ChannelState, Clock, InboundSink
from crm_core.ports.channels import Retires
from crm_core.wording import Sentence
from hub.accounts.channels import BrokenChannel, Channels
from hub.log import get_logger
from hub.metrics import Metrics
from hub.workers.loop import Worker

log = get_logger(__name__)

Make: TypeAlias = Callable[[], Channel]

_FIRST = timedelta(seconds=5)
_TIMES = 3
_MOST = timedelta(minutes=10)
_LOOK_S = 5.0
_START_S = 60.0  # to begin with, for connecting goes on in the background; the others wait as long
_STOP_S = 15.0


@dataclass(frozen=True, slots=True)
class Stands:
    """How long an account stands as it does: `since` when (at the earliest, when this node began), and when it is
    started again, where it did not start."""

    since: datetime
    again_at: datetime | None = None


@dataclass(slots=True)
class _Kept:
    make: Make
    failures: int = 0
    again_at: datetime | None = None


class Starts(Worker):
    """Starts, replaces and stops the connectors of `channels`, one at a time."""

    name = "starts"

    def __init__(self, metrics: Metrics, clock: Clock, channels: Channels) -> None:
        super().__init__(metrics)
        self._clock = clock
        self._channels = channels
        self._kept: dict[ChannelKey, _Kept] = {}
        self._seen: dict[ChannelKey, tuple[object, datetime]] = {}
        self._sink: InboundSink | None = None
        self._listeners: list[Callable[[], None]] = []
        self._lock = asyncio.Lock()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever an account is seen to stand otherwise than before; on the loop's own thread."""
        self._listeners.append(listener)

    def serve(self, sink: InboundSink) -> None:
        """Facts go there from now on; without this connectors are made, and nothing is started."""
        self._sink = sink

    async def begin(self, key: ChannelKey, make: Make) -> None:
        """Start the connector that serves an account already; `make` makes another one where that is needed."""
        async with self._lock:
            self._kept[key] = _Kept(make)
            await self._start(key)
            self.look()

    async def replace(self, key: ChannelKey, make: Make) -> None:
        """Have another connector serve an account: what is taken in is drained, then the old one closes, then the new
        one opens. Meanwhile webhooks are answered 503, mail 451, and messages wait."""
        async with self._lock:
            self._kept[key] = _Kept(make)
            await self._renew(key)
            self.look()

    async def leave(self, key: ChannelKey) -> None:
        """Have nobody serve an account."""
        async with self._lock:
            self._kept.pop(key, None)
            self._seen.pop(key, None)
            leaving = self._channels[key]
            self._channels.remove(key)
            await self._end(leaving)
            self._tell()

    async def again(self, key: ChannelKey) -> bool:
        """Start an account anew, now, unless it runs; whether it does. False for one that is not served here.

        Of several who ask at once one starts it, and the others hear what became of that.
        """
        asked_of = self._channels.get(key)
        async with self._lock:
            kept, serves = self._kept.get(key), self._channels.get(key)
            if kept is None or serves is None or self._stopping:
                return False
            if serves is asked_of and serves.health.state is not ChannelState.CONNECTED:
                kept.failures = 0
                await self._renew(key)
                self.look()
            return kept.again_at is None

    def stands(self, key: ChannelKey) -> Stands | None:
        """Since when an account stands as `look` saw it last; None for one that is not there."""
        seen, kept = self._seen.get(key), self._kept.get(key)
        return Stands(seen[1], kept.again_at if kept is not None else None) if seen is not None else None

    def look(self) -> None:
        """See how all stand now; on the loop's own thread."""
        now, changed = self._clock.now(), False
        for key, channel in self._channels.items():
            stands = (channel.health.state, channel.health.trouble)
            before = self._seen.get(key)
            if before is None or before[0] != stands:
                self._seen[key] = (stands, now)
                changed = True
        if changed:
            self._tell()

    async def turn(self) -> float:
        """Start what is to be started again; remember how all stand."""
        self.look()
        now = self._clock.now()
        async with self._lock:
            for key, kept in list(self._kept.items()):
                if kept.again_at is not None and kept.again_at <= now and not self._stopping:
                    await self._renew(key)
        return _LOOK_S

    # ------------------------------------------------------------ inside

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    async def _renew(self, key: ChannelKey) -> None:
        """A fresh connector, for one that was stopped, or half started, is not started again."""
        before, made = self._channels.get(key), True
        try:
            self._channels.put(self._kept[key].make())
        except Exception as err:
            log.exception("an account can't be made", channel=str(key), again_s=self._failed(key, err))
            made = False
        if before is not None:
            await self._end(before)
        if made:
            await self._start(key)

    async def _start(self, key: ChannelKey) -> None:
        kept, channel = self._kept[key], self._channels[key]
        if self._sink is None or self._stopping:
            return
        try:
            await asyncio.wait_for(channel.start(self._sink), _START_S)
        except Exception as err:
            log.exception("an account did not start", channel=str(key), again_s=self._failed(key, err))
            await self._end(channel)
        else:
            kept.failures, kept.again_at = 0, None
            log.info("an account runs", channel=str(key))

    def _failed(self, key: ChannelKey, err: Exception) -> float:
        """Have its health tell, and try it again, each time later; in how many seconds."""
        kept = self._kept[key]
        kept.failures += 1
        pause: timedelta = min(_FIRST * _TIMES ** min(kept.failures - 1, 10), _MOST)
        kept.again_at = self._clock.now() + pause
        self._channels.put(BrokenChannel(key, health=_health(err)))
        return pause.total_seconds()

    async def _end(self, channel: Channel) -> None:
        try:
            await asyncio.wait_for(channel.stop(), _STOP_S)
            if isinstance(channel, Retires):
                channel.retire()
        except Exception:
            log.exception("an account did not stop", channel=str(channel.key))


def _health(err: Exception) -> ChannelHealth:
    words = str(err) if isinstance(err, CoreError) else f"{type(err).__name__}: {err}".rstrip(": ")
    state = ChannelState.BAD_CREDENTIALS if isinstance(err, ChannelAuthError) else ChannelState.RECONNECTING
    return ChannelHealth(state, Sentence("it did not start: {why}", why=words))
