"""(d) Facts a second through each HTTP port, answered after the commit, beside a bare aiohttp handler answering 200."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

import orjson
from aiohttp import web

from benchmarks import bare
from benchmarks.engines import ENGINES, add_people, fresh_urls, migrated
from benchmarks.measuring import Report, Row
from benchmarks.posts import GROUP, POSTS, SECRET
from hub.app import create_app
from hub.bootstrap import build
from hub.settings import parse_settings

MESSAGES = 6_000
WARM_UP = 500
CONNECTIONS = 64
SHARE = 0.5

_CONFIG = f"""
files = "files"
http = "127.0.0.1:0"
[[telegram]]
name = "shop"
token = "1000001:bench"
mode = "webhook"
secret = "{SECRET}"
api_base = "http://127.0.0.1:9"
[[telegram]]
name = "staff"
token = "1000002:bench"
staff = true
mode = "webhook"
secret = "{SECRET}"
api_base = "http://127.0.0.1:9"
[[vk]]
name = "community"
group_id = {GROUP}
token = "bench"
secret = "{SECRET}"
confirmation = "bench"
api_base = "http://127.0.0.1:9"
[[web]]
name = "site"
key = "{SECRET}"
[[gateway]]
name = "bridge"
secret = "{SECRET}"
"""


class Load(TypedDict):
    """What the sender measured: facts a second, milliseconds from post to answer."""

    rate: float
    p50_ms: float
    p99_ms: float


async def measure() -> Report:
    """Every port on both engines; the bare handler and the bare writer in the same run."""
    report = Report("ports: facts a second through each HTTP port")
    plain: dict[str, Load] = {}
    for name in POSTS:
        async with _bare_handler() as port:
            plain[name] = await _load(port, name)
    for engine in ENGINES:
        with fresh_urls(engine) as urls:
            limit = await _writing(engine, next(urls))
            for name in POSTS:
                async with _hub(next(urls)) as port:
                    found = await _load(port, name)
                _compare(report, f"{name}, {engine}", found, plain[name], limit)
            report.notes.append(f"{engine}: a bare program writes {limit:,.0f} messages a second in batches of 100")
    report.notes.append(
        f"{MESSAGES:,} facts of strangers over {CONNECTIONS} connections from another process; the aim is half of the"
        " bare handler or what the database takes, whichever is lower."
    )
    return report


def _compare(report: Report, what: str, found: Load, plain: Load, limit: float) -> None:
    aim = min(SHARE * plain["rate"], limit)
    report.rows.append(Row(what, _shown(found), _shown(plain), found["rate"] / plain["rate"], f"≥ {aim:,.0f}/s",
                           found["rate"] >= aim))  # fmt: skip


def _shown(load: Load) -> str:
    return f"{load['rate']:,.0f}/s p50 {load['p50_ms']:.0f} p99 {load['p99_ms']:.0f} ms"


async def _writing(engine: str, url: str) -> float:
    database = await migrated(url)
    async with _people(url):
        await database.stop()
    if engine == "sqlite":
        return await asyncio.to_thread(bare.sqlite, url, MESSAGES)
    return await bare.postgresql(url, MESSAGES)


@asynccontextmanager
async def _people(url: str) -> AsyncIterator[None]:
    """The office that the rows name."""
    with TemporaryDirectory() as folder:
        hub = build(parse_settings(f'database_url = "{url}"\n{_CONFIG}', folder=Path(folder)), connectors={})
        await hub.store.run(add_people)
        yield
        await hub.store.database.stop()


@asynccontextmanager
async def _bare_handler() -> AsyncIterator[int]:
    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    async with _served(app) as port:
        yield port


@asynccontextmanager
async def _hub(url: str) -> AsyncIterator[int]:
    """The whole hub in this process."""
    with TemporaryDirectory() as folder:
        hub = build(parse_settings(f'database_url = "{url}"\n{_CONFIG}', folder=Path(folder)))
        await hub.start()
        await hub.store.run(add_people)
        await hub.outbox.stop()  # nobody answers on the other side; what is measured is the way in
        async with _served(create_app(hub)) as port:
            yield port
        await hub.stop()


@asynccontextmanager
async def _served(app: web.Application) -> AsyncIterator[int]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _load(port: int, name: str) -> Load:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.sender", str(port), str(WARM_UP), str(MESSAGES), str(CONNECTIONS),
        "--to", name, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    found: Load = orjson.loads(out)
    return found
