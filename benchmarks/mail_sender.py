"""Brings mails of strangers to an SMTP server over kept connections.

`python -m benchmarks.mail_sender PORT WARM_UP COUNT CONNECTIONS` prints `{"rate": …, "p50_ms": …, "p99_ms": …}`: mails
a second, and the milliseconds from MAIL to the 250 behind the content.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time

import uvloop

from benchmarks.mails import TO, content
from benchmarks.measuring import percentile


async def bring(port: int, first: int, count: int, connections: int, waits: list[float]) -> float:
    """Bring `count` mails; how many a second were taken. Raises RuntimeError where one is not."""
    numbers = itertools.count(first)
    end = first + count
    began = time.perf_counter()

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def told(code: bytes) -> None:
            while True:
                line = await reader.readline()
                if not line.startswith(code):
                    raise RuntimeError(line.decode("utf-8", "replace") or "the server hung up")
                if line[3:4] != b"-":
                    return

        async def say(line: bytes, code: bytes = b"250") -> None:
            writer.write(line + b"\r\n")
            await told(code)

        await told(b"220")
        await say(b"EHLO bench.example")
        for number in numbers:
            if number >= end:
                break
            asked = time.perf_counter()
            await say(b"MAIL FROM:<client%d@client.example>" % number)
            await say(b"RCPT TO:<%s>" % TO.encode())
            await say(b"DATA", b"354")
            await say(content(number) + b".")
            waits.append((time.perf_counter() - asked) * 1000)
        writer.close()

    await asyncio.gather(*(worker() for _ in range(connections)))
    return count / (time.perf_counter() - began)


async def main(port: int, warm_up: int, count: int, connections: int) -> None:
    """Warm up, then measure."""
    await bring(port, 1, warm_up, connections, [])
    waits: list[float] = []
    rate = await bring(port, 1 + warm_up, count, connections, waits)
    print(json.dumps({"rate": rate, "p50_ms": percentile(waits, 0.5), "p99_ms": percentile(waits, 0.99)}))


if __name__ == "__main__":
    uvloop.run(main(*(int(each) for each in sys.argv[1:])))
