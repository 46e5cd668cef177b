"""Having pictures made small by processes of their own, at the first asking; what they made is kept beside the file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from crm_core.errors import CoreError
from hub.apart import done_apart
from hub.files import DiskFiles
from hub.log import get_logger
from hub.previews import worker

log = get_logger(__name__)

SMALL: Final = 64 * 1024
"""What is no larger is its own preview."""
MOST: Final = 256 * 1024
CONTENT_TYPE: Final = "image/webp"
_PATIENCE_S: Final = 20.0
_AT_ONCE: Final = 2
_REMEMBERED: Final = 10_000
# Nothing else of ours reaches the process.
_KEPT: Final = ("PATH", "LANG", "LC_ALL", "TMPDIR")


class Previews:
    """Makes them, two at a time, each once."""

    def __init__(self, files: DiskFiles, patience_s: float = _PATIENCE_S) -> None:
        self._files = files
        self._patience_s = patience_s
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._under_way: dict[str, asyncio.Task[Path | None]] = {}
        self._hopeless: dict[str, None] = {}

    async def of(self, sha256: str, size: int) -> Path | None:
        """Where the preview of a picture of the store lies; None where the picture itself has to do, for it is small,
        or none can be made. Raises NotFound for what is no hash."""
        if size <= SMALL or sha256 in self._hopeless:
            return None
        path = self._files.preview(sha256)
        if await asyncio.to_thread(path.is_file):
            return path
        task = self._under_way.get(sha256)
        if task is None:
            task = self._under_way[sha256] = asyncio.create_task(self._made(sha256), name=f"preview of {sha256[:8]}")
            task.add_done_callback(lambda _: self._under_way.pop(sha256, None))
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Wait for nothing that nobody will ask for."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _made(self, sha256: str) -> Path | None:
        async with self._turns:
            try:
                content = await self._drawn(await self._files.read(sha256))
                if content:
                    return await self._files.keep_preview(sha256, content)
            except (CoreError, OSError) as err:
                log.warning("a preview could not be kept", file=sha256, error=str(err))
                return None
        self._hopeless[sha256] = None
        if len(self._hopeless) > _REMEMBERED:
            del self._hopeless[next(iter(self._hopeless))]
        return None

    async def _drawn(self, picture: bytes) -> bytes:
        """The small picture; empty where the process makes none of it."""
        try:
            answer = await done_apart(worker, picture, keep=_KEPT, patience_s=self._patience_s)
        except TimeoutError:
            return b""
        return answer.written if answer.status == 0 and len(answer.written) <= MOST else b""
