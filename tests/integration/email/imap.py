"""Mailboxes that are fetched from a real IMAP server, and what they fetch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from channels.email import EmailChannel, EmailConfig, MailServer
from channels.email.imap_tools import Pace
from channels.email.listener import Listener
from tests.fakes.channel_world import ChannelWorld
from tests.fakes.sink import MemorySink
from tests.peers.mail import LOGIN, PASSWORD, DovecotServer

ADDRESS = "sales@example.org"
PACE = Pace(timeout_s=60, idle_s=20, poll_s=0.2, refused_s=0.1)


def server_of(dovecot: DovecotServer) -> MailServer:
    """The server, spoken to in the clear until STARTTLS."""
    return MailServer("127.0.0.1", dovecot.port, user=LOGIN, password=PASSWORD)


def config_of(server: MailServer, *, since: timedelta | None = None, max_size: int = 1024 * 1024) -> EmailConfig:
    """A mailbox that is fetched and nothing else; all of it, unless told otherwise."""
    return EmailConfig("sales", ADDRESS, imap=server, imap_since=since, max_size=max_size, token_key=b"key")


def mailbox(
    world: ChannelWorld, config: EmailConfig, pace: Pace = PACE, listener: Listener | None = None
) -> EmailChannel:
    """Its connector; a pause is an instant."""

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.05))

    return EmailChannel(config, world.context(), listener, sleep=sleep, pace=pace)


@asynccontextmanager
async def fetching(
    world: ChannelWorld, server: MailServer, sink: MemorySink, pace: Pace = PACE, **how: object
) -> AsyncIterator[EmailChannel]:
    """A started mailbox."""
    config = config_of(server)
    box = mailbox(world, replace(config, **how), pace)  # type: ignore[arg-type] # fields of the configuration
    await box.start(sink)
    try:
        yield box
    finally:
        await box.stop()
