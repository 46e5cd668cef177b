"""SMTP, byte by byte: what a well-behaved library would never send."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self

from channels.email import EmailChannel
from tests.patience import PATIENCE_S


class Wire:
    """A connection on which every byte is the test's own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reply(self) -> str:
        """One reply, its lines joined; empty where the connection is closed."""
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self.reader.readline()).decode("utf-8", "replace"):
                lines.append(line.rstrip("\r\n"))
                if line[3:4] != "-":
                    break
        return "\n".join(lines)

    async def say(self, text: str | bytes) -> str:
        """Send a line; its reply."""
        await self.send(text if isinstance(text, bytes) else text.encode() + b"\r\n")
        return await self.reply()

    async def send(self, content: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(content)
        await self.writer.drain()

    async def introduced(self, hello: str = "EHLO client.example") -> Self:
        """Read the greeting, and say who we are."""
        await self.reply()
        await self.say(hello)
        return self

    async def secured(self) -> None:
        """Go on behind TLS, whoever the server is."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        await self.writer.start_tls(context)


@asynccontextmanager
async def wire(channel: EmailChannel) -> AsyncIterator[Wire]:
    """A connection to a listening mailbox."""
    assert channel.listening is not None
    reader, writer = await asyncio.open_connection(*channel.listening)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
