"""A strict SMTP relay to send to, and mails to send."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosmtplib
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from channels.email import EmailChannel
from crm_core.ports import ChannelState
from tests.patience import PATIENCE_S


def mail(subject: str = "Price", *, frm: str = "ivan@client.example", mid: str = "1", body: str = "hello") -> bytes:
    """A small mail."""
    lines = (f"From: {frm}", "To: sales@example.org", f"Subject: {subject}", f"Message-ID: <{mid}@client.example>")
    return "\r\n".join((*lines, "", body, "")).encode()


def state(channel: EmailChannel) -> ChannelState:
    """How it stands now."""
    return channel.health.state


@asynccontextmanager
async def client(channel: EmailChannel) -> AsyncIterator[aiosmtplib.SMTP]:
    """A connection to a listening mailbox."""
    assert channel.listening is not None
    host, port = channel.listening
    smtp = aiosmtplib.SMTP(
        hostname=host, port=port, start_tls=False, timeout=PATIENCE_S, local_hostname="client.example"
    )
    await smtp.connect()
    try:
        yield smtp
    finally:
        smtp.close()


class Relay:
    """A server that keeps what it takes; each hook's reply may be set, or the connection be cut there."""

    def __init__(self, *, login: tuple[str, str] | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.mails: list[Envelope] = []
        self.rcpt_reply = ""
        self.data_reply = ""
        self.next_data_reply = ""
        self.break_at_data = False
        self.port = 0
        self.login = login
        self._tls = tls

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt_reply:
            return self.rcpt_reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        once, self.next_data_reply = self.next_data_reply, ""
        if once or self.data_reply:
            return once or self.data_reply
        self.mails.append(envelope)
        if self.break_at_data:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login, handled=False)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Relay]:
        """Listen on a free port."""
        conversations: list[SMTP] = []

        def answer() -> SMTP:
            conversation = SMTP(
                self,
                hostname="relay.example",
                enable_SMTPUTF8=True,
                tls_context=self._tls,
                authenticator=self._authenticate if self.login else None,
                auth_required=False,
                auth_require_tls=False,
                loop=asyncio.get_running_loop(),
            )
            conversations.append(conversation)
            return conversation

        server = await asyncio.get_running_loop().create_server(answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            tasks = [each._handler_coroutine for each in conversations if each._handler_coroutine is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()
