"""What `hub check` says of a bot."""

from __future__ import annotations

from typing import cast

import pytest

from channels.telegram.api import BotApi, Profile, Webhook
from channels.telegram.config import Mode, TelegramConfig
from channels.telegram.proof import Proof
from crm_core.errors import PermanentDeliveryError

HOOK = "https://hub.example.org/in/telegram/shop"


class Says:
    """Telegram's two answers."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    async def profile(self) -> Profile:
        """The bot."""
        return Profile("shop_bot", reads_groups=True, connects_business=True)

    async def webhook(self) -> Webhook:
        """Its webhook."""
        return self._webhook


async def check(mode: Mode, webhook: Webhook, public_url: str = "https://hub.example.org") -> str:
    config = TelegramConfig("shop", "1:abc", mode, "s3cret")
    return await Proof(config, cast("BotApi", Says(webhook)), public_url).check()


async def test_a_webhook_that_works() -> None:
    assert (await check(Mode.WEBHOOK, Webhook(HOOK, 0, ""))).startswith(
        f"@shop_bot, webhook, webhook {HOOK}, 0 updates"
    )


async def test_an_error_that_is_over_is_told_but_harms_nothing() -> None:
    assert "last error: Read timeout expired" in await check(Mode.WEBHOOK, Webhook(HOOK, 0, "Read timeout expired"))


async def test_a_webhook_without_https_is_told() -> None:
    with pytest.raises(PermanentDeliveryError, match='public_url = "https://'):
        await check(Mode.WEBHOOK, Webhook("", 0, ""), "http://127.0.0.1:8080")
    assert "no webhook" in await check(Mode.POLLING, Webhook("", 0, ""), "http://127.0.0.1:8080")


async def test_updates_that_can_not_be_posted_are_told() -> None:
    with pytest.raises(PermanentDeliveryError, match=r"7 updates wait.*502 Bad Gateway.*leads to this hub"):
        await check(Mode.WEBHOOK, Webhook(HOOK, 7, "Wrong response from the webhook: 502 Bad Gateway"))
