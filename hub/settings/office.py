"""The record's view of the settings: accounts and lines with their policies, lists, ladders, who is told by what."""

from __future__ import annotations

from crm_core.messages import ChannelKey
from crm_core.model.answers import NO_ANSWERS, Answers
from crm_core.model.callback import RobotRules
from crm_core.model.office import Office, WebhookTarget
from crm_core.model.policy import AccountPolicy
from hub.settings.model import (
    CtiSettings,
    EmailSettings,
    GatewaySettings,
    Settings,
    TelegramSettings,
    VkSettings,
    WebSettings,
)

_Speaking = TelegramSettings | VkSettings | EmailSettings | WebSettings | GatewaySettings
_Account = _Speaking | CtiSettings


def office_of(settings: Settings) -> Office:
    """The office that these settings describe. Staff are told by mail through the first mailbox that can send."""
    bot = settings.staff_telegram
    sender = next((mailbox for mailbox in settings.email if mailbox.smtp is not None), None)
    return Office(
        region=settings.region,
        language=settings.language.value,
        time_zone=settings.time_zone.key,
        public_url=settings.base_url,
        policies=_policies(settings),
        lines=settings.lines,
        lists={each.name: each for each in settings.lists},
        groups={each.name: each for each in settings.groups},
        calendars={each.name: each for each in settings.hours},
        ladders=settings.ladders_in_force,
        short_abandon=settings.routing.short_abandon,
        dial={pbx.name: pbx.dial for pbx in settings.pbx},
        naming=frozenset(each.name for each in settings.cti),
        staff_channel=ChannelKey("telegram", bot.name) if bot is not None else None,
        mail_channel=ChannelKey("email", sender.name) if sender is not None else None,
        outward=tuple(pbx.name for pbx in settings.pbx if pbx.trunk),
        answers=_answers(settings),
        recorded=frozenset(pbx.name for pbx in settings.pbx if pbx.recordings is not None),
        robot=RobotRules(
            on_take=settings.robot.on_take,
            on_missed=settings.robot.on_missed,
            on_order=settings.robot.on_order,
            client_hours=settings.robot.client_hours,
            attempts=settings.robot.attempts,
            spacing=settings.robot.spacing,
            announce=settings.robot.announce,
            sound=settings.robot.sound,
            ring_s=settings.robot.ring_s,
        ),
        webhooks=tuple(
            WebhookTarget(hook.url, hook.secret.reveal(), frozenset(hook.events)) for hook in settings.webhooks
        ),
        webhook_private=settings.webhook_private,
    )


def _answers(settings: Settings) -> dict[ChannelKey, Answers]:
    """The accounts that say something to clients by themselves."""
    accounts: dict[str, tuple[_Speaking, ...]] = {
        "telegram": settings.telegram,
        "vk": settings.vk,
        "email": settings.email,
        "web": settings.web,
        "gateway": settings.gateways,
    }
    return {
        ChannelKey(channel, each.name): each.answers
        for channel, found in accounts.items()
        for each in found
        if each.answers != NO_ANSWERS
    }


def _policies(settings: Settings) -> dict[ChannelKey, AccountPolicy]:
    accounts: dict[str, tuple[_Account, ...]] = {
        "telegram": settings.telegram,
        "vk": settings.vk,
        "email": settings.email,
        "web": settings.web,
        "cti": settings.cti,
        "gateway": settings.gateways,
    }
    return {ChannelKey(channel, each.name): each.policy for channel, found in accounts.items() for each in found}
