"""One IMAP connection, for a thread of its own: every call waits for the server. Only `abort` may come from elsewhere.

The folder is opened for reading only: no flag of any mail changes, nothing becomes read.
"""

from __future__ import annotations

import imaplib
import logging
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import CapabilityError, LoginError

from channels.email.config import MailServer
from channels.email.providers import hint
from crm_core.errors import ChannelAuthError, DeliveryError, PermanentDeliveryError, TransientDeliveryError

log = logging.getLogger(__name__)

MAX_HEADER = 64 * 1024
_MAX_WORDS = 300
# The account is well, the server is not: trying again is all that helps.
_PASSING = ("UNAVAILABLE", "INUSE", "LIMIT", "THROTTLED", "SERVERBUG", "TEMPORAR", "TRY AGAIN", "TOO MANY")


class MailRefusedError(DeliveryError):
    """The server does not hand out what was asked for, and the connection goes on."""


@dataclass(frozen=True, slots=True)
class FolderState:
    """The folder as it was opened: its generation of UIDs, the next UID (0: the server did not say), how many mails."""

    validity: int
    next_uid: int
    exists: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A mail of the folder, before it is fetched; `size` in bytes, `at` when it came into the folder (aware; None where
    the server does not say).
    """

    uid: int
    size: int
    at: datetime | None


class _Imap4(imaplib.IMAP4):
    """The standard library's protocol on a socket that is connected already."""

    def __init__(self, host: str, given: socket.socket, context: ssl.SSLContext | None, timeout_s: float) -> None:
        self._given = given
        self._context = context
        self._timeout_s = timeout_s
        super().__init__(host)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:  # noqa: ARG002 - the library's name
        self._given.settimeout(self._timeout_s)
        if self._context is None:
            return self._given
        return self._context.wrap_socket(self._given, server_hostname=self.host)


class _Client(IMAPClient):  # type: ignore[misc] # the library has no types
    """The library, on a socket of ours; and its IDLE without two holes: news that come before the server's "+", and
    news that were read together with it and that the socket therefore does not announce any more.
    """

    def __init__(
        self, server: MailServer, given: socket.socket, context: ssl.SSLContext | None, timeout_s: float
    ) -> None:
        self._given, self._wanted, self._timeout_s = given, context, timeout_s
        self._look_first = False
        super().__init__(server.host, server.port, ssl=context is not None, timeout=timeout_s)
        # At its level of debugging imaplib writes every mail out, to nobody.
        self._imap.debug = 0
        self.normalise_times = False

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802 - the library's name
        return _Imap4(self.host, self._given, self._wanted if self.ssl else None, self._timeout_s)

    def idle(self) -> bool:
        """Enter IDLE; whether news came before the server was ready."""
        self._idle_tag = tag = self._imap._command("IDLE")  # noqa: SLF001 - as the library does
        early = False
        while self._imap._get_response() is not None:  # noqa: SLF001 - None is the "+"
            if self._imap.tagged_commands[tag]:
                raise imaplib.IMAP4.abort(f"IDLE refused: {self._imap.tagged_commands[tag]}")
            early = True
        self._look_first = True
        return early

    def _poll_socket(self, sock: Any, timeout: float | None = None) -> Any:
        if self._look_first:
            self._look_first = False
            return True
        return super()._poll_socket(sock, timeout)


class ImapLink:
    """One connection; `connected` is its socket, `abort` ends whatever another thread waits for on it."""

    def __init__(self, server: MailServer, connected: socket.socket, timeout_s: float) -> None:
        self._server = server
        self._socket = connected
        self._twin = connected.dup()  # TLS takes the other one over
        self._timeout_s = timeout_s
        self._client: Any = None
        self.secured = server.tls
        self.can_idle = False

    def abort(self) -> None:
        """Cut the connection: what waits for the server fails at once. From any thread, any number of times."""
        with suppress(OSError):
            self._twin.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Say goodbye where that is possible, and close."""
        client, self._client = self._client, None
        if client is not None:
            try:
                client.logout()
            except (imaplib.IMAP4.error, OSError):
                with suppress(imaplib.IMAP4.error, OSError, AttributeError):
                    client.shutdown()
        self._socket.close()
        self._twin.close()

    def open(self) -> FolderState:
        """Secure the connection, log in, open the folder. Raises the delivery errors, in words that help."""
        try:
            self._client = client = self._greeted()
            self._log_in(client)
            return self._select(client)
        except DeliveryError:
            raise
        except Exception as error:
            raise broken(self._server, error) from error

    def uids(self, first: int, last: int | None) -> list[int]:
        """The UIDs that mails have between these two, in order; None for no end. Raises the delivery errors."""
        try:
            found = self._client.search(["UID", f"{first}:{last if last is not None else '*'}"])
        except Exception as error:
            raise broken(self._server, error) from error
        # "n:*" names the last mail even where its UID is smaller than n.
        return sorted(uid for uid in found if uid >= first and (last is None or uid <= last))

    def about(self, uids: Sequence[int]) -> list[Listed]:
        """What the server tells of mails without handing them out. Raises the delivery errors."""
        try:
            told = self._client.fetch(list(uids), ["RFC822.SIZE", "INTERNALDATE"])
        except Exception as error:
            raise broken(self._server, error) from error
        return [
            Listed(uid, int(about.get(b"RFC822.SIZE", 0)), _aware(about.get(b"INTERNALDATE")))
            for uid, about in ((uid, told.get(uid, {})) for uid in uids)
        ]

    def bodies(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The mails as they are; one that is gone meanwhile is missing. Raises the delivery errors."""
        return self._parts(uids, "BODY.PEEK[]", b"BODY[]")

    def header(self, uid: int) -> bytes:
        """The header of a mail, at most 64 kB of it; empty where it is gone. Raises the delivery errors."""
        found = self._parts([uid], f"BODY.PEEK[HEADER]<0.{MAX_HEADER}>", b"BODY[HEADER]<0>")
        return found.get(uid, b"")

    def wait(self, seconds: float) -> None:
        """Wait by IDLE for news of the folder, no longer than this. Raises the delivery errors."""
        try:
            news = self._client.idle()
            until = time.monotonic() + seconds
            looked = False
            while not news and (left := until - time.monotonic()) > 0:
                told = self._client.idle_check(left)
                if not told and looked:
                    break  # the time is up, or the server has hung up: the next command tells
                looked = True
                news = any(len(each) > 1 and each[1] == b"EXISTS" for each in told)
            self._client.idle_done()
        except Exception as error:
            raise broken(self._server, error) from error

    def ask(self) -> None:
        """Let the server tell its news, which `uids` sees afterwards. Raises the delivery errors."""
        try:
            self._client.noop()
        except Exception as error:
            raise broken(self._server, error) from error

    def _greeted(self) -> Any:
        server = self._server
        context = _context(server)
        client = _Client(server, self._socket, context if server.tls else None, self._timeout_s)
        self._client = client
        if server.tls:
            return client
        if client.has_capability("STARTTLS"):
            client.starttls(context)
            self.secured = True
        elif not server.local:
            raise ChannelAuthError(
                "{server} offers no STARTTLS, and the password would cross the network readable:"
                " name its imaps:// port",
                server=server,
            )
        return client

    def _log_in(self, client: Any) -> None:
        server = self._server
        try:
            # The other way takes no password beyond ASCII.
            if client.has_capability("AUTH=PLAIN"):
                client.plain_login(server.user, server.password)
            else:
                client.login(server.user, server.password)
        except UnicodeEncodeError as error:
            raise ChannelAuthError("{server} takes no password with letters beyond ASCII", server=server) from error
        except LoginError as error:
            words = _words(error)
            if isinstance(error.__context__, imaplib.IMAP4.abort) or any(each in words.upper() for each in _PASSING):
                raise TransientDeliveryError(
                    "{server} takes no login now: {words}", server=server, words=words
                ) from error
            raise ChannelAuthError(
                "{server} refuses the login {user}: {words}{mend}",
                server=server,
                user=server.user,
                words=words,
                mend=hint(server.host),
            ) from error
        self.can_idle = client.has_capability("IDLE")

    def _select(self, client: Any) -> FolderState:
        folder = self._server.folder
        try:
            found = client.select_folder(folder, readonly=True)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            names = ", ".join(sorted(str(name) for _, _, name in client.list_folders())[:30])
            raise PermanentDeliveryError(
                "{server}: the folder «{folder}» can't be opened ({words}); there are: {names}",
                server=self._server,
                folder=folder,
                words=_words(error),
                names=names,
            ) from error
        return FolderState(
            int(found.get(b"UIDVALIDITY", 0)), int(found.get(b"UIDNEXT", 0)), int(found.get(b"EXISTS", 0))
        )

    def _parts(self, uids: Sequence[int], wanted: str, name: bytes) -> dict[int, bytes]:
        try:
            told = self._client.fetch(list(uids), [wanted])
        except Exception as error:
            raise broken(self._server, error) from error
        return {uid: part for uid, about in told.items() if isinstance(part := about.get(name), bytes)}


def broken(server: MailServer, error: Exception) -> DeliveryError:
    """Whatever went wrong with a server, in the words of the channel port."""
    match error:
        case DeliveryError():
            return error
        case ssl.SSLCertVerificationError():
            return TransientDeliveryError(
                "{server}: its certificate is not trusted: {why}", server=server, why=error.verify_message
            )
        case CapabilityError():
            return TransientDeliveryError("{server}: {words}", server=server, words=_words(error))
        case imaplib.IMAP4.abort():
            return TransientDeliveryError("{server}: the connection broke: {words}", server=server, words=_words(error))
        case imaplib.IMAP4.error():
            return MailRefusedError("{server}: {words}", server=server, words=_words(error))
        case OSError():
            return TransientDeliveryError(
                "{server} can't be reached: {why}: {why2}", server=server, why=type(error).__name__, why2=error
            )
        case _:
            # The library stumbles over what a server says in many ways.
            return MailRefusedError(
                "{server} said what is not understood: {why}: {words}",
                server=server,
                why=type(error).__name__,
                words=_words(error),
            )


def _context(server: MailServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.local:  # nobody listens in between, and nobody certifies a loopback address
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _aware(at: object) -> datetime | None:
    if not isinstance(at, datetime):
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:_MAX_WORDS]
