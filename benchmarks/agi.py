"""(b) How long a PBX waits for a decision, with 100,000 contacts, idle and under 500 messages a second of chat.

The other side is the smallest AGI server there can be: asyncio, a dict, the same variables. Both are asked in turn, by
the same client, over connections of their own, as Asterisk asks.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.engines import ENGINES, FIRST_NUMBER, fresh_urls, with_clients
from benchmarks.measuring import Report, Row, percentile, spread
from benchmarks.waiting import serving
from hub.demo.peers.process import free_port

CONTACTS = 100_000
CALLS = 2_000
WARM_UP = 200
CHAT_PER_SECOND = 500
CHAT_SECONDS = 20
_CONFIG = """
database_url = "{url}"
http = "127.0.0.1:{http}"
files = "{folder}/files"
log = "json"
[[telegram]]
name = "shop"
token = "1000001:bench"
mode = "webhook"
secret = "bench-secret"
api_base = "http://127.0.0.1:9"
[[pbx]]
name = "office"
ami = "ami://hub:secret@127.0.0.1:9"
agi = "127.0.0.1:{agi}"
[[line]]
number = "+74951234567"
pbx = "office"
group = "sales"
[[ladder]]
on = "message.unanswered"
steps = [ {{ after = "1h", tell = ["manager"] }} ]
"""


async def measure() -> Report:
    """Both engines: idle, then under load, each against the minimal server."""
    report = Report("agi: decision time with 100,000 contacts")
    for engine in ENGINES:
        with fresh_urls(engine) as urls, TemporaryDirectory() as folder:
            url = next(urls)
            await with_clients(url, CONTACTS)
            async with _servers(url, Path(folder)) as (hub, minimal, http):
                await _ask_both(hub, minimal, WARM_UP)
                ours, plain = await _ask_both(hub, minimal, CALLS)
                report.rows.append(_row(f"{engine}, idle", ours, plain, "p50 ≤ 1.5 ×", _ratio(ours, plain) <= 1.5))
                chat = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "benchmarks.sender", str(http), "100",
                    str(CHAT_PER_SECOND * CHAT_SECONDS), "64", str(CHAT_PER_SECOND),
                    stdout=asyncio.subprocess.DEVNULL,
                )  # fmt: skip
                await asyncio.sleep(2)
                ours, plain = await _ask_both(hub, minimal, CALLS)
                under_load = chat.returncode is None
                if not under_load:
                    report.notes.append(f"{engine}: the chat ended before the calls did; the figures are not of load")
                await chat.wait()
                p99 = percentile(ours, 0.99)
                name = f"{engine}, {CHAT_PER_SECOND} messages/s"
                report.rows.append(_row(name, ours, plain, "p99 < 10 ms", p99 < 10 and under_load))
    return report


def _ratio(ours: list[float], plain: list[float]) -> float:
    return percentile(ours, 0.5) / percentile(plain, 0.5)


def _row(what: str, ours: list[float], plain: list[float], aim: str, met: bool) -> Row:
    return Row(what, spread(ours), spread(plain), _ratio(ours, plain), aim, met)


@asynccontextmanager
async def _servers(url: str, folder: Path) -> AsyncIterator[tuple[int, int, int]]:
    """The hub and the minimal server, each a process of its own; their AGI ports and the hub's HTTP port."""
    agi, http, minimal = free_port(), free_port(), free_port()
    config = folder / "hub.toml"
    config.write_text(_CONFIG.format(url=url, http=http, agi=agi, folder=folder), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        hub_process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", "run", env={"HUB_CONFIG": str(config), "PATH": ""}, stdout=log, stderr=log
        )
        minimal_process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.minimal_agi", str(minimal), str(CONTACTS)
        )
        try:
            for port in (agi, http, minimal):
                await serving(port)
            yield agi, minimal, http
        finally:
            for process in (hub_process, minimal_process):
                if process.returncode is None:
                    process.terminate()
                    await process.wait()


async def _ask_both(hub: int, minimal: int, calls: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each call, the two servers asked in turn."""
    ours: list[float] = []
    plain: list[float] = []
    for number in range(calls):
        client = FIRST_NUMBER + (number * 37) % CONTACTS
        ours.append(await ask(hub, client, number))
        plain.append(await ask(minimal, client, number))
    return ours, plain


async def ask(port: int, client: int, number: int) -> float:
    """From the connection to the last variable set, as a PBX sees it."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"agi_network: yes\nagi_network_script: route/office\nagi_request: agi://127.0.0.1/route/office\n"
        f"agi_channel: PJSIP/trunk-{number:08x}\nagi_language: ru\nagi_type: PJSIP\n"
        f"agi_uniqueid: {time.time():.3f}.{number}\nagi_version: 22.10\nagi_callerid: {client}\n"
        f"agi_calleridname: unknown\nagi_dnid: 74951234567\nagi_context: hub-inbound\nagi_extension: 74951234567\n"
        f"agi_priority: 3\nagi_arg_1: 0\n\n".encode()
    )
    variables = 0
    while line := await reader.readline():
        if line.startswith(b"SET VARIABLE"):
            variables += 1
            writer.write(b"200 result=1\n")
    writer.close()
    if variables < 5:
        raise RuntimeError(f"only {variables} variables were set")
    return (time.perf_counter() - began) * 1000
