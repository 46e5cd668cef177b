"""What can be configured, as values: `Settings` and its parts, all frozen, all parsed.

Durations are timedeltas, sizes bytes, paths absolute, secrets `Secret`. A connector's accounts carry the intake policy
of the record (`AccountPolicy`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from crm_core.messages import RouteStage
from crm_core.model.answers import NO_ANSWERS, Answers
from crm_core.model.calendar import DayHours, WorkingHours
from crm_core.model.ladder import Ladder, Ladders
from crm_core.model.line import Group, Line
from crm_core.model.office import SpecialList
from crm_core.model.policy import AccountPolicy
from crm_core.model.user import Language, Role
from hub.settings.secret import DatabaseUrl, Endpoint, Secret, ServerUrl
from hub.settings.storage import ObjectStorage

MB = 1024 * 1024
DEFAULT_HTTP = Endpoint("127.0.0.1", 8080)
DEFAULT_AGI = Endpoint("127.0.0.1", 4573)
CLIENT_HOURS = DayHours(time(9), time(21))
PLAIN = AccountPolicy()


class LogFormat(Enum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


class TelegramMode(Enum):
    """How updates of a bot arrive."""

    POLLING = "polling"
    WEBHOOK = "webhook"


class VkMode(Enum):
    """How events of a community arrive."""

    CALLBACK = "callback"
    LONGPOLL = "longpoll"


class MailProtocol(Enum):
    """How mail is brought to `listen`: by anybody, or by the mail server that stands before the hub."""

    SMTP = "smtp"
    LMTP = "lmtp"


class ChatPosition(Enum):
    """In which lower corner of a page the button of the chat stands."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class TelegramSettings:
    """A bot. `staff`: the office is told through this one; exactly one bot is, where there are any.

    `secret` is set in mode webhook.
    """

    name: str
    token: Secret
    mode: TelegramMode = TelegramMode.POLLING
    secret: Secret | None = None
    api_base: str = "https://api.telegram.org"
    staff: bool = False
    policy: AccountPolicy = PLAIN
    answers: Answers = NO_ANSWERS


@dataclass(frozen=True, slots=True)
class VkSettings:
    """A community. `secret` and `confirmation` are set in mode callback. `joins`: who joins it is an enquiry."""

    name: str
    group_id: int
    token: Secret
    mode: VkMode = VkMode.CALLBACK
    secret: Secret | None = None
    confirmation: Secret | None = None
    api_base: str = "https://api.vk.com/method"
    joins: bool = True
    policy: AccountPolicy = PLAIN
    answers: Answers = NO_ANSWERS


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """A mailbox: mail comes in by `listen` (SMTP) or `imap` (path: the folder) or both, and goes out by `smtp`.

    At least one of the three is set; `max_size` in bytes. `reply_token`: answers are asked to come to an address that
    names the thread. `authserv` are the servers whose findings about senders are believed; `form_senders` send a site's
    forms, whose labels mean what `form_fields` says. `imap_since`: how old mails of a folder may be that is read for
    the first time, zero for new ones only, None for all. `protocol`, `tls_cert` with `tls_key`, and `listen_user` with
    `listen_password` are those of `listen`.
    """

    name: str
    address: str
    listen: Endpoint | None = None
    imap: ServerUrl | None = None
    smtp: ServerUrl | None = None
    max_size: int = 25 * MB
    reply_token: bool = False
    authserv: tuple[str, ...] = ()
    form_senders: tuple[str, ...] = ()
    form_fields: tuple[tuple[str, str], ...] = ()
    imap_since: timedelta | None = timedelta(0)
    protocol: MailProtocol = MailProtocol.SMTP
    tls_cert: Path | None = None
    tls_key: Path | None = None
    listen_user: str = ""
    listen_password: Secret | None = None
    policy: AccountPolicy = PLAIN
    answers: Answers = NO_ANSWERS


@dataclass(frozen=True, slots=True)
class PbxSettings:
    """An Asterisk. `dial` holds `{extension}`, `trunk` `{number}` (None: clients can't be dialled).

    `fallback` is the dial string that the printed dialplan rings without the hub; `wrap` is how long somebody is left
    in peace after a call. `record`: talks are recorded, where `recordings` is set and a line does not say otherwise.
    `sounds` is Asterisk's folder `custom`, where the office's own sounds are put. `agi_second` is another hub that
    Asterisk asks when this one does not answer; `cdr_sql` with `cdr_table` is where call records lie in a database.
    """

    name: str
    ami: ServerUrl
    agi: Endpoint = DEFAULT_AGI
    dial: str = "PJSIP/{extension}"
    trunk: str | None = None
    recordings: Path | None = None
    sounds: Path | None = None
    cdr: Path | None = None
    fallback: str | None = None
    wrap: timedelta = timedelta(0)
    record: bool = True
    agi_second: str | None = None
    cdr_sql: DatabaseUrl | None = None
    cdr_table: str = "cdr"


@dataclass(frozen=True, slots=True)
class WebSettings:
    """A website whose forms are posted here, and whose visitors write in the chat.

    `origins` as browsers send them, `*` for any; `max_size` of a form in bytes, `file_size` of a file in the chat;
    `per_minute` forms and messages are taken from one address. `title`, `color` and `position` are the chat's.
    """

    name: str
    key: Secret
    origins: tuple[str, ...] = ()
    max_size: int = MB
    per_minute: int = 30
    chat: bool = True
    title: str = ""
    color: str = "#2457d6"
    position: ChatPosition = ChatPosition.RIGHT
    file_size: int = 10 * MB
    policy: AccountPolicy = PLAIN
    answers: Answers = NO_ANSWERS


@dataclass(frozen=True, slots=True)
class CtiSettings:
    """Another telephone system that pushes its calls to `/api/v1/cti/{token}`.

    `caller_id` is the number clients see of outgoing calls, `caller_ids` others for those whose number fits a pattern
    (`49*`, digits with the country code), in order; without any of them the telephone system decides.
    """

    name: str
    token: Secret
    caller_id: str | None = None
    caller_ids: tuple[tuple[str, str], ...] = ()
    policy: AccountPolicy = PLAIN


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """A program that brings the messages of some messenger, and takes the answers at `url` (None: it only brings).

    `secret` signs both ways; `phones`: numbers that it names are their senders'. `max_size` in bytes.
    """

    name: str
    secret: Secret
    url: str | None = None
    phones: bool = False
    file_hosts: tuple[str, ...] = ()
    max_size: int = 20 * MB
    policy: AccountPolicy = PLAIN
    answers: Answers = NO_ANSWERS


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Another program that is told of events: by their names, `deal.*` for all of a kind, `*` for all."""

    url: str
    secret: Secret
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoutingSettings:
    """How calls are given out. `fallback` follows the client's own manager, in this order."""

    deadline_ms: int = 300
    ring_s: int = 20
    fallback: tuple[RouteStage, ...] = (
        RouteStage.DEPUTY,
        RouteStage.GROUP,
        RouteStage.DUTY,
        RouteStage.CALLBACK,
    )
    short_abandon: timedelta = timedelta(seconds=3)

    @property
    def deadline(self) -> timedelta:
        """`deadline_ms` as a duration."""
        return timedelta(milliseconds=self.deadline_ms)


@dataclass(frozen=True, slots=True)
class RobotSettings:
    """What rings by itself. `client_hours` are local to the client."""

    on_take: bool = False
    on_missed: bool = False
    on_order: bool = False
    client_hours: DayHours = CLIENT_HOURS
    attempts: int = 3
    spacing: timedelta = timedelta(minutes=15)
    announce: bool = True
    sound: str = "followme/call-from"
    ring_s: int = 30


@dataclass(frozen=True, slots=True)
class AlarmSettings:
    """Of what administrators are told: a link that is down for `link_after`, with `silence` a line that usually rings
    and does not."""

    link_after: timedelta = timedelta(minutes=2)
    silence: bool = True


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """What may be brought in: files of at most `max_size` bytes."""

    max_size: int = 200 * MB


@dataclass(frozen=True, slots=True)
class RecordingsSettings:
    """What becomes of recordings: kept for `keep` (None: for ever), put away into `s3` where there is one.

    With fewer than `least_free` bytes left beside them, somebody is told.
    """

    keep: timedelta | None = None
    s3: ObjectStorage | None = None
    least_free: int = 1024 * MB


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """How people get in: of these roles a second factor is demanded."""

    second_factor: frozenset[Role] = frozenset()


class OidcLink(Enum):
    """How an account at the provider finds its person the first time: by the e-mail it vouches for, or only where an
    administrator wrote it down."""

    EMAIL = "email"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The office's own OpenID provider. `issuer` without a trailing slash unless it has one there; `name` stands on the
    button of the login page."""

    issuer: str
    client_id: str
    client_secret: Secret
    name: str
    link: OidcLink = OidcLink.EMAIL


IpNetwork: TypeAlias = IPv4Network | IPv6Network
LOOPBACK: tuple[IpNetwork, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration. `file` is the hub.toml that was read, None where there is none.

    `ladders` holds what is configured; `ladders_in_force` adds the built-in ones. `trusted_proxies` are believed about
    where a request comes from. `database_connections`: so many are open to PostgreSQL at most.
    """

    folder: Path
    database_url: DatabaseUrl
    files: Path
    file: Path | None = None
    database_connections: int = 15
    redis_url: ServerUrl | None = None
    http: Endpoint = DEFAULT_HTTP
    public_url: str | None = None
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Moscow"))
    region: str = "RU"
    language: Language = Language.RU
    secret_key: Secret | None = None
    log: LogFormat = LogFormat.TEXT
    trusted_proxies: tuple[IpNetwork, ...] = LOOPBACK
    telegram: tuple[TelegramSettings, ...] = ()
    vk: tuple[VkSettings, ...] = ()
    email: tuple[EmailSettings, ...] = ()
    pbx: tuple[PbxSettings, ...] = ()
    web: tuple[WebSettings, ...] = ()
    cti: tuple[CtiSettings, ...] = ()
    gateways: tuple[GatewaySettings, ...] = ()
    lines: tuple[Line, ...] = ()
    groups: tuple[Group, ...] = ()
    lists: tuple[SpecialList, ...] = ()
    hours: tuple[WorkingHours, ...] = ()
    ladders: tuple[Ladder, ...] = ()
    webhooks: tuple[WebhookSettings, ...] = ()
    webhook_private: bool = False
    routing: RoutingSettings = RoutingSettings()
    robot: RobotSettings = RobotSettings()
    recordings: RecordingsSettings = RecordingsSettings()
    alarms: AlarmSettings = AlarmSettings()
    imports: ImportSettings = ImportSettings()
    access: AccessSettings = AccessSettings()
    oidc: OidcSettings | None = None

    @property
    def base_url(self) -> str:
        """Where the hub is reached: `public_url`, else the address it listens on; no trailing slash."""
        return self.public_url or f"http://{self.http}"

    @property
    def staff_telegram(self) -> TelegramSettings | None:
        """The bot that tells the office."""
        return next((bot for bot in self.telegram if bot.staff), None)

    @property
    def ladders_in_force(self) -> Ladders:
        """The configured ladders over the built-in ones."""
        return Ladders.of(self.ladders)

    def secrets(self) -> Iterator[str]:
        """Every secret text, for whoever has to keep them out of the log."""
        accounts = (*self.telegram, *self.vk, *self.web, *self.cti, *self.gateways, *self.webhooks)
        named = (
            getattr(account, name, None) for account in accounts for name in ("token", "secret", "confirmation", "key")
        )
        servers = [self.redis_url, *(pbx.ami for pbx in self.pbx)]
        servers += [server for mailbox in self.email for server in (mailbox.imap, mailbox.smtp)]
        passwords = [server.password for server in servers if server is not None]
        passwords += [mailbox.listen_password for mailbox in self.email if mailbox.listen_password is not None]
        storage = self.recordings.s3.secret if self.recordings.s3 is not None else None
        provider = self.oidc.client_secret if self.oidc is not None else None
        for secret in (self.secret_key, *named, *passwords, storage, provider):
            if isinstance(secret, Secret) and secret:
                yield secret.reveal()
        for pbx in self.pbx:
            password = urlsplit(pbx.cdr_sql.reveal()).password if pbx.cdr_sql is not None else None
            if password:
                yield unquote(password)
