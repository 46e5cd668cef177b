"""`hub run` as a process of its own."""

import asyncio
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from hub.cli import running
from tests.patience import PATIENCE_S

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(folder: Path) -> AsyncIterator[Start]:
    """Starts `python -m hub …` in the empty folder; whatever still runs at the end is killed."""
    begun: list[Process] = []

    async def start(*arguments: str, http: str = "127.0.0.1:0", **more: str) -> Process:
        root = str(Path(__file__).parents[3])
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": root, "HUB_HTTP": http, "PYTHONUTF8": "1", **more}
        command = (sys.executable, "-m", "hub", *arguments)
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=folder, env=environment)
        begun.append(process)
        return process

    yield start
    for process in begun:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _line(process: Process) -> str:
    assert process.stdout is not None
    return (await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)).decode()


async def test_it_runs_on_nothing_tells_where_and_stops_when_asked(start: Start, folder: Path) -> None:
    hub = await start("run")
    told = await _line(hub)
    assert told.startswith("hub: http://127.0.0.1:")
    assert "администратора" in await _line(hub)
    url = told.removeprefix("hub: ").strip()
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as page:
            assert page.url.path == "/setup"
        command = ("user", "add", "--login", "ivan", "--name", "Иван", "--role", "admin")
        added = await start(*command)
        assert await asyncio.wait_for(added.wait(), PATIENCE_S) == 0, "the command line writes while the hub runs"
        async with session.get(url) as page:
            assert page.url.path == "/login"
        async with session.get(f"{url}/readyz") as ready:
            assert (await ready.json())["ok"] is True
    assert (folder / "var" / "hub.sqlite3").exists()
    hub.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(hub.wait(), PATIENCE_S) == 0


async def test_a_reader_of_events_does_not_hold_up_the_end(start: Start) -> None:
    hub = await start("run")
    url = (await _line(hub)).removeprefix("hub: ").strip()
    added = await start("user", "add", "--login", "ivan", "--name", "Иван", "--role", "admin")
    await asyncio.wait_for(added.wait(), PATIENCE_S)
    issued = await start("token", "issue", "--login", "ivan")
    out, _ = await asyncio.wait_for(issued.communicate(), PATIENCE_S)
    headers = {"Authorization": f"Bearer {out.decode().strip()}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(f"{url}/api/v1/events") as events:
        assert events.status == 200
        await events.content.readline()
        hub.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(hub.wait(), 45) == 0  # a server left to itself waits a minute


async def test_a_taken_address_is_told_in_a_sentence(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        hub = await start("run", http=f"127.0.0.1:{taken.getsockname()[1]}")
        _, err = await asyncio.wait_for(hub.communicate(), PATIENCE_S)
    assert hub.returncode == 1
    last = err.decode().strip().splitlines()[-1]
    assert last.startswith("hub: can't listen on 127.0.0.1:")
    assert "HUB_HTTP" in last
    assert "Traceback" not in err.decode()


async def test_waiting_for_a_database_ends_when_asked(start: Start) -> None:
    hub = await start("run", HUB_DATABASE_URL="postgresql+asyncpg://hub:x@127.0.0.1:1/hub")
    assert hub.stderr is not None
    async with asyncio.timeout(PATIENCE_S):
        while b"waiting for the database" not in await hub.stderr.readline():
            assert hub.returncode is None
    hub.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(hub.wait(), PATIENCE_S) == 0


def test_the_last_resort_ends_the_process_with_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    running._leave()
    assert codes == [1]
