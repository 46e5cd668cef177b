"""A hub as users run it: a process of its own, with its own hub.toml, on its own ports."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from crm_core.model.office import Office
from crm_core.ports import Policies
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from crm_core.storage.migrate import migrate
from crm_core.storage.store import Store
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import new_token, token_digest
from hub.clock import SystemClock
from hub.demo.peers.process import free_port
from routing.assign import LeastLoaded
from routing.escalation import TellByRole
from tests.e2e.loaded import Forked, hub_run
from tests.patience import PATIENCE_S

# Everything is read and made at a start: the heaviest moment of a hub's life.
START_S = 3 * PATIENCE_S


async def staffed(url: str, *people: NewUser) -> str:
    """Enter people into a record that no hub serves yet; a token of the first of them."""
    database, token = Database(url), new_token()
    await migrate(database)

    def service(desk: Desk) -> None:
        for each in people:
            add_user(desk, each)
        add_token(desk, people[0].login, token_digest(token))

    await Store(database, SystemClock(), Office(), Policies(LeastLoaded(), TellByRole())).run(service)
    await database.stop()
    return token


@dataclass
class HubProcess:
    """`config` is the text of hub.toml without its first keys."""

    folder: Path
    database_url: str
    config: str
    port: int = field(default_factory=free_port)
    process: Forked | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        head = f'database_url = "{self.database_url}"\nhttp = "127.0.0.1:{self.port}"\nfiles = "{self.folder}/files"\n'
        path = self.folder / "hub.toml"
        path.write_text(head + self.config, encoding="utf-8")
        await self.begin()
        await self.serving()

    async def begin(self) -> None:
        """Start without waiting."""
        self.process = await hub_run(self._environment(), self.folder / "hub.log")

    async def serving(self) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(START_S), aiohttp.ClientSession() as session:
            while True:
                assert self.process is not None
                assert self.process.returncode is None, self.log()
                try:
                    async with session.get(f"{self.url}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    pass  # not listening yet
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        return await self._end(signal.SIGTERM)

    async def command(self, *arguments: str, stdin: str = "") -> str:
        """What `hub …` prints; it must succeed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub", *arguments),
            env=self._environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin.encode())
        assert process.returncode == 0, err.decode()
        return out.decode().strip()

    def log(self) -> str:
        return (self.folder / "hub.log").read_text(encoding="utf-8")

    def _environment(self) -> dict[str, str]:
        return {
            "HUB_CONFIG": str(self.folder / "hub.toml"),
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }

    async def _end(self, number: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        return await process.wait()
