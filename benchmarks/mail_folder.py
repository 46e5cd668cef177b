"""A hub that fetches a folder by IMAP, in a process of its own; tells how quick, and how its memory grows.

`python -m benchmarks.mail_folder KIND URL PORT FIRST ALL`: KIND `connector` hands mails to an intake that forgets them,
`hub` is the whole hub with everything written down, `bare` is the library, which fetches and forgets. Prints `{"rate":
…, "before": MB after FIRST mails, "after": MB after ALL, "p50_ms", "p99_ms": of a hundred mails}`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import uvloop
from imapclient import IMAPClient

from benchmarks.engines import add_people
from benchmarks.measuring import percentile
from benchmarks.processes import resident_mb
from channels.email import EmailChannel
from crm_core.messages import ChannelKey, InboundEvent, Receipt, ReceiptState
from crm_core.ports import InboundSink
from hub.bootstrap import build
from hub.settings import parse_settings
from tests.peers.mail import LOGIN, PASSWORD

TOGETHER = 100
_KEY = ChannelKey("email", "sales")
_CONFIG = """
database_url = "{url}"
files = "{folder}/files"
[[email]]
name = "sales"
address = "sales@example.org"
imap = "imap://{login}:{password}@127.0.0.1:{port}/INBOX"
imap_since = "all"
"""


class Counting:
    """Counts what is committed, notes when, and looks at the memory twice."""

    def __init__(self, behind: InboundSink | None, first: int, wanted: int) -> None:
        self._behind = behind
        self._first, self._wanted = first, wanted
        self.count = 0
        self.before = 0.0
        self.times: list[float] = [time.perf_counter()]
        self.done = asyncio.Event()

    async def receive(self, event: InboundEvent) -> Receipt:
        """Take one."""
        return (await self.receive_many([event]))[0]

    async def receive_many(self, events: Sequence[InboundEvent]) -> Sequence[Receipt]:
        """Take several, and hand them on where there is somebody behind."""
        if self._behind is not None:
            receipts = await self._behind.receive_many(events)
        else:
            receipts = [Receipt(ReceiptState.DONE, 1)] * len(events)
        self.count += len(events)
        self.times.append(time.perf_counter())
        if not self.before and self.count >= self._first:
            gc.collect()
            self.before = resident_mb(os.getpid())
        if self.count >= self._wanted:
            self.done.set()
        return receipts


async def fetch(kind: str, url: str, port: int, first: int, wanted: int) -> dict[str, float]:
    """Let a hub read the folder to its end."""
    with TemporaryDirectory() as folder:
        written = _CONFIG.format(
            url=url, folder=folder, port=port, login=quote(LOGIN, safe=""), password=quote(PASSWORD, safe="")
        )
        hub = build(parse_settings(written, folder=Path(folder)))
        channel = hub.channels[_KEY]
        assert isinstance(channel, EmailChannel)
        hub.channels.remove(_KEY)  # it is started below, with another sink
        await hub.start()
        await hub.store.run(add_people)
        await hub.outbox.stop()  # nobody answers on the other side; what is measured is the way in
        counting = Counting(hub.intake if kind == "hub" else None, first, wanted)
        await channel.start(counting)
        await counting.done.wait()
        await channel.stop()
        gc.collect()
        after = resident_mb(os.getpid())
        await hub.stop()
    return _figures(counting.times, wanted, counting.before, after)


def bare(port: int, first: int, wanted: int) -> dict[str, float]:
    """The library alone: a hundred mails at a time, of which nothing is kept."""
    client = IMAPClient("127.0.0.1", port, ssl=False)
    client.plain_login(LOGIN, PASSWORD)
    client.select_folder("INBOX", readonly=True)
    before, got = 0.0, 0
    times = [time.perf_counter()]
    while got < wanted:
        found = client.fetch(list(range(got + 1, got + TOGETHER + 1)), ["BODY.PEEK[]"])
        got += len(found)
        times.append(time.perf_counter())
        if not before and got >= first:
            before = resident_mb(os.getpid())
    client.logout()
    return _figures(times, wanted, before, resident_mb(os.getpid()))


def _figures(times: Sequence[float], wanted: int, before: float, after: float) -> dict[str, float]:
    steps = [(later - sooner) * 1000 for sooner, later in pairwise(times[1:])]
    # From the first commit on: connecting and the server's own first look into the folder are no rate.
    rate = (wanted - TOGETHER) / (times[-1] - times[1])
    return {
        "rate": rate,
        "before": before,
        "after": after,
        "p50_ms": percentile(steps, 0.5),
        "p99_ms": percentile(steps, 0.99),
    }


def main(kind: str, url: str, port: int, first: int, wanted: int) -> None:
    """Measure one kind."""
    logging.getLogger().setLevel(logging.ERROR)
    if kind == "bare":
        print(json.dumps(bare(port, first, wanted)))
    else:
        print(json.dumps(uvloop.run(fetch(kind, url, port, first, wanted))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(each) for each in sys.argv[3:]))
