"""Proving that a bot works: whose token it is, how updates come in, what it may; and how to mend what is wrong."""

from __future__ import annotations

from channels.telegram.api import BotApi, Profile, Webhook
from channels.telegram.config import OFFICIAL_API, Mode, TelegramConfig
from crm_core.errors import ChannelAuthError, PermanentDeliveryError

_TOKEN = "take the token anew from @BotFather: /mybots, the bot, «API Token»"  # noqa: S105 - where to get one
_GROUPS = "in groups it sees commands only (@BotFather: /setprivacy, «Disable»)"
_BUSINESS = "managers can't connect their own accounts (@BotFather: /mybots, «Bot Settings», «Business Mode»)"


class Proof:
    """Asks Telegram how the bot stands."""

    def __init__(self, config: TelegramConfig, api: BotApi, public_url: str) -> None:
        self._config = config
        self._api = api
        self._public_url = public_url

    async def check(self) -> str:
        """One line of what was proved; raises DeliveryError saying what is wrong and how to mend it."""
        try:
            me = await self._api.profile()
            webhook = await self._api.webhook()
        except ChannelAuthError as error:
            raise ChannelAuthError(f"{error}; {_TOKEN}") from error
        problem = self._problem(webhook)
        if problem:
            raise PermanentDeliveryError(f"@{me.username}: {problem}")
        return "; ".join([self._intake(me, webhook), *_rights(me)])

    def _problem(self, webhook: Webhook) -> str:
        if self._config.mode is not Mode.WEBHOOK:
            return ""
        if self._config.api_base == OFFICIAL_API and not self._public_url.startswith("https://"):
            return 'Telegram posts to https only: set public_url = "https://…", or mode = "polling"'
        if webhook.pending and webhook.last_error:
            waiting = f"{webhook.pending} updates wait, since Telegram can't post them to {webhook.url}"
            return f"{waiting} ({webhook.last_error}): see that public_url leads to this hub from the internet"
        return ""

    def _intake(self, me: Profile, webhook: Webhook) -> str:
        where = f"webhook {webhook.url}" if webhook.url else "no webhook"
        trouble = f", last error: {webhook.last_error}" if webhook.last_error else ""
        return f"@{me.username}, {self._config.mode.value}, {where}, {webhook.pending} updates wait{trouble}"


def _rights(me: Profile) -> list[str]:
    groups = "in groups it sees everything" if me.reads_groups else _GROUPS
    business = "managers can connect their own accounts" if me.connects_business else _BUSINESS
    return [groups, business]
