"""What a PBX connector is given: a router with a script, a journal, presence, a lease, cursors in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from crm_core.messages import (
    ChannelKey,
    DeviceState,
    RouteAction,
    RouteDecision,
    RouteQuery,
    StoredFile,
)
from crm_core.ports import ChannelContext, Clock
from tests.patience import PATIENCE_S


class RealClock:
    """The machine's own clock, for tests with real peers."""

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return asyncio.get_running_loop().time()


def dial(*endpoints: str, ring_s: int = 60) -> RouteDecision:
    """A decision to ring."""
    return RouteDecision(RouteAction.DIAL, endpoints, ring_s, "own manager", 7)


class ScriptedRouter:
    """A `CallRouter` that answers each attempt with the next decision of its script, then with the fallback."""

    def __init__(self, *script: RouteDecision) -> None:
        self.script = list(script)
        self.queries: list[RouteQuery] = []
        self.blocked: threading.Event | None = None

    def route(self, query: RouteQuery) -> RouteDecision:
        """The decision of the script; waits while `blocked` is set to an event that has not come."""
        self.queries.append(query)
        if self.blocked is not None:
            self.blocked.wait(PATIENCE_S)
        if query.attempt < len(self.script):
            return self.script[query.attempt]
        return RouteDecision(RouteAction.FALLBACK, reason="nobody is left")


class MemoryJournal:
    """A `RouteJournal` that keeps what it was told."""

    def __init__(self) -> None:
        self.decisions: list[tuple[RouteQuery, RouteDecision, float]] = []
        self.threads: set[str] = set()

    def decided(self, query: RouteQuery, decision: RouteDecision, took_ms: float) -> None:
        """Keep a decision."""
        self.threads.add(threading.current_thread().name)
        self.decisions.append((query, decision, took_ms))


class MemoryPresence:
    """A `PresenceSink` that can be waited on."""

    def __init__(self) -> None:
        self.states: dict[tuple[str, str], DeviceState] = {}
        self.history: list[tuple[str, DeviceState]] = []
        self.pauses: dict[tuple[str, str, str], bool] = {}
        self.forgotten = 0
        self._changed = asyncio.Event()

    def device(self, pbx: str, endpoint: str, state: DeviceState) -> None:
        """Note a telephone."""
        self.states[pbx, endpoint] = state
        self.history.append((endpoint, state))
        self._changed.set()

    def paused(self, pbx: str, endpoint: str, queue: str, *, paused: bool) -> None:
        """Note a pause."""
        self.pauses[pbx, endpoint, queue] = paused
        self._changed.set()

    def forget(self, pbx: str) -> None:
        """Forget a PBX."""
        self.forgotten += 1
        self.states = {key: state for key, state in self.states.items() if key[0] != pbx}
        self._changed.set()

    async def until(self, true: Callable[[MemoryPresence], bool], within_s: float = PATIENCE_S) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(within_s):
            while not true(self):
                self._changed.clear()
                await self._changed.wait()


class MemoryCursors:
    """A `CursorStore`."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, str], str] = {}

    async def load(self, key: ChannelKey, name: str) -> str | None:
        """The place last saved."""
        return self.places.get((str(key), name))

    async def save(self, key: ChannelKey, name: str, value: str) -> None:
        """Save a place."""
        self.places[str(key), name] = value


class MemoryLease:
    """A `Lease` that is had at once and can be taken away."""

    def __init__(self) -> None:
        self.held = False
        self.taken = asyncio.Event()

    async def acquire(self) -> None:
        """Hold it, unless it was taken away for good."""
        if self.taken.is_set():
            await asyncio.Event().wait()
        self.held = True

    async def lost(self) -> None:
        """Wait until it is taken away."""
        await self.taken.wait()
        self.held = False

    async def release(self) -> None:
        """Give it up."""
        self.held = False


class NoFiles:
    """A `FileStore` that nobody should ask."""

    async def put(self, content: AsyncIterator[bytes], max_size: int) -> StoredFile:
        """Never."""
        raise AssertionError("a PBX stores no files")

    async def put_bytes(self, content: bytes) -> StoredFile:
        """Never."""
        raise AssertionError("a PBX stores no files")

    async def read(self, sha256: str) -> bytes:
        """Never."""
        raise AssertionError("a PBX reads no files")


class PbxSurroundings:
    """All of it together, as a `ChannelContext`."""

    def __init__(self, router: ScriptedRouter, clock: Clock | None = None) -> None:
        self.router = router
        self.journal = MemoryJournal()
        self.presence = MemoryPresence()
        self.cursors = MemoryCursors()
        self.leases: dict[str, MemoryLease] = {}
        self.context = ChannelContext(
            clock=clock or RealClock(),
            files=NoFiles(),
            cursors=self.cursors,
            lease=self._lease,
            public_url="http://127.0.0.1:8080",
            region="RU",
            time_zone="Europe/Moscow",
            call_router=router,
            route_journal=self.journal,
            presence=self.presence,
        )

    def _lease(self, name: str) -> MemoryLease:
        return self.leases.setdefault(name, MemoryLease())
