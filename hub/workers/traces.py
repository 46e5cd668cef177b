"""Keeps the traces of decisions on calls, after the answers went out; a burst waits in bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from crm_core.errors import CoreError
from crm_core.messages import RouteDecision, RouteQuery
from crm_core.model.call import CallState
from crm_core.ports import Clock
from crm_core.services.desk import Desk
from crm_core.storage import decisions
from crm_core.storage.decisions import Decided
from crm_core.storage.store import Store
from crm_core.storage.work import SqlWork
from hub.log import get_logger
from hub.metrics import Metrics
from hub.workers.loop import Worker

log = get_logger(__name__)

_KEPT = 10_000
_BATCH = 200
_IDLE_S = 60.0


class TraceKeeper(Worker):
    """See `crm_core.ports.RouteJournal`."""

    name = "traces"
    # nobody waits for a trace, while every transaction takes time from the calls
    least_s = 0.25

    def __init__(self, store: Store, clock: Clock, metrics: Metrics) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._waiting: deque[Decided] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin."""
        self._loop = asyncio.get_running_loop()
        super().start()

    def decided(self, query: RouteQuery, decision: RouteDecision, took_ms: float) -> None:
        """Note a decision; any thread."""
        decided = Decided(query, decision, self._clock.now(), took_ms)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._add, decided)

    async def turn(self) -> float:
        """Write what waits."""
        if not self._waiting:
            return _IDLE_S
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]

        def service(desk: Desk) -> None:
            if isinstance(desk.work, SqlWork):
                decisions.keep(desk.work.conn, [desk.work.next_id() for _ in batch], batch)
            _retell(desk, batch)

        try:
            await self._store.run(service)
        except BaseException:
            self._waiting.extendleft(reversed(batch))
            raise
        return 0 if self._waiting else _IDLE_S

    async def stop(self) -> None:
        """Write the rest, as far as the database takes it in time, and end."""
        await super().stop()
        try:
            async with asyncio.timeout(self.stop_s):
                while self._waiting:
                    await self.turn()
        except (CoreError, TimeoutError) as err:
            self._metrics.decisions_lost.inc(len(self._waiting))
            log.warning("decisions on calls were not kept", count=len(self._waiting), error=str(err))

    def _add(self, decided: Decided) -> None:
        self._metrics.routes.labels(decided.decision.action.value, decided.decision.reason).inc()
        self._metrics.route_seconds.observe(decided.took_ms / 1000)
        if len(self._waiting) >= _KEPT:
            self._waiting.popleft()
            self._metrics.decisions_lost.inc()
        self._waiting.append(decided)
        self.wake()


def _retell(desk: Desk, decided: Sequence[Decided]) -> None:
    """Whoever sees a call ring before it is written down why it rings at them is told once more."""
    calls = desk.work.calls_by_linkedid(list({(each.query.pbx, each.query.call_id): None for each in decided}))
    for call in calls.values():
        if call.state is CallState.RINGING and call.rung:
            desk.work.changed("call", call.id, call.contact_id)
