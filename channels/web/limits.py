"""How many forms one address may post."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque

from crm_core.ports import Clock, HttpRequest

_WINDOW_S = 60.0
_MAX_ADDRESSES = 10_000


class RateLimit:
    """At most `per_minute` in any minute from one address. Forgets whoever has been quiet the longest."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> int:
        """0 where one more is welcome, and counted; else the seconds until it is."""
        now = self._clock.monotonic()
        times = self._seen.setdefault(address, deque())
        self._seen.move_to_end(address)
        while times and times[0] <= now - _WINDOW_S:
            times.popleft()
        if len(times) >= self._per_minute:
            return max(1, int(times[0] + _WINDOW_S - now) + 1)
        times.append(now)
        if len(self._seen) > _MAX_ADDRESSES:
            self._seen.popitem(last=False)
        return 0


def visitor(request: HttpRequest) -> str | None:
    """The address to count by, None where it can't be told.

    A request of this machine itself is not counted: either it is ours, or everybody comes through a proxy that does
    not say for whom.
    """
    return None if _is_here(request.remote) else _network(request.remote)


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _network(address: str) -> str:
    """One home has 2^64 addresses of IPv6: they count as one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    return str(found) if found.version == 4 else str(ipaddress.ip_network((found, 64), strict=False))
