"""With the hub dead, slow, frozen or talking nonsense, the call rings the fallback within 5 seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from channels.pbx.agi import AgiAnswer, AgiHandlers, AgiServer
from crm_core.messages import RouteAction
from hub.demo.peers.process import free_port
from tests.fakes.pbx import dial
from tests.integration.pbx.conftest import CLIENT, FALLBACK, LINE, Exchange
from tests.patience import PATIENCE_S

WITHIN_S = 5.0
TRIES = 4


@pytest.fixture
def deadline_s() -> float:
    """As it is where nobody says otherwise."""
    return 0.3


# An AGI server of its own process, so that it can be frozen with its sockets open.
SERVER = """
import asyncio, sys
async def serve(reader, writer):
    await reader.readuntil(b"\\n\\n")
    writer.write(b'SET VARIABLE HUB_ACTION "dial"\\n')
    await reader.readline()
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    print("listening", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


async def _rings_the_fallback(exchange: Exchange, within_s: float = WITHIN_S) -> float:
    """Call, and wait until the fallback rings: after how many seconds from the call's start.

    What the machine does besides can only add to that, so the quickest of several calls tells; one that was quick
    enough is the last.
    """
    await exchange.people.phone(FALLBACK)
    took: list[float] = []
    while not took or (min(took) >= within_s and len(took) < TRIES):
        exchange.sink.events.clear()
        await exchange.people.caller(CLIENT, LINE, hold_ms=200)
        finished = await exchange.call("finished")
        rang = next(leg for leg in finished.legs if leg.endpoint == f"PJSIP/{FALLBACK}")
        assert finished.answered_by == f"PJSIP/{FALLBACK}"
        took.append((rang.rang_at - finished.started_at).total_seconds())
    return min(took)


async def _without_answers(exchange: Exchange) -> None:
    """A connector that only listens to AMI: FastAGI is somebody else's."""
    await exchange.hub(config=replace(exchange.config, agi_port=free_port()))


@asynccontextmanager
async def _raw_server(
    port: int, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> AsyncIterator[None]:
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


async def test_dead(exchange: Exchange) -> None:
    await _without_answers(exchange)
    assert await _rings_the_fallback(exchange) < WITHIN_S


async def test_a_decision_that_takes_too_long(exchange: Exchange) -> None:
    channel = await exchange.hub(dial("101"))
    exchange.around.router.blocked = threading.Event()
    try:
        assert await _rings_the_fallback(exchange, 1.5) < 1.5
    finally:
        exchange.around.router.blocked.set()
    decisions = exchange.around.journal.decisions
    assert {decision.action for _, decision, _ in decisions} == {RouteAction.FALLBACK}
    assert 250 < min(took_ms for _, _, took_ms in decisions) < 1000
    stats = channel.stats.agi
    assert stats is not None
    assert stats.late == len(decisions)


async def test_silent(exchange: Exchange) -> None:
    """It takes the connection and never says a word."""
    hang_up = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hang_up.wait()
        writer.close()

    await _without_answers(exchange)
    async with _raw_server(exchange.config.agi_port, serve):
        took = await _rings_the_fallback(exchange)
        hang_up.set()
    assert 1.0 < took < WITHIN_S


async def test_frozen(exchange: Exchange) -> None:
    await _without_answers(exchange)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, str(exchange.config.agi_port), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"listening\n"
        os.kill(process.pid, signal.SIGSTOP)
        took = await _rings_the_fallback(exchange)
    finally:
        process.kill()
        await process.wait()
    assert 1.0 < took < WITHIN_S


async def test_frozen_in_the_middle_of_an_answer(exchange: Exchange) -> None:
    hang_up = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        writer.write(b'SET VARIABLE HUB_ACTION "dial"\nSET VARIABLE HUB_DIAL "PJSIP/1')
        await hang_up.wait()
        writer.close()

    await _without_answers(exchange)
    async with _raw_server(exchange.config.agi_port, serve):
        took = await _rings_the_fallback(exchange)
        hang_up.set()
    assert took < WITHIN_S


async def test_nonsense(exchange: Exchange) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    await _without_answers(exchange)
    async with _raw_server(exchange.config.agi_port, serve):
        assert await _rings_the_fallback(exchange) < WITHIN_S


async def test_an_extension_that_cannot_be_dialled(exchange: Exchange) -> None:
    await exchange.hub(dial("101,20,G(evil)"))
    assert await _rings_the_fallback(exchange) < WITHIN_S
    _, decision, _ = exchange.around.journal.decisions[-1]
    assert decision.action is RouteAction.FALLBACK
    assert decision.contact_id == 7


async def test_a_caller_who_leaves_while_the_hub_is_silent(exchange: Exchange) -> None:
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()
        writer.close()

    await _without_answers(exchange)
    async with _raw_server(exchange.config.agi_port, serve):
        process = await exchange.people.impatient_caller(CLIENT, LINE, patience_ms=300)
        finished = await exchange.call("finished")
        async with asyncio.timeout(PATIENCE_S):
            await left.wait()
    await process.kill()
    assert finished.answered_at is None


async def test_the_server_survives_its_own_stop_under_way() -> None:
    def decide(_: object) -> AgiAnswer:
        return AgiAnswer((("HUB_ACTION", "fallback"),))

    server = AgiServer("127.0.0.1", 0, AgiHandlers(decide, decide, lambda *_: None), 0.3)
    await server.start()
    reader, writer = await asyncio.open_connection(*server.address)
    await server.stop()
    assert await reader.read() == b""
    writer.close()
    await server.stop()
