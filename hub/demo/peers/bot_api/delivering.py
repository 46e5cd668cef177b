"""A message of the bot on its way into a chat: access, keyboards, flood control, the record of what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiogram import methods as api
from aiogram.types import InlineKeyboardMarkup, InputFile, Message, ReplyParameters

from hub.demo.peers.bot_api.account import BotAccount, ChatRoom, Sent
from hub.demo.peers.bot_api.errors import bad_request
from hub.demo.peers.bot_api.keyboards import check_keyboard, shown
from hub.demo.peers.bot_api.markup import Formatted
from hub.demo.peers.bot_api.media import Media
from hub.demo.peers.bot_api.wire import JsonObject, dump


@dataclass(frozen=True, slots=True)
class Letter:
    """One message: its text, or its caption and file."""

    text: Formatted
    media: Media | None = None


Sends = (
    api.SendMessage
    | api.SendPhoto
    | api.SendDocument
    | api.SendVoice
    | api.SendVideo
    | api.SendAudio
    | api.SendMediaGroup
)


def deliver(bot: BotAccount, call: Sends, letters: Sequence[Letter]) -> list[Message]:
    """Send the messages of one call, those of several as an album; raises ApiError before any of them is sent."""
    markup = getattr(call, "reply_markup", None)
    room = bot.writable(call.chat_id, call.business_connection_id)
    check_keyboard(markup, room.chat, business=call.business_connection_id is not None)
    answered = _answered(room, call)
    bot.count(room, len(letters))
    album = str(13_000_000 + len(bot.sent)) if len(letters) > 1 else None
    shown(room, markup)
    keyboard = markup if isinstance(markup, InlineKeyboardMarkup) else None
    owner = bot.owner_of(call.business_connection_id)
    messages = []
    for letter in letters:
        message = Message(
            message_id=bot.new_message_id(room),
            date=bot.clock.now(),
            chat=room.chat,
            from_user=owner or bot.me,
            sender_business_bot=bot.me if owner else None,
            reply_markup=keyboard,
            reply_to_message=answered.model_copy(update={"reply_to_message": None}) if answered else None,
            business_connection_id=call.business_connection_id,
            media_group_id=album,
            **_content(letter),
        )
        bot.keep(room, message)
        messages.append(message)
        bot.sent.append(_sent(call, room, message, letter, markup, answered))
        if owner is not None:
            # The owner's chats are told of to the bot, whoever wrote there.
            bot.push("business_message", message)
    return messages


def _sent(
    call: Sends, room: ChatRoom, message: Message, letter: Letter, markup: object, answered: Message | None
) -> Sent:
    media = letter.media
    return Sent(
        method=call.__api_method__,
        chat_id=room.chat.id,
        message_id=message.message_id,
        text=letter.text.text,
        entities=letter.text.entities,
        keyboard=message.reply_markup,
        at=message.date,
        parameters=_parameters(call),
        content=media.stored.content if media else None,
        file_name=media.stored.name if media else None,
        reply_to=answered.message_id if answered else None,
        business_connection_id=call.business_connection_id,
        album=message.media_group_id,
        markup=None if isinstance(markup, InlineKeyboardMarkup) else markup,
    )


def _content(letter: Letter) -> dict[str, Any]:
    text, media = letter.text, letter.media
    entities = list(text.entities) or None
    if media is None:
        return {"text": text.text, "entities": entities}
    return {media.field: media.value, "caption": text.text or None, "caption_entities": entities}


def _answered(room: ChatRoom, call: Sends) -> Message | None:
    reply = call.reply_parameters
    if reply is None and call.reply_to_message_id is not None:
        reply = ReplyParameters(message_id=call.reply_to_message_id)
    if reply is None or reply.message_id is None:
        return None
    answered = room.messages.get(reply.message_id)
    if answered is None and reply.allow_sending_without_reply is not True:
        raise bad_request("message to be replied not found")
    return answered


def _parameters(call: Sends) -> JsonObject:
    return {name: value for name, value in dump(call).items() if not isinstance(value, InputFile)}
