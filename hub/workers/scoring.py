"""Every day, at the hour that the office says, all clients are worked out anew; days of silence are made up for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from crm_core.errors import CoreError
from crm_core.ports import Clock, Lease
from crm_core.storage.scoring import run_scores, scores_due
from crm_core.storage.store import Store
from hub.log import get_logger
from hub.metrics import Metrics
from hub.workers.loop import Worker

log = get_logger(__name__)

_EVERY_S = 60.0
_LEASE_WITHIN_S = 2.0


class ScoringWorker(Worker):
    """Of several nodes one works: whoever has the lease `scores`."""

    name = "scoring"

    def __init__(self, store: Store, clock: Clock, metrics: Metrics, lease: Callable[[str], Lease]) -> None:
        super().__init__(metrics)
        self._store = store
        self._clock = clock
        self._lease = lease

    async def turn(self) -> float:
        """Work out what is due."""
        if await scores_due(self._store, self._clock.now()):
            await self._work_out()
        return _EVERY_S

    async def _work_out(self) -> None:
        lease = self._lease("scores")
        try:
            async with asyncio.timeout(_LEASE_WITHIN_S):
                await lease.acquire()
        except TimeoutError:
            return  # another node is at it
        try:
            if await scores_due(self._store, self._clock.now()):  # it may just have been done there
                tally = await run_scores(self._store)
                log.info(
                    "clients worked out",
                    day=tally.day.isoformat(),
                    scored=tally.scored,
                    needs=tally.needs,
                    statuses=tally.statuses,
                )
        except CoreError as err:
            self._metrics.worker_errors.labels(self.name).inc()
            log.warning("clients could not be worked out", error=str(err))
        finally:
            await lease.release()
