"""The SMTP conversation: aiosmtpd's, with limits where it has none, and answers that never lose a mail.

A reply 250 is given by the handler alone, after the commit; whatever goes wrong on the way is a 451, so that the sender
keeps the mail and tries again.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import ssl
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, cast

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, syntax

log = logging.getLogger(__name__)

TRY_AGAIN = "451 4.3.0 The mail was not taken in; try again later"
BUSY = b"421 4.3.2 Too many connections; try again later\r\n"
CLOSING = b"421 4.3.2 Closing; try again later\r\n"
TOO_MANY = "452 4.5.3 Too many recipients; send to the others in another mail"
ENOUGH = "421 4.7.0 Too many unknown recipients"
TLS_FIRST = "530 5.7.0 Say STARTTLS first"
LINE_LIMIT = 1024 * 1024
MAX_RECIPIENTS = 100
MAX_UNKNOWN = 50
SESSION_S = 1800.0
# A mail may come over the size limit and be told so, but a line without an end must not fill the memory.
_FLOOD = 4
_NULL_SENDER = "<>"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a listener asks of those who bring mail: `max_size` in bytes, `idle_s` of silence, `session_s` a connection.

    With `tls`, STARTTLS is offered; with `login` (user and password) it is asked for before anything else. `lmtp`: the
    protocol between a mail server and its mailboxes, with an answer for each recipient.
    """

    hostname: str
    max_size: int
    idle_s: float = 300.0
    session_s: float = SESSION_S
    tls: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    lmtp: bool = False


class Mailroom(Protocol):
    """Who decides about recipients and takes mails in."""

    def accepts(self, recipient: str, size: int | None) -> str | None:
        """The refusal of a recipient (with `size` announced in bytes), or None where they are welcome."""

    async def deliver(self, mail_from: str, recipients: list[str], content: bytes) -> str:
        """Take a mail in, for recipients that were accepted; the reply. `mail_from` is empty for a bounce."""


class Handler:
    """aiosmtpd's hooks, put to the mailroom."""

    def __init__(self, mailroom: Mailroom, login: tuple[str, str] | None = None) -> None:
        self._mailroom = mailroom
        self._login = login
        self._unknown = 0

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword
    ) -> AuthResult:
        """Whether user and password are the listener's; takes the same time for all wrong ones."""
        user, password = self._login or ("", "")
        right = hmac.compare_digest(given.login, user.encode()) & hmac.compare_digest(given.password, password.encode())
        return AuthResult(success=bool(self._login) and right, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """250 for our mailboxes, 550 for others, 552 where the announced size is over the mailbox's limit, 452 for more
        than a hundred; whoever tries out names is sent away.
        """
        if self._unknown >= MAX_UNKNOWN:
            return ENOUGH
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return TOO_MANY
        refusal = self._mailroom.accepts(address, announced_size(envelope.mail_options))
        if refusal is not None:
            self._unknown += refusal.startswith("550")
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """250 after commit, else the reason why not."""
        content = envelope.original_content or b""
        sender = envelope.mail_from or ""
        recipients = list(envelope.rcpt_tos)
        sender = "" if sender == _NULL_SENDER else sender
        if isinstance(server, LmtpConversation):
            server.answers = [
                await server.delivering(self._mailroom.deliver(sender, [each], content)) for each in recipients
            ]
            return server.answers[0]
        work = self._mailroom.deliver(sender, recipients, content)
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

    def __init__(self, handler: Handler, terms: Terms, crowd: Crowd) -> None:
        super().__init__(
            handler,
            data_size_limit=terms.max_size,
            enable_SMTPUTF8=True,
            hostname=terms.hostname,
            ident="hub",
            timeout=terms.idle_s,
            tls_context=terms.tls,
            authenticator=handler.authenticate if terms.login is not None else None,
            auth_required=terms.login is not None,
            auth_require_tls=terms.tls is not None,
            loop=asyncio.get_running_loop(),
        )
        self._crowd = crowd
        self._terms = terms
        self._unanswered = 0
        self._flood = _FLOOD * terms.max_size + 2 * LINE_LIMIT
        self._end: asyncio.TimerHandle | None = None
        self.is_delivering = False

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The conversation's task."""
        return self._handler_coroutine

    @property
    def _plug(self) -> asyncio.Transport | None:
        """The connection's transport; those of the loop in production are of no class that asyncio knows."""
        return cast("asyncio.Transport | None", self.transport)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._crowd.enter(self)
        self._end = self.loop.call_later(self._terms.session_s, self._too_long)

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.leave(self)
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._unanswered += len(data)
        plug = self._plug
        if self._unanswered > self._flood and plug is not None:
            log.warning("an SMTP client sends without end; cut off")
            plug.abort()
            return
        super().data_received(data)

    async def push(self, status: Any) -> None:
        self._unanswered = 0
        if isinstance(status, str):
            # What the client sent may come back in a reply: it stays one line, and can be encoded.
            status = " ".join(status.splitlines()).encode("utf-8", "replace")
        await super().push(status)
        over = self._crowd.closing or (isinstance(status, bytes) and status.startswith(b"421"))
        if over and (plug := self._plug) is not None:
            plug.close()

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Take the mail's content. A mail whose lines end in a bare LF is one line for the protocol: it is as long as
        the mail; only CR LF . CR LF ends it.
        """
        reader: Any = self._reader
        usual, reader._limit = reader._limit, self._terms.max_size + LINE_LIMIT  # noqa: SLF001 - it has no other handle
        self.line_length_limit = self._terms.max_size + LINE_LIMIT
        try:
            await super().smtp_DATA(arg)
        finally:
            self.line_length_limit = LINE_LIMIT
            reader._limit = usual  # noqa: SLF001 - as above

    @syntax("STARTTLS", when="tls_context")
    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Secure the connection. Whatever was said before is forgotten, also what was sent ahead in the clear."""
        context, transport = self.tls_context, self._plug
        if arg:
            await self.push("501 5.5.4 Syntax: STARTTLS")
            return
        if context is None or self._tls_protocol is not None or transport is None:
            await self.push("503 5.5.1 TLS is not to be had")
            return
        await self.push("220 2.0.0 Ready to start TLS")
        reader, writer = self._streams()
        reader._buffer.clear()  # noqa: SLF001 - commands in the clear must not be obeyed behind TLS
        transport.pause_reading()  # what comes from now on is TLS
        secured = await self.loop.start_tls(
            transport, self, context, server_side=True, ssl_handshake_timeout=self._terms.idle_s
        )
        if secured is None:
            raise ConnectionAbortedError("the connection went away with TLS")
        reader._transport = writer._transport = self.transport = secured  # noqa: SLF001 - what aiosmtpd does itself
        self._over_ssl = True
        self._tls_protocol = secured.get_protocol()  # type: ignore[assignment] # asked only whether it is there
        peer = self.session.peer if self.session is not None else None
        self.session = self._create_session()
        self.session.peer = peer
        self.session.ssl = {"cipher": secured.get_extra_info("cipher")}
        self._set_rset_state()  # type: ignore[no-untyped-call] # aiosmtpd left it without types

    def _streams(self) -> tuple[Any, Any]:
        return self._reader, self._writer

    def _too_long(self) -> None:
        """A connection that never ends would keep others out; a mail that is being committed may end."""
        if self.is_delivering:
            self._end = self.loop.call_later(self._terms.idle_s, self._too_long)
            return
        log.info("an SMTP conversation took too long; hung up")
        self.hang_up()

    async def delivering(self, work: Coroutine[Any, Any, str]) -> str:
        """Run the delivery; a listener that closes waits for it."""
        self.is_delivering = True
        try:
            return await work
        finally:
            self.is_delivering = False

    def hang_up(self) -> None:
        """Say that the listener closes, and close."""
        if (plug := self._plug) is not None:
            plug.write(CLOSING)
            plug.close()


class LmtpConversation(Conversation, LMTP):
    """The same by LMTP: behind the content comes one answer for each recipient."""

    def __init__(self, handler: Handler, terms: Terms, crowd: Crowd) -> None:
        super().__init__(handler, terms, crowd)
        self.answers: list[str] = []
        self._awaited = 0

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """As by SMTP, with as many answers as there are recipients."""
        await super().smtp_DATA(arg)
        self._awaited = 0

    async def push(self, status: Any) -> None:
        if isinstance(status, str) and status.startswith("354"):
            self._awaited = len(self.envelope.rcpt_tos) if self.envelope is not None else 0
        elif self._awaited and isinstance(status, str):
            answers, self.answers = self.answers or [status] * self._awaited, []
            self._awaited = 0
            for answer in answers:
                await super().push(answer)
            return
        await super().push(status)


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
        plug = cast("asyncio.Transport", transport)
        plug.write(BUSY)
        plug.close()


def announced_size(options: list[str]) -> int | None:
    """The SIZE that a client announced with MAIL, in bytes."""
    for option in options:
        name, _, value = option.partition("=")
        if name.upper() == "SIZE" and value.isascii() and value.isdigit() and len(value) < 19:
            return int(value)
    return None
