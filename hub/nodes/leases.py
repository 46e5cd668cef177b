"""Ownership of links and polling loops among several nodes, kept alive in the background."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from crm_core.errors import CoreError
from crm_core.ports import Clock
from crm_core.storage import leases
from crm_core.storage.database import Database
from hub.log import get_logger

log = get_logger(__name__)

_DURATION = timedelta(seconds=10)
_RENEW_S = 3.0
_ASK_S = 1.0


class DatabaseLease:
    """See `crm_core.ports.Lease`. It counts as lost when it could not be renewed before it ran out."""

    def __init__(self, database: Database, clock: Clock, name: str, owner: str) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._owner = owner
        self._held_until = 0.0
        self._epoch: int | None = None
        self._lost = asyncio.Event()
        self._renewing: asyncio.Task[None] | None = None

    @property
    def held(self) -> bool:
        """Whether this node still owns it, without asking the database."""
        return self._epoch is not None and self._clock.monotonic() < self._held_until

    async def acquire(self) -> None:
        """Wait until this node owns it."""
        if self.held:
            return
        await self._end_renewing()
        self._epoch = None  # what was held before is over: whatever epoch comes now is this node's own
        while not await self._ask():  # noqa: ASYNC110 — what is waited for happens in the database
            await asyncio.sleep(_ASK_S)
        self._lost.clear()
        self._renewing = asyncio.create_task(self._renew(), name=f"lease {self._name}")

    async def lost(self) -> None:
        """Wait until it is lost."""
        await self._lost.wait()

    async def release(self) -> None:
        """Give it up. Idempotent."""
        await self._end_renewing()
        if self._epoch is None:
            return
        self._epoch = None
        self._lost.set()
        try:
            await self._database.write(lambda conn: leases.release(conn, self._name, self._owner))
        except CoreError as err:
            log.warning("a lease was not given back; it runs out by itself", lease=self._name, error=str(err))

    async def _ask(self) -> bool:
        asked = self._clock.monotonic()
        try:
            epoch = await self._database.write(lambda conn: leases.acquire(conn, self._name, self._owner, _DURATION))
        except CoreError as err:
            log.warning("a lease can't be asked for", lease=self._name, error=str(err))
            return False
        if epoch is None or (self._epoch is not None and epoch != self._epoch):
            return False
        self._epoch = epoch
        # Counted from before the question: this side must think it over no later than the database does.
        self._held_until = asked + _DURATION.total_seconds()
        return True

    async def _renew(self) -> None:
        try:
            while self.held:
                await asyncio.sleep(_RENEW_S)
                await self._ask_in_time()
        except Exception:
            log.exception("a lease can't be renewed", lease=self._name)
        log.warning("a lease was lost", lease=self._name)
        self._epoch = None
        self._lost.set()

    async def _ask_in_time(self) -> None:
        """A database that does not answer must not keep the owner from seeing that the lease runs out."""
        left = self._held_until - self._clock.monotonic()
        asking = asyncio.create_task(self._ask(), name=f"lease {self._name}: asking")
        # Not waited for after the cancellation: that too would wait for the database.
        try:
            done, _ = await asyncio.wait({asking}, timeout=max(left, _ASK_S))
        except asyncio.CancelledError:
            asking.cancel()
            raise
        if not done:
            asking.cancel()
            log.warning("the database does not answer about a lease", lease=self._name)
            return
        asking.result()

    async def _end_renewing(self) -> None:
        task, self._renewing = self._renewing, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
