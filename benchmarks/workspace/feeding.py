"""From a fact's commit to its appearance in two hundred browsers, each a stream with a session of its own."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import orjson

from benchmarks.measuring import Row, percentile, spread
from benchmarks.posts import SECRET
from benchmarks.processes import CpuShare, quiet
from benchmarks.workspace.browsers import Browser, Orders, Seen
from benchmarks.workspace.nodes import Node
from benchmarks.workspace.visitors import Followed, followed
from benchmarks.workspace.wire import Visitor
from crm_core.model.signature import signature

MOST_P99_MS = 100.0
_CLIENTS = 40
_WARM_UP = 5
_WITHIN_S = 240.0
_ARRIVES_S = 10.0
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Told:
    """What one run gave: milliseconds of every fact in every browser, from the order to commit and from the hub's
    knowledge that it was; what the parts took that were asked for anew, and the processor of each node."""

    asked: list[float]
    known: list[float]
    posted: list[float]
    parts: list[float]
    missing: int
    shares: list[float]

    def rows(self, what: str) -> list[Row]:
        """What is told of it."""
        p99 = percentile(self.asked, 0.99)
        met = p99 < MOST_P99_MS and not self.missing
        return [Row(what, spread(self.asked), "", None, f"p99 < {MOST_P99_MS:.0f} ms", met)]

    def note(self, what: str) -> str:
        """The rest."""
        shares = ", ".join(f"{each:.0%}" for each in self.shares)
        parts = f"; {len(self.parts):,} parts asked for anew, {spread(self.parts)}" if self.parts else ""
        lost = f"; {self.missing} NEVER CAME" if self.missing else ""
        return (
            f"{what}: from the knowledge that it is committed {spread(self.known)},"
            f" from the post {spread(self.posted)}; of a processor {shares}{parts}{lost}"
        )


async def follow(
    nodes: Sequence[Node], browsers: Sequence[Visitor], facts: int, pace_s: float, *, asks: bool, rest_s: float
) -> Told:
    """Open all browsers on the inbox, those of each node with it; then facts, one at a time, by the first node.

    `asks`: the browsers ask for what is stale, as pages do; for so many seconds at most the nodes may come to rest
    before and behind. Raises RuntimeError where the browsers do not come about.
    """
    page = followed((await browsers[0].get("/")).text)
    orders = Orders(
        [Browser(each.port, each.cookies) for each in browsers], page.topics, page.parts if asks else {}, _WITHIN_S
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.workspace.browsers",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**28,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(orjson.dumps(orders) + b"\n")
        if (said := await process.stdout.readline()) != b"ready\n":
            raise RuntimeError(f"the browsers are not ready: {said!r}")
        await _rest(nodes, rest_s)
        await _post_all(nodes[0].port, [next(_numbers) for _ in range(_WARM_UP)], pace_s)
        shares = [CpuShare(each.pid) for each in nodes]
        posted = await _post_all(nodes[0].port, [next(_numbers) for _ in range(facts)], pace_s)
        found = [each.share() for each in shares]
        await asyncio.sleep(min(pace_s, 1.0))
        await _rest(nodes, rest_s)
        process.stdin.close()
        seen = Seen(**orjson.loads(await process.stdout.read()))
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    return _told(nodes[0], posted, seen, len(browsers), found)


def _told(node: Node, posted: dict[int, int], seen: Seen, browsers: int, shares: list[float]) -> Told:
    moments = sorted(node.committed().values())
    told = Told([], [], [], seen.asked_ms, 0, shares)
    missing = 0
    at_of = {int(number): at for number, at in seen.facts.items()}
    for number, post in posted.items():
        # One fact is on its way at a time: the first commit behind its post is its own.
        asked, known = next(each for each in moments if each[0] > post)
        arrived = at_of.get(number, [])
        missing += browsers - len(arrived)
        told.asked.extend((at - asked) / 1e6 for at in arrived)
        told.known.extend((at - known) / 1e6 for at in arrived)
        told.posted.extend((at - post) / 1e6 for at in arrived)
    return Told(told.asked, told.known, told.posted, told.parts, missing, shares)


async def _post_all(port: int, numbers: Sequence[int], pace_s: float) -> dict[int, int]:
    """Post facts at a pace; when each went out, in nanoseconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    posted: dict[int, int] = {}
    for number in numbers:
        body = _fact(number)
        posted[number] = time.perf_counter_ns()
        writer.write(body)
        async with asyncio.timeout(_ARRIVES_S):
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode("latin-1"))
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
        await asyncio.sleep(pace_s)
    writer.transport.abort()
    return posted


def _fact(number: int) -> bytes:
    """A client writes once more; who has never written before is somebody new."""
    client = number % _CLIENTS
    sender = {"id": str(8_000_000 + client), "name": f"Клиент {client}"}
    event = {"id": f"live-{number}", "type": "message", "conversation": str(client), "sender": sender}
    body = orjson.dumps({**event, "message_id": str(number), "text": f"Здравствуйте! fact-{number:06d}."})
    stamp = str(int(time.time()))
    lines = ["POST /in/gateway/bridge HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines += [f"X-Hub-Signature: sha256={signature(SECRET, stamp, body)}", f"X-Hub-Timestamp: {stamp}"]
    return "\r\n".join((*lines, f"Content-Length: {len(body)}")).encode() + b"\r\n\r\n" + body


async def _rest(nodes: Sequence[Node], rest_s: float) -> None:
    try:
        await quiet([each.pid for each in nodes], rest_s)
    except TimeoutError:
        await asyncio.sleep(0)  # a hub that never rests is measured as it is


__all__ = ["Followed", "Told", "follow"]
