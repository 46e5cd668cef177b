"""getUpdates with Telegram's rules, and updates that aiogram understands completely."""

from __future__ import annotations

import asyncio

import pytest
from aiogram import Bot as Client
from aiogram.exceptions import (
    TelegramConflictError,
)
from aiogram.types import (
    User,
)
from pydantic import ValidationError

from hub.demo.peers.bot_api import (
    Bot,
    BotApiServer,
    Person,
)
from tests.contract.bot_api.conftest import JPEG, OGG, client_of, raw, texts, until


async def test_offset_confirms_and_forgets(client: Client, anna: Person) -> None:
    for text in ("раз", "два", "три"):
        await anna.say(text)
    first = await client.get_updates(limit=2)
    assert texts(first) == ["раз", "два"]
    assert texts(await client.get_updates()) == ["раз", "два", "три"]
    assert texts(await client.get_updates(offset=first[1].update_id)) == ["два", "три"]
    assert texts(await client.get_updates(offset=first[1].update_id + 1)) == ["три"]
    assert texts(await client.get_updates(offset=0)) == ["три"]


async def test_negative_offset_leaves_the_last(client: Client, anna: Person) -> None:
    for text in ("раз", "два", "три"):
        await anna.say(text)
    assert texts(await client.get_updates(offset=-1)) == ["три"]
    assert texts(await client.get_updates()) == ["три"]


async def test_long_poll_wakes_on_arrival(client: Client, bot: Bot, anna: Person) -> None:
    poll = asyncio.create_task(client.get_updates(timeout=30))
    await until(lambda: bot.updates.polled)
    await anna.say("алло")
    assert texts(await poll) == ["алло"]


async def test_second_poller_ends_the_first_with_409(server: BotApiServer, client: Client, bot: Bot) -> None:
    first = asyncio.create_task(client.get_updates(timeout=30))
    await until(lambda: bot.updates.polled)
    async with client_of(server) as rival:
        assert await rival.get_updates() == []
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
            await first


async def test_poll_is_409_while_a_webhook_is_set(client: Client, bot: Bot) -> None:
    poll = asyncio.create_task(client.get_updates(timeout=30))
    await until(lambda: bot.updates.polled)
    await client.set_webhook("http://127.0.0.1:9/in")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook"):
        await poll
    with pytest.raises(TelegramConflictError, match="while webhook is active"):
        await client.get_updates()
    await client.delete_webhook()
    assert await client.get_updates() == []


async def test_a_client_that_goes_away_polls_no_longer(server: BotApiServer, bot: Bot) -> None:
    async with client_of(server) as leaving:
        poll = asyncio.create_task(leaving.get_updates(timeout=30))
        await until(lambda: bot.updates.polled)
        poll.cancel()
    await until(lambda: not bot.updates.polled)


async def test_allowed_updates_are_kept_until_changed(client: Client, anna: Person) -> None:
    await client.get_updates(allowed_updates=["callback_query"])
    await anna.say("не придёт")
    assert await client.get_updates() == []
    await client.get_updates(allowed_updates=[])
    await anna.say("придёт")
    assert texts(await client.get_updates()) == ["придёт"]


async def test_updates_are_what_aiogram_knows(client: Client, bot: Bot, anna: Person) -> None:
    group = bot.group("Отдел продаж")
    friend = User(id=5, is_bot=False, first_name="Пётр")
    said = await anna.say("привет")
    await anna.edit(said.message_id, "привет!")
    await anna.say("в группе", group=group)
    await anna.say("ответ", reply_to=said.message_id)
    await anna.forward("чужое", friend)
    await anna.share_contact("+79161234567")
    await anna.send_photo(JPEG, "вот")
    await anna.send_document(b"%PDF", "договор.pdf")
    await anna.send_voice(OGG)
    await anna.send_video(b"....ftyp")
    await anna.send_audio(b"ID3")
    await anna.send_sticker("👍")
    await anna.send_location(55.75, 37.62)
    await anna.block()
    await anna.unblock()
    connection = anna.connect_business()
    business = await anna.say_business(connection, "вам лично")
    await anna.edit_business(business, "вам лично!")
    await anna.delete_business(connection, business.message_id)
    updates = await client.get_updates()
    assert len(updates) == 19
    assert [update.update_id for update in updates] == list(range(updates[0].update_id, updates[0].update_id + 19))
    photo = updates[6].message
    assert photo is not None
    assert photo.photo is not None
    assert photo.photo[-1].file_size == len(JPEG)


async def test_what_is_no_update_is_not_sent_unless_injected(server: BotApiServer, bot: Bot, anna: Person) -> None:
    with pytest.raises(ValidationError):
        bot.push("message", {"text": "без отправителя"})
    with pytest.raises(ValueError, match="not in the Bot API"):
        bot.push("brand_new", {"a": 1})
    bot.inject({"update_id": True, "brand_new": {"a": 1}})
    bot.inject({"message": "no id"})
    bot.inject(17)
    _, body = await raw(server, "getUpdates")
    assert [*body["result"][0]] == ["update_id", "brand_new"]
    assert body["result"][1:] == [{"message": "no id"}, 17]
