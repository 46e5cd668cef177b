"""The FastAGI server against peers that misbehave and a hub that is busy: a caller gets an answer all the same."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from channels.pbx.agi import AgiAnswer, AgiHandlers, AgiLimits, AgiServer
from channels.pbx.agi_wire import AgiRequest
from tests.integration.pbx.waiting import until
from tests.patience import PATIENCE_S
from tests.unit.pbx.test_agi_wire import head

HEAD = head() + b"\n\n"
DIAL = AgiAnswer((("HUB_DIAL", "PJSIP/101"), ("HUB_ACTION", "dial")))
LATE = AgiAnswer((("HUB_ACTION", "fallback"),), late=True)
SENT = b'SET VARIABLE HUB_DIAL "PJSIP/101"\nSET VARIABLE HUB_ACTION "dial"\n'


class Office:
    """The handlers of a server, and what they were told."""

    def __init__(self) -> None:
        self.answered: list[tuple[AgiRequest, AgiAnswer, float]] = []
        self.block: threading.Event | None = None
        self.fault: Exception | None = None

    def decide(self, request: AgiRequest) -> AgiAnswer:
        """The decision."""
        if self.block is not None:
            self.block.wait(PATIENCE_S)
        if self.fault is not None:
            raise self.fault
        return DIAL

    def note(self, request: AgiRequest, answer: AgiAnswer, took_ms: float) -> None:
        """The answer went out."""
        self.answered.append((request, answer, took_ms))


@asynccontextmanager
async def _serving(
    office: Office, *, deadline_s: float = PATIENCE_S, limits: AgiLimits | None = None
) -> AsyncIterator[AgiServer]:
    handlers = AgiHandlers(office.decide, lambda _: LATE, office.note)
    server = AgiServer("127.0.0.1", 0, handlers, deadline_s, limits)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def _ask(server: AgiServer) -> bytes:
    """Everything that is sent to a caller who answers each command."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(HEAD)
        commands = await reader.read()
        writer.write(b"200 result=1\n" * commands.count(b"\n"))
        await writer.drain()
        writer.close()
        return commands


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """What is still said until the connection ends, well or badly."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_all_variables_in_one_go_and_our_half_closed() -> None:
    office = Office()
    async with _serving(office) as server:
        assert await _ask(server) == SENT
        await until(lambda: office.answered)
        assert server.stats.answered == 1
    ((request, answer, _),) = office.answered
    assert (request.line, answer) == ("+74951234567", DIAL)


async def test_a_header_byte_by_byte() -> None:
    async with _serving(Office()) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        for byte in HEAD:
            writer.write(bytes([byte]))
            await writer.drain()
        assert await reader.read() == SENT
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"agi_network: yes\nagi_req", HEAD[:-1]])
async def test_the_end_in_the_middle_of_the_header(sent: bytes) -> None:
    async with _serving(Office()) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(sent)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        assert await _ask(server) == SENT


@pytest.mark.parametrize("sent", [b"x" * 1_000_000, b"agi_a: b\n" * 200_000, b"\0" * 100_000])
async def test_headers_without_end_are_dropped(sent: bytes) -> None:
    async with _serving(Office()) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        with suppress(ConnectionError):
            writer.write(sent)
            await writer.drain()
        assert await _rest(reader) == b""
        writer.close()
        assert server.stats.malformed == 1
        assert await _ask(server) == SENT


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\nHost: x\n\n", b"\n\n", b"\xff\xfe\n\n"])
async def test_other_protocols_are_dropped(sent: bytes) -> None:
    async with _serving(Office()) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(sent)
        assert await _rest(reader) == b""
        writer.close()
        assert server.stats.malformed == 1


async def test_idle_connections_do_not_keep_others_from_an_answer() -> None:
    async with _serving(Office(), limits=AgiLimits(head_s=PATIENCE_S)) as server:
        idle = [await asyncio.open_connection(*server.address) for _ in range(100)]
        idle[0][1].write(HEAD[:40])
        await until(lambda: server.stats.open == 100)
        assert await _ask(server) == SENT
        assert server.stats.open >= 100
        for _, writer in idle:
            writer.close()
        await until(lambda: not server.stats.open)


async def test_idle_connections_are_let_go() -> None:
    async with _serving(Office(), limits=AgiLimits(head_s=0.1)) as server:
        idle = [await asyncio.open_connection(*server.address) for _ in range(100)]
        for reader, writer in idle:
            assert await _rest(reader) == b""
            writer.close()
        await until(lambda: server.stats.timed_out == 100)
        await until(lambda: not server.stats.open)


async def test_over_the_bound_connections_are_refused() -> None:
    async with _serving(Office(), limits=AgiLimits(connections=2)) as server:
        held = [await asyncio.open_connection(*server.address) for _ in range(2)]
        await until(lambda: server.stats.open == 2)
        reader, writer = await asyncio.open_connection(*server.address)
        assert await _rest(reader) == b""
        writer.close()
        assert server.stats.refused == 1
        for _, each in held:
            each.close()
        await until(lambda: not server.stats.open)
        assert await _ask(server) == SENT


async def test_a_caller_who_never_replies_is_let_go() -> None:
    async with _serving(Office(), limits=AgiLimits(reply_s=0.1)) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(HEAD)
        assert await reader.read() == SENT
        await until(lambda: server.stats.timed_out)
        writer.close()


async def test_a_slow_decision_is_replaced_in_time_and_so_are_those_behind_it() -> None:
    office = Office()
    office.block = threading.Event()
    async with _serving(office, deadline_s=0.1) as server:
        began = time.perf_counter()
        answers = await asyncio.gather(*(_ask(server) for _ in range(5)))
        took = time.perf_counter() - began
        office.block.set()
        office.block = None
        assert set(answers) == {b'SET VARIABLE HUB_ACTION "fallback"\n'}
        assert took < PATIENCE_S / 2
        assert server.stats.late == 5
        assert await _ask(server) == SENT


async def test_a_decision_that_fails_is_the_fallback_at_once() -> None:
    office = Office()
    office.fault = RuntimeError("a fault of ours")
    async with _serving(office) as server:
        began = time.perf_counter()
        assert await _ask(server) == b'SET VARIABLE HUB_ACTION "fallback"\n'
        assert time.perf_counter() - began < PATIENCE_S / 2
        assert server.running


async def test_a_refused_variable_is_counted() -> None:
    async with _serving(Office()) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(HEAD)
        await reader.read()
        writer.write(b"520-Invalid command syntax.\n Usage\n520 End of proper usage.\nHANGUP\n200 result=1\n")
        await until(lambda: server.stats.rejected_commands)
        writer.close()


async def test_a_busy_hub_keeps_nobody_waiting() -> None:
    """The hub's own loop is blocked outright; a caller on another thread is answered meanwhile."""
    answers: list[bytes] = []

    def call(address: tuple[str, int]) -> None:
        with socket.create_connection(address, timeout=PATIENCE_S) as caller:
            caller.sendall(HEAD)
            data = b""
            while piece := caller.recv(4096):
                data += piece
            answers.append(data)

    async with _serving(Office()) as server:
        thread = threading.Thread(target=call, args=(server.address,))
        thread.start()
        blocked_until = time.perf_counter() + PATIENCE_S
        while not answers and time.perf_counter() < blocked_until:
            sum(range(1000))
        thread.join()
    assert answers == [SENT]


async def test_an_address_that_is_taken() -> None:
    async with _serving(Office()) as server:
        other = AgiServer(*server.address, AgiHandlers(lambda _: DIAL, lambda _: LATE, lambda *_: None), 0.3)
        with pytest.raises(OSError, match="in use"):
            await other.start()
        assert not other.running
