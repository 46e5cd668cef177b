"""Posts facts of strangers to one of the hub's HTTP ports over kept connections.

`python -m benchmarks.sender PORT WARM_UP COUNT CONNECTIONS [PER_SECOND] [--to NAME]` prints `{"rate": …, "p50_ms": …,
"p99_ms": …}` when it is done; NAME is one of `benchmarks.posts.POSTS`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import time

import uvloop

from benchmarks.measuring import percentile
from benchmarks.posts import POSTS, Post


async def send(
    port: int, post: Post, first: int, count: int, connections: int, per_second: float | None, waits: list[float]
) -> float:
    """Post `count` facts; how many a second were answered 200. Raises RuntimeError on any other answer.

    `waits` takes the milliseconds from each post to its answer.
    """
    numbers = itertools.count(first)
    end = first + count
    began = time.perf_counter()

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            if number >= end:
                break
            if per_second is not None:
                due = began + (number - first) / per_second
                await asyncio.sleep(max(due - time.perf_counter(), 0))
            asked = time.perf_counter()
            writer.write(post(number))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode("latin-1"))
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            waits.append((time.perf_counter() - asked) * 1000)
        writer.close()

    await asyncio.gather(*(worker() for _ in range(connections)))
    return count / (time.perf_counter() - began)


async def main() -> None:
    """Warm up, then measure."""
    parser = argparse.ArgumentParser()
    for name in ("port", "warm_up", "count", "connections"):
        parser.add_argument(name, type=int)
    parser.add_argument("per_second", type=float, nargs="?")
    parser.add_argument("--to", choices=POSTS, default="telegram")
    said = parser.parse_args()
    post = POSTS[said.to]
    await send(said.port, post, 1, said.warm_up, said.connections, said.per_second, [])
    waits: list[float] = []
    rate = await send(said.port, post, 1 + said.warm_up, said.count, said.connections, said.per_second, waits)
    print(json.dumps({"rate": rate, "p50_ms": percentile(waits, 0.5), "p99_ms": percentile(waits, 0.99)}))


if __name__ == "__main__":
    uvloop.run(main())
