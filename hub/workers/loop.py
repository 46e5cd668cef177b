"""The loop that every worker runs: a turn, then sleep until woken or until there may be something to do."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from crm_core.errors import CoreError
from hub.log import get_logger
from hub.metrics import Metrics

log = get_logger(__name__)

_AFTER_ERROR_S = 1.0


class Worker(ABC):
    """A durable loop. A turn that fails is counted and logged, and the next one comes all the same."""

    name = "worker"
    # Commits come in hundreds a second; a worker looks this often at most.
    least_s = 0.02
    # A database or a provider that does not answer must not keep the hub from stopping.
    stop_s = 4.0

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    @abstractmethod
    async def turn(self) -> float:
        """Do what is due; how many seconds until there may be more, 0 where more is due already."""

    def wake(self) -> None:
        """There may be something to do; from the loop's own thread."""
        self._woken.set()

    def start(self) -> None:
        """Begin."""
        self._stopping = False
        self._task = asyncio.create_task(self._run(), name=self.name)

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._task is not None and not self._task.done()

    async def stop(self) -> None:
        """Finish the turn under way, unless it takes too long, and end. Idempotent."""
        self._stopping = True
        self._woken.set()
        task, self._task = self._task, None
        if task is None:
            return
        _, late = await asyncio.wait({task}, timeout=self.stop_s)
        if late:
            log.warning("a turn did not end in time", worker=self.name)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                pause = await self.turn()
            except CoreError as err:
                self._metrics.worker_errors.labels(self.name).inc()
                log.warning("a turn failed", worker=self.name, error=str(err))
                pause = _AFTER_ERROR_S
            except Exception:
                self._metrics.worker_errors.labels(self.name).inc()
                log.exception("a turn failed", worker=self.name)
                pause = _AFTER_ERROR_S
            if pause > 0 and not self._stopping:
                await self._sleep(pause)

    async def _sleep(self, pause: float) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), pause)
        except TimeoutError:
            return
        if not self._stopping:
            await asyncio.sleep(min(self.least_s, pause))
