"""The other side of a channel: a client with their messenger, and the provider between them and the hub.

Every channel's provider plays the same part here, over real sockets, so that one suite asks the same of them all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from crm_core.messages import ChannelKey

URL = "http://127.0.0.1"


class Trait(Enum):
    """What a provider can do beyond bringing and taking messages."""

    EDITS = auto()
    DELETES = auto()
    FILES = auto()
    TELLS_READ = auto()
    KNOWS_REPEATS = auto()
    WRITES_ITSELF = auto()
    AUTHENTICATES = auto()
    REFUSES = auto()


class Refusal(Enum):
    """How the provider treats the next answer that the hub wants to deliver."""

    LATER = auto()
    FOR_GOOD = auto()
    CREDENTIALS = auto()
    LOST_ANSWER = auto()


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer as it reached the client."""

    text: str
    files: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Wrote:
    """A message of the client: how the provider calls it, and how to deliver the very same fact once more."""

    ref: str
    again: Callable[[], Awaitable[None]] = field(repr=False)


class Provider(Protocol):
    """One account at a provider, with one client. `heard` waits; everything else returns when it has happened."""

    key: ChannelKey
    traits: frozenset[Trait]

    @property
    def identity(self) -> str:
        """By which the client is known."""

    async def open(self, folder: Path, hub_port: int) -> str:
        """Begin to serve; the table of hub.toml for the account."""

    async def close(self) -> None:
        """End."""

    async def begin(self) -> None:
        """The hub's port is open: what has to be told of it is told now."""

    async def say(self, text: str, file: tuple[str, bytes] | None = None) -> Wrote:
        """The client writes; a provider that is not answered tries again until it is."""

    async def edit(self, wrote: Wrote, text: str) -> None:
        """The client changes a message."""

    async def delete(self, wrote: Wrote) -> None:
        """The client deletes a message."""

    async def write_itself(self, text: str) -> None:
        """Somebody of the office answers the client at the provider, past the hub."""

    async def read(self) -> None:
        """The client reads what they heard last."""

    async def heard(self, count: int) -> list[Heard]:
        """What reached the client, as soon as it is at least `count` answers."""

    def refuse_next(self, refusal: Refusal) -> None:
        """Treat the next answer so."""
