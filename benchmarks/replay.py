"""Captured AMI streams, multiplied into as many calls as are wanted, and an AMI server that plays them."""

from __future__ import annotations

import itertools
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

CAPTURES = Path(__file__).parents[1] / "tests" / "fixtures" / "pbx"
GREETING = b"Asterisk Call Manager/11.0.0\r\n"
TOGETHER = 16
_BLANK = b"\r\n\r\n"
# Every channel of a capture has the epoch of its birth in its id, and every event its time.
_TIMES = re.compile(rb"(?<![0-9])(1[0-9]{9})(?=\.[0-9]+)")
_BRIDGES = re.compile(rb"\b[0-9a-f]{8}(?=-[0-9a-f]{4}-[0-9a-f]{4}-)")
_CLIENT = re.compile(rb"(?<![0-9])\+?79161234567(?![0-9])")
_FILTERS = re.compile(r"^eventfilter = !(.+)$", re.MULTILINE)


def capture(name: str) -> tuple[bytes, ...]:
    """The events of a captured stream, without what its own log-in brought."""
    blocks = (CAPTURES / f"{name}.ami").read_bytes().split(_BLANK)
    return tuple(
        each for block in blocks if (each := block.strip()).startswith(b"Event: ") and b"FullyBooted" not in each
    )


def let_through(blocks: Sequence[bytes], manager: str) -> tuple[bytes, ...]:
    """What the event filters of this manager.conf leave of the events."""
    unwanted = [re.compile(each.encode()) for each in _FILTERS.findall(manager)]
    return tuple(block for block in blocks if not any(each.search(block) for each in unwanted))


def another(blocks: Sequence[bytes], number: int, client: bytes | None = None) -> list[bytes]:
    """The same call again: with ids, times and bridges of its own, by this client."""

    def moved(found: re.Match[bytes]) -> bytes:
        return b"%010d" % (int(found[1]) + number)

    def bridge(_: re.Match[bytes]) -> bytes:
        return b"%08x" % number

    text = _BRIDGES.sub(bridge, _TIMES.sub(moved, _BLANK.join(blocks)))
    if client is not None:
        text = _CLIENT.sub(client, text)
    return text.split(_BLANK)


def together(calls: Sequence[Sequence[bytes]]) -> bytes:
    """Calls that go on at the same time: an event of each in turn."""
    turns = itertools.zip_longest(*calls)
    return b"".join(block + _BLANK for turn in turns for block in turn if block is not None)


class ReplayServer:
    """An AMI server on a thread of its own, for one link: logs anybody in, answers what the hub asks, and sends bytes.

    A list of channels is empty, so that whatever was going on is over.
    """

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._link: socket.socket | None = None
        self._sending = threading.Lock()
        self.listed = threading.Event()
        """Set once somebody has asked for the channels: from then on a hub is ready for events."""
        self._thread = threading.Thread(target=self._serve, name="replay", daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Send events; returns when the last byte is handed over."""
        if self._link is None:
            raise RuntimeError("nobody is logged in")
        with self._sending:
            self._link.sendall(data)

    def close(self) -> None:
        """End."""
        self._listening.close()
        if self._link is not None:
            self._link.close()

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listening.accept()
            except OSError:
                return  # closed
            self._link = link
            self.listed.clear()
            try:
                link.sendall(GREETING)
                for action in _actions(link):
                    self._answer(link, action)
            except OSError:
                continue  # the hub has left

    def _answer(self, link: socket.socket, action: dict[str, str]) -> None:
        name, ident = action.get("Action", ""), action.get("ActionID", "")
        text = f"Response: Success\r\nActionID: {ident}\r\nMessage: ok\r\n\r\n"
        if name == "Login":
            text += "Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n"
        if name == "CoreShowChannels":
            text += (
                f"Event: CoreShowChannelsComplete\r\nEventList: Complete\r\nListItems: 0\r\nActionID: {ident}\r\n\r\n"
            )
        with self._sending:
            link.sendall(text.encode())
        if name == "CoreShowChannels":
            self.listed.set()


def _actions(link: socket.socket) -> Iterator[dict[str, str]]:
    rest = b""
    while data := link.recv(65_536):
        *blocks, rest = (rest + data).split(_BLANK)
        for block in blocks:
            pairs = (line.partition(":") for line in block.decode().split("\r\n"))
            yield {name: value.strip() for name, _, value in pairs}
