"""A window company that never was: who works there, how its hub is configured, its clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from argon2 import PasswordHasher

from crm_core.messages import ChannelKey
from crm_core.model.user import Role
from crm_core.storage.users import NewUser
from hub.demo.peers.process import free_port

PASSWORD = "длинный пароль"  # noqa: S105 - of a hub that lives for a minute on the loopback interface
LINE = "+74951234567"
SALES, SURVEYORS = "продажи", "замерщики"
PBX, TELEGRAM, VK = ChannelKey("pbx", "office"), ChannelKey("telegram", "okna"), ChannelKey("vk", "okna")
SITE, MAIL = ChannelKey("web", "site"), ChannelKey("email", "sales")
BOT_TOKEN, VK_TOKEN, VK_GROUP, VK_CONFIRMATION = "1001:workspace-bot", "community-token", 123456, "c0nf1rm"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the firm. `extension` is empty for who has no telephone on the desk."""

    login: str
    name: str
    role: Role
    telegram_id: int
    extension: str = ""
    group: str | None = None

    def entered(self) -> NewUser:
        """As they are entered into the record."""
        return NewUser(
            self.login,
            self.name,
            self.role,
            extension=self.extension or None,
            telegram_id=self.telegram_id,
            group=self.group,
            password_hash=_CHEAP.hash(PASSWORD),
        )


MANAGERS = (
    Member("ivan", "Иван Петров", Role.MANAGER, 1001, "101", SALES),
    Member("maria", "Мария Соколова", Role.MANAGER, 1002, "102", SALES),
    Member("olga", "Ольга Сергеева", Role.MANAGER, 1003, "103", SALES),
    Member("timur", "Тимур Ахметов", Role.MANAGER, 1004, "104", SALES),
)
SURVEYOR = Member("sergey", "Сергей Кравцов", Role.MANAGER, 1005, "", SURVEYORS)
HEAD = Member("elena", "Елена Воронцова", Role.HEAD, 1006, "110")
STAFF = (
    Member("root", "Администратор", Role.ADMIN, 1009),
    *MANAGERS,
    SURVEYOR,
    HEAD,
    Member("kira", "Кира Орлова", Role.CONTROLLER, 1007),
    Member("dmitry", "Дмитрий Волков", Role.DIRECTOR, 1008),
)


class PlayedClock:
    """A `Clock` that stands where it is set; what waits for time to pass waits for the machine's own."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """The wall clock, aware, UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def set(self, now: datetime) -> None:
        """Go to a moment."""
        self._now = now.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the hub listens, and where it finds its peers."""

    http: int
    smtp: int
    agi: int
    ami: int

    @classmethod
    def free(cls) -> Ports:
        """Ports that nobody listens on now."""
        return cls(free_port(), free_port(), free_port(), free_port())

    @property
    def url(self) -> str:
        """The hub's address."""
        return f"http://127.0.0.1:{self.http}"


def configuration(ports: Ports, bot_api: str, vk: str, folder: Path) -> str:
    """The hub.toml; `bot_api` and `vk` are the addresses of the messengers' servers."""
    return f"""\
http = "127.0.0.1:{ports.http}"
database_url = "sqlite+aiosqlite:///{folder}/hub.sqlite3"
files = "{folder}/files"
secret_key = "a key of a hub that lives for a minute"

[[pbx]]
name = "{PBX.account}"
ami = "ami://hub:secret@127.0.0.1:{ports.ami}"
agi = "127.0.0.1:{ports.agi}"
trunk = "PJSIP/{{number}}@trunk"
recordings = "{folder}/monitor"

[[line]]
number = "{LINE}"
pbx = "{PBX.account}"
source = "Яндекс.Директ"
group = "{SALES}"

[[telegram]]
name = "{TELEGRAM.account}"
token = "{BOT_TOKEN}"
api_base = "{bot_api}"
source = "Telegram"
group = "{SALES}"

[[vk]]
name = "{VK.account}"
group_id = {VK_GROUP}
token = "{VK_TOKEN}"
secret = "vk-secret"
confirmation = "{VK_CONFIRMATION}"
api_base = "{vk}"
source = "ВКонтакте"
group = "{SALES}"

[[web]]
name = "{SITE.account}"
key = "site-key"
title = "Окна и балконы"
source = "Сайт"
group = "{SALES}"

[[email]]
name = "{MAIL.account}"
address = "sales@okna.example"
listen = "127.0.0.1:{ports.smtp}"
source = "Почта"
group = "{SALES}"

[[ladder]]
on = "message.unanswered"
steps = [ {{ after = "5m", tell = ["manager"] }},
          {{ after = "30m", tell = ["controller"] }},
          {{ after = "2h", tell = ["director"] }} ]
"""
