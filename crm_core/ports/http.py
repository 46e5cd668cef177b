"""What a channel takes in over HTTP, without the hub knowing its webhooks by heart."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@runtime_checkable
class ReceivesHttp(Protocol):
    """A channel that takes facts in over HTTP."""

    def routes(self) -> Sequence[HttpRoute]:
        """What to mount; several accounts of a channel may return the same path once each with their name in it."""


@runtime_checkable
class Streams(Protocol):
    """A channel with answers that do not end by themselves."""

    def end_streams(self) -> None:
        """The server ends: let every open HttpStream come to its end."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An inbound request, read whole. Header and query names are as sent; `headers` keys are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    remote: str


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The answer to an inbound request."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HttpStream:
    """An answer in pieces, as they come, like server-sent events; it ends with `content`, or when the peer goes away or
    takes nothing for half a minute, and `content` is closed then."""

    content: AsyncGenerator[bytes, None]
    content_type: str = "text/event-stream"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """One path of a channel. `max_size` of the body in bytes; a longer one is answered 413 before `handle`.

    The face maps IntakeFull and IntakeUnavailable raised by `handle` to 503 with Retry-After.
    """

    method: str
    path: str
    handle: Callable[[HttpRequest], Awaitable[HttpResponse | HttpStream]]
    max_size: int = 1024 * 1024
