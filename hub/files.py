"""The file store: files lie under the SHA-256 of their content, written once, whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from crm_core.errors import InvalidInput, NotFound
from crm_core.messages import StoredFile

_HEX = frozenset("0123456789abcdef")
_SHA256_LENGTH = 64


class DiskFiles:
    """Files in a folder; see `crm_core.ports.FileStore`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, content: AsyncIterator[bytes], max_size: int) -> StoredFile:
        """Store a stream; raises InvalidInput where it is longer than `max_size` bytes (nothing is kept then)."""
        handle, path = await asyncio.to_thread(self._temporary)
        digest, size = hashlib.sha256(), 0
        try:
            async for piece in content:
                size += len(piece)
                _bound(size, max_size)
                digest.update(piece)
                await asyncio.to_thread(_write_all, handle, piece)
            await asyncio.to_thread(self._keep, handle, path, digest.hexdigest())
        except BaseException:
            await asyncio.to_thread(_discard, handle, path)
            raise
        return StoredFile(digest.hexdigest(), size)

    async def put_bytes(self, content: bytes) -> StoredFile:
        """Store a small file whole."""

        async def pieces() -> AsyncIterator[bytes]:
            yield content

        return await self.put(pieces(), len(content))

    async def read(self, sha256: str) -> bytes:
        """The whole content; raises NotFound."""
        path = self.path(sha256)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError as err:
            raise NotFound("the file {sha256} is not in the store", sha256=sha256) from err

    async def remove(self, sha256: str) -> bool:
        """Take a file off the disk; False where it is not there. Whoever asks knows that nothing refers to it."""
        try:
            await asyncio.to_thread(self.path(sha256).unlink)
        except FileNotFoundError:
            return False
        finally:
            await asyncio.to_thread(self.preview(sha256).unlink, missing_ok=True)
        return True

    async def keep_preview(self, sha256: str, content: bytes) -> Path:
        """Keep a small picture of a stored one, which can be made again at any time; where it lies."""
        return await asyncio.to_thread(self._keep_preview, sha256, content)

    def path(self, sha256: str) -> Path:
        """Where a file lies; raises NotFound for what is no hash."""
        if len(sha256) != _SHA256_LENGTH or not _HEX.issuperset(sha256):
            raise NotFound("there is no such file")
        return self._folder / sha256[:2] / sha256

    def preview(self, sha256: str) -> Path:
        """Where the small picture of a stored one lies, if it was made; raises NotFound for what is no hash."""
        return self.path(sha256).with_suffix(".preview")

    def _keep_preview(self, sha256: str, content: bytes) -> Path:
        handle, temporary = self._temporary()
        try:
            _write_all(handle, content)
            os.close(handle)
            found = temporary.replace(self.preview(sha256))
        except BaseException:
            _discard(handle, temporary)
            raise
        if not self.path(sha256).is_file():  # it was taken away meanwhile
            found.unlink(missing_ok=True)
            raise NotFound("the file {sha256} is not in the store", sha256=sha256)
        return found

    def _temporary(self) -> tuple[int, Path]:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".incoming-")
        return handle, Path(name)

    def _keep(self, handle: int, temporary: Path, sha256: str) -> None:
        """On disk before the row that names it is committed."""
        os.fsync(handle)
        os.close(handle)
        final = self.path(sha256)
        final.parent.mkdir(exist_ok=True)
        temporary.replace(final)
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _bound(size: int, max_size: int) -> None:
    if size > max_size:
        raise InvalidInput("the file is larger than {most} bytes", most=max_size)


def _write_all(handle: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(handle, view) :]


def _discard(handle: int, path: Path) -> None:
    with contextlib.suppress(OSError):  # closed already where the failure came after it
        os.close(handle)
    path.unlink(missing_ok=True)
