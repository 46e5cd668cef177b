"""The smallest AGI server: asyncio streams, a dict, five variables.

`python -m benchmarks.minimal_agi PORT CONTACTS [MANAGERS]`.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

_FIRST = 79_100_000_000


async def main(port: int, contacts: int, managers: int = 10) -> None:
    """Serve until ended."""
    numbers = {str(_FIRST + number): (f"PJSIP/{101 + number % managers}", number) for number in range(contacts)}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\n\n")
        except asyncio.IncompleteReadError:  # whoever only looked whether somebody listens
            writer.close()
            return
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        dial, contact = numbers.get(fields["agi_callerid"], ("PJSIP/101", 0))
        values = {
            "HUB_ACTION": "dial",
            "HUB_DIAL": dial,
            "HUB_RING_S": 20,
            "HUB_REASON": "manager",
            "HUB_CONTACT": contact,
        }
        writer.write("".join(f'SET VARIABLE {name} "{value}"\n' for name, value in values.items()).encode())
        writer.write_eof()
        for _ in values:
            await reader.readline()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(*(int(each) for each in sys.argv[1:])))
