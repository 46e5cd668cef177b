"""An AMI peer that says what the test tells it to, on a real loopback port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

from channels.pbx.ami_wire import AmiMessage, Splitter, parse_block
from tests.patience import PATIENCE_S

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n"

Script = Callable[["ScriptedAmi", AmiMessage], bytes | None]


def success(message: AmiMessage, **fields: str) -> bytes:
    """A good answer to an action."""
    more = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
    return f"Response: Success\r\nActionID: {message.get('ActionID')}\r\n{more}\r\n".encode()


def refusal(message: AmiMessage, text: str) -> bytes:
    """A bad answer to an action."""
    return f"Response: Error\r\nActionID: {message.get('ActionID')}\r\nMessage: {text}\r\n\r\n".encode()


def obliging(_: ScriptedAmi, message: AmiMessage) -> bytes:
    """The script of a healthy Asterisk."""
    return success(message) + (BOOTED if message.get("Action") == "Login" else b"")


class ScriptedAmi:
    """`script` answers each action (None: never); `actions` are all that came, over all connections."""

    def __init__(self, script: Script = obliging, greeting: bytes = GREETING) -> None:
        self.script = script
        self.greeting = greeting
        self.actions: list[AmiMessage] = []
        self.connections = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop()
        await asyncio.sleep(0)

    def names(self) -> list[str]:
        """The names of the actions that came."""
        return [message.get("Action") for message in self.actions]

    def drop(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def say(self, *pieces: bytes) -> None:
        """Send bytes to whoever is connected."""
        for writer in self._writers:
            for piece in pieces:
                writer.write(piece)

    async def until(self, true: Callable[[ScriptedAmi], bool], within_s: float = PATIENCE_S) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: true(self))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(self.greeting)
        async with self._changed:
            self.connections += 1
            self._changed.notify_all()
        splitter = Splitter()
        try:
            while data := await reader.read(65536):
                for block in splitter.feed(data):
                    message = parse_block(block)
                    answer = self.script(self, message)
                    if answer is not None:
                        writer.write(answer)
                    async with self._changed:
                        self.actions.append(message)
                        self._changed.notify_all()
        except ConnectionError:
            pass
        finally:
            writer.close()
