"""Bots Long Poll over real sockets: nothing lost over failures, restarts and other nodes."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from channels.vk import Mode
from crm_core.errors import IntakeUnavailable
from crm_core.messages import ChannelKey, MessageReceived, MessageSent, Unparsable
from crm_core.ports import ChannelState
from hub.demo.peers.vk import Person, faults
from tests.fakes.channel_world import ChannelWorld, MemoryLease
from tests.integration.vk.conftest import CONFIRMATION, SECRET, Rig, until
from tests.integration.vk.test_callback import texts, written

CURSOR = (ChannelKey("vk", "community"), "ts:123456")


async def test_events_come_in_order_and_the_place_is_kept_after_the_commit(rig: Rig, anna: Person) -> None:
    await rig.running(Mode.LONGPOLL)
    for word in ("раз", "два", "три"):
        await anna.say(word)
    await written(rig, 3)
    assert texts(rig) == ["раз", "два", "три"]
    await until(lambda: rig.world.cursors.saved.get(CURSOR) == "103")
    waits = {poll["wait"] for poll in rig.community.longpoll.polls}
    assert all(1 <= int(wait) <= 90 for wait in waits)


async def test_a_restart_goes_on_where_it_was(rig: Rig, anna: Person) -> None:
    channel = await rig.running(Mode.LONGPOLL)
    await anna.say("раз")
    await written(rig, 1)
    await until(lambda: rig.world.cursors.saved.get(CURSOR) == "101")
    await channel.stop()
    await anna.say("пока никого не было")
    await rig.running(Mode.LONGPOLL)
    await written(rig, 2)
    assert texts(rig) == ["раз", "пока никого не было"]


async def test_killed_between_commit_and_place_the_events_come_again_and_count_once(rig: Rig, anna: Person) -> None:
    channel = await rig.running(Mode.LONGPOLL)
    await anna.say("раз")
    await written(rig, 1)
    await until(lambda: rig.world.cursors.saved.get(CURSOR) == "101")
    await channel.stop()
    rig.world.cursors.saved[CURSOR] = "100"  # as it was before
    await anna.say("два")
    await rig.running(Mode.LONGPOLL)
    await written(rig, 2)
    assert texts(rig) == ["раз", "два"]


async def test_the_database_is_away(rig: Rig, anna: Person) -> None:
    channel = await rig.running(Mode.LONGPOLL)
    rig.sink.fail_next(IntakeUnavailable(), IntakeUnavailable())
    await anna.say("раз")
    await written(rig, 1)
    assert texts(rig) == ["раз"]
    assert rig.sink.refused == 2
    assert channel.health.state is ChannelState.CONNECTED


async def test_the_key_ends(rig: Rig, anna: Person) -> None:
    channel = await rig.running(Mode.LONGPOLL)
    rig.community.longpoll.expire_key()
    await anna.say("раз")
    await anna.say("два")
    await written(rig, 2)
    assert texts(rig) == ["раз", "два"]
    await until(lambda: channel.measurements().get("poll_failed_2", 0) == 1)


async def test_vk_has_forgotten_our_place(rig: Rig, anna: Person) -> None:
    rig.world.cursors.saved[CURSOR] = "50"
    channel = await rig.running(Mode.LONGPOLL)
    await anna.say("раз")
    await written(rig, 1)
    await until(lambda: channel.measurements().get("poll_failed_1", 0) == 1)


async def test_what_vk_forgot_is_fetched_from_the_dialogues(rig: Rig, anna: Person, boris: Person) -> None:
    channel = await rig.running(Mode.LONGPOLL)
    await anna.say("до")
    await written(rig, 1)
    await until(lambda: rig.world.cursors.saved.get(CURSOR) == "101")
    await channel.stop()
    rig.clock.advance(timedelta(days=3))
    for number in range(250):
        await anna.say(f"без хаба {number}")
    await boris.say("и я")
    await rig.community.write(777, 1001, "сейчас ответим")
    rig.community.longpoll.forget()
    again = await rig.running(Mode.LONGPOLL)
    await until(lambda: again.measurements().get("history_fetched", 0) == 253)
    # Also the last one that came in time: the record knows it by its number.
    known = [event.payload for event in rig.sink.events if isinstance(event.payload, MessageReceived)]
    assert [each.ref for each in known if each.text == "до"] == ["1", "1"]
    fetched = list(dict.fromkeys(texts(rig)))
    assert [each for each in fetched if each.startswith("без")] == [f"без хаба {number}" for number in range(250)]
    assert "и я" in fetched
    assert sum(isinstance(event.payload, MessageSent) for event in rig.sink.events) == 1
    await anna.say("после")
    await rig.sink.wait_for(lambda event: getattr(event.payload, "text", "") == "после")


@pytest.mark.parametrize("method", ["messages.getConversations", "messages.getHistory"])
async def test_polling_goes_on_where_nothing_can_be_fetched(rig: Rig, anna: Person, method: str) -> None:
    channel = await rig.running(Mode.LONGPOLL)
    await anna.say("до")
    await written(rig, 1)
    await until(lambda: rig.world.cursors.saved.get(CURSOR) == "101")
    rig.community.next_responses(faults.error(15, method=method))
    rig.community.longpoll.lose()
    await anna.say("потеряно")
    await until(lambda: channel.measurements().get("history_failed", 0) == 1)
    await until(lambda: rig.world.cursors.saved.get(CURSOR) == "102")
    await anna.say("после")
    await rig.sink.wait_for(lambda event: getattr(event.payload, "text", "") == "после")


async def test_the_place_stays_until_what_vk_forgot_can_be_fetched(rig: Rig, anna: Person) -> None:
    channel = await rig.running(Mode.LONGPOLL)
    await anna.say("до")
    await written(rig, 1)
    await until(lambda: rig.world.cursors.saved.get(CURSOR) == "101")
    rig.community.next_responses(faults.error(10, method="messages.getConversations"))
    rig.community.longpoll.lose()
    await anna.say("потеряно")
    await rig.sink.wait_for(lambda event: getattr(event.payload, "text", "") == "потеряно")
    # A poll that waited with VK may still bring it before VK says that the place is lost.
    await until(lambda: channel.measurements().get("history_failed", 0) == 1)
    await until(lambda: channel.measurements().get("history_fetched", 0) > 0)
    assert rig.world.cursors.saved[CURSOR] == "102"


async def test_vk_has_lost_everything(rig: Rig, anna: Person) -> None:
    channel = await rig.running(Mode.LONGPOLL)
    rig.community.longpoll.lose()
    await anna.say("потеряно")
    # A poll that waited with VK may still bring it before VK says that the place is lost.
    await until(lambda: channel.measurements().get("poll_failed_3", 0) == 1)
    await until(lambda: rig.world.cursors.saved.get(CURSOR) == "101")
    await anna.say("раз")
    await until(lambda: texts(rig)[-1:] == ["раз"])


@pytest.mark.parametrize(
    "fault",
    [
        faults.status(502, "poll"),
        faults.garbage(method="poll"),
        faults.garbage(b'{"failed": 9}', "poll"),
        faults.garbage(b'{"ts": "x", "updates": []}', "poll"),
        faults.garbage(b'{"ts": 1, "updates": {}}', "poll"),
        faults.drop(method="poll"),
        faults.error(10, method="groups.getLongPollServer"),
        faults.garbage(b'{"response": {"key": 5}}', "groups.getLongPollServer"),
    ],
)
async def test_polling_goes_on_after_failures(rig: Rig, anna: Person, fault: faults.Fault) -> None:
    rig.community.next_responses(fault)
    channel = rig.channel(Mode.LONGPOLL)
    await channel.start(rig.sink)
    await until(lambda: not rig.community.faults.pending and channel.health.state is ChannelState.CONNECTED)
    await anna.say("раз")
    await written(rig, 1)


async def test_events_that_make_no_sense_cost_only_themselves(rig: Rig, anna: Person) -> None:
    await rig.running(Mode.LONGPOLL)
    for odd in ({"type": 5}, {}, {"type": "message_new", "event_id": "e", "object": {"message": {"text": []}}}):
        await rig.community.longpoll.put(odd)
    await anna.say("раз")
    await written(rig, 1)
    assert sum(isinstance(event.payload, Unparsable) for event in rig.sink.events) == 3


async def test_a_refused_token_is_told_and_heals(rig: Rig, anna: Person) -> None:
    rig.community.revoked = True
    channel = rig.channel(Mode.LONGPOLL)
    await channel.start(rig.sink)
    await until(lambda: channel.health.state is ChannelState.BAD_CREDENTIALS)
    rig.community.revoked = False
    await until(lambda: channel.health.state is ChannelState.CONNECTED)
    await anna.say("раз")
    await written(rig, 1)


async def test_of_two_nodes_one_polls(rig: Rig, anna: Person) -> None:
    await rig.running(Mode.LONGPOLL)
    other = ChannelWorld(rig.clock, rig.world.cursors, MemoryLease(free=False))
    second = rig.channel(Mode.LONGPOLL, other)
    await second.start(rig.sink)
    await anna.say("раз")
    await written(rig, 1)
    rig.world.lease.take()
    other.lease.give()
    await until(lambda: second.health.state is ChannelState.CONNECTED)
    await anna.say("два")
    await written(rig, 2)
    assert texts(rig) == ["раз", "два"]
    await until(lambda: other.cursors.saved[CURSOR] == "102")


async def test_the_same_event_by_both_ways_counts_once(rig: Rig, anna: Person) -> None:
    callback = rig.channel()
    rig.routes = list(callback.routes())
    await callback.start(rig.sink)
    rig.community.hook(f"{rig.url}/in/vk/community", SECRET, CONFIRMATION)
    await rig.running(Mode.LONGPOLL)
    await anna.say("раз")
    await rig.community.callback.posted.wait_for(lambda posted: posted.body == b"ok")
    await until(lambda: rig.world.cursors.saved.get(CURSOR) == "101")
    assert [event.payload.text for event in rig.sink.events if isinstance(event.payload, MessageReceived)] == ["раз"]


async def test_a_stop_ends_a_waiting_poll_at_once_and_lets_a_batch_be_committed(rig: Rig, anna: Person) -> None:
    channel = await rig.running(Mode.LONGPOLL)
    rig.sink.gate = asyncio.Event()
    await anna.say("раз")
    await rig.sink.committing.wait()
    stopping = asyncio.create_task(channel.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    rig.sink.gate.set()
    await stopping
    assert texts(rig) == ["раз"]
    assert rig.world.cursors.saved[CURSOR] == "101"
    assert rig.world.lease.released == 1
