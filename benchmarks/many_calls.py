"""A hub that hears of very many calls, in a process of its own; tells how its memory grows.

`python -m benchmarks.many_calls KIND URL FIRST THEN`: memory after FIRST calls and after THEN, as JSON. KIND
`connector` decides and digests calls and hands facts to an intake that forgets them; `hub` is the whole hub, asked over
FastAGI, with everything written down.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from benchmarks.agi import ask
from benchmarks.engines import FIRST_NUMBER
from benchmarks.processes import resident_mb
from benchmarks.replay import TOGETHER, ReplayServer, another, capture, let_through, together
from channels.pbx.connector import PbxChannel
from channels.pbx.snippet import Part, snippet
from crm_core.messages import ChannelKey, InboundEvent, Receipt, ReceiptState, RouteQuery
from hub.bootstrap import Hub, build
from hub.connectors import pbx_config
from hub.demo.peers.process import free_port
from hub.settings import parse_settings

CLIENTS = 5_000
BATCH = 400
STREAMS = (
    "inbound_answered_caller_hangs_up",
    "inbound_answered_caller_hangs_up",
    "101_busy_then_102",
    "caller_abandons_ringing",
    "inbound_noanswer_timeout",
)
_LINE = "1000"
_BLANK = b"\r\n\r\n"
_POLL_S = 0.01
_CONFIG = """
database_url = "{url}"
files = "{folder}/files"
[[pbx]]
name = "office"
ami = "ami://hub:secret@127.0.0.1:{ami}"
agi = "127.0.0.1:{agi}"
wrap = "0s"
[[line]]
number = "{line}"
pbx = "office"
group = "sales"
"""


class Forgetting:
    """An intake that takes everything and keeps nothing."""

    async def receive(self, event: InboundEvent) -> Receipt:
        """Take one."""
        return (await self.receive_many([event]))[0]

    async def receive_many(self, events: Sequence[InboundEvent]) -> Sequence[Receipt]:
        """Take several."""
        return [Receipt(ReceiptState.DONE, 1)] * len(events)


class Calls:
    """Plays calls to a hub and waits until they are digested."""

    def __init__(
        self, hub: Hub, server: ReplayServer, captures: Sequence[Sequence[bytes]], agi_port: int | None
    ) -> None:
        channel = hub.channels[ChannelKey("pbx", "office")]
        if not isinstance(channel, PbxChannel):
            raise TypeError("the account office is no PBX")
        self._hub, self._channel = hub, channel
        self._server, self._captures, self._agi_port = server, captures, agi_port
        self._sent = 0

    async def play(self, first: int, end: int) -> None:
        """These calls, some of them at a time."""
        for batch in range(first, end, BATCH):
            numbers = range(batch, min(batch + BATCH, end))
            await self._decide(numbers)
            data = b"".join(self._events(numbers[at : at + TOGETHER]) for at in range(0, len(numbers), TOGETHER))
            self._sent += data.count(_BLANK)
            await asyncio.to_thread(self._server.send, data)
            await self._digested()

    async def _decide(self, numbers: range) -> None:
        for number in numbers:
            client = FIRST_NUMBER + number % CLIENTS
            if self._agi_port is not None:
                await ask(self._agi_port, client, number)
            else:
                self._hub.directory.route(RouteQuery("office", str(client), _LINE, 0, f"call-{number}"))

    def _events(self, numbers: range) -> bytes:
        return together(
            [
                another(
                    self._captures[number % len(self._captures)],
                    number - 100_000,
                    b"%d" % (FIRST_NUMBER + number % CLIENTS),
                )
                for number in numbers
            ]
        )

    async def _digested(self) -> None:
        async with asyncio.timeout(120):
            while True:
                stats = self._channel.stats
                if stats.link.events + stats.link.passed_over >= self._sent and not stats.waiting:
                    return
                await asyncio.sleep(_POLL_S)

    def seen(self) -> None:
        """Begin to count behind what the log-in brought."""
        link = self._channel.stats.link
        self._sent = link.events + link.passed_over


async def main(kind: str, url: str, first: int, then: int) -> dict[str, float]:
    """Memory in MB after `first` and after `then` calls, and the seconds it took."""
    server = ReplayServer()
    with TemporaryDirectory(prefix="hub-bench-") as folder:
        agi = free_port()
        text = _CONFIG.format(url=url, folder=folder, ami=server.port, agi=agi, line=_LINE)
        settings = parse_settings(text, folder=Path(folder))
        hub = build(settings)
        whole = kind == "hub"
        channel = hub.channels[ChannelKey("pbx", "office")]
        if whole:
            await hub.start()
        else:
            await hub.live.start()
            await hub.directory.start()
            await channel.start(Forgetting())
        manager = snippet(pbx_config(settings.pbx[0], settings), Part.MANAGER)
        captures = [let_through(capture(name), manager) for name in STREAMS]
        await asyncio.to_thread(server.listed.wait, 30)
        await asyncio.sleep(1)  # what the hub asks at a log-in is over
        calls = Calls(hub, server, captures, agi if whole else None)
        calls.seen()
        began = time.perf_counter()
        await calls.play(0, first)
        before = _resident()
        await calls.play(first, then)
        after = _resident()
        took = time.perf_counter() - began
        if whole:
            await hub.stop()
        else:
            await channel.stop()
            await hub.live.stop()
            await hub.store.database.stop()
    server.close()
    return {"before": before, "after": after, "seconds": took}


def _resident() -> float:
    gc.collect()
    return resident_mb(os.getpid())


if __name__ == "__main__":
    kind, url, *counts = sys.argv[1:]
    print(json.dumps(uvloop.run(main(kind, url, *(int(each) for each in counts)))))
