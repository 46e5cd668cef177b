"""What fetching by IMAP works with: its pace, its surroundings, and a connection to begin with."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.email.config import MailServer
from channels.email.health import Health
from channels.email.imap_link import ImapLink, broken
from channels.email.waiting import Sleep
from crm_core.messages import ChannelKey
from crm_core.ports import Clock, CursorStore, Lease


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: how long the server may take to answer, how long one IDLE lasts (servers end it after 29 minutes;
    routers forget silent ones sooner), how often a server without IDLE is asked, how long a refused login rests.
    """

    timeout_s: float = 60.0
    idle_s: float = 240.0
    poll_s: float = 30.0
    refused_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail from the folder: all of it, or its header alone and `why` the rest is missing. `at` is when it came."""

    uid: int
    content: bytes
    at: datetime
    why: str = ""


Take = Callable[[Sequence[Fetched]], Awaitable[None]]
"""Commits mails; raises IntakeError where at least one was not."""


@dataclass(frozen=True, slots=True)
class ImapTools:
    """What fetching works with. `since`: how old the mails of a folder may be that is read for the first time, None for
    any age. `max_size` in bytes.
    """

    key: ChannelKey
    server: MailServer
    max_size: int
    since: timedelta | None
    take: Take
    health: Health
    clock: Clock
    cursors: CursorStore
    lease: Lease
    sleep: Sleep
    pace: Pace = Pace()


async def connected(server: MailServer, timeout_s: float) -> ImapLink:
    """A connection to the server, by its first address that answers. Raises TransientDeliveryError."""
    loop = asyncio.get_running_loop()
    failure: Exception = OSError("the name has no address")
    try:
        async with asyncio.timeout(timeout_s):
            for family, kind, proto, _, place in await loop.getaddrinfo(
                server.host, server.port, type=socket.SOCK_STREAM
            ):
                plug = socket.socket(family, kind, proto)
                plug.setblocking(False)
                try:
                    await loop.sock_connect(plug, place)
                    return ImapLink(server, plug, timeout_s)
                except OSError as error:
                    plug.close()
                    failure = error
                except BaseException:
                    plug.close()
                    raise
    except (OSError, UnicodeError) as error:
        failure = error
    raise broken(server, failure) from failure
