"""Albums, keyboards, reactions, votes, commands, business accounts and groups that move."""

from __future__ import annotations

import json

import pytest
from aiogram import Bot as Client
from aiogram.exceptions import TelegramBadRequest, TelegramMigrateToChat, TelegramRetryAfter
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BufferedInputFile,
    InputMediaDocument,
    InputMediaPhoto,
    KeyboardButton,
    ReactionTypeEmoji,
    ReactionTypeUnion,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)

from hub.demo.peers.bot_api import Bot, BotApiServer, Person
from tests.contract.bot_api.conftest import JPEG, raw
from tests.fakes.clock import DrivenClock

EVERYTHING = ["message", "message_reaction", "poll_answer", "business_connection", "business_message", "my_chat_member"]


def photo(content: bytes = JPEG, caption: str | None = None) -> InputMediaPhoto:
    return InputMediaPhoto(media=BufferedInputFile(content, "a.jpg"), caption=caption)


def paper() -> InputMediaDocument:
    return InputMediaDocument(media=BufferedInputFile(b"%PDF", "a.pdf"))


def emojis(reactions: list[ReactionTypeUnion]) -> list[str]:
    return [each.emoji for each in reactions if isinstance(each, ReactionTypeEmoji)]


SHARE = ReplyKeyboardMarkup(
    keyboard=[[KeyboardButton(text="Поделиться номером", request_contact=True)]], one_time_keyboard=True
)


@pytest.fixture
def ivan(bot: Bot) -> Person:
    return bot.user(id=77, first_name="Иван", username="ivan")


async def test_an_album_arrives_as_one(client: Client, bot: Bot, anna: Person) -> None:
    await anna.start()
    messages = await client.send_media_group(1001, [photo(caption="да"), photo(JPEG + b"2")])
    assert len({message.media_group_id for message in messages}) == 1
    assert [sent.content for sent in bot.sent] == [JPEG, JPEG + b"2"]
    assert [(sent.text, sent.album is not None) for sent in bot.sent] == [("да", True), ("", True)]


@pytest.mark.parametrize(
    ("media", "words"),
    [
        ([photo()], "2-10 items"),
        ([photo()] * 11, "2-10 items"),
        ([photo(), paper()], "can't be sent in one album"),
        ([photo(), photo(b"no picture")], "IMAGE_PROCESS_FAILED"),
        ([photo(), photo(caption="я" * 1025)], "caption is too long"),
    ],
)
async def test_albums_that_telegram_refuses(
    client: Client, bot: Bot, anna: Person, media: list[InputMediaPhoto | InputMediaDocument], words: str
) -> None:
    await anna.start()
    with pytest.raises(TelegramBadRequest, match=words):
        await client.send_media_group(1001, media)  # type: ignore[arg-type] # lists don't vary
    assert not bot.sent


async def test_an_album_without_its_upload_is_refused(server: BotApiServer, bot: Bot, anna: Person) -> None:
    await anna.start()
    media = json.dumps([{"type": "photo", "media": "attach://x"}] * 2)
    status, body = await raw(server, "sendMediaGroup", json={"chat_id": 1001, "media": media})
    assert (status, "attachment name x not found" in body["description"]) == (400, True)


async def test_an_album_counts_as_its_messages(client: Client, bot: Bot, clock: DrivenClock) -> None:
    group = bot.group("Отдел")
    await client.send_media_group(group.chat_id, [paper()] * 10)
    clock.advance(2)
    await client.send_media_group(group.chat_id, [paper()] * 10)
    clock.advance(2)
    with pytest.raises(TelegramRetryAfter):
        await client.send_message(group.chat_id, "двадцать первое")


async def test_a_number_is_asked_for_and_given(client: Client, bot: Bot, anna: Person, clock: DrivenClock) -> None:
    await anna.start()
    with pytest.raises(KeyError, match="asks for a number"):
        await anna.share_number("+79161234567")
    await client.send_message(1001, "Ваш номер?", reply_markup=SHARE)
    message = await anna.share_number("+79161234567")
    assert message.contact is not None
    assert message.contact.user_id == 1001
    clock.advance(2)
    await client.send_message(1001, "Спасибо", reply_markup=ReplyKeyboardRemove(remove_keyboard=True))
    with pytest.raises(KeyError):
        await anna.share_number("+79161234567")
    group = bot.group("Отдел")
    with pytest.raises(TelegramBadRequest, match="private chats only"):
        await client.send_message(group.chat_id, "Ваш номер?", reply_markup=SHARE)


async def test_reactions_come_to_whoever_asked_for_them(client: Client, bot: Bot, anna: Person) -> None:
    said = await anna.say("привет")
    await anna.react(said, "👍")
    assert [update.message_reaction for update in await client.get_updates()] == [None]
    await client.get_updates(allowed_updates=EVERYTHING)
    await anna.react(said, "👍", "🔥")
    await anna.react(said)
    found = [update.message_reaction for update in await client.get_updates() if update.message_reaction]
    assert [emojis(change.new_reaction) for change in found] == [["👍", "🔥"], []]
    assert [emojis(change.old_reaction) for change in found] == [["👍"], ["👍", "🔥"]]


async def test_polls_and_votes(client: Client, anna: Person) -> None:
    sent = await anna.send_poll("Какой цвет?", "Красный", "Синий")
    assert sent.poll is not None
    await anna.vote(sent.poll.id, 1)
    updates = await client.get_updates()
    assert updates[-1].poll_answer is not None
    assert updates[-1].poll_answer.option_ids == [1]


async def test_albums_of_people(client: Client, anna: Person) -> None:
    await anna.send_album(JPEG, JPEG, caption="два")
    messages = [update.message for update in await client.get_updates() if update.message]
    assert len({message.media_group_id for message in messages}) == 1
    assert [message.caption for message in messages] == ["два", None]


async def test_commands_of_one_chat(client: Client, bot: Bot, anna: Person) -> None:
    scope = BotCommandScopeChat(chat_id=1001)
    await client.set_my_commands([BotCommand(command="today", description="Сегодня")], scope=scope)
    assert [each.command for each in await client.get_my_commands(scope=scope)] == ["today"]
    assert await client.get_my_commands() == []
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await client.set_my_commands([BotCommand(command="To day", description="x")])
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await client.set_my_commands([], scope=BotCommandScopeChat(chat_id=5))


# ---------------------------------------------------------------- Telegram Business


async def test_a_connected_account(client: Client, bot: Bot, anna: Person, ivan: Person) -> None:
    connection = ivan.connect_business()
    asked = await client.get_business_connection(connection)
    assert (asked.user.id, asked.is_enabled) == (77, True)
    await anna.say_business(connection, "привет")
    await ivan.write_business(connection, anna, "здравствуйте")
    await client.send_message(1001, "и от хаба", business_connection_id=connection)
    messages = [update.business_message for update in await client.get_updates() if update.business_message]
    assert [(each.chat.id, each.from_user.id if each.from_user else 0) for each in messages] == [
        (1001, 1001),
        (1001, 77),
        (1001, 77),
    ]
    assert [each.sender_business_bot is not None for each in messages] == [False, False, True]


async def test_a_connection_that_is_off_or_mute_or_unknown(client: Client, anna: Person, ivan: Person) -> None:
    connection = ivan.connect_business(replies=False)
    with pytest.raises(TelegramBadRequest, match="not enough rights"):
        await client.send_message(1001, "да", business_connection_id=connection)
    ivan.disconnect_business(connection)
    with pytest.raises(TelegramBadRequest, match="disabled"):
        await client.send_message(1001, "да", business_connection_id=connection)
    with pytest.raises(TelegramBadRequest, match="connection not found"):
        await client.get_business_connection("other")


async def test_no_reply_keyboard_in_a_business_chat(client: Client, anna: Person, ivan: Person) -> None:
    connection = ivan.connect_business()
    with pytest.raises(TelegramBadRequest, match="business chats"):
        await client.send_message(1001, "номер?", business_connection_id=connection, reply_markup=SHARE)


# ---------------------------------------------------------------- groups


async def test_a_group_that_moves(client: Client, bot: Bot, anna: Person) -> None:
    group = bot.basic_group("Отдел")
    group.add(anna.user)
    await client.send_message(group.chat_id, "здесь")
    moved = group.migrate(anna.user)
    with pytest.raises(TelegramMigrateToChat) as caught:
        await client.send_message(group.chat_id, "и теперь?")
    assert caught.value.migrate_to_chat_id == moved.chat_id
    await client.send_message(moved.chat_id, "там")
    updates = await client.get_updates()
    assert updates[0].my_chat_member is not None
    notes = [update.message for update in updates if update.message]
    assert [(each.migrate_to_chat_id, each.migrate_from_chat_id) for each in notes] == [
        (moved.chat_id, None),
        (None, group.chat_id),
    ]
