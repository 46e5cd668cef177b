"""Patience with whoever guesses passwords and codes: whoever fails too often waits.

Attempts are counted before they are checked, so that many at once gain nothing. With Redis all nodes count together;
while it is away each node counts by itself, which it does all the time so as not to begin anew.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from crm_core.ports import Clock
from hub.log import get_logger

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = get_logger(__name__)

_ANSWER_S = 0.5
_AGAIN_S = 5.0
_SUBSCRIBER = 64
_ATTEMPT = """
local now, window, wait = tonumber(ARGV[1]), tonumber(ARGV[2]), 0
for i, key in ipairs(KEYS) do
  local most = tonumber(ARGV[3 + i])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - window)
  if redis.call('ZCARD', key) >= most then
    local at = redis.call('ZRANGE', key, -most, -most, 'WITHSCORES')[2]
    wait = math.max(wait, tonumber(at) + window - now)
  end
end
if wait == 0 then
  for _, key in ipairs(KEYS) do
    redis.call('ZADD', key, now, ARGV[3])
    redis.call('PEXPIRE', key, window)
  end
end
return wait
"""


class Guessed(StrEnum):
    """What an attempt is about."""

    PASSWORD = "password"  # noqa: S105 - the name of a step
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failed attempts are borne within a window."""

    per_person: int = 5
    per_place: int = 50
    window: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was counted, or refused: then `wait_s` says in how many seconds another one is allowed."""

    person: str
    place: str
    mark: str
    wait_s: float = 0.0


class Throttle:
    """Counts attempts by person and by place, which is an address, of IPv6 the network that one subscriber has.

    A password is guessed by person and place together, so that nobody locks others out; a code only by whoever knows
    the password, so that its attempts count wherever they come from.
    """

    def __init__(self, clock: Clock, redis_url: str | None = None, patience: Patience | None = None) -> None:
        self._clock = clock
        self._patience = patience or Patience()
        self._own: dict[str, deque[tuple[float, str]]] = {}
        self._redis = _connected(redis_url) if redis_url else None
        self._away_until = 0.0

    async def attempt(self, guessed: Guessed, login: str, place: str) -> Attempt:
        """Count an attempt; one that turns out well is taken back by `succeeded`."""
        place = _place(place)
        person = f"{guessed} {login} {place if guessed is Guessed.PASSWORD else ''}"
        attempt = Attempt(_key(person), _key(f"place {place}"), secrets.token_hex(8))
        own = self._counted(attempt)
        shared = await self._shared(attempt)
        return Attempt(attempt.person, attempt.place, attempt.mark, own if shared is None else shared)

    async def succeeded(self, attempt: Attempt) -> None:
        """Somebody got in: their own failures are forgotten, the place's others are not."""
        self._own.pop(attempt.person, None)
        if others := self._own.get(attempt.place):
            self._own[attempt.place] = deque(each for each in others if each[1] != attempt.mark)
        if self._redis is None or self._away():
            return
        from redis.exceptions import RedisError  # here, for most offices have no Redis, and it is heavy

        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                # a pipeline only gathers: its own methods give themselves, not answers
                _ = pipe.delete(attempt.person), pipe.zrem(attempt.place, attempt.mark)
                await pipe.execute()
        except (RedisError, OSError) as err:
            self._lost(err)

    async def close(self) -> None:
        """Let go of Redis."""
        if self._redis is not None:
            await self._redis.aclose()

    @property
    def known(self) -> int:
        """Of how many people and places this node remembers attempts."""
        return len(self._own)

    # ------------------------------------------------------------ this node

    def _counted(self, attempt: Attempt) -> float:
        now, window = self._clock.monotonic(), self._patience.window.total_seconds()
        for key in [key for key, seen in self._own.items() if not seen or now - seen[-1][0] >= window]:
            del self._own[key]
        wait = 0.0
        for key, most in self._limits(attempt):
            recent = [at for at, _ in self._own.get(key, ()) if now - at < window]
            if len(recent) >= most:
                wait = max(wait, recent[-most] + window - now)
        if not wait:
            for key, _ in self._limits(attempt):
                self._own.setdefault(key, deque(maxlen=self._patience.per_place)).append((now, attempt.mark))
        return wait

    def _limits(self, attempt: Attempt) -> tuple[tuple[str, int], ...]:
        return (attempt.person, self._patience.per_person), (attempt.place, self._patience.per_place)

    # ------------------------------------------------------------ all nodes

    async def _shared(self, attempt: Attempt) -> float | None:
        """How long to wait as all nodes see it; None where Redis is not there."""
        if self._redis is None or self._away():
            return None
        from redis.exceptions import RedisError  # here, for most offices have no Redis, and it is heavy

        limits = self._limits(attempt)
        now = str(round(self._clock.now().timestamp() * 1000))
        window = str(round(self._patience.window.total_seconds() * 1000))
        keys = [key for key, _ in limits]
        numbers = [now, window, attempt.mark, *(str(most) for _, most in limits)]
        try:
            wait = await cast("Awaitable[int]", self._redis.eval(_ATTEMPT, len(keys), *keys, *numbers))
        except (RedisError, OSError) as err:
            self._lost(err)
            return None
        return int(wait) / 1000

    def _away(self) -> bool:
        return self._clock.monotonic() < self._away_until

    def _lost(self, err: Exception) -> None:
        log.warning("attempts to log in are not counted together with other nodes", error=str(err))
        self._away_until = self._clock.monotonic() + _AGAIN_S


def _connected(url: str) -> Redis:
    from redis.asyncio import Redis  # here, for most offices have no Redis, and it is heavy

    return Redis.from_url(url, socket_connect_timeout=_ANSWER_S, socket_timeout=_ANSWER_S)


def _place(remote: str) -> str:
    """What counts as one place: whoever has one address of IPv6 has all of its /64."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return remote
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped is not None else str(ipaddress.ip_network((int(address), _SUBSCRIBER), strict=False))


def _key(text: str) -> str:
    """What attempts are kept under: neither logins nor addresses stand in Redis."""
    return f"hub:attempts:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"
