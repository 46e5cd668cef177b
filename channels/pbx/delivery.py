"""The way of facts into the intake: kept in order until each is committed, bounded, its troubles visible."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable

from crm_core.errors import IntakeError
from crm_core.messages import InboundEvent
from crm_core.ports import InboundSink

log = logging.getLogger(__name__)

KEPT = 50_000
# A call that begins is told of at the moment when the PBX asks who takes it: writing it down waits until the answer is
# out, and shares its transaction with what else happens meanwhile.
GATHER_S = 0.15
_TOGETHER = 100
_PATIENCE = 5


class Delivery:
    """Facts that wait for the intake. Over `kept` of them the oldest go: the PBX's call records still hold them.

    Fewer than a lot wait `gather_s` for company. `passing` tells how things stand that pass; it is asked after `stir`,
    just before a lot goes, so that what changed often meanwhile is told once, and not at all while others wait.
    """

    def __init__(
        self,
        kept: int = KEPT,
        retry_first_s: float = 0.2,
        retry_most_s: float = 5.0,
        gather_s: float = GATHER_S,
        passing: Callable[[], Iterable[InboundEvent]] = tuple,
    ) -> None:
        self._passing = passing
        self._stirred = False
        self._kept = kept
        self._gather_s = gather_s
        self._retry_first_s, self._retry_most_s = retry_first_s, retry_most_s
        self._waiting: deque[InboundEvent] = deque()
        self._news = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.trouble = ""
        self.delivered = 0
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: InboundEvent) -> None:
        """Add a fact; never blocks."""
        if len(self._waiting) >= self._kept:
            self._waiting.popleft()
            self.dropped += 1
            if self.dropped == 1 or self.dropped % 1000 == 0:
                log.error("%d transitions of calls were let go: the intake does not take them", self.dropped)
        self._waiting.append(event)
        self._empty.clear()
        self._news.set()

    def stir(self) -> None:
        """What passes may stand otherwise than it was told; never blocks."""
        self._stirred = True
        self._empty.clear()
        self._news.set()

    async def drained(self) -> None:
        """Wait until everything is committed."""
        await self._empty.wait()

    async def run(self, sink: InboundSink) -> None:
        """Deliver until cancelled. A fact is removed only after the intake has committed it."""
        failures = 0
        while True:
            if not self._waiting and not self._stirred:
                self._empty.set()
                self._news.clear()
                await self._news.wait()
            if len(self._waiting) < _TOGETHER and not failures:
                await asyncio.sleep(self._gather_s)
            if self._stirred and len(self._waiting) < _TOGETHER and not failures:
                self._stirred = False
                self._waiting.extend(self._passing())
            if not self._waiting:
                continue
            # after a failure that names no cause, one at a time: a fact nobody can take must not hold up the others
            together = 1 if failures > _PATIENCE else _TOGETHER
            batch = [self._waiting[position] for position in range(min(together, len(self._waiting)))]
            try:
                await sink.receive_many(batch)
            except IntakeError as err:
                failures = self._failed(min(failures, _PATIENCE - 1), err)
            except Exception as err:
                log.exception("the intake failed on transitions of calls")
                failures = self._failed(failures, err)
                if failures > _PATIENCE + 1:
                    self._waiting.rotate(-1)
            else:
                failures = 0
                self._committed(batch)
                continue
            await asyncio.sleep(min(self._retry_first_s * 2 ** min(failures, 10), self._retry_most_s))

    def _committed(self, batch: list[InboundEvent]) -> None:
        self.trouble = ""
        self.delivered += len(batch)
        for event in batch:
            # an overflow may have taken it from the front meanwhile
            if self._waiting and self._waiting[0] is event:
                self._waiting.popleft()

    def _failed(self, failures: int, err: Exception) -> int:
        if not self.trouble:
            log.warning("the intake takes no transitions of calls, they wait: %s", err)
        self.trouble = str(err) or type(err).__name__
        return failures + 1
