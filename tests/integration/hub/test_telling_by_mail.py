"""Who has no messenger, or is refused by it, is told by mail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from crm_core.errors import PermanentDeliveryError
from crm_core.messages import ChannelKey, DeliveryReceipt, OutboundMessage
from crm_core.services.intake.receive import receive
from crm_core.storage.users import UserChange, update_user
from hub.files import DiskFiles
from hub.webhooks import WebhookSender
from hub.workers import OutboxWorker
from hub.workers.acts import Acts
from tests.integration.hub.test_workers import Provider
from tests.integration.hub.world import OFFICE, SHOP, World, message

MAIL = ChannelKey("email", "sales")


class Mailbox(Provider):
    """The mailbox that tells staff."""

    @property
    @override
    def key(self) -> ChannelKey:
        return MAIL


async def test_a_refusal_of_the_messenger_goes_on_by_mail(world: World, tmp_path: Path) -> None:
    store = world.stores[0]
    store.office = replace(OFFICE, mail_channel=MAIL)
    await store.run(lambda desk: update_user(desk, "ivan", UserChange(email="ivan@example.org")))
    await store.run(lambda desk: update_user(desk, "kira", UserChange(email="kira@example.org", telegram_id=None)))
    bot, mailbox = Provider(), Mailbox()

    def refuse(_: OutboundMessage) -> DeliveryReceipt | Exception:
        return PermanentDeliveryError("Forbidden: bot was blocked by the user")

    bot.behaviour = refuse
    acts = Acts(store, {SHOP: bot, MAIL: mailbox}, DiskFiles(tmp_path), WebhookSender(store.office, world.clock))
    outbox = OutboxWorker(store, world.clock, world.metrics, acts, "one")
    await store.run(lambda desk: receive(desk.work, [message("u1")], desk.office, desk.policies))
    while await outbox.run_once():
        pass
    told = sorted(each.conversation for each in mailbox.handed if each.idempotency_key.startswith("tell:case"))
    assert told == ["ivan@example.org", "kira@example.org"]
    assert {each.conversation for each in bot.handed} == {"900011"}
