"""(e) AMI events a second: from the socket to facts for the intake, against a parser that does nothing but parse.

Both read the same bytes from the same server over loopback, in turn. The connector splits, parses, keeps the books of
all calls and hands facts to an intake that only counts; the other splits on blank lines and makes a dict of each block.
Seconds are processor time of the thread that does it, so that what else the machine does is not measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from benchmarks.measuring import Report, Row
from benchmarks.replay import TOGETHER, ReplayServer, another, capture, let_through, together
from channels.pbx.ami import AmiAddress
from channels.pbx.config import PbxConfig
from channels.pbx.connector import create
from channels.pbx.snippet import Part, snippet
from crm_core.messages import InboundEvent, Receipt, ReceiptState
from tests.fakes.pbx import PbxSurroundings, ScriptedRouter

CALLS = 2_400
ROUNDS = 5
AIM = 0.5
STREAMS = (
    "101_busy_then_102",
    "ami_blindtransfer_101_to_102",
    "ami_redirect_101_to_102",
    "callback_originate_answered",
    "caller_abandons_ringing",
    "inbound_answered_caller_hangs_up",
    "inbound_noanswer_timeout",
    "queue_two_members",
)
LAST = "inbound_answered_caller_hangs_up"
_BLANK = b"\r\n\r\n"


async def measure() -> Report:
    """All event classes, as captured; and what the printed manager.conf lets through."""
    report = Report("ami: events a second, from the socket to facts")
    manager = snippet(_config(0), Part.MANAGER)
    every = {name: capture(name) for name in STREAMS}
    fewer = {name: let_through(blocks, manager) for name, blocks in every.items()}
    for what, captures, aim in (("every event class", every, AIM), ("as manager.conf filters", fewer, None)):
        stream, count = _stream(captures)
        ours: list[float] = []
        plain: list[float] = []
        facts = 0
        for _ in range(ROUNDS):
            plain.append(count / await _plain(stream, count))
            seconds, facts = await _adapter(stream)
            ours.append(count / seconds)
        ratio = max(ours) / max(plain)
        aimed, met = (f"≥ {aim:.2f}", ratio >= aim) if aim is not None else ("", None)
        report.rows.append(Row(what, f"{max(ours):,.0f}/s", f"{max(plain):,.0f}/s", ratio, aimed, met))
        report.notes.append(
            f"{what}: {count:,} events of {CALLS:,} calls, {len(stream) / 1e6:.0f} MB, {facts:,} facts;"
            f" rounds {', '.join(f'{each:,.0f}' for each in ours)}/s"
        )
    return report


def _stream(captures: Mapping[str, Sequence[bytes]]) -> tuple[bytes, int]:
    """The bytes of all calls, some of them at a time, the last one alone; and how many events they are."""
    names = list(captures)
    parts: list[bytes] = []
    for first in range(0, CALLS, TOGETHER):
        numbers = range(first, first + TOGETHER)
        parts.append(together([another(captures[names[number % len(names)]], number) for number in numbers]))
    parts.append(together([another(captures[LAST], CALLS + TOGETHER)]))
    stream = b"".join(parts)
    return stream, stream.count(_BLANK)


def _last_call(stream: bytes) -> str:
    return stream.rpartition(b"Linkedid: ")[2].partition(b"\r\n")[0].decode()


def _config(ami_port: int) -> PbxConfig:
    return PbxConfig("office", AmiAddress("127.0.0.1", ami_port, "hub", "secret"), agi_port=0)


async def _plain(stream: bytes, count: int) -> float:
    """Processor time until the last block is a dict, in seconds."""
    server = ReplayServer()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"Action: Login\r\n\r\nAction: CoreShowChannels\r\n\r\n")
    await asyncio.to_thread(server.listed.wait, 10)
    # the answers to those two, and the greeting, are no part of the stream
    for _ in range(4):
        await reader.readuntil(_BLANK)
    began = time.thread_time()
    sending = asyncio.create_task(asyncio.to_thread(server.send, stream))
    parsed, rest = 0, b""
    while parsed < count:
        *blocks, rest = (rest + await reader.read(65_536)).split(_BLANK)
        for block in blocks:
            fields: dict[str, str] = {}
            for line in block.decode("utf-8", "replace").split("\r\n"):
                key, _, value = line.partition(": ")
                fields[key] = value
            parsed += 1
    seconds = time.thread_time() - began
    await sending
    writer.close()
    server.close()
    return seconds


class _Counting:
    """An intake that takes everything, and tells when the last call is over."""

    def __init__(self, last: str) -> None:
        self.facts = 0
        self.over = asyncio.Event()
        self._last = last

    async def receive(self, event: InboundEvent) -> Receipt:
        """Count one."""
        return (await self.receive_many([event]))[0]

    async def receive_many(self, events: Sequence[InboundEvent]) -> Sequence[Receipt]:
        """Count several."""
        self.facts += len(events)
        if any(event.external_id == self._last for event in events):
            self.over.set()
        return [Receipt(ReceiptState.DONE, 1)] * len(events)


async def _adapter(stream: bytes) -> tuple[float, int]:
    """Processor time until the last call's end is a fact with the intake, in seconds, and how many facts there were."""
    server = ReplayServer()
    sink = _Counting(f"{_last_call(stream)}:finished")
    channel = create(_config(server.port), PbxSurroundings(ScriptedRouter()).context)
    await channel.start(sink)
    await asyncio.to_thread(server.listed.wait, 10)
    await asyncio.sleep(0.2)  # what the hub asks at a log-in is over
    began = time.thread_time()
    await asyncio.to_thread(server.send, stream)
    async with asyncio.timeout(120):
        await sink.over.wait()
    seconds = time.thread_time() - began
    await channel.stop()
    server.close()
    return seconds, sink.facts
