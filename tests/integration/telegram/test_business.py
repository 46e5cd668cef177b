"""A manager's own Telegram connected to the bot, and groups, over real sockets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from channels.telegram import TelegramChannel
from crm_core.errors import PermanentDeliveryError, StorageUnavailable
from crm_core.messages import (
    ChannelKey,
    Ignored,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageSent,
    Noted,
    OutboundMessage,
)
from crm_core.model.identity import Identity, IdentityKind
from hub.demo.peers.bot_api import Person
from tests.integration.telegram.conftest import Rig, until

KEY = ChannelKey("telegram", "shop")
IVANS = Identity(IdentityKind.TG, "77")


def message(to: str, text: str = "Добрый день", key: str = "k-1") -> OutboundMessage:
    return OutboundMessage(KEY, to, text, key)


async def test_both_sides_of_a_managers_own_chat_are_seen_as_the_clients(rig: Rig, anna: Person, ivan: Person) -> None:
    await rig.running()
    connection = ivan.connect_business()
    asked = await anna.say_business(connection, "Иван, где счёт?")
    answered = await ivan.write_business(connection, anna, "Сейчас пришлю")
    await ivan.edit_business(answered, "Сейчас пришлю счёт")
    await anna.edit_business(asked, "Иван, где же счёт?")
    await anna.delete_business(connection, asked.message_id, answered.message_id)
    events = (await rig.sink.wait_count(6))[1:]
    place = f"business:{connection}:1001"
    assert {event.conversation for event in events} == {place}
    assert {event.sender.identities for event in events} == {(Identity(IdentityKind.TG, "1001"),)}
    assert [type(event.payload) for event in events] == [
        MessageReceived, MessageSent, MessageEdited, MessageEdited, MessageDeleted,
    ]  # fmt: skip
    sent = events[1].payload
    assert isinstance(sent, MessageSent)
    assert (sent.text, sent.author, sent.author_name, sent.automatic) == ("Сейчас пришлю", IVANS, "Иван", False)


async def test_the_echo_of_an_own_answer_is_no_second_message(rig: Rig, anna: Person, ivan: Person) -> None:
    channel = await rig.running()
    connection = ivan.connect_business()
    await anna.say_business(connection, "привет")
    event = await rig.sink.wait_for(lambda event: event.conversation.startswith("business:"))
    await channel.send(message(event.conversation))
    echo = (await rig.sink.wait_count(3))[2]
    assert echo.payload == Ignored("the hub's own message")
    assert (rig.bot.sent[0].chat_id, rig.bot.sent[0].business_connection_id) == (1001, connection)


async def test_a_connection_that_is_off_is_said_and_one_made_anew_is_used(rig: Rig, anna: Person, ivan: Person) -> None:
    channel = await rig.running()
    connection = ivan.connect_business()
    ivan.disconnect_business(connection)
    await rig.sink.wait_count(2)
    with pytest.raises(PermanentDeliveryError, match="Иван no longer connects the bot"):
        await channel.send(message(f"business:{connection}:1001"))
    assert not [call for call in rig.bot.calls if call.method == "sendMessage"]
    later = ivan.connect_business()
    await rig.sink.wait_count(3)
    await channel.send(message(f"business:{connection}:1001"))
    assert rig.bot.sent[0].business_connection_id == later


async def test_connections_outlive_the_program_and_may_be_older_than_it(rig: Rig, anna: Person, ivan: Person) -> None:
    first = await rig.running()
    told = ivan.connect_business()
    ivan.disconnect_business(told)
    await rig.sink.wait_count(2)
    await first.stop()
    untold = ivan.connect_business(tell=False)
    again = rig.channel()
    with pytest.raises(PermanentDeliveryError, match="no longer connects"):
        await again.send(message(f"business:{told}:1001"))
    await again.send(message(f"business:{untold}:1001"))
    rig.clock.advance(2)
    await again.send(message(f"business:{told}:1001", key="k-2"))
    assert [sent.business_connection_id for sent in rig.bot.sent] == [untold, untold]


async def test_news_that_can_not_be_kept_are_not_confirmed(
    rig: Rig, ivan: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, failures = rig.world.cursors.save, [StorageUnavailable(), StorageUnavailable()]

    async def flaky(key: ChannelKey, name: str, value: str) -> None:
        if name.startswith("business:") and failures:
            raise failures.pop()
        await save(key, name, value)

    monkeypatch.setattr(rig.world.cursors, "save", flaky)
    await rig.running()
    ivan.connect_business()
    await rig.sink.wait_count(1)
    assert not failures
    assert any(name.startswith("business:") for _, name in rig.world.cursors.saved)


# ---------------------------------------------------------------- groups


async def test_a_groups_messages_are_their_authors_in_the_groups_conversation(
    rig: Rig, anna: Person, ivan: Person
) -> None:
    await rig.running()
    group = rig.bot.group("Заказы")
    group.add(anna.user)
    await anna.say("когда?", group=group)
    await ivan.say("завтра", group=group)
    group.kick(anna.user)
    events = await rig.sink.wait_count(4)
    assert {(event.conversation, event.group) for event in events} == {(str(group.chat_id), True)}
    assert [event.sender.name for event in events] == ["Анна Петрова", "Анна Петрова", "Иван", "Анна Петрова"]
    assert [event.payload for event in events if isinstance(event.payload, Noted)] == [
        Noted("Бот добавлен в группу «Заказы»"),
        Noted("Бот удалён из группы «Заказы»"),
    ]


@pytest.mark.parametrize("told", [True, False])
async def test_a_group_that_moved_is_followed(rig: Rig, anna: Person, *, told: bool) -> None:
    channel = await rig.running()
    group = rig.bot.basic_group("Заказы")
    moved = group.migrate(anna.user, tell=told)
    await rig.sink.wait_count(2 if told else 0)
    await send_twice(rig, channel, str(group.chat_id))
    assert [sent.chat_id for sent in rig.bot.sent] == [moved.chat_id] * 2
    refused = [call for call in rig.bot.calls if call.status == 400]
    assert len(refused) == (0 if told else 1)
    await send_twice(rig, rig.channel(), str(group.chat_id))
    assert len([call for call in rig.bot.calls if call.status == 400]) == len(refused)


async def send_twice(rig: Rig, channel: TelegramChannel, to: str) -> None:
    for number in range(2):
        rig.clock.advance(2)
        await channel.send(replace(message(to), idempotency_key=f"g-{len(rig.bot.sent)}-{number}"))


async def test_reactions_come_in(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    await anna.start()
    await channel.send(message("1001"))
    await anna.react(rig.bot.sent[0], "👍")
    await anna.vote("5278", 0)
    await until(lambda: len(rig.sink.events) == 3)
    assert rig.bot.updates.filtered == 0
