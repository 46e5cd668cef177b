"""Proving that a bot works: whose token it is, how updates come in, what it may; and how to mend what is wrong."""

from __future__ import annotations

from channels.telegram.api import BotApi, Profile, Webhook
from channels.telegram.config import OFFICIAL_API, Mode, TelegramConfig
from crm_core.errors import ChannelAuthError, PermanentDeliveryError
from crm_core.wording import Joined, Sentence

_TOKEN = Sentence("take the token anew from @BotFather: /mybots, the bot, «API Token»")
_GROUPS = Sentence("in groups it sees commands only (@BotFather: /setprivacy, «Disable»)")
_BUSINESS = Sentence("managers can't connect their own accounts (@BotFather: /mybots, «Bot Settings», «Business Mode»)")


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
            raise ChannelAuthError("{why}; {mend}", why=error, mend=_TOKEN) from error
        problem = self._problem(webhook)
        if problem:
            raise PermanentDeliveryError("@{username}: {problem}", username=me.username, problem=problem)
        return Joined([self._intake(me, webhook), *_rights(me)])

    def _problem(self, webhook: Webhook) -> str:
        if self._config.mode is not Mode.WEBHOOK:
            return ""
        if self._config.api_base == OFFICIAL_API and not self._public_url.startswith("https://"):
            return Sentence('Telegram posts to https only: set public_url = "https://…", or mode = "polling"')
        if webhook.pending and webhook.last_error:
            return Sentence(
                "{count} updates wait, since Telegram can't post them to {url} ({words}): see that public_url leads to"
                " this hub from the internet",
                count=webhook.pending,
                url=webhook.url,
                words=webhook.last_error,
            )
        return ""

    def _intake(self, me: Profile, webhook: Webhook) -> str:
        where = Sentence("webhook {url}", url=webhook.url) if webhook.url else Sentence("no webhook")
        trouble = Sentence(", last error: {words}", words=webhook.last_error) if webhook.last_error else ""
        return Sentence(
            "@{username}, {mode}, {where}, {count} updates wait{trouble}",
            username=me.username,
            mode=self._config.mode.value,
            where=where,
            count=webhook.pending,
            trouble=trouble,
        )


def _rights(me: Profile) -> list[str]:
    groups = Sentence("in groups it sees everything") if me.reads_groups else _GROUPS
    business = Sentence("managers can connect their own accounts") if me.connects_business else _BUSINESS
    return [groups, business]
