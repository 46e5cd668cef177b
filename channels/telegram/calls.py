"""The method of the Bot API that sends a part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiogram.methods import SendDocument, SendMediaGroup, SendMessage, SendPhoto, SendVoice, TelegramMethod
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)

from channels.telegram.conversation import Conversation
from channels.telegram.parts import Part, Shape
from channels.telegram.words import Words
from crm_core.messages import Button, OutboundMessage


def method_of(
    where: Conversation, message: OutboundMessage, part: Part, contents: Sequence[bytes], words: Words
) -> TelegramMethod[Any]:
    """The call for a part; `contents` are those of its files."""
    common: dict[str, Any] = {
        "chat_id": where.chat_id,
        "business_connection_id": where.business,
        "reply_parameters": _reply(message.reply_to) if part.first else None,
    }
    if len(part.files) > 1:
        return SendMediaGroup(media=_album(part, contents), **common)
    common["reply_markup"] = _keyboard(message, part, words)
    if not part.files:
        return SendMessage(text=part.text, **common)
    upload = BufferedInputFile(contents[0], part.files[0].name)
    common["caption"] = part.text or None
    match part.shape:
        case Shape.PHOTO:
            return SendPhoto(photo=upload, **common)
        case Shape.VOICE:
            return SendVoice(voice=upload, **common)
        case Shape.DOCUMENT:
            return SendDocument(document=upload, **common)


def thanks(where: Conversation, words: Words) -> SendMessage:
    """What is said to whoever shared their number; the keyboard that asked for it goes away."""
    return SendMessage(chat_id=where.chat_id, text=words.thanks, reply_markup=ReplyKeyboardRemove(remove_keyboard=True))


def _album(part: Part, contents: Sequence[bytes]) -> list[Any]:
    kind = InputMediaPhoto if part.shape is Shape.PHOTO else InputMediaDocument
    return [
        kind(media=BufferedInputFile(content, file.name), caption=part.text or None if index == 0 else None)
        for index, (file, content) in enumerate(zip(part.files, contents, strict=True))
    ]


def _reply(ref: str | None) -> ReplyParameters | None:
    """Answer a message if it is still there; one that was deleted must not stop the answer."""
    if ref is None or not (ref.isascii() and ref.isdecimal()):
        return None
    return ReplyParameters(message_id=int(ref), allow_sending_without_reply=True)


def _keyboard(message: OutboundMessage, part: Part, words: Words) -> InlineKeyboardMarkup | ReplyKeyboardMarkup | None:
    if part.ask:
        share = KeyboardButton(text=words.share_contact, request_contact=True)
        return ReplyKeyboardMarkup(keyboard=[[share]], resize_keyboard=True, one_time_keyboard=True)
    return _inline(message.buttons) if part.buttons else None


def _inline(rows: Sequence[Sequence[Button]]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=each.text, callback_data=each.data) for each in row] for row in rows
        ]
    )
