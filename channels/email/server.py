"""The SMTP conversation: aiosmtpd's, with limits where it has none, and answers that never lose a mail.

A reply 250 is given by the handler alone, after the commit; whatever goes wrong on the way is a 451, so that the sender
keeps the mail and tries again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP, Envelope, Session

log = logging.getLogger(__name__)

TRY_AGAIN = "451 4.3.0 The mail was not taken in; try again later"
BUSY = b"421 4.3.2 Too many connections; try again later\r\n"
CLOSING = b"421 4.3.2 Closing; try again later\r\n"
LINE_LIMIT = 1024 * 1024
MAX_RECIPIENTS_REFUSED = 50
# A mail may come over the size limit and be told so, but a line without an end must not fill the memory.
_FLOOD = 4
_NULL_SENDER = "<>"


class Mailroom(Protocol):
    """Who decides about recipients and takes mails in."""

    def accepts(self, recipient: str, size: int | None) -> str | None:
        """The refusal of a recipient (with `size` announced in bytes), or None where they are welcome."""

    async def deliver(self, mail_from: str, recipients: list[str], content: bytes) -> str:
        """Take a mail in, for recipients that were accepted; the reply. `mail_from` is empty for a bounce."""


class Handler:
    """aiosmtpd's hooks, put to the mailroom."""

    def __init__(self, mailroom: Mailroom) -> None:
        self._mailroom = mailroom

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """250 for our mailboxes, 550 for others, 552 where the announced size is over the mailbox's limit."""
        refusal = self._mailroom.accepts(address, announced_size(envelope.mail_options))
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """250 after commit, else the reason why not."""
        content = envelope.original_content or b""
        sender = envelope.mail_from or ""
        recipients = list(envelope.rcpt_tos)
        work = self._mailroom.deliver("" if sender == _NULL_SENDER else sender, recipients, content)
        return await server.delivering(work) if isinstance(server, Conversation) else await work

    async def handle_exception(self, error: Exception) -> str:
        """Nobody knows what went wrong: the sender keeps the mail. (aiosmtpd would answer 500, for good.)"""
        if isinstance(error, ConnectionError | asyncio.IncompleteReadError):
            log.info("an SMTP connection broke: %s", type(error).__name__)
        else:
            log.error("an SMTP conversation failed", exc_info=error)
        return TRY_AGAIN


class Conversation(SMTP):
    """One connection. Known to the listener from its first byte to its last."""

    line_length_limit = LINE_LIMIT

    def __init__(self, handler: Handler, max_size: int, hostname: str, timeout_s: float, crowd: Crowd) -> None:
        super().__init__(
            handler,
            data_size_limit=max_size,
            enable_SMTPUTF8=True,
            hostname=hostname,
            ident="hub",
            timeout=timeout_s,
            loop=asyncio.get_running_loop(),
        )
        self._crowd = crowd
        self._unanswered = 0
        self._flood = _FLOOD * max_size + 2 * LINE_LIMIT
        self.is_delivering = False

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The conversation's task."""
        return self._handler_coroutine

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._crowd.enter(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.leave(self)
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._unanswered += len(data)
        if self._unanswered > self._flood and isinstance(self.transport, asyncio.Transport):
            log.warning("an SMTP client sends without end; cut off")
            self.transport.abort()
            return
        super().data_received(data)

    async def push(self, status: Any) -> None:
        self._unanswered = 0
        if isinstance(status, str):
            # What the client sent may come back in a reply: it stays one line, and can be encoded.
            status = " ".join(status.splitlines()).encode("utf-8", "replace")
        await super().push(status)
        if self._crowd.closing and isinstance(self.transport, asyncio.Transport):
            self.transport.close()

    async def delivering(self, work: Any) -> str:
        """Run the delivery; a listener that closes waits for it."""
        self.is_delivering = True
        try:
            reply: str = await work
        finally:
            self.is_delivering = False
        return reply

    def hang_up(self) -> None:
        """Say that the listener closes, and close."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.write(CLOSING)
            self.transport.close()


class Crowd:
    """The conversations that go on."""

    def __init__(self) -> None:
        self._present: set[Conversation] = set()
        self.closing = False

    def __len__(self) -> int:
        return len(self._present)

    def enter(self, conversation: Conversation) -> None:
        """A connection is made."""
        self._present.add(conversation)

    def leave(self, conversation: Conversation) -> None:
        """A connection is over."""
        self._present.discard(conversation)

    async def disperse(self, patience_s: float) -> None:
        """Let deliveries end for at most this many seconds, then end every conversation."""
        self.closing = True
        tasks = [each.task for each in self._present if each.task is not None]
        for each in list(self._present):
            if not each.is_delivering:
                each.hang_up()
        if tasks:
            # Whoever delivers hangs up by itself, behind its reply.
            await asyncio.wait(tasks, timeout=patience_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.closing = False


class Refusal(asyncio.Protocol):
    """Tells a client that the house is full."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            transport.write(BUSY)
            transport.close()


def announced_size(options: list[str]) -> int | None:
    """The SIZE that a client announced with MAIL, in bytes."""
    for option in options:
        name, _, value = option.partition("=")
        if name.upper() == "SIZE" and value.isascii() and value.isdigit() and len(value) < 19:
            return int(value)
    return None
