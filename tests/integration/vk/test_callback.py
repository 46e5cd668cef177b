"""Callback API over real sockets: committed, then `ok`; a wrong secret writes nothing."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import aiohttp
import pytest

from channels.vk import Mode
from crm_core.errors import IntakeError, IntakeFull, IntakeUnavailable
from crm_core.messages import (
    BlockChanged,
    Ignored,
    InboundEvent,
    MessageReceived,
    MessageSent,
    ProfileLearned,
    Unparsable,
)
from crm_core.ports import ChannelState
from hub.demo.peers.vk import Person, faults
from tests.integration.vk.conftest import CONFIRMATION, GROUP, SECRET, Rig, until


def texts(rig: Rig) -> list[str]:
    return [event.payload.text for event in rig.sink.events if isinstance(event.payload, MessageReceived)]


async def written(rig: Rig, count: int) -> list[InboundEvent]:
    """The messages, as soon as there are so many."""
    await rig.sink.until(lambda: len(texts(rig)) >= count)
    return [event for event in rig.sink.events if isinstance(event.payload, MessageReceived)]


async def post(rig: Rig, body: bytes | dict[str, Any], path: str = "/in/vk/community") -> tuple[int, bytes]:
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    async with aiohttp.ClientSession() as session, session.post(f"{rig.url}{path}", data=io.BytesIO(data)) as answer:
        return answer.status, await answer.read()


def event(kind: str = "message_new", **more: Any) -> dict[str, Any]:
    message = {"id": 5, "date": 1, "peer_id": 1001, "from_id": 1001, "text": "раз", "conversation_message_id": 3}
    envelope = {"type": kind, "group_id": GROUP, "event_id": "e1", "v": "5.199", "secret": SECRET}
    return {**envelope, "object": {"message": message}, **more}


async def test_messages_come_in_order_and_vk_hears_ok(rig: Rig, anna: Person) -> None:
    await rig.running()
    for word in ("раз", "два", "три"):
        await anna.say(word)
    await written(rig, 3)
    assert texts(rig) == ["раз", "два", "три"]
    posted = await rig.community.callback.posted.wait_count(3)
    assert {(each.status, each.body) for each in posted} == {(200, b"ok")}


async def test_confirmation_wants_the_right_community_only(rig: Rig) -> None:
    await rig.running()
    assert await rig.community.callback.confirm()
    assert await post(rig, {"type": "confirmation", "group_id": GROUP}) == (200, CONFIRMATION.encode())
    for wrong in ({"group_id": GROUP + 1}, {"group_id": str(GROUP)}, {"group_id": True}, {}):
        assert (await post(rig, {"type": "confirmation", **wrong}))[0] == 403
    assert not rig.sink.events


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET.upper(), SECRET + "x", 5, [SECRET], "\ud800"])
async def test_a_wrong_secret_is_403_and_writes_nothing(rig: Rig, secret: object) -> None:
    await rig.running()
    body = event(secret=secret)
    if secret is None:
        del body["secret"]
    assert (await post(rig, body))[0] == 403
    assert not rig.sink.batches


async def test_another_community_is_403_and_writes_nothing(rig: Rig) -> None:
    await rig.running()
    assert (await post(rig, event(group_id=GROUP + 1)))[0] == 403
    assert not rig.sink.batches


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe\x00", b"[]", b"17", b"[" * 50_000, b'"secret"'])
async def test_what_is_no_event_and_knows_no_secret_is_403(rig: Rig, body: bytes) -> None:
    await rig.running()
    assert (await post(rig, body))[0] == 403
    assert not rig.sink.batches


@pytest.mark.parametrize(
    "body",
    [
        b'{"secret": "s3cret", "type": "message_new", "object": {"message": {"text": 5',
        json.dumps({"secret": SECRET}).encode(),
        json.dumps(event(object=None)).encode(),
        json.dumps(event(object=[])).encode(),
        json.dumps(event(object={"message": {"text": 5}})).encode(),
        json.dumps(event(object={"message": {"peer_id": "1001", "from_id": 1}})).encode(),
        json.dumps(event(object={"message": {"peer_id": 1, "from_id": 1, "date": 10**30}})).encode(),
        json.dumps(event(type=["message_new"])).encode(),
    ],
)
async def test_what_is_not_understood_is_kept_and_answered_ok(rig: Rig, body: bytes) -> None:
    channel = await rig.running()
    assert await post(rig, body) == (200, b"ok")
    assert await post(rig, body) == (200, b"ok")
    assert len(rig.sink.events) == 1
    assert rig.sink.events[0].raw == body
    assert isinstance(rig.sink.events[0].payload, Unparsable)
    assert channel.measurements()["events_not_understood"] == 2
    again = channel.reparse("id", body, rig.clock.now())
    assert (again.external_id, type(again.payload)) == ("id", Unparsable)


@pytest.mark.parametrize("kind", ["like_add", "group_leave", "an_event_of_next_year"])
async def test_kinds_without_a_use_are_journalled_as_ignored(rig: Rig, kind: str) -> None:
    await rig.running()
    assert await post(rig, event(kind, object={"anything": [1]})) == (200, b"ok")
    assert isinstance(rig.sink.events[0].payload, Ignored)


@pytest.mark.parametrize("error", [IntakeFull(), IntakeUnavailable()])
async def test_what_was_not_committed_is_refused_and_comes_again(rig: Rig, anna: Person, error: IntakeError) -> None:
    await rig.running()
    rig.sink.fail_next(error, error)
    await anna.say("раз")
    await anna.say("два")
    await written(rig, 2)
    posted = await rig.community.callback.posted.wait_count(4)
    assert [(each.status, each.repeat) for each in posted] == [(503, 0), (503, 1), (200, 2), (200, 0)]
    assert texts(rig) == ["раз", "два"]


async def test_a_repeat_changes_nothing_whatever_its_counter(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    told = await anna.say("раз")
    await rig.community.repeat(told)
    await anna.say("два")
    await rig.community.repeat(told)
    await rig.community.callback.posted.wait_count(4)
    assert texts(rig) == ["раз", "два"]
    assert channel.measurements()["events_repeated"] == 2


async def test_killed_between_commit_and_ok_the_event_comes_again_and_counts_once(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    rig.sink.gate = asyncio.Event()
    await anna.say("раз")
    await rig.sink.committing.wait()
    await rig.community.callback.end()  # the connection is cut while the commit goes on
    rig.sink.gate.set()
    rig.sink.gate = None
    await written(rig, 1)
    rig.community.hook(f"{rig.url}/in/vk/community", SECRET, CONFIRMATION)
    await rig.community.callback.posted.wait_for(lambda posted: posted.body == b"ok")
    assert texts(rig) == ["раз"]
    assert channel.health.state is ChannelState.CONNECTED


async def test_what_vk_gave_up_is_fetched_from_the_dialogues(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    await anna.say("до")
    await written(rig, 1)
    await until(lambda: bool(rig.world.cursors.saved))
    await channel.stop()
    await rig.community.callback.end()
    rig.community.callback.hook = None  # VK tries no more
    rig.clock.advance(3 * 24 * 3600)
    await anna.say("без хаба")
    again = rig.channel()
    rig.routes = list(again.routes())
    rig.community.next_responses(faults.status(502, "groups.getById"), faults.error(10, method="messages.getHistory"))
    await again.start(rig.sink)
    # What comes meanwhile must not hide that something is missing.
    assert await post(rig, event(event_id="new")) == (200, b"ok")
    rig.community.hook(f"{rig.url}/in/vk/community", SECRET, CONFIRMATION)
    await until(lambda: again.measurements().get("history_fetched", 0) == 2)
    assert again.measurements()["history_failed"] == 1
    assert list(dict.fromkeys(texts(rig))) == ["до", "раз", "без хаба"]
    await until(lambda: rig.world.cursors.saved[again.key, "missed"] == "")


async def test_nothing_is_fetched_where_nothing_ever_came(rig: Rig, anna: Person) -> None:
    await anna.say("до хаба")
    await rig.running()
    assert not [call for call in rig.community.calls if call.method == "messages.getConversations"]


async def test_long_bodies_are_413(rig: Rig) -> None:
    channel = await rig.running()
    (route,) = channel.routes()
    body = json.dumps(event(object={"message": {"text": "я" * route.max_size}})).encode()
    assert (await post(rig, body))[0] == 413


async def test_before_the_start_events_are_refused(rig: Rig) -> None:
    rig.routes = list(rig.channel().routes())
    assert (await post(rig, event()))[0] == 503


async def test_in_mode_longpoll_there_is_no_such_path(rig: Rig) -> None:
    assert not rig.channel(Mode.LONGPOLL).routes()
    assert (await post(rig, event()))[0] == 404


async def test_four_thousand_emoji_come_in_whole(rig: Rig, anna: Person) -> None:
    await rig.running()
    await anna.say("😀" * 4096)
    await written(rig, 1)
    assert texts(rig) == ["😀" * 4096]


async def test_names_are_asked_for_in_one_call_and_become_a_fact(rig: Rig, anna: Person, boris: Person) -> None:
    channel = await rig.running()
    rig.community.next_responses(faults.error(10, method="users.get"), faults.error(6, method="users.get"))
    await anna.say("раз")
    await boris.say("два")
    await until(lambda: channel.measurements().get("names_learned", 0) >= 2)
    learned = [each.payload for each in rig.sink.events if isinstance(each.payload, ProfileLearned)]
    names = {str(identity): name for payload in learned for identity, name in payload.names}
    assert names == {"vk:1001": "Анна Петрова", "vk:1002": "Борис"}
    await anna.say("три")
    await written(rig, 3)
    assert next(each for each in rig.sink.events if texts(rig)[-1:] == ["три"]).sender.name == ""
    assert rig.sink.events[-1].sender.name == "Анна Петрова"


async def test_names_still_wanted_after_a_restart_are_found_in_the_record(rig: Rig, anna: Person) -> None:
    rig.nameless.ids = [anna.id, 77]
    channel = await rig.running()
    await rig.sink.wait_for(lambda each: isinstance(each.payload, ProfileLearned))
    await until(lambda: channel.measurements().get("names_learned", 0) == 1)
    asked = [call for call in rig.community.calls if call.method == "users.get"]
    assert [call.parameters["user_ids"] for call in asked] == ["1001,77"]


async def test_a_pressed_button_is_answered_once_it_is_committed(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    await anna.say("меню")
    from tests.integration.vk.test_sending import menu, message

    await channel.send(message(buttons=menu("prices")))
    press = await anna.press(rig.community.sent[0])
    answer = await rig.community.presses.wait_for(lambda each: each.event_id == press)
    assert (answer.user_id, answer.peer_id) == (1001, 1001)
    # A button that is not ours, and one that makes no sense, are answered too.
    rig.community.open_presses["x"] = (1001, 1001)
    body = event("message_event", object={"user_id": 1001, "peer_id": 1001, "event_id": "x", "payload": 5})
    assert await post(rig, body) == (200, b"ok")
    await rig.community.presses.wait_for(lambda each: each.event_id == "x")


async def test_what_a_colleague_writes_by_hand_is_told_from_our_own(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    from tests.integration.vk.test_sending import message

    asked = await anna.comment(45, "Сколько стоит?")
    number = str(asked["object"]["id"])
    await channel.send(message("Сто рублей", to=f"wall:-{GROUP}_45", reply_to=number))
    await rig.community.comment(45, "Двести", int(number), 1001)
    sent = await rig.sink.wait_for(lambda each: isinstance(each.payload, MessageSent))
    assert isinstance(sent.payload, MessageSent)
    assert (sent.payload.text, str(sent.sender.identities[0])) == ("Двести", "vk:1001")
    assert sum(isinstance(each.payload, MessageSent) for each in rig.sink.events) == 1


async def test_permission_to_write(rig: Rig, anna: Person) -> None:
    await rig.running()
    await anna.allow()
    await anna.deny()
    await rig.sink.until(lambda: sum(isinstance(each.payload, BlockChanged) for each in rig.sink.events) == 2)
    states = [each.payload.state for each in rig.sink.events if isinstance(each.payload, BlockChanged)]
    assert [state.value for state in states] == ["allowed", "blocked"]


async def test_health_says_why_nothing_comes(rig: Rig) -> None:
    channel = rig.channel()
    await channel.start(rig.sink)
    await until(lambda: channel.health.trouble)
    assert "posts to" in channel.health.detail
    rig.community.hook(f"{rig.url}/in/vk/community", SECRET, CONFIRMATION)
    await until(lambda: not channel.health.trouble)
    await channel.stop()
    assert channel.health.state is ChannelState.STOPPED
    rig.community.revoked = True
    await channel.start(rig.sink)
    await until(lambda: channel.health.state is ChannelState.BAD_CREDENTIALS)
    rig.community.revoked = False
    await until(lambda: channel.health.state is ChannelState.CONNECTED)
