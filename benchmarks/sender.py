"""Posts Telegram updates of strangers to a webhook over kept connections.

`python -m benchmarks.sender PORT WARM_UP COUNT CONNECTIONS [PER_SECOND]` prints `{"rate": …}` when it is done.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time

import uvloop


def request(number: int) -> bytes:
    """One update as Telegram posts it."""
    update = {
        "update_id": number,
        "message": {
            "message_id": 1,
            "date": int(time.time()),
            "chat": {"id": 5_000_000 + number, "type": "private", "first_name": f"Клиент {number}"},
            "from": {"id": 5_000_000 + number, "is_bot": False, "first_name": f"Клиент {number}"},
            "text": "Здравствуйте, сколько стоит окно?",
        },
    }
    body = json.dumps(update, ensure_ascii=False).encode()
    head = (
        "POST /in/telegram/shop HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-Telegram-Bot-Api-Secret-Token: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def send(port: int, first: int, count: int, connections: int, per_second: float | None = None) -> float:
    """Post `count` updates; how many a second were answered 200. Raises RuntimeError on any other answer."""
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
            writer.write(request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode("latin-1"))
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
        writer.close()

    await asyncio.gather(*(worker() for _ in range(connections)))
    return count / (time.perf_counter() - began)


async def main(arguments: list[str]) -> None:
    """Warm up, then measure."""
    port, warm_up, count, connections = (int(each) for each in arguments[:4])
    per_second = float(arguments[4]) if len(arguments) > 4 else None
    await send(port, 1, warm_up, connections, per_second)
    rate = await send(port, 1 + warm_up, count, connections, per_second)
    print(json.dumps({"rate": rate}))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
