"""Polling over real sockets: nothing is lost, nothing blocks, the offset follows the commit."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
import pytest

from channels.telegram import Mode, TelegramChannel
from crm_core.errors import (
    ChannelAuthError,
    IntakeFull,
    IntakeUnavailable,
    PermanentDeliveryError,
    StorageUnavailable,
)
from crm_core.messages import (
    Attachment,
    BlockChanged,
    BlockState,
    ContactShared,
    Ignored,
    MessageEdited,
    MessageReceived,
    StaffAct,
    StaffCommand,
    Unparsable,
)
from crm_core.ports import Channel, ChannelState, FetchesFiles, ProvesItself, ReceivesHttp, ReparsesRaw
from hub.demo.peers.bot_api import Person, When, faults
from tests.fakes.clock import START
from tests.fakes.sink import MemorySink
from tests.integration.telegram.conftest import TOKEN, Rig, until


def texts(sink: MemorySink) -> list[str]:
    return [event.payload.text for event in sink.events if isinstance(event.payload, MessageReceived)]


async def test_it_is_what_the_ports_want(rig: Rig) -> None:
    channel: Channel = rig.channel()
    assert isinstance(channel, ReceivesHttp)
    assert isinstance(channel, ReparsesRaw)
    assert isinstance(channel, FetchesFiles)
    assert isinstance(channel, ProvesItself)
    assert channel.health.state is ChannelState.CONNECTING
    assert not channel.routes()
    assert not rig.bot.calls


async def test_a_conversation_comes_in(rig: Rig, anna: Person) -> None:
    await rig.running()
    said = await anna.say("Здравствуйте")
    await anna.edit(said.message_id, "Здравствуйте!")
    await anna.share_contact("+79161234567")
    await anna.block()
    events = await rig.sink.wait_count(4)
    kinds = [type(event.payload) for event in events]
    assert kinds == [MessageReceived, MessageEdited, ContactShared, BlockChanged]
    assert events[3].payload == BlockChanged(BlockState.BLOCKED)
    assert {event.conversation for event in events} == {"1001"}
    assert {event.sender.name for event in events} == {"Анна Петрова"}


async def test_start_returns_at_once_and_connects_later(rig: Rig, anna: Person) -> None:
    await rig.server.stop()
    channel = rig.channel()
    await channel.start(rig.sink)
    await until(lambda: channel.health.state is ChannelState.RECONNECTING)
    assert "can't be reached" in channel.health.detail
    await rig.server.start()
    await anna.say("раз")
    await rig.sink.wait_count(1)
    assert channel.health.state is ChannelState.CONNECTED
    assert rig.pauses


async def test_the_offset_moves_only_after_the_commit(rig: Rig, anna: Person) -> None:
    rig.sink.gate = asyncio.Event()
    await rig.running()
    await anna.say("раз")
    await rig.sink.committing.wait()
    assert len(rig.bot.updates) == 1
    assert not rig.world.cursors.history
    rig.sink.gate.set()
    await until(lambda: len(rig.bot.updates) == 0)
    assert texts(rig.sink) == ["раз"]


@pytest.mark.parametrize("error", [IntakeFull(), IntakeUnavailable(), RuntimeError("a bug")])
async def test_what_was_not_committed_comes_again(rig: Rig, anna: Person, error: Exception) -> None:
    rig.sink.fail_next(error, error)
    channel = await rig.running()
    await anna.say("раз")
    await rig.sink.wait_count(1)
    assert rig.sink.refused == 2
    assert texts(rig.sink) == ["раз"]
    await until(lambda: len(rig.bot.updates) == 0)
    assert channel.health.state is ChannelState.CONNECTED
    assert len(rig.pauses) == 2


async def test_bad_updates_cost_only_themselves(rig: Rig, anna: Person) -> None:
    await anna.say("раз")
    rig.bot.inject({"update_id": True, "message": {"text": 5}})
    rig.bot.inject({"update_id": True, "hologram": {"size": 3}})
    rig.bot.inject({"message": "no id"})
    rig.bot.inject("not even an object")
    rig.bot.inject({"update_id": True, "message": {"text": "\ud83d\x00"}})
    await anna.say("два")
    await rig.running()
    events = await rig.sink.wait_count(7)
    kinds = [type(event.payload) for event in events]
    assert kinds == [MessageReceived, Unparsable, Ignored, Unparsable, Unparsable, Unparsable, MessageReceived]
    assert len(rig.sink.batches[0]) == 7
    await until(lambda: len(rig.bot.updates) == 0)
    await anna.say("три")
    await rig.sink.wait_count(8)
    assert texts(rig.sink) == ["раз", "два", "три"]


async def test_a_repeat_changes_nothing(rig: Rig, anna: Person) -> None:
    await rig.running()
    await anna.say("раз")
    first = (await rig.sink.wait_count(1))[0]
    rig.bot.repeat({"update_id": int(first.external_id), "hologram": {}})
    await until(lambda: len(rig.bot.updates) == 0)
    await anna.say("два")
    await rig.sink.wait_count(2)
    assert texts(rig.sink) == ["раз", "два"]


async def test_stop_ends_a_long_poll_at_once_and_lets_a_commit_finish(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    await until(lambda: rig.bot.updates.polled)
    async with asyncio.timeout(15):  # less than the poll would wait
        await channel.stop()
        await channel.stop()
    assert channel.health.state is ChannelState.STOPPED
    await until(lambda: not rig.bot.updates.polled)
    assert rig.world.lease.released == 1

    rig.sink.gate = asyncio.Event()
    again = await rig.running()
    await anna.say("раз")
    await rig.sink.committing.wait()
    stopping = asyncio.create_task(again.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    rig.sink.gate.set()
    await stopping
    assert texts(rig.sink) == ["раз"]
    assert len(rig.world.cursors.history) == 1


async def test_the_offset_survives_a_restart(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    await anna.say("раз")
    await rig.sink.wait_count(1)
    await until(lambda: bool(rig.world.cursors.history))
    await channel.stop()
    rig.bot.calls.clear()
    await anna.say("два")
    await rig.running()
    await rig.sink.wait_count(2)
    poll = next(call for call in rig.bot.calls if call.method == "getUpdates")
    assert int(poll.parameters["offset"]) == int(rig.sink.events[0].external_id) + 1
    assert len(rig.sink.batches) == 2


async def test_a_place_of_last_week_is_not_trusted(rig: Rig, anna: Person) -> None:
    """After a week Telegram may number anew from below: with the old offset the new updates would be thrown away."""
    channel = await rig.running()
    await anna.say("раз")
    await rig.sink.wait_count(1)
    await until(lambda: bool(rig.world.cursors.history))
    await channel.stop()
    rig.clock.advance(timedelta(days=8))
    rig.bot.inject({"update_id": 5, "hologram": {}})
    await rig.running()
    assert (await rig.sink.wait_count(2))[1].external_id == "5"
    await until(lambda: len(rig.bot.updates) == 0)
    assert rig.world.cursors.history[-1].startswith("6@")


async def test_another_bot_under_the_same_name_starts_at_its_own_beginning(rig: Rig, anna: Person) -> None:
    rig.world.cursors.saved[rig.channel().key, "offset:111"] = f"999999999@{START.isoformat()}"
    await anna.say("раз")
    await rig.running()
    await rig.sink.wait_count(1)


async def test_a_revoked_token_is_said_and_healed(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    rig.bot.revoke()
    await until(lambda: channel.health.state is ChannelState.BAD_CREDENTIALS)
    assert "Unauthorized" in channel.health.detail
    assert TOKEN not in channel.health.detail
    rig.bot.restore()
    await anna.say("раз")
    await rig.sink.wait_count(1)
    assert channel.health.state is ChannelState.CONNECTED


async def test_a_webhook_of_somebody_else_is_removed(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    await rig.bot.webhook.set(None)
    await set_webhook(rig, channel)
    await anna.say("раз")
    await rig.sink.wait_count(1)
    assert rig.bot.webhook.hook is None


async def set_webhook(rig: Rig, channel: TelegramChannel) -> None:
    """Somebody takes the bot for a webhook that leads nowhere."""
    url = f"{rig.server.url}/bot{TOKEN}/setWebhook"
    async with aiohttp.ClientSession() as session, session.post(url, json={"url": "http://127.0.0.1:1/"}) as answer:
        assert answer.status == 200
    await until(lambda: channel.health.state is ChannelState.RECONNECTING or rig.bot.webhook.hook is None)


async def test_faults_of_every_kind_are_survived(rig: Rig, anna: Person) -> None:
    rig.bot.next_responses(
        faults.too_many(40, "getUpdates"),
        faults.status(500, method="getUpdates"),
        faults.bad_gateway("getUpdates"),
        faults.garbage(b"{", "getUpdates"),
        faults.garbage(b"\xff\xfe", "getUpdates"),
        faults.garbage(b'{"ok":true,"result":{}}', "getUpdates"),
        faults.drop(When.BEFORE, "getUpdates"),
        faults.drop(When.AFTER, "getUpdates"),
        faults.status(500, method="deleteWebhook"),
    )
    await anna.say("раз")
    channel = await rig.running()
    await rig.sink.wait_count(1)
    assert channel.health.state is ChannelState.CONNECTED
    assert rig.bot.faults.pending == 0
    assert max(rig.pauses) >= 40
    assert len(rig.pauses) == 9


async def test_only_the_holder_of_the_lease_polls(rig: Rig, anna: Person) -> None:
    rig.world.lease.take()
    channel = rig.channel()
    await channel.start(rig.sink)
    await anna.say("раз")
    rig.world.lease.give()
    await rig.sink.wait_count(1)
    await until(lambda: rig.bot.updates.polled)
    rig.world.lease.take()
    await until(lambda: not rig.bot.updates.polled)
    await anna.say("два")
    calls = len(rig.bot.calls)
    rig.world.lease.give()
    await rig.sink.wait_count(2)
    assert rig.bot.calls[calls].method == "deleteWebhook"


async def test_pressed_buttons_are_commands_and_answered(rig: Rig, ivan: Person) -> None:
    rig.sink.answer = "Записано за вами"
    await rig.running()
    press = await ivan.press_raw("taken:42:", None)
    assert (await press.answer()).text == "Записано за вами"
    command = rig.sink.events[0].payload
    assert isinstance(command, StaffCommand)
    assert (command.act, command.subject_id, str(command.actor)) == (StaffAct.TAKEN, 42, "tg:77")
    foreign = await ivan.press_raw("something else", None)
    assert (await foreign.answer()).text == ""


async def test_a_press_is_answered_though_telegram_hiccups(rig: Rig, ivan: Person) -> None:
    rig.bot.next_responses(faults.status(500, method="answerCallbackQuery"))
    await rig.running()
    press = await ivan.press_raw("taken:42:", None)
    await press.answer()


async def test_files_are_fetched_through_the_channel(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    content = bytes(range(256)) * 1000
    await anna.send_photo(content, "вот")
    event = await rig.sink.wait_for(lambda event: isinstance(event.payload, MessageReceived))
    assert isinstance(event.payload, MessageReceived)
    attachment: Attachment = event.payload.attachments[0]
    assert attachment.remote_id is not None
    pieces = [piece async for piece in channel.fetch(attachment.remote_id)]
    assert b"".join(pieces) == content
    assert len(pieces) > 1


async def test_a_journal_row_reads_the_same_again(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    await anna.say("раз")
    event = (await rig.sink.wait_count(1))[0]
    assert channel.reparse(event.external_id, event.raw, event.occurred_at) == event
    kept = channel.reparse("17", b"{", START)
    assert (kept.external_id, type(kept.payload)) == ("17", Unparsable)


async def test_killed_between_the_commit_and_the_offset_nothing_comes_twice(
    rig: Rig, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await rig.running()
    save = rig.world.cursors.save
    killed = asyncio.Event()

    async def dies(*_: object) -> None:
        killed.set()
        raise StorageUnavailable

    monkeypatch.setattr(rig.world.cursors, "save", dies)
    await anna.say("раз")
    await killed.wait()
    await first.stop()
    monkeypatch.setattr(rig.world.cursors, "save", save)
    assert len(rig.bot.updates) == 1
    await rig.running()
    await anna.say("два")
    await until(lambda: len(rig.sink.events) == 2)
    assert texts(rig.sink) == ["раз", "два"]
    assert len(rig.sink.batches) > 2


# ---------------------------------------------------------------- hub check


async def test_the_account_proves_itself(rig: Rig) -> None:
    assert await rig.channel().check() == (
        "@shop_bot, polling, no webhook, 0 updates wait; in groups it sees everything;"
        " managers can connect their own accounts"
    )
    rig.bot.reads_groups = rig.bot.business = False
    found = await rig.channel().check()
    assert "/setprivacy" in found
    assert "Business Mode" in found


async def test_a_refused_token_is_told_with_a_way_out(rig: Rig) -> None:
    rig.bot.revoke()
    with pytest.raises(ChannelAuthError, match="take the token anew from @BotFather"):
        await rig.channel().check()


async def test_a_webhook_that_does_not_work_is_told_with_a_way_out(rig: Rig, anna: Person) -> None:
    rig.world.public_url = "http://127.0.0.1:1"
    channel = await rig.running(Mode.WEBHOOK)
    await anna.say("раз")
    await rig.bot.webhook.deliveries.wait_for()
    with pytest.raises(PermanentDeliveryError, match=r"1 updates wait.*Connection failed.*public_url"):
        await channel.check()
    await rig.bot.webhook.close()
