"""Waiting for servers to listen."""

from __future__ import annotations

import asyncio

from hub.demo.peers.process import PeerProcess


async def serving(port: int, process: PeerProcess | None = None, within_s: float = 60.0) -> None:
    """Wait until somebody listens at a port of this machine: the process, if one is given. Raises TimeoutError, or
    PeerError where that has ended.
    """
    async with asyncio.timeout(within_s):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                if process is not None and process.returncode is not None:
                    raise process.gone("the program that was to listen") from None
                await asyncio.sleep(0.1)
                continue
            writer.close()
            return
