"""What a mailbox needs to be known by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from crm_core.errors import InvalidIdentity, InvalidInput
from crm_core.messages import ChannelKey
from crm_core.model.identity import address

CHANNEL = "email"
MB = 1024 * 1024
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, order=True)
class Listen:
    """Where mail is taken in by SMTP, or by LMTP; port 0 is any free one. Accounts with the same place share one
    listener.
    """

    host: str
    port: int
    lmtp: bool = False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a listener shows for STARTTLS: a certificate with its chain, and the key of it, both PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out, or is fetched from: `tls` from the first byte (smtps, imaps); no `user`, no login."""

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = "INBOX"

    @property
    def local(self) -> bool:
        """Whether it is on this machine, where nobody listens in between."""
        return self.host in LOOPBACK

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class EmailConfig:
    """One mailbox; `max_size` of a mail in bytes. Raises InvalidInput for an address that is none.

    `token_key` signs the ids of our mails and our reply addresses; `reply_token`: answers are asked to come to an
    address that names the thread. `authserv` are the servers whose `Authentication-Results` are believed
    (`*.example.net` for all of a domain). `form_senders` are addresses from which a site sends its forms, `form_fields`
    its labels and what they mean (`name phone email message page`, or a field's name).

    `imap_since`: how old the mails of a folder may be that is read for the first time; zero for new ones only, None for
    all of them. `tls` and `listen_login` (user, password) are the listener's: the first mailbox of a place that names
    them decides.
    """

    name: str
    address: str
    listen: Listen | None = None
    imap: MailServer | None = None
    smtp: MailServer | None = None
    max_size: int = 25 * MB
    token_key: bytes = field(default=b"", repr=False)
    reply_token: bool = False
    authserv: tuple[str, ...] = ()
    form_senders: tuple[str, ...] = ()
    form_fields: tuple[tuple[str, str], ...] = ()
    imap_since: timedelta | None = timedelta(0)
    tls: Certificate | None = None
    listen_login: tuple[str, str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        try:
            address(self.address)
        except InvalidIdentity as error:
            raise InvalidInput("email {name}: {why}", name=self.name, why=error) from error

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return ChannelKey(CHANNEL, self.name)

    @property
    def mailbox(self) -> str:
        """The address as it is compared."""
        return self.address.strip().lower()

    @property
    def domain(self) -> str:
        """The part of the address behind the @, as it stands in ids and greetings: always ASCII."""
        name = self.mailbox.rpartition("@")[2]
        try:
            return name if name.isascii() else name.encode("idna").decode("ascii")
        except UnicodeError:
            return "localhost"
