"""What a connector is given, in memory: cursors, a lease, files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

from crm_core.errors import InvalidInput, NotFound
from crm_core.messages import ChannelKey, StoredFile
from crm_core.ports import ChannelContext, Clock, CursorStore, FileStore, Lease


class MemoryCursors(CursorStore):
    """Places in the providers' streams; survive the connector, not the test."""

    def __init__(self) -> None:
        self.saved: dict[tuple[ChannelKey, str], str] = {}
        self.history: list[str] = []

    async def load(self, key: ChannelKey, name: str) -> str | None:
        """The place last saved."""
        return self.saved.get((key, name))

    async def save(self, key: ChannelKey, name: str, value: str) -> None:
        """Save the place."""
        self.saved[key, name] = value
        self.history.append(value)


class MemoryLease(Lease):
    """A right that the test gives and takes."""

    def __init__(self, *, free: bool = True) -> None:
        self._free = asyncio.Event()
        self._lost = asyncio.Event()
        self._held = False
        self.released = 0
        if free:
            self._free.set()

    async def acquire(self) -> None:
        """Wait until the test gives it."""
        await self._free.wait()
        self._lost.clear()
        self._held = True

    @property
    def held(self) -> bool:
        """Whether it is held."""
        return self._held

    async def lost(self) -> None:
        """Wait until the test takes it."""
        await self._lost.wait()

    async def release(self) -> None:
        """Give it up."""
        self.released += 1
        self._held = False

    def give(self) -> None:
        """Let it be acquired."""
        self._free.set()

    def take(self) -> None:
        """Take it away; another node has it now."""
        self._free.clear()
        self._held = False
        self._lost.set()


class MemoryFiles(FileStore):
    """Files by the hash of their content."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    async def put(self, content: AsyncIterator[bytes], max_size: int) -> StoredFile:
        """Store a stream."""
        whole = b"".join([piece async for piece in content])
        if len(whole) > max_size:
            raise InvalidInput("too long")
        return await self.put_bytes(whole)

    async def put_bytes(self, content: bytes) -> StoredFile:
        """Store bytes."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.contents[sha256] = content
        return StoredFile(sha256, len(content))

    async def read(self, sha256: str) -> bytes:
        """The content."""
        if sha256 not in self.contents:
            raise NotFound("no such file")
        return self.contents[sha256]


@dataclass
class ChannelWorld:
    """Everything a connector of messages needs; those of telephony want more than this."""

    clock: Clock
    cursors: MemoryCursors = field(default_factory=MemoryCursors)
    lease: MemoryLease = field(default_factory=MemoryLease)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    public_url: str = "https://hub.example.org"

    def context(self) -> ChannelContext:
        """The context; what only a PBX uses is absent."""
        absent = cast("Any", None)
        return ChannelContext(
            clock=self.clock,
            files=self.files,
            cursors=self.cursors,
            lease=lambda _: self.lease,
            public_url=self.public_url,
            region="RU",
            time_zone="Europe/Moscow",
            call_router=absent,
            route_journal=absent,
            presence=absent,
        )
