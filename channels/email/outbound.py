"""Mail out: the message as a mail, and its way to the server, each refusal in the words of the channel port."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.policy import SMTPUTF8
from email.utils import format_datetime
from typing import cast
from urllib.parse import quote

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from channels.email.config import EmailConfig, MailServer
from channels.email.message_ids import message_id, own_id
from channels.email.names import safe_name
from channels.email.token import reply_address
from crm_core.errors import (
    ChannelAuthError,
    DeliveryError,
    InvalidIdentity,
    NotFound,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from crm_core.messages import DeliveryReceipt, OutboundFile, OutboundMessage
from crm_core.model.identity import address
from crm_core.ports import Clock, FileStore
from crm_core.wording import Sentence

MAX_MAIL = 25 * 1024 * 1024
MAX_REFERENCES = 20
DEFAULT_SUBJECT = "Ответ на ваше обращение"
_ADDRESS_MARKS = "/:?&=%.-_~"
_LINE = 78  # characters, RFC 5322
_AUTH_CODES = frozenset({530, 534, 535, 538})


class Sender:
    """Delivers the messages of one mailbox, a connection each."""

    def __init__(self, config: EmailConfig, files: FileStore, clock: Clock, timeout_s: float = 60.0) -> None:
        self._config = config
        self._files = files
        self._clock = clock
        self._timeout_s = timeout_s

    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        """Deliver; the receipt holds the Message-ID, which is the same on every try. Raises the delivery errors."""
        server = self._server()
        try:
            recipient = address(message.conversation).value
        except InvalidIdentity as error:
            raise PermanentDeliveryError(str(error)) from error
        contents = [(file, await self._content(file)) for file in message.files]
        content = composed(self._config, message, recipient, contents, self._clock.now())
        if len(content) > 2 * MAX_MAIL:
            raise PermanentDeliveryError("The mail with its files is too large to send.")
        async with self._session(server) as client:
            await _hand_over(client, self._config.mailbox, recipient, content, own_id(self._config, message))
        return DeliveryReceipt((own_id(self._config, message),))

    async def check(self) -> str:
        """Connect and log in; one line about it. Raises the delivery errors."""
        server = self._server()
        async with self._session(server) as client:
            tls = client.get_transport_info("sslcontext") is not None
        secured = Sentence("TLS") if tls else Sentence("no TLS")
        login = Sentence("login {user}", user=server.user) if server.user else Sentence("no login")
        return Sentence("mail goes out by {server}, {secured}, {login}", server=server, secured=secured, login=login)

    def _server(self) -> MailServer:
        if self._config.smtp is None:
            raise PermanentDeliveryError(
                '{account} can\'t send: add smtp = "smtp://…" to its settings.', account=self._config.key
            )
        return self._config.smtp

    async def _content(self, file: OutboundFile) -> bytes:
        if file.stored.size > MAX_MAIL:
            raise PermanentDeliveryError("«{file}» is too large for a mail", file=file.name)
        try:
            return await self._files.read(file.stored.sha256)
        except NotFound as error:
            raise PermanentDeliveryError("«{file}» is not in the file store", file=file.name) from error

    @asynccontextmanager
    async def _session(self, server: MailServer) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection that is logged in; errors inside are translated too, and leaving it never fails."""
        client = _client(server, self._config.domain, self._timeout_s)
        try:
            try:
                await client.connect()
                await _greet(client)
                if server.user and not client.supports_extension("auth"):
                    raise ChannelAuthError(
                        "{server} takes no login: leave user and password out, or name its other port", server=server
                    )
                if server.user:
                    await client.login(server.user, server.password)
            except (SMTPException, OSError, ssl.SSLError, UnicodeError) as error:
                raise _greeting_error(server, error) from error
            yield client
            try:
                await client.quit()
            except (SMTPException, OSError):
                return  # the mail is delivered; how the server says goodbye changes nothing
        finally:
            # uvloop's transports are no subclasses of asyncio's
            transport = cast("asyncio.WriteTransport | None", client.transport)
            client.close()
            if transport is not None:
                transport.abort()  # everything is said; TLS would go on waiting for the server's last word


def composed(
    config: EmailConfig,
    message: OutboundMessage,
    recipient: str,
    files: list[tuple[OutboundFile, bytes]],
    now: datetime,
) -> bytes:
    """The mail as it goes over the wire; no text from outside can add a header to it."""
    ascii_only = recipient.isascii() and config.mailbox.isascii()
    mail = EmailMessage(policy=SMTP_POLICY if ascii_only else SMTPUTF8)
    mail["From"] = config.mailbox
    mail["To"] = recipient
    mail["Subject"] = " ".join(message.subject.split()) or DEFAULT_SUBJECT
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = own_id(config, message)
    answered = _id(message.reply_to or "")
    before = [found for each in message.references if (found := _id(each))]
    known = list(dict.fromkeys([*before, *([answered] if answered else [])]))
    if len(known) > MAX_REFERENCES:
        # The first one and the last ones: what programs look for, in a header that no server finds too long.
        known = [known[0], *known[1 - MAX_REFERENCES :]]
    if config.reply_token and message.thread is not None:
        mail["Reply-To"] = reply_address(config, message.thread)
    if message.unsubscribe.startswith(("https://", "http://")):
        # One of many: how to leave, in one click (RFC 8058), and that it is no answer to anything (RFC 3834).
        mail["List-Unsubscribe"] = f"<{quote(message.unsubscribe, safe=_ADDRESS_MARKS)}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail["Precedence"] = "bulk"
        mail["Auto-Submitted"] = "auto-generated"
    elif message.automatic:
        # Robots don't answer robots: the standard's word for it, and what Exchange looks at.
        mail["Auto-Submitted"] = "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
    text = message.text.replace("\r\n", "\n").replace("\r", "\n")
    mail.set_content(text.encode("utf-8", "replace").decode())
    for file, content in files:
        main, _, sub = file.content_type.partition("/")
        if not sub or main in {"multipart", "message"} or not file.content_type.isascii():
            main, sub = "application", "octet-stream"
        mail.add_attachment(content, maintype=main, subtype=sub.split(";")[0], filename=safe_name(file.name) or "file")
    return _ids("In-Reply-To", [answered]) + _ids("References", known) + mail.as_bytes()


def _ids(header: str, ids: Sequence[str]) -> bytes:
    """A header of ids, each whole on its line; empty without any.

    The standard library writes an id too long for a line, as Exchange's are, as encoded words, which no mail program
    takes for an id: the answer would stand in no thread.
    """
    sendable = [each for each in ids if each and each.isascii() and each.isprintable()]
    if not sendable:
        return b""
    lines = [f"{header}: {sendable[0]}"]
    for each in sendable[1:]:
        if len(lines[-1]) + 1 + len(each) <= _LINE:
            lines[-1] += f" {each}"
        else:
            lines.append(f" {each}")
    return "\r\n".join([*lines, ""]).encode("ascii")


def _id(ref: str) -> str:
    """The id of a mail as it goes into a header; empty for a mail that came without one."""
    return message_id(ref) if "<" in ref else ""


def _client(server: MailServer, hostname: str, timeout_s: float) -> aiosmtplib.SMTP:
    """TLS is insisted on wherever the mail crosses a network; on this machine nobody listens in between."""
    guarded = not server.local
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.tls,
        start_tls=True if guarded and not server.tls else None if not server.tls else False,
        validate_certs=(guarded or server.tls) and not server.local,
        timeout=timeout_s,
        local_hostname=hostname if hostname.isascii() else "localhost",
    )


async def _greet(client: aiosmtplib.SMTP) -> None:
    if client.is_ehlo_or_helo_needed:
        try:
            await client.ehlo()
        except SMTPHeloError:
            await client.helo()


async def _hand_over(client: aiosmtplib.SMTP, sender: str, recipient: str, content: bytes, envelope_id: str) -> None:
    options = [] if recipient.isascii() and sender.isascii() else ["SMTPUTF8"]
    if options and not client.supports_extension("smtputf8"):
        raise PermanentDeliveryError("The mail server does not take addresses beyond ASCII.")
    encoding = "utf-8" if options else "ascii"
    if client.supports_extension("size"):
        options.append(f"SIZE={len(content)}")
    asked: list[str] = []
    if client.supports_extension("dsn"):
        # The report of what became of it names the mail by this id, whatever it quotes of it.
        options += ["RET=HDRS", f"ENVID={_xtext(envelope_id)}"]
        asked = ["NOTIFY=SUCCESS,FAILURE"]
    try:
        await client.mail(sender, options=options, encoding=encoding)
        await client.rcpt(recipient, options=asked, encoding=encoding)
    except (SMTPException, OSError) as error:
        raise translated(error) from error
    try:
        await client.data(content)
    except SMTPDataError as error:
        raise translated(error) from error
    except (SMTPException, OSError) as error:
        # Nobody knows whether the last line got through; the Message-ID lets the receiver see a repeat.
        raise TransientDeliveryError(
            "The connection broke while the mail was handed over: {why}", why=error, uncertain=True
        ) from (error)


def _xtext(text: str) -> str:
    """Text as a parameter of a command, RFC 3461."""
    return "".join(
        c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text.strip("<>") if c.isascii()
    )


def translated(error: Exception) -> DeliveryError:
    """What the server said of a message, as a delivery error."""
    match error:
        case SMTPAuthenticationError() if error.code < 500:
            return TransientDeliveryError("The mail server takes no login now: {words}", words=_words(error))
        case SMTPAuthenticationError():
            return ChannelAuthError("The mail server refuses the login: {words}", words=_words(error))
        case SMTPResponseException() if error.code in _AUTH_CODES:
            return ChannelAuthError("The mail server wants another login: {words}", words=_words(error))
        case SMTPRecipientRefused() if error.code >= 500:
            return PermanentDeliveryError(
                "The mail server does not take the client's address: check it ({words})", words=_words(error)
            )
        case SMTPSenderRefused() if error.code >= 500:
            return PermanentDeliveryError(
                "The mail server does not let this mailbox send: tell the administrator ({words})", words=_words(error)
            )
        case SMTPResponseException() if error.code >= 500:
            return PermanentDeliveryError("The mail server refuses the mail: {words}", words=_words(error))
        case SMTPResponseException():
            return TransientDeliveryError("The mail server can't take the mail now: {words}", words=_words(error))
        case _:
            return TransientDeliveryError(
                "The mail server can't be reached: {why}: {why2}", why=type(error).__name__, why2=error
            )


def _greeting_error(server: MailServer, error: Exception) -> DeliveryError:
    """A refusal before any message was named says nothing against the message: it waits."""
    match error:
        case SMTPAuthenticationError():
            return translated(error)
        case SMTPNotSupported():
            return ChannelAuthError("{server} does not offer what the settings want: {why}", server=server, why=error)
        case SMTPConnectError():
            return TransientDeliveryError("{server} can't be reached: {why}", server=server, why=error)
        case SMTPResponseException() if error.code in _AUTH_CODES:
            return translated(error)
        case SMTPResponseException():
            return TransientDeliveryError("{server}: {words}", server=server, words=_words(error))
        case _:
            return TransientDeliveryError(
                "{server} can't be reached: {why}: {why2}", server=server, why=type(error).__name__, why2=error
            )


def _words(error: SMTPResponseException) -> str:
    return f"{error.code} {' '.join(str(error.message).split())}"
