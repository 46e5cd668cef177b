"""The office of the demonstration: who works there, how its hub is configured, who its clients are."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crm_core.model.user import Role
from crm_core.ports import Clock, Policies
from crm_core.services.desk import Desk
from crm_core.storage.database import Database
from crm_core.storage.migrate import migrate
from crm_core.storage.store import Store
from crm_core.storage.tokens import add_token
from crm_core.storage.users import NewUser, add_user
from hub.access.security import Passwords, new_token, token_digest
from hub.demo.peers.process import free_port
from hub.settings import Settings
from hub.settings.office import office_of
from routing.assign import LeastLoaded
from routing.escalation import TellByRole

GREETING = "Здравствуйте! Это «Окна и балконы». Менеджер скоро ответит."
MENU_ITEM, MENU_ANSWER = "Цены", "Прайс-лист: https://okna.example/price"
LINE = "+74951234567"
ADMIN = "demo"
RING_S = 4
DEADLINE_MS = 5_000  # everything of the demonstration runs on one machine, which may be slow
SECOND_RUNG_S, THIRD_RUNG_S = 6, 12
GROUP, CONFIRMATION = 123456, "c0nf1rm"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the office."""

    login: str
    name: str
    role: Role
    telegram_id: int
    extension: str | None = None
    dative: str = ""
    """The name as one tells somebody something: «Ивану Петрову»."""


IVAN = Member("ivan", "Иван Петров", Role.MANAGER, 1001, "101", "Ивану Петрову")
MARIA = Member("maria", "Мария Соколова", Role.MANAGER, 1002, "102", "Марии Соколовой")
PETR = Member("petr", "Пётр Лебедев", Role.MANAGER, 1003, "103", "Петру Лебедеву")
KIRA = Member("kira", "Кира Орлова", Role.CONTROLLER, 2001, dative="Кире Орловой (контролёр)")
DMITRY = Member("dmitry", "Дмитрий Волков", Role.DIRECTOR, 3001, dative="Дмитрию Волкову (директор)")
STAFF = (IVAN, MARIA, PETR, KIRA, DMITRY)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the hub listens, all on the loopback interface, and where it finds its peers."""

    http: int
    smtp: int
    agi: int
    ami: int
    bot_api: str
    vk: str
    site: int = field(default_factory=free_port)

    @classmethod
    def free(cls, ami: int, bot_api: str, vk: str) -> Ports:
        """Ports that nobody listens on now."""
        return cls(free_port(), free_port(), free_port(), ami, bot_api, vk)

    @property
    def url(self) -> str:
        """The hub's address."""
        return f"http://127.0.0.1:{self.http}"

    @property
    def site_url(self) -> str:
        """The firm's website, which is another origin than the hub."""
        return f"http://127.0.0.1:{self.site}"


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the hub's doors: made anew each time."""

    ami: str
    form: str
    bot: str
    vk: str
    vk_secret: str
    password: str

    @classmethod
    def new(cls) -> Keys:
        """Fresh ones."""
        bot = f"{secrets.randbelow(9_000_000) + 1_000_000}:{secrets.token_urlsafe(24)}"
        vk, vk_secret = secrets.token_urlsafe(24), secrets.token_urlsafe(12)
        password = f"demo-{secrets.token_hex(3)}"
        return cls(secrets.token_urlsafe(12), secrets.token_urlsafe(12), bot, vk, vk_secret, password)


def configuration(ports: Ports, keys: Keys, exchange: Path | None) -> str:
    """The hub.toml. `exchange` is the folder that a real Asterisk writes to, None where there is none."""
    files = ""
    if exchange is not None:
        files = f'recordings = "{exchange}/spool/monitor"\ncdr = "{exchange}/log/cdr-csv/Master.csv"\n'
    return f"""\
http = "127.0.0.1:{ports.http}"
database_url = "sqlite+aiosqlite:///hub.sqlite3"
files = "files"
secret_key = "{secrets.token_urlsafe(24)}"

[[pbx]]
name = "office"
ami = "ami://hub:{keys.ami}@127.0.0.1:{ports.ami}"
agi = "127.0.0.1:{ports.agi}"
trunk = "PJSIP/{{number}}@trunk"
fallback = "PJSIP/101&PJSIP/102&PJSIP/103"
{files}
[[line]]
number = "{LINE}"
pbx = "office"
source = "Яндекс.Директ"
group = "sales"

[[telegram]]
name = "shop"
token = "{keys.bot}"
api_base = "{ports.bot_api}"
source = "Telegram-бот"
group = "sales"
greeting = "{GREETING}"
menu = [ {{ text = "{MENU_ITEM}", answer = "{MENU_ANSWER}" }} ]

[[vk]]
name = "okna"
group_id = {GROUP}
token = "{keys.vk}"
secret = "{keys.vk_secret}"
confirmation = "{CONFIRMATION}"
api_base = "{ports.vk}"
source = "ВКонтакте"
group = "sales"

[[web]]
name = "site"
key = "{keys.form}"
origins = ["{ports.site_url}"]
title = "Окна и балконы"
source = "Сайт"
group = "sales"
enquiry = true

[[email]]
name = "sales"
address = "sales@okna.example"
listen = "127.0.0.1:{ports.smtp}"
source = "Почта"
group = "sales"

[routing]
ring_s = {RING_S}
deadline_ms = {DEADLINE_MS}
fallback = ["deputy", "group", "callback"]

[[ladder]]
on = "call.missed"
steps = [ {{ after = "0s", tell = ["manager"] }},
          {{ after = "{SECOND_RUNG_S}s", tell = ["controller"] }},
          {{ after = "{THIRD_RUNG_S}s", tell = ["director"] }} ]

[[ladder]]
on = "message.unanswered"
steps = [ {{ after = "15m", tell = ["manager"] }} ]
"""


@dataclass(frozen=True, slots=True)
class Tokens:
    """API tokens by login."""

    by_login: dict[str, str]

    def of(self, login: str) -> str:
        """The token of somebody."""
        return self.by_login[login]


async def staff_the_office(settings: Settings, clock: Clock, password: str) -> Tokens:
    """Create the database with everybody in it; returns an API token for each."""
    database = Database(settings.database_url.reveal(), pool_size=2)
    tokens = {member.login: new_token() for member in STAFF} | {ADMIN: new_token()}
    try:
        await migrate(database)
        store = Store(database, clock, office_of(settings), Policies(LeastLoaded(), TellByRole()))
        people = [
            NewUser(ADMIN, "Администратор", Role.ADMIN, password_hash=await Passwords().hash(password)),
            *(_new_user(member) for member in STAFF),
        ]
        await store.run(lambda desk: _enter(desk, people, tokens))
    finally:
        await database.stop()
    return Tokens(tokens)


def _enter(desk: Desk, people: Sequence[NewUser], tokens: Mapping[str, str]) -> None:
    for person in people:
        add_user(desk, person)
        add_token(desk, person.login, token_digest(tokens[person.login]))


def _new_user(member: Member) -> NewUser:
    return NewUser(
        login=member.login,
        name=member.name,
        role=member.role,
        telegram_id=member.telegram_id,
        extension=member.extension,
        group="sales" if member.role is Role.MANAGER else None,
    )
