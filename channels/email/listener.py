"""A place where mail is taken in, shared by the mailboxes that name it: recipients decide whose a mail is."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from channels.email.config import EmailConfig, Listen
from channels.email.server import SESSION_S, TRY_AGAIN, Conversation, Crowd, Handler, LmtpConversation, Refusal, Terms
from channels.email.token import plain_address
from channels.email.waiting import Backoff, Sleep
from crm_core.errors import CoreError

log = logging.getLogger(__name__)

TAKEN = "250 2.0.0 OK, kept"
UNKNOWN = "550 5.1.1 No such mailbox here"
TOO_LARGE = "552 5.3.4 The mail is larger than this mailbox takes"
MAX_CONNECTIONS = 100
IDLE_S = 300.0
PATIENCE_S = 10.0

Deliver = Callable[[str, bytes], Awaitable[None]]
Told = Callable[[str | None], None]


@dataclass(slots=True)
class _Account:
    """A mailbox of this listener. It exists from the beginning; `deliver` is set while it is started."""

    config: EmailConfig
    deliver: Deliver | None = None
    told: Told | None = None


class Listener:
    """One listening socket. It is opened with the first account that starts, and closed with the last that stops.

    A mailbox that is not started yet, or not any more, is answered 451, never 550: it exists.
    """

    def __init__(
        self,
        place: Listen,
        *,
        max_connections: int = MAX_CONNECTIONS,
        idle_s: float = IDLE_S,
        session_s: float = SESSION_S,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.place = place
        self._max_connections = max_connections
        self._idle_s = idle_s
        self._session_s = session_s
        self._sleep = sleep
        self._accounts: dict[str, _Account] = {}
        self._server: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None
        self._trouble: str | None = None
        self._tls: ssl.SSLContext | None = None
        self._crowd = Crowd()

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port that it really listens on; None while it does not."""
        if self._server is None or not self._server.sockets:
            return None
        host, port, *_ = self._server.sockets[0].getsockname()
        return str(host), int(port)

    def register(self, config: EmailConfig) -> None:
        """Make a mailbox known; before the listener opens."""
        self._accounts[config.mailbox] = _Account(config)

    async def join(self, config: EmailConfig, deliver: Deliver, told: Told) -> None:
        """Start a mailbox. `deliver(mail_from, content)` takes a mail in; `told(None)` says that the place is open,
        `told("…")` why it is not (it is tried again).
        """
        account = self._accounts[config.mailbox]
        account.deliver, account.told = deliver, told
        if self._server is not None or self._opening is not None:
            if config.tls is not None and self._server is not None:
                await self._certify()
            told(self._trouble)
            return
        if not await self._try_to_open():
            self._opening = asyncio.create_task(self._keep_trying(), name=f"smtp {self.place}")

    def forget(self, config: EmailConfig) -> None:
        """A mailbox that left will not be back: from now on it is answered 550."""
        account = self._accounts.get(config.mailbox)
        if account is not None and account.config is config:
            del self._accounts[config.mailbox]

    async def leave(self, config: EmailConfig) -> None:
        """Stop a mailbox. Idempotent."""
        account = self._accounts.get(config.mailbox)
        if account is not None and account.config is config:
            account.deliver, account.told = None, None
        if any(each.deliver is not None for each in self._accounts.values()):
            return
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.gather(opening, return_exceptions=True)
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await self._crowd.disperse(PATIENCE_S)
            await server.wait_closed()

    def accepts(self, recipient: str, size: int | None) -> str | None:
        """The refusal of a recipient, None where they are welcome."""
        account = self._accounts.get(plain_address(recipient))
        if account is None:
            return UNKNOWN
        if size is not None and size > account.config.max_size:
            return TOO_LARGE
        return TRY_AGAIN if account.deliver is None else None

    async def deliver(self, mail_from: str, recipients: list[str], content: bytes) -> str:
        """One fact for each of the mailboxes; 250 when all are committed. A repeat after a failure changes nothing."""
        accounts = [self._accounts[name] for name in dict.fromkeys(plain_address(each) for each in recipients)]
        if any(len(content) > each.config.max_size for each in accounts):
            return TOO_LARGE
        try:
            for account in accounts:
                if account.deliver is None:
                    return TRY_AGAIN
                await account.deliver(mail_from, content)
        except CoreError as error:
            log.warning("smtp %s: the mail stays with its sender: %s", self.place, error)
            return TRY_AGAIN
        except Exception:
            log.exception("smtp %s: the mail stays with its sender after an unexpected failure", self.place)
            return TRY_AGAIN
        return TAKEN

    async def _try_to_open(self) -> bool:
        # Its lines name senders and recipients; what matters is logged here.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        loop = asyncio.get_running_loop()
        try:
            self._tls = await asyncio.to_thread(self._certified)
            self._server = await loop.create_server(self._answer, self.place.host, self.place.port)
        except OSError as error:
            self._tell(f"can't listen on {self.place}: {_reason(error)}")
            return False
        self._tell(None)
        return True

    async def _certify(self) -> None:
        """Offer the certificate of a mailbox that came after the others."""
        try:
            self._tls = await asyncio.to_thread(self._certified)
        except OSError as error:
            self._tell(f"{self.place} takes mail without TLS: {_reason(error)}")

    async def _keep_trying(self) -> None:
        backoff = Backoff()
        while True:
            await self._sleep(backoff.next())
            if await self._try_to_open():
                self._opening = None
                return

    def _tell(self, trouble: str | None) -> None:
        self._trouble = trouble
        for account in self._accounts.values():
            if account.told is not None:
                account.told(trouble)

    def _answer(self) -> asyncio.BaseProtocol:
        if len(self._crowd) >= self._max_connections:
            log.warning("smtp %s: %d connections; one more is refused", self.place, len(self._crowd))
            return Refusal()
        configs = [account.config for account in self._accounts.values()]
        login = next((config.listen_login for config in configs if config.listen_login is not None), None)
        terms = Terms(
            hostname=configs[0].domain,
            max_size=max(config.max_size for config in configs),
            idle_s=self._idle_s,
            session_s=self._session_s,
            tls=self._tls,
            login=login,
            lmtp=self.place.lmtp,
        )
        return (LmtpConversation if terms.lmtp else Conversation)(Handler(self, login), terms, self._crowd)

    def _certified(self) -> ssl.SSLContext | None:
        """What STARTTLS is offered with: the certificate of the first mailbox that names one."""
        named = (account.config.tls for account in self._accounts.values())
        files = next((each for each in named if each is not None), None)
        if files is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(files.certificate, files.key)
        return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"tls_cert and tls_key are no certificate with its key: {error}"
    if isinstance(error, FileNotFoundError):
        return f"there is no {error.filename or 'such file as tls_cert or tls_key names'}"
    return error.strerror or str(error)


class Listeners:
    """The listeners of a process, one for each place; owned by whoever creates the channels."""

    def __init__(self) -> None:
        self._by_place: dict[Listen, Listener] = {}

    def at(self, place: Listen) -> Listener:
        """The listener of a place; no I/O."""
        return self._by_place.setdefault(place, Listener(place))
