"""What the bot sends, edits and downloads."""

from __future__ import annotations

import pytest
from aiogram import Bot as Client
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
)
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    MessageEntity,
    ReplyParameters,
)

from hub.demo.peers.bot_api import (
    Bot,
    Person,
)
from tests.contract.bot_api.conftest import JPEG, OGG
from tests.fakes.clock import DrivenClock


async def test_html_becomes_text_and_entities(client: Client, bot: Bot, anna: Person) -> None:
    await anna.start()
    message = await client.send_message(
        1001, '😀 <b>Иван &amp; <i>Ко</i></b> <a href="https://e.example/?a=1&amp;b=2">тут</a>', parse_mode="HTML"
    )
    assert message.text == "😀 Иван & Ко тут"
    kinds = [(entity.type, entity.extract_from(message.text), entity.url) for entity in message.entities or []]
    assert kinds == [
        ("bold", "Иван & Ко", None),
        ("italic", "Ко", None),
        ("text_link", "тут", "https://e.example/?a=1&b=2"),
    ]


async def test_entities_must_lie_in_the_text(client: Client, anna: Person) -> None:
    await anna.start()
    with pytest.raises(TelegramBadRequest, match="ends after the end of the text"):
        await client.send_message(1001, "да", entities=[MessageEntity(type="bold", offset=1, length=2)])


async def test_blocked_not_started_and_gone(client: Client, anna: Person) -> None:
    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
        await client.send_message(1001, "да")
    await anna.block()
    with pytest.raises(TelegramForbiddenError, match="Forbidden: bot was blocked by the user"):
        await client.send_message(1001, "да")
    await anna.unblock()
    assert (await client.send_message(1001, "да")).text == "да"
    anna.deactivate()
    with pytest.raises(TelegramForbiddenError, match="user is deactivated"):
        await client.send_message(1001, "да")


async def test_files_go_out_and_come_back(client: Client, bot: Bot, anna: Person, clock: DrivenClock) -> None:
    await anna.start()
    sent = await client.send_document(1001, BufferedInputFile(b"%PDF-1.7", "счёт.pdf"), caption="Счёт")
    assert sent.document is not None
    assert sent.document.file_name == "счёт.pdf"
    assert (bot.sent[0].content, bot.sent[0].file_name, bot.sent[0].text) == (b"%PDF-1.7", "счёт.pdf", "Счёт")
    clock.advance(2)
    again = await client.send_document(1001, sent.document.file_id)
    assert bot.sent[1].content == b"%PDF-1.7"
    assert again.document is not None
    clock.advance(2)
    photo = await client.send_photo(1001, BufferedInputFile(JPEG, "a.jpg"))
    assert photo.photo is not None
    content = await client.download(photo.photo[-1].file_id)
    assert content is not None
    assert content.read() == JPEG
    clock.advance(2)
    voice = await client.send_voice(1001, BufferedInputFile(OGG, "v.oga"), duration=4)
    assert voice.voice is not None
    assert voice.voice.duration == 4


async def test_bad_files_are_refused(client: Client, bot: Bot, anna: Person) -> None:
    await anna.start()
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await client.send_photo(1001, BufferedInputFile(b"no picture", "a.jpg"))
    with pytest.raises(TelegramBadRequest, match="file must be non-empty"):
        await client.send_document(1001, BufferedInputFile(b"", "a.pdf"))
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await client.send_photo(1001, BufferedInputFile(JPEG, "a.jpg"), caption="я" * 1025)
    big = await anna.send_document(b"1", "big.bin", claimed_size=21 * 1024 * 1024)
    assert big.document is not None
    with pytest.raises(TelegramBadRequest, match="file is too big"):
        await client.get_file(big.document.file_id)


async def test_edit_reply_and_buttons(client: Client, bot: Bot, anna: Person) -> None:
    asked = await anna.say("где заказ?")
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Взял", callback_data="taken:1:")]])
    message = await client.send_message(
        1001, "едет", reply_parameters=ReplyParameters(message_id=asked.message_id), reply_markup=keyboard
    )
    assert message.reply_to_message is not None
    assert bot.sent[0].reply_to == asked.message_id
    press = await anna.press(bot.sent[0], "taken:1:")
    with pytest.raises(KeyError):
        await anna.press(bot.sent[0], "other")
    updates = await client.get_updates()
    assert updates[-1].callback_query is not None
    await client.answer_callback_query(updates[-1].callback_query.id, text="Хорошо")
    assert (await press.answer()).text == "Хорошо"
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await client.answer_callback_query(press.query_id)
    edited = await client.edit_message_text("едет, взял Иван", chat_id=1001, message_id=message.message_id)
    assert not isinstance(edited, bool)
    assert edited.reply_markup is None
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await client.edit_message_text("едет, взял Иван", chat_id=1001, message_id=message.message_id)
    with pytest.raises(TelegramBadRequest, match="message can't be edited"):
        await client.edit_message_text("чужое", chat_id=1001, message_id=asked.message_id)
    await client.edit_message_reply_markup(chat_id=1001, message_id=message.message_id, reply_markup=keyboard)
    assert [edit.method for edit in bot.edits] == ["editMessageText", "editMessageReplyMarkup"]


async def test_groups_count_their_own_messages(client: Client, bot: Bot, anna: Person) -> None:
    group = bot.group("Отдел")
    first = await anna.say("раз", group=group)
    private = await anna.say("лично")
    answer = await client.send_message(group.chat_id, "да")
    assert (first.message_id, answer.message_id) == (1, 2)
    assert private.message_id > 2
    group.kick(anna.user)
    with pytest.raises(TelegramForbiddenError, match="kicked"):
        await client.send_message(group.chat_id, "да")


async def test_business_reply_needs_the_connection(client: Client, bot: Bot, anna: Person) -> None:
    connection = anna.connect_business()
    await anna.say_business(connection, "привет")
    await client.send_message(1001, "и вам", business_connection_id=connection)
    assert bot.sent[0].business_connection_id == connection
