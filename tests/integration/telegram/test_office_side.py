"""People of the office in the bot, and what clients press: over real sockets."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from crm_core.errors import TransientDeliveryError
from crm_core.messages import (
    Button,
    ChannelKey,
    ContactShared,
    MenuChosen,
    OutboundFile,
    OutboundMessage,
    StaffAct,
    StaffAsked,
    StaffCommand,
    StaffReply,
)
from crm_core.model.identity import Identity, IdentityKind
from hub.demo.peers.bot_api import Person, faults
from tests.integration.telegram.conftest import Rig, until

KEY = ChannelKey("telegram", "shop")
JPEG = b"\xff\xd8\xff\xe0" + bytes(100)
IVANS = Identity(IdentityKind.TG, "77")
NOTICE = OutboundMessage(
    KEY, "77", "Клиент ждёт ответа: Анна Петрова", "n-1",
    buttons=((Button("Беру", "taken:42:"),), (Button("Ответить", "write:15:"),)),
)  # fmt: skip


def to_anna(text: str = "Добрый день", key: str = "k-1", **more: object) -> OutboundMessage:
    return replace(OutboundMessage(KEY, "1001", text, key), **more)  # type: ignore[arg-type] # fields by name


@pytest.fixture(autouse=True)
async def _started(anna: Person, ivan: Person) -> None:
    await anna.start()
    await ivan.start()


# ---------------------------------------------------------------- the office


async def test_an_answer_to_a_notification_names_the_client(rig: Rig, ivan: Person) -> None:
    channel = await rig.running()
    await channel.send(NOTICE)
    await ivan.say("Привезём завтра", reply_to=rig.bot.sent[0].message_id)
    event = await rig.sink.wait_for(lambda event: isinstance(event.payload, StaffReply))
    assert isinstance(event.payload, StaffReply)
    assert (event.payload.actor, event.payload.contact_id, event.payload.text) == (IVANS, 15, "Привезём завтра")
    assert event.payload.otherwise is not None
    assert event.conversation == "77"


async def test_buttons_and_commands_of_the_office(rig: Rig, ivan: Person) -> None:
    rig.sink.answer = "Записано"
    channel = await rig.running()
    await channel.send(NOTICE)
    presses = [await ivan.press(rig.bot.sent[0], data) for data in ("write:15:", "taken:42:")]
    assert [(await press.answer()).text for press in presses] == ["Записано", "Записано"]
    await ivan.say("/today")
    await rig.sink.wait_for(lambda event: isinstance(event.payload, StaffAsked))
    commands = [event.payload for event in rig.sink.events if isinstance(event.payload, StaffCommand)]
    assert commands == [StaffCommand(IVANS, StaffAct.WRITE, 15), StaffCommand(IVANS, StaffAct.TAKEN, 42)]


async def test_who_is_told_as_staff_gets_the_menu_of_commands_and_nobody_else(rig: Rig) -> None:
    channel = await rig.running()
    await channel.send(to_anna(buttons=((Button("Цены", "menu:prices"),),)))
    rig.bot.next_responses(faults.status(500, method="setMyCommands"))
    for number in range(3):
        rig.clock.advance(2)
        await channel.send(replace(NOTICE, idempotency_key=f"n-{number}"))
        await until(lambda: not running_menus())
    assert {chat: [each.command for each in shown] for chat, shown in rig.bot.commands.items()} == {
        77: ["today", "help"]
    }
    assert len([call for call in rig.bot.calls if call.method == "setMyCommands"]) == 2


def running_menus() -> bool:
    """Whether a menu is being set."""
    return any(task.get_name() == "showing the menu of commands" for task in asyncio.all_tasks())


# ---------------------------------------------------------------- clients


async def test_an_item_of_the_menu_is_chosen_and_the_press_answered(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    await channel.send(to_anna(buttons=((Button("Цены", "menu:prices"), Button("Адрес", "menu:address")),)))
    press = await anna.press(rig.bot.sent[0], "menu:prices")
    await press.answer()
    again = await anna.press(rig.bot.sent[0], "menu:prices")
    await again.answer()
    chosen = [event for event in rig.sink.events if isinstance(event.payload, MenuChosen)]
    assert [event.payload.item for event in chosen if isinstance(event.payload, MenuChosen)] == ["prices"] * 2
    assert len({event.payload.ref for event in chosen if isinstance(event.payload, MenuChosen)}) == 2
    assert {event.conversation for event in chosen} == {"1001"}


async def test_a_number_is_asked_for_given_and_the_keyboard_goes(rig: Rig, anna: Person) -> None:
    channel = await rig.running()
    await channel.send(to_anna("Здравствуйте!", ask_contact=True, buttons=((Button("Цены", "menu:prices"),),)))
    assert [sent.buttons() for sent in rig.bot.sent] == [["menu:prices"], []]
    await anna.share_number("+79161234567")
    await anna.hears("Спасибо")
    event = rig.sink.events[-1]
    assert isinstance(event.payload, ContactShared)
    assert event.payload.own
    with pytest.raises(KeyError):
        await anna.share_number("+79161234567")


async def test_who_shows_anothers_card_proves_nothing_and_is_not_thanked(rig: Rig, anna: Person) -> None:
    await rig.running()
    await anna.share_contact("+79161234567", own=False, user_id=2002)
    await rig.sink.wait_for(lambda event: isinstance(event.payload, ContactShared) and not event.payload.own)
    await anna.say("и что?")
    await until(lambda: len(rig.sink.events) == 4)
    assert not rig.bot.sent


async def test_a_number_that_came_twice_is_thanked_for_once(rig: Rig, anna: Person) -> None:
    await rig.running()
    await anna.share_contact("+79161234567")
    await anna.hears("Спасибо")
    event = rig.sink.events[-1]
    rig.bot.repeat(json.loads(event.raw))
    await anna.say("ещё")
    await rig.sink.wait_for(lambda event: b"\\u0435\\u0449\\u0451" in event.raw)
    assert [sent.text for sent in rig.bot.sent] == ["Спасибо, номер записан."]


async def test_no_number_is_asked_for_where_telegram_does_not_allow_it(rig: Rig, anna: Person) -> None:
    channel = rig.channel()
    group = rig.bot.group("Заказы")
    await channel.send(to_anna(conversation=str(group.chat_id), ask_contact=True))
    assert rig.bot.sent[0].markup is None


# ---------------------------------------------------------------- files


async def photos(rig: Rig, count: int, content: bytes = JPEG) -> tuple[OutboundFile, ...]:
    return tuple(
        [
            OutboundFile(f"{number}.jpg", "image/jpeg", await rig.world.files.put_bytes(content + bytes([number])))
            for number in range(count)
        ]
    )


async def test_pictures_go_as_an_album_with_the_text_under_it(rig: Rig) -> None:
    channel = rig.channel()
    receipt = await channel.send(to_anna("Три дивана", files=await photos(rig, 3)))
    assert [(sent.method, sent.text) for sent in rig.bot.sent] == [
        ("sendMediaGroup", "Три дивана"), ("sendMediaGroup", ""), ("sendMediaGroup", ""),
    ]  # fmt: skip
    assert len({sent.album for sent in rig.bot.sent}) == 1
    assert receipt.refs == tuple(str(sent.message_id) for sent in rig.bot.sent)


async def test_an_album_with_a_picture_telegram_can_not_read_goes_as_files(rig: Rig) -> None:
    channel = rig.channel()
    good, bad = (await photos(rig, 1))[0], (await photos(rig, 1, b"no picture"))[0]
    await channel.send(to_anna("Смотрите", files=(good, bad)))
    assert [(sent.file_name, sent.content) for sent in rig.bot.sent] == [
        ("0.jpg", JPEG + b"\x00"), ("0.jpg", b"no picture\x00"),
    ]  # fmt: skip


async def test_an_album_is_not_sent_twice_when_the_rest_is_tried_again(rig: Rig) -> None:
    channel = rig.channel()
    files = (*(await photos(rig, 2)), OutboundFile("a.pdf", "application/pdf", await rig.world.files.put_bytes(b"%P")))
    rig.bot.next_responses(faults.status(500, method="sendDocument"))
    with pytest.raises(TransientDeliveryError):
        await channel.send(to_anna("Вот", files=files))
    rig.clock.advance(3)
    receipt = await channel.send(to_anna("Вот", files=files))
    assert [sent.method for sent in rig.bot.sent] == ["sendMediaGroup", "sendMediaGroup", "sendDocument"]
    assert len(receipt.refs) == 3


@pytest.mark.parametrize("seconds", [1, 45])
async def test_album_and_text_to_a_group_keep_its_limit(rig: Rig, seconds: int) -> None:
    channel = rig.channel()
    group = rig.bot.group("Заказы")
    for number in range(2):
        await channel.send(to_anna("", f"a-{number}", conversation=str(group.chat_id), files=await photos(rig, 10)))
    rig.clock.advance(seconds)
    with pytest.raises(TransientDeliveryError):
        await channel.send(to_anna("ещё", "b", conversation=str(group.chat_id)))
    await channel.send(to_anna("другому", "c"))
    assert {call.status for call in rig.bot.calls} == {200}
