"""What a Telegram account needs to be known by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from channels.telegram.words import Words, words_of
from crm_core.errors import InvalidInput
from crm_core.messages import ChannelKey

CHANNEL = "telegram"
OFFICIAL_API = "https://api.telegram.org"

_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{3,}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class Mode(StrEnum):
    """How updates come in."""

    POLLING = "polling"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class TelegramConfig:
    """One bot. `secret` is wanted in mode webhook; `poll_s` is how long one long poll waits, in seconds;
    `language` (`ru`, `en`) is what the bot itself speaks.

    Raises InvalidInput for a token or a secret that Telegram could never have accepted.
    """

    name: str
    token: str = field(repr=False)
    mode: Mode = Mode.POLLING
    secret: str | None = field(default=None, repr=False)
    api_base: str = OFFICIAL_API
    poll_s: int = 25
    language: str = "ru"

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.token):
            raise InvalidInput(
                "telegram {name}: a token looks like 123456:AbC-dEf, as BotFather gave it", name=self.name
            )
        if self.mode is Mode.WEBHOOK and not self.secret:
            raise InvalidInput('telegram {name}: mode "webhook" needs a secret', name=self.name)
        if self.secret and not _SECRET.fullmatch(self.secret):
            raise InvalidInput(
                "telegram {name}: a secret has 1 to 256 letters A-Z a-z, digits, _ and -", name=self.name
            )

    @property
    def key(self) -> ChannelKey:
        """Channel and account."""
        return ChannelKey(CHANNEL, self.name)

    @property
    def bot_id(self) -> str:
        """The bot's own Telegram id, which begins its token."""
        return self.token.partition(":")[0]

    @property
    def words(self) -> Words:
        """What the bot says."""
        return words_of(self.language)

    @property
    def path(self) -> str:
        """Where updates are posted in mode webhook."""
        return f"/in/telegram/{self.name}"
