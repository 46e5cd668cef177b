"""Nodes of the hub as processes, on a database that is filled already."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.posts import SECRET
from benchmarks.processes import quiet
from benchmarks.waiting import serving
from hub.demo.peers.process import PeerProcess, free_port

_LONGEST_START_S = 180
_CONFIG = """
http = "127.0.0.1:{port}"
database_url = "{url}"
files = "{folder}/files"
secret_key = "of-this-measurement-alone-and-nothing-else"
{redis}
[[gateway]]
name = "bridge"
secret = "{secret}"
"""


@dataclass(frozen=True, slots=True)
class Node:
    """A hub that serves; `notes` is where it says when it commits."""

    port: int
    pid: int
    notes: Path

    def committed(self) -> dict[int, tuple[int, int]]:
        """By position: when the database was asked to commit and when the hub knew that it had, in nanoseconds."""
        lines = (line.split() for line in self.notes.read_text(encoding="ascii").splitlines())
        return {int(position): (int(asked), int(done)) for position, asked, done in lines}


@asynccontextmanager
async def node(url: str, folder: Path, redis: str | None = None, rest_s: float = 20.0) -> AsyncIterator[Node]:
    """One more node on a database, ready and at rest."""
    port = free_port()
    config, notes = folder / f"{port}.toml", folder / f"{port}.commits"
    said = f'redis_url = "{redis}"' if redis is not None else ""
    config.write_text(_CONFIG.format(port=port, url=url, folder=folder, redis=said, secret=SECRET), encoding="utf-8")
    process = await PeerProcess.start(
        [sys.executable, "-m", "benchmarks.workspace.node", str(notes)],
        output=folder / f"{port}.log",
        env={"HUB_CONFIG": str(config)},
    )
    try:
        await serving(port, process, _LONGEST_START_S)
        await settled(process.pid, rest_s)
        yield Node(port, process.pid, notes)
    finally:
        await process.stop()


@asynccontextmanager
async def bare_pages(url: str, folder: Path) -> AsyncIterator[int]:
    """The port of the bare program on the same database."""
    port = free_port()
    process = await PeerProcess.start(
        [sys.executable, "-m", "benchmarks.workspace.bare", url, str(port)], output=folder / f"{port}.log"
    )
    try:
        await serving(port, process)
        yield port
    finally:
        await process.stop()


async def settled(pid: int, rest_s: float) -> None:
    """What a start leaves to be done is done; a hub that never rests is measured as it is."""
    try:
        await quiet([pid], rest_s)
    except TimeoutError:
        await asyncio.sleep(0)
