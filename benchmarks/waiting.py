"""Waiting for servers to listen."""

from __future__ import annotations

import asyncio


async def serving(port: int, within_s: float = 60.0) -> None:
    """Wait until somebody listens at a port of this machine. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return
