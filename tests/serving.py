"""A whole hub behind a port of the loopback interface, within the test's own process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from crm_core.services.desk import Desk
from hub.app import create_app
from hub.bootstrap import Hub
from tests.patience import PATIENCE_S


def basics(port: int, folder: Path, database_url: str = "") -> str:
    """The top of a hub.toml: where it serves and keeps what it keeps; without a URL, an embedded database."""
    url = database_url or f"sqlite+aiosqlite:///{folder}/hub.sqlite3"
    head = f'http = "127.0.0.1:{port}"\npublic_url = "http://127.0.0.1:{port}"\n'
    return head + f'database_url = "{url}"\nfiles = "{folder}/files"\n'


@asynccontextmanager
async def serving(hub: Hub, port: int, hire: Callable[[Desk], Any]) -> AsyncIterator[str]:
    """Start it, with the people that `hire` adds, known also where calls are decided; its address."""
    runner = web.AppRunner(create_app(hub))
    await hub.start()
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        _, position = await hub.store.run_at(hire)
        assert await hub.live.reached(position, PATIENCE_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        await hub.stop()
        await runner.cleanup()
