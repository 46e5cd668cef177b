"""VK's limit kept from our side: twenty calls a second with one community's token, whatever they are for."""

from __future__ import annotations

import asyncio
from collections import deque

from channels.vk.waiting import Sleep
from crm_core.errors import TransientDeliveryError
from crm_core.ports import Clock

PER_SECOND = 20
PATIENCE_S = 3.0
"""Whoever would wait longer for their turn goes back to the queue and comes again."""


class Pacer:
    """Gives each call its place in time, on the injected clock."""

    def __init__(self, clock: Clock, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._places: deque[float] = deque(maxlen=PER_SECOND)
        self._quiet_until = 0.0

    async def admit(self) -> None:
        """Return when a call may be made; raises TransientDeliveryError where that is not soon."""
        now = self._clock.monotonic()
        due = max(now, self._quiet_until)
        if len(self._places) == PER_SECOND:
            due = max(due, self._places[0] + 1.0)
        if due - now > PATIENCE_S:
            raise TransientDeliveryError("The account has had its share of calls.", retry_after=due - now)
        self._places.append(due)
        if due > now:
            await self._sleep(due - now)

    def quiet(self, seconds: float) -> None:
        """VK said that the calls are too many."""
        self._quiet_until = max(self._quiet_until, self._clock.monotonic() + seconds)
