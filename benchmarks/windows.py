"""(h) Open windows of the chat on one node: the memory of each, and how soon a message is in its window among them all.

The bare program is an aiohttp server that opens the same endless answers and never sends anything through them.
BENCH_WINDOWS is how many are opened, 10,000 by itself.
"""

from __future__ import annotations

import asyncio
import os
import resource
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
from aiohttp import web

from benchmarks.measuring import Report, Row, percentile, spread
from benchmarks.processes import quiet, resident_mb
from channels.web.tokens import Seals
from hub.access.secret_key import key_for
from hub.demo.peers.process import free_port
from hub.settings import parse_settings

WINDOWS = int(os.environ.get("BENCH_WINDOWS", "10000"))
MESSAGES = 200
FEW = 20
AIM_KB, AIM_RATIO = 40, 1.5
ORIGIN = "https://example.org"
_AT_ONCE = 100
_WITHIN_S = 600
_FILES = 500  # besides the windows
_CONFIG = """
http = "127.0.0.1:{port}"
database_url = "sqlite+aiosqlite:///{folder}/hub.sqlite3"
files = "{folder}/files"
secret_key = "of-this-measurement"
[[web]]
name = "site"
key = "site-key"
origins = ["https://example.org"]
"""


async def measure() -> Report:
    """First the bare server, then the hub."""
    report = Report("windows: open windows of the chat on one node")
    count = _possible()
    if count < WINDOWS:
        report.notes.append(f"this machine allows {count:,} open files only: that many windows were opened")
    async with asyncio.timeout(_WITHIN_S):
        with tempfile.TemporaryDirectory() as folder:
            bare = await _bare(count)
            ours, opened_s, few, many = await _hub(count, Path(folder))
    report.rows.append(
        Row(
            f"memory of each of {count:,} windows", f"{ours:.1f} kB", f"{bare:.1f} kB", ours / bare,
            f"≤ {AIM_KB} kB", ours <= AIM_KB,
        )
    )  # fmt: skip
    ratio = percentile(many, 0.5) / percentile(few, 0.5)
    report.rows.append(
        Row(
            f"from a visitor's post to their window, among {count:,} and among {FEW}", spread(many), spread(few), ratio,
            f"p50 ≤ {AIM_RATIO:.1f} ×", ratio <= AIM_RATIO,
        )
    )  # fmt: skip
    report.notes.append(f"the hub: {count / opened_s:,.0f} windows opened a second, each with a look into the record")
    return report


def _possible() -> int:
    """How many windows the limit of open files lets us have, raised as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WINDOWS + _FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(min(WINDOWS, soft - _FILES), 1)


async def _bare(count: int) -> float:
    """kB of each window of a server that does nothing else."""
    port = free_port()
    async with _process("benchmarks.windows", "bare", str(port), ready=f"http://127.0.0.1:{port}/") as pid:
        before = resident_mb(pid)
        windows = await _open(port, "/", [b"{}"] * count)
        await asyncio.sleep(1)
        each = (resident_mb(pid) - before) * 1000 / count
        _close(windows)
    return each


async def _hub(count: int, folder: Path) -> tuple[float, float, list[float], list[float]]:
    """kB of each window, seconds that opening took, milliseconds from a post to its window among few and many."""
    port = free_port()
    text = _CONFIG.format(port=port, folder=folder)
    (folder / "hub.toml").write_text(text, encoding="utf-8")
    seals = Seals(key_for(parse_settings(text, folder=folder), "visitors of websites"), "site")
    tokens = [seals.new_visitor() for _ in range(count)]
    environment = {"HUB_CONFIG": str(folder / "hub.toml")}
    async with _process("hub", "run", ready=f"http://127.0.0.1:{port}/readyz", environment=environment) as pid:
        first = await _open(port, _STREAM, [_body(each) for each in tokens[:FEW]])
        await _talk(port, tokens[:FEW], first)  # warm
        few = [took for _ in range(MESSAGES // FEW) for took in await _talk(port, tokens[:FEW], first)]
        before = resident_mb(pid)
        began = time.perf_counter()
        windows = await _open(port, _STREAM, [_body(each) for each in tokens[FEW:]])
        opened_s = time.perf_counter() - began
        await quiet([pid])  # each window still looks into the record after its first sign of life
        each = (resident_mb(pid) - before) * 1000 / len(windows)
        step = max(len(windows) // MESSAGES, 1)
        many = await _talk(port, tokens[FEW::step][:MESSAGES], windows[::step][:MESSAGES])
        _close(windows)
    return each, opened_s, few, many


_STREAM = "/in/web/site/chat/stream"
_Window = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _body(token: str) -> bytes:
    return orjson.dumps({"token": token, "after": 0})


async def _open(port: int, path: str, bodies: list[bytes]) -> list[_Window]:
    """Windows whose first sign of life came."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(body: bytes) -> _Window:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nOrigin: {ORIGIN}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b": hello\n\n")
            if b" 200 " not in answer[:20]:
                raise RuntimeError(answer.decode())
            return reader, writer

    return await asyncio.gather(*(one(body) for body in bodies))


async def _talk(port: int, tokens: list[str], windows: list[_Window]) -> list[float]:
    """One after another: milliseconds from the post of a visitor to the line in their own window."""
    found: list[float] = []
    async with aiohttp.ClientSession(headers={"Origin": ORIGIN}) as session:
        for number, (token, (reader, _)) in enumerate(zip(tokens, windows, strict=True)):
            body = orjson.dumps({"token": token, "id": secrets.token_hex(8), "text": f"Вопрос {number}"})
            began = time.perf_counter()
            async with session.post(f"http://127.0.0.1:{port}/in/web/site/chat/send", data=body) as answer:
                answer.raise_for_status()
            await reader.readuntil(f'"Вопрос {number}"'.encode())
            found.append((time.perf_counter() - began) * 1000)
    return found


def _close(windows: list[_Window]) -> None:
    for _, writer in windows:
        writer.transport.abort()


@asynccontextmanager
async def _process(
    module: str, *arguments: str, ready: str, environment: dict[str, str] | None = None
) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, env=os.environ | (environment or {}),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            while process.returncode is None:
                try:
                    async with session.get(ready):
                        break
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.05)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def serve_bare(port: int) -> None:
    """Endless answers and nothing in them."""
    _possible()

    async def hold(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": hello\n\n")
        await asyncio.get_running_loop().create_future()
        return response

    async def here(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hold)
    app.router.add_get("/", here)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, shutdown_timeout=0.1)


if __name__ == "__main__":
    serve_bare(int(sys.argv[2]))
