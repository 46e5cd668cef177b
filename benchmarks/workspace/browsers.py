"""Browsers that follow the live feed, in a process of their own, which ends by itself.

`python -m benchmarks.workspace.browsers` takes one line of JSON, `Orders`, tells `ready` when all are connected, and
looks on until its input ends or its time is over; then it tells, as JSON, `Seen`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import cast

import orjson
import uvloop

from benchmarks.workspace.wire import Visitor

_MARK = re.compile(rb"fact-(\d{6})\.")
_AT_ONCE = 20
_OPENED_S = 60.0
# How often it is looked whether what is on its way to some of the browsers has come: for twenty seconds.
_LATE_LOOKS, _LOOK_S = 400, 0.05
# As the pages do: a part that is stale is asked for after a while, not by all in the same moment.
_SETTLE_S, _SPREAD_S = 0.15, 0.25


@dataclass(frozen=True, slots=True)
class Browser:
    """Whose session, on which node."""

    port: int
    cookies: dict[str, str]


@dataclass(frozen=True, slots=True)
class Orders:
    """What all follow, and for how long at most. `parts`: the addresses of parts by topic that are asked for anew when
    they are stale; none: the browsers only listen."""

    browsers: list[Browser]
    topics: list[str]
    parts: dict[str, list[str]]
    within_s: float


@dataclass(slots=True)
class Seen:
    """`facts`: by the number of a fact when each browser had the piece that shows it, in nanoseconds of the common
    clock; `asked_ms`: how long each part took that was asked for anew; `stale`: how often something was."""

    facts: dict[int, list[int]] = field(default_factory=dict)
    asked_ms: list[float] = field(default_factory=list)
    stale: int = 0


class _Line(asyncio.Protocol):
    """One stream of events, read without more ado: two hundred of these share a processor with the hub."""

    def __init__(self, page: _Page, request: bytes) -> None:
        self._page = page
        self._request = request
        self._rest = b""
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the events."""
        cast("asyncio.Transport", transport).write(self._request)  # of uvloop it is none by its type

    def data_received(self, data: bytes) -> None:
        """Whole events, and the beginning of one."""
        at = time.perf_counter_ns()
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for each in events:
            if b"event: piece" in each:
                if (found := _MARK.search(each)) is not None:
                    self._page.shown(int(found[1]), at)
            elif b"event: stale" in each:
                said = orjson.loads(each.partition(b"data: ")[2].partition(b"\n")[0])
                self._page.stale(said["topics"], said.get("within", 0) / 1000)
            elif b"event: hello" in each and not self.joined.done():
                self.joined.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody hangs up before the end."""
        if not self.joined.done():
            self.joined.set_exception(exc or RuntimeError(f"no events: {self._rest[:400]!r}"))


class _Page:
    """A page that stands open."""

    def __init__(self, browser: Browser, orders: Orders, seen: Seen) -> None:
        self._visitor = Visitor(browser.port, {"HX-Request": "true"})
        self._visitor.cookies.update(browser.cookies)
        self._orders = orders
        self._waiting: set[str] = set()
        self._turn = asyncio.Lock()
        self._asking: set[asyncio.Task[None]] = set()
        self._shown: set[int] = set()
        self.seen = seen

    async def open(self) -> None:
        """Follow."""
        loop = asyncio.get_running_loop()
        request = self._visitor.request("GET", f"/live?topics={','.join(self._orders.topics)}")
        _, line = await loop.create_connection(lambda: _Line(self, request), "127.0.0.1", self._visitor.port)
        await line.joined

    def shown(self, fact: int, at: int) -> None:
        """A fact is there; that its entry changes later is another matter."""
        if fact not in self._shown:
            self._shown.add(fact)
            self.seen.facts.setdefault(fact, []).append(at)

    def stale(self, topics: list[str], within_s: float) -> None:
        """Parts are to be asked for anew, each once."""
        self.seen.stale += 1
        for part in {each for topic in topics for each in self._orders.parts.get(topic, ())} - self._waiting:
            self._waiting.add(part)
            asking = asyncio.create_task(self._ask(part, max(within_s, _SPREAD_S)))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)

    async def _ask(self, part: str, spread_s: float) -> None:
        await asyncio.sleep(_SETTLE_S + random.random() * spread_s)
        self._waiting.discard(part)
        async with self._turn:
            answer = await self._visitor.get(part)
        self.seen.asked_ms.append(answer.whole_ms)


async def main() -> None:
    """Open, tell, look on, tell."""
    given = orjson.loads(sys.stdin.buffer.readline())
    orders = Orders(**{**given, "browsers": [Browser(**each) for each in given["browsers"]]})
    seen, turns = Seen(), asyncio.Semaphore(_AT_ONCE)

    async def opened(browser: Browser) -> None:
        async with turns:
            await _Page(browser, orders, seen).open()

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(orders.within_s):
            async with asyncio.timeout(_OPENED_S):
                await asyncio.gather(*map(opened, orders.browsers))
            print("ready", flush=True)
            end = asyncio.StreamReader()
            await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(end), sys.stdin)
            await end.read()
            for _ in range(_LATE_LOOKS):
                if all(len(each) == len(orders.browsers) for each in seen.facts.values()):
                    break
                await asyncio.sleep(_LOOK_S)
    sys.stdout.buffer.write(orjson.dumps(asdict(seen), option=orjson.OPT_NON_STR_KEYS))


if __name__ == "__main__":
    uvloop.run(main())
