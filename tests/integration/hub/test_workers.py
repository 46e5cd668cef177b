"""Deadlines and the outbox: each rung told once whoever works, nothing lost on a restart, failures visible."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from crm_core.errors import ChannelAuthError, PermanentDeliveryError, StorageUnavailable, TransientDeliveryError
from crm_core.messages import (
    Attachment,
    DeliveryReceipt,
    EntryKind,
    InboundEvent,
    MessageReceived,
    OutboundMessage,
    RouteAction,
    RouteDecision,
    RouteQuery,
    StaffReply,
)
from crm_core.model.identity import Identity, IdentityKind
from crm_core.services.desk import Desk
from crm_core.services.intake.receive import receive
from crm_core.services.letters import replies
from crm_core.storage.store import Store
from crm_core.wording import restored
from hub.files import DiskFiles
from hub.tongues import told_in
from hub.webhooks import WebhookSender
from hub.workers import DeadlineWorker, OutboxWorker, TraceKeeper
from hub.workers.acts import Acts
from tests.fakes.account import ConnectedAccount
from tests.integration.hub.world import OFFICE, SHOP, World, message
from tests.patience import PATIENCE_S

DAY = timedelta(hours=24)
Behaviour = Callable[[OutboundMessage], DeliveryReceipt | Exception]


class Provider(ConnectedAccount):
    """An account whose provider answers as the test says; keeps what it was handed."""

    def __init__(self) -> None:
        super().__init__(SHOP)
        self.handed: list[OutboundMessage] = []
        self.behaviour: Behaviour = lambda _: DeliveryReceipt((f"p{len(self.handed)}",))
        self.content = b"photo"

    @override
    async def send(self, message: OutboundMessage) -> DeliveryReceipt:
        self.handed.append(message)
        outcome = self.behaviour(message)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def fetch(self, remote_id: str) -> AsyncIterator[bytes]:
        yield self.content


class Office:
    """One process's workers."""

    def __init__(self, world: World, store: Store, provider: Provider, files: DiskFiles, name: str = "one") -> None:
        acts = Acts(store, {SHOP: provider}, files, WebhookSender(OFFICE, world.clock))
        self.world = world
        self.store = store
        self.deadlines = DeadlineWorker(store, world.clock, world.metrics)
        self.outbox = OutboxWorker(store, world.clock, world.metrics, acts, name)

    async def take(self, *events: InboundEvent) -> None:
        await self.store.run(lambda desk: receive(desk.work, events, desk.office, desk.policies))

    async def settle(self) -> None:
        """Work until nothing is due."""
        while await self.deadlines.fire_due() or await self.outbox.run_once():
            pass


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def files(tmp_path: Path) -> DiskFiles:
    return DiskFiles(tmp_path / "files")


@pytest.fixture
def office(world: World, provider: Provider, files: DiskFiles) -> Office:
    return Office(world, world.stores[0], provider, files)


def told(provider: Provider) -> list[str]:
    return sorted(each.conversation for each in provider.handed if each.idempotency_key.startswith("tell:case"))


async def reply(office: Office, text: str = "Здравствуйте!") -> int:
    contact = int((await office.world.rows("SELECT id FROM contact ORDER BY id"))[0][0])  # type: ignore[call-overload] # an id
    entry = await office.store.run(
        lambda desk: replies.reply(desk, contact, "ivan", channel="telegram", account=None, text=text)
    )
    return entry.id


async def test_the_ladder_is_climbed_in_time(world: World, office: Office, provider: Provider) -> None:
    await office.take(message("u1"))
    await office.settle()
    assert told(provider) == ["900011", "900012"]
    world.clock.advance(DAY - timedelta(seconds=1))
    await office.settle()
    assert len(told(provider)) == 2
    world.clock.advance(1)
    await office.settle()
    assert told(provider) == ["900011", "900012", "900012", "900013"]
    assert await world.rows("SELECT rung FROM contact_case") == [(1,)]


async def test_several_workers_tell_each_rung_once(world: World, provider: Provider, files: DiskFiles) -> None:
    offices = [Office(world, world.store(), provider, files, f"node{number}") for number in range(3)]
    await offices[0].take(*(message(f"u{client}", client) for client in range(1, 31)))
    world.clock.advance(DAY)
    for _ in range(8):
        await asyncio.gather(*(each.deadlines.fire_due() for each in offices))
        await asyncio.gather(*(each.outbox.run_once() for each in offices))
    for each in offices:
        await each.settle()
    # Two people on each of two rungs, for thirty clients.
    assert len(told(provider)) == 120
    assert await world.rows("SELECT DISTINCT rung FROM contact_case") == [(1,)]
    assert await world.count("outbox", "state <> 'done'") == 0


async def test_a_sent_reply_closes_and_a_refused_one_does_not(world: World, office: Office, provider: Provider) -> None:
    await office.take(message("u1"))
    provider.behaviour = lambda message: (
        PermanentDeliveryError("Forbidden: bot was blocked by the user")
        if message.idempotency_key.startswith("message:")
        else DeliveryReceipt(("1",))
    )
    await reply(office)
    await office.settle()
    ((state, why),) = await world.rows("SELECT delivery, delivery_error FROM timeline WHERE direction = 'out'")
    assert (state, restored(str(why))) == ("failed", "Forbidden: bot was blocked by the user")
    assert await world.rows("SELECT state FROM contact_case") == [("open",)]
    provider.behaviour = lambda _: DeliveryReceipt(("77",))
    await reply(office)
    await office.settle()
    assert await world.rows("SELECT state, reason FROM contact_case") == [("closed", "reply")]
    world.clock.advance(DAY * 2)
    await office.settle()
    assert len(told(provider)) == 2


async def test_transient_failures_are_retried_later_in_order(world: World, office: Office, provider: Provider) -> None:
    await office.take(message("u1"))
    await office.settle()
    provider.handed.clear()
    provider.behaviour = lambda _: TransientDeliveryError("Too Many Requests", retry_after=30)
    await reply(office, "первое")
    await reply(office, "второе")
    await office.settle()
    # The second one of a chat waits for the first.
    assert [each.text for each in provider.handed] == ["первое"]
    provider.behaviour = lambda _: DeliveryReceipt((f"ok{len(provider.handed)}",))
    world.clock.advance(29)
    await office.settle()
    assert len(provider.handed) == 1
    world.clock.advance(2)
    await office.settle()
    assert [each.text for each in provider.handed] == ["первое", "первое", "второе"]
    assert {each.idempotency_key for each in provider.handed[:2]} == {provider.handed[0].idempotency_key}


async def test_refused_credentials_keep_the_message_queued(world: World, office: Office, provider: Provider) -> None:
    await office.take(message("u1"))
    await office.settle()
    provider.behaviour = lambda _: ChannelAuthError("Unauthorized")
    await reply(office)
    for _ in range(20):
        await office.settle()
        world.clock.advance(60)
    assert await world.rows("SELECT delivery FROM timeline WHERE direction = 'out'") == [("queued",)]
    provider.behaviour = lambda _: DeliveryReceipt(("5",))
    await office.settle()
    assert await world.rows("SELECT delivery FROM timeline WHERE direction = 'out'") == [("sent",)]


async def test_a_worker_that_dies_in_a_send_is_succeeded_once_and_the_repeat_is_marked(
    world: World, provider: Provider, files: DiskFiles
) -> None:
    first = Office(world, world.stores[0], provider, files, "first")
    await first.take(message("u1"))
    await first.settle()
    provider.handed.clear()
    await reply(first)
    claimed = await first.outbox._claim(10)
    assert len(claimed) == 1  # and here the process dies: the message may or may not have gone out
    second = Office(world, world.store(), provider, files, "second")
    await second.settle()
    assert provider.handed == []
    world.clock.advance(timedelta(minutes=4))
    await second.settle()
    assert len(provider.handed) == 1
    delivered = await world.rows("SELECT delivery, delivery_error FROM timeline WHERE direction = 'out'")
    assert delivered[0][0] == "sent"
    assert "дважды" in told_in(restored(str(delivered[0][1])), "ru")


async def test_uncertain_sends_are_repeated_once_and_then_given_up(
    world: World, office: Office, provider: Provider
) -> None:
    await office.take(message("u1"))
    await office.settle()
    provider.handed.clear()
    provider.behaviour = lambda _: TransientDeliveryError("no answer", uncertain=True)
    await reply(office)
    for _ in range(6):
        await office.settle()
        world.clock.advance(timedelta(minutes=10))
    assert [each.conversation for each in provider.handed].count("1001") == 2
    assert "Клиент не получил ваш ответ" in provider.handed[-1].text  # its author is told
    assert await world.rows("SELECT delivery FROM timeline WHERE direction = 'out'") == [("failed",)]
    assert await world.rows("SELECT state FROM contact_case") == [("open",)]


async def test_what_was_sent_is_noted_when_the_database_is_back(
    world: World, office: Office, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that goes away between the sending and the note must not make the client read it twice."""
    monkeypatch.setattr("hub.workers.acts._NOTE_AGAIN_S", 0)
    await office.take(message("u1"))
    await reply(office, "Перезвоню в 15:00")
    store, away = world.stores[0], 3
    run = store.run

    async def sometimes(service: Callable[[Desk], object]) -> object:
        nonlocal away
        if away:
            away -= 1
            raise StorageUnavailable
        return await run(service)

    monkeypatch.setattr(store, "run", sometimes)
    await office.outbox.run_once()
    assert away == 0
    assert await world.count("outbox", "kind = 'message' AND state = 'queued'") == 0
    assert len([each for each in provider.handed if each.text == "Перезвоню в 15:00"]) == 1


async def test_decisions_do_not_keep_the_hub_from_stopping(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store = world.stores[0]

    async def away(_: Callable[[Desk], object]) -> object:
        raise StorageUnavailable

    monkeypatch.setattr(store, "run", away)
    traces = TraceKeeper(store, world.clock, world.metrics)
    traces.start()
    traces.decided(RouteQuery("office", "+79161234567", "+74951234567"), RouteDecision(RouteAction.FALLBACK), 1.0)
    await asyncio.sleep(0)
    await traces.stop()


async def test_a_provider_that_hangs_does_not_keep_the_hub_from_stopping(
    world: World, office: Office, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def hang(_: OutboundMessage) -> DeliveryReceipt:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    monkeypatch.setattr(provider, "send", hang)
    monkeypatch.setattr(office.outbox, "stop_s", 0.0)
    await office.take(message("u1"))
    await reply(office)
    office.outbox.start()
    async with asyncio.timeout(PATIENCE_S):
        await asked.wait()
        await office.outbox.stop()
    assert await world.count("outbox", "state = 'queued' AND started = 1") >= 1


async def test_files_that_lie_with_the_provider_are_fetched(
    world: World, office: Office, provider: Provider, files: DiskFiles
) -> None:
    event = message("u1")
    payload = MessageReceived(EntryKind.MESSAGE, "", "u1", (Attachment("a.jpg", "image/jpeg", remote_id="f1"),))
    await office.take(replace(event, payload=payload))
    await office.settle()
    state, size, sha256 = (await world.rows("SELECT state, size, sha256 FROM attachment"))[0]
    assert (state, size) == ("stored", 5)
    assert await files.read(str(sha256)) == b"photo"


async def test_a_notification_refused_by_the_messenger_is_visible(
    world: World, office: Office, provider: Provider
) -> None:
    provider.behaviour = lambda _: PermanentDeliveryError("Forbidden")
    await office.take(message("u1"))
    await office.settle()
    failed = await world.rows("SELECT state, error FROM outbox WHERE kind = 'notification'")
    assert failed
    assert {row[0] for row in failed} == {"failed"}


async def test_the_clock_may_jump(world: World, office: Office, provider: Provider) -> None:
    await office.take(message("u1"))
    world.clock.jump(timedelta(days=-3))
    await office.settle()
    await office.take(message("u2", at=world.clock.now()))
    world.clock.jump(timedelta(days=10))
    await office.settle()
    assert told(provider) == ["900011", "900012", "900012", "900013"]


async def test_a_poisoned_deadline_does_not_hold_up_the_others(
    world: World, office: Office, provider: Provider
) -> None:
    await office.take(message("u1", 1), message("u2", 2))
    await office.settle()
    await office.store.database.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO deadline (key, kind, subject_id, due_at, rung, attempts)"
            " SELECT 'case.rung:0', 'case.rung', 0, min(due_at), 0, 0 FROM deadline"
        )
    )
    world.clock.advance(DAY)
    await office.settle()
    assert len(told(provider)) == 8
    assert await world.count("deadline", "subject_id = 0") == 0


def from_telegram(contact_id: int, world: World) -> InboundEvent:
    """Somebody of the office answers a notification with a photograph."""
    photo = Attachment("photo.jpg", "image/jpeg", remote_id="remote-1", size=5)
    reply = StaffReply(Identity(IdentityKind.TG, "900011"), contact_id, "Вот", (photo,))
    return replace(message("answer", 900_011, clock=world.clock), payload=reply)


async def test_a_staff_answer_waits_for_its_files(office: Office, provider: Provider, world: World) -> None:
    await office.take(message("u1"))
    contact = int(str((await world.rows("SELECT id FROM contact"))[0][0]))
    await office.settle()
    provider.handed.clear()
    await office.take(from_telegram(contact, world))
    for _ in range(5):
        await office.settle()
        world.clock.advance(timedelta(seconds=5))
    (sent,) = [each for each in provider.handed if each.text == "Вот"]
    (file,) = sent.files
    assert (file.name, file.stored.size) == ("photo.jpg", 5)
    assert await world.rows("SELECT state FROM contact_case") == [("closed",)]


async def test_a_staff_answer_whose_file_can_not_be_had_fails_and_its_author_hears_why(
    office: Office, provider: Provider, world: World
) -> None:
    provider.content = b"x" * (51 * 1024 * 1024)
    await office.take(message("u1"))
    contact = int(str((await world.rows("SELECT id FROM contact"))[0][0]))
    await office.take(from_telegram(contact, world))
    for _ in range(5):
        await office.settle()
        world.clock.advance(timedelta(seconds=5))
    assert not [each for each in provider.handed if each.text == "Вот"]
    told = [each.text for each in provider.handed if each.conversation == "900011"]
    assert "Клиент не получил ваш ответ" in told[-1]
    assert "photo.jpg" in told[-1]
    assert await world.rows("SELECT state FROM contact_case") == [("open",)]
