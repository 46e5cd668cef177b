"""Where channels keep what must outlive them: files, places in streams, the right to be the only one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from crm_core.messages import ChannelKey, StoredFile


class FileStore(Protocol):
    """Files by the hash of their content."""

    async def put(self, content: AsyncIterator[bytes], max_size: int) -> StoredFile:
        """Store, returning when it is on disk; raises InvalidInput where it is longer than `max_size` bytes."""

    async def put_bytes(self, content: bytes) -> StoredFile:
        """Store a small file whole."""

    async def read(self, sha256: str) -> bytes:
        """The whole content; raises NotFound."""


class CursorStore(Protocol):
    """Where a channel keeps its place in the provider's stream (offset, ts, UID) across restarts."""

    async def load(self, key: ChannelKey, name: str) -> str | None:
        """The place last saved."""

    async def save(self, key: ChannelKey, name: str, value: str) -> None:
        """Save the place; returns after commit."""


class Lease(Protocol):
    """The exclusive right to own a link or a polling loop, among all nodes."""

    async def acquire(self) -> None:
        """Wait until this node holds it."""

    @property
    def held(self) -> bool:
        """Whether it still does; a loop asks before each step and stops where not."""

    async def lost(self) -> None:
        """Wait until it is lost."""

    async def release(self) -> None:
        """Give it up. Idempotent."""
