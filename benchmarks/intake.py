"""(a) Inbound messages a second, complete: journal, contact, identity, timeline, lead, case, deadline, outbox."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from benchmarks import bare
from benchmarks.engines import ENGINES, add_people, fresh_urls, migrated
from benchmarks.measuring import Report, Row, percentile
from crm_core.messages import ChannelKey, EntryKind, InboundEvent, MessageReceived, Sender
from crm_core.model.identity import Identity, IdentityKind
from crm_core.model.ladder import Ladder, LadderEvent, Ladders, LadderStep, Told
from crm_core.model.office import Office
from crm_core.ports import Policies
from crm_core.storage.store import Store
from hub.bootstrap import build
from hub.clock import SystemClock
from hub.intake import Intake
from hub.metrics import Metrics
from hub.settings import parse_settings
from routing.assign import LeastLoaded
from routing.escalation import TellByRole

MESSAGES = 10_000
WARM_UP = 1_000
PRODUCERS = 64
ROUNDS = 3
SHOP = ChannelKey("telegram", "shop")
AIMS = {"postgresql": (0.70, 0.45), "sqlite": (0.50, 0.33)}
_TEXT = "Здравствуйте, сколько стоит окно?"


async def measure() -> Report:
    """Both engines, hub and bare program in turn."""
    report = Report("intake: inbound messages a second")
    for engine in ENGINES:
        ours: list[float] = []
        behind: list[float] = []
        plain: list[float] = []
        waits: list[float] = []
        with fresh_urls(engine) as urls:
            for _ in range(ROUNDS):
                plain.append(await _bare(engine, next(urls)))
                rate, latencies = await _in_process(next(urls))
                ours.append(rate)
                waits += latencies
                behind.append(await _behind_http(next(urls)))
        base = statistics.median(plain)
        for name, rates, aim in (("in process", ours, AIMS[engine][0]), ("behind HTTP", behind, AIMS[engine][1])):
            rate = statistics.median(rates)
            report.rows.append(
                Row(
                    f"{engine}, {name}",
                    f"{rate:,.0f}/s",
                    f"{base:,.0f}/s",
                    rate / base,
                    f"≥ {aim:.2f}",
                    rate / base >= aim,
                )
            )
        report.notes.append(
            f"{engine}: in process p50 {percentile(waits, 0.5):.1f} ms, p99 {percentile(waits, 0.99):.1f} ms"
            f" from the door to the commit with {PRODUCERS} senders;"
            f" rounds {', '.join(f'{each:,.0f}' for each in ours)}/s"
        )
    report.notes.append(
        "The bare program writes seven rows a message in batches of 100 and reads nothing; the hub writes those,"
        " the case and the change feed, and looks clients up."
    )
    return report


async def _bare(engine: str, url: str) -> float:
    database = await migrated(url)
    store = _store(database_url=url)
    await store.run(add_people)
    await store.database.stop()
    await database.stop()
    if engine == "sqlite":
        return await asyncio.to_thread(bare.sqlite, url, MESSAGES)
    return await bare.postgresql(url, MESSAGES)


def _store(database_url: str) -> Store:
    from crm_core.storage.database import Database

    five_minutes = Ladder(LadderEvent.MESSAGE_UNANSWERED, (LadderStep(timedelta(minutes=5), (Told.MANAGER,)),))
    office = Office(staff_channel=ChannelKey("telegram", "staff"), ladders=Ladders.of((five_minutes,)))
    return Store(Database(database_url), SystemClock(), office, Policies(LeastLoaded(), TellByRole()))


async def _in_process(url: str) -> tuple[float, list[float]]:
    database = await migrated(url)
    await database.stop()
    store = _store(url)
    await store.run(add_people)
    intake = Intake(store, Metrics(), {})
    intake.start()
    await _produce(intake, _events(0, WARM_UP), [])
    latencies: list[float] = []
    began = time.perf_counter()
    await _produce(intake, _events(WARM_UP, MESSAGES), latencies)
    took = time.perf_counter() - began
    await intake.stop()
    await store.database.stop()
    return MESSAGES / took, latencies


async def _produce(intake: Intake, events: Iterator[InboundEvent], latencies: list[float]) -> None:
    async def producer() -> None:
        for event in events:
            began = time.perf_counter()
            await intake.receive(event)
            latencies.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(producer() for _ in range(PRODUCERS)))


def _events(first: int, count: int) -> Iterator[InboundEvent]:
    for number in range(first, first + count):
        yield InboundEvent(
            key=SHOP,
            external_id=str(number),
            conversation=str(number),
            occurred_at=datetime.now(UTC),
            sender=Sender((Identity(IdentityKind.TG, str(number)),), f"Клиент {number}"),
            payload=MessageReceived(EntryKind.MESSAGE, _TEXT, "1"),
            raw=b"{}",
            sequence=number,
        )


# ---------------------------------------------------------------- behind HTTP

_CONFIG = """
database_url = "{url}"
http = "127.0.0.1:{port}"
files = "{folder}/files"
[[telegram]]
name = "shop"
token = "1000001:bench"
mode = "webhook"
secret = "bench-secret"
api_base = "http://127.0.0.1:9"
[[telegram]]
name = "staff"
token = "1000002:bench"
staff = true
mode = "webhook"
secret = "bench-secret"
api_base = "http://127.0.0.1:9"
[[ladder]]
on = "message.unanswered"
steps = [ {{ after = "5m", tell = ["manager"] }} ]
"""


async def _behind_http(url: str) -> float:
    """The whole hub in this process, its webhook fed by another process over loopback."""
    from aiohttp import web

    from hub.app import create_app

    with TemporaryDirectory() as folder:
        settings = parse_settings(_CONFIG.format(url=url, port=0, folder=folder), folder=Path(folder))
        hub = build(settings)
        await hub.start()
        await hub.store.run(add_people)
        await hub.outbox.stop()  # nobody answers on the other side; what is measured is the way in
        runner = web.AppRunner(create_app(hub), access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            return await _load(port)
        finally:
            await runner.cleanup()
            await hub.stop()


async def _load(port: int) -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.sender", str(port), str(WARM_UP), str(MESSAGES), str(PRODUCERS),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    return float(orjson.loads(out)["rate"])
